# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Web SDK calls other than Reset and the list."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.plain_client import Client

HOME = "\\VED\\Policy\\Certificates"
DN = f"{HOME}\\a.example.com"
ERROR = {"in_error": True, "stage": 500, "status": "Post CSR failed."}


def load(simulator: Simulator, **spec: Any) -> None:
    simulator.tpp.load([{"name": "a.example.com", **spec}])


def csr(name: str = "a.example.com") -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


# -- details -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "%7B{}%7D", "%7b{}%7d", "{{{}}}"])
@pytest.mark.parametrize("prefix", ["/vedsdk/certificates/", "/VEDSDK/Certificates%2f"])
def test_a_guid_is_taken_in_every_form(simulator: Simulator, client: Client, form: str, prefix: str) -> None:
    load(simulator)
    guid = simulator.tpp[DN].guid
    answer = client.get(prefix + form.format(guid.strip("{}").upper()))
    assert answer.json()["Guid"] == guid
    assert simulator.journal[-1]["target"] == DN


def test_details_are_those_of_a_real_certificate(simulator: Simulator, client: Client) -> None:
    load(simulator, disabled=True, revocation="revoked", sans={"DNS": ["a.example.com"], "IP": ["192.0.2.1"], "UPN": ["a@example.com"]})
    details = client.details(simulator.tpp[DN].guid)
    stored = client.post("/vedsdk/Certificates/Retrieve", {"CertificateDN": DN, "Format": "DER"}).json()["CertificateData"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(stored))
    facts = details["CertificateDetails"]
    assert facts["Thumbprint"] == certificate.fingerprint(hashes.SHA1()).hex().upper()
    assert int(facts["Serial"], 16) == certificate.serial_number
    assert facts["SubjectAltNameIPAddress"] == ["192.0.2.1"]
    assert facts["RevocationStatus"] == "Revoked"
    assert details["Disabled"] is True
    assert details["RenewalDetails"]["Subject"] == "a.example.com"
    assert len(details["CreatedOn"].partition(".")[2]) == len("0410982Z")


def test_what_is_empty_is_left_out(simulator: Simulator, client: Client) -> None:
    load(simulator)
    details = client.details(simulator.tpp[DN].guid)
    assert details["ProcessingDetails"] == {}
    assert not {"Disabled", "Description", "Consumers", "Error"} & set(details)


