# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the certificate entries of a scenario into objects, each with a real certificate."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from ..authority import LEAF_EXTENSIONS, new_key
from ..clock import utc
from ..scenarios import expand
from .lifecycle import Order, start
from .objects import DAY, ON_HOLD, Certificate, Standing, State

if TYPE_CHECKING:
    from .part import Keyfactor

# Taken over as they are; the names are those of ``Certificate``.
_PLAIN = ("requester", "metadata", "key", "private_key", "owner", "approval", "approval_seconds", "ca_refuses")
_OWN = (
    "id", "cn", "subject", "state", "reason", "comment", "revoked_days_ago", "on_hold", "issuer", "ca", "serial", "age_days", "valid_days", "dns",
    "locations", "ssl_locations", "history", "suspended", "from", "count", "start", "each",
)
_KNOWN = frozenset((*_PLAIN, *_OWN))
_LOCATION = {"machine": "", "path": "", "store_type": 6, "store_type_name": "IIS Personal", "alias": "", "store_id": ""}
# The names that the answers give to the members of an ``ssl_locations`` entry.
_SSL_LOCATION = {"path": "StorePath", "agent_pool": "AgentPool", "ip_address": "IPAddress", "port": "Port", "network_name": "NetworkName"}
_HOST_NAME = re.compile(r"(\*\.)?([A-Za-z0-9_-]+\.)+[A-Za-z]+")


def build(keyfactor: Keyfactor, spec: dict[str, Any]) -> list[int]:
    """Add the one or many certificates of an entry."""
    _check("a certificate entry", spec, _KNOWN)
    return [_add(keyfactor, single) for single in expand(spec)]


def _add(keyfactor: Keyfactor, spec: dict[str, Any]) -> int:
    now = keyfactor.clock.now()
    number = int(spec.get("id", keyfactor.next_id))
    if number in keyfactor.store.certificates:
        raise ValueError(f"certificate {number} exists already")
    keyfactor.next_id = max(keyfactor.next_id, number + 1)
    signed = keyfactor.find(spec["from"]).certificate if "from" in spec else None
    if signed is not None:
        spec = {**spec, **_told_by(signed, now)}
    authority, issuer_name = _authority(keyfactor, spec)
    not_after = int(now + spec.get("valid_days", 335) * DAY)
    not_before = min(int(now - spec.get("age_days", 30) * DAY), not_after - DAY)
    cn = spec.get("cn", f"host-{number}.example.com")
    certificate = Certificate(
        number, cn, "", "", authority, "", "", "", not_before, not_after, not_before + 90.773,
        dns=spec.get("dns", [cn] if _HOST_NAME.fullmatch(cn) else []),
        locations=[_location(item, number) for item in spec.get("locations", ())],
        ssl_locations=[_ssl_location(item) for item in spec.get("ssl_locations", ())],
        **{name: spec[name] for name in _PLAIN if name in spec},
    )
    if signed is None:
        serial = int(spec["serial"], 16) if "serial" in spec else secrets.randbits(158) | 1 << 158
        signed = _sign(keyfactor, certificate, issuer_name, spec.get("subject"), serial)
    _describe(certificate, signed)
    certificate.standing = _standing(spec, now)
    certificate.history = [
        {"Action": keyfactor.switches.history_actions["issue"], "Username": certificate.requester, "Comment": "", "time": certificate.imported},
        *({"Action": item["action"], "Username": item.get("user", ""), "Comment": item.get("comment", ""), "time": now - item.get("days_ago", 0) * DAY}
          for item in spec.get("history", ())),
    ]
    keyfactor.store.add(certificate)
    if spec.get("suspended"):
        certificate.approval = True
        start(keyfactor, certificate, Order(spec.get("reason", 0), spec.get("comment", "Asked for earlier."), None, keyfactor.own_identity))
    return number


def _authority(keyfactor: Keyfactor, spec: dict[str, Any]) -> tuple[str, str]:
    """The authority's name in Command and its RFC 4514 name; each can be left open when the scenario has listed the other."""
    known = keyfactor.authorities
    name, issuer = str(spec.get("ca", "")), str(spec.get("issuer", ""))
    if not name and not issuer:
        name = next(iter(known))
    if not name:
        common = x509.Name.from_rfc4514_string(issuer).get_attributes_for_oid(NameOID.COMMON_NAME)[0]
        name = next((item for item, subject in known.items() if subject == issuer), f"ca01.example.com\\{common.value!s}")
    issuer = issuer or known.get(name) or "CN=" + name.rpartition("\\")[2] + ",O=Example Corp"
    known.setdefault(name, issuer)
    return name, issuer


def _standing(spec: dict[str, Any], now: float) -> Standing:
    state = spec.get("state", State.ACTIVE)
    if isinstance(state, str):
        state = State[state.upper().replace(" ", "_")]
    reason = spec.get("reason", 0)
    if spec.get("on_hold"):
        state, reason = State.REVOKED, ON_HOLD
    if state != State.REVOKED:
        return Standing(int(state))
    return Standing(int(state), reason, spec.get("comment", "Revoked earlier."), int(now - spec.get("revoked_days_ago", 1) * DAY))


def _location(spec: dict[str, Any], number: int) -> dict[str, Any]:
    """The answers call these by two sets of names, see ``certificates.py``."""
    _check("a location", spec, _LOCATION)
    return {**_LOCATION, "alias": str(number), "store_id": f"00000000-0000-4000-8000-{number:012}", **spec}


def _ssl_location(spec: dict[str, Any]) -> dict[str, Any]:
    _check("an SSL location", spec, _SSL_LOCATION)
    return {there: spec.get(here) for here, there in _SSL_LOCATION.items()}


def _check(what: str, spec: dict[str, Any], known: Iterable[str]) -> None:
    """A name that means nothing is refused."""
    unknown = set(spec) - set(known)
    if unknown:
        raise ValueError(f"unknown in {what}: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")


def _told_by(signed: x509.Certificate, now: float) -> dict[str, Any]:
    """What a certificate that somebody else has issued says for itself."""
    common = signed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    return {
        "cn": str(common[0].value) if common else "",
        "dns": names,
        "ca": "",
        "issuer": signed.issuer.rfc4514_string(),
        "age_days": (now - signed.not_valid_before_utc.timestamp()) / DAY,
        "valid_days": (signed.not_valid_after_utc.timestamp() - now) / DAY,
        "key": "",
    }


def _sign(keyfactor: Keyfactor, certificate: Certificate, issuer_name: str, subject_name: str | None, serial: int) -> x509.Certificate:
    issuer = keyfactor.authority.issuer(issuer_name)
    key = keyfactor.authority.keys[certificate.key] if certificate.key else new_key()
    if subject_name is not None:
        subject = x509.Name.from_rfc4514_string(subject_name)
    else:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, certificate.cn)])
    extensions = [*LEAF_EXTENSIONS, (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)]
    if certificate.dns:
        extensions.append((x509.SubjectAlternativeName([x509.DNSName(name) for name in certificate.dns]), False))
    return issuer.sign(subject, key.public_key(), utc(certificate.not_before), utc(certificate.not_after), extensions, serial)


def _describe(certificate: Certificate, signed: x509.Certificate) -> None:
    certificate.subject = signed.subject.rfc4514_string()
    certificate.issuer_dn = signed.issuer.rfc4514_string()
    certificate.thumbprint = signed.fingerprint(hashes.SHA1()).hex().upper()
    digits = f"{signed.serial_number:X}"
    certificate.serial = digits.zfill(len(digits) + len(digits) % 2)
    certificate.content = base64.b64encode(signed.public_bytes(serialization.Encoding.DER)).decode()
