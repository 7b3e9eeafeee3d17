"""Tar headers with nothing of the machine in them: ustar, and PAX records where a name or a number does not fit."""

from __future__ import annotations

from typing import Final

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
"""What ends an archive."""

FILE_MODE: Final = 0o644
EXECUTABLE_MODE: Final = 0o755
LINK_MODE: Final = 0o777
"""Nobody looks at the mode of a link; this is what Linux says of one."""

_NAME: Final = 100
_PREFIX: Final = 155
_MOST_OCTAL_7: Final = 0o7777777
_MOST_OCTAL_11: Final = 0o77777777777
_PAX_NAME: Final = b"././@PaxHeader"


def padding(size: int) -> bytes:
    """Return the zeros that fill the last block of a content."""
    return bytes(-size % BLOCK)


def header(
    path: str,
    *,
    size: int = 0,
    mode: int = FILE_MODE,
    uid: int = 0,
    gid: int = 0,
    is_directory: bool = False,
    target: str = "",
) -> bytes:
    """Return the header of an entry: one block, or three and more with PAX records before it.

    Args:
        path: in the image, without a slash in front.
        size: of the content that follows, in bytes.
        mode: permission bits.
        uid: number of the owner.
        gid: number of the owner's group.
        is_directory: whether it is a folder; its name gets a slash.
        target: what it leads to, if it is a symbolic link.
    """
    name = (f"{path}/" if is_directory else path).encode()
    records = b""
    prefix, short = _split(name)
    if short is None:
        records += _record(b"path", name)
        short = name.decode().encode("ascii", "replace")[:_NAME]
    link = target.encode()
    if len(link) > _NAME or not link.isascii():
        records += _record(b"linkpath", link)
        link = target.encode("ascii", "replace")[:_NAME]
    for field, number, most in (
        (b"gid", gid, _MOST_OCTAL_7),
        (b"size", size, _MOST_OCTAL_11),
        (b"uid", uid, _MOST_OCTAL_7),
    ):
        if number > most:
            records += _record(field, str(number).encode())
    kind = b"5" if is_directory else b"2" if target else b"0"
    block = _block(
        short,
        link=link,
        prefix=prefix,
        kind=kind,
        mode=mode,
        uid=uid if uid <= _MOST_OCTAL_7 else 0,
        gid=gid if gid <= _MOST_OCTAL_7 else 0,
        size=size if size <= _MOST_OCTAL_11 else 0,
    )
    if not records:
        return block
    extended = _block(_PAX_NAME, prefix=b"", kind=b"x", mode=FILE_MODE, uid=0, gid=0, size=len(records))
    return extended + records + padding(len(records)) + block


def _split(name: bytes) -> tuple[bytes, bytes | None]:
    """Return prefix and name as ustar has them; the name is None when it needs a PAX record."""
    if not name.isascii():
        return b"", None
    if len(name) <= _NAME:
        return b"", name
    cut = name.find(b"/", len(name) - _NAME - 1, len(name) - 1)
    if 0 < cut <= _PREFIX:
        return name[:cut], name[cut + 1 :]
    return b"", None


def _record(field: bytes, value: bytes) -> bytes:
    """Return a PAX record, whose length counts its own digits."""
    plain = len(field) + len(value) + 3
    length = plain + len(str(plain))
    length = plain + len(str(length))
    return b"%d %b=%b\n" % (length, field, value)


def _block(
    name: bytes, *, prefix: bytes, kind: bytes, mode: int, uid: int, gid: int, size: int, link: bytes = b""
) -> bytes:
    before = b"%b%07o\0%07o\0%07o\0%011o\0%011o\0" % (name.ljust(_NAME, b"\0"), mode, uid, gid, size, 0)
    after = b"%b%bustar\00000" % (kind, link.ljust(_NAME, b"\0"))
    after = after.ljust(189, b"\0") + prefix.ljust(_PREFIX + 12, b"\0")
    return b"%b%06o\0 %b" % (before, sum(before) + sum(after) + 8 * 0x20, after)
