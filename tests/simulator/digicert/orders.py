# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading orders: one order, the list, reissues, duplicates, status changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call
from ..routes import Routes
from . import listing
from .account import container_of, ica_name, organization_of, product_of
from .answers import day, moment, present, refusal
from .objects import APPROVAL, ISSUE, REISSUE, Certificate, Order, Request

if TYPE_CHECKING:
    from .part import DigiCert

ROUTES: Routes[DigiCert] = Routes()
# An order is found by its id, or by the serial number or the thumbprint of its primary certificate.
ORDER = r"/services/v2/order/certificate/(?P<order>[0-9a-f]+)"
MAX_MINUTES = 7 * 24 * 60
DAY = 86400
PLATFORMS = {-1: "OTHER", 2: "Apache", 34: "Microsoft IIS 10", 45: "nginx", 57: "Tomcat"}


# -- views -------------------------------------------------------------------------------------------------------


def dns_names_of(digicert: DigiCert, certificate: Certificate) -> list[str]:
    """With or without the common name: the documentation shows both."""
    others = [name for name in certificate.dns_names if name.lower() != certificate.common_name.lower()]
    return [certificate.common_name, *others] if digicert.switches.dns_names_include_common_name else others


def status_of(digicert: DigiCert, order: Order) -> str:
    if order.status != "reissue_pending":
        return order.status
    return digicert.switches.order_status_while[next((item.waits for item in order.pending), ISSUE)]


def _certificate_status(digicert: DigiCert, order: Order, certificate: Certificate) -> str | None:
    """Absent until the certificate has been reissued or revoked."""
    if certificate.status == "issued" and digicert.clock.now() > certificate.valid_till + DAY:
        return "expired"
    if certificate.status == "issued" and not any(item.issued for item in order.reissues):
        return None
    return certificate.status


def _listed_status(digicert: DigiCert, certificate: Certificate) -> str:
    """The documented states of the lists know no revocation."""
    if certificate.status == "revoked":
        return digicert.switches.revoked_in_lists
    if certificate.revoke_at and digicert.switches.revocation_pending == "status":
        return "revocation_pending"
    return certificate.status


