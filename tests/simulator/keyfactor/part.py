# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Command part as a whole: its state, and the way of a call through it."""

from __future__ import annotations

import json
import re
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any


from ..authority import Authority, Issued
from ..clock import Clock
from ..exchange import Answer, BadBody, Call, Refusal, not_found
from ..journal import Journal
from ..routes import Route, Routes
from . import certificates, revocation, system, workflow
from .identity import DOMAIN, Account, Accounts, token_endpoint
from .lifecycle import finish
from .objects import Certificate, Collection, Instance, Standing, Store
from .query import Field, QueryError, compile_query
from .seeding import build
from .switches import Switches

AUTHORITIES = {"ca01.example.com\\Corp Issuing CA 1": "CN=Corp Issuing CA 1,OU=PKI,O=Example Corp,C=US"}
CLIENT_ID = "certops-remediation"
PRODUCT_BUILD = "+0123456789abcdef0123456789abcdef01234567"
_PAGE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\r\n'
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>{title}</title></head>\r\n'
    "<body><h1>Server Error</h1><h2>{title}</h2>\r\n<h3>{text}</h3></body></html>\r\n"
)


def _routes() -> Routes[Keyfactor]:
    routes: Routes[Keyfactor] = Routes()
    for module in (system, certificates, revocation, workflow):
        routes.include(module.ROUTES)
    return routes


