"""A real engine takes images from a real registry: those that were made without an engine, and bases."""

import asyncio
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.docker.build import build_image
from bundler.docker.engine import Container, Engine, find_engine
from bundler.docker.errors import EngineFailed
from bundler.image.assembly import image_of
from bundler.model import Blob
from bundler.registry.auth_files import Credential
from bundler.registry.client import RegistryClient
from bundler.registry.reference import Reference
from bundler.settings import BundleSettings
from tests.fakes.build_progress import Told
from tests.fakes.registry_process import PASSWORD, USERNAME, RegistryProcess
from tests.fakes.registry_side import ClientSide
from tests.rig.debian_image import write_docker_archive
from tests.rig.dockerd_process import DockerdProcess
from tests.rig.system_project import SAYS, SystemProject

Start = Callable[..., RegistryProcess]


async def pushed(client: RegistryClient, host: str, project: SystemProject) -> str:
    """Push the image of a project as a build without an engine makes it, and return its name with its digest."""
    target = Reference.parse(f"{host}/team/app")
    layers = [*project.dependencies(), project.sdk(), project.project()]
    image = image_of(
        project.base, layers, BundleSettings(), project=layers[-1].diff_id, labels={},
        entrypoint=("/opt/trigger/bin/python", "-P", "/app/main.py"),
    )  # fmt: skip
    blobs = [base_blob(project), image.config, *(layer.blob for layer in layers)]
    await asyncio.gather(*(client.push_blob(target, blob) for blob in blobs))
    await client.push_manifest(dataclasses.replace(target, digest=image.manifest.digest), read(image.manifest), OCI)
    return f"{host}/team/app@{image.manifest.digest}"


async def pushed_base(client: RegistryClient, host: str, project: SystemProject) -> str:
    """Push the base of a project and return its name with its digest."""
    target = Reference.parse(f"{host}/team/base")
    image = image_of(project.base, [], BundleSettings(), project=f"sha256:{'0' * 64}", labels={})
    for blob in (base_blob(project), image.config):
        await client.push_blob(target, blob)
    await client.push_manifest(dataclasses.replace(target, digest=image.manifest.digest), read(image.manifest), OCI)
    return f"{host}/team/base@{image.manifest.digest}"


async def test_layers_spliced_of_wheels_are_pulled_and_run(
    engine: Engine, start_registry: Start, side: ClientSide, system_project: SystemProject
) -> None:
    """An engine pulls the image, unpacks gzip of many members, and runs it as a user who may do nothing else."""
    async with side.client() as client:
        name = await pushed(client, start_registry().host, system_project)
    assert await engine.inspect(name) is None
    await engine.pull(name)
    container = Container(image=name, is_read_only=True, memory=1 << 28, processes=50)
    ran = await engine.run(container, timeout=30)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, SAYS, b"")
    script = await engine.run(Container(image=name, entrypoint=("greet",), is_read_only=True), timeout=30)
    assert script.stdout == b"hello, script\n", script.stderr
    signal = await engine.run(
        Container(
            image=name, entrypoint=("python", "-P", "-m", "trigger_sdk.container"), command=("sh", "-c", "id -u")
        ),
        timeout=30,
    )
    assert signal.stdout == b"10001\n", signal.stderr


async def test_layers_spliced_of_wheels_are_loaded_and_run(
    engine: Engine, system_project: SystemProject, tmp_path: Path
) -> None:
    """An archive whose layers are gzip of many members is loaded as it is."""
    layers = [*system_project.dependencies(), system_project.sdk(), system_project.project()]
    image = image_of(
        system_project.base, layers, BundleSettings(), project=layers[-1].diff_id, labels={},
        entrypoint=("/opt/trigger/bin/python", "-P", "/app/main.py"),
    )  # fmt: skip
    paths = []
    for blob in (base_blob(system_project), *(layer.blob for layer in layers)):
        paths.append(tmp_path / blob.digest)
        paths[-1].write_bytes(read(blob))
    write_docker_archive(tmp_path / "archive", read(image.config), paths)
    (identity,) = await engine.load(iter([(tmp_path / "archive").read_bytes()]))
    assert identity == image.config.digest
    ran = await engine.run(Container(image=identity, is_read_only=True), timeout=30)
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, SAYS, b"")
    await engine.remove(identity)


async def test_base_is_fetched_by_the_engine_with_credentials(
    start_dockerd: Callable[..., DockerdProcess], start_registry: Start, side: ClientSide,
    system_project: SystemProject, tmp_path: Path,
) -> None:  # fmt: skip
    """An engine that lacks a pinned base fetches it, with the credentials that the build has found for its registry."""
    registry = start_registry(auth="htpasswd")
    side.log_in(registry.host, USERNAME, PASSWORD)
    async with side.client() as client:
        name = await pushed_base(client, registry.host, system_project)
    engine = find_engine(environ={"DOCKER_HOST": start_dockerd(in_memory=True).address}, home=tmp_path)
    plan = dataclasses.replace(system_project.plan(BundleSettings(run=("true",))), base=name)
    with pytest.raises(EngineFailed, match=r"no basic auth credentials|unauthorized"):
        await build_image(engine, plan)
    told = Told()
    credential = Credential(username=USERNAME, password=PASSWORD)
    image = await build_image(engine, plan, credential=credential, progress=told)
    assert "fetching the base image" in told.names
    assert told.open == []
    ran = await engine.run(Container(image=image), timeout=30)
    assert ran.stdout == SAYS, ran.stderr
    with pytest.raises(EngineFailed):
        await engine.pull(f"{name[:-1]}{'0' if name[-1] != '0' else '1'}", credential=credential)
    await engine.close()


OCI = "application/vnd.oci.image.manifest.v1+json"


def base_blob(project: SystemProject) -> Blob:
    """Return the base's only layer."""
    (layer,) = project.base.layers
    assert layer.open is not None
    return Blob(digest=layer.digest, size=layer.size, media_type=layer.media_type, open=layer.open)


def read(blob: Blob) -> bytes:
    """Return the bytes of a blob."""
    with blob.open() as stream:
        return stream.read()
