# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls around the certificates: zones, host names that ask for a certificate, WAF custom rules, the check of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exchange import Answer, Call
from ..routes import Routes
from .access import SSL_READ, SSL_WRITE, WAF_READ, ZONE_READ
from .answers import Problem, fraction, success
from .listing import matches, page
from .objects import Hostnames, Zone

if TYPE_CHECKING:
    from .part import Cloudflare

ROUTES: Routes[Cloudflare] = Routes()
ZONE = r"/client/v4/zones/(?P<zone>[^/]+)"
HOSTNAMES = ZONE + "/certificate_authorities/hostname_associations"
PHASE = "http_request_firewall_custom"
# Scope of a call that needs no right but a token.
VERIFY = "verify"
_PLAN = {
    "id": "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "name": "Free Website", "price": 0, "currency": "USD", "frequency": "", "is_subscribed": False,
    "can_subscribe": False, "legacy_id": "free", "legacy_discount": False, "externally_managed": False,
}
_SORTS = ("name", "status", "account.id", "account.name")
_UUID_LENGTH = 36


# -- zones -------------------------------------------------------------------------------------------------------


def _show(cloudflare: Cloudflare, zone: Zone) -> dict[str, Any]:
    account = cloudflare.accounts[zone.account]
    moved = zone.status == "moved"
    return {
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "modified_on": fraction(zone.created),
        "created_on": fraction(zone.created),
        "activated_on": None if moved else fraction(zone.created),
        "meta": {"step": 4, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False, "multiple_railguns_allowed": False},
        "owner": {"id": account.id, "name": account.name, "type": "organization"},
        "account": {"id": account.id, "name": account.name},
        "tenant": {"id": None, "name": None},
        "tenant_unit": {"id": None},
        "permissions": ["#ssl:edit", "#ssl:read", "#waf:read", "#zone:read"],
        "plan": _PLAN,
    }


def _sort_value(cloudflare: Cloudflare, zone: Zone, name: str) -> str:
    account = cloudflare.accounts[zone.account]
    return {"name": zone.name, "status": zone.status, "account.id": account.id, "account.name": account.name}[name]


@ROUTES.add("GET", "/client/v4/zones", scope=ZONE_READ)
def list_zones(cloudflare: Cloudflare, call: Call) -> Answer:
    caller = cloudflare.caller(call)
    if caller.zones and cloudflare.switches.restricted_token_lists_zones == "refuse":
        raise Problem("unauthorized_resource")
    query = dict(call.query)
    order, direction, match = query.get("order", "name"), query.get("direction", "asc"), query.get("match", "all")
    for name, value, choices in (("order", order, _SORTS), ("direction", direction, ("asc", "desc")), ("match", match, ("all", "any"))):
        if value not in choices:
            raise Problem("bad_parameter", name=name)
    wanted = {name: query[name] for name in _SORTS if name in query}
    combine = any if match == "any" and wanted else all
    found = [zone for zone in cloudflare.visible(call) if combine(matches(text, _sort_value(cloudflare, zone, name)) for name, text in wanted.items())]
    found.sort(key=lambda zone: _sort_value(cloudflare, zone, order), reverse=direction == "desc")
    return page(query, found, lambda zone: _show(cloudflare, zone), cloudflare.switches)


@ROUTES.add("GET", ZONE, scope=ZONE_READ)
def show_zone(cloudflare: Cloudflare, call: Call) -> Answer:
    return success(_show(cloudflare, cloudflare.zone(call.args["zone"])))


# -- host names --------------------------------------------------------------------------------------------------


def _authority(given: Any) -> str:
    """The uploaded CA that is meant; none is the managed one."""
    if given is None or given == "":
        return ""
    if not isinstance(given, str) or len(given) != _UUID_LENGTH:
        raise Problem("bad_parameter", name="mtls_certificate_id")
    return given.lower()


@ROUTES.add("GET", HOSTNAMES, scope=SSL_READ)
def list_hostnames(cloudflare: Cloudflare, call: Call) -> Answer:
    setting = cloudflare.zone(call.args["zone"]).hostnames.get(_authority(dict(call.query).get("mtls_certificate_id")), Hostnames())
    return success({"hostnames": setting.earlier if setting.until > cloudflare.clock.now() else setting.names})


@ROUTES.add("PUT", HOSTNAMES, scope=SSL_WRITE, mutates=True, target="zone")
def replace_hostnames(cloudflare: Cloudflare, call: Call) -> Answer:
    """The whole list is replaced."""
    zone, names = cloudflare.zone(call.args["zone"]), call.fields.get("hostnames", [])
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise Problem("bad_parameter", name="hostnames")
    authority = _authority(call.fields.get("mtls_certificate_id"))
    before = zone.hostnames.get(authority, Hostnames()).names
    names = list(dict.fromkeys(name.lower() for name in names))
    zone.hostnames[authority] = Hostnames(names, before, cloudflare.clock.now() + cloudflare.switches.hostname_lag_seconds)
    call.effect = "hostnames" if set(names) != set(before) else ""
    return success({"hostnames": names})


# -- rules -------------------------------------------------------------------------------------------------------


def _ruleset(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.ruleset, "name": "default", "description": "", "kind": "zone", "version": str(zone.version), "last_updated": fraction(zone.rules_changed),
        "phase": PHASE,
    }


@ROUTES.add("GET", ZONE + "/rulesets", scope=WAF_READ)
def list_rulesets(cloudflare: Cloudflare, call: Call) -> Answer:
    """Without the rules themselves."""
    zone = cloudflare.zone(call.args["zone"])
    return success([_ruleset(zone)] if zone.rules is not None else [])


@ROUTES.add("GET", ZONE + r"/rulesets/phases/(?P<phase>\w+)/entrypoint", scope=WAF_READ)
def show_entrypoint(cloudflare: Cloudflare, call: Call) -> Answer:
    zone = cloudflare.zone(call.args["zone"])
    if zone.rules is None or call.args["phase"] != PHASE:
        raise Problem("no_entrypoint", phase=call.args["phase"])
    return success({**_ruleset(zone), "rules": [{**rule, "last_updated": fraction(zone.rules_changed)} for rule in zone.rules]})


# -- tokens ------------------------------------------------------------------------------------------------------


def _verified(cloudflare: Cloudflare, call: Call, account: str) -> Answer:
    """A token is known only to the call for its kind, and the global key to neither."""
    token = cloudflare.caller(call)
    if token is cloudflare.access.key or token.account != account:
        raise Problem("invalid_token", status=cloudflare.switches.bad_token_verify_status)
    good = token.status == "active"
    return success({"id": token.id, "status": token.status}, messages=((10000, "This API Token is valid and active"),) if good else ())


@ROUTES.add("GET", "/client/v4/user/tokens/verify", scope=VERIFY)
def verify_token(cloudflare: Cloudflare, call: Call) -> Answer:
    return _verified(cloudflare, call, "")


@ROUTES.add("GET", r"/client/v4/accounts/(?P<account>[0-9a-f]{32})/tokens/verify", scope=VERIFY)
def verify_account_token(cloudflare: Cloudflare, call: Call) -> Answer:
    return _verified(cloudflare, call, call.args["account"])
