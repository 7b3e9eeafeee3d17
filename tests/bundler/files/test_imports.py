"""Imports of a project, resolved for an image: to the project, the standard library, locked distributions, or told."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.cache import Cache
from bundler.errors import ImportsUnresolved
from bundler.files.collect import collect
from bundler.files.distribution_names import likely_distribution
from bundler.files.imports import ImportReport, check_imports
from bundler.files.patterns import Patterns
from bundler.files.stdlib import is_stdlib
from bundler.settings import BundleSettings
from trigger_sdk.protocol.project import load_project

LOCKED = {"yaml": "PyYAML", "requests": "requests", "google.auth": "google-auth", "google.cloud.storage": "g-c-s"}

Check = Callable[..., ImportReport]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Return what writes a project, a text alone as its only job, and checks its imports."""

    def run(
        files: str | Mapping[str, str],
        *,
        python: tuple[int, int] = (3, 11),
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        locked: Mapping[str, str] = LOCKED,
    ) -> ImportReport:
        written = {"jobs/a.py": files} if isinstance(files, str) else {"jobs/a.py": "", **files}
        for place, text in {"trigger.toml": "", **written}.items():
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        project = load_project(tmp_path)
        settings = BundleSettings(include=Patterns.of(include), exclude=Patterns.of(exclude))
        return check_imports(project, collect(project, settings), python=python, distributions=locked)

    return run


@pytest.mark.parametrize(
    "text",
    [
        "import os, sys, json.decoder\nfrom collections import abc\nimport __main__, __future__",
        "import trigger_sdk\nfrom trigger_sdk import job",
        "import yaml\nfrom requests.adapters import HTTPAdapter",
        "import google.auth\nfrom google import auth",
        "from google.cloud import storage\nimport google.cloud.storage.blob",
        "try:\n    import ujson as json\nexcept ImportError:\n    import json",
        "try:\n    import tomllib\nexcept ModuleNotFoundError:\n    import tomli as tomllib",
        "try:\n    import nothing\nexcept (ValueError, ImportError) as error:\n    pass",
        "try:\n    import nothing\nexcept:\n    pass",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import nothing",
        "from contextlib import suppress as quiet\nwith quiet(ImportError):\n    import nothing",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nothing",
        "import typing as t\nif not t.TYPE_CHECKING:\n    pass\nelse:\n    import nothing",
        "import sys\nif sys.platform == 'win32':\n    import winreg, nothing",
        "import os\nif os.name != 'posix':\n    pass\nelse:\n    import nothing",
        "import platform\ndef f():\n    if platform.system() == 'Windows':\n        import winsound",
        "import sys\nif sys.version_info < (3, 11):\n    import tomli",
        "from importlib.util import find_spec\nif find_spec('nothing') is not None:\n    import nothing",
        "if __name__ == '__main__':\n    import nothing",
        "import importlib\nimportlib.import_module('json.decoder')",
        "from importlib import import_module as load\nload('yaml')",
    ],
)  # fmt: skip
def test_import_that_is_there_or_not_needed_is_no_problem(check: Check, text: str) -> None:
    """Everything that the image has, and everything that the code can do without."""
    found = check(text)
    assert (found.problems, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("text", "named", "hint"),
    [
        ("import cv2", "'cv2'", "uv add opencv-python"),
        ("from PIL import Image", "'PIL'", "uv add Pillow"),
        ("import sklearn.linear_model", "'sklearn'", "uv add scikit-learn"),
        ("from dotenv import load_dotenv", "'dotenv'", "uv add python-dotenv"),
        ("import jwt", "'jwt'", "uv add PyJWT"),
        ("import some_thing", "'some_thing'", "uv add some-thing"),
        ("import reqeusts", "'reqeusts'", "Did you mean 'requests'?"),
        ("from google.cloud import bigquery", "google.cloud.bigquery", "uv add google-cloud-bigquery"),
        ("def f():\n    import nothing", "'nothing'", "uv add nothing"),
        ("if True:\n    pass\nelse:\n    import nothing", "'nothing'", "uv add nothing"),
        ("try:\n    import nothing\nexcept ValueError:\n    pass", "'nothing'", ""),
        ("try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import nothing", "'nothing'", ""),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import nothing", "'nothing'", ""),
        ("import importlib\nimportlib.import_module('nothing.at.all')", "'nothing'", ""),
        ("__import__('nothing')", "'nothing'", ""),
        ("import winreg", "on Windows only", "Guard"),
        ("from . import b", "", ""),
        ("from .. import b", "above the package 'jobs'", "full name"),
        ("import jobs.c", "package 'jobs' has no such module", ""),
        ("import jobs.a.c", "no package", ""),
        ("from jobs import c", "'jobs.c'", ""),
    ],
)  # fmt: skip
def test_import_of_nothing_is_told(check: Check, text: str, named: str, hint: str) -> None:
    """One problem, with the line of the import and the distribution that most likely has it."""
    (problem,) = check(text).problems
    assert named in problem.message
    assert hint in problem.hint
    last = max(number for number, line in enumerate(text.split("\n"), 1) if "import" in line or "__import__" in line)
    assert problem.where == f"jobs/a.py:{last}"


