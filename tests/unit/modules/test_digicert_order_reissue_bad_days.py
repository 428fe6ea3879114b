# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""digicert_order_reissue on bad days: any history, any fault at any request, a kill between any two requests. Effects are counted at the vendor."""

from __future__ import annotations

import collections
import json

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import engine, transport
from ansible_collections.certops.remediation.plugins.modules import digicert_order_reissue

from ansible_collections.certops.remediation.tests.unit.support import FAULTS, digicert_options, kill_at_request, places, run_module

NAMES = ["www.example.com", "example.com"]
THEIRS = {"key": "theirs", "waits": "issue"}
# Each is reissued for the key "ours<index>"; the third one after what is pending was cancelled.
FLEET = [{"shape": "certificate_chain"}, {"shape": "requests"}, {"shape": "certificate_chain", "pending": THEIRS}, {"key": "ours3"}]
EFFECTS = [["reissue"], ["reissue", "approve"], ["cancel", "reissue"], []]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    for module in (engine, transport):
        monkeypatch.setattr(module, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(digicert_order_reissue, "LATE_REISSUE_SECONDS", 0.01)


def begin(simulator, fleet=None, **switches):
    simulator.reset("empty", {"clock_scale": 0, "digicert": switches})
    fleet = FLEET if fleet is None else fleet
    return simulator.digicert.load([{"common_name": NAMES[0], "dns": NAMES, "key": f"old{index}", **entry} for index, entry in enumerate(fleet)])


def arguments(simulator, ids, folder=None, **options):
    # What waits for an approval is not issued within the run, so its file would come with the next one.
    files = [{"fullchain_path": f"{folder}/{number}.pem"} if folder and index != 1 else {} for index, number in enumerate(ids)]
    csrs = [simulator.digicert.csr(f"ours{index}", "x.example.com") for index in range(len(ids))]
    orders = [{"order_id": number, "csr": csr, **file} for number, csr, file in zip(ids, csrs, files)]
    return {"orders": orders, "approve": True, "on_pending": "cancel", "concurrency": 1, **digicert_options(simulator, rate_limits=[]), **options}


def state(simulator, ids):
    """What DigiCert holds, without what no client can influence."""
    digicert = simulator.digicert
    found = []
    for index, number in enumerate(ids):
        order, ours = digicert[number], public_key(digicert.csr(f"ours{index}", NAMES[0]))
        certificates = [(public_key(digicert.csr_of(order, item)) == ours, item.status, sorted(item.names)) for item in order.certificates]
        found.append((order.status, certificates, [(item.type, item.status) for item in order.requests]))
    return found


def public_key(csr):
    return x509.load_pem_x509_csr(csr.encode()).public_key().public_numbers()


def effects(simulator, ids):
    return [simulator.records.effects(str(number)) for number in ids]


def posts(simulator):
    """How often a reissue was asked for, by order."""
    return collections.Counter(entry["target"] for entry in simulator.journal if entry["method"] == "POST")


# -- every history ---------------------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(["old", "ours", "other"])
PAST = st.fixed_dictionaries({"key": KEYS, "status": st.sampled_from(["issued", "issued", "rejected", "revoked"]), "archived": st.booleans()})
ORDERS = st.lists(
    st.fixed_dictionaries(
        {"shape": st.sampled_from(["requests", "certificate_id", "certificate_chain", "dcv_random_value"]), "key": st.sampled_from(["old", "old", "ours"])},
        optional={
            "status": st.sampled_from([*["issued"] * 20, "revoked", "canceled", "expired", "needs_csr"]),
            "certificate_status": st.sampled_from(["issued", "issued", "revoked"]),
            "days_left": st.sampled_from([-3, 20, 150]),
            "reissues": st.lists(PAST, max_size=2),
            "duplicates": st.lists(st.fixed_dictionaries({"key": KEYS}), max_size=1),
            "pending": st.none()
            | st.fixed_dictionaries(
                {"key": st.sampled_from(["ours", "theirs"]), "waits": st.sampled_from(["approval", "validation", "issue"])},
                optional={"dns": st.sampled_from([NAMES, NAMES[:1], [*NAMES, "added.example.com"]])},
            ),
            "allow_duplicates": st.booleans(),
            "client_auth": st.booleans(),
            "account": st.sampled_from([*["own"] * 12, "another"]),
        },
    ),
    min_size=1,
    max_size=4,
)
OPTIONS = st.fixed_dictionaries(
    {
        "names": st.sampled_from([None, None, NAMES, NAMES[:1], [*NAMES, "added.example.com"]]),
        "common_name": st.sampled_from([None, None, "example.com", "new.example.com"]),
        "allow_revoking_previous": st.sampled_from([True, True, False]),
        "on_pending": st.sampled_from(["refuse", "cancel", "cancel"]),
        "allow_used_key": st.sampled_from([True, True, False]),
        "skip_approval": st.booleans(),
        "approve": st.booleans(),
        "check_client_auth": st.booleans(),
        "continue_on_error": st.sampled_from([True, True, False]),
        "max_changes": st.sampled_from([None, None, None, 0, 2]),
        "many": st.booleans(),
    }
)
SWITCHES = st.fixed_dictionaries(
    {
        "reissue_list": st.sampled_from(["reissues", "reissues", "with_original", "copies_of_primary"]),
        "reissue_visible_after_reads": st.sampled_from([0, 0, 2]),
        "unapproved_reissue_listed": st.booleans(),
        "order_shows_pending": st.booleans(),
        "dns_names_include_common_name": st.booleans(),
        "revoked_in_lists": st.sampled_from(["issued", "revoked"]),
        "second_reissue": st.sampled_from(["replace", "reject_400", "accept_both"]),
        "request_status": st.sampled_from(["pending", "submitted"]),
        "order_status_while": st.sampled_from([dict.fromkeys(("approval", "validation", "issue"), word) for word in ("reissue_pending", "processing")]),
    }
)


def possible(entry, index):
    """The entry with a key of its own for each order, and without what contradicts its status."""
    entry = {name: value for name, value in entry.items() if value not in ("issued", None) and (name != "account" or value != "own")}
    for part in (entry, entry.get("pending", {}), *entry.get("reissues", []), *entry.get("duplicates", [])):
        part["key"] = f"{part.get('key', 'old')}{index}" if "key" in part else f"old{index}"
    if "status" in entry:
        entry = {name: value for name, value in entry.items() if name not in ("pending", "reissues", "duplicates", "certificate_status", "days_left")}
    return {**entry, "order_days_left": 200}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=ORDERS, options=OPTIONS, switches=SWITCHES)
