# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tpp_certificate_reset against the simulator: each row of the decision table, each answer of TPP, each option."""

from __future__ import annotations

import json

import pytest

from ansible_collections.certops.remediation.plugins.module_utils import engine
from ansible_collections.certops.remediation.plugins.modules import tpp_certificate_info, tpp_certificate_reset

from ansible_collections.certops.remediation.tests.unit.support import HOME, run_module, tpp_options

CA_TEXT = "Post CSR failed with error: Cannot connect to the certificate authority (CA)."
IN_ERROR = {"in_error": True, "stage": 500, "status": CA_TEXT}
IN_PROCESS = {"in_process": True, "stage": 500, "status": "Post CSR"}
AWAITS_APPROVAL = {"stage": 500, "status": "Pending workflow resolution", "ticket_dn": "\\VED\\Workflow Tickets\\1"}


@pytest.fixture
def tpp(simulator, monkeypatch):
    """The simulator's TPP part with a way to run the module."""
    # Back-off without waiting; the engine and the transport import it by name.
    monkeypatch.setattr(engine, "backoff", lambda attempt: 0.001)
    return Tpp(simulator)


class Tpp:
    def __init__(self, simulator):
        self.simulator = simulator

    def load(self, **certificates):
        """Certificate objects by name; the value is the scenario's entry."""
        self.simulator.tpp.load([{"name": name.replace("_", "-"), **spec} for name, spec in certificates.items()])

    def reset(self, *names, check_mode=False, diff=False, **options):
        targets = [name if isinstance(name, dict) or name.startswith(("\\", "{")) else dn(name) for name in names]
        options = {"certificates": targets, **tpp_options(self.simulator), **options}
        return run_module(tpp_certificate_reset, options, check_mode=check_mode, diff=diff)

    def effects(self, name=None):
        """What changed at TPP, in order, according to the simulator's own journal."""
        return [entry["effect"] for entry in self.posts() if entry["effect"] and (name is None or entry["target"].lower() == dn(name).lower())]

    def posts(self):
        return [entry for entry in self.simulator.journal if entry["mutates"]]

    def shown(self, name):
        return self.simulator.tpp[dn(name)]


def dn(name):
    return f"{HOME}\\{name}"


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


# -- the decision table ----------------------------------------------------------------------------------------------------------------


def test_a_clean_certificate_is_not_asked_about(tpp):
    tpp.load(clean={})
    result = tpp.reset("clean")
    assert outcomes(result) == ["unchanged"] and not result["changed"] and tpp.posts() == []


@pytest.mark.parametrize("stage", [-1, 0, 100, 500, 700, 800, 1000])
def test_what_is_in_error_is_reset_whatever_the_stage(tpp, stage):
    tpp.load(bad={**IN_ERROR, "stage": stage})
    result = tpp.reset("bad", diff=True)
    assert outcomes(result) == ["applied"] and result["changed"] and tpp.effects() == ["reset"]
    entry = result["targets"][0]
    assert entry["before"]["stage"] == stage and entry["before"]["status"] == CA_TEXT and entry["after"]["in_error"] is False
    assert entry["processing_reset"] is True and entry["restarted"] is False and entry["reversible"]
    assert result["diff"]["before"][dn("bad")]["status"] == CA_TEXT
    assert tpp.reset("bad")["changed"] is False and len(tpp.posts()) == 1


def test_restart_is_asked_for_and_told(tpp):
    tpp.load(bad=IN_ERROR)
    result = tpp.reset("bad", restart=True)
    assert outcomes(result) == ["pending"] and result["changed"] and not result["failed"]
    assert result["targets"][0]["restarted"] is True and result["targets"][0]["after"]["stage"] == -1
    again = tpp.reset("bad", restart=True)
    assert outcomes(again) == ["pending"] and again["changed"] is False and tpp.effects() == ["reset+restart"]


def test_a_second_run_after_a_restart_that_shows_nothing_yet(tpp):
    tpp.simulator.configure({"tpp": {"queued_visible": False}})
    tpp.load(bad=IN_ERROR)
    assert tpp.reset("bad", restart=True)["changed"]
    assert tpp.reset("bad", restart=True)["changed"] is False and tpp.effects() == ["reset+restart"]


