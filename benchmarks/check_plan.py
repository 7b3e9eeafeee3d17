"""The plan of the generated project: packages, modules, functions, who calls whom. Deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from benchmarks.check_functions import KINDS, Kind
from benchmarks.check_layers import LEAKS

SEED: Final = 20
LEAK_EVERY: Final = 5
"""Each so manieth job has an effect in its body, some calls deep."""

WORDS: Final = tuple(
    "account address batch booking budget carrier catalog claim contract coupon credit customer delivery deposit "  # noqa: SIM905 - pages of quotes
    "dispute driver factor invoice journal ledger listing merchant notice order parcel payment payout permit policy "
    "pricing product quota refund return route stock supplier tariff ticket voucher".split()
)
VERBS: Final = tuple(
    "adjust align assess bundle clean combine compare condense count derive estimate expand fold group label limit "  # noqa: SIM905 - as above
    "match measure merge order pack rank reduce resolve round scale select settle shift sift smooth sort split sum "
    "tally trim weigh".split()
)
_NEIGHBOUR: Final = 0.5
"""How often a function calls another one of its module."""

_IMPORTED: Final = 0.3
"""How often it calls one of each module that its own imports."""

_ABROAD: Final = 0.4
"""How often a module imports one of another package, beside two of its own."""

_NEAR_PACKAGES: Final = 5
"""How far down the list of packages another one is imported from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a project is.

    Attributes:
        packages: that jobs may import from.
        modules: of functions in each package, beside its four layers.
        functions: in each of them.
        jobs: one file each, spread over the packages.
        unreached: further packages, which no job imports from.
    """

    packages: int
    modules: int
    functions: int
    jobs: int
    unreached: int = 0


@dataclass(eq=False, slots=True, kw_only=True)
class Function:
    """A function.

    Attributes:
        module: where it stands.
        name: unlike all others.
        kind: what it takes and returns.
        calls: what it calls.
        leak: number of its effect among those there are; None when it has none itself.
    """

    module: Module
    name: str
    kind: Kind
    calls: list[Function] = field(default_factory=list)
    leak: int | None = None


@dataclass(eq=False, slots=True, kw_only=True)
class Module:
    """A module of functions.

    Attributes:
        package: where it stands.
        number: its place there.
        functions: those it has.
    """

    package: Package
    number: int
    functions: list[Function] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name without the package."""
        return f"{VERBS[self.number % len(VERBS)]}_{self.number}"

    @property
    def dotted(self) -> str:
        """Its full name."""
        return f"{self.package.dotted}.{self.name}"


@dataclass(eq=False, slots=True, kw_only=True)
class Package:
    """A package about one thing.

    Attributes:
        number: its place among all.
        modules: of functions.
        prices: what its service calls.
        leaking: functions that call each other, the first of which has an effect.
    """

    number: int
    modules: list[Module] = field(default_factory=list)
    prices: list[Function] = field(default_factory=list)
    leaking: list[Function] = field(default_factory=list)

    @property
    def word(self) -> str:
        """What it is about."""
        return WORDS[self.number % len(WORDS)]

    @property
    def name(self) -> str:
        """Its name: the word, with a number when there are more packages than words."""
        again = self.number // len(WORDS)
        return f"{self.word}{again or ''}"

    @property
    def dotted(self) -> str:
        """Its full name."""
        return f"app.{self.name}"

    @property
    def record(self) -> str:
        """The name of its dataclass."""
        return self.name.title()


@dataclass(eq=False, slots=True, kw_only=True)
class PlannedJob:
    """A job.

    Attributes:
        number: its place.
        package: what it is about.
        calls: what its body calls; as a function of which kind.
    """

    number: int
    package: Package
    calls: list[tuple[Kind, Function]]

    @property
    def name(self) -> str:
        """The name of its file without the suffix."""
        return f"{self.package.name}_{self.number}"

    @property
    def is_leaking(self) -> bool:
        """Whether its body has an effect."""
        return self.number % LEAK_EVERY == 0

    @property
    def code(self) -> str | None:
        """The rule that tells of its body, None when there is nothing to tell."""
        leak = self.package.leaking[0].leak
        return LEAKS[leak][0] if self.is_leaking and leak is not None else None

    def reached(self) -> set[Function]:
        """Return the functions that its body reaches outside of tasks."""
        return set(closure([*(function for _, function in self.calls), *self.package.prices]))


