"""The SDK's names: used as they are imported, imported where they are not, never shadowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

BODY = '\n\n@job(id="a")\nasync def a(name: str) -> None:\n    os.remove(name)\n'


@pytest.mark.parametrize(
    ("head", "expected_head", "name"),
    [
        ("from trigger_sdk import job", "from trigger_sdk import job, task", "task"),
        ("from trigger_sdk import job, wait_for_event", "from trigger_sdk import job, task, wait_for_event", "task"),
        ("from trigger_sdk import sleep, job", "from trigger_sdk import sleep, job, task", "task"),
        ("from trigger_sdk import (job, Queue)", "from trigger_sdk import (job, Queue, task)", "task"),
        (
            "from trigger_sdk import (\n    job,  # the job\n)",
            "from trigger_sdk import (\n    job,  # the job\n    task,\n)",
            "task",
        ),
        (
            "from trigger_sdk import (\n    job,\n    wait_for_event\n)",
            "from trigger_sdk import (\n    job,\n    task,\n    wait_for_event\n)",
            "task",
        ),
        ("from trigger_sdk import job, task as t", "from trigger_sdk import job, task as t", "t"),
        (
            "from trigger_sdk import job\nimport trigger_sdk as s",
            "from trigger_sdk import job, task\nimport trigger_sdk as s",
            "task",
        ),
        (
            "from trigger_sdk import job\ntask = 1",
            "from trigger_sdk import job, task as durable_task\ntask = 1",
            "durable_task",
        ),
        (
            "from trigger_sdk import job, task\ntask = 1",
            "from trigger_sdk import job, task, task as durable_task\ntask = 1",
            "durable_task",
        ),
        (
            "from trigger_sdk import job\nfor task in (): pass",
            "from trigger_sdk import job, task as durable_task\nfor task in (): pass",
            "durable_task",
        ),
        (
            "from trigger_sdk import job\ndef f():\n    task = 1",
            "from trigger_sdk import job, task\ndef f():\n    task = 1",
            "task",
        ),
        (
            "from trigger_sdk import job\ndef f():\n    global task\n    task = 1",
            "from trigger_sdk import job, task as durable_task\ndef f():\n    global task\n    task = 1",
            "durable_task",
        ),
        ("from trigger_sdk import *", "from trigger_sdk import *", "task"),
    ],
)
def test_import_of_a_name(head: str, expected_head: str, name: str, fixed: Callable[..., str]) -> None:
    """The import is found, extended in its style, or made under another name."""
    text = fixed(f"import os\n{head}{BODY}")
    expected = BODY.replace("os.remove(name)", f"await {name}.run(lambda: os.remove(name))")
    assert text == f"import os\n{expected_head}{expected}"


@pytest.mark.parametrize(
    ("imported", "spelled"), [("import trigger_sdk", "trigger_sdk"), ("import trigger_sdk as t", "t")]
)
def test_module_that_is_imported_is_used(imported: str, spelled: str, fixed: Callable[..., str]) -> None:
    """No import is needed beside that of the module."""
    text = f"import os\n{imported}{BODY}".replace("@job", f"@{spelled}.job")
    assert fixed(text) == text.replace("os.remove(name)", f"await {spelled}.task.run(lambda: os.remove(name))")


def test_import_is_added_behind_the_first_ones_when_the_job_comes_from_elsewhere(fixed: Callable[..., str]) -> None:
    """A docstring and future imports stay first."""
    text = f'"""Jobs."""\nfrom __future__ import annotations\nimport os\nfrom kit import job{BODY}'
    new = fixed(text, kit="from trigger_sdk import job\n")
    assert "from kit import job\nfrom trigger_sdk import task\n" in new


def test_local_names_that_shadow_are_left_alone(fixed: Callable[..., str]) -> None:
    """A parameter called task, and time's own sleep, keep their names."""
    text = fixed(
        "import os\nfrom time import sleep\nfrom trigger_sdk import job\n\n\n"
        '@job(id="a")\nasync def a(task: str) -> None:\n    os.remove(task)\n    sleep(3)\n'
    )
    assert "import job, sleep as durable_sleep, task as durable_task\n" in text
    assert "    await durable_task.run(lambda: os.remove(task))\n    await durable_sleep(3)\n" in text
