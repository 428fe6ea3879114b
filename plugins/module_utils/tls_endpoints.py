# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a TLS server shows: resolving, connecting, STARTTLS, the handshake, and whether a client would trust the chain."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time
import typing as t
import urllib.parse
import warnings

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.x509 import dns_name

# By URL scheme: the port, and the protocol that begins in the clear.
SCHEMES = {
    "https": (443, "none"),
    "smtps": (465, "none"),
    "imaps": (993, "none"),
    "pop3s": (995, "none"),
    "ftps": (990, "none"),
    "ldaps": (636, "none"),
    "smtp": (25, "smtp"),
    "imap": (143, "imap"),
    "pop3": (110, "pop3"),
    "ftp": (21, "ftp"),
    "ldap": (389, "ldap"),
    "postgres": (5432, "postgres"),
    "postgresql": (5432, "postgres"),
    "mysql": (3306, "mysql"),
    "xmpp": (5222, "xmpp"),
}
PORTS = {starttls: port for port, starttls in SCHEMES.values() if starttls != "none"}

# Python 3.9 has no call for the chain, but one that shows every message. Nobody will change that one any more.
NO_CHAIN = sys.version_info < (3, 10)

# What a server may say before TLS begins. Greetings and capabilities are far smaller.
MAX_LINE = 8192
MAX_LINES = 200
MAX_MESSAGE = 65536


class EndpointError(Exception):
    """No certificate was seen, and why. ``kind`` is dns, refused, unreachable, timeout, reset, starttls, not_tls or tls."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where to look. ``server_name`` goes into the ClientHello, unless it is an IP address, and is what the certificate must be for."""

    host: str
    port: int
    server_name: str
    starttls: str = "none"
    address: str | None = None


@dataclasses.dataclass(frozen=True)
class Sighting:
    """What a server has shown: DER certificates, the leaf first. ``refusal`` is why it ended the handshake after that."""

    chain: tuple[bytes, ...]
    address: str
    protocol: str | None
    cipher: str | None
    refusal: str | None = None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a client with these trusted authorities would accept a chain."""

    verified: bool
    reason: str | None = None
    message: str | None = None


# -- where to look -----------------------------------------------------------------------------------------------------------------------


def read_endpoint(given: t.Mapping[str, t.Any]) -> Endpoint:
    """An endpoint of ``host`` (a name, an address, either with a port, or a URL) and whatever of port, server_name, starttls and address is set.

    :raises InputError: it is none.
    """
    text = str(given.get("host") or "").strip()
    scheme, host, port = _split(text)
    starttls = given.get("starttls") or SCHEMES[scheme][1]
    port = given["port"] if given.get("port") is not None else port
    port = PORTS.get(starttls, SCHEMES[scheme][0]) if port is None else port
    if not 0 < port < 65536:
        raise InputError("endpoints", f"{port} is not a port")
    address = given.get("address")
    if address and not _is_address(address):
        raise InputError("endpoints", f"{printable(str(address), 80)!r} is not an IP address; address takes no names")
    host = _checked_host(host)
    return Endpoint(host, port, _checked_host(given.get("server_name") or host).split("%")[0], starttls, address or None)


def _split(text: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a text."""
    try:
        if "://" in text:
            parts = urllib.parse.urlsplit(text)
            if parts.username is not None or parts.password is not None:
                raise InputError("endpoints", "an address holds a user name or password, which nobody asks for here; leave them out")
            if parts.scheme not in SCHEMES:
                raise InputError("endpoints", f"nothing is known of {printable(parts.scheme, 40)}://; give host:port, and starttls if TLS begins later")
            return parts.scheme, parts.hostname or "", parts.port
        if _is_address(text):
            return "https", text, None
        found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?", text)
        if not found:
            raise ValueError
        return "https", found[1].strip("[]"), int(found[2]) if found[2] else None
    except ValueError:
        raise InputError("endpoints", f"{printable(text, 100)!r} is not an endpoint; write host, host:port, [IPv6]:port or a URL") from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _checked_host(text: str) -> str:
    text = str(text).strip()
    if _is_address(text):
        return text
    name = dns_name("endpoints", text, allow_underscores=True)
    if name.startswith("*"):
        raise InputError("endpoints", f"{printable(text, 80)!r} is a wildcard; name the hosts that use the certificate")
    return name


