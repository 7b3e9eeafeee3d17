"""The walk over a value that turns it into what msgpack can encode.

Each exact type has a rule; rules of containers and objects walk on into their members. Trees of msgpack's own types
come through as they are, uncopied where a whole container holds scalars only. The first walk trusts ints to fit into 64
bits and strings to be valid Unicode, and does not look for cycles: what is wrong shows, and then the careful walk finds
out where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn

import msgspec
from msgspec.msgpack import Ext

from trigger_sdk.protocol import value_kinds as kinds

pack: Final[Callable[[Any], bytes]] = msgspec.msgpack.Encoder().encode
"""Encode what rules return."""

Rule = Callable[["Walk", Any, int], Any]
"""Turns a value (at the given depth) into what :data:`pack` takes."""

_SCALARS: Final = frozenset((type(None), bool, int, float, str, bytes))
_SAFE_SCALARS: Final = frozenset((type(None), bool, float, bytes))
_ONLY_STR: Final = frozenset((str,))
_MAX_KEY: Final = 60
"""Characters of a key in a path: it is to be recognized, not read."""


class Refused(Exception):
    """Something cannot be encoded. ``path`` is collected on the way out, innermost step first."""

    def __init__(self, value: object, reason: str = "", hint: str = "") -> None:
        super().__init__(reason)
        self.type = type(value)
        self.reason = reason
        self.hint = hint
        self.path: list[str] = []


class TooDeep(Exception):
    """A value is nested too deeply, or contains itself."""


class Walk:
    """The quick walk. It keeps nothing between calls but the rules by type."""

    plain = _SCALARS
    """Types that need no rule."""
    part_errors: tuple[type[Exception], ...] = (Refused,)
    """What an exception's part that cannot be stored raises here; all else is for the careful walk to find out."""

    def __init__(self, rules: dict[type, Rule], classify: Callable[[type], Rule]) -> None:
        self.rules = rules
        self._classify = classify

    def lower(self, value: Any, depth: int) -> Any:
        """Return what msgpack can encode for any value.

        Raises:
            Refused: something in it cannot be encoded.
            TooDeep: it is nested too deeply, or contains itself.
        """
        kind = type(value)
        rule = self.rules.get(kind)
        if rule is None:
            if depth > kinds.MAX_DEPTH:
                raise TooDeep
            try:
                rule = self.rules[kind] = self._classify(kind)
            except Refused as refused:
                refuse_value(value, refused)
        return rule(self, value, depth)

    def items(self, values: Iterable[Any], depth: int) -> list[Any]:
        """Lower the members of a list or tuple into a list, or return the list itself when it needs no change."""
        plain = self.plain
        if plain.issuperset(map(type, values)):
            return values if type(values) is list else list(values)
        if depth > kinds.MAX_DEPTH:
            raise TooDeep
        lowered: list[Any] = []
        lower = self.lower
        depth += 1
        try:
            for value in values:
                lowered.append(value if type(value) in plain else lower(value, depth))  # noqa: PERF401 - its length tells where
        except Refused as refused:
            refused.path.append(f"[{len(lowered)}]")
            raise
        return lowered

    def mapping(self, values: dict[Any, Any], depth: int) -> Any:
        """Lower a dict into a dict, or into pairs when its keys are not all str."""
        if not self.keys_are_plain(values):
            return self._pairs(values, depth)
        if self.plain.issuperset(map(type, values.values())):
            return values
        return self.fields(values, depth, as_keys=True)

    def fields(self, values: dict[str, Any], depth: int, *, as_keys: bool = False) -> dict[str, Any]:
        """Lower the values of a dict whose keys are identifiers."""
        if depth > kinds.MAX_DEPTH:
            raise TooDeep
        plain = self.plain
        lowered: dict[str, Any] = {}
        key = ""
        depth += 1
        try:
            for key, value in values.items():
                lowered[key] = value if type(value) in plain else self.lower(value, depth)
        except Refused as refused:
            refused.path.append(_key_step(key) if as_keys else f".{key}")
            raise
        return lowered

    def keys_are_plain(self, values: dict[Any, Any]) -> bool:
        """Tell whether all keys can be keys of a msgpack map as they are."""
        return _ONLY_STR.issuperset(map(type, values))

    def _pairs(self, values: dict[Any, Any], depth: int) -> Any:
        if depth > kinds.MAX_DEPTH:
            raise TooDeep
        lowered: list[Any] = []
        key: Any = None
        try:
            for key, value in values.items():
                lowered += (self.lower(key, depth + 1), self.lower(value, depth + 1))
        except Refused as refused:
            refused.path.append(_key_step(key))
            raise
        if _ONLY_STR.issuperset(map(type, lowered[::2])):  # subclasses of str became str
            return dict(zip(lowered[::2], lowered[1::2], strict=True))
        return Ext(kinds.PAIRS, pack(lowered))


class CarefulWalk(Walk):
    """Checks ints and strings one by one and keeps track of where it is. One instance serves one value."""

    plain = _SAFE_SCALARS
    part_errors = (Exception,)

    def __init__(self, rules: dict[type, Rule], classify: Callable[[type], Rule]) -> None:
        super().__init__(rules, classify)
        self._active: set[int] = set()

    def lower(self, value: Any, depth: int) -> Any:
        """As :meth:`Walk.lower`, and Refused in place of TooDeep."""
        kind = type(value)
        if kind is str:
            return lower_text(value)
        if kind is int:
            return lower_integer(value)
        if kind in self.plain:
            return value
        if id(value) in self._active:
            raise Refused(value, "it contains itself", "break the circle, for example by ids in place of references")
        if depth > kinds.MAX_DEPTH:
            raise Refused(value, f"it is nested more than {kinds.MAX_DEPTH} levels deep", "return a flatter value")
        self._active.add(id(value))
        try:
            return super().lower(value, depth)
        finally:
            self._active.discard(id(value))

    def keys_are_plain(self, values: dict[Any, Any]) -> bool:
        """As :meth:`Walk.keys_are_plain`, and the keys are valid Unicode."""
        return super().keys_are_plain(values) and all(type(lower_text(key)) is str for key in values)


def lower_text(value: str) -> str | Ext:
    """Return the string, or an extension type when it is not valid Unicode (a file name may not be)."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return Ext(kinds.SURROGATES, value.encode("utf-8", "surrogatepass"))
    return value


def lower_integer(value: int) -> int | Ext:
    """Return the int, or an extension type when it does not fit into 64 bits."""
    if -(2**63) <= value < 2**64:
        return value
    return Ext(kinds.BIGINT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def refuse_value(value: object, refused: Refused) -> NoReturn:
    """Raise for a value what was found out about its type."""
    raise Refused(value, refused.reason, refused.hint) from None


def _key_step(key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    try:
        text = repr(key)
    except Exception:  # noqa: BLE001 - code of the user's, or an int of too many digits to print
        text = f"<{type(key).__name__}>"
    return f"[{text if len(text) <= _MAX_KEY else text[: _MAX_KEY - 3] + '...'}]"
