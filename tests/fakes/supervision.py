"""Stand-ins for what a supervisor talks to: the server's sessions, and the developer's terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from devserver.notices import Ready
from devserver.sources import Change
from trigger_sdk.protocol.problem import Problem


@dataclass
class FakeSessions:
    """Remembers what the server is told."""

    died: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    drained: list[str] = field(default_factory=list)

    def worker_died(self, worker_id: str, *, crashed: bool) -> None:
        self.died.append(worker_id)
        if crashed:
            self.crashed.append(worker_id)

    def drain(self, worker_id: str) -> None:
        self.drained.append(worker_id)

    def jobs_of(self, worker_id: str) -> list[str]:
        return ["first"]

    def held(self, worker_id: str) -> int:
        return 1


@dataclass
class FakeNotices:
    """Remembers what the developer is told."""

    reloads: list[list[Change]] = field(default_factory=list)
    ready_news: list[Ready] = field(default_factory=list)
    failures: list[tuple[Problem, bool]] = field(default_factory=list)
    crashes: list[tuple[Problem, float | None]] = field(default_factory=list)
    stuck_problems: list[Problem] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def reloading(self, changes: Sequence[Change]) -> None:
        self.reloads.append(list(changes))

    def ready(self, news: Ready) -> None:
        self.ready_news.append(news)

    def failed(self, problems: Sequence[Problem], *, old_goes_on: bool) -> None:
        self.failures += [(problem, old_goes_on) for problem in problems]

    def crashed(self, problem: Problem, *, restart_in: float | None) -> None:
        self.crashes.append((problem, restart_in))

    def stuck(self, problem: Problem) -> None:
        self.stuck_problems.append(problem)

    def cut_off(self, pid: int) -> None:
        self.cut.append(pid)

    def said(self, text: str) -> None:
        self.lines.append(text)
