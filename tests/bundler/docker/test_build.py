"""Images built by a real engine, and run."""

import asyncio
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.docker.build import build_image, finish
from bundler.docker.engine import Container, Engine, find_engine
from bundler.docker.errors import EngineFailed, EngineLost, ImageBuildFailed
from bundler.settings import BundleSettings
from tests.fakes.build_progress import Told
from tests.rig.debian_image import DebianBase
from tests.rig.dockerd_process import DockerdProcess
from tests.rig.system_project import SAYS, SystemProject
from tests.rig.waiting import until


async def test_image_with_packages_and_commands_runs_hardened(engine: Engine, system_project: SystemProject) -> None:
    """Packages, commands, dependencies and project are there, for a user who may do nothing but run."""
    settings = BundleSettings(
        apt=("greeting=1.5-1",),
        presets=("libpq",),
        run=("greeting > /etc/greeted && echo $WHO >> /etc/greeted", "/opt/trigger/bin/greet >> /etc/greeted"),
        env={"WHO": "me"},
    )
    told = Told()
    plan = system_project.plan(settings, labels={"org.opencontainers.image.version": "1.0"})
    image = await build_image(engine, plan, progress=told, hear=told.lines.append)
    ran = await engine.run(Container(image=image, is_read_only=True), timeout=30)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, SAYS, b"")
    program = (
        "import os, pathlib; print(pathlib.Path('/etc/greeted').read_text(), os.listdir('/var/lib/apt/lists'),"
        " os.path.exists('/usr/bin/libpq5'), os.environ['PATH'].split(':')[0], os.getcwd(), os.environ['WHO'])"
    )
    looked = await engine.run(
        Container(image=image, entrypoint=("python", "-P", "-c", program), is_read_only=True), timeout=30
    )
    assert looked.stdout == b"good day\nme\nhello, script\n [] True /opt/trigger/bin /app me\n", looked.stderr
    assert told.open == []
    assert "install 2 system packages" in told.names
    assert "run 'greeting > /etc/greeted && echo $WHO >> /etc/greeted'" in told.names
    assert told.amount == told.total == sum(layer.blob.size for layer in plan.layers)
    assert "Setting up greeting (1.5-1) ..." in told.lines
    facts = await engine.inspect(image)
    assert facts is not None
    assert facts["Config"]["User"] == "10001:10001"
    assert facts["Config"]["Labels"] == {"org.opencontainers.image.version": "1.0"}
    assert facts["Config"]["Cmd"] is None


async def test_layers_of_an_engine_are_ours(engine: Engine, system_project: SystemProject) -> None:
    """What ADD makes of our layers, gzip of many members, has every file with its content, owner and mode."""
    image = await build_image(engine, system_project.plan())
    program = """
import json, os, hashlib
found = {}
for root in ("/opt", "/app"):
    for folder, _, files in os.walk(root):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            status = os.lstat(path)
            content = os.readlink(path) if os.path.islink(path) else (
                "" if os.path.isdir(path) else hashlib.sha256(open(path, "rb").read()).hexdigest())
            found[path] = [content, oct(status.st_mode), status.st_uid, status.st_gid, status.st_mtime]
print(json.dumps(found))
"""
    ran = await engine.run(Container(image=image, entrypoint=("python", "-P", "-c", program)), timeout=30)
    assert json.loads(ran.stdout) == system_project.expected()


async def test_built_twice_comes_from_the_cache(engine: Engine, system_project: SystemProject) -> None:
    """The same plan gives the same image; a changed project has no command run again."""
    settings = BundleSettings(apt=("greeting",), run=("date +%N > /etc/when",))
    first, second, third = Told(), Told(), Told()
    image = await build_image(engine, system_project.plan(settings), hear=first.lines.append)
    assert await build_image(engine, system_project.plan(settings), hear=second.lines.append) == image
    system_project.files["main.py"] += b"# changed\n"
    changed = await build_image(engine, system_project.plan(settings), hear=third.lines.append)
    assert changed != image
    assert first.lines
    assert second.lines == third.lines == []
    before, after = await engine.inspect(image), await engine.inspect(changed)
    assert before is not None
    assert after is not None
    layers = [facts["RootFS"]["Layers"] for facts in (before, after)]
    assert layers[0][:-1] == layers[1][:-1]
    assert layers[0][-1] != layers[1][-1]


async def test_a_command_that_fails(engine: Engine, dockerd: DockerdProcess, system_project: SystemProject) -> None:
    """The problem names the command as its author wrote it, with its exit code and its last words."""
    command = "for i in $(seq 100); do echo line $i; done; printf '\\033[31mred\\033[0m\\rlast words' >&2; exit 7"
    told = Told()
    settings = BundleSettings(run=("true", command))
    with pytest.raises(ImageBuildFailed) as caught:
        await build_image(engine, system_project.plan(settings), progress=told, hear=told.lines.append)
    problem = caught.value.problem
    assert problem.message == f"the command '{command}' of the image's build ended with exit code 7"
    assert problem.where == "run[1]"
    lines = problem.detail.splitlines()
    assert {"line 100", "last words"} < set(lines)
    assert len(lines) == 40
    assert {"line 1", "last words"} < set(told.lines)
    assert told.open == []
    assert dockerd.containers() == []


