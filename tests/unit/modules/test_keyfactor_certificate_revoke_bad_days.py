# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keyfactor_certificate_revoke on bad days: any state, any fault at any request, a kill between any two requests. Effects are counted at the vendor."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import engine, transport
from ansible_collections.certops.remediation.plugins.modules import keyfactor_certificate_revoke

from ansible_collections.certops.remediation.tests.unit.support import FAULTS, keyfactor_options, kill_at_request, places, run_module

FLEET = [{}, {"on_hold": True}, {"state": 2, "reason": 4}, {"approval": True}, {"suspended": True}, {}]
# What a revocation of the fleet does to each, once.
EFFECTS = [["revoke"], ["revoke"], [], ["suspend"], [], ["revoke"]]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    for module in (engine, transport, keyfactor_certificate_revoke):
        monkeypatch.setattr(module, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(keyfactor_certificate_revoke, "LATE_REVOCATION_SECONDS", 0.01)
    monkeypatch.setattr(keyfactor_certificate_revoke, "PATIENCE", 0.02)


def begin(simulator, fleet=None, **switches):
    simulator.reset("empty", {"clock_scale": 0, "keyfactor": switches})
    return simulator.keyfactor.load([{"cn": f"c{number}.example.com", **entry} for number, entry in enumerate(FLEET if fleet is None else fleet)])


def arguments(simulator, ids, **options):
    return {"certificates": ids, "reason": "superseded", "comment": "INC-4711", "concurrency": 1, "batch_size": 3, **keyfactor_options(simulator), **options}


def state(simulator, ids):
    """What Command holds, without what no client can influence."""
    certificates = [simulator.keyfactor[number] for number in ids]
    return [(each.state, each.revocation_reason, each.revocation_comment, len(each.pending)) for each in certificates]


def effects(simulator, ids):
    return [simulator.records.effects(str(number)) for number in ids]


# -- every state -----------------------------------------------------------------------------------------------------------------------

CERTIFICATES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "state": st.sampled_from([0, 1, 1, 2, 3, 4, 5, 6, 7, 8]),
            "reason": st.sampled_from([0, 1, 4, 6, 6]),
            "valid_days": st.sampled_from([-3, 30, 300]),
            "suspended": st.sampled_from([False, False, True]),
            "approval": st.sampled_from([False, False, True]),
            "locations": st.sampled_from([[], [{"machine": "lb01", "path": "/ssl"}]]),
        },
    ),
    min_size=1,
    max_size=6,
)
OPTIONS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["revoked", "revoked", "on_hold", "released"]),
        "deployed": st.sampled_from(["ignore", "report", "refuse"]),
        "expired": st.sampled_from(["leave", "act"]),
        # What was never issued may be allowed too, but only the authority knows whether there is anything to revoke.
        "allow": st.sampled_from([[], ["ca"]]),
        "not_found": st.sampled_from(["fail", "ignore"]),
        "continue_on_error": st.booleans(),
        "max_changes": st.none() | st.integers(0, 6),
        "batch_size": st.sampled_from([1, 2, 50]),
        "by": st.sampled_from(["id", "thumbprint", "query"]),
        "missing": st.sampled_from([False, False, True]),
    }
)
SWITCHES = st.fixed_dictionaries(
    {
        "version": st.sampled_from(["25.4.1", "25.4.1", "12.0", "9"]),
        "partial_failure": st.sampled_from(["missing", "listed", "error", "refuse_all"]),
        "response_key_case": st.sampled_from(["pascal", "camel"]),
        "empty_lists": st.sampled_from(["empty", "null"]),
    }
)
# The number of the reason goes with a revoked state only.
consistent = CERTIFICATES.map(lambda entries: [entry if entry.get("state") == 2 else {k: v for k, v in entry.items() if k != "reason"} for entry in entries])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(certificates=consistent, options=OPTIONS, switches=SWITCHES)
def test_check_mode_predicts_the_run_for_every_state_and_writes_nothing(simulator, certificates, options, switches):
    ids = begin(simulator, certificates, **switches)
    options = dict(options)
    by = options.pop("by")
    targets = ids if by == "id" else [simulator.keyfactor[number].thumbprint for number in ids]
    targets = targets + ([999999] if options.pop("missing") else [])
    named = {"query": 'IssuedCN -contains "example.com"', "certificates": None} if by == "query" else {"certificates": targets}
    reason = "superseded" if options["state"] == "revoked" else "unspecified"
    given_options = arguments(simulator, ids, **named, **options, reason=reason)

    before = state(simulator, ids)
    plan = run_module(keyfactor_certificate_revoke, given_options, check_mode=True, diff=True)
    assert not any(entry["mutates"] for entry in simulator.journal) and state(simulator, ids) == before
    real = run_module(keyfactor_certificate_revoke, {**given_options, "plan_digest": plan["plan_digest"]}, diff=True)

    for expected, seen in zip(plan["targets"], real["targets"]):
        assert expected["target"] == seen["target"] and expected["before"] == seen["before"] and expected["action"] == seen["action"]
        assert seen["outcome"] in ({"planned": ("applied", "pending")}.get(expected["outcome"], (expected["outcome"],))), seen
        assert expected["changed"] == seen["changed"]
        if seen["outcome"] == "applied":
            # Only Command knows the date until it is read back.
            assert {**expected["after"], "effective_date": None} == {**seen["after"], "effective_date": None}
    assert plan["changed"] == real["changed"] and plan["failed"] == real["failed"] and set(plan["diff"]["after"]) == set(real["diff"]["after"])

    # The truth of the run is Command's: changed exactly where something had an effect, once.
    happened = dict(zip(ids, effects(simulator, ids)))
    for entry in real["targets"]:
        if "id" in entry and not entry["message"].startswith("listed more than once"):
            assert len(happened[entry["id"]]) == entry["changed"], entry
    assert run_module(keyfactor_certificate_revoke, given_options)["changed"] is False
    assert effects(simulator, ids) == list(happened.values())


