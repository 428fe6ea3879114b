# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of DigiCert CertCentral: addresses and keys, CSRs in every form, records of any shape, what is in flight, and answers of every kind."""

from __future__ import annotations

import base64
import json
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.digicert import (
    RATE_LIMITS,
    Certificate,
    InFlight,
    certificate_of,
    connect,
    distinct,
    key_of,
    name_set,
    order_of,
    order_ref,
    person_of,
    text_of,
    whole,
)
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    AuthorizationError,
    BusyError,
    InputError,
    ReadOnlyError,
    UnreadableAnswerError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.x509 import public_key_sha256
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, digicert_options

LIST = "/services/v2/order/certificate"
HTTP = {"validate_certs": True, "timeout": 5, "retry_timeout": 0, "concurrency": 4, "rate_limits": []}


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


def client_of(simulator, warnings=None, read_only=False, **options):
    told = warnings if warnings is not None else []
    return connect({**digicert_options(simulator), **HTTP, **options}, read_only=read_only, secrets=Secrets(), warn=told.append)


def client_at(server, warnings=None, secrets=None, **options):
    """A client of a small server on plain HTTP."""
    told = warnings if warnings is not None else []
    given_options = {**HTTP, "url": server.url, "allow_http": True, "api_key": "c4nary-key", **options}
    return connect(given_options, read_only=False, secrets=secrets or Secrets(), warn=told.append)


def says(body, status="200 OK", content_type="application/json"):
    """A small server that always says the same."""
    return Server(lambda *dummy: answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), content_type=content_type))


# -- addresses and keys ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://www.digicert.com",
        "www.digicert.com/",
        "https://www.digicert.com/services/v2",
        "https://www.digicert.com/services/v2/",
        "www.digicert.com/services",
    ],
)
def test_an_address_is_taken_as_people_write_it(url):
    client = connect({**HTTP, "url": url, "api_key": "k"}, read_only=True, secrets=Secrets(), warn=print)
    assert client.transport.settings.base_url == "https://www.digicert.com"


