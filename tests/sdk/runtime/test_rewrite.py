"""Instrumented code is the code as it was written: positions, tracebacks, tracing, order, introspection."""

import ast
import asyncio
import bdb
import dis
import inspect
import subprocess
import sys
import sysconfig
import traceback
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.user_project import UserProject
from trigger_sdk._runtime.instrument import compile_instrumented
from trigger_sdk._runtime.rewrite import PICK, WRAP, instrument

STDLIB = Path(sysconfig.get_path("stdlib"))
SAMPLE = ["asyncio/*.py", "email/*.py", "http/*.py", "json/*.py", "unittest/*.py", "concurrent/futures/*.py", "*.py"]


def code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and all that it contains, in order."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def calls_at(code: types.CodeType) -> set[tuple[Any, ...]]:
    """Return line and column, of beginning and end, of every call."""
    names = {"CALL", "CALL_KW", "CALL_FUNCTION_EX"}
    return {tuple(step.positions or ()) for step in dis.get_instructions(code) if step.opname in names}


@pytest.mark.parametrize("pattern", SAMPLE)
def test_positions_are_kept_in_the_standard_library(pattern: str) -> None:
    """Every call of every function keeps lines and columns, and no function gets a line that it had not."""
    for path in sorted(STDLIB.glob(pattern)):
        source = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = compile(source, str(path), "exec", dont_inherit=True)
            instrumented = compile(instrument(ast.parse(source)), str(path), "exec", dont_inherit=True)
        for before, after in zip(code_objects(plain), code_objects(instrumented), strict=True):
            assert (before.co_qualname, before.co_firstlineno) == (after.co_qualname, after.co_firstlineno)
            assert before.co_flags == after.co_flags
            assert calls_at(before) <= calls_at(after), (path, before)
            assert {line for *_, line in before.co_lines()} == {line for *_, line in after.co_lines()}, (path, before)


RAISING = [
    "import random\nrandom.randint(\n    5,\n    1)",
    "import datetime\n(datetime\n .datetime\n .now(\n   1))",
    "x = None\n(x\n   .now()\n   .time())",
    "def f(call):\n    return call(1)(2)\nf(lambda a: lambda b: b / 0)",
    "def f(a, call):\n    return [call(i) for i in a]\nf([1, 0], (1).__truediv__)\nf([1, 0], lambda i: 1 // i)",
    "def f(call):\n    return call(*[1, 2], **{'a': 3})\nf(len)",
    "def f(call):\n    return 1 + (call(\n      3) +\n      call(0))\nf(lambda x: 1 / x)",
    "import time\ntime.sleep(\n  'x')",
    "from uuid import uuid4\nuuid4(1)",
    "import uuid\nf = uuid.uuid4\ng = f\ng(1)",
    "d = {'a': lambda: 1 / 0}\nd['a']()",
    "class A:\n    def __init__(é): é.hook = é.f\n    def f(self): 1 / 0\n    def g(é): return (1, é.hook())\nA().g()",
    "def f(call):\n    with call() as x:\n        pass\nf(int)",
    "async def f(call):\n    await call(\n        1)\nimport asyncio\ntry:\n    f(len).send(None)\nfinally:\n    pass",
    "def f(call): print(f'{call(1)!r} {call(0):>{call(2)}}')\nf(lambda x: 1 // x)",
    "def f(call):\n    assert call(), 'no'\nf(list)",
    "def f(call):\n    del call()[0]\nf(list)",
    "import nowhere",
]


def traceback_of(code: types.CodeType, tmp_path: Path) -> str:
    """Execute ``code`` and return the traceback it ends with, from the first frame of its own."""
    namespace = {"__name__": "subject"}
    try:
        exec(code, namespace)  # noqa: S102 - instrumented and plain code run alike
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        tb = error.__traceback__
        return "".join(traceback.format_exception(type(error), error, tb.tb_next if tb else None))
    return "did not raise"


@pytest.mark.parametrize("source", RAISING)
def test_traceback_is_the_same(source: str, user: UserProject, tmp_path: Path) -> None:
    """Frames, lines, carets and messages are those of the plain code."""
    user.instrument()
    file = user.write("subject.py", source)
    plain = traceback_of(compile(source, str(file), "exec", dont_inherit=True), tmp_path)
    assert plain != "did not raise"
    assert traceback_of(compile_instrumented(source, str(file)), tmp_path) == plain


