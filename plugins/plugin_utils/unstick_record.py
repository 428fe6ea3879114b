# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role unstick_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import dataclasses
import re
import typing as t

Json = t.Mapping[str, t.Any]

FORMAT = "certops.remediation/record/1"
REPORT_FORMATS = ("html", "markdown", "json")
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

# Outcomes of the module tpp_certificate_reset.
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
BAD = ("failed", "unknown", "refused", "not_attempted")
# What a planned certificate has come to, by the processing state that it has now.
RESULT_OF_STATE = {"in_error": "failed", "awaits_approval": "approval", "in_process": "running"}
# Results that are told by what TPP shows now; the others by why they are so.
TOLD_BY_STATE = ("failed", "approval", "running")
# Two texts that differ in an order number or a GUID are of one kind.
IDENTIFIER = re.compile(r"\b[0-9][0-9a-fA-F-]{5,}")
MOST_EXAMPLES = 3


# -- options -----------------------------------------------------------------------------------------------------------------------------


def complaints(numbers: Json, settings: Json, formats: t.Sequence[str]) -> list[str]:
    """Options that cannot work, in words. They may come from a survey as text, so Ansible has not looked at their types."""
    wrong = [name for name, value in numbers.items() if not re.fullmatch("[0-9]*", str(value))]
    filters = settings["filters"]
    unknown_filters = [name for name in filters if name not in FILTER_NAMES] if isinstance(filters, t.Mapping) else []
    unknown_formats = [name for name in formats if name not in REPORT_FORMATS]
    found = {
        f"unstick_certificates_{', unstick_certificates_'.join(wrong)} must be a whole number": wrong,
        "unstick_certificates_wave_size must be at least 1": "wave_size" not in wrong and int(numbers["wave_size"]) < 1,
        "unstick_certificates_max_failed_percent must be at most 100": "max_failed_percent" not in wrong and int(numbers["max_failed_percent"]) > 100,
        "unstick_certificates_certificates names what to look at; it cannot be combined with unstick_certificates_folder or unstick_certificates_filters": (
            settings["certificates_given"] and (settings["folder"] or filters)
        ),
        "unstick_certificates_filters must be a mapping": not isinstance(filters, t.Mapping),
        f"unstick_certificates_filters does not know {', '.join(unknown_filters)}. It knows {', '.join(FILTER_NAMES)}": unknown_filters,
        f"unstick_certificates_report_formats does not know {', '.join(unknown_formats)}. It knows {', '.join(REPORT_FORMATS)}": unknown_formats,
    }
    return [text for text, applies in found.items() if applies]


# -- waves -------------------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Wave:
    """A wave that has ended: ``answer`` is what the module gave, whether or not it got to its work."""

    name: str
    dns: t.Sequence[str]
    limit: int
    is_canary: bool
    answer: Json

    @property
    def targets(self) -> t.Sequence[Json]:
        return self.answer.get("targets") or []

    @property
    def cause(self) -> str:
        """Why there are no targets at all; empty when there are."""
        return "" if "targets" in self.answer else self.answer.get("msg") or "the task ended without a result"

    @property
    def late(self) -> list[Json]:
        return [target for target in self.targets if target["outcome"] == "pending" and target.get("timed_out")]

    @property
    def bad(self) -> list[Json]:
        return [target for target in self.targets if target["outcome"] in BAD] + self.late

    @property
    def bad_count(self) -> int:
        return len(self.dns) if self.cause else len(self.bad)

    @property
    def outcomes(self) -> dict[str, str]:
        if self.cause:
            # With an error object the module never got to its work. Without one it died, and nobody knows.
            return dict.fromkeys(self.dns, "not_attempted" if "error" in self.answer else "unknown")
        return {target["target"]: target["outcome"] for target in self.targets}

    @property
    def messages(self) -> dict[str, str]:
        return dict.fromkeys(self.dns, self.cause) if self.cause else {target["target"]: target["message"] for target in self.bad}

    @property
    def stop(self) -> str:
        """Why the run must not go on; empty if it may."""
        if self.cause:
            return f"{self.name} could not be carried out: {self.cause}"
        if self.is_canary and self.bad:
            return f"the canary did not make it. {self.bad[0]['target']}: {self.bad[0]['message']}"
        # The module gave up for a cause that the next wave would meet as well; where it only kept to the threshold, the threshold is the news.
        for target in self.targets:
            if target["outcome"] == "not_attempted" and "stop_after_failures" not in target["message"]:
                return f"{self.name} was given up: {target['message']}"
        size = len(self.dns)
        percent = self.bad_count * 100 / size
        if percent > self.limit:
            return (
                f"{self.bad_count} of the {size} certificates of {self.name} failed, which is {round(percent)} %"
                f" and more than unstick_certificates_max_failed_percent={self.limit}"
            )
        return ""

    def counts(self) -> dict[str, int]:
        outcomes = [target["outcome"] for target in self.targets]
        return {
            "size": len(self.dns),
            "fine": outcomes.count("applied") + outcomes.count("unchanged"),
            "pending": outcomes.count("pending") - len(self.late),
            "bad": self.bad_count,
            "changed": sum(bool(target["changed"]) for target in self.targets),
        }


