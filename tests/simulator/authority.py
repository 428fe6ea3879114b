# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own certificate authority: the server's certificate, client certificates, and every certificate that a vendor part issues."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT = "CN=certops.remediation simulator root,O=certops.remediation"
CLIENTS = "CN=certops.remediation simulator client CA,O=certops.remediation"
LIFETIME = timedelta(days=3650)


def private_pem(key: Any) -> bytes:
    return bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def write_private(path: Path, content: bytes) -> Path:
    """Atomically, readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    return path


class Issued(NamedTuple):
    """A certificate that a part holds, and its private key in PEM; empty when the simulator does not have it."""

    certificate: x509.Certificate
    key_pem: str


class LabelledKeys:
    """Key pairs by label, made when first asked for. All parts share one store, so that a label is the same key wherever it is named."""

    def __init__(self) -> None:
        self._keys: dict[str, Any] = {}

    def __getitem__(self, label: str) -> Any:
        if label not in self._keys:
            self._keys[label] = new_key()
        return self._keys[label]

    def of(self, public_key: Any) -> Any:
        """The key pair that a public key belongs to; None when it has no label."""
        return next((key for key in self._keys.values() if key.public_key() == public_key), None)

    def dump(self) -> dict[str, str]:
        return {label: private_pem(key).decode() for label, key in self._keys.items()}

    def load(self, data: dict[str, str]) -> None:
        self._keys = {label: serialization.load_pem_private_key(text.encode(), None) for label, text in data.items()}


class Issuer:
    """A signing certificate and its key."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self.key = key
        self.published: list[tuple[x509.ExtensionType, bool]] = []
        self._key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())

    def sign(
        self,
        subject: x509.Name,
        public_key: Any,
        not_before: datetime,
        not_after: datetime,
        extensions: list[tuple[x509.ExtensionType, bool]],
        serial: int,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(self._key_id, False)
        )
        for extension, critical in [*extensions, *self.published]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())


_CA_EXTENSIONS: list[tuple[x509.ExtensionType, bool]] = [
    (x509.BasicConstraints(ca=True, path_length=None), True),
    (x509.KeyUsage(True, False, False, False, False, True, True, False, False), True),
]
LEAF_EXTENSIONS: list[tuple[x509.ExtensionType, bool]] = [
    (x509.BasicConstraints(ca=False, path_length=None), True),
    (x509.KeyUsage(True, False, True, False, False, False, False, False, False), True),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False),
]


class Authority:
    """A root for server certificate and issuers, another one for client certificates; issuers appear when first asked for. ``keys`` are the subscribers'."""

    def __init__(self) -> None:
        self.keys = LabelledKeys()
        self._issuers: dict[str, Issuer] = {}
        self._addresses: Callable[[Issuer], list[tuple[x509.ExtensionType, bool]]] | None = None
        self._add(ROOT, None)
        self._add(CLIENTS, None)

    @property
    def root(self) -> Issuer:
        return self._issuers[ROOT]

    @property
    def root_pem(self) -> bytes:
        return self.root.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def clients_pem(self) -> bytes:
        return self._issuers[CLIENTS].certificate.public_bytes(serialization.Encoding.PEM)

    def issuers(self) -> list[Issuer]:
        """All that there are by now."""
        return list(self._issuers.values())

    def issuer_of(self, certificate: x509.Certificate) -> Issuer:
        """The issuer that has signed a certificate."""
        return next(item for item in self._issuers.values() if item.certificate.subject == certificate.issuer)

    def publish(self, addresses: Callable[[Issuer], list[tuple[x509.ExtensionType, bool]]] | None) -> None:
        """What certificates carry from now on to say where their revocation is published; None: nothing."""
        self._addresses = addresses
        for name in self._issuers:
            self._point(name)

    def _point(self, name: str) -> None:
        # The CAs themselves and the servers' own certificates stay as they are.
        own = name not in (ROOT, CLIENTS)
        self._issuers[name].published = self._addresses(self._issuers[name]) if self._addresses and own else []

    def issuer(self, name: str) -> Issuer:
        """The intermediate CA with this RFC 4514 name."""
        return self._issuers.get(name) or self._add(name, self.root)

    def _add(self, name: str, parent: Issuer | None) -> Issuer:
        key = new_key()
        subject = x509.Name.from_rfc4514_string(name)
        now = datetime.now(timezone.utc)
        extensions = [*_CA_EXTENSIONS, (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)]
        template = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        signer = parent or Issuer(
            template.serial_number(1).not_valid_before(now).not_valid_after(now + LIFETIME).sign(key, hashes.SHA256()), key
        )
        # Issuers are older than any certificate that a scenario dates back.
        certificate = signer.sign(subject, key.public_key(), now - LIFETIME, now + LIFETIME, extensions, x509.random_serial_number())
        self._issuers[name] = Issuer(certificate, key)
        self._point(name)
        return self._issuers[name]

    def client_certificate(self, user: str, directory: Path) -> tuple[Path, Path]:
        """A certificate and key file with which the user can log in."""
        key = new_key()
        now = datetime.now(timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)])
        certificate = self._issuers[CLIENTS].sign(
            subject, key.public_key(), now - timedelta(days=1), now + LIFETIME, LEAF_EXTENSIONS, x509.random_serial_number()
        )
        return (
            write_private(directory / "client.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            write_private(directory / "client.key", private_pem(key)),
        )

    def server_context(self, host: str, directory: Path) -> ssl.SSLContext:
        """TLS with a certificate for the local names and ``host``; a client certificate is welcome, not required."""
        key = new_key()
        now = datetime.now(timezone.utc)
        addresses: list[x509.GeneralName] = [x509.DNSName("localhost")]
        addresses += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
        if host not in ("localhost", "127.0.0.1", "::1"):
            try:
                addresses.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                addresses.append(x509.DNSName(host))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        extensions = [*LEAF_EXTENSIONS, (x509.SubjectAlternativeName(addresses), False)]
        certificate = self.root.sign(
            subject, key.public_key(), now - timedelta(days=1), now + LIFETIME, extensions, x509.random_serial_number()
        )
        chain = write_private(directory / "server.pem", certificate.public_bytes(serialization.Encoding.PEM) + private_pem(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=self.clients_pem.decode())
        return context

    def dump(self) -> dict[str, list[str]]:
        return {
            name: [issuer.certificate.public_bytes(serialization.Encoding.PEM).decode(), private_pem(issuer.key).decode()]
            for name, issuer in self._issuers.items()
        }

    def load(self, data: dict[str, list[str]]) -> None:
        for name, (certificate, key) in data.items():
            private = serialization.load_pem_private_key(key.encode(), None)
            if isinstance(private, ec.EllipticCurvePrivateKey):
                self._issuers[name] = Issuer(x509.load_pem_x509_certificate(certificate.encode()), private)
                self._point(name)
