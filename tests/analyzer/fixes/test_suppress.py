"""Putting suppressions in: where the check honours them, beside what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.check import check
from analyzer.fixes import apply_fixes, suppress, with_fixes
from analyzer.settings import CheckSettings
from trigger_sdk.protocol.project import load_project

HEAD = 'import os\nfrom trigger_sdk import job\n\n\n@job(id="a")\nasync def a(name: str) -> None:\n'


def _put(text: str, row: int, *codes: str, reason: str = "known") -> str | None:
    fix = suppress(text, row, codes or ("TRG102",), reason)
    return None if fix is None else apply_fixes(text, [fix])[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("os.remove(x)", "os.remove(x)  # trigger: ignore[TRG102] known"),
        ("os.remove(x)  # noqa: S1", "os.remove(x)  # noqa: S1  # trigger: ignore[TRG102] known"),
        ("os.remove(x)  # trigger: ignore[TRG101] why", "os.remove(x)  # trigger: ignore[TRG101, TRG102] why"),
        ("os.remove(x)  # trigger: ignore[TRG101,TRG9] y", "os.remove(x)  # trigger: ignore[TRG101,TRG9,TRG102] y"),
        ("os.remove(x)  # trigger: ignore[TRG101]", "os.remove(x)  # trigger: ignore[TRG101, TRG102] known"),
        ("os.remove(x)  # trigger: ignore[TRG1] all", None),
        ("os.remove(x)  # trigger: ignore", "os.remove(x)  # trigger: ignore[TRG102] known"),
        ("os.remove(x)  # trigger: ignore why", "os.remove(x)  # trigger: ignore[TRG102] why"),
        ("os.remove(x)   ", "os.remove(x)  # trigger: ignore[TRG102] known   "),
        ('os.remove("""a', None),
    ],
)
def test_comment_on_one_line(line: str, expected: str | None) -> None:
    """It goes behind what is there, extends a suppression, and is not put in twice."""
    assert _put(f"{line}\r\n", 1) == (None if expected is None else f"{expected}\r\n")


def test_line_that_cannot_have_a_comment_gets_one_above() -> None:
    """Inside a text, and before a backslash, the comment stands above the statement, as deep."""
    text = 'x = 1\nif x:\n\tf("""\na""", g())\n\ty = \\\n\t\tg()\n'
    first = _put(text, 3)
    assert first == 'x = 1\nif x:\n\t# trigger: ignore[TRG102] known\n\tf("""\na""", g())\n\ty = \\\n\t\tg()\n'
    assert _put(text, 5) == 'x = 1\nif x:\n\tf("""\na""", g())\n\t# trigger: ignore[TRG102] known\n\ty = \\\n\t\tg()\n'
    assert _put(first or "", 4, "TRG101") == (first or "").replace("[TRG102]", "[TRG102, TRG101]")
    assert _put('f("""\n""")\n', 1) is None  # above the first statement it would be about the file


def test_reason_is_one_line() -> None:
    """Line ends in a reason do not get into the source."""
    assert _put("f()\n", 1, reason="a\n b ") == "f()  # trigger: ignore[TRG102] a b\n"
    assert _put("f()\n", 1, reason="") == "f()  # trigger: ignore[TRG102]\n"


@pytest.mark.parametrize(
    "body",
    [
        "    os.remove(name)\n",
        "    os.remove(\n        name,\n    )\n",
        '    os.remove("""a\nb""")\n',
        "    x = \\\n        os.remove(name)\n",
        "    if name: os.remove(name)  # noqa\n",
        "    print(\n        1,\n        os.remove(\n            name\n        ),\n    )\n",
        '    print(f"""{os.remove(name)}\n""")\n',
        "    os.remove(name); os.mkdir(name)\n",
    ],
)
def test_check_honours_what_was_put_in(body: str, tmp_path: Path) -> None:
    """After suppressing every finding nothing is left, and once the findings are gone the comments go again."""
    root = tmp_path.resolve()
    (root / "jobs").mkdir()
    (root / "trigger.toml").write_text('dirs = ["jobs"]\n')
    file = root / "jobs" / "a.py"
    file.write_text(HEAD + body)
    report = check(load_project(root), CheckSettings())
    for _ in range(5):
        text = file.read_text()
        fixes = [suppress(text, each.location.row, [each.code], "ok") for each in report.diagnostics]
        file.write_text(apply_fixes(text, [fix for fix in fixes if fix is not None])[0])
        report = check(load_project(root), CheckSettings())
    assert report.diagnostics == ()
    file.write_text(file.read_text().replace("os.remove", "print").replace("os.mkdir", "print"))
    for _ in range(5):
        report = with_fixes(check(load_project(root), CheckSettings()))
        file.write_text(apply_fixes(file.read_text(), [each.fix for each in report.diagnostics if each.fix])[0])
    assert file.read_text() == (HEAD + body).replace("os.remove", "print").replace("os.mkdir", "print")
