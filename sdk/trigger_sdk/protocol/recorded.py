"""The calls of the standard library that a job's body may make although their results differ from run to run.

The runtime records them (:mod:`trigger_sdk._runtime.recorded_calls`), the analyzer tells that it does. This is data:
one row a call, found by its qualified name. A call that is not listed is none of our business here: it is
deterministic, or the guard and the analyzer watch it, or nobody does (``record(fn)`` is for those).

What a row's ``how`` means, in a body (in a task and elsewhere a call is what it was):

=========== ==========================================================================================================
``value``   the result is journalled, and on replay the journalled one is returned
``seed``    a seed is journalled; it feeds a ``random.Random``, and the call is made on that. So results need not be
            encodable, ``choice`` returns the very object, and ``shuffle`` works in place
``blocked`` the call raises :class:`~trigger_sdk.errors.SideEffectOutsideTask` with the row's ``remedy``
``ordered`` the awaitables in the first argument are made a list of futures, in the order in which they are given; the
            standard library would begin them in the order of their addresses
=========== ==========================================================================================================

``random.seed`` and ``random.setstate`` are not listed: they change a generator that bodies never read on replay, and
draws recorded after ``random.seed(42)`` come from the generator so seeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

How = Literal["value", "seed", "blocked", "ordered"]
"""What becomes of a call in a body; see the table in the module's docstring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeArgument:
    """The argument that makes a call deterministic when it is given and is not None.

    Attributes:
        position: its index among the positional arguments, from 0.
        keyword: its name; empty when it cannot be passed by name.
    """

    position: int
    keyword: str = ""

    def is_given(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> bool:
        """Tell whether a call with these arguments passes it."""
        value = args[self.position] if len(args) > self.position else kwargs.get(self.keyword)
        return value is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """One function of the standard library whose calls in a body are recorded, blocked or put in order.

    Attributes:
        name: qualified name as it is documented, ``datetime.datetime.now``. A version of Python without it is fine.
        how: what becomes of the call in a body.
        pure_with: the argument that makes the call deterministic, so that it is left alone; None when none does.
        remedy: for ``blocked``: what to do instead, in the imperative.
    """

    name: str
    how: How
    pure_with: TimeArgument | None = None
    remedy: str = ""

    @property
    def short(self) -> str:
        """The name that the journal and the timeline show: ``datetime.now``, ``uuid.uuid4``."""
        return ".".join(self.name.split(".")[-2:])

    @property
    def terminal(self) -> str:
        """The last part of the name, by which code usually calls it: ``now``."""
        return self.name.rpartition(".")[2]

    @property
    def module(self) -> str:
        """The module to import for it: ``datetime``, ``email.utils``."""
        owner = self.name.rpartition(".")[0]
        return owner if owner not in _CLASSES else owner.rpartition(".")[0]


_CLASSES: Final = frozenset(("datetime.datetime", "datetime.date"))
"""Owners in the rows below that are classes, not modules."""


def _rows(how: How, owner: str, *names: str) -> tuple[RecordedCall, ...]:
    return tuple(RecordedCall(name=f"{owner}.{name}", how=how) for name in names)


_CLOCKS = (
    *_rows("value", "datetime.datetime", "now", "utcnow", "today"),
    *_rows("value", "datetime.date", "today"),
    *_rows("value", "time", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *_rows("value", "time", "process_time", "process_time_ns", "thread_time", "thread_time_ns"),
    *_rows("value", "time", "clock_gettime", "clock_gettime_ns"),
    RecordedCall(name="time.localtime", how="value", pure_with=TimeArgument(position=0)),
    RecordedCall(name="time.gmtime", how="value", pure_with=TimeArgument(position=0)),
    RecordedCall(name="time.ctime", how="value", pure_with=TimeArgument(position=0)),
    RecordedCall(name="time.asctime", how="value", pure_with=TimeArgument(position=0)),
    RecordedCall(name="time.strftime", how="value", pure_with=TimeArgument(position=1)),
    RecordedCall(name="email.utils.formatdate", how="value", pure_with=TimeArgument(position=0, keyword="timeval")),
    RecordedCall(name="email.utils.localtime", how="value", pure_with=TimeArgument(position=0, keyword="dt")),
)

_IDENTIFIERS = (
    *_rows("value", "uuid", "uuid1", "uuid4", "uuid6", "uuid7", "uuid8", "getnode"),
    *_rows("value", "email.utils", "make_msgid"),
)

_RANDOM = (
    *_rows("value", "random", "random", "uniform", "triangular", "randint", "randrange", "getrandbits", "randbytes"),
    *_rows("value", "random", "betavariate", "binomialvariate", "expovariate", "gammavariate", "gauss"),
    *_rows("value", "random", "lognormvariate", "normalvariate", "vonmisesvariate", "paretovariate", "weibullvariate"),
    *_rows("value", "random", "getstate"),
    *_rows("seed", "random", "choice", "choices", "sample", "shuffle"),
    RecordedCall(name="random.Random", how="seed", pure_with=TimeArgument(position=0, keyword="x")),
    RecordedCall(name="random.SystemRandom", how="seed"),
    *_rows("value", "secrets", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"),
    *_rows("seed", "secrets", "choice"),
    *_rows("value", "os", "urandom", "getrandom"),
)

_MACHINE = (
    *_rows("value", "os", "getpid", "getppid", "cpu_count", "process_cpu_count", "getloadavg"),
    *_rows("value", "socket", "gethostname", "getfqdn"),
)
"""Facts of the process and its machine: a run may come back by replay in another worker."""

_CONTROL = (
    RecordedCall(
        name="time.sleep",
        how="blocked",
        remedy="Use `trigger_sdk.sleep`, which is durable and holds no worker (`await sleep(...)` in an async job).",
    ),
    RecordedCall(
        name="asyncio.run",
        how="blocked",
        remedy="Await the coroutine in an async job, or make it a task: `task.run(...)`.",
    ),
    RecordedCall(name="asyncio.as_completed", how="ordered"),
)

RECORDED_CALLS: Final[tuple[RecordedCall, ...]] = (*_CLOCKS, *_IDENTIFIERS, *_RANDOM, *_MACHINE, *_CONTROL)
"""All rows."""

BY_NAME: Final[Mapping[str, RecordedCall]] = MappingProxyType({call.name: call for call in RECORDED_CALLS})
"""The rows by qualified name."""

TERMINAL_NAMES: Final[frozenset[str]] = frozenset(call.terminal for call in RECORDED_CALLS)
"""The last parts of all names: code that mentions none of them, and no alias, mentions no recorded call."""
