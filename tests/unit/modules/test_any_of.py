# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The info modules, asked for certificates by whatever an incident names them by, and for what shares a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.any_of import OPTION, AnyOf
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.modules import cloudflare_client_cert_info, digicert_order_info, keyfactor_certificate_info
from ansible_collections.certops.remediation.plugins.modules import tpp_certificate_info
from ansible_collections.certops.remediation.tests.unit.support import HOME, cloudflare_options, digicert_options, keyfactor_options, run_module, tpp_options

SHA1, SHA256 = "AB" * 20, "ab" * 32
FLEET = [
    {"name": "one.example.com", "folder": "Shop", "key": "leaked"},
    {"name": "two.example.com", "folder": "Shop", "dns": ["two.example.com", "alias.example.com"]},
    {"name": "three.example.com", "folder": "Other", "key": "leaked"},
    {"name": "bad.example.com", "folder": "Shop", "key": "leaked", "in_error": True, "stage": 500, "status": "Post CSR failed"},
]


def any_of(**given):
    return AnyOf.of({"any_of": {**dict.fromkeys(OPTION["any_of"]["options"]), **given}})


# -- what is meant -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted, shown, meant",
    [
        ({"serial": ["00:0A:1b"]}, {"serials": ["A1B"]}, True),
        ({"serial": ["A1B"]}, {"serials": ["000a1b"]}, True),
        ({"serial": ["A1B"]}, {"serials": ["A1B0"]}, False),
        ({"serial": ["0"]}, {"serials": [""]}, True),
        ({"thumbprint": [f"sha1:{SHA1.lower()}"]}, {"thumbprint": SHA1}, True),
        ({"fingerprint_sha256": [f"SHA256:{SHA256.upper()}"]}, {"fingerprint": SHA256}, True),
        ({"public_key_sha256": [SHA256]}, {"key": SHA256}, True),
        ({"public_key_sha256": [SHA256]}, {"fingerprint": SHA256}, False),
        ({"name": ["B\u00fccher.example."]}, {"names": ["www.example.com", "xn--bcher-kva.EXAMPLE"]}, True),
        ({"name": ["tablet 7"]}, {"names": ["Tablet 7"]}, True),
        ({"name": ["example.com"]}, {"names": ["www.example.com"]}, False),
        ({"thumbprint": [SHA1], "name": ["x.example.com"]}, {"thumbprint": "", "names": ["x.example.com"]}, True),
        ({}, {"serials": ["1"], "thumbprint": SHA1, "names": ["x"]}, False),
    ],
)
def test_a_certificate_is_meant_by_any_of_it(wanted, shown, meant):
    assert any_of(**wanted).takes(**shown) is meant


@pytest.mark.parametrize(
    "wanted, told",
    [
        ({"serial": ["xyz"]}, "any_of.serial: 'xyz' is not hexadecimal"),
        ({"thumbprint": [SHA256]}, "any_of.thumbprint: '(ab)+' has not 40 hexadecimal digits"),
        ({"fingerprint_sha256": [SHA1]}, "any_of.fingerprint_sha256: '(AB)+' has not 64 hexadecimal digits"),
        ({"public_key_sha256": ["abcd"]}, "any_of.public_key_sha256: 'abcd' has not 64"),
    ],
)
def test_what_cannot_be_meant_is_told(wanted, told):
    with pytest.raises(InputError, match=told):
        any_of(**wanted)


@given(st.dictionaries(st.sampled_from(["serial", "thumbprint", "name"]), st.lists(st.text())))
def test_no_text_makes_it_fail_in_another_way(wanted):
    try:
        any_of(**wanted).takes(serials=["A"], names=["x"])
    except InputError:
        pass


# -- TPP ---------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tpp(simulator):
    simulator.tpp.load(FLEET)
    return simulator


def found(simulator, **options):
    result = run_module(tpp_certificate_info, tpp_options(simulator, details=False, **options))
    assert not result["failed"], result["msg"]
    return sorted(certificate["name"].split(".")[0] for certificate in result["certificates"]), result


def facts(simulator, name, folder="Shop"):
    return simulator.tpp.facts(f"{HOME}\\{folder}\\{name}.example.com")


