#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: keyfactor_certificate_revoke
short_description: Revoke certificates through Keyfactor Command, put them on hold, or release them
version_added: 0.2.0
author:
  - certops.remediation contributors (@certops)
description:
  - Revokes certificates in Keyfactor Command, puts them on hold or releases them from hold, one or thousands of them.
  - All certificates are read and planned before the first one is revoked. If any of them cannot be acted on, none is, unless
    O(continue_on_error=true).
  - A certificate counts as revoked only when Command lists it as such or shows it so. A success of the request alone means nothing, because a
    revocation that waits for an approval is answered in the same way; it is C(pending), with the workflow that it waits for.
  - What is revoked already, and what waits for an approval already, is left alone, so the module can be run again at any time. After a lost
    answer or an error, each certificate in doubt is read by itself before anything is said or repeated.
  - The bulk call C(RevokeAll) is never used. A O(query) is turned into certificates first, which are counted and listed.
options:
  certificates:
    description:
      - The certificates to act on. Each is an id of Command, a SHA-1 thumbprint, or a mapping with V(id), V(thumbprint), or V(serial) and
        V(issuer); other keys of it are ignored, so the RV(certops.remediation.keyfactor_certificate_info#module:certificates) of
        M(certops.remediation.keyfactor_certificate_info) can be given as it is.
      - Thumbprints are read many at a time, ids one by one.
      - An empty list is fine and changes nothing. What is listed twice is acted on once.
      - Exactly one of O(certificates) and O(query) is needed.
    type: list
    elements: raw
  query:
    description:
      - A search in the query language of Command, such as V(IssuedCN -eq "www.example.com"). Every certificate that matches is acted on,
        including expired ones and those that are revoked already.
    type: str
  query_limit:
    description:
      - Refuse the whole task if O(query) matches more certificates than this.
    type: int
    default: 1000
  state:
    description:
      - With V(revoked), the certificates are revoked for good, for O(reason). What is on hold becomes revoked.
      - With V(on_hold), they are put on hold (reason certificateHold), which can be undone.
      - With V(released), those on hold are released and valid again. What is revoked for good cannot be released and is refused.
    type: str
    choices: [revoked, on_hold, released]
    default: revoked
  reason:
    description:
      - Why, by the name of RFC 5280 in any of its usual spellings, or by its number. Only with O(state=revoked).
      - Command knows V(unspecified), V(key_compromise), V(ca_compromise), V(affiliation_changed), V(superseded) and V(cessation_of_operation).
      - A certificate that is revoked already keeps its reason; the module warns if it is another one.
    type: str
    default: unspecified
  comment:
    description:
      - The text that Command keeps with the revocation.
      - Without it, the name of the play and of the AWX job.
    type: str
  effective_date:
    description:
      - From when on it is revoked, V(2026-11-30) or ISO 8601 with a time zone. Without it, at once.
      - A moment in the past says since when the key may not be trusted. It may be at most 10 years away.
    type: str
  deployed:
    description:
      - What to do with a certificate that Command still finds deployed in a certificate store or on an endpoint.
      - With V(ignore), nobody asks for the places; with V(report), they are told; with V(refuse), such a certificate is refused.
      - It has no effect on O(state=released).
    type: str
    choices: [ignore, report, refuse]
    default: report
  expired:
    description:
      - What to do with a certificate that is not valid any more. With V(leave), it is left alone; with V(act), it is treated like the others.
    type: str
    choices: [leave, act]
    default: leave
  not_found:
    description:
      - With V(fail), a certificate that Command does not know or does not show to these credentials fails; with V(ignore), it counts as
        unchanged.
    type: str
    choices: [fail, ignore]
    default: fail
  allow:
    description:
      - Kinds of certificates that are refused unless they are named here. V(ca) are those of authorities. The others are states of Command in
        which no issued certificate is known, so that there may be nothing to revoke.
    type: list
    elements: str
    choices: [ca, unknown, denied, failed, pending, external_validation]
    default: []
  pending_approvals:
    description:
      - Whether to look for revocations that wait for an approval already, which needs the permission to read workflow instances.
      - With V(require), the task fails without that permission; with V(try), it warns; with V(ignore), nobody looks.
      - Without looking, a second run asks for the same revocation again.
    type: str
    choices: [require, try, ignore]
    default: try
  wait_for_approval:
    description:
      - With O(wait=true), also wait for what a person must approve first. Otherwise such a certificate ends as C(pending) and does not fail the
        task.
    type: bool
    default: false
  batch_size:
    description:
      - How many certificates one request may carry, from 1 to 500. Command needs about a second for each of them, so take fewer if something
        between here and the server gives up on slow answers.
      - With V(1), Command tells of each certificate by itself why it refuses it.
    type: int
    default: 50
extends_documentation_fragment:
  - certops.remediation.keyfactor
  - certops.remediation.connection
  - certops.remediation.batch
  - certops.remediation.wait
  - certops.remediation.attributes
  - certops.remediation.attributes.keyfactor
attributes:
  check_mode:
    support: full
    details:
      - Sends only requests that read. It cannot know whether a revocation will need an approval, what the authority will refuse, nor whether
        the credentials may revoke.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - With O(pending_approvals=ignore), or without the permission to read workflow instances, a revocation that waits for an approval is asked
        for again.
notes:
  - Revoking a certificate does not take it out of use where nobody looks at the CRL or asks OCSP, and a CRL may take hours to be published.
seealso:
  - module: certops.remediation.keyfactor_certificate_info
  - name: Keyfactor Command, POST Certificates Revoke
    description: The call behind this module.
    link: https://software.keyfactor.com/Core-OnPrem/v11.3/Content/WebAPI/KeyfactorAPI/CertificatesPostRevoke.htm
"""

EXAMPLES = r"""
- name: Find every certificate of a name
  certops.remediation.keyfactor_certificate_info:
    common_name: ["node-003.shop.example.com"]
  register: found

- name: Put them on hold while it is being looked into
  certops.remediation.keyfactor_certificate_revoke:
    certificates: "{{ found.certificates }}"
    state: on_hold
    comment: INC-4711, key may have leaked

- name: The key has leaked, so revoke them for good
  certops.remediation.keyfactor_certificate_revoke:
    certificates: "{{ found.certificates }}"
    reason: key_compromise
    comment: INC-4711
    max_changes: 10
    wait: true

- name: Revoke what a query finds, but nothing that is still deployed
  certops.remediation.keyfactor_certificate_revoke:
    query: 'IssuedCN -eq "node-004.shop.example.com" AND CertState -eq 1'
    query_limit: 20
    reason: superseded
    deployed: refuse

- name: Put one on hold
  certops.remediation.keyfactor_certificate_revoke:
    query: 'IssuedCN -eq "node-005.shop.example.com"'
    state: on_hold

- name: False alarm, release it again
  certops.remediation.keyfactor_certificate_revoke:
    query: 'IssuedCN -eq "node-005.shop.example.com"'
    state: released
"""

RETURN = r"""
url:
  description: The address of the server that was asked.
  returned: when the targets could be read
  type: str
  sample: https://keyfactor.example.com
plan_digest:
  description: A fingerprint of what would be or was done to what. Give it to O(plan_digest) to apply this plan and no other.
  returned: when the targets could be read
  type: str
  sample: sha256:b6f4b1e0b04ef8b2e7e1a0f2d80c5e8f1fb1b9b0c9de93ef3d1b5c9a2d3a1f77
summary:
  description: How many certificates ended with each outcome.
  returned: when the targets could be read
  type: dict
  sample: {"unchanged": 5, "planned": 0, "applied": 49, "pending": 4, "refused": 0, "failed": 2, "unknown": 0, "not_attempted": 0}
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: when the targets could be read
  type: dict
  sample: {"requests": 14, "retries": 0, "seconds_waited": 0.0}
targets:
  description: One entry for each of the given certificates, in the order given.
  returned: when the targets could be read
  type: list
  elements: dict
  contains:
    target:
      description: The certificate as it was given; with its name where the entry held one.
      returned: always
      type: str
      sample: node-003.shop.example.com (1003)
    outcome:
      description:
        - C(unchanged), it is so already or was left alone; C(planned), check mode, it would be changed; C(applied), Command lists it or shows it so.
        - C(pending), the revocation waits for an approval, for its effective date, or for the record to show it; C(refused), a guard stopped it
          and nothing was written; C(failed), Command or the authority said no.
        - C(unknown), it cannot be told whether it is revoked; C(not_attempted), the task stopped before.
      returned: always
      type: str
      sample: applied
    action:
      description: What was to be done, such as C(none), C(revoke (key_compromise)), C(put on hold), C(release) or C(revoke (superseded) from hold).
      returned: always
      type: str
      sample: revoke (key_compromise)
    changed:
      description: Whether this run changed something at Command, or would do so. To ask for a revocation that then waits for an approval is a change.
      returned: always
      type: bool
      sample: true
    message:
      description: What was found or done, in the words of Command where it had any.
      returned: always
      type: str
      sample: "revoked; it is still deployed at lb01.example.com: /config/ssl"
    before:
      description: The revocation state as it was found.
      returned: always
      type: dict
      sample: {"state": "active", "reason": null, "effective_date": null, "comment": null}
    after:
      description: The same fields afterwards, read back; in check mode as they are expected, with C(now) for a date that only Command will know.
      returned: always
      type: dict
      sample: {"state": "revoked", "reason": "key_compromise", "effective_date": "2026-11-22T19:04:27Z", "comment": "INC-4711"}
    timed_out:
      description: Whether it was still pending when O(wait_timeout) was over.
      returned: always
      type: bool
      sample: false
    reversible:
      description: Whether and how the change can be undone.
      returned: always
      type: str
      sample: Cannot be undone.
    error:
      description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id); null if nothing did.
      returned: always
      type: dict
      sample: null
    request_ids:
      description: Correlation ids of Command for answers that were errors.
      returned: always
      type: list
      elements: str
      sample: []
    id:
      description: The id of the certificate in Command.
      returned: when the certificate could be read
      type: int
      sample: 1003
    thumbprint:
      description: The SHA-1 thumbprint.
      returned: when the certificate could be read
      type: str
      sample: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
    serial:
      description: The serial number in hexadecimal.
      returned: when the certificate could be read
      type: str
      sample: 5F60A8DC5F185C03BE84FE59C12F6E0C
    common_name:
      description: The common name.
      returned: when the certificate could be read
      type: str
      sample: node-003.shop.example.com
    issuer:
      description: The DN of the issuer.
      returned: when the certificate could be read
      type: str
      sample: CN=Example Issuing CA 1,O=Example Corp,C=US
    not_after:
      description: When it expires.
      returned: when the certificate could be read
      type: str
      sample: "2027-11-22T19:04:27Z"
    locations:
      description: Where Command finds it deployed, unless O(deployed=ignore).
      returned: when the certificate could be read
      type: list
      elements: str
      sample: ["lb01.example.com: /config/ssl (shop)"]
    pending_approval:
      description: Whether its revocation waits for an approval.
      returned: when the certificate could be read
      type: bool
      sample: false
    workflow_id:
      description: The GUID of the workflow instance that it waits for; null if there is none.
      returned: when the certificate could be read
      type: str
      sample: null
