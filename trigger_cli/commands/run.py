"""`trigger run`: start a run, and wait for it when asked to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from trigger_cli.app import single
from trigger_cli.commands import run_options as option
from trigger_cli.commands.options import AsJson, Payload, Url
from trigger_cli.commands.run_options import in_seconds
from trigger_cli.errors import ExitCode

app = single("run")


@app.command("run")
def run(  # noqa: PLR0913 - a command's options are its arguments
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")],
    *,
    payload: Payload = None,
    wait: option.Wait = False,
    timeout: option.Timeout = None,
    idempotency_key: option.IdempotencyKey = None,
    idempotency_ttl: option.IdempotencyTtl = None,
    delay: option.Delay = None,
    ttl: option.Ttl = None,
    max_duration: option.MaxDuration = None,
    priority: option.Priority = None,
    queue: option.Queue = None,
    concurrency_key: option.ConcurrencyKey = None,
    tag: option.Tags = None,
    metadata: option.Metadata = None,
    on_version: option.OnVersion = None,
    json: AsJson = False,
    url: Url = None,
) -> int:
    """Start a run of a job.

    Prints the run's id. With --wait, tells on standard error what the run does, and prints its output on standard
    output; the exit code is 1 when it did not complete. DURATION is seconds, or like 90s, 1h30m, 2d.
    """
    from trigger_cli.payloads import read_payload

    options = {
        "idempotency_key": idempotency_key,
        "idempotency_ttl": in_seconds(idempotency_ttl, "--idempotency-ttl"),
        "delay": in_seconds(delay, "--delay"),
        "ttl": in_seconds(ttl, "--ttl"),
        "max_duration": in_seconds(max_duration, "--max-duration"),
        "priority": priority,
        "queue": queue,
        "concurrency_key": concurrency_key,
        "tags": tag or None,
        "metadata": read_payload(metadata, sys.stdin.read),
        "version": on_version,
    }
    given = {name: value for name, value in options.items() if value is not None}
    patience = in_seconds(timeout, "--timeout")
    value = read_payload(payload, sys.stdin.read)
    return _start(job, value, given, wait=wait, patience=patience, as_json=json, url=url)


def _start(
    job: str,
    payload: object,
    options: Mapping[str, object],
    *,
    wait: bool,
    patience: float | None,
    as_json: bool,
    url: str | None,
) -> int:
    """Start the run, and follow it if so wanted; returns the exit code."""
    from trigger_cli.session import connected
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    with connected(url) as api:
        started = api.trigger(job, payload, options)
        if started.get("existing"):
            terminal.say(f"{started['id']} was there already: the idempotency key is taken")
        if wait:
            from trigger_cli.commands.waiting import wait_and_print

            return wait_and_print(api, str(started["id"]), terminal, patience=patience, as_json=as_json)
    if as_json:
        terminal.print_json(started)
    else:
        terminal.print(str(started["id"]))
    return ExitCode.DONE
