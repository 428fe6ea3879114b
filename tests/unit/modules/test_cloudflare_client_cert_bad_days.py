# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cloudflare_client_cert on bad days: any zone, any fault at any request, a kill between any two requests. Effects are counted at the vendor."""

from __future__ import annotations

import collections
import json

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import engine, pacing, transport
from ansible_collections.certops.remediation.plugins.module_utils.x509 import public_key_sha256
from ansible_collections.certops.remediation.plugins.modules import cloudflare_client_cert

from ansible_collections.certops.remediation.tests.unit.support import FAULTS, cloudflare_options, kill_at_request, places, run_module

NAME = "device.example.com"
DYING = "pending_revocation"
# What is pending stays so for the whole test.
LONG = 86400


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    for module in (engine, transport):
        monkeypatch.setattr(module, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(cloudflare_client_cert, "LIST_LAG_SECONDS", 0.01)


@pytest.fixture
def by_its_clock(simulator, monkeypatch):
    """The client lives by the simulator's clock, so windows of minutes take no time."""
    monkeypatch.setattr(transport, "Pacer", lambda limits: pacing.Pacer(limits, clock=simulator.clock.now, sleep=simulator.clock.advance))


def begin(simulator, entries, **switches):
    """The entries without a key of their own have the key "k<index>"."""
    simulator.reset("empty", {"clock_scale": 0, "cloudflare": switches})
    return simulator.cloudflare.load([{"cn": NAME, "key": f"k{index}", **entry} for index, entry in enumerate(entries)])


def csr(simulator, label):
    return simulator.cloudflare.csr(label, NAME)


def key(simulator, label):
    return public_key_sha256(x509.load_pem_x509_csr(csr(simulator, label).encode()))


def present(simulator, *labels, **options):
    requests = [{"csr": csr(simulator, label)} for label in labels or ("new",)]
    return {**cloudflare_options(simulator), "validity_days": 365, "requests": requests, "concurrency": 1, **options}


def named(simulator, state, names, **options):
    return {**cloudflare_options(simulator), "state": state, "certificates": list(names), "concurrency": 1, **options}


def run(given_options, **keywords):
    return run_module(cloudflare_client_cert, given_options, **keywords)


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


def happened(simulator):
    """What really changed, by certificate or, of a create, by key."""
    return collections.Counter((entry["target"], entry["effect"]) for entry in simulator.journal if entry["effect"])


def asked(simulator):
    """What was asked for."""
    return collections.Counter((entry["target"], entry["method"]) for entry in simulator.journal if entry["mutates"])


def zone_of(simulator):
    """What Cloudflare holds, in the order of creation, without what no client can influence."""
    return [(item.status, item.validity_days) for item in simulator.cloudflare.certificates()]


# -- every zone ------------------------------------------------------------------------------------------------------------------------

LABELS = ["a", "b", "c"]
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(LABELS),
            "status": st.sampled_from(["active", "active", "pending_reactivation", DYING, "revoked"]),
            "age_days": st.sampled_from([0, 1, 350, 400]),
            "pending_seconds": st.just(3600),
        }
    ),
    max_size=5,
)
SWITCHES = st.fixed_dictionaries(
    {
        "serial_base": st.sampled_from(["hex", "decimal", "mixed"]),
        "list_order": st.sampled_from(["newest", "oldest"]),
        "empty_subject": st.sampled_from(["empty", "null", "omit"]),
        "create_status": st.sampled_from(["active", "omit", "pending_reactivation"]),
        "reactivate_answer": st.sampled_from(["pending_reactivation", "active"]),
        "revoke_seconds": st.sampled_from([0, 30]),
        "result_info": st.booleans(),
    }
)
OPTIONS = st.fixed_dictionaries(
    {
        "continue_on_error": st.sampled_from([True, True, False]),
        "max_changes": st.sampled_from([None, None, None, 0, 1]),
        "retired_keys": st.sampled_from([[], [], ["c"]]),
    }
)
PRESENT = st.fixed_dictionaries(
    {
        "renew_before_days": st.sampled_from([0, 30]),
        "on_pending_revocation": st.sampled_from(["refuse", "reactivate", "create"]),
        "validity_days": st.sampled_from([365, 90]),
    }
)
FORMS = st.sampled_from(["id", "fingerprint", "serial", "csr", "mapping", "unknown"])
NAMED = st.fixed_dictionaries({"state": st.sampled_from(["revoked", "active"]), "several": st.sampled_from(["refuse", "all"]),
                               "not_found": st.sampled_from(["fail", "ignore"])})


