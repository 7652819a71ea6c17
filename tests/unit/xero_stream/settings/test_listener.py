"""What is said where nothing can be listened on."""

import errno
import socket

import pytest

from tests.support.stack import free_port
from xero_stream.settings.listener import cannot_listen


def told(host: str, port: int, *, option: bool = True) -> str:
    """The message for what the system really says to that address."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        return str(cannot_listen(error, host=host, port=port, prefix="XERO_STREAM_RECEIVER", option=option))
    raise AssertionError("it could be listened on")


def test_a_taken_port() -> None:
    """The port is to be changed."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        message = told("127.0.0.1", port)

    assert message == (
        f"can't listen on 127.0.0.1:{port} (Address already in use); choose another port with --port or XERO_STREAM_RECEIVER_PORT"
    )


@pytest.mark.parametrize("host", ["256.1.1.1", "192.0.2.1"])
def test_an_address_that_is_not_here(host: str) -> None:
    """No name, or another machine's: the host is to be changed, not the port."""
    message = told(host, free_port(), option=False)

    assert message.endswith("; that is not an address of this machine: correct XERO_STREAM_RECEIVER_HOST")
    assert "while attempting" not in message


def test_a_port_for_root_alone() -> None:
    """Said as such."""
    error = OSError(errno.EACCES, "Permission denied")

    message = str(cannot_listen(error, host="0.0.0.0", port=80, prefix="X", option=True))

    assert "choose a port above 1023 with --port or X_PORT" in message
