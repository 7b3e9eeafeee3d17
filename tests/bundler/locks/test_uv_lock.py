"""uv.lock, as uv writes it here and as nobody should."""

import re
from pathlib import Path

import pytest

from bundler.locks.errors import LockInvalid, LockStale
from bundler.locks.model import Folder, Git, Registry
from bundler.locks.selection import select
from bundler.locks.uv_lock import read_uv_lock
from bundler.model import Platform, Target
from tests.fakes.index import FakeIndex
from tests.fakes.locking import Locked

PROJECT = """
[project]
name = "shop"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["alpha", "beta[fast]; sys_platform == 'linux'", "gone; sys_platform == 'win32'", "old; python_version < '3.12'"]

[project.optional-dependencies]
mail = ["postman"]

[dependency-groups]
dev = ["tester"]
"""  # noqa: E501


def fill(index: FakeIndex) -> None:
    """Offer what the project needs."""
    index.offer("alpha", requires=("deep>=1",))
    index.offer("beta", requires=('quick; extra == "fast"',), files=PROVIDES_FAST)
    for name in ("gone", "old", "postman", "tester", "deep", "quick"):
        index.offer(name)


PROVIDES_FAST = {
    "beta-1.0.dist-info/METADATA": (
        b"Metadata-Version: 2.1\nName: beta\nVersion: 1.0\nProvides-Extra: fast\n"
        b"Requires-Dist: quick; extra == 'fast'\n"
    )
}


def names(lock: Path, target: Target, **options: tuple[str, ...]) -> list[str]:
    """Return the names of what is chosen."""
    return [entry.name for entry in select(read_uv_lock(lock, lock.parent), target, **options)]


def test_closure_of_project_follows_extras_and_markers(locked: Locked, index: FakeIndex, target: Target) -> None:
    """What the target needs is chosen, with what that needs: no other platform's, no group, no extra."""
    fill(index)
    lock = locked.lock(PROJECT)
    assert names(lock, target) == ["alpha", "beta", "deep", "old", "quick"]
    newer = Target(python=(3, 12), platform=Platform(architecture="arm64"))
    assert names(lock, newer) == ["alpha", "beta", "deep", "quick"]


def test_groups_and_extras_are_added_on_demand(locked: Locked, index: FakeIndex, target: Target) -> None:
    """A group and an extra bring theirs; one that the lock does not know is told, with those it has."""
    fill(index)
    lock = locked.lock(PROJECT)
    assert {"tester", "postman"} <= set(names(lock, target, groups=("dev",), extras=("Mail",)))
    with pytest.raises(LockStale, match="no dependency group 'docs'; it has 'dev'"):
        names(lock, target, groups=("docs",))
    with pytest.raises(LockStale, match="no extra 'sms'; it has 'mail'"):
        names(lock, target, extras=("sms",))


def test_files_of_distributions_have_hash_size_and_index(locked: Locked, index: FakeIndex, target: Target) -> None:
    """A wheel is where the index says, with the hash that uv found."""
    fill(index)
    lock = read_uv_lock(locked.lock(PROJECT), locked.folder)
    (alpha,) = [entry for entry in select(lock, target) if entry.name == "alpha"]
    (wheel,) = alpha.wheels
    offered = index.files[wheel.filename]
    assert alpha.source == Registry(index=index.simple)
    assert wheel.url == index.url_of(offered)
    assert wheel.sha256s == {offered.sha256}


def test_workspace_and_path_dependencies_are_folders(locked: Locked, index: FakeIndex, target: Target) -> None:
    """Members and path dependencies are chosen as folders, with what they need; a member's lock is the workspace's."""
    fill(index)
    member = "[project]\nname = 'parts'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['alpha']\n"
    build = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
    locked.write(member + build, "packages/parts")
    locked.write(member.replace("parts", "aside").replace("alpha", "old") + build, "aside")
    path = locked.lock(
        "[project]\nname = 'shop'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['parts', 'aside']\n"
        "[tool.uv.workspace]\nmembers = ['packages/*']\n"
        "[tool.uv.sources]\nparts = { workspace = true }\naside = { path = 'aside' }\n"
    )
    chosen = {entry.name: entry for entry in select(read_uv_lock(path, locked.folder), target)}
    assert chosen["parts"].source == Folder(path=locked.folder / "packages" / "parts", is_editable=True)
    assert chosen["aside"].source == Folder(path=locked.folder / "aside")
    assert set(chosen) == {"aside", "parts", "alpha", "deep", "old"}
    of_member = select(read_uv_lock(path, locked.folder / "packages" / "parts"), target)
    assert [entry.name for entry in of_member] == ["alpha", "deep"]


