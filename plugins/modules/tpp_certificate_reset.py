#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tpp_certificate_reset
short_description: Reset certificates that are stuck in Venafi TPP
version_added: 0.1.0
author:
  - certops.remediation contributors (@certops)
description:
  - Clears the error or processing state of certificate objects in Venafi Trust Protection Platform (TPP), so that they can be renewed
    again, and restarts their renewal if asked to. This is what the button C(Reset) does in the console, for one certificate or thousands.
  - The product is also sold as TLS Protect Datacenter, CyberArk Certificate Manager Self-Hosted and Trust Protection Foundation.
  - All certificates are read and planned before the first one is reset. If any of them cannot be acted on, none is reset, unless
    O(continue_on_error=true).
  - What needs no reset is left alone, so the module can be run again at any time. If the answer to a reset is lost, the module looks at the
    certificate before it does anything else; it never resets or restarts twice.
  - Two runs at the same time over the same certificates do not know of each other. With O(restart=true) both may restart what both have seen in
    error; keep such runs apart.
  - A reset does not touch the certificate that is in use. It does clear the error, the stage, pending workflow tickets and the revocation
    state of the object; see O(in_process) and O(revoked) for the two that may hurt.
  - Needs no more than the token scope C(certificate:manage), and the permissions Read and Write on the certificate objects.
