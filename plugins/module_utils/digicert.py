# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert CertCentral, Services API v2: orders, their certificates, reissues, duplicates and requests.

Facts: vendor pages "Order info", "List orders", "List reissues", "List duplicates", "Request info", "Errors" and "Rate limits", and what shipping
clients depend on where noted. Nothing here knows a module.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import re
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.answers import Remedies, Told, decode, json_of
from ansible_collections.certops.remediation.plugins.module_utils.errors import AnswerLostError, AuthorizationError, InputError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.paging import Page, read_all
from ansible_collections.certops.remediation.plugins.module_utils.records import Record, record_in, records_in, text_of, whole
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets, printable
from ansible_collections.certops.remediation.plugins.module_utils.transport import Answer, Transport
from ansible_collections.certops.remediation.plugins.module_utils.x509 import comparable_name, load_request, normalise_hex, public_key_sha256

VENDOR = "DigiCert CertCentral"
# After so many refusals and no success, a key is taken to lack the right as such.
DENIALS = 3
BASE = "/services/v2"
PAGE_SIZE = 1000
# Per API key, rolling (vendor page "Rate limits").
RATE_LIMITS = [{"requests": 1000, "seconds": 180.0}, {"requests": 100, "seconds": 5.0}]

CONNECTION_OPTIONS: options.Spec = options.merge(
    options.HTTP_OPTIONS,
    {
        "url": {"type": "str", "default": "https://www.digicert.com", "fallback": (options.from_environment, ["DIGICERT_URL"])},
        "api_key": {"type": "str", "no_log": True, "fallback": (options.from_environment, ["DIGICERT_API_KEY"])},
        "ca_path": {"fallback": (options.from_environment, ["DIGICERT_CA_PATH"])},
        "rate_limits": {"default": RATE_LIMITS},
    },
)

REMEDIES = Remedies(
    authentication="Give a valid api_key of this account and region; the European CertCentral is another address with other keys",
    authorization="The API key, or the user behind it, lacks the permission: a key for viewing may only read, and some see only the orders of a division",
    rate="Other users of the same API key count as well; lower rate_limits",
)

# What people call them, and the filters of the vendor (vendor page "List orders").
FILTERS: t.Mapping[str, str] = {
    "status": "status",
    "common_name": "common_name",
    "domain_name": "domain_name",
    "serial_number": "serial_number",
    "product": "product_name_id",
    "organization_id": "organization_id",
    "container_id": "container_id",
    "search": "search",
}
OPEN_REQUESTS = frozenset({"submitted", "pending"})
# Certificate states of what will not be issued any more.
CLOSED = frozenset({"issued", "rejected", "revoked", "expired", "canceled", "denied"})
# Order states after which DigiCert never reissues (vendor page "Update order status"); all but these and ``issued`` are on their way.
OVER = frozenset({"revoked", "canceled", "rejected", "expired", "denied"})


@dataclasses.dataclass(frozen=True)
class Certificate:
    """One certificate of an order, issued or asked for.

    :param key: SHA-256 of its public key, from the CSR; None where DigiCert does not show a CSR that can be read.
    :param names: common name and DNS names together, in lower case: DigiCert lists the common name among the others or not.
    :param names_shown: whether DigiCert shows them all; if not, only the certificate itself tells.
    :param status: empty where DigiCert leaves it out, which means that of the order.
    """

    id: int
    status: str
    common_name: str
    names: frozenset[str]
    names_shown: bool
    key: str | None
    serial: str
    thumbprint: str
    valid_from: str
    valid_till: str
    created: str
    signature_hash: str
    ca: str
    requester: str

    @property
    def is_open(self) -> bool:
        """Whether it is asked for and neither issued nor refused. DigiCert has more words for that than it documents."""
        return not self.serial and self.status not in CLOSED


@dataclasses.dataclass(frozen=True)
class Request:
    """A request of an order that somebody has to approve."""

    id: int
    type: str
    status: str
    date: str
    comments: str

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.status in OPEN_REQUESTS


