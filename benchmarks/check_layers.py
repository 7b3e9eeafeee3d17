"""The layers that each package of the generated project has: records, a client, a repository, a service."""

from __future__ import annotations

from typing import Final

RECORDS: Final = '''\
"""What {word}s are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any


class {record}State(Enum):
    """How far {word}s are."""

    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"


@dataclass(frozen=True)
class {record}:
    """One {word}."""

    id: int
    name: str = ""
    amount: int = 0
    state: {record}State = {record}State.OPEN
    tags: list[str] = field(default_factory=list)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> {record}:
        """Return the {word} of an API's answer."""
        state = {record}State(payload.get("state", "open"))
        return cls(id=int(payload["id"]), name=str(payload["name"]), amount=int(payload["amount"]), state=state)

    @property
    def title(self) -> str:
        """What is shown of it."""
        return f"{{self.name.title()}} ({{self.id}})"

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.state is {record}State.OPEN

    def raised(self, amount: int) -> {record}:
        """Return it with a larger amount."""
        return replace(self, amount=self.amount + amount)

    def renamed(self, name: str) -> {record}:
        """Return it under another name."""
        return replace(self, name=name or self.name)

    def __lt__(self, other: {record}) -> bool:
        """Compare by amount."""
        return self.amount < other.amount


class {record}NotFound(LookupError):
    """There is no such {word}."""

    def __init__(self, key: int) -> None:
        super().__init__(f"there is no {word} {{key}}")
        self.key = key
'''

CLIENT: Final = '''\
"""The API that has the {word}s."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

import httpx

from app.{package}.records import {record}, {record}NotFound

logger = logging.getLogger(__name__)
NOT_FOUND = 404


class {record}Client:
    """Speaks with it."""

    def __init__(self, base: str, timeout: float = 3.0) -> None:
        self.base = base.rstrip("/")
        self._http = httpx.Client(timeout=timeout)

    def __enter__(self) -> {record}Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, key: int) -> {record}:
        """Return one {word}."""
        return {record}.from_payload(self._request("GET", f"/{word}s/{{key}}"))

    def search(self, text: str, limit: int = 20) -> list[{record}]:
        """Return the {word}s that match."""
        answer = self._request("GET", f"/{word}s?text={{text}}&limit={{limit}}")
        return [{record}.from_payload(row) for row in answer["rows"]]

    def save(self, item: {record}) -> None:
        """Write one."""
        self._request("PUT", f"/{word}s/{{item.id}}", {{"name": item.name, "amount": item.amount}})

    def url(self, path: str) -> str:
        """Return where something is."""
        return f"{{self.base}}/v1{{path}}"

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = self._http.request(method, self.url(path), json=body)
        if response.status_code == NOT_FOUND:
            raise {record}NotFound(0)
        response.raise_for_status()
        logger.debug("%s %s: %d", method, path, response.status_code)
        answer: dict[str, Any] = response.json()
        return answer
'''

REPOSITORY: Final = '''\
"""Where the {word}s are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.{package}.records import {record}, {record}NotFound


class {record}Repository:
    """Reads and writes rows."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[int, {record}] = {{}}

    def known(self, key: int) -> {record} | None:
        """Return what was read before, without reading."""
        return self._known.get(key)

    def get(self, key: int) -> {record}:
        """Return one {word}."""
        found = self.known(key)
        if found is None:
            found = self._known[key] = self._read(key)
        return found

    def add(self, item: {record}) -> None:
        """Keep one."""
        statement = text("insert into {word}s (id, name, amount) values (:id, :name, :amount)")
        self._session.execute(statement, {{"id": item.id, "name": item.name, "amount": item.amount}})
        self._known[item.id] = item

    def export(self, folder: Path) -> Path:
        """Write all into a file."""
        place = folder / "{word}s.csv"
        place.write_text("\\n".join(self._lines()))
        return place

    def _lines(self) -> Iterator[str]:
        yield "id,name,amount"
        for item in self._known.values():
            yield f"{{item.id}},{{item.name}},{{item.amount}}"

    def _read(self, key: int) -> {record}:
        row = self._session.execute(text("select id, name, amount from {word}s where id = :id"), {{"id": key}}).first()
        if row is None:
            raise {record}NotFound(key)
        return {record}(id=row[0], name=row[1], amount=row[2])
'''

SERVICE: Final = '''\
"""What is done with {word}s."""

from __future__ import annotations

import logging
from pathlib import Path

from app.{package}.client import {record}Client
from app.{package}.records import {record}
from app.{package}.repository import {record}Repository
{imports}

logger = logging.getLogger(__name__)


class {record}Service:
    """Brings the API and the database together."""

    def __init__(self, client: {record}Client, repository: {record}Repository | None = None) -> None:
        self.client = client
        self.repository = repository
        self._names: list[str] = []

    def describe(self, item: {record}) -> str:
        """Return what is said of a {word}; asks nobody."""
        self._names.append(item.name)
        label = f"{{item.title}}: {{self.price(item)}}"
        return label if item.is_open else f"{{label}} ({{item.state.value}})"

    def price(self, item: {record}) -> int:
        """Return what a {word} costs."""
        value = item.amount
{calls}
        return max(value, 0)

    def refresh(self, key: int) -> {record}:
        """Fetch a {word} and keep it."""
        item = self.client.get(key)
        if self.repository is not None:
            self.repository.add(item)
        logger.info("refreshed %s", item.title)
        return item

    def export(self, folder: Path) -> Path | None:
        """Write what is known into a file."""
        return None if self.repository is None else self.repository.export(folder)
'''

LAYERS: Final = {"records": RECORDS, "client": CLIENT, "repository": REPOSITORY}
"""Modules that each package has beside its service and its modules of functions."""

HEADER: Final = '''\
"""How {word}s are worked on, part {number}."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict

{imports}

logger = logging.getLogger(__name__)
LIMITS = {{{limits}}}
WORDS = ({words})
PATTERN = re.compile(r"\\w+-(\\d+)?")


'''
"""The beginning of a module of functions."""

LEAKS: Final = (
    ("TRG101", "import httpx", 'httpx.post("https://audit.example/rows", json={"value": value})'),
    ("TRG102", "from pathlib import Path", 'Path("last.txt").write_text(str(value))'),
    ("TRG104", "import subprocess", 'subprocess.run(["sync", str(value)], check=False)'),
    ("TRG105", "import os", 'os.environ["LAST_VALUE"] = str(value)'),
    ("TRG107", "import time", "time.sleep(value)"),
)
"""Effects of the functions that have one: the rule that tells of them, what they import, and the statement."""

JOB: Final = '''\
"""{title}."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from trigger_sdk import job, sleep, task

{imports}


@dataclass
class Payload:
    """What it is started with."""

    key: int
    names: list[str]


@task
async def refresh(key: int) -> str:
    """Fetch a {word}."""
    with {record}Client("https://api.example") as client:
        return {record}Service(client).refresh(key).title


@task
async def keep(value: int) -> int:
    """Write down what came out."""
    return {recorded}(value)


@job(id="{id}")
async def run(payload: Payload) -> dict[str, int]:
    """{title}."""
    value = payload.key
    text = await refresh(payload.key)
    rows = {{name: len(name) for name in payload.names}}
    items = [{record}(id=number, name=name) for number, name in enumerate(payload.names)]
{calls}
    service = {record}Service({record}Client("https://api.example"))
    for item in items:
        text = service.describe(item)
    await sleep(timedelta(minutes=len(text)))
    rows["kept"] = await keep(value)
    return rows
'''
