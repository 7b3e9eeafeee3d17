"""The catalogue: what is known of a qualified name. Used by the call graph, the rules and the inference.

How names are built by who asks:

- a function or class: ``requests.get``, ``pathlib.Path``; builtins are ``builtins.open``;
- an attribute or method of an instance: its type's name and the attribute's, ``requests.Session.get``; also through
  several attributes, ``openai.OpenAI.chat.completions.create``;
- implicit calls by their dunder name: ``sqlalchemy.Engine.begin().__enter__``, ``T.__iter__``, ``T.__getitem__``,
  ``T.__call__``; a coroutine function is said to return what awaiting it gives;
- types that have no name of their own are called after the factory: ``boto3.client()``.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

import msgspec

from analyzer.catalogue.data import FORMAT, Tables, read_tables
from analyzer.catalogue.keeping import keep
from analyzer.catalogue.model import PURE, Effect, Kind, Pure, Verdict, effect_of
from analyzer.catalogue.names import prefixes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER: Final = Path(__file__).parent
"""Where the TOML files are."""

_PART: Final = ".part()."
"""In names of what is had from a data frame or array: another one, a column, or a single value."""

_ITSELF: Final = frozenset(("__enter__", "__aenter__"))
"""Methods that return their instance when the data says nothing else."""


_ONLY_BY_NAME: Final = _ITSELF | {"__await__"}
"""Methods that have an effect only when the data names them: not as one of all below their type."""


class Catalogue:
    """What functions, classes and methods do, by qualified name. Immutable; see the module for how names are built."""

    def __init__(self, tables: Tables, extensions: Mapping[str, Verdict] | None = None) -> None:
        self._tables = tables
        self._extensions = dict(extensions or {})
        self._canonical = lru_cache(maxsize=65536)(self._find_canonical)

    def lookup(self, qualname: str) -> Verdict | None:
        """Return what calling ``qualname`` does, ``PURE`` when that is nothing, None when it is not known.

        An entry for the name itself wins, then the one for its longest dotted prefix.
        """
        extended = self._extended(qualname)
        if extended is not None:
            return extended
        tables = self._tables
        name = self._canonical(qualname)
        effect = tables.effects.get(name)
        if effect is not None:
            return effect
        if name in tables.pure or name.rpartition(".")[2] in _ONLY_BY_NAME:
            return PURE
        for prefix in prefixes(name):
            below = tables.below.get(prefix)
            if below is not None:  # of a class that is pure to make and whose methods have effects, both are said
                return below
            if prefix in tables.pure:
                return PURE
        return None

    def returns(self, qualname: str) -> str | None:
        """Return the type of what calling ``qualname`` gives, None when it is not known.

        Calling a class gives that class. ``T.__enter__`` gives ``T`` when the data says nothing else.
        """
        tables = self._tables
        name = self._canonical(qualname)
        found = tables.returns.get(name)
        if found is not None and _PART in qualname and found in tables.not_stored:
            return qualname.partition(_PART)[0] + _PART.removesuffix(".")  # a part of a part may be a number
        if found is not None:
            return found
        if name in tables.classes:
            return name
        owner, _, last = name.rpartition(".")
        if last in _ITSELF and (owner in tables.classes or owner.endswith(")")):
            return owner
        return None if last in _ONLY_BY_NAME else tables.returns.get(f"{owner}.*")

    def attribute(self, type_name: str, attribute: str) -> str | None:
        """Return the type of ``instance.attribute`` for an instance of ``type_name``, None when it is not known.

        Unknown attributes still have effects: ask :meth:`lookup` for ``type_name.attribute.method``.
        """
        owner = self._canonical(type_name)
        tables, name = self._tables, f"{owner}.{attribute}"
        found = tables.attributes.get(name)
        if found is not None or name in tables.effects or name in tables.pure or name in tables.returns:
            return found
        return tables.attributes.get(f"{owner}.*")

    def canonical(self, qualname: str) -> str:
        """Return the name under which the data knows ``qualname``: that of ``requests.sessions.Session`` is shorter."""
        return self._canonical(qualname)

    def is_class(self, qualname: str) -> bool:
        """Tell whether the name is a class that the data knows."""
        return self._canonical(qualname) in self._tables.classes

    def variant(self, qualname: str) -> tuple[str, frozenset[str], str] | None:
        """Return when calling ``qualname`` gives another type: keyword, types of what is passed there, that type."""
        return self._tables.variants.get(self._canonical(qualname))

    def is_not_stored(self, type_name: str) -> bool:
        """Tell whether no journal stores instances of a type, by the very name that :meth:`returns` gave."""
        return type_name in self._tables.not_stored

    def covers(self, qualname: str) -> bool:
        """Tell whether the name's library is in the catalogue, or the standard one: silence then means no effect."""
        root = qualname.partition(".")[0]
        return root in sys.stdlib_module_names or root in self._tables.roots or root == "builtins"

    def extended(self, effects: Mapping[str, str]) -> Catalogue:
        """Return a catalogue with the user's own entries, which win over all others.

        Args:
            effects: qualified name to a kind or ``"pure"``. An entry covers the name and all that is below it; a
                trailing ``.*`` only what is below it.

        Raises:
            ValueError: a value that is neither a kind nor ``"pure"``.
        """
        added = dict(self._extensions)
        for name, kind in effects.items():
            verdict = _verdict(name, kind)
            if not name.endswith(".*"):
                added[name] = verdict
            added[f"{name.removesuffix('.*')}.*"] = verdict
        return Catalogue(self._tables, added)

    @property
    def stamp(self) -> str:
        """A digest of all that is known, the user's own entries too: what is derived from it is good as long."""
        own = msgspec.json.encode(sorted(f"{name} {verdict}" for name, verdict in self._extensions.items()))
        return blake2b(msgspec.msgpack.encode(self._tables.stamp) + own, digest_size=12).hexdigest()

    @property
    def tables(self) -> Tables:
        """The data itself, for tests and documentation."""
        return self._tables

    def _extended(self, qualname: str) -> Verdict | None:
        if not self._extensions:
            return None
        for name in {qualname, self._canonical(qualname)}:
            found = self._extensions.get(name)
            if found is not None:
                return found
        for prefix in prefixes(qualname):
            found = self._extensions.get(f"{prefix}.*")
            if found is not None:
                return found
        return None

    def _find_canonical(self, qualname: str) -> str:
        aliases = self._tables.aliases
        name = qualname
        for _ in range(4):  # an alias may lead to another one; data that goes in circles ends here
            target = aliases.get(name)
            if target is None:
                for prefix in prefixes(name):
                    found = aliases.get(prefix)
                    if found is not None:
                        target = found + name[len(prefix) :]
                        break
            if target is None or target == name:
                return name
            name = target
        return name


