# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cloudflare_client_cert against the simulator: each row of the decision tables, each transition, each way to name a certificate, each option."""

from __future__ import annotations

import os
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.certops.remediation.plugins.module_utils import pacing, transport
from ansible_collections.certops.remediation.plugins.module_utils.x509 import public_key_sha256
from ansible_collections.certops.remediation.plugins.modules import cloudflare_client_cert, cloudflare_client_cert_info

from ansible_collections.certops.remediation.tests.unit.support import cloudflare_options, run_module

NAME = "device.example.com"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def zone(simulator, monkeypatch):
    """The main zone with a way to run the module. The client lives by the simulator's clock, so its waiting takes no time."""
    monkeypatch.setattr(transport, "Pacer", lambda limits: pacing.Pacer(limits, clock=simulator.clock.now, sleep=simulator.clock.advance))
    monkeypatch.setattr(cloudflare_client_cert, "LIST_LAG_SECONDS", 0.01)
    yield Zone(simulator)
    vars(simulator.cloudflare).pop("handle", None)


class Zone:
    def __init__(self, simulator):
        self.simulator = simulator
        self.cloudflare = simulator.cloudflare
        self.ids = []

    def load(self, *entries):
        """Certificates of the key "new", unless the entry says another."""
        self.ids = self.cloudflare.load([{"cn": NAME, "key": "new", **entry} for entry in entries])
        return self.ids

    def switch(self, **switches):
        self.simulator.configure({"cloudflare": switches})

    def csr(self, label="new"):
        return self.cloudflare.csr(label, NAME)

    def key(self, label="new"):
        return public_key_sha256(x509.load_pem_x509_csr(self.csr(label).encode()))

    def run(self, state, check_mode=False, diff=False, **options):
        return run_module(cloudflare_client_cert, {**cloudflare_options(self.simulator), "state": state, **options}, check_mode=check_mode, diff=diff)

    def present(self, check_mode=False, diff=False, **options):
        named = {} if "requests" in options or "csr_path" in options else {"csr": self.csr()}
        return self.run("present", check_mode, diff, **{"validity_days": 365, **named, **options})

    def revoke(self, *names, **options):
        return self.run("revoked", certificates=list(names or self.ids), **options)

    def activate(self, *names, **options):
        return self.run("active", certificates=list(names or self.ids), **options)

    def sent(self, method):
        return [entry for entry in self.simulator.journal if entry["method"] == method]

    def changes(self):
        return [entry for entry in self.simulator.journal if entry["mutates"]]

    def effects(self, *labels):
        """What happened to the loaded certificates, and what was created for the keys."""
        happened = [effect for number in self.ids for effect in self.simulator.records.effects(number)]
        return happened + [effect for label in labels or ("new",) for effect in self.simulator.records.effects(self.key(label))]

    def statuses(self):
        return [self.cloudflare[number].status for number in self.ids]

    def meanwhile(self, method, do, before=True):
        """Let somebody else act right before or after a request is processed, once."""
        original = self.cloudflare.handle
        done = []

        def act():
            if not done:
                done.append(True)
                do()

        def handle(call):
            if before and call.method == method:
                act()
            answer = original(call)
            if not before and call.method == method:
                act()
            return answer

        self.cloudflare.handle = handle


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


def only(result):
    assert len(result["targets"]) == 1, result["msg"]
    return result["targets"][0]


# -- the decision tables ---------------------------------------------------------------------------------------------------------------

ENDING = {"age_days": 350}
OVER = {"age_days": 400}
DYING = {"status": "pending_revocation"}
DEAD = {"status": "revoked"}
REVIVING = {"status": "pending_reactivation"}
SOON = {"renew_before_days": 30}
PRESENT = [
    # the certificates of the key, options, outcome of the first and the second run, effects, what is said
    ([], {}, "applied", "unchanged", ["create"], "created; ends on 20"),
    ([{}], {}, "unchanged", "unchanged", [], "is active already, until 20"),
    ([{"key": "another"}], {}, "applied", "unchanged", ["create"], "created"),
    ([{}], {"validity_days": 30}, "unchanged", "unchanged", [], "it was made for 365 days instead of 30, which cannot be changed"),
    ([{}, {}], {}, "unchanged", "unchanged", [], "1 more of this key is active"),
    ([REVIVING], {}, "pending", "pending", [], "is pending_reactivation already"),
    ([DEAD], {}, "applied", "unchanged", ["create"], "created"),
    ([DYING], {}, "refused", "refused", [], "somebody may have had a reason"),
    ([DYING, DEAD], {}, "refused", "refused", [], "is just being revoked"),
    ([DYING, {}], {}, "unchanged", "unchanged", [], "is active already"),
    ([DYING], {"on_pending_revocation": "reactivate"}, "pending", "pending", ["reactivate"], "is pending_reactivation; Cloudflare finishes it"),
    ([DYING], {"on_pending_revocation": "create"}, "applied", "unchanged", ["create"], "created"),
    ([{**DYING, **OVER}], {}, "applied", "unchanged", ["create"], "created"),
    ([{**DYING, **ENDING}], SOON, "applied", "unchanged", ["create"], "created"),
    ([OVER], {}, "applied", "unchanged", ["create"], "created"),
    ([ENDING], {}, "unchanged", "unchanged", [], "is active already"),
    ([ENDING], SOON, "applied", "unchanged", ["create"], "created"),
    ([ENDING, {}], SOON, "unchanged", "unchanged", [], "1 more"),
    ([ENDING, DYING], SOON, "applied", "unchanged", ["create"], "created"),
]


@pytest.mark.parametrize("found, options, first, second, effects, said", PRESENT)
def test_each_row_of_present(zone, found, options, first, second, effects, said):
    zone.load(*found)
    plan = zone.present(check_mode=True, **options)
    assert zone.changes() == []
    result = zone.present(diff=True, **options)
    assert outcomes(result) == [first] and zone.effects() == effects, result["msg"]
    assert said in only(result)["message"] and result["changed"] is bool(effects) and result["failed"] is (first == "refused")
    assert outcomes(plan) == ["planned" if effects else first] and plan["changed"] is bool(effects)
    assert bool(result["diff"]["after"]) is bool(effects)
    again = zone.present(**options)
    assert outcomes(again) == [second] and again["changed"] is False and zone.effects() == effects


