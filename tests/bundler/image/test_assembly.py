"""Config, manifest and index of images."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import TooManyLayers
from bundler.image.assembly import bundle_of, image_of
from bundler.image.config import ENTRYPOINT, source_date
from bundler.image.errors import SourceDateInvalid
from bundler.image.labels import annotations_of, image_labels
from bundler.image.model import BaseImage, BaseLayer, Image
from bundler.model import Blob, Layer, Platform, digest_of
from bundler.settings import BundleSettings
from tests.fakes.images import root_files, tar_of

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
PROJECT = digest_of(b"project tar")


def base_of(config: dict[str, Any] | None = None, *, architecture: str = "amd64", layers: int = 1) -> BaseImage:
    """Return a base."""
    return BaseImage(
        name="host.example/python:3.11", reference="", digest=digest_of(b"base"), config=config or {},
        layers=tuple(
            BaseLayer(digest=digest_of(b"b%d" % number), size=3, media_type=GZIP, diff_id=digest_of(b"t%d" % number))
            for number in range(layers)
        ),
        platform=Platform(architecture=architecture),  # type: ignore[arg-type]  # one of the two
        python="/usr/local/bin/python3.11",
    )  # fmt: skip


def layer_of(name: str) -> Layer:
    """Return a layer."""
    return Layer(blob=Blob.of(name.encode(), GZIP), diff_id=digest_of(f"{name} tar".encode()), name=name)


LAYERS = [layer_of("wheel httpx 0.28"), layer_of("project")]


def image(base: BaseImage, **settings: Any) -> Image:
    """Return an image upon a base."""
    return image_of(
        base, LAYERS, BundleSettings(**settings), project=LAYERS[1].diff_id, labels={"b": "2", "a": "1"}
    )  # fmt: skip


def config_of(found: Image) -> dict[str, Any]:
    """Return the config of an image."""
    with found.config.open() as stream:
        fields = json.load(stream)
    assert isinstance(fields, dict)
    return fields


def test_config_says_what_is_run() -> None:
    """User, entrypoint, folder and environment; the base's own program is not run any more."""
    theirs = {
        "Env": ["PATH=/usr/local/bin:/usr/bin", "LANG=C.UTF-8", "GONE"], "Cmd": ["python3"], "Entrypoint": ["x"],
        "User": "root", "WorkingDir": "/x", "StopSignal": "SIGINT", "Healthcheck": {"Test": ["x"]},
        "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}}, "OnBuild": ["RUN x"], "Shell": ["sh"],
    }  # fmt: skip
    found = config_of(image(base_of({"config": theirs}), user=1234, group=99, env={"TZ": "UTC", "LANG": "de"}))
    config = found["config"]
    assert config["User"] == "1234:99"
    assert config["Entrypoint"] == list(ENTRYPOINT) == ["/opt/trigger/bin/python", "-P", "-m", "trigger_sdk.container"]
    assert config["WorkingDir"] == "/app"
    assert (config["ExposedPorts"], config["Volumes"]) == ({"80/tcp": {}}, {"/data": {}})
    assert not {"Cmd", "StopSignal", "Healthcheck", "OnBuild", "Shell"} & config.keys()
    seed = str(int(LAYERS[1].diff_id[7:15], 16))
    assert config["Env"] == [
        "PATH=/opt/trigger/bin:/usr/local/bin:/usr/bin", "LANG=de", "VIRTUAL_ENV=/opt/trigger",
        "TRIGGER_PROJECT_ROOT=/app", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", f"PYTHONHASHSEED={seed}",
        "TZ=UTC",
    ]  # fmt: skip
    assert 0 <= int(seed) < 1 << 32


def test_config_lists_layers_and_history() -> None:
    """The base's history stays as it is, and each layer of ours has an entry."""
    history = [{"created_by": "a", "created": "2020-01-01T00:00:00Z"}, {"created_by": "b", "empty_layer": True}]
    found = config_of(image(base_of({"history": history})))
    assert found["rootfs"] == {
        "type": "layers", "diff_ids": [digest_of(b"t0"), LAYERS[0].diff_id, LAYERS[1].diff_id],
    }  # fmt: skip
    assert found["history"][:2] == history
    assert found["history"][2:] == [
        {"created": "1970-01-01T00:00:00Z", "created_by": f"trigger build: {layer.name}"} for layer in LAYERS
    ]
    assert (found["created"], found["os"], found["architecture"]) == ("1970-01-01T00:00:00Z", "linux", "amd64")