def _verdict(name: str, kind: str) -> Verdict:
    if kind == "pure":
        return PURE
    for known in get_args(Kind):
        if kind == known:
            return effect_of(known)
    message = f"{name!r} has the effect {kind!r}; there are: {', '.join(get_args(Kind))}, pure"
    raise ValueError(message)


def load_catalogue(cache: Path | None = None) -> Catalogue:
    """Return the catalogue that is shipped.

    Args:
        cache: a folder where the compiled data is kept between processes; without one the TOML files are read.
    """
    files = sorted(FOLDER.glob("*.toml"))
    if cache is None:
        return Catalogue(_read(files))
    place = cache / f"catalogue-{_stamp(files)}.msgpack"
    try:
        return Catalogue(msgspec.msgpack.decode(place.read_bytes(), type=Tables))
    except (OSError, msgspec.MsgspecError):
        tables = _read(files)
    for old in cache.glob("catalogue-*.msgpack"):
        old.unlink(missing_ok=True)
    keep(place, msgspec.msgpack.encode(tables))
    return Catalogue(tables)


def _read(files: list[Path]) -> Tables:
    tables = read_tables(files)
    tables.stamp = _stamp(files)
    return tables


def _stamp(files: Iterable[Path]) -> str:
    """Return a name for the state of the files: their names, sizes and times."""
    state = [f"{FORMAT}"]
    for file in files:
        status = file.stat()
        state.append(f"{file}:{status.st_size}:{status.st_mtime_ns}")
    return blake2b("\n".join(state).encode(), digest_size=12).hexdigest()


__all__ = ["PURE", "Catalogue", "Effect", "Kind", "Pure", "Verdict", "load_catalogue"]
