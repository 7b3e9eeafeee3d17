"""The token server of the fake registry: gives tokens for passwords and identity tokens, and knows them again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from tests.fakes.registry_wire import Received, Reply


def actions_of(scopes: list[str]) -> dict[str, set[str]]:
    """Read ``repository:NAME:ACTIONS``, several in one text or in several."""
    found: dict[str, set[str]] = {}
    for word in " ".join(scopes).split():
        _, _, rest = word.partition(":")
        name, _, actions = rest.rpartition(":")
        found.setdefault(name, set()).update(actions.split(","))
    return found


def basic(username: str, password: str) -> str:
    """Return the header ``Authorization`` of a name and a password."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass
class FakeTokens:
    """What the token server knows and does.

    Attributes:
        users: names to passwords.
        identity_tokens: those that are good.
        anonymous: whether who has no name gets tokens to pull.
        life: seconds that a token lives.
        denied: repositories that nobody gets a scope for.
        refuses_denied: whether a request with a denied scope gets no token at all, rather than one for the rest.
        rotates: whether an identity token is good once, and replaced by another.
        field_name: of the token in the answer.
        states_life: whether the answer says how long it lives.
    """

    clock: Callable[[], float]
    users: dict[str, str] = field(default_factory=lambda: {"lab": "pa55-wörd"})
    identity_tokens: set[str] = field(default_factory=set)
    anonymous: bool = False
    life: float = 300.0
    denied: set[str] = field(default_factory=set)
    refuses_denied: bool = False
    rotates: bool = False
    field_name: str = "token"
    states_life: bool = True
    issued: dict[str, tuple[dict[str, set[str]], float]] = field(default_factory=dict)
    requests: list[dict[str, set[str]]] = field(default_factory=list)

    def allows(self, authorization: str, needed: dict[str, set[str]]) -> bool:
        """Tell whether a header is good for what a request needs."""
        scopes, until = self.issued.get(authorization.removeprefix("Bearer "), ({}, 0.0))
        return self.clock() < until and all(actions <= scopes.get(name, set()) for name, actions in needed.items())

    def revoke_all(self) -> None:
        """Let no token be good any more, whatever was said."""
        self.issued.clear()

    def answer(self, request: Received) -> Reply:
        """Give a token."""
        form = parse_qs(request.body.decode()) if request.method == "POST" else request.query
        asked = actions_of(form.get("scope", []))
        self.requests.append(asked)
        fields: dict[str, object] = {}
        authorization = request.headers.get("authorization", "")
        if request.method == "POST":
            refresh = form["refresh_token"][0]
            if form["grant_type"] != ["refresh_token"] or refresh not in self.identity_tokens:
                return Reply(status=401, body=b'{"error":"invalid_grant"}')
            if self.rotates:
                self.identity_tokens = {f"{refresh}-next"}
                fields["refresh_token"] = f"{refresh}-next"
        elif authorization:
            if authorization not in {basic(*pair) for pair in self.users.items()}:
                echoed = {"errors": [{"code": "UNAUTHORIZED", "message": f"bad credentials {authorization}"}]}
                return Reply(status=401, body=json.dumps(echoed).encode())
        elif not self.anonymous:
            return Reply(status=401, body=b'{"details":"authentication required"}')
        else:
            asked = {name: actions & {"pull"} for name, actions in asked.items()}
        if self.refuses_denied and asked.keys() & self.denied:
            return Reply(status=403, body=b'{"errors":[{"code":"DENIED","message":"not yours"}]}')
        granted = {name: actions for name, actions in asked.items() if name not in self.denied}
        token = f"t0ken-{len(self.requests)}-{id(self):x}"
        self.issued[token] = (granted, self.clock() + self.life)
        life = {"expires_in": self.life} if self.states_life else {}
        return Reply(body=json.dumps({self.field_name: token, **life, **fields}).encode())
