# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role restore_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import csv
import io
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import ENDED, LIVE
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, entries, groups, path, refusals, text, truth
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of
from ansible_collections.certops.remediation.plugins.plugin_utils.offboard_record import IDENTIFIER
from ansible_collections.certops.remediation.plugins.plugin_utils.operations import merged_plan
from ansible_collections.certops.remediation.plugins.plugin_utils.platforms import NAMES

ROLE = "restore_certificates"
# Words of the modules that they have come to this certificate.
ATTEMPTED = ("applied", "pending", "unchanged", "failed", "unknown", "refused")
# By which fields of a record its certificates are found again, the surest first, under the headings that find_certificates knows.
MARKS = {"fingerprint_sha256": "fingerprint", "thumbprint": "thumbprint", "serial": "serial", "serial_number": "serial"}
# What a run has not done to a certificate of its record needs no way back.
UNTOUCHED = ("not_attempted", "refused", "missing", "left", "unchanged", "deployed", "failed")


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    listed = given["list"]
    found: dict[str, t.Any] = {
        "list": entries(listed) if isinstance(listed, str) or not listed else listed,
        "list_path": path(given["list_path"]),
        "files": [path(entry) for entry in entries(given["files"])],
        "from_record": path(given["from_record"]),
        **{name: given[name] for name in ("platforms", "zones")},
        **{name: text(given[name]) for name in ("tpp_folder", "keyfactor_query")},
        "fail_if_unreachable": truth(given["fail_if_unreachable"], False),
    }
    ways = [name for name in ("list", "list_path", "files", "from_record") if found[name]]
    said = {
        f"Nothing says what was revoked by mistake. Set {ROLE}_from_record, {ROLE}_list_path, {ROLE}_list or {ROLE}_files": not ways,
        f"{ROLE}_from_record cannot be combined with {ROLE}_{', '.join(way for way in ways if way != 'from_record')}": "from_record" in ways and len(ways) > 1,
    }
    return {**found, "complaints": [complaint for complaint, applies in said.items() if applies]}


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    return {**{name: found[name] for name in ("list_path", "files", "from_record", "tpp_folder", "keyfactor_query")}, "named_inline": bool(found["list"])}


def recorded(record: t.Any) -> list[dict[str, str]]:
    """What an earlier run of a flow has held or revoked, by its record, as entries of a list.

    :raises ValueError: it is no record, or tells of nothing of the kind.
    """
    rows = record.get("certificates") if isinstance(record, t.Mapping) and str(record.get("format", "")).startswith("certops.remediation/record/") else None
    if not isinstance(rows, list):
        raise ValueError(f"{ROLE}_from_record is not the JSON record of a flow of this collection")
    found = []
    for row in rows:
        mark = next((field for field in MARKS if row.get(field)), None)
        # What a run was about to do when it was killed may have been done.
        touched = (row.get("planned") and row.get("result") not in UNTOUCHED) or row.get("hold") or row.get("ours")
        if mark and touched:
            found.append({MARKS[mark]: str(row[mark]), "common name": str(row.get("common_name") or "")})
    if not found:
        raise ValueError(f"{ROLE}_from_record tells of nothing that its run has held or revoked")
    return found


# -- what there is -----------------------------------------------------------------------------------------------------------------------


def asked_again(found: Json) -> dict[str, t.Any]:
    """What has to be read in more detail: orders by id, and objects of TPP."""
    on = [certificate["on"] for certificate in found["certificates"]]
    return {
        "digicert": sorted({rows["digicert"]["order_id"] for rows in on if "digicert" in rows}),
        "tpp": sorted({rows["tpp"]["guid"] for rows in on if "tpp" in rows}),
    }


