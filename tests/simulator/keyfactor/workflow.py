# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflow instances: revocations that wait for an approval."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..exchange import Answer, BadBody, Call, Refusal
from ..routes import Routes
from .certificates import page, parameters, selected, stamp
from .lifecycle import close, finish, order_of, start
from .objects import Instance
from .query import Field, by_name, compile_query

if TYPE_CHECKING:
    from .part import Keyfactor

ROUTES: Routes[Keyfactor] = Routes()
_GUID = r"(?P<instance>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_STEP, _SIGNAL = "RequireApproval1", "ApprovalStatus"
_DEFINITION, _STEP_ID, _SIGNAL_ID = (str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in ("definition", "step", "signal"))


# -- what may be read --------------------------------------------------------------------------------------------


def _readable(keyfactor: Keyfactor, call: Call, kinds: tuple[str, ...]) -> list[Instance]:
    """The instances that the caller may read under one of these permissions: all, ``mine`` or ``pending``."""
    account = keyfactor.account(call)
    granted = account.workflows
    if granted is not True and granted not in kinds:
        raise keyfactor.forbidden(call, "/workflows/instances/read/")
    return [item for item in keyfactor.store.instances.values() if granted is True or _fits(keyfactor, call, item, str(granted))]


def _fits(keyfactor: Keyfactor, call: Call, instance: Instance, kind: str) -> bool:
    if kind == "mine":
        return instance.user == call.user
    return instance.suspended and keyfactor.account(call).approver


def _list(keyfactor: Keyfactor, call: Call, instances: list[Instance]) -> Answer:
    given = parameters(keyfactor, call)
    fields: dict[str, Field[Instance]] = by_name([
        Field("DefinitionId", "text", lambda item: _DEFINITION),
        Field("Id", "text", lambda item: item.id),
        Field("InitiatingUserName", "text", lambda item: item.user),
        Field("LastModified", "date", lambda item: item.modified),
        Field("ReferenceId", "number", lambda item: item.reference),
        Field("StartDate", "date", lambda item: item.started),
        Field("Status", "texts", lambda item: [item.status, str(keyfactor.switches.workflow_status_numbers[item.status])]),
        Field("Title", "text", lambda item: _title(keyfactor, item)),
        Field("WorkflowType", "text", lambda item: keyfactor.switches.workflow_type),
    ])
    found = selected(instances, compile_query(given.get("querystring", ""), fields, keyfactor.clock.now()))
    items, total = page(keyfactor, given, found, fields, "ReferenceId")
    return keyfactor.reply([_summary(keyfactor, item) for item in items], total=total)


def _title(keyfactor: Keyfactor, instance: Instance) -> str:
    return f"{instance.user} is revoking the certificate {keyfactor.store.certificates[instance.certificate].subject}."


def _summary(keyfactor: Keyfactor, instance: Instance) -> dict[str, Any]:
    switches = keyfactor.switches
    step = (_STEP_ID, "Require Approval", _STEP) if instance.suspended else (None, None, None)
    return {
        "Id": instance.id,
        "Status": instance.status if switches.workflow_status_form == "word" else switches.workflow_status_numbers[instance.status],
        "CurrentStepId": step[0],
        "StatusMessage": instance.message,
        "Definition": {"Id": _DEFINITION, "DisplayName": "Revocation with approval", "Version": 1, "WorkflowType": switches.workflow_type},
        "CurrentStepDisplayName": step[1],
        "CurrentStepUniqueName": step[2],
        "Title": _title(keyfactor, instance),
        "LastModified": stamp(instance.modified),
        "StartDate": stamp(instance.started),
        "ReferenceId": instance.reference,
    }


def _details(keyfactor: Keyfactor, instance: Instance) -> dict[str, Any]:
    certificate = keyfactor.store.certificates[instance.certificate]
    data = {
        "CertificateAuthority": certificate.authority,
        "CertificateId": certificate.id,
        "SerialNumberString": certificate.serial,
        "Thumbprint": certificate.thumbprint,
        "RevokeCode": instance.reason,
        "EffectiveDate": stamp(instance.started if instance.effective is None else instance.effective),
        "Comment": instance.comment,
        "Delegate": False,
        "OperationStart": stamp(instance.started),
    }
    signals = [{"SignalName": _SIGNAL, "StepSignalId": _SIGNAL_ID, "SignalReceived": False}] if instance.suspended else []
    return {**_summary(keyfactor, instance), "Signals": signals, "InitialData": data, "CurrentStateData": data}


# -- calls -------------------------------------------------------------------------------------------------------


