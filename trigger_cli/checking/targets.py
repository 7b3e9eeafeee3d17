"""What is to be checked: for each path, the project it lies in, with its settings."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.model import Report
from analyzer.opening import open_session
from analyzer.session import CheckSession
from analyzer.settings import CheckSettings, read_settings
from trigger_cli.checking.options import CheckOptions
from trigger_cli.errors import NoProjectToCheck, UsageProblem
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project import Project, find_project, load_project, real_path

_SYNTAX = "TRG901"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A project, and what of it is checked.

    Attributes:
        project: the project.
        paths: files and folders; None for the folders of jobs.
        session: checks it.
    """

    project: Project
    paths: tuple[Path, ...] | None
    session: CheckSession

    def check(self, texts: Mapping[Path, str] | None = None) -> Report:
        """Check it as it is now, with ``texts`` in the place of what is on disk."""
        return self.session.check(texts=texts, paths=self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the process stands in.

    Attributes:
        cwd: the working folder, resolved.
        environ: environment variables.
        import_path: this process's ``sys.path``.
    """

    cwd: Path
    environ: Mapping[str, str]
    import_path: Sequence[str] = field(repr=False)


def find_targets(options: CheckOptions, around: Surroundings) -> list[Target]:
    """Return the projects to check, each once, in the order of the paths.

    Raises:
        NoProjectToCheck: no path was given, and the working folder lies in no project.
        UsageProblem: there is no such path, or it is no Python file.
        ProjectInvalid, SettingsInvalid: a configuration cannot be used.
    """
    named = (options.stdin_filename,) if options.stdin_filename is not None else options.paths
    if not named:
        project = find_project(around.cwd)
        if project is None:
            raise NoProjectToCheck(f"{around.cwd} is in no project, and no files were named")
        return [make_target(project, None, options, around)]
    found: dict[Path, tuple[Project, list[Path]]] = {}
    for path in named:
        resolved = real_path(around.cwd / path)
        if path is not options.stdin_filename:
            _refuse_missing(path, resolved)
        if path is options.stdin_filename or not resolved.is_dir():
            _refuse_other_kinds(path, resolved)
        project = find_project(resolved) or _made_up(resolved, around.cwd)
        found.setdefault(project.root, (project, []))[1].append(resolved)
    return [make_target(project, tuple(paths), options, around) for project, paths in found.values()]


def _refuse_missing(path: Path, resolved: Path) -> None:
    try:
        exists = resolved.exists()
    except OSError as error:
        message = f"{str(path)!r} cannot be read: {error.strerror}"
        raise UsageProblem(message, hint="Make its folder one that you may enter.", where=str(path)) from error
    if not exists:
        raise UsageProblem(f"there is no file or folder {str(path)!r}", hint=_near(resolved), where=str(path))


def _refuse_other_kinds(path: Path, resolved: Path) -> None:
    if resolved.suffix not in {".py", ".pyi"} or resolved.is_dir():
        raise UsageProblem(f"{str(path)!r} is no Python file", hint="Name folders or .py files.", where=str(path))


def _near(path: Path) -> str:
    from difflib import get_close_matches

    folder = path.parent
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    close = get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else "Paths are relative to the working folder."


def _made_up(path: Path, cwd: Path) -> Project:
    """Return a project for a path that lies in none: imported from where its outermost package lies."""
    folder = path if path.is_dir() else path.parent
    while (folder / "__init__.py").is_file() and folder != folder.parent:
        folder = folder.parent
    root = cwd if folder.is_relative_to(cwd) else folder
    project = load_project(root)
    return dataclasses.replace(project, source_roots=tuple(dict.fromkeys((folder, *project.source_roots))))


def make_target(
    project: Project, paths: tuple[Path, ...] | None, options: CheckOptions, around: Surroundings
) -> Target:
    """Return the target for a project.

    Raises:
        SettingsInvalid: its configuration of the check cannot be used.
    """
    project = dataclasses.replace(project, notes=(*project.notes, *_without_interpreter(project, around)))
    session = open_session(
        project,
        with_selection(read_settings(project), options),
        environ=around.environ,
        import_path=around.import_path,
        keep=options.cache,
    )
    return Target(project=project, paths=paths, session=session)


def _without_interpreter(project: Project, around: Surroundings) -> tuple[str, ...]:
    """Return what to say when the configured interpreter is not there: it may be only where the project is deployed."""
    if project.python is None or shutil.which(project.python, path=around.environ.get("PATH")) is not None:
        return ()
    return (f"python is {project.python!r}, and there is no such interpreter: what its packages do is not known",)


def with_selection(settings: CheckSettings, options: CheckOptions) -> CheckSettings:
    """Return settings with what the options select.

    ``--select`` takes the place of ``select`` and ``ignore`` in the configuration: what is asked for here is reported.
    ``--ignore`` alone is added to the configuration's.
    """
    if options.select:
        return dataclasses.replace(settings, select=options.select, ignore=options.ignore)
    return dataclasses.replace(settings, ignore=(*settings.ignore, *options.ignore))


def joined(reports: Sequence[Report]) -> Report:
    """Return several reports as one, in their order."""
    if len(reports) == 1:
        return reports[0]
    return Report(
        diagnostics=tuple(diagnostic for report in reports for diagnostic in report.diagnostics),
        jobs=tuple(job for report in reports for job in report.jobs),
        files=sum(report.files for report in reports),
        functions=sum(report.functions for report in reports),
        problems=tuple(problem for report in reports for problem in report.problems),
    )


def nothing_seen(targets: Sequence[Target], report: Report) -> Problem | None:
    """Return what to say when no jobs were found: silence would look like approval.

    None when there are jobs, or a file that could not be read as Python and may hold some.
    """
    if report.jobs or any(diagnostic.code == _SYNTAX for diagnostic in report.diagnostics):
        return None
    if any(target.paths is not None for target in targets):
        return Problem(
            code="no-jobs",
            message="no jobs were found in the given paths: nothing was checked",
            hint="What a job calls is checked with the job: name the file that declares it, or no path at all.",
        )
    project = targets[0].project
    return Problem(
        code="no-jobs",
        message=f"no jobs were found in {', '.join(project.dirs)} of {project.root}: nothing was checked",
        hint="A job is a function with `@job` of trigger_sdk. If yours are elsewhere, set dirs in the configuration.",
    )
