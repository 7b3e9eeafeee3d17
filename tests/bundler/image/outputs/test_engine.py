"""Images into a Docker engine."""

import asyncio
import io
import json
import subprocess
import tarfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bundler.docker.engine import Container, Engine, EngineVersion
from bundler.docker.errors import EngineFailed
from bundler.image.errors import OutputInvalid
from bundler.image.model import Bundle
from tests.fakes.images import OFFICIAL, MadeImage
from tests.fakes.registry import FakeRegistry
from tests.rig.debian_image import DebianBase
from tests.rig.dockerd_process import DockerdProcess

BundleOf = Callable[..., Awaitable[Bundle]]
Write = Callable[..., Awaitable[str]]
NAME = "host.example/image-output/app"


@dataclass
class FakeEngine:
    """An engine that keeps nothing but what it was told; ``wants_all`` is one that takes no half of an image."""

    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    loads: list[bytes] = field(default_factory=list)
    bundle: Bundle | None = None
    wants_all: bool = False
    architecture: str = "amd64"
    tags: list[tuple[str, str]] = field(default_factory=list)

    async def ping(self) -> EngineVersion:
        """Return what it is."""
        return EngineVersion(version="1", api=(1, 41), os="linux", architecture=self.architecture, address="")

    async def inspect(self, image: str) -> dict[str, Any] | None:
        """Return what it was told of an image."""
        return self.images.get(image)

    async def load(self, archive: Iterable[bytes]) -> tuple[str, ...]:
        """Take an archive; what is in it is known from then on."""
        content = b"".join(archive)
        self.loads.append(content)
        assert self.bundle is not None
        image = self.bundle.images[0]
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            names = tar.getnames()
        if self.wants_all and f"blobs/sha256/{image.base.layers[0].digest[7:]}" not in names:
            raise EngineFailed("content is missing")
        layers = [layer.diff_id for layer in image.base.layers] + [layer.diff_id for layer in image.layers]
        self.images[image.config.digest] = {"Id": image.config.digest, "RootFS": {"Layers": layers}}
        return ()

    async def tag(self, image: str, name: str) -> None:
        """Note a name."""
        self.tags.append((image, name))
        self.images[name] = self.images[image]


@pytest.mark.parametrize("wants_all", [False, True])
async def test_layers_that_an_engine_has_are_not_given(
    fake_registry: FakeRegistry, bundle_from: BundleOf, write: Write, wants_all: bool
) -> None:
    """Nor fetched from the registry that they are in; an engine that wants all of them gets them."""
    MadeImage(env=OFFICIAL).put_into(fake_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{fake_registry.host}/base/python:3.11")
    base = bundle.images[0].base
    engine = FakeEngine(bundle=bundle, wants_all=wants_all)
    engine.images[base.reference] = {"Id": "sha256:base", "RootFS": {"Layers": [base.layers[0].diff_id]}}
    assert await write("docker", bundle, "v1", repository=NAME, engine=engine) == bundle.images[0].config.digest
    assert engine.tags == [(bundle.images[0].config.digest, f"{NAME}:v1")]
    assert len(engine.loads) == 1 + wants_all
    assert len(fake_registry.asked(f"GET .*{base.layers[0].digest}")) == int(wants_all)


async def test_image_that_is_there_is_only_named(local_bundle: BundleOf, write: Write) -> None:
    """The engine knows it by its config."""
    bundle = await local_bundle()
    engine = FakeEngine(bundle=bundle)
    for _ in range(2):
        await write("docker", bundle, "v1", "v2", repository=NAME, engine=engine)
    assert len(engine.loads) == 1
    assert len(engine.tags) == 4
    await write("docker", bundle, engine=engine)
    assert len(engine.tags) == 4


async def test_image_of_the_engines_platform_is_chosen(local_bundle: BundleOf, write: Write) -> None:
    """Of several; one alone is given whatever it is for."""
    both, single = await local_bundle("amd64", "arm64"), await local_bundle("amd64")
    arm = FakeEngine(architecture="arm64", bundle=Bundle(images=both.images[1:]))
    assert await write("docker", both, engine=arm) == both.images[1].config.digest
    assert await write("docker", single, engine=FakeEngine(architecture="arm64", bundle=single))
    with pytest.raises(OutputInvalid, match="linux/riscv64"):
        await write("docker", both, engine=FakeEngine(architecture="riscv64"))


async def test_real_engine_runs_it(
    engine: Engine, dockerd: DockerdProcess, base_image: DebianBase, bundle_from: BundleOf, write: Write, tmp_path: Path
) -> None:
    """Upon a base that the engine has: its layer is not given to it again. The second image shares the first's."""
    (tmp_path / "debian.tar").symlink_to(base_image.archive)
    first = await bundle_from("tar:debian.tar", source="print('one')")
    identity = await write("docker", first, "v1", repository=NAME, engine=engine)
    assert identity == first.images[0].config.digest
    second = await bundle_from(f"docker:{base_image.image_id}", engine=engine, source="print('two')")
    assert second.images[0].base.layers[0].diff_id == base_image.diff_id
    other = await write("docker", second, "v1", "v2", repository=NAME, engine=engine)
    for image, says in ((identity, b"one\n"), (other, b"two\n"), (f"{NAME}:v2", b"two\n")):
        container = Container(image=image, entrypoint=("/usr/bin/python3.11", "/app/main.py"), is_read_only=True)
        ran = await engine.run(container, timeout=60)
        assert (ran.stdout, ran.exit_code) == (says, 0), ran.stderr
    facts = await engine.inspect(f"{NAME}:v1")
    assert facts is not None
    assert (facts["Id"], facts["Config"]["User"]) == (other, "10001:10001")
    for image in (f"{NAME}:v1", f"{NAME}:v2", identity, other):
        await engine.remove(image)


async def test_real_engine_loads_the_tarball(
    engine: Engine, dockerd: DockerdProcess, base_image: DebianBase, bundle_from: BundleOf, write: Write, tmp_path: Path
) -> None:
    """The file of the tarball output, by the command line of Docker."""
    (tmp_path / "root.tar").symlink_to(base_image.layer)
    bundle = await bundle_from("tar:root.tar", source="print('file')")
    await write("tar:out.tar", bundle, "v1", repository=NAME)
    await asyncio.to_thread(
        subprocess.run,
        ["docker", "-H", dockerd.address, "load", "-i", str(tmp_path / "out.tar")], check=True, capture_output=True,
        timeout=120,
    )  # fmt: skip
    facts = await engine.inspect(f"{NAME}:v1")
    assert facts is not None
    assert facts["Id"] == bundle.images[0].config.digest
    with bundle.images[0].config.open() as stream:
        assert facts["RootFS"]["Layers"] == json.load(stream)["rootfs"]["diff_ids"]
    await engine.remove(f"{NAME}:v1")
