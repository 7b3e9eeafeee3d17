"""From whatever a command raises to text and an exit code: the one place that knows."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trigger_cli.errors import CliError, ExitCode, OutputNotWritten, WorkingFolderGone
from trigger_cli.rendering.problems import render_problem
from trigger_sdk.protocol.problem import Problem, TriggerError

if TYPE_CHECKING:
    from trigger_cli.terminal import Terminal

PROGRAM = "trigger"
COMPLETION = "_TRIGGER_COMPLETE"
"""Set by the shell's completion script; typer answers it."""

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
"""What writing to a file that is already open fails with when it takes no more."""

_CONFIGURATION_PREFIXES = ("trigger_sdk.protocol", "analyzer.")
"""Packages whose errors are about what the user has configured."""

_CONFIGURED = frozenset(
    ("bundle-settings-invalid", "reference-invalid", "output-invalid", "source-date-invalid", "preset-unusable",
     "system-plan-invalid", "server-settings-invalid", "launcher-unsupported", "database-url-invalid")
)  # fmt: skip
"""Codes of the bundler and the server for what the user has configured or asked for."""

_IN_THE_PROJECT = frozenset(
    ("imports-unresolved", "files-refused", "index-failed", "index-timed-out", "index-crashed", "image-build-failed")
)
"""Codes of the bundler for what it finds wrong in the project itself: findings, as those of a check."""


def run_command_line(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code; whatever goes wrong is shown on standard error.

    With ``--json`` among the arguments, a problem is shown as ``{"error": {...}}``.
    """
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    try:
        code = _invoke(argv)
        terminal.out.flush()
        return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _broken_pipe()
    except TriggerError as error:
        return _end(terminal, argv, error.problem, exit_code_of(error))
    except Exception as error:  # noqa: BLE001 - this is where bugs end
        return _unforeseen(terminal, argv, error)


def _unforeseen(terminal: Terminal, argv: Sequence[str], error: Exception) -> int:
    """Show what no command has dealt with: the system's failures by name, the rest as our bug."""
    failure: CliError | None = None
    if isinstance(error, FileNotFoundError) and _is_working_folder_gone():
        failure = WorkingFolderGone("the folder that this command was called in has been removed")
    elif isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
        from trigger_cli.crash import discard_output

        discard_output()  # what is left of it would fail again
        failure = OutputNotWritten(f"the output cannot be written: {error.strerror or error}")
    if failure is not None:
        return _end(terminal, argv, failure.problem, failure.exit_code)
    from trigger_cli.crash import save_crash

    return _end(terminal, argv, save_crash(error, argv), ExitCode.BUG)


def _is_working_folder_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - only whether there is one
    except FileNotFoundError:
        return True
    return False


def exit_code_of(error: TriggerError) -> ExitCode:
    """Return the exit code of a problem: its own; of packages below, 1 for findings, 2 for a configuration, else 3."""
    if isinstance(error, CliError):
        return error.exit_code
    if error.code in _IN_THE_PROJECT:
        return ExitCode.FAILED
    if error.code in _CONFIGURED or type(error).__module__.startswith(_CONFIGURATION_PREFIXES):
        return ExitCode.USAGE
    return ExitCode.ENVIRONMENT


def _invoke(argv: Sequence[str]) -> int:
    from typer.exceptions import Abort, Exit, TyperException

    from trigger_cli.app import make_command

    command = make_command()
    if COMPLETION in os.environ:
        command.main(prog_name=PROGRAM)
    try:
        # Not main(): it takes a closed pipe for its own to deal with.
        with command.make_context(PROGRAM, list(argv)) as context:
            result = command.invoke(context)
    except Exit as end:
        return end.exit_code
    except (Abort, EOFError):
        raise KeyboardInterrupt from None
    except TyperException as error:
        raise _usage(error) from None
    return result if isinstance(result, int) else ExitCode.DONE


def _usage(error: Exception) -> TriggerError:
    """Turn typer's complaint into a problem that names the way to the help."""
    from trigger_cli.errors import UsageProblem

    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "trigger"
    message = str(getattr(error, "format_message", lambda: error)()).rstrip(".")
    possible = getattr(error, "possibilities", None)
    if possible:
        return UsageProblem(
            str(getattr(error, "message", error)),
            hint=f"did you mean {' or '.join(sorted(possible))}? see: {path} --help",
        )
    return UsageProblem(message, hint=f"see: {path} --help")


def _end(terminal: Terminal, argv: Sequence[str], problem: Problem, code: ExitCode) -> int:
    try:
        terminal.out.flush()
        if "--json" in argv:
            terminal.say(json.dumps({"error": problem.to_dict()}))
        else:
            terminal.say("\n".join(render_problem(problem, palette=terminal.err_palette)))
    except BrokenPipeError:
        return _broken_pipe()
    return code


def _broken_pipe() -> int:
    """End as a command does whose reader has gone (`| head`): silently, and well."""
    from trigger_cli.crash import discard_output

    discard_output()
    sys.stderr.flush()
    return ExitCode.DONE
