"""A run as a timeline: one row per step, a bar over time, branches side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trigger_cli.rendering.scale import Scale, make_scale, render_axis
from trigger_cli.rendering.style import PLAIN, UNICODE, Glyphs, Palette
from trigger_cli.rendering.text import columns, cut, many_lines, one_line, pad
from trigger_cli.rendering.tracebacks import without_our_frames
from trigger_cli.rendering.values import format_duration, format_time, format_value
from trigger_cli.rendering.view import ErrorView, LogView, RunView, StepView

_NARROWEST_BAR = 12
_NARROWEST_LABEL = 8
_LABEL_SHARE = 0.45
_PAYLOAD_LINES = 8
_OUTPUT_LINES = 20
_TRACEBACK_LINES = 30
_EXECUTING = frozenset(("running", "retrying", "waiting"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How to draw: ``width`` in columns, characters, colours, and ``most_steps`` rows (None for all)."""

    width: int = 100
    glyphs: Glyphs = UNICODE
    palette: Palette = PLAIN
    most_steps: int | None = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A step, its place in the drawing, and its texts."""

    step: StepView
    label: str
    note: str


def render_run(run: RunView, steps: Sequence[StepView], *, now: float, style: Style) -> list[str]:
    """Return a run's page: heading, payload, timeline, and output or error.

    Args:
        run: the run.
        steps: its steps, in any order.
        now: seconds since the epoch; the end of what goes on.
        style: how to draw.
    """
    lines = _heading(run, now, style)
    lines.extend(_labelled("payload", run.payload, style, _PAYLOAD_LINES))
    lines.append("")
    lines.extend(render_timeline(run, steps, now=now, style=style))
    if run.state == "completed":
        lines += ["", *_labelled("output", run.output, style, _OUTPUT_LINES)]
    elif run.error is not None:
        lines += ["", *_run_error(run.error, style)]
    return lines


def _heading(run: RunView, now: float, style: Style) -> list[str]:
    glyphs, palette = style.glyphs, style.palette
    state = palette.of_state(run.state, f"{glyphs.of_state(run.state)} {run.state.replace('_', ' ')}")
    facts = [palette.bold(one_line(run.job)), one_line(run.id), state]
    duration = run.duration(now)
    if duration is not None:
        facts.append(format_duration(duration))
    if run.attempt > 1:
        facts.append(f"attempt {run.attempt}")
    more = [f"created {format_time(run.created_text)}"]
    more += [f"version {run.version}"] if run.version else []
    more += [f"tags {', '.join(run.tags)}"] if run.tags else []
    more += [f"started by {run.parent}"] if run.parent else []
    more += [f"replay of {run.replayed_from}"] if run.replayed_from else []
    return ["  ".join(facts), palette.dim(cut(one_line(f" {glyphs.dot} ".join(more)), style.width, glyphs.ellipsis))]


def _labelled(label: str, value: object, style: Style, max_lines: int) -> list[str]:
    indent = len(label) + 2
    lines = format_value(value, style.width - indent, max_lines=max_lines, ellipsis=style.glyphs.ellipsis)
    return [
        (style.palette.dim(label) + "  " if index == 0 else " " * indent) + line for index, line in enumerate(lines)
    ]


def _run_error(error: ErrorView, style: Style) -> list[str]:
    lines = [style.palette.red("error") + "  " + one_line(error.headline())]
    lines += ["       " + line for line in many_lines(error.message)[1:]]
    trace = many_lines(without_our_frames(error.traceback.rstrip()))
    if len(trace) > _TRACEBACK_LINES:
        left_out = len(trace) - _TRACEBACK_LINES
        trace = [f"{style.glyphs.ellipsis} {left_out} lines before (--json shows all)", *trace[-_TRACEBACK_LINES:]]
    lines += ["  " + style.palette.dim(line) for line in trace]
    if error.hint:
        lines.append(f"  {style.palette.cyan('hint:')} {one_line(error.hint)}")
    return lines


def render_timeline(run: RunView, steps: Sequence[StepView], *, now: float, style: Style) -> list[str]:
    """Return the axis and one row per step, with what failed and why below its row."""
    if not steps:
        return [style.palette.dim("no steps yet" if not run.final else "no steps")]
    ordered = sorted(steps, key=lambda step: step.position)
    shown, left_out = _visible(ordered, style.most_steps)
    rows = _rows(shown, run, now, style.glyphs)
    label_width = min(max(columns(row.label) for row in rows), max(16, int(style.width * _LABEL_SHARE)))
    note_width = max(columns(row.note) for row in rows)
    bar_width = style.width - label_width - note_width - 4
    if bar_width < _NARROWEST_BAR:
        lines = _draw_narrow(rows, run, label_width, style)
    else:
        scale = _scale_of(run, ordered, now, bar_width)
        lines = [" " * (label_width + 2) + style.palette.dim(render_axis(scale, style.glyphs))]
        for row in rows:
            lines.append(_draw(row, scale, label_width, now, style))
            lines.extend(_below(row.step, now, style))
    if left_out:
        lines.append(style.palette.dim(f"{style.glyphs.ellipsis} {left_out} more steps (--all shows them)"))
    return lines


def _visible(ordered: list[StepView], most: int | None) -> tuple[list[StepView], int]:
    """Choose what to show of very many steps: the first, the last, and everything that is not simply completed."""
    if most is None or len(ordered) <= most:
        return ordered, 0
    unusual = [index for index, step in enumerate(ordered) if step.state != "completed"][:most]
    kept = set(unusual)
    half = (most - len(kept)) // 2
    kept.update(range(half))
    kept.update(range(len(ordered) - half, len(ordered)))
    return [ordered[index] for index in sorted(kept)], len(ordered) - len(kept)


def _rows(steps: Sequence[StepView], run: RunView, now: float, glyphs: Glyphs) -> list[_Row]:
    ids = max(columns(step.id) for step in steps)
    sizes = Counter(step.branch for step in steps)
    seen: Counter[str] = Counter()
    rows = []
    for step in steps:
        seen[step.branch] += 1
        guide = _guide(step, seen[step.branch], sizes[step.branch], glyphs)
        label = f"{glyphs.of_state(step.state)} {pad(one_line(step.id), ids)} {guide}{one_line(step.title)}"
        rows.append(_Row(step=step, label=label, note=_note(step, run, now, glyphs)))
    return rows


def _guide(step: StepView, index: int, size: int, glyphs: Glyphs) -> str:
    """Return the lines that hold a branch's steps together; nothing for the main branch."""
    if not step.branch:
        return ""
    outer = (glyphs.branch_middle + " ") * step.branch.count(".")
    if size == 1:
        return outer + glyphs.branch_only + " "
    if index == 1:
        return outer + glyphs.branch_first + " "
    return outer + (glyphs.branch_last if index == size else glyphs.branch_middle) + " "


