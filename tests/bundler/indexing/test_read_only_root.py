"""What a worker finds in a container: a read-only root, no home, a user without a name, bytecode made before."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest
import websockets

from bundler.cache import Cache
from bundler.indexing import Index
from bundler.interpreter import read_interpreter
from bundler.layers import Compiler, Scheme, compiler_for, project_layer, sdk_layer
from bundler.model import Platform, Target
from tests.bundler.indexing.conftest import Indexed
from tests.fakes.image_root import BASE_PYTHON, ImageRoot

HERE = (sys.version_info[0], sys.version_info[1])
ENVIRONMENT = {"TRIGGER_PROJECT_ROOT": "/app", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
INSTALLED = (msgspec, websockets)

COUNT = """
import sys
compiled = []
def hear(event, args):
    if event == "compile" and str(args[1]).startswith("/app/"):
        compiled.append(args[1])
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+") and "/app" in str(args[0]):
        compiled.append(("written", args[0]))
sys.addaudithook(hear)
from pathlib import Path
from trigger_sdk._runtime.loading import load
loaded = load(Path("/app"), lambda line: None)
import json
names = [name for name in sys.modules if name.startswith(("jobs", "shop"))]
sys.__stdout__.write(json.dumps([compiled, sorted(loaded.jobs), [p.message for p in loaded.problems], sorted(names)]))
"""


@pytest.fixture
def image(tmp_path: Path, missing_service: Callable[[str], NoReturn]) -> ImageRoot:
    """Return a root with the SDK and what it needs, and no project."""
    root = ImageRoot(tmp_path / "root", missing_service)
    scheme = Scheme.of_environment("/opt/trigger", HERE)
    root.unpack(sdk_layer(scheme=scheme, cache=Cache(tmp_path / "cache"), base_python=BASE_PYTHON))
    root.install(*(module.__name__ for module in INSTALLED))
    return root


def add_project(image: ImageRoot, project: Indexed, cache: Cache, *, has_bytecode: bool) -> None:
    """Add a project of the src layout, with or without bytecode."""
    project.write("src/shop/__init__.py")
    project.write("src/shop/prices.py", "import random\ndef price(): return random.random()\n")
    project.write(
        "pyproject.toml", '[project]\nname = "shop"\n[tool.trigger]\n[tool.other]\nplugin = "not-installed"\n'
    )
    (project.root / "trigger.toml").unlink()
    project.job("from shop.prices import price\n")
    compiler = _compiler(cache) if has_bytecode else None
    image.unpack(project_layer(project.files, cache=cache, compiler=compiler))


def _compiler(cache: Cache) -> Compiler:
    target = Target(python=HERE, platform=Platform(architecture="amd64"))
    compiler = compiler_for(target, read_interpreter(Path(sys.executable), cache))
    assert isinstance(compiler, Compiler)
    return compiler


@pytest.mark.parametrize("has_bytecode", [True, False])
def test_bytecode_made_before_is_used(
    image: ImageRoot, project: Indexed, tmp_path: Path, *, has_bytecode: bool
) -> None:
    """Nothing is compiled or instrumented anew, and nothing is written; without it each module is compiled once."""
    add_project(image, project, Cache(tmp_path / "cache"), has_bytecode=has_bytecode)
    done = image.run(["/opt/trigger/bin/python", "-P", "-c", COUNT], environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    compiled, jobs, problems, names = json.loads(done.stdout)
    assert (jobs, problems) == (["a"], [])
    assert {"jobs.a", "shop", "shop.prices"} <= set(names)
    sources = {"/app/jobs/a.py", "/app/src/shop/prices.py", "/app/src/shop/__init__.py"}
    assert {str(name) for name in compiled} == (set() if has_bytecode else sources)


def test_index_is_that_of_the_projects_interpreter(image: ImageRoot, project: Indexed, tmp_path: Path) -> None:
    """The same bytes in an image and outside: read-only, without /proc, home and name, with nothing to write to."""
    add_project(image, project, Cache(tmp_path / "cache"), has_bytecode=True)
    done = image.run(["/opt/trigger/bin/python", "-P", "-m", "trigger_sdk.indexing"], environment=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert Index.of(done.stdout.splitlines()[-1]).content == project.index().content


def test_worker_starts_there(image: ImageRoot, project: Indexed, tmp_path: Path) -> None:
    """Up to the session: that there is no server is what it says, and it ends when it is told to."""
    add_project(image, project, Cache(tmp_path / "cache"), has_bytecode=True)
    code = (
        "import os, signal, threading; threading.Timer(2, lambda: os.kill(os.getpid(), signal.SIGTERM)).start();"
        "from trigger_sdk.worker import main; raise SystemExit(main())"
    )
    command = [
        "/opt/trigger/bin/python",
        "-P",
        "-m",
        "trigger_sdk.container",
        "/opt/trigger/bin/python",
        "-P",
        "-c",
        code,
    ]
    server = {"TRIGGER_WORKER_URL": "ws://127.0.0.1:9/api/v1/worker", "TRIGGER_WORKER_ID": "wrk_1"}
    done = image.run(command, environment={**ENVIRONMENT, **server})
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
