# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command: addresses, headers, authentication and permissions."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.keyfactor_client import Command, NoAuth

COLLECTIONS = [
    {"name": "All", "content": ""},
    {"id": 5, "name": "Web", "content": 'CN -contains "web"'},
]
CERTIFICATES = [{"cn": "web.example.com"}, {"cn": "db.example.com"}]


@pytest.fixture
def command(simulator: Simulator) -> Iterator[Command]:
    simulator.keyfactor.load(CERTIFICATES)
    plain = Command(simulator)
    yield plain
    plain.session.close()


def with_user(simulator: Simulator, command: Command, **rights: Any) -> None:
    """Somebody with these rights, two certificates and two collections."""
    user = {"name": "web", "password": "pw", **rights}
    simulator.reset({"keyfactor": {"users": [user], "collections": COLLECTIONS, "certificates": CERTIFICATES}})
    command.as_user("EXAMPLE\\web", "pw")


# -- addresses and headers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/KeyfactorAPI/Certificates/1", "/keyfactorapi/certificates/1", "/KeyfactorApi/Certificates/1/"])
def test_paths_have_no_case(simulator: Simulator, command: Command, path: str) -> None:
    assert command.session.get(simulator.ready["url"] + path, timeout=10).json()["Id"] == 1


@pytest.mark.parametrize("api_path", ["Keyfactor/API", "/Keyfactor/API/"])
def test_the_api_path_may_have_slashes(simulator: Simulator, command: Command, api_path: str) -> None:
    simulator.configure({"keyfactor": {"api_path": api_path}})
    url = simulator.ready["url"]
    assert command.session.get(f"{url}/Keyfactor/API/Certificates/1", timeout=10).status_code == 200
    assert command.get("/Certificates/1").status_code == 404


def test_what_is_not_there_is_a_page_of_iis(command: Command) -> None:
    answer = command.get("/Nonsense")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert command.get("/Certificates/Revoke").status_code == 405


def test_the_recorded_headers(simulator: Simulator, command: Command) -> None:
    headers = command.get("/Certificates").headers
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Api-Supported-Versions"] == "1.0, 2"
    assert headers["X-Keyfactor-Product-Version"].startswith("25.4.1+")
    assert len(headers["X-Keyfactor-Correlation-Id"]) == 36
    assert headers["X-Total-Count"] == "2"
    assert command.get("/Workflow/Instances").headers["Api-Supported-Versions"] == "1.0"
    simulator.configure({"keyfactor": {"version": "10.4"}})
    assert "X-Keyfactor-Product-Version" not in command.get("/Certificates").headers


def test_the_probe_of_the_go_clients(command: Command) -> None:
    endpoints = command.get("/Status/Endpoints").json()
    assert "POST /certificates/revoke" in endpoints
    assert "GET /certificates/{id}/history" in endpoints
    assert "GET /workflow/instances/{instance}" in endpoints


def test_the_requested_with_header_can_be_made_mandatory(simulator: Simulator, command: Command) -> None:
    del command.session.headers["x-keyfactor-requested-with"]
    assert command.get("/Certificates").status_code == 200
    simulator.configure({"keyfactor": {"requested_with_required": True}})
    answer = command.get("/Certificates")
    assert (answer.status_code, set(answer.json())) == (400, {"ErrorCode", "Message"})


# -- authentication ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["EXAMPLE\\certops", "example\\CERTOPS", "certops@EXAMPLE", "certops@example.com", "example.com\\certops", "certops"]
)
def test_basic_takes_every_form_of_the_name(command: Command, name: str) -> None:
    command.as_user(name, command.ready["password"])
    assert command.get("/Certificates").status_code == 200


def test_a_bare_name_is_only_good_in_the_default_domain(simulator: Simulator, command: Command) -> None:
    with_user(simulator, command, domain="OTHER")
    for name, status in (("OTHER\\web", 200), ("web@other.com", 200), ("web", 401), ("EXAMPLE\\web", 401)):
        command.as_user(name, "pw")
        assert command.get("/Certificates").status_code == status


