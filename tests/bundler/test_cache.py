"""The build cache: whole or not at all, damage noticed, several processes, a full disk."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.errors import CacheFull, CacheUnusable, DigestMismatch
from bundler.model import digest_of

CONTENT = b"content " * 1000


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache")


def stray(cache: Cache) -> list[Path]:
    """Return half-written files."""
    return list(cache.folder.glob("partial/*"))


def test_content_is_found_by_key(cache: Cache) -> None:
    """With its digest, size and facts; under this kind and key alone."""
    made = cache.put("layer", "key", CONTENT, {"diff_id": "x"})
    found = cache.find("layer", "key")
    assert found == made
    assert found is not None
    assert (found.digest, found.size, found.facts) == (digest_of(CONTENT), len(CONTENT), {"diff_id": "x"})
    with found.blob("m").open() as stream:
        assert stream.read() == CONTENT
    assert cache.find("layer", "other") is None
    assert cache.find("other", "key") is None
    assert stray(cache) == []


def test_writer_that_is_not_committed_leaves_nothing(cache: Cache) -> None:
    """Neither under its name nor half-written."""
    with cache.writer() as writer:
        writer.write(CONTENT)
        assert len(stray(cache)) == 1
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


def truncate(path: Path) -> None:
    """Cut a file off."""
    os.truncate(path, 100)


def flip(path: Path) -> None:
    """Change a byte."""
    with path.open("r+b") as file:
        file.seek(50)
        file.write(b"\xff")


def swap(path: Path) -> None:
    """Put another file of the same size in its place."""
    other = path.with_name("other")
    other.write_bytes(bytes(path.stat().st_size))
    other.replace(path)


def remove(path: Path) -> None:
    """Remove a file."""
    path.unlink()


@pytest.mark.parametrize("damage", [truncate, flip, swap, remove])
def test_damaged_content_gives_nothing_and_can_be_made_again(cache: Cache, damage: Callable[[Path], None]) -> None:
    """Also when the same content is put again without looking first."""
    path = cache.put("k", "key", CONTENT).path
    damage(path)
    assert cache.find("k", "key") is None
    cache.put("k", "key", CONTENT)
    damage(path)
    cache.put("k", "other", CONTENT)
    found = cache.find("k", "key")
    assert found is not None
    assert found.path.read_bytes() == CONTENT


@pytest.mark.parametrize("damage", [truncate, flip, swap, remove])
def test_damage_after_it_was_found_is_noticed_when_opened(cache: Cache, damage: Callable[[Path], None]) -> None:
    """Nobody uploads what is not what its digest says."""
    entry = cache.put("k", "key", CONTENT)
    damage(entry.path)
    with pytest.raises((DigestMismatch, CacheUnusable)):
        entry.blob("m").open()
    assert cache.find("k", "key") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"nonsense\n{}", b"\xff\xff"])
def test_damaged_record_gives_nothing(cache: Cache, content: bytes) -> None:
    """A record is checked as well."""
    cache.put("k", "key", CONTENT)
    (record,) = cache.folder.glob("entries/k/*/*")
    flipped = record.read_bytes().replace(b"size", b"sizf")
    for damaged in (content, flipped, record.read_bytes()[:-1]):
        record.write_bytes(damaged)
        assert cache.find("k", "key") is None
        assert cache.recall("k", "key") is None


def test_touched_content_is_read_again_once(cache: Cache) -> None:
    """A copied cache is as good as the first."""
    entry = cache.put("k", "key", CONTENT)
    os.utime(entry.path, (1, 1))
    assert cache.find("k", "key") is not None
    assert cache.find("k", "key") is not None


def test_facts_without_content(cache: Cache) -> None:
    """Remembered, replaced, and no content."""
    assert cache.recall("k", "key") is None
    cache.remember("k", "key", {"a": 1})
    cache.remember("k", "key", {"a": [2]})
    assert cache.recall("k", "key") == {"a": [2]}
    assert cache.find("k", "key") is None


def aged(cache: Cache, hours: float) -> None:
    """Let everything in a cache be older."""
    then = time.time() - hours * 3600
    for path in cache.folder.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def test_pruning_removes_what_was_not_used_for_longest(cache: Cache) -> None:
    """What was used within the hour stays even if it is too much; what is left by killed processes goes."""
    cache.put("k", "old", bytes(1000))
    cache.put("k", "kept", CONTENT)
    (cache.folder / "partial" / "left").write_bytes(b"x")
    orphan = cache.path_of("sha256:" + "ab" * 32)
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"nobody's")
    aged(cache, 5)
    cache.remember("facts", "key", {"a": 1})
    assert cache.find("k", "kept") is not None
    assert cache.prune(len(CONTENT) + 100) == 1000 + len(b"nobody's")
    assert stray(cache) == []
    assert cache.find("k", "old") is None
    assert cache.find("k", "kept") is not None
    assert cache.recall("facts", "key") == {"a": 1}
    assert cache.prune(0) == 0
    aged(cache, 5)
    assert cache.prune(0) == len(CONTENT)


def test_tidying_is_done_once_an_hour(cache: Cache) -> None:
    """By whichever build comes first then; a clock that was wrong does not put it off for ever."""
    cache.put("k", "old", CONTENT)
    aged(cache, 5)
    assert cache.tidy(0) == len(CONTENT)
    cache.put("k", "old", CONTENT)
    aged(cache, 0.5)
    for path in cache.folder.glob("blobs/??/*"):
        os.utime(path, (0, 0))
    assert cache.tidy(0) == 0
    aged(cache, -5)
    assert cache.tidy(1) == 0  # it is looked at, and what is there seems to be in use
    aged(cache, 5)
    assert cache.tidy(0) == len(CONTENT)


def test_many_writers_of_one_key(cache: Cache) -> None:
    """Threads put and find the same at the same time; every answer is right."""

    def use(number: int) -> bool:
        cache.put("k", "key", CONTENT, {"n": 1})
        found = cache.find("k", "key")
        return found is not None and found.path.read_bytes() == CONTENT and number >= 0

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(100)))
    assert stray(cache) == []


WRITES = """
import sys, itertools
from pathlib import Path
from bundler.cache import Cache
cache = Cache(Path(sys.argv[1]))
for number in itertools.count():
    with cache.writer() as writer:
        for _ in range(50):
            writer.write(bytes([number % 256]) * 20_000)
        writer.commit("k", str(number % 3), {"byte": number % 256})
    print(number, flush=True)
