# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tls_endpoint_info against the endpoints of the simulator: what is served, expected, trusted and revoked."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.certops.remediation.plugins.modules import tls_endpoint_info
from ansible_collections.certops.remediation.tests.unit.support import key_pem, run_module

SHOP, WWW = "shop.example.com", "www.example.com"


def look(simulator, *endpoints, **options):
    given = {"endpoints": list(endpoints), "ca_path": simulator.ready["ca_path"], "timeout": 5, "allow_loopback": True, **options}
    return run_module(tls_endpoint_info, given)


def one(simulator, endpoint, **options):
    """The only entry of a look at one endpoint."""
    result = look(simulator, endpoint, **options)
    assert not result["failed"], result["msg"]
    (entry,) = result["endpoints"]
    return entry


def at(server, **more):
    """A server of the simulator as an endpoint that asks for its name."""
    return {"host": server.endpoint, "server_name": server.name, "starttls": server.starttls, **more}


def leaf(server, number=0):
    return x509.load_pem_x509_certificate(server.material[number].pem.encode())


def spki(key):
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(certificate, algorithm="sha256"):
    return hashlib.new(algorithm, certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def new_csr(key):
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name.from_rfc4514_string(f"CN={SHOP}"))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


# -- what is served ----------------------------------------------------------------------------------------------------------------------


def test_all_that_is_told_of_a_certificate(simulator):
    server = simulator.endpoints.serve(SHOP, certificates=[{"names": [SHOP, WWW, "127.0.0.1"], "serial": "0a0b0c"}])
    entry = one(simulator, at(server))
    certificate = leaf(server)
    assert {key: entry[key] for key in ("endpoint", "host", "port", "server_name", "starttls", "address", "handshakes", "reachable", "error", "refusal")} == {
        "endpoint": server.endpoint, "host": "127.0.0.1", "port": server.port, "server_name": SHOP, "starttls": "none", "address": "127.0.0.1",
        "handshakes": 1, "reachable": True, "error": None, "refusal": None,
    }
    assert entry["protocol"] == "TLSv1.3" and entry["cipher"].startswith("TLS_")
    assert entry["chain"][0] == {
        "subject": f"CN={SHOP}",
        "issuer": "CN=Example TLS CA 1,O=Example Corp,C=US",
        "serial": "0A0B0C",
        "thumbprint": fingerprint(certificate, "sha1").upper(),
        "fingerprint_sha256": fingerprint(certificate),
        "public_key_sha256": hashlib.sha256(spki(certificate.public_key())).hexdigest(),
        "key_type": "ecdsa-p256",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "names": [f"DNS:{SHOP}", f"DNS:{WWW}", "IP:127.0.0.1"],
    }
    assert [item["subject"] for item in entry["chain"]] == [f"CN={SHOP}", "CN=Example TLS CA 1,O=Example Corp,C=US"]
    assert entry["verified"] and entry["verify_error"] is None
    assert (entry["matches"], entry["matched_by"], entry["differs"], entry["revocation"]) == (None, None, [], None)


def test_sni_decides_what_is_shown(simulator):
    server = simulator.endpoints.serve(SHOP, certificates=[{}, {"names": [WWW], "sni": WWW}])
    for name, shown in ((SHOP, SHOP), (WWW, WWW), ("127.0.0.1", SHOP)):
        assert one(simulator, at(server, server_name=name))["chain"][0]["subject"] == f"CN={shown}"
    # An IP address is never asked for by name.
    assert server.names_asked == [SHOP, WWW, ""]


@pytest.mark.parametrize("starttls", ["smtp", "imap", "pop3", "ftp", "ldap", "postgres", "mysql", "xmpp"])
def test_starttls(simulator, starttls):
    server = simulator.endpoints.serve(SHOP, starttls=starttls)
    entry = one(simulator, at(server))
    assert entry["verified"] and entry["starttls"] == starttls
    assert one(simulator, f"{starttls}://{server.endpoint}")["reachable"]
    simulator.endpoints.serve(SHOP, starttls=starttls, behaviour="no_starttls", port=server.port)
    assert one(simulator, at(server))["error"]["kind"] == "starttls"
    simulator.endpoints.serve(SHOP, starttls=starttls, behaviour="inject", port=server.port)
    assert not one(simulator, at(server))["reachable"]