@pytest.mark.parametrize("key", [None, "", "two words", "line\nbreak", "tab\t", "ümlaut", "\x00"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(key):
    with pytest.raises(InputError, match="api_key"):
        connect({**HTTP, "url": "https://www.digicert.com", "api_key": key}, read_only=True, secrets=Secrets(), warn=print)


def test_the_key_travels_in_the_header_and_nowhere_else():
    with says({"orders": [], "page": {"total": 0}}) as server:
        client_at(server).orders([("common_name", "a b&c")])
    (request,) = server.requests
    assert request.headers["x-dc-devkey"] == "c4nary-key" and "c4nary-key" not in request.line
    assert request.line == "GET /services/v2/order/certificate?filters%5Bcommon_name%5D=a+b%26c&limit=1000&offset=0 HTTP/1.1"


def test_the_limits_are_those_of_the_vendor():
    assert RATE_LIMITS == [{"requests": 1000, "seconds": 180.0}, {"requests": 100, "seconds": 5.0}]


# -- CSRs ------------------------------------------------------------------------------------------------------------------------------

KEYS = {"ec": ec.generate_private_key(ec.SECP256R1()), "rsa": rsa.generate_private_key(65537, 2048), "ed25519": ed25519.Ed25519PrivateKey.generate()}


def csr_of(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example.com")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, algorithm)


FORMS = {
    "PEM": lambda pem, der: pem,
    "CRLF": lambda pem, der: pem.replace("\n", "\r\n"),
    "CR": lambda pem, der: pem.replace("\n", "\r"),
    "no line breaks": lambda pem, der: pem.replace("\n", ""),
    "blanks": lambda pem, der: pem.replace("\n", " "),
    "no end of file": lambda pem, der: pem.strip(),
    "NEW": lambda pem, der: pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
    "base64": lambda pem, der: base64.b64encode(der).decode(),
    "base64 in lines": lambda pem, der: base64.encodebytes(der).decode(),
    "base64url": lambda pem, der: base64.urlsafe_b64encode(der).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KEYS)
def test_the_key_of_a_csr_is_known_in_every_form(kind, form):
    csr = csr_of(KEYS[kind])
    text = FORMS[form](csr.public_bytes(serialization.Encoding.PEM).decode(), csr.public_bytes(serialization.Encoding.DER))
    assert key_of(text) == public_key_sha256(KEYS[kind])


def test_a_csr_that_no_library_reads_has_no_known_key():
    der = csr_of(KEYS["ec"]).public_bytes(serialization.Encoding.DER)
    unknown = {
        "algorithm": der.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d027f")),
        "curve": der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f")),
        "point": der.replace(KEYS["ec"].public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:], bytes(64)),
        "cut": der[:-9],
    }
    for which, content in unknown.items():
        assert content != der and key_of(base64.b64encode(content).decode()) is None, which


@given(st.one_of(st.text(), st.none(), st.integers(), st.binary(), st.lists(st.text())))
def test_anything_else_has_no_known_key(value):
    assert key_of(value) is None


# -- records ---------------------------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "name", "name_id", "csr", "dns_names", "email", "status"]), inner, max_size=4),
    max_leaves=8,
)
FIELDS = [
    "id",
    "status",
    "certificate",
    "product",
    "container",
    "organization",
    "requests",
    "order_valid_till",
    "auto_reissue",
    "dns_names",
    "common_name",
    "ca_cert",
    "email",
    "csr",
]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_a_record_of_any_shape_is_read(record):
    order, certificate = order_of(record), certificate_of(record)
    assert isinstance(order.id, int) and isinstance(certificate.names, frozenset) and isinstance(order.requests, tuple)
    text = json.dumps([order.status, order.product, certificate.common_name, *certificate.names, certificate.requester], ensure_ascii=False)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", text)


@pytest.mark.parametrize(
    "value, number", [(5, 5), ("5", 5), (None, 0), ("", 0), ("x", 0), ([], 0), (float("inf"), 0), (float("nan"), 0), ("9" * 5000, 0), (True, 1), (2.0, 2)]
)
def test_numbers_may_come_as_text(value, number):
    assert whole({"id": value}, "id") == number


def test_names_are_one_set_with_or_without_the_common_name():
    both = name_set("A.example.com", ["a.example.com", "B.example.com."])
    assert both == name_set("a.example.com", ["b.example.com"]) == {"a.example.com", "b.example.com"}
    assert name_set("", ["", None, " "]) == frozenset() and name_set("*.Example.com", ()) == {"*.example.com"}
    assert name_set("a\x1b[2J.example.com", ()) == {"a [2j.example.com"}


@pytest.mark.parametrize(
    "record, text",
    [
        ({"firstname": "Kim", "lastname": "Ash", "email": "kim@example.com"}, "Kim Ash <kim@example.com>"),
        ({"first_name": "Kim", "last_name": "Ash", "email": "kim@example.com"}, "Kim Ash <kim@example.com>"),
        ({"first_name": "Kim"}, "Kim"),
        ({"email": "kim@example.com"}, "kim@example.com"),
        ({"id": 5, "email": None}, ""),
    ],
)
def test_people_are_told_however_their_names_are_spelt(record, text):
    assert person_of(record) == text


def test_a_certificate_listed_several_times_is_one():
    """Rows of their own with the same serial number; what has none yet is told apart by its id."""
    rows = [{"id": 1, "serial_number": "0A"}, {"id": 2, "serial_number": "0a"}, {"id": 3}, {"id": 4}, {"id": 3}]
    assert [item.id for item in distinct(map(certificate_of, rows))] == [1, 3, 4]


@pytest.mark.parametrize(
    "value, number", [(5, 5), ("5", 5), (" 5\n", 5), ("0005", 5), ({"order_id": 5}, 5), ({"order_id": "5", "csr": "x", "names": []}, 5), (2**48, 2**48)]
)
def test_an_order_is_named_in_every_form(value, number):
    assert order_ref("orders[0]", value) == number


@pytest.mark.parametrize(
    "value",
    [0, -1, 1.0, True, None, "", "x", "5x", "1e3", "9" * 16, "9" * 5000, [], {}, {"id": 5}, {"order_id": None}, {"order_id": [5]}, {"order_id": True}, "５"],
)
def test_what_names_no_order_is_refused_with_its_place(value):
    with pytest.raises(InputError) as caught:
        order_ref("orders[3]", value)
    assert caught.value.message.startswith("orders[3]: ") and len(caught.value.message) < 250


# -- reading ---------------------------------------------------------------------------------------------------------------------------


def test_filters_of_one_name_are_alternatives(simulator):
    simulator.digicert.load([{"common_name": f"{name}.example.com"} for name in "abc"])
    client = client_of(simulator)
    items, total = client.orders([("common_name", "a.example.com"), ("common_name", "c.example.com"), ("status", "issued")], sort="-id")
    assert [text_of(item["certificate"], "common_name") for item in items] == ["c.example.com", "a.example.com"] and total == 2
    assert simulator.journal[0]["query"] == {
        "filters[status]": "issued",
        "filters[common_name][0]": "a.example.com",
        "filters[common_name][1]": "c.example.com",
        "limit": "1000",
        "offset": "0",
        "sort": "-id",
    }


def test_pages_are_put_together_and_a_limit_is_kept(simulator):
    simulator.digicert.load([{"common_name": "web-{n:04}.example.com", "count": 2500}])
    client = client_of(simulator)
    items, total = client.orders([])
    assert len({item["id"] for item in items}) == total == 2500 and len(simulator.journal) == 3
    items, total = client.orders([], limit=7)
    assert (len(items), total, len(simulator.journal)) == (7, 2500, 4)
    simulator.configure({"digicert": {"list_max_limit": 100}})
    assert len(client.orders([], limit=250)[0]) == 250


def test_an_order_is_read_by_id_serial_number_and_thumbprint(simulator):
    (number,) = simulator.digicert.load([{"common_name": "a.example.com"}])
    client = client_of(simulator)
    current = simulator.digicert[number].current
    for identifier in (number, current.serial_number, simulator.digicert.thumbprint(number)):
        assert order_of(client.order(identifier)).id == number
    for identifier in (424242, "AB" * 16, "AB" * 20):
        with pytest.raises(VendorError) as caught:
            client.order(identifier)
        assert (caught.value.status, caught.value.code) == (404, "not_found|order") and str(identifier) in caught.value.message


def test_archived_reissues_are_read_too(simulator):
    (number,) = simulator.digicert.load(
        [{"common_name": "a.example.com", "reissues": [{"archived": True}, {}], "duplicates": [{"archived": True}, {"status": "rejected"}]}]
    )
    client = client_of(simulator)
    assert [item.status for item in client.reissues(number)] == ["issued", "issued"]
    assert [item.status for item in client.duplicates(number)] == ["issued", "rejected"]


def test_the_history_is_read_where_there_is_any(simulator):
    """What the order list denies costs no request, unless order info shows a sign of it."""
    plain, again, copied, flight = simulator.digicert.load(
        [{}, {"reissues": [{}]}, {"duplicates": [{}]}, {"pending": {"waits": "validation"}, "approval": "skip"}],
    )
    client = client_of(simulator)

    def asked(number, **listed):
        order = order_of(client.order(number))
        simulator.records.clear()
        order = client.with_history(order, **listed)
        assert client.with_history(order) == order
        return [entry["path"].rpartition("/")[2] for entry in simulator.journal], len(order.reissues), len(order.duplicates)

    assert asked(plain) == (["reissue", "duplicate"], 0, 0)
    assert asked(plain, reissued=False, duplicated=False) == ([], 0, 0)
    assert asked(again, reissued=False, duplicated=False) == (["reissue"], 1, 0)
    # The first request has left one of type duplicate with the order.
    assert asked(copied, reissued=False, duplicated=False) == (["duplicate"], 0, 1)
    assert asked(flight, reissued=False, duplicated=False) == (["reissue"], 1, 0)


def test_the_current_certificate_is_found_when_order_info_shows_another(simulator):
    simulator.configure({"digicert": {"order_shows_pending": True}})
    flight, plain, new = simulator.digicert.load([{"pending": {}}, {}, {"status": "pending", "validation": True}])
    client = client_of(simulator)
    shown = order_of(client.order(flight))
    assert shown.certificate.serial == "" and client.primary(shown).certificate.serial == simulator.digicert[flight].current.serial_number
    simulator.records.clear()
    for number in (plain, new):
        order = order_of(client.order(number))
        assert client.primary(order) == order
    assert len(simulator.journal) == 2, "nothing else was asked"


def test_what_is_in_flight_is_one_whether_it_shows_as_request_or_certificate_or_both(simulator):
    client = client_of(simulator)
    for waits in ("approval", "validation"):
        for listed in (True, False):
            simulator.configure({"digicert": {"unapproved_reissue_listed": listed}})
            (number,) = simulator.digicert.load([{"common_name": "a.example.com", "pending": {"key": "theirs", "waits": waits}}])
            order = client.with_history(order_of(client.order(number)))
            (item,) = client.in_flight(order)
            assert item.key == public_key_sha256(x509.load_pem_x509_csr(simulator.digicert.csr("theirs", "x").encode()))
            assert (item.type, item.names, item.who) == ("reissue", {"a.example.com"}, "Robin Colleague <robin.colleague@example.com>")
            assert (item.request is not None) == (waits == "approval") and item.since
    simulator.digicert.issue(number)
    assert client.in_flight(client.with_history(order_of(client.order(number)))) == ()


def test_an_order_that_is_pending_without_showing_why_has_something_in_flight(simulator):
    (number,) = simulator.digicert.load([{"approval": "skip", "pending": {"waits": "validation"}}])
    simulator.digicert[number].reissues[0].reads = 0
    simulator.configure({"digicert": {"reissue_visible_after_reads": 3}})
    client = client_of(simulator)
    assert client.in_flight(client.with_history(order_of(client.order(number)))) == (InFlight("reissue"),)


# -- changing --------------------------------------------------------------------------------------------------------------------------


def body_of(simulator, label="new"):
    return {"certificate": {"common_name": "a.example.com", "csr": simulator.digicert.csr(label, "a.example.com"), "signature_hash": "sha256"}}


@pytest.mark.parametrize("shape", ["requests", "certificate_id", "certificate_chain", "dcv_random_value"])
def test_each_answer_to_a_reissue_is_understood(simulator, shape):
    (number,) = simulator.digicert.load([{"common_name": "a.example.com", "shape": shape}])
    said = client_of(simulator).reissue(number, body_of(simulator))
    order = simulator.digicert[number]
    assert said.certificate_id == (None if shape == "requests" else order.certificates[-1].id)
    assert said.requests == ((order.requests[-1].id,) if shape == "requests" else ())
    assert bool(said.chain) == (shape == "certificate_chain") and bool(said.dcv_random_value) == (shape == "dcv_random_value")
    if said.chain:
        leaf = x509.load_pem_x509_certificate(said.chain[0].encode())
        assert len(said.chain) == 3 and f"{leaf.serial_number:032X}" == order.current.serial_number and "\r" not in "".join(said.chain)
    assert simulator.records.effects(str(number)) == ["reissue"]


def test_a_request_is_approved_and_a_reissue_cancelled(simulator):
    first, second = simulator.digicert.load([{"common_name": "a.example.com"}, {"common_name": "b.example.com"}])
    client = client_of(simulator)
    said = client.reissue(first, body_of(simulator))
    client.approve(said.requests[0], "INC-1")
    assert simulator.digicert[first].status == "issued" and simulator.digicert[first].reissues
    client.reissue(second, body_of(simulator))
    client.cancel(second, "INC-1")
    assert simulator.digicert[second].status == "issued" and [item.status for item in simulator.digicert[second].reissues] == ["rejected"]
    assert simulator.digicert[second].notes == ["INC-1"]


@pytest.mark.parametrize("skip", [False, True])
def test_a_certificate_is_revoked_at_once_or_by_request(simulator, skip):
    (number,) = simulator.digicert.load([{"reissues": [{}]}])
    old = simulator.digicert[number].certificates[0]
    client = client_of(simulator)
    said = client.revoke(old.id, reason="superseded", comments="INC-1", skip_approval=skip)
    assert (said is None) is skip and (old.status == "revoked") is skip and simulator.digicert[number].current.status == "issued"
    if said:
        found = client.in_flight(client.with_history(order_of(client.order(number))))
        assert [(item.type, item.certificate_id, item.request) for item in found] == [("revoke", old.id, said)]


def test_two_requests_to_revoke_certificates_of_one_key_are_two(simulator):
    (number,) = simulator.digicert.load([{"key": "same", "reissues": [{"key": "same"}]}])
    client = client_of(simulator)
    for item in simulator.digicert[number].certificates:
        client.revoke(item.id, reason="superseded", comments="", skip_approval=False)
    assert len(client.in_flight(client.with_history(order_of(client.order(number))))) == 2


def test_a_revocation_that_is_accepted_without_a_word_leaves_open_whether_it_was_done(simulator):
    simulator.faults.add("status", match={"path": "/revoke$"}, status=200, body="{}")
    with pytest.raises(AnswerLostError, match="without saying"):
        client_of(simulator).revoke(7, reason="superseded", comments="", skip_approval=True)


def test_a_check_of_the_domains_tells_which_are_not_valid(simulator):
    names = ["a.example.com", "b.example.com"]
    entry = {"common_name": names[0], "dns": names, "shape": "dcv_random_value", "pending": {"waits": "validation"}}
    first, second, third = simulator.digicert.load([entry, {**entry, "dcv_token": True, "dcv_missing": names[:1]}, {**entry, "dcv_token": True}])
    client = client_of(simulator)
    with pytest.raises(VendorError) as refused:
        client.check_dcv(first)
    assert refused.value.code == "invalid_dns_txt"
    partly, wholly = client.check_dcv(second), client.check_dcv(third)
    assert (partly.status, partly.order_status, partly.not_valid) == ("pending", "reissue_pending", ((names[0], "pending"),))
    assert (wholly.status, wholly.not_valid) == ("valid", ())


def test_one_page_of_the_list_tells_which_orders_have_a_history(simulator):
    ids = simulator.digicert.load([{}, {"reissues": [{}]}, {"duplicates": [{}]}])
    assert client_of(simulator).histories(3) == dict(zip(ids, [(False, False), (True, False), (False, True)]))


def test_nothing_is_changed_in_check_mode(simulator):
    (number,) = simulator.digicert.load([{"pending": {}}])
    client = client_of(simulator, read_only=True)
    changes = [lambda: client.reissue(number, body_of(simulator)), lambda: client.cancel(number, "x"), lambda: client.approve(1, "x")]
    changes += [lambda: client.check_dcv(number), lambda: client.revoke(1, reason="superseded", comments="", skip_approval=True)]
    for call in changes:
        with pytest.raises(ReadOnlyError):
            call()
    assert simulator.journal == []


# -- answers ---------------------------------------------------------------------------------------------------------------------------

ENVELOPE = {"errors": [{"code": "access_denied|missing_permission", "message": "No."}]}
ERRORS = {
    "bad key": (
        "403 Forbidden",
        {"errors": [{"code": "access_denied|access_denied_invalid_key", "message": "Access denied."}]},
        AuthenticationError,
        "Access denied.",
    ),
    "no rights": ("403 Forbidden", ENVELOPE, AuthorizationError, "not allowed to list orders (No.)"),
    "401": ("401 Unauthorized", {}, AuthenticationError, "credentials are refused"),
    "two errors": (
        "400 Bad Request",
        {"errors": [{"code": "a|b", "message": "One."}, {"code": "c", "message": ""}, {"code": "d", "message": "Two."}]},
        VendorError,
        "One.; c; Two.",
    ),
    "code alone": ("404 Not Found", {"errors": [{"code": "not_found|route"}]}, VendorError, "not_found|route"),
    "another shape": ("400 Bad Request", {"errors": "bad"}, VendorError, "HTTP 400 Bad Request"),
    "no body": ("404 Not Found", b"", VendorError, "empty body"),
    "page": ("403 Forbidden", b"<html><script>secret()</script>Incident 4711</html>", AuthorizationError, "body: Incident 4711"),
    "limit": ("429 Too Many Requests", {"errors": [{"code": "request_limit_exceeded", "message": "Slow down"}]}, BusyError, "Slow down"),
    "500": ("500 Internal Server Error", {"errors": [{"code": "x", "message": "Ouch"}]}, VendorError, "internal failure"),
    "200 page": ("200 OK", b"<html>Please log in</html>", UnreadableAnswerError, "not the API's"),
    "200 list": ("200 OK", [], UnreadableAnswerError, "not the API's"),
}


@pytest.mark.parametrize("which", ERRORS)
def test_each_refusal_is_told_in_the_vendors_words(which):
    status, body, kind, text = ERRORS[which]
    with says(body, status) as server, pytest.raises(kind) as caught:
        client_at(server).orders([])
    assert caught.value.kind == kind.kind and text in caught.value.message and "secret()" not in caught.value.message
    assert caught.value.status == int(status[:3])


def test_a_page_that_repeats_the_key_does_not_bring_it_back():
    secrets = Secrets()
    secrets.add("c4nary-key")
    for body in (b"<html>You sent c4nary-key</html>", json.dumps({"errors": [{"code": "x", "message": "Bad key c4nary-key"}]}).encode()):
        with says(body, "400 Bad Request") as server, pytest.raises(VendorError) as caught:
            client_at(server, secrets=secrets).orders([])
        assert "c4nary" not in caught.value.message + str(caught.value.as_result()) and "********" in caught.value.message


@pytest.mark.parametrize(
    "status, body",
    [
        ("502 Bad Gateway", b"<html>x</html>"),
        ("500 Oops", ENVELOPE),
        ("201 Created", b"<html>x</html>"),
        ("201 Created", b""),
        ("400 Bad", b"<html>x</html>"),
        ("302 Found", b""),
    ],
)
def test_an_answer_to_a_change_that_is_not_the_apis_leaves_open_whether_it_was_done(status, body):
    with says(body, status) as server, pytest.raises(AnswerLostError):
        client_at(server).reissue(5, {})
    assert len(server.requests) == 1, "never repeated"


def test_an_answer_that_is_no_order_is_told():
    with says({"certificates": []}) as server, pytest.raises(VendorError, match="is no order"):
        client_at(server).order(5)


@pytest.mark.parametrize("page", [{"total": None}, {"total": 0}, {"total": ""}, {}, None])
def test_a_list_without_a_total_is_read_to_its_end(page):
    def reply(request, dummy):
        offset = int(re.search(r"offset=(\d+)", request.line)[1])
        orders = [{"id": number} for number in range(offset + 1, min(offset + 1000, 2300) + 1)]
        return answer("200 OK", json.dumps({"orders": orders, "page": page}).encode())

    with Server(reply) as server:
        assert len(client_at(server).orders([])[0]) == 2300


@pytest.mark.parametrize("certificates", [{"0": {"id": 1}}, "none", 1])
def test_a_list_of_reissues_that_is_none_is_not_taken_for_an_empty_one(certificates):
    with says({"certificates": certificates}) as server, pytest.raises(VendorError, match="no list of certificates"):
        client_at(server).reissues(5)


def test_a_certificate_needs_no_field_at_all():
    assert certificate_of({}) == Certificate(0, "", "", frozenset(), False, None, "", "", "", "", "", "", "", "")
