# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role offboard_client_certificates tells of certificates, what it may take back, and which of its options cannot work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, offboard_record
from ansible_collections.certops.remediation.plugins.plugin_utils.offboard_record import ROLE
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

GROUPS = {
    "let_through": {"label": "let through", "tone": "bad", "short": "STILL LET THROUGH", "who": "Admin", "what": "Add a rule"},
    "unclear": {"label": "may be", "tone": "wait", "short": "not clear", "who": "Admin", "what": "Look"},
}
OPEN = "failed unknown unread back refused missing pending not_attempted"
WORDS = {
    "title": "Off-board",
    "nothing_selected": "Nothing found",
    "results": [
        *({"key": key, "label": key, "tone": "bad", "who": "You", "what": f"mend {key}", "told_by": "kind_why"} for key in OPEN.split()),
        *({"key": key, "label": key, "tone": "good", "told_by": "kind_why"} for key in "planned revoked active unchanged left".split()),
    ],
    "advice": [],
    **GROUPS,
}
OPTIONS = flow.options(FLOW_OPTIONS, ROLE)
NOT_SET = dict.fromkeys([
    "zone", "owners", "devices", "certificates", "list_path", "key_files", "key_sha256", "rate_limits", "from_record", "state", "expired", "wait",
    "fail_if_let_through", "report_path",
])
NOTHING_DONE = {"outcomes": {}, "messages": {}, "kept": {}, "stopped": "", "waves": []}
BLOCKS = {"blocks_revoked": True, "message": "a rule blocks", "rules": []}
LETS = {"blocks_revoked": False, "message": "no rule blocks", "rules": []}


def own_of(**given):
    return offboard_record.options({**NOT_SET, "owners": "Blue Harbor", **given})


def own_for(state):
    return own_of(state=state, **({"owners": None, "from_record": "x.json"} if state == "active" else {}))


def certificate(number=1, status="active", **changes):
    return {
        "id": f"id-{number}", "zone_id": "z", "status": status, "common_name": f"tablet-{number}", "organization": "Example", "expired": False,
        "organizational_unit": "Blue Harbor", "serial_number": f"0{number}", "fingerprint_sha256": f"{number:064x}", "public_key_sha256": f"{number:064x}",
        "issued_on": "2026-01-01T00:00:00Z", "expires_on": "2027-01-01T00:00:00Z", **changes,
    }


def target(outcome="planned", message="", action="revoke"):
    return {"outcome": outcome, "message": message, "action": action if outcome == "planned" else "none"}


def done_with(outcome, message=None):
    waves = [{"name": "wave 1 of 1", "changed": 1}]
    return {**NOTHING_DONE, "outcomes": {"id-1": outcome} if outcome else {}, "messages": {} if message is None else {"id-1": message}, "waves": waves}


def record_of(certificates, targets, done=None, again=None, missing=(), earlier=None, check_mode=False, own=None, firewall=None, **options):
    return offboard_record.record(
        {"certificates": list(certificates), "missing": list(missing), "zone_id": "z", "total": 1, "firewall": firewall or BLOCKS, "hostnames": ["api"]},
        {"plan_digest": "sha256:1", "targets": list(targets), "url": "https://api.cloudflare.com"},
        done or NOTHING_DONE,
        {} if again is None else {"certificates": list(again), "firewall": firewall or BLOCKS},
        options={**OPTIONS, **options}, own=own or own_of(), earlier=earlier or {}, run={}, words=WORDS, what="revoked", check_mode=check_mode,
    )


def only_row(*arguments, **more):
    (row,) = record_of(*arguments, **more)["certificates"]
    return row


# -- what has become of a certificate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state, before, outcome, after, result, ours",
    [
        ("revoked", "active", "pending", "revoked", "revoked", True),
        ("revoked", "active", "applied", "revoked", "revoked", True),
        ("revoked", "active", "pending", "pending_revocation", "pending", True),
        ("revoked", "pending_reactivation", "pending", "pending_revocation", "pending", True),
        # Somebody else was faster.
        ("revoked", "active", "unchanged", "revoked", "unchanged", False),
        ("revoked", "active", "not_attempted", "revoked", "unchanged", False),
        # What Cloudflare shows in the end is stronger than what was not known on the way.
        ("revoked", "active", "unknown", "revoked", "revoked", True),
        ("revoked", "active", "unknown", "active", "unknown", True),
        ("revoked", "active", "unknown", None, "unknown", True),
        ("revoked", "active", "pending", None, "unread", True),
        ("revoked", "active", "", None, "not_attempted", False),
        ("revoked", "active", "not_attempted", "active", "not_attempted", False),
        ("revoked", "active", "failed", "active", "failed", False),
        ("revoked", "active", "pending", "active", "back", False),
        ("revoked", "active", "pending", "pending_reactivation", "back", False),
        ("active", "revoked", "pending", "active", "active", False),
        ("active", "pending_revocation", "pending", "pending_reactivation", "pending", False),
        ("active", "revoked", "failed", "revoked", "failed", False),
        ("active", "revoked", "pending", "revoked", "back", False),
    ],
)
def test_result_of_what_was_planned(state, before, outcome, after, result, ours):
    again = [] if after is None else [certificate(status=after)]
    row = only_row([certificate(status=before)], [target()], done_with(outcome, "said"), again, own=own_for(state))
    assert (row["result"], row["outcome"], row["planned"], row["ours"]) == (result, outcome, True, ours)
    assert row["status_now"] == (after or "unread")


