# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role revoke_certificates tells of certificates, what it selects, when it waits, and which of its options cannot work."""

from __future__ import annotations

import json

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, revoke_record
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }} {% raw %} \\ ' \" | `x` \u202e & \U0001f512"
OPEN = "failed unknown unread deployed refused missing approval scheduled held let_go not_attempted"
WORDS = {
    "title": "Revoke",
    "nothing_selected": "Nothing found",
    "results": [
        *({"key": key, "label": key, "tone": "bad", "who": "You", "what": f"mend {key}", "told_by": "kind_why"} for key in OPEN.split()),
        *({"key": key, "label": key, "tone": "good", "told_by": "kind_why"} for key in "planned revoked on_hold released unchanged left".split()),
    ],
    "advice": [],
}
OPTIONS = flow.options(FLOW_OPTIONS, "revoke_certificates")
NOT_SET = dict.fromkeys([
    *revoke_record.TEXTS, *revoke_record.NUMBERS, "filters", "certificates", "serials", "files", "key_files", "key_sha256", "from_record", "hold_first",
    "allow", "wait", "wait_for_approval",
])
NOTHING_DONE = {"outcomes": {}, "messages": {}, "kept": {}, "stopped": "", "waves": []}
HELD = {"state_name": "on_hold", "revocation": {"reason_name": "certificate_hold", "date": "2026-11-22T10:00:00Z", "comment": "INC-1"}}
GONE = {"state_name": "revoked", "revocation": {"reason_name": "key_compromise", "date": "2026-11-22T10:00:00Z", "comment": "INC-1"}}
STORE = {"kind": "store", "machine": "lb01", "text": "lb01: /ssl (shop)"}
ENDPOINT = {"kind": "endpoint", "machine": "Shop", "text": "Shop:443"}


def own_of(**given):
    return revoke_record.options({**NOT_SET, **given})


def certificate(number=1, **changes):
    return {
        "id": number, "thumbprint": f"{number:040X}", "serial": f"0{number}", "common_name": f"web{number}", "subject": f"CN=web{number},O=Shop",
        "dns_names": [f"www{number}.example.com"], "issuer": "CN=CA", "authority": "ca01\\CA", "not_after": "2027-01-01T00:00:00Z", "expired": False,
        "state_name": "active", "revocation": None, "locations": [], **changes,
    }


def target(outcome="planned", message="", action="revoke (key_compromise)", **more):
    return {"outcome": outcome, "message": message, "action": action, "pending_approval": False, "workflow_id": None, **more}


def record_of(certificates, targets, done=None, again=None, missing=(), earlier=None, check_mode=False, own=None, **options):
    summary = {outcome: sum(entry["outcome"] == outcome for entry in targets) for outcome in ("planned", "refused", "failed")}
    return revoke_record.record(
        {"certificates": list(certificates), "missing": list(missing)},
        {"plan_digest": "sha256:1", "targets": list(targets), "summary": summary},
        done or NOTHING_DONE,
        {} if again is None else {"certificates": list(again)},
        options={**OPTIONS, **options}, own=own or own_of(), earlier=earlier or {}, run={}, words=WORDS, what="revoked", check_mode=check_mode,
    )


def only_row(*arguments, **more):
    (row,) = record_of(*arguments, **more)["certificates"]
    return row


def done_with(outcome, message=None, **kept):
    waves = [{"name": "wave 1 of 1", "changed": 1}]
    messages = {} if message is None else {"1": message}
    return {"outcomes": {"1": outcome} if outcome else {}, "messages": messages, "kept": {"1": kept} if kept else {}, "stopped": "", "waves": waves}


