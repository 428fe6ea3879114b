#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_endpoint_info
short_description: Tell which certificates TLS endpoints serve right now, and whether they are revoked
version_added: 0.3.0
author:
  - certops.remediation contributors (@certops)
description:
  - Connects to many TLS servers at the same time and tells which certificate each shows, whether it is the expected one, whether clients would
    trust it, and what its authority says about its revocation. It sends no request beyond the handshake.
  - With O(expected) and O(wait=true) it waits for a roll-out, so that nothing is revoked before its replacement is proven on every endpoint. With
    O(revoked_certificates) it proves a revocation to whoever relies on OCSP or CRLs.
  - A server that is down, hangs or shows another certificate does not fail the task unless O(fail_on) or O(wait) says so.
  - The certificate is read also when it is expired, unknown, for another name, or shown with an old protocol or a weak cipher.
options:
  endpoints:
    description:
      - The servers to look at. Each is a C(host), C(host:port), C([IPv6]:port) or URL, or a mapping.
      - The port is 443 unless the scheme of the URL or V(starttls) means another one. Known are the schemes C(https), C(smtps), C(imaps), C(pop3s),
        C(ftps) and C(ldaps), and C(smtp), C(imap), C(pop3), C(ftp), C(ldap), C(postgres), C(mysql) and C(xmpp) for servers that begin in the clear.
      - The keys of a mapping are V(host) (any of the forms above), V(port), V(server_name) (asked for by SNI, and what the certificate must be
        for; the host by default), V(starttls) (V(none), V(smtp), V(imap), V(pop3), V(ftp), V(ldap), V(postgres), V(mysql) or V(xmpp)),
        V(address) (an IP address to connect to in the place of what the host resolves to) and V(expected) (in the place of O(expected)).
    type: list
    elements: raw
    default: []
  expected:
    description:
      - What the endpoints are to serve; any of these is right.
      - Each is a certificate, a CSR or a public key in PEM form or the path of a file with one, the SHA-256 or SHA-1 fingerprint of a certificate, its
        serial number, or the SHA-256 of its public key, in hexadecimal. Of a file with a chain the first certificate counts.
      - A CSR and a public key are matched by any certificate with that key.
    type: list
    elements: str
  unwanted:
    description:
      - What the endpoints must not serve any more, such as a leaked key, in the forms of O(expected). Whatever matches one of these is not the expected
        certificate, and O(wait=true) waits until it is gone.
    type: list
    elements: str
    version_added: 0.4.0
  revoked_certificates:
    description:
      - Certificates that are to be revoked, in PEM form or the path of a file; of a chain the first, and its issuer is looked for among the others.
      - Their status is looked up and returned in RV(revoked_certificates). No endpoint needs to serve them.
      - Needs O(revocation).
    type: list
    elements: str
    default: []
  pem:
    description:
      - Also return each certificate in PEM, to keep what is about to be replaced.
    type: bool
    default: false
    version_added: 0.4.0
  all_addresses:
    description:
      - Look at every address that a host resolves to. Half of a farm may still serve the old certificate.
      - Without it, the first address that accepts a connection is looked at.
    type: bool
    default: false
  attempts:
    description:
      - How many handshakes to make with each endpoint or address. Behind a load balancer, each may meet another server.
      - Different certificates are different entries of RV(endpoints).
    type: int
    default: 1
  timeout:
    description:
      - How many seconds a look at one endpoint may take, name resolution included; and each request for a CRL, an OCSP response or an issuer.
    type: float
    default: 10
  concurrency:
    description:
      - How many endpoints are looked at at the same time, 64 at most.
    type: int
    default: 32
  ca_path:
    description:
      - The authorities to trust, a file with PEM certificates or a folder as OpenSSL wants it. By default those of the system.
    type: path
  issuer_path:
    description:
      - Files with certificates of issuers, for servers that do not send theirs. The revocation of a certificate cannot be told without its issuer.
    type: list
    elements: path
    default: []
  revocation:
    description:
      - Where to look the certificates up. V(any) asks by OCSP and reads the CRL if that tells nothing; V(none) looks nothing up.
      - Only the server's own certificate is looked up, not those above it.
    type: str
    choices: [none, ocsp, crl, any]
    default: none
  fetch_issuers:
    description:
      - Fetch the issuer from the address in the certificate (AIA, CA Issuers) if neither the server nor O(issuer_path) has it.
    type: bool
    default: true
  allow_private:
    description:
      - Whether CRLs, OCSP responses and issuers may be fetched from private addresses, as those of internal authorities are.
      - The addresses stand in certificates that anybody may have made. So nothing is ever fetched from link-local addresses and metadata services
        of clouds, redirects are not followed, and an answer has a limit on size and time.
    type: bool
    default: true
  allow_loopback:
    description:
      - Whether they may be fetched from the machine itself.
    type: bool
    default: false
  client_cert:
    description:
      - A file with a client certificate in PEM form, for servers that want one. Without it, their certificate is read all the same.
    type: path
  client_key:
    description:
      - A file with the private key of O(client_cert), if it is not in the same file.
    type: path
  client_key_passphrase:
    description:
      - The passphrase of that private key.
    type: str
  wait:
    description:
      - Look again until every endpoint can be reached and serves what is expected of it, and all of O(revoked_certificates) are revoked.
        What has once been as wanted is not looked at again. If O(wait_timeout) is over before, the task fails.
      - In check mode there is one look, and that fails nothing for the sake of this option.
    type: bool
    default: false
  fail_on:
    description:
      - What fails the task. V(unreachable), no certificate was seen; V(mismatch), it is not the expected one; V(unverified), clients would not trust it;
        V(revoked), an endpoint serves a revoked certificate; V(not_revoked), one of O(revoked_certificates) is not known to be.
    type: list
    elements: str
    choices: [unreachable, mismatch, unverified, revoked, not_revoked]
    default: []
