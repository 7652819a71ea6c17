"""``api-keys`` and ``audit`` on a real store."""

import json

from tests.commands.conftest import CommandLine
from xero_stream.contracts.api_key import parse

TENANT = "1B3E5D0C-0F4E-4A8E-9D4A-0C8F3F1B8B52"


def test_a_key_from_its_creation_to_its_end(deployed: CommandLine) -> None:
    """Alone on standard output when it is made, in no list afterwards; ended once; all of it in the audit log."""
    assert deployed("api-keys", "list").out.startswith("no API key")
    assert deployed("audit").out == "the audit log is empty\n"

    made = deployed("api-keys", "create", "reporting", "--scope", "read", "--scope", "operate", "--days", "90")
    key = parse(made.out.strip())
    assert key is not None
    assert made.code == 0
    assert key.secret not in made.complaint
    listed = deployed("api-keys", "list")
    assert listed.out.startswith(f"{key.key_id} active · reporting · operate read · made ")
    assert "never used" in listed.out
    assert " · expires " in listed.out
    as_json = json.loads(deployed("api-keys", "list", "--json").out)
    assert (as_json["state"], as_json["scopes"]) == ("active", ["operate", "read"])

    ended = deployed("api-keys", "revoke", key.key_id)
    assert (ended.code, ended.out.split(" · ")[0]) == (0, f"{key.key_id} revoked")
    assert deployed("api-keys", "list").out.startswith(f"{key.key_id} revoked")
    log = deployed("audit")
    assert [line.split(" · ")[2] for line in log.out.splitlines()] == [
        f"api-key.revoke {key.key_id} (reporting)",
        f"api-key.create {key.key_id} (reporting)",
    ]
    whole = deployed("audit", "--subject", key.key_id, "--json").out
    assert json.loads(whole.splitlines()[0])["before"]["revoked_at"] is None
    assert key.secret not in listed.out + log.out + whole


def test_a_restricted_key_as_json(deployed: CommandLine) -> None:
    """The organisation's id in its one form; the key beside the rest."""
    made = deployed(
        *("api-keys", "create", "shop", "--scope", "read", "--json"),
        *("--tenant", TENANT, "--customer-ref", "c-1001"),
    )

    told = json.loads(made.out)
    assert (told["tenant_ids"], told["customer_ref"], told["expires_at"]) == ([TENANT.lower()], "c-1001", None)
    key = parse(told["key"])
    assert key is not None
    assert key.key_id == told["key_id"]
    assert f"customer c-1001 · only {TENANT.lower()}" in deployed("api-keys", "list").out


def test_what_is_refused(deployed: CommandLine) -> None:
    """No scope, an unknown one, an organisation's name for its id, a name of blanks: 2; an unknown id: 1. Nothing is stored."""
    for wrong in (
        [],
        ["--scope", "everything"],
        ["--scope", "read", "--tenant", "Demo Company"],
        ["--scope", "read", "--days", "0"],
    ):
        assert deployed("api-keys", "create", "n", *wrong).code == 2, wrong
    assert deployed("api-keys", "create", " ", "--scope", "read").code == 2
    unknown = deployed("api-keys", "revoke", "000000000000")
    assert (unknown.code, unknown.complaint) == (1, "no API key 000000000000: see `xero-stream api-keys list`")
    assert deployed("audit", "--subject", "000000000000").out == "nothing about 000000000000\n"
    assert deployed("api-keys", "list").out.startswith("no API key")
