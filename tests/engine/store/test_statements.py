"""Every statement compiles for both databases, and none of them looks at a whole table that grows."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.base import PGDialect

from engine.store import statements
from engine.store.interface import Statement
from engine.store.sqlite import SqliteStore, sql_text
from engine.store.statements import views

GROWING = ("runs", "journal", "journal_superseded", "blobs", "waits", "wait_keys", "events", "event_keys", "logs")
"""Tables whose size goes with the work done; the others go with the code and the workers."""


def every_statement() -> dict[str, Statement]:
    """Return all statements by ``module.NAME``."""
    found: dict[str, Statement] = {}
    for info in pkgutil.iter_modules(statements.__path__):
        module = importlib.import_module(f"{statements.__name__}.{info.name}")
        found |= {f"{info.name}.{name}": s for name, s in vars(module).items() if isinstance(s, Statement)}
    return found | {f"views.LISTINGS{key}": statement for key, statement in views.LISTINGS.items()}


STATEMENTS = every_statement()


@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_compiles_for_postgresql(name: str) -> None:
    """The second driver can use it as it stands."""
    statement = STATEMENTS[name]
    element: Any = statement.build(postgresql)
    dialect = PGDialect()  # type: ignore[no-untyped-call]  # untyped in SQLAlchemy
    assert str(element.compile(dialect=dialect, column_keys=statement.columns))


def test_no_statement_scans_a_table_that_grows(tmp_path: Path) -> None:
    """SQLite finds an index for each: cost goes with what is found, not with what is there."""
    store = SqliteStore(tmp_path / "e.db").open("normal")
    scans: dict[str, list[str]] = {}
    for name, statement in STATEMENTS.items():
        text = sql_text(statement)
        params = dict.fromkeys(re.findall(r":(\w+)", text), 1)
        plan = [row[3] for row in store.writer.raw.execute(f"EXPLAIN QUERY PLAN {text}", params)]
        found = [step for step in plan if step.startswith("SCAN") and step.split()[1] in GROWING]
        if found:
            scans[name] = found
    store.close()
    assert scans == {}
