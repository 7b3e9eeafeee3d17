"""What `trigger dev` shows: the banner, the jobs' output, news of runs and workers, problems."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from devserver.columns import Columns
from devserver.notices import Ready
from devserver.sources import Change
from devserver.text import Ink, problem_lines, safe_lines
from executor.watcher import RunEvent, WorkerEvent
from trigger_sdk.protocol.errors import ValueCorrupt
from trigger_sdk.protocol.messages import LogLine
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import error_to_json
from trigger_sdk.protocol.version import VERSION

WE: Final = "trigger"
"""Who speaks in lines of the dev server itself."""

RUNS_REMEMBERED: Final = 20_000
NAMES_SHOWN: Final = 6
TRACEBACK_LINES: Final = 12

_WORDS: Final[Mapping[str, str]] = {
    "started": "started",
    "resumed": "goes on",
    "waiting": "waits",
    "requeued": "waits for a worker: the one it was on is gone",
    "completed": "completed",
    "failed": "failed",
    "canceled": "canceled",
    "timed_out": "timed out",
    "crashed": "crashed",
    "expired": "expired in the queue",
}
"""What is said of a run; ``created`` is followed by ``started`` soon enough."""

_GOOD: Final = frozenset(("completed",))
_BAD: Final = frozenset(("failed", "crashed", "timed_out"))


class Terminal:
    """Shows everything, each line once. Implements the executor's ``Watcher`` and the supervisor's ``Notices``.

    Args:
        write: takes whole lines; must not block.
        ink: the colours.
        clock: seconds since the epoch.
        began: when the command was started, on the same clock.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        ink: Ink,
        *,
        clock: Callable[[], float] = time.time,
        began: float | None = None,
    ) -> None:
        self._write = write
        self._ink = ink
        self._clock = clock
        self._began = clock() if began is None else began
        self._jobs: frozenset[str] | None = None
        self._columns = Columns(ink)
        self._runs: OrderedDict[str, tuple[str, float | None]] = OrderedDict()

    def say(self, text: str, *more: str) -> None:
        """Show a message of the dev server itself; further lines are indented below it."""
        self._write(self._columns.lay_out(self._clock(), WE, "", "", [text, *more]))

    def show_problem(self, problem: Problem, *, label: str = "error") -> None:
        """Show a problem."""
        self.say(*problem_lines(problem, self._ink, label=label))

    def banner(self, facts: Mapping[str, str]) -> None:
        """Show what runs here, as names and values."""
        width = max(map(len, facts))
        title = f"{self._ink.bold('trigger dev')} {VERSION}"
        self._write("".join([f"{title}\n", *(f"  {self._ink.dim(n.ljust(width))}  {v}\n" for n, v in facts.items())]))

    # --- executor.watcher.Watcher -------------------------------------------------------------------------------

    def lines(self, lines: Sequence[LogLine]) -> None:
        """Show output of jobs."""
        self._write("".join(map(self._log_line, lines)))

    def run_event(self, event: RunEvent) -> None:
        """Show what became of a run."""
        if event.run not in self._runs or event.news == "started":
            began = event.at if event.news in ("created", "started") else None  # None: it began before we did
            self._runs[event.run] = (event.job, began)
            if len(self._runs) > RUNS_REMEMBERED:
                self._runs.popitem(last=False)
        job, began = self._runs[event.run]
        word = _WORDS.get(event.news)
        if word is None:
            return
        if event.news in _GOOD:
            took = f" in {_duration(event.at - began)}" if began is not None else ""
            lines = [f"{self._ink.green(word)}{took}"]
        elif event.news in _BAD:
            lines = self._failure(word, event)
        else:
            lines = [self._ink.dim(word)]
        self._write(self._columns.lay_out(event.at, job, event.run, "", lines))

    def worker_event(self, event: WorkerEvent) -> None:
        """Show what a developer may want to act on; the rest is told by the supervisor, who sees the process."""
        if event.news not in ("refused", "blocked"):
            return
        job = self._runs[event.run][0] if event.run in self._runs else "worker"
        lines = [f"{self._ink.yellow('warning:')} {safe_lines(event.message or event.news)[0]}"]
        if event.stack:
            lines += safe_lines(event.stack)
        self._write(self._columns.lay_out(event.at, job, event.run, "", lines))

    # --- devserver.notices.Notices ------------------------------------------------------------------------------

    def reloading(self, changes: Sequence[Change]) -> None:
        """Say which files were saved."""
        self.say(f"{self._ink.bold('reload:')} {describe(changes)}")

    def ready(self, news: Ready) -> None:
        """Say that a worker serves, with the jobs, or how they differ from those of the code before."""
        jobs = frozenset(news.jobs)
        for job in jobs:
            self._columns.make_room(job)
        seconds = self._clock() - self._began if self._jobs is None else news.seconds
        text = f"{self._ink.green('ready')} in {_duration(seconds)}: {_count(len(news.jobs), 'job')}"
        if self._jobs is None:
            text += f": {_names(jobs)}" if jobs else ""
        else:
            text += f"; new: {_names(jobs - self._jobs)}" if jobs - self._jobs else ""
            text += f"; gone: {_names(self._jobs - jobs)}" if self._jobs - jobs else ""
        if news.retiring:
            text += f"; {_count(news.retiring, 'run')} to be finished by the code before"
        self._jobs = jobs
        self.say(text)

    def failed(self, problems: Sequence[Problem], *, old_goes_on: bool) -> None:
        """Show why the code cannot be served, and what that means."""
        for problem in problems:
            self.show_problem(problem)
        self.say(
            "the code before this save goes on; save again to reload"
            if old_goes_on
            else "no jobs are served: runs wait until the next save that works"
        )

    def crashed(self, problem: Problem, *, restart_in: float | None) -> None:
        """Show why a worker ended, and what follows."""
        self.show_problem(problem)
        if restart_in is not None:
            when = f"in {_duration(restart_in)}" if restart_in else "now"
            self.say(f"another worker starts {when}; its runs go on from their last completed step")

    def stuck(self, problem: Problem) -> None:
        """Show where a worker hangs."""
        self.show_problem(problem, label="warning")

    def cut_off(self, pid: int) -> None:
        """Say that a worker of older code was ended."""
        self.say(f"worker of older code (pid {pid}) ended: too many were left; its runs go on with the new code")

    def said(self, text: str) -> None:
        """Show a line that did not go through a session."""
        self._write(self._columns.lay_out(self._clock(), "worker", "", "", self._safe(text)))

    # --- pieces -------------------------------------------------------------------------------------------------

    def _log_line(self, line: LogLine) -> str:
        lines = self._safe(line.text)
        if line.stream == "log" and line.level >= logging.WARNING:
            paint = self._ink.red if line.level >= logging.ERROR else self._ink.yellow
            lines[0] = f"{paint(logging.getLevelName(line.level).lower() + ':')} {lines[0]}"
        job = self._runs[line.run][0] if line.run in self._runs else ("run" if line.run else "worker")
        return self._columns.lay_out(line.at, job, line.run, line.step, lines)

    def _failure(self, word: str, event: RunEvent) -> list[str]:
        step = f" at #{event.failed_step}" if event.failed_step else ""
        error = _read_error(event.error)
        what = f"{error['type']}: {error['message']}" if error.get("type") else str(error.get("message", ""))
        lines = safe_lines(f"{word}{step}{': ' if what else ''}{what}")
        lines[0] = self._ink.red(lines[0])
        trace = safe_lines(str(error.get("traceback") or ""))[:-1]  # its last line says what the first here says
        lines += [self._ink.dim(line) for line in trace[-TRACEBACK_LINES:]]
        if error.get("hint"):
            lines.append(f"{self._ink.cyan('hint:')} {' '.join(safe_lines(str(error['hint'])))}")
        return lines

    def _safe(self, text: str) -> list[str]:
        return safe_lines(text, colours=self._ink.enabled)


def describe(changes: Sequence[Change]) -> str:
    """Return changes as text: ``jobs/a.py changed, jobs/b.py deleted and 3 more``."""
    named = ", ".join(f"{safe_lines(change.path)[0]} {change.kind}" for change in changes[:NAMES_SHOWN])
    rest = len(changes) - NAMES_SHOWN
    return f"{named} and {rest} more" if rest > 0 else named


def _read_error(value: bytes | None) -> Mapping[str, object]:
    if value is None:
        return {}
    try:
        return error_to_json(value)
    except ValueCorrupt as error:
        return {"message": error.message}


def _duration(seconds: float) -> str:
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _names(names: Collection[str]) -> str:
    shown = ", ".join(safe_lines(name)[0] for name in sorted(names)[:NAMES_SHOWN])
    rest = len(names) - NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
