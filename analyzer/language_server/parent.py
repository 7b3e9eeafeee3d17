"""Ends the server with the editor that started it, also when that was killed and its pipes live on in others."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_S: Final = 2.0
"""How often a process is looked for where the system does not tell of its end."""


async def wait_for_end(pid: int) -> None:
    """Return when a process has ended; never for one that this machine does not know when asked.

    An editor outside our container has a number that is nobody's here, which says nothing about its life.
    """
    if not _is_alive(pid):
        await asyncio.Event().wait()
    opener: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if opener is not None:
        try:
            handle = opener(pid)
        except OSError:
            pass  # an old kernel, or a sandbox that forbids it
        else:
            await _readable(handle)
            return
    while _is_alive(pid):  # noqa: ASYNC110 - there is nobody to set an event
        await asyncio.sleep(_EVERY_S)


async def _readable(handle: int) -> None:
    """Return when a descriptor can be read, and close it."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
