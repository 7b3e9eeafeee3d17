"""What goes into an image: the project's own Python files, data by patterns, and nothing that must not."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bundler.errors import FilesRefused
from bundler.files.collect import Selection, collect
from bundler.files.listing import as_json, as_text, shown_size
from bundler.files.patterns import Patterns
from bundler.settings import BundleSettings
from trigger_sdk.protocol.project import load_project


def write(root: Path, files: Mapping[str, str]) -> None:
    """Write files by place."""
    for place, text in {"trigger.toml": "", **files}.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def select(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = (), most: int = 1000) -> Selection:
    """Return what goes in."""
    settings = BundleSettings(include=Patterns.of(include), exclude=Patterns.of(exclude))
    return collect(load_project(root), settings, max_file_bytes=most)


def places(selection: Selection) -> list[str]:
    """Return the places of what goes in, in the order given, without the configuration."""
    return [file.place for file in selection.files if file.place != "trigger.toml"]


def refused(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return place and message of each problem."""
    with pytest.raises(FilesRefused) as caught:
        select(root, include, exclude)
    return [(problem.where, problem.message) for problem in caught.value.problems]


def test_python_files_and_the_configuration_go_in(tmp_path: Path) -> None:
    """Sorted, with sizes and bits; data stays and is listed."""
    write(
        tmp_path, {"jobs/b.py": "b = 1\n", "jobs/a.py": "", "lib/x/__init__.py": "", "data/d.csv": "1", "README.md": ""}
    )
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    (tmp_path / "jobs/b.py").chmod(0o755)
    found = select(tmp_path)
    assert [file.place for file in found.files] == [
        "jobs/a.py", "jobs/b.py", "lib/x/__init__.py", "pyproject.toml", "trigger.toml",
    ]  # fmt: skip
    assert [(file.size, file.is_executable) for file in found.files[:2]] == [(0, False), (6, True)]
    assert found.files[1].source.read_text() == "b = 1\n"
    assert found.left_out == ("README.md", "data/d.csv")
    assert found.notes == ()


def test_same_files_give_the_same_selection_wherever_they_lie(tmp_path: Path) -> None:
    """Two folders, written in different orders."""
    files = {"jobs/a.py": "", "a.b/c.py": "", "a/c.py": "", "é.py": "", "Z.py": ""}
    write(tmp_path / "one", files)
    write(tmp_path / "elsewhere/two", dict(reversed(files.items())))
    one, two = select(tmp_path / "one"), select(tmp_path / "elsewhere/two")
    assert [(file.place, file.size) for file in one.files] == [(file.place, file.size) for file in two.files]
    assert places(one) == sorted(places(one))


def test_what_is_never_shipped_stays(tmp_path: Path) -> None:
    """Secrets, version control, environments and caches, even where all is included."""
    never = [
        ".env", ".env.production", ".envrc", "jobs/.env.local", ".git/config", ".hg/x.py", "jobs/__pycache__/a.pyc",
        ".trigger/dev.db", "venv/lib/x.py", ".venv/x.py", "node/.mypy_cache/x.json", "tagged/x.py", "conda/x.py",
        "x/site-packages/y.py", "a.pyc", ".DS_Store", "sub/.git",
    ]  # fmt: skip
    write(tmp_path, dict.fromkeys([*never, "jobs/a.py", "data/x", ".hidden/x"], ""))
    write(
        tmp_path, {"venv/pyvenv.cfg": "", ".venv/pyvenv.cfg": "", "tagged/CACHEDIR.TAG": "", "conda/conda-meta/h": ""}
    )
    assert places(select(tmp_path, ["**"])) == ["data/x", "jobs/a.py"]
    assert places(select(tmp_path)) == ["jobs/a.py"]


def test_what_is_never_shipped_and_named_is_told(tmp_path: Path) -> None:
    """Who writes ``include = [".env"]`` learns that it is not there."""
    write(tmp_path, {".env": "A=1", ".git/config": "", "jobs/a.py": ""})
    found = select(tmp_path, [".env", ".git"])
    assert places(found) == ["jobs/a.py"]
    assert [note.where for note in found.notes] == [".env", ".git"]


def test_link_to_a_secret_is_no_way_round(tmp_path: Path) -> None:
    """What a link leads to is judged too."""
    write(tmp_path, {".env": "A=1", ".git/config": "", "jobs/a.py": ""})
    (tmp_path / "settings").symlink_to(".env")
    (tmp_path / "vcs").symlink_to(".git")
    (tmp_path / "config").symlink_to(".git/config")
    assert places(select(tmp_path, ["settings", "vcs", "config"])) == ["jobs/a.py"]


