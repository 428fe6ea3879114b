# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare: credentials, permissions, envelopes of failures, rate limits and the edge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.cloudflare_client import CERTIFICATES, CloudflareClient, failure

TOKEN = "cfut_" + "a" * 48
OLD_KEY = "0123456789abcdef0123456789abcdef01234"


@pytest.fixture
def cloudflare(simulator: Simulator) -> Iterator[CloudflareClient]:
    client = CloudflareClient(simulator)
    yield client
    client.session.close()


@pytest.fixture
def anybody(simulator: Simulator) -> Iterator[CloudflareClient]:
    client = CloudflareClient(simulator, token="")
    yield client
    client.session.close()


def ask(client: CloudflareClient, path: str = CERTIFICATES, **headers: str) -> requests.Response:
    return client.call("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


# -- credentials -------------------------------------------------------------------------------------------------


def test_the_shapes_of_the_credentials(cloudflare: CloudflareClient) -> None:
    for name, prefix in (("api_token", "cfut_"), ("account_token", "cfat_"), ("read_token", "cfut_"), ("zone_token", "cfut_"), ("api_key", "cfk_")):
        assert re.fullmatch(prefix + "[0-9A-Za-z]{48}", cloudflare.ready[name])
    for name in ("zone_id", "other_zone_id", "account_id"):
        assert re.fullmatch("[0-9a-f]{32}", cloudflare.ready[name])


def test_the_ready_credentials_outlive_a_reset(cloudflare: CloudflareClient) -> None:
    cloudflare.simulator.reset("default")
    for name in ("api_token", "account_token", "read_token", "zone_token"):
        assert CloudflareClient(cloudflare.simulator, name).get(CERTIFICATES).status_code == 200


def test_email_and_global_key(anybody: CloudflareClient) -> None:
    email, key = anybody.ready["email"], anybody.ready["api_key"]
    assert ask(anybody, X_Auth_Email=email.upper(), X_Auth_Key=key).status_code == 200
    assert failure(ask(anybody, X_Auth_Email=email, X_Auth_Key=OLD_KEY)) == (403, 9103)
    assert failure(ask(anybody, X_Auth_Email="somebody@example.com", X_Auth_Key=key)) == (403, 9103)
    # One client sends the e-mail address along with a token.
    assert ask(anybody, X_Auth_Email=email, Authorization=f"Bearer {anybody.ready['api_token']}").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X_Auth_Email": "certops@example.com"}, {"X_Auth_Key": OLD_KEY}, {"X_Auth_User_Service_Key": "v1.0-abc"}])
def test_without_credentials(anybody: CloudflareClient, headers: dict[str, str]) -> None:
    answer = ask(anybody, **headers)
    assert answer.status_code == 400
    # As recorded: 112 bytes and a line end, with nothing but the errors.
    text = b'{"success":false,"errors":[{"code":9106,"message":"Missing X-Auth-Key, X-Auth-Email or Authorization headers"}]}'
    assert answer.content == text + b"\n"


@pytest.mark.parametrize("value", ["Bearer short", f"Basic {TOKEN}", TOKEN, f"Bearer {OLD_KEY}", f"Bearer cfk_{'a' * 48}", f"Bearer {TOKEN}/", "Bearer", ""])
def test_a_malformed_authorization_header(anybody: CloudflareClient, value: str) -> None:
    answer = ask(anybody, Authorization=value)
    assert failure(answer) == (400, 6003)
    chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
    assert answer.json()["errors"] == [{"code": 6003, "message": "Invalid request headers", "error_chain": chain}]


@pytest.mark.parametrize(
    ("email", "key", "codes"),
    [("certops@example.com", TOKEN, [6103]), ("certops", OLD_KEY, [6102]), ("certops", TOKEN, [6102, 6103]), ("certops@example.com", "ABC", [6103])],
)
def test_malformed_email_and_key(anybody: CloudflareClient, email: str, key: str, codes: list[int]) -> None:
    answer = ask(anybody, X_Auth_Email=email, X_Auth_Key=key)
    assert failure(answer) == (400, 6003)
    texts = {6102: "Invalid format for X-Auth-Email header", 6103: "Invalid format for X-Auth-Key header"}
    assert answer.json()["errors"][0]["error_chain"] == [{"code": code, "message": texts[code]} for code in codes]


@pytest.mark.parametrize("status", [403, 401])
def test_an_unknown_token(anybody: CloudflareClient, status: int) -> None:
    anybody.simulator.configure({"cloudflare": {"bad_token_status": status}})
    answer = ask(anybody, Authorization=f"Bearer {TOKEN}")
    assert failure(answer) == (status, 9109)
    assert answer.json()["errors"][0]["message"] == "Invalid access token"
    # The old shape of a token is as good.
    assert failure(ask(anybody, Authorization=f"bearer {'a' * 40}")) == (status, 9109)


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_a_token_that_has_ended(simulator: Simulator, status: str) -> None:
    simulator.reset({"cloudflare": {"tokens": [{"token": TOKEN, "status": status}]}})
    client = CloudflareClient(simulator, TOKEN)
    assert failure(client.get(CERTIFICATES)) == (403, 9109)
    answer = client.get("/user/tokens/verify").json()
    assert (answer["success"], answer["result"]["status"], answer["messages"]) == (True, status, [])


# -- permissions -------------------------------------------------------------------------------------------------


def test_reading_is_not_writing(cloudflare: CloudflareClient) -> None:
    reader = CloudflareClient(cloudflare.simulator, "read_token")
    number = cloudflare.load({"cn": "a"})[0]
    assert reader.show(number)["id"] == number
    for answer in (
        reader.create(cloudflare.simulator.cloudflare.csr("key")), reader.revoke(number), reader.reactivate(number),
        reader.call("PUT", "certificate_authorities/hostname_associations", json={"hostnames": []}), reader.get("rulesets"),
        reader.get("rulesets/phases/http_request_firewall_custom/entrypoint"),
    ):
        assert failure(answer) == (403, 10000)
        assert answer.json()["errors"] == [{"code": 10000, "message": "Authentication error"}]
    assert cloudflare.simulator.records.effects(number) == []


@pytest.mark.parametrize(
    ("permission", "good"),
    [("SSL and Certificates Read", {CERTIFICATES}), ("SSL and Certificates Write", {CERTIFICATES}), ("Zone Read", {""}), ("Zone WAF Read", {"rulesets"})],
)
def test_each_permission(simulator: Simulator, permission: str, good: set[str]) -> None:
    simulator.reset({"cloudflare": {"tokens": [{"token": TOKEN, "permissions": [permission]}]}})
    client = CloudflareClient(simulator, TOKEN)
    assert {path for path in (CERTIFICATES, "", "rulesets") if client.get(path).status_code == 200} == good


def test_a_token_for_one_zone(cloudflare: CloudflareClient) -> None:
    limited = CloudflareClient(cloudflare.simulator, "zone_token")
    assert limited.get(CERTIFICATES).status_code == 200
    assert limited.get("").json()["result"]["name"] == "example.com"
    elsewhere = CloudflareClient(cloudflare.simulator, "zone_token", cloudflare.ready["other_zone_id"])
    assert failure(elsewhere.get(CERTIFICATES)) == (403, 10000)


@pytest.mark.parametrize(("kind", "expected"), [("403", (403, 10000)), ("404", (404, 7003))])
def test_an_unknown_zone(cloudflare: CloudflareClient, kind: str, expected: tuple[int, int]) -> None:
    cloudflare.simulator.configure({"cloudflare": {"unknown_zone": kind}})
    assert failure(CloudflareClient(cloudflare.simulator, zone="0" * 32).get(CERTIFICATES)) == expected


@pytest.mark.parametrize("status", [400, 404])
def test_a_malformed_zone_and_an_unknown_route(cloudflare: CloudflareClient, status: int) -> None:
    cloudflare.simulator.configure({"cloudflare": {"malformed_zone_status": status}})
    answer = cloudflare.get("/zones/Example.com/client_certificates?page=1")
    assert failure(answer) == (status, 7003)
    assert answer.json()["errors"] == [
        {"code": 7003, "message": "Could not route to /client/v4/zones/Example.com/client_certificates, perhaps your object identifier is invalid?"},
        {"code": 7000, "message": "No route for that URI"},
    ]
    assert failure(cloudflare.get("/nonsense")) == (status, 7003)


def test_a_wrong_method(cloudflare: CloudflareClient) -> None:
    answer = cloudflare.call("POST", "/user/tokens/verify")
    assert failure(answer) == (405, 7001)
    assert answer.json()["errors"][0]["message"] == "Method POST not available for that URI."


# -- envelopes ---------------------------------------------------------------------------------------------------


def test_failures_with_less_in_them(cloudflare: CloudflareClient) -> None:
    cloudflare.load(envelope_without_messages=True)
    body = cloudflare.get(f"{CERTIFICATES}/x").json()
    assert body == {"success": False, "errors": [{"code": 1415, "message": "Invalid Certificate ID in request"}]}
    cloudflare.load(envelope_without_messages=False, error_items_without_code=True)
    body = cloudflare.get(f"{CERTIFICATES}/x").json()
    assert body == {"success": False, "errors": [{"message": "Invalid Certificate ID in request"}], "messages": [], "result": None}


@pytest.mark.parametrize(
    "settings",
    [{"nonsense": 1}, {"revoke_seconds": "1"}, {"unknown_id_status": 500}, {"serial_base": "octal"}, {"quota": True}, {"success_false_with_200": "x"}],
)
def test_mistakes_in_switches_are_explained(cloudflare: CloudflareClient, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        cloudflare.simulator.configure({"cloudflare": settings})


# -- the edge ----------------------------------------------------------------------------------------------------


def ray(answer: requests.Response) -> str:
    match = re.fullmatch("([0-9a-f]{16})-[A-Z]{3}", answer.headers["cf-ray"])
    assert match and answer.headers["server"] == "cloudflare"
    return match[1]


def test_every_answer_has_a_ray(cloudflare: CloudflareClient, anybody: CloudflareClient) -> None:
    answers = [cloudflare.get(CERTIFICATES), cloudflare.get(f"{CERTIFICATES}/x"), anybody.get(CERTIFICATES), cloudflare.get("/nonsense")]
    for fault in ({"action": "html"}, {"action": "status", "status": 503}, {"action": "empty"}):
        cloudflare.simulator.faults.add(**fault)
        answers.append(cloudflare.get(CERTIFICATES))
    assert len({ray(answer) for answer in answers}) == len(answers)
    assert answers[0].headers["Content-Type"] == "application/json"
    assert answers[0].headers["cf-cache-status"] == "DYNAMIC" and "__cflb=" in answers[0].headers["Set-Cookie"]


@pytest.mark.parametrize(("status", "reason"), [(502, None), (521, "Web server is down"), (530, "Origin DNS error")])
def test_the_page_of_the_edge(cloudflare: CloudflareClient, status: int, reason: str | None) -> None:
    cloudflare.simulator.faults.add("html", status=status, reason=reason)
    answer = cloudflare.get(CERTIFICATES)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{status} {reason or 'Bad Gateway'}</h1>" in answer.text and "<hr><center>cloudflare</center>" in answer.text


def test_headers_of_a_fault_win(cloudflare: CloudflareClient) -> None:
    cloudflare.simulator.faults.add("status", status=503, headers={"cf-ray": "0000000000000000-IAD"})
    assert cloudflare.get(CERTIFICATES).headers["cf-ray"] == "0000000000000000-IAD"


# -- rate limits -------------------------------------------------------------------------------------------------


def statuses(client: CloudflareClient, count: int) -> list[int]:
    return [client.get(CERTIFICATES).status_code for dummy in range(count)]


def test_the_window_and_the_block(cloudflare: CloudflareClient) -> None:
    clock = cloudflare.simulator.clock
    cloudflare.load(rate_limit=5)
    assert statuses(cloudflare, 3) == [200] * 3
    clock.advance(299)
    assert statuses(cloudflare, 2) == [200] * 2
    answer = cloudflare.get(CERTIFICATES)
    # As recorded: 136 bytes.
    assert (answer.status_code, len(answer.content)) == (429, 136)
    assert failure(answer) == (429, 971)
    assert answer.json()["errors"][0]["message"] == "Please wait and consider throttling your request speed"
    assert answer.headers["retry-after"] == "300"
    # The window has room again, but the block goes on.
    clock.advance(2)
    answer = cloudflare.get(CERTIFICATES)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "298")
    clock.advance(298)
    assert statuses(cloudflare, 6) == [200] * 5 + [429]


def test_without_a_block(cloudflare: CloudflareClient) -> None:
    cloudflare.load(rate_limit=2, rate_block_seconds=0, rate_window_seconds=10)
    assert statuses(cloudflare, 3) == [200, 200, 429]
    cloudflare.simulator.clock.advance(10)
    assert statuses(cloudflare, 3) == [200, 200, 429]


def test_whose_requests_are_counted_together(cloudflare: CloudflareClient, anybody: CloudflareClient) -> None:
    cloudflare.load(rate_limit=2)
    assert statuses(cloudflare, 1) + statuses(CloudflareClient(cloudflare.simulator, "read_token"), 1) == [200, 200]
    key = {"X_Auth_Email": anybody.ready["email"], "X_Auth_Key": anybody.ready["api_key"]}
    assert failure(ask(anybody, **key)) == (429, 971)
    assert failure(cloudflare.get("/user/tokens/verify")) == (429, 971)
    assert statuses(CloudflareClient(cloudflare.simulator, "account_token"), 3) == [200, 200, 429]


def test_a_refused_request_changes_nothing(cloudflare: CloudflareClient) -> None:
    number = cloudflare.load({"cn": "a"}, rate_limit=1)[0]
    statuses(cloudflare, 1)
    assert failure(cloudflare.revoke(number)) == (429, 971)
    assert cloudflare.simulator.records.effects(number) == []


def test_the_address(cloudflare: CloudflareClient) -> None:
    cloudflare.load(address_rate_limit=3)
    assert statuses(cloudflare, 2) + statuses(CloudflareClient(cloudflare.simulator, "account_token"), 2) == [200] * 3 + [429]
    cloudflare.simulator.clock.advance(299)
    assert statuses(cloudflare, 1) == [429]
    cloudflare.simulator.clock.advance(1)
    assert statuses(cloudflare, 3) == [200] * 3
    cloudflare.simulator.clock.advance(1)
    assert statuses(cloudflare, 1) == [200]


def test_the_older_code(cloudflare: CloudflareClient) -> None:
    cloudflare.load(rate_limit=1, rate_limit_code=10100)
    cloudflare.get(CERTIFICATES)
    answer = cloudflare.get(CERTIFICATES)
    assert failure(answer) == (429, 10100)
    assert answer.json()["errors"][0]["message"] == "More than 1 requests per 300 seconds reached. Please wait and consider throttling your request speed"


NEW, OLD = ("Ratelimit", "Ratelimit-Policy"), ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.mark.parametrize(("kind", "expected"), [("new", NEW), ("old", OLD), ("both", NEW + OLD), ("none", ())])
def test_the_headers(cloudflare: CloudflareClient, kind: str, expected: tuple[str, ...]) -> None:
    cloudflare.load(rate_limit=2, ratelimit_headers=kind)
    first, second = cloudflare.get(CERTIFICATES), None
    cloudflare.simulator.clock.advance(100)
    second, third = cloudflare.get(CERTIFICATES), cloudflare.get(CERTIFICATES)
    for answer in (first, second, third):
        assert {name for name in NEW + OLD if name in answer.headers} == set(expected)
        assert ("retry-after" in answer.headers) == (answer is third and kind != "none")
    if "Ratelimit" in expected:
        values = [(answer.headers["Ratelimit"], answer.headers["Ratelimit-Policy"]) for answer in (first, second, third)]
        assert values == [(f'"default";r={left};t={reset}', '"default";q=2;w=300') for left, reset in ((1, 300), (0, 200), (0, 300))]
    if "X-RateLimit-Limit" in expected:
        assert [answer.headers["X-RateLimit-Remaining"] for answer in (first, second, third)] == ["1", "0", "0"]


def test_scenarios_have_the_published_limits(cloudflare: CloudflareClient) -> None:
    cloudflare.simulator.reset("default", {"clock_scale": 0})
    assert cloudflare.get(CERTIFICATES).headers["Ratelimit-Policy"] == '"default";q=1200;w=300'
    assert statuses(cloudflare, 200)[-2:] == [200, 429]
    cloudflare.simulator.reset("empty")
    assert "Ratelimit" not in cloudflare.get(CERTIFICATES).headers
