#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tpp_certificate_info
short_description: Find certificates in Venafi TPP and tell their state
version_added: 0.1.0
author:
  - certops.remediation contributors (@certops)
description:
  - Reads certificate objects of Venafi Trust Protection Platform (TPP) by DN, by GUID, or by the search filters of the server, all pages of
    them.
  - What it returns can be given to M(certops.remediation.tpp_certificate_reset) as it is.
  - All filters that are given must match. Without any, all certificates that the credentials may see are returned.
  - Needs the token scope C(certificate).
options:
  certificates:
    description:
      - The certificates to read, each a DN, a GUID, or a mapping with V(dn) or V(guid). Cannot be combined with filters.
    type: list
    elements: raw
  folder:
    description:
      - The full DN of a policy folder, such as V(\\VED\\Policy\\Certificates).
    type: str
  recursive:
    description:
      - Search the folders below O(folder) as well.
    type: bool
    default: true
  name:
    description:
      - The names of certificate objects, any of which matches.
    type: list
    elements: str
  in_error:
    description:
      - Whether processing has failed.
    type: bool
  stage:
    description:
      - Processing stages, any of which matches, such as V(500) while the CSR is posted or V(700) while the certificate is retrieved.
    type: list
    elements: int
  stage_above:
    description:
      - Only stages above this one.
    type: int
  stage_below:
    description:
      - Only stages below this one.
    type: int
  pending_workflow:
    description:
      - Only certificates that wait for the approval of a workflow. TPP can search for these, but not for the others.
    type: bool
    default: false
  disabled:
    description:
      - Whether processing is disabled.
    type: bool
  management_type:
    description:
      - Management types, any of which matches.
    type: list
    elements: str
    choices: [Unassigned, Monitoring, Enrollment, Provisioning]
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
  issuer:
    description:
      - The DN of the issuer as the certificate has it, such as V(CN=Example Issuing CA, O=Example).
    type: str
  common_name:
    description:
      - Common names, any of which matches.
    type: list
    elements: str
  dns_name:
    description:
      - DNS names among the subject alternative names, any of which matches.
    type: list
    elements: str
  thumbprint:
    description:
      - SHA-1 thumbprints, any of which matches, in either case, with or without colons.
    type: list
    elements: str
  certificate_path:
    description:
      - PEM or DER files with certificates, any of which matches. This tells which object in TPP a certificate at hand belongs to.
    type: list
    elements: path
  serial:
    description:
      - Serial numbers in hexadecimal, any of which matches, in either case, with or without colons.
    type: list
    elements: str
  filters:
    description:
      - Further filters in the vendor's own words, such as C(KeySizeLess) or C(CreatedOnGreater); a list of values matches any of them.
    type: dict
    default: {}
  details:
    description:
      - Also read each certificate by itself, one request each, for its stage, its status text, whether it is revoked, and its renewal details.
      - Always so for O(certificates).
    type: bool
    default: true
  public_key:
    description:
      - Also retrieve each certificate itself, one request each, for its public key, its SHA-256 fingerprint and its issuer. TPP gives out none while it is
        processed or in error; these are in RV(unreadable) as well.
      - Needs the token scope C(certificate:manage), although it changes nothing.
    type: bool
    default: false
    version_added: 0.4.0
  public_key_limit:
    description:
      - TPP cannot be asked for public keys and SHA-256 fingerprints. With such values in O(any_of), the certificates that the other filters leave and no other
        value fits are retrieved one by one, at most this number of them. How many were left out is in RV(not_compared).
    type: int
    default: 1000
    version_added: 0.4.0
  tickets:
    description:
      - Also read the workflow tickets of those that wait for an approval, two requests or more for each of them.
    type: bool
    default: false
    version_added: 0.4.0
  limit:
    description:
      - Return at most this number of certificates.
    type: int
extends_documentation_fragment:
  - certops.remediation.any_of
  - certops.remediation.tpp
  - certops.remediation.connection
  - certops.remediation.attributes
  - certops.remediation.attributes.info
  - certops.remediation.attributes.tpp
seealso:
  - module: certops.remediation.tpp_certificate_reset
  - name: Venafi Web SDK, GET Certificates
    description: The search behind this module.
    link: https://docs.venafi.com/Docs/currentSDK/TopNav/Content/SDK/WebSDK/r-SDK-GET-Certificates.php
