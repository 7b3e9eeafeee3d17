"""What `trigger check` and `trigger lsp` take for a large project, beside ruff and mypy on the same one."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.check_project import CheckProject, Shared, write_project
from benchmarks.editor import Editor, editor
from benchmarks.figures import BenchmarkFailed, Figure
from benchmarks.process import Ended, as_installed, run_to_end
from benchmarks.setting import Setting

_CHECK: Final = (sys.executable, "-P", "-m", "trigger_cli", "check")
_TOOLS: Final = Path(sys.executable).parent
_PAUSE_S: Final = 0.3
"""Between two edits, as when somebody types slowly: the rest of the round before is done then."""

_EFFECT: Final = '    open("last.txt", "w").close()\n'
"""A line that is written into a shared function: all jobs that reach it have a finding then."""

_JOB_LINE: Final = "    value = payload.key"
"""A line of each job's body."""


@dataclass(slots=True)
class _Taken:
    """What repetitions took, by figure."""

    samples: dict[str, list[float]] = field(default_factory=dict)

    def add(self, metric: str, sample: float) -> None:
        self.samples.setdefault(metric, []).append(sample)

    def figures(self) -> Iterator[Figure]:
        units = {"s": "s", "mb": "MB", "ms": "ms", "ratio": "ratio"}
        for metric, samples in self.samples.items():
            unit = "ratio" if "_ratio" in metric else units[metric.rpartition("_")[2]]
            yield Figure.of(metric, samples, unit)


def measure(setting: Setting) -> Iterator[Figure]:
    """Check a generated project in all ways."""
    scale = setting.scale
    size = scale.checked
    project = write_project(setting.folder / "checked", size)
    larger = write_project(setting.folder / "checked-larger", replace(size, unreached=size.packages))
    _verify(project)
    _check(larger.root, cold=True)  # warms the disk
    taken = _Taken()
    for _ in range(scale.checks):
        _cold(project, larger, taken)
    _mypy(project, taken)
    for _ in range(scale.checks):
        _warm(project, taken)
        _edited(project.shared, project.root, taken)
    yield from taken.figures()
    yield from _edits(project, setting.folder / "lsp.log", scale.edits)


# --- the command line -------------------------------------------------------------------------------------------------


def _cold(project: CheckProject, larger: CheckProject, taken: _Taken) -> None:
    """Check without a cache: the project, one twice as large with the same jobs, and with ruff."""
    check = _check(project.root, cold=True)
    more = _check(larger.root, cold=True)
    ruff = _tool("ruff", ("check", "--isolated", "--no-cache", "--quiet"), project.root)
    taken.add("check_cold_cpu_s", check.cpu)
    taken.add("check_cold_wall_s", check.wall)
    taken.add("check_cold_memory_mb", check.memory)
    taken.add("check_reach_ratio", more.cpu / check.cpu)
    taken.add("ruff_cold_cpu_s", ruff.cpu)
    taken.add("check_cold_ratio_to_ruff", check.cpu / ruff.cpu)


def _mypy(project: CheckProject, taken: _Taken) -> None:
    """Check types without a cache, once: it takes longest."""
    arguments = ("--ignore-missing-imports", f"--cache-dir={os.devnull}", "--no-error-summary")
    mypy = _tool("mypy", arguments, project.root)
    check = _check(project.root, cold=True)
    taken.add("mypy_cold_cpu_s", mypy.cpu)
    taken.add("check_cold_ratio_to_mypy", check.cpu / mypy.cpu)


def _warm(project: CheckProject, taken: _Taken) -> None:
    """Check what has not changed since, with ruff and its cache as well."""
    cache = f"--cache-dir={project.root / '.ruff_cache'}"
    arguments = ("check", "--isolated", cache, "--quiet")
    _tool("ruff", arguments, project.root)
    _check(project.root)
    check = _check(project.root)
    ruff = _tool("ruff", arguments, project.root)
    taken.add("check_warm_wall_s", check.wall)
    taken.add("check_warm_cpu_s", check.cpu)
    taken.add("ruff_warm_wall_s", ruff.wall)
    taken.add("check_warm_ratio_to_ruff", check.wall / ruff.wall)


def _edited(shared: Shared, root: Path, taken: _Taken) -> None:
    """Check after one file has been edited that several jobs reach."""
    lines = shared.path.read_text().splitlines(keepends=True)
    lines.insert(shared.line, f'    logger.info("edited at %d", {time.time_ns()})\n')
    shared.path.write_text("".join(lines))
    check = _check(root)
    taken.add("check_edited_wall_s", check.wall)
    taken.add("check_edited_cpu_s", check.cpu)


