"""The report of a soak: figures, and a picture of what happened when."""

import itertools
import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.robustness.experiment import Recovery
from tests.robustness.watch import Sample, Usage, slope

WARM_UP_SHARE = 0.25
"""Of a process's life: caches, pools and arenas fill up first."""
MEGABYTE = 1_048_576


def flatness(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """Per process that lived through all of it: use early and late, and growth per hour after the warm-up.

    Args:
        samples: in order.
    """
    found: dict[str, dict[str, float]] = {}
    for name in sorted({name for sample in samples for name in sample.usage}):
        lived = [(sample.at, sample.usage[name]) for sample in samples if name in sample.usage]
        if len({usage.pid for _, usage in lived}) != 1 or len(lived) < 8:
            continue
        warm = lived[int(len(lived) * WARM_UP_SHARE) :]
        found[name] = {
            "early_mb": round(_middle(warm[: len(warm) // 4], lambda u: u.resident) / MEGABYTE, 1),
            "late_mb": round(_middle(warm[-len(warm) // 4 :], lambda u: u.resident) / MEGABYTE, 1),
            "mb_per_hour": round(slope([(at, usage.resident) for at, usage in warm]) / MEGABYTE, 2),
            "descriptors_early": _middle(warm[: len(warm) // 4], lambda u: u.descriptors),
            "descriptors_late": _middle(warm[-len(warm) // 4 :], lambda u: u.descriptors),
            "tasks_early": _middle(warm[: len(warm) // 4], lambda u: u.tasks),
            "tasks_late": _middle(warm[-len(warm) // 4 :], lambda u: u.tasks),
        }
    return found


def _middle(lived: Sequence[tuple[float, Usage]], value: Callable[[Usage], float]) -> float:
    return statistics.median(value(usage) for _, usage in lived)


def figures(samples: Sequence[Sample], recoveries: Sequence[Recovery]) -> dict[str, Any]:
    """The figures of a run.

    Args:
        samples: in order.
        recoveries: one per failure.
    """
    seconds = samples[-1].at - samples[0].at
    by_name: dict[str, list[Recovery]] = {}
    for recovery in recoveries:
        by_name.setdefault(recovery.failure, []).append(recovery)
    return {
        "minutes": round(seconds / 60, 1),
        "edits": samples[-1].edits - samples[0].edits,
        "changes": samples[-1].changes - samples[0].changes,
        "changes_per_second": round((samples[-1].changes - samples[0].changes) / seconds, 1),
        "most_left": max((sample.left for sample in samples if sample.left is not None), default=None),
        "failures": len(recoveries),
        "slowest_recovery_seconds": round(max((one.recovered for one in recoveries), default=0.0), 1),
        "recoveries": {
            name: {
                "times": len(all_of_name),
                "median_seconds": round(statistics.median(one.recovered for one in all_of_name), 1),
                "slowest_seconds": round(max(one.recovered for one in all_of_name), 1),
            }
            for name, all_of_name in sorted(by_name.items())
        },
        "flatness": flatness(samples),
    }


def picture(samples: Sequence[Sample], recoveries: Sequence[Recovery]) -> Figure:
    """Throughput, what was left to do, memory, and when which failure was injected, one above the other.

    Args:
        samples: in order.
        recoveries: one per failure.
    """
    mpl.use("Agg")
    began = samples[0].at
    minutes = [(sample.at - began) / 60 for sample in samples]
    names = sorted({one.failure for one in recoveries}, reverse=True)
    rows = max(1.5, 0.16 * len(names))  # inches, for lines of 7 points
    drawing = Figure(figsize=(14, 7 + rows), layout="constrained")
    rate, left, memory, failures = drawing.subplots(4, 1, sharex=True, height_ratios=(2, 2, 2, rows))
    for name, total in (("edits in Xero", lambda s: s.edits), ("changes on Kafka", lambda s: s.changes)):
        rate.plot(minutes[1:], _per_second(samples, total), label=name, linewidth=1)
    rate.set_ylabel("per second")
    left.plot(minutes, [float("nan") if s.left is None else s.left for s in samples], color="tab:red", linewidth=1)
    left.set_ylabel("left to do")
    for name in sorted({name for sample in samples for name in sample.usage}):
        line = [s.usage[name].resident / MEGABYTE if name in s.usage else float("nan") for s in samples]
        memory.plot(minutes, line, label=name, linewidth=1)
    memory.set_ylabel("resident MB")
    for one in recoveries:
        place, start = names.index(one.failure), (one.began - began) / 60
        failures.broken_barh([(start, max(one.lasted, 1) / 60)], (place - 0.35, 0.7), color="tab:orange")
        failures.broken_barh([(start + one.lasted / 60, one.recovered / 60)], (place - 0.35, 0.7), color="tab:blue")
    failures.set_yticks(range(len(names)), names, fontsize=7)
    failures.margins(y=0.01)
    failures.set_ylabel("failure (orange), recovery (blue)")
    failures.set_xlabel("minutes")
    for axes in (rate, memory):
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    for axes in (rate, left, memory):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    return drawing


def _per_second(samples: Sequence[Sample], total: Callable[[Sample], int]) -> list[float]:
    return [(total(sample) - total(before)) / (sample.at - before.at) for before, sample in itertools.pairwise(samples)]


def write(
    folder: Path, samples: Sequence[Sample], recoveries: Sequence[Recovery], *, wrong: Sequence[str], seed: int
) -> dict[str, Any]:
    """Write ``figures.json``, ``samples.jsonl`` and ``timeline.png``; answers the figures.

    Args:
        folder: where to; made when missing.
        samples: in order.
        recoveries: one per failure.
        wrong: what did not go as it should.
        seed: of the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {"seed": seed, **figures(samples, recoveries), "wrong": list(wrong)}
    (folder / "figures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    with (folder / "samples.jsonl").open("w", encoding="utf-8") as file:
        for sample in samples:
            file.write(json.dumps(asdict(sample)) + "\n")
    picture(samples, recoveries).savefig(folder / "timeline.png", dpi=110)
    return found
