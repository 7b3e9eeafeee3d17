"""A block with effects becomes a task: ``with open(path) as file: ...`` is lifted into a function of its own."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from analyzer.fixes.handlers import swallows_cancellation
from analyzer.fixes.imports import sdk_name
from analyzer.fixes.region import Region, region_of
from analyzer.fixes.source import Found
from analyzer.fixes.target import Target, fix, is_in_endless_loop, step_form

if TYPE_CHECKING:
    from analyzer.fixes.source import Source
    from analyzer.model import Fix

_VERBS: Final = (
    (re.compile(r"get|fetch|find|list|urlopen|retrieve|receive|recv|query|select|stream|download|head"), "fetch"),
    (re.compile(r"remove|unlink|delete|rmtree|rmdir"), "remove"),
    (re.compile(r"post|put|send|publish|upload|push|produce|notify|create|patch"), "send"),
    (re.compile(r"write|save|dump|commit|insert|execute|update"), "store"),
)
_BY_CODE: Final = {
    "TRG101": ("fetch", "call"),
    "TRG102": ("read", "write"),
    "TRG103": ("load", "store"),
    "TRG104": ("run", "run"),
    "TRG106": ("work_out", "work_on"),
}
"""Verbs for blocks with results, and for those without."""


def lift_block(target: Target) -> Fix | None:
    """Lift the statements that belong together with an effect into a task, and call it in their place."""
    if target.diagnostic.leads_to_steps:
        return None
    region = region_of(target)
    if region is None:
        return None
    statement = next(
        (
            each
            for each in target.source.find(target.source.place(region.statements[0]))
            if each.node is region.statements[0]
        ),
        None,
    )
    form = None if statement is None else step_form(statement)
    if statement is None or form is None or (region.is_async and form == "plain"):
        return None
    if swallows_cancellation(statement) == "for good" or is_in_endless_loop(statement):
        return None
    task = sdk_name(target.source, "task", statement.outermost)
    name = _name(target, region)
    before = _placed_before(statement, region)
    definition = _definition(target.source, region, before, name, task.text)
    if definition is None:
        return None
    call = f"{name}({', '.join(region.inputs)})"
    call = f"await {call}" if form == "await" else call
    if region.returns:
        call = f"return {call}"
    elif region.outputs:
        call = f"{', '.join(region.outputs)} = {call}"
    first, last = target.source.place(region.statements[0]), target.source.place(region.statements[-1])
    end = len(target.source.lines[last.end_row - 1]) + 1
    replaced = target.source.replace(target.source.between((first.row, first.column), (last.end_row, end)), call)
    row = _first_row(target.source, before)
    return fix(
        "unsafe", f"Lift the block into a task, {name}", target.source.insert(row, 1, definition), replaced, *task.edits
    )


# --- the name ---------------------------------------------------------------------------------------------------------


def _name(target: Target, region: Region) -> str:
    last = target.diagnostic.subject.rpartition(".")[2].lower()
    has_results = bool(region.outputs or region.returns)
    verb = next((verb for pattern, verb in _VERBS if pattern.search(last)), "")
    with_results, without = _BY_CODE.get(target.diagnostic.code, ("do", "do"))
    if target.diagnostic.code != "TRG101" or not verb:
        verb = with_results if has_results else (verb if verb in ("remove", "send") else without)
    noun = region.outputs[0].strip("_") if region.outputs else region.function.name.strip("_")
    return target.source.new_name(f"{verb}_{noun}".lower(), target.source.place(region.statements[0]))


# --- the function -----------------------------------------------------------------------------------------------------


def _placed_before(statement: Found, region: Region) -> ast.stmt:
    """Return what the task is put before: the function, or the class whose method it is."""
    above = statement.above
    index = next(index for index, node in enumerate(above) if node is region.function)
    while isinstance(above[index - 1], ast.ClassDef):
        index -= 1
    node = above[index]
    assert isinstance(node, ast.stmt)  # noqa: S101 - functions and classes are statements
    return node


def _first_row(source: Source, before: ast.stmt) -> int:
    """Return the row of a definition's first line: its decorators and the comments above count."""
    decorators = getattr(before, "decorator_list", [])
    row: int = min([before.lineno, *(decorator.lineno for decorator in decorators)])
    indent = _indent(source, row)
    while row > 1 and source.lines[row - 2].startswith(f"{indent}#"):
        row -= 1
    return row


def _indent(source: Source, row: int) -> str:
    line = source.lines[row - 1]
    return line[: len(line) - len(line.lstrip(" \t\f"))].replace("\f", "")


def _definition(source: Source, region: Region, before: ast.stmt, name: str, task: str) -> str | None:
    """Return the task's source, its lines indented as what it is put before, with blank lines behind it."""
    import libcst as cst  # noqa: PLC0415 - slow to load, and most checks need no fix

    outer = _indent(source, before.lineno)
    inner = _indent(source, region.function.body[0].lineno)
    unit = inner.removeprefix(_indent(source, region.function.lineno)) or "    "
    last = region.statements[-1].end_lineno or region.statements[-1].lineno
    lines = source.lines[region.statements[0].lineno - 1 : last]
    try:
        module = cst.parse_module("async def _():\n" + "\n".join(lines) + "\n")
    except cst.ParserSyntaxError:
        return None
    function = module.body[0]
    if not isinstance(function, cst.FunctionDef) or not isinstance(function.body, cst.IndentedBlock):
        return None
    statements = [*(cst.parse_statement(ast.unparse(each)) for each in region.imports), *function.body.body]
    if region.outputs:
        statements.append(cst.parse_statement(f"return {', '.join(region.outputs)}"))
    wrapped = function.with_changes(
        name=cst.Name(name),
        params=cst.Parameters(params=[cst.Param(cst.Name(each)) for each in region.inputs]),
        decorators=[cst.Decorator(cst.parse_expression(task))],
        asynchronous=function.asynchronous if region.is_async else None,
        body=function.body.with_changes(body=statements, indent=unit),
    )
    code = cst.Module([wrapped], default_indent=module.default_indent).code.strip("\n")
    if outer:
        code = _indented(code, outer, unit, module.default_indent)
    return f"{code}\n\n\n" if not outer else f"{code}\n\n"


def _indented(code: str, outer: str, unit: str, default: str) -> str:
    """Return a function indented by ``outer``; texts over several lines stay as they are."""
    import libcst as cst  # noqa: PLC0415 - slow to load, and most checks need no fix

    module = cst.parse_module(f"if _:\n{unit}pass\n")
    holder = module.body[0]
    assert isinstance(holder, cst.If)  # noqa: S101 - as written above
    inner = cst.parse_module(code)
    body = cst.IndentedBlock(body=inner.body, indent=outer)
    text = cst.Module([holder.with_changes(body=body)], default_indent=inner.default_indent or default).code
    return text.partition("\n")[2].rstrip("\n")
