# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants of the token service: access and refresh tokens, scopes, users."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from ..clock import Clock
from .switches import Switches

# D-SCOPE; VPS.
SCOPES = (
    "agent", "certificate", "configuration", "restricted", "security", "ssh", "statistics", "admin", "codesign", "codesignclient",
)
RESTRICTIONS = ("read", "approve", "delete", "discover", "manage", "revoke", "viewlogs", "recyclebin")

FULL_SCOPE = "certificate:manage,revoke,delete,discover,approve;configuration:manage,delete;security:manage;restricted:manage,delete"


def new_token() -> str:
    """22 base64 characters and ``==`` (D-GETTOK); pyVenafi takes nothing else for a bearer token (PYV)."""
    return base64.b64encode(secrets.token_bytes(16)).decode()


def parse_scope(text: str) -> dict[str, set[str]]:
    """``certificate:manage,revoke;configuration`` as sets of restrictions; a bare name, like any restriction, lets read (D-SCOPE)."""
    scopes: dict[str, set[str]] = {}
    for part in text.lower().split(";"):
        name, dummy, restrictions = part.strip().partition(":")
        if name:
            scopes.setdefault(name, {"read"}).update(item.strip() for item in restrictions.split(",") if item.strip())
    unknown = [name for name in scopes if name not in SCOPES] + [item for items in scopes.values() for item in items if item not in RESTRICTIONS]
    if unknown or not scopes:
        raise ValueError(f"Scope is invalid: {', '.join(unknown) or 'empty'}")
    return scopes


@dataclass(slots=True)
class User:
    """Somebody who can log in; ``scope`` limits what may be asked for (empty: no limit)."""

    name: str
    password: str
    full_name: str = ""
    scope: str = ""
    guid: str = ""

    def __post_init__(self) -> None:
        self.guid = self.guid or "{" + str(uuid.uuid5(uuid.NAMESPACE_X500, self.name.lower())) + "}"

    @property
    def identity(self) -> str:
        return f"local:{self.guid}"

    def may_have(self, wanted: dict[str, set[str]]) -> bool:
        if not self.scope:
            return True
        allowed = parse_scope(self.scope)
        return all(name in allowed and items <= allowed[name] for name, items in wanted.items())


@dataclass(slots=True)
class Grant:
    """One application's access on behalf of one user, with its current pair of tokens."""

    user: str
    client_id: str
    scope: str
    issued: float
    refresh_until: float
    access_token: str = field(default_factory=new_token)
    access_issued: float = 0.0
    expires: float = 0.0
    refresh_token: str = field(default_factory=new_token)

    def allows(self, needed: str) -> bool:
        """``certificate`` or ``certificate:manage``."""
        name, dummy, restriction = needed.partition(":")
        return (restriction or "read") in parse_scope(self.scope).get(name, ())


class Grants:
    """All grants; tokens that were replaced or revoked are simply no longer found."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self.users: dict[str, User] = {}
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}

    def issue(self, user: str, client_id: str, scope: str, tokens: tuple[str, str] | None = None) -> Grant:
        now = self._clock.now()
        grant = Grant(user, client_id, scope, now, now + self._switches.grant_seconds)
        if tokens:
            grant.access_token, grant.refresh_token = tokens
        self._start(grant)
        return grant

    def _start(self, grant: Grant) -> None:
        grant.access_issued = self._clock.now()
        grant.expires = min(grant.access_issued + self._switches.access_token_seconds, grant.refresh_until)
        self._access[grant.access_token] = self._refresh[grant.refresh_token] = grant

    def find(self, access_token: str) -> Grant | None:
        """The grant of an access token that is still good."""
        grant = self._access.get(access_token)
        if grant is None or access_token == grant.access_token and self._clock.now() >= grant.expires:
            return None
        return grant

    def by_refresh_token(self, refresh_token: str) -> Grant | None:
        grant = self._refresh.get(refresh_token)
        return grant if grant is not None and self._clock.now() < grant.refresh_until else None

    def refresh(self, grant: Grant) -> None:
        """A new pair of tokens; the refresh token is used up, the access token by the switch (VAULT, vault-pki-backend #88)."""
        del self._refresh[grant.refresh_token]
        if self._switches.refresh_kills_access_token:
            self._access.pop(grant.access_token, None)
        grant.access_token, grant.refresh_token = new_token(), new_token()
        self._start(grant)

    def revoke(self, grant: Grant) -> None:
        """Access and refresh token die together (D-REVTOK)."""
        self._access = {token: other for token, other in self._access.items() if other is not grant}
        self._refresh.pop(grant.refresh_token, None)

    def expire_access_tokens(self) -> int:
        """All access tokens are worthless from now on; refresh tokens stay good."""
        count = len(self._access)
        self._access.clear()
        return count

    def clear(self) -> None:
        self._access.clear()
        self._refresh.clear()

    def dump(self) -> dict[str, Any]:
        grants = {id(grant): grant for grant in self._refresh.values()}
        return {
            "users": [asdict(user) for user in self.users.values()],
            "grants": [{**asdict(grant), "live": [token for token, owner in self._access.items() if owner is grant]} for grant in grants.values()],
        }

    def load(self, data: dict[str, Any]) -> None:
        self.users = {item["name"].lower(): User(**item) for item in data["users"]}
        self.clear()
        for item in data["grants"]:
            live = item.pop("live")
            grant = Grant(**item)
            self._refresh[grant.refresh_token] = grant
            self._access.update(dict.fromkeys(live, grant))
