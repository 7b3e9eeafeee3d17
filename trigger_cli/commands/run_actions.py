"""Doing something to several runs: each is tried, and the exit code is that of the first refusal."""

from __future__ import annotations

from collections.abc import Sequence

from trigger_cli.api.run_ids import resolve_run
from trigger_cli.errors import CliError, ExitCode, Refusal, UsageProblem
from trigger_cli.rendering.problems import render_problem
from trigger_cli.session import connected
from trigger_cli.terminal import Terminal


def act(action: str, ids: Sequence[str], *, as_json: bool, url: str | None) -> int:
    """Do ``cancel``, ``resume`` or ``replay`` to each run and print what came of it; returns the exit code.

    A single run that is refused raises its error.
    """
    terminal = Terminal.of_process()
    done: list[dict[str, object]] = []
    code = ExitCode.DONE
    with connected(url) as api:
        for text in ids:
            try:
                run_id = resolve_run(api, text)
                answer = api.act(run_id, action)
            except (Refusal, UsageProblem) as error:
                if len(ids) == 1:
                    raise
                code = code or error.exit_code
                done.append({"id": text, "error": error.problem.to_dict()})
                terminal.say("\n".join(_refused(error, text, terminal)))
                continue
            done.append(answer)
            if not as_json:
                terminal.print(_told(action, run_id, answer, terminal))
    if as_json:
        terminal.print_json({"runs": done})
    return code


def _told(action: str, run_id: str, answer: dict[str, object], terminal: Terminal) -> str:
    if action == "replay":
        return str(answer["id"])
    state = str(answer.get("state", ""))
    return f"{run_id}  {terminal.palette.of_state(state, state)}"


def _refused(error: CliError, text: str, terminal: Terminal) -> list[str]:
    return [f"{text}:", *render_problem(error.problem, palette=terminal.err_palette)]
