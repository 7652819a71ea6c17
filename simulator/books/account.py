"""Accounts of the chart. They are archived, or deleted while nothing was ever posted to them."""

from dataclasses import dataclass, field, replace
from enum import StrEnum

from simulator.books.document import Attachment
from simulator.books.words import RuleError


class AccountStatus(StrEnum):
    """Status of an account. Source: published OpenAPI, ``Account.Status``."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    DELETED = "DELETED"


CLASSES: dict[str, str] = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EQUITY": "EQUITY",
    "EXPENSE": "EXPENSE",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "LIABILITY": "LIABILITY",
    "NONCURRENT": "ASSET",
    "OTHERINCOME": "REVENUE",
    "OVERHEADS": "EXPENSE",
    "PREPAYMENT": "ASSET",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
    "TERMLIAB": "LIABILITY",
}
"""Type of an account → its class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account.

    Attributes:
        created_ms: when it was made; 0: with the organisation.
        bank_number: of bank accounts only, like ``currency``.
    """

    id: str
    code: str
    name: str
    type: str
    status: AccountStatus
    updated_ms: int
    created_ms: int = 0
    tax_type: str = "NONE"
    description: str = ""
    system: str | None = None
    bank_number: str | None = None
    currency: str | None = None
    takes_payments: bool = False
    attachments: tuple[Attachment, ...] = ()
    overrides: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """Xero's ``Class``."""
        return CLASSES[self.type]


def move(account: Account, to: AccountStatus) -> Account:
    """Archive, take back or delete an account.

    Raises:
        RuleError: Xero's own accounts stay; what is deleted stays so.
    """
    if account.system is not None:
        raise RuleError(f"{account.name} is a system account and can't become {to}")
    if account.status in (AccountStatus.DELETED, to):
        raise RuleError(f"an account that is {account.status} can't become {to}")
    return replace(account, status=to)
