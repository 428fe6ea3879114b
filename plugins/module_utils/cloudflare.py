# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloudflare API Shield: the mTLS client certificates of a zone.

Facts: vendor pages "Client Certificates" (list, create, get, reactivate, delete), "Revoke a client certificate", "Rate limits", the vendor's API
schemas and acceptance tests, and what others have measured where noted. Nothing here knows a module.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.answers import Remedies, Told, decode, json_of, refusal
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthorizationError,
    InputError,
    RemediationError,
    UnreadableAnswerError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.paging import Page, read_all
from ansible_collections.certops.remediation.plugins.module_utils.parallel import each_in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.records import Record, record_in, records_in, text_of, whole
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets, printable
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    fingerprint_sha256,
    load_certificates,
    load_request,
    normalise_hex,
    not_after,
    public_key_sha256,
    thumbprint,
)

VENDOR = "Cloudflare"
BASE = "/client/v4"
# The largest that the list takes (vendor's API schemas).
PAGE_SIZE = 50
# Per user or account token, all of its uses together (vendor page "Rate limits"). Beyond it, everything is blocked for five minutes.
RATE_LIMITS = [{"requests": 1200, "seconds": 300.0}]
# Long enough to sit such a block out.
RETRY_TIMEOUT = 420

ACTIVE = "active"
PENDING_REACTIVATION = "pending_reactivation"
PENDING_REVOCATION = "pending_revocation"
REVOKED = "revoked"
LIVE = frozenset({ACTIVE, PENDING_REACTIVATION})
ENDED = frozenset({PENDING_REVOCATION, REVOKED})
STATUSES = (ACTIVE, PENDING_REACTIVATION, PENDING_REVOCATION, REVOKED)

# "Invalid Certificate ID in request" (seen by others against the live service).
ALREADY_REVOKED = "1407"
UNKNOWN_CERTIFICATE = "1415"
# "Bad response certificate service", with status 400: what stands behind the API may have done its work all the same.
SERVICE_TROUBLE = "1406"
# Of the edge, which has not reached what is behind it (vendor page "Cloudflare 5xx errors").
EDGE_STATUSES = frozenset({*range(520, 528), 530})
MAX_PATH_VALUE = 100
# Up to how many ids are read without a look at how long the list is.
FEW = 2

CONNECTION_OPTIONS: options.Spec = options.merge(
    options.HTTP_OPTIONS,
    {
        "url": {"type": "str", "default": "https://api.cloudflare.com", "fallback": (options.from_environment, ["CLOUDFLARE_BASE_URL"])},
        "api_token": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_TOKEN"])},
        "account_email": {"type": "str", "fallback": (options.from_environment, ["CLOUDFLARE_EMAIL"])},
        "account_api_key": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["CLOUDFLARE_API_KEY"])},
        "zone_id": {"type": "str", "fallback": (options.from_environment, ["CLOUDFLARE_ZONE_ID"])},
        "zone": {"type": "str"},
        "ca_path": {"fallback": (options.from_environment, ["CLOUDFLARE_CA_PATH"])},
        "retry_timeout": {"default": RETRY_TIMEOUT},
        "rate_limits": {"default": RATE_LIMITS},
    },
)

_SWAPPED = "An API token belongs into api_token (CLOUDFLARE_API_TOKEN); a global API key belongs into account_api_key, with account_email"
# What to do about an error, by its code or that of the chain behind it (seen in many reports; Cloudflare publishes no list).
HINTS: t.Mapping[str, str] = {
    "6111": f"What was given as api_token is no API token. {_SWAPPED}",
    "6103": f"What was given as account_api_key is no global API key. {_SWAPPED}",
    "6102": "account_email (CLOUDFLARE_EMAIL) is no e-mail address",
    "9103": "account_email and account_api_key do not belong together",
    "9106": "No credentials arrived; does a proxy take the headers away?",
    "9109": "The token is unknown, expired or revoked, or was made a moment ago",
    "1000": "The token is unknown or revoked",
    "10502": "Too many failed attempts to log in; wait before you try again",
}
# Codes that mean that the credentials as such are refused, whatever the status. 10000 is not among them: with 403 it is a missing permission too.
_UNKNOWN_CALLER = frozenset({"6111", "6103", "6102", "9103", "9106", "10502"})
AUTHENTICATION = "Give a valid api_token, or account_email and account_api_key"
AUTHORIZATION = (
    "The token needs the permission SSL and Certificates (Edit, or Read for looking) for this zone, and the zone must be among its resources; a new token "
    "may take some minutes to work"
)
RATE = "Everything that uses the same token counts together, and Cloudflare blocks it for five minutes; lower rate_limits"

