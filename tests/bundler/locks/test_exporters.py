"""Locks of poetry and pdm by way of their exporters, which stand here as programs that print what those print."""

from pathlib import Path

import pytest

from bundler.locks.errors import LockToolFailed, LockToolMissing
from bundler.locks.reading import find_lock, read_lock
from bundler.locks.resolved import Wanted
from bundler.locks.selection import select
from bundler.locks.tools import Tools
from bundler.model import Target
from tests.fakes.index import FakeIndex
from tests.fakes.locking import Locked


def program(folder: Path, name: str, script: str) -> Path:
    """Write a program that records its arguments."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "$@" > "{folder}/{name}.arguments"\n{script}\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("poetry", "export --format requirements.txt --with dev --extras mail"),
        ("pdm", "export --format requirements --no-self --prod --group dev --group mail"),
    ],
)
def test_lock_is_read_by_its_exporter(
    locked: Locked, index: FakeIndex, target: Target, tmp_path: Path, tool: str, arguments: str
) -> None:
    """What the exporter prints is what is locked, with its hashes; the groups and extras are its affair."""
    offered = index.offer("alpha")
    locked.folder.mkdir(parents=True)
    (locked.folder / f"{tool}.lock").write_text("# made by it")
    bin_folder = tmp_path / "bin"
    program(bin_folder, tool, f"echo 'alpha==1.0 ; python_version >= \"3.11\" --hash=sha256:{offered.sha256}'")
    environ = {**locked.environ, "PATH": f"{bin_folder}:{locked.environ['PATH']}"}
    wanted = Wanted(project=locked.folder, python=(3, 11), groups=("dev",), extras=("mail",))
    lock = read_lock(wanted, Tools(environ=environ))
    assert lock.kind == tool
    (alpha,) = select(lock, target, ("dev",), ("mail",))
    assert [wheel.sha256s for wheel in alpha.wheels] == [{offered.sha256}]
    assert (bin_folder / f"{tool}.arguments").read_text().strip() == arguments


@pytest.mark.parametrize("tool", ["poetry", "pdm"])
def test_exporter_that_is_missing_is_named(tmp_path: Path, tool: str) -> None:
    """The problem names the program and the whole command."""
    (tmp_path / f"{tool}.lock").write_text("")
    with pytest.raises(LockToolMissing, match=f"'{tool}' is needed to read {tool}.lock") as caught:
        read_lock(Wanted(project=tmp_path, python=(3, 11)), Tools(environ={"PATH": ""}, beside=None))
    assert f"{tool} export" in caught.value.problem.detail


def test_exporter_that_fails_is_told_without_logins(tmp_path: Path) -> None:
    """Its own words are in the detail, without the login of an address."""
    (tmp_path / "poetry.lock").write_text("")
    program(tmp_path / "bin", "poetry", "echo 'no https://me:s3cret@i.example/simple' >&2; exit 3")
    tools = Tools(environ={"PATH": f"{tmp_path / 'bin'}:/bin:/usr/bin"})
    with pytest.raises(LockToolFailed, match="ended with 3") as caught:
        read_lock(Wanted(project=tmp_path, python=(3, 11)), tools)
    assert caught.value.problem.detail == "no https://***@i.example/simple"


def test_exporter_that_hangs_is_ended(tmp_path: Path) -> None:
    """A program that waits for somebody is ended."""
    (tmp_path / "pdm.lock").write_text("")
    program(tmp_path / "bin", "pdm", "exec sleep 60")
    tools = Tools(environ={"PATH": f"{tmp_path / 'bin'}:/bin:/usr/bin"}, timeout=0.3)
    with pytest.raises(LockToolFailed, match="did not end"):
        read_lock(Wanted(project=tmp_path, python=(3, 11)), tools)


def test_uv_lock_comes_before_all_others(tmp_path: Path) -> None:
    """Of several locks the first of the list counts; a member finds its workspace's."""
    for name in ("requirements.txt", "poetry.lock", "uv.lock"):
        (tmp_path / name).write_text('[[package]]\nsource = { editable = "packages/part" }\n')
    assert find_lock(tmp_path) == tmp_path / "uv.lock"
    member, stranger = tmp_path / "packages" / "part", tmp_path / "packages" / "stranger"
    for folder in (member, stranger):
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text("")
    assert find_lock(member) == tmp_path / "uv.lock"
    assert find_lock(stranger) is None
