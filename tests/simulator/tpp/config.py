# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Web SDK's configuration calls: HTTP 200 even for failures, which are told by ``Result`` (D-CFG, S-CFG)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call, Refusal
from ..routes import Routes
from . import vedauth
from .objects import Certificate, Node

if TYPE_CHECKING:
    from .part import Tpp

ROUTES: Routes[Tpp] = Routes()
SUCCESS, INVALID_ARGUMENT, ATTRIBUTE_NOT_FOUND, OBJECT_DOES_NOT_EXIST, UNKNOWN_ATTRIBUTE = 1, 2, 102, 400, 601


def failure(result: int, text: str) -> Refusal:
    return Refusal(Answer.json({"Error": text, "Result": result}))


def _text(call: Call, name: str) -> str:
    value = call.fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(vedauth.error("invalid_request", f"Parameter {name} is missing or invalid."))
    return value


def _node(tpp: Tpp, call: Call) -> Node:
    """The object by ``ObjectDN`` or ``ObjectGUID``; one that the user may not view does not exist for them."""
    if "ObjectDN" in call.fields or "ObjectGUID" not in call.fields:
        wanted = _text(call, "ObjectDN")
        node = tpp.store.get(wanted)
    else:
        wanted = _text(call, "ObjectGUID")
        node = tpp.store.by_guid(wanted)
    if node is None or isinstance(node, Certificate) and not node.may(call.user, "view"):
        raise failure(OBJECT_DOES_NOT_EXIST, f"Object {wanted} does not exist.")
    call.target = node.dn
    return node


def _describe(node: Node) -> dict[str, Any]:
    return {"ClassName": node.class_name, "HierarchicalGUID": node.guid, "Revision": 1, "Result": SUCCESS}


@ROUTES.add("POST", "/vedsdk/config/dntoguid", scope="lookup", target="ObjectDN")
def dn_to_guid(tpp: Tpp, call: Call) -> Answer:
    node = _node(tpp, call)
    return Answer.json({"GUID": node.guid, **_describe(node)})


@ROUTES.add("POST", "/vedsdk/config/guidtodn", scope="lookup", target="ObjectGUID")
def guid_to_dn(tpp: Tpp, call: Call) -> Answer:
    node = _node(tpp, call)
    return Answer.json({"ObjectDN": node.dn, **_describe(node)})


@ROUTES.add("POST", "/vedsdk/config/isvalid", scope="lookup", target="ObjectDN")
def is_valid(tpp: Tpp, call: Call) -> Answer:
    node = _node(tpp, call)
    described = {
        "AbsoluteGUID": node.guid,
        "DN": node.dn,
        "GUID": node.guid,
        "Id": abs(hash(node.guid)) % 1_000_000,
        "Name": node.name,
        "Parent": node.parent,
        "Revision": 1,
        "TypeName": node.class_name,
    }
    return Answer.json({"Object": described, "Result": SUCCESS})


def _one(value: str | bool | int | None) -> list[str]:
    """Booleans are ``"1"`` and ``"0"``; an empty value is none at all."""
    if isinstance(value, bool):
        return ["1"] if value else []
    return [] if value is None or value == "" else [str(value)]


# PYV x509_certificate_base.py.
_ATTRIBUTES: dict[str, Callable[[Certificate], list[str]]] = {
    "Approver": lambda item: item.approver,
    "CSR Vault Id": lambda item: _one(1 if item.csr else None),
    "Certificate Authority": lambda item: _one(item.authority),
    "Certificate Vault Id": lambda item: _one(item.current.vault_id if item.current else None),
    "Consumers": lambda item: [consumer.dn for consumer in item.consumers],
    "Contact": lambda item: item.contact,
    "Created By": lambda item: _one(item.created_by),
    "Description": lambda item: _one(item.description),
    "Disabled": lambda item: _one(item.disabled),
    "GUID": lambda item: _one(item.guid),
    "In Error": lambda item: _one(item.in_error),
    "In Process": lambda item: _one(item.in_process),
    "Management Type": lambda item: _one(item.management_type),
    "Manual Csr": lambda item: _one(item.user_csr),
    "Origin": lambda item: _one(item.origin),
    "Private Key Vault Id": lambda item: _one(item.current.vault_id + 1 if item.current and item.key_state != "none" else None),
    "Revocation Check In Error": lambda item: _one(item.revocation == "error"),
    "Stage": lambda item: _one(item.stage),
    "Status": lambda item: _one(item.status),
    "Ticket DN": lambda item: _one(item.ticket_dn),
    "Work To Do": lambda item: _one(item.work_to_do),
    "X509 Subject": lambda item: _one(item.subject),
}
_BY_FOLDED_NAME = {name.lower(): name for name in _ATTRIBUTES}
_DN_SYNTAX = ("consumers", "certificate authority", "ticket dn")


def _values(tpp: Tpp, node: Node, attribute: str) -> list[str]:
    """The values of an attribute; an unknown name is an unknown cache entry."""
    name = _BY_FOLDED_NAME.get(attribute.lower())
    if name is None or name == "Work To Do" and not tpp.switches.work_to_do_readable:
        raise failure(UNKNOWN_ATTRIBUTE, f"Attribute {attribute} does not exist.")
    if isinstance(node, Certificate):
        return _ATTRIBUTES[name](tpp.lifecycle.settle(node))
    return [node.guid] if name == "GUID" else []


def _read(tpp: Tpp, call: Call, dn_syntax: bool = False) -> list[str]:
    node, attribute = _node(tpp, call), _text(call, "AttributeName")
    if dn_syntax and attribute.lower() not in _DN_SYNTAX:
        raise failure(INVALID_ARGUMENT, f"Attribute {attribute} does not hold DNs.")
    values = _values(tpp, node, attribute)
    if not values:
        raise failure(ATTRIBUTE_NOT_FOUND, f"Attribute {attribute} has no value.")
    return values


@ROUTES.add("POST", "/vedsdk/config/read", scope="configuration", target="ObjectDN")
def read(tpp: Tpp, call: Call) -> Answer:
    return Answer.json({"Values": _read(tpp, call), "Result": SUCCESS})


@ROUTES.add("POST", "/vedsdk/config/readdn", scope="configuration", target="ObjectDN")
def read_dn(tpp: Tpp, call: Call) -> Answer:
    return Answer.json({"Values": _read(tpp, call, dn_syntax=True), "Result": SUCCESS})


@ROUTES.add("POST", "/vedsdk/config/readall", scope="configuration", target="ObjectDN")
def read_all(tpp: Tpp, call: Call) -> Answer:
    node = _node(tpp, call)
    names = [name for name in _ATTRIBUTES if name != "Work To Do" or tpp.switches.work_to_do_readable]
    pairs = [{"Name": name, "Values": values} for name in names if (values := _values(tpp, node, name))]
    return Answer.json({"NameValues": pairs, "Result": SUCCESS})


@ROUTES.add("POST", "/vedsdk/config/readeffectivepolicy", scope="configuration", target="ObjectDN")
def read_effective_policy(tpp: Tpp, call: Call) -> Answer:
    """Like Read, and cannot read ``Disabled`` (VPS)."""
    if _text(call, "AttributeName").lower() == "disabled":
        raise failure(UNKNOWN_ATTRIBUTE, "Attribute Disabled is not subject to policy.")
    return Answer.json({"Values": _read(tpp, call), "Locked": False, "Overridden": False, "PolicyDN": "", "Result": SUCCESS})
