# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSRs as clients send them, keys by label, and real certificates that are signed when somebody first looks at them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..authority import LEAF_EXTENSIONS, Authority
from ..clock import utc
from .objects import Certificate

HASHES: dict[str, Any] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
# Ids as the account shows them, and the RFC 4514 names of the issuing CAs behind them.
AUTHORITIES = {
    "0F1E2D3C4B5A6978": "CN=Example Global TLS ECC SHA384 2020 CA1,O=Example CA Inc.,C=US",
    "1A2B3C4D5E6F7081": "CN=Example Global TLS ECC SHA384 2022 CA2,O=Example CA Inc.,C=US",
}
_ARMOUR = re.compile(r"-----BEGIN [A-Z ]+-----(.*?)-----END [A-Z ]+-----", re.DOTALL)
_MIN_RSA_BITS = 2048


class BadCsr(Exception):
    """The text is no CSR; ``code`` is the vendor's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_csr(text: str) -> x509.CertificateSigningRequest:
    """A PKCS#10 in any of the forms that clients send: PEM, PEM on one line, bare base64 or base64url, with and without padding."""
    armour = _ARMOUR.search(text)
    body = "".join((armour.group(1) if armour else text).split()).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        csr = x509.load_der_x509_csr(base64.b64decode(body + "=" * (-len(body) % 4), validate=True))
        valid = csr.is_signature_valid
        key = csr.public_key()
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadCsr("csr_invalid_cannot_parse") from error
    if not valid:
        raise BadCsr("csr_invalid_cannot_parse")
    strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS or isinstance(key, ec.EllipticCurvePublicKey)
    if not strong:
        raise BadCsr("invalid_value:certificate.csr")
    return csr


def key_id(csr: x509.CertificateSigningRequest) -> str:
    """The SHA-256 of the public key."""
    info = csr.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest()


def pem(certificate: x509.Certificate) -> str:
    """With the line ends of the vendor."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode().replace("\n", "\r\n")


class Issuing:
    """The subscribers' CSRs and the CA's desk."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def make_csr(self, label: str, common_name: str) -> str:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self._authority.keys[label], hashes.SHA256())
        return csr.public_bytes(serialization.Encoding.PEM).decode()

    def csr_of(self, certificate: Certificate) -> str:
        """The CSR that a certificate was asked for with."""
        if not certificate.csr:
            certificate.csr = self.make_csr(certificate.key, certificate.common_name)
        return certificate.csr

    def sign(self, certificate: Certificate, organization: str) -> None:
        """Sign an issued certificate unless that has been done."""
        if certificate.pem:
            return
        issuer = self._authority.issuer(AUTHORITIES[certificate.ca_cert_id])
        public_key = read_csr(self.csr_of(certificate)).public_key()
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, ascii_name(certificate.common_name))]
        if organization:
            subject.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if certificate.client_auth else [])]
        names = dict.fromkeys((certificate.common_name, *certificate.dns_names))
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            *(item for item in LEAF_EXTENSIONS if not isinstance(item[0], x509.ExtendedKeyUsage)),
            (x509.ExtendedKeyUsage(purposes), False),
            (x509.SubjectAlternativeName([_general_name(name) for name in names]), False),
            (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False),
            *issuer.published,
        ]
        begin, end = validity_of(certificate)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(issuer.certificate.subject)
            .public_key(public_key)
            .serial_number(certificate.serial)
            .not_valid_before(begin)
            .not_valid_after(end)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        signed = builder.sign(issuer.key, HASHES[certificate.signature_hash])
        certificate.pem = pem(signed)
        certificate.thumbprint = signed.fingerprint(hashes.SHA1()).hex().upper()

    def chain(self, certificate: Certificate) -> list[tuple[str, str]]:
        """Common names and PEM from the leaf to the root."""
        issuer = self._authority.issuer(AUTHORITIES[certificate.ca_cert_id]).certificate
        above = [(_common_name(item), pem(item)) for item in (issuer, self._authority.root.certificate)]
        return [(certificate.common_name, certificate.pem), *above]


def validity_of(certificate: Certificate) -> tuple[datetime, datetime]:
    """A certificate is valid from the first second of its first day to the last second of its last."""
    begin = utc(certificate.valid_from).replace(hour=0, minute=0, second=0, microsecond=0)
    end = utc(certificate.valid_till).replace(hour=0, minute=0, second=0, microsecond=0)
    return begin, end + timedelta(days=1, seconds=-1)


def ascii_name(name: str) -> str:
    return name if name.isascii() else name.encode("idna").decode()


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(ascii_name(name))


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
