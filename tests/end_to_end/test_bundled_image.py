"""From `trigger build` to a completed run: registries, skopeo, an engine, a hardened container, a server, all real."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.model import Settings as EngineSettings
from executor.settings import Settings
from tests.fakes.house import TOKEN, House, keep_house
from tests.fakes.processes import until
from tests.fakes.registry_process import PASSWORD, USERNAME, Auth, RegistryProcess
from tests.rig.build_command import BuildCommand
from tests.rig.bundled_project import BundledProject
from tests.rig.debian_image import DebianBase
from tests.rig.dockerd_process import DockerdProcess
from tests.rig.hardened_container import HardenedContainer
from trigger_sdk.protocol.states import FINAL_STATES

JOBS = """
import os
import subprocess
import time
from pathlib import Path

import greeter
from shop.prices import price
from trigger_sdk import job, task


@task
def look() -> dict:
    return {
        "user": [os.getuid(), os.getgid()],
        "folder": os.getcwd(),
        "says": f"{greeter.say('you')} for {price(2)}",
        "read-only": not os.access("/app", os.W_OK) and not os.access("/opt/trigger", os.W_OK),
        "greeted": Path("/etc/greeted").read_text() if Path("/etc/greeted").exists() else "",
        "programs": [name for name in ("greeting", "ffmpeg") if Path("/usr/bin", name).exists()],
    }


@job(id="here")
def here() -> dict:
    return look()


@task
def take_a_while() -> str:
    time.sleep(1.5)
    return "taken"


@job(id="slow")
def slow() -> str:
    return take_a_while()
"""

COUNT = """
import sys
seen = []
def hear(event, args):
    if event == "compile" and str(args[1]).startswith(("/app/", "/opt/")):
        seen.append(str(args[1]))
sys.addaudithook(hear)
from pathlib import Path
from trigger_sdk._runtime.loading import load
assert not load(Path("/app"), lambda line: None).problems
seen += [name for name in sys.modules if name.startswith("jobs.")]
sys.__stdout__.write("\\n".join(sorted(seen)))
"""
"""Loads the project as a worker does, and says which files were compiled for it, and which modules of jobs it has."""

EXPECTED = {
    "user": [10001, 10001], "folder": "/app", "says": "hello, you for 42", "read-only": True, "greeted": "",
    "programs": [],
}  # fmt: skip

Registries = Callable[[Auth], RegistryProcess]
Skopeo = Callable[..., bytes]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> BundledProject:
    """Return the project, to be copied."""
    project = BundledProject(tmp_path_factory.mktemp("template") / "shop", "")
    project.write("jobs/here.py", JOBS)
    return project


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a cache that these tests share: that it changes nothing is tested elsewhere."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def build(tmp_path: Path, template: BundledProject, base_image: DebianBase, shared_cache: Path) -> BuildCommand:
    """Return `trigger build` in the project, upon a base that can be run."""
    command = BuildCommand(tmp_path.resolve(), template, f"tar:{base_image.archive}")
    command.cache = shared_cache
    return command


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Return a server that has no worker of its own."""
    folder = tmp_path / "server"
    folder.mkdir()
    async with keep_house(folder, Settings(token=TOKEN), EngineSettings()) as house:
        yield house


def started(dockerd: DockerdProcess, image: str, house: House) -> HardenedContainer:
    """Return the image as a worker of the server."""
    env = {"TRIGGER_WORKER_URL": house.url.replace("http", "ws") + "/api/v1/worker", "TRIGGER_WORKER_TOKEN": TOKEN}
    return HardenedContainer(dockerd, image, {**env, "TRIGGER_API_URL": house.url})


async def start_run(house: House, job: str, container: HardenedContainer) -> str:
    """Start a run when the worker has said what jobs it has; returns its id."""
    try:
        async with asyncio.timeout(20):
            while job not in [each["id"] for each in (await house.client.get("/api/v1/jobs")).json()["jobs"]]:
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        error.add_note(container.log)
        raise
    return await house.start(job)


async def ended(house: House, run_id: str, container: HardenedContainer) -> dict[str, Any]:
    """Return a run when it is over; when it never is, what the container said is what is wrong."""
    answer = await house.client.get(f"/api/v1/runs/{run_id}", params={"wait": "15"})
    run: dict[str, Any] = answer.json()
    assert run["state"] in FINAL_STATES, (run, container.log)
    return run


