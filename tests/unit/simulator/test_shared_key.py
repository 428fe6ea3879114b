# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One key, one certificate, in several parts of the simulator: labels, references, what has leaked, and the scenario that is made of them."""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

API = r"\VED\Policy\Certificates\Shop\api-3.shop.example.com"
DN = r"\VED\Policy\Certificates\a.example.com"


def spki(certificate: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return hashlib.sha256(
        certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def at_tpp(simulator: Simulator, dn: str) -> x509.Certificate:
    holder = simulator.tpp[dn]
    assert holder.current is not None
    return x509.load_pem_x509_certificate(simulator.tpp.sign(holder, holder.current).pem.encode())


def at_keyfactor(simulator: Simulator, number: int) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(simulator.keyfactor[number].content))


def at_digicert(simulator: Simulator, order: int) -> x509.Certificate:
    return x509.load_pem_x509_certificate(simulator.digicert.pem(order).encode())


def served(simulator: Simulator, name: str) -> x509.Certificate:
    server = simulator.endpoints[name]
    return x509.load_pem_x509_certificate(ssl.get_server_certificate((server.addresses[0], server.port)).encode())


def control(simulator: Simulator, what: str, data: dict[str, Any] | None = None) -> requests.Response:
    return requests.request(
        "GET" if data is None else "POST", simulator.ready["control_url"] + what, json=data, verify=simulator.ready["ca_path"], timeout=10
    )


# -- labels and references ---------------------------------------------------------------------------------------


def test_a_label_is_one_key_in_all_parts(simulator: Simulator) -> None:
    simulator.tpp.add([{"dn": DN, "key": "leaked", "versions": 2}])
    number = simulator.keyfactor.add([{"cn": "b.example.com", "key": "leaked"}])[0]
    order = simulator.digicert.add([{"common_name": "c.example.com", "key": "leaked"}])[0]
    client = simulator.cloudflare.add([{"cn": "tablet", "key": "leaked"}])[0]
    simulator.endpoints.serve("d.example.com", certificates=[{"key": "leaked"}])
    seen = [at_tpp(simulator, DN), at_keyfactor(simulator, number), at_digicert(simulator, order), served(simulator, "d.example.com")]
    assert {spki(item) for item in seen} == {simulator.cloudflare[client].public_key_sha256}
    assert len({item.serial_number for item in seen}) == 4
    simulator.reset("empty")
    assert spki(at_keyfactor(simulator, simulator.keyfactor.add([{"key": "leaked"}])[0])) != spki(seen[0])


def test_a_renewal_at_tpp_makes_a_key_of_its_own(simulator: Simulator) -> None:
    simulator.tpp.add([{"dn": DN, "key": "leaked"}])
    before = at_tpp(simulator, DN)
    simulator.tpp.lifecycle.start(simulator.tpp[DN])
    simulator.clock.advance(60)
    assert spki(at_tpp(simulator, DN)) != spki(before)


def test_a_shared_key_of_another_kind_is_refused(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="EC256"):
        simulator.tpp.add([{"dn": DN, "key": "leaked", "key_kind": "RSA2048"}])


def test_command_lists_what_others_have_issued(simulator: Simulator) -> None:
    simulator.tpp.add([{"dn": DN, "dns": ["a.example.com", "www.a.example.com"]}])
    order = simulator.digicert.add([{"common_name": "c.example.com"}])[0]
    simulator.keyfactor.add([{"from": {"tpp": DN}, "metadata": {"Owner": "shop"}}, {"from": {"digicert": order}}])
    for number, there in ((1, at_tpp(simulator, DN)), (2, at_digicert(simulator, order))):
        here, record = at_keyfactor(simulator, number), simulator.keyfactor[number]
        assert here.public_bytes(serialization.Encoding.DER) == there.public_bytes(serialization.Encoding.DER)
        assert int(record.serial, 16) == there.serial_number and record.issuer_dn == there.issuer.rfc4514_string()
        assert (record.not_before, record.not_after) == (int(there.not_valid_before_utc.timestamp()), int(there.not_valid_after_utc.timestamp()))
        assert simulator.keyfactor.authorities[record.authority] == record.issuer_dn
    assert simulator.keyfactor[1].dns == ["a.example.com", "www.a.example.com"]
    assert (simulator.keyfactor[1].cn, simulator.keyfactor[1].metadata) == ("a.example.com", {"Owner": "shop"})


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ({"tpp": r"\VED\Policy\Nobody"}, "tpp has no"),
        ({"digicert": 4711}, "digicert has no"),
        ({"keyfactor": 4711}, "keyfactor has no"),
        ({"cloudflare": "4711"}, "unknown part"),
        ({}, "named by one of"),
        ({"tpp": DN, "keyfactor": 1}, "named by one of"),
    ],
)
def test_a_reference_to_nothing_is_explained(simulator: Simulator, reference: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        simulator.elsewhere.find(reference)


# -- endpoints ---------------------------------------------------------------------------------------------------


def test_an_endpoint_shows_a_reissue_when_somebody_has_installed_it(simulator: Simulator) -> None:
    order = simulator.digicert.add([{"common_name": "c.example.com", "key": "leaked", "approval": "skip", "issue_seconds": 0}])[0]
    simulator.endpoints.serve("c.example.com", certificates=[{"from": {"digicert": order}}])
    old = at_digicert(simulator, order)
    assert served(simulator, "c.example.com") == old
    simulator.digicert.change(order, {"pending": {"key": "new", "waits": "issue"}})
    simulator.digicert.issue(order)
    new = at_digicert(simulator, order)
    assert spki(new) != spki(old) and served(simulator, "c.example.com") == old
    answer = control(simulator, "endpoints/show", {"name": "c.example.com", "certificates": [{"from": {"digicert": order}}]})
    assert answer.status_code == 200 and served(simulator, "c.example.com") == new


def test_an_endpoint_shows_a_renewal_of_tpp(simulator: Simulator) -> None:
    simulator.tpp.add([{"dn": DN, "key": "leaked"}])
    simulator.endpoints.serve("a.example.com", certificates=[{"from": {"tpp": DN}}])
    simulator.tpp.lifecycle.start(simulator.tpp[DN])
    simulator.clock.advance(60)
    assert served(simulator, "a.example.com") != at_tpp(simulator, DN)
    simulator.endpoints.show("a.example.com", {"from": {"tpp": DN}})
    assert served(simulator, "a.example.com") == at_tpp(simulator, DN)


def test_a_key_that_is_not_here_must_be_given(simulator: Simulator) -> None:
    number = simulator.keyfactor.add([{"cn": "b.example.com"}])[0]
    simulator.endpoints.serve("b.example.com")
    before = served(simulator, "b.example.com")
    for certificate, words in (({}, "does not have the key"), ({"key_pem": simulator.endpoints.issue().key_pem}, "do not fit together")):
        answer = control(simulator, "endpoints/show", {"name": "b.example.com", "certificates": [{"from": {"keyfactor": number}, **certificate}]})
        assert answer.status_code == 400 and words in answer.json()["error"]
    assert served(simulator, "b.example.com") == before


# -- leaks -------------------------------------------------------------------------------------------------------


def test_what_has_leaked_can_be_read(tmp_path: Path) -> None:
    scenario = {"tpp": {"certificates": [{"dn": DN}]}, "leaks": {"found": {"tpp": DN}}}
    state = tmp_path / "state.json"
    with Simulator(scenario, directory=tmp_path / "ready.d", state_file=state) as simulator:
        leak = control(simulator, "leaks").json()["found"]
        assert simulator.ready["leaks"]["found"] == leak
        certificate = x509.load_pem_x509_certificate(Path(leak["certificate_path"]).read_bytes())
        key = serialization.load_pem_private_key(Path(leak["key_path"]).read_bytes(), None)
        assert certificate == at_tpp(simulator, DN) and key.public_key() == certificate.public_key()
        assert leak["public_key_sha256"] == spki(certificate)
        assert Path(leak["key_path"]).stat().st_mode & 0o777 == 0o600
        simulator.tpp.lifecycle.start(simulator.tpp[DN])
        simulator.clock.advance(60)
    with Simulator(scenario, directory=tmp_path / "ready.d", state_file=state) as simulator:
        # What has been found does not change with the renewal.
        assert simulator.ready["leaks"]["found"] == leak and at_tpp(simulator, DN) != certificate
        simulator.reset("empty")
        assert control(simulator, "leaks").json() == {} and not Path(leak["key_path"]).exists()


# -- the scenario ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def incident() -> Iterator[Simulator]:
    with Simulator("shared_key") as simulator:
        yield simulator


def test_who_has_the_leaked_key(incident: Simulator) -> None:
    leaked = incident.leaks.dump()["leaked"]["public_key_sha256"]
    tpp = [item.dn for item in incident.tpp.store.certificates.values() if spki(at_tpp(incident, item.dn)) == leaked]
    keyfactor = [item.id for item in incident.keyfactor.store if spki(at_keyfactor(incident, item.id)) == leaked]
    digicert = [item.id for item in incident.digicert.store if spki(at_digicert(incident, item.id)) == leaked]
    cloudflare = [item.id for item in incident.cloudflare.certificates() if item.public_key_sha256 == leaked]
    assert [len(items) for items in (tpp, keyfactor, digicert, cloudflare)] == [3, 12, 6, 5]
    totals = [
        len(incident.tpp.store.certificates), len(list(incident.keyfactor.store)), len(list(incident.digicert.store)), len(incident.cloudflare.certificates())
    ]
    assert totals == [30, 40, 30, 30]
    assert at_keyfactor(incident, 100001) == at_tpp(incident, API)
    thumbprints = [item.thumbprint for item in incident.keyfactor.store]
    assert len(set(thumbprints)) == len(thumbprints)


def test_what_the_endpoints_of_the_scenario_serve(incident: Simulator) -> None:
    leaked = incident.leaks.dump()["leaked"]["public_key_sha256"]
    found: dict[str, set[int]] = {}
    for name, server in incident.endpoints.servers.items():
        if server.starttls == "none":
            certificates = [served(incident, name), served(incident, name)]
            if spki(certificates[0]) == leaked:
                found[name] = {item.serial_number for item in certificates}
    assert {name: len(serials) for name, serials in found.items()} == {
        "www-1.shop.example.com": 1, "api-3.shop.example.com": 1, "shop.example.com": 2, "pay.shop.example.com": 2, "bank-1.shop.example.com": 1,
        "till-1.shop.example.com": 1, "till-2.shop.example.com": 1,
    }
    assert incident.endpoints["mail-2.shop.example.com"].starttls == "smtp" and len(incident.endpoints.servers) == 9


@pytest.mark.parametrize("part", ["digicert", "keyfactor"])
def test_ocsp_and_crl_tell_what_a_part_has_revoked(incident: Simulator, part: str) -> None:
    if part == "digicert":
        certificate = at_digicert(incident, 21000001)
        order = incident.digicert[21000001]
        incident.digicert.lifecycle.revoke(order, order.issued, "keyCompromise", whole_order=False)
    else:
        # It was issued by TPP; Command lists and revokes it.
        certificate = at_tpp(incident, API)
        incident.keyfactor.change(100001, {"state": 2, "revocation_reason": 1, "revocation_date": incident.clock.now()})
    issuer = incident.authority.issuer_of(certificate).certificate
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    url = next(item.access_location.value for item in access if item.access_method == x509.AuthorityInformationAccessOID.OCSP)
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()
    answer = ocsp.load_der_ocsp_response(requests.post(url, data=request.public_bytes(serialization.Encoding.DER), timeout=10).content)
    assert (answer.certificate_status, answer.revocation_reason) == (ocsp.OCSPCertStatus.REVOKED, x509.ReasonFlags.key_compromise)
    point = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    crl = x509.load_der_x509_crl(requests.get(point.full_name[0].value, timeout=10).content)
    assert crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
