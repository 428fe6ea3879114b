# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the order entries of a scenario into orders with a past."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from ..scenarios import expand
from .account import CONTAINERS, ORGANIZATIONS, OWN_ACCOUNT, PRODUCTS
from .issuing import AUTHORITIES
from .lifecycle import AUTO_REISSUE_COMMENT, DAY, NOBODY
from .objects import APPROVAL, DUPLICATE, ISSUE, NEW, OPEN, ORIGINAL, REISSUE, VALIDATION, Certificate, Order, Request

if TYPE_CHECKING:
    from .part import DigiCert

# Taken over as they are; the names are those of ``Order``.
PLAIN = (
    "account", "allow_duplicates", "alternative_order_id", "approved_after", "auto_reissue", "auto_renew", "caa_failed", "container",
    "dcv_method", "dcv_missing", "dcv_token", "is_renewed", "issue_seconds", "organization", "product", "validated_after", "validation", "validity_years",
    "wrong_pem_first",
)
_OWN = (
    "order_id", "status", "common_name", "dns", "days_left", "order_days_left", "key", "signature_hash", "client_auth", "certificate_status",
    "requester", "approval", "shape", "reissues", "duplicates", "pending",
)
_BULK = ("count", "start", "each")
KNOWN = frozenset((*PLAIN, *_OWN, *_BULK))
_PAST = frozenset(("key", "common_name", "dns", "status", "days_ago", "archived", "requester", "signature_hash", "client_auth", "days_left"))
_PENDING = frozenset(("key", "csr", "common_name", "dns", "requester", "since", "waits", "comments", "auto"))
_TERMINAL = ("revoked", "canceled", "rejected", "expired")
STATUSES = ("issued", "reissue_pending", *NEW, *_TERMINAL)
APPROVALS = {True: "manual", False: "skip", "manual": "manual", "auto": "auto", "skip": "skip"}
# The four shapes of a reissue's answer, as the settings that bring them about.
SHAPES: dict[str, dict[str, Any]] = {
    "requests": {"approval": "manual"},
    "certificate_id": {"approval": "skip", "issue_seconds": 60.0},
    "certificate_chain": {"approval": "skip", "issue_seconds": 0.0, "validation": False},
    "dcv_random_value": {"approval": "skip", "validation": True},
}
_NEVER_HIDDEN = 1 << 30
_LENGTH = 199


def _check(spec: dict[str, Any]) -> None:
    unknown = set(spec) - KNOWN
    for item in (*spec.get("reissues", ()), *spec.get("duplicates", ())):
        unknown |= set(item) - _PAST
    unknown |= set(spec.get("pending") or {}) - _PENDING
    if unknown:
        raise ValueError(f"unknown in an order entry: {', '.join(sorted(unknown))}; known: {', '.join(sorted(KNOWN))}")
    for name, choices in (("product", PRODUCTS), ("status", STATUSES), ("shape", SHAPES), ("organization", ORGANIZATIONS), ("container", CONTAINERS),
                          ("approval", APPROVALS)):
        if name in spec and spec[name] not in choices:
            raise ValueError(f"{name} is one of {', '.join(map(str, choices))}")


def build(digicert: DigiCert, spec: dict[str, Any]) -> list[int]:
    """Add the one or many orders of an entry; a name that means nothing is refused. Returns the order ids."""
    _check({**spec, **{name: value for turn in spec.get("each", ()) for name, value in turn.items()}})
    return [_Builder(digicert, single).order.id for single in expand(spec)]


