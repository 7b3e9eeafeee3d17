"""The Docker engine by the docker SDK: a real one is asked."""

import asyncio
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bundler.docker.engine import Container, Engine, find_engine
from bundler.docker.errors import EngineFailed, EngineLost
from tests.rig.debian_image import DebianBase, write_docker_archive
from tests.rig.dockerd_process import DockerdProcess
from tests.rig.waiting import until


def python(base: DebianBase, program: str, **options: object) -> Container:
    """Return a container that runs a program of Python."""
    return Container(image=base.image_id, command=("python3.11", "-c", program), **options)  # type: ignore[arg-type]  # the test's own options


async def test_ping_of_an_engine(engine: Engine, dockerd: DockerdProcess) -> None:
    """An engine tells its version, its interface and where it is."""
    found = await engine.ping()
    assert (found.os, found.architecture, found.address) == ("linux", "amd64", dockerd.address)
    assert found.api >= (1, 41)
    assert found.version


async def test_inspect_of_images_that_are_there_and_not(engine: Engine, base_image: DebianBase) -> None:
    """An image is told of by its id; one that is not there is None."""
    facts = await engine.inspect(base_image.image_id)
    assert facts is not None
    assert facts["RootFS"]["Layers"] == [base_image.diff_id]
    assert await engine.inspect("nobody/has:this") is None
    assert await engine.inspect(f"sha256:{'0' * 64}") is None


async def test_run_keeps_the_outputs_apart(engine: Engine, dockerd: DockerdProcess, base_image: DebianBase) -> None:
    """Both outputs and the exit code of a container come back, byte for byte, and the container is removed."""
    program = "import os, sys; os.write(1, bytes(range(256)) * 999); os.write(2, b'oh\\n'); sys.exit(3)"
    ran = await engine.run(python(base_image, program), timeout=30)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (3, bytes(range(256)) * 999, b"oh\n")
    assert (ran.is_cut, ran.is_timed_out, ran.is_out_of_memory) == (False, False, False)
    assert dockerd.containers() == []


async def test_run_may_do_nothing_but_what_is_allowed(engine: Engine, base_image: DebianBase) -> None:
    """A container has the user, the variables and the folders that it is given; no capability, no network."""
    program = """
import json, os, socket
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
try:
    open("/root-is-writable", "w")
except OSError as error:
    root = error.strerror
open("/mine/file", "w").write("x")
print(json.dumps({"ids": [os.getuid(), os.getgid()], "root": root, "capabilities": status["CapBnd"],
                  "gains": status["NoNewPrivs"], "greeting": os.environ["GREETING"], "folder": os.getcwd(),
                  "networks": [name for _, name in socket.if_nameindex()]}))
"""
    container = python(
        base_image, program, user="10001:10001", env={"GREETING": "a\nb=$c"}, is_read_only=True,
        tmpfs={"/mine": "size=1m,mode=1777"}, working_dir="/srv", memory=1 << 28, processes=20,
    )  # fmt: skip
    ran = await engine.run(container, timeout=30)
    assert json.loads(ran.stdout) == {
        "ids": [10001, 10001], "root": "Read-only file system", "capabilities": "0000000000000000", "gains": "1",
        "greeting": "a\nb=$c", "folder": "/srv", "networks": ["lo"],
    }, ran.stderr  # fmt: skip


async def test_run_with_too_much_output(engine: Engine, base_image: DebianBase) -> None:
    """Only so much of an output is kept; the container comes to its end all the same."""
    ran = await engine.run(python(base_image, "print('x' * 5_000_000)"), timeout=30, most_output=1000)
    assert (ran.exit_code, ran.stdout, ran.is_cut) == (0, b"x" * 1000, True)


async def test_run_out_of_time(engine: Engine, dockerd: DockerdProcess, base_image: DebianBase) -> None:
    """A container whose time is up is ended and removed; what it wrote until then is kept."""
    program = "import time; print('so far', flush=True); time.sleep(300)"
    ran = await engine.run(python(base_image, program), timeout=1.5)
    assert (ran.is_timed_out, ran.stdout, ran.exit_code) == (True, b"so far\n", 137)
    assert dockerd.containers() == []


async def test_run_out_of_memory(engine: Engine, base_image: DebianBase) -> None:
    """A container that takes more memory than it may is ended, and that is told."""
    program = "x = b'x' * 500_000_000"
    ran = await engine.run(python(base_image, program, memory=1 << 26), timeout=30)
    assert ran.is_out_of_memory
    assert ran.exit_code == 137


