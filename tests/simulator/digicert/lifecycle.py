# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state machine of an order: what time does to it, and what reissue, approval, validation, cancel and revoke change."""

from __future__ import annotations

import secrets
from ..clock import Clock
from ..exchange import Refusal
from .answers import refusal
from .issuing import Issuing, key_id, read_csr
from .objects import APPROVAL, DUPLICATE, ISSUE, NEW, OPEN, ORIGINAL, REISSUE, VALIDATION, Certificate, Order, Request, Store
from .switches import Switches

DAY = 86400
HOUR = 3600
# A reissue that DigiCert starts of its own accord is nobody's.
NOBODY = 0
AUTO_REISSUE_COMMENT = "Automatic reissue"


class Lifecycle:
    """Changes orders. Every method expects that ``settle`` has been called for the order."""

    def __init__(self, clock: Clock, store: Store, issuing: Issuing, switches: Switches) -> None:
        self._clock = clock
        self._store = store
        self._issuing = issuing
        self._switches = switches
        self.blocked_keys: set[str] = set()

    # -- time ----------------------------------------------------------------------------------------------------

    def settle_all(self) -> None:
        for order in self._store:
            self.settle(order)

    def settle(self, order: Order) -> Order:
        """Bring an order up to the clock."""
        now = self._clock.now()
        for certificate in order.certificates:
            if certificate.waits:
                self._proceed(order, certificate, now)
        # Last, because an issue may have set a date that has passed by now.
        for certificate in order.certificates:
            if certificate.revoke_at and now >= certificate.revoke_at:
                self._revoke(certificate, certificate.revoke_at, "superseded")
                self._store.touch(order)
        if order.auto_reissue:
            self._auto_reissue(order, now)
        if order.status == "issued" and now > order.valid_till + DAY:
            self._set_status(order, "expired", order.valid_till + DAY)
        return order

    def _proceed(self, order: Order, certificate: Certificate, now: float) -> None:
        """Through approval and validation to the issue, as far as the clock allows."""
        if certificate.waits == APPROVAL and order.approved_after and now >= certificate.since + order.approved_after:
            self._wait_for(order, certificate, VALIDATION, certificate.since + order.approved_after)
            self._decide(order, certificate.request, "approved", certificate.since)
        if certificate.waits == VALIDATION:
            validated = certificate.since + order.validated_after
            if not order.validation:
                self._wait_for(order, certificate, ISSUE, certificate.since)
            elif order.validated_after and now >= validated:
                order.validation = False
                self._wait_for(order, certificate, ISSUE, validated)
        if certificate.waits == ISSUE and not certificate.held:
            seconds = self._switches.issue_seconds if order.issue_seconds is None else order.issue_seconds
            if now >= certificate.since + seconds:
                self.issue(order, certificate, certificate.since + seconds)

    def _wait_for(self, order: Order, certificate: Certificate, what: str, moment: float) -> None:
        certificate.waits, certificate.since = what, moment
        self._store.touch(order)

    def _set_status(self, order: Order, status: str, moment: float) -> None:
        order.status, order.changed = status, moment
        self._store.touch(order)

    def _auto_reissue(self, order: Order, now: float) -> None:
        """Once per certificate, in its last days, DigiCert asks for the next one with the same CSR."""
        current = order.current
        late = current.valid_till - now < self._switches.auto_reissue_days * DAY and current.valid_till < order.valid_till
        if order.status == "issued" and current.status == "issued" and late and order.auto_reissued != current.id:
            order.auto_reissued = current.id
            certificate = self.draft(order, REISSUE, current.common_name, current.dns_names, NOBODY)
            certificate.csr = self._issuing.csr_of(current)
            self.begin(order, certificate, comments=AUTO_REISSUE_COMMENT)

    # -- asking for a certificate --------------------------------------------------------------------------------

    def draft(self, order: Order, kind: str, common_name: str, dns_names: list[str], user: int) -> Certificate:
        """A certificate of the order that has not been asked for yet, with the settings of the current one."""
        number = self._store.next_id("certificate")
        draft = Certificate(number, order.id, kind, common_name, list(dns_names), self._clock.now(), user=user)
        draft.ca_cert_id = order.current.ca_cert_id if order.certificates else ""
        return draft

    def approval_of(self, order: Order) -> str:
        return order.approval or self._switches.approval

    def begin(self, order: Order, certificate: Certificate, *, skip_approval: bool = False, comments: str = "") -> None:
        """Ask for a certificate; it is issued at once when nothing stands in the way."""
        now = self._clock.now()
        certificate.previous = order.primary
        self._count_names(order, certificate)
        order.certificates.append(certificate)
        mode = "skip" if skip_approval else self.approval_of(order)
        if mode != "skip":
            self._request_certificate(order, certificate, mode, comments)
        if certificate.kind == REISSUE:
            self._set_status(order, "reissue_pending", now)
        self._wait_for(order, certificate, APPROVAL if mode == "manual" else VALIDATION, now)
        self._proceed(order, certificate, now)

    def _request_certificate(self, order: Order, certificate: Certificate, mode: str, comments: str) -> None:
        kinds = {ORIGINAL: "new_request", REISSUE: "reissue", DUPLICATE: "duplicate"}
        request = self.add_request(order, kinds[certificate.kind], certificate.user, comments, [certificate.id])
        certificate.request = request.id
        if mode == "auto":
            self._decide(order, request.id, "approved", request.date)

    def _count_names(self, order: Order, certificate: Certificate) -> None:
        """Names that the order has not had before cost money; a wildcard covers the names of its own level."""
        if not order.certificates:
            return
        known = set().union(*(item.names for item in order.certificates))
        free = {name[2:] for name in certificate.names if name.startswith("*.")}
        added = [name for name in certificate.names - known if name not in free and name.partition(".")[2] not in free]
        certificate.purchased_wildcard_names = sum(name.startswith("*.") for name in certificate.names - known)
        certificate.purchased_dns_names = sum(not name.startswith("*.") for name in added)
        if certificate.purchased_dns_names or certificate.purchased_wildcard_names:
            certificate.receipt_id = self._store.next_id("receipt")

    def add_request(self, order: Order, kind: str, user: int, comments: str, certificates: list[int]) -> Request:
        request = Request(
            self._store.next_id("request"), order.id, kind, self._switches.request_status, self._clock.now(), user, comments, certificates
        )
        order.requests.append(request)
        self._store.touch(order)
        return request

    # -- deciding ------------------------------------------------------------------------------------------------

    def _decide(self, order: Order, number: int, status: str, moment: float, user: int = 0, comment: str = "") -> None:
        request = order.request(number)
        if request is not None and request.status in OPEN:
            request.status, request.processed, request.processor, request.processor_comment = status, moment, user, comment
            self._store.touch(order)

    def approve(self, order: Order, request: Request, user: int = 0, comment: str = "") -> None:
        now = self._clock.now()
        self._decide(order, request.id, "approved", now, user, comment)
        if request.type == "revoke":
            self.revoke(order, self._targets(order, request), request.reason, request.whole_order)
        for certificate in order.certificates:
            if certificate.request == request.id and certificate.waits == APPROVAL:
                self._wait_for(order, certificate, VALIDATION, now)
                self._proceed(order, certificate, now)

    @staticmethod
    def _targets(order: Order, request: Request) -> list[Certificate]:
        return [item for item in order.issued if request.whole_order or item.id in request.certificates]

    def reject(self, order: Order, request: Request, user: int = 0, comment: str = "") -> None:
        self._decide(order, request.id, "rejected", self._clock.now(), user, comment)
        self._withdraw(order, [item for item in order.certificates if item.request == request.id and item.waits], "rejected")

    def cancel(self, order: Order, note: str, user: int = 0) -> None:
        """Give up what is in flight: a reissue, or the whole of a new order."""
        now = self._clock.now()
        pending = order.pending
        for certificate in pending:
            self._decide(order, certificate.request, "rejected", now, user, note)
        self._withdraw(order, pending, "canceled")
        order.notes.append(note)

    def _withdraw(self, order: Order, certificates: list[Certificate], new_order_status: str) -> None:
        for certificate in certificates:
            certificate.status, certificate.waits = "rejected", ""
        if order.status in ("reissue_pending", *NEW) and not order.pending:
            self._set_status(order, "issued" if order.primary else new_order_status, self._clock.now())
        self._store.touch(order)

    def validate(self, order: Order) -> None:
        """The domains of the order are valid from now on."""
        order.validation = False
        self._store.touch(order)
        for certificate in order.pending:
            if certificate.waits == VALIDATION:
                self._wait_for(order, certificate, ISSUE, self._clock.now())
        self.settle(order)

    # -- issuing and revoking ------------------------------------------------------------------------------------

    def issue(self, order: Order, certificate: Certificate, moment: float) -> None:
        before = order.certificate(order.primary)
        certificate.status, certificate.waits, certificate.issued = "issued", "", moment
        certificate.serial = secrets.randbits(127) | 1 << 126
        certificate.valid_from = moment
        certificate.valid_till = self._end(order, certificate, moment)
        if certificate.kind != DUPLICATE:
            order.primary = certificate.id
        if certificate.kind == REISSUE:
            order.last_reissued = moment
            if before is not None and not before.names <= certificate.names:
                self._schedule_revocation(order, certificate, moment)
        if certificate.kind != DUPLICATE and not order.pending:
            self._set_status(order, "issued", moment)
        self._store.touch(order)

    def _end(self, order: Order, certificate: Certificate, moment: float) -> float:
        """The wish, the maximum and the end of the plan: whichever is nearest."""
        ends = [moment + self._switches.max_validity_days * DAY, order.valid_till]
        if certificate.kind == DUPLICATE:
            ends.append(order.current.valid_till)
        if "days" in certificate.wish:
            ends.append(moment + certificate.wish["days"] * DAY)
        return min([*ends, *([certificate.wish["until"]] if "until" in certificate.wish else [])])

    def _schedule_revocation(self, order: Order, certificate: Certificate, moment: float) -> None:
        """A name has been dropped: all that was issued before on this order is revoked."""
        for other in order.issued:
            if other is not certificate:
                other.revoke_at = min(other.revoke_at or float("inf"), moment + self._switches.revocation_hours * HOUR)

    def _revoke(self, certificate: Certificate, moment: float, reason: str) -> None:
        certificate.revoke_at = 0.0
        if certificate.status == "issued":
            certificate.status, certificate.revoked, certificate.reason = "revoked", moment, reason
            if reason == "keyCompromise":
                self.blocked_keys.add(key_id(read_csr(self._issuing.csr_of(certificate))))

    def revoke(self, order: Order, certificates: list[Certificate], reason: str, whole_order: bool) -> None:
        now = self._clock.now()
        for certificate in certificates:
            self._revoke(certificate, now, reason)
        if whole_order or self._switches.certificate_revoke_revokes_order and not order.issued:
            self._set_status(order, "revoked", now)
        self._store.touch(order)

    def refuse(self, name: str) -> Refusal:
        """A refusal whose code is not known for sure."""
        return refusal(self._switches.refusal_codes[name])
