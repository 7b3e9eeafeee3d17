"""`trigger keys` and `trigger server` as people call them, against a real server; where the key comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor.access.keys import PATTERN, id_of
from tests.fakes.keyed_house import ServerProcess
from tests.trigger_cli.ended import Trigger
from trigger_cli.api.credentials import find_credentials, find_profile
from trigger_cli.errors import ProfileExposed, ProfileInvalid


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """Run a server that the environment names, with its admin key."""
    process = ServerProcess(tmp_path / "data").start()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIGGER_API_URL", process.url)
    monkeypatch.setenv("TRIGGER_API_KEY", process.admin)
    yield process
    process.close()


def test_keys_from_the_first_to_the_last(
    server: ServerProcess, trigger: Trigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, listed by their beginnings, used, revoked, refused; standard output holds the key and nothing else."""
    made = trigger("keys", "create", "--purpose", "trigger", "--environment", "prod", "--note", "the shop")
    assert made.code == 0
    key = made.out.strip()
    assert PATTERN.fullmatch(key)
    listed = trigger("keys", "list")
    assert id_of(key) in listed.out
    assert "the shop" in listed.out
    assert PATTERN.findall(listed.out + listed.err) == []
    monkeypatch.setenv("TRIGGER_API_KEY", key)
    assert trigger("runs", "list").code == 0
    refused = trigger("keys", "list")
    assert (refused.code, "scope-missing" in refused.err) == (4, True)
    monkeypatch.setenv("TRIGGER_API_KEY", server.admin)
    assert trigger("keys", "revoke", f"{id_of(key)}…").code == 0
    states = {one["id"]: one["revoked_at"] for one in json.loads(trigger("keys", "list", "--json").out)["keys"]}
    assert states[id_of(key)]
    monkeypatch.setenv("TRIGGER_API_KEY", key)
    gone = trigger("runs", "list")
    assert (gone.code, "key-refused" in gone.err) == (4, True)
    monkeypatch.delenv("TRIGGER_API_KEY")
    assert "key-missing" in trigger("runs", "list").err


def test_an_admin_key_of_all_environments_needs_one(
    server: ServerProcess, trigger: Trigger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRIGGER_ENVIRONMENT says which."""
    assert "environment-missing" in trigger("runs", "list").err
    monkeypatch.setenv("TRIGGER_ENVIRONMENT", "prod")
    assert trigger("runs", "list").code == 0


def test_backup_restore_doctor_and_a_new_key(server: ServerProcess, trigger: Trigger) -> None:
    """Each beside the running server, with what it prints and its exit code."""
    assert trigger("server", "backup", "--data", "data", "--to", "b.tar").out == "wrote b.tar: server.db\n"
    assert trigger("server", "backup", "--data", "data", "--to", "b.tar").code == 3
    assert trigger("server", "restore", "b.tar", "--data", "new").code == 0
    findings = json.loads(trigger("server", "doctor", "--data", "data", "--json").out)["findings"]
    assert {finding["state"] for finding in findings} == {"ok"}
    assert trigger("keys", "revoke", server.admin).code == 0
    assert trigger("server", "doctor", "--data", "data").code == 3
    assert PATTERN.fullmatch(trigger("server", "new-admin-key", "--data", "data").out.strip())


def write_profiles(home: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file of profiles."""
    path = home / ".config" / "trigger" / "profiles.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_profile_is_used_when_it_is_named(
    server: ServerProcess, trigger: Trigger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its address, key and environment; the environment's variables come before it."""
    text = f'[work]\nurl = "{server.url}"\nkey = "{server.admin}"\nenvironment = "staging"\n'
    write_profiles(tmp_path, text)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("TRIGGER_API_URL")
    monkeypatch.delenv("TRIGGER_API_KEY")
    monkeypatch.setenv("TRIGGER_PROFILE", "work")
    assert trigger("runs", "list").code == 0
    monkeypatch.setenv("TRIGGER_API_URL", server.url)
    assert "key-missing" in trigger("runs", "list").err  # a profile's key goes to its own address only


def test_profiles_that_others_may_read_are_refused(tmp_path: Path) -> None:
    """With the remedy."""
    path = write_profiles(tmp_path, '[work]\nurl = "http://h"\n', 0o640)
    with pytest.raises(ProfileExposed) as caught:
        find_profile({"TRIGGER_PROFILE": "work"}, tmp_path)
    assert caught.value.problem.hint == f"chmod 600 {path}"


@pytest.mark.parametrize(
    "text", ["", "[work]\n", "[work]\nurl = 1\n", '[work]\nurl = "u"\nkez = "x"\n', "[work", "work = 1"]
)
def test_profiles_that_cannot_be_are_told(tmp_path: Path, text: str) -> None:
    """Missing, without an address, of another kind, with an unknown key, no TOML."""
    write_profiles(tmp_path, text)
    with pytest.raises(ProfileInvalid):
        find_profile({"TRIGGER_PROFILE": "work"}, tmp_path)
    assert find_profile({}, tmp_path) is None


def test_credentials_are_not_shown() -> None:
    """Neither by a crash report nor by a debugger's look."""
    found = find_credentials({"TRIGGER_API_KEY": "tr_prod_x", "TRIGGER_ENVIRONMENT": "dev"}, None)
    assert (found.key, found.environment) == ("tr_prod_x", "dev")
    assert "tr_prod_x" not in repr(found)
