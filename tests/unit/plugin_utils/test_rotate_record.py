# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role rotate_client_certificates plans, when an old certificate may go, what it keeps, and which of its options cannot work."""

from __future__ import annotations

import base64
import itertools
from pathlib import Path

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, rotate_record
from ansible_collections.certops.remediation.plugins.plugin_utils.rotate_record import ROLE
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

OPEN = "failed unknown unread not_delivered not_verified refused missing unseen unconfirmed unlisted overlap not_attempted"
WORDS = {
    "title": "Rotate",
    "nothing_selected": "Nothing found",
    "results": [
        *({"key": key, "label": key, "tone": "bad", "who": "You", "what": f"mend {key}", "told_by": "kind_why"} for key in OPEN.split()),
        *({"key": key, "label": key, "tone": "good", "told_by": "kind_why"} for key in "planned rotated unchanged left".split()),
    ],
    "advice": [],
}
OPTIONS = flow.options(FLOW_OPTIONS, ROLE)
NOT_SET = dict.fromkeys([
    "zone", "expires_within_days", "owners", "devices", "certificates", "list_path", "key_files", "key_sha256", "rate_limits", "folder", "key_type",
    "validity_days", "deliver_tasks", "verify_tasks", "seen", "seen_path", "overlap", "wait_for_overlap",
])
OLD_KEY, NEW_KEY = "0" * 64, "1" * 64
FINGERPRINT = "ab" * 32
START, NOW, LATER = "2026-11-22T10:00:00Z", "2026-11-22T10:05:00Z", "2026-11-29T10:05:01Z"
NOTHING_DONE = {"outcomes": {}, "messages": {}, "kept": {}, "stopped": "", "waves": []}
NO_HOOKS = {"delivered": {}, "failed": {}, "verified": []}
DELIVER = {"deliver_tasks": "deliver.yml"}
DELIVERED = {"old": {"common_name": "tablet-1", "key": NEW_KEY, "asked": START, "new": "new", "delivered": START}}


def own_of(**given):
    return rotate_record.options({**NOT_SET, "folder": "/keys", "certificates": "tablet-1", **given})


def certificate(number="old", status="active", **changes):
    return {
        "id": number, "zone_id": "z", "status": status, "common_name": "tablet-1", "organization": "Example", "organizational_unit": "Field", "country": "",
        "state": "", "location": "", "serial_number": "01", "fingerprint_sha256": "f" * 64, "public_key_sha256": OLD_KEY, "validity_days": 365,
        "issued_on": "2026-01-01T00:00:00Z", "expires_on": "2026-12-01T00:00:00Z", "expired": False, **changes,
    }


def renewed(status="active", **changes):
    dates = {"issued_on": START, "expires_on": "2027-11-22T10:00:00Z"}
    return certificate("new", status, **{"public_key_sha256": NEW_KEY, "fingerprint_sha256": FINGERPRINT, **dates, **changes})


def key(outcome="unchanged", **more):
    csr = "-----BEGIN CERTIFICATE REQUEST-----" if outcome == "unchanged" else None
    return {"outcome": outcome, "message": outcome, "csr": csr, "public_key_sha256": NEW_KEY if csr else None, "path": "/keys/tablet-1.old.key", **more}


def target(outcome, action="none", message=""):
    return {"outcome": outcome, "action": action, "message": message}


def made_of(
    old=None, new=None, keys=None, plan=None, done=None, hooks=None, again=None, ledger=None, own=None, reported=None, acted=False, now=NOW, made=None,
    missing=(), **options,
):
    """The record of one rotation. The zone is as ``new`` says before the run, and as ``again`` says after it."""
    own = own or own_of(**DELIVER)
    old = old or certificate()
    keys = keys or key("unchanged" if new else "planned")
    listed = {"certificates": [old, *([new] if new else [])]}
    selected = {"certificates": [old], "missing": list(missing), "zone_id": "z", "total": 1}
    chosen = rotate_record.candidates(selected, {"requests": [keys]}, listed, ledger or {}, own)
    asked = [rotation for rotation in chosen["rotations"] if rotation["request"]]
    return rotate_record.record(
        chosen,
        {"targets": [plan or target("unchanged")] if asked else [], "url": "https://api.cloudflare.com", "plan_digest": "sha256:module"},
        done or NOTHING_DONE,
        {"requests": [made]} if made else {},
        {**NO_HOOKS, **(hooks or {})},
        listed if again is None else again,
        reported=reported, acted=acted, options={**OPTIONS, **options}, own=own, run={"started": START if now == NOW else now, "ended": now},
        words=WORDS, what="rotated", check_mode=False,
    )


