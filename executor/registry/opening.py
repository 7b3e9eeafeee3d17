"""Opens a registry for as long as the executor runs, and keeps its house: uploads expire, what nothing needs goes."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from executor.registry.access import Authority
from executor.registry.app import Registry
from executor.registry.calls.manifests import InUse
from executor.registry.disk import Disk
from executor.registry.store.limits import Limits
from executor.registry.store.store import Collected, ImageStore

logger = logging.getLogger("trigger.executor.registry")


class OpenRegistry:
    """A registry that is open.

    Attributes:
        app: answers at ``/v2/``; ``app.mount()`` is the route for the executor's router.
        store: what it keeps, for who looks into it (``store.index.manifest("prod/app", digest)``); methods of the store
            itself block.
    """

    def __init__(self, app: Registry, store: ImageStore, disk: Disk, in_use: InUse) -> None:
        self.app = app
        self.store = store
        self._disk = disk
        self._in_use = in_use

    async def collect(self, *, grace_s: float | None = None) -> Collected:
        """Give up old uploads and remove what nothing needs; see :meth:`ImageStore.collect`."""
        in_use = await self._in_use()
        await self._disk.run(self.store.expire_uploads)
        return await self._disk.run(self.store.collect, in_use, grace_s=grace_s)

    async def keep_house(self, every_s: float) -> None:
        """Collect now and then, for ever. What fails is told in the log and tried again the next time."""
        while True:
            await asyncio.sleep(every_s)
            try:
                collected = await self.collect()
            except Exception:
                logger.exception("what nothing needs could not be removed")
            else:
                if collected != Collected():
                    logger.info(
                        "removed %d blobs and %d manifests that nothing needs, %d bytes",
                        collected.blobs, collected.manifests, collected.bytes,
                    )  # fmt: skip


@asynccontextmanager
async def open_registry(
    folder: Path,
    *,
    authority: Authority,
    in_use: InUse,
    limits: Limits | None = None,
    collect_every_s: float = 600.0,
    clock: Callable[[], float] = time.monotonic,
    new_id: Callable[[], str] = lambda: f"err_{secrets.token_hex(6)}",
) -> AsyncIterator[OpenRegistry]:
    """Keep a registry open while the block runs.

    Args:
        folder: has the images; made when it is not there. One process has it at a time.
        authority: decides who may do what.
        in_use: gives the digests of all images that deployments need. It is asked before each collection, and when it
            fails nothing is removed.
        limits: how much is kept.
        collect_every_s: seconds between two collections.
        clock: monotonic seconds.
        new_id: makes ids for errors in the log.

    Raises:
        RegistryInUse: another process has the folder.
        RegistryUnreadable: the folder is none of a registry.
    """
    disk = Disk()
    try:
        store = await disk.run(partial(ImageStore.open, folder, limits=limits or Limits(), clock=clock))
        try:
            app = Registry(store, disk, authority=authority, in_use=in_use, new_id=new_id)
            registry = OpenRegistry(app, store, disk, in_use)
            keeping = asyncio.create_task(registry.keep_house(collect_every_s))
            try:
                yield registry
            finally:
                keeping.cancel()
                await asyncio.wait({keeping})
        finally:
            await disk.run(store.close)
    finally:
        await asyncio.to_thread(disk.close)
