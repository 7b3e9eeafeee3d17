"""The running dev server: engine, API, supervisor and watch on one loop, from the first worker to the last line."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass

import uvloop

from devserver.checking.process import CheckProcess
from devserver.checking.reloads import ReloadChecks
from devserver.launch import Child, Launcher, Server
from devserver.lock import DevInfo, DevLock
from devserver.options import DevOptions
from devserver.screen import Screen
from devserver.sessions import HubSessions
from devserver.sources import CONFIGURATION, Change, Sources
from devserver.supervisor import Supervisor
from devserver.terminal import Terminal
from devserver.text import Ink, safe_lines, wants_colour
from devserver.watch import SourceWatch
from engine.engine import Engine
from engine.model import Settings as EngineSettings
from engine.store.sqlite import SqliteStore
from executor.app import create_app
from executor.server import serve
from executor.sessions.hub import Hub
from executor.settings import Settings
from trigger_sdk.protocol.problem import Problem, TriggerError
from trigger_sdk.protocol.project import Project, load_project

logger = logging.getLogger("trigger.dev")

DATABASE = "dev.db"

STORE_LOOK_S = 1.0
"""Seconds between looks at whether the database takes writes."""

LAST_WORDS_S = 1.0
"""Seconds that a slow terminal gets for what was said last."""

INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class DevSession:
    """What was prepared before there was a loop.

    Attributes:
        options: what the developer chose.
        project: the project as configured at the start.
        server: where workers connect to.
        sockets: what to listen on.
        lock: the right to serve the project.
        launcher: starts workers.
        child: the first worker.
        sources: the project's files as the first worker reads them, or None when nothing is reloaded.
        began: when the command was started, in seconds since the epoch.
    """

    options: DevOptions
    project: Project
    server: Server
    sockets: Sequence[socket.socket]
    lock: DevLock
    launcher: Launcher
    child: Child
    sources: Sources | None
    began: float


def serve_project(session: DevSession) -> int:
    """Run the dev server until it is stopped; returns the exit code. TriggerError when it cannot start."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(session))


async def _serve(session: DevSession) -> int:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not stop.done():
            stop.set_result(code)

    def nobody_reads() -> None:
        with suppress(RuntimeError):  # the loop is closed: we are ending anyway
            loop.call_soon_threadsafe(end, 0)

    screen = Screen(_standard_output(), nobody_reads)
    terminal = Terminal(screen.write, Ink(enabled=_is_coloured(session.options)), began=session.began)
    hub = Hub(Settings(token=session.server.token), terminal)
    log = _LogLines(terminal)
    logging.getLogger().addHandler(log)
    try:
        return await _DevServer(session, terminal, hub, stop, end).run()
    finally:
        logging.getLogger().removeHandler(log)
        await asyncio.to_thread(screen.close, LAST_WORDS_S)