def test_history_tells_of_as_many_layers_as_there_are() -> None:
    """Engines count; a base that tells of fewer gets entries for the rest."""
    for history in (None, [], [{"created_by": "a"}], [{"empty_layer": True}]):
        found = config_of(image(base_of({"history": history}, layers=3)))
        assert len([step for step in found["history"] if not step.get("empty_layer")]) == 5


@pytest.mark.parametrize("theirs", [None, [], {"Env": "x", "Labels": [1], "Volumes": ["/x"], "ExposedPorts": 80}])
def test_config_that_is_odd_is_passed_over(theirs: object) -> None:
    """What is not as it should be is as if it were not there."""
    config = config_of(image(base_of({"config": theirs})))["config"]
    assert config["Env"][0] == "PATH=/opt/trigger/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert not {"Volumes", "ExposedPorts"} & config.keys()


def test_labels_of_the_base_that_are_about_itself_are_left_out() -> None:
    """Its title and version are not ours."""
    labels = {"org.opencontainers.image.title": "Python", "maintainer": "x", "dev.trigger.sdk": "0", "n": 1}
    assert config_of(image(base_of({"config": {"Labels": labels}})))["config"]["Labels"] == {
        "maintainer": "x", "a": "1", "b": "2",
    }  # fmt: skip


def test_labels_tell_what_is_known() -> None:
    """What is not known is left out, and a login too; OCI's own stand in the manifest as well."""
    login = "https://user:s3cr3t@git.example/team/app"
    base = dataclasses.replace(base_of(), reference=f"host.example/python@{digest_of(b'base')}")
    labels = image_labels(base, manifest="{}", sdk="1.2", revision="abc", source=login, version="3", created=86400)
    assert labels == {
        "dev.trigger.manifest": "{}", "dev.trigger.sdk": "1.2",
        "org.opencontainers.image.base.digest": digest_of(b"base"),
        "org.opencontainers.image.base.name": "host.example/python:3.11",
        "org.opencontainers.image.created": "1970-01-02T00:00:00Z", "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.source": "https://git.example/team/app", "org.opencontainers.image.version": "3",
    }  # fmt: skip
    assert set(labels) - set(annotations_of(labels)) == {"dev.trigger.manifest", "dev.trigger.sdk"}
    assert list(image_labels(base_of())) == ["org.opencontainers.image.base.digest"]


def test_manifest_describes_every_layer() -> None:
    """Those of the base first, with the addresses of those that may not be distributed."""
    foreign = BaseLayer(
        digest=digest_of(b"f"), size=9, diff_id=digest_of(b"ft"), urls=("https://elsewhere.example/f",),
        media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    )  # fmt: skip
    base = base_of()
    with_foreign = BaseImage(
        name=base.name, reference="", digest=base.digest, config={}, layers=(foreign, *base.layers),
        platform=base.platform, python="",
    )  # fmt: skip
    found = image(with_foreign)
    with found.manifest.open() as stream:
        fields = json.load(stream)
    assert fields["mediaType"] == found.manifest.media_type == "application/vnd.oci.image.manifest.v1+json"
    assert fields["config"] == {
        "mediaType": "application/vnd.oci.image.config.v1+json", "digest": found.config.digest,
        "size": found.config.size,
    }  # fmt: skip
    assert [layer["digest"] for layer in fields["layers"]] == [
        foreign.digest, digest_of(b"b0"), LAYERS[0].blob.digest, LAYERS[1].blob.digest,
    ]  # fmt: skip
    assert fields["layers"][0]["urls"] == ["https://elsewhere.example/f"]
    assert "urls" not in fields["layers"][1]


def test_too_many_layers_are_refused() -> None:
    """Engines stack 127."""
    image(base_of(layers=125))
    with pytest.raises(TooManyLayers, match="128 layers, 126 of them from its base"):
        image(base_of(layers=126))


