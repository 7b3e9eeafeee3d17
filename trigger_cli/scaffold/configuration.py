"""The project's configuration as `init` finds and extends it, without disturbing a character of what is there."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_HEADER = re.compile(r"^\s*\[{1,2}\s*(?P<key>[^\]]+?)\s*\]{1,2}\s*(#.*)?$")
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
TABLE = "tool.trigger"
IGNORED = ".trigger/"


def trigger_table(text: str) -> str:
    """Return the text of `[tool.trigger]` and its sub-tables in a pyproject.toml; empty when there is none."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        header = _HEADER.match(line)
        if header:
            key = header["key"].replace('"', "").replace(" ", "")
            inside = key == TABLE or key.startswith(TABLE + ".")
        if inside:
            kept.append(line)
    return "\n".join(kept).strip() + "\n" if kept else ""


def has_trigger_table(pyproject: dict[str, Any]) -> bool:
    """Tell whether a parsed pyproject.toml configures trigger."""
    tool = pyproject.get("tool")
    return isinstance(tool, dict) and "trigger" in tool


def append_table(text: str, table: str) -> str | None:
    """Return a pyproject.toml's text with a table added at its end; None when TOML does not allow that here.

    All that is there stays as it is, line ends included.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    joint = "" if not text or text.endswith(newline) else newline
    gap = newline if text.strip() else ""
    extended = text + joint + gap + table.replace("\n", newline)
    try:
        before, after = tomllib.loads(text), tomllib.loads(extended)
    except tomllib.TOMLDecodeError:
        return None
    without = {key: value for key, value in after.items() if key != "tool"}
    tools = {key: value for key, value in after.get("tool", {}).items() if key != "trigger"}
    if tools or "tool" in before:
        without["tool"] = tools
    return extended if without == before else None


def missing_dependencies(template: dict[str, Any], project: dict[str, Any]) -> list[str]:
    """Return the template's requirements whose distribution the project does not name."""
    present = {_normal(requirement) for requirement in _dependencies(project)}
    return [requirement for requirement in _dependencies(template) if _normal(requirement) not in present]


def missing_dirs(template: dict[str, Any], project: dict[str, Any]) -> list[str]:
    """Return the template's `dirs` that the project's trigger configuration does not have."""
    present = _dirs(project)
    return [folder for folder in _dirs(template) if folder not in present]


def with_ignored(text: str, extra: str = "") -> str:
    """Return a .gitignore with `.trigger/` and the lines of ``extra`` in it; what is there stays as it is."""
    newline = "\r\n" if "\r\n" in text else "\n"
    present = {line.strip() for line in text.splitlines()}
    # Any of these spellings ignores the folder.
    if present & {".trigger", ".trigger/", "/.trigger", "/.trigger/", ".trigger/*", "**/.trigger/"}:
        present.add(IGNORED)
    wanted = [IGNORED, *(line.strip() for line in extra.splitlines() if line.strip() and not line.startswith("#"))]
    lines = [line for line in dict.fromkeys(wanted) if line not in present]
    if not lines:
        return text
    joint = "" if not text or text.endswith("\n") else newline
    return text + joint + newline.join(lines) + newline


def _dirs(config: dict[str, Any]) -> list[str]:
    return [str(folder).rstrip("/") for folder in config.get("dirs", ["jobs"])]


def _dependencies(pyproject: dict[str, Any]) -> list[str]:
    project = pyproject.get("project")
    dependencies = project.get("dependencies", []) if isinstance(project, dict) else []
    return [str(item) for item in dependencies]


def _normal(requirement: str) -> str:
    match = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else requirement
