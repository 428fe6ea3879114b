# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account has besides orders: users and API keys, products, organizations, containers, domains; and the calls that read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call
from ..routes import Routes
from .answers import day, no_content, refusal
from .issuing import AUTHORITIES, HASHES
from .objects import Order

if TYPE_CHECKING:
    from .part import DigiCert

ROUTES: Routes[DigiCert] = Routes()
ROLES = {1: "Administrator", 2: "Limited User", 3: "Finance Manager", 4: "Manager", 5: "Standard User"}
APPROVERS = (1, 4)
# Restriction of a key: the groups of calls that it may make; 102 may make all that change nothing.
RESTRICTIONS: dict[int, tuple[str, ...]] = {
    0: ("any", "orders", "domains", "users"),
    100: ("any", "orders"),
    101: ("any", "orders", "domains"),
    102: ("any", "orders", "domains", "users"),
    103: ("any", "users"),
}
VIEW_ONLY = 102
OWN_ACCOUNT = "own"
CONTAINERS = {5: "Example Corp", 6: "Retail"}
ORGANIZATIONS = {7: "Example Corp", 8: "Example Retail Ltd"}
# name_id: name, validation type, whether wildcards are allowed, whether the ICA may be chosen where the account allows it
PRODUCTS: dict[str, tuple[str, str, bool, bool]] = {
    "ssl_basic": ("Basic OV", "ov", True, True),
    "ssl_ev_basic": ("Basic EV", "ev", False, True),
    "ssl_securesite_flex": ("Secure Site OV", "ov", True, True),
    "ssl_ev_securesite_flex": ("Secure Site EV", "ev", False, True),
    "ssl_securesite_pro": ("Secure Site Pro SSL", "ov", True, True),
    "ssl_dv_geotrust_flex": ("GeoTrust DV SSL", "dv", True, False),
    "private_ssl_flex": ("Private SSL", "ov", True, False),
}


@dataclass(slots=True)
class ApiKey:
    """A key and the user that it is linked to."""

    key: str
    user: int
    first_name: str = "Cert"
    last_name: str = "Operations"
    restriction: int = 0
    role: int = 1
    account: str = OWN_ACCOUNT

    def __post_init__(self) -> None:
        if self.restriction not in RESTRICTIONS or self.role not in ROLES:
            raise ValueError(f"a key's restriction is one of {', '.join(map(str, RESTRICTIONS))}, its role one of {', '.join(map(str, ROLES))}")

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@example.com".lower().replace(" ", "-")

    def may(self, scope: str, method: str) -> bool:
        return scope in RESTRICTIONS[self.restriction] and (self.restriction != VIEW_ONLY or method == "GET")

    def person(self) -> dict[str, Any]:
        return {"id": self.user, "first_name": self.first_name, "last_name": self.last_name, "email": self.email}


@ROUTES.add("GET", "/services/v2/user/me", scope="any")
def me(digicert: DigiCert, call: Call) -> Answer:
    key = digicert.caller(call)
    return Answer.json({
        **key.person(), "username": key.email, "account": {"id": 1 if key.account == OWN_ACCOUNT else 2}, "status": "active", "type": "standard",
        "access_roles": [{"id": key.role, "name": ROLES[key.role]}], "container": _container(5),
    })


# -- products ----------------------------------------------------------------------------------------------------


def product_of(name_id: str) -> dict[str, Any]:
    name, validation, dummy, dummy2 = PRODUCTS[name_id]
    return {"name_id": name_id, "name": name, "type": "ssl_certificate", "validation_type": validation,
            "validation_name": validation.upper(), "validation_description": f"Normal {validation.upper()} SSL order"}


def allows_wildcards(name_id: str) -> bool:
    return PRODUCTS[name_id][2]


def allows_choice_of_ica(name_id: str) -> bool:
    return PRODUCTS[name_id][3]


def _allowed_ca_certs(name_id: str) -> list[dict[str, Any]]:
    if not allows_choice_of_ica(name_id):
        return []
    return [{"id": number, "name": ica_name(number), "is_default": index == 0} for index, number in enumerate(AUTHORITIES)]


def ica_name(number: str) -> str:
    return AUTHORITIES[number].partition(",")[0].removeprefix("CN=")


def _product_details(name_id: str) -> dict[str, Any]:
    return {
        **product_of(name_id),
        "group_name": "ssl_certificate",
        "signature_hash_types": {"allowed_hash_types": [{"id": name, "name": name.upper()} for name in HASHES], "default_hash_type_id": "sha256"},
        "allowed_ca_certs": _allowed_ca_certs(name_id),
        "allowed_order_validity_years": [1],
        "csr_required": True,
        "server_platforms": [{"id": -1, "name": "OTHER"}, {"id": 2, "name": "Apache"}, {"id": 45, "name": "nginx"}],
    }


@ROUTES.add("GET", "/services/v2/product", scope="any")
def list_products(dummy: DigiCert, dummy_call: Call) -> Answer:
    return Answer.json({"products": [_product_details(name_id) for name_id in PRODUCTS]})


@ROUTES.add("GET", "/services/v2/product/(?P<product>[a-z0-9_]+)", scope="any")
def show_product(dummy: DigiCert, call: Call) -> Answer:
    if call.args["product"] not in PRODUCTS:
        raise refusal("not_found|product")
    return Answer.json(_product_details(call.args["product"]))


