# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role rotate_client_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import ENDED, LIVE
from ansible_collections.certops.remediation.plugins.plugin_utils.client_list import selecting
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, bad_numbers, entries, groups, path, refusals, text, truth
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of
from ansible_collections.certops.remediation.plugins.plugin_utils.incident_list import decode
from ansible_collections.certops.remediation.plugins.plugin_utils.offboard_record import IDENTIFIER
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import duration, moment

ROLE = "rotate_client_certificates"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# For how long Cloudflare's list may lack a new certificate: a minute has been seen by others against the live service.
LIST_LAG_SECONDS = 75
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
FINGERPRINT = re.compile("(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])")
FIELDS = ("common_name", "organization", "organizational_unit", "serial_number", "fingerprint_sha256", "public_key_sha256", "expires_on", "zone_id")
# How certificate_request calls what Cloudflare shows of a subject.
SUBJECT = {
    "common_name": "common_name",
    "organization": "organization",
    "organizational_unit": "organizational_unit",
    "country": "country",
    "state": "state_or_province",
    "location": "locality",
}


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    found = selecting(given, ROLE)
    found.update({name: path(given[name]) for name in ("folder", "deliver_tasks", "verify_tasks", "seen_path")})
    found.update(
        key_type=text(given["key_type"]) or "rsa-2048",
        validity_days=text(given["validity_days"]),
        overlap=text(given["overlap"]) or "7d",
        wait_for_overlap=truth(given["wait_for_overlap"], False),
        seen=" ".join(str(entry) for entry in entries(given["seen"])),
    )
    found["overlap_seconds"] = _seconds(found["overlap"])
    within, days = found["expires_within_days"], found["validity_days"]
    narrow = [name for name in found["searched"] if name in ("devices", "owners")]
    lasting = any(name in found["searched"] for name in ("expires_within_days", "key_files", "key_sha256"))
    said = {
        f"Nothing says what is to be rotated. Set {ROLE}_expires_within_days, {ROLE}_certificates, {ROLE}_list_path or another one of the options that "
        "select": not found["ways"],
        f"{ROLE}_{' and '.join(narrow)} alone would also find what was rotated before. Set {ROLE}_expires_within_days as well, or name the certificates": (
            narrow and not lasting
        ),
        f"{ROLE}_folder says where the new keys are to be kept; it is needed": not found["folder"],
        f"{ROLE}_overlap is a number with a unit, such as 30m, 12h or 7d": found["overlap_seconds"] is None,
        f"{ROLE}_validity_days must be more than {ROLE}_expires_within_days, or the new certificates would be rotated again": (
            days.isdecimal() and within.isdecimal() and int(days) <= int(within)
        ),
    }
    complaints = found["complaints"] + bad_numbers(ROLE, {"validity_days": days})
    return {**found, "complaints": complaints + [complaint for complaint, applies in said.items() if applies]}


def _seconds(said: str) -> int | None:
    matched = re.fullmatch(r"(\d+)\s*([smhd])?", said.lower())
    # Without a unit only nothing is clear.
    return int(matched[1]) * UNITS[matched[2] or "s"] if matched and (matched[2] or not int(matched[1])) else None


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    names = (
        "expires_within_days", "owners", "devices", "key_files", "key_sha256", "list_path", "zone", "folder", "key_type", "validity_days", "overlap",
        "deliver_tasks", "verify_tasks", "seen_path",
    )
    return {**{name: found[name] for name in names}, "named_inline": bool(found["certificates"])}


def reported(own: Json, files: t.Sequence[Json]) -> dict[str, t.Any]:
    """Under ``fingerprints``, those of certificates that clients are seen to use; None when nobody reports any.

    Within a mapping, because before ansible-core 2.19 a template that gives nothing but None gives an empty string, which would say that none is in use.
    """
    if not own["seen"] and not own["seen_path"]:
        return {"fingerprints": None}
    told = " ".join([own["seen"], *(decode(file["content"]) for file in files if file["path"] == own["seen_path"])])
    return {"fingerprints": sorted({found.lower().replace(":", "") for found in FINGERPRINT.findall(told)})}


