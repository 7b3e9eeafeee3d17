"""The OpenAPI document says what the routes do."""

from __future__ import annotations

import json
import re

from starlette.routing import Route

from executor.access.admission import WorkerToken
from executor.api.routes import make_routes
from executor.app import list_operations
from executor.sessions.hub import Hub
from executor.settings import Settings
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.house import House


async def test_document_is_served(house: House) -> None:
    """OpenAPI 3.1, with every reference resolved."""
    document = (await house.client.get("/api/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)):
        assert name in schemas


async def test_every_route_is_described_and_every_description_answers(house: House) -> None:
    """Paths and methods agree; each described call is answered by its handler, not by 404 or 405."""
    document = (await house.client.get("/api/v1/openapi.json")).json()
    operations = list_operations(Settings(token="x"), FakeEngine(), Hub(Settings(token="x")))
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    served = {(re.sub(r":\w+}", "}", one.path), one.method.lower()) for one in operations}
    assert described == served
    for path, method in sorted(described):
        answer = await house.client.request(method, path.replace("{id}", "x"))
        assert answer.status_code != 405
        if answer.status_code == 404:
            assert answer.json()["error"]["code"] in ("run-not-found", "unknown-job")


async def test_contract_is_described(house: House) -> None:
    """The calls that outside code relies on."""
    paths = (await house.client.get("/api/v1/openapi.json")).json()["paths"]
    contract = {
        "/api/v1/jobs/{id}/runs": "post", "/api/v1/runs/batch": "post", "/api/v1/runs": "get",
        "/api/v1/runs/{id}": "get", "/api/v1/runs/{id}/steps": "get", "/api/v1/runs/{id}/logs": "get",
        "/api/v1/runs/{id}/cancel": "post", "/api/v1/runs/{id}/resume": "post", "/api/v1/runs/{id}/replay": "post",
        "/api/v1/events": "post",
        "/api/v1/jobs": "get", "/healthz": "get", "/api/v1/worker/blocked": "post",
    }  # fmt: skip
    assert {path: method for path in contract for method in paths[path]} == contract


async def test_operation_ids_are_unique(house: House) -> None:
    """Client generators need it."""
    paths = (await house.client.get("/api/v1/openapi.json")).json()["paths"]
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_one_route_per_path() -> None:
    """Methods of one path share a route, so that a wrong method is a 405."""
    operations = list_operations(Settings(token="x"), FakeEngine(), Hub(Settings(token="x")))
    routes = make_routes(operations, WorkerToken("x"), body_limit=1, new_id=lambda: "x")
    assert all(isinstance(route, Route) for route in routes)
    assert len({route.path for route in routes}) == len(routes)
