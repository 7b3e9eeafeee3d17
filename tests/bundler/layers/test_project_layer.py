"""The layers of the project and of the SDK."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.errors import BytecodeFailed, FileChanged, SdkNotFound
from bundler.interpreter import read_interpreter
from bundler.layers.bytecode import Compiler, Skipped, compiler_for
from bundler.layers.project_layer import project_layer
from bundler.layers.scheme import Scheme
from bundler.layers.sdk_layer import sdk_layer
from bundler.layers.wheel_layer import wheel_layer
from bundler.model import Platform, ProjectFile, Target
from tests.fakes.layer_reading import files_of, members_of
from tests.fakes.zips import made_wheel

HERE = (sys.version_info[0], sys.version_info[1])
JOB = b"import time\n\ndef body(x):\n    return time.time() + x\n" * 50


def write(root: Path, files: dict[str, bytes]) -> list[ProjectFile]:
    """Write a project and return its files, sorted."""
    for place, content in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(content)
    return [
        ProjectFile(place=place, source=root / place, size=len(content), is_executable=place.endswith(".sh"))
        for place, content in sorted(files.items())
    ]


@pytest.fixture
def compiler(cache: Cache) -> Compiler:
    """Return what compiles for the Python that runs the tests."""
    target = Target(python=HERE, platform=Platform(architecture="amd64"))
    found = compiler_for(target, read_interpreter(Path(sys.executable), cache))
    assert isinstance(found, Compiler)
    return found


FILES = {"jobs/a.py": JOB, "jobs/__init__.py": b"", "data/x.bin": bytes(range(256)), "run.sh": b"#!/bin/sh\n"}


def test_files_are_the_users(tmp_path: Path, cache: Cache) -> None:
    """Under the root, owned by the user that runs them, without times."""
    layer = project_layer(write(tmp_path / "p", FILES), cache=cache, root="/opt/app", uid=7, gid=8)
    files = files_of(layer)
    assert {path: content for path, (content, _) in files.items()} == {f"opt/app/{p}": c for p, c in FILES.items()}
    assert [path for path, (_, is_executable) in files.items() if is_executable] == ["opt/app/run.sh"]
    members = members_of(layer)
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(7, 8, 0)}
    assert members["opt/app"].isdir()
    assert "opt" not in members


def test_same_tree_same_bytes(tmp_path: Path, cache: Cache) -> None:
    """In another folder, with other times and permissions, a cold cache and without a history."""
    first = write(tmp_path / "one", FILES)
    second = write(tmp_path / "two", FILES)
    for file in second:
        os.utime(file.source, (1, 1))
        file.source.chmod(0o600)
    one = project_layer(first, cache=cache, history="one")
    two = project_layer(second, cache=Cache(tmp_path / "other"))
    assert (one.blob.digest, one.diff_id) == (two.blob.digest, two.diff_id)


def test_changed_line_is_named_and_packed_alone(tmp_path: Path, cache: Cache) -> None:
    """The reason names the file; with the history the bytes are those of a build without it."""
    files = write(tmp_path / "p", FILES)
    project_layer(files, cache=cache, history="p")
    assert project_layer(files, cache=cache, history="p").reason == ""
    files = write(tmp_path / "p", {**FILES, "jobs/a.py": JOB + b"x = 1\n", "jobs/new.py": b"y = 2\n"})
    layer = project_layer(files, cache=cache, history="p")
    assert layer.reason == "jobs/a.py changed, jobs/new.py added"
    assert layer.blob.digest == project_layer(files, cache=Cache(tmp_path / "cold")).blob.digest


def test_large_file_goes_through(tmp_path: Path, cache: Cache) -> None:
    """In pieces, as it is."""
    content = os.urandom(3 << 20)
    layer = project_layer(write(tmp_path / "p", {"model.bin": content}), cache=cache)
    assert files_of(layer)["app/model.bin"][0] == content


def test_file_that_changes_meanwhile_is_reported(tmp_path: Path, cache: Cache) -> None:
    """It went away, or grew after it was listed."""
    files = write(tmp_path / "p", {"a.py": b"1", "big.bin": bytes(3 << 20)})
    (tmp_path / "p" / "big.bin").write_bytes(bytes((3 << 20) + 1))
    with pytest.raises(FileChanged, match="changed while"):
        project_layer(files, cache=cache)
    (tmp_path / "p" / "a.py").unlink()
    with pytest.raises(FileChanged, match="cannot be read"):
        project_layer(files, cache=cache)


def test_place_outside_the_root_is_a_mistake(tmp_path: Path, cache: Cache) -> None:
    """Whoever lists the files makes sure of it; nothing is written if not."""
    (file,) = write(tmp_path / "p", {"a.py": b"1"})
    for place in ("../a.py", "/a.py"):
        moved = ProjectFile(place=place, source=file.source, size=1)
        with pytest.raises(ValueError, match=r"a\.py"):
            project_layer([moved], cache=cache)


def test_project_bytecode_is_what_the_worker_makes(tmp_path: Path, cache: Cache, compiler: Compiler) -> None:
    """The worker's own cache finds it valid; a file with an error is left to whoever imports it."""
    from trigger_sdk._runtime import bytecode_cache

    files = write(tmp_path / "p", {"jobs/a.py": JOB, "jobs/broken.py": b"def ("})
    found = files_of(project_layer(files, cache=cache, compiler=compiler))
    place = bytecode_cache.cache_path("/app/jobs/a.py").lstrip("/")
    assert set(found) == {"app/jobs/a.py", "app/jobs/broken.py", place}
    code = bytecode_cache.unpack(found[place][0], JOB, "/app/jobs/a.py")
    assert code is not None
    assert "__trigger_pick__" in str(
        [constant.co_names for constant in code.co_consts if hasattr(constant, "co_names")]
    )


