# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token service and the enforcement of tokens and scopes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.simulator.tpp.tokens import parse_scope
from ansible_collections.certops.remediation.tests.unit.simulator.plain_client import Client

GRANT_GONE = "Grant has been revoked, has expired, or the refresh token is invalid"


def login(client: Client, simulator: Simulator, **changes: Any) -> requests.Response:
    ready = simulator.ready["tpp"]
    body = {"client_id": "app", "username": ready["username"], "password": ready["password"], "scope": "certificate:manage", "state": ""}
    return client.post("/vedauth/authorize/oauth", {**body, **changes})


def use(client: Client, token: str) -> requests.Response:
    return client.get("/vedsdk/SystemStatus/Version", headers={"Authorization": f"Bearer {token}"})


def test_a_login_gives_the_full_answer(simulator: Simulator, client: Client) -> None:
    answer = login(client, simulator).json()
    assert set(answer) == {"access_token", "refresh_token", "expires", "expires_in", "refresh_until", "token_type", "scope", "identity"}
    assert re.fullmatch(r"[A-Za-z0-9+/]{22}==", answer["access_token"])
    assert (answer["token_type"], answer["scope"], answer["expires_in"]) == ("Bearer", "certificate:manage", 90 * 86400)
    assert use(client, answer["access_token"]).status_code == 200


def test_a_wrong_password(simulator: Simulator, client: Client) -> None:
    answer = login(client, simulator, password="wrong")
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant", "error_description": "Username/password combination not valid"})


def test_a_scope_that_the_user_may_not_have(simulator: Simulator, client: Client) -> None:
    simulator.reset({"tpp": {"users": [{"name": "auditor", "password": "p", "scope": "certificate"}]}})
    answer = login(client, simulator, username="auditor", password="p")
    assert (answer.status_code, answer.reason, answer.content) == (403, "Failed to issue grant: User is not authorized for the requested scope", b"")
    assert login(client, simulator, username="auditor", password="p", scope="certificate").status_code == 200


@pytest.mark.parametrize("changes", [{"client_id": None}, {"scope": ""}, {"scope": "nonsense"}, {"scope": "certificate:fly"}])
def test_bad_parameters(simulator: Simulator, client: Client, changes: dict[str, Any]) -> None:
    answer = login(client, simulator, **changes)
    assert (answer.status_code, set(answer.json())) == (400, {"error", "error_description"})


def test_parameter_names_are_case_sensitive(simulator: Simulator, client: Client) -> None:
    body = {"Client_Id": "app", "Username": "certops", "Password": "x", "Scope": "certificate"}
    assert "client_id" in client.post("/vedauth/authorize/oauth", body).json()["error_description"]


def test_scopes_are_parsed() -> None:
    assert parse_scope("certificate:manage,revoke;configuration") == {"certificate": {"read", "manage", "revoke"}, "configuration": {"read"}}


@pytest.mark.parametrize("kills", [True, False])
def test_a_refresh_token_works_once(simulator: Simulator, client: Client, kills: bool) -> None:
    simulator.configure({"tpp": {"refresh_kills_access_token": kills}})
    first = login(client, simulator).json()
    body = {"client_id": "app", "refresh_token": first["refresh_token"]}
    second = client.post("/vedauth/authorize/token", body).json()
    assert use(client, second["access_token"]).status_code == 200
    assert use(client, first["access_token"]).status_code == (401 if kills else 200)
    again = client.post("/vedauth/authorize/token", body)
    assert (again.status_code, again.reason) == (400, GRANT_GONE)
    assert client.post("/vedauth/authorize/token", {**body, "refresh_token": second["refresh_token"]}).status_code == 200


def test_a_refresh_wants_the_same_client(simulator: Simulator, client: Client) -> None:
    first = login(client, simulator).json()
    answer = client.post("/vedauth/authorize/token", {"client_id": "App", "refresh_token": first["refresh_token"]})
    assert answer.status_code == 400
    assert "does not match the client_id" in answer.json()["error_description"]


def test_a_refresh_error_may_have_no_body(simulator: Simulator, client: Client) -> None:
    simulator.configure({"tpp": {"refresh_error_body": False}})
    answer = client.post("/vedauth/authorize/token", {"client_id": "app", "refresh_token": "gone"})
    assert (answer.status_code, answer.reason, answer.content) == (400, GRANT_GONE, b"")


def test_a_grant_ends_with_its_time(simulator: Simulator, client: Client) -> None:
    first = login(client, simulator).json()
    simulator.clock.advance(90 * 86400)
    assert use(client, first["access_token"]).status_code == 401
    body = {"client_id": "app", "refresh_token": first["refresh_token"]}
    second = client.post("/vedauth/authorize/token", body).json()
    simulator.clock.advance(300 * 86400)
    assert client.post("/vedauth/authorize/token", {**body, "refresh_token": second["refresh_token"]}).reason == GRANT_GONE