# -- every fault at every request ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["id", "thumbprint"])
@pytest.mark.parametrize("name", FAULTS)
def test_any_fault_at_any_request_ends_in_the_faultless_state_with_one_effect_each(simulator, name, by):
    def targets(ids):
        return ids if by == "id" else [simulator.keyfactor[number].thumbprint for number in ids]

    ids = begin(simulator)
    options = {"retry_timeout": 5, "timeout": 1, "batch_size": 3}
    assert not run_module(keyfactor_certificate_revoke, arguments(simulator, targets(ids), **options))["failed"]
    faultless, struck = state(simulator, ids), places(simulator.journal)
    assert effects(simulator, ids) == EFFECTS
    # Each of these waits for a timeout: the requests that differ in kind are enough.
    for number in struck if name != "answered too late" else (1, struck[-1] // 2, struck[-1]):
        ids = begin(simulator)
        simulator.faults.add(nth=number, **FAULTS[name])
        first = run_module(keyfactor_certificate_revoke, arguments(simulator, targets(ids), **options))
        told = {entry["id"]: entry for entry in first.get("targets", []) if "id" in entry}
        for certificate, done in zip(ids, effects(simulator, ids)):
            assert len(done) <= 1
            if done:
                assert told[certificate]["changed"], f"request {number}: {first['msg']}"
        for certificate, entry in told.items():
            if entry["changed"] and entry["outcome"] in ("applied", "pending"):
                assert simulator.records.effects(str(certificate)), f"request {number}: said {entry['outcome']}, and nothing happened"
        simulator.faults.clear()
        second = run_module(keyfactor_certificate_revoke, arguments(simulator, targets(ids), **options))
        assert not second["failed"], f"request {number}: {second['msg']}"
        assert state(simulator, ids) == faultless and effects(simulator, ids) == EFFECTS, f"request {number}"
        assert run_module(keyfactor_certificate_revoke, arguments(simulator, targets(ids), **options))["changed"] is False


# -- answers lost half-way -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [0, 37, 100])
@pytest.mark.parametrize("fault", ["drop", "500", "page"])
def test_an_answer_that_is_lost_after_some_of_a_hundred(simulator, done, fault):
    """Somebody pulls the plug while Command works on the list: the first ones are revoked, nobody was told."""
    ids = begin(simulator, [{}] * 100)
    original = simulator.keyfactor.handle
    cut = []

    def handle(call):
        if call.path.endswith("/revoke") and not cut:
            cut.append(1)
            body = json.loads(call.body)
            call.body = json.dumps({**body, "CertificateIds": body["CertificateIds"][:done] or [987654]}).encode()
            call._fields = None  # parsed already for the journal
        return original(call)

    simulator.keyfactor.handle = handle
    how = {
        "drop": {"action": "drop_after"},
        "500": {"action": "status", "status": 500, "body": "{}", "after": True},
        "page": {"action": "html", "status": 502, "after": True},
    }
    simulator.faults.add(match={"path": "/revoke$"}, **how[fault])
    try:
        result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids, batch_size=100))
    finally:
        del simulator.keyfactor.handle
    assert result["summary"]["applied"] == 100 and not result["failed"], result["msg"]
    assert effects(simulator, ids) == [["revoke"]] * 100
    asked = [number for entry in simulator.journal if entry["mutates"] for number in entry["body"]["CertificateIds"]]
    assert len(asked) == 100 + (100 - done), "only what was not done is asked for again"


