# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OCSP and CRL: what is believed, what is not, and where nothing is fetched from."""

from __future__ import annotations

import datetime
import socket
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from ansible_collections.certops.remediation.plugins.module_utils import revocation_status
from ansible_collections.certops.remediation.plugins.module_utils.revocation_status import Fetcher, RevocationChecker, Unavailable, issued_by
from ansible_collections.certops.remediation.plugins.module_utils.x509 import load_certificates
from ansible_collections.certops.remediation.tests.unit.support import Server, answer

NAME = "shop.example.com"


class Case:
    """A certificate of the simulator, and questions about it."""

    def __init__(self, simulator, **spec):
        self.simulator, self.endpoints = simulator, simulator.endpoints
        pem = self.endpoints.issue(**{"names": [NAME], **spec}).pem
        self.certificate, *self.above = load_certificates("pem", pem.encode())

    def ask(self, mode, chain=None, **options):
        fetcher = Fetcher(options.pop("timeout", 5.0), options.pop("allow_private", True), options.pop("allow_loopback", True))
        return RevocationChecker(mode, fetcher, **options).status(self.certificate, self.above if chain is None else chain)

    def revoke(self, reason="key_compromise"):
        self.endpoints.revoke(self.certificate.serial_number, reason)


@pytest.fixture
def case(simulator):
    return Case(simulator)


# -- OCSP --------------------------------------------------------------------------------------------------------------------------------

OCSP = {
    "as it should be": ({}, "revoked", True, None),
    "a delegate": ({"ocsp_signer": "delegate"}, "revoked", True, None),
    "no next update": ({"ocsp_lifetime_seconds": 0.0}, "revoked", True, None),
    "unknown": ({"ocsp_knows": False}, "unknown", True, None),
    "out of date": ({"ocsp_age_seconds": 90000.0}, "unavailable", True, "out of date"),
    "from the future": ({"ocsp_age_seconds": -900.0}, "unavailable", True, "from the future"),
    "a delegate without the usage": ({"ocsp_signer": "delegate_without_usage"}, "unavailable", False, "signed by nobody"),
    "an expired delegate": ({"ocsp_signer": "expired_delegate"}, "unavailable", False, "signed by nobody"),
    "a stranger": ({"ocsp_signer": "stranger"}, "unavailable", False, "signed by nobody"),
    "another certificate": ({"ocsp_serial": "other"}, "unavailable", None, "about another certificate"),
    "try later": ({"ocsp_status": "try_later"}, "unavailable", None, "answered try_later"),
    "unauthorized": ({"ocsp_status": "unauthorized"}, "unavailable", None, "answered unauthorized"),
}


@pytest.mark.parametrize("name", OCSP)
def test_ocsp(case, name):
    switches, status, signed, told = OCSP[name]
    case.revoke()
    case.endpoints.configure(switches)
    found = case.ask("ocsp")
    assert (found.status, found.signature_verified, found.source) == (status, signed, "ocsp")
    assert (found.reason, bool(found.revoked_at)) == (("key_compromise", True) if status == "revoked" else (None, False))
    assert told in found.error if told else found.error is None


# -- CRL ---------------------------------------------------------------------------------------------------------------------------------

CRL = {
    "as it should be": ({}, "revoked", True, None),
    "in PEM form": ({"crl_form": "pem"}, "revoked", True, None),
    "out of date": ({"crl_age_seconds": 700000.0}, "unavailable", True, "out of date"),
    "from the future": ({"crl_age_seconds": -900.0}, "unavailable", True, "from the future"),
    "another issuer": ({"crl_issuer": "other"}, "unavailable", False, "another issuer"),
    "a stranger": ({"crl_signer": "stranger"}, "unavailable", False, "not signed by the issuer"),
    "a delta": ({"crl_scope": "delta"}, "unavailable", True, "delta CRL"),
    "for CAs": ({"crl_scope": "ca_only"}, "unavailable", True, "does not cover"),
    "for some reasons": ({"crl_scope": "some_reasons"}, "unavailable", True, "does not cover"),
    "another part": ({"crl_scope": "other_part"}, "unavailable", True, "does not cover"),
}


