"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="Address of the server. Else: TRIGGER_API_URL, the project's running `trigger dev`, the default port.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, and nothing else.")]
Payload = Annotated[
    str | None,
    typer.Option("--payload", "-p", metavar="JSON|@FILE|-", help="The payload: JSON, a file, or - for standard input."),
]
RunId = Annotated[
    str, typer.Argument(metavar="ID", help="A run's id, a unique beginning or end of it, or `last` for the newest.")
]
RunIds = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Ids of runs, unique beginnings or ends of them, or `last`.")
]
