"""Building wheels of sources with uv and git, by backends that stand in the sources themselves."""

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from bundler.interpreter import Interpreter
from bundler.locks.errors import LockToolMissing, WheelBuildFailed, WheelMissing
from bundler.locks.model import Distribution, Folder, Git, Registry, SourceFile
from bundler.locks.tools import Tools
from bundler.model import Platform, Silent, Target
from bundler.wheels.acquiring import Acquirer
from bundler.wheels.building import Builder, fetch_sources
from tests.fakes.fetching import FetchSide
from tests.fakes.index import FakeIndex, Offered
from tests.fakes.locking import uv_program
from tests.fakes.zips import made_wheel

BACKEND = """
import pathlib, zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    with open("built.log", "a") as log: log.write("x")
    name = "pkg-1.0-TAG.whl"
    files = {"pkg.py": "x = 1", "pkg-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: pkg\\nVersion: 1.0\\n",
             "pkg-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: TAG\\n",
             "pkg-1.0.dist-info/RECORD": ""}
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as archive:
        for path, text in files.items(): archive.writestr(zipfile.ZipInfo(path), text)
    return name
"""
PYPROJECT = (
    "[project]\nname = 'pkg'\nversion = '1.0'\n"
    "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
)
PYTHON = Path(sys.executable)
HERE = Target(python=sys.version_info[:2], platform=Platform(architecture="amd64"))


def sources(folder: Path, tag: str = "py3-none-any") -> Path:
    """Write a project that builds a wheel of a tag."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND.replace("TAG", tag))
    return folder


@pytest.fixture
def builder(fetching: FetchSide, missing_service: Callable[[str], NoReturn]) -> Builder:
    """Return what builds, without the network."""
    if uv_program() is None:
        missing_service("uv")
    environ = {**os.environ, "UV_OFFLINE": "1", "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    return Builder(store=fetching.store, tools=Tools(environ=environ))


def test_folder_is_built_each_time(builder: Builder, tmp_path: Path) -> None:
    """Where nobody knows what it depends on; the same sources give the same bytes."""
    entry = Distribution(name="pkg", source=Folder(path=sources(tmp_path / "pkg")))
    first, second = (builder.build(entry, None, HERE, PYTHON) for _ in range(2))
    assert (first.name, first.version, first.filename) == ("pkg", "1.0", "pkg-1.0-py3-none-any.whl")
    assert first == second
    assert first.path.read_bytes()[:2] == b"PK"


def test_folder_of_a_usual_backend_is_built_when_it_has_changed(fetching: FetchSide, tmp_path: Path) -> None:
    """By the interpreter that is given, which need not be found by its version."""
    folder = tmp_path / "pkg"
    folder.mkdir()
    project = PYPROJECT.partition("[build-system]")[0]
    (folder / "pyproject.toml").write_text(
        f"{project}[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
    )
    made = made_wheel(tmp_path, "pkg", {"pkg.py": b"x = 1"})
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    uv.write_text(
        f"#!{sys.executable}\nimport shutil, sys\n"
        f"open({str(tmp_path / 'log')!r}, 'a').write(' '.join(sys.argv) + '\\n')\n"
        f"shutil.copytree({str(made.path.parent)!r}, sys.argv[sys.argv.index('--out-dir') + 1],"
        " ignore=lambda _, names: [name for name in names if not name.endswith('.whl')])\n"
    )
    uv.chmod(0o755)
    builder = Builder(store=fetching.store, tools=Tools(environ={"PATH": str(uv.parent)}))
    entry = Distribution(name="pkg", source=Folder(path=folder))
    interpreter = tmp_path / "venv/bin/python"
    first, second = (builder.build(entry, None, HERE, interpreter) for _ in range(2))
    assert first == second
    (folder / "more.py").write_text("x = 2\n")
    builder.build(entry, None, HERE, interpreter)
    commands = (tmp_path / "log").read_text().splitlines()
    assert len(commands) == 2
    assert all(f"--python {interpreter} " in command for command in commands)


async def test_project_of_another_python_has_its_sources_built(fetching: FetchSide, tmp_path: Path) -> None:
    """What runs this need not be the project's Python: its interpreter builds."""
    python = (HERE.python[0], HERE.python[1] + 1)
    interpreter = Interpreter(
        path=tmp_path / "python", version=python, implementation="cpython", build="", magic=""
    )  # fmt: skip
    entry = Distribution(name="pkg", source=Git(url="file:///nowhere", commit="0" * 40))
    builder = Builder(store=fetching.store, tools=Tools(environ={"PATH": ""}, beside=None))
    acquirer = Acquirer(fetcher=fetching.fetcher(), builder=builder, progress=Silent())
    with pytest.raises(LockToolMissing, match="git"):
        await acquirer.wheels([entry], replace(HERE, python=python), interpreter)
    with pytest.raises(WheelMissing, match="nothing can be built"):
        await acquirer.wheels([entry], replace(HERE, python=python), replace(interpreter, implementation="pypy"))


