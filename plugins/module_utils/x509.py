# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, CSRs and keys: what identifies them, and the forms in which people write that."""

from __future__ import annotations

import hashlib
import re
import traceback
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    CRYPTOGRAPHY_IMPORT_ERROR: str | None = None
except ImportError:
    CRYPTOGRAPHY_IMPORT_ERROR = traceback.format_exc()

_PEM_CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----", re.DOTALL)
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


def public_key_sha256(holder: t.Union[x509.Certificate, x509.CertificateSigningRequest]) -> str:
    """SHA-256 over the SubjectPublicKeyInfo, in lower-case hexadecimal: the same for all certificates and CSRs of one key."""
    der = holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def normalise_hex(option: str, text: str) -> str:
    """A thumbprint or serial number as people paste it (colons, blanks, 0x, either case) in upper-case hexadecimal.

    :raises InputError: it is something else.
    """
    digits = _SEPARATORS.sub("", text).upper()
    digits = digits[2:] if digits.startswith("0X") else digits
    if not digits or any(digit not in "0123456789ABCDEF" for digit in digits):
        raise InputError(option, f"{printable(text, 60)!r} is not hexadecimal")
    return digits
