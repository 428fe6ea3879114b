# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CertCentral: requests and approvals, cancel, revoke, domain validation, downloads, new orders."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.digicert_client import DigiCertClient, code

ENTRY: dict[str, Any] = {"order_id": 1, "common_name": "a.example.com", "dns": ["a.example.com", "b.example.com"], "key": "old", "days_left": 60}
AT_ONCE = {"approval": False}
MANAGER, STANDARD = "MANAGER0000000000", "STANDARD000000000"
KEYS = [{"key": MANAGER, "role": 4, "first_name": "Mana", "last_name": "Ger"}, {"key": STANDARD, "role": 5}]


@pytest.fixture
def digicert(simulator: Simulator) -> Iterator[DigiCertClient]:
    simulator.reset({"digicert": {"settings": {"rate_limits": []}, "keys": KEYS, "orders": [ENTRY]}}, {"clock_scale": 0})
    client = DigiCertClient(simulator)
    yield client
    client.session.close()


def load(digicert: DigiCertClient, **more: Any) -> None:
    digicert.simulator.digicert.load([{**ENTRY, **more}])


def effects(digicert: DigiCertClient) -> list[str]:
    return digicert.simulator.records.effects("1")


def asked(digicert: DigiCertClient, **changes: Any) -> int:
    """A reissue that waits for its approval; returns the id of the request."""
    return int(digicert.reissue(1, **changes).json()["requests"][0]["id"])


# -- requests ----------------------------------------------------------------------------------------------------


def test_approve(digicert: DigiCertClient) -> None:
    number = asked(digicert, root={"comments": "why"})
    answer = DigiCertClient(digicert.simulator, MANAGER).put(f"request/{number}/status", {"status": "approved", "processor_comment": "fine"})
    assert (answer.status_code, answer.content) == (204, b"")
    info = digicert.get(f"request/{number}").json()
    assert (info["status"], info["type"], info["comments"], info["processor_comment"]) == ("approved", "reissue", "why", "fine")
    assert (info["requester"]["last_name"], info["processor"]["last_name"]) == ("Operations", "Ger")
    assert "date_processed" in info
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["csr"]) == ("issued", info["order"]["certificate"]["csr"])
    assert effects(digicert) == ["reissue", "approve"]
    assert code(digicert.put(f"request/{number}/status", {"status": "approved"})) == (400, "request_already_processed")


def test_a_request_does_not_learn_of_the_issue(digicert: DigiCertClient) -> None:
    number = asked(digicert)
    before = digicert.get(f"request/{number}").json()["order"]["certificate"]
    digicert.simulator.digicert.approve(1)
    assert digicert.get(f"request/{number}").json()["order"]["certificate"] == {**before, "signature_hash": "sha256"}
    assert "serial_number" not in before
    digicert.simulator.configure({"digicert": {"request_shows_issued": True}})
    assert digicert.get(f"request/{number}").json()["order"]["certificate"] == digicert.order(1)["certificate"]


def test_reject(digicert: DigiCertClient) -> None:
    old = digicert.order(1)["certificate"]["id"]
    number = asked(digicert)
    assert digicert.put(f"request/{number}/status", {"status": "rejected", "processor_comment": "no"}).status_code == 204
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["id"], order["requests"][-1]["status"]) == ("issued", old, "rejected")
    assert [row["status"] for row in digicert.reissues(1)] == ["rejected"]
    assert effects(digicert) == ["reissue", "reject"]


def test_submitted_and_pending(digicert: DigiCertClient) -> None:
    digicert.simulator.configure({"digicert": {"request_status": "submitted"}})
    number = asked(digicert)
    assert digicert.order(1)["requests"][-1]["status"] == "submitted"
    assert digicert.put(f"request/{number}/status", {"status": "pending"}).status_code == 204
    assert digicert.order(1)["requests"][-1]["status"] == "pending"
    assert effects(digicert) == ["reissue"]


