"""Deflate streams whose bytes depend on nothing but what is in them.

What zlib makes of the same input differs between its releases and its rewrites (zlib-ng, ISA-L), so a layer that it
compressed would have another digest on another machine. Here are three encoders of our own, of which the fixed Huffman
code makes two short: its codes for ASCII are eight bits long, so a run of literals is a table lookup of whole bytes.

- :func:`runs` for tar headers: repeated bytes alone are found. A header of 512 bytes takes about 150.
- :func:`compact` for text: greedy matches in a window of 32 KiB, about 40 % of the text where zlib makes 28 %.
- :func:`stored` for what is large or does not shrink: 5 bytes more for every 64 KiB.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED_BLOCK: Final = 65_535
"""Bytes that a stored block holds at most."""

_WINDOW: Final = 32_768
_LONGEST: Final = 258
_KEY: Final = 4
"""Bytes by which an earlier occurrence is found; the shortest match."""
_FLUSH_BITS: Final = 4_096
_FIRST_NINE_BIT_LITERAL: Final = 144
_FIRST_EIGHT_BIT_LENGTH: Final = 280


def _mirrored(code: int, bits: int) -> int:
    """Return a Huffman code as it stands in the stream, its first bit lowest."""
    return int(f"{code:0{bits}b}"[::-1], 2)


def _literal(byte: int) -> tuple[int, int]:
    if byte < _FIRST_NINE_BIT_LITERAL:
        return _mirrored(0x30 + byte, 8), 8
    return _mirrored(0x190 + byte - _FIRST_NINE_BIT_LITERAL, 9), 9


def _length_symbol(symbol: int) -> tuple[int, int]:
    if symbol < _FIRST_EIGHT_BIT_LENGTH:
        return _mirrored(symbol - 256, 7), 7
    return _mirrored(0xC0 + symbol - _FIRST_EIGHT_BIT_LENGTH, 8), 8


def _lengths() -> list[tuple[int, int]]:
    """Return the bits of each match length from 0 to 258, as value and number; those below 3 are none."""
    extras = [0] * 8 + [extra for extra in range(1, 6) for _ in range(4)]
    table: list[tuple[int, int]] = [(0, 0)] * 3
    for symbol, extra in enumerate(extras, 257):
        code, bits = _length_symbol(symbol)
        table.extend((code | rest << bits, bits + extra) for rest in range(1 << extra))
    return [*table[:_LONGEST], _length_symbol(285)]


def _distances() -> list[tuple[int, int, int]]:
    """Return the codes of distances as first distance, mirrored code, number of extra bits."""
    extras = [0, 0, *(extra for extra in range(14) for _ in range(2))]
    firsts = [1]
    for extra in extras[:-1]:
        firsts.append(firsts[-1] + (1 << extra))
    return [(first, _mirrored(code, 5), extra) for code, (first, extra) in enumerate(zip(firsts, extras, strict=True))]


_LITERALS: Final = [_literal(byte) for byte in range(256)]
_ASCII: Final = bytes(_LITERALS[byte][0] & 0xFF for byte in range(256))
_LENGTHS: Final = _lengths()
_DISTANCE_CODES: Final = _distances()


def _distance_index() -> bytes:
    """Return the code of each distance from 0 to 32768."""
    firsts = [first for first, _, _ in _DISTANCE_CODES] + [_WINDOW + 1]
    index = bytearray(1)
    for code, (first, following) in enumerate(pairwise(firsts)):
        index.extend(bytes((code,)) * (following - first))
    return bytes(index)


_DISTANCE_OF: Final = _distance_index()
_REPEATED: Final = re.compile(rb"(.)\1{4,}", re.DOTALL)


def _run_bits(count: int) -> tuple[int, int]:
    """Return the bits that repeat the byte before ``count`` times: matches at distance 1, whose code is five zeros."""
    value = bits = 0
    while count:
        length = count if count <= _LONGEST else min(_LONGEST, count - 3)  # no rest too short for a match
        code, size = _LENGTHS[length]
        value |= code << bits
        bits += size + 5
        count -= length
    return value, bits


_RUNS: Final = [_run_bits(count) if count >= 3 else (0, 0) for count in range(1024)]  # noqa: PLR2004 - shortest match


def runs(content: bytes) -> bytes:
    """Return a deflate stream of short, mostly repetitive ASCII; anything else is stored."""
    if not content.isascii():
        return stored(content)
    value, bits, place = 0b011, 3, 0
    for match in _REPEATED.finditer(content):
        start, end = match.span()
        literals = content[place : start + 1]
        value |= int.from_bytes(literals.translate(_ASCII), "little") << bits
        bits += 8 * len(literals)
        repeats = end - start - 1
        code, size = _RUNS[repeats] if repeats < len(_RUNS) else _run_bits(repeats)
        value |= code << bits
        bits += size
        place = end
    rest = content[place:]
    value |= int.from_bytes(rest.translate(_ASCII), "little") << bits
    bits += 8 * len(rest) + 7  # the end of the block is seven zeros
    return value.to_bytes((bits + 7) // 8, "little")


def stored(content: bytes) -> bytes:
    """Return a deflate stream of stored blocks."""
    return b"".join(stored_blocks(content, is_end=True))


def stored_blocks(content: bytes, *, is_end: bool) -> Iterator[bytes]:
    """Yield stored blocks of a part of a stream; the last part's last block ends it."""
    view = memoryview(content)
    starts = range(0, max(1, len(content)), STORED_BLOCK)
    for start in starts:
        block = view[start : start + STORED_BLOCK]
        size = len(block)
        yield (
            bytes((is_end and start == starts[-1],))
            + size.to_bytes(2, "little")
            + (size ^ 0xFFFF).to_bytes(2, "little")
        )
        yield bytes(block)


