# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""digicert_order_info against the simulator: what is asked for, what is found for an incident's list, and what comes back."""

from __future__ import annotations

import datetime
import hashlib
import json
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.digicert import order_ref
from ansible_collections.certops.remediation.plugins.module_utils.digicert import DigiCertClient
from ansible_collections.certops.remediation.plugins.modules import digicert_order_info
from ansible_collections.certops.remediation.tests.unit.support import FAULTS, Server, answer, digicert_options, run_module

LIST = "/services/v2/order/certificate"
FLEET = [
    {"common_name": "a.example.com", "dns": ["a.example.com", "www.example.com"], "days_left": 10},
    {"common_name": "b.example.com", "product": "ssl_ev_basic", "organization": 8, "container": 6},
    {"common_name": "again.example.com", "reissues": [{"days_ago": 40}, {"days_ago": 20, "status": "rejected"}, {"days_ago": 3}]},
    {"common_name": "copied.example.com", "duplicates": [{}]},
    {"common_name": "flight.example.com", "pending": {"requester": "Robin Colleague"}},
    {"common_name": "gone.example.com", "certificate_status": "revoked"},
    {"common_name": "over.example.com", "status": "revoked"},
    {"common_name": "late.example.com", "status": "expired"},
    {"common_name": "new.example.com", "status": "pending", "validation": True},
    {"common_name": "*.example.com", "dns": ["*.example.com", "example.com"]},
]
OTHERS = {"common_name": "a.example.com", "account": "other"}
ISSUED = {"a", "b", "again", "copied", "gone", "*"}
EVERYTHING = {*ISSUED, "flight", "over", "late", "new"}


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


@pytest.fixture
def fleet(simulator):
    """The simulator with some of everything, and an order of somebody else's account."""
    simulator.ids = simulator.digicert.load([*FLEET, OTHERS])
    return simulator


def info(simulator, **options):
    return run_module(digicert_order_info, digicert_options(simulator, **options))


def names(result):
    assert not result["failed"], result["msg"]
    return {item["common_name"].replace(".example.com", "") for item in result["orders"]}


def queries(simulator):
    return [{name: value for name, value in entry["query"].items() if name not in ("limit", "offset")} for entry in simulator.journal if entry["path"] == LIST]


def serials(simulator, number):
    """The serial numbers of all certificates of an order, the oldest first."""
    return [item.serial_number for item in simulator.digicert[number].certificates if item.serial]


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


def public_key(pem):
    """The SHA-256 of the SubjectPublicKeyInfo, by another way than that of the module."""
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def matches(result):
    assert not result["failed"], result["msg"]
    return [(item["order_id"], entry["as"], entry["replaced"]) for item in result["orders"] for entry in item["matched"]]


# -- filters ---------------------------------------------------------------------------------------------------------------------------

FILTERS = {
    "nothing": ({}, {}, EVERYTHING),
    "issued": ({"status": ["issued"]}, {"filters[status]": "issued"}, {*ISSUED, "late"}),
    "pending": ({"status": ["pending"]}, {"filters[status]": "pending"}, {"new"}),
    "two": ({"status": ["reissue_pending", "revoked"]}, {"filters[status][0]": "reissue_pending", "filters[status][1]": "revoked"}, {"flight", "over"}),
    "product": ({"product": ["ssl_ev_basic"]}, {"filters[product_name_id]": "ssl_ev_basic"}, {"b"}),
    "container": ({"container_id": [6]}, {"filters[container_id]": "6"}, {"b"}),
    "organization": ({"organization_id": [8]}, {"filters[organization_id]": "8"}, {"b"}),
    "common name": ({"common_name": ["A.example.com"]}, {"filters[common_name]": "A.example.com"}, {"a"}),
    "domain name": ({"domain_name": ["www.example.com"]}, {"filters[domain_name]": "www.example.com"}, {"a"}),
    "wildcard": ({"domain_name": ["*.example.com"]}, {"filters[domain_name]": "*.example.com"}, {"*"}),
    "search": ({"search": "copied"}, {"filters[search]": "copied"}, {"copied"}),
    "raw": (
        {"filters": {"is_renewed": False, "user_id": 999, "status": ["issued"]}},
        {"filters[is_renewed]": "0", "filters[user_id]": "999", "filters[status]": "issued"},
        {*ISSUED, "late"},
    ),
    "raw list": (
        {"filters": {"common_name": ["a.example.com", "b.example.com"]}},
        {"filters[common_name][0]": "a.example.com", "filters[common_name][1]": "b.example.com"},
        {"a", "b"},
    ),
    "all at once": (
        {"status": ["issued"], "organization_id": [7], "domain_name": ["a.example.com", "b.example.com"]},
        {"filters[status]": "issued", "filters[organization_id]": "7", "filters[domain_name][0]": "a.example.com", "filters[domain_name][1]": "b.example.com"},
        {"a"},
    ),
}


@pytest.mark.parametrize("which", FILTERS)
def test_each_filter_is_sent_in_the_vendors_words_and_finds_what_it_should(fleet, which):
    options, sent, expected = FILTERS[which]
    result = info(fleet, **options)
    assert names(result) == expected and queries(fleet) == [sent]
    assert result["count"] == result["total"] == len(result["orders"]) and not result["changed"] and result["not_found"] == []
    assert all(item["matched"] == [] and item["replaced"] is False and item["pending"] is None for item in result["orders"])
    assert result["warnings"] == [] and result["http"]["requests"] == 1


@pytest.mark.parametrize("which", ["product", "container", "organization", "common name", "domain name", "wildcard"])
def test_a_filter_that_certcentral_ignores_still_filters(fleet, which, monkeypatch):
    real = DigiCertClient.orders
    monkeypatch.setattr(DigiCertClient, "orders", lambda client, filters, **more: real(client, [], **more))
    assert names(info(fleet, **FILTERS[which][0])) == FILTERS[which][2]


def test_expiry(fleet):
    assert names(info(fleet, expires_within_days=30)) == {"a"}
    assert names(info(fleet, expires_within_days=10)) == {"a"} and names(info(fleet, expires_within_days=9)) == set()
    assert names(info(fleet, expires_before=in_days(0))) == {"late"}
    assert names(info(fleet, expires_before=in_days(10))) == {"late"} and names(info(fleet, expires_before=in_days(11))) == {"late", "a"}
    assert "a" in names(info(fleet, expires_after=in_days(9))) and "a" not in names(info(fleet, expires_after=in_days(10)))
    assert names(info(fleet, expires_after=in_days(-9), expires_before=in_days(11))) == {"late", "a"}
    assert names(info(fleet, expires_within_days=30, expires_after=in_days(20))) == set()
    assert "new" not in names(info(fleet, expires_before="2999-12-31")), "has no certificate that could expire"


def test_dates_are_sent_as_the_vendor_writes_them_with_a_day_to_spare(fleet):
    """Whether a range includes its ends is not documented."""
    info(fleet, expires_before="2026-12-31")
    info(fleet, expires_after="2026-12-01")
    info(fleet, expires_after="2026-12-01", expires_before="2026-12-31")
    assert [query["filters[valid_till]"] for query in queries(fleet)] == ["<2026-12-31", ">2026-12-01", "2026-12-01...2026-12-31"]


