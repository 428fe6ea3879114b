# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: users with Basic authentication, and OAuth clients with the token endpoint of their identity provider."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from ..clock import Clock
from ..exchange import Answer, Call

if TYPE_CHECKING:
    from .part import Keyfactor

DOMAIN = "EXAMPLE"


@dataclass(slots=True)
class Account:
    """A user, or an OAuth client. ``read`` and ``revoke`` are true, false, or the collections (id or name) that they are limited to.

    ``workflows`` is true, false, ``mine`` or ``pending``: the instances that may be read. Only with true may they be stopped.
    """

    name: str
    secret: str
    domain: str = DOMAIN
    is_client: bool = False
    scope: str = ""
    audience: str = ""
    read: bool | list[int | str] = True
    revoke: bool | list[int | str] = True
    workflows: bool | str = True
    approver: bool = True

    @property
    def identity(self) -> str:
        return self.name if self.is_client else f"{self.domain}\\{self.name}"


class Accounts:
    """All accounts and the tokens in circulation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.known: dict[str, Account] = {}
        self._tokens: dict[str, tuple[str, float]] = {}

    def add(self, account: Account) -> None:
        self.known[account.identity.lower()] = account

    def basic(self, credentials: str) -> Account | None:
        """``DOMAIN\\user`` or ``user@domain`` and password, base64; a domain is also known by its DNS name, which here ends in .com."""
        try:
            user, dummy, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        domain, dummy, name = user.rpartition("\\")
        if not domain:
            name, dummy, domain = user.partition("@")
        short = domain.lower().removesuffix(".com") or DOMAIN
        account = self.known.get(f"{short}\\{name}".lower())
        return account if account and not account.is_client and secrets.compare_digest(account.secret.encode(), password.encode()) else None

    def bearer(self, token: str) -> Account | None:
        owner, expires = self._tokens.get(token, ("", 0.0))
        return self.known.get(owner) if self._clock.now() < expires else None

    def client(self, client_id: str, client_secret: str) -> Account | None:
        account = self.known.get(client_id.lower())
        return account if account and account.is_client and secrets.compare_digest(account.secret.encode(), client_secret.encode()) else None

    def issue(self, account: Account, seconds: float) -> str:
        token = secrets.token_urlsafe(48)
        self._tokens[token] = account.identity.lower(), self._clock.now() + seconds
        return token

    def expire_tokens(self) -> int:
        """All access tokens are worthless from now on."""
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def clear(self) -> None:
        self.known.clear()
        self._tokens.clear()

    def dump(self) -> dict[str, Any]:
        return {"accounts": [asdict(account) for account in self.known.values()], "tokens": self._tokens}

    def load(self, data: dict[str, Any]) -> None:
        self.clear()
        for item in data["accounts"]:
            self.add(Account(**item))
        self._tokens = {token: (owner, expires) for token, (owner, expires) in data["tokens"].items()}


def token_endpoint(keyfactor: Keyfactor, call: Call) -> Answer:
    """RFC 6749, client credentials; the client's name and secret come in the form or, as some clients try first, by Basic authentication."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    client_id, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    kind, dummy, credentials = call.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            client_id, dummy, client_secret = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return _oauth_error("invalid_client", 401)
        client_id, client_secret = unquote_plus(client_id), unquote_plus(client_secret)
    if form.get("grant_type") != "client_credentials":
        return _oauth_error("unsupported_grant_type" if "grant_type" in form else "invalid_request")
    account = keyfactor.accounts.client(client_id, client_secret)
    if account is None:
        return _oauth_error("invalid_client", 401)
    if account.scope and not set(account.scope.split()).intersection(form.get("scope", "").split()):
        return _oauth_error("invalid_scope")
    if account.audience and form.get("audience") != account.audience:
        return _oauth_error("invalid_target")
    seconds = keyfactor.switches.token_seconds
    call.effect = "grant"
    answer = Answer.json({"access_token": keyfactor.accounts.issue(account, seconds), "token_type": "Bearer", "expires_in": int(seconds)})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _oauth_error(code: str, status: int = 400) -> Answer:
    return Answer.json({"error": code, "error_description": f"The request was refused: {code}."}, status)
