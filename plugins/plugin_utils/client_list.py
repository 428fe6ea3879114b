# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the flows for client certificates of Cloudflare select: lists as people send them, searches, and what was found of either. Does no I/O."""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import LIVE, PAGE_SIZE, RATE_LIMITS
from ansible_collections.certops.remediation.plugins.module_utils.errors import RemediationError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.x509 import meant_key_sha256
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, bad_numbers, entries, path, text
from ansible_collections.certops.remediation.plugins.plugin_utils.incident_list import (
    SPREADSHEET_NUMBER,
    cells_of,
    clean,
    decode,
    heading_word,
    hexadecimal,
    rows,
)
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import pace, rate_limits

# What an entry can be, the most exact first, and the headings of columns that hold it.
HEADINGS = {
    "id": re.compile("(client)?(cert(ificate)?)?id"),
    "fingerprint": re.compile(".*(fingerprint|thumbprint|sha256).*"),
    "serial": re.compile(".*serial.*"),
    "name": re.compile("(common|device|client|host)?name|cn|device|client|host|fqdn"),
}
ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
# Serial numbers of Cloudflare have far more digits; what is shorter may be the name of a device.
SERIAL = re.compile("[0-9A-F]{16,50}")
FINGERPRINT = re.compile("[0-9A-F]{64}")

# Planning, acting, looking again and waiting, with the list: for a first estimate.
REQUESTS_PER_CERTIFICATE = 5


# -- options -----------------------------------------------------------------------------------------------------------------------------


def selecting(given: Json, role: str) -> dict[str, t.Any]:
    """The options that select, as the tasks use them, and under ``complaints`` which of them cannot work."""
    zone = text(given["zone"])
    found: dict[str, t.Any] = {
        "certificates": given["certificates"] if text(given["certificates"]) else [],
        "list_path": path(given["list_path"]),
        "devices": [str(entry) for entry in entries(given["devices"])],
        "owners": [str(entry) for entry in entries(given["owners"])],
        "key_files": [path(entry) for entry in entries(given["key_files"])],
        "key_sha256": [word for line in entries(given["key_sha256"]) for word in re.split("[,; ]+", str(line)) if word],
        "expires_within_days": text(given.get("expires_within_days")),
        "zone_id": zone.lower() if re.fullmatch("[0-9A-Fa-f]{32}", zone) else "",
        "zone": "" if re.fullmatch("[0-9A-Fa-f]{32}", zone) else zone,
    }
    found["rate_limits"], bad_limits = rate_limits(given["rate_limits"], role, RATE_LIMITS)
    searched = [name for name in ("devices", "owners", "key_files", "key_sha256", "expires_within_days") if found[name]]
    ways = [*(name for name in ("certificates", "list_path") if found[name]), *searched[:1]]
    everything = [pattern for name in ("devices", "owners") for pattern in found[name] if not pattern.strip("* ")]
    said = {
        f"{role}_{' cannot be combined with '.join(ways).replace('with ', f'with {role}_')}": len(ways) > 1,
        f"{role}_devices and {role}_owners must hold more than {' and '.join(everything)}, which would be the whole zone": everything,
        bad_limits: bad_limits,
    }
    complaints = bad_numbers(role, {"expires_within_days": found["expires_within_days"]})
    return {**found, "searched": searched, "ways": ways, "complaints": complaints + [complaint for complaint, applies in said.items() if applies]}


def client_pace(selected: Json, own: Json) -> list[dict[str, t.Any]]:
    """The limits for each task of a run, so that all of them together stay within those of the token."""
    pages = math.ceil(selected["total"] / PAGE_SIZE)
    return pace(REQUESTS_PER_CERTIFICATE * (len(selected["certificates"]) + pages), own["rate_limits"])


# -- lists -------------------------------------------------------------------------------------------------------------------------------


def read_list(given: t.Any, content: str = "") -> dict[str, list[t.Any]]:
    """The entries of a list, each once: ``certificates`` as the modules take them, ``names``, and what is ``unreadable``.

    :param given: text, or a list of texts and mappings.
    :param content: a file in base64, instead of ``given``.
    """
    found: dict[str, list[t.Any]] = {"certificates": [], "names": []}
    listed, unreadable = rows(given, content, _kind)
    for place, row in listed:
        for kind, cell in _most_exact(row) if isinstance(row, dict) else [("", cell) for cell in cells_of(str(row))]:
            try:
                kind, value = _entry(kind, cell)
            except ValueError as error:
                unreadable.append({"target": f"{place}: {printable(cell, 80)}", "why": str(error)})
                continue
            kept = found["names" if kind == "name" else "certificates"]
            if value not in kept:
                kept.append(value)
    return {**found, "unreadable": unreadable}


def _kind(heading: str) -> str:
    word = heading_word(heading)
    return next((kind for kind, pattern in HEADINGS.items() if pattern.fullmatch(word)), "")


