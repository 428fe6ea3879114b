# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cloudflare_client_cert_info against the simulator: filters, names, whole lists, host names, rules, and lists that are not as they should be."""

from __future__ import annotations

import collections
import json
import re

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.x509 import public_key_sha256, thumbprint
from ansible_collections.certops.remediation.plugins.modules import cloudflare_client_cert_info

from ansible_collections.certops.remediation.tests.unit.support import cloudflare_options, run_module

UNKNOWN = "00000000-0000-4000-8000-000000000000"
FIELD = "cf.tls_client_auth.cert_revoked"


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


@pytest.fixture
def zone(simulator):
    yield Zone(simulator)
    vars(simulator.cloudflare).pop("handle", None)


class Zone:
    def __init__(self, simulator):
        self.simulator = simulator
        self.cloudflare = simulator.cloudflare

    def load(self, *entries):
        return self.cloudflare.load([{"cn": "device.example.com", "key": "shared", **entry} for entry in entries])

    def switch(self, **switches):
        self.simulator.configure({"cloudflare": switches})

    def read(self, **options):
        result = run_module(cloudflare_client_cert_info, {**cloudflare_options(self.simulator), **options})
        assert not any(entry["mutates"] for entry in self.simulator.journal) and not result.get("changed")
        return result

    def find(self, **options):
        result = self.read(**options)
        assert not result["failed"], result["msg"]
        assert result["count"] == len(result["certificates"]) == sum(result["statuses"].values())
        return [certificate["id"] for certificate in result["certificates"]]


# -- what is shown ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pem", [False, True])
def test_a_certificate_is_shown_in_full(zone, pem):
    (number,) = zone.load({"cn": "tablet-1", "organization": "Example Corp", "organizational_unit": "Team", "country": "US", "state": "CA", "location": "Here"})
    result = zone.read(pem=pem)
    (shown,) = result["certificates"]
    certificate = zone.cloudflare[number]
    held = x509.load_pem_x509_certificate(certificate.certificate.encode())
    documented = {"certificate": certificate.certificate, "csr": certificate.csr} if pem else {}
    assert shown == {
        "id": number, "zone_id": certificate.zone_id, "status": "active", "common_name": "tablet-1", "organization": "Example Corp",
        "organizational_unit": "Team", "country": "US", "state": "CA", "location": "Here", "serial_number": f"{certificate.serial:040x}",
        "serial": f"{certificate.serial:X}", "thumbprint": thumbprint(held),
        "fingerprint_sha256": certificate.fingerprint_sha256, "public_key_sha256": certificate.public_key_sha256, "validity_days": 365,
        "issued_on": certificate.issued_on, "expires_on": certificate.expires_on, "expired": False,
        "certificate_authority": f"Cloudflare Managed CA for account {zone.simulator.ready['cloudflare']['account_id']}", **documented,
    }
    assert (result["total"], result["zone_id"], result["not_found"]) == (1, certificate.zone_id, []) and result["http"]["requests"] == 1


@pytest.mark.parametrize("empty", ["empty", "null", "omit"])
@pytest.mark.parametrize("base", ["hex", "decimal"])
def test_what_a_subject_lacks_is_empty_in_every_dialect(zone, empty, base):
    zone.switch(empty_subject=empty, serial_base=base)
    (number,) = zone.load({})
    (shown,) = zone.read()["certificates"]
    assert [shown[name] for name in ("organization", "organizational_unit", "country", "state", "location")] == [""] * 5
    assert zone.find(organization=["*"]) == [number] and zone.find(organization=["x*"]) == []
    assert int(shown["serial_number"], 16 if base == "hex" else 10) == zone.cloudflare[number].serial


def test_hostile_text_in_names_is_made_safe(zone):
    (number,) = zone.load({"cn": "a\u202eb\x1b[2J\r\nc", "organization": "{{ 7 * 7 }}"})
    (shown,) = zone.read()["certificates"]
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", json.dumps(shown, ensure_ascii=False))
    assert zone.find(common_name=["a*c"]) == [number]


# -- filters ---------------------------------------------------------------------------------------------------------------------------