REVOKED = [
    ({}, "pending", ["revoke"], "is pending_revocation; Cloudflare finishes it by itself"),
    (OVER, "pending", ["revoke"], "is pending_revocation"),
    (REVIVING, "pending", ["revoke"], "is pending_revocation"),
    (DYING, "pending", [], "is pending_revocation already"),
    (DEAD, "unchanged", [], "is revoked already"),
]
ACTIVE = [
    ({}, "unchanged", [], "is active already"),
    (OVER, "unchanged", [], "is active already; it has expired on 20"),
    (REVIVING, "pending", [], "is pending_reactivation already"),
    (DYING, "pending", ["reactivate"], "is pending_reactivation; Cloudflare finishes it by itself"),
    (DEAD, "pending", ["reactivate"], "is pending_reactivation"),
    ({**DYING, **OVER}, "refused", [], "create a new one (state=present)"),
    ({**DEAD, **OVER}, "refused", [], "has expired on 20"),
]
STATUS_ROWS = [("revoked", *row) for row in REVOKED] + [("active", *row) for row in ACTIVE]


@pytest.mark.parametrize("by", ["id", "csr"])
@pytest.mark.parametrize("state, found, outcome, effects, said", STATUS_ROWS)
def test_each_row_of_revoked_and_active(zone, state, found, outcome, effects, said, by):
    zone.load(found)
    named = {"csr": zone.csr()} if by == "csr" else {"certificates": zone.ids}
    plan = zone.run(state, check_mode=True, diff=True, **named)
    assert zone.changes() == []
    result = zone.run(state, diff=True, **named)
    assert outcomes(result) == [outcome] and zone.effects() == effects, result["msg"]
    assert said in only(result)["message"] and result["changed"] is bool(effects) and result["failed"] is (outcome == "refused")
    assert outcomes(plan) == ["planned" if effects else outcome] and plan["changed"] is bool(effects)
    assert set(plan["diff"]["after"]) == set(result["diff"]["after"])
    again = zone.run(state, **named)
    assert outcomes(again) == [outcome] and again["changed"] is False and zone.effects() == effects


TRANSITIONS = [
    ("active", "revoked", ["pending_revocation", "revoked"]),
    ("pending_revocation", "active", ["pending_reactivation", "active"]),
    ("revoked", "active", ["pending_reactivation", "active"]),
    ("pending_reactivation", "revoked", ["pending_revocation", "revoked"]),
]


@pytest.mark.parametrize("before, wanted, way", TRANSITIONS)
def test_each_transition_is_followed_to_its_end(zone, before, wanted, way):
    zone.load({"status": before, "pending_seconds": 3600})
    first = zone.run(wanted, certificates=zone.ids)
    assert only(first)["status"] == only(first)["after"]["status"] == way[0] and only(first)["before"]["status"] == before
    result = zone.run(wanted, certificates=zone.ids, wait=True, wait_interval=7)
    assert outcomes(result) == ["unchanged"] and result["changed"] is False and not result["failed"], "the run before has asked for it"
    assert only(result)["status"] == way[1] and zone.statuses() == [way[1]] and len(zone.changes()) == 1
    assert result["http"]["seconds_waited"] >= 30


@pytest.mark.parametrize("wanted, before", [("revoked", "active"), ("active", "pending_revocation")])
def test_waiting_within_the_run_that_asked(zone, wanted, before):
    zone.load({"status": before}, {"status": before, "key": "b"}, {"status": before, "key": "c"})
    result = zone.run(wanted, certificates=zone.ids, wait=True)
    assert outcomes(result) == ["applied"] * 3 and result["changed"] and set(zone.statuses()) == {wanted}
    assert {entry["after"]["status"] for entry in result["targets"]} == {wanted}


def test_steps_that_take_no_time(zone):
    zone.switch(revoke_seconds=0, reactivate_answer="active")
    zone.load({}, {"status": "pending_revocation", "key": "b", "pending_seconds": 60})
    assert outcomes(zone.revoke(zone.ids[0])) == ["applied"] and outcomes(zone.activate(zone.ids[1])) == ["applied"]
    assert zone.statuses() == ["revoked", "active"]


def test_what_never_ends_is_pending_and_fails_the_waiting(zone):
    zone.switch(revoke_seconds=10**9)
    zone.load({})
    result = zone.revoke(wait=True, wait_timeout=1)
    assert outcomes(result) == ["pending"] and only(result)["timed_out"] and result["failed"] and result["changed"]


# -- what Cloudflare may refuse, and what others do meanwhile --------------------------------------------------------------------------


def test_a_reactivation_that_is_refused_is_told_in_the_words_of_cloudflare(zone):
    zone.switch(reactivate_revoked="refuse")
    zone.load(DEAD, DYING)
    result = zone.activate()
    assert outcomes(result) == ["failed", "pending"], result["msg"]
    entry = result["targets"][0]
    assert "1495: Certificate cannot be reactivated" in entry["message"] and "state=present" in entry["message"] and not entry["changed"]
    assert entry["error"]["code"] == "1495" and re.fullmatch("[0-9a-f]{16}-FRA", entry["error"]["request_id"])
    assert entry["request_ids"] == [entry["error"]["request_id"]] and entry["after"]["status"] == "revoked"


def test_a_revocation_that_is_refused(zone):
    zone.switch(delete_pending_reactivation="refuse")
    zone.load(REVIVING)
    result = zone.revoke()
    assert outcomes(result) == ["failed"] and "1496" in result["msg"] and only(result)["after"]["status"] == "pending_reactivation"


@pytest.mark.parametrize("status", ["pending_revocation", "revoked"])
@pytest.mark.parametrize("code_status", [400, 404, 409])
def test_somebody_else_revokes_it_first(zone, status, code_status):
    """The race that Cloudflare answers with 1407."""
    zone.switch(already_revoked_status=code_status)
    zone.load({})
    zone.meanwhile("DELETE", lambda: zone.cloudflare.change(zone.ids[0], {"status": status}))
    result = zone.revoke()
    assert outcomes(result) == ["unchanged"] and not result["changed"] and "somebody else has done it meanwhile" in only(result)["message"]
    assert only(result)["after"]["status"] == status and zone.effects() == [] and "already deleted" in only(result)["message"]


@pytest.mark.parametrize("answer", ["refuse", "accept"])
def test_somebody_else_reactivates_it_first(zone, answer):
    zone.switch(reactivate_active=answer)
    zone.load(DYING)
    zone.meanwhile("PATCH", lambda: zone.cloudflare.change(zone.ids[0], {"status": "active"}))
    result = zone.activate()
    assert outcomes(result) == ["unchanged" if answer == "refuse" else "applied"] and not result["failed"] and zone.statuses() == ["active"]


