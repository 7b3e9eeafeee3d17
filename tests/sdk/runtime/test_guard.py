"""The guard: effects of a body are stopped at their line; all else passes."""

import gc
import logging
import socket
import sys
import textwrap
import threading
from collections.abc import Iterator

import pytest

from tests.fakes.scope import FakeScope
from tests.fakes.user_project import UserProject
from trigger_sdk._runtime import guard
from trigger_sdk.errors import SideEffectOutsideTask


@pytest.fixture
def guarded(user: UserProject) -> Iterator[UserProject]:
    """Return a project whose bodies are guarded."""
    user.project  # noqa: B018 - reads the configuration once, as a worker does
    guard.install(user.project)
    yield user
    guard.uninstall()


EFFECTS = {
    "open to read": ("open('a.txt')", "open"),
    "open to write": ("open('a.txt', 'w')", "open"),
    "pathlib": ("pathlib.Path('a.txt').write_text('x')", "open"),
    "os.open": ("os.open('a.txt', os.O_RDONLY)", "os.open"),
    "remove": ("os.remove('a.txt')", "os.remove"),
    "unlink": ("pathlib.Path('a.txt').unlink()", "os.remove"),
    "rename": ("os.rename('a.txt', 'b.txt')", "os.rename"),
    "mkdir": ("os.mkdir('d')", "os.mkdir"),
    "makedirs": ("os.makedirs('d/e')", "os.mkdir"),
    "rmdir": ("os.rmdir('d')", "os.rmdir"),
    "listdir": ("os.listdir('.')", "os.listdir"),
    "scandir": ("list(os.scandir('.'))", "os.scandir"),
    "glob": ("list(pathlib.Path('.').glob('*'))", "glob|scandir|listdir"),
    "chdir": ("os.chdir('/')", "os.chdir"),
    "copy": ("shutil.copyfile('a.txt', 'b.txt')", "shutil.copyfile"),
    "rmtree": ("shutil.rmtree('d')", "shutil.rmtree"),
    "temporary file": ("tempfile.NamedTemporaryFile()", "tempfile|open|scandir|listdir"),
    "temporary folder": ("tempfile.mkdtemp()", "mkdtemp|mkdir|open"),
    "system": ("os.system('true')", "os.system"),
    "subprocess": ("subprocess.run(['true'])", "subprocess.Popen"),
    "fork": ("os.fork()", "os.fork"),
    "exec": ("os.execv('/bin/true', ['true'])", "os.exec"),
    "posix_spawn": ("os.posix_spawn('/bin/true', ['true'], {})", "os.posix_spawn"),
    "connect": ("socket.create_connection(('127.0.0.1', 9))", "socket"),
    "plain connect": ("with_socket(lambda s: s.connect(('127.0.0.1', 9)))", "socket.connect"),
    "bind": ("with_socket(lambda s: s.bind(('127.0.0.1', 0)))", "socket.bind"),
    "look up": ("socket.getaddrinfo('localhost', 80)", "socket.getaddrinfo"),
    "datagram": ("with_socket(lambda s: s.sendto(b'x', ('127.0.0.1', 9)), type=socket.SOCK_DGRAM)", "socket.sendto"),
    "http.client": ("http.client.HTTPConnection('127.0.0.1', 9).request('GET', '/')", "http.client"),
    "urllib": ("urllib.request.urlopen('http://127.0.0.1:9/')", "urllib|socket|http"),
    "smtplib": ("smtplib.SMTP('127.0.0.1', 9)", "smtplib|socket"),
    "ftplib": ("ftplib.FTP('127.0.0.1')", "ftplib|socket"),
    "sqlite": ("sqlite3.connect(':memory:')", "sqlite3.connect"),
    "thread": ("threading.Thread(target=int).start()", "threading.Thread.start"),
    "timer": ("threading.Timer(0, int).start()", "threading.Thread.start"),
    "thread pool": ("concurrent.futures.ThreadPoolExecutor(1).submit(int)", "threading.Thread.start"),
    "process": ("multiprocessing.get_context('spawn').Process(target=int).start()", "multiprocessing.Process.start"),
    "forked process": (
        "multiprocessing.get_context('fork').Process(target=int).start()",
        "multiprocessing.Process.start",
    ),
}

IMPORTS = (
    "import concurrent.futures, ftplib, http.client, multiprocessing, os, pathlib, shutil, smtplib, socket, sqlite3\n"
    "import subprocess, tempfile, threading, urllib.request; from sockets import with_socket\n"
)


@pytest.mark.parametrize("effect", EFFECTS)
def test_effect_of_a_body_raises_with_line_and_remedy(effect: str, guarded: UserProject, body: FakeScope) -> None:
    """The error names the project's line, however deep in a library the effect happens, and what to do."""
    expression, named = EFFECTS[effect]
    guarded.write(
        "sockets.py", "import socket\ndef with_socket(use, **kind):\n    with socket.socket(**kind) as s: use(s)\n"
    )
    module = guarded.module(f"{IMPORTS}def deep(): return {expression}\ndef body():\n    return deep()\n")
    guard.install(guarded.project)  # the modules that it has just imported are loaded now
    with body.entered(), pytest.raises(SideEffectOutsideTask) as caught:
        module.body()
    assert any(name in caught.value.message for name in named.split("|")), caught.value.message
    assert caught.value.problem.where == "subject.py:3"
    assert "task.run" in caught.value.problem.hint


