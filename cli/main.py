"""The entry point of ``xero-stream``: as small as can be, so that Ctrl-C ends it quietly from its first moment on."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from cli.application import run  # noqa: PLC0415 - takes most of a second, in which people press Ctrl-C too

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