def test_project_that_is_not_in_the_lock_is_told(locked: Locked, index: FakeIndex, tmp_path: Path) -> None:
    """Another project's lock is no lock for this one."""
    fill(index)
    with pytest.raises(LockStale, match="no entry for the project in 'other'"):
        read_uv_lock(locked.lock(PROJECT), tmp_path / "other")


def test_other_python_than_the_locked_is_told(locked: Locked, index: FakeIndex) -> None:
    """A lock for 3.11 and later says nothing of 3.10."""
    fill(index)
    lock = read_uv_lock(locked.lock(PROJECT), locked.folder)
    with pytest.raises(LockStale, match=r"the image has 3\.10"):
        select(lock, Target(python=(3, 10), platform=Platform(architecture="amd64")))


def written(folder: Path, text: str) -> Path:
    """Write a lock by hand."""
    path = folder / "uv.lock"
    path.write_text(f'version = 1\n[[package]]\nname = "shop"\nversion = "1"\nsource = {{ virtual = "." }}\n{text}')
    return path


def test_git_dependency_is_a_commit_without_login(tmp_path: Path, target: Target) -> None:
    """The commit is what counts; a login in the address is not kept."""
    commit = "a" * 40
    lock = written(
        tmp_path,
        'dependencies = [{ name = "g" }]\n[[package]]\nname = "g"\nversion = "1"\n'
        f'source = {{ git = "https://me:secret@git.example/g.git?rev=v1&subdirectory=py#{commit}" }}\n',
    )
    (chosen,) = select(read_uv_lock(lock, tmp_path), target)
    assert chosen.source == Git(url="https://git.example/g.git", commit=commit, subdirectory="py")


def test_conflicting_extras_choose_their_fork(tmp_path: Path, target: Target) -> None:
    """uv writes which of two versions an extra wants as a marker with the project's name in it."""
    lock = written(
        tmp_path,
        "[package.optional-dependencies]\n"
        "cpu = [{ name = 't', version = '1', marker = \"extra == 'extra-4-shop-cpu'\" }]\n"
        "gpu = [{ name = 't', version = '2', marker = \"extra == 'extra-4-shop-gpu'\" }]\n"
        "[[package]]\nname = 't'\nversion = '1'\nsource = { registry = 'https://i.example' }\n"
        "[[package]]\nname = 't'\nversion = '2'\nsource = { registry = 'https://i.example' }\n",
    )
    read = read_uv_lock(lock, tmp_path)
    assert [str(entry) for entry in select(read, target, extras=("gpu",))] == ["t 2"]
    with pytest.raises(LockInvalid, match="t 1 and t 2 at the same time"):
        select(read, target, extras=("cpu", "gpu"))