@pytest.mark.parametrize(
    ("text", "python", "named"),
    [
        ("import distutils.core", (3, 12), "'distutils' was removed in Python 3.12, and the image has Python 3.12"),
        ("import telnetlib", (3, 13), "was removed in Python 3.13"),
        ("import compression.zstd", (3, 13), "came with Python 3.14, and the image has Python 3.13"),
        ("from string import templatelib", (3, 11), "'string.templatelib' came with Python 3.14"),
    ],
)
def test_standard_library_is_that_of_the_image(check: Check, text: str, python: tuple[int, int], named: str) -> None:
    """Not that of the Python that builds."""
    (problem,) = check(text, python=python).problems
    assert named in problem.message


def test_standard_library_of_other_versions_is_there(check: Check) -> None:
    """What was removed later, what came earlier, and what a distribution brings back."""
    assert check("import distutils, telnetlib, imp, tomllib", python=(3, 11)).problems == ()
    assert check("import compression.zstd, annotationlib", python=(3, 14)).problems == ()
    assert check("import distutils.core", python=(3, 12), locked={"pkg_resources": "setuptools"}).problems == ()
    assert check("import cgi", python=(3, 13), locked={"cgi": "legacy-cgi"}).problems == ()


def test_table_of_versions_fits_this_python() -> None:
    """Every module of the standard library that runs this is there, but for those of other systems."""
    gone = {name for name in sys.stdlib_module_names if not is_stdlib(name, sys.version_info[:2])}
    assert gone <= {"_winapi", "msilib", "msvcrt", "nt", "winreg", "winsound", "_scproxy"}


def test_files_that_jobs_reach_are_followed(check: Check) -> None:
    """Through packages, relative imports and namespaces; with the distributions that they import."""
    found = check(
        {
            "jobs/a.py": "from shop.orders import place\nimport plain.deep.leaf\n",
            "shop/__init__.py": "import yaml\n",
            "shop/orders/__init__.py": "from . import rows\nfrom ..money import rate\n",
            "shop/orders/rows.py": "",
            "shop/money.py": "import requests\n",
            "shop/unused.py": "",
            "plain/deep/leaf.py": "",
        }
    )
    assert found.problems == ()
    assert found.reached == (
        "jobs/a.py", "plain/deep/leaf.py", "shop/__init__.py", "shop/money.py", "shop/orders/__init__.py",
        "shop/orders/rows.py",
    )  # fmt: skip
    assert found.distributions == ("PyYAML", "requests")


def test_files_that_no_job_reaches_fail_no_build(check: Check) -> None:
    """Tests import what is not locked for production."""
    found = check(
        {"tests/test_a.py": "import pytest\n", "conftest.py": "import pytest\n", "jobs/test_b.py": "import x\n"}
    )
    assert found.problems == ()
    assert [(problem.where, problem.detail) for problem in found.unreached] == [
        ("conftest.py:1", "also at tests/test_a.py:1"), ("jobs/test_b.py:1", ""),
    ]  # fmt: skip


