"""The fault plan: rules that say what goes wrong, where, how often. Pure; randomness is an argument.

A rule names an operation (and perhaps a tenant and an endpoint) and one fault. It fires always, with a probability
(``rate``), or an exact number of times (``times``), after letting ``after`` matches pass. It counts what it did, so a
test can prove that the fault it planned happened.
"""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from simulator.books.words import Endpoint
from simulator.limits.windows import Problem
from simulator.mistakes import problems


class Operation(StrEnum):
    """What a rule can spoil."""

    TOKEN = "token"  # noqa: S105 - a path, not a secret
    CONNECTIONS = "connections"
    LIST = "list"
    GET = "get"
    WRITE = "write"
    WEBHOOK = "webhook"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(_Wire):
    """Answer later: ``ms`` plus up to ``jitterMs``."""

    kind: Literal["latency"]
    ms: float = Field(default=0, ge=0)
    jitter_ms: float = Field(default=0, ge=0, alias="jitterMs")


class Status(_Wire):
    """Answer with a status. ``handled``: the request takes effect all the same (a refresh has rotated)."""

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: str | None = None
    content_type: str | None = Field(default=None, alias="contentType")
    headers: dict[str, str] = {}
    handled: bool = False


class Truncate(_Wire):
    """Cut the body after a ``fraction`` of it; the HTTP message is whole, the JSON is not."""

    kind: Literal["truncate"]
    fraction: float = Field(default=0.5, ge=0, lt=1)


class Drip(_Wire):
    """Send the body ``chunkBytes`` at a time, one every ``everyMs``."""

    kind: Literal["drip"]
    chunk_bytes: int = Field(default=256, ge=1, alias="chunkBytes")
    every_ms: float = Field(default=50, ge=0, alias="everyMs")


class Reset(_Wire):
    """Cut the connection after ``afterBytes`` of the body (0: before any answer). ``handled`` as for status."""

    kind: Literal["reset"]
    after_bytes: int = Field(default=0, ge=0, alias="afterBytes")
    handled: bool = True


class Hang(_Wire):
    """Never answer: keep the connection open until the client goes or ``seconds`` have passed. ``handled`` as for status."""

    kind: Literal["hang"]
    seconds: float = Field(default=120, gt=0)
    handled: bool = True


class Stale(_Wire):
    """Answer from the books as they were ``seconds`` ago: a replica that lags."""

    kind: Literal["stale"]
    seconds: float = Field(gt=0)


class RateLimit(_Wire):
    """Answer 429. ``retryAfter``: seconds, or any text; left out as Xero leaves it out for concurrency and the app's minute."""

    kind: Literal["rate_limit"]
    problem: Problem
    retry_after: Annotated[int, Field(ge=0)] | str | None = Field(default=None, alias="retryAfter")


class Date(_Wire):
    """Lie in the ``Date`` header by that many seconds."""

    kind: Literal["date"]
    offset_seconds: float = Field(alias="offsetSeconds")


class TokenFault(_Wire):
    """Refuse a token in OAuth's words."""

    kind: Literal["token_error"]
    error: Literal[
        "invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope", "invalid_request", "server_error"
    ]


class Firewall(_Wire):
    """A firewall answers in Xero's place: a page in HTML, none of Xero's headers, no effect, no call counted."""

    kind: Literal["firewall"]
    status: int = Field(default=403, ge=400, le=599)


class Proxy(_Wire):
    """A proxy on the way answers, as a firewall does: 407 asks for a password, 502 and 504 did not reach Xero."""

    kind: Literal["proxy"]
    status: int = Field(default=407, ge=400, le=599)


class RoleMissing(_Wire):
    """The user lacks a role: 403 with Xero's problem object and headers; the connection stays."""

    kind: Literal["role_missing"]


class ScopeMissing(_Wire):
    """The token lacks a scope: 401 with Xero's problem object and headers."""

    kind: Literal["scope_missing"]


class Drop(_Wire):
    """Lose a webhook event."""

    kind: Literal["drop"]


class Duplicate(_Wire):
    """Send a webhook event ``copies`` more times, ``afterMs`` later."""

    kind: Literal["duplicate"]
    copies: int = Field(default=1, ge=1, le=100)
    after_ms: float = Field(default=0, ge=0, alias="afterMs")


class Reorder(_Wire):
    """Let up to ``places`` later webhook events go first."""

    kind: Literal["reorder"]
    places: int = Field(default=1, ge=1, le=1000)


class Delay(_Wire):
    """Hold a webhook event back for ``ms`` plus up to ``jitterMs``."""

    kind: Literal["delay"]
    ms: float = Field(default=0, ge=0)
    jitter_ms: float = Field(default=0, ge=0, alias="jitterMs")


Fault = Annotated[
    Latency
    | Status
    | Truncate
    | Drip
    | Reset
    | Hang
    | Stale
    | RateLimit
    | Date
    | TokenFault
    | Firewall
    | Proxy
    | RoleMissing
    | ScopeMissing
    | Drop
    | Duplicate
    | Reorder
    | Delay,
    Field(discriminator="kind"),
]

_READS = frozenset({Operation.LIST, Operation.GET})
_RECORDS = _READS | {Operation.WRITE}
_ANSWERS = _RECORDS | {Operation.CONNECTIONS, Operation.TOKEN}

