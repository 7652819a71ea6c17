"""The API: its routes under guard and edge."""

from importlib.metadata import version
from typing import Any, Protocol

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from console.access.caller import REQUEST_ID, AnyCaller
from console.access.guard import Guard
from console.access.keyring import KeyRing
from console.answer import answer
from console.endpoint.edge import Edge, problem_of
from console.endpoint.openapi import describe, guard_of
from console.metrics import ConsoleMetrics
from console.problem import MEDIA_TYPE, ProblemError, failed, invalid, not_found
from xero_stream.store.pool import STORE_ERRORS, StoreUnreachableError

_ABOUT = """The private side of xero-stream. Every request needs an API key (`xero-stream api-keys create`) in the header
`Authorization: Bearer xsk_…`. Errors are problem details (RFC 9457) with a `code` for programs and a `hint` for people. Every answer
has an `X-Request-ID`, which the console's log names."""
_SMALLEST_COMPRESSED = 1024
_LEVEL = 4


class Routes(Protocol):
    """A feature's routes."""

    def add_to(self, router: APIRouter) -> None:
        """Declare them.

        Args:
            router: of the API.
        """
        ...


class OpenApiRoutes:
    """The description of the API, made once."""

    def __init__(self) -> None:
        """Nothing is described yet."""
        self._body = b""

    def add_to(self, router: APIRouter) -> None:
        """Declare the route.

        Args:
            router: of the API.
        """
        router.add_api_route(
            "/v1/openapi.json",
            self.openapi,
            tags=["description"],
            responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
        )

    def take(self, description: dict[str, Any]) -> None:
        """The description is complete.

        Args:
            description: OpenAPI.
        """
        self._body = orjson.dumps(description)

    async def openapi(self, request: Request, caller: AnyCaller) -> Response:
        """Describe this API: OpenAPI 3.1."""
        del caller
        return answer(request, self._body)


def build(features: list[Routes]) -> tuple[FastAPI, dict[str, Any]]:
    """The routes, and their description.

    Args:
        features: whose routes.

    Raises:
        UnguardedError: a route does not say which scope it asks for.
    """
    app = FastAPI(
        title="xero-stream",
        version=version("xero-stream"),
        description=_ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    described = OpenApiRoutes()
    for feature in (*features, described):
        feature.add_to(app.router)
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    for route in routes:
        guard_of(route)
    for kind, handler in (
        (ProblemError, _problem),
        (RequestValidationError, _invalid),
        (HTTPException, _http),
        *((kind, _store) for kind in (StoreUnreachableError, *STORE_ERRORS)),
        (Exception, _failed),
    ):
        app.add_exception_handler(kind, handler)
    description = describe(app, routes)
    described.take(description)
    return app, description


def guarded(app: FastAPI, *, keys: KeyRing, metrics: ConsoleMetrics, names: tuple[str, ...] = ()) -> ASGIApp:
    """The application as callers reach it.

    Args:
        app: the routes.
        keys: who may call.
        metrics: counts requests.
        names: host names by which it may be called.
    """
    compressed = GZipMiddleware(app, minimum_size=_SMALLEST_COMPRESSED, compresslevel=_LEVEL)
    return Edge(Guard(compressed, keys=keys), metrics=metrics, names=names)


def _response(request: Request, problem: ProblemError) -> Response:
    body = problem.body(request.scope[REQUEST_ID])
    return Response(body, problem.status, dict(problem.headers), media_type=MEDIA_TYPE)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return _response(request, error)


async def _store(request: Request, error: Exception) -> Response:
    return _response(request, problem_of(error))


async def _failed(request: Request, error: Exception) -> Response:
    del error  # the edge gets it too, and logs it
    return _response(request, failed())


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"at": ".".join(str(part) for part in one["loc"]), "problem": str(one["msg"])} for one in error.errors()]
    told = f"{errors[0]['at']}: {errors[0]['problem']}." if errors else "The request is not valid."
    return _response(request, invalid(told, errors))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _response(request, not_found("path"))
    if error.status_code == 400:
        return _response(request, invalid("The body is not valid JSON."))
    wrong_method = error.status_code == 405
    problem = ProblemError(
        error.status_code,
        "method_not_allowed" if wrong_method else "refused",
        f"{request.method} is not possible here." if wrong_method else "The request is refused.",
        "See /v1/openapi.json.",
        dict(error.headers or {}),
    )
    return _response(request, problem)
