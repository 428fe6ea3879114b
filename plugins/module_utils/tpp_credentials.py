# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of Venafi TPP: given ones, and those that ``/vedauth`` issues for a password, a client certificate or a refresh token.

Facts: vendor pages POST Authorize/OAuth, Authorize/Certificate, Authorize/Token and "Authorize error codes". The legacy API key is not
supported: the vendor removed it in 26.1.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
import threading
import time
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    AuthorizationError,
    InputError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.private_files import write_file
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport

EXPIRY_MARGIN = 60  # seconds


@dataclasses.dataclass(frozen=True)
class TppLogin:
    """What the user gave to prove who they are. See the options of the same names."""

    access_token: str | None = None
    refresh_token: str | None = None
    token_path: str | None = None
    username: str | None = None
    password: str | None = None
    client_id: str | None = None
    scope: str = "certificate:manage"
    has_client_cert: bool = False

    def check(self) -> None:
        """:raises InputError: nothing was given, or only half of something."""
        if self.access_token and not re.fullmatch("[!-~]+", self.access_token):
            raise InputError("access_token", "holds a blank, a line break or a character that no token has; was it read from a file with more in it?")
        if bool(self.username) != bool(self.password):
            raise InputError("username, password", "one is given without the other")
        if self.refresh_token and not self.token_path:
            raise InputError(
                "refresh_token",
                "TPP refresh tokens work once, so the next one must be kept: give token_path, a file that only you can read, for the new pair",
            )
        if self.token_path and not self.refresh_token and not os.path.exists(self.token_path):
            raise InputError("token_path", f"{self.token_path!r} does not exist; give refresh_token once to begin with")
        if self.token_path and not os.path.isdir(os.path.dirname(os.path.abspath(self.token_path))):
            raise InputError("token_path", f"the folder of {self.token_path!r} does not exist")
        if not (self.access_token or self.token_path or self.username or self.has_client_cert):
            raise InputError(
                "access_token",
                "no credentials; give access_token (VENAFI_TOKEN), or refresh_token with token_path, or username and password, or client_cert with client_key",
            )
        if not self.access_token and not self.client_id:
            raise InputError("client_id", "needed to obtain a token: the id of the API integration in TPP that this automation uses")


