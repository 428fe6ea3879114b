# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of the simulator: scenario, control API, restart, and that foreign tools (openssl, smtplib, ...) agree with what it serves."""

from __future__ import annotations

import base64
import ftplib
import poplib
import smtplib
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

SHOP = "shop.example.com"
SCENARIO = {
    "endpoints": {
        "settings": {"certificate_urls": True},
        "servers": [
            {"name": "web-{n}.example.com", "count": 3, "certificates": [{"key": "shared"}]},
            {"name": "mail.example.com", "starttls": "smtp", "certificates": [{"revoked": "superseded", "serial": "0abc"}]},
        ],
    },
    "keyfactor": {"certificates": [{"cn": "till.example.com"}]},
}


def control(simulator: Simulator, action: str, **data: Any) -> Any:
    answer = requests.post(f"{simulator.ready['control_url']}endpoints/{action}", json=data, verify=simulator.ready["ca_path"], timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def served(simulator: Simulator, name: str) -> x509.Certificate:
    server = simulator.endpoints[name]
    return x509.load_pem_x509_certificate(ssl.get_server_certificate((server.addresses[0], server.port)).encode())


def openssl(*arguments: str | Path) -> str:
    shown = subprocess.run(["openssl", *map(str, arguments)], input=b"", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return shown.stdout.decode("utf-8", "replace")


def client(simulator: Simulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=simulator.ready["ca_path"])


# -- scenario and control ----------------------------------------------------------------------------------------


def test_servers_of_a_scenario() -> None:
    with Simulator(SCENARIO) as simulator:
        servers = simulator.ready["endpoints"]["servers"]
        assert list(servers) == ["web-1.example.com", "web-2.example.com", "web-3.example.com", "mail.example.com"]
        certificates = [served(simulator, f"web-{number}.example.com") for number in (1, 2, 3)]
        assert len({item.serial_number for item in certificates}) == 3
        assert len({item.public_key().public_numbers() for item in certificates}) == 1  # type: ignore[union-attr]
        assert 0xABC in simulator.endpoints.revoked
        # With the switch, what the vendors issue carries the addresses too.
        issued = x509.load_der_x509_certificate(base64.b64decode(next(iter(simulator.keyfactor.store)).content))
        assert issued.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        port = int(servers["mail.example.com"]["host"].rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        ssl.get_server_certificate(("127.0.0.1", port))


def test_control_calls(simulator: Simulator) -> None:
    state = control(simulator, "serve", name=SHOP)
    assert state["servers"] == {SHOP: {"host": f"127.0.0.1:{simulator.endpoints[SHOP].port}", "server_name": SHOP, "starttls": "none"}}
    before = served(simulator, SHOP)
    (pem,) = control(simulator, "show", name=SHOP, certificates=[{"names": [SHOP, "www.example.com"]}])["certificates"]
    assert served(simulator, SHOP) == x509.load_pem_x509_certificate(pem.encode()) != before
    control(simulator, "revoke", serial=f"{before.serial_number:x}", reason="key_compromise")
    assert list(simulator.endpoints.revoked) == [before.serial_number]
    control(simulator, "release", serial=f"{before.serial_number:x}")
    assert not simulator.endpoints.revoked
    assert control(simulator, "stop", name=SHOP)["servers"] == {}


@pytest.mark.parametrize("action, data", [
    ("serve", {"name": SHOP, "behaviour": "sleepy"}),
    ("serve", {"name": SHOP, "colour": "blue"}),
    ("serve", {"name": SHOP, "certificates": [{"nmaes": []}]}),
    ("serve", {"name": SHOP, "versions": ["0.9"]}),
    ("show", {"name": "elsewhere", "certificates": []}),
    ("revoke", {"serial": "77", "reason": "boredom"}),
    ("restart", {}),
])
def test_mistakes_are_told(simulator: Simulator, action: str, data: dict[str, Any]) -> None:
    answer = requests.post(f"{simulator.ready['control_url']}endpoints/{action}", json=data, verify=simulator.ready["ca_path"], timeout=10)
    assert answer.status_code == 400 and answer.json()["error"]
    assert not simulator.endpoints.servers


def test_a_restart_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Simulator(SCENARIO, state_file=state) as simulator:
        before = served(simulator, "web-2.example.com")
        url, ports = simulator.ready["endpoints"]["pki_url"], [server.port for server in simulator.endpoints.servers.values()]
    with Simulator(SCENARIO, state_file=state) as simulator:
        assert served(simulator, "web-2.example.com") == before
        assert (simulator.ready["endpoints"]["pki_url"], [server.port for server in simulator.endpoints.servers.values()]) == (url, ports)
        assert 0xABC in simulator.endpoints.revoked and simulator.endpoints.switches.certificate_urls


def test_plain_http_is_for_the_pki_alone(simulator: Simulator) -> None:
    base = simulator.ready["endpoints"]["pki_url"].removesuffix("/pki")
    for path in ("/_control/state", "/services/v2/user/me", "/vedsdk/Certificates/", "/"):
        assert requests.get(base + path, timeout=10).status_code == 404
    assert not simulator.journal


# -- foreign tools -----------------------------------------------------------------------------------------------


def test_python_clients_of_mail_and_files(simulator: Simulator) -> None:
    context = client(simulator)

    def port(starttls: str) -> int:
        return simulator.endpoints.serve(f"{starttls}.example.com", starttls=starttls, certificates=[{"names": ["127.0.0.1"]}]).port

    with smtplib.SMTP("127.0.0.1", port("smtp"), timeout=5) as smtp:
        assert smtp.starttls(context=context)[0] == 220
        smtp.close()
    pop = poplib.POP3("127.0.0.1", port("pop3"), timeout=5)
    assert pop.stls(context=context).startswith(b"+OK")
    pop.close()
    ftp = ftplib.FTP_TLS(context=context, timeout=5)
    ftp.connect("127.0.0.1", port("ftp"))
    assert ftp.auth().startswith("234")
    ftp.close()
    assert [server.handshakes for server in simulator.endpoints.servers.values()] == [1, 1, 1]


@pytest.mark.parametrize("starttls", ["smtp", "imap", "pop3", "ftp", "xmpp", "ldap", "postgres", "mysql"])
def test_openssl_as_client(simulator: Simulator, starttls: str) -> None:
    server = simulator.endpoints.serve(SHOP, starttls=starttls)
    shown = openssl("s_client", "-connect", server.endpoint, "-starttls", starttls, "-servername", SHOP, "-CAfile", simulator.ready["ca_path"])
    assert "Verify return code: 0 (ok)" in shown and f"CN = {SHOP}" in shown, shown


def test_openssl_asks_for_ocsp_and_reads_the_crl(simulator: Simulator, tmp_path: Path) -> None:
    simulator.endpoints.issue(names=[SHOP], serial="abcd")
    pem = tmp_path / "shop.pem"
    pem.write_text(simulator.endpoints.issue(names=[SHOP], serial="abcdef", revoked="key_compromise").pem)
    leaf = x509.load_pem_x509_certificate(pem.read_bytes())
    issuer = tmp_path / "issuer.pem"
    issuer.write_text(pem.read_text().split("-----END CERTIFICATE-----\n")[1] + "-----END CERTIFICATE-----\n")
    url = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value[0].access_location.value
    ca_path = simulator.ready["ca_path"]
    for signer in ("issuer", "delegate"):
        simulator.endpoints.configure({"ocsp_signer": signer})
        shown = openssl("ocsp", "-issuer", issuer, "-cert", pem, "-url", url, "-CAfile", ca_path, "-verify_other", issuer, "-no_nonce")
        assert "Response verify OK" in shown and f"{pem}: revoked" in shown and "Reason: keyCompromise" in shown, shown
    simulator.endpoints.configure({"ocsp_signer": "stranger"})
    shown = openssl("ocsp", "-issuer", issuer, "-cert", pem, "-url", url, "-CAfile", ca_path, "-no_nonce")
    assert "Response Verify Failure" in shown
    point = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name[0].value
    (tmp_path / "ca.crl").write_bytes(requests.get(point, timeout=10).content)
    shown = openssl("crl", "-in", tmp_path / "ca.crl", "-inform", "DER", "-noout", "-text", "-CAfile", issuer)
    assert "verify OK" in shown and "ABCDEF" in shown and "Key Compromise" in shown, shown


def test_ocsp_by_get(simulator: Simulator) -> None:
    blocks = simulator.endpoints.issue(names=[SHOP]).pem.split("-----BEGIN")[1:]
    leaf, issuer = (x509.load_pem_x509_certificate(f"-----BEGIN{block}".encode()) for block in blocks)
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1()).build().public_bytes(serialization.Encoding.DER)
    quoted = requests.utils.quote(base64.b64encode(request).decode(), safe="")
    answer = requests.get(f"{simulator.ready['endpoints']['pki_url']}/ocsp/{quoted}", timeout=10)
    assert ocsp.load_der_ocsp_response(answer.content).certificate_status == ocsp.OCSPCertStatus.GOOD
    assert requests.post(f"{simulator.ready['endpoints']['pki_url']}/ocsp", data=b"nonsense", timeout=10).content


# -- what the vendors revoke -------------------------------------------------------------------------------------


def test_what_is_revoked_at_a_vendor_is_revoked_for_relying_parties(simulator: Simulator) -> None:
    (number,) = simulator.keyfactor.load([{"cn": "till.example.com"}])
    (order,) = simulator.digicert.load([{"common_name": "pay.example.com"}])
    known = simulator.endpoints._all_revoked
    assert not known()
    simulator.keyfactor.change(number, {"state": 2, "revocation_reason": 1, "revocation_date": simulator.clock.now()})
    current = simulator.digicert[order].current
    simulator.digicert.lifecycle.revoke(simulator.digicert[order], [current], "superseded", False)
    assert {serial: item.reason for serial, item in known().items()} == {
        int(simulator.keyfactor[number].serial, 16): "key_compromise",
        current.serial: "superseded",
    }