BEHAVIOUR = '''
"""The docstring."""
from __future__ import annotations
import asyncio, contextlib, functools, time, random, datetime as dt
from dataclasses import dataclass

log = []
def say(value):
    log.append(value)
    return value

class Base:
    def now(self): return "base"
    @classmethod
    def time(cls): return cls.__name__
class Child(Base):
    field: int = 3
    __secret = staticmethod(lambda: "mangled")
    def now(self): return super().now() + "+child"
    def reveal(self): return self.__secret()
    @property
    def today(self): return self.now

def order(f):
    return say(f)(say(1), *say([2]), k=say(3), **say({"m": 4}))

def local_names(call):
    x = 1
    return sorted(call())

@functools.lru_cache(maxsize=None)
def cached(n): return n * 2

def gen(call):
    got = yield call(1)
    yield got

async def agen(call):
    for i in range(2):
        yield call(i)

async def later(call):
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(contextlib.nullcontext())
        return [i async for i in agen(call)] + [await asyncio.sleep(0, call(9))]

def patterns(value, call):
    match value:
        case {"time": t, **rest} if call(t): return t, rest
        case [first, *others]: return call(first), others
        case dt.datetime(year=y): return y
        case _: return None

def closures(call):
    return [f() for f in [lambda i=i: call(i) for i in range(3)]], {k: call(v) for k, v in {"a": 1}.items()}

def walrus(call):
    return [y := call(1), y ** 2, (lambda: y)()]

def annotated(x: dt.datetime.now, *, y: "int" = 1) -> Base().now: ...

def annotations():
    return annotated.__annotations__

g = gen(abs)
result = [
    __doc__, Child().now(), Child.time(), Child().today(), Child().reveal(), Child.__annotations__,
    order(lambda *a, **k: (a, k)), local_names(lambda: ["x"]), cached(2), [next(g), g.send(5)],
    asyncio.run(later(abs)), patterns({"time": 1, "b": 2}, abs), patterns([-1, 2], abs),
    patterns(dt.datetime(2020, 1, 1), abs),
    closures(abs), walrus(abs), annotations(), f"{say('f')!r:>5}{(lambda: 1)()}", (lambda **k: k)(time=1, now=2),
    (lambda f: f("a") if f else None)(str.upper), [*map(abs, [-1])], isinstance(random.Random(3), random.Random),
    eval("1 + 1"), sorted(locals().keys() & {"order", "gen"}), __file__ is not None, log and log[1:],
]
'''


def test_behaviour_is_the_same(user: UserProject) -> None:
    """Every kind of expression evaluates to the same, in the same order."""
    user.instrument()
    results = []
    file = str(user.write("subject.py", BEHAVIOUR))
    for code in (compile(BEHAVIOUR, file, "exec", dont_inherit=True), compile_instrumented(BEHAVIOUR, file)):
        namespace: dict[str, Any] = {"__name__": "subject", "__file__": file}
        exec(code, namespace)  # noqa: S102 - instrumented and plain code run alike
        results.append(repr(namespace["result"]).replace(repr(namespace["log"][0]), "<first>"))
    assert results[0] == results[1]


def test_only_what_could_be_recorded_is_asked() -> None:
    """Builtins, methods of other names, and what the module defines or imports are called directly."""
    source = """
import json
from os.path import join
class A: pass
def f(): pass
def g(items, x):
    f(); A(); len(items); json.dumps(x); join("a"); items.append(x); x.y.z(); super; print(f"{x.strip()}")
"""
    assert PICK not in ast.unparse(instrument(ast.parse(source)))
    assert ast.unparse(instrument(ast.parse("def f(x): x()"))) == f"def f(x):\n    {PICK}(x)()"
    assert ast.unparse(instrument(ast.parse("a(key=time.time)"))) == f"{PICK}(a)(key={WRAP}(time.time))"


def test_deep_nesting_is_no_problem() -> None:
    """Generated code nests more deeply than Python's own recursion goes."""
    source = "x = " + "+".join(["1"] * 2000) + "\ny = f" + "(1)" * 80
    compile_instrumented(source, "deep.py")


@pytest.mark.parametrize("depth", [500, 1000, 1500, 2000, 2500, 3000, 4000, 6000])
def test_what_compiles_still_loads(depth: int) -> None:
    """Whatever depth of nesting the compiler takes from a text loads instrumented, too."""
    source = "x = " + "+".join(["a"] * depth)
    try:
        compile(source, "deep.py", "exec", dont_inherit=True)
    except RecursionError:
        with pytest.raises(RecursionError):
            compile_instrumented(source, "deep.py")
    else:
        compile_instrumented(source, "deep.py")