@pytest.mark.parametrize("name", CRL)
def test_crl(case, name):
    switches, status, signed, told = CRL[name]
    case.revoke()
    case.endpoints.configure(switches)
    found = case.ask("crl")
    assert (found.status, found.signature_verified, found.source) == (status, signed, "crl")
    assert (found.reason, bool(found.revoked_at)) == (("key_compromise", True) if status == "revoked" else (None, False))
    assert told in found.error if told else found.error is None


def test_a_hold_that_is_lifted(case):
    case.revoke("certificate_hold")
    assert {case.ask(mode).reason for mode in ("ocsp", "crl")} == {"certificate_hold"}
    case.endpoints.release(case.certificate.serial_number)
    assert {case.ask(mode).status for mode in ("ocsp", "crl")} == {"good"}


def test_no_reason_is_no_reason(case):
    case.revoke("unspecified")
    assert (case.ask("crl").status, case.ask("crl").reason) == ("revoked", None)


# -- any ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switches", [{"ocsp_knows": False}, {"ocsp_status": "try_later"}, {"ocsp_signer": "stranger"}])
def test_where_ocsp_tells_nothing_the_crl_does(case, switches):
    case.revoke()
    case.endpoints.configure(switches)
    assert (case.ask("any").status, case.ask("any").source) == ("revoked", "crl")
    case.endpoints.configure({"crl_signer": "stranger"})
    assert (case.ask("any").status, case.ask("any").source) == ("unknown" if "ocsp_knows" in switches else "unavailable", "ocsp")


# -- transport ---------------------------------------------------------------------------------------------------------------------------

FAULTS = {
    "an error": ({"action": "status", "status": 503}, "HTTP status 503"),
    "a page": ({"action": "html", "status": 200}, "cannot be read"),
    "nothing": ({"action": "empty", "status": 200}, "cannot be read"),
    "a redirect": ({"action": "redirect", "location": "http://169.254.169.254/"}, "redirects are not followed"),
    "half of it": ({"action": "truncate"}, "cut off"),
    "a reset": ({"action": "drop_before"}, "no readable answer"),
    "too much": ({"action": "huge", "size": 1 << 30}, "larger than"),
    "a bomb": ({"action": "gzip_bomb", "size": 1 << 30}, ""),
    "a late answer": ({"action": "delay", "seconds": 2}, "in time"),
    "a drip": ({"action": "slow_body", "seconds": 0.02}, "in time"),
}


@pytest.mark.parametrize("mode", ["ocsp", "crl"])
@pytest.mark.parametrize("name", FAULTS)
def test_what_happens_on_the_way(case, monkeypatch, name, mode):
    fault, told = FAULTS[name]
    monkeypatch.setattr(revocation_status, "MAX_CRL", 1 << 16)
    case.simulator.faults.add(**fault)
    begin = time.monotonic()
    found = case.ask(mode, timeout=0.6)
    assert time.monotonic() - begin < 5
    assert found.status == "unavailable" and told in found.error and found.signature_verified is None
    case.simulator.faults.clear()
    assert case.ask(mode).status == "good"


def test_a_peer_that_drips_its_headers_ends_in_time():
    def drip(connection):
        for dummy in range(40):
            connection.sendall(b"H")
            time.sleep(0.05)

    with Server(lambda request, number: drip) as server, pytest.raises(Unavailable, match="in time"):
        Fetcher(0.4, True, True).get(server.url, 1000)


def test_https_is_verified(simulator):
    with pytest.raises(Unavailable, match="certificate verify failed"):
        Fetcher(5.0, True, True).get(simulator.ready["url"], 1000)


@pytest.mark.parametrize("url", [
    "ldap://ldap.example.com/cn=ca", "file:///etc/passwd", "http://", "http://user@127.0.0.1/", "http://127.0.0.1:99999/", "http://127.0.0.1/\r\nX: y",
])
def test_only_plain_addresses_of_http(url):
    with pytest.raises(Unavailable, match="its address is"):
        Fetcher(1.0, True, True).get(url, 1000)