def written_as(simulator, number, form):
    certificate = simulator.cloudflare[number]
    return {
        "id": number,
        "fingerprint": certificate.fingerprint_sha256,
        "serial": str(certificate.serial),
        "csr": certificate.csr,
        "mapping": {"id": number, "common_name": NAME},
        "unknown": "00000000-0000-4000-8000-000000000000",
    }[form]


@settings(max_examples=35, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=ENTRIES, switches=SWITCHES, options=OPTIONS, forms=st.lists(FORMS, min_size=5, max_size=5), kind=st.one_of(PRESENT, NAMED))
def test_check_mode_predicts_the_run_for_every_zone_and_writes_nothing(simulator, entries, switches, options, forms, kind):
    ids = begin(simulator, entries, quota=1000, **switches)
    options = {**options, **kind, "retired_keys": [csr(simulator, label) for label in options["retired_keys"]]}
    if "state" in kind:
        given_options = named(simulator, **{"names": [written_as(simulator, *pair) for pair in zip(ids, forms)], **options})
    else:
        given_options = present(simulator, *(label for label in LABELS if label not in ("c" if options["retired_keys"] else "")), **options)

    before = zone_of(simulator)
    plan = run({**given_options, "api_token": simulator.ready["cloudflare"]["read_token"]}, check_mode=True, diff=True)
    assert not any(entry["mutates"] for entry in simulator.journal) and zone_of(simulator) == before
    real = run({**given_options, "plan_digest": plan["plan_digest"]}, diff=True)

    for expected, seen in zip(plan["targets"], real["targets"]):
        assert all(expected[name] == seen[name] for name in ("target", "before", "action", "changed", "reversible"))
        assert seen["outcome"] in ({"planned": ("applied", "pending")}.get(expected["outcome"], (expected["outcome"],))), (expected, seen)
        if seen["outcome"] == "applied" and switches["revoke_seconds"]:
            assert expected["after"] == seen["after"]
    assert all(plan[name] == real[name] for name in ("changed", "failed", "plan_digest")) and set(plan["diff"]["after"]) == set(real["diff"]["after"])

    # The truth of the run is Cloudflare's: as many changes as were told, each of them once.
    done = happened(simulator)
    assert sum(done.values()) == sum(entry["changed"] for entry in real["targets"]) and max(done.values(), default=1) == 1
    assert sum(asked(simulator).values()) == sum(done.values()), "nothing was asked for in vain"
    again = run(given_options)
    # A key that named two certificates may name one when the other has been revoked by its id; that first run has failed.
    ambiguous = any("name one by its id" in entry["message"] for entry in real["targets"])
    assert ambiguous or (again["changed"] is False and again["failed"] == real["failed"]), again["targets"]
    assert max(happened(simulator).values(), default=1) == 1


# -- every fault at every request ------------------------------------------------------------------------------------------------------


def creating(simulator, folder=None):
    """Created, reactivated, and only its file is missing."""
    begin(simulator, [{"key": "dying", "status": DYING, "pending_seconds": LONG}, {"key": "good"}], reactivate_seconds=LONG)
    requests = [{"csr": csr(simulator, label), **({"certificate_path": f"{folder}/{label}.crt"} if folder else {})} for label in ("new", "dying", "good")]
    return present(simulator, requests=requests, on_pending_revocation="reactivate")


def revoking(simulator, dummy=None):
    ids = begin(simulator, [{}, {}, {"status": DYING, "pending_seconds": LONG}], revoke_seconds=LONG)
    return named(simulator, "revoked", [ids[0], written_as(simulator, ids[1], "fingerprint"), ids[2]])


def activating(simulator, dummy=None):
    ids = begin(simulator, [{"status": DYING, "pending_seconds": LONG}, {"status": "revoked"}], reactivate_seconds=LONG)
    return named(simulator, "active", ids)


