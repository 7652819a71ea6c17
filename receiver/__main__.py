"""``python -m receiver``: the receiver, or one of its workers."""

import argparse
import sys

from receiver.start import start, work
from receiver.workers import UNUSABLE
from xero_stream.settings.base import SettingsError
from xero_stream.settings.receiver import ReceiverSettings


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 after a signal, 2 where the settings are unusable."""
    parser = argparse.ArgumentParser(prog="python -m receiver", description="Takes Xero's webhooks.")
    parser.add_argument("--workers", type=int, help="processes that share the port")
    parser.add_argument("--host", help="address of the public listener")
    parser.add_argument("--port", type=int, help="port of the public listener")
    inner = parser.add_argument_group("given by the parent to its workers")
    for name in ("--worker", "--of", "--listening", "--cells"):
        inner.add_argument(name, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.worker is None:
            start(ReceiverSettings.read(workers=options.workers, host=options.host, port=options.port))
        else:
            work(number=options.worker, of=options.of, listening=options.listening, cells=options.cells)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
