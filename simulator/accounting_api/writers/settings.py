"""Accounts, items, tax rates and what else Settings has, as clients write them. Texts not known are marked (unconfirmed)."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from simulator.accounting_api.validation import Fields, Problems
from simulator.accounting_api.write_context import WriteContext
from simulator.books import account as accounts
from simulator.books import contact_group as contact_groups
from simulator.books import tracking_category as tracking_categories
from simulator.books.account import CLASSES, Account, AccountStatus
from simulator.books.chart import CURRENCY_NAMES
from simulator.books.contact_group import ContactGroup
from simulator.books.currency import Currency
from simulator.books.item import Item
from simulator.books.kinds import AnyRecord
from simulator.books.payment_service import PaymentService
from simulator.books.tax_rate import TaxComponent, TaxRate, effective
from simulator.books.tracking_category import TrackingCategory
from simulator.books.words import Presence, RuleError

MOST_GROUPS = 100
"""Contact groups of an organisation. Source: published OpenAPI, example of a refusal."""

_UNIQUE_NAME = "Please enter a unique Name."
_CURRENCY = re.compile("[A-Z]{3}")


def _text(fields: Fields, name: str, before: str, most: int) -> str:
    """A text that must be there and isn't too long."""
    text = fields.text(name, before)
    if not text:
        fields.wrong(f"{name} must be specified.")  # (unconfirmed)
    elif len(text) > most:
        fields.wrong(f"{name} must not be longer than {most} characters.")  # (unconfirmed)
    return text


def _another(context: WriteContext, record: AnyRecord, same: Callable[[Any], bool]) -> bool:
    """Whether another record of the kind is the same in that respect."""
    return any(same(one) and one.id != record.id for one in context.organisation.shelf_of(record))


# -- accounts ----------------------------------------------------------------------------------------------------------------


