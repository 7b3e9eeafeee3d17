"""Layers of wheels: what an installer would have put there, in the same bytes every time."""

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.errors import WheelDamaged, WheelInvalid, WheelUnsafe
from bundler.layers.grouping import group
from bundler.layers.scheme import Scheme
from bundler.layers.wheel_layer import wheel_layer, wheel_layers
from bundler.model import Wheel
from tests.fakes.layer_reading import files_of, members_of, tar_of
from tests.fakes.zips import Packed, made_wheel, record_row, wheel_entries, write_wheel, zip_bytes

SITE = "usr/local/lib/python3.11/site-packages"
FILES = {
    "pkg/__init__.py": b"def main() -> None:\n    print('hello')\n" * 40,
    "pkg/data.bin": bytes(range(256)),
    "pkg/empty.py": b"",
    "pkg/tool.sh": b"#!/bin/sh\n",
    "pkg/\u00e4\u6f22.txt": b"text",
    "pkg-1.0.data/scripts/run": b"#!python\nprint('run')\n",
    "pkg-1.0.data/scripts/native": b"\x7fELF" + bytes(5000),
    "pkg-1.0.data/purelib/pure.py": b"pure = 1\n",
    "pkg-1.0.data/platlib/plat.py": b"plat = 1\n",
    "pkg-1.0.data/headers/pkg.h": b"int x;\n",
    "pkg-1.0.data/data/share/pkg/readme.txt": b"read me\n",
    "pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\npkg-cli = pkg:main\n[gui_scripts]\n"
                                          b"GUI = pkg.sub:App.run [x]\n",
    "pkg-1.0.dist-info/licenses/LICENSE": b"free\n",
    "pkg-1.0.dist-info/direct_url.json": b"{}",
}  # fmt: skip


EXECUTABLE = frozenset(["pkg/tool.sh", "pkg-1.0.data/scripts/run", "pkg-1.0.data/scripts/native"])


def layer_files(wheel: Wheel, scheme: Scheme, cache: Cache) -> dict[str, tuple[bytes, bool]]:
    """Return what the layer of one wheel puts into the image."""
    return files_of(wheel_layer([wheel], scheme=scheme, cache=cache))


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    """Return a wheel with everything that wheels can have."""
    return made_wheel(tmp_path, "pkg", FILES, executable=EXECUTABLE)


