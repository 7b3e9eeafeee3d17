"""A fix in a large file costs little."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from analyzer.check import check
from analyzer.fixes import fix_for, suppress, with_fixes
from analyzer.settings import CheckSettings
from trigger_sdk.protocol.project import load_project

_ROWS = 3000
_SECONDS = 0.45
"""Three times what is promised on a machine of its own."""


@pytest.mark.parametrize(
    "body", ["    os.remove(name)\n", "    with open(name) as file:\n        print(file.read())\n"]
)
def test_one_fix_in_a_large_file(body: str, tmp_path: Path) -> None:
    """Finding it and checking that the result is valid takes a small part of a second."""
    root = tmp_path.resolve()
    (root / "jobs").mkdir()
    (root / "trigger.toml").write_text('dirs = ["jobs"]\n')
    filler = "".join(
        f"def f{n}(a, b={n}):\n    c = [a * each for each in range(b)]\n    return {{'x': c}}\n\n"
        for n in range(_ROWS // 4)
    )
    text = f"import os\nfrom trigger_sdk import job\n\n{filler}\n@job(id='a')\nasync def a(name):\n{body}"
    (root / "jobs" / "a.py").write_text(text)
    report = check(load_project(root), CheckSettings())
    with_fixes(report)  # libcst is loaded once
    began = time.process_time()
    assert fix_for(report.diagnostics[0], text, jobs=report.jobs) is not None
    assert time.process_time() - began < _SECONDS
    began = time.process_time()
    assert suppress(text, report.diagnostics[0].location.row, ["TRG102"], "why") is not None
    assert time.process_time() - began < _SECONDS
