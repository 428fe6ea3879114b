# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare: zones, host names, rules, token verification; scenarios, control calls, the README."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest
import requests

from ansible_collections.certops.remediation.tests.simulator import scenarios
from ansible_collections.certops.remediation.tests.simulator.cloudflare import seeding
from ansible_collections.certops.remediation.tests.simulator.cloudflare.switches import Switches
from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.cloudflare_client import CERTIFICATES, CloudflareClient, failure

HOSTNAMES = "certificate_authorities/hostname_associations"
ENTRYPOINT = "rulesets/phases/http_request_firewall_custom/entrypoint"
UPLOADED = "b2134436-2555-4acf-be5b-26c48136575e"


@pytest.fixture
def cloudflare(simulator: Simulator) -> Iterator[CloudflareClient]:
    client = CloudflareClient(simulator)
    yield client
    client.session.close()


def names(client: CloudflareClient, **query: Any) -> list[str]:
    return [f"{zone['name']} {zone['status']}" for zone in client.get("/zones", **query).json()["result"]]


# -- zones -------------------------------------------------------------------------------------------------------


def test_a_zone_by_name(cloudflare: CloudflareClient) -> None:
    answer = cloudflare.get("/zones", name="example.com").json()
    assert answer["result_info"] == {"page": 1, "per_page": 20, "count": 1, "total_count": 1, "total_pages": 1}
    zone = answer["result"][0]
    assert (zone["id"], zone["account"]) == (cloudflare.ready["zone_id"], {"id": cloudflare.ready["account_id"], "name": "Example Corp"})
    assert {"id", "account", "created_on", "development_mode", "meta", "modified_on", "name", "name_servers", "owner", "plan"} <= set(zone)
    assert cloudflare.get("").json()["result"] == zone
    assert names(cloudflare, name="example.info") == []


def test_a_name_that_exists_twice(cloudflare: CloudflareClient) -> None:
    zones = cloudflare.get("/zones", name=cloudflare.ready["twice_zone_name"]).json()["result"]
    assert {(zone["status"], zone["account"]["id"] == cloudflare.ready["account_id"]) for zone in zones} == {("active", False), ("moved", True)}
    # A token of the account sees what the account has; the zone that has moved still answers.
    account = CloudflareClient(cloudflare.simulator, "account_token")
    husk = account.get("/zones", name="example.org").json()["result"]
    assert [zone["status"] for zone in husk] == ["moved"]
    assert CloudflareClient(cloudflare.simulator, zone=husk[0]["id"]).get(CERTIFICATES).json()["result"] == []
    active = next(zone["id"] for zone in zones if zone["status"] == "active")
    assert failure(CloudflareClient(cloudflare.simulator, "account_token", active).get(CERTIFICATES)) == (403, 10000)
    assert cloudflare.simulator.cloudflare.zone("example.org").id == active


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["example.com active", "example.net active", "example.org active", "example.org moved"]),
        ({"name": "EXAMPLE.NET"}, ["example.net active"]),
        ({"name": "equal:example.net"}, ["example.net active"]),
        ({"name": "contains:.N"}, ["example.net active"]),
        ({"name": "contains_case_sensitive:.N"}, []),
        ({"name": "starts_with:example.o"}, ["example.org active", "example.org moved"]),
        ({"name": "ends_with:.com"}, ["example.com active"]),
        ({"name": "not_equal:example.org"}, ["example.com active", "example.net active"]),
        ({"status": "moved"}, ["example.org moved"]),
        ({"account.name": "Example Labs"}, ["example.org active"]),
        ({"name": "example.org", "status": "moved"}, ["example.org moved"]),
        ({"name": "example.net", "status": "moved", "match": "any"}, ["example.net active", "example.org moved"]),
        ({"order": "name", "direction": "desc", "account.name": "Example Corp"}, ["example.org moved", "example.net active", "example.com active"]),
        ({"order": "status"}, ["example.com active", "example.net active", "example.org active", "example.org moved"]),
    ],
)
def test_filters(cloudflare: CloudflareClient, query: dict[str, str], expected: list[str]) -> None:
    assert names(cloudflare, **query) == expected
    if "account.name" in query:
        number = cloudflare.get("/zones", **query).json()["result"][0]["account"]["id"]
        assert names(cloudflare, **{"account.id": number, **{name: query[name] for name in ("order", "direction") if name in query}}) == expected


