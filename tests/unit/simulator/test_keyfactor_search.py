# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command: reads of certificates, the query language, collections."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ansible_collections.certops.remediation.tests.simulator.keyfactor.certificates import matching
from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.keyfactor_client import Command

SERIAL = "5A0000001B7C6B3F2E1D0C0B0A"
LOCATION = {"machine": "lb01", "path": "/Common", "store_type": 5, "store_type_name": "F5", "alias": "www", "store_id": "00000000-0000-4000-8000-00000000000a"}
# Ids 1 to 8.
CERTIFICATES: list[dict[str, Any]] = [
    {"cn": "web.example.com", "dns": ["web.example.com", "alias.example.com"], "metadata": {"Email-Contact": "web@example.com"}, "locations": [LOCATION],
     "requester": "EXAMPLE\\ann", "private_key": True, "owner": "Web",
     "ssl_locations": [{"path": "lb01", "agent_pool": "Default", "ip_address": "192.0.2.1", "port": 443, "network_name": "DMZ"}]},
    {"cn": "twin.example.com", "serial": SERIAL, "ca": "ca01.example.com\\One"},
    {"cn": "twin.example.com", "serial": SERIAL, "issuer": "CN=Two,O=Example Corp"},
    {"cn": "revoked.example.com", "state": 2, "reason": 4, "comment": "Superseded.", "revoked_days_ago": 2},
    {"cn": "hold.example.com", "on_hold": True},
    {"cn": "expired.example.com", "valid_days": -3},
    {"cn": "ejbca.example.com", "ca": "https://ejbca.example.com/ejbca\\Sub", "valid_days": 5},
    {"cn": "denied.example.com", "state": "denied", "subject": "CN=denied.example.com,O=Example\\, Inc."},
]


@pytest.fixture
def command(simulator: Simulator) -> Iterator[Command]:
    simulator.keyfactor.load(CERTIFICATES)
    plain = Command(simulator)
    yield plain
    plain.session.close()


# -- the object --------------------------------------------------------------------------------------------------


def test_a_certificate_is_real(simulator: Simulator, command: Command) -> None:
    shown = command.one(2)
    parsed = x509.load_der_x509_certificate(base64.b64decode(shown["ContentBytes"]))
    assert parsed.fingerprint(hashes.SHA1()).hex().upper() == shown["Thumbprint"] == simulator.keyfactor[2].thumbprint
    assert parsed.serial_number == int(SERIAL, 16)
    assert (shown["SerialNumber"], simulator.keyfactor[2].serial) == (SERIAL, SERIAL)
    assert parsed.issuer.rfc4514_string() == shown["IssuerDN"] == "CN=One,O=Example Corp"
    assert int(simulator.keyfactor[2].not_after) == parsed.not_valid_after_utc.timestamp()
    parsed.verify_directly_issued_by(simulator.authority.issuer("CN=One,O=Example Corp").certificate)


def test_one_label_is_one_key(simulator: Simulator, command: Command) -> None:
    ids = simulator.keyfactor.add([{"cn": "a{n}.example.com", "count": 2, "key": "leaked"}, {"cn": "b{n}.example.com", "count": 2}])
    keys = []
    for number in ids:
        parsed = x509.load_der_x509_certificate(base64.b64decode(command.one(number)["ContentBytes"]))
        keys.append(x509.SubjectKeyIdentifier.from_public_key(parsed.public_key()).digest)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_an_active_certificate_has_no_revocation(command: Command) -> None:
    shown = command.one(1)
    assert (shown["CertState"], shown["CertStateString"]) == (1, "Active (1)")
    assert [shown[name] for name in ("RevocationEffDate", "RevocationReason", "RevocationComment", "PrincipalId")] == [None] * 4
    assert (shown["IssuedDN"], shown["IssuedCN"], shown["RequesterName"]) == ("CN=web.example.com", "web.example.com", "EXAMPLE\\ann")
    assert isinstance(shown["DetailedKeyUsage"], dict)
    for name in ("ImportDate", "NotBefore", "NotAfter"):
        datetime.fromisoformat(shown[name].replace("Z", "+00:00"))
    assert shown["NotAfter"].count(".") == 0
    assert shown["ImportDate"].endswith(".773Z")


