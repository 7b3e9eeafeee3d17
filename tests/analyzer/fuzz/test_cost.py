"""Programs that would take a naive check for ever: deep, wide, circular, exponential. Each ends in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_SECONDS: Final = 10.0
"""Processor time for one program; each takes under one on an idle machine."""

_HEAD: Final = "import functools\nimport os\nfrom trigger_sdk import job\n\n\n"
_JOB: Final = '@job(id="a")\ndef a(p):\n'


def _lines(count: int, line: Callable[[int], str]) -> str:
    return "".join(line(number) for number in range(count))


PROGRAMS: Final = {
    "chain-of-5000-calls": (
        _lines(5000, lambda i: f"def f{i}(p):\n    return f{i + 1}(p)\n") + "def f5000(p):\n    os.remove(p)\n",
        "    f0(p)\n",
    ),
    "chain-of-20000-calls": (
        _lines(20_000, lambda i: f"def f{i}(p):\n    return f{i + 1}(p)\n") + "def f20000(p):\n    os.remove(p)\n",
        "    f0(p)\n",
    ),
    "loops-in-loops": (
        "",
        _lines(19, lambda i: f"{'    ' * (i + 1)}for x{i} in p:\n{'    ' * (i + 2)}y{i} = [x{i}, p]\n")
        + f"{'    ' * 20}{'; '.join(f'y{i + 1} = y{i}' for i in range(18))}; y0 = [y18]\n    os.remove(p)\n",
    ),
    "branches-of-20000-variables": (
        _lines(20_000, lambda i: f"if os:\n    x{i} = {i}\n"),
        _lines(20_000, lambda i: f"    if p:\n        x{i} = {i}\n") + "    os.remove(p)\n",
    ),
    "dict-of-20000-items-in-300-functions": (
        f"T = {{{', '.join(f'{i}: {i}' for i in range(20_000))}}}\n"
        + _lines(300, lambda i: f"def g{i}(p):\n    for k, v in T.items(): print(T[k], v)\n"),
        _lines(300, lambda i: f"    g{i}(p)\n") + "    os.remove(p)\n",
    ),
    "circle-of-2000-functions": (
        _lines(2000, lambda i: f"def f{i}(p):\n    f{(i + 1) % 2000}(p)\n    f{(i * 13 + 5) % 2000}(p)\n")
        + "def f777(p):\n    f778(p)\n    os.remove(p)\n",
        "    f0(p)\n",
    ),
    "inheritance-of-3000-classes": (
        "class C0:\n    def run(self, p):\n        os.remove(p)\n"
        + _lines(3000, lambda i: f"class C{i + 1}(C{i}):\n    pass\n"),
        "    C3000().run(p)\n",
    ),
    "diamonds-of-200-classes": (
        "class A: pass\nclass L0(A): pass\nclass R0(A):\n    def m(self):\n        os.remove('x')\n"
        + _lines(200, lambda i: "".join(f"class {side}{i + 1}(L{i}, R{i}): pass\n" for side in "LR")),
        "    L199().m()\n",
    ),
    "bases-in-circles": (
        "class A(A): pass\nclass B(C): pass\nclass C(B): pass\n",
        "    A().x(); C().y(); os.remove(p)\n",
    ),
    "table-of-5000-functions": (
        _lines(5000, lambda i: f"def f{i}(p):\n    return {i}\n")
        + f"T = {{{', '.join(f'{i}: f{i}' for i in range(5000))}, 'x': os.remove}}\n",
        "    T[p](p)\n",
    ),
    "doubled-texts": ("", "    x = 'a'\n" + "    x = x + x\n" * 300 + "    os.remove(x)\n"),
    "doubled-texts-in-a-loop": (
        "",
        (
            "    x = 'a'\n    for _ in p:\n        x = x + x\n"
            "        y = x * 10**9\n        z = 10**10**10 << 10**9\n    os.remove(x)\n"
        ),
    ),
    "doubled-lists": ("", "    x = p\n" + "    x = [x, x]\n" * 300 + "    os.remove(x)\n"),
    "doubled-lists-in-a-loop": (
        "",
        (
            "    x = []\n    while p:\n        x = [x, x]\n"
            "        x = (x, {'a': x})\n        x = lambda y=x: y\n    os.remove(x)\n"
        ),
    ),
    "doubled-functions": (
        "def compose(f, g):\n    return lambda y: f(g(y))\n",
        "    f = os.remove\n" + "    f = compose(f, f)\n" * 40 + "    f(p)\n",
    ),
    "doubled-calls": (
        _lines(400, lambda i: f"def f{i}(p):\n    f{i + 1}(p)\n    f{i + 1}(p)\n    f{i + 2}(p)\n")
        + "def f400(p): os.remove(p)\ndef f401(p): pass\n",
        "    f0(p)\n",
    ),
    "doubled-contexts": (
        _lines(60, lambda i: f"def f{i}(p, n):\n    f{i + 1}(p, n + 1)\n    f{i + 1}(p, n * 2)\n")
        + "def f60(p, n): os.remove(p)\n",
        "    f0(p, 1)\n",
    ),
    "doubled-closures": (
        _lines(40, lambda i: f"def f{i}(p, g):\n    f{i + 1}(p, lambda y: g(y))\n    f{i + 1}(p, g)\n")
        + "def f40(p, g): g(p)\n",
        "    f0(p, os.remove)\n",
    ),
    "ackermann": (
        "def f(m, n):\n    return n + 1 if m == 0 else f(m - 1, 1) if n == 0 else f(m - 1, f(m, n - 1))\n",
        "    f(9, 9); os.remove(p)\n",
    ),
    "self-application": (
        "def f(g):\n    return g(lambda y: f(g)(y))\n",
        "    (lambda x: x(x))(lambda x: x(x)); f(f)(f)(p); os.remove(p)\n",
    ),
    "generators-in-circles": (
        "def g(n):\n    yield from g(n - 1)\n    yield from g(n - 2)\n    yield os.remove(n)\n",
        "    print(list(g(3)))\n",
    ),
    "attributes-without-end": (
        "class A:\n    def __getattr__(self, n):\n        return getattr(self, n + 'x')\n",
        "    A().b; os.remove(p)\n",
    ),
    "decorators-by-the-hundred": (
        "def d(f):\n    def w(p):\n        return f(p)\n\n    return w\n\n\n"
        + "@d\n" * 500
        + "def go(p):\n    os.remove(p)\n",
        "    go(p)\n",
    ),
    "branches-that-bind-2500-names": (
        "",
        _lines(2500, lambda i: f"    if p:\n        x{i} = {i}\n    else:\n        x{i} = p\n") + "    os.remove(p)\n",
    ),
    "deep-code-in-deep-calls": (
        _lines(25, lambda i: f"def f{i}(p):\n    return {'str(' * 30}f{i + 1}(p){')' * 30}\n")
        + "def f25(p):\n    os.remove(p)\n",
        "    f0(p)\n",
    ),
    "nested-ifs-in-deep-calls": (
        _lines(
            30,
            lambda i: (
                f"def f{i}(p):\n"
                + "".join(f"{'    ' * (j + 1)}if p:\n" for j in range(60))
                + f"{'    ' * 61}f{i + 1}(p)\n"
            ),
        )
        + "def f30(p):\n    os.remove(p)\n",
        "    f0(p)\n",
    ),
    "long-sum-around-a-call": ("", f"    return {' + '.join(['p'] * 2000)} + os.remove(p)\n"),
    "long-chain-of-elif-before-a-call": (
        "",
        "    if p == 0:\n        print(p)\n"
        + _lines(1200, lambda i: f"    elif p == {i + 1}:\n        print({i})\n")
        + "    else:\n        os.remove(p)\n",
    ),
}
"""Definitions and the body's lines. One effect is reached, from one line."""


