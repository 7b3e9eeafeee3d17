"""What can go wrong in a check, but for what it finds.

::

    TriggerError
    └── AnalyzerError
        ├── SettingsInvalid    check-settings-invalid   the table ``check`` of the project's configuration
        └── CheckStale         check-stale              a check that was stopped, for its result is not wanted any more
"""

from __future__ import annotations

from typing import ClassVar

from trigger_sdk.protocol.problem import TriggerError


class AnalyzerError(TriggerError):
    """The root of the analyzer's errors."""

    code: ClassVar[str] = "analyzer-error"


class SettingsInvalid(AnalyzerError):
    """The configuration of the check has an unknown key or a value that does not fit."""

    code: ClassVar[str] = "check-settings-invalid"
    hint: ClassVar[str] = "Correct the table `check` of the project's configuration."


class CheckStale(AnalyzerError):
    """A check was stopped: its result is not wanted any more."""

    code: ClassVar[str] = "check-stale"

    def __init__(self) -> None:
        super().__init__("the check was stopped, for its result is not wanted any more")
