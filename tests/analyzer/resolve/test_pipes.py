"""Things in a folder of jobs that are called like modules and are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.checked_project import CheckedProject


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes on this system")
def test_pipe_is_not_read(tmp_path: Path) -> None:
    """A pipe that is called like a module neither holds the check up nor hides the others."""
    project = CheckedProject(root=tmp_path.resolve())
    text = "import pipe\nimport os\nfrom trigger_sdk import job\n\n\n@job(id='a')\ndef a(x):\n    os.remove(x)\n"
    project.write({"jobs/a.py": text})
    os.mkfifo(tmp_path / "jobs/x.py")
    os.mkfifo(tmp_path / "pipe.py")
    report = project.check()
    assert [each.code for each in report.diagnostics] == ["TRG102"]
    assert [problem.code for problem in report.problems] == ["file-unreadable"]