def test_bytecode_of_wheels_is_reproducible_and_unchecked(tmp_path: Path, scheme: Scheme, compiler: Compiler) -> None:
    """The flag says that nobody looks at the source; it holds the image's path; two compilations are one."""
    wheel = made_wheel(
        tmp_path, "pkg", {"pkg/a.py": b"NAMES = {'a', 'b', 'c'}\ndef f(x): return x in {'d', 'e', 'f'}\n"}
    )
    layers = [wheel_layer([wheel], scheme=scheme, cache=Cache(tmp_path / str(n)), compiler=compiler) for n in range(2)]
    assert layers[0].blob.digest == layers[1].blob.digest
    found = files_of(layers[0])
    (place,) = (path for path in found if path.endswith(".pyc"))
    assert re.fullmatch(r".*/pkg/__pycache__/a\.cpython-\d+\.pyc", place)
    assert int.from_bytes(found[place][0][4:8], "little") == 1
    assert b"/usr/local/lib/python3.11/site-packages/pkg/a.py" in found[place][0]
    assert b"__pycache__/a.cpython" in found[next(p for p in found if p.endswith("/RECORD"))][0]


def test_bytecode_for_another_python_is_skipped(cache: Cache) -> None:
    """And said so, also when it is remembered what the interpreter is."""
    target = Target(python=(3, 99), platform=Platform(architecture="amd64"))
    for _ in range(2):
        decision = compiler_for(target, read_interpreter(Path(sys.executable), cache))
        assert isinstance(decision, Skipped)
        assert "the image has Python 3.99" in decision.reason


def test_interpreter_that_cannot_compile_is_reported(tmp_path: Path) -> None:
    """It ends with an error, or breaks off."""
    broken = tmp_path / "python"
    broken.write_bytes(b"#!/bin/sh\necho broken >&2\nexit 4\n")
    broken.chmod(0o755)
    with pytest.raises(BytecodeFailed, match="code 4") as raised:
        Compiler(interpreter=broken, identity="x").plain([("a.py", b"")])
    assert "broken" in raised.value.problem.detail
    broken.write_bytes(b"#!/bin/sh\ncat > /dev/null\nprintf 'xx'\n")
    with pytest.raises(BytecodeFailed, match="broke off"):
        Compiler(interpreter=broken, identity="x").plain([("a.py", b"")])


def test_installed_sdk_is_a_layer(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """Its sources and metadata, the same from any folder; nothing of the machine is in it."""
    layer = sdk_layer(scheme=scheme, cache=cache, history="p")
    files = files_of(layer)
    site = scheme.purelib
    assert {f"{site}/trigger_sdk/worker.py", f"{site}/trigger_sdk/py.typed"} <= set(files)
    assert [path for path in files if "__pycache__" in path] == []
    (record,) = (path for path in files if path.endswith(".dist-info/RECORD"))
    listed = files[record][0].decode()
    assert all(path.removeprefix(f"{site}/") in listed for path in files)
    assert layer.name.startswith("trigger-sdk ")
    import trigger_sdk

    copy = shutil.copytree(Path(trigger_sdk.__file__).parent, tmp_path / "copy", ignore=shutil.ignore_patterns("*.pyc"))
    again = sdk_layer(scheme=scheme, cache=Cache(tmp_path / "other"), package=copy)
    assert again.blob.digest == layer.blob.digest
    assert sdk_layer(scheme=scheme, cache=cache, history="p").reason == ""


def test_sdk_from_a_wheel_is_a_layer(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """When the image shall have another one than is installed."""
    wheel = made_wheel(tmp_path, "trigger_sdk", {"trigger_sdk/__init__.py": b""})
    layer = sdk_layer(wheel, scheme=scheme, cache=cache)
    assert f"{scheme.purelib}/trigger_sdk/__init__.py" in files_of(layer)


def test_sdk_without_sources_is_reported(tmp_path: Path, scheme: Scheme, cache: Cache) -> None:
    """A folder that has none."""
    with pytest.raises(SdkNotFound, match="no sources"):
        sdk_layer(scheme=scheme, cache=cache, package=tmp_path)
