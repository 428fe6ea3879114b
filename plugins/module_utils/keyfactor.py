# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keyfactor Command: certificates, revocation and its workflows.

Facts: vendor pages POST Certificates Revoke, GET Certificates, GET Workflow Instances and "Web API Common Features", the vendor's published
clients, and exchanges with a 25.4.1 server recorded by them. Nothing here knows a module.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
import re
import threading
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.answers import Remedies, Told, decode, json_of, refusal
from ansible_collections.certops.remediation.plugins.module_utils.errors import AuthorizationError, InputError, RemediationError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.keyfactor_credentials import KeyfactorCredentials, KeyfactorLogin
from ansible_collections.certops.remediation.plugins.module_utils.paging import Page, read_all
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.records import text_of
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets, printable
from ansible_collections.certops.remediation.plugins.module_utils.revocation import reason_code
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport
from ansible_collections.certops.remediation.plugins.module_utils.x509 import comparable_dn, normalise_hex, same_dn

VENDOR = "Keyfactor Command"
PAGE_SIZE = 500
# How long Command may take for one certificate (1.0 s was recorded).
SECONDS_PER_CERTIFICATE = 2.0
# IIS refuses query strings of more than 2048 characters (maxQueryString) unless its administrator raised the limit. The rest is for the other parameters.
_MAX_QUERY = 2048 - 190
_MAX_ID = 2**31 - 1
# Matches no certificate.
NOTHING = f'Thumbprint -eq "{"0" * 40}"'

STATES: t.Mapping[int, str] = {
    0: "unknown",
    1: "active",
    2: "revoked",
    3: "denied",
    4: "failed",
    5: "pending",
    6: "ca",
    7: "parent_ca",
    8: "external_validation",
}
STATE_ACTIVE = 1
STATE_REVOKED = 2
CA_STATES = frozenset({6, 7})
REASON_HOLD = 6
REASON_RELEASE = -1
# What is left of a date when its fraction and zone are cut off.
SECONDS = len("2026-11-30T12:00:00")


def host_from_environment(*names: str) -> str:
    """The server's name, with the port that the vendor's own tools take from a variable of its own (the last of ``names``)."""
    host = options.from_environment(*names[:-1])
    port = os.environ.get(names[-1], "").strip()
    scheme, mark, rest = host.rpartition("://")
    name, slash, path = rest.partition("/")
    return f"{scheme}{mark}{name}:{port}{slash}{path}" if port and not re.search(r":[0-9]+\Z", name) else host


CONNECTION_OPTIONS: options.Spec = options.merge(
    options.HTTP_OPTIONS,
    {
        "url": {"type": "str", "fallback": (host_from_environment, ["KEYFACTOR_HOSTNAME", "KEYFACTOR_ADDR", "KEYFACTOR_PORT"])},
        "api_path": {"type": "str", "default": "KeyfactorAPI", "fallback": (options.from_environment, ["KEYFACTOR_API_PATH"])},
        "access_token": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["KEYFACTOR_AUTH_ACCESS_TOKEN"])},
        "client_id": {"type": "str", "fallback": (options.from_environment, ["KEYFACTOR_AUTH_CLIENT_ID"])},
        "client_secret": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["KEYFACTOR_AUTH_CLIENT_SECRET"])},
        "token_url": {"type": "str", "no_log": False, "fallback": (options.from_environment, ["KEYFACTOR_AUTH_TOKEN_URL"])},
        "scopes": {"type": "list", "elements": "str", "fallback": (options.from_environment, ["KEYFACTOR_AUTH_SCOPES"])},
        "audience": {"type": "str", "fallback": (options.from_environment, ["KEYFACTOR_AUTH_AUDIENCE"])},
        "username": {"type": "str", "fallback": (options.from_environment, ["KEYFACTOR_USERNAME", "KEYFACTOR_USER"])},
        "password": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["KEYFACTOR_PASSWORD"])},
        "domain": {"type": "str", "fallback": (options.from_environment, ["KEYFACTOR_DOMAIN"])},
        "collection": {"type": "str"},
        "collection_id": {"type": "int"},
        "ca_path": {"fallback": (options.from_environment, ["KEYFACTOR_CA_CERT"])},
        "validate_certs": {"fallback": (options.unless_environment, ["KEYFACTOR_SKIP_VERIFY"])},
        "timeout": {"fallback": (options.from_environment, ["KEYFACTOR_CLIENT_TIMEOUT"])},
    },
)