# -- what there is -----------------------------------------------------------------------------------------------------------------------


def selection(selected: Json, ledger: Json, own: Json) -> dict[str, t.Any]:
    """Without the certificates that the runs before have made, unless their own end has come.

    :param ledger: by the id of the old certificate, what earlier runs with this folder have come to: ``key``, ``asked`` (when), ``new`` (its id) and
        ``delivered`` (when).
    """
    made = set() if own["expires_within_days"] else {kept["key"] for kept in ledger.values()}
    return {**selected, "certificates": [entry for entry in selected["certificates"] if entry["public_key_sha256"] not in made]}


def unfinished(asked: Json, ledger: Json, own: Json) -> dict[str, t.Any]:
    """What is asked, with the rotations that still lack their hand-over: an old certificate that has expired meanwhile ends within no number of days."""
    waiting = [number for number, kept in ledger.items() if not kept["delivered"]] if own["expires_within_days"] and own["deliver_tasks"] else []
    return {**asked, "questions": [*asked["questions"], *([{"certificates": waiting}] if waiting else [])]}


def files(folder: str, certificate: Json) -> dict[str, str]:
    """Where everything of a rotation is kept. The id of the old certificate keeps two of one name apart, and two rotations of one client."""
    stem = f"{folder}/{re.sub('[^A-Za-z0-9.-]', '_', certificate['common_name'])[:64] or 'client'}.{certificate['id']}"
    return {"key_path": f"{stem}.key", "csr_path": f"{stem}.csr", "certificate_path": f"{stem}.crt"}


def requests(certificates: t.Sequence[Json], own: Json) -> list[dict[str, t.Any]]:
    """For the module certificate_request: the same subject, another key."""
    made = []
    for certificate in certificates:
        subject = {option: certificate[field] for field, option in SUBJECT.items() if certificate[field]}
        place = files(own["folder"], certificate)
        old_key = certificate["public_key_sha256"]
        made.append({
            **subject,
            "common_name_in_san": False,
            "path": place["key_path"],
            "csr_path": place["csr_path"],
            **({"retired_keys": [old_key]} if old_key else {}),
        })
    return made


def settling(ledger: Json, now: str) -> int:
    """For how many seconds a create of a run that was killed may still be missing from Cloudflare's list."""
    asked = [moment(kept["asked"]) for kept in ledger.values() if not kept["new"]]
    present = _moment(now)
    return max([0, *(LIST_LAG_SECONDS - int((present - begun).total_seconds()) for begun in asked if begun)])


def candidates(selected: Json, keys: Json, listed: Json, ledger: Json, own: Json) -> dict[str, t.Any]:
    """What is known of each rotation before the module is asked, and as ``request`` what it is asked.

    :param keys: the result of certificate_request in check mode.
    :param listed: the zone's certificates with one of the keys in the folder, or of the old certificates.
    """
    found = []
    for certificate, made in zip(selected["certificates"], keys["requests"]):
        kept = ledger.get(certificate["id"], {})
        key = made["public_key_sha256"] if made["csr"] else ""
        place = files(own["folder"], certificate)
        days = int(own["validity_days"] or certificate["validity_days"] or 0)
        known = [entry for entry in listed["certificates"] if key and entry["public_key_sha256"] == key]
        new = _newest(known)
        # What the list does not show although it was created must not be asked for: another one would be made.
        unlisted = bool(kept.get("new")) and kept.get("key") == key and not known
        found.append({
            "old": certificate,
            **place,
            "key": key,
            "validity_days": days,
            "kept": kept if kept.get("key") == key and key else {},
            "unlisted": unlisted,
            "problem": _problem(certificate, made, known, new, days, own),
            "request": {"csr": made["csr"], "validity_days": days, "certificate_path": place["certificate_path"]} if key and not unlisted else None,
        })
        if found[-1]["problem"]:
            found[-1]["request"] = None
    return {**selected, "rotations": found, "listed": listed["certificates"]}


