# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CertCentral's keys, errors, headers and rate limits; reading orders, lists and the account."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.certops.remediation.tests.simulator import scenarios
from ansible_collections.certops.remediation.tests.simulator.digicert import seeding
from ansible_collections.certops.remediation.tests.simulator.digicert.switches import Switches
from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.digicert_client import DigiCertClient, code

DAY = 86400
ENTRY: dict[str, Any] = {"order_id": 1, "common_name": "a.example.com", "dns": ["a.example.com", "b.example.com"], "key": "old", "days_left": 60}
KEYS = [
    {"key": "ORDERSONLY0000000", "restriction": 100, "role": 5},
    {"key": "DOMAINSTOO0000000", "restriction": 101},
    {"key": "PEOPLEONLY0000000", "restriction": 103},
    {"key": "ANOTHERACCOUNT000", "account": "other"},
]


@pytest.fixture
def digicert(simulator: Simulator) -> Iterator[DigiCertClient]:
    simulator.reset({"digicert": {"settings": {"rate_limits": []}, "keys": KEYS, "orders": [ENTRY]}}, {"clock_scale": 0})
    client = DigiCertClient(simulator)
    yield client
    client.session.close()


def load(digicert: DigiCertClient, *specs: dict[str, Any]) -> list[int]:
    return digicert.simulator.digicert.load(specs)


def listed(digicert: DigiCertClient, **params: Any) -> list[int]:
    answer = digicert.get("order/certificate", params=params)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["orders"]]


# -- keys, errors, headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["nonsense", ""])
def test_a_bad_key_is_a_403(digicert: DigiCertClient, key: str) -> None:
    digicert.session.headers["X-DC-DEVKEY"] = key
    answer = digicert.get("order/certificate/1")
    assert (answer.status_code, answer.json()) == (403, {"errors": [
        {"code": "access_denied|access_denied_invalid_key", "message": "Access denied due to access_denied_invalid_key."}
    ]})
    assert digicert.get("nonsense").status_code == 403


def test_a_view_only_key_reads_everything_and_changes_nothing(digicert: DigiCertClient) -> None:
    viewer = DigiCertClient(digicert.simulator, digicert.simulator.ready["digicert"]["view_key"])
    for path in ("order/certificate/1", "order/certificate", "order/certificate/1/reissue", "request", "domain", "user/me", "product", "organization"):
        assert viewer.get(path).status_code == 200, path
    denied = (403, "access_denied|missing_permission")
    assert code(viewer.reissue(1)) == denied
    for path in ("order/certificate/1/revoke", "order/certificate/1/status", "order/certificate/1/check-dcv", "request/1/status"):
        assert code(viewer.put(path, {})) == denied
    assert digicert.simulator.records.effects("1") == []


@pytest.mark.parametrize(
    ("key", "allowed"),
    [("ORDERSONLY0000000", (True, False, True)), ("DOMAINSTOO0000000", (True, True, True)), ("PEOPLEONLY0000000", (False, False, True))],
)
def test_restricted_keys(digicert: DigiCertClient, key: str, allowed: tuple[bool, ...]) -> None:
    other = DigiCertClient(digicert.simulator, key)
    assert tuple(other.get(path).status_code == 200 for path in ("order/certificate/1", "domain", "user/me")) == allowed
    assert (other.reissue(1).status_code == 201) is allowed[0]


def test_orders_of_another_account_do_not_exist(digicert: DigiCertClient) -> None:
    load(digicert, ENTRY, {"order_id": 2, "account": "other"})
    assert code(digicert.get("order/certificate/2")) == (404, "not_found|order")
    assert code(digicert.reissue(2)) == (404, "not_found|order")
    number = digicert.simulator.digicert[2].primary
    assert code(digicert.get(f"certificate/{number}/chain")) == (404, "not_found|certificate")
    assert listed(digicert) == [1]
    other = DigiCertClient(digicert.simulator, "ANOTHERACCOUNT000")
    assert listed(other) == [2]
    assert code(other.get("order/certificate/1")) == (404, "not_found|order")


def test_what_is_not_there(digicert: DigiCertClient) -> None:
    for path, expected in (
        ("order/certificate/99", "not_found|order"), ("order/certificate/99/reissue", "not_found|order"), ("nonsense", "not_found|route"),
        ("certificate/99/chain", "not_found|certificate"), ("request/99", "not_found|request"), ("product/nonsense", "not_found|product"),
        ("organization/99", "not_found"), ("container/99", "not_found"), ("container/99/product-limits", "not_found"), ("domain/99", "not_found"),
    ):
        assert code(digicert.get(path)) == (404, expected)
    assert code(digicert.session.delete(f"{digicert.url}/order/certificate/1", timeout=10)) == (404, "not_found|route")


