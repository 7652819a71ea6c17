"""``docs/library.md`` as a reader tries it: every block runs, line by line and in order, against the simulator."""

import ast
import inspect
import re
from codeop import CommandCompiler
from pathlib import Path
from typing import Any

import pytest

from tests.integration.xero_api.conftest import Begin
from tests.support.consent_form import Browser
from xero_api.errors import Intent, OverBudgetError
from xero_api.organisation import Organisation

PAGE = Path(__file__).parents[3] / "docs" / "library.md"
ADDRESSES = ("https://api.xero.com", "https://identity.xero.com", "https://login.xero.com", "http://127.0.0.1:8082")


def blocks(url: str, client_id: str, client_secret: str) -> list[str]:
    """The page's Python, with the simulator in Xero's place."""
    text = PAGE.read_text(encoding="utf-8")
    for address in ADDRESSES:
        assert address in text
        text = text.replace(address, url)
    text = text.replace("your client id", client_id).replace("your client secret", client_secret)
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


async def pasted(block: str, names: dict[str, Any], where: str) -> None:
    """Run a block as ``python -m asyncio`` does: each statement when its last line is in."""
    complete = CommandCompiler()
    complete.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    lines: list[str] = []
    for line in block.splitlines():
        lines.append(line)
        if (code := complete("\n".join(lines), where)) is not None:
            lines.clear()
            result = eval(code, names)  # the page is ours
            if inspect.isawaitable(result):
                await result
    assert not lines, f"{where} ends inside a statement: {lines}"


@pytest.mark.parametrize("other_way", ["/_sim/grants", "new_consent("], ids=["consent", "stored token"])
async def test_every_block_of_the_page_runs(
    begin: Begin, capsys: Any, monkeypatch: pytest.MonkeyPatch, other_way: str
) -> None:
    """From either way to connect to the revocation: what it reads is there, what it writes is written, the budget holds."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    api = await begin(tenants=1, invoices=60, contacts=10, credit_notes=2)
    browser = Browser()

    async def consented(link: str) -> dict[str, str]:
        return await browser.back(link, api.talk.tenants[0])

    names: dict[str, Any] = {"browser": consented}
    pages = blocks(api.talk.url, api.talk.grant["clientId"], api.talk.grant["clientSecret"])
    assert len(pages) == 9
    for number, block in enumerate(pages):
        if other_way not in block:
            await pasted(block, names, f"{PAGE.name}, block {number + 1}")
    await browser.http.aclose()

    assert {one.id for one in names["read"]} >= {one["InvoiceID"] for one in await api.talk.truth("Invoices")} - {
        names["good"].id
    }
    assert set(names["several"].found) == {one.id for one in names["read"][:40]}
    assert names["pdf"].startswith(b"%PDF")
    assert names["report"].raw["ReportName"] == "Trial Balance"
    assert names["good"].written
    assert not names["bad"].written
    assert names["bad"].problems
    told = capsys.readouterr().out
    assert OverBudgetError.hint in told
    assert Intent.PARK in told
    assert isinstance(names["books"], Organisation)
    assert (await api.talk.control("GET", "/calls"))["refusedEarned"] == {}