def _newest(certificates: t.Iterable[Json], statuses: t.Collection[str] = LIVE) -> Json | None:
    good = [entry for entry in certificates if entry["status"] in statuses and not entry["expired"]]
    return max(good, key=lambda entry: str(entry["expires_on"]), default=None)


def _problem(old: Json, made: Json, known: t.Sequence[Json], new: Json | None, days: int, own: Json) -> str:
    """Why it cannot be rotated at all; empty where it can."""
    if made["outcome"] in ("refused", "failed"):
        return str(made["message"])
    if known and not new:
        return f"its new certificate {known[0]['id']} is {known[0]['status']} or has expired; remove key and CSR of it from the folder to make another one"
    if old["status"] not in LIVE and not new:
        return f"is {old['status']}, so there is nothing to rotate"
    if not days:
        return f"does not tell for how many days it was made; set {ROLE}_validity_days"
    if own["expires_within_days"] and days <= int(own["expires_within_days"]):
        return f"is made for {days} days, which are not more than {ROLE}_expires_within_days; set {ROLE}_validity_days"
    return ""


# -- one rotation ------------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class State:
    """What is common to all rotations of a run at one moment of it.

    :param acted: whether the run has got to acting.
    :param certificates: the zone's certificates, as they were read last; None where that has failed.
    :param delivered: by id of the old certificate, when it was handed over in this run.
    :param failed: likewise, by which task a hand-over or a verification has failed.
    :param verified: those that the tasks of the user have verified in this run.
    :param reported: fingerprints that clients are seen to use; None when nobody reports any.
    """

    own: Json
    now: datetime.datetime
    acted: bool
    done: Json
    certificates: t.Sequence[Json] | None
    delivered: Json
    failed: Json
    verified: t.Collection[str]
    reported: t.Collection[str] | None


