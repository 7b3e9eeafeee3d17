"""Puts the executor together: one ASGI application from an engine and a hub."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from starlette.routing import Router, WebSocketRoute
from starlette.types import ASGIApp

from engine.engine import Engine
from executor.access.admission import WorkerToken
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
from executor.origin import check_origin
from executor.sessions.endpoint import WORKER_PATH, WorkerEndpoint
from executor.sessions.hub import Hub
from executor.settings import Settings

OPENAPI_PATH = "/api/v1/openapi.json"


def create_app(settings: Settings, engine: Engine, hub: Hub, *, new_id: Callable[[], str] | None = None) -> ASGIApp:
    """Return the application for loopback: no keys, and guards against pages in this machine's browsers.

    Args:
        settings: limits and the workers' token.
        engine: keeps the runs; its listener is ``hub``.
        hub: keeps the workers' sessions; it is attached to the engine here.
        new_id: makes ids for errors in the log.
    """
    hub.attach(engine)
    make_id = new_id or make_error_id
    entrance = WorkerToken(settings.token)
    operations = list_operations(settings, engine, hub)
    routes = make_routes([*operations, describe(operations)], entrance, body_limit=settings.body_limit, new_id=make_id)
    worker = WebSocketRoute(WORKER_PATH, WorkerEndpoint(hub, settings, entrance), name="worker")
    router = Router([*routes, worker], redirect_slashes=False, default=nowhere)
    return Boundary(router, new_id=make_id, check=check_origin)


def list_operations(settings: Settings, engine: Engine, hub: Hub) -> list[Operation]:
    """Return the calls of the API, the most frequent first."""
    return [*environment_operations(settings, engine, hub), *Health(engine, hub.connected).operations()]


def environment_operations(settings: Settings, engine: Engine, hub: Hub) -> list[Operation]:
    """Return the calls about runs, events, jobs and workers: those of one environment."""
    return [
        *Starting(engine, hub.validation).operations(),
        *Runs(engine, longest_wait_s=settings.longest_wait_s).operations(),
        *Events(engine).operations(),
        *Jobs(engine).operations(),
        *Workers(hub.blocked).operations(),
    ]


def describe(operations: Sequence[Operation], *, keyed: bool = False) -> Operation:
    """Return the call that shows the OpenAPI document of others; ``keyed``: they need API keys."""
    document = make_document(operations, keyed=keyed)
    return Operation(method="GET", path=OPENAPI_PATH, handler=_Document(document).show, about="This document.")


class _Document:
    """Serves the OpenAPI document."""

    def __init__(self, document: dict[str, object]) -> None:
        self._answer = Answer.json(document)

    async def show(self, call: Call) -> Answer:
        """Return the document."""
        call.query(())
        return self._answer


def make_error_id() -> str:
    """Return an id for an error in the log."""
    return f"err_{secrets.token_hex(6)}"
