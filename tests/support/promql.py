"""A small evaluator of PromQL over scraped series: what our alert rules use, and an error for everything else.

Expressions are parsed by ``promql-parser``, a port of Prometheus' own parser. An instant selector sees the last scrape of each
target, as Prometheus does with its staleness markers; ``rate`` and ``increase`` extrapolate as Prometheus does
(https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go#L67).
"""

import itertools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import promql_parser as ql
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "max": max,
    "min": min,
    "count": lambda numbers: float(len(numbers)),
}


class UnsupportedError(Exception):
    """An expression uses more of PromQL than is evaluated here."""


@dataclass(slots=True)
class Scrapes:
    """What was scraped so far: for each target the time and all series, the latest last."""

    targets: dict[tuple[str, str], list[tuple[float, Vector]]] = field(default_factory=dict)

    def add(self, job: str, instance: str, at: float, page: str | None) -> None:
        """A scrape.

        Args:
            job: the target's.
            instance: the target's.
            at: when, in seconds of any clock.
            page: what it answered; None if it did not.
        """
        target = {"job": job, "instance": instance}
        series: Vector = {_labels("up", target): float(page is not None)}
        for family in text_string_to_metric_families(page or ""):
            for sample in family.samples:
                series[_labels(sample.name, {**sample.labels, **target})] = float(sample.value)
        self.targets.setdefault((job, instance), []).append((at, series))

    def instant(self, matches: Callable[[Mapping[str, str]], bool]) -> Vector:
        """The series of the last scrapes that match."""
        return {
            labels: number
            for scrapes in self.targets.values()
            for labels, number in scrapes[-1][1].items()
            if matches(dict(labels))
        }

    def window(
        self, matches: Callable[[Mapping[str, str]], bool], since: float
    ) -> dict[Labels, list[tuple[float, float]]]:
        """The samples later than a time of all series that match."""
        found: dict[Labels, list[tuple[float, float]]] = {}
        for scrapes in self.targets.values():
            for at, series in scrapes:
                if at > since:
                    for labels, number in series.items():
                        if matches(dict(labels)):
                            found.setdefault(labels, []).append((at, number))
        return found


def evaluate(expression: str, scrapes: Scrapes, now: float) -> Vector:
    """The instant vector of an expression.

    Args:
        expression: PromQL.
        scrapes: what was scraped.
        now: the clock of the scrapes.

    Raises:
        UnsupportedError: it uses what is not evaluated here.
    """
    result = _evaluate(ql.parse(expression), scrapes, now)
    if isinstance(result, float):
        raise UnsupportedError("a number is no vector")
    return result


def _labels(name: str, labels: Mapping[str, str]) -> Labels:
    return frozenset({"__name__": name, **labels}.items())


def _evaluate(node: Any, scrapes: Scrapes, now: float) -> Vector | float:
    match node:
        case ql.NumberLiteral():
            return float(node.val)
        case ql.ParenExpr():
            return _evaluate(node.expr, scrapes, now)
        case ql.VectorSelector():
            return scrapes.instant(_matcher(node))
        case ql.Call():
            return _call(node, scrapes, now)
        case ql.AggregateExpr():
            return _aggregate(node, _vector(node.expr, scrapes, now))
        case ql.BinaryExpr():
            return _binary(node, scrapes, now)
        case _:
            pass
    raise UnsupportedError(type(node).__name__)


def _vector(node: Any, scrapes: Scrapes, now: float) -> Vector:
    return cast("Vector", _evaluate(node, scrapes, now))


def _matcher(selector: Any) -> Callable[[Mapping[str, str]], bool]:
    if selector.offset is not None or selector.at is not None:
        raise UnsupportedError("offset and @")
    wanted = {"__name__": selector.name}
    for matcher in selector.matchers.matchers:
        if matcher.op != ql.MatchOp.Equal:
            raise UnsupportedError(f"matcher {matcher.op}")
        wanted[matcher.name] = matcher.value
    return lambda labels: all(labels.get(name, "") == value for name, value in wanted.items())


