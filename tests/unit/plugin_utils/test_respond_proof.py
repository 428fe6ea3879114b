# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On which endpoints the replacement of a leaked key is proven, and by what."""

from __future__ import annotations

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import respond_case, respond_proof, respond_record

LEAKED, NEW, OTHER = "aa" * 32, "bb" * 32, "cc" * 32
CASE = {
    "id": "1", "client": False, "common_name": "shop.example.com", "names": ["shop.example.com", "*.shop.example.com"], "serial": "0A", "on": {}, "kept": {},
    "thumbprint": "T1", "fingerprint_sha256": "",
}  # fmt: skip
NOT_SET = {name: "" for name in (*respond_record.TEXTS, *respond_record.NUMBERS, *respond_record.PATHS, *respond_record.SWITCHES)}
NOT_SET.update(dict.fromkeys(("list", "files", "seen", "endpoints", "hosts"), ""))


def own(**given):
    return respond_record.options({**NOT_SET, "list": "x", "folder": "/f", "derive_endpoints": False, **given})


def entry(host="shop.example.com", key=NEW, serial="0B", thumbprint="T2", reachable=True, address="192.0.2.1", **more):
    leaf = {"public_key_sha256": key, "serial": serial, "thumbprint": thumbprint, "fingerprint_sha256": "f" + thumbprint}
    error = None if reachable else {"message": "timed out"}
    return {
        "host": host, "port": 443, "server_name": host, "starttls": "none", "address": address, "reachable": reachable, "error": error,
        "chain": [leaf] if reachable else [], **more,
    }  # fmt: skip


def verdict(*entries, new=None, endpoints=("shop.example.com",), case=None):
    case = case or CASE
    at = {case["id"]: [respond_proof.place(one) for one in endpoints]}
    chosen = {"leaked": [LEAKED], "cases": [case]}
    return respond_proof.verdict(case, at, {case["id"]: new or {}}, {"endpoints": list(entries)}, chosen)


@pytest.mark.parametrize(
    "entries, new, why",
    [
        ([entry()], None, ""),
        ([entry()], {"public_key_sha256": NEW}, ""),
        ([entry(thumbprint="AB")], {"thumbprint": "ab"}, ""),
        ([entry(key=LEAKED)], None, "still serves the leaked key"),
        ([entry(key=LEAKED)], {"public_key_sha256": LEAKED}, "still serves the leaked key"),
        ([entry(thumbprint="t1")], None, "still serves the old certificate"),
        ([entry(key=OTHER)], {"public_key_sha256": NEW}, "neither what has leaked nor what replaces it"),
        ([entry(reachable=False)], None, "timed out"),
        # Half of a farm.
        ([entry(), entry(key=LEAKED, address="192.0.2.2")], None, "still serves the leaked key"),
        ([entry(), entry(reachable=False, address="192.0.2.2")], None, "timed out"),
        ([], None, "was not looked at"),
        # What an endpoint serves that cannot be parsed proves nothing.
        ([entry(), {**entry(), "chain": [None]}], None, "cannot be read"),
    ],
)
def test_what_proves_a_replacement(entries, new, why):
    found = verdict(*entries, new=new)
    assert found.proven is (not why) and why in found.why


def test_nothing_is_no_proof():
    assert not verdict(endpoints=()).proven


def test_one_address_of_a_host_does_not_prove_the_other():
    farm = [{"host": "shop.example.com", "address": address} for address in ("192.0.2.1", "192.0.2.2")]
    assert not verdict(entry(), endpoints=farm).proven
    assert verdict(entry(), entry(address="192.0.2.2"), endpoints=farm).proven


def test_where_two_share_an_endpoint_each_new_one_is_right():
    at = {number: [respond_proof.place("shop.example.com")] for number in "12"}
    assert respond_proof.expected(at["1"][0], at, {"1": {"public_key_sha256": NEW}, "2": {"thumbprint": "T9"}}) == ["T9", NEW]
    # What replaces the other one is not known, so that nothing can be said but that it has not leaked.
    assert respond_proof.expected(at["1"][0], at, {"1": {"public_key_sha256": NEW}, "2": {}}) == []
    assert len(respond_proof.questions(at, {})) == 1


def test_whose_endpoint_it_is():
    def found(*, looked=None, located=None, case=None, **given):
        return [respond_proof.told(one) for one in respond_proof.places_of(case or CASE, own(**given), located or {}, looked or {})]

    assert found(endpoints="a.shop.example.com:8443\nother.example.com") == ["a.shop.example.com:8443"]
    serves = {"endpoints": [entry("other.example.com", thumbprint="T1")]}
    assert found(endpoints="other.example.com", looked=serves) == ["other.example.com:443"]
    # What served it in the beginning stays its endpoint, as long as it is listed.
    kept = {**CASE, "kept": {"endpoints": [respond_proof.place("other.example.com")]}}
    assert found(endpoints="other.example.com", case=kept) == ["other.example.com:443"] and found(endpoints="x.example.net", case=kept) == []
    assert found(endpoints={"SHOP.example.com": ["10.0.0.1:443"]}) == ["10.0.0.1:443"] and found(endpoints={"0a": "10.0.0.1"}) == ["10.0.0.1:443"]
    assert found(derive_endpoints=True) == ["shop.example.com:443"] and found() == []
    command = {**CASE, "on": {"keyfactor": {"id": 7}}}
    scanned = {"7": [{"kind": "endpoint", "machine": "Shop", "address": "192.0.2.9", "port": 8443, "text": "x"},
                     {"kind": "store", "machine": "m", "text": "y"}]}
    assert found(derive_endpoints=True, located=scanned, case=command) == ["192.0.2.9:8443 (shop.example.com)"]
    assert found(derive_endpoints=True, case={**CASE, "client": True}) == []
    assert found(derive_endpoints=True, case={**CASE, "names": ["*.example.com", "a b", "x" * 300], "common_name": "Robin"}) == []


