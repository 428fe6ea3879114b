# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to look, what servers say before TLS, and the verdict on what they show."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import tls_endpoints
from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.tls_endpoints import (
    STARTTLS,
    Endpoint,
    EndpointError,
    Link,
    Verifier,
    look,
    observing_context,
    read_endpoint,
    resolve,
)
from ansible_collections.certops.remediation.plugins.module_utils.x509 import pem_blocks


@pytest.mark.parametrize("text, host, port, starttls", [
    ("shop.example.com", "shop.example.com", 443, "none"),
    ("SHOP.example.com.", "shop.example.com", 443, "none"),
    ("shop.example.com:8443", "shop.example.com", 8443, "none"),
    ("localhost", "localhost", 443, "none"),
    ("web_1.example.com", "web_1.example.com", 443, "none"),
    ("b\u00fccher.example.com", "xn--bcher-kva.example.com", 443, "none"),
    ("192.0.2.1:8443", "192.0.2.1", 8443, "none"),
    ("2001:db8::1", "2001:db8::1", 443, "none"),
    ("[2001:db8::1]", "2001:db8::1", 443, "none"),
    ("[2001:db8::1]:8443", "2001:db8::1", 8443, "none"),
    ("https://shop.example.com/path?x=1", "shop.example.com", 443, "none"),
    ("https://[2001:db8::1]:8443/", "2001:db8::1", 8443, "none"),
    ("ldaps://ldap.example.com", "ldap.example.com", 636, "none"),
    ("smtp://mail.example.com", "mail.example.com", 25, "smtp"),
    ("smtp://mail.example.com:587", "mail.example.com", 587, "smtp"),
    ("postgresql://db.example.com/shop", "db.example.com", 5432, "postgres"),
])
def test_endpoints_as_people_write_them(text, host, port, starttls):
    assert read_endpoint({"host": text}) == Endpoint(host, port, host, starttls)


def test_what_a_mapping_says_counts_more():
    given = {"host": "smtp://mail.example.com", "port": 2525, "server_name": "mx.example.com", "address": "192.0.2.1"}
    assert read_endpoint(given) == Endpoint("mail.example.com", 2525, "mx.example.com", "smtp", "192.0.2.1")
    assert read_endpoint({"host": "mail.example.com", "starttls": "imap"}).port == 143
    assert read_endpoint({"host": "fe80::1%eth0"}).server_name == "fe80::1"


@pytest.mark.parametrize("text", ["", ":443", "a:b", "a:1:2", "[::1", "a..b", "-a.example.com", "a:0", "a:65536", "https://", "x://a", "a/b"])
def test_what_is_no_endpoint(text):
    with pytest.raises(InputError):
        read_endpoint({"host": text})


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_is_an_endpoint_or_refused(text):
    try:
        found = read_endpoint({"host": text})
    except InputError:
        return
    assert 0 < found.port < 65536 and found.host.isascii() and found.host.isprintable()


@pytest.mark.parametrize("starttls", STARTTLS)
@given(said=st.binary(max_size=200))
@settings(max_examples=25)
def test_whatever_a_server_says_before_tls_is_an_error_or_fine(starttls, said):
    here, there = socket.socketpair()
    with here, there:
        there.sendall(said)
        there.shutdown(socket.SHUT_WR)
        try:
            STARTTLS[starttls](Link(here, time.monotonic() + 5), Endpoint("a", 1, "a"), "192.0.2.1")
        except (EndpointError, ValueError, IndexError) as error:
            assert getattr(error, "kind", "starttls") in ("starttls", "reset")


@pytest.mark.parametrize("said", [
    b"\x16", b"\x16\x03\x01", b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x03\x00\x04\x02\x00\x00\x00", b"\x16\x03\x03\xff\xff" + b"x" * 9000,
])
def test_half_a_handshake_is_an_error_of_its_own(said):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, dummy = listener.accept()
            with connection:
                connection.recv(1)
                connection.sendall(said)
                connection.recv(65536)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(EndpointError) as caught:
            look(Endpoint("127.0.0.1", listener.getsockname()[1], "a.example.com"), ["127.0.0.1"], observing_context(), time.monotonic() + 2)
        thread.join()
    assert caught.value.kind in ("tls", "reset")


def test_a_silent_address_does_not_hide_the_next(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        real = socket.socket.connect

        def connect(self, address):
            if address[0] == "127.0.0.9":
                time.sleep(self.gettimeout())
                raise socket.timeout
            return real(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)
        with pytest.raises(EndpointError) as caught:
            look(Endpoint("a", port, "a"), ["127.0.0.9", "127.0.0.1"], observing_context(), time.monotonic() + 0.6)
    # It was the second that was connected to, and hung.
    assert "answer" in caught.value.message


def test_addresses_are_not_resolved(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert resolve(Endpoint("a.example.com", 1, "a", address="192.0.2.7"), 0) == ["192.0.2.7"]


@pytest.mark.parametrize("version, wants", [("1.2", False), ("1.2", True), ("1.3", False)])
def test_the_chain_as_python_3_9_shows_it(simulator, monkeypatch, version, wants):
    server = simulator.endpoints.serve("a.example.com", versions=[version], client_certificate=wants)
    monkeypatch.setattr(tls_endpoints, "NO_CHAIN", True)
    sighting = look(Endpoint("127.0.0.1", server.port, server.name), ["127.0.0.1"], observing_context(), time.monotonic() + 5)
    assert sighting.chain == tuple(map(ssl.PEM_cert_to_DER_cert, pem_blocks(server.material[0].pem)))
    assert bool(sighting.refusal) is wants


def test_a_long_chain_is_judged_as_a_short_one(simulator):
    chain = list(map(ssl.PEM_cert_to_DER_cert, pem_blocks(simulator.endpoints.issue(names=["a.example.com"]).pem)))
    chain += chain[1:] * 60
    assert sum(map(len, chain)) > 1 << 14
    verifier = Verifier(simulator.ready["ca_path"])
    assert verifier.judge(chain, "a.example.com", rsa=False).verified
    assert verifier.judge(chain, "b.example.com", rsa=False).reason == "name_mismatch"
    assert verifier.judge([b"nonsense"], "a.example.com", rsa=False).reason == "invalid"


def test_a_folder_of_authorities(simulator, tmp_path):
    root = x509.load_pem_x509_certificate(simulator.authority.root_pem)
    # The name that OpenSSL's rehash would give it cannot be computed here, so the folder is empty, and trusts nobody.
    (tmp_path / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    pem = simulator.endpoints.issue(names=["a.example.com"], issuer="root").pem
    assert Verifier(str(tmp_path)).judge([ssl.PEM_cert_to_DER_cert(pem)], "a.example.com", rsa=False).reason == "unknown_authority"
