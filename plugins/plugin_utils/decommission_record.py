# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role decommission_certificates knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, bad_numbers, entries, groups, refusals, text, words_of
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of
from ansible_collections.certops.remediation.plugins.plugin_utils.operations import merged_plan
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import moment
from ansible_collections.certops.remediation.plugins.plugin_utils.revoke_record import FILTER_NAMES, Course, all_names, missing_row, state_text

ROLE = "decommission_certificates"
# Begins the comment that Command keeps with a hold of this flow, by which a later run knows it.
MARK = "decommission_certificates:"
NUMBERS = {"hold_days": "30", "min_age_days": "30", "batch_size": "50"}
TEXTS = {"query": "", "collection": "", "collection_id": "", "held_by": "this_flow", "released": "leave", "pending_approvals": "try"}
WANTED = {"hold": "on_hold", "revoke": "revoked"}
# What is told of each by itself, and of all together in these words.
SAME_FOR_ALL = {
    "deployed": "deployed",
    "released": "released since it was put on hold",
    "foreign": "put on hold by somebody else",
    "unchanged": "revoked already",
}
DAY = datetime.timedelta(days=1)


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    found: dict[str, t.Any] = {name: text(given[name]) or default for name, default in TEXTS.items()}
    found["number"] = {name: text(given[name]) or default for name, default in NUMBERS.items()}
    found["certificates"] = [word for line in entries(given["certificates"]) for word in (words_of(line) if isinstance(line, str) else [line])]
    found["filters"] = given["filters"] or {}
    filters = found["filters"]
    unknown = [str(name) for name in filters if name not in FILTER_NAMES] if isinstance(filters, t.Mapping) else []
    said = {
        f"Nothing says which certificates are to be looked at. Set {ROLE}_query, {ROLE}_filters or {ROLE}_certificates": (
            not (found["query"] or filters or found["certificates"])
        ),
        f"{ROLE}_certificates cannot be combined with {ROLE}_query and {ROLE}_filters": found["certificates"] and (found["query"] or filters),
        f"{ROLE}_filters must be a mapping": not isinstance(filters, t.Mapping),
        f"{ROLE}_filters does not know {', '.join(unknown)}. It knows {', '.join(FILTER_NAMES)}": unknown,
    }
    return {**found, "complaints": bad_numbers(ROLE, found["number"]) + [complaint for complaint, applies in said.items() if applies]}


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    names = ("query", "filters", "collection", "collection_id", "held_by", "released")
    return {**{name: found[name] for name in names}, **found["number"], "certificates_given": len(found["certificates"])}


# -- what is due -------------------------------------------------------------------------------------------------------------------------


def orphans(found: Json, own: Json, now: str) -> list[Json]:
    """The certificates that are to be put on hold unless their history says that somebody has released them."""
    return [certificate for certificate in found["certificates"] if _due(certificate, [], own, _now(now))[0] == "hold"]


def chosen(found: Json, histories: t.Sequence[Json], own: Json, now: str) -> dict[str, t.Any]:
    """What is due for each certificate, as ``decisions`` and as ``hold`` and ``revoke`` the certificates that the module is asked about.

    :param found: every certificate that was selected, with its locations.
    :param histories: those to be put on hold once more, with what Command has recorded of them; empty where that is not looked at.
    """
    history = {certificate["id"]: certificate["history"] for certificate in histories}
    decisions = [(certificate, *_due(certificate, history.get(certificate["id"], []), own, _now(now))) for certificate in found["certificates"]]
    return {
        "decisions": [{"certificate": certificate, "operation": operation, "result": result, "why": why} for certificate, operation, result, why in decisions],
        "missing": [{"target": entry["target"], "why": entry["error"]["message"]} for entry in found["not_found"]],
        **{name: [certificate for certificate, operation, *dummy in decisions if operation == name] for name in WANTED},
    }


def _now(said: str) -> datetime.datetime:
    return moment(said) or datetime.datetime.now(datetime.timezone.utc)


def _due(certificate: Json, history: t.Sequence[Json], own: Json, now: datetime.datetime) -> tuple[str, str, str]:
    """The operation that is due (empty for none), and if there is none the result and why."""
    state, places = certificate["state_name"], certificate["locations"]
    if state == "on_hold":
        return _due_of_held(certificate, own, now)
    if state == "revoked":
        return "", "unchanged", state_text(certificate)
    if state != "active":
        return "", "left", f"is in the state {state.replace('_', ' ')}"
    if certificate["expired"]:
        return "", "left", "has expired"
    if places:
        return "", "deployed", f"is deployed at {places[0]['text']}"
    begun = moment(certificate["not_before"] or "")
    if begun is None or now - begun < int(own["number"]["min_age_days"]) * DAY:
        return "", "left", f"was issued less than {own['number']['min_age_days']} days ago"
    released = _released(history) if own["released"] == "leave" else ""
    return ("", "released", released) if released else ("hold", "", "")


