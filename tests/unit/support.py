# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared by the unit tests: modules run in this process, a transport for any address, small servers and a proxy on real sockets."""

from __future__ import annotations

import base64
import contextlib
import datetime
import io
import ipaddress
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing as t
import unittest.mock

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible import module_utils as ansible_module_utils
from ansible.module_utils import basic
from ansible.module_utils.common import warnings as ansible_warnings

from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.transport import HttpSettings, Transport

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.19

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any]) -> t.Iterator[None]:
        before = basic._ANSIBLE_ARGS
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode("utf-8")
        try:
            yield
        finally:
            basic._ANSIBLE_ARGS = before


# The options that every flow has, none of them set.
FLOW_OPTIONS = dict.fromkeys(
    yaml.safe_load(pathlib.Path(__file__).parents[2].joinpath("roles", "flow", "vars", "main.yml").read_text(encoding="utf-8"))["__flow_names"]
)

HOME = "\\VED\\Policy\\Certificates"


def as_on_a_target() -> t.ContextManager[t.Any]:
    """From 2.19 on, warnings are shown instead of returned in a process that has loaded code of the controller, which another test may have done."""
    internal = getattr(ansible_module_utils, "_internal", None)
    return unittest.mock.patch.object(internal, "is_controller", False) if hasattr(internal, "is_controller") else contextlib.nullcontext()


