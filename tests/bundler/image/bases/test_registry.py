"""Bases in a registry."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.errors import DigestMismatch
from bundler.image.bases import base_source
from bundler.image.errors import BaseInvalid, BaseUnsuitable
from bundler.image.model import BaseImage
from bundler.model import Platform
from bundler.registry.errors import RegistryUnreachable
from tests.fakes.images import (
    DOCKER_LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    OFFICIAL,
    PATH,
    MadeImage,
    index_of,
    libc,
    program,
    root_files,
    saved,
    sha256,
    tar_of,
    to_json,
)
from tests.fakes.registry import FakeRegistry, Fault
from tests.fakes.registry_process import RegistryProcess
from tests.fakes.registry_side import ClientSide

AMD64, ARM64 = Platform(architecture="amd64"), Platform(architecture="arm64")
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


async def base_of(
    text: str, side: ClientSide, cache: Cache, platform: Platform = AMD64, interpreter: str = ""
) -> BaseImage:
    """Return the image that a text means."""
    async with side.client() as client:
        source = base_source(text, client=client, cache=cache, folder=side.home, interpreter=interpreter)
        return await source.image(platform, (3, 11))


@pytest.mark.parametrize("is_docker", [False, True])
async def test_image_by_tag_and_by_digest(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache, is_docker: bool
) -> None:
    """A single manifest, of Docker or of OCI; the layers are told in the words of OCI, and none is read."""
    made = MadeImage(env=OFFICIAL, is_docker=is_docker)
    digest = made.put_into(fake_registry, "team/python", "3.11")
    name = f"{fake_registry.host}/team/python"
    by_tag = await base_of(f"{name}:3.11", side, cache)
    assert (by_tag.name, by_tag.reference, by_tag.digest) == (f"{name}:3.11", f"{name}@{digest}", digest)
    assert (by_tag.python, by_tag.platform, by_tag.glibc) == ("/usr/local/bin/python3.11", AMD64, None)
    assert by_tag.config == json.loads(made.config)
    (layer,) = by_tag.layers
    assert (layer.digest, layer.size) == (sha256(made.layers[0]), len(made.layers[0]))
    assert (layer.media_type, layer.diff_id) == (GZIP, sha256(made.tars[0]))
    assert (str(layer.source), layer.open) == (f"{name}@{digest}", None)
    by_digest = await base_of(f"{name}@{digest}", side, cache)
    assert (by_digest.digest, by_digest.layers) == (by_tag.digest, by_tag.layers)
    assert not fake_registry.asked(f"GET /v2/team/python/blobs/{layer.digest}")


async def test_second_build_asks_only_what_the_tag_means(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache
) -> None:
    """Manifests and configs are kept by digest; a digest is not asked for at all."""
    made = MadeImage(env=OFFICIAL)
    digest = made.put_into(fake_registry, "team/python", "3.11")
    first = await base_of(f"{fake_registry.host}/team/python:3.11", side, cache)
    fake_registry.wire.received.clear()
    assert await base_of(f"{fake_registry.host}/team/python:3.11", side, cache) == first
    assert [f"{one.method} {one.path}" for one in fake_registry.wire.received if one.path != "/v2/"] == [
        "HEAD /v2/team/python/manifests/3.11"
    ]
    fake_registry.wire.received.clear()
    await base_of(f"{fake_registry.host}/team/python@{digest}", side, cache)
    assert fake_registry.wire.received == []


async def test_moved_tag_is_noticed(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """What a tag meant yesterday is not what it means today."""
    MadeImage(env=OFFICIAL).put_into(fake_registry, "team/python", "3.11")
    await base_of(f"{fake_registry.host}/team/python:3.11", side, cache)
    digest = MadeImage(env=(*OFFICIAL, "NEW=1")).put_into(fake_registry, "team/python", "3.11")
    assert (await base_of(f"{fake_registry.host}/team/python:3.11", side, cache)).digest == digest


async def test_platforms_are_of_one_index(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """A tag that moves between one platform and the next does not mix them."""
    old, new = ([MadeImage(architecture=name, env=(*OFFICIAL, f"A={age}")) for name in ("amd64", "arm64")]
                for age in ("old", "new"))  # fmt: skip
    for image in (*old, *new):
        image.put_into(fake_registry, "team/python")
    fake_registry.put_manifest("team/python", "3.11", index_of([image.entry for image in old]), OCI_INDEX)
    async with side.client() as client:
        name = f"{fake_registry.host}/team/python:3.11"
        source = base_source(name, client=client, cache=cache, folder=side.home)
        assert (await source.image(AMD64, (3, 11))).digest == old[0].digest
        fake_registry.put_manifest("team/python", "3.11", index_of([image.entry for image in new]), OCI_INDEX)
        assert (await source.image(ARM64, (3, 11))).digest == old[1].digest


async def test_registry_out_of_reach_leaves_what_is_known(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache
) -> None:
    """The digest of the last build is used, and told; who has built nothing hears that there is no answer."""
    made = MadeImage(env=OFFICIAL)
    digest = made.put_into(fake_registry, "team/python", "3.11")
    name = f"{fake_registry.host}/team/python:3.11"
    await base_of(name, side, cache)
    fake_registry.behaviour.faults.append(Fault("", times=1000))
    found = await base_of(name, side, cache)
    assert found.digest == digest
    (note,) = found.notes
    assert name in note
    assert digest in note
    with pytest.raises(RegistryUnreachable):
        await base_of(name, side, Cache(side.home / "other-cache"))


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
async def test_platform_is_chosen_from_an_index(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache, media_type: str
) -> None:
    """Attestations and other systems are passed over."""
    images = {name: MadeImage(architecture=name, env=OFFICIAL) for name in ("amd64", "arm64")}
    for image in images.values():
        image.put_into(fake_registry, "team/python")
    attestation = {**images["amd64"].entry, "platform": {"os": "unknown", "architecture": "unknown"}}
    windows = {**images["amd64"].entry, "platform": {"os": "windows", "architecture": "amd64"}}
    arm = {**images["arm64"].entry, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}
    index = index_of([attestation, windows, arm, images["amd64"].entry], media_type)
    top = fake_registry.put_manifest("team/python", "3.11", index, media_type)
    for text in (":3.11", f"@{top}"):
        for platform in (AMD64, ARM64):
            found = await base_of(f"{fake_registry.host}/team/python{text}", side, cache, platform)
            assert found.digest == images[platform.architecture].digest
            assert found.reference.endswith(f"team/python@{found.digest}")


async def test_nested_index_without_platforms(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """An entry that does not say what it is for is looked at."""
    images = [MadeImage(architecture=name, env=OFFICIAL) for name in ("amd64", "arm64")]
    for image in images:
        image.put_into(fake_registry, "team/python")
    inner = index_of([{name: value for name, value in one.entry.items() if name != "platform"} for one in images])
    fake_registry.put_manifest("team/python", sha256(inner), inner, OCI_INDEX)
    outer = index_of([{"mediaType": OCI_INDEX, "digest": sha256(inner), "size": len(inner)}])
    fake_registry.put_manifest("team/python", "3.11", outer, OCI_INDEX)
    found = await base_of(f"{fake_registry.host}/team/python:3.11", side, cache, ARM64)
    assert found.digest == images[1].digest


async def test_index_in_itself_is_refused(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """Indexes in indexes come to an end."""
    content = index_of([])
    for _ in range(9):
        entry = {"mediaType": OCI_INDEX, "digest": sha256(content), "size": len(content)}
        fake_registry.put_manifest("team/python", sha256(content), content, OCI_INDEX)
        content = index_of([entry])
    fake_registry.put_manifest("team/python", "3.11", content, OCI_INDEX)
    with pytest.raises(BaseInvalid, match="indexes in indexes"):
        await base_of(f"{fake_registry.host}/team/python:3.11", side, cache)


async def test_other_platforms_are_told(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """From an index and from a single manifest."""
    arm = MadeImage(architecture="arm64", env=OFFICIAL)
    arm.put_into(fake_registry, "team/python", "single")
    entries = [arm.entry, {**arm.entry, "platform": {"os": "linux", "architecture": "amd64", "variant": "v3"}}]
    fake_registry.put_manifest("team/python", "many", index_of(entries), OCI_INDEX)
    with pytest.raises(BaseUnsuitable, match=r"not for linux/amd64, but for linux/arm64$"):
        await base_of(f"{fake_registry.host}/team/python:single", side, cache)
    with pytest.raises(BaseUnsuitable, match=r"but for linux/amd64/v3, linux/arm64$"):
        await base_of(f"{fake_registry.host}/team/python:many", side, cache)


async def test_other_python_is_told_without_reading_layers(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache
) -> None:
    """The official images say which they have."""
    made = MadeImage(env=(PATH, "PYTHON_VERSION=3.12.4", "GPG_KEY=1"))
    made.put_into(fake_registry, "team/python", "3.12")
    with pytest.raises(BaseUnsuitable, match=r"has no Python 3\.11; it has 3\.12") as caught:
        await base_of(f"{fake_registry.host}/team/python:3.12", side, cache)
    assert "python = " in caught.value.problem.hint
    assert not fake_registry.asked("GET .*/blobs/" + sha256(made.layers[0]))


async def test_interpreter_is_looked_for_in_layers_once(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache
) -> None:
    """An image that does not say is read, layer by layer; the next build knows what was in them."""
    lower = tar_of({**root_files(), "usr/local/bin/python3.11": program(), "opt/x": b"x" * 300_000})
    upper = tar_of({"usr/local/bin/.wh.python3.11": b""})
    made = MadeImage(tars=[lower, upper], env=(PATH, "PYTHON_VERSION=3.11.2"))
    made.put_into(fake_registry, "team/python", "own")
    for _ in range(2):
        found = await base_of(f"{fake_registry.host}/team/python:own", side, cache)
        assert (found.python, found.glibc) == ("/usr/bin/python3.11", (2, 36))
    for layer in made.layers:
        assert len(fake_registry.asked(f"GET .*/blobs/{sha256(layer)}")) == 1
    assert not list(cache.folder.glob("blobs/??/" + sha256(made.layers[0])[9:]))


async def test_interpreter_of_the_user_is_taken(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """Who says where it is needs no look at the layers, whatever the image says of itself."""
    made = MadeImage(env=(PATH, "PYTHON_VERSION=3.12.4", "GPG_KEY=1"))
    made.put_into(fake_registry, "team/python", "own")
    found = await base_of(f"{fake_registry.host}/team/python:own", side, cache, interpreter="/opt/py/bin/python3.11")
    assert found.python == "/opt/py/bin/python3.11"
    assert not fake_registry.asked("GET .*/blobs/" + sha256(made.layers[0]))


async def test_musl_is_refused(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """An official image of Alpine says which Python it has, and its history that it is one."""
    files = {"lib/ld-musl-x86_64.so.1": b"x", "usr/local/bin/python3.11": program()}
    history = [{"created_by": "ADD alpine-minirootfs-3.20.1-x86_64.tar.gz / # buildkit"}]
    made = MadeImage(tars=[tar_of(files)], env=OFFICIAL, more={"history": history})
    made.put_into(fake_registry, "team/python", "alpine")
    with pytest.raises(BaseUnsuitable, match="musl") as caught:
        await base_of(f"{fake_registry.host}/team/python:alpine", side, cache)
    assert "Alpine" in caught.value.problem.hint


async def test_foreign_layers_keep_their_addresses(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """A layer that may not be distributed has addresses of its own."""
    made = MadeImage(env=OFFICIAL, is_docker=True, urls=["https://elsewhere.example/layer"])
    made.put_into(fake_registry, "team/python", "foreign")
    (layer,) = (await base_of(f"{fake_registry.host}/team/python:foreign", side, cache)).layers
    assert layer.urls == ("https://elsewhere.example/layer",)
    assert layer.media_type == "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    assert not layer.is_distributable


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"rootfs": {"type": "layers", "diff_ids": []}}, "its config knows 0"),
        ({"rootfs": {"diff_ids": ["sha256:1"]}}, "does not say what its layers are"),
        ({"rootfs": None}, "does not say what its layers are"),
        ({"history": [{"created_by": "a"}, {"created_by": "b"}]}, "tells of 2 layers"),
        ({"history": "long"}, "history .* is none"),
        ({"architecture": 7}, "not for linux/amd64"),
    ],
)
async def test_config_that_does_not_fit_is_refused(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache, change: dict[str, object], fault: str
) -> None:
    """What engines would refuse is refused here, where the base can still be changed."""
    MadeImage(env=OFFICIAL, more=change).put_into(fake_registry, "team/python", "bad")
    with pytest.raises((BaseInvalid, BaseUnsuitable), match=fault):
        await base_of(f"{fake_registry.host}/team/python:bad", side, cache)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"layers": []}, "no layers"),
        ({"layers": [{"mediaType": GZIP, "digest": "sha256:..", "size": 3}]}, "not described"),
        ({"layers": [{"mediaType": GZIP, "digest": f"sha256:{'0' * 64}", "size": -3}]}, "a size that is none"),
        ({"layers": [{"mediaType": "text/plain", "digest": f"sha256:{'0' * 64}", "size": 3}]}, "text/plain"),
        ({"layers": [{"mediaType": f"{GZIP}+encrypted", "digest": f"sha256:{'0' * 64}", "size": 3}]}, "encrypted"),
        ({"config": None}, "config .* not described"),
    ],
)
async def test_manifest_that_is_none_is_refused(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache, change: dict[str, object], fault: str
) -> None:
    """Layers of unknown kinds, descriptors that are none."""
    made = MadeImage(env=OFFICIAL)
    made.put_into(fake_registry, "team/python", "good")
    content = to_json({**json.loads(made.manifest), **change})
    fake_registry.put_manifest("team/python", "bad", content, OCI_MANIFEST)
    with pytest.raises(BaseInvalid, match=fault):
        await base_of(f"{fake_registry.host}/team/python:bad", side, cache)


async def test_lying_registry_is_refused(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """Manifest, config and layers are what their digests say, or nothing is built upon them."""
    made = MadeImage()
    made.put_into(fake_registry, "team/python", "lies")
    name = f"{fake_registry.host}/team/python:lies"
    blobs = fake_registry.blobs["team/python"]
    for content in (made.config, made.layers[0]):
        blobs[sha256(content)] = content[:-1] + bytes([content[-1] ^ 1])
        with pytest.raises(DigestMismatch):
            await base_of(name, side, cache)
        blobs[sha256(content)] = content
    assert (await base_of(name, side, cache)).python == "/usr/bin/python3.11"


async def test_layer_that_unpacks_to_something_else_is_refused(
    fake_registry: FakeRegistry, side: ClientSide, cache: Cache
) -> None:
    """The digest of the tar inside is in the config."""
    MadeImage(diff_ids=[f"sha256:{'0' * 64}"]).put_into(fake_registry, "team/python", "lies")
    for _ in range(2):
        with pytest.raises(BaseInvalid, match="unpacks to sha256:"):
            await base_of(f"{fake_registry.host}/team/python:lies", side, cache)


async def test_damaged_cache_is_asked_again(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """A kept manifest that is not what it was is fetched anew."""
    made = MadeImage(env=OFFICIAL)
    made.put_into(fake_registry, "team/python", "3.11")
    first = await base_of(f"{fake_registry.host}/team/python:3.11", side, cache)
    for path in cache.folder.glob("blobs/??/*"):
        path.write_bytes(b"{}")
    assert await base_of(f"{fake_registry.host}/team/python:3.11", side, cache) == first


async def test_glibc_beside_musl_is_fine(fake_registry: FakeRegistry, side: ClientSide, cache: Cache) -> None:
    """Debian's package musl brings its loader; programs run with GNU's library there all the same."""
    tars = [tar_of({**root_files(), "lib/ld-musl-x86_64.so.1": b"x"}), tar_of({"usr/lib/libc.so.6": libc("2.41")})]
    MadeImage(tars=tars).put_into(fake_registry, "team/python", "both")
    assert (await base_of(f"{fake_registry.host}/team/python:both", side, cache)).glibc == (2, 41)


async def test_real_registry(
    start_registry: Callable[..., RegistryProcess],
    skopeo: Callable[..., bytes],
    side: ClientSide,
    cache: Cache,
    tmp_path: Path,
) -> None:
    """An image that skopeo has pushed, in Docker's words and in OCI's."""
    registry = start_registry()
    archive = tmp_path / "base.tar"
    archive.write_bytes(tar_of(saved(MadeImage())))
    for form in ("oci", "v2s2"):
        target = f"docker://{registry.host}/base/python:{form}"
        skopeo("copy", "--dest-tls-verify=false", f"--format={form}", f"docker-archive:{archive}", target)
        found = await base_of(f"{registry.host}/base/python:{form}", side, cache)
        assert (found.python, found.layers[0].media_type) == ("/usr/bin/python3.11", GZIP)
