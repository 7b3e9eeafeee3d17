"""``GET /healthz``."""

from __future__ import annotations

from collections.abc import Callable

from engine.engine import Engine
from executor.api.answers import Answer
from executor.api.call import Call
from executor.api.routes import Operation
from trigger_sdk.protocol.version import VERSION

HEALTH = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ok", "degraded"]},
        "version": {"type": "string"},
        "workers": {"type": "integer"},
        "error": {"type": "object"},
    },
    "required": ["status", "version", "workers"],
}


class Health:
    """Tells whether runs can be taken."""

    def __init__(self, engine: Engine, count_workers: Callable[[], int]) -> None:
        self._engine = engine
        self._count_workers = count_workers

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        about = "Whether the server can take runs."
        refusals = {503: "the store cannot take anything now"}
        return [
            Operation(method="GET", path="/healthz", handler=self.health, about=about, answer=HEALTH, refusals=refusals)
        ]

    async def health(self, call: Call) -> Answer:
        """Return 200 when all is well, 503 with the problem when the store cannot work."""
        call.query(())
        known: dict[str, object] = {"status": "ok", "version": VERSION, "workers": self._count_workers()}
        problem = self._engine.problem
        if problem is None:
            return Answer.json(known)
        return Answer.json({**known, "status": "degraded", "error": problem.to_dict()}, status=503)
