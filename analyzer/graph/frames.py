"""Frames: one function with what it is called with, and what came of evaluating it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from analyzer.graph.atoms import Atom, Class, Function, Value
from analyzer.graph.heap import Cell
from analyzer.graph.values import NOTHING

if TYPE_CHECKING:
    from analyzer.facts.spans import Span
    from analyzer.resolve.modules import SourceModule

Era = Literal["import", "run"]
"""Whether code runs when its module is imported, or in a body. What is made on import is shared by all runs."""

DURABLE: Final = "durable"
"""Code of the pseudo effect that a durable step is asked for which a task cannot ask for."""

SENDS: Final = "sends"
"""Code of the pseudo effect of a durable step that works in tasks as well: ``job.trigger``, ``send_event``."""

SOME_TASK: Final = "a task"
"""Subject of a durable step of a task whose name is not known."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """An effect where it happens.

    Attributes:
        code: the rule's code, or :data:`DURABLE`.
        subject: what does it, for people: ``requests.get``.
        remedy: what to write instead; empty when the rule's own words fit.
        source: where an inferred effect was read, ``acme 1.2``.
        chain: for inferred effects, the names from the call down to the effect.
        is_code: the subject is code, and shown as such; in one that is words, code has backticks of its own.
    """

    code: str
    subject: str
    remedy: str = ""
    source: str = ""
    chain: tuple[str, ...] = ()
    is_code: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """How a frame comes to an effect.

    Attributes:
        at: the call, or the place of the effect.
        leaf: the effect.
        callee: the called frame that has the effect, None when it happens right here.
        order: counts up over the whole evaluation: which step was seen first.
    """

    at: Span
    leaf: Leaf
    callee: Frame | None
    order: int


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of something that a function did not make.

    Attributes:
        target: the collection, object or the frame of the variable that is changed.
        maker: the frame that made it.
        name: the variable or attribute; empty for a collection.
        frame: the frame in which the change stands.
        at: where.
    """

    target: object
    maker: Frame | None
    name: str
    frame: Frame
    at: Span

    @property
    def subject(self) -> str:
        """What is changed, for people: words, with code in backticks."""
        if isinstance(self.target, Frame):
            return f"`{self.name}`"
        if self.name:
            return f"the attribute `{self.name}`"
        known = variable_of(self.target, self.maker, self.frame)
        return f"`{known}`" if known else "a collection of the body"


def variable_of(target: object, *frames: Frame | None) -> str:
    """Return the variable that holds something, looked for in frames in their order; empty when none does."""
    for frame in frames:
        held = [] if frame is None else [name for name, value in frame.env.items() if target in value]
        if held:
            return min(held)
    return ""


class ModuleState:
    """A module of the project and what its own statements bind.

    Attributes:
        source: the module.
        frame: its statements; None until they are needed.
        stores: variables that functions change.
        uses: modules whose variables and functions its statements use.
    """

    __slots__ = ("frame", "source", "stores", "uses")

    def __init__(self, source: SourceModule) -> None:
        self.source = source
        self.frame: Frame | None = None
        self.stores: dict[str, Cell] = {}
        self.uses: set[ModuleState] = set()

    def forget(self) -> None:
        """Have the statements evaluated anew when they are needed again."""
        self.frame = None

    def __repr__(self) -> str:
        return f"<state of {self.source.name}>"


class Frame:
    """One function with what it is called with; also the statements of a module or class.

    Attributes:
        kind: whose statements they are.
        function: the function; None for modules and classes.
        cls: the class, for a class's body.
        home: the module.
        parent: the frame around it, whose variables it sees.
        era: when it runs.
        env: what its variables hold at the point of evaluation; at the end, when it is done.
        cells: variables that functions inside it see.
        entry: every way to an effect is kept, for diagnostics stand in it: the body of a job, a task's function.
        is_job: the frame is the body of a job.
        leader: the frame in whose name it makes objects: itself, or another one of its function when that is called
            with very different arguments.
        returns: what it returns.
        yields: what it yields.
        steps: by code, the first way to an effect.
        sites_of_callers: the calls through which others have its effects; True where these are put off.
        sites: for bodies: by call, the ways to its effects.
        changes: for the body of a job: by call, what called functions did to the plain data they were given.
        results: for the body of a job: by call, what it gives, where it is awaited what that gives.
        mutations: changes of what it did not make itself.
        callers: frames to be evaluated again when this one comes out differently, with the number of the run in which
            each last used what came out; 0 when it has not yet.
        callees: frames that it calls or reads.
        reads: modules whose variables it reads.
        durables: counts the durable steps that were met on evaluation.
        effort: what its evaluations took, without those of the frames that it calls.
    """

    __slots__ = (
        "callees",
        "callers",
        "cells",
        "changes",
        "cls",
        "durables",
        "effort",
        "entry",
        "env",
        "era",
        "function",
        "home",
        "is_done",
        "is_job",
        "is_queued",
        "is_running",
        "kind",
        "leader",
        "mutations",
        "parameters",
        "parent",
        "reads",
        "results",
        "returns",
        "runs",
        "sites",
        "sites_of_callers",
        "steps",
        "yields",
    )

    def __init__(
        self,
        kind: Literal["module", "class", "function"],
        home: ModuleState,
        *,
        function: Function | None = None,
        parent: Frame | None = None,
        era: Era = "import",
        parameters: dict[str, Value] | None = None,
    ) -> None:
        self.kind = kind
        self.home = home
        self.function = function
        self.cls: Class | None = None
        self.leader: Frame = self
        self.parent = parent
        self.era: Era = era
        self.parameters = parameters or {}
        self.env: dict[str, Value] = {}
        self.cells: dict[str, Cell] = {}
        self.entry = False
        self.is_job = False
        self.returns: Value = NOTHING
        self.yields: Value = NOTHING
        self.steps: dict[str, Step] = {}
        self.sites: dict[Span, dict[str, Step]] = {}
        self.sites_of_callers: dict[tuple[Frame, Span], bool] = {}
        self.changes: dict[Span, dict[Atom, Mutation]] = {}
        self.results: dict[Span, Value] = {}
        self.mutations: dict[tuple[object, str], Mutation] = {}
        self.callers: dict[Frame, int] = {}
        self.callees: set[Frame] = set()
        self.reads: set[ModuleState] = set()
        self.durables = 0
        self.effort = 0
        self.runs = 0
        self.is_done = False
        self.is_running = False
        self.is_queued = False

    @property
    def name(self) -> str:
        """What people call it."""
        if self.function is not None:
            return self.function.facts.qualname
        return self.cls.facts.qualname if self.cls is not None else self.home.source.name

    @property
    def is_async(self) -> bool:
        """Whether ``await`` is written in it."""
        return self.function is not None and self.function.facts.is_async

    def size(self) -> tuple[int, int, int]:
        """Return what grows when the frame comes out differently for its callers, beside its effects."""
        if self.kind != "function":
            return (len(self.env), sum(map(len, self.env.values())), 0)
        return (len(self.returns), len(self.yields), len(self.mutations))

    def __repr__(self) -> str:
        return f"<frame {self.home.source.name}:{self.name}>"