async def test_run_of_what_is_not_there(engine: Engine, dockerd: DockerdProcess, base_image: DebianBase) -> None:
    """A program or an image that does not exist is a problem in the engine's words, and leaves no container."""
    with pytest.raises(EngineFailed, match="no-such-program"):
        await engine.run(Container(image=base_image.image_id, command=("no-such-program",)), timeout=30)
    with pytest.raises(EngineFailed, match="No such image"):
        await engine.run(Container(image=f"sha256:{'0' * 64}"), timeout=30)
    assert dockerd.containers() == []


async def test_run_cancelled_while_it_runs(engine: Engine, dockerd: DockerdProcess, base_image: DebianBase) -> None:
    """A cancelled run leaves no container behind, wherever it was."""
    running = asyncio.create_task(engine.run(python(base_image, "import time; time.sleep(300)"), timeout=300))
    await until(lambda: bool(dockerd.containers()))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert dockerd.containers() == []
    early = asyncio.create_task(engine.run(python(base_image, "import time; time.sleep(300)"), timeout=300))
    await asyncio.sleep(0)
    early.cancel()
    with pytest.raises(asyncio.CancelledError):
        await early
    assert dockerd.containers() == []


async def test_save_and_load_of_an_image(engine: Engine, small_image: Path) -> None:
    """What is saved can be loaded again, as the same image and with its names."""
    loaded = await engine.load(file_pieces(small_image))
    assert loaded == ("trigger-test/small:1",)
    facts = await engine.inspect("trigger-test/small:1")
    assert facts is not None
    saved = io.BytesIO()
    await engine.save("trigger-test/small:1", saved)
    await engine.tag("trigger-test/small:1", "localhost:5000/trigger-test/small")
    assert (await engine.inspect("localhost:5000/trigger-test/small:latest") or {})["Id"] == facts["Id"]
    for name in ("trigger-test/small:1", "localhost:5000/trigger-test/small:latest"):
        await engine.remove(name)
    assert await engine.inspect(facts["Id"]) is None
    assert await engine.load(iter([saved.getvalue()])) == ("trigger-test/small:1",)
    assert (await engine.inspect(facts["Id"]) or {})["Id"] == facts["Id"]
    await engine.remove(facts["Id"])
    await engine.remove(facts["Id"])


async def test_load_of_nonsense(engine: Engine) -> None:
    """What is no archive of an image is a problem, not an image."""
    with pytest.raises(EngineFailed):
        await engine.load(iter([b"no archive at all" * 100]))
    with pytest.raises(EngineFailed):
        await engine.save("nobody/has:this", io.BytesIO())


async def test_load_cancelled_in_the_middle(engine: Engine, dockerd: DockerdProcess, base_image: DebianBase) -> None:
    """A load that is cancelled ends, however long the archive would have gone on."""
    before = set(dockerd.images())
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless() -> Iterator[bytes]:
        with base_image.archive.open("rb") as stream:
            yield stream.read(1 << 20)
        loop.call_soon_threadsafe(begun.set)
        while True:
            yield bytes(1 << 16)

    loading = asyncio.create_task(engine.load(endless()))
    await asyncio.wait_for(begun.wait(), 30)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(loading, 30)
    assert set(dockerd.images()) <= before


async def test_an_engine_that_dies_in_the_middle(
    start_dockerd: Callable[..., DockerdProcess], small_image: Path, tmp_path: Path
) -> None:
    """An engine that goes away while it works is a problem of its own; started again, it is asked again."""
    process = start_dockerd(in_memory=True)
    engine = find_engine(environ={"DOCKER_HOST": process.address}, home=tmp_path)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow() -> Iterator[bytes]:
        yield small_image.read_bytes()[:700]
        loop.call_soon_threadsafe(begun.set)
        while True:
            yield bytes(1 << 10)

    loading = asyncio.create_task(engine.load(slow()))
    await asyncio.wait_for(begun.wait(), 30)
    await asyncio.to_thread(process.kill)
    with pytest.raises(EngineLost):
        await asyncio.wait_for(loading, 30)
    await asyncio.to_thread(process.start)
    assert await engine.load(file_pieces(small_image)) == ("trigger-test/small:1",)
    await engine.close()


@pytest.fixture
def small_image(tmp_path: Path) -> Path:
    """Return an archive with an image of one empty file, which has a name."""
    layer = tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as out:
        out.addfile(tarfile.TarInfo("empty"))
    with layer.open("rb") as stream:
        diff_id = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    archive = tmp_path / "small.tar"
    write_docker_archive(archive, json.dumps(config).encode(), [layer], names=["trigger-test/small:1"])
    return archive


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces."""
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            yield piece