@dataclasses.dataclass(frozen=True)
class Order:
    """An order with its primary certificate, which is the one issued last.

    :param reissues: None where they were not read; so for ``duplicates``.
    """

    id: int
    status: str
    product: str
    container: str
    container_id: int
    organization: str
    organization_id: int
    valid_till: str
    last_reissued: str
    auto_reissue: bool
    allow_duplicates: bool
    created: str
    certificate: Certificate
    requests: tuple[Request, ...] = ()
    reissues: tuple[Certificate, ...] | None = None
    duplicates: tuple[Certificate, ...] | None = None


@dataclasses.dataclass(frozen=True)
class InFlight:
    """What has been asked for on an order and is not done yet.

    :param type: as DigiCert calls its requests: reissue, duplicate, revoke, new_request.
    :param key: see ``Certificate``.
    :param certificate_id: of the certificate that is to come, or to be revoked; 0 where DigiCert does not show it.
    :param request: the request that waits for an approval; None where it waits for the validation of domains or for the issue.
    """

    type: str
    certificate_id: int = 0
    key: str | None = None
    names: frozenset[str] = frozenset()
    who: str = ""
    since: str = ""
    request: Request | None = None

    @property
    def asked_for(self) -> str:
        """By whom and since when, as it is told."""
        return f"{'by ' + self.who + ' ' if self.who else ''}since {self.since or 'an unknown time'}"

    @property
    def waits(self) -> str:
        """What it waits for, as it is told."""
        return f"waits for the approval of request {self.request.id}" if self.request else "waits for validation or issue"


@dataclasses.dataclass(frozen=True)
class ReissueAnswer:
    """What DigiCert says about one reissue: a request that has to be approved, a certificate to come, or the certificate itself.

    :param chain: PEM, leaf first; empty unless it was issued at once.
    :param dcv_random_value: what a domain has to show, where one has to be validated first.
    """

    certificate_id: int | None
    requests: tuple[int, ...]
    chain: tuple[str, ...]
    dcv_random_value: str | None


@dataclasses.dataclass(frozen=True)
class Validation:
    """What a check of the domains of an order has found.

    :param status: in the vendor's word; empty where it does not say.
    :param not_valid: the names whose control is not shown, with their status.
    """

    status: str
    order_status: str
    not_valid: tuple[tuple[str, str], ...]


# -- records -----------------------------------------------------------------------------------------------------------------------------


def name_set(common_name: str, names: t.Iterable[t.Any]) -> frozenset[str]:
    """All names of a certificate, as they are compared."""
    return frozenset(comparable_name(name) for name in (common_name, *names) if isinstance(name, str) and name.strip())


def serial_of(text: str) -> str:
    """A serial number in upper-case hexadecimal without what people put between its digits; empty if it is none."""
    digits = re.sub(r"[\s:]+", "", text).upper()
    return digits if re.fullmatch("[0-9A-F]+", digits) else ""


def key_of(csr: t.Any) -> str | None:
    """What identifies the key of a CSR as DigiCert shows it: PEM with any line ends or none, or bare base64."""
    if not isinstance(csr, str) or not csr.strip():
        return None
    digits = re.sub(r"-----[A-Z ]+-----|[\s=]", "", csr).replace("-", "+").replace("_", "/")
    try:
        return public_key_sha256(load_request("csr", base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)))
    except Exception:
        # Libraries fail on strange keys in ways of their own, and one CSR that cannot be read must not hide all the other orders.
        return None


def person_of(record: t.Mapping[str, t.Any]) -> str:
    """Who asked for something; requests spell the fields in another way than the lists of reissues and duplicates do."""
    name = " ".join(part for part in (text_of(record, key, 60) for key in ("firstname", "lastname", "first_name", "last_name")) if part)
    email = text_of(record, "email", 120)
    return f"{name} <{email}>" if name and email else name or email


