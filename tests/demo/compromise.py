# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key has leaked: 60 certificates in Keyfactor Command hold it, and one playbook revokes what can be revoked and tells the rest."""

from __future__ import annotations

import json
import re
import time
from collections import Counter

from stage import DIRECTORY, Stage, changed, keep, say

CLOCK_SCALE = 1
NAME = "*.r09.shop.example.com"
LEAKED, ON_HOLD, REVOKED, NEED_APPROVAL, ASKED_ALREADY, REFUSED_BY_CA = 60, 6, 5, 4, 1, 2
PLANNED = LEAKED - REVOKED - ASKED_ALREADY
DONE = LEAKED - REVOKED - NEED_APPROVAL - REFUSED_BY_CA


def show(stage: Stage) -> None:
    begun = time.monotonic()
    say(
        "A leaked key",
        "The private key behind the shop's wildcards has leaked. A simulated Keyfactor Command holds 264 certificates, and nobody",
        "knows how many of them share it. KEYFACTOR_HOSTNAME and an OAuth2 client are exported.",
    )
    stage.begin("key_compromise", CLOCK_SCALE)

    say("1 of 4: the situation", "One certificate is known. What is its public key, and where is it?")
    question = json.dumps({"common_name": [NAME], "locations": True})
    found = stage.play("ansible", "localhost", "-m", "certops.remediation.keyfactor_certificate_info", "-a", question)
    match = re.search(r"public_key_sha256: ([0-9a-f]{64})", found)
    stage.expect(match is not None, "the info module tells the public key")
    key = match[1] if match else ""

    say(
        "2 of 4: the plan",
        "Everything that shares the key, with --check --diff: what is on hold, revoked already, behind an approval, still deployed.",
        "Nothing is written; the plan gets a digest to be approved.",
    )
    options = [
        f"revoke_certificates_key_sha256={key}",
        "revoke_certificates_reason=keyCompromise",
        "revoke_certificates_comment=INC-4711",
        "revoke_certificates_deployed=report",
    ]
    stage.play(*_flow(*options, "revoke_certificates_report_path=compromise-plan"), "--check", "--diff")
    plan = json.loads((DIRECTORY / "compromise-plan.json").read_text(encoding="utf-8"))
    stage.expect((plan["counts"]["selected"], plan["counts"]["planned"]) == (LEAKED, PLANNED), f"{LEAKED} share the key, {PLANNED} are planned")
    stage.expect(not any(entry["mutates"] for entry in _calls(stage)), "check mode sends no changing request")

    say("3 of 4: the run", "Exactly the plan that was approved: a canary, then waves. A success that only waits for an approval is told as what it is.")
    run = [
        *options,
        f"revoke_certificates_plan_digest={plan['plan_digest']}",
        "revoke_certificates_journal_path=compromise-journal.jsonl",
        "revoke_certificates_report_formats=html,markdown,json",
    ]
    stage.play(*_flow(*run, "revoke_certificates_report_path=compromise"), status=_ends_failed())
    first = _calls(stage)
    effects = _effects(first)
    stage.expect(Counter(effects.values()) == {"revoke": DONE, "suspend": NEED_APPROVAL - ASKED_ALREADY}, "each is revoked, or asked for, once")

    say("4 of 4: the second run", "The approvals are still open, and the authority still refuses two. Nothing is asked for twice: changed=0.")
    second = stage.play(*_flow(*options), status=_ends_failed())
    stage.expect(changed(second) == 0, "the second run reports changed=0")
    calls = _calls(stage)
    stage.expect(_effects(calls) == effects, "the second run has no effect")
    say("What you have seen", "Counted in the simulator's journal, not taken from the playbook's word:")
    for label, value in (
        ("certificates that share the leaked key", LEAKED),
        ("revoked, the ones on hold among them", DONE),
        ("waiting for an approval, and not called revoked", NEED_APPROVAL),
        ("revoked before, left alone", REVOKED),
        ("refused by their authority, with its words", REFUSED_BY_CA),
        ("requests sent by all of the above", len(calls)),
        ("of these, revocations", sum(entry["mutates"] for entry in calls)),
        ("seconds", round(time.monotonic() - begun)),
    ):
        print(f"{value:8,}  {label}")
    keep("compromise.html", "compromise.md", "compromise.json", "compromise-plan.html", "compromise-journal.jsonl")


def _flow(*options: str) -> list[str]:
    return ["ansible-playbook", "certops.remediation.revoke_certificates", *(word for value in options for word in ("-e", value))]


def _ends_failed() -> int:
    """What an authority refuses has to be looked into, so the job is red."""
    return 2


def _calls(stage: Stage) -> list[dict[str, object]]:
    """The requests to Command; the token endpoint of its identity provider is left out."""
    return [entry for entry in stage.control("journal") if entry["vendor"] == "keyfactor" and "token" not in entry["path"]]


def _effects(calls: list[dict[str, object]]) -> dict[str, str]:
    """What really happened, by certificate."""
    found: dict[str, str] = {}
    for entry in calls:
        for target, effect in (entry.get("effects") or {}).items():
            found[target] = effect if target not in found else f"{found[target]} and {effect}"
    return found