"""

EXAMPLES = r"""
- name: Find what is in error below a folder, and why
  certops.remediation.tpp_certificate_info:
    folder: '\VED\Policy\Certificates'
    in_error: true
  register: stuck

- name: Tell why
  ansible.builtin.debug:
    msg: "{{ stuck.certificates | map(attribute='status') | list }}"

- name: Count what expires within 30 days, without reading each certificate
  certops.remediation.tpp_certificate_info:
    folder: '\VED\Policy\Certificates'
    expires_within_days: 30
    details: false
  register: expiring

- name: Find what waits for an approval, since when, and whose
  certops.remediation.tpp_certificate_info:
    pending_workflow: true
    tickets: true

- name: Read two certificates, one by DN and one by GUID
  certops.remediation.tpp_certificate_info:
    certificates:
      - '\VED\Policy\Certificates\Retail\Web\web-0001.shop.example.com'
      - guid: "{{ stuck.certificates[0].guid }}"

- name: Find certificates by thumbprint
  certops.remediation.tpp_certificate_info:
    thumbprint:
      - "{{ stuck.certificates[0].thumbprint }}"

- name: Find what an incident names, in whatever form it does
  certops.remediation.tpp_certificate_info:
    any_of:
      thumbprint: ["{{ stuck.certificates[0].thumbprint }}"]
      name: [web-0001.shop.example.com]
    details: false
"""

RETURN = r"""
certificates:
  description: The certificates found. What only the details tell is null when O(details=false).
  returned: success
  type: list
  elements: dict
  contains:
    dn:
      description: The DN of the certificate object.
      returned: always
      type: str
      sample: '\\VED\\Policy\\Certificates\\Retail\\Web\\web-0301.shop.example.com'
    guid:
      description: The GUID of the certificate object.
      returned: always
      type: str
      sample: "{758b0593-2fe2-5cb0-a6fc-bfaae2310673}"
    name:
      description: The name of the object in its folder.
      returned: always
      type: str
      sample: web-0301.shop.example.com
    folder:
      description: The DN of its folder.
      returned: always
      type: str
      sample: '\\VED\\Policy\\Certificates\\Retail\\Web'
    detailed:
      description: Whether the certificate was read by itself.
      returned: always
      type: bool
      sample: true
    in_error:
      description: Whether processing has failed.
      returned: always
      type: bool
      sample: true
    in_process:
      description: Whether processing goes on or waits, without an error.
      returned: always
      type: bool
      sample: false
    stage:
      description: The processing stage.
      returned: always
      type: int
      sample: 500
    stage_name:
      description: The name of the stage.
      returned: always
      type: str
      sample: PostCSR
    status:
      description: TPP's text on the processing state.
      returned: always
      type: str
      sample: "Post CSR failed with error: Cannot connect to the certificate authority (CA)."
    awaits_approval:
      description: Whether a person has to approve a workflow ticket first.
      returned: always
      type: bool
      sample: false
    ticket_dn:
      description: The DN of that ticket, on servers that show it.
      returned: always
      type: str
      sample: null
    tickets:
      description:
        - The workflow tickets that nobody has decided yet, each with C(guid), C(status), C(since) (null where TPP does not say it), C(approvers) (identities
          as TPP names them) and C(reason). Null if they may not be read, or where it waits for none.
      returned: with O(tickets=true)
      type: list
      elements: dict
      sample:
        - guid: 8a83384d-3e44-4b62-b706-dc78459f2ac3
          status: Pending
          since: "2026-11-20T08:12:34Z"
          approvers: ["local:{8cea8e13-053f-400c-bf90-8fe66f135139}"]
          reason: A certificate of this folder needs an approval.
    revocation:
      description: The revocation state of the object; null if it has none.
      returned: always
      type: str
      sample: null
    disabled:
      description: Whether processing is disabled.
      returned: always
      type: bool
      sample: false
    management_type:
      description: The management type.
      returned: always
      type: str
      sample: Enrollment
    authority_dn:
      description: The DN of the CA template.
      returned: always
      type: str
      sample: '\\VED\\Policy\\Administration\\CAs\\Corp Issuing CA 1'
    common_name:
      description: The common name of the certificate.
      returned: always
      type: str
      sample: web-0301.shop.example.com
    dns_names:
      description: The DNS names among its subject alternative names.
      returned: always
      type: list
      elements: str
      sample: [web-0301.shop.example.com]
    serial:
      description: The serial number in hexadecimal.
      returned: always
      type: str
      sample: 5F60A8DC5F185C03BE84FE59C12F6E0C
    thumbprint:
      description: The SHA-1 thumbprint.
      returned: always
      type: str
      sample: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
    issuer:
      description: The DN of the issuer.
      returned: always
      type: str
      sample: CN=Example Corp Issuing CA 1,OU=PKI,O=Example Corp,C=US
    valid_from:
      description: The first moment of validity, in UTC.
      returned: always
      type: str
      sample: "2026-01-26T16:10:27.0000000Z"
    valid_to:
      description: The last moment of validity, in UTC.
      returned: always
      type: str
      sample: "2027-01-26T16:10:27.0000000Z"
    renewal_details:
      description: What the next certificate will be asked for with, in the vendor's own keys.
      returned: always
      type: dict
      sample: {"Subject": "web-0301.shop.example.com", "SubjectAltNameDNS": ["web-0301.shop.example.com"]}
    public_key_sha256:
      description: The SHA-256 of the public key (SubjectPublicKeyInfo) in hexadecimal; null unless the certificate itself was retrieved.
      returned: always
      type: str
      sample: 3b1a0d0f8f4b5e0c4a1d9e6c2f7b8a9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7
    fingerprint_sha256:
      description: The SHA-256 fingerprint of the certificate in hexadecimal; null likewise.
      returned: always
      type: str
      sample: 256c24690243359fb8cf139a125bd05ebf1d968b71e4caf330718e9f5c8a89ea
