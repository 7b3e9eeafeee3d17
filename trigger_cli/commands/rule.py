"""`trigger rule`: what a rule of `trigger check` finds, why it matters, and what to write instead."""

from __future__ import annotations

from typing import Annotated

import typer

from trigger_cli.app import single
from trigger_cli.commands.options import AsJson

app = single("rule")


@app.command("rule")
def rule(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="A code or a name: TRG101, network-outside-task.")
    ] = None,
    *,
    all: Annotated[bool, typer.Option("--all", help="List every rule; with --json, everything about each.")] = False,
    json: AsJson = False,
) -> None:
    """Explain a rule of `trigger check`: what it finds, why it matters, what to write instead."""
    from analyzer.rules.registry import RULES
    from analyzer.rules.selectors import code_of, rule_suggestion
    from trigger_cli.checking.explaining import rule_list, rule_object, rule_page
    from trigger_cli.errors import UnknownRule, UsageProblem
    from trigger_cli.terminal import Terminal

    terminal = Terminal.of_process()
    if all:
        if code is not None:
            raise UsageProblem("--all lists every rule, and one was named too", hint=f"Leave out --all, or {code}.")
        rules = list(RULES.values())
        if json:
            terminal.print_json([rule_object(each) for each in rules])
        else:
            terminal.print("\n".join(rule_list(rules, terminal)))
        return
    if code is None:
        raise UsageProblem("no rule was named", hint="trigger rule TRG101 explains one, trigger rule --all lists them")
    found = code_of(code)
    if found is None:
        raise UnknownRule(f"there is no rule {code!r}", hint=rule_suggestion(code))
    if json:
        terminal.print_json(rule_object(RULES[found]))
    else:
        terminal.print("\n".join(rule_page(RULES[found], terminal)))