@ROUTES.add("GET", "/workflow/instances")
def instances(keyfactor: Keyfactor, call: Call) -> Answer:
    return _list(keyfactor, call, _readable(keyfactor, call, ()))


@ROUTES.add("GET", "/workflow/instances/my")
def mine(keyfactor: Keyfactor, call: Call) -> Answer:
    return _list(keyfactor, call, [item for item in _readable(keyfactor, call, ("mine",)) if _fits(keyfactor, call, item, "mine")])


@ROUTES.add("GET", "/workflow/instances/assignedtome")
def assigned_to_me(keyfactor: Keyfactor, call: Call) -> Answer:
    return _list(keyfactor, call, [item for item in _readable(keyfactor, call, ("pending",)) if _fits(keyfactor, call, item, "pending")])


@ROUTES.add("GET", f"/workflow/instances/{_GUID}", target="instance")
def instance_by_id(keyfactor: Keyfactor, call: Call) -> Answer:
    readable = _readable(keyfactor, call, ("mine", "pending"))
    instance = _instance(keyfactor, call)
    if instance not in readable:
        raise keyfactor.forbidden(call, "/workflows/instances/read/")
    return keyfactor.reply(_details(keyfactor, instance))


@ROUTES.add("POST", f"/workflow/instances/{_GUID}/signals", mutates=True, target="instance")
def signal(keyfactor: Keyfactor, call: Call) -> Answer:
    """``{"SignalKey": "RequireApproval1.ApprovalStatus", "Data": {"Approved": "True", "Comment": "…"}}``."""
    instance = _suspended(keyfactor, call)
    if not keyfactor.account(call).approver:
        raise keyfactor.forbidden(call, f"/workflows/signals/{_STEP}/")
    body = keyfactor.body(call)
    if str(body.get("signalkey")).lower() != f"{_STEP}.{_SIGNAL}".lower():
        raise BadBody(f"The signal {body.get('signalkey')} is not expected at this step.")
    data = body.get("data")
    approved = {name.lower(): value for name, value in data.items()}.get("approved") if isinstance(data, dict) else None
    if str(approved).lower() not in ("true", "false"):
        raise BadBody("The Data of the signal must say whether it is Approved.")
    _effect(call, instance, finish(keyfactor, instance, str(approved).lower() == "true"))
    return keyfactor.reply(None, status=204)


@ROUTES.add("POST", f"/workflow/instances/{_GUID}/stop", mutates=True, target="instance")
def stop(keyfactor: Keyfactor, call: Call) -> Answer:
    """Reject it; only what is suspended can be stopped."""
    instance = _managed(keyfactor, call)
    finish(keyfactor, instance, approved=False)
    return keyfactor.reply(None, status=204)


@ROUTES.add("POST", f"/workflow/instances/{_GUID}/restart", mutates=True, target="instance")
def restart(keyfactor: Keyfactor, call: Call) -> Answer:
    """From the beginning, under another id."""
    instance = _managed(keyfactor, call)
    certificate = close(keyfactor, instance)
    instance.status, instance.message = "CanceledForRestart", ""
    start(keyfactor, certificate, order_of(instance))
    _effect(call, instance, "suspend")
    return keyfactor.reply(None, status=204)


@ROUTES.add("DELETE", f"/workflow/instances/{_GUID}", mutates=True, target="instance")
def delete(keyfactor: Keyfactor, call: Call) -> Answer:
    instance = _instance(keyfactor, call)
    _check_manage(keyfactor, call)
    if instance.suspended:
        close(keyfactor, instance)
    del keyfactor.store.instances[instance.id]
    return keyfactor.reply(None, status=204)


def _effect(call: Call, instance: Instance, effect: str) -> None:
    if effect:
        call.effects[str(instance.certificate)] = effect


def _instance(keyfactor: Keyfactor, call: Call) -> Instance:
    instance = keyfactor.store.instances.get(call.args["instance"].lower())
    if instance is None:
        raise keyfactor.missing("Workflow Instance", call.args["instance"])
    return instance


def _suspended(keyfactor: Keyfactor, call: Call) -> Instance:
    instance = _instance(keyfactor, call)
    if not instance.suspended:
        raise Refusal(keyfactor.error(f"The workflow instance is {instance.status} and not Suspended.", 400))
    return instance


def _managed(keyfactor: Keyfactor, call: Call) -> Instance:
    _check_manage(keyfactor, call)
    return _suspended(keyfactor, call)


def _check_manage(keyfactor: Keyfactor, call: Call) -> None:
    if keyfactor.account(call).workflows is not True:
        raise keyfactor.forbidden(call, "/workflows/instances/manage/")