def resolve(endpoint: Endpoint, deadline: float) -> list[str]:
    """All addresses of an endpoint, in the order of the resolver.

    :raises EndpointError: there is none, or not in time.
    """
    host = endpoint.address or endpoint.host
    if _is_address(host):
        return [host]
    found: list[str] = []
    failed: list[str] = []

    def ask() -> None:
        try:
            found.extend(dict.fromkeys(str(item[4][0]) for item in socket.getaddrinfo(host, endpoint.port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as exc:
            failed.append(str(getattr(exc, "strerror", None) or exc))

    # The resolver takes no timeout, so it is left behind when time is up; as a daemon it does not keep the process.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if thread.is_alive():
        raise EndpointError("timeout", f"the name {host} was not resolved in time")
    if failed or not found:
        raise EndpointError("dns", f"the name {host} cannot be resolved ({printable(failed[0] if failed else 'no address', 120)})")
    return list(found)


# -- the connection ----------------------------------------------------------------------------------------------------------------------


class Link:
    """A connection on which everything ends at one deadline, however slowly the peer drips."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """:raises EndpointError: it cannot be sent."""
        with _told("while it was sent something"):
            self._connection.settimeout(_left(self._deadline))
            self._connection.sendall(data)

    def receive(self) -> bytes:
        """What has come, or comes next; nothing when the peer has closed."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        with _told("while an answer was awaited"):
            self._connection.settimeout(_left(self._deadline))
            return self._connection.recv(16384)

    def exactly(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        while len(self._buffer) < count:
            self._fill()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def until(self, end: bytes) -> bytes:
        """Everything up to and including ``end``."""
        while end not in self._buffer:
            if len(self._buffer) > MAX_LINE:
                raise EndpointError("starttls", f"the peer sent more than {MAX_LINE} bytes where a short answer was due")
            self._fill()
        data, end, self._buffer = self._buffer.partition(end)
        return data + end

    def _fill(self) -> None:
        rest, self._buffer = self._buffer, b""
        data = self.receive()
        if not data:
            raise EndpointError("reset", "the peer closed the connection before TLS began" + (f", after {_quoted(rest)}" if rest else ""))
        self._buffer = rest + data

    @property
    def idle(self) -> bool:
        """Whether nothing has come that was not asked for."""
        return not self._buffer


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout
    return left


@contextlib.contextmanager
def _told(when: str) -> t.Iterator[None]:
    """Errors of sockets as what they mean."""
    try:
        yield
    except (socket.timeout, TimeoutError):
        raise EndpointError("timeout", f"time was up {when}") from None
    except ConnectionRefusedError:
        raise EndpointError("refused", "the connection was refused; nothing listens there") from None
    except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError):
        raise EndpointError("reset", f"the peer reset the connection {when}") from None
    except OSError as exc:
        raise EndpointError("unreachable", f"there is no way to that address ({printable(exc.strerror or str(exc), 120)})") from None


def _connect(endpoint: Endpoint, addresses: t.Sequence[str], deadline: float) -> tuple[socket.socket, str]:
    """To the first of the addresses that answers. Each gets its share of the time, so that a silent one does not hide the next."""
    for number, address in enumerate(addresses):
        last = number == len(addresses) - 1
        try:
            with _told("while connecting"):
                left = _left(deadline)
                # Not create_connection: it would resolve, which takes no timeout.
                connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
                try:
                    connection.settimeout(left if last else left / (len(addresses) - number))
                    connection.connect(socket.getaddrinfo(address, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0][4])
                except BaseException:
                    connection.close()
                    raise
                return connection, address
        except EndpointError:
            if last:
                raise
    raise EndpointError("dns", "there is no address to connect to")


def look(endpoint: Endpoint, addresses: t.Sequence[str], context: ssl.SSLContext, deadline: float) -> Sighting:
    """One handshake with the first of the addresses that answers.

    :raises EndpointError: no certificate was seen.
    """
    connection, address = _connect(endpoint, addresses, deadline)
    with connection:
        link = Link(connection, deadline)
        if endpoint.starttls != "none":
            try:
                STARTTLS[endpoint.starttls](link, endpoint, connection.getsockname()[0])
            except EndpointError:
                raise
            except (ValueError, IndexError, struct.error):
                raise EndpointError("starttls", f"the peer does not speak {endpoint.starttls}") from None
            if not link.idle:
                raise EndpointError("starttls", "the peer, or somebody on the path, sent more in the clear after it had agreed to TLS")
        return _handshake(link, context, endpoint.server_name, address)


# -- STARTTLS ----------------------------------------------------------------------------------------------------------------------------


def _quoted(data: bytes) -> str:
    return repr(printable(data[:200].decode("utf-8", "replace"), 100))


def _refused(protocol: str, answer: bytes) -> EndpointError:
    return EndpointError("starttls", f"the peer does not begin TLS; it answered {_quoted(answer)} to {protocol}")


def _lines(link: Link, *, last: t.Callable[[bytes], bool]) -> list[bytes]:
    lines: list[bytes] = []
    while len(lines) < MAX_LINES:
        lines.append(link.until(b"\n"))
        if last(lines[-1]):
            return lines
    raise EndpointError("starttls", f"the peer sent more than {MAX_LINES} lines where an answer was due")


def _reply(link: Link) -> list[bytes]:
    """A reply of SMTP or FTP: further lines follow a ``-`` after the code, until the code comes again without it."""
    first = link.until(b"\n")
    if not re.match(rb"[0-9]{3}-", first):
        return [first]
    return [first, *_lines(link, last=lambda line: line[:3] == first[:3] and line[3:4] != b"-")]


def _smtp(link: Link, dummy: Endpoint, own: str) -> None:
    greeting = _reply(link)
    if not greeting[-1].startswith(b"220"):
        raise _refused("the connection", greeting[-1])
    # RFC 5321, 4.1.3: who has no name gives the address.
    link.send(f"EHLO [{'IPv6:' if ':' in own else ''}{own.split('%')[0]}]\r\n".encode("ascii"))
    offered = _reply(link)
    if not offered[-1].startswith(b"250"):
        raise _refused("EHLO", offered[-1])
    if not any(re.fullmatch(rb"STARTTLS", line[4:].strip(), re.IGNORECASE) for line in offered):
        raise EndpointError("starttls", "the peer speaks SMTP and does not offer STARTTLS")
    link.send(b"STARTTLS\r\n")
    answer = _reply(link)[-1]
    if not answer.startswith(b"220"):
        raise _refused("STARTTLS", answer)


def _ftp(link: Link, dummy: Endpoint, dummy_own: str) -> None:
    greeting = _reply(link)
    if not greeting[-1].startswith(b"220"):
        raise _refused("the connection", greeting[-1])
    link.send(b"AUTH TLS\r\n")
    answer = _reply(link)[-1]
    if not answer.startswith(b"234"):
        raise _refused("AUTH TLS", answer)


def _imap(link: Link, dummy: Endpoint, dummy_own: str) -> None:
    greeting = link.until(b"\n")
    if not greeting.upper().startswith((b"* OK", b"* PREAUTH")):
        raise _refused("the connection", greeting)
    link.send(b"a1 STARTTLS\r\n")
    answer = _lines(link, last=lambda line: not line.startswith(b"*"))[-1]
    if not answer.upper().startswith(b"A1 OK"):
        raise _refused("STARTTLS", answer)


def _pop3(link: Link, dummy: Endpoint, dummy_own: str) -> None:
    for command in (b"", b"STLS\r\n"):
        link.send(command)
        answer = link.until(b"\n")
        if not answer.startswith(b"+OK"):
            raise _refused(command.decode("ascii").strip() or "the connection", answer)


def _ldap(link: Link, dummy: Endpoint, dummy_own: str) -> None:
    oid = b"1.3.6.1.4.1.1466.20037"
    request = b"\x77" + bytes([len(oid) + 2]) + b"\x80" + bytes([len(oid)]) + oid
    message = b"\x02\x01\x01" + request
    link.send(b"\x30" + bytes([len(message)]) + message)
    tag, content = _ber(link)
    # LDAPMessage ::= SEQUENCE { messageID INTEGER, ExtendedResponse [APPLICATION 24] { resultCode ENUMERATED, ... } }
    fields = list(_ber_fields(content)) if tag == 0x30 else []
    if len(fields) < 2 or fields[1][0] != 0x78:
        raise ValueError
    result = list(_ber_fields(fields[1][1]))
    if result[0] != (0x0A, b"\0"):
        told = result[2][1] if len(result) > 2 else b""
        raise EndpointError("starttls", f"the peer speaks LDAP and does not begin TLS: result {result[0][1].hex()} {_quoted(told)}")


def _ber(link: Link) -> tuple[int, bytes]:
    tag, length = link.exactly(2)
    if length & 0x80:
        size = length & 0x7F
        if not 0 < size <= 4:
            raise ValueError
        length = int.from_bytes(link.exactly(size), "big")
    if length > MAX_MESSAGE:
        raise ValueError
    return tag, link.exactly(length)


def _ber_fields(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        yield tag, data[start : start + length]
        data = data[start + length :]


def _postgres(link: Link, dummy: Endpoint, dummy_own: str) -> None:
    # SSLRequest: length, and the number that stands in the place of a protocol version.
    link.send(struct.pack("!II", 8, 80877103))
    answer = link.exactly(1)
    if answer == b"N":
        raise EndpointError("starttls", "the peer speaks the PostgreSQL protocol and does not offer TLS")
    if answer != b"S":
        raise _refused("SSLRequest", answer)


def _mysql(link: Link, dummy: Endpoint, dummy_own: str) -> None:
    head = link.exactly(4)
    greeting = link.exactly(int.from_bytes(head[:3], "little"))
    if greeting[0] == 0xFF:
        raise _refused("the connection", greeting[3:])
    if greeting[0] != 10:
        raise ValueError
    # After the version: connection id, eight bytes of the challenge and a filler; then the lower half of the capabilities.
    start = greeting.index(b"\0", 1) + 1 + 4 + 8 + 1
    (capabilities,) = struct.unpack_from("<H", greeting, start)
    if not capabilities & 0x0800:
        raise EndpointError("starttls", "the peer speaks the MySQL protocol and does not offer TLS")
    # SSLRequest with CLIENT_PROTOCOL_41, CLIENT_SSL and CLIENT_SECURE_CONNECTION, in UTF-8.
    request = struct.pack("<IIB23x", 0x0200 | 0x0800 | 0x8000, 1 << 24, 45)
    link.send(len(request).to_bytes(3, "little") + bytes([(head[3] + 1) & 0xFF]) + request)


def _xmpp(link: Link, endpoint: Endpoint, dummy: str) -> None:
    tls = "urn:ietf:params:xml:ns:xmpp-tls"
    link.send(
        f"<?xml version='1.0'?><stream:stream to='{endpoint.server_name}' version='1.0' xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams'>".encode("ascii")
    )
    opening = link.until(b">")
    if b"<stream:stream" not in (link.until(b">") if opening.lstrip().startswith(b"<?xml") else opening):
        raise ValueError
    offered = link.until(b">")
    while not offered.endswith((b"</stream:features>", b"<stream:features/>")) and len(offered) < MAX_MESSAGE:
        offered += link.until(b">")
    if tls.encode("ascii") not in offered:
        raise EndpointError("starttls", "the peer speaks XMPP and does not offer STARTTLS")
    link.send(f"<starttls xmlns='{tls}'/>".encode("ascii"))
    answer = link.until(b">")
    if not answer.lstrip().startswith(b"<proceed"):
        raise _refused("starttls", answer)


STARTTLS: t.Mapping[str, t.Callable[[Link, Endpoint, str], None]] = {
    "smtp": _smtp,
    "imap": _imap,
    "pop3": _pop3,
    "ftp": _ftp,
    "ldap": _ldap,
    "postgres": _postgres,
    "mysql": _mysql,
    "xmpp": _xmpp,
}


# -- the handshake -----------------------------------------------------------------------------------------------------------------------


def observing_context(client_cert: str | None = None, client_key: str | None = None, passphrase: str | None = None) -> ssl.SSLContext:
    """A client that takes any certificate, any version and any strength: what is wrong with a server is to be told, not to hide its certificate.

    :raises InputError: certificate and key of the client cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Servers that know no secure renegotiation; the constant came with Python 3.12.
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    with contextlib.suppress(ssl.SSLError):
        context.set_ciphers("ALL:!aNULL:@SECLEVEL=0")
    if NO_CHAIN:
        context._msg_callback = _keep_chain  # type: ignore[attr-defined]
    if client_cert:
        try:
            # A callable, so that OpenSSL never asks for a passphrase on the terminal.
            context.load_cert_chain(client_cert, client_key, lambda: passphrase or "")
        except (OSError, ssl.SSLError) as exc:
            raise InputError("client_cert", f"certificate and key of the client cannot be used ({printable(exc.strerror or str(exc), 120)})") from None
    return context


def _handshake(link: Link, context: ssl.SSLContext, server_name: str, address: str) -> Sighting:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
    first = b""
    refusal: str | None = None
    while True:
        done = True
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            done = False
        except ssl.SSLError as exc:
            refusal = printable((exc.reason or str(exc)).replace("_", " ").lower(), 120)
        if outgoing.pending and not refusal:
            link.send(outgoing.read())
        if done:
            break
        try:
            data = link.receive()
        except EndpointError as error:
            if not _chain(tls):
                raise
            data, refusal = b"", error.message
        if not data:
            refusal = refusal or "the peer closed the connection"
            break
        first = first or data
        # A handshake message or an alert, of any version that there is.
        if first[0] not in (0x15, 0x16) or first[1:2] not in (b"", b"\x03"):
            raise EndpointError("not_tls", f"the peer does not speak TLS; it said {_quoted(first)}" + _starttls_hint(first))
        incoming.write(data)
    chain = _chain(tls)
    if not chain:
        if not first:
            raise EndpointError("reset", "the peer closed the connection when it was asked for TLS")
        raise EndpointError("tls", f"the TLS handshake failed before a certificate was shown ({refusal or 'no certificate'})")
    if not refusal:
        # A goodbye, so that the server's log does not fill with broken connections.
        with contextlib.suppress(ssl.SSLError, EndpointError, OSError):
            with contextlib.suppress(ssl.SSLWantReadError):
                tls.unwrap()
            link.send(outgoing.read())
    cipher = tls.cipher()
    return Sighting(chain, address, tls.version(), cipher[0] if cipher else None, refusal)


def _starttls_hint(greeting: bytes) -> str:
    for start, protocol in ((b"220", "smtp or ftp"), (b"* OK", "imap"), (b"+OK", "pop3")):
        if greeting.startswith(start):
            return f"; set starttls to {protocol}"
    return ""


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates that the server has sent, also when the handshake was refused after that."""
    if NO_CHAIN:
        return t.cast("tuple[bytes, ...]", getattr(tls, "chain", ()))
    # Of the SSLObject itself only from Python 3.13 on; it does no more than this.
    inner: t.Any = tls._sslobj  # type: ignore[attr-defined]
    return tuple(ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in inner.get_unverified_chain() or ())


def _keep_chain(tls: t.Any, direction: str, version: t.Any, dummy: t.Any, kind: int, message: bytes) -> None:
    """Called by Python 3.9 with each message of a handshake, decrypted: keeps what is in the server's Certificate."""
    if direction != "read" or kind != 11:
        return
    # Type and length; in TLS 1.3 an empty context before the list, and extensions after each certificate.
    newest = version == ssl.TLSVersion.TLSv1_3
    rest, chain = message[8 if newest else 7 :], []
    while rest:
        end = 3 + int.from_bytes(rest[:3], "big")
        chain.append(rest[3:end])
        rest = rest[end:]
        if newest:
            rest = rest[2 + int.from_bytes(rest[:2], "big") :]
    tls.chain = tuple(chain)


# -- the verdict -------------------------------------------------------------------------------------------------------------------------

# OpenSSL's X509_V_ERR numbers.
_REASONS = {
    **dict.fromkeys((2, 19, 20, 21, 27), "unknown_authority"),
    18: "self_signed",
    9: "not_yet_valid",
    10: "expired",
    **dict.fromkeys((62, 63, 64), "name_mismatch"),
    **dict.fromkeys((66, 67, 68), "weak"),
}


class Verifier:
    """Judges chains as OpenSSL's clients do, with a given set of trusted authorities, and without a second connection.

    A farm may show another certificate to the next connection, so what was seen is what must be judged. A client with all its checks on is shown
    the chain by a TLS 1.2 server of two messages, in memory; it judges a certificate before it asks for a proof of the key.

    :raises InputError: the trusted authorities cannot be read.
    """

    def __init__(self, ca_path: str | None) -> None:
        try:
            if ca_path and os.path.isdir(ca_path):
                self._context = ssl.create_default_context(capath=ca_path)
            else:
                self._context = ssl.create_default_context(cafile=ca_path or None)
        except (OSError, ssl.SSLError) as exc:
            raise InputError("ca_path", f"{ca_path!r} cannot be read as a file of PEM certificates ({printable(exc.strerror or str(exc), 120)})") from None
        self._context.minimum_version = self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        # On by default from Python 3.13 on, which few other clients do; the verdict must not depend on the version here.
        self._context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        # One that this client has offered, which on some systems is a matter of policy.
        offered = [(item["name"], item["id"] & 0xFFFF) for item in self._context.get_ciphers()]
        self._rsa = next((suite for name, suite in offered if name.startswith("ECDHE-RSA-")), 0xC030)
        self._ecdsa = next((suite for name, suite in offered if name.startswith("ECDHE-ECDSA-")), 0xC02C)

    def judge(self, chain: t.Sequence[bytes], server_name: str, *, rsa: bool) -> Verdict:
        """``rsa`` says of which kind the key of the leaf is."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_hostname=server_name)
        with contextlib.suppress(ssl.SSLWantReadError):
            tls.do_handshake()
        for record in _server_flight(chain, self._rsa if rsa else self._ecdsa):
            incoming.write(record)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            return Verdict(True)  # the certificate is accepted; now the client waits for the proof
        except ssl.SSLCertVerificationError as exc:
            return Verdict(False, _REASONS.get(exc.verify_code, "invalid"), printable(exc.verify_message or str(exc), 200))
        except ssl.SSLError as exc:
            return Verdict(False, "invalid", printable((exc.reason or str(exc)).replace("_", " ").lower(), 200))
        return Verdict(False, "invalid", "OpenSSL did not judge the certificate")


def _server_flight(chain: t.Sequence[bytes], suite: int) -> t.Iterator[bytes]:
    """ServerHello and Certificate of TLS 1.2, in records."""
    # No session, no compression, and secure renegotiation (RFC 5746) as the only extension.
    hello = b"\x03\x03" + bytes(32) + b"\0" + struct.pack("!H", suite) + b"\0" + b"\0\x05\xff\x01\0\x01\0"
    messages = b"\x02" + _vector(hello) + b"\x0b" + _vector(_vector(b"".join(map(_vector, chain))))
    for start in range(0, len(messages), 1 << 14):
        part = messages[start : start + (1 << 14)]
        yield b"\x16\x03\x03" + struct.pack("!H", len(part)) + part


def _vector(data: bytes) -> bytes:
    return len(data).to_bytes(3, "big") + data
