"""Bases in files: archives of images, and plain root file systems."""

import gzip
import io
import os
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.image.errors import BaseInvalid, BaseUnreadable, BaseUnsuitable
from bundler.image.model import BaseImage
from tests.fakes.images import (
    MadeImage,
    layout_files,
    program,
    root_files,
    saved,
    sha256,
    tar_of,
    to_json,
)
from tests.rig.debian_image import DebianBase

BaseOf = Callable[..., Awaitable[BaseImage]]
TAR = "application/vnd.oci.image.layer.v1.tar"


def names_in(folder: Path) -> set[str]:
    """Return what is in a folder."""
    return {path.name for path in folder.iterdir()}


def content_of(base: BaseImage) -> list[bytes]:
    """Return the bytes of the layers."""
    found = []
    for layer in base.layers:
        assert layer.open is not None
        with layer.open() as stream:
            found.append(stream.read())
        assert sha256(found[-1]) == layer.digest
        assert len(found[-1]) == layer.size
    return found


@pytest.mark.parametrize("is_packed", [False, True])
async def test_archive_of_docker_save(base_of: BaseOf, tmp_path: Path, is_packed: bool) -> None:
    """Layers are used as they are in it; an archive that is packed is unpacked into the cache, not beside it."""
    made = MadeImage(tars=[tar_of(root_files()), tar_of({"new": b"1"})])
    content = tar_of(saved(made))
    (tmp_path / "base.tar").write_bytes(gzip.compress(content) if is_packed else content)
    for _ in range(2):
        found = await base_of("tar:base.tar")
        assert (found.name, found.digest, found.python) == ("tar:base.tar", sha256(made.config), "/usr/bin/python3.11")
        assert [layer.media_type for layer in found.layers] == [TAR, TAR]
        assert content_of(found) == list(made.tars)
    assert names_in(tmp_path) == {"base.tar", "cache"}


async def test_packed_layers_in_an_archive(base_of: BaseOf, tmp_path: Path) -> None:
    """Other tools pack them; their bytes say so."""
    made = MadeImage()
    files = {**saved(made), "0/layer.tar": made.layers[0]}
    (tmp_path / "base.tar").write_bytes(tar_of(files))
    found = await base_of("tar:base.tar")
    assert (found.layers[0].media_type, found.layers[0].diff_id) == (f"{TAR}+gzip", sha256(made.tars[0]))


async def test_links_between_layers_in_an_archive(base_of: BaseOf, tmp_path: Path) -> None:
    """Old engines write a layer once, and links to it."""
    tar = tar_of(root_files())
    made = MadeImage(tars=[tar, tar])
    files = {**saved(made), "1/layer.tar": "../0/layer.tar"}
    (tmp_path / "base.tar").write_bytes(tar_of(files))
    assert content_of(await base_of("tar:base.tar")) == [tar, tar]


@pytest.mark.parametrize("is_packed", [False, True])
async def test_archive_of_a_layout(base_of: BaseOf, tmp_path: Path, is_packed: bool) -> None:
    """Also one with a list for ``docker load`` beside it, as newer engines write."""
    made = MadeImage()
    files = {**layout_files(made.blobs(), [made.entry]), "manifest.json": b"[]"}
    content = tar_of(files)
    (tmp_path / "base.tar").write_bytes(gzip.compress(content) if is_packed else content)
    found = await base_of("tar:base.tar")
    assert (found.digest, found.layers[0].media_type) == (made.digest, f"{TAR}+gzip")
    assert content_of(found) == made.layers


@pytest.mark.parametrize("is_packed", [False, True])
async def test_root_file_system(base_of: BaseOf, tmp_path: Path, is_packed: bool) -> None:
    """A plain tar is an image of one layer, for what its interpreter is for."""
    tar = tar_of(root_files("arm64"))
    content = gzip.compress(tar, mtime=0) if is_packed else tar
    (tmp_path / "root.tar").write_bytes(content)
    found = await base_of("tar:root.tar", architecture="arm64")
    (layer,) = found.layers
    assert (layer.digest, layer.diff_id) == (sha256(content), sha256(tar))
    assert layer.media_type == (f"{TAR}+gzip" if is_packed else TAR)
    assert (found.python, found.config["architecture"]) == ("/usr/bin/python3.11", "arm64")
    with pytest.raises(BaseUnsuitable, match="not for linux/amd64, but for linux/arm64"):
        await base_of("tar:root.tar")


