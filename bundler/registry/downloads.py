"""Reading a blob: every byte is counted and hashed, and a transfer that breaks off is continued."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx

from bundler.errors import DigestMismatch
from bundler.registry.answers import number
from bundler.registry.challenges import pull
from bundler.registry.connection import failure_of
from bundler.registry.errors import RegistryUnreachable, RegistryUnusable
from bundler.registry.exchange import Call, Exchange
from bundler.registry.reference import Reference, is_digest
from bundler.registry.retrying import Transient

_OK, _PARTIAL, _RANGE = 200, 206, 416
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/(?:[0-9]+|\*)")


@dataclass(slots=True, kw_only=True)
class Download:
    """One blob on its way here.

    Attributes:
        exchange: asks the registry.
        reference: a repository that has it.
        digest: what it must be.
        size: what it must have, in bytes; None when it is not known.
    """

    exchange: Exchange
    reference: Reference
    digest: str
    size: int | None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give its bytes. The last chunk comes when all are known to be right: who got to the end has the blob.

        Raises:
            DigestMismatch: they are not what they should be, or more than they should be.
            RegistryUnreachable, RegistryNotFound, RegistryUnauthorized: they cannot be had.
        """
        if not is_digest(self.digest):
            raise DigestMismatch(f"'{self.digest}' is no digest that can be checked")
        found = hashlib.new(self.digest.partition(":")[0])
        attempts = self.exchange.retrying.begin()
        received, held = 0, b""
        while True:
            try:
                async with aclosing(self._from(received)) as chunks:
                    async for chunk in chunks:
                        received += len(chunk)
                        self._count(received)
                        found.update(chunk)
                        attempts.progressed()
                        if held:
                            yield held
                        held = chunk
                if self.size is not None and received < self.size:
                    what = f"'{self._host}' gives only {received} of the {self.size} bytes of {self.digest}"
                    raise Transient(RegistryUnreachable(what))  # noqa: TRY301  # as if the connection had been reset
            except Transient as failure:
                await attempts.wait(failure)
                continue
            break
        if found.hexdigest() != self.digest.partition(":")[2]:
            raise DigestMismatch(f"what '{self._host}' gives is not {self.digest}")
        attempts.succeeded()
        if held:
            yield held

    @property
    def _host(self) -> str:
        return self.reference.endpoint

    def _count(self, received: int) -> None:
        if self.size is not None and received > self.size:
            raise DigestMismatch(f"'{self._host}' gives more than the {self.size} bytes of {self.digest}")

    async def _from(self, start: int) -> AsyncGenerator[bytes, None]:
        """Give the bytes from a position on, in one attempt; skips them where the server begins at the first again."""
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        call = Call(
            method="GET", path=f"blobs/{self.digest}", scopes=frozenset({pull(self.reference.repository)}),
            expected=frozenset({_OK, _PARTIAL, _RANGE} if start else {_OK}), headers=headers,
        )  # fmt: skip
        response = await self.exchange.once(self.reference, call)
        try:
            if response.status_code == _RANGE and self.size is None:
                # All of it was there already, and its length was not known.
                return
            skip = self._skipped(response, start)
            async for chunk in response.aiter_raw():
                if len(chunk) > skip:
                    yield chunk[skip:]
                skip = max(0, skip - len(chunk))
        except httpx.TransportError as error:
            raise failure_of(error, response.request.url) from None
        finally:
            await response.aclose()

    def _skipped(self, response: httpx.Response, start: int) -> int:
        if response.status_code == _OK:
            self._learn(response)
            return start
        given = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status_code != _PARTIAL or given is None or int(given[1]) > start:
            raise RegistryUnusable(f"'{self._host}' gives another part of {self.digest} than it was asked for")
        return start - int(given[1])

    def _learn(self, response: httpx.Response) -> None:
        """Take the size from the answer where nobody said it; one that contradicts what is known is refused at once."""
        length = number(response.headers.get("Content-Length", ""))
        if length is None:
            return
        if self.size is None:
            self.size = length
        elif length > self.size:
            raise DigestMismatch(f"'{self._host}' gives {length} bytes for {self.digest}, which has {self.size}")
