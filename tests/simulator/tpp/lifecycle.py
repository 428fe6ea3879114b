# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state machine of a certificate: what time does to work in flight, and what Reset, Retry, Renew, Revoke and Request change."""

from __future__ import annotations

from typing import Any

from ..authority import Authority
from ..clock import Clock
from .issuing import new_version
from .objects import Certificate, Store, Work, guid_for

QUEUED = -1
ISSUING = 700
REVOCATION = 1400
LOCKED = (
    "Failed to lock certificate. The reset failed because the certificate is currently in use by another process. Please try again later."
)
CA_DOWN = (
    "Post CSR failed with error: Cannot connect to the certificate authority (CA). "
    "Verify that the CA is running and that the credential is valid, and then click Retry."
)
CLICK_RETRY = "This certificate cannot be processed while it is in an error state. Fix any errors, and then click Retry."
PENDING_WORKFLOW = "Pending workflow resolution"
# VPS Enum, D-STAGES; texts: recorded ones for -1, 0 and 500 (#273, VCERT-T), else named after the stage.
STAGES = {
    QUEUED: "Queued for renewal",
    0: "Prepares the Certificate Object for lifecycle processing",
    100: "Check Store",
    200: "Create/Configure Store",
    300: "Create Key",
    400: "Create CSR",
    500: "Post CSR",
    600: "Approve Request",
    ISSUING: "Retrieve Certificate",
    800: "Install Certificate",
    900: "Check Configuration",
    1000: "Configure Application",
    1100: "Restart Application",
    1200: "End Processing",
    REVOCATION: "Revocation",
    1500: "Update Trust Store",
    1600: "End Trust Store Processing",
}
_PATH = (0, 300, 400, 500, ISSUING)
_PROVISIONING = (800, 1000)


class Authorities:
    """The certificate authorities that the server enrols with: each is up, down, or down until a moment."""

    def __init__(self) -> None:
        self._down_until: dict[str, float] = {}
        self.issuers: dict[str, str] = {}

    def add(self, dn: str, issuer: str) -> None:
        self.issuers[dn] = issuer

    def set_up(self, dn: str, up: bool, down_until: float = float("inf")) -> None:
        if dn not in self.issuers:
            raise ValueError(f"unknown certificate authority {dn!r}; known: {', '.join(self.issuers)}")
        if up:
            self._down_until.pop(dn, None)
        else:
            self._down_until[dn] = down_until

    def is_up(self, dn: str, moment: float) -> bool:
        return moment >= self._down_until.get(dn, 0.0)

    def dump(self) -> dict[str, Any]:
        return {"issuers": self.issuers, "down_until": self._down_until}

    def load(self, data: dict[str, Any]) -> None:
        self.issuers, self._down_until = data["issuers"], data["down_until"]