@pytest.mark.parametrize("status", ["pending_reactivation", "active"])
@pytest.mark.parametrize("count", [1, 3])
def test_somebody_reactivates_it_while_we_wait_for_revoked(zone, status, count):
    zone.load(*[{"key": f"k{index}"} for index in range(count)])
    zone.meanwhile("DELETE", lambda: zone.cloudflare.change(zone.ids[0], {"status": status}), before=False)
    result = zone.revoke(wait=True, concurrency=1)
    assert outcomes(result) == ["failed"] + ["applied"] * (count - 1) and result["changed"], result["msg"]
    assert f"somebody has reactivated it meanwhile: it is {status}" in result["targets"][0]["message"]


def test_somebody_revokes_it_while_we_wait_for_active(zone):
    zone.load(DYING)
    zone.meanwhile("PATCH", lambda: zone.cloudflare.change(zone.ids[0], {"status": "revoked"}), before=False)
    for result in (zone.activate(wait=True),):
        assert outcomes(result) == ["failed"] and "somebody has revoked it meanwhile" in result["msg"] and result["changed"]


def test_somebody_revokes_a_new_certificate_while_we_wait_for_the_list(zone):
    zone.switch(list_lag_seconds=20)
    zone.meanwhile("POST", lambda: zone.cloudflare.change(zone.cloudflare.certificates()[-1].id, {"status": "revoked"}), before=False)
    result = zone.present(wait=True)
    assert outcomes(result) == ["failed"] and "somebody has revoked it meanwhile: it is revoked" in result["msg"] and result["changed"]


@pytest.mark.parametrize("present", [False, True])
def test_a_list_that_is_of_before_is_not_believed(zone, present):
    zone.load(*[{"status": "pending_revocation", "pending_seconds": 3600, "key": label} for label in ("new", "b", "c")])
    original, before = zone.cloudflare.handle, []

    def handle(call):
        listing = call.method == "GET" and call.path.endswith("/client_certificates")
        if listing and before and zone.changes():
            return before.pop()
        answer = original(call)
        if listing:
            before.append(answer)
        return answer

    zone.cloudflare.handle = handle
    result = zone.present(on_pending_revocation="reactivate", wait=True) if present else zone.activate(wait=True)
    assert set(outcomes(result)) == {"applied"}, result["msg"]
    assert not result["failed"] and zone.statuses()[0] == "active"


def test_a_status_that_nobody_has_told_of_is_neither_good_nor_revoked(zone):
    zone.load({})
    zone.cloudflare[zone.ids[0]].status = "held"
    result = zone.revoke()
    assert outcomes(result) == ["pending"] and zone.effects() == ["revoke"] and only(result)["before"]["status"] == "held"


# -- how certificates are named --------------------------------------------------------------------------------------------------------


def names_of(zone, number):
    """Every way to name a certificate."""
    certificate = zone.cloudflare[number]
    fingerprint = certificate.fingerprint_sha256
    return {
        "id": number,
        "id in upper case": number.upper(),
        "fingerprint": fingerprint,
        "fingerprint with colons": ":".join(re.findall("..", fingerprint)).upper(),
        "hexadecimal serial": f"{certificate.serial:x}",
        "hexadecimal serial with zeros and colons": ":".join(re.findall("..", f"{certificate.serial:040X}")),
        "hexadecimal serial with 0x": f"0x{certificate.serial:X}",
        "hexadecimal serial with an invisible mark": f"\u200e{certificate.serial:x}",
        "decimal serial": str(certificate.serial),
        "decimal serial as a number": certificate.serial,
        "certificate": certificate.certificate,
        "CSR": certificate.csr,
        "mapping with id": {"id": number, "common_name": "ignored"},
        "mapping with fingerprint": {"fingerprint_sha256": fingerprint.upper()},
        "mapping with serial": {"serial_number": str(certificate.serial)},
        "mapping with CSR": {"csr": certificate.csr.replace("\n", "\r\n")},
        "mapping with null id": {"id": None, "serial_number": f"{certificate.serial:x}", "zone_id": zone.simulator.ready["cloudflare"]["zone_id"]},
    }


@pytest.mark.parametrize("base", ["hex", "decimal", "mixed"])
def test_a_certificate_is_found_by_each_of_its_names(zone, base):
    zone.switch(serial_base=base)
    for serial_is_odd in (False, True):
        zone.load({"key": "other"}, DYING)
        zone.cloudflare.store.certificates[zone.ids[1]].serial |= 1
        zone.cloudflare.store.certificates[zone.ids[1]].serial -= not serial_is_odd
        for form, given in names_of(zone, zone.ids[1]).items():
            result = zone.revoke(given)
            assert outcomes(result) == ["pending"] and only(result)["id"] == zone.ids[1], form
    assert zone.changes() == []


def test_an_id_of_32_digits_and_a_csr_in_a_file(zone, tmp_path):
    zone.ids = zone.cloudflare.load([{"cn": NAME, "key": "new", "id": "f" * 32}])
    path = tmp_path / "device.csr"
    path.write_text(zone.csr())
    assert only(zone.revoke("F" * 32, check_mode=True))["id"] == "f" * 32
    for named in ({"csr_path": str(path)}, {"certificates": [{"csr_path": str(path)}]}):
        assert only(zone.run("revoked", check_mode=True, **named))["id"] == "f" * 32


def test_one_certificate_under_all_its_names_is_revoked_once(zone):
    zone.load({})
    result = zone.revoke(*names_of(zone, zone.ids[0]).values())
    assert zone.effects() == ["revoke"] and result["summary"] == {**dict.fromkeys(result["summary"], 0), "pending": 1, "unchanged": 16}
    assert "listed more than once" in result["warnings"][0]


def test_what_the_info_module_returns_is_taken_as_it_is(zone):
    zone.load({"key": "a"}, {"key": "b"}, {**DEAD, "key": "c"})
    found = run_module(cloudflare_client_cert_info, {**cloudflare_options(zone.simulator), "status": ["active"], "pem": True})["certificates"]
    result = zone.revoke(*found)
    assert outcomes(result) == ["pending"] * 2 and zone.statuses() == ["pending_revocation"] * 2 + ["revoked"]
    assert {entry["target"] for entry in result["targets"]} == {f"{NAME} ({number})" for number in zone.ids[:2]}


BAD_NAMES = [
    ("", "an empty text"),
    (None, "put it in quotes"),
    (True, "put it in quotes"),
    (1.5e12, "put it in quotes"),
    ([], "put it in quotes"),
    ("tablet-0001", "is not hexadecimal"),
    ("0", "no serial number"),
    ("a" * 63, "no SHA-256 fingerprint"),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no readable certificate"),
    ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "no readable CSR"),
    ({}, "has none of id, fingerprint_sha256"),
    ({"common_name": "a"}, "with the keys ['common_name'] has none of"),
    ({"id": "../../zones"}, "is not the id of a certificate"),
    ({"id": 1.5}, "put it in quotes"),
    ({"fingerprint_sha256": "ab"}, "no SHA-256 fingerprint"),
    ({"serial_number": "xyz"}, "is not hexadecimal"),
    ({"csr": "x"}, "no readable CSR"),
    ({"csr_path": "/nonexistent"}, "cannot be read"),
]


