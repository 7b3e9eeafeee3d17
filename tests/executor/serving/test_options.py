"""Settings: flags before the environment before the file, and mistakes told with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.serving.errors import LauncherUnsupported, ServerSettingsInvalid
from executor.serving.options import ServerOptions, read_options


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    """Each setting by itself; what nobody gave is as usual."""
    file = tmp_path / "server.toml"
    file.write_text('data = "/from/file"\nlisten = "1.2.3.4:1"\nrate_limit = 7\ndrain = 2.5\n')
    environ = {"TRIGGER_DATA": "/from/environment", "TRIGGER_LISTEN": "1.2.3.4:2", "TRIGGER_LOG_LEVEL": "DEBUG"}
    options = read_options({"data": Path("/from/flag"), "launcher": None}, environ, file)
    assert options == ServerOptions(
        data=Path("/from/flag"), host="1.2.3.4", port=2, rate_limit=7.0, drain_s=2.5, log_level="debug"
    )
    assert read_options({}, {"TRIGGER_SERVER_CONFIG": str(file)}).data == Path("/from/file")
    assert read_options({}, {}) == ServerOptions()


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80),
        ("[::1]:8734", "::1", 8734),
        (":9", "0.0.0.0", 9),
        ("localhost:0", "localhost", 0),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    """With a host, of IPv6, or without one for all addresses."""
    options = read_options({"listen": text}, {})
    assert (options.host, options.port) == (host, port)


@pytest.mark.parametrize(
    ("name", "value"),
    [("listen", "8734"), ("listen", "a:b"), ("listen", "a:70000"), ("rate_limit", "no"), ("rate_limit", -1),
     ("rate_limit", True), ("rate_burst", 0), ("drain", "nan"), ("drain", "inf"), ("log_level", "loud"),
     ("data", 3), ("database", ["x"])],
)  # fmt: skip
def test_values_that_cannot_be_are_told_with_their_place(name: str, value: object) -> None:
    """The flag is named."""
    with pytest.raises(ServerSettingsInvalid) as caught:
        read_options({name: value}, {})
    assert caught.value.problem.where == f"--{name.replace('_', '-')}"


@pytest.mark.parametrize("text", ["rate_limits = 1", "x = ", "listen = 5"])
def test_mistakes_in_the_file_name_the_file(tmp_path: Path, text: str) -> None:
    """A word that is near is suggested."""
    file = tmp_path / "server.toml"
    file.write_text(text)
    with pytest.raises(ServerSettingsInvalid) as caught:
        read_options({}, {}, file)
    problem = caught.value.problem
    assert str(file) in problem.where + problem.message
    if text.startswith("rate"):
        assert problem.hint == "Did you mean 'rate_limit'?"


@pytest.mark.parametrize("name", ["docker", "swarm", "magic", ""])
def test_launchers_that_are_not_there_are_refused(name: str) -> None:
    """Those to come as well as those that nobody knows."""
    with pytest.raises((LauncherUnsupported, ServerSettingsInvalid)):
        read_options({"launcher": name}, {})
