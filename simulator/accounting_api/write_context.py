"""Where elements of a request become records: what every kind of record needs for that."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from simulator.accounting_api.validation import Fields, Problems
from simulator.books.account import Account, AccountStatus
from simulator.books.amounts import DAY_MS, Day
from simulator.books.contact import Contact
from simulator.books.document import Tracking
from simulator.books.kinds import AnyRecord
from simulator.books.organisation import Change, Organisation
from simulator.books.tax_rate import TaxRate
from simulator.books.tracking_category import TrackingCategory
from simulator.books.words import ContactStatus, RuleError

Writer = Callable[["WriteContext", Fields, str | None], str | None]
"""Reads an element, complains or writes; the id of the record it wrote. The id is the address's, if it names one."""


@dataclass(slots=True, kw_only=True)
class WriteContext:
    """One request's view of the books.

    Attributes:
        organisation: whose books.
        now_ms: the stamp of everything the request changes.
        new_id: draws a GUID.
        creates: PUT, which creates only; POST updates what it finds.
        four_decimals: ``unitdp=4``: prices keep four decimals, else they are rounded to cents.
        client_id: the app that writes.
        changes: what was changed so far.
    """

    organisation: Organisation
    now_ms: int
    new_id: Callable[[], str]
    creates: bool
    four_decimals: bool
    client_id: str = ""
    changes: list[Change] = field(default_factory=list)
    _names: dict[str, str] | None = None
    _numbers: dict[type[AnyRecord], dict[str, str]] = field(default_factory=dict)
    _counts: dict[type[AnyRecord], Callable[[Any], bool]] = field(default_factory=dict)

    @property
    def today(self) -> Day:
        """The date."""
        return self.now_ms // DAY_MS

    def run(self, problems: Problems, operation: Callable[[], Iterable[Change]]) -> None:
        """Do something to the books, unless something is wrong; what they refuse is wrong too."""
        if problems:
            return
        try:
            self.changes += operation()
        except RuleError as error:
            problems.add(f"{error}")

    def write(self, record: AnyRecord, problems: Problems, *, stamp: bool = True) -> None:
        """Put a record into the books, unless something is wrong with it."""
        before = self.organisation.shelf_of(record).get(record.id)
        self.run(problems, lambda: self.organisation.write(record, self.now_ms, stamp=stamp))
        if problems:
            return
        if isinstance(record, Contact):
            self._names = None
        self._renumber(before, record)

    def check_open(self, fields: Fields, *dated: Any) -> None:
        """Complain about dates in locked periods; None is no record."""
        for day in {one.date for one in dated if hasattr(one, "date")}:
            for refusal in self.organisation.company().refusals(day):
                fields.wrong(refusal)

    def _renumber(self, before: Any, record: Any) -> None:
        numbers = self._numbers.get(type(record))
        if numbers is None:
            return
        if before is not None and numbers.get(before.number) == before.id:
            del numbers[before.number]
        if self._counts[type(record)](record):
            numbers[record.number] = record.id

    def contact_named(self, name: str) -> Contact | None:
        """The active contact of that name, in whatever letter case."""
        if self._names is None:
            people = self.organisation.contacts
            self._names = {one.name.casefold(): one.id for one in people if one.status is ContactStatus.ACTIVE}
        return self.organisation.contacts.get(self._names.get(name.casefold(), ""))

    def contact_numbered(self, number: str) -> Contact | None:
        """The contact with that ContactNumber."""
        return next((one for one in self.organisation.contacts if number and one.number == number), None)

    def numbered(self, kind: type[AnyRecord], number: str, counts: Callable[[Any], bool]) -> str | None:
        """Id of the record of a kind with that number, among those that count."""
        if kind not in self._numbers:
            shelf: Any = self.organisation.of(kind)
            self._numbers[kind] = {one.number: one.id for one in shelf if counts(one)}
            self._counts[kind] = counts
        return self._numbers[kind].get(number)

    def price(self, fields: Fields, name: str, before: int, *, exact: bool = False) -> int:
        """A unit amount, rounded to cents unless four decimals are asked for, or ``exact`` has them always."""
        four = exact or self.four_decimals
        units = fields.units(name, 4 if four else 2, None)
        return before if units is None else units * (1 if four else 100)

    def coded(self, code: str) -> Account | None:
        """The account of that code."""
        return next((one for one in self.organisation.of(Account) if code and one.code == code), None)

    def code_of(self, fields: Fields, before: str) -> str:
        """The code of the account that ``AccountID`` of a line names; ``before`` if it names none."""
        account = self.organisation.account(fields.guid("AccountID") or "")
        return before if account is None else account.code

    def pointed_account(self, fields: Fields, name: str) -> Account | None:
        """The active account that an object inside points at by its id or its code."""
        inner = fields.inner(name)
        if inner is None:
            return None
        account_id = inner.guid("AccountID")
        found = self.organisation.account(account_id) if account_id else self.coded(inner.text("Code", ""))
        return found if found is not None and found.status is AccountStatus.ACTIVE else None

    def account(self, code: str, fields: Fields) -> Account | None:
        """The account of that code, if a document may post to it; else a complaint."""
        found = self.coded(code)
        if found is not None and found.status is not AccountStatus.ACTIVE:
            fields.wrong(
                f"Account code '{code}' has been archived, or has been deleted. Each line item must reference a valid account."
            )
            return None
        if found is None or found.system is not None or found.type == "BANK":
            fields.wrong(f"Account code '{code}' is not a valid code for this document.")
            return None
        return found

    def tax_rate(self, tax_type: str, fields: Fields) -> int:
        """The rate of a tax type, in ten-thousandths of a percent; 0 after a complaint."""
        rate = self.organisation.of(TaxRate).get(tax_type)
        if rate is None or rate.status != "ACTIVE":
            fields.wrong(f"The TaxType code {tax_type} does not exist or cannot be used for this type of transaction.")
            return 0
        return rate.rate

    def tracking(self, fields: Fields) -> Tracking | None:
        """A tracking option by its ids or its names; else a complaint (unconfirmed text)."""
        category_id, option_id = fields.guid("TrackingCategoryID"), fields.guid("TrackingOptionID")
        name, option_name = fields.text("Name", ""), fields.text("Option", "")
        for category in self.organisation.of(TrackingCategory):
            for option in category.options:
                same_category = category.id == category_id or category.name == name
                if same_category and (option.id == option_id or option.name == option_name):
                    return Tracking(
                        category_id=category.id, option_id=option.id, name=category.name, option=option.name
                    )
        fields.wrong(f"The tracking option '{option_name or option_id}' does not exist.")
        return None
