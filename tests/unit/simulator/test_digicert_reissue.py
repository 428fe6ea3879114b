# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reissue: its four answers, what happens until the issue, and what happens to the certificates before."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.digicert_client import DigiCertClient, code

DAY = 86400
NAME = "a.example.com"
ENTRY: dict[str, Any] = {"order_id": 1, "common_name": NAME, "dns": [NAME, "b.example.com"], "key": "old", "days_left": 60}
AT_ONCE = {"approval": False}


@pytest.fixture
def digicert(simulator: Simulator) -> Iterator[DigiCertClient]:
    client = DigiCertClient(simulator)
    yield client
    client.session.close()


def load(digicert: DigiCertClient, **more: Any) -> None:
    digicert.simulator.digicert.load([{**ENTRY, **more}])


def leaf(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def names_of(certificate: x509.Certificate) -> list[str]:
    return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


def csr_pem(key: Any, algorithm: Any = hashes.SHA256()) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ignored.example.com")])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, algorithm).public_bytes(serialization.Encoding.PEM).decode()


# -- the four answers --------------------------------------------------------------------------------------------


def test_with_an_approval_there_is_a_request(digicert: DigiCertClient) -> None:
    load(digicert)
    answer = digicert.reissue(1, root={"comments": "because"})
    assert answer.status_code == 201
    request = answer.json()["requests"][0]
    assert answer.json() == {"id": 1, "requests": [{"id": request["id"]}]}
    order = digicert.order(1)
    assert order["status"] == "reissue_pending"
    assert order["requests"][-1] == {**order["requests"][-1], "id": request["id"], "type": "reissue", "status": "pending", "comments": "because"}
    assert digicert.reissues(1)[0]["status"] == "pending"
    assert not {"thumbprint", "serial_number", "date_issued", "valid_till"} & set(digicert.reissues(1)[0])


def test_without_approval_the_chain_comes_at_once(digicert: DigiCertClient) -> None:
    load(digicert)
    answer = digicert.reissue(1, root={"skip_approval": True}).json()
    assert list(answer) == ["id", "certificate_id", "certificate_chain"]
    first = answer["certificate_chain"][0]
    assert (first["subject_common_name"], len(answer["certificate_chain"])) == (NAME, 3)
    assert "\r\n" in first["pem"]
    certificate = leaf(first["pem"])
    assert certificate.public_key() == digicert.simulator.authority.keys["new"].public_key()
    assert names_of(certificate) == [NAME, "b.example.com"]
    for below, above in zip(answer["certificate_chain"], answer["certificate_chain"][1:]):
        leaf(below["pem"]).verify_directly_issued_by(leaf(above["pem"]))
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["id"], order["certificate"]["status"]) == ("issued", answer["certificate_id"], "issued")
    assert [request["type"] for request in order["requests"]] == ["new_request"]
    assert "last_reissued_date" in order


def test_an_issue_that_takes_time(digicert: DigiCertClient) -> None:
    load(digicert, shape="certificate_id")
    before = digicert.order(1)["certificate"]
    answer = digicert.reissue(1).json()
    assert set(answer) == {"id", "certificate_id"}
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["id"]) == ("reissue_pending", before["id"])
    digicert.simulator.clock.advance(60)
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["id"]) == ("issued", answer["certificate_id"])
    assert [(row["id"], row["status"]) for row in digicert.reissues(1)] == [(answer["certificate_id"], "issued")]


@pytest.mark.parametrize("entry", [{"shape": "dcv_random_value"}, {"product": "ssl_dv_geotrust_flex", **AT_ONCE}])
def test_a_domain_that_is_not_validated(digicert: DigiCertClient, entry: dict[str, Any]) -> None:
    load(digicert, **entry)
    answer = digicert.reissue(1).json()
    assert set(answer) == {"id", "certificate_id", "dcv_random_value"}
    assert digicert.order(1)["status"] == "reissue_pending"
    digicert.simulator.digicert.validate(1)
    assert digicert.order(1)["certificate"]["id"] == answer["certificate_id"]


def test_the_account_may_approve_by_itself(digicert: DigiCertClient) -> None:
    load(digicert, approval="auto")
    digicert.simulator.configure({"digicert": {"request_status_in_answer": True}})
    answer = digicert.reissue(1).json()
    assert answer["requests"][0]["status"] == "approved"
    assert digicert.order(1)["status"] == "issued"
    assert digicert.reissues(1)[0]["status"] == "issued"