def chosen(found: Json, orders: Json, objects: Json) -> dict[str, t.Any]:
    """What can be done for each certificate on each platform, as ``decisions``, and ``operations`` with what their modules are asked about.

    :param found: what find_certificates leaves.
    :param orders: the result of digicert_order_info with details; empty where it was not asked.
    :param objects: likewise that of tpp_certificate_info.
    """
    by_order = {order["order_id"]: order for order in orders.get("orders") or []}
    by_guid = {entry["guid"]: entry for entry in objects.get("certificates") or []}
    decisions = []
    for certificate in found["certificates"]:
        for platform, row in certificate["on"].items():
            if platform == "digicert":
                decided = _of_order(certificate, by_order.get(row["order_id"]), orders)
            elif platform == "tpp":
                decided = _of_object(by_guid.get(row["guid"]), objects)
            else:
                decided = (_of_command if platform == "keyfactor" else _of_zone)(row)
            decisions.append({"certificate": certificate, "platform": platform, "row": row, **decided})
    operations: list[dict[str, t.Any]] = [{"name": "release", "platform": "keyfactor", "verb": "Release", "handed": ["id", "thumbprint", "common_name"]}]
    for zone in dict.fromkeys(str(decision["row"]["zone_id"]) for decision in decisions if decision["platform"] == "cloudflare"):
        operations.append({
            "name": f"reactivate {zone}", "platform": "cloudflare", "zone_id": zone, "verb": "Reactivate", "handed": ["id", "zone_id", "common_name"],
        })
    for operation in operations:
        operation["targets"] = [
            {field: decision["row"][field] for field in operation["handed"]} for decision in decisions if decision["operation"] == operation["name"]
        ]
    missing = [{"target": entry["target"], "why": entry["why"]} for entry in [*found["not_found"], *found["unreadable"]]]
    unreachable = {name: platform["error"] for name, platform in found["platforms"].items() if platform["error"]}
    return {"decisions": decisions, "operations": [entry for entry in operations if entry["targets"]], "missing": missing, "unreachable": unreachable}


def _decided(result: str, why: str, before: str, operation: str = "", **more: t.Any) -> dict[str, t.Any]:
    return {"operation": operation, "result": result, "why": why, "before": before, **more}


def _of_command(row: Json) -> dict[str, t.Any]:
    state, revocation = row["state_name"], row["revocation"] or {}
    reason = revocation.get("reason_name") or "no reason"
    since = f" since {revocation['date'][:10]}" if revocation.get("date") else ""
    if state == "on_hold" and row["expired"]:
        return _decided("left", "is on hold and has expired", "on hold, expired")
    if state == "on_hold":
        return _decided("planned", "", f"on hold{since}", "release")
    if state == "revoked":
        return _decided("irreversible", f"is revoked for good ({reason}){since}; Command knows no way back", f"revoked ({reason}){since}")
    return _decided("valid" if state == "active" else "left", f"is {state.replace('_', ' ')}", state.replace("_", " "))


def _of_zone(row: Json) -> dict[str, t.Any]:
    status = row["status"]
    if status in ENDED and row["expired"]:
        return _decided("left", f"is {status} and has expired", f"{status}, expired")
    if status in ENDED:
        return _decided("planned", "", status, f"reactivate {row['zone_id']}")
    return _decided("valid" if status == "active" else "pending", f"is {status}", status)


def _of_order(certificate: Json, order: Json | None, answer: Json) -> dict[str, t.Any]:
    if order is None:
        return _decided("unread", str(answer.get("msg") or "its order could not be read"), "not read")
    digits = str(certificate["serial"] or "").lstrip("0")
    held = [order["certificate"], *(order["reissues"] or []), *(order["duplicates"] or [])]
    mine = [item for item in held if item["serial"] and item["serial"].lstrip("0") == digits]
    statuses = [item["status"] for item in mine if item["status"]]
    status = "revoked" if "revoked" in statuses or order["status"] == "revoked" else next(iter(statuses), "")
    place = {"order_id": order["order_id"], "reissuable": order["status"] not in ("revoked", "canceled", "rejected", "expired")}
    if status == "revoked":
        whole = "" if place["reissuable"] else f"; its order is {order['status']} and cannot be reissued"
        return _decided("irreversible", f"is revoked; CertCentral knows no way back{whole}", "revoked", **place)
    asked = [entry for entry in order["pending"] or [] if entry["type"] == "revoke" and entry["request_id"]]
    if asked:
        return _decided("request", f"a revocation waits for the approval of request {asked[0]['request_id']}", status or "issued", **place)
    if not status:
        return _decided("unread", "CertCentral does not list this certificate any more, so its status cannot be told", "not listed", **place)
    return _decided("valid" if status in ("issued", "approved") else "left", f"is {status}", status, **place)


