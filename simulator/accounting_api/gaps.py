"""Which fields that clients may write to Xero come back otherwise here, or not at all, and why. Pure.

A test writes every field that the published OpenAPI lets clients write, kind by kind, and reads it back: what differs stands in
``GAPS``, and what stands there differs. ``docs/simulator.md`` shows the list.
"""

from dataclasses import dataclass

from simulator.accounting_api.facts import FACTS
from simulator.accounting_api.writers.table import WRITES
from simulator.books.words import Endpoint

_ANYWHERE = "**."


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Fields of one reason.

    Attributes:
        paths: of fields, or of objects with all that is in them; ``[]`` stands behind the name of a list, ``**.`` before what is meant
            at any depth.
        why: for people.
        of: the kinds that are meant; empty: all that have such a field.
    """

    paths: tuple[str, ...]
    why: str
    of: frozenset[Endpoint] = frozenset()

    def covers(self, endpoint: Endpoint, path: str) -> bool:
        """Whether a field of a kind is meant."""
        return (not self.of or endpoint in self.of) and any(_inside(path, one) for one in self.paths)


def _inside(path: str, gap: str) -> bool:
    """Whether a field is the one of a gap, or in it."""
    if gap.startswith(_ANYWHERE):
        return f".{gap.removeprefix(_ANYWHERE)}." in f".{path}."
    return f"{path}.".startswith(f"{gap}.")


GAPS: tuple[Gap, ...] = (
    Gap(
        paths=("LineItems[].Taxability", "LineItems[].SalesTaxCodeId", "LineItems[].TaxBreakdown[]"),
        why="sales tax of the United States is not modelled",
    ),
    Gap(
        of=frozenset({Endpoint.BATCH_PAYMENTS}),
        paths=("Payments[].CurrencyRate", "Payments[].IsReconciled"),
        why="a batch shows its payments in short; each payment by itself has these",
    ),
    Gap(
        of=frozenset({Endpoint.MANUAL_JOURNALS}),
        paths=("JournalLines[].IsBlank",),
        why="blank lines are not modelled",
    ),
)
"""Fields that a client may write, and that come back otherwise."""

_WITHOUT_ID = frozenset({Endpoint.BANK_TRANSFERS, Endpoint.BATCH_PAYMENTS, Endpoint.CURRENCIES})
"""Their ids are marked as read-only, or written."""

_SUMS = ("SubTotal", "TotalTax", "Total")

ANSWERS: tuple[Gap, ...] = (
    Gap(
        paths=(
            "**.HasAttachments",
            "**.HasErrors",
            "**.HasValidationErrors",
            "**.StatusAttributeString",
            "**.ValidationErrors[]",
            "**.Warnings[]",
        ),
        why="what Xero says about an element",
    ),
    *(
        Gap(of=frozenset({endpoint}), paths=(FACTS[endpoint].id_field,), why="Xero gives the id")
        for endpoint in Endpoint
        if endpoint in WRITES and endpoint not in _WITHOUT_ID
    ),
    Gap(of=frozenset({Endpoint.REPEATING_INVOICES}), paths=("ID",), why="Xero gives the id"),
    Gap(
        paths=("LineItems[].LineItemID", "LineItems[].RepeatingInvoiceID", "LineItems[].Item"),
        why="Xero's ids, and what they lead to",
    ),
    Gap(paths=("**.Attachments[]",), why="files have an address of their own"),
    Gap(
        of=frozenset({Endpoint.BANK_TRANSACTIONS, Endpoint.CREDIT_NOTES, Endpoint.REPEATING_INVOICES}),
        paths=_SUMS,
        why="sums follow from the lines",
    ),
    Gap(
        of=frozenset({Endpoint.CREDIT_NOTES}),
        paths=("FullyPaidOnDate", "RemainingCredit", "AppliedAmount", "Allocations[]", "Payments[]"),
        why="they follow from allocations and refunds, which have addresses of their own",
    ),
    Gap(of=frozenset({Endpoint.BANK_TRANSACTIONS}), paths=("CurrencyCode",), why="the bank account's"),
    Gap(
        of=frozenset({Endpoint.BATCH_PAYMENTS}),
        paths=(
            "Amount",
            "DateString",
            *(
                f"Payments[].{name}"
                for name in ("BankAmount", "BatchPaymentID", "Date", "HasAccount", "PaymentID", "Status")
            ),
        ),
        why="they follow from the batch and its payments",
    ),
    Gap(
        of=frozenset({Endpoint.BATCH_PAYMENTS}),
        paths=("Payments[].InvoiceNumber", "Payments[].CreditNoteNumber"),
        why="they name the document, which is shown as an object",
    ),
    Gap(
        of=frozenset({Endpoint.PAYMENTS}),
        paths=("InvoiceNumber", "CreditNoteNumber"),
        why="they name the document, which is shown as an object",
    ),
    Gap(
        of=frozenset({Endpoint.PAYMENTS}),
        paths=("BankAmount", "BatchPaymentID", "HasAccount"),
        why="they follow from the document, the bank account and the batch",
    ),
    Gap(
        of=frozenset({Endpoint.CONTACTS}),
        paths=("Balances", "IsCustomer", "IsSupplier", "MergedToContactID"),
        why="they follow from documents and merges",
    ),
    Gap(
        of=frozenset({Endpoint.INVOICES}), paths=("RepeatingInvoiceID",), why="it says which template made the invoice"
    ),
    Gap(
        of=frozenset({Endpoint.ITEMS}),
        paths=("QuantityOnHand", "TotalCostPool"),
        why="they follow from documents",
    ),
    Gap(of=frozenset({Endpoint.ITEMS}), paths=("SalesDetails.COGSAccountCode",), why="only what is bought has it"),
    Gap(
        of=frozenset({Endpoint.LINKED_TRANSACTIONS}),
        paths=("SourceTransactionTypeCode", "Status"),
        why="they follow from source and target",
    ),
    Gap(
        of=frozenset({Endpoint.MANUAL_JOURNALS}),
        paths=("JournalLines[].TaxAmount",),
        why="it follows from the tax type",
    ),
    Gap(
        of=frozenset({Endpoint.MANUAL_JOURNALS}),
        paths=("JournalLines[].Tracking[].Status", "JournalLines[].Tracking[].Options[]"),
        why="they are the category's",
    ),
    Gap(of=frozenset({Endpoint.PAYMENT_SERVICES}), paths=("PaymentServiceType",), why="always Custom"),
    Gap(of=frozenset({Endpoint.QUOTES}), paths=("DateString", "ExpiryDateString"), why="twins of the dates"),
    Gap(
        of=frozenset({Endpoint.TRACKING_CATEGORIES}),
        paths=("Option", "Options[]", "TrackingOptionID"),
        why="options have an address of their own",
    ),
)
"""Fields that the OpenAPI does not mark as read-only, though Xero alone says what is in them."""