def test_approval_validation_and_issue_one_after_the_other(digicert: DigiCertClient) -> None:
    load(digicert, approval=True, approved_after=10, validation=True, validated_after=20, issue_seconds=30)
    order = digicert.simulator.digicert
    digicert.reissue(1)
    states = []
    for dummy in range(7):
        states.append([item.waits for item in order[1].pending])
        digicert.simulator.clock.advance(10)
    assert states == [["approval"], ["validation"], ["validation"], ["issue"], ["issue"], ["issue"], []]
    assert order[1].requests[-1].status == "approved"
    assert order[1].last_reissued == pytest.approx(digicert.simulator.clock.now() - 10)


def test_a_long_time_passes_at_one_look(digicert: DigiCertClient) -> None:
    load(digicert, approval=True, approved_after=10, validation=True, validated_after=20, issue_seconds=30)
    digicert.reissue(1)
    digicert.simulator.clock.advance(3600)
    order = digicert.simulator.digicert[1]
    assert (order.status, order.current.kind) == ("issued", "reissue")
    assert order.last_reissued == pytest.approx(digicert.simulator.clock.now() - 3540)


# -- the journal counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "effects"), [("drop_before", []), ("drop_after", ["reissue"])])
def test_a_lost_answer(digicert: DigiCertClient, action: str, effects: list[str]) -> None:
    load(digicert, **AT_ONCE)
    digicert.simulator.faults.add(action, match={"method": "POST", "path": "/reissue$", "target": "1"})
    with pytest.raises(requests.ConnectionError):
        digicert.reissue(1)
    assert digicert.simulator.records.effects("1") == effects
    assert (digicert.simulator.journal[-1]["target"], digicert.simulator.journal[-1]["mutates"]) == ("1", True)
    assert len(digicert.reissues(1)) == len(effects)


def test_every_reissue_is_counted(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.reissue(1, "first")
    request = digicert.reissue(1, "second").json()["requests"][0]["id"]
    digicert.put(f"request/{request}/status", {"status": "approved"})
    assert digicert.reissue(1, signature_hash="md5").status_code == 400
    assert digicert.simulator.records.effects("1") == ["reissue", "reissue", "approve"]


# -- refusals ----------------------------------------------------------------------------------------------------


def test_what_is_required(digicert: DigiCertClient) -> None:
    load(digicert)
    answer = digicert.reissue(1, common_name=None, csr=None)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"code": "required_param:certificate.common_name", "message": "certificate.common_name is a required parameter."},
        {"code": "required_param:certificate.csr", "message": "certificate.csr is a required parameter."},
    ]
    assert code(digicert.post("order/certificate/1/reissue", {})) == (400, "required_param:certificate")
    assert code(digicert.reissue(1, signature_hash=None)) == (400, "required_param:certificate.signature_hash")
    assert digicert.simulator.records.effects("1") == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"signature_hash": "sha1"}, "invalid_value:certificate.signature_hash"),
        ({"signature_hash": 256}, "invalid_value:certificate.signature_hash"),
        ({"csr": "no CSR"}, "csr_invalid_cannot_parse"),
        ({"common_name": "no name"}, "invalid_value:certificate.common_name"),
        ({"common_name": "localhost"}, "invalid_value:certificate.common_name"),
        ({"common_name": "x" * 60 + ".example.com"}, "invalid_value:certificate.common_name"),
        ({"common_name": "192.0.2.1"}, "invalid_value:certificate.common_name"),
        ({"dns_names": ["-a.example.com"]}, "invalid_value:certificate.dns_names"),
        ({"dns_names": ["a..example.com"]}, "invalid_value:certificate.dns_names"),
        ({"dns_names": "a.example.com"}, "invalid_value:certificate.dns_names"),
        ({"dns_names": [f"h{n}.example.com" for n in range(250)]}, "invalid_value:certificate.dns_names"),
    ],
)
def test_bad_values(digicert: DigiCertClient, changes: dict[str, Any], expected: str) -> None:
    load(digicert)
    assert code(digicert.reissue(1, **changes)) == (400, expected)
    assert digicert.simulator.digicert[1].status == "issued"