def test_check_mode_predicts_the_run_for_every_history_and_writes_nothing(simulator, orders, options, switches):
    orders = json.loads(json.dumps(orders))
    ids = begin(simulator, [possible(entry, index) for index, entry in enumerate(orders)], **switches)
    options = dict(options)
    digicert_order_reissue.MANY = 1 if options.pop("many") else 20
    given_options = arguments(simulator, ids, **options)

    before = state(simulator, ids)
    view = {"api_key": simulator.ready["digicert"]["view_key"]}
    plan = run_module(digicert_order_reissue, {**given_options, **view}, check_mode=True, diff=True)
    assert not any(entry["mutates"] for entry in simulator.journal) and state(simulator, ids) == before
    if switches["reissue_visible_after_reads"]:
        # What is shown depends on how often it was looked at.
        return
    real = run_module(digicert_order_reissue, {**given_options, "plan_digest": plan["plan_digest"]}, diff=True)

    for expected, seen in zip(plan["targets"], real["targets"]):
        assert expected["target"] == seen["target"] and expected["before"] == seen["before"] and expected["action"] == seen["action"]
        assert seen["outcome"] in ({"planned": ("applied", "pending")}.get(expected["outcome"], (expected["outcome"],))), (expected, seen)
        assert expected["changed"] == seen["changed"]
        if seen["outcome"] == "applied":
            unknown = {"serial": None, "valid_till": None}
            assert {**expected["after"], **unknown} == {**seen["after"], **unknown}
    assert plan["changed"] == real["changed"] and plan["failed"] == real["failed"] and set(plan["diff"]["after"]) == set(real["diff"]["after"])

    # The truth of the run is DigiCert's: changed exactly where something had an effect.
    happened = effects(simulator, ids)
    for entry, done in zip(real["targets"], happened):
        assert bool(done) == entry["changed"] and done.count("reissue") <= 1, entry
    again = run_module(digicert_order_reissue, given_options)
    assert again["changed"] is False, again["targets"]
    assert effects(simulator, ids) == happened and max(posts(simulator).values(), default=0) <= 1


@pytest.fixture(autouse=True)
def many(monkeypatch):
    monkeypatch.setattr(digicert_order_reissue, "MANY", 20)


