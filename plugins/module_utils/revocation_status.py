# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a certificate is revoked, by OCSP (RFC 6960) and CRL (RFC 5280), as relying parties see it.

The addresses come out of certificates that anybody may have made, so they are trusted with nothing: HTTP and HTTPS only, no redirect, a limit on
size and time, and no way to the addresses where a machine keeps what is not for others.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import datetime
import functools
import http.client
import ipaddress
import socket
import ssl
import threading
import time
import typing as t
import urllib.parse

from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.revocation import reason_code, reason_name
from ansible_collections.certops.remediation.plugins.module_utils.tls_endpoints import Endpoint, EndpointError, resolve
from ansible_collections.certops.remediation.plugins.module_utils.x509 import fingerprint_sha256, load_certificates

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import pkcs7
    from cryptography.x509 import ocsp
    from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID

    # What cryptography has to say of a certificate, a CRL or a response that is damaged, or of a kind that it does not know.
    UNREADABLE: tuple[type[Exception], ...] = (
        ValueError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    )
except ImportError:
    UNREADABLE = ()  # CRYPTOGRAPHY_IMPORT_ERROR of x509.py tells.

GOOD, REVOKED, UNKNOWN, UNAVAILABLE = "good", "revoked", "unknown", "unavailable"

MAX_OCSP = 256 << 10
MAX_CRL = 64 << 20
MAX_CERTIFICATES = 1 << 20
# Of the addresses of one kind in a certificate, so many are tried.
MAX_URLS = 3
# Clocks differ.
SKEW = datetime.timedelta(minutes=5)
# Metadata services of clouds that are not on a link-local address.
METADATA = ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
NAT64 = "64:ff9b::/96"


class Unavailable(Exception):
    """There is no answer that can be believed, and why. ``signature_verified`` is False if there was one that nobody entitled has signed."""

    def __init__(self, message: str, *, signature_verified: bool | None = None) -> None:
        super().__init__(message)
        self.signature_verified = signature_verified


@dataclasses.dataclass(frozen=True)
class Status:
    """What is known of the revocation of one certificate."""

    status: str
    source: str | None = None
    reason: str | None = None
    revoked_at: datetime.datetime | None = None
    this_update: datetime.datetime | None = None
    next_update: datetime.datetime | None = None
    signature_verified: bool | None = None
    url: str | None = None
    error: str | None = None

    def as_result(self) -> dict[str, t.Any]:
        """For the result of a module."""
        return {
            name: value.isoformat() if isinstance(value, datetime.datetime) else value
            for name, value in ((item.name, getattr(self, item.name)) for item in dataclasses.fields(self))
        }


