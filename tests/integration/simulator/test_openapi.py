"""Answers against Xero's published OpenAPI, where a copy lies beside the repository."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from simulator.accounting_api.facts import FACTS
from simulator.books.words import Endpoint
from tests.integration.simulator.conftest import Start
from tests.integration.simulator.rig import Receiver, Talk

PUBLISHED = Path(__file__).parents[4] / "shared" / "openapi"

SCOPES = sorted({f"{scope}.read" for facts in FACTS.values() for scope in facts.scopes if "." in scope})

pytestmark = pytest.mark.skipif(
    not (PUBLISHED / "xero_accounting.yaml").is_file(),
    reason=f"Xero's OpenAPI documents are not part of the project and there is no copy at {PUBLISHED}",
)


@cache
def published(name: str) -> dict[str, Any]:
    """One of the documents."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load((PUBLISHED / name).read_text(encoding="utf-8"), Loader=loader)
    return document


@cache
def accounting(schema: str) -> OAS30Validator:
    """A validator of one schema of the Accounting API."""
    resource = Resource.from_contents(published("xero_accounting.yaml"), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:xero", resource)
    return OAS30Validator({"$ref": f"urn:xero#/components/schemas/{schema}"}, registry=registry)


def complaints(validator: Any, document: Any) -> list[str]:
    """What doesn't fit, with the place."""
    return [f"{'/'.join(map(str, error.path))}: {error.message}"[:300] for error in validator.iter_errors(document)]


def requests(*parameters: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Parameters of several requests."""
    return parameters


@pytest.fixture
async def busy(start: Start) -> Talk:
    """A simulator with a past and every kind of edit."""
    talk = (await start(tenants=1, contacts=25, invoices=150, credit_notes=40)).talk
    await talk.connect(scopes=["offline_access", *SCOPES])
    await talk.edit(count=200)
    await talk.control("PUT", "/limits", {"minute": 10_000})
    return talk


@pytest.mark.parametrize("endpoint", list(Endpoint))
async def test_every_form_fits_the_schema(busy: Talk, endpoint: Endpoint) -> None:
    """Page, unpaged, summary, single, with and without archived ones."""
    facts = FACTS[endpoint]
    validator = accounting(facts.list_key)
    documents = [
        (await busy.get(endpoint, **parameters)).json()
        for parameters in requests(
            {"page": "1", "pageSize": "1000", "unitdp": "4", "includeArchived": "true", "includeDeleted": "true"},
            {},
            {"summaryOnly": "true"},
        )
    ]
    rows = await busy.truth(endpoint)
    ids = [row[facts.id_field] for row in rows]
    documents += [(await busy.get(f"{endpoint}/{one}")).json() for one in ids[:: max(len(ids) // 20, 1)]]

    assert [complaint for document in documents for complaint in complaints(validator, document)] == []
    assert all(document[facts.list_key] for document in documents)


def test_the_schema_would_complain() -> None:
    """These validators find what is wrong."""
    wrong = {"Invoices": [{"InvoiceID": 7, "Status": "NONSENSE", "LineItems": {}, "Contact": {"Name": 1}}]}

    found = complaints(accounting("Invoices"), wrong)

    assert len(found) == 4


async def test_connections_fit_the_schema(busy: Talk) -> None:
    """All fields, but for the dates' missing zone, which the published description has too."""
    schema = published("xero-identity.yaml")["components"]["schemas"]["Connection"]
    answer = await busy.http.get("/connections", headers={"Authorization": f"Bearer {busy.access_token}"})

    for row in answer.json():
        assert complaints(OAS30Validator(schema), row) == []
        assert set(row) == set(schema["properties"])


async def test_webhooks_fit_the_schema(start: Start, receiver: Receiver) -> None:
    """Every category; intent-to-receive is known to differ (its sequences are 0)."""
    resource = Resource.from_contents(published("xero-webhooks.yaml"), default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:xero", resource)

    def validator(name: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": f"urn:xero#/components/schemas/{name}"}, registry=registry)

    simulated = await start(webhook_url=receiver.url, webhook_batch_events=1, contacts=20, invoices=80)
    await simulated.talk.edit(count=80)
    await simulated.talk.calm(20)

    categories = set()
    for hook in receiver.hooks:
        category = hook.events[0]["eventCategory"]
        if category in ("PREPAYMENT", "OVERPAYMENT", "PAYMENT"):
            continue  # announced since August, September and November 2026; the published document is of July
        categories.add(category)
        name = "CreditNoteWebhookEvent" if category == "CREDITNOTE" else "WebhookEvent"
        assert complaints(validator(name), hook.document) == []
    assert categories == {"INVOICE", "CONTACT", "CREDITNOTE"}
    assert complaints(validator("WebhookEvent"), {"events": [], "firstEventSequence": 0, "lastEventSequence": 0})
