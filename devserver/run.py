"""`trigger dev`, from start to end. What takes long to import waits until the first worker has been started."""

from __future__ import annotations

import gc
import os
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from devserver.errors import ProjectMissing
from devserver.launch import Child, Launcher, Server
from devserver.lock import DevLock
from devserver.options import DevOptions
from devserver.sockets import listen
from executor.sockets import url_of
from trigger_sdk.protocol.project import Project, find_project


def run(options: DevOptions) -> int:
    """Serve the project's jobs until somebody stops it; returns the exit code.

    0 after SIGTERM, SIGHUP or the end of whoever read the output, 130 after Ctrl-C. Needs the main thread.

    Raises:
        TriggerError: something that has to be put right before the dev server can start (``devserver.errors``,
            ``executor.errors``, ``engine.errors``, ``ProjectInvalid``); nothing is left running.
    """
    began = _process_start()
    _fill_standard_descriptors()
    project = _find(options.project)
    with ExitStack() as stack:
        lock = DevLock.acquire(project.state_folder)
        stack.callback(lock.release)
        sockets = listen(options.host, options.port)
        stack.callback(_close, sockets)
        server = Server(url=url_of(sockets[0]), token=os.urandom(32).hex())
        launcher = Launcher(project.root, server, dict(os.environ), python=options.python)
        child = launcher.start()
        stack.callback(_end, child)
        # Half a second of imports, while the worker is busy with its own.
        from devserver.sources import Sources  # noqa: PLC0415

        sources = None
        if options.reload:
            sources = Sources(project)
            sources.accept(sources.look())
        gc.disable()  # nothing that is imported becomes garbage; looking for it takes a tenth of the time
        from devserver.session import DevSession, serve_project  # noqa: PLC0415

        gc.enable()
        return serve_project(
            DevSession(
                options=options,
                project=project,
                server=server,
                sockets=sockets,
                lock=lock,
                launcher=launcher,
                child=child,
                sources=sources,
                began=began,
            )
        )


def _find(folder: Path) -> Project:
    if not folder.is_dir():
        raise ProjectMissing(f"there is no folder {folder}", hint="Name a folder of the project: --project DIR")
    project = find_project(folder)
    if project is None:
        raise ProjectMissing(
            f"neither {folder.resolve()} nor a folder above has a trigger.toml or a [tool.trigger] in pyproject.toml"
        )
    return project


def _close(sockets: list[socket.socket]) -> None:
    for listener in sockets:
        listener.close()


def _end(child: Child) -> None:
    """End the first worker, whatever happened to us; the supervisor, which took it over, has ended it already."""
    if child.process.returncode is None:
        with suppress(OSError):
            child.process.kill()
        child.process.wait()


def _fill_standard_descriptors() -> None:
    """Open what was closed of 0, 1 and 2, so that no socket or database gets such a number, and output with it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def _process_start() -> float:
    """Return when this process was started, in seconds since the epoch."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        age = 0.0
    return time.time() - age