def test_source_can_be_inspected(user: UserProject) -> None:
    """inspect shows the source as it is written."""
    module = user.module(
        "import time\ndef f(call):\n    return call(time.time)\n\nclass A:\n    def now(self):\n        return 1\n"
    )
    assert inspect.getsource(module.f) == "def f(call):\n    return call(time.time)\n"
    assert inspect.getsource(module.A.now) == "    def now(self):\n        return 1\n"
    assert module.__file__ == str(user.root / "subject.py")


class Lines(bdb.Bdb):
    """A debugger that notes the lines it stops at."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def user_line(self, frame: types.FrameType) -> None:
        """Note a line."""
        if frame.f_code.co_filename.endswith("subject.py"):
            self.seen.append(frame.f_lineno)
        self.set_step()


def test_debugger_stops_at_the_same_lines(user: UserProject) -> None:
    """Stepping through instrumented code shows its lines once, in order, and nothing else."""
    source = """\
        import time
        def f(call, box):
            a = call(
                1,
                2,
            )
            for i in range(2):
                a = (box
                     .now()
                     )
            clock = time.time
            return clock()
        """
    module = user.module(source)

    class Box:
        def now(self) -> int:
            return 1

    instrumented, plain = Lines(), Lines()
    instrumented.runcall(module.f, lambda *_: 1, Box())
    namespace: dict[str, Any] = {}
    code = compile((user.root / "subject.py").read_text(), module.__file__ or "", "exec", dont_inherit=True)
    exec(code, namespace)  # noqa: S102 - the plain code, to compare
    plain.runcall(namespace["f"], lambda *_: 1, Box())
    assert instrumented.seen == plain.seen


def test_coverage_counts_the_same_lines(user: UserProject) -> None:
    """Coverage of instrumented code names the same lines and branches as of plain code."""
    pytest.importorskip("coverage")
    user.write(
        "subject.py",
        """\
        import time
        def f(call, x):
            if x:
                return call()
            return (time
                    .time())
        f(int, 1)
        f(int, 0)
        """,
    )
    user.write(
        "run.py",
        """\
        import sys, coverage
        from pathlib import Path
        from trigger_sdk._runtime import instrument
        from trigger_sdk.project import load_project
        if sys.argv[1] == "instrumented":
            instrument.install(load_project(Path.cwd()))
        measured = coverage.Coverage(data_file=None, branch=True, include=["*/subject.py"])
        measured.start()
        import subject
        measured.stop()
        data = measured.get_data()
        print(*[(sorted(data.lines(f)), sorted(data.arcs(f))) for f in data.measured_files()])
        """,
    )
    outputs = [
        subprocess.run(
            [sys.executable, "run.py", mode],
            cwd=user.root,
            env={"PYTHONPATH": ":".join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for mode in ("plain", "instrumented")
    ]
    assert outputs[0] == outputs[1]
    assert "[1, 2, 3, 4, 5" in outputs[0]


def test_string_annotations_stay_readable(user: UserProject) -> None:
    """Postponed annotations are written as they stand, but for factories, which must be recorded."""
    module = user.module(
        """\
        from __future__ import annotations
        import datetime
        def f(at: datetime.datetime.now, x: list[g(1)] = 1) -> time.time: ...
        """
    )
    assert module.f.__annotations__ == {"at": "datetime.datetime.now", "x": "list[g(1)]", "return": "time.time"}


def test_warnings_of_the_compiler_come_once() -> None:
    """A SyntaxWarning of the source is given once, for its line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compile_instrumented('x = 1\nif x is 1:\n    "a"(1)\n', "warned.py")
    assert sorted(warning.lineno for warning in caught) == [2, 3]


def test_coroutines_are_awaited_directly(user: UserProject) -> None:
    """The stack of an awaited call shows the user's frames only."""
    module = user.module(
        """\
        import sys
        async def inner():
            frame, names = sys._getframe(0), []
            while frame is not None and len(names) < 3:
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            return names
        async def middle(f): return await f()
        async def outer(f, g): return await f(g)
        """
    )
    assert asyncio.run(module.outer(module.middle, module.inner)) == ["inner", "middle", "outer"]
