"""Fields of a document that may say anything."""

from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.locks.errors import LockInvalid
from bundler.locks.fields import parse

LARGE = b"version = 1\ntime = 2026-01-01T00:00:00Z\n" + b'[[package]]\nname = "pkg"\nsize = 3\nflag = true\n' * 2000


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return an empty cache."""
    return Cache(tmp_path / "cache")


def test_large_document_is_read_once(cache: Cache) -> None:
    """From then on as JSON, with the same fields; one that has changed is read anew."""
    where = Path("uv.lock")
    first = parse(LARGE, where, cache)
    (kept,) = cache.folder.glob("blobs/??/*")
    again = parse(LARGE, where, cache)
    for fields in (first, again, parse(LARGE, where)):
        packages = fields.tables("package")
        assert (fields.size("version"), len(packages)) == (1, 2000)
        assert (packages[7].name(), packages[7].size("size"), packages[7].flag("flag")) == ("pkg", 3, True)
        assert packages[7].where == "uv.lock: package[7]"
    kept.write_bytes(b'{"version": 2}')
    assert parse(LARGE, where, cache).size("version") == 1
    assert parse(LARGE.replace(b"version = 1", b"version = 3"), where, cache).size("version") == 3


def test_small_and_broken_documents_are_not_kept(cache: Cache) -> None:
    """The one is read quickly; the other is a problem each time."""
    assert parse(b"version = 1\n", Path("uv.lock"), cache).size("version") == 1
    for _ in range(2):
        with pytest.raises(LockInvalid, match="no TOML"):
            parse(LARGE + b"[", Path("uv.lock"), cache)
    assert list(cache.folder.glob("blobs/??/*")) == []


def test_cache_that_cannot_be_written_is_no_problem(tmp_path: Path) -> None:
    """The document is read each time."""
    (tmp_path / "file").touch()
    for _ in range(2):
        assert len(parse(LARGE, Path("uv.lock"), Cache(tmp_path / "file")).tables("package")) == 2000
