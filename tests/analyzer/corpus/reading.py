"""Reading the corpus: `.cases` files to cases with what is expected of the check. The format is in README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
HINTS: Final = frozenset({"TRG201", "TRG202", "TRG203", "TRG507"})

_COMMENT: Final = re.compile(r"#((?:\s*TRG\d{3}\??(?:\|TRG\d{3}\??)*)+)\s*$")
_CASE: Final = "=== "
_FILE: Final = "--- "


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One thing that is expected on a line.

    Attributes:
        file: path in the case's project.
        row: the line, from 1.
        one_of: codes of which one is to be found.
        optional: nothing is missed when none is found.
    """

    file: str
    row: int
    one_of: frozenset[str]
    optional: bool

    @property
    def is_hint(self) -> bool:
        """Whether it is a hint that is expected."""
        return self.one_of <= HINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A small project.

    Attributes:
        name: ``group/name``.
        files: text by path.
    """

    name: str
    files: dict[str, str]

    def write(self, root: Path) -> None:
        """Write the project under ``root``."""
        root.mkdir(parents=True, exist_ok=True)
        (root / "trigger.toml").write_text('dirs = ["jobs"]\n', encoding="utf-8")
        (root / "jobs").mkdir(exist_ok=True)
        for path, text in self.files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            newline = "\r\n" if "crlf" in self.name else "\n"
            place.write_text(text, encoding="utf-8", newline=newline)

    def expectations(self) -> list[Expectation]:
        """Return what the comments in the files expect."""
        return [found for path, text in self.files.items() for found in _expected(path, text)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the findings in one case compare with what was expected, for errors or for hints.

    Attributes:
        right: findings that were expected.
        missed: expectations without a finding.
        wrong: findings, as (file, row, code), that nothing expects.
    """

    right: int
    missed: tuple[Expectation, ...]
    wrong: tuple[tuple[str, int, str], ...]


def compare(case: Case, found: set[tuple[str, int, str]], *, hints: bool) -> Outcome:
    """Compare findings, as (file, row, code), with what ``case`` expects."""
    expected = case.expectations()
    wanted = [each for each in expected if not each.optional and each.is_hint is hints]
    mine = {each for each in found if (each[2] in HINTS) is hints}
    allowed = {(each.file, each.row, code) for each in expected for code in each.one_of}
    missed = tuple(each for each in wanted if not any((each.file, each.row, code) in found for code in each.one_of))
    return Outcome(right=len(mine & allowed), missed=missed, wrong=tuple(sorted(mine - allowed)))


def cases() -> list[Case]:
    """Return all cases of the corpus."""
    return [case for file in sorted(FOLDER.glob("*.cases")) for case in _cases_in(file)]


def _cases_in(file: Path) -> Iterator[Case]:
    text = file.read_text(encoding="utf-8")
    for chunk in re.split(rf"^{_CASE}", text, flags=re.MULTILINE)[1:]:
        name, _, body = chunk.partition("\n")
        yield Case(name=f"{file.stem}/{name.strip()}", files=_files(body))


def _files(body: str) -> dict[str, str]:
    if not body.startswith(_FILE):
        return {"jobs/case.py": body}
    files: dict[str, str] = {}
    for chunk in re.split(rf"^{_FILE}", body, flags=re.MULTILINE)[1:]:
        path, _, text = chunk.partition("\n")
        files[path.strip()] = text
    return files


def _expected(path: str, text: str) -> Iterator[Expectation]:
    for row, line in enumerate(text.splitlines(), start=1):
        comment = _COMMENT.search(line)
        if comment is None:
            continue
        for word in comment.group(1).split():
            codes = frozenset(code.rstrip("?") for code in word.split("|"))
            yield Expectation(file=path, row=row, one_of=codes, optional="?" in word)
