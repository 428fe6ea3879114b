# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real X.509 certificates for the versions of a certificate object, made when somebody first looks at them."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ..authority import LEAF_EXTENSIONS, Authority, new_key, private_pem
from ..clock import iso, utc
from .objects import Version

SAN_KINDS = ("DNS", "Email", "IP", "UPN", "URI")
DETAIL_NAMES = {
    kind: f"SubjectAltName{name}" for kind, name in zip(SAN_KINDS, ("DNS", "Email", "IPAddress", "OtherNameUPN", "URI"))
}
_UPN_OID = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_EC_OID, _RSA_OID, _ECDSA_SHA256_OID = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1", "1.2.840.10045.4.3.2"
_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {"EC256": ec.SECP256R1, "EC384": ec.SECP384R1, "EC521": ec.SECP521R1}
KEY_KINDS = (*_CURVES, "RSA2048", "RSA3072", "RSA4096")


def key_kind_of(public_key: object) -> str:
    """The reverse of ``make_key``."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"RSA{public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"EC{public_key.key_size}"
    raise ValueError("neither an RSA nor an elliptic curve key")


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def make_key(kind: str) -> Any:
    """``EC256``, ``EC384``, ``EC521`` or ``RSA2048`` and so on."""
    if kind == "EC256":
        return new_key()
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind]())
    return rsa.generate_private_key(65537, int(kind.removeprefix("RSA")))


def pkix_parameter_set(kind: str) -> str:
    """The OID that TPP names a key type by (VCPY)."""
    family, size = ("2", kind[2:]) if kind.startswith("EC") else ("1", kind[3:])
    return f"1.3.6.1.4.1.28783.10.{family}.1.{size}"


def new_version(
    common_name: str, sans: dict[str, list[str]], authority: str, not_before: float, not_after: float, vault_id: int, csr: str = "", key_kind: str = "EC256",
    key: str = "",
) -> Version:
    """A version that is not signed yet."""
    return Version(common_name, sans, authority, not_before, not_after, secrets.randbits(127) | 1 << 126, vault_id, csr, key_kind, key)


def read_csr(text: str) -> x509.CertificateSigningRequest:
    """Parse a PKCS#10 with or without its PEM armour; only RSA and elliptic curve keys are taken."""
    if "BEGIN" not in text:
        body = "".join(text.split())
        lines = "\n".join(body[i:i + 64] for i in range(0, len(body), 64))
        text = f"-----BEGIN CERTIFICATE REQUEST-----\n{lines}\n-----END CERTIFICATE REQUEST-----\n"
    csr = x509.load_pem_x509_csr(text.replace("NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST").encode())
    key_kind_of(csr.public_key())
    return csr


def names_of(csr: x509.CertificateSigningRequest) -> tuple[str, dict[str, list[str]]]:
    """Common name and alternative names that a CSR asks for."""
    common = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    sans: dict[str, list[str]] = {}
    try:
        extension = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        extension = None
    kinds: dict[type, str] = {x509.DNSName: "DNS", x509.RFC822Name: "Email", x509.IPAddress: "IP", x509.UniformResourceIdentifier: "URI"}
    for name in extension or ():
        if type(name) in kinds:
            sans.setdefault(kinds[type(name)], []).append(str(name.value))
    return str(common[0].value) if common else "", sans


def _general_names(sans: dict[str, list[str]]) -> list[x509.GeneralName]:
    def upn(value: str) -> x509.OtherName:
        encoded = value.encode()
        return x509.OtherName(_UPN_OID, bytes((0x0C, len(encoded))) + encoded)

    makers: dict[str, Callable[[str], x509.GeneralName]] = {
        "DNS": lambda value: x509.DNSName(value.encode("idna").decode() if not value.isascii() else value),
        "Email": x509.RFC822Name,
        "IP": lambda value: x509.IPAddress(ipaddress.ip_address(value)),
        "UPN": upn,
        "URI": x509.UniformResourceIdentifier,
    }
    return [makers[kind](value) for kind, values in sans.items() for value in values]


def sign(version: Version, authority: Authority) -> None:
    """Sign the version and note its facts."""
    issuer = authority.issuer(version.authority)
    if version.csr:
        csr = read_csr(version.csr)
        subject: x509.Name = csr.subject
        public_key: Any = csr.public_key()
    else:
        key = authority.keys[version.key] if version.key else make_key(version.key_kind)
        version.key_pem = private_pem(key).decode()
        # The upper bound of a common name is 64 characters (X.520); cryptography counts bytes.
        common_name = version.common_name.encode()[:64].decode("utf-8", "ignore")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        public_key = key.public_key()
    key_id = x509.SubjectKeyIdentifier.from_public_key(public_key)
    extensions = [*LEAF_EXTENSIONS, (key_id, False)]
    if any(version.sans.values()):
        extensions.append((x509.SubjectAlternativeName(_general_names(version.sans)), False))
    certificate = issuer.sign(subject, public_key, utc(version.not_before), utc(version.not_after), extensions, version.serial)
    version.pem = pem(certificate)
    is_rsa = isinstance(public_key, rsa.RSAPublicKey)
    version.facts = {
        "Subject": subject.rfc4514_string(),
        "CN": version.common_name,
        "Serial": f"{version.serial:032X}",
        "Issuer": version.authority,
        "KeySize": public_key.key_size,
        "KeyAlgorithm": "RSA" if is_rsa else "ECC",
        "KeyAlgorithmOid": _RSA_OID if is_rsa else _EC_OID,
        "PkixParameterSet": pkix_parameter_set(version.key_kind),
        "KeyUsage": "Digital Signature, Key Encipherment (a0)",
        "EnhancedKeyUsage": "Server Authentication(1.3.6.1.5.5.7.3.1),Client Authentication(1.3.6.1.5.5.7.3.2)",
        "PublicKeyHash": key_id.digest.hex().upper(),
        "SKIKeyIdentifier": key_id.digest.hex().upper(),
        "SignatureAlgorithm": "sha256ECDSA",
        "SignatureAlgorithmOID": _ECDSA_SHA256_OID,
        "StoreAdded": iso(version.not_before),
        "ValidFrom": iso(version.not_before // 1),
        "ValidTo": iso(version.not_after // 1),
        "Thumbprint": certificate.fingerprint(hashes.SHA1()).hex().upper(),
        **{
            name: version.sans[kind]
            for kind, name in DETAIL_NAMES.items()
            if version.sans.get(kind)
        },
    }
    if not is_rsa:
        version.facts["EllipticCurve"] = f"P{public_key.key_size}"
