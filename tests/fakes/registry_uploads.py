"""The uploads of the fake registry: sessions whose address changes with each step."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.registry_wire import HangUp, Received, Reply

if TYPE_CHECKING:
    from tests.fakes.registry import FakeRegistry


@dataclass
class FakeSession:
    """An upload; only the address with the newest ``serial`` is good."""

    data: bytearray = field(default_factory=bytearray)
    serial: int = 0


class FakeUploads:
    """All sessions of one registry."""

    def __init__(self, registry: FakeRegistry) -> None:
        self._registry = registry
        self.sessions: dict[str, FakeSession] = {}
        self.begun = 0
        self.canceled = 0

    def answer(self, request: Received, name: str, id: str) -> Reply:
        if request.method == "POST":
            return self._begin(request, name)
        session = self.sessions.get(id)
        if session is None:
            return _refusal(404, "BLOB_UPLOAD_UNKNOWN")
        if request.method == "GET":
            return self._reply(204, name, id, session)
        if request.method == "DELETE":
            del self.sessions[id]
            self.canceled += 1
            return Reply(status=204)
        return self._take(request, name, id, session)

    def _take(self, request: Received, name: str, id: str, session: FakeSession) -> Reply:
        # The part of the query that a client must send back byte for byte.
        if request.target.partition("_state=")[2].partition("&digest")[0] != _state(session):
            return _refusal(404, "BLOB_UPLOAD_UNKNOWN")
        if request.is_cut:
            if self._registry.behaviour.keeps_broken_uploads:
                session.data += request.body
                session.serial += 1
            else:
                del self.sessions[id]
            raise HangUp
        if len(request.body) > self._registry.behaviour.largest_body:
            return Reply(status=413, headers={"Content-Type": "text/html"}, body=b"<html>too large</html>")
        if request.method == "PATCH":
            return self._patch(request, name, id, session)
        session.data += request.body
        return self._end(request, name, id, session)

    def _begin(self, request: Received, name: str) -> Reply:
        registry, behaviour = self._registry, self._registry.behaviour
        digest, mounted = request.first("digest"), request.first("mount")
        source = registry.blobs.get(request.first("from"), {})
        if mounted and behaviour.mount and mounted in source:
            registry.put_blob(name, source[mounted])
            return Reply(status=201, headers={"Location": f"/v2/{name}/blobs/{mounted}"})
        if digest and behaviour.single_post == "refused":
            return _refusal(405, "UNSUPPORTED")
        if digest and behaviour.single_post == "stored":
            registry.put_blob(name, request.body)
            return Reply(status=201, headers={"Location": f"/v2/{name}/blobs/{digest}"})
        self.begun += 1
        id = f"s{self.begun}"
        self.sessions[id] = FakeSession()
        return self._reply(202, name, id, self.sessions[id])

    def _patch(self, request: Received, name: str, id: str, session: FakeSession) -> Reply:
        behaviour = self._registry.behaviour
        content_range = re.fullmatch(r"(\d+)-(\d+)", request.headers.get("content-range", ""))
        if content_range is None or int(content_range[1]) != len(session.data):
            return self._reply(416, name, id, session)
        if int(content_range[2]) - int(content_range[1]) + 1 != len(request.body):
            return _refusal(400, "SIZE_INVALID")
        session.data += request.body[: behaviour.takes_part_of_chunk or None]
        session.serial += 1
        return self._reply(202, name, id, session)

    def _end(self, request: Received, name: str, id: str, session: FakeSession) -> Reply:
        digest = request.first("digest")
        del self.sessions[id]
        if f"sha256:{hashlib.sha256(session.data).hexdigest()}" != digest:
            return _refusal(400, "DIGEST_INVALID")
        self._registry.put_blob(name, bytes(session.data))
        return Reply(status=201, headers={"Location": f"/v2/{name}/blobs/{digest}"})

    def _reply(self, status: int, name: str, id: str, session: FakeSession) -> Reply:
        behaviour = self._registry.behaviour
        location = f"/v2/{name}/blobs/uploads/{id}?_state={_state(session)}"
        if behaviour.location == "absolute":
            location = f"http://{self._registry.host}{location}"
        headers = {"Location": location, "Range": f"0-{max(len(session.data) - 1, 0)}"}
        if behaviour.smallest_chunk:
            headers["OCI-Chunk-Min-Length"] = str(behaviour.smallest_chunk)
        return Reply(status=status, headers=headers)


def _state(session: FakeSession) -> str:
    """Return something whose bytes change when a query is taken apart and put together again."""
    return f"a%2Fb+c/%3D~{session.serial}=="


def _refusal(status: int, code: str) -> Reply:
    body = f'{{"errors":[{{"code":"{code}","message":"","detail":null}}]}}'.encode()
    return Reply(status=status, headers={"Content-Type": "application/json"}, body=body)
