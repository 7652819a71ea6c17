"""A browser just good enough for the simulator's authorise page: reads its form, fills it in, sends it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


class Page(HTMLParser):
    """What a page holds.

    Attributes:
        hidden: the form's hidden fields.
        choices: ``name`` → values of its radio buttons, boxes, options and buttons.
        labels: the ids that have a label.
        ids: ids of fields.
        action: where the form goes.
        scripts: how many scripts there are.
        text: everything that is read.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hidden: list[tuple[str, str]] = []
        self.choices: dict[str, list[str]] = {}
        self.kinds: dict[str, str] = {}
        self.labels: set[str] = set()
        self.ids: set[str] = set()
        self.action: str | None = None
        self.scripts = 0
        self.text = ""
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag."""
        given = {name: value or "" for name, value in attrs}
        match tag, given.get("type"):
            case "form", _:
                self.action = given.get("action", "")
            case "input", "hidden":
                self.hidden.append((given["name"], given["value"]))
            case (("input" | "button"), _):
                self.choices.setdefault(given["name"], []).append(given["value"])
                self.kinds[given["name"]] = given.get("type", tag)
            case "select", _:
                self._select = given["name"]
            case "option", _:
                self.choices.setdefault(self._select, []).append(given["value"])
            case "label", _:
                self.labels.add(given["for"])
            case "script", _:
                self.scripts += 1
            case _:
                pass
        if tag in {"select", "input"} and given.get("type") != "hidden":
            self.ids.add(given["id"])

    def handle_data(self, data: str) -> None:
        """Text between tags."""
        self.text += data


@dataclass(slots=True)
class Browser:
    """Follows a link to the page and sends its form."""

    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=30, trust_env=False, verify=False)
    )

    async def open(self, url: str) -> tuple[httpx.Response, Page]:
        """The page."""
        answer = await self.http.get(url)
        return answer, Page(answer.text)

    async def choose(self, url: str, *tenants: str, user: str | None = None, decision: str = "allow") -> httpx.Response:
        """Open the page, choose, press a button; the answer as it is, no redirect followed."""
        answer, page = await self.open(url)
        assert answer.status_code == 200, answer.text
        form = dict(page.hidden) | {"user": user or page.choices["user"][0], "decision": decision}
        sent: dict[str, str | list[str]] = {**form, "tenant": list(tenants)}
        return await self.http.post(urljoin(url, page.action), data=sent)

    async def back(self, url: str, *tenants: str, user: str | None = None, decision: str = "allow") -> dict[str, str]:
        """The query that the browser is sent back to the app with."""
        answer = await self.choose(url, *tenants, user=user, decision=decision)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True, strict_parsing=True))
