# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of Keyfactor Command: names, addresses, look-ups by the thousand, paging, collections, workflows, and answers of every kind."""

from __future__ import annotations

import datetime
import json
import re
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils import keyfactor as keyfactor_module
from ansible_collections.certops.remediation.plugins.module_utils import options
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthorizationError,
    BusyError,
    InputError,
    ReadOnlyError,
    RemediationError,
    UnreadableAnswerError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.keyfactor import (
    CertificateRef,
    certificate_ref,
    connect,
    folded,
    host_from_environment,
    location_text,
    query_value,
    same_dn,
    state_of,
    wire_date,
)
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, basic_value, keyfactor_options

MARK = "20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6"
SERIAL = "0A60A8DC5F185C03BE84FE59C12F6E0C"
ISSUER = "CN=Corp Issuing CA 1,OU=PKI,O=Example Corp,C=US"
NOW = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.timezone.utc)
LIST = "/keyfactorapi/certificates"
GUID = "00000000-0000-4000-8000-%012d"


def client_of(simulator, warnings=None, read_only=False, **options):
    http = {"validate_certs": True, "timeout": 5, "retry_timeout": 5, "concurrency": 8, "rate_limits": []}
    told = warnings if warnings is not None else []
    return connect({**keyfactor_options(simulator), **http, **options}, read_only=read_only, secrets=Secrets(), warn=told.append)


def client_at(server, warnings=None, **options):
    """A client of a small server on plain HTTP."""
    given = {"api_path": "KeyfactorAPI", "allow_http": True, "validate_certs": True, "timeout": 5, "retry_timeout": 0, "concurrency": 4, "rate_limits": []}
    told = warnings if warnings is not None else []
    login = {"username": "EXAMPLE\\certops", "password": "c4nary-pass"}
    return connect({**given, **login, "url": server.url, **options}, read_only=False, secrets=Secrets(), warn=told.append)


def target_of(request):
    """Path and query of a request that a small server got."""
    parts = urllib.parse.urlsplit(request.line.split()[1])
    return parts.path, dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))


def harmless(text):
    """Nothing in it moves a cursor, colours a terminal, hides or reorders text."""
    return not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text)


def refs_of(simulator, numbers):
    return [CertificateRef(thumbprint=simulator.keyfactor[number].thumbprint) for number in numbers]


def lists(simulator):
    return [entry for entry in simulator.journal if entry["path"] == LIST]


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


# -- names -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, expected",
    [
        (17, {"id": 17}),
        ("17", {"id": 17}),
        (" 17\n", {"id": 17}),
        ("0017", {"id": 17}),
        (2147483647, {"id": 2147483647}),
        (MARK, {"thumbprint": MARK}),
        (MARK.lower(), {"thumbprint": MARK}),
        (":".join(re.findall("..", MARK)), {"thumbprint": MARK}),
        ("\u200e" + " ".join(re.findall("..", MARK.lower())), {"thumbprint": MARK}),
        ("1234567890" * 4, {"thumbprint": "1234567890" * 4}),
        ({"id": 17}, {"id": 17}),
        ({"id": "17"}, {"id": 17}),
        ({"id": 17, "thumbprint": MARK.lower()}, {"id": 17, "thumbprint": MARK}),
        ({"id": None, "thumbprint": MARK, "serial": ""}, {"thumbprint": MARK}),
        ({"serial": SERIAL.lower(), "issuer": ISSUER}, {"serial": SERIAL, "issuer": ISSUER}),
        ({"serial": "0x0a"}, {"serial": "0A"}),
        ({"id": 17, "whatever": {"else": []}, "common_name": None}, {"id": 17}),
    ],
)
def test_targets_in_every_form(given, expected):
    ref = certificate_ref("certificates[0]", given)
    assert {name: getattr(ref, name) for name in ("id", "thumbprint", "serial", "issuer") if getattr(ref, name)} == expected


@pytest.mark.parametrize(
    "given",
    [None, True, False, 1.5, 17.0, [], [17], {}, {"id": 0}, {"id": -1}, {"id": True}, {"id": 1.0}, {"id": 2**31}, {"id": "x"}, {"id": [1]}]
    + [0, -17, 2**31, 10**60, "", " ", "0", "2147483648", "-17", "+17", "1.5", "x", MARK[:-1], MARK + "0", "g" + MARK[1:], "\u0661\u0667", "1_7"]
    + [{"thumbprint": MARK[:-1]}, {"thumbprint": 5}, {"thumbprint": MARK, "serial": "xyz"}, {"serial": 5}, {"serial": [SERIAL]}]
    + [{"common_name": "x"}, {"serial": SERIAL, "issuer": 5}]
    + [{"id": None, "thumbprint": None, "serial": None}, {"\x1b[31m": "\x07"}, "\x1b[31m", "A" * 100_000],
)
def test_what_is_no_target_is_told_with_its_place_in_printable_text(given):
    with pytest.raises(InputError) as caught:
        certificate_ref("certificates[3]", given)
    assert caught.value.option == "certificates[3]" and caught.value.message.isprintable() and len(caught.value.message) < 400


@pytest.mark.parametrize("given", ["AB" * 32, {"thumbprint": "AB" * 32}])
def test_sha256_is_told_apart(given):
    with pytest.raises(InputError, match="SHA-1"):
        certificate_ref("x", given)


def test_a_serial_number_without_its_issuer_is_told_where_it_stands_alone():
    with pytest.raises(InputError, match="a serial number goes with its issuer"):
        certificate_ref("x", SERIAL)


SEPARATORS = st.sampled_from(["", ":", " ", "-", "\u200b"])


@given(st.binary(min_size=20, max_size=20), SEPARATORS, st.booleans(), st.booleans(), st.booleans())
def test_any_spelling_of_a_thumbprint_gives_the_same_key(data, separator, upper, mapping, prefix):
    written = separator.join(re.findall("..", data.hex()))
    written = ("0x" if prefix else "") + (written.upper() if upper else written)
    ref = certificate_ref("x", {"thumbprint": written} if mapping else written)
    assert ref.key == CertificateRef(thumbprint=data.hex().upper()).key


@given(st.integers(1, 2**31 - 1), st.sampled_from(["{}", " {} ", "{}\n"]), st.booleans(), st.booleans())
def test_any_spelling_of_an_id_gives_the_same_key(number, form, text, mapping):
    written = form.format(number) if text else number
    assert certificate_ref("x", {"id": written} if mapping else written).key == CertificateRef(id=number).key


@given(st.integers(1, 2**159), st.integers(0, 6), SEPARATORS, st.booleans(), st.sampled_from([",", ", ", " , "]), st.booleans(), st.booleans())
def test_any_spelling_of_serial_and_issuer_gives_the_same_key(number, zeros, separator, upper, comma, shout, backwards):
    digits = "0" * zeros + f"{number:x}"
    written = separator.join(digits)
    names = ISSUER.split(",")
    issuer = comma.join(names[::-1] if backwards else names)
    ref = certificate_ref("x", {"serial": written.upper() if upper else written, "issuer": issuer.upper() if shout else issuer})
    assert ref.key == CertificateRef(serial=f"{number:X}", issuer=ISSUER).key


