"""What the supervisor has to tell the developer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from devserver.interpreter import Interpreter
from devserver.sources import Change
from trigger_sdk.protocol.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A worker serves.

    Attributes:
        worker: its id.
        pid: its process.
        jobs: the ids of the jobs it serves.
        seconds: from its start to here.
        interpreter: what it runs on.
        changes: the saves that caused it; empty for a first start or a restart.
        retiring: runs that workers of older code hold, and finish.
    """

    worker: str
    pid: int
    jobs: Collection[str]
    seconds: float
    interpreter: Interpreter
    changes: Sequence[Change] = ()
    retiring: int = 0


class Notices(Protocol):
    """Takes news of workers for the developer; does not wait and does not raise."""

    def reloading(self, changes: Sequence[Change]) -> None:
        """Files were saved, and a worker with the new code is starting."""

    def ready(self, news: Ready) -> None:
        """A worker serves; it takes all new runs."""

    def failed(self, problems: Sequence[Problem], *, old_goes_on: bool) -> None:
        """The code cannot be served. With no old worker that goes on, runs wait for the next save."""

    def crashed(self, problem: Problem, *, restart_in: float | None) -> None:
        """A worker ended by itself; another starts after ``restart_in`` seconds. None: it is not needed any more."""

    def stuck(self, problem: Problem) -> None:
        """A worker takes long to start."""

    def cut_off(self, pid: int) -> None:
        """A worker of older code was ended although it held runs: too many of them were left."""

    def said(self, text: str) -> None:
        """A worker wrote a line past its session."""
