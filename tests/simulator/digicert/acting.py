# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to orders and certificates that exist: cancel, approve, revoke, domain validation, download."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from ..exchange import Answer, Call
from ..routes import Routes
from . import listing
from .account import APPROVERS, container_of, organization_of, product_of
from .answers import moment, no_content, present, refusal
from .asking import DCV_METHODS
from .objects import OPEN, VALIDATION, Certificate, Order, Request
from .orders import ORDER, order_view, request_view, status_of

if TYPE_CHECKING:
    from .part import DigiCert

ROUTES: Routes[DigiCert] = Routes()
CERTIFICATE = r"/services/v2/certificate/(?P<certificate>[0-9a-f]+)"
REQUEST = r"/services/v2/request/(?P<request>\d+)"
REASONS = ("unspecified", "keyCompromise", "affiliationChanged", "superseded", "cessationOfOperation")
DAY = 86400
RANDOM_VALUE_DAYS = 30


def _comment(call: Call) -> str:
    """``comments`` in the examples and most clients, ``comment`` in the table."""
    return str(call.fields.get("comments") or call.fields.get("comment") or "")


# -- status of an order ------------------------------------------------------------------------------------------


@ROUTES.add("PUT", ORDER + "/status", scope="orders", mutates=True, target="order")
def update_status(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    status = call.fields.get("status")
    if not status:
        raise refusal("required_param:status")
    if status not in ("canceled", "CANCELED"):
        raise refusal("invalid_value:status")
    if not call.fields.get("note"):
        raise refusal("required_param:note")
    if not order.pending:
        raise digicert.lifecycle.refuse("not_cancelable")
    digicert.lifecycle.cancel(order, str(call.fields["note"]), digicert.caller(call).user)
    call.effect = "cancel"
    return no_content()


@ROUTES.add("PUT", ORDER + "/auto-reissue", scope="orders", mutates=True, target="order")
def update_auto_reissue(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    if call.fields.get("auto_reissue") not in (0, 1):
        raise refusal("invalid_value:auto_reissue" if "auto_reissue" in call.fields else "required_param:auto_reissue")
    wanted = call.fields["auto_reissue"] == 1
    call.effect = "auto_reissue" if wanted != order.auto_reissue else ""
    order.auto_reissue = wanted
    digicert.store.touch(order)
    return no_content()


# -- requests ----------------------------------------------------------------------------------------------------


def _request_row(digicert: DigiCert, order: Order, request: Request) -> dict[str, Any]:
    return {
        **request_view(request),
        "requester": digicert.person(request.user),
        **({"processor": digicert.person(request.processor)} if request.processor else {}),
        "order": {"id": order.id, "certificate": {"common_name": _asked_for(digicert, order, request).common_name},
                  "organization": organization_of(order.organization), "container": container_of(order.container), "product": product_of(order.product)},
    }


def _asked_for(digicert: DigiCert, order: Order, request: Request) -> Certificate:
    if request.type == "revoke" and (request.whole_order or digicert.switches.revoke_request_shows == "primary"):
        return order.current
    return next((item for item in order.certificates if item.id in request.certificates), order.current)


@ROUTES.add("GET", "/services/v2/request", scope="orders")
def list_requests(digicert: DigiCert, call: Call) -> Answer:
    filters = listing.filters_of(call)
    if "status" in dict(call.query):
        filters["status"] = [dict(call.query)["status"]]
    known: dict[str, listing.Read[tuple[Order, Request]]] = {
        "id": lambda pair: pair[1].id,
        "status": lambda pair: pair[1].status,
        "type": lambda pair: pair[1].type,
        "date": lambda pair: moment(pair[1].date),
        "order_id": lambda pair: pair[0].id,
    }
    pairs = [(order, request) for order in digicert.visible(call) for request in order.requests]
    found = listing.in_order(listing.matching(pairs, filters, known, digicert.clock.now()), call, known)
    return digicert.page(call, "requests", found, lambda pair: _request_row(digicert, *pair))


@ROUTES.add("GET", REQUEST, scope="orders", target="request")
def show_request(digicert: DigiCert, call: Call) -> Answer:
    """The certificate within is what was asked for; it does not learn of the issue."""
    order, request = digicert.request(call)
    certificate = _asked_for(digicert, order, request)
    shown = order_view(digicert, order, certificate)
    if request.type != "revoke" and not digicert.switches.request_shows_issued:
        known = ("id", "common_name", "dns_names", "date_created", "csr", "signature_hash", "ca_cert", "organization", "server_platform", "key_size")
        shown["certificate"] = {name: shown["certificate"][name] for name in known}
    return Answer.json(present({
        **_request_row(digicert, order, request),
        "order": shown,
        "date_processed": moment(request.processed) if request.processed else None,
        "reviewer": digicert.person(request.processor) if request.processor else None,
        "processor_comment": request.processor_comment or None,
    }))


@ROUTES.add("PUT", REQUEST + "/status", scope="orders", mutates=True, target="request")
def update_request(digicert: DigiCert, call: Call) -> Answer:
    order, request = digicert.request(call)
    status, key = call.fields.get("status"), digicert.caller(call)
    if not status:
        raise refusal("required_param:status")
    if status not in ("approved", "rejected", *OPEN):
        raise refusal("invalid_value:status")
    if key.role not in APPROVERS or request.user == key.user and not digicert.switches.own_request_approvable:
        raise refusal("access_denied|invalid_approver")
    if request.status not in OPEN:
        raise digicert.lifecycle.refuse("request_processed")
    comment = str(call.fields.get("processor_comment") or "")
    if status == "approved":
        digicert.lifecycle.approve(order, request, key.user, comment)
    elif status == "rejected":
        digicert.lifecycle.reject(order, request, key.user, comment)
    else:
        request.status = status
        digicert.store.touch(order)
    call.effect = {"approved": "approve", "rejected": "reject"}.get(status, "")
    return no_content()


# -- revoke ------------------------------------------------------------------------------------------------------


@ROUTES.add("PUT", ORDER + "/revoke", scope="orders", mutates=True, target="order")
def revoke_order(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    if order.status == "revoked":
        raise digicert.lifecycle.refuse("order_revoked")
    return _revoke(digicert, order, order.issued, True, call)


@ROUTES.add("PUT", CERTIFICATE + "/revoke", scope="orders", mutates=True, target="certificate")
def revoke_certificate(digicert: DigiCert, call: Call) -> Answer:
    order, certificate = digicert.certificate(call, by_serial=True)
    if certificate.status == "revoked" and digicert.switches.revoke_again == "refuse":
        raise digicert.lifecycle.refuse("certificate_revoked")
    return _revoke(digicert, order, [certificate] if certificate.issued else [], False, call)


def _revoke(digicert: DigiCert, order: Order, certificates: list[Certificate], whole_order: bool, call: Call) -> Answer:
    if order.pending:
        raise digicert.lifecycle.refuse("revoke_while_pending")
    if not certificates and not whole_order:
        raise refusal("not_found|certificate")
    reason = call.fields.get("revocation_reason") or "unspecified"
    if reason not in REASONS:
        raise refusal("invalid_value:revocation_reason")
    key = digicert.caller(call)
    if call.fields.get("skip_approval") is True and key.role == 1:
        # No request is kept, and with it the comment is lost.
        call.effect = "revoke" if whole_order or any(item.status == "issued" for item in certificates) else ""
        digicert.lifecycle.revoke(order, certificates, reason, whole_order)
        return no_content()
    ids = [item.id for item in certificates]
    open_for = [item for item in order.requests if item.type == "revoke" and item.status in OPEN and item.certificates == ids]
    if open_for and digicert.switches.second_revoke_request == "refuse":
        raise digicert.lifecycle.refuse("revoke_requested")
    request = digicert.lifecycle.add_request(order, "revoke", key.user, _comment(call), ids)
    request.reason, request.whole_order = reason, whole_order
    call.effect = "request_revoke"
    return Answer.json({**request_view(request), "requester": key.person()}, 201)


# -- domain validation -------------------------------------------------------------------------------------------


@ROUTES.add("PUT", ORDER + "/check-dcv", scope="orders", mutates=True, target="order")
def check_dcv(digicert: DigiCert, call: Call) -> Answer:
    """Look for the random value now. Clients send nothing, ``{}`` or ``null``."""
    order = digicert.order(call)
    if order.validation:
        if not order.dcv_token:
            raise refusal("file_random_value_not_found" if order.dcv_method.startswith("http") else "invalid_dns_txt")
        if not order.dcv_missing:
            waiting = any(item.waits == VALIDATION for item in order.pending)
            digicert.lifecycle.validate(order)
            call.effect = "validate" if waiting else ""
    newest = (order.pending or [order.current])[-1]
    missing = {name.lower() for name in order.dcv_missing} if order.validation else set()
    return Answer.json({
        "order_status": status_of(digicert, order), "certificate_id": newest.id, "dcv_status": "pending" if missing else "valid",
        "dns_name_validations": [{"dns_name": name, "status": "pending" if name in missing else "valid"} for name in sorted(newest.names)],
    })


@ROUTES.add("PUT", ORDER + "/dcv-method", scope="orders", mutates=True, target="order")
def change_dcv_method(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    if call.fields.get("dcv_method") not in DCV_METHODS:
        raise refusal("invalid_value:dcv_method")
    order.dcv_method, order.dcv_token = call.fields["dcv_method"], False
    order.dcv_random_value = digicert.random_value()
    digicert.store.touch(order)
    call.effect = "dcv_method"
    return no_content() if order.dcv_method == "email" else _random_value(digicert, order)


@ROUTES.add("PUT", ORDER + "/dcv-random-value", scope="orders", target="order")
def show_random_value(digicert: DigiCert, call: Call) -> Answer:
    return _random_value(digicert, digicert.order(call))


def _random_value(digicert: DigiCert, order: Order) -> Answer:
    return Answer.json({"dcv_random_value": order.dcv_random_value, "expiration_date": moment(digicert.clock.now() + RANDOM_VALUE_DAYS * DAY)})


# -- download ----------------------------------------------------------------------------------------------------


def _handed_out(digicert: DigiCert, order: Order, certificate: Certificate) -> Certificate:
    """Certificates of one order have been confused for a while after the issue; so the one before is handed out, if so wished."""
    early = digicert.clock.now() < certificate.issued + order.wrong_pem_first
    return order.certificate(certificate.previous) or certificate if early else certificate


def _issued(digicert: DigiCert, call: Call) -> tuple[Order, Certificate]:
    order, certificate = digicert.certificate(call)
    if not certificate.issued:
        raise refusal("not_found|certificate")
    return order, _handed_out(digicert, order, certificate)


@ROUTES.add("GET", CERTIFICATE + "/chain", scope="orders", target="certificate")
def show_chain(digicert: DigiCert, call: Call) -> Answer:
    return Answer.json({"intermediates": digicert.chain(*_issued(digicert, call))})


@ROUTES.add("GET", CERTIFICATE + "/download/format/(?P<form>[a-z0-9_]+)", scope="orders", target="certificate")
def download(digicert: DigiCert, call: Call) -> Answer:
    return _file(digicert, *_issued(digicert, call), call.args["form"])


@ROUTES.add("GET", CERTIFICATE + r"/download/platform(?:/(?P<platform>-?\d+))?", scope="orders", target="certificate")
def download_for_platform(digicert: DigiCert, call: Call) -> Answer:
    order, certificate = _issued(digicert, call)
    platform = int(call.args["platform"] or certificate.server_platform)
    return _file(digicert, order, certificate, {29: "pem_all", 2: "apache", 45: "pem_noroot"}.get(platform, "default"))


@ROUTES.add("GET", r"/services/v2/certificate/download/order/(?P<order>\d+)(?:/format/(?P<form>[a-z0-9_]+)|/platform/(?P<platform>-?\d+))?",
            scope="orders", target="order")
def download_of_order(digicert: DigiCert, call: Call) -> Answer:
    """The active certificate only."""
    order = digicert.order(call)
    if not order.current.issued:
        raise refusal("not_found|certificate")
    form = call.args["form"] or ("pem_all" if call.args["platform"] == "29" else "default")
    return _file(digicert, order, _handed_out(digicert, order, order.current), form)


def _file(digicert: DigiCert, order: Order, certificate: Certificate, form: str) -> Answer:
    leaf, intermediate, root = (item["pem"] for item in digicert.chain(order, certificate))
    name = certificate.common_name.replace("*", "star").replace(".", "_")
    texts = {
        "pem_all": leaf + intermediate + root,
        "pem": leaf + intermediate + root,
        "pem_noroot": leaf + intermediate,
        "pem_nointermediate": leaf + root,
        "crt": leaf,
    }
    if form in texts:
        return Answer.text(texts[form], content_type="application/x-pem-file")
    if form in ("cer", "p7b"):
        parsed = [x509.load_pem_x509_certificate(text.encode()) for text in (leaf, intermediate, root)]
        return Answer(200, pkcs7.serialize_certificates(parsed, serialization.Encoding.PEM), content_type="application/x-pkcs7-certificates")
    ends = {"default": "crt", "apache": "crt", "default_cer": "cer", "default_pem": "pem"}
    if form not in ends:
        raise refusal("invalid_value:format_type")
    files = {name: leaf, "DigiCertCA": intermediate, "TrustedRoot": root}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for stem, text in files.items():
            archive.writestr(f"certs/{stem}.{ends[form]}", text)
    return Answer(200, buffer.getvalue(), content_type="application/zip")