def compact(content: bytes) -> bytes:
    """Return a deflate stream of text, smaller than the text; of what does not shrink, one of stored blocks."""
    out = bytearray()
    value, bits, literal, place = 0b011, 3, 0, 0
    last: dict[bytes, int] = {}
    end = len(content) - _KEY
    while place <= end:
        key = content[place : place + _KEY]
        earlier = last.get(key)
        last[key] = place
        if earlier is None or place - earlier > _WINDOW:
            place += 1
            continue
        length = _matching(content, earlier, place)
        added, size = _literal_bits(content[literal:place])
        value |= added << bits
        bits += size
        added, size = _match_bits(length, place - earlier)
        value |= added << bits
        bits += size
        place += length
        literal = place
        last[content[place - 2 : place + 2]] = place - 2
        last[content[place - 1 : place + 3]] = place - 1
        if bits >= _FLUSH_BITS:
            out += (value & ((1 << (bits & ~7)) - 1)).to_bytes(bits // 8, "little")
            value >>= bits & ~7
            bits &= 7
    added, size = _literal_bits(content[literal:])
    value |= added << bits
    bits += size + 7
    out += value.to_bytes((bits + 7) // 8, "little")
    return bytes(out) if len(out) < len(content) else stored(content)


def _matching(content: bytes, earlier: int, place: int) -> int:
    """Return how many bytes from ``earlier`` on are those from ``place`` on, 258 at most."""
    length = _KEY
    limit = min(_LONGEST, len(content) - place)
    while (
        length + 16 <= limit
        and content[earlier + length : earlier + length + 16] == content[place + length : place + length + 16]
    ):
        length += 16
    while length < limit and content[earlier + length] == content[place + length]:
        length += 1
    return length


def _match_bits(length: int, distance: int) -> tuple[int, int]:
    value, bits = _LENGTHS[length]
    first, code, extra = _DISTANCE_CODES[_DISTANCE_OF[distance]]
    return value | (code | (distance - first) << 5) << bits, bits + 5 + extra


def _literal_bits(literals: bytes) -> tuple[int, int]:
    if literals.isascii():
        return int.from_bytes(literals.translate(_ASCII), "little"), 8 * len(literals)
    value = bits = 0
    chunks = []
    for byte in literals:
        code, size = _LITERALS[byte]
        value |= code << bits
        bits += size
        if bits >= _FLUSH_BITS:
            chunks.append((value & ((1 << (bits & ~7)) - 1)).to_bytes(bits // 8, "little"))
            value >>= bits & ~7
            bits &= 7
    whole = b"".join(chunks)
    return int.from_bytes(whole, "little") | value << 8 * len(whole), 8 * len(whole) + bits