def test_same_import_in_many_files_is_told_once(check: Check) -> None:
    """With the other places in the detail, and all others in the error."""
    found = check({f"jobs/{name}.py": "import cv2\nimport nothing\n" for name in "abc"})
    first, second = found.problems
    assert (first.where, first.detail) == ("jobs/a.py:1", "also at jobs/b.py:1, jobs/c.py:1")
    with pytest.raises(ImportsUnresolved) as caught:
        found.require()
    assert caught.value.problems[1] == second
    assert "jobs/a.py:2" in caught.value.problem.detail


def test_import_of_an_excluded_file_names_the_pattern(check: Check) -> None:
    """Modules, packages, names from packages, and constant dynamic imports."""
    files = {
        "jobs/a.py": "import lib.gone\nfrom lib import left\nimport other\nfrom lib import *\n__import__('late')",
        "lib/__init__.py": "",
        "lib/gone.py": "",
        "lib/left.py": "",
        "other/__init__.py": "",
        "late.py": "",
    }
    found = check(files, exclude=["lib/g*", "**/left.py", "other", "late.py"])
    assert [(problem.where, problem.message.rpartition(" by ")[2]) for problem in found.problems] == [
        ("jobs/a.py:1", "the pattern 'lib/g*'"), ("jobs/a.py:2", "the pattern '**/left.py'"),
        ("jobs/a.py:3", "the pattern 'other'"), ("jobs/a.py:5", "the pattern 'late.py'"),
    ]  # fmt: skip
    assert '"!lib/gone.py"' in found.problems[0].hint
    assert check(files).problems == ()


def test_jobs_that_are_all_excluded_are_told(check: Check) -> None:
    """An image without a job is of no use."""
    (problem,) = check("", exclude=["jobs"]).problems
    assert "excluded by the pattern 'jobs'" in problem.message


def test_module_of_the_project_wins(check: Check) -> None:
    """Over the standard library and distributions; a folder without modules is none, and loses."""
    files = {"jobs/a.py": "import yaml, json\nimport requests\n", "yaml.py": "import nothing\n", "json/__init__.py": ""}
    assert [problem.where for problem in check({**files, "requests/conf.ini": ""}).problems] == ["yaml.py:1"]
    (problem,) = check({"jobs/a.py": "import redis\n", "yaml.py": "", "redis/redis.conf": ""}).problems
    assert "uv add redis" in problem.hint


def test_src_layout_is_followed(check: Check) -> None:
    """Packages below ``src`` are imported without it."""
    found = check({"jobs/a.py": "import shop.b\n", "src/shop/__init__.py": "", "src/shop/b.py": "import cv2\n"})
    assert [problem.where for problem in found.problems] == ["src/shop/b.py:1"]


def test_compiled_modules_must_be_included(check: Check) -> None:
    """A file that is no Python text goes in only when a pattern includes it."""
    files = {"jobs/a.py": "import fast\nfrom lib import quick\nimport lib.quick\n", "lib/__init__.py": ""}
    files |= {"fast.cpython-311-x86_64-linux-gnu.so": "", "lib/quick.abi3.so": ""}
    found = check(files)
    assert [problem.hint.partition(";")[0] for problem in found.problems] == [
        'Add it: include = ["fast.cpython-311-x86_64-linux-gnu.so"]', 'Add it: include = ["lib/quick.abi3.so"]',
    ]  # fmt: skip
    assert check(files, include=["**/*.so"]).problems == ()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("import importlib\nimportlib.import_module(name)", "made when it runs", 'include = ["FOLDER/**"]'),
        ("__import__(name)", "made when it runs", "FOLDER"),
        ("from importlib import import_module\nimport_module(f'acme.x.{name}')", "'acme.x'", '"acme/x/**"'),
        ("from importlib import import_module\nimport_module('acme.%s' % name)", "'acme'", '"acme/**"'),
        ("from importlib import import_module\nimport_module('acme.' + name)", "'acme'", '"acme/**"'),
        ("from importlib import import_module\nimport_module('acme.{}'.format(name))", "'acme'", '"acme/**"'),
        ("import pkgutil\nlist(pkgutil.iter_modules(path))", "lists modules", "FOLDER"),
        ("from importlib.metadata import entry_points\nentry_points(group='x')", "entry points", "lock"),
        ("import runpy\nrunpy.run_path(path)", "runs a file", "FOLDER"),
    ],
)  # fmt: skip
def test_dynamic_import_is_a_warning(check: Check, text: str, message: str, hint: str) -> None:
    """With its line, and the include that would fix it."""
    found = check(text)
    (warning,) = found.warnings
    assert found.problems == ()
    assert message in warning.message
    assert hint in warning.hint
    assert warning.where == f"jobs/a.py:{len(text.splitlines())}"


