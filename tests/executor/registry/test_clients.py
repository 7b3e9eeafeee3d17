"""Our own client and outputs, skopeo and a real Docker engine, against the executor's registry."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bundler.cache import Cache
from bundler.image.assembly import bundle_of, image_of
from bundler.image.bases import base_source
from bundler.image.model import Bundle
from bundler.image.outputs.registry import RegistryOutput
from bundler.image.outputs.sbom_artifact import sbom_artifact
from bundler.image.sbom import distribution, sbom
from bundler.layers import project_layer
from bundler.model import Blob, Platform, ProjectFile, Silent
from bundler.registry.client import RegistryClient
from bundler.registry.errors import RegistryNotFound, RegistryUnauthorized
from bundler.registry.reference import Reference
from bundler.registry.uploads import Habits, Limits
from bundler.settings import BundleSettings
from tests.executor.registry.conftest import MakeRegistry
from tests.fakes.image_registry import LAYER, OCI_MANIFEST, ImageRegistry, digest_of, image
from tests.fakes.images import OFFICIAL, MadeImage, layout_files, root_files, tar_of
from tests.fakes.registry_side import ClientSide
from tests.rig.debian_image import DebianBase
from tests.rig.dockerd_process import DockerdProcess

KEY = "tr_prod_key"


@pytest.fixture
def side(tmp_path: Path) -> ClientSide:
    """Return the side of the client: its clock, its home folder, what it waited."""
    return ClientSide(tmp_path / "home")


def guard(registry: ImageRegistry, side: ClientSide) -> None:
    """Let the registry ask for a key, which the client has as after `docker login`."""
    registry.side.keys.give(KEY, "prod/")
    side.log_in(registry.host, "trigger", KEY)


async def make_bundle(
    client: RegistryClient, folder: Path, *architectures: str, source: str = "print(1)", base: str = ""
) -> Bundle:
    """Return a bundle with SBOMs upon a base, on this machine if none is named."""
    cache = Cache(folder / "cache")
    if not base:
        made = [MadeImage(tars=[tar_of(root_files(name))], architecture=name) for name in ("amd64", "arm64")]
        blobs = [blob for each in made for blob in each.blobs()]
        (folder / "base.tar").write_bytes(tar_of({**layout_files(blobs, [each.entry for each in made])}))
        base = "tar:base.tar"
    (folder / "main.py").write_text(source)
    file = ProjectFile(place="main.py", source=folder / "main.py", size=len(source))
    images = []
    for architecture in architectures or ("amd64",):
        platform = Platform(architecture=architecture)  # type: ignore[arg-type]  # one of the two
        found = await base_source(base, client=client, cache=cache, folder=folder).image(platform, (3, 11))
        layer = project_layer([file], cache=cache)
        content = sbom(name="shop", version="1", components=[distribution("a", "1")], base=found)
        images.append(image_of(found, [layer], BundleSettings(), project=layer.diff_id, labels={}, sbom=content))
    return bundle_of(images)


# --- our own client ---


async def test_image_is_pushed_and_pulled(registry: ImageRegistry, side: ClientSide) -> None:
    """With a key as the password; what comes back is what was pushed, byte for byte; nothing is sent twice."""
    guard(registry, side)
    target = Reference.parse(f"{registry.host}/prod/app:v1")
    noise = random.Random(1)
    blobs = [Blob.of(noise.randbytes(size), LAYER) for size in (10, 70_000, 3_000_000)]
    manifest = image(b"{}", *(blob.open().read() for blob in blobs))
    async with side.client() as client:
        arrivals = await asyncio.gather(*(client.push_blob(target, blob) for blob in [Blob.of(b"{}", LAYER), *blobs]))
        assert arrivals == ["uploaded"] * 4
        assert await client.push_manifest(target, manifest, OCI_MANIFEST) == digest_of(manifest)
        assert await client.push_blob(target, blobs[0]) == "present"
        assert (await client.manifest(target)).content == manifest
        assert await client.resolve(target) == (digest_of(manifest), OCI_MANIFEST, len(manifest))
        for blob in blobs:
            assert b"".join([each async for each in client.blob(target, blob.digest)]) == blob.open().read()
        other = Reference.parse(f"{registry.host}/prod/other")
        assert await client.push_blob(other, blobs[2], mount_from=[target]) == "mounted"
    assert side.slept == []


async def test_large_blob_goes_in_chunks_where_it_must(registry: ImageRegistry, side: ClientSide) -> None:
    """As the client does when a proxy before the registry takes only small bodies."""
    side.limits = Limits(single_post=0, chunk=300_000, smallest_chunk=1)
    content = random.Random(2).randbytes(2_000_000)
    target = Reference.parse(f"{registry.host}/prod/app")
    async with side.client() as client:
        client._habits[registry.host] = Habits(takes_single_posts=False, chunk=300_000)
        assert await client.push_blob(target, Blob.of(content, LAYER)) == "uploaded"
    assert (await registry.client.get(f"/v2/prod/app/blobs/{digest_of(content)}")).content == content


async def test_refusals_are_told(make_registry: MakeRegistry, side: ClientSide) -> None:
    """A wrong key, a full quota and a missing image: the client says the server's words, and does not try again."""
    async with make_registry(repository_bytes=100_000) as registry:
        target = Reference.parse(f"{registry.host}/prod/app:v1")
        async with side.client() as client:
            with pytest.raises(RegistryNotFound):
                await client.manifest(target)
            with pytest.raises(RegistryUnauthorized) as full:
                await client.push_blob(target, Blob.of(bytes(200_000), LAYER))
            assert "of the 100000 bytes it may have" in str(full.value.problem)
        registry.side.keys.give(KEY, "prod/")
        side.log_in(registry.host, "trigger", "wrong")
        async with side.client() as client:
            with pytest.raises(RegistryUnauthorized):
                await client.push_blob(target, Blob.of(b"x", LAYER))
        assert side.slept == []


