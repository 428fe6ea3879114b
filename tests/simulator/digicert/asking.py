# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for certificates: a new order, a reissue, a duplicate."""

from __future__ import annotations

import ipaddress
import re
from calendar import month_abbr
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call
from ..routes import Routes
from .account import ORGANIZATIONS, PRODUCTS, allows_choice_of_ica, allows_wildcards, product_of
from .answers import refusal
from .issuing import AUTHORITIES, HASHES, BadCsr, ascii_name, key_id, read_csr
from .objects import DUPLICATE, ISSUE, ORIGINAL, REISSUE, VALIDATION, Certificate, Order
from .orders import ORDER

if TYPE_CHECKING:
    from .part import DigiCert

ROUTES: Routes[DigiCert] = Routes()
DAY = 86400
CLIENT_AUTH_ENDS = datetime(2027, 3, 1, tzinfo=timezone.utc).timestamp()
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_EXPIRATION = re.compile(r"(\d\d) ([A-Z]{3}) (\d{4})")
_MONTHS = {name.upper(): number for number, name in enumerate(month_abbr) if name}
DCV_METHODS = ("email", "dns-txt-token", "dns-cname-token", "http-token", "http-token-dynamic")


# -- reading the body --------------------------------------------------------------------------------------------


def _wanted(call: Call) -> dict[str, Any]:
    """The member ``certificate``, complete; unknown members are nobody's concern."""
    wanted = call.fields.get("certificate")
    if not isinstance(wanted, dict):
        raise refusal("required_param:certificate")
    missing = [name for name in ("common_name", "csr", "signature_hash") if not wanted.get(name)]
    if missing:
        raise refusal(*(f"required_param:certificate.{name}" for name in missing))
    for name in ("common_name", "csr", "signature_hash"):
        if not isinstance(wanted[name], str):
            raise refusal(f"invalid_value:certificate.{name}")
    return wanted


def _names(digicert: DigiCert, product: str, wanted: dict[str, Any]) -> tuple[str, list[str]]:
    common_name, others = wanted["common_name"].strip(), wanted.get("dns_names") or []
    if not isinstance(others, list) or any(not isinstance(name, str) for name in others):
        raise refusal("invalid_value:certificate.dns_names")
    others = [name.strip() for name in others if name.strip()]
    if len(common_name) > 64 or not _is_name(product, common_name):
        raise refusal("invalid_value:certificate.common_name")
    if not all(_is_name(product, name) for name in others) or len({common_name, *others}) > digicert.switches.max_names:
        raise refusal("invalid_value:certificate.dns_names")
    return common_name, others


def _is_name(product: str, name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return product.startswith("private_ssl")
    try:
        name = ascii_name(name)
    except UnicodeError:
        return False
    if name.startswith("*."):
        if not allows_wildcards(product):
            return False
        name = name[2:]
    labels = name.split(".")
    return len(name) <= 253 and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)


def _csr(digicert: DigiCert, order: Order | None, text: str) -> str:
    try:
        csr = read_csr(text)
    except BadCsr as problem:
        raise refusal(problem.code) from None
    number = key_id(csr)
    if number in digicert.lifecycle.blocked_keys:
        raise digicert.lifecycle.refuse("blocked_key")
    if digicert.switches.same_key == "reject_400" and order is not None:
        used = (digicert.csr_of(order, item) for item in order.certificates if item.status != "rejected")
        if number in map(key_id, map(read_csr, used)):
            raise digicert.lifecycle.refuse("same_key")
    return text


