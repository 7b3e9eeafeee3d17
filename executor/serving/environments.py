"""The environments of a server: each has an engine on a store of its own, workers of its own, and its own routes.

So nothing of one is seen in another: not by a query that forgot a condition, nor by an event, a queue or an idempotency
key of the same name (docs/decisions/0016).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.routing import Router, WebSocketRoute
from starlette.types import ASGIApp

from engine.engine import Engine
from engine.model import Settings as EngineSettings
from engine.store.interface import Store
from executor.access.admission import KeyAdmission
from executor.access.errors import EnvironmentArchived, EnvironmentUnknown
from executor.access.register import FRESH_S, Register
from executor.access.store import Environment
from executor.api.routes import make_routes, nowhere
from executor.app import environment_operations
from executor.serving.metrics import EnvironmentState, Metrics, RunCounter
from executor.sessions.endpoint import WORKER_PATH, WorkerEndpoint
from executor.sessions.hub import Hub
from executor.settings import Settings
from trigger_sdk.protocol.problem import Problem, TriggerError

logger = logging.getLogger("trigger.server")

LIMIT: Final = 100
"""Environments that are not archived. An open one costs three threads."""


@dataclass(frozen=True, slots=True)
class Served:
    """An environment that is open."""

    engine: Engine
    hub: Hub
    app: ASGIApp


class ServedEnvironments:
    """Opens environments when they are first used, and at the start those that were used before.

    Args:
        register: knows which there are.
        admission: who may use their routes.
        store_of: returns an environment's store, by its name.
        settings: of each environment's executor; its token admits nobody.
        metrics: counts.
        new_id: makes ids for errors in the log.
    """

    def __init__(
        self,
        register: Register,
        admission: KeyAdmission,
        store_of: Callable[[str], Store],
        settings: Settings,
        metrics: Metrics,
        *,
        new_id: Callable[[], str],
    ) -> None:
        self._register = register
        self._admission = admission
        self._store_of = store_of
        self._settings = settings
        self._metrics = metrics
        self._new_id = new_id
        self._open: dict[str, Served] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._upkeep: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Open the environments that were used before: their timers go on. StoreError."""
        for one in await self._register.environments():
            if one.opened_at is not None and one.archived_at is None:
                await self.find(one.name)
        self._upkeep = asyncio.create_task(self._look_after())

    async def close(self) -> None:
        """Close all engines, once what they are doing is committed."""
        self._closing = True
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        for name in list(self._open):
            await self._close(name)

    async def find(self, name: str) -> Served:
        """Return an environment, opened if it was not. EnvironmentUnknown, StoreError."""
        served = self._open.get(name)
        if served is not None:
            return served
        async with self._locks.setdefault(name, asyncio.Lock()):
            served = self._open.get(name)
            if served is not None:
                return served
            known = await self._register.environment(name)
            if known is None or known.archived_at is not None or self._closing:
                self._locks.pop(name, None)
                raise EnvironmentUnknown(
                    f"there is no environment '{name}'",
                    hint="An admin key makes previews: POST /api/v1/environments",
                )
            served = await self._open_engine(name)
            self._open[name] = served
            if known.opened_at is None:
                await self._register.mark_opened(name)
            logger.info("environment %s is open", name)
            return served

    async def _open_engine(self, name: str) -> Served:
        hub = Hub(self._settings, RunCounter(self._metrics, name))
        store = self._store_of(name)
        engine = await Engine.open(store, listener=hub, settings=EngineSettings(durability="full"))
        hub.attach(engine)
        operations = environment_operations(self._settings, engine, hub)
        routes = make_routes(operations, self._admission, body_limit=self._settings.body_limit, new_id=self._new_id)
        worker = WebSocketRoute(WORKER_PATH, WorkerEndpoint(hub, self._settings, self._admission), name="worker")
        return Served(engine, hub, Router([*routes, worker], redirect_slashes=False, default=nowhere))

    async def _close(self, name: str) -> None:
        served = self._open.pop(name, None)
        if served is not None:
            served.hub.close()
            await served.engine.close()

    # --- what the API changes -----------------------------------------------------------------------------------

    async def require(self, name: str) -> None:
        """Raise EnvironmentUnknown when there is no such environment."""
        known = await self._register.environment(name)
        if known is None or known.archived_at is not None:
            raise EnvironmentUnknown(f"there is no environment '{name}'")

    async def listed(self) -> list[Environment]:
        """Return those that are not archived."""
        return [one for one in await self._register.environments() if one.archived_at is None]

    async def create(self, name: str) -> Environment:
        """Make one, or return it when it is there. EnvironmentLimit."""
        await self._register.add_environment(name, LIMIT)
        return await self._known(name)

    async def archive(self, name: str) -> Environment:
        """Stop serving one; what it holds is kept. EnvironmentUnknown."""
        await self._register.mark_archived(name)
        await self._end(name)
        return await self._known(name)

    async def _known(self, name: str) -> Environment:
        known = await self._register.environment(name)
        if known is None:
            raise EnvironmentUnknown(f"there is no environment '{name}'")
        return known

    async def _end(self, name: str) -> None:
        async with self._locks.setdefault(name, asyncio.Lock()):
            if name in self._open:
                self._open[name].hub.end_all(EnvironmentArchived(f"the environment {name} was archived"))
                await self._close(name)
        logger.info("environment %s is archived", name)

    # --- looking ------------------------------------------------------------------------------------------------

    def states(self) -> list[EnvironmentState]:
        """Return how the open environments are."""
        return [
            EnvironmentState(
                name=name,
                workers=served.hub.connected(),
                held=sum(view.held for view in served.hub.workers()),
                available=served.engine.problem is None,
            )
            for name, served in sorted(self._open.items())
        ]

    @property
    def problem(self) -> Problem | None:
        """What is wrong with a store, or None."""
        return next((one.engine.problem for one in self._open.values() if one.engine.problem is not None), None)

    def workers(self) -> int:
        """Return how many workers are connected."""
        return sum(served.hub.connected() for served in self._open.values())

    async def _look_after(self) -> None:
        """Follow what other servers on the database change: keys revoked, environments archived."""
        while True:
            await asyncio.sleep(FRESH_S)
            try:
                await self._register.look_after(self._admission.in_use)
                for one in await self._register.environments():
                    if one.archived_at is not None and one.name in self._open:
                        await self._end(one.name)
            except TriggerError as error:
                logger.warning("keys and environments could not be looked after: %s", error)
