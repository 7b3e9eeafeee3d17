"""What the developer reads: attributed, aligned, once, and understandable without colour."""

import logging
import re
import time

import pytest

from devserver.columns import width_of
from devserver.interpreter import Interpreter
from devserver.notices import Ready
from devserver.sources import Change
from devserver.terminal import Terminal, describe
from devserver.text import Ink, safe_lines
from executor.watcher import RunEvent, RunNews, WorkerEvent
from trigger_sdk.protocol.messages import LogLine
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_problem

NOON = 1_700_000_000.25
RUN = "run_01m86p4a91czr7anbknx885kk8"


class Shown:
    """A terminal, and what it wrote."""

    def __init__(self, *, colour: bool = False) -> None:
        self.text = ""
        self.now = NOON
        self.terminal = Terminal(self._write, Ink(enabled=colour), clock=lambda: self.now, began=NOON - 0.5)

    def _write(self, text: str) -> None:
        self.text += text

    def lines(self) -> list[str]:
        """Return the lines without their time."""
        return [re.sub(r"^\d\d:\d\d:\d\d\.\d{3} ", "", line) for line in self.text.splitlines()]

    def run_event(self, news: RunNews, after: float = 0.0, error: bytes | None = None) -> None:
        """Tell news of the run."""
        self.terminal.run_event(
            RunEvent(news=news, run=RUN, job="purchase-ticket", at=NOON + after, error=error, failed_step="2.1")
        )

    def log(self, text: str, **fields: object) -> None:
        """Show a line of output."""
        values: dict[str, object] = {
            "run": RUN, "step": "", "ordinal": 1, "at": NOON, "level": logging.INFO, "logger": "", "stream": "log",
        }  # fmt: skip
        self.terminal.lines([LogLine(text=text, **{**values, **fields})])  # type: ignore[arg-type]


@pytest.fixture
def shown() -> Shown:
    """Return a terminal without colour."""
    return Shown()


def test_life_of_a_run(shown: Shown) -> None:
    """Job, run and step stand in columns; the duration counts from the start."""
    shown.run_event("created")
    shown.run_event("started", 1)
    shown.log("reserved", step="2")
    shown.run_event("completed", 3.5)
    assert shown.lines() == [
        "purchase-ticket 885kk8       started",
        "purchase-ticket 885kk8 #2    reserved",
        "purchase-ticket 885kk8       completed in 2.5 s",
    ]


def test_time_is_local(shown: Shown) -> None:
    """The reader's clock, to the millisecond."""
    shown.log("x")
    assert shown.text.startswith(time.strftime("%H:%M:%S", time.localtime(NOON)) + ".250 ")


def test_line_after_the_end_is_still_attributed(shown: Shown) -> None:
    """Output and end of a run take different ways; the job is known all the same."""
    shown.run_event("started")
    shown.run_event("completed")
    shown.log("late")
    assert shown.lines()[-1] == "purchase-ticket 885kk8       late"


def test_run_from_an_earlier_life_has_no_duration(shown: Shown) -> None:
    """A run that began before this server did says nothing false about its time."""
    shown.run_event("resumed")
    shown.run_event("completed", 5)
    assert shown.lines()[-1].endswith(" completed")


def test_failure_shows_where_and_what_to_do(shown: Shown) -> None:
    """The step, the error and its hint."""
    shown.run_event("failed", error=encode_problem(Problem(code="x", message="no seat left", hint="choose another")))
    assert [line.strip() for line in shown.lines()] == [
        "purchase-ticket 885kk8       failed at #2.1: ProblemError: no seat left",
        "hint: choose another",
    ]


def test_error_that_cannot_be_read_is_shown_as_failure(shown: Shown) -> None:
    """A damaged value does not break the terminal."""
    shown.run_event("failed", error=b"\xff")
    assert "failed at #2.1" in shown.text


def test_warnings_say_so_without_colour(shown: Shown) -> None:
    """The level is a word; ordinary lines have none."""
    shown.log("low on seats", level=logging.WARNING)
    shown.log("no seats", level=logging.ERROR)
    shown.log("to stderr", level=logging.WARNING, stream="stderr")
    assert [line.split(maxsplit=2)[2] for line in shown.lines()] == [
        "warning: low on seats", "error: no seats", "to stderr",
    ]  # fmt: skip


