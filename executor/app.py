"""Puts the executor together: one ASGI application from an engine and a hub."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.routing import Router, WebSocketRoute
from starlette.types import ASGIApp

from engine.engine import Engine
from executor.api.answers import Answer
from executor.api.call import Call
from executor.api.events import Events
from executor.api.health import Health
from executor.api.jobs import Jobs
from executor.api.openapi import make_document
from executor.api.routes import Operation, make_routes, nowhere
from executor.api.runs import Runs
from executor.api.starting import Starting
from executor.api.workers import Workers
from executor.boundary import Boundary
from executor.sessions.endpoint import WorkerEndpoint
from executor.sessions.hub import Hub
from executor.settings import Settings

WORKER_PATH = "/api/v1/worker"
OPENAPI_PATH = "/api/v1/openapi.json"


def create_app(settings: Settings, engine: Engine, hub: Hub, *, new_id: Callable[[], str] | None = None) -> ASGIApp:
    """Return the application.

    Args:
        settings: limits and the workers' token.
        engine: keeps the runs; its listener is ``hub``.
        hub: keeps the workers' sessions; it is attached to the engine here.
        new_id: makes ids for errors in the log.
    """
    hub.attach(engine)
    make_id = new_id or _new_id
    operations = list_operations(settings, engine, hub)
    document = make_document(operations)
    description = Operation(method="GET", path=OPENAPI_PATH, handler=_Document(document).show, about="This document.")
    routes = make_routes([*operations, description], body_limit=settings.body_limit, new_id=make_id)
    worker = WebSocketRoute(WORKER_PATH, WorkerEndpoint(hub, settings), name="worker")
    router = Router([*routes, worker], redirect_slashes=False, default=nowhere)
    return Boundary(router, new_id=make_id)


def list_operations(settings: Settings, engine: Engine, hub: Hub) -> list[Operation]:
    """Return the calls of the API, the most frequent first."""
    return [
        *Starting(engine, hub.validation).operations(),
        *Runs(engine, longest_wait_s=settings.longest_wait_s).operations(),
        *Events(engine).operations(),
        *Jobs(engine).operations(),
        *Workers(hub.blocked, settings.token).operations(),
        *Health(engine, hub.connected).operations(),
    ]


class _Document:
    """Serves the OpenAPI document."""

    def __init__(self, document: dict[str, object]) -> None:
        self._answer = Answer.json(document)

    async def show(self, call: Call) -> Answer:
        """Return the document."""
        call.query(())
        return self._answer


def _new_id() -> str:
    return f"err_{secrets.token_hex(6)}"
