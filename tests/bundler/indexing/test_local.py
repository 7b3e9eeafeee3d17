"""Indexing with the project's interpreter: what the image will have, and nothing else of this machine."""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bundler.errors import FileChanged
from bundler.indexing.errors import IndexFailed, IndexUnavailable
from bundler.model import ProjectFile
from tests.bundler.indexing.conftest import Indexed
from trigger_sdk.protocol.version import VERSION

SHOP = """
    from dataclasses import dataclass, field
    from trigger_sdk import Context, Queue, job

    print("imported")

    @dataclass
    class Order:
        ticket: int
        tags: set[str] = field(default_factory=set)
        kind: frozenset[str] = frozenset({"a", "b", "c", "d"})

    @job(id="purchase", version="1.0.1", queue=Queue("checkout", concurrency=10), max_duration=60)
    async def purchase(order: Order, ctx: Context) -> int:
        '''Sell a ticket.

        And more.
        '''

    @job(id="audit", queue="checkout")
    def audit(): ...
"""


def test_index_says_what_the_jobs_are(project: Indexed) -> None:
    """Jobs by id with their schemas, queues, versions; as canonical JSON without a path."""
    project.write("jobs/shop.py", SHOP)
    index = project.index()
    assert [job.id for job in index.jobs] == ["audit", "purchase"]
    assert (index.sdk, index.python) == (VERSION, f"{sys.version_info[0]}.{sys.version_info[1]}")
    plain = json.loads(index.content)
    assert set(plain) == {"format", "sdk", "python", "jobs", "queues"}
    assert json.dumps(plain, sort_keys=True, separators=(",", ":")).encode() == index.content
    purchase = plain["jobs"][1]
    assert purchase["payload_schema"]["$defs"]["Order"]["properties"]["ticket"] == {"type": "integer"}
    assert (purchase["file"], purchase["line"], purchase["description"]) == ("jobs/shop.py", 13, "Sell a ticket.")
    assert purchase["queue"] == {"name": "checkout", "concurrency": 10}
    assert plain["jobs"][0]["sync"] is True
    assert [queue["name"] for queue in plain["queues"]] == ["checkout"]


def test_same_project_same_bytes(project: Indexed, tmp_path: Path) -> None:
    """In another folder, with bytecode beside it, another seed of hashes in the environment, whatever the order."""
    project.write("jobs/shop.py", SHOP)
    project.job(name="b")
    other = Indexed(Path(shutil.copytree(project.root, tmp_path / "elsewhere" / "deep")), tmp_path / "other")
    first = project.index(env={"PYTHONHASHSEED": "1"})
    second = other.index(env={"PYTHONHASHSEED": "2"})
    assert first.content == second.content


def test_nothing_is_left_behind_and_nothing_of_the_users_is_touched(project: Indexed) -> None:
    """A module that writes beside itself writes to a copy; the fresh folder is removed."""
    project.write("jobs/state.json", "mine")
    project.job("""
        from pathlib import Path
        Path(__file__).with_name("state.json").write_text("changed")
        (Path.home() / "x").touch()
        import tempfile; tempfile.mkstemp()
    """)
    project.index()
    assert (project.root / "jobs" / "state.json").read_text() == "mine"
    assert list(project.work.iterdir()) == []
    assert not (project.root / "jobs" / "__pycache__").exists()


def test_only_selected_files_are_there(project: Indexed) -> None:
    """A module that was left out cannot be imported; a data file that was left out is named with the remedy."""
    project.write("jobs/rates.csv", "1")
    project.write("extra.py")
    project.left_out = {"jobs/rates.csv", "extra.py"}
    project.job("from pathlib import Path\nPath(__file__).with_name('rates.csv').read_text()\n")
    project.job("import extra\n", name="b")
    with pytest.raises(IndexFailed) as raised:
        project.index()
    data, module = raised.value.problems
    assert 'include = ["jobs/rates.csv"]' in data.hint
    assert f"'{project.root}/jobs/rates.csv'" in data.message
    assert "No module named 'extra'" in module.message


