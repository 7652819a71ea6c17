"""``xero-stream doctor``."""

import asyncio

import typer

from cli.doctor.clocks import look_at_clocks
from cli.doctor.findings import Finding, lines, verdict
from cli.doctor.servers import look_at_kafka, look_at_xero
from cli.doctor.settings import look_at_settings
from cli.doctor.store import look_at_store
from cli.exits import ExitCode, guarded


@guarded(examples=("xero-stream doctor",))
def doctor() -> ExitCode:
    """Check settings, Kafka, topics, PostgreSQL, schema, organisations, tokens, backlog, Xero's addresses and clocks.

    Says what is wrong and what to do about it. Changes nothing, sends no token, shows no secret. Exit code 1 if it
    found a problem.
    """
    findings = asyncio.run(_look())
    for line in lines(findings):
        typer.echo(line)
    return verdict(findings)


async def _look() -> list[Finding]:
    kafka, store, xero, clocks = await asyncio.gather(
        look_at_kafka(), look_at_store(), look_at_xero(), look_at_clocks()
    )
    return [*look_at_settings(), *kafka, *store, *xero, *clocks]
