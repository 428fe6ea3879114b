# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role respond_to_key_compromise knows of a run, made of results of modules and of the role's options. Does no I/O."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils import cloudflare, digicert
from ansible_collections.certops.remediation.plugins.plugin_utils import respond_case, respond_proof, rotate_record
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, bad_numbers, control_plane, entries, groups, path, refusals, text, truth
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import record as record_of
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import waves as waves_of
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import pace
from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_record import REQUESTS_PER_ORDER, kind
from ansible_collections.certops.remediation.plugins.plugin_utils.respond_course import Course, State, replacement

ROLE = "respond_to_key_compromise"
LEDGER = 1
VERBS = {"digicert": "Reissue at DigiCert", "tpp": "Renew in TPP", "cloudflare": "Create at Cloudflare"}
NUMBERS = {"prove_timeout": "300", "published_timeout": "0", "attempts": "1", "endpoint_timeout": "10"}
TEXTS = {"revocation_order": "prove_first", "without_endpoint": "open", "key_type": "rsa-2048", "reason": "key_compromise", "revocation_check": "any"}
CHOICES = {"revocation_order": ("prove_first", "revoke_first"), "without_endpoint": ("open", "revoke"), "revocation_check": ("any", "ocsp", "crl", "none")}
PATHS = ("list_path", "folder", "deploy_tasks", "verify_tasks", "seen_path")
SWITCHES = {"derive_endpoints": True, "all_addresses": True, "skip_approval": False, "approve": False, "wait_for_approval": False, "search_hosts": True}
# What a plan is approved for, besides what is done with each certificate.
WISHES = (*TEXTS, "derive_endpoints", "deploy_tasks", "verify_tasks", "skip_approval", "approve", "endpoints", "endpoints_of", "hosts")

NOTHING: Json = {
    **dict.fromkeys(("replace_plan", "revoke_plan", "unasked", "located", "served", "proof", "published"), {}),
    "units": [], "keys": [], "urls": [], "reported": None, "hooks": {"delivered": {}, "failed": {}, "verified": []},
}  # fmt: skip


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The role's own options as its tasks use them; ``given`` holds them without the prefix, as they were set."""
    found: dict[str, t.Any] = {name: text(given[name]) or default for name, default in TEXTS.items()}
    found["number"] = {name: text(given[name]) or default for name, default in NUMBERS.items()}
    found.update({name: path(given[name]) for name in PATHS})
    found.update({name: truth(given[name], default) for name, default in SWITCHES.items()})
    found["list"] = given["list"] if text(given["list"]) else []
    found["files"] = [path(entry) for entry in entries(given["files"])]
    found["seen"] = " ".join(str(entry) for entry in entries(given["seen"]))
    found["endpoints"], found["endpoints_of"], bad_endpoints = respond_proof.places(given["endpoints"])
    found["hosts"], named_hosts, bad_hosts = respond_proof.places(given["hosts"])
    wrong = [name for name, known in CHOICES.items() if found[name] not in known]
    said = {
        f"Nothing says what has leaked. Set {ROLE}_list, {ROLE}_list_path, {ROLE}_files or {ROLE}_hosts": not (
            found["list"] or found["list_path"] or found["files"] or found["hosts"]
        ),
        f"{ROLE}_list cannot be combined with {ROLE}_list_path": found["list"] and found["list_path"],
        f"{ROLE}_folder says where the new keys are to be kept; it is needed": not found["folder"],
        f"{ROLE}_hosts is a list of host or host:port": named_hosts,
        f"{ROLE}_endpoints cannot be understood: {bad_endpoints}": bad_endpoints,
        f"{ROLE}_hosts cannot be understood: {bad_hosts}": bad_hosts,
        **{f"{ROLE}_{name} is one of {', '.join(CHOICES[name])}": True for name in wrong},
    }
    # What is compromised is also where it has to be proven.
    found["endpoints"] = found["endpoints"] + [one for one in found["hosts"] if one not in found["endpoints"]]
    return {**found, "complaints": bad_numbers(ROLE, found["number"]) + [complaint for complaint, applies in said.items() if applies]}


