# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an authority publishes: OCSP (RFC 6960), CRLs and its own certificate, for every issuer of the simulator."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from ..authority import Authority, Issuer, new_key
from ..clock import Clock, utc
from ..exchange import Answer, Call, not_found
from .switches import Switches

PREFIX = "/pki"
STRANGER = x509.Name.from_rfc4514_string("CN=Somebody Else CA")
DELEGATE = x509.Name.from_rfc4514_string("CN=OCSP Responder")


class Revocation(NamedTuple):
    """When and why (RFC 5280's name) a certificate was revoked."""

    time: float
    reason: str


def label(issuer: Issuer) -> str:
    """What stands for an issuer in addresses."""
    return hashlib.sha256(issuer.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()[:16]


class Publisher:
    """Answers below ``/pki``. ``revoked`` gives what is revoked by serial number, whoever has revoked it."""

    def __init__(self, clock: Clock, authority: Authority, switches: Switches, revoked: Callable[[], dict[int, Revocation]]) -> None:
        self.url = ""
        self._clock = clock
        self._authority = authority
        self._switches = switches
        self._revoked = revoked

    def extensions(self, issuer: Issuer, kinds: Iterable[str]) -> list[tuple[x509.ExtensionType, bool]]:
        """AIA and CDP for a certificate of an issuer; ``kinds`` are ocsp, crl and issuer."""
        name = label(issuer)
        wanted = set(kinds)
        access = []
        if "ocsp" in wanted:
            access.append(_access(AuthorityInformationAccessOID.OCSP, f"{self.url}/ocsp"))
        if "issuer" in wanted:
            access.append(_access(AuthorityInformationAccessOID.CA_ISSUERS, f"{self.url}/{name}.cer"))
        found: list[tuple[x509.ExtensionType, bool]] = [(x509.AuthorityInformationAccess(access), False)] if access else []
        if "crl" in wanted:
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{self.url}/{name}.crl")], None, None, None)
            found.append((x509.CRLDistributionPoints([point]), False))
        return found

    def handle(self, call: Call) -> Answer:
        what = call.path[len(PREFIX):].strip("/")
        if what == "ocsp" and call.method == "POST":
            return self._ocsp(call.body)
        if what.startswith("ocsp/") and call.method == "GET":
            # Not of the path in lower case.
            return self._ocsp(base64.b64decode(unquote(call.raw_path).split("/ocsp/", 1)[1]))
        name, dummy, ending = what.partition(".")
        issuer = next((item for item in self._authority.issuers() if label(item) == name), None)
        if issuer is None or call.method != "GET":
            return not_found()
        if ending == "cer":
            return Answer(200, issuer.certificate.public_bytes(serialization.Encoding.DER), content_type="application/pkix-cert")
        return Answer(200, self._crl(issuer), content_type="application/pkix-crl") if ending == "crl" else not_found()

    def _published(self) -> dict[int, Revocation]:
        """What relying parties are told by now."""
        until = self._clock.now() - self._switches.publication_lag_seconds
        return {serial: item for serial, item in self._revoked().items() if item.time <= until}

    # -- OCSP ----------------------------------------------------------------------------------------------------

    def _ocsp(self, body: bytes) -> Answer:
        switches = self._switches
        try:
            request = ocsp.load_der_ocsp_request(body)
        except ValueError:
            return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
        if switches.ocsp_status != "successful":
            return _unsuccessful(ocsp.OCSPResponseStatus[switches.ocsp_status.upper()])
        issuer = next((item for item in self._authority.issuers() if _ids(item, request.hash_algorithm) == _asked(request)), None)
        if issuer is None:
            return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        begin = utc(self._clock.now() - switches.ocsp_age_seconds).replace(microsecond=0)
        revocation = self._published().get(request.serial_number)
        status = ocsp.OCSPCertStatus.UNKNOWN
        if switches.ocsp_knows:
            status = ocsp.OCSPCertStatus.REVOKED if revocation else ocsp.OCSPCertStatus.GOOD
        else:
            revocation = None
        signer, key, certificates = self._ocsp_signer(issuer, begin)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            request.issuer_name_hash,
            request.issuer_key_hash,
            request.serial_number + (switches.ocsp_serial == "other"),
            request.hash_algorithm,
            cert_status=status,
            this_update=begin,
            next_update=begin + timedelta(seconds=switches.ocsp_lifetime_seconds) if switches.ocsp_lifetime_seconds else None,
            revocation_time=utc(revocation.time).replace(microsecond=0) if revocation else None,
            revocation_reason=_flag(revocation) if revocation else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        if certificates:
            builder = builder.certificates(certificates)
        response = builder.sign(key, hashes.SHA256())
        return Answer(200, response.public_bytes(serialization.Encoding.DER), content_type="application/ocsp-response")

    def _ocsp_signer(self, issuer: Issuer, begin: datetime) -> tuple[x509.Certificate, Any, list[x509.Certificate]]:
        kind = self._switches.ocsp_signer
        if kind == "issuer":
            return issuer.certificate, issuer.key, []
        key = new_key()
        usage = ExtendedKeyUsageOID.SERVER_AUTH if kind == "delegate_without_usage" else ExtendedKeyUsageOID.OCSP_SIGNING
        lifetime = timedelta(days=-1) if kind == "expired_delegate" else timedelta(days=30)
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.ExtendedKeyUsage([usage]), False), (x509.OCSPNoCheck(), False)]
        parent = Issuer(_self_signed(STRANGER, key, begin), key) if kind == "stranger" else issuer
        certificate = parent.sign(DELEGATE, key.public_key(), begin - timedelta(days=30), begin + lifetime, extensions, x509.random_serial_number())
        return certificate, key, [certificate]

    # -- CRL -----------------------------------------------------------------------------------------------------

    def _crl(self, issuer: Issuer) -> bytes:
        switches = self._switches
        begin = utc(self._clock.now() - switches.crl_age_seconds).replace(microsecond=0)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(STRANGER if switches.crl_issuer == "other" else issuer.certificate.subject)
            .last_update(begin)
            .next_update(begin + timedelta(seconds=switches.crl_lifetime_seconds))
            .add_extension(x509.CRLNumber(int(begin.timestamp())), False)
        )
        if switches.crl_scope == "delta":
            builder = builder.add_extension(x509.DeltaCRLIndicator(1), True)
        elif switches.crl_scope != "all":
            builder = builder.add_extension(_scope(switches.crl_scope), True)
        for serial, revocation in self._published().items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(utc(revocation.time).replace(microsecond=0))
            if revocation.reason != "unspecified":
                entry = entry.add_extension(x509.CRLReason(_flag(revocation)), False)
            builder = builder.add_revoked_certificate(entry.build())
        crl = builder.sign(new_key() if switches.crl_signer == "stranger" else issuer.key, hashes.SHA256())
        return bytes(crl.public_bytes(serialization.Encoding.PEM if switches.crl_form == "pem" else serialization.Encoding.DER))


