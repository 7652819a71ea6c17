"""Whether the process in this container makes progress: the image's health check. Standard library only.

``python -m cli.healthcheck [PORT [PATH]]`` ends with 0 if it does: by default ``/livez`` of whichever private port answers.
"""

import sys
import urllib.error
import urllib.request

PRIVATE_PORTS = ("9464", "9465", "9466")
SECONDS = 3


def status(port: str, path: str) -> int | None:
    """What a port of this container answers; None if nobody does."""
    # Without the environment's proxies: this never leaves the container.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def main(arguments: list[str]) -> int:
    """The exit status: 0 if every port that answers says 200, and at least one does."""
    ports = arguments[:1] or PRIVATE_PORTS
    path = arguments[1] if len(arguments) > 1 else "/livez"
    answers = [answer for answer in (status(port, path) for port in ports) if answer is not None]
    return 0 if answers and all(answer == 200 for answer in answers) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
