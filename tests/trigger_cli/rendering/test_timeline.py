"""A run as a timeline, in every kind of terminal."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_cli.rendering.style import ASCII, PLAIN, UNICODE, Palette
from trigger_cli.rendering.text import columns
from trigger_cli.rendering.timeline import Style, render_log, render_logs, render_run, render_timeline
from trigger_cli.rendering.view import ErrorView, LogView, RunView, StepView

START = 1_700_000_000.0

Compare = Callable[[Sequence[str]], None]


def make_run(**fields: object) -> RunView:
    """Return a run that took 301.5 seconds and failed; ``fields`` replace that."""
    usual: dict[str, object] = {
        "id": "run_01JABCDEFGHJKMNPQRSTVWXYZ1",
        "job": "purchase-ticket",
        "state": "failed",
        "created_at": START,
        "started_at": START,
        "finished_at": START + 301.5,
        "attempt": 2,
        "error": ErrorView(
            type="Refused",
            message="the card was declined\nby the bank",
            traceback='Traceback (most recent call last):\n  File "jobs/purchase.py", line 61\nRefused: declined',
        ),
        "payload": {"ticket_id": 7, "user_id": "ada"},
        "tags": ("vip", "web"),
        "version": "20261124.3",
        "created_text": "2026-11-24T11:02:03.120000Z",
    }
    return RunView(**(usual | fields))  # type: ignore[arg-type]


def make_step(id: str, name: str, start: float | None, end: float | None, **fields: object) -> StepView:
    """Return a step that began and ended so many seconds after the start."""
    usual: dict[str, object] = {
        "id": id,
        "name": name,
        "kind": "task",
        "state": "completed",
        "started_at": None if start is None else START + start,
        "finished_at": None if end is None else START + end,
        "attempts": 1,
        "error": None,
        "line": "jobs/purchase.py:61",
    }
    return StepView(**(usual | fields))  # type: ignore[arg-type]


PURCHASE = [
    make_step("1", "reserve_ticket", 0.02, 0.1),
    make_step("2", "cart.checked-out", 0.1, 299.8, kind="event"),
    make_step("3.1", "charge_card", 299.8, 301, state="failed", attempts=3,
              error=ErrorView(type="Refused", message="the card was declined")),
    make_step("4.1", "send_email", 299.8, 300.2),
    make_step("4.2", "log_email", 300.2, 300.4),
    make_step("4.3.1", "archive", 300.2, 300.3),
    make_step("5.1", "post_message", 299.9, 300.5, state="canceled"),
    make_step("10", "release_ticket", 301, 301.4),
]  # fmt: skip


@pytest.mark.parametrize("width", [160, 100, 80, 44])
def test_purchase_at_width(matches_snapshot: Compare, width: int) -> None:
    """A failed run with a long wait, retries and branches; below 50 columns the bars give way to offsets."""
    lines = render_run(make_run(), PURCHASE, now=START + 400, style=Style(width=width))
    matches_snapshot(lines)


def test_purchase_in_ascii(matches_snapshot: Compare) -> None:
    """A stream that knows only ASCII gets only ASCII."""
    lines = render_run(make_run(), PURCHASE, now=START + 400, style=Style(glyphs=ASCII))
    assert "\n".join(lines).isascii()
    matches_snapshot(lines)


def test_purchase_in_colour(matches_snapshot: Compare) -> None:
    """Colours add nothing but colours."""
    style = Style(palette=Palette(enabled=True))
    coloured = render_run(make_run(), PURCHASE, now=START + 400, style=style)
    plain = render_run(make_run(), PURCHASE, now=START + 400, style=Style())
    assert [columns(line) for line in coloured] == [columns(line) for line in plain]
    matches_snapshot([line.replace("\x1b", "ESC") for line in coloured])


def test_running_run(matches_snapshot: Compare) -> None:
    """What goes on reaches to the right edge, and says when it is tried again or ends."""
    run = make_run(state="running", finished_at=None, error=None, attempt=1, tags=(), version="")
    steps = [
        make_step("1", "fetch", 0.02, 0.5),
        make_step("2", "store", 0.6, None, state="retrying", attempts=2, due_at=START + 9,
                  error=ErrorView(type="ConnectionError", message="no answer")),
        make_step("3.1", "work", 1, None, state="running"),
        make_step("4.1", "child-job", 1.5, None, state="waiting", kind="child", child="run_01JCHILD"),
        make_step("5.1", "", 1.5, None, state="waiting", kind="sleep", due_at=START + 3605),
    ]  # fmt: skip
    matches_snapshot(render_run(run, steps, now=START + 5, style=Style()))


def test_completed_run_shows_its_output(matches_snapshot: Compare) -> None:
    """A large output is cut, and says so."""
    run = make_run(state="completed", error=None, output=[{"row": number} for number in range(100)])
    steps = [
        make_step("1", "uuid4", 0, 0.001, kind="record"),
        make_step("2", "other", 0.1, 0.2, kind="trigger"),
        make_step("3", "done", 0.2, 0.3, kind="send"),
    ]
    matches_snapshot(render_run(run, steps, now=START + 400, style=Style()))


def test_run_without_steps() -> None:
    """A run that has not begun, and one that ended without steps, say so."""
    queued = make_run(state="queued", started_at=None, finished_at=None, error=None)
    assert render_timeline(queued, [], now=START + 1, style=Style()) == ["no steps yet"]
    assert render_timeline(make_run(), [], now=START + 1, style=Style()) == ["no steps"]


def test_thousands_of_steps_are_cut_but_failures_stay() -> None:
    """Of 5,000 steps 200 are drawn: the first, the last, and each that did not simply complete."""
    steps = [make_step(str(number), "step", number, number + 0.5) for number in range(1, 5001)]
    steps[2500] = make_step("2501", "broken", 2501, 2502, state="failed")
    lines = render_timeline(make_run(finished_at=START + 5001), steps, now=START, style=Style())
    assert any("broken" in line for line in lines)
    assert lines[-1] == "… 4801 more steps (--all shows them)"
    every = render_timeline(make_run(), steps, now=START, style=Style(most_steps=None))
    assert len(every) == 5001


def test_text_from_elsewhere_cannot_move_the_cursor() -> None:
    """Escape sequences and line breaks in names, errors and values are shown, not obeyed."""
    evil = "\x1b[2Jx\r\ny\u202e"
    steps = [make_step("1", evil, 0, 1, state="failed", error=ErrorView(type=evil, message=evil))]
    run = make_run(
        job=evil, payload=evil, tags=(evil,), error=ErrorView(type="E", message=evil, traceback=evil, hint=evil)
    )
    text = "\n".join(render_run(run, steps, now=START, style=Style()))
    assert not {"\x1b", "\r", "\u202e"} & set(text)


def test_log_lines(matches_snapshot: Compare) -> None:
    """Lines have their time since the start, their step and level; further lines of a text are indented."""
    lines = [
        LogView(at=START + 0.25, level="INFO", step="", logger="job", text="begun", stream="log"),
        LogView(at=START + 1.5, level="ERROR", step="2.1", logger="x", text="broken\n  because", stream="log"),
        LogView(at=START + 62, level="INFO", step="3", logger="", text="printed", stream="stdout"),
    ]
    matches_snapshot(render_logs(lines, origin=START))


def test_log_line_of_a_task_on_its_own() -> None:
    """Shown as it comes, without the others to align with, its step stands apart from its level."""
    line = LogView(at=START + 1, level="INFO", step="3", logger="", text="printed", stream="stdout")
    assert render_log(line, origin=START) == "  +1.000s 3 stdout  printed"


moments = st.none() | st.floats(-10, 1e7)
made_steps = st.lists(
    st.builds(
        make_step,
        id=st.lists(st.integers(1, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts))),
        name=st.text(max_size=40),
        start=moments,
        end=moments,
        kind=st.sampled_from(["task", "record", "sleep", "event", "child"]),
        state=st.sampled_from(["running", "retrying", "waiting", "completed", "failed", "canceled"]),
        attempts=st.integers(0, 50),
        due_at=moments,
    ),
    max_size=30,
)


@given(steps=made_steps, width=st.integers(50, 220), finished=moments, glyphs=st.sampled_from([ASCII, UNICODE]))
def test_rows_never_exceed_the_terminal(
    steps: list[StepView], width: int, finished: float | None, glyphs: object
) -> None:
    """Whatever the steps, a row with a bar fits the width: clocks that differ, missing times, wide characters."""
    run = make_run(finished_at=None if finished is None else START + finished)
    style = Style(width=width, glyphs=glyphs, palette=PLAIN)  # type: ignore[arg-type]
    lines = render_timeline(run, steps, now=START + 100, style=style)
    rows = [line for line in lines if not line.startswith("      ")]
    assert [line for line in rows if columns(line) > width] == []
