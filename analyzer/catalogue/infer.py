"""Effects of libraries that the catalogue does not know, read off their installed source.

Precision comes first: an effect is inferred only when a chain of calls, each on the straight path of its function
(:mod:`analyzer.catalogue.straight_path`), leads within one distribution to an effect of the catalogue. A receiver
whose type is not evident, a limit that is reached, a file that cannot be read: no effect.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from analyzer.catalogue.keeping import keep
from analyzer.catalogue.library_scope import Place, Scope
from analyzer.catalogue.library_source import Distribution, Function, Libraries
from analyzer.catalogue.library_types import SourceTypes
from analyzer.catalogue.loader import Catalogue, load_catalogue
from analyzer.catalogue.model import PURE, Effect, Kind, Pure, Verdict
from analyzer.catalogue.straight_path import straight_calls, straight_statements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT: Final = 1
"""Version of what is kept; one more whenever the inference finds something else in the same source."""

_DEEPEST: Final = 8
"""Calls in a chain, at most."""

_MOST: Final = 400
"""Functions that are read for one question, at most."""

_KINDS: Final[frozenset[Kind]] = frozenset(("network", "database", "subprocess", "filesystem", "sleep"))
"""What is inferred. Libraries read clocks, environment and random numbers for reasons of their own on any path."""


class Inference:
    """Answers what the functions of installed libraries do. Answers are kept per distribution and version."""

    def __init__(
        self, search_paths: Sequence[Path], *, catalogue: Catalogue | None = None, cache: Path | None = None
    ) -> None:
        self._catalogue = catalogue or load_catalogue(cache)
        self._types = SourceTypes(Libraries(search_paths), self._catalogue)
        self._answers = _Answers(cache, self._catalogue)

    def infer(self, qualname: str) -> Verdict | None:
        """Return the effect of calling ``qualname``, PURE when its source shows none, None when there is no source.

        Names of libraries that the catalogue covers are not its business: None.
        """
        if self._catalogue.covers(qualname):
            return None
        distribution = self._types.libraries.distribution(qualname.partition(".")[0])
        if distribution is None:
            return None
        kept = self._answers.of(distribution)
        if qualname not in kept:
            kept[qualname] = self._find(qualname, distribution)
            self._answers.changed.add(distribution)
        answer = kept[qualname]
        return PURE if isinstance(answer, Pure) else answer

    def returns(self, qualname: str) -> str | None:
        """Return the type of what a call gives: a class of the library, or a type that the catalogue knows."""
        if self._catalogue.covers(qualname):
            return self._catalogue.returns(qualname)
        return self._types.returns(qualname)

    def save(self) -> None:
        """Keep the answers for the next process."""
        self._answers.save()

    def _find(self, qualname: str, distribution: Distribution) -> Verdict | None:
        place = self._types.find(qualname)
        if place is None:
            return None
        if place.function is None:
            known = self._catalogue.lookup(place.name) if self._catalogue.covers(place.name) else None
            if isinstance(known, Effect) and known.kind in _KINDS:
                return msgspec.structs.replace(known, source=str(distribution), chain=(qualname, place.name))
            return PURE
        chain = _Search(self._types, self._catalogue, distribution).search(place, depth=0)
        if chain is None:
            return PURE
        names, effect = chain
        return msgspec.structs.replace(effect, source=str(distribution), chain=names)


class _Search:
    """One search down the calls of a function."""

    def __init__(self, types: SourceTypes, catalogue: Catalogue, distribution: Distribution) -> None:
        self._types = types
        self._catalogue = catalogue
        self._distribution = distribution
        self._seen: set[str] = set()

    def search(self, place: Place, *, depth: int) -> tuple[tuple[str, ...], Effect] | None:
        """Return the names from ``place`` down to an effect, and the effect; None when there is none."""
        if place.function is None or place.name in self._seen or depth > _DEEPEST or len(self._seen) > _MOST:
            return None
        self._seen.add(place.name)
        if _is_generator(place.function) or _is_stub(place.function):
            return None
        scope = Scope.of(place, self._types)
        for statement in straight_statements(place.function.body):
            scope.read(statement)
            for call in straight_calls(statement):
                name = scope.name_of(call.func)
                found = None if name is None else self._effect(name, call) or self._below(name, place, depth)
                if found is not None:
                    names, effect = found
                    return (place.name, *names), effect
        return None

    def _effect(self, name: str, call: ast.Call) -> tuple[tuple[str, ...], Effect] | None:
        known = self._catalogue.lookup(name)
        if not isinstance(known, Effect) or known.kind not in _KINDS or not _applies(known, call):
            return None
        return (name,), known

    def _below(self, name: str, caller: Place, depth: int) -> tuple[tuple[str, ...], Effect] | None:
        if self._catalogue.covers(name):
            return None
        if self._types.libraries.distribution(name.partition(".")[0]) != self._distribution:
            return None
        place = self._types.find(name, bound_to=caller.bound_class or None)
        return None if place is None else self.search(place, depth=depth + 1)


def _applies(effect: Effect, call: ast.Call) -> bool:
    """Tell whether the arguments of a call leave the effect, as far as one can see; in doubt they do not."""
    condition = effect.condition
    if condition is None:
        return True
    argument = next((each.value for each in call.keywords if each.arg == condition.keyword), None)
    if argument is None and condition.position < len(call.args):
        argument = call.args[condition.position]
    if condition.test == "unless-given":
        return argument is None
    # A path that is put together on the spot, or a literal, is not in memory; a bare variable may be.
    return isinstance(argument, (ast.Constant, ast.JoinedStr, ast.BinOp)) and not (
        isinstance(argument, ast.Constant) and argument.value in {None, ":memory:"}
    )


@lru_cache(maxsize=4096)
def _is_generator(function: Function) -> bool:
    """Tell whether calling the function runs nothing: it has a ``yield`` of its own."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return not any(_last_name(each) in _MANAGERS for each in function.decorator_list)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(node))
    return False