def with_thumbprint(tpp, *names):
    """Entries as tpp_certificate_info returns them."""
    found = run_module(tpp_certificate_info, {"certificates": [dn(name) for name in names], **tpp_options(tpp.simulator)})
    return found["certificates"]


RENEW = {"restart": True, "renew": True}


def test_what_needs_no_reset_is_renewed_once(tpp):
    tpp.load(good={"renewal": {"queued": 0, "seconds": 0}}, bad=IN_ERROR)
    entries = with_thumbprint(tpp, "good", "bad")
    plan = tpp.reset(*entries, check_mode=True, **RENEW)
    assert [entry["action"] for entry in plan["targets"]] == ["renew", "reset and restart"] and tpp.posts() == []
    result = tpp.reset(*entries, plan_digest=plan["plan_digest"], **RENEW)
    assert outcomes(result) == ["pending", "pending"] and sorted(tpp.effects()) == ["renew", "reset+restart"]
    again = tpp.reset(entries[0], wait=True, wait_interval=1, wait_timeout=30, **RENEW)
    assert outcomes(again) == ["unchanged"] and "has another certificate already" in again["targets"][0]["message"] and not again["changed"]
    assert tpp.effects("good") == ["renew"] and again["targets"][0]["thumbprint"] != entries[0]["thumbprint"]


@pytest.mark.parametrize(
    "state, why",
    [
        ({"management_type": "Monitoring"}, "management type is Monitoring"),
        ({"disabled": True}, "is disabled"),
    ],
)
def test_what_tpp_does_not_renew_is_refused_before_anything_is_written(tpp, state, why):
    tpp.load(odd=state)
    result = tpp.reset(*with_thumbprint(tpp, "odd"), **RENEW)
    assert outcomes(result) == ["refused"] and why in result["targets"][0]["message"] and tpp.posts() == []


def test_a_renewal_needs_to_know_which_certificate_is_meant(tpp):
    tpp.load(good={})
    result = tpp.reset("good", **RENEW)
    assert outcomes(result) == ["refused"] and "has no thumbprint" in result["targets"][0]["message"] and tpp.posts() == []
    assert "needs restart=true" in tpp.reset("good", renew=True)["msg"]


@pytest.mark.parametrize("fault", [{"action": "drop_before"}, {"action": "drop_after"}, {"action": "html", "status": 502, "after": True}])
@pytest.mark.parametrize("visible", [True, False])
def test_a_renewal_whose_answer_is_lost_is_not_repeated(tpp, monkeypatch, fault, visible):
    monkeypatch.setattr(tpp_certificate_reset, "LATE_RESTART_SECONDS", 0.0)
    tpp.simulator.configure({"tpp": {"queued_visible": visible}})
    tpp.load(good={"renewal": {"queued": 3600, "seconds": 1}})
    (entry,) = with_thumbprint(tpp, "good")
    tpp.simulator.faults.add(match={"path": "/certificates/renew$"}, **fault)
    first = tpp.reset(entry, **RENEW)
    assert len(tpp.posts()) == 1
    done = fault["action"] != "drop_before"
    assert outcomes(first) == ["pending" if done and visible else "unknown"]
    tpp.reset(entry, **RENEW)
    assert tpp.effects() == ["renew"]


def test_a_renewal_that_tpp_refuses_is_told_in_its_words(tpp):
    tpp.load(own={"user_csr": True})
    result = tpp.reset(*with_thumbprint(tpp, "own"), **RENEW)
    assert outcomes(result) == ["failed"] and "PKSC#10" in result["targets"][0]["message"] and tpp.effects() == []


@pytest.mark.parametrize("state", [IN_PROCESS, AWAITS_APPROVAL, {"in_flight": True}])
def test_work_in_flight_is_left_alone(tpp, state):
    tpp.load(busy=state)
    result = tpp.reset("busy")
    assert outcomes(result) == ["pending"] and not result["changed"] and not result["failed"] and tpp.posts() == []
    assert "left alone" in result["targets"][0]["message"] and result["targets"][0]["timed_out"] is False


def test_work_in_flight_can_be_refused_or_cancelled(tpp):
    tpp.load(busy=AWAITS_APPROVAL)
    refused = tpp.reset("busy", in_process="refuse")
    assert outcomes(refused) == ["refused"] and refused["failed"] and tpp.posts() == []
    assert outcomes(tpp.reset("busy", in_process="reset")) == ["applied"] and tpp.shown("busy").ticket_dn == ""


