# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role decommission_certificates finds to be due, and the one plan over its two operations."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import decommission_record as decommission
from ansible_collections.certops.remediation.plugins.plugin_utils import flow, operations

ROLE = pathlib.Path(__file__).parents[3] / "roles/decommission_certificates"
WORDS = yaml.safe_load((ROLE / "vars/main/words.yml").read_text())["__decommission_certificates_words"]
NOW = "2026-11-30T12:00:00Z"
OURS = f"{decommission.MARK} deployed nowhere"
GIVEN = dict.fromkeys((*decommission.TEXTS, *decommission.NUMBERS, "filters", "certificates"), "")
STORE = {"kind": "store", "machine": "lb01", "text": "lb01: /ssl"}


def own(**given):
    return decommission.options({**GIVEN, "query": "x", **given})


def certificate(number=1, state="active", *, date=None, comment=OURS, places=(), issued="2026-01-01T00:00:00Z", expired=False):
    revocation = {"date": date, "comment": comment, "reason": 6, "reason_name": "certificate_hold"} if state in ("on_hold", "revoked") else None
    return {
        "id": number, "thumbprint": f"{number:040X}", "serial": "0A", "common_name": f"c{number}", "subject": f"CN=c{number}", "dns_names": [],
        "issuer": "CN=I", "authority": "ca", "not_before": issued, "not_after": "2027-01-01T00:00:00Z", "expired": expired, "state_name": state,
        "revocation": revocation,
        "locations": list(places), "history": [],
    }


def decided(*certificates, histories=(), **given):
    found = {"certificates": list(certificates), "not_found": []}
    return [(item["operation"] or item["result"], item["why"]) for item in decommission.chosen(found, histories, own(**given), NOW)["decisions"]]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (certificate(), "hold"),
        (certificate(places=[STORE]), "deployed"),
        (certificate(issued="2026-11-20T00:00:00Z"), "left"),
        (certificate(issued=""), "left"),
        (certificate(expired=True), "left"),
        (certificate(state="revoked"), "unchanged"),
        (certificate(state="denied"), "left"),
        (certificate(state="on_hold", date="2026-10-31T12:00:00Z"), "revoke"),
        (certificate(state="on_hold", date="2026-10-31T12:00:01Z"), "held"),
        (certificate(state="on_hold", date="2027-10-31T12:00:00Z"), "held"),
        (certificate(state="on_hold", date=None), "undated"),
        (certificate(state="on_hold", date="2026-01-01T00:00:00Z", comment="INC-7"), "foreign"),
        (certificate(state="on_hold", date="2026-01-01T00:00:00Z", comment=None), "foreign"),
        (certificate(state="on_hold", date="2026-01-01T00:00:00Z", places=[STORE]), "back"),
        (certificate(state="on_hold", date="2026-01-01T00:00:00Z", expired=True), "left"),
    ],
)
def test_what_is_due_shows_in_command_alone(seen, expected):
    assert decided(seen)[0][0] == expected


def test_the_time_on_hold_is_counted_from_the_date_of_command():
    held = certificate(state="on_hold", date="2026-11-20T00:00:00Z")
    assert decided(held) == [("held", "on hold until 2026-12-20")]
    assert decided(held, hold_days="10")[0][0] == "revoke" and decided(held, hold_days="0")[0][0] == "revoke"
    foreign = certificate(state="on_hold", date="2026-01-01T00:00:00Z", comment="INC-7")
    assert decided(foreign, held_by="anybody")[0][0] == "revoke"


def event(time, action, comment="", user="EXAMPLE\\owner"):
    return {"time": time, "action": action, "comment": comment, "user": user}


HELD, RELEASED = event("2026-10-01T00:00:00Z", "Placed on Hold", OURS), event("2026-10-05T00:00:00Z", "Removed from Hold")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([RELEASED, HELD], ("released", "was released from hold on 2026-10-05 by EXAMPLE\\owner")),
        ([HELD], ("hold", "")),
        ([event("2026-10-01T00:00:00Z", "Placed on Hold", "INC-7"), RELEASED], ("hold", "")),
        ([event("2026-01-01T00:00:00Z", "Issued")], ("hold", "")),
    ],
)
def test_what_was_released_is_not_put_on_hold_again(history, expected):
    active = certificate()
    assert decided(active, histories=[{**active, "history": history}]) == [expected]
    assert decided(active, histories=[{**active, "history": history}], released="hold")[0][0] == "hold"