# -- what has become of a certificate ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state, before, outcome, after, result",
    [
        ("revoked", {}, "applied", GONE, "revoked"),
        ("revoked", HELD, "applied", GONE, "revoked"),
        ("revoked", {}, "unchanged", GONE, "unchanged"),
        ("revoked", {}, "not_attempted", GONE, "unchanged"),
        # What Command shows in the end is stronger than what was not known on the way.
        ("revoked", {}, "unknown", GONE, "revoked"),
        ("revoked", {}, "unknown", {}, "unknown"),
        ("revoked", {}, "unknown", None, "unknown"),
        ("revoked", {}, "applied", None, "unread"),
        ("revoked", {}, "", None, "not_attempted"),
        ("revoked", {}, "failed", {}, "failed"),
        ("revoked", {}, "refused", {}, "failed"),
        ("revoked", {}, "not_attempted", {}, "not_attempted"),
        ("revoked", {}, "", {}, "not_attempted"),
        # Accepted for a later date, or the record lags behind.
        ("revoked", {}, "applied", {}, "scheduled"),
        ("revoked", {}, "pending", {}, "scheduled"),
        ("revoked", HELD, "applied", HELD, "scheduled"),
        ("on_hold", {}, "applied", HELD, "on_hold"),
        ("on_hold", {}, "applied", GONE, "on_hold"),
        ("on_hold", {}, "failed", {}, "failed"),
        ("released", HELD, "applied", {}, "released"),
        ("released", HELD, "failed", HELD, "failed"),
    ],
)
def test_result_of_what_was_planned(state, before, outcome, after, result):
    again = [] if after is None else [certificate(**after)]
    row = only_row([certificate(**before)], [target()], done_with(outcome, message="said"), again, own=own_of(state=state))
    assert (row["result"], row["outcome"], row["planned"]) == (result, outcome, True)
    assert (row["state_now"] == "unread") == (after is None)


@pytest.mark.parametrize(
    "before, outcome, after, result",
    [
        ({}, "applied", GONE, "revoked"),
        ({}, "applied", HELD, "held"),
        (HELD, "", HELD, "held"),
        ({}, "not_attempted", HELD, "held"),
        # Put on hold and valid again: somebody has released it.
        ({}, "applied", {}, "let_go"),
        (HELD, "unchanged", {}, "let_go"),
        (HELD, "", {}, "let_go"),
        ({}, "failed", {}, "failed"),
        (HELD, "failed", HELD, "failed"),
        ({}, "", {}, "not_attempted"),
    ],
)
def test_result_where_a_hold_comes_first(before, outcome, after, result):
    row = only_row([certificate(**before)], [target()], done_with(outcome), [certificate(**after)], own=own_of(hold_first=True))
    assert row["result"] == result
    assert row["to_hold"] == (before == {})


def test_what_waits_for_an_approval_names_its_workflow():
    done = done_with("pending", pending_approval=True, workflow_id="guid")
    done["kept"]["1"]["message"] = "waits since 2026-11-22T10:00:00Z"
    made = record_of([certificate()], [target()], done, [certificate()])
    (row,) = made["certificates"]
    assert (row["result"], row["workflow_id"], row["now"]) == ("approval", "guid", "waits since 2026-11-22T10:00:00Z")
    assert made["open"][0]["text"] == "its workflow instance waits for an approval"


@pytest.mark.parametrize(
    "changes, plan, result",
    [
        ({}, target("refused", "is the certificate of an authority"), "refused"),
        ({}, target("failed", "two certificates"), "refused"),
        ({"locations": [STORE]}, target("refused", "it is still deployed at lb01 (deployed=refuse); replace it"), "deployed"),
        ({}, target("pending", "waits", pending_approval=True, workflow_id="guid"), "approval"),
        ({}, target("pending", "takes effect later"), "scheduled"),
        (GONE, target("unchanged", "is revoked already"), "unchanged"),
        ({"expired": True}, target("unchanged", "has expired"), "left"),
    ],
)
def test_result_of_what_was_not_planned(changes, plan, result):
    row = only_row([certificate(**changes)], [plan])
    assert (row["result"], row["planned"], row["why"], row["action"]) == (result, False, plan["message"], "none")


