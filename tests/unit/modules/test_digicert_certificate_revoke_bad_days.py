# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""digicert_certificate_revoke on bad days: any history, any fault at any request, a kill between any two requests. Effects are counted at the vendor."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import engine, transport
from ansible_collections.certops.remediation.plugins.modules import digicert_certificate_revoke

from ansible_collections.certops.remediation.tests.unit.support import FAULTS, digicert_options, kill_at_request, places, run_module

# Of each the original is revoked.
FLEET = [{}, {"reissues": [{"key": "a"}, {"key": "b"}]}]
WAYS = {"at once": ({"skip_approval": True}, ["revoke"]), "approved": ({"approve": True}, ["request_revoke", "approve"])}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    for module in (engine, transport):
        monkeypatch.setattr(module, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(digicert_certificate_revoke, "LATE_REQUEST_SECONDS", 0.01)
    monkeypatch.setattr(digicert_certificate_revoke, "MANY", 20)


def begin(simulator, fleet=None, **switches):
    simulator.reset("empty", {"clock_scale": 0, "digicert": switches})
    return simulator.digicert.load([{"common_name": "www.example.com", "reissues": [{"key": "new"}], **entry} for entry in (FLEET if fleet is None else fleet)])


def chosen(simulator, ids, which=("original",) * 10):
    """One certificate of each order."""
    found = []
    for number, kind in zip(ids, which):
        order = simulator.digicert[number]
        former = {"reissue": order.reissues[:1], "duplicate": order.duplicates, "original": order.certificates[:1]}.get(kind)
        found.append((former or [order.current])[0])
    return found


def arguments(simulator, certificates, **options):
    entries = [{"order_id": item.order_id, "certificate_id": item.id, "serial": item.serial_number or None} for item in certificates]
    return {"certificates": entries, "reason": "superseded", "concurrency": 1, **digicert_options(simulator, rate_limits=[]), **options}


def state(simulator, ids):
    """What DigiCert holds, without what no client can influence."""
    orders = [simulator.digicert[number] for number in ids]
    return [(order.status, [item.status for item in order.certificates], [(item.type, item.status) for item in order.requests]) for order in orders]


def effects(simulator, ids):
    return [simulator.records.effects(str(number)) for number in ids]


# -- every history ---------------------------------------------------------------------------------------------------------------------

PAST = st.fixed_dictionaries({"key": st.sampled_from("abc"), "status": st.sampled_from(["issued", "issued", "issued", "rejected", "revoked"])})
ORDERS = st.lists(
    st.fixed_dictionaries(
        {"which": st.sampled_from(["original", "original", "current", "reissue", "duplicate"])},
        optional={
            "status": st.sampled_from([*["issued"] * 20, "revoked", "canceled", "expired", "needs_csr"]),
            "certificate_status": st.sampled_from(["issued", "issued", "revoked"]),
            "days_left": st.sampled_from([-3, 20, 150]),
            "reissues": st.lists(PAST, max_size=2),
            "duplicates": st.lists(st.fixed_dictionaries({"key": st.just("copy")}), max_size=1),
            "pending": st.none() | st.fixed_dictionaries({"waits": st.sampled_from(["approval", "validation", "issue"])}),
            "asked": st.sampled_from([None, None, "ours", "theirs", "order"]),
            "allow_duplicates": st.sampled_from([True, True, False]),
            "approval": st.sampled_from(["manual", "skip"]),
            "account": st.sampled_from([*["own"] * 12, "another"]),
        },
    ),
    min_size=1,
    max_size=4,
)
OPTIONS = st.fixed_dictionaries(
    {
        "current": st.sampled_from(["refuse", "allow", "allow"]),
        "expired": st.sampled_from(["leave", "act"]),
        "skip_approval": st.booleans(),
        "approve": st.booleans(),
        "continue_on_error": st.sampled_from([True, True, False]),
        "max_changes": st.sampled_from([None, None, None, 0, 2]),
        "many": st.booleans(),
    }
)
SWITCHES = st.fixed_dictionaries(
    {
        "reissue_list": st.sampled_from(["reissues", "reissues", "with_original", "copies_of_primary"]),
        "unapproved_reissue_listed": st.booleans(),
        "order_shows_pending": st.booleans(),
        "revoked_in_lists": st.sampled_from(["issued", "revoked"]),
        "revoke_request_shows": st.sampled_from(["certificate", "primary"]),
        "second_revoke_request": st.sampled_from(["another", "refuse"]),
        "request_status": st.sampled_from(["pending", "submitted"]),
        "serial_filter": st.sampled_from(["primary", "all"]),
        "certificate_revoke_revokes_order": st.booleans(),
        "order_status_while": st.sampled_from([dict.fromkeys(("approval", "validation", "issue"), word) for word in ("reissue_pending", "processing")]),
    }
)


def possible(entry):
    """The entry without what contradicts its status."""
    entry = {name: value for name, value in entry.items() if value not in ("issued", "own", None) and name not in ("which", "asked")}
    if "status" in entry:
        entry = {name: value for name, value in entry.items() if name not in ("pending", "reissues", "duplicates", "certificate_status", "days_left")}
        entry["reissues"] = []
    return {**entry, "order_days_left": 200}


def ask(simulator, certificate, who):
    """An open request from before."""
    digicert = simulator.digicert
    order = digicert[certificate.order_id]
    if who and certificate.status == "issued" and order.account == "own":
        comments = f"[certificate {certificate.serial_number}] certops.remediation" if who == "ours" else "no longer needed"
        request = digicert.lifecycle.add_request(order, "revoke", digicert.colleague("" if who == "ours" else "Robin"), comments, [certificate.id])
        request.whole_order, request.reason = who == "order", "superseded"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=ORDERS, options=OPTIONS, switches=SWITCHES)