@pytest.mark.parametrize("given, said", BAD_NAMES, ids=[repr(given)[:30] for given, said in BAD_NAMES])
def test_what_names_no_certificate_is_refused_before_anything_is_sent(zone, given, said):
    zone.load({})
    result = zone.revoke(zone.ids[0], given)
    assert result["failed"] and said in result["msg"] and result["msg"].startswith("certificates[1]") and result["error"]["kind"] == "input"
    assert zone.simulator.journal == []


def test_a_certificate_of_another_zone_is_refused_where_it_says_so_and_fails_where_it_does_not(zone):
    zone.load({"key": "ours"})
    other = zone.simulator.ready["cloudflare"]["other_zone_name"]
    (number,) = zone.cloudflare.load([{"cn": NAME, "key": "new"}], zone=other)
    theirs = zone.cloudflare[number]
    result = zone.revoke({"id": number, "zone_id": theirs.zone_id})
    assert result["failed"] and "one task is for one zone" in result["msg"] and zone.simulator.journal == []
    for named in (number, theirs.fingerprint_sha256, f"{theirs.serial:x}", theirs.csr):
        result = zone.revoke(named, zone.ids[0])
        assert outcomes(result) == ["failed", "not_attempted"] and "not_found=ignore" in result["msg"] and only_error(result)["code"] == "1415"
        assert outcomes(zone.activate(named)) == ["failed"]
    assert theirs.status == "active" and zone.statuses() == ["active"] and zone.changes() == []


def only_error(result):
    (error,) = [entry["error"] for entry in result["targets"] if entry["error"]]
    return error


@pytest.mark.parametrize("status", [404, 400])
@pytest.mark.parametrize("bare", [False, True])
def test_what_the_zone_does_not_have_can_be_ignored(zone, status, bare):
    zone.switch(unknown_id_status=status, error_items_without_code=bare, envelope_without_messages=bare)
    zone.load({})
    result = zone.revoke(UNKNOWN, "a" * 64, zone.ids[0], not_found="ignore")
    if bare and status == 400:
        # Nothing but the text of a status that may mean anything.
        assert outcomes(result) == ["failed", "unchanged", "not_attempted"] and "Invalid Certificate ID" in result["msg"]
        return
    assert outcomes(result) == ["unchanged", "unchanged", "pending"] and not result["failed"], result["msg"]
    assert result["targets"][0]["message"] == "the zone has no such certificate" and not result["targets"][0]["changed"]
    assert outcomes(zone.run("active", certificates=[UNKNOWN], not_found="ignore")) == ["failed"], "what shall be active has to be there"


def test_a_page_with_404_is_not_taken_for_an_unknown_certificate(zone):
    zone.load({})
    zone.simulator.faults.add("html", status=404, times=0)
    result = zone.revoke(not_found="ignore")
    assert outcomes(result) == ["failed"]


# -- several certificates of a key -----------------------------------------------------------------------------------------------------


def test_several_good_certificates_of_a_key_are_revoked_only_if_all_are_meant(zone):
    zone.load({}, {}, DEAD, {"key": "another"})
    refused = zone.run("revoked", csr=zone.csr())
    assert outcomes(refused) == ["refused"] and "several=all" in refused["msg"] and all(number in refused["msg"] for number in zone.ids[:2])
    assert zone.changes() == []
    result = zone.run("revoked", csr=zone.csr(), several="all")
    assert sorted(outcomes(result)) == ["pending", "pending", "unchanged"] and zone.statuses() == ["pending_revocation"] * 2 + ["revoked", "active"]
    again = zone.run("revoked", csr=zone.csr(), several="all")
    assert again["changed"] is False and zone.effects() == ["revoke", "revoke"]


def test_several_with_other_names_beside_it(zone):
    zone.load({}, {}, {"key": "another"})
    result = zone.revoke(zone.csr(), zone.ids[2], zone.ids[0], several="all", max_changes=3)
    assert outcomes(result) == ["pending", "pending", "pending", "unchanged"] and set(zone.statuses()) == {"pending_revocation"}
    assert outcomes(zone.revoke(zone.csr("unknown"), several="all")) == ["failed"]
    assert outcomes(zone.revoke(zone.csr("unknown"), several="all", not_found="ignore")) == ["unchanged"]


def test_the_one_that_is_good_is_meant(zone):
    zone.load(DEAD, {}, DYING)
    result = zone.run("revoked", csr=zone.csr())
    assert only(result)["id"] == zone.ids[1] and zone.statuses() == ["revoked", "pending_revocation", "pending_revocation"]
    assert outcomes(zone.run("revoked", csr=zone.csr())) == ["pending"]


def test_which_of_several_to_reactivate_has_to_be_told(zone):
    zone.load(DEAD, DYING)
    result = zone.run("active", csr=zone.csr())
    assert outcomes(result) == ["refused"] and "name one by its id" in result["msg"] and "several" not in result["msg"]
    zone.load(DEAD, {})
    assert outcomes(zone.run("active", csr=zone.csr())) == ["unchanged"]


def test_a_serial_number_that_may_be_two_names_none(zone):
    zone.load({"key": "a"}, {"key": "b"})
    for number, serial in zip(zone.ids, (0x1234, 1234)):
        zone.cloudflare.store.certificates[number].serial = serial
    result = zone.revoke("1234")
    assert outcomes(result) == ["failed"] and "name one by its id" in result["msg"] and all(number in result["msg"] for number in zone.ids)
    assert zone.changes() == []


# -- creating --------------------------------------------------------------------------------------------------------------------------


