"""Starts the server on standard input and output, and ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from typing import TYPE_CHECKING, Final

from analyzer.language_server.server import make_server
from analyzer.language_server.stdio import Output, read_in_thread, take_streams

if TYPE_CHECKING:
    from pathlib import Path

LOST: Final = 1
"""The exit code when the client went without a word."""

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def serve(*, log_file: Path | None = None, verbose: bool = False) -> int:
    """Serve the client on standard input and output until it says `exit` or is gone.

    Args:
        log_file: where the log goes; standard error by default.
        verbose: whether every message is logged, with the source text in it.

    Returns:
        The process's exit code: 0 after `shutdown` and `exit`, 1 for any other end.
    """
    source, target = take_streams()
    gc.disable()  # see tidying.py
    output = logging.StreamHandler(sys.stderr) if log_file is None else logging.FileHandler(log_file, encoding="utf-8")
    logging.basicConfig(handlers=[output], level=logging.DEBUG if verbose else logging.WARNING, format=_FORMAT)
    logging.getLogger("pygls").setLevel(logging.DEBUG if verbose else logging.ERROR)
    return asyncio.run(_converse(source, target))


async def _converse(source: int, target: int) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def lost() -> None:
        end(0 if server.protocol.is_shut_down else LOST)

    def from_thread(function: object, *arguments: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(function, *arguments)  # type: ignore[arg-type]

    server = make_server()
    server.protocol.on_exit = end
    server.on_parent_end = lost
    server.protocol.set_writer(Output(target, lost))
    read_in_thread(source, lambda body: from_thread(server.protocol.receive, body), lambda: from_thread(lost))
    try:
        return await ended
    finally:
        server.stop()
