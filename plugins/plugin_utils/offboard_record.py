# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role offboard_client_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import ENDED, LIVE
from ansible_collections.certops.remediation.plugins.plugin_utils.client_list import selecting
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, groups, path, refusals, report_base, text, truth
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of

ROLE = "offboard_client_certificates"
# Words of the module cloudflare_client_cert that it has come to this certificate.
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
# What names a certificate in the record.
NAMED = ("id", "zone_id", "common_name")
# Texts that differ in one of these are of one kind.
IDENTIFIER = re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b|\b\d{4}-\d\d-\d\dT[0-9:.]+Z?|\b[0-9a-fA-F]{16,}\b|\bcf-ray \S+")
SAME_FOR_ALL = {"left": "has expired", "back": "is active although it was revoked"}


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    found = selecting(given, ROLE)
    found.update(
        state=text(given["state"]) or "revoked",
        expired=text(given["expired"]) or "leave",
        from_record=path(given["from_record"]),
        wait=truth(given["wait"], True),
        fail_if_let_through=truth(given["fail_if_let_through"], False),
    )
    back, recorded = found["state"] == "active", found["from_record"]
    own_record = report_base(given["report_path"]) + ".json"
    said = {
        f"Nothing says what is to be revoked. Set {ROLE}_owners, {ROLE}_devices, {ROLE}_certificates, {ROLE}_list_path or another one of the options that "
        "select": not found["ways"] and not recorded,
        f"{ROLE}_from_record says what to reactivate, so it goes with {ROLE}_state=active only": recorded and not back,
        f"{ROLE}_from_record cannot be combined with {ROLE}_{' and '.join(found['ways'])}": recorded and found["ways"],
        f"{ROLE}_state=active takes {ROLE}_from_record, {ROLE}_certificates or {ROLE}_list_path: a search would also find what was revoked for other "
        "reasons": back and found["searched"],
        f"{ROLE}_report_path would overwrite {ROLE}_from_record; give it another name": recorded and recorded == own_record,
    }
    return {**found, "complaints": found["complaints"] + [complaint for complaint, applies in said.items() if applies]}


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    names = ("state", "owners", "devices", "key_files", "key_sha256", "expires_within_days", "list_path", "from_record", "expired", "zone")
    return {**{name: found[name] for name in names}, "named_inline": bool(found["certificates"])}


def recorded(record: t.Any) -> list[dict[str, t.Any]]:
    """What earlier runs have revoked, by their record. What was revoked before them is not theirs to take back."""
    if not isinstance(record, t.Mapping) or record.get("flow") != ROLE:
        return []
    return [{name: entry[name] for name in NAMED} for entry in record["taken"]]


def to_take_back(record: t.Any) -> list[dict[str, t.Any]]:
    """``recorded``, for a run that is to take that back.

    :raises ValueError: it is the record of something else, or of nothing that could be taken back.
    """
    found = recorded(record)
    if not isinstance(record, t.Mapping) or record.get("flow") != ROLE:
        raise ValueError(f"{ROLE}_from_record is not the JSON record of a run of this role")
    if not found:
        raise ValueError(f"{ROLE}_from_record tells of nothing that its run has revoked, so there is nothing to take back")
    return found


# -- certificates ------------------------------------------------------------------------------------------------------------------------


def candidates(selected: Json, own: Json) -> list[dict[str, t.Any]]:
    """What the module is asked about: an expired certificate lets nobody in."""
    rows = [certificate for certificate in selected["certificates"] if own["state"] == "active" or own["expired"] == "act" or not certificate["expired"]]
    return [{name: certificate[name] for name in NAMED} for certificate in rows]