def test_the_headers_of_the_cdn(digicert: DigiCertClient) -> None:
    answer = digicert.get("order/certificate/1")
    assert (answer.headers["Content-Type"], answer.headers["x-cdn"], answer.headers["cache-control"]) == ("application/json", "Imperva", "private,no-cache")
    assert {"x-iinfo", "last-modified", "etag"} <= set(answer.headers)
    assert len(answer.raw.headers.getlist("set-cookie")) == 2
    empty = digicert.put("order/certificate/1/auto-reissue", {"auto_reissue": 1})
    assert (empty.status_code, empty.content) == (204, b"")
    assert "Content-Type" not in empty.headers
    assert digicert.get("nonsense").headers["Content-Type"] == "application/json"


def test_the_html_page_of_the_cdn(digicert: DigiCertClient) -> None:
    digicert.simulator.faults.add("html", match={"path": "/services/v2/"}, status=502)
    answer = digicert.get("order/certificate/1")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")


def test_sloppy_addresses(digicert: DigiCertClient) -> None:
    base = digicert.simulator.ready["url"]
    for path in ("/services/v2/{}?", "/services/v2//{}", "//services//v2/{}", "/services/v2/{}/"):
        path = path.format("order/certificate/1")
        assert digicert.session.get(base + path, timeout=10).json()["id"] == 1
        assert digicert.simulator.journal[-1]["path"] == "/services/v2/order/certificate/1"


def test_the_key_is_not_in_the_journal(digicert: DigiCertClient) -> None:
    digicert.get("order/certificate/1")
    digicert.reissue(1)
    assert digicert.simulator.ready["digicert"]["api_key"] not in json.dumps(digicert.simulator.journal)


# -- rate limits -------------------------------------------------------------------------------------------------


def statuses(digicert: DigiCertClient, count: int) -> list[int]:
    return [digicert.get("user/me").status_code for dummy in range(count)]


def test_both_windows_roll(digicert: DigiCertClient) -> None:
    clock = digicert.simulator.clock
    digicert.simulator.configure({"digicert": {"rate_limits": [{"requests": 6, "seconds": 180}, {"requests": 3, "seconds": 5}]}})
    assert statuses(digicert, 4) == [200, 200, 200, 429]
    clock.advance(4.9)
    assert statuses(digicert, 1) == [429]
    clock.advance(0.1)
    assert statuses(digicert, 4) == [200, 200, 200, 429]
    clock.advance(60)
    assert statuses(digicert, 1) == [429]
    clock.advance(115)
    assert statuses(digicert, 4) == [200, 200, 200, 429]


def test_a_429(digicert: DigiCertClient) -> None:
    digicert.simulator.configure({"digicert": {"rate_limits": [{"requests": 1, "seconds": 5}]}})
    digicert.reissue(1)
    answer = digicert.reissue(1, "second")
    assert (answer.status_code, answer.json()) == (429, {"errors": [
        {"code": "request_limit_exceeded", "message": "Service unavailable, please limit request volume"}
    ]})
    assert "Retry-After" not in answer.headers
    assert digicert.simulator.records.effects("1") == ["reissue"]
    digicert.simulator.configure({"digicert": {"retry_after": True}})
    assert digicert.get("user/me").headers["Retry-After"] == "6"


def test_each_key_has_windows_of_its_own(digicert: DigiCertClient) -> None:
    digicert.simulator.configure({"digicert": {"rate_limits": [{"requests": 1, "seconds": 5}]}})
    assert statuses(digicert, 2) == [200, 429]
    assert statuses(DigiCertClient(digicert.simulator, "ORDERSONLY0000000"), 2) == [200, 429]


def test_whether_refused_requests_count(digicert: DigiCertClient) -> None:
    digicert.simulator.configure({"digicert": {"rate_limits": [{"requests": 2, "seconds": 5}], "rejected_requests_count": True}})
    assert statuses(digicert, 3) == [200, 200, 429]
    for dummy in range(3):
        digicert.simulator.clock.advance(4)
        assert statuses(digicert, 1) == [429]
        digicert.simulator.clock.advance(0.5)
        assert statuses(digicert, 1) == [429]


