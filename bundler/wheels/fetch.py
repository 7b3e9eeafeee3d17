"""Fetching the wheels that a lock names: several at once, and none is used before its sha256 is known to be right."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from bundler.cache import Writer
from bundler.errors import BundlerError, DigestMismatch, WheelTooLarge
from bundler.locks.errors import LockInvalid, WheelUnavailable
from bundler.locks.model import Distribution, LockedFile
from bundler.model import Progress, Silent, Wheel
from bundler.registry.answers import read, refusal
from bundler.registry.connection import Connections, Request, failure_of
from bundler.registry.errors import (
    RegistryNotFound,
    RegistryRefused,
    RegistryUnauthorized,
    RegistryUnreachable,
    RegistryUnusable,
)
from bundler.registry.retrying import Retrying, Transient
from bundler.registry.secrets import place
from bundler.wheels.index_hosts import ACCEPT, IndexHosts
from bundler.wheels.logins import Logins, without_login
from bundler.wheels.store import WheelStore

_OK: Final = 200
_GONE: Final = frozenset({404, 410})
_MAX_PAGE: Final = 64 << 20
_CHUNK: Final = 1 << 20
_FAILURES: Final = (
    RegistryNotFound, RegistryRefused, RegistryUnauthorized, RegistryUnreachable, RegistryUnusable,
)  # fmt: skip
PROGRESS: Final = "wheels"
"""The name under which progress is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How much is fetched.

    Attributes:
        at_once: wheels at the same time.
        wheel_bytes: size of one wheel, when the lock does not say it.
    """

    at_once: int = 16
    wheel_bytes: int = 8 << 30


@dataclass(slots=True, kw_only=True)
class Fetcher:
    """Fetches wheels into a store.

    Attributes:
        store: where they are kept; what is there already is not fetched.
        connections: to the network.
        logins: of package indexes.
        retrying: runs what failed for a while again.
        limits: how much is fetched.
        progress: hears of the bytes that come in.
    """

    store: WheelStore
    connections: Connections
    logins: Logins
    retrying: Retrying = field(default_factory=Retrying)
    limits: FetchLimits = field(default_factory=FetchLimits)
    progress: Progress = field(default_factory=Silent)
    _hosts: IndexHosts = field(init=False)

    def __post_init__(self) -> None:
        self._hosts = IndexHosts(self._page)

    async def fetch(self, wanted: Iterable[tuple[Distribution, LockedFile]]) -> tuple[Wheel, ...]:
        """Return the wheels, in the order they were asked for; the first failure ends all others.

        Archives of sources are fetched and kept in the same way.

        Raises:
            WheelUnavailable: one cannot be had.
            DigestMismatch: one is not what the lock says; it is not kept.
            WheelTooLarge: one is larger than the limit.
            LockInvalid: the lock has no sha256 of one, so that it cannot be checked.
            LockUntrusted: the lock names a host that its index sends nobody to.
        """
        listed = list(wanted)
        for distribution, file in listed:
            # A file of this machine is the user's own, and uv locks some of those without a hash.
            if not file.sha256s and file.path is None:
                raise LockInvalid(
                    f"the lock has no sha256 of '{file.filename}'",
                    hint=f"Lock {distribution.name} from an index that gives them, or make the lock with hashes.",
                )
        found = [await asyncio.to_thread(self.store.find, *one) for one in listed]
        missing = [at for at, wheel in enumerate(found) if wheel is None]
        if missing:
            sizes = [listed[at][1].size for at in missing]
            total = None if None in sizes else sum(size or 0 for size in sizes)
            self.progress.start(PROGRESS, total)
            try:
                fetched = await self._all([listed[at] for at in missing])
            finally:
                self.progress.finish(PROGRESS)
            for at, wheel in zip(missing, fetched, strict=True):
                found[at] = wheel
        return tuple(wheel for wheel in found if wheel is not None)

    async def _all(self, wanted: list[tuple[Distribution, LockedFile]]) -> list[Wheel]:
        gate = asyncio.Semaphore(self.limits.at_once)
        # The largest first: it decides when all are there.
        order = sorted(range(len(wanted)), key=lambda at: -(wanted[at][1].size or 0))
        tasks: dict[int, asyncio.Task[Wheel]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for at in order:
                    tasks[at] = group.create_task(self._gated(gate, *wanted[at]))
        except BaseExceptionGroup as failures:
            raise _first(failures) from None
        return [tasks[at].result() for at in range(len(wanted))]

    async def _gated(self, gate: asyncio.Semaphore, distribution: Distribution, file: LockedFile) -> Wheel:
        async with gate:
            try:
                if file.path is not None:
                    return await asyncio.to_thread(self._copy, distribution, file, file.path)
                await self._hosts.check(distribution, file)
                return await self.retrying.run(lambda: self._download(distribution, file))
            except _FAILURES as error:
                raise self._unavailable(distribution, error) from None

    def _copy(self, distribution: Distribution, file: LockedFile, path: Path) -> Wheel:
        try:
            stream = path.open("rb")
        except OSError as error:
            raise WheelUnavailable(
                f"the wheel of {distribution} cannot be read: {error.strerror or error}",
                hint="Put it back where the lock says, or lock again.",
                where=str(path),
            ) from None
        with stream, self.store.writer() as writer:
            taking = _Taking(file, writer, self.limits.wheel_bytes)
            while chunk := stream.read(_CHUNK):
                taking.take(chunk)
                self.progress.advance(PROGRESS, len(chunk))
            return self.store.keep(writer, taking.digits, distribution, file)

    async def _download(self, distribution: Distribution, file: LockedFile) -> Wheel:
        url = _address(file)
        response = await self._get(url, {"Accept-Encoding": "identity"})
        if response.status_code != _OK:
            await self._refuse(response)
        received = 0
        try:
            with self.store.writer() as writer:
                taking = _Taking(file, writer, self.limits.wheel_bytes)
                async for chunk in _chunks(response):
                    taking.take(chunk)
                    received += len(chunk)
                    self.progress.advance(PROGRESS, len(chunk))
                if file.size is not None and received < file.size:
                    what = f"{place(url)} gives only {received} of {file.size} bytes"
                    raise Transient(RegistryUnreachable(what))  # noqa: TRY301  # as if the connection had been reset
                return await asyncio.to_thread(self.store.keep, writer, taking.digits, distribution, file)
        except Transient:
            self.progress.advance(PROGRESS, -received)
            raise
        except httpx.TransportError as error:
            self.progress.advance(PROGRESS, -received)
            raise failure_of(error, url) from None
        finally:
            await response.aclose()

    async def _page(self, url: httpx.URL) -> tuple[httpx.URL, bytes] | None:
        async def ask() -> tuple[httpx.URL, bytes] | None:
            response = await self._get(url, {"Accept": ACCEPT})
            if response.status_code in _GONE:
                await response.aclose()
                return None
            if response.status_code != _OK:
                await self._refuse(response)
            return response.request.url, await read(response, _MAX_PAGE)

        return await self.retrying.run(ask)

    async def _get(self, url: httpx.URL, headers: dict[str, str]) -> httpx.Response:
        authorization = self.logins.authorization(url)
        return await self.connections.send(
            Request(method="GET", url=without_login(url), headers=headers, authorization=authorization)
        )

    async def _refuse(self, response: httpx.Response) -> None:
        raise await refusal(response, self.logins.secrets)

    def _unavailable(self, distribution: Distribution, error: BundlerError) -> WheelUnavailable:
        hint = ""
        if isinstance(error, RegistryUnauthorized):
            hint = "Give the index's login in netrc, or in UV_DEFAULT_INDEX or UV_INDEX as https://USER:PASSWORD@HOST/…"
        elif isinstance(error, RegistryNotFound):
            hint = "Lock again: the file may have been removed from the index."
        words = self.logins.secrets.strike(error.message)
        return WheelUnavailable(
            f"the wheel of {distribution} cannot be fetched: {words}", detail=error.problem.detail, hint=hint
        )


class _Taking:
    """Counts and hashes what comes in, and lets no more through than there should be."""

    def __init__(self, file: LockedFile, writer: Writer, limit: int) -> None:
        self._file = file
        self._writer = writer
        self._limit = limit
        self._hash = hashlib.sha256()

    @property
    def digits(self) -> str:
        """Return the sha256 of what came."""
        return self._hash.hexdigest()

    def take(self, chunk: bytes) -> None:
        """Write a piece."""
        size, expected = self._writer.size + len(chunk), self._file.size
        if expected is not None and size > expected:
            raise DigestMismatch(f"'{self._file.filename}' has more than the {expected} bytes of the lock")
        if size > self._limit:
            raise WheelTooLarge(f"'{self._file.filename}' has more than {self._limit} bytes")
        self._hash.update(chunk)
        self._writer.write(chunk)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    async for chunk in response.aiter_raw(_CHUNK):
        yield chunk


def _address(file: LockedFile) -> httpx.URL:
    try:
        return httpx.URL(file.url)
    except httpx.InvalidURL:
        raise WheelUnavailable(f"the lock has an address for '{file.filename}' that is none") from None


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    for failure in failures.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            return _first(failure)
        if isinstance(failure, BundlerError):
            return failure
    return failures.exceptions[0]
