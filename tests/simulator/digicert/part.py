# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CertCentral part as a whole: its state, and the way of a call through it."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..authority import Authority
from ..clock import Clock
from ..exchange import Answer, BadBody, Call, Refusal
from ..routes import Routes
from . import account, acting, asking, listing, orders
from .account import OWN_ACCOUNT, VIEW_ONLY, ApiKey
from .answers import error, refusal, through_cdn
from .issuing import Issuing, read_csr
from .lifecycle import Lifecycle
from .limits import RateLimits
from .objects import ISSUE, OPEN, Certificate, Order, Request, Store
from .seeding import APPROVALS, PLAIN, STATUSES, build, start_pending
from .switches import Switches

_FIRST_COLLEAGUE = 2001


def _routes() -> Routes[DigiCert]:
    routes: Routes[DigiCert] = Routes()
    for module in (orders, asking, acting, account):
        routes.include(module.ROUTES)
    return routes


def new_api_key() -> str:
    return secrets.token_hex(33).upper()


class DigiCert:
    """A CertCentral account. Index it by order id: ``digicert[1000001]`` is the order, brought up to the clock."""

    name = "digicert"
    prefixes: tuple[str, ...] = ("/services/", "//services/")

    def __init__(self, clock: Clock, authority: Authority, lock: threading.RLock) -> None:
        self.clock = clock
        self.lock = lock
        self.switches = Switches()
        self.issuing = Issuing(authority)
        self.limits = RateLimits(clock, self.switches)
        self._own_keys = new_api_key(), new_api_key()
        self._dumped: dict[int, str] = {}
        self._routes = _routes()
        self._clear()

    def _clear(self) -> None:
        self.store = Store()
        self.lifecycle = Lifecycle(self.clock, self.store, self.issuing, self.switches)
        self.limits.clear()
        self.defaults: dict[str, Any] = {}
        self.keys: dict[str, ApiKey] = {}
        self.colleagues: dict[str, int] = {}
        self._dumped.clear()

    # -- for tests and the control API ---------------------------------------------------------------------------

    def __getitem__(self, order_id: int | str) -> Order:
        with self.lock:
            return self.lifecycle.settle(self.store.orders[int(order_id)])

    def load(self, specs: Iterable[dict[str, Any]]) -> list[int]:
        """Replace all orders by those of the specs (the entries of ``orders`` in a scenario); returns the order ids."""
        with self.lock:
            self.store.clear()
            return self.add(specs)

    def add(self, specs: Iterable[dict[str, Any]]) -> list[int]:
        """Add orders; what a spec leaves open comes from ``order_defaults`` of the scenario."""
        with self.lock:
            return [number for spec in specs for number in build(self, {**self.defaults, **spec})]

    def pem(self, order_id: int | str, certificate_id: int | None = None) -> str:
        """An issued certificate of the order, by default the primary one."""
        with self.lock:
            order = self[order_id]
            certificate = order.current if certificate_id is None else order.certificate(certificate_id)
            return self.sign(order, certificate).pem if certificate else ""

    def thumbprint(self, order_id: int | str) -> str:
        with self.lock:
            order = self[order_id]
            return self.sign(order, order.current).thumbprint

    def csr(self, label: str, common_name: str) -> str:
        """A CSR of the key behind a label, the one that entries name in ``key``."""
        with self.lock:
            return self.issuing.make_csr(label, common_name)

    def listed(self) -> list[tuple[str, str, int]]:
        """What a notice of the CA would list of this account: common name and serial number of each order's first certificate, and the order id."""
        with self.lock:
            first = [(order, order.certificates[0]) for order in self.store if order.account == OWN_ACCOUNT]
            return [(certificate.common_name, certificate.serial_number, order.id) for order, certificate in first if certificate.serial]

    def approve(self, order_id: int | str) -> None:
        """Somebody approves the oldest open request of the order."""
        with self.lock:
            order = self[order_id]
            request = next((item for item in order.requests if item.status in OPEN), None)
            if request is None:
                raise ValueError(f"order {order_id} does not wait for an approval")
            self.lifecycle.approve(order, request, self.colleague("Ali Approver"))

    def validate(self, order_id: int | str) -> None:
        """The domains of the order become valid."""
        with self.lock:
            self.lifecycle.validate(self[order_id])

    def issue(self, order_id: int | str) -> None:
        """The CA issues what is in flight, whatever it waits for."""
        with self.lock:
            order = self[order_id]
            if not order.pending:
                raise ValueError(f"order {order_id} has nothing in flight")
            for certificate in order.pending:
                request = order.request(certificate.request)
                if request is not None and request.status in OPEN:
                    self.lifecycle.approve(order, request, self.colleague("Ali Approver"))
            self.lifecycle.validate(order)
            for certificate in order.pending:
                self.lifecycle.issue(order, certificate, self.clock.now())

    def change(self, order_id: int | str, changes: dict[str, Any]) -> None:
        """Set fields of an order, as somebody else in the account might; ``pending`` starts a reissue of somebody else's."""
        with self.lock:
            order = self[order_id]
            known = {*PLAIN, "status", "approval", "pending"}
            if not known.issuperset(changes):
                raise ValueError(f"cannot change {', '.join(sorted(set(changes) - known))}; known: {', '.join(sorted(known))}")
            if changes.get("status", "issued") not in STATUSES:
                raise ValueError(f"status is one of {', '.join(STATUSES)}")
            for name, value in changes.items():
                if name == "approval":
                    order.approval = APPROVALS[value]
                elif name != "pending":
                    setattr(order, name, value)
            if "status" in changes:
                order.changed = self.clock.now()
            if "pending" in changes:
                start_pending(self, order, changes["pending"])
            self.store.touch(order)

    def control(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Vendor-specific control calls; ``order_id`` names the order."""
        if action == "add":
            return {"order_ids": self.add(data["orders"])}
        if action == "change":
            self.change(data["order_id"], data["fields"])
        elif action in ("approve", "validate", "issue"):
            {"approve": self.approve, "validate": self.validate, "issue": self.issue}[action](data["order_id"])
        else:
            raise ValueError(f"unknown DigiCert control call {action!r}; known: add, approve, change, issue, validate")
        return {"ok": True}

    # -- for the handlers ----------------------------------------------------------------------------------------

    def caller(self, call: Call) -> ApiKey:
        return self.keys[call.user]

    def visible(self, call: Call) -> list[Order]:
        """All orders of the caller's account, brought up to the clock."""
        self.lifecycle.settle_all()
        wanted = self.caller(call).account
        return [order for order in self.store if order.account == wanted]

    def _find(self, text: str) -> Order | None:
        """By order id, or by serial number or thumbprint of the primary certificate."""
        if text.isdigit() and int(text) in self.store.orders:
            return self.store.orders[int(text)]
        wanted = text.upper().lstrip("0")
        for order in self.store:
            if order.current.serial_number.lstrip("0") == wanted:
                return order
        if len(text) != 40:
            return None
        for order in self.store:
            if self.sign(order, order.current).thumbprint == text.upper():
                return order
        return None

    def order(self, call: Call) -> Order:
        order = self._find(call.args["order"])
        if order is None or order.account != self.caller(call).account:
            raise refusal("not_found|order")
        return self.lifecycle.settle(order)

    def _find_certificate(self, text: str, by_serial: bool) -> tuple[Order, Certificate] | None:
        order = self.store.of_certificate(int(text)) if text.isdigit() else None
        certificate = order.certificate(int(text)) if order else None
        if order and certificate:
            return order, certificate
        if by_serial:
            wanted = text.upper().lstrip("0")
            pairs = ((order, item) for order in self.store for item in order.certificates)
            return next((pair for pair in pairs if pair[1].serial_number.lstrip("0") == wanted), None)
        return None

    def certificate(self, call: Call, by_serial: bool = False) -> tuple[Order, Certificate]:
        found = self._find_certificate(call.args["certificate"], by_serial)
        if found is None or found[0].account != self.caller(call).account:
            raise refusal("not_found|certificate")
        self.lifecycle.settle(found[0])
        return found

    def request(self, call: Call) -> tuple[Order, Request]:
        number = int(call.args["request"])
        order = self.store.of_request(number)
        if order is None or order.account != self.caller(call).account:
            raise refusal("not_found|request")
        request = self.lifecycle.settle(order).request(number)
        assert request is not None
        return order, request

    def page(self, call: Call, name: str, items: list[Any], show: Callable[[Any], dict[str, Any]] = dict) -> Answer:
        return listing.page(call, name, items, show, self.switches.list_max_limit)

    def sign(self, order: Order, certificate: Certificate) -> Certificate:
        """The certificate, signed by now if it has been issued."""
        if certificate.issued and not certificate.pem:
            organization = "" if account.product_of(order.product)["validation_type"] == "dv" else account.ORGANIZATIONS[order.organization]
            self.issuing.sign(certificate, organization)
            self.store.touch(order)
        return certificate

    def csr_of(self, order: Order, certificate: Certificate) -> str:
        if not certificate.csr:
            self.issuing.csr_of(certificate)
            self.store.touch(order)
        return certificate.csr

    def key_size(self, certificate: Certificate) -> int:
        key: Any = read_csr(self.issuing.csr_of(certificate)).public_key()
        return int(key.key_size)

    def chain(self, order: Order, certificate: Certificate) -> list[dict[str, str]]:
        pairs = self.issuing.chain(self.sign(order, certificate))
        return [{"subject_common_name": name, "pem": text} for name, text in pairs]

    @staticmethod
    def random_value() -> str:
        return secrets.token_hex(16)

    def colleague(self, name: str) -> int:
        """The id of a user by name; without a name, the one behind the key of the ready file."""
        own = self.keys[self._own_keys[0]]
        if not name or name == f"{own.first_name} {own.last_name}":
            return own.user
        return self.colleagues.setdefault(name, _FIRST_COLLEAGUE + len(self.colleagues))

    def person(self, user: int) -> dict[str, Any]:
        for key in self.keys.values():
            if key.user == user:
                return key.person()
        name = next((name for name, number in self.colleagues.items() if number == user), "DigiCert System")
        first, dummy, last = name.partition(" ")
        return {"id": user, "first_name": first, "last_name": last, "email": f"{name.lower().replace(' ', '.')}@example.com"}

    # -- the vendor protocol -------------------------------------------------------------------------------------

    def reset(self, data: dict[str, Any]) -> None:
        self.configure(asdict(Switches()))
        self.configure(data.get("settings", {}))
        self._clear()
        self._add_own_keys()
        for number, item in enumerate(data.get("keys", ()), 1001):
            self.keys[item["key"]] = ApiKey(**{"user": number, **item})
        self.defaults = dict(data.get("order_defaults", {}))
        self.add(data.get("orders", ()))

    def _add_own_keys(self) -> None:
        api_key, view_key = self._own_keys
        self.keys[api_key] = ApiKey(api_key, 999)
        self.keys[view_key] = ApiKey(view_key, 1000, "View", "Only", VIEW_ONLY)

    def ready(self, url: str, dummy_directory: Path) -> dict[str, Any]:
        api_key, view_key = self._own_keys
        return {"url": url, "api_key": api_key, "view_key": view_key}

    def identify(self, call: Call) -> None:
        """Fill in what the journal and the faults want to know of a call; the order concerned is named by its id."""
        # Clients join a base address and a path with one slash too many.
        call.path = re.sub("/{2,}", "/", call.path)
        route, call.args, dummy = self._routes.find(call.method, call.path)
        if route is None:
            return
        call.mutates = route.mutates
        text = call.args.get(route.target or "") or ""
        order: Order | None = None
        if route.target == "order":
            order = self._find(text)
        elif route.target == "certificate":
            found = self._find_certificate(text, by_serial=True)
            order = found[0] if found else None
        elif route.target == "request":
            order = self.store.of_request(int(text))
        call.target = str(order.id) if order else text

    def handle(self, call: Call) -> Answer:
        try:
            answer = self._answer(call)
        except Refusal as refused:
            answer = refused.answer
        except BadBody:
            answer = error("bad_request_format")
        return through_cdn(answer, self.clock.now())

    def _answer(self, call: Call) -> Answer:
        # A bad key is a 403, and so is none.
        key = self.keys.get(call.headers.get("X-DC-DEVKEY", ""))
        if key is None:
            raise refusal("access_denied|access_denied_invalid_key")
        call.user = key.key
        self.limits.take(key.key)
        route, dummy, dummy_known = self._routes.find(call.method, call.path)
        if route is None:
            raise refusal("not_found|route")
        if not key.may(route.scope or "any", call.method):
            raise refusal("access_denied|missing_permission")
        return route.handler(self, call)

    def configure(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.switches.change(data)

    def state(self) -> dict[str, Any]:
        self.lifecycle.settle_all()
        own = [order for order in self.store if order.account == OWN_ACCOUNT]
        waiting = [item.waits for order in own for item in order.pending]
        return {
            "orders": len(own),
            "reissue_pending": sum(order.status == "reissue_pending" for order in own),
            "waiting_for": {what: waiting.count(what) for what in ("approval", "validation", ISSUE)},
            "open_requests": sum(request.status in OPEN for order in own for request in order.requests),
            "revocations_scheduled": sum(item.revoke_at > 0 for order in own for item in order.certificates),
        }

    def dump(self) -> dict[str, Any]:
        """Only what has changed since the last call is serialised again."""
        for number in self.store.changed:
            order = self.store.orders.get(number)
            if order is None:
                self._dumped.pop(number, None)
            else:
                self._dumped[number] = order.to_json()
        self.store.changed.clear()
        return {
            "orders": list(self._dumped.values()),
            "last": self.store.dump(),
            "blocked_keys": sorted(self.lifecycle.blocked_keys),
            "own": list(self._own_keys),
            "keys": [asdict(key) for key in self.keys.values()],
            "colleagues": self.colleagues,
            "settings": self.configure({}),
            "defaults": self.defaults,
        }

    def restore(self, data: dict[str, Any]) -> None:
        self._clear()
        self._own_keys = data["own"][0], data["own"][1]
        self.configure(data["settings"])
        self.keys = {item["key"]: ApiKey(**item) for item in data["keys"]}
        self.colleagues = data["colleagues"]
        self.defaults = data["defaults"]
        self.lifecycle.blocked_keys = set(data["blocked_keys"])
        for text in data["orders"]:
            self.store.add(Order.from_json(text))
        self.store.load(data["last"])
