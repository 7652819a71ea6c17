"""Errors as callers see them: problem details of RFC 9457, with a hint. Pure.

``type`` is ``urn:xero-stream:problem:CODE``; ``code`` is the same word for programs, ``hint`` says what to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A problem (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="`urn:xero-stream:problem:` and the code.")
    title: str = Field(description="The same for every problem of this type.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong with this request.")
    code: str = Field(description="One word for programs.")
    hint: str = Field(description="What to do.")
    request_id: str = Field(description="Names the request in the console's log.")


@dataclass(slots=True)
class ProblemError(Exception):
    """A request that is answered with a problem.

    Attributes:
        status: of HTTP.
        code: snake_case word.
        detail: what is wrong, one sentence.
        hint: what to do, one sentence.
        headers: more headers of the answer.
        more: more members of the problem.
    """

    status: int
    code: str
    detail: str
    hint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def body(self, request_id: str) -> bytes:
        """The problem as JSON.

        Args:
            request_id: of the request.
        """
        return orjson.dumps(
            {
                "type": f"urn:xero-stream:problem:{self.code}",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
                "code": self.code,
                "hint": self.hint,
                "request_id": request_id,
                **self.more,
            }
        )


def unauthorised() -> ProblemError:
    """No key, or one that opens nothing. It does not say which: a stranger learns nothing about keys that exist."""
    return ProblemError(
        401,
        "unauthorised",
        "The request has no API key that is valid.",
        "Send the header `Authorization: Bearer xsk_…`; make a key with `xero-stream api-keys create`.",
        {"WWW-Authenticate": 'Bearer realm="xero-stream"'},
    )


def too_many_tries(seconds: int) -> ProblemError:
    """Too many requests without a valid key came from one address.

    Args:
        seconds: when the next one is looked at.
    """
    return ProblemError(
        429,
        "too_many_tries",
        "Too many requests without a valid API key came from this address.",
        "Wait as long as Retry-After says, then send a valid key.",
        {"Retry-After": str(seconds)},
    )


def forbidden(scope: str) -> ProblemError:
    """The key lacks a scope.

    Args:
        scope: which.
    """
    return ProblemError(
        403,
        "scope_missing",
        f"The API key has no scope {scope}.",
        f"Use a key that was made with `--scope {scope}`.",
    )


def restricted() -> ProblemError:
    """The key is restricted to organisations, and what was asked for concerns all."""
    return ProblemError(
        403,
        "key_restricted",
        "The API key is restricted to some organisations; this concerns all of them.",
        "Use a key without `--tenant` and `--customer-ref`.",
    )


def not_found(what: str) -> ProblemError:
    """There is none, or the key may not see it: the same answer for both.

    Args:
        what: with its article.
    """
    return ProblemError(
        404, "not_found", f"There is no such {what}, or the API key may not see it.", "Check the id and the key."
    )


def invalid(detail: str, errors: list[dict[str, Any]] | None = None) -> ProblemError:
    """The request can't be understood.

    Args:
        detail: one sentence.
        errors: where it is wrong: ``at`` and ``problem`` of each place.
    """
    return ProblemError(
        400,
        "invalid_request",
        detail,
        "Correct the parameters named; /v1/openapi.json describes them.",
        more={"errors": errors} if errors else {},
    )


def too_large(limit: int) -> ProblemError:
    """The body is larger than any that is read.

    Args:
        limit: bytes.
    """
    return ProblemError(
        413, "too_large", f"The body is larger than {limit} bytes.", "Send a smaller one.", {"Connection": "close"}
    )


def unavailable(seconds: int = 2) -> ProblemError:
    """The store does not answer now.

    Args:
        seconds: when to try again.
    """
    return ProblemError(
        503,
        "store_unavailable",
        "The store does not answer.",
        "Repeat the request after Retry-After seconds; nothing was changed.",
        {"Retry-After": str(seconds)},
    )


def failed() -> ProblemError:
    """Our mistake."""
    return ProblemError(
        500, "internal_error", "The console made a mistake.", "Look for the request_id in the console's log."
    )
