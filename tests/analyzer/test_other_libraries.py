"""Nothing is found in projects that use other libraries' jobs and tasks, taken from PyPI."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.analyzer.other_libraries import DISTRIBUTIONS, count, download


@pytest.mark.soak
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_other_libraries_have_no_jobs_and_no_findings(
    name: str, tmp_path: Path, missing_service: Callable[[str], NoReturn]
) -> None:
    """A library that has its own @job, @task or @flow, checked as a project, is silent. Needs PyPI."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    try:
        download(wheels, [name])
    except subprocess.CalledProcessError as error:
        missing_service(f"{name} from a package index ({error.stderr.decode(errors='replace')[-200:]})")
    root = tmp_path / "project"
    root.mkdir()
    result = count(next(wheels.glob("*.whl")), root)
    assert result.files > 10
    assert result.jobs == 0
    assert result.findings == ()
