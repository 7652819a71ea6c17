"""What an encoder of an entity knows beside the record: the books, the form that is wanted, what it may embed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from orjson import Fragment

from simulator.books.account import Account
from simulator.books.organisation import Organisation


class Form(StrEnum):
    """What an answer shows of a record."""

    SINGLE = "single"  # GET by id: everything
    PAGE = "page"  # with page=: line items, but the contact in short
    SUMMARY = "summary"  # without page=: no line items, fewer fields of contacts
    SUMMARY_ONLY = "summaryOnly"  # summaryOnly=true: as page, without lines, payments and HasAttachments


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a record is looked at.

    Attributes:
        books: whose record it is.
        form: how much of it is shown.
        four_decimals: ``unitdp=4``.
        now_ms: the time.
        contact: a contact as a record of that form embeds it, by id.
        whole: another record as a page shows it.
    """

    books: Organisation
    form: Form
    four_decimals: bool
    now_ms: int
    contact: Callable[[str, Form], Fragment]
    whole: Callable[[Any], Fragment]

    @property
    def single(self) -> bool:
        """Whether this is a GET by id."""
        return self.form is Form.SINGLE

    @property
    def lines(self) -> bool:
        """Whether lines are shown: not without ``page``."""
        return self.form in (Form.SINGLE, Form.PAGE)

    def account(self, account_id: str, *fields: str) -> dict[str, Any]:
        """An account in short: its id, and ``Code``, ``Name`` or ``CurrencyCode`` where asked for."""
        account: Account | None = self.books.account(account_id)
        if account is None:
            return {"AccountID": account_id}
        known = {"Code": account.code, "Name": account.name, "CurrencyCode": account.currency}
        return {"AccountID": account_id} | {name: known[name] for name in fields if known[name] is not None}
