"""What libraries do when their functions are called and their names are used: the catalogue, and recorded calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.catalogue.model import Condition, Effect
from analyzer.graph.atoms import Class, Constant, External, Instance, Value
from analyzer.graph.frames import Frame, Leaf
from analyzer.graph.names import STATE
from analyzer.graph.values import NOTHING, Arguments, exactly, is_absent
from trigger_sdk.protocol.recorded import BY_NAME, RecordedCall

if TYPE_CHECKING:
    from analyzer.graph.machine import Machine

_RECORDED_CODES: Final = {
    "time": "TRG201",
    "datetime": "TRG201",
    "email.utils": "TRG201",
    "random": "TRG202",
    "uuid": "TRG202",
    "secrets": "TRG202",
    "os": "TRG203",
    "socket": "TRG203",
}
_RANDOM_NAMES: Final = frozenset(("os.urandom", "os.getrandom", "email.utils.make_msgid"))
_BLOCKED_CODES: Final = {"time.sleep": "TRG107", "asyncio.run": "TRG106"}
_IN_MEMORY: Final = frozenset(
    ("io.BytesIO", "io.StringIO", "_io.BytesIO", "_io.StringIO", "tempfile.SpooledTemporaryFile")
)


@dataclass(frozen=True, slots=True)
class _Called:
    """What calling a name does: the runtime records it, or it has an effect; and the type of what comes out."""

    recorded: RecordedCall | None
    effect: Effect | None
    type: str | None
    is_zone: bool


_NONE: Final = Arguments()

_ELEMENTS: Final = frozenset(("(element)", "(elements)", "(element, bool)"))
"""What the catalogue calls instances of the project's class that a call is about."""

_RECORDS: Final = frozenset(
    ("django.db.models.Model", "peewee.Model", "tortoise.models.Model", "mongoengine.Document", "beanie.Document")
)
"""Types whose instances are of the project's class when that is known."""

_COLUMNS: Final = frozenset(
    ("values", "values_list", "dates", "datetimes", "dicts", "tuples", "namedtuples", "as_pymongo"),
)
"""Methods of queries after which they give columns, not instances of the project's class."""

_AS_MANAGER: Final = (".QuerySet.as_manager",)
"""Methods of a class of queries that give what answers for the model: all of the class's methods, too."""

_SUBJECTS: Final = ("type", "cls", "model", "klass", "entity", "response_model")


def _subject(arguments: Arguments) -> Class | None:
    """Return the project's class that a call is about: one that is passed, or of a query that is."""
    named = [value for name, value in arguments.keywords if name in _SUBJECTS]
    for value in (*arguments.positional, *named):
        if len(value) == 1:
            (atom,) = value
            if type(atom) is Class:
                return atom
            if type(atom) is Instance and atom.of is not None:
                return atom.of
    return None


