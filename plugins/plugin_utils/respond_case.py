# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates an incident is about, and what is to be done with each where. Of results of find_certificates and of the folder; does no I/O."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils import reissue_record, rotate_record
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json

PLATFORMS = {"digicert": "DigiCert", "tpp": "TPP", "keyfactor": "Keyfactor", "cloudflare": "Cloudflare"}
# Where a certificate is replaced, the first of these that has it. Command shows certificates of all kinds of authorities and renews none here.
REPLACED_BY = {"digicert": "reissue", "tpp": "renew", "cloudflare": "create"}
# Where it is revoked: at its authority, else by the platform that has a way to it.
REVOKED_BY = ("digicert", "keyfactor", "cloudflare")
# A certificate that only Command shows may belong to one of these.
MAY_OWN = ("digicert", "tpp")
# What names a certificate on its platform, as the modules take it.
IDENTITY = {
    "digicert": ("order_id", "certificate_id"),
    "tpp": ("dn", "guid"),
    "keyfactor": ("id", "thumbprint"),
    "cloudflare": ("id", "zone_id"),
}
# What makes the same two rows of two runs.
KEY_OF = {"digicert": "order_id", "tpp": "guid", "keyfactor": "id", "cloudflare": "id"}
FIELDS = ("name", "common_name", "serial", "thumbprint", "fingerprint_sha256", "public_key_sha256", "issuer", "not_after")
CLIENT_FIELDS = (*rotate_record.SUBJECT, "validity_days", "fingerprint_sha256", "public_key_sha256", "status")


def bare(serial: t.Any) -> str:
    return str(serial or "").upper().lstrip("0")


# -- certificates ------------------------------------------------------------------------------------------------------------------------


def identities(certificate: Json) -> dict[str, dict[str, t.Any]]:
    """By platform, what names the certificate there, of the rows of the info modules."""
    found: dict[str, dict[str, t.Any]] = {}
    for platform, row in certificate["on"].items():
        found[platform] = {name: row.get(name) for name in IDENTITY[platform]}
        if platform == "digicert":
            current = row.get("certificate") or {}
            is_current = bare(current.get("serial")) == bare(certificate["serial"])
            former = [*(row.get("reissues") or ()), *(row.get("duplicates") or ())]
            same = [item for item in former if bare(item.get("serial")) == bare(certificate["serial"])]
            found[platform]["certificate_id"] = current.get("id") if is_current else same[0].get("id") if same else None
            found[platform]["common_name"] = row.get("common_name") or ""
            found[platform]["names"] = list(row.get("names") or ())
        elif platform == "cloudflare":
            found[platform].update({name: row.get(name) or "" for name in CLIENT_FIELDS})
            found[platform]["validity_days"] = row.get("validity_days") or 0
    return found


def _state(certificate: Json) -> str:
    """What it is now, in the word of the platform that can revoke it; empty where that is not told."""
    on, serial = certificate["on"], bare(certificate["serial"])
    if "digicert" in on:
        order = on["digicert"]
        held = [order.get("certificate") or {}, *(order.get("reissues") or ()), *(order.get("duplicates") or ())]
        return str(next((item.get("status") for item in held if serial and bare(item.get("serial")) == serial), "") or "")
    if "keyfactor" in on:
        return str(on["keyfactor"].get("state_name") or "")
    return str(on["cloudflare"].get("status") or "") if "cloudflare" in on else "managed"


def _same(one: Json, other: Json) -> bool:
    """Whether two rows of two runs are one certificate."""
    if bare(one["serial"]) != bare(other["serial"]):
        return False
    return any(str(one["on"][place][KEY_OF[place]]) == str(other["on"][place][KEY_OF[place]]) for place in one["on"] if place in other["on"])


def cases(found: Json, ledger: Json) -> dict[str, t.Any]:
    """The certificates that the incident is about, those of earlier runs with the same folder among them.

    :param found: what find_certificates has left.
    :param ledger: what earlier runs have kept in the folder.
    """
    begun = ledger.get("certificates") or {}
    made_here = {key for kept in begun.values() for key in _new_marks(kept.get("new") or {})}
    leaked = set(ledger.get("leaked") or ())
    chosen: dict[str, dict[str, t.Any]] = {}
    missing = [{"target": entry["target"], "why": entry["why"]} for entry in (*found["not_found"], *found["unreadable"])]
    replaced: list[str] = []
    for certificate in found["certificates"]:
        row: dict[str, t.Any] = {**{name: certificate.get(name) or "" for name in FIELDS}, "names": list(certificate["names"]), "on": identities(certificate)}
        kept = next((number for number, entry in begun.items() if _same(row, entry)), "")
        if not kept and begun:
            # A name finds what the incident has brought, too. What shares the key that leaked is part of it, whenever it is found.
            by_name = all(match["as"] == "name" for match in certificate["matched"])
            if _marks(row) & made_here or (by_name and row["public_key_sha256"] not in leaked):
                replaced.append(row["name"])
                continue
        number = kept or _number(row, chosen)
        entry = begun.get(kept, {})
        # What an earlier run knew of other platforms stays known.
        targets = sorted({*entry.get("targets", ()), *(str(match["target"]) for match in certificate["matched"])})
        row["state"] = entry.get("state") or _state(certificate)
        chosen[number] = {**row, "id": number, "on": {**entry.get("on", {}), **row["on"]}, "kept": entry, "targets": targets}
    for number, entry in begun.items():
        if number not in chosen:
            known = {name: entry[name] for name in (*FIELDS, "names", "on", "targets")}
            chosen[number] = {**known, "state": entry.get("state", ""), "id": number, "kept": entry}
    rows = [{**row, **_ways(row)} for row in chosen.values()]
    leaked.update(row["public_key_sha256"] for row in rows if row["public_key_sha256"])
    return {
        "cases": rows,
        # What only names a certificate that was replaced long since is not missing.
        "missing": [entry for entry in missing if not _known(entry["target"], rows)],
        "newer": replaced,
        "down": {name: entry["error"] for name, entry in found["platforms"].items() if entry["asked"] and entry["error"]},
        "asked": sorted(name for name, entry in found["platforms"].items() if entry["asked"]),
        "leaked": sorted(leaked),
    }


