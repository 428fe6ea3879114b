#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: digicert_order_reissue
short_description: Reissue certificates of DigiCert CertCentral orders, each exactly once
version_added: 0.2.0
author:
  - certops.remediation contributors (@certops)
description:
  - Reissues the certificates of DigiCert CertCentral orders for given CSRs, one order or thousands.
  - CertCentral has no idempotency key, so the public key of the CSR is one. An order whose certificate has this key and the wanted names is left
    alone; a reissue with this key that is under way is waited for, not asked for again. So make the key and CSR first and keep them, as
    M(certops.remediation.certificate_request) does; this module never makes a key.
  - All orders are read and planned before the first one is reissued. If any of them cannot be acted on, none is, unless
    O(continue_on_error=true).
  - If the answer to a reissue is lost, the order is read again until the reissue shows. It is never asked for a second time in one run; what
    cannot be told is C(unknown), and running the task again is safe.
  - DigiCert takes the names from the request, not from the CSR. Without O(common_name) and O(names), the order keeps its names.
  - A plain reissue leaves the old certificate valid. Revoking it is a step of its own, see M(certops.remediation.digicert_certificate_revoke), which
    DigiCert refuses while a reissue is pending.
options:
  order_id:
    description:
      - The order to reissue. Exactly one of O(order_id) and O(orders) is needed.
    type: int
  orders:
    description:
      - Many orders, each a mapping with V(order_id) and its own V(csr) or V(csr_path). It may also hold any of O(common_name), O(names),
        O(signature_hash), O(ca_cert_id), O(validity_days), O(expires_on), O(server_platform), O(profile_option), O(comments),
        O(certificate_path), O(chain_path) and O(fullchain_path), which win over the common options. Other keys are ignored.
      - An empty list is fine and changes nothing.
    type: list
    elements: dict
  csr:
    description:
      - The certificate signing request in PEM. Only its public key counts.
    type: str
  csr_path:
    description:
      - A file with the certificate signing request.
    type: path
  common_name:
    description:
      - The common name. Without it, the order keeps its own.
    type: str
  names:
    description:
      - All DNS names, in place of those that the order has. Without it, the order keeps its names.
    type: list
    elements: str
  signature_hash:
    description:
      - The hash of the signature. Without it, that of the current certificate.
    type: str
    choices: [sha256, sha384, sha512]
  ca_cert_id:
    description:
      - The id of the intermediate authority. DigiCert ignores it unless the account may choose; then the result has a warning, and no second
        reissue is asked for because of it.
    type: str
  validity_days:
    description:
      - For how many days the new certificate shall be valid. DigiCert ignores it unless the order is a multi-year plan; the longest possible
        validity is the default.
    type: int
  expires_on:
    description:
      - The last day of the new certificate, V(YYYY-MM-DD). The same restriction holds.
    type: str
  server_platform:
    description:
      - DigiCert's number of the server software; V(-1) is other.
    type: int
  profile_option:
    description:
      - Which uses the new certificate is for. Since October 2025 a reissue is for server authentication alone unless
        V(server_client_auth_eku) is asked for, which DigiCert offers until March 2027. Whether it takes this for a reissue is not documented;
        the module warns when it did not.
    type: str
    choices: [server_auth_only_eku, server_client_auth_eku]
  comments:
    description:
      - A text for the approver.
    type: str
  skip_approval:
    description:
      - Ask for the reissue without an approval. Without administrator rights, DigiCert may ignore it.
    type: bool
    default: false
  approve:
    description:
      - Approve the request of this reissue, if there is one and DigiCert lets this API key approve it. That of an earlier run is approved too.
    type: bool
    default: false
  check_dcv:
    description:
      - While a reissue waits for the validation of domains, have DigiCert look once in this run whether what a domain has to show is there, and tell
        which names are not valid. Without it, DigiCert looks at intervals of its own. What the check does not find is no failure.
      - A reissue of an earlier run is checked too. That is no change unless it is issued upon it, and in check mode nothing is checked.
    type: bool
    default: false
  allow_revoking_previous:
    description:
      - Allow that names are dropped, or the common name changed. DigiCert then revokes the original certificate and all its reissues and duplicates
        within 72 hours after the new one is issued. The plan lists what would be revoked.
    type: bool
    default: false
  on_pending:
    description:
      - What to do when a reissue with another key is pending on the order, maybe DigiCert's own automatic one.
      - With V(refuse), the order is refused, with who asked for it and since when. With V(cancel), it is cancelled first.
      - A reissue whose key DigiCert does not show (yet) may be the wanted one. It is never cancelled, and the order is refused.
    type: str
    choices: [refuse, cancel]
    default: refuse
  allow_used_key:
    description:
      - Allow a key that this order had before, but not in its current certificate, or whose reissue was rejected.
    type: bool
    default: false
  retired_keys:
    description:
      - Keys that must not be used, because they are compromised. Each is the SHA-256 of a public key in hexadecimal, or a certificate, CSR or
        public key in PEM. A CSR with one of them is refused.
    type: list
    elements: str
    default: []
  check_client_auth:
    description:
      - Download each current certificate to see whether it is also for client authentication, which a reissue would silently take away. Costs one
        request for each order that is to be reissued.
    type: bool
    default: true
  wait_for_approval:
    description:
      - With O(wait=true), also wait for what a person must approve first. Otherwise such an order ends as C(pending) and does not fail the task.
    type: bool
    default: false
  certificate_path:
    description:
      - Where to write the new certificate, in PEM, with mode 0644. Written as a whole once it is issued and its key is that of the CSR.
    type: path
  chain_path:
    description:
      - Where to write the chain without the certificate.
    type: path
  fullchain_path:
    description:
      - Where to write the certificate followed by its chain.
    type: path
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
      - Sends only requests that read, so an API key for viewing is enough. It cannot know whether DigiCert will accept the CSR and the names,
        nor whether an approval or a validation will be needed.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: certops.remediation.digicert_order_info
  - module: certops.remediation.certificate_request
  - module: certops.remediation.digicert_certificate_revoke
  - name: DigiCert Services API, Reissue certificate
    description: The call behind this module.
    link: https://dev.digicert.com/certcentral-apis/services-api/orders/reissue-certificate.html
"""

EXAMPLES = r"""
- name: Make a new key and CSR, and keep them
  certops.remediation.certificate_request:
    common_name: www.example.com
    folder: "{{ lookup('ansible.builtin.env', 'HOME') }}/reissue"
    create_folder: true
  register: made

- name: Find the order
  certops.remediation.digicert_order_info:
    common_name: www.example.com
    status: [issued, reissue_pending]
    limit: 1
  register: found

- name: Reissue it for the new key, wait, and write the certificate with its chain
  certops.remediation.digicert_order_reissue:
    order_id: "{{ found.orders[0].order_id }}"
    csr: "{{ made.requests[0].csr }}"
    skip_approval: true
    wait: true
    fullchain_path: "{{ lookup('ansible.builtin.env', 'HOME') }}/reissue/www.example.com.pem"
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
  description: How many orders ended with each outcome.
  returned: when the targets could be read
  type: dict
  sample: {"unchanged": 0, "planned": 0, "applied": 1, "pending": 0, "refused": 0, "failed": 0, "unknown": 0, "not_attempted": 0}
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: when the targets could be read
  type: dict
  sample: {"requests": 4, "retries": 0, "seconds_waited": 0.0}