def test_the_documented_windows_are_the_default(digicert: DigiCertClient) -> None:
    digicert.simulator.reset({}, {"clock_scale": 0})
    assert statuses(digicert, 101) == [200] * 100 + [429]
    for second in range(9):
        digicert.simulator.clock.advance(5)
        assert statuses(digicert, 100) == [200] * 100, second
    digicert.simulator.clock.advance(5)
    assert statuses(digicert, 1) == [429]


# -- one order ---------------------------------------------------------------------------------------------------


def test_an_order_is_found_by_id_serial_number_and_thumbprint(digicert: DigiCertClient) -> None:
    certificate = digicert.order(1)["certificate"]
    parsed = x509.load_pem_x509_certificate(digicert.simulator.digicert.pem(1).encode())
    assert certificate["thumbprint"] == parsed.fingerprint(hashes.SHA1()).hex().upper()
    assert int(certificate["serial_number"], 16) == parsed.serial_number
    for name in (certificate["serial_number"], certificate["serial_number"].lower(), certificate["thumbprint"], certificate["thumbprint"].lower()):
        assert digicert.get(f"order/certificate/{name}").json()["id"] == 1
        assert digicert.simulator.journal[-1]["target"] == "1"


def test_not_by_those_of_a_duplicate(digicert: DigiCertClient) -> None:
    load(digicert, {**ENTRY, "duplicates": [{"key": "twin"}]})
    twin = digicert.get("order/certificate/1/duplicate").json()["certificates"][0]
    for name in (twin["serial_number"], twin["thumbprint"]):
        assert code(digicert.get(f"order/certificate/{name}")) == (404, "not_found|order")


def test_the_status_of_a_certificate_is_absent_until_it_is_reissued_or_revoked(digicert: DigiCertClient) -> None:
    for more, expected in (({}, None), ({"reissues": [{}]}, "issued"), ({"certificate_status": "revoked"}, "revoked")):
        load(digicert, {**ENTRY, **more})
        assert digicert.order(1)["certificate"].get("status") == expected
    load(digicert, {**ENTRY, "days_left": -3})
    assert digicert.order(1)["certificate"]["status"] == "expired"


def test_the_members_of_an_order(digicert: DigiCertClient) -> None:
    load(digicert, {**ENTRY, "alternative_order_id": "ours-1", "auto_reissue": True, "order_days_left": 300})
    order = digicert.order(1)
    today = datetime.fromtimestamp(digicert.simulator.clock.now(), timezone.utc).date()
    assert order["order_valid_till"] == str(today + timedelta(days=300))
    assert order["certificate"]["valid_till"] == str(today + timedelta(days=60))
    assert order["certificate"]["days_remaining"] == 60
    assert (order["auto_reissue"], order["auto_renew"], order["alternative_order_id"]) == (1, 0, "ours-1")
    assert order["certificate"]["csr"].startswith("-----BEGIN CERTIFICATE REQUEST-----")
    assert order["product"]["name_id"] == "ssl_basic"
    assert "last_reissued_date" not in order


def test_names_with_and_without_the_common_name(digicert: DigiCertClient) -> None:
    assert digicert.order(1)["certificate"]["dns_names"] == ["a.example.com", "b.example.com"]
    digicert.simulator.configure({"digicert": {"dns_names_include_common_name": False}})
    assert digicert.order(1)["certificate"]["dns_names"] == ["b.example.com"]


def test_an_order_expires(digicert: DigiCertClient) -> None:
    load(digicert, {**ENTRY, "order_days_left": 10})
    digicert.simulator.clock.advance(12 * DAY)
    assert digicert.order(1)["status"] == "expired"
    assert listed(digicert, **{"filters[status]": "issued"}) == [1]


def test_archived_reissues_are_hidden(digicert: DigiCertClient) -> None:
    past = [{"key": "a", "archived": True}, {"key": "b", "status": "rejected"}, {"key": "c"}, {"key": "d", "status": "revoked"}]
    load(digicert, {**ENTRY, "reissues": past})
    assert [row["status"] for row in digicert.reissues(1, archived=False)] == ["rejected", "issued", "issued"]
    rows = digicert.reissues(1)
    assert [row["status"] for row in rows] == ["issued", "rejected", "issued", "issued"]
    assert rows[0]["archived"] == 1
    assert rows[3]["serial_number"] == digicert.order(1)["certificate"]["serial_number"]
    assert digicert.order(1)["certificate"]["status"] == "revoked"
    assert not {"signature_hash", "ca_cert", "valid_from", "server_platform"} & set(rows[0])
    assert len({row["csr"] for row in rows}) == 4


