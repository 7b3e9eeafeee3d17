"""What every test can ask for, and how hypothesis runs here."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# A deadline per example measures the machine's neighbours; pytest-timeout bounds the test.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def missing_service() -> Callable[[str], NoReturn]:
    """Return what to call when a service (a database, a Docker engine) is not there: a skip here, a failure in CI."""

    def give_up(service: str) -> NoReturn:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{service} is not available, and CI must have it: start it in .ci/run")
        pytest.skip(f"{service} is not available")

    return give_up