def test_everything_is_where_it_belongs(wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """Modules, data of each kind, programs and metadata."""
    files = layer_files(wheel, scheme, cache)
    expected = {
        f"{SITE}/pkg/__init__.py", f"{SITE}/pkg/data.bin", f"{SITE}/pkg/empty.py", f"{SITE}/pkg/tool.sh",
        f"{SITE}/pkg/\u00e4\u6f22.txt", f"{SITE}/pure.py", f"{SITE}/plat.py", "usr/local/include/python3.11/pkg/pkg.h",
        "usr/local/share/pkg/readme.txt", "usr/local/bin/run", "usr/local/bin/native", "usr/local/bin/pkg-cli",
        "usr/local/bin/GUI", *(f"{SITE}/pkg-1.0.dist-info/{name}" for name in
                               ("METADATA", "WHEEL", "RECORD", "INSTALLER", "entry_points.txt", "licenses/LICENSE")),
    }  # fmt: skip
    assert set(files) == expected
    assert files[f"{SITE}/pkg/__init__.py"][0] == FILES["pkg/__init__.py"]
    assert {path for path, (_, executable) in files.items() if executable} == {
        f"{SITE}/pkg/tool.sh", "usr/local/bin/run", "usr/local/bin/native", "usr/local/bin/pkg-cli",
        "usr/local/bin/GUI",
    }  # fmt: skip


def test_data_are_known_however_their_folder_is_written(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """Some builders write the name in it otherwise than in the folder of metadata; installers do not mind."""
    files = layer_files(made_wheel(tmp_path, "pkg", {"Pkg-1.0.0.data/scripts/run": b"#!python\n"}), scheme, cache)
    assert files["usr/local/bin/run"] == (b"#!/usr/local/bin/python3.11\n", True)


def test_programs_name_the_interpreter_of_the_image(wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """Of launchers, and of scripts that leave it to the installer."""
    files = layer_files(wheel, scheme, cache)
    assert files["usr/local/bin/run"][0] == b"#!/usr/local/bin/python3.11\nprint('run')\n"
    assert files["usr/local/bin/pkg-cli"][0].startswith(
        b"#!/usr/local/bin/python3.11\nimport sys\nfrom pkg import main\n"
    )
    assert b"from pkg.sub import App\n" in files["usr/local/bin/GUI"][0]
    assert b"sys.exit(App.run())" in files["usr/local/bin/GUI"][0]


def test_launcher_runs(tmp_path: Path, cache: Cache, wheel: Wheel) -> None:
    """With an interpreter whose path fits no first line as well."""
    folder = tmp_path / "an interpreter"
    folder.mkdir()
    interpreter = folder / "python"
    interpreter.symlink_to(sys.executable)
    for path in (sys.executable, str(interpreter)):
        files = layer_files(wheel, Scheme.of_folder("/lib", path), cache)
        (tmp_path / "pkg").mkdir(exist_ok=True)
        (tmp_path / "pkg" / "__init__.py").write_bytes(b"def main():\n    print('hello')\n    return 3\n")
        program = tmp_path / "program"
        program.write_bytes(files["lib/bin/pkg-cli"][0])
        program.chmod(0o755)
        done = subprocess.run(
            [program], capture_output=True, check=False, env={**os.environ, "PYTHONPATH": str(tmp_path)}
        )
        assert (done.stdout, done.returncode) == (b"hello\n", 3), done.stderr


def test_record_lists_what_is_installed(wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """Every file, with its size, from the folder of the modules; the RECORD itself without."""
    files = layer_files(wheel, scheme, cache)
    record = files[f"{SITE}/pkg-1.0.dist-info/RECORD"][0].decode()
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(record))}
    named = {os.path.normpath(f"/{SITE}/{name}").lstrip("/"): row for name, row in rows.items()}
    assert set(named) == set(files)
    for path, (content, _) in files.items():
        if not path.endswith("/RECORD"):
            assert [path, *named[path]] == [path, *record_row("x", content).strip().split(",")[1:]]
    assert rows["pkg-1.0.dist-info/RECORD"] == ["", ""]
    assert "../../../bin/run" in rows
    assert files[f"{SITE}/pkg-1.0.dist-info/INSTALLER"][0] == b"trigger\n"


def test_entries_have_nothing_of_the_machine(wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """No times, no owners, plain modes; folders that the base has are left alone."""
    members = members_of(wheel_layer([wheel], scheme=scheme, cache=cache))
    assert {(member.uid, member.gid, member.uname, member.mtime) for member in members.values()} == {(0, 0, "", 0)}
    assert {member.mode for member in members.values()} == {0o644, 0o755}
    folders = {name for name, member in members.items() if member.isdir()}
    assert f"{SITE}/pkg" in folders
    assert folders.isdisjoint({SITE, "usr", "usr/local", "usr/local/bin", "usr/local/share", "usr/local/lib"})


def test_same_wheel_same_bytes(tmp_path: Path, wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """Elsewhere, under another name in the store, with a cache and without."""
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    copy = Wheel(
        name=wheel.name, version=wheel.version, filename=wheel.filename, sha256=wheel.sha256,
        path=Path(shutil.copy(wheel.path, moved / "blob")),
    )  # fmt: skip
    first = wheel_layer([wheel], scheme=scheme, cache=cache)
    other = wheel_layer([copy], scheme=scheme, cache=Cache(tmp_path / "other"))
    again = wheel_layer([wheel], scheme=scheme, cache=cache)
    assert first.blob.digest == other.blob.digest == again.blob.digest
    assert (first.reason, again.reason) == ("not in the cache", "")


def test_deflate_stream_is_taken_over(wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """The wheel's own bytes are in the layer."""
    layer = wheel_layer([wheel], scheme=scheme, cache=cache)
    with layer.blob.open() as stream:
        packed = stream.read()
    archive = wheel.path.read_bytes()
    start = archive.index(b"pkg/__init__.py") + len("pkg/__init__.py")
    assert archive[start : start + 40] in packed


def test_gnu_tools_unpack_it(tmp_path: Path, wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """gzip and tar of the system, which know nothing of how it was made."""
    layer = wheel_layer([wheel], scheme=scheme, cache=cache)
    with layer.blob.open() as stream:
        (tmp_path / "layer.tar.gz").write_bytes(stream.read())
    subprocess.run(["gzip", "-t", tmp_path / "layer.tar.gz"], check=True)
    target = tmp_path / "out"
    target.mkdir()
    subprocess.run(["tar", "-xzf", tmp_path / "layer.tar.gz", "-C", target, "--no-same-owner"], check=True)
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert found == {name: content for name, (content, _) in files_of(layer).items()}


def bundled_wheels() -> list[Path]:
    """Return the real wheels that come with Python: pip, and in older ones setuptools."""
    import ensurepip

    return sorted((Path(ensurepip.__file__).parent / "_bundled").glob("*.whl"))


def comparable(files: dict[str, tuple[bytes, bool]]) -> dict[str, tuple[bytes, bool]]:
    """Return files without those that name the installer, and without the words of launchers."""
    return {
        path: (b"" if path in {"bin/pkg-cli", "bin/GUI"} else content, is_executable)
        for path, (content, is_executable) in files.items()
        if path.rsplit("/", 1)[-1] not in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    }


@pytest.mark.parametrize("source", ["made", *(path.name for path in bundled_wheels())])
def test_pip_installs_the_same(tmp_path: Path, cache: Cache, wheel: Wheel, source: str) -> None:
    """Tree, contents and permissions are those that pip makes of the wheel; launchers do the same in other words."""
    if source != "made":
        path = next(path for path in bundled_wheels() if path.name == source)
        name, version = path.name.split("-")[:2]
        wheel = Wheel(name=name, version=version, filename=path.name, sha256=source, path=path)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile",
         "--ignore-installed", "--root-user-action=ignore", "--disable-pip-version-check",
         "--prefix", tmp_path / "pip", wheel.path],
        check=True, cwd=tmp_path,
    )  # fmt: skip
    python = sys.version_info[:2]
    scheme = Scheme.of_prefix("/usr/local", python, interpreter=sys.executable)
    ours = {path.removeprefix("usr/local/"): item for path, item in layer_files(wheel, scheme, cache).items()}
    theirs = {
        str(path.relative_to(tmp_path / "pip")): (path.read_bytes(), bool(path.stat().st_mode & 0o111))
        for path in (tmp_path / "pip").rglob("*")
        if path.is_file()
    }
    headers = f"include/python{python[0]}.{python[1]}"
    theirs = {
        path.replace(f"include/site/{headers.rpartition('/')[2]}", headers): item for path, item in theirs.items()
    }
    if source != "made":  # pip makes other launchers of itself: pip3, pip3.11
        ours, theirs = (
            {path: item for path, item in files.items() if not path.startswith("bin/")} for files in (ours, theirs)
        )
    assert comparable(ours) == comparable(theirs)


def changed(files: dict[str, bytes], **options: bytes) -> dict[str, bytes]:
    """Return a minimal wheel's files with others of the metadata."""
    return {**files, **{f"pkg-1.0.dist-info/{name}": content for name, content in options.items()}}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (changed({"a.py": b""}, WHEEL=b"Wheel-Version: 2.0\nRoot-Is-Purelib: true\n"), "version 2.0"),
        (changed({"a.py": b""}, WHEEL=b"no header"), "version none"),
        (changed({"a.py": b""}, RECORD=b"a.py,sha256=short,0\n"), "no digest"),
        (changed({"a.py": b""}, RECORD=b"\xff"), "no text"),
        ({"other-1.0.dist-info/METADATA": b""}, "one folder of metadata"),
        ({"pkg-1.0.data/unknown/x": b""}, "unknown kind"),
        ({"pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\nx = no function\n"}, "names no function"),
        ({"pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\nx = a:b; import os\n"}, "names no function"),
        ({"pkg-1.0.dist-info/entry_points.txt": b"nonsense"}, "cannot be read"),
    ],
)
def test_wheel_that_cannot_be_understood_is_refused(
    tmp_path: Path, scheme: Scheme, cache: Cache, files: dict[str, bytes], words: str
) -> None:
    """Formats of the future, broken metadata, programs that call nothing."""
    with pytest.raises(WheelInvalid, match=words):
        wheel_layer([made_wheel(tmp_path, "pkg", files)], scheme=scheme, cache=cache)


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD"])
def test_wheel_without_metadata_is_refused(tmp_path: Path, scheme: Scheme, cache: Cache, missing: str) -> None:
    """Each of the three files is needed."""
    entries = [entry for entry in wheel_entries("pkg", "1.0", {"a.py": b""}) if not str(entry.name).endswith(missing)]
    with pytest.raises(WheelInvalid, match=missing):
        wheel_layer([write_wheel(tmp_path, "pkg", "1.0", zip_bytes(entries))], scheme=scheme, cache=cache)


def test_metadata_of_another_distribution_is_refused(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """A wheel that was renamed."""
    archive = zip_bytes(wheel_entries("evil", "1.0", {"a.py": b""}))
    with pytest.raises(WheelInvalid, match="another distribution"):
        wheel_layer([write_wheel(tmp_path, "pkg", "1.0", archive)], scheme=scheme, cache=cache)


@pytest.mark.parametrize(
    "files",
    [
        {"pkg-1.0.data/scripts/python3": b"evil"},
        {"pkg-1.0.data/data/bin/python3.11": b"evil"},
        {"pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\npython = a:b\n"},
        {"pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\n../x = a:b\n"},
        {"pkg-1.0.dist-info/entry_points.txt": b"[console_scripts]\na/x = a:b\n"},
        {"pkg.py": b"1", "pkg-1.0.data/purelib/pkg.py": b"2"},
        {"pkg/x.py": b"1", "pkg-1.0.data/purelib/pkg": b"2"},
        {"pkg-1.0.data/data/../../../etc/passwd": b"root"},
        {"pkg-1.0.dist-info/RECORD": record_row("a", b"1").encode() + record_row("a", b"2").encode()},
    ],
)
def test_wheel_that_writes_where_it_must_not_is_refused(
    tmp_path: Path, scheme: Scheme, cache: Cache, files: dict[str, bytes]
) -> None:
    """Over the interpreter, twice over itself, outside."""
    with pytest.raises(WheelUnsafe):
        wheel_layer([made_wheel(tmp_path, "pkg", files)], scheme=scheme, cache=cache)
    assert list(cache.folder.glob("blobs/*/*")) == []


@pytest.mark.parametrize("name", ["pkg/a.py", "pkg-1.0.data/scripts/run"])
@pytest.mark.parametrize("method", [0, 8])
def test_content_that_record_contradicts_is_refused(
    tmp_path: Path, scheme: Scheme, cache: Cache, name: str, method: int
) -> None:
    """Whatever way the content takes; nothing of it is kept, and no half-written file either."""
    files = {name: b"#!python\nevil", "pkg-1.0.dist-info/RECORD": record_row(name, b"#!python\ngood").encode()}
    entries = wheel_entries("pkg", "1.0", files)
    for entry in entries:
        entry.method = method
    with pytest.raises(WheelDamaged, match="RECORD"):
        wheel_layer([write_wheel(tmp_path, "pkg", "1.0", zip_bytes(entries))], scheme=scheme, cache=cache)
    assert [path for path in cache.folder.rglob("*") if path.is_file() and "entries" not in path.parts] == []


def test_unlisted_and_weakly_hashed_files_are_taken(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """Old wheels have them, and the wheel as a whole fits the lock."""
    record = b"pkg/b.py,md5=abc,1\npkg/gone.py,,\n"
    wheel = made_wheel(tmp_path, "pkg", {"pkg/a.py": b"1", "pkg/b.py": b"2", "pkg-1.0.dist-info/RECORD": record})
    files = layer_files(wheel, scheme, cache)
    assert files[f"{SITE}/pkg/b.py"][0] == b"2"
    assert b"gone" not in files[f"{SITE}/pkg-1.0.dist-info/RECORD"][0]


def test_shared_namespace_is_there_once(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """The same file in two wheels is no conflict, in one layer or two."""
    wheels = [
        made_wheel(tmp_path, name, {"google/__init__.py": b"same", f"google/{name}.py": name.encode()})
        for name in ("one", "two")
    ]
    layers, found = wheel_layers([tuple(wheels)], scheme=scheme, cache=cache)
    assert found == ()
    assert {f"{SITE}/google/one.py", f"{SITE}/google/two.py"} < set(files_of(layers[0]))
    layers, found = wheel_layers([(wheel,) for wheel in wheels], scheme=scheme, cache=cache)
    assert found == ()
    assert all(f"{SITE}/google/__init__.py" in files_of(layer) for layer in layers)


@pytest.mark.parametrize("together", [True, False])
def test_conflict_is_told_and_the_last_name_wins(
    tmp_path: Path, scheme: Scheme, cache: Cache, *, together: bool
) -> None:
    """Whichever layers they are in, and in whichever order they are given."""
    wheels = [made_wheel(tmp_path, name, {"tests/__init__.py": name.encode()}) for name in ("two", "one")]
    groups = [tuple(wheels)] if together else [(wheel,) for wheel in wheels]
    for _ in range(2):  # made, and remembered
        layers, (collision,) = wheel_layers(groups, scheme=scheme, cache=cache)
        place = f"{SITE}/tests/__init__.py"
        assert (collision.place, collision.kept, collision.dropped) == (place, "two", ("one",))
        contents = [files_of(layer)[place][0] for layer in layers if place in files_of(layer)]
        assert contents == [b"two"]


def test_file_and_folder_of_two_wheels_is_refused(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """No order of installation could make it work."""
    wheels = [made_wheel(tmp_path, "one", {"x": b"1"}), made_wheel(tmp_path, "two", {"x/y.py": b"2"})]
    with pytest.raises(WheelInvalid, match="cannot be installed together"):
        wheel_layers([tuple(wheels)], scheme=scheme, cache=cache)


def test_reason_names_what_changed(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """Version to version, what came and what went."""
    old = [made_wheel(tmp_path, "aa", {"aa.py": b"1"}), made_wheel(tmp_path, "bb", {"bb.py": b"1"})]
    new = [made_wheel(tmp_path, "aa", {"aa.py": b"2"}, version="2.0"), made_wheel(tmp_path, "cc", {"cc.py": b"1"})]
    reasons = [wheel_layer(wheels, scheme=scheme, cache=cache, history="project").reason for wheels in (old, old, new)]
    assert reasons == ["not in the cache", "", "aa 1.0 to 2.0, bb removed, cc added"]


def test_damaged_layer_is_made_again(wheel: Wheel, scheme: Scheme, cache: Cache) -> None:
    """And the same."""
    first = wheel_layer([wheel], scheme=scheme, cache=cache, history="p")
    path = cache.path_of(first.blob.digest)
    path.write_bytes(path.read_bytes()[:-100])
    again = wheel_layer([wheel], scheme=scheme, cache=cache, history="p")
    assert again.blob.digest == first.blob.digest
    assert again.reason == "its entry in the cache was missing or damaged"
    assert tar_of(again) == tar_of(first)


def test_large_stored_file_goes_through(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """A wheel that packs nothing: its layer does neither."""
    content = os.urandom(9 << 20)
    entries = wheel_entries("pkg", "1.0", {"big.bin": content, "small.py": b"x = 1\n"})
    for entry in entries:
        entry.method = 0
    wheel = write_wheel(tmp_path, "pkg", "1.0", zip_bytes(entries))
    layer = wheel_layer([wheel], scheme=scheme, cache=cache)
    assert files_of(layer)[f"{SITE}/big.bin"][0] == content
    assert layer.blob.size < len(content) + 20_000


def test_groups_of_many_wheels(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """Layers come in the order of the groups, however long each took."""
    wheels = [made_wheel(tmp_path, f"w{number}", {f"w{number}.py": b"1"}) for number in range(9)]
    layers, _ = wheel_layers([(wheel,) for wheel in wheels], scheme=scheme, cache=cache)
    assert [layer.name for layer in layers] == [f"wheel w{number} 1.0" for number in range(9)]
    (shared,), _ = wheel_layers(group(wheels), scheme=scheme, cache=cache)
    assert shared.name == "9 wheels"
    assert tar_of(shared).endswith(bytes(1024))


def test_scripts_are_executable_whatever_the_archive_says(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """Archives made on Windows say nothing."""
    wheel = made_wheel(tmp_path, "pkg", {"pkg-1.0.data/scripts/run": b"#!python\n"})
    assert layer_files(wheel, scheme, cache)["usr/local/bin/run"][1]


def test_symlink_in_wheel_is_refused(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """It could point anywhere, and what follows would be written through it."""
    entries = [*wheel_entries("pkg", "1.0", {}), Packed(name="pkg", content=b"/etc", mode=0o120777)]
    with pytest.raises(WheelUnsafe, match="link"):
        wheel_layer([write_wheel(tmp_path, "pkg", "1.0", zip_bytes(entries))], scheme=scheme, cache=cache)
