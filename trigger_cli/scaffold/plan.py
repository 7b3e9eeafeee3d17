"""What `init` would write: decided as a whole before the first byte is written."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from trigger_cli.errors import InitConflict, InitHalfDone, UsageProblem
from trigger_cli.scaffold.configuration import (
    append_table,
    has_trigger_table,
    missing_dependencies,
    missing_dirs,
    trigger_table,
    with_ignored,
)
from trigger_cli.scaffold.templates import Template

MARKER = PurePosixPath(".trigger/init.json")
"""Exists while files are moved into place."""

_PYPROJECT = PurePosixPath("pyproject.toml")
_TRIGGER_TOML = PurePosixPath("trigger.toml")
_IGNORE = PurePosixPath(".gitignore")
_CONFIGURATION = (_PYPROJECT, _TRIGGER_TOML)
_KEPT_IF_THERE = frozenset((PurePosixPath("README.md"), PurePosixPath(".python-version")))
_SHOWN = 20


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to be written into ``target``.

    Attributes:
        target: the project's folder; it may not exist yet.
        template: where the files come from.
        create: new files and their content.
        change: files that are there, and their new content: always the old one with lines added at its end.
        kept: files that the template would bring and the project has already.
        advice: what the user has to do by hand, one sentence each.
    """

    target: Path
    template: Template
    create: dict[PurePosixPath, bytes] = field(default_factory=dict)
    change: dict[PurePosixPath, bytes] = field(default_factory=dict)
    kept: list[PurePosixPath] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    def mode(self, file: PurePosixPath) -> int:
        """Return the permission bits for a new file."""
        source = self.template.folder / file
        return 0o755 if source.exists() and source.stat().st_mode & 0o100 else 0o644


def make_plan(template: Template, target: Path) -> Plan:
    """Decide what to write.

    Files of the template are new files. In a folder that has a `pyproject.toml` or a `trigger.toml`, the template's
    configuration becomes a `[tool.trigger]` table at the end of `pyproject.toml`, unless trigger is configured already.

    Raises:
        InitConflict: files that exist already; nothing is planned over them.
        InitHalfDone: an earlier init was cut off here.
        UsageProblem: the target is no folder, or its pyproject.toml is not TOML.
    """
    _refuse_half_done(target)
    if os.path.lexists(target) and not target.is_dir():
        raise UsageProblem(f"{target} is not a folder", hint="name another one: trigger init DIR")
    plan = Plan(target=target, template=template)
    adding = any((target / name).is_file() for name in _CONFIGURATION)
    for file in template.files:
        if file in _KEPT_IF_THERE and os.path.lexists(target / file):
            plan.kept.append(file)
        elif file != _IGNORE and not (adding and file in _CONFIGURATION):
            plan.create[file] = template.read(file)
    if adding:
        _plan_configuration(plan)
    _plan_ignore(plan)
    _refuse_conflicts(plan)
    return plan


def _refuse_half_done(target: Path) -> None:
    marker = target / MARKER
    if not marker.is_file():
        return
    import json

    try:
        files = [str(file) for file in json.loads(marker.read_bytes())["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        files = []
    states = [f"{'written' if os.path.lexists(target / file) else 'missing'}  {file}" for file in files]
    raise InitHalfDone(
        f"An earlier `trigger init` in {target} was cut off while it moved its files into place",
        detail="\n".join(states[:_SHOWN]),
        hint=f"delete the written files and {marker.parent}/init*, then run it again",
    )


def _plan_configuration(plan: Plan) -> None:
    """Plan how a project that exists comes to know the template's jobs."""
    target, template = plan.target, plan.template
    config = _template_configuration(template)
    project = _read_toml(target / _PYPROJECT)
    theirs = _theirs(target, project)
    if theirs is not None:
        name = _TRIGGER_TOML if (target / _TRIGGER_TOML).is_file() else _PYPROJECT
        missing = missing_dirs(config[1], theirs)
        if missing:
            plan.advice.append(f"add {', '.join(map(repr, missing))} to `dirs` in {name}: the new jobs are there")
    else:
        text = (target / _PYPROJECT).read_bytes().decode("utf-8")
        extended = append_table(text, config[0])
        if extended is None:
            plan.advice.append(f"add this to {_PYPROJECT}, which cannot take it at its end:\n{config[0].rstrip()}")
        else:
            plan.change[_PYPROJECT] = extended.encode()
    wanted = missing_dependencies(config[2], project)
    if wanted:
        plan.advice.append(f"add to your dependencies: {', '.join(wanted)}")


def _theirs(target: Path, project: dict[str, Any]) -> dict[str, Any] | None:
    """Return the trigger configuration that the project has, or None."""
    if (target / _TRIGGER_TOML).is_file():
        return _read_toml(target / _TRIGGER_TOML)
    if not has_trigger_table(project):
        return None
    table = project["tool"]["trigger"]
    return table if isinstance(table, dict) else {}


def _template_configuration(template: Template) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the template's configuration as a table's text and as data, and its parsed pyproject.toml."""
    pyproject = template.read(_PYPROJECT).decode() if _PYPROJECT in template.files else ""
    data = tomllib.loads(pyproject)
    if _TRIGGER_TOML in template.files:
        text = template.read(_TRIGGER_TOML).decode()
        return f"[tool.trigger]\n{text}", tomllib.loads(text), data
    table = trigger_table(pyproject) or '[tool.trigger]\ndirs = ["jobs"]\n'
    return table, tomllib.loads(table)["tool"]["trigger"], data


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{path.name} is not TOML: {error}", where=str(path), hint="correct it first") from None


def _plan_ignore(plan: Plan) -> None:
    path = plan.target / _IGNORE
    extra = plan.template.read(_IGNORE).decode() if _IGNORE in plan.template.files else ""
    if not path.is_file():
        plan.create[_IGNORE] = with_ignored(extra).encode()
        return
    text = path.read_bytes().decode("utf-8", errors="surrogateescape")
    extended = with_ignored(text, extra)
    if extended != text:
        plan.change[_IGNORE] = extended.encode("utf-8", errors="surrogateescape")


def _refuse_conflicts(plan: Plan) -> None:
    conflicts = []
    for file in plan.create:
        blocked = next(
            (parent for parent in file.parents if (plan.target / parent).is_file()),
            None,
        )
        if blocked is not None:
            conflicts.append(f"{blocked} (a file, and {file} needs a folder there)")
        elif os.path.lexists(plan.target / file):
            conflicts.append(str(file))
    if conflicts:
        listed = list(dict.fromkeys(conflicts))
        more = [f"and {len(listed) - _SHOWN} more"] if len(listed) > _SHOWN else []
        count = f"{len(listed)} file{'s' if len(listed) != 1 else ''}"
        raise InitConflict(
            f"{count} of template {plan.template.name!r} would overwrite what is in {plan.target}; nothing was written",
            detail="\n".join(listed[:_SHOWN] + more),
        )
