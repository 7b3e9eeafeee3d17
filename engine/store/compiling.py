"""Statements as the SQL of a database's driver, compiled once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from engine.store.interface import Dialect, Statement


def compiled_text(statement: Statement, *, module: ModuleType, dialect: Any, placeholder: Callable[[str], str]) -> str:
    """Compile a statement to SQL with named parameters; constants are written into the text.

    Args:
        statement: what is compiled.
        module: of the dialect, from which statements take what differs between databases.
        dialect: what it is compiled for, one of SQLAlchemy's.
        placeholder: the expression that finds the parameter of a name in the text.
    """
    element: Any = statement.build(cast("Dialect", module))
    compiled = element.compile(dialect=dialect, column_keys=statement.columns)
    text = str(compiled)
    for name, value in compiled.params.items():
        if name not in compiled.binds or not compiled.binds[name].required:
            text = re.sub(placeholder(name), _literal(value), text)
    return text


def _literal(value: object) -> str:
    """Write a constant of our own as SQL."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))
