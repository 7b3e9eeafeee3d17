"""What is committed works on any machine: no address of a registry, no path of the machine it was written on."""

import re
import subprocess
from pathlib import Path

import pytest

# Put together here, so that this file does not contain what it forbids.
REGISTRIES = [".".join(parts) for parts in (
    ("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"), ("deb", "debian", "org"),
    ("security", "debian", "org"), ("crates", "io"), ("proxy", "golang", "org"),
)]  # fmt: skip
HOMES = ["/" + name + "/" for name in ("root", "work", "home/[a-z]+", "Users/[A-Za-z]+")]
FORBIDDEN = re.compile(
    "|".join([*(rf"\b{re.escape(host)}\b" for host in REGISTRIES), *(rf"(?<![\w./-]){home}" for home in HOMES)])
)

NOT_OURS = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    "__pycache__",
    "build",
    "dist",
}


def committed(repository: Path) -> list[Path]:
    """Return every file that is, or is about to be, committed; in an unpacked archive, every file."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=repository, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [repository / name for name in listed.stdout.split("\0") if name and (repository / name).is_file()]
    files = (path for path in repository.rglob("*") if path.is_file())
    return [path for path in files if not NOT_OURS & set(path.relative_to(repository).parts)]


def findings(path: Path) -> list[str]:
    """Return the lines of a text file that name what they must not; a binary file has none."""
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return []
    return [f"{path}:{number}: {line.strip()[:120]}" for number, line in enumerate(lines, 1) if FORBIDDEN.search(line)]


def test_no_file_names_a_registry_or_a_home_folder(repository: Path) -> None:
    """Where packages come from, and where the checkout lies, is the machine's affair."""
    assert [finding for path in committed(repository) for finding in findings(path)] == []


@pytest.mark.parametrize("line", [f"see https://{REGISTRIES[0]}/simple", 'open("/' + 'root/x")', "cd /" + "work/main"])
def test_finding_is_reported(tmp_path: Path, line: str) -> None:
    """The search finds what it is there to find."""
    (tmp_path / "file").write_text(f"fine\n{line}\n")
    assert len(findings(tmp_path / "file")) == 1


def test_locks_have_hashes_and_no_addresses(repository: Path) -> None:
    """A lock pins every package by version and hash, and leaves the source to the installer."""
    locks = sorted((repository / "requirements").glob("*.txt"))
    assert [path.name for path in locks] == ["dev.txt", "lock.txt"]
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        assert re.search(r"^\s*-(-|[a-z]\b)(?!-hash)", re.sub(r"--hash=\S+", "", text), re.MULTILINE) is None
        pinned = re.findall(r"^[a-z0-9-]+==\S+( ;.*)? \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 0
