# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate list: filters, paging and the entries themselves (D-STATUSF, S-CERT)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

from ..clock import iso
from ..exchange import Answer, Call, Refusal
from .issuing import SAN_KINDS, pkix_parameter_set
from .lifecycle import PENDING_WORKFLOW
from .objects import Certificate, Version, fold

if TYPE_CHECKING:
    from .part import Tpp

Test = Callable[[Certificate], bool]
_PAGING = ("limit", "offset", "optionalfields")


def query_error(detail: str) -> Refusal:
    """The recorded text (vcert error_test.go)."""
    text = (
        "Failed to load certificate list due to a query error, please check the query parameters and try again. "
        f"Error details: {detail}\r\n"
    )
    return Refusal(Answer.json({"ErrorDetails": text}, 400, "Bad request. Check the error in the response for details."))


def _unknown(name: str) -> Refusal:
    return query_error(
        f"The query parameter {name} did not match any known query possibilities, "
        "please check the query parameter name and value, and try again."
    )


def split_values(raw: str) -> list[str]:
    """A comma list in which a quoted value may hold commas."""
    values, current, quoted = [], "", False
    for character in raw:
        if character == '"':
            quoted = not quoted
        elif character == "," and not quoted:
            values.append(current.strip())
            current = ""
        else:
            current += character
    return [*values, current.strip()]


def _flag(name: str, values: list[str]) -> bool:
    """A flag without a value means yes (D-STATUSF)."""
    value = values[-1].lower()
    if value in ("", "1", "true"):
        return True
    if value in ("0", "false"):
        return False
    raise _unknown(name)


def _number(name: str, values: list[str]) -> int:
    try:
        return int(values[-1])
    except ValueError:
        raise _unknown(name) from None


def moment(text: str) -> float:
    """ISO 8601 as clients write it, with any number of fractional digits; no zone means UTC."""
    text = text.strip().upper().replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()


def _among(read: Callable[[Certificate], Any]) -> Callable[[str, list[str]], Test]:
    """One of the values, whatever their case; an object's value may itself be a list."""

    def compile_test(dummy: str, values: list[str]) -> Test:
        wanted = {value.lower() for value in values}

        def test(certificate: Certificate) -> bool:
            value = read(certificate)
            if isinstance(value, list):
                return any(item.lower() in wanted for item in value)
            return value.lower() in wanted

        return test

    return compile_test


def _boolean(read: Callable[[Certificate], bool]) -> Callable[[str, list[str]], Test]:
    def compile_test(name: str, values: list[str]) -> Test:
        wanted = _flag(name, values)
        return lambda certificate: read(certificate) == wanted

    return compile_test


def _date(read: Callable[[Certificate], float | None], way: str) -> Callable[[str, list[str]], Test]:
    """``way`` is empty for the same day, else Greater or Less, which exclude the moment itself."""

    def compile_test(name: str, values: list[str]) -> Test:
        try:
            wanted = moment(values[-1])
        except ValueError:
            raise _unknown(name) from None

        def test(certificate: Certificate) -> bool:
            value = read(certificate)
            if value is None:
                return False
            if way:
                return value > wanted if way == "greater" else value < wanted
            return value // 86400 == wanted // 86400

        return test

    return compile_test


def _stage(name: str, values: list[str]) -> Test:
    wanted = {_number(name, [value]) for value in values}
    return lambda certificate: certificate.stage in wanted


def _stage_above(name: str, values: list[str]) -> Test:
    bound = _number(name, values)
    return lambda certificate: certificate.stage is not None and certificate.stage > bound


def _stage_below(name: str, values: list[str]) -> Test:
    bound = _number(name, values)
    return lambda certificate: certificate.stage is not None and certificate.stage < bound


def _parent(dummy: str, values: list[str]) -> Test:
    wanted = {fold(value).rstrip("\\") for value in values}
    return lambda certificate: certificate.parent.lower() in wanted


def _below(dummy: str, values: list[str]) -> Test:
    prefixes = tuple(fold(value).rstrip("\\") + "\\" for value in values)
    return lambda certificate: certificate.dn.lower().startswith(prefixes)


def _of_version(read: Callable[[Version], Any], missing: Any = "") -> Callable[[Certificate], Any]:
    return lambda certificate: read(certificate.versions[-1]) if certificate.versions else missing


def _names(kind: str) -> Callable[[Certificate], Any]:
    return _of_version(lambda version: version.sans.get(kind, []), [])