REMEDIES = Remedies(
    authentication="Check the credentials",
    authorization="The security role needs permission on certificates, or on one collection of them: then say which with collection or collection_id",
    rate="Lower concurrency or set rate_limits",
)


@dataclasses.dataclass(frozen=True)
class CertificateRef:
    """One certificate as a user names it: by Command's id, by SHA-1 thumbprint, or by serial number, to which two issuers may have a certificate.

    Thumbprint and serial are upper-case hexadecimal; ``shown`` is how it is told.
    """

    id: int | None = None
    thumbprint: str | None = None
    serial: str | None = None
    issuer: str | None = None
    shown: str = ""

    @property
    def key(self) -> str:
        """The same for two ways of writing one name."""
        if self.thumbprint or self.id:
            return f"thumbprint {self.thumbprint}" if self.thumbprint else f"id {self.id}"
        return f"serial {(self.serial or '').lstrip('0')} of {comparable_dn(self.issuer or '')}"

    @property
    def label(self) -> str:
        """As it is shown."""
        return self.shown or self.thumbprint or str(self.id or self.serial)


@dataclasses.dataclass(frozen=True)
class Revocation:
    """A revocation that waits for the approval of its workflow.

    :param id: the GUID of the workflow instance.
    :param reason: the code that was asked for.
    :param thumbprint: of the certificate, where the instance tells it.
    :param title: what Command calls the instance, which names whoever began it.
    :param step: the step that it is at.
    :param message: what Command says of its status.
    """

    id: str
    reason: int | None = None
    comment: str | None = None
    started: str | None = None
    thumbprint: str | None = None
    title: str | None = None
    step: str | None = None
    message: str | None = None


@dataclasses.dataclass(frozen=True)
class CertificateState:
    """What Command shows of one certificate.

    :param state: CertState, see ``STATES``.
    :param reason: the RFC 5280 code of the revocation.
    :param date: when the revocation takes effect; may lie in the future while the certificate is still active.
    :param expired: not valid any more by the clock of this host.
    :param locations: where it is deployed, in words.
    :param pending: a revocation of it that waits for an approval.
    :param accepted: when Command accepted a revocation for a later date, by its history.
    :param ahead: active, and its revocation has a date that is still to come.
    """

    id: int
    thumbprint: str
    serial: str
    common_name: str
    subject: str
    issuer: str
    not_after: str
    state: int
    is_ca: bool = False
    expired: bool = False
    reason: int | None = None
    date: str | None = None
    comment: str | None = None
    locations: tuple[str, ...] = ()
    pending: Revocation | None = None
    accepted: str | None = None
    ahead: bool = False

    @property
    def scheduled(self) -> bool:
        """Active, with a revocation that takes effect later."""
        return self.state == STATE_ACTIVE and bool(self.ahead or self.accepted)

    @property
    def exists(self) -> bool:
        """Whether Command knows it; ids begin at 1."""
        return self.id > 0

    @property
    def on_hold(self) -> bool:
        """Revoked, but not for good."""
        return self.state == STATE_REVOKED and self.reason == REASON_HOLD

    @property
    def state_name(self) -> str:
        """The state in a word."""
        return "on_hold" if self.on_hold else STATES.get(self.state, f"state {self.state}")


@dataclasses.dataclass(frozen=True)
class RevokeAnswer:
    """What Command says about one revocation request.

    :param revoked: the ids that it lists as revoked; None when it gave no list at all.
    :param suspended: by id, what waits for an approval.
    :param error: the request was answered with an error; with several ids some of them may be revoked all the same.
    """

    revoked: frozenset[int] | None = None
    suspended: t.Mapping[int, Revocation] = dataclasses.field(default_factory=dict)
    error: VendorError | None = None


# -- names -------------------------------------------------------------------------------------------------------------------------------


def certificate_ref(option: str, given: t.Any) -> CertificateRef:
    """A target from an id, a thumbprint, or a mapping with ``id``, ``thumbprint`` or ``serial`` and ``issuer``, as ``keyfactor_certificate_info`` returns them.

    :raises InputError: it names no certificate.
    """
    if isinstance(given, dict):
        return _ref_of_mapping(option, given)
    if isinstance(given, (int, str)) and not isinstance(given, bool):
        text = str(given).strip()
        if re.fullmatch("[0-9]{1,10}", text):
            return CertificateRef(id=_checked_id(option, text), shown=text)
        digits = normalise_hex(option, text)
        if len(digits) == 40:
            return CertificateRef(thumbprint=digits, shown=digits)
        hint = "a serial number goes with its issuer: {serial: ..., issuer: ...}"
        if len(digits) == 64:
            hint = "this looks like SHA-256, and Command knows SHA-1 only"
        raise InputError(option, f"{printable(text, 70)!r} is neither a certificate id nor a SHA-1 thumbprint of 40 hexadecimal digits; {hint}")
    raise InputError(option, f"{printable(str(given), 60)!r} is neither an id, nor a thumbprint, nor an entry with id, thumbprint or serial")


