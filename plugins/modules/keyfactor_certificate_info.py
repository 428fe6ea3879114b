#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: keyfactor_certificate_info
short_description: Find certificates in Keyfactor Command, with their revocation state and where they are deployed
version_added: 0.2.0
author:
  - certops.remediation contributors (@certops)
description:
  - Reads certificates of Keyfactor Command by id, thumbprint, serial number, or a search, all pages of them.
  - What it returns can be given to M(certops.remediation.keyfactor_certificate_revoke) as it is.
  - All filters that are given must match. Without any, all certificates that the credentials may see are returned. An empty list matches nothing.
  - O(thumbprint), O(certificate_path) and O(serial) are one filter together, and so are O(public_key_path) and O(public_key_sha256).
  - Revoked and expired certificates are included unless they are turned off, unlike in Command itself, because a remediation must see them.
options:
  certificates:
    description:
      - The certificates to read. Each is an id of Command, a SHA-1 thumbprint, or a mapping with V(id), V(thumbprint), or V(serial) and
        V(issuer). Cannot be combined with filters.
    type: list
    elements: raw
  query:
    description:
      - A search in the query language of Command, such as V(IssuedCN -contains "shop" AND CertState -eq 1).
    type: str
  thumbprint:
    description:
      - SHA-1 thumbprints, any of which matches, in either case, with or without colons.
    type: list
    elements: str
  certificate_path:
    description:
      - PEM or DER files with certificates, any of which matches.
    type: list
    elements: path
  serial:
    description:
      - Serial numbers in hexadecimal, any of which matches, in either case, with or without colons. Two authorities may have given the same one.
    type: list
    elements: str
  common_name:
    description:
      - Common names, any of which matches.
    type: list
    elements: str
  dns_name:
    description:
      - DNS names among the subject alternative names, any of which matches. Command is not asked for these; the certificates that the other
        filters find are looked through.
    type: list
    elements: str
  issuer:
    description:
      - The DN of the issuer as Command shows it, such as V(CN=Example Issuing CA 1,O=Example Corp,C=US).
    type: str
  state:
    description:
      - States, any of which matches.
    type: list
    elements: str
    choices: [active, revoked, on_hold, denied, failed, pending, unknown, ca, parent_ca, external_validation]
  expires_within_days:
    description:
      - Only certificates that expire between now and in this number of days.
    type: int
  expires_before:
    description:
      - Only certificates that expire before this date, V(YYYY-MM-DD) or ISO 8601 with a time zone.
    type: str
  expires_after:
    description:
      - Only certificates that expire after this date, V(YYYY-MM-DD) or ISO 8601 with a time zone.
    type: str
  public_key_path:
    description:
      - Files with certificates, certificate requests or public keys in PEM. Only certificates with the public key of one of them match, which
        finds everything that shares a leaked key. Command cannot be asked for this; the certificates that the other filters find are looked
        through.
    type: list
    elements: path
  public_key_sha256:
    description:
      - The same by the SHA-256 of the public key (SubjectPublicKeyInfo) in hexadecimal.
    type: list
    elements: str
  include_revoked:
    description:
      - Also revoked certificates.
    type: bool
    default: true
  include_expired:
    description:
      - Also expired certificates.
    type: bool
    default: true
  locations:
    description:
      - Also tell where each certificate is deployed.
    type: bool
    default: false
  metadata:
    description:
      - Also tell the metadata of each certificate.
    type: bool
    default: false
  history:
    description:
      - Also read what Command has recorded of each certificate, one request each.
    type: bool
    default: false
  pending_approvals:
    description:
      - Also tell which certificates have a revocation that waits for an approval. Needs the permission to read workflow instances.
    type: bool
    default: false
  waiting:
    description:
      - Only certificates with a revocation that waits for an approval. They are found by the workflow instances, so that no list of all certificates has to be
        read. Needs the permission to read workflow instances.
      - Cannot be combined with O(certificates) and filters. Implies O(pending_approvals=true).
    type: bool
    default: false
    version_added: 0.4.0
  limit:
    description:
      - Return at most this number of certificates.
    type: int
extends_documentation_fragment:
  - certops.remediation.any_of
  - certops.remediation.keyfactor
  - certops.remediation.connection
  - certops.remediation.attributes
  - certops.remediation.attributes.info
  - certops.remediation.attributes.keyfactor
seealso:
  - module: certops.remediation.keyfactor_certificate_revoke
  - name: Keyfactor Command, GET Certificates
    description: The search behind this module.
    link: https://software.keyfactor.com/Core-OnPrem/Current/Content/WebAPI/KeyfactorAPI/CertificatesGet.htm
