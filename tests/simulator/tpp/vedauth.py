# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token service: everything below ``/vedauth``. Parameter names are case-sensitive there (D-TOKEN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..clock import iso
from ..exchange import Answer, Call, Refusal
from ..routes import Routes
from .tokens import Grant, User, parse_scope

if TYPE_CHECKING:
    from .part import Tpp

ROUTES: Routes[Tpp] = Routes()
GRANT_GONE = "Grant has been revoked, has expired, or the refresh token is invalid"
WRONG_CLIENT = "The client_id value being requested with the refresh token does not match the client_id of the access token making the call"


def error(code: str, text: str, status: int = 400, reason: str | None = None) -> Answer:
    """The token layer's dialect: lower-case names."""
    return Answer.json({"error": code, "error_description": text}, status, reason)


def _required(call: Call, *names: str) -> list[str]:
    values = [call.fields.get(name) for name in names]
    missing = [name for name, value in zip(names, values) if not isinstance(value, str) or not value]
    if missing:
        raise Refusal(error("invalid_request", f"Missing or invalid parameter: {', '.join(missing)}"))
    return [str(value) for value in values]


def _pair(grant: Grant, user: User, now: float) -> Answer:
    """The full token response (XSOAR)."""
    return Answer.json(
        {
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "expires": int(grant.expires),
            "expires_in": int(grant.expires - now),
            "refresh_until": int(grant.refresh_until),
            "token_type": "Bearer",
            "scope": grant.scope,
            "identity": user.identity,
        }
    )


def _grant(tpp: Tpp, call: Call, user: User, client_id: str, scope: str) -> Answer:
    try:
        wanted = parse_scope(scope)
    except ValueError as problem:
        return error("invalid_scope", str(problem))
    if not user.may_have(wanted):
        # VCERT-T: the text is in the status line only.
        return Answer(403, reason="Failed to issue grant: User is not authorized for the requested scope")
    grant = tpp.grants.issue(user.name, client_id, scope)
    call.effect = "grant"
    return _pair(grant, user, tpp.clock.now())


@ROUTES.add("POST", "/vedauth/authorize/oauth")
def password_login(tpp: Tpp, call: Call) -> Answer:
    """User name and password (D-GETTOK)."""
    client_id, username, password, scope = _required(call, "client_id", "username", "password", "scope")
    user = tpp.grants.users.get(username.lower().removeprefix("local:"))
    if user is None or user.password != password:
        return error("invalid_grant", "Username/password combination not valid")  # VSIGN
    return _grant(tpp, call, user, client_id, scope)


@ROUTES.add("POST", "/vedauth/authorize/certificate")
def certificate_login(tpp: Tpp, call: Call) -> Answer:
    """TLS client certificate (D-CERTAUTH); its common name is the user's name. The refusals' texts are unconfirmed."""
    client_id, scope = _required(call, "client_id", "scope")
    user = tpp.grants.users.get(call.client_cn.lower())
    if user is None:
        return error("invalid_grant", "The client certificate is missing or does not belong to a known user")
    return _grant(tpp, call, user, client_id, scope)


@ROUTES.add("POST", "/vedauth/authorize/token")
def refresh(tpp: Tpp, call: Call) -> Answer:
    """A refresh token works once and is replaced (VAULT, vault-pki-monitor #82)."""
    client_id, refresh_token = _required(call, "client_id", "refresh_token")
    grant = tpp.grants.by_refresh_token(refresh_token)
    if grant is None:
        if tpp.switches.refresh_error_body:
            return error("invalid_grant", GRANT_GONE, reason=GRANT_GONE)
        return Answer(400, reason=GRANT_GONE)
    if grant.client_id != client_id:
        return error("invalid_client", WRONG_CLIENT, reason=WRONG_CLIENT)  # VPS
    tpp.grants.refresh(grant)
    call.effect = "refresh"
    return _pair(grant, tpp.grants.users[grant.user.lower()], tpp.clock.now())


@ROUTES.add("GET", "/vedauth/authorize/verify")
def verify(tpp: Tpp, call: Call) -> Answer:
    """Introspection (S-AUTH)."""
    grant = tpp.bearer(call)
    moments = {"access_issued_on": grant.access_issued, "expires": grant.refresh_until, "grant_issued_on": grant.issued}
    dates: dict[str, Any] = {}
    for name, moment in moments.items():
        dates |= {name: iso(moment), f"{name}_unix_time": int(moment), f"{name}_ISO8601": iso(moment)}
    return Answer.json(
        {
            "identity": tpp.grants.users[grant.user.lower()].identity,
            "scope": grant.scope,
            "application": grant.client_id,
            "valid_for": int(grant.expires - tpp.clock.now()),
            **dates,
        }
    )


@ROUTES.add("GET", "/vedauth/authorize/isauthserver")
def is_auth_server(tpp: Tpp, dummy: Call) -> Answer:
    """vcert wants 202 and this phrase in the status line (VCERT); the specification says 200 (S-AUTH)."""
    return Answer(tpp.switches.is_auth_server_status, reason="Venafi Authentication Server")


@ROUTES.add("GET", "/vedauth/revoke/token")
def revoke(tpp: Tpp, call: Call) -> Answer:
    """Revoke the token of the header, and its refresh token (D-REVTOK)."""
    if not call.headers.get("Authorization"):
        return Answer.text("[token] not found", 202)
    grant = tpp.bearer(call)
    tpp.grants.revoke(grant)
    call.effect = "token revoked"
    identity = tpp.grants.users[grant.user.lower()].identity
    return Answer.text(f"Revoked token for identity {identity} with scope {grant.scope}")