def test_check_mode_predicts_the_run_for_every_history_and_writes_nothing(simulator, orders, options, switches):
    orders = json.loads(json.dumps(orders))
    ids = begin(simulator, [possible(entry) for entry in orders], **switches)
    certificates = chosen(simulator, ids, [entry["which"] for entry in orders])
    for entry, certificate in zip(orders, certificates):
        ask(simulator, certificate, entry.get("asked"))
    options = dict(options)
    digicert_certificate_revoke.MANY = 1 if options.pop("many") else 20
    given_options = arguments(simulator, certificates, **options)

    before = state(simulator, ids)
    revoked = {item.id for item in certificates if item.status == "revoked"}
    view = {"api_key": simulator.ready["digicert"]["view_key"]}
    plan = run_module(digicert_certificate_revoke, {**given_options, **view}, check_mode=True, diff=True)
    assert not any(entry["mutates"] for entry in simulator.journal) and state(simulator, ids) == before
    real = run_module(digicert_certificate_revoke, {**given_options, "plan_digest": plan["plan_digest"]}, diff=True)

    for expected, seen in zip(plan["targets"], real["targets"]):
        assert expected["target"] == seen["target"] and expected["before"] == seen["before"] and expected["action"] == seen["action"]
        if (expected["outcome"], seen["outcome"]) == ("planned", "unchanged"):
            assert seen["certificate_id"] in revoked and seen["role"] != "current" and "already" in seen["message"], "only the refusal tells"
            continue
        assert seen["outcome"] in ({"planned": ("applied", "pending")}.get(expected["outcome"], (expected["outcome"],))), (expected, seen)
        assert expected["changed"] == seen["changed"]
        if seen["outcome"] == "applied":
            assert expected["after"] == seen["after"]
    assert plan["failed"] == real["failed"]

    # The truth of the run is DigiCert's: changed exactly where something had an effect, and nothing but the listed certificates is revoked.
    happened = effects(simulator, ids)
    for entry, done, certificate in zip(real["targets"], happened, certificates):
        assert bool(done) == entry["changed"] and done.count("request_revoke") <= 1, entry
        assert entry["outcome"] != "applied" or certificate.status == "revoked"
    for number, (dummy, statuses, dummy2) in zip(ids, before):
        now = simulator.digicert[number].certificates
        assert all(item.status == was or item in certificates for item, was in zip(now, statuses))
    again = run_module(digicert_certificate_revoke, given_options)
    assert again["changed"] is False, again["targets"]
    assert effects(simulator, ids) == happened


# -- every fault at every request ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FAULTS)
def test_any_fault_at_any_request_ends_in_the_faultless_state_with_one_effect_each(simulator, monkeypatch, name, way):
    # With the list of orders, which small tasks do without.
    monkeypatch.setattr(digicert_certificate_revoke, "MANY", 1)
    options, each = WAYS[way]
    options, faultless_effects = {**options, "retry_timeout": 5, "timeout": 1}, [each] * len(FLEET)
    ids = begin(simulator)
    first = run_module(digicert_certificate_revoke, arguments(simulator, chosen(simulator, ids), **options))
    assert not first["failed"], first["msg"]
    faultless, struck = state(simulator, ids), places(simulator.journal)
    assert effects(simulator, ids) == faultless_effects
    writes = [index for index, entry in enumerate(simulator.journal, 1) if entry["mutates"]]
    # Each of these waits for a timeout: the requests that differ in kind are enough.
    for number in struck if name != "answered too late" else (1, *writes[:2]):
        ids = begin(simulator)
        given_options = arguments(simulator, chosen(simulator, ids), **options)
        simulator.faults.add(nth=number, **FAULTS[name])
        first = run_module(digicert_certificate_revoke, given_options)
        told = {entry["order_id"]: entry for entry in first.get("targets", []) if "order_id" in entry}
        for order, done in zip(ids, effects(simulator, ids)):
            assert done.count("request_revoke") <= 1, f"request {number}: a second request was opened"
            if done:
                assert told[order]["changed"], f"request {number}: {first['msg']}"
            elif order in told and told[order]["outcome"] in ("applied", "pending"):
                assert not told[order]["changed"], f"request {number}: said {told[order]['outcome']}, and nothing happened"
        simulator.faults.clear()
        second = run_module(digicert_certificate_revoke, given_options)
        assert not second["failed"], f"request {number}: {second['msg']}"
        assert state(simulator, ids) == faultless and effects(simulator, ids) == faultless_effects, f"request {number}"
        assert run_module(digicert_certificate_revoke, given_options)["changed"] is False, f"request {number}"


