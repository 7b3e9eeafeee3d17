"""``/api/v1/environments``: listing, making and archiving environments."""

from __future__ import annotations

from typing import Protocol

import msgspec

from executor.access.admission import Caller, caller_of
from executor.access.environments import FIXED, check_environment
from executor.access.errors import EnvironmentKept, EnvironmentRefused
from executor.access.store import Environment
from executor.api.answers import Answer
from executor.api.bodies import text_field
from executor.api.call import Call
from executor.api.rendering import iso, when
from executor.api.routes import Operation

_LONGEST = 128


class EnvironmentBody(msgspec.Struct, frozen=True, kw_only=True):
    """An environment to make: ``preview/BRANCH``."""

    name: str


class EnvironmentView(msgspec.Struct, frozen=True, kw_only=True):
    """An environment. ``opened_at`` is null while nobody has used it."""

    name: str
    created_at: str
    opened_at: str | None
    archived_at: str | None


class EnvironmentsView(msgspec.Struct, frozen=True, kw_only=True):
    """Environments, in the order in which they were made; archived ones are left out."""

    environments: list[EnvironmentView]


class Kept(Protocol):
    """Keeps the environments."""

    async def listed(self) -> list[Environment]:
        """Return those that are not archived."""

    async def create(self, name: str) -> Environment:
        """Make one, or return it when it is there. EnvironmentLimit."""

    async def archive(self, name: str) -> Environment:
        """Stop serving one; what it holds is kept. EnvironmentUnknown."""


class Environments:
    """Lists, makes and archives environments."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        path = "/api/v1/environments"
        return [
            Operation(
                method="GET", path=path, handler=self.list_environments, about="List the environments.",
                answer=EnvironmentsView,
            ),
            Operation(
                method="POST", path=path, handler=self.create_environment,
                about="Make a preview environment; one that is there stays as it is.", body=EnvironmentBody,
                status=201, answer=EnvironmentView,
                refusals={400: "no environment can be called so", 409: "there are too many"},
            ),
            Operation(
                method="POST", path=f"{path}/{{name:path}}/archive", handler=self.archive_environment,
                about="Stop serving a preview environment; what it holds is kept.", answer=EnvironmentView,
                refusals={404: "no such environment", 409: "dev, staging and prod stay"},
            ),
        ]  # fmt: skip

    async def list_environments(self, call: Call) -> Answer:
        """List the environments; a key of one sees that one."""
        call.query(())
        only = caller_of(call.scope).environment
        listed = [show_environment(one) for one in await self._kept.listed() if only in ("", one.name)]
        return Answer.json(EnvironmentsView(environments=listed))

    async def create_environment(self, call: Call) -> Answer:
        """Make a preview environment."""
        call.query(())
        data = await call.object(EnvironmentBody.__struct_fields__)
        name = check_environment(text_field(data, "name", longest=_LONGEST), "name")
        _require_all(caller_of(call.scope))
        return Answer.json(show_environment(await self._kept.create(name)), status=201)

    async def archive_environment(self, call: Call) -> Answer:
        """Archive a preview environment."""
        await call.object(())
        name = check_environment(call.path("name"), "name")
        _require_all(caller_of(call.scope))
        if name in FIXED:
            raise EnvironmentKept(f"'{name}' cannot be archived")
        return Answer.json(show_environment(await self._kept.archive(name)))


def _require_all(caller: Caller) -> None:
    if caller.key.environment:
        raise EnvironmentRefused(
            f"the API key {caller.key.id} works in '{caller.key.environment}', and this is about the whole server",
            hint="Use an admin key of all environments.",
        )


def show_environment(one: Environment) -> EnvironmentView:
    """Return an environment as the API shows it."""
    return EnvironmentView(
        name=one.name, created_at=when(one.created_at), opened_at=iso(one.opened_at), archived_at=iso(one.archived_at)
    )
