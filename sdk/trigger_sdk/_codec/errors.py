"""What can go wrong between a live value and its bytes, and the stand-ins for what does not survive.

::

    TriggerError
    ├── NotEncodable     not-encodable      (trigger_sdk.protocol.errors)
    ├── ValueTooLarge    value-too-large    (trigger_sdk.protocol.errors)
    ├── ValueCorrupt     value-corrupt      (trigger_sdk.protocol.errors)
    ├── ClassNotFound    class-not-found    the class of a stored object is not in today's code
    ├── ClassChanged     class-changed      the class is there, and a stored object does not fit it any more
    ├── PayloadInvalid   invalid-payload    input does not fit the parameter's annotation
    └── ProblemError     (the problem's)    a problem found outside user code (trigger_sdk.errors)
    Exception
    ├── TaskError            an exception whose class is not in today's code
    └── OriginalTraceback    the ``__cause__`` of an exception that was read back
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

from trigger_sdk.errors import ProblemError as ProblemError
from trigger_sdk.protocol.errors import NotEncodable as NotEncodable
from trigger_sdk.protocol.errors import ValueCorrupt as ValueCorrupt
from trigger_sdk.protocol.errors import ValueTooLarge as ValueTooLarge
from trigger_sdk.protocol.problem import TriggerError


class ClassNotFound(TriggerError):
    """The class of a stored object cannot be imported."""

    code: ClassVar[str] = "class-not-found"
    hint: ClassVar[str] = "keep the class importable under its old name, or annotate the task's result with the new one"

    def __init__(self, ref: str, reason: str) -> None:
        super().__init__(f"a stored value is of the class {ref}, which cannot be found: {reason}", where=ref)
        self.ref = ref


class ClassChanged(TriggerError):
    """A stored object does not fit the class of its name any more."""

    code: ClassVar[str] = "class-changed"
    hint: ClassVar[str] = "give new fields a default, and keep the kind of the class"


class PayloadInvalid(TriggerError):
    """Input does not fit an annotation.

    Attributes:
        fields: (path, reason) pairs, at least one; a path looks like ``items[2].price``, and is empty for the whole.
    """

    code: ClassVar[str] = "invalid-payload"
    hint: ClassVar[str] = "correct the named fields"

    def __init__(self, what: str, fields: Sequence[tuple[str, str]]) -> None:
        self.fields = list(fields)
        lines = [f"{path}: {reason}" if path else reason for path, reason in self.fields]
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        super().__init__(f"{what} does not fit: {lines[0]}{more}", detail="\n".join(lines), where=self.fields[0][0])


class OriginalTraceback(Exception):
    """Holds, as text, the traceback that an exception had where it was raised."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f'\n"""\n{self.text}"""'


class TaskError(Exception):
    """An exception whose own class is not in today's code.

    Attributes:
        type_name: qualified name of the class it had.
        message: what the original printed.
        traceback: the original traceback as text.
    """

    def __init__(self, type_name: str, message: str, traceback: str = "") -> None:
        super().__init__(type_name, message)
        self.type_name = type_name
        self.message = message
        self.traceback = traceback

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}" if self.message else self.type_name


class NotKept:
    """Stands for an attribute of an exception that could not be stored: any use raises AttributeError and says so."""

    __slots__ = ("_attribute", "_owner")

    def __init__(self, attribute: str, owner: str) -> None:
        object.__setattr__(self, "_attribute", attribute)
        object.__setattr__(self, "_owner", owner)

    def __repr__(self) -> str:
        attribute, owner = identity_of(self)
        return f"<`{attribute}` of {owner}, not kept>"

    def __getattribute__(self, name: str) -> Any:
        # isinstance() and debuggers ask for the class of everything they meet.
        if name == "__class__":
            return NotKept
        return _refuse(self)

    def __setattr__(self, name: str, value: object) -> None:
        _refuse(self)

    def __call__(self, *_args: object, **_options: object) -> NoReturn:
        """Raise AttributeError."""
        _refuse(self)

    def __getitem__(self, _key: object) -> NoReturn:
        _refuse(self)

    def __iter__(self) -> NoReturn:
        _refuse(self)

    def __len__(self) -> NoReturn:  # noqa: PLE0303 - it raises
        _refuse(self)

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - it raises
        _refuse(self)

    def __enter__(self) -> NoReturn:
        _refuse(self)

    def __exit__(self, *_details: object) -> NoReturn:
        _refuse(self)


def identity_of(stand_in: NotKept) -> tuple[str, str]:
    """Return the attribute's name and the qualified name of the exception's class."""
    return object.__getattribute__(stand_in, "_attribute"), object.__getattribute__(stand_in, "_owner")


def _refuse(stand_in: NotKept) -> NoReturn:
    attribute, owner = identity_of(stand_in)
    raise AttributeError(f"`{attribute}` of {owner} was not kept: read it inside the task")
