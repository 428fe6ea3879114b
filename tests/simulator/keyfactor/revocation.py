# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revoke and RevokeAll: what a revocation, a hold and a release do to certificates, and what the server says about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..exchange import Answer, BadBody, Call, Refusal, not_found
from ..routes import Routes
from .certificates import matching, number, parameters, stamp
from .lifecycle import Failure, Order, apply, at_the_authority, obstacle, start
from .objects import Certificate, Instance, State
from .query import compile_query

if TYPE_CHECKING:
    from .part import Keyfactor

ROUTES: Routes[Keyfactor] = Routes()
_REASONS = frozenset((-1, 0, 1, 2, 3, 4, 5, 6, 999))
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?")


@dataclass(slots=True)
class Outcome:
    """What became of each certificate of a request."""

    revoked: list[int] = field(default_factory=list)
    suspended: list[Instance] = field(default_factory=list)
    failed: dict[int, Failure] = field(default_factory=dict)


@ROUTES.add("POST", "/certificates/revoke", mutates=True, target="certificateids")
def revoke(keyfactor: Keyfactor, call: Call) -> Answer:
    body = keyfactor.body(call)
    ids = certificate_ids(body)
    if not ids:
        raise BadBody("The CertificateIds field is required.")
    limit = keyfactor.switches.max_ids_per_request
    if limit and len(ids) > limit:
        raise BadBody(f"No more than {limit} certificates can be revoked at once.")
    order = _order(keyfactor, call, body, comment_required=keyfactor.switches.comment_required)
    collection = keyfactor.permitted(call, "revoke", _whole(body.get("collectionid") or 0, "CollectionId"))
    known = keyfactor.store.certificates
    unknown = [item for item in ids if item not in known]
    if unknown and keyfactor.switches.unknown_id != "missing":
        raise keyfactor.missing("Certificate", unknown[0], int(keyfactor.switches.unknown_id))
    wanted = [known[item] for item in ids if item in known]
    keyfactor.check_members(call, "revoke", wanted, collection)
    return _carry_out(keyfactor, call, wanted, order, body, alone=len(ids) == 1)


@ROUTES.add("POST", "/certificates/revokeall", mutates=True)
def revoke_all(keyfactor: Keyfactor, call: Call) -> Answer:
    """In the description of Command 10, and gone from those of 11 and later."""
    if keyfactor.switches.at_least("11") or not keyfactor.switches.at_least("10"):
        return not_found()
    body = keyfactor.body(call)
    if body.get("reason") is None:
        raise BadBody("The Reason field is required.")
    order = _order(keyfactor, call, body, comment_required=True)
    collection_id = number(parameters(keyfactor, call), "collectionid", 0)
    collection = keyfactor.permitted(call, "revoke", collection_id)
    text = str(body.get("query") or "")
    if not text.strip() and collection is None:
        raise BadBody("Either a query or a collection id is required.")
    now = keyfactor.clock.now()
    wanted = matching(keyfactor, text)
    if collection is not None:
        members = compile_query(collection.content, keyfactor.fields(), now)
        wanted = [item for item in wanted if members.test(item)]
    wanted = [
        item for item in wanted
        if (body.get("includerevoked") or item.seen(now).state != State.REVOKED) and (body.get("includeexpired") or item.not_after > now)
    ]
    return _carry_out(keyfactor, call, wanted, order, body, alone=len(wanted) == 1)


# -- reading the request -----------------------------------------------------------------------------------------