class Keyfactor:
    """A Command server. Index it by id: ``keyfactor[17]`` is the certificate, brought up to the clock."""

    name = "keyfactor"

    def __init__(
        self, clock: Clock, authority: Authority, lock: threading.RLock, records: Journal, find: Callable[[dict[str, Any]], Issued]
    ) -> None:
        self.clock = clock
        self.authority = authority
        self.lock = lock
        self.records = records
        self.find = find
        self.switches = Switches()
        self.accounts = Accounts(clock)
        self.own_identity = f"{DOMAIN}\\certops"
        self._own_password, self._own_secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        self._routes = _routes()
        self._dumped: dict[int, str] = {}
        self.defaults: dict[str, Any] = {}
        self._clear()

    def _clear(self) -> None:
        self.store = Store()
        self.next_id = 1
        self.references = 0
        self.authorities: dict[str, str] = {}
        self.collections: dict[int, Collection] = {}
        self.crls: list[dict[str, Any]] = []
        self._dumped.clear()

    @property
    def prefixes(self) -> tuple[str, ...]:
        return self._api_prefix, self._token_path

    @property
    def _api_prefix(self) -> str:
        return "/" + self.switches.api_path.strip("/").lower()

    @property
    def _token_path(self) -> str:
        return "/" + self.switches.token_path.strip("/").lower()

    # -- for tests and the control API ---------------------------------------------------------------------------

    def __getitem__(self, certificate_id: int) -> Certificate:
        with self.lock:
            self.settle()
            return self.store.certificates[int(certificate_id)]

    def number_of(self, name: int | str) -> int:
        """The id of the certificate with this id or common name; of several, the first."""
        if str(name).isdigit():
            return int(name)
        return next((item.id for item in self.store if item.cn == name), 0)

    def load(self, specs: Iterable[dict[str, Any]]) -> list[int]:
        """Replace all certificates by those of the specs (the entries of ``certificates`` in a scenario); returns their ids in order."""
        with self.lock:
            for certificate in list(self.store):
                self.store.remove(certificate)
            self.next_id = 1
            return self.add(specs)

    def add(self, specs: Iterable[dict[str, Any]]) -> list[int]:
        """Add certificates; what a spec leaves open comes from ``certificate_defaults`` of the scenario."""
        with self.lock:
            return [number for spec in specs for number in build(self, {**self.defaults, **spec})]

    def remove(self, certificate_id: int) -> None:
        """Somebody has deleted the certificate from Command."""
        with self.lock:
            self.store.remove(self[certificate_id])

    def change(self, certificate_id: int, changes: dict[str, Any]) -> None:
        """Set fields of a certificate, as somebody else on the server might."""
        with self.lock:
            certificate = self[certificate_id]
            fixed = {"id", "thumbprint", "serial", "content", "pending", "earlier", "scheduled"}
            known = {item.name for item in fields(Certificate)} - fixed
            if not known.issuperset(changes):
                raise ValueError(f"cannot change {', '.join(sorted(set(changes) - known))}; known: {', '.join(sorted(known))}")
            for name, value in changes.items():
                setattr(certificate, name, value)
            self.store.touch(certificate)

    def approve(self, certificate_id: int) -> None:
        """Approve every revocation of a certificate that waits."""
        self._decide(certificate_id, True)

    def reject(self, certificate_id: int) -> None:
        self._decide(certificate_id, False)

    def _decide(self, certificate_id: int, approved: bool) -> None:
        with self.lock:
            pending = list(self[certificate_id].pending)
            if not pending:
                raise ValueError(f"no revocation of certificate {certificate_id} waits for an approval")
            for item in pending:
                self._finish(self.store.instances[item], approved)

    def _finish(self, instance: Instance, approved: bool) -> None:
        """Outside of any request, so that the journal is told by itself."""
        effect = finish(self, instance, approved)
        if effect:
            self.records.note(self.name, self.clock.now(), str(instance.certificate), effect)

    def settle(self) -> None:
        """What the clock has brought about: approvals that come by themselves, and revocations whose date has come."""
        now = self.clock.now()
        for certificate in [self.store.certificates[item] for item in sorted(self.store.waiting)]:
            for item in list(certificate.pending):
                instance = self.store.instances[item]
                if instance.due is not None and instance.due <= now:
                    self._finish(instance, approved=True)
            scheduled = certificate.scheduled
            if scheduled is not None and (scheduled.date or 0.0) <= now:
                certificate.standing, certificate.scheduled = Standing(*scheduled), None
                self.store.touch(certificate)

    def expire_tokens(self) -> int:
        with self.lock:
            return self.accounts.expire_tokens()

    def control(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Vendor-specific control calls; ``id`` is a certificate's."""
        if action == "approve":
            self.approve(data["id"])
        elif action == "reject":
            self.reject(data["id"])
        elif action == "expire_tokens":
            return {"expired": self.expire_tokens()}
        elif action == "add":
            return {"ids": self.add(data["certificates"])}
        elif action == "remove":
            self.remove(data["id"])
        elif action == "change":
            self.change(data["id"], data["fields"])
        else:
            raise ValueError(f"unknown Keyfactor control call {action!r}; known: add, approve, change, expire_tokens, reject, remove")
        return {"ok": True}

    def publish(self, authority: str) -> None:
        """An authority has published its CRL."""
        self.crls.append({"authority": authority, "time": self.clock.now()})

    # -- what the calls need -------------------------------------------------------------------------------------

    def fields(self) -> dict[str, Field[Certificate]]:
        return certificates.fields_of(self)

    @property
    def endpoints(self) -> list[str]:
        """What ``Status/Endpoints`` lists."""
        return [f"{method} /{path.strip('/')}" for method, path in self._routes.listing()]

    def account(self, call: Call) -> Account:
        return self.accounts.known[call.user.lower()]

    def body(self, call: Call) -> dict[str, Any]:
        """The JSON object of the body; names are read without regard to case."""
        return {name.lower(): value for name, value in call.fields.items()}

    def may(self, call: Call, right: str, collection: Collection | None) -> bool:
        granted = getattr(self.account(call), right)
        if isinstance(granted, bool):
            return granted
        return collection is not None and (collection.id in granted or collection.name in granted)

    def permitted(self, call: Call, right: str, collection_id: int) -> Collection | None:
        """The collection that the call names, if any (0 is none), once it is sure that the caller has the right at all."""
        collection = self.collections.get(collection_id)
        if collection_id and collection is None:
            raise self.missing("Certificate Collection", collection_id)
        if not self.may(call, right, collection):
            raise self.forbidden(call, f"/certificates/collections/{right}/" + (f"{collection_id}/" if collection else ""))
        return collection

    def check_members(self, call: Call, right: str, wanted: list[Certificate], collection: Collection | None) -> None:
        """Whoever has a right by a collection only has it for that collection's certificates."""
        if collection is None or getattr(self.account(call), right) is True:
            return
        query = compile_query(collection.content, self.fields(), self.clock.now())
        outside = next((item for item in wanted if not query.test(item)), None)
        if outside is not None:
            if self.switches.out_of_collection_status == 404:
                raise self.missing("Certificate", outside.id)
            raise self.forbidden(call, f"/certificates/collections/{right}/")

    # -- answers -------------------------------------------------------------------------------------------------

    def reply(self, data: Any, *, status: int = 200, total: int | None = None) -> Answer:
        """JSON with the server's headers; apostrophes come escaped, as System.Text.Json writes them."""
        if self.switches.response_key_case == "camel":
            data = _camel(data)
        body = b"" if status == 204 else json.dumps(data, separators=(",", ":")).replace("'", "\\u0027").encode()
        headers = {} if total is None else {"X-Total-Count": str(total)}
        return Answer(status, body, headers=headers)

    def error(self, text: str, status: int, code: str = "refused", operations: Iterable[str] = ()) -> Answer:
        body: dict[str, Any] = {"ErrorCode": self.switches.error_codes[code], "Message": text}
        reasons = [{"Reason": item} for item in operations]
        return self.reply({**body, "FailedOperations": reasons} if reasons else body, status=status)

    def missing(self, kind: str, identifier: object, status: int = 404) -> Refusal:
        """The text for certificates is from a live server; the words \"not found\" are in none of them."""
        text = f"Unable to find '{kind}' with Id '{identifier}'"
        return Refusal(self.error(text if kind == "Certificate" else f"{kind} '{identifier}' does not exist.", status, "not_found"))

    def forbidden(self, call: Call, permission: str) -> Refusal:
        return Refusal(self.error(f"User {call.user} does not have the required permissions: {permission}.", 403, "permission"))

    def _bad(self, text: str) -> Answer:
        if self.switches.bad_body == "error":
            return self.error(text, 400, "invalid")
        problem = {"type": "https://tools.ietf.org/html/rfc9110#section-15.5.1", "title": "One or more validation errors occurred.", "status": 400}
        answer = self.reply({**problem, "errors": {"request": [text]}}, status=400)
        answer.content_type = "application/problem+json; charset=utf-8"
        return answer

    def _unauthorized(self, kind: str) -> Answer:
        text = "You do not have permission to view this directory or page using the credentials that you supplied."
        body = _PAGE.format(title="401 - Unauthorized: Access is denied due to invalid credentials.", text=text)
        answer = Answer.text(body if self.switches.unauthorized_body == "html" else "", 401, "text/html")
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if kind == "bearer" else 'Basic realm="Keyfactor Command"'
        return answer

    # -- the vendor protocol -------------------------------------------------------------------------------------

    def reset(self, data: dict[str, Any]) -> None:
        self.configure(asdict(Switches()))
        self.configure(data.get("settings", {}))
        self._clear()
        self.accounts.clear()
        self.accounts.add(Account("certops", self._own_password))
        self.accounts.add(Account(CLIENT_ID, self._own_secret, is_client=True))
        for user in data.get("users", ()):
            self.accounts.add(Account(secret=user["password"], **{name: value for name, value in user.items() if name != "password"}))
        for client in data.get("clients", ()):
            rest = {name: value for name, value in client.items() if name not in ("client_id", "client_secret")}
            self.accounts.add(Account(client["client_id"], client["client_secret"], is_client=True, **rest))
        self.authorities = dict(data.get("authorities", AUTHORITIES))
        for item in data.get("collections", ()):
            collection = Collection(**{"id": len(self.collections) + 1, **item})
            self.collections[collection.id] = collection
        self.defaults = dict(data.get("certificate_defaults", {}))
        self.add(data.get("certificates", ()))

    def ready(self, url: str, dummy: Path) -> dict[str, Any]:
        return {
            "url": url,
            "api_path": self.switches.api_path,
            "username": "certops",
            "password": self._own_password,
            "domain": DOMAIN,
            "token_url": url + "/" + self.switches.token_path.strip("/"),
            "client_id": CLIENT_ID,
            "client_secret": self._own_secret,
        }

    def _find(self, call: Call) -> tuple[Route[Keyfactor] | None, dict[str, str], bool]:
        return self._routes.find(call.method, call.path.removeprefix(self._api_prefix))

    def identify(self, call: Call) -> None:
        """Fill in what the journal and the faults want to know of a call; a batch has many targets."""
        call.lenient = self.switches.lenient_json
        route, call.args, dummy = self._find(call)
        if route is None:
            return
        call.mutates = route.mutates
        if route.target == "id":
            call.targets = [call.args["id"]]
        elif route.target == "instance":
            instance = self.store.instances.get(call.args["instance"].lower())
            call.targets = [str(instance.certificate)] if instance else []
        elif route.target:
            try:
                call.targets = [str(item) for item in revocation.certificate_ids(self.body(call))]
            except BadBody:
                return
        if len(call.targets) == 1:
            call.target = call.targets[0]

    def handle(self, call: Call) -> Answer:
        if call.path == self._token_path:
            return token_endpoint(self, call) if call.method == "POST" else not_found()
        if self.switches.max_query_length and len(call.raw_query) > self.switches.max_query_length:
            text = "The request filtering module is configured to deny a request where the query string is too long."
            return Answer.text(_PAGE.format(title="HTTP Error 404.15 - Not Found", text=text), 404, "text/html")
        self.settle()
        answer = self._serve(call)
        versions = "1.0, 2" if call.path.startswith(f"{self._api_prefix}/certificates") else "1.0"
        answer.headers.update({"Api-Supported-Versions": versions, "X-Keyfactor-Correlation-Id": str(uuid.uuid4())})
        if self.switches.at_least("11"):
            answer.headers["X-Keyfactor-Product-Version"] = self.switches.version + PRODUCT_BUILD
        return answer

    def _serve(self, call: Call) -> Answer:
        route, dummy, known = self._find(call)
        if route is None and not known:
            return not_found()
        try:
            self._authenticate(call)
            if self.switches.requested_with_required and not call.headers.get("x-keyfactor-requested-with"):
                raise BadBody("The x-keyfactor-requested-with header is required.")
            if route is None:
                return self.error(f"The requested resource does not support http method '{call.method}'.", 405, "invalid")
            return route.handler(self, call)
        except Refusal as refusal:
            return refusal.answer
        except QueryError as problem:
            return self.error(str(problem), 400, "invalid")
        except BadBody as problem:
            return self._bad(str(problem))

    def _authenticate(self, call: Call) -> None:
        """Basic, or from 11.0 on a bearer token."""
        kind, dummy, credentials = call.headers.get("Authorization", "").partition(" ")
        account = None
        if kind.lower() == "basic":
            account = self.accounts.basic(credentials.strip())
        elif kind.lower() == "bearer" and self.switches.at_least("11"):
            account = self.accounts.bearer(credentials.strip())
        if account is None:
            raise Refusal(self._unauthorized(kind.lower()))
        call.user = account.identity

    def configure(self, data: dict[str, Any]) -> dict[str, Any]:
        return self.switches.change(data)

    def state(self) -> dict[str, Any]:
        self.settle()
        return {
            "certificates": len(self.store.certificates),
            "active": sum(item.state == 1 for item in self.store),
            "revoked": sum(item.state == 2 and not item.standing.on_hold for item in self.store),
            "on_hold": sum(item.standing.on_hold for item in self.store),
            "suspended": sum(item.suspended for item in self.store.instances.values()),
            "crls": len(self.crls),
        }

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
            "certificates": list(self._dumped.values()),
            "instances": [asdict(item) for item in self.store.instances.values()],
            "collections": [asdict(item) for item in self.collections.values()],
            "authorities": self.authorities,
            "crls": self.crls,
            "numbers": [self.next_id, self.references],
            "accounts": self.accounts.dump(),
            "own": [self._own_password, self._own_secret],
            "settings": self.configure({}),
            "defaults": self.defaults,
        }

    def restore(self, data: dict[str, Any]) -> None:
        self._clear()
        self._own_password, self._own_secret = data["own"]
        self.configure(data["settings"])
        self.defaults, self.authorities, self.crls = data["defaults"], data["authorities"], data["crls"]
        self.collections = {item["id"]: Collection(**item) for item in data["collections"]}
        self.store.instances = {item["id"]: Instance(**item) for item in data["instances"]}
        for text in data["certificates"]:
            self.store.add(Certificate.from_json(text))
        self.next_id, self.references = data["numbers"]
        self.accounts.load(data["accounts"])


def _camel(value: Any) -> Any:
    """Names as .NET's camel case has them (``IssuedDN`` to ``issuedDN``, ``CARowIndex`` to ``caRowIndex``)."""
    if isinstance(value, list):
        return [_camel(item) for item in value]
    if isinstance(value, dict):
        return {
            re.sub(r"^[A-Z]+(?![a-z])|^[A-Z]", lambda match: match[0].lower(), name): item if name in ("Metadata", "InitialData") else _camel(item)
            for name, item in value.items()
        }
    return value
