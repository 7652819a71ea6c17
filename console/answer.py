"""Answers: JSON as bytes, with an entity tag that spares callers what they have already."""

import hashlib
from base64 import urlsafe_b64encode

import orjson
from fastapi import Request, Response

JSON = "application/json"


def answer(request: Request, value: object, *, status: int = 200) -> Response:
    """A value as JSON; 304 without a body where the caller has it.

    Args:
        request: the request.
        value: bytes of JSON as they are, or what orjson encodes.
        status: of the answer.
    """
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    if request.method != "GET" or status != 200:
        return Response(body, status, media_type=JSON)
    tag = etag(body)
    if has(request.headers.get("If-None-Match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type=JSON, headers={"ETag": tag})


def etag(body: bytes) -> str:
    """A weak entity tag: the same JSON may go out compressed or not (RFC 9110, 8.8.1).

    Args:
        body: before compression.
    """
    return f'W/"{urlsafe_b64encode(hashlib.sha256(body).digest()[:16]).rstrip(b"=").decode()}"'


def has(if_none_match: str, tag: str) -> bool:
    """Whether a caller has what the tag names (weak comparison, RFC 9110, 13.1.2).

    Args:
        if_none_match: the header.
        tag: of the answer.
    """
    named = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in named or tag.removeprefix("W/") in named