def test_what_is_left_alone_for_one_reason_is_told_once():
    found = [certificate(1, expired=True), certificate(2, expired=True)]
    made = record_of(found, [target("unchanged", f"has expired (2026-11-2{day}T10:00:00Z)") for day in (1, 2)])
    assert [(group["text"], group["count"]) for group in made["left"]] == [("has expired (*)", 2)]


@pytest.mark.parametrize(
    "changes, told",
    [
        ({}, "active"),
        ({"expired": True}, "active, expired"),
        (HELD, "on hold since 2026-11-22 10:00:00"),
        (GONE, "revoked (key_compromise) since 2026-11-22 10:00:00"),
        ({"state_name": "revoked"}, "revoked (no reason)"),
        ({"state_name": "external_validation"}, "external validation"),
    ],
)
def test_state_in_words(changes, told):
    assert only_row([certificate(**changes)], [target()])["before"] == told


def test_where_it_is_deployed():
    places = [STORE, {**STORE, "text": "lb01: /other"}, ENDPOINT]
    done = done_with("applied")
    made = record_of([certificate(locations=places), certificate(2)], [target(), target()], done, [certificate(**GONE)])
    first, second = made["certificates"]
    assert first["where"] == "id 1, at lb01: /ssl (shop), lb01: /other and 1 more" and first["machines"] == ["lb01", "Shop:443"]
    assert second["where"] == "id 2, deployed nowhere that Command knows of"
    assert [(group["text"], group["count"]) for group in made["places"]] == [("lb01", 1), ("Shop:443", 1)]
    assert (first["now"], first["note"]) == ("revoked (key_compromise) since 2026-11-22 10:00:00", "still deployed at 3 places")


def test_texts_of_one_kind_are_told_once():
    texts = ["Unable to find 'Certificate' with Id '7'", "Unable to find 'Certificate' with Id '8'"]
    made = record_of([certificate(1), certificate(2)], [target("refused", text) for text in texts])
    assert [(group["text"], group["count"]) for group in made["open"]] == [("Unable to find 'Certificate' with Id '*'", 2)]
    assert revoke_record.kind("instance 0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f of 0123456789ABCDEF, 2026-11-22T10:00:00Z") == "instance * of *, *"


def test_hostile_text_passes_through_unharmed():
    found = certificate(common_name=HOSTILE, locations=[{**STORE, "machine": HOSTILE, "text": HOSTILE}])
    made = json.loads(json.dumps(record_of([found], [target()], done_with("failed", HOSTILE), [found])))
    (row,) = made["certificates"]
    assert (row["name"], row["why"], row["locations"], made["places"][0]["text"]) == (HOSTILE, HOSTILE, [HOSTILE], HOSTILE)


def test_ten_thousand():
    numbers = range(1, 10_001)
    done = {**done_with("applied"), "outcomes": {str(number): "applied" for number in numbers}}
    made = record_of([certificate(number) for number in numbers], [target()] * 10_000, done, [certificate(number, **GONE) for number in numbers])
    assert made["results"]["revoked"] == len(made["certificates"]) == 10_000


# -- guards ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["^web1$", "^WWW1", "O=Shop", "0001$"])
def test_the_deny_list_knows_all_names(pattern):
    (refusal,) = record_of([certificate()], [target()], deny=[pattern])["refusals"]
    assert refusal["guard"] == "deny" and "such as web1 (1)" in refusal["message"]


def test_what_is_still_deployed_is_a_guard_of_its_own():
    found = [certificate(1, locations=[STORE]), certificate(2), certificate(3)]
    targets = [target("refused", "it is still deployed at lb01 (deployed=refuse)"), target(), target("refused", "an authority")]
    made = record_of(found, targets, missing=[{"target": "7", "why": "gone"}])
    assert [refusal["guard"] for refusal in made["refusals"]] == ["deployed", "continue_on_error"]
    assert made["refusals"][0]["message"].startswith("1 of the selected certificates are still deployed, such as web1 (1) at lb01: /ssl (shop).")
    assert made["refusals"][1]["message"].startswith("2 of the 4 selected")
    assert record_of(found, targets, continue_on_error=True)["refusals"] == []


