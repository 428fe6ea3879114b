# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role find_certificates looks for, asks the platforms, and makes of their answers. Does no I/O."""

from __future__ import annotations

import base64
import binascii
import csv
import dataclasses
import io
import os
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import RemediationError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    Material,
    comparable_name,
    fingerprint_sha256,
    materials_in,
    same_dn,
    thumbprint,
)
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, bad_numbers, entries, path, text, truth, words_of
from ansible_collections.certops.remediation.plugins.plugin_utils.incident_list import (
    SPREADSHEET_NUMBER,
    cells_of,
    clean,
    decode,
    heading_word,
    hexadecimal,
    host_name,
    rows,
    serial,
    shown,
)
from ansible_collections.certops.remediation.plugins.plugin_utils.platforms import NAMES as TITLES
from ansible_collections.certops.remediation.plugins.plugin_utils.platforms import NAMES, chosen
from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_list import NAME_HEADINGS

ROLE = "find_certificates"
PLATFORMS = tuple(TITLES)
NUMBERS = {"key_limit": "1000", "history_limit": "200", "concurrency": "8"}
REPORT_FORMATS = ("json", "csv")
# What names exactly one certificate, the surest first. To a serial number, two authorities may have a certificate.
IDENTITIES = ("fingerprint", "thumbprint", "serial")
PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
PIN = re.compile(r"(?:spki|pin-sha256|sha256//|public[ _-]?key)[ :=/\"]*", re.IGNORECASE)

Entry = t.Dict[str, t.Any]
Rows = t.List[t.Dict[str, t.Any]]


# -- options -----------------------------------------------------------------------------------------------------------------------------


def options(given: Json) -> dict[str, t.Any]:
    """The options as the tasks use them, and under ``complaints`` which of them cannot work.

    :param given: the options without the role's prefix, as they were set.
    """
    asked, complaints = chosen(given["platforms"], os.environ, ROLE)
    numbers = {name: text(given[name]) or default for name, default in NUMBERS.items()}
    formats = words_of(given["report_formats"]) or list(REPORT_FORMATS)
    unknown_formats = [name for name in formats if name not in REPORT_FORMATS]
    limits = given["rate_limits"] or {}
    inline_key = "PRIVATE KEY-----" in str(given["list"])
    found: dict[str, t.Any] = {
        "list": [] if inline_key or (isinstance(given["list"], str) and not given["list"].strip()) else given["list"] or [],
        "list_path": path(given["list_path"]),
        "files": [path(entry) for entry in entries(given["files"])],
        "platforms": asked,
        "share_key": truth(given["share_key"], True),
        "tpp_folder": text(given["tpp_folder"]),
        "keyfactor_query": text(given["keyfactor_query"]),
        "zones": words_of(given["zones"]) or [""],
        "rate_limits": limits if isinstance(limits, t.Mapping) else {},
        "number": numbers,
        "report_base": re.sub(r"\.(json|csv)$", "", path(given["report_path"])),
        "report_formats": formats,
        **{name: truth(given[name], False) for name in ("fail_if_none", "fail_if_not_found", "fail_if_unreadable", "fail_if_unreachable")},
    }
    said = {
        f"{ROLE}_list holds a private key, which does not belong into a variable. Give the file that it is in with {ROLE}_files": inline_key,
        f"Nothing to look for. Set {ROLE}_list, {ROLE}_list_path or {ROLE}_files": not (inline_key or found["list"] or found["list_path"] or found["files"]),
        f"{ROLE}_report_formats does not know {', '.join(unknown_formats)}. It knows {', '.join(REPORT_FORMATS)}": unknown_formats,
        f"{ROLE}_rate_limits is a mapping with a list of limits by platform": not isinstance(limits, t.Mapping),
    }
    return {**found, "complaints": complaints + bad_numbers(ROLE, numbers) + [complaint for complaint, applies in said.items() if applies]}


# -- what is looked for ------------------------------------------------------------------------------------------------------------------


