"""Starts a worker process. Blocking and light: the first worker starts before the server's libraries are imported."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devserver.dotenv import read_env_file
from devserver.errors import InterpreterMissing
from devserver.interpreter import Interpreter, choose_interpreter
from trigger_sdk.protocol.project import Project, load_project

HASH_SEED: Final = "0"
"""Sets iterate alike in every worker: a run that is replayed meets the order it met before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where workers connect to.

    Attributes:
        url: the API, ``http://127.0.0.1:8734``.
        token: bearer token of worker sessions.
    """

    url: str
    token: str

    @property
    def session_url(self) -> str:
        """Where worker sessions are opened, ``ws://127.0.0.1:8734/api/v1/worker``."""
        return f"{self.url.replace('http', 'ws', 1)}/api/v1/worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A worker process that was started.

    Attributes:
        worker_id: the id it opens its session with.
        process: it, with pipes for stdin, stdout and stderr.
        status: descriptor to read its status line from.
        started_at: ``time.monotonic()`` of its start.
        project: the configuration it was started for.
        interpreter: what it runs on.
    """

    worker_id: str
    process: subprocess.Popen[bytes]
    status: int
    started_at: float
    project: Project
    interpreter: Interpreter


class Launcher:
    """Starts workers of one project, with the configuration and the ``.env`` as they are at that moment."""

    def __init__(self, root: Path, server: Server, environ: Mapping[str, str], *, python: str | None = None) -> None:
        """Take the project's root, where to connect to, the environment to pass on and the ``--python`` option."""
        self._root = root
        self._server = server
        self._environ = environ
        self._python = python

    def start(self) -> Child:
        """Start a worker. Call it on the main thread: the worker ends with the thread that started it.

        Raises:
            ProjectInvalid: the configuration is broken.
            EnvFileInvalid: the ``.env`` is broken.
            InterpreterMissing: there is no interpreter to start, or the system does not execute it.
        """
        project = load_project(self._root)
        interpreter = choose_interpreter(project, self._environ, self._python)
        worker_id = f"wrk_{os.urandom(8).hex()}"
        status, status_end = os.pipe()
        try:
            environment = self._environment(worker_id, status_end)
            process = subprocess.Popen(
                [interpreter.path, "-P", "-m", "trigger_sdk.worker"],
                cwd=project.root,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(status_end,),
                process_group=0,  # Ctrl-C is ours alone, and what a worker started can be ended with it
            )
        except OSError as error:
            os.close(status)
            raise InterpreterMissing(
                f"{interpreter.path} cannot be executed: {error.strerror} ({interpreter.origin})",
                hint="Set python in the project's configuration to a Python interpreter.",
                where=interpreter.path,
            ) from error
        except BaseException:
            os.close(status)
            raise
        finally:
            os.close(status_end)
        return Child(
            worker_id=worker_id,
            process=process,
            status=status,
            started_at=time.monotonic(),
            project=project,
            interpreter=interpreter,
        )

    def _environment(self, worker_id: str, status: int) -> dict[str, str]:
        inherited = {name: value for name, value in self._environ.items() if not name.startswith("TRIGGER_WORKER_")}
        if inherited.get("PYTHONPATH"):
            # Relative entries mean our working folder; the worker has another.
            entries = inherited["PYTHONPATH"].split(os.pathsep)
            inherited["PYTHONPATH"] = os.pathsep.join(os.path.abspath(entry) for entry in entries)  # noqa: PTH100
        return {
            **read_env_file(self._root),
            **inherited,
            "PYTHONHASHSEED": HASH_SEED,
            "PYTHONUNBUFFERED": "1",
            "TRIGGER_API_URL": self._server.url,
            "TRIGGER_PROJECT_ROOT": str(self._root),
            "TRIGGER_WORKER_ID": worker_id,
            "TRIGGER_WORKER_STATUS_FD": str(status),
            "TRIGGER_WORKER_TOKEN": self._server.token,
            "TRIGGER_WORKER_URL": self._server.session_url,
        }
