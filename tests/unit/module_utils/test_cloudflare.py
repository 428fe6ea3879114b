# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of Cloudflare: addresses and credentials, dates and numbers in every form, records of any shape, and answers of every kind."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.cloudflare import (
    RATE_LIMITS,
    RETRY_TIMEOUT,
    certificate_of,
    certificate_ref,
    connect,
    csr_ref,
    date_of,
    serial_numbers,
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
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, cloudflare_options

ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
TOKEN = "cfut_c4nary" + "x" * 40
HTTP = {"validate_certs": True, "timeout": 5, "retry_timeout": 0, "concurrency": 4, "rate_limits": []}
NUMBER = "7bf7f70c-7600-42e1-81c4-e4c0da9aa515"


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


def client_of(simulator, warnings=None, read_only=False, **options):
    told = warnings if warnings is not None else []
    return connect({**cloudflare_options(simulator), **HTTP, **options}, read_only=read_only, secrets=Secrets(), warn=told.append)


def client_at(server, secrets=None, **options):
    """A client of a small server on plain HTTP."""
    given_options = {**HTTP, "url": server.url, "allow_http": True, "api_token": TOKEN, "zone_id": ZONE, **options}
    return connect(given_options, read_only=False, secrets=secrets or Secrets(), warn=print)


def says(body, status="200 OK", *headers, content_type="application/json"):
    """A small server that always says the same."""
    return Server(lambda *dummy: answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), *headers, content_type=content_type))


# -- addresses and credentials ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://api.cloudflare.com", "api.cloudflare.com/", "https://api.cloudflare.com/client/v4", "api.cloudflare.com/client/v4/"])
def test_an_address_is_taken_as_people_and_sdks_write_it(url):
    client = connect({**HTTP, "url": url, "api_token": TOKEN, "zone_id": ZONE.upper()}, read_only=True, secrets=Secrets(), warn=print)
    assert client.transport.settings.base_url == "https://api.cloudflare.com" and client.zone_id == ZONE


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "tab\t", "ümlaut", "\x00", "Bearer x"])
@pytest.mark.parametrize("option", ["api_token", "account_email", "account_api_key"])
def test_what_cannot_be_sent_is_refused_before_anything_is_sent(option, token):
    with pytest.raises(InputError, match=option):
        connect({**HTTP, "url": "https://x.example.com", "zone_id": ZONE, "api_token": TOKEN, option: token}, read_only=True, secrets=Secrets(), warn=print)


def test_the_token_travels_in_its_header_and_nowhere_else():
    with says({"success": True, "result": [], "result_info": {"total_count": 0}}) as server:
        client_at(server, account_email="a@example.com", account_api_key="k").certificates()
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}" and TOKEN not in request.line and not {"x-auth-email", "x-auth-key"} & set(request.headers)
    assert request.line == f"GET /client/v4/zones/{ZONE}/client_certificates?status=all&page=1&per_page=50 HTTP/1.1"


def test_the_limits_are_those_of_the_vendor_and_a_block_is_outlasted():
    assert RATE_LIMITS == [{"requests": 1200, "seconds": 300.0}] and RETRY_TIMEOUT > 300


def test_a_zone_is_looked_up_once_by_its_exact_name():
    zones = [{"id": "a" * 32, "name": "sub.example.com"}, {"id": ZONE, "name": "Example.com"}, {"id": None, "name": None}]
    with says({"success": True, "result": zones, "result_info": {"total_count": 3}}) as server:
        assert client_at(server, zone_id=None, zone=" EXAMPLE.com. ").zone_id == ZONE
    assert [request.line for request in server.requests] == ["GET /client/v4/zones?name=example.com&page=1&per_page=50 HTTP/1.1"]


# -- dates and numbers -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, hour",
    [
        ("2023-02-23T23:18:00Z", 23),
        ("2023-02-23T23:18:00.123456Z", 23),
        ("2023-02-23t23:18:00z", 23),
        ("2023-02-23 23:18:00", 23),
        ("2023-02-23T23:18:00+02:00", 21),
        ("2023-02-23T23:18:00-0100", 0),
        ("", None),
        ("soon", None),
        ("2023-02-30T00:00:00Z", None),
        ("2023-02-23", None),
        ("0000-00-00T00:00:00Z", None),
    ],
)
def test_dates(text, hour):
    found = date_of(text)
    assert found is None if hour is None else found.astimezone(datetime.timezone.utc).hour == hour


