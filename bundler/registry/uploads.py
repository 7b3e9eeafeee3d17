"""Uploading a blob: in one piece where the registry takes it, in chunks where it must be, resumed where it can be."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, replace

import httpx

from bundler.errors import BundlerError
from bundler.registry.answers import error_codes, number, read_refusal
from bundler.registry.challenges import Scope, pull, push
from bundler.registry.connection import target_of
from bundler.registry.content import Content, Meter, Part, verify
from bundler.registry.errors import RegistryUnreachable, RegistryUnusable
from bundler.registry.exchange import Call, Exchange
from bundler.registry.reference import Reference
from bundler.registry.retrying import Transient

_OCTETS = {"Content-Type": "application/octet-stream"}
_STORED = frozenset({200, 201, 204})
_CREATED, _ACCEPTED, _BAD_REQUEST, _TOO_LARGE, _RANGE = 201, 202, 400, 413, 416
_SESSION_GONE = frozenset({404, 410, _RANGE})
_NO_SINGLE_POST = frozenset({400, 404, 405, 411, _TOO_LARGE, 415, 501})
_DAMAGED = frozenset({"DIGEST_INVALID", "SIZE_INVALID"})
_LOST = frozenset({"BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN"})
_STATUS = re.compile(r"(?:bytes[= ])?0-([0-9]{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How blobs are cut.

    Attributes:
        single_post: bytes up to which a blob is sent with the request that begins its upload.
        chunk: bytes of one chunk, where chunks are asked for.
        smallest_chunk: bytes below which a chunk is not cut any more.
        resume: bytes from which on an upload that broke off is continued rather than begun anew.
    """

    single_post: int = 64 * 1024
    chunk: int = 16 * 1024 * 1024
    smallest_chunk: int = 256 * 1024
    resume: int = 4 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Habits:
    """What a registry was found to do.

    Attributes:
        takes_single_posts: whether a blob may come with the request that begins its upload.
        chunk: bytes of one chunk; 0 while it takes blobs in one piece.
    """

    takes_single_posts: bool = True
    chunk: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An upload that a registry has begun.

    Attributes:
        location: where to send the next bytes; another after each answer.
        offset: bytes that the registry has.
        smallest: bytes that every chunk but the last must have.
    """

    location: httpx.URL
    offset: int = 0
    smallest: int = 0


class Upload:
    """One blob on its way to one repository."""

    def __init__(
        self,
        exchange: Exchange,
        target: Reference,
        content: Content,
        *,
        meter: Meter,
        habits: Habits,
        limits: Limits,
    ) -> None:
        """Nothing is sent yet; ``habits`` are shared by the uploads to one registry."""
        self._exchange = exchange
        self._target = target
        self._content = content
        self._meter = meter
        self._habits = habits
        self._limits = limits
        self._scopes: frozenset[Scope] = frozenset({push(target.repository)})

    async def run(self, session: Session | None = None) -> None:
        """Upload it, in a session that is there already or a new one."""
        attempts = self._exchange.retrying.begin()
        reached = 0
        while True:
            try:
                session = session or await self._begin()
                if session is not None:
                    await self._send(session)
                attempts.succeeded()
                return
            except _Interrupted as interruption:
                session, failure = interruption.session, interruption.failure
            except Transient as transient:
                failure = transient
            except BundlerError:
                await cancel(self._exchange, self._target, session)
                raise
            await attempts.wait(failure)
            session = await self._resumed(session)
            if session is None and await self._is_stored():
                # Only the answer was lost.
                return
            if session is not None and session.offset > reached:
                reached = session.offset
                attempts.progressed()

    async def _begin(self) -> Session | None:
        """Begin a session; None when the blob went with it and is there."""
        if self._habits.takes_single_posts and self._content.size <= self._limits.single_post:
            path = f"blobs/uploads/?digest={_quoted(self._content.digest)}"
            expected = frozenset({_CREATED, _ACCEPTED}) | _NO_SINGLE_POST
            response = await self._exchange.once(
                self._target, self._call("POST", path, expected, body=self._part(0, self._content.size))
            )
            if response.status_code == _CREATED:
                await response.aclose()
                return None
            self._habits.takes_single_posts = False
            await response.aclose()
            if response.status_code == _ACCEPTED:
                return _session(response)
        response = await self._exchange.once(self._target, self._call("POST", "blobs/uploads/", {_ACCEPTED}))
        await response.aclose()
        return _session(response)

    async def _send(self, session: Session) -> None:
        """Send what the registry does not have yet, and end the session."""
        if session.offset or self._habits.chunk:
            session = await self._chunks(session)
        location = httpx.URL(_with_digest(session.location, self._content.digest))
        body = self._part(session.offset, self._content.size - session.offset)
        expected = _STORED | _SESSION_GONE | {_BAD_REQUEST, _TOO_LARGE}
        try:
            response = await self._exchange.once(self._target, self._call("PUT", location, expected, body=body))
        except Transient as failure:
            raise _Interrupted(session, failure) from None
        if response.status_code in _STORED:
            await response.aclose()
            return
        content = await read_refusal(response)
        if response.status_code == _TOO_LARGE and not self._habits.chunk and body.size > self._limits.smallest_chunk:
            self._habits.chunk = min(self._limits.chunk, max(body.size // 2, self._limits.smallest_chunk))
            raise _lost(session, "takes it only in chunks")
        codes = error_codes(content)
        if response.status_code == _BAD_REQUEST and codes & _DAMAGED:
            await verify(self._content)
            raise _lost(session, "found the blob damaged")
        if response.status_code in _SESSION_GONE or codes & _LOST:
            raise _lost(session, "has lost the upload")
        raise await self._exchange.refused(self._target, response, content)

    async def _chunks(self, session: Session) -> Session:
        """Send all bytes, chunk by chunk, each to the address that the answer to the one before it gave."""
        stalled = False
        while session.offset < self._content.size:
            try:
                following = await self._chunk(session)
            except Transient as failure:
                raise _Interrupted(session, failure) from None
            if following.offset <= session.offset and stalled:
                raise _lost(following, "stores nothing of it")
            stalled = following.offset <= session.offset
            session = following
        return session

    async def _chunk(self, session: Session) -> Session:
        size = max(self._habits.chunk or self._limits.chunk, session.smallest)
        end = min(session.offset + size, self._content.size)
        headers = {**_OCTETS, "Content-Range": f"{session.offset}-{end - 1}"}
        call = Call(
            method="PATCH", path=session.location, scopes=self._scopes, headers=headers,
            expected=_SESSION_GONE | {_ACCEPTED, 204, _TOO_LARGE},
            body=self._part(session.offset, end - session.offset),
        )  # fmt: skip
        response = await self._exchange.once(self._target, call)
        if response.status_code in {_ACCEPTED, 204}:
            await response.aclose()
            stored = _stored(response, otherwise=end)
            if stored > end:
                raise RegistryUnusable(f"'{self._target.endpoint}' says it has more of an upload than was sent")
            return replace(session, location=_location(response), offset=stored)
        content = await read_refusal(response)
        if response.status_code == _RANGE:
            found = await self._asked(session)
            if found is not None:
                return found
        elif response.status_code == _TOO_LARGE:
            half = size // 2
            if half < max(self._limits.smallest_chunk, session.smallest):
                raise await self._exchange.refused(self._target, response, content)
            self._habits.chunk = half
        raise _lost(session, "has lost the upload")

    async def _resumed(self, session: Session | None) -> Session | None:
        """Return where an upload that broke off goes on; None to begin anew."""
        if session is None or self._content.size < self._limits.resume:
            await cancel(self._exchange, self._target, session)
            return None
        try:
            found = await self._asked(session)
        except (BundlerError, Transient):
            return None
        return found if found is not None and found.offset <= self._content.size else None

    async def _is_stored(self) -> bool:
        call = self._call("HEAD", f"blobs/{self._content.digest}", {200, 404})
        try:
            response = await self._exchange.once(self._target, call)
        except (BundlerError, Transient):
            return False
        await response.aclose()
        return response.status_code == 200  # noqa: PLR2004  # HTTP's own number

    async def _asked(self, session: Session) -> Session | None:
        """Ask a session how far it is; None when the registry does not know it."""
        expected = frozenset({200, _ACCEPTED, 204}) | _SESSION_GONE
        response = await self._exchange.once(self._target, self._call("GET", session.location, expected))
        await response.aclose()
        if response.status_code in _SESSION_GONE or "Range" not in response.headers:
            return None
        location = _location(response) if "Location" in response.headers else session.location
        return replace(session, location=location, offset=_stored(response, otherwise=0))

    def _part(self, start: int, size: int) -> Part:
        return Part(content=self._content, start=start, size=size, meter=self._meter)

    def _call(
        self, method: str, path: str | httpx.URL, expected: frozenset[int] | set[int], body: Part | None = None
    ) -> Call:
        headers = _OCTETS if body is not None else {}
        return Call(
            method=method, path=path, scopes=self._scopes, expected=frozenset(expected), headers=headers, body=body
        )


async def mount(exchange: Exchange, target: Reference, source: str, digest: str) -> Session | None:
    """Have a blob of one repository (``source``) mounted into another of the same registry.

    Returns:
        None when it was; the session that was begun instead when it was not.
    """
    scopes = frozenset({push(target.repository), pull(source)})
    path = f"blobs/uploads/?mount={_quoted(digest)}&from={source}"
    call = Call(method="POST", path=path, scopes=scopes, expected=frozenset({_CREATED, _ACCEPTED}))
    response = await exchange.ask(target, call)
    await response.aclose()
    return None if response.status_code == _CREATED else _session(response)


async def cancel(exchange: Exchange, target: Reference, session: Session | None) -> None:
    """Tell the registry that nothing more will come; whether it listens does not matter."""
    if session is None:
        return
    expected = frozenset({200, _ACCEPTED, 204})
    call = Call(method="DELETE", path=session.location, scopes=frozenset({push(target.repository)}), expected=expected)
    with contextlib.suppress(BundlerError, Transient):
        await (await exchange.once(target, call)).aclose()


class _Interrupted(Exception):
    """No error: where an upload goes on."""

    def __init__(self, session: Session | None, failure: Transient) -> None:
        super().__init__(failure.error.message)
        self.session = session
        self.failure = failure


def _lost(session: Session, what: str) -> _Interrupted:
    """Return what begins the upload anew."""
    error = RegistryUnreachable(f"'{session.location.host}' {what}, again and again")
    return _Interrupted(None, Transient(error))


def _session(response: httpx.Response) -> Session:
    smallest = number(response.headers.get("OCI-Chunk-Min-Length", ""))
    return Session(location=_location(response), smallest=smallest or 0)


def _location(response: httpx.Response) -> httpx.URL:
    location = response.headers.get("Location")
    if not location:
        raise RegistryUnusable(f"'{response.request.url.host}' does not say where to send an upload to")
    return target_of(location, response.request.url)


def _stored(response: httpx.Response, *, otherwise: int) -> int:
    """Return how many bytes a registry has by its answer. ``0-0`` is also what it says when it has none."""
    header = _STATUS.fullmatch(response.headers.get("Range", "").strip())
    if header is None:
        return otherwise
    return int(header[1]) + 1 if int(header[1]) else 0


def _with_digest(location: httpx.URL, digest: str) -> str:
    """Return an address with the digest behind what is there: a query that is taken apart may not be the same again."""
    return f"{location}{'&' if location.query else '?'}digest={_quoted(digest)}"


def _quoted(digest: str) -> str:
    return digest.replace(":", "%3A")