diff:
  description: The revocation state of what changed, before and after, by certificate.
  returned: in diff mode
  type: dict
  sample:
    before: {"node-003.shop.example.com (1003)": {"state": "active", "reason": null}}
    after: {"node-003.shop.example.com (1003)": {"state": "revoked", "reason": "key_compromise"}}
error:
  description: What went wrong, if it was not one certificate but the whole task, with the same keys as RV(targets[].error).
  returned: on such a failure
  type: dict
  sample: {"kind": "untrusted", "message": "...", "status": null, "code": null, "detail": null, "request_id": null}
"""

import dataclasses
import datetime
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.certops.remediation.plugins.module_utils import engine, options
from ansible_collections.certops.remediation.plugins.module_utils.engine import Entry, Plan, Verdict
from ansible_collections.certops.remediation.plugins.module_utils.errors import AuthorizationError, InputError, RemediationError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.keyfactor import (
    CONNECTION_OPTIONS,
    REASON_HOLD,
    REASON_RELEASE,
    STATE_ACTIVE,
    STATE_REVOKED,
    CertificateRef,
    CertificateState,
    KeyfactorClient,
    Revocation,
    RevokeAnswer,
    certificate_ref,
    connect,
    state_of,
    wire_date,
)
from ansible_collections.certops.remediation.plugins.module_utils.pacing import backoff
from ansible_collections.certops.remediation.plugins.module_utils.records import text_of
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.revocation import REASONS, reason_code, reason_name
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_action

ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    options.BATCH_OPTIONS,
    options.WAIT_OPTIONS,
    {
        "certificates": {"type": "list", "elements": "raw"},
        "query": {"type": "str"},
        "query_limit": {"type": "int", "default": 1000},
        "state": {"type": "str", "choices": ["revoked", "on_hold", "released"], "default": "revoked"},
        "reason": {"type": "str", "default": "unspecified"},
        "comment": {"type": "str"},
        "effective_date": {"type": "str"},
        "deployed": {"type": "str", "choices": ["ignore", "report", "refuse"], "default": "report"},
        "expired": {"type": "str", "choices": ["leave", "act"], "default": "leave"},
        "not_found": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
        "allow": {
            "type": "list",
            "elements": "str",
            "choices": ["ca", "unknown", "denied", "failed", "pending", "external_validation"],
            "default": [],
        },
        "pending_approvals": {"type": "str", "choices": ["require", "try", "ignore"], "default": "try"},
        "wait_for_approval": {"type": "bool", "default": False},
        "batch_size": {"type": "int", "default": 50},
    },
)

# Command's reasons for a final revocation (vendor page POST Certificates Revoke). 6 is a hold, 7, 8 and -1 take something off a list.
FINAL_REASONS = range(0, 6)
# As much of a comment as is read back.
COMMENT_SHOWN = 400
DEFAULT_COMMENT = "Ansible, collection certops.remediation"
MAX_YEARS_AWAY = 10
# Command may still be at work on a request whose answer was lost.
LATE_REVOCATION_SECONDS = 10.0
# For how many seconds to look whether a record shows what Command has just accepted, when nobody waits for it.
PATIENCE = 5.0
ALREADY_REVOKED = "has previously been revoked"
REVERSIBLE = {
    "revoked": "Cannot be undone.",
    "on_hold": "Can be undone with state=released, as long as nobody revokes it for good.",
    "released": "Can be undone with state=on_hold.",
}
NO_RIGHT = (
    "Whether revocations wait for an approval already cannot be seen, because these credentials may not read workflow instances; such a revocation would "
    "be asked for again. Give them the permission, or set pending_approvals=ignore"
)


class CertificateRevoke(engine.Operation[CertificateRef, CertificateState]):
    """What Certificates/Revoke needs to know and decide."""

    name = "keyfactor_certificate_revoke"

    def __init__(self, client: KeyfactorClient, params: t.Mapping[str, t.Any], warn: t.Callable[[str], None]) -> None:
        self._client = client
        self._warn = warn
        self.transport = client.transport
        self.late_effect_seconds = LATE_REVOCATION_SECONDS
        self.batch_size = params["batch_size"]
        self._wanted: str = params["state"]
        self._reason: int = {"revoked": params["reason"], "on_hold": REASON_HOLD, "released": REASON_RELEASE}[self._wanted]
        self._comment: str = params["comment"] or DEFAULT_COMMENT
        self._effective: str | None = params["effective_date"]
        self._deployed: str = params["deployed"]
        self._expired: str = params["expired"]
        self._ignore_missing = params["not_found"] == "ignore"
        self._allow: frozenset[str] = frozenset(params["allow"])
        self._approvals: str = params["pending_approvals"]
        self._wait: bool = params["wait"]
        self._wait_for_approval: bool = params["wait_for_approval"]
        self._details = () if self._deployed == "ignore" else ("includeLocations",)
        self._seen: dict[str, CertificateRef] = {}
        self._told_of_reasons = False
        # What was in a request for several that went wrong, and was then asked for by itself.
        self._repeated: set[str] = set()
        self._found: dict[str, dict[str, t.Any]] = {}

    # -- observe -------------------------------------------------------------------------------------------------------------------

    def expand(self, query: str, limit: int) -> list[CertificateRef]:
        """The certificates that a query matches.

        :raises InputError: there are more than ``limit``.
        """
        self._client.check_queries()
        records, total = self._client.search(query, details=self._details, limit=limit + 1)
        if len(records) > limit:
            raise InputError("query", f"matches at least {max(total, len(records))} certificates, {limit} are allowed; narrow it, or raise query_limit")
        refs = [certificate_ref("query", {**record, "common_name": record.get("issuedcn") or None, "serial": None}) for record in records]
        # What has just been read need not be read once more to be planned.
        self._found = {ref.key: record for ref, record in zip(refs, records)}
        return refs

    def observe(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[CertificateState | RemediationError]:
        states = self._read(targets)
        self._warn_of_reasons([state for state in states if isinstance(state, CertificateState)])
        return states

    def _warn_of_reasons(self, states: t.Sequence[CertificateState]) -> None:
        others = [state for state in states if state.exists and self._wanted == "revoked" and self._is_so(state) and state.reason not in (None, self._reason)]
        if others and not self._told_of_reasons:
            self._told_of_reasons = True
            told = ", ".join(f"{state.common_name or state.id} ({reason_name(state.reason)})" for state in others[:3])
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            self._warn(f"revoked already for another reason than {reason_name(self._reason)}, which Command cannot change: {told}{more}")

    def look_again(self, targets: t.Sequence[CertificateRef]) -> t.Sequence[CertificateState | RemediationError]:
        return self._read(targets, singly=True)

    def _read(self, targets: t.Sequence[CertificateRef], *, singly: bool = False) -> list[CertificateState | RemediationError]:
        known, self._found = self._found, {}
        asked = [target for target in targets if target.key not in known]
        refs = [self._seen.get(target.key, target) for target in asked]
        read = dict(zip((target.key for target in asked), self._client.records(refs, self._details, singly=singly)))
        found = [known[target.key] if target.key in known else read[target.key] for target in targets]
        now = datetime.datetime.now(datetime.timezone.utc)
        states: list[CertificateState | RemediationError] = []
        for target, record in zip(targets, found):
            if isinstance(record, RemediationError):
                absent = record.status == 404 and not record.fatal and self._ignore_missing
                states.append(dataclasses.replace(_ABSENT, thumbprint=target.key) if absent else record)
                continue
            state = self._with_history(state_of(record, now))
            self._seen[target.key] = CertificateRef(id=state.id, thumbprint=state.thumbprint, shown=target.label)
            states.append(state)
        if any(isinstance(state, CertificateState) and state.exists and (self._wanted == "released" or not self._is_so(state)) for state in states):
            pending = self._pending()
            states = [dataclasses.replace(state, pending=pending.get(state.id)) if isinstance(state, CertificateState) else state for state in states]
        return states

    def _with_history(self, state: CertificateState) -> CertificateState:
        """Until a later date has come, the record of a certificate may show nothing of its revocation; its history does."""
        if state.state != STATE_ACTIVE or state.date or not (self._effective and _is_future(self._effective)):
            return state
        try:
            events = self._client.history(state.id)
        except AuthorizationError as error:
            error.message += ". Whether a revocation for a later date was asked for already shows only there; get this permission, or leave effective_date out"
            raise
        told = [(text_of(event, "operationstart"), text_of(event, "action").lower(), text_of(event, "comment")) for event in events]
        # The last word counts: what was released since, denied or failed, is not on its way.
        words = [event for event in sorted(told) if any(word in event[1] for word in ("revo", "hold", "release", "remove"))]
        when, action, comment = words[-1] if words else ("", "", "")
        if "revo" in action and not any(word in action for word in ("den", "fail", "reject", "hold")) and comment and self._is_ours(comment):
            return dataclasses.replace(state, accepted=when or "an unknown time")
        return state

    def _pending(self) -> t.Mapping[int, Revocation]:
        """By certificate id, the revocations that wait for an approval."""
        if self._approvals == "ignore":
            return {}
        try:
            return self._client.suspended_revocations()
        except AuthorizationError as error:
            if self._approvals == "require":
                raise InputError("pending_approvals", f"{NO_RIGHT} ({error.message})") from None
            self._approvals = "ignore"
            self._warn(NO_RIGHT)
            return {}
        except VendorError as error:
            error.message += ". To go on without looking for revocations that wait for an approval, set pending_approvals=ignore"
            raise

    def identity(self, state: CertificateState) -> str:
        return str(state.id) if state.exists else state.thumbprint

    def describe(self, state: CertificateState) -> engine.Values:
        shown = ("id", "thumbprint", "serial", "common_name", "issuer", "not_after")
        if not state.exists:
            return {}
        return {**{name: getattr(state, name) for name in shown}, "locations": list(state.locations), **_waiting(state.pending)}

    # -- plan ----------------------------------------------------------------------------------------------------------------------

    def _is_so(self, state: CertificateState) -> bool:
        """Whether the certificate is as it is wanted."""
        if not state.exists:
            return True
        if self._wanted == "released":
            return state.state == STATE_ACTIVE
        return state.state == STATE_REVOKED and (self._wanted == "on_hold" or not state.on_hold)

    def plan(self, target: CertificateRef, state: CertificateState) -> Plan:
        before = _shown(state)

        def keep(outcome: str, message: str) -> Plan:
            return Plan(outcome, message, before=before, after=before)

        if not state.exists:
            return Plan(engine.UNCHANGED, "Command does not know it, or does not show it to these credentials (not_found=ignore)")
        if state.pending and (self._wanted == "released" or not self._is_so(state)):
            return keep(*self._open(state.pending))
        if self._is_so(state):
            return keep(engine.UNCHANGED, self._settled(state))
        if self._wanted == "released" and not state.on_hold:
            found = f"is revoked for good ({_why(state)})" if state.state == STATE_REVOKED else f"is in the state {state.state_name}"
            return keep(engine.REFUSED, f"{found}, not on hold, so it cannot be released; leave it out")
        if state.scheduled:
            return keep(engine.PENDING, f"its revocation {_later(state)}; not asked for again")
        if state.expired and self._expired == "leave":
            return keep(engine.UNCHANGED, f"has expired ({state.not_after}); left alone (expired=leave)")
        kind = "ca" if state.is_ca else state.state_name
        if kind not in ("active", "on_hold") and kind not in self._allow:
            what = "is the certificate of an authority" if state.is_ca else f"is in the state {kind}, so there may be no issued certificate to revoke"
            return keep(engine.REFUSED, f"{what}; leave it out" + (f", or allow it with allow={kind}" if kind in ALLOWABLE else ""))
        places = f"it is still deployed at {_some(state.locations)}" if state.locations and self._wanted != "released" else ""
        if places and self._deployed == "refuse":
            return keep(engine.REFUSED, f"{places} (deployed=refuse); replace it there first, or set deployed=report")
        return Plan(
            engine.PLANNED,
            f"would {self._action(state)}" + (f"; {places}" if places else ""),
            action=self._action(state),
            before=before,
            after=self._after(),
            reversible=REVERSIBLE[self._wanted],
        )

    def _open(self, pending: Revocation) -> tuple[str, str]:
        """Outcome and message where something waits for an approval already."""
        what = f"its {_asked(pending)} {_approval(pending)}"
        if pending.reason != self._reason and REASON_RELEASE in (pending.reason, self._reason):
            return engine.REFUSED, f"{what}; have that denied in Command first"
        if self._wanted == "revoked" and pending.reason == REASON_HOLD:
            return engine.PENDING, f"only {what}; the revocation itself is not asked for before that has ended, so run the task again then"
        return engine.PENDING, f"{what}; not asked for again"

    def _settled(self, state: CertificateState) -> str:
        if self._wanted == "released":
            return "is not on hold"
        if self._wanted == "on_hold":
            return "is on hold" if state.on_hold else f"is revoked for good ({_why(state)}), which is more than a hold"
        if state.reason is not None and state.reason != self._reason:
            return f"is revoked already, but for another reason ({_why(state)}), which Command cannot change"
        unknown = "; Command does not tell for which reason, so it may be on hold only" if state.reason is None else ""
        return f"is revoked already ({_why(state)}){unknown}"

    def _action(self, state: CertificateState) -> str:
        if self._wanted != "revoked":
            action = "put on hold" if self._wanted == "on_hold" else "release"
        else:
            action = f"revoke ({reason_name(self._reason)})" + (" from hold" if state.on_hold else "")
        return action + (f" as of {self._effective}" if self._effective else "")

    def _after(self) -> dict[str, t.Any]:
        if self._wanted == "released":
            return {"state": "active", "reason": None, "effective_date": None, "comment": None}
        return {"state": self._wanted, "reason": reason_name(self._reason), "effective_date": self._effective or "now", "comment": self._comment}

    # -- apply ---------------------------------------------------------------------------------------------------------------------

    def apply(self, entries: t.Sequence[Entry[CertificateRef, CertificateState]]) -> t.Sequence[Verdict]:
        ids = [_state(entry).id for entry in entries]
        answer = self._client.revoke(ids, reason=self._reason, comment=self._comment, effective_date=self._effective)
        listed = answer.revoked or frozenset()
        silent = answer.revoked is None and answer.error is None
        # Of a request for several, an error or a missing id says nothing of the others: those are read one by one.
        doubtful = [entry for entry, number in zip(entries, ids) if number not in listed and number not in answer.suspended]
        # One that was refused by itself is not done; of several, some may be done and not shown yet.
        look = self._look_until_so if silent or len(entries) > 1 or answer.error is None else self._look
        states = dict(zip((id(entry) for entry in doubtful), look([entry.target for entry in doubtful], singly=True)))
        sure = [entry for entry, number in zip(entries, ids) if number in listed]
        states.update(zip((id(entry) for entry in sure), self._look_until_so([entry.target for entry in sure], singly=False)))
        verdicts = []
        for entry, number in zip(entries, ids):
            if number in answer.suspended:
                message = f"its revocation {_approval(answer.suspended[number])}"
                verdicts.append(Verdict(engine.PENDING, message, entry.plan.before, vendor=_waiting(answer.suspended[number])))
            elif number in listed:
                verdicts.append(self._listed(entry, states[id(entry)]))
            else:
                verdicts.append(self._doubtful(entry, states[id(entry)], answer, alone=len(entries) > 1))
        return verdicts

    def _look(self, targets: t.Sequence[CertificateRef], *, singly: bool) -> list[CertificateState | RemediationError]:
        """Read after a write: an error takes nothing back."""
        try:
            return self._read(targets, singly=singly) if targets else []
        except RemediationError as error:
            return [error] * len(targets)

    def _look_until_so(self, targets: t.Sequence[CertificateRef], *, singly: bool) -> list[CertificateState | RemediationError]:
        """Read back what Command has accepted. A record may lag behind for a moment."""
        states = self._look(targets, singly=singly)
        ends = time.monotonic() + (0.0 if self._wait else PATIENCE)
        attempt = 0
        while time.monotonic() < ends:
            late = [number for number, state in enumerate(states) if isinstance(state, CertificateState) and self._is_late(state)]
            if not late:
                break
            attempt += 1
            self.transport.pacer.wait(min(backoff(attempt), max(0.0, ends - time.monotonic())))
            for number, state in zip(late, self._look([targets[number] for number in late], singly=singly)):
                states[number] = state
        return states

    def _is_late(self, state: CertificateState) -> bool:
        return not (self._is_so(state) or state.pending or state.scheduled or (self._effective and _is_future(self._effective)))

    def _listed(self, entry: Entry[CertificateRef, CertificateState], now: CertificateState | RemediationError) -> Verdict:
        """Command lists it as done."""
        if isinstance(now, RemediationError):
            return Verdict(engine.APPLIED, f"{self._done(entry)}; Command lists it, but it could not be read back ({now.message})", error=now)
        if self._is_so(now):
            return Verdict(engine.APPLIED, self._done(entry), _shown(now))
        if now.scheduled:
            return Verdict(engine.PENDING, f"its revocation {_later(now)}", _shown(now), final=True)
        if self._effective and _is_future(self._effective):
            return Verdict(engine.PENDING, f"Command has accepted it for {self._effective}; until then nothing shows it", _shown(now), final=True)
        message = f"{self._done(entry)}; Command lists it, but its record does not show it yet"
        return Verdict(engine.PENDING if self._wait else engine.APPLIED, message)

    def _doubtful(
        self, entry: Entry[CertificateRef, CertificateState], now: CertificateState | RemediationError, answer: RevokeAnswer, *, alone: bool
    ) -> Verdict:
        """Command did not say of this one that it is done: the record decides."""
        error = answer.error
        said = error.detail or error.message if error else "Command answered without naming it"
        if isinstance(now, RemediationError):
            message = f"{said}. Whether it was done is not known, because reading it back failed ({now.message}); run the task again"
            return Verdict(engine.UNKNOWN, message, error=now)
        silent = answer.revoked is None and error is None
        if self._is_so(now) and silent:
            return Verdict(engine.APPLIED, f"{self._done(entry)} (read back)", _shown(now))
        refused = error is not None and ALREADY_REVOKED in said.lower()
        if self._is_so(now) and refused and not alone and entry.target.key not in self._repeated:
            return Verdict(engine.UNCHANGED, f"somebody else has done it meanwhile ({_why(now)}, {now.comment!r})", _shown(now))
        if self._is_so(now) or now.pending or now.scheduled:
            return self.resolve(entry, now)
        if silent:
            return self._unconfirmed(now)
        if alone:
            self._repeated.add(entry.target.key)
            return Verdict(engine.REPEAT, f"{said}; read back: {now.state_name}", error=error, alone=True)
        if refused and not now.on_hold:
            message = f"the authority says that it was revoked before, but Command shows it as {now.state_name}"
            remedy = "have Command synchronize with the authority, then run again"
            return Verdict(engine.UNKNOWN, f"{message}; {remedy} ({said})", _shown(now), changed=entry.target.key in self._repeated, error=error)
        return Verdict(engine.FAILED, f"not done: {said}", _shown(now), error=error)

    def _unconfirmed(self, now: CertificateState) -> Verdict:
        message = "Command answered with success and without a word, and its record does not show it"
        if self._effective and _is_future(self._effective):
            return Verdict(engine.PENDING, f"{message} before {self._effective}", _shown(now), final=True)
        if self._wait:
            return Verdict(engine.PENDING, f"{message} yet", _shown(now))
        return Verdict(engine.UNKNOWN, f"{message}; run the task again to see", _shown(now))

    def _done(self, entry: Entry[CertificateRef, CertificateState]) -> str:
        places = _state(entry).locations
        done = {"revoked": "revoked", "on_hold": "put on hold", "released": "released from hold"}[self._wanted]
        return done + (f"; it is still deployed at {_some(places)}" if places and self._wanted != "released" else "")

    # -- resolve and settle --------------------------------------------------------------------------------------------------------

    def resolve(self, entry: Entry[CertificateRef, CertificateState], state: CertificateState) -> Verdict:
        """Whose doing it is shows in the comment, which every revocation of this collection carries."""
        if state.pending:
            ours = self._is_ours(state.pending.comment) and state.pending.reason in (None, self._reason)
            message = f"its revocation {_approval(state.pending)}" + ("" if ours else "; somebody else has asked for it meanwhile")
            return Verdict(engine.PENDING, message, _shown(state), changed=ours, vendor=_waiting(state.pending))
        if self._is_so(state):
            ours = self._wanted == "released" or (self._is_ours(state.comment) and state.reason in (None, self._reason))
            if ours:
                return Verdict(engine.APPLIED, f"{self._done(entry)} (read back)", _shown(state))
            return Verdict(engine.UNCHANGED, f"somebody else has done it meanwhile ({_why(state)}, {state.comment!r})", _shown(state))
        if state.scheduled:
            return Verdict(engine.PENDING, f"its revocation {_later(state)}", _shown(state), final=True)
        if self._approvals == "ignore":
            message = "the answer was lost and the record shows nothing; it may wait for an approval, which nobody looks for (pending_approvals)"
            return Verdict(engine.UNKNOWN, f"{message}; look in Command, or run the task again", _shown(state), error=entry.lost)
        return Verdict(engine.REPEAT, f"the answer was lost and it was not done: {state.state_name}")

    def _is_ours(self, comment: str | None) -> bool:
        return not comment or comment == printable(self._comment, COMMENT_SHOWN)

    def settle(self, entry: Entry[CertificateRef, CertificateState], state: CertificateState) -> Verdict:
        if self._is_so(state):
            return Verdict(engine.APPLIED, self._done(entry) + " (read back)", _shown(state), vendor=_waiting(None))
        if state.scheduled:
            return Verdict(engine.PENDING, f"its revocation {_later(state)}", _shown(state), final=True)
        if state.pending:
            message = f"its revocation {_approval(state.pending)}; somebody has to approve or deny it in Command"
            return Verdict(engine.PENDING, message, _shown(state), final=not self._wait_for_approval, vendor=_waiting(state.pending))
        instance = entry.vendor.get("workflow_id")
        if instance and self._wanted == "revoked" and state.on_hold and _state(entry).pending:
            message = "its hold was approved; the revocation has not been asked for yet, so run the task again"
            return Verdict(engine.FAILED, message, _shown(state), vendor=_waiting(None))
        if instance:
            return self._ended(state, str(instance))
        if entry.vendor.get("pending_approval"):
            return Verdict(engine.PENDING, "its revocation waits for an approval", _shown(state), final=not self._wait_for_approval)
        return Verdict(engine.PENDING, "Command lists it as done; waits for its record to show it", _shown(state))

    def _ended(self, state: CertificateState, instance: str) -> Verdict:
        """Its workflow does not wait any more, yet it is not revoked."""
        try:
            status = printable(str(self._client.workflow(instance).get("status") or "unknown"), 40)
        except RemediationError as error:
            if error.fatal and not isinstance(error, AuthorizationError):
                raise
            status = "gone" if error.status == 404 else "not readable"
        if status.lower() in ("rejected", "failed", "canceledforrestart", "gone"):
            return Verdict(engine.FAILED, f"not revoked: its workflow ended as {status}", _shown(state), vendor={"pending_approval": False})
        final = not self._wait_for_approval and status.lower() in ("suspended", "not readable")
        return Verdict(engine.PENDING, f"its workflow is {status}, and its record does not show the revocation yet", _shown(state), final=final)


ALLOWABLE = frozenset(ARGUMENT_SPEC["allow"]["choices"])
_ABSENT = CertificateState(id=0, thumbprint="", serial="", common_name="", subject="", issuer="", not_after="", state=0)


def _state(entry: Entry[CertificateRef, CertificateState]) -> CertificateState:
    if entry.state is None:
        raise ValueError("a step was planned for a certificate that was not observed")
    return entry.state


def _shown(state: CertificateState) -> dict[str, t.Any]:
    """The fields that a revocation changes."""
    if not state.exists:
        return {}
    return {"state": state.state_name, "reason": reason_name(state.reason), "effective_date": state.date, "comment": state.comment}


def _later(state: CertificateState) -> str:
    return f"takes effect on {state.date}" if state.date else f"was accepted at {state.accepted} and takes effect later"


def _why(state: CertificateState) -> str:
    return f"{reason_name(state.reason) or 'no reason'}{', ' + state.date if state.date else ''}"


def _waiting(pending: Revocation | None) -> dict[str, t.Any]:
    return {"pending_approval": pending is not None, "workflow_id": pending.id or None if pending else None}


def _approval(pending: Revocation) -> str:
    since = f" since {pending.started}" if pending.started else ""
    return f"waits for an approval{since} (workflow instance {pending.id or 'unknown'})"


def _asked(pending: Revocation) -> str:
    if pending.reason == REASON_RELEASE:
        return "release from hold"
    return f"revocation ({reason_name(pending.reason) or 'unknown reason'})"


def _some(places: t.Sequence[str]) -> str:
    return ", ".join(places[:3]) + (f" and {len(places) - 3} more places" if len(places) > 3 else "")


def _is_future(date: str) -> bool:
    return options.moment("effective_date", date) > datetime.datetime.now(datetime.timezone.utc)


def final_reason(given: str) -> int:
    """The code of a reason for which Command can revoke a certificate for good.

    :raises InputError: there is no such reason, or Command has no such revocation.
    """
    code = -1 if given.strip() in ("-1", "7") else reason_code("reason", given)
    if code in FINAL_REASONS:
        return code
    if code == REASON_HOLD:
        raise InputError("reason", "a hold is no final revocation; set state=on_hold instead")
    if code in (-1, REASONS["remove_from_crl"]):
        raise InputError("reason", f"{printable(given, 30)!r} takes a certificate off hold; set state=released instead")
    known = ", ".join(name for name, number in REASONS.items() if number in FINAL_REASONS)
    raise InputError("reason", f"Command cannot revoke for {reason_name(code)}; give one of {known}")


def checked_params(params: t.Mapping[str, t.Any], now: datetime.datetime) -> dict[str, t.Any]:
    """The options with reason and date in the form of the vendor.

    :raises InputError: an option cannot work.
    """
    options.check_range(params, "batch_size", 1, 500)
    options.check_range(params, "query_limit", 1)
    if (params.get("query") is not None) == (params.get("certificates") is not None):
        raise InputError("certificates, query", "exactly one of the two is needed")
    if params.get("query") is not None and not params["query"].strip():
        raise InputError("query", "is blank, which would match every certificate")
    checked = dict(params)
    checked["reason"] = final_reason(params["reason"] or "unspecified")
    if params["state"] != "revoked" and checked["reason"] != 0:
        raise InputError("reason", f"goes with state=revoked only; state={params['state']} has a reason of its own")
    if params.get("effective_date"):
        if params["state"] == "released":
            raise InputError("effective_date", "a release takes effect at once; leave effective_date out")
        when = options.moment("effective_date", params["effective_date"])
        if abs(when - now) > datetime.timedelta(days=365 * MAX_YEARS_AWAY):
            raise InputError("effective_date", f"{printable(params['effective_date'], 40)!r} is more than {MAX_YEARS_AWAY} years away; is the year right?")
        checked["effective_date"] = wire_date(when)
    if params.get("comment"):
        checked["comment"] = printable(params["comment"], 10 * COMMENT_SHOWN)
        if len(checked["comment"]) > COMMENT_SHOWN:
            raise InputError("comment", f"has {len(checked['comment'])} characters, {COMMENT_SHOWN} are the most")
    return checked


def build(task: Task) -> tuple[CertificateRevoke, list[CertificateRef]]:
    """The operation and its targets from the options.

    :raises RemediationError: an option cannot work, or the query cannot be read.
    """
    params = checked_params(task.params, datetime.datetime.now(datetime.timezone.utc))
    given = params["certificates"]
    targets = [certificate_ref(f"certificates[{index}]", entry) for index, entry in enumerate(given or [])]
    client = connect(params, read_only=task.check_mode, secrets=task.secrets, warn=task.warn)
    if params["not_found"] == "ignore":
        client.check_collection()
    operation = CertificateRevoke(client, params, task.warn)
    if given is None:
        try:
            targets = operation.expand(params["query"], params["query_limit"])
        except BaseException:
            client.transport.close()
            raise
    return operation, targets


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run_action(module, ARGUMENT_SPEC, build)


if __name__ == "__main__":
    main()
