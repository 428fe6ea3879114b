# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command: requests as clients in use write them, byte for byte, for clients that are not to be had from the Python package index."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.keyfactor_client import Command, NoAuth


class Wire:
    """Sends exactly the headers and the body given; whatever ``requests`` would add by itself is left out where it can be."""

    def __init__(self, simulator: Simulator) -> None:
        command = Command(simulator)
        ready = command.ready
        self.url = ready["url"]
        self.basic = "Basic " + base64.b64encode(f"{ready['domain']}\\{ready['username']}:{ready['password']}".encode()).decode()
        self.bearer = "Bearer " + command.token().json()["access_token"]
        self.session = command.session
        self.session.auth = NoAuth()
        self.session.headers.clear()

    def send(self, method: str, target: str, headers: dict[str, str], body: str | None = None) -> requests.Response:
        request = requests.Request(method, self.url + "/", headers={"Authorization": self.basic, **headers}, data=body)
        prepared = self.session.prepare_request(request)
        prepared.url = self.url + target
        return self.session.send(prepared, timeout=10)


@pytest.fixture
def wire(simulator: Simulator) -> Iterator[Wire]:
    simulator.keyfactor.load([{"cn": "web 1.example.com"}, {"cn": "b.example.com"}])
    wire = Wire(simulator)
    simulator.records.clear()
    yield wire
    wire.session.close()


GO = {"Accept": "application/json", "Content-Type": "application/json", "X-Keyfactor-Api-Version": "1", "X-Keyfactor-Requested-With": "APIClient"}


def test_the_go_client_reads_with_a_body_of_null(wire: Wire) -> None:
    assert wire.send("GET", "/KeyfactorAPI/Status/Endpoints", GO, "null").status_code == 200
    query = "pq.queryString=IssuedCN%20-eq%20%22web%201.example.com%22"
    answer = wire.send("GET", f"/KeyfactorAPI/Certificates?includeMetadata=true&{query}", GO, "null")
    assert [item["Id"] for item in answer.json()] == [1]
    assert wire.send("GET", "/KeyfactorAPI/Certificates/1?includeLocations=true&includeHasPrivateKey=true&collectionId=0", GO, "null").json()["Id"] == 1


def test_the_go_client_repeats_without_its_headers(simulator: Simulator, wire: Wire) -> None:
    body = '{"CertificateIds":[1],"Reason":5,"Comment":"Terraform destroy called on provider","EffectiveDate":"2026-03-07T03:08:27Z"}'
    assert wire.send("POST", "/KeyfactorAPI/Certificates/Revoke", {}, body).json() == {"RevokedIds": [1], "SuspendedCerts": []}
    assert simulator.keyfactor[1].revocation_reason == 5


def test_the_old_go_client_wants_204(simulator: Simulator, wire: Wire) -> None:
    simulator.configure({"keyfactor": {"version": "9"}})
    answer = wire.send("POST", "/KeyfactorAPI/Certificates/Revoke", GO, '{"CertificateIds":[1],"Reason":0,"Comment":"x","CollectionId":0}')
    assert (answer.status_code, answer.content) == (204, b"")


def test_the_go_sdk_writes_blanks_as_plus(wire: Wire) -> None:
    headers = {"x-keyfactor-requested-with": "APIClient", "x-keyfactor-api-version": "1.0", "User-Agent": "OpenAPI-Generator/1.0.0/go"}
    query = "QueryString=IssuedCN+-eq+%22web+1.example.com%22&ReturnLimit=100&PageReturned=1&SortField=CertId&SortAscending=0"
    assert [item["Id"] for item in wire.send("GET", f"/KeyfactorAPI/Certificates?{query}", headers).json()] == [1]