targets:
  description: One entry for each of the given orders, in the order given.
  returned: when the targets could be read
  type: list
  elements: dict
  contains:
    target:
      description: The order as it was given.
      returned: always
      type: str
      sample: "1000001"
    outcome:
      description:
        - C(unchanged), its certificate has this key and these names; C(planned), check mode, it would be reissued; C(applied), it was issued.
        - C(pending), the reissue waits for an approval, a validation or its issue; C(refused), a guard stopped it and nothing was written;
          C(failed), DigiCert said no or somebody rejected it; C(unknown), it cannot be told whether the reissue was asked for;
          C(not_attempted), the task stopped before.
      returned: always
      type: str
      sample: applied
    action:
      description: What was to be done; C(none), C(fetch the certificate), C(approve) with the request, C(check the domains), or C(reissue)
        with the key, the names that it would add and drop, and the wishes.
      returned: always
      type: str
      sample: reissue for key 3b1a0d0f8f4b5e0c
    changed:
      description: Whether this run asked for a reissue or wrote a file, or would do so.
      returned: always
      type: bool
      sample: true
    message:
      description: What was found or done, what it waits for, and what the reissue takes away.
      returned: always
      type: str
      sample: issued; valid till 2027-06-08
    before:
      description: The certificate of the order as it was found.
      returned: always
      type: dict
      sample:
        {"serial": "0E6D...", "public_key_sha256": "9f2c...", "common_name": "www.example.com", "names": ["www.example.com"],
         "valid_till": "2026-12-20", "revoked_within_72_hours": []}
    after:
      description: The same afterwards; in check mode as it is expected, with C(new) for what only DigiCert will know.
      returned: always
      type: dict
      sample:
        {"serial": "0A11...", "public_key_sha256": "3b1a...", "common_name": "www.example.com", "names": ["www.example.com"],
         "valid_till": "2027-06-08", "revoked_within_72_hours": []}
    timed_out:
      description: Whether it was still pending when O(wait_timeout) was over.
      returned: always
      type: bool
      sample: false
    reversible:
      description: Whether and how the change can be undone.
      returned: always
      type: str
      sample: "A pending reissue can be cancelled; once it is issued it stays. The old certificate stays valid until somebody revokes it."
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
      returned: when the order could be read
      type: int
      sample: 1000001
    order_status:
      description: Its status as DigiCert has it.
      returned: when the order could be read
      type: str
      sample: issued
    product:
      description: The product.
      returned: when the order could be read
      type: str
      sample: ssl_basic
    certificate_id:
      description: The id of the current certificate; after a reissue was issued, of the new one.
      returned: when the order could be read
      type: int
      sample: 99002
    previous:
      description:
        - The certificate that the reissue replaces, with C(order_id), C(certificate_id), C(serial) and C(thumbprint); null where the order had the
          wanted one already. M(certops.remediation.digicert_certificate_revoke) takes RV(targets) as they are, and revokes these.
      returned: when the order could be read
      type: dict
      sample:
        {"order_id": 1000001, "certificate_id": 99001, "serial": "0E6DD1A2C3B4A5968778695A4B3C2D1E", "thumbprint": "20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6"}
    approval_request_id:
      description: The id of the request that somebody has to approve.
      returned: when a reissue of the order needs an approval
      type: int
      sample: 332211
    dcv_random_value:
      description: What a domain has to show, where DigiCert has to validate one first.
      returned: when DigiCert gives one
      type: str
      sample: vf8x1k2j3h4g5f6d7s8a9
    validation:
      description:
        - What O(check_dcv=true) has found. C(status) in the word of DigiCert, C(not_valid) with the status of each name that is not valid, and
          C(code) and C(message) of DigiCert where it found nothing, such as C(invalid_dns_txt).
      returned: when the domains were checked
      type: dict
      sample: {"status": "pending", "not_valid": {"www.example.com": "pending"}, "code": null, "message": null}
    written:
      description: The files that were written.
      returned: when the certificate was downloaded
      type: list
      elements: str
      sample: [/etc/ssl/www.example.com.pem]
diff:
  description: The certificate of each order that changed, before and after.
  returned: in diff mode
  type: dict
  sample:
    before: {"1000001": {"public_key_sha256": "9f2c..."}}
    after: {"1000001": {"public_key_sha256": "3b1a..."}}
error:
  description: What went wrong, if it was not one order but the whole task, with the same keys as RV(targets[].error).
  returned: on such a failure
  type: dict
  sample: {"kind": "authentication", "message": "...", "status": 403, "code": "...", "detail": "...", "request_id": null}