@pytest.mark.parametrize("behaviour, starttls, kind", [
    ("hang", "none", "timeout"), ("hang", "smtp", "timeout"), ("slow", "none", "timeout"), ("reset", "none", "reset"), ("reset_later", "none", "reset"),
    ("close", "none", "reset"), ("close", "imap", "reset"), ("garbage", "none", "not_tls"), ("ssh", "none", "not_tls"), ("http", "none", "not_tls"),
    ("endless", "smtp", "starttls"), ("endless", "none", "not_tls"), ("ssh", "smtp", "starttls"), ("ssh", "mysql", "timeout"), ("ssh", "imap", "starttls"),
])
def test_what_goes_wrong_is_named_and_ends_in_time(simulator, behaviour, starttls, kind):
    server = simulator.endpoints.serve(SHOP, behaviour=behaviour)
    begin = time.monotonic()
    entry = one(simulator, at(server, starttls=starttls), timeout=0.5, revocation="any", expected=["00"])
    assert time.monotonic() - begin < 5
    assert (entry["reachable"], entry["error"]["kind"]) == (False, kind), entry["error"]
    assert (entry["chain"], entry["verified"], entry["matches"], entry["revocation"]) == ([], None, None, None)


def test_refused_and_unknown_names(simulator):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert one(simulator, f"127.0.0.1:{port}")["error"]["kind"] == "refused"
    entry = one(simulator, "no-such-host.invalid")
    assert entry["error"]["kind"] in ("dns", "timeout") and entry["address"] is None


def test_a_resolver_that_hangs_ends_in_time(simulator, monkeypatch):
    gone = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *dummy, **more: [] if gone.wait(20) else None)
    begin = time.monotonic()
    entry = one(simulator, SHOP, timeout=0.3)
    gone.set()
    assert time.monotonic() - begin < 5 and entry["error"]["kind"] == "timeout"


def test_a_server_without_tls_says_what_to_set(simulator):
    server = simulator.endpoints.serve(SHOP, starttls="imap")
    entry = one(simulator, server.endpoint)
    assert entry["error"]["kind"] == "not_tls" and "set starttls to imap" in entry["error"]["message"]


@pytest.mark.parametrize("version, protocol", [("1.0", "TLSv1"), ("1.1", "TLSv1.1"), ("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")])
def test_old_protocols_are_told_as_such(simulator, version, protocol):
    entry = one(simulator, at(simulator.endpoints.serve(SHOP, versions=[version], certificates=[{"key": "rsa-2048"}])))
    assert (entry["protocol"], entry["verified"]) == (protocol, True)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_server_that_wants_a_client_certificate(simulator, version, tmp_path):
    server = simulator.endpoints.serve(SHOP, versions=[version], client_certificate=True)
    entry = one(simulator, at(server))
    assert entry["verified"] and bool(entry["refusal"]) is (version == "1.2")
    own = simulator.authority.client_certificate("probe", tmp_path)
    entry = one(simulator, at(server), client_cert=str(own[0]), client_key=str(own[1]))
    assert entry["protocol"] == f"TLSv{version}" and entry["refusal"] is None
    assert look(simulator, at(server), client_cert=str(own[0]), client_key=str(tmp_path / "none"))["error"]["kind"] == "input"


def test_ipv6(simulator):
    try:
        server = simulator.endpoints.serve(SHOP, addresses=["::1"], certificates=[{"names": ["::1"]}])
    except OSError:
        pytest.skip("there is no IPv6 here")
    entry = one(simulator, server.endpoint)
    assert entry["verified"] and (entry["host"], entry["address"]) == ("::1", "::1")


# -- farms -------------------------------------------------------------------------------------------------------------------------------


def test_attempts_meet_every_server_behind_a_load_balancer(simulator):
    server = simulator.endpoints.serve(SHOP, certificates=[{}, {}, {}])
    result = look(simulator, at(server), attempts=6, expected=[fingerprint(leaf(server, 1))])
    assert [entry["handshakes"] for entry in result["endpoints"]] == [2, 2, 2]
    assert {entry["chain"][0]["fingerprint_sha256"] for entry in result["endpoints"]} == {fingerprint(leaf(server, number)) for number in range(3)}
    assert sorted(entry["matches"] for entry in result["endpoints"]) == [False, False, True]
    assert (result["summary"]["endpoints"], result["summary"]["matching"], result["summary"]["mismatch"]) == (1, 0, 1)


