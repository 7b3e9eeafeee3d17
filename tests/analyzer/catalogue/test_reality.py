"""The catalogue against reality: names of the standard library, and of what is installed here, exist."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from analyzer.catalogue.loader import load_catalogue
from analyzer.catalogue.verify import names_of, verify

ROOT = Path(__file__).parents[3]
INSTALLED_HERE = ("httpx", "sqlalchemy", "websockets", "msgspec", "pydantic", "attrs", "attr")


def verified(roots: set[str]) -> tuple[int, str]:
    """Compare the names of some libraries with what is installed; return how many, and those that do not exist."""
    # A process of its own: importing all of these modules is not what other tests expect.
    code = (
        "import sys; from analyzer.catalogue.loader import load_catalogue;"
        "from analyzer.catalogue.verify import names_of, verify;"
        "roots = set(sys.argv[1:]);"
        "found = verify(n for n in names_of(load_catalogue().tables) if n.partition('.')[0] in roots);"
        "print(found.checked, found.missing)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, *sorted(roots)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    checked, _, missing = done.stdout.partition(" ")
    return int(checked), missing.strip()


def test_names_of_the_standard_library_exist() -> None:
    """Each name of the standard library exists in this Python, or is known to be of another version."""
    roots = {name.partition(".")[0] for name in names_of(load_catalogue().tables)} & sys.stdlib_module_names
    checked, missing = verified({*roots, "builtins"})
    assert missing == "[]"
    assert checked > 800


def test_names_of_installed_libraries_exist() -> None:
    """The same for the libraries that the tests have anyway."""
    checked, missing = verified(set(INSTALLED_HERE))
    assert missing == "[]"
    assert checked > 100


def test_missing_names_are_found() -> None:
    """The comparison does find what does not exist: a function, a method, a class."""
    found = verify(["os.remove", "os.remoove", "pathlib.Path.read_txt", "json.JSONDecodr", "no_such_library.x"])
    assert found.missing == ["os.remoove", "pathlib.Path.read_txt", "json.JSONDecodr"]
    assert found.absent == {"no_such_library"}
