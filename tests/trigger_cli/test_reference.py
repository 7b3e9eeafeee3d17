"""The reference page of the command line is what the commands say."""

from pathlib import Path

from docs.reference.command_line import command_line_page


def test_reference_page_is_up_to_date(repository: Path) -> None:
    """docs/reference/cli.md is what `make docs` writes."""
    page = repository / "docs" / "reference" / "cli.md"
    assert page.read_text() == command_line_page(), "run `make docs`"


def test_reference_page_has_every_command() -> None:
    """Nouns are taken apart into their commands."""
    page = command_line_page()
    for command in ("init", "dev", "run", "event send", "runs list", "runs show", "runs replay", "jobs list", "demo"):
        assert f"\n## trigger {command}\n" in page