def test_broken_bodies(digicert: DigiCertClient) -> None:
    load(digicert)
    for body in (b"{", b"[]", b"<xml/>"):
        answer = digicert.session.post(f"{digicert.url}/order/certificate/1/reissue", data=body, timeout=10)
        assert code(answer) == (400, "bad_request_format")


def test_weak_and_unsuitable_keys(digicert: DigiCertClient) -> None:
    load(digicert)
    weak = csr_pem(rsa.generate_private_key(65537, 1024))
    assert code(digicert.reissue(1, csr=weak)) == (400, "invalid_value:certificate.csr")
    assert code(digicert.reissue(1, csr=csr_pem(ed25519.Ed25519PrivateKey.generate(), None))) == (400, "invalid_value:certificate.csr")
    good = base64.b64decode("".join(csr_pem(ec.generate_private_key(ec.SECP256R1())).splitlines()[1:-1]))
    forged = base64.b64encode(good[:-3] + bytes(byte ^ 1 for byte in good[-3:])).decode()
    assert code(digicert.reissue(1, csr=forged)) == (400, "csr_invalid_cannot_parse")


@pytest.mark.parametrize("form", ["pem", "one line", "bare", "url-safe", "new", "crlf"])
def test_csrs_are_taken_in_every_form(digicert: DigiCertClient, form: str) -> None:
    load(digicert, **AT_ONCE)
    key = rsa.generate_private_key(65537, 2048)
    pem = csr_pem(key)
    bare = "".join(pem.splitlines()[1:-1])
    forms = {
        "pem": pem, "one line": pem.replace("\n", ""), "bare": bare, "url-safe": bare.translate(str.maketrans("+/", "-_")).rstrip("="),
        "new": pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"), "crlf": pem.replace("\n", "\r\n"),
    }
    answer = digicert.reissue(1, csr=forms[form]).json()
    assert leaf(answer["certificate_chain"][0]["pem"]).public_key() == key.public_key()
    assert digicert.order(1)["certificate"]["key_size"] == 2048


@pytest.mark.parametrize("status", ["revoked", "canceled", "rejected", "expired", "pending", "needs_approval", "processing", "waiting_pickup", "needs_csr"])
def test_orders_that_cannot_be_reissued(digicert: DigiCertClient, status: str) -> None:
    load(digicert, status=status, validation=True)
    assert digicert.order(1)["status"] == status
    assert code(digicert.reissue(1)) == (400, "order_not_reissuable")


def test_a_revoked_certificate_of_an_issued_order_can_be_reissued(digicert: DigiCertClient) -> None:
    load(digicert, certificate_status="revoked", **AT_ONCE)
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["status"]) == ("issued", "revoked")
    assert digicert.reissue(1).status_code == 201
    assert digicert.order(1)["certificate"]["status"] == "issued"


def test_caa(digicert: DigiCertClient) -> None:
    load(digicert, caa_failed=[NAME])
    assert code(digicert.reissue(1)) == (400, f"caa_check_failed|{NAME}")
    assert digicert.reissue(1, common_name="c.example.com", dns_names=[]).status_code == 201


def test_wildcards_and_addresses_by_product(digicert: DigiCertClient) -> None:
    for product, name, status in (("ssl_basic", "*.example.com", 201), ("ssl_ev_basic", "*.example.com", 400),
                                  ("ssl_basic", "192.0.2.1", 400), ("private_ssl_flex", "192.0.2.1", 201), ("ssl_basic", "straße.example.com", 201)):
        load(digicert, product=product, **AT_ONCE)
        assert digicert.reissue(1, dns_names=[NAME, "b.example.com", name]).status_code == status, (product, name)


def test_the_key_of_a_compromise_is_never_taken_again(digicert: DigiCertClient) -> None:
    load(digicert, **AT_ONCE)
    digicert.put("order/certificate/1/revoke", {"skip_approval": True})
    digicert.simulator.digicert.load([{**ENTRY, **AT_ONCE}, {**ENTRY, **AT_ONCE, "order_id": 2, "key": "other"}])
    number = digicert.order(1)["certificate"]["id"]
    digicert.put(f"certificate/{number}/revoke", {"skip_approval": True, "revocation_reason": "keyCompromise"})
    for order in (1, 2):
        assert code(digicert.reissue(order, "old")) == (400, "csr_key_blocked")
    assert digicert.reissue(1, "new").status_code == 201