@dataclasses.dataclass(frozen=True)
class Course:
    """The rotation of one certificate, from the plan to what has become of it.

    :param plan: what the module says in check mode; None where it was not asked.
    :param key: of the new certificate; empty as long as there is none.
    :param steps: what this run is to do, as it was seen before it began.
    """

    entry: Json
    plan: Json | None
    key: str
    state: State
    steps: t.Sequence[str] = ()

    @property
    def number(self) -> str:
        return str(self.entry["old"]["id"])

    @property
    def old(self) -> Json:
        """As it was seen last."""
        return next((entry for entry in self.state.certificates or () if entry["id"] == self.number), t.cast(Json, self.entry["old"]))

    @property
    def new(self) -> Json | None:
        """Seen active in the list."""
        same = [entry for entry in self.state.certificates or () if self.key and entry["public_key_sha256"] == self.key and entry["id"] != self.number]
        return _newest(same, ("active",))

    @property
    def revoked_meanwhile(self) -> Json | None:
        """The new certificate, when somebody has revoked it before the old one was."""
        same = [entry for entry in self.state.certificates or () if self.key and entry["public_key_sha256"] == self.key and entry["id"] != self.number]
        return _newest(same, ENDED) if self.new is None else None

    @property
    def problem(self) -> str:
        if self.entry["problem"]:
            return str(self.entry["problem"])
        return str(self.plan["message"]) if self.plan and self.plan["outcome"] in ("refused", "failed") else ""

    @property
    def to_make(self) -> bool:
        """Whether its certificate has to be created, or written to its file."""
        if self.problem or self.entry["unlisted"]:
            return False
        return self.plan is None or self.plan["outcome"] == "planned"

    # -- what stands between the new certificate and the end of the old one --------------------------------------------------------

    @property
    def delivered(self) -> str:
        """When it was handed over; empty where it was not."""
        return str(self.state.delivered.get(self.number) or self.entry["kept"].get("delivered") or "")

    @property
    def to_deliver(self) -> bool:
        return bool(self.state.own["deliver_tasks"]) and not self.delivered

    @property
    def seen(self) -> bool:
        return self.new is not None and self.new["fingerprint_sha256"] in (self.state.reported or ())

    @property
    def due(self) -> datetime.datetime:
        """From when on the old one may go."""
        begun = moment(self.delivered or str((self.new or {}).get("issued_on") or "")) or self.state.now
        return begun + datetime.timedelta(seconds=self.state.own["overlap_seconds"])

    @property
    def remaining(self) -> float:
        return max(0.0, (self.due - self.state.now).total_seconds())

    def obstacle(self, *, verifying: bool) -> str:
        """Why the old one must stay, as a key of the results; empty where it may go.

        :param verifying: whether the tasks that verify are still to be run.
        """
        own, state = self.state.own, self.state
        if self.new is None:
            return "unlisted"
        if self.to_deliver:
            return "not_delivered"
        if not (self.delivered or own["verify_tasks"] or state.reported is not None):
            return "unconfirmed"
        if self.remaining:
            return "overlap"
        if state.reported is not None and not self.seen:
            return "unseen"
        if own["verify_tasks"] and self.number not in state.verified and not verifying:
            return "not_verified"
        return ""

    @property
    def to_verify(self) -> bool:
        return self.open and not self.obstacle(verifying=True) and bool(self.state.own["verify_tasks"])

    @property
    def to_revoke(self) -> bool:
        return self.open and not self.obstacle(verifying=False)

    @property
    def open(self) -> bool:
        """Whether the old one is still good, and nothing speaks against going on."""
        return not self.problem and self.old["status"] in LIVE

    # -- plan ----------------------------------------------------------------------------------------------------------------------

    def planned(self) -> list[str]:
        """What a run is to do that begins with this."""
        own = self.state.own
        if self.problem or self.entry["unlisted"]:
            return []
        steps = []
        if self.to_make:
            steps.append("create a new one" if self.plan is None or str(self.plan["action"]).startswith("create") else "write its file")
        if self.to_deliver and (self.to_make or self.new):
            steps.append("hand it over")
        if not self.open:
            return steps
        before = "verify, " if own["verify_tasks"] else ""
        fresh = bool(steps)
        confirmable = self.delivered or own["deliver_tasks"] or own["verify_tasks"] or self.state.reported is not None
        in_time = own["wait_for_overlap"] or (not own["overlap_seconds"] if fresh else not self.remaining)
        if confirmable and in_time and (fresh or self.state.reported is None or self.seen):
            steps.append(f"{before}revoke the old one")
        return steps

    # -- result --------------------------------------------------------------------------------------------------------------------

    def outcome(self, phase: str) -> str:
        return str(self.state.done["outcomes"].get(f"{phase}:{self.number}", ""))

    def result(self) -> str:
        """A key of the results in the role's vars/main/words.yml."""
        if self.problem:
            return "refused"
        if self.steps and not self.state.acted:
            return "planned"
        made = self.outcome("create")
        if made in ("failed", "refused", "unknown"):
            return "unknown" if made == "unknown" else "failed"
        if self.state.certificates is None:
            return "unread"
        if self.revoked_meanwhile:
            return "failed"
        if self.new is None:
            return "unlisted" if made in ATTEMPTED or self.entry["unlisted"] else "not_attempted"
        if self.old["status"] in ENDED:
            return "rotated" if self.outcome("revoke") in ("applied", "pending", "unknown") else "unchanged"
        revoked = self.outcome("revoke")
        if revoked in ("failed", "refused", "unknown"):
            return "unknown" if revoked == "unknown" else "failed"
        obstacle = self.obstacle(verifying=False)
        if obstacle in ("not_delivered", "not_verified") and self.number not in self.state.failed:
            return "not_attempted"
        return obstacle or "not_attempted"

    def why(self, result: str) -> str:
        said = self.state.done["messages"].get(f"revoke:{self.number}") or self.state.done["messages"].get(f"create:{self.number}") or ""
        if self.problem:
            return self.problem
        if result == "failed" and self.revoked_meanwhile:
            return f"somebody has revoked its new certificate {self.revoked_meanwhile['id']}; the old one stays active"
        if result in ("not_delivered", "not_verified"):
            return f"the task {self.state.failed[self.number]!r} failed"
        return {
            "overlap": f"both are active until {self.due.strftime('%Y-%m-%d %H:%M UTC')}, for {duration(self.remaining)} more",
            "unseen": "the new one is not among the fingerprints that were reported",
            "unconfirmed": "nobody has confirmed that the client has the new one",
            "unlisted": "was created, and Cloudflare does not list it as active yet",
        }.get(result, str(said))