options:
  certificate_dn:
    description:
      - The full DN of one certificate object, such as V(\\VED\\Policy\\Web\\www.example.com). Quote it with single quotes in YAML.
      - Exactly one of O(certificate_dn) and O(certificates) is needed.
    type: str
  certificates:
    description:
      - The certificates to reset. Each is a DN, a GUID, or a mapping with V(dn) or V(guid) or both; other keys of it are ignored, so the
        RV(certops.remediation.tpp_certificate_info#module:certificates) of M(certops.remediation.tpp_certificate_info) can be given as it is.
      - An empty list is fine and changes nothing. What is listed twice is acted on once.
    type: list
    elements: raw
  restart:
    description:
      - Also restart the renewal after the reset.
      - Do not use it for certificates whose CSR is made elsewhere, as by cert-manager or VCert, because TPP would renew with the old CSR.
    type: bool
    default: false
  renew:
    description:
      - Also renew a certificate that needs no reset, as when its key has leaked. Needs O(restart=true), which is for those that do.
      - Which certificate is to be replaced is said by the V(thumbprint) of its entry in O(certificates), as
        M(certops.remediation.tpp_certificate_info) returns it. Once the object has another one, it is left alone, so that nothing is renewed twice.
      - Whether TPP makes a new key is a matter of its policy; see what the endpoints serve.
    type: bool
    default: false
    version_added: 0.4.0
  in_process:
    description:
      - What to do with a certificate that is being processed or waits for approval, but is not in error.
      - With V(leave), it is not touched and reported as C(pending).
      - With V(refuse), the task is refused.
      - With V(reset), it is reset. This cancels the work in flight and deletes its workflow tickets, other people's as well.
    type: str
    choices: [leave, refuse, reset]
    default: leave
  revoked:
    description:
      - What to do with a certificate whose object carries a revocation state, because TPP clears that state with every reset. The authority
        still has it revoked, but TPP would no longer show it.
      - With V(refuse), the task is refused if a reset would clear it.
      - With V(leave), such a certificate is not touched.
      - With V(reset), it is reset, also when the revocation state is all there is to clear.
    type: str
    choices: [refuse, leave, reset]
    default: refuse
  check_private_key:
    description:
      - Also repair certificates whose private key does not belong to them. Nothing that can be read shows this, so TPP is asked to reset every
        listed certificate; it answers whether there was a mismatch.
      - Cannot be combined with O(restart=true). Some servers do not show that a renewal is queued, and asking then cancels or repeats it, so do
        not use it on certificates that were restarted a moment ago either.
      - In check mode such a certificate is reported as C(unchanged), because only the call itself can tell.
    type: bool
    default: false
  read_details:
    description:
      - Read each certificate that is in error or in process before it is reset, to know its stage, its status text and whether it is revoked.
      - With V(false), only the filters of TPP's list are used. That halves the number of requests, but nobody knows what is revoked, so it
        needs O(revoked=reset), and a certificate whose revocation state is all there is to clear may be left as it is.
    type: bool
    default: true
  wait_for_approval:
    description:
      - With O(wait=true), also wait for what a person must approve first. Otherwise such a certificate ends as C(pending) and does not fail the
        task.
    type: bool
    default: false
  work_to_do_timeout:
    description:
      - For how many seconds TPP itself may work on one reset before it answers, from 0 to 120. It keeps one of the server's workers busy.
    type: int
    default: 0
extends_documentation_fragment:
  - certops.remediation.tpp
  - certops.remediation.connection
  - certops.remediation.batch
  - certops.remediation.wait
  - certops.remediation.attributes
  - certops.remediation.attributes.tpp
attributes:
  check_mode:
    support: full
    details:
      - Sends only requests that read. It cannot know a private key mismatch, see O(check_private_key), nor whether the credentials may write.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(in_process=reset) and O(restart=true) together, a second run restarts what the first one has restarted.
seealso:
  - module: certops.remediation.tpp_certificate_info
  - name: Venafi Web SDK, POST Certificates/Reset
    description: The call behind this module.
    link: https://docs.venafi.com/Docs/currentSDK/TopNav/Content/SDK/WebSDK/r-SDK-POST-Certificates-Reset.php
"""

EXAMPLES = r"""
- name: Reset one certificate
  certops.remediation.tpp_certificate_reset:
    certificate_dn: '\VED\Policy\Certificates\Retail\Web\web-0001.shop.example.com'

- name: Find what a broken authority has left behind
  certops.remediation.tpp_certificate_info:
    folder: '\VED\Policy\Certificates'
    in_error: true
  register: stuck

- name: Reset all of it, restart the renewals and wait for them
  certops.remediation.tpp_certificate_reset:
    certificates: "{{ stuck.certificates }}"
    restart: true
    wait: true
    revoked: leave
    continue_on_error: true
    max_changes: 250

- name: Find the certificates of a leaked key
  certops.remediation.tpp_certificate_info:
    folder: '\VED\Policy\Certificates\Retail\Web'
    name: [web-0003.shop.example.com]
  register: leaked

- name: Renew them, whether or not they were stuck; once, however often this is run with what was found then
  certops.remediation.tpp_certificate_reset:
    certificates: "{{ leaked.certificates }}"
    restart: true
    renew: true
    wait: true

- name: Ask whether private keys match, and repair those that do not
  certops.remediation.tpp_certificate_reset:
    certificates:
      - '\VED\Policy\Certificates\Retail\Web\web-0001.shop.example.com'
      - '\VED\Policy\Certificates\Retail\Web\web-0002.shop.example.com'
    check_private_key: true
"""

RETURN = r"""
url:
  description: The address of the server that was asked.
  returned: when the targets could be read
  type: str
  sample: https://tpp.example.com
plan_digest:
  description: A fingerprint of what would be or was done to what. Give it to O(plan_digest) to apply this plan and no other.
  returned: when the targets could be read
  type: str
  sample: sha256:b6f4b1e0b04ef8b2e7e1a0f2d80c5e8f1fb1b9b0c9de93ef3d1b5c9a2d3a1f77
summary:
  description: How many certificates ended with each outcome.
  returned: when the targets could be read
  type: dict
  sample: {"unchanged": 4, "planned": 0, "applied": 176, "pending": 8, "refused": 0, "failed": 12, "unknown": 0, "not_attempted": 0}
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: when the targets could be read
  type: dict
  sample: {"requests": 489, "retries": 0, "seconds_waited": 7.7}
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
      sample: '\\VED\\Policy\\Certificates\\Retail\\Web\\web-0001.shop.example.com'
    outcome:
      description:
        - C(unchanged), no reset was required or it was left alone; C(planned), check mode, it would be reset; C(applied), TPP confirms the reset.
        - C(pending), the renewal goes on or waits for an approval; C(refused), a guard stopped it and nothing was written; C(failed), TPP said no,
          or the restarted renewal failed again.
        - C(unknown), it cannot be told whether the reset happened; C(not_attempted), the task stopped before.
      returned: always
      type: str
      sample: applied
    action:
      description: What was to be done; C(none), C(reset), C(reset and restart) or C(repair private key mismatch).
      returned: always
      type: str
      sample: reset and restart
    changed:
      description: Whether this run changed the object, or would do so.
      returned: always
      type: bool
      sample: true
    message:
      description: What was found or done, with the stage and the text of TPP.
      returned: always
      type: str
      sample: renewed; the new thumbprint is 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
    before:
      description: The processing state as it was found.
      returned: always
      type: dict
      sample:
        stage: 500
        stage_name: PostCSR
        status: "Post CSR failed with error: Cannot connect to the certificate authority (CA)."
        in_error: true
        in_process: false
        ticket_dn: null
        revocation: null
    after:
      description: The same fields afterwards; in check mode as they are expected.
      returned: always
      type: dict
      sample: {"stage": null, "stage_name": null, "status": null, "in_error": false, "in_process": false, "ticket_dn": null, "revocation": null}
    timed_out:
      description: Whether it was still pending when O(wait_timeout) was over.
      returned: always
      type: bool
      sample: false
    reversible:
      description: Whether and how the change can be undone.
      returned: always
      type: str
      sample: "Cannot be undone: the error state and any workflow ticket are gone. The certificate in use was not touched."
    error:
      description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id); null if nothing did.
      returned: always
      type: dict
      sample: null
    request_ids:
      description: Correlation ids of the vendor, when it gives any. TPP does not.
      returned: always
      type: list
      elements: str
      sample: []
    certificate_dn:
      description: The DN as TPP writes it.
      returned: when the certificate could be read
      type: str
      sample: '\\VED\\Policy\\Certificates\\Retail\\Web\\web-0001.shop.example.com'
    certificate_guid:
      description: The GUID of the object.
      returned: when the certificate could be read
      type: str
      sample: "{758b0593-2fe2-5cb0-a6fc-bfaae2310673}"
    thumbprint:
      description: The SHA-1 thumbprint of the current certificate; after waiting for a renewal, of the new one.
      returned: when the certificate could be read
      type: str
      sample: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
    management_type:
      description: The management type; null if the certificate was not read by itself.
      returned: when the certificate could be read
      type: str
      sample: Enrollment
    disabled:
      description: Whether processing is disabled; null if the certificate was not read by itself.
      returned: when the certificate could be read
      type: bool
      sample: false
    processing_reset:
      description: TPP says that it cleared the processing state.
      returned: when TPP answered the reset
      type: bool
      sample: true
    private_key_mismatch_reset:
      description: TPP says that it repaired a private key mismatch. The object may have no private key now.
      returned: when TPP answered the reset
      type: bool
      sample: false
    revocation_reset:
      description: TPP says that it cleared the revocation state.
      returned: when TPP answered the reset
      type: bool
      sample: false
    restarted:
      description: TPP says that it restarted the renewal.
      returned: when TPP answered the reset
      type: bool
      sample: true