@pytest.mark.parametrize(
    "state, before, plan, after, result",
    [
        ("revoked", "revoked", "unchanged", None, "unchanged"),
        ("revoked", "pending_revocation", "pending", None, "pending"),
        # The wait has seen its end.
        ("revoked", "pending_revocation", "pending", "revoked", "unchanged"),
        ("revoked", "pending_revocation", "pending", "active", "back"),
        ("active", "active", "unchanged", None, "unchanged"),
        ("active", "pending_reactivation", "pending", None, "pending"),
        ("active", "revoked", "refused", None, "refused"),
        ("revoked", "active", "failed", None, "refused"),
    ],
)
def test_result_of_what_was_not_planned(state, before, plan, after, result):
    again = None if after is None else [certificate(status=after)]
    row = only_row([certificate(status=before)], [target(plan, "said")], None, again, own=own_for(state))
    assert (row["result"], row["planned"]) == (result, False)


def test_an_expired_certificate_is_left_alone_and_not_asked_about_unless_wanted():
    selected = {"certificates": [certificate(1, expired=True), certificate(2)]}
    assert [entry["id"] for entry in offboard_record.candidates(selected, own_of())] == ["id-2"]
    assert len(offboard_record.candidates(selected, own_of(expired="act"))) == 2
    assert len(offboard_record.candidates(selected, own_for("active"))) == 2
    made = record_of(selected["certificates"], [target()])
    assert [row["result"] for row in made["certificates"]] == ["left", "planned"]
    assert made["left"][0]["text"] == "has expired"


def test_what_was_not_found_is_a_row_with_the_same_columns():
    made = record_of([certificate()], [target()], missing=[{"target": "tablet-9", "why": "no such"}], continue_on_error=True)
    assert set(made["certificates"][0]) == set(made["certificates"][1])
    assert (made["certificates"][1]["result"], made["refusals"]) == ("missing", [])
    assert record_of([certificate()], [target()], missing=[{"target": "tablet-9", "why": "no such"}])["refusals"][0]["guard"] == "continue_on_error"


def test_names_that_must_never_be_touched():
    for pattern in ("blue harbor", "^tablet-1$", "^Example$", "^id-1$", "^0{63}1$", "^01$"):
        assert [entry["guard"] for entry in record_of([certificate()], [target()], deny=[pattern])["refusals"]] == ["deny"]
    assert record_of([certificate()], [target()], deny=["red"])["refusals"] == []


# -- the way back ------------------------------------------------------------------------------------------------------------------------


def test_only_what_was_revoked_by_a_run_is_taken_back():
    rows = [certificate(1), certificate(2, "revoked"), certificate(3, "pending_revocation"), certificate(4)]
    targets = [target(), target("unchanged"), target("pending"), target()]
    done = {**done_with("pending"), "outcomes": {"id-1": "pending", "id-4": "not_attempted"}}
    made = record_of(rows, targets, done, [certificate(1, "revoked"), *rows[1:]])
    assert offboard_record.recorded(made) == [{"id": "id-1", "zone_id": "z", "common_name": "tablet-1"}]


def test_a_later_run_in_the_same_place_still_knows_what_the_first_has_revoked():
    first = record_of([certificate()], [target()], done_with("pending"), [certificate(status="pending_revocation")])
    again = record_of([certificate(status="revoked"), certificate(2, "revoked")], [target("unchanged")] * 2, earlier=first)
    assert [entry["id"] for entry in offboard_record.recorded(again)] == ["id-1"]
    # Somebody has taken it back: then it is nobody's any more.
    assert offboard_record.recorded(record_of([certificate()], [target()], earlier=first, check_mode=True)) == []


def test_a_run_with_another_selection_in_the_same_place_forgets_nothing():
    first = record_of([certificate()], [target()], done_with("applied"), again=[certificate(status="revoked")])
    second = record_of([certificate(2)], [target()], earlier=first, check_mode=True)
    assert [entry["id"] for entry in offboard_record.recorded(second)] == ["id-1"]
    done = {**done_with("applied"), "outcomes": {"id-2": "applied"}}
    third = record_of([certificate(2)], [target()], done, again=[certificate(2, "revoked")], earlier=second)
    assert [entry["id"] for entry in offboard_record.to_take_back(third)] == ["id-1", "id-2"]


