"""Following a run to its end and printing what came of it."""

from __future__ import annotations

from trigger_cli.api.client import Api
from trigger_cli.errors import ExitCode
from trigger_cli.following import Follower
from trigger_cli.rendering.problems import render_problem
from trigger_cli.rendering.tracebacks import without_our_frames
from trigger_cli.rendering.values import format_duration
from trigger_cli.rendering.view import RunView
from trigger_cli.terminal import Terminal
from trigger_sdk.protocol.problem import Problem


def wait_and_print(api: Api, run_id: str, terminal: Terminal, *, patience: float | None, as_json: bool) -> ExitCode:
    """Follow a run; print its output (or, as JSON, the run); return 0 when it completed and 1 when not."""
    follower = Follower(api, terminal.say, palette=terminal.err_palette, glyphs=terminal.err_glyphs)
    try:
        terminal.say(terminal.err_palette.dim(run_id))
        data = follower.until_final(run_id, patience)
    except KeyboardInterrupt:
        terminal.say(f"{run_id} goes on; cancel it with: trigger runs cancel {run_id}")
        raise
    run = RunView.read(data)
    if as_json:
        terminal.print_json(data)
    if run.state == "completed":
        if not as_json:
            terminal.print_json(run.output)
        return ExitCode.DONE
    if not as_json:
        took = run.duration(run.created_at)
        after = "" if took is None else f" after {format_duration(took)}"
        error = run.error
        problem = Problem(
            code=f"run-{run.state.replace('_', '-')}",
            message=f"{run.job} {run.state}{after}" + (f": {error.headline()}" if error and error.headline() else ""),
            detail=without_our_frames(error.traceback.rstrip()) if error else "",
            hint=(error.hint if error and error.hint else "") or f"see its steps: trigger runs show {run_id}",
            where=run_id,
        )
        terminal.say("\n".join(render_problem(problem, palette=terminal.err_palette)))
    return ExitCode.FAILED
