"""The wire of the Accounting API: parameters, paging, encoding, errors in Xero's words. Knows no rules."""
