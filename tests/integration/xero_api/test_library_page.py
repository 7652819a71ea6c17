"""``docs/library.md`` as a reader tries it: every block runs, in order, against the simulator."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

from tests.integration.xero_api.conftest import Begin
from tests.support.consent_form import Browser
from xero_api.errors import Intent, OverBudgetError
from xero_api.organisation import Organisation

PAGE = Path(__file__).parents[3] / "docs" / "library.md"
ADDRESSES = ("https://api.xero.com", "https://identity.xero.com", "https://login.xero.com")


def blocks(url: str, client_id: str, client_secret: str) -> list[str]:
    """The page's Python, with the simulator in Xero's place."""
    text = PAGE.read_text(encoding="utf-8")
    for address in ADDRESSES:
        assert address in text
        text = text.replace(address, url)
    text = text.replace("your client id", client_id).replace("your client secret", client_secret)
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


async def test_every_block_of_the_page_runs(begin: Begin, capsys: Any) -> None:
    """From the consent to the revocation: what it reads is there, what it writes is written, and the budget holds."""
    api = await begin(tenants=1, invoices=60, contacts=10, credit_notes=2)
    browser = Browser()

    async def consented(link: str) -> dict[str, str]:
        return await browser.back(link, api.talk.tenants[0])

    names: dict[str, Any] = {"browser": consented}
    pages = blocks(api.talk.url, api.talk.grant["clientId"], api.talk.grant["clientSecret"])
    assert len(pages) == 7
    for number, block in enumerate(pages):
        code = compile(block, f"{PAGE.name}, block {number + 1}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)  # the page is ours
        if inspect.isawaitable(result):
            await result
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
