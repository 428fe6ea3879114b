# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a Command server: certificates, workflow instances, certificate collections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

DAY = 86400


class State(IntEnum):
    """CertState. The names of 6 to 8 are unconfirmed."""

    UNKNOWN = 0
    ACTIVE = 1
    REVOKED = 2
    DENIED = 3
    FAILED = 4
    PENDING = 5
    CERTIFICATE_AUTHORITY = 6
    PARENT_CERTIFICATE_AUTHORITY = 7
    EXTERNAL_VALIDATION = 8

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").title()


REMOVE_FROM_HOLD, ON_HOLD = -1, 6


class Standing(NamedTuple):
    """The four members of a certificate that a revocation changes."""

    state: int
    reason: int | None = None
    comment: str | None = None
    date: float | None = None

    @property
    def on_hold(self) -> bool:
        return self.state == State.REVOKED and self.reason == ON_HOLD


@dataclass(slots=True)
class Certificate:
    """A certificate with everything that decides how the server treats it. Times are seconds since the epoch."""

    id: int
    cn: str
    subject: str
    issuer_dn: str
    authority: str
    thumbprint: str
    serial: str
    content: str
    not_before: float
    not_after: float
    imported: float
    state: int = State.ACTIVE
    revocation_reason: int | None = None
    revocation_comment: str | None = None
    revocation_date: float | None = None
    requester: str = ""
    dns: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    locations: list[dict[str, Any]] = field(default_factory=list)
    ssl_locations: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    key: str = ""
    private_key: bool = False
    owner: str | None = None
    approval: bool = False
    approval_seconds: float | None = None
    ca_refuses: str = ""
    pending: list[str] = field(default_factory=list)
    earlier: Standing | None = None
    earlier_until: float = 0.0
    scheduled: Standing | None = None

    @property
    def standing(self) -> Standing:
        return Standing(self.state, self.revocation_reason, self.revocation_comment, self.revocation_date)

    @standing.setter
    def standing(self, new: Standing) -> None:
        self.state, self.revocation_reason, self.revocation_comment, self.revocation_date = new

    def seen(self, now: float) -> Standing:
        """What a read shows, which may lag behind."""
        if self.earlier is not None and now < self.earlier_until:
            return self.earlier
        return self.standing

    @property
    def from_ejbca(self) -> bool:
        """An EJBCA authority goes by its URL, a Microsoft one by its host; the record numbers differ."""
        return self.authority.startswith("http")

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        data = json.loads(text)
        for name in ("earlier", "scheduled"):
            data[name] = Standing(*data[name]) if data[name] else None
        return cls(**data)


@dataclass(slots=True)
class Instance:
    """A workflow instance: one revocation that waits, or waited, for an approval."""

    id: str
    reference: int
    certificate: int
    reason: int
    comment: str
    effective: float | None
    user: str
    started: float
    modified: float
    status: str = "Suspended"
    message: str = ""
    due: float | None = None

    @property
    def suspended(self) -> bool:
        return self.status == "Suspended"


@dataclass(slots=True)
class Collection:
    """A certificate collection: a saved query."""

    id: int
    name: str
    description: str = ""
    content: str = ""


class Store:
    """All certificates in the order of their ids, with indexes over what is asked for by the dozen."""

    def __init__(self) -> None:
        self.certificates: dict[int, Certificate] = {}
        self._indexes: dict[str, dict[str, set[int]]] = {"thumbprint": {}, "serial": {}}
        self.instances: dict[str, Instance] = {}
        self.waiting: set[int] = set()
        self.changed: set[int] = set()

    def __iter__(self) -> Iterator[Certificate]:
        return iter(self.certificates.values())

    def add(self, certificate: Certificate) -> None:
        self.certificates[certificate.id] = certificate
        for name, index in self._indexes.items():
            index.setdefault(getattr(certificate, name), set()).add(certificate.id)
        self.touch(certificate)

    def remove(self, certificate: Certificate) -> None:
        del self.certificates[certificate.id]
        for name, index in self._indexes.items():
            index[getattr(certificate, name)].discard(certificate.id)
        for instance in [item for item in self.instances.values() if item.certificate == certificate.id]:
            del self.instances[instance.id]
        self.waiting.discard(certificate.id)
        self.changed.add(certificate.id)

    def having(self, name: str, value: str) -> set[int]:
        """The ids of the certificates with this thumbprint or serial number."""
        return self._indexes[name].get(value.upper(), set())

    def touch(self, certificate: Certificate) -> None:
        """A certificate has changed: the state file must write it again, and the clock may be about to change it further."""
        self.changed.add(certificate.id)
        if certificate.scheduled is not None or any(self.instances[item].due is not None for item in certificate.pending):
            self.waiting.add(certificate.id)
        else:
            self.waiting.discard(certificate.id)
