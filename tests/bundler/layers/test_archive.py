"""Zip archives: honest ones are read whole, dishonest ones are refused before anything of them is used."""

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.errors import BundlerError, WheelDamaged, WheelInvalid, WheelTooLarge, WheelUnsafe
from bundler.layers.archive import Archive, Limits
from tests.fakes.zips import Packed, raw_deflate, with_zip64_end, zip_bytes

GOOD = [Packed(name="a.py", content=b"print()\n" * 50), Packed(name="b/c.bin", content=bytes(range(256)), method=0)]


def contents(path: Path, limits: Limits | None = None) -> dict[str, bytes]:
    """Return the content of each file of an archive."""
    with Archive(path, limits) as archive:
        return {member.name: b"".join(archive.content(member)) for member in archive.members}


def read(folder: Path, archive: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    """Write an archive and return the content of each of its files."""
    path = folder / "x.whl"
    path.write_bytes(archive)
    return contents(path, limits)


honest = st.builds(
    Packed,
    name=st.text(st.sampled_from("abcäß漢"), min_size=1, max_size=5),
    content=st.binary(max_size=300) | st.binary(max_size=5).map(lambda part: part * 999),
    method=st.sampled_from([0, 8]),
    flags=st.sampled_from([0, 8]),
    zip64=st.booleans(),
).filter(lambda entry: not (entry.zip64 and entry.flags))


@given(entries=st.lists(honest, max_size=6, unique_by=lambda entry: entry.name), is_long=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_honest_archive_is_read_as_zipfile_reads_it(tmp_path: Path, entries: list[Packed], *, is_long: bool) -> None:
    """Stored and deflated, with descriptors, with sizes and an end of 64 bits, in other scripts."""
    archive = zip_bytes(entries)
    if is_long:
        archive = with_zip64_end(archive)
    found = read(tmp_path, archive)
    with zipfile.ZipFile(io.BytesIO(archive)) as other:
        assert found == {name: other.read(name) for name in other.namelist()}


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_changed_byte_is_noticed_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    """An archive with a changed byte gives the same contents or an error of ours, never other contents."""
    entries = [*GOOD, Packed(name="d", content=b"descriptor" * 9, flags=8)]
    archive = bytearray(zip_bytes(entries))
    place = data.draw(st.integers(0, len(archive) - 1))
    archive[place] ^= data.draw(st.integers(1, 255))
    try:
        found = read(tmp_path, bytes(archive))
    except BundlerError:
        return
    assert sorted(found.values()) == sorted(entry.content for entry in entries)


@given(size=st.integers(0, 600))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_truncated_archive_is_refused(tmp_path: Path, size: int) -> None:
    """A download that broke off is no wheel."""
    archive = zip_bytes(GOOD)
    with pytest.raises(BundlerError):
        read(tmp_path, archive[: min(size, len(archive) - 1)])


def test_large_entry_is_read_in_pieces(tmp_path: Path) -> None:
    """An entry over 8 MiB, packed and unpacked, gives the same content."""
    noise = random.Random(1).randbytes(9 << 20)  # a seed: the same bytes each time
    entries = [
        Packed(name="deflated", content=noise),
        Packed(name="stored", content=noise, method=0),
        Packed(name="zeros", content=bytes(20 << 20), flags=8),
    ]
    found = read(tmp_path, zip_bytes(entries))
    assert found == {"deflated": noise, "stored": noise, "zeros": bytes(20 << 20)}


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../x", "a/./x", "./x", "/etc/passwd", "a//b", "a\\b", "..\\x", "C:/x", "c:x", "a\0b", "a\nb",
     "x" * 256, "d/" * 1600 + "x", "\x1b[31m", "", "..", ".", "../"],
)  # fmt: skip
def test_name_that_leaves_is_refused(tmp_path: Path, name: str) -> None:
    """Parents, absolute paths, drives, backslashes, control characters, and what no file system takes."""
    with pytest.raises(WheelUnsafe):
        read(tmp_path, zip_bytes([Packed(name=name)]))