@pytest.mark.parametrize("header", ["", "Basic !", "Basic " + base64.b64encode(b"EXAMPLE\\certops:wrong").decode(), "Bearer wrong", "Negotiate x"])
@pytest.mark.parametrize("form", ["html", "empty"])
def test_nobody_gets_a_401(simulator: Simulator, command: Command, header: str, form: str) -> None:
    simulator.configure({"keyfactor": {"unauthorized_body": form}})
    answer = command.session.get(f"{command.base}/Certificates", headers={"Authorization": header}, auth=NoAuth(), timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer" if header.startswith("Bearer") else "Basic")
    assert answer.text.startswith("<!DOCTYPE html") is (form == "html")


def bearer(command: Command, token: str) -> int:
    return command.session.get(f"{command.base}/Certificates", headers={"Authorization": f"Bearer {token}"}, auth=NoAuth(), timeout=10).status_code


def test_a_token_lasts_as_long_as_it_says(simulator: Simulator, command: Command) -> None:
    simulator.configure({"keyfactor": {"token_seconds": 600}})
    answer = command.token()
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 600
    token = answer.json()["access_token"]
    assert bearer(command, token) == 200
    simulator.clock.advance(601)
    assert bearer(command, token) == 401


def test_tokens_can_be_made_worthless(simulator: Simulator, command: Command) -> None:
    token = command.token().json()["access_token"]
    answer = command.session.post(simulator.ready["control_url"] + "keyfactor/expire_tokens", json={}, timeout=10)
    assert answer.json() == {"expired": 1}
    assert bearer(command, token) == 401
    assert bearer(command, command.token().json()["access_token"]) == 200


def test_tokens_are_known_since_11(simulator: Simulator, command: Command) -> None:
    simulator.configure({"keyfactor": {"version": "10.4"}})
    assert bearer(command, command.token().json()["access_token"]) == 401


def test_the_client_may_name_itself_by_basic_authentication(command: Command) -> None:
    auth = (command.ready["client_id"], command.ready["client_secret"])
    answer = command.session.post(command.ready["token_url"], data={"grant_type": "client_credentials"}, auth=auth, timeout=10)
    assert bearer(command, answer.json()["access_token"]) == 200
    answer = command.session.post(command.ready["token_url"], headers={"Authorization": "Basic !"}, auth=NoAuth(), timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "EXAMPLE\\certops"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_the_token_endpoint_refuses(command: Command, form: dict[str, str], status: int, error: str) -> None:
    answer = command.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert command.session.get(command.ready["token_url"], timeout=10).status_code == 404


def test_scope_and_audience_count_where_the_client_has_them(simulator: Simulator, command: Command) -> None:
    client = {"client_id": "strict", "client_secret": "s", "scope": "command.write", "audience": "keyfactor"}
    simulator.reset({"keyfactor": {"clients": [client]}})
    strict = {"client_id": "strict", "client_secret": "s"}
    assert command.token(**strict).json()["error"] == "invalid_scope"
    assert command.token(**strict, scope="openid command.write").json()["error"] == "invalid_target"
    assert command.token(**strict, scope="openid command.write", audience="keyfactor").status_code == 200


def test_no_secret_is_in_the_journal(simulator: Simulator, command: Command) -> None:
    token = command.token().json()["access_token"]
    bearer(command, token)
    text = json.dumps(simulator.journal)
    for secret in (token, command.ready["client_secret"], command.ready["password"]):
        assert secret not in text


def test_the_credentials_of_the_ready_file_outlive_a_reset(simulator: Simulator, command: Command) -> None:
    simulator.reset("empty")
    assert command.get("/Certificates").status_code == 200
    assert bearer(command, command.token().json()["access_token"]) == 200


# -- permissions -------------------------------------------------------------------------------------------------


def test_without_any_permission(simulator: Simulator, command: Command) -> None:
    with_user(simulator, command, read=False, revoke=False, workflows=False)
    for answer in (command.get("/Certificates"), command.get("/Certificates/1"), command.get("/Certificates/1/History"),
                   command.get("/Certificates/Locations/1"), command.revoke(1), command.get("/Workflow/Instances"), command.get("/Certificates/99")):
        assert (answer.status_code, answer.json()["ErrorCode"]) == (403, "0xA0140002")
        assert answer.json()["Message"].startswith("User EXAMPLE\\web does not have the required permissions: /")
    assert command.get("/CertificateCollections").json() == []
    assert command.get("/CertificateCollections/5").status_code == 403


def test_revoke_without_read(simulator: Simulator, command: Command) -> None:
    with_user(simulator, command, read=False)
    assert command.get("/Certificates/1").status_code == 403
    assert command.revoke(1).json()["RevokedIds"] == [1]


@pytest.mark.parametrize("named", [5, "Web"])
@pytest.mark.parametrize("outside", [403, 404])
def test_a_permission_by_collection(simulator: Simulator, command: Command, named: Any, outside: int) -> None:
    with_user(simulator, command, read=[named], revoke=[named])
    simulator.configure({"keyfactor": {"out_of_collection_status": outside}})
    assert command.get("/Certificates").status_code == 403
    assert command.get("/Certificates", collectionId=1).status_code == 403
    assert [item["Id"] for item in command.get("/Certificates", collectionId=5).json()] == [1]
    assert command.get("/Certificates/1").status_code == 403
    assert command.get("/Certificates/1", collectionId=5).status_code == 200
    assert command.get("/Certificates/2", collectionId=5).status_code == outside
    assert command.get("/Certificates/1/History", collectionId=5).status_code == 200
    assert command.get("/Certificates/Locations/1", collectionId=5).status_code == 200
    assert [item["Id"] for item in command.get("/CertificateCollections").json()] == [5]
    assert command.get("/CertificateCollections/Web").status_code == 200
    assert command.get("/CertificateCollections/All").status_code == 403
    # For a revocation the collection counts in the body, and not in the query.
    assert command.revoke(1).status_code == 403
    assert command.post("/Certificates/Revoke?collectionId=5", {"CertificateIds": [1]}).status_code == 403
    assert command.revoke(1, 2, CollectionId=5).status_code == outside
    assert simulator.keyfactor[1].state == 1
    assert command.revoke(1, CollectionId=5).json()["RevokedIds"] == [1]


def test_a_collection_narrows_the_list_for_everybody(simulator: Simulator, command: Command) -> None:
    with_user(simulator, command)
    assert command.listed(collectionId=5) == [1]
    assert command.listed(collectionId=0) == [1, 2]
    assert command.get("/Certificates", collectionId=99).status_code == 404
    assert command.get("/Certificates/2", collectionId=5).status_code == 200
    assert command.revoke(2, CollectionId=0).status_code == 200


def test_oauth_clients_have_permissions_too(simulator: Simulator, command: Command) -> None:
    client = {"client_id": "reader", "client_secret": "s", "revoke": False}
    simulator.reset({"keyfactor": {"clients": [client], "certificates": CERTIFICATES}})
    token = command.token(client_id="reader", client_secret="s").json()["access_token"]
    command.session.auth = NoAuth()
    command.session.headers["Authorization"] = f"Bearer {token}"
    assert command.get("/Certificates/1").status_code == 200
    answer = command.revoke(1)
    assert answer.status_code == 403
    assert "User reader does not" in answer.json()["Message"]