def _ref_of_mapping(option: str, given: t.Mapping[str, t.Any]) -> CertificateRef:
    number, mark, serial, issuer, name = (given.get(key) or None for key in ("id", "thumbprint", "serial", "issuer", "common_name"))
    for key, value in (("thumbprint", mark), ("serial", serial), ("issuer", issuer)):
        if value is not None and not isinstance(value, str):
            raise InputError(option, f"{key} {printable(str(value), 60)!r} is not a text; in YAML, put it in quotes")
    ref = CertificateRef(
        id=_checked_id(option, number) if number is not None else None,
        thumbprint=normalise_hex(option, mark) if mark else None,
        serial=normalise_hex(option, serial) if serial else None,
        issuer=issuer,
    )
    if ref.thumbprint and len(ref.thumbprint) != 40:
        raise InputError(option, f"thumbprint {printable(mark or '', 70)!r} is not one of SHA-1, which has 40 hexadecimal digits")
    if not (ref.id or ref.thumbprint or ref.serial):
        raise InputError(option, f"an entry with the keys {sorted(map(str, given))} has neither id, nor thumbprint, nor serial")
    shown = ref.label if not isinstance(name, str) else f"{printable(name, 120)} ({ref.id or ref.thumbprint or ref.serial})"
    return dataclasses.replace(ref, shown=shown)


def _checked_id(option: str, given: t.Any) -> int:
    try:
        number = int(given)
    except (TypeError, ValueError):
        number = 0
    if isinstance(given, (bool, float)) or not 0 < number <= _MAX_ID:
        raise InputError(option, f"{printable(str(given), 40)!r} is not the id of a certificate in Command; ids are whole numbers above 0")
    return number


def query_value(option: str, text: str) -> str:
    """A value for Command's query language, in its quotes.

    :raises InputError: it holds a quote or a control character, for which the language has no escape (the vendor's own provider refuses them too).
    """
    if '"' in text or any(ord(ch) < 32 or ord(ch) == 127 for ch in text) or not text.strip():
        raise InputError(option, f"{printable(text, 60)!r} cannot be searched for: empty, or with a quote or control character, and Command has no escape")
    return f'"{text}"'


