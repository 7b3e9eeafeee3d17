"""What can go wrong in the command line itself, and the exit code of every kind of end.

Error tree::

    TriggerError
    └── CliError                    exit_code
        ├── UsageProblem            2   UnknownCommand, BadPayload, NeedsConfirmation, UnknownTemplate,
        │                               InitConflict, InitHalfDone, AmbiguousRun, NoProjectToCheck, UnknownRule,
        │                               NoProjectToBuild,
        │                               FileNotWritten, WorkingFolderGone, ProfileInvalid
        ├── EnvironmentProblem      3   ServerUnreachable, NotATriggerServer, InitFailed, OutputNotWritten,
        │                               ProfileExposed
        ├── Refusal                 4   the executor said no: carries its problem
        │   └── ServerFailure       70  the executor has a bug: carries its problem
        ├── WaitTimedOut            1
        └── DemoFailed              1
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from trigger_sdk.protocol.problem import Problem, TriggerError


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    ENVIRONMENT = 3
    REFUSED = 4
    BUG = 70
    INTERRUPTED = 130


class CliError(TriggerError):
    """The root of what the command line raises. ``exit_code`` is what the process ends with."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED


class UsageProblem(CliError):
    """The command was called in a way it does not understand."""

    code = "usage"
    exit_code = ExitCode.USAGE


class UnknownCommand(UsageProblem):
    """There is no such command."""

    code = "unknown-command"


class BadPayload(UsageProblem):
    """The text given as payload is not JSON, or the file cannot be read."""

    code = "bad-payload"


class NeedsConfirmation(UsageProblem):
    """A question would have to be asked, and there is nobody to ask."""

    code = "needs-confirmation"


class UnknownTemplate(UsageProblem):
    """There is no template of that name."""

    code = "unknown-template"


class InitConflict(UsageProblem):
    """Files that the template brings exist already."""

    code = "init-conflict"
    hint = "move them away, or choose another folder: trigger init DIR"


class InitHalfDone(UsageProblem):
    """An earlier `trigger init` was cut off while it moved files into place."""

    code = "init-half-done"


class AmbiguousRun(UsageProblem):
    """More than one run has an id that begins or ends so."""

    code = "ambiguous-run"


class NoProjectToCheck(UsageProblem):
    """The working folder lies in no project, and `trigger check` was given no paths."""

    code = "no-project-to-check"
    hint = "Run it in the project's folder, or name files: trigger check jobs/a.py"


class NoProjectToBuild(UsageProblem):
    """The working folder lies in no project."""

    code = "no-project-to-build"
    hint = "Run it in the project's folder, or make one: trigger init"


class UnknownRule(UsageProblem):
    """There is no rule of that code or name."""

    code = "unknown-rule"


class FileNotWritten(UsageProblem):
    """A file could not be changed; it is as it was."""

    code = "file-not-written"
    hint = "Make it writable, or leave it out."


class WorkingFolderGone(UsageProblem):
    """The folder that the command was called in has been removed."""

    code = "working-folder-gone"
    hint = "Go to a folder that exists: cd .. && cd -"


class ProfileInvalid(UsageProblem):
    """The profile that TRIGGER_PROFILE names is not there, or cannot be read."""

    code = "profile-invalid"
    hint = "Profiles are sections of ~/.config/trigger/profiles.toml with url, key and environment."


class EnvironmentProblem(CliError):
    """Something outside the command is not as it needs it."""

    code = "environment"
    exit_code = ExitCode.ENVIRONMENT


class ServerUnreachable(EnvironmentProblem):
    """Nothing listens where the server should be."""

    code = "server-unreachable"
    hint = "start it in the project's folder: trigger dev"


class NotATriggerServer(EnvironmentProblem):
    """Something answers, but not a trigger server."""

    code = "not-a-trigger-server"
    hint = "check --url and TRIGGER_API_URL"


class InitFailed(EnvironmentProblem):
    """The files could not be written; what was written is removed again."""

    code = "init-failed"


class ProfileExposed(EnvironmentProblem):
    """Others on this machine may read the file with API keys."""

    code = "profile-exposed"


class OutputNotWritten(EnvironmentProblem):
    """Standard output takes no more: its disk is full, or its device has failed."""

    code = "output-not-written"
    hint = "Free some space, or write the output to another place."


class Refusal(CliError):
    """The executor refused; carries the executor's own problem."""

    code = "refused"
    exit_code = ExitCode.REFUSED

    def __init__(self, problem: Problem, *, status: int) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.status = status


class ServerFailure(Refusal):
    """The executor failed to answer: a bug of ours."""

    exit_code = ExitCode.BUG


class WaitTimedOut(CliError):
    """`--timeout` is over; the run goes on."""

    code = "wait-timed-out"


class DemoFailed(CliError):
    """The demo's services counted other effects than promised."""

    code = "demo-failed"