def run_module(module: t.Any, args: dict[str, t.Any], *, check_mode: bool = False, diff: bool = False) -> dict[str, t.Any]:
    """Run ``main`` of a module in this process and give its result; ``failed`` is always there."""
    for name in ("_global_warnings", "_global_deprecations"):
        getattr(ansible_warnings, name).clear()
    output = io.StringIO()
    given = {**args, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
    with as_on_a_target(), patch_module_args(given), contextlib.redirect_stdout(output), pytest.raises(SystemExit) as exit_info:
        module.main()
    text = output.getvalue()
    result = json.loads(text)
    assert bool(exit_info.value.code) == bool(result.get("failed")), "exit code and result agree"
    result["failed"] = bool(result.get("failed"))
    # 2.19 and later give warnings in a structure of their own.
    result["warnings"] = [item if isinstance(item, str) else item["event"]["msg"] for item in result.get("warnings", [])]
    result["output"] = text
    return result


# Everything that can go wrong with one request, before and after it was processed.
FAULTS = {
    "connection lost before": {"action": "drop_before"},
    "connection lost after": {"action": "drop_after"},
    "500 before": {"action": "status", "status": 500, "body": '{"Error":"Internal error occurred."}'},
    "500 after": {"action": "status", "status": 500, "body": '{"Error":"Internal error occurred."}', "after": True},
    "503 before": {"action": "status", "status": 503, "body": ""},
    "502 page before": {"action": "html", "status": 502},
    "502 page after": {"action": "html", "status": 502, "after": True},
    "200 page before": {"action": "html", "status": 200},
    "200 page after": {"action": "html", "status": 200, "after": True},
    "empty before": {"action": "empty", "status": 200},
    "empty after": {"action": "empty", "status": 200, "after": True},
    "cut off": {"action": "truncate"},
    "database deadlock": {"action": "status", "status": 500, "reason": "Rerun the transaction", "body": ""},
    "gzip bomb": {"action": "gzip_bomb", "size": 9 << 20},
    "answered too late": {"action": "delay", "seconds": 1.6, "after": True},
    "redirect": {"action": "redirect", "location": "https://elsewhere.example.com/"},
}


def places(journal: t.Sequence[t.Mapping[str, t.Any]]) -> list[int]:
    """The numbers of the requests of a run at which a sweep strikes.

    Between two changes, reads that differ in nothing but their object are one case: the first of them stands for all. Each change is a place of
    its own, and so is the end. With FULL_SWEEPS=1 in the environment it is every request, as a release is tested.
    """
    if os.environ.get("FULL_SWEEPS"):
        return list(range(1, len(journal) + 1))
    found: dict[tuple[t.Any, ...], int] = {}
    changes = 0
    for number, entry in enumerate(journal, 1):
        changes += bool(entry["mutates"])
        kind = re.sub("[0-9a-f-]{32,}|[0-9]+", "*", entry["path"])
        found.setdefault((changes, entry["mutates"], entry["method"], kind), number)
    return sorted({*found.values(), len(journal)})


def kill_at_request(simulator: t.Any, number: int, module: t.Any, options: dict[str, t.Any], folder: pathlib.Path) -> None:
    """Run a module in a process of its own and kill it while the answer to request ``number`` is held back."""
    path = folder / "arguments.json"
    path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    process = subprocess.Popen(
        [sys.executable, "-m", module.__name__, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while len(simulator.journal) < number and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        # The entry is there before the request is processed; the effect follows at once.
        time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    assert len(simulator.journal) == number


def open_transport(
    url: str,
    *,
    read_only: bool = False,
    secrets: Secrets | None = None,
    warnings: list[str] | None = None,
    headers: dict[str, str] | None = None,
    **settings: t.Any,
) -> Transport:
    """A transport to any address; settings that are not given are short ones."""
    http = HttpSettings(base_url=url, **{"timeout": 5.0, "retry_timeout": 0.0, **settings})
    told = warnings if warnings is not None else []
    return Transport(http, vendor="Vendor", read_only=read_only, secrets=secrets or Secrets(), warn=told.append, headers=headers)


def tpp_options(simulator: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """The connection options of the TPP modules for a simulator, with its access token."""
    ready = simulator.ready
    return {"url": ready["url"], "ca_path": ready["ca_path"], "access_token": ready["tpp"]["access_token"], "retry_timeout": 10, **more}


def keyfactor_options(simulator: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """The connection options of the Keyfactor modules for a simulator, with its user and Basic authentication."""
    ready = simulator.ready["keyfactor"]
    login = {name: ready[name] for name in ("url", "api_path", "username", "password", "domain")}
    return {**login, "ca_path": simulator.ready["ca_path"], "retry_timeout": 10, **more}


def digicert_options(simulator: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """The connection options of the DigiCert modules for a simulator, with its API key that may do everything."""
    ready = simulator.ready
    return {"url": ready["digicert"]["url"], "ca_path": ready["ca_path"], "api_key": ready["digicert"]["api_key"], "retry_timeout": 10, **more}


def cloudflare_options(simulator: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """The connection options of the Cloudflare modules for a simulator: its token that may do everything, and its main zone."""
    ready = simulator.ready["cloudflare"]
    login = {name: ready[name] for name in ("url", "api_token", "zone_id")}
    return {**login, "ca_path": simulator.ready["ca_path"], "retry_timeout": 10, **more}


def basic_value(user: str, password: str) -> str:
    """The value of a Basic authentication header."""
    return base64.b64encode(f"{user}:{password}".encode("utf-8")).decode("ascii")


def answer(status: str = "200 OK", body: bytes = b"{}", *headers: str, content_type: str = "application/json") -> bytes:
    """One whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Received(t.NamedTuple):
    """One request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


Reply = t.Union[bytes, t.Callable[[socket.socket], None], None]


class Server:
    """A server on a socket of 127.0.0.1 that says what ``reply(request, number)`` gives, and keeps all that arrives.

    A reply of None closes the connection; a function gets the socket and ends the connection.
    """

    def __init__(self, reply: t.Callable[[Received, int], Reply], context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._reply = reply
        self._context = context
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{'https' if context else 'http'}://{self.address}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *dummy: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, dummy = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            while True:
                request = _receive(connection)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                    number = len(self.requests)
                reply = self._reply(request, number)
                if not isinstance(reply, bytes):
                    if reply is not None:
                        reply(connection)
                    return
                connection.sendall(reply)

    @property
    def heard(self) -> str:
        """Everything that arrived, as text."""
        return repr(self.requests)


def _receive(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, dummy, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, dummy, value in (item.partition(":") for item in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        chunk = connection.recv(65536)
        if not chunk:
            return None
        body += chunk
    return Received(line, headers, body)


def proxy(refusal: bytes | None = None) -> Server:
    """An HTTP proxy that opens tunnels, or answers each CONNECT with ``refusal``."""

    def reply(request: Received, dummy: int) -> Reply:
        if refusal is not None:
            return refusal
        host, dummy, port = request.line.split()[1].rpartition(":")

        def tunnel(connection: socket.socket) -> None:
            with socket.create_connection((host, int(port))) as target:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(target, connection), daemon=True)
                back.start()
                _copy(connection, target)
                back.join()

        return tunnel

    return Server(reply)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def server_context(simulator: t.Any, directory: t.Any, *names: str, client_ca: bytes | None = None) -> ssl.SSLContext:
    """TLS for a server of these DNS names (127.0.0.1 without any), signed by the simulator's authority; with ``client_ca`` only for its clients."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    alternative: list[x509.GeneralName] = [x509.DNSName(name) for name in names] or [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = simulator.authority.root.sign(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test server")]),
        key.public_key(),
        now - datetime.timedelta(days=1),
        now + datetime.timedelta(days=1),
        [(x509.SubjectAlternativeName(alternative), False)],
        x509.random_serial_number(),
    )
    path = directory / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca.decode("ascii"))
    return context


def key_pem(key: t.Any, passphrase: str | None = None) -> bytes:
    """A private key in PKCS#8, encrypted when there is a passphrase."""
    encryption: t.Any = serialization.BestAvailableEncryption(passphrase.encode("utf-8")) if passphrase else serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
