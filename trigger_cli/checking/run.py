"""One check, from the options to the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from analyzer.model import Report
from analyzer.output.formats import FOR_PEOPLE, render
from analyzer.output.view import Sources, View
from analyzer.output.wording import counted
from trigger_cli.checking.fixing import Rewrite, fix_all
from trigger_cli.checking.listing import job_lines, job_objects, statistics_lines, statistics_objects
from trigger_cli.checking.options import CheckOptions, OutputFormat
from trigger_cli.checking.silencing import silence_all
from trigger_cli.checking.source_file import SourceFile
from trigger_cli.checking.targets import Surroundings, Target, find_targets, joined, nothing_seen
from trigger_cli.crash import discard_output
from trigger_cli.errors import ExitCode, UsageProblem
from trigger_cli.rendering.problems import render_problem
from trigger_cli.terminal import Terminal
from trigger_sdk.protocol.problem import Problem


def run_check(options: CheckOptions) -> int:
    """Check what the options say, show what was found, and return the exit code.

    Raises:
        TriggerError: nothing could be checked: usage, no project, a configuration that cannot be used.
    """
    terminal = Terminal.of_process()
    around = Surroundings(cwd=Path.cwd().resolve(), environ=os.environ, import_path=sys.path)
    options = options.validated()
    if options.watch:
        from trigger_cli.checking.watching import watch

        return watch(options, around, terminal)
    return _Run(options, around, terminal).run()


class _Run:
    """One check."""

    def __init__(self, options: CheckOptions, around: Surroundings, terminal: Terminal) -> None:
        self._options = options
        self._around = around
        self._terminal = terminal
        self._targets = find_targets(options, around)
        self._rewrite = Rewrite()
        if options.stdin_filename is not None:
            path = (around.cwd / options.stdin_filename).resolve()
            self._rewrite.files[path] = _standard_input(path)

    def run(self) -> int:
        options, terminal = self._options, self._terminal
        for note in dict.fromkeys(note for target in self._targets for note in target.project.notes):
            terminal.say(f"{terminal.err_palette.yellow('warning:')} {note}")
        if options.show_jobs:
            return self._show_jobs(joined([target.check(self._rewrite.overlay) for target in self._targets]))
        if options.add_ignore is not None:
            return self._add_ignores(options.add_ignore)
        if options.diff:
            return self._show_diff()
        if options.fix:
            return self._fix()
        report = joined(check_targets(self._targets, self._rewrite.overlay))
        self._say_problems(report)
        self._show(report)
        return self._exit_code(report)

    # --- ways to end --------------------------------------------------------------------------------------------------

    def _show_jobs(self, report: Report) -> int:
        self._say_problems(report)
        if self._options.format is OutputFormat.JSON:
            self._terminal.print_json(job_objects(report))
        elif report.jobs:
            self._print(job_lines(report, self._view(), self._terminal))
        return ExitCode.USAGE if report.is_blind else ExitCode.DONE

    def _add_ignores(self, reason: str) -> int:
        report = joined(silence_all(self._targets, self._rewrite, reason=reason))
        self._rewrite.write()
        self._say_problems(report, *self._rewrite.problems)
        files = counted(len(self._rewrite.texts), "file")
        self._terminal.say(f"Added or extended {counted(self._rewrite.count, 'comment')} in {files}.")
        if report.has_findings:
            self._show(report)
        return self._exit_code(report, *self._rewrite.problems)

    def _show_diff(self) -> int:
        fix_all(self._targets, self._rewrite, unsafe=self._options.unsafe_fixes)
        shown = {path: self._view().path(path) for path in self._rewrite.texts}
        self._write(self._rewrite.diff(shown))
        count, files = self._rewrite.count, len(self._rewrite.texts)
        if not count:
            self._terminal.say("Nothing would be fixed.")
            return ExitCode.DONE
        self._terminal.say(f"Would fix {counted(count, 'finding')} in {counted(files, 'file')}.")
        return ExitCode.DONE if self._options.exit_zero else ExitCode.FAILED

    def _fix(self) -> int:
        report = joined(fix_all(self._targets, self._rewrite, unsafe=self._options.unsafe_fixes))
        if self._options.stdin_filename is not None:
            return self._fixed_input(report)
        self._rewrite.write()
        if self._rewrite.problems:
            # Some files are as they were.
            report = joined(check_targets(self._targets, {}))
        self._say_problems(report, *self._rewrite.problems)
        self._show(report)
        self._say_fixed()
        return self._exit_code(report, *self._rewrite.problems)

    def _say_fixed(self) -> None:
        if self._rewrite.count:
            files = counted(len(self._rewrite.texts), "file")
            self._terminal.say(f"Fixed {counted(self._rewrite.count, 'finding')} in {files}.")

    def _fixed_input(self, report: Report) -> int:
        """Write the fixed text to standard output, and what is left to standard error."""
        (file,) = (self._rewrite.files[path] for path in self._rewrite.files if self._is_input(path))
        text = self._rewrite.texts.get(file.path, file.text)
        stream = self._terminal.out
        stream.flush()
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(text)
        else:
            binary.write(text.encode(file.encoding, "replace"))
            binary.flush()
        self._say_problems(report)
        self._terminal.say(render(self._options.format.value, report, self._view(err=True)).rstrip("\n"))
        self._say_fixed()
        return self._exit_code(report)

    def _is_input(self, path: Path) -> bool:
        name = self._options.stdin_filename
        return name is not None and path == (self._around.cwd / name).resolve()

    # --- output -------------------------------------------------------------------------------------------------------

    def _show(self, report: Report) -> None:
        options = self._options
        if not options.statistics:
            self._write(render(options.format.value, report, self._view()))
        elif options.format is OutputFormat.JSON:
            self._terminal.print_json(statistics_objects(report))
        else:
            self._print(statistics_lines(report, self._terminal))

    def _view(self, *, err: bool = False) -> View:
        return make_view(self._options, self._around, self._terminal, self._rewrite.overlay, err=err)

    def _print(self, lines: Sequence[str]) -> None:
        self._write("".join(f"{line}\n" for line in lines))

    def _write(self, text: str) -> None:
        """Write to standard output; a reader that has gone (`| head`) takes nothing from the exit code."""
        try:
            self._terminal.out.write(text)
            self._terminal.out.flush()
        except BrokenPipeError:
            discard_output()

    def _say_problems(self, report: Report, *others: Problem) -> None:
        say_problems(self._terminal, (*report.problems, *others), nothing_seen(self._targets, report))

    def _exit_code(self, report: Report, *others: Problem) -> int:
        if others or report.is_blind:
            return ExitCode.USAGE
        return ExitCode.DONE if self._options.exit_zero else exit_code_of(report)


def check_targets(targets: Sequence[Target], texts: dict[Path, str]) -> list[Report]:
    """Check each target and return the reports, with the fixes that are known."""
    reports = []
    for target in targets:
        report = target.check(texts)
        if report.has_findings:
            from analyzer.fixes import with_fixes

            report = with_fixes(report, texts=texts)
        reports.append(report)
    return reports


def exit_code_of(report: Report) -> ExitCode:
    """Return 1 when there is an error or a warning; hints do not count."""
    return ExitCode.FAILED if report.has_findings else ExitCode.DONE


def make_view(
    options: CheckOptions, around: Surroundings, terminal: Terminal, texts: dict[Path, str], *, err: bool = False
) -> View:
    """Return how the report is to be seen, on standard output or on standard error."""
    people = options.format.value in FOR_PEOPLE
    return View(
        base=around.cwd if people else repository_root(around),
        sources=Sources(texts),
        ink=terminal.err_palette if err else terminal.palette,
        unicode=(terminal.err_glyphs if err else terminal.glyphs).branch_last == "└",
        unsafe_fixes=options.unsafe_fixes,
    )


def repository_root(around: Surroundings) -> Path:
    """Return the folder that CI systems relate paths to: what they say, the checkout's, the working folder."""
    for variable in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        folder = around.environ.get(variable)
        if folder and around.cwd.is_relative_to(Path(folder).resolve()):
            return Path(folder).resolve()
    inside = (folder for folder in (around.cwd, *around.cwd.parents) if (folder / ".git").exists())
    return next(inside, around.cwd)


def say_problems(terminal: Terminal, problems: Sequence[Problem], nothing: Problem | None) -> None:
    """Say what the check could not see; a file that cannot be read, or written, is an error."""
    for problem in problems:
        label = "warning" if problem.code == "check-incomplete" else "error"
        terminal.say("\n".join(render_problem(problem, palette=terminal.err_palette, label=label)))
    if nothing is not None:
        terminal.say("\n".join(render_problem(nothing, palette=terminal.err_palette, label="warning")))


def _standard_input(path: Path) -> SourceFile:
    content = sys.stdin.buffer.read()
    try:
        return SourceFile.of(path, content)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UsageProblem(f"the text on standard input cannot be read: {error}", where=str(path)) from error