def test_login_in_the_configuration_is_told(tmp_path: Path) -> None:
    """It goes into the image with the rest of the file; the login itself is not shown."""
    write(tmp_path, {"pyproject.toml": '[[tool.uv.index]]\nurl = "https://me:hunter2@index.example/simple"\n'})
    (note,) = select(tmp_path).notes
    assert (note.code, note.where) == ("login-shipped", "pyproject.toml:2")
    assert "hunter2" not in str(note.to_dict())
    for harmless in ("https://${USER}:${PASSWORD}@index.example", "ssh://git@host/x", "https://host:8080/a@b"):
        write(tmp_path, {"pyproject.toml": f'[tool.other]\nurl = "{harmless}"\n'})
        assert select(tmp_path).notes == ()


def test_data_is_included_by_patterns(tmp_path: Path) -> None:
    """Last pattern wins; hidden folders and node_modules only when they are named."""
    write(
        tmp_path,
        dict.fromkeys(
            ["data/a.csv", "data/b.csv", "data/raw/c.csv", ".app/x.toml", "node_modules/m/p.json", "p.json"], ""
        ),
    )
    assert places(select(tmp_path, ["data", "!data/raw"])) == ["data/a.csv", "data/b.csv"]
    assert places(select(tmp_path, ["**/*.csv", "!**/raw"])) == ["data/a.csv", "data/b.csv"]
    assert places(select(tmp_path, ["**/*.json"])) == ["p.json"]
    assert places(select(tmp_path, ["node_modules/**/*.json", ".app"])) == [".app/x.toml", "node_modules/m/p.json"]


def test_exclude_wins_over_include(tmp_path: Path) -> None:
    """Python files too; the configuration is never excluded."""
    write(tmp_path, dict.fromkeys(["jobs/a.py", "tests/t.py", "tests/keep.py", "data/a", "data/b"], ""))
    assert places(select(tmp_path, ["data"], ["tests", "data/b"])) == ["data/a", "jobs/a.py"]
    found = select(tmp_path, [], ["*", "!jobs", "!tests/keep.py"])
    assert [file.place for file in found.files] == ["jobs/a.py", "tests/keep.py", "trigger.toml"]


def test_pattern_without_effect_is_told(tmp_path: Path) -> None:
    """The usual mistake: a pattern that is not anchored where one thinks. One that others make needless has effect."""
    write(tmp_path, {"lib/data/a.csv": "", "jobs/a.py": ""})
    found = select(tmp_path, ["data/*.csv", "**/*.csv", "lib/data"])
    assert [note.message for note in found.notes] == [
        "the pattern 'data/*.csv' in `include` matches no file that can go in"
    ]


def test_links_inside_are_kept_as_files(tmp_path: Path) -> None:
    """A file at the link's place; a folder with what is in it; a circle ends."""
    write(tmp_path, {"lib/core.py": "x = 1\n", "data/real.csv": "1"})
    (tmp_path / "jobs").symlink_to("lib")
    (tmp_path / "lib/alias.py").symlink_to("core.py")
    (tmp_path / "lib/round").symlink_to("..")
    (tmp_path / "data/link.csv").symlink_to(tmp_path / "data/real.csv")
    found = select(tmp_path, ["data"])
    assert places(found) == [
        "data/link.csv", "data/real.csv", "jobs/alias.py", "jobs/core.py", "lib/alias.py", "lib/core.py",
    ]  # fmt: skip
    assert {file.place: file.size for file in found.files}["jobs/alias.py"] == 6


def test_links_to_outside_are_refused(tmp_path: Path) -> None:
    """Files, folders with Python files, included ones, and links to nowhere; what is excluded is let alone."""
    root, other = tmp_path / "project", tmp_path / "other"
    write(root, {"jobs/a.py": ""})
    write(other, {"secret.py": "", "deep/er/m.py": "", "plain/d.csv": ""})
    (root / "jobs/out.py").symlink_to(other / "secret.py")
    (root / "package").symlink_to(other / "deep")
    (root / "data").symlink_to(other / "plain")
    (root / "jobs/gone.py").symlink_to(root / "nowhere.py")
    found = refused(root, ["data"])
    assert [where for where, _ in found] == ["data", "jobs/gone.py", "jobs/out.py", "package"]
    assert "not there" in found[1][1]
    assert "outside the project" in found[2][1]
    assert [where for where, _ in refused(root)] == ["jobs/gone.py", "jobs/out.py", "package"]
    assert places(select(root, [], ["package", "jobs/out.py", "jobs/gone.py"])) == ["jobs/a.py"]


