"""What README and the guides tell a reader to type works, and prints what they say."""

from pathlib import Path

import pytest

from tests.docs.markdown import marked_blocks, unmatched
from tests.docs.session import TIMEOUT, require_as_shown, run

ROOT = Path(__file__).resolve().parents[2]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
PAGES = [ROOT / "README.md", *(page for page in GUIDES if page.name != "build.md")]
"""Those that need nothing but the command line; the one on images has tests of its own."""


@pytest.mark.timeout(TIMEOUT + 30)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    """The page's commands succeed in order, in an empty folder, and print what the page shows."""
    require_as_shown(page, tmp_path)


def write(tmp_path: Path, text: str) -> Path:
    """Return a page with ``text``, whose fences are written as quotes."""
    page = tmp_path / "page.md"
    page.write_text(text.replace("'''", "```"))
    return page


def test_session_keeps_folder_and_files(tmp_path: Path) -> None:
    """A later block finds what an earlier one changed, and each block's output is its own."""
    page = write(
        tmp_path,
        "<!-- runs -->\n'''sh\nmkdir a && cd a\n'''\n<!-- file: b/c.txt -->\n'''text\nhello\n'''\n"
        "<!-- runs -->\n'''sh\ncat b/c.txt\n'''\n<!-- runs -->\n'''python\nprint(open('b/c.txt').read() * 2)\n'''\n",
    )
    transcript = run(marked_blocks(page), tmp_path)
    assert transcript.returncode == 0, transcript.text
    assert [text.split() for text in transcript.printed.values()] == [[], [], ["hello"], ["hello", "hello"]]


def test_session_stops_at_the_first_failure(tmp_path: Path) -> None:
    """A block that fails fails the page; what it left in the background does not hold the test up."""
    page = write(tmp_path, "<!-- runs -->\n'''sh\nsleep 1000 &\nfalse\necho no\n'''\n")
    transcript = run(marked_blocks(page), tmp_path)
    assert transcript.returncode == 1
    assert "no" not in transcript.text.split()


@pytest.mark.parametrize(
    "text",
    ["<!-- runs -->\n\n'''sh\ntrue\n'''\n", "<!-- runs -->\n'''toml\na = 1\n'''\n", "<!-- file: -->\n'''sh\n'''\n"],
)
def test_mark_without_its_block_is_an_error(tmp_path: Path, text: str) -> None:
    """A mark that would silently test nothing is refused."""
    with pytest.raises(ValueError, match=r"page\.md"):
        marked_blocks(write(tmp_path, text))


@pytest.mark.parametrize(
    ("expected", "missing"),
    [
        ("one\nthree", None),
        ("o…e\n\nthree  ", None),
        ("three\none", "one"),
        ("on", "on"),
        ("run_… completed", None),
    ],
)
def test_unmatched_compares_lines_in_order(expected: str, missing: str | None) -> None:
    """Lines match whole and in order, with `…` for anything."""
    assert unmatched(expected, "one\n  two\nthree\nrun_42 completed") == missing
