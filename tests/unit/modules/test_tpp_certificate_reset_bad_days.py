# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tpp_certificate_reset on bad days: any state, any fault at any request, a kill between any two requests. Effects are counted at the vendor."""

from __future__ import annotations

import collections
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import engine, transport
from ansible_collections.certops.remediation.plugins.modules import tpp_certificate_reset

from ansible_collections.certops.remediation.tests.unit.support import FAULTS, HOME, kill_at_request, places, run_module, tpp_options

NAMES = [f"web-{number}.example.com" for number in range(6)]
FLEET = [
    {"name": NAMES[0], "in_error": True, "stage": 500, "status": "Post CSR failed"},
    {"name": NAMES[1], "in_error": True, "stage": 700, "status": "Retrieve failed", "lock": 1},
    {"name": NAMES[2], "stage": 500, "status": "Post CSR"},
    {"name": NAMES[3]},
    {"name": NAMES[4], "in_error": True, "stage": 0, "status": "click Retry", "ticket": True},
    {"name": NAMES[5], "in_error": True, "stage": 800, "status": "Install failed", "revocation": "revoked"},
]
STUCK = {NAMES[0], NAMES[1], NAMES[4]}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    for module in (engine, transport):
        monkeypatch.setattr(module, "backoff", lambda attempt: 0.001)
    monkeypatch.setattr(tpp_certificate_reset, "LATE_RESTART_SECONDS", 0.01)


def dn(name):
    return f"{HOME}\\{name}"


def arguments(simulator, **options):
    return {"certificates": [dn(name) for name in NAMES], "revoked": "leave", "concurrency": 1, **tpp_options(simulator), **options}


def begin(simulator):
    simulator.reset("empty", {"clock_scale": 0})
    simulator.tpp.load(FLEET)


def state(simulator):
    """What TPP holds, without what no client can influence."""
    return {
        certificate.name: (certificate.stage, certificate.status, certificate.in_error, certificate.ticket_dn, certificate.revocation)
        for certificate in simulator.tpp.store.certificates.values()
    }


def effects(simulator):
    return collections.Counter(entry["target"].rpartition("\\")[2] for entry in simulator.journal if entry["mutates"] and entry["effect"])


# -- every state -----------------------------------------------------------------------------------------------------------------------

