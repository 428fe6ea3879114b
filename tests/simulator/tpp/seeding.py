# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the certificate entries of a scenario into objects."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..scenarios import expand
from .issuing import new_version
from .objects import HOME, Certificate, Consumer, Node, Plan, fold

if TYPE_CHECKING:
    from .part import Tpp

DAY = 86400
# Taken over as they are; the names are those of ``Certificate``.
_PLAIN = (
    "created_by", "origin", "description", "contact", "approver", "custom_fields", "management_type", "disabled", "stage", "status",
    "in_error", "in_process", "ticket_dn", "work_to_do", "key_state", "revocation", "lock", "user_csr", "csr", "key_kind", "validation",
    "valid_days", "rights", "sans", "class_name",
)
_OWN = (
    "dn", "name", "folder", "subject", "dns", "authority", "consumers", "renewal", "age_days", "versions", "lock_seconds", "in_flight",
    "ticket", "ticket_days_ago", "key", "count", "start", "each",
)
_KNOWN = frozenset((*_PLAIN, *_OWN))
_RENEWAL = frozenset(item.name for item in fields(Plan))


def build(tpp: Tpp, spec: dict[str, Any]) -> None:
    """Add the one or many certificates of an entry; a name that means nothing is refused."""
    unknown = set(spec) - _KNOWN | set(spec.get("renewal", {})) - _RENEWAL
    if unknown:
        raise ValueError(f"unknown in a certificate entry: {', '.join(sorted(unknown))}; known: {', '.join(sorted(_KNOWN))}")
    for single in expand(spec):
        _add(tpp, single)


def _add(tpp: Tpp, spec: dict[str, Any]) -> None:
    now = tpp.clock.now()
    dn = spec.get("dn")
    if dn is None:
        # In a name a backslash is doubled, as the server wants it in a DN.
        folder = spec.get("folder", "")
        parent = folder if folder.upper().startswith("\\VED\\") else f"{HOME}\\{folder}".rstrip("\\")
        dn = parent + "\\" + spec["name"].replace("\\", "\\\\")
    if fold(dn) in tpp.store.certificates:
        raise ValueError(f"{dn} exists already")
    created = now - spec.get("age_days", 30) * DAY
    certificate = Certificate(
        dn,
        created_on=created,
        authority=spec.get("authority") or next(iter(tpp.authorities.issuers)),
        plan=Plan(**spec.get("renewal", {})),
        lock_until=now + spec["lock_seconds"] if "lock_seconds" in spec else 0.0,
        consumers=[Consumer(**item) if isinstance(item, dict) else Consumer(item) for item in spec.get("consumers", ())],
        **{name: spec[name] for name in _PLAIN if name in spec},
    )
    certificate.subject = spec.get("subject", certificate.name)
    if "dns" in spec or not certificate.sans:
        certificate.sans = {"DNS": spec.get("dns", [certificate.name])}
    if spec.get("key") and certificate.key_kind != "EC256":
        raise ValueError("a key that is shared by its label is of the kind EC256")
    if spec.get("ticket"):
        certificate.ticket_dn = f"\\VED\\Workflow Tickets\\{certificate.guid[1:-1]}"
        certificate.ticket_since = now - spec.get("ticket_days_ago", 0) * DAY
    if certificate.revocation == "revoked":
        certificate.revocation_date, certificate.revocation_by = now - DAY, "local:certops"
    _issue_past(tpp, certificate, created, spec.get("versions", 1), spec.get("key", ""))
    tpp.store.add(certificate)
    for consumer in certificate.consumers:
        if tpp.store.get(consumer.dn) is None:
            tpp.store.add(Node(consumer.dn, "Basic"))
    if spec.get("in_flight"):
        tpp.lifecycle.start(certificate)


def _issue_past(tpp: Tpp, certificate: Certificate, created: float, count: int, key: str) -> None:
    """``count`` versions, each of which replaced the one before a while before its end; all of the key with that label, if there is one."""
    issuer = tpp.authorities.issuers[certificate.authority]
    length = certificate.valid_days * DAY
    for back in reversed(range(count)):
        begin = created - back * length * 0.9
        tpp.lifecycle.vault += 2
        certificate.versions.append(
            new_version(
                certificate.subject, certificate.sans, issuer, begin, begin + length, tpp.lifecycle.vault, certificate.csr, certificate.key_kind, key
            )
        )