ALL = ["active", "pending_reactivation", "pending_revocation", "revoked"]


def test_all_statuses_are_read_although_the_list_of_cloudflare_shows_the_active_ones(zone):
    ids = zone.load(*[{"status": status, "pending_seconds": 99} for status in ALL])
    assert sorted(zone.find()) == sorted(ids)
    result = zone.read(status=["pending_revocation", "revoked"])
    assert result["statuses"] == {"active": 0, "pending_reactivation": 0, "pending_revocation": 1, "revoked": 1} and result["total"] == 4
    assert {entry["query"]["status"] for entry in zone.simulator.journal} == {"all"}
    assert zone.find(status=[]) == []


def test_each_filter(zone):
    ids = zone.load(
        {"cn": "tablet-1.example.com", "organization": "Example Corp", "organizational_unit": "Blue [Harbor]"},
        {"cn": "Tablet-2.example.com", "organization": "Example Corp", "organizational_unit": "Blue", "age_days": 350, "key": "other"},
        {"cn": "kiosk", "organizational_unit": "blue", "age_days": 400},
    )

    def found(**options):
        return [ids.index(number) for number in sorted(zone.find(**options), key=ids.index)]

    assert found(common_name=["tablet-*.EXAMPLE.com"]) == [0, 1] and found(common_name=["tablet"]) == [] and found(common_name=["kiosk", "x"]) == [2]
    assert found(organizational_unit=["Blue [Harbor]"]) == [0] and found(organizational_unit=["blue"]) == [1, 2] and found(organization=[]) == []
    assert found(expired=True) == [2] and found(expired=False) == [0, 1]
    assert found(expires_within_days=30) == [1] and found(expires_within_days=0) == [] and found(expires_within_days=400) == [0, 1]
    assert found(organization=["example*"], expires_within_days=30) == [1] and found(organization=["example*"], expired=True) == []
    other = zone.cloudflare.csr("other", "any")
    assert found(public_keys=[other]) == [1] and found(public_keys=[]) == [] and found(public_keys=["0" * 64]) == []
    assert found(public_keys=[public_key_sha256(x509.load_pem_x509_csr(other.encode())).upper(), zone.cloudflare[ids[0]].certificate]) == [0, 1, 2]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    entries=st.lists(st.tuples(st.sampled_from(ALL), st.sampled_from([0, 350, 400]), st.sampled_from("ab")), max_size=6),
    status=st.none() | st.lists(st.sampled_from(ALL), max_size=2),
    expired=st.none() | st.booleans(),
    within=st.none() | st.sampled_from([5, 30, 400]),
    unit=st.none() | st.sampled_from(["a", "*", "B"]),
)
def test_filters_together(simulator, entries, status, expired, within, unit):
    zone = Zone(simulator)
    ids = zone.load(*[{"status": name, "age_days": age, "organizational_unit": unit_, "pending_seconds": 99} for name, age, unit_ in entries])
    wanted = [
        number
        for number, (name, age, unit_) in zip(ids, entries)
        if (status is None or name in status)
        and (expired is None or expired == (age == 400))
        and (within is None or (age != 400 and 365 - age <= within))
        and (unit is None or unit in ("*", unit_, unit_.upper()))
    ]
    options = {"status": status, "expired": expired, "expires_within_days": within, "organizational_unit": [unit] if unit else None}
    assert sorted(zone.find(**{name: value for name, value in options.items() if value is not None})) == sorted(wanted)


BAD = [
    ({"common_name": [" "]}, "an empty text"),
    ({"public_keys": ["xyz"]}, "public_keys"),
    ({"expires_within_days": -1}, "out of range"),
    ({"certificates": [{}]}, "certificates[0]"),
    ({"certificates": [UNKNOWN, "tablet"]}, "certificates[1]"),
    ({"zone_id": "example.com"}, "a domain belongs into zone"),
    ({"api_token": None}, "no credentials given"),
]


@pytest.mark.parametrize("options, said", BAD)
def test_bad_input_is_refused_before_anything_is_sent(zone, options, said):
    result = zone.read(**options)
    assert result["failed"] and said in result["msg"] and result["error"]["kind"] == "input" and zone.simulator.journal == []