class Libraries:
    """Answers for everything that is not the project's."""

    def __init__(self, machine: Machine) -> None:
        self._m = machine
        self._used: dict[str, Effect | None] = {}
        self._called: dict[str, _Called] = {}

    def use(self, qualname: str, frame: Frame, at: int) -> None:
        """Note that a name is read: some have their effect then, as ``os.environ``."""
        if qualname not in self._used:
            verdict = self._m.catalogue.lookup(qualname)
            self._used[qualname] = verdict if isinstance(verdict, Effect) and verdict.on == "use" else None
        effect = self._used[qualname]
        if effect is not None:
            self._happens(effect, qualname, frame, at)

    def has_effect(self, qualname: str) -> bool:
        """Tell whether calling a name has an effect, or is recorded."""
        known = self._called.get(qualname)
        if known is None:
            known = self._called[qualname] = self._look_up(qualname)
        return known.recorded is not None or (known.effect is not None and known.effect.on == "call")

    def is_code(self, qualname: str) -> bool:
        """Tell whether a name is known to be a function, class or module: something that is true, and not None."""
        if qualname.startswith("builtins."):
            return True
        is_constant = qualname.rpartition(".")[2].isupper()
        return not is_constant and (self.has_effect(qualname) or self._m.catalogue.lookup(qualname) is not None)

    def store(self, owner: str, name: str, frame: Frame, at: int) -> None:
        """Note that an attribute of a library's module or class is set."""
        self._m.happens(frame, at, Leaf(STATE, f"{owner}.{name}"))

    def call(self, qualname: str, arguments: Arguments | None, frame: Frame, at: int, of: Class | None = None) -> Value:
        """Note the effects of calling a name, and return what the call gives.

        Args:
            qualname: what is called.
            arguments: what is passed; None for implicit calls.
            frame: where.
            at: the call.
            of: the project's class whose instances the receiver gives.
        """
        known = self._called.get(qualname)
        if known is None:
            known = self._called[qualname] = self._look_up(qualname)
        if known.is_zone:
            self._m.zones[frame, at] = (arguments or _NONE).get(0, "key") or NOTHING
        if known.recorded is not None:
            self._recorded(known.recorded, arguments or _NONE, frame, at)
        elif known.effect is not None and self._applies(known.effect.condition, arguments or _NONE):
            self._happens(known.effect, qualname, frame, at)
        return self.gives(qualname, arguments or _NONE, frame, at, of)

    def gives(self, qualname: str, arguments: Arguments, frame: Frame, at: int, of: Class | None = None) -> Value:
        """Return what calling a name gives; see :meth:`call`."""
        known = self._called.get(qualname)
        if known is None:
            known = self._called[qualname] = self._look_up(qualname)
        if qualname.rpartition(".")[2] in _COLUMNS:
            return NOTHING if known.type is None else self.instance_of(known.type, frame, at)
        if of is not None and qualname.endswith(_AS_MANAGER):
            return frozenset((self._m.classes.any_instance(of, frame),))
        if known.type is None:
            return NOTHING
        variant = self._m.catalogue.variant(qualname)
        if variant is not None and any(
            type(atom) is Instance and atom.type in variant[1] for atom in arguments.keyword(variant[0]) or NOTHING
        ):
            return self._m.instance(variant[2])
        found = self.instance_of(known.type, frame, at, of or _subject(arguments))
        return exactly(*found) if known.type == qualname else found  # a class was called

    def _look_up(self, qualname: str) -> _Called:
        catalogue, inference = self._m.catalogue, self._m.inference
        name = catalogue.canonical(qualname)
        recorded = BY_NAME.get(name) or BY_NAME.get(qualname)
        verdict = None if recorded is not None else catalogue.lookup(qualname)
        if recorded is None and verdict is None and inference is not None:
            verdict = inference.infer(qualname)
        type_name = catalogue.returns(qualname)
        if type_name is None and inference is not None:
            type_name = inference.returns(qualname)
        if type_name is None and _is_class_name(name):
            type_name = name
        effect = verdict if isinstance(verdict, Effect) else None
        return _Called(recorded, effect, type_name, is_zone=name == "zoneinfo.ZoneInfo")

    def instance_of(self, type_name: str, frame: Frame, at: int, of: Class | None = None) -> Value:
        """Return an instance of a library's type; builtin collections are collections.

        Args:
            type_name: the type; one of a few names for what a query gives.
            frame: where.
            at: the call.
            of: the project's class whose instances it gives.
        """
        if type_name in _ELEMENTS or (of is not None and type_name in _RECORDS):
            return self._element(type_name, frame, at, of)
        if type_name in ("builtins.list", "builtins.dict", "builtins.tuple"):
            kind = type_name.rpartition(".")[2]
            return frozenset((self._m.collection(kind, frame, (at, "returned")),))  # type: ignore[arg-type]  # one of three
        return self._m.instance(type_name, of)

    def _element(self, type_name: str, frame: Frame, at: int, of: Class | None) -> Value:
        """Return what a query gives: an instance of the project's class, several, or one and whether it is new."""
        element = NOTHING if of is None else frozenset((self._m.classes.any_instance(of, frame),))
        if type_name == "(elements)":
            several = self._m.collection("list", frame, (at, "elements"))
            self._m.write(several.elements, element)
            return frozenset((several,))
        if type_name == "(element, bool)":
            pair = self._m.collection("tuple", frame, (at, "element"))
            self._m.collections.put(pair, 0, element)
            self._m.collections.put(pair, 1, self._m.instance("builtins.bool"))
            return frozenset((pair,))
        return element

    def _happens(self, effect: Effect, qualname: str, frame: Frame, at: int) -> None:
        self._m.happens(frame, at, Leaf(effect.code, qualname, effect.remedy, effect.source, effect.chain))

    def _recorded(self, call: RecordedCall, arguments: Arguments, frame: Frame, at: int) -> None:
        if call.how == "ordered":
            return
        if call.pure_with is not None and (
            arguments.is_open or not is_absent(arguments.get(call.pure_with.position, call.pure_with.keyword))
        ):
            return
        if call.how == "blocked":
            self._m.happens(frame, at, Leaf(_BLOCKED_CODES.get(call.name, "TRG106"), call.name, call.remedy))
            return
        code = "TRG202" if call.name in _RANDOM_NAMES else _RECORDED_CODES.get(_area(call), "TRG203")
        self._m.happens(frame, at, Leaf(code, call.short))

    @staticmethod
    def _applies(condition: Condition | None, arguments: Arguments) -> bool:
        """Tell whether a call with these arguments has its effect."""
        if condition is None:
            return True
        value = arguments.get(condition.position, condition.keyword)
        if condition.test == "unless-given":
            return is_absent(value) and not arguments.is_open
        in_memory = value is not None and any(_is_in_memory(atom) for atom in value)
        if condition.test == "if-given":
            return not is_absent(value) and not in_memory
        return not in_memory


def _is_class_name(qualname: str) -> bool:
    """Tell whether a name is written as names of classes are: calling it makes an instance."""
    last = qualname.rpartition(".")[2]
    return last[:1].isupper() and not last.isupper()


def _is_in_memory(atom: object) -> bool:
    if type(atom) is Instance:
        return atom.type in _IN_MEMORY
    if type(atom) is External:
        return atom.name in _IN_MEMORY
    return type(atom) is Constant and atom.value == ":memory:"


def _area(call: RecordedCall) -> str:
    owner = call.name.rpartition(".")[0]
    return owner if owner in _RECORDED_CODES else owner.partition(".")[0]