def test_unknown_guids_and_missing_rights_are_told_alike(simulator: Simulator, client: Client) -> None:
    load(simulator, rights={"certops": []})
    unknown = "{00000000-0000-0000-0000-000000000000}"
    hidden = simulator.tpp[DN].guid
    answers = [client.get(f"/vedsdk/certificates/{guid}") for guid in (unknown, hidden)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json()["Error"].replace(unknown, "") == answers[1].json()["Error"].replace(hidden, "")


# -- retry, renew, revoke ----------------------------------------------------------------------------------------


def test_retry_resumes_the_failed_stage(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR)
    assert client.post("/vedsdk/certificates/retry", {"CertificateDN": DN}).json() == {"Success": True}
    assert (simulator.tpp[DN].stage, simulator.tpp[DN].in_error) == (500, False)
    simulator.clock.advance(60)
    assert client.post("/vedsdk/certificates/retry", {"CertificateDN": DN}).json() == {"Error": "Retry canceled. No retry is required for the certificate."}


@pytest.mark.parametrize(
    ("spec", "fragment"),
    [
        (ERROR, "error state"),
        ({"in_flight": True}, "already being processed"),
        ({"management_type": "Monitoring"}, "Management Type is Monitoring"),
        ({"user_csr": True}, "requires a PKSC#10"),
        ({"disabled": True}, "disabled"),
    ],
)
def test_renew_refuses(simulator: Simulator, client: Client, spec: dict[str, Any], fragment: str) -> None:
    load(simulator, **spec)
    answer = client.post("/vedsdk/Certificates/Renew", {"CertificateDN": DN}).json()
    assert answer["Success"] is False
    assert fragment in answer["Error"]


def test_renew_with_a_csr_signs_its_key(simulator: Simulator, client: Client) -> None:
    load(simulator, user_csr=True)
    text = csr()
    assert client.post("/vedsdk/Certificates/Renew", {"CertificateDN": DN, "PKCS10": text}).json() == {"Success": True}
    simulator.clock.advance(60)
    data = client.post("/vedsdk/Certificates/Retrieve", {"CertificateDN": DN}).json()["CertificateData"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(data))
    assert certificate.public_key() == x509.load_pem_x509_csr(text.encode()).public_key()


def test_revoke_twice_warns(simulator: Simulator, client: Client) -> None:
    load(simulator)
    first = client.post("/vedsdk/Certificates/Revoke", {"CertificateDN": DN, "Reason": 1, "Disable": True}).json()
    assert first == {"Requested": True, "Success": True}
    assert (simulator.tpp[DN].revocation, simulator.tpp[DN].disabled) == ("pending", True)
    simulator.clock.advance(60)
    thumbprint = simulator.tpp.facts(DN)["Thumbprint"]
    second = client.post("/vedsdk/Certificates/Revoke", {"Thumbprint": thumbprint}).json()
    assert second["Success"] and "Requested" not in second and "already in progress" in second["Warning"]
    assert simulator.tpp[DN].revocation == "revoked"
    assert simulator.records.effects(DN) == ["revoke"]


def test_a_revocation_fails_while_the_authority_is_down(simulator: Simulator, client: Client) -> None:
    load(simulator)
    simulator.tpp.set_authority(simulator.tpp[DN].authority, up=False)
    client.post("/vedsdk/Certificates/Revoke", {"CertificateDN": DN})
    simulator.clock.advance(60)
    assert (simulator.tpp[DN].revocation, simulator.tpp[DN].stage, simulator.tpp[DN].in_error) == ("error", 1400, True)


def test_there_must_be_something_to_revoke(simulator: Simulator, client: Client) -> None:
    load(simulator, versions=0)
    assert "does not have a certificate to revoke" in client.post("/vedsdk/Certificates/Revoke", {"CertificateDN": DN}).json()["Error"]


def test_put_retires(simulator: Simulator, client: Client) -> None:
    load(simulator)
    url = f"{client.url}/vedsdk/certificates/{simulator.tpp[DN].guid}"
    answer = client.session.put(url, json={"AttributeData": [{"Name": "Disabled", "Value": ["1"]}]}, timeout=10)
    assert answer.json() == {"Success": True}
    assert simulator.tpp[DN].disabled
    assert simulator.journal[-1]["mutates"] and simulator.journal[-1]["effect"] == "update disabled"


# -- request and retrieve ----------------------------------------------------------------------------------------


def test_request_does_not_reveal_that_a_reset_is_needed(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR)
    answer = client.post("/vedsdk/Certificates/Request", {"PolicyDN": HOME, "ObjectName": "a.example.com", "PKCS10": csr()})
    assert answer.json() == {"CertificateDN": DN, "Guid": simulator.tpp[DN].guid}
    simulator.clock.advance(60)
    retrieved = client.post("/vedsdk/Certificates/Retrieve", {"CertificateDN": DN})
    assert retrieved.status_code == 500
    assert retrieved.json()["Status"].endswith("click Retry.")
    assert retrieved.reason.startswith(f"Certificate {DN} has encountered an error while processing, Status: ")


def test_restart_signs_the_stored_csr(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR)
    text = csr()
    client.post("/vedsdk/Certificates/Request", {"PolicyDN": HOME, "ObjectName": "a.example.com", "PKCS10": text})
    client.reset(DN, Restart=True)
    simulator.clock.advance(60)
    data = client.post("/vedsdk/Certificates/Retrieve", {"CertificateDN": DN}).json()["CertificateData"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(data))
    assert certificate.public_key() == x509.load_pem_x509_csr(text.encode()).public_key()


def test_retrieve_of_work_in_process_is_a_202(simulator: Simulator, client: Client) -> None:
    load(simulator, stage=500, status="Post CSR", in_process=True)
    answer = client.post("/vedsdk/Certificates/Retrieve", {"CertificateDN": DN})
    assert (answer.status_code, answer.json()) == (202, {"Stage": 500, "Status": "Post CSR"})
    assert answer.reason == f"Certificate {DN} being processed, Status: Post CSR, Stage: 500."


def test_retrieve_of_nothing(client: Client) -> None:
    answer = client.post("/vedsdk/Certificates/Retrieve", {"CertificateDN": "\\VED\\Policy\\no"})
    assert (answer.status_code, answer.reason) == (400, "Certificate does not exist.")
    assert answer.json() == {"Error": "Certificate \\VED\\Policy\\no does not exist."}


def test_retrieve_brings_key_and_chain(simulator: Simulator, client: Client) -> None:
    load(simulator)
    body = {"CertificateDN": DN, "Format": "PKCS #12", "IncludePrivateKey": "true", "IncludeChain": "true", "Password": "canary-password"}
    data = base64.b64decode(client.post("/vedsdk/Certificates/Retrieve", body).json()["CertificateData"])
    key, certificate, chain = pkcs12.load_key_and_certificates(data, b"canary-password")
    assert key is not None and certificate is not None and key.public_key() == certificate.public_key()
    assert len(chain) == 2
    certificate.verify_directly_issued_by(chain[0])
    chain[0].verify_directly_issued_by(chain[1])
    assert "canary-password" not in str(simulator.journal)


def test_a_mismatched_key_does_not_fit_and_a_missing_one_is_missing(simulator: Simulator, client: Client) -> None:
    body = {"CertificateDN": DN, "Format": "PKCS #12", "IncludePrivateKey": True, "Password": "Password1234"}
    load(simulator, key_state="missing")
    answer = client.post("/vedsdk/Certificates/Retrieve", body)
    assert answer.json() == {"Error": "Failed to lookup private key, error: Failed to lookup private key vault id"}
    load(simulator, key_state="mismatch")
    client.reset(DN)
    data = base64.b64decode(client.post("/vedsdk/Certificates/Retrieve", body).json()["CertificateData"])
    key, certificate, dummy = pkcs12.load_key_and_certificates(data, b"Password1234")
    assert key is not None and certificate is not None and key.public_key() == certificate.public_key()


# -- config ------------------------------------------------------------------------------------------------------


def test_dn_and_guid_translate_both_ways(simulator: Simulator, client: Client) -> None:
    load(simulator)
    there = client.post("/vedsdk/Config/DnToGuid", {"ObjectDN": DN.lower()}).json()
    back = client.post("/vedsdk/config/GuidToDN/", {"ObjectGUID": there["GUID"].strip("{}")}).json()
    assert (there["Result"], back["ObjectDN"], back["ClassName"]) == (1, DN, "X509 Server Certificate")


def test_config_failures_are_http_200(simulator: Simulator, client: Client) -> None:
    load(simulator)
    gone = client.post("/vedsdk/Config/DnToGuid", {"ObjectDN": "\\VED\\Policy\\no"})
    assert (gone.status_code, gone.json()["Result"], "Error" in gone.json()) == (200, 400, True)
    results = {
        name: client.post("/vedsdk/Config/Read", {"ObjectDN": DN, "AttributeName": name}).json()["Result"]
        for name in ("Management Type", "Stage", "Work To Do", "Nonsense")
    }
    assert results == {"Management Type": 1, "Stage": 102, "Work To Do": 601, "Nonsense": 601}
    missing = client.post("/vedsdk/Config/DnToGuid", {})
    assert (missing.status_code, set(missing.json())) == (400, {"error", "error_description"})


def test_attributes_are_strings(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, consumers=["\\VED\\Policy\\app"])
    pairs = client.post("/vedsdk/Config/ReadAll", {"ObjectDN": DN}).json()["NameValues"]
    values = {pair["Name"]: pair["Values"] for pair in pairs}
    assert (values["In Error"], values["Stage"], values["Consumers"]) == (["1"], ["500"], ["\\VED\\Policy\\app"])
    assert client.post("/vedsdk/Config/ReadDn", {"ObjectDN": DN, "AttributeName": "Consumers"}).json()["Values"] == ["\\VED\\Policy\\app"]
    assert client.post("/vedsdk/Config/ReadEffectivePolicy", {"ObjectDN": DN, "AttributeName": "Disabled"}).json()["Result"] == 601
    assert client.post("/vedsdk/Config/IsValid", {"ObjectDN": DN}).json()["Object"]["DN"] == DN


# -- the rest ----------------------------------------------------------------------------------------------------


def test_what_clients_ask_at_login(client: Client) -> None:
    assert client.get("/vedsdk/").status_code == 200
    assert client.get("/vedsdk/SystemStatus/Version").json() == {"Version": "26.1.1.0"}
    assert client.get("/vedsdk/Identity/Self").json()["Identities"][0]["PrefixedName"] == "local:certops"
    assert client.post("/vedsdk/Metadata/GetItemsForClass", {"ConfigClass": "Device"}).json()["Items"] == []


def test_the_log_keeps_events(client: Client) -> None:
    assert client.post("/vedsdk/Log", {"ID": 1, "Component": "certops", "Text1": "hello"}).json() == {"LogResult": 0}
    assert client.post("/vedsdk/Log", {}).json() == {"LogResult": 1}
    assert [event["Text1"] for event in client.get("/vedsdk/Log?Component=certops").json()["LogEvents"]] == ["hello"]
    assert client.get("/vedsdk/Log?Component=other").json()["LogEvents"] == []


@pytest.mark.parametrize("path", ["/vedsdk/nonsense", "/nonsense", "/vedsdk/certificates/not-a-guid"])
def test_unknown_addresses_are_html_404s(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (404, "text/html")


def test_a_wrong_method_is_a_405(client: Client) -> None:
    assert client.get("/vedsdk/Certificates/Reset").status_code == 405


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"CertificateDN": ["a"]}', b'{"CertificateDN": {}}'])
@pytest.mark.parametrize("path", ["/vedsdk/Certificates/Reset", "/vedsdk/Config/DnToGuid", "/vedauth/authorize/oauth", "/vedsdk/Certificates/Request"])
def test_a_malformed_body_is_a_400(client: Client, path: str, body: bytes) -> None:
    answer = client.session.post(client.url + path, data=body, headers={"Content-Type": "application/json"}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()


def test_body_keys_are_exact_unless_switched(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR)
    assert client.post("/vedsdk/Certificates/Reset", {"certificatedn": DN}).status_code == 400
    simulator.configure({"tpp": {"body_keys_any_case": True}})
    assert client.post("/vedsdk/Certificates/Reset", {"certificatedn": DN}).status_code == 200


def test_the_legacy_login_ended_with_26_1(simulator: Simulator, client: Client) -> None:
    login = {"Username": simulator.ready["tpp"]["username"], "Password": simulator.ready["tpp"]["password"]}
    del client.session.headers["Authorization"]
    assert client.post("/vedsdk/authorize/", login).status_code == 404
    simulator.configure({"tpp": {"version": "22.4.0"}})
    key = client.post("/vedsdk/authorize/", login).json()["APIKey"]
    assert client.get("/vedsdk/certificates/", headers={"x-venafi-api-key": key}).status_code == 200
