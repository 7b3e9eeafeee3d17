"""What the guard watches, as data: audit events that are side effects, and what may work lazily behind any line."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._runtime.frames import LIBRARY_FOLDERS

if TYPE_CHECKING:
    from types import FrameType

_FILES = (
    "open", "os.chdir", "os.chmod", "os.chown", "os.link", "os.listdir", "os.lockf", "os.mkdir", "os.remove",
    "os.rename", "os.rmdir", "os.scandir", "os.symlink", "os.truncate", "os.utime", "os.walk", "os.fwalk",
    "os.setxattr", "os.removexattr",
    "glob.glob", "glob.glob/2", "pathlib.Path.glob", "pathlib.Path.rglob",
    "shutil.chown", "shutil.copyfile", "shutil.copymode", "shutil.copystat", "shutil.copytree", "shutil.make_archive",
    "shutil.move", "shutil.rmtree", "shutil.unpack_archive", "tempfile.mkdtemp", "tempfile.mkstemp",
)  # fmt: skip
_PROCESSES = (
    "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.system", "pty.spawn", "subprocess.Popen", "signal.pthread_kill", "_thread.start_new_thread",
    "_thread.start_joinable_thread", "webbrowser.open",
)  # fmt: skip
_NETWORK = (
    "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname",
    "socket.getnameinfo", "socket.sendmsg", "socket.sendto", "http.client.connect", "http.client.send",
    "urllib.Request", "ftplib.connect", "ftplib.sendcmd", "imaplib.open", "imaplib.send", "nntplib.connect",
    "nntplib.putline", "poplib.connect", "poplib.putline", "smtplib.connect", "smtplib.send", "telnetlib.Telnet.open",
    "telnetlib.Telnet.write",
)  # fmt: skip
_OTHER = ("sqlite3.connect", "builtins.input", "time.sleep", "syslog.syslog")

EFFECTS: Final[frozenset[str]] = frozenset((*_FILES, *_PROCESSES, *_NETWORK, *_OTHER))
"""Audit events (https://docs.python.org/3/library/audit_events.html) that a body must not cause.

Creating a socket object, reading an environment variable and changing a signal handler are not among them.
"""

_LAZY_PREFIXES: Final = (
    # imports, also those of packages' data
    "importlib", "_frozen_importlib", "zipimport", "pkgutil", "pkg_resources", "zoneinfo", "encodings",
    # messages and their sources
    "logging", "loguru", "traceback", "linecache", "tokenize", "warnings", "inspect", "gettext", "locale",
    "sentry_sdk.transport", "sentry_sdk.worker", "sentry_sdk.monitor", "sentry_sdk.sessions",
    "opentelemetry.sdk", "opentelemetry.exporter",
    # tables read on first use
    "mimetypes", "uuid", "platform",
    # debuggers, coverage, finalizers
    "pdb", "bdb", "pydevd", "_pydevd_bundle", "_pydev_bundle", "debugpy", "coverage", "weakref",
)  # fmt: skip


@lru_cache(maxsize=4096)
def _is_lazy_module(name: str) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in _LAZY_PREFIXES)


def works_lazily(frame: FrameType) -> bool:
    """Tell whether what happens under ``frame`` is not the doing of the line that called it.

    So are imports, tracebacks, log handlers, and finalizers, which run wherever the garbage collector strikes.
    """
    if frame.f_code.co_name == "__del__":
        return True
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and _is_lazy_module(name)


def describe(event: str, args: tuple[Any, ...]) -> str:
    """Return what the user reads: ``open('out.csv', 'w')``, ``socket.connect(('10.0.0.1', 80))``."""
    if event == "open":
        path, mode = args[0], args[1]
        return f"open({path!r}, {mode!r})" if mode else f"os.open({path!r})"
    if event in _SECOND_TELLS:
        return f"{event}({_short(args[1])})"
    if event in {"_thread.start_new_thread", "_thread.start_joinable_thread"}:
        return "threading.Thread.start()"
    if args and isinstance(args[0], str | bytes | int | os.PathLike):
        return f"{event}({_short(args[0])})"
    return f"{event}()"


_SECOND_TELLS: Final = frozenset(
    (
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "subprocess.Popen",
        "http.client.connect",
        "ftplib.connect",
        "smtplib.connect",
        "imaplib.open",
        "poplib.connect",
    )
)
"""Events whose second argument says more than the first, which is an object or a copy of it."""


def _short(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


_HARMLESS_FILES: Final = frozenset((os.devnull, "/etc/mime.types", "/etc/localtime", "/etc/timezone"))


@lru_cache(maxsize=4096)
def is_harmless_path(path: str, *, writes: bool) -> bool:
    """Tell whether opening ``path`` needs no task: reading what was installed with the code, or the time zones."""
    if path in _HARMLESS_FILES:
        return True
    if writes:
        return False
    absolute = os.path.realpath(path)
    zones = getattr(sys.modules.get("zoneinfo"), "TZPATH", ())
    return absolute.startswith((*LIBRARY_FOLDERS, *(os.path.realpath(zone) + os.sep for zone in zones)))
