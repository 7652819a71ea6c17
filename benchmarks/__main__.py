"""``python -m benchmarks [name ...]``: run all figures, or some; each writes its raw output to ``benchmarks/results``."""

import importlib
import sys

FIGURES = {
    "receiver": "verified POST acknowledged after Kafka's ack, against FastAPI; burst of 5,000",
    "hostile": "the receiver under 400 hostile requests and generated bodies, beside good traffic",
    "latency": "webhook to change readable by a read_committed consumer",
    "calls": "calls for 1,000 events on 200 invoices",
    "throughput": "changes a second through recorder and relay",
    "memory": "receiver idle and loaded; processors with 100,000 dirty records",
    "reading": "processor time per page of invoices, against Xero's own SDK",
    "compression": "size and processor time of each codec, alone and through a broker",
    "simulator": "requests a second on one core; 100,000 invoices generated",
}


def main(arguments: list[str]) -> int:
    """Run the figures named, or all."""
    names = [argument for argument in arguments if not argument.startswith("-")] or list(FIGURES)
    options = [argument for argument in arguments if argument.startswith("-")]
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are:")
        for name, meaning in FIGURES.items():
            print(f"  {name:<12} {meaning}")
        return 2
    worst = 0
    for name in names:
        print(f"\n== {name}: {FIGURES[name]}", flush=True)
        worst = max(worst, importlib.import_module(f"benchmarks.{name}").main(options))
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