async def test_a_package_that_does_not_exist(engine: Engine, system_project: SystemProject) -> None:
    """The problem says what apt said, and where to look."""
    with pytest.raises(ImageBuildFailed) as caught:
        await build_image(engine, system_project.plan(BundleSettings(apt=("no-such-package",))))
    problem = caught.value.problem
    assert "apt-get install no-such-package" in problem.message
    assert "Unable to locate package no-such-package" in problem.detail
    assert "Debian" in problem.hint


async def test_a_build_that_is_cancelled(
    engine: Engine, dockerd: DockerdProcess, system_project: SystemProject
) -> None:
    """The container of the step is gone; steps that had ended stay in the engine's cache for the next build."""
    told = Told()
    settings = BundleSettings(run=("echo begun; sleep 300",))
    plan = system_project.plan(settings)
    building = asyncio.create_task(build_image(engine, plan, progress=told, hear=told.lines.append))
    await until(lambda: "begun" in told.lines)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(building, 20)
    await until(lambda: dockerd.containers() == [])
    assert told.open == []
    image = await build_image(engine, system_project.plan())
    assert (await engine.run(Container(image=image), timeout=30)).stdout == SAYS


async def test_a_base_that_the_engine_lacks(engine: Engine, system_project: SystemProject) -> None:
    """A base that is in no registry must have been loaded; nothing else is taken in its place."""
    plan = dataclasses.replace(system_project.plan(), base=f"sha256:{'1' * 64}")
    with pytest.raises(EngineFailed, match="does not have the base image"):
        await build_image(engine, plan)


async def test_preset_of_playwright(engine: Engine, system_project: SystemProject) -> None:
    """The browser is installed by the locked playwright, as root, where every user finds it."""
    program = (
        b"import os, subprocess, sys\nfolder = os.environ['PLAYWRIGHT_BROWSERS_PATH']\nos.makedirs(folder)\n"
        b"subprocess.run(['apt-get', 'update'], check=True)\n"
        b"open(f'{folder}/installed', 'w').write(f'{sys.argv[1:]} {os.getuid()}')\n"
    )
    system_project.add_wheel("playwright", {"playwright/__init__.py": b"", "playwright/__main__.py": program})
    image = await build_image(engine, system_project.plan(BundleSettings(presets=("playwright",))))
    look = "import os; print(open('/opt/playwright/installed').read(), os.listdir('/var/lib/apt/lists'))"
    ran = await engine.run(Container(image=image, entrypoint=("python", "-P", "-c", look)), timeout=30)
    assert ran.stdout == b"['install', '--with-deps', 'chromium'] 0 []\n", ran.stderr


async def test_finish_adds_files_and_labels(engine: Engine, system_project: SystemProject) -> None:
    """Files and labels are added to an image that otherwise stays what it was; done again, it is the same image."""
    image = await build_image(engine, system_project.plan())
    content = json.dumps([{"id": f"job-{n}", "name": 'a "b" $c \\n é #'} for n in range(4000)], ensure_ascii=False)
    files = {".trigger/manifest.json": content.encode()}
    labels = {"dev.trigger.manifest": content, "dev.trigger.sdk": "0.1", "several.lines": "one\n#two\n"}
    finished = await finish(engine, image, files, labels)
    assert await finish(engine, image, files, labels) == finished
    before, after = await engine.inspect(image), await engine.inspect(finished)
    assert before is not None
    assert after is not None
    assert after["Config"]["Labels"] == labels
    for name in ("Env", "Entrypoint", "User", "WorkingDir", "Cmd"):
        assert after["Config"][name] == before["Config"][name]
    assert after["RootFS"]["Layers"][:-1] == before["RootFS"]["Layers"]
    look = "import os; s = os.stat('/app/.trigger/manifest.json'); print(s.st_size, s.st_uid, os.stat('/app').st_uid)"
    ran = await engine.run(Container(image=finished, entrypoint=("python", "-P", "-c", look)), timeout=30)
    assert ran.stdout.split() == [str(len(content.encode())).encode(), b"0", b"10001"], ran.stderr


async def test_an_engine_that_dies_while_it_builds(
    start_dockerd: Callable[..., DockerdProcess], system_project: SystemProject, base_image: DebianBase, tmp_path: Path
) -> None:
    """There is a problem of its own, and no image; when the engine is there again, the next build is right."""
    process = start_dockerd(in_memory=True)
    process.load(base_image.archive)
    engine = find_engine(environ={"DOCKER_HOST": process.address}, home=tmp_path)
    told = Told()
    plan = system_project.plan(BundleSettings(run=("echo begun; sleep ${LONG-0}",), env={"LONG": "300"}))
    building = asyncio.create_task(build_image(engine, plan, progress=told, hear=told.lines.append))
    await until(lambda: "begun" in told.lines)
    await asyncio.to_thread(process.kill)
    with pytest.raises(EngineLost):
        await asyncio.wait_for(building, 20)
    assert told.open == []
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.load, base_image.archive)
    image = await build_image(engine, system_project.plan())
    assert (await engine.run(Container(image=image), timeout=30)).stdout == SAYS
    await engine.close()
