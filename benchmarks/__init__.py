"""The figures: ratios against peers in the same run, raw output under ``benchmarks/results``."""