def test_who_may_approve(digicert: DigiCertClient) -> None:
    number = asked(digicert)
    denied = (403, "access_denied|invalid_approver")
    assert code(DigiCertClient(digicert.simulator, STANDARD).put(f"request/{number}/status", {"status": "approved"})) == denied
    digicert.simulator.configure({"digicert": {"own_request_approvable": False}})
    assert code(digicert.put(f"request/{number}/status", {"status": "approved"})) == denied
    assert DigiCertClient(digicert.simulator, MANAGER).put(f"request/{number}/status", {"status": "approved"}).status_code == 204


def test_bad_decisions(digicert: DigiCertClient) -> None:
    number = asked(digicert)
    assert code(digicert.put(f"request/{number}/status", {})) == (400, "required_param:status")
    assert code(digicert.put(f"request/{number}/status", {"status": "perhaps"})) == (400, "invalid_value:status")
    assert code(digicert.put("request/1/status", {"status": "approved"})) == (404, "not_found|request")


def test_the_list_of_requests(digicert: DigiCertClient) -> None:
    digicert.simulator.digicert.load([ENTRY, {**ENTRY, "order_id": 2}, {**ENTRY, "order_id": 3, "account": "other"}])
    number = asked(digicert)
    answer = digicert.get("request?status=pending").json()
    assert [item["id"] for item in answer["requests"]] == [number]
    assert answer["page"]["total"] == 1
    assert (answer["requests"][0]["order"]["id"], answer["requests"][0]["order"]["certificate"]) == (1, {"common_name": "a.example.com"})
    assert len(digicert.get("request").json()["requests"]) == 3
    assert len(digicert.get("request", params={"filters[type]": "new_request", "filters[order_id]": "2"}).json()["requests"]) == 1


# -- cancel ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["canceled", "CANCELED"])
@pytest.mark.parametrize("waits", ["approval", "validation", "issue"])
def test_cancel_a_reissue(digicert: DigiCertClient, word: str, waits: str) -> None:
    load(digicert, pending={"waits": waits})
    old = digicert.order(1)["certificate"]["id"]
    answer = digicert.put("order/certificate/1/status", {"status": word, "note": "wrong key", "send_emails": False})
    assert (answer.status_code, answer.content) == (204, b"")
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["id"], order["notes"][0]["text"]) == ("issued", old, "wrong key")
    assert digicert.reissues(1)[0]["status"] == "rejected"
    request = digicert.get(f"request/{order['requests'][-1]['id']}").json()
    if waits == "approval":
        assert (request["status"], request["processor_comment"]) == ("rejected", "wrong key")
    digicert.simulator.clock.advance(3600)
    assert digicert.order(1)["certificate"]["id"] == old
    assert effects(digicert) == ["cancel"]


def test_cancel_a_new_order(digicert: DigiCertClient) -> None:
    load(digicert, status="needs_approval")
    assert digicert.put("order/certificate/1/status", {"status": "canceled", "note": "no"}).status_code == 204
    assert digicert.order(1)["status"] == "canceled"


def test_cancels_that_are_refused(digicert: DigiCertClient) -> None:
    for body, expected in (
        ({}, "required_param:status"), ({"status": "Canceled", "note": "x"}, "invalid_value:status"),
        ({"status": "canceled"}, "required_param:note"), ({"status": "canceled", "note": "x"}, "invalid_order_status"),
    ):
        assert code(digicert.put("order/certificate/1/status", body)) == (400, expected)
    assert effects(digicert) == []


# -- revoke ------------------------------------------------------------------------------------------------------


def test_revoke_a_certificate_at_once(digicert: DigiCertClient) -> None:
    load(digicert, reissues=[{"key": "a"}])
    current = digicert.order(1)["certificate"]["id"]
    answer = digicert.put(f"certificate/{current}/revoke", {"skip_approval": True, "comments": "lost", "revocation_reason": "superseded"})
    assert (answer.status_code, answer.content) == (204, b"")
    order = digicert.order(1)
    assert (order["status"], order["certificate"]["status"]) == ("issued", "revoked")
    assert "revoke" not in [item["type"] for item in order["requests"]]
    assert [item.status for item in digicert.simulator.digicert[1].certificates] == ["issued", "revoked"]
    assert code(digicert.put(f"certificate/{current}/revoke", {})) == (400, "certificate_already_revoked")
    assert effects(digicert) == ["revoke"]