def test_what_was_not_asked_for_is_empty(command: Command) -> None:
    shown = command.one(1)
    assert (shown["Locations"], shown["SSLLocations"], shown["Metadata"], shown["HasPrivateKey"]) == ([], [], {}, False)
    shown = command.one(1, includeLocations="true", includeMetadata="True", includeHasPrivateKey="true")
    assert shown["Locations"] == [
        {"StoreMachine": "lb01", "StorePath": "/Common", "StoreType": 5, "Alias": "www", "ChainLevel": 0, "CertStoreId": LOCATION["store_id"]}
    ]
    assert shown["LocationsCount"] == [{"Type": "F5", "Count": 1}]
    assert shown["SSLLocations"] == [{"StorePath": "lb01", "AgentPool": "Default", "IPAddress": "192.0.2.1", "Port": 443, "NetworkName": "DMZ"}]
    assert shown["Metadata"] == {"Email-Contact": "web@example.com"}
    assert shown["HasPrivateKey"] is True


def test_revoked_held_and_odd_states(command: Command) -> None:
    shown = command.one(4)
    assert (shown["CertState"], shown["CertStateString"], shown["RevocationReason"], shown["RevocationComment"]) == (2, "Revoked (2)", 4, "Superseded.")
    assert datetime.fromisoformat(shown["RevocationEffDate"].replace("Z", "+00:00")) < datetime.now(timezone.utc)
    assert (command.one(5)["CertState"], command.one(5)["RevocationReason"]) == (2, 6)
    assert (command.one(8)["CertState"], command.one(8)["IssuedDN"]) == (3, "CN=denied.example.com,O=Example\\, Inc.")


def test_record_numbers_by_kind_of_authority(command: Command) -> None:
    microsoft, ejbca = command.one(2), command.one(7)
    assert (microsoft["CertRequestId"], microsoft["CARowIndex"], microsoft["CARecordId"]) == (1002, 2, "2")
    assert (ejbca["CertRequestId"], ejbca["CARowIndex"], ejbca["CARecordId"]) == (None, None, ejbca["SerialNumber"])
    assert microsoft["CertificateAuthorityName"] == "ca01.example.com\\One"
    assert len({command.one(number)["CertificateAuthorityId"] for number in (1, 2, 3, 7)}) == 4


@pytest.mark.parametrize(
    ("version", "there", "gone"),
    [("25.4.1", "IsCACertificate", "CertificateKeyId"), ("12.1", "Curve", "IsCACertificate"), ("10.4", "CertificateKeyId", "IsCACertificate")],
)
def test_members_by_version(simulator: Simulator, command: Command, version: str, there: str, gone: str) -> None:
    simulator.configure({"keyfactor": {"version": version}})
    shown = command.one(1)
    assert there in shown
    assert gone not in shown


def test_the_state_can_be_a_word_alone(simulator: Simulator, command: Command) -> None:
    simulator.configure({"keyfactor": {"state_string_style": "word"}})
    assert command.one(4)["CertStateString"] == "Revoked"


def test_names_can_be_in_camel_case(simulator: Simulator, command: Command) -> None:
    simulator.configure({"keyfactor": {"response_key_case": "camel"}})
    shown = command.one(1, includeMetadata="true", includeLocations="true")
    assert {"id", "issuedDN", "caRowIndex", "crlDistributionPoints", "sslLocations", "certState"} <= set(shown)
    assert shown["sslLocations"][0]["ipAddress"] == "192.0.2.1"
    assert shown["metadata"] == {"Email-Contact": "web@example.com"}
    assert command.get("/Certificates/99").json()["message"].startswith("Unable")


def test_an_unknown_id(command: Command) -> None:
    answer = command.get("/Certificates/999999999")
    assert (answer.status_code, answer.json()["Message"]) == (404, "Unable to find 'Certificate' with Id '999999999'")
    assert b"\\u0027999999999\\u0027" in answer.content
    assert command.get("/Certificates/99/History").status_code == command.get("/Certificates/Locations/99").status_code == 404


# -- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["pq.", "", "PQ."])
@pytest.mark.parametrize(
    ("revoked", "expired", "wanted"),
    [("", "", [1, 2, 3, 7, 8]), ("true", "false", [1, 2, 3, 4, 5, 7, 8]), ("", "True", [1, 2, 3, 6, 7, 8]), ("1", "1", [1, 2, 3, 4, 5, 6, 7, 8])],
)
def test_revoked_and_expired_are_left_out(command: Command, prefix: str, revoked: str, expired: str, wanted: list[int]) -> None:
    answer = command.get("/Certificates", **{f"{prefix}includeRevoked": revoked, f"{prefix}IncludeExpired": expired})
    assert [item["Id"] for item in answer.json()] == wanted
    assert answer.headers["X-Total-Count"] == str(len(wanted))


