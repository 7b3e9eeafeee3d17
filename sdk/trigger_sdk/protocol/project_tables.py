"""Tables of the project's configuration that belong to one tool: ``check``, ``bundle``. Read and checked key by key."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from trigger_sdk.protocol.problem import TriggerError
    from trigger_sdk.protocol.project_model import Project


class WrongValue(Exception):
    """A value does not fit: what is wrong, and a hint."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def meant(word: str, known: Iterable[str]) -> str:
    """Return a hint with the word that was perhaps meant, or with all there are."""
    words = list(known)
    close = get_close_matches(word.replace("_", "-").lower(), words, n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else f"There are {', '.join(words)}."


def tool_table(project: Project, name: str, error: type[TriggerError]) -> object:
    """Return a tool's table as the configuration file has it; an empty one when there is none.

    Raises:
        error: the file cannot be read.
    """
    file = project.config_file
    if file is None:
        return {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as problem:
        raise error(f"{file.name} cannot be read: {problem}", where=file.name) from problem
    table: Any = document if file.name == "trigger.toml" else document.get("tool", {}).get("trigger", {})
    return table.get(name, {})


def read_values(
    table: object,
    file: Path,
    name: str,
    readers: Mapping[str, Callable[[object], Any]],
    error: type[TriggerError],
    hint: Callable[[str, Iterable[str]], str] = meant,
) -> dict[str, Any]:
    """Return the values of a tool's table, by key.

    Args:
        table: the table as parsed.
        file: where it stands, for the messages.
        name: the tool's: ``check``.
        readers: what reads each key's value; raises WrongValue.
        error: what is raised.
        hint: what is said of a key that is not known.

    Raises:
        error: naming the first key that is wrong.
    """
    prefix = name if file.name == "trigger.toml" else f"tool.trigger.{name}"
    if not isinstance(table, dict):
        advice = f"Write [{prefix}] on a line of its own, and the keys below it."
        raise error(f"{prefix} in {file.name} must be a table", hint=advice, where=file.name)
    values: dict[str, Any] = {}
    for key, value in table.items():
        read = readers.get(key)
        if read is None:
            message = f"{prefix} in {file.name} has no key {key!r}"
            raise error(message, hint=hint(key, readers), where=f"{file.name}: {prefix}")
        try:
            values[key] = read(value)
        except WrongValue as wrong:
            where = f"{file.name}: {prefix}.{key}"
            raise error(f"{key} in {file.name}: {wrong}", hint=wrong.hint, where=where) from None
    return values
