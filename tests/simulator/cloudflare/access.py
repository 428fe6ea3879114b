# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls: API tokens of the user and of the account, the global key, what each may do, and what is said to the others."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .answers import Problem
from .switches import Switches

SSL_READ, SSL_WRITE = "SSL and Certificates Read", "SSL and Certificates Write"
ZONE_READ, WAF_READ = "Zone Read", "Zone WAF Read"
PERMISSIONS = (SSL_READ, SSL_WRITE, ZONE_READ, WAF_READ)
STATUSES = ("active", "disabled", "expired")
EMAIL = "certops@example.com"
_ALPHABET = string.ascii_letters + string.digits
_TOKEN_SHAPE = re.compile(r"(?!cfk_)[0-9A-Za-z_-]{40,}")
_KEY_SHAPE = re.compile(r"[0-9a-f]{37,45}|cfk_[0-9A-Za-z]{40,}")
_EMAIL_SHAPE = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def new_secret(prefix: str) -> str:
    """A credential of today: prefix, 40 characters, and something in the place of the checksum."""
    return prefix + "".join(secrets.choice(_ALPHABET) for dummy in range(40)) + secrets.token_hex(4)


@dataclass(slots=True)
class Token:
    """A token or the global key. An ``account`` token belongs to that account, any other to the user; ``zones`` (names) limits it to these."""

    token: str
    permissions: list[str] = field(default_factory=lambda: list(PERMISSIONS))
    zones: list[str] = field(default_factory=list)
    account: str = ""
    status: str = "active"
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        if not set(PERMISSIONS).issuperset(self.permissions) or self.status not in STATUSES:
            raise ValueError(f"permissions of a token are {', '.join(PERMISSIONS)}; its status is one of {', '.join(STATUSES)}")

    @property
    def owner(self) -> str:
        """Whose requests are counted together."""
        return self.account or EMAIL

    def may(self, permission: str) -> bool:
        return permission in self.permissions or permission == SSL_READ and SSL_WRITE in self.permissions


class Access:
    """All credentials; each call is told by its headers."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self.tokens: dict[str, Token] = {}
        self.key = Token("")

    def load(self, key: Token, tokens: list[Token]) -> None:
        self.key = key
        self.tokens = {token.token: token for token in tokens}

    def caller(self, headers: Mapping[str, str], verifying: bool) -> Token:
        """Whoever is only ``verifying`` a token hears of it in other words, and may do so with one that has ended."""
        if "Authorization" in headers:
            return self._bearer(headers["Authorization"], verifying)
        key, email = headers.get("X-Auth-Key", ""), headers.get("X-Auth-Email", "")
        if not key or not email:
            raise Problem("missing_headers", bare=True)
        chain: tuple[tuple[int, str], ...] = ()
        if not _EMAIL_SHAPE.fullmatch(email):
            chain += ((6102, "Invalid format for X-Auth-Email header"),)
        if not _KEY_SHAPE.fullmatch(key):
            chain += ((6103, "Invalid format for X-Auth-Key header"),)
        if chain:
            raise Problem("invalid_headers", chain=chain)
        if (email.lower(), key) != (EMAIL, self.key.token):
            raise Problem("unknown_key")
        return self.key

    def _bearer(self, value: str, verifying: bool) -> Token:
        kind, dummy, text = value.partition(" ")
        if kind.lower() != "bearer" or not _TOKEN_SHAPE.fullmatch(text.strip()):
            raise Problem("invalid_headers", chain=((6111, "Invalid format for Authorization header"),))
        token = self.tokens.get(text.strip())
        if token is not None and (verifying or token.status == "active"):
            return token
        if verifying:
            raise Problem("invalid_token", status=self._switches.bad_token_verify_status)
        raise Problem("invalid_access_token", status=self._switches.bad_token_status)

    def dump(self) -> list[dict[str, Any]]:
        return [{name: getattr(token, name) for name in Token.__slots__} for token in (self.key, *self.tokens.values())]
