"""What a project declares, as rules about declarations see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from analyzer.graph.atoms import Atom, Constant, Object, Value
from analyzer.graph.values import texts

if TYPE_CHECKING:
    from analyzer.graph.machine import SdkCall
    from analyzer.resolve.modules import SourceModule

Known = str | int | None
"""The one text or whole number that an argument is known to be, or None."""


class Home(Struct, frozen=True, array_like=True, order=True):
    """A module: its file and its dotted name."""

    file: str
    name: str


class DeclaredCall(Struct, frozen=True, array_like=True):
    """A call of something of the SDK.

    Attributes:
        name: public name, ``wait_for_event``.
        home: where.
        at: the call.
        positional: what is passed by position, as far as it is known.
        keywords: what is passed by name.
    """

    name: str
    home: Home
    at: int
    positional: tuple[Known, ...] = ()
    keywords: tuple[tuple[str, Known], ...] = ()

    def known(self, position: int, keyword: str) -> Known:
        """Return an argument by position (-1 for none) or name."""
        for name, value in self.keywords:
            if name == keyword:
                return value
        return self.positional[position] if 0 <= position < len(self.positional) else None

    def text(self, position: int, keyword: str) -> str | None:
        """Return an argument that is known to be one text."""
        value = self.known(position, keyword)
        return value if isinstance(value, str) else None

    def number(self, position: int, keyword: str) -> int | None:
        """Return an argument that is known to be one whole number."""
        value = self.known(position, keyword)
        return value if isinstance(value, int) else None


class DeclaredZone(Struct, frozen=True, array_like=True):
    """A call of ``zoneinfo.ZoneInfo``: the name that is passed, when it is known, and where."""

    name: str | None
    home: Home
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a rule about declarations found.

    Attributes:
        home: where.
        at: the place in it.
        message: the whole message.
    """

    home: Home
    at: int
    message: str


class DeclaredJob(Struct, frozen=True, kw_only=True):
    """A job as declared.

    Attributes:
        id: its id, when that is a literal or a constant; empty otherwise.
        is_computed: it has an id that is not known before the code runs.
        is_empty: its id is the empty text.
        function: the function's name.
        home: where.
        at: the decorator.
        function_at: the function's name.
    """

    id: str
    is_computed: bool
    is_empty: bool = False
    function: str
    home: Home
    at: int
    function_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """Everything that a project declares.

    Attributes:
        jobs: its jobs, by file and place.
        calls: calls of the SDK.
        zones: calls of ``zoneinfo.ZoneInfo``.
    """

    jobs: tuple[DeclaredJob, ...]
    calls: tuple[DeclaredCall, ...]
    zones: tuple[DeclaredZone, ...]

    def calls_of(self, *names: str) -> list[DeclaredCall]:
        """Return the calls of these names of the SDK."""
        return [call for call in self.calls if call.name in names]


def only_text(value: Value | None) -> str | None:
    """Return the one text that a value is known to be, None when it is not known."""
    if value is None:
        return None
    found = texts(value)
    return found[0] if len(found) == 1 and len(_without_members(value)) == 1 else None


def home_of(module: SourceModule) -> Home:
    """Return what is kept of a module."""
    return Home(str(module.path or ""), module.name)


def declared_call(call: SdkCall) -> DeclaredCall:
    """Return what is kept of a call."""
    arguments = call.arguments
    return DeclaredCall(
        call.name,
        home_of(call.frame.home.source),
        call.at,
        tuple(_known(value) for value in arguments.positional),
        tuple((name, _known(value)) for name, value in arguments.keywords),
    )


def _without_members(value: Value) -> list[Atom]:
    """Leave out members of enumerations: those that are texts come with their text."""
    return [atom for atom in value if type(atom) is not Object or not atom.member]


def _known(value: Value) -> Known:
    atoms = _without_members(value)
    if len(atoms) != 1:
        return None
    atom = atoms[0]
    return atom.value if type(atom) is Constant and type(atom.value) in (str, int) else None