def test_dynamic_import_in_a_package_that_is_all_there_is_none(check: Check) -> None:
    """It is told only when something of the package stays behind."""
    text = "from importlib import import_module\nimport_module(f'plugins.{name}')\nimport_module(f'yaml.{name}')\n"
    files = {"jobs/a.py": text, "plugins/__init__.py": "", "plugins/one.py": "", "plugins/two.py": ""}
    assert check(files).warnings == ()
    (warning,) = check(files, exclude=["plugins/two.py"]).warnings
    assert "beginning with 'plugins'" in warning.message


def test_names_of_plugins_as_text_are_resolved(check: Check) -> None:
    """``module:name`` and ``module.name``, by the functions that take such."""
    found = check("import pkgutil\npkgutil.resolve_name('lost.part:Name')\npkgutil.resolve_name('json:loads')\n")
    assert [problem.where for problem in found.problems] == ["jobs/a.py:2"]


def test_file_that_is_no_python_is_told(check: Check) -> None:
    """With its line; for an image with a later Python than this one, nobody here can tell."""
    (problem,) = check("x = 1\ny = = 2\n").problems
    assert problem.where == "jobs/a.py:2"
    assert "no valid Python" in problem.message
    assert check("x = 1\ny = = 2\n", python=(3, 99)).problems == ()


def test_module_in_a_folder_that_is_no_root_is_found(check: Check) -> None:
    """What worked when the script was run in its own folder."""
    (problem,) = check({"jobs/a.py": "import clients\n", "jobs/clients.py": ""}).problems
    assert problem.hint.startswith("There is jobs/clients.py: import it as jobs.clients, or set source_roots")


def test_what_files_import_is_kept(tmp_path: Path) -> None:
    """A build with a warm cache says the same; a changed file is read again; damage is read over."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "trigger.toml").write_text("")
    (tmp_path / "jobs/a.py").write_text("import cv2\nfrom . import nothing\n__import__(name)\n")
    project, cache = load_project(tmp_path), Cache(tmp_path / "cache")

    def checked(kept: Cache | None) -> ImportReport:
        selection = collect(project, BundleSettings())
        return check_imports(project, selection, python=(3, 11), distributions={}, cache=kept)

    cold = checked(None)
    assert checked(cache) == checked(cache) == cold
    (kind,) = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert kind
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(b"damaged")
    assert checked(cache) == cold
    (tmp_path / "jobs/a.py").write_text("import json\n")
    assert checked(cache).problems == ()


@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_told(data: bytes) -> None:
    """Hostile sources end in a report, never in another error."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "jobs").mkdir()
        (root / "trigger.toml").write_text("")
        (root / "jobs/a.py").write_bytes(data)
        project = load_project(root)
        report = check_imports(project, collect(project, BundleSettings()), python=(3, 11), distributions={})
    assert report.reached == ("jobs/a.py",)


@pytest.mark.parametrize(
    "text", ["x = " + "(" * 5000 + ")" * 5000, "x = " + "-" * 5000 + "1", "x = " + "+".join(["1"] * 20_000)]
)
def test_deeply_nested_source_is_read_or_told(check: Check, text: str) -> None:
    """Data spelt out in a file must not end the build with an error of ours."""
    assert all("no valid Python" in problem.message for problem in check(text).problems)


@pytest.mark.parametrize(
    ("module", "distribution"),
    [
        ("yaml", "PyYAML"),
        ("bs4", "beautifulsoup4"),
        ("google.cloud.tasks_v2", "google-cloud-tasks-v2"),
        ("a_b.c", "a-b"),
    ],
)
def test_likely_distribution(module: str, distribution: str) -> None:
    """By the table, by the scheme of the large vendors, or by the module's own name."""
    assert likely_distribution(module) == distribution
