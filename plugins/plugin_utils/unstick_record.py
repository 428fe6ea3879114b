# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role unstick_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, bad_patterns, groups, refusals
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of

ROLE = "unstick_certificates"
# A name that is mistyped would select more than was meant.
FILTER_NAMES = (
    "in_error",
    "name",
    "stage",
    "stage_above",
    "stage_below",
    "pending_workflow",
    "disabled",
    "management_type",
    "expires_within_days",
    "expires_before",
    "expires_after",
    "issuer",
    "common_name",
    "dns_name",
    "filters",
)

# What the module tpp_certificate_reset has to say where it did get to its work.
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
# What a planned certificate has come to, by the processing state that it has now.
RESULT_OF_STATE = {"in_error": "failed", "awaits_approval": "approval", "in_process": "running"}
# Two texts that differ in an order number or a GUID are of one kind.
IDENTIFIER = re.compile(r"\b[0-9][0-9a-fA-F-]{5,}")


def complaints(settings: Json) -> list[str]:
    """Options that cannot work, in words. They may come from a survey as text, so Ansible has not looked at their types."""
    filters = settings["filters"]
    unknown = [name for name in filters if name not in FILTER_NAMES] if isinstance(filters, t.Mapping) else []
    found = {
        f"{ROLE}_certificates names what to look at; it cannot be combined with {ROLE}_folder or {ROLE}_filters": (
            settings["certificates_given"] and (settings["folder"] or filters)
        ),
        f"{ROLE}_filters must be a mapping": not isinstance(filters, t.Mapping),
        f"{ROLE}_filters does not know {', '.join(unknown)}. It knows {', '.join(FILTER_NAMES)}": unknown,
    }
    return [said for said, applies in found.items() if applies] + bad_patterns(ROLE, "skip_status", settings["skip_status"])


# -- certificates ------------------------------------------------------------------------------------------------------------------------


def processing_state(certificate: Json) -> str:
    if certificate["in_error"]:
        return "in_error"
    if certificate["awaits_approval"]:
        return "awaits_approval"
    return "in_process" if certificate["in_process"] else "ok"


def reason(certificate: Json) -> str:
    """Stage and status text as TPP shows them."""
    stage = "" if certificate["stage"] is None else f"stage {certificate['stage']} {certificate['stage_name']}"
    told = ": ".join(part for part in (stage, certificate["status"]) if part)
    return told or ("in error, without a stage" if certificate["in_error"] else "no processing state")


def kind(text: str, name: str) -> str:
    """The text without what differs from certificate to certificate."""
    return IDENTIFIER.sub("*", text.replace(name, "*") if name else text)