def test_whether_a_key_may_be_used_again(digicert: DigiCertClient) -> None:
    load(digicert, **AT_ONCE)
    assert digicert.reissue(1, "old").status_code == 201
    digicert.simulator.configure({"digicert": {"same_key": "reject_400"}})
    assert code(digicert.reissue(1, "old")) == (400, "csr_key_already_used")
    assert digicert.reissue(1, "new").status_code == 201


# -- a second reissue --------------------------------------------------------------------------------------------


def test_a_second_reissue_replaces_the_first(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.reissue(1, "first")
    digicert.reissue(1, "second")
    assert [row["status"] for row in digicert.reissues(1)] == ["rejected", "pending"]
    assert [request["status"] for request in digicert.order(1)["requests"]] == ["approved", "rejected", "pending"]
    assert digicert.order(1)["status"] == "reissue_pending"


def test_a_reissue_that_is_refused_replaces_nothing(digicert: DigiCertClient) -> None:
    load(digicert, pending={}, caa_failed=["c.example.com"])
    assert digicert.reissue(1, dns_names=["c.example.com"]).status_code == 400
    assert digicert.reissue(1, csr="nonsense").status_code == 400
    assert [row["status"] for row in digicert.reissues(1)] == ["pending"]


def test_a_second_reissue_is_refused(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.simulator.configure({"digicert": {"second_reissue": "reject_400", "refusal_codes": {"reissue_pending": "some_code"}}})
    digicert.reissue(1, "first")
    assert code(digicert.reissue(1, "second")) == (400, "some_code")
    assert [row["status"] for row in digicert.reissues(1)] == ["pending"]


def test_a_second_reissue_is_taken_as_well(digicert: DigiCertClient) -> None:
    load(digicert, shape="certificate_id")
    digicert.simulator.configure({"digicert": {"second_reissue": "accept_both"}})
    digicert.reissue(1, "first")
    digicert.simulator.clock.advance(30)
    second = digicert.reissue(1, "second").json()
    digicert.simulator.clock.advance(30)
    assert digicert.order(1)["status"] == "reissue_pending"
    digicert.simulator.clock.advance(30)
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["id"]) == ("issued", second["certificate_id"])


# -- names: the 72 hours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "revoked"),
    [
        ({}, False),
        ({"dns_names": [NAME, "b.example.com", "c.example.com"]}, False),
        ({"dns_names": ["B.EXAMPLE.COM"]}, False),
        ({"common_name": "b.example.com", "dns_names": [NAME]}, False),
        ({"dns_names": [NAME]}, True),
        ({"dns_names": None}, True),
        ({"dns_names": [NAME, "c.example.com"]}, True),
        ({"common_name": "c.example.com", "dns_names": ["b.example.com"]}, True),
    ],
)
def test_a_dropped_name_revokes_all_that_was_before(digicert: DigiCertClient, changes: dict[str, Any], revoked: bool) -> None:
    load(digicert, reissues=[{"key": "past"}], duplicates=[{"key": "twin"}], issue_seconds=3600, **AT_ONCE)
    digicert.reissue(1, **changes)
    digicert.simulator.clock.advance(3600)
    order = digicert.simulator.digicert[1]
    before = [item for item in order.certificates if item is not order.current]
    assert [item.revoke_at > 0 for item in before] == [revoked] * 3
    digicert.simulator.clock.advance(72 * 3600 - 1)
    assert {item.status for item in digicert.simulator.digicert[1].certificates} == {"issued"}
    digicert.simulator.clock.advance(1)
    assert [item.status for item in digicert.simulator.digicert[1].certificates] == ["revoked" if revoked else "issued"] * 3 + ["issued"]
    assert digicert.order(1)["status"] == "issued"


def test_issue_and_revocation_at_one_look(digicert: DigiCertClient) -> None:
    load(digicert, issue_seconds=60, **AT_ONCE)
    digicert.reissue(1, dns_names=[NAME])
    digicert.simulator.clock.advance(100 * 3600)
    assert [item.status for item in digicert.simulator.digicert[1].certificates] == ["revoked", "issued"]


