"""``xero-stream doctor``."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cli.doctor.apps import look_at_apps
from cli.doctor.clocks import look_at_clocks
from cli.doctor.findings import Finding, lines, verdict
from cli.doctor.receiver import look_at_receiver
from cli.doctor.servers import look_at_kafka, look_at_xero
from cli.doctor.settings import look_at_settings
from cli.doctor.store import look_at_store
from cli.exits import ExitCode, guarded


@guarded(
    examples=(
        "xero-stream doctor",
        "xero-stream doctor --receiver https://hooks.example.com  # as Xero does",
    )
)
def doctor(
    receiver: Annotated[
        list[str] | None,
        typer.Option(
            help="Where a receiver is asked, without the path; may be repeated. By default the settings' port on this machine."
        ),
    ] = None,
) -> ExitCode:
    """Check settings, receiver, Kafka, topics, PostgreSQL, organisations, entities, tokens, relay, Xero and clocks.

    Says what is wrong and what to do about it. Changes nothing and shows no secret. It asks the receiver as Xero does, with
    a signed intent to receive, and tries each app's id and secret at the token endpoint with an invalid
    refresh token. Exit code 1 if it found a problem.
    """
    addresses = [_address(one) for one in receiver or ()]
    findings = asyncio.run(_look(addresses))
    for line in lines(findings):
        typer.echo(line)
    return verdict(findings)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.username or parts.query)
        _ = parts.port
    except ValueError:
        good = False
    if not good or parts.path not in {"", "/"}:
        raise typer.BadParameter("must be a base address such as https://hooks.example.com", param_hint="--receiver")
    return text


async def _look(receivers: Sequence[str]) -> list[Finding]:
    receiver, kafka, store, xero, apps, clocks = await asyncio.gather(
        look_at_receiver(receivers),
        look_at_kafka(),
        look_at_store(),
        look_at_xero(),
        look_at_apps(),
        look_at_clocks(),
    )
    return [*look_at_settings(), *receiver, *kafka, *store, *xero, *apps, *clocks]
