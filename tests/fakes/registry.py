"""A registry on real sockets, with a switch for each unusual thing that real ones do."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.registry_tokens import FakeTokens, basic
from tests.fakes.registry_uploads import FakeSession, FakeUploads
from tests.fakes.registry_wire import HangUp, Received, Reply, WireServer

_PATH = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>blobs|manifests|referrers|uploads)/(?P<rest>.+)")


def sha256(content: bytes) -> str:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def refuse(status: int, code: str, message: str = "") -> Reply:
    """Return a refusal as the protocol has it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status=status, headers={"Content-Type": "application/json"}, body=body)


@dataclass
class Fault:
    """Something that goes wrong ``times`` times, for requests whose ``METHOD PATH?QUERY`` the pattern is found in.

    ``status`` 0 resets the connection; ``after_body`` does so when so many bytes of the request's body have come;
    ``cut_at`` cuts the body of the right answer.
    """

    pattern: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after_body: int | None = None
    cut_at: int | None = None

    def fits(self, request: Received) -> bool:
        return self.times > 0 and re.search(self.pattern, f"{request.method} {request.target}") is not None


@dataclass
class Behaviour:
    """How this registry behaves; as it stands, like a plain and friendly one."""

    location: Literal["relative", "absolute"] = "relative"
    single_post: Literal["stored", "accepted", "refused"] = "accepted"
    mount: bool = True
    auth: Literal["", "basic", "bearer"] = ""
    pings: bool = True
    redirects_blobs_to: str = ""
    smallest_chunk: int = 0
    largest_body: int = 1 << 40
    takes_part_of_chunk: int = 0
    keeps_broken_uploads: bool = True
    lists_referrers: bool = False
    referrers_a_page: int = 100
    says_digest: bool = True
    content_type: str = ""
    head: bool = True
    ranges: bool = True
    faults: list[Fault] = field(default_factory=list)