def test_a_reissue_that_is_canceled_revokes_nothing(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.reissue(1, dns_names=[NAME])
    digicert.put("order/certificate/1/status", {"status": "canceled", "note": "no"})
    digicert.simulator.clock.advance(80 * 3600)
    assert digicert.simulator.digicert[1].current.status == "issued"


def test_how_a_revocation_is_shown(digicert: DigiCertClient) -> None:
    def states() -> list[str]:
        return [row["status"] for row in [*digicert.reissues(1), *digicert.get("order/certificate/1/duplicate").json()["certificates"]]]

    load(digicert, reissues=[{}], duplicates=[{}], **AT_ONCE)
    digicert.reissue(1, dns_names=[NAME])
    assert states() == ["issued"] * 3
    digicert.simulator.configure({"digicert": {"revocation_pending": "status", "revocation_hours": 1}})
    assert states() == ["revocation_pending", "issued", "revocation_pending"]
    digicert.simulator.clock.advance(72 * 3600)
    assert states() == ["issued"] * 3
    digicert.simulator.configure({"digicert": {"revoked_in_lists": "revoked"}})
    assert states() == ["revoked", "issued", "revoked"]


def test_added_names_are_paid_for(digicert: DigiCertClient) -> None:
    load(digicert, **AT_ONCE)
    digicert.reissue(1, dns_names=[NAME, "b.example.com", "c.example.com", "*.x.example.com", "y.x.example.com", "x.example.com"])
    row = digicert.reissues(1)[0]
    assert (row["purchased_dns_names"], row["purchased_wildcard_names"]) == ("1", "1")
    assert isinstance(row["receipt_id"], str)
    digicert.reissue(1, "third")
    assert "receipt_id" not in digicert.reissues(1)[1]
    assert digicert.order(1)["purchased_dns_names"] == 1


# -- validity, hash, ICA, EKU ------------------------------------------------------------------------------------


def days(digicert: DigiCertClient) -> int:
    certificate = digicert.order(1)["certificate"]
    begin, end = (datetime.fromisoformat(certificate[name]) for name in ("valid_from", "valid_till"))
    return (end - begin).days


def form_of(digicert: DigiCertClient, ahead: int) -> str:
    return datetime.fromtimestamp(digicert.simulator.clock.now() + ahead * DAY, timezone.utc).strftime("%d %b %Y").upper()


def test_199_days_or_the_end_of_the_plan(digicert: DigiCertClient) -> None:
    load(digicert, order_days_left=300, **AT_ONCE)
    digicert.reissue(1)
    assert (days(digicert), digicert.order(1)["certificate"]["days_remaining"]) == (199, 199)
    certificate = leaf(digicert.simulator.digicert.pem(1))
    assert certificate.not_valid_before_utc.strftime("%H:%M:%S") == "00:00:00"
    assert certificate.not_valid_after_utc.strftime("%Y-%m-%d %H:%M:%S") == digicert.order(1)["certificate"]["valid_till"] + " 23:59:59"
    load(digicert, order_days_left=70, **AT_ONCE)
    digicert.reissue(1)
    assert days(digicert) == 70


@pytest.mark.parametrize(
    ("plan", "wish", "expected"),
    [
        ({}, {"days": 30}, 199),  # ignored on a plan of one year
        ({"validity_years": 2}, {"days": 30}, 30),
        ({"validity_years": 2}, {"years": 1}, 199),
        ({"validity_years": 2}, {"days": 300}, 199),
        ({"validity_years": 2}, {"years": 1, "days": 40}, 40),
        ({"validity_years": 2}, None, 199),
    ],
)
def test_the_wished_validity(digicert: DigiCertClient, plan: dict[str, Any], wish: dict[str, Any] | None, expected: int) -> None:
    load(digicert, order_days_left=600, **plan, **AT_ONCE)
    assert digicert.reissue(1, cert_validity=wish).status_code == 201
    assert days(digicert) == expected


def test_a_wished_end(digicert: DigiCertClient) -> None:
    load(digicert, validity_years=2, order_days_left=600, **AT_ONCE)
    digicert.reissue(1, cert_validity={"days": 90, "custom_expiration_date": form_of(digicert, 50)})
    assert days(digicert) == 50
    for text in ("2027-01-05", "05 Jan 2027", "31 FEB 2027", form_of(digicert, -1)):
        expected = (400, "invalid_value:certificate.cert_validity.custom_expiration_date")
        assert code(digicert.reissue(1, cert_validity={"custom_expiration_date": text})) == expected
    assert code(digicert.reissue(1, cert_validity={"years": 2})) == (400, "invalid_value:certificate.cert_validity.years")
    assert code(digicert.reissue(1, cert_validity={"days": "many"})) == (400, "invalid_value:certificate.cert_validity.days")


def test_switches_of_the_validity(digicert: DigiCertClient) -> None:
    load(digicert, order_days_left=300, **AT_ONCE)
    digicert.simulator.configure({"digicert": {"annual_plan_is_multi_year": True, "over_long_validity": "refuse", "max_validity_days": 46}})
    assert code(digicert.reissue(1, cert_validity={"days": 90})) == (400, "cert_validity_exceeds_order_validity")
    digicert.reissue(1, cert_validity={"days": 20})
    assert days(digicert) == 20
    digicert.reissue(1, "third")
    assert days(digicert) == 46


def test_hash_and_platform(digicert: DigiCertClient) -> None:
    load(digicert, **AT_ONCE)
    digicert.reissue(1, signature_hash="SHA384", server_platform={"id": 45})
    assert isinstance(leaf(digicert.simulator.digicert.pem(1)).signature_hash_algorithm, hashes.SHA384)
    certificate = digicert.order(1)["certificate"]
    assert (certificate["signature_hash"], certificate["server_platform"]["id"]) == ("sha384", 45)


def test_the_ica_is_ignored_unless_the_account_may_choose(digicert: DigiCertClient) -> None:
    load(digicert, **AT_ONCE)
    first, second = (item["id"] for item in digicert.get("product/ssl_basic").json()["allowed_ca_certs"])
    digicert.reissue(1, ca_cert_id=second)
    assert digicert.order(1)["certificate"]["ca_cert"]["id"] == first
    assert digicert.reissue(1, ca_cert_id="Some product").status_code == 201
    digicert.simulator.configure({"digicert": {"ica_selection": True}})
    digicert.reissue(1, ca_cert_id=second)
    assert digicert.order(1)["certificate"]["ca_cert"]["id"] == second
    assert leaf(digicert.simulator.digicert.pem(1)).issuer.rfc4514_string().startswith("CN=Example Global TLS ECC SHA384 2022 CA2,")
    assert code(digicert.reissue(1, ca_cert_id="nonsense")) == (400, "invalid_value:certificate.ca_cert_id")


def test_client_authentication_gets_lost(digicert: DigiCertClient) -> None:
    def purposes() -> list[Any]:
        extension = leaf(digicert.simulator.digicert.pem(1)).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        return list(extension.value)

    load(digicert, client_auth=True, **AT_ONCE)
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert purposes() == both
    digicert.reissue(1)
    assert purposes() == both[:1]
    digicert.reissue(1, profile_option="server_client_auth_eku")
    assert purposes() == both
    digicert.simulator.configure({"digicert": {"profile_option_on_reissue": False}})
    digicert.reissue(1, profile_option="server_client_auth_eku")
    assert purposes() == both[:1]


def test_unknown_members_are_ignored(digicert: DigiCertClient) -> None:
    load(digicert, **AT_ONCE)
    body = digicert.body(1, "new", root={"order_id": 1, "organization": {"id": 0}, "payment_method": None, "dcv_method": "http-token"})
    assert digicert.post("order/certificate/1/reissue", body).status_code == 201
    assert digicert.order(1)["dcv_method"] == "http-token"


# -- rights ------------------------------------------------------------------------------------------------------


def test_skip_approval_without_the_rights(digicert: DigiCertClient) -> None:
    key = "STANDARDUSER000000000000"
    digicert.simulator.reset({"digicert": {"keys": [{"key": key, "role": 5}], "orders": [ENTRY], "settings": {"rate_limits": []}}})
    other = DigiCertClient(digicert.simulator, key)
    assert "requests" in other.reissue(1, root={"skip_approval": True}).json()
    digicert.simulator.configure({"digicert": {"skip_approval_without_rights": "forbid"}})
    assert code(other.reissue(1, root={"skip_approval": True})) == (403, "access_denied|missing_permission")


# -- others, and DigiCert itself ---------------------------------------------------------------------------------


def test_a_colleague_was_faster(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.simulator.digicert.change(1, {"pending": {"key": "theirs", "requester": "Robin Colleague", "since": 600, "comments": "mine"}})
    row = digicert.reissues(1)[0]
    assert (row["status"], row["firstname"], row["lastname"]) == ("pending", "Robin", "Colleague")
    request = digicert.order(1)["requests"][-1]
    info = digicert.get(f"request/{request['id']}").json()
    assert (info["requester"]["last_name"], info["comments"]) == ("Colleague", "mine")
    assert info["order"]["certificate"]["csr"] == row["csr"]
    assert digicert.simulator.records.effects("1") == []


@pytest.mark.parametrize("waits", ["approval", "validation", "issue"])
def test_what_a_pending_reissue_waits_for(digicert: DigiCertClient, waits: str) -> None:
    load(digicert, pending={"waits": waits})
    digicert.simulator.clock.advance(DAY)
    assert [item.waits for item in digicert.simulator.digicert[1].pending] == [waits]
    digicert.simulator.digicert.issue(1)
    order = digicert.simulator.digicert[1]
    assert (order.status, order.current.kind) == ("issued", "reissue")
    with pytest.raises(ValueError, match="nothing in flight"):
        digicert.simulator.digicert.issue(1)


def test_auto_reissue(digicert: DigiCertClient) -> None:
    load(digicert, auto_reissue=True, days_left=31)
    assert digicert.order(1)["status"] == "issued"
    digicert.simulator.clock.advance(2 * DAY)
    assert digicert.order(1)["status"] == "reissue_pending"
    row = digicert.reissues(1)[0]
    assert (row["status"], row["lastname"], row["csr"]) == ("pending", "System", digicert.order(1)["certificate"]["csr"])
    assert digicert.put("order/certificate/1/status", {"status": "canceled", "note": "mine instead"}).status_code == 204
    assert digicert.order(1)["status"] == "issued"
    assert len(digicert.reissues(1)) == 1
    assert digicert.simulator.records.effects("1") == ["cancel"]


# -- what could not be confirmed about reading -------------------------------------------------------------------


def test_which_certificate_the_order_shows_while_pending(digicert: DigiCertClient) -> None:
    load(digicert, pending={"key": "theirs"})
    old = digicert.order(1)["certificate"]
    digicert.simulator.configure({"digicert": {"order_shows_pending": True}})
    shown = digicert.order(1)["certificate"]
    assert (shown["id"] > old["id"], "serial_number" in shown, shown["signature_hash"]) == (True, False, "SHA256")


def test_whether_an_unapproved_reissue_is_listed(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.simulator.configure({"digicert": {"unapproved_reissue_listed": False}})
    digicert.reissue(1)
    assert digicert.reissues(1) == []
    digicert.simulator.digicert.approve(1)
    assert len(digicert.reissues(1)) == 1
    with pytest.raises(ValueError, match="does not wait"):
        digicert.simulator.digicert.approve(1)


def test_a_new_reissue_may_show_late(digicert: DigiCertClient) -> None:
    load(digicert, reissues=[{}])
    digicert.simulator.configure({"digicert": {"reissue_visible_after_reads": 2}})
    digicert.reissue(1)
    assert [len(digicert.reissues(1)) for dummy in range(4)] == [1, 1, 2, 2]


def test_faulty_lists_of_reissues(digicert: DigiCertClient) -> None:
    load(digicert, reissues=[{"key": "a"}, {"key": "b"}])
    good = digicert.reissues(1)
    digicert.simulator.configure({"digicert": {"reissue_list": "with_original"}})
    assert [row["id"] for row in digicert.reissues(1)] == [good[0]["id"] - 1, *(row["id"] for row in good)]
    digicert.simulator.configure({"digicert": {"reissue_list": "copies_of_primary"}})
    copies = digicert.reissues(1)
    assert [row["id"] for row in copies] == [row["id"] for row in good]
    assert {row["serial_number"] for row in copies} == {good[1]["serial_number"]}


def test_other_words_for_a_pending_reissue(digicert: DigiCertClient) -> None:
    load(digicert)
    digicert.simulator.configure({"digicert": {"order_status_while": {"approval": "needs_approval"}}})
    digicert.reissue(1)
    assert digicert.order(1)["status"] == "needs_approval"
    assert digicert.get("order/certificate").json()["orders"][0]["status"] == "needs_approval"