TASKS = [(creating, 2), (revoking, 2), (activating, 2)]


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("task, changes", TASKS)
def test_any_fault_at_any_request_ends_in_the_faultless_zone_with_each_change_once(simulator, tmp_path, task, changes, name):
    options = {"retry_timeout": 5, "timeout": 1}
    assert not run({**task(simulator), **options})["failed"]
    faultless, struck, effects = zone_of(simulator), places(simulator.journal), happened(simulator)
    writes = [index for index, entry in enumerate(simulator.journal, 1) if entry["mutates"]]
    assert len(writes) == sum(effects.values()) == changes
    # Each of these waits for a timeout: the requests that differ in kind are enough.
    for number in struck if name != "answered too late" else writes[:1]:
        folder = tmp_path / str(number)
        folder.mkdir()
        given_options = {**task(simulator, folder), **options}
        simulator.faults.add(nth=number, **FAULTS[name])
        first = run(given_options)
        where = f"request {number}: {first['msg']}"
        assert asked(simulator)[key(simulator, "new"), "POST"] <= 1, where
        done = happened(simulator)
        told = [entry for entry in first.get("targets", []) if entry["changed"]]
        sure = [entry for entry in told if entry["outcome"] in ("applied", "pending") and entry["action"] != "write its files"]
        assert len(sure) <= sum(done.values()) <= len([entry for entry in told if entry["action"] != "write its files"]), where
        created = {target for target, effect in done if effect == "create"}
        simulator.faults.clear()
        second = run(given_options)
        assert not second["failed"], f"request {number}: {second['msg']}"
        assert zone_of(simulator) == faultless and max(happened(simulator).values()) == 1, f"request {number}"
        assert sum(happened(simulator).values()) == changes and all(asked(simulator)[target, "POST"] == 1 for target in created), f"request {number}"
        assert run(given_options)["changed"] is False, f"request {number}"
        assert task is not creating or sorted(path.name for path in folder.iterdir()) == ["dying.crt", "good.crt", "new.crt"]


# -- answers lost ----------------------------------------------------------------------------------------------------------------------

LOST = {name: FAULTS[name] for name in ("connection lost after", "500 after", "502 page after", "200 page after", "empty after", "redirect")}
LOST["redirect"] = {**LOST["redirect"], "after": True}
TROUBLE = '{"success":false,"errors":[{"code":1406,"message":"Bad response certificate service"}],"messages":[],"result":null}'
LOST["backend trouble"] = {"action": "status", "status": 400, "body": TROUBLE, "after": True}
LOST["success without a certificate"] = {"action": "status", "status": 200, "body": '{"success":true,"result":{}}', "after": True}
LOST["no success, with a certificate"] = {"action": "status", "status": 200, "body": '{"success":false,"result":{"id":"x"}}', "after": True}


@pytest.mark.parametrize("lag", [0, 30])
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_a_create_is_found_in_the_list(simulator, by_its_clock, monkeypatch, fault, lag):
    """The official SDKs sign three certificates here."""
    monkeypatch.setattr(cloudflare_client_cert, "LIST_LAG_SECONDS", 5)
    monkeypatch.setattr(engine, "backoff", lambda attempt: 7.0)
    begin(simulator, [{}], list_lag_seconds=lag)
    simulator.faults.add(match={"method": "POST"}, **LOST[fault])
    result = run(present(simulator, retry_timeout=30))
    (entry,) = result["targets"]
    assert entry["outcome"] == "applied" and result["changed"] and "(the answer was lost)" in entry["message"], result["msg"]
    assert entry["id"] == simulator.cloudflare.certificates()[-1].id and entry["certificate"]
    assert run(present(simulator))["changed"] is False
    assert list(asked(simulator).values()) == list(happened(simulator).values()) == [1]


@pytest.mark.parametrize("name", ["connection lost before", "502 page before", "503 before", "200 page before"])
def test_a_create_that_was_lost_before_it_was_done_is_unknown_and_comes_with_the_next_run(simulator, name):
    begin(simulator, [{}])
    simulator.faults.add(match={"method": "POST"}, **FAULTS[name])
    result = run(present(simulator))
    assert outcomes(result) == ["unknown"] and result["failed"] and "Run the task again: it looks first" in result["msg"]
    assert list(asked(simulator).values()) == [1] and not happened(simulator)
    assert outcomes(run(present(simulator))) == ["applied"] and list(happened(simulator).values()) == [1]


def test_a_create_that_the_list_hides_for_long_is_unknown_and_not_made_again_once_it_shows(simulator):
    begin(simulator, [], list_lag_seconds=60)
    simulator.faults.add("html", match={"method": "POST"}, status=502, after=True)
    assert outcomes(run(present(simulator))) == ["unknown"]
    simulator.clock.advance(60)
    again = run(present(simulator))
    assert outcomes(again) == ["unchanged"] and list(asked(simulator).values()) == [1]