CertificateId = str


@dataclasses.dataclass(frozen=True)
class ClientCertificate:
    """A client certificate of a zone.

    :param key: SHA-256 of its public key; None where neither certificate nor CSR can be read.
    :param thumbprint: SHA-1 over the certificate, which Cloudflare does not show; None where it cannot be read.
    :param serials: what its serial number may be: Cloudflare writes it in one base or the other.
    :param record: as Cloudflare shows it.
    """

    id: CertificateId
    status: str
    common_name: str
    fingerprint: str
    key: str | None
    thumbprint: str | None
    serials: frozenset[int]
    issued_on: str
    expires_on: str
    validity_days: int
    pem: str
    record: Record = dataclasses.field(compare=False, repr=False)

    @property
    def live(self) -> bool:
        """Whether it is good, or about to be good again."""
        return self.status in LIVE

    def expires_before(self, moment: datetime.datetime) -> bool:
        """Whether it is over by then. There is no status for that."""
        end = date_of(self.expires_on)
        return end is not None and end <= moment


@dataclasses.dataclass(frozen=True)
class CertificateRef:
    """How a user names certificates: by id, fingerprint, serial number, or the key of a CSR.

    :param kind: ``id``, ``fingerprint``, ``serial`` or ``csr``.
    :param value: lower case; of a serial number the digits; of a CSR the SHA-256 of its key.
    """

    kind: str
    value: str
    label: str

    @property
    def key(self) -> str:
        """See ``engine.Target``."""
        return f"{self.kind}:{self.value}"


# -- records -----------------------------------------------------------------------------------------------------------------------------


def date_of(text: str) -> datetime.datetime | None:
    """A moment as Cloudflare writes it, RFC 3339 with or without a fraction; None when it is none."""
    matched = re.match(r"(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2})(?:\.\d+)?([Zz]|[+-]\d{2}:?\d{2})?$", text)
    if not matched:
        return None
    zone = (matched[2] or "Z").upper().replace("Z", "+0000").replace(":", "")
    try:
        return datetime.datetime.strptime(matched[1].upper().replace(" ", "T") + zone, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def serial_numbers(text: str) -> frozenset[int]:
    """What a serial number may be: the vendor's reference has hexadecimal ones, its guide has decimal ones."""
    digits = re.sub(r"[\s:]+", "", text).lower()
    found = {int(digits, 16)} if re.fullmatch("[0-9a-f]{1,60}", digits) else set()
    return frozenset(found | ({int(digits)} if re.fullmatch("[0-9]{1,60}", digits) else set()))


def certificate_of(record: Record) -> ClientCertificate:
    """A client certificate from its record. What can be read from the certificate itself is taken from there."""
    pem = _plain(record.get("certificate"))
    expires_on = text_of(record, "expires_on", 40)
    key, mark = None, None
    fingerprint, serials = text_of(record, "fingerprint_sha256", 100).replace(":", "").lower(), serial_numbers(text_of(record, "serial_number", 80))
    try:
        held = load_certificates("certificate", pem.encode())
        leaf = next((item for item in held if fingerprint_sha256(item) == fingerprint), held[0])
        expires_on = expires_on if date_of(expires_on) else not_after(leaf).strftime("%Y-%m-%dT%H:%M:%SZ")
        fingerprint, mark, serials = fingerprint_sha256(leaf), thumbprint(leaf), frozenset({leaf.serial_number})
        key = public_key_sha256(leaf)
    except Exception:
        # Libraries fail on strange certificates in ways of their own, and one that cannot be read must not hide the others.
        try:
            key = public_key_sha256(load_request("csr", _plain(record.get("csr")).encode()))
        except Exception:
            key = None
    return ClientCertificate(
        id=text_of(record, "id", MAX_PATH_VALUE),
        status=text_of(record, "status", 40).lower(),
        common_name=text_of(record, "common_name", 200),
        fingerprint=fingerprint,
        key=key,
        thumbprint=mark,
        serials=serials,
        issued_on=text_of(record, "issued_on", 40),
        expires_on=expires_on,
        validity_days=whole(record, "validity_days"),
        pem=f"{pem}\n" if pem else "",
        record=record,
    )


def _plain(pem: t.Any) -> str:
    """PEM with plain line ends; some of what hands it on escapes them."""
    return str(pem or "").replace("\r", "").replace("\\n", "\n").strip()


def certificate_ref(option: str, given: t.Any, zone_id: str = "") -> CertificateRef:
    """A certificate from an id, a SHA-256 fingerprint, a serial number in either base, a PEM text, or a mapping with one of these.

    :param zone_id: refuse a mapping that says another zone.
    :raises InputError: it names no certificate.
    """
    if isinstance(given, dict):
        return _ref_of_mapping(option, given, zone_id)
    text = _text(option, given)
    if isinstance(given, int):
        return _serial(option, text)
    if "-----BEGIN" in text:
        return _ref_of_pem(option, text)
    if re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}", text.lower()):
        return CertificateRef("id", text.lower(), text)
    if not text:
        raise InputError(option, "an empty text is no certificate; give an id, a SHA-256 fingerprint or a serial number")
    digits = normalise_hex(option, text).lower()
    return CertificateRef("fingerprint", digits, printable(text, 100)) if len(digits) == 64 else _serial(option, text)


