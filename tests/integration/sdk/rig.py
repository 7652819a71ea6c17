"""Xero's official SDK (``xero-python``), pointed at a simulator.

The SDK has no setting for the hosts of tokens, so they are put in place while a simulator is used, and taken back after.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import httpx
from xero_python import accounting
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.identity import IdentityApi

from simulator.accounting_api.facts import FACTS
from simulator.books.words import Endpoint

models: Any = accounting
"""The SDK's models, and its ``AccountingApi``."""

SCOPES = [
    "offline_access",
    "accounting.attachments",
    *sorted({scope for facts in FACTS.values() for scope in facts.scopes if "." in scope}),
    *(f"accounting.reports.{name}.read" for name in ("balancesheet", "banksummary", "profitandloss", "trialbalance")),
]
"""Everything the simulator's endpoints want, to read and to write; the old broad ones too."""

SINGLE = {
    endpoint: f"get_{name}"
    for endpoint, name in {
        Endpoint.INVOICES: "invoice",
        Endpoint.CONTACTS: "contact",
        Endpoint.CREDIT_NOTES: "credit_note",
        Endpoint.ACCOUNTS: "account",
        Endpoint.BANK_TRANSACTIONS: "bank_transaction",
        Endpoint.BANK_TRANSFERS: "bank_transfer",
        Endpoint.BATCH_PAYMENTS: "batch_payment",
        Endpoint.BRANDING_THEMES: "branding_theme",
        Endpoint.BUDGETS: "budget",
        Endpoint.CONTACT_GROUPS: "contact_group",
        Endpoint.ITEMS: "item",
        Endpoint.JOURNALS: "journal",
        Endpoint.LINKED_TRANSACTIONS: "linked_transaction",
        Endpoint.MANUAL_JOURNALS: "manual_journal",
        Endpoint.OVERPAYMENTS: "overpayment",
        Endpoint.PAYMENTS: "payment",
        Endpoint.PREPAYMENTS: "prepayment",
        Endpoint.PURCHASE_ORDERS: "purchase_order",
        Endpoint.QUOTES: "quote",
        Endpoint.REPEATING_INVOICES: "repeating_invoice",
        Endpoint.TAX_RATES: "tax_rate_by_tax_type",
        Endpoint.TRACKING_CATEGORIES: "tracking_category",
        Endpoint.USERS: "user",
    }.items()
}
"""The SDK's single reads; it has none for the other endpoints."""


def snake(name: str) -> str:
    """The SDK's way to write one of Xero's names: ``BankTransactions`` → ``bank_transactions``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def list_method(endpoint: Endpoint) -> str:
    """The SDK's method that lists an endpoint."""
    return f"get_{snake(FACTS[endpoint].list_key)}"


def records_of(answer: Any, endpoint: Endpoint) -> list[Any]:
    """The models in an answer."""
    found: list[Any] = getattr(answer, snake(FACTS[endpoint].list_key))
    return found


@dataclass(slots=True)
class Sdk:
    """The SDK with a token, and the simulator's control API beside it.

    Attributes:
        url: the simulator.
        app: the app's ``clientId`` and ``clientSecret``.
        token: what the SDK saved last, as it wants it.
        tenant: the organisation that is read.
    """

    url: str
    app: Mapping[str, str]
    token: dict[str, Any] | None = None
    tenant: str = ""
    client: Any = field(init=False)
    accounting: Any = field(init=False)
    identity: Any = field(init=False)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        configuration = Configuration()  # a copy of the first one ever made, arguments or not
        configuration.oauth2_token = OAuth2Token(client_id=self.app["clientId"], client_secret=self.app["clientSecret"])
        self.client = ApiClient(
            configuration,
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self.save,
        )
        self.accounting = models.AccountingApi(self.client, base_url=f"{self.url}/api.xro/2.0")
        self.identity = IdentityApi(self.client, base_url=self.url)
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    @property
    def oauth(self) -> Any:
        """The SDK's keeper of tokens."""
        return self.client.configuration.oauth2_token

    def save(self, token: dict[str, Any]) -> None:
        """What an app does with a new token."""
        self.token = token

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call ``/_sim``; numbers keep every digit."""
        answer = self.http.request(method, f"/_sim{path}", json=body)
        assert answer.status_code < 300, answer.text
        return json.loads(answer.content, parse_float=Decimal) if answer.content else None

    def truth(self, endpoint: Endpoint) -> list[dict[str, Any]]:
        """Every record of an endpoint, as it is."""
        rows: list[dict[str, Any]] = self.control("GET", f"/truth/{self.tenant}/{endpoint}")[FACTS[endpoint].list_key]
        return rows

    def list(self, endpoint: Endpoint, **parameters: Any) -> list[Any]:
        """One list request."""
        return records_of(getattr(self.accounting, list_method(endpoint))(self.tenant, **parameters), endpoint)

    def one(self, endpoint: Endpoint, record_id: str) -> Any:
        """A single read; prices in full where the SDK can ask for them."""
        four = {"unitdp": 4} if endpoint in FOUR_DECIMALS else {}
        (found,) = records_of(getattr(self.accounting, SINGLE[endpoint])(self.tenant, record_id, **four), endpoint)
        return found

    def close(self) -> None:
        """Close the connections; the SDK would leave them to the garbage collector."""
        self.http.close()
        self.client.rest_client.pool_manager.clear()


FOUR_DECIMALS = frozenset(
    {
        Endpoint.BANK_TRANSACTIONS,
        Endpoint.CREDIT_NOTES,
        Endpoint.INVOICES,
        Endpoint.ITEMS,
    }
)
"""Where the SDK's single read takes ``unitdp``."""


def id_of(row: Mapping[str, Any], endpoint: Endpoint) -> str:
    """A raw record's id."""
    return str(row[FACTS[endpoint].id_field])


def model_id(model: Any, endpoint: Endpoint) -> str:
    """The id in a model of the SDK."""
    (name,) = (name for name, key in model.attribute_map.items() if key == FACTS[endpoint].id_field)
    value = getattr(model, name)
    return str(getattr(value, "value", value))  # an enum, or text


@contextmanager
def official(url: str, app: Mapping[str, str]) -> Iterator[Sdk]:
    """The SDK for a simulator, without a token yet.

    Args:
        url: the simulator.
        app: ``clientId`` and ``clientSecret``.
    """
    sdk = Sdk(url, app)
    token = f"{url}/connect/token"
    with (
        patch.object(TokenApi, "client_credentials_token_url", token),
        patch.object(TokenApi, "refresh_token_url", token),
        patch.object(TokenApi, "revoke_token_url", f"{url}/connect/revocation"),
    ):
        try:
            yield sdk
        finally:
            sdk.close()


@contextmanager
def connected(url: str) -> Iterator[Sdk]:
    """The SDK with a grant over the simulator's organisations; limits are out of the way.

    The SDK fetches the access token by itself, because the one it is given has expired.

    Args:
        url: the simulator.
    """
    made = httpx.post(f"{url}/_sim/grants", json={"scopes": SCOPES}, trust_env=False).json()
    with official(url, made) as sdk:
        sdk.control("PUT", "/limits", {"concurrent": 100, "minute": 1_000_000, "day": 1_000_000})
        sdk.tenant = made["tenants"][0]
        sdk.token = {
            "access_token": "expired",
            "refresh_token": made["refreshToken"],
            "scope": SCOPES,
            "expires_in": 1800,
            "expires_at": 1.0,
            "token_type": "Bearer",
        }
        yield sdk