def _due_of_held(certificate: Json, own: Json, now: datetime.datetime) -> tuple[str, str, str]:
    comment, since = certificate["revocation"]["comment"] or "", moment(certificate["revocation"]["date"] or "")
    if own["held_by"] == "this_flow" and not comment.startswith(MARK):
        return "", "foreign", "somebody else has put it on hold" + (f" ({comment})" if comment else "")
    if certificate["locations"]:
        return "", "back", f"is on hold, and deployed at {certificate['locations'][0]['text']}"
    if certificate["expired"]:
        return "", "left", "has expired"
    if since is None:
        return "", "undated", "Command does not tell since when it is on hold"
    due = since + int(own["number"]["hold_days"]) * DAY
    # The clock of the server may be another one; a day more or less is no matter, and a hold in the future is none that has lasted.
    return ("revoke", "", "") if due <= now else ("", "held", f"on hold until {due.strftime('%Y-%m-%d')}")


def _released(history: t.Sequence[Json]) -> str:
    """By whom and when a hold of this flow was taken back; empty if it was not. What was held by somebody else is none of this."""
    ours = False
    for event in sorted(history, key=lambda event: str(event["time"])):
        action = str(event["action"]).lower()
        if "hold" in action and not any(word in action for word in ("remove", "release")):
            ours = str(event["comment"]).startswith(MARK)
        elif ours and any(word in action for word in ("remove", "release")):
            return f"was released from hold on {event['time'][:10]}" + (f" by {event['user']}" if event["user"] else "")
    return ""


def comment(operation: str, own: Json, reference: str) -> str:
    """What Command keeps with it. It is the same for all certificates, so that they go in one request."""
    said = {
        "hold": f"{MARK} deployed nowhere; to be revoked after {own['number']['hold_days']} days on hold",
        "revoke": f"{MARK} deployed nowhere, and {own['number']['hold_days']} days on hold",
    }[operation]
    return f"{said}. {reference}" if reference else said


# -- record ------------------------------------------------------------------------------------------------------------------------------


def certificate_rows(selected: Json, plans: t.Mapping[str, Json], done: Json, read_again: Json) -> list[dict[str, t.Any]]:
    """One row for each selected certificate, in the order in which they were found."""
    seen_again = {str(certificate["id"]): certificate for certificate in read_again.get("certificates") or []}
    targets = {name: iter(plan.get("targets") or []) for name, plan in plans.items()}
    rows = []
    for decision in selected["decisions"]:
        certificate, operation = decision["certificate"], decision["operation"]
        member = str(certificate["id"])
        plan = next(targets[operation]) if operation else {"outcome": "unchanged", "message": decision["why"], "action": "none"}
        # What a release by this record is about is what this run and the ones before have put on hold.
        row = Course(
            before=certificate,
            plan=plan,
            wanted=WANTED.get(operation, "revoked"),
            hold_first=False,
            acted=bool(done["waves"]),
            outcome=done["outcomes"].get(member, ""),
            message=done["messages"].get(member),
            kept=done["kept"].get(member, {}),
            after=seen_again.get(member),
        ).row()
        if not operation:
            row.update(result=decision["result"], kind_why=SAME_FOR_ALL.get(decision["result"], decision["why"]))
        held = decision["result"] in ("held", "back", "undated")
        rows.append({**row, "operation": operation, "change": row["action"], "kind": f"{operation} {row['authority']}", "hold": row["to_hold"] or held})
    return rows


def record(
    selected: Json,
    plans: t.Mapping[str, Json],
    done: Json,
    read_again: Json,
    *,
    options: Json,
    own: Json,
    run: Json,
    words: Json,
    check_mode: bool,
) -> dict[str, t.Any]:
    """The record of a run.

    :param selected: what ``chosen`` gives.
    :param plans: the module's results in check mode, by operation.
    """
    rows = certificate_rows(selected, plans, done, read_again)
    plan = merged_plan(plans)
    planned = [row for row in rows if row["planned"]]
    by_id = {decision["certificate"]["id"]: decision["certificate"] for decision in selected["decisions"]}
    names = {row["label"]: all_names(by_id[row["id"]]) for row in planned}
    bad = plan["summary"].get("refused", 0) + plan["summary"].get("failed", 0) + len(selected["missing"])
    rows += [{**missing_row(entry), "operation": ""} for entry in selected["missing"]]
    return record_of(
        rows,
        plan,
        done,
        refused=refusals(plan, options, names=names, bad=bad, selected=len(rows)),
        sections={
            "changes": groups(planned, "change", "label"),
            "authorities": groups(planned, "authority", "label"),
            "not_due": groups([row for row in rows if row["result"] in ("held", *SAME_FOR_ALL) and not row["planned"]], "kind_why", "label"),
        },
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what="put on hold, or revoked after their time on hold",
        check_mode=check_mode,
    )
