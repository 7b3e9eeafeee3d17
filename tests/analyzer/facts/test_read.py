"""A file's text to facts: encodings, broken files, and code at the limits of what Python reads."""

from __future__ import annotations

import sys

import pytest

from analyzer.facts import tree
from analyzer.facts.module import ModuleFacts, decode_body
from analyzer.facts.read import read_facts


@pytest.mark.parametrize(
    ("source", "row", "said"),
    [
        (b"x = 1\0\n", 1, "null"),
        ("x = 1\0\n", 1, "null"),
        (b"x = 1\ny = '\xff'\n", 2, "utf-8"),
        (b"# -*- coding: nope -*-\n", 1, "nope"),
        (b"# coding: ascii\nx = 1\ny = '\xc3\xa9'\n", 3, "ascii"),
        (b"# coding: rot13\nk = 1\n", 1, "rot13"),
        (b"# coding: hex\n00\n", 1, "hex"),
        (b"# coding: undefined\nx = 1\n", 1, "undefined"),
        (b"\xef\xbb\xbf# coding: latin-1\nx = 1 +\n", 2, "invalid syntax"),
        ("def f(): pass".encode("utf-16"), 1, "utf-8"),
        ("x = '\ud800'\n", 1, "surrogates"),
        ("x = " + "(" * 5000 + "1" + ")" * 5000, 1, "nested"),
        ("x = " + "9" * 5000 + "\n", 1, "digits"),
        ("x = " + "not " * 5000 + "1\n", 1, "recursion"),
        ("".join(" " * depth + "if 1:\n" for depth in range(150)) + " " * 150 + "pass\n", 101, "indentation"),
        ("def f():\n\tif 1:\n        pass\n", 3, "tabs"),
        ("print 'x'\n", 1, "parentheses"),
        ("def f(:\n", 1, "invalid syntax"),
        ("x = '''\n", 1, "unterminated"),
        (bytes(range(256)), 2, "utf-8"),
    ],
)
def test_broken_file_says_what_and_where(source: str | bytes, row: int, said: str) -> None:
    """What Python cannot read has no facts but what is wrong with it, and on which line."""
    facts = read_facts(source)
    assert facts.broken is not None
    assert facts.broken.row == row
    assert facts.broken.column >= 1
    assert said in facts.broken.message
    assert decode_body(facts.body) == []
    assert facts.functions == []


def test_half_a_surrogate_is_text_of_which_nothing_is_kept() -> None:
    """A literal may spell one out, in names of what is exported too; a file has none."""
    facts = read_facts("x = '\\udc80'\n__all__ = ['a', '\\ud800b', 'c']\n\ndef f(p='\\udfff') -> '\\udc80': return p\n")
    assert facts.broken is None
    assert facts.exports == ("a", "c")
    assign = decode_body(facts.body)[0]
    assert isinstance(assign, tree.Assign)
    assert assign.value == tree.Literally("builtins.str")


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbf",
        b"# only a comment",
        b"def f(): return g()",
        b"def f():\r\n    return g()\r\n",
        b"\x0cdef f():\n\x0c    return g()\n",
        b"\xef\xbb\xbf# coding: latin-1\ndef f(): return '\xc3\xa9'\n",
        b"# coding: latin-1\ndef f(): return '\xe9'\n",
        b"# coding: utf-8-sig\ndef f(): return 1\n",
        b"x = '\\q'\n",
        b"x = 1if 1else 2\n",
        b"x = 0x" + b"f" * 100_000,
        "def ﬁ(): return 1\n".encode(),
    ],
)
def test_odd_but_valid_file_is_read(source: bytes) -> None:
    """What Python can read is read, without a warning."""
    assert read_facts(source).broken is None


def test_unsaved_text_and_file_have_the_same_facts() -> None:
    """Text and its bytes give equal facts, whatever the line ends."""
    text = "def f(x):\n    é = 1  # trigger: ignore[TRG101] why\n    return g(é)\n"
    assert read_facts(text) == read_facts(text.encode()) == read_facts(text.replace("\n", "\r\n").encode())


def test_long_sum_keeps_its_last_operand() -> None:
    """A sum of thousands of terms is read whole."""
    facts = read_facts("x = " + " + ".join(["a"] * 2500) + " + g()\n")
    (statement,) = decode_body(facts.body)
    assert isinstance(statement, tree.Assign)
    assert isinstance(statement.value, tree.Either)
    assert len(statement.value.values) == 2501
    assert isinstance(statement.value.values[-1], tree.Call)


