# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one part knows of another: certificates that several hold or serve, and what the vendors' parts have revoked."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509
from cryptography.x509 import ReasonFlags

from .authority import Authority, Issued, private_pem
from .digicert import DigiCert
from .endpoints.pki import Revocation
from .keyfactor import Keyfactor
from .keyfactor.objects import State
from .tpp import Tpp

# The codes of RFC 5280 that Command uses.
REASONS = {
    1: "key_compromise",
    2: "ca_compromise",
    3: "affiliation_changed",
    4: "superseded",
    5: "cessation_of_operation",
    6: "certificate_hold",
}


class Elsewhere:
    """The parts that issue and list server certificates."""

    def __init__(self, authority: Authority, tpp: Tpp, keyfactor: Keyfactor, digicert: DigiCert) -> None:
        self._authority = authority
        self._tpp = tpp
        self._keyfactor = keyfactor
        self._digicert = digicert

    def find(self, reference: dict[str, Any]) -> Issued:
        """The current certificate behind ``{tpp: dn}``, ``{digicert: order id}`` or ``{keyfactor: id or common name}``."""
        if len(reference) != 1:
            raise ValueError("a certificate of a part is named by one of tpp (a DN), digicert (an order id), keyfactor (an id)")
        part, where = next(iter(reference.items()))
        key_pem = ""
        try:
            if part == "tpp":
                holder = self._tpp[str(where)]
                if holder.current is None:
                    raise ValueError(f"{where} has no certificate")
                version = self._tpp.sign(holder, holder.current)
                content, key_pem = version.pem.encode(), version.key_pem
            elif part == "digicert":
                content = self._digicert.pem(where).encode()
                if not content:
                    raise ValueError(f"order {where} has no certificate")
            elif part == "keyfactor":
                record = self._keyfactor[self._keyfactor.number_of(where)]
                return self._with_key(x509.load_der_x509_certificate(base64.b64decode(record.content)))
            else:
                raise ValueError(f"unknown part {part!r}; known: digicert, keyfactor, tpp")
        except KeyError as error:
            raise ValueError(f"{part} has no {where!r}") from error
        return self._with_key(x509.load_pem_x509_certificate(content), key_pem)

    def _with_key(self, certificate: x509.Certificate, key_pem: str = "") -> Issued:
        key = None if key_pem else self._authority.keys.of(certificate.public_key())
        return Issued(certificate, private_pem(key).decode() if key else key_pem)

    def revoked(self) -> dict[int, Revocation]:
        """By serial number. What TPP revokes is with its CAs, of which the simulator has no more than the name."""
        found: dict[int, Revocation] = {}
        self._keyfactor.settle()
        for item in self._keyfactor.store:
            if item.state == State.REVOKED:
                found[int(item.serial, 16)] = Revocation(item.revocation_date or 0.0, REASONS.get(item.revocation_reason or 0, "unspecified"))
        self._digicert.lifecycle.settle_all()
        for order in self._digicert.store:
            for certificate in order.certificates:
                if certificate.revoked:
                    found[certificate.serial] = Revocation(certificate.revoked, ReasonFlags(certificate.reason or "unspecified").name)
        return found
