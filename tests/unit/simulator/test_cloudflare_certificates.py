# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare: client certificates from the list to the reactivation, with every switch."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.cloudflare_client import CERTIFICATES, CloudflareClient, failure

NAME = "tablet-0017.field.example.com"
SUBJECT = {"cn": NAME, "organization": "Example Corp", "organizational_unit": "Field", "country": "DE", "state": "Hessen", "location": "Kassel"}
UNKNOWN = "7bf7f70c-7600-42e1-81c4-e4c0da9aa515"
FAULTS: dict[str, dict[str, Any]] = {
    "connection lost": {"action": "drop_after"},
    "page of the edge": {"action": "html", "after": True},
    "cut off": {"action": "truncate"},
}


@pytest.fixture
def cloudflare(simulator: Simulator) -> Iterator[CloudflareClient]:
    client = CloudflareClient(simulator)
    yield client
    client.session.close()


def make_csr(key: Any, *attributes: tuple[Any, str], algorithm: Any = hashes.SHA256(), names: tuple[str, ...] = ()) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes]))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.PEM).decode()


def status(cloudflare: CloudflareClient, number: str) -> str:
    return str(cloudflare.show(number)["status"])


# -- create and read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)], ids=["EC", "RSA"])
def test_create(cloudflare: CloudflareClient, key: Any) -> None:
    csr = make_csr(key, (NameOID.COUNTRY_NAME, "DE"), (NameOID.STATE_OR_PROVINCE_NAME, "Hessen"), (NameOID.COMMON_NAME, NAME))
    answer = cloudflare.create(csr, 730)
    assert (answer.status_code, answer.json()["success"], answer.json()["errors"], answer.json()["messages"]) == (200, True, [], [])
    shown = answer.json()["result"]
    certificate = x509.load_pem_x509_certificate(shown["certificate"].encode())
    assert certificate.public_key() == key.public_key()
    assert certificate.subject == x509.load_pem_x509_csr(csr.encode()).subject
    assert shown["fingerprint_sha256"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert int(shown["serial_number"], 16) == certificate.serial_number and len(shown["serial_number"]) == 40
    assert shown["ski"] == x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
    account = cloudflare.ready["account_id"]
    assert shown["certificate_authority"]["name"] == f"Cloudflare Managed CA for account {account}"
    assert certificate.issuer.rfc4514_string() == f"CN=Managed CA {account}"
    begin, end = (datetime.strptime(shown[name], "%Y-%m-%dT%H:%M:%SZ") for name in ("issued_on", "expires_on"))
    assert (end - begin, begin.second) == (timedelta(days=730), 0)
    assert (certificate.not_valid_before_utc.replace(tzinfo=None), certificate.not_valid_after_utc.replace(tzinfo=None)) == (begin, end)
    assert (shown["status"], shown["validity_days"], shown["common_name"], shown["state"], shown["country"]) == ("active", 730, NAME, "Hessen", "DE")
    assert (shown["organization"], shown["organizational_unit"], shown["location"]) == ("", "", "")
    assert "private_key" not in shown
    assert cloudflare.show(shown["id"]) == shown


def test_the_same_csr_is_signed_as_often_as_asked(cloudflare: CloudflareClient) -> None:
    csr = cloudflare.simulator.cloudflare.csr("key", NAME)
    made = [cloudflare.create(csr).json()["result"] for dummy in range(2)]
    assert len({item["id"] for item in made}) == len({item["fingerprint_sha256"] for item in made}) == 2
    number = hashlib.sha256(
        x509.load_pem_x509_csr(csr.encode()).public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()
    assert cloudflare.simulator.records.effects(number) == ["create", "create"]
    held = cloudflare.simulator.cloudflare[made[0]["id"]]
    assert (held.public_key_sha256, held.csr, held.zone_id) == (number, csr, cloudflare.ready["zone_id"])
    assert (held.issued_on, held.expires_on, held.validity_days) == (made[0]["issued_on"], made[0]["expires_on"], 365)


def test_the_csr_comes_back_changed(cloudflare: CloudflareClient) -> None:
    csr = cloudflare.simulator.cloudflare.csr("key", NAME)
    for sent in (csr, csr + "\n\n", "\n" + csr.rstrip(), "  " + csr.replace("\n", "\n  "), csr.replace("\n", "\r\n")):
        echoed = cloudflare.create(sent).json()["result"]["csr"]
        assert echoed == csr.replace("\n", "\r\n")
    cloudflare.load(csr_line_ends="lf")
    assert cloudflare.create(csr).json()["result"]["csr"] == csr


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_create_counts_although_the_answer_is_lost(cloudflare: CloudflareClient, fault: dict[str, Any]) -> None:
    first, second = (cloudflare.simulator.cloudflare.csr(label, NAME) for label in "ab")
    simulator = cloudflare.simulator
    spki = {label: simulator.cloudflare[simulator.cloudflare.load([{"cn": NAME, "key": label}])[0]].public_key_sha256 for label in "ab"}
    simulator.cloudflare.load([])
    simulator.faults.add(match={"method": "POST", "target": spki["b"]}, **fault)
    assert cloudflare.create(first).status_code == 200
    with pytest.raises(requests.RequestException):
        cloudflare.create(second).json()
    assert simulator.records.effects(spki["b"]) == ["create"]
    assert [item.public_key_sha256 for item in simulator.cloudflare.certificates()] == [spki["a"], spki["b"]]


@pytest.mark.parametrize(
    ("csr", "days", "code"),
    [
        (None, 365, 1491), ("", 365, 1491), ("  \n", 365, 1491), (["x"], 365, 1491),
        ("nonsense", 365, 1492), ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", 365, 1492),
        ("good", 0, 1493), ("good", -1, 1493), ("good", 3651, 1493), ("good", "365", 1493), ("good", None, 1493), ("good", True, 1493), ("good", 1.5, 1493),
    ],
)
def test_bad_creates(cloudflare: CloudflareClient, csr: Any, days: Any, code: int) -> None:
    good = cloudflare.simulator.cloudflare.csr("key", NAME)
    assert failure(cloudflare.create(good if csr == "good" else csr, days)) == (400, code)
    assert cloudflare.simulator.cloudflare.certificates() == []


def test_bad_keys_and_signatures(cloudflare: CloudflareClient) -> None:
    name = (NameOID.COMMON_NAME, NAME)
    weak = make_csr(rsa.generate_private_key(65537, 1024), name)
    other = make_csr(ed25519.Ed25519PrivateKey.generate(), name, algorithm=None)
    der = bytearray(x509.load_pem_x509_csr(cloudflare.simulator.cloudflare.csr("key", NAME).encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    for csr in (weak, other, forged):
        assert failure(cloudflare.create(csr)) == (400, 1492)


@pytest.mark.parametrize("body", [b"{", b"[]", b"", b"\xff"])
def test_bad_bodies(cloudflare: CloudflareClient, body: bytes) -> None:
    assert failure(cloudflare.call("POST", CERTIFICATES, data=body)) == (400, 1491 if not body else 1490)


def test_max_validity_days(cloudflare: CloudflareClient) -> None:
    cloudflare.load(max_validity_days=5475)
    assert cloudflare.create(cloudflare.simulator.cloudflare.csr("key", NAME), 5475).status_code == 200


def test_quota(cloudflare: CloudflareClient) -> None:
    csr = cloudflare.simulator.cloudflare.csr("key", NAME)
    active, dummy, dummy2 = cloudflare.load({"cn": "a"}, {"cn": "b", "status": "pending_reactivation"}, {"cn": "c", "status": "revoked"}, quota=2)
    assert failure(cloudflare.create(csr)) == (400, 1494)
    assert cloudflare.revoke(active).status_code == 200
    assert cloudflare.create(csr).status_code == 200
    assert failure(cloudflare.reactivate(active)) == (400, 1494)
    cloudflare.simulator.configure({"cloudflare": {"reactivate_over_quota": "allow"}})
    assert cloudflare.reactivate(active).status_code == 200
    # Of the other zone nothing is used up.
    assert CloudflareClient(cloudflare.simulator, zone=cloudflare.ready["other_zone_id"]).create(csr).status_code == 200


def test_a_zone_loaded_with_more_has_that_as_its_quota(cloudflare: CloudflareClient) -> None:
    numbers = cloudflare.load({"count": 101})
    csr = cloudflare.simulator.cloudflare.csr("key", NAME)
    assert failure(cloudflare.create(csr)) == (400, 1494)
    cloudflare.revoke(numbers[0])
    assert cloudflare.reactivate(numbers[0]).status_code == 200
    cloudflare.load({"count": 99})
    assert [cloudflare.create(csr).status_code for dummy in range(2)] == [200, 400]


@pytest.mark.parametrize("kind", ["omit", "pending_reactivation"])
def test_create_status(cloudflare: CloudflareClient, kind: str) -> None:
    cloudflare.load(create_status=kind)
    shown = cloudflare.create(cloudflare.simulator.cloudflare.csr("key", NAME)).json()["result"]
    assert shown.get("status") == (None if kind == "omit" else kind)
    assert status(cloudflare, shown["id"]) == ("active" if kind == "omit" else kind)
    cloudflare.simulator.clock.advance(30)
    assert status(cloudflare, shown["id"]) == "active"


@pytest.mark.parametrize(("base", "odd", "even"), [("hex", 16, 16), ("decimal", 10, 10), ("mixed", 10, 16)])
def test_serial_base(cloudflare: CloudflareClient, base: str, odd: int, even: int) -> None:
    for number in cloudflare.load({"count": 12}, serial_base=base):
        serial = cloudflare.simulator.cloudflare[number].serial
        assert int(cloudflare.show(number)["serial_number"], odd if serial % 2 else even) == serial


@pytest.mark.parametrize(("kind", "expected"), [("empty", {"state": ""}), ("null", {"state": None}), ("omit", {})])
def test_empty_subject(cloudflare: CloudflareClient, kind: str, expected: dict[str, Any]) -> None:
    number = cloudflare.load({"cn": NAME}, empty_subject=kind)[0]
    shown = cloudflare.show(number)
    assert {name: shown[name] for name in ("state",) if name in shown} == expected
    assert shown["common_name"] == NAME


def test_copy_san(cloudflare: CloudflareClient) -> None:
    csr = make_csr(ec.generate_private_key(ec.SECP256R1()), (NameOID.COMMON_NAME, NAME), names=("abc.example.com",))
    found = []
    for copied in (False, True):
        cloudflare.load(copy_san=copied)
        certificate = x509.load_pem_x509_certificate(cloudflare.create(csr).json()["result"]["certificate"].encode())
        found.append([item.value.get_values_for_type(x509.DNSName) for item in certificate.extensions if isinstance(item.value, x509.SubjectAlternativeName)])
    assert found == [[], [["abc.example.com"]]]


def test_get(cloudflare: CloudflareClient) -> None:
    number = cloudflare.load({**SUBJECT, "status": "revoked", "age_days": 400})[0]
    shown = cloudflare.show(number)
    assert {key: shown[key] for key in SUBJECT if key != "cn"} == {key: value for key, value in SUBJECT.items() if key != "cn"}
    assert (shown["status"], shown["common_name"]) == ("revoked", NAME)
    assert cloudflare.get(f"{CERTIFICATES}/{number.upper()}").status_code == 200


@pytest.mark.parametrize("kind", [404, 400])
def test_unknown_ids(cloudflare: CloudflareClient, kind: int) -> None:
    cloudflare.load(unknown_id_status=kind)
    other = cloudflare.simulator.cloudflare.add([{"cn": NAME}], zone="example.net")[0]
    for number in (UNKNOWN, other, "nonsense"):
        for answer in (cloudflare.get(f"{CERTIFICATES}/{number}"), cloudflare.revoke(number), cloudflare.reactivate(number)):
            assert failure(answer) == (kind, 1415)
            assert answer.json()["errors"] == [{"code": 1415, "message": "Invalid Certificate ID in request"}]
    assert cloudflare.simulator.cloudflare[other].status == "active"


# -- the list ----------------------------------------------------------------------------------------------------


def test_the_list_shows_what_is_active(cloudflare: CloudflareClient) -> None:
    kinds = ("active", "pending_reactivation", "pending_revocation", "revoked")
    numbers = dict(zip(kinds, cloudflare.load(*({"cn": kind, "status": kind} for kind in kinds)), strict=True))
    assert [row["id"] for row in cloudflare.rows()] == [numbers["active"]]
    for kind, number in numbers.items():
        assert [(row["id"], row["status"]) for row in cloudflare.rows(status=kind)] == [(number, kind)]
    assert {row["id"] for row in cloudflare.rows(status="all")} == set(numbers.values())
    assert cloudflare.rows(status="all")[0] == cloudflare.show(cloudflare.rows(status="all")[0]["id"])
    assert failure(cloudflare.get(CERTIFICATES, status="gone")) == (400, 1497)


def test_a_zone_has_its_own(cloudflare: CloudflareClient) -> None:
    mine, theirs = cloudflare.load({"cn": "a"})[0], cloudflare.simulator.cloudflare.load([{"cn": "b"}], zone="example.net")[0]
    other = CloudflareClient(cloudflare.simulator, zone=cloudflare.ready["other_zone_id"])
    assert ([row["id"] for row in cloudflare.rows()], [row["id"] for row in other.rows()]) == ([mine], [theirs])
    # One CA for the account: each certificate verifies in both zones.
    assert cloudflare.rows()[0]["certificate_authority"] == other.rows()[0]["certificate_authority"]


def test_pages(cloudflare: CloudflareClient) -> None:
    numbers = cloudflare.load({"count": 47})
    first = cloudflare.get(CERTIFICATES).json()
    assert first["result_info"] == {"page": 1, "per_page": 20, "count": 20, "total_count": 47, "total_pages": 3}
    pages = [cloudflare.get(CERTIFICATES, page=page, per_page=20).json() for page in (1, 2, 3, 4)]
    assert [row["id"] for page in pages for row in page["result"]] == numbers[::-1]
    assert pages[3]["result_info"] == {"page": 4, "per_page": 20, "count": 0, "total_count": 47, "total_pages": 3}
    cloudflare.simulator.configure({"cloudflare": {"list_order": "oldest", "total_pages": False}})
    last = cloudflare.get(CERTIFICATES, page=3).json()
    assert ([row["id"] for row in last["result"]], "total_pages" in last["result_info"]) == (numbers[40:], False)
    cloudflare.simulator.configure({"cloudflare": {"result_info": False}})
    assert "result_info" not in cloudflare.get(CERTIFICATES).json()


def test_the_order_is_that_of_the_issue(cloudflare: CloudflareClient) -> None:
    numbers = cloudflare.load({"age_days": 10}, {"age_days": 30}, {"age_days": 20})
    assert [row["id"] for row in cloudflare.rows()] == [numbers[0], numbers[2], numbers[1]]
    assert [item.id for item in cloudflare.simulator.cloudflare.certificates()] == numbers


def test_the_end_and_the_bounds(cloudflare: CloudflareClient) -> None:
    cloudflare.load({"count": 60})
    assert [len(cloudflare.rows(per_page=size)) for size in (1, 4, 5, 50, 51, 1000)] == [5, 5, 5, 50, 50, 50]
    assert cloudflare.rows(page=0) == cloudflare.rows(page=1)
    for bad in ({"page": "x"}, {"per_page": "x"}, {"limit": "x"}, {"offset": "-1"}, {"limit": "-1"}):
        assert failure(cloudflare.get(CERTIFICATES, **bad)) == (400, 1497)
    cloudflare.simulator.configure({"cloudflare": {"per_page_out_of_range": "refuse", "page_past_the_end": "error"}})
    for bad in ({"page": 0}, {"per_page": 4}, {"per_page": 51}, {"page": 4}):
        assert failure(cloudflare.get(CERTIFICATES, **bad)) == (400, 1497)
    assert len(cloudflare.rows(page=3)) == 20
    cloudflare.load()
    assert cloudflare.rows(page=1) == []


def test_limit_and_offset_come_before_the_pages(cloudflare: CloudflareClient) -> None:
    numbers = cloudflare.load({"count": 30}, list_order="oldest")
    assert [row["id"] for row in cloudflare.rows(offset=3, limit=10, page=2, per_page=5)] == numbers[8:13]
    assert cloudflare.rows(offset=3, limit=10, page=3, per_page=5) == []


def test_the_list_lags(cloudflare: CloudflareClient) -> None:
    cloudflare.load({"cn": "old"}, list_lag_seconds=60)
    number = cloudflare.create(cloudflare.simulator.cloudflare.csr("key", NAME)).json()["result"]["id"]
    assert status(cloudflare, number) == "active"
    assert number not in {row["id"] for row in cloudflare.rows(status="all")}
    assert cloudflare.get(CERTIFICATES).json()["result_info"]["total_count"] == 1
    cloudflare.simulator.clock.advance(60)
    assert number in {row["id"] for row in cloudflare.rows()}


# -- status ------------------------------------------------------------------------------------------------------


def test_revoke(cloudflare: CloudflareClient) -> None:
    number = cloudflare.load({"cn": NAME})[0]
    # As an SDK does: a content type, and no body.
    answer = cloudflare.call("DELETE", f"{CERTIFICATES}/{number}", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["result"]["status"]) == (200, "pending_revocation")
    assert answer.json()["result"] == cloudflare.show(number)
    cloudflare.simulator.clock.advance(29)
    assert status(cloudflare, number) == "pending_revocation"
    cloudflare.simulator.clock.advance(1)
    assert (status(cloudflare, number), cloudflare.simulator.cloudflare[number].status) == ("revoked", "revoked")
    assert cloudflare.simulator.records.effects(number) == ["revoke"]


@pytest.mark.parametrize("kind", ["pending_revocation", "revoked"])
def test_revoking_twice(cloudflare: CloudflareClient, kind: str) -> None:
    number = cloudflare.load({"status": kind})[0]
    for expected in (400, 404, 409):
        cloudflare.simulator.configure({"cloudflare": {"already_revoked_status": expected}})
        answer = cloudflare.revoke(number)
        assert failure(answer) == (expected, 1407)
        assert "already deleted" in answer.json()["errors"][0]["message"]
    assert cloudflare.simulator.records.effects(number) == []


def test_revoking_what_comes_back(cloudflare: CloudflareClient) -> None:
    first, second = cloudflare.load({"count": 2, "status": "pending_reactivation"})
    assert cloudflare.revoke(first).json()["result"]["status"] == "pending_revocation"
    cloudflare.simulator.configure({"cloudflare": {"delete_pending_reactivation": "refuse"}})
    assert failure(cloudflare.revoke(second)) == (400, 1496)
    assert status(cloudflare, second) == "pending_reactivation"


@pytest.mark.parametrize("kind", ["pending_revocation", "revoked"])
def test_reactivate(cloudflare: CloudflareClient, kind: str) -> None:
    number = cloudflare.load({"status": kind})[0]
    answer = cloudflare.reactivate(number)
    assert (answer.status_code, answer.json()["result"]["status"]) == (200, "pending_reactivation")
    cloudflare.simulator.clock.advance(29)
    assert status(cloudflare, number) == "pending_reactivation"
    cloudflare.simulator.clock.advance(1)
    assert status(cloudflare, number) == "active"
    assert cloudflare.simulator.records.effects(number) == ["reactivate"]


def test_there_and_back(cloudflare: CloudflareClient) -> None:
    number = cloudflare.load({"cn": NAME}, reactivate_answer="active")[0]
    cloudflare.revoke(number)
    assert cloudflare.reactivate(number).json()["result"]["status"] == "active"
    # The clock of the revocation has stopped.
    cloudflare.simulator.clock.advance(3600)
    assert status(cloudflare, number) == "active"
    cloudflare.revoke(number)
    assert cloudflare.simulator.records.effects(number) == ["revoke", "reactivate", "revoke"]


def test_refused_reactivations(cloudflare: CloudflareClient) -> None:
    active, returning, going, gone = cloudflare.load(
        *({"status": kind} for kind in ("active", "pending_reactivation", "pending_revocation", "revoked")), reactivate_revoked="refuse"
    )
    for number in (active, returning, gone):
        assert failure(cloudflare.reactivate(number)) == (400, 1495)
    assert cloudflare.reactivate(going).status_code == 200
    cloudflare.simulator.configure({"cloudflare": {"reactivate_active": "accept"}})
    assert [cloudflare.reactivate(number).json()["result"]["status"] for number in (active, returning)] == ["active", "pending_reactivation"]
    assert cloudflare.simulator.records.effects(active) == cloudflare.simulator.records.effects(gone) == []


@pytest.mark.parametrize("body", [{}, {"reactivate": False}, {"csr": "x"}])
def test_a_patch_without_reactivate_changes_nothing(cloudflare: CloudflareClient, body: dict[str, Any]) -> None:
    number = cloudflare.load({"status": "pending_revocation"})[0]
    before = cloudflare.show(number)
    assert cloudflare.reactivate(number, body).json()["result"] == before
    assert cloudflare.simulator.records.effects(number) == []
    assert failure(cloudflare.reactivate(number, {"reactivate": "yes"})) == (400, 1497)
    assert failure(cloudflare.call("PATCH", f"{CERTIFICATES}/{number}", data=b"{")) == (400, 1490)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_revocation_counts_although_the_answer_is_lost(cloudflare: CloudflareClient, fault: dict[str, Any]) -> None:
    first, second = cloudflare.load({"count": 2})
    cloudflare.simulator.faults.add(match={"target": second}, **fault)
    cloudflare.revoke(first)
    with pytest.raises(requests.RequestException):
        cloudflare.revoke(second).json()
    assert [status(cloudflare, number) for number in (first, second)] == ["pending_revocation"] * 2
    assert cloudflare.simulator.records.effects(second) == ["revoke"]


def test_no_time_at_all(cloudflare: CloudflareClient) -> None:
    number = cloudflare.load({"cn": NAME}, revoke_seconds=0, reactivate_seconds=0)[0]
    assert cloudflare.revoke(number).json()["result"]["status"] == "revoked"
    assert cloudflare.reactivate(number).json()["result"]["status"] == "active"


# -- success: false ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["list_certificates", "show_certificate", "create_certificate", "revoke_certificate", "reactivate_certificate"])
def test_success_false_with_200(cloudflare: CloudflareClient, operation: str) -> None:
    number = cloudflare.load({"cn": NAME}, success_false_with_200=operation)[0]
    calls = {
        "list_certificates": lambda: cloudflare.get(CERTIFICATES), "show_certificate": lambda: cloudflare.get(f"{CERTIFICATES}/{number}"),
        "create_certificate": lambda: cloudflare.create(cloudflare.simulator.cloudflare.csr("key")),
        "revoke_certificate": lambda: cloudflare.revoke(number), "reactivate_certificate": lambda: cloudflare.reactivate(number, {}),
    }
    assert failure(calls.pop(operation)()) == (200, 1406)
    assert all(call().json()["success"] for call in calls.values())
    with pytest.raises(ValueError, match="success_false_with_200 is one of"):
        cloudflare.load(success_false_with_200="nonsense")


# -- entries -----------------------------------------------------------------------------------------------------


def test_keys_by_label(cloudflare: CloudflareClient) -> None:
    part = cloudflare.simulator.cloudflare
    same, again, name, other, given = (
        part[number] for number in part.load([
            {"cn": "a", "key": "x"}, {"cn": "a", "key": "x"}, {"cn": "b", "key": "x"}, {"cn": "a"}, {"csr": part.csr("x", "a", organization="Example Corp")},
        ])
    )
    assert same.csr == again.csr == part.csr("x", "a") != name.csr
    assert same.public_key_sha256 == name.public_key_sha256 == given.public_key_sha256 != other.public_key_sha256
    assert (given.common_name, given.subject["organization"], given.key) == ("a", "Example Corp", "")
    assert len({item.fingerprint_sha256 for item in (same, again, name, other, given)}) == 5


def test_ids_and_replacing(cloudflare: CloudflareClient) -> None:
    part = cloudflare.simulator.cloudflare
    assert part.load([{"id": UNKNOWN}]) == [UNKNOWN]
    with pytest.raises(ValueError, match="exists already"):
        part.add([{"id": UNKNOWN}])
    part.load([{"cn": "device-{n:02}", "count": 2, "start": 8, "each": [{"country": "DE"}, {"country": "AT"}]}])
    assert [(item.common_name, item.subject["country"]) for item in part.certificates()] == [("device-08", "DE"), ("device-09", "AT")]
    with pytest.raises(KeyError):
        part[UNKNOWN]


@pytest.mark.parametrize("entry", [{"nonsense": 1}, {"status": "gone"}, {"each": [{"nonsense": 1}], "count": 1}])
def test_mistakes_in_entries_are_explained(cloudflare: CloudflareClient, entry: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        cloudflare.load(entry)
    with pytest.raises(ValueError, match="unknown zone"):
        cloudflare.simulator.cloudflare.load([], zone="example.info")


def test_change(cloudflare: CloudflareClient) -> None:
    part, number = cloudflare.simulator.cloudflare, cloudflare.load({"cn": NAME})[0]
    part.change(number, {"status": "pending_revocation", "pending_seconds": 5})
    assert status(cloudflare, number) == "pending_revocation"
    cloudflare.simulator.clock.advance(5)
    assert status(cloudflare, number) == "revoked"
    for bad in ({"nonsense": 1}, {"status": "gone"}):
        with pytest.raises(ValueError):
            part.change(number, bad)
    # What somebody else did is no effect of a request.
    assert cloudflare.simulator.records.effects(number) == []


def test_the_state_survives(cloudflare: CloudflareClient) -> None:
    part = cloudflare.simulator.cloudflare
    numbers = cloudflare.load({"cn": NAME, "key": "x"}, {"status": "pending_revocation"}, {"cn": "b"})
    cloudflare.revoke(numbers[2])
    part.set_waf_rules("example.com", ["true"])
    part.set_hostnames("example.com", ["api.example.com"])
    before = cloudflare.rows(status="all")
    rules = cloudflare.get("rulesets/phases/http_request_firewall_custom/entrypoint").json()
    ready = part.ready("", None)  # type: ignore[arg-type]
    for dummy in range(2):
        part.restore(json.loads(json.dumps(part.dump())))
        assert cloudflare.rows(status="all") == before
    assert cloudflare.get("rulesets/phases/http_request_firewall_custom/entrypoint").json() == rules
    assert cloudflare.get("certificate_authorities/hostname_associations").json()["result"] == {"hostnames": ["api.example.com"]}
    assert part.csr("x", NAME) == part[numbers[0]].csr
    assert part.ready("", None) == ready  # type: ignore[arg-type]
    cloudflare.simulator.clock.advance(30)
    assert [part[number].status for number in numbers] == ["active", "revoked", "revoked"]
    part.load([])
    assert part.dump()["certificates"] == []


def test_a_large_zone_is_loaded_in_no_time(cloudflare: CloudflareClient) -> None:
    begin = time.process_time()
    cloudflare.load({"cn": "device-{n}", "count": 5000})
    cloudflare.rows(per_page=50, page=77)
    assert time.process_time() - begin < 3