class FakeRegistry:
    """The registry and, at ``/token``, its token server."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.behaviour = Behaviour()
        self.tokens = FakeTokens(clock)
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.manifests: dict[tuple[str, str], tuple[bytes, str]] = {}
        self.uploads = FakeUploads(self)
        self.wire = WireServer(self._handle, cut_body=self._cut_body)

    async def start(self, tls: ssl.SSLContext | None = None) -> FakeRegistry:
        await self.wire.start(tls=tls)
        return self

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.wire.port}"

    def asked(self, pattern: str) -> list[Received]:
        """Return the requests in whose ``METHOD PATH?QUERY`` a pattern is found."""
        return [one for one in self.wire.received if re.search(pattern, f"{one.method} {one.target}")]

    def put_blob(self, name: str, content: bytes) -> str:
        digest = sha256(content)
        self.blobs.setdefault(name, {})[digest] = content
        return digest

    def put_manifest(self, name: str, reference: str, content: bytes, media_type: str) -> str:
        digest = sha256(content)
        self.manifests[name, digest] = self.manifests[name, reference] = (content, media_type)
        return digest

    def _cut_body(self, request: Received) -> int | None:
        fault = next((f for f in self.behaviour.faults if f.fits(request) and f.after_body is not None), None)
        if fault is None:
            return None
        fault.times -= 1
        return fault.after_body

    async def _handle(self, request: Received) -> Reply:
        fault = next((f for f in self.behaviour.faults if f.fits(request) and f.after_body is None), None)
        if fault is not None and not request.is_cut:
            fault.times -= 1
            if fault.cut_at is not None:
                reply = self._answer(request)
                reply.cut_at = fault.cut_at
                return reply
            if not fault.status:
                raise HangUp
            return Reply(status=fault.status, headers=fault.headers, body=fault.body)
        return self._answer(request)

    def _answer(self, request: Received) -> Reply:
        if request.path == "/token":
            return self.tokens.answer(request)
        if request.path == "/v2/":
            return self._ping(request)
        match = _PATH.fullmatch(request.path)
        if match is None:
            return refuse(404, "NAME_UNKNOWN")
        name, kind, rest = match["name"], match["kind"], match["rest"]
        if kind == "blobs" and (rest + "/").startswith("uploads/"):
            kind, rest = "uploads", rest.removeprefix("uploads").strip("/")
        needed = {name: {"pull"} if request.method in {"GET", "HEAD"} and kind != "uploads" else {"pull", "push"}}
        if request.first("from"):
            needed[request.first("from")] = {"pull"}
        if not self._is_allowed(request, needed):
            return self._challenge(needed)
        answers = {
            "uploads": self.uploads.answer, "blobs": self._blob,
            "referrers": self._referrers, "manifests": self._manifest,
        }  # fmt: skip
        return answers[kind](request, name, rest)

    def _ping(self, request: Received) -> Reply:
        if not self.behaviour.pings:
            return refuse(404, "NOT_FOUND")
        return Reply(body=b"{}") if self._is_allowed(request, {}) else self._challenge({})

    def _is_allowed(self, request: Received, needed: dict[str, set[str]]) -> bool:
        authorization = request.headers.get("authorization", "")
        if self.behaviour.auth == "basic":
            return authorization in {basic(*pair) for pair in self.tokens.users.items()}
        return self.behaviour.auth != "bearer" or self.tokens.allows(authorization, needed)

    def _challenge(self, needed: dict[str, set[str]]) -> Reply:
        challenge = 'Basic realm="fake, or not"'
        if self.behaviour.auth == "bearer":
            scope = " ".join(f"repository:{name}:{','.join(sorted(actions))}" for name, actions in needed.items())
            challenge = f'Bearer realm="http://{self.host}/token",service="fake registry"'
            challenge += f',scope="{scope}"' if scope else ""
        reply = refuse(401, "UNAUTHORIZED", "authentication required")
        reply.headers["WWW-Authenticate"] = challenge
        return reply

    def _blob(self, request: Received, name: str, digest: str) -> Reply:
        content = self.blobs.get(name, {}).get(digest)
        if content is None:
            return refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.behaviour.redirects_blobs_to:
            location = f"{self.behaviour.redirects_blobs_to}/{digest}?X-Signature=s1gnature"
            return Reply(status=307, headers={"Location": location})
        return ranged(request, content, has_ranges=self.behaviour.ranges)

    def _manifest(self, request: Received, name: str, reference: str) -> Reply:
        if request.method == "PUT":
            media_type = request.headers["content-type"]
            tag = self.put_manifest(name, reference, request.body, media_type)
            headers = {"Location": f"/v2/{name}/manifests/{tag}", **self._digest(request.body)}
            subject = json.loads(request.body).get("subject")
            if subject and self.behaviour.lists_referrers:
                headers["OCI-Subject"] = subject["digest"]
            return Reply(status=201, headers=headers)
        if request.method == "HEAD" and not self.behaviour.head:
            return Reply(status=405)
        found = self.manifests.get((name, reference))
        if found is None:
            return refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
        content, media_type = found
        headers = {"Content-Type": self.behaviour.content_type or media_type, **self._digest(content)}
        return Reply(headers=headers, body=content)

    def _digest(self, content: bytes) -> dict[str, str]:
        return {"Docker-Content-Digest": sha256(content)} if self.behaviour.says_digest else {}

    def _referrers(self, request: Received, name: str, digest: str) -> Reply:
        if not self.behaviour.lists_referrers:
            return Reply(status=404, headers={"Content-Type": "text/plain"}, body=b"404 page not found")
        every = [
            {"mediaType": media_type, "digest": key, "size": len(content), "artifactType": fields.get("artifactType")}
            for (repository, key), (content, media_type) in self.manifests.items()
            if repository == name and key.startswith("sha256:")
            for fields in [json.loads(content)]
            if (fields.get("subject") or {}).get("digest") == digest
        ]
        start, page = int(request.first("start") or 0), self.behaviour.referrers_a_page
        body = json.dumps({"schemaVersion": 2, "manifests": every[start : start + page]}).encode()
        headers = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
        if start + page < len(every):
            headers["Link"] = f'</v2/{name}/referrers/{digest}?start={start + page}>; rel="next"'
        return Reply(headers=headers, body=body)


def ranged(request: Received, content: bytes, *, has_ranges: bool = True) -> Reply:
    """Return bytes, or the part of them that is asked for."""
    wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if wanted is None or not has_ranges:
        return Reply(body=content, headers={"Content-Type": "application/octet-stream"})
    start = int(wanted[1])
    headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    return Reply(status=206, headers=headers, body=content[start:])


__all__ = ["Behaviour", "FakeRegistry", "FakeSession", "Fault", "ranged", "refuse", "sha256"]
