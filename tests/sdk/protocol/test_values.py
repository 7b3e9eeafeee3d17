"""Encoded values are written and rendered without user code, and damaged ones are an error of one kind."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import ipaddress
import json
import math
import pathlib
import subprocess
import sys
import zlib
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_sdk._codec import decode, decode_error, encode, encode_error
from trigger_sdk.protocol import value_kinds as kinds
from trigger_sdk.protocol.errors import NotEncodable, ValueCorrupt, ValueTooLarge
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES, MAX_VALUE_BYTES
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_json, encode_problem, error_to_json, seal, to_json, unseal


class Kind(enum.Enum):
    """An enum."""

    BIG = "big"
    ODD = object()


@dataclasses.dataclass
class Order:
    """A dataclass."""

    id: int
    at: dt.datetime | None = None


class Point(NamedTuple):
    """A named tuple."""

    x: int


class Open(pydantic.BaseModel):
    """A model with room for more."""

    model_config = pydantic.ConfigDict(extra="allow")
    secret: pydantic.SecretStr = pydantic.SecretStr("x")
    link: pydantic.HttpUrl | None = None
    _private: int = 1


WHEN = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=ZoneInfo("Europe/Berlin"))

RENDERED: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (5, 5),
    (1.5, 1.5),
    ("ä", "ä"),
    ([1, {"a": None}], [1, {"a": None}]),
    (math.nan, "NaN"),
    ([math.inf, -math.inf], ["Infinity", "-Infinity"]),
    ({"a": [math.nan]}, {"a": ["NaN"]}),
    (b"ab", "YWI="),
    (bytearray(b"ab"), "YWI="),
    ([b"ab"], ["YWI="]),
    ({"a": b"ab"}, {"a": "YWI="}),
    ((1, (2,)), [1, [2]]),
    ({1}, [1]),
    (frozenset(("b", "a")), ["a", "b"]),
    (collections.deque([1]), [1]),
    (WHEN, "2026-01-02T03:04:05+01:00"),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (dt.time(1, 2), "01:02:00"),
    (dt.timedelta(days=1, seconds=90, microseconds=500), "P1DT90.0005S"),
    (dt.timedelta(), "PT0S"),
    (dt.timedelta(seconds=-1), "-PT1S"),
    (dt.timedelta(days=2), "P2D"),
    (Decimal("1.10"), "1.10"),
    (UUID(int=5), str(UUID(int=5))),
    (2**70, str(2**70)),
    (-(2**70), str(-(2**70))),
    (2**20000, hex(2**20000)),
    (1 + 2j, "(1+2j)"),
    (Fraction(1, 3), "1/3"),
    (range(3), [0, 3, 1]),
    (pathlib.Path("a/b"), "a/b"),
    (dt.UTC, "UTC"),
    (ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
    (ipaddress.ip_address("::1"), "::1"),
    ("\udcff", "\\udcff"),
    ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "[1, 2]": "c"}),
    (Kind.BIG, "big"),
    (Kind.ODD, "ODD"),
    ({Kind.BIG: 1}, {"big": 1}),
    (Order(1, WHEN), {"id": 1, "at": "2026-01-02T03:04:05+01:00"}),
    (Point(1), {"x": 1}),
    (collections.Counter("aa"), {"a": 2}),
    (collections.defaultdict(list, {"a": [1]}), {"a": [1]}),
    (
        Open.model_validate({"more": (1,), "link": "http://a/"}),
        {"secret": "**********", "link": "http://a/", "more": [1]},
    ),
    (msgspec.UNSET, None),
    ([Order(1)] * 2, [{"id": 1, "at": None}] * 2),
    (ValueError("x"), {"type": "ValueError", "message": "x", "traceback": "ValueError: x\n"}),
]


@pytest.mark.parametrize(("value", "rendered"), RENDERED, ids=lambda value: type(value).__name__)
def test_value_is_rendered_as_plain_json(value: Any, rendered: Any) -> None:
    """Whatever it is, the result is what json.dumps takes, and reads well."""
    assert to_json(encode(value)) == rendered
    json.dumps(to_json(encode({"a": [value]})), allow_nan=False).encode()


def test_rendering_imports_no_user_code() -> None:
    """The server has none of the user's modules, nor pydantic."""
    value = encode({"order": Order(1), "model": Open(), "kind": Kind.BIG, "error": ValueError(Order(1))})
    code = (
        "import sys\nfrom trigger_sdk.protocol.values import to_json\n"
        f"print(to_json(bytes.fromhex('{value.hex()}'))['order'])\n"
        "print([m for m in sys.modules if m.startswith(('tests', 'pydantic', 'trigger_sdk._'))])"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if "tests" not in path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "{'id': 1, 'at': None}\n[]\n"


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(st.characters())),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(st.characters(), max_size=3), inner)),
    max_leaves=20,
)


@given(json_values)
def test_plain_json_comes_back_as_it_was(value: Any) -> None:
    """What a JSON parser gives, ints of any size and lone surrogates included, with the bytes the codec writes."""
    assert decode(encode_json(value)) == value
    assert encode_json(value) == encode(value)
    json.dumps(to_json(encode_json(value)), allow_nan=False)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1: 2}, "keys in JSON are strings"),
        ({"a": {1}}, "holds a set"),
        ([dt.UTC], "holds a timezone"),
        ((1,), "holds a tuple"),
    ],
)
def test_plain_json_that_is_none_is_refused(value: Any, said: str) -> None:
    """encode_json takes plain data only."""
    with pytest.raises(NotEncodable, match=said):
        encode_json(value)


