"""A request to the registry: its path taken apart, its parameters, its body as it comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from starlette.types import Receive, Scope

from executor.api.bodies import ClientGone
from executor.registry.errors import ContentTooLarge, RequestUnsupported, SizeInvalid, UploadStalled

PREFIX: Final = "/v2/"
_PATHS: Final = {
    "uploads": re.compile(r"(?P<repository>.+)/blobs/uploads/?"),
    "upload": re.compile(r"(?P<repository>.+)/blobs/uploads/(?P<target>[A-Za-z0-9_-]+)"),
    "blob": re.compile(r"(?P<repository>.+)/blobs/(?P<target>[^/]+)"),
    "manifest": re.compile(r"(?P<repository>.+)/manifests/(?P<target>[^/]+)"),
    "tags": re.compile(r"(?P<repository>.+)/tags/list"),
    "referrers": re.compile(r"(?P<repository>.+)/referrers/(?P<target>[^/]+)"),
}
_MAX_QUERY: Final = 64
_MAX_DIGITS: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path names.

    Attributes:
        kind: ``root``, ``uploads``, ``upload``, ``blob``, ``manifest``, ``tags`` or ``referrers``.
        repository: as it stands in the path; not checked yet.
        target: a digest, a tag or the id of an upload; not checked yet.
    """

    kind: str
    repository: str = ""
    target: str = ""


def read_path(path: str) -> Place | None:
    """Return what a path names, or None for nothing."""
    if not path.startswith(PREFIX):
        return None
    rest = path.removeprefix(PREFIX)
    if not rest:
        return Place(kind="root")
    for kind, pattern in _PATHS.items():
        if match := pattern.fullmatch(rest):
            return Place(kind=kind, **match.groupdict())
    return None


@dataclass(slots=True, kw_only=True)
class RegistryCall:
    """One request.

    Attributes:
        scope: of ASGI.
        stall_s: seconds that nothing may come.
        place: what its path names.
        headers: by name in small letters; the last of each.
        is_body_left: whether there is more of its body than was read.
    """

    scope: Scope
    receive_event: Receive
    place: Place
    stall_s: float
    headers: Mapping[bytes, bytes] = field(init=False)
    is_body_left: bool = field(init=False)

    def __post_init__(self) -> None:
        self.headers = dict(self.scope["headers"])
        self.is_body_left = b"transfer-encoding" in self.headers or self.headers.get(b"content-length", b"0") != b"0"

    @property
    def method(self) -> str:
        """The method."""
        return str(self.scope["method"])

    @property
    def length(self) -> int | None:
        """The bytes of the body as the request says it; None when it does not."""
        text = self.headers.get(b"content-length", b"")
        return int(text) if text.isdigit() and len(text) <= _MAX_DIGITS else None

    def header(self, name: bytes) -> str:
        """Return a header; empty when it is not there."""
        return self.headers.get(name, b"").decode("latin-1").strip()

    def query(self) -> dict[str, list[str]]:
        """Return the parameters; RequestUnsupported for more than anybody needs."""
        try:
            return parse_qs(
                self.scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_QUERY
            )
        except ValueError:
            raise RequestUnsupported(f"the request has more than {_MAX_QUERY} parameters") from None

    def parameter(self, name: str) -> str | None:
        """Return the last value of a parameter, or None."""
        values = self.query().get(name)
        return values[-1] if values else None

    async def piece(self) -> bytes | None:
        """Return the next bytes of the body; None at its end.

        Raises:
            ClientGone: the connection broke.
            UploadStalled: nothing came for too long.
        """
        while self.is_body_left:
            try:
                async with asyncio.timeout(self.stall_s):
                    event = await self.receive_event()
            except TimeoutError:
                raise UploadStalled(f"nothing came for {self.stall_s:g} s") from None
            if event["type"] != "http.request":
                raise ClientGone
            self.is_body_left = event.get("more_body", False)
            if event.get("body"):
                piece: bytes = event["body"]
                return piece
        return None

    async def small_body(self, most: int) -> bytes:
        """Return the whole body.

        Raises:
            ContentTooLarge: it has more than ``most`` bytes.
            SizeInvalid: it has not as many as the request says.
        """
        if (self.length or 0) > most:
            raise ContentTooLarge(f"a manifest may have {most} bytes, and this has {self.length}")
        pieces, size = [], 0
        while (piece := await self.piece()) is not None:
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise ContentTooLarge(f"a manifest may have {most} bytes, and this has more")
        if self.length is not None and self.length != size:
            raise SizeInvalid(f"{size} bytes came, and {self.length} were announced")
        return b"".join(pieces)
