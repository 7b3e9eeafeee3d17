"""What the engine tells the executor."""

from __future__ import annotations

from typing import Protocol

from engine.model import Assignment
from trigger_sdk.protocol.entries import Entry


class Listener(Protocol):
    """News of runs and for the workers' sessions, on the server's loop, after the commit, in the order of the commits.

    The order holds with respect to the answers of ``append``, ``suspend`` and ``finish`` too, provided that these are
    awaited directly or followed by ``add_done_callback``: their callbacks run before any news of a later commit.
    The methods only put messages into outgoing queues: they do not wait and do not raise.
    """

    def created(self, run_id: str, job: str) -> None:
        """There is a new run of a job, whoever asked for it."""

    def ended(self, run_id: str, token: int) -> None:
        """A run ended that no worker held: it expired, was canceled before it started, or timed out while it waited."""

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        """Start these runs."""

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        """Deliver entries to a run.

        They are the engine's own, except after a reconnection, where every delivered kind with a ``seq`` above the
        held run's ``seen`` comes in order, the worker's own among them.
        """

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        """The lease is over: the run ended or went to another; the worker drops it and writes nothing more."""
