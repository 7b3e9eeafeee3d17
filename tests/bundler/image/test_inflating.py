"""Unpacking, held to what honest layers unpack to."""

import gzip
import random

import pytest

from bundler.image.errors import BaseInvalid
from bundler.image.inflating import Inflating


def unpacked(content: bytes, size: int = 1 << 20) -> bytes:
    """Return what bytes unpack to that come in pieces of a size."""
    inflating = Inflating("the layer")
    found = b"".join(
        piece for start in range(0, len(content), size) for piece in inflating.feed(content[start : start + size])
    )
    return found + b"".join(inflating.finish())


@pytest.mark.parametrize("size", [1, 1000, 1 << 16, 1 << 20])
def test_members_are_unpacked_one_after_the_other(size: int) -> None:
    """As many as there are, and however the bytes come."""
    noise = random.Random(1)
    parts = [noise.randbytes(noise.randrange(3000)) + b"x" * noise.randrange(20_000) for _ in range(20)]
    packed = b"".join(gzip.compress(part) for part in parts)
    assert unpacked(packed, size) == b"".join(parts)


def test_what_is_not_packed_goes_through() -> None:
    """Plain tars are layers too."""
    content = random.Random(1).randbytes(100_000)
    assert unpacked(b"t" + content, 999) == b"t" + content
    assert unpacked(b"ab") == b"ab"


def test_large_content_comes_whole() -> None:
    """What zlib still holds when all bytes are in it comes too."""
    content = bytes(5 << 20)
    assert unpacked(gzip.compress(content)) == content


def test_zeros_after_the_end_are_padding() -> None:
    """Some programs fill the last block."""
    assert unpacked(gzip.compress(b"content") + bytes(500), 13) == b"content"


@pytest.mark.parametrize("damage", ["cut", "crc", "tail", "middle"])
def test_damaged_content_is_refused(damage: str) -> None:
    """It ends too early, is not what its checksum says, or something follows."""
    packed = bytearray(gzip.compress(random.Random(1).randbytes(5000)))
    if damage == "cut":
        del packed[-9:]
    elif damage == "crc":
        packed[-8] ^= 1
    elif damage == "tail":
        packed += b"more"
    else:
        packed[100] ^= 255
        packed[20] ^= 255
    with pytest.raises(BaseInvalid, match="damaged"):
        unpacked(bytes(packed), 700)


def test_bomb_is_refused() -> None:
    """Nothing honest unpacks to a thousand times its size; what is small is not held to that."""
    packed = gzip.compress(bytes(1 << 20), 9)
    inflating = Inflating("the layer")
    given = [0]

    def feed() -> None:
        for _ in range(400):
            given.extend(len(piece) for piece in inflating.feed(packed))

    with pytest.raises(BaseInvalid, match="200 times"):
        feed()
    assert sum(given) < 300 << 20
