# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role unstick_certificates tells of certificates, waves, guards and options."""

from __future__ import annotations

import json

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import unstick_record
from ansible_collections.certops.remediation.plugins.plugin_utils.unstick_record import Wave

FOLDER = r"\VED\Policy\Web"
WEB = FOLDER + r"\web"
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} \\ ' \" | `x` \u202e & \U0001f512"
KEYS = "failed not_reset unknown unread refused unreadable approval running not_attempted planned renewed reset unchanged left"
WITHOUT_ADVICE = ("failed", "planned", "renewed", "reset", "unchanged", "left")
WORDS = {
    "results": [
        {"key": key, "label": key, "tone": "tone", **({} if key in WITHOUT_ADVICE else {"who": "You", "what": f"mend {key}"})} for key in KEYS.split()
    ],
    "advice": [
        {"pattern": "cannot CONNECT", "who": "Operations", "what": "Bring it up."},
        {"pattern": "", "who": "Somebody", "what": "Look into the log."},
    ],
}
NUMBERS = {"canary_size": "1", "wave_size": "50", "max_failed_percent": "10", "max_changes": "", "expected_changes": ""}
SETTINGS = {"folder": "", "filters": {}, "certificates_given": 0, "skip_status": [], "deny": [], "plan_digest": "", **NUMBERS}
NOTHING_DONE = {"outcomes": {}, "messages": {}, "stopped": "", "waves": []}
A_WAVE = [{"name": "wave 1 of 1", "changed": 1}]
HEALTHY = {"stage": None, "stage_name": None, "status": None, "in_error": False}


def certificate(name="web", **changes):
    return {
        "dn": rf"{FOLDER}\{name}",
        "guid": "{1}",
        "name": name,
        "folder": FOLDER,
        "stage": 500,
        "stage_name": "PostCSR",
        "status": f"Cannot connect for {name}, order 12345678",
        "in_error": True,
        "in_process": False,
        "awaits_approval": False,
        "revocation": None,
        "disabled": False,
        "management_type": "Enrollment",
        "thumbprint": "AA",
        "valid_to": "2026-01-01T00:00:00Z",
        **changes,
    }


def target(name="web", outcome="planned", message="", **more):
    return {"target": rf"{FOLDER}\{name}", "outcome": outcome, "message": message, "changed": outcome == "applied", **more}


def plan_of(*targets):
    summary = {outcome: sum(entry["outcome"] == outcome for entry in targets) for outcome in ("planned", "refused", "failed")}
    return {"plan_digest": "sha256:1", "targets": list(targets), "summary": summary}


def record_of(certificates, targets, done=None, again=(), unreadable=(), continue_on_error=False, **settings):
    return unstick_record.record(
        {"certificates": list(certificates), "unreadable": list(unreadable)},
        plan_of(*targets),
        done or NOTHING_DONE,
        {"certificates": list(again)} if again else {},
        settings={**SETTINGS, **settings},
        run={"by": "me"},
        words=WORDS,
        check_mode=False,
        what="reset",
        continue_on_error=continue_on_error,
    )


def only_row(*arguments, **more):
    (row,) = record_of(*arguments, **more)["certificates"]
    return row


def done_with(outcome, message=None):
    return {"outcomes": {WEB: outcome}, "messages": {} if message is None else {WEB: message}, "stopped": "", "waves": A_WAVE}


def wave_of(*targets, **more):
    options = {"name": "wave 1 of 2", "dns": [entry["target"] for entry in targets], "limit": 10, "is_canary": False, "answer": {"targets": targets}}
    return Wave(**{**options, **more})


@pytest.mark.parametrize(
    "outcome, message, now, result",
    [
        ("not_attempted", "x", {}, "not_attempted"),
        ("unknown", "x", {}, "unknown"),
        ("applied", None, None, "unread"),
        ("failed", "TPP said no", {}, "not_reset"),
        ("failed", "failed again: x", {}, "failed"),
        ("applied", None, {"in_error": True}, "failed"),
        ("pending", None, {"in_error": False, "awaits_approval": True}, "approval"),
        ("pending", None, {"in_error": False, "in_process": True}, "running"),
        ("applied", None, {**HEALTHY, "thumbprint": "BB"}, "renewed"),
        ("applied", None, HEALTHY, "reset"),
        ("unchanged", None, HEALTHY, "unchanged"),
    ],
)
def test_result_of_what_was_planned(outcome, message, now, result):
    again = [] if now is None else [certificate(**now)]
    row = only_row([certificate()], [target()], done_with(outcome, message), again)
    assert (row["result"], row["outcome"]) == (result, outcome)
    assert (row["state_now"] == "unread") == (result == "unread")


def test_unread_says_what_was_known_last():
    assert only_row([certificate()], [target()], done_with("applied"))["why"] == "applied when its wave ended"


