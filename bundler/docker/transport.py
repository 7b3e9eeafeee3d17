"""Requests to a Docker engine by the docker SDK, and what their failures mean."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from bundler.docker.endpoints import Endpoint
from bundler.docker.errors import EngineFailed, EngineForbidden, EngineLost, EngineMissing, EngineUnusable
from bundler.docker.interrupts import Interrupt
from bundler.errors import BundlerError

OLDEST_API: Final = (1, 40)
"""Docker 19.03: the first whose ``/build`` takes a platform without experiments."""

_CONNECT_SECONDS: Final = 10.0
_UNIX: Final = "unix://"
_CHUNK: Final = 1 << 20
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})


class Transport:
    """Speaks to one engine, from many threads. Connects when it is first asked.

    Args:
        endpoint: where it is.
        timeout: in seconds, for answers that take no work.
    """

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        self.endpoint = endpoint
        self._timeout = timeout
        self._client: Any = None
        self._lock = threading.Lock()

    def client(self) -> Any:
        """Return the docker SDK's client.

        Raises:
            EngineMissing, EngineForbidden, EngineUnusable: as their names say.
        """
        with self._lock:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def close(self) -> None:
        """End idle connections."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def ask(self, call: Callable[[Any], Any]) -> Any:
        """Return what a call of the SDK gives; its failures become problems."""
        client = self.client()
        with self._translated():
            return call(client)

    @contextlib.contextmanager
    def answer(
        self,
        interrupt: Interrupt,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        data: Iterable[bytes] | None = None,
    ) -> Iterator[Any]:
        """Send a request whose answer is read piece by piece, however long the engine takes for each.

        Args:
            interrupt: ends it.
            method: ``GET`` or ``POST``.
            path: ``/build``, without the version.
            params: of the query.
            headers: of the request.
            data: pieces of its body.

        Yields:
            The answer, an object of ``requests``, whose status was good.
        """
        client = self.client()
        body = interrupt.guarded(data) if data is not None else None
        with self._translated():
            response = client.request(
                method, f"{client.base_url}/v{client.api_version}{path}", params=params, headers=headers, data=body,
                stream=True, timeout=(_CONNECT_SECONDS, None),
            )  # fmt: skip
            with response:
                interrupt.watch(response)
                interrupt.check()
                if response.status_code >= 400:  # noqa: PLR2004 - where HTTP's errors begin
                    raise EngineFailed(f"the Docker engine says: {_explanation(response)}")
                yield response

    def _connected(self) -> Any:
        # Slow to import (0.2 s).
        import docker  # noqa: PLC0415

        endpoint = self.endpoint
        place = f"{endpoint.address} ({endpoint.source})"
        with self._translated():
            if endpoint.address.startswith(_UNIX):
                # The SDK forgets to close a socket that nobody listens at.
                with socket.socket(socket.AF_UNIX) as knocking:
                    knocking.settimeout(_CONNECT_SECONDS)
                    knocking.connect(endpoint.address.removeprefix(_UNIX))
            asking = self._made("1.40")
            try:
                facts = asking.version(api_version=False)
            except (docker.errors.APIError, ValueError, LookupError, TypeError) as error:  # the SDK's own, of nonsense
                raise EngineUnusable(f"what answers at {place} is no Docker engine", detail=str(error)) from error
            finally:
                asking.close()
        told = facts.get("ApiVersion") if isinstance(facts, dict) else None
        numbers = re.fullmatch(r"(\d+)\.(\d+)", told) if isinstance(told, str) else None
        if numbers is None:
            raise EngineUnusable(f"what answers at {place} is no Docker engine", detail=str(facts)[:500])
        if (int(numbers[1]), int(numbers[2])) < OLDEST_API:
            raise EngineUnusable(f"the Docker engine at {place} is too old: it speaks version {told}")
        return self._made(numbers[0])

    def _made(self, version: str) -> Any:
        """Return a client for a version of the interface; nothing is asked yet."""
        import docker  # noqa: PLC0415 - as above

        endpoint = self.endpoint
        try:
            tls: Any = False
            if endpoint.is_encrypted:
                pair = (str(endpoint.certificate), str(endpoint.key)) if endpoint.certificate else None
                authority = str(endpoint.authority) if endpoint.authority else None
                tls = docker.tls.TLSConfig(client_cert=pair, ca_cert=authority, verify=endpoint.is_verified)
            client = docker.APIClient(
                base_url=endpoint.address, version=version, timeout=round(self._timeout), tls=tls, use_ssh_client=True
            )
        except docker.errors.DockerException as error:
            raise self._unreached(error) from error
        client.trust_env = False  # proxies and ~/.netrc are for registries
        return client

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        import docker.errors  # noqa: PLC0415 - as above
        import requests.exceptions  # noqa: PLC0415 - a part of the SDK
        import urllib3.exceptions  # noqa: PLC0415 - as above

        try:
            yield
        except BundlerError:
            raise
        except docker.errors.APIError as error:
            raise EngineFailed(f"the Docker engine says: {error.explanation or error}") from error
        except docker.errors.DockerException as error:
            raise EngineFailed(f"the Docker engine cannot be asked: {error}") from error
        except requests.exceptions.ReadTimeout as error:
            place = f"{self.endpoint.address} ({self.endpoint.source})"
            raise EngineLost(f"the Docker engine at {place} did not answer within {self._timeout:g} s") from error
        except requests.exceptions.ConnectTimeout as error:
            raise self._unreached(error) from error
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._broken(error) from error

    def _broken(self, error: BaseException) -> BundlerError:
        """Return the problem of a connection that could not be made, or that ended."""
        cause = _system_error(error)
        if cause is not None and cause.errno in {errno.ENOENT, errno.ECONNREFUSED, *_FORBIDDEN}:
            return self._unreached(error)
        return EngineLost(f"the Docker engine at {self.endpoint.address} ended the connection", detail=str(error))

    def _unreached(self, error: BaseException) -> BundlerError:
        place = f"{self.endpoint.address} ({self.endpoint.source})"
        cause = _system_error(error)
        if cause is not None and cause.errno in _FORBIDDEN:
            return EngineForbidden(f"this user may not ask the Docker engine at {place}")
        if "paramiko" in str(error):
            return EngineMissing(
                f"the Docker engine at {place} is reached over SSH, for which paramiko is needed",
                hint="Install docker[ssh] beside the command line.",
            )
        return EngineMissing(f"no Docker engine answers at {place}", detail=str(error))


def messages(response: Any) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of an answer as they come, one on each line; what is no such object is left out."""
    pending = b""
    for piece in _chunks(response):
        *whole, pending = (pending + piece).split(b"\n")
        for line in whole:
            yield from _object(line)
    yield from _object(pending)


def pieces(response: Any) -> Iterator[bytes]:
    """Yield the bytes of an answer in large pieces."""
    yield from response.raw.stream(_CHUNK, decode_content=False)


def _chunks(response: Any) -> Iterator[bytes]:
    """Yield the bytes of an answer as they come, each at once."""
    if response.raw.chunked:
        yield from response.raw.read_chunked(decode_content=False)
    else:
        yield from pieces(response)


def _object(line: bytes) -> Iterator[dict[str, Any]]:
    try:
        value = json.loads(line)
    except ValueError:
        return
    if isinstance(value, dict):
        yield value


def _explanation(response: Any) -> str:
    text = response.content.decode(errors="replace").strip()
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        return text or f"status {response.status_code}"
    return str(message)


def _system_error(error: BaseException) -> OSError | None:
    """Return the system's error that is inside an error of a library."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        if type(each).__module__ == "builtins" and isinstance(each, OSError) and each.errno is not None:
            return each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return None
