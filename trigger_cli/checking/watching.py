"""`--watch`: checks again on every save, until Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path

from analyzer.errors import CheckStale
from analyzer.language_server.tidying import Tidying
from analyzer.model import Report
from analyzer.output.formats import render
from analyzer.output.wording import severity_counts
from devserver.sources import Sources
from devserver.watch import SourceWatch
from trigger_cli.checking.options import CheckOptions
from trigger_cli.checking.run import make_view, say_problems
from trigger_cli.checking.targets import Surroundings, Target, find_targets, nothing_seen
from trigger_cli.errors import UsageProblem
from trigger_cli.rendering.problems import render_problem
from trigger_cli.terminal import Terminal
from trigger_sdk.protocol.problem import Problem, TriggerError
from trigger_sdk.protocol.project import PYPROJECT, TRIGGER_TOML


def watch(options: CheckOptions, around: Surroundings, terminal: Terminal) -> int:
    """Check, and check again when a file of the project has changed; ends with KeyboardInterrupt only.

    Raises:
        TriggerError: the first check could not be made: usage, no project, its configuration.
    """
    targets = find_targets(options, around)
    if len(targets) != 1:
        raise UsageProblem(
            "--watch takes the paths of one project", hint="Start another `trigger check --watch` for each."
        )
    asyncio.run(_Watch(options, around, terminal, targets[0]).run())
    raise AssertionError  # the watch has no end of its own


class _Watch:
    """A watch of one project."""

    def __init__(self, options: CheckOptions, around: Surroundings, terminal: Terminal, target: Target) -> None:
        self._options = options
        self._around = around
        self._terminal = terminal
        self._target: Target | None = target
        self._sources = Sources(target.project)
        self._due = asyncio.Event()
        self._touched: list[str] = []
        self._limit: Problem | None = None
        self._tidying = Tidying()

    async def run(self) -> None:
        """Check and wait, until cancelled."""
        self._sources.accept(self._sources.look())
        source_watch = SourceWatch(self._sources, self._changed, self._limited)
        async with asyncio.TaskGroup() as group:
            group.create_task(source_watch.run())
            self._due.set()
            while True:
                await self._due.wait()
                self._due.clear()
                touched, self._touched = self._touched, []
                await self._check_now(touched)
                if not gc.isenabled():
                    self._tidying.in_pause()

    def _changed(self, changes: object) -> None:
        self._touched += [change.path for change in changes]  # type: ignore[attr-defined]
        self._due.set()

    def _limited(self, problem: Problem) -> None:
        self._limit = problem
        self._due.set()

    async def _check_now(self, touched: list[str]) -> None:
        self._begin(touched)
        try:
            if self._target is None or {PYPROJECT, TRIGGER_TOML} & set(touched):
                self._target = None
                (self._target,) = find_targets(self._options, self._around)
            report = await asyncio.to_thread(self._report, self._target)
        except CheckStale:
            return
        except TriggerError as error:
            palette = self._terminal.palette
            self._end("\n".join(render_problem(error.problem, palette=palette)), "The check could not be made")
            return
        view = make_view(self._options, self._around, self._terminal, {})
        say_problems(self._terminal, report.problems, nothing_seen([self._target], report))
        self._end(render(self._options.format.value, report, view).rstrip("\n"), _headline(report))

    def _report(self, target: Target) -> Report:
        report = target.session.check(paths=_existing(target), is_stale=self._due.is_set)
        if report.has_findings:
            from analyzer.fixes import with_fixes

            report = with_fixes(report)
        return report

    # --- output -------------------------------------------------------------------------------------------------------

    def _begin(self, touched: list[str]) -> None:
        terminal = self._terminal
        names = sorted(set(touched))
        what = f" {', '.join(names[:3])}{' ...' if len(names) > 3 else ''} changed," if names else ""  # noqa: PLR2004 - a line's worth
        said = terminal.palette.dim(f"{_now()}{what} checking{terminal.glyphs.ellipsis}")
        if terminal.live:
            terminal.redraw(said)
        else:
            terminal.print_now(said)
        if self._limit is not None:
            terminal.say("\n".join(render_problem(self._limit, palette=terminal.err_palette, label="warning")))
            self._limit = None

    def _end(self, text: str, headline: str) -> None:
        said = self._terminal.palette.dim(f"{_now()} {headline}. Watching for changes, Ctrl-C ends.")
        self._terminal.print_now(f"{text}\n{said}")


def _existing(target: Target) -> list[Path] | None:
    """Return the paths that are there still: a file may be deleted while it is watched."""
    return None if target.paths is None else [path for path in target.paths if path.exists()]


def _headline(report: Report) -> str:
    return severity_counts(report.diagnostics) or "No findings"


def _now() -> str:
    return time.strftime("%H:%M:%S")