HOSTILE = {
    '[[package]]\nname = "a"\nsource = { editable = "a\\u0000b" }': "no path",
    '[[package]]\nname = "a"\nsource = { registry = "x" }\nwheels = [{ path = "a\\u0000b/a.whl" }]': "no path",
    "dependencies = [{ name = 'nowhere' }]": "needs nowhere, which is not in it",
    "dependencies = [{ name = '../x' }]": "no name of a distribution",
    "dependencies = 3": "no array",
    "dependencies = [{ name = 'shop', marker = 'import os' }]": "no marker",
    "[[package]]\nname = 'a'\nsource = { carrier = 'pigeon' }": "unknown kind",
    "[[package]]\nname = 'a'\nsource = { git = 'https://git.example/a' }": "without the commit",
    "[[package]]\nname = 'a'\nsource = { registry = 'x' }\nwheels = [{ url = 'https://h/a-1-py3-none-any.whl', hash = 'sha256:12' }]": "no sha256",  # noqa: E501
    "[[package]]\nname = 'a'\nsource = { registry = 'x' }\nwheels = [{ url = 'https://h/..%2f..%2f.whl' }]": "without the name",  # noqa: E501
    "[[package]]\nname = 'a'\nsource = { registry = 'x' }\nwheels = [{ url = 'h/a.whl', size = -1 }]": "no size",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_lock_is_a_problem(tmp_path: Path, target: Target, text: str) -> None:
    """What makes no sense is refused with the place and nothing else happens."""
    lock = written(tmp_path, text)
    with pytest.raises(LockInvalid, match=re.escape(HOSTILE[text])) as caught:
        select(read_uv_lock(lock, tmp_path), target)
    assert str(lock) in caught.value.problem.where


@pytest.mark.parametrize("content", [b"\xff\xfe", b"version = 1\nx = [" + b"[" * 4000, b"version = 99", b"= =", b""])
def test_lock_that_cannot_be_read_is_a_problem(tmp_path: Path, content: bytes) -> None:
    """Nonsense of any kind is refused in words."""
    path = tmp_path / "uv.lock"
    path.write_bytes(content)
    with pytest.raises(LockInvalid):
        read_uv_lock(path, tmp_path)


def test_wheels_at_a_path_an_address_and_in_a_folder(locked: Locked, index: FakeIndex, target: Target) -> None:
    """A wheel in the project, one at an address and one in a flat index are where uv says; it hashes no flat index."""
    local, remote, flat = index.offer("local"), index.offer("remote"), index.offer("flat")
    for place, offered in (("vendor", local), ("links", flat)):
        (locked.folder / place).mkdir(parents=True)
        (locked.folder / place / offered.filename).write_bytes(offered.content)
    del index.files[flat.filename]
    lock = locked.lock(
        "[project]\nname = 'shop'\nversion = '1'\nrequires-python = '>=3.11'\n"
        "dependencies = ['local', 'remote', 'flat']\n"
        "[[tool.uv.index]]\nname = 'links'\nurl = './links'\nformat = 'flat'\nexplicit = true\n"
        f"[tool.uv.sources]\nlocal = {{ path = 'vendor/{local.filename}' }}\nflat = {{ index = 'links' }}\n"
        f"remote = {{ url = '{index.url_of(remote)}' }}\n"
    )
    found = {entry.name: entry.wheels[0] for entry in select(read_uv_lock(lock, locked.folder), target)}
    assert {name: wheel.path for name, wheel in found.items()} == {
        "local": locked.folder / "vendor" / local.filename,
        "flat": locked.folder / "links" / flat.filename,
        "remote": None,
    }
    assert found["remote"].url == index.url_of(remote)
    assert {name: wheel.sha256s for name, wheel in found.items()} == {
        "local": {local.sha256},
        "remote": {remote.sha256},
        "flat": frozenset(),
    }


def test_root_without_a_project_is_its_members(locked: Locked, index: FakeIndex, target: Target) -> None:
    """The root of a workspace that is no project itself needs what all its members need, and its groups on demand."""
    fill(index)
    for name, needs in (("one", "alpha"), ("two", "old")):
        locked.write(
            f"[project]\nname = '{name}'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['{needs}']\n",
            f"packages/{name}",
        )
    lock = locked.lock("[tool.uv.workspace]\nmembers = ['packages/*']\n[dependency-groups]\ndev = ['tester']\n")
    assert names(lock, target) == ["alpha", "deep", "old"]
    assert names(lock, target, groups=("dev",)) == ["alpha", "deep", "old", "tester"]
    (own,) = select(read_uv_lock(lock, locked.folder / "packages" / "two"), target)
    assert own.name == "old"


def test_login_of_an_index_is_not_in_the_lock(locked: Locked, index: FakeIndex, target: Target) -> None:
    """An index with a login in its variable is the same index in the lock without it."""
    index.login = "me:s3cret"
    fill(index)
    locked.write(PROJECT)
    locked.run("lock", "--default-index", index.simple.replace("://", "://me:s3cret@"))
    assert "s3cret" not in (locked.folder / "uv.lock").read_text()
    assert "alpha" in names(locked.folder / "uv.lock", target)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"alpha"', '"alpha", "fresh"', "requires 'fresh', and uv.lock does not have it"),
        ('"alpha"', '"Alpha>=2"', "requires 'Alpha>=2', and uv.lock has 1.0"),
        ('["postman"]', '["postman", "fresh"]', "requires 'fresh'"),
    ],
)
def test_requirement_that_was_added_later_is_stale(
    locked: Locked, index: FakeIndex, old: str, new: str, said: str
) -> None:
    """The project was edited and not locked again: what it says is not what would be built."""
    fill(index)
    lock = locked.lock(PROJECT)
    locked.write(PROJECT.replace(old, new))
    with pytest.raises(LockStale, match=said) as raised:
        read_uv_lock(lock, lock.parent)
    assert "uv lock" in raised.value.problem.hint


def test_requirement_that_the_lock_still_fits_is_fresh(locked: Locked, index: FakeIndex) -> None:
    """Written otherwise, taken away, for no platform of the lock, the project's own extra, or overridden."""
    fill(index)
    lock = locked.lock(PROJECT)
    for old, new in (
        ('"alpha"', '"ALPHA >= 0.5, < 2"'),
        ('"alpha", ', ""),
        ("sys_platform == 'win32'", "sys_platform == 'aix'"),
        ('"alpha"', '"alpha", "shop[mail]"'),
    ):
        locked.write(PROJECT.replace(old, new))
        read_uv_lock(lock, lock.parent)
    lock = locked.lock(
        PROJECT.replace('"alpha"', '"alpha>=3"') + '\n[tool.uv]\noverride-dependencies = ["alpha==1.0"]\n'
    )
    read_uv_lock(lock, lock.parent)
