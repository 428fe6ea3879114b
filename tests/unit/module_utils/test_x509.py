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
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import x509 as x509_utils
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    alternative_names,
    general_name,
    key_type,
    load_certificates,
    load_private_key,
    load_request,
    meant_key_sha256,
    normalise_hex,
    normalise_name,
    public_key_sha256,
    thumbprint,
)

from ansible_collections.certops.remediation.tests.unit.support import key_pem

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
    ["0a1bFF", "0A:1B:FF", "0a 1b ff", " 0A-1B-FF ", "0x0a1bff", "0X0A1BFF", "0A.1B.FF", "\u200e0a1bff", "\u200e0a 1b ff\u200f", "\ufeff0a1bff",
     "0A:1B:FF\n", "SHA1 Fingerprint=0A:1B:FF",
     "sha256:0a1bff", "SHA-256: 0A1BFF"],
)
def test_hexadecimal_in_the_forms_people_paste(text):
    assert normalise_hex("thumbprint", text) == "0A1BFF"


@pytest.mark.parametrize("text", ["", " ", "0x", ":", "xyz", "0a1g", "0x0x1", "MD5 Fingerprint=0A:1B", "sha256:", "\u0661\u0662", "0a,1b", "\uff11"])
def test_what_is_not_hexadecimal_is_told(text):
    with pytest.raises(InputError, match="thumbprint"):
        normalise_hex("thumbprint", text)


@given(st.binary(min_size=1, max_size=20), st.sampled_from(["", ":", " ", "-"]), st.booleans())
def test_any_bytes_survive(data, separator, upper):
    text = data.hex(separator) if separator else data.hex()
    assert normalise_hex("serial", text.upper() if upper else text) == data.hex().upper()


# -- CSRs and keys -----------------------------------------------------------------------------------------------------------------------

REQUEST = x509.CertificateSigningRequestBuilder().subject_name(ONE.subject).sign(KEY, hashes.SHA256())
PEM_REQUEST, DER_REQUEST = (REQUEST.public_bytes(encoding) for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER))


@pytest.mark.parametrize(
    "data",
    [
        PEM_REQUEST,
        PEM_REQUEST.replace(b"\n", b"\r\n"),
        PEM_REQUEST.replace(b" CERTIFICATE", b" NEW CERTIFICATE"),
        b"Certificate Request:\n" + PEM_REQUEST + b"the end",
        DER_REQUEST,
    ],
    ids=["PEM", "CRLF", "NEW", "text around it", "DER"],
)
def test_a_csr_is_found(data):
    assert load_request("csr", data) == REQUEST


@pytest.mark.parametrize("data", [b"", b"text", PEM_ONE, PEM_REQUEST[:-40], DER_REQUEST[:-1]], ids=["empty", "text", "certificate", "cut off", "DER cut off"])
def test_what_is_no_csr_is_told(data):
    with pytest.raises(InputError, match="csr"):
        load_request("csr", data)


@given(st.binary(max_size=200))
def test_no_bytes_are_a_traceback_as_a_csr_or_a_key(data):
    for load in (lambda: load_request("x", data), lambda: load_private_key("x", data, None), lambda: load_private_key("x", data, b"secret")):
        with pytest.raises(InputError):
            load()


def test_a_private_key_is_opened_and_its_protection_told():
    plain, closed = key_pem(KEY), key_pem(KEY, "secret")
    assert [load_private_key("x", *given_pair)[1] for given_pair in ((plain, None), (closed, b"secret"), (plain, b"secret"))] == [True, True, False]
    assert public_key_sha256(load_private_key("x", closed, b"secret")[0]) == public_key_sha256(KEY) == public_key_sha256(ONE)
    for passphrase in (None, b"wrong"):
        with pytest.raises(InputError):
            load_private_key("x", closed, passphrase)


