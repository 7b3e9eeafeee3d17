"""Star imports: which of them a name comes from, in chains, in circles, in branches, and what they leave out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_DROP: Final = "import os\n\n\ndef drop(name):\n    os.remove(name)\n"
_KEEP: Final = "def drop(name):\n    return name\n"
_SECONDS: Final = 10.0


def job(imports: str, call: str = "drop(p)") -> str:
    """Return a file with a job that calls something."""
    return f'from trigger_sdk import job\n{imports}\n\n\n@job(id="body")\ndef body(p):\n    {call}\n'


def codes(project: Make, files: Mapping[str, str], imports: str, call: str = "drop(p)") -> set[str]:
    """Return the codes of what is found in the job."""
    return {code for _, _, code in project({**files, "jobs/a.py": job(imports, call)}).findings()}


@pytest.mark.parametrize(
    ("files", "imports"),
    [
        ({"m.py": "from n import *\n", "n.py": "from o import *\n", "o.py": _DROP}, "from m import *"),
        ({"m.py": "from n import *\n", "n.py": f"from m import *\n{_DROP}"}, "from m import *"),
        ({"m.py": _KEEP, "n.py": _DROP}, "from m import *\nfrom n import *"),
        ({"n.py": _DROP}, "def drop(name): pass\nfrom n import *"),
        ({"m.py": f"{_KEEP}from n import *\n", "n.py": _DROP}, "from m import *"),
        ({"m.py": "from n import *\n", "n.py": f"__all__ = ['drop']\n{_DROP}"}, "from m import *"),
        ({"m.py": "__all__ = ['drop']\nfrom n import *\n", "n.py": _DROP}, "from m import *"),
        (
            {"m.py": "__all__ = ['drop']\nfrom n import *\n", "n.py": "__all__ = ['drop']\nfrom m import *\n" + _DROP},
            "from m import *",
        ),
        ({"m.py": "from n import *\n", "n.py": _DROP}, "import m\ndrop = m.drop"),
        ({"m.py": "from n import *\n", "n.py": _DROP}, "from m import drop"),
        (
            {
                "m.py": "try:\n    from n import *\nexcept ImportError:\n    from o import *\n",
                "n.py": _DROP,
                "o.py": _KEEP,
            },
            "from m import *",
        ),
        (
            {
                "m.py": "try:\n    from o import *\nexcept ImportError:\n    from n import *\n",
                "n.py": _DROP,
                "o.py": _KEEP,
            },
            "from m import *",
        ),
        ({"p/__init__.py": "from .n import *\n", "p/n.py": _DROP}, "from p import *"),
        ({"m.py": "if True:\n    from n import *\n", "n.py": _DROP}, "from m import *"),
        (
            {"m.py": "from n import *\nfrom o import *\n", "n.py": _DROP, "o.py": "def other(): pass\n"},
            "from m import *",
        ),
        ({"m.py": "from shutil import *\n"}, "from m import *\ndef drop(p): rmtree(p)"),
        ({"m.py": "from n import *\n", "n.py": "from shutil import *\n"}, "from m import *\ndrop = rmtree"),
        (
            {
                "m.py": _DROP.replace("drop", "other")
                + "drop = None\ndef change():\n    global drop\n    drop = other\nchange()\n"
            },
            "from m import *",
        ),
    ],
    ids=range(18),
)
def test_name_of_a_star_import_is_what_python_binds(project: Make, files: Mapping[str, str], imports: str) -> None:
    """The function that removes a file is the one that is called."""
    assert codes(project, files, imports) == {"TRG102"}


@pytest.mark.parametrize(
    ("files", "imports"),
    [
        ({"m.py": _DROP, "n.py": _KEEP}, "from m import *\nfrom n import *"),
        ({"m.py": _DROP}, "from m import *\ndef drop(name): pass"),
        ({"m.py": f"from n import *\n{_KEEP}", "n.py": _DROP}, "from m import *"),
        ({"m.py": f"__all__ = ['other']\n{_DROP}"}, "from m import *"),
        ({"m.py": "__all__ = ['other']\nfrom n import *\n", "n.py": _DROP}, "from m import *"),
        ({"m.py": _DROP.replace("drop", "_drop")}, "from m import *\ndrop = _drop"),
        (
            {"m.py": "from n import *\n", "n.py": "__all__ = ['_drop']\n" + _DROP.replace("drop", "_drop")},
            "from m import *\ndrop = _drop",
        ),
        ({"m.py": "from n import *\n", "n.py": "from m import *\n"}, "from m import *"),
        ({"m.py": "from m import *\n"}, "from m import *"),
        ({"m.py": "from .. import *\nfrom nowhere import *\n"}, "from m import *"),
    ],
    ids=range(10),
)
def test_name_that_a_star_import_does_not_bind_is_silent(project: Make, files: Mapping[str, str], imports: str) -> None:
    """What is shadowed, private or not exported is not what is called."""
    assert codes(project, files, imports) == set()


def test_private_name_that_is_exported_is_bound(project: Make) -> None:
    """``__all__`` may list names that a star import leaves out otherwise."""
    files = {"m.py": "__all__ = ['_drop']\n" + _DROP.replace("drop", "_drop")}
    assert codes(project, files, "from m import *", "_drop(p)") == {"TRG102"}


def test_star_import_brings_the_submodules_that_are_exported(project: Make) -> None:
    """``__all__`` of a package may list its modules."""
    files = {"p/__init__.py": "__all__ = ['n']\n", "p/n.py": _DROP}
    assert codes(project, files, "from p import *", "n.drop(p)") == {"TRG102"}


def test_edited_module_changes_what_comes_by_way_of_others(project: Make) -> None:
    """A check that follows an edit finds what a fresh one does."""
    made = project({"m.py": "from n import *\n", "n.py": _KEEP, "jobs/a.py": job("from m import *")})
    assert made.findings() == []
    assert made.findings(texts={"n.py": _DROP}) == [("jobs/a.py", 7, "TRG102")]


@pytest.mark.parametrize("shape", ["circle", "chain", "ladder"])
def test_star_imports_of_very_many_modules_end_soon(project: Make, shape: str) -> None:
    """A thousand modules that pass on all that others have, with names that none of them has."""
    count = 1000
    following: Callable[[int], str] = {
        "circle": lambda i: f"from m{(i + 1) % count} import *\n",
        "chain": lambda i: f"from m{i + 1} import *\n" if i + 1 < count else "",
        "ladder": lambda i: "".join(f"from m{j} import *\n" for j in (i + 1, i + 2) if j < count),
    }[shape]
    files: dict[str, str | bytes] = {
        f"m{i}.py": f"{following(i)}def f{i}(p):\n    print(nobody, len(p))\n" for i in range(count)
    }
    files["m700.py"] = f"{following(700)}import os\n\n\ndef f700(p):\n    os.remove(p)\n"
    files["jobs/a.py"] = job("from m0 import *", "f700(p); f5(p)")
    begin = time.process_time()
    found = project(files).findings()
    assert time.process_time() - begin < _SECONDS
    assert found == [("jobs/a.py", 7, "TRG102")]
