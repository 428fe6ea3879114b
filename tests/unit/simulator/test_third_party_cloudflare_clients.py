# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare's own SDK for Python against the simulator (written with 5.9.0; skipped where it is not installed)."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

cloudflare = pytest.importorskip("cloudflare")

ENTRYPOINT = "http_request_firewall_custom"
Opener = Callable[..., Any]


@pytest.fixture
def opened(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Opens clients: an ``api_token`` unless other credentials are given."""
    # Else it waits between its attempts.
    monkeypatch.setattr("cloudflare._base_client.BaseClient._calculate_retry_timeout", lambda *dummy, **dummy_named: 0.0)
    clients = []

    def opener(**options: Any) -> Any:
        ready = simulator.ready["cloudflare"]
        http = cloudflare.DefaultHttpxClient(verify=ssl.create_default_context(cafile=simulator.ready["ca_path"]), trust_env=False)
        login = options if {"api_token", "api_key"} & set(options) else {"api_token": ready["api_token"], **options}
        clients.append(cloudflare.Cloudflare(base_url=ready["url"], http_client=http, **login))
        return clients[-1]

    yield opener
    for client in clients:
        client.close()


@pytest.fixture
def client(opened: Opener) -> Any:
    return opened()


@pytest.fixture
def zone(simulator: Simulator) -> str:
    return str(simulator.ready["cloudflare"]["zone_id"])


def effects(simulator: Simulator, label: str, name: str) -> list[str]:
    """What has been done with the key behind a label."""
    number = simulator.cloudflare.add([{"cn": name, "key": label}], zone="example.net")[0]
    return simulator.records.effects(simulator.cloudflare[number].public_key_sha256)


def test_the_whole_life(simulator: Simulator, client: Any, zone: str) -> None:
    csr = simulator.cloudflare.csr("key", "tablet.example.com", organization="Example Corp")
    made = client.client_certificates.create(zone_id=zone, csr=csr, validity_days=30)
    assert (made.status, made.common_name, made.organization, made.validity_days) == ("active", "tablet.example.com", "Example Corp", 30)
    assert x509.load_pem_x509_certificate(made.certificate.encode()).serial_number == int(made.serial_number, 16)
    assert client.client_certificates.get(made.id, zone_id=zone) == made
    assert client.client_certificates.delete(made.id, zone_id=zone).status == "pending_revocation"
    assert client.client_certificates.edit(made.id, zone_id=zone).status == "pending_revocation"
    assert client.client_certificates.edit(made.id, zone_id=zone, reactivate=True).status == "pending_reactivation"
    simulator.clock.advance(30)
    assert client.client_certificates.get(made.id, zone_id=zone).status == "active"
    assert simulator.records.effects(made.id) == ["revoke", "reactivate"]


def test_the_list_to_its_end(simulator: Simulator, client: Any, zone: str) -> None:
    """It pages until a page is empty and never looks at ``result_info``."""
    numbers = simulator.cloudflare.load([{"cn": "device-{n:03}", "count": 103}, {"cn": "gone", "count": 7, "status": "revoked"}])
    found = [item.id for item in client.client_certificates.list(zone_id=zone, status="all", per_page=50)]
    assert sorted(found) == sorted(numbers)
    assert [entry["query"]["page"] for entry in simulator.journal if "page" in entry["query"]] == ["2", "3", "4"]
    assert len(list(client.client_certificates.list(zone_id=zone))) == 103
    assert {item.status for item in client.client_certificates.list(zone_id=zone, status="revoked")} == {"revoked"}
    assert len(list(client.client_certificates.list(zone_id=zone, limit=30, offset=90))) == 13


@pytest.mark.parametrize("fault", [{"action": "html"}, {"action": "status", "status": 503}, {"action": "drop_after"}])
def test_a_create_makes_up_to_three_certificates(simulator: Simulator, client: Any, zone: str, fault: dict[str, Any]) -> None:
    """Why there is a module of our own: the SDK repeats a POST whose answer did not come, and each is signed. It tells of one failure, or one certificate."""
    csr = simulator.cloudflare.csr("key", "tablet.example.com")
    simulator.faults.add(match={"method": "POST"}, times=2, **{"after": True, **fault})
    made = client.client_certificates.create(zone_id=zone, csr=csr, validity_days=30)
    assert len(simulator.cloudflare.certificates()) == 3 and made.id == simulator.cloudflare.certificates()[-1].id
    assert effects(simulator, "key", "tablet.example.com") == ["create"] * 3
    simulator.cloudflare.load([])
    simulator.faults.add(match={"method": "POST"}, times=3, **{"after": True, **fault})
    with pytest.raises((cloudflare.InternalServerError, cloudflare.APIConnectionError)):
        client.client_certificates.create(zone_id=zone, csr=csr, validity_days=30)
    assert len(simulator.cloudflare.certificates()) == 3


def test_a_lost_revocation_is_reported_as_a_failure(simulator: Simulator, client: Any, zone: str) -> None:
    """Its second DELETE finds the certificate on its way out."""
    number = simulator.cloudflare.load([{"cn": "tablet.example.com"}])[0]
    simulator.faults.add("html", after=True)
    with pytest.raises(cloudflare.BadRequestError) as refused:
        client.client_certificates.delete(number, zone_id=zone)
    assert [item.code for item in refused.value.errors] == [1407]
    assert simulator.records.effects(number) == ["revoke"]


def test_success_is_not_checked(simulator: Simulator, client: Any, zone: str) -> None:
    number = simulator.cloudflare.load([{"cn": "tablet.example.com"}])[0]
    simulator.configure({"cloudflare": {"success_false_with_200": "revoke_certificate"}})
    assert client.client_certificates.delete(number, zone_id=zone) is None
    assert simulator.cloudflare[number].status == "active"


def test_failures(simulator: Simulator, client: Any, opened: Opener, zone: str) -> None:
    ready = simulator.ready["cloudflare"]
    with pytest.raises(cloudflare.NotFoundError) as unknown:
        client.client_certificates.get("7bf7f70c-7600-42e1-81c4-e4c0da9aa515", zone_id=zone)
    assert unknown.value.errors[0].code == 1415
    with pytest.raises(cloudflare.PermissionDeniedError):
        opened(api_token=ready["read_token"]).client_certificates.delete("x", zone_id=zone)
    with pytest.raises(cloudflare.BadRequestError) as malformed:
        opened(api_token=ready["api_key"]).client_certificates.get("x", zone_id=zone)
    assert malformed.value.errors[0].code == 6003
    simulator.faults.add("html", times=3)
    with pytest.raises(cloudflare.InternalServerError) as page:
        client.client_certificates.get("x", zone_id=zone)
    assert page.value.errors == [] and "cloudflare" in page.value.response.text


def test_an_email_address_hides_the_token(simulator: Simulator, opened: Opener, zone: str) -> None:
    ready = simulator.ready["cloudflare"]
    with pytest.raises(cloudflare.BadRequestError) as missing:
        opened(api_token=ready["api_token"], api_email=ready["email"]).client_certificates.get("x", zone_id=zone)
    assert missing.value.errors[0].code == 9106
    by_key = opened(api_key=ready["api_key"], api_email=ready["email"])
    assert list(by_key.client_certificates.list(zone_id=zone)) == []


def test_a_block_is_too_long_for_its_patience(simulator: Simulator, client: Any, zone: str) -> None:
    """``retry-after`` says 300, of which it takes no notice above 60: three requests, and it gives up."""
    simulator.configure({"cloudflare": {"rate_limit": 1}})
    client.client_certificates.list(zone_id=zone)
    with pytest.raises(cloudflare.RateLimitError) as limited:
        client.client_certificates.list(zone_id=zone)
    assert (limited.value.response.headers["retry-after"], [entry["status"] for entry in simulator.journal]) == ("300", [200, 429, 429, 429])


def test_around_the_certificates(simulator: Simulator, client: Any, opened: Opener, zone: str) -> None:
    ready = simulator.ready["cloudflare"]
    found = [item.id for item in client.zones.list(name="example.com")]
    assert found == [zone] and client.zones.get(zone_id=zone).account.id == ready["account_id"]
    assert [item.status for item in client.zones.list(name=ready["twice_zone_name"], account={"id": ready["account_id"]})] == ["moved"]
    associations = client.certificate_authorities.hostname_associations
    assert associations.update(zone_id=zone, hostnames=["api.example.com"]).hostnames == ["api.example.com"]
    assert associations.get(zone_id=zone).hostnames == ["api.example.com"]
    simulator.cloudflare.set_waf_rules(zone, ["cf.tls_client_auth.cert_revoked"])
    assert [rule.action for rule in client.rulesets.phases.get(ENTRYPOINT, zone_id=zone).rules] == ["block"]
    assert [item.phase for item in client.rulesets.list(zone_id=zone)] == [ENTRYPOINT]
    assert client.user.tokens.verify().status == "active"
    account = opened(api_token=ready["account_token"])
    assert account.accounts.tokens.verify(account_id=ready["account_id"]).status == "active"
    with pytest.raises(cloudflare.AuthenticationError):
        account.user.tokens.verify()
