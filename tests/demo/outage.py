# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The morning after an outage: 200 certificates are stuck in Venafi TPP, and one playbook gets them going again."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from stage import DIRECTORY, Stage, changed, keep, say

FOLDER = r"\VED\Policy\Certificates"
# One second of the demonstration is five of the story.
CLOCK_SCALE = 5
STUCK, REVOKED, FAIL_AGAIN, NEED_APPROVAL = 200, 4, 12, 8
# What nobody has mended by the time of the second run.
NOT_MENDED = ["allowed domains", "invalid_key", "required by the policy", "permission denied"]


def _flow(*options: str) -> list[str]:
    values = (f"unstick_certificates_folder={FOLDER}", "unstick_certificates_restart=true", *options)
    return ["ansible-playbook", "certops.remediation.unstick_certificates", *(word for value in values for word in ("-e", value))]


def show(stage: Stage) -> None:
    begun = time.monotonic()
    say(
        "The story",
        "An issuing CA was down for a night and is up again. A simulated Venafi TPP holds 1,000 certificates, and the night",
        f"has left {STUCK} of them in error. VENAFI_URL, VENAFI_TOKEN and VENAFI_CA_PATH are exported; all that follows is real",
        f"ansible-playbook over HTTPS. The simulator's clock runs {CLOCK_SCALE} times as fast as yours.",
    )
    stage.begin("ca_outage", CLOCK_SCALE)

    say("1 of 4: the situation", "How many are in error? TPP is asked, and one of them is shown.")
    question = json.dumps({"folder": FOLDER, "in_error": True, "limit": 1})
    stage.play("ansible", "localhost", "-m", "certops.remediation.tpp_certificate_info", "-a", question)
    stage.expect(stage.control("state")["tpp"]["in_error"] == STUCK, f"{STUCK} certificates are in error")

    say("2 of 4: the plan", "The whole flow with --check --diff. It sends only requests that read, and gives the plan a digest to be approved.")
    stage.play(*_flow("unstick_certificates_report_path=outage-plan", "unstick_certificates_report_formats=html,json"), "--check", "--diff")
    plan = json.loads((DIRECTORY / "outage-plan.json").read_text(encoding="utf-8"))
    stage.expect(plan["counts"]["planned"] == STUCK - REVOKED, f"{STUCK - REVOKED} certificates are planned")
    stage.expect(not any(entry["mutates"] for entry in stage.control("journal")), "check mode sends no changing request")

    say("3 of 4: the run", "Exactly the plan that was approved: a canary first, then waves; then everything is read again.")
    run = _flow(
        f"unstick_certificates_plan_digest={plan['plan_digest']}",
        "unstick_certificates_wait_interval=1",
        "unstick_certificates_journal_path=outage-journal.jsonl",
    )
    stage.play(*run, "-e", "unstick_certificates_report_path=outage", "-e", "unstick_certificates_report_formats=html,markdown,json")
    report = json.loads((DIRECTORY / "outage.json").read_text(encoding="utf-8"))
    first = stage.control("journal")
    results = report["results"]
    stage.expect(results["renewed"] == STUCK - REVOKED - FAIL_AGAIN - NEED_APPROVAL, "all are renewed that can be")
    stage.expect((results["failed"], results["approval"], results["left"]) == (FAIL_AGAIN, NEED_APPROVAL, REVOKED), "the others are told apart")

    say(
        "4 of 4: the second run",
        "What failed again is in error again, and a second run would try it again. Nobody has mended its causes yet, so it is",
        "left alone by its texts. Nothing else is left to do: changed=0.",
    )
    skip = json.dumps({"unstick_certificates_skip_status": NOT_MENDED})
    second = stage.play(*run, "-e", skip)
    stage.expect(changed(second) == 0, "the second run reports changed=0")
    journal = stage.control("journal")
    stage.expect(not any(entry["mutates"] for entry in journal[len(first):]), "the second run sends no changing request")
    _summary(stage, report, journal, time.monotonic() - begun)


def _summary(stage: Stage, report: Mapping[str, Any], journal: Sequence[Mapping[str, Any]], seconds: float) -> None:
    resets = [entry for entry in journal if entry["mutates"]]
    effects = Counter(entry["target"].lower() for entry in resets if entry["effect"])
    stage.expect(set(effects.values()) == {1}, "no certificate is reset twice")
    stage.expect(len(effects) == STUCK - REVOKED, "every planned certificate is reset")
    stage.expect(not any("\\old-" in dn for dn in effects), "no revoked certificate is touched")
    results = report["results"]
    say("What you have seen", "Counted in the simulator's journal, not taken from the playbook's word:")
    for label, value in (
        ("certificates in error before", STUCK),
        ("renewed", results["renewed"]),
        ("failed again, with the cause and whose turn it is", results["failed"]),
        ("waiting for approval", results["approval"]),
        ("revoked, left alone", results["left"]),
        ("requests sent by both runs, the plan and the question before", len(journal)),
        ("of these, resets", len(resets)),
        ("refused because locked, and sent again", len(resets) - len(effects)),
        ("resets done per certificate", 1),
        ("changing requests in check mode and in the second run", 0),
        ("seconds", round(seconds)),
    ):
        print(f"{value:8,}  {label}")
    keep("outage.html", "outage.md", "outage.json", "outage-plan.html", "outage-journal.jsonl")
