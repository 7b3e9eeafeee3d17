"""`trigger event`: send events."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trigger_cli.app import group
from trigger_cli.commands.options import AsJson, Payload, Url

app = group("event", "Send events.")


@app.command("send")
def send(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The event's name, such as cart.checked-out.")],
    *,
    payload: Payload = None,
    id: Annotated[
        str | None, typer.Option("--id", help="The event's id: a second one with the same id changes nothing.")
    ] = None,
    json: AsJson = False,
    url: Url = None,
) -> None:
    """Send an event: it ends the waits that it matches. Prints the event's id."""
    from trigger_cli.payloads import read_payload
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    value = read_payload(payload, sys.stdin.read)
    terminal = Terminal.of_process()
    with connected(url) as api:
        sent = api.send_event(name, value, id)
    if json:
        terminal.print_json(sent)
        return
    terminal.print(str(sent["id"]))
    matched = int(sent.get("matched") or 0)
    if matched:
        terminal.say(f"ended {matched} wait{'s' if matched != 1 else ''}")
    else:
        terminal.say("no run waits for it now; runs that are going on will still find it")
