"""Where the server is looked for."""

import json
from pathlib import Path

import pytest

from trigger_cli.api.address import find_server, parse_url
from trigger_cli.errors import UsageProblem


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a project whose dev server wrote itself down, and a folder below."""
    (tmp_path / ".trigger").mkdir()
    (tmp_path / ".trigger" / "dev.json").write_text(
        json.dumps({"url": "http://127.0.0.1:9001", "pid": 1, "token": "t"})
    )
    (tmp_path / "jobs").mkdir()
    return tmp_path


def test_option_beats_environment_beats_project(project: Path) -> None:
    """--url, TRIGGER_API_URL, dev.json in this order."""
    environ = {"TRIGGER_API_URL": "http://env:2"}
    assert find_server("http://option:1", environ, project).url == "http://option:1"
    assert find_server(None, environ, project).url == "http://env:2"
    assert find_server(None, {"TRIGGER_API_URL": ""}, project).url == "http://127.0.0.1:9001"


def test_project_is_found_from_below(project: Path) -> None:
    """A command may be called in any folder of the project; the answer says where it comes from."""
    found = find_server(None, {}, project / "jobs")
    assert found.port == 9001
    assert "dev.json" in found.origin


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": 5}'])
def test_unreadable_state_is_ignored(project: Path, content: str) -> None:
    """A dev.json that was cut off leaves the default."""
    (project / ".trigger" / "dev.json").write_text(content)
    assert find_server(None, {}, project).url == "http://127.0.0.1:8734"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://localhost:1/", "http://localhost:1"),
        ("localhost:99", "http://localhost:99"),
        ("https://jobs.example.org/trigger/", "https://jobs.example.org:443/trigger"),
        ("http://[::1]:5", "http://[::1]:5"),
    ],
)
def test_url_forms(text: str, url: str) -> None:
    """Scheme, port and path may be left out."""
    assert parse_url(text, "x").url == url


@pytest.mark.parametrize("text", ["ftp://x", "http://", "http://x:port", "http://x:99999", "://"])
def test_bad_url_is_a_usage_problem(text: str) -> None:
    """What is no address is refused, naming where it came from."""
    with pytest.raises(UsageProblem, match="given by me"):
        parse_url(text, "given by me")