def test_only_those_are_looked_up_that_would_be_put_on_hold():
    found = {"certificates": [certificate(1), certificate(2, places=[STORE]), certificate(3, state="on_hold", date="2026-01-01T00:00:00Z")], "not_found": []}
    assert [item["id"] for item in decommission.orphans(found, own(), NOW)] == [1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"query": ""}, "Nothing says which certificates are to be looked at"),
        ({"certificates": [1]}, "decommission_certificates_certificates cannot be combined with decommission_certificates_query"),
        ({"filters": {"cn": "x"}}, "decommission_certificates_filters does not know cn"),
        ({"filters": "x"}, "decommission_certificates_filters must be a mapping"),
        ({"hold_days": "soon"}, "decommission_certificates_hold_days must be a whole number"),
    ],
)
def test_options_that_cannot_work_are_named(given, said):
    assert said in " ".join(own(**given)["complaints"])


def test_the_mark_begins_every_comment_and_the_comment_fits():
    for operation in ("hold", "revoke"):
        said = decommission.comment(operation, own(), "CHG-1")
        assert said.startswith(decommission.MARK) and said.endswith(". CHG-1") and len(said) < 200
    assert decommission.comment("hold", own(), "") == decommission.comment("hold", own(), "")


def plan(*targets, digest="sha256:1"):
    outcomes = [outcome for outcome, *dummy in targets]
    return {
        "targets": [{"outcome": outcome, "action": action, "message": action} for outcome, action in targets],
        "plan_digest": digest, "url": "https://k", "summary": {outcome: outcomes.count(outcome) for outcome in ("planned", "refused", "failed")},
    }


def described(found, plans, done=None, read_again=None, **options):
    names = yaml.safe_load((ROLE.parent / "flow/vars/main.yml").read_text())["__flow_names"]
    settings = flow.options({**dict.fromkeys(names, ""), **options}, decommission.ROLE)
    return decommission.record(
        decommission.chosen(found, [], own(), NOW),
        plans,
        done or {"outcomes": {}, "messages": {}, "kept": {}, "waves": [], "stopped": ""},
        read_again or {},
        options=settings,
        own=own(),
        run={"started": NOW, "ended": NOW},
        words=WORDS,
        check_mode=True,
    )


FOUND = {
    "certificates": [
        certificate(1), certificate(2, places=[STORE]), certificate(3, state="on_hold", date="2026-01-01T00:00:00Z"), certificate(4, state="on_hold", date=NOW),
    ],
    "not_found": [],
}
PLANS = {"hold": plan(("planned", "put on hold")), "revoke": plan(("planned", "revoke"), digest="sha256:2")}


def test_one_plan_one_digest_and_one_row_of_waves_over_both_operations():
    made = described(FOUND, PLANS)
    assert [(row["id"], row["operation"], row["result"]) for row in made["certificates"]] == [
        (1, "hold", "planned"), (2, "", "deployed"), (3, "revoke", "planned"), (4, "", "held"),
    ]
    assert made["counts"]["planned"] == 2 and made["plan_digest"] not in ("sha256:1", "sha256:2")
    assert described(FOUND, {**PLANS, "hold": plan(("planned", "put on hold"), digest="sha256:3")})["plan_digest"] != made["plan_digest"]
    assert [row["id"] for row in made["certificates"] if row["hold"]] == [1, 4], "what a release by this record is about"
    options = flow.options(dict.fromkeys(yaml.safe_load((ROLE.parent / "flow/vars/main.yml").read_text())["__flow_names"], ""), decommission.ROLE)
    wanted = [{"name": "hold", "handed": ["id"]}, {"name": "revoke", "handed": ["id"]}]
    waves = operations.waves(made, options, wanted, key="id", kind="kind")
    assert [(wave["name"], wave["operation"], wave["members"]) for wave in waves] == [
        ("hold, the canary", "hold", ["1"]), ("revoke, the canary", "revoke", ["3"]),
    ]


def test_guards_look_at_both_operations():
    assert [refusal["guard"] for refusal in described(FOUND, PLANS, max_changes="1", deny="^c3$")["refusals"]] == ["deny", "max_changes"]
    refused = {**PLANS, "hold": plan(("refused", "is the certificate of an authority"))}
    made = described(FOUND, refused)
    assert [refusal["guard"] for refusal in made["refusals"]] == ["continue_on_error"] and made["results"]["refused"] == 1


def test_what_has_become_of_it_is_what_command_shows():
    done = {"outcomes": {"1": "applied", "3": "applied"}, "messages": {}, "kept": {}, "stopped": "",
            "waves": [{"name": "x", "size": 2, "fine": 2, "pending": 0, "bad": 0, "changed": 2}]}
    again = {"certificates": [certificate(1, state="on_hold", date=NOW), certificate(3, state="revoked", date=NOW)]}
    made = described(FOUND, PLANS, done, again)
    assert (made["results"]["on_hold"], made["results"]["revoked"], made["results"]["held"], made["results"]["deployed"]) == (1, 1, 1, 1)
    released = {"certificates": [certificate(1), certificate(3, state="revoked", date=NOW)]}
    assert described(FOUND, PLANS, done, released)["certificates"][0]["result"] == "scheduled"