def test_a_lost_answer_that_cannot_be_looked_into_is_said_to_be_unknown(simulator):
    ids = begin(simulator, [{}, {}])
    simulator.faults.add("drop_after", match={"path": "/revoke$"})
    simulator.faults.add("status", match={"path": f"/certificates/{ids[0]}$"}, nth=2, times=0, status=500, body="{}")
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids, retry_timeout=0))
    assert [entry["outcome"] for entry in result["targets"]] == ["unknown", "applied"] and result["failed"] and "run the task again" in result["msg"]


def test_an_answer_that_is_lost_after_an_approval_was_asked_for(simulator):
    ids = begin(simulator, [{"approval": True}, {}], second_revoke_while_suspended="another")
    simulator.faults.add("drop_after", match={"path": "/revoke$"})
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids))
    assert [entry["outcome"] for entry in result["targets"]] == ["pending", "applied"] and effects(simulator, ids) == [["suspend"], ["revoke"]]
    assert result["targets"][0]["changed"] and len(simulator.keyfactor[ids[0]].pending) == 1


def test_a_server_that_is_too_busy_is_asked_again(simulator):
    ids = begin(simulator, [{}])
    simulator.faults.add("status", match={"path": "/revoke$"}, status=429, headers={"Retry-After": "0"}, body="{}", times=2)
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids))
    assert result["targets"][0]["outcome"] == "applied" and effects(simulator, ids) == [["revoke"]]


def test_one_wrong_one_in_a_batch_does_not_stop_the_others(simulator):
    ids = begin(simulator, [{"ca_refuses": "no such request"} if number == 17 else {} for number in range(50)], partial_failure="refuse_all")
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids, batch_size=50))
    assert result["summary"]["applied"] == 49 and result["summary"]["failed"] == 1
    assert effects(simulator, ids) == [[] if number == 17 else ["revoke"] for number in range(50)]


def test_credentials_that_end_half_way_stop_the_rest(simulator):
    ids = begin(simulator, [{}] * 6)
    simulator.faults.add("status", match={"path": "/revoke$"}, nth=2, times=0, status=401, body="")
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids, batch_size=2))
    assert result["summary"]["applied"] == 2 and result["summary"]["failed"] == 2 and result["summary"]["not_attempted"] == 2
    assert sum(len(done) for done in effects(simulator, ids)) == 2


# -- a kill between any two requests ---------------------------------------------------------------------------------------------------


def test_a_kill_between_any_two_requests_loses_nothing_and_does_nothing_twice(simulator, tmp_path):
    ids = begin(simulator)
    run_module(keyfactor_certificate_revoke, arguments(simulator, ids))
    faultless, struck = state(simulator, ids), places(simulator.journal)
    for number in struck:
        ids = begin(simulator)
        journal = tmp_path / f"journal-{number}.jsonl"
        simulator.faults.add("delay", nth=number, seconds=30, after=True)
        options = arguments(simulator, ids, journal_path=str(journal))
        kill_at_request(simulator, number, keyfactor_certificate_revoke, options, tmp_path)
        written = [json.loads(line) for line in journal.read_text().splitlines()]
        intended = {line["id"] for line in written if line["event"] == "intent"}
        assert {certificate for certificate, done in zip(ids, effects(simulator, ids)) if done} <= intended, "what was done had been written down before"
        simulator.faults.clear()
        result = run_module(keyfactor_certificate_revoke, options)
        assert not result["failed"], result["msg"]
        assert state(simulator, ids) == faultless and effects(simulator, ids) == EFFECTS, f"killed at request {number}"


# -- many ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["thumbprint", "query"])
def test_five_thousand_take_a_tenth_of_a_request_each(simulator, by):
    simulator.reset("empty", {"clock_scale": 0})
    ids = simulator.keyfactor.load([{"cn": "n{n:04}.example.com", "count": 5000, "key": "shared"}])
    targets = {"certificates": [simulator.keyfactor[number].thumbprint for number in ids]}
    if by == "query":
        targets = {"certificates": None, "query": 'IssuedCN -contains "example.com"', "query_limit": 5000}
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, ids, **targets, batch_size=50, concurrency=8, deployed="ignore"))
    assert result["summary"]["applied"] == 5000 and not result["failed"]
    assert result["http"]["requests"] <= 500, result["http"]
    assert all(entry["after"]["state"] == "revoked" for entry in result["targets"])
    assert effects(simulator, ids[:50]) == [["revoke"]] * 50


def test_five_hundred_with_one_bad_entry_write_nothing(simulator):
    ids = begin(simulator, [{} for dummy in range(499)])
    result = run_module(keyfactor_certificate_revoke, arguments(simulator, [*ids, 999999], concurrency=8))
    assert result["failed"] and not any(entry["mutates"] for entry in simulator.journal)
    assert result["summary"]["not_attempted"] == 499 and result["summary"]["failed"] == 1
