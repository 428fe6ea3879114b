# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates/Reset: the rows of the vendor sheet and the recorded texts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.plain_client import Client

HOME = "\\VED\\Policy\\Certificates"
DN = f"{HOME}\\a.example.com"
NOTHING = "Reset is not completed. No reset is required for the certificate."
ERROR = {"in_error": True, "stage": 500, "status": "Post CSR failed."}
REASON = "Bad request. Check the error in the response for details."


def load(simulator: Simulator, **spec: Any) -> None:
    simulator.tpp.load([{"name": "a.example.com", **spec}])


@pytest.mark.parametrize(
    ("spec", "flags"),
    [
        (ERROR, ["ProcessingReset"]),
        ({"stage": 500, "status": "Post CSR", "in_process": True}, ["ProcessingReset"]),
        ({"status": "left over"}, ["ProcessingReset"]),
        ({"ticket": True}, ["ProcessingReset"]),
        ({"work_to_do": True}, ["ProcessingReset"]),
        ({"in_flight": True}, ["ProcessingReset"]),
        ({"consumers": [{"dn": "\\VED\\Policy\\app", "in_error": True, "stage": 800}]}, ["ProcessingReset"]),
        ({"key_state": "mismatch"}, ["PrivateKeyMismatchReset"]),
        ({"key_state": "missing"}, ["PrivateKeyMismatchReset"]),
        ({"key_state": "foreign"}, ["PrivateKeyMismatchReset"]),
        ({"revocation": "revoked"}, ["RevocationReset"]),
        ({"revocation": "error"}, ["RevocationReset"]),
        ({**ERROR, "key_state": "mismatch", "revocation": "revoked"}, ["ProcessingReset", "PrivateKeyMismatchReset", "RevocationReset"]),
    ],
)
@pytest.mark.parametrize("restart", [False, True])
def test_reset_names_what_it_did_and_a_second_one_has_nothing_to_do(
    simulator: Simulator, client: Client, spec: dict[str, Any], flags: list[str], restart: bool
) -> None:
    load(simulator, **spec)
    answer = client.reset(DN, Restart=restart)
    wanted = [f"{flag}Completed" for flag in flags] + ["RestartCompleted"] * restart
    assert (answer.status_code, answer.json()) == (200, dict.fromkeys(wanted, True))
    again = client.reset(DN, Restart=restart)
    if restart:
        assert again.json() == {"ProcessingResetCompleted": True, "RestartCompleted": True}
        assert simulator.records.effects(DN) == ["reset+restart"] * 2
    else:
        assert (again.status_code, again.reason, again.json()) == (400, REASON, {"Error": NOTHING})
        assert simulator.records.effects(DN) == ["reset"]
        assert client.details(simulator.tpp[DN].guid)["ProcessingDetails"] == {}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "Invalid CertificateDN format. The Certificate DN contained null or white spaces for (CertificateDN)."),
        ({"CertificateDN": " "}, "Invalid CertificateDN format. The Certificate DN contained null or white spaces for (CertificateDN)."),
        (
            {"CertificateDN": f"{HOME}\\no"},
            f'CertificateDN error. CertificateDN: "{HOME}\\no" does not exist or you do not have sufficient rights to the object.',
        ),
        ({"CertificateDN": DN}, NOTHING),
        ({"CertificateDN": DN, "Restart": True}, NOTHING),
        ({"CertificateDN": DN, "WorkToDoTimeout": 120}, NOTHING),
        ({"CertificateDN": DN, "WorkToDoTimeout": 121}, "Invalid WorkToDoTimeout. The value must be between 0 and 120."),
        ({"CertificateDN": 7}, "Error converting value of CertificateDN to type 'System.String'."),
        ({"CertificateDN": DN, "Restart": 7}, "Error converting value of Restart to type 'System.Boolean'."),
    ],
)
def test_reset_refuses(simulator: Simulator, client: Client, body: dict[str, Any], text: str) -> None:
    load(simulator)
    answer = client.post("/vedsdk/Certificates/Reset", body)
    assert (answer.status_code, answer.reason, answer.json()) == (400, REASON, {"Error": text})
    assert simulator.journal[-1]["effect"] == ""