@pytest.mark.parametrize(
    "given, part",
    [
        ({"list": ""}, "Nothing says what has leaked"),
        ({"list_path": "x.csv"}, "cannot be combined with"),
        ({"folder": ""}, "folder says where"),
        ({"endpoints": "a b:c"}, "_endpoints cannot be understood"),
        ({"endpoints": [{"host": "a.example.com", "prot": 1}]}, "has no prot"),
        ({"endpoints": [{"host": "a.example.com", "port": "https"}]}, "is not a port"),
        ({"hosts": "a.example.com:0"}, "_hosts cannot be understood"),
        ({"revocation_order": "prove"}, "revocation_order is one of prove_first, revoke_first"),
        ({"prove_timeout": "soon"}, "prove_timeout must be a whole number"),
    ],
)
def test_options_that_cannot_work_are_named(given, part):
    (complaint,) = own(**given)["complaints"]
    assert part in complaint and complaint.startswith(("respond_to_key_compromise_", "Nothing"))


def test_options_as_a_survey_sends_them():
    found = own(endpoints="a.example.com, smtp://b.example.com:587\n[2001:db8::1]:8443", skip_approval="true", attempts="", all_addresses="")
    assert [respond_proof.told(one) for one in found["endpoints"]] == ["a.example.com:443", "smtp://b.example.com:587", "[2001:db8::1]:8443"]
    assert found["skip_approval"] is True and found["all_addresses"] is True and found["number"]["attempts"] == "1" and found["complaints"] == []


# -- what an earlier run has found -------------------------------------------------------------------------------------------------------


def found_of(**more):
    row = {
        "name": "shop.example.com", "common_name": "shop.example.com", "names": ["shop.example.com"], "serial": "A", "thumbprint": "AB" * 20,
        "public_key_sha256": LEAKED, "issuer": "", "not_after": "2027-01-01", "matched": [{"target": "line 3", "as": "serial"}],
        "on": {"keyfactor": {"id": 7, "thumbprint": "AB" * 20}}, **more,
    }  # fmt: skip
    return {"platforms": {"keyfactor": {"asked": True, "error": ""}}, "certificates": [row], "not_found": [], "unreadable": []}


def ledger_after(first):
    kept = {case["id"]: {**case, "steps": ["revoke"], "new": {"public_key_sha256": NEW}, "endpoints": []} for case in first["cases"]}
    return {"leaked": first["leaked"], "certificates": kept}


def test_what_was_replaced_is_not_missing_and_what_replaced_it_is_not_affected():
    first = respond_case.cases(found_of(), {})
    assert [case["id"] for case in first["cases"]] == ["A"] and first["leaked"] == [LEAKED]
    gone = {**found_of(), "certificates": []}
    gone["not_found"] = [{"target": target, "why": "not found"} for target in ("line 3", f"the key {LEAKED}", "line 4")]
    later = respond_case.cases(gone, ledger_after(first))
    assert [case["id"] for case in later["cases"]] == ["A"] and [entry["target"] for entry in later["missing"]] == ["line 4"]
    by_name = [{"target": "shop.example.com", "as": "name"}]
    new = respond_case.cases(found_of(serial="B", public_key_sha256=NEW, matched=by_name, on={"keyfactor": {"id": 8}}), ledger_after(first))
    assert [case["id"] for case in new["cases"]] == ["A"] and new["newer"] == ["shop.example.com"]
    # What shares the key that has leaked is part of it, whenever it is found.
    more = respond_case.cases(found_of(serial="C", matched=by_name, on={"keyfactor": {"id": 9}}), ledger_after(first))
    assert sorted(case["id"] for case in more["cases"]) == ["A", "C"]


def test_two_authorities_may_give_one_serial_number():
    found = found_of()
    found["certificates"].append({**found["certificates"][0], "thumbprint": "CD" * 20, "on": {"keyfactor": {"id": 8, "thumbprint": "CD" * 20}}})
    assert len({case["id"] for case in respond_case.cases(found, {})["cases"]}) == 2


@pytest.mark.parametrize(
    "on, replacer, revoker",
    [
        (("digicert", "keyfactor", "tpp"), "digicert", "digicert"),
        (("keyfactor", "tpp"), "tpp", "keyfactor"),
        (("tpp",), "tpp", ""),
        (("keyfactor",), "", "keyfactor"),
        (("cloudflare",), "cloudflare", "cloudflare"),
    ],
)
def test_who_replaces_and_who_revokes(on, replacer, revoker):
    rows = {"digicert": {"order_id": 1}, "keyfactor": {"id": 1}, "tpp": {"dn": "x", "guid": "{1}"}, "cloudflare": {"id": "1", "zone_id": "z"}}
    (case,) = respond_case.cases(found_of(on={name: rows[name] for name in on}), {})["cases"]
    assert (case["replacer"], case["revoker"]) == (replacer, revoker)
    assert bool(respond_case.held(case, ["tpp"])) is (not replacer)