def test_bad_filters(cloudflare: CloudflareClient) -> None:
    for query in ({"order": "x"}, {"direction": "x"}, {"match": "x"}):
        assert failure(cloudflare.get("/zones", **query)) == (400, 1497)


def test_pages_of_zones(simulator: Simulator) -> None:
    simulator.reset({"cloudflare": {"zones": [{"name": f"zone-{number:02}.example"} for number in range(21)]}})
    client = CloudflareClient(simulator)
    assert [len(names(client, page=page)) for page in (1, 2, 3)] == [20, 5, 0]


def test_who_may_list_zones(cloudflare: CloudflareClient) -> None:
    limited = CloudflareClient(cloudflare.simulator, "zone_token")
    answer = limited.get("/zones", name="example.com")
    assert failure(answer) == (403, 9109)
    assert answer.json()["errors"][0]["message"] == "Unauthorized to access requested resource"
    cloudflare.load(restricted_token_lists_zones="own")
    assert names(limited) == ["example.com active"]


# -- host names --------------------------------------------------------------------------------------------------


def put(cloudflare: CloudflareClient, body: Any) -> requests.Response:
    return cloudflare.call("PUT", HOSTNAMES, json=body)


def test_host_names(cloudflare: CloudflareClient) -> None:
    assert cloudflare.get(HOSTNAMES).json()["result"] == {"hostnames": []}
    answer = put(cloudflare, {"hostnames": ["api.example.com", "IOT.example.com", "api.example.com"]})
    assert answer.json()["result"] == {"hostnames": ["api.example.com", "iot.example.com"]}
    assert cloudflare.get(HOSTNAMES).json() == answer.json()
    # For each CA a list of its own, and each change replaces all of it.
    assert cloudflare.get(HOSTNAMES, mtls_certificate_id=UPLOADED).json()["result"] == {"hostnames": []}
    put(cloudflare, {"hostnames": ["partner.example.com"], "mtls_certificate_id": UPLOADED})
    assert cloudflare.get(HOSTNAMES, mtls_certificate_id=UPLOADED).json()["result"] == {"hostnames": ["partner.example.com"]}
    assert put(cloudflare, {"hostnames": []}).json()["result"] == {"hostnames": []}
    assert cloudflare.get(HOSTNAMES).json()["result"] == {"hostnames": []}
    put(cloudflare, {"hostnames": []})
    assert cloudflare.simulator.records.effects(cloudflare.zone) == ["hostnames"] * 3


@pytest.mark.parametrize("body", [{"hostnames": "api.example.com"}, {"hostnames": [1]}, {"hostnames": [""]}, {"hostnames": [], "mtls_certificate_id": "x"}])
def test_bad_host_names(cloudflare: CloudflareClient, body: Any) -> None:
    assert failure(put(cloudflare, body)) == (400, 1497)
    assert failure(cloudflare.get(HOSTNAMES, mtls_certificate_id="x")) == (400, 1497)


def test_host_names_lag(cloudflare: CloudflareClient) -> None:
    cloudflare.load(hostname_lag_seconds=75)
    assert put(cloudflare, {"hostnames": ["a.example.com"]}).json()["result"]["hostnames"] == ["a.example.com"]
    assert cloudflare.get(HOSTNAMES).json()["result"]["hostnames"] == []
    cloudflare.simulator.clock.advance(75)
    assert cloudflare.get(HOSTNAMES).json()["result"]["hostnames"] == ["a.example.com"]


# -- rules -------------------------------------------------------------------------------------------------------