def test_effect_in_a_coroutine_advises_to_await(guarded: UserProject, body: FakeScope) -> None:
    """The remedy fits the function it is for."""
    module = guarded.module("async def body():\n    open('a.txt')\ndef other():\n    open('a.txt')\n")
    with body.entered(), pytest.raises(SideEffectOutsideTask) as caught:
        module.body().send(None)
    assert "await task.run" in caught.value.problem.hint
    with body.entered(), pytest.raises(SideEffectOutsideTask) as caught:
        module.other()
    assert "await" not in caught.value.problem.hint


def test_tasks_and_other_code_pass(guarded: UserProject, in_task: FakeScope) -> None:
    """In a task, outside any run, and in a thread that a task started, nothing is stopped."""
    module = guarded.module(
        """\
        import os, pathlib, subprocess, threading
        def effects(folder):
            path = pathlib.Path(folder, "a.txt")
            path.write_text("x")
            os.remove(path)
            subprocess.run(["true"], check=True)
            seen = []
            def inside():
                path.write_text("y")
                seen.append(path.read_text())
            thread = threading.Thread(target=inside)
            thread.start()
            thread.join()
            return seen
        """
    )
    assert module.effects(guarded.root) == ["y"]
    with in_task.entered():
        assert module.effects(guarded.root) == ["y"]