extends_documentation_fragment:
  - certops.remediation.wait
  - certops.remediation.attributes
  - certops.remediation.attributes.info
notes:
  - A server with certificates of several key types shows one of them. Which one depends on the client.
  - No proxy is used.
seealso:
  - module: community.crypto.get_certificate
"""

EXAMPLES = r"""
- name: See what is served
  certops.remediation.tls_endpoint_info:
    endpoints:
      - shop.example.com
      - "[2001:db8::10]:8443"
      - smtp://mail.example.com:587
      - host: 192.0.2.10
        server_name: www.example.com
      - host: db.example.com
        starttls: postgres
  register: served

- name: Show what expires first
  ansible.builtin.debug:
    msg: "{{ item.endpoint }} {{ item.chain[0].serial }} {{ item.chain[0].not_after }}"
  loop: "{{ served.endpoints | selectattr('reachable') | sort(attribute='chain.0.not_after') }}"
  loop_control:
    label: "{{ item.endpoint }}"

- name: Wait until every server behind the name serves the new certificate
  certops.remediation.tls_endpoint_info:
    endpoints: [shop.example.com]
    expected: [/etc/pki/reissue/shop.example.com.pem]
    all_addresses: true
    attempts: 5
    wait: true
    wait_timeout: 1800

- name: Prove that nothing serves a leaked key any more, whatever certificate it is in
  certops.remediation.tls_endpoint_info:
    endpoints: "{{ groups['web'] | product([443, 8443]) | map('join', ':') | list }}"
    unwanted: [7d1a0c4a6c9b1c0f4b8f6b1a5d1f7a9b6a0d2c3e4f5061728394a5b6c7d8e9f0]
    fail_on: [unreachable, mismatch]

- name: Prove that the old certificate is revoked for whoever asks, within a day
  certops.remediation.tls_endpoint_info:
    revoked_certificates: [/etc/pki/old/shop.example.com.pem]
    issuer_path: [/etc/pki/old/issuing-ca.pem]
    revocation: any
    wait: true
    wait_timeout: 86400