def _most_exact(row: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """Of a row with headings. Where that is damaged, what is less exact does not stand in for it."""
    cells = [(_kind(heading), clean(cell)) for heading, cell in row.items() if clean(cell)]
    told = [(kind, cell) for kind, cell in cells if kind]
    if not told:
        return [("none", "; ".join(cell for dummy, cell in cells))] if cells else []
    return [min(told, key=lambda pair: list(HEADINGS).index(pair[0]))]


def _entry(kind: str, cell: str) -> tuple[str, str]:
    """:raises ValueError: it is nothing to find a certificate by."""
    digits = hexadecimal(cell)
    if kind == "none":
        raise ValueError("holds no id, fingerprint, serial number or common name")
    if kind in ("", "serial") and SPREADSHEET_NUMBER.fullmatch(cell):
        raise ValueError("a spreadsheet has made a number of this; export the list again with the column as text")
    if kind in ("", "id") and ID.fullmatch(cell):
        return "id", cell.lower()
    if kind in ("", "fingerprint") and FINGERPRINT.fullmatch(digits):
        return "fingerprint", digits.lower()
    if kind in ("", "serial") and SERIAL.fullmatch(digits):
        return "serial", cell
    if kind not in ("", "name"):
        raise ValueError({"id": "is no id", "fingerprint": "is no SHA-256 fingerprint", "serial": "is no serial number"}[kind])
    if "*" in cell:
        raise ValueError("is a pattern; a list names certificates one by one")
    return "name", cell


# -- questions and answers ---------------------------------------------------------------------------------------------------------------


def client_questions(own: Json, files: t.Sequence[Json], recorded: t.Sequence[Json] = (), *, live_only: bool = False) -> dict[str, t.Any]:
    """What the module cloudflare_client_cert_info is asked, in ``questions``, and what has to come of it.

    :param files: the files of the options, as the module flow_files reads them.
    :param recorded: certificates of an earlier record, instead of all others.
    :param live_only: whether only those that are active are meant where a name stands for several.
    """
    contents = {entry["path"]: entry["content"] for entry in files}
    live = {"status": sorted(LIVE)} if live_only else {}
    if recorded:
        return {"questions": [{"certificates": list(recorded)}], "names": [], "keys": [], "unreadable": []}
    if own["searched"]:
        keys, unreadable = _keys(own, contents)
        wanted: dict[str, t.Any] = {"common_name": own["devices"], "organizational_unit": own["owners"], "public_keys": keys}
        question: dict[str, t.Any] = {name: values for name, values in wanted.items() if values}
        if own["expires_within_days"]:
            question["expires_within_days"] = int(own["expires_within_days"])
        # Where no key can be read, there is nothing to look for: no filter would mean everything.
        return {"questions": [{**live, **question}] if question else [], "names": [], "keys": keys, "unreadable": unreadable}
    read = read_list(own["certificates"], contents.get(own["list_path"], ""))
    questions: list[dict[str, t.Any]] = [{"certificates": read["certificates"]}] if read["certificates"] else []
    if read["names"]:
        questions.append({**live, "common_name": read["names"]})
    return {"questions": questions, "names": read["names"], "keys": [], "unreadable": read["unreadable"]}


def _keys(own: Json, contents: t.Mapping[str, str]) -> tuple[list[str], list[dict[str, str]]]:
    keys: list[str] = []
    unreadable = []
    for name, given in [(value, value) for value in own["key_sha256"]] + [(file, decode(contents[file])) for file in own["key_files"]]:
        try:
            keys.append(meant_key_sha256("key", given))
        except RemediationError as error:
            unreadable.append({"target": printable(name, 100), "why": error.message})
    return list(dict.fromkeys(keys)), unreadable


def client_selection(answers: t.Sequence[Json], asked: Json, own: Json) -> dict[str, t.Any]:
    """The certificates that were found, each once, and in words what was not.

    :param answers: the results of cloudflare_client_cert_info, one for each question.
    """
    certificates = list({certificate["id"]: certificate for answer in answers for certificate in answer["certificates"]}.values())
    missing = [dict(entry) for entry in asked["unreadable"]]
    missing += [{"target": entry["target"], "why": entry["error"]["message"]} for answer in answers for entry in answer["not_found"]]
    names = [certificate["common_name"].lower() for certificate in certificates]
    missing += [{"target": name, "why": "no certificate of the zone has this common name"} for name in asked["names"] if name.lower() not in names]
    keys = [certificate["public_key_sha256"] for certificate in certificates]
    # Of those who have certificates, some have none that ends soon, and that is fine.
    due_only = bool(own["expires_within_days"])
    sought = [] if due_only else asked["keys"]
    missing += [{"target": f"key {key}", "why": "no certificate that was found has this key"} for key in sought if key not in keys]
    for option, field, what in (("devices", "common_name", "common name"), ("owners", "organizational_unit", "organizational unit")):
        values = [certificate[field] for certificate in certificates]
        missing += [
            {"target": pattern, "why": f"no certificate that was found has this {what}"}
            for pattern in (own[option] if asked["questions"] and own["searched"] and not due_only else [])
            if not any(_matches(pattern, value) for value in values)
        ]
    first: Json = answers[0] if answers else {}
    return {
        "certificates": certificates,
        "missing": missing,
        "zone_id": first.get("zone_id") or "",
        "total": max([answer["total"] or 0 for answer in answers], default=0),
        "firewall": first.get("firewall") or {},
        "hostnames": first.get("hostnames"),
    }


def _matches(pattern: str, value: str) -> bool:
    """As cloudflare_client_cert_info does it."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.strip().split("*"))), value, re.IGNORECASE | re.DOTALL))