# -- organizations and containers --------------------------------------------------------------------------------


def _container(number: int) -> dict[str, Any]:
    return {"id": number, "name": CONTAINERS[number], "is_active": True}


def organization_of(number: int) -> dict[str, Any]:
    name = ORGANIZATIONS[number]
    return {"id": number, "name": name, "display_name": name, "is_active": True, "city": "Lehi", "state": "Utah", "country": "us"}


def container_of(number: int) -> dict[str, Any]:
    return {"id": number, "name": CONTAINERS[number]}


@ROUTES.add("GET", "/services/v2/organization", scope="any")
def list_organizations(digicert: DigiCert, call: Call) -> Answer:
    rows = [{**organization_of(number), "status": "active", "container": container_of(5)} for number in ORGANIZATIONS]
    return digicert.page(call, "organizations", rows)


@ROUTES.add("GET", r"/services/v2/organization/(?P<organization>\d+)(?:/validation)?", scope="any")
def show_organization(dummy: DigiCert, call: Call) -> Answer:
    number = int(call.args["organization"])
    if number not in ORGANIZATIONS:
        raise refusal("not_found")
    validations = [{"type": kind, "name": f"{kind.upper()} Organization Validation", "status": "active"} for kind in ("ov", "ev")]
    return Answer.json({**organization_of(number), "status": "active", "container": container_of(5), "validations": validations})


@ROUTES.add("GET", "/services/v2/container", scope="any")
def list_containers(dummy: DigiCert, dummy_call: Call) -> Answer:
    return Answer.json({"containers": [_container(number) for number in CONTAINERS]})


def _known_container(call: Call) -> int:
    number = int(call.args["container"])
    if number not in CONTAINERS:
        raise refusal("not_found")
    return number


@ROUTES.add("GET", r"/services/v2/container/(?P<container>\d+)", scope="any")
def show_container(dummy: DigiCert, call: Call) -> Answer:
    return Answer.json(_container(_known_container(call)))


@ROUTES.add("GET", r"/services/v2/container/(?P<container>\d+)/product-limits", scope="any")
def product_limits(digicert: DigiCert, call: Call) -> Answer:
    _known_container(call)
    return Answer.json({"product_limits": [
        {"product_name_id": name_id, "is_allowed": True, "allowed_hashes": list(HASHES), "allowed_lifetimes": [1],
         "ica_selection_enabled": digicert.switches.ica_selection and allows_choice_of_ica(name_id), "allowed_intermediates": _allowed_ca_certs(name_id)}
        for name_id in PRODUCTS
    ]})


# -- domains -----------------------------------------------------------------------------------------------------


def domain_name(name: str) -> str:
    """The domain that a name belongs to: its last two labels."""
    return ".".join(name.lower().split(".")[-2:])


def _domains(digicert: DigiCert, call: Call) -> dict[int, tuple[str, list[Order]]]:
    """The domains of the account's orders, numbered in the order of their appearance."""
    orders: dict[str, list[Order]] = {}
    for order in digicert.visible(call):
        for name in {domain_name(name) for name in order.current.names}:
            orders.setdefault(name, []).append(order)
    return dict(enumerate(orders.items(), 9001))


def _domain(number: int, name: str, orders: list[Order]) -> dict[str, Any]:
    open_ = [order for order in orders if order.validation]
    shown: dict[str, Any] = {"id": number, "name": name, "is_active": True, "status": "pending" if open_ else "active",
                             "organization": organization_of(orders[0].organization), "container": container_of(orders[0].container),
                             "dcv_method": orders[0].dcv_method}
    if open_:
        shown["dcv_token"] = {"token": open_[0].dcv_random_value, "status": "pending"}
    else:
        shown["validations"] = [{"type": "ov", "name": "OV", "status": "complete"}]
        shown["dcv_expiration"] = {"ov": day(max(order.valid_till for order in orders))}
    return shown


def _known_domain(digicert: DigiCert, call: Call) -> tuple[int, str, list[Order]]:
    number = int(call.args["domain"])
    domains = _domains(digicert, call)
    if number not in domains:
        raise refusal("not_found")
    return (number, *domains[number])


@ROUTES.add("GET", "/services/v2/domain", scope="domains")
def list_domains(digicert: DigiCert, call: Call) -> Answer:
    return digicert.page(call, "domains", [_domain(number, *item) for number, item in _domains(digicert, call).items()])


@ROUTES.add("GET", r"/services/v2/domain/(?P<domain>\d+)", scope="domains")
def show_domain(digicert: DigiCert, call: Call) -> Answer:
    return Answer.json(_domain(*_known_domain(digicert, call)))


@ROUTES.add("PUT", r"/services/v2/domain/(?P<domain>\d+)/dcv/validate-token", scope="domains", mutates=True)
def validate_token(digicert: DigiCert, call: Call) -> Answer:
    """Orders whose token is in place are validated; when there is none, the check has found nothing."""
    dummy, dummy_name, orders = _known_domain(digicert, call)
    open_ = [order for order in orders if order.validation]
    found = [order for order in open_ if order.dcv_token]
    if open_ and not found:
        raise refusal("invalid_dns_txt")
    for order in found:
        digicert.lifecycle.validate(order)
    call.effect = "validate" if found else ""
    return no_content()