def wire_date(when: datetime.datetime) -> str:
    """ISO 8601 in UTC without fraction, as recorded."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


# -- records -----------------------------------------------------------------------------------------------------------------------------


def folded(record: t.Any) -> dict[str, t.Any]:
    """A record with its keys in lower case: servers and generated clients differ in theirs. Empty when it is none."""
    return {str(key).lower(): value for key, value in record.items()} if isinstance(record, dict) else {}


def records_of(record: t.Mapping[str, t.Any], key: str) -> list[dict[str, t.Any]]:
    """A list of records inside a record; empty when it is missing or null."""
    value = record.get(key)
    return [folded(item) for item in value] if isinstance(value, list) else []


def _number(value: t.Any) -> int | None:
    try:
        return None if value is None or isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _reason(value: t.Any) -> int | None:
    """A reason by number or by name; None where it is missing or cannot be told."""
    number = _number(value)
    if number is None and isinstance(value, str):
        try:
            return reason_code("RevocationReason", value)
        except InputError:
            return None
    return number


def state_of(record: t.Mapping[str, t.Any], now: datetime.datetime, pending: Revocation | None = None) -> CertificateState:
    """The state of a certificate record with folded keys (vendor page GET Certificates)."""
    state = _number(record.get("certstate"))
    not_after = text_of(record, "notafter", 40)
    date = text_of(record, "revocationeffdate", 40) or None
    ahead = state == STATE_ACTIVE and bool(date) and not _past(date or "", now)
    if state != STATE_REVOKED and not ahead:
        # What a certificate that is valid shows of a revocation is of one that was taken back.
        date = None
    places = [location_text(location) for location in records_of(record, "locations") + records_of(record, "ssllocations")]
    # Some answers count the places and do not list them.
    counted = [f"{kind.get('count')} places of type {text_of(kind, 'type', 60)}" for kind in records_of(record, "locationscount") if _number(kind.get("count"))]
    return CertificateState(
        id=int(record["id"]),
        thumbprint=text_of(record, "thumbprint").upper(),
        serial=text_of(record, "serialnumber").upper(),
        common_name=text_of(record, "issuedcn"),
        subject=text_of(record, "issueddn"),
        issuer=text_of(record, "issuerdn"),
        not_after=not_after,
        state=0 if state is None else state,
        is_ca=state in CA_STATES or record.get("iscacertificate") is True,
        expired=_past(not_after, now),
        reason=_reason(record.get("revocationreason")) if date or state == STATE_REVOKED else None,
        date=date,
        comment=text_of(record, "revocationcomment") or None,
        locations=tuple(places or counted),
        pending=pending,
        ahead=ahead,
    )


def _past(text: str, now: datetime.datetime) -> bool:
    try:
        # Command trims trailing zeros of the fraction, which Python before 3.11 does not read.
        zone = re.search(r"([+-]\d\d):?(\d\d)\Z", text[SECONDS:])
        return datetime.datetime.fromisoformat(text[:SECONDS] + (f"{zone[1]}:{zone[2]}" if zone else "+00:00")) < now
    except ValueError:
        return False


def location_text(location: t.Mapping[str, t.Any]) -> str:
    """One place of a certificate: machine and path of a store, or name and port of an endpoint that a scan has found it on."""
    if location.get("storemachine") or location.get("clientmachine"):
        alias = text_of(location, "alias", 80)
        machine = text_of(location, "storemachine", 120) or text_of(location, "clientmachine", 120)
        return f"{machine}: {text_of(location, 'storepath', 200)}" + (f" ({alias})" if alias else "")
    host = text_of(location, "networkname", 120) or text_of(location, "ipaddress", 60) or text_of(location, "storepath", 120)
    return f"{host}:{text_of(location, 'port', 10)}" if location.get("port") else host


# -- client ------------------------------------------------------------------------------------------------------------------------------


def connect(params: t.Mapping[str, t.Any], *, read_only: bool, secrets: Secrets, warn: t.Callable[[str], None]) -> KeyfactorClient:
    """A client from the values of ``CONNECTION_OPTIONS``.

    :param read_only: check mode: the client cannot change anything.
    :raises InputError: an option cannot work.
    """
    path = (params["api_path"] or "").strip().strip("/")
    if not re.fullmatch(r"[\w.~-]+(/[\w.~-]+)*", path, re.ASCII) or ".." in path.split("/"):
        raise InputError("api_path", f"{printable(path, 60)!r} is not the path of an API; the usual ones are KeyfactorAPI and Keyfactor/API")
    if params.get("collection") and params.get("collection_id") is not None:
        raise InputError("collection, collection_id", "give one of the two")
    if "/" in (params.get("collection") or ""):
        raise InputError("collection", "a name with a slash cannot be asked for; give collection_id")
    options.check_range(params, "collection_id", 1, _MAX_ID)
    known = ("/keyfactorapi", "/keyfactor/api", f"/{path}", "/keyfactorportal")
    settings = options.http_settings(params, options.base_url(params, strip=known))
    headers = {"x-keyfactor-requested-with": "APIClient", "x-keyfactor-api-version": "1"}
    transport = Transport(settings, vendor=VENDOR, read_only=read_only, secrets=secrets, warn=warn, headers=headers)
    given = {field.name: params[field.name] for field in dataclasses.fields(KeyfactorLogin) if params.get(field.name) is not None}
    given["scopes"] = tuple(scope for text in given.get("scopes") or () for scope in text.split())
    credentials = KeyfactorCredentials(transport, KeyfactorLogin(**given))
    transport.credentials = credentials
    return KeyfactorClient(
        transport,
        path=f"/{path}",
        remedies=dataclasses.replace(REMEDIES, authentication=credentials.remedy),
        collection=params.get("collection"),
        collection_id=params.get("collection_id"),
    )


class KeyfactorClient:
    """The calls of the API that the collection uses. Everything is seen through one certificate collection if there is one."""

    def __init__(self, transport: Transport, *, path: str, remedies: Remedies, collection: str | None = None, collection_id: int | None = None) -> None:
        self.transport = transport
        self._path = path
        self._remedies = remedies
        self._collection = collection
        self._collection_id = collection_id
        self._lock = threading.Lock()
        self._warned: frozenset[str] = frozenset()
        self._revocations: dict[str, tuple[int | None, Revocation]] = {}

    # -- reading -------------------------------------------------------------------------------------------------------------------

    @property
    def collection_id(self) -> int | None:
        """The id of the collection, looked up when it was given by name.

        :raises VendorError: there is no such collection.
        """
        with self._lock:
            if self._collection and self._collection_id is None:
                self._collection_id = self._find_collection(self._collection)
            return self._collection_id

    def check_collection(self) -> None:
        """Make sure that the collection exists: one that does not must not look like certificates that do not.

        :raises VendorError: there is no such collection.
        """
        if self.collection_id and not self._collection:
            try:
                self._find_collection(str(self.collection_id))
            except VendorError as error:
                # Whoever may not read collections may be allowed to act in one.
                if error.status == 404:
                    raise

    def _find_collection(self, name: str) -> int:
        purpose = f"find the collection {name!r}"
        try:
            found = folded(self._json(self._get(f"/CertificateCollections/{urllib.parse.quote(name, safe='')}", {}, purpose), purpose, dict))
        except VendorError as error:
            error.fatal = True
            raise
        number = _number(found.get("id"))
        if not number:
            raise VendorError(f"{VENDOR}: the answer to: {purpose} has no id")
        return number

    def search(
        self, query: str, *, details: t.Sequence[str] = (), revoked: bool = True, expired: bool = True, limit: int | None = None
    ) -> tuple[list[dict[str, t.Any]], int]:
        """The certificate records that match a query, all pages, with folded keys, and how many Command says there are.

        :param query: in Command's query language; empty for all.
        :param details: of ``includeLocations``, ``includeMetadata`` and ``includeHasPrivateKey`` the wanted ones.
        :param revoked: also revoked ones, which Command leaves out unless it is told otherwise; so for ``expired``.
        """
        size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit)

        def read(number: int, dummy: int) -> Page:
            # The prefixed names are those that every version is seen to take.
            params = {
                "pq.queryString": query,
                "pq.includeRevoked": _flag(revoked),
                "pq.includeExpired": _flag(expired),
                "pq.pageReturned": str(number),
                "pq.returnLimit": str(size),
                "pq.sortField": "CertId",
                **dict.fromkeys(details, "true"),
                **self._through_collection(),
            }
            answer = self._get("/Certificates", {name: value for name, value in params.items() if value}, "list certificates")
            listed = [record for record in map(_certificate_record, self._json(answer, "list certificates", list)) if record["id"]]
            total = _total(answer)
            # A total that is the size of a full page may be that of the page alone.
            return Page(listed, None if len(listed) % 50 == 0 and total in (0, len(listed)) else total)

        return read_all(read, lambda item: t.cast(int, item["id"]), limit=limit, changed=self._list_changed)

    def check_queries(self) -> None:
        """Make sure that the server looks at the query of a search: some versions take other names for its parameters (sheet section 3.2), and one that
        ignores it would hand out certificates that nobody asked for.

        :raises VendorError: it does not.
        """
        if self.search(NOTHING, limit=1)[0]:
            error = VendorError(f"{VENDOR}: the server ignores pq.queryString, so that no query can be trusted; name the certificates by id or thumbprint")
            error.fatal = True
            raise error

    def _list_changed(self) -> None:
        self.transport.warn(f"{VENDOR}: the list of certificates changed while it was read, each time; some may be missing from it")

    def _through_collection(self) -> dict[str, str]:
        return {"collectionId": str(self.collection_id)} if self.collection_id else {}

    def certificate(self, number: int, details: t.Sequence[str] = ()) -> dict[str, t.Any]:
        """The record of one certificate, revoked and expired or not, with folded keys.

        :raises VendorError: it does not exist, or these credentials may not see it.
        """
        purpose = f"read certificate {number}"
        params = {**dict.fromkeys(details, "true"), **self._through_collection()}
        found = _certificate_record(self._json(self._get(f"/Certificates/{number}", params, purpose), purpose, dict))
        if found.get("id") != number:
            raise VendorError(f"{VENDOR}: the answer to: {purpose} is about another certificate")
        return found

    def locations(self, number: int) -> list[dict[str, t.Any]]:
        """Every place where a certificate is, with folded keys (``GET Certificates/Locations/{id}``)."""
        purpose = f"read the locations of certificate {number}"
        found = folded(self._json(self._get(f"/Certificates/Locations/{number}", self._through_collection(), purpose), purpose, dict))
        return [{"storetype": kind.get("storetype"), **place} for kind in records_of(found, "details") for place in records_of(kind, "locations")]

    def history(self, number: int) -> list[dict[str, t.Any]]:
        """What Command has recorded of a certificate, with folded keys."""
        purpose = f"read the history of certificate {number}"
        params = {"pageReturned": "1", "returnLimit": str(PAGE_SIZE), **self._through_collection()}
        answer = self._get(f"/Certificates/{number}/History", params, purpose)
        return [folded(item) for item in self._json(answer, purpose, list)]

    def records(self, refs: t.Sequence[CertificateRef], details: t.Sequence[str] = (), *, singly: bool = False) -> list[dict[str, t.Any] | RemediationError]:
        """The record of each of ``refs``; thumbprints and serial numbers are asked for many at a time.

        :param singly: read by id what has one, which is slower and surer.
        :raises RemediationError: the answer would be the same for every other certificate: credentials, connection.
        """
        workers = self.transport.settings.concurrency
        found = self.search_terms([ref for ref in refs if not (ref.id and (singly or not ref.thumbprint))], details=details)
        by_thumbprint = {text_of(item, "thumbprint").upper(): item for item in found}
        by_serial: dict[str, list[dict[str, t.Any]]] = {}
        for item in found:
            by_serial.setdefault(text_of(item, "serialnumber").upper().lstrip("0"), []).append(item)

        def record(ref: CertificateRef) -> dict[str, t.Any] | RemediationError:
            try:
                if ref.id and (singly or not ref.thumbprint):
                    item = self.certificate(ref.id, details)
                elif ref.thumbprint:
                    item = by_thumbprint.get(ref.thumbprint) or _missing(ref)
                else:
                    item = _one_issuer(ref, by_serial.get((ref.serial or "").lstrip("0"), []))
                return _consistent(ref, item)
            except RemediationError as error:
                # What one certificate is refused for may be its collection; another one may be readable.
                if error.fatal and not isinstance(error, AuthorizationError):
                    raise
                return error

        return in_parallel(record, refs, workers)

    def search_terms(
        self,
        refs: t.Sequence[CertificateRef],
        conditions: t.Sequence[str] = (),
        *,
        details: t.Sequence[str] = (),
        revoked: bool = True,
        expired: bool = True,
        whole_list_at: int = 0,
    ) -> list[dict[str, t.Any]]:
        """The records with any of these thumbprints and serial numbers, all of which meet the conditions; as many in one query as fit into an address.

        :param whole_list_at: for more queries than this, all that meet the conditions is read where that takes fewer; then others are among the records.
        """
        common = "".join(f" AND {condition}" for condition in conditions)

        def search(terms: t.Sequence[str]) -> list[dict[str, t.Any]]:
            joined = " OR ".join(terms)
            try:
                return self.search(f"({joined}){common}" if common else joined, details=details, revoked=revoked, expired=expired)[0]
            except VendorError as error:
                # A front end with a lower limit on the length of an address than that of IIS.
                if len(terms) == 1 or (error.status != 414 and "404.15" not in error.message):
                    raise
                middle = len(terms) // 2
                return search(terms[:middle]) + search(terms[middle:])

        groups = _joined(list(dict.fromkeys(term for ref in refs for term in _terms(ref))), _MAX_QUERY - len(urllib.parse.quote_plus(common)))
        if whole_list_at and len(groups) > whole_list_at:
            everything = " AND ".join(conditions)
            total = self.search(everything, revoked=revoked, expired=expired, limit=1)[1]
            if math.ceil(total / PAGE_SIZE) <= len(groups):
                return self.search(everything, details=details, revoked=revoked, expired=expired)[0]
        pages = in_parallel(search, groups, self.transport.settings.concurrency)
        return list({record["id"]: record for page in pages for record in page}.values())

    # -- workflows -----------------------------------------------------------------------------------------------------------------

    def suspended_revocations(self) -> dict[int, Revocation]:
        """By certificate id, the revocations that wait for an approval (vendor pages GET Workflow Instances, 11.3, and its {instanceId}).

        A server without workflows has none.

        :raises AuthorizationError: these credentials may not read workflow instances.
        """

        def read(number: int, dummy: int) -> Page:
            params = {"queryString": 'Status -eq "Suspended"', "pageReturned": str(number), "returnLimit": str(PAGE_SIZE)}
            answer = self._get("/Workflow/Instances", params, "list suspended workflows")
            if answer.status == 404:
                self._warn_once("this server knows no workflow instances, so no revocation is taken to wait for an approval")
            listed = [] if answer.status == 404 else [folded(item) for item in self._json(answer, "list suspended workflows", list)]
            return Page([item for item in listed if item.get("id")], _total(answer))

        listed = read_all(read, lambda item: str(item["id"]), limit=None, changed=self._workflows_changed)[0]
        chosen = [str(item["id"]) for item in listed if _is_suspended(item) and "revo" in (text_of(item, "workflowtype") or "revocation").lower()]
        found = in_parallel(self._revocation, chosen, self.transport.settings.concurrency)
        return {number: revocation for number, revocation in found if number is not None}

    def _workflows_changed(self) -> None:
        self.transport.warn(f"{VENDOR}: the list of suspended workflows could not be read whole; a revocation that waits for an approval may be missing")

    def _revocation(self, instance: str) -> tuple[int | None, Revocation]:
        """What a workflow instance is about. That does not change, so it is read once."""
        if instance not in self._revocations:
            try:
                record = self.workflow(instance)
            except VendorError as error:
                if isinstance(error, AuthorizationError):
                    self._warn_once("some workflow instances may not be read by these credentials; a revocation that waits for approval may be among them")
                elif error.fatal:
                    raise
                # Or it has ended since it was listed.
                return None, Revocation(instance)
            data = folded(_decoded(record.get("initialdata")))
            mark = text_of(data, "thumbprint", 60).upper()
            revocation = Revocation(
                instance,
                _number(data.get("revokecode")),
                text_of(data, "comment") or None,
                text_of(record, "startdate", 40) or None,
                thumbprint=mark if re.fullmatch("[0-9A-F]{40}", mark) else None,
                title=text_of(record, "title") or None,
                step=text_of(record, "currentstepdisplayname", 80) or None,
                message=text_of(record, "statusmessage") or None,
            )
            # The workflows of other kinds are about certificates as well.
            kind = text_of(folded(record.get("definition")), "workflowtype").lower()
            self._revocations[instance] = (_number(data.get("certificateid")) if "revokecode" in data or "revo" in kind else None, revocation)
        return self._revocations[instance]

    def _warn_once(self, text: str) -> None:
        with self._lock:
            told, self._warned = text in self._warned, self._warned | {text}
        if not told:
            self.transport.warn(f"{VENDOR}: {text}")

    def workflow(self, instance: str) -> dict[str, t.Any]:
        """A workflow instance with folded keys."""
        purpose = f"read workflow instance {printable(instance, 40)}"
        return folded(self._json(self._get(f"/Workflow/Instances/{urllib.parse.quote(instance, safe='')}", {}, purpose), purpose, dict))

    # -- changing ------------------------------------------------------------------------------------------------------------------

    def revoke(self, ids: t.Sequence[int], *, reason: int, comment: str, effective_date: str | None) -> RevokeAnswer:
        """``POST Certificates/Revoke``: one request, never repeated here.

        :raises AnswerLostError: some or all may be revoked.
        :raises RemediationError: credentials or permission are missing, or the server is busy: nothing was revoked.
        """
        purpose = f"revoke {len(ids)} certificates" if len(ids) > 1 else f"revoke certificate {ids[0]}"
        body: dict[str, t.Any] = {"CertificateIds": list(ids), "Reason": reason, "Comment": comment}
        if effective_date:
            body["EffectiveDate"] = effective_date
        if self.collection_id:
            body["CollectionId"] = self.collection_id
        seconds = SECONDS_PER_CERTIFICATE * len(ids)
        answer = self.transport.request(
            "POST", f"{self._path}/Certificates/Revoke", json_body=body, purpose=purpose, changes=True, extra_seconds=seconds
        )
        if answer.status >= 400:
            error = refusal(self.transport, answer, purpose, told=self._told(answer), remedies=self._remedies, changes=True)
            if isinstance(error, VendorError) and not error.fatal and answer.status != 429:
                return RevokeAnswer(error=error)
            raise error
        if not answer.body.strip():
            return RevokeAnswer()
        said = folded(self._json(answer, purpose, dict))
        listed = said.get("revokedids")
        suspended = {_number(item.get("certid")): text_of(item, "workflowid", 60) for item in records_of(said, "suspendedcerts")}
        return RevokeAnswer(
            revoked=frozenset(filter(None, map(_number, listed))) if isinstance(listed, list) else frozenset(),
            suspended={number: Revocation(workflow, reason, comment) for number, workflow in suspended.items() if number},
        )

    # -- answers -------------------------------------------------------------------------------------------------------------------

    def _get(self, path: str, params: t.Mapping[str, str], purpose: str) -> Answer:
        # Shorter than percent-encoded blanks, and the way in which the vendor's generated clients send queries.
        query = "?" + urllib.parse.urlencode(params) if params else ""
        return self.transport.request("GET", f"{self._path}{path}{query}", purpose=purpose)

    def _json(self, answer: Answer, purpose: str, shape: type) -> t.Any:
        if answer.status == 404 and not isinstance(json_of(answer), dict):
            error = VendorError(
                f"{VENDOR}: no API at {self._path} ({self.transport.describe(answer)}). Check api_path, as a rule KeyfactorAPI or Keyfactor/API", status=404
            )
            error.fatal = True
            raise error
        told = self._told(answer) if answer.status >= 400 else Told()
        return decode(self.transport, answer, purpose, shape=shape, told=told, remedies=self._remedies)

    def _told(self, answer: Answer) -> Told:
        """ErrorCode and Message, also of the bulk calls' FailedOperations and of ASP.NET's own problem details (sheet section 4)."""
        body = folded(json_of(answer))
        texts = [body.get("message"), *(item.get("reason") for item in records_of(body, "failedoperations")), body.get("title"), body.get("detail")]
        if isinstance(body.get("errors"), dict):
            texts += [f"{name}: {said}" for name, said in body["errors"].items()]
        text = printable(self.transport.secrets.redact("; ".join(str(part) for part in texts if part)), 600)
        code = body.get("errorcode")
        request_id = printable(answer.headers.get("x-keyfactor-correlation-id", ""), 60)
        return Told(text, str(code) if code else None, request_id or None)


def _certificate_record(item: t.Any) -> dict[str, t.Any]:
    """A certificate with folded keys, and its id as a number; None where it has none."""
    record = folded(item)
    record["id"] = _number(record.get("id"))
    return record


def _total(answer: Answer) -> int | None:
    """How many entries a list has in all; None where the answer does not say."""
    text = answer.headers.get("x-total-count", "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _decoded(value: t.Any) -> t.Any:
    """A record that may have been written as JSON text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return None


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _is_suspended(item: t.Mapping[str, t.Any]) -> bool:
    """The server was asked for suspended ones; a word that says otherwise counts, a number without a published meaning does not."""
    status = item.get("status")
    return not isinstance(status, str) or not status.strip().isalpha() or status.strip().lower() == "suspended"


