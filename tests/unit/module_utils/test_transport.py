# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP layer against the simulator and against small servers that misbehave on the wire."""

from __future__ import annotations

import datetime
import email.utils
import gzip
import json
import pathlib
import random
import socket
import ssl
import threading
import time
import tracemalloc
import urllib.parse

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.certops.remediation.plugins.module_utils import transport as transport_module
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    InputError,
    NotSentError,
    ReadOnlyError,
    RedirectedError,
    RemediationError,
    UnreadableAnswerError,
    UntrustedError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.pacing import RateLimit
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.transport import Transport
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, basic_value, key_pem, open_transport, proxy, server_context

TOKEN = "Canary+Token/22chars=="
PASSWORD = "c@nary/pass word"


class Bearer:
    """Credentials that are always the same."""

    def __init__(self, token=TOKEN):
        self.token = token

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self, rejected):
        return False


def ask(transport, path="/thing", **more):
    return transport.request("GET", path, purpose="read the thing", **more)


def change(transport, path="/thing", **more):
    return transport.request("POST", path, purpose="change the thing", json_body={"Name": "x"}, changes=True, **more)


def simulated(simulator, **settings) -> Transport:
    """A transport to the simulator, with its authority and token."""
    transport = open_transport(simulator.ready["url"], **{"ca_path": simulator.ready["ca_path"], **settings})
    transport.credentials = Bearer(simulator.ready["tpp"]["access_token"])
    return transport


def version(transport):
    return ask(transport, "/vedsdk/SystemStatus/Version").json()


def always(reply) -> Server:
    """A server with one answer to everything."""
    return Server(lambda request, number: reply)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def other_ca(tmp_path, simulator):
    """The file of an authority that signed nothing here."""
    path = tmp_path / "other-ca.pem"
    path.write_bytes(simulator.authority.issuer("CN=Somebody else").certificate.public_bytes(serialization.Encoding.PEM))
    return str(path)


# -- TLS -------------------------------------------------------------------------------------------------------------------------------


def test_the_right_authority_is_enough(simulator):
    assert "Version" in version(simulated(simulator))


def test_a_folder_of_hashed_authorities_is_one_as_well(simulator, tmp_path):
    # Nothing hashed in it: the folder is read, and trusts nobody.
    with pytest.raises(UntrustedError):
        version(simulated(simulator, ca_path=str(tmp_path)))


def test_a_wrong_authority_is_told_with_host_and_option_and_not_tried_again(simulator, other_ca):
    told = []
    with pytest.raises(UntrustedError) as caught:
        version(simulated(simulator, ca_path=other_ca, retry_timeout=60, warnings=told))
    assert urllib.parse.urlsplit(simulator.ready["url"]).netloc in caught.value.message
    assert "ca_path" in caught.value.message
    assert told == [] and simulator.journal == []
    assert caught.value.fatal


def test_a_changing_request_to_an_untrusted_host_was_not_sent(simulator, other_ca):
    with pytest.raises(NotSentError):
        change(simulated(simulator, ca_path=other_ca))
    assert simulator.journal == []


def test_a_certificate_for_another_host_is_refused(simulator, tmp_path):
    with Server(lambda *dummy: answer(), server_context(simulator, tmp_path, "elsewhere.example.com")) as server:
        with pytest.raises(UntrustedError, match="correct the host name"):
            ask(open_transport(server.url, ca_path=simulator.ready["ca_path"]))
    assert server.requests == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_adds_no_trust_to_ca_path(simulator, other_ca, monkeypatch, name):
    monkeypatch.setenv(name, simulator.ready["ca_path"])
    with pytest.raises(UntrustedError):
        version(simulated(simulator, ca_path=other_ca))
    assert simulator.journal == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_without_ca_path_the_environment_names_the_authorities(simulator, monkeypatch, name):
    monkeypatch.setenv(name, simulator.ready["ca_path"])
    assert "Version" in version(simulated(simulator, ca_path=None))


def test_the_environment_does_not_replace_ca_path(simulator, other_ca, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other_ca)
    assert "Version" in version(simulated(simulator))


def test_the_system_does_not_trust_the_simulator(simulator):
    with pytest.raises(UntrustedError):
        version(simulated(simulator, ca_path=None))


def test_unverified_tls_works_and_is_warned_of(simulator):
    told = []
    assert "Version" in version(simulated(simulator, ca_path=None, validate_certs=False, warnings=told))
    assert len(told) == 1 and "validate_certs=false" in told[0]


