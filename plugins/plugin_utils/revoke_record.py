# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role revoke_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import re
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import (
    Json,
    bad_numbers,
    entries,
    groups,
    path,
    refusals,
    text,
    truth,
)
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of

ROLE = "revoke_certificates"
# A name that is mistyped would select more than was meant.
FILTER_NAMES = ("common_name", "dns_name", "issuer", "state", "expires_within_days", "expires_before", "expires_after")
NUMBERS = {"batch_size": "50", "hold_grace": "900"}
# What else there is besides the lists, numbers and truth values, and what holds when it is not set.
TEXTS = {
    "query": "",
    "collection": "",
    "collection_id": "",
    "state": "revoked",
    "reason": "",
    "comment": "",
    "effective_date": "",
    "deployed": "refuse",
    "expired": "leave",
    "pending_approvals": "try",
}
# Words of the module keyfactor_certificate_revoke that it has come to this certificate.
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
# Texts that differ in one of these are of one kind.
IDENTIFIER = re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b\d{4}-\d\d-\d\dT[0-9:.]+Z?|\b[0-9A-F]{16,}\b|(?<=Id ')\d+")
MOST_PLACES = 2
# Where it is deployed is told by machine, and what it waits for with each certificate.
SAME_FOR_ALL = {"deployed": "still deployed", "approval": "its workflow instance waits for an approval", "held": "on hold"}


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    found: dict[str, t.Any] = {name: text(given[name]) or default for name, default in TEXTS.items()}
    found["number"] = {name: text(given[name]) or default for name, default in NUMBERS.items()}
    found["certificates"] = [entry for line in entries(given["certificates"]) for entry in (_words(line) if isinstance(line, str) else [line])]
    found["serials"] = [entry for line in entries(given["serials"]) for entry in _words(str(line))]
    found["key_sha256"] = [entry for line in entries(given["key_sha256"]) for entry in _words(str(line))]
    found["allow"] = [entry for line in entries(given["allow"]) for entry in _words(str(line))]
    found["files"] = [path(entry) for entry in entries(given["files"])]
    found["key_files"] = [path(entry) for entry in entries(given["key_files"])]
    found["from_record"] = path(given["from_record"])
    found["filters"] = given["filters"] or {}
    found["hold_first"] = truth(given["hold_first"], False)
    found["wait"] = truth(given["wait"], True)
    found["wait_for_approval"] = truth(given["wait_for_approval"], False)
    return {**found, "complaints": _complaints(found)}


def _words(line: str) -> list[str]:
    return [word.strip() for word in line.split(",") if word.strip()]


def _complaints(found: Json) -> list[str]:
    filters = found["filters"]
    unknown = [str(name) for name in filters if name not in FILTER_NAMES] if isinstance(filters, t.Mapping) else []
    searched = [name for name in ("query", "serials", "files", "key_files", "key_sha256", "filters") if found[name]]
    ways = [*(name for name in ("certificates", "from_record") if found[name]), *searched[:1]]
    said = {
        f"Nothing says what is to be revoked. Set {ROLE}_query, {ROLE}_certificates, {ROLE}_serials, {ROLE}_files, {ROLE}_key_files or another one of "
        "the options that select": not ways,
        f"{ROLE}_{' cannot be combined with '.join(f'{name}' for name in ways).replace('with ', f'with {ROLE}_')}": len(ways) > 1,
        f"{ROLE}_filters must be a mapping": not isinstance(filters, t.Mapping),
        f"{ROLE}_filters does not know {', '.join(unknown)}. It knows {', '.join(FILTER_NAMES)}": unknown,
        f"{ROLE}_hold_first goes with {ROLE}_state=revoked only": found["hold_first"] and found["state"] != "revoked",
        f"{ROLE}_from_record says what to release, so it goes with {ROLE}_state=released only": found["from_record"] and found["state"] != "released",
    }
    return bad_numbers(ROLE, found["number"]) + [complaint for complaint, applies in said.items() if applies]


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    names = (
        "query", "filters", "serials", "files", "key_files", "key_sha256", "from_record", "collection", "collection_id", "state", "reason", "comment",
        "effective_date", "deployed", "expired", "allow", "hold_first",
    )
    return {**{name: found[name] for name in names}, "certificates_given": len(found["certificates"]), "hold_grace": found["number"]["hold_grace"]}


# -- selection ---------------------------------------------------------------------------------------------------------------------------


def recorded(record: t.Any) -> list[dict[str, t.Any]]:
    """What an earlier run was to put on hold, by its record. What was on hold before that run is not its to release."""
    rows = record["certificates"] if isinstance(record, t.Mapping) and record.get("flow") in (ROLE, "decommission_certificates") else []
    return [{name: row[name] for name in ("id", "thumbprint")} for row in rows if row["hold"]]


def selection(found: Json, serials: t.Sequence[str]) -> dict[str, t.Any]:
    """The certificates that can be told apart, and in words what is missing."""
    certificates = list(found["certificates"])
    missing = [{"target": entry["target"], "why": entry["error"]["message"]} for entry in found["not_found"]]
    for given in serials:
        digits = re.sub("[^0-9A-F]", "", given.upper().replace("0X", "")).lstrip("0")
        same = [certificate for certificate in certificates if certificate["serial"].lstrip("0") == digits]
        if len(same) > 1:
            # Two authorities may give the same number, and only one of these certificates was meant.
            told = "; ".join(f"id {certificate['id']} of {certificate['issuer']}" for certificate in same)
            missing.append({"target": given, "why": f"{len(same)} certificates have this serial number ({told}). Name the issuer in {ROLE}_filters, or the id"})
            certificates = [certificate for certificate in certificates if certificate not in same]
    return {"certificates": certificates, "missing": missing}


# -- certificates ------------------------------------------------------------------------------------------------------------------------


def state_text(certificate: Json) -> str:
    """The state in the words of the report."""
    revocation = certificate["revocation"] or {}
    since = f" since {revocation['date'][:19].replace('T', ' ')}" if revocation.get("date") else ""
    if certificate["state_name"] == "on_hold":
        return f"on hold{since}"
    if certificate["state_name"] == "revoked":
        return f"revoked ({revocation.get('reason_name') or 'no reason'}){since}"
    return f"{certificate['state_name'].replace('_', ' ')}{', expired' if certificate['expired'] else ''}"


def kind(said: str) -> str:
    """The text without what differs from certificate to certificate."""
    return IDENTIFIER.sub("*", said)


def all_names(certificate: Json) -> list[str]:
    """All that a deny list may know it by."""
    return [certificate["common_name"], certificate["subject"], certificate["thumbprint"], *(certificate["dns_names"] or [])]


def place(certificate: Json) -> str:
    """Its id, and where it is deployed."""
    places = [location["text"] for location in certificate["locations"]]
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return f"id {certificate['id']}, {'at ' + ', '.join(places[:MOST_PLACES]) + more if places else 'deployed nowhere that Command knows of'}"


@dataclasses.dataclass(frozen=True)
class Course:
    """One certificate from its selection to what has become of it.

    :param wanted: ``revoked``, ``on_hold`` or ``released``.
    :param hold_first: whether it is put on hold before it is revoked for good.
    :param held_earlier: whether the run whose record this one goes on with was to put it on hold.
    :param acted: whether there has been a wave.
    :param kept: what the module said last, where it was pending.
    :param after: None if it was not read again.
    """

    before: Json
    plan: Json
    wanted: str
    hold_first: bool
    held_earlier: bool = False
    acted: bool = False
    outcome: str = ""
    message: str | None = None
    kept: Json = dataclasses.field(default_factory=dict)
    after: Json | None = None

    @property
    def planned(self) -> bool:
        return bool(self.plan["outcome"] == "planned")

    @property
    def now(self) -> Json:
        return self.after or self.before

    @property
    def to_hold(self) -> bool:
        """Whether this run is to put it on hold, for a while or for good."""
        return self.planned and self.before["state_name"] != "on_hold" and (self.hold_first or self.wanted == "on_hold")

    def _is_so(self, certificate: Json) -> bool:
        enough = {"revoked": ("revoked",), "on_hold": ("on_hold", "revoked"), "released": ("active",)}[self.wanted]
        return certificate["state_name"] in enough

    def result(self) -> str:
        """A key of the results in the role's vars/main/words.yml."""
        if self.planned:
            return self._result_of_planned() if self.acted else "planned"
        if self.plan["outcome"] in ("refused", "failed"):
            return "deployed" if "deployed=refuse" in self.plan["message"] else "refused"
        if self.plan["outcome"] == "pending":
            return "approval" if self.plan.get("pending_approval") else "scheduled"
        return "unchanged" if self._is_so(self.before) else "left"

    def _result_of_planned(self) -> str:
        attempted = self.outcome in ATTEMPTED
        if self.after is None:
            return ("unknown" if self.outcome == "unknown" else "unread") if attempted else "not_attempted"
        # What Command shows now is stronger than what was said on the way.
        if self._is_so(self.after):
            return self.wanted if attempted and self.outcome != "unchanged" else "unchanged"
        if self.hold_first and self.after["state_name"] == "active" and (self.before["state_name"] == "on_hold" or self.outcome in ("applied", "unchanged")):
            return "let_go"
        if self.outcome in ("failed", "refused", "unknown"):
            return "unknown" if self.outcome == "unknown" else "failed"
        if attempted and self.kept.get("pending_approval"):
            return "approval"
        if self.hold_first and self.after["state_name"] == "on_hold":
            return "held"
        return "scheduled" if attempted else "not_attempted"

    def why(self, result: str) -> str:
        if result == "let_go":
            return "somebody has released it from hold meanwhile"
        if result == "held" and not self.message:
            return state_text(self.now)
        if not self.planned:
            return str(self.plan["message"])
        return self.message or str(self.kept.get("message") or "") if self.acted else ""

    def row(self) -> dict[str, t.Any]:
        certificate, result = self.before, self.result()
        why = self.why(result)
        done = result in ("revoked", "on_hold", "released")
        places = [location["text"] for location in certificate["locations"]]
        machines = [location["machine"] if location["kind"] == "store" else location["text"] for location in certificate["locations"]]
        return {
            **{name: certificate[name] for name in ("id", "thumbprint", "serial", "common_name", "issuer", "not_after")},
            "name": certificate["common_name"] or certificate["subject"] or certificate["thumbprint"],
            "label": f"{certificate['common_name'] or certificate['thumbprint']} ({certificate['id']})",
            "where": place(certificate),
            "authority": certificate["authority"] or certificate["issuer"],
            "locations": places,
            "machines": list(dict.fromkeys(machines)),
            "planned": self.planned,
            "to_hold": self.to_hold,
            # What a release by this record is about.
            "hold": self.to_hold or (self.held_earlier and self.before["state_name"] == "on_hold"),
            "action": self.plan["action"] if self.planned else "none",
            "change": ("put on hold, then " if self.hold_first and self.to_hold else "") + self.plan["action"],
            "result": result,
            "outcome": self.outcome,
            "why": why,
            "kind_why": SAME_FOR_ALL.get(result) or kind(why),
            "kind": f"{certificate['authority']} {self.plan['action']}",
            "state": certificate["state_name"],
            "before": state_text(certificate),
            "state_now": "unread" if self.acted and self.planned and self.after is None else self.now["state_name"],
            "since": (self.now["revocation"] or {}).get("date"),
            "now": state_text(self.now) if done else why,
            "note": f"still deployed at {len(places)} place{'' if len(places) == 1 else 's'}" if done and places and result != "released" else "",
            "workflow_id": self.kept.get("workflow_id") or self.plan.get("workflow_id"),
        }


def missing_row(entry: Json) -> dict[str, t.Any]:
    """What was named and cannot be acted on, because it is nothing that Command shows, or not one thing."""
    return {
        **dict.fromkeys(("id", "thumbprint", "serial", "common_name", "issuer", "not_after", "since", "workflow_id")),
        "name": entry["target"],
        "label": entry["target"],
        "where": "",
        "authority": "",
        "locations": [],
        "machines": [],
        "planned": False,
        "to_hold": False,
        "hold": False,
        "action": "none",
        "change": "none",
        "result": "missing",
        "outcome": "",
        "why": entry["why"],
        "kind_why": kind(entry["why"]),
        "kind": "",
        "state": "unread",
        "before": "not found",
        "state_now": "unread",
        "now": entry["why"],
        "note": "",
    }


def places(rows: t.Iterable[Json]) -> list[dict[str, t.Any]]:
    """On which machines certificates are deployed. One that is on two machines counts for both."""
    return groups(({"label": row["label"], "machine": machine} for row in rows for machine in row["machines"]), "machine", "label")


def grace(record: Json, seconds: int, now: str) -> dict[str, t.Any]:
    """For how long to wait before what is on hold is revoked for good. A hold that is older than that has had its time already."""
    moment = _moment(now) or datetime.datetime.now(datetime.timezone.utc)
    held = [row for row in record["certificates"] if row["planned"] and row["state_now"] == "on_hold"]
    left = [0]
    for row in held:
        since = None if row["to_hold"] else _moment(row["since"] or "")
        # The clock of the server may be another one, so a hold of this run gets all of the time, and none gets more.
        left.append(seconds if since is None else min(seconds, max(0, seconds - int((moment - since).total_seconds()))))
    until = moment + datetime.timedelta(seconds=max(left))
    return {"held": len(held), "seconds": max(left), "until": until.strftime("%Y-%m-%d %H:%M:%S UTC")}


def taken_back(record: Json, read_again: Json) -> str:
    """Why nothing may be revoked for good after the grace time: most of it has been released, so somebody takes it for a false alarm."""
    held = {row["thumbprint"] for row in record["certificates"] if row["planned"] and row["state_now"] == "on_hold"}
    now = [certificate for certificate in read_again.get("certificates") or [] if certificate["thumbprint"] in held]
    released = sum(certificate["state_name"] == "active" for certificate in now)
    if released * 2 <= len(held):
        return ""
    return f"{released} of the {len(held)} certificates on hold were released while the grace time ran, so none was revoked for good"


def _moment(said: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.strptime(said[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        return None


# -- record ------------------------------------------------------------------------------------------------------------------------------


def certificate_rows(selected: Json, plan: Json, done: Json, read_again: Json, own: Json, earlier: t.Any) -> list[dict[str, t.Any]]:
    """One row for each selected certificate, in the order in which they were found."""
    seen_again = {str(certificate["id"]): certificate for certificate in read_again.get("certificates") or []}
    held_earlier = {entry["thumbprint"] for entry in recorded(earlier)}
    rows = []
    # The module answers in the order in which it is asked.
    for certificate, target in zip(selected["certificates"], plan["targets"]):
        member = str(certificate["id"])
        course = Course(
            before=certificate,
            plan=target,
            wanted=own["state"],
            hold_first=own["hold_first"],
            held_earlier=certificate["thumbprint"] in held_earlier,
            acted=bool(done["waves"]),
            outcome=done["outcomes"].get(member, ""),
            message=done["messages"].get(member),
            kept=done["kept"].get(member, {}),
            after=seen_again.get(member),
        )
        rows.append(course.row())
    return rows + [missing_row(entry) for entry in selected["missing"]]


def record(
    selected: Json, plan: Json, done: Json, read_again: Json, *, options: Json, own: Json, earlier: t.Any, run: Json, words: Json, what: str, check_mode: bool
) -> dict[str, t.Any]:
    """The record of a run.

    :param earlier: the record that a run before has left in the place of this one, if any: after a kill it is that of the same work.
    """
    rows = certificate_rows(selected, plan, done, read_again, own, earlier)
    if own["hold_first"]:
        # Whoever approved a hold with a way back has not approved the same without.
        plan = {**plan, "plan_digest": "sha256:" + hashlib.sha256(f"hold_first {plan['plan_digest']}".encode()).hexdigest()}
    planned = [row for row in rows if row["planned"]]
    names = {row["label"]: all_names(certificate) for row, certificate in zip(rows, selected["certificates"]) if row["planned"]}
    deployed = [row for row in rows if row["result"] == "deployed"]
    bad = plan["summary"]["refused"] + plan["summary"]["failed"] + len(selected["missing"]) - len(deployed)
    return record_of(
        rows,
        plan,
        done,
        refused=_still_deployed(deployed, len(planned), options) + refusals(plan, options, names=names, bad=bad, selected=len(rows)),
        sections={
            "changes": groups(planned, "change", "label"),
            "places": places(planned + deployed),
            "authorities": groups(planned, "authority", "label"),
        },
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what=what,
        check_mode=check_mode,
    )


def _still_deployed(rows: t.Sequence[Json], planned: int, options: Json) -> list[dict[str, str]]:
    """The guard of this flow alone."""
    if not rows or not planned or options["continue_on_error"]:
        return []
    message = (
        f"{len(rows)} of the selected certificates are still deployed, such as {rows[0]['label']} at {rows[0]['locations'][0]}. Replace them there first. "
        f"To revoke them all the same, set {ROLE}_deployed=report; to act on the others only, {ROLE}_continue_on_error=true."
    )
    return [{"guard": "deployed", "message": message}]
