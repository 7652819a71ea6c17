"""What Xero's Accounting API has and the simulator has not: answered with 501, never as a record that is missing. Pure.

Names in lower case. Source: published OpenAPI. A name that Xero has not either (``Employees``, removed in April 2026) is a 404.
"""

ENDPOINTS = frozenset({"expenseclaims", "invoicereminders", "receipts", "reports", "setup"})
"""First segment of an address."""

PARTS = frozenset({"cissettings", "paymentservices"})
"""Third segment: what hangs below a record."""
