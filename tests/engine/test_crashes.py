"""SIGKILL at every commit: after opening again, everything ends as it would have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_every_cut_ends_as_the_uncut_run(repository: Path, tmp_path: Path) -> None:
    """Same runs, states, outputs and steps; each effect at least once, and twice only where the cut was."""
    program = repository / "tests" / "fakes" / "engine_crash_program.py"
    done = subprocess.run(
        [sys.executable, "-P", str(program), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=110, cwd=repository, env={"PYTHONPATH": f"{repository}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    uncut, *cuts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [run[1] for run in uncut["runs"]] == ["completed"] * 4
    assert set(uncut["effects"].values()) == {1}
    assert len(cuts) > 40
    for cut in cuts:
        where = (cut["cut"], cut["before"])
        assert cut["runs"] == uncut["runs"], where
        assert set(cut["effects"]) == set(uncut["effects"]), where
        assert max(cut["effects"].values()) <= 2, where