def test_plain_json_that_is_too_deep_or_a_circle_is_refused() -> None:
    """Never a RecursionError."""
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    circle: list[Any] = []
    circle.append(circle)
    for value in (deep, circle):
        with pytest.raises(NotEncodable, match="levels deep"):
            encode_json(value)


def test_value_is_compressed_when_it_is_big_and_that_helps() -> None:
    """The envelope tells which."""
    small, repetitive = b"x" * BIG_VALUE_BYTES, b"x" * (BIG_VALUE_BYTES + 1)
    assert seal(small, "x") == b"\0" + small
    packed = seal(repetitive, "x")
    assert packed[0] == kinds.ZLIB
    assert len(packed) < 2000
    assert bytes(unseal(packed)) == repetitive
    noise = zlib.compress(bytes(range(256)) * 4, 9)
    random = b"".join(zlib.compress(str(i).encode() + noise) for i in range(7000))
    assert bytes(unseal(seal(random, "x"))) == random


def test_value_over_the_limit_is_refused() -> None:
    """Before compression."""
    with pytest.raises(ValueTooLarge, match=r"^payload has 64\.0 MiB encoded; the limit is 64\.0 MiB$"):
        encode_json("x" * MAX_VALUE_BYTES)


CORRUPT = [
    b"",
    b"\0",
    b"\2\xc0",
    b"\xff",
    b"\0\xc1",
    b"\0\x91",
    b"\0\xa5abc",
    b"\0\xc0\xc0",
    b"\1",
    b"\1abc",
    b"\1" + zlib.compress(b"\xc0")[:-2],
    b"\1" + zlib.compress(b"\xc0") + b"x",
    b"\1" + zlib.compress(b"\0" * (MAX_VALUE_BYTES + 1), 1),
    b"\0" + b"\x91" * 100_000 + b"\xc0",
    b"\0\xa1\xff",
    b"\0\xc7\x01\x7f\xc0",
    b"\0\xc7\x00\xff",
    *(
        b"\0" + msgspec.msgpack.encode(msgspec.msgpack.Ext(code, data))
        for code in range(1, 30)
        if code != kinds.UNSET
        for data in (b"\xc1", b"", b"\x91", b"\xff" * 5)
        if (code, data) not in {(kinds.BIGINT, d) for d in (b"\xc1", b"", b"\x91", b"\xff" * 5)}
        and code not in {kinds.BYTEARRAY, kinds.SECRET, kinds.NOT_KEPT}
        and (code, data) != (kinds.SURROGATES, b"")
    ),
]


@pytest.mark.parametrize("value", CORRUPT, ids=lambda value: value[:8].hex() or "empty")
def test_damaged_value_is_an_error_of_one_kind(value: bytes) -> None:
    """Reading live, as JSON or as an error."""
    with pytest.raises(ValueCorrupt) as caught:
        decode(value)
    assert caught.value.problem.code == "value-corrupt"
    if value[:1] != b"\0" or not value[1:]:
        for read in (to_json, error_to_json, decode_error):
            with pytest.raises(ValueCorrupt):
                read(value)


def test_map_with_a_key_that_is_no_string_is_damaged() -> None:
    """Only PAIRS have such keys."""
    with pytest.raises(ValueCorrupt, match="not a str"):
        to_json(b"\0\x81\x91\x01\x01")


@given(st.data())
def test_value_damaged_anywhere_never_fails_otherwise(data: st.DataObject) -> None:
    """A byte changed, or the rest cut off: something is read, or it is ValueCorrupt or a problem of classes."""
    from trigger_sdk.protocol.problem import TriggerError

    error = ValueError("x", {1})
    error.add_note("note")
    value = bytearray(
        data.draw(
            st.sampled_from(
                [
                    encode(
                        {"a": [Order(1, WHEN), Kind.BIG, Point(1), {1: (2,)}, Decimal(1), UUID(int=1), 2**70, "\udcff"]}
                    ),
                    encode(
                        [
                            Open.model_validate({"more": 1}),
                            collections.deque([1], 3),
                            ipaddress.ip_address("::1"),
                            pathlib.Path("a"),
                            Fraction(1, 3),
                        ]
                    ),
                    encode_error(ExceptionGroup("g", [error])),
                    encode_problem(Problem(code="a", message="b")),
                ]
            )
        )
    )
    index = data.draw(st.integers(0, len(value) - 1))
    if data.draw(st.booleans()):
        value[index] = data.draw(st.integers(0, 255))
    else:
        del value[index:]
    for read in (decode, decode_error):
        try:
            read(bytes(value))
        except TriggerError:
            continue
    for render in (to_json, error_to_json):
        try:
            json.dumps(render(bytes(value)), allow_nan=False)
        except ValueCorrupt:
            continue


@given(st.binary(max_size=200))
def test_noise_never_fails_otherwise(noise: bytes) -> None:
    """Any bytes at all."""
    for read in (decode, to_json, error_to_json, decode_error):
        try:
            read(b"\0" + noise)
        except ValueCorrupt:
            continue