@pytest.mark.parametrize("revocation", ["revoked", "pending", "error"])
def test_a_revocation_state_is_not_cleared_unasked(tpp, revocation):
    tpp.load(gone={**IN_ERROR, "revocation": revocation}, other=IN_ERROR)
    refused = tpp.reset("gone", "other")
    assert outcomes(refused) == ["refused", "not_attempted"] and tpp.posts() == [] and "revoked=" in refused["msg"]
    left = tpp.reset("gone", "other", revoked="leave")
    assert outcomes(left) == ["unchanged", "applied"] and not left["failed"] and tpp.shown("gone").revocation == revocation
    cleared = tpp.reset("gone", revoked="reset")
    assert outcomes(cleared) == ["applied"] and cleared["targets"][0]["revocation_reset"] and tpp.shown("gone").revocation == "none"
    assert tpp.reset("gone", revoked="reset")["changed"] is False


def test_a_revoked_certificate_that_is_not_stuck_needs_no_reset(tpp):
    tpp.load(gone={"revocation": "revoked"})
    assert outcomes(tpp.reset("gone")) == ["unchanged"]
    assert outcomes(tpp.reset("gone", revoked="reset")) == ["applied"] and tpp.effects() == ["reset"]


def test_a_failed_revocation_counts_as_a_revocation_state(tpp):
    tpp.load(gone={"in_error": True, "stage": 1400, "status": "Revocation failed"})
    assert outcomes(tpp.reset("gone")) == ["refused"]


@pytest.mark.parametrize("key_state, changed", [("mismatch", True), ("missing", True), ("foreign", True), ("ok", False)])
def test_only_the_call_itself_reveals_a_key_mismatch(tpp, key_state, changed):
    tpp.load(odd={"key_state": key_state})
    assert outcomes(tpp.reset("odd")) == ["unchanged"] and tpp.posts() == []
    plan = tpp.reset("odd", check_private_key=True, check_mode=True)
    assert outcomes(plan) == ["unchanged"] and "check mode cannot" in plan["targets"][0]["message"] and tpp.posts() == []
    result = tpp.reset("odd", check_private_key=True)
    assert result["changed"] is changed and result["targets"][0]["private_key_mismatch_reset"] is changed and len(tpp.posts()) == 1
    assert tpp.reset("odd", check_private_key=True)["changed"] is False


def test_looking_for_a_mismatch_never_clears_a_revocation_state(tpp):
    tpp.load(gone={"revocation": "revoked", "key_state": "mismatch"})
    assert outcomes(tpp.reset("gone", check_private_key=True)) == ["refused"] and tpp.posts() == []


def test_an_unassigned_certificate_is_refused_before_anything_is_written(tpp):
    tpp.load(loose={**IN_ERROR, "management_type": "Unassigned"}, good=IN_ERROR)
    result = tpp.reset("loose", "good")
    assert outcomes(result) == ["refused", "not_attempted"] and tpp.posts() == [] and "Unassigned" in result["msg"]


# -- what TPP answers ------------------------------------------------------------------------------------------------------------------


def test_somebody_else_was_faster(tpp):
    tpp.load(bad=IN_ERROR)
    tpp.simulator.faults.add(
        "status", match={"path": "reset$"}, status=400, body=json.dumps({"Error": "Reset is not completed. No reset is required for the certificate."})
    )
    result = tpp.reset("bad")
    assert outcomes(result) == ["unchanged"] and not result["changed"] and not result["failed"]


def test_success_without_saying_what_was_done(tpp):
    tpp.simulator.configure({"tpp": {"reset_without_flags": True}})
    tpp.load(bad=IN_ERROR)
    assert outcomes(tpp.reset("bad")) == ["applied"]
    tpp.load(bad=IN_ERROR)
    tpp.simulator.faults.add("status", match={"path": "reset$"}, status=200, body="{}", content_type="application/json")
    nothing = tpp.reset("bad")
    assert outcomes(nothing) == ["failed"] and not nothing["changed"] and "looks as before" in nothing["msg"]