class _Builder:
    """Makes one order: the past first, then what is in flight."""

    def __init__(self, digicert: DigiCert, spec: dict[str, Any]) -> None:
        self._digicert = digicert
        self._spec = spec
        self._now = digicert.clock.now()
        shape = SHAPES[spec["shape"]] if "shape" in spec else {}
        number = int(spec.get("order_id") or digicert.store.next_id("order"))
        if number in digicert.store.orders:
            raise ValueError(f"order {number} exists already")
        length = max(_LENGTH, spec.get("days_left", 0))
        issued = self._now - (length - spec.get("days_left", 90)) * DAY
        past = spec.get("reissues", ())
        days_ago = [item["days_ago"] for item in past if "days_ago" in item]
        begin = min([issued - (30 * DAY if past else 0), *(self._now - (days + 1) * DAY for days in days_ago)])
        years = spec.get("validity_years", 1)
        end = self._now + spec["order_days_left"] * DAY if "order_days_left" in spec else begin + years * 365 * DAY
        self.order = Order(
            number, "ssl_basic", 7, 5, begin, end, status="issued", account=OWN_ACCOUNT, user=self._user(spec.get("requester", "")),
            dcv_random_value=digicert.random_value(), changed=issued, approval=APPROVALS[spec["approval"]] if "approval" in spec else "",
        )
        for name, value in {**shape, **{name: spec[name] for name in PLAIN if name in spec}}.items():
            setattr(self.order, name, value)
        if isinstance(self.order.issue_seconds, int):
            self.order.issue_seconds = float(self.order.issue_seconds)
        self._fill(begin, issued)
        digicert.store.add(self.order)
        if "pending" in spec or spec.get("status") == "reissue_pending":
            start_pending(digicert, self.order, spec.get("pending") or {})

    def _user(self, name: str) -> int:
        return self._digicert.colleague(name)

    def _fill(self, begin: float, issued: float) -> None:
        spec, order = self._spec, self.order
        past = spec.get("reissues", [])
        # Without days_ago the reissues are spread between the order and the issue of the current certificate.
        step = (issued - begin) / max(len(past), 1)
        original = self._certificate(ORIGINAL, spec, begin)
        status = spec.get("status", "issued")
        if status in (*NEW, "canceled", "rejected"):
            original.created = self._now
            order.created = order.changed = self._now
            original.status = "pending" if status in NEW else "rejected"
            if original.status == "pending":
                original.waits = APPROVAL if status == "needs_approval" else VALIDATION if order.validation else ISSUE
                original.since = self._now
                if status in ("needs_csr", "waiting_pickup", "approved"):
                    # Waits for the subscriber, whatever the clock says.
                    original.waits = ""
            order.status = status
            self._request("new_request", original, "pending" if original.waits == APPROVAL else "approved", self._now)
            return
        self._issue(original, begin, begin + _LENGTH * DAY if past else self._now + spec.get("days_left", 90) * DAY)
        order.primary = original.id
        self._request("new_request", original, "approved", begin)
        for index, item in enumerate(past, 1):
            moment = self._now - item["days_ago"] * DAY if "days_ago" in item else begin + step * index
            self._past(REISSUE, item, moment)
        for item in spec.get("duplicates", []):
            self._past(DUPLICATE, item, self._now - item["days_ago"] * DAY if "days_ago" in item else max(issued, begin))
        current = order.current
        if spec.get("certificate_status") == "revoked" or status == "revoked":
            for certificate in order.issued if status == "revoked" else [current]:
                certificate.status, certificate.revoked = "revoked", self._now - DAY
        if status in _TERMINAL:
            order.status = status
            order.changed = self._now - DAY
        if status == "expired":
            order.valid_till = self._now - 2 * DAY
            current.valid_till = min(current.valid_till, order.valid_till)

    def _certificate(self, kind: str, item: dict[str, Any], moment: float) -> Certificate:
        spec, order = self._spec, self.order
        names = item.get("dns", spec.get("dns"))
        common_name = item.get("common_name") or spec.get("common_name") or (names[0] if names else f"order-{order.id}.example.com")
        certificate = Certificate(
            self._digicert.store.next_id("certificate"), order.id, kind, common_name, list(names or [common_name]), moment,
            key=item.get("key") or f"order-{order.id}-{len(order.certificates)}",
            signature_hash=item.get("signature_hash", spec.get("signature_hash", "sha256")),
            client_auth=item.get("client_auth", spec.get("client_auth", False)),
            ca_cert_id=next(iter(AUTHORITIES)), user=self._user(item.get("requester", spec.get("requester", ""))), reads=_NEVER_HIDDEN,
        )
        order.certificates.append(certificate)
        return certificate

    def _issue(self, certificate: Certificate, moment: float, valid_till: float) -> None:
        certificate.status, certificate.issued, certificate.valid_from = "issued", moment, moment
        certificate.valid_till = min(valid_till, self.order.valid_till)
        certificate.serial = secrets.randbits(127) | 1 << 126

    def _past(self, kind: str, item: dict[str, Any], moment: float) -> None:
        """A reissue or duplicate of earlier days; the last reissue that was issued is the primary certificate."""
        order, certificate = self.order, self._certificate(kind, item, moment)
        status = item.get("status", "issued")
        if status not in ("issued", "rejected", "revoked"):
            raise ValueError(f"a past {kind} is issued, rejected or revoked; one in flight goes under pending")
        certificate.archived = item.get("archived", False)
        self._request(kind, certificate, "rejected" if status == "rejected" else "approved", moment)
        if status == "rejected":
            certificate.status = "rejected"
            return
        if "days_left" in item:
            end = self._now + item["days_left"] * DAY
        else:
            end = moment + _LENGTH * DAY if kind == REISSUE else order.current.valid_till
        self._issue(certificate, moment, end)
        if kind == REISSUE:
            certificate.previous, order.primary, order.last_reissued = order.primary, certificate.id, moment
            order.changed = moment
        if status == "revoked":
            certificate.status, certificate.revoked = "revoked", moment + DAY

    def _request(self, kind: str, certificate: Certificate, status: str, moment: float) -> None:
        """Where approvals are skipped, no request is kept."""
        order = self.order
        if self._digicert.lifecycle.approval_of(order) == "skip" and status != "pending":
            return
        request = Request(self._digicert.store.next_id("request"), order.id, kind, status, moment, certificate.user, certificates=[certificate.id])
        if status != "pending":
            request.processed, request.processor = moment, self._user("")
        certificate.request = request.id
        order.requests.append(request)


