"""What all control routes share: checked bodies, JSON answers, explained mistakes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError

from simulator.books.organisation import Organisation
from simulator.books.words import Endpoint, RuleError
from simulator.control.bodies import Body
from simulator.mistakes import problems
from simulator.reply import JSON
from simulator.world import World

B = TypeVar("B", bound=Body)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer"}
NAMES: Schema = {"type": "array", "items": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Row:
    """A route.

    Attributes:
        method: of HTTP.
        path: with ``{names}``.
        handler: whose docstring says what it does.
        body: what it takes.
        query: parameters it takes, and their schemas.
        status: of a good answer.
    """

    method: str
    path: str
    handler: Handler
    body: type[BaseModel] | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    status: int = 200


class ControlError(Exception):
    """The request can't be done; the answer says why and what is known."""

    def __init__(self, status: int, message: str, known: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"error": message} | ({"known": known} if known is not None else {})


def tenant_of(world: World, tenant_id: str) -> Organisation:
    """The organisation of that id.

    Raises:
        ControlError: there is none; the answer lists those there are.
    """
    organisation = world.organisations.get(tenant_id.lower())
    if organisation is None:
        raise ControlError(404, f"no tenant {tenant_id}", list(world.organisations))
    return organisation


def place_of(world: World, request: web.Request) -> tuple[Organisation, Endpoint]:
    """Organisation and endpoint named in the path.

    Raises:
        ControlError: either isn't known.
    """
    name = request.match_info["endpoint"].lower()
    endpoint = next((one for one in Endpoint if one.value.lower() == name), None)
    if endpoint is None:
        raise ControlError(404, f"no endpoint {name}", [one.value for one in Endpoint])
    return tenant_of(world, request.match_info["tenantId"]), endpoint


async def read_json(request: web.Request) -> bytes:
    """The bytes of the body; empty if there is none.

    Raises:
        ControlError: it is sent as another type. A form on any web page can send those, without asking first.
    """
    if request.body_exists and request.content_type != "application/json":
        raise ControlError(415, "the body is JSON: send it with Content-Type: application/json")
    return await request.read()


async def read_body(request: web.Request, model: type[B]) -> B:
    """The body, checked.

    Raises:
        ControlError: it isn't what the route takes; the answer lists the words it knows.
    """
    raw = await read_json(request)
    return _understood(model, lambda: model.model_validate_json(raw or b"{}"))


def read_query(request: web.Request, model: type[B]) -> B:
    """The query's parameters, checked.

    Raises:
        ControlError: they aren't what the route takes; the answer lists the words it knows.
    """
    return _understood(model, lambda: model.model_validate(dict(request.query)))


def _understood(model: type[B], read: Callable[[], B]) -> B:
    try:
        return read()
    except ValidationError as error:
        known = sorted(field.alias or name for name, field in model.model_fields.items())
        raise ControlError(400, "; ".join(problems(error)), known) from error


def explained(
    handler: Handler,
) -> Handler:
    """A handler whose refusals become answers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ControlError as error:
            return answer_json(error.document, status=error.status)
        except RuleError as error:
            return answer_json({"error": f"{error}"}, status=409)

    answer.__doc__ = handler.__doc__
    return answer


def answer_json(document: Any, *, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(status=status, body=orjson.dumps(document), headers={"Content-Type": JSON})
