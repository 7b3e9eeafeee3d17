"""Tars, read piece by piece."""

import io
import random
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bundler.image.errors import BaseInvalid
from bundler.image.tar_entries import Entry, TarParser

FORMATS = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT]


@dataclass
class Heard:
    """A visitor that keeps everything."""

    entries: list[Entry] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)

    def begin(self, entry: Entry) -> None:
        """Keep an entry."""
        self.entries.append(entry)
        self.contents.append(b"")

    def data(self, piece: memoryview) -> None:
        """Keep a piece of its content."""
        self.contents[-1] += piece


def parsed(content: bytes, size: int = 1 << 20) -> Heard:
    """Return what is in a tar that comes in pieces of a size."""
    heard = Heard()
    parser = TarParser(heard, "the tar")
    for start in range(0, len(content), size):
        parser.feed(content[start : start + size])
    parser.finish()
    return heard


def made(fill: Callable[[tarfile.TarFile], object], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar that the standard library has written."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        fill(archive)
    return out.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **fields: object) -> tarfile.TarInfo:
    """Add an entry and return its header."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in fields.items():
        setattr(entry, key, value)
    archive.addfile(entry, io.BytesIO(content))
    return entry


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [1, 511, 512, 700, 1 << 20])
def test_entries_are_those_of_the_standard_library(form: int, size: int) -> None:
    """Names, kinds, sizes, targets, places and contents, however the bytes come."""
    noise = random.Random(form)
    long = "d" * 60 + "/" + "e" * 90 + "/ü" if form != tarfile.USTAR_FORMAT else "d" * 60 + "/" + "e" * 90

    def fill(archive: tarfile.TarFile) -> None:
        add(archive, "./folder", type=tarfile.DIRTYPE)
        add(archive, long, noise.randbytes(1025))
        add(archive, "empty")
        add(archive, "link", type=tarfile.SYMTYPE, linkname="t" * (90 if form == tarfile.USTAR_FORMAT else 300))
        add(archive, "hard", type=tarfile.LNKTYPE, linkname="empty")
        add(archive, "pipe", type=tarfile.FIFOTYPE)
        add(archive, "last", noise.randbytes(512))

    content = made(fill, form)
    heard = parsed(content, size)
    kinds = {tarfile.DIRTYPE: "folder", tarfile.REGTYPE: "file", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "link"}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = archive.getmembers()
        expected = [
            (each.name.removeprefix("./"), kinds.get(each.type, "other"), each.size, each.linkname) for each in members
        ]
        contents = [file.read() if each.isreg() and (file := archive.extractfile(each)) else b"" for each in members]
    assert [(each.name, each.kind, each.size, each.target) for each in heard.entries] == expected
    assert heard.contents == contents
    for entry, data in zip(heard.entries, heard.contents, strict=True):
        assert content[entry.offset : entry.offset + entry.size] == data


def test_large_numbers_of_gnu_are_read() -> None:
    """A size that needs more than eleven octal digits stands there as a binary number."""
    header = bytearray(made(lambda archive: add(archive, "large"), tarfile.GNU_FORMAT)[:512])
    header[124:136] = b"\x80" + (9 << 33).to_bytes(11, "big")
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 8 * 32)
    heard = Heard()
    TarParser(heard, "the tar").feed(bytes(header))
    assert heard.entries[0].size == 9 << 33


def test_sizes_of_links_do_not_count() -> None:
    """As for engines: a link has no content, whatever its header says."""
    content = made(lambda archive: (add(archive, "link", type=tarfile.SYMTYPE, linkname="x"), add(archive, "next")))
    header = bytearray(content[:512])
    header[124:136] = b"%011o\0" % 512
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 8 * 32)
    assert [entry.name for entry in parsed(bytes(header) + content[512:]).entries] == ["link", "next"]


def test_what_follows_the_end_means_nothing() -> None:
    """Two empty blocks end a tar; engines do not look behind them."""
    content = made(lambda archive: add(archive, "a", b"1")) + b"not a tar at all"
    assert [entry.name for entry in parsed(content).entries] == ["a"]


@pytest.mark.parametrize("name", ["../up", "a/../../up", "a/..", "/../up"])
def test_names_that_leave_the_folder_are_refused(name: str) -> None:
    """Nothing is unpacked here, but engines do."""
    with pytest.raises(BaseInvalid, match="leaves its folder"):
        parsed(made(lambda archive: add(archive, name, b"x")))


def test_absolute_names_are_taken_from_the_root() -> None:
    """As engines do."""
    assert parsed(made(lambda archive: add(archive, "/etc/passwd", b"x"))).entries[0].name == "etc/passwd"


def test_huge_names_are_refused() -> None:
    """A name is not read into memory whatever its size."""
    with pytest.raises(BaseInvalid, match="a name of"):
        parsed(made(lambda archive: add(archive, "n" * (1 << 21)), tarfile.GNU_FORMAT))


@pytest.mark.parametrize(
    "records", [b"5 a=b\n", b"99999 path=x\n", b"x path=x\n", b"-3 path=x\n", b"11 path=xy", b"8 path\n\n"]
)
def test_records_that_cannot_be_read_are_refused(records: bytes) -> None:
    """PAX records begin with their own length."""

    def fill(archive: tarfile.TarFile) -> None:
        add(archive, "pax", records, type=b"x")
        add(archive, "a", b"1")

    with pytest.raises(BaseInvalid, match="records"):
        parsed(made(fill, tarfile.USTAR_FORMAT))


@pytest.mark.parametrize("field", [b"-0000000001\0", b"99999999999\0", b"\xc0" + bytes(11), b"\x80" + b"\xff" * 11])
def test_sizes_that_are_none_are_refused(field: bytes) -> None:
    """Negative ones, and those with other digits."""
    header = bytearray(made(lambda archive: add(archive, "a", b"1"))[:512])
    header[124:136] = field
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 8 * 32)
    with pytest.raises(BaseInvalid, match="size is no number"):
        parsed(bytes(header))


@pytest.mark.parametrize("cut", [0, 100, 512, 700, 1024 + 511])
def test_incomplete_tar_is_refused(cut: int) -> None:
    """It ends within a header, a content or its padding."""
    content = made(lambda archive: (add(archive, "a", b"1" * 600), add(archive, "b", b"2")))
    with pytest.raises(BaseInvalid, match="complete"):
        parsed(content[:cut])


def test_random_bytes_are_no_tar() -> None:
    """Whatever they are, the answer is a problem."""
    noise = random.Random(1)
    for _ in range(50):
        with pytest.raises(BaseInvalid):
            parsed(noise.randbytes(5000))


def test_changed_bytes_never_raise_anything_else() -> None:
    """One changed byte in a header: it is read, or refused."""
    noise = random.Random(2)
    content = made(lambda archive: (add(archive, "ü" * 100, b"1" * 600), add(archive, "b", b"2")))
    for _ in range(500):
        changed = bytearray(content)
        changed[noise.randrange(2560)] = noise.randrange(256)
        try:
            parsed(bytes(changed), noise.choice([64, 512, 10_000]))
        except BaseInvalid:
            continue