def _text(option: str, given: t.Any) -> str:
    if not isinstance(given, (str, int)) or isinstance(given, bool):
        raise InputError(option, f"{printable(str(given), 80)} is not a text; in YAML, put it in quotes")
    return str(given).strip()


def _serial(option: str, text: str) -> CertificateRef:
    digits = normalise_hex(option, text).lower().lstrip("0")
    if not digits or len(digits) > 50:
        raise InputError(option, f"{printable(text, 80)!r} is no serial number, and no SHA-256 fingerprint of 64 hexadecimal digits either")
    return CertificateRef("serial", digits, printable(text, 80))


def csr_ref(option: str, data: bytes) -> CertificateRef:
    """The certificates that share the key of a CSR.

    :raises InputError: it cannot be read.
    """
    try:
        key = public_key_sha256(load_request(option, data))
    except ValueError:
        raise InputError(option, "holds a key of a kind that cannot be read") from None
    return CertificateRef("csr", key, f"key {key[:16]}")


def _ref_of_pem(option: str, text: str) -> CertificateRef:
    if "CERTIFICATE REQUEST-----" in text:
        return csr_ref(option, text.encode())
    fingerprint = fingerprint_sha256(load_certificates(option, text.encode())[0])
    return CertificateRef("fingerprint", fingerprint, fingerprint)


def _ref_of_mapping(option: str, given: t.Mapping[str, t.Any], zone_id: str) -> CertificateRef:
    """The surest name that a mapping holds; the others are not looked at."""
    where = given.get("zone_id")
    if where and zone_id and str(where).lower() != zone_id:
        raise InputError(option, f"is of zone {printable(str(where), 40)}, and this task is for zone {zone_id}; one task is for one zone")
    fields = {key: given[key] for key in ("id", "fingerprint_sha256", "serial_number", "csr", "csr_path") if given.get(key) not in (None, "")}
    if not fields:
        keys = sorted(map(str, given))
        raise InputError(option, f"an entry with the keys {keys} has none of id, fingerprint_sha256, serial_number, csr and csr_path")
    key, value = next(iter(fields.items()))
    text = _text(f"{option}.{key}", value)
    if key == "csr_path":
        return csr_ref(f"{option}.{key}", options.read_file(f"{option}.{key}", options.expanded_path(text)))
    if key == "csr":
        return csr_ref(f"{option}.{key}", text.encode())
    name = printable(str(given.get("common_name") or ""), 80)
    label = f"{name} ({printable(text, 40)})" if name else printable(text, 80)
    if key == "serial_number":
        return dataclasses.replace(_serial(f"{option}.{key}", text), label=label)
    if key == "id":
        if not re.fullmatch(rf"[0-9A-Za-z][0-9A-Za-z_.:~-]{{0,{MAX_PATH_VALUE - 1}}}", text):
            raise InputError(f"{option}.id", f"{printable(text, 60)!r} is not the id of a certificate")
        return CertificateRef("id", text, label)
    digits = normalise_hex(f"{option}.{key}", text).lower()
    if len(digits) != 64:
        raise InputError(f"{option}.{key}", f"{printable(text, 80)!r} is no SHA-256 fingerprint of 64 hexadecimal digits")
    return CertificateRef("fingerprint", digits, label)


