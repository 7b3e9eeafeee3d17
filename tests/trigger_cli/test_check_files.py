"""Files that ship with `trigger check`: the pre-commit hook, the page of rules; and the names of its formats."""

import shlex
from pathlib import Path

from analyzer.output.formats import FORMATS
from analyzer.rules.registry import RULES
from docs.reference.rules_page import FAMILIES, rules_page
from tests.trigger_cli.ended import Trigger
from trigger_cli.checking.options import OutputFormat


def test_rules_page_is_up_to_date(repository: Path) -> None:
    """docs/reference/rules.md is what `make docs` writes, with every rule in its family."""
    page = repository / "docs" / "reference" / "rules.md"
    assert page.read_text() == rules_page(), "run `make docs`"
    for code, rule in RULES.items():
        assert f"\n## {code}\n" in rules_page()
        assert f"| [{code}](#{code.lower()}) | {rule.name} |" in rules_page()
        assert code[:4] in FAMILIES


def test_option_has_every_format() -> None:
    """What can be asked for is what there is."""
    assert tuple(OutputFormat) == FORMATS


def test_pre_commit_hook_calls_what_exists(repository: Path, trigger: Trigger) -> None:
    """Its command is understood; only the project is missing here."""
    lines = (repository / ".pre-commit-hooks.yaml").read_text().splitlines()
    (entry,) = (line.removeprefix("  entry: trigger ") for line in lines if line.startswith("  entry: "))
    assert trigger(*shlex.split(entry), "--help").code == 0
    assert "  pass_filenames: false" in lines


def test_guide_has_every_key_of_the_configuration(repository: Path) -> None:
    """And every format and kind of effect."""
    from typing import get_args

    from analyzer.catalogue.model import Kind
    from analyzer.settings import _KEYS

    guide = (repository / "docs" / "guides" / "check.md").read_text()
    for word in (*_KEYS, *FORMATS, *get_args(Kind)):
        assert f"`{word}`" in guide, word