def test_tpp_by_marks_and_names(tpp):
    serial, mark = facts(tpp, "two")["Serial"], facts(tpp, "three", "Other")["Thumbprint"]
    names, result = found(tpp, any_of={"serial": [serial.lstrip("0").lower()], "thumbprint": [mark], "name": ["ONE.example.com"]})
    assert names == ["one", "three", "two"] and result["not_compared"] == 0
    assert found(tpp, any_of={"name": ["alias.example.com"]})[0] == ["two"]
    assert found(tpp, any_of={"name": ["alias.example.com"]}, folder=f"{HOME}\\Other")[0] == []
    assert found(tpp, any_of={})[0] == found(tpp, any_of={"name": []})[0] == []


def test_tpp_by_key_and_what_cannot_be_compared(tpp):
    (one,) = found(tpp, any_of={"name": ["one.example.com"]}, public_key=True)[1]["certificates"]
    assert len(one["public_key_sha256"]) == len(one["fingerprint_sha256"]) == 64 and one["issuer"].startswith("CN=")
    names, result = found(tpp, any_of={"public_key_sha256": [one["public_key_sha256"]]})
    assert names == ["one", "three"] and {item["public_key_sha256"] for item in result["certificates"]} == {one["public_key_sha256"]}
    # TPP gives out no certificate of what is in error.
    assert result["not_compared"] == 1 and [entry["target"] for entry in result["unreadable"]] == [f"{HOME}\\Shop\\bad.example.com"]
    assert "in error" in result["unreadable"][0]["error"]["message"]
    assert found(tpp, any_of={"fingerprint_sha256": [one["fingerprint_sha256"]]}, folder=f"{HOME}\\Shop")[0] == ["one"]
    few, limited = found(tpp, any_of={"public_key_sha256": [one["public_key_sha256"]]}, public_key_limit=0)
    assert few == [] and limited["not_compared"] == 4


def test_tpp_without_the_right_to_retrieve_still_tells_the_rest(tpp):
    ready = tpp.ready["tpp"]
    login = {"access_token": None, "username": ready["username"], "password": ready["password"], "client_id": ready["client_id"], "scope": "certificate"}
    names, result = found(tpp, any_of={"name": ["one.example.com"]}, public_key=True, **login)
    assert names == ["one"] and result["certificates"][0]["public_key_sha256"] is None
    assert result["unreadable"][0]["error"]["kind"] == "authorization"


def test_tpp_reads_the_whole_list_where_that_is_cheaper(tpp):
    marks = [f"{number:040X}" for number in range(2000)] + [facts(tpp, "two")["Thumbprint"]]
    tpp.journal.clear()
    assert found(tpp, any_of={"thumbprint": marks})[0] == ["two"] and len(tpp.journal) == 2
    tpp.journal.clear()
    assert found(tpp, any_of={"thumbprint": marks[-40:]})[0] == ["two"] and len(tpp.journal) == 2


def test_tpp_any_of_is_a_filter(tpp):
    result = run_module(tpp_certificate_info, tpp_options(tpp, certificates=["\\VED\\Policy\\x"], any_of={"name": ["x"]}))
    assert result["failed"] and "cannot be combined with filters" in result["msg"]


# -- Keyfactor Command and Cloudflare ------------------------------------------------------------------------------------------------------


def test_keyfactor_by_each_kind(simulator):
    revoked = {"cn": "three.example.com", "key": "leaked", "state": "revoked"}
    simulator.keyfactor.load([{"cn": "one.example.com", "key": "leaked"}, {"cn": "two.example.com"}, revoked])

    def read(**options):
        result = run_module(keyfactor_certificate_info, keyfactor_options(simulator, **options))
        assert not result["failed"], result["msg"]
        return sorted(item["common_name"].split(".")[0] for item in result["certificates"]), result["certificates"]

    one, two = [certificate for certificate in read()[1] if certificate["common_name"] in ("one.example.com", "two.example.com")]
    assert read(any_of={"public_key_sha256": [one["public_key_sha256"]]})[0] == ["one", "three"]
    assert read(any_of={"fingerprint_sha256": [two["fingerprint_sha256"]], "name": ["ONE.example.com"]})[0] == ["one", "two"]
    assert read(any_of={"serial": [two["serial"]], "thumbprint": [one["thumbprint"]]})[0] == ["one", "two"]
    assert read(any_of={"public_key_sha256": [one["public_key_sha256"]]}, state=["active"])[0] == ["one"]
    assert read(any_of={"name": []})[0] == []


