"""Finding a project, reading its configuration, and naming its modules."""

import os
from pathlib import Path
from typing import Any

import pytest

from trigger_sdk.project import Project, ProjectInvalid, find_project, job_files, load_project, module_name


def tree(root: Path, *paths: str, **files: str) -> Path:
    """Create files (empty, or with text by keyword: ``trigger_toml=...``) and return the root, links resolved."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    for name, text in files.items():
        (root / name.replace("_toml", ".toml")).write_text(text)
    return root.resolve()


def test_project_is_found_upwards(tmp_path: Path) -> None:
    """From a folder deep below, and from a file, the nearest configuration counts."""
    root = tree(tmp_path, "a/b/c.py", trigger_toml='name = "outer"')
    inner = tree(tmp_path / "a", trigger_toml='name = "inner"')
    for start, expected in ((root, root), (inner / "b", inner), (inner / "b" / "c.py", inner)):
        project = find_project(start)
        assert project is not None
        assert project.root == expected


def test_pyproject_counts_only_with_our_table(tmp_path: Path) -> None:
    """Other people's pyproject.toml is walked past, even one that is broken."""
    root = tree(tmp_path, "a/b/x.py", pyproject_toml='[project]\nname = "mine"\n[tool.trigger]\ndirs = ["work"]\n')
    tree(tmp_path / "a", pyproject_toml='[tool.other]\ntrigger = "x"\n')
    tree(tmp_path / "a" / "b", pyproject_toml="this is = not [toml\n")
    project = find_project(root / "a" / "b")
    assert project is not None
    assert (project.root, project.dirs, project.name) == (root, ("work",), "mine")
    assert project.config_file == root / "pyproject.toml"


def test_inline_table_counts(tmp_path: Path) -> None:
    """TOML has several ways to write a table."""
    root = tree(tmp_path, pyproject_toml="[tool]\ntrigger = {dirs = ['x']}\n")
    project = find_project(root)
    assert project is not None
    assert project.dirs == ("x",)


def test_no_project_is_none(tmp_path: Path) -> None:
    """A folder outside any project."""
    assert find_project(tmp_path) is None


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    """An empty trigger.toml is a project with defaults."""
    root = tree(tmp_path, trigger_toml="")
    assert load_project(root) == Project(
        root=root,
        config_file=root / "trigger.toml",
        name=root.name,
        dirs=("jobs",),
        guard="error",
        wait_grace=5.0,
        concurrency=1000,
        task_threads=64,
    )


def test_every_key_is_read(tmp_path: Path) -> None:
    """Each key arrives under its name."""
    root = tree(
        tmp_path,
        "lib/x.py",
        trigger_toml="""
name = "shop"
dirs = ["lib/", "jobs"]
source_roots = ["lib"]
python = ".venv/bin/python"
guard = "warn"
wait_grace = 0
concurrency = 10
task_threads = 2
""",
    )
    project = load_project(root)
    assert (project.name, project.dirs, project.source_roots) == ("shop", ("lib", "jobs"), (root / "lib",))
    assert project.python == str(root / ".venv/bin/python")
    assert (project.guard, project.wait_grace, project.concurrency, project.task_threads) == ("warn", 0.0, 10, 2)
    assert project.import_roots == (root / "lib", root)
    assert project.state_folder == root / ".trigger"


@pytest.mark.parametrize(("written", "read"), [("python3.12", "python3.12"), ("/usr/bin/python3", "/usr/bin/python3")])
def test_interpreter_may_be_a_command_or_a_path(written: str, read: str, tmp_path: Path) -> None:
    """A bare command is left for PATH."""
    assert load_project(tree(tmp_path, trigger_toml=f'python = "{written}"')).python == read


def test_trigger_toml_wins_and_says_so(tmp_path: Path) -> None:
    """Two configurations are told, not mixed."""
    root = tree(tmp_path, trigger_toml='dirs = ["a"]', pyproject_toml='[tool.trigger]\ndirs = ["b"]\nguard = "off"\n')
    project = load_project(root)
    assert (project.dirs, project.guard) == (("a",), "error")
    assert len(project.notes) == 1
    assert "trigger.toml wins" in project.notes[0]


