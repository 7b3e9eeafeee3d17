"""The benchmarks, as `make bench` runs them, with tiny loads: every promised figure can be measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import FAMILIES

PROMISED = {
    "steps_sequential_per_s": "1/s",
    "steps_parallel_per_s": "1/s",
    "runs_parallel_per_s": "1/s",
    "start_latency_p50_ms": "ms",
    "start_latency_p99_ms": "ms",
    "recovery_to_next_step_s": "s",
    "waiting_10k_worker_mb": "MB",
    "waiting_10k_server_mb": "MB",
    "waiting_10k_cpu_percent": "%",
    "waiting_10k_wake_s": "s",
    "replay_5000_steps_s": "s",
    "step_cost_growth_ratio": "ratio",
    "steps_sequential_ratio_to_limits": "ratio",
    "limit_websocket_roundtrips_per_s": "1/s",
    "limit_sqlite_commits_per_s": "1/s",
    "check_cold_cpu_s": "s",
    "check_warm_wall_s": "s",
    "check_edited_wall_s": "s",
    "check_edit_lsp_ms": "ms",
    "check_edit_shared_lsp_ms": "ms",
    "check_edit_shared_last_lsp_ms": "ms",
    "check_reach_ratio": "ratio",
    "ruff_cold_cpu_s": "s",
    "ruff_warm_wall_s": "s",
    "mypy_cold_cpu_s": "s",
}


BUNDLE = (
    "bundle_cold_s", "bundle_cold_floor_s", "bundle_cold_buildkit_s", "bundle_change_s", "bundle_change_floor_s",
    "bundle_change_with_imports_s", "bundle_change_floor_with_imports_s", "bundle_change_command_s",
    "bundle_change_buildkit_s", "bundle_job_start_s", "bundle_job_start_bytecode_s",
)  # fmt: skip
"""What the family ``bundle`` prints in seconds; it builds images of real wheels, here and with BuildKit."""


def run(repository: Path, *arguments: str, timeout: float = 110) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks' command line."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.mark.timeout(300)
def test_every_promised_figure_is_printed_as_a_json_line(repository: Path, tmp_path: Path) -> None:
    """One object with metric, value and unit a line; the file has the samples and the machine as well."""
    report = tmp_path / "report.json"
    families = [word for name in FAMILIES if name != "bundle" for word in ("--only", name)]
    ended = run(repository, "--tiny", *families, "--json", str(report), timeout=280)
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert all(list(line) == ["metric", "value", "unit"] and line["value"] >= 0 for line in lines)
    units = {line["metric"]: line["unit"] for line in lines}
    assert len(units) == len(lines)
    assert PROMISED.items() <= units.items()
    written = json.loads(report.read_text())
    assert [figure["metric"] for figure in written["figures"]] == [line["metric"] for line in lines]
    assert written["machine"]["cores"] >= 1


@pytest.mark.timeout(420)
def test_bundles_are_measured(repository: Path) -> None:
    """Cold, after a change, and how soon a job starts; beside BuildKit and what nobody can do without."""
    ended = run(repository, "--tiny", "--only", "bundle", timeout=400)
    assert ended.returncode == 0, ended.stderr
    units = {figure["metric"]: figure["unit"] for figure in map(json.loads, ended.stdout.splitlines())}
    assert units.items() >= {**dict.fromkeys(BUNDLE, "s"), "bundle_change_to_buildkit_ratio": "ratio"}.items()


def test_an_unknown_name_is_refused(repository: Path) -> None:
    """The message lists the names there are."""
    ended = run(repository, "--only", "nothing")
    assert ended.returncode == 2
    assert "sequential" in ended.stderr