def _whole(value: Any, name: str) -> int:
    """Whole numbers are also read from strings, as a script in use sends its reason."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value) or isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise BadBody(f"The value of {name} could not be converted to a whole number.")


def certificate_ids(body: dict[str, Any]) -> list[int]:
    """Each once, in the order given."""
    ids = body.get("certificateids")
    if ids is None:
        return []
    if not isinstance(ids, list):
        raise BadBody("The value of CertificateIds could not be converted to a list.")
    return list(dict.fromkeys(_whole(item, "CertificateIds") for item in ids))


def _order(keyfactor: Keyfactor, call: Call, body: dict[str, Any], comment_required: bool) -> Order:
    reason = _whole(body.get("reason") or 0, "Reason")
    if reason not in _REASONS and reason != keyfactor.switches.revoke_reason_7:
        raise BadBody(f"The value {reason} is not a valid revocation reason.")
    comment = body.get("comment")
    if comment is not None and not isinstance(comment, str):
        raise BadBody("The value of Comment could not be converted to a string.")
    if comment_required and not comment:
        raise BadBody("The Comment field is required.")
    return Order(reason, comment or "", _effective(body.get("effectivedate")), call.user)


def _effective(value: Any) -> float | None:
    """ISO 8601 with or without fraction and offset; without an offset it is UTC."""
    if value is None:
        return None
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        offset = (match[3] or "Z").replace("Z", "+00:00")
        moment = datetime.strptime(match[1] + offset.replace(":", ""), "%Y-%m-%dT%H:%M:%S%z").timestamp() + float(match[2] or 0)
        stamp(moment)  # which not every moment near the ends of the calendar has
        return moment
    except (OverflowError, ValueError):
        raise BadBody(f"The value of EffectiveDate could not be converted to a date: {value}.") from None


# -- doing it ----------------------------------------------------------------------------------------------------


def _carry_out(keyfactor: Keyfactor, call: Call, wanted: list[Certificate], order: Order, body: dict[str, Any], alone: bool) -> Answer:
    outcome = Outcome()
    if keyfactor.switches.partial_failure == "refuse_all":
        for certificate in wanted:
            failure = obstacle(keyfactor, certificate, order)
            if failure is None and not certificate.approval:
                failure = at_the_authority(certificate)
            if failure is not None:
                outcome.failed[certificate.id] = failure
    if not outcome.failed:
        for certificate in wanted[:call.only or None]:
            _one(keyfactor, call, certificate, order, outcome)
    if outcome.revoked and body.get("publishcrl", keyfactor.switches.publish_crl):
        for authority in dict.fromkeys(keyfactor.store.certificates[item].authority for item in outcome.revoked):
            keyfactor.publish(authority)
    return _answer(keyfactor, outcome, alone)


def _one(keyfactor: Keyfactor, call: Call, certificate: Certificate, order: Order, outcome: Outcome) -> None:
    failure = obstacle(keyfactor, certificate, order)
    if failure is None and certificate.approval:
        instance = start(keyfactor, certificate, order)
        call.effects[str(certificate.id)] = "suspend"
        outcome.suspended.append(instance)
        return
    failure = failure or at_the_authority(certificate)
    if failure is not None:
        outcome.failed[certificate.id] = failure
        return
    call.effects[str(certificate.id)] = apply(keyfactor, certificate, order)
    outcome.revoked.append(certificate.id)


# -- answering ---------------------------------------------------------------------------------------------------


def _answer(keyfactor: Keyfactor, outcome: Outcome, alone: bool) -> Answer:
    """The shapes A (missing), B (listed) and C (error) are candidates; how a real server tells of a partial failure is unconfirmed."""
    switches = keyfactor.switches
    failures = list(outcome.failed.values())
    if failures and (alone or switches.partial_failure in ("error", "refuse_all")):
        raise Refusal(keyfactor.error(failures[0].text, failures[0].status, operations=[] if alone else [item.text for item in failures]))
    if not switches.at_least("10"):
        return keyfactor.reply(None, status=204)
    suspended = [
        {"CertId": item.certificate, "WorkflowId": item.id, "Message": switches.suspended_message or None} for item in outcome.suspended
    ]
    nothing: list[Any] | None = [] if switches.empty_lists == "empty" else None
    body: dict[str, Any] = {"RevokedIds": outcome.revoked or nothing, "SuspendedCerts": suspended or nothing}
    if outcome.failed and switches.partial_failure == "listed":
        body[switches.failed_list_name] = list(outcome.failed)
    return keyfactor.reply(body)
