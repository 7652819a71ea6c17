"""What each client may fail at, and why: a pattern of what it says → the reason. A call that is not here has to work.

``NOT_MODELLED`` are gaps of the simulator that it admits (501, ``docs/simulator.md``); ``RIGHT`` are refusals as Xero's; ``CLIENT`` are
the client's own.
"""

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Whose business a failure is."""

    NOT_MODELLED = "not modelled, and the answer says so"
    RIGHT = "refused as Xero refuses it"
    CLIENT = "the client's own fault"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that is expected.

    Attributes:
        says: pattern that is searched in what the client says.
        why: whose business it is.
        reason: in words.
    """

    says: str
    why: Why
    reason: str


_ABSENT = {
    "payment services of a theme": ("createBrandingThemePaymentServices", "getBrandingThemePaymentServices"),
    "CIS settings": ("getContactCISSettings", "getOrganisationCISSettings"),
    "expense claims": (
        "createExpenseClaimHistory",
        "createExpenseClaims",
        "getExpenseClaim",
        "getExpenseClaimHistory",
        "getExpenseClaims",
        "updateExpenseClaim",
    ),
    "receipts": (
        "createReceipt",
        "createReceiptAttachmentByFileName",
        "createReceiptHistory",
        "getReceipt",
        "getReceiptAttachmentByFileName",
        "getReceiptAttachmentById",
        "getReceiptAttachments",
        "getReceiptHistory",
        "getReceipts",
        "updateReceipt",
        "updateReceiptAttachmentByFileName",
    ),
    "reminders": ("getInvoiceReminders",),
    "reports that Xero prepares": ("getReportFromId", "getReportTenNinetyNine", "getReportsList"),
    "set-up": ("postSetup",),
}


def _official(status: str) -> dict[str, Failure]:
    """Of the SDKs that are made from the OpenAPI; ``status`` is how they say 501."""
    found = {
        call: Failure(status, Why.NOT_MODELLED, f"no {subject}") for subject, calls in _ABSENT.items() for call in calls
    }
    limit = Failure(
        "at most 2 active tracking categories", Why.RIGHT, "the organisation has two tracking categories already"
    )
    return found | {"createTrackingCategory": limit}


XERO_NODE = _official('"statusCode":501')
XERO_PYTHON = _official("^501 .*does not model")
PYXERO = {
    "expenseclaims.all": Failure("ExpatError", Why.NOT_MODELLED, "no expense claims; pyxero takes a 501 for XML"),
    "receipts.all": Failure("ExpatError", Why.NOT_MODELLED, "no receipts; pyxero takes a 501 for XML"),
    "reports.all": Failure("ExpatError", Why.NOT_MODELLED, "no published reports; pyxero takes a 501 for XML"),
    "employees.all": Failure("XeroNotFound 404", Why.RIGHT, "Xero removed Employees from this API in April 2026"),
    "invoices.put refused": Failure(
        "Invoice # must be unique", Why.RIGHT, "the number is taken: the test wants the refusal"
    ),
    "invoices.filter AmountDue__gt": Failure(
        "incompatible with operand types", Why.CLIENT, "it puts numbers in quotes"
    ),
    "invoices.filter UpdatedDateUTC__gt": Failure(
        "QueryParseException", Why.CLIENT, "it writes a moment without DateTime()"
    ),
}