def progress(done: Json, wave: Wave, ended: str) -> dict[str, t.Any]:
    """What all waves so far have come to: outcomes and messages by DN, a line for each wave, and why the run has to stop."""
    return {
        "outcomes": {**done["outcomes"], **wave.outcomes},
        "messages": {**done["messages"], **wave.messages},
        "stopped": wave.stop,
        "waves": [*done["waves"], {"name": wave.name, **wave.counts(), "ended": ended}],
    }


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

    def row(self) -> dict[str, t.Any]:
        name, result = self.before["name"], self.result()
        return {
            **{key: self.before[key] for key in ("dn", "guid", "name", "folder")},
            "planned": self.planned,
            "result": result,
            "outcome": self.outcome,
            "why": self.why(),
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


def refusals(found: Json, plan: Json, settings: Json, continue_on_error: bool) -> list[dict[str, t.Any]]:
    """Each guard that says no, with the numbers and what to change. Where nothing would be changed there is nothing to refuse."""
    planned = plan["summary"]["planned"]
    if not planned:
        return []
    most, expected = settings["max_changes"], settings["expected_changes"]
    digest, approved = plan["plan_digest"], settings["plan_digest"].strip()
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in settings["deny"]]
    going = [target["target"] for target in plan["targets"] if target["outcome"] == "planned"]
    denied = [dn for dn in going if any(pattern.search(dn) for pattern in patterns)]
    selected = len(found["certificates"]) + len(found["unreadable"])
    bad = plan["summary"]["refused"] + plan["summary"]["failed"] + len(found["unreadable"])
    said: list[tuple[str, bool, str]] = [
        ("deny", bool(denied), f"{len(denied)} of the {planned} certificates to be reset match unstick_certificates_deny, such as "
         f"{', '.join(denied[:MOST_EXAMPLES])}. Select without them, or change the list."),
        ("max_changes", most != "" and planned > int(most), f"the plan would change {planned} certificates, at most {most} are allowed. "
         "Select fewer, or raise unstick_certificates_max_changes."),
        ("expected_changes", expected != "" and planned != int(expected), f"the plan would change {planned} certificates, {expected} were expected. "
         f"Look at the plan; if it is right, set unstick_certificates_expected_changes={planned}."),
        ("plan_digest", approved not in ("", digest), f"the plan is now {digest}, approved was {approved}. "
         "Run with --check again and have that plan approved."),
        ("continue_on_error", bad > 0 and not continue_on_error, f"{bad} of the {selected} selected certificates cannot be read or acted on. "
         "Leave them out, or set unstick_certificates_continue_on_error=true to act on the others."),
    ]
    return [{"guard": guard, "refuses": True, "message": message} for guard, refuses, message in said if refuses]


def groups(rows: t.Iterable[Json], key: str) -> list[dict[str, t.Any]]:
    """Rows with the same text under ``key``, in the order of these texts; case is ignored."""
    same: dict[str, list[Json]] = {}
    for row in rows:
        same.setdefault(row[key].lower(), []).append(row)
    return [
        {"text": members[0][key], "count": len(members), "examples": [row["dn"] for row in members[:MOST_EXAMPLES]]}
        for dummy, members in sorted(same.items())
    ]


def open_groups(by_result: t.Mapping[str, list[Json]], words: Json) -> list[dict[str, t.Any]]:
    """What is still to be done, by result and text, with who has to act and how."""
    advice = [(re.compile(entry["pattern"], re.IGNORECASE), entry) for entry in words["advice"]]
    # What a failed one asks for, and of whom, depends on its text.
    open_results = [result for result in words["results"] if by_result.get(result["key"]) and (result["key"] == "failed" or "who" in result)]
    found = []
    for rank, result in enumerate(open_results, 1):
        for group in groups(by_result[result["key"]], "kind_now" if result["key"] in TOLD_BY_STATE else "why"):
            whose = result if "who" in result else next(entry for pattern, entry in advice if pattern.search(group["text"]))
            found.append({
                "rank": rank,
                "result": result["key"],
                "label": result["label"],
                "tone": result["tone"],
                **group,
                "who": whose["who"],
                "what": whose["what"],
            })
    return found


def record(
    found: Json, plan: Json, done: Json, read_again: Json, *, settings: Json, run: Json, words: Json, check_mode: bool, what: str, continue_on_error: bool
) -> dict[str, t.Any]:
    """The whole record of a run. The report in each of its formats is made of this and of nothing else."""
    rows = certificate_rows(found, plan, done, read_again)
    planned = [row for row in rows if row["planned"]]
    by_result: dict[str, list[Json]] = {result["key"]: [] for result in words["results"]}
    for row in rows:
        by_result[row["result"]].append(row)
    return {
        "format": FORMAT,
        "flow": "unstick_certificates",
        "title": "Unstick certificates",
        "check_mode": check_mode,
        "what": what,
        "refusals": refusals(found, plan, settings, continue_on_error),
        "stopped": done["stopped"],
        "counts": {"selected": len(rows), "planned": len(planned), "changed": sum(wave["changed"] for wave in done["waves"])},
        "results": {key: len(members) for key, members in by_result.items()},
        "plan_digest": plan["plan_digest"],
        "reasons": groups(planned, "kind"),
        "folders": groups(planned, "folder"),
        "left": groups(by_result["left"], "why"),
        "open": open_groups(by_result, words),
        "waves": list(done["waves"]),
        "settings": dict(settings),
        "run": dict(run),
        "certificates": rows,
    }