def _note(step: StepView, run: RunView, now: float, glyphs: Glyphs) -> str:
    """Return duration, attempts, and the state unless it is the ordinary one."""
    parts = []
    if step.started_at is not None:
        parts.append(format_duration((step.finished_at or _end(run, now)) - step.started_at))
    if step.attempts > 1:
        parts.append(f"{glyphs.times}{step.attempts}")
    if step.state != "completed":
        parts.append(step.state.replace("_", " "))
    return " ".join(parts)


def _end(run: RunView, now: float) -> float:
    return run.finished_at if run.finished_at is not None else now


def _scale_of(run: RunView, steps: Sequence[StepView], now: float, width: int) -> Scale:
    starts = [step.started_at for step in steps if step.started_at is not None]
    ends = [step.finished_at for step in steps if step.finished_at is not None]
    start = min([run.started_at if run.started_at is not None else run.created_at, *starts])
    end = max([_end(run, now), *ends])
    busy = [
        (step.started_at, step.finished_at or end)
        for step in steps
        if step.started_at is not None and not step.waits and step.state != "retrying"
    ]
    return make_scale(start, end, busy, width)


def _draw(row: _Row, scale: Scale, label_width: int, now: float, style: Style) -> str:
    step, palette = row.step, style.palette
    label = pad(cut(row.label, label_width, style.glyphs.ellipsis), label_width)
    label = palette.of_state(step.state, label[:1]) + label[1:]
    start = step.started_at if step.started_at is not None else step.finished_at
    bar = ""
    if start is not None:
        end = step.finished_at if step.finished_at is not None else max(now, start)
        first, length = scale.bar(start, end)
        glyph = style.glyphs.wait_bar if step.waits or step.state == "retrying" else style.glyphs.bar
        bar = " " * first + palette.of_state(step.state, glyph * length) + " " * (scale.width - first - length)
    else:
        bar = " " * scale.width
    return f"{label}  {bar}  {_noted(row, palette)}".rstrip()