def test_the_same_label_is_the_same_key(digicert: DigiCertClient) -> None:
    load(digicert, {"order_id": 1, "key": "shared"}, {"order_id": 2, "key": "shared"})
    keys = [x509.load_pem_x509_certificate(digicert.simulator.digicert.pem(number).encode()).public_key() for number in (1, 2)]
    assert keys[0] == keys[1] == digicert.simulator.authority.keys["shared"].public_key()


def test_duplicates(digicert: DigiCertClient) -> None:
    answer = digicert.post("order/certificate/1/duplicate", digicert.body(1, "twin", root={"skip_approval": True}))
    assert (answer.status_code, set(answer.json())) == (201, {"id", "certificate_id", "certificate_chain"})
    rows = digicert.get("order/certificate/1/duplicate").json()["certificates"]
    assert (rows[0]["status"], rows[0]["archived"], rows[0]["signature_hash"]) == ("issued", "0", "sha256")
    assert rows[0]["valid_till"] == digicert.order(1)["certificate"]["valid_till"]
    assert digicert.order(1)["certificate"]["id"] != rows[0]["id"]
    others = digicert.body(1, "x", dns_names=["c.example.com"])
    assert code(digicert.post("order/certificate/1/duplicate", others)) == (400, "invalid_value:certificate.dns_names")
    load(digicert, {**ENTRY, "validation": True})
    assert code(digicert.post("order/certificate/1/duplicate", digicert.body(1, "x"))) == (400, "order_not_reissuable")
    assert digicert.simulator.records.effects("1") == ["duplicate"]


def test_a_duplicate_that_waits_does_not_make_the_order_pending(digicert: DigiCertClient) -> None:
    for status, expected in (("rejected", "rejected"), ("approved", "issued")):
        load(digicert, ENTRY)
        number = digicert.post("order/certificate/1/duplicate", digicert.body(1, "twin")).json()["requests"][0]["id"]
        assert (digicert.order(1)["status"], digicert.order(1)["requests"][-1]["type"]) == ("issued", "duplicate")
        assert code(digicert.put("order/certificate/1/status", {"status": "canceled", "note": "x"})) == (400, "invalid_order_status")
        digicert.put(f"request/{number}/status", {"status": status})
        assert digicert.get("order/certificate/1/duplicate").json()["certificates"][0]["status"] == expected
        assert digicert.order(1)["status"] == "issued"


# -- the list ----------------------------------------------------------------------------------------------------


@pytest.fixture
def many(digicert: DigiCertClient) -> DigiCertClient:
    load(
        digicert,
        {"order_id": 10, "common_name": "one.example.com", "days_left": 10},
        {"order_id": 11, "common_name": "two.example.com", "dns": ["two.example.com", "*.example.org"], "days_left": 20, "product": "ssl_ev_basic"},
        {"order_id": 12, "common_name": "three.example.com", "days_left": 30, "container": 6, "organization": 8, "duplicates": [{}]},
        {"order_id": 13, "common_name": "four.example.com", "pending": {}, "days_left": 40, "requester": "Robin Colleague"},
        {"order_id": 14, "common_name": "five.example.com", "status": "revoked", "days_left": 50, "reissues": [{}, {"status": "rejected"}], "is_renewed": True},
        {"order_id": 15, "common_name": "six.example.com", "status": "pending", "validation": True},
    )
    return digicert


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [10, 11, 12, 13, 14, 15]),
        ({"filters[status]": "issued"}, [10, 11, 12]),
        ({"filters[status]": "reissue_pending"}, [13]),
        ({"filters[status][0]": "revoked", "filters[status][1]": "pending"}, [14, 15]),
        ({"filters[status][]": ["revoked", "pending"]}, [14, 15]),
        ({"filters[common_name]": "TWO.example.com"}, [11]),
        ({"filters[domain_name]": "*.example.org"}, [11]),
        ({"filters[product_name_id]": "ssl_ev_basic"}, [11]),
        ({"filters[container_id]": 6}, [12]),
        ({"filters[organization_id]": 8}, [12]),
        ({"filters[id]": "10...12"}, [10, 11, 12]),
        ({"filters[id]": ">9", "filters[is_renewed]": "1"}, [14]),
        ({"filters[email]": "robin.colleague@example.com"}, [13]),
        ({"filters[search]": "example.org"}, [11]),
        ({"filters[date_created]": "<NOW"}, [10, 11, 12, 13, 14]),
        ({"filters[status]": "issued", "sort": "-id"}, [12, 11, 10]),
        ({"filters[status]": "issued", "sort": "-valid_till,id"}, [12, 11, 10]),
        ({"sort": "common_name", "limit": 2}, [14, 13]),
        ({"sort": "status,-id", "limit": 3}, [12, 11, 10]),
        ({"offset": 4, "limit": 10}, [14, 15]),
        ({"offset": 99}, []),
    ],
)
def test_filters_sorts_and_pages(many: DigiCertClient, params: dict[str, Any], expected: list[int]) -> None:
    assert listed(many, **params) == expected


