# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of an account: orders with their certificates (original, reissues, duplicates) and the requests that wait for somebody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

ORIGINAL, REISSUE, DUPLICATE = "original", "reissue", "duplicate"
# What a certificate that has been asked for waits for, in this order.
APPROVAL, VALIDATION, ISSUE = "approval", "validation", "issue"
OPEN = ("submitted", "pending")
# What an order is called before its first certificate.
NEW = ("pending", "needs_approval", "needs_csr", "processing", "waiting_pickup", "approved")


@dataclass(slots=True)
class Certificate:
    """One certificate of an order, asked for or issued. ``csr`` is made from the key ``key`` when it has not been given; ``pem`` when somebody looks.
    What is ``held`` is not issued by time alone.
    """

    id: int
    order_id: int
    kind: str
    common_name: str
    dns_names: list[str]
    created: float
    status: str = "pending"
    waits: str = ""
    since: float = 0.0
    held: bool = False
    issued: float = 0.0
    valid_from: float = 0.0
    valid_till: float = 0.0
    serial: int = 0
    csr: str = ""
    key: str = ""
    signature_hash: str = "sha256"
    ca_cert_id: str = ""
    server_platform: int = -1
    client_auth: bool = False
    wish: dict[str, float] = field(default_factory=dict)
    revoke_at: float = 0.0
    revoked: float = 0.0
    reason: str = ""
    archived: bool = False
    user: int = 0
    request: int = 0
    previous: int = 0
    receipt_id: int = 0
    purchased_dns_names: int = 0
    purchased_wildcard_names: int = 0
    reads: int = 0
    pem: str = ""
    thumbprint: str = ""

    @property
    def names(self) -> set[str]:
        """Common name and alternative names, as one set."""
        return {name.lower() for name in (self.common_name, *self.dns_names) if name}

    @property
    def serial_number(self) -> str:
        return f"{self.serial:032X}" if self.serial else ""


@dataclass(slots=True)
class Request:
    """Something that needs a decision; ``certificates`` are those to be issued or revoked."""

    id: int
    order_id: int
    type: str
    status: str
    date: float
    user: int
    comments: str = ""
    certificates: list[int] = field(default_factory=list)
    whole_order: bool = False
    reason: str = ""
    processor: int = 0
    processed: float = 0.0
    processor_comment: str = ""


@dataclass(slots=True)
class Order:
    """An order, with everything that decides how the service treats it."""

    id: int
    product: str
    organization: int
    container: int
    created: float
    valid_till: float
    status: str = "pending"
    account: str = ""
    validity_years: int = 1
    primary: int = 0
    user: int = 0
    certificates: list[Certificate] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    approval: str = ""
    approved_after: float = 0.0
    validation: bool = False
    validated_after: float = 0.0
    dcv_method: str = "dns-txt-token"
    dcv_random_value: str = ""
    dcv_token: bool = False
    dcv_missing: list[str] = field(default_factory=list)
    issue_seconds: float | None = None
    wrong_pem_first: float = 0.0
    caa_failed: list[str] = field(default_factory=list)
    auto_reissue: bool = False
    auto_reissued: int = 0
    auto_renew: bool = False
    allow_duplicates: bool = True
    is_renewed: bool = False
    alternative_order_id: str = ""
    last_reissued: float = 0.0
    changed: float = 0.0

    def certificate(self, number: int) -> Certificate | None:
        return next((item for item in self.certificates if item.id == number), None)

    @property
    def current(self) -> Certificate:
        """The primary certificate; before the first issue, the one that was ordered."""
        return self.certificate(self.primary) or self.certificates[0]

    @property
    def reissues(self) -> list[Certificate]:
        return [item for item in self.certificates if item.kind == REISSUE]

    @property
    def duplicates(self) -> list[Certificate]:
        return [item for item in self.certificates if item.kind == DUPLICATE]

    @property
    def pending(self) -> list[Certificate]:
        """What keeps the order pending: reissues in flight, or the first certificate of a new order."""
        return [item for item in self.certificates if item.status == "pending" and item.kind != DUPLICATE]

    @property
    def issued(self) -> list[Certificate]:
        """What could be revoked."""
        return [item for item in self.certificates if item.status == "issued"]

    def request(self, number: int) -> Request | None:
        return next((item for item in self.requests if item.id == number), None)

    def to_json(self) -> str:
        return json.dumps(self, default=_members)

    @classmethod
    def from_json(cls, text: str) -> Order:
        data = json.loads(text)
        data["certificates"] = [Certificate(**item) for item in data["certificates"]]
        data["requests"] = [Request(**item) for item in data["requests"]]
        return cls(**data)


_MEMBERS = {kind: [item.name for item in fields(kind)] for kind in (Order, Certificate, Request)}


def _members(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in _MEMBERS[type(item)]}


class Store:
    """All orders by id, with their certificates and requests."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self.changed: set[int] = set()
        self._by_certificate: dict[int, Order] = {}
        self._by_request: dict[int, Order] = {}
        self._by_thumbprint: dict[str, Certificate] = {}
        self._last = {"order": 1_000_000, "certificate": 5_000_000, "request": 700_000, "receipt": 30_000}

    def __iter__(self) -> Iterator[Order]:
        return iter(self.orders.values())

    def next_id(self, kind: str) -> int:
        self._last[kind] += 1
        return self._last[kind]

    def add(self, order: Order) -> None:
        self._last["order"] = max(self._last["order"], order.id)
        self.orders[order.id] = order
        self.touch(order)

    def clear(self) -> None:
        """Ids are not given twice."""
        self.changed.update(self.orders)
        for table in (self.orders, self._by_certificate, self._by_request, self._by_thumbprint):
            table.clear()

    def touch(self, order: Order) -> None:
        """An order has changed: keep the indexes, and track what the state file must write again."""
        self.changed.add(order.id)
        for certificate in order.certificates:
            self._by_certificate[certificate.id] = order
            if certificate.thumbprint:
                self._by_thumbprint[certificate.thumbprint] = certificate
        for request in order.requests:
            self._by_request[request.id] = order

    def of_certificate(self, number: int) -> Order | None:
        return self._by_certificate.get(number)

    def of_request(self, number: int) -> Order | None:
        return self._by_request.get(number)

    def by_thumbprint(self, thumbprint: str) -> Certificate | None:
        return self._by_thumbprint.get(thumbprint)

    def dump(self) -> dict[str, int]:
        return self._last

    def load(self, last: dict[str, int]) -> None:
        self._last.update(last)
