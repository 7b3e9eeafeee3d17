"""A watcher that remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from executor.watcher import RunEvent, WorkerEvent
from trigger_sdk.protocol.messages import LogLine


@dataclass
class RecordingWatcher:
    """Remembers what the executor told."""

    output: list[LogLine] = field(default_factory=list)
    runs: list[RunEvent] = field(default_factory=list)
    workers: list[WorkerEvent] = field(default_factory=list)

    def lines(self, lines: Sequence[LogLine]) -> None:
        self.output += lines

    def run_event(self, event: RunEvent) -> None:
        self.runs.append(event)

    def worker_event(self, event: WorkerEvent) -> None:
        self.workers.append(event)

    def news_of(self, run_id: str) -> list[str]:
        """Return what happened to a run, in order."""
        return [event.news for event in self.runs if event.run == run_id]