"""


def test_killed_process_leaves_only_whole_contents(cache: Cache) -> None:
    """Killed at ten different points: what is found is right, and the next process works on."""
    for count in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES, str(cache.folder.parent)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(count % 4 + 1):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for key in "012":
            entry = cache.find("k", key)
            if entry is not None:
                assert entry.path.read_bytes() == bytes([entry.facts["byte"]]) * 1_000_000


def test_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file")
    assert cache.find("k", "key") is None
    with pytest.raises(CacheUnusable) as raised:
        cache.put("k", "key", CONTENT)
    assert raised.value.problem.where


FILLS = """
import resource, signal, sys
from pathlib import Path
from bundler.cache import Cache
from bundler.errors import BundlerError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    Cache(Path(sys.argv[1])).put("k", "key", bytes(1_000_000))
except BundlerError as error:
    print(error.problem.code, error.problem.hint)
"""


def test_write_that_fails_is_reported_and_leaves_nothing(cache: Cache) -> None:
    """A limit of the system on file sizes, which is met in the middle of a write."""
    done = subprocess.run(
        [sys.executable, "-c", FILLS, str(cache.folder.parent)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("cache-unusable")
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 1 MiB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk_is_reported(small_disk: Path) -> None:
    """What was there before is still good."""
    cache = Cache(small_disk)
    cache.put("k", "small", CONTENT)
    with pytest.raises(CacheFull) as raised:
        cache.put("k", "large", bytes(4 << 20))
    assert os.strerror(errno.ENOSPC) in raised.value.problem.detail
    assert stray(cache) == []
    assert cache.find("k", "small") is not None
