# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSRs as clients send them, and real certificates that are signed when somebody first looks at them."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..authority import LEAF_EXTENSIONS, Authority, new_key
from ..clock import utc
from .answers import Problem
from .objects import Certificate
from .switches import Switches

# The names that the API gives to the attributes of a subject, in the order of a CSR.
SUBJECT = {
    "country": NameOID.COUNTRY_NAME,
    "state": NameOID.STATE_OR_PROVINCE_NAME,
    "location": NameOID.LOCALITY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "common_name": NameOID.COMMON_NAME,
}
# As Go calls it: the simulator's CAs have keys on P-256.
SIGNATURE = "ECDSAWithSHA256"
_CLIENT_ONLY: list[tuple[x509.ExtensionType, bool]] = [
    *(item for item in LEAF_EXTENSIONS if not isinstance(item[0], x509.ExtendedKeyUsage)),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
]
_MIN_RSA_BITS = 2048


def read_csr(text: str) -> x509.CertificateSigningRequest:
    """A PKCS#10 in PEM; a heredoc may have indented it or put blank lines around it. That weak keys are refused is unconfirmed."""
    try:
        csr = x509.load_pem_x509_csr("\n".join(line.strip() for line in text.splitlines()).encode())
        key = csr.public_key()
        valid = csr.is_signature_valid
    except (ValueError, TypeError) as error:
        raise Problem("bad_csr") from error
    strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS or isinstance(key, ec.EllipticCurvePublicKey)
    if not valid or not strong:
        raise Problem("bad_csr")
    return csr


def csr_text(csr: x509.CertificateSigningRequest) -> str:
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def subject_of(csr: x509.CertificateSigningRequest) -> dict[str, str]:
    """The first attribute of each kind."""
    found = {name: csr.subject.get_attributes_for_oid(oid) for name, oid in SUBJECT.items()}
    return {name: str(attributes[0].value) for name, attributes in found.items() if attributes}


def public_key_sha256(csr: x509.CertificateSigningRequest) -> str:
    """The SHA-256 of the SubjectPublicKeyInfo."""
    return hashlib.sha256(csr.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


class Issuing:
    """Signs for the CSRs that clients send, and for keys by label."""

    def __init__(self, authority: Authority, switches: Switches) -> None:
        self._authority = authority
        self._switches = switches
        self._csrs: dict[tuple[str, ...], str] = {}

    def clear(self) -> None:
        self._csrs.clear()

    def make_csr(self, label: str, subject: dict[str, str]) -> str:
        """The CSR of the label's key for a subject, always the same; a key without a label is used once."""
        known = (label, *(subject.get(name, "") for name in SUBJECT))
        if label and known in self._csrs:
            return self._csrs[known]
        name = x509.Name([x509.NameAttribute(oid, subject[name]) for name, oid in SUBJECT.items() if subject.get(name)])
        key = self._authority.keys[label] if label else new_key()
        text = csr_text(x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256()))
        if label:
            self._csrs[known] = text
        return text

    def remember(self, certificate: Certificate) -> None:
        """Take up the CSR of a certificate that was loaded from a file."""
        if certificate.key and certificate.csr:
            self._csrs[(certificate.key, *(certificate.subject.get(name, "") for name in SUBJECT))] = certificate.csr

    def sign(self, certificate: Certificate, issuer_name: str) -> None:
        """Fill in everything that the CSR and the signature bring."""
        if not certificate.csr:
            certificate.csr = self.make_csr(certificate.key, certificate.subject)
        csr = x509.load_pem_x509_csr(certificate.csr.encode())
        identifier = x509.SubjectKeyIdentifier.from_public_key(csr.public_key())
        extensions = [*_CLIENT_ONLY, (identifier, False)]
        if self._switches.copy_san:
            extensions += [(item.value, False) for item in csr.extensions if isinstance(item.value, x509.SubjectAlternativeName)]
        signed = self._authority.issuer(issuer_name).sign(
            csr.subject, csr.public_key(), utc(certificate.issued), utc(certificate.expires), extensions, certificate.serial
        )
        certificate.certificate = signed.public_bytes(serialization.Encoding.PEM).decode()
        certificate.fingerprint_sha256 = signed.fingerprint(hashes.SHA256()).hex()
        certificate.public_key_sha256 = public_key_sha256(csr)
        certificate.ski = identifier.digest.hex()
