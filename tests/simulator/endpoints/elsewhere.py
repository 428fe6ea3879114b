# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the vendors' parts have revoked, as their authorities publish it."""

from __future__ import annotations

from cryptography.x509 import ReasonFlags

from ..digicert import DigiCert
from ..keyfactor import Keyfactor
from ..keyfactor.objects import State
from .pki import Revocation

# The codes of RFC 5280 that Command uses.
REASONS = {
    1: "key_compromise",
    2: "ca_compromise",
    3: "affiliation_changed",
    4: "superseded",
    5: "cessation_of_operation",
    6: "certificate_hold",
}


def revoked_by_vendors(keyfactor: Keyfactor, digicert: DigiCert) -> dict[int, Revocation]:
    """By serial number. What TPP revokes is with its CAs, of which the simulator has no more than the name."""
    found: dict[int, Revocation] = {}
    keyfactor.settle()
    for item in keyfactor.store:
        if item.state == State.REVOKED:
            found[int(item.serial, 16)] = Revocation(item.revocation_date or 0.0, REASONS.get(item.revocation_reason or 0, "unspecified"))
    digicert.lifecycle.settle_all()
    for order in digicert.store:
        for certificate in order.certificates:
            if certificate.revoked:
                found[certificate.serial] = Revocation(certificate.revoked, ReasonFlags(certificate.reason or "unspecified").name)
    return found
