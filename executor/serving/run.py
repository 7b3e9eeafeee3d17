"""`trigger server`, from start to end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import uvloop
from starlette.types import ASGIApp

from engine.clock import SystemClock
from executor.access.admission import KeyAdmission
from executor.access.rates import Rates
from executor.access.register import Register
from executor.app import make_error_id
from executor.server import serve
from executor.serving.app import Watch, create_server_app
from executor.serving.data_folder import DataFolder
from executor.serving.databases import Databases, databases_of
from executor.serving.environments import ServedEnvironments
from executor.serving.logs import log_to
from executor.serving.metrics import Metrics
from executor.serving.options import ServerOptions
from executor.settings import Settings
from executor.sockets import bind

logger = logging.getLogger("trigger.server")

INTERRUPTED: Final = 130

Say = Callable[[str], None]
"""Takes a line for whoever started the server."""


def run(options: ServerOptions, say: Say) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code: 0, or 130 when it was interrupted twice.

    Args:
        options: the settings.
        say: takes lines for people: where the server listens, and the first admin key, once.

    Raises:
        TriggerError: something has to be put right before the server can start; nothing is left running.
    """
    os.umask(0o077)
    with ExitStack() as stack:
        folder = stack.enter_context(DataFolder.take(options.data))
        databases = databases_of(options.database, folder.path, folder.name)
        lock = databases.hold()
        if lock is not None:
            stack.enter_context(lock)
        sockets = bind(options.host, options.port)
        handler = logging.StreamHandler(sys.stderr)
        log_to(handler, options.log_level)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_serve(options, databases, sockets, say))
        finally:
            logging.getLogger().removeHandler(handler)
            for listener in sockets:
                listener.close()


@dataclass(frozen=True, slots=True)
class Opened:
    """A server that is open, and does not listen yet.

    Attributes:
        app: the application.
        settings: limits of its executors.
        environments: the environments.
        watch: says that it is stopping.
        first_key: the admin key that was made at the first start, kept nowhere; else None.
    """

    app: ASGIApp
    settings: Settings
    environments: ServedEnvironments
    watch: Watch
    first_key: str | None


@asynccontextmanager
async def opened(options: ServerOptions, databases: Databases) -> AsyncIterator[Opened]:
    """Open keys and environments while the block runs. StoreError."""
    async with AsyncExitStack() as stack:
        register = Register(databases.access(), SystemClock())
        stack.push_async_callback(register.close)
        rates = Rates(per_second=options.rate_limit, burst=options.rate_burst, clock=time.monotonic)
        admission = KeyAdmission(register, rates)
        register.on_revoked(admission.revoked)
        first = await register.prepare()
        metrics = Metrics()
        settings = Settings(token="")  # admits nobody: workers come with keys
        environments = ServedEnvironments(
            register, admission, databases.store_of, settings, metrics, new_id=make_error_id
        )
        stack.push_async_callback(environments.close)
        watch = Watch(register, environments, metrics)
        app = create_server_app(settings, register, admission, environments, watch, metrics)
        yield Opened(app, settings, environments, watch, first)


async def _serve(options: ServerOptions, databases: Databases, sockets: list[socket.socket], say: Say) -> int:
    stop = _listen_to_signals()
    async with opened(options, databases) as server:
        if server.first_key is not None:
            say(f"admin key, shown this once: {server.first_key}")
        await server.environments.start()
        async with serve(
            server.app, sockets=sockets, frame_limit=server.settings.frame_limit, grace_s=options.drain_s
        ) as serving:
            gc.freeze()  # what was imported lives as long as the process
            say(f"listening at {serving.url}")
            logger.info("listening at %s, on %s", serving.url, databases.shown)
            await stop
            server.watch.stopping = True
            logger.info("stopping: open requests get up to %g s", options.drain_s)
        logger.info("no request is open; what is to be written is written")
    logger.info("stopped")
    return 0


def _listen_to_signals() -> asyncio.Future[None]:
    """Return what is done when the server is to stop; a second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def told() -> None:
        if stop.done():
            os._exit(INTERRUPTED)
        stop.set_result(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told)
    return stop
