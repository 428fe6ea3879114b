# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a TPP server: certificates with their issued versions, policy folders, applications, certificate authorities."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

SERVER_CERTIFICATE = "X509 Server Certificate"
ROOT = "\\VED\\Policy"
HOME = ROOT + "\\Certificates"
ALL_RIGHTS = ("view", "read", "write", "create", "delete", "revoke", "private key read")


def fold(dn: str) -> str:
    """DNs are compared without regard to case."""
    return dn.lower()


def split(dn: str) -> tuple[str, str]:
    """Parent and name; a backslash that is part of a name is written as ``\\\\``."""
    position = len(dn)
    while True:
        position = dn.rfind("\\", 0, position)
        if position <= 0 or dn[position - 1] != "\\":
            return dn[:max(position, 0)], dn[position + 1:]
        position -= 1


def guid_for(dn: str) -> str:
    """The same object has the same GUID in every run of a scenario; lower-case hex in braces, as the server writes it (XSOAR)."""
    return "{" + str(uuid.uuid5(uuid.NAMESPACE_X500, fold(dn))) + "}"


@dataclass(slots=True)
class Plan:
    """How the next renewals of a certificate go."""

    outcome: str = "issued"
    stage: int = 500
    status: str = ""
    workflow: bool = False
    queued: float = 1.0
    seconds: float = 4.0


@dataclass(slots=True)
class Work:
    """A renewal in flight. ``steps`` are the stages still to be gone through from ``started`` on, after ``queued`` seconds in the queue."""

    started: float
    queued: float
    slot: float
    steps: list[int]
    csr: str = ""
    approved: bool = False


@dataclass(slots=True)
class Version:
    """One issued certificate. It is signed when somebody first looks at it; ``key`` is the label of a shared key, ``facts`` is what the API shows of it."""

    common_name: str
    sans: dict[str, list[str]]
    authority: str
    not_before: float
    not_after: float
    serial: int
    vault_id: int
    csr: str = ""
    key_kind: str = "EC256"
    key: str = ""
    pem: str = ""
    key_pem: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Consumer:
    """An application that uses a certificate."""

    dn: str
    stage: int | None = None
    status: str = ""
    in_error: bool = False
    writable: bool = True


@dataclass(slots=True)
class Node:
    """Any object of the configuration tree."""

    dn: str
    class_name: str = "Policy"
    attributes: dict[str, list[str]] = field(default_factory=dict)
    guid: str = ""
    name: str = ""
    parent: str = ""

    def __post_init__(self) -> None:
        self.guid = self.guid or guid_for(self.dn)
        self.parent, self.name = split(self.dn)


@dataclass(slots=True)
class Certificate(Node):
    """A certificate object with everything that decides how the server treats it."""

    class_name: str = SERVER_CERTIFICATE
    created_on: float = 0.0
    created_by: str = "WebAdmin"
    origin: str = "Web SDK"
    description: str = ""
    contact: list[str] = field(default_factory=list)
    approver: list[str] = field(default_factory=list)
    custom_fields: dict[str, list[str]] = field(default_factory=dict)
    authority: str = ""
    subject: str = ""
    sans: dict[str, list[str]] = field(default_factory=dict)
    management_type: str = "Enrollment"
    disabled: bool = False
    stage: int | None = None
    status: str = ""
    in_error: bool = False
    in_process: bool = False
    ticket_dn: str = ""
    ticket_since: float = 0.0
    work_to_do: bool = False
    key_state: str = "ok"
    revocation: str = "none"
    revocation_date: float = 0.0
    revocation_by: str = ""
    lock: int = 0
    lock_until: float = 0.0
    user_csr: bool = False
    csr: str = ""
    key_kind: str = "EC256"
    validation: str = "Success"
    valid_days: float = 365.0
    rights: dict[str, list[str]] = field(default_factory=dict)
    consumers: list[Consumer] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)
    work: Work | None = None
    entry: tuple[Version | None, bytes] | None = None

    @property
    def current(self) -> Version | None:
        return self.versions[-1] if self.versions else None

    def may(self, user: str, right: str) -> bool:
        """Rights are given per user, ``*`` stands for everybody else; without an entry everything is allowed."""
        if not self.rights:
            return True
        return right in self.rights.get(user, self.rights.get("*", ALL_RIGHTS))

    def clear_processing(self) -> None:
        self.stage, self.status, self.in_error, self.in_process = None, "", False, False
        self.ticket_dn, self.work_to_do, self.work = "", False, None

    def to_json(self) -> str:
        return json.dumps(self, default=_members)

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        data = json.loads(text)
        data["plan"] = Plan(**data["plan"])
        data["work"] = Work(**data["work"]) if data["work"] else None
        data["versions"] = [Version(**item) for item in data["versions"]]
        data["consumers"] = [Consumer(**item) for item in data["consumers"]]
        return cls(**data)


_MEMBERS = {kind: [item.name for item in fields(kind) if item.name != "entry"] for kind in (Certificate, Version, Consumer, Plan, Work)}


def _members(item: Any) -> dict[str, Any]:
    """What is saved of an object; a list entry is made again."""
    return {name: getattr(item, name) for name in _MEMBERS[type(item)]}


class Store:
    """All objects, found by DN or GUID without regard to case; certificates also by parent, in the order of their creation."""

    def __init__(self) -> None:
        self._by_dn: dict[str, Node] = {}
        self._by_guid: dict[str, Node] = {}
        self.certificates: dict[str, Certificate] = {}
        self.working: dict[str, Certificate] = {}
        self.changed: set[str] = set()

    def __iter__(self) -> Iterator[Node]:
        return iter(self._by_dn.values())

    def __len__(self) -> int:
        return len(self._by_dn)

    def get(self, dn: str) -> Node | None:
        return self._by_dn.get(fold(dn))

    def by_guid(self, guid: str) -> Node | None:
        return self._by_guid.get("{" + guid.lower().strip("{}") + "}")

    def add(self, node: Node) -> None:
        key = fold(node.dn)
        self._by_dn[key] = self._by_guid[node.guid] = node
        if isinstance(node, Certificate):
            self.certificates[key] = node
            self.touch(node)
        parent = node.parent
        if parent and fold(parent) not in self._by_dn:
            self.add(Node(parent))

    def remove(self, node: Node) -> None:
        key = fold(node.dn)
        del self._by_dn[key], self._by_guid[node.guid]
        self.working.pop(key, None)
        if self.certificates.pop(key, None):
            self.changed.add(key)

    def touch(self, certificate: Certificate) -> None:
        """A certificate has changed: keep track of work in flight, and of what the state file must write again."""
        key = fold(certificate.dn)
        self.changed.add(key)
        if certificate.work is not None:
            self.working[key] = certificate
        else:
            self.working.pop(key, None)
