"""From a name in a body to the function that it is, over the ways in which projects lay out and import modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_DROP = "import os\n\n\ndef drop(name):\n    os.remove(name)\n"
_KEEP = "def drop(name):\n    return name\n"


def job(imports: str, call: str = "drop(p)") -> str:
    """Return a file with a job that calls something."""
    return f'from trigger_sdk import job\n{imports}\n\n\n@job(id="body")\ndef body(p):\n    {call}\n'


def codes(project: Make, files: Mapping[str, str | bytes], place: str = "jobs/a.py") -> list[str]:
    """Return the codes of what is found in one file; all that is found must be there."""
    found = project(files).findings()
    assert {file for file, _, _ in found} <= {place}
    return [code for _, _, code in found]


LOUD = [
    ({"store.py": _DROP}, "from store import drop", "drop(p)"),
    ({"store.py": _DROP}, "from store import drop as d", "d(p)"),
    ({"store.py": _DROP}, "import store", "store.drop(p)"),
    ({"store.py": _DROP}, "import store as s", "s.drop(p)"),
    ({"store.py": _DROP}, "from store import *", "drop(p)"),
    ({"store.py": f"__all__ = ['drop']\n{_DROP}"}, "from store import *", "drop(p)"),
    ({"store.py": f"__all__ = ['other'] + list(names)\n{_DROP}"}, "from store import *", "drop(p)"),
    ({"store.py": f"__all__ = []\n__all__.append('drop')\n{_DROP}"}, "from store import *", "drop(p)"),
    ({"a/b/c.py": _DROP}, "import a.b.c", "a.b.c.drop(p)"),
    ({"a/b/c.py": _DROP}, "import a.b.c as c", "c.drop(p)"),
    ({"a/b/c.py": _DROP}, "from a.b import c", "c.drop(p)"),
    ({"a/b/c.py": _DROP}, "import a.b\nimport a.b.c", "a.b.c.drop(p)"),
    ({"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": _DROP}, "import a.b.c", "a.b.c.drop(p)"),
    ({"a/__init__.py": "from a import b", "a/b.py": _DROP}, "import a", "a.b.drop(p)"),
    ({"a/__init__.py": "from .b import drop", "a/b.py": _DROP}, "from a import drop", "drop(p)"),
    ({"a/__init__.py": "from .b import *", "a/b.py": _DROP}, "import a", "a.drop(p)"),
    ({"a/__init__.py": "from . import b\ngo = b.drop", "a/b.py": _DROP}, "import a", "a.go(p)"),
    ({"a/__init__.py": _DROP}, "import a", "a.drop(p)"),
    ({"a/__init__.py": _DROP, "a.py": _KEEP}, "import a", "a.drop(p)"),
    ({"a/__init__.py": "from .b import drop as b", "a/b.py": _DROP}, "from a import b", "b(p)"),
    ({"jobs/shared.py": _DROP}, "from .shared import drop", "drop(p)"),
    ({"jobs/shared.py": _DROP}, "from . import shared", "shared.drop(p)"),
    ({"jobs/shared.py": _DROP, "jobs/__init__.py": ""}, "from .shared import drop", "drop(p)"),
    ({"jobs/shared.py": _DROP}, "from jobs.shared import drop", "drop(p)"),
    ({"jobs/x/y.py": _DROP}, "from .x.y import drop", "drop(p)"),
    ({"src/pkg/store.py": _DROP, "src/pkg/__init__.py": ""}, "from pkg.store import drop", "drop(p)"),
    ({"src/store.py": _DROP}, "from store import drop", "drop(p)"),
    ({"store.py": _DROP, "store.pyi": "def drop(name: str) -> None: ...\n"}, "from store import drop", "drop(p)"),
    ({"requests.py": _DROP}, "from requests import drop", "drop(p)"),
    (
        {"store.py": _DROP},
        "try:\n    from faster import drop\nexcept ImportError:\n    from store import drop",
        "drop(p)",
    ),
    ({"store.py": _DROP}, "try:\n    from store import drop\nexcept ImportError:\n    drop = None", "drop(p)"),
    ({"store.py": _DROP}, "import sys\nif sys.version_info > (3, 9):\n    from store import drop", "drop(p)"),
    ({"store.py": _DROP}, "import importlib\nstore = importlib.import_module('store')", "store.drop(p)"),
    ({"store.py": _DROP}, "", "from store import drop; drop(p)"),
    ({"store.py": _DROP}, "", "import store; store.drop(p)"),
    ({"one.py": "import two\n", "two.py": f"import one\n{_DROP}"}, "import one", "one.two.drop(p)"),
    (
        {"one.py": f"from two import again\n{_DROP}", "two.py": "from one import drop\nagain = drop\n"},
        "from two import again",
        "again(p)",
    ),
    ({"one.py": "from one import drop\n" + _DROP}, "from one import drop", "drop(p)"),
    ({"one.py": "from two import *\n", "two.py": f"from one import *\n{_DROP}"}, "from one import drop", "drop(p)"),
    ({"store.py": f"{_DROP}\n\nclass C:\n    go = drop\n"}, "from store import C", "C.go(p)"),
    (
        {"store.py": b"# coding: latin-1\nimport os\n\n\ndef l\xf6sche(x):\n    os.remove(x)\n"},
        "import store",
        "store.lösche(p)",
    ),
    ({"größe.py": _DROP}, "from größe import drop", "drop(p)"),
    ({"store.py": _DROP.encode("utf-8-sig")}, "from store import drop", "drop(p)"),
]
SILENT = [
    ({"store.py": _KEEP}, "from store import drop", "drop(p)"),
    ({"requests.py": "def get(url):\n    return url\n"}, "import requests", "requests.get(p)"),
    ({"requests/__init__.py": "def get(url):\n    return url\n"}, "from requests import get", "get(p)"),
    ({"requests/sub.py": "def get(url):\n    return url\n"}, "import requests.sub", "requests.sub.get(p)"),
    ({"store.py": f"__all__ = ['other']\n{_DROP}"}, "from store import *", "drop(p)"),
    ({"store.py": _DROP.replace("drop", "_drop")}, "from store import *", "_drop(p)"),
    ({"a/__init__.py": _KEEP, "a.py": _DROP}, "import a", "a.drop(p)"),
    ({"a.py": _DROP, "src/a.py": _KEEP}, "from b import drop", "drop(p)"),
    ({}, "from nowhere import drop", "drop(p)"),
    ({}, "from .nowhere import drop", "drop(p)"),
    ({}, "from ..... import drop", "drop(p)"),
    ({"store.py": _DROP}, f"from store import drop\n\n\n{_KEEP}", "drop(p)"),
    ({"store.pyi": _DROP}, "from store import drop", "drop(p)"),
    ({"store.txt": _DROP}, "from store import drop", "drop(p)"),
    ({"a/b.py": _DROP}, "import a", "a.drop(p)"),
]


@pytest.mark.parametrize(("files", "imports", "call"), LOUD)
def test_name_is_followed_to_its_function(
    project: Make, files: Mapping[str, str | bytes], imports: str, call: str
) -> None:
    """The function that would run is the one that is looked at."""
    assert codes(project, {**files, "jobs/a.py": job(imports, call)}) == ["TRG102"]


@pytest.mark.parametrize(("files", "imports", "call"), SILENT)
def test_name_is_not_taken_for_another(
    project: Make, files: Mapping[str, str | bytes], imports: str, call: str
) -> None:
    """A name that is not there, or is another's, is silent: the project's modules shadow libraries."""
    assert codes(project, {**files, "jobs/a.py": job(imports, call)}) == []


def test_compiled_module_cannot_be_shadowed(project: Make) -> None:
    """``time`` is in the interpreter: a file of that name is never imported."""
    assert codes(
        project, {"time.py": "def sleep(n):\n    return n\n", "jobs/a.py": job("import time", "time.sleep(3)")}
    ) == ["TRG107"]


def test_folder_without_code_does_not_shadow_a_library(project: Make) -> None:
    """A folder of data called ``requests`` is no package that wins over the installed one."""
    files = {"requests/data.json": "{}", "jobs/a.py": job("import requests", "requests.get(p)")}
    assert codes(project, files) == ["TRG101"]


def test_links_in_circles_end(project: Make) -> None:
    """A folder that contains itself by a link is looked into as far as names lead."""
    made = project({"a/b.py": _DROP, "jobs/a.py": job("from a.loop.loop.b import drop")})
    (made.root / "a" / "loop").symlink_to(made.root / "a")
    (made.root / "jobs" / "loop").symlink_to(made.root / "jobs")
    (made.root / "gone").symlink_to(made.root / "nowhere")
    assert ("jobs/a.py", 7, "TRG102") in made.findings()


def test_broken_module_leaves_the_rest(project: Make) -> None:
    """What cannot be read is one finding, and another function of the same body is still followed."""
    files: dict[str, str | bytes] = {
        "bad.py": "def drop(:\n",
        "store.py": _DROP,
        "jobs/a.py": job("import bad, store", "bad.drop(p); store.drop(p)"),
    }
    assert project(files).findings() == [("bad.py", 1, "TRG901"), ("jobs/a.py", 7, "TRG102")]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"x = 1\x00", b"# coding: nope\n", bytes(range(256)), b"(" * 9000]
)
def test_file_of_any_bytes_is_one_finding(project: Make, content: bytes) -> None:
    """Neither a job file nor a module of such bytes stops the check."""
    files: dict[str, str | bytes] = {
        "bad.py": content,
        "jobs/bad.py": content,
        "store.py": _DROP,
        "jobs/a.py": job("import bad\nfrom store import *"),
    }
    found = project(files).findings()
    assert sorted((file, code) for file, _, code in found) == [
        ("bad.py", "TRG901"),
        ("jobs/a.py", "TRG102"),
        ("jobs/bad.py", "TRG901"),
    ]


def test_unreadable_file_is_a_problem(project: Make) -> None:
    """A module that is a folder or cannot be opened is told, and the rest is checked."""
    made = project({"store.py": _DROP, "jobs/a.py": job("import bad\nfrom store import drop")})
    (made.root / "bad.py").symlink_to(made.root / "bad.py")
    report = made.check()
    assert [each.code for each in report.diagnostics] == ["TRG102"]
    assert [each.code for each in report.problems] == ["file-unreadable"]


def test_unsaved_text_of_a_new_file_counts(project: Make) -> None:
    """A file that was never saved is a module, and one in a package that does not exist yet as well."""
    made = project({"jobs/a.py": job("from new.store import drop")})
    assert made.findings() == []
    assert made.findings(texts={"new/store.py": _DROP}) == [("jobs/a.py", 7, "TRG102")]


def test_unsaved_text_with_a_coding_comment_is_text(project: Make) -> None:
    """The comment is true of the file on disk; the place is right in the text."""
    made = project({"jobs/a.py": job("import os", "pass")})
    text = "# coding: latin-1\n" + job("import os", "x = 'é'; os.remove(p)")
    (found,) = made.check(texts={"jobs/a.py": text}).diagnostics
    assert (found.location.row, found.location.column) == (8, 14)
