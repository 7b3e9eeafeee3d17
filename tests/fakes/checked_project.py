"""A project of a user that is checked, with its findings in a form that tests compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer.cache import FactsCache
from analyzer.check import check
from analyzer.model import Report
from analyzer.settings import CheckSettings, read_settings
from trigger_sdk.protocol.project import load_project

Finding = tuple[str, int, str]
"""File, row, code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedProject:
    """A project on disk.

    Attributes:
        root: its folder; made, with a ``trigger.toml`` for the folder ``jobs``, when it is first written to.
    """

    root: Path

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by path; texts are UTF-8, with the line ends that they have."""
        (self.root / "jobs").mkdir(parents=True, exist_ok=True)
        if not (self.root / "trigger.toml").exists():
            (self.root / "trigger.toml").write_text('dirs = ["jobs"]\n', encoding="utf-8")
        for place, content in files.items():
            path = self.root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def check(
        self,
        *,
        settings: CheckSettings | None = None,
        texts: Mapping[str, str] | None = None,
        cache: FactsCache | None = None,
        paths: Sequence[str] | None = None,
    ) -> Report:
        """Check the project, with the settings of its configuration unless others are given."""
        loaded = load_project(self.root)
        return check(
            loaded,
            settings if settings is not None else read_settings(loaded),
            texts={self.root / place: text for place, text in (texts or {}).items()},
            cache=cache,
            paths=None if paths is None else [self.root / place for place in paths],
        )

    def findings(
        self,
        *,
        settings: CheckSettings | None = None,
        texts: Mapping[str, str] | None = None,
        cache: FactsCache | None = None,
        paths: Sequence[str] | None = None,
    ) -> list[Finding]:
        """Return what the check finds, in the order of the report."""
        report = self.check(settings=settings, texts=texts, cache=cache, paths=paths)
        assert report.problems == ()
        return [
            (each.location.file.relative_to(self.root).as_posix(), each.location.row, each.code)
            for each in report.diagnostics
        ]
