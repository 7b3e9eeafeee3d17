"""Flow of control: which statements are reached, and what variables hold where branches meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from analyzer.facts import tree
from analyzer.graph.atoms import Instance, Value
from analyzer.graph.values import either, is_part

if TYPE_CHECKING:
    from analyzer.graph.frames import Frame

Env = dict[str, Value]

_ENDLESS: Final = ("itertools.count()", "itertools.repeat()", "itertools.cycle()")


class Loop:
    """What leaves a loop early: the variables at each ``break`` and ``continue``."""

    __slots__ = ("breaks", "continues")

    def __init__(self) -> None:
        self.breaks: list[Env] = []
        self.continues: list[Env] = []


def known(test: tree.Expression) -> bool | None:
    """Return what a condition is known to be at run time, None when it is not."""
    if isinstance(test, tree.Constant):
        return bool(test.value)
    if isinstance(test, tree.Compare) and isinstance(test.left, tree.Name) and test.left.id == "__name__":
        return False if test.operators == ["eq"] else None
    return None


def is_for_types(test: tree.Expression) -> bool:
    """Tell whether a condition is ``TYPE_CHECKING``: annotations need what it binds, and what follows binds anew."""
    return (isinstance(test, tree.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, tree.Attribute) and test.name == "TYPE_CHECKING"
    )


def join(frame: Frame, ends: list[tuple[bool, Env]]) -> bool:
    """Continue with the variables of all branches that reach their end; return whether one does."""
    reached = [env for is_reached, env in ends if is_reached]
    if reached:
        frame.env = united(reached)
    return bool(reached)


def united(envs: list[Env]) -> Env:
    """Return what variables may hold after any of several branches."""
    if all(env is envs[0] for env in envs):
        return envs[0]
    result = dict(envs[0])
    for env in envs[1:]:
        for name, value in env.items():
            known = result.get(name)
            if known is None:
                result[name] = value
            elif known is not value and not is_part(value, known):
                result[name] = either(known, value)
    return result


def is_endless(iterable: Value) -> bool:
    """Tell whether iterating never ends: ``itertools.count()``, ``itertools.repeat(x)``, ``itertools.cycle(xs)``."""
    return any(type(atom) is Instance and atom.type in _ENDLESS for atom in iterable)


def breaks(body: list[tree.Statement]) -> bool:
    """Tell whether a loop's body has a ``break`` of that loop."""
    for statement in body:
        if isinstance(statement, tree.Jump):
            if statement.kind == "break":
                return True
        elif isinstance(statement, tree.For | tree.While):
            if breaks(statement.orelse):
                return True
        elif any(breaks(block) for block in _blocks(statement)):
            return True
    return False


def leaves(body: list[tree.Statement]) -> bool:
    """Tell whether a loop's body can leave the loop: ``break``, ``return``, ``raise``."""
    return breaks(body) or _ends(body)


def _ends(body: list[tree.Statement]) -> bool:
    return any(
        isinstance(statement, tree.Return | tree.Raise) or any(_ends(block) for block in _blocks(statement))
        for statement in body
    )


def _blocks(statement: tree.Statement | tree.Handler) -> list[list[tree.Statement]]:
    """Return the blocks inside a statement."""
    if isinstance(statement, tree.If | tree.For | tree.While):
        return [statement.body, statement.orelse]
    if isinstance(statement, tree.With):
        return [statement.body]
    if isinstance(statement, tree.Try):
        return [statement.body, statement.orelse, statement.final, *(handler.body for handler in statement.handlers)]
    if isinstance(statement, tree.Match):
        return [case.body for case in statement.cases]
    return []
