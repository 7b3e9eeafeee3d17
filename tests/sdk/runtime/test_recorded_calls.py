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

ROADS = {
    "module attribute": ("import time\ndef body(): return time.time()", ["time.time"]),
    "module alias": ("import datetime as d\ndef body(): return d.datetime.now()", ["datetime.now"]),
    "from import": ("from uuid import uuid4\ndef body(): return uuid4()", ["uuid.uuid4"]),
    "renamed import": ("from time import time as clock\ndef body(): return clock()", ["time.time"]),
    "import in the function": ("def body():\n    from uuid import uuid4 as new\n    return new()", ["uuid.uuid4"]),
    "star import": ("from time import *\ndef body(): return monotonic()", ["time.monotonic"]),
    "class alias": ("from datetime import datetime as dt\nnow = dt.now\ndef body(): return now()", ["datetime.now"]),
    "local variable": ("import time\ndef body():\n    f = time.time\n    return f()", ["time.time"]),
    "parameter": ("import time\ndef call(f): return f()\ndef body(): return call(time.time)", ["time.time"]),
    "default argument": ("import time\ndef body(*, f=time.time): return f()", ["time.time"]),
    "instance attribute": (
        "import time\nclass A:\n    def __init__(self): self.clock = time.time\n"
        "    def read(self): return self.clock()\na = A()\ndef body(): return a.read()",
        ["time.time"],
    ),
    "class attribute": ("import time\nclass A:\n    clock = time.time\ndef body(): return A().clock()", ["time.time"]),
    "static method": (
        "import uuid\nclass A:\n    new = staticmethod(uuid.uuid4)\ndef body(): return A().new()",
        ["uuid.uuid4"],
    ),
    "dispatch table": ("import time\nT = {'a': time.time}\ndef body(): return T['a']()", ["time.time"]),
    "list": ("import time\ndef body(): return [f() for f in (time.time, time.time_ns)]", ["time.time", "time.time_ns"]),
    "returned function": ("import time\ndef pick(): return time.time\ndef body(): return pick()()", ["time.time"]),
    "getattr": ("import time\ndef body(): return getattr(time, 'time')()", ["time.time"]),
    "getattr kept": (
        "import time\nf = getattr(time, 'ti' + 'me')\ndef body(): return list(map(lambda _: f(), 'ab'))",
        ["time.time"] * 2,
    ),
    "conditional": ("import time\ndef body(x=1): return (time.time if x else None)()", ["time.time"]),
    "walrus": ("import time\ndef body(): return (f := time.time)() if True else f", ["time.time"]),
    "lambda": ("import time\nread = lambda: time.time()\ndef body(): return read()", ["time.time"]),
    "partial": (
        "from functools import partial\nfrom uuid import uuid4\ndef body(): return partial(uuid4)()",
        ["uuid.uuid4"],
    ),
    "kept partial": (
        "import functools, random\nroll = functools.partial(random.randint, 1, 6)\ndef body(): return roll()",
        ["random.randint"],
    ),
    "map": ("from uuid import uuid4\ndef body(): return list(map(lambda f: f(), [uuid4, uuid4]))", ["uuid.uuid4"] * 2),
    "map of a reference": (
        "import random\ndef body(): return list(map(random.randint, [1, 1], [9, 9]))",
        ["random.randint"] * 2,
    ),
    "sort key": (
        "import random\ndef body(): return sorted('abc', key=lambda _: random.random())",
        ["random.random"] * 3,
    ),
    "dataclass factory": (
        "from dataclasses import dataclass, field\nfrom uuid import UUID, uuid4\n@dataclass\nclass A:\n"
        "    id: UUID = field(default_factory=uuid4)\ndef body(): return A().id",
        ["uuid.uuid4"],
    ),
    "dataclass field": (
        "import time\nfrom dataclasses import dataclass\nfrom typing import Any\n@dataclass\nclass A:\n    clock: Any\n"
        "a = A(time.time)\ndef body(): return a.clock()",
        ["time.time"],
    ),
    "defaultdict": (
        "import collections, uuid\ndef body():\n    d = collections.defaultdict(uuid.uuid4)\n    return d['a']",
        ["uuid.uuid4"],
    ),
    "iter with sentinel": ("import random\ndef body(): return next(iter(random.random, 2))", ["random.random"]),
    "decorator argument": (
        "import uuid\ndef stamped(make):\n    return lambda f: lambda: (make(), f())[0]\n@stamped(uuid.uuid4)\ndef body(): return 1",
        ["uuid.uuid4"],
    ),
    "format string": ("import random\ndef body(): return f'{random.random():.3f}'", ["random.random"]),
    "match guard": (
        "import random\ndef body():\n    match 1:\n        case 1 if random.random() < 2: return 'yes'",
        ["random.random"],
    ),
    "alternative imports": (
        "try:\n    from nowhere import now as clock\nexcept ImportError:\n    from time import monotonic as clock\ndef body(): return clock()",
        ["time.monotonic"],
    ),
    "generator": (
        "import time\ndef gen():\n    yield time.time()\n    yield time.time()\ndef body(): return list(gen())",
        ["time.time"] * 2,
    ),
}


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
        "import time\nfrom uuid import uuid4 as fresh\nclass Box: pass\nwall = time.time\nbox = Box()\nbox.read = time.time_ns",
    )
    module = user.module(
        "import clocks\nfrom clocks import wall as w, fresh as f\ndef body(): return w(), clocks.wall(), clocks.box.read(), f(), clocks.fresh()"
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
    "a method of that name": "class A:\n    def now(self): return 1\ndef body(): return A().now()",
    "a function of that name": "def uuid4(): return 1\ndef body(): return uuid4()",
    "a seeded generator": "import random\ndef body(): return random.Random(7).choice('abc'), random.Random(5).random()",
    "a given time": "import time\ndef body(): return time.gmtime(0), time.strftime('%Y', time.gmtime(0)), time.ctime(0)",
    "a pure function": "import uuid, datetime\ndef body(): return uuid.uuid5(uuid.NAMESPACE_DNS, 'a'), datetime.datetime.fromtimestamp(0)",
    "an unhashable callable": "class A:\n    __hash__ = None\n    def __call__(self): return 1\na = A()\ndef body(f=a): return f()",
    "a callable with a broken __eq__": (
        "class A:\n    def __eq__(self, other): raise RuntimeError\n    def __hash__(self): raise RuntimeError\n"
        "    def __call__(self): return 1\ndef body(f=A()): return f()"
    ),
    "a type with a strange metaclass": (
        "class M(type):\n    __hash__ = None\n    def __eq__(cls, other): raise RuntimeError\nclass A(metaclass=M): pass\n"
        "def body(f=A): return type(f()).__name__"
    ),
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
            kept is uuid.uuid4, clock is time.time, not (kept is not uuid.uuid4), kept == uuid.uuid4, clock != time.time_ns,
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
    assert pickle.loads(pickle.dumps(module.kept)) is uuid.uuid4