def row_of(**given):
    return made_of(**given)["certificates"][0]


def zone(*certificates):
    return {"certificates": list(certificates)}


def after(outcome="", phase="create", **more):
    outcomes = {"outcomes": {f"{phase}:old": outcome}} if outcome else {}
    return {"acted": True, "made": key(), "done": {**NOTHING_DONE, "waves": [{"changed": 1}], **outcomes}, **more}


# -- what is planned ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, action",
    [
        ({}, "create a new one, hand it over"),
        ({"own": own_of()}, "create a new one"),
        ({"own": own_of(**DELIVER, overlap="0")}, "create a new one, hand it over, revoke the old one"),
        ({"own": own_of(**DELIVER, wait_for_overlap="yes")}, "create a new one, hand it over, revoke the old one"),
        # Nobody says that the client has it.
        ({"own": own_of(overlap="0")}, "create a new one"),
        ({"own": own_of(overlap="0", verify_tasks="v.yml")}, "create a new one, verify, revoke the old one"),
        # The run before was killed between key, creation, file and hand-over.
        ({"keys": key(), "plan": target("planned", "create for key 1111, 365 days")}, "create a new one, hand it over"),
        ({"new": renewed(), "plan": target("planned", "write its files")}, "write its file, hand it over"),
        ({"new": renewed()}, "hand it over"),
        ({"new": renewed(), "own": own_of()}, "none"),
        ({"new": renewed(), "ledger": DELIVERED}, "none"),
        ({"new": renewed(), "ledger": DELIVERED, "now": LATER}, "revoke the old one"),
        # The overlap begins with the hand-over, not with the certificate.
        ({"new": renewed(issued_on="2026-01-01T00:00:00Z"), "ledger": DELIVERED}, "none"),
        ({"new": renewed(), "own": own_of(), "reported": [FINGERPRINT], "now": LATER}, "revoke the old one"),
        ({"new": renewed(), "ledger": DELIVERED, "reported": [], "now": LATER}, "none"),
        ({"new": renewed(), "ledger": DELIVERED, "now": LATER, "own": own_of(**DELIVER, verify_tasks="v.yml")}, "verify, revoke the old one"),
        ({"new": renewed(), "ledger": DELIVERED, "old": certificate(status="revoked")}, "none"),
        # The old one is gone, but its client has no other one yet.
        ({"new": renewed(), "old": certificate(status="pending_revocation")}, "hand it over"),
    ],
)
def test_steps_of_a_run(given, action):
    row = row_of(**given)
    assert (row["action"], row["planned"]) == (action, action != "none")
    assert row["result"] == "planned" or action == "none"


@pytest.mark.parametrize(
    "given, told",
    [
        ({"old": certificate(status="revoked")}, "is revoked, so there is nothing to rotate"),
        ({"new": renewed("revoked"), "keys": key()}, "its new certificate new is revoked"),
        ({"new": renewed(expired=True), "keys": key()}, "has expired"),
        ({"keys": key("refused", message="is one of retired_keys")}, "is one of retired_keys"),
        ({"keys": key(), "plan": target("refused", message="is just being revoked")}, "is just being revoked"),
        ({"old": certificate(validity_days=30), "own": own_of(certificates="", expires_within_days="30", **DELIVER)}, "not more than"),
        ({"old": certificate(validity_days=0)}, "does not tell for how many days"),
    ],
)
def test_what_cannot_be_rotated(given, told):
    made = made_of(**given)
    (row,) = made["certificates"]
    assert (row["result"], row["planned"]) == ("refused", False)
    assert told in row["why"]


def test_what_the_list_does_not_show_is_not_asked_for_again():
    row = row_of(keys=key(), ledger={"old": {**DELIVERED["old"], "delivered": ""}}, own=own_of(**DELIVER, overlap="0"))
    assert (row["result"], row["planned"], row["to_make"]) == ("unlisted", False, False)


