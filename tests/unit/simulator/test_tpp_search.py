# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificate list: filters, paging, counts."""

from __future__ import annotations

import pytest

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.plain_client import Client

HOME = "%5CVED%5CPolicy%5CCertificates"
CERTIFICATES = [
    {"name": "clean", "folder": "A", "contact": ["local:{1}"], "created_by": "x", "age_days": 10, "valid_days": 20},
    {"name": "error500", "folder": "A", "in_error": True, "stage": 500, "status": "Post CSR failed.", "disabled": True},
    {"name": "error700", "folder": "A\\B", "in_error": True, "stage": 700, "status": "x", "approver": ["local:{2}"], "key_kind": "RSA2048"},
    {"name": "busy800", "folder": "A\\B", "stage": 800, "status": "Install Certificate", "management_type": "Provisioning"},
    {"name": "waiting", "folder": "Ab", "in_flight": True, "renewal": {"workflow": True, "queued": 0, "seconds": 0}, "validation": "Failure"},
    {"name": "Comma, Inc.", "folder": "C", "sans": {"DNS": ["c.example.com", "d.example.com"], "Email": ["c@example.com"]}, "management_type": "Monitoring"},
]


@pytest.fixture
def loaded(simulator: Simulator) -> Simulator:
    simulator.tpp.load(CERTIFICATES)
    return simulator


def found(client: Client, query: str) -> set[str]:
    answer = client.get(f"/vedsdk/certificates/?{query}").json()
    return {item["Name"] for item in answer["Certificates"]}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("InError=1", {"error500", "error700"}),
        ("inerror", {"error500", "error700"}),
        ("InError=", {"error500", "error700"}),
        ("InError=0", {"clean", "busy800", "waiting", "Comma, Inc."}),
        ("Disabled", {"error500"}),
        ("disabled=0&inerror=1", {"error700"}),
        ("Stage=500,800", {"error500", "busy800", "waiting"}),
        ("Stage=500&stage=700", {"error500", "error700", "waiting"}),
        ("StageGreater=500", {"error700", "busy800"}),
        ("StageLess=700", {"error500", "waiting"}),
        ("StageGreater=500&StageLess=800", {"error700"}),
        ("PendingWorkflow", {"waiting"}),
        ("ManagementType=provisioning,monitoring", {"busy800", "Comma, Inc."}),
        (f"ParentDn={HOME}%5CA", {"clean", "error500"}),
        (f"ParentDNRecursive={HOME}%5Ca", {"clean", "error500", "error700", "busy800"}),
        (f"ParentDnRecursive={HOME}%5CA%5CB&ParentDnRecursive={HOME}%5CC", {"error700", "busy800", "Comma, Inc."}),
        ("Name=CLEAN", {"clean"}),
        ("Name=%22comma,%20inc.%22,clean", {"clean", "Comma, Inc."}),
        ("Name=Comma,%20Inc.", set()),
        ("CN=busy800", {"busy800"}),
        ("SAN-DNS=D.example.com", {"Comma, Inc."}),
        ("san-email=c@example.com", {"Comma, Inc."}),
        ("Contact=local:%7B1%7D", {"clean"}),
        ("Approver=local:%7B2%7D", {"error700"}),
        ("ValidationState=failure", {"waiting"}),
        ("CertificateType=%22X509%20Server%20Certificate%22&Name=clean", {"clean"}),
        ("PkixParameterSet=1.3.6.1.4.1.28783.10.1.1.2048", {"error700"}),
        ("KeySize=2048", {"error700"}),
        ("Thumbprint=00", set()),
        ("Issuer=%22CN=Example%20Corp%20Issuing%20CA%201,OU=PKI,O=Example%20Corp,C=US%22&Name=clean", {"clean"}),
    ],
)
def test_filters(loaded: Simulator, client: Client, query: str, names: set[str]) -> None:
    assert found(client, query) == names