"""

EXAMPLES = r"""
- name: Find every certificate of a name, and where it is deployed
  certops.remediation.keyfactor_certificate_info:
    common_name: ["node-003.shop.example.com"]
    locations: true
  register: found

- name: Tell where
  ansible.builtin.debug:
    msg: "{{ found.certificates | map(attribute='locations') | flatten | map(attribute='text') | list }}"

- name: Find what is on hold
  certops.remediation.keyfactor_certificate_info:
    state: [on_hold]

- name: Find what expires within 30 days and is not revoked
  certops.remediation.keyfactor_certificate_info:
    expires_within_days: 30
    state: [active]

- name: Find everything that shares a leaked key
  certops.remediation.keyfactor_certificate_info:
    query: 'IssuedCN -contains "shop.example.com"'
    public_key_sha256: ["{{ found.certificates[0].public_key_sha256 }}"]

- name: Find what an incident names, in whatever form it does
  certops.remediation.keyfactor_certificate_info:
    any_of:
      serial: ["{{ found.certificates[0].serial }}"]
      name: [node-004.shop.example.com]

- name: Read two certificates, one by id and one by thumbprint
  certops.remediation.keyfactor_certificate_info:
    certificates:
      - "{{ found.certificates[0].id }}"
      - "{{ found.certificates[0].thumbprint }}"

- name: Find every revocation that waits for an approval
  certops.remediation.keyfactor_certificate_info:
    waiting: true

- name: Find what of a name waits for an approval, with the history
  certops.remediation.keyfactor_certificate_info:
    common_name: ["node-003.shop.example.com"]
    pending_approvals: true
    history: true
"""

RETURN = r"""
certificates:
  description: The certificates found.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the certificate in Command.
      returned: always
      type: int
      sample: 1003
    thumbprint:
      description: The SHA-1 thumbprint.
      returned: always
      type: str
      sample: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
    serial:
      description: The serial number in hexadecimal.
      returned: always
      type: str
      sample: 5F60A8DC5F185C03BE84FE59C12F6E0C
    common_name:
      description: The common name.
      returned: always
      type: str
      sample: node-003.shop.example.com
    subject:
      description: The DN of the subject.
      returned: always
      type: str
      sample: CN=node-003.shop.example.com
    dns_names:
      description: The DNS names among the subject alternative names; null if Command did not give the certificate itself, or it cannot be read.
      returned: always
      type: list
      elements: str
      sample: [node-003.shop.example.com]
    issuer:
      description: The DN of the issuer.
      returned: always
      type: str
      sample: CN=Example Issuing CA 1,O=Example Corp,C=US
    authority:
      description: The authority as Command knows it.
      returned: always
      type: str
      sample: 'ca01.example.com\\Example Issuing CA 1'
    requester:
      description: Who asked for it.
      returned: always
      type: str
      sample: 'EXAMPLE\\svc-enroll'
    not_before:
      description: The first moment of validity.
      returned: always
      type: str
      sample: "2026-10-23T19:04:27Z"
    not_after:
      description: The last moment of validity.
      returned: always
      type: str
      sample: "2027-10-23T19:04:27Z"
    expired:
      description: Whether that has passed.
      returned: always
      type: bool
      sample: false
    state:
      description: The state as Command's number.
      returned: always
      type: int
      sample: 2
    state_name:
      description: The state in a word. Command shows a hold as revoked; here it is C(on_hold).
      returned: always
      type: str
      sample: revoked
    revocation:
      description: C(reason) (the number), C(reason_name), C(date) and C(comment) of the revocation; null if there is none.
      returned: always
      type: dict
      sample: {"reason": 1, "reason_name": "key_compromise", "date": "2026-11-22T19:04:27Z", "comment": "INC-4711"}
    public_key_sha256:
      description: The SHA-256 of the public key (SubjectPublicKeyInfo) in hexadecimal; null as with RV(certificates[].dns_names).
      returned: always
      type: str
      sample: 3b1a0d0f8f4b5e0c4a1d9e6c2f7b8a9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7
    locations:
      description:
        - Those places. Stores have C(machine), C(path), C(store_type), C(store_id) and C(alias), endpoints that a scan has found have C(machine),
          C(address) and C(port); C(text) tells it in one line.
      returned: when O(locations=true)
      type: list
      elements: dict
      sample: [{"kind": "store", "machine": "lb01.example.com", "path": "/config/ssl", "text": "lb01.example.com: /config/ssl (shop)"}]
    fingerprint_sha256:
      description: The SHA-256 fingerprint of the certificate in hexadecimal; null as with RV(certificates[].dns_names).
      returned: always
      type: str
      sample: 256c24690243359fb8cf139a125bd05ebf1d968b71e4caf330718e9f5c8a89ea
    metadata:
      description: The metadata fields.
      returned: when O(metadata=true)
      type: dict
      sample: {"Email-Contact": "shop@example.com"}
    history:
      description: What Command has recorded, each with C(time), C(action), C(user) and C(comment).
      returned: when O(history=true)
      type: list
      elements: dict
      sample: [{"time": "2026-11-22T19:04:27Z", "action": "Revoked", "user": "EXAMPLE\\certops", "comment": "INC-4711"}]
    pending_approval:
      description: Whether a revocation of it waits for an approval.
      returned: when O(pending_approvals=true)
      type: bool
      sample: false
    workflow_id:
      description: The GUID of the workflow instance that it waits for.
      returned: when O(pending_approvals=true)
      type: str
      sample: null
    workflow:
      description:
        - That instance in Command's words, with C(since), C(title) (which names whoever began it), C(step), C(message), C(reason), C(reason_name) and
          C(comment); null without one.
      returned: when O(pending_approvals=true)
      type: dict
      sample: null
