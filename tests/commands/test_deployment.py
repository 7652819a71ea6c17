"""``deployment``: the settings that all processes share, in a real store and a real Kafka."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.commands.conftest import CommandLine, Simulated
from tests.commands.test_grants import fetch
from xero_stream.contracts.names import STREAMED
from xero_stream.failpoints import Failpoint
from xero_stream.kafka.admin import TopicAdmin
from xero_stream.kafka.marker import read_marker
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.settings.shared import check_value

NAME = "XERO_STREAM_ENCRYPTION_KEYS"
NARROW = "invoices,contacts"


def other_key() -> str:
    """A key that nothing was encrypted with."""
    return Fernet.generate_key().decode()


def tokens(deployed: CommandLine) -> list[dict[str, object]]:
    """Every stored token, and how often it was renewed."""
    return fetch(deployed, "SELECT grant_id, access_token, refresh_token, version FROM grants ORDER BY grant_id")


@pytest.fixture
def connected(deployed: CommandLine, simulator: Simulated) -> CommandLine:
    """A deployment with its topics and two organisations."""
    deployed("topics", "apply")
    ended = deployed("grants", "add", stdin=simulator.refresh_token())
    assert ended.code == 0, ended.err
    return deployed


def test_another_key_never_reaches_a_stored_token(connected: CommandLine, simulator: Simulated) -> None:
    """``grants add`` from a terminal with another key: 78 before the token is used up; so is every start with it."""
    before, token, wrong = tokens(connected), simulator.refresh_token(), {NAME: other_key()}

    refused = connected("grants", "add", stdin=token, env=wrong)
    started = connected.process("processors", env=wrong)
    examined = connected("doctor", env=wrong)
    kept = tokens(connected)
    added = connected("grants", "add", stdin=token)

    theirs, ours = check_value(connected.environment[NAME]), check_value(wrong[NAME])
    assert refused.code == started.code == 78
    for said in (refused.complaint, started.err.splitlines()[-1], examined.out):
        assert f"{NAME}=the key {theirs}, here it is the key {ours}" in said
        assert f"xero-stream deployment set {NAME}" in said
    assert "Traceback" not in started.err
    assert '"event":"assigned"' not in started.err
    assert "1 of 1 grants can't be decrypted" in examined.out
    assert kept == before
    assert added.code == 0


def test_a_store_from_before_the_check_values_is_looked_at_itself(connected: CommandLine) -> None:
    """Where the deployment does not know its key yet, none that reads no token becomes it."""
    fetch(connected, f"UPDATE deployment SET settings = settings - '{NAME}'")

    wrong = connected("grants", "add", stdin="x", env={NAME: other_key()})
    right = connected("deployment", "show")

    assert wrong.code == 78
    assert "none of the 1 stored grants was encrypted with" in wrong.complaint
    assert right.code == 0


def test_keys_change_in_two_steps(connected: CommandLine) -> None:
    """The new key in front and the old one behind it; then the old one is dropped: every token is re-encrypted before."""
    old, new = connected.environment[NAME], other_key()

    lost = connected("deployment", "set", NAME, env={NAME: new})
    unchanged = tokens(connected)
    both = connected("deployment", "set", NAME, env={NAME: f"{new},{old}"})
    alone = connected("deployment", "set", NAME, env={NAME: new})
    again = connected("deployment", "set", NAME, env={NAME: new})

    assert lost.code == 78
    assert "1 of 1 stored grants can't be read with these keys" in lost.complaint
    assert both.code == alone.code == 0, both.err + alone.err
    assert "the tokens of 1 grants were encrypted with the first key" in both.out
    for row in tokens(connected):
        for name in ("access_token", "refresh_token"):
            sealed = row[name]
            assert isinstance(sealed, bytes)
            Fernet(new).decrypt(sealed)
    assert tokens(connected) != unchanged
    assert again.out == "nothing to do: the deployment has these values\n"
    assert connected("grants", "add", stdin="x").code == 78
    for ended in (lost, both, alone):
        assert new not in ended.out + ended.err


def test_lost_keys_are_given_up_on_request(connected: CommandLine, simulator: Simulated) -> None:
    """The organisations wait for a new grant, and go on with it."""
    new = {NAME: other_key()}

    ended = connected("deployment", "set", "--give-up-tokens", NAME, env=new)
    waiting = connected("grants", "list")
    again = connected("grants", "add", stdin=simulator.refresh_token(), env=new)

    assert ended.code == 0, ended.err
    assert "1 grants were given up" in ended.out
    assert waiting.code == 1
    assert "connected again" in again.out


def test_an_entity_enabled_by_a_start_is_refused_and_by_command_loaded(
    deployed: CommandLine, simulator: Simulated
) -> None:
    """A wider setting at the next start loads nothing, so it is refused; the command makes topics and opens the loads."""
    deployed.environment["XERO_STREAM_ENTITIES"] = NARROW
    deployed("topics", "apply")
    deployed("grants", "add", stdin=simulator.refresh_token())
    wider = {"XERO_STREAM_ENTITIES": ",".join(STREAMED)}

    started = deployed.process("processors", env=wider)
    refused = deployed("grants", "add", stdin=simulator.refresh_token(), env=wider)
    tried = deployed("deployment", "set", "--dry-run", "XERO_STREAM_ENTITIES", env=wider)
    loads = "SELECT tenant_id, entity FROM passes WHERE kind = 'backfill' AND finished_at IS NULL"
    before = len(fetch(deployed, loads))
    done = deployed("deployment", "set", "XERO_STREAM_ENTITIES", env=wider)

    assert started.code == refused.code == 78
    assert "XERO_STREAM_ENTITIES=contacts,invoices" in refused.complaint
    assert "`xero-stream deployment set XERO_STREAM_ENTITIES`" in started.err
    assert tried.out.splitlines()[-1] == "nothing was changed"
    assert before == 4
    assert done.code == 0, done.err
    assert f".changes.{STREAMED[2]}" in done.out
    assert f"{2 * (len(STREAMED) - 2)} loads were opened" in done.out
    assert len(fetch(deployed, loads)) == 2 * len(STREAMED)
    # Now the former setting is the one that is refused, and topics are compared too.
    assert deployed("topics", "apply").code == 78
    assert deployed("topics", "check", env=wider).code == 0
    assert deployed("grants", "add", stdin=simulator.refresh_token()).code == 78


def test_an_entity_that_comes_back_is_read_as_a_whole(connected: CommandLine) -> None:
    """What was loaded once is not loaded again, but all of it is read: nobody knows what happened meanwhile."""
    fetch(connected, "UPDATE passes SET finished_at = now()")
    everything = ",".join(STREAMED)

    off = connected("deployment", "set", f"XERO_STREAM_ENTITIES={NARROW}")
    on = connected("deployment", "set", f"XERO_STREAM_ENTITIES={everything}")

    assert (off.code, on.code) == (0, 0), off.err + on.err
    rows = fetch(connected, "SELECT DISTINCT entity, kind FROM passes WHERE finished_at IS NULL ORDER BY entity")
    assert rows == [
        {"entity": name, "kind": "catch_up"} for name in sorted(everything.split(",")) if name not in NARROW.split(",")
    ]


@pytest.mark.parametrize(
    ("arguments", "env", "told"),
    [
        (["KAFKA_PARTITIONS=7"], {}, "KAFKA_PARTITIONS can't be changed"),
        (["KAFKA_TOPIC_PREFIX=x"], {}, "a new KAFKA_TOPIC_PREFIX, an empty store"),
        (["XERO_STREAM_LOG_LEVEL=debug"], {}, "may differ from process to process"),
        (["XERO_STREAM_BANANAS=1"], {}, "there is no setting XERO_STREAM_BANANAS"),
        ([f"{NAME}=abc"], {}, "is a secret: set it in the environment"),
        (["XERO_STREAM_ENTITIES=bananas"], {}, "XERO_STREAM_ENTITIES: must be one of accounts, "),
        (["XERO_STREAM_CHANGE_DAYS=1"], {}, "XERO_STREAM_CHANGE_DAYS: must be at least 2."),
        (["XERO_APP_TIER=golden"], {}, "XERO_APP_TIER: there is starter"),
        ([NAME], {NAME: "no key"}, "key 1 of 1 is no Fernet key"),
        (["XERO_STREAM_CHANGE_DAYS=9", "--read-again"], {}, "--read-again goes with"),
    ],
)
def test_what_can_not_be_set(connected: CommandLine, arguments: list[str], env: Mapping[str, str], told: str) -> None:
    """78, why, and nothing changed."""
    before = fetch(connected, "SELECT * FROM deployment")

    ended = connected("deployment", "set", *arguments, env=env)

    assert ended.code == 78
    assert told in ended.complaint
    assert fetch(connected, "SELECT * FROM deployment") == before


def test_a_policy_and_the_entities_it_is_about_go_together(connected: CommandLine) -> None:
    """A policy for what is not read stops the processors, so it is refused here; both can be changed at once."""
    policy = {"XERO_STREAM_FIELD_POLICY": '{"credit-notes": {"reference": "drop"}}'}
    first = connected("deployment", "set", "--read-again", "XERO_STREAM_FIELD_POLICY", env=policy)

    refused = connected("deployment", "set", f"XERO_STREAM_ENTITIES={NARROW}")
    both = connected("deployment", "set", f"XERO_STREAM_ENTITIES={NARROW}", "XERO_STREAM_FIELD_POLICY={}")

    assert first.code == 0, first.err
    assert f"{2 * len(STREAMED)} loads were opened" in first.out
    assert refused.code == 78
    assert "change both" in refused.complaint
    assert both.code == 0, both.err


def test_show(connected: CommandLine, empty_database_url: str) -> None:
    """What the deployment has, what differs here (1), and no secret."""
    same = connected("deployment", "show")
    other = connected("deployment", "show", env={"XERO_STREAM_ENTITIES": NARROW})
    document = json.loads(connected("deployment", "show", "--json", env={"XERO_API_URL": "https://x.test"}).out)
    connected.environment["DATABASE_URL"] = empty_database_url
    connected("migrate")
    never = connected("deployment", "show")

    assert same.code == 0, same.out
    assert other.code == 1
    assert f"here: {','.join(sorted(NARROW.split(',')))}" in other.out
    assert document["differ"] == ["XERO_API_URL"]
    assert document["settings"][NAME] == check_value(connected.environment[NAME])
    assert connected.environment[NAME] not in same.out
    assert never.code == 78
    assert "never started" in never.complaint


@pytest.mark.parametrize("point", [Failpoint.DEPLOYMENT_TOPICS_MADE, Failpoint.DEPLOYMENT_CHANGED])
def test_a_change_that_is_killed_half_way_is_named_and_repeated(
    deployed: CommandLine, simulator: Simulated, tmp_path: Path, point: Failpoint
) -> None:
    """Before the row changes, processes with the former settings start as ever; from then on the command goes on where it was."""
    deployed.environment["XERO_STREAM_ENTITIES"] = NARROW
    deployed("topics", "apply")
    deployed("grants", "add", stdin=simulator.refresh_token())
    new = {"XERO_STREAM_ENTITIES": f"{NARROW},credit-notes", "KAFKA_COMPRESSION": "lz4"}
    command = ("deployment", "set", *new)
    points = tmp_path / "points"
    points.mkdir()
    (points / point).write_text("kill")

    killed = deployed.process(*command, env={**new, "XERO_STREAM_FAILPOINTS_DIR": str(points)})
    topics = [deployed("topics", "check", env=env) for env in ({}, new)]
    shown = [deployed("deployment", "show", env=env) for env in ({}, new)]
    repeated = deployed(*command, env=new)
    checked = deployed("topics", "check", env=new)

    assert killed.code == -9
    if point is Failpoint.DEPLOYMENT_TOPICS_MADE:
        assert [ended.code for ended in (*topics, *shown)] == [0, 1, 0, 1]
        assert "here: contacts,credit-notes,invoices" in shown[1].out
        assert "→ lz4" in repeated.out
    else:
        assert [ended.code for ended in (*topics, *shown)] == [0, 1, 1, 0]
        assert "here: gzip" in shown[0].out
        assert "compression.type is gzip, should be lz4" in topics[1].out
        assert "`xero-stream topics apply`" in topics[1].out
        assert "changed the settings of 6 topics" in repeated.out
    assert repeated.code == checked.code == 0, repeated.err + checked.out
    assert asyncio.run(marker(deployed))["KAFKA_COMPRESSION"] == "lz4"
    loads = "SELECT tenant_id FROM passes WHERE entity = 'credit-notes'"
    assert len(fetch(deployed, loads)) == 2
    assert deployed(*command, env=new).out == "nothing to do: the deployment has these values\n"


async def marker(deployed: CommandLine) -> dict[str, str]:
    """What Kafka says of the deployment."""
    settings = KafkaSettings.read(
        bootstrap_servers=deployed.environment["KAFKA_BOOTSTRAP_SERVERS"],
        topic_prefix=deployed.environment["KAFKA_TOPIC_PREFIX"],
    )
    async with TopicAdmin(settings) as admin:
        return await read_marker(admin, settings)
