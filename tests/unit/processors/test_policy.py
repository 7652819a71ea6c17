"""What must not be passed on is treated before anything else sees it."""

import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from processors.recorder.policy import NO_POLICY, UNTOUCHABLE, FieldPolicy, read_policy
from processors.recorder.read import Reading, read_answer, read_record
from tests.support.xero_records import example, forms
from xero_api.answers import decipher
from xero_api.decode import decode
from xero_api.entity import Entity, Form
from xero_api.registry import CONTACTS, ENTITIES, INVOICES, USERS
from xero_api.requests import get_page
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.settings.base import SettingsError

KEY = "k" * 32
MODELS = {entity.name: entity.model for entity in ENTITIES}
TENANT = TenantId("t")


def policy(entity: Entity[Any], rules: dict[str, Any], *, key: str | None = KEY) -> FieldPolicy:
    """A policy for one kind of record."""
    return read_policy(json.dumps({entity.name: rules}), key, MODELS)


def raws(entity: Entity[Any]) -> list[dict[str, Any]]:
    """Records as Xero sends them."""
    form = forms(entity)[-1]
    found: list[dict[str, Any]] = decode(example(entity.name.value, form))[entity.list_key]
    return found


def hashed(text: str) -> str:
    """What stands in its place."""
    return hmac.digest(KEY.encode(), text.encode(), "sha256").hex()


def test_fields_are_dropped_hashed_and_cut() -> None:
    """At any depth and through lists; what is not there stays so; the record given is not changed."""
    rules = {"email": "hash", "phones": "drop", "name": "truncate:3", "addresses.city": "drop", "persons.email": "hash"}
    unified: dict[str, Any] = {
        "id": "1",
        "email": "a@b.example",
        "phones": [{"number": "1"}],
        "name": "Müller",
        "addresses": [{"city": "Wellington", "country": "NZ"}, {"city": None, "country": "AU"}],
        "persons": [{"first_name": "A", "email": "a@b.example"}, {"first_name": "B", "email": None}],
        "tax_number": None,
    }
    before = json.dumps(unified)

    assert policy(CONTACTS, rules).treated(CONTACTS.name, unified) == {
        "id": "1",
        "email": hashed("a@b.example"),
        "phones": [],
        "name": "Mül",
        "addresses": [{"city": None, "country": "NZ"}, {"city": None, "country": "AU"}],
        "persons": [{"first_name": "A", "email": hashed("a@b.example")}, {"first_name": "B", "email": None}],
        "tax_number": None,
    }
    assert json.dumps(unified) == before


def test_nothing_is_done_without_a_policy() -> None:
    """The very record."""
    record = {"id": "1"}
    assert NO_POLICY.treated(CONTACTS.name, record) is record
    assert read_policy("", None, MODELS) == NO_POLICY
    assert policy(INVOICES, {"reference": "drop"}).treated(CONTACTS.name, record) is record


def _paths(model: type[BaseModel], value: Any, above: str = "") -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for name in item:
                yield f"{above}{name}"
                yield from _paths(model, item[name], f"{above}{name}.")