def test_planned_before_the_waves():
    row = only_row([certificate()], [target()])
    assert (row["planned"], row["result"], row["why"], row["state"]) == (True, "planned", "", "in_error")


@pytest.mark.parametrize(
    "changes, plan, result, why",
    [
        ({}, [target(outcome="refused", message="a guard")], "refused", "a guard"),
        ({}, [target(outcome="failed", message="no right")], "refused", "no right"),
        ({"in_error": False, "awaits_approval": True}, [target(outcome="pending", message="waits")], "approval", "waits"),
        ({"in_error": False, "in_process": True}, [target(outcome="pending", message="at work")], "left", "at work"),
        (HEALTHY, [target(outcome="unchanged", message="fine")], "unchanged", "fine"),
        ({**HEALTHY, "revocation": "revoked"}, [target(outcome="unchanged", message="revoked")], "left", "revoked"),
        ({"disabled": True}, [], "left", "its processing is disabled in TPP"),
        ({"management_type": "Unassigned"}, [], "left", "its management type is Unassigned, and TPP resets no such certificate"),
        ({"status": "no mending"}, [], "left", "unstick_certificates_skip_status leaves it alone: no mending"),
    ],
)
def test_result_of_what_was_not_planned(changes, plan, result, why):
    row = only_row([certificate(**changes)], plan)
    assert (row["planned"], row["result"], row["why"]) == (False, result, why)


def test_unreadable():
    row = only_row([], [], unreadable=[{"target": WEB, "error": {"message": "gone"}}])
    assert (row["result"], row["name"], row["folder"], row["why"]) == ("unreadable", "web", FOLDER, "gone")


@pytest.mark.parametrize(
    "changes, text",
    [
        ({}, "stage 500 PostCSR: Cannot connect for web, order 12345678"),
        ({"stage": 0, "status": ""}, "stage 0 PostCSR"),
        ({"stage": None}, "Cannot connect for web, order 12345678"),
        ({"stage": None, "status": None}, "in error, without a stage"),
        (HEALTHY, "no processing state"),
    ],
)
def test_reason(changes, text):
    assert only_row([certificate(**changes)], [])["reason"] == text


def test_texts_of_one_kind_are_told_once_by_the_first_of_them():
    names = ["a1", "b2", "c3", "d4"]
    found = [certificate(name, status=f"{'CANNOT' if name == 'c3' else 'Cannot'} connect for {name}, order 1234567{name[1]}") for name in names]
    made = record_of(found, [target(name) for name in names])
    assert made["reasons"] == [{
        "text": "stage 500 PostCSR: Cannot connect for *, order *",
        "count": 4,
        "examples": [rf"{FOLDER}\{name}" for name in names[:3]],
    }]
    assert made["folders"][0]["count"] == 4


def test_a_certificate_without_a_name_keeps_its_text():
    assert only_row([certificate("", status="broken")], [])["kind"] == "stage 500 PostCSR: broken"


def test_open_ones_have_somebody_to_act():
    found = [certificate("web"), certificate("mail"), certificate("ftp")]
    outcomes = {rf"{FOLDER}\{name}": outcome for name, outcome in (("web", "failed"), ("mail", "failed"), ("ftp", "unknown"))}
    messages = {WEB: "failed again", FOLDER + r"\mail": "failed again", FOLDER + r"\ftp": "lost"}
    done = {"outcomes": outcomes, "messages": messages, "stopped": "", "waves": A_WAVE}
    again = [certificate("web"), certificate("mail", status="odd"), certificate("ftp")]
    made = record_of(found, [target("web"), target("mail"), target("ftp")], done, again)
    told = [(group["rank"], group["result"], group["text"], group["who"], group["what"]) for group in made["open"]]
    assert told == [
        (1, "failed", "stage 500 PostCSR: Cannot connect for *, order *", "Operations", "Bring it up."),
        (1, "failed", "stage 500 PostCSR: odd", "Somebody", "Look into the log."),
        (2, "unknown", "lost", "You", "mend unknown"),
    ]
    assert made["results"]["failed"] == 2 and made["results"]["renewed"] == 0
    assert made["counts"] == {"selected": 3, "planned": 3, "changed": 1}


def test_hostile_text_passes_through_unharmed():
    found = [certificate(HOSTILE, status=HOSTILE), certificate("web", status=HOSTILE)]
    made = json.loads(json.dumps(record_of(found, [target(HOSTILE), target("web")], done_with("unknown", HOSTILE), found)))
    first, second = made["certificates"]
    assert (first["name"], first["dn"], first["reason"]) == (HOSTILE, rf"{FOLDER}\{HOSTILE}", f"stage 500 PostCSR: {HOSTILE}")
    assert (second["kind"], second["why"]) == (f"stage 500 PostCSR: {HOSTILE}", HOSTILE)


