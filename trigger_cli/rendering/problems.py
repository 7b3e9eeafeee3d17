"""Problems as text."""

from __future__ import annotations

from trigger_cli.rendering.style import PLAIN, Palette
from trigger_cli.rendering.text import many_lines, one_line
from trigger_sdk.protocol.problem import Problem


def render_problem(problem: Problem, *, palette: Palette = PLAIN, label: str = "error") -> list[str]:
    """Return the lines of a problem.

    ::

        error: unknown-job: There is no job 'purchse'
          where: jobs/ticket.py:12
          ...detail...
          hint: did you mean 'purchase'?

    Args:
        problem: what to show; its texts are made safe here.
        palette: colours.
        label: the word in front, ``error`` or ``warning``.
    """
    head = (
        f"{palette.red(palette.bold(f'{label}:'))} {palette.bold(one_line(problem.code))}: {one_line(problem.message)}"
    )
    lines = [head]
    if problem.where:
        lines.append(f"  {palette.dim('where:')} {one_line(problem.where)}")
    lines.extend(f"  {line}" for line in many_lines(problem.detail))
    if problem.hint:
        first, *more = many_lines(problem.hint)
        lines.append(f"  {palette.cyan('hint:')} {first}")
        lines.extend(f"        {line}" for line in more)
    return lines