def test_a_lock_is_waited_for_and_then_given_up(tpp):
    tpp.load(busy={**IN_ERROR, "lock": 2})
    result = tpp.reset("busy")
    assert outcomes(result) == ["applied"] and [entry["status"] for entry in tpp.posts()] == [400, 400, 200] and tpp.effects() == ["reset"]
    tpp.load(held={**IN_ERROR, "lock": 1000})
    failed = tpp.reset("held", retry_timeout=0)
    assert outcomes(failed) == ["failed"] and "in use by another process" in failed["msg"] and "gave up" in failed["msg"]


def test_a_gateway_that_turns_away_is_asked_again(tpp):
    tpp.load(bad=IN_ERROR)
    tpp.simulator.faults.add("status", match={"path": "reset$"}, times=2, status=429, body="<html>slow down</html>", content_type="text/html")
    result = tpp.reset("bad")
    assert outcomes(result) == ["applied"] and [entry["status"] for entry in tpp.posts()] == [429, 429, 200]


@pytest.mark.parametrize("rights", [None, {"*": []}])
def test_missing_and_forbidden_are_one_failure_that_says_both(tpp, rights):
    tpp.load(good=IN_ERROR, **({"hidden": {**IN_ERROR, "rights": rights}} if rights else {}))
    result = tpp.reset("good", "hidden")
    assert outcomes(result) == ["not_attempted", "failed"] and result["failed"] and tpp.posts() == []
    assert "does not exist" in result["msg"] and "no rights" in result["msg"]


def test_no_right_to_write_is_the_vendors_refusal(tpp):
    tpp.load(fixed={**IN_ERROR, "rights": {"*": ["view", "read"]}})
    result = tpp.reset("fixed")
    assert outcomes(result) == ["failed"] and not result["changed"] and "write permission" in result["msg"].lower()


def test_accepted_but_not_done_yet(tpp):
    tpp.load(bad=IN_ERROR)
    tpp.simulator.faults.add("status", match={"path": "reset$"}, status=202, body="{}", after=True, content_type="application/json")
    assert outcomes(tpp.reset("bad")) == ["applied"]


@pytest.mark.parametrize("status", [200, 202, 400])
def test_what_tpp_says_it_did_counts_beside_any_status(tpp, status):
    tpp.simulator.configure({"tpp": {"work_to_do_expired_status": status, "queued_visible": False}})
    tpp.load(bad=IN_ERROR)
    result = tpp.reset("bad", restart=True, work_to_do_timeout=1)
    assert outcomes(result) == ["pending"] and result["changed"] and result["targets"][0]["restarted"] is True


def test_a_lock_is_followed_by_a_look_at_what_its_holder_has_done(tpp, monkeypatch):
    tpp.load(busy={**IN_ERROR, "lock": 1})
    pauses = []

    def meanwhile(attempt):
        if not pauses:
            tpp.simulator.tpp.change(dn("busy"), {"in_error": False, "in_process": True, "status": "Post CSR"})
        pauses.append(attempt)
        return 0.001

    monkeypatch.setattr(engine, "backoff", meanwhile)
    result = tpp.reset("busy", restart=True)
    assert outcomes(result) == ["pending"] and not result["changed"] and tpp.effects() == []


def test_a_lost_repair_of_a_key_is_not_called_unchanged(tpp):
    tpp.load(odd={"key_state": "mismatch"})
    tpp.simulator.faults.add("drop_after", match={"path": "reset$"})
    result = tpp.reset("odd", check_private_key=True)
    assert outcomes(result) == ["unknown"] and result["changed"] and result["failed"]


@pytest.mark.parametrize("fault", [{"status": 404}, {"status": 408}, {"status": 499}])
def test_a_page_of_something_in_between_is_not_tpps_answer(tpp, fault):
    tpp.load(bad=IN_ERROR)
    tpp.simulator.faults.add("html", match={"path": "reset$"}, after=True, **fault)
    result = tpp.reset("bad")
    assert outcomes(result) == ["applied"] and result["changed"] and tpp.effects() == ["reset"]


def test_what_the_vendor_says_is_redacted_in_the_journal(tpp, tmp_path):
    tpp.load(bad=IN_ERROR)
    token = tpp.simulator.ready["tpp"]["access_token"]
    tpp.simulator.faults.add("status", match={"path": "reset$"}, status=400, body=json.dumps({"Error": f"Token {token} is odd"}))
    result = tpp.reset("bad", journal_path=str(tmp_path / "journal"))
    assert outcomes(result) == ["failed"] and "is odd" in result["msg"] and token not in (tmp_path / "journal").read_text()