def test_the_vault_plugin_closes_its_object_too_early(simulator: Simulator, wire: Wire) -> None:
    headers = {"x-keyfactor-requested-with": "APIClient", "content-type": "application/json"}
    query = "pq.queryString=SerialNumber%20-eq%20%22" + simulator.keyfactor[2].serial + "%22&ReturnLimit=10"
    assert [item["Id"] for item in wire.send("GET", f"/KeyfactorAPI/Certificates?{query}", headers).json()] == [2]
    body = (
        '{"CertificateIds": [ 2 ], "Reason": 0, "Comment": "Revoked by the CA plugin", "EffectiveDate": "2026-11-22T08:00:00+01:00"},'
        '"CollectionId": 0 }'
    )
    assert wire.send("POST", "/KeyfactorAPI/Certificates/Revoke", headers, body).status_code == 200
    assert simulator.records.effects("2") == ["revoke"]
    assert simulator.journal[-1]["body"]["CertificateIds"] == [2]


def test_the_old_vault_plugin_prints_a_date_of_go(simulator: Simulator, wire: Wire) -> None:
    body = '{"CertificateIds": [2], "Reason": 0, "Comment": "x", "EffectiveDate": "2021-01-01 00:00:00.000 +0000 UTC"},"CollectionId": 0 }'
    assert wire.send("POST", "/KeyfactorAPI/Certificates/Revoke", {"content-type": "application/json"}, body).status_code == 400
    assert simulator.keyfactor[2].state == 1


def test_a_generated_client_of_11_writes_camel_case(simulator: Simulator, wire: Wire) -> None:
    body = {"certificateIds": [1], "reason": 4, "comment": "x", "effectiveDate": "2026-11-22T05:00:00.123456Z", "collectionId": 0}
    headers = {"Content-Type": "application/json-patch+json", "x-keyfactor-requested-with": "APIClient"}
    assert wire.send("POST", "/KeyfactorAPI/Certificates/Revoke", headers, json.dumps(body)).json()["RevokedIds"] == [1]
    assert simulator.keyfactor[1].revocation_reason == 4


def test_a_script_sends_its_reason_as_a_string(simulator: Simulator, wire: Wire) -> None:
    body = {"CertificateIds": [1], "Reason": "5", "Comment": "-", "EffectiveDate": "2026-01-02T03:04:05.123Z"}
    headers = {"Content-Type": "application/json", "x-keyfactor-requested-with": "APIClient", "x-keyfactor-api-version": "1"}
    assert wire.send("POST", "/KeyfactorApi/Certificates/Revoke", headers, json.dumps(body)).status_code == 200
    assert (simulator.keyfactor[1].revocation_reason, simulator.keyfactor[1].revocation_comment) == (5, "-")


def test_a_portal_names_the_collection_in_the_query(simulator: Simulator, wire: Wire) -> None:
    headers = {"Authorization": wire.bearer, "Content-Type": "application/json"}
    query = "pq.queryString=CertState%20-eq%201&pq.includeRevoked=true&pq.pageReturned=1&pq.returnLimit=100&verbose=2"
    assert len(wire.send("GET", f"/KeyfactorAPI/Certificates?{query}", headers).json()) == 2
    answer = wire.send("POST", "/KeyfactorAPI/Certificates/Revoke?collectionId=1", headers, '{"CertificateIds": [1], "Reason": 9, "Comment": "x"}')
    assert answer.status_code == 400
    answer = wire.send("POST", "/KeyfactorAPI/Certificates/Revoke?collectionId=1", headers, '{"CertificateIds": [1], "Reason": 4, "Comment": "x"}')
    assert answer.status_code == 200


def test_powershell_sends_true_with_a_capital(simulator: Simulator, wire: Wire) -> None:
    simulator.keyfactor.change(2, {"state": 2, "revocation_reason": 1})
    headers = {"X-Keyfactor-Requested-With": "XMLHttpRequest", "x-keyfactor-api-version": "1.0"}
    target = "/KeyfactorAPI/Certificates?pq.includeRevoked=True&pq.includeExpired=True&pq.pageReturned=1&pq.returnLimit=500"
    answer = wire.send("GET", target, headers)
    assert (len(answer.json()), answer.headers["x-total-count"]) == (2, "2")
