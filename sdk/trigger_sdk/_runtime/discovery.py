"""Imports all job modules of a project and says what is wrong with them."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trigger_sdk._runtime.import_faults import missing_variables, variables_in_words
from trigger_sdk._runtime.tracebacks import error_line, format_cleaned
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import Problem, TriggerError
from trigger_sdk.protocol.project_files import job_files, module_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from trigger_sdk.protocol.project_model import Project

_FILES_SHOWN = 20


class DeclaredJob(Protocol):
    """What discovery needs to know of a job that an imported module declared."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...

    @property
    def file(self) -> str:
        """Absolute path of the file that declares it."""
        ...

    @property
    def line(self) -> int:
        """Line of the declaration, from 1."""
        ...


def discover(
    project: Project,
    *,
    declared: Callable[[], Sequence[DeclaredJob]],
    import_module: Callable[[str], ModuleType] = importlib.import_module,
    hint: Callable[[BaseException], str] = lambda _error: "",
) -> list[Problem]:
    """Import every job module of ``project`` and return what is wrong, in the order of the files; empty if all is well.

    Codes: ``project-invalid`` (a file that cannot be imported by name), ``module-broken``, ``module-shadowed``,
    ``duplicate-job``, ``no-jobs``. One broken module does not keep the others from being looked at.

    Args:
        project: whose import roots are on ``sys.path`` already.
        declared: returns all jobs declared so far in this process, in order.
        import_module: imports a module by name.
        hint: returns what to do about an exception of an import, empty for the usual advice.

    Raises:
        ProjectInvalid: ``dirs`` names something that is not there.
    """
    importlib.invalidate_caches()
    files = job_files(project)
    found = [_import(project, file, import_module, hint) for file in files]
    problems = [problem for problem in found if problem is not None]
    jobs = declared()
    problems += _duplicates(project, jobs)
    if not jobs and not problems:
        problems.append(_no_jobs(project, files))
    return problems


def _import(
    project: Project, file: Path, import_module: Callable[[str], ModuleType], hint: Callable[[BaseException], str]
) -> Problem | None:
    """Import one file and return what is wrong with it, or None."""
    try:
        name = module_name(project, file)
    except ProjectInvalid as error:
        return error.problem
    try:
        module = import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's module does when it is imported
        return _broken(project, file, error, hint(error))
    found = getattr(module, "__file__", None)
    if found is None or not Path(found).exists() or Path(found).samefile(file):
        return None
    return Problem(
        code="module-shadowed",
        message=f"{_shown(project, file)} was not imported: {name} is {found}",
        hint=f"Rename it, or remove what else is called {name.partition('.')[0]}.",
        where=_shown(project, file),
    )


def _broken(project: Project, file: Path, error: BaseException, hint: str) -> Problem:
    place = error_line(error, project.is_project_file)
    where = f"{_shown(project, Path(place[0]))}:{place[1]}" if place else _shown(project, file)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError):
        said = f"{type(error).__name__}: {error.msg}"
    if variables := missing_variables(error):
        said = variables_in_words(variables)
    return Problem(
        code="module-broken",
        message=f"{_shown(project, file)} cannot be imported: {said}",
        detail=format_cleaned(error),
        hint=hint or _hint(error, where),
        where=where,
    )


def _hint(error: BaseException, where: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        return f"Install what provides {missing!r} into the environment of {sys.executable}, or correct the import."
    if variables := missing_variables(error):
        return f'Set it in .env, or read it with a default: os.environ.get("{variables[0]}", "").'
    if isinstance(error, SystemExit):
        return "Move what ends the program below `if __name__ == '__main__':`."
    if isinstance(error, TriggerError) and error.problem.hint:
        return error.problem.hint
    return f"Correct {where}."


def _duplicates(project: Project, jobs: Sequence[DeclaredJob]) -> list[Problem]:
    """Return a problem for each id that is declared more than once, naming all places."""
    places: dict[str, list[str]] = {}
    for job in jobs:
        places.setdefault(job.id, []).append(f"{_shown(project, Path(job.file))}:{job.line}")
    problems = []
    for job_id, lines in places.items():
        if len(lines) == 1:
            continue
        if len(set(lines)) == 1:
            hint = "Its module is imported under two names: import it in one way everywhere."
        else:
            hint = "Give each job an id of its own: @job(id=...)."
        message = f"job id {job_id!r} is declared {len(lines)} times: {', '.join(lines)}"
        problems.append(Problem(code="duplicate-job", message=message, hint=hint, where=lines[-1]))
    return problems


def _no_jobs(project: Project, files: Sequence[Path]) -> Problem:
    dirs = ", ".join(project.dirs)
    shown = [_shown(project, file) for file in files[:_FILES_SHOWN]]
    if len(files) > len(shown):
        shown.append(f"... and {len(files) - len(shown)} more")
    looked = "declares a job" if len(files) == 1 else "declare a job"
    return Problem(
        code="no-jobs",
        message=f"no jobs found in {dirs}: none of {len(files)} Python file{'s'[: len(files) != 1]} there {looked}",
        detail="\n".join(shown),
        hint="Declare one with @job(id=...), or set dirs to the folders that hold your jobs.",
        where=project.config_file.name if project.config_file else os.fspath(project.root),
    )


def _shown(project: Project, file: Path) -> str:
    """Return a path relative to the project where it lies in it."""
    return file.relative_to(project.root).as_posix() if file.is_relative_to(project.root) else os.fspath(file)