# -- certificates by name --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["hex", "decimal", "mixed"])
def test_certificates_are_found_by_each_of_their_names(zone, base):
    zone.switch(serial_base=base)
    ids = zone.load({"key": "a"}, {"key": "a", "status": "revoked"}, {"key": "b"}, {"key": "c"})
    held = [zone.cloudflare[number] for number in ids]
    assert zone.find(certificates=[ids[3]]) == [ids[3]]
    assert zone.find(certificates=[held[2].fingerprint_sha256.upper(), str(held[3].serial), f"{held[0].serial:X}"]) == [ids[2], ids[3], ids[0]]
    assert set(zone.find(certificates=[held[0].csr])) == set(ids[:2]), "all of the key"
    assert zone.find(certificates=[held[0].csr, ids[1]], status=["revoked"]) == [ids[1]]
    assert zone.find(certificates=[held[1].certificate, {"id": ids[1]}]) == [ids[1]], "each once"
    assert zone.find(certificates=[]) == []


def test_what_is_not_found_is_told(zone):
    ids = zone.load({})
    result = zone.read(certificates=[UNKNOWN, ids[0], "a" * 64, {"serial_number": "1234", "common_name": "lost"}])
    assert [entry["target"] for entry in result["not_found"]] == [UNKNOWN, "a" * 64, "lost (1234)"] and result["count"] == 1
    assert {entry["error"]["code"] for entry in result["not_found"]} == {"1415"} and "3 of what was named" in result["warnings"][0]
    (other,) = zone.cloudflare.load([{"cn": "x"}], zone="example.net")
    assert zone.read(certificates=[other])["not_found"][0]["error"]["code"] == "1415", "another zone's"


# -- whole lists -----------------------------------------------------------------------------------------------------------------------

DIALECTS = [{}, {"result_info": False}, {"total_pages": False}, {"page_past_the_end": "error"}, {"list_order": "oldest"}, {"per_page_out_of_range": "refuse"}]


@pytest.mark.parametrize("switches", DIALECTS, ids=str)
@pytest.mark.parametrize("count", [0, 1, 50, 100, 130])
def test_the_list_is_read_whole(zone, switches, count):
    ids = zone.load({"count": count}) if count else zone.load()
    zone.switch(**switches)
    assert sorted(zone.find()) == sorted(ids)
    # A full page is no proof of the end, whatever the total says.
    pages = count // 50 + 1 + (switches.get("result_info") is False and count % 50 > 0)
    assert len(zone.simulator.journal) == pages


def test_a_certificate_that_appears_meanwhile_hides_no_other(zone):
    ids = zone.load({"count": 120})
    original, calls = zone.cloudflare.handle, []

    def handle(call):
        calls.append(call)
        if len(calls) == 2:
            ids.extend(zone.cloudflare.add([{"cn": "new", "key": "shared"}]))
        return original(call)

    zone.cloudflare.handle = handle
    assert collections.Counter(zone.find()) == collections.Counter(ids)


def test_a_list_that_keeps_changing_is_told(zone):
    zone.load({"count": 60})
    original = zone.cloudflare.handle

    def handle(call):
        zone.cloudflare.add([{"cn": "new", "key": "shared"}])
        return original(call)

    zone.cloudflare.handle = handle
    assert any("some may be missing" in warning for warning in zone.read()["warnings"])


RECORDS = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2), max_leaves=4)
FIELDS = ["id", "certificate", "csr", "status", "common_name", "expires_on", "serial_number", "validity_days", "certificate_authority", "fingerprint_sha256"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), RECORDS) | RECORDS, max_size=3))
def test_records_of_any_shape_are_read(simulator, records):
    simulator.faults.clear()
    simulator.faults.add("status", status=200, times=0, body=json.dumps({"success": True, "result": records, "result_info": None}))
    result = Zone(simulator).read(pem=True, common_name=["*"])
    assert not result["failed"], result["msg"]


