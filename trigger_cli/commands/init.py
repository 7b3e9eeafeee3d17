"""`trigger init`: a new project, or jobs added to one that exists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigger_cli.app import single
from trigger_cli.commands.options import AsJson
from trigger_cli.errors import NeedsConfirmation

if TYPE_CHECKING:
    from trigger_cli.scaffold.plan import Plan
    from trigger_cli.scaffold.templates import Template
    from trigger_cli.terminal import Terminal

app = single("init")

_FRESH = frozenset(("README", "README.md", "README.rst", "LICENSE", "LICENSE.md", "LICENSE.txt"))
"""What a folder may hold (beside names that begin with a dot) and still be as good as empty."""


@app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The project's folder; here by default.")] = Path(),
    *,
    template: Annotated[
        str | None, typer.Option("--template", "-t", metavar="NAME", help="Which template; see --list.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the templates and exit.")] = False,
    json: AsJson = False,
) -> None:
    """Make a new project, or add jobs to one that exists.

    No file is ever overwritten: when a file of the template exists already, nothing at all is written. A project that
    has a pyproject.toml gets a [tool.trigger] table at its end. Without a terminal nothing is asked: adding to a folder
    that has files needs --yes then.
    """
    from trigger_cli.scaffold.plan import make_plan
    from trigger_cli.scaffold.templates import DEFAULT, find_template, list_templates, templates_folder
    from trigger_cli.scaffold.write import carry_out
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    source = templates_folder()
    if list_:
        _print_templates(list_templates(source), terminal, as_json=json)
        return
    if template is None and not yes and terminal.can_ask:
        template = _choose(list_templates(source), terminal)
    plan = make_plan(find_template(template or DEFAULT, source), folder.resolve())
    if not yes and _has_files(plan.target):
        _confirm(plan, terminal)
    carry_out(plan)
    _report(plan, folder, terminal, as_json=json)


def _print_templates(templates: list[Template], terminal: Terminal, *, as_json: bool) -> None:
    if as_json:
        terminal.print_json({"templates": [{"name": item.name, "description": item.description} for item in templates]})
        return
    from trigger_cli.rendering.tables import Cell, Column, render_table

    head = [Column(title="TEMPLATE"), Column(title="DESCRIPTION", flexible=True)]
    rows = [[Cell(text=item.name), Cell(text=item.description)] for item in templates]
    width = terminal.width if terminal.live else None
    for line in render_table(head, rows, width=width, palette=terminal.palette, ellipsis=terminal.glyphs.ellipsis):
        terminal.print(line)


def _choose(templates: list[Template], terminal: Terminal) -> str:
    """Ask which template to take; the first is what Enter means."""
    for number, item in enumerate(templates, 1):
        terminal.say(f"  {number}  {item.name:<10} {terminal.err_palette.dim(item.description)}")
    names = [item.name for item in templates]
    answer = terminal.ask(f"template [{names[0]}]: ") or names[0]
    return names[int(answer) - 1] if answer.isdigit() and 0 < int(answer) <= len(names) else answer


def _has_files(target: Path) -> bool:
    """Tell whether a folder holds more than a fresh repository does."""
    return target.is_dir() and any(
        not child.name.startswith(".") and child.name not in _FRESH for child in target.iterdir()
    )


def _confirm(plan: Plan, terminal: Terminal) -> None:
    """Ask whether to add to a folder that has files. Raises NeedsConfirmation unless the answer is yes."""
    summary = [f"new      {file}" for file in sorted(plan.create)] + [
        f"add to   {file}" for file in sorted(plan.change)
    ]
    if not terminal.can_ask:
        raise NeedsConfirmation(
            f"{plan.target} has files; adding to it needs your consent",
            detail="\n".join(summary),
            hint="pass --yes to add these files (nothing is overwritten)",
        )
    terminal.say(f"{plan.target} has files. This would be added:")
    for line in summary:
        terminal.say(f"  {line}")
    if terminal.ask("add them? [y/N] ").lower() not in ("y", "yes"):
        raise NeedsConfirmation("nothing was written", hint="answer y, or pass --yes")


def _report(plan: Plan, folder: Path, terminal: Terminal, *, as_json: bool) -> None:
    steps = [*([] if folder == Path() else [f"cd {_quoted(folder)}"]), *(plan.template.next_steps or ("trigger dev",))]
    if as_json:
        terminal.print_json(
            {
                "folder": str(plan.target),
                "template": plan.template.name,
                "created": [str(file) for file in sorted(plan.create)],
                "changed": [str(file) for file in sorted(plan.change)],
                "kept": [str(file) for file in plan.kept],
                "advice": plan.advice,
                "next_steps": steps,
            }
        )
        return
    palette = terminal.palette
    terminal.print(f"{palette.green(terminal.glyphs.completed)} {plan.target} from template {plan.template.name}")
    for file in sorted(plan.create):
        terminal.print(f"  new      {file}")
    for file in sorted(plan.change):
        terminal.print(f"  added to {file}")
    for file in plan.kept:
        terminal.print(f"  kept     {file} (yours)")
    for advice in plan.advice:
        terminal.print(f"{palette.yellow('to do:')} {advice}")
    terminal.print("\nnext:")
    for step in steps:
        terminal.print(f"  {palette.bold(step)}")


def _quoted(folder: Path) -> str:
    import shlex

    return shlex.quote(str(folder))
