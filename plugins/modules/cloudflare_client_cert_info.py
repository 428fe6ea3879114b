#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudflare_client_cert_info
short_description: Find mTLS client certificates of a Cloudflare zone, and see whether revoking them keeps anybody out
version_added: 0.3.0
author:
  - certops.remediation contributors (@certops)
description:
  - Reads the client certificates of a zone, of all statuses and all pages, and returns those that match. Cloudflare's own list shows the active ones
    only, unless it is asked for others.
  - What it returns can be given to M(certops.remediation.cloudflare_client_cert) as
    O(certops.remediation.cloudflare_client_cert#module:certificates).
  - All filters that are given must match. Without any, all certificates of the zone are returned. An empty list matches nothing.
  - A token for reading is enough; O(firewall=true) needs the permission C(Zone WAF Read) as well.
options:
  certificates:
    description:
      - The certificates to find. Each is an id, a SHA-256 fingerprint, a serial number in hexadecimal or decimal, a certificate or CSR in PEM, or a
        mapping with one of V(id), V(fingerprint_sha256), V(serial_number), V(csr) and V(csr_path), of which the first one counts. A CSR finds all
        certificates of its key.
      - What is not found is in RV(not_found). The other filters then leave out some of what was found.
    type: list
    elements: raw
  public_keys:
    description:
      - Only certificates with one of these public keys, each given as its SHA-256 in hexadecimal, or by a certificate, CSR or public key in PEM.
    type: list
    elements: str
  status:
    description:
      - Only certificates of one of these statuses. There is none for expired ones; see O(expired).
    type: list
    elements: str
    choices: [active, pending_reactivation, pending_revocation, revoked]
  common_name:
    description:
      - Only certificates with one of these common names, where V(*) stands for any text. Case does not matter.
    type: list
    elements: str
  organization:
    description:
      - Only certificates of one of these organizations, where V(*) stands for any text. Case does not matter.
    type: list
    elements: str
  organizational_unit:
    description:
      - Only certificates of one of these organizational units, where V(*) stands for any text. Case does not matter.
    type: list
    elements: str
  expired:
    description:
      - Only certificates that have expired, or only those that have not.
    type: bool
  expires_within_days:
    description:
      - Only certificates that end between now and in this number of days.
    type: int
  pem:
    description:
      - Also return each certificate and its CSR in PEM.
    type: bool
    default: false
  hostnames:
    description:
      - Also read at which host names Cloudflare asks for a client certificate of this authority. Elsewhere, revoking one has no effect.
    type: bool
    default: false
  firewall:
    description:
      - Also read the WAF custom rules of the zone, to see whether one blocks revoked certificates. Without such a rule, a revoked certificate still
        counts as verified and is let through.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.remediation.any_of
  - certops.remediation.cloudflare
  - certops.remediation.connection
  - certops.remediation.attributes
  - certops.remediation.attributes.info
  - certops.remediation.attributes.cloudflare
seealso:
  - module: certops.remediation.cloudflare_client_cert
"""

EXAMPLES = r"""
- name: Find what a contractor has
  certops.remediation.cloudflare_client_cert_info:
    organizational_unit: [Contractor Blue Harbor]
    status: [active]
  register: theirs

- name: Find a certificate by its fingerprint, whatever its status by now
  certops.remediation.cloudflare_client_cert_info:
    certificates: ["{{ theirs.certificates[0].fingerprint_sha256 }}"]

- name: Find what an incident names, in whatever form it does
  certops.remediation.cloudflare_client_cert_info:
    any_of:
      thumbprint: [20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6]
      name: [tablet-0001.field.example.com]

- name: What ends within a month, and would a revocation keep anybody out
  certops.remediation.cloudflare_client_cert_info:
    status: [active]
    expires_within_days: 30
    hostnames: true
    firewall: true
"""

RETURN = r"""
certificates:
  description: The certificates that match, in the order of Cloudflare's list.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      returned: always
      type: str
      sample: 7bf7f70c-7600-42e1-81c4-e4c0da9aa515
    zone_id:
      description: The zone.
      returned: always
      type: str
      sample: 023e105f4ecef8ad9ca31a8372d0c353
    status:
      description: C(active), C(pending_reactivation), C(pending_revocation) or C(revoked).
      returned: always
      type: str
      sample: active
    common_name:
      description: The common name.
      returned: always
      type: str
      sample: tablet-0001.field.example.com
    organization:
      description: The organization of the subject.
      returned: always
      type: str
      sample: Example Corp
    organizational_unit:
      description: The organizational unit of the subject.
      returned: always
      type: str
      sample: Contractor Blue Harbor
    country:
      description: The country of the subject.
      returned: always
      type: str
      sample: US
    state:
      description: The state or province of the subject. The lifecycle of the certificate is in C(status).
      returned: always
      type: str
      sample: CA
    location:
      description: The locality of the subject.
      returned: always
      type: str
      sample: Somewhere
    serial_number:
      description: The serial number as Cloudflare writes it, in hexadecimal or decimal.
      returned: always
      type: str
      sample: 3bb94ff144ac567b9f75ad664b6c55f8d5e48182
    serial:
      description: The serial number in hexadecimal, as other platforms write it; null where the certificate cannot be read.
      returned: always
      type: str
      sample: 3BB94FF144AC567B9F75AD664B6C55F8D5E48182
    fingerprint_sha256:
      description: SHA-256 over the certificate, in hexadecimal.
      returned: always
      type: str
      sample: 256c24690243359fb8cf139a125bd05ebf1d968b71e4caf330718e9f5c8a89ea
    thumbprint:
      description: SHA-1 over the certificate, in hexadecimal. Cloudflare does not show it. Null where the certificate cannot be read.
      returned: always
      type: str
      sample: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
    public_key_sha256:
      description: SHA-256 over the public key, in hexadecimal; the same for everything that shares the key. Null where it cannot be read.
      returned: always
      type: str
      sample: 3b1a0d0f8f4b5e0c6a2f9a8f3f8f5f5c2f4de3a7b0c1d2e3f405162738495a6b
    validity_days:
      description: For how many days it was made.
      returned: always
      type: int
      sample: 365
    issued_on:
      description: When it was made.
      returned: always
      type: str
      sample: "2026-11-22T19:04:00Z"
    expires_on:
      description: When it expires.
      returned: always
      type: str
      sample: "2027-11-22T19:04:00Z"
    expired:
      description: Whether it has expired.
      returned: always
      type: bool
      sample: false
    certificate_authority:
      description: The name of the authority.
      returned: always
      type: str
      sample: Cloudflare Managed CA for account 01a7362d577a6c3019a474fd6f485823
    certificate:
      description: The certificate in PEM.
      returned: with O(pem=true)
      type: str
      sample: "-----BEGIN CERTIFICATE-----\nMIID..."
    csr:
      description: The CSR in PEM.
      returned: with O(pem=true)
      type: str
      sample: "-----BEGIN CERTIFICATE REQUEST-----\nMIIC..."
count:
  description: How many match.
  returned: success
  type: int
  sample: 1
total:
  description: How many certificates the zone has, of all statuses. Null if O(certificates) was given.
  returned: success
  type: int
  sample: 312
statuses:
  description: How many of those that match there are of each status.
  returned: success
  type: dict
  sample: {"active": 35, "pending_reactivation": 0, "pending_revocation": 2, "revoked": 3}
not_found:
  description: What of O(certificates) the zone does not have, each with C(target) and C(error).
  returned: success
  type: list
  elements: dict
  sample: []
zone_id:
  description: The zone.
  returned: success
  type: str
  sample: 023e105f4ecef8ad9ca31a8372d0c353
hostnames:
  description: The host names at which a certificate is asked for; null where they cannot be read.
  returned: with O(hostnames=true)
  type: list
  elements: str
  sample: [api.field.example.com]
firewall:
  description: Whether a rule keeps revoked certificates out.
  returned: with O(firewall=true)
  type: dict
  contains:
    blocks_revoked:
      description:
        - Whether an enabled rule blocks or challenges what is revoked. Null if the rules may not be read, or if one speaks of revoked certificates in a
          way that only a person can judge.
      returned: always
      type: bool
      sample: false
    message:
      description: The same in words.
      returned: always
      type: str
      sample: no WAF custom rule looks at cf.tls_client_auth.cert_revoked, so revoked certificates are let through
    rules:
      description: The rules that look at client certificates, each with C(description), C(action), C(enabled) and C(expression).
      returned: always
      type: list
      elements: dict
      sample: []
http:
  description: How many requests were sent, how many of them were repeats, and for how many seconds all threads together waited.
  returned: success
  type: dict
  sample: {"requests": 7, "retries": 0, "seconds_waited": 0.0}
error:
  description: What went wrong, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id).
  returned: on failure
  type: dict
  sample: {"kind": "authorization", "message": "...", "status": 403, "code": "10000", "detail": "...", "request_id": "86610873f8d987a9-IAD"}
