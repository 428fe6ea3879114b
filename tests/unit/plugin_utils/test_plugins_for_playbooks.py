# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters and tests that are for the playbooks of others."""

from __future__ import annotations

import ipaddress

import pytest
from ansible.errors import AnsibleError, AnsibleFilterError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ansible_collections.certops.remediation.plugins.filter.x509 import FilterModule
from ansible_collections.certops.remediation.plugins.module_utils.revocation import REASONS
from ansible_collections.certops.remediation.plugins.modules import digicert_certificate_revoke, keyfactor_certificate_revoke, tpp_certificate_reset
from ansible_collections.certops.remediation.plugins.test.outcome import TestModule as PluginTests
from ansible_collections.certops.remediation.tests.unit.plugin_utils.test_find_record import CERTIFICATE, CSR, KEY, MARKS, PEM, PUBLIC, SPKI
from ansible_collections.certops.remediation.tests.unit.support import key_pem

FILTERS = FilterModule().filters()
TESTS = PluginTests().tests()


@pytest.mark.parametrize(
    "name, value, result",
    [
        ("serial_number", "00:5f:60:a8", "5F60A8"),
        ("serial_number", "0x005F60A8", "5F60A8"),
        ("serial_number", 0x5F60A8, "5F60A8"),
        ("serial_number", "00", "0"),
        ("serial_number", "10", "10"),
        ("thumbprint", "sha1:" + MARKS["thumbprint"].lower(), MARKS["thumbprint"]),
        ("thumbprint", PEM, MARKS["thumbprint"]),
        ("fingerprint_sha256", "SHA256 Fingerprint=" + MARKS["fingerprint"].upper(), MARKS["fingerprint"]),
        ("fingerprint_sha256", PEM, MARKS["fingerprint"]),
        *(("public_key_sha256", text, SPKI) for text in (PEM, CSR, PUBLIC, key_pem(KEY).decode(), SPKI.upper())),
        ("certificate_names", PEM, []),
        ("certificate_names", CSR, []),
        ("distinguished_name", "C=US, O=Example Corp, CN=CA 1", "c=us,o=example corp,cn=ca 1"),
        ("distinguished_name", "CN=CA 1,O=Example Corp,C=US", "c=us,o=example corp,cn=ca 1"),
    ],
    # The key is another one in each process, and names of tests must not be.
    ids=map(str, range(18)),
)
def test_one_form(name, value, result):
    assert FILTERS[name](value) == result
    if isinstance(result, str):
        assert FILTERS[name](result) == result


@pytest.mark.parametrize(
    "name, value, told",
    [
        ("serial_number", "xyz", "'xyz' is not hexadecimal"),
        ("serial_number", -1, "is below zero"),
        ("thumbprint", "abcd", "has 4 hexadecimal digits, not 40"),
        ("fingerprint_sha256", MARKS["thumbprint"], "has 40 hexadecimal digits, not 64"),
        ("public_key_sha256", key_pem(KEY, "secret").decode(), "encrypted private key"),
        ("certificate_names", "no PEM", "holds no readable certificate"),
    ],
    ids=map(str, range(6)),
)
def test_what_is_none_is_told(name, value, told):
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](value)
    assert told in str(caught.value) and "PRIVATE KEY-----" not in str(caught.value)


@pytest.mark.parametrize(
    "platform, words",
    [
        ("tpp", {"unspecified": 0, "key_compromise": 1, "ca_compromise": 2, "affiliation_changed": 3, "superseded": 4, "cessation_of_operation": 5}),
        ("keyfactor", {"keyCompromise": 1, "certificate_hold": 6}),
        ("digicert", {"Key Compromise": "keyCompromise", "1": "keyCompromise", "superseded": "superseded", "cessationOfOperation": "cessationOfOperation"}),
    ],
)
def test_reasons_in_the_words_of_each_platform(platform, words):
    assert {given: FILTERS["revocation_reason"](given, platform) for given in words} == words


@pytest.mark.parametrize(
    "given, platform, told",
    [
        ("key_compromise", "cloudflare", "cloudflare takes no reason for a revocation"),
        ("ca_compromise", "digicert", "digicert cannot revoke for ca_compromise; give one of unspecified, key_compromise"),
        ("certificate_hold", "tpp", "tpp cannot revoke for certificate_hold"),
        ("keycompromised", "tpp", "did you mean key_compromise?"),
        ("superseded", "venafi", "is no platform; give one of tpp, keyfactor, digicert, cloudflare"),
    ],
)
def test_a_reason_that_a_platform_does_not_know(given, platform, told):
    with pytest.raises(AnsibleFilterError, match=told.replace("?", r"\?")):
        FILTERS["revocation_reason"](given, platform)


def test_every_reason_is_known_somewhere_or_is_none_for_a_person_to_give():
    known = set()
    for name in REASONS:
        for platform in ("tpp", "keyfactor", "digicert"):
            try:
                FILTERS["revocation_reason"](name, platform)
                known.add(name)
            except AnsibleFilterError:
                pass
    assert set(REASONS) - known == {"remove_from_crl", "privilege_withdrawn", "aa_compromise"}


@pytest.mark.parametrize("outcome", ["unchanged", "planned", "applied", "pending", "refused", "failed", "unknown", "not_attempted"])
def test_outcomes(outcome):
    entry = {"target": "x", "outcome": outcome, "reversible": ""}
    assert [name for name, test in TESTS.items() if test(entry)] == ([] if outcome == "failed" else [outcome])


@pytest.mark.parametrize(
    "said, undoable",
    [
        (keyfactor_certificate_revoke.REVERSIBLE["revoked"], False),
        (keyfactor_certificate_revoke.REVERSIBLE["on_hold"], True),
        (keyfactor_certificate_revoke.REVERSIBLE["released"], True),
        (digicert_certificate_revoke.IRREVERSIBLE, False),
        (tpp_certificate_reset.NOT_REVERSIBLE, False),
        (None, True),
    ],
)
@pytest.mark.parametrize("outcome, counts", [("planned", True), ("applied", True), ("pending", True), ("unknown", True), ("failed", True), ("unchanged", False),
                                             ("refused", False), ("not_attempted", False)])
def test_what_cannot_be_undone(said, undoable, outcome, counts):
    assert TESTS["irreversible"]({"outcome": outcome, "reversible": said}) is (counts and not undoable)


@pytest.mark.parametrize("value", ["applied", {}, None, [{"outcome": "applied"}]])
def test_anything_else_is_no_target(value):
    with pytest.raises(AnsibleError, match="takes an entry of targets"):
        TESTS["applied"](value)


def test_names_of_a_request():
    names = [x509.DNSName("a.example.com"), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    builder = x509.CertificateSigningRequestBuilder().subject_name(CERTIFICATE.subject).add_extension(x509.SubjectAlternativeName(names), False)
    pem = builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    assert FILTERS["certificate_names"](pem) == ["DNS:a.example.com", "IP:192.0.2.1"]
