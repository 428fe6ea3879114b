# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""keyfactor_certificate_info against the simulator: what is asked for, and what comes back."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import re
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.keyfactor import NOTHING, certificate_ref
from ansible_collections.certops.remediation.plugins.modules import keyfactor_certificate_info, keyfactor_certificate_revoke
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, basic_value, keyfactor_options, run_module

LIST = "/keyfactorapi/certificates"
STORE = {"machine": "lb01.example.com", "path": "/ssl", "store_type": 5, "store_type_name": "F5", "alias": "www"}
ENDPOINT = {"path": "lb01.example.com", "ip_address": "192.0.2.10", "port": 443, "network_name": "DMZ"}
FLEET = [
    {"cn": "ok-{n}.example.com", "count": 3, "key": "leaked", "valid_days": 100},
    {"cn": "gone.example.com", "state": "revoked", "reason": 1, "comment": "INC-1", "revoked_days_ago": 2, "key": "leaked"},
    {"cn": "hold.example.com", "on_hold": True, "comment": "Look into it"},
    {"cn": "late.example.com", "valid_days": -5},
    {"cn": "soon.example.com", "valid_days": 10, "dns": ["soon.example.com", "alias.example.com"]},
    {"cn": "used.example.com", "locations": [STORE], "ssl_locations": [ENDPOINT], "metadata": {"Owner": "web", "Note": "a\nb"}},
    {"cn": "asked.example.com", "suspended": True, "reason": 4},
    {"cn": "denied.example.com", "state": "denied"},
    {"cn": "Corp Sub CA", "state": "certificate authority"},
    {"cn": "twin.example.com", "serial": "0A01", "ca": "ca01\\One", "issuer": "CN=One,O=Example Corp"},
    {"cn": "twin.example.com", "serial": "0A01", "ca": "ca02\\Two", "issuer": "CN=Two,O=Example Corp"},
]
COUNT = 13


@pytest.fixture
def fleet(simulator):
    """The simulator with some of everything."""
    simulator.keyfactor.load(FLEET)
    return simulator


def info(simulator, **options):
    return run_module(keyfactor_certificate_info, keyfactor_options(simulator, **options))


def names(result):
    assert not result["failed"], result["msg"]
    return {item["common_name"].replace(".example.com", "") for item in result["certificates"]}


def queries(simulator):
    """What was searched for; the question whether the server looks at a query at all is left out."""
    asked = [entry["query"].get("pq.queryString", "") for entry in simulator.journal if entry["path"] == LIST]
    return [query for query in asked if query != NOTHING]


def public_key(simulator, number):
    """The SHA-256 of the SubjectPublicKeyInfo, by another way than that of the module."""
    certificate = x509.load_der_x509_certificate(base64.b64decode(simulator.keyfactor[number].content))
    pem = certificate.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(base64.b64decode(b"".join(pem.splitlines()[1:-1]))).hexdigest()


def pem_of(simulator, number):
    certificate = x509.load_der_x509_certificate(base64.b64decode(simulator.keyfactor[number].content))
    return certificate.public_bytes(serialization.Encoding.PEM)


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


# -- filters ---------------------------------------------------------------------------------------------------------------------------

OK = {"ok-1", "ok-2", "ok-3"}
FILTERS = {
    "nothing": ({}, "", {*OK, "gone", "hold", "late", "soon", "used", "asked", "denied", "Corp Sub CA", "twin"}),
    "query": ({"query": 'IssuedCN -startswith "ok" OR CertId -eq 4'}, '(IssuedCN -startswith "ok" OR CertId -eq 4)', {*OK, "gone"}),
    "common name": (
        {"common_name": ["ok-1.example.com", "OK-2.EXAMPLE.COM"]},
        '(IssuedCN -eq "ok-1.example.com" OR IssuedCN -eq "OK-2.EXAMPLE.COM")',
        {"ok-1", "ok-2"},
    ),
    "issuer": ({"issuer": "CN=One,O=Example Corp"}, 'IssuerDN -eq "CN=One,O=Example Corp"', {"twin"}),
    "active": ({"state": ["active"]}, "(CertState -eq 1)", {*OK, "late", "soon", "used", "asked", "twin"}),
    "revoked": ({"state": ["revoked"]}, "(CertState -eq 2)", {"gone"}),
    "on hold": ({"state": ["on_hold"]}, "(CertState -eq 2)", {"hold"}),
    "both": ({"state": ["on_hold", "revoked"]}, "(CertState -eq 2)", {"hold", "gone"}),
    "others": ({"state": ["denied", "ca", "external_validation"]}, "(CertState -eq 3 OR CertState -eq 6 OR CertState -eq 8)", {"denied", "Corp Sub CA"}),
    "query and state": (
        {"query": 'IssuedCN -eq "x" OR CertState -eq 2', "state": ["on_hold"]},
        '(IssuedCN -eq "x" OR CertState -eq 2) AND (CertState -eq 2)',
        {"hold"},
    ),
    "dns name": ({"dns_name": ["ALIAS.example.com.", "nothing.example.com"]}, "", {"soon"}),
    "dns name and state": ({"dns_name": ["alias.example.com"], "state": ["revoked"]}, "(CertState -eq 2)", set()),
}