def test_dates_are_filters_too(many: DigiCertClient) -> None:
    def ahead(days: int) -> str:
        return datetime.fromtimestamp(many.simulator.clock.now() + days * DAY, timezone.utc).strftime("%Y-%m-%d")

    assert listed(many, **{"filters[valid_till]": f">{ahead(20)}"}) == [12, 13, 14]
    assert listed(many, **{"filters[valid_till]": f"{ahead(10)}...{ahead(20)}"}) == [10, 11]
    assert listed(many, **{"filters[valid_till]": f"<{ahead(11)}", "filters[status]": "issued"}) == [10]
    assert listed(many, **{"filters[valid_till]": ">NOW"}) == [10, 11, 12, 13, 14]


def test_serial_numbers_as_filters(many: DigiCertClient) -> None:
    store = many.simulator.digicert
    serials = [store[number].current.serial_number for number in (10, 12)]
    assert listed(many, **{"filters[serial_number][]": serials}) == [10, 12]
    assert listed(many, **{"filters[serial_number]": serials[0].lower()}) == [10]
    old = store[12].duplicates[0]
    assert listed(many, **{"filters[serial_number]": old.serial_number}) == []
    assert listed(many, **{"filters[certificate_id]": old.id}) == [12]
    many.simulator.configure({"digicert": {"serial_filter": "all"}})
    assert listed(many, **{"filters[serial_number]": old.serial_number}) == [12]


def test_the_status_filter_may_be_ignored(many: DigiCertClient) -> None:
    many.simulator.configure({"digicert": {"status_filter_ignored": True}})
    assert len(listed(many, **{"filters[status]": "revoked"})) == 6


@pytest.mark.parametrize("query", ["filters[nonsense]=1", "sort=nonsense", "limit=many", "offset=-1"])
def test_bad_parameters(many: DigiCertClient, query: str) -> None:
    assert code(many.get(f"order/certificate?{query}"))[0] == 400


def test_the_items_of_the_list(many: DigiCertClient) -> None:
    answer = many.get("order/certificate").json()
    assert answer["page"] == {"total": 6, "limit": 1000, "offset": 0}
    items = {item["id"]: item for item in answer["orders"]}
    assert (items[12]["has_duplicates"], items[12]["duplicates_count"], items[12]["has_reissues"]) == (True, 1, False)
    assert (items[14]["has_reissues"], items[14]["reissues_count"]) == (True, 1)
    assert items[10]["is_multi_year_plan"] == "1"
    assert {"serial_number", "valid_till", "days_remaining"} <= set(items[10]["certificate"])
    assert not {"serial_number", "valid_till", "days_remaining", "cert_validity"} & set(items[15]["certificate"])
    assert "order_valid_till" not in items[15]


def test_the_limit_of_a_page(digicert: DigiCertClient) -> None:
    load(digicert, {"count": 1003, "common_name": "h{n}.example.com"})
    answer = digicert.get("order/certificate?limit=5000").json()
    assert (len(answer["orders"]), answer["page"]) == (1000, {"total": 1003, "limit": 1000, "offset": 0})
    assert len(digicert.get("order/certificate?offset=1000").json()["orders"]) == 3
    digicert.simulator.configure({"digicert": {"list_max_limit": 100}})
    assert len(digicert.get("order/certificate?limit=1000").json()["orders"]) == 100