@pytest.mark.parametrize("entity", [one for one in ENTITIES if one is not USERS], ids=lambda entity: entity.name)
def test_what_is_allowed_keeps_the_contract(entity: Entity[Any]) -> None:
    """Whatever field of whatever record: refused at the start, or the treated record still fits its model."""
    records = [dict(entity.unified(TENANT, raw)) for raw in raws(entity)]
    allowed = 0

    for path in dict.fromkeys(path for record in records for path in _paths(entity.model, record)):
        for action in ("drop", "hash", "truncate:1"):
            try:
                chosen = policy(entity, {path: action})
            except SettingsError:
                continue
            allowed += 1
            assert path not in UNTOUCHABLE
            for record in records:
                treated = chosen.treated(entity.name, record)
                entity.model.model_validate(json.loads(json.dumps(treated, default=float)))
                name = path.partition(".")[0]
                assert {key: treated[key] for key in treated if key != name} == {
                    key: record[key] for key in record if key != name
                }

    assert allowed


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ("{", KEY, "is not valid JSON"),
        ("[]", KEY, "is not like"),
        ('{"contacts": "drop"}', KEY, "is not like"),
        ('{"contact": {}}', KEY, "'contact' is not read here; read are accounts"),
        (
            '{"contacts": {"emailAddress": "drop"}}',
            KEY,
            "contacts.emailAddress: no field 'emailAddress'; known fields:",
        ),
        ('{"contacts": {"email.host": "drop"}}', KEY, "no field 'host'; known fields: none"),
        ('{"contacts": {"id": "hash"}}', KEY, "can't be treated"),
        ('{"contacts": {"updated_at": "drop"}}', KEY, "can't be treated"),
        ('{"invoices": {"status": "drop"}}', KEY, "can't be treated"),
        ('{"contacts": {"email": "remove"}}', KEY, "use drop, hash or truncate:N"),
        ('{"contacts": {"email": "truncate:0"}}', KEY, "use drop, hash or truncate:N"),
        ('{"contacts": {"email": 5}}', KEY, "use drop, hash or truncate:N"),
        ('{"contacts": {"is_customer": "drop"}}', KEY, "always has a value"),
        ('{"invoices": {"total": "hash"}}', KEY, "only free text"),
        ('{"invoices": {"issue_date": "truncate:4"}}', KEY, "only free text"),
        ('{"contacts": {"email": "hash"}}', None, "set XERO_STREAM_FIELD_POLICY_KEY"),
        ('{"contacts": {"email": "hash"}}', "short", "set XERO_STREAM_FIELD_POLICY_KEY"),
        ('{"contacts": {"persons": "drop", "persons.email": "hash"}}', KEY, "a rule for the whole of persons"),
        ('{"contacts": {"persons.email": "hash", "persons": "drop"}}', KEY, "a rule for a part of it"),
    ],
)
def test_a_policy_that_can_not_be_followed(text: str, key: str | None, what: str) -> None:
    """Refused at the start, in words that name setting, entity and field; the key is not shown."""
    with pytest.raises(SettingsError) as caught:
        read_policy(text, key, MODELS)

    assert str(caught.value).startswith("XERO_STREAM_FIELD_POLICY")
    assert what in str(caught.value)
    assert KEY not in str(caught.value)


def test_the_key_is_not_shown() -> None:
    """Not in what a log could print of the policy."""
    assert KEY not in repr(policy(CONTACTS, {"email": "hash"}))


def test_xeros_own_words_where_a_record_carries_them() -> None:
    """Kinds that travel as Xero sends them are treated below ``raw``, by Xero's names."""
    chosen = policy(USERS, {"name": "drop", "raw.EmailAddress": "hash"})

    treated = chosen.treated(USERS.name, {"id": "1", "name": "a", "raw": {"EmailAddress": "a", "UserID": "1"}})

    assert treated == {"id": "1", "name": None, "raw": {"EmailAddress": hashed("a"), "UserID": "1"}}


def test_what_is_read_is_treated() -> None:
    """Body without the text, and no raw; other kinds keep theirs."""
    email = "somebody@mail.example"
    raw = {**raws(CONTACTS)[0], "EmailAddress": email, "ContactStatus": "ACTIVE", "MergedToContactID": None}
    chosen = policy(CONTACTS, {"email": "hash"})

    read, _ = read_record(CONTACTS, raw, tenant_id=TENANT, form=Form.ONE, keep_raw=True, policy=chosen)
    other, _ = read_record(INVOICES, raws(INVOICES)[0], tenant_id=TENANT, form=Form.ONE, keep_raw=True, policy=chosen)

    assert read.body is not None
    assert email.encode() not in read.body
    assert hashed(email).encode() in read.body
    assert read.raw is None
    assert other.raw is not None


@pytest.mark.parametrize("covered", [True, False])
async def test_what_can_not_be_read_is_put_aside_without_its_bytes(covered: bool) -> None:
    """Nobody can treat what can't be mapped: with a policy, only who and what is kept."""
    body = json.dumps({"Contacts": [{"Name": "secret"}, {**raws(CONTACTS)[0], "IsCustomer": "secret", "Phones": 5}]})
    answer = decipher(get_page(CONTACTS, None), 200, {}, body.encode())
    chosen = policy(CONTACTS, {"email": "hash"}) if covered else NO_POLICY
    readings: list[Reading] = [
        reading async for reading in read_answer(answer, tenant_id=TENANT, keep_raw=True, policy=chosen, size=100)
    ]

    bad = [kept for reading in readings for kept in reading.bad]

    assert bad
    assert [b"secret" in kept.value for kept in bad] == [not covered] * len(bad)
    assert all(kept.entity == EntityName.CONTACTS for kept in bad)