def read_entries(own: Json, files: t.Sequence[Json]) -> dict[str, t.Any]:
    """The entries of the list and the files, each once, the lines that cannot be understood, and under ``complaints`` why it is no use to go on.

    :param files: the files of the options, as the module flow_files reads them, whether or not it could.
    """
    contents = {entry["path"]: entry["content"] for entry in files if entry["content"] is not None}
    complaints = [f"{entry['path']}: {entry['msg']}" for entry in files if entry["content"] is None]
    found, unreadable = _of_list(own["list"])
    if own["list_path"] in contents:
        read, bad = _of_list(decode(contents[own["list_path"]]))
        if not read and not bad:
            complaints.append(f"{ROLE}_list_path: {own['list_path']} holds no entries. Give the file that was meant")
        found, unreadable = found + read, unreadable + bad
    for name in [name for name in own["files"] if name in contents]:
        try:
            found += _of_materials(name, materials_in("file", base64.b64decode(contents[name])))
        except RemediationError as error:
            unreadable.append({"target": printable(name, 200), "why": error.message.partition(": ")[2] or error.message})
    if own["files"] and not found and not complaints:
        complaints.append(f"{ROLE}_files: nothing can be looked for, because none of them holds a certificate, a CSR or a key")
    once: dict[str, Entry] = {}
    for entry in found:
        once.setdefault(repr((entry["marks"], entry["key"])), entry)
    return {"entries": list(once.values()), "unreadable": unreadable, "complaints": complaints}


def _of_list(given: t.Any) -> tuple[list[Entry], list[dict[str, str]]]:
    found: list[Entry] = []
    unreadable: list[dict[str, str]] = []
    if isinstance(given, str) and not given.lstrip("\ufeff \r\n\t").startswith(("[", "{")):
        # What is left has its line numbers still.
        for match in PEM.finditer(given):
            _take_pem(f"line {given.count(chr(10), 0, match.start()) + 1}", match[0], found, unreadable)
        given = PEM.sub(lambda match: "\n" * match[0].count("\n"), given)
    listed, broken = rows(given, "", _heading)
    for place, row in listed:
        pems = [str(cell) for cell in (row.values() if isinstance(row, dict) else [row]) if "-----BEGIN" in str(cell)]
        if pems:
            _take_pem(place, pems[0].replace("\\n", "\n"), found, unreadable)
            continue
        try:
            found += [_of_columns(row)] if isinstance(row, dict) else _of_line(str(row))
        except ValueError as error:
            unreadable.append({"target": shown(place, row), "why": str(error)})
    return found, broken + unreadable


def _take_pem(place: str, pem: str, found: list[Entry], unreadable: list[dict[str, str]]) -> None:
    try:
        found += _of_materials(place, materials_in("entry", pem.encode("utf-8", "replace")))
    except RemediationError as error:
        # Never the text itself: it may be a private key.
        unreadable.append({"target": f"{place}: PEM", "why": error.message.partition(": ")[2] or error.message})


def _entry(target: str, kind: str, marks: Rows, key: str = "") -> Entry:
    """An entry.

    :param marks: one or more ways to read it; of one of them, all that a certificate shows must be as it says.
    :param key: of a certificate at hand, for what shares it.
    """
    return {"target": printable(target, 200), "kind": kind, "marks": marks, "key": key}


def _of_materials(place: str, held: t.Sequence[Material]) -> list[Entry]:
    """The entries of a file. Of a chain, those that are no authority's: everything of a CA would share that key."""
    leaves = [material for material in held if material.certificate is None or not _is_ca(material.certificate)] or list(held)
    found = []
    for material in leaves:
        certificate = material.certificate
        if certificate is None:
            found.append(_entry(f"{place}: {material.kind.replace('_', ' ')} {material.key[:16]}", "public_key", [{"public_key": material.key}]))
            continue
        number = f"{certificate.serial_number:X}"
        marks = {
            "fingerprint": fingerprint_sha256(certificate),
            "thumbprint": thumbprint(certificate),
            "serial": number,
            "issuer": certificate.issuer.rfc4514_string(),
        }
        found.append(_entry(f"{place}: certificate {number}", "certificate", [marks], material.key))
    return found


def _is_ca(certificate: t.Any) -> bool:
    try:
        return any(getattr(extension.value, "ca", False) for extension in certificate.extensions)
    except ValueError:
        return False


def _heading(heading: str) -> str:
    """What a column holds by its heading; empty when that is nothing to find a certificate by."""
    word = heading_word(heading)
    if "publickey" in word or "spki" in word or word.startswith("pin"):
        return "public_key"
    if "issuer" in word:
        return "issuer"
    if "serial" in word:
        return "serial"
    if "thumbprint" in word or "fingerprint" in word or word in ("sha1", "sha256", "hash"):
        return "mark"
    return "name" if word in (*NAME_HEADINGS, "device", "client", "subject", "san", "dnsnames") else "pem" if word in ("pem", "certificate", "csr") else ""


