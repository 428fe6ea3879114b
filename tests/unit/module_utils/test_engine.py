# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine over a vendor of a few lines: lamps that are to be switched on."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import engine
from ansible_collections.certops.remediation.plugins.module_utils.engine import Engine, Operation, Plan, Verdict
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    BusyError,
    InputError,
    VendorError,
)


@dataclasses.dataclass(frozen=True)
class Lamp:
    name: str

    @property
    def key(self):
        return self.name.casefold()

    @property
    def label(self):
        return self.name


class Lamps(Operation):
    """Lamps by their room; an alias is another name of a lamp. ``on`` lamps burn, ``warming`` ones will after some looks."""

    name = "lamp_switch"
    noun = "lamp"

    def __init__(self, states, batch_size=1, concurrency=4, retry_timeout=60):
        self.states = dict(states)
        self.batch_size = batch_size
        self.writes = []
        self.looks = []
        self.before_write = {}
        self.after_write = {}
        self.lock = threading.Lock()
        waited = []
        self.transport = types.SimpleNamespace(
            settings=types.SimpleNamespace(base_url="https://lamps.example.com", concurrency=concurrency, retry_timeout=retry_timeout),
            pacer=types.SimpleNamespace(wait=waited.append),
            waited=waited,
            statistics=lambda: {"requests": len(self.writes), "retries": 0, "seconds_waited": 0.0},
        )

    def observe(self, targets):
        with self.lock:
            self.looks.append([target.name for target in targets])
            result = []
            for target in targets:
                state = self.states.get(target.key, "missing")
                if state == "missing":
                    result.append(VendorError(f"no lamp {target.name}"))
                elif isinstance(state, str) and state.startswith("warming"):
                    left = int(state[7:] or 0)
                    self.states[target.key] = f"warming{left - 1}" if left > 1 else "on"
                    result.append(f"{target.key}:warming")
                else:
                    result.append(f"{target.key}:{state}")
            return result

    def identity(self, state):
        return state.split(":")[0].replace("alias-", "")

    def plan(self, target, state):
        kind = state.split(":")[1]
        outcome = {"off": engine.PLANNED, "stuck": engine.PLANNED, "on": engine.UNCHANGED, "locked": engine.REFUSED, "warming": engine.PENDING}.get(
            kind, engine.PLANNED
        )
        return Plan(outcome, f"is {kind}", action="switch on" if outcome == engine.PLANNED else "none", before={"lamp": kind}, after={"lamp": "on"})

    def apply(self, entries):
        names = [entry.target.key for entry in entries]
        with self.lock:
            self.writes.append(names)
            count = sum(names[0] in write for write in self.writes)
        for name in names:
            trouble = self.before_write.get(name, lambda dummy: None)(count)
            if trouble:
                raise trouble
        for name in names:
            self.states[name] = "warming3" if self.states[name] == "slow" else "on"
        for name in names:
            trouble = self.after_write.get(name, lambda dummy: None)(count)
            if trouble:
                raise trouble
        return [Verdict(engine.PENDING if self.states[name].startswith("warming") else engine.APPLIED, "switched on") for name in names]

    def resolve(self, entry, state):
        if state.split(":")[1] in ("on", "warming"):
            return Verdict(engine.APPLIED, "on after all")
        return Verdict(engine.REPEAT, "still off")

    def settle(self, entry, state):
        return Verdict(engine.APPLIED, "burns") if state.endswith(":on") else Verdict(engine.PENDING, "still warming up")


def run(lamps, names, check_mode=False, warnings=None, **params):
    options = {"wait": False, "wait_timeout": 60, "wait_interval": 1, **params}
    warn = (warnings if warnings is not None else []).append
    return Engine(lamps, options, check_mode=check_mode, warn=warn).run([Lamp(name) for name in names])


def outcomes(result):
    return [entry["outcome"] for entry in result["targets"]]


def once(error):
    """An error on the first try only."""
    return lambda count: error if count == 1 else None


def always(error):
    return lambda count: error


