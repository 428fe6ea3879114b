# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients of the vendors against the simulator; skipped where they are not installed.

Written with vcert 0.22.1, pyvenafi 1.1.0 and keyfactor-v-1-client 1.0.3.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

FOLDER = "\\VED\\Policy\\Certificates\\Enrolment"
HOME = "\\VED\\Policy\\Certificates"
FAST = {"renewal": {"queued": 0, "seconds": 0}}


@pytest.fixture
def fast(simulator: Simulator) -> Simulator:
    """Renewals are done at once."""
    simulator.reset({"tpp": {"folders": [FOLDER], "certificate_defaults": FAST}})
    simulator.tpp.add([{"name": "stuck.example.com", "in_error": True, "stage": 500, "status": "Post CSR failed."}, {"name": "fine.example.com"}])
    return simulator


def vcert_connection(simulator: Simulator) -> Any:
    vcert = pytest.importorskip("vcert")
    ready = simulator.ready
    connection = vcert.TPPTokenConnection(
        url=ready["url"], user=ready["tpp"]["username"], password=ready["tpp"]["password"], http_request_kwargs={"verify": ready["ca_path"]}
    )
    connection.get_access_token(vcert.Authentication(user=ready["tpp"]["username"], password=ready["tpp"]["password"], client_id="vcert-sdk",
                                                     scope="certificate:manage,revoke;configuration:manage"))
    return connection


@pytest.mark.parametrize("origin", ["local", "service"])
def test_vcert_enrols_renews_and_revokes(fast: Simulator, origin: str) -> None:
    vcert = pytest.importorskip("vcert")
    connection = vcert_connection(fast)
    request = vcert.CertificateRequest(common_name="new.example.com", san_dns=["new.example.com"], csr_origin=origin)
    if origin == "service":
        request.key_password = "ForTheTransferOnly1"
        request.include_private_key = True
    assert connection.request_cert(request, "Certificates\\Enrolment")
    first = connection.retrieve_cert(request)
    assert "PRIVATE KEY" in first.key
    assert len(first.chain) == 2
    parsed = x509.load_pem_x509_certificate(first.cert.encode())
    assert parsed.subject.rfc4514_string() == "CN=new.example.com"

    # With a new local key vcert 0.22.1 cannot renew a certificate that an ECDSA CA has signed: it sets key_type to a tuple and refuses it.
    renewal = vcert.CertificateRequest(cert_id=request.id, csr_origin="service", include_private_key=True, key_password="ForTheTransferOnly1")
    if origin == "local":
        renewal = vcert.CertificateRequest(cert_id=request.id, csr_origin="provided", csr=request.csr)
    assert connection.renew_cert(renewal)
    second = connection.retrieve_cert(renewal)
    assert x509.load_pem_x509_certificate(second.cert.encode()).serial_number != parsed.serial_number

    answer = connection.revoke_cert(vcert.RevocationRequest(req_id=request.id))
    assert answer["Success"] and answer["Requested"]
    assert fast.tpp[request.id].revocation == "revoked"


def test_vcert_refreshes_searches_and_revokes_its_token(fast: Simulator) -> None:
    pytest.importorskip("vcert")
    connection = vcert_connection(fast)
    before = connection._auth.access_token
    connection.refresh_access_token()
    token = connection._auth.access_token
    assert token != before
    thumbprint = x509_thumbprint(fast, f"{HOME}\\fine.example.com")
    assert connection.search_by_thumbprint(thumbprint) == f"{HOME}\\fine.example.com"
    connection.revoke_access_token()
    assert fast.tpp.grants.find(token) is None


def x509_thumbprint(simulator: Simulator, dn: str) -> str:
    return str(simulator.tpp.facts(dn)["Thumbprint"])


def pyvenafi_session(simulator: Simulator) -> tuple[Any, Any]:
    tpp = pytest.importorskip("pyvenafi.tpp")
    ready = simulator.ready
    api = tpp.Authenticate(
        host=ready["url"].removeprefix("https://"), username=ready["tpp"]["username"], password=ready["tpp"]["password"],
        application_id="pyvenafi", scope="certificate:manage,revoke;configuration:manage", verify_ssl=ready["ca_path"],
    )
    return api, tpp.Features(api)


def test_pyvenafi_resets_and_retries(fast: Simulator) -> None:
    api, features = pyvenafi_session(fast)
    dn = f"{HOME}\\stuck.example.com"
    features.certificate.reset(dn)
    assert not fast.tpp[dn].in_error
    with pytest.raises(Exception, match="No reset is required"):
        features.certificate.reset(dn)
    fast.tpp.change(dn, {"in_error": True, "stage": 500, "status": "Post CSR failed."})
    features.certificate.retry_from_current_stage(dn)
    assert not fast.tpp[dn].in_error
    fast.tpp.change(dn, {"in_error": True, "stage": 500, "status": "Post CSR failed."})
    features.certificate.retry_from_stage_0(dn)
    assert fast.records.effects(dn) == ["reset", "retry", "reset+restart"]
    assert str(api.websdk.SystemStatus.Version.get().version) == fast.tpp.switches.version