async def require_a_run(dockerd: DockerdProcess, image: str, house: House, expected: dict[str, Any] = EXPECTED) -> None:
    """Assert that a worker of the image completes a run, as nobody in particular, and ends at once when it is told."""
    with started(dockerd, image, house) as container:
        run = await ended(house, await start_run(house, "here", container), container)
        assert (run["state"], run["output"]) == ("completed", expected), (run, container.log)
        assert await asyncio.to_thread(lambda: container.user) == "10001:10001"
        code, seconds = await asyncio.to_thread(container.stop)
        assert code == 0, container.log
        assert " jobs\n" in container.log
        assert seconds < 10, "an engine kills after ten seconds who does not hear"


def compiled_in(dockerd: DockerdProcess, image: str, house: House) -> list[str]:
    """Return what :data:`COUNT` says in a container of the image."""
    with started(dockerd, image, house) as container:
        return container.executed("/opt/trigger/bin/python", "-P", "-c", COUNT).split()


@pytest.mark.parametrize("auth", ["none", "htpasswd", "token"])
async def test_pushed_image_is_pulled_by_digest_and_runs(
    build: BuildCommand, shared_registry: Registries, skopeo: Skopeo, dockerd: DockerdProcess, house: House, auth: Auth
) -> None:
    """With the credentials that Docker keeps; skopeo reads and copies it, an engine runs it."""
    registry = shared_registry(auth)
    repository = f"{registry.host}/end/to-{auth}"
    file = build.log_in(registry.host)
    ended = await asyncio.to_thread(build, "--repository", repository, "--tag", "v1")
    assert ended.code == 0, ended.err
    reference = ended.out.strip()
    digest = reference.rpartition("@")[2]
    login = ("--authfile", str(file), "--tls-verify=false")
    described = json.loads(await asyncio.to_thread(skopeo, "inspect", *login, f"docker://{repository}:v1"))
    assert described["Digest"] == digest
    others = [tag for tag in described["RepoTags"] if tag != "v1"]
    assert all(tag.startswith("sha256-") for tag in others), "what refers to an image, where registries do not list it"
    assert json.loads(described["Labels"]["dev.trigger.manifest"])["jobs"]
    if auth == "token":
        copied = ("--src-authfile", str(file), "--src-tls-verify=false", "--preserve-digests")
        await asyncio.to_thread(skopeo, "copy", *copied, f"docker://{reference}", f"dir:{build.home}/copied")
        assert json.loads((build.home / "copied/manifest.json").read_text())["config"]["digest"].startswith("sha256:")
    with dockerd.asked() as client:
        credential = {"username": USERNAME, "password": PASSWORD} if auth != "none" else None
        await asyncio.to_thread(client.pull, repository, tag=digest, auth_config=credential)
    await require_a_run(dockerd, reference, house)


async def test_all_outputs_are_one_image(
    build: BuildCommand, skopeo: Skopeo, dockerd: DockerdProcess, house: House, tmp_path: Path
) -> None:
    """A folder, a file and an engine get the same config, by which engines know an image, and manifest; all run."""
    folder, file = tmp_path / "out", tmp_path / "out.tar"
    ends = [await asyncio.to_thread(build, "-o", output) for output in (f"oci:{folder}", f"tar:{file}")]
    assert len({ended.out.strip().rpartition("@")[2] for ended in ends}) == 1, ends
    before = set(dockerd.images())
    loaded = await asyncio.to_thread(build, "-o", "docker", DOCKER_HOST=dockerd.address)
    identity = loaded.out.strip()
    assert set(dockerd.images()) == before | {identity}, "the image that was loaded to be indexed is gone"
    manifest = json.loads((folder / "blobs/sha256" / ends[0].out.strip().rpartition(":")[2]).read_text())
    assert identity == manifest["config"]["digest"], loaded.err
    await require_a_run(dockerd, identity, house)
    from_folder = tmp_path / "from-folder.tar"
    await asyncio.to_thread(skopeo, "copy", f"oci:{folder}", f"docker-archive:{from_folder}:copied:1")
    for archive in (file, from_folder):
        with dockerd.asked() as client:
            client.remove_image(identity, force=True)
        await asyncio.to_thread(dockerd.load, archive)
        assert identity in dockerd.images()
        await require_a_run(dockerd, identity, house)