def _access(method: x509.ObjectIdentifier, url: str) -> x509.AccessDescription:
    return x509.AccessDescription(method, x509.UniformResourceIdentifier(url))


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> Answer:
    response = ocsp.OCSPResponseBuilder.build_unsuccessful(status)
    return Answer(200, response.public_bytes(serialization.Encoding.DER), content_type="application/ocsp-response")


def _ids(issuer: Issuer, algorithm: Any) -> tuple[bytes, bytes]:
    """How an OCSP request names the issuer: by hashes of its name and of the bits of its key."""
    point = issuer.key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    name = issuer.certificate.subject.public_bytes()
    return hashlib.new(algorithm.name, name).digest(), hashlib.new(algorithm.name, point).digest()


def _asked(request: ocsp.OCSPRequest) -> tuple[bytes, bytes]:
    return request.issuer_name_hash, request.issuer_key_hash


def _flag(revocation: Revocation) -> x509.ReasonFlags:
    return x509.ReasonFlags[revocation.reason]


def _self_signed(name: x509.Name, key: Any, begin: datetime) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    return builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=30)).sign(key, hashes.SHA256())


def _scope(kind: str) -> x509.IssuingDistributionPoint:
    elsewhere = [x509.UniformResourceIdentifier("http://elsewhere.invalid/part-2.crl")]
    return x509.IssuingDistributionPoint(
        full_name=elsewhere if kind == "other_part" else None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=kind == "ca_only",
        only_some_reasons=frozenset([x509.ReasonFlags.superseded]) if kind == "some_reasons" else None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
