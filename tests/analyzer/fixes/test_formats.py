"""Fixes in sources of odd formats change what they say they change, to the byte."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.fixing import fix_project

EFFECTS = [
    ("os.remove({})", "await task.run(lambda: os.remove({}))"),
    ("os . remove ( {} )", "await task.run(lambda: os . remove ( {} ))"),
    ("os.path.exists({})", "await task.run(lambda: os.path.exists({}))"),
    ("os.remove(\\\n  {})", "await task.run(lambda: os.remove(\\\n  {}))"),
    ("os.listdir(\n\n  {}  # ü\n )", "await task.run(lambda: os.listdir(\n\n  {}  # ü\n ))"),
    ("time.sleep(len({}))", "await sleep(len({}))"),
]
ARGUMENTS = ["name", "'ü→'", 'f"{name}ß"', "(name)", "'''a\nb'''", "name[ 0 :]", '"\\t" + name']
STATEMENTS = [
    "{}",
    "x = {}; y = 1",
    "if name: {}",
    "while not name: {}; break",
    "x = [({}), (1)]",
    "x = 'ünï', {}  # → ü",
    "x = (((\n  {}\n)))",
    "x = name and {} or not {}",
    "for each in [{}, 2]: pass",
    "x = {{'ä': {}, 'b': [{}]}}",
    "print({}, end='')  ;",
    "if not name: return {}",
    "x = {} if name else ({})",
    "assert {}, 'ö'",
    "x = lambda ü=1: ü; {}",
]


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a job file, and what safe fixes make of it."""
    unit = draw(st.sampled_from(["    ", "\t", " ", "  \t"]))
    deep = draw(st.booleans())
    indent = unit * (2 if deep else 1)
    before, after = [], []
    for _ in range(draw(st.integers(1, 4))):
        statement = draw(st.sampled_from(STATEMENTS))
        pairs = []
        for _ in range(statement.count("{}")):
            argument = draw(st.sampled_from(ARGUMENTS))
            effect = draw(st.sampled_from(EFFECTS))
            pairs.append((effect[0].replace("{}", argument), effect[1].replace("{}", argument)))
        before.append(indent + statement.format(*(pair[0] for pair in pairs)))
        after.append(indent + statement.format(*(pair[1] for pair in pairs)))
        if draw(st.booleans()):
            blank = draw(st.sampled_from(["", "   ", "\x0c", f"{indent}# ü", "# trailing  "]))
            before.append(blank)
            after.append(blank)
    names = draw(st.sampled_from(["job", "Context, job", "(job)", "(\n\tjob, # ü\n)"]))
    head = f"import os, time\n\x0cfrom trigger_sdk import {names}\n{{}}\n@job(id='a')\nasync def a(name):\n"
    head += f"{unit}if name:\n" if deep else ""
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    tail = draw(st.sampled_from(["", "\n", "\n\n\nx = 1"]))
    texts = [mark + head.replace("{}", "") + "\n".join(lines) + tail for lines in (before, after)]
    return texts[0].replace("\n", newline), texts[1].replace("\n", newline)


@settings(max_examples=150)
@given(sources())
def test_safe_fixes_change_only_the_calls_and_the_import(pair: tuple[str, str]) -> None:
    """Everything but the calls and the import is what it was, and the result parses."""
    before, expected = pair
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "jobs").mkdir()
        (root / "trigger.toml").write_text('dirs = ["jobs"]\n')
        file = root / "jobs" / "case.py"
        file.write_bytes(before.encode("utf-8"))
        fix_project(root, unsafe=False)
        after = file.read_bytes().decode("utf-8")
    ast.parse(after.removeprefix("\ufeff"))
    assert _without_import(after) == _without_import(expected)


def _without_import(text: str) -> str:
    start = text.index("from trigger_sdk")
    return text[:start] + text[text.index("@job") :]
