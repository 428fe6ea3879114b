# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for what identifies certificates, CSRs and keys, in the forms in which it can be compared; each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.remediation.plugins.module_utils import x509
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.revocation import reason_in

Filter = t.Callable[..., t.Any]


def told(name: str, work: Filter) -> Filter:
    """``work`` with errors as Ansible shows them. They quote a short text, and nothing of what may be a key."""

    def attempt(value: t.Any, *arguments: t.Any, **keywords: t.Any) -> t.Any:
        try:
            return work(value, *arguments, **keywords)
        except InputError as error:
            # Ansible says which filter it was.
            raise AnsibleFilterError(error.message.partition(": ")[2]) from None

    attempt.__name__ = name
    return attempt


def serial_number(value: t.Any) -> str:
    """In upper-case hexadecimal without leading zeros. A number is taken as what it is, a text as hexadecimal digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise InputError("serial_number", "is below zero")
        return f"{value:X}"
    return x509.normalise_hex("serial_number", str(value)).lstrip("0") or "0"


def _digits(name: str, value: t.Any, length: int) -> str:
    digits = x509.normalise_hex(name, str(value))
    if len(digits) != length:
        raise InputError(name, f"has {len(digits)} hexadecimal digits, not {length}")
    return digits


def thumbprint(value: t.Any) -> str:
    """SHA-1 in upper case, of a certificate in PEM or from its digits."""
    if "-----BEGIN" in str(value):
        return x509.thumbprint(_certificate("thumbprint", value))
    return _digits("thumbprint", value, 40)


def fingerprint_sha256(value: t.Any) -> str:
    """SHA-256 in lower case, of a certificate in PEM or from its digits."""
    if "-----BEGIN" in str(value):
        return x509.fingerprint_sha256(_certificate("fingerprint_sha256", value))
    return _digits("fingerprint_sha256", value, 64).lower()


def _certificate(name: str, value: t.Any) -> t.Any:
    return x509.load_certificates(name, str(value).encode("utf-8", "replace"))[0]


def public_key_sha256(value: t.Any) -> str:
    """Of the first certificate, CSR, public or private key in a PEM text, or from its digits."""
    if "-----BEGIN" in str(value):
        return x509.materials_in("public_key_sha256", str(value).encode("utf-8", "replace"))[0].key
    return _digits("public_key_sha256", value, 64).lower()


def certificate_names(value: t.Any) -> list[str]:
    """The subject alternative names of a certificate or CSR in PEM."""
    data = str(value).encode("utf-8", "replace")
    request = b"CERTIFICATE REQUEST-----" in data
    try:
        return x509.alternative_names(x509.load_request("certificate_names", data) if request else _certificate("certificate_names", value))
    except ValueError:
        raise InputError("certificate_names", "the extensions of the certificate cannot be parsed") from None


def distinguished_name(value: t.Any) -> str:
    return x509.comparable_dn(str(value))


def revocation_reason(value: t.Any, platform: str) -> t.Any:
    return reason_in("revocation_reason", str(value), platform)


class FilterModule:
    def filters(self) -> dict[str, Filter]:
        known: tuple[Filter, ...] = (
            serial_number, thumbprint, fingerprint_sha256, public_key_sha256, certificate_names, distinguished_name, revocation_reason,
        )
        return {work.__name__: told(work.__name__, work) for work in known}