def _noted(row: _Row, palette: Palette) -> str:
    return row.note if row.step.state == "completed" else palette.of_state(row.step.state, row.note)


def _draw_narrow(rows: Sequence[_Row], run: RunView, label_width: int, style: Style) -> list[str]:
    """Return rows without bars, for terminals that are too narrow: when each step began instead."""
    origin = run.started_at if run.started_at is not None else run.created_at
    starts = [row.step.started_at for row in rows]
    offsets = ["" if start is None else f"+{format_duration(start - origin)}" for start in starts]
    offset_width = max(columns(offset) for offset in offsets)
    room = style.width - offset_width - 4 - max(columns(row.note) for row in rows)
    label_width = max(_NARROWEST_LABEL, min(label_width, room))
    lines = []
    for row, offset in zip(rows, offsets, strict=True):
        label = pad(cut(row.label, label_width, style.glyphs.ellipsis), label_width)
        lines.append(f"{label}  {pad(offset, offset_width, right=True)}  {_noted(row, style.palette)}".rstrip())
        lines.extend(_below(row.step, run.created_at, style))
    return lines


def _below(step: StepView, now: float, style: Style) -> list[str]:
    """Return the lines below a step that failed, is tried again, or waits for a known moment."""
    details = []
    if step.error is not None and step.state != "completed":
        place = f"  at {step.line}" if step.line else ""
        details.append(style.palette.red(one_line(step.error.headline())) + style.palette.dim(one_line(place)))
    if step.state in _EXECUTING and step.due_at is not None and step.due_at > now:
        word = "next attempt" if step.state == "retrying" else "until"
        details.append(style.palette.dim(f"{word} in {format_duration(step.due_at - now)}"))
    if step.child and step.state != "completed":
        details.append(style.palette.dim(one_line(step.child)))
    return ["      " + detail for detail in details]


def render_logs(lines: Sequence[LogView], *, origin: float, palette: Palette = PLAIN) -> list[str]:
    """Return log lines with the time since ``origin`` (seconds since the epoch), step and level."""
    steps = max((columns(line.step) for line in lines), default=0)
    return [render_log(line, origin=origin, step_width=steps, palette=palette) for line in lines]


def render_log(line: LogView, *, origin: float, step_width: int = 0, palette: Palette = PLAIN) -> str:
    """Return one log line."""
    offset = pad(f"+{max(0.0, line.at - origin):.3f}s", 9, right=True)
    level = line.level if line.stream == "log" else line.stream
    step = one_line(line.step)
    shown = pad(level, 7)
    if level in ("ERROR", "CRITICAL", "stderr"):
        shown = palette.red(shown)
    elif level == "WARNING":
        shown = palette.yellow(shown)
    head = f"{palette.dim(offset)} {palette.dim(pad(step, step_width))}{' ' if step or step_width else ''}{shown} "
    first, *more = many_lines(line.text) or [""]
    indent = " " * (columns(head))
    return "\n".join([head + first, *(indent + text for text in more)])