def settings(found: Json) -> dict[str, t.Any]:
    """What the run was told, for the record."""
    told = {name: [respond_proof.told(one) for one in found[name]] for name in ("endpoints", "hosts")}
    named = {name: [respond_proof.told(one) for one in at] for name, at in found["endpoints_of"].items()}
    switches = {name: found[name] for name in SWITCHES}
    return {**{name: found[name] for name in (*TEXTS, *PATHS, "files")}, **told, "endpoints_of": named, **switches, "listed_inline": bool(found["list"])}


# -- the compromised hosts ---------------------------------------------------------------------------------------------------------------


def listed(own: Json, looked: Json, inventory: Json, ledger: Json) -> list[t.Any]:
    """What find_certificates is to look for, besides files: the list, and what compromised hosts serve or hold.

    :param looked: what the hosts serve; empty once the incident is begun, because by now they may serve what has replaced it.
    :param inventory: the certificates of Command with their locations, likewise.
    :param ledger: what earlier runs have left in the folder: the keys that have leaked are looked for in every run.
    """
    given = own["list"]
    found: list[t.Any] = given.splitlines() if isinstance(given, str) else list(given)
    for entry in looked.get("endpoints") or ():
        leaf = entry["chain"][0] if entry["chain"] else None
        if leaf:
            found.append(leaf["thumbprint"])
    for certificate in inventory.get("certificates") or ():
        if any(_is_on(location, one) for location in certificate.get("locations") or () for one in own["hosts"]):
            found.append(certificate["thumbprint"])
    return found + ([key for key in ledger.get("leaked") or () if key not in found] if own["hosts"] else [])


def _is_on(location: Json, one: Json) -> bool:
    known = {str(location.get(name) or "").lower() for name in ("machine", "address")}
    return bool(known & {one["host"].lower(), one["server_name"].lower(), str(one.get("address") or "-").lower()})


# -- what is known -----------------------------------------------------------------------------------------------------------------------
#
# One mapping holds all that a run has read, so that everything that is told or done follows from it: ``chosen`` (of ``respond_case.cases``), ``units``
# (what is replaced), ``replace_plan`` and ``revoke_plan`` (the modules' word in check mode, by unit and by certificate), ``unasked`` (platforms that have
# failed since), ``located`` (where Command finds them), ``served`` (what the endpoints served before), ``proof`` (what they serve now), ``published`` (what
# the authorities tell), ``hooks`` (what the tasks of the user have come to), ``reported`` (fingerprints that clients are seen to use), ``urls``.


def begin(found: Json, ledger: Json, own: Json, seen: t.Sequence[Json]) -> dict[str, t.Any]:
    """What is known before anything was asked.

    :param found: what find_certificates has left.
    :param ledger: what earlier runs have left in the folder.
    :param seen: the file of the option seen_path, as the module flow_files reads it; or none.
    """
    return {
        **NOTHING,
        "chosen": respond_case.cases(found, ledger),
        "reported": rotate_record.reported(own, seen)["fingerprints"],
    }  # fmt: skip


def requests(known: Json, own: Json, record: Json | None = None) -> list[dict[str, t.Any]]:
    """For certificate_request; with ``record``, only for what is to be replaced by its plan."""
    only = None if record is None else {row["unit"] for row in record["certificates"] if row["unit"] and row["planned"]}
    return respond_case.requests(known["chosen"], own, only)


def with_units(known: Json, keys: Json, own: Json, stand_in: str) -> dict[str, t.Any]:
    """With what is replaced; keys that were made meanwhile take the place of those that were missing."""
    made = {entry["path"]: entry for entry in (*(known["keys"]), *(keys.get("requests") or ()))}
    every = list(made.values())
    return {**known, "keys": every, "units": respond_case.units(known["chosen"], {"requests": every}, own, stand_in)}


def revocations(chosen: Json, platform: str) -> list[dict[str, t.Any]]:
    """What a module is given to revoke, of all certificates that are revoked there."""
    found = []
    for case in chosen["cases"]:
        if case["revoker"] == platform:
            target = {name: value for name in respond_case.IDENTITY[platform] if (value := case["on"][platform].get(name))}
            found.append({"id": case["id"], "target": {**target, **({"serial": case["serial"]} if platform == "digicert" else {})}})
    return found


