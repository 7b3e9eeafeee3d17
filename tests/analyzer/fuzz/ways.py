"""Ways from one function to another, and from a body to a function: text by group, with what is known of each group.

The texts are in ``ways/GROUP.txt``, with ``---`` between them. In them ``{f}`` is a function of one argument and
``{f_name}`` a name that is not used otherwise, ``{g}`` a second function, ``{n}`` a number of its own. A definition
defines ``{d}``, again a function of one argument. A site is a piece of a body, with ``{x}`` for an argument; the line
that ends in ``@`` is where the effects of ``{f}`` are reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

FOLDER: Final = Path(__file__).parent / "ways"
_MAKES_MORE: Final = ("class ", "lambda", "def inner", "partial", "yield", "map(", "iter", "kept", "keys()", "cast")
Kept = Literal["first", "both", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A definition at the level of a module, or a piece of a body.

    Attributes:
        name: group and number, for reports.
        text: what is written.
        kept: whose effects it has: those of ``{f}``, those of ``{f}`` and ``{g}``, none.
        is_async: what is defined is to be awaited; the body must be async.
        takes_async: ``{f}`` is to be awaited.
    """

    name: str
    text: str
    kept: Kept = "first"
    is_async: bool = False
    takes_async: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether what comes out is what ``{f}`` gives, or plain data: no function, no generator, no object."""
        return not any(word in self.text for word in _MAKES_MORE)


def _group(name: str, kept: Kept = "first", *, is_async: bool = False, takes_async: bool = False) -> tuple[Way, ...]:
    texts = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n---\n")
    return tuple(
        Way(name=f"{name}-{number}", text=text.strip("\n"), kept=kept, is_async=is_async, takes_async=takes_async)
        for number, text in enumerate(texts)
    )


PLAIN: Final = tuple(
    way for name in ("functions", "values", "decorated", "classes", "generators") for way in _group(name)
)
"""Definitions that have the effects of ``{f}``."""

TWO: Final = _group("two", "both")
QUIET: Final = _group("quiet", "none")
"""Definitions that name ``{f}`` and have none of its effects."""

ASYNC: Final = _group("async", is_async=True)
ASYNC_OVER_ASYNC: Final = _group("async_over_async", is_async=True, takes_async=True)
TASKS: Final = _group("tasks", "none", is_async=True)
"""Tasks over ``{f}``, and async functions that call one."""

LOUD: Final = _group("loud")
LOUD_IN_ASYNC: Final = _group("eager", is_async=True)
LOUD_OVER_ASYNC: Final = _group("loud_over_async", is_async=True, takes_async=True)
SILENT: Final = _group("silent", "none")
SILENT_IN_ASYNC: Final = _group("silent_in_async", "none", is_async=True)
SILENT_OVER_ASYNC: Final = _group("silent_over_async", "none", is_async=True, takes_async=True)
