"""Manual journals and linked transactions as clients write them. Texts not known are marked (unconfirmed)."""

from dataclasses import replace
from typing import Any

from simulator.accounting_api.validation import Fields, Problems
from simulator.accounting_api.write_context import WriteContext
from simulator.books import manual_journal as manual_journals
from simulator.books.amounts import tax_on
from simulator.books.bank_transaction import BankTransaction, BankTransactionType
from simulator.books.invoice import Invoice, InvoiceType
from simulator.books.linked_transaction import LinkedTransaction
from simulator.books.manual_journal import ManualJournal, ManualLine, ManualStatus
from simulator.books.words import LineAmountTypes, RuleError

_DRAFTS = ("DRAFT", "SUBMITTED")


def write_manual_journal(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create or change a manual journal: its lines add up to nothing, with their tax.

    Args:
        record_id: the journal of the address, if it names one.

    Returns:
        Its id.
    """
    wanted = record_id or (None if context.creates else fields.guid("ManualJournalID"))
    before = context.organisation.of(ManualJournal).get(wanted) if wanted else None
    if wanted and before is None:
        fields.wrong("Manual Journal could not be found.")  # (unconfirmed)
        return None
    blank = before or ManualJournal(
        id=context.new_id(), narration="", status=ManualStatus.DRAFT, date=context.today, lines=(), updated_ms=0
    )
    status = fields.one_of("Status", ManualStatus, blank.status)
    if before is not None and before.status in (ManualStatus.DELETED, ManualStatus.VOIDED):
        fields.wrong("Manual Journal not of valid status for modification")  # (unconfirmed)
    journal = replace(
        blank,
        narration=fields.text("Narration", blank.narration),
        date=fields.day("Date", blank.date),
        line_amount_types=fields.one_of("LineAmountTypes", LineAmountTypes, blank.line_amount_types),
        shows_on_cash_reports=fields.flag("ShowOnCashBasisReports", blank.shows_on_cash_reports),
        overrides=fields.carried(blank.overrides, "Url"),
    )
    if not journal.narration:
        fields.wrong("Narration must be specified.")  # (unconfirmed)
    if fields.has("JournalLines") or before is None:
        types = journal.line_amount_types
        journal = replace(journal, lines=tuple(_line(context, one, types) for one in fields.each("JournalLines")))
        _check_balance(fields, journal)
    context.check_open(fields, journal, before)
    context.write(_moved(fields, journal, status), fields.problems)
    return None if fields.problems else journal.id


def _line(context: WriteContext, fields: Fields, types: LineAmountTypes) -> ManualLine:
    code = fields.text("AccountCode", context.code_of(fields, ""))
    account = context.account(code, fields) if code else None
    if not code:
        fields.wrong("Account code must be specified")
    amount = fields.units("LineAmount", 2, 0)
    tax_type = fields.text("TaxType", "NONE")
    rate = 0 if types is LineAmountTypes.NO_TAX else context.tax_rate(tax_type, fields)
    return ManualLine(
        account_code=code,
        account_id=account.id if account else "",
        amount=amount,
        description=fields.text("Description", ""),
        tax_type=tax_type,
        tax_amount=tax_on(amount, rate, inclusive=types is LineAmountTypes.INCLUSIVE),
        tracking=tuple(one for one in map(context.tracking, fields.each("Tracking")) if one),
    )


def _check_balance(fields: Fields, journal: ManualJournal) -> None:
    if not journal.lines:
        fields.wrong("A Manual Journal must have at least two lines.")  # (unconfirmed)
    sums = [line.gross(journal.line_amount_types) for line in journal.lines]
    debit, credit = sum(one for one in sums if one > 0), sum(one for one in sums if one < 0)
    if debit + credit:
        fields.wrong(f"The total debits ({debit / 100:.2f}) must equal total credits ({credit / 100:.2f})")


def _moved(fields: Fields, journal: ManualJournal, status: ManualStatus) -> ManualJournal:
    if fields.problems or journal.status is status:
        return journal
    try:
        return manual_journals.move(journal, status)
    except RuleError:
        fields.wrong("Manual Journal not of valid status for modification")  # (unconfirmed)
        return journal


def write_linked_transaction(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Charge a line of a bill (or of money spent) to a customer; arguments as for :func:`write_manual_journal`."""
    shelf = context.organisation.of(LinkedTransaction)
    before = shelf.get(record_id) if record_id else None
    source = _source(context, fields.guid("SourceTransactionID") or (before.source_id if before else None))
    if source is None:
        fields.wrong("The SourceTransactionID must be a bill or a spend money transaction.")  # (unconfirmed)
        return None
    lines = [line.line_item_id for line in source.lines]
    usual = before.source_line_id if before else lines[0]
    linked = LinkedTransaction(
        id=before.id if before else context.new_id(),
        status="",
        source_id=source.id,
        source_line_id=fields.guid("SourceLineItemID") or usual,
        source_type="ACCPAY" if isinstance(source, Invoice) else "SPEND",
        updated_ms=0,
        contact_id=fields.guid("ContactID") or (before.contact_id if before else None),
        target_id=fields.guid("TargetTransactionID") or (before.target_id if before else None),
        target_line_id=fields.guid("TargetLineItemID") or (before.target_line_id if before else None),
    )
    if linked.source_line_id not in lines:
        fields.wrong("The SourceLineItemID and SourceTransactionID do not match")
    if linked.contact_id and context.organisation.contacts.get(linked.contact_id) is None:
        fields.wrong("The contact could not be found.")  # (unconfirmed)
    target = context.organisation.invoices.get(linked.target_id) if linked.target_id else None
    if linked.target_id and (target is None or target.type is not InvoiceType.ACCREC):
        fields.wrong("The TargetTransactionID must be a sales invoice.")  # (unconfirmed)
    if target is not None and linked.contact_id not in (None, target.contact_id):
        fields.wrong("The ContactID and the TargetTransaction ContactID do not match")
    if target is not None and linked.target_line_id not in (None, *(line.line_item_id for line in target.lines)):
        fields.wrong("The TargetLineItemID and TargetTransactionID do not match")  # (unconfirmed)
    if target is not None:
        linked = replace(linked, contact_id=target.contact_id)
    context.write(replace(linked, status=_linked_status(source, target)), fields.problems)
    return None if fields.problems else linked.id


def delete_linked_transaction(context: WriteContext, record_id: str, problems: Problems) -> None:
    """Take it back; one that was billed stays."""
    linked = context.organisation.must_have(LinkedTransaction, record_id)
    if linked.status == "BILLED":
        problems.add("A billed linked transaction cannot be deleted.")  # (unconfirmed)
    context.run(problems, lambda: [context.organisation.remove(LinkedTransaction, record_id, context.now_ms)])


def _source(context: WriteContext, source_id: str | None) -> Any:
    books = context.organisation
    if source_id is None:
        return None
    bill, spent = books.invoices.get(source_id), books.of(BankTransaction).get(source_id)
    if bill is not None and bill.type is InvoiceType.ACCPAY:
        return bill
    return spent if spent is not None and spent.type is BankTransactionType.SPEND else None


def _linked_status(source: Any, target: Invoice | None) -> str:
    """Follows from both ends. Source: published OpenAPI, ``LinkedTransaction.Status``."""
    if source.status in _DRAFTS:
        return "DRAFT"
    if target is None:
        return "APPROVED"
    return "ONDRAFT" if target.status in _DRAFTS else "BILLED"
