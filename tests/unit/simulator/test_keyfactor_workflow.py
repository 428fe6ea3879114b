# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command: revocations that wait for an approval; control calls, scenarios, switches and the state file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.keyfactor_client import Command

APPROVE = {"SignalKey": "RequireApproval1.ApprovalStatus", "Data": {"Approved": "True", "Comment": "Go."}}
DENY = {"SignalKey": "RequireApproval1.ApprovalStatus", "Data": {"Approved": False}}
WAITS = {"cn": "bank.example.com", "approval": True}


@pytest.fixture
def command(simulator: Simulator) -> Iterator[Command]:
    simulator.keyfactor.load([WAITS, {"cn": "web.example.com"}])
    plain = Command(simulator)
    yield plain
    plain.session.close()


def switch(simulator: Simulator, **switches: Any) -> None:
    simulator.configure({"keyfactor": switches})


def suspend(command: Command, **more: Any) -> str:
    """Ask for the revocation of certificate 1; the instance that waits."""
    return str(command.revoke(1, **more).json()["SuspendedCerts"][0]["WorkflowId"])


def control(simulator: Simulator, command: Command, action: str, **data: Any) -> dict[str, Any]:
    return dict(command.session.post(f"{simulator.ready['control_url']}keyfactor/{action}", json=data, timeout=10).json())


# -- suspended ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "shown"), [("Wait.", "Wait."), ("", None)])
def test_an_approval_suspends_the_revocation(simulator: Simulator, command: Command, text: str, shown: str | None) -> None:
    switch(simulator, suspended_message=text)
    answer = command.revoke(1, 2)
    suspended = answer.json()["SuspendedCerts"]
    assert (answer.status_code, answer.json()["RevokedIds"]) == (200, [2])
    assert [(item["CertId"], item["Message"]) for item in suspended] == [(1, shown)]
    assert str(uuid.UUID(suspended[0]["WorkflowId"])) == suspended[0]["WorkflowId"]
    assert simulator.keyfactor[1].pending == [suspended[0]["WorkflowId"]]
    assert (command.one(1)["CertState"], simulator.records.effects("1"), simulator.records.effects("2")) == (1, ["suspend"], ["revoke"])


def test_a_second_revocation_while_one_waits(simulator: Simulator, command: Command) -> None:
    first = suspend(command)
    answer = command.revoke(1)
    assert (answer.status_code, "suspended workflow" in answer.json()["Message"]) == (400, True)
    switch(simulator, second_revoke_while_suspended="another")
    second = suspend(command)
    assert simulator.keyfactor[1].pending == [first, second]
    assert simulator.records.effects("1") == ["suspend", "suspend"]
    simulator.keyfactor.approve(1)
    assert simulator.records.effects("1") == ["suspend", "suspend", "revoke"]
    assert [item["Status"] for item in command.get("/Workflow/Instances").json()] == ["Complete", "Failed"]
    assert "has previously been revoked" in command.get(f"/Workflow/Instances/{second}").json()["StatusMessage"]


def test_the_instance_tells_what_was_asked(simulator: Simulator, command: Command) -> None:
    number = suspend(command, reason=4, EffectiveDate="2026-12-01T00:00:00Z")
    listed = command.get("/Workflow/Instances", **{"pq.queryString": 'Status -eq "Suspended"'}).json()
    assert [item["Id"] for item in listed] == [number]
    assert set(listed[0]) == {
        "Id", "Status", "CurrentStepId", "StatusMessage", "Definition", "CurrentStepDisplayName", "CurrentStepUniqueName", "Title", "LastModified",
        "StartDate", "ReferenceId",
    }
    assert (listed[0]["Status"], listed[0]["Definition"]["WorkflowType"]) == ("Suspended", "Revocation")
    details = command.get(f"/Workflow/Instances/{number.upper()}").json()
    certificate = simulator.keyfactor[1]
    wanted = {
        "CertificateAuthority": certificate.authority, "CertificateId": 1, "SerialNumberString": certificate.serial, "Thumbprint": certificate.thumbprint,
        "RevokeCode": 4, "EffectiveDate": "2026-12-01T00:00:00Z", "Comment": "INC-1", "Delegate": False, "OperationStart": details["StartDate"],
    }
    assert details["InitialData"] == wanted
    assert details["Signals"][0]["SignalName"] == "ApprovalStatus"
    assert details["CurrentStepUniqueName"] == "RequireApproval1"


