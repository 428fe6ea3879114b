# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a user's accounts: zones with their host names and rules, and client certificates."""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from .answers import moment

DAY = 86400
ACTIVE, PENDING_REACTIVATION, PENDING_REVOCATION, REVOKED = "active", "pending_reactivation", "pending_revocation", "revoked"
STATUSES = (ACTIVE, PENDING_REACTIVATION, PENDING_REVOCATION, REVOKED)
# What an asynchronous step ends in.
NEXT = {PENDING_REACTIVATION: ACTIVE, PENDING_REVOCATION: REVOKED}
LIVE = (ACTIVE, PENDING_REACTIVATION)


@dataclass(slots=True)
class Account:
    """An account and its own managed CA."""

    name: str
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    ca_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def issuer(self) -> str:
        """The RFC 4514 name of the CA, as a live certificate had it."""
        return f"CN=Managed CA {self.id}"


@dataclass(slots=True)
class Hostnames:
    """The host names that ask for a certificate of one CA; reads lag behind a change until ``until``."""

    names: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    until: float = 0.0


@dataclass(slots=True)
class Zone:
    """A zone. ``hostnames`` goes by the CA, where none is the managed one; ``rules`` is None while there is no ruleset for custom rules; ``quota`` is at
    least what it has been loaded with.
    """

    id: str
    name: str
    account: str
    created: float
    status: str = "active"
    hostnames: dict[str, Hostnames] = field(default_factory=dict)
    ruleset: str = field(default_factory=lambda: secrets.token_hex(16))
    rules: list[dict[str, Any]] | None = None
    rules_changed: float = 0.0
    version: int = 0
    quota: int = 0

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Zone:
        return cls(**{**data, "hostnames": {name: Hostnames(**item) for name, item in data["hostnames"].items()}})


@dataclass(slots=True)
class Certificate:
    """A client certificate. ``csr`` and all that follows from it is made from the key ``key`` when somebody first looks; ``due`` is when a pending
    status ends; lists show it from ``listed`` on.
    """

    id: str
    zone_id: str
    subject: dict[str, str]
    validity_days: int
    issued: float
    serial: int = field(default_factory=lambda: secrets.randbits(158) | 1 << 158)
    status: str = ACTIVE
    due: float = 0.0
    listed: float = 0.0
    key: str = ""
    csr: str = ""
    certificate: str = ""
    fingerprint_sha256: str = ""
    public_key_sha256: str = ""
    ski: str = ""

    @property
    def common_name(self) -> str:
        return self.subject.get("common_name", "")

    @property
    def expires(self) -> float:
        return self.issued + self.validity_days * DAY

    @property
    def issued_on(self) -> str:
        return moment(self.issued)

    @property
    def expires_on(self) -> str:
        return moment(self.expires)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        return cls(**json.loads(text))


class Store:
    """All certificates by id, in the order of their creation, and by zone."""

    def __init__(self) -> None:
        self.certificates: dict[str, Certificate] = {}
        self.changed: set[str] = set()
        self._zones: dict[str, list[Certificate]] = {}

    def of_zone(self, zone_id: str) -> list[Certificate]:
        return self._zones.setdefault(zone_id, [])

    def add(self, certificate: Certificate) -> None:
        self.certificates[certificate.id] = certificate
        self.of_zone(certificate.zone_id).append(certificate)
        self.touch(certificate)

    def clear(self, zone_id: str) -> None:
        for certificate in self._zones.pop(zone_id, ()):
            del self.certificates[certificate.id]
            self.changed.add(certificate.id)

    def touch(self, certificate: Certificate) -> None:
        """A certificate has changed: the state file must write it again."""
        self.changed.add(certificate.id)
