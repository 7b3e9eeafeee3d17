"""What can be wrong with a value, whoever reads or writes it, and with a project's configuration.

::

    TriggerError
    ├── NotEncodable     not-encodable     the value holds something that cannot be stored
    ├── ValueTooLarge    value-too-large   more bytes than MAX_VALUE_BYTES
    ├── ValueCorrupt     value-corrupt     bytes that no version of this project wrote
    └── ProjectInvalid   project-invalid   the configuration or the layout of the user's project
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trigger_sdk.protocol.problem import Problem, TriggerError

if TYPE_CHECKING:
    from collections.abc import Sequence


class NotEncodable(TriggerError):
    """A value holds something that cannot be stored; ``problem.where`` is its path: ``result.items[3].conn``."""

    code: ClassVar[str] = "not-encodable"
    hint: ClassVar[str] = "return plain data: dicts, lists, dataclasses, pydantic models, numbers, strings, dates"


class ValueTooLarge(TriggerError):
    """An encoded value has more bytes than the stated limit."""

    code: ClassVar[str] = "value-too-large"
    hint: ClassVar[str] = "put it in a file or an object store, and return the address"


class ValueCorrupt(TriggerError):
    """Bytes are not an encoded value, or one that a newer version wrote."""

    code: ClassVar[str] = "value-corrupt"
    hint: ClassVar[str] = "if a newer trigger-sdk wrote it, read it with that version"


class ProjectInvalid(TriggerError):
    """The project's configuration cannot be used: a key, a type, a folder or the TOML itself is wrong.

    Attributes:
        problems: all that is wrong, in the order of the file; the first is the error's own problem.
    """

    code: ClassVar[str] = "project-invalid"
    hint: ClassVar[str] = "Correct trigger.toml, or [tool.trigger] in pyproject.toml."

    def __init__(self, message: str, *, detail: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(message, detail=detail, hint=hint, where=where)
        self.problems: tuple[Problem, ...] = (self.problem,)

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> ProjectInvalid:
        """Return the error for one or more problems; the further ones are listed in the detail of the first."""
        first, *others = problems
        lines = [first.detail] if first.detail else []
        lines += [f"{problem.where}: {problem.message} ({problem.hint})" for problem in others]
        error = cls(first.message, detail="\n".join(lines), hint=first.hint, where=first.where)
        error.problems = (error.problem, *others)
        return error
