"""Programs built from ways: what is reported in their bodies is known from how they were built.

A program grows from leaves (functions of libraries, with or without effects) through definitions in several modules to
the body of a job. Every function carries the effects that calling it has; a line of the body is expected to be reported
when it calls one with effects, and only then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from analyzer.model import Severity
from analyzer.rules.registry import RULES
from tests.analyzer.fuzz import ways
from tests.analyzer.fuzz.ways import Way

T = TypeVar("T")
Choose = Callable[[Sequence[T]], T]

_NOT_STORED: Final = frozenset(("TRG406",))

BODY: Final = "jobs/case.py"
MODULES: Final = {
    "alpha": "alpha.py",
    "pkg.inner": "pkg/inner.py",
    "pkg": "pkg/__init__.py",
    "beta": "beta.py",
    "jobs.shared": "jobs/shared.py",
    "jobs.case": BODY,
}
"""Names of modules to their files; each may import those before it."""

_ORDER: Final = list(MODULES)
_STANDARD: Final = (
    *("abc", "asyncio", "builtins", "collections", "contextlib", "dataclasses", "enum"),
    *("functools", "importlib", "itertools", "operator", "types", "typing", "unknown_library"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """A function of one argument.

    Attributes:
        name: its name in its module; a dotted name for a library's.
        module: the project's module; empty for a library's.
        effects: codes of what calling it does.
        is_async: it is to be awaited.
        is_durable: it is a task, or awaits one: it does not belong inside another.
        is_stored: what it gives is something that a journal stores; otherwise it may or may not be.
    """

    name: str
    module: str
    effects: frozenset[str] = frozenset()
    is_async: bool = False
    is_durable: bool = False
    is_stored: bool = True


def _leaf(name: str, *codes: str, is_stored: bool = True) -> Callee:
    return Callee(name=name, module="", effects=frozenset(codes), is_stored=is_stored)


LOUD_LEAVES: Final = (
    _leaf("os.remove", "TRG102"),
    _leaf("os.listdir", "TRG102"),
    _leaf("os.path.exists", "TRG102"),
    _leaf("shutil.rmtree", "TRG102"),
    _leaf("time.sleep", "TRG107"),
    _leaf("os.getenv", "TRG105"),
    _leaf("subprocess.check_output", "TRG104"),
    _leaf("urllib.request.urlretrieve", "TRG101"),
    _leaf("requests.get", "TRG101", is_stored=False),
    _leaf("socket.create_connection", "TRG101", is_stored=False),
    _leaf("shelve.open", "TRG103", "TRG102", is_stored=False),
    _leaf("sqlite3.connect", "TRG103", is_stored=False),
    _leaf("socket.gethostbyname", "TRG101"),
    _leaf("os.path.getsize", "TRG102"),
    _leaf("random.choice", "TRG202"),
    _leaf("secrets.token_hex", "TRG202"),
    _leaf("time.monotonic_ns", "TRG201"),
    _leaf("time.strftime", "TRG201"),
    _leaf("os.getpid", "TRG203"),
    _leaf("numpy.random.rand", "TRG212", is_stored=False),
    _leaf("pendulum.now", "TRG211", is_stored=False),
    _leaf("signal.alarm", "TRG109"),
    _leaf("datetime.datetime.now", "TRG201"),
)
PURE_LEAVES: Final = (
    _leaf("len"),
    _leaf("str"),
    _leaf("os.path.basename"),
    _leaf("json.dumps"),
    _leaf("math.sqrt"),
    _leaf("textwrap.dedent"),
    _leaf("urllib.parse.quote"),
    _leaf("os.fspath"),
    _leaf("httpx.URL", is_stored=False),
)


@dataclass(slots=True)
class _Module:
    """A module under construction."""

    imports: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A line of a body that is reported.

    Attributes:
        row: which.
        codes: one of which is reported: the errors among what it does, or the hints when that is all.
        may: codes that may be reported or not.
        way: how it came about, for reports.
    """

    row: int
    codes: frozenset[str]
    may: frozenset[str]
    way: str


