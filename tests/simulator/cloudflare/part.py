# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cloudflare part as a whole: its state, and the way of a call through it."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..authority import Authority
from ..clock import Clock
from ..exchange import Answer, BadBody, Call
from ..routes import Routes
from . import certificates, zones
from .access import EMAIL, SSL_READ, ZONE_READ, Access, Token, new_secret
from .answers import Problem, edge_headers, edge_page, through_edge
from .issuing import Issuing, public_key_sha256, read_csr
from .lifecycle import Lifecycle
from .limits import RateLimits
from .objects import DAY, STATUSES, Account, Certificate, Hostnames, Store, Zone
from .seeding import build, check, rule
from .switches import Switches

MAIN, OTHER, TWICE = "example.com", "example.net", "example.org"
_PREFIXES = {"api_token": "cfut_", "account_token": "cfat_", "read_token": "cfut_", "zone_token": "cfut_", "api_key": "cfk_"}
_ZONE_ID = re.compile(r"[0-9a-f]{32}")
_ZONE_KEYS = ("name", "status", "account", "hostnames", "waf_rules", "certificates")


def _routes() -> Routes[Cloudflare]:
    routes: Routes[Cloudflare] = Routes()
    for module in (certificates, zones):
        routes.include(module.ROUTES)
    return routes


