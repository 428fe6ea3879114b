# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a certificate: what a call may do to it, and what the clock does."""

from __future__ import annotations

from ..clock import Clock
from .answers import Problem
from .objects import ACTIVE, LIVE, NEXT, PENDING_REACTIVATION, PENDING_REVOCATION, REVOKED, Certificate, Store, Zone
from .switches import Switches


class Lifecycle:
    """Steps of certificates by the clock; a step that takes no time is over in the answer."""

    def __init__(self, clock: Clock, store: Store, switches: Switches) -> None:
        self._clock = clock
        self._store = store
        self._switches = switches

    def settle(self, certificate: Certificate) -> Certificate:
        """Bring a certificate up to the clock."""
        if certificate.status in NEXT and certificate.due <= self._clock.now():
            certificate.status = NEXT[certificate.status]
            self._store.touch(certificate)
        return certificate

    def move(self, certificate: Certificate, status: str, seconds: float | None = None) -> None:
        """Set the status; a pending one lasts so long, or as long as the switches say."""
        if seconds is None:
            seconds = self._switches.revoke_seconds if status == PENDING_REVOCATION else self._switches.reactivate_seconds
        certificate.status, certificate.due = status, self._clock.now() + seconds
        self._store.touch(certificate)

    def live(self, zone_id: str) -> int:
        """How many certificates count for the quota: revoking frees a slot at once."""
        return sum(self.settle(item).status in LIVE for item in self._store.of_zone(zone_id))

    def check_quota(self, zone: Zone) -> None:
        if self.live(zone.id) >= max(self._switches.quota, zone.quota):
            raise Problem("quota")

    def revoke(self, certificate: Certificate) -> None:
        if certificate.status in (PENDING_REVOCATION, REVOKED):
            raise Problem("already_deleted", status=self._switches.already_revoked_status)
        if certificate.status == PENDING_REACTIVATION and self._switches.delete_pending_reactivation == "refuse":
            raise Problem("not_deletable")
        self.move(certificate, PENDING_REVOCATION)

    def reactivate(self, certificate: Certificate, zone: Zone) -> bool:
        """Whether anything changed."""
        switches = self._switches
        if certificate.status in LIVE:
            if switches.reactivate_active == "refuse":
                raise Problem("not_reactivatable")
            return False
        if certificate.status == REVOKED and switches.reactivate_revoked == "refuse":
            raise Problem("not_reactivatable")
        if switches.reactivate_over_quota == "refuse":
            self.check_quota(zone)
        self.move(certificate, ACTIVE if switches.reactivate_answer == "active" else PENDING_REACTIVATION)
        return True
