"""Types that the catalogue says no journal stores are refused by the SDK, and nothing that it stores is among them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.catalogue.loader import load_catalogue

ROOT = Path(__file__).parents[3]
INSTALLED_HERE = frozenset(("httpx", "sqlalchemy", "websockets", "docker", "jinja2"))
STORED = (
    "datetime.datetime",
    "decimal.Decimal",
    "uuid.UUID",
    "pathlib.Path",
    "collections.Counter",
    "collections.deque",
    "zoneinfo.ZoneInfo",
    "stripe.StripeObject",
    "builtins.str",
)
_REFUSED = """
import sys
from importlib import import_module
from trigger_sdk._codec.classes import rule_of
from trigger_sdk._codec.walk import Refused
for name in sys.argv[1:]:
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            found = import_module(".".join(parts[:end]))
            for part in parts[end:]:
                found = getattr(found, part)
            break
        except (ImportError, AttributeError):
            found = None
    if not isinstance(found, type):
        print("absent", name)
        continue
    try:
        rule_of(found)
        print("stored", name)
    except Refused:
        print("refused", name)
"""


@pytest.fixture(scope="module")
def verdicts() -> dict[str, str]:
    """What the SDK says of each listed type of the standard library and of what is installed here."""
    roots = sys.stdlib_module_names | {"builtins"} | INSTALLED_HERE
    names = sorted(
        name
        for name in load_catalogue().tables.not_stored
        if name.partition(".")[0] in roots and not name.endswith(")")
    )
    # A process of its own: importing all of these modules is not what other tests expect.
    command = [sys.executable, "-W", "ignore", "-c", _REFUSED, *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {name: verdict for verdict, name in rows}


def test_listed_types_are_refused_by_the_sdk(verdicts: dict[str, str]) -> None:
    """Each type of the list that is here is one that the SDK refuses."""
    assert [name for name, verdict in verdicts.items() if verdict == "stored"] == []
    assert sum(verdict == "refused" for verdict in verdicts.values()) > 80


def test_listed_types_of_the_standard_library_exist(verdicts: dict[str, str]) -> None:
    """No name of the list is misspelled: factories such as threading.Lock are functions, all others are classes."""
    absent = {name for name, verdict in verdicts.items() if verdict == "absent" and "." in name}
    assert {name for name in absent if name.partition(".")[0] in sys.stdlib_module_names} <= {
        "threading.Lock",
        "threading.RLock",
        "multiprocessing.Process",
        "multiprocessing.Pool",
        "multiprocessing.Queue",
    }


@pytest.mark.parametrize("name", STORED)
def test_types_that_are_stored_are_not_listed(name: str) -> None:
    """What the SDK stores is never reported."""
    assert not load_catalogue().is_not_stored(name)