def _asked(known: Json, phase: str, platform: str) -> list[tuple[str, t.Any]]:
    """What a module is asked for its plan: by unit or certificate, its targets."""
    if phase == "replace":
        usable = [entry for entry in known["units"] if entry["platform"] == platform and not entry["problem"]]
        # Cloudflare knows a certificate by its key alone, and what has no key yet was never asked for.
        return [(entry["unit"], entry["entry"]) for entry in usable if platform != "cloudflare" or entry["key"]]
    return [(entry["id"], entry["target"]) for entry in revocations(known["chosen"], platform)]


def _pace(platform: str, members: t.Sequence[t.Any]) -> list[dict[str, t.Any]]:
    """The limits for each task of a large run, because a platform counts all of them together; empty where those of the module will do."""
    published = {"digicert": digicert.RATE_LIMITS, "cloudflare": cloudflare.RATE_LIMITS}.get(platform)
    found = pace(len(members) * REQUESTS_PER_ORDER, published) if published else []
    return [] if found == published else found


def questions(known: Json) -> list[dict[str, t.Any]]:
    """Which module is to be asked for its plan of what; platforms that are down are left out."""
    found = []
    for phase in ("replace", "revoke"):
        for platform in respond_case.PLATFORMS:
            targets = [target for dummy, target in _asked(known, phase, platform)]
            if targets and platform in known["chosen"]["asked"] and platform not in known["chosen"]["down"]:
                says = f"Plan: {phase} {'in' if platform == 'tpp' else 'at'} {respond_case.PLATFORMS[platform]}"
                shared = {"phase": phase, "platform": platform, "pace": _pace(platform, targets), "says": says}
                found.append({**shared, "targets": targets, "size": len(targets), "plan": True})
    return found


def planned(known: Json, phase: str, platform: str, result: Json) -> dict[str, t.Any]:
    """With a module's word in check mode."""
    if "targets" not in result:
        return {**known, "unasked": {**known["unasked"], platform: str(result.get("msg") or "the task ended without a result")}}
    name, members = f"{phase}_plan", [member for member, dummy in _asked(known, phase, platform)]
    return {
        **known,
        name: {**known[name], **dict(zip(members, result["targets"]))},
        "urls": sorted({*known["urls"], control_plane(result.get("url") or "")} - {""}),
    }


def numbers(known: Json) -> list[t.Any]:
    """The certificates of Command whose places are to be read."""
    down = known["chosen"]["down"]
    return [case["on"]["keyfactor"]["id"] for case in known["chosen"]["cases"] if "keyfactor" in case["on"] and "keyfactor" not in down]


def _located(found: Json) -> dict[str, t.Any]:
    return {str(certificate["id"]): certificate.get("locations") or [] for certificate in found.get("certificates") or ()}


def endpoints(known: Json, own: Json, found: Json, done: Json) -> list[dict[str, t.Any]]:
    """For tls_endpoint_info: before anything was looked at, all that are listed as well, to see whose they are.

    :param found: the certificates of Command with their places.
    """
    looked_at = bool(known["served"])
    state = State({**known, "located": known["located"] or _located(found)}, own, done)
    at = {case["id"]: respond_proof.places_of(case, own, state.known["located"], known["served"]) for case in known["chosen"]["cases"]}
    new = {case["id"]: replacement(state, case).new for case in known["chosen"]["cases"]} if looked_at else {}
    asked = respond_proof.questions(at, new)
    told = {respond_proof.told(one) for one in asked}
    return asked + [one for one in own["endpoints"] if not looked_at and respond_proof.told(one) not in told]


def seen(known: Json, found: Json, looked: Json) -> dict[str, t.Any]:
    """With where Command finds the certificates, and what the endpoints serve."""
    keys = set(known["chosen"]["leaked"])
    for entry in looked.get("endpoints") or ():
        leaf = entry["chain"][0] if entry["chain"] else None
        # Not every platform tells the key of a certificate; the endpoint does.
        if leaf and leaf["public_key_sha256"] and any(respond_proof.is_leaf_of(case, leaf) for case in known["chosen"]["cases"]):
            keys.add(leaf["public_key_sha256"])
    return {**known, "located": _located(found), "served": {"endpoints": looked.get("endpoints") or []}, "chosen": {**known["chosen"], "leaked": sorted(keys)}}