@pytest.mark.parametrize("which", FILTERS)
def test_each_filter_is_sent_in_the_vendors_words_and_finds_what_it_should(fleet, which):
    options, sent, expected = FILTERS[which]
    result = info(fleet, **options)
    assert names(result) == expected and queries(fleet) == [sent]
    assert result["count"] == len(result["certificates"]) and not result["changed"] and result["not_found"] == []
    assert result["total"] >= result["count"] and result["warnings"] == []


def test_revoked_and_expired_ones_are_in_it_unless_turned_off(fleet):
    assert info(fleet)["count"] == COUNT
    assert info(fleet, include_revoked=False)["count"] == COUNT - 2
    assert info(fleet, include_expired=False)["count"] == COUNT - 1
    assert names(info(fleet, state=["on_hold"], include_revoked=False)) == set()
    fleet.records.clear()
    mark = fleet.keyfactor[4].thumbprint
    assert info(fleet, thumbprint=[mark])["count"] == 1 and info(fleet, thumbprint=[mark], include_revoked=False)["count"] == 0
    assert [entry["query"]["pq.includeRevoked"] for entry in fleet.journal] == ["true", "false"]


@pytest.mark.parametrize("form", ["{}", "0x{}", "colons", "lower", "\u200e{}"])
@pytest.mark.parametrize("option", ["thumbprint", "serial"])
def test_thumbprints_and_serials_in_every_form(fleet, option, form):
    value = getattr(fleet.keyfactor[7], option)
    written = {"colons": ":".join(re.findall("..", value)), "lower": value.lower()}.get(form) or form.format(value)
    assert names(info(fleet, **{option: [written, written]})) == {"soon"}


def test_a_serial_number_finds_the_certificates_of_all_authorities(fleet):
    for serial in ("0A01", "a01", "00:0a:01"):
        result = info(fleet, serial=[serial])
        assert [item["issuer"] for item in result["certificates"]] == ["CN=One,O=Example Corp", "CN=Two,O=Example Corp"] and result["not_found"] == []
    assert [item["id"] for item in info(fleet, serial=["0A01"], issuer="CN=Two,O=Example Corp")["certificates"]] == [13]


def test_what_was_named_but_is_not_there_is_told(fleet):
    mark = fleet.keyfactor[1].thumbprint
    result = info(fleet, thumbprint=["AB" * 20, mark], serial=["FEED"])
    assert [item["thumbprint"] for item in result["certificates"]] == [mark] and not result["failed"]
    assert [item["target"] for item in result["not_found"]] == ["AB" * 20, "FEED"]
    assert all(item["error"]["status"] == 404 and "other filters" in item["error"]["message"] for item in result["not_found"])
    assert any("2 of the certificates that were named were not found" in text for text in result["warnings"])
    # Another filter leaves it out.
    assert [item["target"] for item in info(fleet, thumbprint=[mark], state=["revoked"])["not_found"]] == [mark]


def test_a_certificate_at_hand_is_found(fleet, tmp_path):
    der = tmp_path / "one.der"
    der.write_bytes(base64.b64decode(fleet.keyfactor[1].content))
    pem = tmp_path / "two.pem"
    pem.write_bytes(pem_of(fleet, 2) + b"\n" + pem_of(fleet, 5))
    assert names(info(fleet, certificate_path=[str(der), str(pem)])) == {"ok-1", "ok-2", "hold"}
    assert len(fleet.journal) == 1


@pytest.mark.parametrize("content", [None, b"", b"nothing"])
@pytest.mark.parametrize("option", ["certificate_path", "public_key_path"])
def test_a_file_without_what_is_needed_is_told(fleet, tmp_path, option, content):
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_bytes(content)
    result = info(fleet, **{option: [str(path)]})
    assert result["failed"] and option in result["msg"] and fleet.journal == []


def test_expiry(fleet):
    assert names(info(fleet, expires_within_days=30)) == {"soon"}
    assert names(info(fleet, expires_within_days=0)) == set()
    assert names(info(fleet, expires_before=in_days(-2))) == {"late"}
    assert names(info(fleet, expires_after=in_days(-8), expires_before=in_days(30))) == {"late", "soon"}
    assert names(info(fleet, expires_after=in_days(90), expires_before=in_days(110))) == {*OK, *()}
    assert names(info(fleet, expires_within_days=30, expires_after=in_days(20))) == set()
    assert names(info(fleet, expires_within_days=150, expires_before=in_days(30))) == {"soon"}


@pytest.mark.parametrize(
    "text, sent",
    [
        ("2026-11-30", "2026-11-30T00:00:00Z"),
        ("2026-11-30T12:00:00Z", "2026-11-30T12:00:00Z"),
        ("2026-11-30T12:00:00+02:00", "2026-11-30T10:00:00Z"),
    ],
)
def test_dates_are_sent_in_utc(fleet, text, sent):
    info(fleet, expires_before=text)
    info(fleet, expires_after=text)
    assert queries(fleet) == [f'ExpirationDate -le "{sent}"', f'ExpirationDate -ge "{sent}"']


