# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A contractor leaves: one playbook revokes the client certificates at Cloudflare, notices that this keeps nobody out, and takes it back."""

from __future__ import annotations

import json
import time
from collections import Counter

from stage import DIRECTORY, Stage, changed, keep, say

# A revocation takes half a minute of the simulator's clock.
CLOCK_SCALE = 15
OWNER = "Contractor Blue Harbor"
THEIRS, REVOKED, ON_THEIR_WAY = 40, 3, 2
PLANNED = THEIRS - REVOKED - ON_THEIR_WAY


def show(stage: Stage) -> None:
    begun = time.monotonic()
    say(
        "Off-boarding",
        f"{OWNER} has left and has not given the tablets back. The simulated zone has 240 client certificates.",
        "CLOUDFLARE_API_TOKEN and CLOUDFLARE_ZONE_ID are exported.",
    )
    stage.begin("lost_devices", CLOCK_SCALE)

    say(
        "1 of 4: the plan",
        "What is theirs, what is its status, until when can it be undone, and would it keep them out? With --check nothing is written;",
        "the plan gets a digest to be approved.",
    )
    options = [json.dumps({"offboard_client_certificates_owners": [OWNER]}), "offboard_client_certificates_wait_timeout=5"]
    printed = stage.play(*_flow(*options, "offboard_client_certificates_report_path=offboard-plan"), "--check")
    plan = json.loads((DIRECTORY / "offboard-plan.json").read_text(encoding="utf-8"))
    stage.expect((plan["counts"]["selected"], plan["counts"]["planned"]) == (THEIRS, PLANNED), f"{THEIRS} are theirs, {PLANNED} are planned")
    stage.expect("KEEPS NOBODY OUT" in printed, "the plan says that no rule blocks what is revoked")
    stage.expect(not any(entry["mutates"] for entry in _calls(stage)), "check mode sends no changing request")

    say(
        "2 of 4: the run",
        "Exactly the plan that was approved: a canary, then waves, then waiting until Cloudflare shows them as revoked. Two that somebody else",
        "has begun with are still on their way, and are told so. And nobody is kept out yet.",
    )
    run = [
        *options,
        f"offboard_client_certificates_plan_digest={plan['plan_digest']}",
        "offboard_client_certificates_reference=INC-4711",
        "offboard_client_certificates_journal_path=offboard-journal.jsonl",
        "offboard_client_certificates_report_formats=html,markdown,json",
    ]
    stage.play(*_flow(*run, "offboard_client_certificates_report_path=offboard"))
    effects = _effects(stage)
    stage.expect(Counter(effects.values()) == {"revoke": PLANNED}, "each is revoked once")
    first = json.loads((DIRECTORY / "offboard.json").read_text(encoding="utf-8"))
    stage.expect(first["results"]["let_through"] == THEIRS, "all of them are still let through")

    say(
        "3 of 4: the rule, and the second run",
        "The administrator of the WAF adds the rule that the report names. Then the same command again: changed=0, and they are kept out.",
    )
    stage.control("cloudflare/waf_rules", {"zone": "example.com", "rules": ["cf.tls_client_auth.cert_revoked"]})
    second = stage.play(*_flow(*run, "offboard_client_certificates_report_path=offboard-again"))
    stage.expect(changed(second) == 0 and _effects(stage) == effects, "the second run changes nothing")
    again = json.loads((DIRECTORY / "offboard-again.json").read_text(encoding="utf-8"))
    stage.expect(again["results"]["let_through"] == 0 and again["firewall"]["blocks_revoked"] is True, "the rule is seen")

    say(
        "4 of 4: the way back",
        "It was a misunderstanding: they stay until the end of the month. What these runs have revoked is reactivated, and what was revoked",
        "before is not.",
    )
    back = ["offboard_client_certificates_state=active", "offboard_client_certificates_from_record=offboard.json"]
    stage.play(*_flow(*back, "offboard_client_certificates_report_path=offboard-back"))
    effects = _effects(stage)
    stage.expect(Counter(effects.values()) == {"revoke and reactivate": PLANNED}, "exactly those are active again")
    calls = _calls(stage)
    say("What you have seen", "Counted in the simulator's journal, not taken from the playbook's word:")
    for label, value in (
        ("certificates of the contractor", THEIRS),
        ("revoked by the run", PLANNED),
        ("revoked before or already on their way, left alone", THEIRS - PLANNED),
        ("let through all the same, until there was a rule", first["results"]["let_through"]),
        ("reactivated in the end", len(effects)),
        ("requests sent by all of the above", len(calls)),
        ("of these, changing ones", sum(bool(entry["mutates"]) for entry in calls)),
        ("seconds", round(time.monotonic() - begun)),
    ):
        print(f"{value:8,}  {label}")
    keep("offboard.html", "offboard.md", "offboard.json", "offboard-plan.html", "offboard-back.html", "offboard-journal.jsonl")


def _flow(*options: str) -> list[str]:
    return ["ansible-playbook", "certops.remediation.offboard_client_certificates", *(word for value in options for word in ("-e", value))]


def _calls(stage: Stage) -> list[dict[str, object]]:
    return [entry for entry in stage.control("journal") if entry["vendor"] == "cloudflare"]


def _effects(stage: Stage) -> dict[str, str]:
    """What really happened, by certificate."""
    found: dict[str, str] = {}
    for entry in _calls(stage):
        if entry["effect"]:
            target = str(entry["target"])
            found[target] = f"{found[target]} and {entry['effect']}" if target in found else str(entry["effect"])
    return found