def _call(node: Any, scrapes: Scrapes, now: float) -> Vector:
    (argument,) = node.args
    match node.func.name:
        case "absent":
            return {} if _vector(argument, scrapes, now) else {frozenset(): 1.0}
        case "abs":
            return {_nameless(labels): abs(number) for labels, number in _vector(argument, scrapes, now).items()}
        case "rate" | "increase" as name:
            seconds = cast("timedelta", argument.range).total_seconds()
            found = scrapes.window(_matcher(argument.vector_selector), now - seconds)
            increases = {labels: _increase(samples, now - seconds, now) for labels, samples in found.items()}
            divisor = seconds if name == "rate" else 1.0
            return {_nameless(labels): grown / divisor for labels, grown in increases.items() if grown is not None}
        case _:
            pass
    raise UnsupportedError(f"function {node.func.name}")


def _increase(samples: Sequence[tuple[float, float]], start: float, end: float) -> float | None:
    """By how much a counter grew, extrapolated to the window; None with fewer than two samples."""
    if len(samples) < 2:
        return None
    grown = samples[-1][1] - samples[0][1]
    grown += sum(one for (_, one), (_, two) in itertools.pairwise(samples) if two < one)
    sampled = samples[-1][0] - samples[0][0]
    apart = sampled / (len(samples) - 1)
    to_start, to_end = samples[0][0] - start, end - samples[-1][0]
    if grown > 0 and samples[0][1] >= 0:
        to_start = min(to_start, sampled * samples[0][1] / grown)
    extended = sampled
    extended += to_start if to_start < apart * 1.1 else apart / 2
    extended += to_end if to_end < apart * 1.1 else apart / 2
    return grown * extended / sampled


def _nameless(labels: Labels) -> Labels:
    return frozenset((name, value) for name, value in labels if name != "__name__")


def _aggregate(node: Any, vector: Vector) -> Vector:
    combine = _AGGREGATES.get(str(node.op))
    if combine is None:
        raise UnsupportedError(f"aggregation {node.op}")
    if node.modifier is not None and node.modifier.type != ql.AggModifierType.By:
        raise UnsupportedError("without")
    by = set(node.modifier.labels) if node.modifier is not None else set()
    groups: dict[Labels, list[float]] = {}
    for labels, number in vector.items():
        groups.setdefault(frozenset(pair for pair in labels if pair[0] in by), []).append(number)
    return {labels: float(combine(numbers)) for labels, numbers in groups.items()}


def _binary(node: Any, scrapes: Scrapes, now: float) -> Vector:
    if node.modifier is not None and (node.modifier.matching is not None or node.modifier.return_bool):
        raise UnsupportedError("on, ignoring and bool")
    left, right = _vector(node.lhs, scrapes, now), _evaluate(node.rhs, scrapes, now)
    word = str(node.op)
    if word in _COMPARISONS:
        holds = _COMPARISONS[word]
        if isinstance(right, float):
            return {labels: number for labels, number in left.items() if holds(number, right)}
        others = {_nameless(labels): number for labels, number in right.items()}
        pairs = {labels: others.get(_nameless(labels)) for labels in left}
        return {
            labels: left[labels] for labels, other in pairs.items() if other is not None and holds(left[labels], other)
        }
    if isinstance(right, float):
        raise UnsupportedError(f"{word} with a number")
    keys = {_nameless(labels) for labels in (right if word in {"and", "unless"} else left)}
    match word:
        case "and":
            return {labels: number for labels, number in left.items() if _nameless(labels) in keys}
        case "unless":
            return {labels: number for labels, number in left.items() if _nameless(labels) not in keys}
        case "or":
            return left | {labels: number for labels, number in right.items() if _nameless(labels) not in keys}
        case _:
            pass
    raise UnsupportedError(f"operator {word}")