count:
  description: How many certificates are returned.
  returned: success
  type: int
  sample: 200
total:
  description: How many certificates match on the server; more than RV(count) when O(limit) cut the list.
  returned: success
  type: int
  sample: 200
not_compared:
  description: How many certificates were not compared with the public keys and fingerprints that were looked for, because of O(public_key_limit) or because TPP
    did not give them out.
  returned: success
  type: int
  sample: 0
unreadable:
  description: What could not be read, each with C(target) and C(error). A certificate that was named but does not exist is here too.
  returned: success
  type: list
  elements: dict
  sample: []
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: success
  type: dict
  sample: {"requests": 201, "retries": 0, "seconds_waited": 0.0}
error:
  description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id).
  returned: failure
  type: dict
  sample: {"kind": "untrusted", "message": "...", "status": null, "code": null, "detail": null, "request_id": null}
"""

import dataclasses
import datetime
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import any_of, options
from ansible_collections.certops.remediation.plugins.module_utils.errors import AuthorizationError, InputError, RemediationError, VendorError
from ansible_collections.certops.remediation.plugins.module_utils.parallel import each_in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_info
from ansible_collections.certops.remediation.plugins.module_utils.tpp import (
    CONNECTION_OPTIONS,
    TppClient,
    certificate_ref,
    checked_dn,
    connect,
    detailed_state,
    details_of,
    filter_value,
)
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    fingerprint_sha256,
    load_certificates,
    normalise_hex,
    public_key_sha256,
    thumbprint,
)

ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    any_of.OPTION,
    {
        "certificates": {"type": "list", "elements": "raw"},
        "folder": {"type": "str"},
        "recursive": {"type": "bool", "default": True},
        "name": {"type": "list", "elements": "str"},
        "in_error": {"type": "bool"},
        "stage": {"type": "list", "elements": "int"},
        "stage_above": {"type": "int"},
        "stage_below": {"type": "int"},
        "pending_workflow": {"type": "bool", "default": False},
        "disabled": {"type": "bool"},
        "management_type": {"type": "list", "elements": "str", "choices": ["Unassigned", "Monitoring", "Enrollment", "Provisioning"]},
        "expires_within_days": {"type": "int"},
        "expires_before": {"type": "str"},
        "expires_after": {"type": "str"},
        "issuer": {"type": "str"},
        "common_name": {"type": "list", "elements": "str"},
        "dns_name": {"type": "list", "elements": "str"},
        "thumbprint": {"type": "list", "elements": "str"},
        "certificate_path": {"type": "list", "elements": "path"},
        "serial": {"type": "list", "elements": "str"},
        "filters": {"type": "dict", "default": {}},
        "details": {"type": "bool", "default": True},
        "public_key": {"type": "bool", "default": False, "no_log": False},
        "public_key_limit": {"type": "int", "default": 1000, "no_log": False},
        "tickets": {"type": "bool", "default": False},
        "limit": {"type": "int"},
    },
)

# Options whose values go to the filter of that name as they are, quoted where they need it.
VENDOR_FILTERS = {
    "name": "Name",
    "stage": "Stage",
    "stage_above": "StageGreater",
    "stage_below": "StageLess",
    "management_type": "ManagementType",
    "issuer": "Issuer",
    "common_name": "CN",
    "dns_name": "SAN-DNS",
}
# What the certificate itself tells, where TPP does not.
CONTENT = ("public_key_sha256", "fingerprint_sha256", "thumbprint", "serial", "issuer")


def search_filters(params: t.Mapping[str, t.Any], now: datetime.datetime) -> list[tuple[str, str]]:
    """The vendor's filters for the options, in its own names.

    :param now: with a time zone; what ``expires_within_days`` counts from.
    :raises InputError: a value cannot be meant.
    """
    filters: list[tuple[str, str]] = []
    if params.get("folder"):
        filters.append(("ParentDnRecursive" if params["recursive"] else "ParentDn", filter_value(checked_dn("folder", params["folder"]))))
    for option, name in VENDOR_FILTERS.items():
        given = params.get(option)
        values = given if isinstance(given, list) else [] if given in (None, "") else [given]
        filters.extend((name, filter_value(str(value))) for value in values)
    for option, name in (("in_error", "InError"), ("disabled", "Disabled")):
        if params.get(option) is not None:
            filters.append((name, "1" if params[option] else "0"))
    if params["pending_workflow"]:
        filters.append(("PendingWorkflow", ""))
    for option, name in (("thumbprint", "Thumbprint"), ("serial", "Serial")):
        filters.extend((name, normalise_hex(option, value)) for value in params.get(option) or [])
    for path in params.get("certificate_path") or []:
        content = options.read_file("certificate_path", path)
        filters.extend(("Thumbprint", thumbprint(certificate)) for certificate in load_certificates("certificate_path", content))
    if params.get("expires_within_days") is not None:
        until = now + datetime.timedelta(days=params["expires_within_days"])
        filters += [("ValidToGreater", _vendor_date(now)), ("ValidToLess", _vendor_date(until))]
    for option, name in (("expires_before", "ValidToLess"), ("expires_after", "ValidToGreater")):
        if params.get(option):
            filters.append((name, _vendor_date(options.moment(option, params[option]))))
    for name, given in params["filters"].items():
        filters.extend((str(name), filter_value(str(value))) for value in (given if isinstance(given, list) else [given]))
    return filters


def _vendor_date(moment: datetime.datetime) -> str:
    """ISO 8601 in UTC with seven decimals, as TPP writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def record(entry: t.Mapping[str, t.Any], details: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """One certificate of the result. The keys are always the same; what only the details tell is null without them."""
    listed = details_of(entry, "X509")
    found = details or entry
    certificate = details_of(found, "CertificateDetails")
    state = detailed_state(found)
    shown: dict[str, t.Any] = {
        "dn": state.dn,
        "guid": state.guid,
        "name": found.get("Name"),
        "folder": found.get("ParentDn"),
        "common_name": certificate.get("CN") or listed.get("CN"),
        "dns_names": certificate.get("SubjectAltNameDNS") or details_of(listed, "SANS").get("DNS") or [],
        "serial": certificate.get("Serial") or listed.get("Serial"),
        "thumbprint": state.thumbprint or listed.get("Thumbprint"),
        "valid_from": certificate.get("ValidFrom") or listed.get("ValidFrom"),
        "valid_to": state.valid_to or listed.get("ValidTo"),
        "issuer": certificate.get("Issuer"),
        "authority_dn": found.get("CertificateAuthorityDN"),
        "renewal_details": details_of(found, "RenewalDetails"),
        "detailed": details is not None,
    }
    for name in ("in_error", "in_process", "stage", "stage_name", "status", "awaits_approval", "ticket_dn", "revocation", "disabled", "management_type"):
        shown[name] = getattr(state, name) if details is not None else None
    return shown


class Contents:
    """The certificates themselves, each retrieved once."""

    def __init__(self, client: TppClient) -> None:
        self._client = client
        self._held: dict[str, t.Any] = {}
        self.unreadable: dict[str, dict[str, t.Any]] = {}

    def retrieve(self, entries: t.Sequence[t.Mapping[str, t.Any]]) -> None:
        """Retrieve the certificates of list entries; one that TPP does not give out is unreadable."""
        wanted = [entry for entry in entries if entry["Guid"].lower() not in self._held and entry["Guid"].lower() not in self.unreadable]
        results: t.Sequence[t.Any]
        try:
            results = each_in_parallel(self._one, wanted, self._client.transport.settings.concurrency)
        except AuthorizationError as error:
            # A token that may only read the list still tells a lot.
            results = [error] * len(wanted)
        for entry, result in zip(wanted, results):
            if isinstance(result, RemediationError):
                self.unreadable[entry["Guid"].lower()] = {"target": entry["DN"], "error": result.as_result()}
            else:
                self._held[entry["Guid"].lower()] = result

    def _one(self, entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        try:
            certificate = load_certificates("certificates", self._client.certificate_file(entry["DN"]))[0]
            names = [name[len("DNS:") :] for name in alternative_names(certificate) if name.startswith("DNS:")]
            return {
                "public_key_sha256": public_key_sha256(certificate),
                "fingerprint_sha256": fingerprint_sha256(certificate),
                "thumbprint": thumbprint(certificate),
                "serial": f"{certificate.serial_number:X}",
                "issuer": certificate.issuer.rfc4514_string(),
                "dns_names": names,
            }
        except RemediationError:
            raise
        except Exception:
            # Libraries fail on strange certificates in ways of their own, and one of them must not hide the others.
            raise VendorError(f"the certificate of {entry['DN']} cannot be read") from None

    def of(self, guid: str) -> t.Mapping[str, t.Any]:
        """What a retrieved certificate shows; empty where it was not retrieved."""
        return self._held.get(guid.lower()) or {}


def find_any(
    client: TppClient, wanted: any_of.AnyOf, filters: t.Sequence[tuple[str, str]], contents: Contents, most: int
) -> tuple[list[dict[str, t.Any]], int]:
    """The list entries that a value of ``any_of`` fits, and how many could not be compared with all of them."""
    if wanted.needs_content:
        listed = client.search(filters)[0]
    else:
        # How TPP stores leading zeros is not documented.
        forms = {serial: dict.fromkeys((serial, serial.zfill(len(serial) + len(serial) % 2), serial.zfill(32))) for serial in sorted(wanted.serials)}
        serials = [("Serial", form) for serial in forms for form in forms[serial]]
        names = sorted(wanted.names)
        values = [("Thumbprint", mark) for mark in sorted(wanted.thumbprints)] + serials
        values += [("CN", filter_value(name)) for name in names] + [("SAN-DNS", filter_value(name)) for name in names]
        listed = client.search_any(values, filters)[0]
    found = [entry for entry in listed if _is_meant(entry, wanted)]
    if not wanted.needs_content:
        return found, 0
    known = {entry["Guid"] for entry in found}
    rest = [entry for entry in listed if entry["Guid"] not in known]
    contents.retrieve(rest[:most])
    hits = [entry for entry in rest[:most] if _holds(contents.of(entry["Guid"]), wanted)]
    compared = sum(bool(contents.of(entry["Guid"])) for entry in rest[:most])
    return found + hits, len(rest) - compared


def _is_meant(entry: t.Mapping[str, t.Any], wanted: any_of.AnyOf) -> bool:
    """By what the list shows."""
    listed = details_of(entry, "X509")
    shown = details_of(listed, "SANS").get("DNS")
    names = [str(name) for name in (listed.get("CN"), *(shown if isinstance(shown, list) else ())) if name]
    return wanted.takes(serials=[str(listed.get("Serial") or "")], thumbprint=listed.get("Thumbprint"), names=names)


def _holds(content: t.Mapping[str, t.Any], wanted: any_of.AnyOf) -> bool:
    return wanted.takes(fingerprint=content.get("fingerprint_sha256"), key=content.get("public_key_sha256"))


def read(task: Task) -> dict[str, t.Any]:
    """The result of the task.

    :raises RemediationError: wrong options, credentials or connection.
    """
    params = task.params
    options.check_range(params, "limit", 1)
    options.check_range(params, "public_key_limit", 0)
    options.check_range(params, "expires_within_days", 0, 36500)
    filters = search_filters(params, datetime.datetime.now(datetime.timezone.utc))
    wanted = any_of.AnyOf.of(params)
    given = params["certificates"]
    refs = [certificate_ref(f"certificates[{index}]", entry) for index, entry in enumerate(given or [])]
    if given is not None and (filters or wanted is not None):
        raise InputError("certificates", "cannot be combined with filters; leave one of them out")
    client = connect(params, read_only=True, secrets=task.secrets, warn=task.warn)
    contents = Contents(client)
    not_compared = 0
    try:
        entries: t.Sequence[t.Mapping[str, t.Any]]
        if given is not None:
            entries, total = [{"DN": ref.dn, "Guid": ref.guid} for ref in refs], len(refs)
        elif wanted is not None:
            found, not_compared = find_any(client, wanted, filters, contents, params["public_key_limit"]) if wanted else ([], 0)
            entries, total = found[: params["limit"]], len(found)
        else:
            entries, total = client.search(filters, params["limit"])
        certificates, unreadable = _read_each(client, entries, details=params["details"] or given is not None)
        if params["public_key"]:
            contents.retrieve([{"DN": certificate["dn"], "Guid": certificate["guid"]} for certificate in certificates])
        for certificate in certificates:
            content = contents.of(certificate["guid"])
            certificate.update((name, certificate.get(name) or content.get(name)) for name in CONTENT)
        if params["tickets"]:
            _add_tickets(client, certificates, all_wait=params["pending_workflow"], warn=task.warn)
    finally:
        client.transport.close()
    unreadable += contents.unreadable.values()
    if unreadable:
        task.warn(f"{len(unreadable)} certificates could not be read; see unreadable")
    return {
        "certificates": certificates,
        "count": len(certificates),
        "total": total,
        "not_compared": not_compared,
        "unreadable": unreadable,
        "http": client.transport.statistics(),
    }


def _read_each(
    client: TppClient, entries: t.Sequence[t.Mapping[str, t.Any]], *, details: bool
) -> tuple[list[dict[str, t.Any]], list[dict[str, t.Any]]]:
    """The records of ``entries``, and what could not be read with the reason."""

    def one(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return record(entry, client.details(entry["Guid"] or client.guid(entry["DN"])) if details else None)

    certificates: list[dict[str, t.Any]] = []
    unreadable: list[dict[str, t.Any]] = []
    for entry, result in zip(entries, each_in_parallel(one, entries, client.transport.settings.concurrency)):
        if isinstance(result, RemediationError):
            unreadable.append({"target": entry["DN"] or entry["Guid"], "error": result.as_result()})
        else:
            certificates.append(result)
    return certificates, unreadable


def _add_tickets(client: TppClient, certificates: t.Sequence[dict[str, t.Any]], *, all_wait: bool, warn: t.Callable[[str], None]) -> None:
    """What those that wait for an approval wait for.

    :param all_wait: also those that were not read by themselves.
    """
    waiting = [entry for entry in certificates if entry["awaits_approval"] or (all_wait and not entry["detailed"])]
    refused = []
    for entry in certificates:
        entry["tickets"] = None
    for entry, found in zip(waiting, each_in_parallel(lambda entry: client.tickets(entry["dn"]), waiting, client.transport.settings.concurrency)):
        if isinstance(found, RemediationError):
            refused.append(found.message)
        else:
            entry["tickets"] = [{**dataclasses.asdict(ticket), "approvers": list(ticket.approvers)} for ticket in found]
    if refused:
        warn(f"the workflow tickets of {len(refused)} certificates could not be read: {refused[0]}")


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR and (module.params["certificate_path"] or module.params["public_key"] or module.params["any_of"]):
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, ARGUMENT_SPEC, read)


if __name__ == "__main__":
    main()