"""

RETURN = r"""
endpoints:
  description:
    - In the order given, one entry for each endpoint, each of its addresses with O(all_addresses=true), and each thing that was seen there. It is
      one entry if all O(attempts) have seen the same.
  returned: when the options could be read
  type: list
  elements: dict
  contains:
    endpoint:
      description: The endpoint as it was given; the host of a mapping.
      returned: always
      type: str
      sample: shop.example.com
    host:
      description: The host.
      returned: always
      type: str
      sample: shop.example.com
    port:
      description: The port.
      returned: always
      type: int
      sample: 443
    server_name:
      description: The name that was asked for by SNI (unless it is an IP address), and that the certificate must be for.
      returned: always
      type: str
      sample: shop.example.com
    starttls:
      description: The protocol that begins in the clear; C(none) for TLS from the start.
      returned: always
      type: str
      sample: none
    address:
      description: The IP address that answered, or was meant to; null if there is none, or no one of several answered.
      returned: always
      type: str
      sample: 192.0.2.10
    handshakes:
      description: How many of the attempts have seen this.
      returned: always
      type: int
      sample: 1
    reachable:
      description: Whether a certificate was seen.
      returned: always
      type: bool
      sample: true
    error:
      description:
        - Why no certificate was seen, with C(kind) and C(message); null if one was.
        - C(kind) is C(dns), C(refused), C(unreachable) (no route), C(timeout), C(reset), C(starttls) (the server does not begin TLS), C(not_tls) (it
          speaks something else) or C(tls) (the handshake failed before the certificate).
      returned: always
      type: dict
      sample: null
    refusal:
      description:
        - Why the server ended the handshake after it had shown its certificate, such as for want of a client certificate; null if it did not.
        - In TLS 1.3 the client has finished the handshake by then, so this stays null.
      returned: always
      type: str
      sample: null
    protocol:
      description: The version of TLS, C(TLSv1), C(TLSv1.1), C(TLSv1.2) or C(TLSv1.3); null if the handshake was not completed.
      returned: always
      type: str
      sample: TLSv1.3
    cipher:
      description: The cipher suite by OpenSSL's name.
      returned: always
      type: str
      sample: TLS_AES_256_GCM_SHA384
    chain:
      description: The certificates that the server sent, its own first; empty if none was seen. What cannot be parsed is null.
      returned: always
      type: list
      elements: dict
      contains: &certificate
        subject:
          description: The subject in the form of RFC 4514.
          returned: always
          type: str
          sample: CN=shop.example.com,O=Example Corp,C=US
        issuer:
          description: The issuer, likewise.
          returned: always
          type: str
          sample: CN=Example TLS CA 1,O=Example Corp,C=US
        serial:
          description: The serial number in upper-case hexadecimal.
          returned: always
          type: str
          sample: 0A60A8DC5F185C03BE84FE59C12F6E0C
        thumbprint:
          description: SHA-1 over the certificate in upper-case hexadecimal.
          returned: always
          type: str
          sample: 20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6
        fingerprint_sha256:
          description: SHA-256 over the certificate in lower-case hexadecimal.
          returned: always
          type: str
          sample: 5f2d0f3c8c7f6bb0c0a5bd3a2a59a4ef0b6a3a5a8a2a9b5c4d3e2f1a0b9c8d7e
        public_key_sha256:
          description: SHA-256 of the public key (of its SubjectPublicKeyInfo), the same for all certificates and CSRs of one key.
          returned: always
          type: str
          sample: 7d1a0c4a6c9b1c0f4b8f6b1a5d1f7a9b6a0d2c3e4f5061728394a5b6c7d8e9f0
        key_type:
          description: Algorithm and size of the public key.
          returned: always
          type: str
          sample: ecdsa-p256
        not_before:
          description: The beginning of its validity.
          returned: always
          type: str
          sample: "2026-11-20T00:00:00+00:00"
        not_after:
          description: The end of its validity.
          returned: always
          type: str
          sample: "2027-02-18T23:59:59+00:00"
        names:
          description: The subject alternative names.
          returned: always
          type: list
          elements: str
          sample: ["DNS:shop.example.com"]
        pem:
          description: The certificate in PEM.
          returned: with O(pem=true), where an endpoint has served it
          type: str
          sample: "-----BEGIN CERTIFICATE-----\nMIID..."
    verified:
      description:
        - Whether a client that trusts O(ca_path) would accept the certificate for RV(endpoints[].server_name). Revocation does not count here.
        - Null if none was seen.
      returned: always
      type: bool
      sample: true
    verify_error:
      description:
        - Why it would not, with C(reason) and C(message) (OpenSSL's words); null if it would. OpenSSL tells the first problem that it meets.
        - C(reason) is C(unknown_authority), C(self_signed), C(name_mismatch), C(expired), C(not_yet_valid), C(weak) or C(invalid).
      returned: always
      type: dict
      sample: null
    matches:
      description:
        - Whether it is the expected certificate, and none of O(unwanted); null if neither is given or no certificate was seen.
      returned: always
      type: bool
      sample: true
    matched_by:
      description:
        - What it was recognised by, C(certificate), C(public_key), C(fingerprint_sha256), C(public_key_sha256), C(thumbprint) or C(serial); null if it
          does not match.
      returned: always
      type: str
      sample: certificate
    differs:
      description:
        - By what it differs from the expected certificate, such as C(public_key), C(serial), C(issuer), C(names) and C(validity). Empty if it is one of
          O(unwanted).
      returned: always
      type: list
      elements: str
      sample: []
    revocation: &revocation
      description: The revocation status of the certificate; null if it was not looked up.
      returned: always
      type: dict
      contains:
        status:
          description:
            - C(good), C(revoked), C(unknown) (the OCSP responder does not know the certificate) or C(unavailable) (there is no answer that can be
              believed).
          returned: always
          type: str
          sample: good
        source:
          description: Who said so, C(ocsp) or C(crl); null if nobody was asked.
          returned: always
          type: str
          sample: ocsp
        reason:
          description: The reason for a revocation as in RFC 5280; null if none is given.
          returned: always
          type: str
          sample: null
        revoked_at:
          description: When it was revoked.
          returned: always
          type: str
          sample: null
        this_update:
          description: From when the answer is.
          returned: always
          type: str
          sample: "2026-11-22T19:00:00+00:00"
        next_update:
          description: Until when relying parties may go on using this answer; null if it does not say.
          returned: always
          type: str
          sample: "2026-11-23T19:00:00+00:00"
        signature_verified:
          description: Whether the issuer, or somebody entitled by it, has signed the answer; null if there was none to check.
          returned: always
          type: bool
          sample: true
        url:
          description: Where the answer came from, or was to come from.
          returned: always
          type: str
          sample: http://ocsp.example.com/
        error:
          description: Why the status is unavailable.
          returned: always
          type: str
          sample: null
revoked_certificates:
  description: The certificates of the option of this name, in its order, with the keys of RV(endpoints[].chain) and C(revocation).
  returned: when the options could be read
  type: list
  elements: dict
  contains:
    <<: *certificate
    revocation: *revocation
summary:
  description:
    - How many C(endpoints) were given; of how many all that was seen is C(reachable), C(matching), C(verified), and of how many anything is
      C(unreachable), C(mismatch), C(unverified), C(revoked); and how many of O(revoked_certificates) are C(not_revoked).
  returned: when the options could be read
  type: dict
  sample:
    endpoints: 3
    reachable: 3
    unreachable: 0
    matching: 2
    mismatch: 1
    verified: 3
    unverified: 0
    revoked: 0
    not_revoked: 0
looks:
  description: How often was looked; more than 1 only with O(wait).
  returned: when the options could be read
  type: int
  sample: 1
error:
  description:
    - What went wrong, if an option cannot be used, with the keys C(kind), C(message), C(status), C(code), C(detail) and C(request_id).
  returned: on such a failure
  type: dict
  sample: null
"""

import contextlib
import dataclasses
import datetime
import functools
import hashlib
import ssl
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.revocation_status import (
    REVOKED,
    UNAVAILABLE,
    UNREADABLE,
    Fetcher,
    RevocationChecker,
    Status,
    moment,
)
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_local
from ansible_collections.certops.remediation.plugins.module_utils.tls_endpoints import (
    STARTTLS,
    Endpoint,
    EndpointError,
    Sighting,
    Verdict,
    Verifier,
    look,
    observing_context,
    read_endpoint,
    resolve,
)
from ansible_collections.certops.remediation.plugins.module_utils.x509 import (
    CRYPTOGRAPHY_IMPORT_ERROR,
    alternative_names,
    key_type,
    load_certificates,
    load_request,
    meant_key_sha256,
    normalise_hex,
    public_key_sha256,
)

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:
    pass  # CRYPTOGRAPHY_IMPORT_ERROR tells.

PROBLEMS = ("unreachable", "mismatch", "unverified", "revoked", "not_revoked")
ARGUMENT_SPEC: options.Spec = options.merge(
    options.WAIT_OPTIONS,
    {
        "endpoints": {"type": "list", "elements": "raw", "default": []},
        "expected": {"type": "list", "elements": "str"},
        "unwanted": {"type": "list", "elements": "str"},
        "revoked_certificates": {"type": "list", "elements": "str", "default": []},
        "pem": {"type": "bool", "default": False},
        "all_addresses": {"type": "bool", "default": False},
        "attempts": {"type": "int", "default": 1},
        "timeout": {"type": "float", "default": 10},
        "concurrency": {"type": "int", "default": 32},
        "ca_path": {"type": "path"},
        "issuer_path": {"type": "list", "elements": "path", "default": []},
        "revocation": {"type": "str", "choices": ["none", "ocsp", "crl", "any"], "default": "none"},
        "fetch_issuers": {"type": "bool", "default": True},
        "allow_private": {"type": "bool", "default": True},
        "allow_loopback": {"type": "bool", "default": False},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "client_key_passphrase": {"type": "str", "no_log": True},
        "fail_on": {"type": "list", "elements": "str", "choices": list(PROBLEMS), "default": []},
    },
)
ENDPOINT_KEYS = ("host", "port", "server_name", "starttls", "address", "expected")

PROBLEMS_IN_MESSAGE = 20
MAX_PAUSE = 30.0


# -- what is expected --------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Expected:
    """One thing that a certificate may be recognised by; exactly one of the members is set."""

    certificate: dict[str, t.Any] | None = None
    public_key_sha256: str = ""
    digits: str = ""

    def compare(self, found: t.Mapping[str, t.Any]) -> tuple[str | None, list[str]]:
        """What ``found`` is recognised by, or by what it differs."""
        if self.certificate is not None:
            if found["fingerprint_sha256"] == self.certificate["fingerprint_sha256"]:
                return "certificate", []
            fields = {"public_key": ["public_key_sha256"], "validity": ["not_before", "not_after"]}
            told = ("public_key", "serial", "issuer", "names", "validity")
            differs = [name for name in told if any(found[field] != self.certificate[field] for field in fields.get(name, [name]))]
            return None, differs or ["fingerprint_sha256"]
        if self.public_key_sha256:
            return ("public_key", []) if found["public_key_sha256"] == self.public_key_sha256 else (None, ["public_key"])
        by = {64: ["fingerprint_sha256", "public_key_sha256"], 40: ["thumbprint", "serial"]}.get(len(self.digits), ["serial"])
        for name in by:
            if (found[name] or "").upper().lstrip("0") == self.digits.lstrip("0"):
                return name, []
        return None, by


def read_expected(text: str, option: str = "expected") -> Expected:
    """:raises InputError: it is nothing that a certificate could be recognised by."""
    if "-----BEGIN" in text:
        data = text.encode("utf-8", "replace")
    else:
        try:
            digits = normalise_hex(option, text)
        except InputError:
            data = options.read_file(option, options.expanded_path(text.strip()))
        else:
            if len(digits) > 40 and len(digits) != 64:
                raise InputError(option, f"{printable(text, 80)!r} is neither a serial number (40 digits at most) nor a fingerprint (40 or 64 digits)")
            return Expected(digits=digits)
    if b"-----BEGIN PUBLIC KEY" in data:
        return Expected(public_key_sha256=meant_key_sha256(option, data.decode("utf-8", "replace")))
    if b"CERTIFICATE REQUEST-----" not in data:
        try:
            return Expected(certificate=describe(_der(load_certificates(option, data)[0])))
        except InputError:
            if b"-----BEGIN" in data:
                raise
    with contextlib.suppress(InputError, *UNREADABLE):
        return Expected(public_key_sha256=public_key_sha256(load_request(option, data)))
    shown = "the PEM text" if "-----BEGIN" in text else repr(printable(text, 200))
    raise InputError(option, f"{shown} holds no readable certificate, CSR or public key")


# -- what is seen ------------------------------------------------------------------------------------------------------------------------


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


@functools.lru_cache(maxsize=None)
def parse(der: bytes) -> x509.Certificate | None:
    """A certificate; None if it cannot be parsed."""
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE:
        return None


@functools.lru_cache(maxsize=None)
def describe(der: bytes) -> dict[str, t.Any]:
    """What is told of a certificate. Anybody may have made it, so each part may be unreadable, and nothing is printed as it is."""
    certificate = parse(der)

    def told(read: t.Callable[[x509.Certificate], t.Any]) -> t.Any:
        try:
            return read(certificate) if certificate else None
        except UNREADABLE:
            return None

    def hexadecimal(number: int) -> str:
        digits = f"{number:X}"
        return digits if len(digits) % 2 == 0 else f"0{digits}"

    return {
        "subject": told(lambda item: printable(item.subject.rfc4514_string(), 1000)),
        "issuer": told(lambda item: printable(item.issuer.rfc4514_string(), 1000)),
        "serial": told(lambda item: hexadecimal(item.serial_number)),
        "thumbprint": hashlib.sha1(der).hexdigest().upper(),
        "fingerprint_sha256": hashlib.sha256(der).hexdigest(),
        "public_key_sha256": told(public_key_sha256),
        "key_type": told(lambda item: key_type(item.public_key())),
        "not_before": told(lambda item: _written(moment(item, "not_valid_before"))),
        "not_after": told(lambda item: _written(moment(item, "not_valid_after"))),
        "names": told(lambda item: [printable(name, 500) for name in alternative_names(item)]),
    }


def _written(value: datetime.datetime | None) -> str | None:
    return value.isoformat() if value else None


@dataclasses.dataclass(frozen=True)
class Target:
    """An endpoint of the task, as it was given and as it was understood."""

    given: str
    endpoint: Endpoint
    expected: tuple[Expected, ...]
    unwanted: tuple[Expected, ...] = ()


class Observer:
    """Looks at endpoints with the options of the task."""

    def __init__(self, params: t.Mapping[str, t.Any]) -> None:
        self._params = params
        self._issuers = [item for path in params["issuer_path"] for item in load_certificates("issuer_path", options.read_file("issuer_path", path))]
        self._context: ssl.SSLContext = observing_context(params["client_cert"], params["client_key"], params["client_key_passphrase"])
        self._verifier = Verifier(params["ca_path"])
        self._fetcher = Fetcher(params["timeout"], params["allow_private"], params["allow_loopback"])

    def checker(self) -> RevocationChecker | None:
        """A new one for each look, because it asks everybody only once."""
        mode = self._params["revocation"]
        return None if mode == "none" else RevocationChecker(mode, self._fetcher, self._issuers, fetch_issuers=self._params["fetch_issuers"])

    def see(self, targets: t.Sequence[Target]) -> list[list[dict[str, t.Any]]]:
        """The entries of each target."""
        timeout, workers = self._params["timeout"], self._params["concurrency"]
        resolved = in_parallel(lambda target: _addresses(target.endpoint, timeout), targets, workers)
        # (target, addresses to try, seconds left): one for each handshake.
        jobs: list[tuple[int, list[str], float]] = []
        errors: dict[int, EndpointError] = {}
        for number, (addresses, left) in enumerate(resolved):
            if isinstance(addresses, EndpointError):
                errors[number] = addresses
                continue
            for group in [[address] for address in addresses] if self._params["all_addresses"] else [addresses]:
                jobs += [(number, group, left)] * self._params["attempts"]
        seen = in_parallel(lambda job: self._look(targets[job[0]].endpoint, job[1], job[2]), jobs, workers)

        groups: list[dict[t.Any, list[t.Any]]] = [{} for dummy in targets]
        for (number, addresses, dummy), result in zip(jobs, seen):
            address = result.address if isinstance(result, Sighting) else addresses[0] if len(addresses) == 1 else None
            what = (result.chain, bool(result.refusal)) if isinstance(result, Sighting) else result.kind
            groups[number].setdefault((address, what), []).append(result)
        for number, error in errors.items():
            groups[number][None, error.kind] = [error] * self._params["attempts"]
        checker = self.checker()
        found = [(number, address, results) for number, group in enumerate(groups) for (address, dummy), results in group.items()]
        entries = in_parallel(lambda item: self._entry(targets[item[0]], item[1], item[2], checker), found, workers)
        by_target: list[list[dict[str, t.Any]]] = [[] for dummy in targets]
        for (number, dummy_address, dummy_results), entry in zip(found, entries):
            by_target[number].append(entry)
        return by_target

    def _look(self, endpoint: Endpoint, addresses: t.Sequence[str], left: float) -> Sighting | EndpointError:
        try:
            return look(endpoint, addresses, self._context, time.monotonic() + left)
        except EndpointError as error:
            return error

    def _entry(self, target: Target, address: str | None, results: t.Sequence[t.Any], checker: RevocationChecker | None) -> dict[str, t.Any]:
        endpoint, result = target.endpoint, results[0]
        sighting = result if isinstance(result, Sighting) else None
        chain = [describe(der) for der in sighting.chain] if sighting else []
        verdict: Verdict | None = None
        status: Status | None = None
        if sighting:
            verdict = self._verifier.judge(sighting.chain, endpoint.server_name, rsa=(chain[0]["key_type"] or "").startswith("rsa"))
            leaf, *above = map(parse, sighting.chain)
            if checker and leaf:
                status = checker.status(leaf, [item for item in above if item])
            elif checker:
                status = Status(UNAVAILABLE, error="the certificate cannot be parsed")
        matches, matched_by, differs = _compare(target, chain[0] if chain else None)
        return {
            "endpoint": target.given,
            "host": endpoint.host,
            "port": endpoint.port,
            "server_name": endpoint.server_name,
            "starttls": endpoint.starttls,
            "address": address,
            "handshakes": len(results),
            "reachable": sighting is not None,
            "error": None if sighting else {"kind": result.kind, "message": result.message},
            "refusal": sighting.refusal if sighting else None,
            "protocol": sighting.protocol if sighting else None,
            "cipher": sighting.cipher if sighting else None,
            "chain": [{**item, "pem": _pem(der)} for item, der in zip(chain, sighting.chain)] if sighting and self._params["pem"] else chain,
            "verified": verdict.verified if verdict else None,
            "verify_error": {"reason": verdict.reason, "message": verdict.message} if verdict and not verdict.verified else None,
            "matches": matches,
            "matched_by": matched_by,
            "differs": differs,
            "revocation": status.as_result() if status else None,
        }


def _pem(der: bytes) -> str | None:
    return ssl.DER_cert_to_PEM_cert(der) if parse(der) else None


def _addresses(endpoint: Endpoint, timeout: float) -> tuple[list[str] | EndpointError, float]:
    """The addresses of an endpoint, and how much of its time is left."""
    begin = time.monotonic()
    try:
        found: list[str] | EndpointError = resolve(endpoint, begin + timeout)
    except EndpointError as error:
        found = error
    return found, timeout - (time.monotonic() - begin)


def _compare(target: Target, found: t.Mapping[str, t.Any] | None) -> tuple[bool | None, str | None, list[str]]:
    """Whether a certificate is one of the expected ones, how that is known, or by what it differs from the one that comes closest."""
    if not (target.expected or target.unwanted) or found is None:
        return None, None, []
    if any(item.compare(found)[0] for item in target.unwanted):
        return False, None, []
    if not target.expected:
        return True, None, []
    compared = [item.compare(found) for item in target.expected]
    for matched_by, dummy in compared:
        if matched_by:
            return True, matched_by, []
    return False, None, min((differs for dummy, differs in compared), key=len)


# -- the whole task ----------------------------------------------------------------------------------------------------------------------


def read_targets(params: t.Mapping[str, t.Any]) -> list[Target]:
    """:raises InputError: one of the endpoints, or what is expected of it, cannot be understood."""
    understood = functools.lru_cache(maxsize=None)(read_expected)
    unwanted = tuple(read_expected(text, "unwanted") for text in params["unwanted"] or () if text.strip())
    targets = []
    for entry in params["endpoints"]:
        given = entry if isinstance(entry, dict) else {"host": entry}
        if not set(ENDPOINT_KEYS).issuperset(given):
            unknown = ", ".join(sorted(printable(str(key), 40) for key in set(given) - set(ENDPOINT_KEYS)))
            raise InputError("endpoints", f"a mapping has no {unknown}; known are {', '.join(ENDPOINT_KEYS)}")
        given = {key: None if value == "" else value for key, value in given.items()}
        if given.get("starttls") not in (None, "none", *STARTTLS):
            raise InputError("endpoints", f"starttls is none, {', '.join(STARTTLS)}, and not {printable(str(given['starttls']), 40)!r}")
        try:
            given["port"] = int(given["port"]) if given.get("port") is not None else None
        except (TypeError, ValueError):
            raise InputError("endpoints", f"{printable(str(given['port']), 40)!r} is not a port") from None
        wanted = given.get("expected") or params["expected"] or ()
        wanted = [wanted] if isinstance(wanted, (str, int)) else wanted
        texts = [str(text) for text in wanted if str(text).strip()]
        targets.append(Target(printable(str(given.get("host")), 300), read_endpoint(given), tuple(understood(text) for text in texts), unwanted))
    return targets


def problems_of(entry: t.Mapping[str, t.Any]) -> list[str]:
    """Of the words of fail_on those that an entry deserves."""
    found = {
        "unreachable": not entry["reachable"],
        "mismatch": entry["matches"] is False,
        "unverified": entry["verified"] is False,
        "revoked": entry["revocation"] is not None and entry["revocation"]["status"] == REVOKED,
    }
    return [name for name, there in found.items() if there]


def work(task: Task) -> dict[str, t.Any]:
    """The result of the task."""
    params = task.params
    given = [entry.get("expected") for entry in params["endpoints"] if isinstance(entry, dict)]
    texts = [text for item in given for text in (item if isinstance(item, list) else [item])]
    for text in (str(text) for text in (*(params["expected"] or ()), *(params["unwanted"] or ()), *params["revoked_certificates"], *texts)):
        if "PRIVATE KEY" in text:
            # Nobody needs to give one; Ansible would show it among the arguments.
            task.secrets.add(text)
            raise InputError("expected", "holds a private key, which does not belong into an option; give a certificate, a CSR or a public key")
    for name, low, high in (("attempts", 1, 100), ("timeout", 0.1, 3600), ("concurrency", 1, options.MAX_CONCURRENCY)):
        options.check_range(params, name, low, high)
    for name in ("wait_timeout", "wait_interval"):
        options.check_range(params, name, 1)
    if params["revoked_certificates"] and params["revocation"] == "none":
        raise InputError("revoked_certificates", "needs revocation, which says where to look them up; any is good for most")
    if params["client_key"] and not params["client_cert"]:
        raise InputError("client_key", "given without client_cert, which holds the certificate of this key")
    targets = read_targets(params)
    revoked = [_certificates(text) for text in params["revoked_certificates"]]
    observer = Observer(params)

    entries: list[list[dict[str, t.Any]]] = [[] for dummy in targets]
    statuses: list[Status | None] = [None] * len(revoked)
    open_targets, open_revoked = list(range(len(targets))), list(range(len(revoked)))
    deadline, pause, looks = time.monotonic() + params["wait_timeout"], float(params["wait_interval"]), 0
    while True:
        looks += 1
        for number, found in zip(open_targets, observer.see([targets[number] for number in open_targets])):
            entries[number] = found
        checker = observer.checker()
        if checker:
            found_statuses = in_parallel(lambda number: checker.status(revoked[number][0], revoked[number][1:]), open_revoked, params["concurrency"])
            for number, status in zip(open_revoked, found_statuses):
                statuses[number] = status
        open_targets = [number for number in open_targets if any(not item["reachable"] or item["matches"] is False for item in entries[number])]
        open_revoked = [number for number in open_revoked if not _is_revoked(statuses[number])]
        left = deadline - time.monotonic()
        if task.check_mode or not params["wait"] or not (open_targets or open_revoked) or left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, max(MAX_PAUSE, pause))

    summary = _summary(entries, statuses)
    ran_out = params["wait"] and not task.check_mode and bool(open_targets or open_revoked)
    return {
        "changed": False,
        "failed": ran_out or any(summary[name] for name in params["fail_on"]),
        "msg": _message(params, entries, revoked, statuses, ran_out),
        "endpoints": [entry for found in entries for entry in found],
        "revoked_certificates": [
            {**describe(_der(chain[0])), "revocation": status.as_result() if status else None} for chain, status in zip(revoked, statuses)
        ],
        "summary": summary,
        "looks": looks,
    }


def _certificates(text: str) -> list[x509.Certificate]:
    option = "revoked_certificates"
    data = text.encode("utf-8", "replace") if "-----BEGIN" in text else options.read_file(option, options.expanded_path(text.strip()))
    return load_certificates(option, data)


def _is_revoked(status: Status | None) -> bool:
    return status is not None and status.status == REVOKED


def _summary(entries: t.Sequence[t.Sequence[t.Mapping[str, t.Any]]], statuses: t.Sequence[Status | None]) -> dict[str, int]:
    problems = [{name for entry in found for name in problems_of(entry)} for found in entries]
    return {
        "endpoints": len(entries),
        "reachable": sum("unreachable" not in found for found in problems),
        "unreachable": sum("unreachable" in found for found in problems),
        "matching": sum(all(entry["matches"] for entry in found) for found in entries),
        "mismatch": sum("mismatch" in found for found in problems),
        "verified": sum(all(entry["verified"] for entry in found) for found in entries),
        "unverified": sum("unverified" in found for found in problems),
        "revoked": sum("revoked" in found for found in problems),
        "not_revoked": sum(not _is_revoked(status) for status in statuses),
    }


def _message(
    params: t.Mapping[str, t.Any],
    entries: t.Sequence[t.Sequence[t.Mapping[str, t.Any]]],
    revoked: t.Sequence[t.Sequence[x509.Certificate]],
    statuses: t.Sequence[Status | None],
    ran_out: bool,
) -> str:
    """One line for each thing that fails the task, or that it has waited for in vain."""
    counted = set(params["fail_on"]) | ({"unreachable", "mismatch", "not_revoked"} if ran_out else set())
    lines = []
    for entry in (entry for found in entries for entry in found):
        told = [_told(entry, name) for name in problems_of(entry) if name in counted]
        if told:
            place = f"{entry['endpoint']}" + (f" [{entry['address']}]" if entry["address"] not in (None, entry["host"]) else "")
            lines.append(f"{place}: {'; '.join(told)}")
    for chain, status in zip(revoked, statuses):
        if "not_revoked" in counted and status and not _is_revoked(status):
            lines.append(f"{describe(_der(chain[0]))['subject']}: its status is {status.status}" + (f" ({status.error})" if status.error else ""))
    more = [f"... and {len(lines) - PROBLEMS_IN_MESSAGE} more; see endpoints"] if len(lines) > PROBLEMS_IN_MESSAGE else []
    first = f"Waited for {params['wait_timeout']} seconds in vain." if ran_out else f"{len(entries)} endpoint{'' if len(entries) == 1 else 's'} looked at."
    return "\n".join([first, *lines[:PROBLEMS_IN_MESSAGE], *more])


def _told(entry: t.Mapping[str, t.Any], problem: str) -> str:
    if problem == "unreachable":
        return str(entry["error"]["message"])
    if problem == "mismatch":
        leaf, differs = entry["chain"][0], ", ".join(entry["differs"]).replace("_", " ")
        return f"serves serial number {leaf['serial']}, which is {f'not what is expected (other {differs})' if differs else 'unwanted'}"
    if problem == "unverified":
        return f"would not be trusted: {entry['verify_error']['message']}"
    return f"serves a certificate that is revoked since {entry['revocation']['revoked_at']}"


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if CRYPTOGRAPHY_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("cryptography"), exception=CRYPTOGRAPHY_IMPORT_ERROR)
    run_local(module, ARGUMENT_SPEC, work)


if __name__ == "__main__":
    main()