def test_rules(cloudflare: CloudflareClient) -> None:
    answer = cloudflare.get(ENTRYPOINT)
    assert failure(answer) == (404, 10003)
    assert answer.json()["errors"][0]["message"] == "could not find entrypoint ruleset in the http_request_firewall_custom phase"
    assert cloudflare.get("rulesets").json()["result"] == []
    part = cloudflare.simulator.cloudflare
    part.set_waf_rules("example.com", ["cf.tls_client_auth.cert_revoked", {"expression": "true", "action": "log", "enabled": False, "description": "Later"}])
    ruleset = cloudflare.get(ENTRYPOINT).json()["result"]
    assert (ruleset["kind"], ruleset["phase"], ruleset["name"]) == ("zone", "http_request_firewall_custom", "default")
    assert [(rule["expression"], rule["action"], rule["enabled"], rule["description"]) for rule in ruleset["rules"]] == [
        ("cf.tls_client_auth.cert_revoked", "block", True, ""), ("true", "log", False, "Later"),
    ]
    assert all(rule["ref"] == rule["id"] and rule["last_updated"] for rule in ruleset["rules"])
    listed = cloudflare.get("rulesets").json()["result"]
    assert listed == [{name: value for name, value in ruleset.items() if name != "rules"}]
    assert failure(cloudflare.get("rulesets/phases/http_ratelimit/entrypoint")) == (404, 10003)
    assert failure(CloudflareClient(cloudflare.simulator, zone=cloudflare.ready["other_zone_id"]).get(ENTRYPOINT)) == (404, 10003)
    part.set_waf_rules(cloudflare.zone, [])
    assert cloudflare.get(ENTRYPOINT).json()["result"]["rules"] == []
    part.set_waf_rules("example.com", None)
    assert cloudflare.get(ENTRYPOINT).status_code == 404
    with pytest.raises(ValueError, match="unknown in a rule: nonsense"):
        part.set_waf_rules("example.com", [{"nonsense": 1}])


# -- tokens ------------------------------------------------------------------------------------------------------


def test_token_verification(cloudflare: CloudflareClient) -> None:
    simulator = cloudflare.simulator
    user, account = "/user/tokens/verify", f"/accounts/{cloudflare.ready['account_id']}/tokens/verify"
    own = CloudflareClient(simulator, "account_token")
    for client, path in ((cloudflare, user), (CloudflareClient(simulator, "zone_token"), user), (own, account)):
        answer = client.get(path).json()
        assert (answer["success"], answer["result"]["status"], len(answer["result"]["id"])) == (True, "active", 32)
        # The code of this message means a refusal elsewhere.
        assert answer["messages"] == [{"code": 10000, "message": "This API Token is valid and active", "type": None}]
    nobody = CloudflareClient(simulator, "a" * 40)
    bad = [own.get(user), cloudflare.get(account), own.get(f"/accounts/{'0' * 32}/tokens/verify"), nobody.get(user)]
    key = {"X-Auth-Email": cloudflare.ready["email"], "X-Auth-Key": cloudflare.ready["api_key"]}
    bad.append(CloudflareClient(simulator, "").call("GET", user, headers=key))
    for answer in bad:
        assert failure(answer) == (401, 1000)
        assert answer.json()["errors"][0]["message"] == "Invalid API Token"
    cloudflare.load(bad_token_verify_status=403)
    assert failure(nobody.get(user)) == (403, 1000)


# -- scenarios, control, README ----------------------------------------------------------------------------------


def control(simulator: Simulator, path: str, **body: Any) -> Any:
    return requests.post(simulator.ready["control_url"] + path, json=body, verify=simulator.ready["ca_path"], timeout=10).json()