def closure(functions: Sequence[Function]) -> Iterator[Function]:
    """Yield functions and all that they call, each once."""
    pending, seen = list(functions), set(functions)
    while pending:
        function = pending.pop()
        yield function
        new = [other for other in function.calls if other not in seen]
        seen.update(new)
        pending += new


def plan_packages(size: Size) -> list[Package]:
    """Return the packages; those that no job imports from come last, and change nothing in the others."""
    rnd = Random(SEED)
    packages: list[Package] = []
    for number in range(size.packages + size.unreached):
        packages.append(_package(number, packages[-_NEAR_PACKAGES:], size, rnd))
    return packages


def plan_jobs(packages: Sequence[Package], size: Size) -> list[PlannedJob]:
    """Return the jobs."""
    rnd = Random(SEED + 1)
    jobs = []
    for number in range(size.jobs):
        package = packages[number % size.packages]
        other = packages[rnd.randrange(size.packages)]
        calls = [(rnd.choice(KINDS), _clean(rnd.choice(package.modules), rnd)) for _ in range(5)]
        if other is not package:
            calls.append((rnd.choice(KINDS), _clean(rnd.choice(other.modules), rnd, but="records")))
        if number % LEAK_EVERY == 0:
            calls.append(("number", package.leaking[-1]))
        jobs.append(PlannedJob(number=number, package=package, calls=calls))
    return jobs


def _package(number: int, near: Sequence[Package], size: Size, rnd: Random) -> Package:
    package = Package(number=number)
    for index in range(size.modules):
        sources = rnd.sample(package.modules, min(2, index))
        if near and rnd.random() < _ABROAD:
            sources.append(rnd.choice(rnd.choice(near).modules))
        package.modules.append(_module(package, index, sources, size, rnd))
    package.prices = [_clean(rnd.choice(package.modules), rnd) for _ in range(2)]
    package.leaking = _leak(package, rnd)
    return package


def _module(package: Package, number: int, sources: Sequence[Module], size: Size, rnd: Random) -> Module:
    module = Module(package=package, number=number)
    for index in range(size.functions):
        calls: list[Function] = []
        if index and rnd.random() < _NEIGHBOUR:
            calls.append(rnd.choice(module.functions))
        calls += [
            _clean(source, rnd, but=None if source.package is package else "records")
            for source in sources
            if rnd.random() < _IMPORTED
        ]
        module.functions.append(_function(module, KINDS[index % len(KINDS)], calls, rnd))
    return module


def _function(module: Module, kind: Kind, calls: list[Function], rnd: Random) -> Function:
    name = f"{rnd.choice(VERBS)}_{module.package.name}_{module.number}_{len(module.functions)}"
    return Function(module=module, name=name, kind=kind, calls=calls)


def _leak(package: Package, rnd: Random) -> list[Function]:
    """Add functions that call the one before, in a module each; the first has an effect."""
    chain: list[Function] = []
    for module in sorted(rnd.sample(package.modules, min(4, len(package.modules))), key=lambda module: module.number):
        function = _function(module, "number", chain[-1:], rnd)
        module.functions.append(function)
        chain.append(function)
    chain[0].leak = package.number // LEAK_EVERY % len(LEAKS)
    return chain


def _clean(module: Module, rnd: Random, *, but: Kind | None = None) -> Function:
    """Return a function without effects."""
    leaking = module.package.leaking
    return rnd.choice([each for each in module.functions if each.kind != but and each not in leaking])