def unwanted(known: Json) -> list[str]:
    """What no endpoint may serve any more, for tls_endpoint_info."""
    cases = [str(case[name]) for case in known["chosen"]["cases"] for name in ("thumbprint", "fingerprint_sha256") if case[name]]
    return [*known["chosen"]["leaked"], *cases]


def proofs(record: Json) -> list[dict[str, t.Any]]:
    """For the journal, before anything is revoked: of each certificate whether its replacement is proven, and by what."""
    return [
        {
            "event": "proof",
            "target": row["label"],
            "serial": row["serial"],
            "proven": bool(row["proven"]),
            "message": row["proven"] or row["why"],
            "endpoints": row["at"],
        }
        for row in record["certificates"]
        if row["planned"]
    ]


def noted(known: Json, phase: str, key: str, value: str) -> dict[str, t.Any]:
    """With what has become of a task of the user."""
    hooks = known["hooks"]
    kept = [*hooks["verified"], key] if phase == "verified" else {**hooks[phase], key: value}
    return {**known, "hooks": {**hooks, phase: kept}}


# -- certificates ------------------------------------------------------------------------------------------------------------------------


def _courses(known: Json, own: Json, done: Json, acted: bool) -> list[Course]:
    cases = known["chosen"]["cases"]
    at = {case["id"]: respond_proof.places_of(case, own, known["located"], known["served"]) for case in cases}

    def of(state: State, acted: bool, steps: t.Mapping[str, t.Sequence[str]]) -> list[Course]:
        new = {case["id"]: replacement(state, case).new for case in cases}
        return [Course(case, state, at, new, acted, steps.get(case["id"], ())) for case in cases]

    # What was planned does not change by what has been done of it.
    untouched = {**known, "proof": {}, "published": {}, "hooks": NOTHING["hooks"]}
    before = of(State(untouched, own, {"outcomes": {}, "messages": {}, "kept": {}}), False, {})
    return of(State(known, own, done), acted, {course.number: course.planned() for course in before})


def row_of(course: Course) -> dict[str, t.Any]:
    case = course.case
    result, why = course.result()
    new = course.new.get(course.number) or {}
    action = ", ".join(course.steps) or "none"
    where = ", ".join(_place(case, platform) for platform in case["platforms"])
    at = [respond_proof.told(one) for one in course.endpoints]
    proof = course.proof()
    done = result in ("done", "unchanged")
    told = f"revoked {'at' if case['revoker'] == 'digicert' else 'through'} {respond_case.PLATFORMS.get(case['revoker'], '')}"
    return {
        **{name: case[name] for name in (*respond_case.FIELDS, "names", "platforms", "targets", "id", "on", "unit", "replacer", "revoker", "client")},
        "label": f"{case['name']} ({case['id'][:16]})",
        "where": where,
        "endpoints": list(course.endpoints),
        "at": at,
        "platform": " and ".join(respond_case.PLATFORMS[name] for name in case["platforms"]),
        "paths": next((entry["paths"] for entry in course.state.known["units"] if entry["unit"] == case["unit"]), {}),
        "planned": bool(course.steps),
        "ours": bool(case["kept"].get("steps")),
        "steps": list(course.steps),
        "plan": list(case["kept"].get("steps") or course.steps),
        "action": action,
        "kind": f"{case['replacer'] or 'none'} {action}",
        "state": case["state"],
        "to_replace": bool(course.steps) and course.replaced.state in ("open", "waiting"),
        "to_deliver": course.to_deliver and bool(course.steps),
        "to_verify": course.to_verify,
        "to_revoke": course.to_revoke,
        "replaced": course.replaced.state in ("done", "none"),
        "proven": "" if proof[0] else proof[1],
        "published": (course.published or {}).get("status") or "",
        "revoked_now": course.revoked.acted and course.revoked.state in ("done", "waiting"),
        "new": {name: value for name, value in new.items() if value},
        "delivered": course.delivered,
        "result": result,
        "why": why,
        "kind_why": kind(why),
        "before": f"{case['serial'] or 'no serial number'}" + (f", till {case['not_after'][:10]}" if case["not_after"] else ""),
        "now": told + (f"; new: {_new(new)}" if _new(new) else "") if done else why or action,
        "note": proof[1] if done and not proof[0] else f"new: {_new(new)}" if _new(new) and not done else f"at {', '.join(at[:2])}" if at and not done else "",
    }


