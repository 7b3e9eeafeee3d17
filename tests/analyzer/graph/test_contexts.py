"""Calls that are told apart: what one decorator makes of a hundred functions is a hundred functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_COUNT: Final = 150
_HEAD: Final = "import functools\nimport os\nfrom trigger_sdk import job\n\nKNOWN = {}\n\n\n"

_DECORATORS: Final = {
    "wrapper": (
        (
            "def d(f):\n    @functools.wraps(f)\n    def w(*a, **k):\n        print(f)\n"
            "        return f(*a, **k)\n\n    return w\n"
        ),
        "@d\n",
    ),
    "same-function": ("def d(f):\n    KNOWN[f.__name__] = f\n    return f\n", "@d\n"),
    "factory": (
        (
            "def d(times, name=None):\n    def deco(f):\n        KNOWN[name] = f\n\n        @functools.wraps(f)\n"
            "        def w(*a, **k):\n            for _ in range(times):\n                return f(*a, **k)\n\n"
            "        return w\n\n    return deco\n"
        ),
        "@d({number}, name='n{number}')\n",
    ),
    "method": (
        (
            "class App:\n    def __init__(self):\n        self.routes = {}\n\n    def route(self, path):\n"
            "        def deco(f):\n            self.routes[path] = f\n            return f\n\n        return deco\n\n\n"
            "app = App()\n"
        ),
        "@app.route('/{number}')\n",
    ),
    "two": (
        (
            "def e(f):\n    return lambda *a: f(*a)\n\n\n"
            "def d(f):\n    def w(*a):\n        return f(*a)\n\n    return w\n"
        ),
        "@d\n@e\n",
    ),
}


@pytest.mark.parametrize("name", _DECORATORS)
@pytest.mark.parametrize("is_split", [False, True], ids=["one-module", "many-modules"])
def test_one_effect_among_very_many_decorated_functions_is_told_alone(project: Make, name: str, is_split: bool) -> None:
    """A body calls all of them; one has an effect, at the place where it is called."""
    definition, use = _DECORATORS[name]
    functions = [
        f"{use.format(number=i)}def f{i}(p):\n    {'os.remove(p)' if i == _COUNT // 2 else 'return p'}\n\n\n"
        for i in range(_COUNT)
    ]
    imports = "from tools import d\n" if name != "method" else "from tools import app\n"
    body = '@job(id="a")\ndef a(p):\n' + "".join(f"    f{i}(p)\n" for i in range(_COUNT))
    files: dict[str, str | bytes] = {"tools.py": f"{_HEAD}{definition}"}
    if is_split:
        files |= {f"m{i}.py": f"import os\n{imports}\n\n{function}" for i, function in enumerate(functions)}
        head = "from trigger_sdk import job\n" + "".join(f"from m{i} import f{i}\n" for i in range(_COUNT))
    else:
        head = f"import os\nfrom trigger_sdk import job\n{imports}\n\n{''.join(functions)}"
    found = project({**files, "jobs/a.py": f"{head}\n\n{body}"}).findings()
    row = f"{head}\n\n{body}".split("\n").index(f"    f{_COUNT // 2}(p)") + 1
    assert found == [("jobs/a.py", row, "TRG102")]


def test_very_many_decorated_classes_are_told_apart(project: Make) -> None:
    """A registry gives back the class that it is given."""
    classes = "".join(
        f"@d\nclass C{i}:\n    def run(self, p):\n        {'os.remove(p)' if i == 7 else 'return p'}\n\n\n"
        for i in range(_COUNT)
    )
    definition = "def d(cls):\n    KNOWN[cls.__name__] = cls\n    return cls\n\n\n"
    body = '@job(id="a")\ndef a(p):\n' + "".join(f"    C{i}().run(p)\n" for i in range(_COUNT))
    text = f"{_HEAD}{definition}{classes}{body}"
    row = text.split("\n").index("    C7().run(p)") + 1
    assert project({"jobs/a.py": text}).findings() == [("jobs/a.py", row, "TRG102")]