def _public_key(cell: str) -> str:
    """The SHA-256 of a public key, also as it is pinned, in base64."""
    rest = PIN.sub("", cell, count=1).strip("\"'; ")
    digits = hexadecimal(rest)
    if len(digits) == 64:
        return digits.lower()
    try:
        pinned = base64.b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        pinned = b""
    if len(pinned) != 32:
        raise ValueError("is no SHA-256 of a public key, which has 64 hexadecimal digits, or 44 characters in base64")
    return pinned.hex()


def _mark(cell: str) -> tuple[str, str]:
    digits = hexadecimal(cell)
    if len(digits) not in (40, 64):
        raise ValueError("is neither a SHA-1 thumbprint of 40 hexadecimal digits nor a SHA-256 fingerprint of 64")
    return ("thumbprint", digits) if len(digits) == 40 else ("fingerprint", digits.lower())


def _name(cell: str) -> str:
    """A name under a heading: devices have names without a dot."""
    name = comparable_name(cell.partition("CN=")[2].partition(",")[0] if cell.upper().startswith("CN=") else cell)
    if not name or "*" in name[1:]:
        raise ValueError("is no name")
    return name


def _of_columns(row: t.Mapping[str, t.Any]) -> Entry:
    """All that identifies the certificate of a row, together; only where there is nothing of that its key, and else its name."""
    given: dict[str, str] = {}
    for heading, cell in row.items():
        kind = _heading(str(heading))
        # The rows of the info modules hold lists and mappings as well.
        if kind and clean(cell) and not isinstance(cell, (list, dict)):
            given.setdefault(kind if kind != "mark" else f"mark {heading}", clean(cell))
    marks = dict(_mark(cell) for kind, cell in given.items() if kind.startswith("mark "))
    if "serial" in given:
        marks["serial"] = serial(given["serial"]).lstrip("0") or "0"
    identity = next((kind for kind in IDENTITIES if kind in marks), "")
    name = given.get("name", "")
    if identity:
        if "issuer" in given:
            marks["issuer"] = given["issuer"]
        return _entry(f"{name} ({marks[identity]})" if name else marks[identity], identity, [marks])
    if "public_key" in given:
        key = _public_key(given["public_key"])
        return _entry(f"{name} (key {key[:16]})" if name else f"key {key}", "public_key", [{"public_key": key}])
    if name:
        return _entry(name, "name", [{"name": _name(name)}])
    raise ValueError("holds no serial number, thumbprint, fingerprint, public key or name")


def _guess(cell: str) -> tuple[str, str]:
    """What a cell without a heading is.

    :raises ValueError: it is nothing to find a certificate by.
    """
    if PIN.match(cell):
        return "public_key", _public_key(cell)
    digits = hexadecimal(cell)
    if len(digits) in (40, 64):
        return _mark(cell)
    if len(digits) > 15 or SPREADSHEET_NUMBER.fullmatch(cell):
        return "serial", serial(cell).lstrip("0") or "0"
    try:
        return "name", comparable_name(host_name(cell))
    except ValueError:
        short = "is too short to be told from something else; put it below a heading" if digits else ""
        raise ValueError(short or "is no serial number, thumbprint, fingerprint, public key or host name") from None


def _of_line(line: str) -> list[Entry]:
    """Cells of different kinds say the same of one certificate; of the same kind, they are entries of their own."""
    guessed, failure = [], ValueError("is empty")
    for cell in cells_of(line):
        if SPREADSHEET_NUMBER.fullmatch(cell):
            # What stands beside it may be the rest of it.
            serial(cell)
        try:
            guessed.append((*_guess(cell), cell))
        except ValueError as error:
            failure = error
    if not guessed:
        raise failure
    kinds = [kind for kind, dummy, dummy2 in guessed]
    kind = next(kind for kind in (*IDENTITIES, "public_key", "name") if kind in kinds)
    identities = {found: value for found, value, dummy in guessed if found in IDENTITIES}
    if len(identities) > 1 and all(kinds.count(found) == 1 for found in identities):
        return [_entry(identities[kind], kind, [identities])]
    return [_entry(cell if found != "public_key" else f"key {value}", found, _readings(found, value)) for found, value, cell in guessed if found == kind]


def _readings(kind: str, value: str) -> Rows:
    """Twenty bytes are a thumbprint or a serial number, and thirty-two are of a certificate or of a key. What both say, no other certificate has."""
    other = {"thumbprint": ("serial", value.lstrip("0")), "fingerprint": ("public_key", value)}
    return [{kind: value}, *([dict([other[kind]])] if kind in other else [])]