@pytest.mark.parametrize("architectures", [("amd64",), ("amd64", "arm64")])
async def test_bundle_is_pushed(
    registry: ImageRegistry, side: ClientSide, tmp_path: Path, architectures: tuple[str, ...]
) -> None:
    """As `trigger build` does it, with SBOMs as referrers and tags; the second time nothing is sent."""
    guard(registry, side)
    target = Reference.parse(f"{registry.host}/prod/shop")
    async with side.client() as client:
        bundle = await make_bundle(client, tmp_path, *architectures)
        name = await RegistryOutput(target, client=client).write(bundle, tags=["v1", "latest"], progress=Silent())
        assert name == f"{registry.host}/prod/shop@{bundle.digest}"
        asked = len(registry.side.keys.asked)
        await RegistryOutput(target, client=client).write(bundle, tags=["v1", "latest"], progress=Silent())
        assert {action for _, _, action in registry.side.keys.asked[asked:]} == {"pull"}
        for each in bundle.images:
            (referrer,) = await client.referrers(target, each.manifest.digest)
            artifact = sbom_artifact(each)
            assert artifact is not None
            assert referrer["digest"] == artifact.manifest.digest
    tags = await registry.client.get("/v2/prod/shop/tags/list", auth=("x", KEY))
    assert tags.json()["tags"] == ["latest", "v1"]
    registry.side.time += 4000
    assert (await registry.opened.collect()).bytes == 0


async def test_deployments_without_tags_need_no_tidying(
    registry: ImageRegistry, side: ClientSide, tmp_path: Path
) -> None:
    """Pushed by digest alone: what is deployed stays with its SBOM, the version before goes when nothing needs it."""
    target = Reference.parse(f"{registry.host}/prod/shop")
    digests = []
    async with side.client() as client:
        for number in range(2):
            bundle = await make_bundle(client, tmp_path, source=f"print({number})")
            await RegistryOutput(target, client=client).write(bundle, tags=[], progress=Silent())
            digests.append(bundle.digest)
        registry.side.in_use = {digests[1]}
        registry.side.time += 4000
        collected = await registry.opened.collect()
        # The image and its SBOM's manifest; the project's layer and the config. Base and SBOM are shared.
        assert (collected.manifests, collected.blobs) == (2, 2)
        with pytest.raises(RegistryNotFound):
            await client.manifest(target.with_digest(digests[0]))
        assert len(await client.referrers(target, digests[1])) == 1