def test_the_request_is_for_the_same_subject_with_another_key():
    (made,) = rotate_record.requests([certificate(country="DE", state="Bavaria", location="Munich")], own_of())
    assert made == {
        "common_name": "tablet-1", "organization": "Example", "organizational_unit": "Field", "country": "DE", "state_or_province": "Bavaria",
        "locality": "Munich", "common_name_in_san": False, "path": "/keys/tablet-1.old.key", "csr_path": "/keys/tablet-1.old.csr", "retired_keys": [OLD_KEY],
    }
    assert rotate_record.files("/keys", certificate(common_name="../a b"))["key_path"] == "/keys/.._a_b.old.key"


# -- what has become of it ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, result",
    [
        (after("applied", again=zone(certificate(), renewed()), hooks={"delivered": {"old": NOW}}), "overlap"),
        (after("applied", again=zone(certificate(), renewed()), hooks={"failed": {"old": "Install"}}), "not_delivered"),
        (after("applied", again=zone(certificate(), renewed()), own=own_of()), "unconfirmed"),
        (after("pending", again=zone(certificate())), "unlisted"),
        (after("applied", again=zone(certificate(), renewed("pending_reactivation"))), "unlisted"),
        (after("failed", again=zone(certificate())), "failed"),
        (after("unknown", again=zone(certificate())), "unknown"),
        (after("not_attempted", again=zone(certificate())), "not_attempted"),
        (after("applied", again={"msg": "timed out"}), "unread"),
    ],
)
def test_results_after_a_creation(given, result):
    row = row_of(**given)
    assert (row["result"], row["to_revoke"]) == (result, False)


@pytest.mark.parametrize(
    "outcome, old, result",
    [
        ("pending", "pending_revocation", "rotated"),
        ("applied", "revoked", "rotated"),
        ("unknown", "revoked", "rotated"),
        ("unchanged", "revoked", "unchanged"),
        ("failed", "active", "failed"),
        ("unknown", "active", "unknown"),
        ("not_attempted", "active", "not_attempted"),
    ],
)
def test_results_after_a_revocation(outcome, old, result):
    given = {"new": renewed(), "ledger": DELIVERED, "now": LATER, "again": zone(certificate(status=old), renewed())}
    assert row_of(**given, **after(outcome, "revoke"))["result"] == result


def test_no_client_is_ever_left_without_an_active_certificate():
    """Over all combinations of what may be so: the old one goes only if the new one is listed as active, confirmed, and the overlap is over."""
    news = [None, renewed(), renewed("revoked"), renewed("pending_revocation"), renewed("pending_reactivation"), renewed(expired=True),
            renewed(public_key_sha256="2" * 64)]
    hooks = [{}, {"delivered": {"old": NOW}}, {"failed": {"old": "x"}}, {"verified": ["old"]}, {"delivered": {"old": NOW}, "verified": ["old"]}]
    owns = [own_of(**{**deliver, **verify}, overlap=overlap) for deliver, verify, overlap in itertools.product(
        ({}, DELIVER), ({}, {"verify_tasks": "v.yml"}), ("0", "1h"))]
    allowed = 0
    for new, hook, own, reported, ledger, read in itertools.product(news, hooks, owns, (None, [], [FINGERPRINT]), ({}, DELIVERED), (True, False)):
        again = zone(certificate(), *([new] if new else [])) if read else {"msg": "timed out"}
        row = row_of(keys=key(), plan=target("planned", "create"), **after("applied", again=again, hooks=hook, own=own, reported=reported, ledger=ledger))
        delivered = hook.get("delivered", {}).get("old") or (START if ledger else "")
        checks = [bool(delivered)] if own["deliver_tasks"] else []
        checks += ["old" in hook.get("verified", ())] if own["verify_tasks"] else []
        checks += [bool(reported)] if reported is not None else []
        confirmed = all(checks) and (bool(checks) or bool(delivered))
        good = read and new == renewed()
        assert row["to_revoke"] == (good and confirmed and own["overlap"] == "0"), (new, hook, own, reported, ledger)
        allowed += row["to_revoke"]
    assert allowed > 20