@pytest.mark.parametrize(
    "query",
    ['Status -eq "Suspended"', "Status -eq 2", 'WorkflowType -eq "Revocation"', 'InitiatingUserName -contains "certops"', 'Title -contains "bank"',
     "ReferenceId -eq 1", 'StartDate -ge "%TODAY%"', "LastModified -ne NULL", 'DefinitionId -ne "x"'],
)
def test_instances_can_be_queried(command: Command, query: str) -> None:
    suspend(command)
    answer = command.get("/Workflow/Instances", QueryString=query)
    assert (len(answer.json()), answer.headers["X-Total-Count"]) == (1, "1")
    assert command.get("/Workflow/Instances", QueryString='Status -eq "Complete"').json() == []
    assert command.get("/Workflow/Instances", QueryString="InitialData -eq 1").status_code == 400


def test_instances_come_in_pages(simulator: Simulator, command: Command) -> None:
    ids = simulator.keyfactor.load([{"cn": "a{n}", "count": 60, "approval": True}])
    command.revoke(*ids)
    assert len(command.get("/Workflow/Instances").json()) == 50
    second = command.get("/Workflow/Instances", **{"pq.pageReturned": 2, "pq.returnLimit": 50, "pq.sortField": "StartDate"})
    assert (len(second.json()), second.headers["X-Total-Count"]) == (10, "60")


def test_words_or_numbers(simulator: Simulator, command: Command) -> None:
    number = suspend(command)
    switch(simulator, workflow_status_form="number", workflow_type="CertificateRevocation", workflow_status_numbers={"Suspended": 5})
    shown = command.get(f"/Workflow/Instances/{number}").json()
    assert (shown["Status"], shown["Definition"]["WorkflowType"]) == (5, "CertificateRevocation")


# -- deciding ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "spec", "effect"), [(1, {}, "revoke"), (6, {}, "hold"), (-1, {"on_hold": True}, "release"), (1, {"on_hold": True}, "revoke")]
)
def test_approving_does_what_was_asked(simulator: Simulator, command: Command, reason: int, spec: dict[str, Any], effect: str) -> None:
    simulator.keyfactor.load([{**WAITS, **spec}])
    number = suspend(command, reason=reason)
    assert command.post(f"/Workflow/Instances/{number}/Signals", APPROVE).status_code == 204
    certificate = simulator.keyfactor[1]
    assert (certificate.pending, simulator.records.effects("1")) == ([], ["suspend", effect])
    assert certificate.revocation_reason == (None if reason == -1 else reason)
    assert certificate.revocation_comment == (None if reason == -1 else "INC-1")
    shown = command.get(f"/Workflow/Instances/{number}").json()
    assert (shown["Status"], shown["CurrentStepUniqueName"], shown["Signals"]) == ("Complete", None, [])
    assert command.post(f"/Workflow/Instances/{number}/Signals", APPROVE).status_code == 400


def test_denying_leaves_it_as_it_was(simulator: Simulator, command: Command) -> None:
    number = suspend(command)
    assert command.post(f"/Workflow/Instances/{number}/Signals", DENY).status_code == 204
    assert command.get(f"/Workflow/Instances/{number}").json()["Status"] == "Rejected"
    assert (simulator.keyfactor[1].state, simulator.keyfactor[1].pending, simulator.records.effects("1")) == (1, [], ["suspend"])
    assert suspend(command) != number


def test_an_approval_that_the_authority_turns_into_a_failure(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{**WAITS, "ca_refuses": "No contact."}])
    number = suspend(command)
    simulator.keyfactor.approve(1)
    shown = command.get(f"/Workflow/Instances/{number}").json()
    assert (shown["Status"], shown["StatusMessage"], simulator.keyfactor[1].state) == ("Failed", "No contact.", 1)
    assert simulator.records.effects("1") == ["suspend"]


@pytest.mark.parametrize("body", [{}, {"SignalKey": "Other.Signal", "Data": {"Approved": True}}, {**APPROVE, "Data": {}}, {**APPROVE, "Data": "yes"}])
def test_signals_that_make_no_sense(simulator: Simulator, command: Command, body: dict[str, Any]) -> None:
    number = suspend(command)
    assert command.post(f"/Workflow/Instances/{number}/Signals", body).status_code == 400
    assert simulator.keyfactor[1].pending == [number]