@pytest.mark.parametrize("content", [b"", b"no certificate at all", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_without_certificates_is_no_authority(simulator, tmp_path, content):
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(InputError, match="ca_path"):
        simulated(simulator, ca_path=str(path))


def test_a_broken_bundle_of_the_environment_is_named(simulator, monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(InputError, match="REQUESTS_CA_BUNDLE"):
        simulated(simulator, ca_path=None)


def test_the_client_certificate_is_shown(simulator):
    ready = simulator.ready["tpp"]
    transport = simulated(simulator, client_cert=ready["client_cert"], client_key=ready["client_key"])
    login = transport.request(
        "POST",
        "/vedauth/authorize/certificate",
        purpose="log in",
        json_body={"client_id": ready["client_id"], "scope": "certificate"},
        authenticated=False,
    )
    assert login.status == 200


@pytest.fixture
def encrypted_key(simulator, tmp_path):
    """The client's key, with a passphrase."""
    path = tmp_path / "encrypted.key"
    key = serialization.load_pem_private_key(pathlib.Path(simulator.ready["tpp"]["client_key"]).read_bytes(), None)
    path.write_bytes(key_pem(key, "correct horse"))
    return str(path)


def test_an_encrypted_key_opens_with_its_passphrase(simulator, encrypted_key):
    transport = simulated(simulator, client_cert=simulator.ready["tpp"]["client_cert"], client_key=encrypted_key, client_key_passphrase="correct horse")
    assert "Version" in version(transport)


@pytest.mark.parametrize("passphrase", [None, "", "battery staple", "x" * 5000, "\udcff"])
def test_a_wrong_passphrase_is_told_and_never_asked_for(simulator, encrypted_key, passphrase, capfd):
    # Would OpenSSL ask, it would write its prompt to the terminal and wait; there is none here, so it would write to stderr.
    with pytest.raises(InputError, match="client_key_passphrase") as caught:
        simulated(simulator, client_cert=simulator.ready["tpp"]["client_cert"], client_key=encrypted_key, client_key_passphrase=passphrase)
    assert not passphrase or passphrase not in caught.value.message
    assert capfd.readouterr() == ("", "")


def test_a_key_of_another_certificate_is_told(simulator, tmp_path):
    path = tmp_path / "other.key"
    path.write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(InputError, match="belong together"):
        simulated(simulator, client_cert=simulator.ready["tpp"]["client_cert"], client_key=str(path))


def test_a_server_that_wants_a_client_certificate_did_not_process_anything(simulator, tmp_path, other_ca, short_backoff):
    context = server_context(simulator, tmp_path, client_ca=pathlib.Path(other_ca).read_bytes())
    # With TLS 1.3 the refusal comes after the handshake, and a reset of the connection may overtake it.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Server(lambda *dummy: answer(), context) as server:
        with pytest.raises(NotSentError, match="client_cert"):
            change(open_transport(server.url, ca_path=simulator.ready["ca_path"]))
    assert server.requests == []


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None])
def test_a_handshake_that_fails_means_that_nothing_was_sent(simulator, short_backoff, says):
    """A plain HTTP port; one that closes; one that says nothing."""

    def serve(listener):
        waiting = []
        while True:
            connection, dummy = listener.accept()
            connection.recv(10000)
            if says is None:
                waiting.append(connection)
            else:
                connection.sendall(says)
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_quietly, args=(serve, listener), daemon=True).start()
        transport = open_transport(f"https://127.0.0.1:{listener.getsockname()[1]}", ca_path=simulator.ready["ca_path"], timeout=0.3, retry_timeout=60)
        with pytest.raises(NotSentError):
            change(transport)
        listener.shutdown(socket.SHUT_RDWR)
    assert transport.requests_sent == 4


def _quietly(work, *arguments):
    try:
        work(*arguments)
    except OSError:
        pass


# -- connecting ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", [ask, change])
def test_a_refused_connection_is_tried_four_times(send, short_backoff):
    told = []
    transport = open_transport(f"http://127.0.0.1:{closed_port()}", retry_timeout=60, warnings=told)
    with pytest.raises(NotSentError, match="cannot connect") as caught:
        send(transport)
    assert transport.statistics()["requests"] == 4 and transport.statistics()["retries"] == 3 and len(told) == 3
    assert caught.value.fatal


def test_a_server_that_comes_up_in_time_is_reached(short_backoff, monkeypatch):
    port = closed_port()
    servers = []

    def wait_and_start(attempt):
        listener = Server(lambda *dummy: answer(), port=port)
        servers.append(listener.__enter__())
        monkeypatch.setattr(transport_module, "backoff", lambda attempt: 0.01)
        return 0.01

    monkeypatch.setattr(transport_module, "backoff", wait_and_start)
    transport = open_transport(f"http://127.0.0.1:{port}", retry_timeout=60)
    try:
        assert change(transport).status == 200
    finally:
        servers[0].__exit__()
    assert len(servers[0].requests) == 1


def test_an_unknown_host_is_told():
    with pytest.raises(NotSentError, match="name resolution") as caught:
        ask(open_transport("https://no-such-host.invalid"))
    assert "no-such-host.invalid" in caught.value.message


@pytest.mark.parametrize("host", ["a" * 64 + ".example.com", "bad..example.com", "*.example.com", "with_\x7f.example.com", "b\\ack", "pct%41.example.com"])
def test_a_host_that_cannot_be_one_is_no_traceback(host):
    with pytest.raises(RemediationError):
        change(open_transport(f"https://{host}"))


