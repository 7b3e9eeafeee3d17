"""`trigger runs`: list, show, cancel, resume and replay runs."""

from __future__ import annotations

from typing import Annotated

import typer

from trigger_cli.app import group
from trigger_cli.commands.options import AsJson, RunId, RunIds, Url
from trigger_sdk.protocol.states import RunState

app = group("runs", "List, show, cancel, resume and replay runs.")


@app.command("list")
def list_runs(
    *,
    job: Annotated[str | None, typer.Option("--job", help="Only runs of this job.")] = None,
    state: Annotated[RunState | None, typer.Option("--state", help="Only runs in this state.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", help="Only runs with this label.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The most to list.")] = 20,
    json: AsJson = False,
    url: Url = None,
) -> None:
    """List runs, newest first."""
    from trigger_cli.commands.run_pages import print_list
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        runs = list(api.runs(job=job, state=state, tag=tag, limit=limit))
    if json:
        terminal.print_json({"runs": runs})
    else:
        print_list(runs, terminal)


@app.command("show")
def show(
    id: RunId,
    *,
    logs: Annotated[bool, typer.Option("--logs", help="Show its output too.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Draw it anew as it goes on, until it ends.")] = False,
    all: Annotated[bool, typer.Option("--all", help="Draw every step, however many there are.")] = False,
    json: AsJson = False,
    url: Url = None,
) -> None:
    """Show a run: its steps as a timeline, its payload, and its output or error."""
    from trigger_cli.api.run_ids import resolve_run
    from trigger_cli.commands.run_pages import fetch_page, print_page, watch_page
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        run_id = resolve_run(api, id)
        if watch:
            page = watch_page(api, run_id, terminal, with_logs=logs, every_step=all, quiet=json)
        else:
            page = fetch_page(api, run_id, with_logs=logs)
    if json:
        terminal.print_json(page.to_json())
    else:
        print_page(page, terminal, every_step=all)


@app.command("cancel")
def cancel(ids: RunIds, *, json: AsJson = False, url: Url = None) -> int:
    """Cancel runs: their `finally` blocks and compensation still run."""
    from trigger_cli.commands.run_actions import act

    return act("cancel", ids, as_json=json, url=url)


@app.command("resume")
def resume(ids: RunIds, *, json: AsJson = False, url: Url = None) -> int:
    """Resume failed runs from the step that failed."""
    from trigger_cli.commands.run_actions import act

    return act("resume", ids, as_json=json, url=url)


@app.command("replay")
def replay(ids: RunIds, *, json: AsJson = False, url: Url = None) -> int:
    """Repeat runs from the start, as new runs. Prints the new ids."""
    from trigger_cli.commands.run_actions import act

    return act("replay", ids, as_json=json, url=url)
