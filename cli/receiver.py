"""``xero-stream receiver``."""

from typing import Annotated

import typer

from cli.exits import ExitCode, guarded
from cli.service import WithParent, end_with_parent
from receiver.start import start
from xero_stream.settings.receiver import ReceiverSettings


@guarded(
    examples=(
        "xero-stream receiver",
        "xero-stream receiver --workers 2 --port 8080",
    )
)
def receiver(
    workers: Annotated[int | None, typer.Option(help="Processes that share the public port; 1 by default.")] = None,
    host: Annotated[str | None, typer.Option(help="Address of the public listener; 0.0.0.0 by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the public listener; 8080 by default.")] = None,
    with_parent: WithParent = False,
) -> ExitCode:
    """Take Xero's webhooks: verify, put every event on Kafka, answer.

    Public: POST /webhooks/xero (app `default`) and /webhooks/xero/APP. Private port 9464: /livez, /readyz, /metrics.
    Needs Kafka and XERO_WEBHOOK_KEYS; knows neither the store nor Xero's API. Without Kafka it goes on, answers 503,
    and Xero sends again. SIGTERM drains: what was accepted is answered first.
    """
    if with_parent:
        end_with_parent()
    start(ReceiverSettings.read(workers=workers, host=host, port=port))
    return ExitCode.OK