def test_stop_restart_and_delete(simulator: Simulator, command: Command) -> None:
    first = suspend(command)
    assert command.post(f"/Workflow/Instances/{first}/Restart", {}).status_code == 204
    second = simulator.keyfactor[1].pending[0]
    assert second != first
    assert command.get(f"/Workflow/Instances/{first}").json()["Status"] == "CanceledForRestart"
    assert command.post(f"/Workflow/Instances/{second}/Stop").status_code == 204
    assert command.get(f"/Workflow/Instances/{second}").json()["Status"] == "Rejected"
    assert command.post(f"/Workflow/Instances/{second}/Stop").status_code == 400
    third = suspend(command)
    assert command.session.delete(f"{command.base}/Workflow/Instances/{third}", timeout=10).status_code == 204
    assert (simulator.keyfactor[1].pending, simulator.keyfactor[1].state) == ([], 1)
    assert command.get(f"/Workflow/Instances/{third}").status_code == 404


def test_only_the_guid_is_an_address(command: Command) -> None:
    suspend(command)
    assert command.get("/Workflow/Instances/1").status_code == 404
    assert command.get(f"/Workflow/Instances/{uuid.uuid4()}").status_code == 404


def test_approvals_come_by_themselves(simulator: Simulator, command: Command) -> None:
    simulator.keyfactor.load([{**WAITS, "approval_seconds": 60}])
    suspend(command)
    simulator.clock.advance(59)
    assert command.one(1)["CertState"] == 1
    simulator.clock.advance(1)
    assert (command.one(1)["CertState"], command.one(1)["RevocationReason"]) == (2, 1)
    assert simulator.records.effects("1") == ["suspend", "revoke"]
    note = next(entry for entry in simulator.journal if entry["effect"] == "revoke")
    assert (note["method"], note["target"], note["mutates"]) == ("", "1", False)


# -- permissions -------------------------------------------------------------------------------------------------


def as_user(simulator: Simulator, command: Command, **rights: Any) -> None:
    user = {"name": "web", "password": "pw", **rights}
    simulator.reset({"keyfactor": {"users": [user], "certificates": [WAITS, {**WAITS, "cn": "other", "suspended": True}]}})
    command.as_user("EXAMPLE\\web", "pw")


@pytest.mark.parametrize(
    ("granted", "everything", "own", "assigned"),
    [(True, [1, 2], [2], [1, 2]), ("mine", None, [2], None), ("pending", None, None, [1, 2]), (False, None, None, None)],
)
def test_which_instances_may_be_read(
    simulator: Simulator, command: Command, granted: bool | str, everything: Any, own: Any, assigned: Any
) -> None:
    as_user(simulator, command, workflows=granted)
    suspend(command)
    for path, wanted in (("", everything), ("/My", own), ("/AssignedToMe", assigned)):
        answer = command.get(f"/Workflow/Instances{path}")
        assert (answer.status_code, [item["ReferenceId"] for item in answer.json()] if wanted else None) == (200 if wanted else 403, wanted)
    foreign, mine = simulator.keyfactor[2].pending[0], simulator.keyfactor[1].pending[0]
    readable = [command.get(f"/Workflow/Instances/{item}").status_code == 200 for item in (foreign, mine)]
    assert readable == {True: [True, True], "mine": [False, True], "pending": [True, True], False: [False, False]}[granted]


def test_who_may_approve_and_stop(simulator: Simulator, command: Command) -> None:
    as_user(simulator, command, workflows="mine", approver=False)
    number = suspend(command)
    assert command.post(f"/Workflow/Instances/{number}/Signals", APPROVE).status_code == 403
    assert command.post(f"/Workflow/Instances/{number}/Stop").status_code == 403
    assert command.session.delete(f"{command.base}/Workflow/Instances/{number}", timeout=10).status_code == 403
    assert simulator.keyfactor[1].pending == [number]
    command.as_user("EXAMPLE\\certops", command.ready["password"])
    assert command.post(f"/Workflow/Instances/{number}/Signals", APPROVE).status_code == 204
    assert simulator.records.effects("1") == ["suspend", "revoke"]


# -- control, scenarios, switches --------------------------------------------------------------------------------


