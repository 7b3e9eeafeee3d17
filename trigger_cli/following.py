"""Waiting for a run while telling what it does."""

from __future__ import annotations

import time
from collections.abc import Callable

from trigger_cli.api.client import Api, Json
from trigger_cli.errors import WaitTimedOut
from trigger_cli.rendering.style import Glyphs, Palette
from trigger_cli.rendering.text import one_line
from trigger_cli.rendering.timeline import render_log
from trigger_cli.rendering.values import format_duration
from trigger_cli.rendering.view import LogView, RunView, StepView

_FIRST_LOOK_S = 0.1
_LAST_LOOK_S = 2.0


class Follower:
    """Follows one run: waits at the server, and says what is new of steps and logs.

    Args:
        api: the server.
        say: takes one line of talk.
        palette: colours of the lines.
        glyphs: symbols of the lines.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        api: Api,
        say: Callable[[str], None],
        *,
        palette: Palette,
        glyphs: Glyphs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._say = say
        self._palette = palette
        self._glyphs = glyphs
        self._clock = clock
        self._told: dict[str, tuple[str, int]] = {}
        self._lines = 0

    def until_final(self, run_id: str, timeout: float | None) -> Json:
        """Return the run once it has ended.

        Args:
            run_id: the run.
            timeout: seconds after which to give up, or None.

        Raises:
            WaitTimedOut: it goes on; nothing is done to it.
        """
        deadline = None if timeout is None else self._clock() + timeout
        pause = _FIRST_LOOK_S
        while True:
            left = None if deadline is None else deadline - self._clock()
            data = self._api.run(run_id, wait=pause if left is None else max(0.0, min(pause, left)))
            run = RunView.read(data)
            news = self._tell(run)
            if run.final:
                return data
            if left is not None and left <= 0:
                raise WaitTimedOut(
                    f"{run_id} is still {run.state} after {format_duration(timeout or 0)}; it goes on",
                    hint=f"watch it: trigger runs show {run_id} --watch",
                )
            # The server answers at once when the run ends: the pause only delays what is told on the way.
            pause = _FIRST_LOOK_S if news else min(pause * 2, _LAST_LOOK_S)

    def _tell(self, run: RunView) -> bool:
        """Say what is new; returns whether there was something."""
        origin = run.started_at if run.started_at is not None else run.created_at
        news: list[tuple[float, str]] = []
        for data in self._api.steps(run.id):
            step = StepView.read(data)
            if self._told.get(step.id) != (step.state, step.attempts):
                self._told[step.id] = (step.state, step.attempts)
                news.append(self._step_line(step, origin))
        lines = [LogView.read(line) for line in self._api.logs(run.id)]
        news.extend((line.at, render_log(line, origin=origin, palette=self._palette)) for line in lines[self._lines :])
        self._lines = len(lines)
        for _, text in sorted(news, key=lambda item: item[0]):
            self._say(text)
        return bool(news)

    def _step_line(self, step: StepView, origin: float) -> tuple[float, str]:
        at = step.finished_at or step.started_at or origin
        symbol = self._palette.of_state(step.state, self._glyphs.of_state(step.state))
        parts = [self._palette.dim(f"+{max(0.0, at - origin):.3f}s".rjust(9)), symbol, step.id, one_line(step.title)]
        if step.finished_at is not None and step.started_at is not None:
            parts.append(self._palette.dim(format_duration(step.finished_at - step.started_at)))
        else:
            parts.append(self._palette.of_state(step.state, step.state))
        if step.error is not None and step.state != "completed":
            parts.append(self._palette.red(one_line(step.error.headline())))
        return at, " ".join(parts)
