"""Projects made from templates, running."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.dev_process import DevProcess
from tests.fakes.services_process import ServicesProcess
from tests.fakes.template_project import TemplateProject, init_project, set_wait_grace


@pytest.fixture
def running(
    tmp_path: Path,
    services_of: Callable[[Path], ServicesProcess],
    dev_project: Callable[..., DevProcess],
) -> Callable[..., TemplateProject]:
    """Return what makes a project from a template and starts its services and `trigger dev`."""

    def start(template: str, *, wait_grace: float | None = None) -> TemplateProject:
        folder = init_project(template, tmp_path / template)
        if wait_grace is not None:
            set_wait_grace(folder, wait_grace)
        services = services_of(folder)
        return TemplateProject(folder=folder, services=services, dev=dev_project(folder, SERVICES_URL=services.url))

    return start
