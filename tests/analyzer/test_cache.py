"""The cache of facts: what is damaged is made anew, and what cannot be kept is no reason to fail."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from analyzer.cache import FactsCache, content_key
from analyzer.facts.module import ModuleFacts
from analyzer.facts.read import read_facts
from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_CONTENT = b"import os\n\n\ndef drop(name):\n    os.remove(name)\n"
_PROJECT: dict[str, str | bytes] = {
    "store.py": _CONTENT,
    "jobs/a.py": 'from store import drop\nfrom trigger_sdk import job\n\n\n@job(id="a")\ndef a(p):\n    drop(p)\n',
}
_FOUND = [("jobs/a.py", 7, "TRG102")]


class Reader:
    """Reads facts, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, content: bytes) -> ModuleFacts:
        """Read one content."""
        self.times += 1
        return read_facts(content)


def entries(folder: Path) -> list[Path]:
    """Return the files of a cache."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_facts_are_read_once_for_a_content(tmp_path: Path) -> None:
    """The second time, and in another process's cache, the kept facts come back, equal."""
    reader = Reader()
    first = FactsCache(tmp_path).facts(_CONTENT, reader)
    assert FactsCache(tmp_path).facts(_CONTENT, reader) == first
    assert reader.times == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[:0],
        lambda kept: kept[: len(kept) // 2],
        lambda kept: kept[:-1],
        lambda kept: kept + b"\x00",
        lambda kept: b"not msgpack" + kept,
        lambda kept: kept[::-1],
        lambda kept: msgspec.msgpack.encode({"a": kept}),
        lambda kept: msgspec.msgpack.encode(kept[:0] or None),
        lambda kept: b"\x91" * 5000 + kept,
    ],
)
def test_damaged_entry_is_made_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """Whatever the file holds, the facts are right, and are kept again."""
    reader = Reader()
    expected = FactsCache(tmp_path).facts(_CONTENT, reader)
    (entry,) = entries(tmp_path)
    entry.write_bytes(damage(entry.read_bytes()))
    assert FactsCache(tmp_path).facts(_CONTENT, reader) == expected
    assert FactsCache(tmp_path).facts(_CONTENT, reader) == expected
    assert reader.times == 2


def test_entry_that_is_a_folder_is_passed_over(tmp_path: Path) -> None:
    """Something else of that name does not stop the check, and nothing is left lying about."""
    key = content_key(_CONTENT)
    (tmp_path / key[:2] / f"{key[2:]}.msgpack").mkdir(parents=True)
    assert FactsCache(tmp_path).facts(_CONTENT, read_facts) == read_facts(_CONTENT)
    assert entries(tmp_path) == []


def test_folder_that_is_a_file_is_passed_over(tmp_path: Path) -> None:
    """Without a folder nothing is kept, and the facts are read."""
    place = tmp_path / "cache"
    place.write_text("no folder", encoding="utf-8")
    assert FactsCache(place).facts(_CONTENT, read_facts) == read_facts(_CONTENT)
    FactsCache(place).prune()


class FullDisk(FactsCache):
    """A cache on a disk on which nothing can be written."""

    def store_bytes(self, key: str, content: bytes) -> None:
        """Write to where nothing fits."""
        entry = self._place(key)
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.with_name(f"{entry.name}.{os.getpid()}.tmp").symlink_to("/dev/full")
        super().store_bytes(key, content)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_disk_keeps_nothing_and_fails_nothing(tmp_path: Path) -> None:
    """A write that fails half-way leaves no entry and no temporary file."""
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)), Path("/dev/full").open("wb") as full:
        full.write(b"x" * 100_000)
    cache = FullDisk(tmp_path)
    assert cache.facts(_CONTENT, read_facts) == read_facts(_CONTENT)
    assert list(tmp_path.rglob("*.msgpack*")) == []


def test_key_changes_with_content_and_version() -> None:
    """Another content, or another version of the facts, is another entry."""
    key = content_key(_CONTENT)
    assert key == content_key(_CONTENT)
    assert key != content_key(_CONTENT + b"\n")
    later = (
        "from analyzer.facts import module; module.VERSION += 1;"
        f"from analyzer.cache import content_key; print(content_key({_CONTENT!r}))"
    )
    same = later.replace("module.VERSION += 1;", "")
    keys = [
        subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
        for text in (same, later)
    ]
    assert keys[0] == key != keys[1]


def test_prune_keeps_the_newest_of_very_many(tmp_path: Path) -> None:
    """Over the limit, the half that was written last remains; below it, all do."""
    cache = FactsCache(tmp_path)
    for number in range(20_001):
        place = tmp_path / f"{number % 256:02x}" / f"{number}.msgpack"
        if number < 256:
            place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        os.utime(place, (number, number))
    cache.prune()
    assert sorted(int(path.stem) for path in entries(tmp_path)) == list(range(10_001, 20_001))
    cache.prune()
    assert len(entries(tmp_path)) == 10_000


_WRITER = """
import sys
from pathlib import Path
from analyzer.cache import FactsCache
from analyzer.facts.read import read_facts
for number in range(40):
    content = f"def f{number}(): return {number}\\n".encode() * 50
    assert FactsCache(Path(sys.argv[1])).facts(content, read_facts) == read_facts(content)
"""


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    """Both see whole entries, and none of their temporary files is left."""
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command) for _ in range(2)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    assert len(entries(tmp_path)) == 40
    assert all(path.suffix == ".msgpack" for path in entries(tmp_path))


def test_check_is_the_same_with_damaged_cache(project: Make, tmp_path: Path) -> None:
    """Empty, full, damaged and cut entries of all kinds give the findings that no cache gives."""
    made = project(_PROJECT)
    folder = tmp_path / "cache"
    assert made.findings() == _FOUND
    for cut in (0, 3, 50, 10_000):
        assert made.findings(cache=FactsCache(folder)) == _FOUND
        for entry in entries(folder):
            entry.write_bytes(entry.read_bytes()[cut:] + b"x" * (cut % 2))
    assert made.findings(cache=FactsCache(folder)) == _FOUND


def test_change_of_a_file_is_seen_through_the_cache(project: Make, tmp_path: Path) -> None:
    """Changed, gone and come back: what is reported is of the file as it is."""
    made = project(_PROJECT)
    cache = FactsCache(tmp_path / "cache")
    assert made.findings(cache=cache) == _FOUND
    made.write({"store.py": "def drop(name):\n    return name\n"})
    assert made.findings(cache=cache) == []
    (made.root / "store.py").unlink()
    assert made.findings(cache=cache) == []
    made.write({"store.py": _CONTENT})
    assert made.findings(cache=cache) == _FOUND
    made.write({"store/__init__.py": "def drop(name):\n    return name\n"})
    assert made.findings(cache=cache) == []
    assert made.findings(cache=cache, texts={"store/__init__.py": _CONTENT.decode()}) == _FOUND
    assert made.findings(cache=cache) == []
