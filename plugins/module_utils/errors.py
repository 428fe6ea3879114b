# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One exception tree for everything that can go wrong between an option and a vendor's answer."""

from __future__ import annotations

import typing as t


class RemediationError(Exception):
    """Base of all errors of the collection.

    :param message: one sentence that names what failed and the remedy; never holds a secret.
    :param status: the HTTP status of the answer, when there was one.
    :param code: the vendor's own error code or result number.
    :param detail: the vendor's own text, cleaned for a terminal.
    :param request_id: the vendor's correlation id, when its answer had one.

    ``fatal`` says that every other target of the task would fail in the same way, so going on is pointless.
    """

    kind = "error"
    fatal = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        detail: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id

    def as_result(self) -> dict[str, t.Any]:
        """The ``error`` value of a result: kind, message and whatever the vendor said."""
        return {
            "kind": self.kind,
            "message": self.message,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": self.request_id,
        }


class InputError(RemediationError):
    """An option holds something that cannot work. Raised before anything is sent."""

    kind = "input"
    fatal = True

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option}: {problem}")
        self.option = option


class JournalError(RemediationError):
    """The journal cannot be written any more. Without it nothing further may be changed."""

    kind = "journal"
    fatal = True


class ReadOnlyError(RemediationError):
    """A changing request was about to be sent in check mode: a defect of this collection, stopped before it could do harm."""

    kind = "read_only"
    fatal = True


class NotSentError(RemediationError):
    """The request provably did not reach the vendor: name resolution, refused connection, proxy, TLS handshake."""

    kind = "not_sent"
    fatal = True


class UntrustedError(NotSentError):
    """The TLS certificate of the vendor's host does not verify. Trying again cannot mend that."""

    kind = "untrusted"


class AnswerLostError(RemediationError):
    """The request may have been processed, but no readable answer came back.

    ``timed_out`` says that the vendor may have been at work on it all the time.
    """

    kind = "answer_lost"
    timed_out = False


class UnreadableAnswerError(AnswerLostError):
    """An answer came that asking again would not make readable: it is far too large, or not the API's."""

    kind = "unreadable_answer"


class VendorError(RemediationError):
    """The vendor answered, and the answer is no."""

    kind = "vendor"


class RedirectedError(VendorError):
    """Another address answers for the vendor. Redirects are not followed."""

    kind = "redirected"
    fatal = True


class BusyError(VendorError):
    """The vendor did nothing because the object is in use just now; the same request may succeed later."""

    kind = "busy"


class AuthenticationError(VendorError):
    """The credentials are wrong, expired or revoked."""

    kind = "authentication"
    fatal = True


class AuthorizationError(VendorError):
    """The credentials are good, but do not allow this call."""

    kind = "authorization"
    fatal = True
