# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of certificates: the list with its query, a single one, history, locations."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from ..clock import utc
from ..exchange import Answer, Call
from ..routes import Routes
from .objects import DAY, Certificate, State
from .query import Field, Query, QueryError, by_name, compile_query

if TYPE_CHECKING:
    from .part import Keyfactor

ROUTES: Routes[Keyfactor] = Routes()
ID = r"(?P<id>\d+)"
_PREFIXES = ("pq.", "query.", "instancequery.")
_KEY_ALGORITHM, _KEY_TYPE, _KEY_SIZE, _CURVE = "ECC", 3, 256, "1.2.840.10045.3.1.7"
# X.509's bits of digital signature and key encipherment, see LEAF_EXTENSIONS.
_KEY_USAGE = 160
_USAGES = (("1.3.6.1.5.5.7.3.1", "Server Authentication"), ("1.3.6.1.5.5.7.3.2", "Client Authentication"))

Item = TypeVar("Item")


def stamp(moment: float | None) -> str | None:
    """UTC with Z; of the fraction as many digits as it needs (recorded: ``23.773Z`` and ``50.6Z``)."""
    if moment is None:
        return None
    text = utc(round(moment, 3)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return text.rstrip("0").rstrip(".") + "Z"


# -- query parameters --------------------------------------------------------------------------------------------


def parameters(keyfactor: Keyfactor, call: Call) -> dict[str, str]:
    """Query parameters in lower case; those of lists with or without the prefix that 10.x wants."""
    found: dict[str, str] = {}
    names = keyfactor.switches.list_query_names
    if names == "both" and not keyfactor.switches.at_least("11"):
        names = "prefixed"
    for name, value in call.query:
        folded = name.lower()
        prefix = next((prefix for prefix in _PREFIXES if folded.startswith(prefix)), "")
        bare = folded.removeprefix(prefix)
        if bare in ("querystring", "pagereturned", "returnlimit", "sortfield", "sortascending", "includerevoked", "includeexpired"):
            if names == ("bare" if prefix else "prefixed"):
                continue
        found[bare] = value
    return found


def number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise QueryError(f"The value '{text}' is not valid for {name}.") from None


def flag(given: dict[str, str], name: str) -> bool:
    return given.get(name, "").lower() in ("true", "1")


def selected(items: Iterable[Item], query: Query) -> list[Item]:
    return [item for item in items if query.test(item)]


def page(keyfactor: Keyfactor, given: dict[str, str], items: list[Item], fields: dict[str, Field[Item]], default_sort: str) -> tuple[list[Item], int]:
    """Sorted, and of that one page; and how many there are. 0 means ascending, 1 descending."""
    name = given.get("sortfield") or default_sort
    field = fields.get(name.lower())
    # The database id has a name of its own in queries, and only that sorts (live, 25.5).
    if field is None or name.lower() == "id" and "certid" in fields:
        raise QueryError(f"Invalid sort field: {name}.")
    known = [item for item in items if field.value(item) is not None]
    unknown = [item for item in items if field.value(item) is None]
    descending = given.get("sortascending", "0").lower() in ("1", "false")
    ordered = sorted(known, key=field.value, reverse=descending)
    ordered = ordered + unknown if descending else unknown + ordered
    limit = max(number(given, "returnlimit", 50), 1)
    if keyfactor.switches.max_return_limit:
        limit = min(limit, keyfactor.switches.max_return_limit)
    first = (max(number(given, "pagereturned", 1), 1) - 1) * limit
    return ordered[first:first + limit], len(ordered)


# -- what can be queried -----------------------------------------------------------------------------------------


def fields_of(keyfactor: Keyfactor) -> dict[str, Field[Certificate]]:
    """The names with a source, those of the JSON object, and those of the metadata in use."""
    store, now = keyfactor.store, keyfactor.clock.now()

    def by_id(text: str) -> set[int]:
        return {int(text)} & store.certificates.keys() if text.isdigit() else set()

    text: list[tuple[str, Any]] = [
        ("IssuedCN", lambda item: item.cn), ("CN", lambda item: item.cn), ("IssuedDN", lambda item: item.subject),
        ("IssuerDN", lambda item: item.issuer_dn), ("CA", lambda item: item.authority), ("CertificateAuthorityName", lambda item: item.authority),
        ("RequesterName", lambda item: item.requester), ("OwnerRoleName", lambda item: item.owner), ("KeyTypeString", lambda item: _KEY_ALGORITHM),
        ("RevocationComment", lambda item: item.seen(now).comment), ("CertStateString", lambda item: state_string(keyfactor, item.seen(now).state)),
        *((name, lambda item, name=name: item.metadata.get(name)) for name in {name for item in store for name in item.metadata}),
    ]
    numbers: list[tuple[str, Any]] = [
        ("CertState", lambda item: item.seen(now).state), ("RevocationReason", lambda item: item.seen(now).reason),
        ("CertRequestId", request_id), ("KeySizeInBits", lambda item: _KEY_SIZE), ("KeyType", lambda item: _KEY_TYPE),
        ("CertificateAuthorityId", lambda item: authority_id(keyfactor, item)),
    ]
    dates: list[tuple[str, Any]] = [
        ("ExpirationDate", lambda item: item.not_after), ("NotAfter", lambda item: item.not_after), ("NotBefore", lambda item: item.not_before),
        ("ImportDate", lambda item: item.imported), ("RevocationEffDate", lambda item: item.seen(now).date),
    ]
    return by_name([
        *(Field(name, "text", value) for name, value in text),
        *(Field(name, "number", value) for name, value in numbers),
        *(Field(name, "date", value) for name, value in dates),
        Field("CertId", "number", lambda item: item.id, by_id),
        Field("Id", "number", lambda item: item.id, by_id),
        Field("Thumbprint", "text", lambda item: item.thumbprint, lambda value: store.having("thumbprint", value)),
        Field("SerialNumber", "text", lambda item: item.serial, lambda value: store.having("serial", value)),
        Field("HasPrivateKey", "flag", lambda item: item.private_key),
        Field("CertStoreType", "texts", lambda item: [str(place[name]) for place in item.locations for name in ("store_type", "store_type_name")]),
        Field(keyfactor.switches.dns_name_field, "texts", lambda item: item.dns),
    ])


def matching(keyfactor: Keyfactor, text: str, fields: dict[str, Field[Certificate]] | None = None) -> list[Certificate]:
    """All certificates that a query is true for, whatever their state."""
    query = compile_query(text, fields or fields_of(keyfactor), keyfactor.clock.now())
    certificates = keyfactor.store.certificates
    return selected(certificates.values() if query.candidates is None else [certificates[item] for item in sorted(query.candidates)], query)


# -- the JSON object ---------------------------------------------------------------------------------------------


def state_string(keyfactor: Keyfactor, state: int) -> str:
    title = State(state).title
    return title if keyfactor.switches.state_string_style == "word" else f"{title} ({state})"


def authority_id(keyfactor: Keyfactor, certificate: Certificate) -> int:
    return list(keyfactor.authorities).index(certificate.authority) + 1


def request_id(certificate: Certificate) -> int | None:
    return None if certificate.from_ejbca else certificate.id + 1000


def to_json(keyfactor: Keyfactor, certificate: Certificate, given: dict[str, str]) -> dict[str, Any]:
    """The certificate as 25.4.1 shows it; what was not asked for is there, but empty."""
    standing = certificate.seen(keyfactor.clock.now())
    places = certificate.locations if flag(given, "includelocations") else []
    kinds = [place["store_type_name"] for place in places]
    common = {
        "Id": certificate.id,
        "Thumbprint": certificate.thumbprint,
        "SerialNumber": certificate.serial,
        "IssuedDN": certificate.subject,
        "IssuedCN": certificate.cn,
        "ImportDate": stamp(certificate.imported),
        "NotBefore": stamp(certificate.not_before),
        "NotAfter": stamp(certificate.not_after),
        "IssuerDN": certificate.issuer_dn,
        "PrincipalId": None,
        "TemplateId": 1,
        "CertState": standing.state,
        "KeySizeInBits": _KEY_SIZE,
        "KeyType": _KEY_TYPE,
        "RequesterId": 1,
        "IssuedOU": None,
        "IssuedEmail": None,
        "KeyUsage": _KEY_USAGE,
        "SigningAlgorithm": "sha256ECDSA",
        "CertStateString": state_string(keyfactor, standing.state),
        "KeyTypeString": _KEY_ALGORITHM,
        "RevocationEffDate": stamp(standing.date),
        "RevocationReason": standing.reason,
        "RevocationComment": standing.comment,
        "CertificateAuthorityId": authority_id(keyfactor, certificate),
        "CertificateAuthorityName": certificate.authority,
        "TemplateName": "WebServer",
        "ArchivedKey": False,
        "HasPrivateKey": certificate.private_key and flag(given, "includehasprivatekey"),
        "PrincipalName": None,
        "CertRequestId": request_id(certificate),
        "RequesterName": certificate.requester,
        "ContentBytes": certificate.content,
        "ExtendedKeyUsages": [{"Id": place, "Oid": oid, "DisplayName": name} for place, (oid, name) in enumerate(_USAGES, 1)],
        "SubjectAltNameElements": [{"Id": place, "Value": name, "Type": 2, "ValueHash": None} for place, name in enumerate(certificate.dns, 1)],
        "CRLDistributionPoints": [],
        "LocationsCount": [{"Type": kind, "Count": kinds.count(kind)} for kind in dict.fromkeys(kinds)],
        "SSLLocations": certificate.ssl_locations if flag(given, "includelocations") else [],
        "Locations": [
            {
                "StoreMachine": place["machine"], "StorePath": place["path"], "StoreType": place["store_type"], "Alias": place["alias"], "ChainLevel": 0,
                "CertStoreId": place["store_id"],
            }
            for place in places
        ],
        "Metadata": certificate.metadata if flag(given, "includemetadata") else {},
        "CARowIndex": None if certificate.from_ejbca else certificate.id,
        "CARecordId": certificate.serial if certificate.from_ejbca else str(certificate.id),
        "DetailedKeyUsage": {
            "CrlSign": False, "DataEncipherment": False, "DecipherOnly": False, "DigitalSignature": True, "EncipherOnly": False, "KeyAgreement": False,
            "KeyCertSign": False, "KeyEncipherment": True, "NonRepudiation": False, "HexCode": f"{_KEY_USAGE:x}",
        },
        "KeyRecoverable": False,
        "Curve": _CURVE,
    }
    if not keyfactor.switches.at_least("11"):
        return {**common, "CertificateKeyId": certificate.id}
    if not keyfactor.switches.at_least("25"):
        return common
    return {
        **common,
        "IsCACertificate": standing.state in (State.CERTIFICATE_AUTHORITY, State.PARENT_CERTIFICATE_AUTHORITY),
        "PathLengthConstraint": None,
        "OwnerRoleId": None if certificate.owner is None else 1,
        "OwnerRoleName": certificate.owner,
        "KeyAlgorithm": _KEY_ALGORITHM,
        "AltKeyAlgorithm": None,
        "AltKeySizeInBits": 0,
        "AltKeyType": None,
        "AltSigningAlgorithm": None,
        "AltKeyTypeString": None,
        "HasAltPrivateKey": False,
        "EnrollmentPatternId": None,
        "Lifespan": int((certificate.not_after - certificate.not_before) // DAY),
    }


# -- calls -------------------------------------------------------------------------------------------------------


@ROUTES.add("GET", "/certificates")
def listing(keyfactor: Keyfactor, call: Call) -> Answer:
    """Without the include flags neither revoked nor expired certificates are in it, even when the query names them."""
    given = parameters(keyfactor, call)
    collection = keyfactor.permitted(call, "read", number(given, "collectionid", 0))
    fields, now = fields_of(keyfactor), keyfactor.clock.now()
    found = matching(keyfactor, given.get("querystring", ""), fields)
    if not flag(given, "includerevoked"):
        found = [item for item in found if item.seen(now).state != State.REVOKED]
    if not flag(given, "includeexpired"):
        found = [item for item in found if item.not_after > now]
    if collection is not None:
        found = selected(found, compile_query(collection.content, fields, now))
    items, total = page(keyfactor, given, found, fields, "CertId")
    return keyfactor.reply([to_json(keyfactor, item, given) for item in items], total=total)


@ROUTES.add("GET", f"/certificates/{ID}", target="id")
def single(keyfactor: Keyfactor, call: Call) -> Answer:
    given = parameters(keyfactor, call)
    return keyfactor.reply(to_json(keyfactor, readable(keyfactor, call, given), given))


@ROUTES.add("GET", f"/certificates/{ID}/history", target="id")
def history(keyfactor: Keyfactor, call: Call) -> Answer:
    given = parameters(keyfactor, call)
    certificate = readable(keyfactor, call, given)
    entries = [
        {
            "Id": certificate.id * 1000 + place, "OperationStart": stamp(item["time"]), "OperationEnd": stamp(item["time"]), "Username": item["Username"],
            "Comment": item["Comment"], "Action": item["Action"],
        }
        for place, item in enumerate(certificate.history, 1)
    ]
    fields: dict[str, Field[dict[str, Any]]] = by_name([Field(name, "number" if name == "Id" else "text", itemgetter(name)) for name in entries[0]])
    items, total = page(keyfactor, given, entries, fields, "Id")
    return keyfactor.reply(items, total=total)


@ROUTES.add("GET", f"/certificates/locations/{ID}", target="id")
def locations(keyfactor: Keyfactor, call: Call) -> Answer:
    certificate = readable(keyfactor, call, parameters(keyfactor, call))
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for place in certificate.locations:
        groups.setdefault((place["store_type_name"], place["store_type"]), []).append(
            {
                "StoreId": place["store_id"], "StoreTypeId": place["store_type"], "ClientMachine": place["machine"], "StorePath": place["path"],
                "AgentPool": None, "Alias": place["alias"], "IPAddress": None, "Port": None, "NetworkName": None,
            }
        )
    details = [
        {"StoreType": name, "StoreTypeId": kind, "StoreCount": len(places), "Locations": places} for (name, kind), places in groups.items()
    ]
    return keyfactor.reply({"Details": details})


def readable(keyfactor: Keyfactor, call: Call, given: dict[str, str]) -> Certificate:
    """The certificate of the path, if the caller may read it: everywhere, or in the collection that the query names."""
    collection = keyfactor.permitted(call, "read", number(given, "collectionid", 0))
    certificate = keyfactor.store.certificates.get(int(call.args["id"]))
    if certificate is None:
        raise keyfactor.missing("Certificate", call.args["id"])
    keyfactor.check_members(call, "read", [certificate], collection)
    return certificate
