# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On which endpoints a replacement has to be proven, and whether it is. Of results of tls_endpoint_info; does no I/O."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.tls_endpoints import read_endpoint
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json
from ansible_collections.certops.remediation.plugins.plugin_utils.respond_case import bare

PLACE_KEYS = ("host", "port", "server_name", "starttls", "address")


# -- endpoints as they are given ---------------------------------------------------------------------------------------------------------


def place(given: t.Any) -> dict[str, t.Any]:
    """An endpoint with everything that tells it from others.

    :raises InputError: it is none.
    """
    entry = dict(given) if isinstance(given, t.Mapping) else {"host": given}
    unknown = sorted(set(map(str, entry)) - set(PLACE_KEYS))
    if unknown:
        raise InputError("endpoints", f"a mapping has no {', '.join(unknown)}; known are {', '.join(PLACE_KEYS)}")
    entry = {name: value for name, value in entry.items() if value not in (None, "")}
    try:
        read = read_endpoint({**entry, **({"port": int(entry["port"])} if "port" in entry else {})})
    except ValueError:
        raise InputError("endpoints", f"{entry['port']!r} is not a port") from None
    return {name: value for name, value in dataclasses.asdict(read).items() if value is not None}


def places(given: t.Any) -> tuple[list[dict[str, t.Any]], dict[str, list[dict[str, t.Any]]], str]:
    """The option: endpoints of all certificates, those of named ones, and what is wrong with it."""
    try:
        if isinstance(given, t.Mapping) and "host" not in given:
            named = {str(name).lower(): [place(entry) for entry in _several(entries)] for name, entries in given.items()}
            return [], named, ""
        return [place(entry) for entry in _several(given)], {}, ""
    except InputError as error:
        return [], {}, str(error)


def _several(given: t.Any) -> list[t.Any]:
    if isinstance(given, str):
        return [word.strip() for line in given.splitlines() for word in line.split(",") if word.strip()]
    return [given] if isinstance(given, t.Mapping) else [entry for entry in given or () if entry not in (None, "")]


def told(one: Json) -> str:
    """An endpoint in one line."""
    host = f"[{one['host']}]" if ":" in one["host"] else one["host"]
    scheme = "" if one["starttls"] == "none" else f"{one['starttls']}://"
    address = f" at {one['address']}" if one.get("address") else ""
    name = f" ({one['server_name']})" if one["server_name"] != one["host"] else ""
    return f"{scheme}{host}:{one['port']}{name}{address}"


def _is_at(one: Json, entry: Json) -> bool:
    """Whether an entry of the module's result is about this endpoint."""
    same = all(one[name] == entry[name] for name in ("host", "port", "server_name", "starttls"))
    return same and (not one.get("address") or one["address"] == entry["address"])


def sightings(one: Json, looked: Json) -> list[Json]:
    return [entry for entry in looked.get("endpoints") or () if _is_at(one, entry)]


def covers(name: str, host: str) -> bool:
    """Whether a name of a certificate, maybe a wildcard, is for a host."""
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    return name == host or (name.startswith("*.") and "." in host and name[1:] == host[host.index("."):])


# -- which endpoints are a certificate's -------------------------------------------------------------------------------------------------


def is_leaf_of(case: Json, leaf: Json) -> bool:
    """Whether what an endpoint serves is this very certificate."""
    for name in ("fingerprint_sha256", "thumbprint"):
        if case[name] and leaf[name]:
            return bool(str(case[name]).lower() == str(leaf[name]).lower())
    return bool(case["serial"]) and bare(case["serial"]) == bare(leaf["serial"])


def places_of(case: Json, own: Json, located: Json, looked: Json) -> list[dict[str, t.Any]]:
    """The endpoints on which the replacement of a certificate has to be proven.

    :param located: by id of Command, where it finds the certificate.
    :param looked: what the listed endpoints serve.
    """
    if case["client"]:
        return []
    known = {str(value).lower() for value in (case["common_name"], case["serial"], case["id"], *case["names"]) if value}
    found: dict[str, dict[str, t.Any]] = {}

    def add(one: dict[str, t.Any]) -> None:
        found.setdefault(told(one), one)

    for name in known & set(own["endpoints_of"]):
        for one in own["endpoints_of"][name]:
            add(one)
    before = {told(one) for one in case["kept"].get("endpoints") or ()}
    for one in own["endpoints"]:
        named = any(covers(name, one["server_name"]) for name in (case["common_name"], *case["names"]))
        serves = any(is_leaf_of(case, entry["chain"][0]) for entry in sightings(one, looked) if entry["chain"] and entry["chain"][0])
        # What served it when the incident was found stays its endpoint, whatever it serves by now.
        if named or serves or told(one) in before:
            add(one)
    if own["derive_endpoints"]:
        for one in located_at(case, located):
            add(one)
        if not found:
            for name in dict.fromkeys((*case["names"], *([case["common_name"]] if "." in case["common_name"] else []))):
                # A wildcard is no host, and what no server can be asked for by its name proves nothing.
                with contextlib.suppress(InputError):
                    if "*" not in name:
                        add(place({"host": name}))
    return list(found.values())