@given(st.integers(1, 50), st.integers(1, 50))
def test_different_certificates_have_different_keys(one, other):
    def keys(number):
        refs = (CertificateRef(id=number), CertificateRef(serial=f"{number:X}", issuer=ISSUER), CertificateRef(serial="1", issuer=f"CN={number}"))
        return {ref.key for ref in refs}

    assert len(keys(one)) == 3 and len(keys(one) & keys(other)) == (3 if one == other else 0)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "thumbprint", "serial", "issuer", "common_name", "\x07"]), inner),
)


@given(ANYTHING)
def test_a_target_is_usable_or_told(target):
    try:
        ref = certificate_ref("x", target)
    except InputError as error:
        assert error.message.isprintable()
        return
    assert ref.id or ref.thumbprint or ref.serial
    assert harmless(ref.label) and ref.key


@pytest.mark.parametrize(
    "one, other, same",
    [
        (ISSUER, ISSUER, True),
        (ISSUER, ISSUER.replace(",", ", "), True),
        (ISSUER, ISSUER.replace(",", " ,  ").replace("=", " = "), True),
        (ISSUER, ISSUER.lower(), True),
        (ISSUER, ",".join(ISSUER.split(",")[::-1]), True),
        (ISSUER, f"  {ISSUER}\n", True),
        ("CN=M\u00fcller,O=X", "CN=M\u00dcLLER, O=X", True),
        ("CN=Example\\, Inc. CA,O=X", "CN=Example\\, Inc. CA, O=X", True),
        ("CN=Example\\, Inc. CA,O=X", "O=X, CN=Example\\, Inc. CA", True),
        (ISSUER, ISSUER.replace("CA 1", "CA 2"), False),
        (ISSUER, ISSUER.replace(",OU=PKI", ""), False),
        (ISSUER, ISSUER.replace("CA 1", "CA1"), False),
        ("CN=A,OU=B,OU=C", "CN=A,OU=C,OU=B", False),
        ("CN=A,O=B", "", False),
        ("CN=A,O=B", "CN=A,O=BB", False),
        ("CN=A\\,O=B", "CN=A,O=B", False),
    ],
)
def test_dns_are_compared_without_what_command_writes_differently(one, other, same):
    assert [same_dn(*pair) for pair in ((one, other), (other, one))] == [same, same]
    assert (CertificateRef(serial="1", issuer=one).key == CertificateRef(serial="1", issuer=other).key) is same


@pytest.mark.parametrize("value", ['a"b', '"', "", " ", "a\nb", "a\x00b", "\x7f", "\x1b[31m", 'x" OR Thumbprint -ne "'])
def test_what_would_break_out_of_a_query_is_refused(value):
    with pytest.raises(InputError, match="common_name: .* cannot be searched for") as caught:
        query_value("common_name", value)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("value", ["www.example.com", "O'Neil & S\u00f6hne", "a) OR (b", "%TODAY%", "*.example.com", "a\\b"])
def test_other_values_stand_in_quotes_as_they_are(value):
    assert query_value("common_name", value) == f'"{value}"'


# -- dates and records -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, sent",
    [
        ("2026-11-30", "2026-11-30T00:00:00Z"),
        (" 2026-11-30 ", "2026-11-30T00:00:00Z"),
        ("2026-11-30T12:00:00Z", "2026-11-30T12:00:00Z"),
        ("2026-11-30T12:00:00z", "2026-11-30T12:00:00Z"),
        ("2026-11-30T12:00:00+02:00", "2026-11-30T10:00:00Z"),
        ("2026-11-30 12:00:00-05:30", "2026-11-30T17:30:00Z"),
        ("2026-11-30T12:00:00.500000+00:00", "2026-11-30T12:00:00Z"),
        ("2026-12-31T23:59:59-00:01", "2027-01-01T00:00:59Z"),
    ],
)
def test_moments_are_sent_in_utc(text, sent):
    assert wire_date(options.moment("effective_date", text)) == sent


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "30.11.2026", "2026-13-01", "2026-02-30", "2026-11-30T25:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 500]
    + ["2026-11-30T12:00:00", "2026-11-30 12:00", "2026-11-30t12:00:00", "2026-11-30_12:00:00", "2026-11-30\x0012:00:00", "\x1b[31m", "2026-11-30TZ"],
)
def test_what_is_no_moment_or_has_no_time_zone_is_told(text):
    with pytest.raises(InputError, match="effective_date") as caught:
        options.moment("effective_date", text)
    assert caught.value.message.isprintable() and len(caught.value.message) < 200


def certificate(number=1, **fields):
    """A record as Command sends it."""
    return {
        "Id": number,
        "Thumbprint": f"{number:040X}",
        "SerialNumber": f"{number:040X}",
        "IssuedCN": "a.example.com",
        "IssuedDN": "CN=a.example.com",
        "IssuerDN": ISSUER,
        "NotAfter": "2027-01-01T00:00:00Z",
        "CertState": 1,
        "RevocationEffDate": None,
        "RevocationReason": None,
        "RevocationComment": None,
        **fields,
    }


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({}, ("active", None, False, False)),
        ({"CertState": 2, "RevocationReason": 1, "RevocationEffDate": "2026-01-01T00:00:00Z"}, ("revoked", 1, False, False)),
        ({"CertState": 2, "RevocationReason": 6}, ("on_hold", 6, False, False)),
        ({"CertState": 2}, ("revoked", None, False, False)),
        ({"CertState": 2, "RevocationReason": 0}, ("revoked", 0, False, False)),
        ({"CertState": 1, "RevocationReason": 0}, ("active", None, False, False)),
        ({"CertState": 1, "RevocationReason": 6}, ("active", None, False, False)),
        ({"CertState": "2", "RevocationReason": "6"}, ("on_hold", 6, False, False)),
        ({"CertState": 0}, ("unknown", None, False, False)),
        ({"CertState": None}, ("unknown", None, False, False)),
        ({"CertState": 3}, ("denied", None, False, False)),
        ({"CertState": 4}, ("failed", None, False, False)),
        ({"CertState": 5}, ("pending", None, False, False)),
        ({"CertState": 6}, ("ca", None, False, True)),
        ({"CertState": 7}, ("parent_ca", None, False, True)),
        ({"CertState": 1, "IsCACertificate": True}, ("active", None, False, True)),
        ({"CertState": 8}, ("external_validation", None, False, False)),
        ({"CertState": 99}, ("state 99", None, False, False)),
        ({"CertState": float("inf")}, ("unknown", None, False, False)),
        ({"CertState": float("nan")}, ("unknown", None, False, False)),
        ({"NotAfter": "2026-11-22T11:59:59.9Z"}, ("active", None, True, False)),
        ({"NotAfter": "2026-11-22T12:00:01.5Z"}, ("active", None, False, False)),
        ({"NotAfter": None}, ("active", None, False, False)),
        ({"NotAfter": "2026-99-99T99:99:99Z"}, ("active", None, False, False)),
        ({"NotAfter": "0000-00-00T00:00:00"}, ("active", None, False, False)),
    ],
)
@pytest.mark.parametrize("spell", [str, str.lower, lambda name: name[0].lower() + name[1:]])
def test_a_record_tells_its_state(fields, expected, spell):
    state = state_of(folded({spell(name): value for name, value in certificate(**fields).items()}), NOW)
    assert (state.state_name, state.reason, state.expired, state.is_ca) == expected


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ODD = PLAIN | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=3), st.text())
FIELDS = [name for name in certificate() if name != "Id"] + ["Locations", "SSLLocations", "IsCACertificate"]


