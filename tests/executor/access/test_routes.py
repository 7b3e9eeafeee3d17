"""Every route of the server, asked for with every kind of key: the one test that walks all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from executor.access.keys import make_key
from executor.api.scopes import GRANTS, NEEDS, PURPOSES, SCOPES, Purpose, ScopeName
from tests.fakes.keyed_house import KeyedHouse, keep_keyed_house

ROUTES = sorted(NEEDS)
KEYED = [route for route in ROUTES if NEEDS[route] is not None]

SERVER_WIDE = {
    "/api/v1/keys", "/api/v1/keys/{id}/revoke", "/api/v1/environments", "/api/v1/environments/{name:path}/archive",
    "/api/v1/audit", "/metrics",
}  # fmt: skip
"""Paths that need no environment."""


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[KeyedHouse]:
    """Return a running server."""
    async with keep_keyed_house(tmp_path, rate_limit=10_000.0, rate_burst=10_000) as house:
        yield house


async def status(house: KeyedHouse, route: tuple[str, str], key: str, environment: str = "") -> tuple[int, str]:
    """Return the status and the code of the problem with which a route answers a key."""
    method, path = route
    path = path.replace("{id:path}", "x").replace("{id}", "x").replace("{name:path}", "preview/x")
    if method == "WS":
        return await handshake(house, path, key, environment)
    answer = await house.ask(key, method, path, {} if method == "POST" else None, environment=environment)
    assert answer.status_code < 500 or route == ("GET", "/readyz"), answer.text
    return answer.status_code, code_of(answer)


def code_of(answer: httpx.Response) -> str:
    """Return the code of a problem, or an empty text."""
    return str(answer.json()["error"]["code"]) if answer.status_code >= 400 else ""


async def handshake(house: KeyedHouse, path: str, key: str, environment: str) -> tuple[int, str]:
    """Open a WebSocket and close it."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if environment:
        headers["Trigger-Environment"] = environment
    try:
        async with connect(house.url.replace("http", "ws") + path, additional_headers=headers, proxy=None):
            return 101, ""
    except InvalidStatus as error:
        body = httpx.Response(error.response.status_code, content=bytes(error.response.body or b""))
        return error.response.status_code, code_of(body)


async def test_every_route_needs_what_the_table_says(keyed: KeyedHouse) -> None:
    """The table names all routes that are served, and no other."""
    served = {("GET", "/api/v1/openapi.json"), ("WS", "/api/v1/worker")}
    document = (await keyed.client.get("/api/v1/openapi.json")).json()
    for path, methods in document["paths"].items():
        served |= {(method.upper(), path) for method in methods}
    listed = {(method, path.replace(":path", "")) for method, path in NEEDS}
    assert served == listed


async def test_without_a_key_nothing_but_health_is_served(keyed: KeyedHouse) -> None:
    """401 with the code, on each route that needs a scope; the public ones answer."""
    refused = {route: await status(keyed, route, "") for route in KEYED}
    assert refused == dict.fromkeys(KEYED, (401, "key-missing"))
    public = [await status(keyed, route, "") for route in ROUTES if NEEDS[route] is None]
    assert public == [(200, "")] * 3


async def test_malformed_keys_are_refused_everywhere(keyed: KeyedHouse) -> None:
    """Something else, a cut key, one with a wrong character, and one of another server."""
    right = await keyed.key("admin")
    last = "a" if right[-10] != "a" else "b"
    foreign = make_key("prod", lambda count: b"\7" * count)
    for wrong in ("x", "tr_prod_", right[:-1], f"{right}0", right[:-10] + last + right[-9:], right.upper(), foreign):
        refused = {route: await status(keyed, route, wrong) for route in KEYED}
        assert refused == dict.fromkeys(KEYED, (401, "key-refused")), wrong


async def test_revoked_keys_are_refused_everywhere(keyed: KeyedHouse) -> None:
    """At once, though the key was in use a moment before."""
    key = await keyed.key("admin")
    assert (await status(keyed, ("GET", "/api/v1/runs"), key))[0] == 200
    await keyed.revoke(key)
    refused = {route: await status(keyed, route, key) for route in KEYED}
    assert refused == dict.fromkeys(KEYED, (401, "key-refused"))


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_a_key_opens_the_routes_of_its_scopes_and_no_other(keyed: KeyedHouse, purpose: Purpose) -> None:
    """403 with the missing scope, or whatever the route says when it is reached."""
    key = await keyed.key(purpose)
    for route in KEYED:
        found = await status(keyed, route, key)
        if NEEDS[route] in GRANTS[purpose]:
            assert found[1] not in ("scope-missing", "key-missing", "key-refused"), route
            assert found[0] != 401
        else:
            assert found == (403, "scope-missing"), route


async def test_a_key_of_another_environment_is_refused_everywhere(keyed: KeyedHouse) -> None:
    """403 when the request says for which environment it is meant, with the most powerful key of another."""
    key = await keyed.key("admin", "staging")
    refused = {route: await status(keyed, route, key, "prod") for route in KEYED}
    assert refused == dict.fromkeys(KEYED, (403, "environment-refused"))


async def test_a_key_of_all_environments_must_say_in_which(keyed: KeyedHouse) -> None:
    """400 on the routes of an environment; the header opens them; one that is not there is 404."""
    inside = [route for route in KEYED if route[1] not in SERVER_WIDE]
    assert {await status(keyed, route, keyed.admin) for route in inside} == {(400, "environment-missing")}
    for route in inside:
        assert (await status(keyed, route, keyed.admin, "preview/none"))[1] == "environment-not-found"
        assert (await status(keyed, route, keyed.admin, "no such"))[1] == "environment-invalid"
        assert (await status(keyed, route, keyed.admin, "prod"))[1] not in ("environment-missing", "scope-missing")


def test_every_scope_is_needed_by_a_route_and_granted_to_a_purpose() -> None:
    """No scope that means nothing."""
    needed: set[ScopeName | None] = set(NEEDS.values())
    assert needed - {None} == set(SCOPES)
    assert set().union(*GRANTS.values()) == set(SCOPES)


async def test_openapi_states_the_scopes(keyed: KeyedHouse) -> None:
    """A security scheme, and for each call the scope it needs; public ones say that they need none."""
    document = (await keyed.client.get("/api/v1/openapi.json")).json()
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for (method, path), scope in NEEDS.items():
        call = document["paths"].get(path.replace(":path", ""), {}).get(method.lower())
        if call is not None:
            assert call["security"] == ([] if scope is None else [{"apiKey": [scope]}])
