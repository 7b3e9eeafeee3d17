"""The options of `trigger check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigger_cli.checking.options import OutputFormat

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[PATHS]...",
        help="Files or folders; - with --stdin-filename. The project's folders of jobs by default.",
        show_default=False,
    ),
]
Select = Annotated[
    list[str] | None,
    typer.Option(
        "--select",
        metavar="CODES",
        help="Report these only, instead of what the configuration says: TRG101, a prefix (TRG1), or ALL; "
        "several with commas, or repeated.",
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="CODES", help="Do not report these, beside those of the configuration."),
]
Format = Annotated[OutputFormat, typer.Option("--output-format", help="How findings are written.")]
Fix = Annotated[bool, typer.Option("--fix", help="Make the fixes that keep what the program does.")]
UnsafeFixes = Annotated[
    bool, typer.Option("--unsafe-fixes", help="With --fix or --diff: those too that want a look afterwards.")
]
Diff = Annotated[
    bool, typer.Option("--diff", help="Show what --fix would change, and change nothing; exit code 1 if it would.")
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Check again on every save, until Ctrl-C.")]
Statistics = Annotated[bool, typer.Option("--statistics", help="Count the findings of each rule.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")]
StdinFilename = Annotated[
    Path | None,
    typer.Option(
        "--stdin-filename",
        metavar="PATH",
        help="Check the text on standard input as this file; with --fix, write the fixed text to standard output.",
    ),
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Read every file anew, and keep nothing in .trigger/.")]
AddIgnore = Annotated[
    str | None,
    typer.Option("--add-ignore", metavar="REASON", help="Silence all that is found with comments that say why."),
]
ShowJobs = Annotated[
    bool, typer.Option("--show-jobs", help="List the jobs found, with their steps and findings, and exit.")
]
