"""`trigger server`: the server that a team runs, and what is done to it on its own machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from trigger_cli.app import HelpfulGroup
from trigger_cli.commands.options import AsJson

if TYPE_CHECKING:
    from executor.serving.options import ServerOptions


class ServerGroup(HelpfulGroup):
    """A group that runs the server when it is called without a command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take no arguments as a call."""
        return TyperGroup.parse_args(self, ctx, args)


app = typer.Typer(
    name="server", cls=ServerGroup, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
)

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings in TOML; flags and TRIGGER_... variables come before it."),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The server's folder; trigger-data here by default. TRIGGER_DATA"),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="sqlite:///FILE or postgresql://...; SQLite in the server's folder by default. TRIGGER_DATABASE",
    ),
]


@app.callback(invoke_without_command=True)
def server(  # noqa: PLR0913 - each is a setting
    ctx: typer.Context,
    *,
    data: Data = None,
    database: Database = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="127.0.0.1:8734 by default. TRIGGER_LISTEN"),
    ] = None,
    launcher: Annotated[
        str | None, typer.Option("--launcher", help="How workers are started: process. TRIGGER_LAUNCHER")
    ] = None,
    rate_limit: Annotated[
        float | None,
        typer.Option("--rate-limit", help="Requests a second of each key; 100 by default. TRIGGER_RATE_LIMIT"),
    ] = None,
    rate_burst: Annotated[
        int | None,
        typer.Option("--rate-burst", help="Requests of each key at once; 500 by default. TRIGGER_RATE_BURST"),
    ] = None,
    drain: Annotated[
        float | None,
        typer.Option("--drain", help="Seconds that requests get to end at a stop; 10 by default. TRIGGER_DRAIN"),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", help="debug, info, warning or error. TRIGGER_LOG_LEVEL")
    ] = None,
    config: Config = None,
) -> int | None:
    """Run a server for a team, with API keys and environments, until SIGTERM or Ctrl-C.

    The first start prints an admin key, once. The log is JSON on standard error.
    """
    if ctx.invoked_subcommand is not None:
        return None
    from executor.serving.run import run
    from trigger_cli.terminal import Terminal

    flags = {
        "data": data, "database": database, "listen": listen, "launcher": launcher, "rate_limit": rate_limit,
        "rate_burst": rate_burst, "drain": drain, "log_level": log_level,
    }  # fmt: skip
    return run(_options(config, **flags), Terminal.of_process().print_now)


@app.command("backup")
def backup(
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file to write; it must not exist.")],
    data: Data = None,
    database: Database = None,
    config: Config = None,
) -> None:
    """Write a backup of a server on SQLite, also while it runs. It holds payloads in the clear: keep it safe."""
    from executor.serving.backup import back_up
    from executor.serving.databases import databases_of
    from trigger_cli.terminal import Terminal

    options = _options(config, data=data, database=database)
    names = back_up(databases_of(options.database, options.data.absolute(), "backup"), to)
    Terminal.of_process().print(f"wrote {to}: {', '.join(names)}")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")], *, data: Data = None, config: Config = None
) -> None:
    """Put a backup into a folder that has no server's database. Stop the workers of the old server before."""
    from executor.serving.backup import restore as restore_backup
    from trigger_cli.terminal import Terminal

    options = _options(config, data=data)
    names = restore_backup(file, options.data)
    Terminal.of_process().print(f"restored into {options.data}: {', '.join(names)}")


@app.command("doctor")
def doctor(
    *,
    data: Data = None,
    database: Database = None,
    listen: Annotated[str | None, typer.Option("--listen", metavar="HOST:PORT", help="As of the server.")] = None,
    config: Config = None,
    json: AsJson = False,
) -> int:
    """Look at what the server needs: folder, disk, address, databases, keys. Exit code 3 when something is wrong."""
    from executor.serving.doctor import examine
    from trigger_cli.errors import ExitCode
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    findings = examine(_options(config, data=data, database=database, listen=listen))
    if json:
        shown = [{"name": f.name, "state": f.state, "message": f.message, "hint": f.hint} for f in findings]
        terminal.print_json({"findings": shown})
    else:
        for finding in findings:
            terminal.print(f"{finding.state:8}{finding.name}: {finding.message}")
            if finding.hint and finding.state != "ok":
                terminal.print(f"        hint: {finding.hint}")
    failed = any(finding.state == "failed" for finding in findings)
    return ExitCode.ENVIRONMENT if failed else ExitCode.DONE


@app.command("new-admin-key")
def new_admin_key(*, data: Data = None, database: Database = None, config: Config = None) -> None:
    """Make an admin key of all environments, when none is left: for whoever may write to the database."""
    from executor.serving.recovery import make_admin_key
    from trigger_cli.terminal import Terminal

    options = _options(config, data=data, database=database)
    Terminal.of_process().print(make_admin_key(options))


def _options(config: Path | None, **flags: object) -> ServerOptions:
    import os

    from executor.serving.options import read_options

    return read_options(flags, os.environ, config)