def test_what_was_created_is_shown(zone, tmp_path):
    path = tmp_path / "device.crt"
    result = zone.present(diff=True, certificate_path=str(path), validity_days=30)
    entry = only(result)
    (made,) = zone.cloudflare.certificates()
    (sent,) = zone.sent("POST")
    assert sent["body"] == {"csr": zone.csr(), "validity_days": 30}
    assert (entry["id"], entry["status"], entry["expires_on"], entry["fingerprint_sha256"]) == (made.id, "active", made.expires_on, made.fingerprint_sha256)
    assert entry["public_key_sha256"] == zone.key() and entry["zone_id"] == made.zone_id and entry["serial_number"] == f"{made.serial:040x}"
    assert path.read_text() == made.certificate == entry["certificate"] and path.stat().st_mode & 0o777 == 0o644 and entry["written"] == [str(path)]
    assert entry["action"] == f"create for key {zone.key()[:16]}, 30 days" and entry["target"] == f"{NAME} ({zone.key()[:16]})"
    assert result["diff"] == {
        "before": {entry["target"]: {"status": None, "revocation_can_be_undone": None}},
        "after": {entry["target"]: {"status": "active", "revocation_can_be_undone": None}},
    }
    assert result["url"] == zone.simulator.ready["url"] and result["http"]["requests"] == 2


def test_the_diff_of_a_revocation_tells_until_when_it_can_be_undone(zone):
    zone.load({})
    result = zone.revoke(diff=True)
    (after,) = result["diff"]["after"].values()
    assert after["status"] == "pending_revocation" and zone.cloudflare[zone.ids[0]].expires_on in after["revocation_can_be_undone"]
    assert "BEGIN" not in str(result["diff"]) and only(result)["reversible"] == after["revocation_can_be_undone"]


@pytest.mark.parametrize("switches", [{"csr_line_ends": "lf"}, {"empty_subject": "null"}, {"empty_subject": "omit"}, {"list_order": "oldest"}], ids=str)
def test_the_echoed_csr_need_not_be_the_one_that_was_sent(zone, switches):
    zone.switch(**switches)
    zone.present()
    for text in (zone.csr().replace("\n", "\r\n"), f"\n{zone.csr().strip()}\n\n\n", f"some text\n{zone.csr()}"):
        assert outcomes(zone.present(csr=text)) == ["unchanged"]
    same_key = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(zone.simulator.authority.keys["new"], hashes.SHA256())
    assert outcomes(zone.present(csr=pem(same_key))) == ["unchanged"], "another CSR of the same key"
    assert zone.effects() == ["create"]


@pytest.mark.parametrize("status, outcome, second", [("omit", "applied", "unchanged"), ("pending_reactivation", "pending", "pending")])
@pytest.mark.parametrize("wait", [False, True])
def test_what_a_create_may_say_of_the_status(zone, status, outcome, second, wait):
    zone.switch(create_status=status)
    result = zone.present(wait=wait)
    assert outcomes(result) == ["applied" if wait else outcome] and result["changed"] and not result["failed"]
    assert "does not list" not in only(result)["message"]
    again = zone.present()
    assert outcomes(again) == ["unchanged" if wait else second] and again["changed"] is False and zone.effects() == ["create"]


def test_waiting_ends_when_the_new_one_is_listed(zone):
    zone.switch(list_lag_seconds=60)
    result = zone.present(wait=True)
    assert outcomes(result) == ["applied"] and "created and listed" in only(result)["message"] and result["http"]["seconds_waited"] >= 60
    assert outcomes(zone.present()) == ["unchanged"] and zone.effects() == ["create"]


def test_a_list_that_never_shows_it_ends_the_waiting(zone):
    zone.switch(list_lag_seconds=10**9)
    result = zone.present(wait=True, wait_timeout=1)
    assert outcomes(result) == ["pending"] and only(result)["timed_out"] and "waits for Cloudflare to list it" in only(result)["message"]
    assert result["failed"] and result["changed"] and zone.effects() == ["create"]


def test_reactivating_instead_of_creating(zone, tmp_path):
    zone.load({**DYING, "pending_seconds": 3600})
    path = tmp_path / "device.crt"
    options = {"on_pending_revocation": "reactivate", "certificate_path": str(path), "wait": True}
    result = zone.present(**options)
    assert outcomes(result) == ["applied"] and only(result)["status"] == "active" and path.read_text() == zone.cloudflare[zone.ids[0]].certificate
    assert only(result)["id"] == zone.ids[0] and zone.effects() == ["reactivate"] and only(result)["after"]["status"] == "active"
    assert zone.present(**options)["changed"] is False


def test_the_quota(zone):
    zone.switch(quota=1)
    zone.load({"key": "another"})
    result = zone.present()
    assert outcomes(result) == ["failed"] and "1494: Maximum number of client certificates" in result["msg"] and not result["changed"]
    zone.revoke()
    assert outcomes(zone.present()) == ["applied"], "revoking frees the slot at once"
    over = zone.activate()
    assert outcomes(over) == ["failed"] and "1494" in over["msg"]


def test_many_requests_with_their_own_wishes(zone, tmp_path):
    path = tmp_path / "b.csr"
    path.write_text(zone.csr("b"))
    requests = [
        {"csr": zone.csr("a"), "csr_path": "/ignored", "key_path": "/etc/key", "validity_days": "30"},
        {"csr_path": str(path), "certificate_path": str(tmp_path / "b.crt")},
        {"csr": zone.csr("b"), "certificate_path": str(tmp_path / "b.crt")},
    ]
    result = zone.present(requests=requests)
    assert outcomes(result) == ["applied", "applied", "unchanged"] and "listed more than once" in result["warnings"][0]
    assert zone.effects("a", "b") == ["create", "create"] and [entry["body"]["validity_days"] for entry in zone.sent("POST")].count(30) == 1
    assert (tmp_path / "b.crt").exists() and zone.present(requests=requests)["changed"] is False


def test_an_empty_list_changes_nothing(zone):
    for result in (zone.present(requests=[]), zone.run("revoked", certificates=[]), zone.run("active", certificates=[])):
        assert not result["changed"] and not result["failed"] and result["targets"] == []
    assert zone.simulator.journal == []


def pem(csr):
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def csr_of(key):
    return x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())


