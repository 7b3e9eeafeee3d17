"""What libraries do when their functions are called and their names are used: the catalogue, and recorded calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from analyzer.catalogue.model import Condition, Effect
from analyzer.graph.frames import Frame, Leaf
from analyzer.graph.names import STATE
from analyzer.graph.values import NOTHING, Arguments, Constant, External, Instance, Value, is_absent
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

    def store(self, owner: str, name: str, frame: Frame, at: int) -> None:
        """Note that an attribute of a library's module or class is set."""
        self._m.happens(frame, at, Leaf(STATE, f"{owner}.{name}"))

    def call(self, qualname: str, arguments: Arguments | None, frame: Frame, at: int) -> Value:
        """Note the effects of calling a name, and return what the call gives. No arguments for implicit calls."""
        known = self._called.get(qualname)
        if known is None:
            known = self._called[qualname] = self._look_up(qualname)
        if known.is_zone:
            self._m.zones[frame, at] = (arguments or _NONE).get(0, "key") or NOTHING
        if known.recorded is not None:
            self._recorded(known.recorded, arguments or _NONE, frame, at)
        elif known.effect is not None and self._applies(known.effect.condition, arguments or _NONE):
            self._happens(known.effect, qualname, frame, at)
        return NOTHING if known.type is None else self.instance_of(known.type, frame, at)

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

    def instance_of(self, type_name: str, frame: Frame, at: int) -> Value:
        """Return an instance of a library's type; builtin collections are collections."""
        if type_name in ("builtins.list", "builtins.dict", "builtins.tuple"):
            kind = type_name.rpartition(".")[2]
            return frozenset((self._m.collection(kind, frame, (at, "returned")),))  # type: ignore[arg-type]  # one of three
        return self._m.instance(type_name)

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