# -- client ------------------------------------------------------------------------------------------------------------------------------


def connect(params: t.Mapping[str, t.Any], *, read_only: bool, secrets: Secrets, warn: t.Callable[[str], None]) -> CloudflareClient:
    """A client for one zone, from the values of ``CONNECTION_OPTIONS``. A zone that is given by name costs a request.

    :param read_only: check mode: the client cannot change anything.
    :raises InputError: an option cannot work.
    """
    credentials = ApiCredentials.of(params)
    zone_id = (params.get("zone_id") or "").strip().lower()
    if zone_id and not re.fullmatch("[0-9a-f]{32}", zone_id):
        raise InputError("zone_id", f"{printable(zone_id, 60)!r} is no zone id, which has 32 hexadecimal digits; a domain belongs into zone")
    if not zone_id and not params.get("zone"):
        raise InputError("zone_id, zone", "give the id (or CLOUDFLARE_ZONE_ID) or the name of the zone")
    settings = options.http_settings(params, options.base_url(params, strip=("/client/v4", "/client")))
    transport = Transport(settings, vendor=VENDOR, read_only=read_only, secrets=secrets, warn=warn)
    transport.credentials = credentials
    client = CloudflareClient(transport, zone_id)
    try:
        if params.get("zone"):
            client.enter_zone(params["zone"])
    except BaseException:
        transport.close()
        raise
    return client


class ApiCredentials:
    """An API token, or an e-mail address with a global key. Nothing can renew them.

    No request is made to see whether they are good: tokens of an account are refused by the call that checks those of users.
    """

    def __init__(self, headers: t.Mapping[str, str]) -> None:
        self._headers = headers

    @classmethod
    def of(cls, params: t.Mapping[str, t.Any]) -> ApiCredentials:
        """From the options; a token wins, and is never sent together with the others, which Cloudflare takes amiss.

        :raises InputError: there are none, or they cannot work.
        """
        for option in ("api_token", "account_email", "account_api_key"):
            if params.get(option) and not all("!" <= ch <= "~" for ch in params[option]):
                raise InputError(option, "holds a blank, a line break or a character that Cloudflare never uses; was it read from a file with more in it?")
        if params.get("api_token"):
            return cls({"Authorization": f"Bearer {params['api_token']}"})
        email, key = params.get("account_email"), params.get("account_api_key")
        if not key:
            raise InputError("api_token", "no credentials given; set api_token (or CLOUDFLARE_API_TOKEN), or account_email and account_api_key")
        if not email:
            raise InputError("account_email", "account_api_key goes with account_email (or CLOUDFLARE_EMAIL); a token belongs into api_token")
        return cls({"X-Auth-Email": email, "X-Auth-Key": key})

    def headers(self) -> t.Mapping[str, str]:
        """See ``Credentials.headers``."""
        return self._headers

    def renew(self, rejected: t.Mapping[str, str]) -> bool:
        """See ``Credentials.renew``."""
        return False