def test_verify_and_revoke(simulator: Simulator, client: Client) -> None:
    first = login(client, simulator).json()
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    facts = client.get("/vedauth/authorize/verify", headers=bearer).json()
    assert (facts["application"], facts["scope"], facts["valid_for"]) == ("app", "certificate:manage", 90 * 86400)
    assert {"access_issued_on_unix_time", "expires_ISO8601", "grant_issued_on"} <= set(facts)
    revoked = client.get("/vedauth/revoke/token", headers=bearer)
    assert (revoked.status_code, revoked.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    assert client.post("/vedauth/authorize/token", {"client_id": "app", "refresh_token": first["refresh_token"]}).status_code == 400
    del client.session.headers["Authorization"]
    missing = client.get("/vedauth/revoke/token")
    assert (missing.status_code, missing.text) == (202, "[token] not found")


def test_is_auth_server(simulator: Simulator, client: Client) -> None:
    answer = client.get("/vedauth/authorize/IsAuthServer")
    assert answer.status_code == 202 and "Venafi Authentication Server" in answer.reason


def test_login_with_a_client_certificate(simulator: Simulator, client: Client) -> None:
    ready = simulator.ready["tpp"]
    body = {"client_id": "app", "scope": "certificate"}
    assert client.post("/vedauth/authorize/certificate", body).status_code == 400
    pair = (ready["client_cert"], ready["client_key"])
    answer = requests.post(f"{client.url}/vedauth/authorize/certificate", json=body, cert=pair, verify=client.session.verify, timeout=10)
    assert use(client, answer.json()["access_token"]).status_code == 200


@pytest.mark.parametrize("header", [{"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}, {"Authorization": None}])
def test_a_malformed_bearer(client: Client, header: dict[str, Any]) -> None:
    answer = client.get("/vedsdk/certificates/", headers=header)
    assert (answer.status_code, answer.json()) == (401, {"error": "session_error", "error_description": "Invalid token format"})


def test_all_access_tokens_can_be_expired_at_once(simulator: Simulator, client: Client) -> None:
    assert requests.post(f"{simulator.ready['control_url']}tpp/expire_tokens", verify=client.session.verify, timeout=10).json() == {"expired": 1}
    answer = client.get("/vedsdk/certificates/")
    assert (answer.status_code, answer.json()["error"]) == (401, "expired_token")
    ready = simulator.ready["tpp"]
    fresh = client.post("/vedauth/authorize/token", {"client_id": ready["client_id"], "refresh_token": ready["refresh_token"]})
    assert use(client, fresh.json()["access_token"]).status_code == 200
    simulator.reset()
    assert client.get("/vedsdk/certificates/").status_code == 200


CALLS = {
    "reset": ("POST", "/vedsdk/Certificates/Reset"),
    "retry": ("POST", "/vedsdk/Certificates/Retry"),
    "renew": ("POST", "/vedsdk/Certificates/Renew"),
    "revoke": ("POST", "/vedsdk/Certificates/Revoke"),
    "retrieve": ("POST", "/vedsdk/Certificates/Retrieve"),
    "list": ("GET", "/vedsdk/certificates/"),
    "lookup": ("POST", "/vedsdk/Config/DnToGuid"),
    "read": ("POST", "/vedsdk/Config/Read"),
    "version": ("GET", "/vedsdk/SystemStatus/Version"),
}


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("certificate", {"list", "lookup", "version"}),
        ("certificate:manage", {"list", "lookup", "version", "reset", "retry", "renew", "retrieve"}),
        ("certificate:revoke", {"list", "lookup", "version", "revoke"}),
        ("configuration", {"lookup", "version", "read"}),
        ("ssh", {"lookup", "version"}),
    ],
)
def test_each_call_needs_its_scope(simulator: Simulator, client: Client, scope: str, allowed: set[str]) -> None:
    token = login(client, simulator, scope=scope).json()["access_token"]
    client.session.headers["Authorization"] = f"Bearer {token}"
    answers = {name: client.session.request(method, client.url + path, json={}, timeout=10) for name, (method, path) in CALLS.items()}
    assert {name for name, answer in answers.items() if answer.status_code != 403} == allowed
    refused = next(answer for answer in answers.values() if answer.status_code == 403)
    assert refused.json()["error"] == "insufficient_scope"
    assert f"Grant rejected scope '{scope}'." in refused.json()["error_description"]


def test_the_lookup_scope_is_a_switch(simulator: Simulator, client: Client) -> None:
    simulator.configure({"tpp": {"config_lookup_scope": "configuration"}})
    token = login(client, simulator).json()["access_token"]
    answer = client.post("/vedsdk/Config/DnToGuid", {"ObjectDN": "\\VED\\Policy"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403


def test_before_20_4_a_missing_scope_was_a_401(simulator: Simulator, client: Client) -> None:
    token = login(client, simulator, scope="ssh").json()["access_token"]
    simulator.configure({"tpp": {"version": "20.3"}})
    assert client.get("/vedsdk/certificates/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