def test_an_older_certificate_of_the_key_is_not_taken_for_the_new_one(simulator):
    ids = begin(simulator, [{"key": "new", "status": "revoked"}, {"key": "new", "age_days": 400}])
    simulator.faults.add("drop_before", match={"method": "POST"})
    assert outcomes(run(present(simulator))) == ["unknown"]
    simulator.faults.add("drop_after", match={"method": "POST"})
    result = run(present(simulator))
    assert outcomes(result) == ["applied"] and result["targets"][0]["id"] not in ids


def test_a_lost_create_is_still_waited_for(simulator, by_its_clock):
    begin(simulator, [], create_status="pending_reactivation")
    simulator.faults.add("drop_after", match={"method": "POST"})
    result = run(present(simulator, wait=True))
    assert outcomes(result) == ["applied"] and result["changed"] and simulator.cloudflare.certificates()[0].status == "active"


STEPS = [("revoked", "active", "DELETE", "revoke"), ("active", DYING, "PATCH", "reactivate"), ("active", "revoked", "PATCH", "reactivate")]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("form", ["id", "serial"])
@pytest.mark.parametrize("state, before, method, effect", STEPS)
def test_a_lost_answer_to_a_change_of_status_is_read_back(simulator, state, before, method, effect, form, fault):
    ids = begin(simulator, [{"status": before, "pending_seconds": 3600}])
    simulator.faults.add(match={"method": method}, **LOST[fault])
    given_options = named(simulator, state, [written_as(simulator, ids[0], form)])
    result = run(given_options)
    (entry,) = result["targets"]
    assert entry["outcome"] == "pending" and result["changed"] and "(the answer was lost)" in entry["message"], result["msg"]
    assert run(given_options)["changed"] is False and asked(simulator) == {(ids[0], method): 1}
    # What is in doubt is read by its id, whatever it was named by.
    assert [request["target"] for request in simulator.journal][2] == ids[0]


@pytest.mark.parametrize("state, before, method, effect", STEPS)
@pytest.mark.parametrize("late", [False, True])
def test_a_change_of_status_that_was_not_done_is_asked_for_again(simulator, state, before, method, effect, late):
    """Once more, and where the first one takes effect late after all, the refusal of the second is no failure."""
    ids = begin(simulator, [{"status": before, "pending_seconds": 3600}])
    simulator.faults.add("drop_before", match={"method": method})
    original, calls = simulator.cloudflare.handle, []

    def handle(call):
        if call.method == method:
            calls.append(call)
            if late:
                simulator.cloudflare.change(ids[0], {"status": {"revoked": DYING, "active": "active"}[state]})
        return original(call)

    simulator.cloudflare.handle = handle
    try:
        result = run(named(simulator, state, ids))
    finally:
        del simulator.cloudflare.handle
    assert outcomes(result) == ["applied" if late and state == "active" else "pending"] and result["changed"], result["msg"]
    assert asked(simulator) == {(ids[0], method): 2} and len(calls) == 1 and happened(simulator) == ({} if late else {(ids[0], effect): 1})


def test_reading_back_that_fails_too_is_told(simulator):
    ids = begin(simulator, [{}])
    simulator.faults.add("status", match={"method": "DELETE"}, status=409, body='{"success":false,"errors":[{"code":1499,"message":"some reason"}]}')
    simulator.faults.add("status", match={"method": "GET"}, nth=2, status=400, body='{"success":false,"errors":[{"code":1498,"message":"not now"}]}')
    result = run(named(simulator, "revoked", ids))
    assert outcomes(result) == ["failed"] and "1499: some reason" in result["msg"] and "1498: not now" in result["msg"]
    assert result["targets"][0]["error"]["code"] == "1499" and result["targets"][0]["error"]["status"] == 409


# -- success: false --------------------------------------------------------------------------------------------------------------------

READING = ["list_certificates", "show_certificate"]
CHANGING = [("create_certificate", creating, "unknown"), ("reactivate_certificate", activating, "failed"), ("revoke_certificate", revoking, "failed")]


