"""The registry as an ASGI application: who asks, what for, and what answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from executor.api.bodies import ClientGone
from executor.registry.access import Action, Authority, read_credential
from executor.registry.call import Place, RegistryCall, read_path
from executor.registry.calls.blobs import Blobs
from executor.registry.calls.manifests import InUse, Manifests
from executor.registry.calls.uploads import Uploads
from executor.registry.disk import Disk
from executor.registry.errors import (
    AccessDenied,
    CredentialMissing,
    RegistryFailed,
    RegistryMethodRefused,
    RegistryPathUnknown,
    RegistryRefused,
    RegistryStopping,
)
from executor.registry.names import check_repository
from executor.registry.replies import Reply, Sendable, refusal
from executor.registry.store.store import ImageStore

logger = logging.getLogger("trigger.executor.registry")

Answerer = Callable[[RegistryCall], Awaitable[Sendable]]
_ACTIONS: Final[dict[tuple[str, str], Action]] = {
    ("upload", "GET"): "push",
    ("upload", "DELETE"): "push",
    ("manifest", "DELETE"): "delete",
    ("blob", "DELETE"): "delete",
}


class Registry:
    """Speaks the distribution protocol at ``/v2/``.

    Args:
        store: keeps the images.
        disk: threads for what blocks.
        authority: decides who may do what.
        in_use: gives the digests that deployments need, which may not be deleted.
        new_id: makes ids for errors in the log.
    """

    def __init__(
        self, store: ImageStore, disk: Disk, *, authority: Authority, in_use: InUse, new_id: Callable[[], str]
    ) -> None:
        self._stall_s = store.limits.stall_s
        self._authority = authority
        self._new_id = new_id
        blobs = Blobs(store, disk)
        uploads = Uploads(store, disk, authority)
        manifests = Manifests(store, disk, in_use)
        self._answerers: dict[str, dict[str, Answerer]] = {
            "root": {"GET": _greet},
            "blob": {"GET": blobs.get, "DELETE": blobs.delete},
            "uploads": {"POST": uploads.begin},
            "upload": {"GET": uploads.status, "PATCH": uploads.go_on, "PUT": uploads.end, "DELETE": uploads.cancel},
            "manifest": {"GET": manifests.get, "PUT": manifests.put, "DELETE": manifests.delete},
            "tags": {"GET": manifests.tags},
            "referrers": {"GET": manifests.referrers},
        }

    def mount(self) -> Mount:
        """Return the route for the executor's router."""
        return Mount("/v2", app=self, name="registry")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        call = RegistryCall(
            scope=scope, receive_event=receive, stall_s=self._stall_s, place=read_path(scope["path"]) or Place(kind="")
        )
        try:
            answer = await self._answer(call)
        except ClientGone:
            return
        except RegistryRefused as error:
            answer = refusal(error, is_body_left=call.is_body_left)
        except asyncio.CancelledError:
            answer = refusal(RegistryStopping("the server is stopping"), is_body_left=False)
        except Exception as error:  # noqa: BLE001 - our mistake: told in the log, and not to the client
            answer = refusal(self._failed(error, call), is_body_left=call.is_body_left)
        await answer.send(scope, receive, send)

    async def _answer(self, call: RegistryCall) -> Sendable:
        answerers = self._answerers.get(call.place.kind)
        if answerers is None:
            raise RegistryPathUnknown(f"the distribution protocol has no path {call.scope['path'][:200]!r}")
        method = "GET" if call.method == "HEAD" else call.method
        await self._authorize(call, method)
        answerer = answerers.get(method)
        if answerer is None:
            allowed = ", ".join(sorted({*answerers, *(["HEAD"] if "GET" in answerers else [])}))
            raise RegistryMethodRefused(
                f"{call.method[:20]} is not possible here",
                hint=f"Use {allowed}.",
                headers=[(b"allow", allowed.encode())],
            )
        return await answerer(call)

    async def _authorize(self, call: RegistryCall, method: str) -> None:
        place = call.place
        if place.kind != "root":
            check_repository(place.repository)
        action = _ACTIONS.get((place.kind, method), "pull" if method == "GET" else "push")
        credential = read_credential(call.headers.get(b"authorization"))
        verdict = await self._authority.judge(credential, place.repository, action)
        if verdict == "unknown":
            raise CredentialMissing("an API key is needed" if credential is None else "the API key is not known")
        if verdict != "granted":
            raise AccessDenied(f"the key may not {action} in repository '{place.repository}'")

    def _failed(self, error: Exception, call: RegistryCall) -> RegistryFailed:
        id = self._new_id()
        logger.error("internal error %s in %s %s", id, call.method, call.scope["path"], exc_info=error)
        return RegistryFailed(f"the server made a mistake; it is logged under the id {id}")


async def _greet(_call: RegistryCall) -> Sendable:
    return Reply(headers=[(b"content-type", b"application/json")], body=b"{}")