HARMLESS = {
    "import": """\
        def body():
            import fresh_module
            return fresh_module.x
        """,
    "import of a library": """\
        def body():
            import wave, plistlib
        """,
    "print": """\
        def body():
            print('hello')
        """,
    "logged exception": """\
        import logging
        def body():
            try:
                1 / 0
            except ZeroDivisionError:
                logging.exception('oh')
        """,
    "traceback": """\
        import traceback
        def body():
            try:
                1 / 0
            except ZeroDivisionError:
                return traceback.format_exc()
        """,
    "warning": """\
        import warnings
        def body():
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                warnings.warn('x')
        """,
    "time zone": """\
        import zoneinfo
        def body():
            return zoneinfo.ZoneInfo.no_cache('Europe/Berlin')
        """,
    "media types": """\
        import mimetypes
        def body():
            mimetypes.init()
            return mimetypes.guess_type('a.csv')
        """,
    "certificates": """\
        import ssl
        def body():
            return ssl.create_default_context()
        """,
    "encoding": """\
        def body():
            return 'é'.encode('cp1250'), b'x'.decode('shift_jis')
        """,
    "data of a package": """\
        import json
        def body():
            with open(json.__file__) as f:
                return len(f.read())
        """,
    "null device": """\
        import os
        def body():
            open(os.devnull, 'w').close()
        """,
    "environment": """\
        import os
        def body():
            return os.environ.get('HOME'), os.path.exists('x')
        """,
    "memory": """\
        import io, zipfile
        def body():
            with zipfile.ZipFile(io.BytesIO(), 'w') as z:
                z.writestr('a', 'b')
        """,
    "source": """\
        import inspect
        def body():
            return inspect.getsource(body)
        """,
    "recorded call that looks around": """\
        import uuid, socket
        def body():
            return uuid.uuid1(), socket.gethostname()
        """,
    "asyncio": """\
        import asyncio
        def body():
            return asyncio.Queue(), asyncio.Semaphore(2)
        """,
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_needs_no_task_passes(case: str, guarded: UserProject, body: FakeScope) -> None:
    """Imports, messages, and what the standard library reads behind the scenes are nobody's side effect."""
    guarded.write(
        "fresh_module.py", "import pathlib, time\nx = pathlib.Path(__file__).read_text()\nbegun = time.time()\n"
    )
    module = guarded.module(HARMLESS[case])
    with body.entered():
        module.body()
    assert "time.time" not in body.names


def test_log_handler_may_open_its_file(guarded: UserProject, body: FakeScope) -> None:
    """A handler that opens its file with the first line does so wherever that line comes from."""
    handler = logging.FileHandler(guarded.root / "a.log", delay=True)
    logger = logging.getLogger("tests.guard")
    logger.addHandler(handler)
    module = guarded.module("import logging\ndef body():\n    logging.getLogger('tests.guard').error('x')\n")
    try:
        with body.entered():
            module.body()
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert (guarded.root / "a.log").read_text() == "x\n"


def test_finalizers_pass(guarded: UserProject, body: FakeScope) -> None:
    """What the garbage collector happens to clean up while a body runs is not the body's doing."""
    module = guarded.module(
        """\
        import gc, os, pathlib, tempfile
        class Owner:
            def __init__(self, path):
                self.path = path
                self.me = self
            def __del__(self):
                os.remove(self.path)
        def make(folder):
            path = pathlib.Path(folder, "owned.txt")
            path.touch()
            Owner(path)
            holder = [tempfile.TemporaryDirectory(dir=folder)]
            holder.append(holder)
        def body():
            gc.collect()
        """
    )
    gc.disable()
    try:
        module.make(guarded.root)
        with body.entered(), pytest.warns(ResourceWarning, match="TemporaryDirectory"):
            module.body()
    finally:
        gc.enable()
    assert not (guarded.root / "owned.txt").exists()
    assert [path.name for path in guarded.root.iterdir() if path.name.startswith("tmp")] == []


def test_sending_on_an_open_socket_is_seen(guarded: UserProject, body: FakeScope) -> None:
    """A client that keeps its connection open has no connect event the second time; the send is seen all the same."""
    module = guarded.module(
        "def body(connection):\n    connection.sendall(b'x')\ndef quiet(connection):\n    return connection.fileno()\n"
    )
    here, there = socket.socketpair()
    with here, there:
        module.body(here)
        assert there.recv(1) == b"x"
        with body.entered():
            assert module.quiet(here) > 0
            with pytest.raises(SideEffectOutsideTask, match=r"socket\.sendall") as caught:
                module.body(here)
    assert caught.value.problem.where == "subject.py:2"


def test_our_own_doings_pass(guarded: UserProject, body: FakeScope) -> None:
    """What the SDK does for a body (here: a file of its own reads its source) is not the body's side effect."""
    from trigger_sdk._runtime import bytecode_cache

    module = guarded.module("def body(f):\n    return f(None)\ndef direct():\n    return open('a.txt')\n")
    with body.entered():
        assert module.body(bytecode_cache._own_source)
        with pytest.raises(SideEffectOutsideTask):
            module.direct()


def test_warn_logs_each_line_once(guarded: UserProject, body: FakeScope, caplog: pytest.LogCaptureFixture) -> None:
    """In mode warn the effect happens, and the log says where, once."""
    guard.install(guarded.configure('guard = "warn"'))
    module = guarded.module(
        "def body(path):\n    for _ in range(3):\n        open(path).close()\n    open(path).close()\n"
    )
    path = guarded.write("a.txt", "x")
    with body.entered():
        module.body(path)
    assert [record.message.partition(":")[0] for record in caplog.records] == ["subject.py"] * 2
    assert [record.message.split(":")[1] for record in caplog.records] == ["3", "4"]
    assert all("task.run" in record.message for record in caplog.records)


def test_off_lets_everything_pass(guarded: UserProject, body: FakeScope, caplog: pytest.LogCaptureFixture) -> None:
    """In mode off nothing is stopped or said, time.sleep included."""
    guard.install(guarded.configure('guard = "off"'))
    module = guarded.module("import time\ndef body(path):\n    open(path).close()\n    time.sleep(0)\n")
    with body.entered():
        module.body(guarded.write("a.txt"))
    assert caplog.records == []


def test_methods_are_as_they_were_after_uninstall(user: UserProject) -> None:
    """Installing and taking off leaves the classes of the standard library untouched."""
    before = dict(vars(threading.Thread)), dict(vars(socket.socket))
    guard.install(user.project)
    guard.install(user.project)
    assert threading.Thread.start is before[0]["start"]
    assert "sendall" in vars(socket.socket)
    guard.uninstall()
    assert (dict(vars(threading.Thread)), dict(vars(socket.socket))) == before


def test_guarded_methods_can_be_overridden(guarded: UserProject, body: FakeScope) -> None:
    """A subclass calls super().start() as ever, in a task; in a body it is stopped."""
    module = guarded.module(
        """\
        import threading
        class Mine(threading.Thread):
            def start(self):
                self.started_by = "mine"
                super().start()
        def run():
            thread = Mine(target=int)
            thread.start()
            thread.join()
            return thread.started_by
        """
    )
    assert module.run() == "mine"
    with body.entered(), pytest.raises(SideEffectOutsideTask):
        module.run()


def test_body_may_not_swallow_the_place(guarded: UserProject, body: FakeScope) -> None:
    """Code made of a string names the line of the project that executes it."""
    module = guarded.module(textwrap.dedent("def body():\n    exec('open(\"a.txt\")')\n"))
    with body.entered(), pytest.raises(SideEffectOutsideTask) as caught:
        module.body()
    assert caught.value.problem.where == "subject.py:2"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="time.sleep has an audit event since 3.13")
def test_library_that_sleeps_is_seen(guarded: UserProject, body: FakeScope) -> None:
    """A library's time.sleep in a body is stopped where Python tells of it."""
    module = guarded.module(
        "import sched, time\ndef body():\n    s = sched.scheduler()\n    s.enter(1, 1, int)\n    s.run()\n"
    )
    with body.entered(), pytest.raises(SideEffectOutsideTask, match=r"time\.sleep"):
        module.body()