def test_the_control_calls(simulator: Simulator, command: Command) -> None:
    suspend(command)
    assert control(simulator, command, "approve", id=1) == {"ok": True}
    assert simulator.records.effects("1") == ["suspend", "revoke"]
    assert "waits" in control(simulator, command, "approve", id=1)["error"]
    assert control(simulator, command, "add", certificates=[{"cn": "new", "suspended": True}]) == {"ids": [3]}
    assert control(simulator, command, "reject", id=3) == {"ok": True}
    assert (simulator.keyfactor[3].pending, simulator.keyfactor[3].state) == ([], 1)
    assert control(simulator, command, "change", id=3, fields={"state": 2, "revocation_reason": 1}) == {"ok": True}
    assert command.one(3)["CertState"] == 2
    assert "cannot change thumbprint" in control(simulator, command, "change", id=3, fields={"thumbprint": ""})["error"]
    control(simulator, command, "remove", id=3)
    assert command.get("/Certificates/3").status_code == 404
    assert control(simulator, command, "nonsense")["error"]
    state = command.session.get(simulator.ready["control_url"] + "state", timeout=10).json()["keyfactor"]
    assert state == {"certificates": 2, "active": 1, "revoked": 1, "on_hold": 0, "suspended": 0, "crls": 0}


def test_what_is_removed_takes_its_instances_along(simulator: Simulator, command: Command) -> None:
    suspend(command)
    simulator.keyfactor.load([{"cn": "a"}])
    assert command.get("/Workflow/Instances").json() == []


@pytest.mark.parametrize(
    "switches",
    [{"nonsense": 1}, {"partial_failure": "nonsense"}, {"lenient_json": 1}, {"version": 25}, {"out_of_collection_status": 400}, {"error_codes": {"x": "y"}},
     {"read_back_delay": "soon"}, {"read_back_delay": True}, {"max_ids_per_request": True}],
)
def test_switches_that_make_no_sense(simulator: Simulator, switches: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="switch"):
        simulator.configure({"keyfactor": switches})


def test_a_reset_takes_the_switches_back(simulator: Simulator) -> None:
    switch(simulator, version="9", error_codes={"refused": "0x1"})
    simulator.reset("empty")
    assert simulator.keyfactor.switches.version == "25.4.1"
    assert simulator.keyfactor.switches.error_codes["refused"] == "0xA0110002"


def test_the_compromise_has_the_promised_numbers(simulator: Simulator, command: Command) -> None:
    simulator.reset("key_compromise")
    leaked = [item for item in simulator.keyfactor.store if item.key]
    assert (len(leaked), len(list(simulator.keyfactor.store))) == (60, 264)
    assert sum(bool(item.locations) for item in leaked) == 12
    wildcards, shop = (item["Id"] for item in command.get("/CertificateCollections").json())
    assert len(command.listed(collectionId=wildcards)) == 64
    assert len(command.listed(collectionId=shop)) == 144
    ids = [item.id for item in leaked]
    answer = command.revoke(*ids).json()
    assert (len(answer["RevokedIds"]), len(answer["SuspendedCerts"])) == (43 + 6, 3)
    rest = [item.id for item in leaked if item.id not in answer["RevokedIds"] and not item.pending]
    assert [command.revoke(number).status_code for number in rest] == [400] * (5 + 2)


def test_the_state_survives(simulator: Simulator, command: Command) -> None:
    switch(simulator, future_effective_date="on_date", read_back_delay=5)
    simulator.keyfactor.add([{"cn": "k", "key": "shared"}])
    number = suspend(command)
    command.revoke(2, EffectiveDate="2099-01-01T00:00:00Z")
    command.revoke(3)
    token = command.token().json()["access_token"]
    simulator.keyfactor.dump()
    command.post("/CertificateAuthority/PublishCRL", {"CertificateAuthorityLogicalName": "Corp Issuing CA 1"})
    before = [command.one(item) for item in (1, 2, 3)]
    data = json.loads(json.dumps(simulator.keyfactor.dump()))
    simulator.keyfactor.load([])
    simulator.keyfactor.restore(data)
    assert [command.one(item) for item in (1, 2, 3)] == before
    assert command.get(f"/Workflow/Instances/{number}").json()["Status"] == "Suspended"
    assert simulator.keyfactor.accounts.bearer(token) is not None
    assert len(simulator.keyfactor.crls) == 1
    assert simulator.keyfactor.add([{"cn": "new"}]) == [4]
    assert simulator.keyfactor.switches.read_back_delay == 5
    simulator.clock.advance(5)
    assert command.one(3)["CertState"] == 2
    assert command.listed(f'Thumbprint -eq "{before[2]["Thumbprint"]}"') == [3]
    simulator.keyfactor.approve(1)
    assert simulator.keyfactor[1].state == 2