def _marks(row: Json) -> set[str]:
    return {str(row[name]).lower() for name in ("public_key_sha256", "thumbprint", "fingerprint_sha256") if row[name]}


def _new_marks(new: Json) -> set[str]:
    return {str(value).lower() for name, value in new.items() if name in ("public_key_sha256", "thumbprint", "fingerprint_sha256") and value}


def _number(row: Json, taken: t.Container[str]) -> str:
    number = bare(row["serial"]) or row["name"]
    # Two authorities may give the same serial number.
    return number if number not in taken else f"{number}/{next(iter(row['on']), '')}:{next(iter(row['on'].values()), {})}"


def _known(target: t.Any, rows: t.Iterable[Json]) -> bool:
    """Whether an earlier run has found what this one was asked for. Once it is replaced, some platforms do not find it any more."""
    begun = [row for row in rows if row["kept"]]
    hexadecimal = re.sub("[^0-9a-f]", "", str(target).lower())
    return any(str(target) in row["targets"] or any(mark in hexadecimal for mark in _marks(row)) for row in begun)


def _ways(row: Json) -> dict[str, t.Any]:
    replacer = next((platform for platform in REPLACED_BY if platform in row["on"]), "")
    unit = f"{replacer}:{row['on'][replacer][KEY_OF[replacer]]}" if replacer else ""
    return {
        "platforms": sorted(row["on"]),
        "client": "cloudflare" in row["on"],
        "replacer": replacer,
        "revoker": next((platform for platform in REVOKED_BY if platform in row["on"]), ""),
        "unit": unit,
    }


def held(case: Json, down: t.Collection[str]) -> str:
    """Why a certificate must not be revoked while platforms are down; empty where it may."""
    owners = [PLATFORMS[name] for name in MAY_OWN if name in down]
    if case["replacer"] or not owners:
        return ""
    return f"{' and '.join(owners)} could not be asked, where its replacement may be pending"


# -- what is replaced, each once ---------------------------------------------------------------------------------------------------------


def units(chosen: Json, keys: Json, own: Json, stand_in: str) -> list[dict[str, t.Any]]:
    """What the modules are given to replace: an order, an object or a client certificate, each once however many certificates of it leaked.

    :param keys: the result of certificate_request for ``requests``, in check mode or not.
    :param stand_in: a CSR for what has no key yet.
    """
    made = {entry["path"]: entry for entry in keys.get("requests") or ()}
    found = []
    for unit, case in first_of_each(chosen["cases"]):
        platform = case["replacer"]
        paths = files(case, own["folder"])
        request = made.get(paths.get("key_path", ""), {})
        csr = request.get("csr") or ""
        entry: dict[str, t.Any] = {}
        if platform == "digicert":
            entry = {"order_id": case["on"]["digicert"]["order_id"], "csr": csr or stand_in}
        elif platform == "cloudflare":
            days = int(case["on"]["cloudflare"]["validity_days"] or 0)
            entry = {"csr": csr, **({"validity_days": days} if days else {})}
        else:
            entry = {**{name: case["on"]["tpp"][name] for name in ("dn", "guid")}, "thumbprint": case["thumbprint"]}
        if csr:
            entry.update({name: paths[name] for name in ("certificate_path", "chain_path", "fullchain_path") if name in paths})
        problem = str(request.get("message") or "") if request.get("outcome") in ("refused", "failed") else ""
        found.append({
            "unit": unit,
            "platform": platform,
            "name": case["name"],
            "key": request.get("public_key_sha256") if csr else "",
            "paths": paths,
            "problem": problem,
            "entry": entry,
        })
    return found


def first_of_each(rows: t.Iterable[Json]) -> list[tuple[str, Json]]:
    seen: dict[str, Json] = {}
    for case in rows:
        if case["unit"]:
            seen.setdefault(case["unit"], case)
    return list(seen.items())


def files(case: Json, folder: str) -> dict[str, str]:
    """Where the new key and certificate are kept; nowhere where the platform makes the key."""
    if case["replacer"] == "digicert":
        return reissue_record.files(folder, case["on"]["digicert"])
    if case["replacer"] == "cloudflare":
        return rotate_record.files(folder, {**case["on"]["cloudflare"]})
    return {}


def requests(chosen: Json, own: Json, only: t.Collection[str] | None = None) -> list[dict[str, t.Any]]:
    """For certificate_request: a new key and CSR for each unit that needs one; with ``only``, for these."""
    found: list[dict[str, t.Any]] = []
    for unit, case in first_of_each(chosen["cases"]):
        if only is not None and unit not in only:
            continue
        if case["replacer"] == "digicert":
            order = case["on"]["digicert"]
            found += reissue_record.requests_for([{**order, **files(case, own["folder"])}])
        elif case["replacer"] == "cloudflare":
            found += rotate_record.requests([case["on"]["cloudflare"]], own)
    return found
