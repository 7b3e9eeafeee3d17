"""`trigger dev`: run the project's jobs here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigger_cli.app import single
from trigger_sdk.protocol.limits import DEFAULT_PORT

app = single("dev")

_LOOPBACK = "127.0.0.1"


@app.command("dev")
def dev(
    *,
    port: Annotated[
        int, typer.Option("--port", "-p", min=0, max=65535, help="Where to listen; 0 is any free port.")
    ] = DEFAULT_PORT,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; this machine only by default.")
    ] = _LOOPBACK,
    no_reload: Annotated[bool, typer.Option("--no-reload", help="Keep the code that was loaded at the start.")] = False,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Do not look for side effects in the jobs that were saved.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Plain lines, whatever the terminal.")] = False,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="PATH", help="Interpreter for the jobs, instead of the configured one."),
    ] = None,
    project: Annotated[
        Path | None, typer.Option("--project", metavar="DIR", help="A folder of the project; here by default.")
    ] = None,
) -> int:
    """Run the project's jobs here, reloading them as you edit.

    Serves the API on this machine, starts a worker with the project's own interpreter, and shows what the jobs write,
    and what `trigger check` finds in what you save.
    Everything is kept in .trigger/ and goes on after a restart.
    """
    from devserver.options import DevOptions
    from devserver.run import run

    options = DevOptions(
        project=project or Path.cwd(),
        port=port,
        host=host,
        reload=not no_reload,
        check=not no_check,
        plain=plain,
        python=python,
    )
    return run(options)
