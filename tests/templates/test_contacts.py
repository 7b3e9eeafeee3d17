"""The contacts template, run for real on good files and bad ones."""

from collections.abc import Callable

import pytest

from tests.fakes.template_project import TemplateProject

Start = Callable[..., TemplateProject]


def test_good_file_is_imported(running: Start) -> None:
    """Each contact is created once, enriched where its company is known, and one mail tells of it."""
    project = running("contacts")
    run = project.dev.wait(project.dev.trigger("import-contacts", project.payload("good")))
    assert (run["state"], run["error"]) == ("completed", None)
    assert run["output"] == {"state": "imported", "created": 23, "skipped": 1, "enriched": 15, "mistakes": []}
    assert project.services.counts() == {"crm.create": 23, "mail.send": 1}
    created = [effect["request"] for effect in project.services.effects() if effect["service"] == "crm"]
    assert len({contact["email"] for contact in created}) == 23
    (hanako,) = [contact for contact in created if contact["email"] == "hanako@tanaka.example"]
    assert (hanako["name"], hanako["company"]) == ("田中 花子", "田中製作所")
    assert "company" not in next(contact for contact in created if contact["email"] == "don@tex.example")
    assert project.services.effects()[-1]["request"]["text"].startswith("23 created, 1 there already")


def test_companies_are_asked_for_once_each(running: Start) -> None:
    """Twenty-four contacts have sixteen domains."""
    project = running("contacts")
    project.dev.wait(project.dev.trigger("import-contacts", project.payload("good")))
    asked = [request["request"]["domain"] for request in project.services.requests("directory")]
    assert len(asked) == len(set(asked)) == 16


@pytest.mark.parametrize(
    ("file", "count", "first"),
    [
        ("contacts_bad_rows.csv", 5, "line 3, email: 'charles at analytical' is no e-mail address"),
        ("contacts_semicolons.csv", 1, "line 1: there is no column 'name'"),
        ("contacts_latin1.csv", 1, "line 3: this is not UTF-8 text"),
    ],
)
def test_bad_file_stops_early(file: str, count: int, first: str, running: Start) -> None:
    """Nothing is looked up or created; the mail lists every mistake, and the run completes: it did its work."""
    project = running("contacts")
    run = project.dev.wait(project.dev.trigger("import-contacts", project.payload("bad", file=file)))
    assert run["state"] == "completed"
    assert run["output"]["state"] == "rejected"
    assert len(run["output"]["mistakes"]) == count
    assert project.services.effect_names() == ["mail.send"]
    assert project.services.requests("directory") == []
    mail = project.services.effects()[0]["request"]
    assert mail["subject"] == f"{file} was not imported"
    assert mail["text"].startswith(first)


def test_uploaded_file_of_the_user_is_imported(running: Start) -> None:
    """A file put there over HTTP is as good as a sample."""
    project = running("contacts")
    project.services.put("/files/mine.csv", b"email,name\r\nme@nordlys.example,Me\r\n")
    run = project.dev.wait(project.dev.trigger("import-contacts", {"file": "mine.csv", "notify": "me@nordlys.example"}))
    assert run["output"] == {"state": "imported", "created": 1, "skipped": 0, "enriched": 1, "mistakes": []}


def test_missing_file_fails_the_run(running: Start) -> None:
    """Asked for once: that it is not there will not change."""
    project = running("contacts")
    run = project.dev.wait(project.dev.trigger("import-contacts", project.payload("good", file="none.csv")))
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("NotFound")
    assert project.services.effects() == []


def test_unavailable_directory_is_tried_again(running: Start) -> None:
    """Some look-ups fail and are repeated; the result is the same."""
    project = running("contacts")
    project.services.fail_next("directory", times=5)
    run = project.dev.wait(project.dev.trigger("import-contacts", project.payload("good")))
    assert run["output"] == {"state": "imported", "created": 23, "skipped": 1, "enriched": 15, "mistakes": []}
    assert len(project.services.requests("directory")) == 16 + 5


def test_worker_killed_amid_parallel_creates_loses_nothing(running: Start) -> None:
    """SIGKILL while eight contacts are being created: all of them are created, each once, and one mail is sent."""
    project = running("contacts")
    project.services.slow_next("crm", "create", seconds=20)
    run_id = project.dev.trigger("import-contacts", project.payload("good"))
    project.dev.wait_for_step(run_id, "create_contact", states=["running"])
    project.dev.kill_worker()
    run = project.dev.wait(run_id)
    assert (run["state"], run["attempt"]) == ("completed", 2)
    assert run["output"] == {"state": "imported", "created": 23, "skipped": 1, "enriched": 15, "mistakes": []}
    assert project.services.counts() == {"crm.create": 23, "mail.send": 1}


def test_two_imports_of_one_file_create_each_contact_once(running: Start) -> None:
    """What the first import created is skipped by the second."""
    project = running("contacts")
    runs = [project.dev.wait(project.dev.trigger("import-contacts", project.payload("good"))) for _ in range(2)]
    assert [(run["output"]["created"], run["output"]["skipped"]) for run in runs] == [(23, 1), (0, 24)]
    assert project.services.counts()["crm.create"] == 23


def test_address_that_is_none_is_refused(running: Start) -> None:
    """The payload's pydantic model speaks at trigger time."""
    project = running("contacts")
    answer = project.dev.request("POST", "/jobs/import-contacts/runs", {"payload": {"file": "a.csv", "notify": "ops"}})
    assert answer.status_code == 422
    assert [item["path"] for item in answer.json()["error"]["fields"]] == ["notify"]
