# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a revocation: what stands in its way, the approval it may wait for, and what it does to the certificate."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .objects import ON_HOLD, REMOVE_FROM_HOLD, Certificate, Instance, Standing, State

if TYPE_CHECKING:
    from .part import Keyfactor


@dataclass(frozen=True)
class Order:
    """What a request asks for; ``effective`` is None for at once."""

    reason: int
    comment: str
    effective: float | None
    user: str


@dataclass(frozen=True)
class Failure:
    """Why a certificate was not revoked."""

    text: str
    status: int = 400


def obstacle(keyfactor: Keyfactor, certificate: Certificate, order: Order) -> Failure | None:
    """What stands in the way of a revocation before the authority is asked."""
    switches = keyfactor.switches
    if certificate.pending and switches.second_revoke_while_suspended == "refused":
        return Failure("The certificate has a suspended workflow that must be completed first.")
    return state_obstacle(keyfactor, certificate, order)


def state_obstacle(keyfactor: Keyfactor, certificate: Certificate, order: Order) -> Failure | None:
    """The same for one that its workflow lets through."""
    switches = keyfactor.switches
    standing = certificate.scheduled or certificate.standing
    if standing.state in (State.DENIED, State.FAILED, State.PENDING, State.UNKNOWN, State.EXTERNAL_VALIDATION):
        return Failure(f"The certificate is in the state {State(standing.state).title} and cannot be revoked.")
    if _releases(order):
        return None if standing.on_hold else Failure("The certificate is not on hold.")
    if standing.state == State.REVOKED:
        final = standing.on_hold and order.reason != ON_HOLD
        if (switches.hold_to_revoked == "refused") if final else (switches.already_revoked == "error"):
            return Failure(
                f"Certificate with issuer '{certificate.issuer_dn}' and serial number '{certificate.serial}' has previously been revoked. "
                "The revocation reason was not changed.",
                switches.already_revoked_status,
            )
    if certificate.not_after <= keyfactor.clock.now() and switches.revoke_expired == "refuse":
        return Failure("The certificate has expired and cannot be revoked.")
    return None


def at_the_authority(certificate: Certificate) -> Failure | None:
    return Failure(certificate.ca_refuses) if certificate.ca_refuses else None


def _releases(order: Order) -> bool:
    """Remove from CRL (7 or 8, by the table) is for what is on hold, like remove from hold."""
    return order.reason in (REMOVE_FROM_HOLD, 7, 8)


def apply(keyfactor: Keyfactor, certificate: Certificate, order: Order) -> str:
    """Change the certificate, and name the effect."""
    now = keyfactor.clock.now()
    switches = keyfactor.switches
    if _releases(order):
        effect, new = "release", Standing(State.ACTIVE)
    else:
        effect = "hold" if order.reason == ON_HOLD else "revoke"
        new = Standing(State.REVOKED, order.reason, order.comment, now if order.effective is None else order.effective)
    if new.date is not None and new.date > now and switches.future_effective_date == "on_date":
        certificate.scheduled = new
    else:
        certificate.scheduled = None
        if switches.read_back_delay:
            certificate.earlier, certificate.earlier_until = certificate.seen(now), now + switches.read_back_delay
        certificate.standing = new
    certificate.history.append({"Action": switches.history_actions[effect], "Username": order.user, "Comment": order.comment, "time": now})
    keyfactor.store.touch(certificate)
    return effect


def start(keyfactor: Keyfactor, certificate: Certificate, order: Order) -> Instance:
    """Suspend a revocation until somebody approves it."""
    now = keyfactor.clock.now()
    keyfactor.references += 1
    instance = Instance(
        str(uuid.uuid4()), keyfactor.references, certificate.id, order.reason, order.comment, order.effective, order.user, now, now,
        message="Awaiting 1 more approval(s).",
        due=None if certificate.approval_seconds is None else now + certificate.approval_seconds,
    )
    keyfactor.store.instances[instance.id] = instance
    certificate.pending.append(instance.id)
    keyfactor.store.touch(certificate)
    return instance


def finish(keyfactor: Keyfactor, instance: Instance, approved: bool) -> str:
    """Let the revocation happen, or not; returns the effect on the certificate, which is empty when there was none."""
    certificate = close(keyfactor, instance)
    if not approved:
        instance.status, instance.message = "Rejected", "The revocation was denied."
        return ""
    order = order_of(instance)
    failure = state_obstacle(keyfactor, certificate, order) or at_the_authority(certificate)
    if failure is not None:
        instance.status, instance.message = "Failed", failure.text
        return ""
    instance.status, instance.message = "Complete", ""
    return apply(keyfactor, certificate, order)


def close(keyfactor: Keyfactor, instance: Instance) -> Certificate:
    certificate = keyfactor.store.certificates[instance.certificate]
    certificate.pending.remove(instance.id)
    instance.modified, instance.due = keyfactor.clock.now(), None
    keyfactor.store.touch(certificate)
    return certificate


def order_of(instance: Instance) -> Order:
    return Order(instance.reason, instance.comment, instance.effective, instance.user)