class Lifecycle:
    """Changes certificates. Every method expects that ``settle`` has been called for the certificate."""

    def __init__(self, clock: Clock, authority: Authority, store: Store, authorities: Authorities) -> None:
        self._clock = clock
        self._authority = authority
        self._store = store
        self._authorities = authorities
        self.vault = 1000

    # -- time ----------------------------------------------------------------------------------------------------

    def settle_all(self) -> None:
        for certificate in list(self._store.working.values()):
            self.settle(certificate)

    def settle(self, certificate: Certificate) -> Certificate:
        """Bring a certificate up to the clock."""
        work = certificate.work
        if work is None:
            return certificate
        now = self._clock.now()
        begin = work.started + work.queued
        if now < begin:
            self._show(certificate, QUEUED)
            return certificate
        certificate.work_to_do = False
        while work.steps:
            stage = work.steps[0]
            if certificate.plan.workflow and stage == certificate.plan.stage and not work.approved:
                self._show(certificate, stage, PENDING_WORKFLOW)
                if not certificate.ticket_dn:
                    certificate.ticket_dn, certificate.ticket_since = f"\\VED\\Workflow Tickets\\{guid_for(certificate.dn)[1:-1]}", begin
                return certificate
            end = begin + work.slot
            if now < end:
                self._show(certificate, stage)
                return certificate
            failure = self._failure(certificate, stage, end)
            if failure:
                self.fail(certificate, stage, failure)
                return certificate
            if stage == ISSUING:
                self.issue(certificate, end, work.csr)
            if stage == REVOCATION:
                certificate.revocation, certificate.revocation_date = "revoked", end
            work.steps.pop(0)
            work.started, work.queued, begin = end, 0.0, end
        certificate.clear_processing()
        self._store.touch(certificate)
        return certificate

    def _show(self, certificate: Certificate, stage: int, status: str = "") -> None:
        status = status or STAGES[stage]
        if (certificate.stage, certificate.status) != (stage, status):
            certificate.stage, certificate.status = stage, status
            certificate.in_process = stage != QUEUED
            self._store.touch(certificate)

    def _failure(self, certificate: Certificate, stage: int, moment: float) -> str:
        if stage in (500, REVOCATION) and not self._authorities.is_up(certificate.authority, moment):
            return CA_DOWN if stage == 500 else "Revocation failed with error: Cannot connect to the certificate authority (CA)."
        plan = certificate.plan
        if plan.outcome == "failed" and plan.stage == stage:
            return plan.status or f"{STAGES[stage]} failed."
        return ""

    def fail(self, certificate: Certificate, stage: int, status: str) -> None:
        certificate.clear_processing()
        certificate.stage, certificate.status, certificate.in_error = stage, status, True
        if stage == REVOCATION:
            certificate.revocation = "error"
        self._store.touch(certificate)

    def issue(self, certificate: Certificate, moment: float, csr: str) -> None:
        """A new version, valid from now on; the key is the server's own unless a CSR came from outside."""
        self.vault += 2
        issuer = self._authorities.issuers[certificate.authority]
        certificate.versions.append(
            new_version(
                certificate.subject, certificate.sans, issuer, moment, moment + certificate.valid_days * 86400, self.vault, csr, certificate.key_kind
            )
        )
        certificate.key_state = "none" if csr else "ok"
        certificate.revocation = "none"
        self._store.touch(certificate)

    def approve(self, certificate: Certificate) -> None:
        """Resolve the workflow ticket that a renewal waits for."""
        if certificate.work is None or not certificate.ticket_dn:
            raise ValueError(f"{certificate.dn} does not wait for an approval")
        certificate.work.approved = True
        certificate.ticket_dn = ""
        certificate.work.started = self._clock.now()
        self._store.touch(certificate)

    # -- work ----------------------------------------------------------------------------------------------------

    def start(self, certificate: Certificate, csr: str = "", first_stage: int = 0, queued: bool = True) -> None:
        """Put a renewal into the queue; with ``first_stage`` it goes on from there."""
        plan = certificate.plan
        path = {*_PATH, *(_PROVISIONING if certificate.management_type == "Provisioning" else ())}
        if plan.workflow or plan.outcome == "failed":
            path.add(plan.stage)
        if first_stage == REVOCATION:
            path = {REVOCATION}
        steps = sorted(stage for stage in path if stage >= first_stage)
        certificate.clear_processing()
        certificate.work_to_do = True
        certificate.work = Work(self._clock.now(), plan.queued if queued else 0.0, plan.seconds / max(len(steps), 1), steps, csr)
        self._store.touch(certificate)
        self.settle(certificate)

    def busy(self, certificate: Certificate) -> bool:
        """Whether a request finds the certificate locked by another process; counts the request."""
        if certificate.lock > 0:
            certificate.lock -= 1
            self._store.touch(certificate)
            return True
        return self._clock.now() < certificate.lock_until

    # -- what the API asks for -----------------------------------------------------------------------------------

    @staticmethod
    def resettable(certificate: Certificate) -> list[str]:
        """The response flags of what a reset would do now, in the order of D-RESET."""
        processing = (
            certificate.stage is not None
            or certificate.status != ""
            or certificate.in_error
            or certificate.work is not None
            or certificate.work_to_do
            or certificate.ticket_dn != ""
            or any(consumer.in_error or consumer.stage is not None for consumer in certificate.consumers)
        )
        key = certificate.key_state in ("mismatch", "missing", "foreign")
        revocation = certificate.revocation != "none"
        flags = {"ProcessingResetCompleted": processing, "PrivateKeyMismatchResetCompleted": key, "RevocationResetCompleted": revocation}
        return [name for name, true in flags.items() if true]

    def reset(self, certificate: Certificate, restart: bool, clear_csr: bool) -> None:
        """Drop processing state and tickets, mend the key's association, forget the revocation (D-RESET); queue a renewal if asked to."""
        certificate.clear_processing()
        for consumer in certificate.consumers:
            consumer.stage, consumer.status, consumer.in_error = None, "", False
        if certificate.key_state != "ok":
            # D-RESET: a mismatched key is made to match, a missing or foreign one is detached.
            certificate.key_state = "ok" if certificate.key_state == "mismatch" else "none"
        certificate.revocation, certificate.revocation_date, certificate.revocation_by = "none", 0.0, ""
        if clear_csr:
            certificate.csr, certificate.user_csr = "", False
        self._store.touch(certificate)
        if restart:
            self.start(certificate, certificate.csr)

    def retry(self, certificate: Certificate) -> None:
        """Resume the failed stage (D-RETRY)."""
        self.start(certificate, certificate.csr, certificate.stage or 0, queued=False)

    def revoke(self, certificate: Certificate, by: str, disable: bool) -> None:
        certificate.revocation, certificate.revocation_by = "pending", by
        certificate.disabled = certificate.disabled or disable
        self.start(certificate, first_stage=REVOCATION)
