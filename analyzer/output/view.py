"""What an output is told beside the report: whose paths are short, where source lines come from, colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from analyzer.facts.read import decode_source, normalized

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analyzer.model import Fix


class Ink(Protocol):
    """Colours text, or leaves it as it is."""

    def bold(self, text: str) -> str:
        """Return the text in bold."""
        ...

    def dim(self, text: str) -> str:
        """Return the text faint."""
        ...

    def red(self, text: str) -> str:
        """Return the text in red: errors."""
        ...

    def yellow(self, text: str) -> str:
        """Return the text in yellow: warnings."""
        ...

    def green(self, text: str) -> str:
        """Return the text in green: fixes, and all is well."""
        ...

    def cyan(self, text: str) -> str:
        """Return the text in cyan: hints and places."""
        ...


class NoInk:
    """Leaves text as it is."""

    def _same(self, text: str) -> str:
        return text

    bold = dim = red = yellow = green = cyan = _same


class Sources:
    """The lines of source files, read when they are asked for and kept.

    Args:
        texts: unsaved text by resolved path, in the place of what is on disk.
    """

    def __init__(self, texts: Mapping[Path, str] | None = None) -> None:
        self._texts = dict(texts or {})
        self._lines: dict[Path, list[str]] = {}

    def lines(self, path: Path) -> list[str]:
        """Return a file's lines without their ends; none when it cannot be read."""
        found = self._lines.get(path)
        if found is None:
            found = self._lines[path] = self._read(path).split("\n")
        return found

    def line(self, path: Path, row: int) -> str:
        """Return one line, from 1; empty when there is no such line."""
        lines = self.lines(path)
        return lines[row - 1] if 0 < row <= len(lines) else ""

    def _read(self, path: Path) -> str:
        text = self._texts.get(path)
        if text is not None:
            return normalized(text)
        try:
            return decode_source(path.read_bytes())
        except (OSError, SyntaxError):
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a report is to be seen.

    Attributes:
        base: folder that paths are relative to; what lies outside keeps its absolute path.
        sources: the source lines.
        ink: colours.
        unicode: lines may be drawn with characters beyond ASCII.
        unsafe_fixes: fixes that want a look count as fixable.
    """

    base: Path
    sources: Sources = field(default_factory=Sources)
    ink: Ink = field(default_factory=NoInk)
    unicode: bool = False
    unsafe_fixes: bool = False

    def path(self, path: Path) -> str:
        """Return a path as it is shown, with ``/``."""
        return (path.relative_to(self.base) if path.is_relative_to(self.base) else path).as_posix()

    def applies(self, fix: Fix | None) -> bool:
        """Tell whether a fix would be made."""
        return fix is not None and (self.unsafe_fixes or fix.applicability == "safe")
