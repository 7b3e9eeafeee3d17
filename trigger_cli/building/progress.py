"""How far a build is: bars for what takes long on a terminal, a line each when it is over elsewhere."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.files.listing import shown_size
from trigger_cli.terminal import is_tty

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from trigger_cli.terminal import Terminal

SHOWN_AFTER = 0.5
"""Seconds; what is over sooner is never shown."""

_TITLES = {"wheels": "fetch wheels", "layers": "make layers"}
_TOLERANCE = 0.01
"""Seconds that a timer may come early."""


@dataclass(slots=True, kw_only=True)
class _Task:
    title: str
    total: int | None
    begun: float
    done: int = 0
    bar: Any = field(default=None)


class BuildProgress:
    """Shows what the parts of a build tell of themselves, from any thread; a context manager.

    Args:
        terminal: where it is shown, on its standard error.
        clock: seconds that only grow.
        has_lines: whether what took long is said where nothing can be drawn; not where programs read what is said.
    """

    def __init__(
        self, terminal: Terminal, clock: Callable[[], float] = time.monotonic, *, has_lines: bool = True
    ) -> None:
        self._has_lines = has_lines
        self._terminal = terminal
        self._clock = clock
        self._lock = threading.RLock()
        self._tasks: dict[str, _Task] = {}
        self._bars: Any = None
        self._timer: threading.Timer | None = None
        self.took: list[tuple[str, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._tasks.clear()
            self._stop()

    def start(self, name: str, total: int | None = None) -> None:
        """Something begins; see :class:`bundler.model.Progress`."""
        with self._lock:
            self._tasks[name] = _Task(title=_TITLES.get(name, name), total=total, begun=self._clock())
            if self._is_drawn:
                self._draw_in(SHOWN_AFTER)

    def advance(self, name: str, amount: int) -> None:
        """So many bytes more are done."""
        with self._lock:
            task = self._tasks.get(name)
            if task is None:
                return
            task.done += amount
            if task.bar is not None:
                self._bars.update(task.bar, completed=task.done)

    def finish(self, name: str) -> None:
        """It has ended."""
        with self._lock:
            task = self._tasks.pop(name, None)
            if task is None:
                return
            seconds = self._clock() - task.begun
            self.took.append((task.title, seconds))
            if task.bar is not None:
                self._bars.remove_task(task.bar)
                if not any(other.bar is not None for other in self._tasks.values()):
                    self._stop()  # what is said from now on is not drawn over
            elif self._has_lines and not self._is_drawn and seconds >= SHOWN_AFTER:
                size = f" {shown_size(task.done)}" if task.done else ""
                self._terminal.say(f"{task.title}{size}: {seconds:.1f} s")

    @property
    def _is_drawn(self) -> bool:
        """Whether standard error is a terminal that can be drawn over."""
        return is_tty(self._terminal.err) and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    def _draw_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = threading.Timer(seconds, self._draw)
            self._timer.daemon = True
            self._timer.start()

    def _draw(self) -> None:
        """Show bars for all that has been under way for long enough; comes in the timer's thread."""
        with self._lock:
            self._timer = None
            now = self._clock()
            hidden = [task for task in self._tasks.values() if task.bar is None]
            for task in hidden:
                if now - task.begun < SHOWN_AFTER - _TOLERANCE:
                    self._draw_in(task.begun + SHOWN_AFTER - now)
                    continue
                if self._bars is None:
                    self._bars = _bars(self._terminal)
                    self._bars.start()
                task.bar = self._bars.add_task(task.title, total=task.total, completed=task.done)

    def _stop(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def _bars(terminal: Terminal) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Size(DownloadColumn):
        """How many bytes, of what is counted in bytes."""

        def render(self, task: Any) -> Text:
            return Text() if task.total is None and not task.completed else super().render(task)

    console = Console(file=terminal.err, no_color=not terminal.err_palette.enabled)
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), Size(), TimeElapsedColumn(),
        console=console, transient=True,
    )  # fmt: skip