async def test_worker_that_is_told_to_end_finishes_its_task(
    build: BuildCommand, dockerd: DockerdProcess, house: House
) -> None:
    """`docker stop` while a task runs: it is finished, its result is kept, and the container ends with code 0."""
    loaded = await asyncio.to_thread(build, "-o", "docker", DOCKER_HOST=dockerd.address)
    with started(dockerd, loaded.out.strip(), house) as container:
        run_id = await start_run(house, "slow", container)
        while not [step for step in await house.engine.steps(run_id) if step.name == "take_a_while"]:
            await asyncio.sleep(0.02)
        code, seconds = await asyncio.to_thread(container.stop)
        assert (code, seconds < 10) == (0, True), container.log
    with started(dockerd, loaded.out.strip(), house) as container:
        run = await ended(house, run_id, container)
        assert (run["state"], run["output"]) == ("completed", "taken")
    steps = await house.engine.steps(run_id)
    assert [(step.name, step.attempts) for step in steps] == [("take_a_while", 1)]


async def test_bytecode_that_was_made_ahead_is_used(build: BuildCommand, dockerd: DockerdProcess, house: House) -> None:
    """The project's, as the runtime instruments it, and the libraries'; nothing is compiled in the container."""
    build.project.configure("bytecode = true")
    loaded = await asyncio.to_thread(build, "-o", "docker", DOCKER_HOST=dockerd.address)
    assert "note:" not in loaded.err
    await require_a_run(dockerd, loaded.out.strip(), house)
    assert compiled_in(dockerd, loaded.out.strip(), house) == ["jobs.hello", "jobs.here"]
    build.project.configure("bytecode = false")
    plain = await asyncio.to_thread(build, "-o", "docker", DOCKER_HOST=dockerd.address)
    found = compiled_in(dockerd, plain.out.strip(), house)
    assert {"/app/jobs/here.py", "/app/shop/prices.py"} < set(found)


async def test_system_packages_and_commands_are_in_the_image(
    build: BuildCommand, shared_registry: Registries, dockerd: DockerdProcess, house: House
) -> None:
    """By way of an engine, with a preset; pushed, pulled and run as any other."""
    build.project.configure('apt = ["greeting"]\npresets = ["ffmpeg"]\nrun = ["greeting > /etc/greeted"]')
    host = shared_registry("none").host
    ended = await asyncio.to_thread(build, "--repository", f"{host}/end/system", DOCKER_HOST=dockerd.address)
    assert ended.code == 0, ended.err
    reference = ended.out.strip()
    with dockerd.asked() as client:
        await asyncio.to_thread(client.pull, f"{host}/end/system", tag=reference.rpartition("@")[2])
    more = {"greeted": "good day\n", "programs": ["greeting", "ffmpeg"]}
    await require_a_run(dockerd, reference, house, {**EXPECTED, **more})


def test_jobs_of_a_loaded_image_are_indexed_in_it(build: BuildCommand, dockerd: DockerdProcess) -> None:
    """What the environment of the project has does not count there, and what fails leaves no image behind."""
    build.project.write("jobs/where.py", "import sys\nassert sys.prefix == '/opt/trigger', sys.prefix\n")
    assert build("-o", "docker", DOCKER_HOST=dockerd.address).code == 0
    build.project.write("jobs/where.py", "import sys\nassert sys.prefix != '/opt/trigger', sys.prefix\n")
    loaded = set(dockerd.images())
    failed = build("-o", "docker", DOCKER_HOST=dockerd.address)
    assert (failed.code, "index-failed" in failed.err) == (1, True), failed.err
    assert set(dockerd.images()) == loaded


def test_interrupt_while_an_engine_builds(build: BuildCommand, dockerd: DockerdProcess) -> None:
    """Ctrl-C while a command runs: exit code 130, nothing on standard output, and no container is left."""
    build.project.configure('run = ["sleep 300"]')
    process = build.start("-o", "oci:../out", env=build.environ(DOCKER_HOST=dockerd.address), process_group=0)
    until(dockerd.containers, "the command runs")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    until(lambda: not dockerd.containers(), "the container is gone")
    assert not (build.folder.parent / "out").exists()
