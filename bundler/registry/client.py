"""The client: everything that a build asks of registries."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import httpx

from bundler.errors import DigestMismatch
from bundler.model import Blob, Digest, Progress, Silent, digest_of
from bundler.registry.answers import number, read
from bundler.registry.auth import Authenticator
from bundler.registry.challenges import Scope, pull, push
from bundler.registry.connection import Bytes, Connections, Network, target_of
from bundler.registry.content import Content, Local, Meter, Remote
from bundler.registry.credentials import Credentials
from bundler.registry.downloads import Download
from bundler.registry.errors import RegistryNotFound, RegistryRefused, RegistryUnauthorized
from bundler.registry.exchange import Call, Exchange
from bundler.registry.manifests import MAX_MANIFEST, MEDIA_TYPES, OCI_INDEX, Descriptor, Manifest, checked
from bundler.registry.reference import Reference, is_digest
from bundler.registry.referrers import (
    MAX_PAGES,
    Referrer,
    descriptor_of,
    following,
    index_of,
    listed,
    subject_of,
    tag_of,
)
from bundler.registry.retrying import Retrying
from bundler.registry.secrets import Secrets
from bundler.registry.uploads import Habits, Limits, Session, Upload, cancel, mount

Arrival = Literal["present", "mounted", "uploaded"]
"""How a blob came to be in a repository."""

_OK, _FORBIDDEN, _NOT_FOUND = 200, 403, 404
_NOT_BY_HEAD = frozenset({400, 405, 501})
_PUT = frozenset({200, 201, 202, 204})


class RegistryClient:
    """Talks to registries, to many at once and from many tasks. An asynchronous context manager."""

    def __init__(
        self,
        *,
        credentials: Credentials | None = None,
        network: Network | None = None,
        retrying: Retrying | None = None,
        limits: Limits | None = None,
        user_agent: str = "trigger",
    ) -> None:
        """Open nothing yet; what is left out is taken from this process's environment."""
        network = network or Network(environ=dict(os.environ))
        retrying = retrying or Retrying()
        self._credentials = credentials or Credentials(environ=dict(os.environ), home=Path.home())
        self._connections = Connections(network, user_agent=user_agent)
        secrets = Secrets()
        self._authenticator = Authenticator(
            self._credentials, self._connections.send, clock=retrying.clock, secrets=secrets
        )
        self._exchange = Exchange(self._connections, network, self._authenticator, retrying, secrets)
        self._limits = limits or Limits()
        self._habits: dict[str, Habits] = {}
        self._unmountable: set[tuple[str, str]] = set()
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connections.aclose()

    @property
    def sources(self) -> Mapping[str, str]:
        """Host to where its credentials are from, for people, for each host that wanted any."""
        return self._credentials.sources

    async def resolve(self, reference: Reference) -> Descriptor:
        """Return digest, media type and size of a manifest, without reading it where that can be."""
        expected = frozenset({_OK}) | _NOT_BY_HEAD
        response = await self._exchange.ask(reference, self._manifest_call("HEAD", reference, expected))
        await response.aclose()
        stated = response.headers.get("Docker-Content-Digest", "")
        size = number(response.headers.get("Content-Length", ""))
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        is_full = response.status_code == _OK and is_digest(stated) and media_type in MEDIA_TYPES
        if size and is_full and (not reference.digest or reference.digest == stated):
            return Descriptor(digest=stated, media_type=media_type, size=size)
        manifest = await self.manifest(reference)
        return Descriptor(digest=manifest.digest, media_type=manifest.media_type, size=len(manifest.content))

    async def manifest(self, reference: Reference) -> Manifest:
        """Return a manifest or an index by its digest, else its tag; the bytes are checked."""

        async def fetch() -> Manifest:
            response = await self._exchange.once(reference, self._manifest_call("GET", reference, frozenset({_OK})))
            return checked(reference, response, await read(response, MAX_MANIFEST))

        return await self._exchange.retrying.run(fetch)

    def blob(self, reference: Reference, digest: Digest, size: int | None = None) -> AsyncGenerator[bytes, None]:
        """Give the bytes of a blob; the last ones only when all of them have been checked.

        Who may stop before the end wraps it in ``contextlib.aclosing``.

        Args:
            reference: its repository.
            digest: what it must be; DigestMismatch when it is not.
            size: what it must have, in bytes; None when it is not known.
        """
        return Download(exchange=self._exchange, reference=reference, digest=digest, size=size).chunks()

    async def has_blob(self, reference: Reference, digest: Digest, size: int | None = None) -> bool:
        """Tell whether a repository has a blob; one of another size is not it."""
        return await self._has(reference, digest, size, pull(reference.repository))

    async def mount(self, target: Reference, source: Reference, digest: Digest) -> bool:
        """Make a blob of one repository one of another in the same registry; False when the registry does not."""
        outcome = await self._mounted(target, source, digest)
        if isinstance(outcome, Session):
            await cancel(self._exchange, target, outcome)
        return outcome is True

    async def push_blob(
        self,
        target: Reference,
        blob: Blob,
        *,
        mount_from: Iterable[Reference] = (),
        progress: Progress | None = None,
        name: str = "",
    ) -> Arrival:
        """Make sure that a repository has a blob.

        Args:
            target: the repository.
            blob: read again where an upload breaks off.
            mount_from: repositories that may have it; those in other registries are passed over.
            progress: hears how far an upload is.
            name: of the blob for ``progress``; its digest when empty.
        """
        return await self._push(target, Local(blob=blob), mount_from, progress, name)

    async def copy_blob(
        self,
        source: Reference,
        target: Reference,
        *,
        digest: Digest,
        size: int,
        progress: Progress | None = None,
        name: str = "",
    ) -> Arrival:
        """Make sure that a repository has a blob of another: mounted, or else streamed, by way of no disk."""
        content = Remote(digest=digest, size=size, stream=lambda: self.blob(source, digest, size))
        return await self._push(target, content, [source], progress, name)

    async def push_manifest(self, reference: Reference, content: bytes, media_type: str) -> Digest:
        """Store a manifest under its tag, or else its digest; byte for byte.

        What it refers to by ``subject`` is told so: by the registry, or an index behind a tag where it keeps no lists.
        """
        digest = digest_of(content)
        if reference.digest and reference.digest != digest:
            raise DigestMismatch(f"the manifest for {reference} is {digest}")
        place = reference.tag or digest
        call = Call(
            method="PUT", path=f"manifests/{place}", scopes=frozenset({push(reference.repository)}), expected=_PUT,
            headers={"Content-Type": media_type}, body=Bytes(content=content),
        )  # fmt: skip
        response = await self._exchange.ask(reference, call)
        await response.aclose()
        stated = response.headers.get("Docker-Content-Digest", "")
        if stated.startswith("sha256:") and stated != digest:
            raise DigestMismatch(f"'{reference.endpoint}' stored {stated} for {reference}, which is {digest}")
        subject = subject_of(content)
        if subject and "OCI-Subject" not in response.headers:
            await self._append_referrer(reference, subject, descriptor_of(content, media_type))
        return digest

    async def referrers(self, reference: Reference, digest: Digest, artifact_type: str = "") -> list[Referrer]:
        """Return the descriptors of what refers to a manifest; all, or those of one type."""
        found = await self._listed_referrers(reference, digest)
        if found is None:
            found = await self._tagged_referrers(reference, digest)
        return [entry for entry in found if not artifact_type or entry.get("artifactType") == artifact_type]

    async def _listed_referrers(self, reference: Reference, digest: Digest) -> list[Referrer] | None:
        """Return the registry's own list; None when it keeps none."""
        found: list[Referrer] = []
        path: str | httpx.URL = f"referrers/{digest}"
        for _ in range(MAX_PAGES):
            call = Call(
                method="GET", path=path, scopes=frozenset({pull(reference.repository)}), headers={"Accept": OCI_INDEX},
                expected=frozenset({_OK, _NOT_FOUND}) | _NOT_BY_HEAD,
            )  # fmt: skip
            response = await self._exchange.ask(reference, call)
            if response.status_code != _OK or "json" not in response.headers.get("Content-Type", ""):
                await response.aclose()
                return None
            found += listed(reference, await read(response, MAX_MANIFEST))
            link = following(response.headers.get("Link", ""))
            if not link:
                break
            path = target_of(link, response.request.url)
        return found

    async def _tagged_referrers(self, reference: Reference, digest: Digest) -> list[Referrer]:
        try:
            manifest = await self.manifest(reference.with_tag(tag_of(digest)))
        except RegistryNotFound:
            return []
        return listed(reference, manifest.content)

    async def _append_referrer(self, reference: Reference, subject: Digest, referrer: Referrer) -> None:
        async with self._lock(reference.name, subject):
            known = await self._tagged_referrers(reference, subject)
            if any(entry["digest"] == referrer["digest"] for entry in known):
                return
            await self.push_manifest(reference.with_tag(tag_of(subject)), index_of([*known, referrer]), OCI_INDEX)

    async def _push(
        self,
        target: Reference,
        content: Content,
        mount_from: Iterable[Reference],
        progress: Progress | None,
        name: str,
    ) -> Arrival:
        """Look, mount, upload. A blob that two tasks push to one repository is pushed once."""
        sources = [source for source in mount_from if source.endpoint == target.endpoint and source.name != target.name]
        wanted = [push(target.repository), *(pull(source.repository) for source in sources)]
        self._authenticator.expect(target.endpoint, wanted)
        async with self._lock(target.name, content.digest):
            if await self._has(target, content.digest, content.size, push(target.repository)):
                return "present"
            session: Session | None = None
            for source in sources:
                await cancel(self._exchange, target, session)
                outcome = await self._mounted(target, source, content.digest)
                if outcome is True:
                    return "mounted"
                session = outcome or None
            meter = Meter(progress or Silent(), name or content.digest, content.size)
            try:
                await self._upload(target, content, meter).run(session)
            finally:
                meter.finish()
            return "uploaded"

    async def _has(self, reference: Reference, digest: Digest, size: int | None, scope: Scope) -> bool:
        expected = frozenset({_OK, _NOT_FOUND, _FORBIDDEN}) | _NOT_BY_HEAD
        call = Call(method="HEAD", path=f"blobs/{digest}", scopes=frozenset({scope}), expected=expected)
        response = await self._exchange.ask(reference, call)
        await response.aclose()
        is_own = response.request.url.host == httpx.URL(f"http://{reference.endpoint}").host
        if response.status_code == _FORBIDDEN and is_own:
            # Another host is a store whose signed address is good for GET alone: it says nothing.
            raise await self._exchange.refused(reference, response, b"")
        length = number(response.headers.get("Content-Length", ""))
        is_other = size is not None and bool(length) and length != size
        return response.status_code == _OK and not is_other

    async def _mounted(self, target: Reference, source: Reference, digest: Digest) -> Session | bool:
        """Return True when it was mounted, a session when one was begun instead, and False when neither."""
        pair = (target.name, source.name)
        if source.endpoint != target.endpoint or pair in self._unmountable:
            return False
        try:
            return await mount(self._exchange, target, source.repository, digest) or True
        except (RegistryUnauthorized, RegistryNotFound, RegistryRefused):
            # Who may not read the source can still upload; asking again for each blob would cost two requests each.
            self._unmountable.add(pair)
            return False

    def _upload(self, target: Reference, content: Content, meter: Meter) -> Upload:
        habits = self._habits.setdefault(target.endpoint, Habits())
        return Upload(self._exchange, target, content, meter=meter, habits=habits, limits=self._limits)

    def _lock(self, name: str, digest: Digest) -> asyncio.Lock:
        return self._locks.setdefault((name, digest), asyncio.Lock())

    @staticmethod
    def _manifest_call(method: str, reference: Reference, expected: frozenset[int]) -> Call:
        return Call(
            method=method, path=f"manifests/{reference.target}", scopes=frozenset({pull(reference.repository)}),
            expected=expected, headers={"Accept": ", ".join(MEDIA_TYPES)},
        )  # fmt: skip
