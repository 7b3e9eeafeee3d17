"""Reading the catalogue's TOML files into tables.

A file has one TOML table for each module or library; its key is the dotted name that the names in it are relative to::

    [requests]
    network = ["{get,post}", "Session.*"]          # effects by kind: a name, or all that is below a name
    pure = ["exceptions", "Session.headers"]       # the name and all that is below it
    use = ["..."]                                  # which of the effects happen on reading the name, not on calling it
    returns = { session = ".Session" }             # what a call gives: a type, relative when it begins with a dot
    not_stored = ["Response"]                      # types whose instances no journal stores
    variants = { Client = ["pool", "Pool", "Client()"] }   # with an instance of this in that argument, another type
    attributes = { "Client.chat" = ".Chat" }       # what an attribute of an instance is; `Type.*` for any other
    alias = { "sessions" = "" }                    # another place of the same names
    unless_given = { "..." = "0:seed" }            # arguments that decide, `position:keyword`; also if_given,
    remedy = { "..." = "..." }                     # unless_memory

Braces list alternatives in any name. The builtins are in the table ``builtins``.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final, cast, get_args

import msgspec
from msgspec import Struct, field

from analyzer.catalogue.model import CODES, Condition, Effect, Kind, Test
from analyzer.catalogue.names import absolute, expand, prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT: Final = 5
"""Version of :class:`Tables` as it is kept on disk; one more whenever its fields change."""

_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_TESTS: Final[dict[str, Test]] = {
    "unless_given": "unless-given",
    "if_given": "if-given",
    "unless_memory": "unless-memory",
}
_KEYS: Final = frozenset(
    (*_KINDS, *_TESTS, "pure", "use", "returns", "attributes", "alias", "remedy", "remedies", "classes")
) | {"not_stored", "variants"}


class Tables(Struct):
    """The catalogue's data, by canonical qualified name.

    Attributes:
        effects: effects of exactly this name.
        below: effects of every name below this one that has no entry of its own.
        pure: names without effects, with all that is below them.
        returns: the type that a call of the name gives.
        attributes: the type of an attribute of an instance, by ``type.attribute``; ``type.*`` for any other.
        aliases: another place of the same names.
        classes: names that are classes: calling one gives an instance.
        not_stored: types whose instances no journal stores.
        variants: for what calls give another type by what they are passed: keyword, types of the argument, that type.
        roots: first components of all names: libraries that the catalogue covers.
        stamp: a digest of the state of the files it was read from.
    """

    effects: dict[str, Effect] = field(default_factory=dict)
    below: dict[str, Effect] = field(default_factory=dict)
    pure: set[str] = field(default_factory=set)
    returns: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)
    not_stored: set[str] = field(default_factory=set)
    variants: dict[str, tuple[str, frozenset[str], str]] = field(default_factory=dict)
    roots: set[str] = field(default_factory=set)
    stamp: str = ""


class CatalogueInvalid(ValueError):
    """The catalogue's own data is wrong: an unknown key, a condition for a name without effect."""


def read_tables(files: Iterable[Path]) -> Tables:
    """Read TOML files, in order; a later file's entry for a name replaces an earlier one's.

    Raises:
        CatalogueInvalid: an unknown key, or a condition, remedy or use for a name that has no effect.
    """
    tables = Tables()
    for file in files:
        for owner, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            _Library(file.name, owner, cast("dict[str, Any]", entry)).add_to(tables)
    _find_classes(tables)
    return tables


class _Library:
    """One table of a file."""

    def __init__(self, file: str, owner: str, entry: dict[str, Any]) -> None:
        self._where = f"{file}, [{owner}]"
        self._owner = owner
        self._entry = entry
        unknown = sorted(set(entry) - _KEYS)
        if unknown:
            message = f"{self._where}: unknown key {unknown[0]!r}"
            raise CatalogueInvalid(message)

    def add_to(self, tables: Tables) -> None:
        if set(self._entry) != {"not_stored"}:  # says nothing of what the library does
            tables.roots.add(self._owner.partition(".")[0])
        for kind in _KINDS:
            for name in self._names(self._entry.get(kind, ())):
                self._add_effect(tables, name, Effect(kind=kind, code=CODES[kind]))
        tables.pure.update(self._names(self._entry.get("pure", ())))
        tables.classes.update(self._names(self._entry.get("classes", ())))
        tables.not_stored.update(self._names(self._entry.get("not_stored", ())))
        for name, value in self._pairs("returns"):
            tables.returns[name] = absolute(value, self._owner)
        for name, value in self._pairs("attributes"):
            tables.attributes[name] = absolute(value, self._owner)
        for name, (keyword, passed, given) in self._entry.get("variants", {}).items():
            types = frozenset(self._names((passed,)))
            tables.variants[f"{self._owner}.{name}"] = (keyword, types, f"{self._owner}.{given}")
        for name, value in self._pairs("alias"):
            tables.aliases[name] = absolute(value, self._owner) or self._owner
        self._refine(tables)

    @staticmethod
    def _add_effect(tables: Tables, name: str, effect: Effect) -> None:
        if name.endswith(".*"):
            tables.below[name[:-2]] = effect
        else:
            tables.effects[name] = effect

    def _refine(self, tables: Tables) -> None:
        """Add to effects what is said of them apart: conditions, remedies, use."""
        for key, test in _TESTS.items():
            for name, value in self._pairs(key):
                position, _, keyword = value.partition(":")
                condition = Condition(test=test, position=int(position), keyword=keyword)
                self._change(tables, name, condition=condition)
        for name in self._names(self._entry.get("use", ())):
            self._change(tables, name, on="use")
        for name, text in self._pairs("remedy"):
            self._change(tables, name, remedy=text)

    def _change(self, tables: Tables, name: str, **fields: Any) -> None:
        table, key = (tables.below, name[:-2]) if name.endswith(".*") else (tables.effects, name)
        if key not in table:
            message = f"{self._where}: {name!r} has no effect that could have {', '.join(fields)}"
            raise CatalogueInvalid(message)
        table[key] = msgspec.structs.replace(table[key], **fields)

    def _names(self, spellings: Iterable[str]) -> Iterator[str]:
        for spelling in spellings:
            for name in expand(spelling):
                yield f"{self._owner}.{name}" if name else self._owner

    def _pairs(self, key: str) -> Iterator[tuple[str, str]]:
        for spelling, value in self._entry.get(key, {}).items():
            for name in self._names((spelling,)):
                yield name, value


def _find_classes(tables: Tables) -> None:
    """Note the classes among the names: those written like classes, and what is returned somewhere."""
    for name in (*tables.effects, *tables.pure, *tables.returns, *tables.attributes):
        if _is_written_like_a_class(name) and not name.rpartition(".")[2].isupper():  # `ssl.PROTOCOL_TLS` is none
            tables.classes.add(name)
        tables.classes.update(owner for owner in prefixes(name) if _is_written_like_a_class(owner))
    for name in tables.below:
        tables.classes.update(owner for owner in (name, *prefixes(name)) if _is_written_like_a_class(owner))
    tables.classes.update(value for value in tables.returns.values() if not value.endswith(")"))


def _is_written_like_a_class(name: str) -> bool:
    return name.rpartition(".")[2][:1].isupper()
