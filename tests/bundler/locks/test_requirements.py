"""Requirements files: as pip reads them, completed by uv, and never other files than those with the hashes."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.locks.errors import LockInvalid, LockNotFound
from bundler.locks.reading import read_lock
from bundler.locks.requirements_file import read_requirements_file, requirements_of
from bundler.locks.resolved import Wanted
from bundler.locks.selection import select
from bundler.locks.tools import Tools
from bundler.model import Target
from tests.fakes.index import FakeIndex
from tests.fakes.locking import Locked

HASH = "a" * 64
PROJECT = "[project]\nname = 'shop'\nversion = '1'\nrequires-python = '>=3.11'\ndependencies = ['alpha', 'old; python_version < \"3.11\"']\n"  # noqa: E501


def tools(locked: Locked) -> Tools:
    """Return uv, with its index."""
    return Tools(environ=locked.environ)


def wanted(folder: Path, **options: tuple[str, ...]) -> Wanted:
    """Return what a project's lock is read for."""
    return Wanted(project=folder, python=(3, 11), **options)


def test_lines_are_read_as_pip_does(tmp_path: Path) -> None:
    """Comments, continued lines, options, hashes, markers, addresses, nested files and constraints."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("-r ../main.txt\nidna==3.10  # again\n-c limits.txt\n")
    (tmp_path / "more" / "limits.txt").write_text("urllib3<2\n")
    path = tmp_path / "main.txt"
    path.write_text(
        "# a comment \\\n--index-url https://i.example/simple\n-rmore/base.txt\n"
        "Ruamel.Yaml[a, b]==0.18 ; python_version < '3.13' \\\n"
        f"    --hash=sha256:{HASH} \\\n    --hash=sha512:{HASH}{HASH}  # via me\n"
        "g @ git+https://git.example/g@v1\n-e ./part\n./wheels/x-1-py3-none-any.whl\nhttpx>=0.27,==0.28.*\n"
    )
    found = read_requirements_file(path)
    assert [line.name for line in found.lines] == ["idna", "ruamel-yaml", "g", "", "", "httpx"]
    yaml = found.lines[1]
    assert (yaml.version, yaml.sha256s, yaml.where) == ("0.18", frozenset((HASH,)), f"{path}:4")
    assert [line.name for line in found.constraints] == ["urllib3"]
    assert len(found.files) == 3
    assert (found.is_hashed, found.is_pinned) == (True, False)


HOSTILE = {
    b"-r https://evil.example/r.txt": "over the network",
    b"--evil": "no option",
    b"idna==3 --hash=sha256:12": "no sha256",
    b"idna==3 --run=x": "no option of a requirement",
    b"= = =": "no requirement",
    b"\xff\xfe\xff": "no text",
    b"-r 'unclosed": "without its one value",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_lines_that_make_no_sense_are_problems(tmp_path: Path, text: bytes) -> None:
    """Each is refused with its file and line."""
    with pytest.raises(LockInvalid, match=HOSTILE[text]) as caught:
        requirements_of(text, tmp_path / "r.txt")
    assert "r.txt" in caught.value.problem.where


def test_nested_file_that_is_missing_is_told(tmp_path: Path) -> None:
    """A file that is included and is not there is a problem with its path."""
    with pytest.raises(LockNotFound) as caught:
        requirements_of(b"-r gone.txt", tmp_path / "r.txt")
    assert "gone.txt" in caught.value.problem.where


def test_requirement_without_hash_among_others_is_refused(tmp_path: Path) -> None:
    """As with pip, one hash means that all must have one; other algorithms than sha256 are none."""
    found = requirements_of(f"a==1 --hash=sha256:{HASH}\nb==2\n".encode(), tmp_path / "r.txt")
    with pytest.raises(LockInvalid, match="'b==2' has no hash"):
        found.hashes()
    found = requirements_of(b"a==1 --hash=md5:12\n", tmp_path / "r.txt")
    with pytest.raises(LockInvalid, match="only hashes that are not sha256"):
        found.hashes()


def test_exported_file_has_only_the_locked_files(locked: Locked, index: FakeIndex, target: Target) -> None:
    """What `uv export` writes gives the wheels of the lock; a wheel that the index replaced is refused."""
    index.offer("alpha", requires=("deep",))
    index.offer("old")
    index.offer("deep")
    locked.lock(PROJECT)
    (locked.folder / "requirements.txt").write_text(locked.run("export", "--no-emit-project"))
    (locked.folder / "uv.lock").unlink()
    lock = read_lock(wanted(locked.folder), tools(locked))
    assert (lock.kind, lock.notes) == ("requirements", ())
    chosen = select(lock, target)
    assert [entry.name for entry in chosen] == ["alpha", "deep"]
    assert [wheel.sha256s for entry in chosen for wheel in entry.wheels] == [
        {index.files[f"{name}-1.0-py3-none-any.whl"].sha256} for name in ("alpha", "deep")
    ]
    index.offer("deep", files={"evil.py": b"boom"})
    with pytest.raises(LockInvalid, match=r"no file of deep 1\.0 that the index has is one of those"):
        read_lock(wanted(locked.folder), tools(locked))


def test_plain_file_is_resolved_and_said_so(locked: Locked, index: FakeIndex, target: Target) -> None:
    """Without hashes what is needed is found now, with a note; paths in it are those of the project."""
    index.offer("alpha", requires=("deep",))
    index.offer("deep")
    build = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
    locked.write(f"[project]\nname = 'part'\nversion = '1'\ndependencies = []\n{build}", "part")
    (locked.folder / "requirements.txt").write_text("alpha\n-e ./part\n")
    lock = read_lock(wanted(locked.folder), tools(locked))
    assert "does not pin every version" in lock.notes[0]
    chosen = {entry.name: entry for entry in select(lock, target)}
    assert sorted(chosen) == ["alpha", "deep", "part"]
    assert getattr(chosen["part"].source, "path", None) == locked.folder / "part"
    (locked.folder / "requirements.txt").write_text("alpha==1.0\ndeep==1.0\n")
    assert "has no hashes" in read_lock(wanted(locked.folder), tools(locked)).notes[0]


def test_project_without_lock_is_resolved_with_groups_and_extras(
    locked: Locked, index: FakeIndex, target: Target
) -> None:
    """uv resolves it now, and the note says so."""
    for name in ("alpha", "tester", "postman"):
        index.offer(name)
    locked.write(
        "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['alpha']\n"
        "[project.optional-dependencies]\nmail = ['postman']\n[dependency-groups]\ndev = ['tester']\n"
    )
    asked = wanted(locked.folder, groups=("dev",), extras=("mail",))
    lock = read_lock(asked, tools(locked))
    assert lock.kind == "resolved"
    assert "resolved now" in lock.notes[0]
    assert [entry.name for entry in select(lock, target, ("dev",), ("mail",))] == ["alpha", "postman", "tester"]


def test_project_without_dependencies_needs_no_tool(tmp_path: Path, target: Target) -> None:
    """Nothing is needed and nobody is asked."""
    nothing = Tools(environ={}, beside=None)
    assert select(read_lock(wanted(tmp_path), nothing), target) == ()
    (tmp_path / "requirements.txt").write_text("# none\n")
    assert select(read_lock(wanted(tmp_path), nothing), target) == ()


@pytest.mark.parametrize("name", ["gone.lock", "Pipfile.lock"])
def test_lock_that_is_none_is_told(tmp_path: Path, name: str) -> None:
    """A lock that was named must be there, and of a known kind."""
    (tmp_path / "Pipfile.lock").write_text("{}")
    with pytest.raises(LockNotFound if name == "gone.lock" else LockInvalid, match=name):
        read_lock(wanted(tmp_path), Tools(environ={}), name)


def test_hashed_file_is_completed_once(locked: Locked, index: FakeIndex, target: Target, tmp_path: Path) -> None:
    """What depends on nothing but the file and the configuration is kept; another index is asked anew."""
    offered = index.offer("alpha")
    locked.folder.mkdir()
    (locked.folder / "requirements.txt").write_text(f"alpha==1.0 --hash=sha256:{offered.sha256}\n")
    kept = Tools(environ=locked.environ, cache=Cache(tmp_path / "cache"))
    first = read_lock(wanted(locked.folder), kept)
    index.requests.clear()
    assert read_lock(wanted(locked.folder), kept) == first
    assert index.requests == []
    other = Tools(environ={**locked.environ, "UV_INDEX_STRATEGY": "first-index"}, cache=Cache(tmp_path / "cache"))
    assert select(read_lock(wanted(locked.folder), other), target) == select(first, target)
    assert index.requests != []