def _validity(digicert: DigiCert, order: Order, wanted: dict[str, Any]) -> dict[str, float]:
    """Days or an end; empty for the longest possible. On a plan of one year the wish is ignored."""
    wish = wanted.get("cert_validity")
    if not isinstance(wish, dict) or order.validity_years < 2 and not digicert.switches.annual_plan_is_multi_year:
        return {}
    now, name = digicert.clock.now(), "certificate.cert_validity"
    if wish.get("custom_expiration_date"):
        until = _expiration(str(wish["custom_expiration_date"]))
        if until <= now:
            raise refusal(f"invalid_value:{name}.custom_expiration_date")
        read = {"until": until}
    elif wish.get("days"):
        if not isinstance(wish["days"], int) or wish["days"] < 1:
            raise refusal(f"invalid_value:{name}.days")
        read, until = {"days": float(wish["days"])}, now + wish["days"] * DAY
    else:
        if wish.get("years") not in (None, 1):
            raise refusal(f"invalid_value:{name}.years")
        return {}
    limit = min(now + digicert.switches.max_validity_days * DAY, order.valid_till)
    if until > limit + DAY and digicert.switches.over_long_validity == "refuse":
        raise refusal("cert_validity_exceeds_order_validity")
    return read


def _expiration(text: str) -> float:
    """``09 JUN 2021``, the form of a reissue; the one of a new order is another."""
    match = _EXPIRATION.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        return datetime(int(match[3]), _MONTHS[match[2]], int(match[1]), tzinfo=timezone.utc).timestamp()
    except (ValueError, KeyError):
        raise refusal("invalid_value:certificate.cert_validity.custom_expiration_date") from None


def _read(digicert: DigiCert, order: Order, kind: str, call: Call) -> Certificate:
    """The certificate that a body asks for, not yet part of the order."""
    wanted = _wanted(call)
    common_name, dns_names = _names(digicert, order.product, wanted)
    if wanted["signature_hash"].lower() not in HASHES:
        raise refusal("invalid_value:certificate.signature_hash")
    csr = _csr(digicert, order if order.certificates else None, wanted["csr"])
    draft = digicert.lifecycle.draft(order, kind, common_name, dns_names, digicert.caller(call).user)
    draft.csr, draft.signature_hash = csr, wanted["signature_hash"].lower()
    draft.wish = _validity(digicert, order, wanted)
    platform = wanted.get("server_platform")
    draft.server_platform = int(platform["id"]) if isinstance(platform, dict) and str(platform.get("id", "")).lstrip("-").isdigit() else -1
    draft.ca_cert_id = _ica(digicert, order, wanted) or draft.ca_cert_id or next(iter(AUTHORITIES))
    if kind != REISSUE or digicert.switches.profile_option_on_reissue:
        draft.client_auth = wanted.get("profile_option") == "server_client_auth_eku" and digicert.clock.now() < CLIENT_AUTH_ENDS
    for name in sorted(draft.names & {name.lower() for name in order.caa_failed}):
        raise refusal(f"caa_check_failed|{name}")
    return draft


def _ica(digicert: DigiCert, order: Order, wanted: dict[str, Any]) -> str:
    """Ignored unless the account may choose."""
    number = str(wanted.get("ca_cert_id") or "")
    if not number or not digicert.switches.ica_selection or not allows_choice_of_ica(order.product):
        return ""
    if number not in AUTHORITIES:
        raise refusal("invalid_value:certificate.ca_cert_id")
    return number


def _skips_approval(digicert: DigiCert, call: Call) -> bool:
    if call.fields.get("skip_approval") is not True:
        return False
    if digicert.caller(call).role == 1:
        return True
    if digicert.switches.skip_approval_without_rights == "forbid":
        raise refusal("access_denied|missing_permission")
    return False


def _ask(digicert: DigiCert, order: Order, certificate: Certificate, skip_approval: bool, call: Call) -> dict[str, Any]:
    """Ask, and tell what has become of it: one of the four shapes."""
    comments = call.fields.get("comments")
    digicert.lifecycle.begin(order, certificate, skip_approval=skip_approval, comments=comments if isinstance(comments, str) else "")
    call.target = str(order.id)
    answer: dict[str, Any] = {"id": order.id}
    request = order.request(certificate.request)
    if request is not None:
        answer["requests"] = [{"id": request.id, **({"status": request.status} if digicert.switches.request_status_in_answer else {})}]
        return answer
    answer["certificate_id"] = certificate.id
    if certificate.waits == VALIDATION:
        answer["dcv_random_value"] = order.dcv_random_value
    if certificate.issued:
        answer["certificate_chain"] = digicert.chain(order, certificate)
    return answer


