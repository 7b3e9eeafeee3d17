"""A worker process as the dev server sees it: ready or not, what it writes past its session, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, Protocol

from devserver.launch import Child
from trigger_sdk.protocol.problem import Problem

Stream = Literal["stdout", "stderr"]

LINES_KEPT: Final = 200
"""Lines of stderr remembered for the explanation of a crash."""

LONGEST_LINE: Final = 32 * 1024
"""Bytes of a line without end that are kept together."""

READ_BYTES: Final = 64 * 1024
MOST_READS: Final = 64
"""Reads of a dead worker's pipe, which a process that it left behind may go on filling."""


class WorkerListener(Protocol):
    """Is told what becomes of a worker; on the loop, in order."""

    def worker_ready(self, worker: Worker) -> None:
        """The server took its session."""

    def worker_failed(self, worker: Worker, problems: list[Problem]) -> None:
        """It cannot serve, and is about to end."""

    def worker_said(self, worker: Worker, stream: Stream, text: str) -> None:
        """A line that did not go through its session."""

    def worker_died(self, worker: Worker) -> None:
        """The process is gone; always the last news."""


class Worker:
    """A running worker process.

    Attributes:
        id: the id of its session.
        child: how it was started.
        ready: it serves.
        failed: it told that it cannot serve.
        killed: we ended it.
        exit_code: its exit code once it is gone, negative for a signal; None before.
        stderr: the last lines it wrote there.
    """

    def __init__(self, child: Child, listener: WorkerListener) -> None:
        """Follow a process that was started. Needs a running loop."""
        self.id = child.worker_id
        self.child = child
        self.ready = False
        self.failed = False
        self.killed = False
        self.exit_code: int | None = None
        self.stderr: deque[str] = deque(maxlen=LINES_KEPT)
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._status = b""
        self._pipes: dict[int, Callable[[bytes], None]] = {}
        self._tails: dict[Stream, bytes] = {}
        self._death = -1
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._follow()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.child.process.pid

    def drain(self) -> None:
        """Ask it to finish what it holds and end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, and what it started with it."""
        self.killed = True
        self._send(signal.SIGKILL)

    def dump_stack(self) -> bool:
        """Ask it to write its stack to stderr; False when it does not listen, so that the signal would end it."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
            caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        except (OSError, StopIteration):
            return False
        if not int(caught.split()[1], 16) >> (signal.SIGUSR1 - 1) & 1:
            return False
        return self._send(signal.SIGUSR1)

    # --- following the process -----------------------------------------------------------------------------------

    def _follow(self) -> None:
        process = self.child.process
        if process.stdout is None or process.stderr is None:
            raise ValueError("the child's stdout and stderr are pipes")
        self._read_from(self.child.status, self._status_came)
        self._read_from(os.dup(process.stdout.fileno()), lambda data: self._output_came("stdout", data))
        self._read_from(os.dup(process.stderr.fileno()), lambda data: self._output_came("stderr", data))
        process.stdout.close()
        process.stderr.close()
        try:
            self._death = os.pidfd_open(process.pid)
        except (AttributeError, OSError):
            threading.Thread(target=self._wait_for_death, daemon=True, name=f"wait-{process.pid}").start()
        else:
            self._loop.add_reader(self._death, self._died)

    def _wait_for_death(self) -> None:
        """Wait on a thread of its own, where the system has no descriptors of processes."""
        self.child.process.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody needs to know any more
            self._loop.call_soon_threadsafe(self._died)

    def _read_from(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        os.set_blocking(descriptor, False)
        self._pipes[descriptor] = take
        self._loop.add_reader(descriptor, self._readable, descriptor)

    def _readable(self, descriptor: int) -> bool:
        """Read what is there; returns False when nothing is."""
        take = self._pipes.get(descriptor)
        if take is None:
            return False
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if data:
            take(data)
            return True
        self._close(descriptor)
        return False

    def _close(self, descriptor: int) -> None:
        if self._pipes.pop(descriptor, None) is not None:
            self._loop.remove_reader(descriptor)
            os.close(descriptor)

    def _died(self) -> None:
        if self.exit_code is not None:
            return
        if self._death >= 0:
            self._end_offspring()
            self._loop.remove_reader(self._death)
            os.close(self._death)
        code = self.child.process.wait()
        for descriptor in list(self._pipes):
            # Not until their end: what the worker started may hold them open for long.
            for _ in range(MOST_READS):
                if not self._readable(descriptor):
                    break
            self._close(descriptor)
        for stream, tail in list(self._tails.items()):
            if tail:
                self._say(stream, tail)
        if self.child.process.stdin is not None:
            self.child.process.stdin.close()
        self.exit_code = code
        self._listener.worker_died(self)
        self.ended.set_result(None)

    def _end_offspring(self) -> None:
        """End what a worker that crashed had started. Its pid is still its own: nobody has waited for it yet."""
        state = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if state is not None and (state.si_code != os.CLD_EXITED or state.si_status != 0):
            with suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)

    # --- what it says -------------------------------------------------------------------------------------------

    def _status_came(self, data: bytes) -> None:
        self._status += data
        line, newline, self._status = self._status.partition(b"\n")
        if not newline:
            self._status = line
            return
        with suppress(ValueError, TypeError, AttributeError):
            status = json.loads(line)
            if status["status"] == "ready":
                self.ready = True
                self._listener.worker_ready(self)
            elif status["status"] == "failed":
                problems = [Problem.from_dict(problem) for problem in status["problems"]]
                self.failed = True
                self._listener.worker_failed(self, problems)

    def _output_came(self, stream: Stream, data: bytes) -> None:
        *lines, tail = (self._tails.get(stream, b"") + data).split(b"\n")
        for line in lines:
            self._say(stream, line)
        while len(tail) > LONGEST_LINE:
            self._say(stream, tail[:LONGEST_LINE])
            tail = tail[LONGEST_LINE:]
        self._tails[stream] = tail

    def _say(self, stream: Stream, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if stream == "stderr":
            self.stderr.append(text)
        self._listener.worker_said(self, stream, text)

    def _send(self, number: signal.Signals) -> bool:
        """Send a signal; to the whole group when it is the last one."""
        if self.exit_code is not None or self.child.process.returncode is not None:
            return False
        with suppress(OSError):
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
            return True
        return False