PROCESSING = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"in_error": st.just(True), "stage": st.sampled_from([0, 100, 500, 700, 800, 1400]), "status": st.sampled_from(["", "it failed"])}),
    st.fixed_dictionaries({"stage": st.sampled_from([-1, 0, 500, 1000]), "status": st.sampled_from(["", "Post CSR", "Pending workflow resolution"])}),
)
CERTIFICATES = st.lists(
    st.builds(
        lambda processing, more: {**processing, **more},
        PROCESSING,
        st.fixed_dictionaries(
            {
                "revocation": st.sampled_from(["none", "none", "revoked", "pending", "error"]),
                "management_type": st.sampled_from(["Enrollment", "Enrollment", "Provisioning", "Monitoring", "Unassigned"]),
                "disabled": st.booleans(),
                "key_state": st.sampled_from(["ok", "ok", "mismatch", "missing"]),
                "lock": st.sampled_from([0, 0, 1]),
                "ticket": st.booleans(),
            }
        ),
    ),
    min_size=1,
    max_size=6,
)
OPTIONS = st.fixed_dictionaries(
    {
        "restart": st.booleans(),
        "in_process": st.sampled_from(["leave", "refuse", "reset"]),
        "revoked": st.sampled_from(["refuse", "leave", "reset"]),
        "check_private_key": st.booleans(),
        "continue_on_error": st.booleans(),
        "max_changes": st.none() | st.integers(0, 6),
        "by_guid": st.booleans(),
        "missing": st.sampled_from([False, False, True]),
    }
).filter(lambda options: not (options["restart"] and options["check_private_key"]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(certificates=CERTIFICATES, options=OPTIONS, queued_visible=st.booleans())
def test_check_mode_predicts_the_run_for_every_state_and_writes_nothing(simulator, certificates, options, queued_visible):
    simulator.reset("empty", {"clock_scale": 0, "tpp": {"queued_visible": queued_visible}})
    simulator.tpp.load([{"name": f"c{number}", **spec} for number, spec in enumerate(certificates)])
    options = dict(options)
    key = "guid" if options.pop("by_guid") else "dn"
    targets = [{key: getattr(certificate, key)} for certificate in simulator.tpp.store.certificates.values()]
    if options.pop("missing"):
        targets.append({"dn": dn("never-was")})
    given_options = {"certificates": targets, "concurrency": 1, **tpp_options(simulator), **options}

    before = state(simulator)
    plan = run_module(tpp_certificate_reset, given_options, check_mode=True, diff=True)
    assert not any(entry["mutates"] for entry in simulator.journal) and state(simulator) == before
    real = run_module(tpp_certificate_reset, {**given_options, "plan_digest": plan["plan_digest"]}, diff=True)

    probed = "repair private key mismatch"
    for expected, seen in zip(plan["targets"], real["targets"]):
        assert expected["target"] == seen["target"] and expected["before"] == seen["before"] and expected["action"] == seen["action"]
        if expected["action"] == probed and expected["outcome"] == "unchanged":
            assert seen["outcome"] in ("unchanged", "applied", "pending")  # the one thing that only the call itself can tell
            continue
        assert seen["outcome"] in ({"planned": ("applied", "pending")}.get(expected["outcome"], (expected["outcome"],)))
        assert expected["changed"] == seen["changed"] and expected["after"] == seen["after"]
    if not any(entry["action"] == probed for entry in plan["targets"]):
        assert plan["changed"] == real["changed"] and plan["diff"] == real["diff"]
    assert plan["failed"] == real["failed"]

    # The truth of the run is TPP's: changed exactly where something had an effect, once.
    happened = effects(simulator)
    for entry in real["targets"]:
        assert happened.get(entry.get("certificate_dn", "").rpartition("\\")[2], 0) == entry["changed"]
    if options["restart"] and options["in_process"] == "reset" and real["changed"]:
        given_options["in_process"] = "leave"  # to restart what is in process is documented not to be idempotent
    assert run_module(tpp_certificate_reset, given_options)["changed"] is False


# -- every fault at every request ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("name", FAULTS)
def test_any_fault_at_any_request_ends_in_the_faultless_state_with_one_effect_each(simulator, name, restart):
    begin(simulator)
    options = {"restart": restart, "retry_timeout": 5, "timeout": 1}
    assert not run_module(tpp_certificate_reset, arguments(simulator, **options))["failed"]
    faultless, struck = state(simulator), places(simulator.journal)
    assert effects(simulator) == dict.fromkeys(STUCK, 1)
    # Each of these waits for a timeout: the requests that differ in kind are enough.
    for number in struck if name != "answered too late" else (1, struck[-1] // 2, struck[-1]):
        begin(simulator)
        simulator.faults.add(nth=number, **FAULTS[name])
        first = run_module(tpp_certificate_reset, arguments(simulator, **options))
        told = {entry["target"].rpartition("\\")[2]: entry for entry in first.get("targets", [])}
        for certificate, count in effects(simulator).items():
            assert count == 1 and told[certificate]["changed"], f"request {number}: {first['msg']}"
        said = {certificate for certificate, entry in told.items() if entry["outcome"] in ("applied", "pending") and entry["changed"]}
        assert said == set(effects(simulator))
        simulator.faults.clear()
        second = run_module(tpp_certificate_reset, arguments(simulator, **options))
        assert not second["failed"], f"request {number}: {second['msg']}"
        assert state(simulator) == faultless and effects(simulator) == dict.fromkeys(STUCK, 1), f"request {number}"
        assert run_module(tpp_certificate_reset, arguments(simulator, **options))["changed"] is False


def test_a_lost_answer_that_cannot_be_looked_into_is_said_to_be_unknown(simulator):
    begin(simulator)
    simulator.faults.add("drop_after", match={"path": "reset$"})
    simulator.faults.add("status", match={"method": "GET", "target": NAMES[0]}, nth=7, times=0, status=500, body="{}")
    result = run_module(tpp_certificate_reset, arguments(simulator, retry_timeout=0, stop_after_failures=1))
    assert result["failed"] and "unknown" in [entry["outcome"] for entry in result["targets"]] and "run the task again" in result["msg"]


def test_nothing_is_restarted_twice_when_the_restarted_renewal_failed_before_the_answer_was_missed(simulator):
    """The answer is lost for so long that the renewal has failed again by then, at another stage: that is a failure, not a reason to restart."""
    begin(simulator)
    simulator.tpp.load([{**FLEET[0], "renewal": {"outcome": "failed", "stage": 400, "status": "no organization", "queued": 0, "seconds": 0.01}}])
    simulator.configure({"clock_scale": 1})
    simulator.faults.add("drop_after", match={"path": "reset$"})
    simulator.faults.add("delay", match={"method": "POST", "path": "dntoguid$"}, seconds=0.2)
    result = run_module(tpp_certificate_reset, arguments(simulator, certificates=[dn(NAMES[0])], restart=True))
    assert [entry["outcome"] for entry in result["targets"]] in (["failed"], ["pending"]) and result["targets"][0]["changed"]
    assert effects(simulator) == {NAMES[0]: 1}


def test_a_restart_that_is_still_under_way_when_its_answer_is_missed_is_not_asked_for_again(simulator, monkeypatch):
    monkeypatch.setattr(tpp_certificate_reset, "LATE_RESTART_SECONDS", 5)
    begin(simulator)
    simulator.faults.add("delay", match={"path": "reset$"}, seconds=1.5)
    result = run_module(tpp_certificate_reset, arguments(simulator, certificates=[dn(NAMES[0])], restart=True, timeout=1))
    assert result["targets"][0]["outcome"] == "pending" and result["changed"] and effects(simulator) == {NAMES[0]: 1}


def test_a_long_silence_after_a_restart_is_unknown_and_not_repeated(simulator):
    """The authority is still down: by the time anyone looks, the restarted renewal has failed again in the same way."""
    begin(simulator)
    simulator.tpp.load([{**FLEET[0], "renewal": {"outcome": "failed", "stage": 500, "status": "Post CSR failed", "queued": 0, "seconds": 0.01}}])
    simulator.configure({"clock_scale": 1})
    simulator.faults.add("delay", match={"path": "reset$"}, seconds=1.5, after=True)
    result = run_module(tpp_certificate_reset, arguments(simulator, certificates=[dn(NAMES[0])], restart=True, timeout=1))
    assert result["targets"][0]["outcome"] == "unknown" and result["failed"] and result["changed"] and effects(simulator) == {NAMES[0]: 1}


# -- a kill between any two requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restart", [False, True])
def test_a_kill_between_any_two_requests_loses_nothing_and_does_nothing_twice(simulator, tmp_path, restart):
    begin(simulator)
    run_module(tpp_certificate_reset, arguments(simulator, restart=restart))
    faultless, struck = state(simulator), places(simulator.journal)
    for number in struck:
        begin(simulator)
        journal = tmp_path / f"journal-{number}.jsonl"
        simulator.faults.add("delay", nth=number, seconds=30, after=True)
        kill_at_request(simulator, number, tpp_certificate_reset, arguments(simulator, restart=restart, journal_path=str(journal)), tmp_path)
        written = [json.loads(line) for line in journal.read_text().splitlines()]
        intended = {line["target"].rpartition("\\")[2] for line in written if line["event"] == "intent"}
        assert set(effects(simulator)) <= intended, "what was done had been written down before"
        simulator.faults.clear()
        result = run_module(tpp_certificate_reset, arguments(simulator, restart=restart, journal_path=str(journal)))
        assert not result["failed"], result["msg"]
        assert state(simulator) == faultless and effects(simulator) == dict.fromkeys(STUCK, 1), f"killed at request {number}"


# -- many ------------------------------------------------------------------------------------------------------------------------------


def test_five_hundred_with_one_bad_entry_write_nothing(simulator):
    simulator.reset("empty", {"clock_scale": 0})
    simulator.tpp.load([{"name": f"web-{number:04}", "in_error": True, "stage": 500} for number in range(499)])
    targets = [*simulator.tpp.store.certificates, dn("never-was")]
    result = run_module(tpp_certificate_reset, {"certificates": targets, **tpp_options(simulator)})
    assert result["failed"] and not any(entry["mutates"] for entry in simulator.journal)
    assert result["summary"]["not_attempted"] == 499 and result["summary"]["failed"] == 1


def test_ten_thousand(simulator):
    simulator.reset("empty", {"clock_scale": 0})
    simulator.tpp.load([{"name": f"w{number:05}", **({"in_error": True, "stage": 500} if number % 50 == 0 else {})} for number in range(10000)])
    result = run_module(tpp_certificate_reset, {"certificates": list(simulator.tpp.store.certificates), **tpp_options(simulator, concurrency=16)})
    assert not result["failed"] and result["summary"]["applied"] == 200 and result["summary"]["unchanged"] == 9800
    assert max(effects(simulator).values()) == 1 and len(effects(simulator)) == 200