def test_applies_what_is_needed_and_nothing_on_the_second_run():
    lamps = Lamps({"a": "off", "b": "on", "c": "off"})
    result = run(lamps, ["a", "b", "c"])
    assert outcomes(result) == ["applied", "unchanged", "applied"]
    assert result["changed"] and not result["failed"]
    assert result["diff"] == {"before": {"a": {"lamp": "off"}, "c": {"lamp": "off"}}, "after": {"a": {"lamp": "on"}, "c": {"lamp": "on"}}}
    again = run(lamps, ["a", "b", "c"])
    assert outcomes(again) == ["unchanged"] * 3 and not again["changed"] and len(lamps.writes) == 2


def test_check_mode_writes_nothing_and_predicts_the_run():
    lamps = Lamps({"a": "off", "b": "on"})
    plan = run(lamps, ["a", "b"], check_mode=True)
    assert outcomes(plan) == ["planned", "unchanged"] and plan["changed"] and lamps.writes == []
    real = run(lamps, ["a", "b"], plan_digest=plan["plan_digest"])
    assert outcomes(real) == ["applied", "unchanged"]
    assert plan["diff"] == real["diff"] and plan["plan_digest"] == real["plan_digest"]
    assert plan["plan_digest"] in plan["msg"]


def test_an_empty_list_is_unchanged():
    result = run(Lamps({}), [])
    assert not result["changed"] and not result["failed"] and result["targets"] == []


@pytest.mark.parametrize("bad", ["locked", "missing"])
def test_one_bad_target_stops_all_before_the_first_write(bad):
    lamps = Lamps({"a": "off", "b": bad, "c": "off"})
    result = run(lamps, ["a", "b", "c"])
    assert result["failed"] and not result["changed"] and lamps.writes == []
    assert outcomes(result) == ["not_attempted", "refused" if bad == "locked" else "failed", "not_attempted"]
    assert "continue_on_error" in result["targets"][0]["message"]


def test_continue_on_error_acts_on_the_good_ones_and_still_fails():
    lamps = Lamps({"a": "off", "b": "locked", "c": "off"})
    result = run(lamps, ["a", "b", "c"], continue_on_error=True)
    assert outcomes(result) == ["applied", "refused", "applied"] and result["failed"] and result["changed"]


def test_max_changes_counts_what_would_change_only():
    lamps = Lamps({"a": "off", "b": "on", "c": "off"})
    refused = run(lamps, ["a", "b", "c"], max_changes=1)
    assert outcomes(refused) == ["refused", "unchanged", "refused"] and refused["failed"] and lamps.writes == []
    assert "max_changes" in refused["msg"] and "2" in refused["msg"]
    assert outcomes(run(lamps, ["a", "b", "c"], max_changes=2)) == ["applied", "unchanged", "applied"]
    assert not run(lamps, ["a", "b", "c"], max_changes=0)["failed"]


def test_another_plan_than_the_approved_one_is_refused():
    lamps = Lamps({"a": "off", "b": "off"})
    approved = run(lamps, ["a"], check_mode=True)["plan_digest"]
    result = run(lamps, ["a", "b"], plan_digest=approved)
    assert outcomes(result) == ["refused", "refused"] and lamps.writes == [] and "plan_digest" in result["msg"]


def test_an_approved_plan_that_is_done_already_is_unchanged():
    lamps = Lamps({"a": "off"})
    approved = run(lamps, ["a"], check_mode=True)["plan_digest"]
    run(lamps, ["a"], plan_digest=approved)
    again = run(lamps, ["a"], plan_digest=approved)
    assert not again["failed"] and not again["changed"]


def test_the_digest_does_not_depend_on_order_and_does_on_place():
    lamps = Lamps({"a": "off", "b": "off"})
    one = run(lamps, ["a", "b"], check_mode=True)["plan_digest"]
    assert run(lamps, ["b", "a"], check_mode=True)["plan_digest"] == one
    lamps.transport.settings.base_url = "https://other.example.com"
    assert run(lamps, ["a", "b"], check_mode=True)["plan_digest"] != one


def test_duplicates_are_acted_on_once_and_told():
    lamps = Lamps({"a": "off", "alias-a": "off"})
    warnings = []
    result = run(lamps, ["a", "A", "alias-a"], warnings=warnings)
    assert outcomes(result) == ["applied", "unchanged", "unchanged"] and lamps.writes == [["a"]]
    assert len(warnings) == 1 and "2 of 3" in warnings[0]


