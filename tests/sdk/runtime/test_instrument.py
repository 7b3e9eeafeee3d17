"""The import hook: which modules are instrumented, how they load, and what is kept on disk."""

import importlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.scope import FakeScope
from tests.fakes.user_project import UserProject
from trigger_sdk._runtime import instrument
from trigger_sdk._runtime.bytecode_cache import cache_path

CLOCK = "import time\ndef body(): return time.time()\n"


@pytest.fixture
def writing_bytecode() -> Iterator[None]:
    """Let bytecode be written, whatever the environment says."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = False
    yield
    sys.dont_write_bytecode = before


def is_instrumented(user: UserProject, module: str) -> bool:
    """Tell whether a module's body is recorded."""
    scope = FakeScope()
    with scope.entered():
        user.load(module).body()
    return scope.names == ["time.time"]


@pytest.mark.parametrize(
    ("files", "module"),
    [
        ({"jobs/a.py": CLOCK}, "jobs.a"),
        ({"jobs/__init__.py": "", "jobs/a.py": CLOCK}, "jobs.a"),
        ({"jobs/__init__.py": CLOCK}, "jobs"),
        ({"jobs/a.py": "from .deep.b import body", "jobs/deep/b.py": CLOCK}, "jobs.a"),
        ({"jobs/a.py": "from ..app.clock import body", "app/clock.py": CLOCK, "x": ""}, "app.clock"),
    ],
    ids=["namespace", "package", "package itself", "relative import", "beside the jobs"],
)
def test_project_modules_are_instrumented(files: dict[str, str], module: str, user: UserProject) -> None:
    """Namespace folders, packages and relative imports alike."""
    for path, source in files.items():
        user.write(path, source)
    user.instrument()
    assert is_instrumented(user, module)


@pytest.mark.parametrize("folder", [".venv/lib", "env/lib/python3/site-packages", "node_modules", ".hidden"])
def test_foreign_modules_are_left_alone(folder: str, user: UserProject) -> None:
    """What lies in an environment or a hidden folder of the project is not its code."""
    user.write(f"{folder}/foreign.py", CLOCK)
    sys.path.insert(0, str(user.root / folder))
    user.instrument()
    assert not is_instrumented(user, "foreign")


def test_virtual_environment_of_any_name_is_left_alone(user: UserProject) -> None:
    """A folder with pyvenv.cfg is an environment."""
    user.write("myenv/pyvenv.cfg")
    user.write("myenv/lib/foreign.py", CLOCK)
    sys.path.insert(0, str(user.root / "myenv" / "lib"))
    user.instrument()
    assert not is_instrumented(user, "foreign")


def test_modules_outside_the_project_are_left_alone(user: UserProject, tmp_path: Path) -> None:
    """Unless a source root names their folder."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "common_clock.py").write_text(CLOCK)
    sys.path.insert(0, str(shared))
    user.instrument()
    try:
        assert not is_instrumented(user, "common_clock")
        user.configure('source_roots = ["../shared"]')
        user.instrument()
        assert is_instrumented(user, "common_clock")
    finally:
        sys.modules.pop("common_clock", None)


def test_project_behind_a_link_is_instrumented(user: UserProject, tmp_path: Path) -> None:
    """A path on sys.path may lead to the project by another name."""
    (tmp_path / "link").symlink_to(user.root)
    user.write("linked/a.py", CLOCK)
    sys.path[:] = [str(tmp_path / "link"), *(path for path in sys.path if path != str(user.root))]
    user.instrument()
    try:
        assert is_instrumented(user, "linked.a")
    finally:
        for name in ("linked", "linked.a"):
            sys.modules.pop(name, None)


def test_reload_instruments_again(user: UserProject) -> None:
    """importlib.reload takes the new text, instrumented."""
    module = user.module("def body(): return 1\n")
    user.write("subject.py", CLOCK)
    importlib.invalidate_caches()
    module = importlib.reload(module)
    scope = FakeScope()
    with scope.entered():
        module.body()
    assert scope.names == ["time.time"]


def test_uninstall_leaves_modules_working(user: UserProject) -> None:
    """What was imported goes on to work; what is imported later is plain."""
    module = user.module(CLOCK)
    instrument.uninstall()
    assert module.body() > 0
    user.write("later.py", CLOCK)
    assert not is_instrumented(user, "later")


def test_missing_module_is_missing(user: UserProject) -> None:
    """ModuleNotFoundError names the module, as ever."""
    user.instrument()
    with pytest.raises(ModuleNotFoundError) as caught:
        importlib.import_module("jobs_nowhere.a")
    assert caught.value.name == "jobs_nowhere"


def test_encoding_and_byte_order_mark(user: UserProject) -> None:
    """A source in Latin-1, and one with a mark and Windows line ends, read as ever."""
    (user.root / "latin.py").write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    (user.root / "marked.py").write_bytes(b"\xef\xbb\xbfname = 'x'\r\n")
    user.instrument()
    assert user.load("latin").name == "é"
    assert user.load("marked").name == "x"


IMPORTING = """\
import sys, traceback
from pathlib import Path
if sys.argv[1] == "instrumented":
    from trigger_sdk._runtime import instrument
    from trigger_sdk.project import load_project
    instrument.install(load_project(Path.cwd()))
try:
    import broken