def test_filters_by_thumbprint_and_serial(loaded: Simulator, client: Client) -> None:
    facts = loaded.tpp.facts("\\VED\\Policy\\Certificates\\A\\clean")
    assert found(client, f"thumbprint={facts['Thumbprint'].lower()}") == {"clean"}
    assert found(client, f"SERIAL={facts['Serial']}") == {"clean"}


@pytest.mark.parametrize(("days", "less", "greater"), [(9, set(), {"clean"}), (11, {"clean"}, set())])
def test_filters_by_date(loaded: Simulator, client: Client, days: int, less: set[str], greater: set[str]) -> None:
    from ansible_collections.certops.remediation.tests.simulator.clock import iso

    moment = iso(loaded.clock.now() + days * 86400)
    assert found(client, f"ValidToLess={moment}&Name=clean") == less
    assert found(client, f"ValidToGreater={moment[:10]}&Name=clean") == greater
    assert found(client, f"CreatedOnLess={moment}&Name=clean") == {"clean"}


@pytest.mark.parametrize("query", ["Nonsense=1", "Stage=x", "InError=maybe", "ValidToLess=soon", "Limit=x", "Offset=-1"])
def test_a_bad_filter(loaded: Simulator, client: Client, query: str) -> None:
    answer = client.get(f"/vedsdk/certificates/?{query}")
    assert answer.status_code == 400
    assert answer.json()["ErrorDetails"].startswith("Failed to load certificate list due to a query error, please check the query parameters")
    assert f"The query parameter {query.partition('=')[0].lower()} did not match any known query possibilities" in answer.json()["ErrorDetails"]


def test_paging(loaded: Simulator, client: Client) -> None:
    loaded.tpp.load([{"name": "n-{n:04}", "count": 250}])
    first = client.get("/vedsdk/certificates").json()
    assert (len(first["Certificates"]), first["TotalCount"], first["DataRange"]) == (100, 250, "Certificates 1 - 100")
    names, answer = [], first
    for dummy in range(3):
        names += [item["Name"] for item in answer["Certificates"]]
        links = {name: link for item in answer["_links"] for name, link in item.items()}
        answer = client.get(links.get("Next", "/vedsdk/certificates?limit=0")).json()
    assert names == [f"n-{number:04}" for number in range(1, 251)]
    assert set(links) == {"Previous"}
    assert client.get("/vedsdk/certificates/?Limit=1000&Offset=240").json()["DataRange"] == "Certificates 241 - 250"
    loaded.configure({"tpp": {"list_max_limit": 50}})
    assert len(client.get("/vedsdk/certificates/?Limit=1000").json()["Certificates"]) == 50


def test_head_counts(loaded: Simulator, client: Client) -> None:
    answer = client.session.head(f"{client.url}/vedsdk/certificates/?InError=1", timeout=10)
    assert (answer.headers["X-Record-Count"], answer.content) == ("2", b"")
    assert client.get("/vedsdk/certificates/?InError=1").headers["X-Record-Count"] == "2"


def test_entries_follow_a_renewal(loaded: Simulator, client: Client) -> None:
    entry = client.get("/vedsdk/certificates/?Name=clean").json()["Certificates"][0]
    client.post("/vedsdk/Certificates/Renew", {"CertificateDN": entry["DN"]})
    loaded.clock.advance(60)
    renewed = client.get("/vedsdk/certificates/?Name=clean&OptionalFields=KeySize,Issuer").json()["Certificates"][0]
    assert renewed["X509"]["Thumbprint"] != entry["X509"]["Thumbprint"]
    assert (renewed["X509"]["KeySize"], "Issuer" in renewed["X509"]) == (256, True)


def test_invisible_certificates_are_not_listed(loaded: Simulator, client: Client) -> None:
    loaded.tpp.load([{"name": "seen"}, {"name": "hidden", "rights": {"certops": []}}, {"name": "others", "rights": {"*": []}}])
    assert found(client, "") == {"seen"}