APPLIES: dict[str, frozenset[Operation]] = {
    "latency": _ANSWERS,
    "status": _ANSWERS,
    "truncate": _ANSWERS,
    "drip": _ANSWERS,
    "reset": _ANSWERS,
    "hang": _ANSWERS,
    "date": _ANSWERS,
    "rate_limit": _ANSWERS,
    "stale": _READS,
    "firewall": _ANSWERS,
    "proxy": _ANSWERS,
    "role_missing": _RECORDS,
    "scope_missing": _RECORDS,
    "token_error": frozenset({Operation.TOKEN}),
    "drop": frozenset({Operation.WEBHOOK}),
    "duplicate": frozenset({Operation.WEBHOOK}),
    "reorder": frozenset({Operation.WEBHOOK}),
    "delay": frozenset({Operation.WEBHOOK}),
}
"""Which operations each kind of fault can spoil."""

ENDPOINTS = (*Endpoint, "Reports")
"""What a rule may be about."""
_WORD = {"type": "string", "enum": [operation.value for operation in Operation]}
_ONE_OR_MORE = {"anyOf": [_WORD, {"type": "array", "items": _WORD, "minItems": 1}]}


class Rule(_Wire):
    """One rule of the plan. ``operation`` may be a list; no ``tenantId`` or ``endpoint`` means all of them."""

    name: str | None = None
    operation: Annotated[tuple[Operation, ...], WithJsonSchema(_ONE_OR_MORE)] = Field(min_length=1)
    tenant_id: str | None = Field(default=None, alias="tenantId")
    endpoint: str | None = None
    rate: float | None = Field(default=None, ge=0, le=1)
    times: int | None = Field(default=None, ge=1)
    after: int = Field(default=0, ge=0)
    fault: Fault

    @model_validator(mode="before")
    @classmethod
    def _one_operation(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("operation"), str):
            return value | {"operation": [value["operation"]]}
        return value

    @field_validator("endpoint")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value.lower() not in {endpoint.lower() for endpoint in ENDPOINTS}:
            raise ValueError(f"no endpoint {value}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wrong = [operation.value for operation in self.operation if operation not in APPLIES[self.fault.kind]]
        if wrong:
            allowed = ", ".join(sorted(APPLIES[self.fault.kind]))
            raise ValueError(f"fault {self.fault.kind!r} can't spoil {', '.join(wrong)}; it can spoil: {allowed}")
        return self


class Plan(_Wire):
    """A plan of faults."""

    rules: list[Rule]


class PlanError(Exception):
    """The plan can't be understood. ``problems`` says where; ``known`` lists the words there are."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.known = {
            "operations": [operation.value for operation in Operation],
            "kinds": {kind: sorted(operations) for kind, operations in APPLIES.items()},
            "endpoints": list(ENDPOINTS),
            "fields": sorted(field.alias or name for name, field in Rule.model_fields.items()),
        }


_RULES: TypeAdapter[list[Rule]] = TypeAdapter(list[Rule])


def read_rules(document: Any) -> list[Rule]:
    """Decode ``{"rules": [...]}``.

    Raises:
        PlanError: a word isn't known or doesn't fit.
    """
    if not isinstance(document, dict) or set(document) != {"rules"}:
        raise PlanError(['the plan is {"rules": [...]}'])
    try:
        return _RULES.validate_python(document["rules"])
    except ValidationError as error:
        raise PlanError(problems(error, "rules")) from error


class _Counted:
    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.matched = 0
        self.fired = 0

    def hit(self, roll: Callable[[], float]) -> bool:
        self.matched += 1
        rule = self.rule
        if self.matched <= rule.after or (rule.times is not None and self.fired >= rule.times):
            return False
        if rule.rate is not None and roll() >= rule.rate:
            return False
        self.fired += 1
        return True


class FaultPlan:
    """The rules in force and what they did."""

    def __init__(self, rules: list[Rule] | None = None) -> None:
        self._rules = [_Counted(rule) for rule in rules or []]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def replace(self, rules: list[Rule]) -> None:
        """Other rules from now on; their counts start at nothing."""
        self._rules = [_Counted(rule) for rule in rules]

    def extend(self, rules: list[Rule]) -> None:
        """More rules."""
        self._rules += [_Counted(rule) for rule in rules]

    def remove(self, names: Collection[str]) -> None:
        """Those rules no longer; the others keep their counts.

        Args:
            names: the rules' names.
        """
        self._rules = [counted for counted in self._rules if counted.rule.name not in names]

    def names(self) -> set[str]:
        """The names of the rules that have one."""
        return {counted.rule.name for counted in self._rules if counted.rule.name is not None}

    def decide(self, operation: Operation, tenant_id: str, endpoint: str, roll: Callable[[], float]) -> list[Any]:
        """The faults that strike now, in the plan's order.

        Args:
            operation: what is being done.
            tenant_id: for whom; empty where there is none.
            endpoint: on what; empty where there is none.
            roll: draws a number from 0 up to 1.
        """
        if not self._rules:
            return []
        return [
            counted.rule.fault
            for counted in self._rules
            if operation in counted.rule.operation
            and counted.rule.tenant_id in (None, tenant_id)
            and (counted.rule.endpoint is None or counted.rule.endpoint.lower() == endpoint.lower())
            and counted.hit(roll)
        ]

    def report(self) -> dict[str, Any]:
        """The rules with how often each matched and fired; ``completed`` where all its times are done."""
        return {
            "rules": [
                counted.rule.model_dump(mode="json", by_alias=True, exclude_none=True)
                | {
                    "matched": counted.matched,
                    "fired": counted.fired,
                    "completed": counted.fired >= (counted.rule.times or 1),
                }
                for counted in self._rules
            ]
        }
