# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every vendor client does with an answer: the decoded body of a success, any other one as the error that it is."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    AuthorizationError,
    BusyError,
    RemediationError,
    UnreadableAnswerError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport


@dataclasses.dataclass(frozen=True)
class Told:
    """What a vendor said in an answer that is no success: its own text, code and correlation id.

    :param unknown_caller: its words mean that it does not know the credentials, whatever the status.
    """

    text: str = ""
    code: str | None = None
    request_id: str | None = None
    unknown_caller: bool = False


@dataclasses.dataclass(frozen=True)
class Remedies:
    """One sentence each: what the user can do about a 401, a 403 and a 429."""

    authentication: str
    authorization: str
    rate: str


def decode(transport: Transport, answer: Answer, purpose: str, *, shape: type, told: Told, remedies: Remedies, changes: bool = False) -> t.Any:
    """The decoded JSON body, of type ``shape``, of an answer below 400.

    :param changes: the request was a changing one: an answer that is not the vendor's own leaves open whether it was processed.
    :raises AnswerLostError: it is not known whether the request was processed.
    :raises RemediationError: the vendor said no, or something that cannot be read.
    """
    if answer.status >= 400:
        raise refusal(transport, answer, purpose, told=told, remedies=remedies, changes=changes)
    body = json_of(answer)
    if not isinstance(body, shape):
        raise UnreadableAnswerError(
            f"{transport.vendor}: the answer to: {purpose} is not the API's ({transport.describe(answer)}). Is there a proxy or login page in between?",
            status=answer.status,
        )
    return body


def refusal(transport: Transport, answer: Answer, purpose: str, *, told: Told, remedies: Remedies, changes: bool = False) -> RemediationError:
    """The error for an answer of 400 or more."""
    vendor, status, said = transport.vendor, answer.status, told.text
    facts: dict[str, t.Any] = {"status": status, "code": told.code, "detail": said or None, "request_id": told.request_id}
    if changes and status not in (401, 403, 429) and (status in (408, 499) or (answer.body.strip() and not isinstance(json_of(answer), dict))):
        return AnswerLostError(f"{vendor}: something else answered for it to: {purpose} ({transport.describe(answer)})", status=status)
    if status == 401 or told.unknown_caller:
        return AuthenticationError(f"{vendor}: the credentials are refused ({said or 'no text'}). {remedies.authentication}", **facts)
    if status == 403:
        return AuthorizationError(f"{vendor}: not allowed to {purpose} ({said or 'no text'}). {remedies.authorization}", **facts)
    if status == 429:
        return BusyError(f"{vendor}: too many requests, {purpose} was turned away ({said or 'no text'}). {remedies.rate}", **facts)
    if status >= 500:
        message = f"{vendor}: internal failure on: {purpose} ({transport.describe(answer)})"
        return (AnswerLostError if changes else VendorError)(message, **facts)
    return VendorError(f"{vendor}: cannot {purpose}: {said or transport.describe(answer)}", **facts)


def json_of(answer: Answer) -> t.Any:
    """The decoded body; None when it is not JSON."""
    try:
        return answer.json()
    except ValueError:
        return None