@given(st.dictionaries(st.sampled_from(FIELDS), ODD | st.lists(ODD)))
def test_no_record_is_a_traceback_and_its_texts_are_printable(fields):
    state = state_of(folded(certificate(**fields)), NOW)
    assert state.id == 1
    texts = (state.common_name, state.subject, state.issuer, state.not_after, state.comment or "", state.date or "", state.state_name, *state.locations)
    assert all(harmless(text) for text in texts)


@pytest.mark.parametrize(
    "place, text",
    [
        ({"StoreMachine": "lb01", "StorePath": "/ssl", "Alias": "www"}, "lb01: /ssl (www)"),
        ({"ClientMachine": "lb01", "StorePath": "/ssl", "Alias": None}, "lb01: /ssl"),
        ({"StorePath": "www", "IPAddress": "192.0.2.1", "Port": 443, "NetworkName": "DMZ"}, "DMZ:443"),
        ({"StorePath": "www", "IPAddress": "192.0.2.1", "Port": 443, "NetworkName": None}, "192.0.2.1:443"),
        ({"StorePath": "www"}, "www"),
        ({"IPAddress": "192.0.2.1", "Port": "443\x1b[31m"}, "192.0.2.1:443 [31m"),
        ({"StoreMachine": "l\x1b[2Jb", "StorePath": "a\nb", "Alias": "\u202egnp"}, "l [2Jb: a b (gnp)"),
    ],
)
def test_a_place_in_one_printable_line(place, text):
    assert location_text(folded(place)) == text


# -- addresses -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "api_path, sent", [("KeyfactorAPI", "/KeyfactorAPI"), ("/keyfactorapi/", "/keyfactorapi"), (" Keyfactor/API ", "/Keyfactor/API"), ("/a/b/c/", "/a/b/c")]
)
def test_the_path_of_the_api_is_used_as_given_without_slashes_at_its_ends(api_path, sent):
    with Server(lambda *dummy: answer("200 OK", b"[]")) as server:
        for ending in ("", "/", sent, sent.upper() + "/", "/KeyfactorAPI", "/keyfactor/api/", "/KeyfactorPortal"):
            client_at(server, url=server.url + ending, api_path=api_path).search("")
    assert {target_of(request)[0] for request in server.requests} == {f"{sent}/Certificates"}


@pytest.mark.parametrize("api_path", ["", "/", " ", "a b", "KeyfactorAPI?x=1", "a//b", "a#b", "a\r\nb", "a%2fb", "\u00fc", "https://other.example.com/x"])
def test_what_is_no_path_is_told(simulator, api_path):
    with pytest.raises(InputError) as caught:
        client_of(simulator, api_path=api_path)
    assert caught.value.option == "api_path" and caught.value.message.isprintable()


@pytest.mark.parametrize("path", ["/Certificates", "/KeyfactorAPI/Certificates", "/x/KeyfactorAPI"])
def test_an_address_with_another_path_is_told(simulator, path):
    with pytest.raises(InputError, match="url"):
        client_of(simulator, url=simulator.ready["url"] + path)


@pytest.mark.parametrize("api_path", ["keyfactorapi", "KEYFACTORAPI", "/KeyfactorApi/"])
def test_the_path_is_found_in_any_case(simulator, api_path):
    assert client_of(simulator, api_path=api_path).search("") == ([], 0)


def test_a_wrong_path_is_told_as_such_and_ends_the_task(simulator):
    client = client_of(simulator, api_path="Keyfactor/API")
    for ask in (lambda: client.search(""), lambda: client.certificate(1), lambda: client.records([CertificateRef(id=1), CertificateRef(id=2)])):
        with pytest.raises(VendorError, match=r"no API at /Keyfactor/API .*404 - File or directory not found.*Check api_path") as caught:
            ask()
        assert caught.value.fatal and caught.value.status == 404


def test_every_request_has_the_headers_that_command_wants():
    page = json.dumps([certificate()]).encode()

    def reply(request, number):
        path = target_of(request)[0].lower()
        single = re.search(r"/(\d+|c)$", path) or "locations" in path
        single = single or request.line.startswith("POST")
        return answer("200 OK", json.dumps(certificate()).encode() if single else page, "X-Total-Count: 1")

    with Server(reply) as server:
        client = client_at(server, collection="c")
        client.search("")
        client.certificate(1)
        client.locations(1)
        client.history(1)
        client.suspended_revocations()
        client.revoke([1], reason=1, comment="x", effective_date=None)
    assert len(server.requests) >= 7
    for request in server.requests:
        assert request.headers["x-keyfactor-requested-with"] == "APIClient" and request.headers["x-keyfactor-api-version"] == "1", request.line
        assert request.headers["authorization"] == "Basic " + basic_value("EXAMPLE\\certops", "c4nary-pass")
        assert request.headers["accept"] == "application/json" and request.headers["user-agent"] == "certops.remediation"
        assert ("content-type" in request.headers) == request.line.startswith("POST")


def test_a_server_that_insists_on_its_header_is_content(simulator):
    simulator.configure({"keyfactor": {"requested_with_required": True}})
    assert client_of(simulator).search("") == ([], 0)