def test_one_image_has_no_index_and_several_have() -> None:
    """In the order of their platforms, whatever order they come in."""
    amd, arm = image(base_of()), image(base_of(architecture="arm64"))
    single = bundle_of([amd])
    assert (single.index, single.digest) == (None, amd.manifest.digest)
    both, turned = bundle_of([arm, amd]), bundle_of([amd, arm])
    assert both == turned
    assert both.index is not None
    assert both.digest == both.index.digest
    with both.index.open() as stream:
        fields = json.load(stream)
    assert [entry["platform"] for entry in fields["manifests"]] == [
        {"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux"},
    ]  # fmt: skip
    assert [entry["digest"] for entry in fields["manifests"]] == [amd.manifest.digest, arm.manifest.digest]


@pytest.mark.parametrize(("text", "seconds"), [("", 0), (" 0 ", 0), ("1700000000", 1_700_000_000)])
def test_source_date_is_read(text: str, seconds: int) -> None:
    """Seconds since 1970; nothing is 0."""
    assert source_date({"SOURCE_DATE_EPOCH": text}) == seconds
    assert source_date({}) == 0


@pytest.mark.parametrize("text", ["-1", "1.5", "now", "1e9", "99999999999999", "9" * 5000, "\u0661"])
def test_source_date_that_is_none_is_refused(text: str) -> None:
    """It would be silently another digest."""
    with pytest.raises(SourceDateInvalid, match="SOURCE_DATE_EPOCH"):
        source_date({"SOURCE_DATE_EPOCH": text})


def test_source_date_is_in_config_and_history() -> None:
    """All that is ours was made then."""
    made = image_of(base_of(), LAYERS, BundleSettings(), project=PROJECT, labels={}, created=1_700_000_000)
    fields = config_of(made)
    assert fields["created"] == fields["history"][-1]["created"] == "2023-11-14T22:13:20Z"


PROGRAM = """
import os
os.umask(int(os.environ["MASK"], 8))
from pathlib import Path
from bundler.image.assembly import bundle_of, image_of
from bundler.image.bases.local_image import Wanted
from bundler.image.bases.tarball import tarball_image
from bundler.image.labels import image_labels
from bundler.image.outputs.archive import archive_pieces, entries_of
from bundler.image.sbom import distribution, sbom
from bundler.cache import Cache
from bundler.layers import project_layer
from bundler.model import Blob, Platform, ProjectFile, digest_of
from bundler.settings import BundleSettings
from tests.fakes.images import root_files, tar_of
wanted = Wanted(platform=Platform(architecture="amd64"), python=(3, 11))
cache = Cache(Path("cache"))
base = tarball_image(Path("base.tar"), "", wanted, cache, "tar:base.tar")
Path("main.py").write_text("print(1)")
layer = project_layer([ProjectFile(place="main.py", source=Path("main.py"), size=8)], cache=cache)
labels = image_labels(base, revision="abc", sdk="1")
settings = BundleSettings(env={"A": "1", "B": "2"})
image = image_of(base, [layer], settings, project=layer.diff_id, labels=labels, sbom=b"")
content = sbom(name="app", version="1", components=[distribution("a", "1"), distribution("b", "2")], base=base)
blobs = {blob.digest: blob for blob in (image.config, image.manifest, layer.blob)}
archive = b"".join(archive_pieces([image], blobs, entries_of(image.manifest, ["v1"]), ["host/app:v1"]))
print(bundle_of([image]).digest, digest_of(content), digest_of(archive))
"""


def test_bytes_depend_on_the_contents_alone(tmp_path: Path, repository: Path) -> None:
    """Other folders, masks, hash seeds, zones, users and days: the same digests."""
    found = set()
    for number, (mask, zone) in enumerate([("022", "UTC"), ("077", "Asia/Tokyo"), ("000", "America/Lima")]):
        folder = tmp_path / f"folder-{number}"
        folder.mkdir()
        (folder / "base.tar").write_bytes(tar_of(root_files()))
        os.utime(folder / "base.tar", (number * 1e8, number * 1e8))
        environment = {
            "PYTHONPATH": f"{repository}:{repository / 'sdk'}", "PYTHONHASHSEED": str(number), "MASK": mask, "TZ": zone,
            "HOME": str(folder), "USER": f"user{number}",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1, found
