"""Starts the process of a check, and gets its answer; blocking, for a thread."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from devserver.checking.messages import CheckAnswer, CheckRequest
from devserver.errors import CheckFailed
from devserver.failures import exit_words

PROGRAM: Final = "devserver.checking.program"

LIMIT_S: Final = 120.0
"""Seconds that a check gets, waiting for processors included."""


class CheckProcess:
    """One check.

    Args:
        environ: the environment to pass on.
        import_path: where our own packages are imported from: this process's ``sys.path``.
        limit: see :data:`LIMIT_S`.
    """

    def __init__(self, environ: Mapping[str, str], import_path: Sequence[str], *, limit: float = LIMIT_S) -> None:
        # PYTHONPATH is the user's, whose folders may be called like our packages.
        self._environ = {**environ, "PYTHONPATH": os.pathsep.join(import_path)}
        self._limit = limit
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()

    def run(self, request: CheckRequest) -> CheckAnswer | None:
        """Return the answer; None when it was stopped.

        Raises:
            CheckFailed: the process could not be started, ended without an answer, or took too long.
        """
        if self._stopped.is_set():
            return None
        process = self._process = self._start()
        if self._stopped.is_set():  # it came before there was a process to end
            process.kill()
        with process:
            try:
                output, _ = process.communicate(msgspec.json.encode(request), timeout=self._limit)
            except subprocess.TimeoutExpired as error:
                raise CheckFailed(f"the check was given up after {self._limit:g} s") from error
            finally:
                process.kill()
        if self._stopped.is_set():
            return None
        if process.returncode != 0:
            raise CheckFailed(f"the process of the check {exit_words(process.returncode)}")
        try:
            return msgspec.json.decode(output, type=CheckAnswer)
        except msgspec.MsgspecError as error:
            raise CheckFailed(f"the process of the check gave no answer that can be read: {error}") from error

    def stop(self) -> None:
        """Give the check up, if it has not ended; does not wait."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", PROGRAM],
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C is the dev server's alone
            )
        except OSError as error:
            raise CheckFailed(f"the process of the check could not be started: {error.strerror}") from error