# -- answers lost ----------------------------------------------------------------------------------------------------------------------

LOST = {name: FAULTS[name] for name in ("connection lost after", "500 after", "200 page after", "empty after")}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shown", ["issued", "revoked"])
def test_an_answer_that_is_lost_after_it_was_done_is_recovered(simulator, fault, way, shown):
    ids = begin(simulator, [{}], revoked_in_lists=shown)
    simulator.faults.add(match={"path": "/revoke$"}, **LOST[fault])
    options, each = WAYS[way]
    given_options = arguments(simulator, chosen(simulator, ids), **options)
    result = run_module(digicert_certificate_revoke, given_options)
    # A request that shows is approved by the next run.
    assert result["summary"]["applied" if way == "at once" else "pending"] == 1 and result["changed"] and not result["failed"], result["msg"]
    assert "the answer was lost" in result["targets"][0]["message"] and effects(simulator, ids) == [each[:1]]
    again = run_module(digicert_certificate_revoke, given_options)
    assert not again["failed"] and effects(simulator, ids) == [each]


@pytest.mark.parametrize("action", ["drop_before", "html"])
def test_an_answer_that_is_lost_before_it_was_done_is_asked_for_again(simulator, action):
    ids = begin(simulator, [{}])
    simulator.faults.add(action, match={"path": "/revoke$"})
    result = run_module(digicert_certificate_revoke, arguments(simulator, chosen(simulator, ids), skip_approval=True))
    assert result["summary"]["applied"] == 1 and effects(simulator, ids) == [["revoke"]]


@pytest.mark.parametrize("which, outcome", [("original", "unknown"), ("current", "failed")])
def test_what_is_never_answered_is_unknown_where_nothing_shows_it(simulator, which, outcome):
    ids = begin(simulator, [{}])
    simulator.faults.add("drop_before", match={"path": "/revoke$"}, times=0)
    options = {"skip_approval": True, "current": "allow", "retry_timeout": 0}
    result = run_module(digicert_certificate_revoke, arguments(simulator, chosen(simulator, ids, [which]), **options))
    assert result["summary"][outcome] == 1 and result["failed"] and effects(simulator, ids) == [[]]
    assert result["changed"] is (outcome == "unknown")


def test_an_answer_that_was_lost_while_a_reissue_began_is_unknown(simulator):
    ids = begin(simulator, [{}])
    certificate = chosen(simulator, ids)[0]
    original = simulator.digicert.handle

    def handle(call):
        answer = original(call)
        if call.path.endswith("/revoke"):
            simulator.digicert.change(ids[0], {"pending": {"waits": "validation"}})
        return answer

    simulator.digicert.handle = handle
    simulator.faults.add("drop_after", match={"path": "/revoke$"})
    try:
        result = run_module(digicert_certificate_revoke, arguments(simulator, [certificate], skip_approval=True))
    finally:
        del simulator.digicert.handle
    assert result["summary"]["unknown"] == 1 and result["changed"] and effects(simulator, ids) == [["revoke"]]


def test_too_many_requests_are_waited_out(simulator):
    ids = begin(simulator)
    simulator.faults.add("status", match={"path": "/revoke$"}, status=429, body='{"errors":[{"code":"request_limit_exceeded","message":"Service"}]}', times=2)
    result = run_module(digicert_certificate_revoke, arguments(simulator, chosen(simulator, ids), skip_approval=True))
    assert result["summary"]["applied"] == len(FLEET) and effects(simulator, ids) == [["revoke"]] * len(FLEET)


# -- a kill between any two requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_kill_between_any_two_requests_loses_nothing_and_does_nothing_twice(simulator, tmp_path, way):
    options, each = WAYS[way]
    ids = begin(simulator)
    run_module(digicert_certificate_revoke, arguments(simulator, chosen(simulator, ids), **options))
    faultless, struck = state(simulator, ids), places(simulator.journal)
    reads = next(index for index, entry in enumerate(simulator.journal, 1) if entry["mutates"]) - 1
    for number in [place for place in struck if place >= reads]:
        ids = begin(simulator)
        journal = tmp_path / f"journal-{number}.jsonl"
        simulator.faults.add("delay", nth=number, seconds=30, after=True)
        given_options = arguments(simulator, chosen(simulator, ids), journal_path=str(journal), **options)
        kill_at_request(simulator, number, digicert_certificate_revoke, given_options, tmp_path)
        written = [json.loads(line) for line in journal.read_text().splitlines()]
        intended = {line["order_id"] for line in written if line["event"] == "intent"}
        assert {order for order, done in zip(ids, effects(simulator, ids)) if done} <= intended, "what was done had been written down before"
        simulator.faults.clear()
        result = run_module(digicert_certificate_revoke, given_options)
        assert not result["failed"], result["msg"]
        assert state(simulator, ids) == faultless and effects(simulator, ids) == [each] * len(FLEET), f"killed at request {number}"
