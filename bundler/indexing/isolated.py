"""Follows a process to its end, whatever it does: its output is drained, its time limited, its group ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Final

from bundler.indexing.answer import Ending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_MOST_ANSWER: Final = 1 << 26
_OUTPUT_KEPT: Final = 1 << 16
_READ: Final = 1 << 16
_LAST_READS: Final = 64
"""Reads of a pipe after the end of the process; what it left running may go on filling it."""

_GRACE: Final = 3.0
"""Seconds that a process has to end by itself after its time is up, before it is killed."""


class _Pipe:
    """A pipe, read as it fills; keeps the beginning or the end of what comes."""

    def __init__(self, most: int, *, keeps_end: bool) -> None:
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)
        self.content = bytearray()
        self._most = most
        self._keeps_end = keeps_end
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.source, self.read)

    def read(self) -> bool:
        """Read what is there; returns False when nothing is."""
        try:
            piece = os.read(self.source, _READ)
        except BlockingIOError:
            return False
        if not piece:
            self._loop.remove_reader(self.source)
            return False
        if self._keeps_end:
            self.content += piece
            if len(self.content) > 2 * self._most:
                del self.content[: -self._most]
        else:
            self.content += piece[: self._most - len(self.content)]
        return True

    def close_sink(self) -> None:
        """Leave the end that is written to to the process."""
        if self.sink >= 0:
            os.close(self.sink)
            self.sink = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_sink()
        self._loop.remove_reader(self.source)
        os.close(self.source)


async def run_isolated(command: Sequence[str], *, env: Mapping[str, str], folder: Path, seconds: float) -> Ending:
    """Run a command that writes its answer to the descriptor of TRIGGER_INDEX_FD, which is added to its environment.

    Cancelled, it ends the process and all in its group.

    Args:
        command: program and arguments.
        env: all of its environment.
        folder: its working folder.
        seconds: after which the process should end by itself; a little later it is killed.

    Raises:
        OSError: the system does not execute the program.
    """
    answer = _Pipe(_MOST_ANSWER, keeps_end=False)
    output = _Pipe(_OUTPUT_KEPT, keeps_end=True)
    process = None
    is_timed_out = False
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**env, "TRIGGER_INDEX_FD": str(answer.sink)},
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output.sink,
            stderr=output.sink,
            pass_fds=(answer.sink,),
            process_group=0,
        )
        answer.close_sink()
        output.close_sink()
        try:
            await asyncio.wait_for(process.wait(), seconds + _GRACE)
        except TimeoutError:
            is_timed_out = True
            _kill(process.pid)
            await process.wait()
        for pipe in (answer, output):
            for _ in range(_LAST_READS if pipe is output else _MOST_ANSWER // _READ):
                if not pipe.read():
                    break
    finally:
        if process is not None:
            _kill(process.pid)
            await process.wait()
        answer.close()
        output.close()
    code = process.returncode or 0
    return Ending(
        exit_code=code if code >= 0 else 128 - code,
        answer=bytes(answer.content),
        output=bytes(output.content),
        is_timed_out=is_timed_out,
    )


def _kill(group: int) -> None:
    """End a process and what it started; of a group whose first member is gone there may be others."""
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