# -- fetching ----------------------------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Fetcher:
    """HTTP for addresses out of certificates."""

    timeout: float
    allow_private: bool
    allow_loopback: bool

    def get(self, url: str, limit: int) -> bytes:
        """:raises Unavailable: there is nothing to be had."""
        return self._fetch("GET", url, None, {}, limit)

    def post(self, url: str, body: bytes, kind: str, limit: int) -> bytes:
        """:raises Unavailable: there is no answer."""
        return self._fetch("POST", url, body, {"Content-Type": kind}, limit)

    def _fetch(self, method: str, url: str, body: bytes | None, headers: dict[str, str], limit: int) -> bytes:
        deadline = time.monotonic() + self.timeout
        try:
            parts = urllib.parse.urlsplit(url)
            secure, host, port = parts.scheme == "https", parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise Unavailable("its address is none") from None
        if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url or "@" in parts.netloc:
            raise Unavailable("its address is not one of HTTP")
        try:
            # Checked and used is one and the same address: a name that changes in between gets nowhere.
            address = self._allowed(resolve(Endpoint(host, port, host), deadline))
            connection = socket.create_connection((address, port), timeout=max(0.1, deadline - time.monotonic()))
        except EndpointError as error:
            raise Unavailable(error.message) from None
        except OSError as exc:
            raise Unavailable(f"no connection ({printable(exc.strerror or str(exc) or 'timed out', 120)})") from None
        # http.client has a timeout for each read only; a peer that drips would never end.
        alarm = threading.Timer(max(0.1, deadline - time.monotonic()), _cut, (connection,))
        alarm.daemon = True
        alarm.start()
        try:
            # The alarm holds the first socket, and wrapping detaches it: a duplicate shares the connection, not the object.
            stream = ssl.create_default_context().wrap_socket(connection.dup(), server_hostname=host) if secure else connection
            target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
            with contextlib.closing(http.client.HTTPConnection(host, port)) as client:
                client.sock = stream
                client.request(method, target, body, {"Connection": "close", "Accept-Encoding": "identity", **headers})
                answer = client.getresponse()
                if answer.status != 200:
                    raise Unavailable(f"HTTP status {answer.status}" + ("; redirects are not followed" if 300 <= answer.status < 400 else ""))
                if (answer.length or 0) > limit:
                    raise Unavailable(f"the answer is larger than {limit} bytes")
                data = answer.read(limit + 1)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            late = time.monotonic() >= deadline - 0.05 or isinstance(exc, socket.timeout)
            raise Unavailable("no answer in time" if late else f"no readable answer ({printable(str(exc) or type(exc).__name__, 120)})") from None
        finally:
            alarm.cancel()
            connection.close()
        if len(data) > limit:
            raise Unavailable(f"the answer is larger than {limit} bytes")
        if time.monotonic() >= deadline or answer.length:
            raise Unavailable("the answer was cut off, or did not end in time")
        return data

    def _allowed(self, addresses: t.Sequence[str]) -> str:
        for address in addresses:
            if not self.refuses(address):
                return address
        raise Unavailable(f"its address {addresses[0]} is {self.refuses(addresses[0])}")

    def refuses(self, text: str) -> str | None:
        """Why nothing is fetched from an IP address; None if it may be."""
        address = ipaddress.ip_address(text.split("%")[0])
        if isinstance(address, ipaddress.IPv6Address):
            inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
            if address in ipaddress.IPv6Network(NAT64):
                inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
            if inner is not None:
                return self.refuses(str(inner))
        if address.is_link_local or address.is_multicast or address.is_unspecified or str(address) in METADATA or str(address) == "255.255.255.255":
            return "link-local, multicast or that of a metadata service, where nothing is fetched from"
        if address.is_loopback:
            return None if self.allow_loopback else "this machine's own; allow_loopback is not set"
        return None if self.allow_private or address.is_global else "private; allow_private is not set"


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


# -- signatures and dates ----------------------------------------------------------------------------------------------------------------