class CloudflareClient:
    """The calls of the API that the collection uses, for one zone."""

    def __init__(self, transport: Transport, zone_id: str) -> None:
        self.transport = transport
        self.zone_id = zone_id

    def enter_zone(self, name: str) -> None:
        """Find the zone of a name (vendor page "List Zones"). The same name may be in several accounts.

        :raises InputError: there is none, there are several, or it is not the one of ``zone_id``.
        """
        wanted = name.strip().rstrip(".").lower()
        purpose = f"find zone {printable(wanted, 100)}"
        try:
            zones, dummy = self._list("/zones", {"name": wanted}, purpose)
        except AuthorizationError as error:
            error.message += ". A token for some zones only may not look zones up; give zone_id instead of zone"
            raise
        found = {text_of(zone, "id", 40).lower(): zone for zone in zones if text_of(zone, "name").rstrip(".").lower() == wanted}
        if self.zone_id and self.zone_id in found:
            return
        if self.zone_id:
            problem = f"has not the id {self.zone_id}; leave one of them out (CLOUDFLARE_ZONE_ID counts as zone_id)"
            raise InputError("zone_id, zone", f"zone {printable(wanted, 100)!r} {problem}")
        statuses = {text_of(zone, "status", 30) or "no status" for zone in found.values()}
        if len(found) == 1 and not statuses <= {"active", "pending", "initializing", "paused", "no status"}:
            raise InputError("zone", f"{printable(wanted, 100)!r} is {statuses.pop()} there ({next(iter(found))}); give zone_id if that is the one")
        if len(found) != 1:
            told = "; ".join(f"{number} ({_zone_account(zone)}, {text_of(zone, 'status', 30) or 'no status'})" for number, zone in found.items())
            problem = f"is in several accounts: {told}" if found else "is not among the zones of these credentials; check the name"
            raise InputError("zone", f"{printable(wanted, 100)!r} {problem}, or give zone_id")
        self.zone_id = next(iter(found))

    # -- reading -------------------------------------------------------------------------------------------------------------------

    def certificates(self, *, limit: int | None = None, whole_list: bool = False) -> tuple[list[ClientCertificate], int]:
        """The zone's certificates, all pages, and how many there are. Without a status, Cloudflare lists the active ones only.

        A new one may be missing from it for a while, a minute has been seen.

        :param whole_list: a list from which some may be missing is an error, because what is missing would be created again or believed revoked.
        """
        purpose = f"list client certificates of zone {self.zone_id}"
        records, total = self._list(self._path(), {"status": "all"}, purpose, limit=limit, whole_list=whole_list)
        return [certificate_of(record) for record in records], total

    def _list(
        self, path: str, query: t.Mapping[str, str], purpose: str, limit: int | None = None, whole_list: bool = False
    ) -> tuple[list[Record], int]:
        """The records of all pages.

        :raises UnreadableAnswerError: an answer holds no list. To take that for an empty one would be to create everything again.
        """

        told: list[int | None] = [None]

        def read(number: int, offset: int) -> Page:
            try:
                answer = self._get(f"{path}?{urllib.parse.urlencode({**query, 'page': number, 'per_page': PAGE_SIZE})}", purpose)
            except VendorError as error:
                if number > 1 and offset == told[0] and error.status in (400, 404):
                    # Behind the last page some lists are empty, and others are an error.
                    return Page([], offset)
                raise
            # Some of Cloudflare's services write an empty list as null.
            if not isinstance(answer.get("result", ""), (list, type(None))):
                raise UnreadableAnswerError(f"{VENDOR}: the answer to: {purpose} holds no list")
            info = record_in(answer, "result_info")
            total = str(info.get("total_count", ""))
            told[0] = int(total) if re.fullmatch("[0-9]{1,9}", total) else None
            return Page(records_in(answer, "result"), told[0])

        def changed() -> None:
            problem = f"{VENDOR}: what was read to {purpose} changed meanwhile each time, or holds less than it says; some may be missing from it"
            if whole_list:
                raise UnreadableAnswerError(f"{problem}, and nothing is done on such grounds. Run the task again")
            self.transport.warn(problem)

        return read_all(read, lambda item: text_of(item, "id", MAX_PATH_VALUE), limit=limit, changed=changed, page_size=PAGE_SIZE)

    def certificate(self, number: CertificateId) -> ClientCertificate:
        """One certificate by its id, of any status.

        :raises VendorError: the zone has none of this id.
        """
        purpose = f"read client certificate {number}"
        found = certificate_of(record_in(self._get(self._path(number), purpose), "result"))
        if found.id.lower() != number.lower():
            raise VendorError(f"{VENDOR}: the answer to: {purpose} is another certificate, or none")
        return found

    def certificates_by_id(self, numbers: t.Sequence[CertificateId]) -> list[ClientCertificate | RemediationError]:
        """One request for each; an error in place of one that cannot be read."""
        return each_in_parallel(self.certificate, numbers, self.transport.settings.concurrency)

    def find(self, refs: t.Sequence[CertificateRef]) -> list[tuple[ClientCertificate, ...] | RemediationError]:
        """The certificates that each reference names, or why there are none. A few ids are read one by one, all else through the list."""
        listed = self._listed(len(refs), only_ids=all(ref.kind == "id" and not _may_be_serial(ref) for ref in refs)) if refs else None
        index: dict[str, list[ClientCertificate]] = {}
        for certificate in listed or ():
            marks = {f"id:{certificate.id.lower()}", f"fingerprint:{certificate.fingerprint}", f"csr:{certificate.key}"}
            for mark in marks | {f"serial:{number}" for number in certificate.serials}:
                index.setdefault(mark, []).append(certificate)
        found: dict[CertificateRef, tuple[ClientCertificate, ...] | RemediationError] = {}
        for ref in refs:
            marks = {f"serial:{number}" for number in serial_numbers(ref.value)} if ref.kind == "serial" else {ref.key.lower()}
            if _may_be_serial(ref) and not marks & set(index):
                marks = {f"serial:{int(ref.value, 16)}"}
            named = tuple({certificate.id: certificate for mark in marks for certificate in index.get(mark, ())}.values())
            found[ref] = _ambiguous(ref, named) if ref.kind == "serial" and len(named) > 1 else named
        # A new one may be missing from the list.
        alone = list(dict.fromkeys(ref for ref in refs if ref.kind == "id" and not found[ref]))
        for ref, result in zip(alone, self.certificates_by_id([ref.value for ref in alone])):
            found[ref] = result if isinstance(result, RemediationError) else (result,)
        return [self._with_status(found[ref] or self._missing(ref)) for ref in refs]

    def _with_status(self, found: tuple[ClientCertificate, ...] | RemediationError) -> tuple[ClientCertificate, ...] | RemediationError:
        """A status that the list leaves out is read from the certificate by itself: it must not be guessed."""
        if isinstance(found, RemediationError) or all(certificate.status for certificate in found):
            return found
        read = self.certificates_by_id([certificate.id for certificate in found])
        return next((item for item in read if isinstance(item, RemediationError)), tuple(item for item in read if isinstance(item, ClientCertificate)))

    def _listed(self, count: int, *, only_ids: bool) -> list[ClientCertificate] | None:
        """All certificates of the zone; None where reading so many ids one by one is cheaper."""
        if not only_ids:
            return self.certificates(whole_list=True)[0]
        if count <= FEW:
            return None
        first, total = self.certificates(limit=PAGE_SIZE)
        if len(first) < PAGE_SIZE:
            return first
        return self.certificates()[0] if math.ceil(total / PAGE_SIZE) <= count else None

    def _missing(self, ref: CertificateRef) -> VendorError:
        what = {"fingerprint": "this fingerprint", "serial": "this serial number", "csr": "this key"}.get(ref.kind, "this id")
        return VendorError(f"{VENDOR}: zone {self.zone_id} has no client certificate of {what}; it may be another zone's", code=UNKNOWN_CERTIFICATE)

    @staticmethod
    def is_unknown(error: RemediationError) -> bool:
        """Whether an error says that the zone has no certificate of that id; a 404 alone may be that of a proxy or of a zone that is none."""
        return error.code == UNKNOWN_CERTIFICATE or (error.status == 404 and "certificate id" in (error.detail or "").lower())

    def hostnames(self) -> list[str]:
        """The host names at which Cloudflare asks for a certificate of its managed authority (vendor page "Hostname associations")."""
        answer = self._get(f"/zones/{self.zone_id}/certificate_authorities/hostname_associations", "list the mTLS host names")
        names = record_in(answer, "result").get("hostnames")
        return [printable(str(name), 255) for name in names] if isinstance(names, list) else []

    def firewall_rules(self) -> list[Record]:
        """The zone's WAF custom rules; empty without any (vendor page "Get a zone entry point ruleset").

        :raises AuthorizationError: the credentials may not read them.
        """
        try:
            answer = self._get(f"/zones/{self.zone_id}/rulesets/phases/http_request_firewall_custom/entrypoint", "read the WAF custom rules")
        except VendorError as error:
            if error.status == 404:
                return []
            raise
        return records_in(record_in(answer, "result"), "rules")

    # -- changing ------------------------------------------------------------------------------------------------------------------

    def create(self, csr: str, validity_days: int) -> ClientCertificate:
        """``POST client_certificates``: one request, never repeated here. Each one makes another certificate, also for the same CSR.

        :raises AnswerLostError: it may have been done.
        :raises RemediationError: Cloudflare refused it.
        """
        made = self._change("POST", self._path(), {"csr": csr, "validity_days": validity_days}, "create a client certificate")
        # The answers of old left the status out; what was made a moment ago is active.
        return made if made.status else dataclasses.replace(made, status=ACTIVE)

    def revoke(self, number: CertificateId) -> ClientCertificate:
        """``DELETE client_certificates/{id}``: revokes it; nothing is ever removed."""
        return self._change("DELETE", self._path(number), None, f"revoke client certificate {number}")

    def reactivate(self, number: CertificateId) -> ClientCertificate:
        """``PATCH client_certificates/{id}`` (vendor page "Reactivate Client Certificate")."""
        return self._change("PATCH", self._path(number), {"reactivate": True}, f"reactivate client certificate {number}")

    def _change(self, method: str, path: str, body: Record | None, purpose: str) -> ClientCertificate:
        answer = self.transport.request(method, f"{BASE}{path}", json_body=body, purpose=purpose, changes=True)
        record = record_in(self._decoded(answer, purpose, changes=True), "result")
        if not record.get("id"):
            raise UnreadableAnswerError(f"{VENDOR}: the answer to: {purpose} holds no certificate ({self.transport.describe(answer)})", status=answer.status)
        return certificate_of(record)

    # -- answers -------------------------------------------------------------------------------------------------------------------

    def _path(self, number: CertificateId = "") -> str:
        return f"/zones/{self.zone_id}/client_certificates" + (f"/{urllib.parse.quote(number, safe='')}" if number else "")

    def _get(self, path: str, purpose: str) -> Record:
        answer = self.transport.request("GET", f"{BASE}{path}", purpose=purpose, temporary=lambda given: given.status in EDGE_STATUSES)
        return self._decoded(answer, purpose)

    def _decoded(self, answer: Answer, purpose: str, *, changes: bool = False) -> Record:
        """The body of a success. One that says ``success: false`` is none, whatever its status (vendor's clients do not look)."""
        told, remedies = self._told(answer)
        body = json_of(answer)
        refused = isinstance(body, dict) and (body.get("success", True) is not True) and bool(body["success"] is False or body.get("errors"))
        if changes and refused and (told.code == SERVICE_TROUBLE or record_in(body, "result")):
            message = f"{VENDOR}: {told.text or 'no text'}, in answer to: {purpose}"
            raise AnswerLostError(message, status=answer.status, code=told.code, detail=told.text, request_id=told.request_id)
        if refused and answer.status < 400:
            raise refusal(self.transport, answer, purpose, told=told, remedies=remedies)
        return t.cast(Record, decode(self.transport, answer, purpose, shape=dict, told=told, remedies=remedies, changes=changes))

    def _told(self, answer: Answer) -> tuple[Told, Remedies]:
        """What the envelope says: codes and texts with the chain behind them, and the ray that support asks for. Any of its fields may be missing."""
        ray = printable(answer.headers.get("cf-ray", ""), 60) or None
        body = json_of(answer)
        if not isinstance(body, dict):
            # A page of the edge in front of the service.
            return Told(self.transport.describe(answer) if answer.status >= 400 else "", request_id=ray), Remedies(AUTHENTICATION, AUTHORIZATION, RATE)
        errors = records_in(body, "errors")
        chain = [link for error in errors for link in (error, *records_in(error, "error_chain"))]
        codes = [text_of(link, "code", 20) for link in chain if link.get("code") is not None]
        said = "; ".join(": ".join(filter(None, (text_of(link, "code", 20), text_of(link, "message", 300)))) for link in chain)
        hints = [HINTS[code] for code in codes if code in HINTS]
        # The same number is a token that is not known and a resource that this token may not see; only the text tells.
        unknown = not _UNKNOWN_CALLER.isdisjoint(codes) or any(code in ("9109", "1000") and "nvalid" in said for code in codes)
        unknown = unknown or ("10000" in codes and answer.status == 400)
        remedies = Remedies(hints[-1] if hints else AUTHENTICATION, AUTHORIZATION, RATE)
        return Told(self.transport.secrets.redact(said), codes[0] if codes else None, ray, unknown_caller=unknown), remedies


def _may_be_serial(ref: CertificateRef) -> bool:
    """Whether what looks like an id of the old form may be a serial number of sixteen bytes."""
    return ref.kind == "id" and re.fullmatch("[0-9a-fA-F]{32}", ref.value) is not None


def _ambiguous(ref: CertificateRef, named: t.Sequence[ClientCertificate]) -> VendorError:
    ids = ", ".join(certificate.id for certificate in named)
    return VendorError(f"{VENDOR}: the serial number {ref.label} may be that of several client certificates ({ids}); name one by its id")


def _zone_account(zone: Record) -> str:
    account = record_in(zone, "account")
    return f"account {text_of(account, 'name', 80) or text_of(account, 'id', 40) or 'unknown'}"
