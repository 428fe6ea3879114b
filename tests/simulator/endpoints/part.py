# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints as a whole: which servers there are, what they show, and what is revoked."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from ..authority import LEAF_EXTENSIONS, Authority, Issuer, new_key, private_pem
from ..clock import Clock, utc
from ..exchange import Answer, Call
from ..scenarios import expand
from .listeners import Listeners, Material, Server
from .pki import PREFIX, Publisher, Revocation
from .switches import Switches

if TYPE_CHECKING:
    from ..elsewhere import Elsewhere

ISSUER = "CN=Example TLS CA 1,O=Example Corp,C=US"
SERVER_KEYS = frozenset(item.name for item in fields(Server)) - {"material", "handshakes", "names_asked"} | {"certificates"}
CERTIFICATE_KEYS = frozenset(
    ("names", "common_name", "issuer", "self_signed", "chain", "days", "age_days", "key", "serial", "urls", "revoked", "sni", "pem", "key_pem", "from")
)


class Endpoints:
    """TLS servers and the revocation of what they show. Index it by name: ``endpoints["shop"]`` is the server.

    ``elsewhere`` knows what the vendors' parts hold and what they have revoked.
    """

    name = "endpoints"
    prefixes: tuple[str, ...] = (PREFIX,)

    def __init__(self, clock: Clock, authority: Authority, lock: threading.RLock, elsewhere: Elsewhere) -> None:
        self.clock = clock
        self.authority = authority
        self.lock = lock
        self.switches = Switches()
        self.servers: dict[str, Server] = {}
        self.revoked: dict[int, Revocation] = {}
        self._elsewhere = elsewhere
        self._listeners = Listeners(lambda: authority.clients_pem)
        self._pki = Publisher(clock, authority, self.switches, self._all_revoked)
        # The addresses stand in certificates that are made before anything is served, so the port is taken at once.
        self.socket = socket.create_server(("127.0.0.1", 0))
        self._set_url()

    def _set_url(self) -> None:
        self._port = self.socket.getsockname()[1]
        self._pki.url = f"http://127.0.0.1:{self._port}{PREFIX}"

    def _all_revoked(self) -> dict[int, Revocation]:
        return {**self._elsewhere.revoked(), **self.revoked}

    # -- for tests and the control API ---------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Server:
        return self.servers[name]

    def serve(self, name: str, **spec: Any) -> Server:
        """Start a server (an entry of ``servers`` in a scenario); one of the same name is replaced."""
        with self.lock:
            _check("a server", {"name": name, **spec}, SERVER_KEYS)
            self.stop(name)
            certificates = spec.pop("certificates", None) or [{}]
            server = Server(name, **spec)
            server.material = [self.issue(**{"names": [name], **item}) for item in certificates]
            self._listeners.open(server)
            self.servers[name] = server
            return server

    def stop(self, name: str) -> None:
        with self.lock:
            self._listeners.close(name)
            self.servers.pop(name, None)

    def show(self, name: str, *certificates: dict[str, Any] | Material) -> list[str]:
        """Somebody has installed other certificates on a server; returns the leaves in PEM."""
        with self.lock:
            server = self.servers[name]
            material = [item if isinstance(item, Material) else self.issue(**{"names": [name], **item}) for item in certificates]
            self._listeners.show(replace(server, material=material))
            server.material = material
            return [item.pem for item in server.material]

    def replace(self, serial: int | str, certificate: dict[str, Any]) -> list[str]:
        """Somebody installs another certificate wherever the one with this serial number is; returns the names of these servers."""
        with self.lock:
            material, old = self.issue(**certificate), _number(serial)
            found = []
            for server in self.servers.values():
                shown = [replace(material, sni=item.sni) if x509.load_pem_x509_certificate(item.pem.encode()).serial_number == old else item
                         for item in server.material]
                if shown != server.material:
                    self._listeners.show(replace(server, material=shown))
                    server.material = shown
                    found.append(server.name)
            return found

    def issue(self, **spec: Any) -> Material:
        """Sign a certificate (an entry of ``certificates`` of a server), or take one: given as ``pem`` and ``key_pem``, or held by a vendor's part."""
        with self.lock:
            _check("a certificate", spec, CERTIFICATE_KEYS)
            if "pem" in spec:
                return Material(spec["pem"], spec["key_pem"], spec.get("sni", ""))
            if "from" in spec:
                issued = self._elsewhere.find(spec["from"])
                certificate, above = issued.certificate, [self.authority.issuer_of(issued.certificate).certificate]
                key_pem = spec.get("key_pem") or issued.key_pem
                if not key_pem:
                    raise ValueError(f"the simulator does not have the key of {spec['from']}: give key_pem, or its entry a key")
            else:
                key = self._key(spec.get("key", ""))
                certificate, above = self._sign(spec, key)
                key_pem = private_pem(key).decode()
            if spec.get("revoked"):
                self.revoke(certificate.serial_number, spec["revoked"])
            chain = [certificate, *(above if spec.get("chain", True) else [])]
            return Material("".join(_pem(item) for item in chain), key_pem, spec.get("sni", ""))

    def _key(self, kind: str) -> Any:
        if kind.startswith("rsa-"):
            return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:]))
        return self.authority.keys[kind] if kind else new_key()

    def _sign(self, spec: dict[str, Any], key: Any) -> tuple[x509.Certificate, list[x509.Certificate]]:
        names = list(spec.get("names", ()))
        common_name = spec.get("common_name", names[0] if names else "")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
        begin = utc(self.clock.now()) - timedelta(days=spec.get("age_days", 1))
        end = begin + timedelta(days=spec.get("days", 90))
        serial = int(spec["serial"], 16) if "serial" in spec else x509.random_serial_number()
        extensions = list(LEAF_EXTENSIONS)
        if names:
            extensions.append((x509.SubjectAlternativeName([_general_name(item) for item in names]), False))
        if spec.get("self_signed"):
            builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(serial)
            for extension, critical in extensions:
                builder = builder.add_extension(extension, critical)
            return builder.not_valid_before(begin).not_valid_after(end).sign(key, hashes.SHA256()), []
        root = spec.get("issuer") == "root"
        issuer = self.authority.root if root else self.authority.issuer(spec.get("issuer", ISSUER))
        # With the switch, the issuer adds them to all that it signs.
        if not issuer.published:
            extensions += self._pki.extensions(issuer, spec.get("urls", ("ocsp", "crl", "issuer")))
        certificate = issuer.sign(subject, key.public_key(), begin, end, extensions, serial)
        return certificate, [] if root else [issuer.certificate]

    def revoke(self, serial: int | str, reason: str = "unspecified") -> None:
        """The authority revokes a certificate, by serial number (hexadecimal if it is text); ``reason`` as in ``key_compromise``."""
        with self.lock:
            if reason != "unspecified":
                x509.ReasonFlags[reason]  # pylint: disable=pointless-statement
            self.revoked[_number(serial)] = Revocation(self.clock.now(), reason)

    def release(self, serial: int | str) -> None:
        """A hold is lifted."""
        with self.lock:
            self.revoked.pop(_number(serial), None)

    def control(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Control calls; ``name`` is a server's."""
        if action == "serve":
            self.serve(**data)
        elif action == "stop":
            self.stop(data["name"])
        elif action == "show":
            return {"certificates": self.show(data["name"], *data["certificates"])}
        elif action == "replace":
            return {"servers": self.replace(data["serial"], data["certificate"])}
        elif action == "revoke":
            self.revoke(data["serial"], data.get("reason", "unspecified"))
        elif action == "release":
            self.release(data["serial"])
        else:
            raise ValueError(f"unknown control call {action!r} for endpoints; known: release, replace, revoke, serve, show, stop")
        return self.state()

    def close(self) -> None:
        """Stop listening for good."""
        self._listeners.close_all()
        self.socket.close()

    # -- the vendor protocol -------------------------------------------------------------------------------------

    def identify(self, call: Call) -> None:
        """Nothing here changes anything."""

    def handle(self, call: Call) -> Answer:
        return self._pki.handle(call)

    def reset(self, data: dict[str, Any]) -> None:
        self._listeners.close_all()
        self.servers.clear()
        self.revoked.clear()
        self.configure(asdict(Switches()))
        self.configure(data.get("settings", {}))

    def add(self, entries: Iterable[dict[str, Any]]) -> None:
        """Start the servers of a scenario."""
        for entry in entries:
            for item in expand(entry):
                self.serve(**item)

    def ready(self, dummy_url: str, dummy_directory: Path) -> dict[str, Any]:
        return self.state()

    def configure(self, data: dict[str, Any]) -> dict[str, Any]:
        changed = self.switches.change(data)
        self.authority.publish(self._addresses if self.switches.certificate_urls else None)
        return changed

    def _addresses(self, issuer: Issuer) -> list[tuple[x509.ExtensionType, bool]]:
        # Nothing is known of what Cloudflare's managed CAs publish, so nobody is to be asked about their certificates.
        managed = issuer.certificate.subject.rfc4514_string().startswith("CN=Managed CA")
        return [] if managed else self._pki.extensions(issuer, ("ocsp", "crl", "issuer"))

    def state(self) -> dict[str, Any]:
        """The servers in the form that ``tls_endpoint_info`` takes, and the serial numbers that are revoked."""
        servers = {
            server.name: {"host": server.endpoint, "server_name": server.name, "starttls": server.starttls} for server in self.servers.values()
        }
        return {"pki_url": self._pki.url, "servers": servers, "revoked": sorted(f"{serial:X}" for serial in self._all_revoked())}

    def dump(self) -> dict[str, Any]:
        return {
            "port": self._port,
            "servers": [asdict(server) for server in self.servers.values()],
            "revoked": [[f"{serial:x}", *item] for serial, item in self.revoked.items()],
            "settings": self.configure({}),
        }

    def restore(self, data: dict[str, Any]) -> None:
        # The port stands in certificates.
        self.socket.close()
        self.socket = socket.create_server(("127.0.0.1", data["port"]))
        self._set_url()
        self.revoked = {int(serial, 16): Revocation(moment, reason) for serial, moment, reason in data["revoked"]}
        self.configure(data["settings"])
        for item in data["servers"]:
            server = Server(**{**item, "material": [Material(**material) for material in item["material"]]})
            self._listeners.open(server)
            self.servers[server.name] = server


def _check(what: str, given: Iterable[str], known: frozenset[str]) -> None:
    if not known.issuperset(given):
        raise ValueError(f"{what} has no {', '.join(sorted(set(given) - known))}; known: {', '.join(sorted(known))}")


def _number(serial: int | str) -> int:
    return serial if isinstance(serial, int) else int(serial.replace(":", ""), 16)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