def test_a_server_that_reads_dates_in_another_way_hands_out_nothing_wrong():
    """Whether it takes a whole day, or local time, is unconfirmed: what comes back is looked at once more."""
    times = ["2026-11-30T11:59:59.9Z", "2026-11-30T12:00:00Z", "2026-11-30T12:00:00.5Z", "2026-11-30T12:00:01Z"]
    page = [{"Id": number, "NotAfter": text, "CertState": 1} for number, text in enumerate(times, 1)]
    with Server(lambda *dummy: answer("200 OK", json.dumps(page).encode())) as server:
        options = {"url": server.url, "allow_http": True, "access_token": "c4nary-token"}
        before = run_module(keyfactor_certificate_info, {**options, "expires_before": "2026-11-30T12:00:00Z"})
        after = run_module(keyfactor_certificate_info, {**options, "expires_after": "2026-11-30T12:00:01Z"})
    assert [item["id"] for item in before["certificates"]] == [1, 2, 3]
    assert [item["id"] for item in after["certificates"]] == [4]


@pytest.mark.parametrize("text", ["tomorrow", "30.11.2026", "2026-13-01", "2026-11-30T25:00:00Z", "2026-11-30T12:00:00", "x" * 500])
@pytest.mark.parametrize("option", ["expires_before", "expires_after"])
def test_what_is_no_date_is_told(fleet, option, text):
    result = info(fleet, **{option: text})
    assert result["failed"] and option in result["msg"] and len(result["msg"]) < 300 and fleet.journal == []


@pytest.mark.parametrize("option, value", [("limit", 0), ("limit", -1), ("expires_within_days", -1), ("expires_within_days", 10**9)])
def test_numbers_out_of_range_are_told(fleet, option, value):
    result = info(fleet, **{option: value})
    assert result["failed"] and option in result["msg"] and fleet.journal == []


@pytest.mark.parametrize(
    "options, text",
    [
        ({"common_name": ['a"b']}, "no escape"),
        ({"common_name": ["ok", ""]}, "no escape"),
        ({"issuer": 'CN="x" OR CertId -ne "0'}, "no escape"),
        ({"issuer": "CN=a\x00"}, "no escape"),
        ({"thumbprint": ["AB" * 32]}, "SHA-1"),
        ({"thumbprint": ["xyz"]}, "not hexadecimal"),
        ({"serial": [""]}, "not hexadecimal"),
        ({"public_key_sha256": ["AB" * 20]}, "SHA-256"),
        ({"public_key_sha256": ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]}, "cannot be read"),
        ({"state": ["expired"]}, "state"),
    ],
)
def test_what_cannot_be_searched_for_is_told_before_anything_is_sent(fleet, options, text):
    result = info(fleet, **options)
    assert result["failed"] and text in result["msg"] and fleet.journal == []


def test_a_query_that_command_does_not_understand_is_told_in_its_words(fleet):
    for query, text in (("Colour -eq 1", "Invalid query field: Colour"), ("CertState -eq Revoked", "Invalid CertState value: Revoked"), ("(", "is missing")):
        result = info(fleet, query=query)
        assert result["failed"] and text in result["msg"] and result["error"]["kind"] == "vendor"


@pytest.mark.parametrize(
    "option", ["thumbprint", "certificate_path", "serial", "common_name", "dns_name", "state", "public_key_path", "public_key_sha256"]
)
def test_an_empty_list_of_what_may_match_matches_nothing(fleet, option):
    """An empty list of leaked keys must not select every certificate there is: the next task revokes them."""
    result = info(fleet, **{option: []})
    assert (result["failed"], result["certificates"], result["count"], result["total"], result["not_found"]) == (False, [], 0, 0, [])
    assert fleet.journal == []
    assert info(fleet, **{option: [], "query": "CertId -eq 1"})["certificates"] == []


def test_empty_strings_are_unset(fleet):
    assert info(fleet, query="", issuer="", expires_before="", expires_after="", proxy="", collection="", domain="EXAMPLE")["count"] == COUNT


# -- public keys -----------------------------------------------------------------------------------------------------------------------


def test_everything_that_shares_a_leaked_key_is_found_revoked_or_not(fleet):
    digest = public_key(fleet, 1)
    assert public_key(fleet, 4) == digest != public_key(fleet, 5)
    for form in (digest, digest.upper(), ":".join(re.findall("..", digest)), pem_of(fleet, 2).decode()):
        result = info(fleet, public_key_sha256=[form])
        assert names(result) == {*OK, "gone"} and result["total"] == COUNT, form
    assert {item["public_key_sha256"] for item in result["certificates"]} == {digest}
    assert names(info(fleet, public_key_sha256=[digest, public_key(fleet, 5)], state=["on_hold", "active"])) == {*OK, "hold"}
    assert info(fleet, public_key_sha256=["ab" * 32])["certificates"] == []


