"""The tree of commands. A command's module is imported when it is called or its help is asked for, not before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from trigger_cli.errors import ExitCode, UnknownCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A command of the first level: its name, the module that has it as ``app``, and its line in the overview."""

    name: str
    module: str
    summary: str


ENTRIES = (
    Entry(
        name="init", module="trigger_cli.commands.init", summary="Make a new project, or add jobs to one that exists."
    ),
    Entry(
        name="dev",
        module="trigger_cli.commands.dev",
        summary="Run the project's jobs here, reloading them as you edit.",
    ),
    Entry(name="run", module="trigger_cli.commands.run", summary="Start a run of a job."),
    Entry(name="event", module="trigger_cli.commands.event", summary="Send events."),
    Entry(name="runs", module="trigger_cli.commands.runs", summary="List, show, cancel, resume and replay runs."),
    Entry(name="jobs", module="trigger_cli.commands.jobs", summary="List the jobs that the server knows."),
    Entry(
        name="check",
        module="trigger_cli.commands.check",
        summary="Find side effects and non-determinism in jobs before they run.",
    ),
    Entry(name="build", module="trigger_cli.commands.build", summary="Pack the project into a container image."),
    Entry(
        name="server", module="trigger_cli.commands.server", summary="Run a server for a team; back it up, examine it."
    ),
    Entry(name="keys", module="trigger_cli.commands.keys", summary="Make, list and revoke API keys of a server."),
    Entry(name="rule", module="trigger_cli.commands.rule", summary="Explain a rule of `trigger check`."),
    Entry(name="lsp", module="trigger_cli.commands.lsp", summary="Show what `check` finds in your editor."),
    Entry(
        name="demo",
        module="trigger_cli.commands.demo",
        summary="See a job survive: purchase, time-out, failure, SIGKILL.",
    ),
)
"""All commands of the first level, in the order of the help."""

ALIASES = {
    "new": "init", "create": "init", "start": "dev", "serve": "server", "up": "dev", "invoke": "run", "trigger": "run",
    "events": "event send", "send": "event send", "list": "runs list", "ls": "runs list", "show": "runs show",
    "logs": "runs show ID --logs", "cancel": "runs cancel", "resume": "runs resume", "replay": "runs replay",
    "retry": "runs resume", "status": "runs list", "job": "jobs list", "tasks": "jobs list",
    "key": "keys list", "token": "keys create", "tokens": "keys list",
    "backup": "server backup", "doctor": "server doctor",
    "bundle": "build", "package": "build", "image": "build",
    "lint": "check", "analyze": "check", "rules": "rule --all", "explain": "rule", "help": "--help",
}  # fmt: skip
"""Words that people try, and what they mean here. They are suggested, not accepted."""

_SIMILAR = 0.6


class HelpfulGroup(TyperGroup):
    """A group that shows its help (exit code 2) when called without a command, and suggests near misses."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help when there is nothing to parse."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(ExitCode.USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; raises UnknownCommand with suggestions."""
        if args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise unknown_command(args[0], self.list_commands(ctx), ctx.command_path)
        return super().resolve_command(ctx, args)


class LazyGroup(HelpfulGroup):
    """The first level: commands are known by :data:`ENTRIES`, and imported on demand."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return the names, without importing anything."""
        return [entry.name for entry in ENTRIES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """Import and return a command; None when there is none of that name."""
        for entry in ENTRIES:
            if entry.name == cmd_name:
                command = get_command(import_module(entry.module).app)
                command.name = cmd_name
                return command
        return None

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - typer's signature
        """Write the overview, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in ENTRIES])


def unknown_command(word: str, known: Sequence[str], path: str) -> UnknownCommand:
    """Return the error for a command that does not exist, with what was perhaps meant."""
    from difflib import get_close_matches

    top = path == "trigger"
    words = [*known, *(ALIASES if top else ())]
    close = get_close_matches(word, words, n=2, cutoff=_SIMILAR)
    meant = list(dict.fromkeys(f"{path} {ALIASES.get(match, match) if top else match}" for match in close))
    hint = f"did you mean: {' or '.join(meant)}" if meant else f"see: {path} --help"
    return UnknownCommand(f"there is no command {word!r} in `{path}`", hint=hint)


def make_command() -> Any:
    """Return the whole command line as a click command."""
    app = typer.Typer(
        name="trigger",
        cls=LazyGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_root)
    return get_command(app)


def _root(
    *,
    version: Annotated[bool, typer.Option("--version", "-V", help="Show the version and exit.")] = False,
) -> None:
    """Durable background jobs for Python: write a job as ordinary code, run it here, ship it anywhere."""
    # Alone, the option is answered in main.py, before typer is imported.
    if version:
        from trigger_sdk.protocol.version import VERSION

        typer.echo(f"trigger {VERSION}")
        raise typer.Exit


def group(name: str, help_text: str) -> typer.Typer:
    """Return an empty group of commands for a noun (``runs``, ``jobs``)."""
    app = typer.Typer(
        name=name, cls=HelpfulGroup, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
    )
    app.callback(help=help_text)(_nothing)
    return app


def single(name: str) -> typer.Typer:
    """Return an app for exactly one command of the first level."""
    return typer.Typer(name=name, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


def _nothing() -> None:
    """Do nothing: the callback of a group whose commands do the work."""