@dataclasses.dataclass(frozen=True)
class Course:
    """One certificate from its selection to what has become of it.

    :param plan: None where the role itself leaves it alone.
    :param wanted: ``revoked`` or ``active``.
    :param ours_earlier: whether the run whose record this one goes on with has revoked it.
    :param acted: whether there has been a wave.
    :param after: None if it was not read again.
    """

    before: Json
    plan: Json | None
    wanted: str
    ours_earlier: bool = False
    acted: bool = False
    outcome: str = ""
    message: str | None = None
    after: Json | None = None

    @property
    def planned(self) -> bool:
        return self.plan is not None and self.plan["outcome"] == "planned"

    @property
    def now(self) -> Json:
        return self.after or self.before

    def _is_so(self, status: str) -> bool:
        return status in (ENDED if self.wanted == "revoked" else LIVE)

    def result(self) -> str:
        """A key of the results in the role's vars/main/words.yml."""
        if self.plan is None:
            return "left"
        if self.planned:
            return self._result_of_planned() if self.acted else "planned"
        if not self._is_so(self.before["status"]):
            return "refused"
        if not self._is_so(self.now["status"]):
            return "back"
        return "unchanged" if self.now["status"] == self.wanted else "pending"

    def _result_of_planned(self) -> str:
        attempted = self.outcome in ATTEMPTED
        if self.after is None:
            return ("unknown" if self.outcome == "unknown" else "unread") if attempted else "not_attempted"
        # What Cloudflare shows now is stronger than what was said on the way.
        if self._is_so(self.after["status"]):
            done = self.wanted if attempted and self.outcome != "unchanged" else "unchanged"
            return done if self.after["status"] == self.wanted else "pending"
        if self.outcome in ("failed", "refused", "unknown"):
            return "unknown" if self.outcome == "unknown" else "failed"
        return "back" if attempted else "not_attempted"

    @property
    def ours(self) -> bool:
        """Whether a run that goes by this record may reactivate it."""
        if self.wanted != "revoked":
            return False
        if not self.planned:
            return self.ours_earlier and self.before["status"] in ENDED
        # Before the first wave it is what is going to be done: a run that is killed can be taken back as well.
        return not self.acted or (self.outcome in ("applied", "pending", "unknown") and self.now["status"] in ENDED or self.result() in ("unread", "unknown"))

    def why(self, result: str) -> str:
        if result == "left":
            return f"has expired on {self.before['expires_on'][:10]}"
        if result == "back":
            return f"is {self.now['status']} {'again' if self.wanted == 'revoked' else 'again, although it was reactivated'}"
        if result == "pending":
            return f"is {self.now['status']}"
        if not self.planned and self.plan:
            return str(self.plan["message"])
        return self.message or "" if self.acted else ""

    def row(self) -> dict[str, t.Any]:
        certificate, result = self.before, self.result()
        why = self.why(result)
        action = str(self.plan["action"]) if self.plan and self.planned else "none"
        status_now = "unread" if self.acted and self.planned and self.after is None else str(self.now["status"])
        until = f"can be reactivated until {certificate['expires_on'][:10]} at the latest" if status_now in ENDED and not certificate["expired"] else ""
        owner = certificate["organizational_unit"]
        name = certificate["common_name"] or certificate["fingerprint_sha256"]
        return {
            **{field: certificate[field] for field in ("id", "zone_id", "common_name", "organization", "organizational_unit", "serial_number")},
            **{field: certificate[field] for field in ("fingerprint_sha256", "public_key_sha256", "issued_on", "expires_on", "expired")},
            "name": name,
            "label": f"{name} ({certificate['id']})",
            "owner": owner or "no organizational unit",
            "where": f"{owner + ', ' if owner else ''}{certificate['id']}",
            "planned": self.planned,
            "ours": self.ours,
            "action": action,
            "result": result,
            "outcome": self.outcome,
            "why": why,
            "kind_why": SAME_FOR_ALL.get(result) or IDENTIFIER.sub("*", why),
            "kind": f"{owner} {action}",
            "before": f"{certificate['status']}{', expired' if certificate['expired'] else ''}",
            "status": certificate["status"],
            "status_now": status_now,
            "now": why if result not in ("revoked", "active", "unchanged") and why else status_now,
            "note": until if self.wanted == "revoked" and (self.planned or self.ours) else "",
        }


def missing_row(entry: Json) -> dict[str, t.Any]:
    """What was asked for and is nothing that the zone has."""
    fields = (
        "id", "zone_id", "common_name", "organization", "organizational_unit", "serial_number", "fingerprint_sha256", "public_key_sha256", "issued_on",
        "expires_on", "expired",
    )
    return {
        **dict.fromkeys(fields),
        **dict.fromkeys(("where", "owner", "outcome", "kind", "note"), ""),
        **dict.fromkeys(("planned", "ours"), False),
        "name": entry["target"],
        "label": entry["target"],
        "action": "none",
        "result": "missing",
        "why": entry["why"],
        "kind_why": IDENTIFIER.sub("*", entry["why"]),
        "before": "not found",
        "status": "unread",
        "status_now": "unread",
        "now": entry["why"],
    }