"""

import datetime
import re
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import any_of, options
from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import (
    CONNECTION_OPTIONS,
    STATUSES,
    ClientCertificate,
    CloudflareClient,
    certificate_ref,
    connect,
)
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AuthenticationError,
    AuthorizationError,
    InputError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.records import Record, record_in, text_of
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_info
from ansible_collections.certops.remediation.plugins.module_utils.x509 import CRYPTOGRAPHY_IMPORT_ERROR, meant_key_sha256

SUBJECT = ("common_name", "organization", "organizational_unit")
ARGUMENT_SPEC: options.Spec = options.merge(
    CONNECTION_OPTIONS,
    any_of.OPTION,
    {
        "certificates": {"type": "list", "elements": "raw"},
        "public_keys": {"type": "list", "elements": "str", "no_log": False},
        "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        **{name: {"type": "list", "elements": "str"} for name in SUBJECT},
        "expired": {"type": "bool"},
        "expires_within_days": {"type": "int"},
        "pem": {"type": "bool", "default": False},
        "hostnames": {"type": "bool", "default": False},
        "firewall": {"type": "bool", "default": False},
    },
)

# True for a certificate of the managed authority that was revoked (vendor's guide to mTLS at the edge).
REVOKED_FIELD = "cf.tls_client_auth.cert_revoked"
KEEPING_OUT = frozenset({"block", "managed_challenge", "js_challenge", "challenge"})


class Filter:
    """Which certificates are meant.

    :raises InputError: a value cannot be meant.
    """

    def __init__(self, params: t.Mapping[str, t.Any], moment: datetime.datetime) -> None:
        options.check_range(params, "expires_within_days", 0, 36500)
        keys, within = params.get("public_keys"), params.get("expires_within_days")
        self._moment = moment
        self._wanted = any_of.AnyOf.of(params)
        self._statuses = params.get("status")
        self._expired = params.get("expired")
        self._keys = None if keys is None else {meant_key_sha256("public_keys", key) for key in keys}
        self._end = None if within is None else moment + datetime.timedelta(days=within)
        self._subject: dict[str, list[re.Pattern[str]]] = {}
        for name in SUBJECT:
            if params.get(name) is not None:
                if any(not text.strip() for text in params[name]):
                    raise InputError(name, "an empty text is no value to look for")
                self._subject[name] = [_pattern(text) for text in params[name]]

    def takes(self, certificate: ClientCertificate) -> bool:
        """Whether this one is meant."""
        expired = certificate.expires_before(self._moment)
        return (
            (self._wanted is None or self._is_wanted(certificate))
            and (self._statuses is None or certificate.status in self._statuses)
            and (self._keys is None or certificate.key in self._keys)
            and (self._expired is None or expired == self._expired)
            and (self._end is None or (not expired and certificate.expires_before(self._end)))
            and all(any(pattern.fullmatch(text_of(certificate.record, name)) for pattern in wanted) for name, wanted in self._subject.items())
        )

    def _is_wanted(self, certificate: ClientCertificate) -> bool:
        return self._wanted is not None and self._wanted.takes(
            serials=[f"{number:X}" for number in certificate.serials],
            thumbprint=certificate.thumbprint,
            fingerprint=certificate.fingerprint,
            key=certificate.key,
            names=[certificate.common_name],
        )


def _pattern(text: str) -> re.Pattern[str]:
    """``*`` alone has a meaning; people have brackets and question marks in their names."""
    return re.compile(".*".join(map(re.escape, text.strip().split("*"))), re.IGNORECASE | re.DOTALL)


def record_of(certificate: ClientCertificate, zone_id: str, moment: datetime.datetime, *, pem: bool) -> Record:
    """What is told of a certificate, in the words of Cloudflare."""
    record = certificate.record
    told: Record = {
        "id": certificate.id,
        "zone_id": zone_id,
        "status": certificate.status,
        "common_name": certificate.common_name,
        **{name: text_of(record, name) for name in ("organization", "organizational_unit", "country", "state", "location")},
        # Without the certificate, the base of what Cloudflare writes is not known.
        "serial": f"{next(iter(certificate.serials)):X}" if certificate.thumbprint else None,
        "serial_number": text_of(record, "serial_number", 80),
        "fingerprint_sha256": certificate.fingerprint,
        "thumbprint": certificate.thumbprint,
        "public_key_sha256": certificate.key,
        "validity_days": certificate.validity_days,
        "issued_on": certificate.issued_on,
        "expires_on": certificate.expires_on,
        "expired": certificate.expires_before(moment),
        "certificate_authority": text_of(record_in(record, "certificate_authority"), "name"),
    }
    if pem:
        told.update(certificate=certificate.pem, csr=str(record.get("csr") or "").replace("\r", "").strip() + "\n")
    return told


def firewall_of(client: CloudflareClient) -> Record:
    """Whether a WAF custom rule keeps revoked certificates out, as far as a text can be judged."""
    try:
        rules = client.firewall_rules()
    except AuthorizationError as error:
        return {"blocks_revoked": None, "message": f"the WAF custom rules may not be read ({error.detail}); the token needs Zone WAF Read", "rules": []}
    except VendorError as error:
        return {"blocks_revoked": None, "message": f"the WAF custom rules cannot be read ({error.detail or error.message})", "rules": []}
    told: list[Record] = [
        {
            "description": text_of(rule, "description"),
            "action": text_of(rule, "action", 40),
            "enabled": rule.get("enabled") is not False,
            "expression": text_of(rule, "expression", 2000),
        }
        for rule in rules
        if "cf.tls_client_auth." in str(rule.get("expression") or "")
    ]
    looking = [rule for rule in told if REVOKED_FIELD in rule["expression"]]
    skipping = any(rule.get("action") == "skip" and rule.get("enabled") is not False for rule in rules)
    acting = [rule for rule in looking if rule["enabled"] and rule["action"] in KEEPING_OUT]
    if acting and skipping:
        # Which of the other rules it skips, and for whom, is more than can be told from here.
        message = f"a WAF custom rule looks at {REVOKED_FIELD}, but another one skips rules; see whether it lets revoked certificates through"
        return {"blocks_revoked": None, "message": message, "rules": told}
    judged = [hosts_of(rule["expression"]) for rule in acting]
    if frozenset() in judged:
        return {"blocks_revoked": True, "message": f"a WAF custom rule with {REVOKED_FIELD} keeps revoked certificates out", "rules": told}
    if acting:
        covered = frozenset().union(*(hosts for hosts in judged if hosts))
        try:
            hostnames = client.hostnames()
        except VendorError as error:
            message = f"a WAF custom rule looks at {REVOKED_FIELD}; for which hosts it should cannot be read ({error.detail or error.message})"
            return {"blocks_revoked": None, "message": message, "rules": told}
        open_hosts = [host for host in hostnames if host.lower() not in covered]
        if covered and not open_hosts:
            return {"blocks_revoked": True, "message": f"WAF custom rules keep revoked certificates out of {', '.join(sorted(covered))}", "rules": told}
        where = f", but not for {', '.join(open_hosts[:5])}" if covered else ""
        return {"blocks_revoked": None, "message": f"a WAF custom rule looks at {REVOKED_FIELD}{where}; see whether it means what you want", "rules": told}
    problem = f"the rules that look at {REVOKED_FIELD} are disabled or do not block" if looking else f"no WAF custom rule looks at {REVOKED_FIELD}"
    return {"blocks_revoked": False, "message": f"{problem}, so revoked certificates are let through", "rules": told}


def hostnames_of(client: CloudflareClient, warn: t.Callable[[str], None]) -> list[str] | None:
    """The mTLS host names; None where they cannot be read, which is no reason to find nothing."""
    try:
        return client.hostnames()
    except AuthenticationError:
        raise
    except VendorError as error:
        warn(f"the mTLS host names cannot be read: {error.message}")
        return None


def hosts_of(expression: str) -> frozenset[str] | None:
    """For which hosts a rule catches what is revoked, in one of the usual ways to write that; empty for all hosts, None where only a person can tell."""
    hosts = r'http\.host\s+(?:in\s*\{[^{}"]*"[^{}]*\}|(?:eq|==)\s*"[^"]*")'
    words = re.sub(hosts, " HOSTS ", expression)
    words = re.sub(r"(?:\bnot\s+|!\s*)cf\.tls_client_auth\.cert_verified\b", " UNVERIFIED ", words)
    words = words.replace(REVOKED_FIELD, " REVOKED ").replace("&&", " and ").replace("||", " or ")
    words = " ".join(re.sub("[()]", " ", words).split())
    if not re.fullmatch("(HOSTS and )?(UNVERIFIED or )?REVOKED( or UNVERIFIED)?( and HOSTS)?", words):
        return None
    return frozenset(name.lower() for clause in re.findall(hosts, expression) for name in re.findall('"([^"]*)"', clause))


def read(task: Task) -> dict[str, t.Any]:
    """The result of the task.

    :raises RemediationError: wrong options, credentials or connection.
    """
    params = task.params
    moment = datetime.datetime.now(datetime.timezone.utc)
    wanted = Filter(params, moment)
    refs = None if params.get("certificates") is None else [certificate_ref(f"certificates[{i}]", given) for i, given in enumerate(params["certificates"])]
    client = connect(params, read_only=True, secrets=task.secrets, warn=task.warn)
    try:
        missing: list[Record] = []
        total: int | None = None
        if refs is None:
            found, total = client.certificates()
        else:
            found = []
            for ref, result in zip(refs, client.find(refs)):
                if isinstance(result, RemediationError):
                    missing.append({"target": ref.label, "error": result.as_result()})
                else:
                    found += result
        found = [certificate for certificate in {certificate.id: certificate for certificate in found}.values() if wanted.takes(certificate)]
        told: dict[str, t.Any] = {
            "certificates": [record_of(certificate, client.zone_id, moment, pem=params["pem"]) for certificate in found],
            "count": len(found),
            "total": total,
            "statuses": {status: sum(certificate.status == status for certificate in found) for status in STATUSES},
            "not_found": missing,
            "zone_id": client.zone_id,
        }
        if params["hostnames"]:
            told["hostnames"] = hostnames_of(client, task.warn)
        if params["firewall"]:
            told["firewall"] = firewall_of(client)
    finally:
        client.transport.close()
    if missing:
        task.warn(f"{len(missing)} of what was named was not found or could not be read; see not_found")
    return {**told, "http": client.transport.statistics()}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, ARGUMENT_SPEC, read)


if __name__ == "__main__":
    main()