def test_control_calls(cloudflare: CloudflareClient) -> None:
    simulator = cloudflare.simulator
    first = control(simulator, "cloudflare/add", certificates=[{"cn": "a"}])["ids"][0]
    control(simulator, "cloudflare/add", certificates=[{"count": 2}], zone=cloudflare.ready["other_zone_id"])
    assert control(simulator, "cloudflare/change", id=first, fields={"status": "revoked"}) == {"ok": True}
    state = requests.get(simulator.ready["control_url"] + "state", verify=simulator.ready["ca_path"], timeout=10).json()["cloudflare"]
    nothing = {"pending_reactivation": 0, "pending_revocation": 0}
    assert state == {"certificates": 3, "zones": {"example.com": {**nothing, "active": 0, "revoked": 1}, "example.net": {**nothing, "active": 2, "revoked": 0}}}
    assert control(simulator, "cloudflare/waf_rules", rules=["true"])["ok"]
    assert len(cloudflare.get(ENTRYPOINT).json()["result"]["rules"]) == 1
    assert control(simulator, "cloudflare/hostnames", hostnames=["a.example.com"])["ok"]
    assert cloudflare.get(HOSTNAMES).json()["result"]["hostnames"] == ["a.example.com"]
    mistakes = (("nonsense", {}), ("change", {"id": "x", "fields": {"status": "active"}}), ("add", {"certificates": [], "zone": "x"}), ("waf_rules", {}))
    for path, body in mistakes:
        assert control(simulator, f"cloudflare/{path}", **body)["error"]


@pytest.mark.parametrize(
    "section",
    [{"zones": [{"name": "a.example", "nonsense": 1}]}, {"tokens": [{"token": "x", "permissions": ["All"]}]}, {"tokens": [{"token": "x", "status": "old"}]}],
)
def test_mistakes_in_scenarios_are_explained(cloudflare: CloudflareClient, section: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        cloudflare.simulator.reset({"cloudflare": section})


def test_zones_of_a_scenario(simulator: Simulator) -> None:
    zones = [{"name": "a.example", "status": "pending", "certificates": [{"cn": "a"}]}, {"name": "b.example", "account": "elsewhere"}]
    simulator.reset({"cloudflare": {"certificate_defaults": {"organization": "Example Corp"}, "zones": zones}})
    client = CloudflareClient(simulator)
    assert names(client, name="ends_with:.example") == ["a.example pending", "b.example active"]
    assert names(CloudflareClient(simulator, "account_token"), name="ends_with:.example") == ["a.example pending"]
    assert simulator.cloudflare.certificates("a.example")[0].subject == {"organization": "Example Corp", "common_name": "a"}


def test_the_lost_devices(cloudflare: CloudflareClient) -> None:
    simulator = cloudflare.simulator
    simulator.reset("lost_devices", {"clock_scale": 0})
    part = simulator.cloudflare
    main, other = part.certificates(), part.certificates("example.net")
    assert (len(main), len(other)) == (240, 60)
    leaving = [item for item in main if item.subject["organizational_unit"] == "Contractor Blue Harbor"]
    assert Counter(item.status for item in leaving) == {"active": 35, "revoked": 3, "pending_revocation": 2}
    assert "tablet-0017.field.example.com" in {item.common_name for item in leaving}
    soon = [item for item in main + other if item.expires < simulator.clock.now() + 20 * 86400]
    assert len(soon) == 4 and not set(map(id, soon)) & set(map(id, leaving))
    assert sorted(Counter(item.public_key_sha256 for item in main + other).values())[-2:] == [1, 3]
    blocks = [
        "cert_revoked" in rule["expression"]
        for zone in ("zone_id", "other_zone_id")
        for rule in CloudflareClient(simulator, zone=cloudflare.ready[zone]).get(ENTRYPOINT).json()["result"]["rules"]
    ]
    assert blocks == [False, True]
    assert cloudflare.create(part.csr("new", "tablet-0001.field.example.com")).status_code == 200


def test_the_default_scenario_has_some_of_everything(cloudflare: CloudflareClient) -> None:
    cloudflare.simulator.reset("default")
    assert {row["status"] for row in cloudflare.rows(status="all", per_page=50)} == {"active", "pending_reactivation", "pending_revocation", "revoked"}
    assert {rule["enabled"] for rule in cloudflare.get(ENTRYPOINT).json()["result"]["rules"]} == {True, False}
    assert cloudflare.get(HOSTNAMES).json()["result"]["hostnames"]


def test_the_readme_explains_every_switch_and_every_key_of_an_entry() -> None:
    text = (scenarios.DIRECTORY.parent / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Cloudflare"):]
    wanted = {*seeding.KNOWN, *(item.name for item in fields(Switches))} - {"count", "start", "each"}
    assert [name for name in sorted(wanted) if f"`{name}`" not in section] == []