@pytest.mark.parametrize("record", [{}, [], "text", None, *({"flow": f"{verb}_client_certificates", "taken": []} for verb in ("rotate", "offboard"))])
def test_what_is_no_record_of_a_revocation_is_not_taken_for_one(record):
    with pytest.raises(ValueError, match="offboard_client_certificates_from_record"):
        offboard_record.to_take_back(record)


def test_a_run_that_was_killed_can_be_taken_back():
    assert len(offboard_record.recorded(record_of([certificate()], [target()]))) == 1


def test_a_plan_is_nothing_to_take_back():
    assert offboard_record.recorded(record_of([certificate()], [target()], check_mode=True)) == []
    assert offboard_record.recorded(record_of([certificate()], [target()], number={**OPTIONS["number"], "max_changes": "0"})) == []


@pytest.mark.parametrize("record", [{}, [], None, {"flow": "revoke_certificates", "certificates": [{"ours": True}]}])
def test_other_files_are_no_record(record):
    assert offboard_record.recorded(record) == []


# -- the rule ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "firewall, tone, count",
    [
        (LETS, "bad", 2),
        ({"blocks_revoked": None, "message": "see whether it does", "rules": []}, "wait", 2),
        (BLOCKS, "good", 0),
    ],
)
def test_what_is_revoked_and_let_through_is_said_first(firewall, tone, count):
    rows = [certificate(1), certificate(2, "revoked")]
    made = record_of(rows, [target(), target("unchanged")], done_with("pending"), [certificate(1, "revoked"), rows[1]], firewall=firewall)
    assert (made["results"]["let_through"], made["tone"]) == (count, tone)
    assert [group["text"] for group in made["open"]] == ([firewall["message"]] if count else [])
    assert ("STILL LET THROUGH" in made["headline"]) == (firewall is LETS)
    assert made["firewall"] == firewall
    # Whoever wants the run to fail of it is told why; without that wish it is told and no more.
    assert flow.causes(made, OPTIONS, WORDS, ["failed", "let_through"]) == ([f"{count} let through."] if count else [])
    assert flow.causes(made, OPTIONS, WORDS, ["failed"]) == []


def test_as_long_as_a_plan_is_only_a_plan_its_notes_say_so():
    made = record_of([certificate(1), certificate(2, "revoked")], [target(), target("unchanged")], check_mode=True, firewall=LETS)
    assert (made["results"]["let_through"], made["tone"]) == (0, "plan")
    # Where nothing is left to do, there are no notes.
    made = record_of([certificate(2, "revoked")], [target("unchanged")], check_mode=True, firewall=LETS)
    assert made["results"]["let_through"] == 1


def test_nobody_is_let_through_when_it_is_taken_back_or_has_expired():
    made = record_of([certificate(status="revoked")], [target()], done_with("failed"), [certificate(status="revoked")], own=own_for("active"), firewall=LETS)
    assert made["results"]["let_through"] == 0
    made = record_of([certificate(status="revoked", expired=True)], [], firewall=LETS)
    assert made["results"]["let_through"] == 0


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, told",
    [
        ({"owners": ""}, "Nothing says what is to be revoked"),
        ({"owners": "", "from_record": "x.json"}, "it goes with offboard_client_certificates_state=active only"),
        ({"state": "active"}, "a search would also find what was revoked for other reasons"),
        ({"state": "active", "owners": "", "from_record": "x.json", "report_path": "./x.html"}, "would overwrite"),
        ({"state": "active", "owners": "", "from_record": "x.json", "certificates": "tablet-1"}, "cannot be combined with offboard_client_certificates_cert"),
    ],
)
def test_options_that_cannot_work(given, told):
    (complaint,) = own_of(**given)["complaints"]
    assert told in complaint


def test_options_of_a_survey():
    found = own_of(**{name: "" for name in NOT_SET if name != "owners"})
    assert (found["state"], found["expired"], found["wait"], found["complaints"]) == ("revoked", "leave", True, [])
    assert own_for("active")["complaints"] == []


def test_the_words_of_the_role_know_every_result():
    role = Path(__file__).parents[3] / "roles" / ROLE / "vars" / "main" / "words.yml"
    words = yaml.safe_load(role.read_text(encoding="utf-8"))[f"__{ROLE}_words"]
    assert {result["key"] for result in words["results"]} == {result["key"] for result in WORDS["results"]}
    assert {"label", "tone", "short", "who", "what"} <= set(words["let_through"]) & set(words["unclear"])
    json.dumps(words)