def write_account(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create or change an account; a status comes alone, and archives it or takes it back.

    Args:
        record_id: the account of the address, if it names one.

    Returns:
        Its id.
    """
    before = context.organisation.account(record_id) if record_id else None
    blank = before or Account(
        id=context.new_id(),
        code="",
        name="",
        type="",
        status=AccountStatus.ACTIVE,
        updated_ms=0,
        created_ms=context.now_ms,
    )
    status = fields.one_of("Status", AccountStatus, blank.status)
    if before is not None and status is not before.status:
        _move_account(context, fields, before, status)
        return None if fields.problems else before.id
    kind = fields.text("Type", blank.type)
    account = replace(
        blank,
        code=_text(fields, "Code", blank.code, 10) if kind != "BANK" or fields.has("Code") else blank.code,
        name=_text(fields, "Name", blank.name, 150),
        type=kind,
        description=fields.text("Description", blank.description),
        tax_type=fields.text("TaxType", blank.tax_type),
        takes_payments=fields.flag("EnablePaymentsToAccount", blank.takes_payments),
        bank_number=fields.text("BankAccountNumber", blank.bank_number),
        currency=fields.text("CurrencyCode", blank.currency or context.organisation.profile.currency)
        if kind == "BANK"
        else None,
        overrides=fields.carried(
            blank.overrides, "BankAccountType", "ReportingCode", flags=("ShowInExpenseClaims", "AddToWatchlist")
        ),
    )
    _check_account(context, fields, before, account)
    context.write(account, fields.problems)
    return None if fields.problems else account.id


def _check_account(context: WriteContext, fields: Fields, before: Account | None, account: Account) -> None:
    if account.type not in CLASSES:
        fields.wrong(f"Account type '{account.type}' is not valid.")  # (unconfirmed)
    if before is not None and (before.type == "BANK") is not (account.type == "BANK"):
        fields.wrong("A bank account stays one, and no other account becomes one.")  # (unconfirmed)
    if account.type == "BANK" and not account.bank_number:
        fields.wrong("BankAccountNumber must be specified.")  # (unconfirmed)
    if account.currency and context.organisation.of(Currency).get(account.currency) is None:
        fields.wrong(f"Organisation is not subscribed to currency {account.currency}")
    context.tax_rate(account.tax_type, fields)
    alive = AccountStatus.DELETED
    if account.code and _another(context, account, lambda one: one.code == account.code and one.status is not alive):
        fields.wrong("Please enter a unique Code.")
    if _another(context, account, lambda one: one.name.lower() == account.name.lower() and one.status is not alive):
        fields.wrong(_UNIQUE_NAME)


def _move_account(context: WriteContext, fields: Fields, account: Account, to: AccountStatus) -> None:
    if set(fields.values) - {"AccountID", "Status"}:
        fields.wrong("The Status of an account is changed on its own.")  # (unconfirmed)
    elif to is AccountStatus.DELETED:
        fields.wrong("An account is deleted with DELETE.")  # (unconfirmed)
    else:
        _carry(context, fields.problems, lambda: accounts.move(account, to))


def _carry(context: WriteContext, problems: Problems, change: Callable[[], AnyRecord]) -> None:
    """Write what a rule of the books answers, or say why it refuses."""
    try:
        record = change()
    except RuleError as error:
        problems.add(f"{error}")
    else:
        context.write(record, problems)


def delete_account(context: WriteContext, record_id: str, problems: Problems) -> None:
    """Delete an account that nothing was ever posted to; else it can only be archived."""
    account = context.organisation.must_have(Account, record_id)
    if context.organisation.uses_account(account):
        problems.add("This account cannot be deleted because it has transactions. Archive it instead.")  # (unconfirmed)
    _carry(context, problems, lambda: accounts.move(account, AccountStatus.DELETED))


# -- items -------------------------------------------------------------------------------------------------------------------


def write_item(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create or change an item; POST finds it by id or code. Arguments as for :func:`write_account`."""
    shelf = context.organisation.of(Item)
    code = fields.text("Code", "")
    coded = next((one for one in shelf if code and one.code == code), None)
    wanted = record_id or (None if context.creates else fields.guid("ItemID"))
    before = shelf.get(wanted) if wanted else None if context.creates else coded
    if wanted and before is None:
        fields.wrong("Item could not be found.")  # (unconfirmed)
        return None
    tax = context.organisation.profile
    blank = before or Item(
        id=context.new_id(), code="", name="", updated_ms=0, sales_account="", purchase_account="",
        sales_tax=tax.sales_tax, purchase_tax=tax.purchase_tax,
    )  # fmt: skip
    if coded is not None and coded.id != blank.id:
        fields.wrong(f"Price List Item with Code '{code}' already exists")
    sold, bought = fields.inner("SalesDetails"), fields.inner("PurchaseDetails")
    nothing = Fields({}, fields.problems)
    asset = fields.text("InventoryAssetAccountCode", "")
    item = replace(
        blank,
        code=_text(fields, "Code", blank.code, 30),
        name=fields.text("Name", blank.name),
        description=fields.text("Description", blank.description),
        purchase_description=fields.text("PurchaseDescription", blank.purchase_description),
        is_sold=fields.flag("IsSold", blank.is_sold if before or sold or not bought else False),
        is_purchased=fields.flag("IsPurchased", blank.is_purchased if before or bought or not sold else False),
        is_tracked=blank.is_tracked or bool(asset),
        sales_price=context.price(sold or nothing, "UnitPrice", blank.sales_price),
        sales_account=_posting(context, sold or nothing, "AccountCode", blank.sales_account),
        sales_tax=_taxed(context, sold or nothing, blank.sales_tax),
        purchase_price=context.price(bought or nothing, "UnitPrice", blank.purchase_price),
        purchase_account=_posting(
            context,
            bought or nothing,
            "COGSAccountCode" if asset or blank.is_tracked else "AccountCode",
            blank.purchase_account,
        ),
        purchase_tax=_taxed(context, bought or nothing, blank.purchase_tax),
    )
    inventory = context.coded(asset)
    if asset and (inventory is None or inventory.type != "INVENTORY"):
        fields.wrong("The InventoryAssetAccountCode must be an account of type INVENTORY.")  # (unconfirmed)
    if len(item.name) > 50:
        fields.wrong("Name must not be longer than 50 characters.")  # (unconfirmed)
    if before is not None and item.code != before.code:  # what is in stock goes with it
        stock = context.organisation.stock
        item = replace(item, opening=before.opening + stock.moved(before.code) - stock.moved(item.code))
    context.write(item, fields.problems)
    return None if fields.problems else item.id


def _posting(context: WriteContext, fields: Fields, name: str, before: str) -> str:
    code = fields.text(name, before)
    if code != before:
        context.account(code, fields)
    return code


def _taxed(context: WriteContext, fields: Fields, before: str) -> str:
    tax_type = fields.text("TaxType", before)
    if tax_type != before:
        context.tax_rate(tax_type, fields)
    return tax_type


def delete_item(context: WriteContext, record_id: str, problems: Problems) -> None:
    """Delete an item for good; one whose stock is tracked and was moved stays."""
    item = context.organisation.must_have(Item, record_id)
    if item.is_tracked and context.organisation.stock.moved(item.code):
        problems.add("A tracked item with transactions cannot be deleted.")  # (unconfirmed)
    context.run(problems, lambda: [context.organisation.remove(Item, record_id, context.now_ms)])


# -- tax rates ---------------------------------------------------------------------------------------------------------------


def write_tax_rate(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create a tax rate, or change one that was created so (by type or name). Arguments as for :func:`write_account`."""
    del record_id
    shelf = context.organisation.of(TaxRate)
    name = fields.text("Name", "")
    named = next((one for one in shelf if name and one.name.lower() == name.lower()), None)
    before = None if context.creates else shelf.get(fields.text("TaxType", "")) or named
    if not context.creates and before is None:
        fields.wrong("Tax rate could not be found.")  # (unconfirmed)
        return None
    if before is not None and not before.components:
        fields.wrong("A tax rate of Xero's own cannot be changed.")  # (unconfirmed)
        return None
    if named is not None and (before is None or named.id != before.id):
        fields.wrong(_UNIQUE_NAME)
    own = sum(bool(one.components) for one in shelf)
    blank = before or TaxRate(
        id=f"TAX{own + 1:03d}", name="", rate=0, status="ACTIVE", report_tax_type="OUTPUT", updated_ms=0
    )
    status = fields.text("Status", blank.status)
    if status not in ("ACTIVE", "ARCHIVED", "DELETED"):
        fields.wrong(f"Status {status} is not valid.")  # (unconfirmed)
    components = tuple(_component(one) for one in fields.each("TaxComponents")) or blank.components
    if not components:
        fields.wrong("At least one TaxComponent must be specified.")  # (unconfirmed)
    if sum(one.compound for one in components) > 1:
        fields.wrong("Only one tax component can be compound.")  # (unconfirmed)
    report = fields.text("ReportTaxType", blank.report_tax_type)
    rate = replace(
        blank,
        name=_text(fields, "Name", blank.name, 50),
        status=status,
        report_tax_type=report,
        components=components,
        rate=effective(components),
        sales="INPUT" not in report,
        purchases="OUTPUT" not in report,
    )
    context.write(rate, fields.problems)
    return None if fields.problems else rate.id


def _component(fields: Fields) -> TaxComponent:
    return TaxComponent(
        name=_text(fields, "Name", "", 50),
        rate=fields.units("Rate", 4, 0),
        compound=fields.flag("IsCompound", before=False),
        unrecovered=fields.flag("IsNonRecoverable", before=False),
    )


# -- currencies, payment services ----------------------------------------------------------------------------------------------


def write_currency(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Subscribe to a currency; again is no mistake (unconfirmed). Arguments as for :func:`write_account`."""
    del record_id
    code = fields.text("Code", "").upper()
    if not _CURRENCY.fullmatch(code):
        fields.wrong(f"Currency '{code}' is not valid.")  # (unconfirmed)
    if context.organisation.of(Currency).get(code) is None:
        name = CURRENCY_NAMES.get(code, "") or fields.text("Description", code)
        context.write(Currency(id=code, description=name, updated_ms=0), fields.problems)
    return None if fields.problems else code


def write_payment_service(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create a payment service. Arguments as for :func:`write_account`."""
    del record_id
    service = PaymentService(
        id=context.new_id(),
        name=_text(fields, "PaymentServiceName", "", 100),
        url=_text(fields, "PaymentServiceUrl", "", 2000),
        pay_now_text=fields.text("PayNowText", "") or "Pay by credit card",
        updated_ms=0,
    )
    context.write(service, fields.problems)
    return None if fields.problems else service.id


# -- tracking ----------------------------------------------------------------------------------------------------------------


def write_tracking_category(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create a category, rename it, archive it or take it back. Arguments as for :func:`write_account`."""
    before = context.organisation.of(TrackingCategory).get(record_id) if record_id else None
    blank = before or TrackingCategory(id=context.new_id(), name="", status=Presence.ACTIVE, options=(), updated_ms=0)
    status = fields.one_of("Status", Presence, blank.status)
    category = replace(blank, name=_text(fields, "Name", blank.name, 100))
    others = [one for one in context.organisation.of(TrackingCategory) if one.id != category.id]
    if any(one.name.lower() == category.name.lower() and one.status is not Presence.DELETED for one in others):
        fields.wrong(_UNIQUE_NAME)  # (unconfirmed)
    active = sum(one.status is Presence.ACTIVE for one in others)
    if status is Presence.ACTIVE and active >= tracking_categories.MOST_ACTIVE:
        fields.wrong(f"There can be at most {tracking_categories.MOST_ACTIVE} active tracking categories.")
    if status is category.status:
        context.write(category, fields.problems)
    elif not fields.problems:
        _carry(context, fields.problems, lambda: tracking_categories.move(category, status))
    return None if fields.problems else category.id


def delete_tracking_category(context: WriteContext, record_id: str, problems: Problems) -> None:
    """Delete a category; on lines that have it, it stays."""
    category = context.organisation.must_have(TrackingCategory, record_id)
    _carry(context, problems, lambda: tracking_categories.move(category, Presence.DELETED))


# -- contact groups ----------------------------------------------------------------------------------------------------------


def write_contact_group(context: WriteContext, fields: Fields, record_id: str | None) -> str | None:
    """Create a group, rename it, delete it by its status. Arguments as for :func:`write_account`."""
    shelf = context.organisation.of(ContactGroup)
    before = shelf.get(record_id) if record_id else None
    blank = before or ContactGroup(id=context.new_id(), name="", status=Presence.ACTIVE, contact_ids=(), updated_ms=0)
    alive = [one for one in shelf if one.status is Presence.ACTIVE and one.id != blank.id]
    group = replace(blank, name=_text(fields, "Name", blank.name, 50))
    if any(one.name.lower() == group.name.lower() for one in alive):
        fields.wrong(_UNIQUE_NAME)  # (unconfirmed)
    if before is None and len(alive) >= MOST_GROUPS:
        fields.wrong(f"You\N{RIGHT SINGLE QUOTATION MARK}ve reached the limit of {MOST_GROUPS} contact groups.")
    status = fields.one_of("Status", Presence, blank.status)
    if status is Presence.ARCHIVED:
        fields.wrong("A contact group cannot be archived.")  # (unconfirmed)
    if status is not blank.status:
        _carry(context, fields.problems, lambda: contact_groups.delete(group))
    else:
        context.write(group, fields.problems)
    return None if fields.problems else group.id
