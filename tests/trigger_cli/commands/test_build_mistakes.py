"""`trigger build` given what it cannot use: nothing on standard output, an exit code, and a way out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.index import FakeIndex
from tests.fakes.registry_process import Auth, RegistryProcess
from tests.rig.build_command import BuildCommand, small_base
from tests.trigger_cli.ended import Ended

NOWHERE = "127.0.0.1:1"
"""Nobody listens there."""

Registries = Callable[[Auth], RegistryProcess]


def require(ended: Ended, code: int, *said: str) -> None:
    """Assert an exit code, an empty standard output, and words on standard error, with a hint."""
    assert (ended.code, ended.out) == (code, ""), ended
    for words in said:
        assert words in ended.err, ended.err
    assert "hint:" in ended.err
    assert "trigger has a bug" not in ended.err


def test_no_project_is_2(build: BuildCommand, tmp_path: Path) -> None:
    """In a folder that is in none."""
    (tmp_path / "empty").mkdir()
    require(build.called_in(tmp_path / "empty"), 2, "no-project-to-build", "trigger init")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "it is not said where the image is pushed to"),
        (["-o", "oic:out"], "'oic:out' is no output"),
        (["-o", "oci:"], "'oci:' is no output"),
        (["-o", ""], "'' is no output"),
        (["-o", "tar:."], "is a folder"),
        (["-o", "oci:o", "--platform", "arm64"], "Did you mean linux/arm64?"),
        (["-o", "oci:o", "--platform", "windows/amd64"], "There are linux/amd64 and linux/arm64."),
        (["-o", "oci:o", "--tag", "a b"], "'a b' is no tag"),
        (["--repository", "registry.example/shop:v1"], "Leave it out here, and set tags."),
        (["--repository", "registry.example/SHOP"], "SHOP"),
        (["--list-files", "--dockerfile"], "Give one of them."),
        (["-o", "oci:o", "extra"], "extra"),
        (["--outptu", "oci:o"], "--output"),
    ],
)  # fmt: skip
def test_wrong_usage_is_2(build: BuildCommand, argv: list[str], said: str) -> None:
    """With what was meant, before anything is built or asked for."""
    require(build(*argv), 2, said)
    assert not (build.folder / "o").exists()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('inclde = ["*"]', "Did you mean include?"),
        ('user = "root"', "expected the number of a user"),
        ("user = 0", "jobs do not run as root"),
        ('presets = ["ffmepg"]', "Did you mean ffmpeg?"),
        ('layers = "ten"', "Write it without quotes: 10."),
        ('presets = ["playwright"]', "preset-unusable"),
        ("platforms = [", "is not valid TOML"),
    ],
)
def test_broken_configuration_is_2(build: BuildCommand, table: str, said: str) -> None:
    """With the place."""
    build.project.configure(table)
    require(build("--dockerfile"), 2, said)


def test_registry_that_is_not_there_is_3(build: BuildCommand) -> None:
    """To push to, and to take the base from."""
    require(build("--repository", f"{NOWHERE}/shop"), 3, "registry-unreachable", NOWHERE)
    asked = build("-o", "oci:../o", "--base", f"{NOWHERE}/python:3")
    require(asked, 3, "registry-unreachable", f"the base image ({NOWHERE}/python:3)")
    require(build("--repository", "registry.invalid/shop"), 3, "there is no host 'registry.invalid'")


def test_registry_that_refuses_is_3(build: BuildCommand, read_only_registry: RegistryProcess) -> None:
    """One that lets nobody write, in its own words."""
    ended = build("--repository", f"{read_only_registry.host}/shop")
    require(ended, 3, "registry-refused", read_only_registry.host)


def test_missing_base_is_3(build: BuildCommand, shared_registry: Registries) -> None:
    """In a registry, in a folder, as a file, in an engine that does not answer."""
    host = shared_registry("none").host
    require(build("-o", "oci:../o", "--base", f"{host}/nothing/here:1"), 3, "registry-not-found", "nothing/here")
    for base in ("oci:../nowhere", "tar:../nowhere.tar"):
        require(build("-o", "oci:../o", "--base", base), 3, "base-unreadable", "nowhere")
    away = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    require(build("-o", "oci:../o", "--base", "docker:python:3", **away), 3, "engine-missing", "/nowhere/docker.sock")
    require(build("-o", "docker", **away), 3, "engine-missing", "DOCKER_HOST")


def test_base_with_another_python_is_3(build: BuildCommand) -> None:
    """It names the version that is there and the one that is wanted."""
    base = small_base(build.folder.parent / "old", "usr/bin/python3.9")
    require(build("-o", "oci:../o", "--base", base), 3, "base-unsuitable", "3.9")


@pytest.mark.parametrize("auth", ["htpasswd", "token"])
def test_wrong_or_no_credentials_are_3(build: BuildCommand, shared_registry: Registries, auth: Auth) -> None:
    """It says whose they are and where they are from, and never what they are."""
    host = shared_registry(auth).host
    without = build("--repository", f"{host}/cli/shop")
    require(without, 3, "registry-unauthorized", host, "docker login")
    file = build.log_in(host, password="wr0ng-secret")
    wrong = build("--repository", f"{host}/cli/shop", "-v")
    require(wrong, 3, "registry-unauthorized", str(file))
    assert "wr0ng-secret" not in wrong.err


def test_helper_of_credentials_that_is_missing_is_3(build: BuildCommand, shared_registry: Registries) -> None:
    """Loud, though the registry might take anybody's."""
    host = shared_registry("htpasswd").host
    build.write_docker_config({"credHelpers": {host: "vault"}})
    require(build("--repository", f"{host}/cli/shop"), 3, "credentials-unusable", "docker-credential-vault")
    build.write_docker_config({"auths": "nonsense"})
    require(build("--repository", f"{host}/cli/shop"), 3, "credentials-unusable", "config.json")


