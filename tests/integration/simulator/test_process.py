"""The simulator as a process: ready line, clean stop, kept books, kill -9."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.keeping.sqlite import FILE_NAME
from tests.integration.simulator.rig import Receiver, SimulatorProcess, Talk

Begin = Callable[..., SimulatorProcess]
SMALL = ("--tenants=2", "--invoices=30", "--contacts=8", "--credit-notes=6", "--seed=5")


async def everything(talk: Talk) -> dict[str, Any]:
    """The truth of all organisations."""
    return {
        f"{tenant}/{endpoint}": await talk.truth(endpoint, tenant)
        for tenant in sorted(row["tenantId"] for row in (await talk.control("GET", "/tenants"))["tenants"])
        for endpoint in ("Invoices", "Contacts", "CreditNotes")
    }


def test_it_says_when_it_is_ready_and_stops_on_sigterm(process: Begin) -> None:
    """One line; exit code 0."""
    one = process(*SMALL)

    assert one.first_line == f"simulator ready on http://127.0.0.1:{one.port}, 2 organisations, seed 5\n"
    assert one.end() == 0


def test_sigint_stops_it_too(process: Begin) -> None:
    """Ctrl-C."""
    assert process(*SMALL).end(signal.SIGINT) == 0


def test_a_taken_port_is_one_clear_line(process: Begin) -> None:
    """And exit code 2."""
    one = process(*SMALL)

    again = run(f"--port={one.port}", *SMALL)

    assert again.returncode == 2
    assert "choose another port with --port" in again.stderr
    assert len(again.stderr.splitlines()) == 1


def test_bad_settings_are_one_clear_line() -> None:
    """Naming the option as it was typed."""
    bad = run("--port=many")

    assert bad.returncode == 2
    assert bad.stderr == "simulator: --port: must be a whole number\n"


def test_webhooks_need_an_address_they_can_be_sent_to() -> None:
    """Naming the option, before anything is drawn."""
    bad = run("--webhook-url=nope")

    assert bad.returncode == 2
    assert bad.stderr.startswith("simulator: --webhook-url: not an http or https URL")
    assert len(bad.stderr.splitlines()) == 1


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """A simulator that should end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "simulator", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[3],
    )


async def test_books_survive_kill_9(process: Begin, receiver: Receiver, tmp_path: Path) -> None:
    """Records, grants with the rotated token, events not yet delivered, sequence numbers; ids stay unique."""
    options = (*SMALL, f"--data-dir={tmp_path / 'books of mine'}")
    one = process(*options)
    talk = Talk(one.port)
    await talk.connect()
    added = await talk.control("POST", "/tenants", {"name": "Later", "invoices": 4, "contacts": 2})
    edits = await talk.edit(count=150)
    await talk.refresh()
    before = await everything(talk)
    one.end(signal.SIGKILL)
    one.start()

    kept = await everything(talk)
    still_valid = await talk.get("Invoices", page="1")
    await talk.refresh()
    more = await talk.edit(count=150)
    report = await talk.control("GET", "/webhooks")

    assert kept == before
    assert added["tenantId"] in {key.partition("/")[0] for key in kept}
    assert still_valid.status_code == 200
    numbers = [number for edit in (*edits, *more) for number in edit["events"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert report["pendingEvents"] == len(numbers)
    created = [record["id"] for edit in (*edits, *more) for record in edit["records"] if record["created"]]
    assert len(set(created)) == len(created)
    stamps = [record["updatedMs"] for edit in (*edits, *more) for record in edit["records"]]
    assert stamps == sorted(stamps)

    await talk.control("PUT", "/webhooks", {"url": receiver.url, "batchMs": 0})
    await talk.calm(20)
    assert len(receiver.events) == len(numbers)
    assert sum(1 for _ in receiver.hooks) >= len(numbers) / 100
    await talk.close()


async def test_files_and_notes_survive_kill_9(process: Begin, tmp_path: Path) -> None:
    """Byte by byte, the last of each name; notes in their order."""
    one = process(*SMALL, f"--data-dir={tmp_path}")
    talk = Talk(one.port)
    await talk.connect()
    place = f"/api.xro/2.0/Contacts/{(await talk.rows('Contacts'))[0]['ContactID']}"
    for content in (b"before", bytes(range(256)) * 4000):
        await talk.http.put(f"{place}/Attachments/a.bin", content=content, headers=talk.headers())
    for details in ("first", "second"):
        await talk.http.put(f"{place}/History", json={"HistoryRecords": [{"Details": details}]}, headers=talk.headers())
    notes = (await talk.http.get(f"{place}/History", headers=talk.headers())).json()["HistoryRecords"]
    one.end(signal.SIGKILL)
    one.start()

    file = await talk.http.get(f"{place}/Attachments/a.bin", headers=talk.headers())
    kept = (await talk.http.get(f"{place}/History", headers=talk.headers())).json()["HistoryRecords"]

    assert (file.status_code, file.content) == (200, bytes(range(256)) * 4000)
    assert kept == notes
    assert [row["Details"] for row in kept] == ["first", "second"]
    await talk.close()


async def test_delivered_events_stay_delivered(process: Begin, receiver: Receiver, tmp_path: Path) -> None:
    """After a kill only what wasn't acknowledged comes again."""
    one = process(*SMALL, f"--data-dir={tmp_path}", f"--webhook-url={receiver.url}")
    talk = Talk(one.port)
    await talk.edit(count=20)
    await talk.calm()
    seen = len(receiver.events)

    one.end(signal.SIGKILL)
    one.start()
    await talk.edit(kind="change")
    await talk.calm()

    assert len(receiver.events) == seen + 1
    assert receiver.hooks[-1].document["firstEventSequence"] == seen + 1
    await talk.close()


async def test_kept_books_win_over_options(process: Begin, tmp_path: Path) -> None:
    """Another seed, other figures: the books stay as they are."""
    first = process(*SMALL, f"--data-dir={tmp_path}")
    talk = Talk(first.port)
    before = await everything(talk)
    first.end()

    second = process(f"--data-dir={tmp_path}", "--seed=9", "--tenants=7")
    again = Talk(second.port)

    assert "2 organisations, seed 5" in second.first_line
    assert await everything(again) == before
    await talk.close()
    await again.close()


def test_books_in_use_are_refused(process: Begin, tmp_path: Path) -> None:
    """One line that says what to do."""
    process(*SMALL, f"--data-dir={tmp_path}")

    second = run(*SMALL, f"--data-dir={tmp_path}")

    assert second.returncode == 2
    assert "in use by another simulator" in second.stderr


@pytest.mark.parametrize("spoil", ["garbage", "format"])
def test_books_that_cannot_be_read_are_refused(process: Begin, tmp_path: Path, spoil: str) -> None:
    """Damaged, or of another version: never overwritten."""
    file = tmp_path / FILE_NAME
    if spoil == "garbage":
        file.write_bytes(b"not a database " * 100)
    else:
        process(*SMALL, f"--data-dir={tmp_path}").end()
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE facts SET value = 99 WHERE name = 'format'")
        connection.close()
    content = file.read_bytes()

    refused = run(*SMALL, f"--data-dir={tmp_path}")

    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert file.read_bytes() == content