def test_a_connection_that_is_not_accepted_in_time_was_not_sent():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for dummy in range(4):  # the queue is full: a further connection gets no answer
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            waiting.append(filler)
        time.sleep(0.05)
        try:
            with pytest.raises(NotSentError):
                change(open_transport("http://127.0.0.1:%d" % listener.getsockname()[1], timeout=0.3))
        except AnswerLostError:
            pytest.skip("this system accepts more connections than a full queue holds")
        finally:
            for filler in waiting:
                filler.close()


# -- proxies ---------------------------------------------------------------------------------------------------------------------------


def test_the_proxy_option_is_used(simulator, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    with proxy() as server:
        assert "Version" in version(simulated(simulator, proxy=server.url))
    assert server.requests[0].line.startswith("CONNECT 127.0.0.1:")
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used(simulator, monkeypatch, name):
    with proxy() as server:
        monkeypatch.setenv(name, server.url)
        assert "Version" in version(simulated(simulator))
    assert len(server.requests) == 1


@pytest.mark.parametrize("exception", ["127.0.0.1", "localhost,127.0.0.0/8", "*"])
def test_no_proxy_is_obeyed(simulator, monkeypatch, exception):
    with proxy() as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        monkeypatch.setenv("NO_PROXY", exception)
        assert "Version" in version(simulated(simulator))
    assert server.requests == []


@pytest.mark.parametrize("value", ["http://[::1", "http://proxy:port", "::::", "http://", "[", "http://user@:1"])
def test_nonsense_for_a_proxy_in_the_environment_is_no_traceback(simulator, monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", value)
    try:
        version(simulated(simulator))
    except RemediationError as error:
        assert "PROXY" in error.message


@pytest.mark.parametrize("send", [ask, change])
@pytest.mark.parametrize(
    "refusal",
    [
        answer("403 Forbidden", b"<html><body>policy 7</body></html>", content_type="text/html"),
        answer("407 Proxy Authentication Required", b"", 'Proxy-Authenticate: Basic realm="corp"'),
        answer("502 Bad Gateway", b""),
        b"<html><body>I am no proxy</body></html>\r\n\r\n",
        None,
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_told_and_nothing_was_sent(simulator, refusal, send, short_backoff):
    server = proxy(refusal) if refusal else Server(lambda *dummy: None)
    with server, pytest.raises(NotSentError, match="proxy") as caught:
        send(simulated(simulator, proxy=server.url.replace("//", f"//someone:{urllib.parse.quote(PASSWORD, safe='')}@")))
    assert simulator.journal == []
    assert "403" in caught.value.message or refusal is None or not refusal.startswith(b"HTTP/1.1 403")


def test_a_proxy_that_is_down_is_told(simulator, short_backoff):
    with pytest.raises(NotSentError, match="proxy"):
        change(simulated(simulator, proxy=f"http://127.0.0.1:{closed_port()}"))


def test_the_proxy_gets_its_own_credentials_and_not_those_of_the_vendor(simulator):
    with proxy() as server:
        version(simulated(simulator, proxy=server.url.replace("//", f"//someone:{urllib.parse.quote(PASSWORD, safe='')}@")))
    assert server.requests[0].headers["proxy-authorization"] == f"Basic {basic_value('someone', PASSWORD)}"
    assert simulator.ready["tpp"]["access_token"] not in server.heard


@pytest.mark.parametrize("where", ["option", "environment"])
def test_the_password_of_the_proxy_is_in_no_message(simulator, where, monkeypatch):
    quoted = urllib.parse.quote(PASSWORD, safe="")
    forms = (PASSWORD, quoted, basic_value("someone", PASSWORD))
    page = "<html>" + " ".join(f"[{form}]" for form in forms) + "</html>"

    with always(answer("200 OK", page.encode(), content_type="text/html")) as server:
        url = server.url.replace("//", f"//someone:{quoted}@")
        if where == "option":
            settings = {"proxy": url}
        else:
            settings = {}
            monkeypatch.setenv("HTTP_PROXY", url)
        transport = open_transport("http://vendor.invalid", **settings)
        said = transport.describe(ask(transport))
    assert "text/html" in said and "[********]" in said
    for form in forms:
        assert form not in said


def test_a_proxy_without_scheme_but_with_a_password_is_told_without_that(monkeypatch):
    # requests takes "someone" for the scheme.
    monkeypatch.setenv("HTTP_PROXY", "someone:c4nary@127.0.0.1:1")
    with pytest.raises(RemediationError, match="proxy") as caught:
        change(open_transport("http://vendor.invalid"))
    assert "c4nary" not in caught.value.message


# -- credentials travel nowhere else ---------------------------------------------------------------------------------------------------


def test_netrc_is_never_used(tmp_path, monkeypatch):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login netrc-user password netrc-pass\ndefault login netrc-user password netrc-pass\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with always(answer()) as server:
        transport = open_transport(server.url)
        ask(transport)
        transport.credentials = Bearer()
        ask(transport)
        ask(transport, authenticated=False)
    assert [request.headers.get("authorization") for request in server.requests] == [None, f"Bearer {TOKEN}", None]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("send", [ask, change])
def test_a_redirect_to_another_host_is_refused_and_nothing_travels(status, send):
    with always(answer()) as other:
        with always(answer(status, b"", f"Location: {other.url}/stolen?x=1")) as server:
            transport = open_transport(server.url, retry_timeout=60)
            transport.credentials = Bearer()
            # A changing request may have been done before the redirect.
            with pytest.raises(AnswerLostError if send is change else VendorError) as caught:
                send(transport)
    assert other.address in caught.value.message and "redirect" in caught.value.message
    assert "stolen" not in caught.value.message
    assert other.connections == 0 and len(server.requests) == 1


@pytest.mark.parametrize("location", ["/elsewhere", "", "http://[", "https://user:secret@host.example/x", "\x1b]0;evil\x07", "http://h\u00e9llo/"])
def test_odd_redirects_are_told_in_clean_words(location):
    with always(answer("302 Found", b"", f"Location: {location}")) as server, pytest.raises(VendorError) as caught:
        ask(open_transport(server.url))
    assert "redirected" in caught.value.message and "secret" not in caught.value.message
    assert caught.value.message.isprintable()


def test_cookies_are_not_kept():
    with always(answer("200 OK", b"{}", "Set-Cookie: session=abc; Path=/")) as server:
        transport = open_transport(server.url)
        ask(transport)
        ask(transport)
    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


# -- bodies ----------------------------------------------------------------------------------------------------------------------------


def test_a_page_instead_of_json_is_described(short_backoff):
    page = b"<html><head><style>p{}</style><script>evil('x')</script></head><body><h1>Sign\x1b[31m in</h1></body></html>"
    with always(answer("200 OK", page, content_type="text/html")) as server:
        transport = open_transport(server.url)
        said = transport.describe(ask(transport))
    assert said == "HTTP 200 OK, content type text/html, body: Sign [31m in"


def test_an_empty_body_is_described():
    with always(answer("500 Ouch", b"")) as server:
        transport = open_transport(server.url)
        assert transport.describe(ask(transport)) == "HTTP 500 Ouch, content type application/json, empty body"


CUT = {
    "content-length": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "content-length without any": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "no chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n" + gzip.compress(b"{}" * 500)[:-12],
    "not gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "no status line": b"\x15\x03\x01\x00\x02\x02\x50\r\n\r\n",
    "half a status line": b"HTTP/1.1 20",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "nothing": b"",
}


@pytest.mark.parametrize("what", CUT)
@pytest.mark.parametrize("send", [ask, change])
def test_an_answer_that_is_cut_off_is_lost(what, send):
    def reply(connection):
        connection.sendall(CUT[what])

    with always(reply) as server, pytest.raises(AnswerLostError) as caught:
        send(open_transport(server.url))
    assert "the thing" in caught.value.message


def test_an_answer_that_is_cut_off_is_asked_for_again_but_not_when_it_changes_something(short_backoff):
    def reply(request, number):
        return (lambda connection: connection.sendall(CUT["content-length"])) if number in (1, 3) else answer("200 OK", b'{"a": 1}')

    with Server(reply) as server:
        transport = open_transport(server.url, retry_timeout=60)
        assert ask(transport).json() == {"a": 1}
        with pytest.raises(AnswerLostError):
            change(transport)
    assert [request.line.split()[0] for request in server.requests] == ["GET", "GET", "POST"]


def test_more_than_the_announced_length_is_left_alone():
    with always(answer("200 OK", b"{}") + b"garbage after the end") as server:
        transport = open_transport(server.url)
        assert ask(transport).json() == {}


@pytest.mark.parametrize("path", ["gzip_bomb", "huge"])
def test_a_gigabyte_ends_early_and_stays_out_of_memory(simulator, path):
    simulator.faults.add(path, size=1 << 30, times=0)
    transport = simulated(simulator, retry_timeout=60)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableAnswerError, match="32 MiB"):
            version(transport)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The simulator's own blocks are counted as well; the limit is 32 MiB and an ordinary list is small beside it.
    assert peak < 100 << 20
    assert len(simulator.journal) == 1


@pytest.mark.skipif(not hasattr(urllib3.HTTPResponse, "read1"), reason="urllib3 before 2.1 cannot hand out what has arrived")
def test_a_body_that_drips_ends_at_the_deadline():
    dripped = []

    def reply(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for dummy in range(1000):
            connection.sendall(b" ")
            dripped.append(1)
            time.sleep(0.02)

    with always(reply) as server, pytest.raises(AnswerLostError, match="timeout"):
        ask(open_transport(server.url, timeout=0.4))
    assert 5 < len(dripped) < 500


def test_a_server_that_says_nothing_is_given_up():
    with always(lambda connection: time.sleep(2)) as server, pytest.raises(AnswerLostError, match="no answer in time"):
        ask(open_transport(server.url, timeout=0.2))


def test_a_longer_wait_can_be_allowed():
    def reply(connection):
        time.sleep(0.5)
        connection.sendall(answer())

    with always(reply) as server:
        assert ask(open_transport(server.url, timeout=0.2), extra_seconds=5).status == 200


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b'{"a": "\xc3"}', b"", b"nul", b'{"a": 1', b"1" * 100_000])
def test_hostile_json_is_a_value_error(body):
    with always(answer("200 OK", body)) as server:
        received = ask(open_transport(server.url))
    try:
        assert isinstance(received.json(), int)  # the long number, where Python takes it
    except ValueError:
        pass


def test_a_byte_order_mark_is_no_problem():
    with always(answer("200 OK", b'\xef\xbb\xbf{"a": "\xc3\xa9"}')) as server:
        assert ask(open_transport(server.url)).json() == {"a": "\u00e9"}


@pytest.mark.parametrize("status", ["200 \x1b[31mred\x07", "200 " + "x" * 5000, "200", "200 \xe9t\xe9"])
def test_reason_phrases_are_cleaned(status):
    with always(answer(status)) as server:
        reason = ask(open_transport(server.url)).reason
    assert reason.isprintable() and len(reason) <= 160


def test_a_head_request_has_no_body_and_is_not_cut_off():
    with always(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nX-Record-Count: 7\r\n\r\n") as server:
        received = open_transport(server.url).request("HEAD", "/", purpose="count")
    assert received.headers["x-record-count"] == "7" and received.body == b""


# -- retries ---------------------------------------------------------------------------------------------------------------------------


def failing(times: int, first: bytes) -> Server:
    return Server(lambda request, number: first if number <= times else answer("200 OK", b'{"ok": 1}'))


@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_temporary_failure_of_a_safe_request_is_tried_again(status, short_backoff):
    told = []
    with failing(2, answer(status)) as server:
        transport = open_transport(server.url, retry_timeout=60, warnings=told)
        assert ask(transport).json() == {"ok": 1}
    assert transport.statistics()["requests"] == 3 and transport.statistics()["retries"] == 2
    assert len(told) == 2 and status[:3] in told[0] and "read the thing" in told[0]


@pytest.mark.parametrize("status", ["500 Oops", "400 Bad Request", "404 Not Found", "501 Not Implemented"])
def test_a_lasting_failure_is_not_tried_again(status, short_backoff):
    with failing(1, answer(status)) as server:
        assert ask(open_transport(server.url, retry_timeout=60)).status == int(status[:3])
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["429 Too Many Requests", "500 Oops", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"])
def test_a_changing_request_is_sent_once(status, short_backoff):
    with failing(1, answer(status, b"{}", "Retry-After: 0")) as server:
        assert change(open_transport(server.url, retry_timeout=60)).status == int(status[:3])
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_obeyed(form, monkeypatch):
    monkeypatch.setattr(transport_module, "backoff", lambda attempt: 0.01)
    arrived = []

    def reply(request, number):
        arrived.append(time.monotonic())
        if number > 1:
            return answer()
        # The date has whole seconds, so it may lie a little less far ahead.
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        return answer("503 Busy", b"", "Retry-After: " + ("1" if form == "seconds" else email.utils.format_datetime(later, usegmt=True)))

    with Server(reply) as server:
        assert ask(open_transport(server.url, retry_timeout=60)).status == 200
    assert arrived[1] - arrived[0] > 0.9


def test_retry_after_holds_back_the_other_threads(short_backoff):
    arrived = {}
    refused = threading.Event()

    def reply(request, number):
        arrived.setdefault(request.line.split()[1], []).append(time.monotonic())
        return answer("503 Busy", b"", "Retry-After: 1") if number == 1 else answer()

    with Server(reply) as server:
        transport = open_transport(server.url, retry_timeout=60)
        transport.warn = lambda text: refused.set()
        thread = threading.Thread(target=ask, args=(transport, "/first"))
        thread.start()
        assert refused.wait(5)
        ask(transport, "/second")
        thread.join()
    assert arrived["/second"][0] - arrived["/first"][0] > 0.8


def test_a_wait_longer_than_the_budget_gives_up_at_once_and_holds_nobody_back():
    def reply(request, number):
        return answer("503 Busy", b"", "Retry-After: 100000") if "POST" in request.line or number == 1 else answer()

    with Server(reply) as server:
        transport = open_transport(server.url, retry_timeout=5)
        begun = time.monotonic()
        assert ask(transport).status == 503
        assert ask(transport).status == 200
        assert change(transport).status == 503
        assert ask(transport).status == 200
    assert time.monotonic() - begun < 5
    assert transport.statistics()["seconds_waited"] == 0


@pytest.mark.parametrize("left, opens, waits", [(0, 1, True), (1, 1, True), (2, 1, False), (0, 100000, False)])
def test_a_window_that_is_nearly_full_is_not_filled(left, opens, waits):
    """Two at a time: what the other thread has sent may not be counted yet."""
    with Server(lambda request, number: answer("200 OK", b"{}", f'Ratelimit: "default";r={left};t={opens}')) as server:
        transport = open_transport(server.url, retry_timeout=5, concurrency=2)
        ask(transport)
        begun = time.monotonic()
        ask(transport)
    assert (time.monotonic() - begun > 0.8) == waits


@pytest.mark.parametrize("value", ["\xb2", "-1", "soon", "9" * 400, "1e3", "Sun, 06 Nov 99999999999 08:49:37 GMT", ""])
def test_an_odd_retry_after_is_no_traceback(value, short_backoff):
    with failing(1, answer("503 Busy", b"", f"Retry-After: {value}")) as server:
        assert ask(open_transport(server.url, retry_timeout=5)).status in (200, 503)


def test_retry_after_zero_does_not_hammer(monkeypatch):
    waits = []
    monkeypatch.setattr(transport_module, "backoff", lambda attempt: waits.append(attempt) or 0.05)
    with failing(3, answer("503 Busy", b"", "Retry-After: 0")) as server:
        ask(open_transport(server.url, retry_timeout=60))
    assert waits[:3] == [1, 2, 3]


def test_without_a_retry_budget_nothing_is_tried_again():
    told = []
    with failing(1, answer("503 Busy")) as server:
        transport = open_transport(server.url, retry_timeout=0, warnings=told)
        assert ask(transport).status == 503
    assert transport.statistics() == {"requests": 1, "retries": 0, "seconds_waited": 0} and told == []


def test_the_budget_ends_the_tries(monkeypatch):
    monkeypatch.setattr(transport_module, "backoff", lambda attempt: 0.1)
    with always(answer("503 Busy")) as server:
        transport = open_transport(server.url, retry_timeout=0.35)
        assert ask(transport).status == 503
    assert 2 <= len(server.requests) <= 4
    assert transport.statistics()["seconds_waited"] > 0


def test_a_vendors_own_try_again_is_recognised(short_backoff):
    with failing(1, answer("500 Rerun the transaction")) as server:
        transport = open_transport(server.url, retry_timeout=60)
        assert ask(transport, temporary=lambda received: "Rerun" in received.reason).status == 200
        assert transport.retries == 1


def test_a_single_use_request_is_not_repeated_when_its_answer_is_lost(short_backoff):
    with always(None) as server, pytest.raises(AnswerLostError):
        open_transport(server.url, retry_timeout=60).request("POST", "/token", purpose="refresh", json_body={}, once=True)
    assert len(server.requests) == 1


def test_401_is_renewed_once_also_for_a_changing_request():
    class Renewing(Bearer):
        def renew(self, rejected):
            assert rejected["Authorization"] == "Bearer old"
            self.token = "new"
            return True

    with Server(lambda request, number: answer("401 No") if "old" in request.headers["authorization"] else answer()) as server:
        transport = open_transport(server.url)
        transport.credentials = Renewing("old")
        assert change(transport).status == 200
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer old", "Bearer new"]
    with always(answer("401 No")) as server:
        transport = open_transport(server.url)
        transport.credentials = Renewing("old")
        assert ask(transport).status == 401
    assert len(server.requests) == 2


# -- check mode ------------------------------------------------------------------------------------------------------------------------


def test_nothing_that_changes_leaves_a_read_only_transport(simulator):
    with pytest.raises(ReadOnlyError, match="check mode"):
        change(simulated(simulator, read_only=True), "/vedsdk/certificates/reset")
    assert simulator.journal == []
    assert "Version" in version(simulated(simulator, read_only=True))


# -- what is sent ----------------------------------------------------------------------------------------------------------------------


def test_no_value_of_the_query_can_break_out():
    hostile = "a\r\nX-Evil: 1\r\n\r\nGET /other HTTP/1.1 &b=#?%\u20ac\\"
    with always(answer()) as server:
        ask(open_transport(server.url), params=[("Name", hostile), ("PendingWorkflow", ""), ("N\n", "1")])
    assert len(server.requests) == 1 and "x-evil" not in server.requests[0].headers
    query = urllib.parse.urlsplit(server.requests[0].line.split()[1]).query
    assert urllib.parse.parse_qsl(query, keep_blank_values=True) == [("Name", hostile), ("PendingWorkflow", ""), ("N\n", "1")]
    assert "PendingWorkflow=" not in query


@pytest.mark.parametrize("token", ["line\nbreak", "end\n", "cr\r", "e\u20acuro", "\udcff"])
def test_a_token_that_cannot_be_a_header_is_told_without_it(token):
    with always(answer()) as server:
        transport = open_transport(server.url, secrets=Secrets())
        transport.secrets.add(token)
        transport.credentials = Bearer(token)
        with pytest.raises(RemediationError) as caught:
            change(transport)
    assert isinstance(caught.value, InputError) and server.requests == []
    assert token not in caught.value.message and repr(token)[1:-1] not in caught.value.message


def test_the_body_is_json_in_utf8_and_the_agent_is_named():
    with always(answer()) as server:
        open_transport(server.url).request("POST", "/x", purpose="x", json_body={"DN": "\\VED\\\u00e9,\u2028"})
    request = server.requests[0]
    assert request.headers["content-type"] == "application/json" and request.headers["user-agent"] == "certops.remediation"
    assert json.loads(request.body) == {"DN": "\\VED\\\u00e9,\u2028"}


def test_a_form_is_encoded_and_named_as_such():
    hostile = "a&b=c d+e\r\nX-Evil: 1\u20ac%00\"'"
    with always(answer()) as server:
        transport = open_transport(server.url, headers={"x-vendor": "1"})
        transport.request("POST", "/token", purpose="log in", form={"secret": hostile, "empty": "", "n\u00e4me=": "1"}, authenticated=False)
    request = server.requests[0]
    assert request.headers["content-type"] == "application/x-www-form-urlencoded" and "x-evil" not in request.headers
    assert urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True) == [("secret", hostile), ("empty", ""), ("n\u00e4me=", "1")]


def test_an_empty_form_is_no_missing_body():
    with always(answer()) as server:
        open_transport(server.url).request("POST", "/token", purpose="log in", form={})
    assert server.requests[0].headers["content-type"] == "application/x-www-form-urlencoded" and server.requests[0].body == b""


def test_the_vendors_headers_are_in_every_request_and_the_credentials_win():
    with always(answer()) as server:
        transport = open_transport(server.url, headers={"x-keyfactor-requested-with": "APIClient", "Authorization": "none", "Content-Type": "text/plain"})
        transport.credentials = Bearer()
        ask(transport)
        change(transport)
        ask(transport, authenticated=False)
    assert [request.headers["x-keyfactor-requested-with"] for request in server.requests] == ["APIClient"] * 3
    assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {TOKEN}"] * 2 + ["none"]
    assert server.requests[1].headers["content-type"] == "application/json"
    assert all(request.headers["user-agent"] == "certops.remediation" and request.headers["accept"] == "application/json" for request in server.requests)


def test_a_repeat_has_the_same_headers_and_body(short_backoff):
    with failing(2, answer("503 Busy")) as server:
        transport = open_transport(server.url, retry_timeout=60, headers={"x-vendor": "1"})
        transport.request("POST", "/token", purpose="log in", form={"a": "b"})
    assert [(request.headers["x-vendor"], request.body) for request in server.requests] == [("1", b"a=b")] * 3


# -- siblings --------------------------------------------------------------------------------------------------------------------------


def test_a_sibling_gets_nothing_that_is_the_vendors():
    with always(answer()) as vendor, always(answer()) as provider:
        transport = open_transport(vendor.url, headers={"x-vendor": "1"}, rate_limits=(RateLimit(1, 1000),))
        transport.credentials = Bearer()
        sibling = transport.sibling(provider.url, "Provider", "token_url")
        ask(transport)
        # The vendor's limit is not the provider's: these would wait for a quarter of an hour.
        ask(sibling)
        ask(sibling)
    assert [len(server.requests) for server in (vendor, provider)] == [1, 2]
    for request in provider.requests:
        assert "authorization" not in request.headers and "x-vendor" not in request.headers
    assert sibling.vendor == "Provider" and sibling.secrets is transport.secrets and vendor.address not in provider.heard


def test_a_redirected_sibling_names_its_own_option():
    with Server(lambda request, number: answer("302 Found", b"", "Location: https://elsewhere.example.com/")) as server:
        transport = open_transport(server.url)
        for one, option in ((transport, "the url option"), (transport.sibling(server.url, "Provider", "token_url"), "the token_url option")):
            with pytest.raises(RedirectedError, match=option):
                ask(one)


def test_a_sibling_is_counted_with_its_transport(short_backoff):
    with always(answer()) as vendor, failing(2, answer("503 Busy")) as provider:
        transport = open_transport(vendor.url, retry_timeout=60)
        sibling = transport.sibling(provider.url, "Provider", "token_url")
        ask(transport)
        ask(sibling)
    statistics = transport.statistics()
    assert (statistics["requests"], statistics["retries"]) == (4, 2) and sibling.statistics()["requests"] == 3


def test_a_sibling_verifies_with_the_same_authorities(simulator, tmp_path, other_ca):
    with Server(lambda *dummy: answer(), server_context(simulator, tmp_path)) as provider:
        assert ask(simulated(simulator).sibling(provider.url, "Provider", "token_url")).status == 200
        with pytest.raises(UntrustedError, match="Provider"):
            ask(simulated(simulator, ca_path=other_ca).sibling(provider.url, "Provider", "token_url"))


def test_a_sibling_shows_no_client_certificate(simulator, tmp_path, short_backoff):
    ready = simulator.ready["tpp"]
    issuer = x509.load_pem_x509_certificate(pathlib.Path(ready["client_cert"]).read_bytes()).issuer.rfc4514_string()
    client_ca = simulator.authority.issuer(issuer).certificate.public_bytes(serialization.Encoding.PEM)
    with Server(lambda *dummy: answer(), server_context(simulator, tmp_path, client_ca=client_ca)) as server:
        login = {"ca_path": simulator.ready["ca_path"], "client_cert": ready["client_cert"], "client_key": ready["client_key"]}
        transport = open_transport(server.url, **login)
        assert ask(transport).status == 200
        with pytest.raises(RemediationError, match="Provider"):
            ask(transport.sibling(server.url, "Provider", "token_url"))
    assert len(server.requests) == 1


def test_a_sibling_uses_the_same_proxy(simulator):
    with proxy() as server:
        sibling = simulated(simulator, proxy=server.url).sibling(simulator.ready["url"], "Provider", "token_url")
        assert ask(sibling, "/vedsdk/nothing").status in (401, 404)
    assert len(server.requests) == 1


def test_a_sibling_of_a_read_only_transport_is_read_only():
    with always(answer()) as server:
        transport = open_transport("https://vendor.invalid", read_only=True)
        with pytest.raises(ReadOnlyError):
            change(transport.sibling(server.url, "Provider", "token_url"))
    assert server.requests == []


def test_what_is_closed_closes_its_siblings():
    transport = open_transport("https://vendor.invalid")
    sibling = transport.sibling("https://provider.invalid", "Provider", "token_url")
    closed = []
    sibling._session.close = lambda: closed.append("sibling")
    transport.close()
    assert closed == ["sibling"]


# -- secrets ---------------------------------------------------------------------------------------------------------------------------


def test_secrets_are_in_no_message_whatever_the_server_echoes():
    secret = 'pa"ss<b>w&rd\\ \u00e9 "end'
    secrets = Secrets()
    secrets.add(secret)
    forms = {
        "plain": secret,
        "query": urllib.parse.quote(secret),
        "form": urllib.parse.quote_plus(secret),
        "json": json.dumps(secret)[1:-1],
        "json in utf-8": json.dumps(secret, ensure_ascii=False)[1:-1],
        "html": "pa&quot;ss&lt;b&gt;w&amp;rd\\ \u00e9 &quot;end",
    }
    for name, form in forms.items():
        with always(answer("500 No", f"<html>echo: {form} :end of echo</html>".encode(), content_type="text/html")) as server:
            transport = open_transport(server.url, secrets=secrets)
            said = transport.describe(ask(transport))
        assert "echo: ******** :end of echo" in said, name


# -- threads and connections -----------------------------------------------------------------------------------------------------------


def test_connections_are_reused():
    def reply(request, number):
        time.sleep(0.002)  # so that requests do overlap
        return answer("200 OK", b'{"a": [1, 2, 3]}')

    with Server(reply) as server:
        transport = open_transport(server.url, concurrency=4)
        answers = in_parallel(lambda number: ask(transport, f"/{number}").json(), range(200), 4)
    assert len(answers) == 200 and len(server.requests) == 200
    assert server.connections <= 4


def test_chunked_and_compressed_answers_keep_the_connection():
    packed = gzip.compress(b'{"a": 1}')
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    plain = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(packed), packed)
    with Server(lambda request, number: chunked if number % 2 else plain) as server:
        transport = open_transport(server.url)
        assert [ask(transport).json() for dummy in range(6)] == [{"a": 1}] * 6
    assert server.connections == 1


def test_sixteen_threads_get_each_its_own_answer(short_backoff):
    def reply(request, number):
        if number % 10 == 0:
            return None  # the connection breaks
        if number % 7 == 0:
            return answer("503 Busy")
        return answer("200 OK", json.dumps(request.line.split()[1]).encode())

    with Server(reply) as server:
        transport = open_transport(server.url, concurrency=16, retry_timeout=60)
        answers = in_parallel(lambda number: ask(transport, f"/{number}").json(), range(300), 16)
    assert answers == [f"/{number}" for number in range(300)]
    assert transport.requests_sent == len(server.requests) == 300 + transport.retries


def test_a_rate_limit_is_kept_at_the_server():
    arrived = []

    def reply(request, number):
        arrived.append(time.monotonic())
        time.sleep(random.random() / 100)
        return answer()

    limit = RateLimit(5, 0.25)
    with Server(reply) as server:
        transport = open_transport(server.url, concurrency=8, rate_limits=(limit,))
        in_parallel(lambda number: ask(transport), range(20), 8)
    arrived.sort()
    assert all(later - earlier > limit.seconds * 0.99 for earlier, later in zip(arrived, arrived[limit.requests :]))
    assert transport.statistics()["seconds_waited"] > 0


def test_a_broken_connection_that_was_idle_is_replaced(short_backoff):
    # The server closes after each answer without having said so: the next request meets a dead connection.
    def reply(request, number):
        return lambda connection: connection.sendall(answer())

    with Server(reply) as server:
        transport = open_transport(server.url, retry_timeout=60)
        for dummy in range(5):
            assert ask(transport).status == 200
            time.sleep(0.02)
    assert server.connections == 5
