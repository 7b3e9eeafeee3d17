"""Which payloads match which filters."""

from __future__ import annotations

import pytest

from engine.operations.matching import canonical, first_key, matches, values_at

PAYLOAD = {
    "id": 7, "name": "ann", "ok": True, "none": None, "items": [3, 4], "user": {"id": "u1", "tags": ["a", "b"]},
    "lines": [{"sku": "x"}, {"sku": "y"}], "a.b": {"c": 1}, "price": 2.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({}, True),
        ({"id": [7]}, True),
        ({"id": [7.0]}, True),
        ({"price": [2]}, True),
        ({"id": ["7"]}, False),
        ({"ok": [1]}, False),
        ({"ok": [True]}, True),
        ({"id": [1, 7]}, True),
        ({"id": []}, False),
        ({"id": [7], "name": ["ann"]}, True),
        ({"id": [7], "name": ["bob"]}, False),
        ({"user.id": ["u1"]}, True),
        ({"user.id": ["u2"]}, False),
        ({"user": [{"tags": ["a", "b"], "id": "u1"}]}, True),
        ({"items": [4]}, True),
        ({"items": [[3, 4]]}, True),
        ({"items": [5]}, False),
        ({"user.tags": ["b", "z"]}, True),
        ({"lines.sku": ["y"]}, True),
        ({"a.b.c": [1]}, True),
        ({"none": [None]}, True),
        ({"missing": [None]}, False),
        ({"id.deeper": [7]}, False),
    ],
)
def test_filter_matches_payload(which: dict[str, list[object]], expected: bool) -> None:
    """All keys must match, by one of their accepted values, compared as JSON."""
    assert matches(which, PAYLOAD) is expected


@pytest.mark.parametrize("payload", [None, 3, "text", [], [{"id": 7}]])
def test_payloads_that_are_no_objects_are_walked_too(payload: object) -> None:
    """A filter on a key matches no scalar, and members of a list."""
    assert matches({"id": [7]}, payload) is (payload == [{"id": 7}])


def test_first_key_is_canonical_and_without_repetition() -> None:
    """The index holds each accepted value once."""
    assert first_key({"id": [1, 1.0, "1"], "x": [2]}) == ("id", ["1", '"1"'])
    assert first_key({}) == ("", [""])


def test_values_are_listed_once() -> None:
    """Equal members of a list are one value."""
    assert values_at({"l": [1, 1.0, 2]}, "l") == ["[1,1,2]", "1", "2"]


def test_canonical_sorts_keys() -> None:
    """Equal objects are written alike."""
    assert canonical({"b": 1.0, "a": [True]}) == canonical({"a": [True], "b": 1}) == '{"a":[true],"b":1}'
