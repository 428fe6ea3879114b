# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's clients of CertCentral against the simulator.

acme2certifier is the one on PyPI that runs without a service of its own (written with 0.46.3; skipped where it is not installed). Of the others,
written in other languages or bound to a database, the requests are made as they make them.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography import x509
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

NAME = "a.example.com"
ENTRY: dict[str, Any] = {"order_id": 1, "common_name": NAME, "dns": [NAME, "b.example.com"], "key": "old"}


@pytest.fixture
def account(simulator: Simulator) -> Simulator:
    simulator.digicert.load([ENTRY])
    return simulator


@pytest.fixture
def session(account: Simulator) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = account.ready["ca_path"]
        opened.headers.update({"X-DC-DEVKEY": account.ready["digicert"]["api_key"], "Content-Type": "application/json"})
        yield opened


def base(simulator: Simulator) -> str:
    return f"{simulator.ready['digicert']['url']}/services/v2"


# -- acme2certifier ----------------------------------------------------------------------------------------------


def test_acme2certifier_enrols_and_revokes(account: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("acme2certifier.cahandlers.digicert_ca_handler")
    # It has no option for a CA file.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", account.ready["ca_path"])
    account.configure({"digicert": {"approval": "skip"}})
    handler = module.CAhandler(False, logging.getLogger("acme2certifier"))
    handler.api_url, handler.api_key, handler.organization_name = f"{base(account)}/", account.ready["digicert"]["api_key"], "Example Corp"
    armoured = account.digicert.csr("acme", "new.example.com")
    csr = "".join(armoured.splitlines()[1:-1]).translate(str.maketrans("+/", "-_")).rstrip("=")
    error, bundle, raw, order_id = handler.enroll(csr)
    assert error is None
    assert bundle.count("BEGIN CERTIFICATE") == 3
    certificate = x509.load_der_x509_certificate(base64.b64decode(raw))
    assert certificate.public_key() == account.authority.keys["acme"].public_key()
    assert handler.revoke(raw)[0] == 200
    assert account.digicert[order_id].current.status == "revoked"
    assert account.records.effects(str(order_id)) == ["order", "revoke"]
    code, dummy, detail = handler.revoke(raw)
    assert (code, detail["errors"][0]["code"]) == (400, "certificate_already_revoked")


# -- in the manner of others -------------------------------------------------------------------------------------


def test_as_lemur_does(account: Simulator, session: requests.Session) -> None:
    """Pages of 40 filtered by status and organization, three PEM blocks by platform 29, retries by urllib3, revoke by a request, cancel in capitals."""
    session.mount("https://", HTTPAdapter(max_retries=Retry(total=3, backoff_factor=0.01, status_forcelist=[406, 500, 502, 503, 504])))
    account.digicert.add([{"count": 60, "common_name": "h{n}.example.com"}])
    account.faults.add("status", match={"path": "/order/certificate$"}, status=503)
    found, offset = [], 0
    while True:
        parameters = {"filters[status]": "issued", "filters[organization_id]": "7", "offset": offset, "limit": 40}
        data = session.get(f"{base(account)}/order/certificate", params=parameters, timeout=10).json()
        found += data["orders"]
        offset += 40
        if offset >= data["page"]["total"]:
            break
    assert len(found) == 61
    first = found[0]["certificate"]
    chain = x509.load_pem_x509_certificates(session.get(f"{base(account)}/certificate/{first['id']}/download/platform/29", timeout=10).content)
    assert (len(chain), chain[0].serial_number) == (3, int(first["serial_number"], 16))
    answer = session.put(f"{base(account)}/certificate/{first['id']}/revoke", json={"comments": "superseded"}, timeout=10)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    account.digicert.add([{"order_id": 2, "status": "pending", "validation": True}])
    assert session.put(f"{base(account)}/order/certificate/2/status", json={"status": "CANCELED", "note": "no"}, timeout=10).status_code == 204


def test_as_the_keyfactor_plugin_does(account: Simulator, session: requests.Session) -> None:
    """Reissue, approve its own request, read the order again, then the certificate from the chain; reissues and duplicates merged by serial number."""
    body = {"certificate": {"common_name": NAME, "dns_names": [NAME, "b.example.com"], "csr": account.digicert.csr("new", NAME), "signature_hash": "sha256",
                            "ca_cert_id": None}, "order_id": 1, "skip_approval": False}
    answer = session.post(f"{base(account)}/order/certificate/1/reissue", json=body, timeout=10).json()
    approval = {"status": "approved", "processor_comment": "by the plugin"}
    assert session.put(f"{base(account)}/request/{answer['requests'][0]['id']}/status", json=approval, timeout=10).status_code == 204
    order = session.get(f"{base(account)}/order/certificate/1", timeout=10).json()
    assert (order["certificate"].get("status") or order["status"]) == "issued"
    chain = session.get(f"{base(account)}/certificate/{order['certificate']['id']}/chain", timeout=10).json()["intermediates"]
    assert x509.load_pem_x509_certificate(chain[0]["pem"].encode()).public_key() == account.authority.keys["new"].public_key()
    lists = [session.get(f"{base(account)}/order/certificate/1/{kind}?show_archived=true", timeout=10).json() for kind in ("reissue", "duplicate")]
    assert {row["serial_number"] for found in lists for row in found["certificates"]} == {order["certificate"]["serial_number"]}
    changes = session.get(f"{base(account)}/order/certificate/status-changes?seconds=600", timeout=10).json()
    assert [item["order_id"] for item in changes["orders"]] == [1]


def test_as_the_ruby_gem_does(account: Simulator, session: requests.Session) -> None:
    """No User-Agent and no Accept, an address that ends in a question mark, everything copied from the order."""
    session.headers.update({"User-Agent": None, "Accept": None})  # type: ignore[dict-item]
    order = session.get(f"{base(account)}/order/certificate/1?", timeout=10).json()
    known = order["certificate"]
    wanted = {"common_name": known["common_name"], "dns_names": known["dns_names"], "csr": known["csr"], "signature_hash": known["signature_hash"],
              "server_platform": {"id": known["server_platform"]["id"]}}
    answer = session.post(f"{base(account)}/order/certificate/1/reissue?", json={"certificate": wanted}, timeout=10).json()
    assert session.get(f"{base(account)}/request/{answer['requests'][0]['id']}?", timeout=10).json()["type"] == "reissue"
    account.digicert.approve(1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", session.get(f"{base(account)}/order/certificate/1?", timeout=10).json()["last_reissued_date"])
    canceled = session.put(f"{base(account)}/order/certificate/1/status?", json={"status": "CANCELED", "note": "x", "send_emails": False}, timeout=10)
    assert canceled.status_code == 400


def test_as_the_terraform_provider_does(account: Simulator, session: requests.Session) -> None:
    """Zeroed members that mean nothing here, the name of a product as ICA, the random value in the answer, validation by domain."""
    account.digicert.load([{**ENTRY, "shape": "dcv_random_value"}])
    body = {"certificate": {"common_name": NAME, "dns_names": ["b.example.com"], "csr": account.digicert.csr("new", NAME), "signature_hash": "sha256",
                            "ca_cert_id": "ssl_basic", "server_platform": {"id": 34}, "organization_units": None},
            "organization": {"id": 0}, "order_validity": {"years": 0}, "payment_method": "", "renewal_of_order_id": 0, "dcv_method": "dns-txt-token",
            "skip_approval": True}
    answer = session.post(f"{base(account)}/order/certificate/1/reissue", json=body, timeout=10).json()
    assert (answer["id"], bool(answer["dcv_random_value"]), answer.get("errors")) == (1, True, None)
    account.digicert.change(1, {"dcv_token": True})
    domain = session.get(f"{base(account)}/domain", timeout=10).json()["domains"][0]["id"]
    assert session.put(f"{base(account)}/domain/{domain}/dcv/validate-token", timeout=10).status_code == 204
    assert session.get(f"{base(account)}/order/certificate/1", timeout=10).json()["certificate"]["id"] == answer["certificate_id"]


def test_as_the_venafi_connector_does(account: Simulator, session: requests.Session) -> None:
    """``reason`` and ``comment`` instead of the documented names; only ``submitted`` is success to it."""
    account.configure({"digicert": {"request_status": "submitted"}})
    number = session.get(f"{base(account)}/order/certificate?limit=100&offset=0", timeout=10).json()["orders"][0]["certificate"]["id"]
    answer = session.put(f"{base(account)}/certificate/{number}/revoke", json={"reason": "superseded", "comment": "old"}, timeout=10)
    assert (answer.status_code, answer.json()["status"], answer.json()["comments"]) == (201, "submitted", "old")


def test_as_go_certcentral_does(account: Simulator, session: requests.Session) -> None:
    """Compares the content type of an error exactly."""
    session.headers.update({"User-Agent": "sapcc/go-certcentral", "Accept": "application/json"})
    answer = session.get(f"{base(account)}/order/certificate/99", timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["errors"][0] == {"code": "not_found|order", "message": "The specified order could not be found."}
