"""What a registry asks for when it answers 401: the header WWW-Authenticate, and the scopes of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  # the word of RFC 9110 for a run of such characters
_START = re.compile(rf"\s*,*\s*(?P<scheme>{_TOKEN})(?=\s|,|$)(?!\s*=)\s*")
_PARAMETER = re.compile(rf'\s*,*\s*(?P<name>{_TOKEN})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way in which a registry lets itself be asked.

    Attributes:
        scheme: ``basic``, ``bearer`` and others, written small.
        parameters: names written small, values without quotes.
    """

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a token is good for.

    Attributes:
        kind: ``repository``, ``registry``.
        name: of the repository.
        actions: ``pull``, ``push``.
    """

    kind: str = "repository"
    name: str
    actions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}:{','.join(sorted(self.actions))}"


def pull(repository: str) -> Scope:
    """Return the scope of reading a repository."""
    return Scope(name=repository, actions=frozenset({"pull"}))


def push(repository: str) -> Scope:
    """Return the scope of reading and writing a repository."""
    return Scope(name=repository, actions=frozenset({"pull", "push"}))


def covers(held: Iterable[Scope], needed: Iterable[Scope]) -> bool:
    """Tell whether a token of some scopes is good for others."""
    actions = {(scope.kind, scope.name): scope.actions for scope in united(held)}
    return all(scope.actions <= actions.get((scope.kind, scope.name), frozenset()) for scope in needed)


def united(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """Return the scopes with one for each name."""
    actions: dict[tuple[str, str], frozenset[str]] = {}
    for scope in scopes:
        key = (scope.kind, scope.name)
        actions[key] = actions.get(key, frozenset()) | scope.actions
    return frozenset(Scope(kind=kind, name=name, actions=found) for (kind, name), found in actions.items())


def scopes_of(text: str) -> frozenset[Scope]:
    """Read the scopes of a challenge: ``repository:a/b:push,pull repository:c:pull``; what is none is left out."""
    found = []
    for word in text.split():
        kind, _, rest = word.partition(":")
        name, colon, actions = rest.rpartition(":")
        if colon and name:
            found.append(Scope(kind=kind, name=name, actions=frozenset(filter(None, actions.split(",")))))
    return united(found)


def challenges_of(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """Read all headers ``WWW-Authenticate`` of an answer: several in one, and one in each."""
    return tuple(challenge for header in headers for challenge in _one_header(header))


def _one_header(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while start := _START.match(header, position):
        position = start.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            quoted = parameter["quoted"]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else parameter["bare"]
            parameters.setdefault(parameter["name"].lower(), value)
            position = parameter.end()
        if not parameters:
            # token68 of schemes that we do not know: `Negotiate YII=`
            position = _skip(header, position)
        found.append(Challenge(scheme=start["scheme"].lower(), parameters=parameters))
    return found


def _skip(header: str, position: int) -> int:
    comma = header.find(",", position)
    return len(header) if comma < 0 else comma