class Program:
    """A program under construction.

    Args:
        choose: picks one of several: drawn by hypothesis, or by a seeded generator.
    """

    def __init__(self, choose: Callable[[Sequence[object]], object]) -> None:
        self._choose_one = choose
        self._modules = {name: _Module() for name in MODULES}
        self._facades: dict[str, str] = {}
        self._number = 0
        self._body: list[tuple[str, frozenset[str], frozenset[str], str]] = []

    # --- definitions --------------------------------------------------------------------------------------------------

    def define(self, way: Way, first: Callee, second: Callee | None = None) -> Callee:
        """Define a function over others, in a module that may import theirs."""
        lowest = max(_ORDER.index(each.module) if each.module else 0 for each in (first, second or first))
        module = self._choose(_ORDER[lowest:])
        name = f"step_{self._next()}"
        place = self._modules[module]
        text = self._fill(way, module, first, second, d=name)
        place.definitions.append(text)
        effects = {"first": first.effects, "both": first.effects | (second or first).effects, "none": frozenset[str]()}
        return Callee(
            name=name,
            module=module,
            effects=effects[way.kept],
            is_async=way.is_async,
            is_durable=first.is_durable or way in ways.TASKS,
            is_stored=way.is_plain and first.is_stored and (second or first).is_stored,
        )

    def _fill(self, way: Way, module: str, first: Callee, second: Callee | None, **names: str) -> str:
        function = self.use(module, first)
        other = function if second is None else self.use(module, second)
        number = str(self._next())
        plain = function if function.isidentifier() else f"fresh_{number}"
        return way.text.format(f=function, g=other, n=number, f_name=plain, **names)

    # --- names --------------------------------------------------------------------------------------------------------

    def use(self, module: str, callee: Callee) -> str:
        """Return an expression for a function in a module, having it imported there."""
        if callee.module == module:
            return callee.name
        if not callee.module:
            return self._use_library(module, callee.name)
        return self._use_project(module, callee.module, callee.name)

    def _use_library(self, module: str, name: str) -> str:
        owner, _, last = name.rpartition(".")
        if not owner:
            return name
        if owner == "datetime.datetime":
            self._import(module, "import datetime")
            return name
        styles = ["import {m}", "import {m} as {k}", "from {m} import {n}", "from {m} import {n} as {k}"]
        return self._styled(module, styles, owner, last)

    def _use_project(self, module: str, owner: str, name: str) -> str:
        styles = [
            "import {m}",
            "import {m} as {k}",
            "from {m} import {n}",
            "from {m} import {n} as {k}",
            "from {m} import *",
            "try:\n    from {m} import {n}\nexcept ImportError:\n    {n} = None",
            "facade",
            "star facade",
            "importlib",
        ]
        package, _, leaf = owner.rpartition(".")
        if package:
            styles.append("from {p} import {l} as {k}")
        if package and module.startswith(package):
            styles.append("from .{l} import {n}")
        return self._styled(module, styles, owner, name, package=package, leaf=leaf)

    def _styled(
        self, module: str, styles: Sequence[str], owner: str, name: str, *, package: str = "", leaf: str = ""
    ) -> str:
        style = self._choose(styles)
        if style == "importlib":
            return f"importlib.import_module('{owner}').{name}"
        if style == "facade":
            owner, name = self._facade(f"from {owner} import {name} as {name}_again"), f"{name}_again"
            style = "from {m} import {n}"
        if style == "star facade":
            owner, style = self._facade(f"from {owner} import *"), "from {m} import {n} as {k}"
        key = f"k{self._next()}"
        self._import(module, style.format(m=owner, n=name, k=key, p=package, l=leaf))
        if style == "import {m}":
            return f"{owner}.{name}"
        if style in ("import {m} as {k}", "from {p} import {l} as {k}"):
            return f"{key}.{name}"
        return key if style.endswith("{k}") else name

    def _facade(self, line: str) -> str:
        facade = f"facade_{self._next()}"
        self._facades[facade] = f"{line}\n"
        return facade

    def _import(self, module: str, line: str) -> None:
        imports = self._modules[module].imports
        if line not in imports:
            imports.append(line)

    # --- the body -----------------------------------------------------------------------------------------------------

    def add(self, way: Way, callee: Callee) -> None:
        """Add a piece to the body."""
        argument = self._choose(["p", "'a'", "p + p"])
        text = self._fill(way, "jobs.case", callee, None, x=argument)
        effects = callee.effects if way.kept == "first" else frozenset()
        may = frozenset[str]() if callee.is_stored and way.is_plain else _NOT_STORED
        for line in text.split("\n"):
            mark = line.endswith("@")
            self._body.append((line.removesuffix("@").rstrip(), effects if mark else frozenset(), may, way.name))

    def files(self, *, is_async: bool) -> tuple[dict[str, str], list[Expected]]:
        """Return the text of each file, and which lines of the body are reported."""
        files = {f"{name}.py": text for name, text in self._facades.items()}
        head = "".join(f"import {name}\n" for name in _STANDARD) + "from trigger_sdk import job, record, task\n"
        for name, module in self._modules.items():
            parts = [head + "".join(f"{line}\n" for line in module.imports), *module.definitions]
            files[MODULES[name]] = "\n\n".join(part.rstrip("\n") + "\n" for part in parts)
        keyword = "async def" if is_async else "def"
        start = f'{files[BODY]}\n\n@job(id="case")\n{keyword} case(p):\n    print(p)\n'
        first = start.count("\n") + 1
        lines = [f"    {line}" if line else "" for line, *_ in self._body]
        files[BODY] = start + "\n".join([*lines, ""])
        expected = [
            Expected(row=first + number, codes=_worst(effects), may=may, way=way)
            for number, (_, effects, may, way) in enumerate(self._body)
            if effects or may
        ]
        return files, expected

    # --- choosing -----------------------------------------------------------------------------------------------------

    def _choose(self, options: Sequence[T]) -> T:
        return self._choose_one(options)  # type: ignore[return-value]  # one of them

    def _next(self) -> int:
        self._number += 1
        return self._number