# -- questions ---------------------------------------------------------------------------------------------------------------------------


def question(platform: str, looked_for: Json, own: Json, found: Json, *, second: bool) -> dict[str, t.Any]:
    """What the info module of a platform is asked; empty where there is nothing to ask.

    The first time, ``found`` is what the platforms asked before have answered: CertCentral is asked last, because it finds a serial number in its list
    and a thumbprint only one by one. The second time, it is what all of them have: everything that shares a key of it, and the same certificates elsewhere.

    :param looked_for: the entries.
    :param found: what ``join`` has made of the answers so far.
    """
    wanted: dict[str, set[str]] = {name: set() for name in ("serial", "thumbprint", "fingerprint_sha256", "public_key_sha256", "name")}
    fields = {"fingerprint": "fingerprint_sha256", "public_key": "public_key_sha256"}
    if not second:
        for entry in looked_for["entries"]:
            for marks in entry["marks"]:
                for kind, value in marks.items():
                    if kind != "issuer":
                        wanted[fields.get(kind, kind)].add(value)
        # A fingerprint names no more than a thumbprint does, and costs far more where it is not shown.
        sure = {entry["marks"][0]["fingerprint"] for entry in looked_for["entries"] if entry["kind"] == "certificate"}
        wanted["fingerprint_sha256"] -= sure
        wanted["public_key_sha256"] |= set(asked_keys(looked_for, own))
    else:
        wanted["public_key_sha256"] = set(found["keys"]) - set(asked_keys(looked_for, own))
        # Where all keys were compared, everything with a key that was asked for is found already.
        complete = set(asked_keys(looked_for, own)) if found["compared"].get(platform) else set()
        elsewhere = [item for item in found["certificates"] if platform not in item["platforms"] and item["public_key_sha256"] not in complete]
        wanted["serial"] = {certificate["serial"] for certificate in elsewhere if certificate["serial"] and not _was_asked(certificate, looked_for)}
        if platform != "digicert":
            wanted["thumbprint"] = {certificate["thumbprint"] for certificate in elsewhere if certificate["thumbprint"]} - _asked(looked_for, "thumbprint")
    given = {name: sorted(values) for name, values in wanted.items() if values}
    if platform != "digicert" or not given:
        return {"any_of": given} if given else {}
    return _digicert_question(given, {"entries": []} if second else looked_for, own, found)


def asked_keys(looked_for: Json, own: Json) -> list[str]:
    """The keys that are known before anything is found."""
    return sorted({entry["key"] for entry in looked_for["entries"] if entry["key"] and own["share_key"]} | _asked(looked_for, "public_key"))


def _asked(looked_for: Json, kind: str) -> set[str]:
    return {marks[kind] for entry in looked_for["entries"] for marks in entry["marks"] if kind in marks}


def _was_asked(certificate: Json, looked_for: Json) -> bool:
    return certificate["serial"] in _asked(looked_for, "serial")


def _digicert_question(given: t.Mapping[str, list[str]], looked_for: Json, own: Json, found: Json) -> dict[str, t.Any]:
    """A thumbprint costs a request, and a serial number next to nothing; where another platform has told it, the thumbprint is not asked for."""
    told = {certificate["thumbprint"]: certificate["serial"] for certificate in found["certificates"] if certificate["thumbprint"] and certificate["serial"]}
    with_serial = {marks["thumbprint"] for entry in looked_for["entries"] for marks in entry["marks"] if "thumbprint" in marks and "serial" in marks}
    serials = dict.fromkeys(given.get("serial", []))
    serials.update(dict.fromkeys(told[mark] for mark in given.get("thumbprint", []) if mark in told))
    # What another platform has shown to be a serial number of twenty bytes is no thumbprint.
    spoken_for = {*told, *with_serial, *told.values()}
    alone = [mark for mark in given.get("thumbprint", []) if mark not in spoken_for and mark.lstrip("0") not in spoken_for]
    asked = {
        "certificates": [{"serial": number} for number in serials] + [{"thumbprint": mark} for mark in alone[: int(own["number"]["key_limit"])]],
        "names": given.get("name", []),
        "public_key_sha256": given.get("public_key_sha256", []),
    }
    return {**asked, "left_out": max(0, len(alone) - int(own["number"]["key_limit"]))} if any(asked.values()) else {}