def test_revoke_by_serial_number(digicert: DigiCertClient) -> None:
    load(digicert, reissues=[{"key": "a"}])
    original = digicert.simulator.digicert[1].certificates[0]
    assert digicert.put(f"certificate/{original.serial_number}/revoke", {"skip_approval": True}).status_code == 204
    assert digicert.simulator.digicert[1].certificates[0].status == "revoked"
    assert digicert.simulator.journal[-1]["target"] == "1"


def test_revoke_with_an_approval(digicert: DigiCertClient) -> None:
    current = digicert.order(1)["certificate"]["id"]
    answer = digicert.put(f"certificate/{current}/revoke", {"comments": "lost"})
    assert answer.status_code == 201
    request = answer.json()
    assert (request["type"], request["status"], request["comments"], request["requester"]["last_name"]) == ("revoke", "pending", "lost", "Operations")
    assert digicert.simulator.digicert[1].current.status == "issued"
    digicert.put(f"request/{request['id']}/status", {"status": "approved"})
    assert digicert.simulator.digicert[1].current.status == "revoked"
    assert effects(digicert) == ["request_revoke", "approve"]


def test_without_admin_rights_there_is_always_an_approval(digicert: DigiCertClient) -> None:
    other = DigiCertClient(digicert.simulator, STANDARD)
    answer = other.put("order/certificate/1/revoke", {"skip_approval": True, "comment": "lost"})
    assert (answer.status_code, answer.json()["comments"]) == (201, "lost")
    digicert.put(f"request/{answer.json()['id']}/status", {"status": "rejected"})
    assert digicert.order(1)["status"] == "issued"


@pytest.mark.parametrize("approved", [False, True])
def test_revoke_a_whole_order(digicert: DigiCertClient, approved: bool) -> None:
    load(digicert, reissues=[{"key": "a"}], duplicates=[{"key": "b"}])
    answer = digicert.put("order/certificate/1/revoke", {"skip_approval": not approved})
    if approved:
        digicert.put(f"request/{answer.json()['id']}/status", {"status": "approved"})
    assert digicert.order(1)["status"] == "revoked"
    assert {item.status for item in digicert.simulator.digicert[1].certificates} == {"revoked"}
    assert code(digicert.put("order/certificate/1/revoke", {})) == (400, "order_already_revoked")
    assert code(digicert.reissue(1)) == (400, "order_not_reissuable")


def test_nothing_is_revoked_while_a_reissue_is_pending(digicert: DigiCertClient) -> None:
    load(digicert, pending={})
    current = digicert.order(1)["certificate"]["id"]
    for path in (f"certificate/{current}/revoke", "order/certificate/1/revoke"):
        assert code(digicert.put(path, {"skip_approval": True})) == (400, "cannot_revoke_reissue_pending")
    digicert.put("order/certificate/1/status", {"status": "canceled", "note": "first"})
    assert digicert.put(f"certificate/{current}/revoke", {"skip_approval": True}).status_code == 204


def test_revocations_that_are_refused(digicert: DigiCertClient) -> None:
    load(digicert, reissues=[{"status": "rejected"}])
    current = digicert.order(1)["certificate"]["id"]
    assert code(digicert.put(f"certificate/{current}/revoke", {"revocation_reason": "key_compromise"})) == (400, "invalid_value:revocation_reason")
    assert code(digicert.put(f"certificate/{digicert.reissues(1)[0]['id']}/revoke", {})) == (404, "not_found|certificate")
    assert code(digicert.put("certificate/99/revoke", {})) == (404, "not_found|certificate")


@pytest.mark.parametrize("shows", ["certificate", "primary"])
@pytest.mark.parametrize("path", ["certificate/{}/revoke", "order/certificate/1/revoke"])
def test_which_certificate_a_request_to_revoke_shows(digicert: DigiCertClient, shows: str, path: str) -> None:
    digicert.simulator.configure({"digicert": {"revoke_request_shows": shows}})
    load(digicert, reissues=[{"key": "a"}])
    original, current = digicert.simulator.digicert[1].certificates
    number = digicert.put(path.format(original.id), {}).json()["id"]
    shown = digicert.get(f"request/{number}").json()["order"]["certificate"]["id"]
    assert shown == (original.id if shows == "certificate" and path.startswith("certificate") else current.id)


