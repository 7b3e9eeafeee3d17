"""`trigger check`: side effects and non-determinism outside tasks, found before they run."""

from __future__ import annotations

from trigger_cli.app import single
from trigger_cli.checking.options import CheckOptions, OutputFormat, split_codes
from trigger_cli.commands.check_options import (
    AddIgnore,
    Diff,
    ExitZero,
    Fix,
    Format,
    Ignore,
    NoCache,
    Paths,
    Select,
    ShowJobs,
    Statistics,
    StdinFilename,
    UnsafeFixes,
    Watch,
)

app = single("check")


@app.command("check")
def check(  # noqa: PLR0913 - one for each option
    paths: Paths = None,
    *,
    select: Select = None,
    ignore: Ignore = None,
    output_format: Format = OutputFormat.TEXT,
    fix: Fix = False,
    unsafe_fixes: UnsafeFixes = False,
    diff: Diff = False,
    watch: Watch = False,
    statistics: Statistics = False,
    exit_zero: ExitZero = False,
    stdin_filename: StdinFilename = None,
    no_cache: NoCache = False,
    add_ignore: AddIgnore = None,
    show_jobs: ShowJobs = False,
) -> int:
    """Find side effects and non-determinism in jobs before they run.

    A job's body is replayed: what it does outside tasks must be free of side effects, and the same each time. Follows
    the calls from each body through the project's own code, and runs none of it. Exit code 1 when there are errors or
    warnings; hints do not count.
    """
    from trigger_cli.checking.run import run_check

    return run_check(
        CheckOptions(
            paths=tuple(paths or ()),
            select=split_codes(select),
            ignore=split_codes(ignore),
            format=output_format,
            fix=fix,
            unsafe_fixes=unsafe_fixes,
            diff=diff,
            watch=watch,
            statistics=statistics,
            exit_zero=exit_zero,
            stdin_filename=stdin_filename,
            cache=not no_cache,
            add_ignore=add_ignore,
            show_jobs=show_jobs,
        )
    )
