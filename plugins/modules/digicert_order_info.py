#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: digicert_order_info
short_description: Find orders of DigiCert CertCentral, also by the serial numbers or thumbprints of a revocation list
version_added: 0.2.0
author:
  - certops.remediation contributors (@certops)
description:
  - Reads orders of DigiCert CertCentral with their certificates, by order id, by what an incident names (O(certificates),
    O(certificate_path), O(names)), or by filters, all pages of them.
  - What it returns can be given to M(certops.remediation.digicert_order_reissue) as O(certops.remediation.digicert_order_reissue#module:orders).
  - All filters that are given must match. Without any, all orders that the API key may see are returned. An empty list matches nothing.
  - O(orders), O(certificates), O(certificate_path), O(names) and O(public_key_sha256) add up. Whatever of the first four is not found is in RV(not_found).
  - More than 20 serial numbers or names are looked for in the order list, which takes one request for a thousand orders. Each thumbprint takes
    a request, because the order list does not show thumbprints.
  - A view-only API key is enough.
options:
  orders:
    description:
      - The orders to read. Each is an order id, or a mapping with V(order_id). Cannot be combined with filters.
    type: list
    elements: raw
  certificates:
    description:
      - The certificates whose orders to find. Each is a serial number or a SHA-1 thumbprint (which has 40 digits) in hexadecimal, or a mapping
        with V(serial), V(thumbprint), or both. Case, colons, blanks and leading zeros do not matter. Cannot be combined with filters.
      - CertCentral finds only the current certificate of an order for sure. For others, the reissues and duplicates of orders are looked
        through, see O(history_limit). CertCentral lists the first certificate of an order that has been reissued nowhere; for such a one to be
        recognised, put V(order_id) into its mapping, as some lists of affected certificates have it.
    type: list
    elements: raw
  certificate_path:
    description:
      - PEM or DER files with certificates whose orders to find. Certificates of CAs beside them, as in a file with the full chain, are left out.
    type: list
    elements: path
  names:
    description:
      - Host names. The orders are found whose current certificate carries one of them; a wildcard is taken literally. Can be combined with
        filters, such as O(status) to leave out orders of the past.
    type: list
    elements: str
  public_key_sha256:
    description:
      - The SHA-256 of public keys (SubjectPublicKeyInfo) in hexadecimal. The orders are found whose current certificate, or one of whose listed reissues and
        duplicates, has one of these keys. Can be combined with filters.
      - CertCentral cannot be asked for this, and its order list does not show keys, so that each order is read by itself, with one to three requests. The first
        certificate of an order that has been reissued is listed nowhere and cannot be found by its key.
    type: list
    elements: str
    version_added: 0.4.0
  public_key_limit:
    description:
      - How many orders at most are read for O(public_key_sha256), those issued last first. How many were left out is in RV(not_compared).
    type: int
    default: 1000
    version_added: 0.4.0
  history_limit:
    description:
      - In the reissues and duplicates of how many orders, at most, certificates are looked for that are the current one of none. Those issued last
        are looked through first, with one or two requests each. V(0) turns this off.
    type: int
    default: 200
  status:
    description:
      - Order statuses, any of which matches. V(issued) includes expired orders, as it does in CertCentral.
    type: list
    elements: str
    choices: [pending, issued, rejected, revoked, waiting_pickup, reissue_pending, canceled]
  product:
    description:
      - Products by the vendor's C(name_id), such as V(ssl_basic), any of which matches.
    type: list
    elements: str
  container_id:
    description:
      - Containers (divisions) by id, any of which matches.
    type: list
    elements: int
  organization_id:
    description:
      - Organizations by id, any of which matches.
    type: list
    elements: int
  common_name:
    description:
      - Common names, any of which matches.
    type: list
    elements: str
  domain_name:
    description:
      - Names, any of which matches as the common name or another name of the current certificate.
    type: list
    elements: str
  serial_number:
    description:
      - Serial numbers of current certificates in hexadecimal, any of which matches. O(certificates) finds more and tells what it does not find.
    type: list
    elements: str
  search:
    description:
      - A text that CertCentral looks for as its own search field does.
    type: str
  expires_within_days:
    description:
      - Only orders whose current certificate expires between today and in this number of days.
    type: int
  expires_before:
    description:
      - Only orders whose current certificate expires before this date, V(YYYY-MM-DD). CertCentral knows dates only.
    type: str
  expires_after:
    description:
      - Only orders whose current certificate expires after this date, V(YYYY-MM-DD).
    type: str
  filters:
    description:
      - Further filters in the vendor's own words, such as C(date_created) or C(is_renewed), and values such as V(>2026-01-01); a list of values
        matches any of them.
    type: dict
    default: {}
  sort:
    description:
      - What CertCentral sorts the list by, in its own words, such as V(-date_created) for the newest first.
    type: list
    elements: str
  details:
    description:
      - Also read reissues, duplicates and open requests, with up to three requests for each order and one more for each open request.
      - The default is V(true) if O(orders) is given, and V(false) otherwise.
    type: bool
  waiting:
    description:
      - Only orders on which something waits for an approval, a validation or the issue. They are found by the lists of requests and orders; a pending
        reissue takes one request more. RV(orders[].pending) tells what it is.
      - Cannot be combined with anything that selects.
    type: bool
    default: false
    version_added: 0.4.0
  limit:
    description:
      - Return at most this number of orders.
    type: int
extends_documentation_fragment:
  - certops.remediation.digicert
  - certops.remediation.connection
  - certops.remediation.attributes
  - certops.remediation.attributes.info
  - certops.remediation.attributes.digicert
seealso:
  - module: certops.remediation.digicert_order_reissue
  - name: DigiCert CertCentral Services API, List orders
    description: The list behind this module, with all filters.
    link: https://dev.digicert.com/en/certcentral-apis/services-api/orders/list-orders.html
"""

EXAMPLES = r"""
- name: Find what expires within 30 days
  certops.remediation.digicert_order_info:
    status: [issued]
    expires_within_days: 30
  register: expiring

- name: Read some orders with their reissues, duplicates and open requests
  certops.remediation.digicert_order_info:
    orders: "{{ expiring.orders[:2] | map(attribute='order_id') | list }}"
  register: found

- name: Find the orders of the certificates that the CA is going to revoke
  certops.remediation.digicert_order_info:
    certificates:
      - "{{ found.orders[0].certificate.serial }}"
      - "{{ found.orders[1].certificate.thumbprint | lower }}"
  register: affected

- name: Tell which are still to be reissued
  ansible.builtin.debug:
    msg: "{{ affected.orders | rejectattr('replaced') | map(attribute='order_id') | list }}"

- name: Find the orders behind host names, without those of the past
  certops.remediation.digicert_order_info:
    names: [shop-001.example.com, "*.example.com"]
    status: [issued, reissue_pending]

- name: Find everything that shares a leaked key
  certops.remediation.digicert_order_info:
    public_key_sha256: [3b1a0d0f8f4b5e0c4a1d9e6c2f7b8a9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7]
    status: [issued, reissue_pending]

- name: See who has a reissue in flight, and what it waits for
  certops.remediation.digicert_order_info:
    status: [reissue_pending]
    details: true
  register: waiting

- name: Tell who
  ansible.builtin.debug:
    msg: "{{ waiting.orders | map(attribute='pending') | flatten | map(attribute='who') | list }}"

- name: See all that waits for somebody, whatever it is
  certops.remediation.digicert_order_info:
    waiting: true

- name: List the ten newest orders of a product that have not been renewed, in the vendor's words
  certops.remediation.digicert_order_info:
    product: [ssl_basic]
    filters:
      is_renewed: false
    sort: [-date_created]
    limit: 10
"""

RETURN = r"""
orders:
  description:
    - The orders found, each once; in the order of what names them, or as CertCentral sorts them.
    - What the order list does not tell is null for an order that was found in it and not read by itself. O(details=true) reads each.
  returned: success
  type: list
  elements: dict
  contains:
    order_id:
      description: The id of the order.
      returned: always
      type: int
      sample: 1000001
    status:
      description: The status of the order. A revoked certificate leaves its order C(issued).
      returned: always
      type: str
      sample: issued
    product:
      description: The vendor's C(name_id) of the product.
      returned: always
      type: str
      sample: ssl_basic
    container:
      description: The name of the container.
      returned: always
      type: str
      sample: Example Corp
    organization:
      description: The name of the organization; null for products without one.
      returned: always
      type: str
      sample: Example Corp
    order_valid_till:
      description: The last day of the order; a reissue cannot be valid for longer. Null before the first certificate.
      returned: always
      type: str
      sample: "2027-03-01"
    last_reissued:
      description: When the order was reissued last; null if never, and from the order list.
      returned: always
      type: str
      sample: "2026-10-01T12:34:56+00:00"
    auto_reissue:
      description: Whether DigiCert reissues the certificate by itself before it expires; null from the order list.
      returned: always
      type: bool
      sample: false
    common_name:
      description: The common name of the current certificate.
      returned: always
      type: str
      sample: shop-001.example.com
    names:
      description: All names of the current certificate, the common name among them.
      returned: always
      type: list
      elements: str
      sample: [shop-001.example.com, www.shop-001.example.com]
    certificate:
      description:
        - The current (primary) certificate with C(id), C(serial), C(thumbprint) (SHA-1), C(valid_from), C(valid_till), C(status), C(signature_hash),
          C(ca) and C(public_key_sha256). C(thumbprint), C(status), C(ca) and C(public_key_sha256) are null from the order list, except for the
          status of revoked and expired orders. Before the first issue it is the one that was asked for.
      returned: always
      type: dict
      sample:
        id: 5000001
        serial: 0A60A8DC5F185C03BE84FE59C12F6E0C
        thumbprint: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
        valid_from: "2026-08-05"
        valid_till: "2027-02-20"
        status: issued
        signature_hash: sha256
        ca: DigiCert Global G2 TLS RSA SHA256 2020 CA1
        public_key_sha256: 3b1a0d0f8f4b5e0c4a1d9e6c2f7b8a9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7
    has_reissues:
      description: Whether the order has been reissued or is about to be; null if that was not read.
      returned: always
      type: bool
      sample: false
    has_duplicates:
      description: Whether the certificate has duplicates; null if that was not read.
      returned: always
      type: bool
      sample: false
    pending:
      description:
        - What has been asked for and is not done yet, each with C(type) (C(reissue), C(duplicate), C(revoke) or C(new_request)), C(who) and C(since),
          C(public_key_sha256), C(names), C(request_id), and what it C(waits_for), which is C(approval) or C(validation_or_issue). Null unless details
          were read, or O(waiting=true), with which key and names of what waits for an approval are not read.
        - A reissue that nobody has asked for is DigiCert's own, see RV(orders[].auto_reissue).
      returned: always
      type: list
      elements: dict
      sample:
        - type: reissue
          who: Robin Colleague <robin.colleague@example.com>
          since: "2026-11-22T18:04:27+00:00"
          public_key_sha256: 9f2c0d0f8f4b5e0c4a1d9e6c2f7b8a9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7
          names: [shop-001.example.com]
          request_id: 700001
          waits_for: approval
    reissues:
      description:
        - The reissues that CertCentral lists, rejected and pending ones too, each with C(id), C(status), C(serial), C(thumbprint), C(common_name),
          C(names), C(created), C(valid_till) and C(public_key_sha256). CertCentral may call a revoked one issued here. Null unless details were read.
      returned: always
      type: list
      elements: dict
      sample: []
    duplicates:
      description: The duplicates, likewise.
      returned: always
      type: list
      elements: dict
      sample: []
    matched:
      description:
        - What led to the order, each with C(target) (as it was given; of O(public_key_sha256), the serial number of the certificate that has the key), C(as)
          and C(replaced).
        - C(as) is C(current), C(reissue) (an earlier reissue), C(original) (the first certificate, before it was reissued), C(duplicate) or C(name).
        - C(replaced) is true if the order has a newer certificate than the one that was given.
      returned: always
      type: list
      elements: dict
      sample: [{"target": "0a60a8dc5f185c03be84fe59c12f6e0c", "as": "current", "replaced": false}]
    replaced:
      description: Whether all certificates that led to the order have been replaced by a newer one, so that nothing is left to reissue.
      returned: always
      type: bool
      sample: false
count:
  description: How many orders are returned.
  returned: success
  type: int
  sample: 2
total:
  description: How many orders match according to CertCentral; more than RV(count) when O(limit) cut the list, or CertCentral ignored a filter.
  returned: success
  type: int
  sample: 2
not_compared:
  description: How many orders were not compared with O(public_key_sha256), because of O(public_key_limit) or because they could not be read.
  returned: success
  type: int
  sample: 0
not_found:
  description: The orders, certificates and names that were not found or could not be read, each with C(target) (as it was given) and C(error).
  returned: success
  type: list
  elements: dict
  sample: []
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: success
  type: dict
  sample: {"requests": 1, "retries": 0, "seconds_waited": 0.0}
error:
  description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id).
  returned: failure
  type: dict
  sample: {"kind": "authentication", "message": "...", "status": 403, "code": "...", "detail": "...", "request_id": null}
