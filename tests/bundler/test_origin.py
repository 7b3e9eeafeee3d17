"""Where code comes from, with real repositories."""

import subprocess
from pathlib import Path

import pytest

from bundler.origin import Origin, origin_of

ENVIRON = {
    "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}  # fmt: skip
PYPROJECT = """\
[project]
name = "shop"
version = "1.2"
[project.urls]
Homepage = "https://example.org"
"Source Code" = "https://example.org/shop.git"
"""


def git(folder: Path, *words: str) -> str:
    """Run git and return what it prints."""
    done = subprocess.run(["git", *words], cwd=folder, env=ENVIRON, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with one commit, whose project is in a folder of it."""
    root = tmp_path / "repository"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "pyproject.toml").write_text(PYPROJECT)
    (root / "shop" / "a.py").write_text("A = 1\n")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def test_origin_is_commit_and_metadata(repository: Path) -> None:
    """The remote has no part in it."""
    git(repository, "remote", "add", "origin", "https://someone:secret@example.com/fork.git")
    commit = git(repository, "rev-parse", "HEAD")
    expected = Origin(revision=commit, source="https://example.org/shop.git", version="1.2")
    assert origin_of(repository / "shop", ENVIRON) == expected


def test_changed_project_is_dirty(repository: Path) -> None:
    """A changed file, a new one; not one elsewhere in the repository, nor one that is ignored."""
    project = repository / "shop"
    (repository / "other.py").write_text("")
    (repository / ".gitignore").write_text("*.log\n")
    (project / "x.log").write_text("")
    assert not origin_of(project, ENVIRON).revision.endswith("-dirty")
    (project / "b.py").write_text("")
    assert origin_of(project, ENVIRON).revision.endswith("-dirty")
    (project / "b.py").unlink()
    (project / "a.py").write_text("A = 2\n")
    assert origin_of(project, ENVIRON).revision.endswith("-dirty")


def test_origin_without_git_or_metadata_is_empty(tmp_path: Path, repository: Path) -> None:
    """No repository, no commit, no program, a file that is no TOML."""
    assert origin_of(tmp_path, ENVIRON) == Origin()
    assert origin_of(repository / "shop", {"PATH": "/nonexistent"}).revision == ""
    git(tmp_path, "init", "--quiet")
    assert origin_of(tmp_path, ENVIRON) == Origin()
    (tmp_path / "pyproject.toml").write_bytes(b"\xff")
    assert origin_of(tmp_path, ENVIRON) == Origin()


def test_commands_of_a_repository_are_not_run(repository: Path) -> None:
    """A configuration may name a program that watches files; a build runs none of it."""
    seen = repository / "seen"
    program = repository / "watch.sh"
    program.write_text(f"#!/bin/sh\ntouch {seen}\n")
    program.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(program))
    assert origin_of(repository / "shop", ENVIRON).revision
    assert not seen.exists()