@pytest.mark.parametrize(
    "environment, address",
    [
        ({"KEYFACTOR_HOSTNAME": "kf.example.com"}, "kf.example.com"),
        ({"KEYFACTOR_ADDR": "kf.example.com"}, "kf.example.com"),
        ({"KEYFACTOR_HOSTNAME": "one.example.com", "KEYFACTOR_ADDR": "two.example.com"}, "one.example.com"),
        ({"KEYFACTOR_HOSTNAME": " ", "KEYFACTOR_ADDR": "two.example.com", "KEYFACTOR_PORT": " "}, "two.example.com"),
        ({"KEYFACTOR_HOSTNAME": "kf.example.com", "KEYFACTOR_PORT": "8443"}, "kf.example.com:8443"),
        ({"KEYFACTOR_HOSTNAME": "https://kf.example.com", "KEYFACTOR_PORT": "8443"}, "https://kf.example.com:8443"),
        ({"KEYFACTOR_HOSTNAME": "kf.example.com:443", "KEYFACTOR_PORT": "8443"}, "kf.example.com:443"),
        ({"KEYFACTOR_HOSTNAME": "https://kf.example.com:443/", "KEYFACTOR_PORT": "8443"}, "https://kf.example.com:443/"),
        ({"KEYFACTOR_HOSTNAME": "kf.example.com/", "KEYFACTOR_PORT": "8443"}, "kf.example.com:8443/"),
        ({"KEYFACTOR_HOSTNAME": "https://kf.example.com/KeyfactorAPI", "KEYFACTOR_PORT": "8443"}, "https://kf.example.com:8443/KeyfactorAPI"),
        ({"KEYFACTOR_HOSTNAME": "[2001:db8::1]", "KEYFACTOR_PORT": "8443"}, "[2001:db8::1]:8443"),
        ({"KEYFACTOR_HOSTNAME": "[2001:db8::1]:443", "KEYFACTOR_PORT": "8443"}, "[2001:db8::1]:443"),
    ],
)
def test_the_address_of_the_environment_with_its_port(environment, address, monkeypatch):
    """A port that is silently dropped is another server, and gets the credentials."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert host_from_environment("KEYFACTOR_HOSTNAME", "KEYFACTOR_ADDR", "KEYFACTOR_PORT") == address


# -- look-ups by the thousand ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def thousands():
    """Records of 5,000 certificates, made up: to sign as many would take longer than all tests together."""
    return {f"{number:040X}": certificate(number) for number in range(1, 5001)}


def library(records, *, longest=2048):
    """A Command that finds thumbprints, behind an IIS with its limit on the length of a query string."""

    def reply(request, number):
        query = urllib.parse.urlsplit(request.line.split()[1]).query
        if len(query) > longest:
            return answer("404 Not Found", b"<html><title>IIS 10.0 Detailed Error - 404.15 - Not Found</title></html>", content_type="text/html")
        given = dict(urllib.parse.parse_qsl(query))
        found = [records[mark] for mark in re.findall('Thumbprint -eq "([0-9A-F]{40})"', given["pq.queryString"]) if mark in records]
        return answer("200 OK", json.dumps(found).encode(), f"X-Total-Count: {len(found)}")

    return Server(reply)


@pytest.mark.parametrize("details, collection", [((), None), (("includeLocations", "includeMetadata"), 2147483647)])
def test_5000_thumbprints_take_as_few_requests_as_fit_into_addresses(thousands, details, collection):
    refs = [CertificateRef(thumbprint=mark) for mark in thousands]
    with library(thousands) as server:
        found = client_at(server, collection_id=collection, concurrency=8).records(refs, details)
    assert [record["id"] for record in found] == list(range(1, 5001))
    assert len(server.requests) == -(-5000 // 28)
    lengths = [len(urllib.parse.urlsplit(request.line.split()[1]).query) for request in server.requests]
    assert max(lengths) <= 2048, "the default of IIS, request.line by request.line"
    assert max(lengths) > 1700, "and the room is used"


def test_a_front_end_with_less_room_is_found_out(thousands):
    marks = list(thousands)[:200]
    with library(thousands, longest=700) as server:
        found = client_at(server).records([CertificateRef(thumbprint=mark) for mark in marks])
    assert [record["thumbprint"] for record in found] == marks
    assert len(server.requests) < 100


def test_a_front_end_that_says_414_is_found_out(thousands):
    def reply(request, number):
        if len(request.line) > 900:
            return answer("414 URI Too Long", b"<html>nginx</html>", content_type="text/html")
        found = [thousands[mark] for mark in re.findall("[0-9A-F]{40}", urllib.parse.unquote(request.line))]
        return answer("200 OK", json.dumps(found).encode(), f"X-Total-Count: {len(found)}")

    marks = list(thousands)[:60]
    with Server(reply) as server:
        assert [record["thumbprint"] for record in client_at(server).records([CertificateRef(thumbprint=mark) for mark in marks])] == marks


def test_one_term_that_does_not_fit_is_told_and_not_halved_for_ever(thousands):
    with library(thousands, longest=10) as server, pytest.raises(VendorError, match="404.15"):
        client_at(server).records([CertificateRef(thumbprint=mark) for mark in list(thousands)[:4]])
    assert len(server.requests) <= 6


def test_a_long_condition_leaves_less_room_and_is_in_every_query(simulator):
    simulator.keyfactor.load([{"count": 40, "cn": "h{n}.example.com"}])
    simulator.configure({"keyfactor": {"max_query_length": 2048}})
    condition = 'IssuedCN -contains "example" AND IssuedCN -ne "%s"' % ("\u00e4" * 150)
    found = client_of(simulator).search_terms(refs_of(simulator, range(1, 41)), [condition])
    assert {record["id"] for record in found} == set(range(1, 41))
    assert len(lists(simulator)) > 2 and all(condition in entry["query"]["pq.queryString"] for entry in lists(simulator))
    assert {entry["status"] for entry in lists(simulator)} == {200}, "nothing had to be found out by a refusal"


def test_duplicates_are_asked_for_once_and_told_in_the_order_given(simulator):
    simulator.keyfactor.load([{"count": 3}])
    refs = refs_of(simulator, [2, 1, 2, 3, 2])
    assert [record["id"] for record in client_of(simulator).records(refs)] == [2, 1, 2, 3, 2]
    assert lists(simulator)[0]["query"]["pq.queryString"].count(simulator.keyfactor[2].thumbprint) == 1
    assert len(simulator.journal) == 1


def test_revoked_and_expired_certificates_are_found_by_every_name(simulator):
    """Command leaves them out unless it is told otherwise, and they would count as missing."""
    simulator.keyfactor.load([{"state": "revoked", "reason": 1}, {"on_hold": True}, {"valid_days": -5}, {"valid_days": -5, "state": "revoked"}])
    kf = simulator.keyfactor
    for refs in (
        refs_of(simulator, range(1, 5)),
        [CertificateRef(id=number) for number in range(1, 5)],
        [CertificateRef(serial=kf[number].serial, issuer=kf[number].issuer_dn) for number in range(1, 5)],
        [CertificateRef(serial=kf[number].serial) for number in range(1, 5)],
    ):
        assert [record["id"] for record in client_of(simulator).records(refs)] == [1, 2, 3, 4]
    assert len(client_of(simulator).search("")[0]) == 4
    assert [record["id"] for record in client_of(simulator).search("", revoked=False)[0]] == [3]
    assert [record["id"] for record in client_of(simulator).search("", expired=False)[0]] == [1, 2]


@pytest.mark.parametrize("singly", [True, False])
def test_what_is_not_there_fails_by_itself(simulator, singly):
    simulator.keyfactor.load([{}, {}])
    refs = [CertificateRef(thumbprint=MARK), *refs_of(simulator, [1]), CertificateRef(id=99), CertificateRef(id=2), CertificateRef(serial="AB", issuer=ISSUER)]
    found = client_of(simulator).records(refs, singly=singly)
    assert [record["id"] if isinstance(record, dict) else record.status for record in found] == [404, 1, 404, 2, 404]
    assert MARK in found[0].message and "Unable to find 'Certificate' with Id '99'" in found[2].message
    assert not any(error.fatal for error in found if isinstance(error, RemediationError))


def test_an_id_with_a_thumbprint_is_read_by_id_only_if_that_is_asked_for(simulator):
    simulator.keyfactor.load([{"count": 5}])
    refs = [CertificateRef(id=number, thumbprint=simulator.keyfactor[number].thumbprint) for number in range(1, 6)]
    assert [record["id"] for record in client_of(simulator).records(refs)] == [1, 2, 3, 4, 5]
    assert len(simulator.journal) == 1
    assert [record["id"] for record in client_of(simulator).records(refs, singly=True)] == [1, 2, 3, 4, 5]
    assert {entry["path"] for entry in simulator.journal[1:]} == {f"{LIST}/{number}" for number in range(1, 6)}


@pytest.mark.parametrize("singly", [True, False])
def test_an_entry_that_names_two_certificates_is_neither(simulator, singly):
    """An id of yesterday's list and the thumbprint of today's: nobody may guess which one is meant."""
    simulator.keyfactor.load([{}, {}])
    one, other = simulator.keyfactor[1], simulator.keyfactor[2]
    refs = [
        CertificateRef(id=1, thumbprint=other.thumbprint),
        CertificateRef(id=1, serial=other.serial),
        CertificateRef(thumbprint=one.thumbprint, serial=other.serial),
        CertificateRef(id=1, thumbprint=one.thumbprint, serial=f"000{one.serial}"),
    ]
    found = client_of(simulator).records(refs, singly=singly)
    assert all("names two certificates" in error.message and not error.fatal for error in found[:3])
    assert found[3]["id"] == 1


def test_a_server_that_answers_for_another_certificate_is_not_believed():
    with Server(lambda *dummy: answer("200 OK", json.dumps(certificate(2)).encode())) as server, pytest.raises(VendorError, match="about another certificate"):
        client_at(server).certificate(1)


def test_a_server_that_ignores_the_query_finds_nothing_but_what_was_asked_for():
    page = json.dumps([certificate(number) for number in range(1, 4)]).encode()
    with Server(lambda *dummy: answer("200 OK", page, "X-Total-Count: 3")) as server:
        found = client_at(server).records([CertificateRef(thumbprint=f"{2:040X}"), CertificateRef(thumbprint=MARK), CertificateRef(serial="3")])
    assert [record["id"] if isinstance(record, dict) else record.status for record in found] == [2, 404, 3]


# -- serial numbers --------------------------------------------------------------------------------------------------------------------

TWINS = [{"serial": "5A01", "ca": "ca01\\One", "issuer": "CN=One,O=Example Corp"}, {"serial": "5A01", "ca": "ca02\\Two", "issuer": "CN=Two,O=Example Corp"}]


def test_a_serial_number_of_two_authorities_needs_the_issuer(simulator):
    simulator.keyfactor.load(TWINS)
    one, two, spaced, backwards, neither, alone = client_of(simulator).records(
        [
            CertificateRef(serial="5A01", issuer="CN=One,O=Example Corp"),
            CertificateRef(serial="5A01", issuer="cn=two, o=example corp"),
            CertificateRef(serial="5A01", issuer="CN = Two , O = Example Corp"),
            CertificateRef(serial="5A01", issuer="O=Example Corp,CN=One"),
            CertificateRef(serial="5A01", issuer="CN=Three,O=Example Corp"),
            CertificateRef(serial="5A01"),
        ]
    )
    assert [record["id"] for record in (one, two, spaced, backwards)] == [1, 2, 2, 1]
    assert neither.status == 404
    assert "2 certificates have the serial number 5A01" in alone.message and "id 1 of CN=One" in alone.message and "id 2 of CN=Two" in alone.message


@pytest.mark.parametrize("stored", ["0A60A8", "A60A8", "000A60A8"])
@pytest.mark.parametrize("asked", ["A60A8", "0A60A8", "000A60A8"])
def test_leading_zeros_hide_no_certificate(stored, asked):
    """A CA counts them, another one does not, and users copy what they see."""

    def reply(request, number):
        query = target_of(request)[1]["pq.queryString"]
        found = [certificate(SerialNumber=stored)] if f'SerialNumber -eq "{stored}"' in query else []
        return answer("200 OK", json.dumps(found).encode(), f"X-Total-Count: {len(found)}")

    with Server(reply) as server:
        found = client_at(server).records([CertificateRef(serial=asked)])
    if stored == "000A60A8" and asked != stored:
        assert found[0].status == 404, "more zeros than a whole byte are not guessed"
    else:
        assert found[0]["id"] == 1


def test_serial_numbers_that_contain_each_other_are_different(simulator):
    simulator.keyfactor.load([{"serial": "5A01"}, {"serial": "5A0100"}, {"serial": "15A01"}])
    found = client_of(simulator).records([CertificateRef(serial="5A01"), CertificateRef(serial="015A01")])
    assert [record["id"] for record in found] == [1, 3]


# -- lists -----------------------------------------------------------------------------------------------------------------------------


def test_the_search_is_asked_in_the_style_that_every_version_takes(simulator):
    for version in ("10.4", "11.5", "25.4.1"):
        for names in ("prefixed", "both"):
            simulator.configure({"keyfactor": {"version": version, "list_query_names": names}})
            simulator.keyfactor.load([{"count": 60, "cn": "h{n}.example.com"}, {"cn": "other", "state": "revoked"}])
            records, total = client_of(simulator).search('IssuedCN -contains "example" OR CertState -eq 2')
            assert (len(records), total) == (61, 61)
    query = lists(simulator)[0]["query"]
    assert query["pq.sortField"] == "CertId" and query["pq.includeRevoked"] == query["pq.includeExpired"] == "true"
    assert all(name.startswith("pq.") for name in query)


@pytest.mark.parametrize("cap", [1, 7, 50, 1000])
def test_pages_that_the_server_caps_are_put_together(simulator, cap):
    simulator.keyfactor.load([{"count": 23}])
    simulator.configure({"keyfactor": {"max_return_limit": cap}})
    records, total = client_of(simulator).search("")
    assert [record["id"] for record in records] == list(range(1, 24)) and total == 23
    assert len(simulator.journal) == -(-23 // cap)


def paged(count, *, total="count", size=3):
    """A Command with capped pages; ``total`` is what the header says, None for no header."""

    def reply(request, number):
        if number > 60:
            return answer("400 Bad Request", b'{"Message": "will this never end?"}')
        page = int(target_of(request)[1]["pq.pageReturned"])
        found = [certificate(item) for item in range(1, count + 1)][(page - 1) * size : page * size]
        header = [] if total is None else [f"X-Total-Count: {count if total == 'count' else total}"]
        return answer("200 OK", json.dumps(found).encode(), *header)

    return Server(reply)


@pytest.mark.parametrize("total", [None, "", "x", "-1", "\xb2", "1e1", "9" * 5000, "9,9"])
def test_a_missing_or_odd_total_hides_no_page(total):
    with paged(10, total=total) as server:
        records, told = client_at(server).search("")
    assert len(records) == 10 and told == 10 and len(server.requests) == 5


def test_a_list_that_ends_before_its_total_is_warned_about():
    told = []
    with paged(10, total=12) as server:
        records, total = client_at(server, told).search("")
    assert len(records) == 10 and total == 12
    assert len(told) == 1 and "some may be missing" in told[0]


def test_a_list_that_changes_while_it_is_read_is_read_again(simulator):
    simulator.keyfactor.load([{"count": 9}])
    simulator.configure({"keyfactor": {"max_return_limit": 4}})
    client = client_of(simulator)
    send = client.transport.request

    def request(*arguments, **more):
        if len(simulator.journal) == 1:
            simulator.keyfactor.control("remove", {"id": 1})
        return send(*arguments, **more)

    client.transport.request = request
    records, total = client.search("")
    assert [record["id"] for record in records] == list(range(2, 10)) and total == 8


def test_entries_that_are_no_certificates_are_passed_over():
    page = json.dumps([None, 5, "x", [], {}, {"Id": None}, {"Id": "7"}, certificate(3)]).encode()
    with Server(lambda *dummy: answer("200 OK", page)) as server:
        assert [record["id"] for record in client_at(server).search("")[0]] == [7, 3], "an id may come as text"


def test_answers_in_camel_case_are_the_same(simulator):
    simulator.keyfactor.load([{"state": "revoked", "reason": 4, "comment": "x", "locations": [{"machine": "lb01", "path": "/ssl"}]}, {"suspended": True}])
    client = client_of(simulator, collection="All Certificates")
    details = ("includeLocations",)

    def everything():
        records = client.records([*refs_of(simulator, [1]), CertificateRef(id=2), CertificateRef(id=99)], details)
        states = [state_of(record, NOW) if isinstance(record, dict) else record.detail for record in records]
        return states, client.suspended_revocations(), client.locations(1), client.history(1)

    before = everything()
    assert before[0][0].locations and before[1] and before[2] and before[3]
    simulator.configure({"keyfactor": {"response_key_case": "camel"}})
    client._revocations.clear()
    client._collection_id = None
    assert everything() == before


# -- collections -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(simulator):
    """A user who may see one collection only."""
    simulator.reset(
        {
            "keyfactor": {
                "users": [{"name": "webteam", "password": "our-own", "read": ["Web & more"], "revoke": ["Web & more"], "workflows": False, "approver": False}],
                "collections": [{"name": "All", "content": ""}, {"name": "Web & more", "content": 'IssuedCN -contains "web"'}],
                "certificates": [{"count": 40, "cn": "web-{n}.example.com"}, {"cn": "pay.example.com"}],
            }
        },
        {"clock_scale": 0},
    )
    return simulator


TEAM = {"username": "webteam", "password": "our-own"}


def test_without_a_collection_a_user_of_one_is_told_what_to_do(narrow):
    with pytest.raises(AuthorizationError, match="does not have the required permissions.*say which with collection or collection_id") as caught:
        client_of(narrow, **TEAM).search("")
    assert caught.value.fatal and caught.value.status == 403 and caught.value.code == "0xA0140002"
    assert re.fullmatch("[0-9a-f-]{36}", caught.value.request_id)


@pytest.mark.parametrize("named", [{"collection": "Web & more"}, {"collection": "WEB & MORE"}, {"collection_id": 2}])
def test_a_collection_is_everywhere(narrow, named):
    client = client_of(narrow, **TEAM, **named)
    assert client.search("")[1] == 40
    assert client.certificate(1)["id"] == 1
    assert client.locations(1) == [] and client.history(1)
    assert client.revoke([1], reason=1, comment="x", effective_date=None).revoked == {1}
    asked = [entry for entry in narrow.journal if "collections" not in entry["path"]]
    assert all(entry["query"].get("collectionId") == "2" or entry["body"]["CollectionId"] == 2 for entry in asked) and len(asked) == 5


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_outside_the_collection_fails_by_itself(narrow, status):
    narrow.configure({"keyfactor": {"out_of_collection_status": status}})
    found = client_of(narrow, **TEAM, collection_id=2).records([CertificateRef(id=41), CertificateRef(id=1), *refs_of(narrow, [41, 2])])
    assert [record["id"] if isinstance(record, dict) else record.status for record in found] == [status, 1, 404, 2]


def test_the_id_of_a_collection_is_looked_up_once_also_by_many_threads(narrow):
    client = client_of(narrow, **TEAM, collection="Web & more")
    found = client.records([CertificateRef(id=number) for number in range(1, 41)])
    assert [record["id"] for record in found] == list(range(1, 41))
    assert len([entry for entry in narrow.journal if "collections" in entry["path"]]) == 1


@pytest.mark.parametrize("name, status", [("Nowhere", 404), ("All", 403), ("?x=1", 404), ("\x1b[31m", 404)])
def test_a_collection_that_is_not_there_or_not_ours_is_told(narrow, name, status):
    with pytest.raises(VendorError) as caught:
        client_of(narrow, **TEAM, collection=name).search("")
    assert caught.value.status == status and "collection" in caught.value.message and caught.value.message.isprintable()
    assert lists(narrow) == []


@pytest.mark.parametrize(
    "options",
    [{"collection": "a", "collection_id": 1}, {"collection": "../Certificates"}, {"collection_id": 0}, {"collection_id": -1}, {"collection_id": 2**31}],
)
def test_a_collection_that_cannot_be_one_is_told_before_anything_is_sent(simulator, options):
    with pytest.raises(InputError, match="collection_id"):
        client_of(simulator, **options)


def test_an_answer_without_the_id_of_a_collection_is_told():
    with Server(lambda *dummy: answer("200 OK", b'{"Name": "x"}')) as server, pytest.raises(VendorError, match="has no id"):
        client_at(server, collection="x").search("")


# -- workflows -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["word", "number"])
def test_revocations_that_wait_are_found_with_what_was_asked_for(simulator, form):
    simulator.configure({"keyfactor": {"workflow_status_form": form}})
    simulator.keyfactor.load([{}, {"suspended": True, "reason": 4, "comment": "INC-1"}, {"suspended": True}, {"approval": True}])
    simulator.keyfactor.reject(3)
    client = client_of(simulator)
    found = client.suspended_revocations()
    assert set(found) == {2}
    assert (found[2].reason, found[2].comment) == (4, "INC-1") and found[2].id in simulator.keyfactor.store.instances and found[2].started
    requests = len(simulator.journal)
    assert client.suspended_revocations() == found and len(simulator.journal) == requests + 1, "what it is about does not change, so it is read once"
    simulator.keyfactor.approve(2)
    assert client.suspended_revocations() == {}


@pytest.mark.parametrize("cap", [0, 7])
def test_many_of_them_are_all_found(simulator, cap):
    simulator.configure({"keyfactor": {"max_return_limit": cap}})
    simulator.keyfactor.load([{"count": 60, "suspended": True}])
    assert set(client_of(simulator).suspended_revocations()) == set(range(1, 61))


def test_a_server_that_hands_out_its_first_page_only_is_warned_about(simulator):
    """Command 10 reads other names of the parameters here. What is missing must not pass for the whole."""
    simulator.configure({"keyfactor": {"version": "10.4"}})
    simulator.keyfactor.load([{"count": 60, "suspended": True}])
    told = []
    assert len(client_of(simulator, told).suspended_revocations()) == 50
    assert len(told) == 1 and "could not be read whole" in told[0]


def workflows(*instances):
    """A Command with these suspended workflow instances: what they are about by their number."""

    def reply(request, number):
        path = target_of(request)[0]
        number = path.rsplit("-", 1)[-1]
        if number.isdigit():
            return instances[int(number)] if isinstance(instances[int(number)], bytes) else answer("200 OK", json.dumps(instances[int(number)]).encode())
        listed = [{"Id": GUID % place, "Status": "Suspended"} for place in range(len(instances))]
        return answer("200 OK", json.dumps(listed).encode(), f"X-Total-Count: {len(listed)}")

    return Server(reply)


def about(number, kind="Revocation", **more):
    return {"Id": GUID % number, "Status": "Suspended", "Definition": {"WorkflowType": kind}, "InitialData": {"CertificateId": number, **more}}


def test_a_workflow_of_another_kind_is_no_revocation_that_waits():
    """One that has not been asked for would count as asked for, and never be revoked."""
    with workflows(about(0), about(1, RevokeCode=1), about(2, "Expiration"), about(3, "Enrollment"), about(4, "", Comment="x")) as server:
        assert set(client_at(server).suspended_revocations()) == {0, 1}


def test_what_has_ended_since_it_was_listed_does_not_wait():
    gone = answer("404 Not Found", b'{"ErrorCode": "0x1", "Message": "does not exist"}')
    with workflows(gone, about(1, RevokeCode=1), {"InitialData": None}, {}) as server:
        assert set(client_at(server).suspended_revocations()) == {1}


def test_without_the_permission_it_is_told(narrow):
    with pytest.raises(AuthorizationError, match="list suspended workflows"):
        client_of(narrow, **TEAM, collection_id=2).suspended_revocations()


def test_a_server_without_workflows_has_none():
    missing = answer("404 Not Found", b"<html>404</html>", content_type="text/html")
    with Server(lambda *dummy: missing) as server:
        assert client_at(server).suspended_revocations() == {}


def test_an_id_of_an_instance_cannot_lead_elsewhere():
    def reply(request, number):
        if number == 1:
            return answer("200 OK", json.dumps([{"Id": "../../Certificates/1?x=", "Status": "Suspended"}]).encode())
        return answer("404 Not Found", b'{"Message": "no"}') if number > 2 else answer("200 OK", b"[]")

    with Server(reply) as server:
        client_at(server).suspended_revocations()
    assert all(target_of(request)[0].startswith("/KeyfactorAPI/Workflow/Instances") and "/../" not in request.line for request in server.requests)


# -- revoking --------------------------------------------------------------------------------------------------------------------------


def revoked(client, ids=(1,), **more):
    return client.revoke(list(ids), **{"reason": 1, "comment": "INC-1", "effective_date": None, **more})


def test_the_request_is_what_the_vendor_describes(simulator):
    simulator.keyfactor.load([{"count": 2}])
    client = client_of(simulator)
    answered = revoked(client, [1, 2], reason=4, effective_date="2026-03-07T03:08:27Z")
    assert answered.revoked == {1, 2} and answered.suspended == {} and answered.error is None
    body = {"CertificateIds": [1, 2], "Reason": 4, "Comment": "INC-1", "EffectiveDate": "2026-03-07T03:08:27Z"}
    assert [(entry["method"], entry["path"], entry["query"], entry["body"]) for entry in simulator.journal] == [("POST", f"{LIST}/revoke", {}, body)]
    assert "EffectiveDate" not in (revoked(client, [1], reason=6) and simulator.journal[-1]["body"])


def test_what_waits_for_an_approval_is_not_revoked(simulator):
    simulator.keyfactor.load([{}, {"approval": True}])
    answered = revoked(client_of(simulator), [1, 2])
    assert answered.revoked == {1} and set(answered.suspended) == {2}
    assert answered.suspended[2].id in simulator.keyfactor.store.instances


@pytest.mark.parametrize(
    "body, listed",
    [
        (b"", None),
        (b"  ", None),
        (b"{}", frozenset()),
        (b'{"RevokedIds": null, "SuspendedCerts": null}', frozenset()),
        (b'{"RevokedIds": [1], "SuspendedCerts": [null, 5, {}]}', frozenset({1})),
        (b'{"revokedIds": [1]}', frozenset({1})),
        (b'{"RevokedIds": 1}', frozenset()),
        (b'{"RevokedIds": [[1], {"Id": 1}, null, 1], "SuspendedCerts": [{"CertId": [2]}, {"CertId": {}}]}', frozenset({1})),
    ],
)
def test_only_what_is_listed_counts(body, listed):
    with Server(lambda *dummy: answer("200 OK", body)) as server:
        answered = revoked(client_at(server))
    assert answered.revoked == listed and answered.suspended == {} and answered.error is None


def test_nothing_is_said_by_204():
    with Server(lambda *dummy: b"HTTP/1.1 204 No Content\r\n\r\n") as server:
        assert revoked(client_at(server)).revoked is None


@pytest.mark.parametrize("status, kind", [("401 No", RemediationError), ("403 No", AuthorizationError), ("429 No", BusyError)])
def test_what_was_turned_away_is_raised(status, kind):
    with Server(lambda *dummy: answer(status, b'{"ErrorCode": "0x1", "Message": "no"}')) as server, pytest.raises(kind) as caught:
        revoked(client_at(server, retry_timeout=5))
    assert not isinstance(caught.value, AnswerLostError) and len(server.requests) == 1


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "409 Conflict"])
def test_a_no_is_handed_back_because_a_part_may_be_done(status):
    body = b'{"ErrorCode": "0xA0110002", "Message": "It\\u0027s no use", "FailedOperations": [{"Reason": "one"}, {"Reason": "two"}]}'
    with Server(lambda *dummy: answer(status, body, "X-Keyfactor-Correlation-Id: c-1")) as server:
        error = revoked(client_at(server), [1, 2]).error
    assert error.detail == "It's no use; one; two" and error.code == "0xA0110002" and error.request_id == "c-1" and not error.fatal


@pytest.mark.parametrize(
    "reply",
    [
        answer("500 Oops", b'{"Message": "x"}'),
        answer("502 Bad Gateway", b"<html>x</html>", content_type="text/html"),
        answer("503 Busy", b"", "Retry-After: 0"),
        answer("504 Timeout", b""),
        answer("200 OK", b"<html>Sign in</html>", content_type="text/html"),
        answer("200 OK", b"[]"),
        answer("404 Not Found", b"<html>x</html>", content_type="text/html"),
        answer("302 Found", b"", "Location: https://login.example.com/"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        None,
    ],
    ids=range(10),
)
def test_a_lost_answer_is_one_and_nothing_is_sent_twice(reply):
    with Server(lambda *dummy: reply) as server, pytest.raises(AnswerLostError):
        revoked(client_at(server, retry_timeout=30))
    assert len(server.requests) == 1


def test_check_mode_cannot_revoke(simulator):
    simulator.keyfactor.load([{}])
    with pytest.raises(ReadOnlyError):
        revoked(client_of(simulator, read_only=True))
    assert simulator.journal == []


def test_a_large_request_is_given_its_time(monkeypatch):
    given = {}
    with Server(lambda *dummy: answer()) as server:
        client = client_at(server)
        send = client.transport.request
        monkeypatch.setattr(client.transport, "request", lambda *arguments, **more: given.update(more) or send(*arguments, **more))
        revoked(client, range(1, 51))
    assert given["extra_seconds"] >= 50 and given["changes"] is True


# -- answers of every kind -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, said",
    [
        (b'{"ErrorCode":"0xA0110002","Message":"Invalid CertState value: Revoked."}', "Invalid CertState value: Revoked."),
        (b'{"errorCode":"0xA0110002","message":"camel"}', "camel"),
        (b'{"title":"One or more errors occurred.","errors":{"request":["bad"]},"ErrorCode":"0xA0110002"}', "One or more errors occurred.; request: ['bad']"),
        (b'{"ErrorCode":"0xA0110002","Message":"a\\u001b[31m\\u0000\\u202eb\\r\\nc"}', "a [31m b c"),
        (b'{"ErrorCode":"0xA0110002","Message":{"deep":["x"]}}', "{'deep': ['x']}"),
        (b'{"ErrorCode":"0xA0110002","Message":"you sent c4nary-pass"}', "you sent ********"),
        (b'{"ErrorCode":"0xA0110002","FailedOperations":"x","errors":"y","Message":"z"}', "z"),
    ],
)
def test_the_vendors_own_words_are_told(body, said):
    with Server(lambda *dummy: answer("400 Bad Request", body)) as server:
        client = client_at(server)
        client.transport.secrets.add("c4nary-pass")
        with pytest.raises(VendorError) as caught:
            client.search("CertState -eq Revoked")
    assert caught.value.detail == said and said in caught.value.message and caught.value.code == "0xA0110002" and not caught.value.fatal


@pytest.mark.parametrize("bad_body", ["error", "problem"])
def test_a_query_that_command_does_not_understand_is_told_in_its_words(simulator, bad_body):
    simulator.configure({"keyfactor": {"bad_body": bad_body}})
    for query, text in (("Colour -eq 1", "Invalid query field: Colour"), ("CertState -eq Revoked", "Invalid CertState value: Revoked"), ("(", "is missing")):
        with pytest.raises(VendorError, match=text):
            client_of(simulator).search(query)


CALLS = {
    "search": lambda client: client.search("x -eq 1"),
    "certificate": lambda client: client.certificate(1),
    "locations": lambda client: client.locations(1),
    "history": lambda client: client.history(1),
    "suspended": lambda client: client.suspended_revocations(),
    "records": lambda client: client.records([CertificateRef(thumbprint=MARK), CertificateRef(id=1)]),
}
BAD_DAYS = {
    "500": ("status", {"status": 500, "body": '{"Message": "c4nary"}'}),
    "500 without a body": ("empty", {"status": 500}),
    "403 in HTML": ("html", {"status": 403}),
    "401 for ever": ("status", {"status": 401}),
    "429": ("status", {"status": 429, "headers": {"Retry-After": "9999"}}),
    "503 in HTML": ("html", {"status": 503}),
    "a login page": ("html", {"status": 200}),
    "nothing": ("empty", {}),
    "half a body": ("truncate", {}),
    "a broken connection": ("drop_after", {}),
    "a redirect": ("redirect", {}),
    "null": ("status", {"status": 200, "body": "null"}),
    "a number": ("status", {"status": 200, "body": "5"}),
    "a body without an end": ("huge", {"size": 1 << 26}),
    "a bomb": ("gzip_bomb", {"size": 1 << 26}),
}


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize("call", CALLS)
def test_a_bad_day_is_one_clean_error_for_every_read(simulator, call, day):
    action, options = BAD_DAYS[day]
    simulator.faults.add(action, times=0, **options)
    try:
        found = CALLS[call](client_of(simulator, retry_timeout=0))
    except RemediationError as error:
        problems = [error]
    else:
        assert call == "records", found
        problems = [item for item in found if isinstance(item, RemediationError)]
        assert len(problems) == len(found)
    for error in problems:
        assert "Keyfactor Command" in error.message and error.message.isprintable() and len(error.message) < 1000


@pytest.mark.parametrize(
    "action, options", [("status", {"status": 429}), ("html", {"status": 503}), ("drop_before", {}), ("truncate", {}), ("empty", {"status": 504})]
)
def test_a_moment_of_weakness_is_waited_out_for_a_read(simulator, action, options):
    simulator.keyfactor.load([{"count": 3}])
    simulator.faults.add(action, times=2, **options)
    told = []
    assert client_of(simulator, told).search("")[1] == 3
    assert len(simulator.journal) == 3 and len(told) == 2


def test_a_lost_page_is_no_empty_list(simulator):
    """A gateway that answers 200 with nothing must not make certificates vanish."""
    simulator.keyfactor.load([{"count": 3}])
    simulator.faults.add("empty")
    with pytest.raises(UnreadableAnswerError):
        client_of(simulator).search("")


def test_the_vendors_constants():
    """Sheet section 2.2 and 3.4, by hand."""
    assert (keyfactor_module.REASON_HOLD, keyfactor_module.REASON_RELEASE, keyfactor_module.STATE_ACTIVE, keyfactor_module.STATE_REVOKED) == (6, -1, 1, 2)
