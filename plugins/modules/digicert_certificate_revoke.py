#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: digicert_certificate_revoke
short_description: Revoke single certificates of DigiCert CertCentral orders
version_added: 0.3.0
author:
  - certops.remediation contributors (@certops)
description:
  - Revokes certificates in DigiCert CertCentral, one or thousands of them, each by a call of its own. The orders stay as they are, and can be
    reissued.
  - All orders are read and planned before the first certificate is revoked. If any of them cannot be acted on, none is, unless
    O(continue_on_error=true).
  - DigiCert revokes nothing while a reissue of the order is pending. Such a certificate is refused, with who asked for the reissue and since when.
  - The current certificate of an order is refused unless O(current=allow), because what uses it stops working.
  - Unless the approval is skipped, DigiCert opens a request that an administrator has to approve. Such a certificate is C(pending), and no second
    request is opened for it, so the module can be run again at any time.
  - After a lost answer the order is read again before anything is said or repeated. A revocation that is asked for twice does no harm.
options:
  certificates:
    description:
      - The certificates to revoke. Each is a serial number, a SHA-1 thumbprint, or a mapping with V(serial) or V(thumbprint), or with V(order_id)
        and one or more of V(certificate_id), V(serial) and V(thumbprint), which must then agree.
      - A serial number or thumbprint without its order finds current certificates only.
      - The RV(certops.remediation.digicert_order_reissue#module:targets) of M(certops.remediation.digicert_order_reissue) can be given as they are;
        meant is what the reissue replaced. Those that had the wanted certificate already name nothing.
      - The RV(certops.remediation.digicert_order_info#module:orders) of M(certops.remediation.digicert_order_info) can be given as they are; meant
        are the certificates by which an order was found, else its current one.
      - An empty list is fine and changes nothing. What is listed twice is acted on once.
      - Exactly one of O(certificates) and O(order_id) is needed.
    type: list
    elements: raw
  order_id:
    description:
      - The order of a single certificate, with O(certificate_id), O(serial_number) or both.
    type: int
  certificate_id:
    description:
      - The id of the certificate in CertCentral.
    type: int
  serial_number:
    description:
      - The serial number of the certificate in hexadecimal.
    type: str
  reason:
    description:
      - Why, by the name of RFC 5280 in any of its usual spellings, or by its number.
      - DigiCert knows V(unspecified), V(key_compromise), V(affiliation_changed), V(superseded) and V(cessation_of_operation). After
        V(key_compromise) it signs nothing for that key any more.
    type: str
    default: unspecified
  comment:
    description:
      - A text for the approver. The module puts the serial number in front, by which it knows its own requests again.
      - DigiCert keeps it with the request only, so not where the approval is skipped.
    type: str
  skip_approval:
    description:
      - Revoke without an approval. This needs an API key with the rights of an administrator; for others DigiCert opens a request all the same.
    type: bool
    default: false
  approve:
    description:
      - Approve the request of this revocation, if there is one and DigiCert lets this API key approve it. That of an earlier run is approved too.
        A request of somebody else is not.
    type: bool
    default: false
  current:
    description:
      - What to do with a certificate in whose place nothing valid has been issued on its order, so that revoking it takes down what uses it.
      - With V(refuse), it is refused; with V(allow), it is revoked like the others.
    type: str
    choices: [refuse, allow]
    default: refuse
  expired:
    description:
      - What to do with a certificate that is not valid any more. With V(leave), it is left alone; with V(act), it is treated like the others.
    type: str
    choices: [leave, act]
    default: leave
  wait_for_approval:
    description:
      - With O(wait=true), also wait for what a person must approve first. Otherwise such a certificate ends as C(pending) and does not fail the
        task.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.remediation.digicert
  - certops.remediation.connection
  - certops.remediation.batch
  - certops.remediation.wait
  - certops.remediation.attributes
  - certops.remediation.attributes.digicert
attributes:
  check_mode:
    support: full
    details:
      - Sends only requests that read, so an API key for viewing is enough. It cannot know whether DigiCert will open a request.
      - DigiCert may list a certificate that is not the current one as issued after it was revoked. Such a certificate is C(planned) again, unless the
        order shows the approved request of this module; the run then finds that it is revoked already, and changes nothing.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - Should DigiCert accept the revocation of a certificate that is revoked already and that it lists as issued, nothing tells the second from the
        first, and it is C(applied) again. It does no harm.
notes:
  - Revoking a certificate does not take it out of use where nobody looks at the CRL or asks OCSP.
seealso:
  - module: certops.remediation.digicert_order_reissue
  - module: certops.remediation.digicert_order_info
  - name: DigiCert Services API, Revoke certificate
    description: The call behind this module.
    link: https://dev.digicert.com/certcentral-apis/services-api/certificates/revoke-certificate.html
"""

EXAMPLES = r"""
- name: Make a new key and CSR, and keep them
  certops.remediation.certificate_request:
    common_name: www.example.com
    folder: "{{ lookup('ansible.builtin.env', 'HOME') }}/revoke"
    create_folder: true
  register: made

- name: Find the order
  certops.remediation.digicert_order_info:
    common_name: www.example.com
    status: [issued]
    limit: 1
  register: found

- name: Reissue it for the new key, and wait until it is issued
  certops.remediation.digicert_order_reissue:
    order_id: "{{ found.orders[0].order_id }}"
    csr: "{{ made.requests[0].csr }}"
    skip_approval: true
    wait: true
  register: reissued

- name: Once the new certificate is in use everywhere, revoke the old one
  certops.remediation.digicert_certificate_revoke:
    certificates: "{{ reissued.targets }}"
    reason: superseded
    comment: INC-4711
    skip_approval: true
    max_changes: 1

- name: Find a service that is switched off
  certops.remediation.digicert_order_info:
    common_name: shop-001.example.com
  register: retired

- name: Revoke its certificate, although nothing replaces it
  certops.remediation.digicert_certificate_revoke:
    order_id: "{{ retired.orders[0].order_id }}"
    serial_number: "{{ retired.orders[0].certificate.serial }}"
    reason: cessation_of_operation
    comment: CHG-815
    current: allow
    approve: true
"""

RETURN = r"""
url:
  description: The address of the server that was asked.
  returned: when the targets could be read
  type: str
  sample: https://www.digicert.com
plan_digest:
  description: A fingerprint of what would be or was done to what. Give it to O(plan_digest) to apply this plan and no other.
  returned: when the targets could be read
  type: str
  sample: sha256:b6f4b1e0b04ef8b2e7e1a0f2d80c5e8f1fb1b9b0c9de93ef3d1b5c9a2d3a1f77
summary:
  description: How many certificates ended with each outcome.
  returned: when the targets could be read
  type: dict
  sample: {"unchanged": 0, "planned": 0, "applied": 1, "pending": 0, "refused": 0, "failed": 0, "unknown": 0, "not_attempted": 0}
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: when the targets could be read
  type: dict
  sample: {"requests": 5, "retries": 0, "seconds_waited": 0.0}
targets:
  description: One entry for each of the given certificates, in the order given.
  returned: when the targets could be read
  type: list
  elements: dict
  contains:
    target:
      description: The certificate as it was given.
      returned: always
      type: str
      sample: 0E6DD1A2C3B4A5968778695A4B3C2D1E
    outcome:
      description:
        - C(unchanged), it is revoked already or was left alone; C(planned), check mode, it would be revoked; C(applied), DigiCert has revoked it.
        - C(pending), a request for its revocation waits for an approval; C(refused), a guard stopped it and nothing was written;
          C(failed), DigiCert or an approver said no; C(unknown), it cannot be told whether it was revoked; C(not_attempted), the task stopped
          before.
      returned: always
      type: str
      sample: applied
    action:
      description: What was to be done; C(none), C(revoke) with the reason, or C(approve) with the request.
      returned: always
      type: str
      sample: revoke (superseded)
    changed:
      description: Whether this run changed something at DigiCert, or would do so. To open a request that then waits for an approval is a change.
      returned: always
      type: bool
      sample: true
    message:
      description: What was found or done, what it waits for, and what stood in the way.
      returned: always
      type: str
      sample: revoked; this cannot be undone
    before:
      description: The revocation state as it was found. C(final) says whether it cannot be undone.
      returned: always
      type: dict
      sample: {"status": "issued", "reason": null, "final": false}
    after:
      description: The same fields afterwards; in check mode as they are expected. DigiCert does not show for which reason a certificate was revoked.
      returned: always
      type: dict
      sample: {"status": "revoked", "reason": "superseded", "final": true}
    timed_out:
      description: Whether it was still pending when O(wait_timeout) was over.
      returned: always
      type: bool
      sample: false
    reversible:
      description: Whether and how the change can be undone.
      returned: always
      type: str
      sample: Cannot be undone. As long as the request waits for an approval, it can be rejected in CertCentral.
    error:
      description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id); null if nothing did.
      returned: always
      type: dict
      sample: null
    request_ids:
      description: Correlation ids of the vendor, when it gives any. DigiCert does not.
      returned: always
      type: list
      elements: str
      sample: []
    order_id:
      description: The order.
      returned: when the certificate could be read
      type: int
      sample: 1000001
    order_status:
      description: Its status as DigiCert has it.
      returned: when the certificate could be read
      type: str
      sample: issued
    certificate_id:
      description: The id of the certificate.
      returned: when the certificate could be read
      type: int
      sample: 99001
    serial:
      description: Its serial number in hexadecimal.
      returned: when the certificate could be read
      type: str
      sample: 0E6DD1A2C3B4A5968778695A4B3C2D1E
    common_name:
      description: Its common name.
      returned: when the certificate could be read
      type: str
      sample: www.example.com
    valid_till:
      description: The last day of its validity.
      returned: when the certificate could be read
      type: str
      sample: "2026-12-20"
    role:
      description: What it is to its order; C(current), C(reissue) (a former one), C(duplicate), or C(original) (the first one, since replaced).
      returned: when the certificate could be read
      type: str
      sample: original
    approval_request_id:
      description: The id of the request that somebody has to approve.
      returned: when the revocation needs an approval
      type: int
      sample: 332211
diff:
  description: The revocation state of what changed, before and after, by certificate.
  returned: in diff mode
  type: dict
  sample:
    before: {"0E6DD1A2C3B4A5968778695A4B3C2D1E": {"status": "issued", "reason": null, "final": false}}
    after: {"0E6DD1A2C3B4A5968778695A4B3C2D1E": {"status": "revoked", "reason": "superseded", "final": true}}
error:
  description: What went wrong, if it was not one certificate but the whole task, with the same keys as RV(targets[].error).
  returned: on such a failure
  type: dict
  sample: {"kind": "authentication", "message": "...", "status": 403, "code": "...", "detail": "...", "request_id": null}
"""

import dataclasses
import datetime
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import engine, options
from ansible_collections.certops.remediation.plugins.module_utils.digicert import (
    CONNECTION_OPTIONS,
    Certificate,
    CertificateRef,
    DigiCertClient,
    InFlight,
    Order,
    Request,
    bare,
    certificate_of,
    certificate_ref,
    connect,
    given_id,
    name_set,
    order_of,
    order_ref,
    written,
)
from ansible_collections.certops.remediation.plugins.module_utils.engine import Entry, Plan, Verdict
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    BusyError,
    InputError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.parallel import each_in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.revocation import DIALECTS, reason_code, reason_name
from ansible_collections.certops.remediation.plugins.module_utils.records import record_in, whole
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_action
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    load_certificates,
    not_after,
    public_key_sha256,
    thumbprint,
)

ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    options.BATCH_OPTIONS,
    options.WAIT_OPTIONS,
    {
        "certificates": {"type": "list", "elements": "raw"},
        "order_id": {"type": "int"},
        "certificate_id": {"type": "int"},
        "serial_number": {"type": "str"},
        "reason": {"type": "str", "default": "unspecified"},
        "comment": {"type": "str"},
        "skip_approval": {"type": "bool", "default": False},
        "approve": {"type": "bool", "default": False},
        "current": {"type": "str", "choices": ["refuse", "allow"], "default": "refuse"},
        "expired": {"type": "str", "choices": ["leave", "act"], "default": "leave"},
        "wait_for_approval": {"type": "bool", "default": False},
    },
)

REASONS = DIALECTS["digicert"]
CURRENT = "current"
REISSUE = "reissue"
DUPLICATE = "duplicate"
ORIGINAL = "original"
# The codes that clients know are order_already_revoked and order_is_revoked; what DigiCert says of a single certificate is not documented.
REVOKED_CODE = re.compile("(already|is)_revoked")
# From how many certificates on the order list says more cheaply which orders have reissues and duplicates.
MANY = 20
# A request whose answer was lost may take DigiCert a while to show. A second one would have to be approved or rejected as well.
LATE_REQUEST_SECONDS = 10.0
IRREVERSIBLE = "Cannot be undone. As long as the request waits for an approval, it can be rejected in CertCentral."


@dataclasses.dataclass(frozen=True)
class Target:
    """One certificate to revoke, as it was named."""

    ref: CertificateRef

    @property
    def key(self) -> str:
        """What was named in the same words is acted on once."""
        return "/".join(map(str, (self.ref.order_id or "", self.ref.id or "", self.ref.serial, self.ref.thumbprint)))

    @property
    def label(self) -> str:
        """As it is shown."""
        return self.ref.label


@dataclasses.dataclass(frozen=True)
class State:
    """A certificate as it is observed, with its order.

    :param role: what it is to the order.
    :param in_flight: all that has been asked for on the order and is not done yet.
    :param today: the day of the observation, as DigiCert writes days.
    """

    order: Order
    certificate: Certificate
    role: str
    in_flight: tuple[InFlight, ...]
    today: str

    def is_ours(self, request: Request) -> bool:
        """Whether a request is one of this module for this certificate."""
        return request.type == "revoke" and marked(request) == bare(self.certificate.serial) != ""

    @property
    def asked(self) -> InFlight | None:
        """The open request for its revocation, whoever opened it."""
        for item in self.in_flight:
            shown = item.certificate_id == self.certificate.id != 0
            if item.request and item.type == "revoke" and (self.is_ours(item.request) or (shown and not marked(item.request))):
                return item
        return None

    @property
    def unclear(self) -> InFlight | None:
        """An open request for a revocation that may be for this certificate: one for a whole order, and maybe any, shows the current certificate."""
        for item in self.in_flight:
            shown = item.certificate_id not in (0, self.order.certificate.id)
            if item.request and item.type == "revoke" and item is not self.asked and not marked(item.request) and not shown:
                return item
        return None

    @property
    def reissue(self) -> InFlight | None:
        """What stands in the way of a revocation."""
        return next((item for item in self.in_flight if item.type in ("reissue", "duplicate")), None)

    @property
    def approved(self) -> Request | None:
        """The approved request of this module."""
        return next((item for item in self.order.requests if item.status == "approved" and self.is_ours(item)), None)

    @property
    def revoked(self) -> bool:
        """Whether DigiCert shows it as revoked. The lists of reissues and duplicates may not, but for them the approved request does."""
        shown = "revoked" in (self.certificate.status, self.order.status)
        return shown or (self.role != CURRENT and self.approved is not None)

    @property
    def expired(self) -> bool:
        """Whether it is over."""
        return self.certificate.status == "expired" or bool(self.certificate.valid_till and self.certificate.valid_till[:10] < self.today)

    @property
    def replaced(self) -> bool:
        """Whether something valid has been issued on the order in its place."""
        newest = self.order.certificate
        good = newest.status not in ("revoked", "expired") and newest.valid_till[:10] >= self.today
        if self.role == DUPLICATE:
            return good and any(item.status == "issued" and item.created > self.certificate.created for item in self.order.reissues or ())
        return good and self.role != CURRENT


class CertificateRevoke(engine.Operation[Target, State]):
    """What a revocation needs to know and decide."""

    name = "digicert_certificate_revoke"

    def __init__(self, client: DigiCertClient, params: t.Mapping[str, t.Any]) -> None:
        self._client = client
        self.transport = client.transport
        self.late_effect_seconds = LATE_REQUEST_SECONDS
        self._reason: int = params["reason"]
        self._comment: str = params["comment"] or "certops.remediation"
        self._skip_approval: bool = params["skip_approval"]
        self._approve: bool = params["approve"]
        self._allow_current: bool = params["current"] == "allow"
        self._leave_expired: bool = params["expired"] == "leave"
        self._wait_for_approval: bool = params["wait_for_approval"]
        self._listed: dict[int, tuple[bool, bool]] | None = None
        self._seen: dict[str, State] = {}
        self._waiting: dict[str, int] = {}

    # -- observe -------------------------------------------------------------------------------------------------------------------

    def observe(self, targets: t.Sequence[Target]) -> t.Sequence[State | RemediationError]:
        if self._listed is None:
            self._listed = self._client.histories(len(targets)) if len(targets) >= MANY else {}
        return self._read(targets)

    def look_again(self, targets: t.Sequence[Target]) -> t.Sequence[State | RemediationError]:
        # What the list said before is not true any more.
        self._listed = {}
        return self._read(targets)

    def poll(self, targets: t.Sequence[Target]) -> t.Sequence[State | RemediationError]:
        """An order tells by itself whether the requests still wait; only when one does not, all is read again."""
        numbers = list(dict.fromkeys(self._seen[target.key].order.id for target in targets))
        orders = dict(zip(numbers, self._each(lambda number: order_of(self._client.order(number)), numbers)))
        states: dict[str, State | RemediationError] = {}
        for target in targets:
            state = self._seen[target.key]
            order = orders[state.order.id]
            if isinstance(order, RemediationError):
                states[target.key] = order
            elif any(item.is_open and item.id == self._waiting.get(target.key) for item in order.requests):
                states[target.key] = dataclasses.replace(state, order=dataclasses.replace(state.order, requests=order.requests))
        moved = [target for target in targets if target.key not in states]
        states.update(zip((target.key for target in moved), self._read(moved)))
        return [states[target.key] for target in targets]

    def _each(self, read: t.Callable[[t.Any], t.Any], items: t.Sequence[t.Any]) -> list[t.Any]:
        """``read`` on many items at a time; an error in place of what cannot be read."""
        return each_in_parallel(read, items, self.transport.settings.concurrency)

    def _read(self, targets: t.Sequence[Target]) -> list[State | RemediationError]:
        """Each order is read once, however many certificates of it are listed."""
        refs = {target.key: self._ref(target) for target in targets}
        first = {ref.order_id or ref: ref for ref in refs.values()}
        orders = dict(zip(first, self._each(self._order, list(first.values()))))

        def state(target: Target) -> State | RemediationError:
            ref = refs[target.key]
            found = orders[ref.order_id or ref]
            return found if isinstance(found, RemediationError) else self._state(ref, *found)

        states: list[State | RemediationError] = self._each(state, targets)
        self._seen.update((target.key, state) for target, state in zip(targets, states) if isinstance(state, State))
        return states

    def _ref(self, target: Target) -> CertificateRef:
        """What was current when it was looked up by a mark of its own may have been replaced since."""
        seen = self._seen.get(target.key)
        return dataclasses.replace(target.ref, order_id=seen.order.id) if seen else target.ref

    def _order(self, ref: CertificateRef) -> tuple[Order, tuple[InFlight, ...]]:
        order = self._find(ref) if ref.order_id is None else self._client.primary(order_of(self._client.order(ref.order_id)))
        reissued, duplicated = (self._listed or {}).get(order.id, (True, order.allow_duplicates))
        order = self._client.with_history(order, reissued=reissued, duplicated=duplicated)
        return order, self._client.in_flight(order)

    def _find(self, ref: CertificateRef) -> Order:
        """The order of a certificate that was named without it, which DigiCert knows for current ones only."""
        for mark in [ref.thumbprint] if ref.thumbprint else written(ref.serial):
            try:
                order = self._client.primary(order_of(self._client.order(mark)))
            except VendorError as error:
                # What DigiCert cannot read as a serial number or thumbprint is none of its certificates either.
                if error.status not in (400, 404):
                    raise
                continue
            # A serial number of digits alone may have been taken for an order id.
            if agrees(ref, order.certificate):
                return order
        raise VendorError(
            "not the current certificate of any order that this API key may see; find its order with digicert_order_info, and give order_id as well", status=404
        )

    def _state(self, ref: CertificateRef, order: Order, in_flight: tuple[InFlight, ...]) -> State:
        today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        former = [item for item in order.reissues or () if bare(item.serial) != bare(order.certificate.serial)]
        for role, certificates in ((CURRENT, [order.certificate]), (REISSUE, former), (DUPLICATE, order.duplicates or ())):
            for certificate in certificates:
                if agrees(ref, certificate) and (role == CURRENT or certificate.serial):
                    return State(order, certificate, role, in_flight, today)
        if any(item.type == "reissue" for item in in_flight):
            # Nothing can be done to it, whatever it is.
            known = {"id": ref.id, "serial_number": ref.serial, "thumbprint": ref.thumbprint}
            return State(order, certificate_of(known), ORIGINAL, in_flight, today)
        return State(order, self._original(ref, order), ORIGINAL, in_flight, today)

    def _original(self, ref: CertificateRef, order: Order) -> Certificate:
        """A certificate that the order does not show. After a reissue, DigiCert lists the first one no more.

        :raises VendorError: it is none of this order.
        """
        unknown = f"order {order.id} shows no such certificate among its current one, its reissues and its duplicates"
        if not order.last_reissued and not any(item.status == "issued" for item in order.reissues or ()):
            raise VendorError(unknown, status=404)
        number = ref.id or self._first(order)
        if not number and ref.serial and self._owners("serial_number", written(ref.serial)[0]) == {order.id}:
            return certificate_of({"serial_number": written(ref.serial)[0]})
        if not number:
            remedy = "If it is the first one of the order, which DigiCert does not list after a reissue, give certificate_id as well"
            raise VendorError(f"{unknown}. {remedy}", status=404)
        try:
            leaf = load_certificates("certificate", "".join(self._client.chain(number)).encode())[0]
            names = name_set("", (name.partition(":")[2] for name in alternative_names(leaf)))
        except (InputError, ValueError):
            raise VendorError(f"what DigiCert hands out for certificate {number} is no certificate; run the task again") from None
        serial = f"{leaf.serial_number:032X}"
        found = {"id": number, "serial_number": serial, "thumbprint": thumbprint(leaf), "valid_till": not_after(leaf).strftime("%Y-%m-%d")}
        certificate = dataclasses.replace(certificate_of(found), common_name=min(names, default=""), names=names, key=public_key_sha256(leaf))
        if not agrees(ref, certificate) or bare(serial) == bare(order.certificate.serial):
            raise VendorError(f"{unknown}; certificate {number} is the one with the serial number {serial}", status=404)
        if ref.id and not self._belongs(order, certificate):
            raise VendorError(f"{unknown}; certificate {number} seems to be of another order", status=404)
        return certificate

    def _first(self, order: Order) -> int:
        """The id of the certificate that was ordered at first, where DigiCert keeps the request for it."""
        for request in order.requests:
            if request.type == "new_request":
                return whole(record_in(record_in(self._client.request(request.id), "order"), "certificate"), "id")
        return 0

    def _belongs(self, order: Order, certificate: Certificate) -> bool:
        """Whether an unlisted certificate is of this order. One of another order may have the same names, and may be in use there."""
        if self._first(order) == certificate.id:
            return True
        owners = self._owners("certificate_id", str(certificate.id))
        if owners:
            return owners == {order.id}
        try:
            self._find(CertificateRef("", serial=bare(certificate.serial)))
        except VendorError as error:
            if error.status != 404:
                raise
            # It is nowhere the current one.
            return bool(certificate.names & frozenset().union(order.certificate.names, *(item.names for item in order.reissues or ())))
        return False

    def _owners(self, name: str, value: str) -> set[int]:
        """The orders that a filter finds. Whether it finds them by more than their current certificate is not documented."""
        return {whole(item, "id") for item in self._client.orders([(name, value)], limit=2)[0]}

    def identity(self, state: State) -> str:
        return str(state.certificate.id or bare(state.certificate.serial) or state.certificate.thumbprint)

    def describe(self, state: State) -> engine.Values:
        order, certificate = state.order, state.certificate
        shown: dict[str, t.Any] = {"order_id": order.id, "order_status": order.status, "certificate_id": certificate.id or None, "role": state.role}
        shown.update((name, getattr(certificate, name) or None) for name in ("serial", "common_name", "valid_till"))
        return {**shown, **(_waits(state.asked.request) if state.asked and state.asked.request else {})}

    # -- plan ----------------------------------------------------------------------------------------------------------------------

    def plan(self, target: Target, state: State) -> Plan:
        before = _shown(state)

        def keep(outcome: str, message: str) -> Plan:
            return Plan(outcome, message, before=before, after=before)

        order, asked, reissue, unclear = state.order, state.asked, state.reissue, state.unclear
        if state.revoked:
            return keep(engine.UNCHANGED, "is revoked already")
        if asked and asked.request:
            if self._approve and state.is_ours(asked.request):
                # DigiCert does not show for which reason it was asked for.
                after = {**_REVOKED, "reason": None}
                message = f"its revocation {asked.waits}, {asked.asked_for}; would approve it, which cannot be undone"
                return Plan(engine.PLANNED, message, f"approve request {asked.request.id}", before, after, IRREVERSIBLE)
            return keep(engine.PENDING, f"its revocation {asked.waits}, {asked.asked_for}; not asked for again")
        if state.expired and self._leave_expired:
            return keep(engine.UNCHANGED, f"has expired ({state.certificate.valid_till or 'by its status'}); left alone (expired=leave)")
        if state.approved:
            return keep(engine.PENDING, f"its revocation was approved (request {state.approved.id}), but DigiCert does not show it yet; not asked for again")
        if reissue:
            what = f"a {reissue.type} of order {order.id} is pending, asked for {reissue.asked_for}; it {reissue.waits}"
            return keep(engine.REFUSED, f"{what}. DigiCert revokes nothing on the order before that has ended: finish it or cancel it, then run the task again")
        if not state.certificate.serial:
            return keep(engine.REFUSED, f"the order is {order.status or 'in no known state'}, and has no issued certificate to revoke; leave it out")
        if unclear:
            what = f"a revocation on order {order.id} {unclear.waits}, asked for {unclear.asked_for}"
            remedy = "have it approved or rejected in CertCentral, then run the task again"
            return keep(engine.REFUSED, f"{what}, and DigiCert does not show for sure whether it is for this certificate; {remedy}")
        if not state.replaced and not self._allow_current:
            what = f"is a duplicate on order {order.id}" if state.role == DUPLICATE else f"is the current certificate of order {order.id}"
            if state.role not in (CURRENT, DUPLICATE):
                what = f"is a former certificate of order {order.id}, whose current one is not valid"
            remedy = "so that revoking it takes down what uses it; reissue the order first, or set current=allow"
            return keep(engine.REFUSED, f"{what}, and nothing valid has been issued in its place, {remedy}")
        loss = "" if state.replaced else "; nothing valid has been issued in its place, so what uses it will stop working"
        return Plan(
            engine.PLANNED,
            f"would revoke it, which cannot be undone{loss}",
            f"revoke ({reason_name(self._reason)})",
            before,
            {**_REVOKED, "reason": reason_name(self._reason)},
            IRREVERSIBLE,
            hidden=state.role != CURRENT,
        )

    # -- apply ---------------------------------------------------------------------------------------------------------------------

    def apply(self, entries: t.Sequence[Entry[Target, State]]) -> t.Sequence[Verdict]:
        return [self._apply(entry) for entry in entries]

    def _apply(self, entry: Entry[Target, State]) -> Verdict:
        state = _observed(entry)
        if state.asked and state.asked.request:
            return self._approved(entry, state.asked.request.id, asked_now=False)
        certificate = state.certificate
        named, comments = certificate.id or certificate.serial, f"[certificate {certificate.serial}] {self._comment}"
        try:
            request = self._client.revoke(named, reason=REASONS[self._reason], comments=comments, skip_approval=self._skip_approval)
        except VendorError as error:
            if error.fatal or isinstance(error, BusyError):
                raise
            return self._refused(entry, error)
        if request is None:
            return Verdict(engine.APPLIED, "revoked; this cannot be undone")
        self._waiting[entry.target.key] = request.id
        if not request.is_open:
            return self._decided(entry, request.id)
        if self._approve:
            return self._approved(entry, request.id, asked_now=True)
        return Verdict(engine.PENDING, f"asked for; waits for the approval of request {request.id}", _shown(state), vendor=_waits(request))

    def _approved(self, entry: Entry[Target, State], number: int, *, asked_now: bool) -> Verdict:
        self._waiting[entry.target.key] = number
        try:
            self._client.approve(number, self._comment)
        except RemediationError as error:
            now = self._look(entry.target)
            if isinstance(now, State) and not (now.asked and now.asked.request and now.asked.request.id == number):
                return self._ended(entry, number, now)
            message = f"waits for the approval of request {number}, because it could not be approved: {error.message}"
            # Where nothing was asked for before, nothing has changed as far as can be seen.
            changed = asked_now or (isinstance(error, AnswerLostError) and not isinstance(now, State))
            return Verdict(engine.PENDING, message, entry.plan.before, changed=changed, vendor={"approval_request_id": number}, error=error)
        return self._decided(entry, number)

    def _decided(self, entry: Entry[Target, State], number: int) -> Verdict:
        """The request does not wait any more."""
        now = self._look(entry.target)
        if isinstance(now, State):
            return self._ended(entry, number, now)
        message = f"approved (request {number}), but whether it is revoked could not be read back: {now.message}"
        return Verdict(engine.PENDING, message, entry.plan.before, vendor={"approval_request_id": number}, error=now)

    def _look(self, target: Target) -> State | RemediationError:
        """Read after a write: an error takes nothing back."""
        try:
            return self.look_again([target])[0]
        except RemediationError as error:
            return error

    def _refused(self, entry: Entry[Target, State], error: VendorError) -> Verdict:
        """DigiCert said no. Its codes are not all documented, so the order is read again."""
        now = self._look(entry.target)
        said = error.detail or error.message
        if REVOKED_CODE.search(error.code or "") or (isinstance(now, State) and now.revoked):
            if entry.lost:
                return Verdict(engine.APPLIED, f"revoked; the answer was lost, and on the second attempt DigiCert says: {said}")
            return Verdict(engine.UNCHANGED, f"is revoked already ({said})", {**_REVOKED, "reason": None})
        if isinstance(now, RemediationError):
            return Verdict(engine.FAILED, f"not revoked: {said} (reading the order again failed: {now.message})", error=error)
        if now.asked and now.asked.request:
            self._waiting[entry.target.key] = now.asked.request.id
            message = f"its revocation {now.asked.waits}, {now.asked.asked_for}"
            return Verdict(engine.PENDING, message, _shown(now), changed=entry.lost is not None and _is_new(entry, now), vendor=_waits(now.asked.request))
        if now.reissue:
            said += f"; a {now.reissue.type} of the order is pending since, asked for {now.reissue.asked_for}: finish it or cancel it, then run the task again"
        return Verdict(engine.FAILED, f"not revoked: {said}", _shown(now), error=error)

    # -- resolve and settle --------------------------------------------------------------------------------------------------------

    def resolve(self, entry: Entry[Target, State], state: State) -> Verdict:
        note = "(the answer was lost)"
        if state.revoked:
            return Verdict(engine.APPLIED, f"revoked {note}; this cannot be undone")
        if state.asked and state.asked.request:
            self._waiting[entry.target.key] = state.asked.request.id
            message = f"asked for {note}; {state.asked.waits}"
            return Verdict(engine.PENDING, message, _shown(state), changed=_is_new(entry, state), vendor=_waits(state.asked.request))
        if state.reissue or state.unclear or state.approved:
            message = "the answer was lost, and the order shows neither that it was revoked nor that it was not"
            return Verdict(engine.UNKNOWN, f"{message}; run the task again: it looks first", _shown(state), error=entry.lost)
        return Verdict(engine.REPEAT, "the answer was lost, and the order does not show the revocation; asking for it again does no harm")

    def settle(self, entry: Entry[Target, State], state: State) -> Verdict:
        return self._ended(entry, entry.vendor.get("approval_request_id"), state)

    def _ended(self, entry: Entry[Target, State], number: int | None, state: State) -> Verdict:
        """What has become of the request, and of the certificate."""
        vendor = {"approval_request_id": number} if number else {}
        waiting = next((item for item in state.order.requests if item.id == number), None)
        if state.revoked:
            after = entry.plan.after if entry.plan.outcome == engine.PLANNED else _shown(state)
            return Verdict(engine.APPLIED, f"revoked{f' by request {number}' if number else ''}; this cannot be undone", after, vendor=vendor)
        if waiting and waiting.is_open:
            message = f"its revocation waits for the approval of request {number}; somebody has to approve or reject it in CertCentral"
            return Verdict(engine.PENDING, message, _shown(state), final=not self._wait_for_approval, vendor=vendor)
        if waiting and waiting.status == "rejected":
            changed = entry.plan.outcome == engine.PLANNED
            return Verdict(engine.FAILED, f"not revoked: request {number} was rejected", _shown(state), changed=changed, vendor=vendor)
        return Verdict(engine.PENDING, "its revocation was asked for and approved, but DigiCert does not show it yet", _shown(state), vendor=vendor)


_REVOKED: t.Mapping[str, t.Any] = {"status": "revoked", "final": True}


def marked(request: Request) -> str:
    """The serial number, as it is compared, of the certificate that a request of this module is for; empty for those of others."""
    found = re.search(r"\[certificate ([0-9A-F]+)\]", request.comments)
    return bare(found[1]) if found else ""


def agrees(ref: CertificateRef, certificate: Certificate) -> bool:
    """Whether it is the certificate that was named: all that was given agrees, in as far as DigiCert shows it."""
    pairs = ((ref.id, certificate.id), (ref.serial, bare(certificate.serial)), (ref.thumbprint, certificate.thumbprint))
    known = [(given, found) for given, found in pairs if given and found]
    return bool(known) and all(given == found for given, found in known)


def _observed(entry: Entry[Target, State]) -> State:
    if entry.state is None:
        raise ValueError("a step was planned for a certificate that was not observed")
    return entry.state


def _is_new(entry: Entry[Target, State], now: State) -> bool:
    """Whether the request for its revocation was opened by this module since the certificate was observed."""
    known = {item.id for item in _observed(entry).order.requests}
    return bool(now.asked and now.asked.request and now.asked.request.id not in known and now.is_ours(now.asked.request))


def _shown(state: State) -> dict[str, t.Any]:
    """The fields that a revocation changes."""
    if state.revoked:
        return {**_REVOKED, "reason": None}
    return {"status": "expired" if state.expired else state.certificate.status or "issued", "reason": None, "final": False}


def _waits(request: Request) -> dict[str, t.Any]:
    return {"approval_request_id": request.id}


# -- input -------------------------------------------------------------------------------------------------------------------------------


def certificate_refs(option: str, given: t.Any) -> list[CertificateRef]:
    """The certificates that an entry names, results of other modules included.

    :raises InputError: it names none.
    """
    if not isinstance(given, dict):
        return [certificate_ref(option, given)]
    if "previous" in given:
        return certificate_refs(f"{option}.previous", given["previous"]) if given["previous"] is not None else []
    if "outcome" in given and not given.get("certificate_id"):
        # An order that could not be read, and so was not reissued either.
        return []
    if isinstance(given.get("certificate"), dict):
        current = {**given["certificate"], "certificate_id": given["certificate"].get("id"), "order_id": given.get("order_id")}
        return _found_by(option, given) or [_named(option, current)]
    return [_named(option, given)]


def _found_by(option: str, order: t.Mapping[str, t.Any]) -> list[CertificateRef]:
    """The certificates by which ``digicert_order_info`` has found an order."""
    hits = [hit for hit in order.get("matched") or () if hit.get("as") in (CURRENT, REISSUE, DUPLICATE, ORIGINAL)]
    # For one from a file, the path is in front.
    refs = [certificate_ref(option, str(hit["target"]).rpartition(": ")[2]) for hit in hits]
    return [dataclasses.replace(ref, order_id=order_ref(option, order)) for ref in refs]


def _named(option: str, given: t.Mapping[str, t.Any]) -> CertificateRef:
    if given.get("certificate_id") in (None, ""):
        return certificate_ref(option, given)
    number = given_id(f"{option}.certificate_id", given["certificate_id"], "certificate")
    if given.get("order_id") in (None, ""):
        raise InputError(option, "certificate_id does not lead to the order, which decides whether it may be revoked; give order_id as well")
    if given.get("serial") or given.get("thumbprint"):
        return dataclasses.replace(certificate_ref(option, given), id=number)
    return CertificateRef(str(number), id=number, order_id=order_ref(option, given))


def targets_of(params: t.Mapping[str, t.Any]) -> list[Target]:
    """What is to be revoked.

    :raises InputError: an option cannot work.
    """
    single = {"order_id": params.get("order_id"), "certificate_id": params.get("certificate_id"), "serial": params.get("serial_number")}
    if params.get("certificates") is None:
        if single["order_id"] is None:
            raise InputError("certificates, order_id", "exactly one of the two is needed")
        if single["certificate_id"] is None and not single["serial"]:
            raise InputError("certificate_id, serial_number", "say which certificate of the order; the order itself is never revoked")
        return [Target(_named("order_id", single))]
    if any(value is not None for value in single.values()):
        raise InputError("certificates", "excludes order_id, certificate_id and serial_number; give those in the entries")
    return [Target(ref) for index, entry in enumerate(params["certificates"]) for ref in certificate_refs(f"certificates[{index}]", entry)]


def checked_params(params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options with the reason as its code.

    :raises InputError: an option cannot work.
    """
    code = reason_code("reason", params["reason"] or "unspecified")
    if code not in REASONS:
        known = ", ".join(str(reason_name(number)) for number in REASONS)
        raise InputError("reason", f"DigiCert cannot revoke for {reason_name(code)}; give one of {known}")
    return {**params, "reason": code}


def build(task: Task) -> tuple[CertificateRevoke, list[Target]]:
    """The operation and its targets from the options.

    :raises InputError: an option cannot work.
    """
    params = checked_params(task.params)
    targets = targets_of(params)
    client = connect(params, read_only=task.check_mode, secrets=task.secrets, warn=task.warn)
    return CertificateRevoke(client, params), targets


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_action(module, ARGUMENT_SPEC, build)


if __name__ == "__main__":
    main()