@pytest.mark.parametrize("by", [{"headers": {"Accept": "text/csv"}}, {"params": {"content_type": "csv"}}])
def test_lists_as_csv(many: DigiCertClient, by: dict[str, Any]) -> None:
    answer = many.get("order/certificate", **by)
    assert answer.headers["Content-Type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == ["10", "11", "12", "13", "14", "15"]
    assert rows[1]["certificate.dns_names"] == "two.example.com,*.example.org"


# -- status changes ----------------------------------------------------------------------------------------------


def test_status_changes(digicert: DigiCertClient) -> None:
    load(digicert, {**ENTRY, "shape": "certificate_id"}, {**ENTRY, "order_id": 2})
    path = "order/certificate/status-changes"
    assert digicert.get(f"{path}?minutes=10").json() == {}
    number = digicert.reissue(1).json()["certificate_id"]
    old = digicert.order(1)["certificate"]["id"]
    assert digicert.get(f"{path}?seconds=1").json() == {"orders": [{"order_id": 1, "certificate_id": old, "status": "reissue_pending"}]}
    digicert.simulator.clock.advance(3600)
    assert digicert.get(f"{path}?minutes=60").json() == {"orders": [{"order_id": 1, "certificate_id": number, "status": "issued"}]}
    assert digicert.get(f"{path}?minutes=30").json() == {}
    today = datetime.fromtimestamp(digicert.simulator.clock.now(), timezone(timedelta(hours=-6))).strftime("%Y-%m-%d")
    assert len(digicert.get(path, params={"filters[status_last_updated]": f"{today}...{today}"}).json()["orders"]) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "required_param:minutes"), ("?minutes=10081", "time_frame_too_long"), ("?seconds=604801", "time_frame_too_long"),
        ("?minutes=soon", "invalid_value:minutes"), ("?filters[status_last_updated]=2026-01-01...2026-01-09", "time_frame_too_long"),
        ("?filters[status_last_updated]=yesterday", "invalid_value:filters[status_last_updated]"),
    ],
)
def test_time_frames(digicert: DigiCertClient, query: str, expected: str) -> None:
    assert code(digicert.get(f"order/certificate/status-changes{query}")) == (400, expected)
    assert digicert.get("order/certificate/status-changes?minutes=10080").status_code == 200


def test_alternative_ids(digicert: DigiCertClient) -> None:
    load(digicert, {**ENTRY, "alternative_order_id": "Ticket-17"})
    answer = digicert.get("order/alternate/Ticket-17").json()
    assert answer["orders"] == [{"order_id": 1, "certificate_id": digicert.order(1)["certificate"]["id"], "status": "issued"}]
    assert digicert.get("order/alternate/Ticket-18").json()["orders"] == []


# -- the account -------------------------------------------------------------------------------------------------


def test_the_account(digicert: DigiCertClient) -> None:
    assert digicert.get("user/me").json()["access_roles"] == [{"id": 1, "name": "Administrator"}]
    products = {item["name_id"]: item for item in digicert.get("product").json()["products"]}
    assert products["ssl_basic"]["signature_hash_types"]["default_hash_type_id"] == "sha256"
    assert digicert.get("product/ssl_dv_geotrust_flex").json()["allowed_ca_certs"] == []
    organization = digicert.get("organization").json()["organizations"][0]
    assert {item["status"] for item in digicert.get(f"organization/{organization['id']}").json()["validations"]} == {"active"}
    assert digicert.get(f"organization/{organization['id']}/validation").status_code == 200
    container = digicert.get("container").json()["containers"][0]["id"]
    assert digicert.get(f"container/{container}").json()["id"] == container
    limits = digicert.get(f"container/{container}/product-limits").json()["product_limits"]
    assert limits[0]["ica_selection_enabled"] is False


# -- scenarios, control, state file ------------------------------------------------------------------------------


def test_mistakes_in_entries_are_explained(digicert: DigiCertClient) -> None:
    for entry in ({"nonsense": 1}, {"reissues": [{"nonsense": 1}]}, {"pending": {"nonsense": 1}}, {"pending": {"waits": "x"}}, {"status": "x"}, {"shape": "x"},
                  {"product": "x"}, {"reissues": [{"status": "pending"}]}, {"each": [{"nonsense": 1}], "count": 2},
                  {"order_id": 1, "count": 2}):
        with pytest.raises(ValueError):
            load(digicert, entry)
    with pytest.raises(ValueError, match="cannot change nonsense"):
        load(digicert, ENTRY)
        digicert.simulator.digicert.change(1, {"nonsense": 1})