def signed_by(public_key: t.Any, signed: t.Any, data: bytes) -> bool:
    """Whether a certificate or an OCSP response, whose signed part is ``data``, carries the signature of a key."""
    with contextlib.suppress(InvalidSignature, *UNREADABLE):
        algorithm, signature = signed.signature_hash_algorithm, signed.signature
        if isinstance(public_key, rsa.RSAPublicKey):
            # cryptography 41 and later tell the padding of a certificate, which may be PSS.
            given = getattr(signed, "signature_algorithm_parameters", None)
            public_key.verify(signature, data, given if isinstance(given, padding.AsymmetricPadding) else padding.PKCS1v15(), algorithm)
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, data, ec.ECDSA(algorithm))
        elif isinstance(public_key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
            public_key.verify(signature, data)
        else:
            return False
        return True
    return False


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` has the name and the key that a certificate is signed with."""
    try:
        return certificate.issuer == issuer.subject and signed_by(issuer.public_key(), certificate, certificate.tbs_certificate_bytes)
    except UNREADABLE:
        return False


def moment(holder: t.Any, name: str) -> datetime.datetime | None:
    """A date of a certificate, a CRL or a response with its time zone; cryptography before 42 (43 for OCSP) has them without."""
    if hasattr(holder, name + "_utc"):
        return t.cast("datetime.datetime | None", getattr(holder, name + "_utc"))
    value = getattr(holder, name)
    return value.replace(tzinfo=datetime.timezone.utc) if value else None


def _check_fresh(this_update: datetime.datetime | None, next_update: datetime.datetime | None) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    if this_update is None or this_update > now + SKEW:
        raise Unavailable("the answer is from the future", signature_verified=True)
    if next_update is not None and next_update < now - SKEW:
        raise Unavailable(f"the answer is out of date since {next_update.isoformat()}", signature_verified=True)


def _reason(flag: t.Any) -> str | None:
    return reason_name(reason_code("reason", flag.value)) if flag else None


# -- one certificate ---------------------------------------------------------------------------------------------------------------------


class RevocationChecker:
    """Looks certificates up; the same CRL, issuer or OCSP answer is fetched once, however many endpoints it is wanted for.

    :param mode: ``ocsp``, ``crl``, or ``any``: OCSP, and the CRL where that tells nothing.
    :param issuers: where issuers are looked for besides the chain that a server sends.
    :param fetch_issuers: whether an issuer that is nowhere else may be fetched from the address in the certificate.
    """

    def __init__(self, mode: str, fetcher: Fetcher, issuers: t.Sequence[x509.Certificate] = (), *, fetch_issuers: bool = True) -> None:
        self._mode = mode
        self._fetcher = fetcher
        self._issuers = tuple(issuers)
        self._fetch_issuers = fetch_issuers
        self._lock = threading.Lock()
        self._known: dict[t.Any, concurrent.futures.Future[t.Any]] = {}

    def status(self, certificate: x509.Certificate, chain: t.Sequence[x509.Certificate] = ()) -> Status:
        """Never fails: what cannot be told is unavailable, with the reason."""
        try:
            return t.cast(Status, self._once(("status", fingerprint_sha256(certificate)), lambda: self._status(certificate, chain)))
        except UNREADABLE as exc:
            return Status(UNAVAILABLE, error=f"the certificate cannot be read ({printable(str(exc), 120)})")

    def _once(self, key: t.Any, work: t.Callable[[], t.Any]) -> t.Any:
        with self._lock:
            future = self._known.get(key)
            mine = future is None
            if future is None:
                future = self._known[key] = concurrent.futures.Future()
        if mine:
            try:
                future.set_result(work())
            except BaseException as exc:  # pylint: disable=broad-exception-caught
                future.set_exception(exc)
        return future.result()

    def _status(self, certificate: x509.Certificate, chain: t.Sequence[x509.Certificate]) -> Status:
        if issued_by(certificate, certificate):
            return Status(UNAVAILABLE, error="it is self-signed, and nobody but its owner could revoke it")
        responders = _access(certificate, AuthorityInformationAccessOID.OCSP)
        lists, unusable = _distribution_points(certificate)
        sources: list[tuple[str, str, t.Callable[[x509.Certificate, x509.Certificate, str], Status]]] = []
        if self._mode in ("ocsp", "any"):
            sources += [("ocsp", url, self._ocsp) for url in responders[:MAX_URLS]]
        if self._mode in ("crl", "any"):
            sources += [("crl", url, self._crl) for url in lists[:MAX_URLS]]
        if not sources:
            names = {"ocsp": "OCSP responder", "crl": "CRL", "any": "OCSP responder and no CRL"}
            return Status(UNAVAILABLE, error=f"the certificate names no {names[self._mode]}" + (" that covers all reasons" if unusable else ""))
        try:
            issuer = self._issuer(certificate, chain)
        except Unavailable as exc:
            return Status(UNAVAILABLE, error=str(exc))
        best = Status(UNAVAILABLE)
        for number, (source, url, check) in enumerate(sources):
            try:
                found = check(certificate, issuer, url)
            except Unavailable as exc:
                found = Status(UNAVAILABLE, source, signature_verified=exc.signature_verified, url=printable(url, 500), error=str(exc))
            if found.status in (GOOD, REVOKED):
                return found
            # A responder that does not know the certificate has said more than one that did not answer.
            if not number or (found.status, best.status) == (UNKNOWN, UNAVAILABLE):
                best = found
        return best

    def _issuer(self, certificate: x509.Certificate, chain: t.Sequence[x509.Certificate]) -> x509.Certificate:
        for candidate in (*chain, *self._issuers):
            if issued_by(certificate, candidate):
                return candidate
        problem = "the server does not send the issuer, and issuer_path does not hold it"
        for url in _access(certificate, AuthorityInformationAccessOID.CA_ISSUERS)[:MAX_URLS] if self._fetch_issuers else ():
            try:
                for candidate in self._once(("issuer", url), functools.partial(self._load_issuers, url)):
                    if issued_by(certificate, candidate):
                        return t.cast(x509.Certificate, candidate)
                problem += f"; what is at {printable(url, 200)} is not the issuer"
            except Unavailable as exc:
                problem += f"; {printable(url, 200)}: {exc}"
        raise Unavailable(problem)

    def _load_issuers(self, url: str) -> list[x509.Certificate]:
        return _any_certificates(self._fetcher.get(url, MAX_CERTIFICATES))

    # -- OCSP ----------------------------------------------------------------------------------------------------

    def _ocsp(self, certificate: x509.Certificate, issuer: x509.Certificate, url: str) -> Status:
        # SHA-1 names the issuer here and secures nothing; responders of RFC 5019 know no other. No nonce: they do not answer it.
        request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()
        # POST, because caches on the path answer GET with what was true some days ago.
        data = self._fetcher.post(url, request.public_bytes(serialization.Encoding.DER), "application/ocsp-request", MAX_OCSP)
        try:
            response = ocsp.load_der_ocsp_response(data)
            if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
                raise Unavailable(f"the OCSP responder answered {response.response_status.name.lower()}")
            single = _single(response, request)
            if not _responder_signed(response, issuer):
                raise Unavailable("the OCSP response is signed by nobody who may speak for the issuer", signature_verified=False)
            this_update, next_update = moment(single, "this_update"), moment(single, "next_update")
            _check_fresh(this_update, next_update)
            states = {ocsp.OCSPCertStatus.GOOD: GOOD, ocsp.OCSPCertStatus.REVOKED: REVOKED}
            return Status(
                states.get(single.certificate_status, UNKNOWN),
                "ocsp",
                _reason(single.revocation_reason),
                moment(single, "revocation_time"),
                this_update,
                next_update,
                True,
                url,
            )
        except UNREADABLE as exc:
            raise Unavailable(f"the OCSP response cannot be read ({printable(str(exc), 120)})") from None

    # -- CRL -----------------------------------------------------------------------------------------------------

    def _crl(self, certificate: x509.Certificate, issuer: x509.Certificate, url: str) -> Status:
        crl = self._once(("crl", url, fingerprint_sha256(issuer)), lambda: self._load_crl(issuer, url))
        try:
            _check_scope(crl, certificate)
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            good = Status(GOOD, "crl", None, None, moment(crl, "last_update"), moment(crl, "next_update"), True, url)
            if entry is None:
                return good
            try:
                reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
            except x509.ExtensionNotFound:
                reason = None
            return dataclasses.replace(good, status=REVOKED, reason=_reason(reason), revoked_at=moment(entry, "revocation_date"))
        except UNREADABLE as exc:
            raise Unavailable(f"the CRL cannot be read ({printable(str(exc), 120)})") from None

    def _load_crl(self, issuer: x509.Certificate, url: str) -> x509.CertificateRevocationList:
        data = self._fetcher.get(url, MAX_CRL)
        try:
            load = x509.load_pem_x509_crl if data.lstrip().startswith(b"-----BEGIN") else x509.load_der_x509_crl
            crl = load(data)
            if crl.issuer != issuer.subject:
                raise Unavailable(f"the CRL is of another issuer, {printable(crl.issuer.rfc4514_string(), 200)!r}", signature_verified=False)
            if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
                raise Unavailable("the CRL is not signed by the issuer", signature_verified=False)
            _check_fresh(moment(crl, "last_update"), moment(crl, "next_update"))
        except UNREADABLE as exc:
            raise Unavailable(f"the CRL cannot be read ({printable(str(exc), 120)})") from None
        return crl


def _access(certificate: x509.Certificate, method: t.Any) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return []
    return [
        item.access_location.value
        for item in found
        if item.access_method == method and isinstance(item.access_location, x509.UniformResourceIdentifier)
    ]


def _distribution_points(certificate: x509.Certificate) -> tuple[list[str], int]:
    """The addresses of full CRLs of the issuer, and how many points are for something else: some reasons only, or another issuer's CRL."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return [], 0
    usable = [point for point in points if not point.reasons and not point.crl_issuer]
    urls = [name.value for point in usable for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)]
    return [url for url in urls if url.lower().startswith(("http://", "https://"))], len(list(points)) - len(usable)


def _any_certificates(data: bytes) -> list[x509.Certificate]:
    """What is behind an address of caIssuers: DER, PEM, or a PKCS#7 bundle."""
    try:
        if b"-----BEGIN PKCS7" in data:
            return pkcs7.load_pem_pkcs7_certificates(data)
        with contextlib.suppress(ValueError):
            return pkcs7.load_der_pkcs7_certificates(data)
        return load_certificates("issuer", data)
    except Exception as exc:  # pylint: disable=broad-exception-caught
        # Each of the three has exceptions of its own for what is not its form.
        raise Unavailable(f"what is there holds no certificate ({type(exc).__name__})") from None


def _single(response: t.Any, request: t.Any) -> t.Any:
    """The part of a response that is about the certificate that was asked for."""
    wanted = (request.serial_number, request.issuer_name_hash, request.issuer_key_hash)
    # cryptography 36 reads responses for one certificate only.
    for single in getattr(response, "responses", [response]):
        if (single.serial_number, single.issuer_name_hash, single.issuer_key_hash) == wanted:
            return single
    raise Unavailable("the OCSP response is about another certificate")


def _responder_signed(response: t.Any, issuer: x509.Certificate) -> bool:
    """RFC 6960, 4.2.2.2: the issuer itself has signed, or somebody to whom it has given a certificate for just that."""
    data = response.tbs_response_bytes
    if signed_by(issuer.public_key(), response, data):
        return True
    for delegate in response.certificates:
        named = delegate.subject == response.responder_name or _key_hash(delegate) == response.responder_key_hash
        if named and _may_sign_ocsp(delegate) and issued_by(delegate, issuer) and signed_by(delegate.public_key(), response, data):
            return True
    return False


def _key_hash(certificate: x509.Certificate) -> bytes:
    """SHA-1 of the bits of the public key, which is how a responder may name itself."""
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _may_sign_ocsp(certificate: x509.Certificate) -> bool:
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = moment(certificate, "not_valid_before"), moment(certificate, "not_valid_after")
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usages and begin is not None and end is not None and begin - SKEW <= now <= end + SKEW


def _check_scope(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> None:
    """That a certificate which is not in the CRL is not revoked, and not merely out of its scope.

    :raises Unavailable: it is.
    """
    for extension in crl.extensions:
        if extension.oid == ExtensionOID.DELTA_CRL_INDICATOR:
            raise Unavailable("it is a delta CRL, which lists only what is new", signature_verified=True)
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            scope = extension.value
            named = {name.value for name in scope.full_name or () if isinstance(name, x509.UniformResourceIdentifier)}
            # Large authorities split their CRL; what is not in one part may be in another.
            other_part = scope.full_name and named.isdisjoint(_distribution_points(certificate)[0])
            partial = scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs
            if other_part or partial or (scope.only_contains_ca_certs and not _is_ca(certificate)) or (scope.only_contains_user_certs and _is_ca(certificate)):
                raise Unavailable("the CRL does not cover certificates of this kind", signature_verified=True)
        elif extension.critical:
            raise Unavailable(f"the CRL has a critical extension that is not understood ({extension.oid.dotted_string})", signature_verified=True)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