def test_revoke_again(digicert: DigiCertClient) -> None:
    current = digicert.order(1)["certificate"]["id"]
    digicert.simulator.configure({"digicert": {"revoke_again": "accept"}})
    for dummy in range(2):
        assert digicert.put(f"certificate/{current}/revoke", {"skip_approval": True}).status_code == 204
    assert effects(digicert) == ["revoke"]


def test_a_second_request_to_revoke(digicert: DigiCertClient) -> None:
    current = digicert.order(1)["certificate"]["id"]
    first, second = (digicert.put(f"certificate/{current}/revoke", {}).json()["id"] for dummy in range(2))
    assert first != second
    digicert.simulator.configure({"digicert": {"second_revoke_request": "refuse"}})
    assert code(digicert.put(f"certificate/{current}/revoke", {})) == (400, "revoke_request_pending")
    assert digicert.put(f"certificate/{current}/revoke", {"skip_approval": True}).status_code == 204


def test_the_account_may_revoke_the_order_with_its_last_certificate(digicert: DigiCertClient) -> None:
    digicert.simulator.configure({"digicert": {"certificate_revoke_revokes_order": True}})
    digicert.put(f"certificate/{digicert.order(1)['certificate']['id']}/revoke", {"skip_approval": True})
    assert digicert.order(1)["status"] == "revoked"


# -- domain validation -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "expected"), [("dns-txt-token", "invalid_dns_txt"), ("http-token", "file_random_value_not_found")])
def test_check_dcv(digicert: DigiCertClient, method: str, expected: str) -> None:
    load(digicert, shape="dcv_random_value", dcv_method=method)
    number = digicert.reissue(1).json()["certificate_id"]
    assert code(digicert.put("order/certificate/1/check-dcv")) == (400, expected)
    digicert.simulator.digicert.change(1, {"dcv_token": True})
    # One client sends null as its body.
    answer = digicert.session.put(f"{digicert.url}/order/certificate/1/check-dcv", data=b"null", timeout=10).json()
    assert answer == {"order_status": "issued", "certificate_id": number, "dcv_status": "valid", "dns_name_validations": [
        {"dns_name": "a.example.com", "status": "valid"}, {"dns_name": "b.example.com", "status": "valid"}]}
    assert effects(digicert) == ["reissue", "validate"]
    assert digicert.put("order/certificate/1/check-dcv", {}).json()["dcv_status"] == "valid"
    assert effects(digicert) == ["reissue", "validate"]


def test_the_random_value(digicert: DigiCertClient) -> None:
    load(digicert, shape="dcv_random_value")
    value = digicert.reissue(1).json()["dcv_random_value"]
    assert digicert.put("order/certificate/1/dcv-random-value").json()["dcv_random_value"] == value
    answer = digicert.put("order/certificate/1/dcv-method", {"dcv_method": "dns-cname-token"}).json()
    assert set(answer) == {"dcv_random_value", "expiration_date"} and answer["dcv_random_value"] != value
    empty = digicert.put("order/certificate/1/dcv-method", {"dcv_method": "email"})
    assert (empty.status_code, empty.content) == (204, b"")
    assert digicert.order(1)["dcv_method"] == "email"
    assert code(digicert.put("order/certificate/1/dcv-method", {"dcv_method": "carrier pigeon"})) == (400, "invalid_value:dcv_method")


