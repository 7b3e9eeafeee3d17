"""`trigger keys`: the API keys of a server."""

from __future__ import annotations

from typing import Annotated

import typer

from trigger_cli.app import group
from trigger_cli.commands.options import AsJson, Url

app = group("keys", "Make, list and revoke API keys of a server.")


@app.command("create")
def create_key(
    *,
    purpose: Annotated[str, typer.Option("--purpose", help="What it is for: admin, deploy, trigger, read or worker.")],
    environment: Annotated[
        str | None,
        typer.Option("--environment", "-e", help="Where it works, such as prod or preview/BRANCH; else everywhere."),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="For what or whom, for the list.")] = "",
    json: AsJson = False,
    url: Url = None,
) -> None:
    """Make an API key. It is shown once, on standard output, and kept nowhere."""
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        made = api.create_key(purpose, environment, note)
    if json:
        terminal.print_json(made)
        return
    about = made["about"]
    place = about["environment"] or "all environments"
    terminal.say(f"a key for '{about['purpose']}' in {place}; it is shown this once:")
    terminal.print(str(made["key"]))


@app.command("list")
def list_keys(*, json: AsJson = False, url: Url = None) -> None:
    """List the API keys by their beginnings, the newest first."""
    from trigger_cli.rendering.tables import Cell, Column, render_table
    from trigger_cli.rendering.values import format_time
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        keys = api.keys()
    if json:
        terminal.print_json({"keys": keys})
        return
    head = [
        Column(title="KEY"),
        Column(title="ENVIRONMENT"),
        Column(title="PURPOSE"),
        Column(title="STATE"),
        Column(title="MADE"),
        Column(title="USED"),
        Column(title="NOTE", flexible=True),
    ]
    rows = []
    for key in keys:
        used = key.get("used_at")
        texts = (
            f"{key['id']}…",
            str(key.get("environment") or "(all)"),
            str(key.get("purpose")),
            "revoked" if key.get("revoked_at") else "good",
            format_time(key["created_at"]),
            format_time(used) if used else "never",
            str(key.get("note") or ""),
        )
        rows.append([Cell(text=text) for text in texts])
    width = terminal.width if terminal.live else None
    for line in render_table(head, rows, width=width, palette=terminal.palette, ellipsis=terminal.glyphs.ellipsis):
        terminal.print(line)


@app.command("revoke")
def revoke_key(
    id: Annotated[str, typer.Argument(metavar="KEY", help="The beginning of a key, as the list shows it.")],
    *,
    json: AsJson = False,
    url: Url = None,
) -> None:
    """Revoke an API key: it is refused from now on, and what it has open is closed."""
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        key = api.revoke_key(id.rstrip("….*"))
    if json:
        terminal.print_json(key)
        return
    terminal.print(f"revoked {key['id']}")
