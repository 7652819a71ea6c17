"""Credit that is given back, as our client reads it: the payment and its document say the same in every form."""

from typing import Any

import pytest

from tests.integration.xero_api.conftest import Api
from xero_api.decode import encode
from xero_api.entity import Entity
from xero_api.registry import CREDIT_NOTES, OVERPAYMENTS, PAYMENTS, PREPAYMENTS
from xero_api.requests import Request, get_one, get_page
from xero_stream.contracts.names import RecordId

DOCUMENTS: dict[str, Entity[Any]] = {
    "credit_note": CREDIT_NOTES,
    "prepayment": PREPAYMENTS,
    "overpayment": OVERPAYMENTS,
}
"""Our word for what was given back, and what that is."""


async def read(api: Api, entity: Entity[Any], request: Request) -> dict[str, dict[str, Any]]:
    """Unified records by id."""
    records = (await api.send(request)).records
    return {str(entity.id_of(raw)): dict(entity.unify(raw)) for raw in records}


async def test_a_refund_is_the_same_payment_in_every_form(api: Api) -> None:
    """In lists, alone, and on the credit note, prepayment or overpayment that it took from; until it is deleted."""
    edits = await api.talk.edit(tenantId=api.tenant, endpoint="Payments", kind="create", count=12)
    listed = await read(api, PAYMENTS, get_page(PAYMENTS, None))
    kinds = set()

    for edit in edits:
        (one,) = (await read(api, PAYMENTS, get_one(PAYMENTS, RecordId(edit["id"])))).values()
        (part,) = one["allocations"]
        entity = DOCUMENTS[one["kind"]]
        pages = await read(api, entity, get_page(entity, None))
        (document,) = (await read(api, entity, get_one(entity, RecordId(part["id"])))).values()

        assert encode(one) == encode(listed[edit["id"]])
        assert encode(document) == encode(pages[part["id"]])
        assert {row["id"]: row["amount"] for row in document["payments"]}[edit["id"]] == one["amount"]
        kinds.add(one["kind"])
        if len(kinds) == len(DOCUMENTS):
            break
    await api.talk.edit(tenantId=api.tenant, endpoint="Payments", kind="delete", recordId=one["id"])
    (back,) = (await read(api, entity, get_one(entity, RecordId(part["id"])))).values()

    assert kinds == set(DOCUMENTS)
    assert one["id"] not in {row["id"] for row in back["payments"]}
    assert back["remaining_credit"] == pytest.approx(document["remaining_credit"] + one["amount"])