@pytest.mark.parametrize("name", PROGRAMS)
def test_hard_program_ends_soon_with_its_finding(project: Make, name: str) -> None:
    """The one effect is found on one line of the body, whatever stands around it."""
    definitions, body = PROGRAMS[name]
    text = f"{_HEAD}{definitions}\n\n{_JOB}{body}"
    rows = [row for row, line in enumerate(text.split("\n"), start=1) if line]
    first = text[: text.index(_JOB)].count("\n") + 3
    begin = time.process_time()
    found = project({"jobs/a.py": text}).findings()
    assert time.process_time() - begin < _SECONDS
    assert [code for _, _, code in found] == ["TRG102"]
    assert first <= found[0][1] <= rows[-1]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("".join(f"    f(p, {number})\n" for number in range(3000)), 3000),
        ("    match p:\n" + "".join(f"        case {number}: f(p, 1)\n" for number in range(3000)), 3000),
        (
            "".join(f"    try:\n        f(p, {n})\n    except ValueError:\n        x{n} = 1\n" for n in range(1500)),
            1500,
        ),
    ],
    ids=["calls", "cases", "tries"],
)
def test_very_many_findings_end_soon(project: Make, body: str, expected: int) -> None:
    """Thousands of calls in one body are all reported."""
    begin = time.process_time()
    found = project({"jobs/a.py": f"{_HEAD}def f(p, n):\n    os.remove(p)\n\n\n{_JOB}{body}"}).findings()
    assert time.process_time() - begin < _SECONDS
    assert len(found) == expected


def test_imports_in_circles_end_soon(project: Make) -> None:
    """Hundreds of modules that import each other, by stars too, and call in a circle."""
    files: dict[str, str | bytes] = {
        f"m{i}.py": f"from m{(i + 1) % 400} import *\nimport m{i * 7 % 400}\ndef f{i}(p): f{(i + 1) % 400}(p)\n"
        for i in range(400)
    }
    files["m77.py"] = "import os\nfrom m78 import *\n\n\ndef f77(p):\n    f78(p)\n    os.remove(p)\n"
    files["jobs/a.py"] = f"from m0 import *\nfrom trigger_sdk import job\n\n\n{_JOB}    f0(p)\n"
    begin = time.process_time()
    found = project(files).findings()
    assert time.process_time() - begin < _SECONDS
    assert found == [("jobs/a.py", 7, "TRG102")]


def test_thousand_jobs_end_soon(project: Make) -> None:
    """Each is reported on its own."""
    text = _HEAD + _lines(1000, lambda i: f'@job(id="j{i}")\ndef j{i}(p):\n    os.remove(p)\n')
    begin = time.process_time()
    report = project({"jobs/a.py": text}).check()
    assert time.process_time() - begin < _SECONDS
    assert len(report.jobs) == len(report.diagnostics) == 1000