"""

import dataclasses
import datetime
import os
import threading
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import engine, options
from ansible_collections.certops.remediation.plugins.module_utils.digicert import (
    CONNECTION_OPTIONS,
    OVER,
    PAGE_SIZE,
    Certificate,
    DigiCertClient,
    InFlight,
    Order,
    certificate_of,
    connect,
    name_set,
    order_of,
    order_ref,
)
from ansible_collections.certops.remediation.plugins.module_utils.engine import Entry, Plan, Verdict
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthorizationError,
    BusyError,
    InputError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.parallel import each_in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.private_files import Access, read_file, write_if_different
from ansible_collections.certops.remediation.plugins.module_utils.records import Record, record_in, text_of, whole
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_action
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    checked_request,
    comparable_name,
    dns_name,
    has_client_auth,
    load_certificates,
    meant_key_sha256,
    not_after,
    public_key_sha256,
    request_pem,
)

try:
    from cryptography import x509
except ImportError:
    # Reported by main().
    pass

# What an entry of ``orders`` may have of its own.
OWN_OPTIONS: options.Spec = {
    "csr": {"type": "str"},
    "csr_path": {"type": "path"},
    "common_name": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "signature_hash": {"type": "str", "choices": ["sha256", "sha384", "sha512"]},
    "ca_cert_id": {"type": "str"},
    "validity_days": {"type": "int"},
    "expires_on": {"type": "str"},
    "server_platform": {"type": "int"},
    "profile_option": {"type": "str", "choices": ["server_auth_only_eku", "server_client_auth_eku"]},
    "comments": {"type": "str"},
    "certificate_path": {"type": "path"},
    "chain_path": {"type": "path"},
    "fullchain_path": {"type": "path"},
}
ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    options.BATCH_OPTIONS,
    options.WAIT_OPTIONS,
    OWN_OPTIONS,
    {
        "order_id": {"type": "int"},
        "orders": {"type": "list", "elements": "dict"},
        "skip_approval": {"type": "bool", "default": False},
        "approve": {"type": "bool", "default": False},
        "check_dcv": {"type": "bool", "default": False},
        "allow_revoking_previous": {"type": "bool", "default": False},
        "on_pending": {"type": "str", "choices": ["refuse", "cancel"], "default": "refuse"},
        "allow_used_key": {"type": "bool", "default": False},
        "retired_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "check_client_auth": {"type": "bool", "default": True},
        "wait_for_approval": {"type": "bool", "default": False},
    },
)

# The longest validity of a public certificate at DigiCert since 2026-02-24 (vendor page "Reissue certificate").
MAX_DAYS = 199
MAX_NAMES = 250
# Of a common name (RFC 5280, ub-common-name).
MAX_COMMON_NAME = 64
# Those that begin with the certificate are written last: what is found in them decides whether all have to be fetched again.
FILES = ("chain_path", "fullchain_path", "certificate_path")
FETCH = "fetch the certificate"
CHECK = "check the domains"
# From how many orders on the order list says more cheaply which of them have reissues and duplicates.
MANY = 20
# A reissue whose answer was lost may take DigiCert a while to show.
LATE_REISSUE_SECONDS = 30.0
# For so long what was read of an order is believed before it is reissued; one page of the order list then tells of many whether they have changed.
FRESH_SECONDS = 10.0
# Of how many rejected requests, the last ones, it is asked what they were for.
REJECTED_REQUESTS = 5
REVERSIBLE = "A pending reissue can be cancelled; once it is issued it stays. The old certificate stays valid until somebody revokes it."
IRREVERSIBLE = "Cannot be undone once it is issued: DigiCert then revokes the certificates listed within 72 hours."


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One order, and the certificate that it shall have. What is None stays as it is.

    :param key: SHA-256 of the public key of the CSR.
    """

    order_id: int
    csr: str
    key_hash: str
    common_name: str | None = None
    names: frozenset[str] | None = None
    signature_hash: str | None = None
    ca_cert_id: str | None = None
    validity: t.Mapping[str, t.Any] | None = None
    last_day: datetime.date | None = None
    server_platform: int | None = None
    profile_option: str | None = None
    comments: str | None = None
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> str:
        """An order is acted on once."""
        return str(self.order_id)

    @property
    def label(self) -> str:
        """As it is shown."""
        return str(self.order_id)


@dataclasses.dataclass(frozen=True)
class State:
    """An order as it is observed.

    :param in_flight: reissues that have been asked for and are not issued yet.
    :param today: the day of the observation, as DigiCert writes days.
    :param ca_cert_id: of the authority of the current certificate; empty where DigiCert does not tell.
    :param client_auth: the current certificate is for client authentication too; None where that was not looked at.
    :param files_right: the wanted files hold the current certificate.
    :param previous: the certificate that a reissue replaces, or is about to.
    """

    order: Order
    in_flight: tuple[InFlight, ...] = ()
    today: str = ""
    ca_cert_id: str = ""
    client_auth: bool | None = None
    files_right: bool = True
    rejected: tuple[Certificate, ...] = ()
    read: float = 0.0
    previous: Certificate | None = None

    @property
    def used(self) -> tuple[Certificate, ...]:
        """All reissues and duplicates, as far as they were read."""
        return (self.order.reissues or ()) + (self.order.duplicates or ()) + self.rejected

    @property
    def order_ended(self) -> str:
        """Why the order cannot be reissued any more; empty if it can."""
        if self.order.status in OVER:
            return f"is {self.order.status}"
        return f"ended on {self.order.valid_till}" if self.order.valid_till and self.order.valid_till[:10] < self.today else ""

    @property
    def certificate_ended(self) -> str:
        """What the current certificate is if it is not good any more; empty if it is."""
        certificate = self.order.certificate
        if certificate.status in ("revoked", "expired"):
            return certificate.status
        return "expired" if certificate.valid_till and certificate.valid_till[:10] < self.today else ""