def test_domains(digicert: DigiCertClient) -> None:
    load(digicert, shape="dcv_random_value")
    number = digicert.get("domain").json()["domains"][0]["id"]
    value = digicert.reissue(1).json()["dcv_random_value"]
    domain = digicert.get(f"domain/{number}?include_dcv=true&include_validation=true").json()
    assert (domain["name"], domain["status"], domain["dcv_token"]["token"]) == ("example.com", "pending", value)
    assert code(digicert.put(f"domain/{number}/dcv/validate-token")) == (400, "invalid_dns_txt")
    digicert.simulator.digicert.change(1, {"dcv_token": True})
    assert digicert.put(f"domain/{number}/dcv/validate-token").status_code == 204
    assert digicert.order(1)["status"] == "issued"
    assert digicert.get(f"domain/{number}").json()["status"] == "active"
    assert digicert.put(f"domain/{number}/dcv/validate-token").status_code == 204


# -- other settings ----------------------------------------------------------------------------------------------


def test_auto_reissue_can_be_switched(digicert: DigiCertClient) -> None:
    for value, expected in ((1, ["auto_reissue"]), (1, ["auto_reissue"]), (0, ["auto_reissue"] * 2)):
        assert digicert.put("order/certificate/1/auto-reissue", {"auto_reissue": value}).status_code == 204
        assert digicert.order(1)["auto_reissue"] == value
        assert effects(digicert) == expected
    assert code(digicert.put("order/certificate/1/auto-reissue", {})) == (400, "required_param:auto_reissue")
    assert code(digicert.put("order/certificate/1/auto-reissue", {"auto_reissue": 7})) == (400, "invalid_value:auto_reissue")


# -- downloads ---------------------------------------------------------------------------------------------------


@pytest.fixture
def current(digicert: DigiCertClient) -> int:
    return int(digicert.order(1)["certificate"]["id"])


@pytest.mark.parametrize(("form", "blocks"), [("pem_all", 3), ("pem", 3), ("pem_noroot", 2), ("pem_nointermediate", 2), ("crt", 1)])
def test_pem_downloads(digicert: DigiCertClient, current: int, form: str, blocks: int) -> None:
    answer = digicert.get(f"certificate/{current}/download/format/{form}")
    assert (answer.headers["Content-Type"], answer.text.count("BEGIN CERTIFICATE")) == ("application/x-pem-file", blocks)
    assert answer.text.startswith(digicert.simulator.digicert.pem(1))
    assert answer.text.count("\n") == answer.text.count("\r\n")
    chain = x509.load_pem_x509_certificates(answer.content)
    if form != "pem_nointermediate":
        for below, above in zip(chain, chain[1:]):
            below.verify_directly_issued_by(above)


@pytest.mark.parametrize("form", ["p7b", "cer"])
def test_pkcs7_downloads(digicert: DigiCertClient, current: int, form: str) -> None:
    answer = digicert.get(f"certificate/{current}/download/format/{form}")
    assert answer.headers["Content-Type"] == "application/x-pkcs7-certificates"
    assert len(pkcs7.load_pem_pkcs7_certificates(answer.content)) == 3


@pytest.mark.parametrize(("path", "end"), [("format/default", "crt"), ("format/apache", "crt"), ("format/default_cer", "cer"), ("format/default_pem", "pem"),
                                           ("platform", "crt"), ("platform/2", "crt")])
def test_zip_downloads(digicert: DigiCertClient, current: int, path: str, end: str) -> None:
    answer = digicert.get(f"certificate/{current}/download/{path}")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == [f"certs/{stem}.{end}" for stem in ("a_example_com", "DigiCertCA", "TrustedRoot")]
        assert archive.read(f"certs/a_example_com.{end}").decode() == digicert.simulator.digicert.pem(1)


def test_other_downloads(digicert: DigiCertClient, current: int) -> None:
    assert digicert.get(f"certificate/{current}/download/platform/29").text.count("BEGIN CERTIFICATE") == 3
    assert digicert.get(f"certificate/{current}/download/platform/45").text.count("BEGIN CERTIFICATE") == 2
    chain = digicert.get(f"certificate/{current}/chain").json()["intermediates"]
    assert [item["pem"] for item in chain][0] == digicert.simulator.digicert.pem(1)
    assert len(chain) == 3
    assert code(digicert.get(f"certificate/{current}/download/format/nonsense")) == (400, "invalid_value:format_type")


