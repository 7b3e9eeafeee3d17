"""A recorded function is recognised by identity, whatever road it takes to the call."""

import asyncio
import functools
import pickle
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.scope import FakeScope
from tests.fakes.user_project import UserProject
from tests.sdk.runtime.roads import ROADS


@pytest.mark.parametrize("road", ROADS)
def test_call_is_recorded_in_a_body(road: str, user: UserProject, body: FakeScope) -> None:
    """In a body the call is recorded under its short name, and replay returns the journalled value."""
    source, names = ROADS[road]
    module = user.module(source)
    with body.entered():
        live = module.body()
    assert body.names == names
    replay = body.replay()
    with replay.entered():
        assert module.body() == live
    assert replay.fresh == 0


@pytest.mark.parametrize("road", ROADS)
def test_call_is_plain_elsewhere(road: str, user: UserProject, in_task: FakeScope) -> None:
    """In a task, and outside any run, nothing is recorded."""
    module = user.module(ROADS[road][0])
    module.body()
    with in_task.entered():
        module.body()
    assert in_task.journal == []


def test_function_is_recorded_when_another_module_passes_it_on(user: UserProject, body: FakeScope) -> None:
    """An alias that one module makes is recorded under the name by which another calls it."""
    user.write(
        "clocks.py",
        """\
        import time
        from uuid import uuid4 as fresh

        class Box: pass

        wall = time.time
        box = Box()
        box.read = time.time_ns
        """,
    )
    module = user.module(
        """\
        import clocks
        from clocks import wall as w, fresh as f

        def body():
            return w(), clocks.wall(), clocks.box.read(), f(), clocks.fresh()
        """
    )
    with body.entered():
        module.body()
    assert body.names == ["time.time", "time.time", "time.time_ns", "uuid.uuid4", "uuid.uuid4"]


@pytest.mark.parametrize(
    "function", [time.time, functools.partial(uuid.uuid4), functools.partial(functools.partial(uuid.uuid4))]
)
def test_function_from_outside_the_project_is_recorded(
    function: Callable[[], Any], user: UserProject, body: FakeScope
) -> None:
    """A raw function that a library hands in is recognised where project code calls it as a variable or as a field."""
    module = user.module(
        "class A:\n    def __init__(self, f): self.callback = f\n    def run_it(self): return self.callback()\n"
        "def body(f): return f(), A(f).run_it(), {1: f}[1](), [g() for g in [f]]"
    )
    with body.entered():
        module.body(function)
    assert len(body.names) == 4


@pytest.mark.parametrize("library", ["pydantic", "attrs"])
def test_model_made_by_a_library_is_recorded(library: str, user: UserProject, body: FakeScope) -> None:
    """The library calls the factory; the call is recorded all the same, also from inside an annotation."""
    pytest.importorskip(library)
    sources = {
        "pydantic": """\
            from __future__ import annotations
            from datetime import datetime
            from typing import Annotated
            from uuid import UUID, uuid4
            from pydantic import BaseModel, Field

            class Order(BaseModel):
                id: UUID = Field(default_factory=uuid4)
                other: Annotated[UUID, Field(default_factory=uuid4)]
                at: datetime = Field(default_factory=datetime.now)

            def body():
                return Order()
            """,
        "attrs": """\
            from datetime import datetime
            from uuid import UUID, uuid4
            from attrs import Factory, define, field

            @define
            class Order:
                id: UUID = field(factory=uuid4)
                other: UUID = Factory(uuid4)
                at: datetime = field(factory=datetime.now)

            def body():
                return Order()
            """,
    }
    module = user.module(sources[library])
    assert module.body().id != module.body().id
    with body.entered():
        order = module.body()
    assert sorted(body.names) == ["datetime.now", "uuid.uuid4", "uuid.uuid4"]
    with body.replay().entered():
        assert module.body() == order


def test_async_body_is_recorded(user: UserProject, body: FakeScope) -> None:
    """Coroutines, asynchronous generators and comprehensions are no different."""
    module = user.module(
        """\
        import time
        async def ticks(n):
            for _ in range(n):
                yield time.time()
        async def get(f): return f()
        async def body():
            return [t async for t in ticks(2)] + [await get(time.time_ns)]
        """
    )

    async def enter() -> Any:
        with body.entered():
            return await module.body()

    assert len(asyncio.run(enter())) == 3
    assert body.names == ["time.time", "time.time", "time.time_ns"]


UNRECORDED = {
    "a method of that name": """\
        class A:
            def now(self): return 1
        def body(): return A().now()
        """,
    "a function of that name": """\
        def uuid4(): return 1
        def body(): return uuid4()
        """,
    "a seeded generator": """\
        import random
        def body(): return random.Random(7).choice('abc'), random.Random(5).random()
        """,
    "a given time": """\
        import time
        def body(): return time.gmtime(0), time.strftime('%Y', time.gmtime(0)), time.ctime(0)
        """,
    "a pure function": """\
        import uuid, datetime
        def body(): return uuid.uuid5(uuid.NAMESPACE_DNS, 'a'), datetime.datetime.fromtimestamp(0)
        """,
    "an unhashable callable": """\
        class A:
            __hash__ = None
            def __call__(self): return 1
        a = A()
        def body(f=a): return f()
        """,
    "a callable with a broken __eq__": """\
        class A:
            def __eq__(self, other): raise RuntimeError
            def __hash__(self): raise RuntimeError
            def __call__(self): return 1
        def body(f=A()): return f()
        """,
    "a type with a strange metaclass": """\
        class M(type):
            __hash__ = None
            def __eq__(cls, other): raise RuntimeError
        class A(metaclass=M): pass
        def body(f=A): return type(f()).__name__
        """,
}


@pytest.mark.parametrize("case", UNRECORDED)
def test_other_calls_are_left_alone(case: str, user: UserProject, body: FakeScope) -> None:
    """What only looks like a recorded call, or cannot be looked up, works as it stands."""
    module = user.module(UNRECORDED[case])
    plain = module.body()
    with body.entered():
        assert module.body() == plain
    assert body.journal == []


def test_functions_are_themselves_to_project_code(user: UserProject) -> None:
    """Passed on, a recorded function compares, prints, pickles, copies and passes checks as the function itself."""
    module = user.module(
        """\
        import copy, inspect, pickle, random, time, types, uuid
        kept = uuid.uuid4
        clock = time.time
        checks = [
            kept is uuid.uuid4, clock is time.time, not (kept is not uuid.uuid4), kept == uuid.uuid4,
            clock != time.time_ns,
            clock in [time.time], {time.time: 1}[clock] == 1, {clock: 1}[time.time] == 1,
            isinstance(kept, types.FunctionType), isinstance(clock, types.BuiltinFunctionType), callable(kept),
            kept.__name__ == "uuid4", kept.__module__ == "uuid", kept.__doc__ == uuid.uuid4.__doc__,
            inspect.signature(kept) == inspect.signature(uuid.uuid4), repr(clock) == "<built-in function time>",
            pickle.loads(pickle.dumps(kept)) is uuid.uuid4, copy.deepcopy([clock]) == [clock], copy.copy(kept) is kept,
            isinstance(random.Random(1), random.Random), issubclass(random.SystemRandom, random.Random),
            type(random.Random) is type, kept(), clock() > 0,
        ]
        """
    )
    assert all(module.checks), module.checks
    assert pickle.loads(pickle.dumps(module.kept)) is uuid.uuid4  # noqa: S301 - pickled right here
