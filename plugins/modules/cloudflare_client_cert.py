#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_client_cert
short_description: Create, revoke and reactivate mTLS client certificates of Cloudflare API Shield
version_added: 0.3.0
author:
  - certops.remediation contributors (@certops)
description:
  - Sees to it that client certificates of a Cloudflare zone exist, are revoked, or are active again, one or thousands of them.
  - Cloudflare makes another certificate each time it is given the same CSR, and its own clients repeat the request when an answer is lost. This
    module recognises a certificate by the public key of its CSR and asks for it once.
  - All certificates are read and planned before the first one is changed. If any of them cannot be acted on, none is, unless
    O(continue_on_error=true).
  - A certificate that Cloudflare is revoking or reactivating is C(pending), until it shows it as revoked or active.
  - Revoking alone keeps nobody out. A WAF custom rule of the zone has to block what is revoked;
    M(certops.remediation.cloudflare_client_cert_info) tells whether there is one.
options:
  state:
    description:
      - With V(present), a certificate for the key of the CSR is there and active. One that was revoked before does not count, and another one is
        created.
      - With V(active), the named certificates are active. Those that are being revoked, or are revoked, are reactivated. Cloudflare's reference
        knows this while a certificate is being revoked, its guide at any time; whatever it answers is told.
      - With V(revoked), the named certificates are revoked. Nothing is ever removed at Cloudflare.
    type: str
    choices: [present, active, revoked]
    default: present
  certificates:
    description:
      - The certificates to revoke or reactivate. Each is an id, a SHA-256 fingerprint, a serial number in hexadecimal or decimal, a certificate or CSR
        in PEM, or a mapping with one of V(id), V(fingerprint_sha256), V(serial_number), V(csr) and V(csr_path), of which the first one counts.
      - So the RV(certops.remediation.cloudflare_client_cert_info#module:certificates) of M(certops.remediation.cloudflare_client_cert_info) can be given
        as it is.
      - An empty list is fine and changes nothing. What is listed twice is acted on once.
      - For O(state=active) and O(state=revoked), exactly one of O(certificates), O(csr) and O(csr_path) is needed.
    type: list
    elements: raw
  requests:
    description:
      - For O(state=present), many certificates, each a mapping with its own V(csr) or V(csr_path). It may also hold O(validity_days),
        O(certificate_path) and O(chain_path), which win over the common options. Other keys are ignored, so the
        RV(certops.remediation.certificate_request#module:requests) of M(certops.remediation.certificate_request) can be given as it is.
      - An empty list is fine and changes nothing.
      - For O(state=present), exactly one of O(requests), O(csr) and O(csr_path) is needed.
    type: list
    elements: dict
  csr:
    description:
      - A certificate signing request in PEM. The module never makes a key.
      - With O(state=active) and O(state=revoked), it names the certificates of its key.
    type: str
  csr_path:
    description:
      - A file with the certificate signing request.
    type: path
  validity_days:
    description:
      - For how many days a new certificate is valid. Needed for O(state=present). Cloudflare does not document its limits; 1 to 3650 has been seen.
      - A certificate that is there already keeps its validity.
    type: int
  renew_before_days:
    description:
      - With O(state=present), a certificate that ends within this number of days does not count, and another one is created beside it.
    type: int
    default: 0
  on_pending_revocation:
    description:
      - With O(state=present), what to do if the only certificate of the key is just being revoked. Somebody may have had a reason.
      - With V(refuse), nothing; with V(reactivate), that one is reactivated; with V(create), another one is created.
    type: str
    choices: [refuse, reactivate, create]
    default: refuse
  retired_keys:
    description:
      - Keys that must not be used, because they are compromised. Each is the SHA-256 of a public key in hexadecimal, or a certificate, CSR or
        public key in PEM. With O(state=present) a CSR, and with O(state=active) a certificate, with one of them is refused.
    type: list
    elements: str
    default: []
  several:
    description:
      - With O(state=revoked), what to do if a CSR names several certificates that are good. With V(refuse), they are listed and left alone; with
        V(all), all of them are revoked, as is right for a leaked key.
    type: str
    choices: [refuse, all]
    default: refuse
  not_found:
    description:
      - With O(state=revoked), what to do about a certificate that the zone does not have. It may be another zone's and still good, or so new that
        Cloudflare does not list it yet, so V(fail) is right unless that is known; with V(ignore), it counts as unchanged.
    type: str
    choices: [fail, ignore]
    default: fail
  certificate_path:
    description:
      - With O(state=present), where to write the certificate, in PEM, with mode 0644.
    type: path
  chain_path:
    description:
      - With O(state=present), where to write what Cloudflare hands out beyond the certificate itself. It hands out no chain for its managed authority
        at the time of writing; then no file is written and the task warns.
    type: path
extends_documentation_fragment:
  - certops.remediation.cloudflare
  - certops.remediation.connection
  - certops.remediation.batch
  - certops.remediation.wait
  - certops.remediation.attributes
  - certops.remediation.attributes.cloudflare
attributes:
  check_mode:
    support: full
    details:
      - Sends only requests that read, so a token for reading is enough. It cannot know whether Cloudflare will accept the CSR, whether the zone
        may have another certificate, whether a revoked one can be reactivated, nor whether a file can be written.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A new certificate may be missing from Cloudflare's list for a while (a minute has been seen). With O(wait=true), the task waits until it
        is listed; without, a second run that begins at once may not see it and create another one.
seealso:
  - module: certops.remediation.cloudflare_client_cert_info
  - module: certops.remediation.certificate_request
  - name: Cloudflare API, client certificates
    description: The calls behind this module.
    link: https://developers.cloudflare.com/api/resources/client_certificates/
"""

EXAMPLES = r"""
- name: Make a new key and CSR, and keep them
  certops.remediation.certificate_request:
    common_name: tablet-0001.field.example.com
    folder: "{{ lookup('ansible.builtin.env', 'HOME') }}/tablets"
    create_folder: true
  register: made

- name: Have Cloudflare sign it, and write the certificate beside the key
  certops.remediation.cloudflare_client_cert:
    csr: "{{ made.requests[0].csr }}"
    validity_days: 365
    renew_before_days: 30
    certificate_path: "{{ lookup('ansible.builtin.env', 'HOME') }}/tablets/tablet-0001.field.example.com.crt"
    wait: true
  register: new

- name: The tablet is lost, so revoke its certificate
  certops.remediation.cloudflare_client_cert:
    certificates: ["{{ new.targets[0].id }}"]
    state: revoked

- name: It was found again
  certops.remediation.cloudflare_client_cert:
    certificates: ["{{ new.targets[0].id }}"]
    state: active

- name: A key has leaked, so revoke everything that carries it
  certops.remediation.cloudflare_client_cert:
    csr: "{{ made.requests[0].csr }}"
    state: revoked
    several: all
    max_changes: 5
"""

RETURN = r"""
url:
  description: The address of the server that was asked.
  returned: when the targets could be read
  type: str
  sample: https://api.cloudflare.com
plan_digest:
  description: A fingerprint of what would be or was done to what. Give it to O(plan_digest) to apply this plan and no other.
  returned: when the targets could be read
  type: str
  sample: sha256:b6f4b1e0b04ef8b2e7e1a0f2d80c5e8f1fb1b9b0c9de93ef3d1b5c9a2d3a1f77
summary:
  description: How many certificates ended with each outcome.
  returned: when the targets could be read
  type: dict
  sample: {"unchanged": 0, "planned": 0, "applied": 0, "pending": 1, "refused": 0, "failed": 0, "unknown": 0, "not_attempted": 0}
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: when the targets could be read
  type: dict
  sample: {"requests": 2, "retries": 0, "seconds_waited": 0.0}
targets:
  description: One entry for each of the given certificates, in the order given. A CSR with O(several=all) gives one for each of its certificates.
  returned: when the targets could be read
  type: list
  elements: dict
  contains:
    target:
      description: The certificate as it was given; with its name where the entry held one.
      returned: always
      type: str
      sample: tablet-0001.field.example.com (7bf7f70c-7600-42e1-81c4-e4c0da9aa515)
    outcome:
      description:
        - C(unchanged), it is so already; C(planned), check mode, it would be changed; C(applied), Cloudflare shows it so.
        - C(pending), Cloudflare is revoking or reactivating it, or does not list it yet; C(refused), a guard stopped it and nothing was written;
          C(failed), Cloudflare said no.
        - C(unknown), it cannot be told whether it was done; C(not_attempted), the task stopped before.
      returned: always
      type: str
      sample: pending
    action:
      description: What was to be done; C(none), C(revoke), C(reactivate), C(write its files), or C(create) with the key and the validity.
      returned: always
      type: str
      sample: revoke
    changed:
      description: Whether this run changed something at Cloudflare or wrote a file, or would do so.
      returned: always
      type: bool
      sample: true
    message:
      description: What was found or done, in the words of Cloudflare where it said no.
      returned: always
      type: str
      sample: is pending_revocation; Cloudflare finishes it by itself
    before:
      description: The status as it was found, and if it was being revoked or revoked, until when that can be undone.
      returned: always
      type: dict
      sample: {"status": "active", "revocation_can_be_undone": null}
    after:
      description: The same afterwards; in check mode as it is expected.
      returned: always
      type: dict
      sample:
        status: pending_revocation
        revocation_can_be_undone: with state=active, surely while it is pending_revocation; by Cloudflare's guide until it expires on 2027-11-22T19:04:00Z
    timed_out:
      description: Whether it was still pending when O(wait_timeout) was over.
      returned: always
      type: bool
      sample: false
    reversible:
      description: Whether and how the change can be undone.
      returned: always
      type: str
      sample: with state=active, surely while it is pending_revocation; by Cloudflare's guide until it expires on 2027-11-22T19:04:00Z
    error:
      description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id); null if nothing did.
      returned: always
      type: dict
      sample: null
    request_ids:
      description: The rays (C(cf-ray)) of answers that were errors, which Cloudflare's support asks for.
      returned: always
      type: list
      elements: str
      sample: []
    id:
      description: The id of the certificate; after it was created, of the new one.
      returned: when there is one
      type: str
      sample: 7bf7f70c-7600-42e1-81c4-e4c0da9aa515
    zone_id:
      description: The zone.
      returned: when the certificate could be read
      type: str
      sample: 023e105f4ecef8ad9ca31a8372d0c353
    status:
      description: The status at the end of the task.
      returned: when there is one
      type: str
      sample: pending_revocation
    common_name:
      description: The common name.
      returned: when there is one
      type: str
      sample: tablet-0001.field.example.com
    serial_number:
      description: The serial number as Cloudflare writes it, in hexadecimal or decimal.
      returned: when there is one
      type: str
      sample: 3bb94ff144ac567b9f75ad664b6c55f8d5e48182
    fingerprint_sha256:
      description: SHA-256 over the certificate, in hexadecimal.
      returned: when there is one
      type: str
      sample: 256c24690243359fb8cf139a125bd05ebf1d968b71e4caf330718e9f5c8a89ea
    public_key_sha256:
      description: SHA-256 over the public key, in hexadecimal; the same for everything that shares the key.
      returned: when there is one
      type: str
      sample: 3b1a0d0f8f4b5e0c6a2f9a8f3f8f5f5c2f4de3a7b0c1d2e3f405162738495a6b
    expires_on:
      description: When it expires.
      returned: when there is one
      type: str
      sample: "2027-11-22T19:04:00Z"
    certificate:
      description: The certificate in PEM.
      returned: with O(state=present), when there is one
      type: str
      sample: "-----BEGIN CERTIFICATE-----\nMIIB1TCC..."
    written:
      description: The files that were written.
      returned: with O(state=present), when one was created or reactivated, or files were to be written
      type: list
      elements: str
      sample: [/etc/ssl/tablet-0001.field.example.com.crt]
diff:
  description: The status of what changed, before and after, and until when a revocation can be undone, by certificate.
  returned: in diff mode
  type: dict
  sample:
    before:
      tablet-0001.field.example.com (7bf7f70c-7600-42e1-81c4-e4c0da9aa515):
        status: active
        revocation_can_be_undone: null
    after:
      tablet-0001.field.example.com (7bf7f70c-7600-42e1-81c4-e4c0da9aa515):
        status: pending_revocation
        revocation_can_be_undone: with state=active, surely while it is pending_revocation; by Cloudflare's guide until it expires on 2027-11-22T19:04:00Z
error:
  description: What went wrong, if it was not one certificate but the whole task, with the same keys as RV(targets[].error).
  returned: on such a failure
  type: dict
  sample: {"kind": "authorization", "message": "...", "status": 403, "code": "10000", "detail": "...", "request_id": "86610873f8d987a9-IAD"}
"""

import dataclasses
import datetime
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import engine, options
from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import (
    ALREADY_REVOKED,
    CONNECTION_OPTIONS,
    ENDED,
    PENDING_REACTIVATION,
    PENDING_REVOCATION,
    REVOKED,
    CertificateRef,
    ClientCertificate,
    CloudflareClient,
    certificate_ref,
    connect,
    csr_ref,
)
from ansible_collections.certops.remediation.plugins.module_utils.engine import Entry, Plan, Verdict
from ansible_collections.certops.remediation.plugins.module_utils.errors import BusyError, InputError, RemediationError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.pacing import backoff
from ansible_collections.certops.remediation.plugins.module_utils.private_files import Access, read_file, write_if_different
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_action
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    checked_request,
    meant_key_sha256,
    pem_blocks,
    request_pem,
)

# What an entry of ``requests`` may have of its own.
OWN_OPTIONS: options.Spec = {
    "csr": {"type": "str"},
    "csr_path": {"type": "path"},
    "validity_days": {"type": "int"},
    "certificate_path": {"type": "path"},
    "chain_path": {"type": "path"},
}
ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    options.BATCH_OPTIONS,
    options.WAIT_OPTIONS,
    OWN_OPTIONS,
    {
        "state": {"type": "str", "choices": ["present", "active", "revoked"], "default": "present"},
        "certificates": {"type": "list", "elements": "raw"},
        "requests": {"type": "list", "elements": "dict"},
        "renew_before_days": {"type": "int", "default": 0},
        "on_pending_revocation": {"type": "str", "choices": ["refuse", "reactivate", "create"], "default": "refuse"},
        "retired_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "several": {"type": "str", "choices": ["refuse", "all"], "default": "refuse"},
        "not_found": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
    },
)
NAME = "cloudflare_client_cert"
NOUN = "client certificate"
MAX_DAYS = 36500
# For how long a new certificate may be missing from the list: a minute has been seen by others against the live service.
LIST_LAG_SECONDS = 75.0
# For how long what Cloudflare has accepted is looked for in the certificate itself.
READ_BACK_SECONDS = 10.0
ONLY_PRESENT = ("requests", "validity_days", "certificate_path", "chain_path")
WRITE = "write its files"


@dataclasses.dataclass(frozen=True)
class Found:
    """The certificates that a target names, as they are observed.

    :param moment: when; no status says that a certificate has expired.
    :param key: what is common to them where a certificate shall be present: that of the CSR.
    :param files_right: the wanted files hold the certificate.
    """

    certificates: tuple[ClientCertificate, ...]
    moment: datetime.datetime
    key: str = ""
    files_right: bool = True


def _observed(entry: Entry[t.Any, Found]) -> Found:
    if entry.state is None:
        raise ValueError("a step was planned for a certificate that was not observed")
    return entry.state


def _facts(certificate: ClientCertificate | None, zone_id: str) -> dict[str, t.Any]:
    """What identifies a certificate, for the result."""
    if certificate is None:
        return {}
    record = certificate.record
    return {
        "id": certificate.id,
        "zone_id": zone_id,
        "status": certificate.status,
        "common_name": certificate.common_name,
        "serial_number": printable(str(record.get("serial_number") or ""), 80),
        "fingerprint_sha256": certificate.fingerprint,
        "public_key_sha256": certificate.key,
        "expires_on": certificate.expires_on,
    }


def _is_so(certificate: ClientCertificate, wanted: str) -> bool:
    """Whether it is as wanted, or on its way there. A status that nobody has told of is neither good nor revoked."""
    return certificate.status in ENDED if wanted == REVOKED else certificate.live


def _undo(certificate: ClientCertificate, status: str) -> str | None:
    if status == PENDING_REVOCATION:
        return f"with state=active, surely while it is pending_revocation; by Cloudflare's guide until it expires on {certificate.expires_on}"
    if status == REVOKED:
        return f"with state=active by Cloudflare's guide, until it expires on {certificate.expires_on}; its reference does not know this"
    return None


def _shown(certificate: ClientCertificate | None, status: str | None = None) -> dict[str, t.Any]:
    """The field that the module controls, and until when a revocation can be undone."""
    if certificate is None:
        return {"status": status, "revocation_can_be_undone": None}
    status = status or certificate.status
    return {"status": status, "revocation_can_be_undone": _undo(certificate, status)}


class StatusChange(engine.Operation[CertificateRef, Found]):
    """What revoking and reactivating need to know and decide.

    :param wanted: ``revoked`` or ``active``.
    :param retired: SHA-256 of keys that must not become active again.
    """

    name = NAME
    noun = NOUN

    def __init__(self, client: CloudflareClient, wanted: str, *, ignore_missing: bool = False, retired: t.Collection[str] = ()) -> None:
        self._client = client
        self.transport = client.transport
        self.scope = client.zone_id
        self._wanted = wanted
        self._retired = retired
        self._ignore_missing = ignore_missing
        self._ids: dict[str, CertificateRef] = {}
        self._asked: dict[str, float] = {}

    def expand(self, targets: t.Sequence[CertificateRef]) -> list[CertificateRef]:
        """Each certificate of a CSR as a target of its own."""
        found = self._client.find(targets) if any(target.kind == "csr" for target in targets) else ()
        expanded: list[CertificateRef] = []
        for target, result in zip(targets, found):
            if target.kind != "csr" or isinstance(result, RemediationError):
                expanded.append(target)
            else:
                expanded += [CertificateRef("id", item.id, f"{item.common_name} ({item.id})") for item in result]
        return expanded or list(targets)

    # -- observe -------------------------------------------------------------------------------------------------------------------

    def observe(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[Found | RemediationError]:
        moment = datetime.datetime.now(datetime.timezone.utc)
        states = [self._seen(result, moment) for result in self._client.find(targets)]
        for target, state in zip(targets, states):
            chosen = None if isinstance(state, RemediationError) else self._chosen(state)
            if chosen:
                self._ids[target.key] = CertificateRef("id", chosen.id, target.label)
        return states

    def _seen(self, result: tuple[ClientCertificate, ...] | RemediationError, moment: datetime.datetime) -> Found | RemediationError:
        if not isinstance(result, RemediationError):
            return Found(result, moment)
        if not self._client.is_unknown(result):
            return result
        if self._ignore_missing:
            return Found((), moment)
        result.message += "; check zone and certificate" + (", or set not_found=ignore if it need not be there" if self._wanted == REVOKED else "")
        return result

    def look_again(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[Found | RemediationError]:
        # By the id, whatever it was named by: the list may lag behind.
        return self.observe([self._ids[target.key] for target in targets])

    def poll(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[Found | RemediationError]:
        return self.look_again(targets)

    def identity(self, state: Found) -> str:
        chosen = self._chosen(state)
        return chosen.id if chosen else ",".join(certificate.id for certificate in state.certificates)

    def describe(self, state: Found) -> engine.Values:
        return _facts(self._chosen(state), self._client.zone_id)

    def _chosen(self, state: Found) -> ClientCertificate | None:
        """The one that is meant; None where that cannot be told.

        A serial number names one. A key may have several: the one that is good is meant, or the only one that there is.
        """
        live = [certificate for certificate in state.certificates if certificate.live]
        if len(live) == 1:
            return live[0]
        if self._wanted != REVOKED and live:
            return max(live, key=lambda certificate: certificate.expires_on)
        if live:
            return None
        if self._wanted == REVOKED and state.certificates:
            return max(state.certificates, key=lambda certificate: certificate.status == PENDING_REVOCATION)
        return state.certificates[0] if len(state.certificates) == 1 else None

    # -- plan ----------------------------------------------------------------------------------------------------------------------

    def plan(self, target: CertificateRef, state: Found) -> Plan:
        if not state.certificates:
            return Plan(engine.UNCHANGED, "the zone has no such certificate")
        chosen = self._chosen(state)
        if chosen is None:
            ids = ", ".join(certificate.id for certificate in state.certificates[:5])
            remedy = "name one by its id" + (", or set several=all" if self._wanted == REVOKED and target.kind == "csr" else "")
            return Plan(engine.REFUSED, f"names {len(state.certificates)} certificates ({ids}); {remedy}")
        before = _shown(chosen)
        over = chosen.expires_before(state.moment)
        if _is_so(chosen, self._wanted):
            pending = chosen.status in (PENDING_REVOCATION, PENDING_REACTIVATION)
            told = f"is {chosen.status} already" + (f"; it has expired on {chosen.expires_on}" if over and chosen.live else "")
            return Plan(engine.PENDING if pending else engine.UNCHANGED, told, before=before, after=before)
        if self._wanted == REVOKED:
            told = "would revoke it" + (f"; it has expired on {chosen.expires_on}" if over else "")
            return Plan(engine.PLANNED, told, "revoke", before, _shown(chosen, PENDING_REVOCATION), t.cast(str, _undo(chosen, PENDING_REVOCATION)))
        if chosen.key in self._retired:
            return Plan(engine.REFUSED, "its key is one of retired_keys", before=before, after=before)
        if over:
            return Plan(engine.REFUSED, f"has expired on {chosen.expires_on}; create a new one (state=present)", before=before, after=before)
        return Plan(engine.PLANNED, f"would reactivate it from {chosen.status}", "reactivate", before, _shown(chosen, "active"), "With state=revoked.")

    # -- apply ---------------------------------------------------------------------------------------------------------------------

    def apply(self, entries: t.Sequence[Entry[CertificateRef, Found]]) -> t.Sequence[Verdict]:
        return [self._apply(entry) for entry in entries]

    def _apply(self, entry: Entry[CertificateRef, Found]) -> Verdict:
        chosen = t.cast(ClientCertificate, self._chosen(_observed(entry)))
        self._asked[entry.target.key] = time.monotonic()
        return changed_status(self._client, chosen, self._wanted, asked_before=entry.lost is not None)

    # -- resolve and settle --------------------------------------------------------------------------------------------------------

    def resolve(self, entry: Entry[CertificateRef, Found], state: Found) -> Verdict:
        chosen = t.cast(ClientCertificate, self._chosen(_observed(entry)))
        now = next((certificate for certificate in state.certificates if certificate.id == chosen.id), chosen)
        if _is_so(now, self._wanted):
            return status_verdict(now, self._wanted, self._client.zone_id, " (the answer was lost)")
        return _not_done(entry, now)

    def settle(self, entry: Entry[CertificateRef, Found], state: Found) -> Verdict:
        chosen = t.cast(ClientCertificate, self._chosen(_observed(entry)))
        now = next((certificate for certificate in state.certificates if certificate.id == chosen.id), chosen)
        if not _is_so(now, self._wanted):
            # What the list shows may be of before.
            now = self._client.certificate(chosen.id)
        if _is_so(now, self._wanted):
            return status_verdict(now, self._wanted, self._client.zone_id)
        if time.monotonic() < self._asked.get(entry.target.key, 0.0) + LIST_LAG_SECONDS:
            return Verdict(engine.PENDING, f"Cloudflare still shows it as {now.status}", _shown(now), vendor={"status": now.status})
        undone = "reactivated" if self._wanted == REVOKED else "revoked"
        return Verdict(engine.FAILED, f"somebody has {undone} it meanwhile: it is {now.status}", _shown(now), vendor={"status": now.status})


def changed_status(client: CloudflareClient, certificate: ClientCertificate, wanted: str, *, asked_before: bool) -> Verdict:
    """Revoke or reactivate one certificate by exactly one request.

    :param asked_before: the answer to an earlier request of this run was lost.
    :raises AnswerLostError: it may have been done.
    """
    call = client.revoke if wanted == REVOKED else client.reactivate
    said: VendorError | None = None
    try:
        now = call(certificate.id)
    except VendorError as error:
        if error.fatal or isinstance(error, BusyError):
            raise
        # Whoever asks twice is told "already deleted"; what a reactivation is told when it is active already is not documented.
        said = error
        now = certificate
    done = said is None or (said.code == ALREADY_REVOKED and wanted == REVOKED)
    if not _is_so(now, wanted) or said:
        try:
            now = _read_back(client, certificate.id, wanted, READ_BACK_SECONDS if done else 0.0)
        except RemediationError as unreadable:
            if said is None:
                return Verdict(engine.UNKNOWN, f"accepted, but it cannot be read back ({unreadable.message}); run the task again to see", error=unreadable)
            raise VendorError(f"{said.message}; reading it back failed too: {unreadable.message}", **_details(said)) from None
    if _is_so(now, wanted):
        if said is None or asked_before:
            return status_verdict(now, wanted, client.zone_id)
        return Verdict(engine.UNCHANGED, f"somebody else has done it meanwhile: it is {now.status} ({said.detail})", _shown(now), vendor={"status": now.status})
    if done:
        told = said.detail if said else "Cloudflare answered with success"
        message = f"{told}, and shows it as {now.status or 'without a status'}; run the task again to see"
        return Verdict(engine.UNKNOWN, message, _shown(now), changed=said is None or asked_before, vendor={"status": now.status}, error=said)
    remedy = "; create a new certificate instead (state=present)" if wanted != REVOKED else ""
    refused = t.cast(VendorError, said)
    return Verdict(engine.FAILED, f"{refused.message}{remedy}", _shown(now), vendor={"status": now.status}, error=refused)


def _read_back(client: CloudflareClient, number: str, wanted: str, patience: float) -> ClientCertificate:
    """One certificate, read until it is as wanted or ``patience`` (seconds) is over: what is read may lag behind what was done."""
    ends = time.monotonic() + patience
    attempt = 0
    while True:
        now = client.certificate(number)
        attempt += 1
        delay = backoff(attempt)
        if _is_so(now, wanted) or time.monotonic() + delay > ends:
            return now
        client.transport.pacer.wait(delay)


def _reason(entry: Entry[t.Any, Found]) -> str:
    return entry.lost.message if entry.lost else "the answer was lost"


def _not_done(entry: Entry[t.Any, Found], now: ClientCertificate) -> Verdict:
    """The answer was lost, and what is seen says that asking again does no harm."""
    return Verdict(engine.REPEAT, f"{_reason(entry)}. It was not done: it is {now.status}", error=entry.lost)


def _details(error: RemediationError) -> dict[str, t.Any]:
    return {"status": error.status, "code": error.code, "detail": error.detail, "request_id": error.request_id}


def status_verdict(certificate: ClientCertificate, wanted: str, zone_id: str, note: str = "") -> Verdict:
    """The certificate is as wanted, or is on its way."""
    facts = _facts(certificate, zone_id)
    if certificate.status in (PENDING_REVOCATION, PENDING_REACTIVATION):
        return Verdict(engine.PENDING, f"is {certificate.status}{note}; Cloudflare finishes it by itself", _shown(certificate), vendor=facts)
    return Verdict(engine.APPLIED, f"{'revoked' if wanted == REVOKED else 'active again'}{note}", _shown(certificate), vendor=facts)


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A certificate that shall be there.

    :param csr: PEM; its key is what identifies the certificate.
    :param ref: the certificates of that key.
    """

    csr: str
    ref: CertificateRef
    label: str
    validity_days: int
    files: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def key(self) -> str:
        """One certificate for one key."""
        return self.ref.key


class Presence(engine.Operation[Wanted, Found]):
    """What creating needs to know and decide."""

    name = NAME
    noun = NOUN

    def __init__(self, client: CloudflareClient, params: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> None:
        self._client = client
        self._warn = warn
        self.transport = client.transport
        self.scope = client.zone_id
        self.late_effect_seconds = LIST_LAG_SECONDS
        self._renew_before = datetime.timedelta(days=params["renew_before_days"])
        self._on_pending: str = params["on_pending_revocation"]
        self._wait: bool = params["wait"]
        self._created: dict[str, ClientCertificate] = {}

    # -- observe -------------------------------------------------------------------------------------------------------------------

    def observe(self, targets: t.Sequence[Wanted]) -> t.Sequence[Found | RemediationError]:
        moment = datetime.datetime.now(datetime.timezone.utc)
        states: list[Found | RemediationError] = []
        for target, result in zip(targets, self._client.find([target.ref for target in targets])):
            found = () if isinstance(result, RemediationError) and self._client.is_unknown(result) else result
            if isinstance(found, RemediationError):
                states.append(found)
                continue
            state = Found(found, moment, target.ref.value)
            good = self._good(state)
            if good and not good.pem:
                # Some lists leave it out.
                whole = self._client.certificate(good.id)
                state = dataclasses.replace(state, certificates=tuple(whole if item.id == good.id else item for item in found))
                good = self._good(state)
            states.append(dataclasses.replace(state, files_right=good is None or _files_right(target, good)))
        return states

    def identity(self, state: Found) -> str:
        # With the zone: a plan that was approved for one is none for another.
        return f"{self._client.zone_id} {state.key}"

    def describe(self, state: Found) -> engine.Values:
        good = self._good(state) or (self._dying(state) if self._on_pending != "create" else None)
        return {**_facts(good, self._client.zone_id), "certificate": good.pem} if good else {"zone_id": self._client.zone_id}

    def _good(self, state: Found) -> ClientCertificate | None:
        """Of those that are active long enough the one that lasts longest."""
        good = [item for item in state.certificates if item.live and not item.expires_before(state.moment + self._renew_before)]
        return max(good, key=lambda item: item.expires_on, default=None)

    def _dying(self, state: Found) -> ClientCertificate | None:
        """The one that is just being revoked, if none is active."""
        if any(item.live and not item.expires_before(state.moment) for item in state.certificates):
            return None
        dying = [item for item in state.certificates if item.status == PENDING_REVOCATION and not item.expires_before(state.moment + self._renew_before)]
        return max(dying, key=lambda item: item.expires_on, default=None)

    # -- plan ----------------------------------------------------------------------------------------------------------------------

    def plan(self, target: Wanted, state: Found) -> Plan:
        good, dying = self._good(state), self._dying(state)
        if good:
            return self._kept(target, state, good)
        if dying and self._on_pending != "create":
            before = _shown(dying)
            told = f"the only certificate of this key, {dying.id}, is just being revoked"
            if self._on_pending == "refuse":
                told += "; somebody may have had a reason: make a new key, or set on_pending_revocation"
                return Plan(engine.REFUSED, told, before=before, after=before)
            return Plan(engine.PLANNED, f"{told}; would reactivate it", f"reactivate {dying.id}", before, _shown(dying, "active"), "With state=revoked.")
        unheard = [item for item in state.certificates if not item.live and item.status not in ENDED]
        if unheard:
            told = f"certificate {unheard[0].id} of this key is {unheard[0].status or 'without a status'}, which may mean that it is on its way"
            return Plan(engine.REFUSED, f"{told}; look at it in Cloudflare's dashboard, or run the task again later")
        ending = [item for item in state.certificates if item.live]
        if ending:
            told = f"; the one there is ends on {max(item.expires_on for item in ending)} and stays until it is revoked"
        else:
            told = f"; {len(state.certificates)} of this key have been revoked before" if state.certificates else ""
        action = f"create for key {target.ref.value[:16]}, {target.validity_days} days"
        return Plan(engine.PLANNED, f"would {action}{told}", action, _shown(None), _shown(None, "active"), "With state=revoked; the record stays for good.")

    def _kept(self, target: Wanted, state: Found, good: ClientCertificate) -> Plan:
        before = _shown(good)
        told = f"is {good.status} already, until {good.expires_on}"
        if good.validity_days and good.validity_days != target.validity_days:
            told += f"; it was made for {good.validity_days} days instead of {target.validity_days}, which cannot be changed"
        others = sum(item.live and not item.expires_before(state.moment) for item in state.certificates) - 1
        if others:
            told += f"; {others} more of this key {'is' if others == 1 else 'are'} active"
        if not state.files_right:
            return Plan(engine.PLANNED, f"{told}; would {WRITE}", WRITE, before, before)
        outcome = engine.PENDING if good.status == PENDING_REACTIVATION else engine.UNCHANGED
        return Plan(outcome, told, before=before, after=before)

    # -- apply ---------------------------------------------------------------------------------------------------------------------

    def apply(self, entries: t.Sequence[Entry[Wanted, Found]]) -> t.Sequence[Verdict]:
        return [self._apply(entry) for entry in entries]

    def _apply(self, entry: Entry[Wanted, Found]) -> Verdict:
        target, state = entry.target, _observed(entry)
        if entry.plan.action == WRITE:
            good = t.cast(ClientCertificate, self._good(state))
            verdict = status_verdict(good, "active", self._client.zone_id) if good.status == PENDING_REACTIVATION else None
            return self._written(target, good, "is there already", created=False, verdict=verdict)
        if not entry.plan.action.startswith("create"):
            dying = t.cast(ClientCertificate, self._dying(state))
            verdict = changed_status(self._client, dying, "active", asked_before=entry.lost is not None)
            if verdict.outcome not in (engine.APPLIED, engine.PENDING):
                return verdict
            return self._written(target, dying, verdict.message, created=True, verdict=verdict)
        new = self._client.create(target.csr, target.validity_days)
        if new.key is None:
            # Nothing in the answer tells its key.
            new = self._client.certificate(new.id)
        if new.key not in (None, target.ref.value):
            wrong = VendorError(f"Cloudflare created certificate {new.id}, but for another key than that of the CSR; revoke it")
            return Verdict(engine.FAILED, wrong.message, _shown(new), changed=True, vendor=_facts(new, self._client.zone_id), error=wrong)
        return self._made(target, new, "")

    def _made(self, target: Wanted, new: ClientCertificate, note: str) -> Verdict:
        self._created[target.key] = new
        done = f"created{note}; ends on {new.expires_on}"
        verdict = None
        if new.status == PENDING_REACTIVATION:
            verdict = Verdict(engine.PENDING, f"{done}; is {new.status}, which Cloudflare finishes by itself", _shown(new))
        elif self._wait and not note:
            verdict = Verdict(engine.PENDING, f"{done}; waits for Cloudflare to list it", _shown(new))
        return self._written(target, new, done, created=True, verdict=verdict)

    def _written(self, target: Wanted, certificate: ClientCertificate, done: str, *, created: bool, verdict: Verdict | None = None) -> Verdict:
        """Write the files, and tell what is written."""
        vendor = {**_facts(certificate, self._client.zone_id), "certificate": certificate.pem, **(verdict.vendor if verdict else {})}
        written: list[str] = []
        try:
            for path, text in _contents(target, certificate).items():
                if text and write_if_different(path, text.encode(), Access(0o644)):
                    written.append(path)
        except OSError as exc:
            error = VendorError(f"certificate {certificate.id} is there, but cannot be written ({exc.strerror}); run the task again to write it")
            after = verdict.after if verdict else _shown(certificate)
            return Verdict(engine.FAILED, error.message, after, changed=created or bool(written), vendor={**vendor, "written": written}, error=error)
        if target.files.get("chain_path") and len(pem_blocks(certificate.pem)) < 2:
            self._warn(f"{target.label}: Cloudflare hands out no chain with its certificate, so {target.files['chain_path']} is not written")
        vendor["written"] = written
        told = f"; written to {', '.join(written)}" if written else ""
        if verdict:
            return dataclasses.replace(verdict, message=verdict.message + told, vendor=vendor)
        return Verdict(engine.APPLIED, done + told, _shown(certificate), vendor=vendor)

    # -- resolve and settle --------------------------------------------------------------------------------------------------------

    def resolve(self, entry: Entry[Wanted, Found], state: Found) -> Verdict:
        planned = _observed(entry)
        if not entry.plan.action.startswith("create"):
            dying = t.cast(ClientCertificate, self._dying(planned))
            now = self._client.certificate(dying.id)
            if now.live:
                return self._written(entry.target, now, "", created=True, verdict=status_verdict(now, "active", self._client.zone_id, " (the answer was lost)"))
            return _not_done(entry, now)
        known = {certificate.id for certificate in planned.certificates}
        new = [certificate for certificate in state.certificates if certificate.id not in known]
        if new:
            return self._made(entry.target, new[0], " (the answer was lost)")
        message = f"{_reason(entry)}. Cloudflare does not list a new certificate of this key; it is not asked for again in this run"
        return Verdict(engine.UNKNOWN, f"{message}. Run the task again: it looks first", error=entry.lost)

    def settle(self, entry: Entry[Wanted, Found], state: Found) -> Verdict:
        new, planned = self._created.get(entry.target.key), _observed(entry)
        sought = t.cast(ClientCertificate, new or self._good(planned) or self._dying(planned))
        now = next((item for item in state.certificates if item.id == sought.id), None)
        if now is None:
            return Verdict(engine.PENDING, entry.message, entry.after)
        if not now.live:
            # What the list shows may be of before.
            now = self._client.certificate(now.id)
        facts = _facts(now, self._client.zone_id)
        if now.status == PENDING_REACTIVATION:
            return Verdict(engine.PENDING, f"is {now.status}; Cloudflare finishes it by itself", _shown(now), vendor=facts)
        if not now.live:
            return Verdict(engine.FAILED, f"somebody has revoked it meanwhile: it is {now.status}", _shown(now), vendor=facts)
        done = f"created and listed; ends on {now.expires_on}" if new else f"active, until {now.expires_on}"
        return Verdict(engine.APPLIED, done, _shown(now), vendor=facts)


def _contents(target: Wanted, certificate: ClientCertificate) -> dict[str, str]:
    """What belongs into each file; empty where there is nothing to write."""
    blocks = pem_blocks(certificate.pem)
    texts = {"certificate_path": "".join(blocks[:1]), "chain_path": "".join(blocks[1:])}
    return {path: texts[option] for option, path in target.files.items()}


def _files_right(target: Wanted, certificate: ClientCertificate) -> bool:
    try:
        return all(not text or (read_file(path) or (b"",))[0] == text.encode() for path, text in _contents(target, certificate).items())
    except OSError:
        return False


# -- input -------------------------------------------------------------------------------------------------------------------------------


def wanted_of(option: str, given: t.Mapping[str, t.Any], retired: frozenset[str], renew_before: int) -> Wanted:
    """A target of ``state=present`` from checked types.

    :raises InputError: something in it cannot work.
    """
    if bool(given.get("csr")) == bool(given.get("csr_path")):
        raise InputError(f"{option}csr, csr_path", "exactly one of the two is needed")
    data = given["csr"].encode() if given.get("csr") else options.read_file(f"{option}csr_path", given["csr_path"])
    csr, key = checked_request(f"{option}csr", data)
    if key in retired:
        raise InputError(f"{option}csr", "its key is one of retired_keys; make a new one")
    days = given.get("validity_days")
    if days is None:
        raise InputError(f"{option}validity_days", "is needed for state=present; 365 is a year")
    options.check_range({f"{option}validity_days": days}, f"{option}validity_days", 1, MAX_DAYS)
    if days <= renew_before:
        raise InputError(f"{option}validity_days", f"{days} days are not more than renew_before_days={renew_before}, so each run would create another one")
    files = {name: os.path.abspath(given[name]) for name in ("certificate_path", "chain_path") if given.get(name)}
    for name, path in files.items():
        if not os.path.isdir(os.path.dirname(path)) or os.path.isdir(path):
            raise InputError(f"{option}{name}", f"{path!r} is a folder, or in none that exists")
    if len(set(files.values())) != len(files):
        raise InputError(f"{option}certificate_path, chain_path", "give each a file of its own")
    common_names = [str(item.value) for item in csr.subject if item.oid.dotted_string == "2.5.4.3"]
    label = f"{printable(common_names[0], 80)} ({key[:16]})" if common_names else f"key {key[:16]}"
    return Wanted(request_pem(csr), CertificateRef("csr", key, label), label, days, files)


def _entry(option: str, given: t.Mapping[str, t.Any], common: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """An entry of ``requests`` over the common options.

    :raises InputError: a value has another type than the option of that name.
    """
    merged = dict(common)
    for name, spec in OWN_OPTIONS.items():
        value: t.Any = given.get(name)
        if value in (None, ""):
            continue
        if spec["type"] == "int" and isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if not isinstance(value, int if spec["type"] == "int" else str) or isinstance(value, bool):
            raise InputError(f"{option}{name}", f"must be a {'number' if spec['type'] == 'int' else 'text'}")
        merged[name] = options.expanded_path(str(value)) if spec["type"] == "path" else value
    # What makes requests returns the CSR with its path.
    return {**merged, "csr_path": None} if given.get("csr") else merged


def wanted_targets(params: t.Mapping[str, t.Any], retired: frozenset[str]) -> list[Wanted]:
    """The targets of ``state=present``.

    :raises InputError: an option cannot work.
    """
    renew_before = params["renew_before_days"]
    common = {name: params.get(name) for name in OWN_OPTIONS}
    if params.get("certificates") is not None:
        raise InputError("certificates", "goes with state=active and state=revoked; for state=present give csr, csr_path or requests")
    if params.get("requests") is None:
        return [wanted_of("", common, retired, renew_before)]
    given = [name for name in ("csr", "csr_path") if common[name]]
    if given:
        raise InputError(", ".join(given), "give either this or requests")
    shared = [name for name in ("certificate_path", "chain_path") if common[name] and len(params["requests"]) > 1]
    if shared:
        raise InputError(", ".join(shared), "names one file for several certificates; give it in each entry of requests")
    targets = []
    for index, entry in enumerate(params["requests"]):
        option = f"requests[{index}]."
        targets.append(wanted_of(option, _entry(option, entry, common), retired, renew_before))
    by_key: dict[str, Wanted] = {}
    by_path: dict[str, str] = {}
    for index, target in enumerate(targets):
        if by_key.setdefault(target.key, target) != target:
            raise InputError(f"requests[{index}]", f"the key of {target.label} is listed twice with different wishes")
        for path in target.files.values():
            if by_path.setdefault(path, target.key) != target.key:
                raise InputError(f"requests[{index}]", f"{path!r} is a file of another entry already")
    return targets


def named_targets(params: t.Mapping[str, t.Any], zone_id: str) -> list[CertificateRef]:
    """The targets of ``state=active`` and ``state=revoked``.

    :raises InputError: an option cannot work.
    """
    alien = [name for name in ONLY_PRESENT if params.get(name) is not None]
    if alien:
        raise InputError(", ".join(alien), f"goes with state=present only, not with state={params['state']}")
    if sum(params.get(name) is not None for name in ("certificates", "csr", "csr_path")) != 1:
        raise InputError("certificates, csr, csr_path", f"exactly one of them is needed for state={params['state']}")
    if params.get("certificates") is not None:
        return [certificate_ref(f"certificates[{index}]", entry, zone_id) for index, entry in enumerate(params["certificates"])]
    if params.get("csr"):
        return [csr_ref("csr", params["csr"].encode())]
    return [csr_ref("csr_path", options.read_file("csr_path", params["csr_path"]))]


def build(task: Task) -> tuple[engine.Operation[t.Any, t.Any], t.Sequence[t.Any]]:
    """The operation and its targets from the options.

    :raises RemediationError: an option cannot work, or the zone cannot be found.
    """
    params = task.params
    options.check_range(params, "renew_before_days", 0, MAX_DAYS)
    present = params["state"] == "present"
    # Everything that can be refused without a request.
    retired = frozenset(meant_key_sha256("retired_keys", text) for text in params["retired_keys"])
    wanted = wanted_targets(params, retired) if present else []
    if not present:
        named_targets(params, "")
    client = connect(params, read_only=task.check_mode, secrets=task.secrets, warn=task.warn)
    try:
        if present:
            return Presence(client, params, task.warn), wanted
        revoked = params["state"] == REVOKED
        operation = StatusChange(client, params["state"], ignore_missing=revoked and params["not_found"] == "ignore", retired=retired)
        named = named_targets(params, client.zone_id)
        return operation, operation.expand(named) if revoked and params["several"] == "all" else named
    except BaseException:
        client.transport.close()
        raise


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_action(module, ARGUMENT_SPEC, build)


if __name__ == "__main__":
    main()
