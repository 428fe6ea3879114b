# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the entries of a scenario into certificates and rules."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from ..scenarios import expand
from .issuing import SUBJECT, csr_text, read_csr, subject_of
from .objects import DAY, STATUSES, Certificate, Zone

if TYPE_CHECKING:
    from .part import Cloudflare

_SUBJECT = {"cn": "common_name", **{name: name for name in SUBJECT if name != "common_name"}}
_OWN = ("id", "status", "validity_days", "age_days", "key", "csr", "pending_seconds", "count", "start", "each")
KNOWN = frozenset((*_SUBJECT, *_OWN))
_RULE = {"expression": "", "action": "block", "enabled": True, "description": ""}


def check(what: str, data: dict[str, Any], known: Any) -> None:
    """A name that means nothing is refused."""
    unknown = set(data) - set(known)
    if unknown:
        raise ValueError(f"unknown in {what}: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")


def minute(time: float) -> float:
    """The dates of certificates have no seconds."""
    return time // 60 * 60


def build(cloudflare: Cloudflare, zone: Zone, spec: dict[str, Any]) -> list[str]:
    """Add the one or many certificates of an entry; returns their ids."""
    check("a certificate entry", {**spec, **{name: 0 for turn in spec.get("each", ()) for name in turn}}, KNOWN)
    return [_add(cloudflare, zone, single) for single in expand(spec)]


def _add(cloudflare: Cloudflare, zone: Zone, spec: dict[str, Any]) -> str:
    number = str(spec.get("id") or uuid.uuid4()).lower()
    if number in cloudflare.store.certificates:
        raise ValueError(f"certificate {number} exists already")
    status = spec.get("status", "active")
    if status not in STATUSES:
        raise ValueError(f"status is one of {', '.join(STATUSES)}")
    csr = read_csr(spec["csr"]) if "csr" in spec else None
    certificate = Certificate(
        number,
        zone.id,
        subject_of(csr) if csr else {name: str(spec[key]) for key, name in _SUBJECT.items() if spec.get(key)},
        spec.get("validity_days", 365),
        minute(cloudflare.clock.now() - spec.get("age_days", 0) * DAY),
        key=spec.get("key", ""),
        csr=csr_text(csr) if csr else "",
    )
    cloudflare.lifecycle.move(certificate, status, spec.get("pending_seconds"))
    cloudflare.store.add(certificate)
    return number


def rule(item: str | dict[str, Any]) -> dict[str, Any]:
    """A WAF custom rule from its expression alone, or from a mapping that has one."""
    given = {"expression": item} if isinstance(item, str) else item
    check("a rule", given, _RULE)
    number = secrets.token_hex(16)
    return {"id": number, "version": "1", **_RULE, **given, "ref": number}