def _of_object(entry: Json | None, answer: Json) -> dict[str, t.Any]:
    if entry is None:
        return _decided("unread", str(answer.get("msg") or "its object could not be read"), "not read")
    if entry["revocation"]:
        said = f"its object in TPP says {entry['revocation']}; a reset would clear that in the object only, the authority still has it revoked"
        return _decided("object_only", said, str(entry["revocation"]))
    return _decided("valid", "its object in TPP shows no revocation", "no revocation")


# -- record ------------------------------------------------------------------------------------------------------------------------------


def row_of(decision: Json, plan: Json | None, done: Json, after: Json | None, acted: bool) -> dict[str, t.Any]:
    """One certificate on one platform.

    :param plan: what the module says in check mode; None where there is nothing to do.
    :param after: as it was read after the waves.
    """
    certificate, platform, row = decision["certificate"], decision["platform"], decision["row"]
    number = row.get("id") or row.get("order_id") or row.get("dn")
    member = f"{platform}:{number}"
    planned = bool(plan and plan["outcome"] == "planned")
    outcome, kept = done["outcomes"].get(member, ""), done["kept"].get(member, {})
    result, why = decision["result"], decision["why"]
    if plan is not None and not planned:
        waits = plan["outcome"] == "pending"
        result = "approval" if plan.get("pending_approval") else "pending" if waits else "refused" if plan["outcome"] in ("refused", "failed") else "left"
        why = plan["message"]
    elif planned and acted:
        result = _result(platform, outcome, kept, after)
        why = done["messages"].get(member) or str(kept.get("message") or "")
    state = str((after or row).get("state_name" if platform == "keyfactor" else "status") or decision["before"]).replace("_", " ")
    issued = {name: certificate[name] for name in ("name", "common_name", "serial", "thumbprint", "fingerprint_sha256", "issuer", "not_after")}
    action = plan["action"] if plan is not None and planned else "none"
    return {
        **issued,
        **{name: decision[name] for name in ("order_id", "reissuable") if name in decision},
        **{name: row[name] for name in ("id", "zone_id", "dn", "guid") if name in row},
        "platform": platform,
        "member": member,
        "label": f"{certificate['name']} ({NAMES[platform]} {number})",
        "where": f"{NAMES[platform]}, {number}",
        "operation": decision["operation"],
        "planned": planned,
        "action": action,
        "change": f"{NAMES[platform]}: {action}",
        "result": result,
        "outcome": outcome,
        "why": why,
        "kind_why": f"{NAMES[platform]}: {IDENTIFIER.sub('*', why)}",
        "kind": f"{platform} {action}",
        "before": decision["before"],
        "state": re.split(" since |, | \\(", decision["before"])[0],
        "now": state if result in ("restored", "valid") else why or state,
        "note": "",
    }


def _result(platform: str, outcome: str, kept: Json, after: Json | None) -> str:
    attempted = outcome in ATTEMPTED
    if after is None:
        return ("unknown" if outcome == "unknown" else "unread") if attempted else "not_attempted"
    # What the platform shows now is stronger than what was said on the way.
    if after["state_name"] == "active" if platform == "keyfactor" else after["status"] in LIVE:
        return "restored" if after.get("status") != "pending_reactivation" else "pending"
    if outcome in ("failed", "refused", "unknown"):
        return "unknown" if outcome == "unknown" else "failed"
    if not attempted:
        return "not_attempted"
    return "approval" if kept.get("pending_approval") else "pending"