@pytest.mark.parametrize(
    "key, expected",
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "rsa-2048"),
        (ec.generate_private_key(ec.SECP384R1()), "ecdsa-p384"),
        (ec.generate_private_key(ec.SECP256K1()), "ecdsa-secp256k1"),
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (ed448.Ed448PrivateKey.generate(), "ed448"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_type_of_a_key(key, expected):
    assert key_type(key.public_key()) == expected


def test_a_key_is_meant_by_its_hash_or_by_what_carries_it():
    public = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = public_key_sha256(KEY)
    for text in (digest, digest.upper(), " ".join(digest), PEM_ONE.decode(), PEM_REQUEST.decode(), public.decode()):
        assert meant_key_sha256("x", text) == digest
    for text in ("", digest[:-1], digest + "0", key_pem(KEY).decode(), "-----BEGIN PUBLIC KEY-----", "\udc80"):
        with pytest.raises(InputError, match="x: "):
            meant_key_sha256("x", text)


# -- names -------------------------------------------------------------------------------------------------------------------------------

LONGEST = ".".join(["a" * 63] * 3 + ["b" * 61])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("www.example.com", "DNS:www.example.com"),
        (" WWW.Example.COM. ", "DNS:www.example.com"),
        ("DNS:www.example.com", "DNS:www.example.com"),
        ("dns: www.example.com", "DNS:www.example.com"),
        ("*.example.com", "DNS:*.example.com"),
        ("intranet", "DNS:intranet"),
        ("3com.example", "DNS:3com.example"),
        ("xn--bcher-kva.example", "DNS:xn--bcher-kva.example"),
        ("bücher.example", "DNS:xn--bcher-kva.example"),
        ("*.BÜCHER.example.", "DNS:*.xn--bcher-kva.example"),
        ("straße.example", "DNS:xn--strae-oqa.example"),
        ("日本語。example", "DNS:xn--wgv71a119e.example"),
        (LONGEST, f"DNS:{LONGEST}"),
        ("192.0.2.1", "IP:192.0.2.1"),
        ("IP:192.0.2.1", "IP:192.0.2.1"),
        ("IP Address:192.0.2.1", "IP:192.0.2.1"),
        ("2001:DB8:0:0::1", "IP:2001:db8::1"),
        ("email:Jane.Doe+x@Example.COM", "email:Jane.Doe+x@example.com"),
        ("email:jane@bücher.example", "email:jane@xn--bcher-kva.example"),
        ("URI:https://example.com/a?b=c#d", "URI:https://example.com/a?b=c#d"),
        ("URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
        ("uri:spiffe://example.com/web", "URI:spiffe://example.com/web"),
    ],
)
def test_names_are_brought_into_one_form(text, expected):
    assert normalise_name("names", text) == expected == normalise_name("names", expected)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.add_extension(x509.SubjectAlternativeName([general_name(expected)]), True).sign(KEY, hashes.SHA256())
    assert alternative_names(csr) == [expected]


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "empty"),
        (" . ", "empty"),
        ("DNS:", "empty"),
        ("a..example.com", "two dots"),
        (".example.com", "two dots"),
        ("www.example.com..", "two dots"),
        ("www.*.example.com", "wildcard"),
        ("w*.example.com", "wildcard"),
        ("*", "wildcard"),
        ("*.*.example.com", "wildcard"),
        ("*.com", "top-level"),
        ("a_b.example.com", "allow_underscores"),
        ("-a.example.com", "hyphen"),
        ("a-.example.com", "hyphen"),
        ("a b.example.com", "letters, digits"),
        ("https://www.example.com", "letters, digits"),
        ("www.example.com:443", "letters, digits"),
        ("www.example.com/path", "letters, digits"),
        ("jane@example.com", "letters, digits"),
        ("a\x00.example.com", "letters, digits"),
        ("a\n.example.com", "letters, digits"),
        ("x" * 64 + ".example.com", "too long"),
        (LONGEST + "b", "too long"),
        ("*." + LONGEST, "too long"),
        ("1.2.3.256", "number"),
        ("192.0.2", "number"),
        ("DNS:192.0.2.1", "number"),
        ("192.0.2.0/24", "letters, digits"),
        ("fe80::1%eth0", "letters, digits"),
        ("IP:www.example.com", "not an IP address"),
        ("IP:fe80::1%eth0", "not an IP address"),
        ("\u2603\u200b.example", "internationalised"),
        ("a\u0300\u0301-.example", "internationalised"),
        ("email:jane", "e-mail"),
        ("email:@example.com", "e-mail"),
        ("email:jäne@example.com", "e-mail"),
        ("email:a b@example.com", "e-mail"),
        ("email:a@b@example.com", "e-mail"),
        ("email:a@*.example.com", "wildcard"),
        ("URI:www.example.com", "URI"),
        ("URI:https://bücher.example/", "URI"),
        ("URI:https://example.com/a b", "URI"),
        ("URI:https:", "URI"),
    ],
)
def test_names_that_no_certificate_can_carry_are_told(text, said):
    with pytest.raises(InputError, match=said) as caught:
        normalise_name("names", text)
    assert caught.value.message.isprintable()


def test_underscores_are_a_matter_of_policy():
    assert normalise_name("names", "_dmarc.a_b.Example.com", allow_underscores=True) == "DNS:_dmarc.a_b.example.com"


def test_without_the_library_only_ascii_names_can_be_read(monkeypatch):
    monkeypatch.setattr(x509_utils, "idna", None)
    assert normalise_name("names", "xn--bcher-kva.example") == "DNS:xn--bcher-kva.example"
    with pytest.raises(InputError, match="package idna"):
        normalise_name("names", "bücher.example")


@given(st.text(max_size=40) | st.from_regex(r"(DNS|IP|email|URI):[!-~]{0,30}", fullmatch=True), st.booleans())
def test_any_text_is_a_name_that_can_be_carried_or_is_told(text, underscores):
    try:
        name = normalise_name("names", text, allow_underscores=underscores)
    except InputError:
        return
    assert name.isascii() and normalise_name("names", name, allow_underscores=underscores) == name
    general_name(name)
