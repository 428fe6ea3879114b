# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers' half of STARTTLS: what is said in the clear before TLS begins. A dialogue returns True when the handshake is due.

``offered`` is False for a server that speaks the protocol and has no TLS.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable


class Talk:
    """A connection, line by line and byte by byte; nothing that belongs to the handshake is read."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def say(self, text: str | bytes) -> None:
        self.connection.sendall(text.encode() if isinstance(text, str) else text)

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.connection.recv(count - len(data))
            if not chunk:
                raise ConnectionError
            data += chunk
        return data

    def until(self, end: bytes) -> bytes:
        data = b""
        while not data.endswith(end):
            data += self.exactly(1)
        return data

    def line(self) -> str:
        return self.until(b"\n").decode("latin-1").strip()


def _smtp(talk: Talk, offered: bool) -> bool:
    talk.say("220-mail.example.com ESMTP\r\n220 ready\r\n")
    while True:
        command = talk.line().upper()
        if command.startswith("EHLO "):
            talk.say("250-mail.example.com\r\n250-SIZE 1000000\r\n" + ("250-STARTTLS\r\n" if offered else "") + "250 HELP\r\n")
        elif command == "STARTTLS" and offered:
            talk.say("220 2.0.0 Ready to start TLS\r\n")
            return True
        elif command == "QUIT":
            return False
        else:
            talk.say("502 5.5.1 Command not implemented\r\n")


def _ftp(talk: Talk, offered: bool) -> bool:
    talk.say("220-Welcome\r\n to the files of\r\n220 ftp.example.com\r\n")
    command = talk.line().upper()
    talk.say("234 Proceed with negotiation.\r\n" if command == "AUTH TLS" and offered else "502 Command not implemented.\r\n")
    return command == "AUTH TLS" and offered


def _imap(talk: Talk, offered: bool) -> bool:
    known = "* CAPABILITY IMAP4rev1" + (" STARTTLS" if offered else "") + "\r\n"
    talk.say("* OK IMAP4rev1 ready\r\n")
    while True:
        tag, dummy, command = talk.line().partition(" ")
        if command.upper() == "STARTTLS" and offered:
            talk.say(f"{known}{tag} OK Begin TLS negotiation now\r\n")
            return True
        talk.say(f"{known}{tag} OK done\r\n" if command.upper() == "CAPABILITY" else f"{tag} BAD command unknown\r\n")


def _pop3(talk: Talk, offered: bool) -> bool:
    talk.say("+OK POP3 ready\r\n")
    while True:
        command = talk.line().upper()
        if command == "STLS" and offered:
            talk.say("+OK Begin TLS negotiation\r\n")
            return True
        talk.say("+OK\r\nUIDL\r\n" + ("STLS\r\n" if offered else "") + ".\r\n" if command == "CAPA" else "-ERR unknown command\r\n")


def _ldap(talk: Talk, offered: bool) -> bool:
    dummy, length = talk.exactly(2)
    message = talk.exactly(length)
    granted = b"1.3.6.1.4.1.1466.20037" in message and offered
    text = b"" if granted else b"TLS not started"
    result = b"\x0a\x01" + (b"\0" if granted else b"\x02") + b"\x04\0\x04" + bytes([len(text)]) + text
    answer = message[:3] + b"\x78\x81" + bytes([len(result)]) + result
    # Lengths in the long form, as Active Directory writes them.
    talk.say(b"\x30\x84" + struct.pack("!I", len(answer)) + answer)
    return granted


def _postgres(talk: Talk, offered: bool) -> bool:
    granted = talk.exactly(8) == struct.pack("!II", 8, 80877103) and offered
    talk.say("S" if granted else "N")
    return granted


def _mysql(talk: Talk, offered: bool) -> bool:
    capabilities = 0x0200 | 0x8000 | (0x0800 if offered else 0)
    greeting = b"\x0a8.0.36\0" + struct.pack("<I", 17) + b"challeng\0" + struct.pack("<HBHH", capabilities, 45, 2, 0x0008) + b"\x15" + bytes(10)
    greeting += b"e-for-you-12\0mysql_native_password\0"
    talk.say(len(greeting).to_bytes(3, "little") + b"\0" + greeting)
    head = talk.exactly(4)
    request = talk.exactly(int.from_bytes(head[:3], "little"))
    return offered and head == b"\x20\0\0\x01" and bool(struct.unpack_from("<I", request)[0] & 0x0800)


def _xmpp(talk: Talk, offered: bool) -> bool:
    tls = "urn:ietf:params:xml:ns:xmpp-tls"
    opening = talk.until(b">")
    if opening.startswith(b"<?xml"):
        opening = talk.until(b">")
    talk.say("<?xml version='1.0'?><stream:stream id='1' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
    talk.say(f"<stream:features>{f'<starttls xmlns={tls!r}><required/></starttls>' if offered else ''}</stream:features>")
    if b"<stream:stream" not in opening or f"<starttls xmlns={tls!r}/>".encode() != talk.until(b">"):
        return False
    talk.say(f"<proceed xmlns={tls!r}/>" if offered else f"<failure xmlns={tls!r}/></stream:stream>")
    return offered


DIALOGUES: dict[str, Callable[[Talk, bool], bool]] = {
    "smtp": _smtp,
    "ftp": _ftp,
    "imap": _imap,
    "pop3": _pop3,
    "ldap": _ldap,
    "postgres": _postgres,
    "mysql": _mysql,
    "xmpp": _xmpp,
}
