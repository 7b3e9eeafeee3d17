"""Checks one after the other: each finds what a check of its own would find, whatever was edited in between."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from analyzer.cache import FactsCache
from analyzer.check import check
from analyzer.errors import CheckStale
from analyzer.model import Report
from analyzer.session import CheckSession
from analyzer.settings import CheckSettings
from tests.analyzer.corpus.reading import Case, cases
from trigger_sdk.protocol.project import load_project

_EDITS = 12
_SEVERAL_FILES = [case for case in cases() if len(case.files) > 2]


def _told(report: Report) -> list[tuple[object, ...]]:
    """Return what a report says, but for the way to an effect, of which there may be several."""
    found = [(each.location, each.code, each.severity) for each in report.diagnostics]
    jobs = [(job.id, job.qualname, job.location, job.queue, job.steps, job.effects) for job in report.jobs]
    return [*found, *jobs, *((problem,) for problem in report.problems)]


def _edited(case: Case, texts: dict[str, str], chance: random.Random) -> None:
    """Change one file: a line is taken out, doubled, copied from another file, or the whole is as it was."""
    name = chance.choice([name for name in sorted(texts) if name.endswith(".py")])
    lines = texts[name].splitlines(keepends=True)
    kind = chance.choice(("delete", "double", "copy", "restore", "comment"))
    row = chance.randrange(len(lines)) if lines else 0
    if kind == "restore" or not lines:
        texts[name] = case.files.get(name, "")
        return
    if kind == "delete":
        del lines[row]
    elif kind == "double":
        lines.insert(row, lines[row])
    elif kind == "copy":
        other = texts[chance.choice(sorted(texts))].splitlines(keepends=True)
        lines.insert(row, chance.choice(other) if other else "\n")
    else:
        lines.insert(row, "# a comment\n")
    texts[name] = "".join(lines)


@pytest.mark.parametrize("seed", range(16))
def test_session_finds_what_a_fresh_check_finds(tmp_path: Path, seed: int) -> None:
    """Random edits of unsaved texts: nothing is kept that is out of date."""
    chance = random.Random(seed)
    for case in chance.sample(_SEVERAL_FILES, 4):
        root = (tmp_path / case.name.replace("/", "-")).resolve()
        case.write(root)
        project = load_project(root)
        session = CheckSession(project, CheckSettings(), cache=FactsCache(root / ".trigger/cache/check"))
        texts = dict(case.files)
        for _ in range(_EDITS):
            _edited(case, texts, chance)
            unsaved = {root / name: text for name, text in texts.items() if name.endswith(".py")}
            if chance.random() < 0.3:  # an editor asks for what it shows first
                session.check(texts=unsaved, paths=[chance.choice(sorted(unsaved))])
            assert _told(session.check(texts=unsaved)) == _told(check(project, CheckSettings(), texts=unsaved)), (
                case.name
            )


@pytest.mark.parametrize("seed", range(6))
def test_check_with_cache_finds_what_one_without_finds(tmp_path: Path, seed: int) -> None:
    """Random edits of saved files, new and removed ones among them: each check is a process of its own, so to say."""
    chance = random.Random(seed)
    for case in chance.sample(_SEVERAL_FILES, 4):
        root = (tmp_path / case.name.replace("/", "-")).resolve()
        case.write(root)
        project = load_project(root)
        cache = FactsCache(root / ".trigger/cache/check")
        texts = dict(case.files)
        for _ in range(_EDITS // 2):
            _edited(case, texts, chance)
            name = chance.choice(sorted(texts))
            if chance.random() < 0.3 and name.endswith(".py"):
                (root / name).unlink(missing_ok=True)
            else:
                (root / name).write_text(texts[name])
            assert _told(check(project, CheckSettings(), cache=cache)) == _told(check(project, CheckSettings())), (
                case.name
            )


def test_check_of_a_module_that_registers_from_outside(tmp_path: Path) -> None:
    """A module that puts something into another's table on import matters to jobs that never import it."""
    root = tmp_path.resolve()
    (root / "jobs").mkdir()
    (root / "trigger.toml").write_text("")
    (root / "table.py").write_text("HANDLERS = {}\n")
    (root / "jobs/a.py").write_text(
        "from table import HANDLERS\nfrom trigger_sdk import job\n\n\n"
        "@job(id='a')\ndef a(x):\n    HANDLERS['send'](x)\n"
    )
    other = root / "jobs/b.py"
    other.write_text("from table import HANDLERS\n\nHANDLERS['send'] = str\n")
    project = load_project(root)
    session = CheckSession(project, CheckSettings(), cache=FactsCache(root / ".trigger/cache/check"))
    assert session.check().diagnostics == ()
    texts = {other: "import os\nfrom table import HANDLERS\n\nHANDLERS['send'] = os.remove\n"}
    assert [(each.code, each.location.row) for each in session.check(texts=texts).diagnostics] == [("TRG102", 7)]
    assert session.check().diagnostics == ()


def test_check_that_is_stale_is_given_up_and_the_next_one_is_whole(tmp_path: Path) -> None:
    """A check that nobody waits for stops, and leaves nothing half done behind."""
    case = next(case for case in _SEVERAL_FILES if case.expectations())
    root = tmp_path.resolve()
    case.write(root)
    project = load_project(root)
    session = CheckSession(project, CheckSettings(), cache=FactsCache(root / ".trigger/cache/check"))
    with pytest.raises(CheckStale):
        session.check(is_stale=lambda: True)
    assert _told(session.check()) == _told(check(project, CheckSettings()))
