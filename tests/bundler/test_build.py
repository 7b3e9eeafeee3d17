"""Whole builds: the same bytes wherever and whenever, and nothing made twice."""

import asyncio
import gzip
import io
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from bundler.build import Built
from bundler.cache import Cache
from bundler.errors import BundlerError, ImportsUnresolved
from bundler.model import Layer
from bundler.workshop import open_workshop
from tests.rig.bundled_project import GREETER, BundledProject
from tests.rig.debian_image import DebianBase


@pytest.fixture
def project(tmp_path: Path, base_image: DebianBase) -> BundledProject:
    """Return a project upon a base made of Debian's packages."""
    return BundledProject(tmp_path / "shop", f"tar:{base_image.archive}")


def layers_of(built: Built) -> dict[str, Layer]:
    """Return our layers by what is in them."""
    (image,) = built.bundle.images
    return {layer.name: layer for layer in image.layers}


def files_in(layer: Layer) -> dict[str, bytes]:
    """Return the files of a layer."""
    with layer.blob.open() as stream:
        content = gzip.decompress(stream.read())
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        regular = [(entry.name, archive.extractfile(entry)) for entry in archive if entry.isfile()]
        return {name: content.read() for name, content in regular if content is not None}


async def test_same_tree_gives_same_digest(tmp_path: Path, project: BundledProject) -> None:
    """In another folder, with other permissions and times, a cold and a warm cache, by another user's variables."""
    first = await project.build(tmp_path / "cache")
    again = await project.build(tmp_path / "cache")
    other = project.copy(tmp_path / "elsewhere" / "deeper")
    for path in other.folder.rglob("*"):
        if path.is_file() and ".venv" not in path.parts:
            path.chmod(0o600)
            os.utime(path, (86_400, 86_400))
    elsewhere = await other.build(tmp_path / "other-cache", LANG="tr_TR.UTF-8", TZ="Asia/Tokyo", USER="somebody")
    assert first.bundle.digest == again.bundle.digest == elsewhere.bundle.digest
    assert all(layer.reason for layer in layers_of(first).values())
    assert {name for name, layer in layers_of(again).items() if layer.reason} == set()


async def test_changed_byte_changes_the_project_layer_alone(tmp_path: Path, project: BundledProject) -> None:
    """All other layers are as they were, and the reason names the file."""
    before = layers_of(await project.build(tmp_path / "cache"))
    project.write("shop/prices.py", "def price(count: int) -> int:\n    return 22 * count\n")
    after = layers_of(await project.build(tmp_path / "cache"))
    assert {name for name in after if after[name].diff_id != before[name].diff_id} == {"project"}
    assert after["project"].reason == "shop/prices.py changed"


async def test_changed_wheel_changes_its_layer_alone(tmp_path: Path, project: BundledProject) -> None:
    """A wheel with a layer of its own."""
    before = layers_of(await project.build(tmp_path / "cache"))
    large = next(name for name in before if "greeter" in name)
    project.relock("greeter", {**GREETER, "greeter/new.py": b""})
    after = layers_of(await project.build(tmp_path / "cache"))
    assert {name for name in after if after[name].diff_id != before[name].diff_id} == {large}


async def test_image_has_what_it_needs_and_no_secret(tmp_path: Path, project: BundledProject) -> None:
    """The project's files, the manifest, the environment; not ``.env``, the tests' own folder, or the cache."""
    built = await project.build(tmp_path / "cache")
    files = {place: content for layer in layers_of(built).values() for place, content in files_in(layer).items()}
    assert files["app/jobs/hello.py"] == (project.folder / "jobs/hello.py").read_bytes()
    assert b'"hello"' in files["app/.trigger/manifest.json"]
    assert any(place.endswith("/greeter/__init__.py") for place in files)
    assert "opt/trigger/pyvenv.cfg" in files
    everything = b"".join(files.values()) + built.bundle.images[0].config.open().read()
    for secret in (b"never-in-an-image", str(project.folder).encode(), str(tmp_path).encode()):
        assert secret not in everything