class Cloudflare:
    """The accounts that a user can see. Index it by certificate id: ``cloudflare["7bf7…"]`` is the certificate, signed and brought up to the clock."""

    name = "cloudflare"
    prefixes: tuple[str, ...] = ("/client/v4",)

    def __init__(self, clock: Clock, authority: Authority, lock: threading.RLock) -> None:
        self.clock = clock
        self.lock = lock
        self.switches = Switches()
        self.issuing = Issuing(authority, self.switches)
        self.limits = RateLimits(clock, self.switches)
        self.access = Access(self.switches)
        self._secrets = {name: new_secret(prefix) for name, prefix in _PREFIXES.items()}
        self._own, self._elsewhere = Account("Example Corp"), Account("Example Labs")
        self._ids = [secrets.token_hex(16) for dummy in range(4)]
        self._dumped: dict[str, str] = {}
        self._routes = _routes()
        self._clear()

    def _clear(self) -> None:
        self.store = Store()
        self.lifecycle = Lifecycle(self.clock, self.store, self.switches)
        self.limits.clear()
        self.issuing.clear()
        self.defaults: dict[str, Any] = {}
        self.accounts = {account.id: account for account in (self._own, self._elsewhere)}
        self.zones: dict[str, Zone] = {}
        self._dumped.clear()

    # -- for tests and the control API ---------------------------------------------------------------------------

    def __getitem__(self, certificate_id: str) -> Certificate:
        with self.lock:
            return self.sign(self.lifecycle.settle(self.store.certificates[certificate_id]))

    def certificates(self, zone: str = MAIN) -> list[Certificate]:
        """All certificates of a zone in the order of their creation."""
        with self.lock:
            return [self[item.id] for item in self.store.of_zone(self.zone(zone).id)]

    def load(self, specs: Iterable[dict[str, Any]], zone: str = MAIN) -> list[str]:
        """Replace the certificates of a zone by those of the specs (the entries of ``certificates`` in a scenario); returns their ids in order."""
        with self.lock:
            emptied = self.zone(zone)
            self.store.clear(emptied.id)
            emptied.quota = 0
            return self.add(specs, zone)

    def add(self, specs: Iterable[dict[str, Any]], zone: str = MAIN) -> list[str]:
        """Add certificates; what a spec leaves open comes from ``certificate_defaults`` of the scenario."""
        with self.lock:
            filled = self.zone(zone)
            numbers = [number for spec in specs for number in build(self, filled, {**self.defaults, **spec})]
            filled.quota = max(filled.quota, self.lifecycle.live(filled.id))
            return numbers

    def change(self, certificate_id: str, changes: dict[str, Any]) -> None:
        """Set the ``status`` as somebody else might, for ``pending_seconds`` if it is a pending one."""
        with self.lock:
            check("a change", changes, ("status", "pending_seconds"))
            if changes["status"] not in STATUSES:
                raise ValueError(f"status is one of {', '.join(STATUSES)}")
            self.lifecycle.move(self[certificate_id], changes["status"], changes.get("pending_seconds"))

    def csr(self, label: str, common_name: str = "", **subject: str) -> str:
        """The CSR of the key behind a label, the one that entries name in ``key``."""
        with self.lock:
            return self.issuing.make_csr(label, {"common_name": common_name, **subject})

    def set_waf_rules(self, zone: str, rules: Iterable[str | dict[str, Any]] | None) -> None:
        """The custom rules of a zone: expressions to block, or mappings with ``expression``, ``action``, ``enabled``, ``description``; None: no ruleset."""
        with self.lock:
            changed = self.zone(zone)
            changed.rules = None if rules is None else [rule(item) for item in rules]
            changed.rules_changed, changed.version = self.clock.now(), changed.version + 1

    def set_hostnames(self, zone: str, names: Iterable[str]) -> None:
        """The host names for which certificates of the managed CA are asked for."""
        with self.lock:
            self.zone(zone).hostnames[""] = Hostnames(list(names))

    def control(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Vendor-specific control calls; ``id`` is a certificate's, ``zone`` an id or a name."""
        zone = data.get("zone", MAIN)
        if action == "add":
            return {"ids": self.add(data["certificates"], zone)}
        if action == "change":
            self.change(data["id"], data["fields"])
        elif action == "waf_rules":
            self.set_waf_rules(zone, data["rules"])
        elif action == "hostnames":
            self.set_hostnames(zone, data["hostnames"])
        else:
            raise ValueError(f"unknown Cloudflare control call {action!r}; known: add, change, hostnames, waf_rules")
        return {"ok": True}

    # -- for the handlers ----------------------------------------------------------------------------------------

    def zone(self, zone: str) -> Zone:
        """By id or name; of two with one name the active one."""
        if zone in self.zones:
            return self.zones[zone]
        named = sorted((item for item in self.zones.values() if item.name == zone), key=lambda item: item.status != "active")
        if not named:
            raise ValueError(f"unknown zone {zone!r}; known: {', '.join(sorted({item.name for item in self.zones.values()}))}")
        return named[0]

    def account_of(self, zone_id: str) -> Account:
        return self.accounts[self.zones[zone_id].account]

    def sign(self, certificate: Certificate) -> Certificate:
        """The certificate, signed by now."""
        if not certificate.certificate:
            self.issuing.sign(certificate, self.account_of(certificate.zone_id).issuer)
            self.store.touch(certificate)
        return certificate

    def caller(self, call: Call) -> Token:
        return self.access.tokens.get(call.user, self.access.key)

    def visible(self, call: Call) -> list[Zone]:
        """The zones that the caller's token reaches: an account's token those of the account, the user's all."""
        token = self.caller(call)
        return [
            zone for zone in self.zones.values() if (not token.zones or zone.name in token.zones) and (not token.account or zone.account == token.account)
        ]

    def certificate(self, call: Call) -> Certificate:
        certificate = self.store.certificates.get(call.args["certificate"])
        if certificate is None or certificate.zone_id != call.args["zone"]:
            raise Problem("unknown_certificate", status=self.switches.unknown_id_status)
        return self.lifecycle.settle(certificate)

    # -- the vendor protocol -------------------------------------------------------------------------------------

    def reset(self, data: dict[str, Any]) -> None:
        self.configure(asdict(Switches()))
        self.configure(data.get("settings", {}))
        self._clear()
        self.defaults = dict(data.get("certificate_defaults", {}))
        self._add_own_tokens(data.get("tokens", ()))
        begin = self.clock.now() - 400 * DAY
        own, elsewhere = self._own.id, self._elsewhere.id
        for number, name, account, status in zip(
            self._ids, (MAIN, OTHER, TWICE, TWICE), (own, own, elsewhere, own), ("active", "active", "active", "moved"), strict=True
        ):
            self.zones[number] = Zone(number, name, account, begin, status)
        for item in data.get("zones", ()):
            self._add_zone(item, begin)

    def _add_own_tokens(self, more: Iterable[dict[str, Any]]) -> None:
        own = self._secrets
        tokens = [
            Token(own["api_token"]),
            Token(own["account_token"], account=self._own.id),
            Token(own["read_token"], permissions=[SSL_READ, ZONE_READ]),
            Token(own["zone_token"], zones=[MAIN]),
        ]
        # ``account`` of a scenario's token is the word own or elsewhere, since ids are made anew.
        accounts = {"": "", "own": self._own.id, "elsewhere": self._elsewhere.id}
        self.access.load(Token(own["api_key"]), tokens + [Token(**{**item, "account": accounts[item.get("account", "")]}) for item in more])

    def _add_zone(self, data: dict[str, Any], created: float) -> None:
        """A zone of a scenario: what it holds, if the name is known already, or a new one."""
        check("a zone", data, _ZONE_KEYS)
        name = data["name"]
        if all(zone.name != name for zone in self.zones.values()):
            account = self._elsewhere if data.get("account") == "elsewhere" else self._own
            number = secrets.token_hex(16)
            self.zones[number] = Zone(number, name, account.id, created, data.get("status", "active"))
        if "hostnames" in data:
            self.set_hostnames(name, data["hostnames"])
        if "waf_rules" in data:
            self.set_waf_rules(name, data["waf_rules"])
        self.add(data.get("certificates", ()), name)

    def ready(self, url: str, dummy_directory: Path) -> dict[str, Any]:
        return {
            "url": f"{url}/client/v4", **self._secrets, "email": EMAIL, "account_id": self._own.id, "zone_id": self._ids[0], "zone_name": MAIN,
            "other_zone_id": self._ids[1], "other_zone_name": OTHER, "twice_zone_name": TWICE,
        }

    def identify(self, call: Call) -> None:
        """Fill in what the journal and the faults want to know of a call; a create is told by the public key that it brings."""
        call.edge_headers, call.edge_page = edge_headers(), edge_page()
        route, call.args, dummy = self._routes.find(call.method, call.path)
        if route is None:
            return
        call.mutates = route.mutates
        if route.target != "csr":
            call.target = call.args.get(route.target or "", "")
            return
        try:
            call.target = public_key_sha256(read_csr(str(call.fields.get("csr"))))
        except (BadBody, Problem):
            return

    def handle(self, call: Call) -> Answer:
        try:
            answer = self._answer(call)
        except Problem as problem:
            answer = problem.answer(self.switches)
        except BadBody:
            answer = Problem("bad_json").answer(self.switches)
        limits = self.limits.headers(self.caller(call).owner) if call.user else {}
        return through_edge(answer, {**call.edge_headers, **limits})

    def _answer(self, call: Call) -> Answer:
        route, dummy, known = self._routes.find(call.method, call.path)
        token = self.access.caller(call.headers, verifying=route is not None and route.scope == zones.VERIFY)
        call.user = token.token
        self.limits.take(token.owner)
        if route is None and known:
            raise Problem("method", method=call.method)
        zone = call.args.get("zone")
        if route is None or zone is not None and not _ZONE_ID.fullmatch(zone):
            raise Problem("no_route", status=self.switches.malformed_zone_status, path=call.raw_path)
        if zone is not None and all(item.id != zone for item in self.visible(call)):
            raise Problem("no_route", path=call.raw_path) if self.switches.unknown_zone == "404" else Problem("authentication_error")
        if route.scope != zones.VERIFY and not token.may(str(route.scope)):
            raise Problem("authentication_error")
        if route.handler.__name__ == self.switches.success_false_with_200:
            raise Problem("service", status=200)
        return route.handler(self, call)

    def configure(self, data: dict[str, Any]) -> dict[str, Any]:
        operation = data.get("success_false_with_200")
        if operation and operation not in self._routes.names():
            raise ValueError(f"success_false_with_200 is one of {', '.join(sorted(self._routes.names()))}")
        return self.switches.change(data)

    def state(self) -> dict[str, Any]:
        counts: dict[str, dict[str, int]] = {}
        for zone in self.zones.values():
            found = [self.lifecycle.settle(item).status for item in self.store.of_zone(zone.id)]
            if found:
                counts[zone.name] = {status: found.count(status) for status in STATUSES}
        return {"certificates": len(self.store.certificates), "zones": counts}

    def dump(self) -> dict[str, Any]:
        """Only what has changed since the last call is serialised again."""
        for number in self.store.changed:
            certificate = self.store.certificates.get(number)
            if certificate is None:
                self._dumped.pop(number, None)
            else:
                self._dumped[number] = certificate.to_json()
        self.store.changed.clear()
        return {
            # In the order of their creation, which the set of changes does not keep.
            "certificates": [self._dumped[number] for number in self.store.certificates],
            "zones": [asdict(zone) for zone in self.zones.values()],
            "accounts": [asdict(account) for account in (self._own, self._elsewhere)],
            "tokens": self.access.dump(),
            "secrets": self._secrets,
            "ids": self._ids,
            "settings": self.configure({}),
            "defaults": self.defaults,
        }

    def restore(self, data: dict[str, Any]) -> None:
        self._own, self._elsewhere = (Account(**item) for item in data["accounts"])
        self._clear()
        self._secrets, self._ids = data["secrets"], data["ids"]
        self.configure(data["settings"])
        self.defaults = data["defaults"]
        key, *tokens = (Token(**item) for item in data["tokens"])
        self.access.load(key, tokens)
        self.zones = {item["id"]: Zone.from_data(item) for item in data["zones"]}
        for text in data["certificates"]:
            certificate = Certificate.from_json(text)
            self.store.add(certificate)
            self.issuing.remember(certificate)