class OrderReissue(engine.Operation[Wanted, State]):
    """What a reissue needs to know and decide."""

    name = "digicert_order_reissue"
    noun = "order"

    def __init__(self, client: DigiCertClient, params: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> None:
        self._client = client
        self._warn = warn
        self.transport = client.transport
        self.late_effect_seconds = LATE_REISSUE_SECONDS
        self._skip_approval: bool = params["skip_approval"]
        self._approve: bool = params["approve"]
        self._check_dcv: bool = params["check_dcv"]
        self._checked: set[str] = set()
        self._allow_revoking: bool = params["allow_revoking_previous"]
        self._cancel: bool = params["on_pending"] == "cancel"
        self._allow_used_key: bool = params["allow_used_key"]
        self._check_client_auth: bool = params["check_client_auth"]
        self._wait_for_approval: bool = params["wait_for_approval"]
        self._listed: dict[int, tuple[bool, bool]] | None = None
        self._followed: dict[str, State | RemediationError] = {}
        self._count = 0
        self._listing = threading.Lock()
        self._latest: dict[int, Order] = {}
        self._latest_read = 0.0

    # -- observe -------------------------------------------------------------------------------------------------------------------

    def observe(self, targets: t.Sequence[Wanted]) -> t.Sequence[State | RemediationError]:
        self._count = max(self._count, len(targets))
        if self._listed is None:
            self._listed = self._client.histories(len(targets)) if len(targets) >= MANY else {}
        return self._read(targets)

    def look_again(self, targets: t.Sequence[Wanted]) -> t.Sequence[State | RemediationError]:
        # What the list said before is not true any more.
        self._listed = {}
        return self._read(targets)

    def _read(self, targets: t.Sequence[Wanted]) -> list[State | RemediationError]:
        return each_in_parallel(self._state, targets, self.transport.settings.concurrency)

    def _state(self, target: Wanted) -> State:
        record = self._client.order(target.order_id)
        order = order_of(record)
        today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        files_right = _files_right(target, order.certificate)
        state = State(order, today=today, ca_cert_id=_ca_of(record), files_right=files_right, read=time.monotonic())
        if self._is_so(target, state):
            # Nothing else on the order matters.
            return state
        reissued, duplicated = (self._listed or {}).get(order.id, (True, order.allow_duplicates))
        order = self._client.with_history(order, reissued=reissued, duplicated=duplicated)
        if not order.certificate.serial:
            # Order info may show what is in flight; the order list then has the certificate that is issued, without its CSR.
            primary = self._client.primary(order)
            order = dataclasses.replace(primary, certificate=dataclasses.replace(primary.certificate, key=None))
        leaf = None
        if order.certificate.serial and not (order.certificate.key and order.certificate.names_shown):
            leaf = self._leaf(order.certificate)
            order = dataclasses.replace(order, certificate=_read_from(leaf, order.certificate) if leaf else order.certificate)
        in_flight = tuple(item for item in self._client.in_flight(order) if item.type == "reissue")
        files_right = _files_right(target, order.certificate)
        state = dataclasses.replace(state, order=order, in_flight=in_flight, rejected=self._rejected(order), files_right=files_right)
        if order.certificate.serial and not self._is_so(target, state):
            state = dataclasses.replace(state, previous=order.certificate)
        plan = self.plan(target, state)
        if self._check_client_auth and plan.outcome == engine.PLANNED and plan.reversible and target.profile_option != "server_client_auth_eku":
            leaf = leaf or self._leaf(order.certificate)
            state = dataclasses.replace(state, client_auth=has_client_auth(leaf) if leaf else None)
        return state

    def _rejected(self, order: Order) -> tuple[Certificate, ...]:
        """The certificates of reissues that an approver has rejected. Whether the list of reissues has them is not documented."""
        rejected = [item for item in order.requests if item.type == "reissue" and item.status == "rejected"][-REJECTED_REQUESTS:]
        asked = [(item, record_in(record_in(self._client.request(item.id), "order"), "certificate")) for item in rejected]
        return tuple(dataclasses.replace(certificate_of(record), id=-item.id, status="rejected", serial="", created=item.date) for item, record in asked)

    def _leaf(self, certificate: Certificate) -> x509.Certificate | None:
        """A certificate as it is downloaded; None where it cannot be looked at, or DigiCert hands out another one."""
        try:
            downloaded = load_certificates("certificate", "".join(self._client.chain(certificate.id)).encode())
            return next((item for item in downloaded if item.serial_number == int(certificate.serial, 16)), None)
        except InputError:
            return None
        except RemediationError as error:
            if error.fatal:
                raise
            return None

    def poll(self, targets: t.Sequence[Wanted]) -> t.Sequence[State | RemediationError]:
        """Many orders are watched through the order list, a thousand in a request; each is read once at first, and again when it is not pending any more."""
        if len(targets) < MANY:
            return self._read(targets)
        items, dummy = self._client.orders([("status", "reissue_pending")])
        pending = {whole(item, "id") for item in items if text_of(item, "status") == "reissue_pending"}
        moved = [target for target in targets if target.order_id not in pending or not isinstance(self._followed.get(target.key), State)]
        self._followed.update(zip((target.key for target in moved), self._read(moved)))
        return [self._followed[target.key] for target in targets]

    def identity(self, state: State) -> str:
        return str(state.order.id)

    def describe(self, state: State) -> engine.Values:
        order, old = state.order, state.previous
        shown: dict[str, t.Any] = {"order_id": order.id, "order_status": order.status, "product": order.product, "certificate_id": order.certificate.id or None}
        shown["previous"] = old and {"order_id": order.id, "certificate_id": old.id, "serial": old.serial, "thumbprint": old.thumbprint or None}
        waiting = [item.request.id for item in state.in_flight if item.request]
        return {**shown, "approval_request_id": waiting[0]} if waiting else shown

    # -- plan ----------------------------------------------------------------------------------------------------------------------

    def _is_so(self, target: Wanted, state: State) -> bool:
        """Whether the order's certificate has the wanted key and names, and is good."""
        certificate = state.order.certificate
        common_name, names = _names(target, state)
        found = (certificate.key, certificate.common_name, certificate.names)
        return bool(certificate.serial) and found == (target.key_hash, common_name, names) and not state.certificate_ended

    def _ours(self, target: Wanted, state: State) -> InFlight | None:
        """The reissue in flight that is the wanted one."""
        dummy, names = _names(target, state)
        return next((item for item in state.in_flight if item.key == target.key_hash and item.names in (names, frozenset())), None)

    def plan(self, target: Wanted, state: State) -> Plan:
        order, certificate = state.order, state.order.certificate
        before = _shown(state)

        def keep(outcome: str, message: str) -> Plan:
            return Plan(outcome, message, before=before, after=before)

        if state.order_ended:
            return keep(engine.REFUSED, f"the order {state.order_ended} and cannot be reissued; order a new certificate")
        if not certificate.serial:
            first = "its first certificate has not been issued; finish or cancel that first"
            return keep(engine.REFUSED, f"the order is {order.status or 'in no known state'}: {first}")
        if self._is_so(target, state):
            if not state.files_right:
                return Plan(engine.PLANNED, "is issued with this key already; would write its files", FETCH, before, before)
            ignored = _ignored(target, certificate.signature_hash, state.ca_cert_id, certificate.valid_from, certificate.valid_till)
            return keep(engine.UNCHANGED, "; ".join(["is issued with this key and these names already", *ignored]))
        ours = self._ours(target, state)
        if ours and ours.request and self._approve:
            action = f"approve request {ours.request.id}"
            return Plan(engine.PLANNED, f"its reissue with this key {ours.waits}, {ours.asked_for}; would {action}", action, before, before)
        if ours and not ours.request and self._check_dcv:
            message = f"its reissue with this key {ours.waits}, {ours.asked_for}; not asked for again, but DigiCert would be asked to {CHECK} now"
            return Plan(engine.PLANNED, message, CHECK, before, before, probe=True, idle=engine.PENDING)
        if ours:
            return keep(engine.PENDING, f"its reissue with this key {ours.waits}, {ours.asked_for}; not asked for again")
        if any(item.key is None for item in state.in_flight):
            other = next(item for item in state.in_flight if item.key is None)
            known = order.status in ("issued", "reissue_pending")
            what = f"a reissue of order {order.id} is pending {other.asked_for} and {other.waits}"
            what = what if known else f"order {order.id} is {order.status or 'in no status'}, which may mean that a reissue is pending"
            why = "DigiCert does not show its CSR, so it may be this very one, asked for a moment ago, and is neither asked for again nor cancelled"
            remedy = f"run the task again in a few minutes; if it is still so, look at order {order.id} in CertCentral, and cancel its reissue there"
            return keep(engine.REFUSED, f"{what}. {why}: {remedy} unless it is wanted")
        if state.in_flight and not self._cancel:
            other = state.in_flight[0]
            own = "; DigiCert itself may have asked for it (auto_reissue is on)" if order.auto_reissue else ""
            remedy = "wait for it, cancel it in CertCentral, or set on_pending=cancel"
            return keep(engine.REFUSED, f"a reissue with another key or other names is pending {other.asked_for} and {other.waits}{own}; {remedy}")
        if certificate.key == target.key_hash and state.certificate_ended:
            return keep(engine.REFUSED, f"the certificate of this key is {state.certificate_ended}; make a new key")
        before_us = [item for item in state.used if item.key == target.key_hash and item.id != certificate.id and not item.is_open]
        if before_us and certificate.key != target.key_hash and not self._allow_used_key:
            used = before_us[0]
            became = "was rejected" if used.status == "rejected" else "is not the current one: somebody has reissued the order since"
            return keep(engine.REFUSED, f"a reissue of {used.created} with this key {became}; make a new key, or set allow_used_key=true")
        common_name, names = _names(target, state)
        if not common_name or not (certificate.names_shown or self._allow_revoking):
            remedy = "" if common_name else "give common_name" if target.names is not None else "give common_name and names"
            remedy = remedy or "look at the order in CertCentral, give all names, and set allow_revoking_previous=true"
            return keep(engine.REFUSED, f"DigiCert does not show the names of its certificate, and a reissue without one of them would revoke it; {remedy}")
        if not (certificate.key or self._allow_used_key):
            return keep(engine.REFUSED, "DigiCert does not show the key of its certificate, so it may have this one already; run the task again later")
        dropped = certificate.names - names
        doomed = _doomed(state) if dropped or common_name != certificate.common_name else []
        if doomed and not self._allow_revoking:
            what = f"would drop {', '.join(sorted(dropped))}" if dropped else "would change the common name"
            return keep(
                engine.REFUSED,
                f"{what}, so that DigiCert revokes {len(doomed)} certificates of the order within 72 hours ({', '.join(doomed[:3])}); keep the names, or set "
                "allow_revoking_previous=true",
            )
        action = f"reissue for key {target.key_hash[:16]}"
        action += f", adding {', '.join(sorted(names - certificate.names))}" if names - certificate.names else ""
        action += f", dropping {', '.join(sorted(dropped))}" if dropped else ""
        action += f", common name {common_name}" if common_name != certificate.common_name else ""
        wishes = {name: getattr(target, name) for name in ("signature_hash", "ca_cert_id", "profile_option", "validity")}
        action += "".join(f", {name} {value if isinstance(value, str) else ' '.join(map(str, value.values()))}" for name, value in wishes.items() if value)
        after = {**before, "serial": "new", "public_key_sha256": target.key_hash, "common_name": common_name, "names": sorted(names)}
        cancelled = "".join(f"cancel the reissue that is pending {item.asked_for}, and " for item in state.in_flight)
        return Plan(
            engine.PLANNED,
            f"would {cancelled}{action}" + "".join(f"; {loss}" for loss in self._losses(target, state, dropped)),
            ("cancel and " if state.in_flight else "") + action,
            before,
            {**after, "valid_till": "new", "revoked_within_72_hours": doomed},
            IRREVERSIBLE if doomed else REVERSIBLE,
        )

    def _losses(self, target: Wanted, state: State, dropped: frozenset[str]) -> list[str]:
        """What the new certificate would not have any more."""
        till = state.order.certificate.valid_till[:10]
        losses = []
        if any(name.startswith("*.") for name in dropped):
            losses.append("a wildcard would be lost")
        longest = (datetime.date.fromisoformat(state.today) + datetime.timedelta(days=MAX_DAYS)).isoformat()
        expected = min(filter(None, (longest, state.order.valid_till[:10])))
        if till and expected < till:
            losses.append(f"it would be valid till {expected} at most, the current one is till {till}")
        if state.client_auth:
            losses.append("the current certificate is for client authentication too, which the new one would not be (profile_option)")
        return losses

    # -- apply ---------------------------------------------------------------------------------------------------------------------

    def apply(self, entries: t.Sequence[Entry[Wanted, State]]) -> t.Sequence[Verdict]:
        return [self._apply(entry) for entry in entries]

    def _apply(self, entry: Entry[Wanted, State]) -> Verdict:
        target, state = entry.target, _observed(entry)
        if entry.plan.action == FETCH:
            try:
                return self._fetched(entry, state.order.certificate, "is issued with this key already", state.ca_cert_id)
            except AnswerLostError as lost:
                # Nothing was asked for that could have had an effect.
                raise VendorError(lost.message, status=lost.status) from None
        ours = self._ours(target, state)
        if ours and ours.request:
            return self._approved(entry, ours.request.id, "its reissue", {})
        if ours:
            waiting = f"its reissue with this key {ours.waits}, {ours.asked_for}; not asked for again"
            return self._with_check(entry, Verdict(engine.PENDING, waiting, changed=False))
        self._look_once_more(target, state)
        if state.in_flight:
            unknown = self._cancelled(entry)
            if unknown:
                return unknown
        try:
            answer = self._client.reissue(target.order_id, _body(target, state, self._skip_approval))
        except AnswerLostError:
            raise
        except RemediationError as error:
            if isinstance(error, AuthorizationError) and self._skip_approval:
                error.message += ", and without the rights of an administrator some keys may not use skip_approval"
            done = None if isinstance(error, BusyError) else self._done_all_the_same(entry, error)
            if done:
                return done
            if not state.in_flight:
                raise
            message = f"the pending reissue was cancelled, but no other one asked for ({error.message}); run the task again"
            return Verdict(engine.FAILED, message, changed=True, error=error)
        vendor: dict[str, t.Any] = {"order_status": "reissue_pending"}
        if answer.dcv_random_value:
            vendor["dcv_random_value"] = answer.dcv_random_value
        if answer.chain:
            try:
                return self._issued(entry, answer.certificate_id or 0, answer.chain, "issued")
            except BusyError as wrong:
                return Verdict(engine.PENDING, f"issued, but {wrong.message}", vendor={"certificate_id": answer.certificate_id})
        if answer.requests:
            if self._approve:
                return self._approved(entry, answer.requests[0], "asked for", vendor)
            waits = f"asked for; waits for the approval of request {answer.requests[0]}, unless the account approves by itself"
            return Verdict(engine.PENDING, waits, vendor={**vendor, "approval_request_id": answer.requests[0]})
        if not answer.certificate_id:
            raise AnswerLostError(f"DigiCert accepted the reissue of order {target.order_id} without saying what became of it")
        what = "waits for the validation of its domains" if answer.dcv_random_value else "waits for validation or issue"
        return self._with_check(entry, Verdict(engine.PENDING, f"asked for; {what}", vendor={**vendor, "certificate_id": answer.certificate_id}))

    def _look_once_more(self, target: Wanted, state: State) -> None:
        """Somebody else may have reissued the order since it was read, which in a long list is minutes ago.

        :raises BusyError: it has changed and must be planned again.
        """
        if time.monotonic() - state.read < FRESH_SECONDS:
            return
        now, then = self._shown_now(target.order_id), state.order
        another = now.certificate.serial and then.certificate.serial and now.certificate.serial != then.certificate.serial
        if another or now.status != then.status:
            raise BusyError(f"order {target.order_id} has changed since it was planned")

    def _shown_now(self, number: int) -> Order:
        """An order by the order list, when there are many: read again now and then, one request for a thousand of them."""
        if self._count >= MANY:
            with self._listing:
                if time.monotonic() - self._latest_read > FRESH_SECONDS * max(1, len(self._latest) / PAGE_SIZE):
                    items, dummy = self._client.orders([], limit=PAGE_SIZE * self._count)
                    self._latest, self._latest_read = {whole(item, "id"): order_of(item) for item in items}, time.monotonic()
                if number in self._latest:
                    return self._latest[number]
        return order_of(self._client.order(number))

    def _done_all_the_same(self, entry: Entry[Wanted, State], error: RemediationError) -> Verdict | None:
        """What DigiCert refuses with is documented in part only, and a gateway may answer for it: the order itself tells."""
        if self._listed:
            self._listed.pop(entry.target.order_id, None)
        try:
            return self._seen(entry, self._state(entry.target), f", although the answer was: {error.detail or error.message}")
        except RemediationError:
            return None

    def _cancelled(self, entry: Entry[Wanted, State]) -> Verdict | None:
        """Cancel what is pending; the verdict if it is not known whether that was done."""
        target, state = entry.target, _observed(entry)
        try:
            self._client.cancel(target.order_id, "Replaced by another reissue: " + (target.comments or "certops.remediation"))
        except AnswerLostError as lost:
            try:
                seen = self._state(target)
            except RemediationError:
                seen = state
            if seen.in_flight or seen.order.certificate.id != state.order.certificate.id:
                # A cancellation that comes late would hit the next reissue.
                return Verdict(engine.UNKNOWN, f"{lost.message}. Nothing was reissued; run the task again to go on", error=lost)
        return None

    def _approved(self, entry: Entry[Wanted, State], request: int, done: str, vendor: dict[str, t.Any]) -> Verdict:
        vendor = {**vendor, "approval_request_id": request}
        try:
            self._client.approve(request, entry.target.comments or "certops.remediation")
        except RemediationError as error:
            # Where nothing was asked for before, nothing has changed.
            changed = done == "asked for" or isinstance(error, AnswerLostError)
            message = f"{done}; waits for the approval of request {request}, because it could not be approved: {error.message}"
            return Verdict(engine.PENDING, message, changed=changed, vendor=vendor, error=error)
        approved = Verdict(engine.PENDING, f"{done} is approved (request {request}); waits for validation or issue", vendor=vendor)
        return self._with_check(entry, approved)

    def _with_check(self, entry: Entry[Wanted, State], verdict: Verdict) -> Verdict:
        """What waits for the validation of domains or for the issue, after DigiCert has looked at the domains, once in a run."""
        target = entry.target
        if not self._check_dcv or target.key in self._checked:
            return verdict
        self._checked.add(target.key)
        found: dict[str, t.Any] = {"status": None, "not_valid": {}, "code": None, "message": None}
        try:
            validation = self._client.check_dcv(target.order_id)
            found.update(status=validation.status or None, not_valid=dict(validation.not_valid))
            missing = ", ".join(f"{name} ({status})" for name, status in validation.not_valid)
            told = f"not valid are {missing}" if missing else f"they are {validation.status or 'of unknown status'}"
            ended = self._ended(entry, self._state(target), "") if validation.order_status == "issued" else None
            if ended:
                return dataclasses.replace(ended, vendor={**verdict.vendor, **ended.vendor, "validation": found})
        except RemediationError as error:
            # The reissue was asked for all the same.
            found.update(code=error.code, message=error.detail or error.message)
            told = str(found["message"])
        message = f"{verdict.message}; the check of the domains says: {told}"
        return dataclasses.replace(verdict, message=message, vendor={**verdict.vendor, "validation": found})

    def _issued(self, entry: Entry[Wanted, State], number: int, chain: t.Sequence[str], done: str, *, serial: str = "", ca_cert_id: str = "") -> Verdict:
        """Look at what DigiCert hands out before anything is said or written: it may be another certificate of the order (a client works around that).

        :param serial: what its serial number must be, where that is known.
        :raises BusyError: it is another one, and has to be fetched again.
        """
        target = entry.target
        common_name, names = _names(target, _observed(entry))
        try:
            chain, leaf = _leaf_first(chain, target.key_hash)
            found = frozenset(name.partition(":")[2] for name in alternative_names(leaf))
        except (InputError, ValueError):
            raise BusyError("what DigiCert hands out is no certificate; it has to be fetched again") from None
        if public_key_sha256(leaf) != target.key_hash or not names <= found or (serial and leaf.serial_number != int(serial, 16)):
            raise BusyError("DigiCert hands out another certificate; it has to be fetched again")
        self._warn_of_ignored(target, leaf, ca_cert_id)
        till = not_after(leaf).strftime("%Y-%m-%d")
        after = {**_shown(_observed(entry)), "serial": f"{leaf.serial_number:032X}", "public_key_sha256": target.key_hash, "valid_till": till}
        after.update(common_name=common_name, names=sorted(names), revoked_within_72_hours=entry.plan.after.get("revoked_within_72_hours", []))
        written: list[str] = []
        vendor: dict[str, t.Any] = {"certificate_id": number or None, "order_status": "issued", "written": written}
        try:
            _write(target, chain, written)
        except OSError as exc:
            error = VendorError(f"the certificate of order {target.order_id} is issued, but cannot be written ({exc.strerror}); run the task again to fetch it")
            return Verdict(engine.FAILED, error.message, after, changed=entry.plan.action != FETCH or bool(written), vendor=vendor, error=error)
        return Verdict(engine.APPLIED, f"{done}; valid till {till}" + (f"; written to {', '.join(written)}" if written else ""), after, vendor=vendor)

    def _warn_of_ignored(self, target: Wanted, leaf: x509.Certificate, ca_cert_id: str) -> None:
        """Say what DigiCert has ignored. That never leads to another reissue: it would be ignored again."""
        if target.ca_cert_id and not ca_cert_id:
            try:
                ca_cert_id = _ca_of(self._client.order(target.order_id))
            except RemediationError:
                # It is issued all the same.
                pass
        used = leaf.signature_hash_algorithm
        ignored = _ignored(target, used.name if used else "", ca_cert_id, _first_day(leaf), not_after(leaf).strftime("%Y-%m-%d"))
        if target.profile_option == "server_client_auth_eku" and not has_client_auth(leaf):
            ignored.append("not for client authentication, although profile_option asked for it")
        if ignored:
            self._warn(f"order {target.order_id}: the new certificate is {', '.join(ignored)}; DigiCert has ignored that")

    def _fetched(self, entry: Entry[Wanted, State], certificate: Certificate, done: str, ca_cert_id: str = "") -> Verdict:
        chain = self._client.chain(certificate.id)
        return self._issued(entry, certificate.id, chain, done, serial=certificate.serial, ca_cert_id=ca_cert_id)

    # -- resolve and settle --------------------------------------------------------------------------------------------------------

    def _ended(self, entry: Entry[Wanted, State], state: State, note: str) -> Verdict | None:
        """How the reissue has ended, if it has."""
        target = entry.target
        if self._is_so(target, state):
            return self._safely_fetched(entry, state.order.certificate, f"issued{note}")
        known = {item.id for item in _observed(entry).used if not item.is_open}
        new = [item for item in state.used if item.key == target.key_hash and item.id not in known and not item.is_open]
        if new and new[-1].status == "rejected":
            return Verdict(engine.FAILED, f"its reissue was rejected or cancelled{note}", changed=True, vendor={"order_status": state.order.status})
        if new and new[-1].serial and new[-1].id != state.order.certificate.id:
            return self._safely_fetched(entry, new[-1], f"issued{note}, but somebody has reissued the order since")
        return None

    def _seen(self, entry: Entry[Wanted, State], state: State, note: str) -> Verdict | None:
        """What shows of the reissue in the order; None if nothing does."""
        ours = self._ours(entry.target, state)
        pending = Verdict(engine.PENDING, f"asked for{note}; {ours.waits}", vendor=self.describe(state)) if ours else None
        return self._ended(entry, state, note) or pending

    def resolve(self, entry: Entry[Wanted, State], state: State) -> Verdict:
        seen = self._seen(entry, state, " (the answer was lost)")
        if seen:
            return seen
        message = "the answer to the reissue was lost, and the order does not show it; it is not asked for again in this run"
        return Verdict(engine.UNKNOWN, f"{message}. Run the task again: it looks first", _shown(state), error=entry.lost)

    def _safely_fetched(self, entry: Entry[Wanted, State], certificate: Certificate, done: str) -> Verdict:
        try:
            return self._fetched(entry, certificate, done)
        except RemediationError as error:
            return Verdict(engine.PENDING, f"{done}, but it cannot be downloaded: {error.message}", vendor={"certificate_id": certificate.id}, error=error)

    def settle(self, entry: Entry[Wanted, State], state: State) -> Verdict:
        verdict = self._ended(entry, state, "") or self._still_waits(entry, state)
        # A file that was written is a change, whoever asked for the reissue.
        return dataclasses.replace(verdict, changed=bool(verdict.vendor.get("written")))

    def _still_waits(self, entry: Entry[Wanted, State], state: State) -> Verdict:
        ours = self._ours(entry.target, state)
        if not ours:
            return Verdict(engine.PENDING, "its reissue does not show in the order yet")
        if not ours.request:
            return self._with_check(entry, Verdict(engine.PENDING, f"its reissue {ours.waits}"))
        whose = "somebody has to approve or reject it in CertCentral"
        return Verdict(engine.PENDING, f"its reissue {ours.waits}; {whose}", final=not self._wait_for_approval)


def _leaf_first(chain: t.Sequence[str], key: str) -> tuple[list[str], x509.Certificate]:
    """A chain from the leaf to the root, whichever way round it was handed out, and its leaf.

    :raises InputError: something in it is no certificate.
    """
    certificates = [load_certificates("certificate", text.encode())[0] for text in chain or [""]]
    if public_key_sha256(certificates[0]) != key and public_key_sha256(certificates[-1]) == key:
        return list(chain)[::-1], certificates[-1]
    return list(chain), certificates[0]


def _read_from(leaf: x509.Certificate, certificate: Certificate) -> Certificate:
    """What DigiCert does not show of a certificate, from the certificate itself."""
    common_names = [str(item.value) for item in leaf.subject if item.oid.dotted_string == "2.5.4.3"]
    common_name = certificate.common_name or comparable_name(common_names[0] if common_names else "")
    try:
        names = name_set(common_name, [name[len("DNS:") :] for name in alternative_names(leaf) if name.startswith("DNS:")])
    except ValueError:
        return dataclasses.replace(certificate, key=public_key_sha256(leaf))
    names |= certificate.names
    return dataclasses.replace(certificate, key=public_key_sha256(leaf), common_name=common_name, names=names, names_shown=bool(common_name))


def _observed(entry: Entry[Wanted, State]) -> State:
    if entry.state is None:
        raise ValueError("a step was planned for an order that was not observed")
    return entry.state


def _names(target: Wanted, state: State) -> tuple[str, frozenset[str]]:
    """The wanted common name, and all wanted names with it."""
    certificate = state.order.certificate
    common_name = target.common_name or certificate.common_name
    others = target.names if target.names is not None else certificate.names - ({certificate.common_name} if target.common_name else set())
    return common_name, others | {common_name}


def _shown(state: State) -> dict[str, t.Any]:
    certificate = state.order.certificate
    return {
        "serial": certificate.serial or None,
        "public_key_sha256": certificate.key,
        "common_name": certificate.common_name,
        "names": sorted(certificate.names),
        "valid_till": certificate.valid_till or None,
        "revoked_within_72_hours": [],
    }


def _doomed(state: State) -> list[str]:
    """The serial numbers of what DigiCert revokes when a name is dropped: the current certificate and all reissues and duplicates before."""
    over = ("rejected", "revoked", "canceled", "denied")
    issued = [item for item in (state.order.certificate, *state.used) if not item.is_open and item.status not in over]
    return list(dict.fromkeys(item.serial or f"certificate {item.id}" for item in issued))


def _ca_of(record: Record) -> str:
    return text_of(record_in(record_in(record, "certificate"), "ca_cert"), "id")


def _first_day(certificate: x509.Certificate) -> str:
    # cryptography before 42 has only the one without a time zone, which is UTC.
    return (certificate.not_valid_before_utc if hasattr(certificate, "not_valid_before_utc") else certificate.not_valid_before).strftime("%Y-%m-%d")


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _ignored(target: Wanted, signature_hash: str, ca_cert_id: str, begin: str, end: str) -> list[str]:
    """What a certificate is otherwise than wished for, of what DigiCert may ignore silently. Empty facts are not known."""
    told = []
    if target.signature_hash and signature_hash not in ("", target.signature_hash):
        told.append(f"signed with {signature_hash} instead of {target.signature_hash}")
    if target.ca_cert_id and ca_cert_id and ca_cert_id.lower() != target.ca_cert_id.lower():
        told.append(f"from the authority {ca_cert_id} instead of {target.ca_cert_id}")
    first, last = _day(begin), _day(end)
    if target.validity and first and last:
        wished = target.last_day or first + datetime.timedelta(days=target.validity["days"])
        # Whether the first and the last day count is a matter of a day.
        if abs((last - wished).days) > 1:
            told.append(f"valid till {last} instead of {wished}")
    return told


def _body(target: Wanted, state: State, skip_approval: bool) -> dict[str, t.Any]:
    """The request (vendor page "Reissue certificate")."""
    common_name, names = _names(target, state)
    certificate: dict[str, t.Any] = {
        "common_name": common_name,
        "dns_names": sorted(names),
        "csr": target.csr,
        "signature_hash": target.signature_hash or state.order.certificate.signature_hash or "sha256",
        "server_platform": {"id": -1 if target.server_platform is None else target.server_platform},
    }
    if target.ca_cert_id:
        certificate["ca_cert_id"] = target.ca_cert_id
    if target.validity:
        certificate["cert_validity"] = dict(target.validity)
    if target.profile_option:
        certificate["profile_option"] = target.profile_option
    body: dict[str, t.Any] = {"certificate": certificate, "skip_approval": skip_approval}
    if target.comments:
        body["comments"] = target.comments
    return body


def _contents(target: Wanted, chain: t.Sequence[str]) -> dict[str, str]:
    texts = {"certificate_path": chain[0], "chain_path": "".join(chain[1:]), "fullchain_path": "".join(chain)}
    return {path: texts[option] for option, path in target.files.items()}


def _write(target: Wanted, chain: t.Sequence[str], written: list[str]) -> None:
    """Write what has changed.

    :param written: the files that were written, also if another one cannot be.
    :raises OSError: one cannot be written.
    """
    for path, text in _contents(target, chain).items():
        if write_if_different(path, text.encode(), Access(0o644)):
            written.append(path)


def _files_right(target: Wanted, certificate: Certificate) -> bool:
    """Whether the files hold the current certificate, or are there at all where they hold only its chain."""
    try:
        for option, path in target.files.items():
            content = (read_file(path) or (b"",))[0]
            if not content or (option != "chain_path" and load_certificates(option, content)[0].serial_number != int(certificate.serial or "0", 16)):
                return False
    except (OSError, InputError, ValueError):
        return False
    return True


# -- input -------------------------------------------------------------------------------------------------------------------------------


def wanted_of(option: str, given: t.Mapping[str, t.Any], retired: frozenset[str]) -> Wanted:
    """A target from checked types.

    :raises InputError: something in it cannot work.
    """
    if bool(given.get("csr")) == bool(given.get("csr_path")):
        raise InputError(f"{option}.csr, csr_path", "exactly one of the two is needed (in check mode, certificate_request makes none)")
    csr, key = checked_request(f"{option}.csr", given["csr"].encode() if given.get("csr") else options.read_file(f"{option}.csr_path", given["csr_path"]))
    if key in retired:
        raise InputError(f"{option}.csr", "its key is one of retired_keys; make a new one")
    common_name = _name(f"{option}.common_name", given["common_name"]) if given.get("common_name") else None
    if common_name and len(common_name) > MAX_COMMON_NAME:
        raise InputError(f"{option}.common_name", f"is longer than the {MAX_COMMON_NAME} characters of a common name")
    names = [_name(f"{option}.names", name) for name in given["names"]] if given.get("names") is not None else None
    if names is not None and len(names) != len(set(names)):
        raise InputError(f"{option}.names", "holds a name twice")
    count = len({*(names or ()), *([common_name] if common_name else [])})
    if count > MAX_NAMES:
        raise InputError(f"{option}.names", f"{count} names are more than a certificate can carry ({MAX_NAMES})")
    validity, last_day = _validity(option, given)
    paths = {name: os.path.abspath(given[name]) for name in FILES if given.get(name)}
    for name, path in paths.items():
        if not os.path.isdir(os.path.dirname(path)) or os.path.isdir(path):
            raise InputError(f"{option}.{name}", f"{path!r} is a folder, or in none that exists")
    if len(set(paths.values())) != len(paths):
        raise InputError(f"{option}.{', '.join(paths)}", "give each a file of its own")
    return Wanted(
        order_id=order_ref(f"{option}.order_id", given.get("order_id")),
        csr=request_pem(csr),
        key_hash=key,
        common_name=common_name,
        names=None if names is None else frozenset(names),
        validity=validity,
        last_day=last_day,
        files=paths,
        **{name: given.get(name) for name in ("signature_hash", "ca_cert_id", "server_platform", "profile_option", "comments")},
    )


def _name(option: str, text: str) -> str:
    # Whether an underscore is allowed depends on the product.
    name = dns_name(option, text, allow_underscores=True)
    if "." not in name.replace("*.", ""):
        raise InputError(option, f"{printable(text, 80)!r} is no complete DNS name")
    return name


def _validity(option: str, given: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any] | None, datetime.date | None]:
    """As DigiCert wants it, and the last day if that is the wish."""
    days, last = given.get("validity_days"), given.get("expires_on")
    if days is not None and last:
        raise InputError(f"{option}.validity_days, expires_on", "give one of the two")
    if days is not None:
        options.check_range({f"{option}.validity_days": days}, f"{option}.validity_days", 1, 1200)
        return {"days": days}, None
    if not last:
        return None, None
    try:
        day = datetime.datetime.strptime(last.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise InputError(f"{option}.expires_on", f"{printable(last, 40)!r} is not a date; write 2026-11-30") from None
    if day <= datetime.datetime.now(datetime.timezone.utc).date():
        raise InputError(f"{option}.expires_on", f"{day} is over")
    # The month by its English name, whatever the locale (vendor page "Reissue certificate": 09 JUN 2021).
    month = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()[day.month - 1]
    return {"custom_expiration_date": f"{day.day:02} {month} {day.year}"}, day


def _entry(option: str, given: t.Mapping[str, t.Any], common: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """An entry over the common options; its values have the types of the options of the same name.

    :raises InputError: one has another type.
    """
    merged = dict(common)
    for alternatives in (("csr", "csr_path"), ("validity_days", "expires_on")):
        if any(given.get(name) for name in alternatives):
            merged.update(dict.fromkeys(alternatives))
    for name, spec in OWN_OPTIONS.items():
        value: t.Any = given.get(name)
        if value in (None, ""):
            continue
        kind: t.Any = {"int": int, "list": list}.get(spec["type"], str)
        if kind is int and isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            value = int(value)
        if not isinstance(value, kind) or isinstance(value, bool) or (kind is list and not all(isinstance(item, str) for item in value)):
            raise InputError(f"{option}.{name}", f"must be a {'list of texts' if kind is list else 'number' if kind is int else 'text'}")
        if spec.get("choices") and value not in spec["choices"]:
            raise InputError(f"{option}.{name}", f"{printable(str(value), 40)!r} is not one of {', '.join(spec['choices'])}")
        merged[name] = options.expanded_path(value) if spec["type"] == "path" else value
    return {**merged, "order_id": order_ref(option, given)}


def targets_of(params: t.Mapping[str, t.Any]) -> list[Wanted]:
    """What is wanted, order by order.

    :raises InputError: an option cannot work.
    """
    if (params.get("order_id") is None) == (params.get("orders") is None):
        raise InputError("order_id, orders", "exactly one of the two is needed")
    retired = frozenset(meant_key_sha256("retired_keys", text) for text in params["retired_keys"])
    common = {name: params.get(name) for name in OWN_OPTIONS}
    if params.get("orders") is None:
        return [wanted_of("order", {**common, "order_id": params["order_id"]}, retired)]
    shared = [name for name in FILES if common[name] and len(params["orders"]) > 1]
    if shared:
        raise InputError(", ".join(shared), "names one file for several orders; give it in each entry of orders")
    targets = [wanted_of(f"orders[{index}]", _entry(f"orders[{index}]", entry, common), retired) for index, entry in enumerate(params["orders"])]
    by_order: dict[int, Wanted] = {}
    by_path: dict[str, int] = {}
    for index, target in enumerate(targets):
        if by_order.setdefault(target.order_id, target) != target:
            raise InputError(f"orders[{index}]", f"order {target.order_id} is listed twice with different wishes")
        for path in target.files.values():
            if by_path.setdefault(path, target.order_id) != target.order_id:
                raise InputError(f"orders[{index}]", f"{path!r} is a file of order {by_path[path]} already")
    return targets


def build(task: Task) -> tuple[OrderReissue, list[Wanted]]:
    """The operation and its targets from the options.

    :raises InputError: an option cannot work.
    """
    targets = targets_of(task.params)
    client = connect(task.params, read_only=task.check_mode, secrets=task.secrets, warn=task.warn)
    return OrderReissue(client, task.params, task.warn), targets


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_action(module, ARGUMENT_SPEC, build)


if __name__ == "__main__":
    main()