async def test_bytes_do_not_depend_on_the_folder(base_of: BaseOf, tmp_path: Path) -> None:
    """Nothing of where a tarball lies is in what is said of it."""
    found = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "root.tar").write_bytes(tar_of(root_files()))
        found.append(await base_of(f"tar:{folder}/root.tar"))
        assert str(tmp_path) not in repr(found[-1])
    assert found[0] == found[1]


async def test_name_says_which_of_several(base_of: BaseOf, tmp_path: Path) -> None:
    """Without one it must be clear which image is meant."""
    one, other = MadeImage(), MadeImage(env=("A=1",))
    files = {**saved(one), "other.json": other.config}
    files["manifest.json"] = to_json(
        [
            {"Config": "abc.json", "RepoTags": ["base:1"], "Layers": ["0/layer.tar"]},
            {"Config": "other.json", "RepoTags": ["host/base:2"], "Layers": ["0/layer.tar"]},
        ]
    )
    (tmp_path / "base.tar").write_bytes(tar_of(files))
    assert (await base_of("tar:base.tar:host/base:2")).digest == sha256(other.config)
    with pytest.raises(BaseInvalid, match="2 images") as caught:
        await base_of("tar:base.tar")
    assert caught.value.problem.detail == "base:1, host/base:2"
    with pytest.raises(BaseInvalid, match="no image called 'base:3'"):
        await base_of("tar:base.tar:base:3")


async def test_file_that_was_replaced_is_read_again(base_of: BaseOf, tmp_path: Path) -> None:
    """What is known of a file holds as long as it stays as it is."""
    for number in range(2):
        made = MadeImage(tars=[tar_of({**root_files(), "number": b"%d" % number})])
        (tmp_path / "next.tar").write_bytes(tar_of(saved(made)))
        (tmp_path / "next.tar").rename(tmp_path / "base.tar")
        assert content_of(await base_of("tar:base.tar")) == list(made.tars)


async def test_other_platform_is_told(base_of: BaseOf, tmp_path: Path) -> None:
    """By the config."""
    (tmp_path / "base.tar").write_bytes(tar_of(saved(MadeImage(architecture="arm64"))))
    with pytest.raises(BaseUnsuitable, match="not for linux/amd64, but for linux/arm64"):
        await base_of("tar:base.tar")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"0/layer.tar": tar_of({"other": b"1"})}, "unpacks to"),
        ({"0/layer.tar": b"no tar at all" * 100}, "is no tar"),
        ({"0/layer.tar": "/etc/passwd"}, "a link that leaves it"),
        ({"0/layer.tar": "../../layer.tar"}, "a link that leaves it"),
        ({"0/layer.tar": "layer.tar"}, "link to a link"),
        ({"0/layer.tar": "nothing"}, "lacks '0/layer.tar'"),
        ({"abc.json": b"{}"}, "not for linux/amd64"),
        ({"abc.json": b"[1"}, "no JSON object"),
        ({"manifest.json": b'{"Config":1}'}, "no list of images"),
        ({"manifest.json": b"[1]"}, "no list of images"),
        ({"manifest.json": b"[]"}, "has no image"),
        ({"manifest.json": b'[{"Config":"abc.json"}]'}, "has no layers"),
        ({"manifest.json": b'[{"Config":"../abc.json","Layers":[]}]'}, "lacks"),
        ({"manifest.json": b'[{"Config":"abc.json","Layers":["0/layer.tar","0/layer.tar"]}]'}, "knows 1"),
        ({"../up": b"x"}, "leaves its folder"),
    ],
)
async def test_hostile_archive_is_refused(
    base_of: BaseOf, tmp_path: Path, change: dict[str, bytes | str], fault: str
) -> None:
    """Wrong contents, links that lead elsewhere, lists that are none; nothing is written anywhere."""
    (tmp_path / "base.tar").write_bytes(tar_of({**saved(MadeImage()), **change}))
    with pytest.raises((BaseInvalid, BaseUnsuitable), match=fault):
        await base_of("tar:base.tar")
    assert names_in(tmp_path) <= {"base.tar", "cache"}


