"""A project to check, generated: an application of many packages, with jobs spread over it. Deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from textwrap import indent
from typing import Final

from benchmarks.check_functions import ARGUMENTS, BODIES, CLASS, RESULTS, SIGNATURES, USES, Kind
from benchmarks.check_layers import HEADER, JOB, LAYERS, LEAKS, SERVICE
from benchmarks.check_plan import (
    SEED,
    VERBS,
    WORDS,
    Function,
    Module,
    Package,
    PlannedJob,
    Size,
    plan_jobs,
    plan_packages,
)

_LIMITS: Final = 6
"""Entries of the table of limits of each module."""

_INDENT: Final = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A module that several jobs reach.

    Attributes:
        path: its file.
        line: the first line of the body of the function that they reach, from 0.
        reached_by: the jobs' files.
    """

    path: Path
    line: int
    reached_by: frozenset[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckProject:
    """A project that was written.

    Attributes:
        root: its folder.
        lines: of Python.
        files: of Python.
        jobs: the jobs' files, each with the rule that tells of its body, or None.
        shared: a module that several jobs reach.
    """

    root: Path
    lines: int
    files: int
    jobs: dict[Path, str | None]
    shared: Shared


def write_project(root: Path, size: Size) -> CheckProject:
    """Write a project into a folder that does not exist yet."""
    packages = plan_packages(size)
    jobs = plan_jobs(packages, size)
    texts = {Path("app/__init__.py"): '"""The application."""\n'}
    for package in packages:
        texts |= _package(package)
    texts |= {_job_file(job): _job(job) for job in jobs}
    for name, text in texts.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    (root / "trigger.toml").write_text('dirs = ["jobs"]\n')
    return CheckProject(
        root=root,
        lines=sum(text.count("\n") for text in texts.values()),
        files=len(texts),
        jobs={root / _job_file(job): job.code for job in jobs},
        shared=_shared(root, jobs, texts),
    )


# --- what is written --------------------------------------------------------------------------------------------------


def _package(package: Package) -> dict[Path, str]:
    folder = Path("app", package.name)
    names = {"package": package.name, "word": package.name, "record": package.record}
    texts = {folder / f"{name}.py": text.format_map(names) for name, text in LAYERS.items()}
    calls = indent(_calls("number", package.prices, Random(SEED)), _INDENT * 2)
    texts[folder / "service.py"] = SERVICE.format_map(names | {"imports": _imports(package.prices), "calls": calls})
    doors = f"\nfrom {package.dotted}.service import {package.record}Service as {package.record}Service\n"
    texts[folder / "__init__.py"] = f'"""All about {package.name}s."""\n{doors if package.number % 3 == 0 else ""}'
    return texts | {_module_file(module): _module(module) for module in package.modules}


def _module_file(module: Module) -> Path:
    return Path("app", module.package.name, f"{module.name}.py")


def _module(module: Module) -> str:
    rnd = Random(f"{SEED} {module.dotted}")
    counter = f"{module.package.record}{VERBS[module.number % len(VERBS)].title()}Counter"
    words = sorted(rnd.sample(WORDS, _LIMITS))
    blocks = [CLASS.format(cls=counter, word=module.package.word)]
    blocks += [_function(function, counter, words, rnd) for function in module.functions]
    text = "\n\n".join(blocks)
    leaks = [LEAKS[function.leak][1] for function in module.functions if function.leak is not None]
    called = [other for function in module.functions for other in function.calls]
    imports = [_imports(called, module), f"from {module.package.dotted}.records import {module.package.record}", *leaks]
    header = HEADER.format(
        word=module.package.name,
        number=module.number,
        imports="\n".join(filter(None, imports)),
        limits=", ".join(f'"{word}": {rnd.randrange(3, 40)}' for word in words),
        words=", ".join(f'"{word}"' for word in words[:3]),
    )
    if "json." not in text:
        header = header.replace("import json\n", "")
    if "defaultdict" not in text:
        header = header.replace("from collections import defaultdict\n", "")
    return header + text


def _function(function: Function, counter: str, words: Sequence[str], rnd: Random) -> str:
    package = function.module.package
    body = rnd.choice(BODIES[function.kind]).format(
        n=rnd.randrange(2, 9),
        word=rnd.choice(words),
        cls=counter,
        record=package.record,
        calls=_calls(function.kind, function.calls, rnd, owner=function.module),
    )
    leak = "" if function.leak is None else f"{LEAKS[function.leak][2]}\n"
    lines = [line for line in f"{body}{leak}return {RESULTS[function.kind]}".splitlines() if line]
    text = indent("\n".join(lines), _INDENT)
    signature = SIGNATURES[function.kind].format(record=package.record)
    verb = function.name.partition("_")[0].title()
    return f'def {function.name}({signature}:\n    """{verb} {package.name}s."""\n{text}\n'


def _calls(kind: Kind, functions: Iterable[Function], rnd: Random, *, owner: Module | None = None) -> str:
    """Return the lines in which a function of a kind, in a module of functions or elsewhere, calls others."""
    lines = []
    for function in functions:
        names = {"record": function.module.package.record, "n": rnd.randrange(2, 9), "word": rnd.choice(WORDS)}
        name = function.name if function.module is owner else _name(function)
        call = f"{name}({ARGUMENTS[kind][function.kind].format_map(names)})"
        lines.append(USES[kind][function.kind].format(call=call, **names))
    return "\n".join(lines)


def _is_by_module(function: Function) -> bool:
    """Tell whether callers import its module, not its name."""
    return function.module.number % 2 == 0


def _name(function: Function) -> str:
    return f"{_alias(function.module)}.{function.name}" if _is_by_module(function) else function.name


def _alias(module: Module) -> str:
    return f"{module.package.name}_{module.name}"


def _imports(called: Iterable[Function], importing: Module | None = None) -> str:
    """Return the lines that import what is called from elsewhere."""
    lines = set()
    for function in called:
        module = function.module
        if module is importing:
            continue
        if _is_by_module(function):
            lines.add(f"from {module.package.dotted} import {module.name} as {_alias(module)}")
        else:
            lines.add(f"from {module.dotted} import {function.name}")
    return "\n".join(sorted(lines))


def _job_file(job: PlannedJob) -> Path:
    return Path("jobs", f"{job.name}.py")


def _job(job: PlannedJob) -> str:
    package, rnd = job.package, Random(f"{SEED} {job.name}")
    recorded = package.leaking[-1]
    imports = [
        _imports([*(function for _, function in job.calls), recorded]),
        f"from {package.dotted}.client import {package.record}Client",
        f"from {package.dotted}.records import {package.record}",
        f"from {package.dotted}.service import {package.record}Service",
    ]
    calls = "\n".join(_calls(kind, [function], rnd) for kind, function in job.calls)
    return JOB.format(
        id=job.name.replace("_", "-"),
        title=f"Work on {package.name}s, number {job.number}",
        word=package.name,
        record=package.record,
        recorded=_name(recorded),
        imports="\n".join(imports),
        calls=indent(calls, _INDENT),
    )


# --- what is measured -------------------------------------------------------------------------------------------------

_REACHED_BY: Final = 6
"""About so many jobs reach the shared module."""


def _shared(root: Path, jobs: Sequence[PlannedJob], texts: dict[Path, str]) -> Shared:
    reached_by: dict[Function, set[Path]] = {}
    for job in jobs:
        if not job.is_leaking:
            for function in job.reached():
                reached_by.setdefault(function, set()).add(root / _job_file(job))
    function = min(reached_by, key=lambda each: (abs(len(reached_by[each]) - _REACHED_BY), each.name))
    path = _module_file(function.module)
    lines = texts[path].splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(f"def {function.name}("))
    return Shared(path=root / path, line=start + 2, reached_by=frozenset(reached_by[function]))
