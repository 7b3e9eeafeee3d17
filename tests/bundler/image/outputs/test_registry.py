"""Images into registries."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from bundler.cache import Cache
from bundler.image.bases import base_source
from bundler.image.errors import OutputInvalid
from bundler.image.model import Bundle
from bundler.image.outputs.sbom_artifact import sbom_artifact
from bundler.model import Blob, Platform
from bundler.registry.errors import ReferenceInvalid, RegistryUnreachable
from bundler.registry.reference import Reference
from tests.fakes.images import OCI_INDEX, OCI_MANIFEST, OFFICIAL, MadeImage, index_of, tar_of
from tests.fakes.registry import FakeRegistry, Fault
from tests.fakes.registry_process import PASSWORD, USERNAME, RegistryProcess
from tests.fakes.registry_side import ClientSide

BundleOf = Callable[..., Awaitable[Bundle]]
Write = Callable[..., Awaitable[str]]
SENDING = "^(POST|PUT|PATCH|DELETE) "
SBOM = "application/vnd.cyclonedx+json"


@dataclass
class Told:
    """Hears of progress."""

    names: list[str] = field(default_factory=list)
    amounts: dict[str, int] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    def start(self, name: str, total: int | None = None) -> None:
        """Note that something begins."""
        self.names.append(name)

    def advance(self, name: str, amount: int) -> None:
        """Count bytes."""
        self.amounts[name] = self.amounts.get(name, 0) + amount

    def finish(self, name: str) -> None:
        """Note that it has ended."""
        self.ended.append(name)


def everything_is_there(registry: FakeRegistry, name: str, bundle: Bundle) -> None:
    """See that a repository has all of a bundle."""
    for image in bundle.images:
        assert registry.manifests[name, image.manifest.digest][1] == OCI_MANIFEST
        with image.manifest.open() as stream:
            fields = json.load(stream)
        for each in (fields["config"], *fields["layers"]):
            assert each["digest"] in registry.blobs[name] or each.get("urls")
    assert (name, bundle.digest) in registry.manifests


async def test_image_with_a_base_on_this_machine(
    fake_registry: FakeRegistry, local_bundle: BundleOf, write: Write
) -> None:
    """Blobs, config, manifest, SBOM and then the tags; what comes back is the name with the digest."""
    bundle = await local_bundle()
    told = Told()
    name = f"{fake_registry.host}/team/app"
    assert await write("registry", bundle, "v1", "latest", repository=name, progress=told) == f"{name}@{bundle.digest}"
    everything_is_there(fake_registry, "team/app", bundle)
    for tag in ("v1", "latest"):
        with bundle.images[0].manifest.open() as stream:
            assert fake_registry.manifests["team/app", tag] == (stream.read(), OCI_MANIFEST)
    sent = [one.path.rpartition("/")[2] for one in fake_registry.asked("^PUT .*/manifests/")]
    assert sent[0] == bundle.digest
    assert sent[-2:] == ["v1", "latest"]
    base = bundle.images[0].base.layers[0]
    assert sorted(told.names) == sorted(told.ended) == sorted([f"base {base.digest[7:19]}", "project"])
    assert told.amounts[f"base {base.digest[7:19]}"] == base.size


async def test_second_push_sends_nothing(fake_registry: FakeRegistry, local_bundle: BundleOf, write: Write) -> None:
    """Everything is looked for, and is there."""
    name = f"{fake_registry.host}/team/app"
    for lists in (False, True):
        fake_registry.behaviour.lists_referrers = lists
        fake_registry.manifests.clear()
        await write("registry", await local_bundle("amd64", "arm64"), "v1", repository=name)
        fake_registry.wire.received.clear()
        await write("registry", await local_bundle("amd64", "arm64"), "v1", repository=name)
        assert not fake_registry.asked(SENDING)
        assert not fake_registry.asked("^GET .*/blobs/")


async def test_changed_project_sends_its_layer_alone(
    fake_registry: FakeRegistry, local_bundle: BundleOf, write: Write
) -> None:
    """One changed byte: a layer, a config and an SBOM's subject."""
    name = f"{fake_registry.host}/team/app"
    await write("registry", await local_bundle(), "v1", repository=name)
    before = set(fake_registry.blobs["team/app"])
    bundle = await local_bundle(source="print(2)")
    await write("registry", bundle, "v1", repository=name)
    image = bundle.images[0]
    assert set(fake_registry.blobs["team/app"]) - before == {image.layers[0].blob.digest, image.config.digest}


