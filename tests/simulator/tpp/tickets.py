# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflow tickets: HTTP 200 with a ``Result`` also where there is none (vendor pages Workflow/Ticket/Enumerate and Details)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call, Refusal
from ..routes import Routes
from . import vedauth
from .objects import Certificate

if TYPE_CHECKING:
    from .part import Tpp

ROUTES: Routes[Tpp] = Routes()
SUCCESS = 1


def _text(call: Call, name: str) -> str:
    value = call.fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(vedauth.error("invalid_request", f"Parameter {name} is missing or invalid."))
    return value


def _guid(certificate: Certificate) -> str:
    return certificate.ticket_dn.rpartition("\\")[2]


@ROUTES.add("POST", "/vedsdk/workflow/ticket/enumerate", scope="any", target="ObjectDN")
def enumerate_tickets(tpp: Tpp, call: Call) -> Answer:
    node = tpp.store.get(_text(call, "ObjectDN"))
    seen = isinstance(node, Certificate) and node.may(call.user, "view")
    ticket = _guid(tpp.lifecycle.settle(node)) if seen and isinstance(node, Certificate) else ""
    return Answer.json({"GUIDs": [ticket] if ticket else [], "Result": SUCCESS})


@ROUTES.add("POST", "/vedsdk/workflow/ticket/details", scope="any", target="GUID")
def details(tpp: Tpp, call: Call) -> Answer:
    wanted = _text(call, "GUID")
    found = [item for item in tpp.store.certificates.values() if item.ticket_dn and _guid(item) == wanted and item.may(call.user, "view")]
    if not found:
        # On failure all other values are null.
        names = ("ApprovalExplanation", "ApprovalFrom", "ApprovalReason", "Approvers", "Blocking", "Created", "IssuedDueTo", "Status", "Updated")
        return Answer.json({**dict.fromkeys(names), "Result": tpp.switches.unknown_ticket_result})
    certificate = found[0]
    created = f"/Date({round(certificate.ticket_since * 1000)})/"
    approvers = certificate.approver or ["local:{8cea8e13-053f-400c-bf90-8fe66f135139}"]
    answer: dict[str, Any] = {
        "ApprovalExplanation": "",
        "ApprovalFrom": approvers[0],
        "ApprovalReason": "A certificate of this folder needs an approval.",
        "Approvers": approvers,
        "Blocking": certificate.dn,
        "Created": created,
        "IssuedDueTo": "\\VED\\Policy\\Administration\\Workflows\\Approve",
        "Result": SUCCESS,
        "Status": "Pending",
        "Updated": created,
    }
    return Answer.json(answer)
