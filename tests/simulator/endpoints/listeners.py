# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS servers as they are met: healthy ones, and those that hang, drip, break off or speak something else."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .dialogues import DIALOGUES, Talk

BEHAVIOURS = ("serve", "hang", "slow", "reset", "reset_later", "close", "garbage", "ssh", "http", "no_starttls", "inject", "endless")
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# No connection is kept for longer, whatever the client does.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Material:
    """A certificate with its chain and key in PEM; ``sni`` is the name that it is for where a server has several, empty for any."""

    pem: str
    key_pem: str
    sni: str = ""


@dataclass(slots=True)
class Server:
    """A TLS server. Several certificates without ``sni`` are shown by turns, or each on an address of its own."""

    name: str
    addresses: list[str] = field(default_factory=lambda: ["127.0.0.1"])
    port: int = 0
    starttls: str = "none"
    behaviour: str = "serve"
    spread: str = "turns"
    versions: list[str] = field(default_factory=lambda: ["1.2", "1.3"])
    client_certificate: bool = False
    seconds: float = 1.0
    material: list[Material] = field(default_factory=list)
    handshakes: int = 0
    names_asked: list[str] = field(default_factory=list)

    def check(self) -> None:
        for what, value, known in (
            ("behaviour", self.behaviour, BEHAVIOURS),
            ("starttls", self.starttls, ("none", *DIALOGUES)),
            ("spread", self.spread, ("turns", "addresses")),
        ):
            if value not in known:
                raise ValueError(f"{what} is one of {', '.join(known)}")
        if not set(VERSIONS).issuperset(self.versions) or not self.versions:
            raise ValueError(f"versions are of {', '.join(VERSIONS)}")

    @property
    def endpoint(self) -> str:
        """Where the first address can be reached, as users write it."""
        host = self.addresses[0]
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


class Listeners:
    """The listening sockets of all servers: one thread accepts, and each connection has one of its own."""

    def __init__(self, client_ca: Callable[[], bytes]) -> None:
        self._client_ca = client_ca
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._contexts: dict[str, list[tuple[str, ssl.SSLContext]]] = {}
        self._sockets: dict[str, list[socket.socket]] = {}
        self._thread: threading.Thread | None = None

    def open(self, server: Server) -> None:
        """Listen for a server on all its addresses, on one port."""
        server.check()
        self.show(server)
        opened: list[socket.socket] = []
        try:
            for address in server.addresses:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                listener = socket.create_server((address, server.port), family=family, backlog=512)
                listener.setblocking(False)
                opened.append(listener)
                server.port = listener.getsockname()[1]
        except OSError:
            for listener in opened:
                listener.close()
            raise
        with self._lock:
            self._sockets[server.name] = opened
            for number, listener in enumerate(opened):
                self._selector.register(listener, selectors.EVENT_READ, (server, number))
            if self._thread is None:
                self._thread = threading.Thread(target=self._accept, name="endpoints", daemon=True)
                self._thread.start()

    def show(self, server: Server) -> None:
        """Take up the certificates that a server has by now; connections that are open keep theirs."""
        self._contexts[server.name] = [(item.sni.lower(), self._context(server, item)) for item in server.material]

    def close(self, name: str) -> None:
        with self._lock:
            for listener in self._sockets.pop(name, ()):
                self._selector.unregister(listener)
                listener.close()

    def close_all(self) -> None:
        for name in list(self._sockets):
            self.close(name)

    def _accept(self) -> None:
        while True:
            events = self._selector.select(timeout=0.1)
            with self._lock:
                if not self._sockets:
                    self._thread = None
                    return
            for key, dummy in events:
                with contextlib.suppress(OSError, ValueError):
                    connection, dummy = key.fileobj.accept()  # type: ignore[union-attr]
                    connection.settimeout(PATIENCE)
                    threading.Thread(target=self._guarded, args=(connection, *key.data), daemon=True).start()

    def _guarded(self, connection: socket.socket, server: Server, number: int) -> None:
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            self._serve(connection, server, number)

    def _serve(self, connection: socket.socket, server: Server, number: int) -> None:
        behaviour = server.behaviour
        if behaviour == "close":
            return
        if behaviour == "reset":
            connection.recv(1)
            return _reset(connection)
        if behaviour == "ssh":
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
            return _drain(connection)
        if behaviour == "http":
            connection.recv(65536)
            return connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nClient sent an HTTP request?\r\n")
        if behaviour == "garbage":
            connection.recv(1)
            return connection.sendall(bytes(range(256)) * 4)
        if behaviour == "endless":
            while True:
                connection.sendall(b"220-" + b"x" * 1000 + b"\r\n")
        if server.starttls != "none":
            if not DIALOGUES[server.starttls](Talk(connection), behaviour != "no_starttls"):
                return _drain(connection)
            if behaviour == "inject":
                connection.sendall(b"250 more in the clear\r\n")
        if behaviour == "hang":
            return _drain(connection)
        self._handshake(connection, server, number)
        return None

    def _handshake(self, connection: socket.socket, server: Server, number: int) -> None:
        """In memory, so that what is sent can be held back."""
        with self._lock:
            turn = server.handshakes if server.spread == "turns" else number
            server.handshakes += 1
        contexts = self._contexts[server.name]
        plain = [context for sni, context in contexts if not sni] or [context for dummy, context in contexts]
        chosen = plain[turn % len(plain)]

        def by_name(tls: Any, name: str | None, dummy: Any) -> None:
            server.names_asked.append(name or "")
            for sni, context in contexts:
                if sni and sni == (name or "").lower():
                    tls.context = context

        chosen.sni_callback = by_name
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = chosen.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError:
                connection.sendall(outgoing.read())
                return
            data = outgoing.read()
            if server.behaviour == "slow":
                for byte in data:
                    connection.sendall(bytes([byte]))
                    time.sleep(server.seconds)
            elif server.behaviour == "reset_later" and data:
                connection.sendall(data[:20])
                _reset(connection)
                return
            else:
                connection.sendall(data)
            if done:
                return _drain(connection)
            data = connection.recv(65536)
            if not data:
                return
            incoming.write(data)

    def _context(self, server: Server, material: Material) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        versions = sorted(VERSIONS[item] for item in server.versions)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = versions[0], versions[-1]
        # Old versions sign with SHA-1, and the weak keys of old servers are to be shown too.
        context.set_ciphers("ALL:@SECLEVEL=0")
        with tempfile.TemporaryDirectory(prefix="certops-endpoint-") as directory:
            path = Path(directory, "server.pem")
            path.touch(0o600)
            path.write_text(material.pem + material.key_pem, encoding="ascii")
            try:
                context.load_cert_chain(path)
            except ssl.SSLError as error:
                raise ValueError(f"{server.name}: certificate and key do not fit together: {error.reason}") from error
        if server.client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=self._client_ca().decode("ascii"))
        return context


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _drain(connection: socket.socket) -> None:
    """Until the client has gone."""
    while connection.recv(65536):
        pass
