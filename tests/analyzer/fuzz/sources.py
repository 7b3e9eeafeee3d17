"""Other people's modules as a user's: the standard library and what is installed, with a job that calls all.

    python -m tests.analyzer.fuzz.sources FOLDER SEED VARIANTS MODULE...

checks each module, as it is and changed, and prints a line of JSON for each check before and after it: who reads them
can tell where a check hangs, and end the process.
"""

from __future__ import annotations

import ast
import gc
import json
import random
import sys
import sysconfig
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from analyzer.check import check
from analyzer.model import Report
from analyzer.settings import CheckSettings
from tests.analyzer.fuzz.mutation import Function, Mutation
from trigger_sdk.protocol.project import Project

STANDARD: Final = Path(sysconfig.get_path("stdlib"))
INSTALLED: Final = Path(sysconfig.get_path("purelib"))
_LEFT_OUT: Final = frozenset(
    ("site-packages", "dist-packages", "__pycache__", "trigger_sdk", "jobs_fuzz", "jobs_steady")
)
"""What is installed beside the standard library, and what the jobs themselves are made of."""

_STEADY: Final = """\
import os
from trigger_sdk import job


@job(id="steady")
def steady(p):
    os.remove(p)
"""
_STEADY_ROW: Final = 7


def link_sources(folder: Path, source: Path, packages: Sequence[str] = ()) -> None:
    """Make ``folder`` a project whose modules are those in ``source``, which are never written to.

    Args:
        folder: made anew.
        source: the standard library, or installed packages.
        packages: those of them that belong to the project; none of them means all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        if entry.name in _LEFT_OUT or (packages and entry.stem not in packages):
            continue
        if entry.suffix == ".py" or (entry.is_dir() and entry.name.isidentifier()):
            (folder / entry.name).symlink_to(entry)
    (folder / "jobs_steady.py").write_text(_STEADY, encoding="utf-8")
    (folder / "jobs_fuzz.py").write_text("", encoding="utf-8")


def modules_in(source: Path, packages: Sequence[str] = ()) -> list[str]:
    """Return the dotted names of the modules in ``source``, or of those in the packages that are named."""
    found = []
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if _LEFT_OUT & set(parts) or not all(part.isidentifier() for part in parts):
            continue
        if not packages or parts[0] in packages:
            found.append(".".join(parts).removesuffix(".__init__"))
    return found


def job_over(module: str, tree: ast.Module) -> str:
    """Return the text of a job that calls every function, class and method of a module."""
    lines = [_STEADY.replace("steady", "fuzz").partition("@")[0], f"import {module} as m\n\n"]
    lines += ['@job(id="fuzz")', "async def fuzz(p, q, r):", "    print(p)"]
    for node in tree.body:
        if isinstance(node, Function):
            lines.append(f"    m.{node.name}(p, q, r)")
        elif isinstance(node, ast.ClassDef):
            lines.append(f"    c = m.{node.name}(p, q, r)")
            lines += [
                f"    c.{part.name}(p, q)"
                for part in node.body
                if isinstance(part, Function) and not part.name.startswith("__")
            ]
    return "\n".join([*lines, ""])


class Checks:
    """Checks of the modules of one folder.

    Args:
        folder: made by :func:`link_sources`.
        rng: what is drawn from.
    """

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self._folder = folder.resolve()
        self._rng = rng
        self._trees: list[ast.Module] = []

    def run(self, module: str, variants: int) -> Iterator[dict[str, object]]:
        """Check a module as it is, ``variants`` times changed, and once damaged; yield what came of it."""
        path = self._path(module)
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return
        self._trees = [*self._trees[-5:], tree]
        (self._folder / "jobs_fuzz.py").write_text(job_over(module, tree), encoding="utf-8")
        mutation = Mutation(self._rng, self._trees)
        for number in range(variants + 2):
            changed = text
            if number:
                changed = mutation.damaged(text) if number > variants else mutation.mutated(text)
            yield {"module": module, "variant": number}
            yield {"module": module, "variant": number, **self._outcome(path, changed, is_changed=bool(number))}

    def _path(self, module: str) -> Path:
        place = self._folder.joinpath(*module.split("."))
        return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")

    def _outcome(self, path: Path, text: str, *, is_changed: bool) -> dict[str, object]:
        gc.collect()
        gc.disable()  # as the command does
        begin = time.process_time()
        project = Project(root=self._folder, dirs=("jobs_fuzz.py", "jobs_steady.py"))
        try:
            report = check(project, CheckSettings(), texts={path: text} if is_changed else {})
            wrong = self._wrong(report, path, text)
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            wrong = traceback.format_exc(limit=-5)
            report = Report(diagnostics=())
        seconds = time.process_time() - begin
        gc.enable()
        return {
            "seconds": seconds,
            "wrong": wrong,
            "text": text if wrong else "",
            "incomplete": any(problem.code == "check-incomplete" for problem in report.problems),
            "findings": len(report.diagnostics),
        }

    def _wrong(self, report: Report, path: Path, text: str) -> str:
        """Return what a report should not be, empty when it is well."""
        places = {(each.location.file.name, each.location.row, each.code) for each in report.diagnostics}
        if ("jobs_steady.py", _STEADY_ROW, "TRG102") not in places:
            return "the finding in the other file is missing"
        broken = [each for each in report.diagnostics if each.code == "TRG901" and each.location.file == path]
        if len(broken) > (0 if _is_valid(text) else 1):
            return f"{len(broken)} syntax errors are told: {broken[0].message}"
        lines = {path: text.count("\n") + 1}
        for each in report.diagnostics:
            if each.location.row < 1 or each.location.column < 1 or each.location.row > lines.get(path, 0) + 10**6:
                return f"a finding stands nowhere: {each}"
            if each.location.file == path and each.location.row > lines[path] + text.count("\r") + 1:
                return f"a finding stands below the end: {each}"
        return ""


def _is_valid(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """Check the modules that are named, and print what came of it."""
    folder, seed, variants, *modules = arguments
    for module in modules:
        checks = Checks(Path(folder), random.Random(f"{seed}:{module}"))
        for line in checks.run(module, int(variants)):
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