count:
  description: How many certificates are returned.
  returned: success
  type: int
  sample: 60
total:
  description: How many certificates the filters that Command knows match; more than RV(count) when other filters or O(limit) cut the list.
  returned: success
  type: int
  sample: 60
not_compared:
  description: How many certificates were not compared with the names, public keys and fingerprints that were looked for, because Command did not give the
    certificates themselves, or they cannot be read.
  returned: success
  type: int
  sample: 0
not_found:
  description: The thumbprints, serial numbers and certificates that were named but not found, or could not be read, each with C(target) and C(error).
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
  sample: {"kind": "untrusted", "message": "...", "status": null, "code": null, "detail": null, "request_id": null}
"""

import base64
import datetime
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import any_of, options
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, RemediationError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.keyfactor import (
    CONNECTION_OPTIONS,
    SECONDS,
    STATES,
    CertificateRef,
    KeyfactorClient,
    Revocation,
    certificate_ref,
    connect,
    location_text,
    query_value,
    records_of,
    state_of,
    wire_date,
)
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.records import Record, text_of
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.revocation import reason_name
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_info
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    fingerprint_sha256,
    load_certificates,
    meant_key_sha256,
    normalise_hex,
    public_key_sha256,
    same_dn,
    thumbprint,
)

ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    any_of.OPTION,
    {
        "certificates": {"type": "list", "elements": "raw"},
        "query": {"type": "str"},
        "thumbprint": {"type": "list", "elements": "str"},
        "certificate_path": {"type": "list", "elements": "path"},
        "serial": {"type": "list", "elements": "str"},
        "common_name": {"type": "list", "elements": "str"},
        "dns_name": {"type": "list", "elements": "str"},
        "issuer": {"type": "str"},
        "state": {
            "type": "list",
            "elements": "str",
            "choices": ["active", "revoked", "on_hold", "denied", "failed", "pending", "unknown", "ca", "parent_ca", "external_validation"],
        },
        "expires_within_days": {"type": "int"},
        "expires_before": {"type": "str"},
        "expires_after": {"type": "str"},
        "public_key_path": {"type": "list", "elements": "path", "no_log": False},
        "public_key_sha256": {"type": "list", "elements": "str", "no_log": False},
        "include_revoked": {"type": "bool", "default": True},
        "include_expired": {"type": "bool", "default": True},
        "locations": {"type": "bool", "default": False},
        "metadata": {"type": "bool", "default": False},
        "history": {"type": "bool", "default": False},
        "pending_approvals": {"type": "bool", "default": False},
        "waiting": {"type": "bool", "default": False},
        "limit": {"type": "int"},
    },
)

FILTERS = (
    "any_of",
    "query",
    "thumbprint",
    "certificate_path",
    "serial",
    "common_name",
    "dns_name",
    "issuer",
    "state",
    "expires_within_days",
    "expires_before",
    "expires_after",
    "public_key_path",
    "public_key_sha256",
)
# So many queries are asked without a look at how long the whole list is.
FEW = 3


def conditions(params: t.Mapping[str, t.Any], now: datetime.datetime) -> list[str]:
    """The filters that Command knows, in its query language; all of them must match.

    :raises InputError: a value cannot be meant, or cannot be written in that language.
    """
    found: list[str] = []
    if params.get("query"):
        found.append(f"({params['query']})")
    if params.get("common_name"):
        found.append(_any(f"IssuedCN -eq {query_value('common_name', name)}" for name in params["common_name"]))
    if params.get("issuer"):
        found.append(f"IssuerDN -eq {query_value('issuer', params['issuer'])}")
    if params.get("state"):
        # Command calls what is on hold revoked.
        wanted = {"revoked" if name == "on_hold" else name for name in params["state"]}
        found.append(_any(f"CertState -eq {number}" for number, name in STATES.items() if name in wanted))
    after, before = expiry(params, now)
    if after:
        found.append(f'ExpirationDate -ge "{wire_date(after)}"')
    if before:
        found.append(f'ExpirationDate -le "{wire_date(before)}"')
    return found


def _any(terms: t.Iterable[str]) -> str:
    return f"({' OR '.join(terms)})"


def expiry(params: t.Mapping[str, t.Any], now: datetime.datetime) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    """Between which moments a certificate must expire.

    :raises InputError: one of them is no date.
    """
    after = [options.moment("expires_after", params["expires_after"])] if params.get("expires_after") else []
    before = [options.moment("expires_before", params["expires_before"])] if params.get("expires_before") else []
    if params.get("expires_within_days") is not None:
        after.append(now)
        before.append(now + datetime.timedelta(days=params["expires_within_days"]))
    return max(after, default=None), min(before, default=None)


def named(params: t.Mapping[str, t.Any]) -> list[CertificateRef]:
    """What is asked for by thumbprint or serial number.

    :raises InputError: one of them is none, or a file holds no certificate.
    """
    marks = [normalise_hex("thumbprint", text) for text in params.get("thumbprint") or []]
    for path in params.get("certificate_path") or []:
        marks += [thumbprint(certificate) for certificate in load_certificates("certificate_path", options.read_file("certificate_path", path))]
    wrong = [mark for mark in marks if len(mark) != 40]
    if wrong:
        raise InputError("thumbprint", f"{wrong[0]!r} is not one of SHA-1, which has 40 hexadecimal digits")
    serials = [normalise_hex("serial", text) for text in params.get("serial") or []]
    return [CertificateRef(thumbprint=mark) for mark in dict.fromkeys(marks)] + [CertificateRef(serial=serial) for serial in dict.fromkeys(serials)]


def wanted_keys(params: t.Mapping[str, t.Any]) -> frozenset[str]:
    """The SHA-256 of each public key that is looked for."""
    keys = [meant_key_sha256("public_key_sha256", text) for text in params.get("public_key_sha256") or []]
    files = [options.read_file("public_key_path", path) for path in params.get("public_key_path") or []]
    return frozenset(keys + [meant_key_sha256("public_key_path", content.decode("ascii", "replace")) for content in files])


class Finder:
    """Reads and filters, for one task."""

    def __init__(self, client: KeyfactorClient, params: t.Mapping[str, t.Any], now: datetime.datetime) -> None:
        self._client = client
        self._params = params
        self._now = now
        self._keys = wanted_keys(params)
        self._names = frozenset(name.rstrip(".").lower() for name in params.get("dns_name") or [])
        self._wanted = any_of.AnyOf.of(params)
        self._after, self._before = expiry(params, now)
        self._unreadable: list[int] = []
        self._waiting: dict[int, Revocation] | None = None
        self._details = [name for option, name in (("locations", "includeLocations"), ("metadata", "includeMetadata")) if params[option]]

    def find(self) -> tuple[list[Record], int, list[Record]]:
        """The records, how many Command's own filters match, and what was named but not found."""
        given = self._params["certificates"]
        if given is not None or self._params["waiting"]:
            refs = [certificate_ref(f"certificates[{index}]", entry) for index, entry in enumerate(given or [])]
            if self._params["waiting"]:
                self._waiting = self._client.suspended_revocations()
                refs = [CertificateRef(id=number, thumbprint=revocation.thumbprint) for number, revocation in self._waiting.items()]
            found = list(zip(refs, self._client.records(refs, self._details)))
            read = {item["id"]: item for dummy, item in found if not isinstance(item, RemediationError)}
            missing = [{"target": ref.label, "error": item.as_result()} for ref, item in found if isinstance(item, RemediationError)]
            return self._told(list(read.values())), len(read), missing
        conditions_of_all = conditions(self._params, self._now)
        refs = named(self._params)
        keys_given = self._params["public_key_path"] is not None or self._params["public_key_sha256"] is not None
        nothing = [] in [self._params[option] for option in ("common_name", "dns_name", "state")] or (keys_given and not self._keys)
        if nothing or (self._wanted is not None and not self._wanted):
            return [], 0, []
        if self._params["query"]:
            self._client.check_queries()
        shown = {"revoked": self._params["include_revoked"], "expired": self._params["include_expired"], "details": self._details}
        if refs or any(self._params.get(option) is not None for option in ("thumbprint", "certificate_path", "serial")):
            wanted = {ref.thumbprint or (ref.serial or "").lstrip("0") for ref in refs}
            listed = [item for item in self._client.search_terms(refs, conditions_of_all, **shown) if not wanted.isdisjoint(_marks(item))]
            total = len(listed)
        elif self._wanted and not self._wanted.needs_content and not self._wanted.names:
            marks = [CertificateRef(thumbprint=mark) for mark in sorted(self._wanted.thumbprints)]
            marks += [CertificateRef(serial=serial) for serial in sorted(self._wanted.serials)]
            listed = self._client.search_terms(marks, conditions_of_all, whole_list_at=FEW, **shown)
            total = len(listed)
        else:
            filtered = bool(self._wanted or self._keys or self._names or not {"on_hold", "revoked"}.isdisjoint(self._params.get("state") or ()))
            listed, total = self._client.search(" AND ".join(conditions_of_all), limit=None if filtered else self._params["limit"], **shown)
        seen = {mark for item in listed for mark in _marks(item)}
        absent = [ref for ref in refs if (ref.thumbprint or (ref.serial or "").lstrip("0")) not in seen]
        error = VendorError("no such certificate, or these credentials may not see it, or the other filters leave it out", status=404)
        return self._told(listed), total, [{"target": ref.label, "error": error.as_result()} for ref in absent]

    @property
    def not_compared(self) -> int:
        """How many certificates could not be looked at."""
        return len(self._unreadable)

    def _told(self, items: t.Sequence[Record]) -> list[Record]:
        records = [record for record in map(self._record, items) if self._matches(record)]
        if self._unreadable:
            self._client.transport.warn(
                f"{len(self._unreadable)} certificates could not be compared with the DNS names or public keys, because Command did not give the certificates "
                f"themselves, or they cannot be read: ids {', '.join(map(str, self._unreadable[:10]))}{', ...' if len(self._unreadable) > 10 else ''}"
            )
        return records[: self._params["limit"]]

    def _matches(self, record: Record) -> bool:
        """The filters that Command does not know, and those that it may read in another way."""
        states = self._params.get("state")
        expires = record["not_after"][:SECONDS]
        names = [name.strip().lower() for name in self._params.get("common_name") or ()]
        issuer = self._params.get("issuer")
        if (
            (states and record["state_name"] not in states)
            or (names and record["common_name"].lower() not in names)
            or (issuer and not same_dn(record["issuer"], issuer))
            or (self._after and expires < wire_date(self._after)[:SECONDS])
            or (self._before and expires > wire_date(self._before)[:SECONDS])
        ):
            return False
        if self._wanted and self._wanted.takes(
            serials=[record["serial"]],
            thumbprint=record["thumbprint"],
            fingerprint=record["fingerprint_sha256"],
            key=record["public_key_sha256"],
            names=[record["common_name"], *(record["dns_names"] or ())],
        ):
            pass
        elif self._wanted:
            if record["public_key_sha256"] is None and (self._wanted.needs_content or self._wanted.names):
                self._unreadable.append(record["id"])
            return False
        if (self._keys or self._names) and record["public_key_sha256"] is None:
            self._unreadable.append(record["id"])
            return False
        return (not self._keys or record["public_key_sha256"] in self._keys) and (not self._names or not self._names.isdisjoint(record["dns_names"]))

    def _record(self, item: Record) -> Record:
        state = state_of(item, self._now)
        names, key, fingerprint = _content(item)
        record: Record = {name: getattr(state, name) for name in ("id", "thumbprint", "serial", "common_name", "subject", "issuer")}
        record.update(
            dns_names=names,
            authority=text_of(item, "certificateauthorityname") or None,
            requester=text_of(item, "requestername") or None,
            not_before=text_of(item, "notbefore"),
            not_after=state.not_after,
            expired=state.expired,
            state=state.state,
            state_name=state.state_name,
            revocation={"reason": state.reason, "reason_name": reason_name(state.reason), "date": state.date, "comment": state.comment}
            if state.date or state.reason is not None
            else None,
            public_key_sha256=key,
            fingerprint_sha256=fingerprint,
        )
        if self._params["locations"]:
            record["locations"] = [_location(place) for place in records_of(item, "locations") + records_of(item, "ssllocations")]
        if self._params["metadata"]:
            record["metadata"] = item.get("metadata") if isinstance(item.get("metadata"), dict) else {}
        return record

    def add(self, records: t.Sequence[Record]) -> None:
        """History and approvals, which are requests of their own."""
        if self._params["history"]:
            histories = in_parallel(lambda record: self._client.history(record["id"]), records, self._client.transport.settings.concurrency)
            for record, history in zip(records, histories):
                record["history"] = [_event(event) for event in history]
        if self._params["pending_approvals"] or self._params["waiting"]:
            if self._waiting is None:
                self._waiting = self._client.suspended_revocations()
            for record in records:
                revocation = self._waiting.get(record["id"])
                record["pending_approval"] = revocation is not None
                record["workflow_id"] = revocation.id if revocation else None
                record["workflow"] = _workflow(revocation) if revocation else None


