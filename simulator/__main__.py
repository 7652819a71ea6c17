"""``python -m simulator``: the simulator alone, every setting as an option."""

import argparse
import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence

from simulator.app import run
from simulator.keeping.books import KeepingError
from xero_stream.settings.base import SettingsError
from xero_stream.settings.simulator import SimulatorSettings


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec("uvloop") is None:  # not made for Windows
        return None
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return new_event_loop


def options() -> argparse.ArgumentParser:
    """One option per setting; what is left out comes from the environment."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A Xero that runs on a laptop.")
    for name, field in SimulatorSettings.model_fields.items():
        text = (field.description or "").replace("%", "%%")
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, help=f"{text} ({field.alias})")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 2 for unusable settings or books."""
    given = vars(options().parse_args(arguments))
    try:
        settings = SimulatorSettings.read(**given)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(settings))
    except (SettingsError, KeepingError) as error:
        print(f"simulator: {error}", file=sys.stderr)  # noqa: T201 - a command's one line of complaint
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