def test_environment_is_the_images(project: Indexed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of this machine are not there: what works only here fails here."""
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "x")
    project.job("""
        import os, site
        assert "SECRET_OF_THIS_MACHINE" not in os.environ
        assert os.environ["REGION"] == "eu" and os.environ["TZ"] == "UTC"
        assert not site.ENABLE_USER_SITE
        left = set(os.environ) - {"PATH", "LANG", "LC_CTYPE", "HOME", "TMPDIR", "TZ", "REGION", "LD_LIBRARY_PATH"}
        assert all(name.startswith(("PYTHON", "TRIGGER_PROJECT", "OPENBLAS")) for name in left), left
    """)
    assert project.index(env={"REGION": "eu"}).jobs


def test_network_is_not_there(project: Indexed) -> None:
    """A connection on import is an error with the remedy, here as in the image's own index."""
    project.job("import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=5)\n")
    with pytest.raises(IndexFailed) as raised:
        project.index()
    assert "without a network" in raised.value.problem.hint


def test_other_sdk_or_python_than_the_images_is_told(project: Indexed) -> None:
    """The index would lie about the image."""
    project.job()
    with pytest.raises(IndexUnavailable, match=rf"has trigger-sdk {VERSION}, and the image has 99\.0") as raised:
        project.index(sdk="99.0")
    assert "pip install trigger-sdk==99.0" in raised.value.problem.hint
    with pytest.raises(IndexUnavailable, match=r"and the image has 3\.99"):
        project.index(python=(3, 99))


def test_interpreter_that_cannot_is_told(project: Indexed, tmp_path: Path) -> None:
    """Missing, no program, no SDK, an SDK that cannot index, a Python too old."""
    project.job()
    empty = tmp_path / "empty"
    (empty / "bin").mkdir(parents=True)
    (empty / "pyvenv.cfg").write_text(f"home = {sys.base_prefix}/bin\n")
    (empty / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}")
    fakes = {
        "text": "nothing",
        "old-sdk": "#!/bin/sh\necho 'python: No module named trigger_sdk.indexing' >&2; exit 1\n",
        "old": "#!/bin/sh\necho 'unknown option -P' >&2; exit 2\n",
        "future": "#!/bin/sh\necho '{\"format\": 99}' > /dev/fd/$TRIGGER_INDEX_FD\n",
    }
    for name, content in fakes.items():
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o755)
    expected = {
        tmp_path / "none": "cannot be executed: No such file",
        tmp_path / "text": "cannot be executed: Exec format",
        empty / "bin" / "python": "has no trigger-sdk",
        tmp_path / "old-sdk": "too old to index",
        tmp_path / "old": r"older than Python 3\.11",
        tmp_path / "future": "its format is 99",
    }
    for interpreter, message in expected.items():
        with pytest.raises(IndexUnavailable, match=message):
            project.index(interpreter=interpreter)


def test_file_that_went_away_is_told(project: Indexed) -> None:
    """Between the listing and the copy."""
    project.job()
    gone = ProjectFile(place="jobs/b.py", source=project.root / "jobs" / "b.py", size=1)
    import asyncio

    from bundler.indexing import index_locally

    with pytest.raises(FileChanged, match=r"b\.py cannot be read"):
        asyncio.run(
            index_locally(Path(sys.executable), [*project.files, gone], env={}, folder=project.work, timeout=30)
        )
    assert list(project.work.iterdir()) == []


def test_bytecode_of_earlier_runs_is_used(project: Indexed) -> None:
    """What a worker compiled beside the sources is taken over: it is held against the source, not against its path."""
    from trigger_sdk._runtime import bytecode_cache
    from trigger_sdk._runtime.instrument import compile_instrumented

    project.job()
    file = project.root / "jobs" / "a.py"
    source = file.read_bytes()
    cached = Path(bytecode_cache.cache_path(str(file)))
    cached.parent.mkdir()
    marked = source.replace(b"id='a'", b"id='cached'")
    cached.write_bytes(bytecode_cache.pack(compile_instrumented(marked, str(file)), source))
    assert [job.id for job in project.index().jobs] == ["cached"]


def test_project_that_cannot_be_written_to_is_indexed(project: Indexed) -> None:
    """Its folder may be mounted without the right to write; nothing is left where temporary files are."""
    project.job()
    project.work.touch()  # a file in the folder's place
    before = set(Path(tempfile.gettempdir()).glob("trigger-index-*"))
    assert [job.id for job in project.index().jobs] == ["a"]
    assert set(Path(tempfile.gettempdir()).glob("trigger-index-*")) == before


def test_folders_of_killed_builds_are_removed(project: Indexed) -> None:
    """After an hour; a younger one may be another build's."""
    project.job()
    for name, age in (("index-old", 4000), ("index-young", 100), ("other", 4000)):
        (project.work / name / "project").mkdir(parents=True)
        os.utime(project.work / name, (time.time() - age, time.time() - age))
    project.index()
    assert sorted(path.name for path in project.work.iterdir()) == ["index-young", "other"]
