"""What the protocol package itself raises.

::

    TriggerError
    └── ProjectInvalid    the project's configuration or layout cannot be used
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigger_sdk.protocol.problem import TriggerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigger_sdk.protocol.problem import Problem


class ProjectInvalid(TriggerError):
    """The project's configuration cannot be used: a key, a type, a folder or the TOML itself is wrong.

    Attributes:
        problems: all that is wrong, in the order of the file; the first is the error's own problem.
    """

    code = "project-invalid"
    hint = "Correct trigger.toml, or [tool.trigger] in pyproject.toml."

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
