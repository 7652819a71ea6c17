"""``python -m processors``: the processors alone, for tests and process managers. People use ``xero-stream processors``."""

import asyncio
import signal
import sys

import structlog

from processors.app import ProcessorsConfig, RefusedError, run
from xero_stream.kafka.admin import KafkaUnreachableError
from xero_stream.settings.base import SettingsError
from xero_stream.settings.telemetry import TelemetrySettings
from xero_stream.store.deployment import DeploymentMismatchError
from xero_stream.store.pool import StoreUnreachableError
from xero_stream.telemetry.logging import configure_logging


async def _main() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await run(ProcessorsConfig.read(), stop)


def main() -> int:
    """Run until a signal; answers the exit code."""
    telemetry = TelemetrySettings.read()
    configure_logging(service="processors", level=telemetry.log_level, log_format=telemetry.log_format)
    try:
        asyncio.run(_main())
    except (SettingsError, RefusedError, DeploymentMismatchError) as error:
        structlog.get_logger(__name__).error("refused", reason=str(error))
        return 78
    except (StoreUnreachableError, KafkaUnreachableError) as error:
        structlog.get_logger(__name__).error("unreachable", reason=str(error))
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
