"""Compare the catalogue with the libraries that are installed: every name in it must exist.

Run it with an interpreter that has the libraries; what is not installed is skipped and counted::

    python -m analyzer.catalogue.verify            # everything that is installed
    python -m analyzer.catalogue.verify boto3 os   # these roots only

It imports libraries, so it is for developers and tests; the analyzer itself never does.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
import warnings
from dataclasses import dataclass, field
from functools import cache
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from analyzer.catalogue.loader import load_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.catalogue.data import Tables

_MISSING: Final = object()


class _Unknowable:
    """Stands for what cannot be looked at without making an instance: below it everything may exist."""


_UNKNOWABLE: Final = _Unknowable()

_ELSEWHERE: Final = frozenset(
    (
        # other versions of Python, other systems
        "os.lchmod", "os.chflags", "os.startfile", "os.path.isjunction", "pathlib._local", "glob.translate",
        "pathlib.Path.copy", "pathlib.Path.copy_into", "pathlib.Path.full_match", "pathlib.Path.is_junction",
        "pathlib.Path.move", "pathlib.Path.move_into", "pathlib.Path.walk", "pathlib.Path.with_segments",
        "concurrent.futures.InterpreterPoolExecutor", "sqlite3.Connection.load_extension", "dbm.gnu", "dbm.sqlite3",
        # other major versions of libraries, still in use
        "anthropic.AI_PROMPT", "anthropic.HUMAN_PROMPT", "algoliasearch.search_client", "mistralai", "pandas.read_gbq",
        "paramiko.DSSKey", "neo4j.GraphDatabase.bolt_driver", "neo4j.Session.read_transaction",
        "neo4j.Session.write_transaction", "openai.ChatCompletion", "postgrest", "snowflake.snowpark",
        "ulid", "stripe.charges", "stripe.customers", "stripe.refunds", "stripe.payment_intents", "stripe.invoices",
        "stripe.subscriptions", "stripe.StripeClient.parse_thin_event",
        # made by a metaclass, a descriptor or a registry that wants a configured project
        "django.db.models.Model.objects", "django.contrib.auth.models", "mongoengine.Document.objects",
    )
)  # fmt: skip
"""Names that exist, but not in every version, or not before a project is configured; with all that is below them."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a comparison found.

    Attributes:
        checked: how many names were looked up in an installed library.
        missing: names of the data that do not exist.
        absent: roots that are not installed.
    """

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)


def names_of(tables: Tables) -> list[str]:
    """Return all names that the data speaks of, sorted."""
    names = {*tables.effects, *tables.below, *tables.pure, *tables.returns, *tables.attributes, *tables.aliases}
    names.update(tables.returns.values(), tables.attributes.values(), tables.aliases.values())
    return sorted(name for name in names if name)


def verify(names: Iterable[str]) -> Findings:
    """Look every name up in what is installed for this interpreter."""
    findings = Findings()
    for name in names:
        plain = _plain(name)
        if any(plain == known or plain.startswith(f"{known}.") for known in _ELSEWHERE):
            continue
        root = plain.partition(".")[0]
        if root in findings.absent:
            continue
        if _module(root) is None:
            findings.absent.add(root)
            continue
        findings.checked += 1
        if _find(plain) is _MISSING:
            findings.missing.append(name)
    return findings


def _plain(name: str) -> str:
    """Return the part of a name that can be looked up: up to a factory's call, without a trailing star."""
    return name.partition("()")[0].removesuffix(".*")


def _find(name: str) -> object:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        found: Any = _module(".".join(parts[:length]))
        if found is None:
            if _lacks_something(".".join(parts[:length])):
                return _UNKNOWABLE
            continue
        if getattr(found, "__file__", "") is None:
            return _UNKNOWABLE  # a namespace such as `google.cloud`: the distribution below it is not installed
        for part in parts[length:]:
            found = _member(found, part)
            if found is _MISSING or found is _UNKNOWABLE:
                break
        if found is not _MISSING:
            return found
    return _MISSING


def _member(owner: Any, name: str) -> object:
    try:
        return inspect.getattr_static(owner, name) if issubclass(type(owner), type) else getattr(owner, name)
    except Exception:  # noqa: BLE001, S110 - libraries raise anything from a lazy attribute
        pass
    if not issubclass(type(owner), type):  # not isinstance: lazy objects answer it, or raise
        # What a property or a descriptor gives is seen on instances only; a module has what it has.
        return _MISSING if issubclass(type(owner), (ModuleType, FunctionType)) else _UNKNOWABLE
    if "__getattr__" in {attribute for cls in owner.__mro__ for attribute in vars(cls)}:
        return _UNKNOWABLE
    try:
        return getattr(owner, name)  # a metaclass may answer
    except Exception:  # noqa: BLE001 - as above
        return _UNKNOWABLE if name in _instance_attributes(owner) else _MISSING


@cache
def _instance_attributes(cls: type) -> frozenset[str]:
    """Return the names that methods of a class, or its annotations, give to its instances."""
    names: set[str] = set()
    for each in cls.__mro__:
        names.update(vars(each).get("__annotations__", ()), vars(each).get("__slots__", ()))
        try:
            tree = ast.parse(dedent(inspect.getsource(each)))
        except (OSError, TypeError, SyntaxError):
            continue
        names.update(_assigned_to_self(tree))
    return frozenset(names)


def _assigned_to_self(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            yield node.attr


@cache
def _module(name: str) -> Any:
    if "(" in name:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except (Exception, SystemExit):  # noqa: BLE001 - a module that cannot be imported here cannot be compared
        return None


@cache
def _lacks_something(name: str) -> bool:
    """Tell whether a module is there but cannot be imported, for want of an optional dependency."""
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:  # noqa: BLE001 - a parent that cannot be imported raises what it likes
        return False


def main(roots: list[str]) -> int:
    """Print what does not exist; exit code 1 when there is anything."""
    names = names_of(load_catalogue().tables)
    findings = verify(name for name in names if not roots or name.partition(".")[0] in roots)
    for name in findings.missing:
        sys.stdout.write(f"{name}\n")
    sys.stdout.write(
        f"{findings.checked} names looked up, {len(findings.missing)} do not exist,"
        f" {len(findings.absent)} libraries are not installed\n"
    )
    return 1 if findings.missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
