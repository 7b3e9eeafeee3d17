"""`trigger lsp`: the check in editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigger_cli.app import single

app = single("lsp")


@app.command()
def lsp(
    *,
    stdio: Annotated[bool, typer.Option("--stdio", help="Speak on standard input and output: the only way.")] = True,
    log_file: Annotated[Path | None, typer.Option(help="Write the log to a file, not to standard error.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every message, source text included.")] = False,
    client_process_id: Annotated[int | None, typer.Option("--clientProcessId", hidden=True)] = None,
) -> None:
    """Serve an editor over the Language Server Protocol; editors start this themselves.

    How to set them up: docs/guides/editors.md.
    """
    import sys

    from analyzer.language_server.start import serve

    del stdio, client_process_id  # what clients say without being asked; `initialize` has the process
    if sys.stdin.isatty():
        typer.echo("trigger lsp speaks with editors; press Ctrl-C to end it", err=True)
    raise typer.Exit(serve(log_file=log_file, verbose=verbose))