def test_import_that_nothing_provides_is_1(build: BuildCommand) -> None:
    """With the line, and the distribution that has the module."""
    build.project.write("jobs/other.py", "import os\nimport yaml\n")
    require(build("-o", "oci:../o"), 1, "imports-unresolved", "jobs/other.py:2", "yaml", "PyYAML")
    assert not (build.folder.parent / "o").exists()


def test_module_that_cannot_be_imported_is_1(build: BuildCommand) -> None:
    """With the traceback, and with the way out where a variable is missing; as JSON too."""
    build.project.write("jobs/other.py", 'import os\nKEY = os.environ["SHOP_KEY"]\n')
    ended = build("-o", "oci:../o", SHOP_KEY="not in the image")
    require(ended, 1, "index-failed", "SHOP_KEY", "jobs/other.py", 'KEY = os.environ["SHOP_KEY"]', "env")
    build.project.write("jobs/other.py", 'import os, time\ntime.sleep(0.7)\nKEY = os.environ["SHOP_KEY"]\n')
    shown = build("-o", "oci:../o", "--json")  # nothing is said of what takes long: programs read it
    assert (shown.code, shown.out) == (1, "")
    assert json.loads(shown.err)["error"]["code"] == "index-failed"


@pytest.mark.parametrize(
    ("lock", "code"),
    [
        ("lock-version = 'one'\n", "lock-invalid"),
        ("lock-version = '9.0'\n", "lock-invalid"),
        ("lock-version = '1.0'\n[[packages]]\nversion = '1'\n", "lock-invalid"),
        ("<<<<<<< ours\n", "lock-invalid"),
    ],
)
def test_broken_lock_is_3(build: BuildCommand, lock: str, code: str) -> None:
    """With the file, whatever is wrong with it."""
    build.project.write("pylock.toml", lock)
    require(build("-o", "oci:../o"), 3, code, "pylock.toml")


def test_wheel_with_another_hash_is_3(build: BuildCommand) -> None:
    """Than the lock says: it is not used."""
    wheel = next((build.folder / "wheels").glob("greeter-*"))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    require(build("-o", "oci:../o"), 3, "digest-mismatch", wheel.name)


def test_lock_that_is_named_and_not_there_is_3(build: BuildCommand) -> None:
    """The name is said."""
    build.project.configure('lock = "requirements.lock"')
    require(build("-o", "oci:../o"), 3, "lock-not-found", "requirements.lock")


def test_lock_without_what_the_sdk_needs(build: BuildCommand) -> None:
    """It is resolved now, and said so; without a program that resolves, that is a problem."""
    build.project.unlock("websockets")
    with FakeIndex() as index:
        index.offer("websockets", "15.0")
        found = build.layout(UV_INDEX_URL=index.simple, UV_NO_CONFIG="1")
        assert any("websockets-15.0.dist-info" in path for path in found.image().files)
        ended = build("-o", "oci:../out", UV_INDEX_URL=index.simple, UV_NO_CONFIG="1")
    note = "note: pylock.toml does not lock trigger-sdk: what it needs was resolved now (websockets 15.0)"
    assert note in ended.err
    with FakeIndex() as index:
        require(build("-o", "oci:../o", UV_INDEX_URL=index.simple), 3, "lock-tool-failed", "websockets")


def test_file_that_cannot_be_read_is_1(build: BuildCommand) -> None:
    """A link to nowhere, a link to outside, a pipe: all are named at once."""
    (build.folder / "jobs/gone.py").symlink_to("nowhere.py")
    (build.folder / "jobs/outside.py").symlink_to("/etc/passwd")
    require(build("-o", "oci:../o"), 1, "files-refused", "jobs/gone.py", "jobs/outside.py")


def test_interpreter_that_is_not_there_is_3(build: BuildCommand) -> None:
    """Named by the option, or broken in the project."""
    require(build("-o", "oci:../o", "--python", "/nope/python3"), 3, "interpreter-missing", "/nope/python3")
    broken = build.folder / "broken"
    broken.write_text("#!/bin/sh\necho no python here >&2\nexit 9\n")
    broken.chmod(0o755)
    require(build("-o", "oci:../o", "--python", str(broken)), 3, "interpreter-unusable", "no python here")


def test_source_date_that_is_no_time_is_2(build: BuildCommand) -> None:
    """The variable is named."""
    require(build("-o", "oci:../o", SOURCE_DATE_EPOCH="yesterday"), 2, "SOURCE_DATE_EPOCH", "git log")