# -- the calls ---------------------------------------------------------------------------------------------------


@ROUTES.add("POST", ORDER + "/reissue", scope="orders", mutates=True, target="order")
def reissue(digicert: DigiCert, call: Call) -> Answer:
    order = digicert.order(call)
    if order.status not in ("issued", "reissue_pending"):
        raise digicert.lifecycle.refuse("not_reissuable")
    draft, skip_approval = _read(digicert, order, REISSUE, call), _skips_approval(digicert, call)
    if order.status == "reissue_pending":
        if digicert.switches.second_reissue == "reject_400":
            raise digicert.lifecycle.refuse("reissue_pending")
        if digicert.switches.second_reissue == "replace":
            digicert.lifecycle.cancel(order, "Replaced by another reissue")
    if call.fields.get("dcv_method") in DCV_METHODS:
        order.dcv_method = call.fields["dcv_method"]
    # Domain validation is never reused for DV.
    order.validation = order.validation or product_of(order.product)["validation_type"] == "dv"
    answer = _ask(digicert, order, draft, skip_approval, call)
    call.effect = "reissue"
    return Answer.json(answer, 201)


@ROUTES.add("POST", ORDER + "/duplicate", scope="orders", mutates=True, target="order")
def duplicate(digicert: DigiCert, call: Call) -> Answer:
    """The same names with another key, at once; the validation of the domains has to be good."""
    order = digicert.order(call)
    if order.status != "issued" or not order.allow_duplicates or order.validation:
        raise digicert.lifecycle.refuse("not_reissuable")
    draft = _read(digicert, order, DUPLICATE, call)
    if draft.names != order.current.names:
        raise refusal("invalid_value:certificate.dns_names")
    answer = _ask(digicert, order, draft, _skips_approval(digicert, call), call)
    call.effect = "duplicate"
    return Answer.json(answer, 201)


@ROUTES.add("POST", "/services/v2/order/certificate/(?P<product>[a-z][a-z0-9_]+)", scope="orders", mutates=True)
def place(digicert: DigiCert, call: Call) -> Answer:
    """A new order."""
    product = call.args["product"]
    if product not in PRODUCTS:
        raise refusal("not_found|product")
    fields, key = call.fields, digicert.caller(call)
    organization = fields.get("organization")
    number = organization.get("id") if isinstance(organization, dict) else None
    if not number:
        raise refusal("required_param:organization.id")
    if str(number) not in map(str, ORGANIZATIONS):
        raise refusal("invalid_value:organization.id")
    plan = fields.get("order_validity")
    years = (plan if isinstance(plan, dict) else fields).get("years", fields.get("validity_years", 1))
    if years not in (1, 2, 3):
        raise refusal("invalid_value:order_validity.years")
    now = digicert.clock.now()
    order = Order(digicert.store.next_id("order"), product, int(number), 5, now, now + years * 365 * DAY, account=key.account, user=key.user)
    order.validity_years, order.changed, order.dcv_random_value = years, now, digicert.random_value()
    order.validation = product_of(product)["validation_type"] == "dv"
    order.alternative_order_id = str(fields.get("alternative_order_id") or "")
    draft, skip_approval = _read(digicert, order, ORIGINAL, call), _skips_approval(digicert, call)
    digicert.store.add(order)
    answer = _ask(digicert, order, draft, skip_approval, call)
    if ISSUE in [item.waits for item in order.pending]:
        order.status = "processing"
    call.effect = "order"
    return Answer.json(answer, 201)