def test_links_that_lead_across_end(tmp_path: Path) -> None:
    """Ten folders, each with links to all others, are a tree with millions of places."""
    write(tmp_path, {f"d{number}/m.py": "" for number in range(10)})
    for here in range(10):
        for there in set(range(10)) - {here}:
            (tmp_path / f"d{here}/to{there}").symlink_to(f"../d{there}")
    with pytest.raises(FilesRefused, match="lead to more than"):
        select(tmp_path)
    assert len(places(select(tmp_path, [], ["*/to*"]))) == 10


def test_pipes_and_sockets_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one would wait for ever; those that nobody asked for do not matter."""
    write(tmp_path, {"data/a": ""})
    os.mkfifo(tmp_path / "pipe.py")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("data/s")
        assert refused(tmp_path, ["data"]) == [
            ("data/s", "data/s is a socket, and no file"),
            ("pipe.py", "pipe.py is a pipe, and no file"),
        ]
        assert places(select(tmp_path, [], ["pipe.py"])) == []


def test_large_files_are_refused(tmp_path: Path) -> None:
    """Over the limit, not at it."""
    write(tmp_path, {"a.py": "x" * 1000, "b.py": "x" * 1001})
    assert [where for where, _ in refused(tmp_path)] == ["b.py"]
    assert places(select(tmp_path, [], ["b.py"])) == ["a.py"]


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, only where they would go in."""
    write(tmp_path, {"a.py": ""})
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.py"))).write_text("")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xff.txt"))).write_text("")
    assert refused(tmp_path) == [("b\\udcff.py", "the name b\\udcff.py is no UTF-8 text")]
    found = select(tmp_path, [], ["b*"])
    assert "d\\udcff.txt" in as_text(found)
    assert json.loads(as_json(found))["not_included"] == ["d\\udcff.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_and_folders_are_refused(tmp_path: Path) -> None:
    """Told here, and not in the middle of writing a layer."""
    write(tmp_path, {"a.py": "", "jobs/b.py": "", ".git/config": "", ".hidden/c": ""})
    (tmp_path / "a.py").chmod(0)
    (tmp_path / ".git").chmod(0)
    (tmp_path / ".hidden").chmod(0)
    (tmp_path / "jobs").chmod(0)
    found = refused(tmp_path)
    for folder in ("jobs", ".git", ".hidden"):
        (tmp_path / folder).chmod(0o755)
    assert [where for where, _ in found] == ["a.py", "jobs"]


def test_source_root_outside_is_refused(tmp_path: Path) -> None:
    """It works here, and the image would not have it."""
    (tmp_path / "shared").mkdir()
    write(tmp_path / "project", {"trigger.toml": 'source_roots = ["../shared"]\n', "jobs/a.py": ""})
    ((where, message),) = refused(tmp_path / "project")
    assert where == "trigger.toml"
    assert "outside the project" in message


def test_very_deep_folders_are_listed(tmp_path: Path) -> None:
    """Deeper than Python nests calls."""
    write(tmp_path, {})
    deep = tmp_path
    for _ in range(1200):
        deep /= "d"
        deep.mkdir()
    (deep / "m.py").write_text("")
    try:
        assert places(select(tmp_path)) == ["d/" * 1200 + "m.py"]
    finally:  # what removes old temporary folders goes down by calls
        (deep / "m.py").unlink()
        while deep != tmp_path:
            deep.rmdir()
            deep = deep.parent


def test_listing_is_text_and_json(tmp_path: Path) -> None:
    """Sizes in a column, the sum, what is not included; the same as data."""
    write(tmp_path, {"a.py": "x" * 900, "run.py": "", "data/x\n.csv": ""})
    (tmp_path / "run.py").chmod(0o755)
    found = select(tmp_path)
    assert as_text(found) == (
        "900 B  a.py\n  0 B  run.py  (executable)\n  0 B  trigger.toml\n3 files, 900 B\n"
        "not included (1; name what is needed in `include`):\n  data/x\\n.csv\n"
    )
    document = json.loads(as_json(found))
    assert document["files"][1] == {"path": "run.py", "size": 0, "executable": True}
    assert document["size"] == 900


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9_949, "9.9 kB"), (9_951, "10 kB"), (999_600, "1.0 MB"),
     (48_000_000, "48 MB"), (5_000_000_000_000, "5000 GB")],
)  # fmt: skip
def test_sizes_are_short(size: int, shown: str) -> None:
    """Two figures, and never a thousand of a unit that has a next one."""
    assert shown_size(size) == shown