@pytest.mark.parametrize(
    "settings",
    [
        {"approval": "perhaps"}, {"nonsense": 1}, {"issue_seconds": "1"}, {"refusal_codes": {"nonsense": "x"}},
        {"rate_limits": [{"requests": 1}]}, {"rate_limits": 1},
    ],
)
def test_mistakes_in_switches_are_explained(digicert: DigiCertClient, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        digicert.simulator.configure({"digicert": settings})


def test_the_readme_explains_every_switch_and_every_key_of_an_entry() -> None:
    text = (scenarios.DIRECTORY.parent / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## DigiCert"):]
    names = {*seeding.KNOWN, *(item.name for item in fields(Switches))} - {"count", "start", "each"}
    assert [name for name in sorted(names) if f"`{name}`" not in section] == []


def control(simulator: Simulator, path: str, **body: Any) -> Any:
    return requests.post(simulator.ready["control_url"] + path, json=body, verify=simulator.ready["ca_path"], timeout=10).json()


def test_control_calls(digicert: DigiCertClient) -> None:
    simulator = digicert.simulator
    load(digicert, {**ENTRY, "validation": True})
    digicert.reissue(1)
    assert control(simulator, "digicert/approve", order_id=1) == {"ok": True}
    assert simulator.digicert.state()["waiting_for"] == {"approval": 0, "validation": 1, "issue": 0}
    assert control(simulator, "digicert/change", order_id="1", fields={"issue_seconds": 60})["ok"]
    assert control(simulator, "digicert/validate", order_id=1)["ok"]
    assert simulator.digicert.state()["waiting_for"]["issue"] == 1
    assert control(simulator, "digicert/issue", order_id=1)["ok"]
    assert digicert.order(1)["status"] == "issued"
    assert control(simulator, "digicert/add", orders=[{"count": 2}])["order_ids"][1] > 1
    for path, body in (("digicert/approve", {"order_id": 1}), ("digicert/nonsense", {}), ("digicert/approve", {"order_id": 77}), ("digicert/issue", {})):
        assert control(simulator, path, **body)["error"]


def test_the_state_survives(digicert: DigiCertClient) -> None:
    load(digicert, {**ENTRY, "reissues": [{"key": "a"}]}, {**ENTRY, "order_id": 2, "shape": "certificate_id"}, {**ENTRY, "order_id": 3, "pending": {}})
    digicert.reissue(2)
    digicert.put(f"certificate/{digicert.order(1)['certificate']['id']}/revoke", {"skip_approval": True, "revocation_reason": "keyCompromise"})
    before = [digicert.order(number) for number in (1, 2, 3)]
    part = digicert.simulator.digicert
    part.restore(json.loads(json.dumps(part.dump())))
    assert [digicert.order(number) for number in (1, 2, 3)] == before
    part.restore(json.loads(json.dumps(part.dump())))
    assert code(digicert.reissue(1, "a")) == (400, "csr_key_blocked")
    digicert.simulator.clock.advance(60)
    assert [digicert.order(number)["status"] for number in (1, 2, 3)] == ["issued", "issued", "reissue_pending"]
    assert part.add([{}]) > [3]


def test_the_mass_reissue(digicert: DigiCertClient) -> None:
    begin = time.process_time()
    digicert.simulator.reset("mass_reissue", {"clock_scale": 0})
    assert time.process_time() - begin < 5
    state = digicert.simulator.digicert.state()
    assert (state["orders"], state["reissue_pending"]) == (1000, 12)
    ids = {item["id"]: item for item in digicert.get("order/certificate?limit=1000").json()["orders"]}
    shapes: dict[str, int] = {}
    digicert.simulator.configure({"digicert": {"rate_limits": []}})
    for number, item in ids.items():
        if item["status"] == "issued" and not item["has_reissues"] and int(str(number)[-1]) == 0:
            shape = list(digicert.reissue(number).json())[-1]
            shapes[shape] = shapes.get(shape, 0) + 1
    assert shapes["certificate_chain"] >= 80 and set(shapes) == {"certificate_chain", "certificate_id", "requests", "dcv_random_value"}


def test_the_default_scenario_has_some_of_everything(digicert: DigiCertClient) -> None:
    digicert.simulator.reset("default")
    orders = digicert.get("order/certificate").json()["orders"]
    assert {"issued", "reissue_pending", "revoked", "expired", "canceled", "rejected", "needs_approval", "needs_csr"} == {item["status"] for item in orders}