def test_ten_thousand():
    names = [f"web-{number}" for number in range(10_000)]
    found = [certificate(name) for name in names]
    targets = [target(name) for name in names]
    done = unstick_record.progress(NOTHING_DONE, wave_of(*[target(name, "applied") for name in names]), "now")
    made = record_of(found, targets, done, [certificate(name, **HEALTHY) for name in names])
    assert made["results"]["reset"] == len(made["certificates"]) == 10_000


def test_guards_are_all_asked():
    made = record_of(
        [certificate()], [target(), target("x", "failed")], deny=["WEB$", "never"], max_changes="0", expected_changes="2", plan_digest=" sha256:0 "
    )
    assert [refusal["guard"] for refusal in made["refusals"]] == ["deny", "max_changes", "expected_changes", "plan_digest", "continue_on_error"]
    assert made["refusals"][0]["message"] == (
        f"1 of the 1 certificates to be reset match unstick_certificates_deny, such as {WEB}. Select without them, or change the list."
    )


def test_guards_that_are_content():
    made = record_of(
        [certificate()], [target(), target("x", "failed")], continue_on_error=True,
        deny=["never"], max_changes="1", expected_changes="1", plan_digest="sha256:1",
    )
    assert made["refusals"] == []
    assert record_of([certificate()], [target(outcome="refused")], expected_changes="7")["refusals"] == []


def test_wave_that_went_well():
    wave = wave_of(target("a", "applied"), target("b", "unchanged"), target("c", "pending"), limit=0)
    done = unstick_record.progress({**NOTHING_DONE, "outcomes": {"before": "applied"}}, wave, "now")
    assert done["stopped"] == ""
    assert list(done["outcomes"].values()) == ["applied", "applied", "unchanged", "pending"]
    assert done["waves"] == [{"name": "wave 1 of 2", "size": 3, "fine": 2, "pending": 1, "bad": 0, "changed": 1, "ended": "now"}]


def test_what_is_late_counts_as_failed():
    wave = wave_of(target("a", "applied"), target("b", "pending", "at work", timed_out=True))
    assert wave.stop == "1 of the 2 certificates of wave 1 of 2 failed, which is 50 % and more than unstick_certificates_max_failed_percent=10"
    assert (wave.counts()["pending"], wave.counts()["bad"]) == (0, 1)
    assert wave.messages == {rf"{FOLDER}\b": "at work"}


def test_canary_stops_the_run():
    assert wave_of(target("a", "failed", "no"), is_canary=True).stop == rf"the canary did not make it. {FOLDER}\a: no"


def test_wave_that_was_given_up():
    assert wave_of(target("a", "not_attempted", "no token")).stop == "wave 1 of 2 was given up: no token"
    assert "which is 100 %" in wave_of(target("a", "not_attempted", "stop_after_failures is 1")).stop
    assert wave_of(target("a", "failed", "no"), limit=100).stop == ""


@pytest.mark.parametrize(
    "answer, outcome, cause",
    [
        ({"msg": "no route", "error": {"kind": "network"}}, "not_attempted", "no route"),
        ({"msg": "killed"}, "unknown", "killed"),
        ({}, "unknown", "the task ended without a result"),
    ],
)
def test_wave_without_targets(answer, outcome, cause):
    done = unstick_record.progress(NOTHING_DONE, wave_of(dns=["a", "b"], answer=answer), "now")
    assert done["outcomes"] == {"a": outcome, "b": outcome}
    assert done["messages"] == {"a": cause, "b": cause}
    assert done["stopped"] == f"wave 1 of 2 could not be carried out: {cause}"
    assert done["waves"][0]["bad"] == 2


@pytest.mark.parametrize(
    "numbers, settings, formats, complaint",
    [
        ({"wave_size": "x", "max_changes": "-1"}, {}, [], "unstick_certificates_wave_size, unstick_certificates_max_changes must be a whole number"),
        ({"wave_size": "0"}, {}, [], "unstick_certificates_wave_size must be at least 1"),
        ({"max_failed_percent": "101"}, {}, [], "unstick_certificates_max_failed_percent must be at most 100"),
        ({}, {"certificates_given": 1, "folder": "x"}, [], "unstick_certificates_certificates names what to look at"),
        ({}, {"filters": "in_error"}, [], "unstick_certificates_filters must be a mapping"),
        ({}, {"filters": {"stge": 500, "stage": 500}}, [], "unstick_certificates_filters does not know stge. It knows in_error, name,"),
        ({}, {}, ["html", "pdf"], "unstick_certificates_report_formats does not know pdf. It knows html, markdown, json"),
    ],
)
def test_options_that_cannot_work(numbers, settings, formats, complaint):
    (said,) = unstick_record.complaints({**NUMBERS, **numbers}, {**SETTINGS, **settings}, formats)
    assert said.startswith(complaint)


def test_options_that_work():
    assert unstick_record.complaints(NUMBERS, {**SETTINGS, "filters": {"stage": 500}, "folder": "x"}, ["html"]) == []
