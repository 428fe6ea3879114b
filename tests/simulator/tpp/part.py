# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPP part as a whole: its state, and the way of a call through it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..authority import Authority
from ..clock import Clock
from ..exchange import Answer, BadBody, Call, Refusal, not_found
from ..routes import Route, Routes
from . import certificates, config, system, tickets, vedauth
from .issuing import sign
from .lifecycle import Authorities, Lifecycle
from .objects import HOME, Certificate, Node, Store, Version, fold
from .seeding import build
from .switches import Switches
from .tokens import FULL_SCOPE, Grant, Grants, User, new_token

DEFAULT_AUTHORITY = "\\VED\\Policy\\Administration\\CAs\\Corp Issuing CA 1"
DEFAULT_ISSUER = "CN=Example Corp Issuing CA 1,OU=PKI,O=Example Corp,C=US"
TOKEN = re.compile(r"[A-Za-z0-9+/]{22}==")


def _routes() -> Routes[Tpp]:
    routes: Routes[Tpp] = Routes()
    for module in (vedauth, certificates, config, system, tickets):
        routes.include(module.ROUTES)
    return routes


class Tpp:
    """A Trust Protection Platform. Index it by DN: ``tpp["\\\\VED\\\\Policy\\\\…"]`` is the certificate, brought up to the clock."""

    name = "tpp"
    prefixes: tuple[str, ...] = ("/vedauth", "/vedsdk")

    def __init__(self, clock: Clock, authority: Authority, lock: threading.RLock) -> None:
        self.clock = clock
        self.authority = authority
        self.lock = lock
        self.switches = Switches()
        self.grants = Grants(clock, self.switches)
        self.client_id = "certops-remediation"
        self._own_password = new_token()
        self._own_tokens = new_token(), new_token()
        self._dumped: dict[str, str] = {}
        self.defaults: dict[str, Any] = {}
        self._routes = _routes()
        self._clear()

    def _clear(self) -> None:
        self.store = Store()
        self.store.add(Node("\\VED\\Policy"))
        self.authorities = Authorities()
        self.lifecycle = Lifecycle(self.clock, self.authority, self.store, self.authorities)
        self.log: list[dict[str, Any]] = []
        self.api_keys: dict[str, Grant] = {}
        self._dumped.clear()

    # -- for tests and the control API ---------------------------------------------------------------------------

    def __getitem__(self, dn: str) -> Certificate:
        with self.lock:
            return self.lifecycle.settle(self.store.certificates[fold(dn)])

    def load(self, specs: Iterable[dict[str, Any]]) -> None:
        """Replace all certificates by those of the specs (the entries of ``certificates`` in a scenario)."""
        with self.lock:
            for certificate in list(self.store.certificates.values()):
                self.store.remove(certificate)
            self.add(specs)

    def add(self, specs: Iterable[dict[str, Any]]) -> None:
        """Add certificates; what a spec leaves open comes from ``certificate_defaults`` of the scenario."""
        with self.lock:
            for spec in specs:
                build(self, {**self.defaults, **spec})

    def facts(self, dn: str) -> dict[str, Any]:
        """What the API shows of the current certificate: ``Thumbprint``, ``Serial`` and so on."""
        with self.lock:
            return certificates.facts_of(self, self[dn])

    def sign(self, certificate: Certificate, version: Version) -> Version:
        """The version, signed by now."""
        if not version.pem:
            sign(version, self.authority)
            self.store.touch(certificate)
        return version

    def approve(self, dn: str) -> None:
        """Resolve the workflow ticket of a certificate."""
        with self.lock:
            self.lifecycle.approve(self[dn])

    def set_authority(self, dn: str, up: bool) -> None:
        """Take a certificate authority down or up; what is in flight is settled first."""
        with self.lock:
            self.lifecycle.settle_all()
            self.authorities.set_up(dn, up)

    def expire_access_tokens(self) -> int:
        with self.lock:
            return self.grants.expire_access_tokens()

    def control(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Vendor-specific control calls; ``dn`` names the object where there is one."""
        if action == "approve":
            self.approve(data["dn"])
        elif action == "authority":
            self.set_authority(data["dn"], data["up"])
        elif action == "expire_tokens":
            return {"expired": self.expire_access_tokens()}
        elif action == "add":
            self.add(data["certificates"])
        elif action == "remove":
            self.store.remove(self[data["dn"]])
        elif action == "change":
            self.change(data["dn"], data["fields"])
        else:
            raise ValueError(f"unknown TPP control call {action!r}; known: add, approve, authority, change, expire_tokens, remove")
        return {"ok": True}

    def change(self, dn: str, changes: dict[str, Any]) -> None:
        """Set fields of a certificate, as somebody else on the server might."""
        with self.lock:
            certificate = self[dn]
            known = {item.name for item in fields(Certificate)} - {"dn", "guid", "name", "parent", "versions", "consumers", "plan", "work"}
            if not known.issuperset(changes):
                raise ValueError(f"cannot change {', '.join(sorted(set(changes) - known))}; known: {', '.join(sorted(known))}")
            for name, value in changes.items():
                setattr(certificate, name, value)
            self.store.touch(certificate)

    # -- the vendor protocol -------------------------------------------------------------------------------------

    def reset(self, data: dict[str, Any]) -> None:
        self.configure(asdict(Switches()))
        self.configure(data.get("settings", {}))
        self._clear()
        self.grants.clear()
        self.defaults = dict(data.get("certificate_defaults", {}))
        self.grants.users = {"certops": User("certops", self._own_password, "Certificate operations")}
        for user in data.get("users", ()):
            self.grants.users[user["name"].lower()] = User(**user)
        for folder in (HOME, *data.get("folders", ())):
            self.store.add(Node(folder))
        for item in data.get("authorities", ({"dn": DEFAULT_AUTHORITY, "issuer": DEFAULT_ISSUER},)):
            self.authorities.add(item["dn"], item["issuer"])
            self.store.add(Node(item["dn"], item.get("class", "Microsoft CA")))
            until = self.clock.now() + item["up_after"] if "up_after" in item else float("inf")
            self.authorities.set_up(item["dn"], item.get("up", "up_after" not in item), until)
        self.add(data.get("certificates", ()))
        # The tokens of the ready file outlive a reset, even when a refresh or a revocation had used them up.
        self.grants.issue("certops", self.client_id, FULL_SCOPE, self._own_tokens)

    def ready(self, url: str, directory: Path) -> dict[str, Any]:
        certificate, key = self.authority.client_certificate("certops", directory)
        access_token, refresh_token = self._own_tokens
        return {
            "url": url,
            "username": "certops",
            "password": self.grants.users["certops"].password,
            "client_id": self.client_id,
            "access_token": access_token,
            "refresh_token": refresh_token,
            "client_cert": str(certificate),
            "client_key": str(key),
        }

    def identify(self, call: Call) -> None:
        """Fill in what the journal and the faults want to know of a call."""
        route, call.args, dummy = self._routes.find(call.method, call.path)
        if route is None:
            return
        call.mutates = route.mutates
        wanted = call.args.get(route.target or "")
        if wanted is None and route.target:
            try:
                wanted = call.fields.get(route.target)
            except BadBody:
                return
        if isinstance(wanted, str):
            node = self.store.get(wanted) or self.store.by_guid(wanted)
            call.target = node.dn if node else wanted

    def handle(self, call: Call) -> Answer:
        route, dummy, known = self._routes.find(call.method, call.path)
        if route is None:
            if known:
                return Answer.json({"Message": f"The requested resource does not support http method '{call.method}'."}, 405)
            return not_found()
        try:
            self._authorize(route, call)
            return route.handler(self, call)
        except Refusal as refusal:
            return refusal.answer
        except BadBody as problem:
            if call.path.startswith("/vedsdk/certificates"):
                return certificates.error(str(problem))
            return vedauth.error("invalid_request", str(problem))

    def _authorize(self, route: Route[Tpp], call: Call) -> None:
        """Nothing for vedauth; elsewhere a good token with the scope that the endpoint needs (``any``: whatever scope it has)."""
        if route.scope is None:
            return
        grant = self.bearer(call)
        call.user = grant.user
        scope = route.scope
        if scope == "lookup":
            scope = self.switches.config_lookup_scope
        if scope != "any" and not grant.allows(scope):
            text = (
                f"Grant rejected scope '{grant.scope}'. Call POST Authorize/OAuth with the correct scope and restriction. "
                "Update the header with the new token and retry."
            )
            # D-TOKENERR; before 20.4 this was a 401.
            raise Refusal(vedauth.error("insufficient_scope", text, 403 if self.switches.at_least("20.4") else 401))

    def bearer(self, call: Call) -> Grant:
        """The grant behind the Authorization header, or the legacy API key."""
        header = call.headers.get("Authorization", "")
        kind, dummy, token = header.partition(" ")
        api_key = call.headers.get("X-Venafi-Api-Key", "")
        legacy = self.api_keys.get(api_key)
        if legacy is not None and self.clock.now() < legacy.expires:
            return legacy
        grant = self.grants.find(token.strip())
        if grant is None:
            if kind.lower() != "bearer" or not TOKEN.fullmatch(token.strip()):
                raise Refusal(vedauth.error("session_error", "Invalid token format", 401))  # VCERT-T
            raise Refusal(vedauth.error(self.switches.expired_token_error, self.switches.expired_token_text, 401))
        return grant

    def configure(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.switches.change(data)

    def state(self) -> dict[str, Any]:
        self.lifecycle.settle_all()
        certificates = self.store.certificates.values()
        return {
            "certificates": len(certificates),
            "in_error": sum(item.in_error for item in certificates),
            "in_flight": len(self.store.working),
            "waiting_for_approval": sum(item.ticket_dn != "" for item in certificates),
            "authorities": {dn: self.authorities.is_up(dn, self.clock.now()) for dn in self.authorities.issuers},
        }

    def dump(self) -> dict[str, Any]:
        """Only what has changed since the last call is serialised again."""
        for key in self.store.changed:
            certificate = self.store.certificates.get(key)
            if certificate is None:
                self._dumped.pop(key, None)
            else:
                self._dumped[key] = certificate.to_json()
        self.store.changed.clear()
        return {
            "objects": list(self._dumped.values()),
            "nodes": [[node.dn, node.class_name] for node in self.store if not isinstance(node, Certificate)],
            "authorities": self.authorities.dump(),
            "vault": self.lifecycle.vault,
            "grants": self.grants.dump(),
            "own": [self._own_password, *self._own_tokens],
            "settings": self.configure({}),
            "defaults": self.defaults,
            "log": self.log,
        }

    def restore(self, data: dict[str, Any]) -> None:
        self._clear()
        self._own_password, *tokens = data["own"]
        self._own_tokens = tokens[0], tokens[1]
        self.configure(data["settings"])
        self.defaults = data["defaults"]
        self.log = data["log"]
        for dn, class_name in data["nodes"]:
            self.store.add(Node(dn, class_name))
        for text in data["objects"]:
            self.store.add(Certificate.from_json(text))
        self.authorities.load(data["authorities"])
        self.lifecycle.vault = data["vault"]
        self.grants.load(data["grants"])
