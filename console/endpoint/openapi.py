"""The API's description: OpenAPI 3.1, with every answer, and the scope that each route asks for.

``python -m console.endpoint.openapi`` prints it.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from console.access.caller import Guarded
from console.problem import MEDIA_TYPE, Problem

_PROBLEMS = {
    "400": "A parameter is wrong.",
    "401": "There is no valid API key.",
    "403": "The API key lacks the scope, or is restricted to organisations.",
    "404": "There is none, or the API key may not see it.",
    "413": "The body is too large.",
    "429": "Too many requests without a valid key came from this address.",
    "503": "The store does not answer; Retry-After says when to try again.",
}
_REF = {"$ref": "#/components/schemas/Problem"}


class UnguardedError(RuntimeError):
    """A route does not say which scope it asks for: our mistake."""


def guard_of(route: APIRoute) -> Guarded:
    """What a route asks of its callers.

    Args:
        route: of the API.

    Raises:
        UnguardedError: it says nothing.
    """
    for dependant in _all(route.dependant):
        if isinstance(dependant.call, Guarded):
            return dependant.call
    raise UnguardedError(f"{route.path} has no Guarded dependency")


def _all(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _all(one)


def describe(app: FastAPI, routes: list[APIRoute]) -> dict[str, Any]:
    """The description of the routes.

    Args:
        app: the application.
        routes: its routes.
    """
    told: dict[str, Any] = FastAPI.openapi(app)
    schemas: dict[str, Any] = told.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    told["components"]["securitySchemes"] = {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer xsk_…`"}
    }
    told["security"] = [{"apiKey": []}]
    for route in routes:
        guard = guard_of(route)
        for method in route.methods or ():
            _complete(told["paths"][route.path][method.lower()], guard, route)
    return told


def _complete(operation: dict[str, Any], guard: Guarded, route: APIRoute) -> None:
    asked = "any valid key" if guard.scope is None else f"`{guard.scope.value}`"
    operation["operationId"] = route.name if route.name not in {"all", "one"} else f"{route.name}_{route.tags[0]}"
    operation["description"] = (
        f"{operation.get('description', '').strip()}\n\n"
        f"Scope: {asked}{'; the key must not be restricted to organisations' if guard.of_all else ''}."
    )
    answers: dict[str, Any] = operation["responses"]
    answers.pop("422", None)
    for status, meaning in _PROBLEMS.items():
        if status == "404" and "{" not in route.path:
            continue
        answers.setdefault(status, {"description": meaning, "content": {MEDIA_TYPE: {"schema": _REF}}})
    answers["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    for status in ("429", "503"):
        answers[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    ok = answers.get("200")
    if ok is not None and "GET" in (route.methods or ()):
        ok["headers"] = {"ETag": {"schema": {"type": "string"}}} if route.path != "/v1/changes" else {}
        if route.path != "/v1/changes":
            answers["304"] = {"description": "The caller has it (If-None-Match)."}