async def test_base_in_the_same_registry_is_mounted(
    fake_registry: FakeRegistry, bundle_from: BundleOf, write: Write
) -> None:
    """Not one byte of its layers comes or goes."""
    made = MadeImage(env=OFFICIAL)
    made.put_into(fake_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{fake_registry.host}/base/python:3.11")
    await write("registry", bundle, "v1", repository=f"{fake_registry.host}/team/app")
    everything_is_there(fake_registry, "team/app", bundle)
    (layer,) = bundle.images[0].base.layers
    assert not fake_registry.asked(f"GET .*{layer.digest}")
    assert not fake_registry.asked(f"PUT .*{layer.digest.replace(':', '(:|%3A)')}")
    assert len(fake_registry.asked(f"POST .*mount={layer.digest.replace(':', '(:|%3A)')}.*from=base")) == 1


async def test_base_in_another_registry_is_streamed(
    fake_registry: FakeRegistry, other_registry: FakeRegistry, bundle_from: BundleOf, write: Write, cache: Cache
) -> None:
    """By way of no disk, and once."""
    made = MadeImage(tars=[tar_of({"noise": random.Random(1).randbytes(3_000_000)})], env=OFFICIAL)
    made.put_into(other_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{other_registry.host}/base/python:3.11")
    for _ in range(2):
        await write("registry", bundle, "v1", repository=f"{fake_registry.host}/team/app")
    everything_is_there(fake_registry, "team/app", bundle)
    (layer,) = bundle.images[0].base.layers
    assert len(other_registry.asked(f"GET .*{layer.digest}")) == 1
    assert not await asyncio.to_thread(cache.path_of(layer.digest).exists)


async def test_base_that_is_not_mounted_is_streamed(
    fake_registry: FakeRegistry, bundle_from: BundleOf, write: Write
) -> None:
    """A registry need not mount."""
    fake_registry.behaviour.mount = False
    MadeImage(env=OFFICIAL).put_into(fake_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{fake_registry.host}/base/python:3.11")
    await write("registry", bundle, repository=f"{fake_registry.host}/team/app")
    everything_is_there(fake_registry, "team/app", bundle)


async def test_foreign_layers_are_not_pushed(fake_registry: FakeRegistry, bundle_from: BundleOf, write: Write) -> None:
    """They stay where their addresses say."""
    made = MadeImage(env=OFFICIAL, is_docker=True, urls=["https://elsewhere.example/layer"])
    made.put_into(fake_registry, "base/python", "3.11")
    bundle = await bundle_from(f"{fake_registry.host}/base/python:3.11")
    await write("registry", bundle, repository=f"{fake_registry.host}/team/app")
    everything_is_there(fake_registry, "team/app", bundle)
    assert bundle.images[0].base.layers[0].digest not in fake_registry.blobs["team/app"]


async def test_index_of_two_platforms(fake_registry: FakeRegistry, local_bundle: BundleOf, write: Write) -> None:
    """The tag is the index's, and each image has its own SBOM."""
    bundle = await local_bundle("arm64", "amd64")
    name = f"{fake_registry.host}/team/app"
    assert await write("registry", bundle, "v1", repository=name) == f"{name}@{bundle.digest}"
    everything_is_there(fake_registry, "team/app", bundle)
    content, media_type = fake_registry.manifests["team/app", "v1"]
    assert media_type == OCI_INDEX
    platforms = [entry["platform"]["architecture"] for entry in json.loads(content)["manifests"]]
    assert platforms == ["amd64", "arm64"]


@pytest.mark.parametrize("lists", [False, True])
async def test_sbom_is_found_by_its_image(
    fake_registry: FakeRegistry, side: ClientSide, local_bundle: BundleOf, write: Write, lists: bool
) -> None:
    """By the registry's own list, and by the tag where it keeps none."""
    fake_registry.behaviour.lists_referrers = lists
    bundle = await local_bundle("amd64", "arm64")
    name = f"{fake_registry.host}/team/app"
    await write("registry", bundle, "v1", repository=name)
    async with side.client() as client:
        for image in bundle.images:
            (found,) = await client.referrers(Reference.parse(name), image.manifest.digest, SBOM)
            manifest = await client.manifest(Reference.parse(name).with_digest(found["digest"]))
            fields = json.loads(manifest.content)
            assert fields["subject"]["digest"] == image.manifest.digest
            assert fake_registry.blobs["team/app"][fields["layers"][0]["digest"]] == image.sbom


async def test_sbom_that_was_not_listed_is_listed_by_the_next_push(
    fake_registry: FakeRegistry, side: ClientSide, local_bundle: BundleOf, write: Write
) -> None:
    """A push that ended between the SBOM and the list of what refers to the image is made good."""
    bundle = await local_bundle()
    name = f"{fake_registry.host}/team/app"
    await write("registry", bundle, "v1", repository=name)
    image = bundle.images[0]
    artifact = sbom_artifact(image)
    assert artifact is not None
    del fake_registry.manifests["team/app", image.manifest.digest.replace(":", "-")]
    await write("registry", bundle, "v1", repository=name)
    async with side.client() as client:
        (found,) = await client.referrers(Reference.parse(name), image.manifest.digest)
    assert found["digest"] == artifact.manifest.digest


async def test_tag_stays_when_a_push_fails(fake_registry: FakeRegistry, local_bundle: BundleOf, write: Write) -> None:
    """Who reads the tag meanwhile gets the whole of the old image; the next push completes the new one."""
    name = f"{fake_registry.host}/team/app"
    old = await local_bundle()
    await write("registry", old, "v1", repository=name)
    new = await local_bundle(source="print(2)")
    fake_registry.behaviour.faults.append(Fault(f"^PUT .*manifests/{new.digest}", times=1000))
    with pytest.raises(RegistryUnreachable):
        await write("registry", new, "v1", repository=name)
    assert fake_registry.manifests["team/app", "v1"] == fake_registry.manifests["team/app", old.digest]
    fake_registry.behaviour.faults.clear()
    await write("registry", new, "v1", repository=name)
    assert fake_registry.manifests["team/app", "v1"] == fake_registry.manifests["team/app", new.digest]


async def test_wrong_names_are_told(local_bundle: BundleOf, write: Write) -> None:
    """Before anything is sent."""
    bundle = await local_bundle()
    with pytest.raises(OutputInvalid, match="not said where"):
        await write("registry", bundle, "v1")
    with pytest.raises(ReferenceInvalid, match="is no tag"):
        await write("registry", bundle, "not a tag", repository="127.0.0.1:1/team/app")
    with pytest.raises(OutputInvalid, match="has a digest"):
        await write("registry", bundle, "v1", repository=f"127.0.0.1:1/team/app@{bundle.digest}")
    for text in ("zip:x", "oci:", "tar:", "oci", "push", ""):
        with pytest.raises(OutputInvalid, match="is no output"):
            await write(text, bundle, "v1")
    with pytest.raises(OutputInvalid, match="needs a Docker engine"):
        await write("docker", bundle, "v1")


@pytest.mark.parametrize("auth", ["none", "token"])
async def test_real_registry_and_skopeo(
    start_registry: Callable[..., RegistryProcess],
    skopeo: Callable[..., bytes],
    side: ClientSide,
    bundle_from: BundleOf,
    write: Write,
    cache: Cache,
    auth: str,
) -> None:
    """Base and target in one real registry: mounted, indexed, with SBOMs; skopeo reads and copies it."""
    registry = start_registry(auth=auth)
    login = []
    if auth != "none":
        side.log_in(registry.host, USERNAME, PASSWORD)
        login = [f"--creds={USERNAME}:{PASSWORD}"]
    base = Reference.parse(f"{registry.host}/base/python:3.11")
    await _push_base(side, base)
    bundle = await bundle_from(str(base), "amd64", "arm64")
    name = f"{registry.host}/team/app"
    for _ in range(2):
        assert await write("registry", bundle, "v1", repository=name) == f"{name}@{bundle.digest}"
    layer = bundle.images[0].base.layers[0].digest
    assert f"PUT /v2/team/app/blobs/uploads/{layer}" not in registry.log
    raw = skopeo("inspect", "--tls-verify=false", *login, "--raw", f"docker://{name}:v1")
    assert bundle.index is not None
    with bundle.index.open() as stream:
        assert raw == stream.read()
    for image in bundle.images:
        found = json.loads(
            skopeo(f"--override-arch={image.platform.architecture}", "inspect", "--tls-verify=false", *login,
                   "--config", f"docker://{name}:v1")
        )  # fmt: skip
        with image.config.open() as stream:
            assert found["config"] == json.load(stream)["config"]
        async with side.client() as client:
            (sbom,) = await client.referrers(Reference.parse(name), image.manifest.digest, SBOM)
        assert sbom["artifactType"] == SBOM
    copied = cache.folder.parent.parent / "copied"
    source = [f"--src-creds={USERNAME}:{PASSWORD}"] if login else []
    skopeo("copy", "--all", "--src-tls-verify=false", *source, f"docker://{name}:v1", f"oci:{copied}:v1")
    async with side.client() as client:
        bases = base_source(f"oci:{copied}:v1", client=client, cache=cache, folder=copied, interpreter="/usr/bin/x")
        again = await bases.image(Platform(architecture="arm64"), (3, 11))
    assert again.digest == bundle.images[1].manifest.digest


async def _push_base(side: ClientSide, base: Reference) -> None:
    """Push a base for two platforms."""
    images = [MadeImage(architecture=name, env=(*OFFICIAL, f"A={name}")) for name in ("amd64", "arm64")]
    async with side.client() as client:
        for image in images:
            for blob in (image.config, *image.layers):
                await client.push_blob(base, Blob.of(blob, "application/octet-stream"))
            await client.push_manifest(base.with_digest(image.digest), image.manifest, OCI_MANIFEST)
        await client.push_manifest(base, index_of([image.entry for image in images]), OCI_INDEX)
