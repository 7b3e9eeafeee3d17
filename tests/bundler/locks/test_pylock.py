"""pylock.toml, as uv exports it here and as PEP 751 has it."""

from pathlib import Path

import pytest

from bundler.locks.errors import LockInvalid, LockStale
from bundler.locks.model import Folder, Git
from bundler.locks.pylock import read_pylock
from bundler.locks.selection import select
from bundler.locks.uv_lock import read_uv_lock
from bundler.model import Platform, Target
from tests.fakes.index import FakeIndex
from tests.fakes.locking import Locked

HASH = "c" * 64


def written(folder: Path, text: str) -> Path:
    """Write a lock by hand."""
    path = folder / "pylock.toml"
    path.write_text(f'lock-version = "1.0"\ncreated-by = "test"\n{text}')
    return path


def test_export_of_uv_says_what_its_lock_says(locked: Locked, index: FakeIndex, target: Target) -> None:
    """The same distributions with the same files, whichever of the two is read."""
    index.offer("alpha", requires=("deep; python_version < '3.12'",))
    index.offer("deep")
    lock = locked.lock(
        "[project]\nname = 'shop'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['alpha']\n"
    )
    path = locked.folder / "pylock.toml"
    path.write_text(locked.run("export", "--format", "pylock.toml", "--no-emit-project"))
    for version in ((3, 11), (3, 12)):
        chosen = Target(python=version, platform=Platform(architecture="arm64"))
        ours = select(read_pylock(path, locked.folder), chosen)
        theirs = select(read_uv_lock(lock, locked.folder), chosen)
        assert [(str(one), one.wheels, one.source) for one in ours] == [
            (str(one), one.wheels, one.source) for one in theirs
        ]


def test_groups_and_extras_are_in_the_markers(tmp_path: Path, target: Target) -> None:
    """`in extras` and `in dependency_groups` say what they add."""
    path = written(
        tmp_path,
        'extras = ["mail"]\ndependency-groups = ["dev"]\n[[packages]]\nname = "always"\nversion = "1"\n'
        '[[packages]]\nname = "postman"\nversion = "1"\nmarker = "\'mail\' in extras"\n'
        '[[packages]]\nname = "tester"\nversion = "1"\nmarker = "\'dev\' in dependency_groups"\n',
    )
    lock = read_pylock(path, tmp_path)
    assert [one.name for one in select(lock, target)] == ["always"]
    assert [one.name for one in select(lock, target, ("dev",), ("mail",))] == ["always", "postman", "tester"]
    with pytest.raises(LockStale, match="no dependency group 'docs'"):
        select(lock, target, ("docs",))


def test_directories_archives_and_repositories_are_sources(tmp_path: Path, target: Target) -> None:
    """Paths are relative to the lock; the project itself is no dependency."""
    commit = "b" * 40
    path = written(
        tmp_path,
        '[[packages]]\nname = "me"\ndirectory = { path = ".", editable = true }\n'
        '[[packages]]\nname = "part"\ndirectory = { path = "parts/part" }\n'
        f'[[packages]]\nname = "g"\nvcs = {{ type = "git", url = "https://a:b@g.io/g", commit-id = "{commit}" }}\n'
        f'[[packages]]\nname = "w"\narchive = {{ path = "w-1-py3-none-any.whl", hashes = {{ sha256 = "{HASH}" }} }}\n'
        f'[[packages]]\nname = "s"\narchive = {{ url = "https://h.example/s-1.tar.gz", hashes = {{ md5 = "12" }} }}\n',
    )
    found = {one.name: one for one in select(read_pylock(path, tmp_path), target)}
    assert sorted(found) == ["g", "part", "s", "w"]
    assert found["part"].source == Folder(path=tmp_path / "parts" / "part")
    assert found["g"].source == Git(url="https://g.io/g", commit=commit)
    assert found["w"].wheels[0].path == tmp_path / "w-1-py3-none-any.whl"
    assert found["s"].sdist is not None
    assert found["s"].sdist.sha256s == frozenset()


GIT = '[[packages]]\nname = "a"\nvcs = {{ type = "git", url = "{url}", commit-id = "{commit}" }}'
HOSTILE = {
    '[[packages]]\nname = "a"\nwheels = [{ hashes = { sha256 = "12" }, url = "https://h/a.whl" }]': "no sha256",
    '[[packages]]\nname = "a"\nwheels = [{ hashes = {} }]': "neither 'url' nor 'path'",
    '[[packages]]\nname = "a"\nvcs = { type = "hg", url = "x", commit-id = "1" }': "not supported",
    GIT.format(url="ext::sh -c true", commit="a" * 40): "none of https",
    GIT.format(url="--upload-pack=x", commit="a" * 40): "none of https",
    GIT.format(url="https://-oProxyCommand=x/", commit="a" * 40): "none of https",
    GIT.format(url="https://g.io/g", commit="--help"): "without the commit",
    GIT.format(url="https://g.io/g", commit="a" * 40).replace(" }", ", subdirectory = '../x' }"): "no folder in the",
    '[[packages]]\nversion = "1"': "'name' is missing",
    'packages = "many"': "no array",
    '[[packages]]\nname = "a"\n[[packages]]\nname = "a"': "more than once",
    '[[packages]]\nname = "a"\nmarker = "1 < 2 or"': "no marker",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_lock_is_a_problem(tmp_path: Path, target: Target, text: str) -> None:
    """What makes no sense is refused in words."""
    with pytest.raises(LockInvalid, match=HOSTILE[text]):
        select(read_pylock(written(tmp_path, text), tmp_path), target)


@pytest.mark.parametrize("version", ["2.0", "new"])
def test_unknown_version_is_refused(tmp_path: Path, version: str) -> None:
    """A later major version means something else."""
    path = tmp_path / "pylock.toml"
    path.write_text(f'lock-version = "{version}"\n')
    with pytest.raises(LockInvalid, match=f"version '{version}'"):
        read_pylock(path, tmp_path)
