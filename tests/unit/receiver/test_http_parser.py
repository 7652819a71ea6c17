"""The HTTP parser that the receiver insists on."""

import aiohttp
import pytest
from aiohttp import http_parser

from receiver.app import check_http_parser
from xero_stream.settings.base import SettingsError


def test_installed_one_is_safe() -> None:
    """What is installed here passes."""
    check_http_parser()


def test_pure_python_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the C parser the receiver does not start."""
    monkeypatch.setattr(http_parser, "HttpRequestParser", http_parser.HttpRequestParserPy)

    with pytest.raises(SettingsError, match="C parser"):
        check_http_parser()


@pytest.mark.parametrize("version", ["3.13.9", "3.14.0", "3.9.5"])
def test_old_aiohttp(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """An aiohttp with known holes is refused."""
    monkeypatch.setattr(aiohttp, "__version__", version)

    with pytest.raises(SettingsError, match="too old"):
        check_http_parser()


@pytest.mark.parametrize("version", ["3.14.1", "3.15.0", "4.0.0", "3.14.5.dev1"])
def test_new_aiohttp(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Later ones pass."""
    monkeypatch.setattr(aiohttp, "__version__", version)

    check_http_parser()
