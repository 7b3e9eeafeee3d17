"""What a worker process is started with."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devserver.errors import InterpreterMissing
from devserver.launch import Child, Launcher, Server
from tests.devserver.conftest import Write

SHOW = """
import json, os, sys
os.write(1, json.dumps({
    "environ": dict(os.environ), "cwd": os.getcwd(), "path": sys.path, "group": os.getpgid(0),
    "safe_path": sys.flags.safe_path, "descriptors": sorted(map(int, os.listdir("/proc/self/fd"))),
}).encode() + b"\\n")
"""


@pytest.fixture
def start() -> Iterator[Callable[[Launcher], Child]]:
    """Return what starts a worker that is ended after the test."""
    children: list[Child] = []

    def launch(launcher: Launcher) -> Child:
        children.append(launcher.start())
        return children[-1]

    yield launch
    for child in children:
        child.process.kill()
        child.process.wait()
        os.close(child.status)
        for pipe in (child.process.stdin, child.process.stdout, child.process.stderr):
            assert pipe is not None
            pipe.close()


def seen_by(child: Child) -> dict[str, object]:
    """Return what the worker saw of itself."""
    assert child.process.stdout is not None
    shown: dict[str, object] = json.loads(child.process.stdout.readline())
    return shown


def test_worker_gets_its_contract(
    root: Path, environ: dict[str, str], write: Write, start: Callable[[Launcher], Child]
) -> None:
    """Environment, working folder, safe path, a process group of its own, and no descriptor but its own."""
    write("jobs/first.py", SHOW)
    child = start(Launcher(root, Server(url="http://127.0.0.1:99", token="secret"), environ))
    seen = seen_by(child)
    given = seen["environ"]
    assert isinstance(given, dict)
    expected = {
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TRIGGER_API_URL": "http://127.0.0.1:99",
        "TRIGGER_PROJECT_ROOT": str(root),
        "TRIGGER_WORKER_ID": child.worker_id,
        "TRIGGER_WORKER_TOKEN": "secret",
        "TRIGGER_WORKER_URL": "ws://127.0.0.1:99/api/v1/worker",
    }
    assert expected.items() <= given.items()
    assert (seen["cwd"], seen["safe_path"], seen["group"]) == (str(root), True, child.process.pid)
    assert str(root) not in (seen["path"] or [])  # type: ignore[operator]
    assert len(seen["descriptors"]) <= 5  # type: ignore[arg-type]


def test_env_file_gives_way_to_the_environment(
    root: Path, environ: dict[str, str], write: Write, start: Callable[[Launcher], Child]
) -> None:
    """What the developer exports wins over the file; what is ours, nobody overrides."""
    write("jobs/first.py", SHOW)
    write(".env", "FROM_FILE=file\nBOTH=file\nTRIGGER_WORKER_TOKEN=stolen\n")
    environ |= {"BOTH": "shell", "TRIGGER_WORKER_ID": "old", "PYTHONHASHSEED": "7"}
    child = start(Launcher(root, Server(url="http://127.0.0.1:99", token="secret"), environ))
    given = seen_by(child)["environ"]
    assert isinstance(given, dict)
    wanted = {"FROM_FILE": "file", "BOTH": "shell", "TRIGGER_WORKER_TOKEN": "secret", "PYTHONHASHSEED": "0"}
    assert wanted.items() <= given.items()
    assert given["TRIGGER_WORKER_ID"] == child.worker_id


def test_relative_python_path_means_our_folder(
    root: Path, environ: dict[str, str], write: Write, start: Callable[[Launcher], Child]
) -> None:
    """PYTHONPATH=. of the developer's shell is where the developer stands, not the project's root."""
    write("jobs/first.py", SHOW)
    environ["PYTHONPATH"] += f"{os.pathsep}somewhere"
    given = seen_by(start(Launcher(root, Server(url="http://127.0.0.1:9", token="t"), environ)))["environ"]
    assert isinstance(given, dict)
    assert given["PYTHONPATH"].split(os.pathsep)[-1] == str(Path.cwd() / "somewhere")


def test_ids_are_fresh(launcher: Launcher, start: Callable[[Launcher], Child]) -> None:
    """Each process opens a session of its own."""
    assert start(launcher).worker_id != start(launcher).worker_id


def test_file_that_does_not_execute_is_a_problem(root: Path, launcher: Launcher, write: Write) -> None:
    """An executable file that is no program is named, and no descriptor is lost."""
    write("python", "\x7f not a program").chmod(0o755)
    write("trigger.toml", 'python = "./python"\n')
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(InterpreterMissing, match="cannot be executed"):
        launcher.start()
    assert set(Path("/proc/self/fd").iterdir()) == before