async def test_base_in_the_same_registry_is_mounted(registry: ImageRegistry, side: ClientSide, tmp_path: Path) -> None:
    """Not one byte of it is sent again."""
    base = MadeImage(env=OFFICIAL)
    for content in (base.config, *base.layers):
        await registry.push(content, "prod/python")
    await registry.put(base.manifest, "3.11", "prod/python")
    async with side.client() as client:
        bundle = await make_bundle(client, tmp_path, base=f"{registry.host}/prod/python:3.11")
        target = Reference.parse(f"{registry.host}/prod/shop:v1")
        await RegistryOutput(target, client=client).write(bundle, tags=[], progress=Silent())
    assert await registry.has("v1", "prod/shop", "manifests")


# --- skopeo ---


async def skopeo(*arguments: str) -> str:
    """Run skopeo; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        "skopeo", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("form", ["oci", "v2s2"])
async def test_skopeo_copies_in_and_out(
    registry: ImageRegistry, tmp_path: Path, missing_service: Callable[[str], NoReturn], form: str
) -> None:
    """From a folder to the registry, within it, and back; the digest stays."""
    if shutil.which("skopeo") is None:
        missing_service("skopeo")
    registry.side.keys.give(KEY, "prod/")
    made = MadeImage(tars=[tar_of(root_files()), tar_of({"noise": random.Random(3).randbytes(5_000_000)})])
    (tmp_path / "in.tar").write_bytes(tar_of({**layout_files(made.blobs(), [made.entry])}))
    at = f"docker://{registry.host}/prod"
    login, insecure = f"trigger:{KEY}", "--{}-tls-verify=false"
    into = ("--dest-creds", login, insecure.format("dest"))
    from_ = ("--src-creds", login, insecure.format("src"))
    await skopeo("copy", "--format", form, *into, f"oci-archive:{tmp_path}/in.tar", f"{at}/app:v1")
    await skopeo("copy", "--preserve-digests", *from_, *into, f"{at}/app:v1", f"{at}/other:v1")
    await skopeo("copy", "--preserve-digests", *from_, f"{at}/other:v1", f"dir:{tmp_path}/out")
    told = json.loads(await skopeo("inspect", "--tls-verify=false", "--creds", login, f"{at}/other:v1"))
    manifest = (tmp_path / "out" / "manifest.json").read_bytes()
    assert told["Digest"] == digest_of(manifest)
    for layer in json.loads(manifest)["layers"]:
        assert digest_of((tmp_path / "out" / layer["digest"].partition(":")[2]).read_bytes()) == layer["digest"]
    tags = json.loads(await skopeo("list-tags", "--tls-verify=false", "--creds", login, f"{at}/other"))
    assert tags["Tags"] == ["v1"]
    await skopeo("delete", "--tls-verify=false", "--creds", login, f"{at}/other:v1")
    assert not (await registry.client.get("/v2/prod/other/tags/list", auth=("x", KEY))).json()["tags"]


# --- a Docker engine ---


async def test_engine_pushes_and_pulls(
    registry: ImageRegistry, dockerd: DockerdProcess, base_image: DebianBase
) -> None:
    """`docker push`, with the key as the password; the image is removed and pulled again, by digest."""
    registry.side.keys.give(KEY, "prod/")
    name = f"{registry.host}/prod/debian"
    login = {"username": "trigger", "password": KEY}

    def play(docker: Any) -> str:
        docker.tag(base_image.image_id, name, "v1")
        wrong = pushed(docker, name, {**login, "password": "wrong"})
        assert any("API key" in line.get("error", "") for line in wrong), wrong
        said = pushed(docker, name, login)
        (digest,) = [line["aux"]["Digest"] for line in said if "aux" in line]
        assert any("already exists" in line.get("status", "") for line in pushed(docker, name, login))
        docker.remove_image(f"{name}:v1")
        docker.pull(f"{name}@{digest}", auth_config=login)
        assert docker.inspect_image(f"{name}@{digest}")["Id"] == base_image.image_id
        docker.remove_image(f"{name}@{digest}")
        return str(digest)

    with dockerd.asked() as docker:
        digest = await asyncio.to_thread(play, docker)
    answer = await registry.client.head("/v2/prod/debian/manifests/v1", auth=("x", KEY))
    assert answer.headers["docker-content-digest"] == digest


def pushed(docker: Any, name: str, login: dict[str, str]) -> list[dict[str, Any]]:
    """Have an engine push an image; return what it says."""
    return list(docker.push(name, "v1", auth_config=login, stream=True, decode=True))