@pytest.mark.parametrize(
    ("spec", "fragment"),
    [
        ({"management_type": "Unassigned"}, "Management Type error. The reset failed because the certificate Management Type is Unassigned."),
        ({"lock": 1}, "Failed to lock certificate."),
        ({"lock_seconds": 10}, "Failed to lock certificate."),
        ({"rights": {"certops": ["view", "read"]}}, f"Access error. Your don't have write permissions for certificate {DN}."),
        ({"rights": {"certops": []}}, "does not exist or you do not have sufficient rights to the object."),
    ],
)
def test_reset_is_guarded(simulator: Simulator, client: Client, spec: dict[str, Any], fragment: str) -> None:
    load(simulator, **ERROR, **spec)
    answer = client.reset(DN)
    assert answer.status_code == 400
    assert fragment in answer.json()["Error"]
    assert simulator.tpp[DN].in_error


def test_a_lock_ends_after_so_many_requests_or_seconds(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, lock=2)
    assert [client.reset(DN).status_code for dummy in range(3)] == [400, 400, 200]
    load(simulator, **ERROR, lock_seconds=10)
    assert client.reset(DN).status_code == 400
    simulator.clock.advance(10)
    assert client.reset(DN).status_code == 200


def test_the_order_of_checks_is_a_switch(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, management_type="Unassigned", lock=9)
    assert "Management Type" in client.reset(DN).json()["Error"]
    simulator.configure({"tpp": {"reset_order": ["lock", "management_type", "rights"]}})
    assert "Failed to lock" in client.reset(DN).json()["Error"]


def test_nothing_to_reset_can_be_a_success_without_flags(simulator: Simulator, client: Client) -> None:
    load(simulator)
    simulator.configure({"tpp": {"reset_without_flags": True}})
    answer = client.reset(DN)
    assert (answer.status_code, answer.json()) == (200, {})


def test_restart_of_a_healthy_certificate_can_renew_it(simulator: Simulator, client: Client) -> None:
    load(simulator)
    simulator.configure({"tpp": {"restart_renews_healthy": True}})
    assert client.reset(DN, Restart=True).json() == {"RestartCompleted": True}


def test_read_only_consumers_can_be_made_to_matter(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, consumers=[{"dn": "\\VED\\Policy\\app", "writable": False}])
    simulator.configure({"tpp": {"reset_needs_consumer_rights": True}})
    assert "write permissions" in client.reset(DN).json()["Error"]
    simulator.configure({"tpp": {"reset_needs_consumer_rights": False}})
    assert client.reset(DN).status_code == 200


@pytest.mark.parametrize(("version", "kept"), [("26.1.1.0", ""), ("24.3.0", "stored")])
def test_clear_csr_exists_since_26_1(simulator: Simulator, client: Client, version: str, kept: str) -> None:
    load(simulator, **ERROR)
    simulator.tpp.change(DN, {"csr": "stored", "user_csr": True})
    simulator.configure({"tpp": {"version": version}})
    assert client.reset(DN, ClearCSR=True).status_code == 200
    assert simulator.tpp[DN].csr == kept


def test_the_expired_wait_has_a_switchable_status(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR)
    simulator.configure({"tpp": {"work_to_do_expired_status": 202}})
    assert client.reset(DN, Restart=True, WorkToDoTimeout=1).status_code == 202


def test_names_are_compared_without_case_and_may_hold_anything(simulator: Simulator, client: Client) -> None:
    names = ["Example, Inc.", "München", '東京 "beta"', "DOMAIN\\host"]
    simulator.tpp.load([{"name": name, "dns": ["x.example.com"], **ERROR} for name in names])
    listed = client.get("/vedsdk/certificates/").json()["Certificates"]
    assert [item["Name"] for item in listed] == ["Example, Inc.", "München", '東京 "beta"', "DOMAIN\\\\host"]
    for item in listed:
        assert item["ParentDn"] == HOME
        assert client.reset(item["DN"].swapcase()).status_code == 200
        assert simulator.records.effects(item["DN"]) == ["reset"]


# -- renewals ----------------------------------------------------------------------------------------------------


def watch(simulator: Simulator, client: Client, seconds: int) -> list[tuple[Any, Any]]:
    """Stage and status, second by second, without repetitions."""
    seen: list[tuple[Any, Any]] = []
    for dummy in range(seconds):
        details = client.details(simulator.tpp[DN].guid)["ProcessingDetails"]
        state = (details.get("Stage"), details.get("Status"))
        if state not in seen:
            seen.append(state)
        simulator.clock.advance(1)
    return seen


def test_restart_goes_through_the_stages_to_a_new_certificate(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, renewal={"queued": 2, "seconds": 5})
    before = simulator.tpp.facts(DN)["Thumbprint"]
    client.reset(DN, Restart=True)
    seen = watch(simulator, client, 9)
    assert seen[:2] == [(-1, "Queued for renewal"), (0, "Prepares the Certificate Object for lifecycle processing")]
    assert [stage for stage, dummy in seen] == [-1, 0, 300, 400, 500, 700, None]
    assert simulator.tpp.facts(DN)["Thumbprint"] != before
    versions = client.get(f"/vedsdk/certificates/{simulator.tpp[DN].guid}/PreviousVersions").json()["PreviousVersions"]
    assert [version["CertificateDetails"]["Thumbprint"] for version in versions] == [before]


