"""What an editor's settings may say; the rest is the project's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECTION: Final = "trigger"
"""The section of an editor's settings that is ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """An editor's settings.

    Attributes:
        check: whether diagnostics are shown (``trigger.check.enable``).
        inlay_hints: whether recorded calls are marked (``trigger.inlayHints.enable``).
    """

    check: bool = True
    inlay_hints: bool = True

    def updated(self, settings: object) -> Options:
        """Return the options with what ``settings`` says; what it does not say, or says wrongly, stays.

        Args:
            settings: our section, or a table that has it as ``trigger``; names may be dotted.
        """
        table = _table(settings)
        table = _table(table[SECTION]) if isinstance(table.get(SECTION), Mapping) else table
        return Options(
            check=_switch(table, "check", self.check), inlay_hints=_switch(table, "inlayHints", self.inlay_hints)
        )


def _table(value: object) -> Mapping[str, object]:
    return {str(key): entry for key, entry in value.items()} if isinstance(value, Mapping) else {}


def _switch(table: Mapping[str, object], name: str, default: bool) -> bool:  # noqa: FBT001 - the switch's own value
    candidates = (
        _table(table.get(name)).get("enable"),
        table.get(f"{name}.enable"),
        table.get(f"{SECTION}.{name}.enable"),
    )
    return next((value for value in candidates if isinstance(value, bool)), default)
