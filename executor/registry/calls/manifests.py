"""Manifests: read by tag or digest, kept byte for byte, taken out; who refers to them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import quote

from executor.registry.call import RegistryCall
from executor.registry.disk import Disk
from executor.registry.errors import (
    DigestInvalid,
    ManifestInvalid,
    ManifestUnknown,
    RepositoryUnknown,
    RequestUnsupported,
)
from executor.registry.names import algorithm_of, check_digest, digest_of, is_digest, is_tag
from executor.registry.replies import Header, Reply, Sendable
from executor.registry.store.manifests import OCI_INDEX, Manifest
from executor.registry.store.store import ImageStore

InUse = Callable[[], Awaitable[Collection[str]]]
"""Gives the digests of manifests that are needed, whether a tag stands for them or not."""

_PAGE: Final = 1000
_PAGE_BYTES: Final = 2 * 1024 * 1024
_MAX_TAGS: Final = 20
_JSON: Final[Header] = (b"content-type", b"application/json")


class Manifests:
    """Answers for ``/v2/<repository>/manifests/<reference>``."""

    def __init__(self, store: ImageStore, disk: Disk, in_use: InUse) -> None:
        self._store = store
        self._disk = disk
        self._in_use = in_use

    async def get(self, call: RegistryCall) -> Sendable:
        """Return a manifest as it was pushed."""
        repository, reference = call.place.repository, call.place.target
        if not (is_digest(reference) or is_tag(reference)):
            raise ManifestUnknown(f"'{reference[:150]}' is no tag and no digest")
        if call.method == "HEAD":
            found = self._store.index.manifest(repository, reference)
            if found is None:
                raise ManifestUnknown(f"repository '{repository}' has no manifest '{reference[:150]}'")
            return Reply(headers=_headers(found), size=found.size)
        manifest, content = await self._disk.run(self._store.manifest_content, repository, reference)
        return Reply(headers=_headers(manifest), body=content)

    async def put(self, call: RegistryCall) -> Sendable:
        """Keep a manifest under its digest, and let the tag in the path, or those of the query, stand for it."""
        repository, reference = call.place.repository, call.place.target
        tags = call.query().get("tag", [])
        if is_digest(reference):
            if bad := [tag for tag in tags if not is_tag(tag)]:
                raise ManifestInvalid(f"'{bad[0][:150]}' is no tag")
            if len(tags) > _MAX_TAGS:
                raise RequestUnsupported(f"at most {_MAX_TAGS} tags can be set at once, and there are {len(tags)}")
        elif is_tag(reference):
            tags = [reference]
        elif ":" in reference:
            raise DigestInvalid(f"'{reference[:150]}' is no digest")
        else:
            raise ManifestInvalid(f"'{reference[:150]}' is no tag and no digest")
        content = await call.small_body(self._store.limits.manifest_bytes)
        algorithm = algorithm_of(reference) if is_digest(reference) else "sha256"
        digest = await self._disk.run(digest_of, content, algorithm)
        if is_digest(reference) and digest != reference:
            raise DigestInvalid(f"the manifest that came is {digest}, and not {reference}")
        manifest = await self._disk.run(
            self._store.put_manifest, repository, content,
            media_type=call.header(b"content-type").partition(";")[0].strip(), digest=digest, tags=tags,
        )  # fmt: skip
        headers = [
            (b"location", f"/v2/{repository}/manifests/{digest}".encode()),
            (b"docker-content-digest", digest.encode()),
        ]
        if manifest.subject:
            headers.append((b"oci-subject", manifest.subject.encode()))
        if is_digest(reference):
            headers += [(b"oci-tag", tag.encode()) for tag in tags]
        return Reply(status=201, headers=headers)

    async def delete(self, call: RegistryCall) -> Sendable:
        """Take a tag, or a manifest and all its tags, out of the repository."""
        repository, reference = call.place.repository, call.place.target
        if is_digest(reference):
            await self._disk.run(self._store.delete_manifest, repository, reference, await self._in_use())
        elif is_tag(reference):
            await self._disk.run(self._store.delete_tag, repository, reference)
        else:
            raise ManifestUnknown(f"'{reference[:150]}' is no tag and no digest")
        return Reply(status=202)

    async def referrers(self, call: RegistryCall) -> Sendable:
        """Return the manifests that tell about another, as an index; all, or those of one type."""
        repository, subject = call.place.repository, check_digest(call.place.target)
        wanted = call.parameter("artifactType")
        after = call.parameter("last") or ""
        found = [
            manifest
            for manifest in self._store.index.referrers(repository, subject)
            if manifest.digest > after and (not wanted or manifest.artifact_type == wanted)
        ]
        entries: list[dict[str, object]] = []
        size = 0
        for manifest in found:
            size += manifest.size
            if entries and (size > _PAGE_BYTES or len(entries) >= _PAGE):
                break
            entries.append(manifest.descriptor())
        headers: list[Header] = [(b"content-type", OCI_INDEX.encode())]
        if wanted:
            headers.append((b"oci-filters-applied", b"artifactType"))
        if len(entries) < len(found):
            last = quote(found[len(entries) - 1].digest, safe="")
            kept = f"&artifactType={quote(wanted, safe='')}" if wanted else ""
            headers.append(_link(f"/v2/{repository}/referrers/{subject}?last={last}{kept}"))
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        return Reply(headers=headers, body=json.dumps(index, separators=(",", ":")).encode())

    async def tags(self, call: RegistryCall) -> Sendable:
        """Return the tags in their order, small letters like capital ones; page by page where that is asked for."""
        repository = call.place.repository
        tags = self._store.index.tags(repository)
        if tags is None:
            raise RepositoryUnknown(f"there is no repository '{repository}'")
        after = call.parameter("last")
        found = sorted(
            (tag for tag in tags if after is None or _order(tag) > _order(after)),
            key=_order,
        )
        shown = found[: _count(call.parameter("n"))]
        headers = [_JSON]
        if shown and len(shown) < len(found):
            headers.append(_link(f"/v2/{repository}/tags/list?n={len(shown)}&last={quote(shown[-1], safe='')}"))
        body = json.dumps({"name": repository, "tags": shown}).encode()
        return Reply(headers=headers, body=body)


def _headers(manifest: Manifest) -> list[Header]:
    headers = [
        (b"content-type", manifest.media_type.encode()),
        (b"docker-content-digest", manifest.digest.encode()),
    ]
    if manifest.subject:
        headers.append((b"oci-subject", manifest.subject.encode()))
    return headers


def _link(address: str) -> Header:
    return b"link", f'<{address}>; rel="next"'.encode()


def _order(tag: str) -> tuple[str, str]:
    return tag.lower(), tag


def _count(text: str | None) -> int:
    if text is None:
        return _PAGE
    if not (text.isascii() and text.isdigit()) or len(text) > 9:  # noqa: PLR2004 - more than anybody has
        raise RequestUnsupported(f"'n={text[:40]}' is no number")
    return min(int(text), _PAGE)
