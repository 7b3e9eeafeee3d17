"""Patterns mean what they mean in ``.dockerignore``: its documentation's examples, and rules that hold for all."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.files.patterns import PatternInvalid, Patterns

NAMES = st.text(alphabet="ab.-_é*[\\#! ", min_size=1, max_size=4).filter(lambda name: name.strip(". ") == name)
PLACES = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
SIMPLE = st.lists(st.sampled_from(["a", "b", "*", "?", "**", "a*", "[ab]", "[^a]", ".*"]), min_size=1, max_size=4)
PLAIN = st.lists(st.sampled_from(["a", "b", "ab", ".a", "ba"]), min_size=1, max_size=4).map("/".join)


def escaped(place: str) -> str:
    """Return the pattern that means a path and nothing else."""
    return "".join("\\" + character if character in "*?[\\!# " else character for character in place)


@pytest.mark.parametrize(
    ("pattern", "covered", "spared"),
    [
        # of the documentation
        ("*/temp*", ["somedir/temporary.txt", "somedir/temp", "somedir/temp/a"], ["temp", "a/b/temp"]),
        ("*/*/temp*", ["somedir/subdir/temporary.txt"], ["somedir/temp", "a/b/c/temp"]),
        ("temp?", ["tempa", "tempb", "tempa/x"], ["temp", "tempab", "a/tempa"]),
        ("**/*.go", ["a.go", "a/b.go", "a/b/c.go"], ["a.goo", "go"]),
        ("*.md", ["README.md"], ["docs/README.md"]),
        ("/foo/bar", ["foo/bar", "foo/bar/baz"], ["a/foo/bar", "foo"]),
        ("foo/bar/", ["foo/bar"], ["foo"]),
        ("./foo//bar/../baz", ["foo/baz"], ["foo/bar"]),
        # of the rules
        ("dir", ["dir", "dir/a/b"], ["dira", "a/dir"]),
        ("dir/**", ["dir/a", "dir/a/b"], ["dir"]),
        ("dir/*", ["dir/a", "dir/a/b"], ["dir"]),
        ("**", ["a", "a/b", ".a"], []),
        ("**/", ["a", "a/b"], []),
        ("*", ["a", ".a", "a/b"], []),
        ("**/dir", ["dir", "a/dir", "a/dir/b"], ["adir", "dira"]),
        ("**file", ["file", "afile", "a/bfile"], ["filea"]),
        ("a**/*.txt", ["a/f.txt", "a/b/c/f.txt"], ["b/f.txt"]),
        ("**/a/**", ["a/b", "c/a/b/d"], ["a", "c/a"]),
        ("a[b-d]e", ["abe", "ace"], ["ae", "aae", "a[b-d]e"]),
        ("a[^b-d]e", ["aze"], ["abe"]),
        ("a[!b]e", ["abe", "a!e"], ["ace"]),
        ("[\\]a]", ["]", "a"], ["b"]),
        ("[\\-x]", ["-", "x"], ["a"]),
        ("[[]", ["["], ["[]"]),
        ("a]", ["a]"], ["a"]),
        ("a\\*b", ["a*b"], ["aab"]),
        ("a.b", ["a.b"], ["aab"]),
        ("a+(b)|{c}$^", ["a+(b)|{c}$^"], ["aa"]),
        ("  spaced  ", ["spaced"], ["  spaced  "]),
        ("in side", ["in side"], ["in", "side"]),
        ("\\#name", ["#name"], ["name"]),
        ("\\!name", ["!name"], ["name"]),
        ("Case", ["Case"], ["case"]),
        ("?", ["é", "☺"], ["ab", ""]),
        (".", [], ["a", ".a"]),
        ("../a", [], ["a"]),
    ],
)
def test_pattern_covers_what_docker_says(pattern: str, covered: list[str], spared: list[str]) -> None:
    """Each pattern alone."""
    patterns = Patterns.of([pattern])
    assert [path for path in covered if not patterns.match(path)] == []
    assert [path for path in spared if patterns.match(path)] == []


@pytest.mark.parametrize(
    ("texts", "covered", "spared"),
    [
        (["*.md", "!README.md"], ["a.md"], ["README.md"]),
        (["*.md", "!README*.md", "README-secret.md"], ["a.md", "README-secret.md"], ["README.md", "README-x.md"]),
        (["*.md", "README-secret.md", "!README*.md"], ["a.md"], ["README-secret.md"]),
        (["!README.md", "*.md"], ["README.md"], []),
        (["docs", "!docs/README.md"], ["docs/a"], ["docs/README.md"]),
        (["docs", "! docs/README.md "], ["docs/a"], ["docs/README.md"]),
        (["*", "!jobs"], ["a", "lib/a.py"], ["jobs/a.py", "jobs/b/c.py"]),
        (["*", "!jobs", "jobs/tests"], ["jobs/tests/a.py"], ["jobs/a.py"]),
        (["**", "!**/*.py"], ["a.txt"], ["a.py", "a/b.py"]),
        ([""], [], ["a"]),
        ([], [], ["a"]),
    ],
)
def test_last_pattern_that_matches_decides(texts: list[str], covered: list[str], spared: list[str]) -> None:
    """Several patterns, in their order."""
    patterns = Patterns.of(texts)
    assert [path for path in covered if not patterns.match(path)] == []
    assert [path for path in spared if patterns.match(path)] == []


def test_file_has_comments_and_lines() -> None:
    """A byte order mark, comments in the first column only, line ends of Windows, empty lines."""
    patterns = Patterns.read("\ufeff# comment\r\n*.md\r\n\r\n   \n !README.md\n #odd\n")
    assert [pattern.text for pattern in patterns.patterns] == ["*.md", "!README.md", "#odd"]


def test_deciding_pattern_is_named() -> None:
    """The pattern by which something is covered is the last that covered it."""
    patterns = Patterns.of(["a", "!a/b", "a/b/c"])
    found = patterns.deciding("a/b/c")
    assert found is not None
    assert found.text == "a/b/c"
    assert patterns.deciding("a/b/d") is None


@pytest.mark.parametrize(
    "text", ["[", "a[", "[^", "[^bc", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "a\\", "!", "! ", "[b-a]"]
)
def test_malformed_pattern_is_refused(text: str) -> None:
    """It would otherwise silently match nothing."""
    with pytest.raises(PatternInvalid):
        Patterns.of([text])


@given(place=PLACES)
def test_escaped_path_matches_itself_and_what_is_in_it(place: str) -> None:
    """Whatever a path has in it can be spelt."""
    patterns = Patterns.of([escaped(place)])
    cleaned = posixpath.normpath(place)
    assert patterns.match(cleaned)
    assert patterns.match(f"{cleaned}/below")
    assert not patterns.match(f"other/{cleaned}")


@given(parts=SIMPLE, place=PLAIN)
def test_slashes_and_spaces_around_change_nothing(parts: list[str], place: str) -> None:
    """A leading or trailing slash, ``./`` and spaces mean nothing."""
    text = "/".join(parts)
    expected = Patterns.of([text]).match(place)
    for variant in (f"/{text}", f"{text}/", f" {text} ", f"./{text}", text.replace("/", "//")):
        assert Patterns.of([variant]).match(place) == expected


@given(texts=st.lists(SIMPLE.map("/".join), max_size=4), place=PLAIN)
def test_taking_all_back_leaves_nothing(texts: list[str], place: str) -> None:
    """``!**`` at the end takes everything back; patterns without ``!`` cover what any of them covers."""
    assert not Patterns.of([*texts, "!**"]).match(place)
    assert Patterns.of(texts).match(place) == any(Patterns.of([text]).match(place) for text in texts)


@given(parts=SIMPLE, place=PLAIN)
def test_what_covers_a_folder_covers_all_in_it(parts: list[str], place: str) -> None:
    """Files below a path that is covered are covered."""
    patterns = Patterns.of(["/".join(parts)])
    if patterns.match(place):
        assert patterns.match(f"{place}/x/y")


@given(text=st.text(alphabet="ab*?[]^-\\!#/. é", max_size=12), place=PLAIN)
def test_any_text_is_a_pattern_or_is_refused(text: str, place: str) -> None:
    """Nothing else happens, and asking twice gives the same."""
    try:
        patterns = Patterns.of([text])
    except PatternInvalid:
        return
    assert patterns.match(place) == patterns.match(place)