def test_all_addresses_shows_the_half_that_still_serves_the_old_one(simulator, monkeypatch):
    addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    server = simulator.endpoints.serve(SHOP, addresses=addresses[:2], spread="addresses", certificates=[{}, {}])
    real = socket.getaddrinfo

    def resolver(host, *args, **options):
        return [item for address in (addresses if host == SHOP else [host]) for item in real(address, *args, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    place = f"{SHOP}:{server.port}"
    result = look(simulator, place, all_addresses=True, expected=[fingerprint(leaf(server))])
    assert [(entry["address"], entry["matches"]) for entry in result["endpoints"]] == [("127.0.0.1", True), ("127.0.0.2", False), ("127.0.0.3", None)]
    assert result["endpoints"][2]["error"]["kind"] == "refused"
    assert [result["summary"][name] for name in ("endpoints", "reachable", "unreachable", "matching", "mismatch")] == [1, 0, 1, 0, 1]
    # Without it, the first that answers; and one can be named.
    addresses.reverse()
    assert one(simulator, place)["address"] == "127.0.0.2"
    assert one(simulator, {"host": place, "address": "127.0.0.1"})["address"] == "127.0.0.1"


def test_three_hundred_endpoints_at_once(simulator):
    servers = [simulator.endpoints.serve(f"host-{number:03}.example.com", certificates=[{"key": "shared"}]) for number in range(300)]
    hanging = simulator.endpoints.serve("hanging.example.com", behaviour="hang")
    begin = time.monotonic()
    result = look(simulator, *map(at, servers), *[at(hanging)] * 20, expected=["00"], concurrency=64, timeout=3)
    assert time.monotonic() - begin < 30
    assert result["summary"] == {
        "endpoints": 320, "reachable": 300, "unreachable": 20, "matching": 0, "mismatch": 300, "verified": 300, "unverified": 0, "revoked": 0, "not_revoked": 0,
    }
    assert [entry["chain"][0]["subject"] for entry in result["endpoints"][:300]] == [f"CN={server.name}" for server in servers]


# -- trust -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("certificate, name, reason", [
    ({}, "other.example.com", "name_mismatch"),
    ({}, "127.0.0.1", "name_mismatch"),
    ({"names": ["127.0.0.1"]}, "127.0.0.1", None),
    ({"names": ["*.example.com"]}, SHOP, None),
    ({"age_days": 90, "days": 89}, SHOP, "expired"),
    ({"age_days": -2}, SHOP, "not_yet_valid"),
    ({"self_signed": True}, SHOP, "self_signed"),
    ({"chain": False}, SHOP, "unknown_authority"),
    ({"issuer": "root"}, SHOP, None),
    ({"key": "rsa-1024"}, SHOP, "weak"),
    ({"key": "rsa-2048"}, SHOP, None),
])
def test_what_a_client_would_say(simulator, certificate, name, reason):
    server = simulator.endpoints.serve(SHOP, certificates=[certificate])
    entry = one(simulator, at(server, server_name=name))
    assert entry["reachable"] and entry["verified"] is (reason is None)
    assert (entry["verify_error"] or {"reason": None})["reason"] == reason, entry["verify_error"]


def test_the_system_does_not_trust_the_simulator(simulator):
    server = simulator.endpoints.serve(SHOP)
    assert one(simulator, at(server), ca_path=None)["verify_error"]["reason"] == "unknown_authority"
    assert look(simulator, at(server), ca_path="/nonexistent/ca.pem")["error"]["kind"] == "input"


# -- what is expected --------------------------------------------------------------------------------------------------------------------


