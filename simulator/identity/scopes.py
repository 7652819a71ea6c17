"""Scopes as Xero has them since March 2026: granular, the old broad ones, who may ask for which. Pure.

Sources: developer.xero.com/documentation/guides/oauth2/scopes; developer.xero.com/faq/granular-scopes; for payroll also the
documentation of Xero's PHP SDK. ``bankfeeds``, ``finance.…`` and ``practicemanager.…`` are refused: Xero gives them to certified
partners only, and answers other apps ``invalid_scope``.
"""

from collections.abc import Iterable

OFFLINE_ACCESS = "offline_access"
OPENID = "openid"
APP_CONNECTIONS = "app.connections"
"""All connections of an app, with client credentials and without a user (unconfirmed: one source)."""

JOURNALS = "accounting.journals.read"
"""For apps of the tiers Advanced and Enterprise only."""

_REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "taxreports",
    "tenninetynine",
    "trialbalance",
)
_WRITABLE = (
    "accounting.attachments",
    "accounting.banktransactions",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.manualjournals",
    "accounting.payments",
    "accounting.settings",
)
_READABLE = ("accounting.budgets.read", JOURNALS, *(f"accounting.reports.{report}.read" for report in _REPORTS))
_SIGN_IN = (OFFLINE_ACCESS, OPENID, "profile", "email")
_PAYROLL = (
    "employees",
    "leaveapplications",
    "payitems",
    "payrollcalendars",
    "payruns",
    "payslip",
    "settings",
    "superfunds",
    "timesheets",
)
_ELSEWHERE = (
    *("assets", "assets.read", "files", "files.read", "projects", "projects.read"),
    *(f"payroll.{name}{ending}" for name in _PAYROLL for ending in ("", ".read")),
    "payroll.superfundproducts.read",
    *(f"accountdata.{name}.read" for name in ("balances", "movements", "transactions")),
)
"""Xero's, but of APIs that are not simulated: granted, and good for nothing here."""

EVERYTHING = (OFFLINE_ACCESS, *_WRITABLE, "paymentservices", *_READABLE)
"""Whatever opens something here."""

GRANULAR = frozenset((*EVERYTHING, *_SIGN_IN, *_ELSEWHERE, *(f"{scope}.read" for scope in _WRITABLE)))
"""Whatever an app of any age may ask for."""

_BROAD = frozenset({"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"})

ANY_REPORT = frozenset({"accounting.reports", *(f"accounting.reports.{report}" for report in _REPORTS)})
"""Each of these, and ``.read``, opens some report."""


def refused(asked: Iterable[str], *, broad: bool, journals: bool) -> list[str]:
    """Which of the scopes asked for an app may not have.

    Args:
        asked: as the authorise page was asked.
        broad: whether the app is from before 2 March 2026 and may still have the old ones.
        journals: whether its tier includes the general ledger.
    """
    allowed = (GRANULAR | _BROAD if broad else GRANULAR) - (frozenset() if journals else {JOURNALS})
    return [scope for scope in asked if scope not in allowed]
