"""``xero-stream simulator``."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import ExitCode, guarded
from cli.service import WithParent, end_with_parent, loop_factory
from simulator.app import run
from simulator.keeping.books import KeepingError
from xero_stream.settings.simulator import SimulatorSettings


@guarded(
    examples=(
        "xero-stream simulator --seed 7 --tenants 20 --api-latency-ms 50",
        "xero-stream simulator --edits-per-second 2 \\",
        "--webhook-url http://127.0.0.1:8080/webhooks/xero",
    ),
    configuration=(KeepingError,),
)
def simulator(
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 by default.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of everything it serves, /_sim included; 8082 by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same books; 1 by default.")] = None,
    tenants: Annotated[int | None, typer.Option(help="Organisations; 3 by default.")] = None,
    invoices: Annotated[int | None, typer.Option(help="Invoices per organisation; 200 by default.")] = None,
    contacts: Annotated[int | None, typer.Option(help="Contacts per organisation; 40 by default.")] = None,
    credit_notes: Annotated[int | None, typer.Option(help="Credit notes per organisation; 20 by default.")] = None,
    edits_per_second: Annotated[
        float | None, typer.Option(help="Random valid edits, over all organisations; 0 by default.")
    ] = None,
    everything: Annotated[
        bool | None,
        typer.Option("--everything", help="Edits of every kind of record, not only of those that Xero announces."),
    ] = None,
    api_latency_ms: Annotated[
        float | None, typer.Option(help="How much longer each API call takes; 0 by default.")
    ] = None,
    webhook_url: Annotated[
        str | None, typer.Option(help="Where webhooks go; without one they are stored until there is one.")
    ] = None,
    webhook_key: Annotated[
        str | None, typer.Option(help="Key that signs them; the demo's public one by default.")
    ] = None,
    tier: Annotated[str | None, typer.Option(help="The app's pricing tier; core by default.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Keep the books here; in memory by default.")] = None,
    with_parent: WithParent = False,
) -> ExitCode:
    """A Xero that runs on a laptop: token endpoint, Accounting API, its limits, signed webhooks with its retries.

    Its control API is under /_sim: what is true, edits, faults, calls counted. Every option is also a setting
    (XERO_STREAM_SIMULATOR_...), and there are more of those: see .env.example.
    """
    given = {name: value for name, value in locals().items() if name != "with_parent"}
    settings = SimulatorSettings.read(**given)
    if with_parent:
        end_with_parent()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run(settings))
    return ExitCode.OK
