# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls on client certificates: list, create, read, revoke, reactivate."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call
from ..routes import Routes
from .access import SSL_READ, SSL_WRITE
from .answers import Problem, success
from .issuing import SIGNATURE, SUBJECT, csr_text, read_csr, subject_of
from .listing import integer, page
from .objects import ACTIVE, PENDING_REACTIVATION, STATUSES, Certificate
from .seeding import minute

if TYPE_CHECKING:
    from .part import Cloudflare

ROUTES: Routes[Cloudflare] = Routes()
CERTIFICATES = r"/client/v4/zones/(?P<zone>[^/]+)/client_certificates"
CERTIFICATE = CERTIFICATES + r"/(?P<certificate>[^/]+)"


def show(cloudflare: Cloudflare, certificate: Certificate) -> dict[str, Any]:
    switches = cloudflare.switches
    cloudflare.sign(certificate)
    account = cloudflare.account_of(certificate.zone_id)
    subject = {name: certificate.subject.get(name) for name in SUBJECT}
    if switches.empty_subject == "omit":
        subject = {name: value for name, value in subject.items() if value}
    elif switches.empty_subject == "empty":
        subject = {name: value or "" for name, value in subject.items()}
    decimal = switches.serial_base == "decimal" or switches.serial_base == "mixed" and certificate.serial % 2
    return {
        "id": certificate.id,
        "certificate": certificate.certificate,
        "certificate_authority": {"id": account.ca_id, "name": f"Cloudflare Managed CA for account {account.id}"},
        **subject,
        "csr": certificate.csr.replace("\n", "\r\n") if switches.csr_line_ends == "crlf" else certificate.csr,
        "expires_on": certificate.expires_on,
        "fingerprint_sha256": certificate.fingerprint_sha256,
        "issued_on": certificate.issued_on,
        "serial_number": str(certificate.serial) if decimal else f"{certificate.serial:040x}",
        "signature": SIGNATURE,
        "ski": certificate.ski,
        "status": certificate.status,
        "validity_days": certificate.validity_days,
    }


@ROUTES.add("GET", CERTIFICATES, scope=SSL_READ)
def list_certificates(cloudflare: Cloudflare, call: Call) -> Answer:
    """Without a status only what is active; a new certificate comes late where the list lags."""
    query = dict(call.query)
    status = query.get("status", ACTIVE)
    if status not in (*STATUSES, "all"):
        raise Problem("bad_parameter", name="status")
    now = cloudflare.clock.now()
    found = [item for item in cloudflare.store.of_zone(call.args["zone"]) if item.listed <= now and status in ("all", cloudflare.lifecycle.settle(item).status)]
    found.sort(key=lambda item: item.issued)
    if cloudflare.switches.list_order == "newest":
        found.reverse()
    offset, limit = integer(query, "offset", 0), integer(query, "limit", len(found))
    if offset < 0 or limit < 0:
        raise Problem("bad_parameter", name="offset" if offset < 0 else "limit")
    return page(query, found[offset:][:limit], lambda item: show(cloudflare, item), cloudflare.switches)


@ROUTES.add("POST", CERTIFICATES, scope=SSL_WRITE, mutates=True, target="csr")
def create_certificate(cloudflare: Cloudflare, call: Call) -> Answer:
    """Signs the same CSR as often as it is asked to."""
    switches = cloudflare.switches
    text, days = call.fields.get("csr"), call.fields.get("validity_days")
    if not isinstance(text, str) or not text.strip():
        raise Problem("missing_csr")
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= switches.max_validity_days:
        raise Problem("bad_validity")
    csr = read_csr(text)
    cloudflare.lifecycle.check_quota(cloudflare.zone(call.args["zone"]))
    now = cloudflare.clock.now()
    certificate = Certificate(
        str(uuid.uuid4()), call.args["zone"], subject_of(csr), days, minute(now), csr=csr_text(csr), listed=now + switches.list_lag_seconds
    )
    cloudflare.lifecycle.move(certificate, PENDING_REACTIVATION if switches.create_status == PENDING_REACTIVATION else ACTIVE)
    cloudflare.store.add(certificate)
    call.effect = "create"
    shown = show(cloudflare, cloudflare.lifecycle.settle(certificate))
    if switches.create_status == "omit":
        del shown["status"]
    return success(shown)


@ROUTES.add("GET", CERTIFICATE, scope=SSL_READ, target="certificate")
def show_certificate(cloudflare: Cloudflare, call: Call) -> Answer:
    return success(show(cloudflare, cloudflare.certificate(call)))


@ROUTES.add("DELETE", CERTIFICATE, scope=SSL_WRITE, mutates=True, target="certificate")
def revoke_certificate(cloudflare: Cloudflare, call: Call) -> Answer:
    """The body is not looked at: an SDK announces JSON and sends none."""
    certificate = cloudflare.certificate(call)
    cloudflare.lifecycle.revoke(certificate)
    call.effect = "revoke"
    return success(show(cloudflare, cloudflare.lifecycle.settle(certificate)))


@ROUTES.add("PATCH", CERTIFICATE, scope=SSL_WRITE, mutates=True, target="certificate")
def reactivate_certificate(cloudflare: Cloudflare, call: Call) -> Answer:
    """Without ``reactivate`` nothing happens, which is unconfirmed."""
    certificate = cloudflare.certificate(call)
    wanted = call.fields.get("reactivate", False)
    if not isinstance(wanted, bool):
        raise Problem("bad_parameter", name="reactivate")
    if wanted and cloudflare.lifecycle.reactivate(certificate, cloudflare.zone(certificate.zone_id)):
        call.effect = "reactivate"
    return success(show(cloudflare, cloudflare.lifecycle.settle(certificate)))
