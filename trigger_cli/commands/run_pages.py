"""The list of runs, and the page of one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from trigger_cli.api.client import Api, Json
from trigger_cli.rendering.tables import Cell, Column, render_table
from trigger_cli.rendering.timeline import Style, render_logs, render_run
from trigger_cli.rendering.values import format_duration, format_time
from trigger_cli.rendering.view import LogView, RunView, StepView
from trigger_cli.terminal import Terminal

_LOOK_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A run as the API tells it, with its steps and, when asked for, its logs."""

    run: Json
    steps: list[Json]
    logs: list[Json] | None

    def to_json(self) -> Json:
        """Return the run with ``steps`` and ``logs`` as further keys."""
        return self.run | {"steps": self.steps} | ({} if self.logs is None else {"logs": self.logs})


def fetch_page(api: Api, run_id: str, *, with_logs: bool, wait: float | None = None) -> Page:
    """Ask for everything that a run's page shows."""
    run = api.run(run_id, wait=wait)
    return Page(run=run, steps=api.steps(run_id), logs=api.logs(run_id) if with_logs else None)


def watch_page(api: Api, run_id: str, terminal: Terminal, *, with_logs: bool, every_step: bool, quiet: bool) -> Page:
    """Return the page once the run has ended; until then draw it anew on a terminal (not when ``quiet`` or piped)."""
    page = fetch_page(api, run_id, with_logs=with_logs)
    while not RunView.read(page.run).final:
        if terminal.live and not quiet:
            terminal.redraw("\n".join(_page_lines(page, terminal, every_step=every_step)))
        page = fetch_page(api, run_id, with_logs=with_logs, wait=_LOOK_S)
    if terminal.live and not quiet:
        terminal.redraw("")
    return page


def print_page(page: Page, terminal: Terminal, *, every_step: bool) -> None:
    """Print a run's page."""
    for line in _page_lines(page, terminal, every_step=every_step):
        terminal.print(line)


def _page_lines(page: Page, terminal: Terminal, *, every_step: bool) -> list[str]:
    run = RunView.read(page.run)
    style = Style(width=terminal.width, glyphs=terminal.glyphs, palette=terminal.palette)
    if every_step:
        style = Style(width=style.width, glyphs=style.glyphs, palette=style.palette, most_steps=None)
    lines = render_run(run, [StepView.read(step) for step in page.steps], now=time.time(), style=style)
    if page.logs is not None:
        origin = run.started_at if run.started_at is not None else run.created_at
        logs = render_logs([LogView.read(line) for line in page.logs], origin=origin, palette=terminal.palette)
        lines += ["", terminal.palette.dim("logs"), *logs] if logs else ["", terminal.palette.dim("no logs")]
    return lines


def print_list(runs: Sequence[Json], terminal: Terminal) -> None:
    """Print runs as a table: times relative on a terminal, absolute when piped."""
    if not runs:
        terminal.say("no runs")
        return
    now = time.time()
    head = [
        Column(title="STATE"), Column(title="RUN"), Column(title="JOB", flexible=True), Column(title="CREATED"),
        Column(title="TOOK", right=True), Column(title="TAGS", flexible=True),
    ]  # fmt: skip
    rows = [_list_row(RunView.read(data), now, terminal) for data in runs]
    width = terminal.width if terminal.live else None
    for line in render_table(head, rows, width=width, palette=terminal.palette, ellipsis=terminal.glyphs.ellipsis):
        terminal.print(line)


def _list_row(run: RunView, now: float, terminal: Terminal) -> list[Cell]:
    took = run.duration(now)
    created = (
        f"{format_duration(max(1, round(now - run.created_at)), places=0)} ago"
        if terminal.live
        else format_time(run.created_text)
    )
    return [
        Cell(text=f"{terminal.glyphs.of_state(run.state)} {run.state}", state=run.state),
        Cell(text=run.id),
        Cell(text=run.job),
        Cell(text=created),
        Cell(text="" if took is None else format_duration(took)),
        Cell(text=", ".join(run.tags)),
    ]