# -- every fault at every request ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAULTS)
def test_any_fault_at_any_request_ends_in_the_faultless_state_with_one_reissue_each(simulator, tmp_path, monkeypatch, name):
    # With the list of orders, which small tasks do without.
    monkeypatch.setattr(digicert_order_reissue, "MANY", 1)
    options = {"retry_timeout": 5, "timeout": 1, "check_client_auth": False}
    ids = begin(simulator)
    assert not run_module(digicert_order_reissue, arguments(simulator, ids, tmp_path, **options))["failed"]
    faultless, struck = state(simulator, ids), places(simulator.journal)
    assert effects(simulator, ids) == EFFECTS
    # Each of these waits for a timeout: the requests that differ in kind are enough.
    writes = [index for index, entry in enumerate(simulator.journal, 1) if entry["mutates"]]
    for number in struck if name != "answered too late" else (1, *writes[:4]):
        ids = begin(simulator)
        folder = tmp_path / str(number)
        folder.mkdir()
        given_options = arguments(simulator, ids, folder, **options)
        simulator.faults.add(nth=number, **FAULTS[name])
        first = run_module(digicert_order_reissue, given_options)
        asked = posts(simulator)
        assert max(asked.values(), default=0) <= 1, f"request {number}: asked twice in one run"
        told = {entry.get("order_id"): entry for entry in first.get("targets", [])}
        for order, done in zip(ids, effects(simulator, ids)):
            if done:
                assert told[order]["changed"], f"request {number}: {first['msg']}"
            elif order in told and told[order]["outcome"] in ("applied", "pending"):
                assert not told[order]["changed"] or told[order].get("written"), f"request {number}: said {told[order]['outcome']}, and nothing happened"
        reissued = [str(order) for order, done in zip(ids, effects(simulator, ids)) if "reissue" in done]
        simulator.faults.clear()
        second = run_module(digicert_order_reissue, given_options)
        assert not second["failed"], f"request {number}: {second['msg']}"
        assert state(simulator, ids) == faultless and effects(simulator, ids) == EFFECTS, f"request {number}"
        assert all(posts(simulator)[order] == 1 for order in reissued), f"request {number}: what was done was asked for again"
        third = run_module(digicert_order_reissue, given_options)
        assert third["changed"] is False, f"request {number}"
        assert sorted(path.name for path in folder.iterdir()) == sorted(f"{ids[index]}.pem" for index in (0, 2, 3))


# -- answers lost ----------------------------------------------------------------------------------------------------------------------

LOST = {name: FAULTS[name] for name in ("connection lost after", "500 after", "200 page after")}
SHAPES = [("requests", "pending"), ("certificate_id", "pending"), ("certificate_chain", "applied"), ("dcv_random_value", "pending")]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("shape, outcome", SHAPES)
def test_an_answer_that_is_lost_after_it_was_done_is_recovered(simulator, shape, outcome, fault):
    ids = begin(simulator, [{"shape": shape}])
    simulator.faults.add(match={"path": "/reissue$", "method": "POST"}, **LOST[fault])
    result = run_module(digicert_order_reissue, arguments(simulator, ids, approve=False))
    assert result["summary"][outcome] == 1 and result["changed"] and not result["failed"], result["msg"]
    assert "the answer was lost" in result["targets"][0]["message"] and posts(simulator)[str(ids[0])] == 1
    again = run_module(digicert_order_reissue, arguments(simulator, ids, approve=False))
    assert again["changed"] is False and posts(simulator)[str(ids[0])] == 1


@pytest.mark.parametrize("action", ["drop_before", "html"])
def test_an_answer_that_is_lost_before_it_was_done_is_unknown_and_asked_for_once(simulator, action):
    ids = begin(simulator, [{"shape": "certificate_chain"}])
    simulator.faults.add(action, match={"path": "/reissue$", "method": "POST"})
    result = run_module(digicert_order_reissue, arguments(simulator, ids))
    assert result["summary"]["unknown"] == 1 and result["failed"] and "Run the task again: it looks first" in result["msg"]
    assert posts(simulator)[str(ids[0])] == 1 and effects(simulator, ids) == [[]]
    assert run_module(digicert_order_reissue, arguments(simulator, ids))["summary"]["applied"] == 1


