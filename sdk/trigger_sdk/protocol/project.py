"""The user's project: where it begins, what it configures, which files are its code.

The root is the nearest folder upwards with a ``trigger.toml``, or with a ``pyproject.toml`` that holds
``[tool.trigger]``. Everything here is found out from names and TOML; no user code is run.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.project_files import job_files as job_files
from trigger_sdk.protocol.project_files import module_name as module_name
from trigger_sdk.protocol.project_files import real_path as real_path
from trigger_sdk.protocol.project_keys import Settings, read_settings
from trigger_sdk.protocol.project_model import Project as Project

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIGGER_TOML: Final = "trigger.toml"
PYPROJECT: Final = "pyproject.toml"


def find_project(start: Path) -> Project | None:
    """Return the project that ``start`` (a folder, or a file) lies in, or None when there is none.

    Raises:
        ProjectInvalid: the configuration found cannot be used.
    """
    root = find_root(start)
    return None if root is None else load_project(root)


def find_root(start: Path) -> Path | None:
    """Return the root of the project that ``start`` lies in, whether its configuration can be used or not.

    Raises:
        ProjectInvalid: a folder may not be entered, or a file not be read, that could make it one.
    """
    folder = real_path(start)
    if folder.is_dir() and not os.access(folder, os.X_OK):
        raise ProjectInvalid(
            f"{folder} may not be entered", hint="Ask whoever owns it, or go elsewhere.", where=str(folder)
        )
    return next((candidate for candidate in (folder, *folder.parents) if _is_root(candidate)), None)


def _is_root(folder: Path) -> bool:
    if os.path.isfile(folder / TRIGGER_TOML):  # noqa: PTH113 - says no of a folder above that may not be entered
        return True
    pyproject = folder / PYPROJECT
    if not os.path.isfile(pyproject):  # noqa: PTH113 - as above
        return False
    text = _read(pyproject, errors="replace")
    if "trigger" not in text:
        return False
    try:
        return _tool_table(tomllib.loads(text)) is not None
    except tomllib.TOMLDecodeError:
        return _TABLE.search(text) is not None  # broken: ours to complain of only if it was meant for us


_TABLE: Final = re.compile(r"^\s*\[\s*tool\s*\.\s*[\"']?trigger[\"']?\s*[].]", re.MULTILINE)
"""``[tool.trigger]`` in a text that is not valid TOML."""


def load_project(root: Path) -> Project:
    """Read the configuration in ``root``; without any, the project has the defaults.

    Raises:
        ProjectInvalid: broken TOML, unknown keys, wrong types or values; all of them in ``problems``.
    """
    root = root.resolve()
    own, pyproject = root / TRIGGER_TOML, root / PYPROJECT
    notes: tuple[str, ...] = ()
    if own.is_file():
        table: Any = _read_toml(own)
        config_file: Path | None = own
        prefix = ""
        if _has_table(pyproject):
            notes = (
                f"{own.name} and [tool.trigger] in {pyproject.name} both configure this project: {own.name} wins.",
            )
    else:
        document = _read_toml(pyproject) if pyproject.is_file() else {}
        table = _tool_table(document)
        config_file = pyproject if table is not None else None
        prefix = "tool.trigger"
    settings = read_settings({} if table is None else table, file=config_file or own, prefix=prefix)
    return Project(
        root=root,
        config_file=config_file,
        name=settings.name or _declared_name(pyproject) or root.name,
        dirs=settings.dirs,
        source_roots=_source_roots(root, settings, config_file or own),
        python=_interpreter(root, settings.python),
        guard=settings.guard,
        wait_grace=settings.wait_grace,
        concurrency=settings.concurrency,
        task_threads=settings.task_threads,
        notes=notes,
    )


def _has_table(pyproject: Path) -> bool:
    if not pyproject.is_file():
        return False
    try:
        return _tool_table(_read_toml(pyproject)) is not None
    except ProjectInvalid:
        return False  # trigger.toml holds the configuration; whose pyproject.toml is broken is told by his other tools


def _declared_name(pyproject: Path) -> str:
    if not pyproject.is_file():
        return ""
    try:
        section = _read_toml(pyproject).get("project")
    except ProjectInvalid:
        return ""
    name = section.get("name") if isinstance(section, dict) else None
    return name if isinstance(name, str) else ""


def _read_toml(path: Path) -> Mapping[str, Any]:
    text = _read(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path.name}:{line[1]}" if line else path.name
        raise ProjectInvalid(
            f"{path.name} is not valid TOML: {error}",
            hint=f"Correct {where}; text stands in quotes, lists in [brackets].",
            where=where,
        ) from error


def _read(path: Path, *, errors: str = "strict") -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors=errors)
    except UnicodeDecodeError as error:
        raise ProjectInvalid(
            f"{path.name} is not UTF-8 text", hint=f"Save {path} as UTF-8.", where=path.name
        ) from error
    except OSError as error:
        raise ProjectInvalid(
            f"{path.name} cannot be read: {error.strerror}",
            hint=f"Make {path} a file that you may read.",
            where=path.name,
        ) from error


def _tool_table(document: Mapping[str, Any]) -> Any:
    tool = document.get("tool")
    return tool.get("trigger") if isinstance(tool, dict) else None


def _source_roots(root: Path, settings: Settings, file: Path) -> tuple[Path, ...]:
    """Return the configured source roots, or ``src`` when the project has the src layout."""
    if settings.source_roots is None:
        src = root / "src"
        return (src.resolve(),) if src.is_dir() and not (src / "__init__.py").exists() else ()
    found = []
    for entry in settings.source_roots:
        folder = (root / entry).resolve()
        if not folder.is_dir():
            raise ProjectInvalid(
                f"source_roots in {file.name} names {entry!r}, and there is no such folder in {root}",
                hint=f"Create {entry}/, or remove it from source_roots.",
                where=file.name,
            )
        found.append(folder)
    return tuple(dict.fromkeys(found))


def _interpreter(root: Path, python: str | None) -> str | None:
    """Return a path relative to the project as an absolute one; a bare command stays for PATH."""
    if python is None:
        return None
    expanded = os.path.expanduser(python)  # noqa: PTH111 - a Path would lose the difference of `./python3` to `python3`
    # Links stay: the interpreter of a virtual environment is one.
    return os.path.normpath(root / expanded) if os.sep in expanded else expanded