def test_a_query_for_revoked_ones_finds_none_without_the_flag(command: Command) -> None:
    assert command.get("/Certificates", **{"pq.queryString": "CertState -eq 2"}).json() == []
    assert command.listed("CertState -eq 2") == [4, 5]


def test_paging_and_sorting(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{"cn": "host-{n:03}.example.com", "count": 120}])
    assert len(command.get("/Certificates").json()) == 50
    third = command.get("/Certificates", **{"pq.pageReturned": 3, "pq.returnLimit": 50, "pq.sortField": "CertId", "pq.sortAscending": 0})
    assert [item["Id"] for item in third.json()] == list(range(101, 121))
    assert third.headers["X-Total-Count"] == "120"
    assert command.get("/Certificates", PageReturned=4).json() == []
    last = command.get("/Certificates", SortField="IssuedCN", SortAscending=1, ReturnLimit=1)
    assert [item["Id"] for item in last.json()] == [120]
    simulator.configure({"keyfactor": {"max_return_limit": 20}})
    assert len(command.get("/Certificates", ReturnLimit=100).json()) == 20


def test_the_values_that_are_not_there_sort_first(command: Command) -> None:
    answer = command.get("/Certificates", IncludeRevoked="true", IncludeExpired="true", SortField="RevocationEffDate", ReturnLimit=100)
    assert [item["Id"] for item in answer.json()][-2:] == [4, 5]


@pytest.mark.parametrize(("field", "message"), [("Id", "Invalid sort field: Id."), ("Nonsense", "Invalid sort field: Nonsense.")])
def test_bad_sort_fields(command: Command, field: str, message: str) -> None:
    answer = command.get("/Certificates", SortField=field)
    assert (answer.status_code, answer.json()["Message"]) == (400, message)


@pytest.mark.parametrize(
    ("version", "names", "prefixed", "bare"),
    [("25.4.1", "both", 1, 1), ("10.4", "both", 1, 8), ("25.4.1", "prefixed", 1, 8), ("25.4.1", "bare", 8, 1)],
)
def test_names_with_and_without_prefix(simulator: Simulator, command: Command, version: str, names: str, prefixed: int, bare: int) -> None:
    simulator.configure({"keyfactor": {"version": version, "list_query_names": names}})
    common = {f"{prefix}{name}": "true" for prefix in ("pq.", "") for name in ("includeRevoked", "includeExpired")}
    assert len(command.get("/Certificates", **common, **{"pq.queryString": "CertId -eq 1"}).json()) == prefixed
    assert len(command.get("/Certificates", **common, QueryString="CertId -eq 1").json()) == bare


def test_both_styles_in_one_call(command: Command) -> None:
    answer = command.get("/Certificates", **{"pq.queryString": 'CN -contains "example"', "ReturnLimit": 2})
    assert [item["Id"] for item in answer.json()] == [1, 2]


def test_a_page_that_is_no_number(command: Command) -> None:
    assert command.get("/Certificates", ReturnLimit="many").status_code == 400