def test_all_ways_to_say_what_is_expected(simulator, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    issued = simulator.endpoints.issue(names=[SHOP], serial="0123456789abcdef0123")
    server = simulator.endpoints.serve(SHOP, certificates=[{"pem": issued.pem, "key_pem": issued.key_pem}])
    own_key = serialization.load_pem_private_key(issued.key_pem.encode(), None)
    certificate = leaf(server)
    path = tmp_path / "new.pem"
    path.write_text(issued.key_pem + issued.pem)
    (tmp_path / "new.der").write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (tmp_path / "new.csr").write_text(new_csr(own_key))
    colons = fingerprint(certificate).upper()
    public = own_key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    for given, by in (
        (issued.pem, "certificate"),
        (str(path), "certificate"),
        (str(tmp_path / "new.der"), "certificate"),
        (str(tmp_path / "new.csr"), "public_key"),
        (new_csr(own_key), "public_key"),
        (public, "public_key"),
        (":".join(colons[at : at + 2] for at in range(0, 64, 2)), "fingerprint_sha256"),
        (fingerprint(certificate, "sha1"), "thumbprint"),
        (hashlib.sha256(spki(certificate.public_key())).hexdigest(), "public_key_sha256"),
        ("01:23:45:67:89:AB:CD:EF:01:23", "serial"),
        ("0x123456789abcdef0123", "serial"),
    ):
        entry = one(simulator, at(server), expected=["00", given])
        assert (entry["matches"], entry["matched_by"], entry["differs"]) == (True, by, []), given
    other = simulator.endpoints.issue(names=[SHOP])
    same_key = simulator.endpoints.issue(names=[SHOP, WWW], serial="0123456789abcdef0123")
    for given, differs in (
        (other.pem, ["public_key", "serial"]),
        (same_key.pem, ["public_key", "names"]),
        (new_csr(key), ["public_key"]),
        ("77", ["serial"]),
        ("7" * 40, ["thumbprint", "serial"]),
        ("7" * 64, ["fingerprint_sha256", "public_key_sha256"]),
    ):
        entry = one(simulator, at(server), expected=[given])
        assert (entry["matches"], entry["matched_by"], entry["differs"]) == (False, None, differs)
    # What an endpoint says of itself counts more.
    assert one(simulator, at(server, expected=issued.pem), expected=["00"])["matches"]


@pytest.mark.parametrize("options, told", [
    ({"expected": ["/nonexistent/new.pem"]}, "cannot be read"),
    ({"expected": ["a" * 50]}, "neither a serial number"),
    ({"expected": ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]}, "no readable certificate"),
    ({"endpoints": ["a b.example.com"]}, "is not a DNS name"),
    ({"endpoints": ["https://user:pw@shop.example.com"]}, "user name or password"),
    ({"endpoints": ["gopher://shop.example.com"]}, "gopher://"),
    ({"endpoints": ["shop.example.com:99999"]}, "is not a port"),
    ({"endpoints": ["*.example.com"]}, "wildcard"),
    ({"endpoints": [{"host": SHOP, "hots": 1}]}, "has no hots"),
    ({"endpoints": [{"host": SHOP, "starttls": "nntp"}]}, "starttls is none, smtp"),
    ({"endpoints": [{"host": SHOP, "address": WWW}]}, "is not an IP address"),
    ({"attempts": 0}, "out of range"),
    ({"timeout": 0}, "out of range"),
    ({"revoked_certificates": ["/nonexistent"]}, "needs revocation"),
    ({"revoked_certificates": ["/nonexistent"], "revocation": "any"}, "cannot be read"),
    ({"issuer_path": ["/nonexistent"]}, "cannot be read"),
])
def test_mistakes_are_told_before_anything_is_sent(simulator, options, told):
    server = simulator.endpoints.serve(SHOP)
    result = look(simulator, **{"endpoints": [server.endpoint], **options})
    assert result["failed"] and told in result["msg"] and result["error"]["kind"] == "input"
    assert server.handshakes == 0


def test_a_private_key_is_refused_and_not_shown(simulator):
    pem = key_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    for options in ({"expected": [pem]}, {"endpoints": [{"host": SHOP, "expected": pem}]}):
        result = look(simulator, **options)
        assert "holds a private key" in result["msg"] and pem.split("\n")[1] not in result["output"]


