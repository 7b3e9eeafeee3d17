"""Any valid Python ends in a report, soon; a broken file is one finding, and the rest is checked all the same."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from tests.analyzer.fuzz.sources import INSTALLED, STANDARD, link_sources, modules_in

_SEED: Final = 20261124
_QUICK: Final = ("typer", "starlette", "httpx", "uvicorn", "attr")
_LARGE: Final = (
    *("rich", "pydantic", "libcst", "anyio", "alembic", "click"),
    *("sqlalchemy", "hypothesis", "mypy", "prompt_toolkit", "pygls", "lsprotocol", "pip", "setuptools"),
)
_WALL: Final = 120.0
"""Seconds after which a check hangs, on a machine that does other things beside."""

_SECONDS: Final = 20.0
"""Processor time for one check, on such a machine; on an idle one it takes five."""


def _checked(folder: Path, modules: Sequence[str], *, variants: int, wall: float) -> list[dict[str, Any]]:
    """Check modules in another process; return what came of each, a check that hangs included."""
    found: list[dict[str, Any]] = []
    left = list(modules)
    while left:
        command = [sys.executable, "-W", "error", "-m", "tests.analyzer.fuzz.sources", str(folder), str(_SEED)]
        with subprocess.Popen([*command, str(variants), *left], stdout=subprocess.PIPE) as process:
            last, begun = left[0], {"module": left[0]}
            for line in _lines(process, wall):
                last = line["module"]
                if "wrong" in line:
                    found.append(line)
                else:
                    begun = line
            if process.poll() is None:
                process.kill()
                found.append({**begun, "wrong": f"no end after {wall} s", "seconds": wall, "incomplete": False})
            elif process.returncode:
                found.append({"module": last, "wrong": f"exit {process.returncode}", "seconds": 0, "incomplete": False})
            else:
                return found
        left = left[left.index(last) + 1 :]
    return found


def _lines(process: subprocess.Popen[bytes], wall: float) -> Iterator[dict[str, Any]]:
    """Yield what a process prints, until it ends or says nothing for ``wall`` seconds."""
    assert process.stdout is not None
    stream = process.stdout.fileno()
    held, deadline = b"", time.monotonic() + wall
    while (rest := deadline - time.monotonic()) > 0:
        if not select.select([stream], [], [], rest)[0]:
            return
        chunk = os.read(stream, 1 << 16)
        if not chunk:
            process.wait()
            return
        *lines, held = (held + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)
            deadline = time.monotonic() + wall


def _wrong(outcomes: Sequence[dict[str, Any]]) -> list[tuple[str, object, str]]:
    """Return what went wrong, and what took too long."""
    slow = [each for each in outcomes if not each["wrong"] and each["seconds"] > _SECONDS]
    return [
        *((each["module"], each.get("variant"), each["wrong"]) for each in outcomes if each["wrong"]),
        *((each["module"], each.get("variant"), f"{each['seconds']} s") for each in slow),
    ]


@pytest.mark.timeout(400)
def test_sample_of_the_standard_library_ends_in_reports(tmp_path: Path) -> None:
    """A sample of its modules, as they are, changed and damaged, is checked, and the other file's finding is told."""
    link_sources(tmp_path / "project", STANDARD)
    modules = random.Random(_SEED).sample(modules_in(STANDARD), 3)
    outcomes = _checked(tmp_path / "project", modules, variants=1, wall=_WALL)
    assert _wrong(outcomes) == []
    assert len(outcomes) >= 2 * len(modules)


@pytest.mark.timeout(400)
def test_sample_of_installed_packages_ends_in_reports(tmp_path: Path) -> None:
    """As above, with a module of each of some packages, a project of its own."""
    rng = random.Random(_SEED)
    outcomes = []
    for package in _QUICK:
        modules = modules_in(INSTALLED, (package,))
        if modules:
            link_sources(tmp_path / package, INSTALLED, (package,))
            outcomes += _checked(tmp_path / package, [rng.choice(modules)], variants=1, wall=_WALL)
    assert _wrong(outcomes) == []
    assert len(outcomes) >= 10


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_whole_standard_library_ends_in_reports(tmp_path: Path) -> None:
    """Every module of it, changed and damaged as well; all are modules of the user's, those that all import too."""
    link_sources(tmp_path / "project", STANDARD)
    modules = modules_in(STANDARD)
    random.Random(_SEED).shuffle(modules)
    outcomes = _checked(tmp_path / "project", modules, variants=1, wall=_WALL)
    assert _wrong(outcomes) == []


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("package", [*_QUICK, *_LARGE])
def test_whole_package_ends_in_reports(
    tmp_path: Path, package: str, missing_service: Callable[[str], NoReturn]
) -> None:
    """Every module of a package, many times changed."""
    modules = modules_in(INSTALLED, (package,))
    if not modules:
        missing_service(package)
    link_sources(tmp_path / "project", INSTALLED, (package,))
    assert _wrong(_checked(tmp_path / "project", modules, variants=4, wall=_WALL)) == []