async def test_archive_is_fetched_checked_and_built_once(
    builder: Builder, fetching: FetchSide, index: FakeIndex, tmp_path: Path
) -> None:
    """Sources of an index are built once for a Python and a machine."""
    folder = sources(tmp_path / "pkg-1.0")
    (folder / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n")
    archive = tmp_path / "pkg-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "pkg-1.0")
    offered = index.add(Offered(project="pkg", filename=archive.name, content=archive.read_bytes()))
    sdist = SourceFile(
        filename=archive.name, url=index.url_of(offered), sha256s=frozenset((offered.sha256,))
    )  # fmt: skip
    entry = Distribution(name="pkg", version="1.0", source=Registry(index=index.simple), sdist=sdist)
    (tmp_path / "fetched").mkdir()
    place = await fetch_sources(fetching.fetcher(), entry, tmp_path / "fetched")
    assert place is not None
    assert place.name == archive.name
    wheel = builder.build(entry, place, HERE, PYTHON)
    assert wheel.sha256 == hashlib.sha256(wheel.path.read_bytes()).hexdigest()
    unable = replace(builder, tools=Tools(environ={"PATH": ""}, beside=None))
    assert unable.build(entry, place, HERE, PYTHON) == wheel


def test_repository_is_built_at_its_commit(builder: Builder, tmp_path: Path) -> None:
    """The commit that is locked is taken, whatever came after it."""
    folder = sources(tmp_path / "repository" / "python").parent
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run([*git, *command], cwd=folder, check=True, timeout=60)
    run = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    (folder / "python" / "backend.py").write_text("raise SystemExit('later')")
    subprocess.run([*git, "commit", "--quiet", "-am", "second"], cwd=folder, check=True, timeout=60)
    source = Git(url=f"file://{folder}", commit=run.stdout.strip(), subdirectory="python")
    assert builder.build(Distribution(name="pkg", version="1.0", source=source), None, HERE, PYTHON).version == "1.0"
    absent = replace(source, commit="0" * 40)
    with pytest.raises(WheelBuildFailed, match="cannot be got"):
        builder.build(Distribution(name="pkg", version="1.0", source=absent), None, HERE, PYTHON)


def test_repository_has_its_tags_and_submodules(builder: Builder, tmp_path: Path) -> None:
    """Versions are made of the one, packages of the other."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    git += ["-c", "protocol.file.allow=always"]
    (tmp_path / "part").mkdir()
    (tmp_path / "part/part.py").write_text("")
    folder = sources(tmp_path / "repository")
    describes = "import subprocess\n" + BACKEND.replace("TAG", "py3-none-any").replace(
        '    name = "pkg',
        '    told = subprocess.run(["git", "describe"], capture_output=True, text=True).stdout\n'
        '    assert told.startswith("v1.0-2-g"), told\n'
        '    assert pathlib.Path("part/part.py").is_file()\n    name = "pkg',
    )
    (folder / "backend.py").write_text(describes)
    for place, command in (
        (tmp_path / "part", ["init", "--quiet"]),
        (tmp_path / "part", ["add", "."]),
        (tmp_path / "part", ["commit", "--quiet", "-m", "part"]),
        (folder, ["init", "--quiet"]),
        (folder, ["add", "."]),
        (folder, ["commit", "--quiet", "-m", "first"]),
        (folder, ["tag", "-a", "v1.0", "-m", "v1.0"]),
        (folder, ["submodule", "--quiet", "add", "../part", "part"]),
        (folder, ["commit", "--quiet", "-m", "second"]),
        (folder, ["commit", "--quiet", "--allow-empty", "-m", "third"]),
    ):
        subprocess.run([*git, *command], cwd=place, check=True, timeout=60)
    run = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    entry = Distribution(name="pkg", version="1.0", source=Git(url=f"file://{folder}", commit=run.stdout.strip()))
    allowed = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    able = replace(builder, tools=replace(builder.tools, environ={**builder.tools.environ, **allowed}))
    assert able.build(entry, None, HERE, PYTHON).version == "1.0"


def test_wheel_that_does_not_fit_is_refused(builder: Builder, tmp_path: Path) -> None:
    """A wheel for a newer glibc, of another name or of another version is not used."""
    folder = sources(tmp_path / "pkg", f"cp{HERE.python[0]}{HERE.python[1]}-abi3-manylinux_2_99_x86_64")
    with pytest.raises(WheelMissing, match="does not run on linux/amd64"):
        builder.build(Distribution(name="pkg", source=Folder(path=folder)), None, HERE, PYTHON)
    for wrong in (Distribution(name="other"), Distribution(name="pkg", version="2.0")):
        with pytest.raises(WheelBuildFailed, match=r"gave 'pkg-1\.0"):
            builder.build(replace(wrong, source=Folder(path=folder)), None, HERE, PYTHON)


def test_library_for_a_newer_glibc_is_refused(builder: Builder, tmp_path: Path) -> None:
    """What is built here is tagged for any Linux, and needs the C library of this machine."""
    folder = sources(tmp_path / "pkg", f"cp{HERE.python[0]}{HERE.python[1]}-abi3-linux_x86_64")
    backend = (folder / "backend.py").read_text()
    for symbol, fits in (("2.36", True), ("2.4", True), ("2.37", False)):
        library = f'"pkg.so": "ELF\\0GLIBC_2.2.5\\0GLIBC_{symbol}\\0", "pkg.py"'
        (folder / "backend.py").write_text(backend.replace('"pkg.py"', library))
        if fits:
            builder.build(Distribution(name="pkg", source=Folder(path=folder)), None, HERE, PYTHON)
            continue
        with pytest.raises(WheelMissing, match=r"glibc 2\.36"):
            builder.build(Distribution(name="pkg", source=Folder(path=folder)), None, HERE, PYTHON)


def test_build_that_fails_is_told(builder: Builder, tmp_path: Path) -> None:
    """The builder's own words are in the detail."""
    folder = sources(tmp_path / "pkg")
    (folder / "backend.py").write_text("raise RuntimeError('no compiler here')")
    with pytest.raises(WheelBuildFailed, match="pkg cannot be built") as caught:
        builder.build(Distribution(name="pkg", source=Folder(path=folder)), None, HERE, PYTHON)
    assert "no compiler here" in caught.value.problem.detail