def test_a_hold_that_comes_first_has_a_digest_of_its_own():
    direct, first = (record_of([certificate()], [target()], own=own_of(hold_first=hold))["plan_digest"] for hold in (False, True))
    assert direct == "sha256:1" and first != direct and first.startswith("sha256:") and len(first) == 71
    assert record_of([certificate()], [target()], own=own_of(hold_first=True), plan_digest="sha256:1")["refusals"][0]["guard"] == "plan_digest"


# -- selection ---------------------------------------------------------------------------------------------------------------------------


def test_a_serial_number_of_two_authorities_stands_for_nothing():
    found = {"certificates": [certificate(1), certificate(2, serial="1", issuer="CN=Other"), certificate(3)], "not_found": []}
    selected = revoke_record.selection(found, ["0x00:01", "03"])
    assert [entry["id"] for entry in selected["certificates"]] == [3]
    (missing,) = selected["missing"]
    assert missing["target"] == "0x00:01" and "id 1 of CN=CA; id 2 of CN=Other" in missing["why"]


def test_what_was_not_found_is_on_record():
    found = {"certificates": [], "not_found": [{"target": "7", "error": {"message": "no such certificate"}}]}
    made = record_of([], [], missing=revoke_record.selection(found, [])["missing"])
    assert [(row["result"], row["name"], row["why"]) for row in made["certificates"]] == [("missing", "7", "no such certificate")]


def test_only_what_a_run_was_to_put_on_hold_is_released():
    found = [certificate(1), certificate(2, **HELD), certificate(3, **GONE)]
    targets = [target(), target(action="revoke (key_compromise) from hold"), target("unchanged")]
    made = record_of(found, targets, own=own_of(hold_first=True))
    assert made["flow"] == "revoke_certificates"
    assert revoke_record.recorded(made) == [{"id": 1, "thumbprint": f"{1:040X}"}]
    assert made["certificates"][0]["change"] == "put on hold, then revoke (key_compromise)"
    assert revoke_record.recorded(record_of(found, targets)) == []


def test_a_run_that_goes_on_knows_what_the_one_before_has_put_on_hold():
    own = own_of(hold_first=True)
    killed = record_of([certificate(1), certificate(2, **HELD)], [target(), target()], own=own)
    goes_on = record_of([certificate(1, **HELD), certificate(2, **HELD)], [target(), target()], own=own, earlier=killed)
    assert [(row["hold"], row["to_hold"]) for row in goes_on["certificates"]] == [(True, False), (False, False)]
    assert revoke_record.recorded(goes_on) == revoke_record.recorded(killed)


@pytest.mark.parametrize("record", [{}, [], {"flow": "unstick_certificates", "certificates": [{"dn": "x"}]}])
def test_other_files_say_nothing_of_a_hold(record):
    assert revoke_record.recorded(record) == []


# -- the grace time ----------------------------------------------------------------------------------------------------------------------


def after_hold(*pairs):
    """A record after the hold, of certificates as they were before and as they are now."""
    found = [certificate(number, **before) for number, (before, dummy) in enumerate(pairs, 1)]
    again = [certificate(number, **after) for number, (dummy, after) in enumerate(pairs, 1)]
    done = {**done_with("applied"), "outcomes": {str(number): "applied" for number in range(1, len(pairs) + 1)}}
    return record_of(found, [target()] * len(pairs), done, again, own=own_of(hold_first=True))