def test_pyvenafi_lists_reads_renews_downloads_and_revokes(fast: Simulator) -> None:
    dummy, features = pyvenafi_session(fast)
    dn = f"{HOME}\\fine.example.com"
    listed = features.certificate.list(parent_folder=HOME, recursive=True, in_error=True)
    assert [item.dn for item in listed] == [f"{HOME}\\stuck.example.com"]
    details = features.certificate.details(dn)
    assert details.thumbprint == x509_thumbprint(fast, dn)
    features.certificate.renew(dn)
    assert features.certificate.details(dn).thumbprint != details.thumbprint
    assert len(features.certificate.get_previous_versions(dn)) == 1
    downloaded = features.certificate.download(format="Base64", certificate=dn, include_chain=True)
    assert b64decode(downloaded.certificate_data).count(b"BEGIN CERTIFICATE") == 3
    features.certificate.revoke(dn)
    assert fast.tpp[dn].revocation == "revoked"


def test_pyvenafi_requests_a_certificate(fast: Simulator) -> None:
    api, features = pyvenafi_session(fast)
    answer = api.websdk.Certificates.Request.post(policy_dn=FOLDER, subject="fresh.example.com", object_name="fresh.example.com")
    assert answer.certificate_dn == f"{FOLDER}\\fresh.example.com"
    assert features.certificate.download(format="Base64", certificate=answer.certificate_dn).certificate_data


def test_pyvenafi_logs_in_again_when_its_token_has_expired(fast: Simulator) -> None:
    dummy, features = pyvenafi_session(fast)
    fast.tpp.expire_access_tokens()
    assert features.certificate.details(f"{HOME}\\fine.example.com").cn == "fine.example.com"


# -- Keyfactor Command -------------------------------------------------------------------------------------------


def command_client(simulator: Simulator, bearer: bool = False) -> Any:
    package = pytest.importorskip("keyfactor_v_1_client")
    ready = simulator.ready["keyfactor"]
    base = f"{ready['url']}/{ready['api_path']}"
    if bearer:
        token = simulator.keyfactor.accounts.issue(simulator.keyfactor.accounts.known[ready["client_id"]], 60)
        return package.AuthenticatedClient(base, token, verify_ssl=simulator.ready["ca_path"])
    credentials = b64encode(f"{ready['username']}@{ready['domain']}:{ready['password']}".encode()).decode()
    return package.AuthenticatedClient(base, credentials, "Basic", verify_ssl=simulator.ready["ca_path"])


def command_call(name: str) -> Any:
    """``certificate.certificate_revoke``: the client has a module for each call."""
    return import_module(f"keyfactor_v_1_client.api.{name}").sync_detailed


def revocation_request(*ids: int, **more: Any) -> Any:
    models = import_module("keyfactor_v_1_client.models.models_revoke_certificate_request")
    reasons = import_module("keyfactor_v_1_client.models.models_revoke_certificate_request_reason").ModelsRevokeCertificateRequestReason
    return models.ModelsRevokeCertificateRequest(certificate_ids=list(ids), reason=reasons.VALUE_1, comment="INC-1", **more)


@pytest.mark.parametrize("bearer", [False, True])
def test_keyfactor_reads_and_revokes(simulator: Simulator, bearer: bool) -> None:
    client = command_client(simulator, bearer)
    simulator.keyfactor.load([
        {"cn": "a.example.com", "metadata": {"Owner": "ann"}, "locations": [{"machine": "lb01"}], "ssl_locations": [{"path": "lb01", "port": 443}]},
        {"cn": "b.example.com", "approval": True},
        {"cn": "c.example.com", "on_hold": True},
    ])
    assert "POST /certificates/revoke" in command_call("status.status_get_endpoints")(client=client).parsed
    query = command_call("certificate.certificate_query_certificates")
    listed = query(
        client=client, pq_query_string='IssuedCN -contains "example"', pq_include_revoked=True, include_metadata=True, include_locations=True, verbose=2
    ).parsed
    assert [(item.id, item.cert_state.value, item.thumbprint) for item in listed] == [
        (number, state, simulator.keyfactor[number].thumbprint) for number, state in ((1, 1), (2, 1), (3, 2))
    ]
    assert (listed[0].metadata.additional_properties, listed[0].locations[0].store_machine) == ({"Owner": "ann"}, "lb01")
    assert (listed[2].revocation_reason.value, listed[0].revocation_reason) == (6, None)

    revoke = command_call("certificate.certificate_revoke")
    answer = revoke(client=client, json_body=revocation_request(1, 2, 3, effective_date=datetime(2026, 11, 22, 5, 0, 0, 123456, tzinfo=timezone.utc)))
    assert answer.parsed.revoked_ids == [1, 3]
    assert [item.cert_id for item in answer.parsed.suspended_certs] == [2]
    shown = command_call("certificate.certificate_get_certificate")(1, client=client, include_locations=True).parsed
    assert (shown.cert_state.value, shown.revocation_reason.value, shown.revocation_comment) == (2, 1, "INC-1")
    assert shown.revocation_eff_date == datetime(2026, 11, 22, 5, 0, 0, 123000, tzinfo=timezone.utc)
    again = revoke(client=client, json_body=revocation_request(1))
    assert (again.status_code, again.parsed, b"has previously been revoked" in again.content) == (400, None, True)