"""

import dataclasses
import datetime
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.digicert import (
    CONNECTION_OPTIONS,
    FILTERS,
    OVER,
    Certificate,
    CertificateRef,
    DigiCertClient,
    InFlight,
    Order,
    bare,
    certificate_ref,
    connect,
    given_serial,
    order_of,
    order_ref,
    written,
)
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, RemediationError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.parallel import each_in_parallel, in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.records import Record, whole
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_info
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    comparable_name,
    load_certificates,
    meant_key_sha256,
    thumbprint,
)

ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    {
        "orders": {"type": "list", "elements": "raw"},
        "certificates": {"type": "list", "elements": "raw"},
        "certificate_path": {"type": "list", "elements": "path"},
        "names": {"type": "list", "elements": "str"},
        "public_key_sha256": {"type": "list", "elements": "str", "no_log": False},
        "public_key_limit": {"type": "int", "default": 1000, "no_log": False},
        "history_limit": {"type": "int", "default": 200},
        "status": {
            "type": "list",
            "elements": "str",
            "choices": ["pending", "issued", "rejected", "revoked", "waiting_pickup", "reissue_pending", "canceled"],
        },
        "product": {"type": "list", "elements": "str"},
        "container_id": {"type": "list", "elements": "int"},
        "organization_id": {"type": "list", "elements": "int"},
        "common_name": {"type": "list", "elements": "str"},
        "domain_name": {"type": "list", "elements": "str"},
        "serial_number": {"type": "list", "elements": "str"},
        "search": {"type": "str"},
        "expires_within_days": {"type": "int"},
        "expires_before": {"type": "str"},
        "expires_after": {"type": "str"},
        "filters": {"type": "dict", "default": {}},
        "sort": {"type": "list", "elements": "str"},
        "details": {"type": "bool"},
        "waiting": {"type": "bool", "default": False},
        "limit": {"type": "int"},
    },
)

EXPIRY = ("expires_within_days", "expires_before", "expires_after")
# The statuses that an order list can be asked for of what is under way (vendor page "List orders").
UNFINISHED = ("pending", "reissue_pending", "waiting_pickup")
EXACT = ("orders", "certificates", "certificate_path")
# So many certificates or names are looked for one by one; for more, the order list is read.
FEW = 20
# How many serial numbers surely fit into an address.
BATCH = 50
# How many orders are looked through before it is asked whether anything is still missing.
CHUNK = 32
DAY = datetime.timedelta(days=1)


@dataclasses.dataclass
class Found:
    """An order, as far as it has been read.

    :param listed: from the order list, which knows less than order info.
    :param pending: None where it was not read.
    """

    order: Order
    listed: bool
    has_reissues: bool | None = None
    has_duplicates: bool | None = None
    pending: tuple[InFlight, ...] | None = None
    matched: list[Record] = dataclasses.field(default_factory=list)


# -- what is asked for -------------------------------------------------------------------------------------------------------------------


def certificates_in(option: str, path: str) -> list[CertificateRef]:
    """The certificates of a file; of a chain, those that are no CA's.

    :raises InputError: it cannot be read, or holds none.
    """
    held = load_certificates(option, options.read_file(option, path))
    found = []
    for certificate in [item for item in held if not _is_ca(item)] or held:
        try:
            names = frozenset(name[len("DNS:") :] for name in alternative_names(certificate) if name.startswith("DNS:"))
        except ValueError:
            names = frozenset()
        serial = f"{certificate.serial_number:X}"
        found.append(CertificateRef(f"{path}: {serial}", serial=serial, thumbprint=thumbprint(certificate), names=names))
    return found


def _is_ca(certificate: t.Any) -> bool:
    try:
        return any(getattr(extension.value, "ca", False) for extension in certificate.extensions)
    except ValueError:
        return False


def day(option: str, text: str) -> datetime.date:
    """A date.

    :raises InputError: it is none.
    """
    try:
        found = datetime.date.fromisoformat(text.strip()) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text.strip()) else None
    except ValueError:
        found = None
    if found is None or not 1970 <= found.year < 9999:
        raise InputError(option, f"{printable(text, 40)!r} is not a date; write it as 2026-11-30")
    return found


def expiry(params: t.Mapping[str, t.Any], today: datetime.date) -> tuple[datetime.date | None, datetime.date | None]:
    """The first and the last day on which a certificate may expire.

    :raises InputError: an option is no date.
    """
    first = [day("expires_after", params["expires_after"]) + DAY] if params.get("expires_after") else []
    last = [day("expires_before", params["expires_before"]) - DAY] if params.get("expires_before") else []
    if params.get("expires_within_days") is not None:
        first.append(today)
        last.append(today + DAY * params["expires_within_days"])
    return max(first, default=None), min(last, default=None)


def conditions(params: t.Mapping[str, t.Any], today: datetime.date) -> list[tuple[str, str]]:
    """All filters in the vendor's words.

    :raises InputError: a value cannot be meant.
    """
    found: list[tuple[str, str]] = []
    for option, name in FILTERS.items():
        given = params.get(option)
        values = [given] if isinstance(given, str) else given or []
        if option == "serial_number":
            values = [form for text in values for form in written(given_serial(option, text))]
        if any(not str(value).strip() for value in values):
            raise InputError(option, "an empty text is no value to look for")
        found += [(name, str(value)) for value in values]
    first, last = expiry(params, today)
    # Whether the ends of a range are in it is not documented; what is too much is left out afterwards.
    if first and last:
        found.append(("valid_till", f"{first - DAY}...{last + DAY}"))
    elif first or last:
        found.append(("valid_till", f">{first - DAY}" if first else f"<{t.cast(datetime.date, last) + DAY}"))
    for name, value in params["filters"].items():
        values = value if isinstance(value, list) else [value]
        if not re.fullmatch("[a-z_]+", str(name)):
            raise InputError("filters", f"{printable(str(name), 40)!r} is not the name of a filter")
        if name in dict(found):
            raise InputError("filters", f"{name} is given by an option already")
        if not values or any(isinstance(item, (dict, list)) or item in (None, "") for item in values):
            raise InputError("filters", f"{name} has no value, or one that is neither a text nor a number")
        found += [(name, str(int(item)) if isinstance(item, bool) else str(item)) for item in values]
    return found


# -- finding -----------------------------------------------------------------------------------------------------------------------------


class Finder:
    """Reads and matches, for one task."""

    def __init__(self, client: DigiCertClient, params: t.Mapping[str, t.Any], today: datetime.date) -> None:
        self._client = client
        self._params = params
        self._filters = conditions(params, today)
        self._first, self._last = expiry(params, today)
        self._common_names = set(map(comparable_name, params["common_name"] or []))
        self._domain_names = set(map(comparable_name, params["domain_name"] or []))
        self._serials = {given_serial("serial_number", text) for text in params["serial_number"] or []}
        self._everything: list[Found] | None = None
        self._known: dict[int, Found] = {}
        self.missing: list[Record] = []
        self.not_compared = 0
        self._keys = frozenset(meant_key_sha256("public_key_sha256", text) for text in params["public_key_sha256"] or [])
        self._orders = [order_ref(f"orders[{index}]", entry) for index, entry in enumerate(params["orders"] or [])]
        self._wanted = [certificate_ref(f"certificates[{index}]", entry) for index, entry in enumerate(params["certificates"] or [])]
        for path in params["certificate_path"] or []:
            self._wanted += certificates_in("certificate_path", path)
        self._names = list(dict.fromkeys(params["names"] or []))
        if any(not name.strip() for name in self._names):
            raise InputError("names", "an empty text is no name")

    def find(self) -> tuple[list[Record], int]:
        """The records, and how many orders match according to CertCentral."""
        params = self._params
        limit: int | None = params["limit"]
        if params["waiting"]:
            found = self._find_waiting()
            total = len(found)
        elif any(params[option] is not None for option in (*EXACT, "names", "public_key_sha256")):
            hits = self._read_orders() + self._find_certificates() + self._find_names() + self._find_keys()
            found = list({hit.order.id: hit for hit in hits}.values())
            total = len(found)
            places = {label: place for place, label in enumerate([*(wanted.label for wanted in self._wanted), *map(printable, self._names)])}
            for item in found:
                item.matched.sort(key=lambda entry: places.get(entry["target"], len(places)))
        else:
            found, total = self._list(limit) if not self._matches_nothing() else ([], 0)
        details = params["details"] if params["details"] is not None else params["orders"] is not None
        found = found[:limit]
        if details:
            found = self._each(self._complete, found, lambda item: str(item.order.id))
        return [record_of(item) for item in found], total

    def _matches_nothing(self) -> bool:
        return any(self._params.get(option) == [] for option in FILTERS)

    def _miss(self, label: str, error: RemediationError) -> None:
        self.missing.append({"target": label, "error": error.as_result()})

    def _each(self, read: t.Callable[[t.Any], Found | None], items: t.Sequence[t.Any], label: t.Callable[[t.Any], str]) -> list[Found]:
        """``read`` on each item at a time; an item that it cannot read is missing."""
        found = []
        for item, result in zip(items, each_in_parallel(read, items, self._client.transport.settings.concurrency)):
            if isinstance(result, RemediationError):
                self._miss(label(item), result)
            elif result is not None:
                found.append(result)
        return found

    # -- orders by id and by filters -----------------------------------------------------------------------------------------------

    def _info(self, identifier: int | str) -> Found:
        """Order info."""
        order = self._client.primary(order_of(self._client.order(identifier)))
        return Found(order, listed=False, has_reissues=True if order.last_reissued else None)

    def _keep(self, found: Found) -> Found:
        """The one record of an order, with the most that was read of it."""
        known = self._known.setdefault(found.order.id, found)
        if known.listed and not found.listed:
            known.order = dataclasses.replace(found.order, reissues=known.order.reissues, duplicates=known.order.duplicates)
            known.listed = False
        return known

    def _read_orders(self) -> list[Found]:
        return [self._keep(found) for found in self._each(self._info, list(dict.fromkeys(self._orders)), str)]

    def _page_through(self, filters: t.Sequence[tuple[str, str]], limit: int | None = None, sort: str | None = None) -> tuple[list[Found], int]:
        items, total = self._client.orders(filters, sort=sort, limit=limit)
        return [Found(order_of(item), True, _flag(item, "has_reissues"), _flag(item, "has_duplicates")) for item in items if whole(item, "id")], total

    def _list(self, limit: int | None) -> tuple[list[Found], int]:
        sort = ",".join(self._params["sort"] or []) or None
        listed, total = self._page_through(self._filters, limit, sort)
        fitting = [item for item in listed if self._fits(item.order)]
        if len(fitting) < len(listed) < total:
            # What the limit let through was not what was asked for.
            listed, total = self._page_through(self._filters, None, sort)
            fitting = [item for item in listed if self._fits(item.order)]
        return fitting, total

    def _fits(self, order: Order) -> bool:
        """The filters once more: that CertCentral ignored one has been reported, and it may read others in another way."""
        params, till = self._params, order.certificate.valid_till[:10]
        return (
            status_fits(order.status, params["status"])
            and (not params["product"] or order.product in params["product"])
            and (not params["container_id"] or order.container_id in (0, *params["container_id"]))
            and (not params["organization_id"] or order.organization_id in (0, *params["organization_id"]))
            and (not self._common_names or comparable_name(order.certificate.common_name) in self._common_names)
            and (not self._domain_names or not comparable_names(order.certificate).isdisjoint(self._domain_names))
            and (not self._serials or bare(order.certificate.serial) in self._serials)
            and (not self._first or till >= str(self._first))
            and (not self._last or "" < till <= str(self._last))
        )

    # -- orders by certificates ----------------------------------------------------------------------------------------------------

    def _all(self) -> list[Found]:
        """The whole order list, read once."""
        if self._everything is None:
            self._everything = [self._keep(item) for item in self._page_through([])[0]]
        return self._everything

    def _find_certificates(self) -> list[Found]:
        """By the order list if there are many, one by one what is not in it, and among reissues and duplicates what is the current one of none."""
        hits: dict[CertificateRef, Found] = {}
        rest = list(dict.fromkeys(self._wanted))
        # For keys the list is read in any case.
        many = sum(bool(wanted.serial) for wanted in rest) > FEW or bool(self._keys and rest)
        if many:
            current = {bare(item.order.certificate.serial): item for item in self._all() if item.order.certificate.serial}
            hits = {wanted: match(current[wanted.serial], wanted, "current") for wanted in rest if wanted.serial in current}
            rest = [wanted for wanted in rest if wanted not in hits]

        settled: dict[CertificateRef, Found | None] = dict.fromkeys(self._in_no_list(rest) if many else [])

        def look_up(wanted: CertificateRef) -> Found | None:
            settled[wanted] = self._look_up(wanted, listed=many)
            return settled[wanted]

        # What could not be read is told by then.
        self._each(look_up, [wanted for wanted in rest if wanted not in settled], lambda wanted: wanted.label)
        hits.update((wanted, found) for wanted, found in settled.items() if found)
        rest = [wanted for wanted in rest if wanted in settled and wanted not in hits]
        looked_through, left_out = self._look_through([wanted for wanted in rest if wanted.order_id is None], hits)
        for wanted in rest:
            if wanted not in hits:
                self._miss(wanted.label, _unknown(wanted, looked_through, left_out))
        return [hits[wanted] for wanted in dict.fromkeys(self._wanted) if wanted in hits]

    def _in_no_list(self, rest: t.Sequence[CertificateRef]) -> list[CertificateRef]:
        """Those that CertCentral finds no order for by the serial number, asked for many at a time: an incident names certificates of other authorities too."""
        named = [wanted for wanted in rest if wanted.serial and wanted.order_id is None]
        groups = [named[start : start + BATCH] for start in range(0, len(named), BATCH)]

        def is_unknown(group: t.Sequence[CertificateRef]) -> bool:
            try:
                items, total = self._page_through([("serial_number", written(wanted.serial)[0]) for wanted in group], limit=1)
            except VendorError as error:
                # How many values it takes is not documented. Then each is asked for by itself.
                if error.fatal or error.status not in (400, 413, 414, 431):
                    raise
                return False
            return not items and not total

        unknown = in_parallel(is_unknown, groups, self._client.transport.settings.concurrency)
        return [wanted for group, none in zip(groups, unknown) if none for wanted in group]

    def _look_up(self, wanted: CertificateRef, *, listed: bool) -> Found | None:
        """The order of a certificate, in as far as CertCentral can be asked for it.

        :param listed: the serial number is that of no current certificate.
        """
        if wanted.order_id is not None:
            known = self._known.get(wanted.order_id)
            found = known if known and (wanted.serial or not known.listed) else self._keep(self._info(wanted.order_id))
            return match(found, wanted, "current") if is_this(wanted, found.order.certificate) else self._as_former(found, wanted)
        if not listed or not wanted.serial:
            for mark in [wanted.thumbprint] if wanted.thumbprint else written(wanted.serial):
                try:
                    found = self._info(mark)
                except VendorError as error:
                    # What DigiCert cannot read as any of the three is none of its certificates either.
                    if error.status not in (400, 404):
                        raise
                    continue
                if shows(found.order, wanted, mark):
                    return match(self._keep(found), wanted, "current")
        if wanted.serial:
            # Whether this finds more than current certificates is not documented.
            items, total = self._page_through([("serial_number", written(wanted.serial)[0])], limit=2)
            if len(items) == 1 and total <= 1:
                found = self._keep(items[0])
                return match(found, wanted, "current") if is_this(wanted, found.order.certificate) else self._as_former(found, wanted)
        return None

    def _as_former(self, found: Found, wanted: CertificateRef) -> Found | None:
        """The order of a certificate that is not its current one, if it may be: CertCentral does not list the first one once there is another."""
        self._read_history(found)
        if match_former(found, wanted):
            return found
        compared = wanted.serial or found.order.certificate.thumbprint
        reissued = any(item.status == "issued" for item in found.order.reissues or ())
        return match(found, wanted, "original", replaced=True) if compared and reissued else None

    def _read_history(self, found: Found) -> None:
        found.order = self._client.with_history(found.order, reissued=found.has_reissues, duplicated=found.has_duplicates)

    def _look_through(self, rest: t.Sequence[CertificateRef], hits: dict[CertificateRef, Found]) -> tuple[int, int]:
        """Look for certificates in reissues and duplicates; how many orders were looked through and how many were not."""
        limit: int = self._params["history_limit"]
        if not rest or not limit:
            return 0, 0
        orders = [item for item in self._all() if item.has_reissues is not False or item.has_duplicates is not False]
        if all(wanted.names for wanted in rest):
            names = frozenset().union(*(wanted.names for wanted in rest))
            orders = [item for item in orders if not names.isdisjoint(comparable_names(item.order.certificate))]
        orders.sort(key=lambda item: item.order.certificate.valid_from, reverse=True)

        def read(found: Found) -> Found:
            self._read_history(found)
            return found

        done = 0
        for start in range(0, min(limit, len(orders)), CHUNK):
            chunk = orders[start : min(start + CHUNK, limit)]
            done += len(chunk)
            for found in self._each(read, chunk, lambda item: str(item.order.id)):
                hits.update((wanted, found) for wanted in rest if wanted not in hits and match_former(found, wanted))
            if all(wanted in hits for wanted in rest):
                break
        return done, len(orders) - done

    # -- orders by names -----------------------------------------------------------------------------------------------------------

    def _find_names(self) -> list[Found]:
        forms = {name: comparable_name(name) for name in self._names}
        listed: list[Found] = []
        if self._matches_nothing() or not forms:
            pass
        elif len(forms) > FEW or (self._everything is not None and not self._filters) or "domain_name" in dict(self._filters):
            listed = self._page_through(self._filters)[0] if self._filters else self._all()
        else:

            def of_name(name: str) -> list[Found]:
                # CertCentral may have internationalised names in either form.
                either = {forms[name], forms[name] if name.isascii() else name.strip()}
                return self._page_through([*self._filters, *(("domain_name", form) for form in sorted(either))])[0]

            listed = [item for page in in_parallel(of_name, self._names, self._client.transport.settings.concurrency) for item in page]
        carriers: dict[str, dict[int, Found]] = {}
        for item in listed:
            if item.order.certificate.serial and self._fits(item.order):
                found = self._keep(item)
                for name in comparable_names(found.order.certificate):
                    carriers.setdefault(name, {})[found.order.id] = found
        hits: list[Found] = []
        for name, form in forms.items():
            wanted = CertificateRef(printable(name))
            hits += [match(found, wanted, "name") for found in carriers.get(form, {}).values()]
            if form not in carriers:
                self._miss(wanted.label, VendorError("no order whose current certificate carries this name, or the filters leave it out", status=404))
        return hits

    # -- orders by keys ------------------------------------------------------------------------------------------------------------

    def _find_keys(self) -> list[Found]:
        """Among all orders that the filters leave, those issued last first."""
        if not self._keys or self._matches_nothing():
            return []
        listed = [self._keep(item) for item in self._page_through(self._filters)[0]] if self._filters else self._all()
        orders = [item for item in listed if item.order.certificate.serial and self._fits(item.order)]
        orders.sort(key=lambda item: item.order.certificate.valid_from, reverse=True)
        chosen = orders[: self._params["public_key_limit"]]

        def read(found: Found) -> bool:
            if found.listed:
                self._keep(self._info(found.order.id))
            self._read_history(found)
            return match_key(found, self._keys)

        results = each_in_parallel(read, chosen, self._client.transport.settings.concurrency)
        self.not_compared = len(orders) - sum(isinstance(result, bool) for result in results)
        return [found for found, result in zip(chosen, results) if result is True]

    # -- what waits ----------------------------------------------------------------------------------------------------------------

    def _find_waiting(self) -> list[Found]:
        asked: dict[int, list[InFlight]] = {}
        for number, item in self._client.open_requests():
            asked.setdefault(number, []).append(item)
        listed = self._page_through([("status", status) for status in UNFINISHED])[0]
        found = {item.order.id: item for item in listed if item.order.status not in ("issued", *OVER)}
        rest = [number for number in asked if number not in found]
        for start in range(0, len(rest), CHUNK):
            chunk = rest[start : start + CHUNK]
            found.update((item.order.id, item) for item in self._page_through([("id", str(number)) for number in chunk])[0] if item.order.id in chunk)

        def read(item: Found) -> Found:
            item.pending = tuple(asked.get(item.order.id, ()))
            if item.order.status not in ("issued", *OVER) and not any(entry.type in ("reissue", "new_request") for entry in item.pending):
                item.pending += self._client.unfinished(item.order)
            return item

        return self._each(read, list(found.values()), lambda item: str(item.order.id))

    # -- details -------------------------------------------------------------------------------------------------------------------

    def _complete(self, found: Found) -> Found:
        """Read all that there is to know of an order."""
        if found.listed:
            self._keep(found)
            self._keep(self._info(found.order.id))
            found = self._known[found.order.id]
        self._read_history(found)
        found.pending = self._client.in_flight(found.order)
        found.has_reissues = any(item.status != "rejected" for item in found.order.reissues or ())
        found.has_duplicates = bool(found.order.duplicates)
        return found


# -- matching ----------------------------------------------------------------------------------------------------------------------------


def comparable_names(certificate: Certificate) -> frozenset[str]:
    """The names of a certificate as they are compared."""
    return frozenset(map(comparable_name, certificate.names))


def is_this(wanted: CertificateRef, certificate: Certificate) -> bool:
    """Whether it is the wanted one."""
    return bool((wanted.serial and bare(certificate.serial) == wanted.serial) or (wanted.thumbprint and certificate.thumbprint == wanted.thumbprint))


def match(found: Found, wanted: CertificateRef, kind: str, replaced: bool = False) -> Found:
    """The order, with what led to it."""
    found.matched.append({"target": wanted.label, "as": kind, "replaced": replaced})
    return found


def match_former(found: Found, wanted: CertificateRef) -> bool:
    """Whether a certificate is a reissue or a duplicate of an order that was read with these."""
    reissues = [item for item in found.order.reissues or () if item.status != "pending"]
    for item in [item for item in reissues if is_this(wanted, item)]:
        # The order list, from which the current certificate may be known, does not show thumbprints.
        current = bare(item.serial) == bare(found.order.certificate.serial)
        match(found, wanted, "current" if current else "reissue", replaced=not current)
        return True
    copies = [item for item in found.order.duplicates or () if is_this(wanted, item)]
    if copies:
        match(found, wanted, "duplicate", replaced=any(item.status == "issued" and item.created > copies[0].created for item in reissues))
    return bool(copies)


def match_key(found: Found, keys: frozenset[str]) -> bool:
    """Whether certificates of an order that was read with its history have one of these keys."""
    current = found.order.certificate
    held = [(current, "current", False)] if current.key in keys else []
    held += [(item, "reissue", True) for item in found.order.reissues or () if item.key in keys and item.serial and bare(item.serial) != bare(current.serial)]
    held += [(item, "duplicate", False) for item in found.order.duplicates or () if item.key in keys and item.serial]
    known = {bare(entry["target"].upper()) for entry in found.matched}
    for certificate, kind, replaced in held:
        if bare(certificate.serial) not in known:
            match(found, CertificateRef(certificate.serial), kind, replaced)
    return bool(held)


def shows(order: Order, wanted: CertificateRef, mark: str) -> bool:
    """Whether order info is that of the certificate that it was asked for by: a mark of digits alone may have been taken for an order id."""
    shown = order.certificate
    if (wanted.serial and shown.serial) or (wanted.thumbprint and shown.thumbprint):
        return is_this(wanted, shown)
    return not (mark.isdecimal() and int(mark) == order.id)


def status_fits(status: str, wanted: t.Sequence[str] | None) -> bool:
    """Whether a status is one of those that were asked for; DigiCert files others than those under them."""
    if not wanted or status in wanted:
        return True
    if status == "expired":
        return "issued" in wanted
    return status not in ARGUMENT_SPEC["status"]["choices"] and not {"pending", "reissue_pending"}.isdisjoint(wanted)


def _unknown(wanted: CertificateRef, looked_through: int, left_out: int) -> VendorError:
    if wanted.order_id is not None:
        return VendorError(f"order {wanted.order_id} has no such certificate", status=404)
    among = f", nor among the reissues and duplicates of {looked_through} orders" if looked_through else ""
    more = f"; {left_out} more were not looked through, see history_limit" if left_out else ""
    return VendorError(f"not the current certificate of any order that this API key may see{among}{more}", status=404)


def _flag(item: Record, key: str) -> bool | None:
    return bool(item[key]) if item.get(key) is not None else None


# -- results -----------------------------------------------------------------------------------------------------------------------------


def record_of(found: Found) -> Record:
    """What is told of an order. All else that CertCentral shows, such as people and addresses, stays out."""
    order, certificate = found.order, found.order.certificate
    status = certificate.status
    if not status and (not found.listed or order.status in OVER):
        # DigiCert leaves it out until the certificate has been reissued or revoked.
        status = order.status if order.status in OVER else "issued" if certificate.serial else "pending"
    return {
        "order_id": order.id,
        "status": order.status,
        "product": order.product,
        "container": order.container or None,
        "organization": order.organization or None,
        "order_valid_till": order.valid_till or None,
        "last_reissued": order.last_reissued or None,
        "auto_reissue": None if found.listed else order.auto_reissue,
        "common_name": certificate.common_name,
        "names": sorted(certificate.names),
        "certificate": {
            "id": certificate.id,
            "serial": certificate.serial or None,
            "thumbprint": certificate.thumbprint or None,
            "valid_from": certificate.valid_from or None,
            "valid_till": certificate.valid_till or None,
            "status": status or None,
            "signature_hash": certificate.signature_hash or None,
            "ca": certificate.ca or None,
            "public_key_sha256": certificate.key,
        },
        "has_reissues": found.has_reissues,
        "has_duplicates": found.has_duplicates,
        "pending": None if found.pending is None else [_in_flight(item) for item in found.pending],
        "reissues": None if found.pending is None or order.reissues is None else [_former(item) for item in order.reissues],
        "duplicates": None if found.pending is None or order.duplicates is None else [_former(item) for item in order.duplicates],
        "matched": found.matched,
        "replaced": bool(found.matched) and all(item["replaced"] for item in found.matched),
    }


def _in_flight(item: InFlight) -> Record:
    return {
        "type": item.type,
        "who": item.who or None,
        "since": item.since or None,
        "public_key_sha256": item.key,
        "names": sorted(item.names),
        "request_id": item.request.id if item.request else None,
        "waits_for": "approval" if item.request else "validation_or_issue",
    }


def _former(certificate: Certificate) -> Record:
    return {
        "id": certificate.id,
        "status": certificate.status,
        "serial": certificate.serial or None,
        "thumbprint": certificate.thumbprint or None,
        "common_name": certificate.common_name,
        "names": sorted(certificate.names),
        "created": certificate.created or None,
        "valid_till": certificate.valid_till or None,
        "public_key_sha256": certificate.key,
    }


def read(task: Task) -> dict[str, t.Any]:
    """The result of the task.

    :raises RemediationError: wrong options, credentials or connection.
    """
    params = task.params
    options.check_range(params, "limit", 1)
    options.check_range(params, "expires_within_days", 0, 36500)
    options.check_range(params, "history_limit", 0)
    options.check_range(params, "public_key_limit", 0)
    filtered = [option for option in (*FILTERS, *EXPIRY, "filters") if params.get(option) not in (None, {})]
    exact = [option for option in EXACT if params[option] is not None]
    if exact and filtered:
        raise InputError(exact[0], f"cannot be combined with filters ({', '.join(filtered)}); leave one of them out")
    named = [option for option in ("names", "public_key_sha256") if params[option] is not None]
    if params["waiting"] and (exact or filtered or named):
        raise InputError("waiting", f"cannot be combined with {', '.join([*exact, *named, *filtered])}; leave one of them out")
    client = connect(params, read_only=True, secrets=task.secrets, warn=task.warn)
    try:
        finder = Finder(client, params, datetime.datetime.now(datetime.timezone.utc).date())
        records, total = finder.find()
    finally:
        client.transport.close()
    if finder.missing:
        task.warn(f"{len(finder.missing)} of what was named was not found or could not be read; see not_found")
    return {
        "orders": records,
        "count": len(records),
        "total": total,
        "not_compared": finder.not_compared,
        "not_found": finder.missing,
        "http": client.transport.statistics(),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, ARGUMENT_SPEC, read)


if __name__ == "__main__":
    main()