def certificate_rows(selected: Json, plan: Json, done: Json, read_again: Json, own: Json, earlier: t.Any) -> list[dict[str, t.Any]]:
    """One row for each selected certificate, in the order in which they were found."""
    # The module answers in the order in which it is asked.
    plans = {certificate["id"]: target for certificate, target in zip(candidates(selected, own), plan["targets"])}
    seen_again = {certificate["id"]: certificate for certificate in read_again.get("certificates") or []}
    ours_earlier = {entry["id"] for entry in recorded(earlier)}
    rows = []
    for certificate in selected["certificates"]:
        number = certificate["id"]
        course = Course(
            before=certificate,
            plan=plans.get(number),
            wanted=own["state"],
            ours_earlier=number in ours_earlier,
            acted=bool(done["waves"]),
            outcome=done["outcomes"].get(number, ""),
            message=done["messages"].get(number),
            after=seen_again.get(number),
        )
        rows.append(course.row())
    return rows + [missing_row(entry) for entry in selected["missing"]]


# -- record ------------------------------------------------------------------------------------------------------------------------------


def let_through(rows: t.Sequence[Json], firewall: Json, words: Json) -> dict[str, t.Any] | None:
    """What is revoked and is let through all the same, as the first of the open groups; None where a rule is seen to block it."""
    gone = [row["label"] for row in rows if row["status_now"] in ENDED and not row["expired"]]
    if not gone or not firewall or firewall["blocks_revoked"]:
        return None
    said = words["unclear" if firewall["blocks_revoked"] is None else "let_through"]
    return {"rank": 0, "result": "let_through", **said, "text": firewall["message"], "count": len(gone), "examples": gone[:3]}


def record(
    selected: Json, plan: Json, done: Json, read_again: Json, *, options: Json, own: Json, earlier: t.Any, run: Json, words: Json, what: str, check_mode: bool
) -> dict[str, t.Any]:
    """The record of a run.

    :param earlier: the record that a run before has left in the place of this one, if any: after a kill it is that of the same work.
    """
    rows = certificate_rows(selected, plan, done, read_again, own, earlier)
    planned = [row for row in rows if row["planned"]]
    fields = ("common_name", "organization", "organizational_unit", "fingerprint_sha256", "serial_number", "id")
    names = {row["label"]: [str(row[field]) for field in fields] for row in planned}
    bad = sum(row["result"] in ("refused", "missing") for row in rows)
    refused = refusals(plan, options, names=names, bad=bad, selected=len(rows))
    if check_mode or refused:
        # What is only planned is not done, and nothing to be taken back.
        rows = [{**row, "ours": row["ours"] and not row["planned"]} for row in rows]
    made = record_of(
        rows,
        plan,
        done,
        refused=refused,
        sections={
            "owners": groups(planned, "owner", "label"),
            "statuses": groups([row for row in rows if row["result"] != "missing"], "before", "label"),
        },
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what=what,
        check_mode=check_mode,
    )
    firewall = read_again.get("firewall") or selected["firewall"]
    # Another run with another selection may write its record in the place of this one.
    seen = {row["id"] for row in rows}
    taken = [entry for entry in recorded(earlier) if entry["id"] not in seen] + [row for row in rows if row["ours"]]
    made.update(taken=[{name: entry[name] for name in NAMED} for entry in taken])
    made.update(zone_id=selected["zone_id"], firewall=firewall, hostnames=selected["hostnames"])
    # As long as a plan is only a plan, its notes say this.
    passing = let_through(rows, firewall, words) if own["state"] == "revoked" and (done["waves"] or not planned) else None
    if passing:
        made["open"].insert(0, passing)
        made["headline"] += f", and {passing['short']}"
        made["tone"] = "bad" if passing["tone"] == "bad" or made["tone"] == "bad" else "wait"
    made["results"]["let_through"] = passing["count"] if passing else 0
    return made
