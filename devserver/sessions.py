"""The supervisor's view of the server's worker sessions."""

from __future__ import annotations

from collections.abc import Collection

from executor.sessions.hub import Hub
from executor.sessions.worker import WorkerView


class HubSessions:
    """Implements :class:`devserver.supervisor.Sessions` over the executor's hub."""

    def __init__(self, hub: Hub) -> None:
        """Take the hub."""
        self._hub = hub

    def worker_died(self, worker_id: str, *, crashed: bool) -> None:
        """Release the worker's runs at once."""
        self._hub.worker_died(worker_id, crashed=crashed)

    def drain(self, worker_id: str) -> None:
        """Give the worker nothing new."""
        self._hub.drain(worker_id)

    def jobs_of(self, worker_id: str) -> Collection[str]:
        """Return the ids of the jobs that the worker serves."""
        view = self._view(worker_id)
        return view.jobs if view is not None else ()

    def held(self, worker_id: str) -> int:
        """Return how many runs the worker holds."""
        view = self._view(worker_id)
        return view.held if view is not None else 0

    @property
    def held_by_all(self) -> int:
        """Runs that all workers hold together."""
        return sum(view.held for view in self._hub.workers())

    def _view(self, worker_id: str) -> WorkerView | None:
        return next((view for view in self._hub.workers() if view.id == worker_id), None)