@pytest.mark.parametrize("address, private, loopback, refused", [
    ("8.8.8.8", False, False, False),
    ("2606:4700::1111", False, False, False),
    ("10.1.2.3", True, False, False),
    ("10.1.2.3", False, False, True),
    ("fd12::1", True, False, False),
    ("fd12::1", False, False, True),
    ("100.64.1.1", False, False, True),
    ("127.0.0.1", True, False, True),
    ("127.0.0.1", True, True, False),
    ("::1", True, False, True),
    ("::ffff:127.0.0.1", True, False, True),
    ("169.254.169.254", True, True, True),
    ("::ffff:169.254.169.254", True, True, True),
    ("64:ff9b::a9fe:a9fe", True, True, True),
    ("2002:a9fe:a9fe::1", True, True, True),
    ("fe80::1%eth0", True, True, True),
    ("fd00:ec2::254", True, True, True),
    ("100.100.100.200", True, True, True),
    ("0.0.0.0", True, True, True),
    ("224.0.0.1", True, True, True),
    ("255.255.255.255", True, True, True),
])
def test_where_nothing_is_fetched_from(address, private, loopback, refused):
    assert bool(Fetcher(1.0, private, loopback).refuses(address)) is refused


def test_a_name_for_a_forbidden_address_is_refused(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *dummy, **more: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))])
    with pytest.raises(Unavailable, match="metadata"):
        Fetcher(1.0, True, True).get("http://crl.example.com/ca.crl", 1000)


# -- issuers -----------------------------------------------------------------------------------------------------------------------------


def test_where_the_issuer_comes_from(case):
    assert case.ask("ocsp", [], fetch_issuers=False).error.startswith("the server does not send the issuer")
    assert case.ask("ocsp", [], fetch_issuers=False, issuers=case.above).status == "good"
    assert len(case.simulator.journal) == 1
    assert case.ask("ocsp", []).status == "good"
    assert [entry["path"].rpartition(".")[2] for entry in case.simulator.journal[1:]] == ["cer", "/pki/ocsp"]
    case.simulator.faults.add("status", match={"path": "cer$"}, status=404)
    assert "HTTP status 404" in case.ask("ocsp", []).error
    case.simulator.faults.add("html", match={"path": "cer$"}, status=200)
    assert "holds no certificate" in case.ask("ocsp", []).error
    # A chain that leads elsewhere is no issuer.
    stranger = x509.load_pem_x509_certificate(case.simulator.authority.root_pem)
    assert "does not send" in case.ask("ocsp", [stranger], fetch_issuers=False).error


@pytest.mark.parametrize("form", [serialization.Encoding.DER, serialization.Encoding.PEM])
def test_an_issuer_in_a_bundle(case, monkeypatch, form):
    bundle = pkcs7.serialize_certificates(case.above, form)
    with Server(lambda request, number: answer(body=bundle)) as server:
        monkeypatch.setattr(revocation_status, "_access", lambda dummy, method: [server.url])
        # The same address then stands for the OCSP responder, which it is not.
        assert "OCSP response cannot be read" in case.ask("ocsp", []).error


@pytest.mark.parametrize("spec, told", [
    ({"self_signed": True}, "self-signed"),
    ({"urls": []}, "names no OCSP responder and no CRL"),
])
def test_certificates_that_nobody_can_be_asked_about(simulator, spec, told):
    found = Case(simulator, **spec).ask("any")
    assert (found.status, found.source) == ("unavailable", None) and told in found.error


def test_what_is_asked_for_must_be_in_the_certificate(simulator):
    assert "names no CRL" in Case(simulator, urls=["ocsp"]).ask("crl").error
    assert Case(simulator, urls=["ocsp", "issuer"]).ask("any").status == "good"


def test_signatures_of_all_kinds():
    now = datetime.datetime.now(datetime.timezone.utc)
    name = x509.Name.from_rfc4514_string("CN=CA")
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    other = ed25519.Ed25519PrivateKey.generate()
    for key, algorithm, options in (
        (rsa_key, hashes.SHA256(), {}),
        (rsa_key, hashes.SHA384(), {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA384()), 48)}),
        (ed25519.Ed25519PrivateKey.generate(), None, {}),
    ):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        issuer = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, algorithm, **options)
        assert issued_by(issuer, issuer)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(other.public_key()).serial_number(1)
        stranger = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(other, None)
        assert not issued_by(issuer, stranger) and not issued_by(stranger, issuer)
