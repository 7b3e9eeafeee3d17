"""The first process of an image: ``python -P -m trigger_sdk.container`` runs the worker, and does what an init does.

* TERM, INT, HUP, QUIT, USR1 and USR2 are passed on to the worker; INT as TERM, since the worker leaves Ctrl-C to its
  parent. A worker that is told to end drains, however often it is told.
* Processes whose parent is gone come to the first process, and are reaped.
* When the worker has ended, what it left running is told to end, and is killed after a grace.
* It exits with the worker's code; with 128 and the number of the signal that ended the worker.

With arguments they are the command that is run in the worker's place.

Environment: that of :mod:`trigger_sdk.worker`. TRIGGER_WORKER_URL must be set; TRIGGER_WORKER_ID is made up when it is
not, so that one image can be run many times.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

GRACE_SECONDS: Final = 5.0
"""How long what the worker left running may take to end."""

EXIT_ENVIRONMENT: Final = 3
EXIT_NOT_EXECUTABLE: Final = 126
EXIT_NOT_FOUND: Final = 127

_FORWARDED: Final = {
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGINT: signal.SIGTERM,
    signal.SIGHUP: signal.SIGHUP,
    signal.SIGQUIT: signal.SIGQUIT,
    signal.SIGUSR1: signal.SIGUSR1,
    signal.SIGUSR2: signal.SIGUSR2,
}


def main(arguments: list[str]) -> int:
    """Run the worker, or the command that the arguments are; returns the exit code."""
    environment = dict(os.environ)
    if not arguments:
        if not environment.get("TRIGGER_WORKER_URL"):
            return _failed(
                EXIT_ENVIRONMENT,
                "TRIGGER_WORKER_URL is not set, so the worker does not know which server to ask for runs",
                "server-not-set",
                "Set it to the server's worker sessions, ws://HOST:PORT/api/v1/worker, and TRIGGER_WORKER_TOKEN.",
            )
        environment.setdefault("TRIGGER_WORKER_ID", f"wrk_{os.urandom(8).hex()}")
        environment.setdefault("TRIGGER_PROJECT_ROOT", os.getcwd())  # noqa: PTH109 - pathlib takes longer than the rest
    # Blocked before the child is there: none is lost, and each is fetched when its turn comes.
    signal.pthread_sigmask(signal.SIG_BLOCK, {*_FORWARDED, signal.SIGCHLD})
    try:
        child = _spawn(arguments, environment)
    except OSError as error:
        code = EXIT_NOT_FOUND if isinstance(error, FileNotFoundError) else EXIT_NOT_EXECUTABLE
        name = arguments[0] if arguments else sys.executable
        hint = "Name a program that is in the image; without arguments the worker runs."
        return _failed(code, f"{name} cannot be executed: {error.strerror}", "command-not-executable", hint)
    code = _follow(child)
    _end_rest(child)
    return code


def _spawn(arguments: list[str], environment: dict[str, str]) -> int:
    """Start the child in a process group of its own; the terminal's signals come to this process alone."""
    nothing = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    command = arguments or [sys.executable, "-P", "-m", "trigger_sdk.worker"]
    return os.posix_spawnp(
        command[0], command, environment,
        # A worker takes the end of a pipe at its stdin for its parent's end, and here that may be anybody's.
        file_actions=[] if arguments else nothing,
        setpgroup=0, setsigmask=(), setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),
    )  # fmt: skip


def _follow(child: int) -> int:
    """Pass signals on and reap orphans until the child has ended; returns the exit code to pass on."""
    awaited = {*_FORWARDED, signal.SIGCHLD}
    while True:
        number = signal.sigwait(awaited)
        if number != signal.SIGCHLD:
            os.kill(child, _FORWARDED[signal.Signals(number)])  # not reaped yet: the number is still its own
            continue
        status = _reap(child)
        if status is None:
            continue
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return code
        if -code not in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            _say_killed(-code)
        return 128 - code


def _reap(child: int = 0) -> int | None:
    """Take in all processes that have ended; returns the status of the child if it is among them."""
    found = None
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if process == 0:
            return found
        if process == child:
            found = status


def _end_rest(group: int) -> None:
    """Have what is still running end, and kill it when it takes too long."""
    # -1 is everybody; only the first process of a namespace may mean that.
    others = -1 if os.getpid() == 1 else -group
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 1.0)):
        try:
            os.kill(others, number)
        except (ProcessLookupError, PermissionError):
            return
        if _are_gone(others, seconds):
            return


def _are_gone(others: int, seconds: float) -> bool:
    """Reap until nobody is left or the time is up."""
    import time

    end = time.monotonic() + seconds
    while True:
        _reap()
        try:
            os.kill(others, 0)
        except (ProcessLookupError, PermissionError):
            return True
        left = end - time.monotonic()
        if left <= 0:
            return False
        # Who is not a child of ours ends without a word to us.
        signal.sigtimedwait({signal.SIGCHLD}, min(left, 0.05))


def _say_killed(number: int) -> None:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    hint = "A crash below Python: look at the libraries written in C that the jobs use."
    if number == signal.SIGKILL:
        hint = "It may have been the system, out of memory: give the container more."
    _failed(0, f"the worker was killed by {name}", "worker-crashed", hint)


def _failed(exit_code: int, message: str, code: str, hint: str) -> int:
    """Say what is wrong where logs are collected; returns the exit code."""
    os.write(2, f"error: {message}\n  code: {code}\n  hint: {hint}\n".encode())
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