@pytest.mark.parametrize(
    "pairs, now, held, seconds",
    [
        # A hold of this run gets all of the time, whatever the clock of the server says.
        ([({}, HELD), (HELD, HELD)], "2026-11-22T12:00:00Z", 2, 900),
        ([(HELD, HELD)], "2026-11-22T10:05:00Z", 1, 600),
        ([(HELD, HELD)], "2026-11-22T12:00:00Z", 1, 0),
        ([(HELD, HELD)], "2026-11-22T09:00:00Z", 1, 900),
        ([(HELD, {"state_name": "on_hold", "revocation": {"date": "yesterday"}})], "2026-11-22T12:00:00Z", 1, 900),
        ([({}, {})], "2026-11-22T12:00:00Z", 0, 0),
    ],
)
def test_for_how_long_to_wait(pairs, now, held, seconds):
    grace = revoke_record.grace(after_hold(*pairs), 900, now)
    assert (grace["held"], grace["seconds"]) == (held, seconds)


def test_until_when():
    assert revoke_record.grace(after_hold(({}, HELD)), 900, "2026-11-22T23:50:00Z")["until"] == "2026-11-23 00:05:00 UTC"


def test_a_release_of_most_is_a_false_alarm():
    record = after_hold(({}, HELD), ({}, HELD), (HELD, HELD))
    some = {"certificates": [certificate(1), certificate(2, **HELD), certificate(3, **HELD), certificate(9)]}
    most = {"certificates": [certificate(1), certificate(2), certificate(3, **HELD)]}
    assert revoke_record.taken_back(record, some) == ""
    assert revoke_record.taken_back(record, most).startswith("2 of the 3 certificates on hold were released")
    assert revoke_record.taken_back(record, {"msg": "no connection"}) == ""


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unset", [None, "", " "])
def test_what_is_not_set_has_its_default(unset):
    own = revoke_record.options({**dict.fromkeys(NOT_SET, unset), "query": "x", "filters": None})
    assert (own["state"], own["deployed"], own["expired"], own["pending_approvals"]) == ("revoked", "refuse", "leave", "try")
    assert own["number"] == {"batch_size": "50", "hold_grace": "900"}
    assert own["wait"] is True and own["hold_first"] is False and own["certificates"] == [] and own["complaints"] == []


def test_lists_may_be_text_and_paths_begin_where_the_user_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    own = own_of(certificates="205, 206\n 88BD09 ", files="a.pem\nsub/b, c.pem", serials=["01, 02", "3"])
    assert own["certificates"] == ["205", "206", "88BD09"] and own["serials"] == ["01", "02", "3"]
    assert own["files"] == [str(tmp_path / "a.pem"), str(tmp_path / "sub/b, c.pem")]
    assert own_of(certificates=[{"id": 5}, 7])["certificates"] == [{"id": 5}, 7]


@pytest.mark.parametrize(
    "given, complaint",
    [
        ({}, "Nothing says what is to be revoked."),
        ({"certificates": "5", "query": "x"}, "revoke_certificates_certificates cannot be combined with revoke_certificates_query"),
        ({"from_record": "r", "state": "released", "files": "x"}, "revoke_certificates_from_record cannot be combined with revoke_certificates_files"),
        ({"query": "x", "filters": "state"}, "revoke_certificates_filters must be a mapping"),
        ({"query": "x", "filters": {"cn": "y"}}, "revoke_certificates_filters does not know cn. It knows common_name,"),
        ({"query": "x", "hold_first": True, "state": "on_hold"}, "revoke_certificates_hold_first goes with revoke_certificates_state=revoked only"),
        ({"from_record": "r"}, "revoke_certificates_from_record says what to release"),
        ({"query": "x", "hold_grace": "soon", "batch_size": "-1"}, "revoke_certificates_batch_size, revoke_certificates_hold_grace must be a whole number"),
    ],
)
def test_options_that_cannot_work(given, complaint):
    (said,) = own_of(**given)["complaints"]
    assert said.startswith(complaint)


def test_settings_are_told_in_the_record():
    told = record_of([], [], own=own_of(query="x", reason="superseded", certificates=""))["settings"]
    assert (told["query"], told["reason"], told["certificates_given"], told["hold_grace"]) == ("x", "superseded", 0, "900")
