"""What a project declares, as rules about declarations see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.graph.values import NOTHING, Constant, Value, texts

if TYPE_CHECKING:
    from analyzer.facts.spans import Span
    from analyzer.graph.machine import SdkCall
    from analyzer.resolve.modules import SourceModule


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a rule about declarations found.

    Attributes:
        module: where.
        at: the place in it.
        message: the whole message.
    """

    module: SourceModule
    at: Span
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredJob:
    """A job as declared.

    Attributes:
        id: its id, when that is a literal or a constant; empty otherwise.
        is_computed: it has an id that is not known before the code runs.
        function: the function's name.
        module: where.
        at: the decorator.
        function_at: the function's name.
    """

    id: str
    is_computed: bool
    function: str
    module: SourceModule
    at: Span
    function_at: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """Everything that a project declares.

    Attributes:
        jobs: its jobs, by file and place.
        calls: calls of the SDK.
        zones: calls of ``zoneinfo.ZoneInfo``: what is passed, module, place.
    """

    jobs: tuple[DeclaredJob, ...]
    calls: tuple[SdkCall, ...]
    zones: tuple[tuple[Value, SourceModule, Span], ...]

    def calls_of(self, *names: str) -> list[SdkCall]:
        """Return the calls of these names of the SDK."""
        return [call for call in self.calls if call.name in names]


def only_text(value: Value | None) -> str | None:
    """Return the one text that a value is known to be, None when it is not known."""
    if value is None:
        return None
    found = texts(value)
    return found[0] if len(found) == 1 and len(value) == 1 else None


def only_number(value: Value | None) -> int | None:
    """Return the one whole number that a value is known to be, None when it is not known."""
    numbers = [atom.value for atom in value or NOTHING if type(atom) is Constant and type(atom.value) is int]
    return numbers[0] if len(numbers) == 1 and len(value or NOTHING) == 1 else None