@given(st.text())
def test_anything_may_stand_where_a_date_or_a_number_should(text):
    assert date_of(text) is None or date_of(text).tzinfo
    assert all(isinstance(number, int) for number in serial_numbers(text))


@given(st.integers(min_value=1, max_value=1 << 159))
def test_a_serial_number_is_found_in_both_bases(number):
    for text in (str(number), f"{number:x}", f"{number:040X}", ":".join(re.findall("..", f"{number:040x}")), f" {number} "):
        assert number in serial_numbers(text), text
    for given_ in (number, f"0x{number:x}", f"{number:042x}"):
        ref = certificate_ref("o", given_)
        assert ref.kind == "serial" and number in serial_numbers(ref.value), given_


# -- references ------------------------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "fingerprint_sha256", "serial_number", "csr", "zone_id"]), inner),
    max_leaves=6,
)


@given(JSON)
def test_anything_is_a_reference_or_is_refused(value):
    try:
        ref = certificate_ref("certificates[0]", value, ZONE)
    except InputError as error:
        assert error.message.startswith("certificates[0]")
    else:
        assert ref.kind in ("id", "fingerprint", "serial", "csr") and ref.key == f"{ref.kind}:{ref.value}"
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", ref.label)


@pytest.mark.parametrize(
    "given_, kind, value",
    [
        (NUMBER.upper(), "id", NUMBER),
        ("A" * 32, "id", "a" * 32),
        ({"id": "f174e90afafe4643bbbc4a0ed4fc8415"}, "id", "f174e90afafe4643bbbc4a0ed4fc8415"),
        ("AB:" * 31 + "AB", "fingerprint", "ab" * 32),
        ("\u200e" + "ab" * 32, "fingerprint", "ab" * 32),
        ("3bb94ff144ac567b9f75ad664b6c55f8d5e48182", "serial", "3bb94ff144ac567b9f75ad664b6c55f8d5e48182"),
        ("0x00ff", "serial", "ff"),
        (17, "serial", "17"),
        ({"fingerprint_sha256": "", "serial_number": 17}, "serial", "17"),
        ({"id": NUMBER, "serial_number": "17", "zone_id": ZONE.upper()}, "id", NUMBER),
    ],
)
def test_references(given_, kind, value):
    ref = certificate_ref("o", given_, ZONE)
    assert (ref.kind, ref.value) == (kind, value)


def test_a_mapping_of_another_zone_is_refused_only_where_the_zone_is_known():
    entry = {"id": NUMBER, "zone_id": "f" * 32}
    with pytest.raises(InputError, match="one task is for one zone"):
        certificate_ref("o", entry, ZONE)
    assert certificate_ref("o", entry).value == NUMBER


def test_certificates_and_csrs_in_files_of_many_kinds(simulator, tmp_path):
    (number,) = simulator.cloudflare.load([{"cn": "a", "key": "new"}])
    held = simulator.cloudflare[number]
    der = x509.load_pem_x509_csr(held.csr.encode()).public_bytes(serialization.Encoding.DER)
    path = tmp_path / "a.csr"
    for content in (der, held.csr.encode(), held.csr.replace("\n", "\r\n").encode()):
        path.write_bytes(content)
        assert certificate_ref("o", {"csr_path": str(path)}) == certificate_ref("o", held.csr) == csr_ref("o", content)
    assert certificate_ref("o", f"subject=a\n{held.certificate}").value == held.fingerprint_sha256


# -- records ---------------------------------------------------------------------------------------------------------------------------

