"""Declaring jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from trigger_sdk import Context, Queue, job
from trigger_sdk._codec import decode_payload
from trigger_sdk._codec.errors import PayloadInvalid
from trigger_sdk._declare.job import JobDeclarationError, run_options
from trigger_sdk._declare.registry import declared


@pytest.fixture(autouse=True)
def _no_jobs_left() -> Iterator[None]:
    before = len(declared)
    yield
    del declared[before:]


def test_job_when_declared() -> None:
    """It is registered with its source place, and calling it calls the function."""

    @job(id="double", version="2", queue=Queue("math", 3), max_duration=timedelta(minutes=1))
    def double(payload: int) -> int:
        """Double a number."""
        return 2 * payload

    assert declared[-1] is double
    assert double(4) == 8
    assert (double.id, double.version, double.queue.concurrency, double.max_duration) == ("double", "2", 3, 60.0)
    assert double.file == __file__
    assert double.__doc__ == "Double a number."
    assert not double.is_async


@pytest.mark.parametrize("bad", ["", "with space", "é", "-dash-first", "x" * 129])
def test_job_when_the_id_is_bad(bad: str) -> None:
    """The id is refused where it is declared, and the form is named."""
    with pytest.raises(JobDeclarationError, match="an id is letters"):
        job(id=bad)(lambda: None)


def test_job_when_it_stands_on_something_else() -> None:
    """Only functions can be jobs; generators cannot."""
    with pytest.raises(JobDeclarationError, match="must stand on a function"):
        job(id="a")(int)

    def generates() -> Iterator[int]:
        yield 1

    with pytest.raises(JobDeclarationError, match="generator"):
        job(id="a")(generates)


def test_signature_when_context_and_payload_stand_in_any_order() -> None:
    """The context is found by its annotation, the payload is the other one."""

    @job(id="a")
    def first(ctx: Context, payload: dict[str, int]) -> int:
        assert str(ctx) == "context"
        return payload["n"]

    signature = first.signature
    assert (signature.payload, signature.payload_type, signature.context) == ("payload", dict[str, int], "ctx")
    assert first.call({"n": 3}, "context") == 3  # type: ignore[arg-type]


def test_signature_when_a_parameter_cannot_be_filled() -> None:
    """A job with a second payload is refused with the reason."""

    @job(id="a")
    def two(one: int, other: int) -> None: ...

    with pytest.raises(JobDeclarationError, match="'other' that nothing fills"):
        _ = two.signature


def test_call_when_the_payload_has_a_default() -> None:
    """A run without a payload gets the default; one with a payload that fits gets that."""

    @dataclass
    class Size:
        width: int

    default = Size(3)

    def area(size: Any = default) -> int:
        return int(size.width) ** 2

    area.__annotations__["size"] = Size  # a local class, which the text of an annotation cannot name

    @job(id="squares")
    def squares(upto: int = 4) -> list[int]:
        return [number * number for number in range(upto)]

    sized = job(id="sized")(area).signature
    context: Any = None
    assert squares.call(None, context) == [0, 1, 4, 9]
    assert squares.call(2, context) == [0, 1]
    assert decode_payload(None, squares.signature.payload_type) is None
    assert decode_payload(5, squares.signature.payload_type) == 5
    assert decode_payload({"width": 2}, sized.payload_type) == Size(2)
    with pytest.raises(PayloadInvalid):
        decode_payload("four", squares.signature.payload_type)


def test_signature_when_there_is_no_payload() -> None:
    """A job may take nothing."""

    @job(id="a")
    def nothing() -> str:
        return "done"

    assert nothing.call(None, None) == "done"  # type: ignore[arg-type]


def test_job_when_declared_on_a_method() -> None:
    """A fresh instance is made for each run; from an instance it is the plain method."""

    class Shop:
        def __init__(self) -> None:
            self.name = "Corner"

        @job(id="sell")
        def sell(self, payload: str) -> str:
            return f"{self.name} sells {payload}"

    assert Shop.sell.call("tea", None) == "Corner sells tea"
    assert Shop().sell("milk") == "Corner sells milk"


def test_options_when_unknown() -> None:
    """An option that does not exist is named, and the existing ones are listed."""
    with pytest.raises(TypeError, match="unknown option 'delya'; there are: concurrency_key, delay"):
        run_options({"delya": 3})
    options = run_options({"delay": timedelta(hours=1), "tags": ("a",), "queue": Queue("q"), "ttl": None})
    assert (options.delay, options.tags, options.queue, options.ttl) == (3600.0, ["a"], "q", None)


@pytest.mark.parametrize("method", ["trigger_and_wait", "batch_trigger_and_wait"])
def test_waiting_for_a_run_when_outside_a_body(method: str) -> None:
    """A script cannot wait durably, and is told what to do."""

    @job(id="a")
    def body() -> None: ...

    argument: Any = [] if method.startswith("batch") else None
    with pytest.raises(RuntimeError, match="only be called in a job's body"):
        getattr(body, method)(argument)
