"""`trigger jobs`: the jobs that the server knows."""

from __future__ import annotations

from trigger_cli.app import group
from trigger_cli.commands.options import AsJson, Url

app = group("jobs", "List the jobs that the server knows.")


@app.command("list")
def list_jobs(*, json: AsJson = False, url: Url = None) -> None:
    """List the jobs, with their queue and where they are defined."""
    from trigger_cli.rendering.tables import Cell, Column, render_table
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        jobs = api.jobs()
    if json:
        terminal.print_json({"jobs": jobs})
        return
    if not jobs:
        terminal.say("no jobs: no worker has connected yet, or the project declares none")
        return
    head = [
        Column(title="JOB"),
        Column(title="QUEUE"),
        Column(title="WHERE"),
        Column(title="DESCRIPTION", flexible=True),
    ]
    rows = []
    for job in sorted(jobs, key=lambda job: str(job["id"])):
        queue = job.get("queue") or {}
        limit = queue.get("concurrency")
        texts = (
            str(job["id"]),
            str(queue.get("name", "")) + (f" ({limit} at once)" if limit is not None else ""),
            f"{job.get('file', '')}:{job.get('line', '')}",
            str(job.get("description") or ""),
        )
        rows.append([Cell(text=text) for text in texts])
    width = terminal.width if terminal.live else None
    for line in render_table(head, rows, width=width, palette=terminal.palette, ellipsis=terminal.glyphs.ellipsis):
        terminal.print(line)