async def test_import_that_resolves_to_nothing_fails_the_build(tmp_path: Path, project: BundledProject) -> None:
    """With the line and the likely distribution; nothing is pushed."""
    project.write("jobs/other.py", "import yaml\nfrom trigger_sdk import job\n")
    with pytest.raises(ImportsUnresolved, match="yaml") as raised:
        await project.build(tmp_path / "cache")
    assert raised.value.problem.where == "jobs/other.py:1"
    assert "PyYAML" in raised.value.problem.hint or "pyyaml" in raised.value.problem.hint


async def test_module_that_cannot_be_imported_fails_the_build(tmp_path: Path, project: BundledProject) -> None:
    """An environment variable that is missing when jobs are imported, with the traceback."""
    project.write("jobs/other.py", 'import os\nKEY = os.environ["SHOP_KEY"]\n')
    with pytest.raises(BundlerError, match="SHOP_KEY") as raised:
        await project.build(tmp_path / "cache", SHOP_KEY="here, and not in the image")
    assert "jobs/other.py" in raised.value.problem.detail
    project.write("trigger.toml", '[bundle]\nenv = { SHOP_KEY = "x" }\n')
    assert (await project.build(tmp_path / "cache")).index.jobs


async def test_damaged_cache_is_noticed_and_made_anew(tmp_path: Path, project: BundledProject) -> None:
    """Every content of it is cut short or turned around, one build after the other: always the same digest."""
    expected = (await project.build(tmp_path / "cache")).bundle.digest
    blobs = sorted((tmp_path / "cache").rglob("blobs/??/*"))
    for number, blob in enumerate(blobs):
        content = blob.read_bytes()
        blob.write_bytes(content[: len(content) // 2] if number % 2 else content[::-1])
    assert (await project.build(tmp_path / "cache")).bundle.digest == expected
    for record in sorted((tmp_path / "cache").rglob("entries/*/??/*")):
        record.write_bytes(record.read_bytes()[:20])
    assert (await project.build(tmp_path / "cache")).bundle.digest == expected


async def test_full_cache_that_cannot_be_written_serves(tmp_path: Path, project: BundledProject) -> None:
    """On a machine that may only read it, and for a project that it has not seen: all that is needed is there."""
    expected = (await project.build(tmp_path / "cache")).bundle.digest
    partial = Cache(tmp_path / "cache" / "bundle").folder / "partial"
    partial.rmdir()
    partial.touch()
    other = project.copy(tmp_path / "elsewhere")
    assert (await other.build(tmp_path / "cache")).bundle.digest == expected


@pytest.fixture
def killed(tmp_path: Path, project: BundledProject) -> list[int]:
    """Kill builds after more and more of their time, and return how they ended."""
    program = (
        "import asyncio, sys; from pathlib import Path; from tests.rig.bundled_project import BundledProject\n"
        "project = object.__new__(BundledProject); project.folder, project.base = Path(sys.argv[1]), sys.argv[2]\n"
        "print(asyncio.run(project.build(Path(sys.argv[3]))).bundle.digest)\n"
    )
    ends = []
    for hundredths in (30, 45, 60, 75, 90, 120, 160):
        command = [sys.executable, "-c", program, str(project.folder), project.base, str(tmp_path / "cache")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(hundredths / 100)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        ends.append(process.wait())
    return ends


async def test_build_after_killed_builds_is_right(tmp_path: Path, project: BundledProject, killed: list[int]) -> None:
    """Wherever they were killed, and without anything half written that counts."""
    assert -signal.SIGKILL in killed
    clean = await project.build(tmp_path / "clean")
    assert (await project.build(tmp_path / "cache")).bundle.digest == clean.bundle.digest


async def test_builds_at_the_same_time_share_a_cache(tmp_path: Path, project: BundledProject) -> None:
    """Three at once, in one cache that is empty."""
    async with open_workshop(project.environ(tmp_path / "cache"), home=tmp_path) as workshop:
        built = await asyncio.gather(*(project.build_in(workshop) for _ in range(3)))
    assert len({each.bundle.digest for each in built}) == 1
    assert list(Cache(tmp_path / "cache" / "bundle").folder.glob("partial/*")) == []