@pytest.mark.parametrize("shape", ["requests", "certificate_id", "dcv_random_value"])
def test_a_lost_reissue_that_shows_late_is_waited_for(simulator, monkeypatch, shape):
    monkeypatch.setattr(digicert_order_reissue, "LATE_REISSUE_SECONDS", 5)
    ids = begin(simulator, [{"shape": shape}], reissue_visible_after_reads=4)
    simulator.faults.add("drop_after", match={"path": "/reissue$", "method": "POST"})
    result = run_module(digicert_order_reissue, arguments(simulator, ids, approve=False))
    assert result["summary"]["pending"] == 1 and posts(simulator)[str(ids[0])] == 1


def test_a_reissue_that_never_shows_is_unknown(simulator):
    ids = begin(simulator, [{"shape": "certificate_id"}], reissue_visible_after_reads=10**6)
    simulator.faults.add("drop_after", match={"path": "/reissue$", "method": "POST"})
    assert run_module(digicert_order_reissue, arguments(simulator, ids))["summary"]["unknown"] == 1
    again = run_module(digicert_order_reissue, arguments(simulator, ids))
    assert again["summary"]["refused"] == 1 and again["changed"] is False and posts(simulator)[str(ids[0])] == 1


@pytest.mark.parametrize("second", ["replace", "accept_both"])
@pytest.mark.parametrize("issued", [False, True])
def test_a_second_engineer_while_the_answer_is_lost(simulator, second, issued):
    """Somebody reissues the order right after us. What became of ours is found among the reissues, and nothing is asked for again."""
    ids = begin(simulator, [{"shape": "certificate_chain" if issued else "certificate_id"}], second_reissue=second)
    simulator.faults.add("drop_after", match={"path": "/reissue$", "method": "POST"})
    digicert = simulator.digicert
    original = digicert.handle

    def handle(call):
        answer = original(call)
        if call.method == "POST" and call.path.endswith("/reissue"):
            if second == "replace" and not issued:
                digicert.lifecycle.cancel(digicert[ids[0]], "Replaced by another reissue")
            digicert.change(ids[0], {"pending": THEIRS})
            if issued:
                digicert.issue(ids[0])
        return answer

    digicert.handle = handle
    try:
        result = run_module(digicert_order_reissue, arguments(simulator, ids))
    finally:
        del digicert.handle
    outcome = "applied" if issued else {"replace": "failed", "accept_both": "pending"}[second]
    assert result["summary"][outcome] == 1 and result["changed"], result["targets"]
    again = run_module(digicert_order_reissue, arguments(simulator, ids, on_pending="refuse"))
    assert again["changed"] is False and posts(simulator)[str(ids[0])] == 1


def test_it_looks_again_before_what_was_turned_away_is_repeated(simulator):
    """429 for the reissue, and meanwhile somebody else asks for one."""
    ids = begin(simulator, [{"shape": "certificate_chain"}])
    simulator.faults.add("status", match={"path": "/reissue$", "method": "POST"}, status=429, body="{}")
    close = simulator.records.close

    def turned_away(entry, status):
        close(entry, status)
        if status == 429:
            simulator.digicert.change(ids[0], {"pending": THEIRS})

    simulator.records.close = turned_away
    try:
        result = run_module(digicert_order_reissue, arguments(simulator, ids, on_pending="refuse"))
    finally:
        del simulator.records.close
    assert result["summary"]["refused"] == 1 and "has changed since it was planned" in result["msg"] and effects(simulator, ids) == [[]]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "1"}], ids=str)
def test_every_request_is_turned_away_once(simulator, headers):
    fleet = [{"shape": "certificate_chain"}, {"shape": "certificate_chain", "key": "ours1"}]
    ids = begin(simulator, fleet)
    run_module(digicert_order_reissue, arguments(simulator, ids))
    struck = places(simulator.journal)
    for number in struck if headers != {"Retry-After": "1"} else (1, struck[-1]):
        ids = begin(simulator, fleet)
        simulator.faults.add("status", nth=number, status=429, headers=headers, body='{"errors":[{"code":"request_limit_exceeded"}]}')
        result = run_module(digicert_order_reissue, arguments(simulator, ids))
        assert not result["failed"] and effects(simulator, ids) == [["reissue"], []], f"request {number}: {result['msg']}"


def test_a_limit_that_never_opens_is_told(simulator):
    ids = begin(simulator, [{"shape": "certificate_chain"}])
    simulator.faults.add("status", match={"path": "/reissue$", "method": "POST"}, times=0, status=429, body="{}")
    result = run_module(digicert_order_reissue, arguments(simulator, ids, retry_timeout=0))
    assert result["summary"]["failed"] == 1 and "lower rate_limits" in result["msg"] and not result["changed"]


