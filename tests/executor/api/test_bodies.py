"""Bodies of any kind: what cannot be read is a 400 that says where, and never a 500."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.api.bodies import did_you_mean, parse_json, require_json
from executor.errors import JsonInvalid, NotJson
from tests.executor.conftest import MakeHouse
from tests.fakes.house import House, problem_of, raw_request

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"payload": tru}', "line 1 column 13"),
        (b'{\n  "payload": 1,\n  "x" 2}', "line 3 column 7"),
        ('{"\N{SNOWMAN}": tru}'.encode(), "line 1 column 7"),
        (b'{"payload": NaN}', "line 1 column 13"),
        (b'{"payload": 1}}', "line 1 column 15"),
        (b"{'payload': 1}", "line 1 column 2"),
        (b"\xef\xbb\xbf{}", "line 1 column 1"),
        (b'{"payload": 1', "line 1 column 14"),
        (b'{"payload": "\\ud800"}', None),
        (b'{"payload": "\xff"}', None),
        (b'{"payload": "\xed\xa0\x80"}', None),
        (b'{"payload": 1e999}', None),
        (b'{"payload": ' + b"9" * 10_000 + b"}", None),
        (b'{"payload": ' + b"[" * 100_000, None),
        (b'{"payload": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", None),
        (b"", None),
        (b"   \n", None),
    ],
)
async def test_malformed_json_is_400(house: House, body: bytes, place: str | None) -> None:
    """Line and column where the parser knows them."""
    await house.worker()
    for path in ("/api/v1/jobs/a/runs", "/api/v1/runs/batch", "/api/v1/events"):
        answer = await house.client.post(path, content=body, headers=JSON)
        assert answer.status_code == 400, answer.text
        problem = problem_of(answer)
        assert problem["code"] == "invalid-json"
        if place is not None:
            assert problem.get("where", "") == place
            assert place in problem["message"]


async def test_deep_but_readable_json_is_refused_with_a_reason(house: House) -> None:
    """Nested deeper than a value may be: a problem, with and without a worker to ask."""
    body = b'{"payload": ' + b"[" * 900 + b"]" * 900 + b"}"
    worker = await house.worker()
    answer = await house.client.post("/api/v1/jobs/a/runs", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    await worker.leave()
    answer = await house.client.post("/api/v1/jobs/a/runs", content=body, headers=JSON)
    assert answer.status_code in (400, 422), answer.text


async def test_equal_keys_take_the_last(house: House) -> None:
    """As JSON parsers do."""
    await house.worker()
    answer = await house.client.post("/api/v1/jobs/a/runs", content=b'{"payload": 1, "payload": 2}', headers=JSON)
    assert answer.status_code == 201
    assert (await house.run(answer.json()["id"]))["payload"] == 2


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"text"', b"true"])
async def test_body_must_be_an_object(house: House, body: bytes) -> None:
    """And the message says what came."""
    answer = await house.client.post("/api/v1/events", content=body, headers=JSON)
    assert answer.status_code == 400
    assert "an object is expected" in problem_of(answer)["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "text/plain; application/json", "application/jsonx", "application/json; charset=utf-16", "x, application/json",
    ],
)  # fmt: skip
async def test_other_types_are_415(house: House, kind: str) -> None:
    """What a form on any page can send starts nothing, with and without a body."""
    await house.worker()
    for path in ("/api/v1/jobs/a/runs", "/api/v1/runs/batch", "/api/v1/events", "/api/v1/runs/run_x/cancel"):
        for body in (b'{"payload": 1}', b""):
            answer = await house.client.post(path, content=body, headers={"Content-Type": kind})
            assert answer.status_code == 415
            assert problem_of(answer)["code"] == "not-json"
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_body_without_a_type_is_415(house: House) -> None:
    """Unless it is empty: then there is nothing to misread."""
    await house.worker()
    request = b"POST /api/v1/jobs/a/runs HTTP/1.1\r\nHost: %s\r\n" % house.url.removeprefix("http://").encode()
    status, _, body = await raw_request(house.url, request + b"Content-Length: 2\r\n\r\n{}")
    assert (status, problem_of(body)["code"]) == (415, "not-json")
    status, _, _ = await raw_request(house.url, request + b"\r\n")
    assert status == 201


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_is_json(kind: str) -> None:
    """Case and parameters do not matter."""
    require_json(kind.encode())


def test_type_of_any_bytes_is_judged() -> None:
    """A header may hold anything."""
    with pytest.raises(NotJson):
        require_json(b"\xff\xfe")


async def test_body_over_the_limit_is_413_at_once(make_house: MakeHouse) -> None:
    """Told by the length that is announced, before anything of it came."""
    async with make_house(body_limit=1000) as house:
        head = b"POST /api/v1/events HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
        head %= house.url.removeprefix("http://").encode()
        status, _, body = await raw_request(house.url, head + b"Content-Length: 99999999999\r\n\r\n")
        assert (status, problem_of(body)["code"]) == (413, "body-too-large")


async def test_client_that_sends_too_much_reads_the_refusal(make_house: MakeHouse) -> None:
    """Announced or in chunks; the connection is not reset under the client's hands."""
    async with make_house(body_limit=1000) as house:

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(500):
                yield b"x" * 10_000

        for content in (b"x" * 5_000_000, chunks()):
            answer = await house.client.post("/api/v1/events", content=content, headers=JSON)
            assert answer.status_code == 413
            assert problem_of(answer)["hint"]
        assert (await house.client.get("/healthz")).status_code == 200


async def test_body_at_the_limit_is_taken(make_house: MakeHouse) -> None:
    """The limit is inclusive."""
    async with make_house(body_limit=1000) as house:
        body = b'{"name": "e", "payload": "'
        body += b"x" * (1000 - len(body) - 2) + b'"}'
        assert (await house.client.post("/api/v1/events", content=body, headers=JSON)).status_code == 201
        assert (await house.client.post("/api/v1/events", content=body + b" ", headers=JSON)).status_code == 413


async def test_client_that_hangs_up_half_way_is_no_error(house: House) -> None:
    """Nothing is created and nothing is logged."""
    host, _, port = house.url.removeprefix("http://").rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/v1/events HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        % (host.encode(), port.encode())
    )
    await writer.drain()
    writer.transport.abort()
    assert (await house.client.get("/healthz")).status_code == 200


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_a_problem(body: bytes) -> None:
    """The parser raises nothing else."""
    with contextlib.suppress(JsonInvalid):
        parse_json(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_json_is_read_as_the_standard_library_does(value: object) -> None:
    """Ints of any size included."""
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


def test_did_you_mean() -> None:
    """Near words are named, far ones are not."""
    assert did_you_mean("dealy", ("delay", "ttl")) == "Did you mean 'delay'?"
    assert did_you_mean("xyz", ("delay", "ttl")) == ""
    assert did_you_mean("x" * 100_000, ("delay",)) == ""