# -- the query language ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7, 8]),
        ('IssuedCN -eq "web.example.com"', [1]),
        ('issuedcn -EQ "WEB.example.com"', [1]),
        ('CN -ne "twin.example.com"', [1, 4, 5, 6, 7, 8]),
        ('CN -contains "e"', [1, 2, 3, 4, 5, 6, 7, 8]),
        ('CN -notcontains "example"', []),
        ('CN -startswith "twin"', [2, 3]),
        ('CN -endswith "d.example.com"', [4, 5, 6, 8]),
        ('CN -ge "w"', [1]),
        (f'SerialNumber -eq "{SERIAL.lower()}"', [2, 3]),
        (f'SerialNumber -eq "{SERIAL}" AND IssuerDN -contains "Two"', [3]),
        ('CA -eq "ca01.example.com\\One"', [2]),
        ('IssuedDN -contains "Inc."', [8]),
        ("CertState -eq 2", [4, 5]),
        ('CertState -eq "2"', [4, 5]),
        ("CertState -ne 1 AND CertState -lt 3", [4, 5]),
        ("CertState -gt 1 and CertState -le 2", [4, 5]),
        ("CertState -ge 3", [8]),
        ("RevocationReason -eq 6", [5]),
        ("RevocationReason -eq NULL", [1, 2, 3, 6, 7, 8]),
        ("RevocationReason -ne null", [4, 5]),
        ('RevocationComment -eq "Superseded."', [4]),
        ('RevocationEffDate -ge "%TODAY-1%"', [5]),
        ('RevocationEffDate -eq "%TODAY-2%"', [4]),
        ("OwnerRoleName -eq NULL AND CertId -le 2", [2]),
        ('OwnerRoleName -eq "Web"', [1]),
        ('ExpirationDate -lt "%TODAY%"', [6]),
        ('ExpirationDate -ge "%TODAY%" AND ExpirationDate -le "%TODAY+7%"', [7]),
        ('NotAfter -gt "2100-01-01T00:00:00Z"', []),
        ('NotAfter -gt "2020-01-01"', [1, 2, 3, 4, 5, 6, 7, 8]),
        ('CertRequestId -eq 1002', [2]),
        ("CertRequestId -eq NULL", [7]),
        ("CertId -eq 3", [3]),
        ('Id -eq "3" OR CertId -eq 99', [3]),
        ("CertId -gt 6", [7, 8]),
        ('CertStoreType -eq "F5"', [1]),
        ("CertStoreType -eq 5", [1]),
        ("CertStoreType -eq NULL AND CertId -lt 3", [2]),
        ('SAN -eq "alias.example.com"', [1]),
        ('SAN -notcontains "example"', []),
        ("HasPrivateKey -eq true", [1]),
        ('Email-Contact -eq "web@example.com"', [1]),
        ('RequesterName -contains "ann"', [1]),
        ('CertId -eq 1 OR CertId -eq 2 AND CN -eq "nothing"', [1]),
        ('(CertId -eq 1 OR CertId -eq 2) AND CN -startswith "twin"', [2]),
        ('((CertId -eq 1) OR ((CN -startswith "tw")))', [1, 2, 3]),
        ('(CertId -eq 1)OR(CertId -eq 2)', [1, 2]),
    ],
)
def test_queries(command: Command, query: str, wanted: list[int]) -> None:
    assert command.listed(query) == wanted


def test_lookups_by_thumbprint(simulator: Simulator, command: Command) -> None:
    thumbprints = [simulator.keyfactor[number].thumbprint for number in (3, 5)]
    assert command.listed(f'Thumbprint -eq "{thumbprints[0].lower()}"') == [3]
    assert command.listed(" OR ".join(f'Thumbprint -eq "{item}"' for item in thumbprints)) == [3, 5]
    assert command.listed(f'Thumbprint -startswith "{thumbprints[0][:20]}"') == [3]
    assert command.listed(f'Thumbprint -eq "{"0" * 40}"') == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("CertState -eq Revoked", "Invalid CertState value: Revoked."),
        ('Nonsense -eq "x"', "Invalid query field: Nonsense."),
        ('CN -like "x"', "Invalid query operator: -like."),
        ("CertState -contains 1", "Invalid query operator: -contains for CertState."),
        ('ExpirationDate -gt "soon"', "Invalid ExpirationDate value: soon."),
        ("HasPrivateKey -eq perhaps", "Invalid HasPrivateKey value: perhaps."),
        ("CN -eq", "Invalid query: the value of CN is missing."),
        ("CN", "Invalid query: the operator after CN is missing."),
        ('"CN" -eq "x"', "Invalid query: a field is missing."),
        ('(CN -eq "x"', "Invalid query: a parenthesis is not closed."),
        ('CN -eq "x" AND', "Invalid query: a field is missing."),
        ('CN -eq "x" CN -eq "y"', "Invalid query: unexpected CN."),
        ('CN -eq "x', "Invalid query: a quote is not closed."),
        ("(" * 2000, "Invalid query: too deep."),
    ],
)
def test_bad_queries(command: Command, query: str, message: str) -> None:
    answer = command.get("/Certificates", **{"pq.queryString": query})
    assert (answer.status_code, answer.json()["Message"]) == (400, message)
    assert answer.json()["ErrorCode"].startswith("0x")


def test_a_long_query_is_quick_and_can_be_too_long(simulator: Simulator, command: Command) -> None:
    ids = simulator.keyfactor.load([{"cn": "host-{n}.example.com", "count": 1000}])
    wanted = ids[::25]
    query = " OR ".join(f'Thumbprint -eq "{simulator.keyfactor[number].thumbprint}"' for number in wanted)
    assert command.listed(query) == wanted
    compared = 0
    fields = simulator.keyfactor.fields()
    read = fields["thumbprint"].value

    def counting(item: Any) -> Any:
        nonlocal compared
        compared += 1
        return read(item)

    fields["thumbprint"] = replace(fields["thumbprint"], value=counting)
    assert [item.id for item in matching(simulator.keyfactor, query, fields)] == wanted
    assert compared <= len(wanted) ** 2
    simulator.configure({"keyfactor": {"max_query_length": 2048}})
    answer = command.get("/Certificates", **{"pq.queryString": query})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html")
    assert "404.15" in answer.text