@pytest.mark.parametrize("status", ["pending_revocation", "revoked"])
def test_a_new_one_that_somebody_has_revoked_is_told(status):
    made = made_of(**after("applied", again=zone(certificate(), renewed(status=status))))
    (row,) = made["certificates"]
    assert row["result"] == "failed" and "somebody has revoked its new certificate" in row["why"]


def test_waiting_for_the_overlap_within_the_run():
    own = own_of(**DELIVER, overlap="10m", wait_for_overlap=True)
    row = row_of(own=own, **after("applied", again=zone(certificate(), renewed()), hooks={"delivered": {"old": NOW}}))
    assert (row["result"], row["remaining"]) == ("overlap", 601)
    assert row["why"] == "both are active until 2026-11-22 10:15 UTC, for 10 min more"


def test_a_verification_that_failed_names_its_task():
    own = own_of(**DELIVER, verify_tasks="v.yml")
    given = {"new": renewed(), "ledger": DELIVERED, "own": own, "now": LATER}
    assert row_of(**given, acted=True)["to_verify"]
    row = row_of(**given, acted=True, hooks={"failed": {"old": "Ask the device"}})
    assert (row["result"], row["why"], row["to_revoke"]) == ("not_verified", "the task 'Ask the device' failed", False)


# -- record ------------------------------------------------------------------------------------------------------------------------------


def test_a_digest_holds_until_the_rotation_is_over():
    digests = {
        made_of()["plan_digest"],
        made_of(keys=key(), plan=target("planned", "create for key 1, 365 days"))["plan_digest"],
        made_of(new=renewed())["plan_digest"],
        made_of(new=renewed(), ledger=DELIVERED, now=LATER)["plan_digest"],
        made_of(new=renewed(), ledger=DELIVERED, old=certificate(status="revoked"))["plan_digest"],
    }
    assert len(digests) == 1
    others = [made_of(own=own_of(**DELIVER, overlap="1d")), made_of(own=own_of()), made_of(old=certificate(validity_days=30)), made_of(old=certificate("x"))]
    assert len(digests | {made["plan_digest"] for made in others}) == 5


def test_what_was_not_found_is_a_row_with_the_same_columns():
    made = made_of(missing=[{"target": "tablet-9", "why": "no such"}])
    assert set(made["certificates"][0]) == set(made["certificates"][1])
    assert [entry["guard"] for entry in made["refusals"]] == ["continue_on_error"]


def test_names_that_must_never_be_touched():
    for pattern in ("field", "^tablet-1$", "^Example$", "^old$", "^f{64}$"):
        assert [entry["guard"] for entry in made_of(deny=[pattern])["refusals"]] == ["deny"]


# -- ledger ------------------------------------------------------------------------------------------------------------------------------


def test_the_ledger_knows_what_is_going_to_be_asked_for():
    kept = rotate_record.ledger_of({"other": {"key": "2"}}, made_of(made=key())["certificates"], {"requests": [key()]}, NOW)
    assert kept == {"other": {"key": "2"}, "old": {"common_name": "tablet-1", "key": NEW_KEY, "asked": NOW, "new": "", "delivered": ""}}
    row = row_of(**after("applied", again=zone(certificate(), renewed()), hooks={"delivered": {"old": LATER}}))
    kept = rotate_record.ledger_of(kept, [row], {"requests": [key()]}, LATER)
    assert kept["old"] == {"common_name": "tablet-1", "key": NEW_KEY, "asked": NOW, "new": "new", "delivered": LATER}
    # A run that has only looked changes nothing in it.
    assert rotate_record.ledger_of(DELIVERED, [row_of(new=renewed(), ledger=DELIVERED)], {}, LATER) == DELIVERED


def test_a_list_that_lags_still_leaves_the_id_of_what_was_created():
    done = {**NOTHING_DONE, "outcomes": {"create:old": "pending"}, "kept": {"create:old": {"id": "new"}}}
    row = row_of(**{**after(again=zone(certificate())), "done": done})
    assert rotate_record.ledger_of({}, [row], {}, NOW)["old"]["new"] == "new"


