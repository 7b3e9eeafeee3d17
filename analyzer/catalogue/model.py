"""Values of the catalogue: kinds of effects, their codes, and what is said of one qualified name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal[
    "network",
    "filesystem",
    "database",
    "subprocess",
    "environment",
    "thread",
    "sleep",
    "state",
    "exit",
    "clock",
    "random",
]
"""What a call does to the world outside the body, or takes from it."""

CODES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "network": "TRG101",
        "filesystem": "TRG102",
        "database": "TRG103",
        "subprocess": "TRG104",
        "environment": "TRG105",
        "thread": "TRG106",
        "sleep": "TRG107",
        "state": "TRG108",
        "exit": "TRG109",
        # Recorded calls are not in this catalogue; they are hints with codes of their own (TRG201, TRG202).
        "clock": "TRG211",
        "random": "TRG212",
    }
)
"""The rule that reports a kind."""

Test = Literal["unless-given", "if-given", "unless-memory"]
"""How an argument decides; see :class:`Condition`."""

On = Literal["call", "use"]
"""When the effect happens: when the name is called, or whenever it is read or iterated (``os.environ``)."""


class Condition(Struct, frozen=True, array_like=True):
    """The argument on which it depends whether a call has its effect.

    Attributes:
        test: ``unless-given``: no effect when the argument is passed and not None (a seed, a time).
            ``if-given``: an effect only when it is passed, not None, and not in memory (``DataFrame.to_csv(path)``).
            ``unless-memory``: no effect when the argument is in memory: an ``io.BytesIO`` or ``io.StringIO``, or the
            literal ``":memory:"``.
        position: the argument's index among the positional ones, from 0; for a method, ``self`` is not counted.
        keyword: its name; empty when it cannot be passed by name.
    """

    test: Test
    position: int
    keyword: str = ""


class Effect(Struct, frozen=True, array_like=True):
    """What calling (or using) a name does.

    Attributes:
        kind: the kind of effect.
        code: the rule that reports it, ``TRG101``.
        remedy: what to write instead, in the imperative; empty when the rule's own words fit.
        on: whether the call or already the use of the name has the effect.
        condition: the argument that decides, or None.
        source: for effects that were inferred, the distribution and version they were read in, ``acme 1.2``; empty for
            effects of this catalogue.
        chain: for inferred effects, the qualified names from the called function down to the effect.
    """

    kind: Kind
    code: str
    remedy: str = ""
    on: On = "call"
    condition: Condition | None = None
    source: str = ""
    chain: tuple[str, ...] = ()


class Pure(Struct, frozen=True, array_like=True):
    """What is said of a name that is known to have no effect."""


PURE: Final = Pure()
"""The one :class:`Pure`."""

Verdict = Effect | Pure
"""What the catalogue says of a name that it knows."""


def effect_of(kind: Kind, *, remedy: str = "") -> Effect:
    """Return the plain effect of a kind."""
    return Effect(kind=kind, code=CODES[kind], remedy=remedy)
