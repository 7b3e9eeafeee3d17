"""The table ``check`` of the configuration: every key, wrong values, and which code is reported where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from analyzer.errors import SettingsInvalid
from analyzer.model import Severity
from analyzer.settings import CheckSettings, read_settings, settings_from
from tests.fakes.checked_project import CheckedProject
from trigger_sdk.protocol.project import load_project

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_JOB = """\
import os
import time
import acme
from trigger_sdk import job


@job(id="a")
def a(p):
    os.remove(p)
    time.time()
    acme.send(p)
"""


def found(project: Make, table: str) -> list[tuple[int, str]]:
    """Return row and code of what is found under a table in trigger.toml."""
    made = project({"jobs/a.py": _JOB, "trigger.toml": f'dirs = ["jobs"]\n[check]\n{table}\n'})
    return [(row, code) for _, row, code in made.findings()]


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("", ["TRG102", "TRG201"]),
        ('select = ["TRG1"]', ["TRG102"]),
        ('select = ["TRG201"]', ["TRG201"]),
        ('select = ["ALL"]', ["TRG102", "TRG201"]),
        ('ignore = ["TRG102"]', ["TRG201"]),
        ('ignore = ["TRG"]', []),
        ('ignore = ["ALL"]', []),
        ('select = ["TRG1"]\nignore = ["TRG102"]', []),
        ('select = ["TRG102"]\nignore = ["TRG1"]', ["TRG102"]),
        ('select = ["TRG102"]\nignore = ["TRG102"]', []),
        ('select = ["ALL"]\nignore = ["TRG2"]', ["TRG102"]),
        ('select = ["TRG2"]\nignore = ["ALL"]', ["TRG201"]),
        ('per-file-ignores = { "jobs/a.py" = ["TRG102"] }', ["TRG201"]),
        ('per-file-ignores = { "jobs/b.py" = ["TRG102"] }', ["TRG102", "TRG201"]),
        ('per-file-ignores = { "jobs" = ["ALL"] }', []),
        ('extend-effects = { "acme.send" = "network" }', ["TRG102", "TRG201", "TRG101"]),
        ('extend-effects = { "os.remove" = "pure" }', ["TRG201"]),
        ('extend-effects = { "acme" = "database" }', ["TRG102", "TRG201", "TRG103"]),
    ],
)
def test_keys_change_what_is_found(project: Make, table: str, codes: list[str]) -> None:
    """The longest of select and ignore wins, at one length ignore does; effects are added and taken away."""
    assert [code for _, code in found(project, table)] == codes


def test_severity_is_by_the_longest_prefix(project: Make) -> None:
    """A code's own severity wins over that of its family."""
    table = 'severity = { "TRG1" = "warning", "TRG102" = "hint", "TRG201" = "error" }'
    made = project({"jobs/a.py": _JOB, "trigger.toml": f'dirs = ["jobs"]\n[check]\n{table}\n'})
    assert [each.severity for each in made.check().diagnostics] == [Severity.HINT, Severity.ERROR]
    assert CheckSettings(severity={"TRG": Severity.HINT}).severity_of("TRG101", Severity.ERROR) is Severity.HINT
    assert CheckSettings().severity_of("TRG101", Severity.ERROR) is Severity.ERROR


