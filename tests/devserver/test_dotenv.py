"""The `.env` file: what it gives, and that it gives no secret away."""

from pathlib import Path

import pytest

from devserver.dotenv import read_env_file
from devserver.errors import EnvFileInvalid

TEXT = """\
# comment
PLAIN=value
export EXPORTED = spaced
EMPTY=
HASH=a#b
COMMENTED=a # b
DOUBLE="a # \\"b\\"\\nc" # d
SINGLE='a "b" \\n $c'
EQUALS=postgres://u:p@h/d?x=1

  INDENTED=yes
PLAIN=last
"""


def test_values_are_read(tmp_path: Path) -> None:
    """Quotes, comments, export, and the last assignment of a name."""
    (tmp_path / ".env").write_text(TEXT)
    assert read_env_file(tmp_path) == {
        "PLAIN": "last",
        "EXPORTED": "spaced",
        "EMPTY": "",
        "HASH": "a#b",
        "COMMENTED": "a",
        "DOUBLE": 'a # "b"\nc',
        "SINGLE": 'a "b" \\n $c',
        "EQUALS": "postgres://u:p@h/d?x=1",
        "INDENTED": "yes",
    }


def test_missing_file_gives_nothing(tmp_path: Path) -> None:
    """Most projects have none."""
    assert read_env_file(tmp_path) == {}


@pytest.mark.parametrize("line", ["no assignment", "1A=x", 'A="sesame', "A='sesame", "A-B=sesame", "A=x\0y"])
def test_line_that_is_no_assignment(tmp_path: Path, line: str) -> None:
    """The problem names the line, and shows nothing of it: it may hold a secret."""
    (tmp_path / ".env").write_text(f"OK=1\n{line}\n")
    with pytest.raises(EnvFileInvalid) as invalid:
        read_env_file(tmp_path)
    assert invalid.value.problem.where == ".env:2"
    assert "sesame" not in str(invalid.value.problem)


def test_file_that_is_not_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are a problem, not a traceback."""
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(EnvFileInvalid, match="UTF-8"):
        read_env_file(tmp_path)
