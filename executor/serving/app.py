"""Puts the server together: routes about the whole server, and behind them those of the environment of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.engine import Engine
from executor.access.admission import KeyAdmission, caller_of
from executor.access.register import Register
from executor.api.answers import Answer
from executor.api.audit import Audit
from executor.api.call import Call
from executor.api.environments import Environments
from executor.api.keys import Keys
from executor.api.problems import answer_problem
from executor.api.routes import Operation, make_routes
from executor.app import describe, environment_operations, make_error_id
from executor.boundary import Boundary
from executor.errors import RequestRefused
from executor.serving.environments import ServedEnvironments
from executor.serving.metrics import CONTENT, Measured, Metrics
from executor.sessions.endpoint import refuse_handshake
from executor.sessions.hub import Hub
from executor.settings import Settings
from trigger_sdk.protocol.problem import TriggerError
from trigger_sdk.protocol.version import VERSION

LIVENESS = {
    "type": "object",
    "properties": {"status": {"enum": ["ok"]}, "version": {"type": "string"}},
    "required": ["status", "version"],
}
READINESS = {
    "type": "object",
    "properties": {
        "status": {"enum": ["ready", "stopping", "unavailable"]},
        "error": {"type": "object"},
    },
    "required": ["status"],
}


class Watch:
    """``/healthz``, ``/readyz`` and ``/metrics``.

    Args:
        register: is asked for a sign of life of its store.
        environments: know how their stores are.
        metrics: the counters.
    """

    def __init__(self, register: Register, environments: ServedEnvironments, metrics: Metrics) -> None:
        self._register = register
        self._environments = environments
        self._metrics = metrics
        self.stopping = False

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        return [
            Operation(
                method="GET", path="/healthz", handler=self.health, about="Whether the server lives.", answer=LIVENESS
            ),
            Operation(
                method="GET", path="/readyz", handler=self.ready, about="Whether the server can take requests.",
                answer=READINESS, refusals={503: "it is stopping, or a store cannot take anything now"},
            ),
            Operation(
                method="GET", path="/metrics", handler=self.show_metrics, about="Figures for Prometheus.",
                answer_content="text/plain",
            ),
        ]  # fmt: skip

    async def health(self, call: Call) -> Answer:
        """Return 200."""
        call.query(())
        return Answer.json({"status": "ok", "version": VERSION})

    async def ready(self, call: Call) -> Answer:
        """Return 200 when requests can be served. Whoever asks shows no key, and is not told where the database is."""
        call.query(())
        if self.stopping:
            return _not_ready("stopping", "server-stopping", "the server is stopping")
        problem = self._environments.problem
        if problem is not None:
            return _not_ready("unavailable", problem.code, "a store cannot take anything now; the log says more")
        try:
            await self._register.check()
        except TriggerError as error:
            return _not_ready("unavailable", error.problem.code, "the keys cannot be read now; the log says more")
        return Answer.json({"status": "ready"})

    async def show_metrics(self, call: Call) -> Answer:
        """Return the figures: all of them, or those of the key's environment."""
        call.query(())
        text = self._metrics.show(self._environments.states(), caller_of(call.scope).environment)
        return Answer(status=200, body=text.encode(), content=CONTENT)


def _not_ready(status: str, code: str, message: str) -> Answer:
    body = {"status": status, "error": {"code": code, "message": message}}
    return Answer.json(body, status=503, headers=[(b"retry-after", b"2")])


class Dispatch:
    """Passes a request on to the routes of its environment, as an ASGI application."""

    def __init__(self, admission: KeyAdmission, environments: ServedEnvironments) -> None:
        self._admission = admission
        self._environments = environments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or serve a worker."""
        try:
            caller = await self._admission.identify(scope)
            served = await self._environments.find(caller.require_environment())
        except TriggerError as error:
            if scope["type"] == "websocket":
                await refuse_handshake(receive, send, error)
            else:
                await answer_problem(error, discard=True).send(scope, receive, send)
            return
        await served.app(scope, receive, send)


def server_operations(register: Register, environments: ServedEnvironments, watch: Watch) -> list[Operation]:
    """Return the calls about the whole server."""
    return [
        *watch.operations(),
        *Keys(register, environments.require).operations(),
        *Environments(environments).operations(),
        *Audit(register).operations(),
    ]


def create_server_app(
    settings: Settings,
    register: Register,
    admission: KeyAdmission,
    environments: ServedEnvironments,
    watch: Watch,
    metrics: Metrics,
    *,
    new_id: Callable[[], str] = make_error_id,
) -> ASGIApp:
    """Return the application of `trigger server`."""
    own = server_operations(register, environments, watch)
    document = describe([*own, *_described(settings)], keyed=True)
    routes = make_routes([*own, document], admission, body_limit=settings.body_limit, new_id=new_id)
    router = Router(routes, redirect_slashes=False, default=Dispatch(admission, environments))
    return Measured(Boundary(router, new_id=new_id, check=_anybody), metrics)


def _described(settings: Settings) -> list[Operation]:
    """Return the calls of an environment for their description; there is none yet, and they are never called."""
    return environment_operations(settings, cast("Engine", None), Hub(settings))


def _anybody(scope: Scope) -> RequestRefused | None:
    """Refuse nobody: a page in a browser has no key to send, and no header of ours lets it read an answer."""
    del scope
    return None