@pytest.mark.parametrize("operation", [*READING, *[row[0] for row in CHANGING]])
@pytest.mark.parametrize("bare", [False, True])
def test_no_success_with_status_200_is_no_success(simulator, operation, bare):
    """The official SDKs do not look. Nothing was done, and nothing is said to have been."""
    task = dict([*[(name, activating if name == "show_certificate" else creating) for name in READING], *[row[:2] for row in CHANGING]])[operation]
    given_options = {**task(simulator), "retry_timeout": 0}
    simulator.configure({"cloudflare": {"success_false_with_200": operation, "envelope_without_messages": bare, "error_items_without_code": bare}})
    result = run(given_options)
    assert result["failed"] and "Bad response certificate service" in result["msg"]
    if operation in READING:
        assert not asked(simulator)
        return
    wanted = dict((row[0], row[2]) for row in CHANGING)[operation] if not bare else "failed"
    tried = [entry for entry in result["targets"] if entry["error"]]
    assert tried and {entry["outcome"] for entry in tried} == {wanted} and all(entry["changed"] is (wanted == "unknown") for entry in tried)
    effect = operation.partition("_")[0]
    assert not any(done == effect for dummy, done in happened(simulator)) and asked(simulator)[key(simulator, "new"), "POST"] <= 1


@pytest.mark.parametrize("method, task", [("POST", creating), ("DELETE", revoking), ("PATCH", activating)])
def test_a_refusal_with_status_200_is_not_repeated(simulator, method, task):
    given_options = task(simulator)
    body = '{"success":false,"errors":[{"code":1234,"message":"No, because"},{"message":"of that"}],"result":null}'
    simulator.faults.add("status", match={"method": method}, status=200, body=body)
    result = run(given_options)
    refused = [entry for entry in result["targets"] if entry["outcome"] == "failed"]
    assert len(refused) == 1 and "1234: No, because; of that" in refused[0]["message"] and not refused[0]["changed"]
    assert refused[0]["error"]["code"] == "1234" and refused[0]["request_ids"] and max(asked(simulator).values()) == 1


@pytest.mark.parametrize("body", ['{"success":true,"result":{"id":"another","status":"active"}}', '{"success":true,"result":null}', "{}", "[1]"])
def test_an_answer_that_is_about_something_else_is_none(simulator, body):
    ids = begin(simulator, [{}])
    simulator.faults.add("status", status=200, body=body)
    result = run(named(simulator, "revoked", ids))
    assert result["failed"] and not result.get("changed") and not asked(simulator)


def test_a_certificate_for_another_key_is_told(simulator):
    begin(simulator, [])
    other = csr(simulator, "other")
    original = simulator.cloudflare.handle

    def handle(call):
        if call.method == "POST":
            call.fields["csr"] = other
        return original(call)

    simulator.cloudflare.handle = handle
    try:
        result = run(present(simulator))
    finally:
        del simulator.cloudflare.handle
    assert outcomes(result) == ["failed"] and result["changed"] and simulator.cloudflare.certificates()[0].id in result["msg"] and "revoke it" in result["msg"]


# -- too many requests -----------------------------------------------------------------------------------------------------------------