@pytest.mark.parametrize("body", ["[]", "{}", '{"success":true,"result":{}}', '{"success":false,"errors":[{"message":"no"}]}', '{"success":false}', ""])
def test_what_is_no_list_is_no_empty_one(zone, body):
    zone.simulator.faults.add("status", status=200, body=body, times=0)
    result = zone.read(retry_timeout=0)
    assert result["failed"] and result["error"]["message"] == result["msg"]


@pytest.mark.parametrize("operation", ["list_certificates", "show_certificate", "list_zones"])
@pytest.mark.parametrize("bare", [False, True])
def test_no_success_with_status_200_is_no_success(zone, operation, bare):
    (number,) = zone.load({})
    zone.switch(success_false_with_200=operation, envelope_without_messages=bare, error_items_without_code=bare)
    named = {"certificates": [number]} if operation == "show_certificate" else {}
    result = zone.read(zone=zone.simulator.ready["cloudflare"]["zone_name"], hostnames=True, firewall=True, **named)
    told = result["not_found"][0]["error"] if named else result["error"]
    assert result["failed"] is not bool(named) and "Bad response certificate service" in told["message"] and told["code"] == (None if bare else "1406")


def test_null_is_an_empty_list(zone):
    zone.simulator.faults.add("status", status=200, body='{"success":true,"errors":[],"messages":[],"result":null}')
    assert zone.find() == []


# -- host names and rules --------------------------------------------------------------------------------------------------------------


def test_the_host_names(zone):
    assert zone.read(hostnames=True)["hostnames"] == []
    zone.cloudflare.set_hostnames("example.com", ["api.example.com", "b.example.com"])
    assert zone.read(hostnames=True)["hostnames"] == ["api.example.com", "b.example.com"] and "hostnames" not in zone.read()


VERIFIED = "cf.tls_client_auth.cert_verified"
RULES = [
    (None, False, "no WAF custom rule looks at"),
    ([], False, "no WAF custom rule looks at"),
    ([f"(not {VERIFIED})"], False, "no WAF custom rule looks at"),
    (['(ip.src eq 192.0.2.1)'], False, "no WAF custom rule looks at"),
    ([FIELD], True, "keeps revoked certificates out"),
    ([f"({FIELD})"], True, "keeps"),
    ([f"(not {VERIFIED} or {FIELD})"], True, "keeps"),
    ([f"{FIELD} or !{VERIFIED}"], True, "keeps"),
    ([f'(http.host eq "api.example.com" and {FIELD})'], True, "out of api.example.com"),
    ([f'(http.host in {{"api.example.com" "b.example.com"}} and (not {VERIFIED} || {FIELD}))'], True, "out of api.example.com, b.example.com"),
    ([f'(http.host eq "b.example.com" && {FIELD})'], None, "but not for api.example.com"),
    ([f'({FIELD} and http.host == "API.example.com")'], True, "api.example.com"),
    ([f"http.host in {{}} and {FIELD}"], None, "see whether it means what you want"),
    ([f"(not {FIELD})"], None, "see whether it means what you want"),
    ([f"({VERIFIED} and not {FIELD})"], None, "see whether"),
    ([f'({FIELD} and ip.src ne 192.0.2.1)'], None, "see whether"),
    ([{"expression": FIELD, "enabled": False}], False, "are disabled or do not block"),
    ([{"expression": FIELD, "action": "log"}], False, "do not block"),
    ([{"expression": FIELD, "action": "skip"}], False, "do not block"),
    ([{"expression": FIELD, "action": "managed_challenge"}], True, "keeps"),
    ([{"expression": FIELD, "action": "log"}, FIELD], True, "keeps"),
]


@pytest.mark.parametrize("rules, blocks, said", RULES)
def test_whether_a_rule_keeps_revoked_certificates_out(zone, rules, blocks, said):
    zone.cloudflare.set_hostnames("example.com", ["api.example.com"])
    zone.cloudflare.set_waf_rules("example.com", rules)
    firewall = zone.read(firewall=True)["firewall"]
    assert firewall["blocks_revoked"] is blocks and said in firewall["message"]
    about = [rule for rule in rules or () if "tls_client_auth" in str(rule)]
    assert len(firewall["rules"]) == len(about) and all(set(rule) == {"description", "action", "enabled", "expression"} for rule in firewall["rules"])