def test_long_chain_of_elif_keeps_its_last_branch() -> None:
    """A chain of thousands of branches is read whole, its ``else`` too."""
    branches = "".join(f"elif a == {number}:\n    f({number})\n" for number in range(2500))
    facts = read_facts(f"if a:\n    f()\n{branches}else:\n    g()\nh()\n")
    chain, last = decode_body(facts.body)
    assert isinstance(chain, tree.Match)
    assert len(chain.cases) == 2502
    assert chain.cases[-1].is_any
    assert isinstance(last, tree.Evaluate)


def test_short_chain_of_elif_is_one_if_in_another() -> None:
    """A chain of usual length keeps what its tests tell."""
    (chain,) = decode_body(read_facts("if a:\n    f()\nelif b:\n    g()\nelse:\n    h()\n").body)
    assert isinstance(chain, tree.If)
    assert isinstance(chain.orelse[0], tree.If)


@pytest.mark.parametrize(
    "deep",
    [
        "x = " + "a" + ".b()" * 1400,
        "x = " + "lambda: " * 900 + "1",
        "x = " + "not " * 2900 + "1",
        "x = " + " ** ".join(["a"] * 1000),
        "x = " + " if a else ".join(["b"] * 500),
        "x = " + "[" * 180 + "]" * 180,
    ],
)
def test_statement_too_deep_leaves_the_rest(deep: str) -> None:
    """What is nested too deeply to be read is left out at most; what stands beside it is kept."""
    facts = read_facts(f"before()\n{deep}\nafter()\ndef f(): pass\n")
    assert facts.broken is None
    calls = [node for node in decode_body(facts.body) if isinstance(node, tree.Evaluate)]
    assert len(calls) == 2
    assert facts.functions[-1].name == "f"


def at_depth(depth: int, source: str) -> ModuleFacts:
    """Read a text ``depth`` calls down."""
    return read_facts(source) if depth == 0 else at_depth(depth - 1, source)


def test_facts_do_not_depend_on_the_stack_above() -> None:
    """Who reads a file first may be deep in calls: its facts are the same, and the limit is as it was."""
    limit = sys.getrecursionlimit()
    source = "x = " + "not " * 2000 + "1\n" + "y = " + "a" + ".b" * 700 + "\nz = g()\n"
    assert at_depth(700, source) == at_depth(0, source)
    assert sys.getrecursionlimit() == limit


def test_large_data_is_read_in_little_time() -> None:
    """A dict of ten thousand entries is one statement."""
    entries = ", ".join(f"'k{number}': [{number}, 'v']" for number in range(10_000))
    (statement,) = decode_body(read_facts(f"DATA = {{{entries}}}\n").body)
    assert isinstance(statement, tree.Assign)
    assert isinstance(statement.value, tree.Mapping)
    assert len(statement.value.keys) == 10_000


@pytest.mark.parametrize(
    ("text", "exports"),
    [
        ("x = 1\n", None),
        ("__all__ = ['a', 'b']\n", ("a", "b")),
        ("__all__ = ('a',)\n__all__ += ['b']\n", ("a", "b")),
        ("__all__: list[str] = ['a']\n", ("a",)),
        ("__all__ = ['a'] + ['b']\n", ("a", "b")),
        ("__all__ = ['a']\n__all__.extend(['b'])\n", ("a", "b")),
        ("__all__ = ['a']\n__all__.append('b')\n", ("a", "b")),
        ("if x:\n    __all__ = ['a']\nelse:\n    __all__ = ['b']\n", ("a", "b")),
        ("try:\n    __all__ = ['a']\nexcept E:\n    pass\n", ("a",)),
        ("__all__ = []\n", ()),
        ("__all__ = ['a']\n__all__ = ['b']\n", ("b",)),
        ("__all__ = ['a'] + other.__all__\n", None),
        ("__all__ = ['a', *other.__all__]\n", None),
        ("__all__ = [name for name in dir() if name != 'x']\n", None),
        ("__all__ = ['a']\n__all__ += other.__all__\n", None),
        ("def f():\n    __all__ = ['a']\n", None),
    ],
)
def test_exports_are_the_literal_names(text: str, exports: tuple[str, ...] | None) -> None:
    """``__all__`` is followed through what people write at module level."""
    assert read_facts(text).exports == exports


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="that Python reads it")
@pytest.mark.parametrize(
    "text", ["type X = int\n", "def f[T](x: T) -> T: ...\n", "class A[T]: ...\n", "x = f'{a['b']}'\n"]
)
def test_syntax_of_a_later_python_is_named(text: str) -> None:
    """What a later Python would read is told apart from what none reads."""
    broken = read_facts(text).broken
    assert broken is not None
    assert "Python 3.12" in broken.message
