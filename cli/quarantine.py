"""``xero-stream quarantine list|show|retry``."""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

import asyncpg
import typer
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.exits import EPILOG, ExitCode, complain, guarded
from cli.readable import printable
from cli.store import STORE_ERRORS, store
from processors.intake.place import home_of
from xero_stream.contracts.dead_letter import Stage
from xero_stream.kafka.admin import LARGEST_MESSAGE, KafkaUnreachableError
from xero_stream.kafka.connect import connection
from xero_stream.settings.kafka import KafkaSettings
from xero_stream.store.quarantine import Entry, entries, entry, retry, settle

app = typer.Typer(
    help=(
        "What could not be read or applied, with its bytes: list, show, send round again. An entry stays until it is "
        "resolved; each is on the topic dead-letters too."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    epilog=EPILOG,
)


class State(StrEnum):
    """Which entries to list."""

    OPEN = "open"
    RETRYING = "retrying"
    RESOLVED = "resolved"
    ALL = "all"


@app.command("list", epilog=EPILOG)
@guarded(
    examples=("xero-stream quarantine list", "xero-stream quarantine list --state all --json | jq .reason"),
    unreachable=STORE_ERRORS,
)
def show_list(
    state: Annotated[State, typer.Option(help="Only entries in this state.", show_default=True)] = State.OPEN,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> ExitCode:
    """List entries, the newest first. Exit code 1 if there are open ones among them."""
    found = asyncio.run(_entries(None if state is State.ALL else state.value, limit))
    for one in found:
        typer.echo(json.dumps(_fields(one)) if as_json else line(one))
    if not found and not as_json:
        typer.echo("nothing in quarantine" if state is State.ALL else f"nothing {state} in quarantine")
    return ExitCode.PROBLEMS if any(one.state == "open" for one in found) else ExitCode.OK


@app.command(epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream quarantine show 6f1c0f0e-6f8a-5f8e-9f39-0c8f3f1b8b52",
        "xero-stream quarantine show --bytes 6f1c0f0e-6f8a-5f8e-9f39-0c8f3f1b8b52",
    ),
    unreachable=STORE_ERRORS,
)
def show(
    identity: Annotated[UUID, typer.Argument(metavar="ID", help="The entry's id.")],
    as_bytes: Annotated[
        bool, typer.Option("--bytes", help="Only the bytes, exactly as they came: business data, maybe personal.")
    ] = False,
) -> ExitCode:
    """Show one entry: what, where, why, and how many bytes it keeps. Exit code 1 if there is none."""
    found = asyncio.run(_entry(identity))
    if found is None:
        complain(f"no entry {identity}: see `xero-stream quarantine list`")
        return ExitCode.PROBLEMS
    if as_bytes:
        sys.stdout.buffer.write(found.value)
        sys.stdout.buffer.flush()
        return ExitCode.OK
    for name, value in _fields(found).items():
        if value is not None:
            typer.echo(f"{name.replace('_', ' '):<10} {printable(value)}")
    return ExitCode.OK


@app.command("retry", epilog=EPILOG)
@guarded(
    examples=(
        "xero-stream quarantine retry 6f1c0f0e-6f8a-5f8e-9f39-0c8f3f1b8b52",
        "xero-stream quarantine retry --all",
    ),
    unreachable=(*STORE_ERRORS, KafkaUnreachableError),
)
def send_again(
    identities: Annotated[list[UUID] | None, typer.Argument(metavar="ID", help="Entries.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All open entries.")] = False,
) -> ExitCode:
    """Retry entries after the cause has been fixed.

    An entry about a record is read again from Xero by the processors. An event goes back to the topic webhook-events,
    byte for byte, under the key and in the partition of its organisation. Exit code 1 if one could not be sent.
    """
    if bool(identities) == everything:
        raise typer.BadParameter("give ids, or --all", param_hint="ID")
    return asyncio.run(_retry_all(identities or [], everything=everything))


async def _entries(state: str | None, limit: int) -> list[Entry]:
    async with store() as pool:
        return await entries(pool, state=state, limit=limit)


async def _entry(identity: UUID) -> Entry | None:
    async with store() as pool:
        return await entry(pool, identity)


async def _retry_all(identities: Sequence[UUID], *, everything: bool) -> ExitCode:
    async with store() as pool, Republisher() as republisher:
        if everything:
            rows = await pool.fetch("SELECT id FROM quarantine WHERE state = 'open' ORDER BY last_at")
            identities = [row["id"] for row in rows]
        failed = 0
        for identity in identities:
            problem = await _retry(pool, republisher, identity)
            typer.echo(f"{identity} {problem or 'sent round again'}")
            failed += problem is not None
    if not identities:
        typer.echo("nothing open in quarantine")
    return ExitCode.PROBLEMS if failed else ExitCode.OK


async def _retry(pool: "asyncpg.Pool[Any]", republisher: "Republisher", identity: UUID) -> str | None:
    """Send one entry round again; why not, or None."""
    one = await entry(pool, identity)
    if one is None:
        return "is not in quarantine"
    if one.state == "resolved":
        return "is resolved already"
    if one.stage == Stage.INTAKE:
        if not one.value:
            return "has lost its bytes: nothing to send"
        await republisher.send(pool, one)
        return None
    if await retry(pool, identity):
        return None
    return "is on its way already" if one.state == "retrying" else "names no record to read: nothing to send"


class Republisher:
    """Puts unreadable events back onto webhook-events. Twice does no harm: an event only says what is to be read."""

    def __init__(self) -> None:
        """Nothing is opened before the first event."""
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, pool: "asyncpg.Pool[Any]", one: Entry) -> None:
        """Publish an entry's bytes under the key and in the partition of its organisation, then call the entry resolved.

        Bytes that name no organisation get the key and partition that they had.

        What becomes of the event is another entry, or none.

        Raises:
            KafkaUnreachableError: Kafka did not acknowledge; the entry stays as it is.
        """
        settings = KafkaSettings.read()
        row = await pool.fetchrow("SELECT key, partition, traceparent FROM quarantine WHERE id = $1", one.id)
        key, partition = home_of(one.value, settings.partitions) or (row["key"], row["partition"])
        headers = [("traceparent", row["traceparent"].encode())] if row["traceparent"] else []
        try:
            if self._producer is None:
                self._producer = AIOKafkaProducer(
                    **connection(settings, client_id="xero-stream-quarantine"),
                    acks="all",
                    max_request_size=LARGEST_MESSAGE,
                )
                await self._producer.start()
            await self._producer.send_and_wait(
                settings.topics.webhook_events, one.value, key=key, partition=partition, headers=headers
            )
        except (KafkaError, OSError) as error:
            raise KafkaUnreachableError(
                f"Kafka does not take the event {one.id} back ({type(error).__name__}); it stays in quarantine"
            ) from error
        await settle(pool, one.id)


def line(one: Entry) -> str:
    """An entry as one line."""
    about = f"{one.entity}/{one.record_id}" if one.record_id else one.source
    return printable(
        f"{one.id} {one.last_at:%Y-%m-%d %H:%M} {one.state} {one.stage} {one.reason} {about} "
        f"({one.attempts} {'attempt' if one.attempts == 1 else 'attempts'}) {one.error}"
    )


def _fields(one: Entry) -> dict[str, str | int | None]:
    fields: dict[str, Any] = {name: getattr(one, name) for name in Entry.__dataclass_fields__ if name != "value"}
    told = {
        name: value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value
        for name, value in fields.items()
    }
    return {**told, "bytes": len(one.value)}
