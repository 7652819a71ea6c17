"""``doctor``: what is wrong, and what to do."""

import re

import pytest

from tests.commands.conftest import CommandLine, Simulated
from tests.commands.test_grants import fetch
from tests.support.processes import until
from tests.support.stack import free_port

NO_STORE = {"DATABASE_URL": "postgresql://x:secret-word@127.0.0.1:9/x"}
NOWHERE = {"XERO_API_URL": "http://127.0.0.1:9", "XERO_IDENTITY_URL": "http://127.0.0.1:9"}


def about(out: str, word: str) -> list[str]:
    """The findings about something, with what to do."""
    pattern = rf"^(?:ok|problem|skipped) +{word} .*(?:\n {{24}}.*)?"
    return re.findall(pattern, out, re.MULTILINE)


def test_a_newcomer(xero_stream: CommandLine) -> None:
    """Nothing set, nothing running: every line says what to do, nothing is a traceback."""
    env = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "DATABASE_URL": "postgresql://x:secret-word@127.0.0.1:9/x",
        **NOWHERE,
        "XERO_STREAM_RECEIVER_PORT": str(free_port()),
    }

    ended = xero_stream("doctor", env=env)

    assert (ended.code, ended.err) == (1, "")
    assert "XERO_STREAM_ENCRYPTION_KEYS is not set" in about(ended.out, "settings")[0]
    assert "app default has no webhook signing key" in about(ended.out, "apps")[0]
    assert "app default has no client id or secret" in about(ended.out, "apps")[1]
    assert "xero-stream receiver (or up)" in about(ended.out, "receiver")[0]
    assert "`xero-stream local`" in about(ended.out, "kafka")[0]
    assert about(ended.out, "topics") == ["skipped  topics         needs Kafka"]
    assert "PostgreSQL does not answer" in about(ended.out, "store")[0]
    assert "XERO_API_URL" in about(ended.out, "xero")[0]
    assert "secret-word" not in ended.out
    assert ended.out.splitlines()[-1] == "8 problems"


def test_apps_of_the_file(xero_stream: CommandLine) -> None:
    """Each of them needs keys and credentials; the environment's app is none where it is not set."""
    file = xero_stream.folder / "apps.toml"
    file.write_text(
        "[apps.uk]\nwebhook_keys = 'f3f0b2a4c6d81e5970a1b2c3d4e5f607'\nclient_id = 'i'\nclient_secret = 's'\n[apps.shop]\n"
    )

    ended = xero_stream(
        "doctor",
        env={"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", **NOWHERE, **NO_STORE, "XERO_STREAM_APPS_FILE": str(file)},
    )

    assert [finding.split("\n")[0].split("apps           ")[1] for finding in about(ended.out, "apps")] == [
        "app shop has no webhook signing key",
        "app shop has no client id or secret",
    ]


@pytest.mark.usefixtures("simulator")
def test_before_and_after_the_set_up(deployed: CommandLine, empty_database_url: str) -> None:
    """Each step it asks for makes a finding go; the last ones are workers and organisations."""
    deployed.environment["DATABASE_URL"] = empty_database_url

    before = deployed("doctor")
    deployed("migrate")
    deployed("topics", "apply")
    after = deployed("doctor")

    assert "xero-stream migrate" in about(before.out, "schema")[0]
    assert "xero-stream topics apply" in about(before.out, "topics")[0]
    assert before.code == 1
    for word in (
        "settings",
        "kafka",
        "topics",
        "store",
        "schema",
        "deployment",
        "tokens",
        "backlog",
        "unconnected",
        "relay",
        "quarantine",
    ):
        assert about(after.out, word)[0].startswith("ok "), after.out
    assert [finding.startswith("ok ") for finding in about(after.out, "xero")] == [True, True]
    assert about(after.out, "credentials") == [
        "ok       credentials    Xero accepts app default with its id and secret"
    ]
    assert "xero-stream receiver" in about(after.out, "receiver")[0]
    assert "xero-stream processors" in about(after.out, "group")[0]
    assert "xero-stream processors" in about(after.out, "processors")[0]
    assert "xero-stream connect" in about(after.out, "organisations")[0]
    assert after.out.splitlines()[-1] == "4 problems"


