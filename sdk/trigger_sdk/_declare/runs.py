"""Starting other runs, and what is known of a run that was started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trigger_sdk._client.client import Client


class RunHandle:
    """A run that was started.

    It can be awaited, which gives the handle itself: ``handle = await job.trigger(...)`` reads alike in async code.

    Attributes:
        id: the run's id.
        existing: True when an idempotency key led to a run that was there already; False in a job's body.
    """

    __slots__ = ("_client", "existing", "id")

    def __init__(self, run_id: str, *, existing: bool = False, client: Client | None = None) -> None:
        self.id = run_id
        self.existing = existing
        self._client = client

    def retrieve(self) -> dict[str, Any]:
        """Return the run as the API shows it. For scripts and backends; in a job use ``trigger_and_wait``."""
        run: dict[str, Any] = self._connected().run(self.id)
        return run

    def result(self, timeout: float | None = None) -> Any:
        """Wait until the run is final and return its output as plain JSON values.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            TimeoutError: the run is not final yet.
            RunFailed: the run ended in another way than ``completed``.
        """
        return self._connected().result(self.id, timeout=timeout)

    def cancel(self) -> None:
        """Ask that the run be cancelled."""
        self._connected().cancel(self.id)

    def _connected(self) -> Client:
        if self._client is None:
            from trigger_sdk._client.client import Client

            self._client = Client.default()
        return self._client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunHandle) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<run {self.id}>"