def test_lines_of_one_message_stay_together(shown: Shown) -> None:
    """Further lines stand below the first."""
    shown.log("first\nsecond")
    first, second = shown.text.splitlines()
    assert second == " " * first.index("first") + "second"


def test_columns_align_with_colour_and_wide_names() -> None:
    """Colours and wide characters do not shift the columns."""
    plain, coloured = Shown(), Shown(colour=True)
    for shown in (plain, coloured):
        shown.terminal.run_event(RunEvent(news="started", run="run_b", job="払い戻し", at=NOON))
        shown.run_event("started")
        shown.log("x", step="1")
        shown.terminal.run_event(RunEvent(news="waiting", run="run_a", job="j" * 50, at=NOON))
    assert safe_lines(coloured.text) == plain.text.splitlines()
    before = {width_of(line[: line.index(word)]) for line in plain.lines()[1:2] for word in ("started",)}
    assert before == {width_of(plain.lines()[2][: plain.lines()[2].rindex("x")])}


def test_escape_sequences_of_jobs_do_nothing(shown: Shown) -> None:
    """A job cannot clear the screen."""
    shown.log("\x1b[2Jgone")
    assert "\x1b" not in shown.text


def ready(*jobs: str, **more: object) -> Ready:
    """Return the news that a worker serves."""
    python = Interpreter(path="python", origin="ours")
    return Ready(worker="w", pid=7, jobs=jobs, seconds=0.34, interpreter=python, **more)  # type: ignore[arg-type]


def test_first_ready_counts_from_the_command(shown: Shown) -> None:
    """The first time includes our own start; the jobs are named."""
    shown.terminal.ready(ready("b", "a"))
    assert shown.lines() == ["trigger               ready in 500 ms: 2 jobs: a, b"]


def test_later_ready_names_what_differs(shown: Shown) -> None:
    """After a reload the developer sees which jobs came and went, and what the old code still does."""
    shown.terminal.ready(ready("a", "b"))
    shown.terminal.reloading([Change(path="jobs/a.py", kind="changed")])
    shown.terminal.ready(ready("a", "c", retiring=2))
    assert [line.strip() for line in shown.lines()[1:]] == [
        "trigger               reload: jobs/a.py changed",
        "trigger               ready in 340 ms: 2 jobs; new: c; gone: b; 2 runs to be finished by the code before",
    ]


def test_many_changes_are_counted() -> None:
    """A switch of branches does not fill the screen."""
    changes = [Change(path=f"jobs/{number}.py", kind="changed") for number in range(8)]
    assert describe(changes).endswith("jobs/5.py changed and 2 more")


def test_blocked_worker_is_shown_with_its_stack(shown: Shown) -> None:
    """The watchdog's news are for the developer; comings and goings of workers are the supervisor's to tell."""
    shown.terminal.worker_event(WorkerEvent(news="connected", worker="w", at=NOON))
    shown.terminal.worker_event(
        WorkerEvent(news="blocked", worker="w", at=NOON, message="busy for 2.0 s", run=RUN, stack="a.py:1\nb.py:2")
    )
    assert [line.strip() for line in shown.lines()] == [
        "worker   885kk8       warning: busy for 2.0 s",
        "a.py:1",
        "b.py:2",
    ]


def test_failed_code_says_what_goes_on(shown: Shown) -> None:
    """With and without an old worker."""
    problem = Problem(code="import-failed", message="NameError: x", where="jobs/a.py:2")
    shown.terminal.failed([problem], old_goes_on=True)
    assert "error: import-failed: NameError: x" in shown.text
    assert "the code before this save goes on" in shown.text
    shown.terminal.failed([problem], old_goes_on=False)
    assert "runs wait until the next save that works" in shown.text


def test_banner_names_the_address(shown: Shown) -> None:
    """Names and values, aligned."""
    shown.terminal.banner({"api": "http://127.0.0.1:1", "python": "/p"})
    assert shown.text.splitlines()[1:] == ["  api     http://127.0.0.1:1", "  python  /p"]
