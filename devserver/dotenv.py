r"""Reads a project's ``.env``: variables for the workers, which the real environment overrides.

One assignment a line: ``NAME=value``, ``export NAME=value``, ``NAME="quoted \n text"``, ``NAME='as it stands'``.
A ``#`` begins a comment at the start of a line, and after a space in an unquoted value. Nothing is expanded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from devserver.errors import EnvFileInvalid

FILE_NAME: Final = ".env"

_LINE: Final = re.compile(
    r"""
    \s* (?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_]*) \s* = \s*
    (?: "(?P<double>(?:[^"\\]|\\.)*)" \s* (?:\#.*)?
      | '(?P<single>[^']*)' \s* (?:\#.*)?
      | (?P<bare>(?!["'])[^\n]*?) (?:\s+\#.*|\s*)
    ) $
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(folder: Path) -> dict[str, str]:
    """Return the variables of the ``.env`` in ``folder``; none when there is no such file.

    Raises:
        EnvFileInvalid: a line is no assignment, or the file is not text. The message holds no value: they are secrets.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise EnvFileInvalid(f"{FILE_NAME} is not UTF-8 text", where=FILE_NAME) from error
    except OSError as error:
        raise EnvFileInvalid(
            f"{FILE_NAME} cannot be read: {error.strerror}", hint="Make it a file you may read.", where=FILE_NAME
        ) from error
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None or "\0" in line:
            raise EnvFileInvalid(f"line {number} of {FILE_NAME} is no assignment", where=f"{FILE_NAME}:{number}")
        variables[found["name"]] = _value(found)
    return variables


def _value(found: re.Match[str]) -> str:
    if found["double"] is not None:
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), found["double"])
    return found["single"] if found["single"] is not None else (found["bare"] or "").strip()
