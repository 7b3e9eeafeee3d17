"""Speaks HTTP to the services. Nothing here is durable: tasks call it, and tasks are."""

import os
import ssl
from typing import Any

import httpx
from trigger_sdk import Abort, RetryAfter

TLS = ssl.create_default_context()  # made once: it takes longer than a request


class ServiceUnavailable(Exception):
    """No answer, or one that says "not now": worth another try."""


class Refused(Abort):
    """The service understood and said no. An Abort is not tried again."""


class NotFound(Refused):
    """What was asked for is not there."""


class AlreadyExists(Refused):
    """What was to be created is there."""


REFUSALS: dict[int, type[Refused]] = {404: NotFound, 409: AlreadyExists}


async def post(path: str, *, key: str = "", **request: object) -> dict[str, Any]:
    """POST to a service. It carries out the same key once, so a request may be repeated after a lost answer."""
    response = await _request("POST", path, json=request, headers={"Idempotency-Key": key} if key else {})
    answer: dict[str, Any] = response.json()
    return answer


async def download(name: str) -> bytes:
    """Return an uploaded file."""
    response = await _request("GET", f"/files/{name}")
    return response.content


async def _request(method: str, path: str, **options: Any) -> httpx.Response:
    base_url = os.environ.get("SERVICES_URL", "http://127.0.0.1:8735")
    try:
        async with httpx.AsyncClient(base_url=base_url, verify=TLS, timeout=10) as http:
            response = await http.request(method, path, **options)
    except httpx.TransportError as error:
        raise ServiceUnavailable(f"{path}: {error!r}") from None
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise RetryAfter(float(response.headers.get("Retry-After", 1)), f"{path}: too many requests")
    if response.is_server_error:
        raise ServiceUnavailable(f"{path}: HTTP {response.status_code}")
    if response.is_error:
        raise REFUSALS.get(response.status_code, Refused)(response.json()["error"]["message"])
    return response