def damaged(zone):
    der = bytearray(x509.load_pem_x509_csr(zone.csr().encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    return pem(x509.load_der_x509_csr(bytes(der)))


BAD_INPUT = [
    (lambda zone: {"csr": "no CSR"}, "csr: holds no readable CSR"),
    (lambda zone: {"csr": pem(csr_of(rsa.generate_private_key(65537, 1024)))}, "too weak"),
    (lambda zone: {"csr": pem(csr_of(ec.generate_private_key(ec.SECP192R1())))}, "too weak"),
    (lambda zone: {"csr": damaged(zone)}, "not signed with its own key"),
    (lambda zone: {"csr": "", "csr_path": ""}, "exactly one of the two"),
    (lambda zone: {"csr_path": "/nonexistent", "csr": None}, "cannot be read"),
    (lambda zone: {"validity_days": None}, "validity_days: is needed"),
    (lambda zone: {"validity_days": 0}, "out of range"),
    (lambda zone: {"validity_days": 40000}, "out of range"),
    (lambda zone: {"renew_before_days": -1}, "out of range"),
    (lambda zone: {"validity_days": 30, "renew_before_days": 30}, "each run would create another one"),
    (lambda zone: {"retired_keys": [zone.key().upper()]}, "one of retired_keys"),
    (lambda zone: {"retired_keys": [zone.csr("b"), zone.csr()]}, "one of retired_keys"),
    (lambda zone: {"retired_keys": ["x"]}, "retired_keys"),
    (lambda zone: {"certificate_path": "/nonexistent/device.crt"}, "in none that exists"),
    (lambda zone: {"certificate_path": "/tmp"}, "is a folder"),
    (lambda zone: {"certificate_path": "/tmp/a.crt", "chain_path": "/tmp/../tmp/a.crt"}, "a file of its own"),
    (lambda zone: {"certificates": ["ab"]}, "goes with state=active and state=revoked"),
    (lambda zone: {"requests": [{"csr": zone.csr()}], "csr": zone.csr()}, "either this or requests"),
    (lambda zone: {"requests": [{"csr": zone.csr()}, {"csr": "x"}]}, "requests[1].csr"),
    (lambda zone: {"requests": [{"csr": zone.csr(), "validity_days": True}]}, "requests[0].validity_days: must be a number"),
    (lambda zone: {"requests": [{"csr": ["x"]}]}, "requests[0].csr: must be a text"),
    (lambda zone: {"requests": [{"csr": zone.csr()}, {"csr": zone.csr(), "validity_days": 7}]}, "listed twice with different wishes"),
    (lambda zone: {"requests": [{"csr": zone.csr()}, {"csr": zone.csr("b")}], "certificate_path": "/tmp/a.crt"}, "one file for several certificates"),
    (lambda zone: {"requests": [{"csr": zone.csr(label), "certificate_path": "/tmp/a.crt"} for label in "ab"]}, "a file of another entry"),
    (lambda zone: {"state": "revoked"}, "goes with state=present only"),
    (lambda zone: {"state": "revoked", "validity_days": None, "certificates": ["ab"]}, "exactly one of them"),
    (lambda zone: {"state": "active", "validity_days": None, "csr": None}, "exactly one of them"),
    (lambda zone: {"zone_id": "example.com"}, "a domain belongs into zone"),
    (lambda zone: {"zone_id": None}, "give the id (or CLOUDFLARE_ZONE_ID) or the name"),
]


@pytest.mark.parametrize("options, said", BAD_INPUT, ids=[said for dummy, said in BAD_INPUT])
def test_bad_input_is_refused_before_anything_is_sent(zone, options, said):
    given = options(zone)
    result = run_module(cloudflare_client_cert, {
        **cloudflare_options(zone.simulator), "validity_days": 365, **({} if "requests" in given else {"csr": zone.csr()}), **given,
    })
    assert result["failed"] and said in result["msg"] and not result.get("changed") and result["error"]["kind"] == "input", result["msg"]
    assert zone.simulator.journal == []


def test_a_retired_key_is_not_reactivated(zone):
    zone.load(DYING)
    result = zone.activate(retired_keys=[zone.key()])
    assert outcomes(result) == ["refused"] and "retired_keys" in result["msg"] and zone.changes() == []
    assert outcomes(zone.revoke(retired_keys=[zone.key()])) == ["pending"]


def test_a_validity_that_cloudflare_refuses(zone):
    zone.switch(max_validity_days=90)
    result = zone.present()
    assert outcomes(result) == ["failed"] and "1493: Invalid validity_days" in result["msg"] and not result["changed"] and zone.effects() == []
    assert outcomes(zone.present(validity_days=90)) == ["applied"]


# -- files -----------------------------------------------------------------------------------------------------------------------------


def test_files_are_written_kept_and_written_again(zone, tmp_path):
    path = tmp_path / "device.crt"
    options = {"certificate_path": str(path), "chain_path": str(tmp_path / "chain.crt")}
    result = zone.present(**options)
    assert only(result)["written"] == [str(path)] and sorted(os.listdir(tmp_path)) == ["device.crt"]
    assert any("hands out no chain" in warning for warning in result["warnings"])
    before = path.stat()
    assert zone.present(**options)["changed"] is False and path.stat().st_mtime_ns == before.st_mtime_ns
    for spoil in (path.unlink, lambda: path.write_text("something else")):
        good = only(zone.present())["certificate"]
        spoil()
        plan = zone.present(check_mode=True, **options)
        assert outcomes(plan) == ["planned"] and only(plan)["action"] == "write its files" and not (path.exists() and path.read_text() == good)
        result = zone.present(**options)
        assert outcomes(result) == ["applied"] and result["changed"] and path.read_text() == good and only(result)["written"] == [str(path)]
        assert zone.present(**options)["changed"] is False
    assert zone.effects() == ["create"]


def test_a_file_that_cannot_be_written_after_a_reactivation(zone, tmp_path, monkeypatch):
    def denied(*dummy):
        raise PermissionError(13, "Permission denied")

    zone.load(DYING)
    monkeypatch.setattr(cloudflare_client_cert, "write_if_different", denied)
    result = zone.present(on_pending_revocation="reactivate", certificate_path=str(tmp_path / "device.crt"))
    assert outcomes(result) == ["failed"] and result["changed"] and only(result)["after"]["status"] == "pending_reactivation"


def test_a_certificate_that_is_pending_is_written_and_stays_pending(zone, tmp_path):
    zone.load({**REVIVING, "pending_seconds": 3600})
    options = {"certificate_path": str(tmp_path / "device.crt")}
    result = zone.present(**options)
    assert outcomes(result) == ["pending"] and result["changed"] and only(result)["written"]
    again = zone.present(**options)
    assert outcomes(again) == ["pending"] and again["changed"] is False


def test_a_file_that_cannot_be_written_fails_and_comes_with_the_next_run(zone, tmp_path, monkeypatch):
    def full(*dummy):
        raise OSError(28, "No space left on device")

    options = {"certificate_path": str(tmp_path / "device.crt")}
    with monkeypatch.context() as patched:
        patched.setattr(cloudflare_client_cert, "write_if_different", full)
        result = zone.present(**options)
    assert outcomes(result) == ["failed"] and result["changed"] and "No space left on device" in result["msg"] and "run the task again" in result["msg"]
    assert only(result)["id"] and only(result)["certificate"].startswith("-----BEGIN")
    result = zone.present(**options)
    assert outcomes(result) == ["applied"] and zone.effects() == ["create"] and (tmp_path / "device.crt").exists()


# -- guards ----------------------------------------------------------------------------------------------------------------------------


def test_guards_hold_before_the_first_write(zone):
    zone.load({"key": "a"}, {"key": "b"})
    plan = zone.revoke(check_mode=True)
    assert outcomes(zone.revoke(max_changes=1)) == ["refused"] * 2
    assert outcomes(zone.revoke(zone.ids[0], plan_digest=plan["plan_digest"])) == ["refused"]
    assert outcomes(zone.revoke(*zone.ids, UNKNOWN)) == ["not_attempted"] * 2 + ["failed"]
    assert zone.changes() == []
    assert outcomes(zone.revoke(*zone.ids, UNKNOWN, continue_on_error=True)) == ["pending"] * 2 + ["failed"]
    assert zone.revoke(plan_digest=plan["plan_digest"])["changed"] is False, "an approved job can be run again"


def test_a_plan_for_one_zone_is_none_for_another(zone):
    plan = zone.present(check_mode=True)
    result = zone.present(zone_id=zone.simulator.ready["cloudflare"]["other_zone_id"], plan_digest=plan["plan_digest"])
    assert outcomes(result) == ["refused"] and zone.changes() == []
    assert outcomes(zone.present(plan_digest=plan["plan_digest"])) == ["applied"]


def test_hostile_text_in_names_is_made_safe(zone):
    name = "a\u202eevil\r\n\x1b[2J{{ 7*7 }}"
    zone.load({"cn": name, "organization": "x" * 64})
    result = zone.revoke({"id": zone.ids[0], "common_name": name}, diff=True)
    # The text as it was given comes back among the arguments of the module alone.
    shown = repr({key: value for key, value in result.items() if key not in ("invocation", "output")})
    assert outcomes(result) == ["pending"] and not re.search(r"\\x1b|\\u202e|\\r", shown)


# -- the zone --------------------------------------------------------------------------------------------------------------------------


def test_the_zone_by_name(zone):
    zone.load({})
    ready = zone.simulator.ready["cloudflare"]
    for name in (ready["zone_name"], ready["zone_name"].upper() + "."):
        result = zone.revoke(zone_id=None, zone=name)
        assert only(result)["zone_id"] == ready["zone_id"]
    assert zone.effects() == ["revoke"] and zone.sent("GET")[0]["query"]["name"] == ready["zone_name"]
    assert outcomes(zone.revoke(zone=ready["zone_name"])) == ["pending"], "id and name agree"


@pytest.mark.parametrize("token", ["api_token", "read_token", "account_token"])
def test_a_zone_name_that_matches_none_or_two(zone, token):
    ready = zone.simulator.ready["cloudflare"]
    login = {"api_token": ready[token], "zone_id": None, "certificates": [UNKNOWN]}
    none = zone.run("revoked", check_mode=True, zone="nowhere.example", **login)
    assert none["failed"] and "is not among the zones of these credentials" in none["msg"]
    two = zone.run("revoked", check_mode=True, zone=ready["twice_zone_name"], **login)
    assert two["failed"] and (("is in several accounts" in two["msg"] and "moved" in two["msg"]) or token == "account_token")
    wrong = zone.run("revoked", check_mode=True, zone=ready["other_zone_name"], **{**login, "zone_id": ready["zone_id"]})
    assert wrong["failed"] and "has not the id" in wrong["msg"] and "CLOUDFLARE_ZONE_ID" in wrong["msg"]


def test_a_zone_beyond_the_first_page(zone):
    names = [f"zone-{index:03}.example" for index in range(120)]
    zone.simulator.reset({"cloudflare": {"settings": {"rate_limit": 0, "address_rate_limit": 0}, "zones": [{"name": name} for name in names]}})
    original = zone.cloudflare.handle

    def ignores_the_name(call):
        call.raw_query = re.sub("name=[^&]*&", "", call.raw_query)
        return original(call)

    zone.cloudflare.handle = ignores_the_name
    result = zone.run("revoked", certificates=[UNKNOWN], zone_id=None, zone=names[-1])
    assert only(result)["error"]["code"] == "1415", result["msg"]


def test_a_token_that_is_limited_to_a_zone(zone):
    zone.load({})
    ready = zone.simulator.ready["cloudflare"]
    refused = zone.revoke(api_token=ready["zone_token"], zone_id=None, zone=ready["zone_name"])
    assert refused["failed"] and refused["error"]["kind"] == "authorization" and "give zone_id instead of zone" in refused["msg"]
    assert outcomes(zone.revoke(api_token=ready["zone_token"])) == ["pending"]
    alien = zone.revoke(api_token=ready["zone_token"], zone_id=ready["other_zone_id"])
    assert alien["failed"] and alien["error"]["code"] == "10000" and "the zone must be among its resources" in alien["msg"]


@pytest.mark.parametrize("unknown_zone, kind", [("403", "authorization"), ("404", "vendor")])
def test_a_zone_that_is_not_there(zone, unknown_zone, kind):
    zone.switch(unknown_zone=unknown_zone)
    for state, named in (("revoked", {"certificates": ["ab"]}), ("present", {"csr": zone.csr(), "validity_days": 30})):
        result = zone.run(state, zone_id="f" * 32, not_found="ignore", **named)
        assert result["failed"] and result["error"]["kind"] == kind and zone.changes() == [], result["msg"]


# -- credentials -----------------------------------------------------------------------------------------------------------------------


def test_each_kind_of_credentials_works_and_no_token_is_verified(zone):
    ready = zone.simulator.ready["cloudflare"]
    seen = []
    original = zone.cloudflare.handle

    def handle(call):
        seen.append(call)
        return original(call)

    zone.cloudflare.handle = handle
    key = {"account_email": ready["email"], "account_api_key": ready["api_key"]}
    for login in ({}, {"api_token": ready["account_token"]}, {"api_token": None, **key}, key):
        zone.load({})
        assert outcomes(zone.revoke(**login)) == ["pending"], login
    assert not any("verify" in call.path for call in seen)
    bearing = [call for call in seen if "Authorization" in call.headers]
    assert len(bearing) == 6 and not any("X-Auth-Email" in call.headers or "X-Auth-Key" in call.headers for call in bearing), "a token is sent alone"
    assert all("X-Auth-Email" in call.headers and "X-Auth-Key" in call.headers for call in seen if call not in bearing)


def test_credentials_from_the_environment(zone, monkeypatch):
    ready = zone.simulator.ready
    zone.load({})
    given = {"CLOUDFLARE_BASE_URL": ready["cloudflare"]["url"], "CLOUDFLARE_ZONE_ID": ready["cloudflare"]["zone_id"], "CLOUDFLARE_CA_PATH": ready["ca_path"]}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    logins = [{"CLOUDFLARE_API_TOKEN": "api_token"}, {"CLOUDFLARE_TOKEN": "account_token"}, {"CLOUDFLARE_EMAIL": "email", "CLOUDFLARE_API_KEY": "api_key"}]
    for login in logins:
        with monkeypatch.context() as patched:
            for name, value in login.items():
                patched.setenv(name, ready["cloudflare"][value])
            result = run_module(cloudflare_client_cert, {"state": "revoked", "certificates": zone.ids})
            assert outcomes(result) == ["pending"], result["msg"]


TOKEN, KEY, EMAIL = "cfut_" + "Q" * 40 + "0badc0de", "cfk_" + "Z" * 40 + "0badc0de", "certops@example.com"
REFUSED = [
    ({"api_token": TOKEN}, "authentication", "9109", "was made a moment ago"),
    ({"api_token": KEY}, "authentication", "6003", "6111: Invalid format for Authorization header). What was given as api_token is no API token."),
    ({"account_email": EMAIL, "account_api_key": TOKEN}, "authentication", "6003", "What was given as account_api_key is no global API key."),
    ({"account_email": "nobody", "account_api_key": KEY}, "authentication", "6003", "account_email (CLOUDFLARE_EMAIL) is no e-mail address"),
    ({"account_email": EMAIL, "account_api_key": KEY}, "authentication", "9103", "do not belong together"),
    ({"account_email": EMAIL}, "input", None, "no credentials given"),
    ({"account_api_key": KEY}, "input", None, "goes with account_email"),
    ({}, "input", None, "no credentials given"),
    ({"api_token": f"Bearer {TOKEN}"}, "input", None, "holds a blank"),
    ({"api_token": f"{TOKEN}\n"}, "input", None, "holds a blank"),
]


@pytest.mark.parametrize("login, kind, code, said", REFUSED)
@pytest.mark.parametrize("bare", [False, True])
def test_credentials_that_are_refused_are_explained_and_never_shown(zone, login, kind, code, said, bare):
    zone.switch(envelope_without_messages=bare, bad_token_status=401 if bare else 403)
    result = zone.run("revoked", certificates=[UNKNOWN], **{"api_token": None, **login})
    assert result["failed"] and (result["error"]["kind"], result["error"]["code"]) == (kind, code) and said in result["msg"], result["msg"]
    assert TOKEN not in result["output"] and KEY not in result["output"]
    if code:
        assert re.fullmatch("[0-9a-f]{16}-FRA", result["error"]["request_id"])


ANSWERS = [
    (400, '{"success":false,"errors":[{"code":9106,"message":"Missing X-Auth-Key, X-Auth-Email or Authorization headers"}]}\n', "authentication", "proxy"),
    (401, '{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"messages":[],"result":null}', "authentication", "unknown or revoked"),
    (400, '{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}]}', "authentication", "unknown or revoked"),
    (403, '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}', "authorization", "SSL and Certificates"),
    (400, '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}', "authentication", "Give a valid api_token"),
    (403, '{"success":false,"errors":[{"code":9109,"message":"Unauthorized to access requested resource"}]}', "authorization", "SSL and Certificates"),
    (403, '{"success":false,"errors":[{"code":10502,"message":"Too many authentication failures"}]}', "authentication", "Too many failed attempts"),
    (403, '{"success":false,"errors":[{"message":"no code at all"}]}', "authorization", "no code at all"),
    (403, "{}", "authorization", "no text"),
]


@pytest.mark.parametrize("status, body, kind, said", ANSWERS)
def test_each_answer_to_credentials(zone, status, body, kind, said):
    zone.simulator.faults.add("status", status=status, body=body, times=0)
    result = zone.present()
    assert result["failed"] and result["error"]["kind"] == kind and said in result["msg"] and result["error"]["status"] == status, result["msg"]
    assert len(zone.simulator.journal) == 1, "what is refused once is not tried again"


def test_a_token_for_reading_is_enough_for_check_mode_alone(zone):
    zone.load({})
    reading = {"api_token": zone.simulator.ready["cloudflare"]["read_token"]}
    assert outcomes(zone.revoke(check_mode=True, **reading)) == ["planned"]
    result = zone.revoke(*zone.ids, **reading)
    assert outcomes(result) == ["failed"] and only(result)["error"]["kind"] == "authorization" and not result["changed"] and zone.statuses() == ["active"]


# -- lists -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switches", [{}, {"result_info": False}, {"total_pages": False}, {"page_past_the_end": "error"}, {"list_order": "oldest"}], ids=str)
def test_the_list_is_read_to_its_end(zone, switches):
    """The certificate that counts is on the last page, and one page too few would create another one."""
    zone.switch(**switches)
    zone.cloudflare.load([{"cn": NAME, "key": "new", "age_days": 9}, {"cn": "d{n}", "count": 110, "key": "shared"}, {"cn": NAME, "key": "last"}])
    for label in ("new", "last"):
        assert outcomes(zone.present(csr=zone.csr(label))) == ["unchanged"]
    assert len(zone.sent("GET")) == (8 if switches.get("result_info") is False else 6) and zone.changes() == []
    assert all(entry["query"]["status"] == "all" and entry["query"]["per_page"] == "50" for entry in zone.sent("GET"))


def test_a_list_whose_end_cannot_be_told_creates_nothing(zone):
    zone.load({"key": "another"})
    zone.switch(result_info=False, page_past_the_end="error")
    result = zone.present()
    assert result["failed"] and not result.get("changed") and zone.effects() == []


@pytest.mark.parametrize("body", ['{"success":true,"result":{}}', '{"success":true}', "{}", '{"success":true,"result":"x"}', "[]", '{"success":false}'])
def test_what_is_no_list_is_not_taken_for_an_empty_one(zone, body):
    zone.load({})
    zone.simulator.faults.add("status", status=200, body=body, times=0)
    result = zone.present()
    assert result["failed"] and not result.get("changed") and zone.changes() == []


def test_a_few_ids_are_read_one_by_one_and_many_through_the_list(zone):
    numbers = zone.load({"key": "shared", "count": 120})
    zone.revoke(*numbers[:2], check_mode=True)
    assert len(zone.sent("GET")) == 2
    zone.revoke(*numbers, check_mode=True)
    assert len(zone.sent("GET")) == 2 + 4
    zone.switch(list_lag_seconds=3600, quota=200)
    made = zone.present(csr=zone.csr("fresh"))
    assert outcomes(zone.revoke(*numbers[:5], only(made)["id"], check_mode=True)) == ["planned"] * 6, "the list does not show the last one yet"
