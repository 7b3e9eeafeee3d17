"""Effects inferred from the source of installed libraries."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from analyzer.catalogue.infer import Inference, infer
from analyzer.catalogue.loader import Catalogue, load_catalogue
from analyzer.catalogue.model import PURE, Effect

FILES = {
    "acme/__init__.py": """
        from ._client import Client as Client, AsyncClient
        from .shapes import *
        from .calls import send as post_message

        default = Client("key")
    """,
    "acme/_client.py": """
        import requests
        import httpx
        from .base import Base

        class Client(Base):
            def __init__(self, key):
                super().__init__()
                self.key = key
                self._session = requests.Session()
                self.orders = Orders(self)

            def label(self):
                return self.key.upper()

            def get(self, path):
                return self._request("GET", path)

            def _request(self, method, path):
                if not path:
                    raise ValueError(path)
                for _ in range(3):
                    try:
                        return self._session.request(method, path)
                    except requests.ConnectionError:
                        continue

        class Orders:
            def __init__(self, client: "Client"):
                self._client = client

            def all(self):
                return self._client.get("/orders")

        class AsyncClient:
            def __init__(self):
                self._http = httpx.AsyncClient()

            async def get(self, path):
                async with self._http as http:
                    return await http.get(path)
    """,
    "acme/base.py": """
        class Base:
            def __init__(self):
                self.calls = 0

            def ping(self):
                return self._request("GET", "/ping")

            def _request(self, method, path):
                raise NotImplementedError
    """,
    "acme/shapes.py": """
        import os
        import requests

        class Circle:
            def area(self):
                return 3

        def maybe(url=None):
            if url:
                return requests.get(url)
            return None

        def lazily():
            def later():
                return requests.get("x")
            return later

        def numbers():
            yield requests.get("x")

        def debug():
            return os.environ.get("DEBUG")

        def shadowed(requests):
            return requests.get("x")

        def forever(n):
            return forever(n - 1)

        def ping():
            answer = pong()
            return answer.get()

        def pong():
            answer = ping()
            return answer.get()

        app = app.wrapped()
        one = two()
        two = one()
    """,
    "acme/calls.py": """
        import sqlite3
        import subprocess
        from os import remove as rm

        def send(text):
            subprocess.run(["send", text])

        def drop(name):
            rm(name)

        def query():
            with sqlite3.connect("acme.db") as connection:
                return connection.execute("select 1")

        def memory(target):
            return sqlite3.connect(target)

        def make():
            from acme import Client
            return Client("key")
    """,
    "acme/broken.py": "def f(:\n",
    "acme-1.2.dist-info/top_level.txt": "acme\n",
    "acme-1.2.dist-info/RECORD": "",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The catalogue that is shipped."""
    return load_catalogue()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A ``site-packages`` with a distribution ``acme 1.2``."""
    folder = tmp_path / "site-packages"
    for name, text in FILES.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text))
    return folder


@pytest.mark.parametrize(
    ("name", "kind", "end"),
    [
        ("acme.Client.get", "network", "requests.Session.request"),
        ("acme.Client.ping", "network", "requests.Session.request"),
        ("acme.Client.orders.all", "network", "requests.Session.request"),
        ("acme.default.get", "network", "requests.Session.request"),
        ("acme.AsyncClient.get", "network", "httpx.AsyncClient.get"),
        ("acme.post_message", "subprocess", "subprocess.run"),
        ("acme.calls.drop", "filesystem", "os.remove"),
        ("acme.calls.query", "database", "sqlite3.connect"),
    ],
)
def test_infer_effect_along_a_chain(site: Path, catalogue: Catalogue, name: str, kind: str, end: str) -> None:
    """Re-exports, attributes, inheritance, and the method that runs for the class one has, are followed."""
    verdict = Inference([site], catalogue=catalogue).infer(name)
    assert isinstance(verdict, Effect)
    assert verdict.kind == kind
    assert verdict.chain[-1] == end
    assert verdict.source == "acme 1.2"


@pytest.mark.parametrize(
    "name",
    [
        "acme.Client",
        "acme.Client.label",
        "acme.Circle.area",
        "acme.maybe",
        "acme.lazily",
        "acme.numbers",
        "acme.debug",
        "acme.shadowed",
        "acme.forever",
        "acme.ping",
        "acme.pong",
        "acme.calls.memory",
    ],
)
def test_infer_pure_when_no_effect_is_on_the_straight_path(site: Path, catalogue: Catalogue, name: str) -> None:
    """Branches, nested functions, generators, kinds that libraries have for reasons of their own: nothing is told."""
    assert Inference([site], catalogue=catalogue).infer(name) is PURE


@pytest.mark.parametrize(
    "name",
    ["acme.nothing", "acme.app.run", "acme.one.run", "acme.broken.f", "unheard.of", "requests.get", "json.loads"],
)
def test_infer_none_without_source(site: Path, catalogue: Catalogue, name: str) -> None:
    """What cannot be read, or is the catalogue's business, is not answered."""
    assert Inference([site], catalogue=catalogue).infer(name) is None


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("acme.Client", "acme._client.Client"),
        ("acme.calls.make", "acme._client.Client"),
        ("acme.calls.drop", None),
        ("acme.nothing", None),
    ],
)
def test_returns_of_library_factories(site: Path, catalogue: Catalogue, name: str, type_name: str | None) -> None:
    """A class gives itself, under the name of where it is defined; a factory what it makes."""
    assert Inference([site], catalogue=catalogue).returns(name) == type_name


def test_answers_are_kept_per_version(site: Path, tmp_path: Path) -> None:
    """The next process does not read the source; another version of the distribution does."""
    cache = tmp_path / "cache"
    first = infer("acme.Client.get", [site], cache)
    assert isinstance(first, Effect)
    (site / "acme" / "_client.py").write_text("class Client:\n    def get(self, path): ...\n")
    assert infer("acme.Client.get", [site], cache) == first
    (site / "acme-1.2.dist-info").rename(site / "acme-1.3.dist-info")
    assert infer("acme.Client.get", [site], cache) is PURE


def test_broken_answers_are_made_anew(site: Path, tmp_path: Path) -> None:
    """A cache entry that cannot be read is no failure."""
    cache = tmp_path / "cache"
    first = infer("acme.Client.get", [site], cache)
    for kept in cache.glob("inferred-*"):
        kept.write_bytes(b"broken")
    assert infer("acme.Client.get", [site], cache) == first