def test_keyfactor_reads_the_whole_list_where_that_is_cheaper(simulator):
    simulator.keyfactor.load([{"cn": "n-{n}.example.com", "count": 3}])
    held = run_module(keyfactor_certificate_info, keyfactor_options(simulator))["certificates"]
    simulator.journal.clear()
    marks = [f"{number:040X}" for number in range(300)] + [held[0]["thumbprint"]]
    result = run_module(keyfactor_certificate_info, keyfactor_options(simulator, any_of={"thumbprint": marks}))
    assert [item["id"] for item in result["certificates"]] == [held[0]["id"]] and len(simulator.journal) == 2


def test_cloudflare_by_each_kind(simulator):
    certificates = [{"cn": "one", "key": "leaked"}, {"cn": "two"}, {"cn": "three", "key": "leaked"}]
    simulator.reset({"cloudflare": {"zones": [{"name": "example.com", "certificates": certificates}]}})

    def read(**options):
        result = run_module(cloudflare_client_cert_info, cloudflare_options(simulator, **options))
        assert not result["failed"], result["msg"]
        return sorted(item["common_name"] for item in result["certificates"]), {item["common_name"]: item for item in result["certificates"]}

    held = read()[1]
    assert read(any_of={"public_key_sha256": [held["one"]["public_key_sha256"]]})[0] == ["one", "three"]
    assert read(any_of={"serial": [held["two"]["serial"]], "thumbprint": [held["one"]["thumbprint"]]})[0] == ["one", "two"]
    assert read(any_of={"fingerprint_sha256": [held["two"]["fingerprint_sha256"]], "name": ["THREE"]})[0] == ["three", "two"]
    assert read(any_of={})[0] == []


# -- CertCentral -------------------------------------------------------------------------------------------------------------------------


def test_digicert_by_key_of_current_former_and_duplicate_certificates(simulator):
    simulator.digicert.load([
        {"common_name": "a.example.com", "key": "leaked"},
        {"common_name": "b.example.com"},
        {"common_name": "again.example.com", "reissues": [{"days_ago": 40, "key": "leaked"}, {"days_ago": 3}]},
        {"common_name": "copied.example.com", "duplicates": [{"key": "leaked"}]},
    ])

    def read(**options):
        result = run_module(digicert_order_info, digicert_options(simulator, **options))
        assert not result["failed"], result["msg"]
        return {order["common_name"].split(".")[0]: order for order in result["orders"]}, result

    everything = read(details=True)[0]
    key = everything["a"]["certificate"]["public_key_sha256"]
    orders, result = read(public_key_sha256=[key])
    carriers = {name for name, order in everything.items() if key in [
        item["public_key_sha256"] for item in [order["certificate"], *order["reissues"], *order["duplicates"]]
    ]}
    assert set(orders) == carriers == {"a", "again", "copied"} and result["not_compared"] == 0
    assert orders["a"]["matched"] == [{"target": everything["a"]["certificate"]["serial"], "as": "current", "replaced": False}]
    for name, kind in (("again", "reissue"), ("copied", "duplicate")):
        assert [match["as"] for match in orders[name]["matched"]] == [kind] and orders[name]["replaced"] is (kind == "reissue")
    assert read(public_key_sha256=[key], public_key_limit=0)[1]["not_compared"] == 4
    assert read(public_key_sha256=[])[0] == {} and set(read(public_key_sha256=[key], common_name=["a.example.com"])[0]) == {"a"}


def test_digicert_asks_for_many_serial_numbers_that_are_of_no_order_together(simulator):
    simulator.digicert.load([{"common_name": "a.example.com"}])
    simulator.journal.clear()
    strangers = [f"{number:032X}" for number in range(1 << 100, (1 << 100) + 120)]
    result = run_module(digicert_order_info, digicert_options(simulator, certificates=strangers, history_limit=0))
    assert len(result["not_found"]) == 120 and len(simulator.journal) == 1 + 3


@pytest.mark.parametrize("status", [400, 414])
def test_digicert_asks_one_by_one_where_it_does_not_take_many(simulator, status):
    simulator.digicert.load([{"common_name": "a.example.com"}])
    # The first request is for the whole list.
    simulator.faults.add("status", match={"path": "/order/certificate$"}, nth=2, status=status, body="{}")
    strangers = [f"{number:032X}" for number in range(1 << 100, (1 << 100) + 21)]
    result = run_module(digicert_order_info, digicert_options(simulator, certificates=strangers, history_limit=0))
    assert not result["failed"] and len(result["not_found"]) == 21
