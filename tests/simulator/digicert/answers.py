# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's dialect: the error envelope, dates, and what the CDN in front of the service adds."""

from __future__ import annotations

import hashlib
import secrets
from email.utils import formatdate
from typing import Any

from ..clock import utc
from ..exchange import JSON_TYPE, Answer, Refusal

_MESSAGES = {
    "access_denied|access_denied_invalid_key": "Access denied due to access_denied_invalid_key.",
    "access_denied|missing_permission": "Access denied due to missing_permission.",
    "access_denied|invalid_approver": "Access denied due to invalid_approver.",
    "not_found|route": "The specified route was not found.",
    "not_found|order": "The specified order could not be found.",
    "not_found|certificate": "The specified certificate could not be found.",
    "not_found|request": "The specified request could not be found.",
    "not_found|product": "The specified product could not be found.",
    "not_found": "The specified entity could not be found.",
    "bad_request_format": "The request is not formatted correctly.",
    "csr_invalid_cannot_parse": "The CSR is invalid and cannot be parsed.",
    "cert_validity_exceeds_order_validity": "The certificate validity exceeds the order validity.",
    "request_limit_exceeded": "Service unavailable, please limit request volume",
    "time_frame_too_long": "The time frame exceeds the limit of seven days.",
    "invalid_dns_txt": "Unable to find the random value in the DNS record.",
    "file_random_value_not_found": "Unable to find the random value in the file.",
}
# The number that the CDN knows the site by.
_SITE = 2409175
_STATUS = {"access_denied": 403, "not_found": 404, "request_limit_exceeded": 429}


def error(*codes: str) -> Answer:
    """The envelope with one entry per code."""
    entries = [{"code": code, "message": _message(code)} for code in codes]
    return Answer.json({"errors": entries}, _STATUS.get(codes[0].partition("|")[0], 400))


def refusal(*codes: str) -> Refusal:
    return Refusal(error(*codes))


def _message(code: str) -> str:
    kind, dummy, subject = code.partition(":")
    if kind == "required_param":
        return f"{subject} is a required parameter."
    if kind == "invalid_value":
        return f"{subject} contains an invalid value."
    return _MESSAGES.get(code, code.replace("_", " ").replace("|", ": ").capitalize() + ".")


def no_content() -> Answer:
    return Answer(204)


def moment(time: float) -> str:
    return utc(time).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def day(time: float) -> str:
    return utc(time).strftime("%Y-%m-%d")


def present(data: dict[str, Any]) -> dict[str, Any]:
    """What is None is left out: the service omits what does not apply."""
    return {name: value for name, value in data.items() if value is not None}


def through_cdn(answer: Answer, now: float) -> Answer:
    """The headers of a recorded answer: the content type bare, and those of the CDN."""
    if answer.content_type == JSON_TYPE:
        answer.content_type = "application/json"
    number = secrets.randbelow(10**7)
    answer.headers.update({
        "x-cdn": "Imperva", "x-iinfo": f"{number}-{number + 1}-{number + 3} NNNY CT(0 0 0) RT({now:.0f} 0) q(0 0 0 -1) r(0 0)",
        "cache-control": "private,no-cache",
    })
    if answer.status == 200:
        answer.headers.update({"last-modified": formatdate(now, usegmt=True), "etag": f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'})
    answer.cookies = [f"visid_incap_{_SITE}={secrets.token_hex(8)}; HttpOnly; path=/", f"incap_ses_{_SITE}={secrets.token_hex(8)}; path=/"]
    return answer
