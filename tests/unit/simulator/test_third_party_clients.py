# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients of the vendor against the simulator. Written with vcert 0.22.1 and pyvenafi 1.1.0; skipped where they are not installed."""

from __future__ import annotations

from base64 import b64decode
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