diff:
  description: The processing state of what changed, before and after, by certificate.
  returned: in diff mode
  type: dict
  sample:
    before: {"web-0001": {"stage": 500, "in_error": true}}
    after: {"web-0001": {"stage": null, "in_error": false}}
error:
  description: What went wrong, if it was not one certificate but the whole task, with the same keys as RV(targets[].error).
  returned: on such a failure
  type: dict
  sample: {"kind": "untrusted", "message": "...", "status": null, "code": null, "detail": null, "request_id": null}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.certops.remediation.plugins.module_utils import engine, options
from ansible_collections.certops.remediation.plugins.module_utils.engine import Entry, Plan, Verdict
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, RemediationError
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_action
from ansible_collections.certops.remediation.plugins.module_utils.tpp import (
    CONNECTION_OPTIONS,
    STAGE_ENROLLED,
    STAGE_REVOCATION,
    CertificateRef,
    CertificateState,
    ResetAnswer,
    TppClient,
    certificate_ref,
    connect,
)

ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    options.BATCH_OPTIONS,
    options.WAIT_OPTIONS,
    {
        "certificate_dn": {"type": "str"},
        "certificates": {"type": "list", "elements": "raw"},
        "restart": {"type": "bool", "default": False},
        "renew": {"type": "bool", "default": False},
        "in_process": {"type": "str", "choices": ["leave", "refuse", "reset"], "default": "leave"},
        "revoked": {"type": "str", "choices": ["refuse", "leave", "reset"], "default": "refuse"},
        "check_private_key": {"type": "bool", "default": False, "no_log": False},
        "read_details": {"type": "bool", "default": True},
        "wait_for_approval": {"type": "bool", "default": False},
        "work_to_do_timeout": {"type": "int", "default": 0},
    },
)