def _days_remaining(digicert: DigiCert, certificate: Certificate) -> int:
    return max(0, int(certificate.valid_till // DAY - digicert.clock.now() // DAY))


def _dates(digicert: DigiCert, certificate: Certificate) -> dict[str, Any]:
    """What only an issued certificate has."""
    if not certificate.issued:
        return {}
    return {
        "serial_number": certificate.serial_number,
        "date_issued": moment(certificate.issued),
        "valid_from": day(certificate.valid_from),
        "valid_till": day(certificate.valid_till),
        "days_remaining": _days_remaining(digicert, certificate),
    }


def certificate_view(digicert: DigiCert, order: Order, certificate: Certificate) -> dict[str, Any]:
    """The certificate as order info shows it."""
    return present({
        "id": certificate.id,
        "thumbprint": digicert.sign(order, certificate).thumbprint or None,
        "status": _certificate_status(digicert, order, certificate),
        "common_name": certificate.common_name,
        "dns_names": dns_names_of(digicert, certificate),
        "cert_validity": {"years": order.validity_years},
        "date_created": moment(certificate.created),
        **_dates(digicert, certificate),
        "csr": digicert.csr_of(order, certificate),
        "organization": {"id": order.organization},
        "organization_units": [],
        "server_platform": platform_of(certificate.server_platform),
        "signature_hash": certificate.signature_hash if certificate.issued else certificate.signature_hash.upper(),
        "key_size": digicert.key_size(certificate),
        "ca_cert": {"id": certificate.ca_cert_id, "name": ica_name(certificate.ca_cert_id)},
    })


def platform_of(number: int) -> dict[str, Any]:
    return {"id": number, "name": PLATFORMS.get(number, "OTHER"), "install_url": "https://www.digicert.com/ssl-certificate-installation.htm",
            "csr_url": "https://www.digicert.com/csr-creation.htm"}


def request_view(request: Request) -> dict[str, Any]:
    """A request as it appears within an order."""
    return present({"id": request.id, "date": moment(request.date), "type": request.type, "status": request.status, "comments": request.comments or None})


def order_view(digicert: DigiCert, order: Order, certificate: Certificate) -> dict[str, Any]:
    contact = {"first_name": "Pat", "last_name": "Contact", "email": "pki@example.com", "telephone": "801-555-0100"}
    return present({
        "id": order.id,
        "certificate": certificate_view(digicert, order, certificate),
        "status": status_of(digicert, order),
        "is_renewal": False,
        "is_renewed": order.is_renewed,
        "renewed_order_id": 0,
        "date_created": moment(order.created),
        "order_valid_till": day(order.valid_till) if order.primary else None,
        "last_reissued_date": moment(order.last_reissued) if order.last_reissued else None,
        "organization": organization_of(order.organization),
        "container": container_of(order.container),
        "product": product_of(order.product),
        "organization_contact": contact,
        "technical_contact": contact,
        "user": digicert.person(order.user),
        "requests": [request_view(item) for item in order.requests] or None,
        "notes": [{"id": number, "text": text} for number, text in enumerate(order.notes, 1)] or None,
        "payment_method": "balance",
        "auto_renew": int(order.auto_renew),
        "auto_reissue": int(order.auto_reissue),
        "disable_renewal_notifications": False,
        "allow_duplicates": order.allow_duplicates,
        "dcv_method": order.dcv_method,
        "cs_provisioning_method": "none",
        "purchased_dns_names": sum(item.purchased_dns_names for item in order.certificates),
        "is_out_of_contract": False,
        "disable_issuance_email": False,
        "alternative_order_id": order.alternative_order_id or None,
    })


# -- one order ---------------------------------------------------------------------------------------------------


@ROUTES.add("GET", ORDER, scope="orders", target="order")
def show(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    shown = order.current
    if digicert.switches.order_shows_pending and order.pending:
        shown = order.pending[-1]
    return Answer.json(order_view(digicert, order, shown))


def _row(digicert: DigiCert, order: Order, certificate: Certificate) -> dict[str, Any]:
    """One reissue or duplicate; what has not been issued has no number, dates or thumbprint."""
    person = digicert.person(certificate.user)
    row = {
        "id": certificate.id,
        "thumbprint": digicert.sign(order, certificate).thumbprint or None,
        "common_name": certificate.common_name,
        "dns_names": dns_names_of(digicert, certificate),
        "status": _listed_status(digicert, certificate),
        "date_created": moment(certificate.created),
        **_dates(digicert, certificate),
        "csr": digicert.csr_of(order, certificate),
        "key_size": digicert.key_size(certificate),
        "user_id": certificate.user,
        "email": person["email"],
        "firstname": person["first_name"],
        "lastname": person["last_name"],
    }
    if certificate.kind == REISSUE:
        row.pop("valid_from", None)
        if certificate.issued:
            row.update(archived=int(certificate.archived))
        if certificate.receipt_id:
            row.update(receipt_id=str(certificate.receipt_id), purchased_dns_names=str(certificate.purchased_dns_names),
                       purchased_wildcard_names=str(certificate.purchased_wildcard_names))
    else:
        row.update(server_platform=platform_of(certificate.server_platform), signature_hash=certificate.signature_hash,
                   ca_cert_id=certificate.ca_cert_id, archived=str(int(certificate.archived)), sub_id="001", public_id=f"{certificate.id:X}")
    return present(row)


def _wants_archived(call: Call) -> bool:
    return dict(call.query).get("show_archived", "").lower() in ("true", "1")


@ROUTES.add("GET", ORDER + "/reissue", scope="orders", target="order")
def list_reissues(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    switches = digicert.switches
    rows = []
    for item in order.reissues:
        if item.archived and not _wants_archived(call) or item.waits == APPROVAL and not switches.unapproved_reissue_listed:
            continue
        item.reads += 1
        if item.reads > switches.reissue_visible_after_reads:
            rows.append(item)
    if switches.reissue_list == "with_original":
        rows.insert(0, order.certificates[0])
    elif switches.reissue_list == "copies_of_primary":
        rows = [order.current for dummy in rows]
    shown = [_row(digicert, order, item) for item in rows]
    if switches.reissue_list == "copies_of_primary":
        # The reported fault: rows of their own with the same serial number.
        shown = [{**row, "id": item.id} for row, item in zip(shown, order.reissues)]
    return Answer.json({"certificates": shown})


@ROUTES.add("GET", ORDER + "/duplicate", scope="orders", target="order")
def list_duplicates(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    rows = [item for item in order.duplicates if not item.archived or _wants_archived(call)]
    return Answer.json({"certificates": [_row(digicert, order, item) for item in rows]})


# -- many orders -------------------------------------------------------------------------------------------------


def list_item(digicert: DigiCert, order: Order) -> dict[str, Any]:
    certificate = order.current
    dates = _dates(digicert, certificate)
    dates.pop("date_issued", None)
    plan = {"validity_years": order.validity_years, "order_validity": {"years": order.validity_years}, "order_valid_till": day(order.valid_till)}
    reissues = [item for item in order.reissues if item.status != "rejected"]
    return {
        "id": order.id,
        "certificate": {
            "id": certificate.id,
            "common_name": certificate.common_name,
            "dns_names": dns_names_of(digicert, certificate),
            **dates,
            **({"cert_validity": {"years": order.validity_years}} if dates else {}),
            "signature_hash": certificate.signature_hash if dates else certificate.signature_hash.upper(),
        },
        "status": status_of(digicert, order),
        "is_renewed": order.is_renewed,
        "date_created": moment(order.created),
        "organization": {"id": order.organization, "name": organization_of(order.organization)["name"]},
        **(plan if dates else {}),
        "container": container_of(order.container),
        "product": {name: product_of(order.product)[name] for name in ("name_id", "name", "type")},
        "has_duplicates": bool(order.duplicates),
        "duplicates_count": len(order.duplicates),
        "has_reissues": bool(reissues),
        "reissues_count": len(reissues),
        "price": 0,
        "product_name_id": order.product,
        "number_of_sans": len(certificate.names),
        "is_multi_year_plan": "1",
    }


def _filters(digicert: DigiCert) -> dict[str, listing.Read[Order]]:
    switches = digicert.switches
    everything = switches.serial_filter == "all"
    return {
        "id": lambda order: order.id,
        # Expired orders count as issued.
        "status": lambda order: ["issued", "expired"] if order.status == "expired" else order.status,
        "organization_id": lambda order: order.organization,
        "product_name_id": lambda order: order.product,
        "valid_till": lambda order: day(order.current.valid_till) if order.current.issued else "",
        "user_id": lambda order: order.user,
        "common_name": lambda order: order.current.common_name,
        "domain_name": lambda order: order.current.names,
        "date_created": lambda order: day(order.created),
        "container_id": lambda order: order.container,
        "metadata_id": lambda order: "",
        "is_renewed": lambda order: order.is_renewed,
        "disable_renewal_notifications": lambda order: False,
        "email": lambda order: digicert.person(order.user)["email"],
        "certificate_id": lambda order: [item.id for item in (order.certificates if switches.certificate_id_filter == "all" else [order.current])],
        "origin": lambda order: "CC_UI",
        "serial_number": lambda order: [item.serial_number for item in (order.certificates if everything else [order.current])],
    }


@ROUTES.add("GET", "/services/v2/order/certificate", scope="orders")
def list_orders(digicert: DigiCert, call: Call) -> Answer:
    filters = listing.filters_of(call)
    known = _filters(digicert)
    found = digicert.visible(call)
    for text in filters.pop("search", ()):
        wanted = text.lower()
        found = [order for order in found if wanted in f"{order.id} {order.current.serial_number} {' '.join(order.current.names)}".lower()]
    if digicert.switches.status_filter_ignored:
        filters.pop("status", None)
    found = listing.matching(found, filters, known, digicert.clock.now())
    return digicert.page(call, "orders", listing.in_order(found, call, known), lambda order: list_item(digicert, order))


@ROUTES.add("GET", "/services/v2/order/certificate/status-changes", scope="orders")
def status_changes(digicert: DigiCert, call: Call) -> Answer:
    minutes = listing.number(call, "minutes", 0) + listing.number(call, "seconds", 0) / 60
    dates = listing.filters_of(call).get("status_last_updated", [])
    if not minutes and not dates:
        raise refusal("required_param:minutes")
    now = digicert.clock.now()
    begin, end = listing.day_range(dates[0]) if dates else (now - minutes * 60, now)
    if end - begin > MAX_MINUTES * 60:
        raise refusal("time_frame_too_long")
    rows = [_brief(digicert, order) for order in digicert.visible(call) if begin <= order.changed <= end]
    return Answer.json({"orders": rows} if rows else {})


def _brief(digicert: DigiCert, order: Order) -> dict[str, Any]:
    return {"order_id": order.id, "certificate_id": order.current.id, "status": status_of(digicert, order)}


@ROUTES.add("GET", "/services/v2/order/alternate/(?P<alternative>[^/]+)", scope="orders")
def by_alternative_id(digicert: DigiCert, call: Call) -> Answer:
    found = [order for order in digicert.visible(call) if order.alternative_order_id.lower() == call.args["alternative"]]
    return digicert.page(call, "orders", found, lambda order: _brief(digicert, order))