# -- revocation --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode, source", [("ocsp", "ocsp"), ("crl", "crl"), ("any", "ocsp")])
def test_good_and_revoked(simulator, mode, source):
    server = simulator.endpoints.serve(SHOP)
    found = one(simulator, at(server), revocation=mode)["revocation"]
    assert (found["status"], found["source"], found["signature_verified"], found["revoked_at"]) == ("good", source, True, None)
    simulator.endpoints.revoke(leaf(server).serial_number, "key_compromise")
    result = look(simulator, at(server), revocation=mode, fail_on=["revoked"])
    found = result["endpoints"][0]["revocation"]
    assert (found["status"], found["reason"], found["source"]) == ("revoked", "key_compromise", source)
    assert found["this_update"] < found["revoked_at"] < found["next_update"]
    assert result["failed"] and result["summary"]["revoked"] == 1 and "revoked since" in result["msg"]
    assert result["endpoints"][0]["verified"]


def test_one_question_for_a_whole_farm(simulator):
    server = simulator.endpoints.serve(SHOP)
    result = look(simulator, *[at(server)] * 30, revocation="ocsp")
    assert {entry["revocation"]["status"] for entry in result["endpoints"]} == {"good"}
    assert len(simulator.journal) == 1


def test_a_revocation_is_proven_for_a_certificate_that_nothing_serves(simulator, tmp_path):
    old = simulator.endpoints.issue(names=[SHOP], serial="77")
    path = tmp_path / "old.pem"
    path.write_text(old.pem)
    asked = {"revoked_certificates": [str(path), old.pem], "revocation": "any", "fail_on": ["not_revoked"], "fetch_issuers": False}
    result = look(simulator, **asked)
    assert result["failed"] and result["summary"]["not_revoked"] == 2 and "its status is good" in result["msg"]
    simulator.endpoints.configure({"publication_lag_seconds": 600.0})
    simulator.endpoints.revoke("77", "superseded")
    assert look(simulator, **asked)["summary"]["not_revoked"] == 2
    simulator.clock.advance(601)
    # This clock runs ahead of ours, which is what an answer from the future would be.
    simulator.endpoints.configure({"ocsp_age_seconds": 900.0, "crl_age_seconds": 900.0})
    result = look(simulator, **asked)
    assert not result["failed"], result["msg"]
    assert [(item["serial"], item["revocation"]["status"], item["revocation"]["reason"]) for item in result["revoked_certificates"]] == [
        ("77", "revoked", "superseded")
    ] * 2


# -- waiting and failing -----------------------------------------------------------------------------------------------------------------


def test_waiting_for_a_roll_out_looks_only_where_it_must(simulator):
    new = simulator.endpoints.issue(names=[SHOP])
    done = simulator.endpoints.serve("done.example.com", certificates=[{"pem": new.pem, "key_pem": new.key_pem}])
    late = simulator.endpoints.serve(SHOP)
    timer = threading.Timer(0.7, simulator.endpoints.show, (SHOP, new))
    timer.start()
    result = look(simulator, at(done), at(late), expected=[new.pem], wait=True, wait_timeout=20, wait_interval=1)
    timer.join()
    assert not result["failed"] and result["summary"]["matching"] == 2 and result["looks"] == 2
    assert (done.handshakes, late.handshakes) == (1, 2)


def test_what_is_unwanted_is_never_right(simulator):
    old, new = simulator.endpoints.serve(SHOP), simulator.endpoints.serve(WWW)
    leaked = hashlib.sha256(spki(leaf(old).public_key())).hexdigest()
    result = look(simulator, at(old), at(new), unwanted=[leaked], fail_on=["mismatch"])
    assert [entry["matches"] for entry in result["endpoints"]] == [False, True]
    assert result["failed"] and "which is unwanted" in result["msg"]
    # Also where it was expected by its name or number.
    both = look(simulator, at(old), expected=[fingerprint(leaf(old))], unwanted=[leaked])
    assert both["endpoints"][0]["matches"] is False and both["endpoints"][0]["differs"] == []
    thread = threading.Timer(0.3, lambda: simulator.endpoints.show(SHOP, {}))
    thread.start()
    gone = look(simulator, at(old), unwanted=[leaked], wait=True, wait_interval=1, wait_timeout=10)
    thread.join()
    assert not gone["failed"] and gone["endpoints"][0]["matches"] is True


