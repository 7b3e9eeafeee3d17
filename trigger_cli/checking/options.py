"""The options of `trigger check` as a value, with what cannot be asked for at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from trigger_cli.errors import UsageProblem


class OutputFormat(StrEnum):
    """How findings are written."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"
    GITLAB = "gitlab"
    SARIF = "sarif"
    JUNIT = "junit"


STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What was asked for.

    Attributes:
        paths: files and folders; none for the project around the working folder.
        select: codes to report instead of those of the configuration; none leaves them.
        ignore: codes not to report, beside those of the configuration.
        format: how findings are written.
        fix: make the fixes.
        unsafe_fixes: those too that want a look.
        diff: show what the fixes would change, and change nothing.
        watch: check again on every save.
        statistics: count by rule instead of listing.
        exit_zero: findings do not make it fail.
        stdin_filename: the file that the text on standard input is checked as.
        cache: keep facts between checks.
        add_ignore: silence all findings, with this reason.
        show_jobs: list the jobs instead.
    """

    paths: tuple[Path, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    format: OutputFormat = OutputFormat.TEXT
    fix: bool = False
    unsafe_fixes: bool = False
    diff: bool = False
    watch: bool = False
    statistics: bool = False
    exit_zero: bool = False
    stdin_filename: Path | None = None
    cache: bool = True
    add_ignore: str | None = None
    show_jobs: bool = False

    def validated(self) -> CheckOptions:
        """Return the options, checked against each other.

        Raises:
            UsageProblem: two of them do not go together.
        """
        from analyzer.rules.selectors import is_selector, suggestion

        for option, codes in {"--select": self.select, "--ignore": self.ignore}.items():
            if codes == ("",):
                raise UsageProblem(f"{option} names no code", hint=f"Leave it out, or name codes: {option} TRG1,TRG301")
            for code in codes:
                if not is_selector(code):
                    raise UsageProblem(f"{option}: there is no rule {code!r}", hint=suggestion(code))
        self._refuse_pairs()
        if STANDARD_INPUT in self.paths and self.stdin_filename is None:
            raise UsageProblem(
                "'-' is text without a name, and imports are found by where a file lies",
                hint="Name the file that it is checked as: --stdin-filename jobs/a.py",
            )
        if self.stdin_filename is not None and self.paths not in {(), (STANDARD_INPUT,)}:
            raise UsageProblem(
                "--stdin-filename checks the text on standard input, and paths were given too",
                hint="Leave out the paths.",
            )
        if self.add_ignore is not None and not self.add_ignore.strip():
            raise UsageProblem(
                "--add-ignore needs a reason", hint='Say why, for who reads it later: --add-ignore "legacy, see #12"'
            )
        return self

    def _refuse_pairs(self) -> None:
        modes = {
            "--watch": self.watch,
            "--add-ignore": self.add_ignore is not None,
            "--show-jobs": self.show_jobs,
            "--fix": self.fix and not self.diff,
            "--diff": self.diff,
        }
        asked = [name for name, given in modes.items() if given]
        if len(asked) > 1:
            raise UsageProblem(f"{asked[0]} and {asked[1]} do not go together", hint=f"Leave out {asked[1]}.")
        stdin = self.stdin_filename is not None
        for name, given in {"--watch": self.watch, "--add-ignore": self.add_ignore is not None}.items():
            if given and stdin:
                raise UsageProblem(f"{name} needs files, and the text is on standard input", hint=f"Leave out {name}.")
        readable = {OutputFormat.TEXT, OutputFormat.CONCISE}
        allowed = {
            "--watch": (self.watch, readable),
            "--statistics": (self.statistics, {*readable, OutputFormat.JSON}),
            "--show-jobs": (self.show_jobs, {*readable, OutputFormat.JSON}),
            "--diff": (self.diff, readable),
            "--add-ignore": (self.add_ignore is not None, readable),
        }
        for name, (given, formats) in allowed.items():
            if given and self.format not in formats:
                words = ", ".join(sorted(formats))
                raise UsageProblem(
                    f"{name} has no output as {self.format.value}", hint=f"It has these: --output-format {words}"
                )


def split_codes(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the codes of an option that may be repeated, and hold several with commas between them.

    One that is there and holds none gives an empty code, which nothing is selected by.
    """
    codes = tuple(code for text in given or () for part in text.split(",") if (code := part.strip()))
    return codes if codes or not given else ("",)