@pytest.mark.parametrize(
    ("pattern", "paths", "others"),
    [
        ("jobs/a.py", ["jobs/a.py"], ["jobs/b.py", "x/jobs/a.py", "jobs/a.pyi"]),
        ("a.py", ["a.py", "jobs/a.py", "jobs/x/a.py"], ["ba.py"]),
        ("*_old.py", ["jobs/x_old.py", "x_old.py"], ["x_older.py"]),
        ("jobs", ["jobs/a.py", "jobs/x/a.py"], ["jobs2/a.py", "x/jobs/a.py"]),
        ("jobs/", ["jobs/a.py", "jobs/x/a.py"], ["jobs2/a.py"]),
        ("jobs/*.py", ["jobs/a.py"], ["a.py", "jobs/a.txt"]),
        ("jobs/**", ["jobs/a.py", "jobs/x/y/a.py"], ["a.py"]),
        ("jobs/**/a.py", ["jobs/a.py", "jobs/x/a.py", "jobs/x/y/a.py"], ["a.py", "jobs/b.py"]),
        ("**/a.py", ["a.py", "x/a.py", "x/y/a.py"], ["x/b.py"]),
        ("**/legacy/**", ["legacy/a.py", "x/legacy/y/a.py"], ["legacy.py", "x/legacy.py"]),
        ("**/legacy/*.py", ["legacy/a.py", "x/legacy/a.py"], ["x/a.py"]),
        ("jobs/[ab].py", ["jobs/a.py", "jobs/b.py"], ["jobs/c.py"]),
        ("jobs/?.py", ["jobs/a.py"], ["jobs/aa.py"]),
        ("Jobs/a.py", [], ["jobs/a.py"]),
        ("größe.py", ["größe.py"], ["grosse.py"]),
    ],
)
def test_pattern_of_paths(pattern: str, paths: list[str], others: list[str]) -> None:
    """Patterns are relative to the root, or names; ``**/`` is any number of folders, none included."""
    settings = CheckSettings(per_file_ignores={pattern: ("TRG1",)})
    assert [path for path in paths if settings.reports_in("TRG101", PurePosixPath(path))] == []
    assert [path for path in others if not settings.reports_in("TRG101", PurePosixPath(path))] == []
    assert all(settings.reports_in("TRG201", PurePosixPath(path)) for path in paths)


@pytest.mark.parametrize(
    "table",
    [
        'select = "TRG101"',
        "select = [101]",
        'select = ["TRG9999"]',
        'select = ["E501"]',
        'select = [""]',
        "ignore = { a = 1 }",
        'selekt = ["TRG101"]',
        'per_file_ignores = { "a" = ["TRG101"] }',
        'per-file-ignores = ["TRG101"]',
        'per-file-ignores = { "a.py" = "TRG101" }',
        'extend-effects = ["acme.send"]',
        'extend-effects = { "acme.send" = 1 }',
        'extend-effects = { "acme.send" = "netwrok" }',
        'severity = { "TRG101" = "fatal" }',
        'severity = { "TRG101" = 1 }',
        'severity = { "X1" = "error" }',
        'severity = "error"',
    ],
)
def test_wrong_value_is_named(project: Make, table: str) -> None:
    """A key that does not exist, or a value that does not fit, is an error that names the key and has a hint."""
    made = project({"jobs/a.py": _JOB, "trigger.toml": f'dirs = ["jobs"]\n[check]\n{table}\n'})
    with pytest.raises(SettingsInvalid) as raised:
        read_settings(load_project(made.root))
    assert table.partition(" ")[0] in str(raised.value)
    assert "trigger.toml" in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize("value", [3, "x", ["TRG101"], None])
def test_table_that_is_none_is_named(value: object) -> None:
    """``check`` itself must be a table."""
    with pytest.raises(SettingsInvalid, match="must be a table"):
        settings_from(value, Path("pyproject.toml"))


def test_settings_are_read_from_pyproject(tmp_path: Path) -> None:
    """The table is ``[tool.trigger.check]`` there; without one the defaults hold."""
    (tmp_path / "jobs").mkdir()
    place = tmp_path / "pyproject.toml"
    place.write_text('[tool.trigger]\ndirs = ["jobs"]\n', encoding="utf-8")
    assert read_settings(load_project(tmp_path)) == CheckSettings()
    place.write_text('[tool.trigger]\ndirs = ["jobs"]\n[tool.trigger.check]\nignore = ["TRG2"]\n', encoding="utf-8-sig")
    assert read_settings(load_project(tmp_path)).ignore == ("TRG2",)
