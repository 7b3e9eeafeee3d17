"""The supervisor's view of the server's worker sessions."""

from __future__ import annotations

from collections.abc import Collection

from executor.sessions.hub import Hub


class HubSessions:
    """Implements :class:`devserver.supervisor.Sessions` over the executor's hub."""

    def __init__(self, hub: Hub) -> None:
        """Take the hub."""
        self._hub = hub

    def worker_died(self, worker_id: str) -> None:
        """Release the worker's runs at once."""
        self._hub.worker_died(worker_id)

    def drain(self, worker_id: str) -> None:
        """Give the worker nothing new."""
        self._hub.drain(worker_id)

    def jobs_of(self, worker_id: str) -> Collection[str]:
        """Return the ids of the jobs that the worker serves."""
        return next((view.jobs for view in self._hub.workers() if view.id == worker_id), ())

    @property
    def held(self) -> int:
        """Runs that all workers hold together."""
        return sum(view.held for view in self._hub.workers())