def _terms(ref: CertificateRef) -> list[str]:
    """What to ask for one certificate. A serial number may be stored with or without its leading zeros."""
    if ref.thumbprint:
        return [f'Thumbprint -eq "{ref.thumbprint}"']
    bare = (ref.serial or "").lstrip("0") or "0"
    return [f'SerialNumber -eq "{form}"' for form in dict.fromkeys([bare, bare.zfill(len(bare) + len(bare) % 2), ref.serial])]


def _joined(terms: t.Sequence[str], room: int) -> list[list[str]]:
    """Terms in groups whose query takes up so much of an address, at most."""
    groups: list[list[str]] = []
    length = room
    for term in terms:
        size = len(urllib.parse.quote_plus(f"{term} OR "))
        if length + size > room:
            groups.append([])
            length = 0
        groups[-1].append(term)
        length += size
    return groups


def _missing(ref: CertificateRef) -> t.NoReturn:
    raise VendorError(f"{VENDOR}: no certificate {ref.label}, or these credentials may not see it", status=404)


def _one_issuer(ref: CertificateRef, found: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any]:
    """The one certificate of a serial number, which two authorities may have given."""
    matching = [item for item in found if not ref.issuer or same_dn(ref.issuer, str(item.get("issuerdn") or ""))]
    if not matching:
        _missing(ref)
    if len(matching) > 1:
        told = "; ".join(f"id {item['id']} of {text_of(item, 'issuerdn', 120)}" for item in matching[:4])
        raise VendorError(f"{VENDOR}: {len(matching)} certificates have the serial number {ref.serial} ({told}); name the issuer or the id")
    return matching[0]


def _consistent(ref: CertificateRef, item: dict[str, t.Any]) -> dict[str, t.Any]:
    """What an entry says of one certificate must all be true of it."""
    seen = {"id": item["id"], "thumbprint": text_of(item, "thumbprint").upper(), "serial": text_of(item, "serialnumber").upper().lstrip("0")}
    said = {"id": ref.id, "thumbprint": ref.thumbprint, "serial": ref.serial.lstrip("0") if ref.serial else None}
    wrong = [name for name, value in said.items() if value and value != seen[name]]
    if wrong:
        raise VendorError(f"{VENDOR}: the entry names two certificates: its {wrong[0]} is {said[wrong[0]]}, but that of the one found is {seen[wrong[0]]}")
    return item