@pytest.mark.parametrize(
    "text", ["tomorrow", "30.11.2026", "2026-13-01", "20261130", "2026-W48-1", "2026-11-30T00:00:00Z", "0001-01-01", "9999-12-31", "x" * 500]
)
@pytest.mark.parametrize("option", ["expires_before", "expires_after"])
def test_what_is_no_date_is_told(fleet, option, text):
    result = info(fleet, **{option: text})
    assert result["failed"] and option in result["msg"] and len(result["msg"]) < 200 and fleet.journal == []


@pytest.mark.parametrize(
    "option, value", [("limit", 0), ("limit", -1), ("expires_within_days", -1), ("expires_within_days", 10**9), ("history_limit", -1), ("concurrency", 0)]
)
def test_numbers_out_of_range_are_told(fleet, option, value):
    result = info(fleet, **{option: value})
    assert result["failed"] and option in result["msg"] and fleet.journal == []


@pytest.mark.parametrize(
    "options, text",
    [
        ({"status": ["expired"]}, "status"),
        ({"common_name": [""]}, "empty"),
        ({"names": ["a.example.com", " "]}, "names: an empty text"),
        ({"serial_number": ["xyz"]}, "not hexadecimal"),
        ({"serial_number": ["000"]}, "no serial number"),
        ({"filters": {"status": "issued"}, "status": ["issued"]}, "given by an option already"),
        ({"filters": {"valid_till": ">NOW"}, "expires_within_days": 3}, "given by an option already"),
        ({"filters": {"a]&limit": "1"}}, "not the name of a filter"),
        ({"filters": {"email": None}}, "has no value"),
        ({"filters": {"email": []}}, "has no value"),
        ({"filters": {"email": {"a": 1}}}, "neither a text nor a number"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "two words"}, "api_key"),
        ({"url": "http://127.0.0.1"}, "plain HTTP"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_is_sent(fleet, options, text):
    result = info(fleet, **options)
    assert result["failed"] and text in result["msg"] and fleet.journal == []


@pytest.mark.parametrize(
    "options, text",
    [({"filters": {"colour": "red"}}, "filters[colour] contains an invalid value"), ({"sort": ["-status_date"]}, "sort contains an invalid value")],
)
def test_what_certcentral_does_not_know_is_told_in_its_words(fleet, options, text):
    result = info(fleet, **options)
    assert result["failed"] and text in result["msg"] and (result["error"]["kind"], result["error"]["status"]) == ("vendor", 400)


@pytest.mark.parametrize(
    "option", ["orders", "certificates", "certificate_path", "names", "status", "product", "container_id", "common_name", "domain_name", "serial_number"]
)
def test_an_empty_list_matches_nothing(fleet, option):
    """An empty list of affected certificates must not select every order there is: the next task reissues them."""
    result = info(fleet, **{option: []})
    assert (result["failed"], result["orders"], result["count"], result["total"], result["not_found"]) == (False, [], 0, 0, [])
    assert fleet.journal == []


def test_a_name_that_the_filters_leave_out_is_not_found(fleet):
    result = info(fleet, names=["a.example.com"], status=[])
    assert result["orders"] == [] and [item["target"] for item in result["not_found"]] == ["a.example.com"] and fleet.journal == []


def test_empty_strings_are_unset(fleet):
    assert info(fleet, search="", expires_before="", expires_after="", proxy="", client_cert="")["count"] == len(FLEET)


def test_a_filter_that_is_ignored_lets_nothing_wrong_through(fleet):
    """A customer reported it of the status."""
    fleet.configure({"digicert": {"status_filter_ignored": True}})
    result = info(fleet, status=["reissue_pending"])
    assert names(result) == {"flight"} and result["count"] == 1 and result["total"] == len(FLEET)
    # Nor may the limit count what is not wanted.
    assert names(info(fleet, status=["reissue_pending", "revoked"], limit=2)) == {"flight", "over"}
    assert names(info(fleet, names=["flight.example.com", "a.example.com"], status=["issued"])) == {"a"}


def test_no_filter_is_trusted():
    """A server that ignores all of them."""
    items = [
        {
            "id": 1,
            "status": "issued",
            "product_name_id": "x",
            "certificate": {"common_name": "a.example.com", "serial_number": "0A", "valid_till": "2030-01-01"},
        },
        {
            "id": 2,
            "status": "processing",
            "product": {"name_id": "y"},
            "certificate": {"common_name": "b.example.com", "dns_names": ["c.example.com", None], "valid_till": "2031-01-01"},
        },
        {"id": 3, "status": "expired", "certificate": {"common_name": "d.example.com"}},
    ]
    page = answer("200 OK", json.dumps({"orders": items, "page": {"total": 3}}).encode())
    cases = [
        ({"product": ["y"]}, [2]),
        ({"common_name": ["a.example.com"]}, [1]),
        ({"domain_name": ["C.example.com"]}, [2]),
        ({"serial_number": ["000a"]}, [1]),
        ({"expires_before": "2030-01-02"}, [1]),
        ({"expires_after": "2030-01-01"}, [2]),
        ({"status": ["issued"]}, [1, 3]),
        ({"status": ["pending"]}, [2]),
        ({"status": ["revoked"]}, []),
        ({"status": ["revoked"], "limit": 3}, []),
    ]
    with Server(lambda *dummy: page) as server:
        for options, expected in cases:
            result = run_module(digicert_order_info, {"url": server.url, "allow_http": True, "api_key": "c4nary-key", **options})
            assert [item["order_id"] for item in result["orders"]] == expected, options


@pytest.mark.parametrize("shown", ["needs_approval", "processing", "something_new"])
def test_a_status_that_no_filter_is_called_by_counts_as_pending(fleet, shown):
    fleet.configure({"digicert": {"order_status_while": {"approval": shown, "validation": shown, "issue": shown}}})
    result = info(fleet, status=["reissue_pending"])
    assert names(result) == {"flight"} and result["orders"][0]["status"] == shown


# -- pages -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cap", [1, 3, 1000])
def test_pages_are_put_together(fleet, cap):
    fleet.configure({"digicert": {"list_max_limit": cap}})
    result = info(fleet)
    assert names(result) == EVERYTHING and result["total"] == len(FLEET) and len(fleet.journal) == -(-len(FLEET) // cap)
    assert [entry["query"]["offset"] for entry in fleet.journal] == [str(number) for number in range(0, len(FLEET), cap)]
    assert {entry["query"]["limit"] for entry in fleet.journal} == {"1000"}


def test_a_limit_is_kept_and_the_total_still_told(fleet):
    result = info(fleet, limit=2, sort=["-id"])
    assert [item["order_id"] for item in result["orders"]] == [fleet.ids[9], fleet.ids[8]] and result["total"] == len(FLEET)
    assert fleet.journal[0]["query"] == {"limit": "2", "offset": "0", "sort": "-id"} and len(fleet.journal) == 1
    assert info(fleet, orders=fleet.ids[:3], limit=2, details=False)["count"] == 2


def test_a_list_that_never_stands_still_is_warned_about():
    def reply(dummy, number):
        items = [{"id": number, "status": "issued"}] if number % 3 else []
        return answer("200 OK", json.dumps({"orders": items, "page": {"total": 1000 + number}}).encode())

    with Server(reply) as server:
        result = run_module(digicert_order_info, {"url": server.url, "allow_http": True, "api_key": "c4nary-key"})
    assert not result["failed"] and any("changed while it was read" in text for text in result["warnings"])


# -- named orders ----------------------------------------------------------------------------------------------------------------------


def test_orders_in_the_order_given_and_once(fleet):
    ids = fleet.ids
    result = info(fleet, orders=[ids[3], str(ids[0]), {"order_id": ids[1], "status": "x"}, ids[0]], details=False)
    assert [item["order_id"] for item in result["orders"]] == [ids[3], ids[0], ids[1]] and result["count"] == result["total"] == 3
    assert len(fleet.journal) == 3 and queries(fleet) == []
    # As they are, they name themselves again.
    assert info(fleet, orders=result["orders"], details=False)["orders"] == result["orders"]


def test_an_order_of_another_account_and_one_that_is_not_there_are_listed_with_the_reason(fleet):
    result = info(fleet, orders=[fleet.ids[-1], fleet.ids[0], 424242])
    assert not result["failed"] and names(result) == {"a"}
    assert [item["target"] for item in result["not_found"]] == [str(fleet.ids[-1]), "424242"]
    for item in result["not_found"]:
        assert (item["error"]["status"], item["error"]["code"]) == (404, "not_found|order") and "could not be found" in item["error"]["message"]
    assert any("2 of what was named" in text for text in result["warnings"])


@pytest.mark.parametrize("value", ["x", "", "-1", 0, 1.5, True, "9" * 5000, {"id": 1}, {"order_id": None}, {"order_id": "1 OR 1"}, "1/../2", "１"])
def test_a_bad_entry_is_told_with_its_place_before_anything_is_sent(fleet, value):
    result = info(fleet, orders=[1000001, value])
    assert result["failed"] and "orders[1]" in result["msg"] and len(result["msg"]) < 250 and fleet.journal == []


@pytest.mark.parametrize("more", [{"status": ["issued"]}, {"search": "x"}, {"expires_within_days": 0}, {"filters": {"is_renewed": 0}}, {"common_name": []}])
@pytest.mark.parametrize("option", ["orders", "certificates", "certificate_path"])
def test_what_is_named_exactly_goes_with_no_filter(fleet, option, more):
    result = info(fleet, **{option: []}, **more)
    assert result["failed"] and "cannot be combined with filters" in result["msg"] and fleet.journal == []


def test_a_record_tells_what_the_simulator_holds(fleet):
    fleet.digicert.change(fleet.ids[0], {"auto_reissue": True})
    listed = info(fleet)["orders"]
    for item in listed:
        order = fleet.digicert[item["order_id"]]
        current = order.current
        shown = item["certificate"]
        assert (item["status"], item["product"], set(item["names"])) == (order.status, order.product, current.names)
        assert (shown["id"], shown["serial"], shown["signature_hash"]) == (current.id, current.serial_number or None, "sha256")
        assert [shown[key] for key in ("thumbprint", "ca", "public_key_sha256")] == [None, None, None] and item["auto_reissue"] is None
        assert shown["status"] == (order.status if order.status in ("revoked", "expired") else None), "the list does not tell of a revoked certificate"
        assert item["has_duplicates"] == bool(order.duplicates) and item["has_reissues"] == bool(order.reissues)
    for item in info(fleet, orders=listed, details=False)["orders"]:
        order = fleet.digicert[item["order_id"]]
        shown = item["certificate"]
        if order.current.serial:
            pem = fleet.digicert.pem(order.id)
            assert (shown["thumbprint"], shown["public_key_sha256"]) == (fleet.digicert.thumbprint(order.id), public_key(pem))
            assert shown["ca"].startswith("Example Global TLS") and shown["valid_from"] < shown["valid_till"] <= item["order_valid_till"]
        assert item["auto_reissue"] == order.auto_reissue and (item["container"], item["organization"]) == (
            {5: "Example Corp", 6: "Retail"}[order.container],
            {7: "Example Corp", 8: "Example Retail Ltd"}[order.organization],
        )
    states = {item["common_name"].partition(".")[0]: item["certificate"]["status"] for item in info(fleet, orders=listed, details=False)["orders"]}
    assert states == {
        **dict.fromkeys(("a", "b", "again", "copied", "flight", "*"), "issued"),
        **{"gone": "revoked", "over": "revoked", "late": "expired", "new": "pending"},
    }


def test_every_record_has_the_same_fields(fleet):
    ids = fleet.ids[:-1]
    kinds = [
        info(fleet)["orders"],
        info(fleet, orders=ids)["orders"],
        info(fleet, details=True)["orders"],
        info(fleet, certificates=serials(fleet, ids[0]))["orders"],
    ]
    assert len({tuple(item) for kind in kinds for item in kind}) == 1 and len({tuple(item["certificate"]) for kind in kinds for item in kind}) == 1
    assert kinds[1] == kinds[2]


# -- details ---------------------------------------------------------------------------------------------------------------------------


def test_details_tell_of_reissues_and_duplicates(fleet):
    again, copied = info(fleet, orders=[fleet.ids[2], fleet.ids[3]])["orders"]
    order = fleet.digicert[fleet.ids[2]]
    assert [(item["id"], item["status"], item["serial"]) for item in again["reissues"]] == [
        (item.id, item.status, item.serial_number or None) for item in order.reissues
    ]
    assert again["reissues"][0]["public_key_sha256"] == public_key(fleet.digicert.pem(order.id, order.reissues[0].id))
    assert again["has_reissues"] and not again["has_duplicates"] and again["pending"] == again["duplicates"] == [] and again["last_reissued"]
    assert again["certificate"]["id"] == order.reissues[-1].id
    assert (copied["has_reissues"], copied["has_duplicates"], len(copied["duplicates"])) == (False, True, 1)
    assert copied["duplicates"][0]["thumbprint"] and copied["duplicates"][0]["valid_till"] and copied["duplicates"][0]["created"]


PENDING = {
    "approval": ({}, "approval", True),
    "validation": ({"waits": "validation"}, "validation_or_issue", False),
    "issue": ({"waits": "issue"}, "validation_or_issue", False),
}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("which", PENDING)
def test_what_is_in_flight_is_told_with_who_and_since_when(simulator, which, listed):
    spec, waits, requested = PENDING[which]
    simulator.configure({"digicert": {"unapproved_reissue_listed": listed}})
    (number,) = simulator.digicert.load(
        [{"common_name": "a.example.com", "pending": {"key": "theirs", "dns": ["a.example.com", "b.example.com"], "since": 7200, **spec}}]
    )
    order = simulator.digicert[number]
    (item,) = info(simulator, orders=[number])["orders"]
    (pending,) = item["pending"]
    simulator.digicert.issue(number)
    theirs = public_key(simulator.digicert.pem(number))
    assert (pending["type"], pending["waits_for"], pending["request_id"]) == ("reissue", waits, order.requests[-1].id if requested else None)
    assert pending["who"] == "Robin Colleague <robin.colleague@example.com>" and pending["names"] == ["a.example.com", "b.example.com"]
    assert pending["public_key_sha256"] == theirs != item["certificate"]["public_key_sha256"]
    since = datetime.datetime.fromisoformat(pending["since"])
    assert abs((since - datetime.datetime.fromtimestamp(simulator.clock.now() - 7200, datetime.timezone.utc)).total_seconds()) < 2
    assert item["status"] == "reissue_pending" and item["certificate"]["status"] == "issued"


@pytest.mark.parametrize("status", ["pending", "submitted"])
def test_open_requests_of_every_type_are_told(simulator, status):
    simulator.configure({"digicert": {"request_status": status, "own_request_approvable": False}})
    number, new = simulator.digicert.load([{"common_name": "a.example.com"}, {"common_name": "b.example.com", "status": "needs_approval"}])
    order = simulator.digicert[number]
    simulator.digicert.lifecycle.add_request(order, "revoke", 999, "", [order.current.id])
    first, second = info(simulator, orders=[number, new])["orders"]
    assert [(item["type"], item["waits_for"], item["who"]) for item in first["pending"]] == [
        ("revoke", "approval", "Cert Operations <cert.operations@example.com>")
    ]
    assert [(item["type"], item["waits_for"]) for item in second["pending"]] == [("new_request", "approval")]
    assert second["certificate"]["status"] == "pending" and second["order_valid_till"] is None and second["certificate"]["serial"] is None


def test_a_reissue_of_digicerts_own_is_told(simulator):
    (number,) = simulator.digicert.load(
        [
            {
                "common_name": "a.example.com",
                "auto_reissue": True,
                "days_left": 10,
                "order_days_left": 100,
                "approval": "skip",
                "pending": {"auto": True, "waits": "issue"},
            }
        ]
    )
    (item,) = info(simulator, orders=[number])["orders"]
    assert item["auto_reissue"] and "DigiCert System" in item["pending"][0]["who"] and item["pending"][0]["request_id"] is None


@pytest.mark.parametrize("status", ["pending", "submitted"])
def test_all_that_waits_is_found_by_the_lists(simulator, status):
    simulator.configure({"digicert": {"request_status": status}})
    numbers = simulator.digicert.load([
        {"common_name": "ok{n}.example.com", "count": 50},
        {"common_name": "approval.example.com", "pending": {"requester": "Robin Colleague", "since": 7200}},
        {"common_name": "validation.example.com", "pending": {"requester": "Robin Colleague", "waits": "validation", "since": 9000}},
        {"common_name": "new.example.com", "status": "pending", "validation": True},
        {"common_name": "revoke.example.com"},
    ])
    order = simulator.digicert[numbers[-1]]
    simulator.digicert.lifecycle.add_request(order, "revoke", 999, "", [order.current.id])
    result = info(simulator, waiting=True)
    by_name = {item["common_name"].split(".")[0]: [(entry["type"], entry["waits_for"]) for entry in item["pending"]] for item in result["orders"]}
    later = "validation_or_issue"
    assert by_name == {"approval": [("reissue", "approval")], "validation": [("reissue", later)], "new": [("new_request", later)],
                       "revoke": [("revoke", "approval")]}
    assert all(entry["since"] for item in result["orders"] for entry in item["pending"]) and result["count"] == result["total"] == 4
    assert all(item["reissues"] is None for item in result["orders"])
    # Two lists of requests, one of orders, one for the order that is none of these, and the reissues of one order.
    assert len(simulator.journal) == 5 and not any(entry["mutates"] for entry in simulator.journal)
    assert info(simulator, waiting=True, status=["issued"])["error"]["kind"] == "input"


def test_where_nothing_waits_two_pages_say_so(fleet):
    fleet.digicert.load([{"common_name": "a.example.com"}])
    assert info(fleet, waiting=True)["orders"] == [] and len(fleet.journal) == 3


def test_two_reissues_in_flight_are_two(simulator):
    simulator.configure({"digicert": {"second_reissue": "accept_both"}})
    (number,) = simulator.digicert.load([{"common_name": "a.example.com", "pending": {"requester": "Robin Colleague"}}])
    simulator.digicert.change(number, {"pending": {"requester": "Kim Other", "waits": "issue"}})
    (item,) = info(simulator, orders=[number])["orders"]
    assert sorted(entry["who"].split(" <")[0] for entry in item["pending"]) == ["Kim Other", "Robin Colleague"]


def test_a_reissue_that_nothing_shows_is_told_all_the_same(simulator):
    """The list of reissues may lag behind, and without an approval there is no request."""
    (number,) = simulator.digicert.load([{"common_name": "a.example.com", "approval": "skip", "pending": {"waits": "validation"}}])
    simulator.digicert[number].reissues[0].reads = 0
    simulator.configure({"digicert": {"reissue_visible_after_reads": 5}})
    (item,) = info(simulator, orders=[number])["orders"]
    assert item["reissues"] == [] and item["pending"] == [
        {"type": "reissue", "who": None, "since": None, "public_key_sha256": None, "names": [], "request_id": None, "waits_for": "validation_or_issue"}
    ]


@pytest.mark.parametrize("include", [True, False])
def test_names_are_the_same_however_digicert_lists_them(fleet, include):
    fleet.configure({"digicert": {"dns_names_include_common_name": include}})
    for options in ({}, {"details": True}):
        shown = {item["order_id"]: item["names"] for item in info(fleet, **options)["orders"]}
        assert shown[fleet.ids[0]] == ["a.example.com", "www.example.com"] and shown[fleet.ids[9]] == ["*.example.com", "example.com"]


@pytest.mark.parametrize("shape", ["with_original", "copies_of_primary"])
def test_a_list_of_reissues_that_holds_other_certificates_is_told_as_it_is(fleet, shape):
    fleet.configure({"digicert": {"reissue_list": shape}})
    order = fleet.digicert[fleet.ids[2]]
    (item,) = info(fleet, orders=[order.id])["orders"]
    expected = {"with_original": [order.certificates[0], *order.reissues], "copies_of_primary": [order.current]}[shape]
    assert [entry["serial"] for entry in item["reissues"]] == [one.serial_number or None for one in expected]


def test_order_info_that_shows_the_certificate_in_flight_hides_the_current_one_from_nobody(fleet):
    fleet.configure({"digicert": {"order_shows_pending": True}})
    number = fleet.ids[4]
    current = fleet.digicert[number].current
    for options in (
        {"orders": [number]},
        {"orders": [number], "details": False},
        {"certificates": [current.serial_number]},
        {"status": ["reissue_pending"], "details": True},
    ):
        (item,) = info(fleet, **options)["orders"]
        assert (item["certificate"]["id"], item["certificate"]["serial"]) == (current.id, current.serial_number), options


def test_details_of_many_cost_no_request_for_what_the_list_denies(fleet):
    """The list says whether there are reissues and duplicates."""
    info(fleet, common_name=["a.example.com", "b.example.com", "copied.example.com"], details=True)
    paths = [entry["path"].removeprefix(LIST) for entry in fleet.journal]
    assert sorted(paths) == sorted(["", *(f"/{number}" for number in (fleet.ids[0], fleet.ids[1], fleet.ids[3])), f"/{fleet.ids[3]}/duplicate"])


# -- an incident -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["plain", "lower", "colons", "0x", "blanks", "no zeros", "more zeros", "mapping", "mark"])
@pytest.mark.parametrize("many", [False, True])
def test_a_serial_number_is_found_in_every_form(fleet, form, many):
    number = fleet.ids[0]
    order = fleet.digicert[number]
    order.current.serial = 0x0AB00000000000000000000000000001
    serial = order.current.serial_number
    written = {
        "plain": serial,
        "lower": serial.lower(),
        "colons": ":".join(re.findall("..", serial)),
        "0x": f"0x{serial}",
        "blanks": " ".join(re.findall("..", serial)) + "\n",
        "no zeros": serial.lstrip("0"),
        "more zeros": f"00{serial}",
        "mapping": {"serial": serial.lower(), "id": 3, "thumbprint": None},
        "mark": f"\u200e{serial}",
    }[form]
    others = [f"{value:032X}" for value in range(1, 30)] if many else []
    result = info(fleet, certificates=[*others, written], history_limit=0)
    assert matches(result) == [(number, "current", False)] and not result["orders"][0]["replaced"]
    assert len(result["not_found"]) == len(others)


@pytest.mark.parametrize("form", ["plain", "lower", "colons", "mapping", "both"])
def test_a_thumbprint_is_found_in_every_form(fleet, form):
    number = fleet.ids[1]
    mark = fleet.digicert.thumbprint(number)
    written = {
        "plain": mark,
        "lower": mark.lower(),
        "colons": ":".join(re.findall("..", mark)),
        "mapping": {"thumbprint": mark},
        "both": {"thumbprint": mark, "serial": serials(fleet, number)[0]},
    }[form]
    result = info(fleet, certificates=[written])
    assert matches(result) == [(number, "current", False)] and result["http"]["requests"] == 1 and result["warnings"] == []
    assert result["orders"][0]["certificate"]["thumbprint"] == mark


@pytest.mark.parametrize(
    "value, text",
    [
        (12345678901234567890, "in YAML, put it in quotes"),
        ({"serial": 5}, "serial '5' is not a text"),
        ({"thumbprint": ["a"]}, "not a text"),
        ("AB" * 32, "no serial number"),
        ({"thumbprint": "AB" * 32}, "SHA-1"),
        ({"thumbprint": "AB"}, "SHA-1"),
        ({"serial": "00"}, "no serial number"),
        ("", "not hexadecimal"),
        ("www.example.com", "not hexadecimal"),
        ({}, "neither serial nor thumbprint"),
        ({"common_name": "x", "serial": ""}, "neither serial nor thumbprint"),
        ({"serial": "AB", "order_id": "x"}, "no order id"),
        (None, "not a text"),
        (True, "not a text"),
    ],
)
def test_an_entry_that_names_no_certificate_is_told_with_its_place(fleet, value, text):
    result = info(fleet, certificates=["AB", value])
    assert result["failed"] and "certificates[1]" in result["msg"] and text in result["msg"] and fleet.journal == []


def test_certificates_at_hand_are_found(fleet, tmp_path):
    ids = fleet.ids
    first = x509.load_pem_x509_certificate(fleet.digicert.pem(ids[0]).encode())
    chain = fleet.digicert.chain(fleet.digicert[ids[1]], fleet.digicert[ids[1]].current)
    (tmp_path / "one.der").write_bytes(first.public_bytes(serialization.Encoding.DER))
    (tmp_path / "chain.pem").write_text("A text\n" + "".join(item["pem"] for item in chain))
    (tmp_path / "ca.pem").write_text(chain[-1]["pem"])
    result = info(fleet, certificate_path=[str(tmp_path / name) for name in ("one.der", "chain.pem", "ca.pem")], history_limit=0)
    assert matches(result) == [(ids[0], "current", False), (ids[1], "current", False)], "the authorities of the chain are none of the account's"
    assert result["orders"][0]["matched"][0]["target"] == f"{tmp_path}/one.der: {first.serial_number:X}"
    assert [item["target"].partition(": ")[0] for item in result["not_found"]] == [f"{tmp_path}/ca.pem"]


@pytest.mark.parametrize("content", [None, b"", b"nothing"])
def test_a_file_without_a_certificate_is_told(fleet, tmp_path, content):
    if content is not None:
        (tmp_path / "file.pem").write_bytes(content)
    result = info(fleet, certificate_path=[str(tmp_path / "file.pem")])
    assert result["failed"] and "certificate_path" in result["msg"] and fleet.journal == []


def test_a_thousand_certificates_cost_a_handful_of_requests(simulator):
    ids = simulator.digicert.load([{"common_name": "web-{n:04}.example.com", "count": 1500}])
    chosen = ids[200:1200]
    result = info(simulator, certificates=[serials(simulator, number)[0].lower().lstrip("0") for number in chosen])
    assert [item["order_id"] for item in result["orders"]] == chosen and result["not_found"] == [] and result["warnings"] == []
    assert {entry for item in matches(result) for entry in item[1:]} == {"current", False}
    assert len(simulator.journal) == result["http"]["requests"] == 2
    # The result feeds a list of orders as it is.
    assert [order_ref("orders", item) for item in result["orders"]] == chosen


def test_a_hundred_thumbprints_cost_a_request_each(simulator):
    """The order list does not show them."""
    ids = simulator.digicert.load([{"common_name": "web-{n:04}.example.com", "count": 100}])
    result = info(simulator, certificates=[simulator.digicert.thumbprint(number) for number in ids])
    assert [item["order_id"] for item in result["orders"]] == ids and len(simulator.journal) == 100


def test_the_rate_limits_of_the_api_key_are_kept(simulator):
    simulator.reset(
        {"digicert": {"settings": {"rate_limits": [{"requests": 10, "seconds": 0.4}]}, "orders": [{"common_name": "web-{n:04}.example.com", "count": 25}]}}
    )
    ids = [order.id for order in simulator.digicert.store]
    result = info(simulator, orders=ids, details=False, rate_limits=[{"requests": 10, "seconds": 0.5}])
    assert result["count"] == 25 and {entry["status"] for entry in simulator.journal} == {200} and result["http"]["retries"] == 0


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("finds", ["primary", "all"])
def test_a_certificate_that_has_been_reissued_already_is_told_so(fleet, finds, many):
    fleet.configure({"digicert": {"serial_filter": finds}})
    number = fleet.ids[2]
    dummy, former, current = serials(fleet, number)
    more = [f"{value:032X}" for value in range(1, 30)] if many else []
    result = info(fleet, certificates=[former, *more])
    assert matches(result) == [(number, "reissue", True)] and result["orders"][0]["replaced"] is True
    assert result["orders"][0]["certificate"]["serial"] == current
    assert [item["target"] for item in result["not_found"]] == more
    both = info(fleet, certificates=[former, current])
    assert matches(both) == [(number, "reissue", True), (number, "current", False)] and both["orders"][0]["replaced"] is False
    assert both["count"] == 1 and [entry["target"] for entry in both["orders"][0]["matched"]] == [former, current]


@pytest.mark.parametrize("settings_, known", [({}, False), ({"serial_filter": "all"}, True), ({"reissue_list": "with_original"}, True)])
@pytest.mark.parametrize("many", [False, True])
def test_the_first_certificate_of_a_reissued_order_is_recognised_where_certcentral_can_be_asked(fleet, settings_, known, many):
    fleet.configure({"digicert": settings_})
    number = fleet.ids[2]
    first = serials(fleet, number)[0]
    more = [f"{value:032X}" for value in range(1, 30)] if many else []
    result = info(fleet, certificates=[*more, first])
    if known:
        assert [entry[0::2] for entry in matches(result)] == [(number, True)] and len(result["not_found"]) == len(more)
    else:
        assert result["orders"] == [] and result["not_found"][-1]["target"] == first
        assert "nor among the reissues and duplicates of" in result["not_found"][-1]["error"]["message"]
    # With the order id, as in the list of the CA, it always is.
    named = info(fleet, certificates=[*more, {"serial": first, "order_id": number}])
    assert [entry[0::2] for entry in matches(named)] == [(number, True)] and len(named["not_found"]) == len(more)


def test_an_order_id_beside_a_certificate_is_checked(fleet):
    ids = fleet.ids
    dummy, former, current = serials(fleet, ids[2])
    (mark,) = [fleet.digicert.sign(fleet.digicert[ids[2]], item).thumbprint for item in fleet.digicert[ids[2]].reissues[:1]]
    entries = [
        {"serial": current, "order_id": str(ids[2])},
        {"serial": former, "order_id": ids[2]},
        {"thumbprint": mark, "order_id": ids[2]},
        {"thumbprint": fleet.digicert.thumbprint(ids[0]), "order_id": ids[0]},
        {"serial": "AB", "order_id": ids[1]},
        {"serial": "CD", "order_id": 424242},
        {"serial": "EF", "order_id": ids[-1]},
    ]
    for more in ([], [f"{value:032X}" for value in range(1, 30)]):
        result = info(fleet, certificates=[*entries, *more], history_limit=0)
        assert matches(result) == [(ids[2], "current", False), (ids[2], "reissue", True), (ids[2], "reissue", True), (ids[0], "current", False)]
        told = {item["target"]: item["error"]["message"] for item in result["not_found"]}
        assert list(told)[:3] and f"order {ids[1]} has no such certificate" in told["AB"]
        assert "could not be found" in told["CD"] and "could not be found" in told["EF"]


@pytest.mark.parametrize("by", ["serial", "thumbprint"])
def test_a_duplicate_leads_to_its_order(simulator, by):
    plain, renewed = simulator.digicert.load(
        [
            {"common_name": "a.example.com", "duplicates": [{"days_ago": 5}]},
            {"common_name": "b.example.com", "reissues": [{"days_ago": 2}], "duplicates": [{"days_ago": 9}, {"days_ago": 1}]},
        ]
    )
    given = []
    for number in (plain, renewed):
        order = simulator.digicert[number]
        given += [getattr(simulator.digicert.sign(order, item), {"serial": "serial_number"}.get(by, by)) for item in order.duplicates]
    result = info(simulator, certificates=given)
    assert matches(result) == [(plain, "duplicate", False), (renewed, "duplicate", True), (renewed, "duplicate", False)], "the order was reissued in between"
    assert [item["replaced"] for item in result["orders"]] == [False, False] and result["not_found"] == []


def test_reissues_are_looked_through_no_further_than_allowed_the_latest_first(simulator):
    specs = [{"common_name": f"r{days}.example.com", "reissues": [{"days_ago": days + 30}, {"days_ago": days}]} for days in range(1, 41)]
    ids = simulator.digicert.load([*specs[::-1], {"common_name": "plain-{n}.example.com", "count": 50}])[39::-1]
    latest, oldest = serials(simulator, ids[0])[1], serials(simulator, ids[39])[1]
    result = info(simulator, certificates=[latest], history_limit=5)
    assert matches(result) == [(ids[0], "reissue", True)]
    result = info(simulator, certificates=[oldest], history_limit=5)
    assert result["orders"] == [] and "of 5 orders; 35 more were not looked through, see history_limit" in result["not_found"][0]["error"]["message"]
    simulator.records.clear()
    result = info(simulator, certificates=[oldest])
    assert matches(result) == [(ids[39], "reissue", True)] and len(simulator.journal) <= 43
    simulator.records.clear()
    assert info(simulator, certificates=[latest])["count"] == 1 and len(simulator.journal) < 40, "stops when nothing is missing"
    simulator.records.clear()
    result = info(simulator, certificates=[oldest], history_limit=0)
    assert result["not_found"] and len(simulator.journal) == 2, "asked for, and with the filter"


def test_a_file_is_looked_for_only_in_the_past_of_orders_with_its_names(simulator, tmp_path):
    ids = simulator.digicert.load([{"common_name": "web-{n}.example.com", "count": 40, "reissues": [{"days_ago": 20}, {"days_ago": 2}]}])
    order = simulator.digicert[ids[7]]
    (tmp_path / "old.pem").write_text(simulator.digicert.pem(order.id, order.reissues[0].id))
    result = info(simulator, certificate_path=[str(tmp_path / "old.pem")])
    assert matches(result) == [(order.id, "reissue", True)] and len(simulator.journal) <= 4


def test_digits_that_could_be_an_order_id_find_no_wrong_order(fleet):
    """DigiCert takes an id, a serial number or a thumbprint in the same place."""
    number = fleet.ids[0]
    result = info(fleet, certificates=[str(number), {"serial": f"{number:032}"}], history_limit=0)
    assert result["orders"] == [] and len(result["not_found"]) == 2


def test_an_order_that_the_api_made_up_is_not_taken():
    """Whatever the answer to a serial number is, it has to show that number."""
    order = {"id": 5, "status": "issued", "certificate": {"id": 6, "serial_number": "0B", "common_name": "x.example.com"}}
    empty = {"orders": [], "page": {"total": 0}}

    def reply(request, dummy):
        return answer("200 OK", json.dumps(empty if "?" in request.line else order).encode())

    with Server(reply) as server:
        options = {"url": server.url, "allow_http": True, "api_key": "c4nary-key"}
        result = run_module(digicert_order_info, {**options, "certificates": ["5F60", "5"]})
        assert result["orders"] == [] and [item["target"] for item in result["not_found"]] == ["5F60", "5"]
        # While a reissue is in flight, order info may show that one, which has no number yet.
        order["certificate"] = {"id": 7, "common_name": "x.example.com"}
        result = run_module(digicert_order_info, {**options, "certificates": ["5F60", "5"]})
        assert matches(result) == [(5, "current", False)] and [item["target"] for item in result["not_found"]] == ["5"]


def test_a_serial_filter_that_is_ignored_finds_nothing():
    orders = [{"id": number, "status": "issued", "certificate": {"id": number, "serial_number": f"{number:032X}"}} for number in (1, 2)]
    error = json.dumps({"errors": [{"code": "not_found|order"}]}).encode()

    def reply(request, dummy):
        return answer("200 OK", json.dumps({"orders": orders, "page": {"total": 2}}).encode()) if "?" in request.line else answer("404 Not Found", error)

    with Server(reply) as server:
        options = {"url": server.url, "allow_http": True, "api_key": "c4nary-key", "history_limit": 0}
        result = run_module(digicert_order_info, {**options, "certificates": ["5F60"]})
    assert result["orders"] == [] and [item["target"] for item in result["not_found"]] == ["5F60"]


def test_a_current_certificate_is_told_from_a_former_one_by_its_thumbprint_alone(simulator):
    """Order info may show the certificate in flight, and the order list, which shows the current one, has no thumbprints."""
    simulator.configure({"digicert": {"order_shows_pending": True}})
    (number,) = simulator.digicert.load([{"common_name": "a.example.com", "reissues": [{"days_ago": 9}, {"days_ago": 3}], "pending": {}}])
    order = simulator.digicert[number]
    first, former, current = (simulator.digicert.sign(order, item).thumbprint for item in order.certificates[:3])
    entries = [{"thumbprint": mark, "order_id": number} for mark in (current, former, first)]
    result = info(simulator, certificates=entries)
    assert matches(result) == [(number, "current", False), (number, "reissue", True)]
    assert [item["target"] for item in result["not_found"]] == [first], "it may be a certificate of any other order"
    assert matches(info(simulator, certificates=[current])) == [(number, "current", False)]


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_a_serial_number_that_the_api_refuses_hides_no_other(fleet, status):
    """Whether it says that there is none, or that this cannot be one, is not documented; any other answer is told as it is."""
    body = '{"errors":[{"code":"x","message":"Strange."}]}'
    fleet.faults.add("status", status=status, body=body, times=0, match={"path": "/certificate/0+ab$"})
    result = info(fleet, certificates=["AB", serials(fleet, fleet.ids[0])[0]], history_limit=0)
    assert matches(result) == [(fleet.ids[0], "current", False)] and [item["target"] for item in result["not_found"]] == ["AB"]
    message = result["not_found"][0]["error"]["message"]
    assert ("not the current certificate of any order" if status in (400, 404) else "DigiCert CertCentral: ") in message


def test_certificates_names_and_orders_add_up(fleet):
    ids = fleet.ids
    result = info(fleet, certificates=[serials(fleet, ids[1])[0]], names=["www.example.com", "nothing.example.com"], orders=[ids[3], ids[1]], details=False)
    assert [item["order_id"] for item in result["orders"]] == [ids[3], ids[1], ids[0]]
    assert matches(result) == [(ids[1], "current", False), (ids[0], "name", False)] and result["total"] == 3
    assert [item["target"] for item in result["not_found"]] == ["nothing.example.com"]


@pytest.mark.parametrize("many", [False, True])
def test_names_find_the_orders_whose_current_certificate_carries_them(simulator, many):
    ids = simulator.digicert.load(
        [
            {"common_name": "a.example.com", "dns": ["a.example.com", "shared.example.com"]},
            {"common_name": "b.example.com", "dns": ["b.example.com", "shared.example.com"]},
            {"common_name": "*.example.com"},
            {"common_name": "now.example.com", "dns": ["now.example.com"], "reissues": [{"dns": ["now.example.com"]}]},
            {"common_name": "gone.example.com", "status": "revoked"},
            {"common_name": "wish.example.com", "status": "pending", "validation": True},
            {"common_name": "xn--bcher-kva.example.com"},
        ]
    )
    more = [f"no-{number}.example.com" for number in range(30)] if many else []
    result = info(
        simulator, names=["Shared.Example.COM.", "*.example.com", "bücher.example.com", "gone.example.com", "wish.example.com", "a.example.com", *more]
    )
    assert [item["order_id"] for item in result["orders"]] == [ids[0], ids[1], ids[2], ids[6], ids[4]], "no certificate was issued for a wish yet"
    assert [entry["target"] for entry in result["orders"][0]["matched"]] == ["Shared.Example.COM.", "a.example.com"]
    assert [item["target"] for item in result["not_found"]] == ["wish.example.com", *more]
    assert len(simulator.journal) == (1 if many else 6)
    current = info(simulator, names=["gone.example.com", "a.example.com", *more], status=["issued", "reissue_pending"])
    assert [item["order_id"] for item in current["orders"]] == [ids[0]] and current["not_found"][0]["target"] == "gone.example.com"


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2**160 - 1), st.integers(0, 8), st.booleans(), st.sampled_from(["", ":", " ", "-"]))
def test_a_serial_number_is_one_however_it_is_written(number, zeros, lower, separator):
    text = f"{number:X}"
    text = "0" * min(zeros, 40 - len(text)) + text
    text = separator.join(re.findall(".{1,2}", text.lower() if lower else text))
    wanted = digicert_order_info.certificate_ref("certificates", {"serial": text})
    assert int(wanted.serial, 16) == number and not wanted.serial.startswith("0")
    assert all(int(form, 16) == number for form in digicert_order_info.written(wanted.serial))


# -- bad days --------------------------------------------------------------------------------------------------------------------------


def test_a_view_only_key_is_enough(fleet):
    options = {"api_key": fleet.ready["digicert"]["view_key"]}
    assert info(fleet, **options)["count"] == len(FLEET)
    assert info(fleet, orders=fleet.ids[:-1], **options)["count"] == len(FLEET)
    assert info(fleet, certificates=serials(fleet, fleet.ids[2])[1:], **options)["count"] == 1
    assert {entry["method"] for entry in fleet.journal} == {"GET"}


@pytest.mark.parametrize("options", [{}, {"orders": [1000001, 1000002]}, {"certificates": ["AB"]}, {"names": ["a.example.com"]}])
def test_a_wrong_key_is_told_as_that(fleet, options):
    """DigiCert answers 403, as to a key that may not do something."""
    result = info(fleet, api_key="c4nary-wr0ng-key", **options)
    assert result["failed"] and (result["error"]["kind"], result["error"]["status"]) == ("authentication", 403)
    assert (
        "the credentials are refused" in result["msg"]
        and "European CertCentral" in result["msg"]
        and result["error"]["code"] == "access_denied|access_denied_invalid_key"
    )
    assert "c4nary-wr0ng-key" not in result["output"]


def test_a_key_without_rights_is_told_as_that(simulator):
    simulator.reset({"digicert": {"keys": [{"key": "u53rs-only", "restriction": 103}]}})
    result = info(simulator, api_key="u53rs-only")
    assert result["failed"] and (result["error"]["kind"], result["error"]["status"]) == ("authorization", 403) and "missing_permission" in result["msg"]


@pytest.mark.parametrize("status, kind", [(200, "unreadable_answer"), (400, "vendor"), (403, "authorization"), (404, "vendor"), (500, "vendor")])
def test_a_page_of_the_cdn_is_told_as_what_it_is(fleet, status, kind):
    fleet.faults.add("html", status=status, body="<html><script>x()</script>Request unsuccessful. Incident 4711</html>", times=0)
    result = info(fleet)
    assert (
        result["failed"]
        and (result["error"]["kind"], result["error"]["status"]) == (kind, status)
        and "Incident 4711" in result["msg"]
        and "x()" not in result["msg"]
    )


@pytest.mark.parametrize("which", sorted(set(FAULTS) - {"redirect", "gzip bomb"}))
@pytest.mark.parametrize("nth", [1, 2])
def test_a_bad_answer_is_survived_or_told(fleet, which, nth):
    fleet.faults.add(**FAULTS[which], nth=nth)
    result = info(fleet, orders=[fleet.ids[2]], timeout=1, concurrency=1)
    again = info(fleet, orders=[fleet.ids[2]])
    if result["failed"] or result["not_found"]:
        error = result.get("error") or result["not_found"][0]["error"]
        assert error["kind"] in ("unreadable_answer", "vendor", "answer_lost") and "DigiCert CertCentral" in error["message"]
    else:
        assert result["orders"] == again["orders"]


def test_too_many_requests_are_waited_for(fleet):
    fleet.faults.add(
        "status", status=429, body='{"errors":[{"code":"request_limit_exceeded","message":"Service unavailable, please limit request volume"}]}', times=2
    )
    result = info(fleet)
    assert result["count"] == len(FLEET) and result["http"]["retries"] == 2 and any("429" in text for text in result["warnings"])
    fleet.faults.add(
        "status", status=429, body='{"errors":[{"code":"request_limit_exceeded","message":"Service unavailable, please limit request volume"}]}', times=0
    )
    result = info(fleet, retry_timeout=0)
    assert result["failed"] and result["error"]["kind"] == "busy" and "rate_limits" in result["msg"]


def test_one_order_that_cannot_be_read_hides_no_other(fleet):
    fleet.faults.add("status", status=400, body='{"errors":[{"code":"x","message":"Strange."}]}', times=0, match={"path": f"/{fleet.ids[3]}/"})
    result = info(fleet, orders=fleet.ids[:5])
    assert (
        names(result) == {"a", "b", "again", "flight"}
        and result["not_found"][0]["target"] == str(fleet.ids[3])
        and "Strange." in result["not_found"][0]["error"]["message"]
    )
    # Nor when it is looked through for something else.
    former = serials(fleet, fleet.ids[2])[1]
    result = info(fleet, certificates=[former])
    assert matches(result) == [(fleet.ids[2], "reissue", True)]


HOSTILE = "a\x1b[2J\x1b[31m<b>\u202ered</b>\r\nx\x00\x9b\u200bend"


def harmless(value):
    """No text in it, at any depth, moves a cursor, colours a terminal, hides or reorders text."""
    if isinstance(value, dict):
        return all(harmless(item) for item in (*value, *value.values()))
    if isinstance(value, list):
        return all(map(harmless, value))
    return not isinstance(value, str) or not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", value)


def hostile_order(number):
    certificate = {
        name: HOSTILE for name in ("status", "common_name", "serial_number", "thumbprint", "valid_from", "valid_till", "signature_hash", "csr", "date_created")
    }
    person = {name: HOSTILE for name in ("first_name", "last_name", "firstname", "lastname", "email")}
    certificate.update(person, id=7, dns_names=[HOSTILE, None, 5, "ok.example.com"], ca_cert={"name": HOSTILE}, status="pending")
    return {
        **{name: HOSTILE for name in ("status", "order_valid_till", "last_reissued_date", "product_name_id", "auto_reissue")},
        "id": number,
        "container": {"name": HOSTILE},
        "organization": {"name": HOSTILE},
        "product": {"name_id": HOSTILE},
        "certificate": certificate,
        "requests": [{"id": 3, "type": HOSTILE, "status": "pending", "date": HOSTILE, "comments": HOSTILE}],
        "requester": person,
        "order": {"certificate": certificate},
        "orders": [],
        "certificates": [certificate],
    }


def test_hostile_texts_are_told_without_what_harms_a_terminal():
    with Server(lambda *dummy: answer("200 OK", json.dumps(hostile_order(9)).encode())) as server:
        result = run_module(digicert_order_info, {"url": server.url, "allow_http": True, "api_key": "c4nary-key", "orders": [9]})
    assert not result["failed"], result["msg"]
    (item,) = result["orders"]
    assert harmless(result["orders"]) and harmless(result["warnings"])
    assert item["common_name"] == "a [2j [31m<b> red</b> x end" and "ok.example.com" in item["names"] and item["certificate"]["public_key_sha256"] is None
    assert item["pending"] and item["reissues"] and item["duplicates"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "x",
        None,
        {"id": None},
        {"id": "x"},
        {"id": 9, "certificate": [], "requests": {}, "product": "x"},
        {"id": "9", "status": 5, "certificate": {"id": 1e400}},
    ],
)
def test_an_answer_of_another_shape_breaks_nothing(body):
    with Server(lambda *dummy: answer("200 OK", json.dumps(body).encode())) as server:
        options = {"url": server.url, "allow_http": True, "api_key": "c4nary-key"}
        named = run_module(digicert_order_info, {**options, "orders": [9]})
        listed = run_module(digicert_order_info, options)
    assert named["failed"] or named["count"] + len(named["not_found"]) == 1
    assert listed["failed"] or listed["orders"] == []


def test_nobody_is_told_who_asked_for_nothing_that_is_pending(fleet):
    """Orders hold names, addresses and telephone numbers of people."""
    result = info(fleet, details=True)
    assert "Robin Colleague" in result["output"]
    assert not re.search("Pat|Contact|801-555|telephone|Lehi|pki@example|Cert Operations|balance", json.dumps(result["orders"]))


def test_check_mode_reads_the_same(fleet):
    options = digicert_options(fleet, details=True)
    assert run_module(digicert_order_info, options, check_mode=True)["orders"] == run_module(digicert_order_info, options)["orders"]


def test_the_environment_is_used(fleet, monkeypatch):
    monkeypatch.setenv("DIGICERT_URL", fleet.ready["digicert"]["url"] + "/services/v2/")
    monkeypatch.setenv("DIGICERT_API_KEY", fleet.ready["digicert"]["api_key"])
    monkeypatch.setenv("DIGICERT_CA_PATH", fleet.ready["ca_path"])
    assert run_module(digicert_order_info, {})["count"] == len(FLEET)