FAMILIES = ["new", "old", "both", "none"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("code", [971, 10100])
def test_the_block_in_the_middle_of_five_hundred_is_sat_out(simulator, by_its_clock, monkeypatch, family, code):
    """Somebody else uses the same token, so the limits of the task do not help; what was turned away was not done."""
    for module in (engine, transport):
        monkeypatch.setattr(module, "backoff", lambda attempt: 60.0)
    count = 500 if (family, code) == ("new", 971) else 40
    ids = begin(simulator, [{"key": "shared", "count": count}], rate_limit=count // 2, ratelimit_headers=family, rate_limit_code=code)
    result = run(named(simulator, "revoked", ids, rate_limits=[], retry_timeout=420, concurrency=8))
    assert outcomes(result) == ["pending"] * count and not result["failed"], result["msg"]
    assert happened(simulator) == {(number, "revoke"): 1 for number in ids} and result["http"]["seconds_waited"] >= 200
    turned_away = [entry for entry in simulator.journal if entry["status"] == 429]
    assert family in ("new", "both") or turned_away, "without headers nothing else tells"
    assert len(turned_away) <= 8 * 6
    assert result["http"]["requests"] <= 1.05 * count + count // 50 + 8 * 12


@pytest.mark.parametrize("task, changes", TASKS)
def test_every_request_is_turned_away_once(simulator, by_its_clock, task, changes):
    run(task(simulator))
    faultless, struck = zone_of(simulator), places(simulator.journal)
    for number in struck:
        given_options = {**task(simulator), "retry_timeout": 420}
        simulator.faults.add("status", nth=number, status=429, headers={"retry-after": "300"}, body='{"success":false,"errors":[{"code":971}]}')
        result = run(given_options)
        assert not result["failed"] and zone_of(simulator) == faultless and sum(happened(simulator).values()) == changes, f"request {number}: {result['msg']}"
        assert result["http"]["seconds_waited"] >= 300


def test_a_block_that_never_ends_is_told(simulator):
    ids = begin(simulator, [{}])
    body = '{"success":false,"errors":[{"code":971,"message":"Please wait and consider throttling your request speed"}],"messages":[],"result":null}'
    simulator.faults.add("status", match={"method": "DELETE"}, times=0, status=429, body=body)
    result = run(named(simulator, "revoked", ids, retry_timeout=0))
    assert outcomes(result) == ["failed"] and "lower rate_limits" in result["msg"] and "971: Please wait" in result["msg"] and not result["changed"]


def test_it_looks_again_before_what_was_turned_away_is_repeated(simulator):
    """429 for the create, and meanwhile somebody else has made one."""
    begin(simulator, [])
    simulator.faults.add("status", match={"method": "POST"}, status=429, body="{}")
    close = simulator.records.close

    def turned_away(entry, status):
        close(entry, status)
        if status == 429:
            simulator.cloudflare.add([{"cn": NAME, "key": "new"}])

    simulator.records.close = turned_away
    try:
        result = run(present(simulator))
    finally:
        del simulator.records.close
    assert outcomes(result) == ["unchanged"] and not result["changed"] and len(simulator.cloudflare.certificates()) == 1


def test_a_thousand_revocations_stay_within_the_window_and_so_does_the_task_behind_them(simulator, by_its_clock):
    """Both by the published limit: 1,200 requests in five minutes, and a block of five minutes beyond it."""
    ids = begin(simulator, [{"key": "shared", "count": 1000}], rate_limit=1200)
    options = {"concurrency": 8, "retry_timeout": 420, "rate_limits": [{"requests": 1200, "seconds": 300.0}]}
    result = run(named(simulator, "revoked", ids, **options))
    assert outcomes(result) == ["pending"] * 1000 and result["http"]["requests"] <= 1050 + 1000 // 50 + 1
    # A task does not know what others have used up; the answers tell it in time.
    others = run(named(simulator, "active", ids[:180], **options))
    assert outcomes(others) == ["pending"] * 180 and others["http"]["seconds_waited"] > 0
    assert [entry for entry in simulator.journal if entry["status"] == 429] == [] and set(happened(simulator).values()) == {1}


def test_a_token_that_ends_half_way_stops_the_rest(simulator):
    ids = begin(simulator, [{}] * 4)
    body = '{"success":false,"errors":[{"code":9109,"message":"Invalid access token"}],"messages":[],"result":null}'
    simulator.faults.add("status", match={"method": "DELETE"}, nth=2, times=0, status=403, body=body)
    result = run(named(simulator, "revoked", ids))
    assert outcomes(result) == ["pending", "failed", "not_attempted", "not_attempted"] and sum(asked(simulator).values()) == 2
    assert result["targets"][1]["error"]["kind"] == "authentication"


# -- a kill between any two requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task, changes", TASKS)
def test_a_kill_between_any_two_requests_loses_nothing_and_does_nothing_twice(simulator, tmp_path, task, changes):
    run(task(simulator))
    faultless, struck = zone_of(simulator), places(simulator.journal)
    for number in struck:
        folder = tmp_path / str(number)
        folder.mkdir()
        given_options = {**task(simulator, folder), "journal_path": str(tmp_path / f"{number}.jsonl")}
        simulator.faults.add("delay", nth=number, seconds=30, after=True)
        kill_at_request(simulator, number, cloudflare_client_cert, given_options, tmp_path)
        intended = (tmp_path / f"{number}.jsonl").read_text()
        lines = [line for line in map(json.loads, intended.splitlines()) if line["event"] == "intent"]
        assert sum(happened(simulator).values()) <= len(lines), "what was done had been written down before"
        simulator.faults.clear()
        result = run(given_options)
        assert not result["failed"] and zone_of(simulator) == faultless, f"killed at request {number}: {result['msg']}"
        assert sum(happened(simulator).values()) == changes and set(happened(simulator).values()) == {1}
        assert asked(simulator)[key(simulator, "new"), "POST"] == (task is creating)
        assert run(given_options)["changed"] is False
        assert task is not creating or len(list(folder.iterdir())) == 3
