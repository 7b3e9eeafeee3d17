"""Messages over standard input and output: a reading thread, a writer, the loop between them.

The descriptor of standard output is ours alone: what anything else prints goes to standard error, for one stray line
would end the conversation.
"""

from __future__ import annotations

import os
import re
import select
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LENGTH: Final = re.compile(rb"(?:^|\r\n)content-length:[ \t]*(\d+)[ \t]*(?:\r\n|$)", re.IGNORECASE)
_CHUNK: Final = 1 << 16


class Frames:
    """Cuts a stream of bytes into the bodies of messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = -1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take bytes and give the bodies that are complete. A header without a length is skipped."""
        self._buffer += data
        while True:
            if self._wanted < 0:
                end = self._buffer.find(b"\r\n\r\n")
                if end < 0:
                    return
                match = _LENGTH.search(bytes(self._buffer[:end]))
                del self._buffer[: end + 4]
                if match is None:
                    continue
                self._wanted = int(match[1])
            if len(self._buffer) < self._wanted:
                return
            body = bytes(self._buffer[: self._wanted])
            del self._buffer[: self._wanted]
            self._wanted = -1
            yield body


def read_in_thread(descriptor: int, on_body: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
    """Read messages in a thread of their own until the other side closes.

    Args:
        descriptor: of standard input.
        on_body: called in the thread with each message.
        on_end: called in the thread when no more will come.
    """

    def read() -> None:
        frames = Frames()
        try:
            # Not a buffered reader: its lock, held while waiting, would hang the interpreter's end.
            while data := os.read(descriptor, _CHUNK):
                for body in frames.feed(data):
                    on_body(body)
        except OSError:
            pass
        finally:
            on_end()

    threading.Thread(target=read, name="trigger-lsp-input", daemon=True).start()


class Output:
    """Standard output as pygls writes to it.

    Args:
        descriptor: where to write.
        on_broken: called when nobody reads any more.
    """

    def __init__(self, descriptor: int, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._broken = False

    def write(self, data: bytes) -> None:
        """Write all of ``data``."""
        rest = memoryview(data)
        while rest and not self._broken:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:
                self._broken = True
                self._on_broken()

    def close(self) -> None:
        """Do nothing: the process ends, and its descriptors with it."""


def take_streams() -> tuple[int, int]:
    """Return descriptors for the protocol; from now on, what is printed goes to standard error.

    Standard input is taken as well: a child process or a debugger that reads it would swallow messages.
    """
    source, target = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return source, target
