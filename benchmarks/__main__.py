"""``python -m benchmarks``: measures, and prints one JSON line for each figure. The method: ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import (
    bundling,
    checking,
    latency,
    machine,
    parallel,
    postgres,
    recovery,
    registry,
    replay,
    sequential,
    waiting,
)
from benchmarks.figures import BenchmarkFailed, Figure
from benchmarks.limits import limits
from benchmarks.scale import PROMISED, TINY, Scale
from benchmarks.setting import Family, Setting

FAMILIES: Final[dict[str, Family]] = {
    "sequential": sequential.measure,
    "parallel": parallel.measure,
    "latency": latency.measure,
    "recovery": recovery.measure,
    "waiting": waiting.measure,
    "replay": replay.measure,
    "check": checking.measure,
    "bundle": bundling.measure,
    "postgres": postgres.measure,
    "registry": registry.measure,
}

_BUSY_LOAD: Final = 0.25
"""Load for each core, before anything is measured, above which figures are not comparable."""

_NOISY_SPREAD: Final = 0.3
"""Spread of the repetitions above which a figure is named as noisy."""


def main() -> int:
    """Measure what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the figures of the product.")
    parser.add_argument("--only", action="append", choices=FAMILIES, metavar="NAME", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write machine, samples and spread to a file")
    parser.add_argument("--tiny", action="store_true", help="sizes that only show that everything runs")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if load > _BUSY_LOAD * len(os.sched_getaffinity(0)):
        print(f"note: other processes keep this machine busy (load {load:.1f}): the figures suffer", file=sys.stderr)
    figures: list[Figure] = []
    try:
        for figure in _measure(options.only or list(FAMILIES), TINY if options.tiny else PROMISED):
            print(figure.line(), flush=True)
            figures.append(figure)
    except BenchmarkFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    noisy = [f"{one.metric} ±{one.spread / 2:.0%}" for one in figures if one.spread > _NOISY_SPREAD]
    if noisy:
        print(f"note: repetitions lie far apart: {', '.join(noisy)}", file=sys.stderr)
    if options.json is not None:
        report = {"machine": machine.describe(), "load_before": load, "figures": [one.to_dict() for one in figures]}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _measure(names: Sequence[str], scale: Scale) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="trigger-bench-") as name:
        folder = Path(name)
        with limits(folder, roundtrips=scale.roundtrips, commits=scale.commits) as raw:
            setting = Setting(folder=folder, scale=scale, limits=raw)
            for family in names:
                began = time.perf_counter()
                yield from FAMILIES[family](setting)
                print(f"{family}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
            raw.sample()
            yield from raw.figures()


if __name__ == "__main__":
    sys.exit(main())
