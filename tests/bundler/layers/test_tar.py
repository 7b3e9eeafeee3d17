"""Tar headers: read by the standard library and by GNU tar as they were meant."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.layers import tar

names = st.text(st.sampled_from("abc-._ äß漢😀"), min_size=1, max_size=90).filter(lambda part: part.strip("."))
paths = st.lists(names, min_size=1, max_size=9).map("/".join)


def read(archive: bytes) -> tarfile.TarInfo:
    """Return the only entry of an archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        (member,) = opened.getmembers()
    return member


@given(path=paths, is_directory=st.booleans(), uid=st.sampled_from([0, 10001, 2_097_151, 2_097_152, 4_000_000_000]))
def test_header_is_read_as_meant(path: str, *, is_directory: bool, uid: int) -> None:
    """Long names, other scripts and large numbers included."""
    content = b"" if is_directory else b"content"
    header = tar.header(path, size=len(content), mode=0o755, uid=uid, gid=uid, is_directory=is_directory)
    member = read(header + content + tar.padding(len(content)) + tar.END)
    assert (member.name, member.isdir(), member.size) == (path, is_directory, len(content))
    assert (member.uid, member.gid, member.mode, member.mtime) == (uid, uid, 0o755, 0)
    assert (member.uname, member.gname) == ("", "")


@pytest.mark.parametrize("length", [1, 99, 100, 101, 155, 156, 255, 256, 257, 300])
def test_ascii_names_of_all_lengths(length: int) -> None:
    """Up to 256 bytes the old fields are enough if there is a slash in the right place."""
    for path in ("x" * length, "/".join(["d" * 10] * 40)[:length].rstrip("/")):
        assert read(tar.header(path) + tar.END).name == path
    deep = "/".join(["d" * 10] * 20)
    assert len(tar.header(deep)) == tar.BLOCK


def test_size_over_eight_gibibytes() -> None:
    """What no octal field holds stands in a record."""
    info = tarfile.TarInfo.frombuf(tar.header("x", size=9 << 30)[:512], "utf-8", "strict")
    assert info.type == b"x"
    assert b"19 size=9663676416\n" in tar.header("x", size=9 << 30)


def test_gnu_tar_reads_it(tmp_path: Path) -> None:
    """The other common reader agrees."""
    if shutil.which("tar") is None:
        pytest.skip("no tar")
    names = ["a/" * 60 + "b", "ä/ö.txt", "x" * 120, "plain"]
    archive = b"".join(tar.header(name, size=1) + b"1" + tar.padding(1) for name in names) + tar.END
    (tmp_path / "a.tar").write_bytes(archive)
    listed = subprocess.run(
        ["tar", "--quoting-style=literal", "-tf", tmp_path / "a.tar"], capture_output=True, check=True
    )
    assert listed.stdout.decode().splitlines() == names
    assert listed.stderr == b""


@given(path=paths, target=st.one_of(paths, st.text("ab/", min_size=101, max_size=300)))
def test_link_is_read_as_meant(path: str, target: str) -> None:
    """Wherever it leads: long and foreign names included."""
    member = read(tar.header(path, mode=tar.LINK_MODE, target=target) + tar.END)
    assert (member.name, member.issym(), member.linkname, member.size) == (path, True, target, 0)