# -- history, locations, collections -----------------------------------------------------------------------------


def test_history_tells_of_revocations(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{"cn": "a", "history": [{"action": "Metadata Updated", "days_ago": 1, "user": "EXAMPLE\\ann", "comment": "Owner"}]}])
    command.revoke(1, reason=6)
    command.revoke(1, reason=-1)
    command.revoke(1, reason=1, Comment="INC-2")
    entries = command.get("/Certificates/1/History").json()
    assert [item["Action"] for item in entries] == ["Issued", "Metadata Updated", "Placed on Hold", "Removed from Hold", "Revoked"]
    assert set(entries[0]) == {"Id", "OperationStart", "OperationEnd", "Username", "Comment", "Action"}
    assert (entries[-1]["Username"], entries[-1]["Comment"]) == ("EXAMPLE\\certops", "INC-2")
    newest = command.get("/Certificates/1/History", **{"query.sortAscending": 1, "query.returnLimit": 1}).json()
    assert newest == entries[-1:]
    simulator.configure({"keyfactor": {"history_actions": {"revoke": "Revocation"}}})
    simulator.keyfactor.load([{"cn": "a"}])
    command.revoke(1)
    assert command.get("/Certificates/1/History").json()[-1]["Action"] == "Revocation"


def test_locations(command: Command) -> None:
    place = {
        "StoreId": LOCATION["store_id"], "StoreTypeId": 5, "ClientMachine": "lb01", "StorePath": "/Common", "AgentPool": None, "Alias": "www",
        "IPAddress": None, "Port": None, "NetworkName": None,
    }
    assert command.get("/Certificates/Locations/1").json() == {"Details": [{"StoreType": "F5", "StoreTypeId": 5, "StoreCount": 1, "Locations": [place]}]}
    assert command.get("/Certificates/Locations/2").json() == {"Details": []}


def test_collections(simulator: Simulator, command: Command) -> None:
    collections = [{"name": "Twins", "content": 'CN -startswith "twin"', "description": "Two"}, {"id": 7, "name": "All", "content": ""}]
    simulator.reset({"keyfactor": {"collections": collections, "certificates": CERTIFICATES}})
    listed = command.get("/CertificateCollections")
    assert [(item["Id"], item["Name"], item["EstimatedCertCount"]) for item in listed.json()] == [(1, "Twins", 2), (7, "All", 8)]
    assert listed.headers["X-Total-Count"] == "2"
    assert command.get("/CertificateCollections", **{"pq.queryString": 'Name -eq "all"'}).json()[0]["Id"] == 7
    assert command.get("/CertificateCollections/7").json()["Name"] == "All"
    assert command.get("/CertificateCollections/twins").json()["Content"] == 'CN -startswith "twin"'
    answer = command.get("/CertificateCollections/Nonsense")
    assert (answer.status_code, "does not exist" in answer.json()["Message"]) == (404, True)
    simulator.configure({"keyfactor": {"version": "11.3"}})
    assert "EstimatedCertCount" not in command.get("/CertificateCollections/1").json()


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"nonsense": 1}, "unknown in a certificate entry: nonsense"),
        ({"locations": [{"nonsense": 1}]}, "unknown in a location: nonsense"),
        ({"ssl_locations": [{"nonsense": 1}]}, "unknown in an SSL location: nonsense"),
        ({"id": 1}, "certificate 1 exists already"),
    ],
)
def test_mistakes_in_entries_are_explained(simulator: Simulator, command: Command, entry: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        simulator.keyfactor.add([entry])


def test_ids_come_back_in_order(simulator: Simulator) -> None:
    assert simulator.keyfactor.load([{"id": 100}, {"cn": "b{n}", "count": 2}, {"id": 50}, {}]) == [100, 101, 102, 50, 103]
    assert simulator.keyfactor[101].cn == "b1"
    assert simulator.keyfactor[103].cn == "host-103.example.com"
    assert simulator.keyfactor.load([{}]) == [1]


def test_the_sha1_is_the_one_of_the_content(simulator: Simulator) -> None:
    certificate = simulator.keyfactor[simulator.keyfactor.load([{"cn": "München"}])[0]]
    assert hashlib.sha1(base64.b64decode(certificate.content)).hexdigest().upper() == certificate.thumbprint
