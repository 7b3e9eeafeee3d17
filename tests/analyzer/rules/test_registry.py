"""The rules as a whole: codes, names, families, and what they say to a reader."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

import analyzer.rules
from analyzer.model import Severity
from analyzer.rules import registry
from analyzer.rules.addresses import address_of, is_absolute
from analyzer.rules.registry import RULES
from analyzer.rules.rule import Rule

_FOLDER: Final = Path(analyzer.rules.__file__).parent
_FAMILIES: Final = {"1": "effects", "2": "clock and random", "3": "determinism", "4": "durable calls"} | {
    "5": "declarations",
    "9": "the check itself",
}
_HEADINGS: Final = ("## What it does", "## Why it matters", "## Use instead")
_ALL: Final = [pytest.param(rule, id=code) for code, rule in RULES.items()]


def test_registry_has_every_file_of_a_rule() -> None:
    """A file that is named after a code is registered, and under that code."""
    files = sorted(path.stem for path in _FOLDER.glob("trg*.py"))
    registered = sorted(module.__name__.rpartition(".")[2] for module in registry._MODULES)
    assert registered == files
    assert [stem[:6].upper() for stem in files] == list(RULES)


def test_codes_and_names_are_unique() -> None:
    """No rule takes another's code, name or summary."""
    rules = [module.RULE for module in registry._MODULES]
    assert len({rule.code for rule in rules}) == len(rules) == len(RULES)
    assert len({rule.name for rule in rules}) == len(rules)
    assert len({rule.summary for rule in rules}) == len(rules)


@pytest.mark.parametrize("rule", _ALL)
def test_code_and_name_are_of_their_form(rule: Rule) -> None:
    """The code is of a known family, the name is kebab-case, and only recorded calls and guesses are hints."""
    assert re.fullmatch(r"TRG\d{3}", rule.code)
    assert rule.code[3] in _FAMILIES
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.name)
    if rule.code[3:5] in {"10", "21", "30"}:
        assert rule.severity is Severity.ERROR
    if rule.code[3:5] == "20":
        assert rule.severity is Severity.HINT


@pytest.mark.parametrize("rule", _ALL)
def test_wording_says_what_why_and_what_instead(rule: Rule) -> None:
    """Summary and remedy are sentences, the message names its subject, the explanation has its three parts filled."""
    for sentence in (rule.summary, rule.remedy):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert rule.message.count("{subject}") == 1
    assert not rule.message.endswith(".")
    parts = re.split(r"^(## .*)$", rule.explanation, flags=re.MULTILINE)
    assert tuple(parts[1::2]) == _HEADINGS
    assert parts[0] == ""
    assert all(text.strip() for text in parts[2::2])
    assert max(map(len, rule.explanation.splitlines())) <= 120


@pytest.mark.parametrize("rule", _ALL)
def test_examples_are_there_for_both(rule: Rule) -> None:
    """There is at least one example with a finding and one without."""
    assert rule.bad
    assert rule.good


@pytest.mark.parametrize("rule", _ALL)
def test_message_is_one_sentence_for_people(rule: Rule) -> None:
    """A message begins small or with what is named, ends without a full stop, and has no braces left."""
    for through in ("", "load"):
        for is_async in (True, False):
            message = rule.describe("requests.get", through=through, is_async=is_async)
            assert "`requests.get`" in message
            assert message[0] == "`" or message[0].islower()
            assert not message.endswith(".")
            assert not re.search(r"\{[a-z_]*\}", message)
            assert is_async or "await " not in message


def test_table_in_the_docstring_is_the_registry() -> None:
    """The package's docstring lists each rule with its name and severity."""
    rows = re.findall(r"^(TRG\d{3}) (\S+) +(error|warning|hint) +\S", analyzer.rules.__doc__ or "", re.MULTILINE)
    assert rows == [(rule.code, rule.name, rule.severity.value) for rule in RULES.values()]


def test_family_of_each_code_is_described() -> None:
    """No family is without a rule."""
    assert {code[3] for code in RULES} == set(_FAMILIES)


def test_addresses_become_links_once_they_are_absolute() -> None:
    """SARIF's `helpUri` and editors' links want an absolute address; the one of today is a path in the repository."""
    assert not is_absolute(RULES["TRG101"].address)
    assert address_of("TRG101", "https://docs.example/rules") == "https://docs.example/rules#trg101"
    assert is_absolute(address_of("TRG101", "https://docs.example/rules"))
    assert not is_absolute("")