def _filters(tpp: Tpp) -> dict[str, Callable[[str, list[str]], Test]]:
    """All known filters, the cheap ones first: tests are run in this order."""

    def fact(name: str) -> Callable[[Certificate], Any]:
        return lambda certificate: tpp.sign(certificate, certificate.versions[-1]).facts[name] if certificate.versions else ""

    known: dict[str, Callable[[str, list[str]], Test]] = {
        "inerror": _boolean(lambda item: item.in_error),
        "disabled": _boolean(lambda item: item.disabled),
        "stage": _stage,
        "stagegreater": _stage_above,
        "stageless": _stage_below,
        "pendingworkflow": _boolean(lambda item: item.ticket_dn != "" or PENDING_WORKFLOW in item.status),
        "managementtype": _among(lambda item: item.management_type),
        "parentdn": _parent,
        "parentdnrecursive": _below,
        "name": _among(lambda item: item.name),
        "contact": _among(lambda item: item.contact),
        "approver": _among(lambda item: item.approver),
        "validationstate": _among(lambda item: item.validation),
        "certificatetype": _among(lambda item: item.class_name),
        "pkixparameterset": _among(lambda item: pkix_parameter_set(item.key_kind)),
        "keyalgorithm": _among(lambda item: "RSA" if item.key_kind.startswith("RSA") else "ECC"),
        "keysize": _among(lambda item: item.key_kind.lstrip("RSAEC")),
        "iswildcard": _boolean(lambda item: item.subject.startswith("*.")),
        # Nothing here is self-signed or exempt from validation.
        **dict.fromkeys(("isselfsigned", "validationdisabled", "networkvalidationdisabled"), _boolean(lambda dummy: False)),
        "cn": _among(_of_version(lambda version: version.common_name)),
        "serial": _among(_of_version(lambda version: f"{version.serial:032x}")),
        "issuer": _among(_of_version(lambda version: version.authority)),
        "thumbprint": _among(fact("Thumbprint")),
    }
    for kind in SAN_KINDS:
        known[f"san-{kind.lower()}"] = _among(_names(kind))
    dates: dict[str, Callable[[Certificate], float | None]] = {
        "createdon": lambda item: item.created_on,
        "validfrom": _of_version(lambda version: version.not_before // 1, None),
        "validto": _of_version(lambda version: version.not_after // 1, None),
    }
    for name, read in dates.items():
        for way in ("", "greater", "less"):
            known[name + way] = _date(read, way)
    return known


def _parameters(call: Call) -> dict[str, list[str]]:
    """Names folded; a name that is repeated collects all its values. A plus sign stays one in dates, so they are read as clients mean them."""
    collected: dict[str, list[str]] = {}
    for part in call.raw_query.split("&"):
        if part:
            name, dummy, value = part.partition("=")
            collected.setdefault(unquote_plus(name).lower(), []).extend(split_values(unquote_plus(value)))
    return collected


def matching(tpp: Tpp, parameters: dict[str, list[str]], user: str) -> list[Certificate]:
    known = _filters(tpp)
    for name in parameters:
        if name not in known and name not in _PAGING:
            raise _unknown(name)
    found: Iterable[Certificate] = tpp.store.certificates.values()
    tpp.lifecycle.settle_all()
    for name, compile_test in known.items():
        if name in parameters:
            found = list(filter(compile_test(name, parameters[name]), found))
    return [certificate for certificate in found if not certificate.rights or certificate.may(user, "view")]


def _entry(tpp: Tpp, certificate: Certificate) -> bytes:
    """One list entry, kept until a new version is issued."""
    version = certificate.current
    if certificate.entry and certificate.entry[0] is version:
        return certificate.entry[1]
    x509 = {}
    if version:
        facts = tpp.sign(certificate, version).facts
        x509 = {
            "CN": version.common_name,
            "SANS": {kind: version.sans[kind] for kind in SAN_KINDS if version.sans.get(kind)},
            **{name: facts[name] for name in ("Serial", "Thumbprint", "ValidFrom", "ValidTo")},
        }
    data = {
        "CreatedOn": iso(certificate.created_on),
        "DN": certificate.dn,
        "Guid": certificate.guid,
        "Name": certificate.name,
        "ParentDn": certificate.parent,
        "SchemaClass": certificate.class_name,
        "X509": x509,
        "_links": [{"Details": f"/vedsdk/certificates/{quote(certificate.guid)}"}],
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    certificate.entry = version, text
    return text


def listing(tpp: Tpp, call: Call) -> Answer:
    """GET with a body, HEAD with the count only; both bear ``X-Record-Count`` (VPS)."""
    parameters = _parameters(call)
    found = matching(tpp, parameters, call.user)
    total = {"X-Record-Count": str(len(found))}
    if call.method == "HEAD":
        return Answer(headers=total)
    limit = _number("limit", parameters.get("limit", [str(tpp.switches.list_default_limit)]))
    offset = _number("offset", parameters.get("offset", ["0"]))
    if limit < 0 or offset < 0:
        raise _unknown("limit" if limit < 0 else "offset")
    if tpp.switches.list_max_limit:
        limit = min(limit, tpp.switches.list_max_limit)
    page = list(islice(found, offset, offset + limit))
    optional = [name for name in parameters.get("optionalfields", ()) if name]
    entries = [_with_fields(tpp, item, optional) if optional else _entry(tpp, item) for item in page]
    frame = {
        "DataRange": f"Certificates {offset + 1} - {offset + len(page)}" if page else "Certificates 0 - 0",
        "TotalCount": len(found),
        "_links": _links(call, limit, offset, len(found)),
    }
    rest = json.dumps(frame, separators=(",", ":")).encode()
    return Answer(body=b'{"Certificates":[' + b",".join(entries) + b"]," + rest[1:], headers=total)


def _with_fields(tpp: Tpp, certificate: Certificate, names: list[str]) -> bytes:
    """The entry with more of the certificate's facts below ``X509`` (OptionalFields, PYV)."""
    entry = json.loads(_entry(tpp, certificate))
    facts = {name.lower(): (name, value) for name, value in (certificate.current.facts if certificate.current else {}).items()}
    entry["X509"].update(facts[name.lower()] for name in names if name.lower() in facts)
    return json.dumps(entry, ensure_ascii=False).encode()


def _links(call: Call, limit: int, offset: int, total: int) -> list[dict[str, str]]:
    """Only the neighbours that exist."""
    others = "&".join(part for part in call.raw_query.split("&") if part and part.partition("=")[0].lower() not in ("limit", "offset"))

    def link(position: int) -> str:
        return f"/vedsdk/certificates/?{others}{'&' if others else ''}limit={limit}&offset={position}"

    links = []
    if 0 < limit and offset + limit < total:
        links.append({"Next": link(offset + limit)})
    if offset > 0:
        links.append({"Previous": link(max(offset - limit, 0))})
    return links