@pytest.mark.parametrize("what", ["certificate", "request", "public key"])
def test_a_key_is_known_by_any_file_that_holds_it(simulator, tmp_path, what):
    simulator.keyfactor.load([{"key": "leaked"}, {}, {"key": "leaked"}])
    key = simulator.authority.keys["leaked"]
    path = tmp_path / "file.pem"
    if what == "certificate":
        path.write_bytes(b"some text\n" + pem_of(simulator, 1))
    elif what == "request":
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
        path.write_bytes(x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    else:
        path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    assert [item["id"] for item in info(simulator, public_key_path=[str(path)])["certificates"]] == [1, 3]


def test_a_limit_does_not_hide_what_the_local_filters_would_find(fleet):
    """Five records of Command are not five records of the wanted key."""
    fleet.configure({"keyfactor": {"max_return_limit": 2}})
    assert [item["common_name"] for item in info(fleet, public_key_sha256=[public_key(fleet, 5)], limit=1)["certificates"]] == ["hold.example.com"]
    assert [item["common_name"] for item in info(fleet, state=["on_hold"], limit=1)["certificates"]] == ["hold.example.com"]
    assert [item["common_name"] for item in info(fleet, dns_name=["alias.example.com"], limit=1)["certificates"]] == ["soon.example.com"]


def records_at(records, **options):
    """What the module makes of records that a simulator would not give."""
    with Server(lambda *dummy: answer("200 OK", json.dumps(records).encode(), f"X-Total-Count: {len(records)}")) as server:
        return run_module(keyfactor_certificate_info, {"url": server.url, "allow_http": True, "access_token": "c4nary-token", **options})


@pytest.mark.parametrize("content", [None, "", "AAAA", "%%%", 5, [], {}, "A" * 5000])
def test_a_record_without_its_certificate_is_listed_and_warned_about_where_it_could_matter(content):
    """It may hold the leaked key: that nobody can tell must not pass for a no."""
    record = {"Id": 1, "Thumbprint": "AB" * 20, "CertState": 1, "ContentBytes": content}
    result = records_at([record])
    assert result["certificates"][0]["public_key_sha256"] is None and result["certificates"][0]["dns_names"] is None and result["warnings"] == []
    for option in ({"public_key_sha256": ["ab" * 32]}, {"dns_name": ["a.example.com"]}):
        result = records_at([record], **option)
        assert result["certificates"] == [] and not result["failed"]
        assert [text for text in result["warnings"] if "1 certificate" in text and "could not be compared" in text]
    assert records_at([record], public_key_sha256=["ab" * 32], state=["revoked"])["warnings"] == [], "another filter leaves it out anyway"


def strange_certificates():
    """Certificates that a scan may well bring in, by what is strange about them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example.com")])
    now = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=999))

    def signed(names):
        return builder.add_extension(x509.SubjectAlternativeName(names), False).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    plain = signed([x509.DNSName("a.example.com"), x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x05\x00")])
    return {
        "key of an unknown algorithm": plain.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d027f")),
        "unknown curve": plain.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f")),
        # x400Address has the tag 3 where otherName has 0.
        "name of a kind that nobody reads": plain.replace(b"\xa0\x08\x06\x02*\x03", b"\xa3\x08\x06\x02*\x03"),
        "point that is not on the curve": plain.replace(point[1:], bytes(64)),
        "nothing": plain,
    }


@pytest.mark.parametrize(
    "which", ["key of an unknown algorithm", "unknown curve", "name of a kind that nobody reads", "point that is not on the curve", "nothing"]
)
def test_one_certificate_that_no_library_reads_hides_no_other(which):
    """Command takes in whatever its scans find."""
    made = strange_certificates()
    assert len(set(made.values())) == len(made), "each is strange in its own way"
    contents = [base64.b64encode(made[name]).decode() for name in (which, "nothing")]
    result = records_at([{"Id": number, "CertState": 1, "ContentBytes": content} for number, content in enumerate(contents, 1)])
    assert not result["failed"] and [item["id"] for item in result["certificates"]] == [1, 2]
    assert [bool(item["public_key_sha256"]) for item in result["certificates"]] == [which == "nothing", True]
    assert result["certificates"][1]["dns_names"] == ["a.example.com"]


# -- naming certificates ---------------------------------------------------------------------------------------------------------------


def test_certificates_by_every_name_in_the_order_given_and_once(fleet):
    kf = fleet.keyfactor
    by_serial = [{"serial": kf[2].serial, "issuer": kf[2].issuer_dn}, {"serial": "A01", "issuer": "cn=two, o=example corp"}]
    result = info(fleet, certificates=[8, kf[4].thumbprint.lower(), by_serial[0], "8", {"id": 5, "state": "x"}, by_serial[1]])
    assert [item["id"] for item in result["certificates"]] == [8, 4, 2, 5, 13] and result["not_found"] == [] and result["count"] == result["total"] == 5


def test_what_cannot_be_read_is_listed_with_the_reason(fleet):
    kf = fleet.keyfactor
    given = [999, {"id": 1, "thumbprint": kf[2].thumbprint}, "AB" * 20, {"serial": "0A01"}, 3]
    result = info(fleet, certificates=given)
    assert not result["failed"] and [item["id"] for item in result["certificates"]] == [3]
    told = [item["error"]["message"] for item in result["not_found"]]
    parts = ["Unable to find 'Certificate' with Id '999'", "names two certificates", "may not see it", "2 certificates have the serial number"]
    assert [item["target"] for item in result["not_found"]] == ["999", kf[2].thumbprint, "AB" * 20, "0A01"]
    assert [part in text for text, part in zip(told, parts)] == [True] * 4
    assert set(result["not_found"][0]["error"]) == {"kind", "message", "status", "code", "detail", "request_id"}


def test_an_empty_list_is_an_empty_result(fleet):
    result = info(fleet, certificates=[])
    assert result["certificates"] == [] and not result["failed"] and fleet.journal == []


@pytest.mark.parametrize("more", [{"query": "CertId -eq 1"}, {"thumbprint": []}, {"state": ["active"]}, {"expires_within_days": 0}])
def test_certificates_and_filters_exclude_each_other(fleet, more):
    result = info(fleet, certificates=[1], **more)
    assert result["failed"] and "cannot be combined with filters" in result["msg"] and fleet.journal == []


def test_a_bad_entry_is_told_with_its_place_before_anything_is_sent(fleet):
    result = info(fleet, certificates=[1, "x"])
    assert result["failed"] and "certificates[1]" in result["msg"] and fleet.journal == []


def test_5000_thumbprints_are_some_180_requests():
    records = {f"{number:040X}": {"Id": number, "Thumbprint": f"{number:040X}", "CertState": 1} for number in range(1, 5001)}

    def reply(request, number):
        query = urllib.parse.urlsplit(request.line.split()[1]).query
        assert len(query) <= 2048
        found = [records[mark] for mark in re.findall('Thumbprint -eq "([0-9A-F]{40})"', dict(urllib.parse.parse_qsl(query))["pq.queryString"])]
        return answer("200 OK", json.dumps(found).encode(), f"X-Total-Count: {len(found)}")

    with Server(reply) as server:
        options = {"url": server.url, "allow_http": True, "access_token": "c4nary-token"}
        for option in ("thumbprint", "certificates"):
            result = run_module(keyfactor_certificate_info, {**options, option: list(records)})
            assert [item["id"] for item in result["certificates"]] == list(range(1, 5001)) and result["not_found"] == []
            assert result["http"]["requests"] == -(-5000 // 28)


# -- results ---------------------------------------------------------------------------------------------------------------------------


def test_a_record_tells_what_the_simulator_holds(fleet):
    by_id = {item["id"]: item for item in info(fleet)["certificates"]}
    held = fleet.keyfactor[4]
    shown = by_id[4]
    assert (shown["thumbprint"], shown["serial"], shown["issuer"], shown["subject"]) == (held.thumbprint, held.serial, held.issuer_dn, held.subject)
    assert (shown["authority"], shown["requester"]) == (held.authority, held.requester or None)
    assert (shown["state"], shown["state_name"], shown["expired"]) == (2, "revoked", False)
    assert shown["revocation"]["reason"] == 1 and shown["revocation"]["reason_name"] == "key_compromise" and shown["revocation"]["comment"] == "INC-1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["revocation"]["date"])
    assert by_id[5]["state_name"] == "on_hold" and by_id[5]["state"] == 2 and by_id[5]["revocation"]["reason_name"] == "certificate_hold"
    assert by_id[6]["expired"] and by_id[6]["state_name"] == "active" and by_id[6]["revocation"] is None
    assert by_id[7]["dns_names"] == ["soon.example.com", "alias.example.com"]
    assert by_id[1]["public_key_sha256"] == public_key(fleet, 1) and by_id[1]["not_before"] < by_id[1]["not_after"]
    assert by_id[11]["state_name"] == "ca" and by_id[11]["dns_names"] == []


def test_places_and_metadata_are_told_if_asked_for(fleet):
    plain = info(fleet, certificates=[8, 1])["certificates"][0]
    assert "locations" not in plain and "metadata" not in plain
    full, other = info(fleet, certificates=[8, 1], locations=True, metadata=True)["certificates"]
    assert [place["text"] for place in full["locations"]] == ["lb01.example.com: /ssl (www)", "DMZ:443"]
    store, endpoint = full["locations"]
    assert (store["kind"], store["machine"], store["path"], store["store_type"], store["alias"]) == ("store", "lb01.example.com", "/ssl", 5, "www")
    assert store["store_id"].startswith("00000000-")
    assert (endpoint["kind"], endpoint["machine"], endpoint["address"], endpoint["port"]) == ("endpoint", "DMZ", "192.0.2.10", 443)
    assert full["metadata"] == {"Owner": "web", "Note": "a\nb"} and other["metadata"] == {} and other["locations"] == []
    assert info(fleet, common_name=["used.example.com"], locations=True)["certificates"][0]["locations"] == full["locations"]


def test_the_history_is_read_for_each(fleet):
    result = info(fleet, certificates=[1, 9], history=True)
    first, asked = (item["history"] for item in result["certificates"])
    assert [event["action"] for event in first] == ["Issued"] and set(first[0]) == {"time", "action", "user", "comment"}
    fleet.keyfactor.approve(9)
    asked = info(fleet, certificates=[9], history=True)["certificates"][0]["history"]
    assert asked[-1]["action"] == "Revoked" and asked[-1]["user"] == "EXAMPLE\\certops" and asked[-1]["comment"] == "Asked for earlier." and asked[-1]["time"]
    assert "history" not in info(fleet, certificates=[1])["certificates"][0]


def test_what_waits_for_an_approval_is_told(fleet):
    by_id = {item["id"]: item for item in info(fleet, pending_approvals=True)["certificates"]}
    assert [number for number, item in by_id.items() if item["pending_approval"]] == [9]
    assert by_id[9]["workflow_id"] in fleet.keyfactor.store.instances and by_id[1]["workflow_id"] is None
    fleet.keyfactor.reject(9)
    assert not any(item["pending_approval"] for item in info(fleet, pending_approvals=True)["certificates"])


def test_what_waits_is_found_without_a_list_of_all(fleet):
    result = info(fleet, waiting=True, locations=True)
    assert names(result) == {"asked"} and result["total"] == 1 and len(fleet.journal) == 3
    found = result["certificates"][0]
    assert found["pending_approval"] and found["locations"] == [] and found["workflow"]["reason_name"] == "superseded"
    assert found["workflow"]["step"] == "Require Approval" and found["workflow"]["since"].startswith("20") and "is revoking" in found["workflow"]["title"]
    assert info(fleet, waiting=True, query='IssuedCN -eq "x"')["error"]["kind"] == "input"
    fleet.keyfactor.reject(9)
    assert info(fleet, waiting=True)["certificates"] == []


def test_who_may_not_read_workflows_is_told_and_gets_no_false_no(simulator):
    simulator.reset({"keyfactor": {"users": [{"name": "reader", "password": "r34ders", "workflows": False}], "certificates": [{"suspended": True}]}})
    result = info(simulator, username="reader", password="r34ders", pending_approvals=True)
    assert result["failed"] and result["error"]["kind"] == "authorization" and "suspended workflows" in result["msg"]
    assert info(simulator, username="reader", password="r34ders")["count"] == 1


@pytest.mark.parametrize("cap", [1, 5, 0])
def test_pages_are_put_together(fleet, cap):
    fleet.configure({"keyfactor": {"max_return_limit": cap}})
    result = info(fleet)
    assert [item["id"] for item in result["certificates"]] == list(range(1, COUNT + 1)) and result["total"] == COUNT
    assert len(fleet.journal) == -(-COUNT // (cap or 500))


def test_a_limit_is_kept_and_the_total_still_told(fleet):
    result = info(fleet, limit=4)
    assert result["count"] == 4 and result["total"] == COUNT and len(fleet.journal) == 1
    assert fleet.journal[0]["query"]["pq.returnLimit"] == "4"
    assert info(fleet, certificates=[1, 2, 3], limit=2)["count"] == 2


def test_a_list_that_never_stands_still_is_warned_about():
    def reply(request, number):
        page = [{"Id": number, "CertState": 1}] if number % 3 else []
        return answer("200 OK", json.dumps(page).encode(), f"X-Total-Count: {1000 + number}")

    with Server(reply) as server:
        result = run_module(keyfactor_certificate_info, {"url": server.url, "allow_http": True, "access_token": "c4nary-token"})
    assert not result["failed"] and any("changed while it was read" in text for text in result["warnings"])


def test_answers_in_camel_case_are_the_same(fleet):
    options = {"locations": True, "metadata": True, "history": True, "pending_approvals": True}
    before = info(fleet, **options)
    fleet.configure({"keyfactor": {"response_key_case": "camel"}})
    after = info(fleet, **options)
    assert after["certificates"] == before["certificates"] and after["count"] == COUNT


@pytest.mark.parametrize("version", ["10.4", "11.5", "24.4", "25.4.1"])
def test_every_version_is_read(fleet, version):
    fleet.configure({"keyfactor": {"version": version, "state_string_style": "word"}})
    result = info(fleet, locations=True, metadata=True)
    assert result["count"] == COUNT and {item["state_name"] for item in result["certificates"]} >= {"active", "revoked", "on_hold", "ca", "denied"}


HOSTILE = "a\x1b[2J\x1b[31m<b>\u202ered</b>\r\nx\x00\x9b\u200bend"


def harmless(value):
    """No text in it, at any depth, moves a cursor, colours a terminal, hides or reorders text."""
    if isinstance(value, dict):
        return all(harmless(item) for item in (*value, *value.values()))
    if isinstance(value, list):
        return all(map(harmless, value))
    return not isinstance(value, str) or not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", value)


def test_hostile_texts_are_told_without_what_harms_a_terminal(simulator):
    everywhere = {
        "comment": HOSTILE,
        "requester": HOSTILE,
        "dns": ["evil\x1b[31m.example.com"],
        "locations": [dict.fromkeys(("machine", "path", "alias", "store_id"), HOSTILE)],
        "ssl_locations": [dict.fromkeys(("path", "ip_address", "network_name", "port"), HOSTILE)],
        "history": [dict.fromkeys(("action", "user", "comment"), HOSTILE)],
    }
    simulator.keyfactor.load([{"state": "revoked", **everywhere}, {"on_hold": True, "comment": HOSTILE * 500}])
    simulator.keyfactor.change(1, {"cn": HOSTILE, "subject": HOSTILE, "issuer_dn": HOSTILE})
    result = info(simulator, locations=True, history=True)
    assert not result["failed"], result["msg"]
    assert harmless(result["certificates"]), result["certificates"]
    shown = result["certificates"][0]
    assert shown["common_name"] == shown["subject"] == shown["revocation"]["comment"] == "a [2J [31m<b> red</b> x end"
    assert len(result["certificates"][1]["revocation"]["comment"]) <= 400
    refused = info(simulator, certificates=[{"id": 1, "thumbprint": simulator.keyfactor[2].thumbprint, "common_name": HOSTILE}])
    assert harmless(refused["not_found"]) and harmless(refused["warnings"])


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none() | st.text(max_size=3), max_size=2)
FIELDS = ["Thumbprint", "SerialNumber", "IssuedCN", "IssuerDN", "NotBefore", "NotAfter", "CertState"]
FIELDS += ["RevocationEffDate", "RevocationReason", "RevocationComment"]
FIELDS += ["ContentBytes", "LocationsCount", "Locations", "SSLLocations", "Metadata", "CertificateAuthorityName", "RequesterName"]
PLACES = st.lists(st.dictionaries(st.sampled_from(["Count", "StoreMachine", "StorePath", "Alias", "IPAddress", "Port", "StoreType"]), VALUES), max_size=2)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES | PLACES), min_size=1, max_size=5))
def test_no_record_is_a_traceback(records):
    numbered = [{**record, "Id": number} for number, record in enumerate(records, 1)]
    result = records_at(numbered, locations=True, metadata=True)
    assert not result["failed"] and result["count"] == len(records)
    for item in result["certificates"]:
        item.pop("metadata")
    assert harmless(result["certificates"])


def test_a_record_feeds_the_revocation(fleet):
    found = info(fleet, common_name=["ok-1.example.com", "ok-2.example.com"])["certificates"]
    assert [(certificate_ref("x", item).id, certificate_ref("x", item).thumbprint) for item in found] == [(item["id"], item["thumbprint"]) for item in found]
    for check_mode in (True, False):
        result = run_module(keyfactor_certificate_revoke, keyfactor_options(fleet, certificates=found, reason="superseded"), check_mode=check_mode)
        assert result["changed"] and result["summary"]["planned" if check_mode else "applied"] == 2, result.get("msg")
    assert {item["state_name"] for item in info(fleet, certificates=found)["certificates"]} == {"revoked"}


def test_no_request_changes_anything(fleet):
    for check_mode in (True, False):
        options = {"locations": True, "metadata": True, "history": True, "pending_approvals": True}
        run_module(keyfactor_certificate_info, keyfactor_options(fleet, **options), check_mode=check_mode)
        run_module(keyfactor_certificate_info, keyfactor_options(fleet, certificates=[1], **options), check_mode=check_mode)
    assert fleet.journal and not any(entry["mutates"] or entry["effect"] or entry["method"] != "GET" for entry in fleet.journal)


# -- collections -----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(simulator):
    """A user who may see one collection only."""
    simulator.reset(
        {
            "keyfactor": {
                "users": [{"name": "webteam", "password": "our-own", "read": ["Web"], "revoke": ["Web"]}],
                "collections": [{"name": "All", "content": ""}, {"name": "Web", "content": 'IssuedCN -contains "web"'}],
                "certificates": [{"cn": "web.example.com"}, {"cn": "pay.example.com"}],
            }
        },
        {"clock_scale": 0},
    )
    return simulator


def test_a_user_of_one_collection_sees_that_one(narrow):
    login = {"username": "webteam", "password": "our-own"}
    refused = info(narrow, **login)
    assert refused["failed"] and refused["error"]["kind"] == "authorization" and "collection" in refused["msg"]
    for named in ({"collection": "web"}, {"collection_id": 2}):
        assert names(info(narrow, **login, **named, history=True)) == {"web"}
        both = info(narrow, **login, **named, certificates=[1, 2])
        assert [item["id"] for item in both["certificates"]] == [1] and both["not_found"][0]["error"]["status"] == 403
    assert names(info(narrow, collection="Web")) == {"web"}, "a collection narrows the view of others, too"
    unknown = info(narrow, **login, collection="Nowhere")
    assert unknown["failed"] and "'Nowhere'" in unknown["msg"] and unknown["error"]["status"] == 404


# -- log-in, environment, failures -----------------------------------------------------------------------------------------------------


def test_the_environment_fills_in(fleet, monkeypatch):
    ready = fleet.ready["keyfactor"]
    address = urllib.parse.urlsplit(ready["url"])
    monkeypatch.setenv("KEYFACTOR_HOSTNAME", address.hostname)
    monkeypatch.setenv("KEYFACTOR_PORT", str(address.port))
    monkeypatch.setenv("KEYFACTOR_CA_CERT", fleet.ready["ca_path"])
    monkeypatch.setenv("KEYFACTOR_USERNAME", ready["username"])
    monkeypatch.setenv("KEYFACTOR_PASSWORD", ready["password"])
    monkeypatch.setenv("KEYFACTOR_DOMAIN", ready["domain"])
    assert run_module(keyfactor_certificate_info, {})["count"] == COUNT
    # A task's own word goes first, an empty one does not.
    assert run_module(keyfactor_certificate_info, {"password": "wr0ng"})["failed"]
    assert run_module(keyfactor_certificate_info, {"password": "", "url": "", "ca_path": "", "api_path": ""})["count"] == COUNT
    monkeypatch.setenv("KEYFACTOR_API_PATH", "/Keyfactor/API/")
    assert "no API at /Keyfactor/API" in run_module(keyfactor_certificate_info, {})["msg"]
    monkeypatch.setenv("KEYFACTOR_API_PATH", "")
    fleet.records.clear()
    for name, value in (("CLIENT_ID", ready["client_id"]), ("CLIENT_SECRET", ready["client_secret"]), ("TOKEN_URL", ready["token_url"])):
        monkeypatch.setenv(f"KEYFACTOR_AUTH_{name}", value)
    monkeypatch.setenv("KEYFACTOR_AUTH_SCOPES", "one,two")
    monkeypatch.setenv("KEYFACTOR_AUTH_AUDIENCE", "command")
    assert run_module(keyfactor_certificate_info, {})["count"] == COUNT
    assert fleet.journal[0]["path"] == "/oauth2/token"
    assert (fleet.journal[0]["body"]["scope"], fleet.journal[0]["body"]["audience"]) == ("one two", "command")
    monkeypatch.setenv("KEYFACTOR_AUTH_ACCESS_TOKEN", "left-over")
    assert "Give a new access_token" in run_module(keyfactor_certificate_info, {})["msg"]
    monkeypatch.setenv("KEYFACTOR_CLIENT_TIMEOUT", "0")
    assert "timeout" in run_module(keyfactor_certificate_info, {})["msg"]


@pytest.mark.parametrize("name", ["KEYFACTOR_ADDR", "KEYFACTOR_USER"])
def test_the_names_of_the_older_collection_are_known(fleet, monkeypatch, name):
    ready = fleet.ready["keyfactor"]
    option, value = {"KEYFACTOR_ADDR": ("url", ready["url"]), "KEYFACTOR_USER": ("username", ready["username"])}[name]
    monkeypatch.setenv(name, value)
    assert info(fleet, **{option: ""})["count"] == COUNT


@pytest.mark.parametrize("value, works", [("true", True), ("", False), ("false", False), ("perhaps", False)])
def test_skip_verify_of_the_environment(fleet, monkeypatch, value, works):
    monkeypatch.setenv("KEYFACTOR_SKIP_VERIFY", value)
    result = info(fleet, ca_path="")
    assert result["failed"] != works
    assert any("validate_certs=false" in text for text in result["warnings"]) == works


@pytest.mark.parametrize(
    "options, text",
    [
        ({"url": ""}, "url"),
        ({"username": "", "password": ""}, "no credentials"),
        ({"password": ""}, "username, password"),
        ({"password": "Wrong"}, "credentials are refused"),
        ({"access_token": "c4nary-token"}, "Give a new access_token"),
        ({"client_id": "x"}, "client_secret, token_url"),
        ({"client_id": "x", "client_secret": "c4nary-secret", "token_url": "http://127.0.0.1/token"}, "plain HTTP"),
        ({"url": "http://127.0.0.1"}, "plain HTTP"),
        ({"url": "https://user:c4nary-pass@127.0.0.1"}, "user name or password"),
        ({"url": "https://127.0.0.1:9", "retry_timeout": 0}, "cannot connect"),
        ({"api_path": "Keyfactor/API"}, "Check api_path"),
        ({"api_path": "a b"}, "api_path"),
        ({"collection": "a", "collection_id": 1}, "collection"),
        ({"ca_path": "/nowhere/ca.pem"}, "ca_path"),
        ({"ca_path": ""}, "ca_path"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_a_task_that_cannot_work_says_why(fleet, options, text):
    result = info(fleet, **options)
    assert result["failed"] and text in result["msg"] and result["error"]["message"]
    assert "Traceback" not in result["output"] and not re.search("c4nary-(token|secret|pass)", result["output"])


@pytest.mark.parametrize(
    "action, options",
    [("html", {"status": 200}), ("empty", {}), ("redirect", {}), ("status", {"status": 500}), ("status", {"status": 429}), ("truncate", {"times": 0})],
)
def test_a_bad_day_is_told_in_one_sentence(fleet, action, options):
    fleet.faults.add(action, **{"times": 1, **options})
    result = info(fleet, retry_timeout=0)
    assert result["failed"] and "Traceback" not in result["output"] and "Keyfactor Command" in result["msg"] and "\n" not in result["msg"]


def test_http_statistics_are_told(fleet):
    assert info(fleet)["http"] == {"requests": 1, "retries": 0, "seconds_waited": 0}
    ready = fleet.ready["keyfactor"]
    login = {"username": "", "password": "", "domain": "", **{name: ready[name] for name in ("client_id", "client_secret", "token_url")}}
    assert info(fleet, **login)["http"]["requests"] == 2, "the identity provider is one of them"


def written(word):
    """The ways in which a server may repeat a secret."""
    return {word, urllib.parse.quote(word), urllib.parse.quote(word, safe=""), urllib.parse.quote_plus(word), json.dumps(word)[1:-1]}


def test_secrets_are_in_no_output(fleet, monkeypatch):
    """Nor when the server repeats what it was sent, in any way of writing it."""
    accounts = fleet.keyfactor.accounts
    ready = fleet.ready["keyfactor"]
    secret, token = "s3cret &\"'<\u00fc", "obtained/token+22=="
    monkeypatch.setattr(type(accounts), "issue", lambda self, account, seconds: self._tokens.update({token: (account.identity, 2.0**40)}) or token)
    oauth = {"client_id": ready["client_id"], "client_secret": ready["client_secret"], "token_url": ready["token_url"]}
    logins = [
        ({}, [ready["password"], basic_value("EXAMPLE\\certops", ready["password"])]),
        ({"password": secret}, [secret, basic_value("EXAMPLE\\certops", secret)]),
        ({"access_token": "c4nary-token"}, ["c4nary-token", ready["password"]]),
        (oauth, [ready["client_secret"], token]),
        ({**oauth, "client_secret": secret}, [secret]),
    ]
    for login, known in logins:
        for fault in (None, "status", "html"):
            fleet.faults.clear()
            if fault:
                echo = " ".join(form for word in known for form in written(word))
                fleet.faults.add(fault, status=500, body=f"echo {echo} end", times=0, match={"path": "keyfactorapi"})
            output = info(fleet, retry_timeout=0, **login)["output"]
            assert not [form for word in known for form in written(word) if form in output], (login, fault)
            assert fault is None or "echo" in output or login.get("client_secret") == secret