# -- answers -----------------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Sighting:
    """A certificate as one platform shows it; empty where it does not."""

    platform: str
    row: dict[str, t.Any]
    common_name: str = ""
    names: t.Sequence[str] = ()
    serial: str = ""
    thumbprint: str = ""
    fingerprint: str = ""
    key: str = ""
    issuer: str = ""
    not_after: str = ""

    def agrees(self, other: Sighting) -> bool:
        """Whether nothing that both show says that these are two certificates."""
        for name in ("serial", "thumbprint", "fingerprint", "key"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine and theirs and mine != theirs:
                return False
        return not (self.issuer and other.issuer) or same_issuer(self.issuer, other.issuer)


def same_issuer(one: str, other: str) -> bool:
    """Whether two platforms speak of one authority: CertCentral knows it by its common name only."""
    return same_dn(one, other) or (("=" in one) != ("=" in other) and _common_name(one) == _common_name(other))


def _common_name(dn: str) -> str:
    found = re.search(r"(?:^|,)\s*CN=((?:\\.|[^,\\])*)", dn, re.IGNORECASE)
    return (found[1] if found else dn).replace("\\", "").strip().casefold()


def _plain(value: t.Any) -> str:
    return "" if value is None else str(value)


def _bare(number: t.Any) -> str:
    return _plain(number).upper().lstrip("0")


def sightings(platform: str, row: dict[str, t.Any]) -> list[Sighting]:
    """The certificates of a row: one, and of an order of CertCentral those that were looked for."""
    if platform == "digicert":
        return _sightings_of_order(row)
    ends = {"tpp": "valid_to", "keyfactor": "not_after", "cloudflare": "expires_on"}
    issuer = row.get("certificate_authority") if platform == "cloudflare" else row.get("issuer")
    return [
        Sighting(
            platform,
            row,
            common_name=_plain(row.get("common_name")),
            names=[_plain(name) for name in (row.get("common_name"), *(row.get("dns_names") or ())) if name],
            serial=_bare(row.get("serial")),
            thumbprint=_plain(row.get("thumbprint")).upper(),
            fingerprint=_plain(row.get("fingerprint_sha256")).lower(),
            key=_plain(row.get("public_key_sha256")).lower(),
            issuer=_plain(issuer),
            not_after=_plain(row.get(ends[platform])),
        )
    ]


def _sightings_of_order(row: dict[str, t.Any]) -> list[Sighting]:
    current = row["certificate"]
    issuer = _plain(current.get("ca"))
    # A former certificate may be of another authority than the current one.
    listed = {_bare(item["serial"]): item for item in [*(row["reissues"] or ()), *(row["duplicates"] or ())] if item["serial"]}
    found = {}
    for match in row["matched"] or [{"as": "name", "target": ""}]:
        former = listed.get(_bare(hexadecimal(match["target"]))) or next(
            (item for item in listed.values() if item["thumbprint"] == hexadecimal(match["target"])), None
        )
        if match["as"] in ("current", "name") or (former and _bare(former["serial"]) == _bare(current["serial"])):
            held, names, common_name, ca = current, row["names"], row["common_name"], issuer
        elif former:
            held, names, common_name, ca = former, former["names"], former["common_name"], ""
        else:
            digits = hexadecimal(match["target"])
            held = {"thumbprint" if len(digits) == 40 else "serial": digits}
            names, common_name, ca = (), row["common_name"], ""
        sighting = Sighting(
            "digicert",
            row,
            common_name=_plain(common_name),
            names=list(names),
            serial=_bare(held.get("serial")),
            thumbprint=_plain(held.get("thumbprint")).upper(),
            key=_plain(held.get("public_key_sha256")).lower(),
            issuer=ca,
            not_after=_plain(held.get("valid_till")),
        )
        found[sighting.serial or sighting.thumbprint] = sighting
    return list(found.values())


def joined(seen: t.Sequence[Sighting]) -> list[list[Sighting]]:
    """The sightings of each certificate together. Where a serial number alone would join what may be two certificates, it does not."""
    parent = list(range(len(seen)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for name in ("fingerprint", "thumbprint"):
        known: dict[str, int] = {}
        for place, sighting in enumerate(seen):
            mark = getattr(sighting, name)
            if mark:
                parent[root(place)] = root(known.setdefault(mark, place))
    by_serial: dict[str, list[int]] = {}
    for place, sighting in enumerate(seen):
        if sighting.serial:
            by_serial.setdefault(sighting.serial, []).append(place)
    for places in by_serial.values():
        if all(seen[one].agrees(seen[other]) for one in places for other in places if one < other):
            for place in places:
                parent[root(place)] = root(places[0])
        else:
            for one in places:
                for other in places:
                    if one < other and seen[one].issuer and seen[other].issuer and seen[one].agrees(seen[other]):
                        parent[root(one)] = root(other)
    groups: dict[int, list[Sighting]] = {}
    for place, sighting in enumerate(seen):
        groups.setdefault(root(place), []).append(sighting)
    return list(groups.values())


def _certificate(group: t.Sequence[Sighting]) -> dict[str, t.Any]:
    def best(name: str) -> str:
        return next((getattr(sighting, name) for sighting in group if getattr(sighting, name)), "")

    names = list(dict.fromkeys(comparable_name(name) for sighting in group for name in sighting.names))
    platforms = [name for name in PLATFORMS if any(sighting.platform == name for sighting in group)]
    # A DN says more than the name of an authority.
    issuers = sorted((sighting.issuer for sighting in group if sighting.issuer), key=lambda issuer: "=" not in issuer)
    return {
        "name": best("common_name") or next(iter(names), "") or best("thumbprint") or best("serial"),
        "common_name": best("common_name"),
        "names": names,
        "serial": best("serial") or None,
        "thumbprint": best("thumbprint") or None,
        "fingerprint_sha256": best("fingerprint") or None,
        "public_key_sha256": best("key") or None,
        "issuer": next(iter(issuers), "") or None,
        # TPP writes fractions, and CertCentral knows the day only.
        "not_after": max((re.sub(r"\.\d+", "", sighting.not_after) for sighting in group), key=len) or None,
        "platforms": platforms,
        "matched": [],
        "on": {sighting.platform: sighting.row for sighting in group},
    }


class Index:
    """The entries by their marks, so that thousands of them are not compared with thousands of certificates one by one."""

    def __init__(self, looked_for: Json) -> None:
        self._entries: list[Entry] = looked_for["entries"]
        self._places: dict[tuple[str, str], list[tuple[int, Json]]] = {}
        for place, entry in enumerate(self._entries):
            for marks in entry["marks"]:
                for kind, value in marks.items():
                    self._places.setdefault((kind, value), []).append((place, marks))

    def matches(self, certificate: Json) -> list[tuple[int, str, bool]]:
        """The entries that mean a certificate: their places, as what, and whether by the serial number alone."""
        shown = {
            "fingerprint": certificate["fingerprint_sha256"],
            "thumbprint": certificate["thumbprint"],
            "serial": certificate["serial"],
            "public_key": certificate["public_key_sha256"],
        }
        found: dict[int, tuple[str, bool]] = {}
        pairs = [*shown.items(), *(("name", name) for name in certificate["names"])]
        for kind, value in pairs:
            for place, marks in self._places.get((kind, value or ""), ()):
                if place in found or not self._holds(marks, shown, certificate):
                    continue
                seen = [name for name in (*IDENTITIES, "public_key") if name in marks and shown[name]]
                alone = seen == ["serial"] and not ("issuer" in marks and certificate["issuer"])
                found[place] = ("certificate" if self._entries[place]["kind"] == "certificate" else kind, alone)
        return [(place, kind, alone) for place, (kind, alone) in found.items()]

    @staticmethod
    def _holds(marks: Json, shown: Json, certificate: Json) -> bool:
        """Whether all that the certificate shows is as the entry says."""
        if any(kind in shown and shown[kind] and shown[kind] != value for kind, value in marks.items()):
            return False
        return "issuer" not in marks or not certificate["issuer"] or same_issuer(marks["issuer"], certificate["issuer"])


def join(answers: t.Sequence[Json], looked_for: Json, own: Json) -> dict[str, t.Any]:
    """What the platforms have answered so far, put together.

    :param answers: each with ``platform`` and ``rows``.
    """
    merged: dict[tuple[str, str], dict[str, t.Any]] = {}
    for answer in answers:
        for row in answer["rows"]:
            _merge(merged, answer["platform"], row)
    seen = [sighting for (platform, dummy), row in merged.items() for sighting in sightings(platform, row)]
    certificates = [_certificate(group) for group in joined(seen)]
    index = Index(looked_for)
    matched = [index.matches(certificate) for certificate in certificates]
    by_serial: dict[int, list[int]] = {}
    for number, matches in enumerate(matched):
        for place, dummy, alone in matches:
            if alone:
                by_serial.setdefault(place, []).append(number)
    ambiguous = {place: numbers for place, numbers in by_serial.items() if len(numbers) > 1}
    hit: dict[int, bool] = {}
    origins: dict[str, str] = {}
    for entry in looked_for["entries"]:
        if entry["key"] and own["share_key"]:
            origins.setdefault(entry["key"], entry["target"])
    for certificate, matches in zip(certificates, matched):
        kept = [(place, kind) for place, kind, alone in matches if not (alone and place in ambiguous)]
        certificate["matched"] = [{"target": looked_for["entries"][place]["target"], "as": kind} for place, kind in kept]
        hit.update((place, True) for place, dummy in kept)
        if kept and own["share_key"] and certificate["public_key_sha256"]:
            origins.setdefault(certificate["public_key_sha256"], certificate["matched"][0]["target"])
    shared_by = {certificate["public_key_sha256"] for certificate in certificates}
    for certificate in certificates:
        key = certificate["public_key_sha256"]
        if not certificate["matched"] and key in origins:
            certificate["matched"] = [{"target": origins[key], "as": "shares_key"}]
    missing = []
    for place, entry in enumerate(looked_for["entries"]):
        if place in ambiguous and place not in hit:
            told = "; ".join(_told_apart(certificates[number]) for number in ambiguous[place][:4])
            why = f"{len(ambiguous[place])} certificates have this serial number ({told}). Give the issuer or the thumbprint with it"
            missing.append({"target": entry["target"], "why": why})
        elif place not in hit and not (entry["key"] in origins and entry["key"] in shared_by):
            missing.append({"target": entry["target"], "why": "no platform that was asked has it"})
    return {
        "certificates": [certificate for certificate in certificates if certificate["matched"]],
        "keys": sorted(origins),
        "missing": missing,
        "compared": {answer["platform"]: not answer["not_compared"] for answer in answers if not answer["error"]},
    }


def _told_apart(certificate: Json) -> str:
    where = ", ".join(NAMES[name] for name in certificate["platforms"])
    return f"{certificate['name']} of {certificate['issuer'] or 'an unknown issuer'}, {where}"


# What a platform knows a row by.
ROW_KEYS = {"tpp": "guid", "keyfactor": "id", "digicert": "order_id", "cloudflare": "id"}


def _merge(merged: dict[tuple[str, str], dict[str, t.Any]], platform: str, row: Json) -> None:
    """The row of the later question may know less than that of the first, or more."""
    known = merged.setdefault((platform, f"{row.get('zone_id', '')} {row[ROW_KEYS[platform]]}"), dict(row))
    for name, value in row.items():
        if known.get(name) in (None, "") and value not in (None, ""):
            known[name] = value
    if platform == "digicert":
        extra = [match for match in row["matched"] if match not in known["matched"]]
        known["matched"] = [*known["matched"], *extra]
        known["certificate"] = {name: value if value is not None else row["certificate"].get(name) for name, value in known["certificate"].items()}
        known["replaced"] = bool(known["matched"]) and all(match["replaced"] for match in known["matched"])


def questions(answers: t.Sequence[Json], platforms: t.Sequence[str], looked_for: Json, own: Json, *, second: bool) -> dict[str, t.Any]:
    """By platform what its info module is asked; without those that there is nothing to ask."""
    found = join(answers, looked_for, own)
    asked = {name: question(name, looked_for, own, found, second=second) for name in platforms if name in own["platforms"]}
    return {name: given for name, given in asked.items() if given}


def answers_to(asked: Json, results: t.Mapping[str, t.Sequence[Json]]) -> list[dict[str, t.Any]]:
    """The answers to ``questions``, by the results of the info modules."""
    return [answer_of(name, results[name], given.get("left_out", 0)) for name, given in asked.items()]


def answer_of(platform: str, results: t.Sequence[Json], left_out: int = 0) -> dict[str, t.Any]:
    """What came of the questions to one platform.

    :param results: of the info module, one for each zone; a task that failed has its ``msg``.
    """
    field = "orders" if platform == "digicert" else "certificates"
    failed = [result for result in results if field not in result and not result.get("skipped")]
    return {
        "platform": platform,
        "rows": [row for result in results for row in result.get(field) or []],
        "error": "; ".join(dict.fromkeys(text(result.get("msg")) or "the task ended without a result" for result in failed)),
        "requests": sum(int((result.get("http") or {}).get("requests") or 0) for result in results),
        "not_compared": left_out + sum(int(result.get("not_compared") or 0) for result in results),
    }


def result(answers: t.Sequence[Json], looked_for: Json, own: Json) -> dict[str, t.Any]:
    """The fact that the role leaves."""
    found = join(answers, looked_for, own)
    by_platform = {name: [answer for answer in answers if answer["platform"] == name] for name in PLATFORMS}
    platforms = {
        name: {
            "asked": bool(given),
            "error": "; ".join(dict.fromkeys(answer["error"] for answer in given if answer["error"])),
            "requests": sum(answer["requests"] for answer in given),
            "not_compared": max([answer["not_compared"] for answer in given], default=0),
        }
        for name, given in by_platform.items()
    }
    certificates = sorted(found["certificates"], key=lambda certificate: (certificate["name"], certificate["serial"] or ""))
    keys: dict[str, list[Json]] = {}
    for certificate in certificates:
        if certificate["public_key_sha256"]:
            keys.setdefault(certificate["public_key_sha256"], []).append(certificate)
    not_asked = [name for name in own["platforms"] if platforms[name]["error"]]
    targets: dict[str, list[Json]] = {name: [] for name in PLATFORMS}
    for certificate in certificates:
        for name, row in certificate["on"].items():
            if row not in targets[name]:
                targets[name].append(row)
    return {
        "platforms": platforms,
        "certificates": certificates,
        "targets": targets,
        "shared": [
            {"public_key_sha256": key, "count": len(members), "platforms": [name for name in PLATFORMS if any(name in item["platforms"] for item in members)]}
            for key, members in sorted(keys.items(), key=lambda pair: -len(pair[1]))
            if len(members) > 1
        ],
        "not_found": [{**entry, "not_asked": not_asked} for entry in found["missing"]],
        "unreadable": list(looked_for["unreadable"]),
        "requests": sum(platform["requests"] for platform in platforms.values()),
    }


def counts(found: Json) -> dict[str, int]:
    """The numbers of a result, and nothing else of it."""
    return {
        "certificates": len(found["certificates"]),
        "on_several_platforms": sum(len(certificate["platforms"]) > 1 for certificate in found["certificates"]),
        **{name: sum(name in certificate["platforms"] for certificate in found["certificates"]) for name in PLATFORMS},
        "shared_keys": len(found["shared"]),
        "not_found": len(found["not_found"]),
        "unreadable": len(found["unreadable"]),
        "unreachable": sum(bool(platform["error"]) for platform in found["platforms"].values()),
        "requests": found["requests"],
    }


def failures(found: Json, own: Json) -> list[str]:
    """Why the role ends as failed, in words."""
    number = counts(found)
    down = [NAMES[name] for name, platform in found["platforms"].items() if platform["error"]]
    asked = [name for name, platform in found["platforms"].items() if platform["asked"]]
    said = {
        f"None of the platforms could be asked: {'; '.join(found['platforms'][name]['error'] for name in asked)}": bool(asked) and len(down) == len(asked),
        f"{', '.join(down)} could not be asked, and {ROLE}_fail_if_unreachable is true": bool(down) and own["fail_if_unreachable"],
        f"Nothing was found, and {ROLE}_fail_if_none is true": not number["certificates"] and own["fail_if_none"],
        f"{number['not_found']} entries were not found, and {ROLE}_fail_if_not_found is true": bool(number["not_found"]) and own["fail_if_not_found"],
        f"{number['unreadable']} entries were not understood, and {ROLE}_fail_if_unreadable is true": bool(number["unreadable"]) and own["fail_if_unreadable"],
    }
    return [cause for cause, applies in said.items() if applies]


def csv_report(found: Json) -> str:
    """A row for each certificate and each entry that was not found. No cell begins with what a spreadsheet takes for a formula."""
    columns = ("name", "serial", "thumbprint", "fingerprint_sha256", "public_key_sha256", "issuer", "not_after", "platforms", "matched", "problem")
    lines = [
        {
            **{name: certificate[name] for name in columns[:7]},
            "platforms": " ".join(certificate["platforms"]),
            "matched": "; ".join(f"{match['as']}: {match['target']}" for match in certificate["matched"]),
        }
        for certificate in found["certificates"]
    ]
    lines += [{"name": entry["target"], "problem": entry["why"]} for entry in [*found["not_found"], *found["unreadable"]]]
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[_cell(line.get(name)) for name in columns] for line in lines])
    return output.getvalue()


def _cell(value: t.Any) -> str:
    said = _plain(value)
    return f"'{said}" if said[:1] in ("=", "+", "-", "@", "\t", "\r") else said
