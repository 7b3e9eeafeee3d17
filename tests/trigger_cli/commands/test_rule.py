"""`trigger rule`: explanations."""

import json

import pytest

from analyzer.rules.registry import RULES
from tests.trigger_cli.ended import Trigger


@pytest.mark.parametrize("word", ["TRG101", "trg101", "network-outside-task", "Network_outside_task"])
def test_rule_is_explained_by_code_and_name(trigger: Trigger, word: str) -> None:
    """What it finds, why it matters, examples, how to silence it."""
    ended = trigger("rule", word)
    assert ended.code == 0
    assert ended.out.startswith("TRG101 network-outside-task (error)\n")
    for part in ("Why it matters", "# <- TRG101", "--fix", "# trigger: ignore[TRG101] reason"):
        assert part in ended.out


def test_every_rule_is_listed_and_explained(trigger: Trigger) -> None:
    """As a table and as JSON; each page says how to silence it."""
    listed = trigger("rule", "--all").out.splitlines()[1:]
    assert [line.split()[0] for line in listed] == list(RULES)
    objects = json.loads(trigger("rule", "--all", "--json").out)
    assert [each["code"] for each in objects] == list(RULES)
    keys = {"code", "name", "severity", "summary", "fixable", "explanation", "planned", "url", "bad", "good"}
    assert all(set(each) == keys for each in objects)
    assert json.loads(trigger("rule", "TRG101", "--json").out) == objects[0]
    for code in RULES:
        assert f"ignore[{code}]" in trigger("rule", code).out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["TRG1O1"], "Did you mean TRG101"),
        (["network-outside-taks"], "Did you mean TRG101"),
        (["TRG10"], "Name one of its rules: TRG101, TRG102"),
        (["trg5"], "Name one of its rules: TRG501"),
        (["xyz"], "trigger rule --all"),
        ([], "trigger rule TRG101 explains one"),
        (["TRG101", "--all"], "Leave out --all"),
    ],
)
def test_unknown_rule_is_2_with_a_suggestion(trigger: Trigger, argv: list[str], said: str) -> None:
    """Nothing on standard output."""
    ended = trigger("rule", *argv)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
