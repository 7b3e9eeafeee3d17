"""What a step is called when a task is made of somebody's callable: ``reserve``, ``Shop.charge``, ``stripe.create``."""

from __future__ import annotations

import dis
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_LOADS = frozenset(("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST", "LOAD_CLASSDEREF", "LOAD_FAST_BORROW"))
_ATTRIBUTES = frozenset(("LOAD_ATTR", "LOAD_METHOD"))


def callable_name(fn: Callable[..., Any]) -> str:
    """Return a name that stays the same while the code does, without line numbers or addresses."""
    if isinstance(fn, partial):
        return callable_name(fn.func)
    name = getattr(fn, "__qualname__", None) or type(fn).__qualname__
    code = getattr(fn, "__code__", None)
    if name.endswith("<lambda>") and code is not None:
        return _lambda_name(code) or "lambda"
    return str(name).replace("<locals>.", "")


@lru_cache(maxsize=4096)
def _lambda_name(code: CodeType) -> str:
    """Return the dotted name of the first thing a lambda calls: ``lambda: stripe.charges.create(x)``."""
    parts: list[str] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname in _LOADS and not parts:
            name = str(instruction.argval)
            if not name.startswith("__trigger"):
                parts.append(name)
        elif instruction.opname in _ATTRIBUTES and parts:
            parts.append(str(instruction.argval))
        elif parts:
            break
    return ".".join(parts)
