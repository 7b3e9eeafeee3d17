"""The extension types of an encoded value: what msgpack itself has no word for.

An encoded value is one envelope byte (:data:`PLAIN` or :data:`ZLIB`) and msgpack. nil, bool, int up to 64 bits, float,
str, bytes, list and dict with str keys are msgpack's own; all else is an extension type with one of the codes below.
Its data is msgpack again (nested extension types included), unless the table says otherwise.

=============== ==============================================================================================
code            data
=============== ==============================================================================================
TUPLE           array of the members
SET, FROZENSET  array of the members, sorted by their encoded bytes, so that equal sets have equal bytes
DATETIME        [ISO 8601 with the offset if it has one, fold, zone]; zone: nil naive or fixed offset, else its key
                (str) or its name and offset [name, seconds]
DATE            raw ISO 8601 text
TIME            as DATETIME
TIMEDELTA       [days, seconds, microseconds]
DECIMAL         raw text
UUID            raw, 16 bytes
BIGINT          raw, two's complement, big-endian, for what exceeds 64 bits
COMPLEX         [real, imaginary]
BYTEARRAY       raw
PATH            [name of the pathlib class, text]
ENUM            [class ref, name or nil, value]
PAIRS           dict with keys that are not all str: array of key, value, key, value...
OBJECT          [class ref, fields (map)] or [class ref, fields, more (map)]; see _codec.classes for ``more``
EXCEPTION       map: class, base?, type, message, args (array of bin), attributes? (map of bin), notes?, traceback,
                problem?, errors? (array, of an ExceptionGroup); bin = a value's msgpack, read one by one
PROBLEM         map: the fields of a Problem
CONTAINER       subclass of a container: [class ref, the container's content, attributes (map)]
DEQUE           [maximum length or nil, members]
DEFAULTDICT     [class ref of the default factory or nil, content]
TEXT            [class ref, text] of a class that is made from text (IP addresses, URLs)
SECRET          [class ref, value] of a value that is never shown (pydantic's SecretStr)
SURROGATES      raw utf-8 with surrogates: a str that is not valid Unicode
RANGE           [start, stop, step]
FRACTION        [numerator, denominator]
ZONE            a tzinfo by itself: its key (str), or [name or nil, seconds]
NOT_KEPT        [attribute, class] of an exception's attribute that could not be stored
UNSET           no data: msgspec.UNSET
=============== ==============================================================================================

A class ref is ``module:qualified.name``, with type arguments in brackets: ``shop.models:Page[shop.models:Order]``.
"""

from __future__ import annotations

from typing import Final

PLAIN: Final = 0
"""Envelope: msgpack follows."""
ZLIB: Final = 1
"""Envelope: zlib-compressed msgpack follows."""

MAX_DEPTH: Final = 100
"""How deeply containers and objects may be nested, so that a value read far down a call stack still fits on it."""

TUPLE: Final = 1
SET: Final = 2
FROZENSET: Final = 3
DATETIME: Final = 4
DATE: Final = 5
TIME: Final = 6
TIMEDELTA: Final = 7
DECIMAL: Final = 8
UUID: Final = 9
BIGINT: Final = 10
COMPLEX: Final = 11
BYTEARRAY: Final = 12
PATH: Final = 13
ENUM: Final = 14
PAIRS: Final = 15
OBJECT: Final = 16
EXCEPTION: Final = 17
PROBLEM: Final = 18
CONTAINER: Final = 19
DEQUE: Final = 20
DEFAULTDICT: Final = 21
TEXT: Final = 22
SECRET: Final = 23
SURROGATES: Final = 24
RANGE: Final = 25
FRACTION: Final = 26
ZONE: Final = 27
NOT_KEPT: Final = 28
UNSET: Final = 29
