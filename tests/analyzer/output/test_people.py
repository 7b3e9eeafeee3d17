"""The formats for people: text and concise."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from analyzer.model import Diagnostic, Report, Severity
from analyzer.output.formats import render
from analyzer.output.view import View
from analyzer.output.wording import columns

Make = Callable[..., Diagnostic]
MakeReport = Callable[..., Report]


def test_text_underlines_the_call_in_columns_of_the_terminal(finding: Make, report: MakeReport, view: View) -> None:
    """Wide characters before the call take two columns each."""
    lines = render("text", report(finding(chain=True, fix=True)), view).splitlines()
    assert lines[0] == "jobs/a.py:3:23: error TRG101 network-outside-task [fix available]"
    source, carets = lines[3], lines[4]
    assert columns(carets[: carets.index("^")]) == columns(source[: source.index("fetch")])
    assert lines[5] == "  `- rates.py:2 calls requests.get"
    assert lines[-2:] == ["Found 1 error in 2 jobs (3 functions, 2 files).", "1 fixable with --fix."]


def test_hints_take_one_line(finding: Make, report: MakeReport, view: View) -> None:
    """A hint asks for nothing, and has no frame."""
    text = render("text", report(finding(severity=Severity.HINT)), view)
    assert text.splitlines() == [
        "jobs/a.py:3:23: hint TRG101 network-outside-task: `fetch` talks to the network",
        "",
        "Found 1 hint in 2 jobs (3 functions, 2 files).",
    ]


def test_hint_keeps_the_mark_of_its_fix(finding: Make, report: MakeReport, view: View) -> None:
    """A rule that a project has made a hint can be fixed all the same."""
    text = render("text", report(finding(severity=Severity.HINT, fix=True)), view)
    assert text.splitlines()[0].endswith("`fetch` talks to the network [fix available]")


def test_text_without_its_file_has_no_frame(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """A file that was deleted in the meantime does not stop the output."""
    (root / "jobs" / "a.py").unlink()
    assert "^" not in render("text", report(finding()), view)


def test_long_lines_are_cut_around_the_finding(finding: Make, report: MakeReport, view: View, root: Path) -> None:
    """A line of ten thousand characters shows what is marked."""
    (root / "jobs" / "a.py").write_text(f"{'x' * 5000}fetch('abc'){'y' * 5000}\n")
    lines = render("text", report(finding(1, 5001)), view).splitlines()
    assert "...xxx" in lines[3]
    assert max(map(len, lines)) < 200
    assert lines[3][lines[4].index("^") :].startswith("fetch('abc")


def test_text_from_elsewhere_cannot_harm_the_terminal(
    finding: Make, report: MakeReport, view: View, root: Path
) -> None:
    """Escapes in messages and source lines are shown as such."""
    (root / "jobs" / "a.py").write_text("\n\nx = '\x1b[31m\u202e'; fetch('abc')\n")
    for format in ("text", "concise"):
        text = render(format, report(finding(message="\x1b[2J\nnext")), view)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert len(render("concise", report(finding(message="a\nb")), view).splitlines()) == 2


def test_long_chains_show_their_ends(finding: Make, report: MakeReport, view: View) -> None:
    """The effect, at the end, is always shown."""
    one = finding(chain=True)
    links = tuple(replace(one.chain[0], what=f"calls f{number}") for number in range(60))
    text = render("text", report(replace(one, chain=links)), view)
    assert "calls f0" in text
    assert "calls f59" in text
    assert "48 more calls" in text


def test_summary_counts_unsafe_fixes_apart(finding: Make, report: MakeReport, view: View) -> None:
    """What --fix makes and what it does not make are told apart."""
    safe = finding(fix=True)
    assert safe.fix is not None
    unsafe = replace(safe, fix=replace(safe.fix, applicability="unsafe"))
    lines = render("concise", report(safe, unsafe), view).splitlines()
    assert lines[1].endswith("[unsafe fix available]")
    assert lines[-1] == "1 fixable with --fix, 1 more with --unsafe-fixes."


def test_problem_matcher_reads_the_concise_format(
    finding: Make, report: MakeReport, view: View, repository: Path
) -> None:
    """Each line of a finding is matched by one matcher, with every part in its place."""
    matchers = json.loads((repository / "docs" / "guides" / "problem_matcher.json").read_text())["problemMatcher"]
    patterns = [re.compile(matcher["pattern"][0]["regexp"]) for matcher in matchers]
    for severity in Severity:
        line = render("concise", report(finding(severity=severity, fix=True)), view).splitlines()[0]
        ((matcher, match),) = [
            (matcher, match)
            for matcher, pattern in zip(matchers, patterns, strict=True)
            if (match := pattern.match(line))
        ]
        parts = matcher["pattern"][0]
        assert match[parts["file"]] == "jobs/a.py"
        assert (match[parts["line"]], match[parts["column"]], match[parts["code"]]) == ("3", "23", "TRG101")
        assert match[parts["message"]].startswith("network-outside-task: `fetch` talks")
        shown = match[parts["severity"]] if "severity" in parts else matcher["severity"]
        assert shown == {"hint": "notice"}.get(severity.value, severity.value)
    assert not any(pattern.match(render("concise", report(), view)) for pattern in patterns)
