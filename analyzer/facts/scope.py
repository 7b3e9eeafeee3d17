"""Scopes while a text is read: which names a function binds, reads, and leaves to the functions around it."""

from __future__ import annotations

from typing import Literal

ScopeKind = Literal["module", "class", "function"]


class Scope:
    """One module, class or function under construction.

    Attributes:
        kind: what it is.
        qualname: dotted name in the module; empty for the module.
        bound: names bound here.
        used: names read here.
        free: names that nested functions read and do not bind.
        inner_captured: names that comprehensions here bind and functions inside them read.
        global_names: names declared ``global``.
        nonlocal_names: names declared ``nonlocal``.
        sorted_names: variables on which ``.sort()`` is called.
        reads_names: an item or ``getattr`` by a name that is no literal was seen, or a function inside.
        is_generator: a ``yield`` was seen.
    """

    __slots__ = (
        "bound",
        "free",
        "global_names",
        "inner_captured",
        "is_generator",
        "kind",
        "nonlocal_names",
        "qualname",
        "reads_names",
        "sorted_names",
        "used",
    )

    def __init__(self, kind: ScopeKind, qualname: str) -> None:
        self.kind = kind
        self.qualname = qualname
        self.bound: set[str] = set()
        self.used: set[str] = set()
        self.free: set[str] = set()
        self.inner_captured: set[str] = set()
        self.global_names: set[str] = set()
        self.nonlocal_names: set[str] = set()
        self.sorted_names: set[str] = set()
        self.is_generator = False
        self.reads_names = False

    def qualified(self, name: str) -> str:
        """Return the dotted name of something defined here."""
        return f"{self.qualname}.{name}" if self.qualname else name

    def locals(self) -> frozenset[str]:
        """Return the names that are this scope's own."""
        return frozenset(self.bound - self.global_names - self.nonlocal_names)

    def captured(self) -> frozenset[str]:
        """Return the own names that nested functions use."""
        return frozenset((self.locals() & self.free) | self.inner_captured)

    def close_into(self, outer: Scope) -> None:
        """Tell the scope around this one which names it leaves to it. A class keeps none of its own from functions."""
        own = self.locals() if self.kind == "function" else frozenset()
        wanted = ((self.used | self.nonlocal_names) if self.kind == "function" else set()) | self.free
        outer.free |= wanted - own - self.global_names
        if self.kind == "class":
            # A class body reads the variables of the function around it as a nested function would.
            outer.free |= self.used - self.global_names
