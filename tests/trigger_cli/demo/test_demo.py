"""`trigger demo` for real: processes, HTTP, SIGKILL."""

import json
from pathlib import Path

from tests.trigger_cli.ended import Trigger


def test_demo_keeps_every_promise(trigger_process: Trigger, tmp_path: Path) -> None:
    """Four purchases go as promised, one of them over the body of its worker; nothing is left behind."""
    ended = trigger_process("demo", "--json", env={"TMPDIR": str(tmp_path)})
    assert ended.code == 0, ended.err
    acts = json.loads(ended.out)["acts"]
    assert [act["run"]["state"] for act in acts] == ["completed", "failed", "failed", "completed"]
    assert all(act["as_promised"] for act in acts)
    killed = acts[-1]
    assert killed["killed_worker"]
    assert killed["run"]["attempt"] >= 2
    assert killed["effects"]["payment.charge"] == {"promised": 1, "counted": 1}
    assert list(tmp_path.iterdir()) == []


def test_demo_tells_its_story(trigger_process: Trigger, tmp_path: Path) -> None:
    """As text: timelines, tables and the sum; --keep leaves the project with its logs."""
    ended = trigger_process("demo", "--keep", env={"TMPDIR": str(tmp_path)})
    assert ended.code == 0, ended.err
    assert ended.out.count("EFFECT") == 4
    assert "wait for cart.checked-out" in ended.out
    assert "each exactly as often as promised" in ended.out
    [folder] = tmp_path.glob("trigger-demo-*/ticket")
    assert (folder / "dev.log").exists()
    assert str(folder) in ended.err
