"""How a project has its check configured: ``[tool.trigger.check]`` in pyproject.toml, ``[check]`` in trigger.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_args

from analyzer.catalogue.model import Kind
from analyzer.errors import SettingsInvalid
from analyzer.model import Severity
from analyzer.rules.selectors import is_selector, suggestion
from trigger_sdk.protocol.project_tables import WrongValue, meant, read_values, tool_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trigger_sdk.protocol.project import Project

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """What to report, and what to know beside the catalogue.

    Attributes:
        select: codes or prefixes of codes to report (``TRG1``); empty reports all.
        ignore: codes or prefixes not to report. The longest prefix wins; at the same length ``ignore`` does.
        per_file_ignores: pattern of paths relative to the project's root to codes or prefixes.
        extend_effects: qualified name to a kind of effect, or ``pure``; wins over the catalogue.
        severity: code or prefix to the severity it is reported with.
        dev: the dev server checks what is saved.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _EMPTY)
    extend_effects: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    severity: Mapping[str, Severity] = field(default_factory=lambda: _EMPTY)
    dev: bool = True

    def reports(self, code: str) -> bool:
        """Tell whether diagnostics of this code are wanted."""
        selected = 0 if not self.select else _longest(code, self.select)
        ignored = _longest(code, self.ignore)
        return selected >= 0 and selected > ignored if self.select else ignored < 0

    def reports_in(self, code: str, path: PurePath) -> bool:
        """Tell whether diagnostics of this code are wanted in a file, given relative to the project's root."""
        if not self.reports(code):
            return False
        return not any(
            _longest(code, codes) >= 0 for pattern, codes in self.per_file_ignores.items() if _matches(path, pattern)
        )

    def severity_of(self, code: str, default: Severity) -> Severity:
        """Return the severity to report a code with."""
        for length in range(len(code), 0, -1):
            found = self.severity.get(code[:length])
            if found is not None:
                return found
        return default


def _longest(code: str, prefixes: tuple[str, ...]) -> int:
    """Return the length of the longest prefix that fits, -1 when none does; ``ALL`` fits everything."""
    fitting = [
        0 if prefix == "ALL" else len(prefix) for prefix in prefixes if prefix == "ALL" or code.startswith(prefix)
    ]
    return max(fitting, default=-1)


def _matches(path: PurePath, pattern: str) -> bool:
    """Tell whether a pattern fits a path; ``*`` is any text, ``**/`` also no folder at all."""
    text = path.as_posix()
    return any(
        fnmatchcase(text, each) or fnmatchcase(path.name, each) or text.startswith(each.rstrip("/") + "/")
        for each in _readings(pattern)
    )


@cache
def _readings(pattern: str) -> tuple[str, ...]:
    """Return the pattern with each ``**/`` as folders and as none."""
    head, mark, rest = pattern.partition("**/")
    if not mark:
        return (pattern,)
    return tuple(f"{head}{folders}{tail}" for tail in _readings(rest) for folders in ("", "*/"))


def read_settings(project: Project) -> CheckSettings:
    """Return the settings in the project's configuration file; without a table, the defaults.

    Raises:
        SettingsInvalid: an unknown key, or a value that does not fit.
    """
    file = project.config_file
    return CheckSettings() if file is None else settings_from(tool_table(project, "check", SettingsInvalid), file)


def settings_from(table: object, file: Path) -> CheckSettings:
    """Check a ``check`` table.

    Raises:
        SettingsInvalid: naming the first key that is wrong.
    """
    values = read_values(table, file, "check", _KEYS, SettingsInvalid)
    return CheckSettings(**{key.replace("-", "_"): value for key, value in values.items()})


def _codes(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise WrongValue(f"expected a list of codes, and found {value!r}", f'Write it as a list: ["{value}"].')
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        raise WrongValue("expected a list of codes", 'Write the codes in quotes, such as ["TRG101"].')
    return tuple(_selector(code) for code in value)


def _selected(value: object) -> tuple[str, ...]:
    codes = _codes(value)
    if not codes:
        raise WrongValue("it names no code", 'Leave it out, or write ["ALL"], to report every rule.')
    return codes


def _selector(code: str) -> str:
    if not is_selector(code):
        raise WrongValue(f"there is no rule {code!r}", suggestion(code))
    return code


def _table(value: object, example: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValue("expected a table", f"Write it as a table: {{ {example} }}.")
    return value


def _ignores(value: object) -> Mapping[str, tuple[str, ...]]:
    return {pattern: _codes(codes) for pattern, codes in _table(value, '"tests/**" = ["TRG1"]').items()}


def _effects(value: object) -> Mapping[str, str]:
    table = _table(value, '"shop.api.send" = "network"')
    kinds = (*get_args(Kind), "pure")
    for name, kind in table.items():
        if not all(part.isidentifier() for part in name.split(".")):
            raise WrongValue(f"{name!r} is no name of Python", 'Write it as it is imported: "shop.api.send".')
        if not isinstance(kind, str):
            raise WrongValue(f"{name!r} must have a kind of effect", f"Write one of {', '.join(kinds)}, in quotes.")
        if kind not in kinds:
            raise WrongValue(f"{name!r} has the effect {kind!r}, and there is no such kind", meant(kind, kinds))
    return table


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValue(f"expected true or false, and found {value!r}", "Write true or false, without quotes.")
    return value


def _severities(value: object) -> Mapping[str, Severity]:
    known = {severity.value: severity for severity in Severity}
    found = {}
    for code, severity in _table(value, '"TRG301" = "warning"').items():
        if severity not in known:
            raise WrongValue(f"{code} has the severity {severity!r}", meant(str(severity), known))
        found[_selector(code)] = known[severity]
    return found


_KEYS: Final = {
    "select": _selected,
    "ignore": _codes,
    "per-file-ignores": _ignores,
    "extend-effects": _effects,
    "severity": _severities,
    "dev": _switch,
}
"""Every key, and what reads its value."""