def certificate_of(record: t.Mapping[str, t.Any]) -> Certificate:
    """A certificate from order info, or from the lists of reissues and duplicates."""
    listed = record.get("dns_names")
    common_name = comparable_name(text_of(record, "common_name"))
    return Certificate(
        id=whole(record, "id"),
        status=text_of(record, "status").lower(),
        common_name=common_name,
        names=name_set(common_name, listed if isinstance(listed, list) else ()),
        names_shown=bool(common_name) and isinstance(listed, list) and all(isinstance(name, str) for name in listed),
        key=key_of(record.get("csr")),
        serial=serial_of(text_of(record, "serial_number")),
        thumbprint=text_of(record, "thumbprint").upper(),
        valid_from=text_of(record, "valid_from", 40),
        valid_till=text_of(record, "valid_till", 40),
        created=text_of(record, "date_created", 40),
        signature_hash=text_of(record, "signature_hash", 20).lower(),
        ca=text_of(record_in(record, "ca_cert"), "name"),
        requester=person_of(record),
    )


def order_of(record: t.Mapping[str, t.Any]) -> Order:
    """An order from order info or from the list of orders, which knows less."""
    return Order(
        id=whole(record, "id"),
        status=text_of(record, "status").lower(),
        product=text_of(record_in(record, "product"), "name_id") or text_of(record, "product_name_id"),
        container=text_of(record_in(record, "container"), "name"),
        container_id=whole(record_in(record, "container"), "id"),
        organization=text_of(record_in(record, "organization"), "name"),
        organization_id=whole(record_in(record, "organization"), "id"),
        valid_till=text_of(record, "order_valid_till", 40),
        last_reissued=text_of(record, "last_reissued_date", 40),
        auto_reissue=bool(whole(record, "auto_reissue")),
        allow_duplicates=record.get("allow_duplicates") is not False,
        created=text_of(record, "date_created", 40),
        certificate=certificate_of(record_in(record, "certificate")),
        requests=tuple(request_of(item) for item in records_in(record, "requests")),
    )


def with_known_key(order: Order) -> Order:
    """The order with the key of its certificate as the list of reissues has it: order info may show no CSR, or the one of before."""
    current = order.certificate
    same = [item for item in order.reissues or () if item.key and (item.serial == current.serial if item.serial and current.serial else item.id == current.id)]
    return dataclasses.replace(order, certificate=dataclasses.replace(current, key=same[0].key)) if same and current.serial else order


def request_of(record: t.Mapping[str, t.Any]) -> Request:
    """A request from order info or from the list of requests."""
    return Request(
        id=whole(record, "id"),
        type=text_of(record, "type", 40).lower(),
        status=text_of(record, "status", 40).lower(),
        date=text_of(record, "date", 40),
        comments=text_of(record, "comments"),
    )


