"""The table ``bundle`` of the configuration: every key, and what is said of wrong values."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.errors import BundleSettingsInvalid
from bundler.model import Platform
from bundler.settings import BundleSettings, read_settings, settings_from
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.project import load_project

FULL = """
base = "registry.example/python:3.12-slim"
python = "/opt/python/bin/python3.12"
platforms = ["linux/amd64", "linux/arm64/v8"]
include = ["data/**/*.csv", "!data/raw"]
exclude = ["tests"]
env = { TZ = "UTC", A = "1" }
user = "1234:99"
apt = ["libpq5", "g++", "curl=7.88.1-10+deb12u5"]
run = ["echo a && echo b"]
presets = ["ffmpeg"]
repository = "registry.example:5000/team/shop"
tags = ["latest", "v1.2"]
layers = 5
bytecode = true
groups = ["prod"]
extras = ["s3"]
lock = "locks/uv.lock"
"""


@pytest.mark.parametrize(("file", "head"), [("trigger.toml", "[bundle]"), ("pyproject.toml", "[tool.trigger.bundle]")])
def test_every_key_is_read_in_both_files(tmp_path: Path, file: str, head: str) -> None:
    """The whole table, by way of a project, which lets the table through."""
    (tmp_path / file).write_text(f"{head}\n{FULL}")
    found = read_settings(load_project(tmp_path))
    assert (found.base, found.user, found.group, found.layers, found.bytecode) == (
        "registry.example/python:3.12-slim", 1234, 99, 5, True,
    )  # fmt: skip
    assert found.python == "/opt/python/bin/python3.12"
    assert found.platforms == (Platform(architecture="amd64"), Platform(architecture="arm64"))
    assert [pattern.text for pattern in found.include.patterns] == ["data/**/*.csv", "!data/raw"]
    assert found.exclude.match("tests/test_a.py")
    assert list(found.env.items()) == [("A", "1"), ("TZ", "UTC")]
    assert found.apt == ("libpq5", "g++", "curl=7.88.1-10+deb12u5")
    assert (found.run, found.presets) == (("echo a && echo b",), ("ffmpeg",))
    assert (found.repository, found.tags) == ("registry.example:5000/team/shop", ("latest", "v1.2"))
    assert (found.groups, found.extras, found.lock) == (("prod",), ("s3",), "locks/uv.lock")


def test_without_a_table_there_are_the_defaults(tmp_path: Path) -> None:
    """A project that says nothing, and one without a file."""
    assert read_settings(load_project(tmp_path)) == BundleSettings()
    (tmp_path / "trigger.toml").write_text("")
    assert read_settings(load_project(tmp_path)) == BundleSettings()


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("includes = []", "no key 'includes'", "Did you mean include?"),
        ("platform = 'x'", "no key 'platform'", "Did you mean platforms?"),
        ("dependency_groups = []", "no key", "Did you mean groups?"),
        ("colour = 1", "no key 'colour'", "There are base, python, platforms"),
        ("base = 3", "expected text, and found 3", "quotes"),
        ("base = ''", "expected text", "quotes"),
        ('base = "a\\nb"', "cannot be seen", "one line"),
        ("python = 'python3.11'", "no absolute path of a program", "/usr/bin/python3.11"),
        ("python = '/'", "no absolute path of a program", "/usr/bin/python3.11"),
        ("python = '/usr/../bin/python3.11'", "no absolute path of a program", "/usr/bin/python3.11"),
        ("python = '//usr/bin/python3.11'", "no absolute path of a program", "/usr/bin/python3.11"),
        ("python = '/opt/my python/bin/python3'", "first line of a program", "plainer"),
        (f"python = '/{'x' * 120}'", "first line of a program", "shorter"),
        ("platforms = 'linux/amd64'", "expected a list", '["linux/amd64"]'),
        ("platforms = ['linux/x86_64']", "no platform", "Did you mean linux/amd64?"),
        ("platforms = ['windows/amd64']", "no platform", "linux/amd64 and linux/arm64"),
        ("include = ['[']", "without its ']'", ".dockerignore"),
        ("exclude = ['!']", "takes nothing back", ".dockerignore"),
        ("env = ['A=1']", "expected a table", "{ TZ"),
        ("env = { A = 1 }", "A must be text, and is 1", 'A = "1"'),
        ("env = { 'A B' = '1' }", "no name of an environment variable", "letters"),
        ("user = 0", "root", "apt or run"),
        ("user = '0:5'", "root", "apt or run"),
        ("user = 'app'", "number of a user", "10001"),
        ("user = true", "found true", "10001"),
        ("user = 4294967295", "no number that Linux", "10001"),
        ("apt = ['libpq5; rm -rf /']", "no name of a Debian package", "libpq5"),
        ("presets = ['ffmpg']", "no preset 'ffmpg'", "Did you mean ffmpeg?"),
        ("repository = 'host/Name'", "", ""),
        ("repository = 'host/name:latest'", "has a tag", "set tags"),
        ("tags = ['a b']", "'a b' is no tag", "letters"),
        ("layers = 0", "from 1 to 100, and found 0", "10"),
        ("layers = true", "found true", "10"),
        ("bytecode = 'yes'", "true or false", "without quotes"),
        ("groups = ['a b']", "no name of a group", "dependency-groups"),
        ("extras = [1]", "expected text, and found 1", "quotes"),
        ("lock = '/etc/uv.lock'", "absolute", "relative"),
    ],
)
def test_wrong_value_is_told(tmp_path: Path, line: str, message: str, hint: str) -> None:
    """The message names what is wrong, the hint what to write, and the place is the key's."""
    (tmp_path / "trigger.toml").write_text(f"[bundle]\n{line}\n")
    with pytest.raises(BundleSettingsInvalid) as caught:
        read_settings(load_project(tmp_path))
    assert message in caught.value.message
    assert hint in caught.value.problem.hint
    assert caught.value.problem.where.startswith("trigger.toml: bundle")


def test_a_table_that_is_none_is_told(tmp_path: Path) -> None:
    """``bundle = 1``."""
    with pytest.raises(BundleSettingsInvalid, match="must be a table"):
        settings_from(1, tmp_path / "pyproject.toml")


def test_a_table_that_is_misspelt_is_told(tmp_path: Path) -> None:
    """``[bundel]`` is refused where the project is loaded."""
    (tmp_path / "trigger.toml").write_text("[bundel]\n")
    with pytest.raises(ProjectInvalid) as caught:
        load_project(tmp_path)
    assert caught.value.problem.hint == "Did you mean bundle?"