def test_all_is_well(deployed: CommandLine, simulator: Simulated) -> None:
    """0 and nothing to do while all runs; each thing that people get wrong then is named, and so is what was killed."""
    deployed("topics", "apply")
    deployed("grants", "add", stdin=simulator.refresh_token())
    used = simulator.ask("GET", "/_sim/grants")
    with deployed.running("up", env={"XERO_STREAM_SESSION_TIMEOUT_SECONDS": "6"}) as up:
        until(lambda: "2 organisations, all loaded" in deployed("doctor").out, 60)

        ended = deployed("doctor")
        wrong = deployed(
            "doctor",
            env={"XERO_CLIENT_SECRET": "another", "XERO_WEBHOOK_KEYS": "a8f0b2a4c6d81e5970a1b2c3d4e5f607"},
        )
        elsewhere = deployed("doctor", "--receiver", simulator.url)
        fetch(deployed, "UPDATE grants SET scopes = '{offline_access,accounting.invoices.read}'")
        fetch(deployed, "DELETE FROM passes WHERE entity = 'invoices'")
        less = deployed("doctor")
        up.process.kill()
        up.process.wait()
        until(lambda: "has no members" in deployed("doctor").out, 60)

    assert "answers an intent to receive, and refuses a wrong signature" in about(ended.out, "receiver")[0]
    assert "Kafka: 1 of 1 workers connected" in about(ended.out, "receiver")[1]
    assert about(ended.out, "clocks") == [
        "ok       clocks         this machine's, Xero's, Kafka's: agree with the store's"
    ]
    assert "no scope is missing" in about(ended.out, "entities")[0]
    assert "1 process is in" in about(ended.out, "group")[0]
    assert ended.out.splitlines()[-1] == "all is well"
    assert ended.code == 0
    assert "refuses app default (token endpoint: 400: invalid_client)" in about(wrong.out, "credentials")[0]
    assert "give the receiver the same signing key" in about(wrong.out, "receiver")[0]
    assert f"{simulator.url} answers 404 to a wrong signature" in about(elsewhere.out, "receiver")[0]
    entities = "".join(about(less.out, "entities"))
    assert "contacts is not read, the grant lacks the scope accounting.contacts.read" in entities
    assert "the first load of invoices was never begun" in entities
    assert simulator.ask("GET", "/_sim/grants") == used, "a refresh token was used up"


def test_what_goes_wrong_later(deployed: CommandLine, simulator: Simulated) -> None:
    """Dead grants, a lost key, another prefix, a stuck relay, quarantine, a partition without a worker."""
    deployed("topics", "apply")
    deployed("grants", "add", stdin=simulator.refresh_token())
    fetch(deployed, "UPDATE tenants SET state = 'needs_reauth'")
    fetch(deployed, "UPDATE leases SET owner = 'x', released = false WHERE partition <> 1")
    fetch(deployed, "UPDATE positions SET position = 5 WHERE partition = 0")
    fetch(deployed, "UPDATE relay_marks SET marked_at = now() - interval '2 minutes'")
    fetch(
        deployed,
        "INSERT INTO changes (partition, position, recorded_at, topic, tenant_id, entity, record_id, op, key, value, headers, "
        "size) VALUES (0, 1, now(), 't', 't', 'contacts', 'r', 'u', '', '', '', 1)",
    )
    idle = deployed("doctor")
    fetch(deployed, "UPDATE changes SET recorded_at = now() - interval '2 minutes'")
    fetch(
        deployed,
        "INSERT INTO unconnected (tenant_id, partition, app, events, kept, dropped, expired) "
        "VALUES ('c2cc9b6e-9458-4c7d-93cc-f02b81b0594f', 1, 'shop', 4000, 1000, 2990, 10)",
    )
    fetch(
        deployed,
        "INSERT INTO quarantine (id, partition, stage, reason, error, source, value) "
        "VALUES (gen_random_uuid(), 0, 'fetch', 'x', 'x', 'x', 'x')",
    )

    ended = deployed(
        "doctor",
        env={
            "KAFKA_TOPIC_PREFIX": "other",
            "XERO_STREAM_ENCRYPTION_KEYS": "bm9ib2R5IGtub3dzIHRoaXMga2V5IG9mIG91cnMhISE=",
        },
    )

    assert ended.code == 1
    deployment = "".join(about(ended.out, "deployment"))
    assert "KAFKA_TOPIC_PREFIX=t" in deployment
    assert "here it is other. It can't be changed" in deployment
    assert "XERO_STREAM_ENCRYPTION_KEYS=the key " in deployment
    assert "no process owns partitions 1" in about(ended.out, "processors")[0]
    assert len(about(ended.out, "organisations")) == 2
    assert "1 of 1 grants can't be decrypted" in about(ended.out, "tokens")[0]
    assert about(idle.out, "relay")[0].startswith("ok "), "the mark of an idle partition is old, its new change is not"
    assert "5 changes are not on Kafka yet" in about(ended.out, "relay")[0]
    assert about(ended.out, "relay")[0].startswith("problem")
    assert "1 open" in about(ended.out, "quarantine")[0]
    (unconnected,) = about(ended.out, "unconnected")
    assert "events of 1 organisation not connected: 1,000 records wait, 3,000 were dropped or expired" in unconnected
    assert unconnected.startswith("ok ")