@pytest.mark.parametrize("status", [200, 403, 502])
def test_a_page_of_the_cdn_is_no_answer(simulator, status):
    ids = begin(simulator, [{"shape": "certificate_chain"}])
    page = "<html><h1>Request blocked, incident 42</h1></html>"
    simulator.faults.add("html", match={"path": "/reissue$", "method": "POST"}, status=status, times=0, body=page)
    result = run_module(digicert_order_reissue, arguments(simulator, ids))
    assert result["failed"] and result["changed"] is (status != 403) and posts(simulator)[str(ids[0])] == 1
    assert status != 403 or "Request blocked, incident 42" in result["msg"]


def test_a_key_that_ends_half_way_stops_the_rest(simulator):
    ids = begin(simulator, [{"shape": "certificate_chain"}] * 4)
    refusal = '{"errors":[{"code":"access_denied|access_denied_invalid_key","message":"Access denied due to access_denied_invalid_key."}]}'
    simulator.faults.add("status", match={"path": "/reissue$", "method": "POST"}, nth=2, times=0, status=403, body=refusal)
    result = run_module(digicert_order_reissue, arguments(simulator, ids))
    assert [entry["outcome"] for entry in result["targets"]] == ["applied", "failed", "not_attempted", "not_attempted"]
    assert result["targets"][1]["error"]["kind"] == "authentication" and sum(posts(simulator).values()) == 2


# -- a kill between any two requests ---------------------------------------------------------------------------------------------------


def test_a_kill_between_any_two_requests_loses_nothing_and_asks_for_nothing_twice(simulator, tmp_path):
    fleet = FLEET[:3]
    ids = begin(simulator, fleet)
    run_module(digicert_order_reissue, arguments(simulator, ids, check_client_auth=False))
    faultless, struck = state(simulator, ids), places(simulator.journal)
    for number in struck:
        ids = begin(simulator, fleet)
        journal = tmp_path / f"journal-{number}.jsonl"
        folder = tmp_path / str(number)
        folder.mkdir()
        simulator.faults.add("delay", nth=number, seconds=30, after=True)
        options = arguments(simulator, ids, folder, check_client_auth=False, journal_path=str(journal))
        kill_at_request(simulator, number, digicert_order_reissue, options, tmp_path)
        intended = {line["order_id"] for line in map(json.loads, journal.read_text().splitlines()) if line["event"] == "intent"}
        assert {order for order, done in zip(ids, effects(simulator, ids)) if done} <= intended, "what was done had been written down before"
        simulator.faults.clear()
        result = run_module(digicert_order_reissue, options)
        assert not result["failed"], result["msg"]
        assert state(simulator, ids) == faultless and effects(simulator, ids) == EFFECTS[:3], f"killed at request {number}"
        assert set(posts(simulator).values()) == {1}
        run_module(digicert_order_reissue, options)
        assert sorted(path.name for path in folder.iterdir()) == sorted(f"{ids[index]}.pem" for index in (0, 2))


# -- many ------------------------------------------------------------------------------------------------------------------------------

WINDOWS = [(1000, 180.0), (100, 5.0)]


def test_a_thousand_orders_stay_within_the_rate_windows(simulator):
    # The windows of the real service, and with them the client's, run that many times as fast.
    scale = 60
    ids = begin(simulator, [])
    simulator.configure({"clock_scale": scale, "digicert": {"rate_limits": [{"requests": requests, "seconds": seconds} for requests, seconds in WINDOWS]}})
    ids = simulator.digicert.load([{"common_name": "www{n}.example.com", "count": 1000, "approval": False, "key": "shared"}])
    csr = simulator.digicert.csr("ours", "x.example.com")
    orders = [{"order_id": number, "csr": csr} for number in ids]
    limits = [{"requests": requests, "seconds": seconds / scale} for requests, seconds in WINDOWS]
    result = run_module(digicert_order_reissue, arguments(simulator, ids, orders=orders, check_client_auth=False, rate_limits=limits, concurrency=8))
    assert result["summary"]["applied"] == 1000 and not result["failed"], result["msg"]
    assert [entry for entry in simulator.journal if entry["status"] == 429] == []
    assert result["http"]["requests"] <= 2200 and result["http"]["retries"] == 0
    assert set(posts(simulator).values()) == {1} and len(posts(simulator)) == 1000
