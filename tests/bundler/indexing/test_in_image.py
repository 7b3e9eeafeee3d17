"""Indexing in a container of the image, by a real engine."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.docker.build import build_image
from bundler.docker.engine import Container, Engine
from bundler.indexing import index_in_image
from bundler.indexing.errors import IndexCrashed, IndexFailed, IndexTimedOut, IndexUnavailable
from bundler.settings import BundleSettings
from tests.bundler.indexing.conftest import Indexed
from tests.rig.debian_image import DebianBase
from tests.rig.system_project import SystemProject

Build = Callable[..., Awaitable[str]]

DECLARED = b"from trigger_sdk import job\n@job(id='a')\nasync def a(payload: int): ...\n"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Return a cache for the layers that all tests here share."""
    return Cache(tmp_path_factory.mktemp("layers"))


@pytest.fixture
def image_with(engine: Engine, base_image: DebianBase, kept: Cache, tmp_path: Path) -> Build:
    """Return what builds the image of a module and returns its id."""

    async def build(source: bytes = b"", **env: str) -> str:
        project = SystemProject(tmp_path / "image", kept, base_image)
        project.files = {"trigger.toml": b"", "jobs/a.py": source + DECLARED}
        return await build_image(engine, project.plan(BundleSettings(env=env)))

    return build


async def test_index_is_that_of_the_projects_interpreter(engine: Engine, image_with: Build, project: Indexed) -> None:
    """The same bytes, made in a container with a read-only root or made here."""
    image = await image_with(b"import os\nassert os.environ['REGION'] == 'eu'\n", REGION="eu")
    project.write("jobs/a.py", "import os\nassert os.environ['REGION'] == 'eu'\n" + DECLARED.decode())
    index = await index_in_image(engine, image)
    assert index.content == (await project.begin(env={"REGION": "eu"})).content


@pytest.mark.parametrize(
    ("source", "error", "message", "where"),
    [
        (b"import os\nos.environ['KEY']\n", IndexFailed, "the environment variable KEY is not set", "jobs/a.py:2"),
        (b"import socket\nsocket.create_connection(('10.0.0.1', 9))\n", IndexFailed, "unreachable", "jobs/a.py:2"),
        (b"open('/app/x', 'w')\n", IndexFailed, "Read-only file system", "jobs/a.py:1"),
        (b"import time\ntime.sleep(99)\n", IndexTimedOut, "it hangs at jobs/a.py:2", "jobs/a.py:2"),
        (b"import ctypes\nctypes.string_at(0)\n", IndexCrashed, "SIGSEGV while jobs.a was imported: S", "jobs/a.py:2"),
        (b"import os; os._exit(4)\n", IndexCrashed, "ended with exit code 4 while jobs.a was imported", ""),
        (b"x = b'x' * (1 << 30)\n", IndexCrashed, "while jobs.a was imported", ""),
    ],
    ids=["variable", "network", "write", "hang", "crash", "exit", "memory"],
)  # fmt: skip
async def test_fault_is_told(
    engine: Engine, image_with: Build, source: bytes, error: type[IndexFailed], message: str, where: str
) -> None:
    """As it is with the project's interpreter."""
    image = await image_with(source)
    with pytest.raises(error, match=message) as raised:
        await index_in_image(engine, image, timeout=5, memory=300 << 20)
    assert raised.value.problem.where == where


async def test_noise_does_no_harm(engine: Engine, image_with: Build) -> None:
    """Output by print and past Python, threads and processes that are left."""
    source = (
        b"import os, subprocess, sys, threading, time\nfor _ in range(20_000): print('x' * 100)\n"
        b"os.write(1, b'{\"format\": 1}\\n')\nthreading.Thread(target=time.sleep, args=(99,)).start()\n"
        b"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
    )
    image = await image_with(source)
    assert [job.id for job in (await index_in_image(engine, image)).jobs] == ["a"]


async def test_image_without_the_sdk_is_told(engine: Engine, base_image: DebianBase) -> None:
    """Nothing of ours is in it: the engine or we say so."""
    from bundler.errors import BundlerError

    with pytest.raises(BundlerError) as raised:
        await index_in_image(engine, base_image.image_id)
    assert isinstance(raised.value, IndexUnavailable) or "/opt/trigger/bin/python" in str(raised.value.problem)


async def test_image_says_that_it_has_no_server(engine: Engine, image_with: Build) -> None:
    """Run as it is, without what a launcher gives it."""
    image = await image_with()
    entrypoint = ("/opt/trigger/bin/python", "-P", "-m", "trigger_sdk.container")
    ran = await engine.run(Container(image=image, entrypoint=entrypoint, is_read_only=True), timeout=30)
    assert ran.exit_code == 3
    assert b"TRIGGER_WORKER_URL is not set" in ran.stderr