def test_a_lost_answer_after_the_write_is_not_repeated():
    lamps = Lamps({"a": "off"})
    lamps.after_write["a"] = always(AnswerLostError("no answer"))
    result = run(lamps, ["a"])
    assert outcomes(result) == ["applied"] and lamps.writes == [["a"]] and result["changed"]


def test_a_lost_answer_before_the_write_is_repeated_after_a_look():
    lamps = Lamps({"a": "off"})
    lamps.before_write["a"] = once(AnswerLostError("no answer"))
    result = run(lamps, ["a"])
    assert outcomes(result) == ["applied"] and lamps.writes == [["a"], ["a"]] and lamps.looks == [["a"], ["a"], ["a"]]


def test_what_cannot_be_read_back_is_unknown():
    lamps = Lamps({"a": "off"})

    def vanish(dummy):
        lamps.states["a"] = "missing"
        return AnswerLostError("no answer")

    lamps.before_write["a"] = vanish
    result = run(lamps, ["a"])
    assert outcomes(result) == ["unknown"] and result["failed"] and result["changed"] and "run the task again" in result["msg"]


def test_busy_is_repeated_with_a_pause_and_then_fails():
    lamps = Lamps({"a": "off"})
    lamps.before_write["a"] = once(BusyError("in use"))
    assert outcomes(run(lamps, ["a"])) == ["applied"] and len(lamps.transport.waited) == 1
    never = Lamps({"a": "off"}, retry_timeout=0)
    never.before_write["a"] = always(BusyError("in use"))
    result = run(never, ["a"])
    assert outcomes(result) == ["failed"] and "gave up after 1 tries" in result["msg"] and not result["changed"]


def test_stop_after_failures_leaves_the_rest():
    lamps = Lamps({name: "off" for name in "abcdef"}, concurrency=1)
    for name in "ab":
        lamps.before_write[name] = always(VendorError("no"))
    result = run(lamps, list("abcdef"), stop_after_failures=2)
    assert outcomes(result) == ["failed", "failed"] + ["not_attempted"] * 4 and len(lamps.writes) == 2


def test_a_fatal_error_stops_the_rest():
    lamps = Lamps({name: "off" for name in "abc"}, concurrency=1)
    lamps.before_write["b"] = always(AuthenticationError("token revoked"))
    result = run(lamps, list("abc"))
    assert outcomes(result) == ["applied", "failed", "not_attempted"] and "token revoked" in result["targets"][2]["message"]


def test_a_failure_among_many_does_not_stop_the_others():
    lamps = Lamps({name: "off" for name in "abc"})
    lamps.before_write["b"] = always(VendorError("no"))
    assert outcomes(run(lamps, list("abc"))) == ["applied", "failed", "applied"]


def test_batches_are_sent_together_and_repeated_only_where_needed():
    lamps = Lamps({name: "off" for name in "abcde"}, batch_size=2, concurrency=1)
    result = run(lamps, list("abcde"))
    assert lamps.writes == [["a", "b"], ["c", "d"], ["e"]] and outcomes(result) == ["applied"] * 5

    half = Lamps({"a": "off", "b": "off"}, batch_size=2)

    def half_done(dummy):
        half.states["a"] = "on"
        return AnswerLostError("no answer")

    half.before_write["a"] = lambda count: half_done(count) if count == 1 else None
    assert outcomes(run(half, ["a", "b"])) == ["applied", "applied"] and half.writes == [["a", "b"], ["b"]]


def test_waiting_ends_when_all_has_settled():
    lamps = Lamps({"a": "slow", "b": "warming2", "c": "on"})
    result = run(lamps, ["a", "b", "c"], wait=True)
    assert outcomes(result) == ["applied", "unchanged", "unchanged"] and not result["failed"]
    assert [entry["changed"] for entry in result["targets"]] == [True, False, False]


def test_pending_without_waiting_is_no_failure_and_no_change_the_second_time():
    lamps = Lamps({"a": "slow"})
    first = run(lamps, ["a"])
    assert outcomes(first) == ["pending"] and first["changed"] and not first["failed"]
    second = run(lamps, ["a"])
    assert outcomes(second) == ["pending"] and not second["changed"] and not second["failed"]