def _check(root: Path, *arguments: str, cold: bool = False) -> Ended:
    if cold:
        shutil.rmtree(root / ".trigger", ignore_errors=True)
    ended = run_to_end([*_CHECK, *arguments], root, as_installed(root.parent))
    if ended.code != 1:  # there are findings
        raise BenchmarkFailed(f"trigger check ended with {ended.code}: {ended.output[-2000:]}")
    return ended


def _tool(name: str, arguments: Sequence[str], root: Path) -> Ended:
    ended = run_to_end([_TOOLS / name, *arguments, "app", "jobs"], root, os.environ)
    if ended.code not in (0, 1):
        raise BenchmarkFailed(f"{name} ended with {ended.code}: {ended.output[-2000:]}")
    return ended


def _verify(project: CheckProject) -> None:
    """Make sure that the findings are those that were put in: a check that finds nothing is fast."""
    rows = json.loads(_check(project.root, "--output-format", "json", cold=True).output)
    found = sorted((Path(row["filename"]).name, row["code"]) for row in rows)
    expected = sorted((path.name, code) for path, code in project.jobs.items() if code is not None)
    if found != expected:
        raise BenchmarkFailed(f"trigger check found {found}, not {expected}")


# --- an editor --------------------------------------------------------------------------------------------------------


def _edits(project: CheckProject, log: Path, count: int) -> Iterator[Figure]:
    """Edit a job's file, and then one that several jobs reach."""
    environment = as_installed(project.root.parent)
    job = next(path for path, code in project.jobs.items() if code is not None)
    with editor(project.root, log, environment) as one:
        one.open(job)  # compiles
    began = time.perf_counter()
    with editor(project.root, log, environment) as one:
        opened = one.open(job)
        yield Figure.of("check_lsp_first_ms", [(opened.at - began) * 1000], "ms")
        _pause(one)
        samples = _edit_job(one, job, count)
        yield _median("check_edit_lsp_ms", samples)
        one.close(job)
        own, last = _edit_shared(one, project.shared, count)
        yield _median("check_edit_shared_lsp_ms", own)
        yield _median("check_edit_shared_last_lsp_ms", last)


def _median(metric: str, samples: Sequence[float]) -> Figure:
    """Return the figure of edits that differ from each other."""
    return Figure(metric=metric, value=median(samples), unit="ms", samples=tuple(samples), repeated=False)


def _edit_job(one: Editor, path: Path, count: int) -> list[float]:
    """Type into a line of the body; return the milliseconds until the diagnostics of each text came."""
    lines = path.read_text().splitlines()
    line = lines.index(_JOB_LINE)
    samples, column = [], len(_JOB_LINE)
    for number in range(count):
        typed = f" + {number}"
        sent_at = one.replace(path, (line, column), (line, column), typed)
        column += len(typed)
        taken = one.until(one.of_text(path), f"diagnostics of {path.name}")
        assert taken[-1].codes
        samples.append((taken[-1].at - sent_at) * 1000)
        _pause(one)
    return samples


def _edit_shared(one: Editor, shared: Shared, count: int) -> tuple[list[float], list[float]]:
    """Write an effect into a function and take it out again.

    Returns:
        The milliseconds until the diagnostics of each text of the file itself came, and until those of the last of the
        jobs' files came that the effect, or its end, matters to.
    """
    path = shared.path
    one.open(path)
    _pause(one)
    own, last = [], []
    for number in range(count):
        is_in = number % 2 == 0
        end = shared.line if is_in else shared.line + 1
        sent_at = one.replace(path, (shared.line, 0), (end, 0), _EFFECT if is_in else "")
        is_of_text = one.of_text(path)
        taken = one.until(
            lambda taken: is_of_text(taken) and shared.reached_by <= {each.path for each in taken},  # noqa: B023
            f"diagnostics of {path.name} and {len(shared.reached_by)} jobs",
        )
        assert all(bool(each.codes) is is_in for each in taken if each.path in shared.reached_by)
        own.append((next(each.at for each in taken if each.path == path) - sent_at) * 1000)
        last.append((max(each.at for each in taken if each.path in shared.reached_by) - sent_at) * 1000)
        _pause(one)
    return own, last


def _pause(one: Editor) -> None:
    time.sleep(_PAUSE_S)
    one.drop()