# -- targets ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a, b and c", "müller-straße.example.com", 'quo"ted', "*.example.com", "%41 & b=c?", "日本語", "CN=x,O=y", "back\\slash"]
)
def test_names_of_any_kind(tpp, name):
    tpp.simulator.tpp.load([{"name": name, **IN_ERROR}, *[{"name": f"plain-{number}", **IN_ERROR} for number in range(6)]])
    certificates = [certificate.dn for certificate in tpp.simulator.tpp.store.certificates.values()]
    result = tpp.reset(*certificates)
    assert outcomes(result) == ["applied"] * 7 and len(tpp.effects()) == 7
    assert tpp.reset(*certificates)["changed"] is False


def test_a_guid_a_dn_or_both_name_the_same_object(tpp):
    tpp.load(bad=IN_ERROR)
    guid = tpp.shown("bad").guid
    result = tpp.reset({"guid": guid.strip("{}").upper()}, guid, dn("BAD"), {"dn": dn("bad"), "guid": guid, "status": "from the info module"})
    assert outcomes(result) == ["applied", "unchanged", "unchanged", "unchanged"] and tpp.effects() == ["reset"]
    assert any("more than once" in warning for warning in result["warnings"])


def test_names_that_only_look_alike_are_two(tpp):
    tpp.load(**{"straße": IN_ERROR, "strasse": IN_ERROR})
    assert outcomes(tpp.reset("straße", "strasse")) == ["applied"] * 2


@pytest.mark.parametrize("options", [{}, {"read_details": False, "revoked": "reset"}])
def test_an_entry_that_names_two_objects_is_refused(tpp, options):
    tpp.load(one=IN_ERROR, two=IN_ERROR, three=IN_ERROR, four=IN_ERROR, five=IN_ERROR)
    others = [dn(name) for name in ("three", "four", "five")]
    result = tpp.reset({"dn": dn("one"), "guid": tpp.shown("two").guid}, *others, **options)
    assert outcomes(result)[0] == "failed" and "names two objects" in result["msg"] and tpp.posts() == []


def test_what_the_info_module_finds_is_reset_as_it_is(tpp):
    tpp.load(one=IN_ERROR, two=IN_ERROR, three={})
    found = run_module(tpp_certificate_info, {"in_error": True, **tpp_options(tpp.simulator)})
    result = tpp.reset(*found["certificates"])
    assert sorted(entry["certificate_dn"] for entry in result["targets"]) == [dn("one"), dn("two")] and outcomes(result) == ["applied"] * 2


def test_an_empty_list_is_unchanged(tpp):
    result = tpp.reset()
    assert not result["changed"] and not result["failed"] and tpp.simulator.journal == []


def test_one_certificate_by_its_own_option(tpp):
    tpp.load(bad=IN_ERROR)
    result = run_module(tpp_certificate_reset, {"certificate_dn": dn("bad"), **tpp_options(tpp.simulator)})
    assert outcomes(result) == ["applied"]


@pytest.mark.parametrize(
    "given, part",
    [
        ("www.example.com", "full DN"),
        ("", "full DN"),
        ("   ", "full DN"),
        ("\\VED", "full DN"),
        ("\\VED\\Policy\\", "backslash at its end"),
        ("\\VED\\Policy\\a\x00b", "control character"),
        ("\\VED\\Policy\\a\nb", "control character"),
        ({}, "neither dn nor guid"),
        ({"dn": ""}, "neither dn nor guid"),
        ({"guid": "not-a-guid"}, "not a GUID"),
        ({"dn": 5}, "not a string"),
        (17, "neither a DN"),
        (None, "neither a DN"),
        (["\\VED\\Policy\\a"], "neither a DN"),
    ],
)
def test_a_target_that_cannot_be_meant_is_named_before_anything_is_sent(tpp, given, part):
    result = run_module(tpp_certificate_reset, {"certificates": [dn("good"), given], **tpp_options(tpp.simulator)})
    assert result["failed"] and result["msg"].startswith("certificates[1]: ") and part in result["msg"] and tpp.simulator.journal == []


