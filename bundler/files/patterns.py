"""Patterns in the syntax of ``.dockerignore``, with the meaning that the Docker builder gives them.

A pattern is matched against the path of a file relative to the root, and against the folders above it: a folder that
matches covers all that is in it. Of several patterns the last that matches decides; one that begins with ``!`` takes
back. ``*`` is any text without a slash, ``?`` one such character, ``**`` any number of folders, ``[a-c]`` and
``[^a-c]`` classes, and a backslash takes the meaning from the next character. Every pattern is anchored at the root.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MARK: Final = "\ufeff"


class PatternInvalid(ValueError):
    """A pattern breaks the syntax; the message says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One pattern.

    Attributes:
        text: as it was written, without spaces around it.
        takes_back: it begins with ``!``.
        literals: its folders and names that have no wildcard.
        matches: tells whether it matches a path exactly, with slashes, relative to the root.
    """

    text: str
    takes_back: bool
    literals: frozenset[str]
    matches: Callable[[str], bool] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Patterns in their order."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Patterns:
        """Return the patterns of a list, such as one in the settings.

        Raises:
            PatternInvalid: naming the first that is none.
        """
        return cls(patterns=tuple(pattern for text in texts if (pattern := _pattern(text)) is not None))

    @classmethod
    def read(cls, text: str) -> Patterns:
        """Return the patterns of a file: one a line, but for those that begin with ``#`` in the first column.

        Raises:
            PatternInvalid: naming the first that is none.
        """
        lines = text.removeprefix(_MARK).split("\n")
        return cls.of(line for line in lines if not line.startswith("#"))

    def match(self, path: str) -> bool:
        """Tell whether a path is covered: matched itself or in a folder that is, and not taken back later."""
        return self.deciding(path) is not None

    def deciding(self, path: str) -> Pattern | None:
        """Return the pattern by which a path is covered, None when it is not."""
        found: Pattern | None = None
        above = [path, *_above(path)]
        for pattern in self.patterns:
            # A pattern that cannot change the answer is not asked.
            if pattern.takes_back == (found is not None) and any(pattern.matches(each) for each in above):
                found = None if pattern.takes_back else pattern
        return found

    @property
    def literals(self) -> frozenset[str]:
        """Folders and names that a pattern spells out."""
        return frozenset(name for pattern in self.patterns if not pattern.takes_back for name in pattern.literals)

    @property
    def has_taken_back(self) -> bool:
        """Whether a pattern takes back: then a folder that is covered may hold files that are not."""
        return any(pattern.takes_back for pattern in self.patterns)


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _pattern(text: str) -> Pattern | None:
    """Return the pattern of a text, None of an empty one."""
    stripped = text.strip()
    takes_back = stripped.startswith("!")
    body = stripped.removeprefix("!").strip()
    if not stripped:
        return None
    if not body:
        raise PatternInvalid(f"{stripped!r} takes nothing back: a pattern must follow the exclamation mark")
    cleaned = posixpath.normpath(body)
    if len(cleaned) > 1:
        cleaned = cleaned.lstrip("/")
    parts = cleaned.split("/")
    return Pattern(
        text=stripped,
        takes_back=takes_back,
        literals=frozenset(part for part in parts if not set(part) & set("*?[\\")),
        matches=_matcher(cleaned, stripped),
    )


def _matcher(cleaned: str, text: str) -> Callable[[str], bool]:
    """Return what tells whether a cleaned pattern matches a path."""
    rest = cleaned[2:].removeprefix("/")
    if cleaned.startswith("**") and not set(rest) & set("*?[\\"):
        # The one place where "**" need not end at a slash: "**file" is any path that ends so.
        ending = cleaned[2:]
        return lambda path: path.endswith(ending) or (ending.startswith("/") and path == rest)
    expression = re.compile(_expression(cleaned, text), re.DOTALL)
    return lambda path: expression.fullmatch(path) is not None


def _expression(cleaned: str, text: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(cleaned):
        character = cleaned[at]
        if cleaned.startswith("**", at):
            at += 2
            at += cleaned.startswith("/", at)
            # At the end it takes all; elsewhere whole folders, or none.
            parts.append("(?:.*/)?" if at < len(cleaned) else ".*")
            continue
        if character == "[":
            part, at = _class(cleaned, at + 1, text)
        elif character == "\\":
            if at + 1 == len(cleaned):
                raise PatternInvalid(f"{text!r} ends in a backslash, and there is nothing to take the meaning from")
            part, at = re.escape(cleaned[at + 1]), at + 2
        else:
            part, at = {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character), at + 1
        parts.append(part)
    return "".join(parts)


def _class(cleaned: str, at: int, text: str) -> tuple[str, int]:
    """Return the expression of a class whose bracket is open, and where it ends."""
    negated = cleaned.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not (cleaned.startswith("]", at) and ranges):
        low, at = _member(cleaned, at, text)
        high = low
        if cleaned.startswith("-", at):
            high, at = _member(cleaned, at + 1, text)
        if low > high:
            raise PatternInvalid(f"{text!r} has the range {low}-{high}, which is the wrong way round")
        ranges.append(re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}")
    return f"[{'^' * negated}{''.join(ranges)}]", at + 1


def _member(cleaned: str, at: int, text: str) -> tuple[str, int]:
    if cleaned.startswith("\\", at):
        at += 1
    elif cleaned.startswith(("-", "]"), at):
        raise PatternInvalid(f"{text!r} has {cleaned[at]!r} where a class needs a character: write \\{cleaned[at]}")
    if at >= len(cleaned):
        raise PatternInvalid(f"{text!r} has a '[' without its ']': write \\[ for the character")
    return cleaned[at], at + 1
