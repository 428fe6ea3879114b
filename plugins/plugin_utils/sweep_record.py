# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role sweep_pending knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import hashlib
import json
import os
import re
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, entries, text, truth
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import duration, moment
from ansible_collections.certops.remediation.plugins.plugin_utils.platforms import NAMES, chosen

ROLE = "sweep_pending"
UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
# What waits on an order of DigiCert, in words.
ASKED = {"reissue": "a reissue", "duplicate": "a duplicate", "revoke": "a revocation", "new_request": "a new order"}
UNKNOWN = "unknown since"


# -- options -----------------------------------------------------------------------------------------------------------------------------


def seconds(said: str) -> int | None:
    """A duration such as 36h, 3d or 2w; None if it is none. Without a unit only nothing is clear."""
    found = re.fullmatch(r"(\d{1,6})\s*([mhdw])?", said.lower())
    return int(found[1]) * UNITS[found[2] or "m"] if found and (found[2] or not int(found[1])) else None


def options(given: Json, environment: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    asked, complaints = chosen(given["platforms"], os.environ if environment is None else environment, ROLE)
    older = text(given["older_than"])
    age = seconds(older) if older else 0
    if age is None:
        complaints.append(f"{ROLE}_older_than is a number with a unit, such as 36h, 3d or 2w")
    return {
        "platforms": asked,
        "tpp_folder": text(given["tpp_folder"]),
        "tpp_stuck": truth(given["tpp_stuck"], False),
        "zones": [str(zone) for zone in entries(given["zones"])] or [""],
        "older_than": older,
        "older_than_seconds": age or 0,
        "fail_if_unreachable": truth(given["fail_if_unreachable"], False),
        "complaints": complaints,
    }


def settings(own: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    return {
        "platforms": [NAMES[name] for name in own["platforms"]],
        "zones": [zone for zone in own["zones"] if zone],
        **{name: own[name] for name in ("tpp_folder", "tpp_stuck", "older_than")},
    }


# -- what waits --------------------------------------------------------------------------------------------------------------------------


def waiting(platform: str, found: Json) -> list[dict[str, t.Any]]:
    """What waits on one platform, by the result of its module: name, id, result, what is said, since when, and who is known to have a part in it."""
    return {"tpp": _tpp, "keyfactor": _keyfactor, "digicert": _digicert, "cloudflare": _cloudflare}[platform](found)


def _tpp(found: Json) -> list[dict[str, t.Any]]:
    rows = []
    for entry in found["certificates"]:
        if "in_error" in (found.get("asked") or ""):
            rows.append(_row(entry, entry["dn"], entry["name"], "stuck", "processing is in error"))
        elif "in_process" in (found.get("asked") or ""):
            rows.append(_row(entry, entry["dn"], entry["name"], "running", "processing goes on, or waits"))
        else:
            tickets = entry.get("tickets") or []
            since = min((ticket["since"] for ticket in tickets if ticket["since"]), default=None)
            approvers = list(dict.fromkeys(approver for ticket in tickets for approver in ticket["approvers"]))
            rows.append(_row(entry, entry["dn"], entry["name"], "approval", "its renewal waits for the approval of a workflow ticket", since, approvers))
    return rows


def _keyfactor(found: Json) -> list[dict[str, t.Any]]:
    rows = []
    for entry in found["certificates"]:
        workflow = entry["workflow"] or {}
        what = f"its revocation ({workflow.get('reason_name') or 'no reason'}) waits for the approval of a workflow instance"
        name = entry["common_name"] or entry["thumbprint"]
        rows.append(_row(entry, f"id {entry['id']}, workflow instance {entry['workflow_id']}", name, "approval", what, workflow.get("since"), [],
                         ", ".join(part for part in (workflow.get("title"), workflow.get("message")) if part)))
    return rows


def _digicert(found: Json) -> list[dict[str, t.Any]]:
    rows = []
    for order in found["orders"]:
        for entry in order["pending"] or []:
            what = ASKED.get(entry["type"], f"a request ({entry['type']})")
            approval = entry["waits_for"] == "approval"
            where = f"order {order['order_id']}" + (f", request {entry['request_id']}" if entry["request_id"] else "")
            says = f"{what} waits for the approval of a request" if approval else f"{what} waits for validation or for the issue"
            asked = f"asked for by {entry['who']}" if entry["who"] else ""
            rows.append(_row(order, where, order["common_name"], "approval" if approval else "validation", says, entry["since"], [], asked))
    return rows


def _cloudflare(found: Json) -> list[dict[str, t.Any]]:
    # Cloudflare does not say when a status began.
    return [
        _row(entry, f"zone {entry['zone_id']}, {entry['id']}", entry["common_name"] or entry["fingerprint_sha256"], "running", f"is {entry['status']}")
        for entry in found["certificates"]
    ]


def _row(entry: Json, where: str, name: str, result: str, says: str, since: str | None = None, whose: t.Sequence[str] = (), note: str = "") -> dict[str, t.Any]:
    known = ("dn", "guid", "id", "thumbprint", "serial", "order_id", "fingerprint_sha256", "zone_id")
    return {
        "name": name,
        "where": where,
        "result": result,
        "says": says,
        "since": since,
        "approvers": list(whose),
        "note": note,
        **{field: entry[field] for field in known if field in entry},
    }


# -- record ------------------------------------------------------------------------------------------------------------------------------


def rows_of(answers: t.Sequence[Json], own: Json, now: str) -> tuple[list[dict[str, t.Any]], dict[str, dict[str, t.Any]]]:
    """A row for all that waits, the oldest first and what has no known age last; and by platform whether it was asked and what that took.

    :param answers: the results of the modules, each with its ``platform``.
    """
    present = moment(now)
    platforms: dict[str, dict[str, t.Any]] = {name: {"asked": name in own["platforms"], "error": "", "requests": 0, "waiting": 0} for name in NAMES}
    rows: dict[tuple[str, str, str], dict[str, t.Any]] = {}
    for answer in answers:
        platform = answer["platform"]
        state = platforms[platform]
        state["requests"] += (answer.get("http") or {}).get("requests", 0)
        if answer.get("failed") or ("certificates" not in answer and "orders" not in answer):
            state["error"] = str(answer.get("msg") or "the task ended without a result")
            continue
        for row in waiting(platform, answer):
            # What waits for a ticket is in process as well.
            rows.setdefault((platform, row["where"], row["says"] if platform != "tpp" else ""), {**row, "platform": platform})
    found = [_aged(row, own, present) for row in rows.values()]
    for row in found:
        platforms[row["platform"]]["waiting"] += row["result"] != "left"
    found.sort(key=lambda row: (row["age_seconds"] is None, -(row["age_seconds"] or 0), row["platform"], row["label"]))
    return [_unreachable(name, state["error"]) for name, state in platforms.items() if state["error"]] + found, platforms


def _aged(row: dict[str, t.Any], own: Json, present: t.Any) -> dict[str, t.Any]:
    begun = moment(row["since"] or "")
    age = int(max(0.0, (present - begun).total_seconds())) if begun and present else None
    told = UNKNOWN if age is None else f"for {duration(age)}, since {row['since'][:16].replace('T', ' ')}"
    young = age is not None and age < own["older_than_seconds"]
    kind = f"{NAMES[row['platform']]}: {row['says']}"
    return {
        **row,
        "label": f"{row['name']} ({row['where']})",
        "age_seconds": age,
        "age": "?" if age is None else duration(age),
        "planned": False,
        "result": "left" if young else row["result"],
        "kind": row["result"],
        "why": f"waits for less than {own['older_than']}" if young else row["says"],
        "kind_why": f"waits for less than {own['older_than']}" if young else kind,
        "place": f"{NAMES[row['platform']]}, {row['where']}",
        "before": told,
        "now": row["says"],
        "note": "; ".join(part for part in (row["note"], f"approvers: {', '.join(row['approvers'])}" if row["approvers"] else "") if part),
    }


def _unreachable(platform: str, error: str) -> dict[str, t.Any]:
    name = NAMES[platform]
    return {
        "platform": platform, "name": name, "label": name, "where": "", "place": "", "since": None, "age_seconds": None, "age": "", "approvers": [],
        "planned": False, "result": "unreachable", "kind": "unreachable", "says": error, "why": error, "kind_why": f"{name}: {error}", "before": "not read",
        "now": error, "note": "",
    }


def headline(rows: t.Sequence[Json], platforms: Json) -> str:
    """The run in one line."""
    asked = [name for name, state in platforms.items() if state["asked"] and not state["error"]]
    missing = [NAMES[name] for name, state in platforms.items() if state["error"]]
    open_rows = [row for row in rows if row["result"] not in ("left", "unreachable")]
    ages = [row["age_seconds"] for row in open_rows if row["age_seconds"] is not None]
    oldest = f", the oldest for {duration(max(ages))}" if ages else ""
    said = f"{len(open_rows) or 'Nothing'} wait{'s' if len(open_rows) < 2 else ''} on {len(asked)} platform{'' if len(asked) == 1 else 's'}{oldest}"
    return said + (f"; not read: {', '.join(missing)}" if missing else "")


def _told(platforms: Json) -> list[dict[str, t.Any]]:
    said = {
        name: "not asked" if not state["asked"] else "could not be read" if state["error"] else f"{state['requests']} request{'s'[: state['requests'] != 1]}"
        for name, state in platforms.items()
    }
    return [{"text": f"{NAMES[name]}: {said[name]}", "count": state["waiting"], "examples": [state["error"]]} for name, state in platforms.items()]


def record(answers: t.Sequence[Json], *, options: Json, own: Json, run: Json, words: Json, check_mode: bool) -> dict[str, t.Any]:
    """The record of a run: what ``flow.record`` makes, with ``requests``, and ``sources``: what each platform was asked."""
    rows, platforms = rows_of(answers, own, run["ended"])
    # It is the same as long as the same things wait.
    identity = json.dumps(sorted([row["platform"], row["label"], row["kind"]] for row in rows), separators=(",", ":"))
    made = record_of(
        rows,
        {"plan_digest": "sha256:" + hashlib.sha256(identity.encode()).hexdigest(), "url": ""},
        {"waves": [], "stopped": ""},
        refused=[],
        sections={"places": _told(platforms)},
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what="looked at",
        check_mode=check_mode,
    )
    requests = sum(state["requests"] for state in platforms.values())
    return {**made, "headline": headline(rows, platforms), "platforms": [], "sources": platforms, "requests": requests}
