"""Payloads are checked by a worker before the run is created."""

from __future__ import annotations

import asyncio
import time

import msgspec

from tests.executor.conftest import MakeHouse
from tests.fakes.house import House, problem_of, until
from tests.fakes.worker_double import agree, task_done
from trigger_sdk.protocol.messages import Ack, Start, Validate, Validated
from trigger_sdk.protocol.values import encode_json, to_json


def refuse(message: Validate) -> Validated:
    """Find fault with two fields."""
    return Validated(message.request, None, [("items[0].price", "expected a number"), ("name", "is missing")])


async def test_payload_that_does_not_fit_is_422_and_no_run(house: House) -> None:
    """Field and reason; nothing was created."""
    await house.worker(validate=refuse)
    answer = await house.client.post("/api/v1/jobs/a/runs", json={"payload": {"items": [{"price": "x"}]}})
    assert answer.status_code == 422
    problem = problem_of(answer)
    assert problem["code"] == "invalid-payload"
    assert problem["fields"] == [
        {"path": "items[0].price", "reason": "expected a number"},
        {"path": "name", "reason": "is missing"},
    ]
    assert "items[0].price: expected a number" in problem["message"]
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_payload_that_is_missing_is_named_as_such(house: House) -> None:
    """Without a field at fault the hint says what no payload means, instead of pointing at named fields."""
    await house.worker(validate=lambda m: Validated(m.request, None, [("", "expected an object")]))
    problem = problem_of(await house.client.post("/api/v1/jobs/a/runs", json={}))
    assert problem["hint"] == "A payload that is not given is null."


async def test_canonical_payload_is_what_the_run_gets(house: House) -> None:
    """The worker's encoding of the value counts, defaults and all."""
    worker = await house.worker(validate=lambda m: Validated(m.request, encode_json({"n": 1, "extra": "default"}), []))
    run_id = await house.start(payload={"n": 1})
    start = await worker.expect(Start)
    assert to_json(start.payload) == {"n": 1, "extra": "default"}
    assert (await house.run(run_id))["payload"] == {"n": 1, "extra": "default"}


async def test_worker_is_asked_about_the_plain_value(house: House) -> None:
    """msgpack of the JSON value, and the job's id."""
    asked: list[Validate] = []

    def note(message: Validate) -> Validated:
        asked.append(message)
        return agree(message)

    await house.worker(validate=note)
    await house.start(payload={"a": [1, 2.5, None, "\N{SNOWMAN}"]})
    assert [(one.job, msgspec.msgpack.decode(one.payload)) for one in asked] == [
        ("a", {"a": [1, 2.5, None, "\N{SNOWMAN}"]})
    ]


async def test_many_questions_travel_together(house: House) -> None:
    """A batch of 200 is asked in a few frames."""
    worker = await house.worker()
    frames = worker.frames
    before = len(frames)
    runs = [{"job": "a", "payload": n} for n in range(200)]
    answer = await house.client.post("/api/v1/runs/batch", json={"runs": runs})
    assert answer.status_code == 201
    assert len(answer.json()["runs"]) == 200
    assert max(frames[before:]) == 200


async def test_batch_names_the_item_that_does_not_fit(house: House) -> None:
    """All or none, and the path says which."""

    def refuse_seven(message: Validate) -> Validated:
        bad = msgspec.msgpack.decode(message.payload) == 7
        return Validated(message.request, None, [("[1].x", "is odd")]) if bad else agree(message)

    await house.worker(validate=refuse_seven)
    runs = [{"job": "a", "payload": n} for n in (1, 7, 2)]
    answer = await house.client.post("/api/v1/runs/batch", json={"runs": runs})
    assert answer.status_code == 422
    assert problem_of(answer)["fields"] == [{"path": "runs[1].payload[1].x", "reason": "is odd"}]
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_silent_worker_delays_one_start_only(make_house: MakeHouse) -> None:
    """After the time-out payloads are accepted as they are, and the worker is not asked until it lives again."""
    async with make_house(validation_timeout_s=0.3) as house:
        worker = await house.worker(validate=None)
        began = time.monotonic()
        await house.start(payload=1)
        assert 0.3 <= time.monotonic() - began < 2
        began = time.monotonic()
        for _ in range(5):
            await house.start(payload=1)
        assert time.monotonic() - began < 0.3
        start = await worker.expect(Start)
        worker.validate = refuse
        await worker.append(start, 1, task_done("1"))
        while not isinstance(await worker.next(), Ack):
            pass
        assert (await house.client.post("/api/v1/jobs/a/runs", json={"payload": 1})).status_code == 422


async def test_worker_that_dies_while_it_is_asked_delays_nothing(make_house: MakeHouse) -> None:
    """The question ends with the connection."""
    async with make_house(validation_timeout_s=30.0) as house:
        worker = await house.worker(validate=None)
        start = asyncio.create_task(house.start(payload=1))
        await until(lambda: house.hub.validation._open)
        await worker.die()
        async with asyncio.timeout(5):
            await start


async def test_payload_is_accepted_without_a_worker(house: House) -> None:
    """The job is known from before; nobody is there to ask."""
    worker = await house.worker(validate=refuse)
    await worker.die()
    await until(lambda: not house.hub.connected())
    run_id = await house.start(payload={"anything": 1})
    assert (await house.run(run_id))["payload"] == {"anything": 1}


async def test_worker_of_older_code_is_not_asked(house: House) -> None:
    """Its annotation may be another."""
    await house.worker(code="c1", validate=refuse)
    newest = await house.worker(id="w2", pid=2, code="c2")
    await house.start(payload=1)
    await newest.die()
    await until(lambda: house.hub.connected() == 1)
    await house.start(payload=1)


async def test_integers_beyond_64_bits_survive(house: House) -> None:
    """The worker cannot be asked in plain msgpack; the run gets the exact value, and the API shows all digits."""
    worker = await house.worker(validate=refuse)
    number = 2**200 + 1
    run_id = await house.start(payload={"n": number, "m": -number})
    assert (await worker.expect(Start)).payload == encode_json({"n": number, "m": -number})
    shown = (await house.run(run_id))["payload"]
    assert {key: int(value) for key, value in shown.items()} == {"n": number, "m": -number}
