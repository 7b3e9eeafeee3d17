"""Environments, keys and the audit log for the loop of the server: a store in a thread, what was read lately in memory.

What this server changes counts at once. What another server on the same database changes is known after
:data:`FRESH_S` at the latest: keys in use are read again that often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from engine.clock import Clock
from executor.access.keys import Key, id_of, new_key
from executor.access.store import AccessStore, Act, Environment
from executor.api.scopes import Purpose

T = TypeVar("T")

FRESH_S: Final = 5.0
"""Seconds for which a key that was read is believed."""

USE_STEP_S: Final = 3600.0
"""Exactness of the time of a key's last use: what it costs is one commit an hour, and it tells little of anybody."""

_CACHED: Final = 10_000


class Register:
    """What the server knows of its keys and environments. Made on the loop it is used on.

    Args:
        store: where they are kept.
        clock: seconds since the epoch.
    """

    def __init__(self, store: AccessStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._revoked: Callable[[str], None] = lambda _: None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="trigger-access")
        self._loop = asyncio.get_running_loop()
        self._keys: dict[str, tuple[Key, float]] = {}
        self._noting: set[asyncio.Task[None]] = set()

    def on_revoked(self, told: Callable[[str], None]) -> None:
        """Have ``told`` called with the id of each key that is of no use any more."""
        self._revoked = told

    async def close(self) -> None:
        """Write what is to be written, and close the store."""
        await asyncio.gather(*self._noting, return_exceptions=True)
        await self._do(self._store.close)
        await asyncio.to_thread(self._thread.shutdown)

    async def _do(self, call: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._thread, call)

    async def prepare(self) -> str | None:
        """Make the tables where there are none, and return the first admin key, which is kept nowhere; else None.

        DatabaseNewer, DatabaseInvalid, StoreUnavailable.
        """
        text, key = new_key("", "admin", at=self._clock.now(), note="the first key")
        return text if await self._do(partial(self._store.prepare, key)) else None

    async def check(self) -> None:
        """Read something. StoreUnavailable."""
        await self._do(partial(self._store.environment, ""))

    # --- keys ---------------------------------------------------------------------------------------------------

    async def find_key(self, text: str) -> Key | None:
        """Return the key that a well-formed text is, or None; it may be revoked. StoreUnavailable."""
        id = id_of(text)
        cached = self._keys.get(id)
        now = self._loop.time()
        if cached is not None and now - cached[1] < FRESH_S:
            key: Key | None = cached[0]
        else:
            key = await self._do(partial(self._store.key, id))
            if key is None or not key.matches(text):
                return None
            self._remember(key, now)
        return key if key is not None and key.matches(text) else None

    def _remember(self, key: Key, now: float) -> None:
        if key.id not in self._keys and len(self._keys) >= _CACHED:
            self._keys.pop(next(iter(self._keys)))
        self._keys[key.id] = (key, now)

    def note_use(self, key: Key) -> None:
        """Write down, once an hour, that a key is in use."""
        hour = self._clock.now() // USE_STEP_S * USE_STEP_S
        if key.used_at is not None and key.used_at >= hour:
            return
        used = replace(key, used_at=hour)
        self._remember(used, self._loop.time())
        task = self._loop.create_task(self._note(key.id, hour))
        self._noting.add(task)
        task.add_done_callback(self._noted)

    async def _note(self, id: str, hour: float) -> None:
        await self._do(partial(self._store.mark_key, id, used_at=hour))

    def _noted(self, task: asyncio.Task[None]) -> None:
        self._noting.discard(task)
        if not task.cancelled():
            task.exception()  # the disk is full: the time of a use is the least of it

    async def create_key(self, environment: str, purpose: Purpose, note: str, by: str) -> tuple[str, Key]:
        """Make a key; return its text, which is kept nowhere, and what is kept."""
        while True:
            text, key = new_key(environment, purpose, at=self._clock.now(), note=note, by=by)
            if await self._do(partial(self._store.add_key, key)):
                return text, key

    async def key(self, id: str) -> Key | None:
        """Return a key by what it is named, or None."""
        return await self._do(partial(self._store.key, id))

    async def keys(self, environment: str | None = None) -> list[Key]:
        """Return the keys of an environment, or all, the newest first."""
        return await self._do(partial(self._store.list_keys, environment))

    async def revoke(self, id: str) -> None:
        """Make a key useless, from now on and for what it has open."""
        await self._do(partial(self._store.mark_key, id, revoked_at=self._clock.now()))
        self._keys.pop(id, None)
        self._revoked(id)

    async def look_after(self, ids: Sequence[str]) -> None:
        """Read keys that have something open again, and tell of those that another server revoked."""
        if not ids:
            return
        known = {key.id: key for key in await self._do(partial(self._store.keys_named, list(ids)))}
        for id in ids:
            if id not in known or known[id].revoked_at is not None:
                self._keys.pop(id, None)
                self._revoked(id)

    # --- environments -------------------------------------------------------------------------------------------

    async def environments(self) -> list[Environment]:
        """Return all environments, archived ones included."""
        return await self._do(self._store.environments)

    async def environment(self, name: str) -> Environment | None:
        """Return an environment, or None."""
        return await self._do(partial(self._store.environment, name))

    async def add_environment(self, name: str, limit: int) -> bool:
        """Make an environment; False when it is there already. EnvironmentLimit."""
        return await self._do(partial(self._store.add_environment, name, self._clock.now(), limit))

    async def mark_opened(self, name: str) -> None:
        """Note that an environment is used. EnvironmentUnknown."""
        await self._do(partial(self._store.mark_environment, name, opened_at=self._clock.now()))

    async def mark_archived(self, name: str) -> None:
        """Note that an environment is not served any more. EnvironmentUnknown."""
        await self._do(partial(self._store.mark_environment, name, archived_at=self._clock.now()))

    # --- the audit log ------------------------------------------------------------------------------------------

    async def begin_act(self, *, key: str, environment: str, action: str, target: str, address: str) -> int:
        """Write down who is about to do what; return the line's number."""
        act: dict[str, object] = {
            "at": self._clock.now(), "key": key, "environment": environment, "action": action, "target": target,
            "address": address,
        }  # fmt: skip
        return await self._do(partial(self._store.begin_act, act))

    async def end_act(self, num: int, status: int) -> None:
        """Write down how it ended."""
        await self._do(partial(self._store.end_act, num, status))

    async def acts(self, environment: str | None, before: int | None, limit: int) -> list[Act]:
        """Return lines of the audit log, the newest first."""
        return await self._do(partial(self._store.acts, environment, before, limit))
