"""xero-python: refresh a token, then call every method of the Accounting API; a line of JSON for each call."""

import inspect
import json
import re
import sys
from datetime import UTC, datetime

from xero_python import accounting
from xero_python.api_client import ApiClient, Configuration, ModelFinder
from xero_python.api_client.deserializer import deserialize
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi

plan = json.load(open(sys.argv[1], encoding="utf-8"))
saved = {}


def tell(call, outcome, detail=""):
    print(json.dumps({"call": call, "outcome": outcome, "detail": str(detail)[:2000]}), flush=True)


def attempt(call, action):
    try:
        found = action()
    except HTTPStatusException as error:
        body = error.body if isinstance(error.body, str | bytes) else json.dumps(error.body, default=str)
        tell(call, "failed", f"{error.status} {body}")
    except Exception as error:
        tell(call, "failed", f"{type(error).__name__}: {error}")
    else:
        tell(call, "worked")
        return found
    return None


def camel(name):
    """The spelling of the plan: ``invoice_id`` → ``invoiceid``."""
    return name.replace("_", "").lower()


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def dated(body):
    """Dates as the SDK's reader of Xero's answers wants them."""
    if isinstance(body, dict):
        return {name: dated(one) for name, one in body.items()}
    if isinstance(body, list):
        return [dated(one) for one in body]
    if isinstance(body, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", body):
        moment = datetime.fromisoformat(body).replace(tzinfo=UTC)
        return f"/Date({int(moment.timestamp()) * 1000}+0000)/"
    return body


def value(given):
    if isinstance(given, dict) and "type" in given:
        return deserialize(given["type"], dated(given["body"]), ModelFinder(accounting))
    if isinstance(given, dict) and "bytes" in given:
        return given["bytes"].encode()
    if isinstance(given, dict) and "time" in given:
        return datetime.fromisoformat(given["time"])
    return given


def main():
    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token(client_id=plan["clientId"], client_secret=plan["clientSecret"])
    client = ApiClient(
        configuration,
        oauth2_token_getter=lambda: saved["token"],
        oauth2_token_saver=lambda token: saved.update(token=token),
    )
    saved["token"] = {
        "access_token": "expired",
        "refresh_token": plan["refreshToken"],
        "scope": plan["scopes"],
        "expires_in": 1800,
        "expires_at": 1.0,
        "token_type": "Bearer",
    }
    attempt("refresh_access_token", lambda: configuration.oauth2_token.refresh_access_token(client))
    attempt("get_connections", IdentityApi(client).get_connections)
    api = accounting.AccountingApi(client)
    everything = {camel(name): one for name, one in plan["parameters"].items()}
    special = {snake(name): {camel(key): one for key, one in own.items()} for name, own in plan["methods"].items()}
    for name in sorted(dir(api)):
        if name == "get_resource_url" or not re.match("(get|create|update|delete|email|post)_", name):
            continue
        own = everything | special.get(name, {})
        wanted = [
            one
            for one in inspect.signature(getattr(api, name)).parameters
            if one not in ("kwargs", "_return_http_data_only")
        ]
        given = {one: own[camel(one)] for one in wanted if own.get(camel(one)) is not None}
        attempt(
            name, lambda name=name, given=given: getattr(api, name)(**{one: value(sent) for one, sent in given.items()})
        )
    attempt("revoke_oauth2_token", client.revoke_oauth2_token)
    tell("", "done")


main()
