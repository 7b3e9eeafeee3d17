"""What the bodies of async and sync jobs have in common: asking for steps, and learning how they ended."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from trigger_sdk._codec import decode, decode_error, encode, encode_error
from trigger_sdk._codec.errors import ClassChanged, ClassNotFound
from trigger_sdk._runtime.step import Step
from trigger_sdk.errors import NonDeterminismError, Suspended
from trigger_sdk.protocol.entries import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trigger_sdk._declare.context import Context
    from trigger_sdk._runtime.journal import Journal

T = TypeVar("T")

STEP_MARK = "__trigger_step__"
"""Attribute of an exception that a step raised in a body: the step's id, kept for ``resume``."""

Delivery = tuple[Entry, int, float]
"""An entry with its ``seq`` and ``at``: those of the commit for an entry that this attempt wrote itself."""


class BodyPort(Protocol):
    """What a body needs of its attempt. Called on the worker's main thread only."""

    @property
    def journal(self) -> Journal:
        """The journal the attempt began with."""
        ...

    def launch(self, step: Step) -> None:
        """Begin a step that the journal does not settle: execute the task, register the wait."""
        ...

    def give_up(self, step: Step) -> None:
        """The body no longer wants a launched step: cancel the task, close the wait."""
        ...

    def add(self, entry: Entry) -> None:
        """Put an entry into the outbox; it is sent with the next flush."""
        ...

    def flush(self) -> None:
        """Send the outbox."""
        ...

    def rest(self) -> None:
        """The body waits for deliveries."""
        ...

    def returned(self, value: object) -> None:
        """The body returned."""
        ...

    def raised(self, error: BaseException, *, canceled: bool) -> None:
        """The body raised; ``canceled`` when it gave in to a cancellation that was asked for."""
        ...

    def relative(self, line: str) -> str:
        """Make a source place relative to the project."""
        ...

    def here(self) -> str:
        """Return the source place of the nearest frame of the project's code. Called on any thread."""
        ...

    def warn(self, message: str) -> None:
        """Tell the developer something, attributed to the run."""
        ...


class BodyBase:
    """State and rules shared by both kinds of bodies. Also the scope that the body's code stands in."""

    in_body = True
    step_id = ""

    def __init__(self, run_id: str, port: BodyPort, lines_kept: int) -> None:
        self.run_id = run_id
        self._port = port
        self._steps: dict[str, Step] = {}
        self._cursors: dict[str, int] = {}
        self._seen = 0
        self._lines = 0
        self._lines_kept = lines_kept
        self._leaving = False
        self._cancel_requested = False
        self._divergence: NonDeterminismError | None = None

    # --- asking -------------------------------------------------------------------------------------------------

    def _ask(self, step_id: str, op: str, name: str, line: str) -> Step:
        """Register that the body asks for a step; leaves the body when the journal says something else."""
        self._refuse_when_leaving()
        line = self._port.relative(line)
        misfit = self._port.journal.misfit(step_id, op, name)
        if misfit is not None:
            self._note_divergence(step_id, misfit, _spell(op, name), line)
            raise Suspended
        step = Step(step_id, op, name, line, self._seen)
        self._steps[step_id] = step
        return step

    def _record(self, step_id: str, name: str, line: str, produce: Callable[[], T]) -> T:
        """Return a journalled value, or produce and journal it."""
        step = self._ask(step_id, "record", name, line)
        del self._steps[step_id]
        entry = self._port.journal.recorded.get(step_id)
        if entry is None:
            entry = _produce(step, produce)
            self._put(entry)
        if entry.kind == "record_failed":
            raise decode_error(entry.value or b"")
        return decode(entry.value or b"")  # type: ignore[no-any-return]

    def _put(self, entry: Entry) -> None:
        """Hand an entry to the attempt; overridden where the body has a thread of its own."""
        self._port.add(entry)

    def event_cursor(self, key: str) -> int:
        """Return the ``seq`` of the last event received under a name and filter."""
        return self._cursors.get(key, 0)

    def next_line_ordinal(self) -> int:
        """Return the ordinal of the next line of output, or -1 when it is not to be shown (again)."""
        if self._leaving:
            return -1
        self._lines += 1
        return self._lines if self._lines > self._lines_kept else -1

    # --- learning -----------------------------------------------------------------------------------------------

    def _step_of(self, entry: Entry) -> Step | None:
        """Return the step an entry is about; None, and divergence, when the body never asked for it."""
        step = self._steps.get(entry.step)
        if step is None:
            first = self._port.journal.first(entry.step) or entry
            self._note_divergence(entry.step, first, "nothing of the kind", "")
        return step

    def _outcome(self, step: Step, entry: Entry) -> Any:
        """Return what a step gave, or raise what it raised."""
        kind = entry.kind
        if kind == "step_completed":
            return _decode_result(step, entry)
        if kind == "wait_completed":
            wait = step.wait
            if wait is None:
                return None
            if wait.cursor_key:
                cursor = self._cursors.get(wait.cursor_key, 0)
                self._cursors[wait.cursor_key] = max(cursor, entry.issued_after)
            return wait.read(entry.value, entry.name) if wait.read is not None else None
        if kind == "wait_timed_out":
            message = f"no event {step.name!r} came in time"
            raise _marked(TimeoutError(message), step)
        if kind == "step_canceled":
            raise CancelledError
        raise _marked(decode_error(entry.value or b""), step)

    # --- leaving ------------------------------------------------------------------------------------------------

    def _refuse_when_leaving(self) -> None:
        if self._leaving:
            raise Suspended

    def _note_divergence(self, step_id: str, entry: Entry, asked: str, asked_line: str) -> None:
        """Remember that the journal does not fit, and let nothing more happen in this body."""
        if self._divergence is None:
            self._divergence = NonDeterminismError(
                step=step_id,
                journalled=_spell(entry.op, entry.name),
                asked=asked,
                journalled_line=entry.line,
                asked_line=asked_line,
            )
        self._leaving = True


def failed_step(error: BaseException) -> str:
    """Return the id of the step that an exception came from, through causes and groups; empty when there is none."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        mark = getattr(current, STEP_MARK, "")
        if mark:
            return str(mark)
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend((current.__cause__, current.__context__))
    return ""


def first_failure(outcomes: Sequence[object]) -> BaseException | None:
    """Return the first exception among outcomes."""
    return next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)


def call_job(job: Any, payload: object, context: Context) -> Any:
    """Call a job's function with payload and context."""
    return job.call(payload, context)


def _produce(step: Step, produce: Callable[[], object]) -> Entry:
    try:
        value, kind = encode(produce(), f"the recorded value of {step.name}"), "value_recorded"
    except Exception as error:  # noqa: BLE001 - journalled, and raised again from the journal
        value, kind = encode_error(error), "record_failed"
    return Entry(
        kind=kind,  # type: ignore[arg-type]
        step=step.id,
        name=step.name,
        op="record",
        value=value,
        issued_after=step.issued_after,
        line=step.line,
    )


def _decode_result(step: Step, entry: Entry) -> Any:
    value = entry.value or b""
    try:
        return decode(value)
    except (ClassChanged, ClassNotFound):
        from typing import get_type_hints

        hints = get_type_hints(step.call.fn) if step.call is not None else {}
        return decode(value, hints.get("return", Any))


def _marked(error: BaseException, step: Step) -> BaseException:
    try:
        setattr(error, STEP_MARK, step.id)
    except AttributeError:
        return error  # an exception class with slots cannot carry the mark; resume then keeps the whole journal
    return error


def _spell(op: str, name: str) -> str:
    return f"{op} {name!r}" if name else op
