# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and the forms in which people write what identifies them."""

from __future__ import annotations

import base64
import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.x509 import load_certificates, normalise_hex, public_key_sha256, thumbprint

KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(KEY.public_key()).serial_number(7)
    return builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(KEY, hashes.SHA256())


ONE, TWO = certificate("one"), certificate("two")
PEM_ONE, PEM_TWO = (item.public_bytes(serialization.Encoding.PEM) for item in (ONE, TWO))
DER = ONE.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    "data, found",
    [
        (PEM_ONE, [ONE]),
        (PEM_ONE + PEM_TWO, [ONE, TWO]),
        (b"Bag Attributes\n  friendlyName: x\n" + PEM_TWO + b"\ntext between\n" + PEM_ONE + b"the end", [TWO, ONE]),
        (PEM_ONE.replace(b"\n", b"\r\n"), [ONE]),
        (PEM_ONE.replace(b" CERTIFICATE", b" X509 CERTIFICATE"), [ONE]),
        (b"\xef\xbb\xbf" + PEM_ONE, [ONE]),
        (DER, [ONE]),
    ],
)
def test_certificates_are_found(data, found):
    assert load_certificates("certificate_path", data) == found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no certificate",
        PEM_ONE[:-30],
        PEM_ONE.replace(b"M", b"A", 3),
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        DER[:-1],
        DER + b"\x00",
        PEM_ONE + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        # A version that does not exist.
        DER.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1),
        b"\x30\x82" * 100000,
    ],
)
def test_what_is_no_certificate_is_told(data):
    with pytest.raises(InputError, match="certificate_path"):
        load_certificates("certificate_path", data)


@given(st.binary(max_size=300))
def test_no_bytes_are_a_traceback(data):
    with pytest.raises(InputError):
        load_certificates("x", data)


def test_a_thumbprint_is_the_sha1_of_the_der_form():
    assert thumbprint(ONE) == hashlib.sha1(DER).hexdigest().upper()
    assert thumbprint(ONE) != thumbprint(TWO)


def test_the_key_is_the_same_in_certificate_and_request():
    request = x509.CertificateSigningRequestBuilder().subject_name(ONE.subject).sign(KEY, hashes.SHA256())
    other = x509.CertificateSigningRequestBuilder().subject_name(ONE.subject).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    assert public_key_sha256(ONE) == public_key_sha256(TWO) == public_key_sha256(request)
    assert public_key_sha256(ONE) != public_key_sha256(other)
    der = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert public_key_sha256(ONE) == hashlib.sha256(der).hexdigest()
    assert base64.b64encode(der)


@pytest.mark.parametrize(
    "text",
    ["0a1bFF", "0A:1B:FF", "0a 1b ff", " 0A-1B-FF ", "0x0a1bff", "0X0A1BFF", "0A.1B.FF", "\u200e0a1bff", "\u200e0a 1b ff\u200f", "\ufeff0a1bff", "0A:1B:FF\n"],
)
def test_hexadecimal_in_the_forms_people_paste(text):
    assert normalise_hex("thumbprint", text) == "0A1BFF"


@pytest.mark.parametrize("text", ["", " ", "0x", ":", "xyz", "0a1g", "0x0x1", "SHA1 Fingerprint=0A:1B", "\u0661\u0662", "0a,1b", "\uff11"])
def test_what_is_not_hexadecimal_is_told(text):
    with pytest.raises(InputError, match="thumbprint"):
        normalise_hex("thumbprint", text)


@given(st.binary(min_size=1, max_size=20), st.sampled_from(["", ":", " ", "-"]), st.booleans())
def test_any_bytes_survive(data, separator, upper):
    text = data.hex(separator) if separator else data.hex()
    assert normalise_hex("serial", text.upper() if upper else text) == data.hex().upper()