def test_pending_when_the_time_is_over_fails():
    lamps = Lamps({"a": "warming999999"})
    result = run(lamps, ["a"], wait=True, wait_timeout=1)
    assert outcomes(result) == ["pending"] and result["failed"] and "wait_timeout" in result["msg"]


def test_the_journal_holds_the_intent_before_and_the_outcome_after(tmp_path):
    path = tmp_path / "journal.jsonl"
    lamps = Lamps({"a": "off", "b": "on"})
    seen_at_write = []
    lamps.before_write["a"] = lambda dummy: seen_at_write.append(path.read_text()) or None
    run(lamps, ["a", "b"], journal_path=str(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["event"], line["target"]) for line in lines] == [("intent", "a"), ("outcome", "a")]
    assert '"intent"' in seen_at_write[0] and '"outcome"' not in seen_at_write[0]
    assert lines[1]["outcome"] == "applied" and lines[0]["run"] == lines[1]["run"]
    run(lamps, ["a", "b"], check_mode=True, journal_path=str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_a_journal_that_cannot_be_written_stops_before_the_first_write(tmp_path):
    lamps = Lamps({"a": "off"})
    with pytest.raises(InputError, match="journal_path"):
        run(lamps, ["a"], journal_path=str(tmp_path / "missing" / "journal"))
    assert lamps.writes == []


def breaking_at(number):
    """A journal's ``write`` that fails from its ``number``-th call on."""
    calls = itertools.count(1)

    def write(dummy, lines):
        if next(calls) >= number:
            raise InputError("journal_path", "no space left on device")

    return write


def test_a_journal_that_breaks_keeps_the_results_and_begins_nothing_more(tmp_path, monkeypatch):
    for broken, expected in ((1, ["failed", "not_attempted", "not_attempted"]), (2, ["applied", "not_attempted", "not_attempted"])):
        lamps = Lamps({name: "off" for name in "abc"}, concurrency=1)
        monkeypatch.setattr(engine.Journal, "write", breaking_at(broken))
        result = run(lamps, list("abc"), journal_path=str(tmp_path / "journal"))
        assert outcomes(result) == expected and result["failed"] and "no space left" in result["targets"][2]["message"]
        assert len(lamps.writes) == broken - 1


def test_what_was_done_is_told_even_when_waiting_breaks(monkeypatch):
    lamps = Lamps({"a": "slow", "b": "off"})

    def poll(dummy):
        raise AuthenticationError("token expired")

    monkeypatch.setattr(lamps, "poll", poll)
    result = run(lamps, ["a", "b"], wait=True)
    assert outcomes(result) == ["pending", "applied"] and result["failed"] and result["changed"] and "token expired" in result["msg"]


def test_what_has_settled_is_recorded_before_waiting_breaks(monkeypatch, tmp_path):
    path = tmp_path / "journal"
    lamps = Lamps({"a": "warming1", "b": "slow", "c": "slow"})
    settle = lamps.settle

    def break_at_b(entry, state):
        if entry.target.name == "b":
            raise VendorError("the socket is gone")
        return dataclasses.replace(settle(entry, state), changed=entry.target.name == "a")

    monkeypatch.setattr(lamps, "settle", break_at_b)
    result = run(lamps, ["b", "a", "c"], wait=True, journal_path=str(path))
    assert outcomes(result) == ["pending", "applied", "pending"] and result["failed"] and "the socket is gone" in result["msg"]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert ("a", "applied") in [(line["target"], line.get("outcome")) for line in lines]


def test_what_is_done_while_waiting_is_a_change_if_the_operation_says_so(monkeypatch):
    for says, expected in ((None, ("unchanged", False)), (False, ("unchanged", False)), (True, ("applied", True))):
        lamps = Lamps({"a": "warming1"})
        settle = lamps.settle
        monkeypatch.setattr(lamps, "settle", lambda entry, state, settle=settle, says=says: dataclasses.replace(settle(entry, state), changed=says))
        result = run(lamps, ["a"], wait=True)
        assert (outcomes(result)[0], result["changed"]) == expected


def test_many_settle_at_the_same_time(monkeypatch):
    lamps = Lamps({name: "slow" for name in "abcd"})
    meeting = threading.Barrier(4, timeout=30)
    settle = lamps.settle

    def together(entry, state):
        # One after the other they would wait for each other for ever.
        meeting.wait()
        return settle(entry, state)

    monkeypatch.setattr(lamps, "settle", together)
    assert outcomes(run(lamps, list("abcd"), wait=True)) == ["applied"] * 4


@pytest.mark.parametrize("idle", [engine.UNCHANGED, engine.PENDING])
def test_check_mode_says_of_a_probe_what_it_is_when_nothing_changes(monkeypatch, idle):
    lamps = Lamps({"a": "off"})
    plan = lamps.plan
    monkeypatch.setattr(lamps, "plan", lambda target, state: dataclasses.replace(plan(target, state), probe=True, idle=idle))
    result = run(lamps, ["a"], check_mode=True)
    assert outcomes(result) == [idle] and not result["changed"] and lamps.writes == []


@pytest.mark.parametrize("hidden, outcome", [(False, "failed"), (True, "unknown")])
def test_what_nothing_shows_is_unknown_when_no_try_is_answered(monkeypatch, hidden, outcome):
    lamps = Lamps({"a": "off"}, retry_timeout=0)
    plan = lamps.plan
    monkeypatch.setattr(lamps, "plan", lambda target, state: dataclasses.replace(plan(target, state), hidden=hidden))
    lamps.before_write["a"] = always(AnswerLostError("no answer"))
    result = run(lamps, ["a"])
    assert outcomes(result) == [outcome] and result["changed"] is hidden


def test_each_step_of_a_batch_is_recorded_once(tmp_path):
    path = tmp_path / "journal"
    lamps = Lamps({"a": "off", "b": "off", "c": "off"}, batch_size=3)

    def half_done(count):
        lamps.states["a"] = "on"
        return AnswerLostError("no answer") if count == 1 else None

    lamps.before_write["a"] = half_done
    run(lamps, ["a", "b", "c"], journal_path=str(path), stop_after_failures=1)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(line["target"] for line in lines if line["event"] == "outcome") == ["a", "b", "c"]


@pytest.mark.parametrize("option, value", [("max_changes", -1), ("stop_after_failures", 0), ("wait_timeout", 0), ("wait_interval", 0)])
def test_numbers_out_of_range_are_refused(option, value):
    with pytest.raises(InputError, match=option):
        run(Lamps({}), [], **{option: value})


def test_the_message_names_each_kind_of_problem_once():
    lamps = Lamps({f"l{number}": "off" for number in range(40)})
    for number in range(30):
        lamps.before_write[f"l{number}"] = always(VendorError("the fuse is blown"))
    result = run(lamps, list(lamps.states))
    assert result["msg"].count("the fuse is blown") == 1 and "and 29 more" in result["msg"] and result["msg"].startswith("40 lamps: 10 applied, 30 failed.")


KINDS = st.sampled_from(["off", "on", "locked", "missing", "warming9", "slow"])


@settings(max_examples=200, deadline=None)
@given(kinds=st.lists(KINDS, max_size=12), go_on=st.booleans(), limit=st.none() | st.integers(0, 6))
def test_check_mode_predicts_every_run(kinds, go_on, limit):
    states = {f"l{number}": kind for number, kind in enumerate(kinds)}
    options = {"continue_on_error": go_on, "max_changes": limit}
    checked, real = Lamps(states), Lamps(states)
    plan = run(checked, list(states), check_mode=True, **options)
    done = run(real, list(states), **options)
    assert checked.writes == []
    assert plan["changed"] == done["changed"] and plan["failed"] == done["failed"] and plan["plan_digest"] == done["plan_digest"]
    for expected, seen in zip(plan["targets"], done["targets"]):
        assert seen["outcome"] in (("applied", "pending") if expected["outcome"] == "planned" else (expected["outcome"],))
        assert expected["changed"] == seen["changed"] and expected["before"] == seen["before"] and expected["after"] == seen["after"]
    assert run(real, list(states), **options)["changed"] is False