def pem_chain(records: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The PEM texts of a chain, with plain line ends."""
    return [str(record["pem"]).replace("\r", "").strip() + "\n" for record in records if record.get("pem")]


def distinct(certificates: t.Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Each certificate once. DigiCert lists some several times, under rows of their own with the same serial number (a client works around it)."""
    known: dict[t.Any, Certificate] = {}
    for certificate in certificates:
        known.setdefault(certificate.serial or certificate.id, certificate)
    return tuple(known.values())


@dataclasses.dataclass(frozen=True)
class CertificateRef:
    """A certificate as it was named.

    :param label: as it was given.
    :param serial: without leading zeros; empty if it is not known, as the thumbprint may be.
    :param order_id: the order that it is said to be of.
    :param names: those that it carries, in as far as they are known.
    """

    label: str
    serial: str = ""
    thumbprint: str = ""
    id: int | None = None
    order_id: int | None = None
    names: frozenset[str] = frozenset()


def bare(serial: str) -> str:
    """A serial number as it is compared: some tools write leading zeros, and others do not."""
    return serial.lstrip("0")


def given_serial(option: str, text: str) -> str:
    """A serial number as people paste it, as it is compared.

    :raises InputError: it is none.
    """
    serial = bare(normalise_hex(option, text))
    if not 0 < len(serial) <= 40:
        raise InputError(option, f"{printable(text, 70)!r} is no serial number, which has 1 to 40 hexadecimal digits")
    return serial


def written(serial: str) -> list[str]:
    """The ways in which CertCentral may write a serial number: its own have 16 bytes."""
    return list(dict.fromkeys([serial.zfill(32), serial.zfill(len(serial) + len(serial) % 2)]))


def certificate_ref(option: str, given: t.Any) -> CertificateRef:
    """A certificate from a serial number, a thumbprint, or a mapping with these.

    :raises InputError: it names no certificate.
    """
    fields = {key: given[key] for key in ("serial", "thumbprint") if given.get(key) not in (None, "")} if isinstance(given, dict) else {"": given}
    for key, value in fields.items():
        if not isinstance(value, str):
            raise InputError(option, f"{key} {printable(str(value), 60)!r} is not a text; in YAML, put it in quotes".strip())
    if not fields:
        raise InputError(option, f"an entry with the keys {sorted(map(str, given))} has neither serial nor thumbprint")
    if "" in fields:
        fields = {"thumbprint" if len(normalise_hex(option, given)) == 40 else "serial": given}
    mark = normalise_hex(option, fields["thumbprint"]) if "thumbprint" in fields else ""
    if len(mark) not in (0, 40):
        raise InputError(
            option, f"{printable(fields['thumbprint'], 70)!r} is no SHA-1 thumbprint of 40 hexadecimal digits, the only kind that CertCentral knows"
        )
    return CertificateRef(
        label=printable(next(iter(fields.values()))),
        serial=given_serial(option, fields["serial"]) if "serial" in fields else "",
        thumbprint=mark,
        order_id=order_ref(option, given) if isinstance(given, dict) and given.get("order_id") is not None else None,
    )


def order_ref(option: str, given: t.Any) -> int:
    """The id of an order from a number, a text, or a mapping with ``order_id``, as ``digicert_order_info`` returns them.

    :raises InputError: it names no order.
    """
    if isinstance(given, dict) and given.get("order_id") is None:
        raise InputError(option, f"an entry with the keys {sorted(map(str, given))} has no order_id")
    return given_id(option, given["order_id"] if isinstance(given, dict) else given, "order")


def given_id(option: str, value: t.Any, what: str) -> int:
    """An id of CertCentral from a number or a text.

    :raises InputError: it is none.
    """
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not re.fullmatch("[0-9]{1,15}", text) or not int(text):
        raise InputError(option, f"{printable(str(value), 60)!r} is no {what} id; those of CertCentral are whole numbers")
    return int(text)


# -- client ------------------------------------------------------------------------------------------------------------------------------


def connect(params: t.Mapping[str, t.Any], *, read_only: bool, secrets: Secrets, warn: t.Callable[[str], None]) -> DigiCertClient:
    """A client from the values of ``CONNECTION_OPTIONS``.

    :param read_only: check mode: the client cannot change anything.
    :raises InputError: an option cannot work.
    """
    if not params.get("api_key"):
        raise InputError("api_key", "no API key given; set the option or DIGICERT_API_KEY")
    if not all("!" <= ch <= "~" for ch in params["api_key"]):
        raise InputError("api_key", "holds a blank, a line break or a character that no API key has; was it read from a file with more in it?")
    settings = options.http_settings(params, options.base_url(params, strip=("/services/v2", "/services")))
    transport = Transport(settings, vendor=VENDOR, read_only=read_only, secrets=secrets, warn=warn)
    transport.credentials = ApiKey(params["api_key"])
    return DigiCertClient(transport)


class ApiKey:
    """The header of every request (vendor page "Authentication"). Nothing can renew it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def headers(self) -> t.Mapping[str, str]:
        """See ``Credentials.headers``."""
        return {"X-DC-DEVKEY": self._key}

    def renew(self, rejected: t.Mapping[str, str]) -> bool:
        """See ``Credentials.renew``."""
        return False


class DigiCertClient:
    """The calls of the API that the collection uses."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._allowed: set[str] = set()
        self._denied: collections.Counter[str] = collections.Counter()

    @contextlib.contextmanager
    def _judging(self, what: str) -> t.Iterator[None]:
        """One order may be closed to a key that the others are open to; but a key that is refused at every order will be refused at the next."""
        try:
            yield
        except AuthorizationError as error:
            self._denied[what] += 1
            error.fatal = what not in self._allowed and self._denied[what] >= DENIALS
            raise
        self._allowed.add(what)

    def orders(self, filters: t.Sequence[tuple[str, str]], *, sort: str | None = None, limit: int | None = None) -> tuple[list[Record], int]:
        """The order list's items that match, all pages, and how many DigiCert says there are.

        :param filters: the vendor's property and value, such as ``("valid_till", "<2026-12-31")``; several values of one property are all tried.
        """
        size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit)
        values: dict[str, list[str]] = {}
        for name, value in filters:
            values.setdefault(name, []).append(value)
        asked = [(f"filters[{name}]", given[0]) for name, given in values.items() if len(given) == 1]
        asked += [(f"filters[{name}][{index}]", value) for name, given in values.items() if len(given) > 1 for index, value in enumerate(given)]

        def read(dummy: int, offset: int) -> Page:
            params = [*asked, ("limit", str(size)), ("offset", str(offset)), *([("sort", sort)] if sort else [])]
            answer = self._get("/order/certificate", "list orders", params)
            page = record_in(answer, "page")
            # A list that has items and no total does not say how many there are.
            return Page(records_in(answer, "orders"), whole(page, "total") or None)

        return read_all(read, lambda item: whole(item, "id"), limit=limit, changed=self._list_changed)

    def _list_changed(self) -> None:
        self.transport.warn(f"{VENDOR}: the list of orders changed while it was read, each time; some may be missing from it")

    def order(self, identifier: int | str) -> Record:
        """Order info, by order id, or by serial number or thumbprint of the primary certificate.

        :raises VendorError: there is no such order in this account.
        """
        purpose = f"read order {identifier}"
        with self._judging("order"):
            found = self._get(f"/order/certificate/{identifier}", purpose)
        if not whole(found, "id"):
            raise VendorError(f"{VENDOR}: the answer to: {purpose} is no order")
        return found

    def reissues(self, order: int) -> tuple[Certificate, ...]:
        """Every reissue of an order with its CSR: issued, pending and rejected ones. Archived ones are hidden unless they are asked for."""
        return self._certificates(order, "reissue")

    def duplicates(self, order: int) -> tuple[Certificate, ...]:
        """Every duplicate of an order with its CSR."""
        return self._certificates(order, "duplicate")

    def _certificates(self, order: int, kind: str) -> tuple[Certificate, ...]:
        """A list that cannot be read is not one without entries: what is not seen in it would be asked for again."""
        purpose = f"list the {kind}s of order {order}"
        with self._judging(kind):
            answer = self._get(f"/order/certificate/{order}/{kind}", purpose, [("show_archived", "true")])
        if not isinstance(answer.get("certificates", []), list):
            raise VendorError(f"{VENDOR}: the answer to: {purpose} is no list of certificates")
        return distinct(certificate_of(item) for item in records_in(answer, "certificates"))

    def open_requests(self) -> list[tuple[int, InFlight]]:
        """Every request that nobody has decided yet, with the order that it is about. The list knows no keys (vendor page "List requests")."""
        found: dict[int, tuple[int, InFlight]] = {}
        for status in sorted(OPEN_REQUESTS):

            def read(dummy: int, offset: int, status: str = status) -> Page:
                params = [("status", status), ("limit", str(PAGE_SIZE)), ("offset", str(offset))]
                answer = self._get("/request", "list requests", params)
                return Page(records_in(answer, "requests"), whole(record_in(answer, "page"), "total") or None)

            for item in read_all(read, lambda item: whole(item, "id"), limit=None, changed=self._list_changed)[0]:
                request, order = request_of(item), whole(record_in(item, "order"), "id")
                if request.is_open and order:
                    who = person_of(record_in(item, "requester"))
                    found[request.id] = (order, InFlight(request.type, who=who, since=request.date, request=request))
        return list(found.values())

    def unfinished(self, order: Order) -> tuple[InFlight, ...]:
        """What an order is on its way to that waits for no approval; a reissue is read, a new order is told by the list."""
        if not order.certificate.serial and order.status != "reissue_pending":
            return (InFlight("new_request", names=order.certificate.names, since=order.created),)
        items = [item for item in self.reissues(order.id) if item.is_open]
        return tuple(InFlight("reissue", item.id, item.key, item.names, item.requester, item.created) for item in items) or (InFlight("reissue"),)

    def request(self, number: int) -> Record:
        """A request with the order as it was asked for, CSR included."""
        with self._judging("request"):
            return self._get(f"/request/{number}", f"read request {number}")

    def primary(self, order: Order) -> Order:
        """The order with its primary certificate. Whether order info shows that one while a reissue is in flight is not documented."""
        if order.certificate.serial or not order.valid_till:
            return order
        listed = [order_of(item) for item in self.orders([("id", str(order.id))], limit=1)[0]]
        issued = [item.certificate for item in listed if item.id == order.id and item.certificate.serial]
        return dataclasses.replace(order, certificate=issued[0]) if issued else order

    def histories(self, count: int) -> dict[int, tuple[bool, bool]]:
        """By order id, whether an order has reissues and duplicates: one request for a thousand orders instead of two for each.

        :param count: how many orders are of interest. No more pages than that are read: in a huge account it would not pay any more.
        """
        items, dummy = self.orders([], limit=PAGE_SIZE * count)
        return {whole(item, "id"): (item.get("has_reissues") is not False, item.get("has_duplicates") is not False) for item in items}

    def with_history(self, order: Order, *, reissued: bool | None = None, duplicated: bool | None = None) -> Order:
        """The order with its reissues and duplicates, those that it does not have yet.

        :param reissued: whether there are any by the order list; what it denies is not asked for, unless the order shows another sign of it: DigiCert
            leaves the status of a certificate out until it was reissued or revoked.
        """
        certificate = order.certificate
        signs = order.status != "issued" or order.last_reissued or certificate.status or any(item.type == "reissue" for item in order.requests)
        copied = any(item.type == "duplicate" for item in order.requests)
        reissues = order.reissues if order.reissues is not None else self.reissues(order.id) if signs or reissued is not False else ()
        duplicates = order.duplicates if order.duplicates is not None else self.duplicates(order.id) if copied or duplicated is not False else ()
        return with_known_key(dataclasses.replace(order, reissues=reissues, duplicates=duplicates))

    def in_flight(self, order: Order) -> tuple[InFlight, ...]:
        """What has been asked for on an order that was read with its history.

        It shows as a request while it waits for an approval, then as a pending certificate, or as both; only their key tells that the two are one.
        """
        found: dict[tuple[str, str | int | None], InFlight] = {}
        for request in order.requests:
            if request.is_open:
                record = self.request(request.id)
                asked, who = certificate_of(record_in(record_in(record, "order"), "certificate")), person_of(record_in(record, "requester"))
                same = asked.key if request.type in ("reissue", "duplicate") else request.id
                found[request.type, same] = InFlight(request.type, asked.id, asked.key, asked.names, who, request.date, request)
        for kind, certificates in (("reissue", order.reissues or ()), ("duplicate", order.duplicates or ())):
            for item in certificates:
                if item.is_open:
                    found.setdefault((kind, item.key), InFlight(kind, item.id, item.key, item.names, item.requester, item.created))
        # What other states an order may be in during a reissue is not documented.
        under_way = order.status == "reissue_pending" or (order.certificate.serial and order.status not in ("issued", *OVER))
        if under_way and not any(kind == "reissue" for kind, dummy in found):
            # Nothing shows what it is.
            found["reissue", None] = InFlight("reissue")
        return tuple(found.values())

    def chain(self, certificate: int) -> list[str]:
        """A certificate and its chain in PEM, leaf first, root last."""
        answer = self._get(f"/certificate/{certificate}/chain", f"download certificate {certificate}")
        return pem_chain(records_in(answer, "intermediates"))

    # -- changing ------------------------------------------------------------------------------------------------------------------

    def reissue(self, order: int, body: Record) -> ReissueAnswer:
        """``POST order/certificate/{id}/reissue``: one request, never repeated here.

        :raises AnswerLostError: it may have been done.
        :raises RemediationError: DigiCert refused it, or did not let it through: nothing was done.
        """
        with self._judging("reissue order"):
            answer = self._change("POST", f"/order/certificate/{order}/reissue", body, f"reissue order {order}") or {}
        return ReissueAnswer(
            certificate_id=whole(answer, "certificate_id") or None,
            requests=tuple(whole(item, "id") for item in records_in(answer, "requests")),
            chain=tuple(pem_chain(records_in(answer, "certificate_chain"))),
            dcv_random_value=text_of(answer, "dcv_random_value", 200) or None,
        )

    def cancel(self, order: int, note: str) -> None:
        """Cancel the reissue that is pending on an order, which DigiCert demands a note for (vendor page "Update order status")."""
        self._change("PUT", f"/order/certificate/{order}/status", {"status": "canceled", "note": note}, f"cancel the pending reissue of order {order}")

    def approve(self, request: int, comment: str) -> None:
        """Approve a request (vendor page "Update request status")."""
        self._change("PUT", f"/request/{request}/status", {"status": "approved", "processor_comment": comment}, f"approve request {request}")

    def revoke(self, certificate: int | str, *, reason: str, comments: str, skip_approval: bool) -> Request | None:
        """``PUT certificate/{id or serial number}/revoke``, which revokes one certificate and never the whole order.

        :return: the request that has to be approved first; None where DigiCert has revoked it at once, which it tells by an answer without a body.
        :raises AnswerLostError: it may have been done.
        :raises RemediationError: DigiCert refused it: nothing was done.
        """
        # ``comments`` in the examples of the vendor page, ``comment`` in its table; clients send the former.
        body = {"revocation_reason": reason, "comments": comments, "skip_approval": skip_approval}
        answer = self._change("PUT", f"/certificate/{certificate}/revoke", body, f"revoke certificate {certificate}")
        if answer is None:
            return None
        request = request_of(answer)
        if not request.id:
            raise AnswerLostError(f"{VENDOR}: accepted the revocation of certificate {certificate} without saying what became of it")
        return request

    def check_dcv(self, order: int) -> Validation:
        """``PUT order/certificate/{id}/check-dcv``: have DigiCert look now whether the control of the domains is shown.

        :raises VendorError: it has not found what a domain has to show.
        """
        answer = self._change("PUT", f"/order/certificate/{order}/check-dcv", {}, f"check the domains of order {order}") or {}
        names = [(text_of(item, "dns_name"), text_of(item, "status", 40).lower()) for item in records_in(answer, "dns_name_validations")]
        return Validation(
            status=text_of(answer, "dcv_status", 40).lower(),
            order_status=text_of(answer, "order_status", 40).lower(),
            not_valid=tuple((name, status or "unknown") for name, status in names if status != "valid"),
        )

    def _change(self, method: str, path: str, body: Record, purpose: str) -> Record | None:
        """None where the answer has no content, which is a success."""
        answer = self.transport.request(method, f"{BASE}{path}", json_body=body, purpose=purpose, changes=True)
        if answer.status == 204:
            return None
        done: Record = decode(self.transport, answer, purpose, shape=dict, told=self._told(answer), remedies=REMEDIES, changes=True)
        return done

    # -- answers -------------------------------------------------------------------------------------------------------------------

    def _get(self, path: str, purpose: str, params: t.Sequence[tuple[str, str]] = ()) -> Record:
        query = "?" + urllib.parse.urlencode(params) if params else ""
        answer = self.transport.request("GET", f"{BASE}{path}{query}", purpose=purpose)
        found: Record = decode(self.transport, answer, purpose, shape=dict, told=self._told(answer), remedies=REMEDIES)
        return found

    def _told(self, answer: Answer) -> Told:
        """The error envelope (vendor page "Errors"); more than one entry may be in it. A bad key is a 403 there."""
        body = json_of(answer) if answer.status >= 400 else {}
        if not isinstance(body, dict):
            # A page of the CDN in front of the service.
            return Told(self.transport.describe(answer))
        errors = records_in(body, "errors")
        said = "; ".join(text_of(item, "message") or text_of(item, "code") for item in errors)
        code = text_of(errors[0], "code", 120) if errors else ""
        return Told(self.transport.secrets.redact(said), code or None, unknown_caller="invalid_key" in code)