def test_what_was_served_can_be_kept(simulator):
    server = simulator.endpoints.serve(SHOP)
    entry = one(simulator, at(server), pem=True)
    assert "".join(item["pem"] for item in entry["chain"]) == server.material[0].pem
    assert "pem" not in one(simulator, at(server))["chain"][0]


def test_waiting_in_vain_fails_and_tells_for_what(simulator):
    server = simulator.endpoints.serve(SHOP)
    options = {"expected": ["77"], "wait": True, "wait_timeout": 1, "wait_interval": 1}
    result = look(simulator, at(server), **options)
    assert result["failed"] and result["msg"].startswith("Waited for 1 seconds in vain.\n127.0.0.1:")
    assert "which is not what is expected (other serial)" in result["msg"]
    given = {"endpoints": [at(server)], "timeout": 5, **options}
    result = run_module(tls_endpoint_info, given, check_mode=True)
    assert not result["failed"] and not result["changed"] and result["looks"] == 1


def test_fail_on(simulator):
    simulator.endpoints.serve("down.example.com", behaviour="close")
    simulator.endpoints.serve("strange.example.com", certificates=[{"self_signed": True}])
    simulator.endpoints.serve(SHOP)
    servers = [at(server) for server in simulator.endpoints.servers.values()]
    assert not look(simulator, *servers, expected=["77"])["failed"]
    for problem, lines in (("unreachable", 1), ("unverified", 1), ("mismatch", 2)):
        result = look(simulator, *servers, expected=["77"], fail_on=[problem])
        assert result["failed"] and result["summary"][problem] == lines and len(result["msg"].splitlines()) == 1 + lines
    result = look(simulator, *servers * 10, fail_on=["unreachable", "unverified"], revocation="ocsp")
    assert result["failed"]


def test_a_long_list_of_problems_is_cut(simulator):
    server = simulator.endpoints.serve(SHOP, behaviour="close")
    result = look(simulator, *[at(server)] * 30, fail_on=["unreachable"])
    assert len(result["msg"].splitlines()) == 22 and result["msg"].endswith("... and 10 more; see endpoints")


# -- hostile servers ---------------------------------------------------------------------------------------------------------------------


def test_hostile_text_in_a_certificate_is_made_harmless(simulator):
    evil = "\x1b[2J\u202egnp.exe\n{{ lookup('pipe', 'id') }}"
    server = simulator.endpoints.serve(SHOP, certificates=[{"common_name": evil, "names": [SHOP]}])
    result = look(simulator, at(server), expected=["00"], fail_on=["mismatch"])
    text = json.dumps(result["endpoints"], ensure_ascii=False) + result["msg"]
    assert "gnp.exe" in text and not any(char in text for char in ("\x1b", "\u202e", "\\u001b", "\\n"))
    assert result["endpoints"][0]["verified"]


def test_a_certificate_that_cannot_be_parsed_is_told_all_the_same(simulator, monkeypatch):
    server = simulator.endpoints.serve(SHOP)

    def damaged(dummy):
        raise ValueError("invalid version")

    tls_endpoint_info.parse.cache_clear()
    tls_endpoint_info.describe.cache_clear()
    monkeypatch.setattr(tls_endpoint_info.x509, "load_der_x509_certificate", damaged)
    entry = one(simulator, at(server), revocation="any", expected=[fingerprint(leaf(server))])
    assert entry["matches"] and entry["chain"][0]["subject"] is None and entry["revocation"]["status"] == "unavailable"


def test_nothing_to_do_is_fine(simulator):
    result = look(simulator)
    assert not result["failed"] and result["endpoints"] == [] and result["summary"]["endpoints"] == 0


def test_openssl_is_of_the_same_opinion(simulator):
    """The fingerprint by another way than that of the module."""
    server = simulator.endpoints.serve(SHOP)
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", server.endpoint, "-servername", SHOP, "-showcerts"],
        input=b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout.decode()
    certificate = x509.load_pem_x509_certificate(shown[shown.index("-----BEGIN"):].encode())
    assert one(simulator, at(server), expected=[fingerprint(certificate)])["matches"]