_MANAGERS: Final = frozenset(("contextmanager", "asynccontextmanager"))


def _is_stub(function: Function) -> bool:
    """Tell whether the function is abstract or an overload: another one runs in its place."""
    return any(_last_name(each) in {"abstractmethod", "overload"} for each in function.decorator_list)


def _last_name(expression: ast.expr) -> str:
    return expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")


class _Answers:
    """Answers that are known already, by distribution; kept in a folder."""

    def __init__(self, cache: Path | None, catalogue: Catalogue) -> None:
        self._cache = cache
        self._stamp = blake2b(f"{FORMAT} {catalogue.stamp}".encode(), digest_size=8).hexdigest()
        self._loaded: dict[Distribution, dict[str, Effect | Pure | None]] = {}
        self.changed: set[Distribution] = set()

    def of(self, distribution: Distribution) -> dict[str, Effect | Pure | None]:
        """Return the answers for a distribution, to be added to."""
        found = self._loaded.get(distribution)
        if found is None:
            found = self._loaded[distribution] = self._read(distribution)
        return found

    def save(self) -> None:
        """Write what is new."""
        for distribution in self.changed:
            place = self._place(distribution)
            if place is not None:
                effects = {
                    name: (None if answer is None else [] if isinstance(answer, Pure) else [answer])
                    for name, answer in self._loaded[distribution].items()
                }
                keep(place, msgspec.msgpack.encode(effects))
        self.changed.clear()

    def _read(self, distribution: Distribution) -> dict[str, Effect | Pure | None]:
        place = self._place(distribution)
        if place is None:
            return {}
        try:
            kept = msgspec.msgpack.decode(place.read_bytes(), type=dict[str, list[Effect] | None])
        except (OSError, msgspec.MsgspecError):
            return {}
        return {name: (None if answer is None else answer[0] if answer else PURE) for name, answer in kept.items()}

    def _place(self, distribution: Distribution) -> Path | None:
        if self._cache is None:
            return None
        return self._cache / f"inferred-{distribution.name}-{distribution.version}-{self._stamp}.msgpack"


def infer(qualname: str, search_paths: Sequence[Path], cache: Path | None = None) -> Verdict | None:
    """Return the effect of one name; see :class:`Inference`, which is what to use for more than one."""
    inference = Inference(search_paths, cache=cache)
    verdict = inference.infer(qualname)
    inference.save()
    return verdict
