"""Projects made from templates, running."""

from collections.abc import Callable, Iterator

import pytest

from tests.fakes.dev_process import DevProcess
from tests.fakes.services_process import ServicesProcess
from tests.fakes.template_project import TemplateProject, init_project, set_wait_grace

Running = dict[tuple[str, float | None], TemplateProject]


@pytest.fixture(scope="module")
def projects() -> Iterator[Running]:
    """Return the projects that run: the tests of a module take turns in them."""
    started: Running = {}
    yield started
    for project in started.values():
        project.close()


@pytest.fixture
def running(projects: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., TemplateProject]]:
    """Return what makes a project from a template, with its services as new and `trigger dev` with no run under way."""
    given: list[tuple[str, float | None]] = []

    def start(template: str, *, wait_grace: float | None = None) -> TemplateProject:
        given.append((template, wait_grace))
        if given[-1] not in projects:
            folder = init_project(template, tmp_path_factory.mktemp("project") / template)
            if wait_grace is not None:
                set_wait_grace(folder, wait_grace)
            services = ServicesProcess(folder).start()
            dev = DevProcess(folder, SERVICES_URL=services.url)
            projects[given[-1]] = TemplateProject(folder=folder, services=services, dev=dev)
            dev.start()
        return projects[given[-1]]

    yield start
    for key in given:
        # A test that failed, or meant to, may leave things as no other test expects them.
        if not projects[key].is_idle():
            projects.pop(key).close()
        else:
            projects[key].services.forget()