def _marks(item: Record) -> set[str]:
    """Thumbprint and serial number, as they are compared."""
    return {text_of(item, "thumbprint").upper(), text_of(item, "serialnumber").upper().lstrip("0")}


def _content(item: Record) -> tuple[list[str] | None, str | None, str | None]:
    """The DNS names, the public key and the fingerprint of the certificate itself; None where Command does not give one that can be read."""
    try:
        certificate = load_certificates("certificates", base64.b64decode(item.get("contentbytes") or "", validate=True))[0]
        names = [printable(name[len("DNS:") :]) for name in alternative_names(certificate) if name.startswith("DNS:")]
        return names, public_key_sha256(certificate), fingerprint_sha256(certificate)
    except Exception:
        # Scans bring in what no library reads, and each fails in a way of its own. One of them must not hide all the others.
        return None, None, None


def _location(place: Record) -> Record:
    endpoint = not (place.get("storemachine") or place.get("clientmachine"))
    shown: Record = {"kind": "endpoint" if endpoint else "store", "text": location_text(place)}
    if endpoint:
        shown.update(machine=text_of(place, "networkname"), address=text_of(place, "ipaddress"), port=_whole(place.get("port")))
    else:
        shown.update(
            machine=text_of(place, "storemachine") or text_of(place, "clientmachine"),
            path=text_of(place, "storepath"),
            store_type=_whole(place.get("storetype")),
            store_id=text_of(place, "certstoreid") or None,
            alias=text_of(place, "alias") or None,
        )
    return shown


