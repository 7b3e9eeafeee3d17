"""A small project on disk, a worker double to run it, and a way to wait for what should happen."""

import asyncio
import os
import shutil
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from devserver.launch import Launcher, Server
from tests.fakes.dev_process import DevProcess
from trigger_sdk.protocol.project import Project, load_project

DEADLINE_S = 20.0

Write = Callable[[str, str], Path]
Start = Callable[..., DevProcess]
Eventually = Callable[[Callable[[], object]], Awaitable[None]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a project with one trivial job file."""
    folder = tmp_path.resolve() / "shop"
    (folder / "jobs").mkdir(parents=True)
    (folder / "trigger.toml").write_text('dirs = ["jobs"]\n')
    (folder / "jobs" / "first.py").write_text("VERSION = 1\n")
    return folder


@pytest.fixture
def project(root: Path) -> Project:
    """Return the project as configured."""
    return load_project(root)


@pytest.fixture
def write(root: Path) -> Write:
    """Return what writes a file of the project."""

    def save(name: str, text: str) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    return save


@pytest.fixture
def start(root: Path) -> Iterator[Start]:
    """Return what starts `trigger dev` in the project; all of it is gone after the test."""
    started: list[DevProcess] = []

    def launch(*arguments: str, ready: bool = True, **variables: str) -> DevProcess:
        started.append(DevProcess(root, arguments=arguments, **variables))
        return started[-1].start(ready=ready)

    yield launch
    for dev in started:
        dev.close()


@pytest.fixture
def environ(tmp_path: Path, repository: Path) -> dict[str, str]:
    """Return an environment in which `python -m trigger_sdk.worker` is the double."""
    package = tmp_path / "double" / "trigger_sdk"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    shutil.copy(repository / "tests" / "fakes" / "stub_worker.py", package / "worker.py")
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(package.parent)}


@pytest.fixture
def launcher(root: Path, environ: dict[str, str]) -> Launcher:
    """Return what starts doubles."""
    return Launcher(root, Server(url="http://127.0.0.1:1", token="secret"), environ)


@pytest.fixture
def eventually() -> Eventually:
    """Return what waits, on the loop, until a condition holds."""

    async def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def busy(root: Path) -> Iterator[Path]:
    """Make workers hold a run until the file that is returned is deleted."""
    file = root / "busy"
    file.touch()
    yield file
    file.unlink(missing_ok=True)
