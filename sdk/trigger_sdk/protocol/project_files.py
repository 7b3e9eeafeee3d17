"""The project's job files and the names they are imported by."""

from __future__ import annotations

import difflib
import keyword
import os
from pathlib import Path
from typing import TYPE_CHECKING

from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project_model import Project, is_foreign_folder

if TYPE_CHECKING:
    from collections.abc import Iterator


def job_files(project: Project) -> list[Path]:
    """Return all Python files that may declare jobs, sorted, each once.

    Those are the files below ``dirs``, but for tests (``test_*.py``, ``*_test.py``, ``conftest.py``), ``__main__.py``,
    and what lies in hidden folders, virtual environments and folders of installed packages. A ``dirs`` entry may be a
    single file.

    Raises:
        ProjectInvalid: an entry of ``dirs`` does not exist, or lies outside the project; a folder cannot be read.
    """
    problems = [problem for entry in project.dirs if (problem := _entry_problem(project, entry)) is not None]
    if problems:
        raise ProjectInvalid.of(problems)
    found: set[Path] = set()
    try:
        for entry in project.dirs:
            path = real_path(project.root / entry)
            found.update((path,) if path.is_file() else _python_files(path))
    except OSError as error:
        raise ProjectInvalid(
            f"{error.filename} cannot be read: {error.strerror}",
            hint="Make it readable, or take it out of the folders that hold your jobs.",
            where=str(error.filename),
        ) from error
    return sorted(found)


def real_path(path: Path) -> Path:
    """Return a path without links on the way; one whose links lead round in a circle stays as it is."""
    return Path(os.path.realpath(path))  # which Path.resolve() refuses before Python 3.13


def _entry_problem(project: Project, entry: str) -> Problem | None:
    file = project.config_file.name if project.config_file else "trigger.toml"
    path = real_path(project.root / entry)
    if not any(path == root or path.is_relative_to(root) for root in project.import_roots):
        message = f"dirs in {file} names {entry!r}, which is outside the project {project.root}"
        return _problem(message, "Move the jobs into the project, or name the folder's root in source_roots too.", file)
    if path.is_dir() or (path.is_file() and path.suffix == ".py"):
        return None
    if path.exists():
        return _problem(f"dirs in {file} names {entry!r}, which is no Python file", "Name folders or .py files.", file)
    return _problem(f"dirs in {file} names {entry!r}, and there is no such folder", _missing_hint(project, entry), file)


def _missing_hint(project: Project, entry: str) -> str:
    as_file = f"{entry}.py"
    if (project.root / as_file).is_file():
        return f'There is {as_file}: write dirs = ["{as_file}"].'
    folders = [path.name for path in project.root.iterdir() if path.is_dir() and not is_foreign_folder(path)]
    close = difflib.get_close_matches(entry, folders, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Create {project.root / entry}, or set dirs to the folders that hold your jobs."


def _problem(message: str, hint: str, file: str) -> Problem:
    return Problem(code=ProjectInvalid.code, message=message, hint=hint, where=file)


def _python_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            # A link to a folder could lead round in a circle; sources below it have a place of their own.
            if not is_foreign_folder(path) and not path.is_symlink():
                yield from _python_files(path)
        elif path.suffix == ".py" and not path.name.startswith(".") and not _is_test_or_script(path.stem):
            # A pipe would never be read to its end; a link that leads nowhere is told when it is read.
            yield from (path,) if path.is_file() or not path.exists() else ()


def _is_test_or_script(stem: str) -> bool:
    return stem in {"conftest", "__main__"} or stem.startswith("test_") or stem.endswith("_test")


def module_name(project: Project, path: Path) -> str:
    """Return the name under which a file of the project is imported: ``jobs/a.py`` is ``jobs.a``.

    The name is relative to the innermost of the project's import roots that holds the file, with or without
    ``__init__.py`` files on the way. ``__init__.py`` has the name of its folder.

    Raises:
        ProjectInvalid: the file lies outside the project, or its path has a part that Python cannot import.
    """
    resolved = real_path(path)
    roots = [root for root in project.import_roots if resolved.is_relative_to(root)]
    if not roots:
        raise ProjectInvalid(
            f"{path} is not a file of the project {project.root}",
            hint="Move it into the project, or name the folder it is imported from in source_roots.",
            where=str(path),
        )
    relative = resolved.relative_to(max(roots, key=lambda root: len(root.parts)))
    parts = relative.with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
    shown = relative.as_posix()
    wrong = [part for part in parts if not part.isidentifier() or keyword.iskeyword(part)]
    if wrong or not parts:
        named = wrong[0] if wrong else "__init__"
        raise ProjectInvalid(
            f"{shown} cannot be imported: {named!r} is no Python name",
            hint="Rename it: letters, digits and underscores, not beginning with a digit, and no keyword.",
            where=shown,
        )
    return ".".join(parts)
