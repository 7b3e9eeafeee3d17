"""What keeps the dev server from starting, and what it says about workers.

::

    DevError
    ├── ProjectMissing       project-missing
    ├── DevAlreadyRunning    dev-already-running
    ├── HostNotLocal         host-not-local
    ├── StateFolderUnusable  state-folder-unusable
    ├── EnvFileInvalid       env-file-invalid
    ├── InterpreterMissing   interpreter-missing
    ├── InterpreterTooOld    interpreter-too-old
    ├── SdkMissing           sdk-missing
    ├── WorkerCrashed        worker-crashed
    ├── WorkerStuck          worker-stuck
    ├── CheckFailed          check-failed
    └── WatchLimited         watch-limited
"""

from __future__ import annotations

from typing import ClassVar

from trigger_sdk.protocol.problem import TriggerError


class DevError(TriggerError):
    """The root of the dev server's errors."""


class ProjectMissing(DevError):
    """The folder does not exist, or no project is in it or above it."""

    code: ClassVar[str] = "project-missing"
    hint: ClassVar[str] = "Make a project here: trigger init"


class DevAlreadyRunning(DevError):
    """Another dev server holds the project; two would start every run twice."""

    code: ClassVar[str] = "dev-already-running"


class HostNotLocal(DevError):
    """The dev server has no accounts, so it serves this machine only."""

    code: ClassVar[str] = "host-not-local"
    hint: ClassVar[str] = "Leave --host out; to reach it from elsewhere, forward the port: ssh -L 8734:127.0.0.1:8734"


class StateFolderUnusable(DevError):
    """The project's `.trigger` folder cannot be written: read-only, no permission, the disk is full."""

    code: ClassVar[str] = "state-folder-unusable"


class EnvFileInvalid(DevError):
    """The project's `.env` has a line that is no assignment."""

    code: ClassVar[str] = "env-file-invalid"
    hint: ClassVar[str] = "Write each line as NAME=value, or as a comment that begins with #."


class InterpreterMissing(DevError):
    """The Python interpreter that the workers are to run on is not there, or cannot be executed."""

    code: ClassVar[str] = "interpreter-missing"


class InterpreterTooOld(DevError):
    """The Python interpreter that the workers are to run on is older than the SDK supports."""

    code: ClassVar[str] = "interpreter-too-old"


class SdkMissing(DevError):
    """`trigger-sdk` is not installed for the interpreter that the workers run on."""

    code: ClassVar[str] = "sdk-missing"


class WorkerCrashed(DevError):
    """A worker process ended by itself: killed, out of memory, a crash in a C extension, an exit in user code."""

    code: ClassVar[str] = "worker-crashed"


class WorkerStuck(DevError):
    """A worker has not come as far as serving for some seconds: usually a module that waits while it is imported."""

    code: ClassVar[str] = "worker-stuck"


class CheckFailed(DevError):
    """The check of what was saved ended without a result, by a fault of its own."""

    code: ClassVar[str] = "check-failed"
    hint: ClassVar[str] = "The reload is not affected. See whether `trigger check` works; --no-check does without."


class WatchLimited(DevError):
    """The system refuses to watch the project's folders; they are looked through every second instead."""

    code: ClassVar[str] = "watch-limited"
    hint: ClassVar[str] = "Raise the limit: sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512"