@pytest.mark.parametrize("kind", ["pipe", "twice"])
async def test_archive_with_what_none_has_is_refused(base_of: BaseOf, tmp_path: Path, kind: str) -> None:
    """A pipe; a name that means two things to two readers."""
    out = io.BytesIO(tar_of(saved(MadeImage())))
    with tarfile.open(fileobj=out, mode="a") as archive:
        entry = tarfile.TarInfo("abc.json" if kind == "twice" else "pipe")
        entry.type = tarfile.REGTYPE if kind == "twice" else tarfile.FIFOTYPE
        archive.addfile(entry)
    (tmp_path / "base.tar").write_bytes(out.getvalue())
    with pytest.raises(BaseInvalid, match="more than once" if kind == "twice" else "no plain file"):
        await base_of("tar:base.tar")


async def test_root_with_a_name_that_leaves_it_is_refused(base_of: BaseOf, tmp_path: Path) -> None:
    """Engines would refuse to unpack it."""
    (tmp_path / "root.tar").write_bytes(tar_of({**root_files(), "usr/../../etc/cron.d/x": b"* * * * *"}))
    with pytest.raises(BaseInvalid, match="leaves its folder"):
        await base_of("tar:root.tar")


async def test_bomb_is_refused(base_of: BaseOf, tmp_path: Path, cache: Cache) -> None:
    """A small file that unpacks to very much is given up, and nothing of it stays."""
    bomb = gzip.compress(bytes(8 << 20), 9) * 60
    head = tar_of({"usr/bin/python3.11": program()})[:-10240]
    entry = tarfile.TarInfo("usr/zeros")
    entry.size = 480 << 20
    (tmp_path / "root.tar").write_bytes(gzip.compress(head + entry.tobuf()) + bomb)
    with pytest.raises(BaseInvalid, match="200 times"):
        await base_of("tar:root.tar")
    assert not list(cache.folder.glob("partial/*"))


@pytest.mark.parametrize("content", [b"", b"x", b"PK\3\4" + bytes(2000), tar_of({"readme.txt": b"1"})])
async def test_file_that_is_no_image_is_refused(base_of: BaseOf, tmp_path: Path, content: bytes) -> None:
    """Neither an archive of an image nor a root file system."""
    (tmp_path / "base.tar").write_bytes(content)
    with pytest.raises(BaseInvalid):
        await base_of("tar:base.tar")


async def test_what_cannot_be_read_is_told(base_of: BaseOf, tmp_path: Path) -> None:
    """A folder or a pipe in its place, or nothing; a pipe is not waited for."""
    with pytest.raises(BaseUnreadable, match="no file or folder"):
        await base_of("tar:nothing.tar")
    with pytest.raises(BaseUnreadable, match="does not say which"):
        await base_of("tar:")
    os.mkfifo(tmp_path / "pipe.tar")
    (tmp_path / "folder.tar").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(BaseInvalid, match="no plain file"):
            await base_of(f"tar:{name}.tar")


async def test_no_such_python_is_told(base_of: BaseOf, tmp_path: Path) -> None:
    """With the versions that there are."""
    files = {**root_files(), "usr/bin/python3.9": program()}
    (tmp_path / "root.tar").write_bytes(tar_of(files))
    with pytest.raises(BaseUnsuitable, match=r"no Python 3\.13; it has 3\.9 and 3\.11"):
        await base_of("tar:root.tar", python=(3, 13))


async def test_tools_archives(base_of: BaseOf, tmp_path: Path, skopeo: Callable[..., bytes]) -> None:
    """What skopeo writes, as an archive of OCI and as one of Docker."""
    (tmp_path / "base.tar").write_bytes(tar_of(saved(MadeImage())))
    skopeo("copy", f"docker-archive:{tmp_path / 'base.tar'}", f"oci-archive:{tmp_path / 'oci.tar'}:3.11")
    skopeo("copy", f"docker-archive:{tmp_path / 'base.tar'}", f"docker-archive:{tmp_path / 'docker.tar'}:base:3.11")
    for name in ("oci.tar:3.11", "oci.tar", "docker.tar"):
        assert (await base_of(f"tar:{name}")).python == "/usr/bin/python3.11"


async def test_real_debian(base_of: BaseOf, tmp_path: Path, base_image: DebianBase) -> None:
    """A root file system of Debian, and the archive of its image."""
    (tmp_path / "root.tar").symlink_to(base_image.layer)
    (tmp_path / "base.tar").symlink_to(base_image.archive)
    for name in ("root.tar", "base.tar"):
        found = await base_of(f"tar:{name}")
        assert (found.python, found.glibc) == ("/usr/bin/python3.11", (2, 36))
        assert found.layers[0].diff_id == base_image.diff_id
