"""The executor's registry under test: a real folder, a real server on a free port, keys that a test gives out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.routing import Router

from executor.api.routes import nowhere
from executor.registry.access import Action, Credential, Verdict
from executor.registry.opening import OpenRegistry, open_registry
from executor.registry.store.limits import Limits
from executor.server import serve

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EVERYTHING: frozenset[Action] = frozenset({"pull", "push", "delete"})


@dataclass
class Keys:
    """An authority: keys, each with what it may do below which names. Without any key everybody may do everything."""

    granted: dict[str, dict[str, frozenset[Action]]] = field(default_factory=dict)
    asked: list[tuple[Credential | None, str, Action]] = field(default_factory=list)

    def give(self, secret: str, below: str = "", actions: frozenset[Action] = EVERYTHING) -> None:
        """Let a key do something in all repositories whose name begins so."""
        self.granted.setdefault(secret, {})[below] = actions

    async def judge(self, credential: Credential | None, repository: str, action: Action) -> Verdict:
        self.asked.append((credential, repository, action))
        if not self.granted:
            return "granted"
        grants = self.granted.get(credential.secret) if credential is not None else None
        if grants is None:
            return "unknown"
        if not repository:
            return "granted"
        is_allowed = any(repository.startswith(below) and action in actions for below, actions in grants.items())
        return "granted" if is_allowed else "denied"


@dataclass
class Side:
    """What surrounds a registry, and a test can change: keys, images in use, the time."""

    keys: Keys = field(default_factory=Keys)
    in_use: set[str] = field(default_factory=set)
    time: float = 1000.0

    def now(self) -> float:
        return self.time

    async def digests_in_use(self) -> set[str]:
        return self.in_use


@dataclass
class ImageRegistry:
    """A registry that listens.

    Attributes:
        url: ``http://127.0.0.1:PORT``.
        opened: the registry itself.
        side: what surrounds it.
        client: talks to it.
    """

    url: str
    opened: OpenRegistry
    side: Side
    client: httpx.AsyncClient

    @property
    def host(self) -> str:
        """Where it listens, as names of images have it."""
        return self.url.removeprefix("http://")

    async def begin(self, repository: str = "prod/app", **query: str) -> str:
        """Begin an upload; return its address."""
        answer = await self.client.post(f"/v2/{repository}/blobs/uploads/", params=query)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    async def push(self, content: bytes, repository: str = "prod/app") -> str:
        """Push a blob; return its digest."""
        digest = digest_of(content)
        answer = await self.client.post(f"/v2/{repository}/blobs/uploads/", params={"digest": digest}, content=content)
        assert answer.status_code == 201, answer.text
        return digest

    async def put(
        self, manifest: bytes, reference: str = "", repository: str = "prod/app", media_type: str = OCI_MANIFEST
    ) -> httpx.Response:
        """Push a manifest, under its digest where no tag is given."""
        return await self.client.put(
            f"/v2/{repository}/manifests/{reference or digest_of(manifest)}", content=manifest,
            headers={"content-type": media_type},
        )  # fmt: skip

    async def push_image(
        self, *layers: bytes, tag: str = "", repository: str = "prod/app", config: bytes = b"{}", **more: Any
    ) -> str:
        """Push an image; return its digest."""
        for blob in (config, *layers):
            await self.push(blob, repository)
        manifest = image(config, *layers, **more)
        answer = await self.put(manifest, tag, repository)
        assert answer.status_code == 201, answer.text
        return digest_of(manifest)

    async def has(self, digest: str, repository: str = "prod/app", kind: str = "blobs") -> bool:
        """Tell whether a repository has a blob, or with ``kind="manifests"`` a manifest."""
        return (await self.client.head(f"/v2/{repository}/{kind}/{digest}")).status_code == 200


def digest_of(content: bytes) -> str:
    """Return the digest of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str = LAYER, **more: Any) -> dict[str, Any]:
    """Return how a manifest refers to some bytes."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}


def image(config: bytes, /, *layers: bytes, **more: Any) -> bytes:
    """Return the manifest of an image; further fields replace its own."""
    fields = {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptor(config, CONFIG),
        "layers": [descriptor(layer) for layer in layers],
    }  # fmt: skip
    return json.dumps({**fields, **more}).encode()


def index(*manifests: bytes, **more: Any) -> bytes:
    """Return an index of manifests."""
    entries = [descriptor(manifest, OCI_MANIFEST) for manifest in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries, **more}).encode()


def refused(answer: httpx.Response, status: int, word: str) -> dict[str, Any]:
    """See that an answer refuses, in the protocol's form; return the error."""
    assert answer.status_code == status, answer.text
    (error,) = answer.json()["errors"]
    assert error["code"] == word, error
    assert error["message"]
    return dict(error)


@asynccontextmanager
async def image_registry(folder: Path, *, side: Side | None = None, **limits: Any) -> AsyncIterator[ImageRegistry]:
    """Serve a registry while the block runs; keywords are its limits."""
    side = side or Side()
    limited = Limits(**{"spare_bytes": 0, **limits})
    async with open_registry(
        folder, authority=side.keys, in_use=side.digests_in_use, limits=limited, clock=side.now
    ) as opened:
        router = Router([opened.app.mount()], redirect_slashes=False, default=nowhere)
        async with serve(router) as serving, httpx.AsyncClient(base_url=serving.url, timeout=30) as client:
            yield ImageRegistry(url=serving.url, opened=opened, side=side, client=client)