@dataclasses.dataclass(frozen=True)
class Course:
    """One certificate from its selection to what has become of it."""

    before: Json
    # None if the role left it alone and did not hand it to the module.
    plan: Json | None
    acted: bool = False
    outcome: str = ""
    message: str | None = None
    # None if it was not read again.
    after: Json | None = None

    @property
    def planned(self) -> bool:
        return self.plan is not None and self.plan["outcome"] == "planned"

    @property
    def now(self) -> Json:
        return self.after or self.before

    def result(self) -> str:
        """A key of the results in the role's vars/main/words.yml."""
        if self.planned:
            return self._result_of_planned()
        if self.plan is not None and self.plan["outcome"] in ("refused", "failed"):
            return "refused"
        state = processing_state(self.now)
        if state == "awaits_approval":
            return "approval"
        return "unchanged" if state == "ok" and not self.now["revocation"] else "left"

    def _result_of_planned(self) -> str:
        if not self.acted:
            return "planned"
        if self.outcome not in ATTEMPTED:
            return "not_attempted"
        if self.outcome == "unknown":
            return "unknown"
        if self.after is None:
            return "unread"
        # The module's message begins so when the reset was done and the renewal failed again.
        if self.outcome == "failed" and not (self.message or "").startswith("failed"):
            return "not_reset"
        done = "renewed" if self.now["thumbprint"] != self.before["thumbprint"] else "unchanged" if self.outcome == "unchanged" else "reset"
        return RESULT_OF_STATE.get(processing_state(self.now), done)

    def why(self) -> str:
        if self.message is not None:
            return self.message.replace(self.before["dn"], "it")
        if self.planned:
            return f"{self.outcome} when its wave ended" if self.result() == "unread" else ""
        if self.plan is None and self.before["disabled"]:
            return "its processing is disabled in TPP"
        if self.before["management_type"] == "Unassigned":
            return "its management type is Unassigned, and TPP resets no such certificate"
        if self.plan is None:
            return f"unstick_certificates_skip_status leaves it alone: {self.before['status']}"
        return str(self.plan["message"])

    def now_and_note(self, result: str) -> tuple[str, str]:
        """What the report says of it now, and a remark below that; nothing of what is only planned."""
        if result == "renewed":
            return f"valid to {(self.now['valid_to'] or '')[:10]}", self.now["thumbprint"]
        if result in RESULT_OF_STATE.values():
            return reason(self.now), ""
        if result in ("reset", "unchanged"):
            return reason(self.now), self.why()
        return self.why(), ""

    def row(self) -> dict[str, t.Any]:
        name, result = self.before["name"], self.result()
        now, note = self.now_and_note(result)
        return {
            **{key: self.before[key] for key in ("dn", "guid", "name", "folder")},
            "planned": self.planned,
            "result": result,
            "outcome": self.outcome,
            "why": self.why(),
            "now": now,
            "note": note,
            "reason": reason(self.before),
            "kind": kind(reason(self.before), name),
            "state": processing_state(self.before),
            "reason_now": reason(self.now),
            "kind_now": kind(reason(self.now), name),
            "state_now": "unread" if result == "unread" else processing_state(self.now),
            "thumbprint": self.before["thumbprint"],
            "thumbprint_now": self.now["thumbprint"],
            "valid_to": self.now["valid_to"],
        }


def unreadable_row(entry: Json) -> dict[str, t.Any]:
    folder, dummy, name = entry["target"].rpartition("\\")
    return {
        "dn": entry["target"],
        "guid": None,
        "name": name,
        "folder": folder,
        "planned": False,
        "result": "unreadable",
        "outcome": "",
        "why": entry["error"]["message"],
        "now": entry["error"]["message"],
        "note": "",
        "reason": "could not be read",
        "kind": "could not be read",
        "state": "unread",
        "reason_now": "",
        "kind_now": "",
        "state_now": "unread",
        "thumbprint": None,
        "thumbprint_now": None,
        "valid_to": None,
    }


def certificate_rows(found: Json, plan: Json, done: Json, read_again: Json) -> list[dict[str, t.Any]]:
    """One row for each selected certificate, in the order in which they were found."""
    plans = {target["target"]: target for target in plan["targets"]}
    seen_again = {certificate["dn"]: certificate for certificate in read_again.get("certificates") or []}
    rows = []
    for certificate in found["certificates"]:
        dn = certificate["dn"]
        course = Course(
            before=certificate,
            plan=plans.get(dn),
            acted=bool(done["waves"]),
            outcome=done["outcomes"].get(dn, ""),
            message=done["messages"].get(dn),
            after=seen_again.get(dn),
        )
        rows.append(course.row())
    return rows + [unreadable_row(entry) for entry in found["unreadable"]]


# -- record ------------------------------------------------------------------------------------------------------------------------------


def record(
    found: Json, plan: Json, done: Json, read_again: Json, *, options: Json, settings: Json, run: Json, words: Json, what: str, check_mode: bool
) -> dict[str, t.Any]:
    rows = certificate_rows(found, plan, done, read_again)
    planned = [row for row in rows if row["planned"]]
    bad = plan["summary"]["refused"] + plan["summary"]["failed"] + len(found["unreadable"])
    return record_of(
        rows,
        plan,
        done,
        refused=refusals(plan, options, names={row["dn"]: [row["dn"]] for row in planned}, bad=bad, selected=len(rows)),
        sections={"reasons": groups(planned, "kind", "dn"), "folders": groups(planned, "folder", "dn")},
        key="dn",
        options=options,
        settings=settings,
        run=run,
        words=words,
        what=what,
        check_mode=check_mode,
    )