class _DevServer:
    """The parts, and the order in which they come up and go down.

    Args:
        session: what was prepared.
        terminal: where things are told.
        hub: the workers' sessions.
        stop: done with the exit code when it is to stop.
        end: completes ``stop``, once.
    """

    def __init__(
        self,
        session: DevSession,
        terminal: Terminal,
        hub: Hub,
        stop: asyncio.Future[int],
        end: Callable[[int], None],
    ) -> None:
        self._session = session
        self._terminal = terminal
        self._hub = hub
        self._stop = stop
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._sessions = HubSessions(hub)
        self._checks = _checks_of(session, terminal) if session.options.check else None
        self._supervisor = Supervisor(session.launcher.start, self._sessions, self._checks or terminal)
        self._import_roots = session.project.import_roots
        self._background: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> int:
        """Come up, serve, go down; returns the exit code."""
        session = self._session
        self._listen_to_signals()
        try:
            store = SqliteStore(session.project.state_folder / DATABASE)
            engine = await Engine.open(store, listener=self._hub, settings=EngineSettings(durability="normal"))
            try:
                app = create_app(Settings(token=session.server.token), engine, self._hub)
                async with serve(app, sockets=session.sockets):
                    self._up(engine)
                    await asyncio.wait((self._stop, self._supervisor.hopeless), return_when=asyncio.FIRST_COMPLETED)
                    await self._down()
            finally:
                await self._supervisor.stop(0)
                self._hub.close()
                await engine.close()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._loop.remove_signal_handler(number)
        if self._supervisor.hopeless.done():
            raise self._supervisor.hopeless.result()
        return self._stop.result()

    def _up(self, engine: Engine) -> None:
        session = self._session
        session.lock.publish(DevInfo(url=session.server.url, pid=os.getpid(), token=session.server.token))
        self._supervisor.adopt(session.child)
        interpreter = session.child.interpreter
        self._terminal.banner(
            {
                "project": f"{session.project.name} in {session.project.root}",
                "api": session.server.url,
                "python": f"{interpreter.path} ({interpreter.origin})",
                "reload": "when a file is saved" if session.sources is not None else "off",
            }
        )
        for note in session.project.notes:
            self._terminal.say(f"note: {note}")
        self._keep("store", self._look_at_store(engine))
        if session.sources is not None:
            self._watch(session.sources)
        gc.freeze()  # what was imported lives as long as the process

    async def _down(self) -> None:
        if self._checks is not None:
            await self._checks.close()
        for task in self._background.values():
            task.cancel()
        grace = self._session.options.stop_grace
        held = self._sessions.held_by_all
        if held and grace and self._stop.done():
            runs = "1 run gets" if held == 1 else f"{held} runs get"
            self._terminal.say(f"stopping: {runs} up to {grace:g} s to come to a step's end; Ctrl-C again stops now")
        await self._supervisor.stop(grace)
        if self._stop.done():
            self._terminal.say("stopped; what had not ended goes on at the next start")

    # --- stopping -----------------------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        self._loop.add_signal_handler(signal.SIGINT, self._interrupted, INTERRUPTED)
        self._loop.add_signal_handler(signal.SIGTERM, self._interrupted, 0)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # started by nohup
            self._loop.add_signal_handler(signal.SIGHUP, self._end, 0)

    def _interrupted(self, code: int) -> None:
        """Stop in order the first time, and at once the second."""
        if not self._stop.done():
            self._end(code)
            return
        self._supervisor.kill_all()
        self._session.lock.release()
        os._exit(INTERRUPTED)

    # --- watching -----------------------------------------------------------------------------------------------

    def _watch(self, sources: Sources) -> None:
        watch = SourceWatch(
            sources,
            self._saved,
            lambda problem: self._terminal.show_problem(problem, label="warning"),
        )
        self._keep("watch", watch.run())

    def _saved(self, changes: Sequence[Change]) -> None:
        self._supervisor.reload(changes)
        if any(change.path in CONFIGURATION for change in changes):
            self._loop.call_soon(self._follow_configuration)

    def _follow_configuration(self) -> None:
        """Watch other folders when the configuration says so; a broken one was shown by whoever started the worker."""
        with suppress(TriggerError):
            project = load_project(self._session.project.root)
            if project.import_roots != self._import_roots:
                self._import_roots = project.import_roots
                sources = Sources(project)
                sources.accept(sources.look())
                self._watch(sources)

    async def _look_at_store(self, engine: Engine) -> None:
        shown: Problem | None = None
        while True:
            await asyncio.sleep(STORE_LOOK_S)
            problem = engine.problem
            if problem is not None and shown is None:
                self._terminal.show_problem(problem)
            elif problem is None and shown is not None:
                self._terminal.say("the database takes writes again; everything that waited goes on")
            shown = problem

    def _keep(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Run something in the background, in place of what ran under that name."""
        if name in self._background:
            self._background[name].cancel()
        task = self._background[name] = self._loop.create_task(work)
        task.add_done_callback(_report_failure)


def _checks_of(session: DevSession, terminal: Terminal) -> ReloadChecks:
    python = session.child.interpreter.path if session.options.python is not None else ""
    return ReloadChecks(
        session.project.root,
        terminal,
        terminal,
        lambda: CheckProcess(os.environ, sys.path),
        python=python,
        is_coloured=_is_coloured(session.options),
    )


def _is_coloured(options: DevOptions) -> bool:
    return not options.plain and wants_colour(sys.stdout, os.environ)


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("a part of the dev server failed; restart it to have it back", exc_info=task.exception())


class _LogLines(logging.Handler):
    """Shows what our own code and its libraries log, from warnings upwards."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.WARNING)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        try:
            first, *more = safe_lines(self.format(record))
            self._terminal.say(f"{record.levelname.lower()}: {first}", *more)
        except Exception:  # noqa: BLE001 - logging must not break the caller
            self.handleError(record)


def _standard_output() -> int | None:
    """Return the descriptor of standard output; None when it was closed, and the number may be another file's."""
    if sys.stdout is None:
        return None
    sys.stdout.flush()
    return sys.stdout.fileno()