@pytest.mark.parametrize(
    "options, part",
    [
        ({"work_to_do_timeout": 121}, "work_to_do_timeout: 121 is out of range; give a number from 0 to 120"),
        ({"work_to_do_timeout": -1}, "work_to_do_timeout: -1"),
        ({"read_details": False}, "revoked=reset"),
        ({"check_private_key": True, "restart": True}, "check_private_key: cannot be combined"),
        ({"max_changes": -1}, "max_changes"),
        ({"concurrency": 0}, "concurrency"),
        ({"certificate_dn": "\\VED\\Policy\\a"}, "exactly one of the two"),
        ({"in_process": "perhaps"}, "in_process"),
        ({"url": "http://tpp.example.com"}, "plain HTTP"),
        ({"url": ""}, "url: no address"),
        ({"url": "tpp.example.com/other"}, "has a path"),
        ({"access_token": ""}, "no credentials"),
    ],
)
def test_options_that_cannot_work_are_named_before_anything_is_sent(tpp, options, part):
    result = tpp.reset("good", **options)
    assert result["failed"] and part in result["msg"] and tpp.simulator.journal == []


def test_neither_one_nor_many(tpp):
    result = run_module(tpp_certificate_reset, tpp_options(tpp.simulator))
    assert result["failed"] and "certificate_dn" in result["msg"] and "certificates" in result["msg"]


# -- requests --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by, options, most", [("dn", {}, 2.2), ("guid", {}, 2.0), ("dn", {"read_details": False, "revoked": "reset"}, 1.15)])
def test_requests_per_certificate(tpp, by, options, most):
    tpp.simulator.tpp.load([{"name": f"web-{number:04}.shop.example.com", **IN_ERROR} for number in range(200)])
    certificates = list(tpp.simulator.tpp.store.certificates.values())
    result = tpp.reset(*[{by: getattr(certificate, by)} for certificate in certificates], **options)
    assert outcomes(result) == ["applied"] * 200 and len(tpp.simulator.journal) <= most * 200
    assert result["http"]["requests"] == len(tpp.simulator.journal)


def test_a_clean_fleet_costs_next_to_nothing(tpp):
    tpp.simulator.tpp.load([{"name": f"web-{number:04}.shop.example.com"} for number in range(300)])
    result = tpp.reset(*tpp.simulator.tpp.store.certificates)
    assert outcomes(result) == ["unchanged"] * 300 and len(tpp.simulator.journal) < 45


def test_without_the_list_everything_is_still_found(tpp):
    """A server that refuses the filters costs requests, not truth."""
    tpp.simulator.tpp.load([{"name": f"web-{number}", **IN_ERROR} for number in range(6)])
    tpp.simulator.faults.add("status", match={"path": "certificates/?$"}, times=0, status=400, body='{"ErrorDetails": "unknown filter"}')
    assert outcomes(tpp.reset(*tpp.simulator.tpp.store.certificates)) == ["applied"] * 6


def test_a_list_that_shows_too_much_or_too_little_does_no_harm(tpp):
    tpp.simulator.tpp.load([{"name": f"web-{number}", **({} if number % 2 else IN_ERROR)} for number in range(10)])
    tpp.simulator.faults.add("status", match={"path": "certificates/?$"}, times=0, status=200, body='{"Certificates": [], "TotalCount": 0}')
    result = tpp.reset(*tpp.simulator.tpp.store.certificates)
    assert outcomes(result) == ["applied", "unchanged"] * 5


def test_a_token_that_may_manage_certificates_is_enough(tpp):
    tpp.load(bad=IN_ERROR)
    ready = tpp.simulator.ready["tpp"]
    result = tpp.reset(
        "bad", access_token=None, username=ready["username"], password=ready["password"], client_id=ready["client_id"], scope="certificate:manage"
    )
    assert outcomes(result) == ["applied"]


def test_a_token_that_may_only_read_is_told_the_scope(tpp):
    tpp.load(bad=IN_ERROR)
    ready = tpp.simulator.ready["tpp"]
    login = {"access_token": None, "username": ready["username"], "password": ready["password"], "client_id": ready["client_id"], "scope": "certificate"}
    plan = tpp.reset("bad", check_mode=True, **login)
    assert outcomes(plan) == ["planned"], "reading is enough for check mode"
    result = tpp.reset("bad", **login)
    assert outcomes(result) == ["failed"] and "certificate:manage" in result["msg"] and tpp.effects() == []