def test_keyfactor_chokes_on_its_own_naive_date(simulator: Simulator) -> None:
    client = command_client(simulator)
    simulator.keyfactor.load([{"cn": "a.example.com"}])
    naive = revocation_request(1, effective_date=datetime(2026, 11, 22, 5, 0, 0))
    assert naive.to_dict()["EffectiveDate"] == "2026-11-22T05Z"
    assert command_call("certificate.certificate_revoke")(client=client, json_body=naive).status_code == 400
    assert simulator.keyfactor[1].state == 1


def test_keyfactor_histories_locations_and_collections(simulator: Simulator) -> None:
    client = command_client(simulator)
    simulator.reset("default")
    history = command_call("certificate.certificate_certificate_history")(27, client=client, query_page_returned=1, query_return_limit=50).parsed
    assert [item.action for item in history] == ["Issued", "Metadata Updated"]
    places = command_call("certificate.certificate_get_certificate_locations")(27, client=client).parsed
    assert [item.client_machine for group in places.details for item in group.locations] == ["lb01.example.com", "web01.example.com"]
    collections = command_call("certificate_collection.certificate_collection_get_collections")(client=client, pq_query_string='Name -contains "web"').parsed
    assert [item.name for item in collections] == ["Retail web"]
    by_name = command_call("certificate_collection.certificate_collection_get_collection_1")("Retail web", client=client).parsed
    assert by_name.id == collections[0].id
    request = import_module("keyfactor_v_1_client.models.models_crl_request_model").ModelsCRLRequestModel("Corp Issuing CA 1")
    assert command_call("certificate_authority.certificate_authority_publish_crl")(client=client, json_body=request).status_code == 204


def test_keyfactor_workflows(simulator: Simulator) -> None:
    """This client wants the status as a number; the initial data of an instance, which it wants to be objects, it cannot read."""
    client = command_client(simulator)
    simulator.configure({"keyfactor": {"workflow_status_form": "number"}})
    simulator.keyfactor.load([{"cn": "a.example.com", "approval": True}, {"cn": "b.example.com", "approval": True}])
    command_call("certificate.certificate_revoke")(client=client, json_body=revocation_request(1, 2))
    listed = command_call("workflow_instance.workflow_instance_query")(client=client, pq_query_string='Status -eq "Suspended"').parsed
    assert [item.status.value for item in listed] == [2, 2]
    for name in ("workflow_instance_query_instances_started_by_me", "workflow_instance_query_instances_assigned_to_me"):
        assert [item.id for item in command_call(f"workflow_instance.{name}")(client=client).parsed] == [item.id for item in listed]
    assert command_call("workflow_instance.workflow_instance_stop")(listed[0].id, client=client).status_code == 204
    assert command_call("workflow_instance.workflow_instance_delete_instance")(listed[1].id, client=client).status_code == 204
    assert [simulator.keyfactor[number].pending for number in (1, 2)] == [[], []]


def test_keyfactor_revokes_all_of_a_query_on_version_10(simulator: Simulator) -> None:
    client = command_client(simulator)
    simulator.configure({"keyfactor": {"version": "10.4"}})
    simulator.keyfactor.load([{"cn": "a{n}.example.com", "count": 3}, {"cn": "b.example.com"}])
    reasons = import_module("keyfactor_v_1_client.models.models_revoke_all_certificates_request_reason").ModelsRevokeAllCertificatesRequestReason
    request = import_module("keyfactor_v_1_client.models.models_revoke_all_certificates_request").ModelsRevokeAllCertificatesRequest
    body = request(query='IssuedCN -startswith "a"', reason=reasons.VALUE_5, comment="INC-1")
    assert command_call("certificate.certificate_revoke_all")(client=client, json_body=body).parsed.revoked_ids == [1, 2, 3]
