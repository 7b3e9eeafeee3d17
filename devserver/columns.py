"""Lines of output in columns: time, job, run, step, and what was said."""

from __future__ import annotations

import time
import unicodedata
from typing import Final

from devserver.text import Ink

WIDEST_JOB: Final = 24
NARROWEST_JOB: Final = 8
RUN_WIDTH: Final = 6
"""The last characters of a run's id; they are random, and every command takes them for the id."""
STEP_WIDTH: Final = 5
_RUN_COLOURS: Final = ("36", "35", "34", "32", "33", "96", "95", "94")


class Columns:
    """Lays out lines. The job's column grows with the names it meets, up to :data:`WIDEST_JOB`."""

    def __init__(self, ink: Ink) -> None:
        """Take the colours."""
        self._ink = ink
        self._job_width = NARROWEST_JOB
        self._second = -1
        self._clock = ""

    def make_room(self, job: str) -> None:
        """Widen the job's column for a name."""
        self._job_width = max(self._job_width, min(WIDEST_JOB, width_of(job)))

    def lay_out(self, at: float, job: str, run: str, step: str, lines: list[str]) -> str:
        """Return text of one or more lines: the columns stand in front of the first, the others are indented.

        Args:
            at: seconds since the epoch; shown as local time.
            job: the job's id, or who else speaks.
            run: the run's id, or empty.
            step: the step's id, or empty.
            lines: what was said, safe to print.
        """
        self.make_room(job)
        ink = self._ink
        short = run[-RUN_WIDTH:]
        colour = _RUN_COLOURS[hash(short) % len(_RUN_COLOURS)] if run else "2"
        number = f"#{step}" if step else ""
        head = (
            f"{ink.dim(self._time(at))} {ink.paint(colour, self._job(job))} "
            f"{ink.paint(colour, short.ljust(RUN_WIDTH))} {ink.dim(number.ljust(STEP_WIDTH))} "
        )
        if len(lines) == 1:
            return f"{head}{lines[0]}\n"
        indent = " " * (len("12:34:56.789") + self._job_width + RUN_WIDTH + STEP_WIDTH + 4)
        return f"{head}{lines[0]}\n" + "".join(f"{indent}{line}\n" for line in lines[1:])

    def _time(self, at: float) -> str:
        second = int(at)
        if second != self._second:
            self._second = second
            self._clock = time.strftime("%H:%M:%S", time.localtime(second))
        return f"{self._clock}.{int((at - second) * 1000):03}"

    def _job(self, job: str) -> str:
        width = width_of(job)
        if width <= self._job_width:
            return job + " " * (self._job_width - width)
        kept = ""
        for char in job:
            if width_of(kept + char) > self._job_width - 1:
                break
            kept += char
        return f"{kept}…" + " " * (self._job_width - 1 - width_of(kept))


def width_of(text: str) -> int:
    """Return how many columns a terminal takes for the text."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