def _are_hints(codes: frozenset[str]) -> bool:
    return all(RULES[code].severity is Severity.HINT for code in codes)


def _worst(codes: frozenset[str]) -> frozenset[str]:
    errors = frozenset(code for code in codes if RULES[code].severity is Severity.ERROR)
    return errors or codes


def mistakes(expected: Sequence[Expected], found: Sequence[tuple[str, int, str]], files: dict[str, str]) -> list[str]:
    """Return a line for each finding too many or too few; unused suppressions do not count."""
    told = [(file, row, code) for file, row, code in found if code != "TRG902"]
    wanted = {each.row: each for each in expected}
    lines = {file: text.split("\n") for file, text in files.items()}
    result = []
    for file, row, code in told:
        known = wanted.get(row) if file == BODY else None
        if known is None or code not in known.codes | known.may:
            result.append(f"wrong {file}:{row}: {code} on {lines[file][row - 1].strip()}")
    for row, each in wanted.items():
        rows = [line for file, line, code in told if file == BODY and code in each.codes]
        beaten = any(file == BODY and line == row and code in each.may for file, line, code in told)
        if each.codes and row not in rows and not (beaten and _are_hints(each.codes)):
            result.append(f"missed {BODY}:{row}: {sorted(each.codes)} on {lines[BODY][row - 1].strip()} ({each.way})")
        elif rows.count(row) > 1:
            result.append(f"twice {BODY}:{row}: {lines[BODY][row - 1].strip()} ({each.way})")
    return result