def elsewhere(rows: t.Sequence[dict[str, t.Any]]) -> None:
    """Says of each certificate that is not revoked on one platform that it is on another: nobody may take it for restored."""
    gone: dict[tuple[t.Any, t.Any], list[str]] = {}
    for row in rows:
        if row["result"] in ("irreversible", "object_only"):
            gone.setdefault((row["serial"], row["issuer"]), []).append(NAMES[row["platform"]])
    for row in rows:
        others = [name for name in gone.get((row["serial"], row["issuer"]), []) if name != NAMES[row["platform"]]]
        if others and row["result"] not in ("irreversible", "object_only"):
            row["note"] = f"revoked for good by {' and '.join(others)}"


def plain_row(result: str, name: str, why: str) -> dict[str, t.Any]:
    """What is no certificate on a platform."""
    fields = ("common_name", "serial", "thumbprint", "fingerprint_sha256", "issuer", "not_after")
    return {
        **dict.fromkeys(fields),
        **dict.fromkeys(("where", "operation", "outcome", "note", "kind", "platform", "member"), ""),
        "name": name, "label": name, "planned": False, "action": "none", "change": "none", "result": result, "why": why, "kind_why": IDENTIFIER.sub("*", why),
        "before": "not found" if result == "missing" else "not read", "now": why,
    }


def record(
    selected: Json,
    plans: t.Mapping[str, Json],
    done: Json,
    read_again: t.Mapping[str, Json],
    *,
    options: Json,
    own: Json,
    run: Json,
    words: Json,
    check_mode: bool,
) -> dict[str, t.Any]:
    """The record of a run, with the lists of what cannot be restored (``replace``).

    :param selected: what ``chosen`` gives.
    :param plans: the results of the modules in check mode, by operation.
    :param read_again: the results of the info modules after the waves, by operation.
    """
    targets = {name: iter(plan.get("targets") or []) for name, plan in plans.items()}
    after = {
        (name, entry["id"]): entry for name, answer in read_again.items() for entry in (answer.get("certificates") or [])
    }
    rows = []
    for decision in selected["decisions"]:
        operation = decision["operation"]
        plan = next(targets[operation]) if operation else None
        rows.append(row_of(decision, plan, done, after.get((operation, decision["row"].get("id"))), bool(done["waves"])))
    elsewhere(rows)
    planned = [row for row in rows if row["planned"]]
    plan = merged_plan(plans)
    bad = sum(row["result"] == "refused" for row in rows) + len(selected["missing"])
    rows += [plain_row("missing", entry["target"], entry["why"]) for entry in selected["missing"]]
    rows += [plain_row("unreachable", NAMES[name], error) for name, error in selected["unreachable"].items()]
    names = {row["label"]: [str(row[field] or "") for field in ("name", "common_name", "thumbprint", "fingerprint_sha256", "serial")] for row in planned}
    made = record_of(
        rows,
        plan,
        done,
        refused=refusals(plan, options, names=names, bad=bad, selected=len(rows)),
        sections={"changes": groups(planned, "change", "label")},
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what="restored",
        check_mode=check_mode,
    )
    return {**made, "replace": replace(rows)}


# -- what cannot be restored -------------------------------------------------------------------------------------------------------------


def replace(rows: t.Sequence[Json]) -> dict[str, list[t.Any]]:
    """What has to be replaced, by how: orders to be reissued, objects of TPP to be renewed, and certificates that only their owner can replace."""
    gone = [row for row in rows if row["result"] == "irreversible"]
    orders = {row["order_id"]: row for row in gone if row["platform"] == "digicert" and row["reissuable"]}
    reissued = {(row["serial"], row["issuer"]) for row in orders.values()}
    return {
        "reissue": [{"order_id": number, "serial": row["serial"], "name": row["name"]} for number, row in orders.items()],
        "renew": [row["dn"] for row in rows if row["result"] == "object_only"],
        "enroll": [row["label"] for row in gone if not row.get("reissuable") and (row["serial"], row["issuer"]) not in reissued],
    }


def reissue_list(found: Json) -> str:
    """``replace`` as the list that reissue_orders takes. No cell begins with what a spreadsheet takes for a formula."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(("order_id", "serial"))
    writer.writerows((entry["order_id"], entry["serial"]) for entry in found["reissue"])
    return output.getvalue()
