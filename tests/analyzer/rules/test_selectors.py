"""Selectors of rules, and what is said about those that select nothing."""

import pytest

from analyzer.rules.registry import RULES
from analyzer.rules.selectors import code_of, is_selector, suggestion


@pytest.mark.parametrize("text", ["ALL", "T", "TRG", "TRG1", "TRG10", *RULES])
def test_codes_prefixes_and_all_select(text: str) -> None:
    """A prefix of any length."""
    assert is_selector(text)


@pytest.mark.parametrize("text", ["", "all", "trg101", "TRG1011", "network-outside-task", "E501"])
def test_other_texts_select_nothing(text: str) -> None:
    """Codes are written in capitals, and names are for `trigger rule`."""
    assert not is_selector(text)
    assert suggestion(text)


def test_names_lead_to_codes() -> None:
    """In any case, with dashes or underscores."""
    assert code_of("Network_Outside-Task") == "TRG101"
    assert code_of(" trg101 ") == "TRG101"
    assert code_of("TRG1") is None
    assert suggestion("network-outside-task") == "Write its code: TRG101."
    assert suggestion("trg1") == "Write TRG1."
    assert "Did you mean TRG107 (blocking-sleep)?" in suggestion("bloking-sleep")
    assert "trigger rule --all" in suggestion("flake8")
