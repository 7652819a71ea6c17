"""Fixtures: one simulator as a process of its own, and the SDK connected to it."""

from collections.abc import Iterator

import pytest

from simulator.books.words import Endpoint
from tests.integration.sdk.rig import Sdk, connected, models
from tests.integration.simulator.rig import SimulatorProcess

AGED = (
    (Endpoint.CONTACTS, "archive"),
    (Endpoint.TRACKING_CATEGORIES, "archive"),
    (Endpoint.BANK_TRANSFERS, "create"),
    (Endpoint.BANK_TRANSFERS, "delete"),
    (Endpoint.PAYMENTS, "create"),
    (Endpoint.PAYMENTS, "create"),
)
"""Something that lists hide, and credit given back, which the first day has none of."""


@pytest.fixture(scope="module")
def simulator_url() -> Iterator[str]:
    """A simulator with small books of every kind."""
    process = SimulatorProcess("--tenants=2", "--contacts=12", "--invoices=60", "--credit-notes=8")
    process.start()
    yield f"http://127.0.0.1:{process.port}"
    assert process.end() == 0


@pytest.fixture(scope="module")
def sdk(simulator_url: str) -> Iterator[Sdk]:
    """The SDK, connected."""
    with connected(simulator_url) as found:
        for endpoint, kind in AGED:
            found.control("POST", "/edits", {"tenantId": found.tenant, "endpoint": endpoint, "kind": kind})
        link(found)
        note = found.truth(Endpoint.CREDIT_NOTES)[0]["CreditNoteID"]
        found.accounting.create_credit_note_attachment_by_file_name(found.tenant, note, "scan.txt", b"a scan")
        yield found


def link(sdk: Sdk) -> None:
    """A cost that is billed on."""
    rows = sdk.truth(Endpoint.INVOICES)
    bill, sale = (next(row["InvoiceID"] for row in rows if row["Type"] == kind) for kind in ("ACCPAY", "ACCREC"))
    linked = models.LinkedTransaction(source_transaction_id=bill, target_transaction_id=sale)
    sdk.accounting.create_linked_transaction(sdk.tenant, linked)
