"""What a registry asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.registry.challenges import Challenge, Scope, challenges_of, covers, pull, push, scopes_of, united


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="a, b"', [("basic", {"realm": "a, b"})]),
        ("BASIC", [("basic", {})]),
        (
            'Bearer realm="https://t.example/token",service="r",scope="repository:a/b:push,pull repository:c/d:pull"',
            [("bearer", {"realm": "https://t.example/token", "service": "r",
                         "scope": "repository:a/b:push,pull repository:c/d:pull"})],
        ),
        ("Bearer realm=https://t/x , service = r", [("bearer", {"realm": "https://t/x", "service": "r"})]),
        ('Bearer Realm="x\\"y"', [("bearer", {"realm": 'x"y'})]),
        ('Basic realm="r", Bearer realm="t",error="insufficient_scope"',
         [("basic", {"realm": "r"}), ("bearer", {"realm": "t", "error": "insufficient_scope"})]),
        ('Negotiate, Basic realm="r"', [("negotiate", {}), ("basic", {"realm": "r"})]),
        ('Negotiate YII=, Basic realm="r"', [("negotiate", {}), ("basic", {"realm": "r"})]),
        ("", []),
        ('=,"', []),
    ],
)  # fmt: skip
def test_challenge_is_read(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    """Several in one header, with or without quotes, with commas inside them."""
    assert [(one.scheme, one.parameters) for one in challenges_of([header])] == expected


def test_headers_are_read_together() -> None:
    """Each header has its own."""
    assert challenges_of(["Basic", 'Bearer realm="t"'])[1] == Challenge(scheme="bearer", parameters={"realm": "t"})


@given(st.text(max_size=60))
def test_any_header_is_read_without_an_error(header: str) -> None:
    """A header that is nonsense is no challenge, or a strange one."""
    challenges_of([header])


def test_scopes_are_read_and_written() -> None:
    """Several in one text; a name may have a port; what is none is left out."""
    found = scopes_of("repository:a/b:push,pull repository:h:5000/c:pull registry:catalog:* nonsense")
    assert sorted(map(str, found)) == ["registry:catalog:*", "repository:a/b:pull,push", "repository:h:5000/c:pull"]


def test_wider_token_covers_less() -> None:
    """A token for more is good for less, and not the other way round."""
    assert covers([push("a"), pull("b")], [pull("a")])
    assert not covers([pull("a")], [push("a")])
    assert covers([Scope(name="a", actions=frozenset({"push"})), pull("a")], [push("a")])
    assert united([pull("a"), push("a")]) == {push("a")}
