# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, CSRs and keys: what identifies them, and the forms in which people write that."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import ipaddress
import re
import traceback
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable

try:
    import cryptography
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    CRYPTOGRAPHY_IMPORT_ERROR: str | None = None
except ImportError:
    CRYPTOGRAPHY_IMPORT_ERROR = traceback.format_exc()

try:
    import idna
except ImportError:
    idna = None  # type: ignore[assignment]

_PEM_CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----", re.DOTALL)
_PEM_REQUEST = re.compile(rb"-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----.*?-----END (?:NEW )?CERTIFICATE REQUEST-----", re.DOTALL)
_PEM_ANY = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
_LABEL = re.compile("[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
# How tools say of which kind the digits are: sha256:..., SHA256 Fingerprint=...
_ALGORITHM = re.compile("^sha-?(1|256)( (finger|thumb)print)?[:=]", re.IGNORECASE)
# Among them the invisible marks that the certificate dialogue of Windows puts in front of a thumbprint.
_SEPARATORS = re.compile("[\\s:.\\-\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


def load_certificates(option: str, data: bytes) -> list[x509.Certificate]:
    """All certificates of a PEM file, in order (text around them is fine), or the one of a DER file.

    :raises InputError: there is none, or one cannot be parsed.
    """
    blocks = _PEM_CERTIFICATE.findall(data)
    try:
        if blocks:
            return [x509.load_pem_x509_certificate(re.sub(rb"(TRUSTED|X509) ", b"", block)) for block in blocks]
        return [x509.load_der_x509_certificate(data)]
    except (ValueError, x509.InvalidVersion):
        raise InputError(option, "holds no readable certificate; give PEM (-----BEGIN CERTIFICATE-----) or DER") from None


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1 over the DER form in upper-case hexadecimal, as Windows and TPP write it. It names a certificate; it secures nothing."""
    return hashlib.sha1(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()


def fingerprint_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 over the DER form in lower-case hexadecimal."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


class KeyHolder(t.Protocol):
    """A certificate, a CSR or a private key."""

    def public_key(self) -> t.Any:
        """The public key."""


def public_key_sha256(holder: KeyHolder) -> str:
    """SHA-256 over the SubjectPublicKeyInfo, in lower-case hexadecimal: the same for all certificates and CSRs of one key."""
    return _sha256(holder.public_key())


def _sha256(public_key: t.Any) -> str:
    return hashlib.sha256(public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def meant_key_sha256(option: str, text: str) -> str:
    """What ``public_key_sha256`` gives for the key that is meant: by that hash itself, or by a certificate, a CSR or a public key in PEM form.

    :raises InputError: it is none of these.
    """
    data = text.encode("utf-8", "replace")
    try:
        if _PEM_CERTIFICATE.search(data):
            return public_key_sha256(load_certificates(option, data)[0])
        if _PEM_REQUEST.search(data):
            return public_key_sha256(load_request(option, data))
        if "-----BEGIN PUBLIC KEY-----" in text:
            return _sha256(serialization.load_pem_public_key(data))
    except (ValueError, UnsupportedAlgorithm):
        raise InputError(option, "holds PEM whose key cannot be read") from None
    digits = normalise_hex(option, text).lower() if "-----" not in text else ""
    if len(digits) != 64:
        raise InputError(option, "give the SHA-256 of a public key (64 hexadecimal digits), or a certificate, a CSR or a public key in PEM form")
    return digits


@dataclasses.dataclass(frozen=True)
class Material:
    """What a file of an incident holds: a certificate, or something with a public key.

    :param key: SHA-256 of the public key, in lower-case hexadecimal. Of a private key nothing else is kept.
    """

    kind: str
    key: str
    certificate: t.Any = None


def materials_in(option: str, data: bytes) -> list[Material]:
    """All certificates, CSRs, public keys and private keys of a PEM text, in order (text around them is fine), or the one of a DER file.

    :raises InputError: there is none, or one cannot be read. The message shows nothing of it.
    """
    # The parameters of a curve stand in front of a key that has them as well.
    blocks = [(match[1].decode("ascii"), match[0]) for match in _PEM_ANY.finditer(data) if not match[1].endswith(b"PARAMETERS")]
    found: list[Material] = []
    for label, block in blocks or [("", data)]:
        if label == "ENCRYPTED PRIVATE KEY" or (label and b"Proc-Type: 4,ENCRYPTED" in block):
            raise InputError(option, "holds an encrypted private key; give its certificate, its CSR or its public key instead")
        material = _material(label, block)
        if material is None and label:
            raise InputError(option, f"holds a PEM block {label} that cannot be read as a certificate, a CSR or a key")
        if material is None:
            raise InputError(option, "holds no certificate, CSR or key in PEM or DER")
        found.append(material)
    return found


def _material(label: str, data: bytes) -> Material | None:
    """What one PEM block or a DER file holds; None where it cannot be read."""
    der = not label
    public = serialization.load_der_public_key if der else serialization.load_pem_public_key
    private = serialization.load_der_private_key if der else serialization.load_pem_private_key
    readers: list[tuple[str, str, t.Callable[[], t.Any]]] = [
        ("certificate", "CERTIFICATE", lambda: load_certificates("", data)[0]),
        ("request", "CERTIFICATE REQUEST", lambda: load_request("", data)),
        ("public_key", "PUBLIC KEY", lambda: public(data)),
        ("private_key", "PRIVATE KEY", lambda: private(data, None).public_key()),
    ]
    for kind, ending, read in readers:
        if not der and not label.endswith(ending):
            continue
        try:
            held = read()
            key = _sha256(held if kind.endswith("key") else held.public_key())
            return Material(kind, key, held if kind == "certificate" else None)
        except Exception:
            # Libraries fail on what they cannot read in ways of their own, and some of their messages quote it.
            continue
    return None


def key_type(public_key: t.Any) -> str:
    """Algorithm and size: ``rsa-2048``, ``ecdsa-p256``, ``ed25519``."""
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"rsa-{public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return "ecdsa-" + re.sub(r"^secp(\d+)r1$", r"p\1", public_key.curve.name)
    return type(public_key).__name__.strip("_").replace("PublicKey", "").lower()


def load_private_key(option: str, data: bytes, passphrase: bytes | None) -> tuple[t.Any, bool]:
    """The private key of a PEM file, and whether it is as well protected as the passphrase asks for: False is a plain one although there is one.

    The check of the primes of an RSA key, which takes longer than all the rest of a run over a thousand keys, is left out where that is possible.

    :raises InputError: it cannot be read, or not without another passphrase.
    """
    # Other versions check always.
    options: dict[str, t.Any] = {"unsafe_skip_rsa_key_validation": True} if int(cryptography.__version__.split(".", 1)[0]) >= 39 else {}
    encrypted = b"ENCRYPTED" in data
    try:
        return serialization.load_pem_private_key(data, passphrase if encrypted else None, **options), encrypted or not passphrase
    except TypeError:
        problem = "is encrypted; give its passphrase"
    except (ValueError, UnsupportedAlgorithm):
        problem = "cannot be opened with this passphrase, or is damaged" if encrypted and passphrase else "is not a private key in PEM form that can be read"
    raise InputError(option, f"what is in the file {problem}")


def load_request(option: str, data: bytes) -> x509.CertificateSigningRequest:
    """The CSR of a PEM or DER file. Whether its signature is right is not looked at.

    :raises InputError: there is none, or it cannot be parsed.
    """
    block = _PEM_REQUEST.search(data)
    try:
        if block:
            return x509.load_pem_x509_csr(block[0].replace(b" NEW ", b" "))
        return x509.load_der_x509_csr(data)
    except (ValueError, x509.InvalidVersion):
        raise InputError(option, "holds no readable CSR; give PEM (-----BEGIN CERTIFICATE REQUEST-----) or DER") from None


def checked_request(option: str, data: bytes) -> tuple[x509.CertificateSigningRequest, str]:
    """A CSR that an authority may take, and what identifies its key.

    :raises InputError: nobody would issue a certificate for it.
    """
    csr = load_request(option, data)
    try:
        kind, key = key_type(csr.public_key()), public_key_sha256(csr)
        bits, signed = getattr(csr.public_key(), "key_size", 256), csr.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(option, "its key or its signature is of a kind that cannot be read") from None
    if not signed:
        raise InputError(option, "is not signed with its own key; it is damaged, or was put together of two")
    if bits < (2048 if kind.startswith(("rsa", "dsa")) else 256):
        raise InputError(option, f"its key is {kind}, which is too weak for any authority; make one of at least 2048 bits, or on P-256 or P-384")
    return csr, key


def pem_blocks(text: str) -> list[str]:
    """The certificates of a PEM text, one by one, each with a line end; text around them is left out."""
    return [block.decode("ascii", "replace").strip() + "\n" for block in _PEM_CERTIFICATE.findall(text.replace("\r", "").encode("utf-8", "replace"))]


def alternative_names(holder: x509.Certificate | x509.CertificateSigningRequest) -> list[str]:
    """The subject alternative names, written as ``normalise_name`` does, so that they can be compared.

    :raises ValueError: the extensions cannot be parsed.
    """
    kinds: dict[type, str] = {x509.DNSName: "DNS", x509.IPAddress: "IP", x509.RFC822Name: "email", x509.UniformResourceIdentifier: "URI"}
    try:
        found = holder.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = []
    for name in found:
        kind = kinds.get(type(name))
        value = str(name.value)
        local, at, domain = value.rpartition("@")
        value = {"DNS": value.lower(), "email": local + at + domain.lower()}.get(kind or "", value)
        names.append(f"{kind or type(name).__name__}:{value}")
    return names


def not_after(certificate: x509.Certificate) -> datetime.datetime:
    """The last moment of validity, with its time zone (cryptography before 42 has it without)."""
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_after_utc
    return certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)


def request_pem(csr: x509.CertificateSigningRequest) -> str:
    """A CSR in PEM."""
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")


def has_client_auth(certificate: x509.Certificate) -> bool:
    """Whether a certificate may be used by a TLS client: its extended key usage says so, or it has none."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return True
    return "1.3.6.1.5.5.7.3.2" in [use.dotted_string for use in usages]


def normalise_name(option: str, text: str, *, allow_underscores: bool = False) -> str:
    """A subject alternative name in OpenSSL's notation: ``DNS:``, ``IP:``, ``email:`` or ``URI:`` in front; without it, a DNS name or an IP address.

    :raises InputError: no certificate can carry it.
    """
    given = text.strip()
    kind, dummy, value = given.partition(":")
    kinds = {"dns": "DNS", "ip": "IP", "ip address": "IP", "email": "email", "uri": "URI"}
    if kind.lower() in kinds:
        kind, value = kinds[kind.lower()], value.strip()
    else:
        kind, value = ("IP" if _ip_address(given) else "DNS"), given
    if kind == "IP":
        address = _ip_address(value)
        if not address:
            raise InputError(option, f"{printable(text, 80)!r} is not an IP address")
        return f"IP:{address}"
    if kind == "email":
        local, at, domain = value.rpartition("@")
        if not local or not re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+", local, re.ASCII):
            raise InputError(option, f"{printable(text, 80)!r} is not an e-mail address that a certificate can carry; only ASCII can stand before the @")
        domain = dns_name(option, domain, allow_underscores=allow_underscores)
        if domain.startswith("*"):
            raise InputError(option, f"{printable(text, 80)!r} has a wildcard, which an e-mail address cannot have")
        return f"email:{local}{at}{domain}"
    if kind == "URI":
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+", value):
            raise InputError(option, f"{printable(text, 80)!r} is not a URI; it begins with a scheme, and other characters than its own are percent-encoded")
        return f"URI:{value}"
    return f"DNS:{dns_name(option, value, allow_underscores=allow_underscores)}"


def general_name(name: str) -> x509.GeneralName:
    """What ``normalise_name`` has written, for a certificate or a CSR."""
    kind, dummy, value = name.partition(":")
    if kind == "IP":
        return x509.IPAddress(ipaddress.ip_address(value))
    kinds: dict[str, t.Any] = {"DNS": x509.DNSName, "email": x509.RFC822Name, "URI": x509.UniformResourceIdentifier}
    return t.cast(x509.GeneralName, kinds[kind](value))


def _ip_address(text: str) -> str | None:
    try:
        # A scope names an interface of one machine; a certificate cannot carry it.
        return None if "%" in text else str(ipaddress.ip_address(text))
    except ValueError:
        return None


def dns_name(option: str, text: str, *, allow_underscores: bool = False) -> str:
    """A DNS name in lower case, as A-labels, without the dot of the root; its first label may be ``*``.

    :raises InputError: it is none.
    """

    def refuse(problem: str) -> t.NoReturn:
        raise InputError(option, f"{printable(text, 80)!r} {problem}")

    name = text.strip()
    wildcard = name.startswith("*.")
    name = name[2:] if wildcard else name
    if not name.isascii():
        if idna is None:
            refuse("has letters that are not ASCII; install the Python package idna, or write it as A-labels (xn--...)")
        try:
            # Not Python's own codec: that is IDNA 2003, which makes strasse.de of straße.de, and that is somebody else's domain.
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError as exc:
            refuse(f"is not an internationalised domain name ({printable(str(exc), 120)})")
    name = name.lower()
    name = name[:-1] if name.endswith(".") else name
    labels = name.split(".")
    if not name:
        refuse("is empty")
    if "*" in name:
        refuse("has a wildcard that is not its whole first label")
    if wildcard and len(labels) < 2:
        refuse("is a wildcard for a whole top-level domain, which nothing accepts")
    if "" in labels:
        refuse("is not a DNS name: there is nothing between two dots, or before the first one")
    if len(name) + 2 * wildcard > 253 or max(map(len, labels)) > 63:
        refuse("is too long for a DNS name: at most 253 characters in all and 63 between two dots")
    if labels[-1].isdecimal():
        refuse("is not a DNS name: its last part is a number")
    if "_" in name and not allow_underscores:
        refuse("has an underscore, which public CAs must refuse; set allow_underscores=true if yours does not")
    if not all(_LABEL.fullmatch(label) for label in labels):
        refuse("is not a DNS name: its parts are letters, digits and hyphens, with no hyphen at either end")
    return f"*.{name}" if wildcard else name


def comparable_dn(dn: str) -> str:
    """A DN without what differs between platforms, and between the answers of one: blanks after commas, case, the end at which it begins."""
    parts = re.split(r"(?<!\\),", re.sub(r"\s*([,=])\s*", r"\1", dn.strip()).casefold())
    return ",".join(min(parts, parts[::-1]))


def same_dn(one: str, other: str) -> bool:
    """Whether two texts are one DN."""
    return comparable_dn(one) == comparable_dn(other)


def comparable_name(name: str) -> str:
    """A name as it is compared: an internationalised one as A-labels, for vendors may have it in either form; all else as it is, in lower case."""
    try:
        return dns_name("names", name, allow_underscores=True)
    except InputError:
        return printable(name.strip().rstrip(".").lower())


def normalise_hex(option: str, text: str) -> str:
    """A thumbprint or serial number as people paste it (colons, blanks, 0x, sha256: in front, either case) in upper-case hexadecimal.

    :raises InputError: it is something else.
    """
    digits = _SEPARATORS.sub("", _ALGORITHM.sub("", text.strip())).upper()
    digits = digits[2:] if digits.startswith("0X") else digits
    if not digits or any(digit not in "0123456789ABCDEF" for digit in digits):
        raise InputError(option, f"{printable(text, 60)!r} is not hexadecimal")
    return digits