def test_by_order_only_the_active_certificate(digicert: DigiCertClient) -> None:
    load(digicert, reissues=[{"key": "a"}], duplicates=[{"key": "b"}])
    for path in ("format/pem_all", "platform/29"):
        assert digicert.get(f"certificate/download/order/1/{path}").text.startswith(digicert.simulator.digicert.pem(1))
    assert digicert.get("certificate/download/order/1").headers["Content-Type"] == "application/zip"
    for item in digicert.simulator.digicert[1].certificates:
        answer = digicert.get(f"certificate/{item.id}/download/format/pem_all")
        assert answer.text.startswith(digicert.simulator.digicert.pem(1, item.id))
    load(digicert, status="pending", validation=True)
    assert code(digicert.get("certificate/download/order/1/format/pem_all")) == (404, "not_found|certificate")


def test_what_is_not_issued_cannot_be_downloaded(digicert: DigiCertClient) -> None:
    load(digicert, shape="certificate_id")
    number = digicert.reissue(1).json()["certificate_id"]
    for path in ("chain", "download/format/pem_all", "download/platform"):
        assert code(digicert.get(f"certificate/{number}/{path}")) == (404, "not_found|certificate")


def test_the_old_certificate_is_handed_out_for_a_while(digicert: DigiCertClient) -> None:
    load(digicert, wrong_pem_first=30, **AT_ONCE)
    old = digicert.simulator.digicert.pem(1)
    answer = digicert.reissue(1).json()
    new = answer["certificate_chain"][0]["pem"]
    assert new != old
    paths = [f"certificate/{answer['certificate_id']}/download/format/pem_all", "certificate/download/order/1/format/pem_all"]
    assert all(digicert.get(path).text.startswith(old) for path in paths)
    assert digicert.get(f"certificate/{answer['certificate_id']}/chain").json()["intermediates"][0]["pem"] == old
    digicert.simulator.clock.advance(30)
    assert all(digicert.get(path).text.startswith(new) for path in paths)


# -- new orders --------------------------------------------------------------------------------------------------


def place(digicert: DigiCertClient, product: str = "ssl_basic", **root: Any) -> Any:
    wanted = {"common_name": "new.example.com", "csr": digicert.simulator.digicert.csr("new", "x"), "signature_hash": "sha256"}
    return digicert.post(f"order/certificate/{product}", {"certificate": wanted, "organization": {"id": 7}, "order_validity": {"years": 1}, **root})


def test_a_new_order(digicert: DigiCertClient) -> None:
    answer = place(digicert, skip_approval=True, alternative_order_id="ours").json()
    assert set(answer) == {"id", "certificate_id", "certificate_chain"}
    order = digicert.order(answer["id"])
    assert (order["status"], order["certificate"]["common_name"], order["alternative_order_id"]) == ("issued", "new.example.com", "ours")
    assert digicert.simulator.records.effects(str(answer["id"])) == ["order"]
    answer = place(digicert).json()
    assert (set(answer), digicert.order(answer["id"])["status"]) == ({"id", "requests"}, "pending")
    digicert.simulator.digicert.approve(answer["id"])
    assert digicert.order(answer["id"])["status"] == "issued"
    assert "dcv_random_value" in place(digicert, "ssl_dv_geotrust_flex", skip_approval=True).json()
    digicert.simulator.configure({"digicert": {"issue_seconds": 5}})
    assert digicert.order(place(digicert, skip_approval=True).json()["id"])["status"] == "processing"


def test_new_orders_that_are_refused(digicert: DigiCertClient) -> None:
    before = len(digicert.simulator.digicert.store.orders)
    assert code(place(digicert, "nonsense")) == (404, "not_found|product")
    assert code(place(digicert, organization={})) == (400, "required_param:organization.id")
    assert code(place(digicert, organization={"id": 99})) == (400, "invalid_value:organization.id")
    assert code(place(digicert, order_validity={"years": 6})) == (400, "invalid_value:order_validity.years")
    assert code(place(digicert, certificate={})) == (400, "required_param:certificate.common_name")
    assert len(digicert.simulator.digicert.store.orders) == before
