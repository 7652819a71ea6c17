"""``xero-stream tail``: what a consumer sees."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import aclosing
from decimal import Decimal
from typing import Annotated, Any

import orjson
import typer

from cli.exits import ExitCode, guarded
from cli.follow import follow
from cli.organisation import organisation_named
from cli.readable import readable
from xero_stream.contracts.names import EntityName, TenantId
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.settings.entities import EntitySettings
from xero_stream.settings.kafka import KafkaSettings


@guarded(
    examples=(
        "xero-stream tail",
        "xero-stream tail --entity invoices --entity credit-notes",
        "xero-stream tail --from-beginning --until-end --json | jq .op",
    ),
    unreachable=(KafkaUnreachableError,),
)
def tail(
    entity: Annotated[
        list[EntityName] | None,
        typer.Option(metavar="ENTITY", help="Only this entity, e.g. invoices; may be repeated."),
    ] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this organisation (Xero's tenant id).")] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="All that Kafka still has, not only what comes from now on.")
    ] = False,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="End with what is there now, instead of waiting for more.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The whole change events as published, one per line.")
    ] = False,
) -> ExitCode:
    """Show change events as they are published: one readable line each, or JSON.

    Reads as any consumer should (isolation level read_committed), without a group: it commits nothing and disturbs
    nobody. Ctrl-C ends it.
    """
    settings = KafkaSettings.read()
    streamed = EntitySettings.read().entities
    entities = list(dict.fromkeys(entity or streamed))
    for name in entities:
        if name not in streamed:
            raise typer.BadParameter(
                f"{name} is not streamed; choose among {', '.join(streamed)}", param_hint="--entity"
            )
    try:
        asyncio.run(
            _show(
                settings,
                entities,
                tenant=organisation_named(tenant, "--tenant") if tenant else None,
                from_beginning=from_beginning,
                until_end=until_end,
                as_json=as_json,
            )
        )
    except KeyboardInterrupt:
        return ExitCode.OK
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OK


async def _show(
    settings: KafkaSettings,
    entities: Sequence[EntityName],
    *,
    tenant: TenantId | None,
    from_beginning: bool,
    until_end: bool,
    as_json: bool,
) -> None:
    topics = list(dict.fromkeys(settings.topics.changes(entity) for entity in entities))
    words = {entity.value for entity in entities}
    feed = follow(settings, topics, tenant=tenant, from_beginning=from_beginning, until_end=until_end)
    async with aclosing(feed) as batches:
        async for batch in batches:
            for record in batch:
                if tenant is None or tenant_of(record.key) == tenant:
                    sys.stdout.write(_line(record.value, words, as_json=as_json))
            sys.stdout.flush()


def _line(value: bytes, words: set[str], *, as_json: bool) -> str:
    change = json.loads(value, parse_float=Decimal)
    if change["source"]["entity"] not in words:  # all entities may share a topic
        return ""
    return f"{value.decode() if as_json else readable(change)}\n"


def tenant_of(key: bytes | None) -> Any:
    """The tenant in a change's key."""
    return orjson.loads(key)["tenant_id"] if key else None