def start_pending(digicert: DigiCert, order: Order, spec: dict[str, Any]) -> None:
    """A reissue that somebody else asked for ``since`` seconds ago; it ``waits`` for approval (default), validation or issue."""
    unknown = set(spec) - _PENDING
    if unknown:
        raise ValueError(f"unknown in a pending reissue: {', '.join(sorted(unknown))}; known: {', '.join(sorted(_PENDING))}")
    waits = spec.get("waits", APPROVAL)
    if waits not in (APPROVAL, VALIDATION, ISSUE):
        raise ValueError(f"waits is one of {APPROVAL}, {VALIDATION}, {ISSUE}")
    lifecycle, current = digicert.lifecycle, order.current
    automatic = spec.get("auto", False)
    user = NOBODY if automatic else digicert.colleague(spec.get("requester", "Robin Colleague"))
    common_name = spec.get("common_name", current.common_name)
    draft = lifecycle.draft(order, REISSUE, common_name, spec.get("dns", current.dns_names if common_name == current.common_name else [common_name]), user)
    if "csr" in spec:
        draft.csr = spec["csr"]
    else:
        draft.key = spec.get("key", f"pending-{draft.id}")
    draft.reads = _NEVER_HIDDEN
    # Else it would be issued before anybody could see it in flight.
    draft.held = waits == ISSUE and not order.issue_seconds
    order.validation = order.validation or waits == VALIDATION
    approval = order.approval
    order.approval = "manual" if waits == APPROVAL else lifecycle.approval_of(order)
    lifecycle.begin(order, draft, comments=spec.get("comments", AUTO_REISSUE_COMMENT if automatic else ""))
    order.approval = approval
    request = order.request(draft.request)
    draft.created = order.changed = digicert.clock.now() - spec.get("since", 3600)
    if request is not None:
        request.date = draft.created
        if waits != APPROVAL and request.status in OPEN:
            lifecycle.approve(order, request, digicert.colleague(""))