def located_at(case: Json, located: Json) -> list[dict[str, t.Any]]:
    """Where scans of Command have found the certificate."""
    number = str((case["on"].get("keyfactor") or {}).get("id") or "")
    found = []
    for location in located.get(number) or ():
        host = location.get("address") or location.get("machine")
        if location.get("kind") != "store" and host and location.get("port"):
            name = case["common_name"] if "." in case["common_name"] and "*" not in case["common_name"] else ""
            with contextlib.suppress(InputError):
                found.append(place({"host": host, "port": location["port"], "server_name": name or None}))
    return found


def stores(case: Json, located: Json) -> list[str]:
    """Where else Command finds it deployed."""
    number = str((case["on"].get("keyfactor") or {}).get("id") or "")
    return [location["text"] for location in located.get(number) or ()]


# -- what has to be served ---------------------------------------------------------------------------------------------------------------


def marks(new: Json) -> list[str]:
    """What a new certificate is recognised by."""
    return [str(new[name]) for name in ("public_key_sha256", "thumbprint") if new.get(name)][:1]


def questions(at: t.Mapping[str, t.Sequence[Json]], new: t.Mapping[str, Json]) -> list[dict[str, t.Any]]:
    """The endpoints for tls_endpoint_info, each once, with what is expected where all of its new certificates are known.

    :param at: by certificate, its endpoints.
    :param new: by certificate, what replaces it.
    """
    asked: dict[str, dict[str, t.Any]] = {}
    for found in at.values():
        for one in found:
            wanted = expected(one, at, new)
            asked[told(one)] = {**one, **({"expected": wanted} if wanted else {})}
    return list(asked.values())


def expected(one: Json, at: t.Mapping[str, t.Sequence[Json]], new: t.Mapping[str, Json]) -> list[str]:
    here = [number for number, found in at.items() if any(told(other) == told(one) for other in found)]
    wanted = [marks(new.get(number, {})) for number in here]
    return sorted({mark for found in wanted for mark in found}) if all(wanted) else []


def leaked_here(leaf: Json, leaked: t.Collection[str], cases: t.Iterable[Json]) -> bool:
    return leaf["public_key_sha256"] in leaked or any(is_leaf_of(case, leaf) for case in cases)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether the replacement of a certificate is proven on its endpoints.

    :param why: what stands against it, or on what it is proven.
    :param at: the endpoints that stand against it.
    """

    proven: bool
    why: str
    at: tuple[str, ...] = ()


def verdict(case: Json, at: t.Mapping[str, t.Sequence[Json]], new: t.Mapping[str, Json], looked: Json, chosen: Json) -> Verdict:
    """All of its endpoints can be reached, none serves what has leaked, and where the new certificates are known, each serves one of these."""
    against: list[tuple[str, str]] = []
    for one in at[case["id"]]:
        seen = sightings(one, looked)
        wanted = {mark.lower() for mark in expected(one, at, new)}
        said = "" if seen else "was not looked at"
        for entry in seen:
            said = said or _against(entry, wanted, chosen)
        if said:
            against.append((told(one), said))
    if against:
        more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
        return Verdict(False, f"{against[0][0]} {against[0][1]}{more}", tuple(name for name, dummy in against))
    count = len(at[case["id"]])
    return Verdict(bool(count), f"proven on {count} endpoint{'' if count == 1 else 's'}" if count else "has no endpoint")


def _against(entry: Json, wanted: t.AbstractSet[str], chosen: Json) -> str:
    leaf = entry["chain"][0] if entry["chain"] else None
    if not entry["reachable"] or not leaf:
        error = entry["error"] or {"message": "what it serves cannot be read"}
        return f"could not be looked at: {error['message']}"
    if leaked_here(leaf, chosen["leaked"], chosen["cases"]):
        return "still serves the leaked key" if leaf["public_key_sha256"] in chosen["leaked"] else "still serves the old certificate"
    has = {str(leaf[name]).lower() for name in ("public_key_sha256", "thumbprint") if leaf[name]}
    return "serves neither what has leaked nor what replaces it" if wanted and not wanted & has else ""


def strays(looked: Json, chosen: Json) -> list[dict[str, str]]:
    """Endpoints that serve the leaked key in a certificate that no platform has shown."""
    found = []
    for entry in looked.get("endpoints") or ():
        leaf = entry["chain"][0] if entry["chain"] else None
        if leaf and leaf["public_key_sha256"] in chosen["leaked"] and not any(is_leaf_of(case, leaf) for case in chosen["cases"]):
            where = told({**entry, "address": None})
            found.append({"target": f"serial number {leaf['serial']}", "why": f"{where} serves it with the leaked key, and no platform knows it"})
    return found
