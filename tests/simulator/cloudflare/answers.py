# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's dialect: envelopes and errors, dates, and what the edge in front of the service adds."""

from __future__ import annotations

import secrets
from typing import Any

from ..clock import utc
from ..exchange import JSON_TYPE, Answer
from .switches import Switches

# Status and, in order, code and text of each item.
_KNOWN: dict[str, tuple[int, tuple[tuple[int, str], ...]]] = {
    "missing_headers": (400, ((9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"),)),
    "invalid_headers": (400, ((6003, "Invalid request headers"),)),
    "invalid_token": (401, ((1000, "Invalid API Token"),)),
    "invalid_access_token": (403, ((9109, "Invalid access token"),)),
    "authentication_error": (403, ((10000, "Authentication error"),)),
    "unauthorized_resource": (403, ((9109, "Unauthorized to access requested resource"),)),
    "unknown_key": (403, ((9103, "Unknown X-Auth-Key or X-Auth-Email"),)),
    "no_route": (404, ((7003, "Could not route to {path}, perhaps your object identifier is invalid?"), (7000, "No route for that URI"))),
    "method": (405, ((7001, "Method {method} not available for that URI."),)),
    "unknown_certificate": (404, ((1415, "Invalid Certificate ID in request"),)),
    "already_deleted": (400, ((1407, "Certificate is already deleted"),)),
    "service": (400, ((1406, "Bad response certificate service"),)),
    "no_entrypoint": (404, ((10003, "could not find entrypoint ruleset in the {phase} phase"),)),
    "rate_971": (429, ((971, "Please wait and consider throttling your request speed"),)),
    "rate_10100": (429, ((10100, "More than {limit} requests per {seconds} seconds reached. Please wait and consider throttling your request speed"),)),
    # From here on code and text are invented: no page and no recorded answer tells what the service says.
    "bad_json": (400, ((1490, "Malformed JSON in request body"),)),
    "missing_csr": (400, ((1491, "Missing CSR in request"),)),
    "bad_csr": (400, ((1492, "Invalid CSR in request"),)),
    "bad_validity": (400, ((1493, "Invalid validity_days in request"),)),
    "quota": (400, ((1494, "Maximum number of client certificates reached for this zone"),)),
    "not_reactivatable": (400, ((1495, "Certificate cannot be reactivated"),)),
    "not_deletable": (400, ((1496, "Certificate is pending reactivation"),)),
    "bad_parameter": (400, ((1497, "Invalid parameter in request: {name}"),)),
}
_EDGE_PAGE = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    "<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n"
)


class Problem(Exception):
    """A failure of a kind in the table above. ``chain`` goes into the first item; a ``bare`` one comes from the gateway, with nothing but the errors."""

    def __init__(
        self, kind: str, *, status: int = 0, chain: tuple[tuple[int, str], ...] = (), bare: bool = False, headers: dict[str, str] | None = None, **words: object
    ) -> None:
        super().__init__(kind)
        known, items = _KNOWN[kind]
        self.status = status or known
        self.errors: list[dict[str, Any]] = [{"code": code, "message": text.format(**words)} for code, text in items]
        if chain:
            self.errors[0]["error_chain"] = _items(chain)
        self.bare = bare
        self.headers = headers or {}

    def answer(self, switches: Switches) -> Answer:
        errors = [{name: value for name, value in item.items() if name != "code"} for item in self.errors] if switches.error_items_without_code else self.errors
        body: dict[str, Any] = {"success": False, "errors": errors}
        if not self.bare and not switches.envelope_without_messages:
            body.update(messages=[], result=None)
        answer = Answer.json(body, self.status)
        if self.bare:
            answer.body += b"\n"
        answer.headers.update(self.headers)
        return answer


def _items(pairs: tuple[tuple[int, str], ...]) -> list[dict[str, Any]]:
    return [{"code": code, "message": text} for code, text in pairs]


def success(result: Any, info: dict[str, int] | None = None, messages: tuple[tuple[int, str], ...] = ()) -> Answer:
    body = {"success": True, "errors": [], "messages": [{**item, "type": None} for item in _items(messages)], "result": result}
    return Answer.json(body if info is None else {**body, "result_info": info})


def moment(time: float) -> str:
    return utc(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def fraction(time: float) -> str:
    """A date as zones and rulesets have them."""
    return utc(time).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def edge_headers() -> dict[str, str]:
    return {"cf-ray": f"{secrets.token_hex(8)}-FRA", "server": "cloudflare"}


def edge_page() -> str:
    """What the edge says when nothing answers behind it; to be formatted with the title."""
    return _EDGE_PAGE


def through_edge(answer: Answer, headers: dict[str, str]) -> Answer:
    """The headers of a recorded answer, and its bare content type."""
    if answer.content_type == JSON_TYPE:
        answer.content_type = "application/json"
    answer.headers.update({
        **headers, "cf-cache-status": "DYNAMIC", "cache-control": "no-store, no-cache, must-revalidate, post-check=0, pre-check=0",
        "vary": "Accept-Encoding", "x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN", "strict-transport-security": "max-age=31536000",
    })
    answer.cookies = [f"__cflb={secrets.token_hex(16)}; SameSite=Lax; path=/; HttpOnly", f"__cfruid={secrets.token_hex(20)}; path=/; HttpOnly; Secure"]
    return answer