def test_config_calls_that_need_another_scope_are_done_without(tpp):
    tpp.simulator.configure({"tpp": {"config_lookup_scope": "configuration"}})
    tpp.load(bad=IN_ERROR)
    ready = tpp.simulator.ready["tpp"]
    login = {"access_token": None, "username": ready["username"], "password": ready["password"], "client_id": ready["client_id"]}
    assert outcomes(tpp.reset("bad", **login)) == ["applied"]


# -- waiting ---------------------------------------------------------------------------------------------------------------------------


def waiting(tpp, *names, speed=60, **options):
    tpp.simulator.configure({"clock_scale": speed})
    return tpp.reset(*names, restart=True, wait=True, wait_interval=1, **options)


def test_waiting_until_renewed(tpp):
    tpp.load(bad=IN_ERROR)
    before = tpp.simulator.tpp.facts(dn("bad"))["Thumbprint"]
    result = waiting(tpp, "bad")
    entry = result["targets"][0]
    assert outcomes(result) == ["applied"] and entry["changed"] and entry["thumbprint"] == tpp.simulator.tpp.facts(dn("bad"))["Thumbprint"] != before
    assert tpp.effects() == ["reset+restart"]


def test_waiting_until_it_has_failed_again(tpp):
    tpp.load(bad={**IN_ERROR, "renewal": {"outcome": "failed", "stage": 400, "status": "Organization is required by the policy"}})
    result = waiting(tpp, "bad")
    assert outcomes(result) == ["failed"] and result["failed"] and result["targets"][0]["changed"], "the restart did happen"
    assert "stage 400 (CreateCSR): Organization is required by the policy" in result["msg"]


def test_a_wait_ends_where_a_person_has_to_approve(tpp):
    tpp.load(bad={**IN_ERROR, "renewal": {"workflow": True, "stage": 500}})
    result = waiting(tpp, "bad")
    assert outcomes(result) == ["pending"] and not result["failed"] and "approve" in result["targets"][0]["message"]


def test_a_wait_for_the_approval_runs_out(tpp):
    tpp.load(bad={**IN_ERROR, "renewal": {"workflow": True, "stage": 500}})
    result = waiting(tpp, "bad", wait_for_approval=True, wait_timeout=2)
    assert outcomes(result) == ["pending"] and result["failed"] and "wait_timeout" in result["msg"] and "approval" in result["msg"]
    assert result["targets"][0]["timed_out"] is True


def test_waiting_without_restart_reads_the_object_back(tpp):
    tpp.load(bad=IN_ERROR)
    result = tpp.reset("bad", wait=True)
    assert outcomes(result) == ["applied"] and "read back" in result["targets"][0]["message"] and tpp.simulator.journal[-1]["method"] == "GET"


def test_waiting_for_what_was_already_in_flight_is_no_change(tpp):
    tpp.load(busy={"in_flight": True})
    result = waiting(tpp, "busy")
    assert outcomes(result) == ["unchanged"] and not result["changed"] and "renewed" in result["targets"][0]["message"]


def test_a_renewal_that_shows_nothing_while_queued_is_waited_for(tpp):
    tpp.simulator.configure({"tpp": {"queued_visible": False}})
    tpp.load(bad={**IN_ERROR, "renewal": {"queued": 30}})
    result = waiting(tpp, "bad")
    assert outcomes(result) == ["applied"] and "renewed" in result["targets"][0]["message"]


def test_many_are_waited_for_by_the_list(tpp):
    tpp.simulator.tpp.load([{"name": f"web-{number:03}", **IN_ERROR} for number in range(50)])
    result = waiting(tpp, *tpp.simulator.tpp.store.certificates)
    assert outcomes(result) == ["applied"] * 50 and len(tpp.simulator.journal) < 50 * 2 + 40


def test_tpp_may_think_about_it_as_long_as_it_was_told(tpp):
    tpp.load(bad=IN_ERROR)
    tpp.simulator.faults.add("delay", match={"path": "reset$"}, seconds=1.5)
    assert outcomes(tpp.reset("bad", timeout=1, work_to_do_timeout=5)) == ["applied"]
    assert tpp.posts()[0]["body"]["WorkToDoTimeout"] == 5
