"""What a developer reads of a report, given what was saved and what is known."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.model import FILE_UNREADABLE, Diagnostic, Job, Link, Location, Report, Severity
from analyzer.output.view import View
from devserver.checking.messages import CheckAnswer, CheckRequest, Memory
from devserver.checking.story import MOST_AT_START, MOST_SHOWN, tell
from trigger_sdk.protocol.problem import Problem


class Developer:
    """Reads one report after the other.

    Args:
        root: the project's root; its files need not exist.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._memory = Memory()
        self.last: CheckAnswer | None = None

    def place(self, place: str) -> Location:
        """Return the location of ``a.py:3``."""
        name, _, row = place.partition(":")
        return Location(file=self._root / name, row=int(row), column=1, end_row=int(row), end_column=2)

    def finding(
        self, place: str, code: str = "TRG101", *, through: str = "", severity: Severity = Severity.ERROR
    ) -> Diagnostic:
        """Return a finding in the job of its file; ``through`` is where the effect stands."""
        chain = (Link(location=self.place(through), what="calls requests.get"),) if through else ()
        return Diagnostic(
            code=code, name="a-rule", severity=severity, message=f"{code} is wrong", location=self.place(place),
            chain=chain, job=place.partition(":")[0], subject="requests.get",
        )  # fmt: skip

    def reads(
        self,
        findings: Sequence[Diagnostic],
        *saved: str,
        told: Sequence[str] = (),
        problems: Sequence[Problem] = (),
    ) -> list[str]:
        """Return the first lines of what is said, without the names of rules."""
        job = Job(id="a", qualname="a.a", location=self.place("a.py:1"), is_async=True)
        report = Report(diagnostics=tuple(findings), jobs=(job,), problems=tuple(problems))
        request = CheckRequest(root=str(self._root), parent=1, memory=self._memory, saved=saved, told=tuple(told))
        self.last = tell(report, request, View(base=self._root))
        self._memory = self.last.memory
        return [message[0].removesuffix(" a-rule") for message in self.last.messages]

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self._root / name).write_text(text)


@pytest.fixture
def developer(tmp_path: Path) -> Developer:
    """Return a developer who knows nothing yet."""
    return Developer(tmp_path.resolve())


def test_start_without_findings(developer: Developer) -> None:
    """One line, so that silence is no riddle; hints are a number, and nothing is said twice."""
    hint = developer.finding("a.py:1", "TRG202", severity=Severity.HINT)
    assert developer.reads([hint]) == ["check: no findings in 1 job, 1 hint"]
    assert developer.reads([hint, hint], "a.py") == []


def test_few_at_the_start_are_shown(developer: Developer) -> None:
    """None is new, and their number would add nothing."""
    found = [developer.finding(f"a.py:{row}") for row in range(1, MOST_AT_START + 1)]
    assert developer.reads(found) == [f"check: a.py:{row}:1: error TRG101" for row in range(1, MOST_AT_START + 1)]
    assert developer.reads(found, "a.py") == []


def test_many_at_the_start_are_counted(developer: Developer) -> None:
    """They are shown when their file is saved, or one that they lead through."""
    found = [developer.finding(f"{name}.py:1", through="lib.py:3" if name == "d" else "") for name in "abcd"]
    count = "check: 4 errors in 4 jobs; `trigger check` shows them"
    assert developer.reads(found) == [count]
    assert developer.reads(found, "b.py") == ["check: b.py:1:1: error TRG101", count]
    assert developer.reads(found, "lib.py") == ["check: d.py:1:1: error TRG101", count]
    assert developer.reads(found, "b.py", "lib.py") == []


def test_new_ones_come_first_and_are_limited(developer: Developer) -> None:
    """Wherever they are; errors before warnings."""
    developer.reads([])
    warnings = [developer.finding(f"b.py:{row}", "TRG902", severity=Severity.WARNING) for row in range(1, 9)]
    said = developer.reads([developer.finding("a.py:1"), *warnings], "c.py")
    assert said[0] == "check: new a.py:1:1: error TRG101"
    assert len(said) == MOST_SHOWN + 1
    assert said[-1] == "check: 1 error, 8 warnings in 2 jobs; `trigger check` shows them"


def test_what_is_gone_is_counted(developer: Developer) -> None:
    """As long as something is left; then it is clean again, and that is said once."""
    first, second = developer.finding("a.py:1"), developer.finding("b.py:1")
    developer.reads([first, second])
    assert developer.reads([second], "a.py") == ["check: 1 gone, 1 error in 1 job; `trigger check` shows them"]
    assert developer.reads([], "b.py") == ["check: clean again"]
    assert developer.reads([], "b.py") == []
    assert developer.reads([first], "a.py") == ["check: new a.py:1:1: error TRG101"]


def test_moved_or_edited_line_is_the_same_finding(developer: Developer) -> None:
    """Lines above it, or another argument, make nothing new; a second one beside it is."""
    developer.write("a.py", "get(1)\n")
    developer.reads([developer.finding("a.py:1")])
    developer.write("a.py", "\n\nget(1)\n")
    assert developer.reads([developer.finding("a.py:3")], "a.py") == []
    developer.write("a.py", "\n\nget(2)\n")
    assert developer.reads([developer.finding("a.py:3")], "a.py") == []
    developer.write("a.py", "get(3)\n\nget(2)\n")
    said = developer.reads([developer.finding("a.py:1"), developer.finding("a.py:3")], "a.py")
    assert said == ["check: new a.py:1:1: error TRG101", "check: 2 errors in 1 job; `trigger check` shows them"]


def test_broken_file_hides_nothing(developer: Developer) -> None:
    """What is not seen meanwhile is neither gone nor new afterwards; what only seems to be missing is not told."""
    found = developer.finding("a.py:1", through="lib.py:2")
    broken = developer.finding("lib.py:1", "TRG901")
    absent = developer.finding("b.py:1", "TRG902", severity=Severity.WARNING)
    developer.reads([found])
    assert developer.reads([broken, absent], "lib.py", told=["lib.py:1"]) == []
    assert developer.reads([broken, absent], "b.py") == ["check: new lib.py:1:1: error TRG901", *_ONE]
    assert developer.reads([found], "lib.py") == ["check: 1 gone, 1 error in 1 job; `trigger check` shows them"]
    assert developer.reads([found], "lib.py") == []


_ONE = ["check: 1 error in 1 job; `trigger check` shows them"]


def test_broken_from_the_start(developer: Developer) -> None:
    """The first check that sees all is the first."""
    assert developer.reads([developer.finding("a.py:1", "TRG901")], told=["a.py:1"]) == []
    assert developer.reads([], "a.py") == ["check: no findings in 1 job"]


def test_problem_is_told_once_while_it_lasts(developer: Developer) -> None:
    """And again when it comes back."""
    problem = Problem(code=FILE_UNREADABLE, message="a.py cannot be read")
    told = []
    for problems in ([problem], [problem], [], [problem]):
        developer.reads([], problems=problems)
        assert developer.last is not None
        told.append(list(developer.last.warnings))
    assert told == [[problem], [], [], [problem]]