class TppCredentials:
    """A bearer token, obtained when first needed and renewed once when TPP refuses it, where the login allows that."""

    def __init__(self, transport: Transport, login: TppLogin) -> None:
        login.check()
        self._transport = transport
        self._login = login
        self._store = TokenStore(login.token_path, login.refresh_token, 2 * transport.settings.timeout) if login.token_path else None
        self._token = login.access_token
        self._lock = threading.Lock()

    def headers(self) -> t.Mapping[str, str]:
        """:raises RemediationError: no token could be obtained."""
        with self._lock:
            if not self._token:
                self._token = self._obtain(None)
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, rejected: t.Mapping[str, str]) -> bool:
        """See ``Credentials.renew``."""
        with self._lock:
            refused = rejected.get("Authorization", "").partition(" ")[2]
            if refused == self._token:
                if not (self._store or self._login.username or self._login.has_client_cert) or not self._login.client_id:
                    return False
                self._token = self._obtain(refused)
            return True

    def _obtain(self, refused: str | None) -> str:
        login = self._login
        try:
            if self._store:
                return self._stored_token(self._store, refused)
            if login.username:
                return str(self._ask("oauth", {"username": login.username, "password": login.password, "scope": login.scope})["access_token"])
            return str(self._ask("certificate", {"scope": login.scope})["access_token"])
        except AnswerLostError as exc:
            # The caller's own request was not processed: its answer is not the lost one.
            raise AuthenticationError(exc.message, status=exc.status) from None
        except RemediationError as exc:
            exc.fatal = True
            raise

    def _stored_token(self, store: TokenStore, refused: str | None) -> str:
        """The token of the file, refreshed when it is refused or about to expire; another process may have done so already."""
        with store.locked():
            pair = store.read()
            self._register(pair.access_token, pair.refresh_token)
            usable = pair.access_token and pair.access_token != refused and (pair.expires or 0) > time.time() + EXPIRY_MARGIN
            if not usable:
                # Proves that a pair can be kept, before the only refresh token is spent.
                store.write(pair, rehearsal=True)
                try:
                    fresh = self._ask("token", {"refresh_token": pair.refresh_token})
                except AnswerLostError as exc:
                    raise AuthenticationError(
                        f"{exc.message}. The refresh token may have been used up; if the next run is refused, give a new one in refresh_token"
                    ) from None
                expires = fresh.get("expires")
                pair = TokenPair(fresh["access_token"], fresh["refresh_token"] or pair.refresh_token, expires if isinstance(expires, int) else None, pair.seed)
                store.write(pair)
            return pair.access_token

    def _register(self, *tokens: str | None) -> None:
        for token in tokens:
            self._transport.secrets.add(token)

    def _ask(self, grant: str, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """One token request; the answer's secrets are registered before anything else can see them."""
        purpose = {"oauth": "log in with the user name", "certificate": "log in with the client certificate", "token": "refresh the access token"}[grant]
        answer = self._transport.request(
            "POST",
            f"/vedauth/authorize/{grant}",
            purpose=purpose,
            json_body={"client_id": self._login.client_id, **body},
            authenticated=False,
            once=grant == "token",
        )
        if answer.status == 200:
            try:
                tokens = answer.json()
            except ValueError:
                tokens = None
            if isinstance(tokens, dict) and isinstance(tokens.get("access_token"), str):
                if not isinstance(tokens.get("refresh_token"), str):
                    tokens["refresh_token"] = None
                self._register(tokens["access_token"], tokens["refresh_token"])
                return tokens
            raise AnswerLostError(f"{self._transport.vendor}: the answer to: {purpose} holds no token")
        raise self._refusal(answer, grant, purpose)

    def _refusal(self, answer: Answer, grant: str, purpose: str) -> VendorError:
        said = printable(self._transport.secrets.redact(vendor_text(answer) or self._transport.describe(answer)))
        vendor = self._transport.vendor
        if answer.status == 403:
            return AuthorizationError(
                f"{vendor}: cannot {purpose}: {said}. The API integration {self._login.client_id!r} or the user lacks the scope {self._login.scope!r}",
                status=403,
                detail=said,
            )
        if answer.status in (400, 401):
            remedy = {
                "oauth": "Check username, password and client_id",
                "certificate": "Check client_cert, client_id and the certificate mapping in TPP",
                "token": "A refresh token works once: this one is used, expired or revoked, or belongs to another client_id. Give a new one in refresh_token",
            }[grant]
            return AuthenticationError(f"{vendor}: cannot {purpose}: {said}. {remedy}", status=answer.status, detail=said)
        return VendorError(f"{vendor}: cannot {purpose}: {self._transport.describe(answer)}", status=answer.status, detail=said)


def vendor_text(answer: Answer) -> str:
    """TPP's own words: in one of four keys of the body, or only in the status line (sheet section 6; casing differs by layer)."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        for key in ("Error", "ErrorDetails", "error_description", "error"):
            if isinstance(body.get(key), str) and body[key].strip():
                return printable(body[key], 600)
    return "" if answer.body.strip() else answer.reason


@dataclasses.dataclass(frozen=True)
class TokenPair:
    """What the token file holds. ``expires`` is Unix seconds; ``seed`` tells from which given refresh token the chain began."""

    access_token: str
    refresh_token: str
    expires: int | None
    seed: str


class TokenStore:
    """A JSON file, mode 0600, that keeps a rotating token pair between runs; one process at a time refreshes it."""

    def __init__(self, path: str, given: str | None, patience: float = 120.0) -> None:
        self._path = path
        self._patience = patience
        self._given = given
        self._seed = hashlib.sha256(given.encode("utf-8")).hexdigest() if given else ""

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Hold the file for this process. The lock is a file of its own, because the tokens' file is replaced as a whole."""
        try:
            handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise InputError("token_path", f"the lock file {self._path + '.lock'!r} cannot be opened ({exc.strerror})") from None
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)

    def _lock(self, handle: int) -> None:
        ends = time.monotonic() + self._patience
        while True:
            try:
                return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise InputError(
                        "token_path", f"another process has held {self._path + '.lock'!r} for {self._patience:.0f} s; is a run stuck that refreshes the token?"
                    ) from None
            time.sleep(0.1)

    def read(self) -> TokenPair:
        """The newest pair: the file's, unless a refresh token was given that the file does not stem from.

        :raises InputError: the file is not one of ours, or others can read it.
        """
        try:
            with open(self._path, encoding="utf-8") as handle:
                mode = os.fstat(handle.fileno()).st_mode
                data = json.load(handle)
            pair = TokenPair(data["access_token"], data["refresh_token"], data.get("expires"), data.get("seed", ""))
            if not all(isinstance(text, str) for text in (pair.access_token, pair.refresh_token, pair.seed)) or not isinstance(pair.expires, (int, type(None))):
                raise TypeError
        except FileNotFoundError:
            return TokenPair("", self._given or "", None, self._seed)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError("token_path", f"{self._path!r} is not a token file that this module wrote; remove it and give refresh_token") from None
        if mode & 0o077:
            raise InputError("token_path", f"{self._path!r} can be read by others; run: chmod 600 {self._path}")
        if self._seed and pair.seed != self._seed:
            return TokenPair("", self._given or "", None, self._seed)
        return pair

    def write(self, pair: TokenPair, *, rehearsal: bool = False) -> None:
        """Put a pair on the disk, as a whole or not at all, before anyone uses it.

        :param rehearsal: only try whether that would work; the file stays as it is.
        :raises InputError: it does not work.
        """
        try:
            write_file(self._path, json.dumps(dataclasses.asdict(pair)).encode("utf-8"), replace=True, rehearsal=rehearsal)
        except OSError as exc:
            raise InputError(
                "token_path", f"{self._path!r} cannot be written ({exc.strerror}); if the next run is refused, give a new token in refresh_token"
            ) from None
