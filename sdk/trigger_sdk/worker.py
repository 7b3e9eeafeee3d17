"""The worker process: ``python -P -m trigger_sdk.worker``, started by a supervisor or a launcher.

Environment:

* ``TRIGGER_WORKER_URL``, ``TRIGGER_WORKER_TOKEN``, ``TRIGGER_WORKER_ID``: the session to open;
* ``TRIGGER_API_URL``: the server's HTTP address;
* ``TRIGGER_PROJECT_ROOT``: the project;
* ``TRIGGER_WORKER_STATUS_FD``: a descriptor that takes one JSON line, ``{"status": "ready", "jobs": n}`` once the
  server has taken the session, or ``{"status": "failed", "problems": [...]}`` before the process exits with 3. Without
  it, as in a container, the problems are written to stderr for people to read.

When stdin is a pipe, its end means that the parent is gone, and the worker ends at once. SIGTERM drains; SIGUSR1 writes
the main thread's stack to stderr.
"""

from __future__ import annotations

import atexit
import faulthandler
import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from trigger_sdk._runtime.loading import Loaded
    from trigger_sdk.protocol.messages import LogLine
    from trigger_sdk.protocol.problem import Problem

EXIT_FAILED = 3


def main() -> int:
    """Run the worker; returns its exit code."""
    # A supervisor that waits for an import asks where it hangs; only a handler in C answers then.
    faulthandler.register(signal.SIGUSR1, all_threads=False)
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the parent decides
    from trigger_sdk._runtime.loading import load

    early: list[LogLine] = []
    try:
        loaded = load(Path(os.environ["TRIGGER_PROJECT_ROOT"]), early.append)
    except BaseException as error:  # noqa: BLE001 - ours or a module's sys.exit(): the supervisor must hear of it
        _show_early(early)
        return _failed([_unexpected(error)])
    if loaded.problems:
        _show_early(early)
        return _failed(loaded.problems)
    import asyncio

    code = asyncio.run(_serve(loaded, early))
    # A sync task that was given up may still occupy its thread; the interpreter would wait for it.
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no public way
    os._exit(code)


async def _serve(loaded: Loaded, early: list[LogLine]) -> int:
    import asyncio

    from trigger_sdk._runtime.watchdog import Watchdog
    from trigger_sdk._runtime.worker import Worker, WorkerSettings
    from trigger_sdk.errors import ProblemError

    environ = os.environ
    settings = WorkerSettings(
        worker_id=environ["TRIGGER_WORKER_ID"],
        url=environ["TRIGGER_WORKER_URL"],
        token=environ.get("TRIGGER_WORKER_TOKEN", ""),
        grace=loaded.project.wait_grace,
        concurrency=loaded.project.concurrency,
        task_threads=loaded.project.task_threads,
        code=loaded.code,
    )
    worker = Worker(settings, loaded.jobs, loaded.manifests, loaded.places)
    loaded.forward(worker.say)
    for line in early:
        worker.say(line)
    watchdog = Watchdog(
        worker,
        worker.loop,
        loaded.places,
        api_url=environ.get("TRIGGER_API_URL", ""),
        token=settings.token,
        worker_id=settings.worker_id,
    )
    watchdog.start()
    worker.on_busy = watchdog.wake
    worker.on_welcome = _welcome(settings.url, len(loaded.jobs))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker.drain)
    _end_with_stdin(loop)
    try:
        await worker.run()
    except ProblemError as error:
        return _failed([error.problem])
    finally:
        worker.close()
    return 0


def _welcome(url: str, jobs: int) -> Callable[[], None]:
    """Return what is done when the server has taken the session: the supervisor hears of it, or else the log does."""
    if os.environ.get("TRIGGER_WORKER_STATUS_FD"):
        return lambda: _status({"status": "ready", "jobs": jobs})
    line = f"connected to {url}, {jobs} {'job' if jobs == 1 else 'jobs'}\n".encode("utf-8", "backslashreplace")

    def tell() -> None:
        os.write(2, line)

    return tell


def _unexpected(error: BaseException) -> Problem:
    import traceback

    from trigger_sdk.protocol.problem import Problem, TriggerError

    if isinstance(error, TriggerError):
        return error.problem
    return Problem(
        code="worker-broken",
        message=f"the worker could not load the project: {type(error).__name__}: {error}",
        detail="".join(traceback.format_exception(error)),
        hint="If the traceback ends in trigger_sdk this is our bug: please report it.",
    )


def _failed(problems: list[Problem]) -> int:
    if not os.environ.get("TRIGGER_WORKER_STATUS_FD"):
        for problem in problems:
            os.write(2, _in_words(problem).encode("utf-8", "backslashreplace"))
    _status({"status": "failed", "problems": [problem.to_dict() for problem in problems]})
    return EXIT_FAILED


def _in_words(problem: Problem) -> str:
    lines = [f"error: {problem.message}", f"  code: {problem.code}"]
    lines += [f"  {name}: {value}" for name, value in (("where", problem.where), ("hint", problem.hint)) if value]
    lines += [f"  {line}" for line in problem.detail.splitlines()]
    return "\n".join(lines) + "\n"


def _status(status: dict[str, Any]) -> None:
    """Write the status line, once; without a descriptor nobody asked for it."""
    descriptor = os.environ.pop("TRIGGER_WORKER_STATUS_FD", "")
    if descriptor:
        with os.fdopen(int(descriptor), "w") as stream:
            stream.write(json.dumps(status) + "\n")


def _show_early(lines: list[LogLine]) -> None:
    """Show what modules printed while they were imported, when there will be no session to show it."""
    for line in lines:
        os.write(1, (line.text + "\n").encode())


def _die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends, however that ends."""
    if sys.platform != "linux" or not _stdin_is_pipe():
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _stdin_is_pipe() -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:
        return False


def _end_with_stdin(loop: asyncio.AbstractEventLoop) -> None:
    """End at once when the parent's end of stdin is closed: where the kernel does not do it for us."""
    if not _stdin_is_pipe():
        return

    def look() -> None:
        if not os.read(0, 4096):
            os._exit(1)

    loop.add_reader(0, look)


if __name__ == "__main__":
    sys.exit(main())
