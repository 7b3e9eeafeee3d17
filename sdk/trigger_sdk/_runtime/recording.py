"""How one recorded call is carried out in a body: the value, the seed, the refusal or the order."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import time
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._runtime.guard import refuse
from trigger_sdk.protocol.recorded import BY_NAME, RecordedCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trigger_sdk._runtime.scope import Scope

    Args = tuple[Any, ...]
    Kwargs = Mapping[str, Any]

_SEED_BITS = 128

SYSTEM_RANDOM_CALLS: Final[Mapping[str, RecordedCall]] = {
    call.terminal: RecordedCall(name=f"random.SystemRandom.{call.terminal}", how=call.how)
    for call in BY_NAME.values()
    if call.module == "random" and call.pure_with is None and call.terminal not in {"SystemRandom", "getstate"}
}
"""Methods of a ``random.SystemRandom`` that somebody made outside the body: never deterministic, whoever made it."""


class ReplayableSystemRandom(random.SystemRandom):
    """What ``random.SystemRandom()`` gives in a body: it draws from a journalled seed, so that replay draws alike."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)  # noqa: S311 - the seed is 128 bits of os.urandom
        super().__init__()

    def random(self) -> float:
        """Return the next number in [0.0, 1.0)."""
        return self._source.random()

    def getrandbits(self, k: int, /) -> int:
        """Return an integer of ``k`` random bits."""
        return self._source.getrandbits(k)

    def randbytes(self, n: int) -> bytes:
        """Return ``n`` random bytes."""
        return self._source.randbytes(n)


def date_class_call(owner: type, name: str) -> RecordedCall | None:
    """Return the row for ``owner.now``, ``utcnow`` or ``today`` when ``owner`` is a subclass of datetime or date."""
    if issubclass(owner, dt.datetime):
        return BY_NAME.get(f"datetime.datetime.{name}")
    if issubclass(owner, dt.date):
        return BY_NAME.get(f"datetime.date.{name}")
    return None


def system_random_call(owner: object, name: str) -> RecordedCall | None:
    """Return the row for a method bound to a ``SystemRandom``, unless it is one that replays anyway."""
    if isinstance(owner, random.SystemRandom) and not isinstance(owner, ReplayableSystemRandom):
        return SYSTEM_RANDOM_CALLS[name]
    return None


def call_recorded(scope: Scope, call: RecordedCall, function: Callable[..., Any], args: Args, kwargs: Kwargs) -> Any:
    """Carry out a call of a recorded function in a body, as its row says."""
    if call.pure_with is not None and call.pure_with.is_given(args, kwargs):
        return function(*args, **kwargs)
    if call.how == "value":
        adapted = _ADAPTED.get(call.name)
        if adapted is not None:
            return adapted(scope, call, function, args, kwargs)
        return scope.record(call.short, lambda: function(*args, **kwargs))
    if call.how == "seed":
        return _call_seeded(scope, call, args, kwargs)
    if call.how == "ordered":
        return _call_ordered(function, args, kwargs)
    refuse(call.name, remedy=call.remedy)
    return function(*args, **kwargs)


def _call_seeded(scope: Scope, call: RecordedCall, args: Args, kwargs: Kwargs) -> Any:
    """Journal a seed and make the call on a generator that starts from it."""
    secret = call.module == "secrets" or "SystemRandom" in call.name
    seed = scope.record(call.short, _secret_seed if secret else _plain_seed)
    if call.name == "random.SystemRandom":
        return ReplayableSystemRandom(seed)
    generator = random.Random(seed)  # noqa: S311 - secrets are seeded with 128 bits of os.urandom
    return generator if call.name == "random.Random" else getattr(generator, call.terminal)(*args, **kwargs)


def _secret_seed() -> int:
    return int.from_bytes(os.urandom(_SEED_BITS // 8), "big")


def _plain_seed() -> int:
    # From the module's own generator: after random.seed(42) the draws of a body are reproducible too.
    return random.getrandbits(_SEED_BITS)


def _call_ordered(function: Callable[..., Any], args: Args, kwargs: Kwargs) -> Any:
    """Begin the awaitables of the first argument (``fs``) in the order given, and pass the futures on."""
    awaitables = args[0] if args else kwargs.get("fs")
    if awaitables is None or asyncio.isfuture(awaitables) or asyncio.iscoroutine(awaitables):
        return function(*args, **kwargs)  # raises as ever
    futures = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    return function(futures, *args[1:], **{key: value for key, value in kwargs.items() if key != "fs"})


def _now(scope: Scope, call: RecordedCall, function: Any, args: Args, kwargs: Kwargs) -> Any:
    """Record ``now``, ``utcnow`` or ``today`` of datetime or a subclass of it.

    With a time zone the moment is journalled in UTC and turned into that zone, so that zones of any make come back
    as they were given.
    """
    zone = args[0] if args else kwargs.get("tz")
    if isinstance(zone, dt.tzinfo) and len(args) + len(kwargs) == 1:
        moment = scope.record(call.short, lambda: dt.datetime.now(dt.UTC)).astimezone(zone)
    elif call.terminal == "utcnow" and not args and not kwargs:
        # As utcnow() itself, without the warning that Python 3.12 would give for this line, and not on replay.
        moment = scope.record(call.short, lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None))
    else:
        moment = scope.record(call.short, lambda: _as_class(dt.datetime, function(*args, **kwargs)))
    return _as_class(function.__self__, moment)


def _as_class(cls: type[dt.datetime], moment: dt.datetime) -> dt.datetime:
    return moment if type(moment) is cls else cls.combine(moment.date(), moment.timetz())


def _today(scope: Scope, call: RecordedCall, function: Any, args: Args, kwargs: Kwargs) -> Any:
    """Record ``today`` of date or a subclass of it."""
    day = scope.record(call.short, lambda: dt.date.fromordinal(function(*args, **kwargs).toordinal()))
    cls = function.__self__
    return day if type(day) is cls else cls.fromordinal(day.toordinal())


def _struct_time(scope: Scope, call: RecordedCall, function: Any, args: Args, kwargs: Kwargs) -> Any:
    """Record ``localtime()`` and ``gmtime()`` as a plain tuple, with name and offset of the zone."""

    def produce() -> tuple[Any, ...]:
        moment = function(*args, **kwargs)
        return (*moment, moment.tm_zone, moment.tm_gmtoff)

    return time.struct_time(scope.record(call.short, produce))


_ADAPTED: Final[Mapping[str, Callable[[Any, RecordedCall, Any, Args, Kwargs], Any]]] = {
    "datetime.datetime.now": _now,
    "datetime.datetime.utcnow": _now,
    "datetime.datetime.today": _now,
    "datetime.date.today": _today,
    "time.localtime": _struct_time,
    "time.gmtime": _struct_time,
}
"""Values that are turned into plain ones for the journal, and back."""