def course_row(course: Course) -> dict[str, t.Any]:
    old, new = course.old, course.new or {}
    result = course.result()
    why = course.why(result)
    name = old["common_name"] or old["fingerprint_sha256"]
    owner = old["organizational_unit"]
    action = ", ".join(course.steps) or "none"
    return {
        **{field: old[field] for field in FIELDS},
        "id": course.number,
        "name": name,
        "label": f"{name} ({course.number})",
        "owner": owner or "no organizational unit",
        "where": f"{owner + ', ' if owner else ''}{course.number}",
        **{field: course.entry[field] for field in ("key_path", "csr_path", "certificate_path", "validity_days")},
        "new_id": new.get("id") or course.state.done["kept"].get(f"create:{course.number}", {}).get("id") or course.entry["kept"].get("new") or "",
        "new_key": course.key,
        "new_fingerprint_sha256": new.get("fingerprint_sha256") or "",
        "new_serial_number": new.get("serial_number") or "",
        "new_expires_on": new.get("expires_on") or "",
        "asked": course.entry["kept"].get("asked") or "",
        "delivered": course.delivered,
        "planned": bool(course.steps),
        "create_member": f"create:{course.number}",
        "revoke_member": f"revoke:{course.number}",
        "to_make": bool(course.steps) and course.to_make,
        "to_deliver": course.to_deliver and course.new is not None and not course.problem,
        "to_verify": course.to_verify,
        "to_revoke": course.to_revoke,
        "remaining": int(course.remaining) + 1 if course.open and course.obstacle(verifying=True) == "overlap" else 0,
        "new": bool(course.outcome("create") == "applied"),
        "action": action,
        "result": result,
        "why": why,
        "kind_why": f"both are active until {course.due.strftime('%Y-%m-%d')}" if result == "overlap" else IDENTIFIER.sub("*", why),
        "kind": f"{owner} {action}",
        "status": old["status"],
        "before": f"{course.entry['old']['status']}, ends on {old['expires_on'][:10]}",
        "now": f"{new.get('id')}, ends on {str(new.get('expires_on'))[:10]}" if result in ("rotated", "unchanged") else why or action,
        "note": f"new: {new['id']}, ends on {new['expires_on'][:10]}" if new and result not in ("rotated", "unchanged") else "",
    }


def missing_row(entry: Json, fields: t.Iterable[str]) -> dict[str, t.Any]:
    """What was asked for and is nothing that the zone has."""
    return {
        **dict.fromkeys(fields, ""),
        **dict.fromkeys(("planned", "to_make", "to_deliver", "to_verify", "to_revoke", "new"), False),
        "remaining": 0,
        "validity_days": 0,
        "name": entry["target"],
        "label": entry["target"],
        "action": "none",
        "result": "missing",
        "why": entry["why"],
        "kind_why": IDENTIFIER.sub("*", entry["why"]),
        "status": "unread",
        "before": "not found",
        "now": entry["why"],
    }


# -- ledger ------------------------------------------------------------------------------------------------------------------------------


