"""Whether an index sends anybody to the host that a lock names for its files.

The lock is a file that anybody who may open a merge request can change, and few read its diff. An index may have its
files on other hosts; then it says so itself, on its page of the project.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from typing import Final

import httpx

from bundler.locks.errors import LockUntrusted
from bundler.locks.model import Distribution, LockedFile, Registry
from bundler.registry.connection import same_origin
from bundler.wheels.logins import without_login

ACCEPT: Final = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

ReadPage = Callable[[httpx.URL], Awaitable[tuple[httpx.URL, bytes] | None]]
"""Returns a page and the address it came from in the end; None when there is none."""


class IndexHosts:
    """Remembers which index sends to which server.

    Args:
        read_page: asks an index.
    """

    def __init__(self, read_page: ReadPage) -> None:
        self._read_page = read_page
        self._known: set[tuple[str, str]] = set()
        self._asking: dict[str, asyncio.Lock] = {}

    async def check(self, distribution: Distribution, file: LockedFile) -> None:
        """Pass when a file is on its index's own server, or where the index says that files of the project are.

        Raises:
            LockUntrusted: it is elsewhere.
        """
        source = distribution.source
        if not isinstance(source, Registry) or not source.index.startswith(("http://", "https://")):
            return
        index, url = _address(source.index, file), _address(file.url, file)
        origin = _origin(url)
        if same_origin(index, url):
            return
        # One at a time: the page of the first wheel mostly answers for all of them.
        async with self._asking.setdefault(source.index, asyncio.Lock()):
            if (source.index, origin) not in self._known:
                await self._learn(source.index, index, distribution.name)
        if (source.index, origin) not in self._known:
            raise LockUntrusted(
                f"the lock takes '{file.filename}' from '{url.host}', and the index '{index.host}' that it names for "
                f"{distribution.name} sends nobody there"
            )

    async def _learn(self, name: str, index: httpx.URL, project: str) -> None:
        base = index.copy_with(path=f"{index.path.rstrip('/')}/")
        for address in (base.join(f"{project}/"), index):
            page = await self._read_page(address)
            if page is None:
                continue
            self._known |= {(name, found) for found in _origins(*page)}
            break


def _address(text: str, file: LockedFile) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL:
        raise LockUntrusted(f"the lock names an address for '{file.filename}' that is none") from None


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{without_login(url).netloc.decode('ascii', 'replace')}"


def _origins(address: httpx.URL, content: bytes) -> set[str]:
    """Return the servers that a page of an index links to."""
    found: set[str] = set()
    for link in _links(content):
        try:
            found.add(_origin(address.join(link)))
        except (httpx.InvalidURL, ValueError):
            continue
    return found


def _links(content: bytes) -> list[str]:
    text = content.decode(errors="replace")
    if text.lstrip()[:1] == "{":
        try:
            files = json.loads(text).get("files")
        except (ValueError, RecursionError):
            return []
        listed = files if isinstance(files, list) else []
        return [file["url"] for file in listed if isinstance(file, dict) and isinstance(file.get("url"), str)]
    page = _Page()
    page.feed(text)
    return page.links


class _Page(HTMLParser):
    """Collects where a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of a link."""
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]