def _new(new: Json) -> str:
    return str(new.get("serial") or new.get("thumbprint") or new.get("id") or "")


def _place(case: Json, platform: str) -> str:
    on = case["on"][platform]
    named = {"digicert": "order_id", "tpp": "dn", "keyfactor": "id", "cloudflare": "id"}[platform]
    return f"{respond_case.PLATFORMS[platform]} {on[named]}"


def missing_rows(known: Json, wanted: t.Iterable[str]) -> list[dict[str, t.Any]]:
    """What was asked for and is nothing that a platform has, platforms that could not be asked, and endpoints with the key that nobody knows."""
    flags = ("planned", "ours", "to_replace", "to_deliver", "to_verify", "to_revoke", "replaced", "revoked_now", "client")
    lists = ("names", "platforms", "targets", "endpoints", "at", "steps", "plan")
    empty: dict[str, t.Any] = {**dict.fromkeys(wanted, ""), **dict.fromkeys(flags, False), **{name: [] for name in lists}}
    empty.update({"on": {}, "new": {}, "paths": {}, "action": "none", "before": "not found"})
    chosen = known["chosen"]
    named = [("missing", entry["target"], entry["why"]) for entry in chosen["missing"]]
    named += [("stray", entry["target"], entry["why"]) for entry in respond_proof.strays(known.get("proof") or known["served"], chosen)]
    named += [("down", respond_case.PLATFORMS[name], f"could not be asked: {why}") for name, why in sorted({**chosen["down"], **known["unasked"]}.items())]
    return [
        {**empty, "id": target, "name": target, "label": target, "result": result, "why": why, "kind_why": kind(why), "now": why}
        for result, target, why in dict.fromkeys(named)
    ]


# -- waves -------------------------------------------------------------------------------------------------------------------------------


def waves(record: Json, known: Json, options: Json, phase: str) -> list[dict[str, t.Any]]:
    """Canaries and waves of all platforms, one platform after the other, for ``replace`` or ``revoke``."""
    found = []
    for platform, name in respond_case.PLATFORMS.items():
        field, flag = ("unit", "to_replace") if phase == "replace" else ("id", "to_revoke")
        wanted = {row[field] for row in record["certificates"] if row[flag]}
        asked = [(number, target) for number, target in _asked(known, phase, platform) if number in wanted]
        items = [{"member": f"{phase} {number}", "kind": platform, "planned": True, "target": target} for number, target in asked]
        if items:
            prefix = f"{phase} {'in' if platform == 'tpp' else 'at'} {name}, "
            # Done is a certificate with the second of the two.
            interim = phase == ("revoke" if record["settings"]["revocation_order"] == "revoke_first" else "replace")
            laid = waves_of({"certificates": items}, options, key="member", handed=["target"], kind="kind", prefix=prefix, interim=interim)
            verb = "Revoke" if phase == "revoke" else VERBS[platform]
            shared = {"phase": phase, "platform": platform, "pace": _pace(platform, items), "plan": False}
            found += [
                {**wave, **shared, "says": f"{verb}, {wave['title']}", "targets": [item["target"] for item in wave["targets"]]} for wave in laid
            ]
    return found


# -- ledger ------------------------------------------------------------------------------------------------------------------------------


def ledger_of(before: Json, record: Json, known: Json, now: str) -> dict[str, t.Any]:
    """What is kept in the folder for the runs to come. What the first run has seen stays: afterwards nobody can see it any more."""
    kept = dict(before.get("certificates") or {})
    for row in record["certificates"]:
        if not row["on"]:
            continue
        entry = kept.get(row["id"], {})
        kept[row["id"]] = {
            **{name: row[name] for name in (*respond_case.FIELDS, "names", "on", "targets", "state")},
            "endpoints": row["endpoints"],
            "steps": row["plan"],
            "new": row["new"] or entry.get("new") or {},
            "delivered": row["delivered"],
            "pem": _pem_of(row, known) or entry.get("pem") or "",
            "revoked": entry.get("revoked") or (now if row["revoked_now"] and row["result"] != "revocation" else ""),
        }
    return {"format": LEDGER, "leaked": known["chosen"]["leaked"], "certificates": kept}


