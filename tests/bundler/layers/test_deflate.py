"""Deflate streams: any inflater gives back what went in, and the bytes are always the same."""

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.layers import deflate, tar

PINNED = ["987fa9588030d166", "5c04cec04adcfadc", "987fa9588030d166", "fbdf7551f9244edf"]

ENCODERS = [deflate.runs, deflate.compact, deflate.stored]

repetitive = st.lists(st.tuples(st.binary(max_size=6), st.integers(0, 600)), max_size=8).map(
    lambda parts: b"".join(part * times for part, times in parts)
)


def inflated(stream: bytes) -> bytes:
    """Return what a whole stream unpacks to."""
    inflate = zlib.decompressobj(-15)
    content = inflate.decompress(stream)
    assert inflate.eof
    assert not inflate.unused_data
    return content


@pytest.mark.parametrize("encode", ENCODERS)
@given(content=st.binary(max_size=3000) | repetitive | st.text(max_size=500).map(str.encode))
def test_stream_unpacks_to_content(encode: Callable[[bytes], bytes], content: bytes) -> None:
    """Whatever is in it."""
    assert inflated(encode(content)) == content


@pytest.mark.parametrize("encode", ENCODERS)
@pytest.mark.parametrize(
    "size", [*range(255, 265), 515, 516, 517, 518, 1023, 1024, 1030, 32_767, 32_770, 65_535, 65_536, 140_000]
)
def test_stream_of_one_byte_repeated(encode: Callable[[bytes], bytes], size: int) -> None:
    """No run leaves a rest that is too short for a match, and no block is too long."""
    assert inflated(encode(b"a" * size)) == b"a" * size


def test_matches_at_each_distance_class() -> None:
    """A repetition is found up to the window's 32 KiB and unpacks, with each code of distances."""
    for exponent in range(4, 15):
        for distance in ((1 << exponent) - 1, 1 << exponent, (1 << exponent) + 1):
            filler = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(distance // 32 + 1))
            content = b"needle in a haystack" + filler[: max(0, distance - 20)] + b"needle in a haystack"
            assert inflated(deflate.compact(content)) == content


def test_text_shrinks() -> None:
    """Source text takes less than half."""
    content = Path(deflate.__file__).read_bytes()
    assert len(deflate.compact(content)) < len(content) / 2


def test_header_takes_a_quarter() -> None:
    """A tar header is mostly zeros."""
    header = tar.header("usr/local/lib/python3.11/site-packages/package/module.py", size=1234)
    assert len(deflate.runs(header)) < 140


def test_what_does_not_shrink_is_stored() -> None:
    """Noise costs five bytes for each 64 KiB."""
    noise = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(5000))
    assert len(deflate.compact(noise)) == len(noise) + 5 * 3


def test_bytes_do_not_change() -> None:
    """A release that changes them changes the digest of every image: then the kinds of the layers count up."""
    content = b"def f(x):\n    return x\n" * 9 + "äö".encode() + bytes(700)
    digests = [hashlib.sha256(encode(content)).hexdigest()[:16] for encode in ENCODERS]
    digests.append(hashlib.sha256(deflate.runs(bytes(700) + b"ascii" * 9)).hexdigest()[:16])
    assert digests == PINNED
