# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keyfactor_certificate_revoke against the simulator: each row of the decision table, each shape of an answer, each option."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.certops.remediation.plugins.module_utils import engine
from ansible_collections.certops.remediation.plugins.modules import keyfactor_certificate_info, keyfactor_certificate_revoke

from ansible_collections.certops.remediation.tests.unit.support import keyfactor_options, run_module

COMMENT = "INC-4711"
ACTIVE, HOLD, REVOKED = {}, {"on_hold": True}, {"state": 2, "reason": 4}
REFUSED_BY_CA = "The CA cannot find the request."
PASSWORD = "limited-pass-9"
# Users with fewer rights than the simulator's own.
LIMITED = {
    "users": [
        {"name": "blind", "password": PASSWORD, "workflows": False},
        {"name": "reader", "password": PASSWORD, "revoke": False},
        {"name": "shop", "password": PASSWORD, "read": [7], "revoke": [7], "workflows": False},
    ],
    "collections": [{"id": 7, "name": "Shop Team", "content": 'IssuedCN -contains "shop.test"'}],
}


@pytest.fixture
def command(simulator, monkeypatch):
    """The simulator's Command part with a way to run the module."""
    monkeypatch.setattr(engine, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(keyfactor_certificate_revoke, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(keyfactor_certificate_revoke, "LATE_REVOCATION_SECONDS", 0.01)
    monkeypatch.setattr(keyfactor_certificate_revoke, "PATIENCE", 0.02)
    simulator.reset({"keyfactor": LIMITED}, {"clock_scale": 0})
    return Command(simulator)


class Command:
    def __init__(self, simulator):
        self.simulator = simulator
        self.ids = []

    def load(self, *entries):
        self.ids = self.simulator.keyfactor.load([{"cn": f"c{number}.example.com", **entry} for number, entry in enumerate(entries)])
        return self.ids

    def switch(self, **switches):
        self.simulator.configure({"keyfactor": switches})

    def run(self, targets=None, check_mode=False, diff=False, **options):
        named = {} if "query" in options else {"certificates": self.ids if targets is None else targets}
        options = {"comment": COMMENT, **keyfactor_options(self.simulator), **named, **options}
        return run_module(keyfactor_certificate_revoke, options, check_mode=check_mode, diff=diff)

    def posts(self):
        return [entry for entry in self.simulator.journal if entry["mutates"]]

    def effects(self, number=None):
        return self.simulator.records.effects(str(self.ids[0] if number is None else number))

    def shown(self, index=0):
        return self.simulator.keyfactor[self.ids[index]]


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


# -- the decision table ----------------------------------------------------------------------------------------------------------------

ROWS = [
    # found, wanted, outcome, what happens at Command
    (ACTIVE, "revoked", "applied", ["revoke"]),
    (ACTIVE, "on_hold", "applied", ["hold"]),
    (ACTIVE, "released", "unchanged", []),
    (HOLD, "revoked", "applied", ["revoke"]),
    (HOLD, "on_hold", "unchanged", []),
    (HOLD, "released", "applied", ["release"]),
    (REVOKED, "revoked", "unchanged", []),
    (REVOKED, "on_hold", "unchanged", []),
    (REVOKED, "released", "refused", []),
    *[({"state": state}, "revoked", "refused", []) for state in (0, 3, 4, 5, 6, 7, 8)],
    ({"state": 6}, "released", "refused", []),
    ({"valid_days": -5}, "revoked", "unchanged", []),
    ({"valid_days": -5, "on_hold": True}, "released", "unchanged", []),
    ({"suspended": True}, "revoked", "pending", []),
    ({"suspended": True}, "on_hold", "pending", []),
    ({"approval": True}, "revoked", "pending", ["suspend"]),
    ({"ca_refuses": REFUSED_BY_CA}, "revoked", "failed", []),
]


@pytest.mark.parametrize("found, wanted, outcome, happens", ROWS)
def test_each_row_of_the_decision_table(command, found, wanted, outcome, happens):
    command.load(found)
    plan = command.run(state=wanted, check_mode=True)
    assert command.posts() == []
    result = command.run(state=wanted, diff=True)
    assert outcomes(result) == [outcome] and command.effects() == happens, result["msg"]
    assert result["changed"] is bool(happens) and result["failed"] is (outcome in ("refused", "failed"))
    expected = {"applied": "planned", "pending": "planned" if happens else "pending", "failed": "planned"}.get(outcome, outcome)
    assert outcomes(plan) == [expected]
    assert (result["diff"]["after"] != {}) is bool(happens)
    again = command.run(state=wanted)
    assert again["changed"] is False and command.effects() == happens


def test_what_was_done_is_read_back_and_shown(command):
    command.load(ACTIVE)
    result = command.run(reason="keyCompromise", diff=True)
    entry = result["targets"][0]
    assert entry["before"] == {"state": "active", "reason": None, "effective_date": None, "comment": None}
    assert (entry["after"]["state"], entry["after"]["reason"], entry["after"]["comment"]) == ("revoked", "key_compromise", COMMENT)
    assert entry["after"]["effective_date"].startswith("20") and entry["reversible"] == "Cannot be undone."
    assert entry["action"] == "revoke (key_compromise)" and entry["id"] == command.ids[0] and entry["common_name"] == "c0.example.com"
    assert entry["pending_approval"] is False and entry["workflow_id"] is None
    assert command.shown().revocation_reason == 1 and command.shown().revocation_comment == COMMENT
    assert list(result["diff"]["after"].values()) == [entry["after"]]


def test_check_mode_makes_up_no_date(command):
    command.load(ACTIVE)
    assert command.run(check_mode=True)["targets"][0]["after"]["effective_date"] == "now"
    dated = command.run(check_mode=True, effective_date="2026-01-01")["targets"][0]
    assert dated["after"]["effective_date"] == "2026-01-01T00:00:00Z" and dated["action"].endswith("as of 2026-01-01T00:00:00Z")


def test_another_reason_is_warned_about_and_not_asked_for(command):
    command.load(REVOKED)
    result = command.run(reason="key_compromise")
    assert outcomes(result) == ["unchanged"] and "superseded" in result["targets"][0]["message"]
    assert len(result["warnings"]) == 1 and "c0.example.com (superseded)" in result["warnings"][0]
    assert command.run(reason="superseded")["warnings"] == [] and command.posts() == []


def test_a_hold_becomes_final_unless_the_authority_refuses(command):
    command.load(HOLD)
    command.switch(hold_to_revoked="refused")
    result = command.run(reason="key_compromise")
    assert outcomes(result) == ["failed"] and not result["changed"] and command.shown().revocation_reason == 6
    command.switch(hold_to_revoked="allowed")
    assert outcomes(command.run(reason="key_compromise")) == ["applied"] and command.shown().revocation_reason == 1


@pytest.mark.parametrize("state", [0, 3, 4, 5, 8])
def test_what_was_never_issued_can_be_allowed(command, state):
    command.load({"state": state})
    refused = command.run()
    name = {0: "unknown", 3: "denied", 4: "failed", 5: "pending", 8: "external_validation"}[state]
    assert name in refused["msg"] and f"allow={name}" in refused["msg"]
    assert outcomes(command.run(allow=[name], check_mode=True)) == ["planned"]


def test_an_authority_is_refused_unless_allowed_also_where_only_the_flag_tells(command):
    command.load({"state": 6})
    assert "allow=ca" in command.run()["msg"]
    assert outcomes(command.run(allow=["ca"], check_mode=True)) == ["planned"]


def test_expired_ones_can_be_revoked(command):
    command.load({"valid_days": -5})
    assert outcomes(command.run(expired="act")) == ["applied"] and command.effects() == ["revoke"]


def test_not_found(command):
    command.load(ACTIVE)
    missing = "AB" * 20
    result = command.run([command.ids[0], missing, 999999])
    assert outcomes(result) == ["not_attempted", "failed", "failed"] and command.posts() == []
    result = command.run([command.ids[0], missing, 999999], not_found="ignore")
    assert outcomes(result) == ["applied", "unchanged", "unchanged"] and not result["failed"]
    assert "not_found=ignore" in result["targets"][1]["message"] and "id" not in result["targets"][1]


def test_a_wrong_api_path_is_not_taken_for_missing_certificates(command):
    command.load(ACTIVE)
    result = command.run(not_found="ignore", api_path="Wrong/Path")
    assert result["failed"] and "api_path" in result["msg"] and "targets" not in result


# -- approvals -------------------------------------------------------------------------------------------------------------------------


def test_an_approval_that_is_open_is_named_and_not_asked_for_twice(command):
    command.load({"approval": True})
    first = command.run(reason="key_compromise")
    entry = first["targets"][0]
    assert entry["outcome"] == "pending" and first["changed"] and entry["pending_approval"] and entry["workflow_id"] in command.shown().pending
    assert entry["after"]["state"] == "active"
    again = command.run(reason="key_compromise")
    assert outcomes(again) == ["pending"] and not again["changed"] and not again["failed"] and len(command.posts()) == 1
    assert again["targets"][0]["workflow_id"] == entry["workflow_id"] and "not asked for again" in again["targets"][0]["message"]


@pytest.mark.parametrize("approved, outcome", [(True, "applied"), (False, "failed")])
def test_waiting_follows_an_approval_to_its_end(command, approved, outcome):
    command.load({"approval": True})
    decide = command.simulator.keyfactor.approve if approved else command.simulator.keyfactor.reject
    run_later(command, decide)
    result = command.run(reason="key_compromise", wait=True, wait_for_approval=True, wait_interval=1)
    assert outcomes(result) == [outcome] and result["changed"] and command.effects() == (["suspend", "revoke"] if approved else ["suspend"])
    assert result["targets"][0]["pending_approval"] is False
    if not approved:
        assert "Rejected" in result["msg"]


def run_later(command, decide):
    """Decide on the first certificate once somebody has looked at its workflow after the request."""
    simulator = command.simulator
    original = simulator.keyfactor.handle

    def handle(call):
        answer = original(call)
        if command.shown().pending and call.path.endswith("/workflow/instances"):
            decide(command.ids[0])
        return answer

    simulator.keyfactor.handle = handle
    command.undo = lambda: setattr(simulator.keyfactor, "handle", original)


@pytest.fixture(autouse=True)
def undo_handlers(shared_simulator):
    yield
    vars(shared_simulator.keyfactor).pop("handle", None)


def test_waiting_alone_does_not_wait_for_people(command):
    command.load({"approval": True}, ACTIVE)
    result = command.run(wait=True)
    assert outcomes(result) == ["pending", "applied"] and not result["failed"] and "approve or deny" in result["targets"][0]["message"]


def test_waiting_for_an_approval_that_never_comes_ends(command):
    command.load({"approval": True})
    result = command.run(wait=True, wait_for_approval=True, wait_timeout=1, wait_interval=1)
    assert outcomes(result) == ["pending"] and result["failed"] and result["targets"][0]["timed_out"] and result["changed"]


def test_one_that_was_open_already_and_is_approved_meanwhile_is_not_this_runs_change(command):
    command.load({"suspended": True})
    run_later(command, command.simulator.keyfactor.approve)
    result = command.run(wait=True, wait_for_approval=True, wait_interval=1)
    assert outcomes(result) == ["unchanged"] and not result["changed"] and command.posts() == []


def test_without_the_right_to_see_approvals_it_warns_or_refuses(command):
    command.load({"approval": True})
    login = login_as("blind")
    refused = command.run(pending_approvals="require", **login)
    assert refused["failed"] and "pending_approvals" in refused["msg"] and command.posts() == []
    tried = command.run(**login)
    assert outcomes(tried) == ["pending"] and any("asked for again" in text for text in tried["warnings"])
    assert command.run(pending_approvals="ignore", **login)["warnings"] == []


def login_as(name):
    return {"username": name, "password": PASSWORD}


def test_a_second_request_that_command_refuses_for_its_open_workflow_is_found_pending(command):
    command.load({"approval": True})
    command.run()
    result = command.run(pending_approvals="ignore")
    assert result["targets"][0]["outcome"] == "failed" and "suspended workflow" in result["msg"].lower() and not result["changed"]


@pytest.mark.parametrize("form", ["word", "number"])
def test_open_approvals_are_found_in_either_form_of_the_status(command, form):
    command.switch(workflow_status_form=form)
    command.load({"suspended": True})
    assert outcomes(command.run()) == ["pending"] and command.posts() == []


def test_a_release_is_refused_while_a_revocation_waits(command):
    command.load({"on_hold": True, "suspended": True})
    result = command.run(state="released")
    assert outcomes(result) == ["refused"] and "denied" in result["msg"] and command.posts() == []


# -- shapes of answers -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["missing", "listed", "error", "refuse_all"])
@pytest.mark.parametrize("batch_size", [1, 2, 50])
def test_a_partial_failure_in_any_shape_is_told_per_certificate(command, shape, batch_size):
    command.switch(partial_failure=shape)
    command.load(ACTIVE, {"ca_refuses": REFUSED_BY_CA}, ACTIVE, {"approval": True}, ACTIVE)
    result = command.run(batch_size=batch_size, concurrency=1)
    assert outcomes(result) == ["applied", "failed", "applied", "pending", "applied"] and result["changed"] and result["failed"]
    assert [command.effects(number) for number in command.ids] == [["revoke"], [], ["revoke"], ["suspend"], ["revoke"]]
    assert REFUSED_BY_CA in result["targets"][1]["message"] and result["targets"][1]["after"]["state"] == "active"
    again = command.run(batch_size=batch_size)
    assert again["changed"] is False and outcomes(again) == ["unchanged", "failed", "unchanged", "pending", "unchanged"]


@pytest.mark.parametrize("switches", [{"version": "9"}, {"response_key_case": "camel"}, {"empty_lists": "null"}, {"version": "12.0"}, {"version": "10.5"}])
def test_answers_of_other_versions(command, switches):
    command.switch(**switches)
    command.load(ACTIVE, HOLD, REVOKED, ACTIVE)
    result = command.run()
    assert outcomes(result) == ["applied", "applied", "unchanged", "applied"] and result["changed"] and not result["failed"]
    assert [command.effects(number) for number in command.ids] == [["revoke"], ["revoke"], [], ["revoke"]]
    assert command.run()["changed"] is False


def test_success_without_a_word_is_not_believed(command):
    """200 with an empty body, as of a proxy that lost it: nothing was done."""
    command.load(ACTIVE)
    command.simulator.faults.add("empty", match={"path": "/revoke$"}, status=200)
    result = command.run()
    assert outcomes(result) == ["unknown"] and command.effects() == [] and result["failed"] and "does not show it" in result["msg"]
    assert outcomes(command.run()) == ["applied"]


def test_success_without_a_word_is_believed_when_the_record_shows_it(command):
    command.load(ACTIVE, ACTIVE)
    command.simulator.faults.add("empty", match={"path": "/revoke$"}, status=200, after=True)
    assert outcomes(command.run()) == ["applied", "applied"]


def test_a_record_that_lags_behind_does_not_fail_what_command_has_listed(command):
    command.switch(read_back_delay=100.0)
    command.load(ACTIVE)
    result = command.run()
    assert outcomes(result) == ["applied"] and "does not show it yet" in result["targets"][0]["message"]
    command.simulator.clock.advance(200)
    assert command.run()["changed"] is False


def test_waiting_follows_a_record_that_lags_behind(command):
    command.simulator.configure({"clock_scale": 1, "keyfactor": {"read_back_delay": 0.5}})
    command.load(ACTIVE)
    result = command.run(wait=True, wait_interval=1)
    assert outcomes(result) == ["applied"] and result["targets"][0]["after"]["state"] == "revoked" and command.effects() == ["revoke"]


@pytest.mark.parametrize("answer", ["error", "accept"])
def test_a_second_request_while_the_record_lags_behind_claims_nothing(command, answer):
    command.switch(read_back_delay=100.0, already_revoked=answer)
    command.load(ACTIVE)
    command.run()
    again = command.run()
    if answer == "error":
        assert outcomes(again) == ["unknown"] and not again["changed"] and "synchronize" in again["msg"]
    assert command.effects()[:1] == ["revoke"]


@pytest.mark.parametrize("shape", ["missing", "error", "refuse_all"])
def test_someone_else_revokes_between_plan_and_request(command, shape):
    command.switch(partial_failure=shape)
    command.load(ACTIVE, ACTIVE)
    original = command.simulator.keyfactor.handle

    def handle(call):
        if call.path.endswith("/revoke") and command.shown(1).state == 1:
            command.simulator.keyfactor.change(command.ids[1], {"state": 2, "revocation_reason": 4, "revocation_comment": "by hand", "revocation_date": 1.7e9})
        return original(call)

    command.simulator.keyfactor.handle = handle
    result = command.run(reason="key_compromise")
    assert outcomes(result) == ["applied", "unchanged"] and not result["failed"]
    assert "somebody else" in result["targets"][1]["message"] and "by hand" in result["targets"][1]["message"]
    assert command.effects(command.ids[1]) == []


@pytest.mark.parametrize("unknown_id", ["404", "400", "missing"])
def test_one_that_is_deleted_between_plan_and_request(command, unknown_id):
    command.switch(unknown_id=unknown_id)
    command.load(ACTIVE, ACTIVE, ACTIVE)
    original = command.simulator.keyfactor.handle

    def handle(call):
        if call.path.endswith("/revoke") and command.ids[1] in command.simulator.keyfactor.store.certificates:
            command.simulator.keyfactor.remove(command.ids[1])
        return original(call)

    command.simulator.keyfactor.handle = handle
    result = command.run()
    assert [outcomes(result)[index] for index in (0, 2)] == ["applied", "applied"] and outcomes(result)[1] in ("unknown", "failed")
    assert result["failed"]


# -- effective date --------------------------------------------------------------------------------------------------------------------


def test_a_past_date_is_sent_and_shown(command):
    command.load(ACTIVE)
    result = command.run(effective_date="2026-10-01T10:00:00+02:00", reason="key_compromise")
    assert result["targets"][0]["after"]["effective_date"] == "2026-10-01T08:00:00Z"
    assert command.posts()[0]["body"]["EffectiveDate"] == "2026-10-01T08:00:00Z"


@pytest.mark.parametrize("behaviour", ["at_once", "on_date"])
def test_a_future_date_is_pending_until_the_record_shows_it(command, behaviour):
    command.switch(future_effective_date=behaviour)
    command.load(ACTIVE)
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = command.run(effective_date=tomorrow, wait=True, wait_timeout=2)
    assert outcomes(result) == ["applied" if behaviour == "at_once" else "pending"] and result["changed"] and not result["failed"]
    again = command.run(effective_date=tomorrow)
    assert again["changed"] is False and command.effects() == ["revoke"], "also where only the history shows it"


@pytest.mark.parametrize(
    "date, said",
    [
        ("2026-11-30T12:00:00", "time zone"),
        ("tomorrow", "not a date"),
        ("2026-13-01", "not a date"),
        ("2126-01-01", "year"),
        ("1999-01-01", "year"),
        ("2026-11-22T5", "not a date"),
    ],
)
def test_dates_that_cannot_be_meant(command, date, said):
    command.load(ACTIVE)
    result = command.run(effective_date=date)
    assert result["failed"] and result["msg"].startswith("effective_date") and said in result["msg"] and command.simulator.journal == []


# -- reasons, names and other input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason, number",
    [("keyCompromise", 1), ("key_compromise", 1), ("Key Compromise", 1), ("1", 1), (1, 1), ("0", 0), ("cACompromise", 2), ("affiliation-changed", 3), ("5", 5)],
)
def test_reasons_by_any_usual_spelling(command, reason, number):
    command.load(ACTIVE)
    assert outcomes(command.run(reason=reason)) == ["applied"] and command.posts()[0]["body"]["Reason"] == number


@pytest.mark.parametrize(
    "reason, remedy",
    [
        ("keyCompromised", "key_compromise"),
        ("superceded", "superseded"),
        ("nonsense", "give one of"),
        ("6", "state=on_hold"),
        ("certificateHold", "state=on_hold"),
        ("7", "state=released"),
        ("8", "state=released"),
        ("-1", "state=released"),
        ("removeFromCRL", "state=released"),
        ("9", "cannot revoke for privilege_withdrawn"),
        ("aACompromise", "cannot revoke for aa_compromise"),
        ("999", "no reason"),
        ("1.5", "no reason"),
    ],
)
def test_reasons_that_cannot_be_meant(command, reason, remedy):
    command.load(ACTIVE)
    result = command.run(reason=reason)
    assert result["failed"] and result["msg"].startswith("reason:") and remedy in result["msg"] and command.simulator.journal == []


@pytest.mark.parametrize("state, number", [("on_hold", 6), ("released", -1)])
def test_a_hold_and_a_release_have_their_own_reason(command, state, number):
    command.load(HOLD if state == "released" else ACTIVE)
    refused = command.run(state=state, reason="key_compromise")
    assert refused["failed"] and "state=revoked only" in refused["msg"]
    command.run(state=state)
    assert command.posts()[0]["body"]["Reason"] == number


@pytest.mark.parametrize(
    "given, said",
    [
        ("", "hexadecimal"),
        ("zz", "hexadecimal"),
        ("AB" * 32, "SHA-256"),
        ("ABCDEF01", "serial number goes with its issuer"),
        (0, "whole numbers above 0"),
        (-4, "hexadecimal"),
        (True, "neither an id"),
        (1.5, "neither an id"),
        (2**31, "whole numbers above 0"),
        ({}, "has neither id"),
        ({"id": "x"}, "not the id"),
        ({"thumbprint": 12345}, "in quotes"),
        ({"thumbprint": "AB"}, "40 hexadecimal"),
        ({"serial": "xyz"}, "hexadecimal"),
        ([1], "neither an id"),
    ],
)
def test_targets_that_cannot_be_meant(command, given, said):
    result = command.run([given])
    assert result["failed"] and result["msg"].startswith("certificates[0]") and said in result["msg"] and command.simulator.journal == []


def test_targets_by_every_name(command):
    first, second, third, fourth = command.load(ACTIVE, ACTIVE, ACTIVE, ACTIVE)
    part = command.simulator.keyfactor
    spaced = ":".join(part[second].thumbprint.lower()[index : index + 2] for index in range(0, 40, 2))
    targets = [
        first,
        spaced,
        {"serial": "00" + part[third].serial.lower(), "issuer": part[third].issuer_dn.replace(",", ", ")},
        {"id": fourth, "thumbprint": part[fourth].thumbprint, "common_name": "c3.example.com", "other": 1},
    ]
    result = command.run(targets)
    assert outcomes(result) == ["applied"] * 4 and [entry["id"] for entry in result["targets"]] == command.ids
    assert result["targets"][3]["target"] == f"c3.example.com ({fourth})"


def test_a_serial_number_of_two_authorities_needs_its_issuer(command):
    one, other = "CN=CA One,O=Example,C=US", "CN=CA Two,O=Example,C=US"
    first, second = command.load({"serial": "0ABC", "issuer": one}, {"serial": "0ABC", "issuer": other})
    result = command.run([{"serial": "ABC"}])
    assert outcomes(result) == ["failed"] and "CA One" in result["msg"] and "CA Two" in result["msg"] and command.posts() == []
    assert outcomes(command.run([{"serial": "0a:bc", "issuer": "C=US, O=Example, CN=CA Two"}])) == ["applied"]
    assert command.effects(second) == ["revoke"] and command.effects(first) == []


def test_an_entry_that_names_two_certificates_is_not_acted_on(command):
    first, second = command.load(ACTIVE, ACTIVE)
    result = command.run([{"id": first, "thumbprint": command.shown(1).thumbprint}])
    assert outcomes(result) == ["failed"] and "two certificates" in result["msg"] and command.posts() == []


def test_what_is_listed_twice_is_acted_on_once(command):
    command.load(ACTIVE)
    result = command.run([command.ids[0], command.shown().thumbprint, str(command.ids[0])])
    assert outcomes(result) == ["applied", "unchanged", "unchanged"] and command.effects() == ["revoke"]
    assert command.posts()[0]["body"]["CertificateIds"] == command.ids


@pytest.mark.parametrize("options", [{}, {"certificates": [1], "query": "CertState -eq 1"}])
def test_exactly_one_way_to_name_the_targets(command, options):
    result = run_module(keyfactor_certificate_revoke, {**keyfactor_options(command.simulator), **options})
    assert result["failed"] and "exactly one" in result["msg"]


@pytest.mark.parametrize("name, value", [("batch_size", 0), ("batch_size", 501), ("query_limit", 0), ("collection_id", 0), ("max_changes", -1), ("timeout", 0)])
def test_numbers_out_of_range(command, name, value):
    result = command.run([], **{name: value})
    assert result["failed"] and result["msg"].startswith(name) and "out of range" in result["msg"]


def test_an_empty_list_changes_nothing(command):
    result = command.run([])
    assert not result["changed"] and not result["failed"] and result["targets"] == []


# -- queries ---------------------------------------------------------------------------------------------------------------------------


def test_a_query_is_turned_into_certificates_first(command):
    command.load(ACTIVE, REVOKED, HOLD, {"valid_days": -3})
    command.simulator.keyfactor.add([{"cn": "other.test"}])
    result = command.run(query='IssuedCN -contains "example.com"', reason="key_compromise")
    assert outcomes(result) == ["applied", "unchanged", "applied", "unchanged"] and result["targets"][0]["target"] == f"c0.example.com ({command.ids[0]})"
    assert not any(entry["path"].endswith("revokeall") for entry in command.simulator.journal)
    assert sum(entry["path"].endswith("/certificates") for entry in command.simulator.journal) == 3, "queries are looked at, found once, read back once"


@pytest.mark.parametrize("query", ["", "   "])
def test_an_empty_query_is_refused(command, query):
    command.load(ACTIVE)
    result = command.run(query=query)
    assert result["failed"] and "query" in result["msg"] and command.posts() == []


def test_a_query_that_matches_too_many_is_refused_with_the_number(command):
    command.simulator.keyfactor.load([{"cn": "n{n}.example.com", "count": 60}])
    result = command.run(query='IssuedCN -contains "example.com"', query_limit=50)
    assert result["failed"] and "60" in result["msg"] and "query_limit" in result["msg"] and command.posts() == []
    result = command.run(query='IssuedCN -contains "example.com"', max_changes=50)
    assert result["failed"] and "would change 60" in result["msg"] and command.posts() == []


def test_a_query_that_command_cannot_read_is_told(command):
    command.load(ACTIVE)
    result = command.run(query="Nonsense -eq 1")
    assert result["failed"] and "list certificates" in result["msg"] and result["error"]["status"] == 400


# -- guards ----------------------------------------------------------------------------------------------------------------------------

PLACES = [{"machine": "lb01.example.com", "path": "/config/ssl", "alias": "shop"}]


def test_what_is_still_deployed_is_told_or_refused(command):
    command.load({"locations": PLACES}, ACTIVE)
    plan = command.run(check_mode=True)
    assert "still deployed at lb01.example.com: /config/ssl (shop)" in plan["targets"][0]["message"]
    refused = command.run(deployed="refuse")
    assert outcomes(refused) == ["refused", "not_attempted"] and "lb01.example.com" in refused["msg"] and command.posts() == []
    assert refused["targets"][0]["locations"] == ["lb01.example.com: /config/ssl (shop)"]
    done = command.run(deployed="report")
    assert outcomes(done) == ["applied", "applied"] and "lb01.example.com" in done["targets"][0]["message"]


def test_an_endpoint_that_a_scan_has_found_counts_as_deployed(command):
    command.load({"ssl_locations": [{"network_name": "www.example.com", "port": 443, "ip_address": "192.0.2.1"}]})
    assert "www.example.com:443" in command.run(deployed="refuse")["msg"]


def test_nobody_asks_for_places_that_do_not_matter(command):
    command.load({"locations": PLACES})
    command.run(deployed="ignore", check_mode=True)
    assert not any("includelocations" in str(entry["query"]).lower() for entry in command.simulator.journal)


def test_a_release_does_not_care_where_it_is_deployed(command):
    command.load({"on_hold": True, "locations": PLACES})
    assert outcomes(command.run(state="released", deployed="refuse")) == ["applied"]


def test_the_digest_covers_reason_and_date(command):
    command.load(ACTIVE)
    digests = {
        command.run(check_mode=True, **options)["plan_digest"]
        for options in ({}, {"reason": "superseded"}, {"state": "on_hold"}, {"effective_date": "2026-01-01"}, {"effective_date": "2026-01-02"})
    }
    assert len(digests) == 5
    assert command.run(check_mode=True, comment="another")["plan_digest"] in digests
    refused = command.run(reason="superseded", plan_digest=command.run(check_mode=True)["plan_digest"])
    assert outcomes(refused) == ["refused"] and command.posts() == []


def test_what_the_info_module_returns_can_be_given_as_it_is(command):
    command.load(ACTIVE, HOLD, REVOKED)
    found = run_module(keyfactor_certificate_info, keyfactor_options(command.simulator))
    assert outcomes(command.run(found["certificates"])) == ["applied", "applied", "unchanged"]


# -- permissions -----------------------------------------------------------------------------------------------------------------------


def test_a_right_to_read_only_fails_without_a_change_and_says_what_is_missing(command):
    command.load(ACTIVE, ACTIVE)
    result = command.run(**login_as("reader"))
    assert outcomes(result) == ["failed", "failed"] and result["targets"][0]["error"]["kind"] == "authorization" and "permission" in result["msg"]
    assert command.effects() == [] and len(command.posts()) == 1


def test_rights_on_a_collection_only(command):
    command.load({"cn": "a.shop.test"}, {"cn": "b.other.test"})
    login = login_as("shop")
    refused = command.run([command.shown().thumbprint], **login)
    assert refused["failed"] and "collection" in refused["msg"] and command.posts() == []
    result = command.run([command.shown().thumbprint], collection="Shop Team", **login)
    assert outcomes(result) == ["applied"] and command.posts()[0]["body"]["CollectionId"] == 7
    assert command.effects(command.ids[0]) == ["revoke"]
    outside = command.run([command.ids[1]], collection_id=7, **login)
    assert outcomes(outside) == ["failed"] and command.effects(command.ids[1]) == []
    assert "Nowhere" in command.run([1], collection="Nowhere", **login)["msg"]


def test_a_comment_is_always_sent(command):
    command.switch(comment_required=True)
    command.load(ACTIVE)
    assert outcomes(command.run(comment="")) == ["applied"] and command.shown().revocation_comment == keyfactor_certificate_revoke.DEFAULT_COMMENT


# -- servers that differ ---------------------------------------------------------------------------------------------------------------


def test_a_server_that_ignores_the_query_is_not_believed(command):
    """It would hand out every certificate for a query of one name."""
    command.switch(list_query_names="bare")
    command.load(ACTIVE, ACTIVE, ACTIVE)
    result = command.run(query='IssuedCN -eq "c1.example.com"')
    assert result["failed"] and "ignores pq.queryString" in result["msg"] and command.posts() == []


@pytest.mark.parametrize("how", [{"pending_approvals": "ignore"}, {**login_as("blind")}])
def test_what_may_wait_for_an_approval_unseen_is_not_asked_for_again(command, how):
    command.switch(second_revoke_while_suspended="another")
    command.load({"approval": True})
    command.simulator.faults.add("drop_after", match={"path": "/revoke$"}, times=3)
    result = command.run(**how)
    assert outcomes(result) == ["unknown"] and command.effects() == ["suspend"]


def test_a_release_sees_a_hold_that_still_waits_for_its_approval(command):
    command.load({"approval": True})
    assert outcomes(command.run(state="on_hold")) == ["pending"]
    result = command.run(state="released")
    assert outcomes(result) == ["refused"] and result["targets"][0]["pending_approval"] and "waits for an approval" in result["msg"]


def test_a_hold_that_waits_is_not_taken_for_the_revocation(command):
    command.load({"approval": True})
    command.run(state="on_hold")
    result = command.run(reason="key_compromise")
    assert outcomes(result) == ["pending"] and "the revocation itself is not asked for" in result["targets"][0]["message"] and len(command.posts()) == 1


def test_a_date_that_was_left_over_by_a_release_means_nothing(command):
    command.load({"state": 1})
    command.simulator.keyfactor.change(command.ids[0], {"revocation_date": 1.7e9, "revocation_reason": 6})
    assert outcomes(command.run()) == ["applied"] and command.effects() == ["revoke"]


def test_a_history_of_holds_is_no_revocation_to_come(command):
    command.switch(future_effective_date="on_date", history_actions={"hold": "Revoked"})
    command.load(ACTIVE)
    command.run(state="on_hold")
    command.simulator.clock.advance(5)
    command.run(state="released")
    command.simulator.clock.advance(5)
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert command.run(effective_date=tomorrow)["changed"] and command.effects() == ["hold", "release", "revoke"]


def test_without_the_history_a_later_date_is_refused_with_the_reason(command):
    command.load(ACTIVE)
    command.simulator.faults.add("status", status=403, body="{}", match={"path": "/history$"}, times=0)
    result = command.run(effective_date="2030-01-01")
    assert result["failed"] and "leave effective_date out" in result["msg"] and command.posts() == []


@pytest.mark.parametrize("options", [{"collection": "Typo"}, {"collection_id": 999}])
def test_a_collection_that_does_not_exist_is_not_taken_for_missing_certificates(command, options):
    command.load(ACTIVE)
    result = command.run(not_found="ignore", **options)
    assert result["failed"] and "collection" in result["msg"] and "targets" not in result


@pytest.mark.parametrize("shape", ["error", "missing"])
def test_a_partial_failure_with_a_record_that_lags_asks_for_nothing_twice(command, monkeypatch, shape):
    monkeypatch.setattr(keyfactor_certificate_revoke, "PATIENCE", 5.0)
    command.simulator.configure({"clock_scale": 1, "keyfactor": {"partial_failure": shape, "read_back_delay": 0.3, "already_revoked": "accept"}})
    command.load(ACTIVE, {"ca_refuses": REFUSED_BY_CA}, ACTIVE)
    result = command.run()
    assert outcomes(result) == ["applied", "failed", "applied"]
    assert [command.effects(number) for number in command.ids] == [["revoke"], [], ["revoke"]]


def test_a_refusal_for_someone_elses_revocation_is_no_change(command):
    """Two runs of one play have the same comment."""
    command.load(ACTIVE)
    original = command.simulator.keyfactor.handle

    def handle(call):
        if call.path.endswith("/revoke"):
            other = {"state": 2, "revocation_reason": 0, "revocation_comment": COMMENT, "revocation_date": 1.7e9}
            command.simulator.keyfactor.change(command.ids[0], other)
        return original(call)

    command.simulator.keyfactor.handle = handle
    result = command.run()
    assert outcomes(result) == ["unchanged"] and not result["changed"]


def test_places_that_are_only_counted_count_as_deployed(command, monkeypatch):
    command.load({"locations": PLACES})
    original = keyfactor_certificate_revoke.state_of
    monkeypatch.setattr(keyfactor_certificate_revoke, "state_of", lambda record, now: original({**record, "locations": None}, now))
    assert outcomes(command.run(deployed="refuse")) == ["refused"]


def test_failures_one_by_one_stop_at_the_limit(command):
    command.switch(partial_failure="refuse_all")
    command.load(*[{"ca_refuses": REFUSED_BY_CA}] * 20)
    result = command.run(stop_after_failures=2, concurrency=1)
    assert result["summary"]["failed"] == 2 and result["summary"]["not_attempted"] == 18 and len(command.posts()) == 3
