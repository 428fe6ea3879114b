# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role unstick_certificates tells of certificates, and which of its options cannot work."""

from __future__ import annotations

import json

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, unstick_record
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

FOLDER = r"\VED\Policy\Web"
WEB = FOLDER + r"\web"
HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} \\ ' \" | `x` \u202e & \U0001f512"
KEYS = "not_reset unknown unread refused unreadable approval running not_attempted planned renewed reset unchanged left"
NOT_OPEN = ("planned", "renewed", "reset", "unchanged", "left")
WORDS = {
    "title": "Unstick",
    "nothing_selected": "Nothing is stuck",
    "results": [
        {"key": "failed", "label": "failed", "tone": "bad", "advice": True, "told_by": "kind_now"},
        *({"key": key, "label": key, "tone": "good" if key in NOT_OPEN else "bad", "who": "You", "what": f"mend {key}"} for key in KEYS.split()),
    ],
    "advice": [
        {"pattern": "cannot CONNECT", "who": "Operations", "what": "Bring it up."},
        {"pattern": "", "who": "Somebody", "what": "Look into the log."},
    ],
}
SETTINGS = {"folder": "", "filters": {}, "certificates_given": 0, "skip_status": []}
OPTIONS = flow.options(FLOW_OPTIONS, "unstick_certificates")
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


def record_of(certificates, targets, done=None, again=(), unreadable=(), **options):
    return unstick_record.record(
        {"certificates": list(certificates), "unreadable": list(unreadable)},
        plan_of(*targets),
        done or NOTHING_DONE,
        {"certificates": list(again)} if again else {},
        options={**OPTIONS, **options},
        settings=SETTINGS,
        run={"by": "me"},
        words=WORDS,
        check_mode=False,
        what="reset",
    )


def only_row(*arguments, **more):
    (row,) = record_of(*arguments, **more)["certificates"]
    return row


def done_with(outcome, message=None):
    return {"outcomes": {WEB: outcome}, "messages": {} if message is None else {WEB: message}, "stopped": "", "waves": A_WAVE}


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


@pytest.mark.parametrize(
    "outcome, message, now, shown",
    [
        ("applied", None, {**HEALTHY, "thumbprint": "BB"}, ("valid to 2026-01-01", "BB")),
        ("failed", "failed again: x", {}, ("stage 500 PostCSR: Cannot connect for web, order 12345678", "")),
        ("applied", None, HEALTHY, ("no processing state", "")),
        ("unknown", "lost", {}, ("lost", "")),
    ],
)
def test_what_is_shown_of_it_now(outcome, message, now, shown):
    row = only_row([certificate()], [target()], done_with(outcome, message), [certificate(**now)])
    assert (row["now"], row["note"]) == shown


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
    assert made["counts"] == {"selected": 3, "planned": 3, "changed": 1, "expiring": 0}


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
    outcomes = {rf"{FOLDER}\{name}": "applied" for name in names}
    done = {"outcomes": outcomes, "messages": {}, "stopped": "", "waves": A_WAVE}
    made = record_of(found, targets, done, [certificate(name, **HEALTHY) for name in names])
    assert made["results"]["reset"] == len(made["certificates"]) == 10_000


def test_guards_know_what_cannot_be_read_or_acted_on():
    made = record_of([certificate()], [target(), target("x", "failed")], unreadable=[{"target": WEB + "2", "error": {"message": "gone"}}], deny=["WEB$"])
    assert [refusal["guard"] for refusal in made["refusals"]] == ["deny", "continue_on_error"]
    assert made["refusals"][1]["message"].startswith("2 of the 2 selected certificates cannot be read or acted on")


@pytest.mark.parametrize(
    "settings, complaint",
    [
        ({"certificates_given": 1, "folder": "x"}, "unstick_certificates_certificates names what to look at"),
        ({"filters": "in_error"}, "unstick_certificates_filters must be a mapping"),
        ({"filters": {"stge": 500, "stage": 500}}, "unstick_certificates_filters does not know stge. It knows in_error, name,"),
        ({"skip_status": ["ok", "(x"]}, "unstick_certificates_skip_status is a list of regular expressions, and (x is none:"),
    ],
)
def test_options_that_cannot_work(settings, complaint):
    (said,) = unstick_record.complaints({**SETTINGS, **settings})
    assert said.startswith(complaint)


def test_options_that_work():
    assert unstick_record.complaints({**SETTINGS, "filters": {"stage": 500}, "folder": "x"}) == []