def test_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that say they are UTF-8 and are not."""
    with pytest.raises(WheelUnsafe, match="no text"):
        read(tmp_path, zip_bytes([Packed(name=b"a\xff", flags=0x800)]))


def test_names_that_differ_in_case_are_two(tmp_path: Path) -> None:
    """Images are Linux: headers of the kernel come as xt_mark.h and xt_MARK.h, and nothing is unpacked here."""
    assert len(read(tmp_path, zip_bytes([Packed(name="xt_mark.h"), Packed(name="xt_MARK.h")]))) == 2


@pytest.mark.parametrize(
    ("entry", "error", "words"),
    [
        (Packed(name="l", content=b"/etc", mode=0o120777), WheelUnsafe, "link"),
        (Packed(name="p", mode=0o010644), WheelUnsafe, "plain file"),
        (Packed(name="d/", content=b"x", mode=0o040755), WheelUnsafe, "content"),
        (Packed(name="d", mode=0o040755), WheelUnsafe, "plain file"),
        (Packed(name="e", content=b"x", flags=1), WheelUnsafe, "encrypted"),
        (Packed(name="e", content=b"x", flags=0x41), WheelUnsafe, "encrypted"),
        (Packed(name="m", content=b"x", method=14, data=b"x"), WheelInvalid, "method"),
        (Packed(name="m", content=b"x", method=9, data=b"x"), WheelInvalid, "method"),
        (Packed(name="s", content=b"abc", method=0, central={"size": 2}), WheelUnsafe, "two sizes"),
        (Packed(name="s", content=b"abc" * 99, central={"size": 5}), WheelUnsafe, "another size"),
        (Packed(name="s", content=b"abc" * 99, central={"size": 5}, local={"size": 5}), WheelDamaged, "larger"),
        (Packed(name="s", content=b"abc", central={"size": 999}, local={"size": 999}), WheelDamaged, "directory says"),
        (Packed(name="c", content=b"abc", central={"crc": 1}, local={"crc": 1}), WheelDamaged, "directory says"),
        (Packed(name="c", content=b"abc", flags=8, local={"size": 9}), WheelUnsafe, "after its data"),
        (Packed(name="n", content=b"abc", local={"name": b"o"}), WheelUnsafe, "differently"),
        (Packed(name="n", content=b"abc", local={"name": b"nn"}), WheelUnsafe, "differently"),
        (Packed(name="x", content=b"abc", data=b"\xff\xff\xff"), WheelDamaged, "unpacked"),
        (Packed(name="x", content=b"abc", data=raw_deflate(b"abc") + b"more"), WheelDamaged, "does not end"),
        (Packed(name="x", content=b"abc", data=raw_deflate(b"abc")[:-1]), WheelDamaged, "does not end"),
        (Packed(name="x", content=b"abc", central={"packed": 5000}), WheelUnsafe, "inside"),
    ],
)  # fmt: skip
def test_dishonest_entry_is_refused(tmp_path: Path, entry: Packed, error: type[BundlerError], words: str) -> None:
    """Links, encryption, unknown methods, and every way to lie about a size, a checksum or a name."""
    with pytest.raises(error, match=words):
        read(tmp_path, zip_bytes([Packed(name="first", content=b"first"), entry]))


@pytest.mark.parametrize(
    "entries",
    [
        [Packed(name="a", content=b"1"), Packed(name="a", content=b"1")],
        [Packed(name="a", content=b"1"), Packed(name="a/b", content=b"1")],
        [Packed(name="a/b/c", content=b"1"), Packed(name="a/b", content=b"1")],
        [Packed(name="a", content=b"1", method=0), Packed(name="b", content=b"1", method=0, central={"offset": 0})],
        [Packed(name="a", content=b"1" * 99, method=0), Packed(name="a2", content=b"x", central={"offset": 9})],
    ],
)  # fmt: skip
def test_entries_that_share_are_refused(tmp_path: Path, entries: list[Packed]) -> None:
    """The same name twice, a file that is a folder as well, data of two entries in one place."""
    with pytest.raises(WheelUnsafe):
        read(tmp_path, zip_bytes(entries))


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    """Entries inside one another unpack to the square of the archive's size; here the second lies in the first."""
    inner = zip_bytes([Packed(name="in", content=b"kernel", method=0)])[: 30 + 2 + 6]
    outer = Packed(name="out", content=inner + b"rest", method=0)
    start = 30 + 3
    second = Packed(name="in", content=b"kernel", method=0, central={"offset": start})
    with pytest.raises(WheelUnsafe, match="overlaps"):
        read(tmp_path, zip_bytes([outer, second]))


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"PK\5\6",
        b"no archive at all" * 9,
        zip_bytes(GOOD, before=b"#!/bin/sh\n"),
        zip_bytes(GOOD, behind=b"x"),
        zip_bytes(GOOD) + zip_bytes(GOOD),
        zip_bytes(GOOD, count=1),
        zip_bytes(GOOD, count=3),
        zip_bytes(GOOD)[:-22] + struct.pack("<4sHHHHLLH", b"PK\5\6", 1, 0, 2, 2, 10, 10, 0),
        zip_bytes(GOOD)[:-22] + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0),
    ],
)
def test_ambiguous_archive_is_refused(tmp_path: Path, archive: bytes) -> None:
    """Something before, behind or between; ends that do not fit; no archive."""
    with pytest.raises((WheelInvalid, WheelUnsafe)):
        read(tmp_path, archive)


def test_bomb_is_refused_unread(tmp_path: Path) -> None:
    """What the directory says is enough to refuse it."""
    limits = Limits(free=1 << 20, ratio=100, total=1 << 30, entries=10)
    bomb = zip_bytes([Packed(name="zeros", content=bytes(4 << 20))])
    with pytest.raises(WheelTooLarge, match="unpacks to 4 MiB"):
        read(tmp_path, bomb, limits)
    with pytest.raises(WheelTooLarge, match="11 files"):
        read(tmp_path, zip_bytes([Packed(name=str(number)) for number in range(11)]), limits)


def test_bomb_that_lies_is_stopped_at_what_it_says(tmp_path: Path) -> None:
    """It never takes more memory than its directory admits."""
    small = {"size": 10}
    bomb = Packed(name="zeros", content=bytes(64 << 20), central=small, local=small)
    with pytest.raises(WheelDamaged, match="larger"):
        read(tmp_path, zip_bytes([bomb]))


def test_missing_file_is_reported(tmp_path: Path) -> None:
    """A store that lost it."""
    with pytest.raises(WheelInvalid, match="cannot be opened"):
        contents(tmp_path / "none.whl")