def test_after_a_kill_the_list_gets_its_time():
    kept = {"old": {**DELIVERED["old"], "new": "", "asked": "2026-11-22T10:04:30Z"}}
    assert rotate_record.settling(kept, NOW) == 45
    assert rotate_record.settling(kept, LATER) == 0
    assert rotate_record.settling(DELIVERED, "2026-11-22T10:00:01Z") == 0
    assert rotate_record.settling({}, NOW) == 0


def test_what_was_made_before_is_not_rotated_again():
    selected = {"certificates": [certificate(), renewed()], "missing": []}
    assert [entry["id"] for entry in rotate_record.selection(selected, DELIVERED, own_of())["certificates"]] == ["old"]
    assert len(rotate_record.selection(selected, {}, own_of())["certificates"]) == 2
    # A year later, its own end has come.
    assert len(rotate_record.selection(selected, DELIVERED, own_of(certificates="", expires_within_days="30"))["certificates"]) == 2


def test_what_lacks_its_hand_over_is_looked_at_also_when_it_has_expired_meanwhile():
    asked = {"questions": [{"expires_within_days": 30}], "names": []}
    ledger = {"late": {"delivered": ""}, "done": {"delivered": "2026-11-01T00:00:00Z"}}
    own = own_of(certificates="", expires_within_days="30", deliver_tasks="/tasks.yml")
    assert rotate_record.unfinished(asked, ledger, own) == {"questions": [{"expires_within_days": 30}, {"certificates": ["late"]}], "names": []}
    for other in (own_of(certificates="", expires_within_days="30"), own_of(deliver_tasks="/tasks.yml")):
        assert rotate_record.unfinished(asked, ledger, other)["questions"] == asked["questions"]
    assert rotate_record.unfinished(asked, {}, own)["questions"] == asked["questions"]


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, told",
    [
        ({"certificates": ""}, "Nothing says what is to be rotated"),
        ({"certificates": "", "owners": "Field"}, "alone would also find what was rotated before"),
        ({"folder": ""}, f"{ROLE}_folder says where"),
        ({"overlap": "soon"}, "such as 30m, 12h or 7d"),
        ({"overlap": "7"}, "such as 30m, 12h or 7d"),
        ({"certificates": "", "expires_within_days": "30", "validity_days": "30"}, "would be rotated again"),
        ({"validity_days": "a year"}, "must be a whole number"),
        ({"certificates": "", "expires_within_days": "x"}, "must be a whole number"),
    ],
)
def test_options_that_cannot_work(given, told):
    (complaint,) = own_of(**given)["complaints"]
    assert told in complaint


def test_options_of_a_survey():
    found = own_of(**{name: "" for name in NOT_SET if name not in ("folder", "certificates")})
    assert (found["key_type"], found["overlap_seconds"], found["deliver_tasks"], found["complaints"]) == ("rsa-2048", 7 * 86400, "", [])
    assert [own_of(overlap=said)["overlap_seconds"] for said in ("0", "90s", "30M", "12 h", "2d")] == [0, 90, 1800, 43200, 172800]
    assert own_of(certificates="", owners="Field", expires_within_days=30)["complaints"] == []


def test_fingerprints_are_picked_out_of_any_text():
    colons = ":".join(["CD"] * 32)
    file = {"path": own_of(seen_path="/log")["seen_path"], "content": base64.b64encode(f'{{"cert": "{colons}"}} {"a" * 65}'.encode()).decode()}
    assert rotate_record.reported(own_of(), []) == {"fingerprints": None}
    assert rotate_record.reported(own_of(seen=[FINGERPRINT]), []) == {"fingerprints": [FINGERPRINT]}
    assert rotate_record.reported(own_of(seen_path="/log", seen=f"x={FINGERPRINT};"), [file]) == {"fingerprints": [FINGERPRINT, "cd" * 32]}
    assert rotate_record.reported(own_of(seen_path="/log"), [{**file, "content": ""}]) == {"fingerprints": []}


def test_the_words_of_the_role_know_every_result():
    role = Path(__file__).parents[3] / "roles" / ROLE / "vars" / "main" / "words.yml"
    words = yaml.safe_load(role.read_text(encoding="utf-8"))[f"__{ROLE}_words"]
    assert {result["key"] for result in words["results"]} == {result["key"] for result in WORDS["results"]}
