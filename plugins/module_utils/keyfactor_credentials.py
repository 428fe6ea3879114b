# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who we are for Keyfactor Command: a bearer token, the OAuth2 client-credentials grant of its identity provider, or Basic.

Facts: vendor page "Authenticating to the Keyfactor API" (v25.1) and the request that the vendor's own clients send (keyfactor-auth-client-go).
"""

from __future__ import annotations

import base64
import dataclasses
import re
import threading
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    InputError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport

IDENTITY_PROVIDER = "Identity provider of Keyfactor Command"
_PURPOSE = "obtain an access token"


@dataclasses.dataclass(frozen=True)
class KeyfactorLogin:
    """What the user gave to prove who they are. See the options of the same names."""

    access_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    token_url: str | None = None
    scopes: t.Sequence[str] = ()
    audience: str | None = None
    username: str | None = None
    password: str | None = None
    domain: str | None = None
    allow_http: bool = False

    def check(self) -> None:
        """:raises InputError: nothing was given, or only a part of something."""
        if self.access_token:
            if not re.fullmatch("[!-~]+", self.access_token):
                raise InputError("access_token", "holds a blank, a line break or a character that no token has; was it read from a file with more in it?")
            return
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            # As which Python takes in what of the environment is not UTF-8.
            if re.search("[\ud800-\udfff]", "".join(value if isinstance(value, (str, tuple)) else ())):
                raise InputError(field.name, "holds bytes that are not UTF-8")
        oauth = {"client_id": self.client_id, "client_secret": self.client_secret, "token_url": self.token_url}
        missing = [name for name, value in oauth.items() if not value]
        if len(missing) == len(oauth):
            if bool(self.username) != bool(self.password):
                raise InputError("username, password", "one is given without the other")
            if not self.username:
                raise InputError(
                    "access_token", "no credentials; give client_id, client_secret and token_url (OAuth2), or username and password (Basic), or access_token"
                )
            if ":" in self.account:
                raise InputError("username", "a colon cannot be part of a user name in Basic authentication")
        elif missing:
            raise InputError(", ".join(missing), "missing; the OAuth2 client-credentials grant needs client_id, client_secret and token_url together")

    @property
    def account(self) -> str:
        r"""The user as Basic wants it: ``DOMAIN\user`` or ``user@domain``."""
        user = self.username or ""
        return f"{self.domain}\\{user}" if self.domain and not re.search(r"[\\@]", user) else user


class KeyfactorCredentials:
    """The ``Authorization`` header. A token is obtained when first needed, kept for the task, and renewed when Command refuses it."""

    def __init__(self, transport: Transport, login: KeyfactorLogin) -> None:
        login.check()
        self._login = login
        self._secrets = transport.secrets
        self._lock = threading.Lock()
        self._token = login.access_token
        self._basic = ""
        self._refused: AuthenticationError | None = None
        if login.access_token:
            return
        if login.client_id:
            self._provider, self._path = _token_endpoint(transport, login)
        else:
            pair = f"{login.account}:{login.password}".encode("utf-8")
            self._basic = base64.b64encode(pair).decode("ascii")
            self._secrets.add(self._basic)

    @property
    def remedy(self) -> str:
        """What to look at when Command answers 401."""
        if self._login.access_token:
            return "Give a new access_token: this one is malformed, expired or meant for another server"
        if self._login.client_id:
            return "Command does not know this client: check client_id, scopes and audience, and the security claim of the client in Command"
        return "Check username, password and domain; a Command with an OAuth2 identity provider takes no Basic authentication"

    def headers(self) -> t.Mapping[str, str]:
        """:raises RemediationError: no token could be obtained."""
        if self._basic:
            return {"Authorization": f"Basic {self._basic}"}
        with self._lock:
            if not self._token:
                self._token = self._obtain()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, rejected: t.Mapping[str, str]) -> bool:
        """See ``Credentials.renew``."""
        if self._basic or self._login.access_token:
            return False
        with self._lock:
            if rejected.get("Authorization") == f"Bearer {self._token}":
                self._token = self._obtain()
            return True

    def _obtain(self) -> str:
        if self._refused:
            # Not once for each thread: the provider counts failed attempts.
            raise self._refused
        login = self._login
        form = {"grant_type": "client_credentials", "client_id": login.client_id or "", "client_secret": login.client_secret or ""}
        if login.scopes:
            form["scope"] = " ".join(login.scopes)
        if login.audience:
            form["audience"] = login.audience
        try:
            answer = self._provider.request("POST", self._path, purpose=_PURPOSE, form=form, authenticated=False)
        except AnswerLostError as exc:
            # The caller's own request was not sent: its answer is not the lost one.
            raise AuthenticationError(exc.message, status=exc.status) from None
        except RemediationError as exc:
            exc.fatal = True
            raise
        try:
            body = answer.json()
        except ValueError:
            body = None
        token = body.get("access_token") if isinstance(body, dict) else None
        if answer.status in (200, 201) and isinstance(token, str) and re.fullmatch("[!-~]+", token.strip()):
            self._secrets.add(token)
            self._secrets.add(token.strip())
            return token.strip()
        raise self._refusal(answer, body)

    def _refusal(self, answer: Answer, body: t.Any) -> VendorError:
        told = [str(body[key]) for key in ("error", "error_description") if body.get(key)] if isinstance(body, dict) else []
        # What a success holds may be a token in a place where nobody looks for it, so it is never quoted.
        shown = f"HTTP {answer.status} without a token that can be read" if answer.status < 300 else self._provider.describe(answer)
        said = printable(self._secrets.redact(": ".join(told) or shown))
        if answer.status in (400, 401, 403):
            message = f"{IDENTITY_PROVIDER}: cannot {_PURPOSE}: {said}. Check client_id, client_secret, scopes and audience"
            self._refused = AuthenticationError(message, status=answer.status, detail=said)
            return self._refused
        error = VendorError(f"{IDENTITY_PROVIDER}: cannot {_PURPOSE}: {said}. Check token_url", status=answer.status, detail=said)
        error.fatal = True
        return error


def _token_endpoint(transport: Transport, login: KeyfactorLogin) -> tuple[Transport, str]:
    """A session with the identity provider, which is another host as a rule, and the path to ask there.

    :raises InputError: ``token_url`` is no address.
    """
    given = (login.token_url or "").strip()
    try:
        parts = urllib.parse.urlsplit(given if "://" in given else f"https://{given}")
    except ValueError:
        raise InputError("token_url", f"{printable(given.split('@')[-1], 100)!r} is not an address") from None
    host = options.base_url({"token_url": f"{parts.scheme}://{parts.netloc}", "allow_http": login.allow_http}, option="token_url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return transport.sibling(host, IDENTITY_PROVIDER, "token_url"), path