def ledger_of(ledger: Json, rows: t.Sequence[Json], made: Json, now: str) -> dict[str, t.Any]:
    """What is kept in the folder for the runs to come.

    :param made: the keys that were just made, by the path of the private key; their certificates are going to be asked for now.
    """
    keys = {entry["path"]: entry["public_key_sha256"] for entry in made.get("requests") or []}
    kept = dict(ledger)
    for row in rows:
        key = keys.get(row["key_path"]) or row["new_key"]
        if key:
            asked = now if row["key_path"] in keys and not row["new_id"] else row["asked"] or kept.get(row["id"], {}).get("asked", "")
            kept[row["id"]] = {"common_name": row["common_name"], "key": key, "asked": asked, "new": row["new_id"], "delivered": row["delivered"]}
    return kept


# -- record ------------------------------------------------------------------------------------------------------------------------------


def digest(url: str, rows: t.Sequence[Json], own: Json) -> str:
    """A fingerprint of which certificates are to be rotated, and how.

    Not that of the module, which is about keys: in a first check there are none. What is under way or done stays part of it, so that a run that was
    killed, and the one after the overlap, go on with the approval that they had.
    """
    steps = sorted([row["id"], row["common_name"], row["validity_days"]] for row in rows if row["result"] not in ("refused", "missing"))
    wishes = {name: own[name] for name in ("key_type", "overlap", "deliver_tasks", "verify_tasks")}
    return "sha256:" + hashlib.sha256(json.dumps([ROLE, url, steps, wishes], separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def _moment(said: str) -> datetime.datetime:
    return moment(said) or datetime.datetime.now(datetime.timezone.utc)


def record(
    chosen: Json,
    plan: Json,
    done: Json,
    made: Json,
    hooks: Json,
    read_again: Json,
    *,
    reported: t.Sequence[str] | None,
    acted: bool,
    options: Json,
    own: Json,
    run: Json,
    words: Json,
    what: str,
    check_mode: bool,
) -> dict[str, t.Any]:
    """The record of a run.

    :param chosen: what ``candidates`` gives.
    :param made: the result of certificate_request for the keys that were missing.
    :param hooks: what the tasks of the user have come to: ``delivered``, ``failed`` and ``verified``.
    :param read_again: the certificates as they were read last; before the first wave those that were read for the plan.
    :param acted: whether the run has got to acting.
    """
    keys = {entry["path"]: entry["public_key_sha256"] for entry in made.get("requests") or []}
    plans = iter(plan["targets"])
    seen = read_again.get("certificates")
    before = State(own, _moment(run["started"]), False, {"outcomes": {}, "messages": {}, "kept": {}}, chosen["listed"], {}, {}, (), reported)
    state = State(own, _moment(run["ended"]), acted, done, seen, hooks["delivered"], hooks["failed"], hooks["verified"], reported)
    rows: list[dict[str, t.Any]] = []
    for entry in chosen["rotations"]:
        target = next(plans) if entry["request"] else None
        # What was planned does not change by what has been done of it.
        steps = Course(entry, target, entry["key"], before).planned()
        rows.append(course_row(Course(entry, target, keys.get(entry["key_path"]) or entry["key"], state, steps)))
    fields = tuple(rows[0]) if rows else ("id", "where", "kind", "owner", "note", "common_name")
    rows += [missing_row(entry, fields) for entry in chosen["missing"]]
    planned = [row for row in rows if row["planned"]]
    made_plan = {**plan, "plan_digest": digest(plan.get("url") or "", rows, own)}
    names = {row["label"]: [str(row[field]) for field in ("common_name", "organization", "organizational_unit", "fingerprint_sha256", "id")] for row in planned}
    bad = sum(row["result"] in ("refused", "missing") for row in rows)
    return record_of(
        rows,
        made_plan,
        done,
        refused=refusals(made_plan, options, names=names, bad=bad, selected=len(rows)),
        sections={"changes": groups(planned, "action", "label"), "owners": groups(planned, "owner", "label")},
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what=what,
        check_mode=check_mode,
    )