CLEAN = {"stage": None, "stage_name": None, "status": None, "in_error": False, "in_process": False, "ticket_dn": None, "revocation": None}
# The first thing that TPP shows of a restarted renewal (recorded in VCert issue 273).
QUEUED = {**CLEAN, "stage": -1, "stage_name": "Queued", "status": "Queued for renewal", "in_process": True}
# A restart whose answer was lost may still be under way at TPP, and a second one would renew twice. A reset takes TPP a second or two.
LATE_RESTART_SECONDS = 15.0
NOT_REVERSIBLE = "Cannot be undone: the error state and any workflow ticket are gone. The certificate in use was not touched."


class CertificateReset(engine.Operation[CertificateRef, CertificateState]):
    """What Certificates/Reset needs to know and decide."""

    name = "tpp_certificate_reset"

    def __init__(self, client: TppClient, params: t.Mapping[str, t.Any]) -> None:
        self._client = client
        self.transport = client.transport
        self._restart: bool = params["restart"]
        self._renew: bool = params["renew"]
        self.late_effect_seconds = LATE_RESTART_SECONDS if self._restart else 0.0
        self._in_process: str = params["in_process"]
        self._revoked: str = params["revoked"]
        self._check_private_key: bool = params["check_private_key"]
        self._read_details: bool = params["read_details"]
        self._work_to_do_timeout: int = params["work_to_do_timeout"]
        self._wait: bool = params["wait"]
        self._wait_for_approval: bool = params["wait_for_approval"]
        self._seen: dict[str, CertificateRef] = {}

    def observe(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[CertificateState | RemediationError]:
        return self._read(targets, self._needs_details, by_list=not self._read_details)

    def poll(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[CertificateState | RemediationError]:
        # The list shows a new thumbprint; only why something failed again has to be read singly.
        return self._read(targets, lambda state: state.in_error, by_list=True)

    def _read(
        self, targets: t.Sequence[CertificateRef], need_details: t.Callable[[CertificateState], bool], *, by_list: bool
    ) -> t.Sequence[CertificateState | RemediationError]:
        states = self._client.states([self._seen.get(target.key, target) for target in targets], need_details=need_details, by_list=by_list)
        for target, state in zip(targets, states):
            if isinstance(state, CertificateState):
                self._seen[target.key] = CertificateRef(state.dn, state.guid)
        return states

    def _needs_details(self, state: CertificateState) -> bool:
        """Of a certificate that only the list's filters have shown so far."""
        # A clean object needs a closer look only where its revocation state decides something.
        return self._read_details and (state.processing or self._check_private_key or self._renew or self._revoked == "reset")

    def identity(self, state: CertificateState) -> str:
        return state.guid

    def describe(self, state: CertificateState) -> engine.Values:
        return {
            "certificate_dn": state.dn,
            "certificate_guid": state.guid,
            "thumbprint": state.thumbprint,
            "management_type": state.management_type,
            "disabled": state.disabled if state.detailed else None,
        }

    def plan(self, target: CertificateRef, state: CertificateState) -> Plan:
        before = _shown(state)

        def keep(outcome: str, message: str) -> Plan:
            return Plan(outcome, message, before=before, after=before)

        has_revocation = bool(state.revocation) or state.stage == STAGE_REVOCATION
        probe = not state.processing and not (has_revocation and self._revoked == "reset")
        newer = bool(target.thumbprint and state.thumbprint) and str(state.thumbprint).upper() != target.thumbprint
        if self._renew and newer and (state.in_error or not state.processing):
            more = f"; {_progress(state)}" if state.processing else ""
            return keep(engine.UNCHANGED, f"has another certificate already, with the thumbprint {state.thumbprint}{more}")
        if self._renew and not state.processing:
            return self._plan_renewal(target, state, keep)
        if probe and not self._check_private_key:
            return keep(engine.UNCHANGED, "no reset is required" + (f"; its revocation state ({state.revocation}) was left" if has_revocation else ""))
        if state.processing and not state.in_error:
            what = _progress(state)
            if self._in_process == "leave":
                return keep(engine.PENDING, f"{what}; left alone, because it is not in error (in_process=leave)")
            if self._in_process == "refuse":
                return keep(engine.REFUSED, f"{what}; refused, because a reset would cancel that (in_process=refuse)")
        if has_revocation and self._revoked != "reset":
            if self._revoked == "leave":
                return keep(engine.UNCHANGED, f"carries a revocation state ({state.revocation or state.stage_name}); left alone (revoked=leave)")
            return keep(
                engine.REFUSED,
                f"carries a revocation state ({state.revocation or state.stage_name}), which a reset would clear; leave it out, or set revoked=leave or "
                "revoked=reset",
            )
        if state.management_type == "Unassigned":
            return keep(engine.REFUSED, "its management type is Unassigned, and TPP resets no such certificate; assign one first")
        return Plan(
            engine.PLANNED,
            "would be asked whether its private key matches" if probe else f"would be reset{' and restarted' if self._restart else ''}: {_progress(state)}",
            action="repair private key mismatch" if probe else "reset and restart" if self._restart else "reset",
            before=before,
            after=before if probe else QUEUED if self._restart else CLEAN,
            reversible=NOT_REVERSIBLE,
            probe=probe,
        )

    def _plan_renewal(self, target: CertificateRef, state: CertificateState, keep: t.Callable[[str, str], Plan]) -> Plan:
        """Of a certificate that is at rest."""
        if not target.thumbprint:
            said = "its entry has no thumbprint, so nobody can tell whether it has been renewed already; give what tpp_certificate_info returns"
            return keep(engine.REFUSED, said)
        if not state.thumbprint:
            return keep(engine.REFUSED, "has no certificate that could be renewed")
        if state.management_type in ("Monitoring", "Unassigned"):
            return keep(engine.REFUSED, f"its management type is {state.management_type}, and TPP renews no such certificate; renew it where it was issued")
        if state.disabled:
            return keep(engine.REFUSED, "its processing is disabled in TPP; enable it first")
        shown = _shown(state)
        return Plan(engine.PLANNED, "would be renewed", action="renew", before=shown, after=QUEUED, reversible=NOT_REVERSIBLE)

    def apply(self, entries: t.Sequence[Entry[CertificateRef, CertificateState]]) -> t.Sequence[Verdict]:
        return [self._apply(entry) for entry in entries]

    def _apply(self, entry: Entry[CertificateRef, CertificateState]) -> Verdict:
        before = _state(entry)
        if entry.plan.action == "renew":
            self._client.renew(before.dn)
            return Verdict(engine.PENDING, "its renewal has begun", QUEUED, vendor={"restarted": True})
        answer = self._client.reset(before.dn, restart=self._restart, work_to_do_timeout=self._work_to_do_timeout)
        vendor = {
            "processing_reset": answer.processing,
            "private_key_mismatch_reset": answer.private_key_mismatch,
            "revocation_reset": answer.revocation,
            "restarted": answer.restart,
        }
        if answer.nothing:
            if entry.lost and entry.plan.probe:
                message = "its private key matches now; whether a mismatch was repaired cannot be told, because an answer was lost. Look whether it has a key"
                return Verdict(engine.UNKNOWN, message, _shown(before), vendor=vendor)
            if entry.lost:
                return Verdict(engine.APPLIED, "reset; the first answer was lost, and TPP now says that no reset is required", CLEAN, vendor=vendor)
            return Verdict(engine.UNCHANGED, "TPP says that no reset is required", _shown(before) if entry.plan.probe else CLEAN, vendor=vendor)
        if not answer.anything:
            return self._read_back(entry, vendor)
        done = _done(answer)
        if answer.restart:
            return Verdict(engine.PENDING, f"{done}; waits for the renewal to finish", QUEUED, vendor=vendor)
        if self._restart:
            done += "; TPP did not say that the renewal was restarted"
        # Without waiting, TPP's own list of what it did is the confirmation; with it, the object itself is.
        return Verdict(engine.PENDING if self._wait else engine.APPLIED, done, CLEAN, vendor=vendor)

    def _read_back(self, entry: Entry[CertificateRef, CertificateState], vendor: t.Mapping[str, t.Any]) -> Verdict:
        """TPP answered without saying what it did: the object decides."""
        now: CertificateState | RemediationError
        try:
            now = self.observe([entry.target])[0]
        except RemediationError as error:
            now = error
        if isinstance(now, RemediationError):
            return Verdict(engine.UNKNOWN, f"TPP did not say what it did, and reading it back failed ({now.message})", error=now, vendor=vendor)
        if now.in_error and (now.stage, now.status) == (_state(entry).stage, _state(entry).status):
            message = f"TPP accepted the reset, but looks as before: {_progress(now)}"
            return Verdict(engine.UNKNOWN if self._restart else engine.FAILED, message, _shown(now), vendor=vendor)
        if _shown(now) == entry.plan.before:
            return Verdict(engine.UNCHANGED, "TPP accepted the reset and had nothing to do", vendor=vendor)
        pending = now.processing or self._restart or self._wait
        vendor = {**vendor, "restarted": self._restart}
        return Verdict(engine.PENDING if pending else engine.APPLIED, f"reset; read back: {_progress(now)}", _shown(now), vendor=vendor)

    def resolve(self, entry: Entry[CertificateRef, CertificateState], state: CertificateState) -> Verdict:
        before = _state(entry)
        if entry.plan.probe:
            return Verdict(engine.REPEAT, "the answer was lost; asking again is safe, because TPP resets nothing that needs none")
        if entry.plan.action == "renew":
            return self._resolve_renewal(before, state)
        same_kind = (state.in_error, state.in_process) == (before.in_error, before.in_process)
        if same_kind and (not before.detailed or _shown(state) == _shown(before)):
            # After a long silence the restarted renewal may have failed again in the same way; after a broken connection it had no time to.
            certain = before.in_error and not (entry.lost and entry.lost.timed_out)
            if not self._restart or not before.processing or certain:
                return Verdict(engine.REPEAT, f"the answer was lost and the reset was not done: {_progress(state)}")
            message = "the answer was lost and the object looks as before: not restarted, or restarted and failed again. Run the task again"
            return Verdict(engine.UNKNOWN, f"{message} ({_progress(state)})", _shown(state))
        if state.in_error and not self._restart:
            return Verdict(engine.REPEAT, f"the answer was lost and it is in error: {_progress(state)}; to reset it once more does no harm")
        if state.in_error:
            return Verdict(engine.FAILED, f"reset (the answer was lost); failed again: {_progress(state)}", _shown(state), changed=True)
        if self._restart:
            return Verdict(engine.PENDING, f"reset and restarted (the answer was lost; read back: {_progress(state)})", _shown(state))
        return Verdict(engine.APPLIED, "reset (the answer was lost; read back)", _shown(state))

    def _resolve_renewal(self, before: CertificateState, state: CertificateState) -> Verdict:
        vendor = {"restarted": True, "thumbprint": state.thumbprint}
        if state.in_error:
            return Verdict(engine.FAILED, f"renewed (the answer was lost); failed: {_progress(state)}", _shown(state), changed=True)
        if state.thumbprint != before.thumbprint:
            return Verdict(engine.APPLIED, f"renewed (the answer was lost); the new thumbprint is {state.thumbprint}", _shown(state), vendor=vendor)
        if state.processing:
            return Verdict(engine.PENDING, f"its renewal has begun (the answer was lost; read back: {_progress(state)})", _shown(state), vendor=vendor)
        # Some servers show a queued renewal nowhere.
        return Verdict(engine.UNKNOWN, "the answer was lost, and TPP shows no renewal (yet). Run the task again after a while", _shown(state), vendor=vendor)

    def settle(self, entry: Entry[CertificateRef, CertificateState], state: CertificateState) -> Verdict:
        before = _state(entry)
        if state.in_error:
            return Verdict(engine.FAILED, f"failed {'again' if entry.changed else 'meanwhile'}: {_progress(state)}", _shown(state))
        renewed = bool(state.thumbprint) and state.thumbprint != before.thumbprint
        vendor = {"thumbprint": state.thumbprint}
        if renewed and (not state.processing or (state.stage or 0) >= STAGE_ENROLLED):
            return Verdict(engine.APPLIED, f"renewed; the new thumbprint is {state.thumbprint}", _shown(state), vendor=vendor)
        restarted = entry.changed and entry.vendor.get("restarted", self._restart)
        if not state.processing and not restarted:
            return Verdict(engine.APPLIED, "reset and read back: OK" if entry.changed else "no longer in process", _shown(state), vendor=vendor)
        if state.awaits_approval and not self._wait_for_approval:
            return Verdict(engine.PENDING, f"{_progress(state)}; somebody has to approve or reject the workflow ticket in TPP", _shown(state), final=True)
        # A queued renewal may show nothing at all, so only a new certificate ends this.
        return Verdict(engine.PENDING, f"waits for the renewal: {_progress(state)}", _shown(state))


def _state(entry: Entry[CertificateRef, CertificateState]) -> CertificateState:
    if entry.state is None:
        raise ValueError("a step was planned for a certificate that was not observed")
    return entry.state


def _shown(state: CertificateState) -> dict[str, t.Any]:
    """The fields that a reset changes."""
    return {name: getattr(state, name) for name in CLEAN}


def _progress(state: CertificateState) -> str:
    """Where processing stands, in words."""
    if not state.processing:
        return "no processing state"
    stage = "" if state.stage is None else f" at stage {state.stage} ({state.stage_name})"
    waiting = "waits for approval" if state.awaits_approval else "in process"
    return ("in error" if state.in_error else waiting) + stage + (f": {state.status}" if state.status else "")


def _done(answer: ResetAnswer) -> str:
    """What TPP says it did."""
    parts = {
        "processing state reset": answer.processing,
        "private key mismatch repaired (the object may have no private key now)": answer.private_key_mismatch,
        "revocation state cleared": answer.revocation,
        "renewal restarted": answer.restart,
    }
    return ", ".join(text for text, done in parts.items() if done)


def build(task: Task) -> tuple[CertificateReset, list[CertificateRef]]:
    """The operation and its targets from the options.

    :raises InputError: an option cannot work.
    """
    params = task.params
    options.check_range(params, "work_to_do_timeout", 0, 120)
    if not params["read_details"] and params["revoked"] != "reset":
        raise InputError("read_details", "without details nobody knows what is revoked; set revoked=reset to accept that its revocation state is cleared")
    if params["renew"] and not params["restart"]:
        raise InputError("renew", "needs restart=true, which is for those of the certificates that have to be reset first")
    if params["check_private_key"] and params["restart"]:
        raise InputError("check_private_key", "cannot be combined with restart=true, because a queued renewal that TPP does not show would be restarted again")
    if bool(params.get("certificate_dn")) == (params.get("certificates") is not None):
        raise InputError("certificate_dn, certificates", "exactly one of the two is needed")
    if params.get("certificate_dn"):
        targets = [certificate_ref("certificate_dn", params["certificate_dn"])]
    else:
        targets = [certificate_ref(f"certificates[{index}]", given) for index, given in enumerate(params["certificates"] or [])]
    client = connect(params, read_only=task.check_mode, secrets=task.secrets, warn=task.warn)
    return CertificateReset(client, params), targets


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=ARGUMENT_SPEC,
        supports_check_mode=True,
    )
    run_action(module, ARGUMENT_SPEC, build)


if __name__ == "__main__":
    main()