FIELDS = ["id", "certificate", "csr", "status", "common_name", "expires_on", "issued_on", "serial_number", "validity_days", "fingerprint_sha256"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_a_record_of_any_shape_is_read(record):
    found = certificate_of(record)
    assert isinstance(found.status, str) and isinstance(found.validity_days, int)
    assert isinstance(found.expires_before(datetime.datetime.now(datetime.timezone.utc)), bool)
    text = json.dumps([found.id, found.status, found.common_name, found.fingerprint, found.expires_on], ensure_ascii=False)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_the_certificate_itself_is_believed_more_than_what_stands_beside_it(simulator):
    (number,) = simulator.cloudflare.load([{"cn": "a"}])
    held = simulator.cloudflare[number]
    record = {"id": number, "certificate": held.certificate.strip().replace("\n", "\r\n"), "fingerprint_sha256": "0" * 64, "serial_number": "1", "csr": "x"}
    found = certificate_of(record)
    assert (found.fingerprint, found.serials, found.key) == (held.fingerprint_sha256, {held.serial}, held.public_key_sha256)
    assert found.pem == held.certificate and found.status == "" and not found.live, "a status is not guessed"
    without = certificate_of({"id": number, "csr": held.csr.replace("\n", "\r\n"), "serial_number": f"{held.serial:x}", "fingerprint_sha256": "AB:CD"})
    assert without.key == held.public_key_sha256 and held.serial in without.serials and without.fingerprint == "abcd" and without.pem == ""


def test_a_certificate_that_cannot_be_read_hides_no_other_and_is_one():
    records = [{"id": "a", "status": "active", "serial_number": "17", "certificate": "rubbish"}, {"id": "b", "status": "active", "serial_number": "99"}]
    with says({"success": True, "result": records, "result_info": {"total_count": 2}}) as server:
        (found,) = client_at(server).find([certificate_ref("o", "17")])
    assert [certificate.id for certificate in found] == ["a"], "of two readings of its number, one certificate"


# -- answers ---------------------------------------------------------------------------------------------------------------------------


def failure(*errors, **more):
    return {"success": False, "errors": [{"code": code, "message": text} for code, text in errors], **more}


CERTIFICATE = {"success": True, "result": {"id": NUMBER, "status": "active"}}
READ = [
    ("400 Bad Request", failure((9106, "Missing X-Auth-Key")), AuthenticationError, "9106"),
    ("400 Bad Request", failure((10000, "Authentication error")), AuthenticationError, "10000"),
    ("403 Forbidden", failure((10000, "Authentication error")), AuthorizationError, "10000"),
    ("403 Forbidden", failure((9109, "Invalid access token")), AuthenticationError, "9109"),
    ("403 Forbidden", failure((9109, "Unauthorized to access requested resource")), AuthorizationError, "9109"),
    ("401 Unauthorized", {}, AuthenticationError, None),
    ("429 Too Many Requests", failure((971, "Please wait")), BusyError, "971"),
    ("404 Not Found", failure((1415, "Invalid Certificate ID in request")), VendorError, "1415"),
    ("404 Not Found", failure((7003, "Could not route"), (7000, "No route")), VendorError, "7003"),
    ("400 Bad Request", {"success": False, "errors": [{"message": "no code"}]}, VendorError, None),
    ("400 Bad Request", {"success": False, "errors": None}, VendorError, None),
    ("400 Bad Request", {"success": False, "errors": [{"code": 0, "message": "zero"}, "x", None]}, VendorError, "0"),
    ("200 OK", failure((1406, "Bad response certificate service")), VendorError, "1406"),
    ("500 Internal", failure((1, "x")), VendorError, "1"),
    ("200 OK", [], UnreadableAnswerError, None),
    ("200 OK", b"<html>", UnreadableAnswerError, None),
]


@pytest.mark.parametrize("status, body, kind, code", READ)
def test_each_answer_to_a_reading_request(status, body, kind, code):
    with says(body, status, "CF-RAY: 86610873f8d987a9-IAD") as server:
        with pytest.raises(kind) as caught:
            client_at(server).certificate(NUMBER)
    assert caught.value.kind == kind.kind and caught.value.code == code and len(server.requests) == 1
    assert caught.value.request_id == "86610873f8d987a9-IAD" or kind is UnreadableAnswerError


CHANGE = [
    ("400 Bad Request", failure((1407, "Certificate is already deleted")), VendorError),
    ("403 Forbidden", failure((10000, "Authentication error")), AuthorizationError),
    ("429 Too Many Requests", b"<html>", BusyError),
    ("200 OK", failure((1234, "no"), result=None), VendorError),
    ("200 OK", failure((1406, "Bad response certificate service")), AnswerLostError),
    ("400 Bad Request", failure((1406, "Bad response certificate service"), messages=[], result=None), AnswerLostError),
    ("200 OK", {**CERTIFICATE, "success": False}, AnswerLostError),
    ("500 Internal", failure((1, "x")), AnswerLostError),
    ("520 Unknown", b"<html>", AnswerLostError),
    ("408 Request Timeout", {}, AnswerLostError),
    ("404 Not Found", b"<html>", AnswerLostError),
    ("200 OK", b"", UnreadableAnswerError),
    ("200 OK", {"success": True, "result": {}}, UnreadableAnswerError),
    ("200 OK", {"success": True, "result": [CERTIFICATE["result"]]}, UnreadableAnswerError),
    ("302 Found", b"", AnswerLostError),
]
CALLS = {
    "POST": lambda client: client.create("csr", 30),
    "DELETE": lambda client: client.revoke(NUMBER),
    "PATCH": lambda client: client.reactivate(NUMBER),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("status, body, kind", CHANGE)
def test_each_answer_to_a_changing_request(method, status, body, kind):
    """Whatever the answer, one request; and only what is Cloudflare's own no counts as not done."""
    with says(body, status) as server:
        with pytest.raises(kind) as caught:
            CALLS[method](client_at(server, retry_timeout=30))
    assert caught.value.kind == kind.kind and [request.line.split()[0] for request in server.requests] == [method]


def test_what_the_calls_send():
    with says(CERTIFICATE) as server:
        client = client_at(server)
        assert all(call(client).id == NUMBER for call in CALLS.values())
    assert [(request.line.split()[1].removeprefix(f"/client/v4/zones/{ZONE}/client_certificates"), request.body) for request in server.requests] == [
        ("", b'{"csr": "csr", "validity_days": 30}'), (f"/{NUMBER}", b""), (f"/{NUMBER}", b'{"reactivate": true}'),
    ]


def test_check_mode_cannot_change_anything(simulator):
    client = client_of(simulator, read_only=True)
    for call in CALLS.values():
        with pytest.raises(ReadOnlyError):
            call(client)
    assert simulator.journal == []


def test_an_answer_that_repeats_the_secret_does_not_bring_it_back():
    secrets = Secrets()
    secrets.add(TOKEN)
    for body in (failure((1, f"bad token {TOKEN}")), b"<html>" + TOKEN.encode()):
        with says(body, "400 Bad Request") as server:
            with pytest.raises(VendorError) as caught:
                client_at(server, secrets).certificate(NUMBER)
        assert TOKEN not in json.dumps(caught.value.as_result()), body


def test_texts_of_errors_are_safe_to_print():
    with says(failure((1, "a\x1b[2J\u202eb\r\nc"))) as server:
        with pytest.raises(VendorError) as caught:
            client_at(server).certificate(NUMBER)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", caught.value.message)


# -- finding ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, named, requests", [(1, 1, 1), (2, 2, 2), (3, 3, 1), (49, 49, 1), (50, 50, 3), (51, 51, 3), (400, 5, 6), (400, 400, 10)])
def test_ids_are_read_in_the_cheaper_way(simulator, count, named, requests):
    ids = simulator.cloudflare.load([{"cn": "d", "key": "shared", "count": count}])
    found = client_of(simulator).find([certificate_ref("o", number) for number in ids[:named]])
    assert [certificate.id for (certificate,) in found] == ids[:named] and len(simulator.journal) == requests


def test_no_reference_costs_no_request(simulator):
    assert client_of(simulator).find([]) == [] and simulator.journal == []


def test_rules_and_host_names_that_are_not_there(simulator):
    client = client_of(simulator)
    assert client.firewall_rules() == [] and client.hostnames() == []
    simulator.faults.add("status", status=200, body='{"success":true,"result":{"rules":["x",{"action":"block"}],"hostnames":"x"}}', times=0)
    assert client.firewall_rules() == [{"action": "block"}] and client.hostnames() == []