def test_a_renewal_fails_again_at_its_stage(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, renewal={"outcome": "failed", "stage": 400, "status": "No organization."})
    client.reset(DN, Restart=True)
    simulator.clock.advance(60)
    assert client.details(simulator.tpp[DN].guid)["ProcessingDetails"] == {"Stage": 400, "Status": "No organization.", "InError": True}


def test_installation_fails_after_the_certificate_was_issued(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, management_type="Provisioning", renewal={"outcome": "failed", "stage": 800, "status": "Denied."})
    client.reset(DN, Restart=True)
    simulator.clock.advance(60)
    assert (simulator.tpp[DN].stage, len(simulator.tpp[DN].versions)) == (800, 2)


def test_a_renewal_waits_for_its_approval(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR, renewal={"workflow": True})
    client.reset(DN, Restart=True)
    simulator.clock.advance(3600)
    details = client.details(simulator.tpp[DN].guid)["ProcessingDetails"]
    assert "pending workflow resolution" in details["Status"].lower()
    assert details["TicketDN"].startswith("\\VED\\Workflow Tickets\\")
    assert client.get("/vedsdk/certificates/?PendingWorkflow").json()["TotalCount"] == 1
    simulator.tpp.approve(DN)
    simulator.clock.advance(60)
    assert client.details(simulator.tpp[DN].guid)["ProcessingDetails"] == {}


def test_a_reset_drops_the_ticket(simulator: Simulator, client: Client) -> None:
    load(simulator, in_flight=True, renewal={"workflow": True, "queued": 0, "seconds": 0})
    assert client.reset(DN).status_code == 200
    assert (simulator.tpp[DN].ticket_dn, simulator.tpp[DN].work) == ("", None)


def test_renewals_fail_while_the_authority_is_down(simulator: Simulator, client: Client) -> None:
    load(simulator, **ERROR)
    authority = simulator.tpp[DN].authority
    simulator.tpp.set_authority(authority, up=False)
    client.reset(DN, Restart=True)
    simulator.clock.advance(60)
    details = client.details(simulator.tpp[DN].guid)["ProcessingDetails"]
    assert details["Status"].startswith("Post CSR failed with error: Cannot connect to the certificate authority (CA).")
    assert (details["Stage"], details["InError"]) == (500, True)
    client.session.post(f"{client.url}/_control/tpp/authority", json={"dn": authority, "up": True})
    client.reset(DN, Restart=True)
    simulator.clock.advance(60)
    assert not simulator.tpp[DN].in_error


def test_an_authority_comes_back_with_the_time(simulator: Simulator, client: Client) -> None:
    dn, issuer = "\\VED\\Policy\\CA", "CN=CA"
    simulator.reset({"tpp": {"authorities": [{"dn": dn, "issuer": issuer, "up_after": 100}], "certificates": [{"name": "a.example.com", **ERROR}]}})
    simulator.clock.scale = 0
    client.reset(DN, Restart=True)
    simulator.clock.advance(90)
    assert simulator.tpp[DN].in_error
    simulator.clock.advance(10)
    client.reset(DN, Restart=True)
    simulator.clock.advance(60)
    assert not simulator.tpp[DN].in_error


@pytest.mark.parametrize(("visible", "wanted"), [(True, {"Stage": -1, "Status": "Queued for renewal"}), (False, {})])
def test_a_queued_certificate_shows_or_hides(simulator: Simulator, client: Client, visible: bool, wanted: dict[str, Any]) -> None:
    load(simulator, **ERROR)
    simulator.configure({"tpp": {"queued_visible": visible}})
    client.reset(DN, Restart=True)
    assert client.details(simulator.tpp[DN].guid)["ProcessingDetails"] == wanted


@pytest.mark.parametrize(("version", "known"), [("26.1.1.0", True), ("22.4.0", False)])
def test_newer_members_of_the_processing_details(simulator: Simulator, client: Client, version: str, known: bool) -> None:
    load(simulator, stage=500, status="Post CSR", in_process=True, ticket=True)
    simulator.configure({"tpp": {"version": version}})
    details = client.details(simulator.tpp[DN].guid)["ProcessingDetails"]
    assert ("InProcess" in details, "TicketDN" in details) == (known, known)