def _whole(value: t.Any) -> int | None:
    return value if isinstance(value, int) else None


def _workflow(revocation: Revocation) -> Record:
    told: Record = {name: getattr(revocation, name) for name in ("title", "step", "message", "reason", "comment")}
    return {"since": revocation.started, **told, "reason_name": reason_name(revocation.reason)}


def _event(event: Record) -> Record:
    return {
        "time": text_of(event, "operationstart") or text_of(event, "operationend"),
        "action": text_of(event, "action"),
        "user": text_of(event, "username"),
        "comment": text_of(event, "comment"),
    }


def read(task: Task) -> dict[str, t.Any]:
    """The result of the task.

    :raises RemediationError: wrong options, credentials or connection.
    """
    params = task.params
    options.check_range(params, "limit", 1)
    options.check_range(params, "expires_within_days", 0, 36500)
    if params["certificates"] is not None and any(params.get(name) is not None for name in FILTERS):
        raise InputError("certificates", "cannot be combined with filters; leave one of them out")
    if params["waiting"] and any(params.get(name) is not None for name in ("certificates", *FILTERS)):
        raise InputError("waiting", "cannot be combined with certificates and filters; leave one of them out")
    client = connect(params, read_only=True, secrets=task.secrets, warn=task.warn)
    try:
        finder = Finder(client, params, datetime.datetime.now(datetime.timezone.utc))
        records, total, missing = finder.find()
        finder.add(records)
    finally:
        client.transport.close()
    if missing:
        task.warn(f"{len(missing)} of the certificates that were named were not found or could not be read; see not_found")
    return {
        "certificates": records,
        "count": len(records),
        "total": total,
        "not_compared": finder.not_compared,
        "not_found": missing,
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
