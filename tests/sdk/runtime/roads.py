"""Roads from a recorded function to a call of it: a module with a function `body`, and the names recorded in it."""

ROADS: dict[str, tuple[str, list[str]]] = {
    "module attribute": (
        """\
        import time
        def body(): return time.time()
        """,
        ["time.time"],
    ),
    "module alias": (
        """\
        import datetime as d
        def body(): return d.datetime.now()
        """,
        ["datetime.now"],
    ),
    "from import": (
        """\
        from uuid import uuid4
        def body(): return uuid4()
        """,
        ["uuid.uuid4"],
    ),
    "renamed import": (
        """\
        from time import time as clock
        def body(): return clock()
        """,
        ["time.time"],
    ),
    "import in the function": (
        """\
        def body():
            from uuid import uuid4 as new
            return new()
        """,
        ["uuid.uuid4"],
    ),
    "star import": (
        """\
        from time import *
        def body(): return monotonic()
        """,
        ["time.monotonic"],
    ),
    "class alias": (
        """\
        from datetime import datetime as dt
        now = dt.now
        def body(): return now()
        """,
        ["datetime.now"],
    ),
    "local variable": (
        """\
        import time
        def body():
            f = time.time
            return f()
        """,
        ["time.time"],
    ),
    "parameter": (
        """\
        import time
        def call(f): return f()
        def body(): return call(time.time)
        """,
        ["time.time"],
    ),
    "default argument": (
        """\
        import time
        def body(*, f=time.time): return f()
        """,
        ["time.time"],
    ),
    "instance attribute": (
        """\
        import time
        class A:
            def __init__(self): self.clock = time.time
            def read(self): return self.clock()
        a = A()
        def body(): return a.read()
        """,
        ["time.time"],
    ),
    "class attribute": (
        """\
        import time
        class A:
            clock = time.time
        def body(): return A().clock()
        """,
        ["time.time"],
    ),
    "static method": (
        """\
        import uuid
        class A:
            new = staticmethod(uuid.uuid4)
        def body(): return A().new()
        """,
        ["uuid.uuid4"],
    ),
    "dispatch table": (
        """\
        import time
        T = {'a': time.time}
        def body(): return T['a']()
        """,
        ["time.time"],
    ),
    "list": (
        """\
        import time
        def body(): return [f() for f in (time.time, time.time_ns)]
        """,
        ["time.time", "time.time_ns"],
    ),
    "returned function": (
        """\
        import time
        def pick(): return time.time
        def body(): return pick()()
        """,
        ["time.time"],
    ),
    "getattr": (
        """\
        import time
        def body(): return getattr(time, 'time')()
        """,
        ["time.time"],
    ),
    "getattr kept": (
        """\
        import time
        f = getattr(time, 'ti' + 'me')
        def body(): return list(map(lambda _: f(), 'ab'))
        """,
        ["time.time", "time.time"],
    ),
    "conditional": (
        """\
        import time
        def body(x=1): return (time.time if x else None)()
        """,
        ["time.time"],
    ),
    "walrus": (
        """\
        import time
        def body(): return (f := time.time)() if True else f
        """,
        ["time.time"],
    ),
    "lambda": (
        """\
        import time
        read = lambda: time.time()
        def body(): return read()
        """,
        ["time.time"],
    ),
    "partial": (
        """\
        from functools import partial
        from uuid import uuid4
        def body(): return partial(uuid4)()
        """,
        ["uuid.uuid4"],
    ),
    "kept partial": (
        """\
        import functools, random
        roll = functools.partial(random.randint, 1, 6)
        def body(): return roll()
        """,
        ["random.randint"],
    ),
    "map": (
        """\
        from uuid import uuid4
        def body(): return list(map(lambda f: f(), [uuid4, uuid4]))
        """,
        ["uuid.uuid4", "uuid.uuid4"],
    ),
    "map of a reference": (
        """\
        import random
        def body(): return list(map(random.randint, [1, 1], [9, 9]))
        """,
        ["random.randint", "random.randint"],
    ),
    "sort key": (
        """\
        import random
        def body(): return sorted('abc', key=lambda _: random.random())
        """,
        ["random.random", "random.random", "random.random"],
    ),
    "dataclass factory": (
        """\
        from dataclasses import dataclass, field
        from uuid import UUID, uuid4
        @dataclass
        class A:
            id: UUID = field(default_factory=uuid4)
        def body(): return A().id
        """,
        ["uuid.uuid4"],
    ),
    "dataclass field": (
        """\
        import time
        from dataclasses import dataclass
        from typing import Any
        @dataclass
        class A:
            clock: Any
        a = A(time.time)
        def body(): return a.clock()
        """,
        ["time.time"],
    ),
    "defaultdict": (
        """\
        import collections, uuid
        def body():
            d = collections.defaultdict(uuid.uuid4)
            return d['a']
        """,
        ["uuid.uuid4"],
    ),
    "iter with sentinel": (
        """\
        import random
        def body(): return next(iter(random.random, 2))
        """,
        ["random.random"],
    ),
    "decorator argument": (
        """\
        import uuid
        def stamped(make):
            return lambda f: lambda: (make(), f())[0]
        @stamped(uuid.uuid4)
        def body(): return 1
        """,
        ["uuid.uuid4"],
    ),
    "format string": (
        """\
        import random
        def body(): return f'{random.random():.3f}'
        """,
        ["random.random"],
    ),
    "match guard": (
        """\
        import random
        def body():
            match 1:
                case 1 if random.random() < 2: return 'yes'
        """,
        ["random.random"],
    ),
    "alternative imports": (
        """\
        try:
            from nowhere import now as clock
        except ImportError:
            from time import monotonic as clock
        def body(): return clock()
        """,
        ["time.monotonic"],
    ),
    "generator": (
        """\
        import time
        def gen():
            yield time.time()
            yield time.time()
        def body(): return list(gen())
        """,
        ["time.time", "time.time"],
    ),
}