except BaseException:
    traceback.print_exc()
"""


@pytest.mark.parametrize(
    "source",
    [
        "x = (1 +\ndef f(: pass\n",
        "return 1\n",
        "x = 'abc\n",
        "def f():\n\tif 1:\n        x\n",
        "1 / 0\n",
        "import nowhere\n",
        "await x\n",
        "f() = 1\n",
        "x = 1\x00\n",
    ],
)
def test_errors_of_a_module_look_as_ever(source: str, user: UserProject) -> None:
    """A syntax error, or an error while a module runs, prints what it prints without us."""
    user.write("broken.py", source)
    user.write("main.py", IMPORTING)
    said = []
    for mode in ("plain", "instrumented"):
        done = subprocess.run(
            [sys.executable, "main.py", mode],
            cwd=user.root,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        said.append(done.stderr)
    assert said[0]
    assert said[1] == said[0]


@pytest.mark.usefixtures("writing_bytecode")
def test_bytecode_is_kept_and_used(user: UserProject) -> None:
    """A second import takes the code from disk; a changed source does not."""
    module = user.module(CLOCK)
    cached = Path(cache_path(str(user.root / "subject.py")))
    assert cached.parent.name == "__pycache__"
    first = cached.read_bytes()
    loader = module.__spec__.loader if module.__spec__ else None
    assert isinstance(loader, instrument.InstrumentingLoader)

    user.load("subject")
    assert cached.read_bytes() == first
    user.write("subject.py", "import time\ndef body(): return 'new', time.time()\n")
    assert user.load("subject").body()[0] == "new"
    assert cached.read_bytes() != first
    assert is_instrumented(user, "subject")


class CountingLoader(instrument.InstrumentingLoader):
    """Counts how often a source is compiled."""

    compiled = 0

    def source_to_code(self, data: object, path: object, *, _optimize: int = -1):  # type: ignore[no-untyped-def,override] # noqa: ANN201
        """Compile, and count."""
        type(self).compiled += 1
        return super().source_to_code(data, path, _optimize=_optimize)


@pytest.mark.usefixtures("writing_bytecode")
@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data[:60] + bytes((data[60] ^ 1,)) + data[61:],
        lambda data: data[:-3] + b"\xff\xff\xff",
        lambda data: b"\0" * len(data),
        lambda data: data + b"x",
    ],
    ids=["empty", "cut in the head", "cut at the end", "a bit flipped", "end overwritten", "zeros", "longer"],
)
def test_damaged_bytecode_is_rebuilt(damage: object, user: UserProject) -> None:
    """Whatever stands in the cache file, the module loads from its source, and the file is whole again."""
    path = user.write("subject.py", CLOCK)
    cached = Path(cache_path(str(path)))

    def compilations() -> int:
        before = CountingLoader.compiled
        assert CountingLoader("subject", str(path)).get_code("subject") is not None
        return CountingLoader.compiled - before

    assert compilations() == 1
    whole = cached.read_bytes()
    assert compilations() == 0
    cached.write_bytes(damage(whole))  # type: ignore[operator]
    assert compilations() == 1
    assert cached.read_bytes() == whole
    assert compilations() == 0


@pytest.mark.usefixtures("writing_bytecode")
def test_moved_project_names_its_new_files(user: UserProject, tmp_path: Path) -> None:
    """Bytecode that was made elsewhere is used, and tracebacks show where the source lies now."""
    path = user.write("subject.py", "def body():\n    def inner(): raise ValueError\n    inner()\n")
    CountingLoader("subject", str(path)).get_code("subject")
    moved = tmp_path / "moved"
    shutil.copytree(user.root, moved)
    before = CountingLoader.compiled
    code = CountingLoader("subject", str(moved / "subject.py")).get_code("subject")
    assert CountingLoader.compiled == before
    assert code is not None
    body = next(item for item in code.co_consts if hasattr(item, "co_code"))
    assert {item.co_filename for item in (code, body, *body.co_consts) if hasattr(item, "co_filename")} == {
        str(moved / "subject.py")
    }


@pytest.mark.usefixtures("writing_bytecode")
def test_unwritable_cache_is_done_without(user: UserProject) -> None:
    """Where nothing can be written (here: a file stands in the way), modules load all the same."""
    user.write("__pycache__", "")
    module = user.module(CLOCK)
    assert module.body() > 0


def test_no_bytecode_is_written_when_python_may_not(user: UserProject) -> None:
    """PYTHONDONTWRITEBYTECODE holds for ours too."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        user.module(CLOCK)
    finally:
        sys.dont_write_bytecode = before
    assert not (user.root / "__pycache__").exists()


@pytest.mark.usefixtures("writing_bytecode")
def test_modules_load_from_many_threads(user: UserProject) -> None:
    """Threads that import the same modules at once all get whole ones."""
    for number in range(20):
        user.write(
            f"many/m{number}.py",
            f"import time\nfrom many import m{(number + 1) % 20}\ndef body(): return time.time()\n",
        )
    user.instrument()
    failures: list[BaseException] = []
    start = threading.Barrier(8)

    def load_all(offset: int) -> None:
        try:
            start.wait()
            for number in range(20):
                assert importlib.import_module(f"many.m{(number + offset) % 20}").body() > 0
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=load_all, args=(number * 3,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
