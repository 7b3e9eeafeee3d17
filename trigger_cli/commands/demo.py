"""`trigger demo`: see a job survive."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_cli.app import single
from trigger_cli.commands.options import AsJson
from trigger_cli.errors import DemoFailed, ExitCode

if TYPE_CHECKING:
    from trigger_cli.demo.performance import Outcome
    from trigger_cli.terminal import Terminal

app = single("demo")


@app.command("demo")
def demo(
    *,
    port: Annotated[int, typer.Option("--port", help="Where `trigger dev` listens; 0 is any free port.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the project's folder, with its logs.")] = False,
    json: AsJson = False,
) -> int:
    """See a job survive: a purchase, a time-out, a failure with undo, and SIGKILL in the middle of a run.

    Makes the ticket template in a temporary folder, runs `trigger dev` and the template's services on it for real, and
    counts what happened in the world. The exit code is 0 when every effect happened exactly as often as promised.
    """
    from trigger_cli.demo.performance import perform
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    place = Path(tempfile.mkdtemp(prefix="trigger-demo-"))
    folder = place / "ticket"
    tell = terminal.say if json else terminal.print_now
    try:
        outcomes = perform(folder, port, tell=tell, show=lambda outcome, now: _show(outcome, now, terminal, json))
    except DemoFailed as error:
        from trigger_cli.demo.processes import tail

        log = tail(folder / "dev.log")
        raise DemoFailed(error.message, detail=error.problem.detail or log, hint=error.problem.hint) from error
    finally:
        if keep:
            terminal.say(f"kept: {folder}")
        else:
            import shutil

            shutil.rmtree(place, ignore_errors=True)
    return _conclude(outcomes, terminal, as_json=json)


def _show(outcome: Outcome, now: float, terminal: Terminal, as_json: bool) -> None:  # noqa: FBT001 - a private callback
    """Print an act's timeline and counts."""
    if as_json:
        return
    from trigger_cli.demo.ledger import render_counts
    from trigger_cli.rendering.timeline import Style, render_run
    from trigger_cli.rendering.view import RunView, StepView

    style = Style(width=terminal.width, glyphs=terminal.glyphs, palette=terminal.palette)
    steps = [StepView.read(step) for step in outcome.steps]
    lines = ["", *render_run(RunView.read(outcome.run), steps, now=now, style=style), ""]
    lines += render_counts(outcome.counts, palette=terminal.palette, glyphs=terminal.glyphs)
    terminal.print_now("\n".join(f"  {line}".rstrip() for line in lines))


def _conclude(outcomes: list[Outcome], terminal: Terminal, *, as_json: bool) -> int:
    broken = [outcome for outcome in outcomes if not outcome.kept]
    if as_json:
        terminal.print_json({"as_promised": not broken, "acts": [outcome.to_json() for outcome in outcomes]})
        return ExitCode.FAILED if broken else ExitCode.DONE
    if broken:
        lines = [
            f"{outcome.act.title}: ended {outcome.run['state']}, promised {outcome.act.state}" for outcome in broken
        ]
        raise DemoFailed(
            f"{len(broken)} of {len(outcomes)} acts did not go as promised",
            detail="\n".join(lines),
            hint="please report this, with the output above",
        )
    total = sum(item.counted for outcome in outcomes for item in outcome.counts)
    check = terminal.palette.green(terminal.glyphs.completed)
    terminal.print(f"\n{check} {len(outcomes)} runs, {total} effects: each exactly as often as promised")
    return ExitCode.DONE