def test_rules_that_may_not_be_read(zone):
    result = zone.read(firewall=True, api_token=zone.simulator.ready["cloudflare"]["read_token"])
    assert not result["failed"] and result["firewall"]["blocks_revoked"] is None and "Zone WAF Read" in result["firewall"]["message"]


@pytest.mark.parametrize("status, code", [(400, 1299), (403, 10000), (500, 1299)])
def test_a_side_question_hides_no_certificate(zone, status, code):
    """Which rule blocks and which hosts ask is worth knowing; who may not know it still has certificates to revoke."""
    ids = zone.load({}, {})
    body = f'{{"success":false,"errors":[{{"code":{code},"message":"not told"}}]}}'
    for path in ("entrypoint", "hostname_associations"):
        zone.simulator.faults.add("status", match={"path": path}, status=status, body=body, times=0)
    result = zone.read(firewall=True, hostnames=True, retry_timeout=0)
    assert sorted(item["id"] for item in result["certificates"]) == sorted(ids) and result["hostnames"] is None
    assert result["firewall"]["blocks_revoked"] is None and any("host names cannot be read" in text for text in result["warnings"])


def test_hosts_of_a_rule_that_cannot_be_compared(zone):
    zone.cloudflare.set_waf_rules("example.com", ['http.host in {"a.example.com"} and cf.tls_client_auth.cert_revoked'])
    zone.simulator.faults.add("status", match={"path": "hostname_associations"}, status=403, body="{}", times=0)
    found = zone.read(firewall=True)["firewall"]
    assert found["blocks_revoked"] is None and "cannot be read" in found["message"]


def test_a_rule_that_skips_others_leaves_it_open(zone):
    rules = [{"expression": 'http.host eq "api.example.com"', "action": "skip"}, "cf.tls_client_auth.cert_revoked"]
    zone.cloudflare.set_waf_rules("example.com", rules)
    assert zone.read(firewall=True)["firewall"]["blocks_revoked"] is None
    zone.cloudflare.set_waf_rules("example.com", [{**rules[0], "enabled": False}, rules[1]])
    assert zone.read(firewall=True)["firewall"]["blocks_revoked"] is True


@pytest.mark.parametrize("path, options", [("client_certificates", {}), ("client_certificates", {"firewall": True})])
def test_what_cannot_be_read_fails_with_its_ray(zone, path, options):
    body = '{"success":false,"errors":[{"code":1299,"message":"internal","error_chain":[{"code":1298,"message":"the cause"}]}]}'
    zone.simulator.faults.add("status", match={"path": path}, status=400, body=body, times=0)
    result = zone.read(**options)
    assert result["failed"] and "1299: internal; 1298: the cause" in result["msg"] and re.fullmatch("[0-9a-f]{16}-FRA", result["error"]["request_id"])


# -- credentials and bad days ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api_token", "account_token", "read_token", "zone_token"])
def test_each_token_may_read(zone, name):
    ids = zone.load({})
    assert zone.find(api_token=zone.simulator.ready["cloudflare"][name], hostnames=True) == ids


@pytest.mark.parametrize("status", [502, 503, 520, 522, 530])
def test_a_page_of_the_edge_is_asked_again_and_then_told(zone, status):
    ids = zone.load({})
    zone.simulator.faults.add("html", status=status)
    result = zone.read()
    assert [entry["id"] for entry in result["certificates"]] == ids and result["http"]["retries"] == 1
    zone.simulator.faults.add("html", status=status, times=0)
    result = zone.read(retry_timeout=0)
    assert result["failed"] and f"HTTP {status}" in result["msg"] and re.fullmatch("[0-9a-f]{16}-FRA", result["error"]["request_id"])


def test_a_block_is_sat_out(zone):
    ids = zone.load({"count": 120})
    zone.simulator.faults.add("status", nth=2, status=429, headers={"retry-after": "1"}, body='{"success":false,"errors":[{"code":971}]}')
    result = zone.read()
    assert len(result["certificates"]) == len(ids) and result["http"]["retries"] == 1 and result["http"]["seconds_waited"] >= 1