def _pem_of(row: Json, known: Json) -> str:
    """The certificate with its chain, as an endpoint has served it: only with it anybody can ask whether it is revoked."""
    for entry in known["served"].get("endpoints") or ():
        if entry["chain"] and respond_proof.is_leaf_of(row, entry["chain"][0]):
            return "".join(item.get("pem") or "" for item in entry["chain"])
    return ""


def published(record: Json, ledger: Json) -> list[str]:
    """The certificates whose revocation is to be proven to relying parties: what was revoked and was seen served."""
    over = [row["id"] for row in record["certificates"] if row["result"] in ("done", "unchanged", "unpublished", "still_served")]
    kept = [(ledger.get("certificates") or {}).get(number, {}).get("pem") or "" for number in over]
    # Of the first of each chain; a certificate without addresses to ask at tells nothing either way.
    return [pem for pem in kept if pem]


# -- record ------------------------------------------------------------------------------------------------------------------------------


def digest(rows: t.Iterable[Json], own: Json) -> str:
    """A fingerprint of what is to be done with which certificates, and of what has to be proven before.

    What is under way or done stays part of it, as it was let through, so that a run that was killed goes on with the approval that it had.
    """
    steps = sorted([row["id"], row["name"], sorted(row["names"]), row["plan"]] for row in rows if row["plan"])
    wishes = {name: own[name] for name in WISHES}
    return "sha256:" + hashlib.sha256(json.dumps([ROLE, steps, wishes], separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def record(
    known: Json, done: Json, *, acted: bool, options: Json, own: Json, run: Json, words: Json, what: str, check_mode: bool
) -> dict[str, t.Any]:
    """The record of a run.

    :param known: what was read, see above.
    :param acted: whether the run has got to acting.
    """
    rows = [row_of(course) for course in _courses(known, own, done, acted)]
    fields = tuple(rows[0]) if rows else ("where", "note", "kind", "platform")
    rows += missing_rows(known, fields)
    to_change = [row for row in rows if row["planned"]]
    names = {row["label"]: _names(row) for row in to_change}
    bad = sum(row["result"] in ("refused", "missing", "stray", "down", "unreached") for row in rows)
    plan = {"plan_digest": digest(rows, own)}
    made = record_of(
        rows,
        plan,
        done,
        refused=refusals(plan, _expected(rows, options), names=names, bad=bad, selected=len(rows)),
        sections={
            "changes": groups(to_change, "action", "label"),
            "places": groups(to_change, "platform", "label"),
            "served_at": groups(({"label": row["label"], "place": place} for row in rows for place in row["at"]), "place", "label"),
        },
        key="label",
        options=options,
        settings=settings(own),
        run=run,
        words=words,
        what=what,
        check_mode=check_mode,
    )
    made["run"]["control_plane"] = ", ".join(known["urls"])
    return made


def _names(row: Json) -> list[str]:
    on = [str(value) for place in row["on"].values() for value in place.values() if isinstance(value, (str, int))]
    return [row["name"], row["common_name"], *row["names"], row["serial"], row["thumbprint"], *on]


def _expected(rows: t.Sequence[Json], options: Json) -> Json:
    """The options, with the expected number understood as a person means it: of the whole plan, also what an earlier run has begun of it."""
    whole, now = (sum(bool(row[name]) for row in rows) for name in ("plan", "planned"))
    number = options["number"]
    return {**options, "number": {**number, "expected_changes": str(now) if number["expected_changes"] == str(whole) else number["expected_changes"]}}


# -- hand-over ---------------------------------------------------------------------------------------------------------------------------


def handed(row: Json) -> dict[str, t.Any]:
    """What the tasks of a user are given of a certificate."""
    at = {name: row["paths"].get(name, "") for name in ("key_path", "csr_path", "certificate_path", "chain_path", "fullchain_path")}
    return {
        "name": row["name"], "common_name": row["common_name"], "names": row["names"], **at, "platform": row["replacer"], "on": row["on"],
        "new": row["new"], "old_serial": row["serial"], "old_thumbprint": row["thumbprint"], "endpoints": row["endpoints"],
    }  # fmt: skip


def first_of_units(rows: t.Iterable[Json]) -> list[Json]:
    """One row for each thing that was replaced: several certificates of an order are replaced by one."""
    found: dict[str, Json] = {}
    for row in rows:
        found.setdefault(row["unit"], row)
    return list(found.values())
