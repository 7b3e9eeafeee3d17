"""`trigger run`: start a run, and wait for it when asked to."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trigger_cli.app import single
from trigger_cli.commands.options import AsJson, Payload, Url
from trigger_cli.errors import ExitCode

app = single("run")


@app.command("run")
def run(  # noqa: PLR0913 - a command's options are its arguments
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    *,
    payload: Payload = None,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Follow the run to its end, then print its output.")
    ] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="DURATION", help="With --wait: give up after this time.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="A second start with the same key finds the first run.")
    ] = None,
    idempotency_ttl: Annotated[
        str | None, typer.Option("--idempotency-ttl", metavar="DURATION", help="How long the key holds.")
    ] = None,
    delay: Annotated[str | None, typer.Option("--delay", metavar="DURATION", help="Start after this time.")] = None,
    ttl: Annotated[
        str | None, typer.Option("--ttl", metavar="DURATION", help="Expire when not started by then.")
    ] = None,
    max_duration: Annotated[
        str | None, typer.Option("--max-duration", metavar="DURATION", help="End it as timed_out after this time.")
    ] = None,
    priority: Annotated[int | None, typer.Option("--priority", help="Higher goes first.", show_default=False)] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Use this queue instead of the job's.")] = None,
    concurrency_key: Annotated[
        str | None, typer.Option("--concurrency-key", help="Divides the queue's limit: one limit per key.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A label; may be given several times.")] = None,
    metadata: Annotated[
        str | None, typer.Option("--metadata", metavar="JSON|@FILE", help="A JSON object to keep with the run.")
    ] = None,
    on_version: Annotated[
        str | None, typer.Option("--on-version", help="The code version to run on.", show_default=False)
    ] = None,
    json: AsJson = False,
    url: Url = None,
) -> int:
    """Start a run of a job.

    Prints the run's id. With --wait, tells on standard error what the run does, and prints its output on standard
    output; the exit code is 1 when it did not complete. DURATION is seconds, or like 90s, 1h30m, 2d.
    """
    from trigger_cli.durations import parse_duration
    from trigger_cli.payloads import read_payload
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    given: dict[str, object] = {
        "idempotency_key": idempotency_key,
        "idempotency_ttl": _seconds(idempotency_ttl, "--idempotency-ttl"),
        "delay": _seconds(delay, "--delay"),
        "ttl": _seconds(ttl, "--ttl"),
        "max_duration": _seconds(max_duration, "--max-duration"),
        "priority": priority,
        "queue": queue,
        "concurrency_key": concurrency_key,
        "tags": tag or None,
        "metadata": read_payload(metadata, sys.stdin.read),
        "version": on_version,
    }
    value = read_payload(payload, sys.stdin.read)
    patience = None if timeout is None else parse_duration(timeout, "--timeout")
    terminal = Terminal.of_process()
    with connected(url) as api:
        started = api.trigger(job, value, {name: option for name, option in given.items() if option is not None})
        if started.get("existing"):
            terminal.say(f"{started['id']} was there already: the idempotency key is taken")
        if wait:
            from trigger_cli.commands.waiting import wait_and_print

            return wait_and_print(api, str(started["id"]), terminal, patience=patience, as_json=json)
    if json:
        terminal.print_json(started)
    else:
        terminal.print(str(started["id"]))
    return ExitCode.DONE


def _seconds(text: str | None, option: str) -> float | None:
    from trigger_cli.durations import parse_duration

    return None if text is None else parse_duration(text, option)
