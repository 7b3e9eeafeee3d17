"""A problem: an error as the user meets it. Data, and the same thing in a terminal, a journal and an HTTP body.

Error tree of the whole house::

    TriggerError                 carries a Problem
    ├── (SDK)      trigger_sdk.errors
    ├── (engine)   engine.errors.EngineError
    ├── (executor) executor.errors.ExecutorError
    └── ...        one root in each package's errors.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error, ready to be shown.

    Attributes:
        code: kebab-case identifier, stable over releases, for example ``unknown-job``.
        message: one sentence saying what is wrong, naming the things involved.
        detail: more lines where they help (a traceback, a list of fields); empty when there are none.
        hint: what to do about it, in the imperative.
        where: file and line (``jobs/a.py:12``), a field path, or another place; empty when there is none.
    """

    code: str
    message: str
    detail: str = ""
    hint: str = ""
    where: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form; empty fields are left out."""
        fields = ("code", "message", "detail", "hint", "where")
        return {name: getattr(self, name) for name in fields if getattr(self, name)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Problem:
        """Read the JSON form; unknown keys are ignored, so that older readers understand newer servers."""
        return cls(
            code=str(data.get("code", "unknown")),
            message=str(data.get("message", "")),
            detail=str(data.get("detail", "")),
            hint=str(data.get("hint", "")),
            where=str(data.get("where", "")),
        )


class TriggerError(Exception):
    """The root of all errors this project raises on purpose.

    Subclasses set ``code`` and, where it is always the same, ``hint``.
    """

    code: ClassVar[str] = "error"
    hint: ClassVar[str] = ""

    def __init__(self, message: str, *, detail: str = "", hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.problem = Problem(
            code=type(self).code,
            message=message,
            detail=detail,
            hint=hint or type(self).hint,
            where=where,
        )
