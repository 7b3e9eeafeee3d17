"""The heap: cells, which are written from anywhere and remember who read them, and atoms, each made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from analyzer.graph.atoms import Collection, Constant, External, Instance
from analyzer.graph.values import NOTHING, exactly, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from analyzer.graph.atoms import Class, CollectionKind, Plain, Value
    from analyzer.graph.frames import Frame
    from analyzer.graph.trail import Trail

T = TypeVar("T")

GLANCE: Final = 1 << 24
"""Added to the number of a run in which a frame only looked whether a cell holds plain data."""


UNWRITTEN: Final[Value] = exactly()
"""What a cell holds in the beginning: whatever is written first is all of it."""


class Cell:
    """A variable, attribute or element that several functions may write: it holds all that was ever written.

    Attributes:
        value: what it may hold.
        readers: frames to be evaluated again when it grows, with the number of the run in which each last read it.
    """

    __slots__ = ("readers", "value")

    def __init__(self) -> None:
        self.value: Value = UNWRITTEN
        self.readers: dict[Frame, int] = {}


class Heap:
    """Makes atoms, and reads and writes cells.

    Attributes:
        trail: notes what is changed while a job is evaluated alone; None otherwise.
        era: counts up when what was changed is taken back.
    """

    def __init__(self) -> None:
        self.trail: Trail | None = None
        self.era = 0
        self.made: dict[Hashable, Any] = {}
        self._constants: dict[Hashable, Value] = {}
        self._externals: dict[str, Value] = {}
        self._instances: dict[str, Value] = {}

    def outdate(self, users: dict[Frame, int]) -> None:
        """Have frames evaluated again that used what has changed."""
        raise NotImplementedError

    def enqueue(self, frame: Frame) -> None:
        """Have a frame evaluated again."""
        raise NotImplementedError

    # --- atoms --------------------------------------------------------------------------------------------------------

    def make(self, key: Hashable, build: Callable[[], T]) -> T:
        """Return the one thing of a key, built when it is first asked for."""
        found = self.made.get(key)
        if found is None:
            found = self.made[key] = build()
            if self.trail is not None:
                self.trail.made.append(key)
        return found

    def constant(self, value: Plain) -> Value:
        """Return a constant."""
        key = value if type(value) is str else (type(value), value)
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = exactly(Constant(value))
        return found

    def external(self, name: str, of: Class | None = None) -> Value:
        """Return something of a library, by qualified name; ``of``: whose instances it gives."""
        if of is not None:
            return self.make(("external", name, of), lambda: exactly(External(name, of)))
        found = self._externals.get(name)
        if found is None:
            found = self._externals[name] = exactly(External(name))
        return found

    def instance(self, type_name: str, of: Class | None = None) -> Value:
        """Return an instance of a library's type; ``of``: whose instances it gives."""
        if of is not None:
            return self.make(("instance", type_name, of), lambda: frozenset((Instance(type_name, of),)))
        found = self._instances.get(type_name)
        if found is None:
            found = self._instances[type_name] = frozenset((Instance(type_name),))
        return found

    def collection(self, kind: CollectionKind, frame: Frame | None, at: Hashable) -> Collection:
        """Return the collection made at a place."""
        maker = None if frame is None else frame.leader
        key = ("collection", kind, maker, at)
        return self.make(key, lambda: Collection(kind, maker, Cell(), Cell()))

    # --- cells --------------------------------------------------------------------------------------------------------

    @staticmethod
    def read(cell: Cell, frame: Frame) -> Value:
        """Return what a cell holds, and evaluate ``frame`` again when that grows."""
        cell.readers[frame] = frame.runs
        return cell.value or NOTHING

    @staticmethod
    def glance(cell: Cell, frame: Frame) -> Value:
        """Return what a cell holds, as :meth:`read` does, for a frame that does not use it itself."""
        is_used = cell.readers.get(frame, GLANCE) < GLANCE
        cell.readers[frame] = frame.runs + (0 if is_used else GLANCE)
        return cell.value or NOTHING

    def write(self, cell: Cell, value: Value) -> None:
        """Add to what a cell holds."""
        grown = joined(cell.value, value)
        if len(grown) > len(cell.value) or type(grown) is not type(cell.value):
            if self.trail is not None:
                self.trail.cells.append((cell, cell.value))
            cell.value = grown
            if grown:
                self.outdate(cell.readers)

    def cell(self, cells: dict[T, Cell], key: T) -> Cell:
        """Return the cell of a key, made when there is none."""
        found = cells.get(key)
        if found is None:
            found = cells[key] = Cell()
            if self.trail is not None:
                self.trail.inserted.append((cells, key))
        return found

    def keep(self, collection: Collection) -> None:
        """Remember what kind of elements a collection has, before that changes."""
        if self.trail is not None:
            self.trail.collections.append((collection, collection.only_numbers, collection.is_ordered))