@pytest.mark.parametrize(
    ("toml", "message", "hint"),
    [
        ("dir = ['x']", "no key 'dir'", "Did you mean dirs?"),
        ("wait-grace = 1", "no key 'wait-grace'", "Did you mean wait_grace?"),
        ("colour = 1", "no key 'colour'", "The keys are name, dirs"),
        ("[tool.trigger]\ndirs = ['x']", "no key 'tool'", "at the top"),
        ("dirs = 'jobs'", "dirs in trigger.toml must be a list of paths, and is 'jobs'", '["jobs"]'),
        ("dirs = []", "must be a list of paths, and is an empty list", '["jobs"]'),
        ("dirs = [1]", "must be a list of paths", "quotes"),
        ("guard = 'warning'", "and is 'warning'", '"warn"'),
        ("guard = false", "and is false", 'Write "off"'),
        ("guard = ['warn']", "and is a list", '"warn"'),
        ("wait_grace = '5s'", "must be a number of seconds, and is '5s'", "without quotes"),
        ("wait_grace = -1", "0 or more", "0"),
        ("wait_grace = nan", "0 or more", "0"),
        ("concurrency = 0", "1 or more, and is 0", "100"),
        ("concurrency = true", "and is true", "100"),
        ("concurrency = 1.5", "and is 1.5", "100"),
        ("task_threads = '8'", "and is '8'", "without quotes"),
        ("name = ''", "must be text", "quotes"),
        ("source_roots = ['lib']", "source_roots in trigger.toml names 'lib'", "Create lib/"),
    ],
)
def test_wrong_key_is_named_with_a_hint(toml: str, message: str, hint: str, tmp_path: Path) -> None:
    """File, key and what was written are told, and what to write."""
    with pytest.raises(ProjectInvalid) as caught:
        load_project(tree(tmp_path, trigger_toml=toml))
    problem = caught.value.problem
    assert problem.code == "project-invalid"
    assert message in problem.message
    assert hint in problem.hint
    assert problem.where.startswith("trigger.toml")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Three mistakes are three problems, and one error."""
    with pytest.raises(ProjectInvalid) as caught:
        load_project(tree(tmp_path, pyproject_toml="[tool.trigger]\ndri = 1\nguard = 1\nconcurrency = 'x'\n"))
    assert [problem.where for problem in caught.value.problems] == [
        "pyproject.toml: tool.trigger.dri",
        "pyproject.toml: tool.trigger.guard",
        "pyproject.toml: tool.trigger.concurrency",
    ]
    assert caught.value.problem.detail.count("\n") == 1


@pytest.mark.parametrize("name", ["trigger.toml", "pyproject.toml"])
def test_broken_toml_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    """The line is part of the place."""
    (tmp_path / name).write_text("[tool.trigger]\n\ndirs = [jobs]\n")
    with pytest.raises(ProjectInvalid) as caught:
        find_project(tmp_path)
    assert caught.value.problem.where == f"{name}:3"


def test_table_of_another_type_is_told(tmp_path: Path) -> None:
    """tool.trigger must be a table."""
    with pytest.raises(ProjectInvalid, match="must be a table"):
        load_project(tree(tmp_path, pyproject_toml="[tool]\ntrigger = 1\n"))


def test_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """Bytes that are not UTF-8."""
    (tmp_path / "trigger.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ProjectInvalid, match="is not UTF-8 text"):
        load_project(tmp_path)


def test_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    (tmp_path / "trigger.toml").write_bytes(b"\xef\xbb\xbfguard = 'off'\r\n")
    assert load_project(tmp_path).guard == "off"


def test_job_files_are_all_but_tests_and_foreign_ones(tmp_path: Path) -> None:
    """Hidden folders, environments, tests and scripts are left out."""
    root = tree(
        tmp_path,
        "jobs/a.py", "jobs/deep/er/b.py", "jobs/pkg/__init__.py", "jobs/pkg/c.py", "one.py",
        "jobs/test_a.py", "jobs/a_test.py", "jobs/conftest.py", "jobs/pkg/__main__.py", "jobs/notes.txt",
        "jobs/.hidden/x.py", "jobs/.x.py", "jobs/venv/pyvenv.cfg", "jobs/venv/lib/x.py", "jobs/node_modules/x.py",
        "jobs/__pycache__/x.py", "elsewhere/x.py",
        trigger_toml='dirs = ["jobs", "one.py", "jobs/pkg"]',
    )  # fmt: skip
    (root / "jobs" / "round").symlink_to(root / "jobs")
    found = [path.relative_to(root).as_posix() for path in job_files(load_project(root))]
    assert found == ["jobs/a.py", "jobs/deep/er/b.py", "jobs/pkg/__init__.py", "jobs/pkg/c.py", "one.py"]


@pytest.mark.parametrize(
    ("toml", "message", "hint"),
    [
        ("", "'jobs', and there is no such folder", "Create"),
        ('dirs = ["jbos", "tasks"]', "'jbos'", "Did you mean 'jobs'?"),
        ('dirs = ["single"]', "'single'", 'dirs = ["single.py"]'),
        ('dirs = ["notes.txt"]', "no Python file", "folders or .py files"),
        ('dirs = [".."]', "outside the project", "source_roots"),
    ],
)
def test_folder_that_is_not_there_is_told(toml: str, message: str, hint: str, tmp_path: Path) -> None:
    """What is named in dirs must be there, and in the project."""
    names = ("notes.txt", "single.py", "jobs/x.py") if toml else ("notes.txt",)
    with pytest.raises(ProjectInvalid) as caught:
        job_files(load_project(tree(tmp_path, *names, trigger_toml=toml)))
    assert message in caught.value.problem.message
    assert hint in caught.value.problem.hint


@pytest.mark.parametrize(
    ("paths", "path", "name"),
    [
        (["jobs/a.py"], "jobs/a.py", "jobs.a"),
        (["jobs/__init__.py", "jobs/a.py"], "jobs/a.py", "jobs.a"),
        (["jobs/__init__.py"], "jobs/__init__.py", "jobs"),
        (["one.py"], "one.py", "one"),
        (["src/app/jobs/a.py"], "src/app/jobs/a.py", "app.jobs.a"),
        (["src/app/__init__.py"], "src/app/__init__.py", "app"),
        (["src/__init__.py", "src/a.py"], "src/a.py", "src.a"),
        (["src/app/x.py", "scripts/a.py"], "scripts/a.py", "scripts.a"),
    ],
)
def test_module_name_is_relative_to_its_root(paths: list[str], path: str, name: str, tmp_path: Path) -> None:
    """With and without __init__.py, in the root and below src."""
    root = tree(tmp_path, *paths, trigger_toml="")
    assert module_name(load_project(root), root / path) == name


def test_source_roots_replace_what_is_found(tmp_path: Path) -> None:
    """Configured roots are the roots: the innermost names a module, and src is no root unless it is named."""
    root = tree(
        tmp_path, "services/shop/app/a.py", "src/b.py", trigger_toml='source_roots = ["services", "services/shop"]'
    )
    project = load_project(root)
    assert module_name(project, root / "services/shop/app/a.py") == "app.a"
    assert module_name(project, root / "src/b.py") == "src.b"


@pytest.mark.parametrize("path", ["jobs/my-job.py", "jobs/class.py", "jobs/1.py", "with space/a.py", "__init__.py"])
def test_name_that_python_cannot_import_is_told(path: str, tmp_path: Path) -> None:
    """A file must be importable by name."""
    root = tree(tmp_path, path, trigger_toml="")
    with pytest.raises(ProjectInvalid, match="cannot be imported") as caught:
        module_name(load_project(root), root / path)
    assert caught.value.problem.hint


def test_module_outside_is_told(tmp_path: Path) -> None:
    """A file elsewhere has no name in the project."""
    root = tree(tmp_path, "p/trigger.toml") / "p"
    with pytest.raises(ProjectInvalid, match="not a file of the project"):
        module_name(load_project(root), tmp_path / "a.py")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", True),
        ("jobs/deep/a.py", True),
        ("tests/test_a.py", True),
        (".venv/lib/python3.11/site-packages/x.py", False),
        ("env/lib/x.py", False),
        ("lib/site-packages/x.py", False),
        ("node_modules/x/y.py", False),
        (".trigger/x.py", False),
        ("../other/a.py", False),
        ("<string>", False),
        ("<frozen importlib._bootstrap>", False),
    ],
)
def test_project_files_are_its_own_sources(path: str, expected: bool, tmp_path: Path) -> None:
    """Below the root, but for environments, installed packages and hidden folders."""
    root = tree(tmp_path, "project/trigger.toml", "project/env/pyvenv.cfg", "other/x") / "project"
    project: Any = load_project(root)
    name = path if path.startswith("<") else os.fspath(root / path)
    assert project.is_project_file(name) is expected
    assert project.is_project_file(name if path.startswith("<") else Path(name)) is expected


def test_root_in_a_hidden_folder_is_a_project(tmp_path: Path) -> None:
    """Only folders below the root matter: a checkout may lie anywhere."""
    root = tree(tmp_path, ".worktrees/x/trigger.toml", ".worktrees/x/a.py") / ".worktrees" / "x"
    assert load_project(root).is_project_file(root / "a.py")
