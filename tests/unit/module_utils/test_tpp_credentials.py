# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to log in to TPP, against the simulator's token service."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.certops.remediation.plugins.module_utils import tpp_credentials
from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    AuthorizationError,
    InputError,
    NotSentError,
    RemediationError,
)
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.tpp import connect
from ansible_collections.certops.remediation.plugins.module_utils.tpp_credentials import TokenStore, TppLogin
from ansible_collections.certops.remediation.tests.unit.support import HOME

DN = f"{HOME}\\a.example.com"
REFRESH = "/vedauth/authorize/token"


def params(simulator, **login):
    """Options of a module with this login; a key of the ready file stands for its value."""
    ready = {**simulator.ready["tpp"], "ca_path": simulator.ready["ca_path"]}
    common = {
        "url": ready["url"],
        "ca_path": ready["ca_path"],
        "validate_certs": True,
        "timeout": 5,
        "retry_timeout": 5,
        "concurrency": 8,
        "rate_limits": [],
        "scope": "certificate:manage",
    }
    return {**common, **{name: ready[name] if value is True else value for name, value in login.items()}}


def client_of(simulator, read_only=False, **login):
    client = connect(params(simulator, **login), read_only=read_only, secrets=Secrets(), warn=lambda text: None)
    return client


def paths(simulator, part="/vedauth"):
    return [entry["path"] for entry in simulator.journal if part in entry["path"]]


def works(client):
    entries, total = client.search([])
    return total == len(entries)


LOGINS = {
    "token": {"access_token": True},
    "password": {"username": True, "password": True, "client_id": True},
    "certificate": {"client_cert": True, "client_key": True, "client_id": True},
    "refresh token": {"refresh_token": True, "client_id": True},
}


@pytest.fixture
def token_path(tmp_path):
    return str(tmp_path / "tokens.json")


def login_of(kind, token_path):
    return {**LOGINS[kind], **({"token_path": token_path} if kind == "refresh token" else {})}


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


# -- logging in ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LOGINS)
def test_every_login_works_with_one_token_request_at_most(simulator, kind, token_path):
    client = client_of(simulator, **login_of(kind, token_path))
    assert paths(simulator) == [], "nothing is asked for before it is needed"
    assert in_parallel(lambda number: works(client), range(20), 8) == [True] * 20
    wanted = {"token": [], "password": ["/vedauth/authorize/oauth"], "certificate": ["/vedauth/authorize/certificate"], "refresh token": [REFRESH]}
    assert paths(simulator) == wanted[kind]
    assert all("api" not in name.lower() for name in client.transport._session.headers)


def test_the_scope_that_is_asked_for_is_the_option(simulator):
    client = client_of(simulator, **{**LOGINS["password"], "scope": "certificate:manage,revoke"})
    assert works(client)
    assert simulator.journal[0]["body"]["scope"] == "certificate:manage,revoke"


@pytest.mark.parametrize(
    "login, option",
    [
        ({}, "access_token"),
        ({"username": "u"}, "username, password"),
        ({"password": "p"}, "username, password"),
        ({"username": "u", "access_token": True}, "username, password"),
        ({"username": "u", "password": "p"}, "client_id"),
        ({"client_cert": True, "client_key": True}, "client_id"),
        ({"refresh_token": "r", "client_id": "c"}, "refresh_token"),
        ({"refresh_token": "r", "token_path": "/tmp/certops-none/tokens.json", "client_id": "c"}, "token_path"),
        ({"token_path": "/tmp/certops-none.json", "client_id": "c"}, "token_path"),
        ({"access_token": "two words"}, "access_token"),
        ({"access_token": "line\n"}, "access_token"),
        ({"access_token": "nul\x00"}, "access_token"),
        ({"access_token": "e\u20acuro"}, "access_token"),
    ],
)
def test_missing_and_half_credentials_are_told_before_anything_is_sent(simulator, login, option):
    with pytest.raises(InputError) as caught:
        client_of(simulator, **login)
    assert caught.value.option == option and simulator.journal == []
    token = login.get("access_token")
    assert not isinstance(token, str) or token not in caught.value.message


@pytest.mark.parametrize(
    "kind, wrong, text",
    [
        ("password", {"password": "wr0ng"}, "Username/password combination not valid"),
        ("password", {"username": "nobody"}, "Check username, password and client_id"),
        ("refresh token", {"refresh_token": "wr0ng"}, "works once"),
        ("refresh token", {"client_id": "other"}, "client_id"),
    ],
)
def test_wrong_credentials_are_told_once_and_for_all(simulator, kind, wrong, text, token_path):
    client = client_of(simulator, **{**login_of(kind, token_path), **wrong})
    with pytest.raises(AuthenticationError, match=text) as caught:
        works(client)
    assert caught.value.fatal and caught.value.status == 400
    assert "wr0ng" not in caught.value.message
    assert len(simulator.journal) == 1
    assert not os.path.exists(token_path)


def test_a_client_certificate_that_is_nobody_is_told(simulator):
    simulator.faults.add("status", status=401, match={"path": "authorize/certificate"})
    with pytest.raises(AuthenticationError, match="client_cert"):
        works(client_of(simulator, **LOGINS["certificate"]))


def test_a_user_who_may_not_have_the_scope_is_told(simulator):
    simulator.tpp.grants.users["auditor"] = type(simulator.tpp.grants.users["certops"])("auditor", "look", scope="certificate")
    client = client_of(simulator, username="auditor", password="look", client_id=True)
    with pytest.raises(AuthorizationError, match="scope 'certificate:manage'") as caught:
        works(client)
    assert "not authorized for the requested scope" in caught.value.message


@pytest.mark.parametrize(
    "action, options", [("drop_before", {}), ("drop_after", {}), ("truncate", {}), ("empty", {}), ("html", {"status": 200}), ("html", {"status": 502})]
)
@pytest.mark.parametrize("kind", ["password", "refresh token"])
def test_a_login_whose_answer_is_lost_is_no_lost_answer_of_the_request_behind_it(simulator, kind, action, options, token_path):
    """The request that needed the token was never sent: nobody may think that it may have been done."""
    simulator.tpp.load([{"name": "a.example.com", "in_error": True, "stage": 500}])
    simulator.faults.add(action, match={"path": "vedauth"}, times=0, **options)
    client = client_of(simulator, **{**login_of(kind, token_path), "retry_timeout": 0})
    with pytest.raises(RemediationError) as caught:
        client.reset(DN, restart=False, work_to_do_timeout=0)
    assert not isinstance(caught.value, AnswerLostError)
    assert caught.value.fatal
    assert paths(simulator, "reset") == []


def test_a_login_that_fails_is_fatal_whatever_the_reason(simulator):
    simulator.faults.add("status", status=500, match={"path": "vedauth"}, times=0, body="<html>oops</html>")
    with pytest.raises(RemediationError, match="log in") as caught:
        works(client_of(simulator, **LOGINS["password"]))
    assert caught.value.fatal


def test_a_single_login_is_tried_again_after_a_break(simulator):
    simulator.faults.add("drop_after", match={"path": "oauth"})
    assert works(client_of(simulator, **LOGINS["password"]))
    assert len(paths(simulator)) == 2


@pytest.mark.parametrize("body", ["[]", "{}", '{"access_token": null}', '{"access_token": 5}', "null", "<html>"])
def test_an_answer_without_a_token_is_told(simulator, body):
    simulator.faults.add("status", status=200, body=body, match={"path": "oauth"})
    with pytest.raises(AuthenticationError, match="holds no token"):
        works(client_of(simulator, **LOGINS["password"]))


def test_an_unreachable_server_is_not_an_authentication_problem(simulator):
    with pytest.raises(NotSentError):
        works(connect({**params(simulator, **LOGINS["password"]), "url": "https://127.0.0.1:9"}, read_only=False, secrets=Secrets(), warn=lambda text: None))


# -- expired and insufficient tokens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["password", "certificate", "refresh token"])
def test_an_expired_token_is_renewed_once_and_the_request_repeated_once(simulator, kind, token_path):
    client = client_of(simulator, access_token="Expired+Token+22charsA==", **login_of(kind, token_path))
    assert works(client)
    assert len(paths(simulator)) == 1
    assert [entry["status"] for entry in simulator.journal if "/vedsdk" in entry["path"]] == [401, 200]


def test_a_reset_that_meets_an_expired_token_is_done_once(simulator):
    simulator.tpp.load([{"name": "a.example.com", "in_error": True, "stage": 500}])
    client = client_of(simulator, access_token="Expired+Token+22charsA==", **LOGINS["password"])
    assert client.reset(DN, restart=False, work_to_do_timeout=0).processing
    assert simulator.records.effects(DN) == ["reset"]


@pytest.mark.parametrize("token", ["Expired+Token+22charsA==", "mal-formed"])
def test_an_expired_token_alone_fails_after_one_request(simulator, token):
    with pytest.raises(AuthenticationError, match="credentials are refused") as caught:
        works(client_of(simulator, access_token=token))
    assert len(simulator.journal) == 1 and token not in caught.value.message


def test_a_token_that_is_refused_again_is_not_renewed_for_ever(simulator):
    simulator.faults.add("status", status=401, match={"path": "vedsdk"}, times=0)
    with pytest.raises(AuthenticationError):
        works(client_of(simulator, **LOGINS["password"]))
    assert len(paths(simulator, "/vedsdk")) == 2 and len(paths(simulator)) == 2


@pytest.mark.parametrize("body", ["", '{"error":"insufficient_scope","error_description":"Grant rejected scope \'certificate:delete\'. Call POST Authorize"}'])
def test_a_missing_scope_is_told_with_and_without_a_body(simulator, body):
    simulator.faults.add("status", status=403, body=body, match={"path": "vedsdk"}, times=0)
    with pytest.raises(AuthorizationError, match="needs the scope certificate:manage") as caught:
        works(client_of(simulator, access_token=True))
    assert caught.value.fatal and ("Grant rejected" in caught.value.message) == bool(body)
    assert len(simulator.journal) == 1


def test_tokens_that_all_expire_amid_parallel_requests_are_renewed_by_one_login(simulator):
    client = client_of(simulator, **LOGINS["password"])
    works(client)
    count = threading.Lock()
    done = []

    def work(number):
        with count:
            done.append(number)
            if len(done) == 60:
                simulator.tpp.expire_access_tokens()
        return works(client)

    assert all(in_parallel(work, range(200), 8))
    assert paths(simulator) == ["/vedauth/authorize/oauth"] * 2
    assert 1 <= sum(entry["status"] == 401 for entry in simulator.journal) <= 8


# -- the rotating pair -----------------------------------------------------------------------------------------------------------------


def stored(token_path):
    with open(token_path, encoding="utf-8") as handle:
        return json.load(handle)


def test_the_new_pair_is_on_the_disk_before_it_is_used(simulator, token_path, monkeypatch):
    client = client_of(simulator, **login_of("refresh token", token_path))
    assert client.transport.credentials.headers()["Authorization"] == f"Bearer {stored(token_path)['access_token']}"
    assert paths(simulator, "/vedsdk") == []
    assert stat.S_IMODE(os.stat(token_path).st_mode) == 0o600
    assert stored(token_path)["refresh_token"] != simulator.ready["tpp"]["refresh_token"]
    assert sorted(os.listdir(os.path.dirname(token_path))) == ["tokens.json", "tokens.json.lock"]


def test_a_second_run_uses_the_file(simulator, token_path):
    works(client_of(simulator, **login_of("refresh token", token_path)))
    assert works(client_of(simulator, token_path=token_path, client_id=True))
    assert works(client_of(simulator, **login_of("refresh token", token_path)))
    assert paths(simulator) == [REFRESH]


@pytest.mark.parametrize("how", ["by its date", "by the server"])
def test_an_expired_pair_is_refreshed_once(simulator, token_path, how):
    works(client_of(simulator, **login_of("refresh token", token_path)))
    first = stored(token_path)
    if how == "by its date":
        with open(token_path, "w", encoding="utf-8") as handle:
            json.dump({**first, "expires": int(time.time()) + 30}, handle)
    else:
        simulator.tpp.expire_access_tokens()
    client = client_of(simulator, token_path=token_path, client_id=True)
    assert all(in_parallel(lambda number: works(client), range(20), 8))
    assert paths(simulator) == [REFRESH] * 2
    assert stored(token_path)["refresh_token"] != first["refresh_token"]


def test_a_used_refresh_token_is_told_clearly(simulator, token_path):
    works(client_of(simulator, **login_of("refresh token", token_path)))
    os.unlink(token_path)
    with pytest.raises(AuthenticationError, match="works once.*Give a new one in refresh_token") as caught:
        works(client_of(simulator, **login_of("refresh token", token_path)))
    assert simulator.ready["tpp"]["refresh_token"] not in caught.value.message


def test_a_new_refresh_token_starts_a_new_chain_and_a_wrong_one_leaves_the_old(simulator, token_path):
    works(client_of(simulator, **login_of("refresh token", token_path)))
    before = stored(token_path)
    with pytest.raises(AuthenticationError):
        works(client_of(simulator, refresh_token="wrong", token_path=token_path, client_id=True))
    assert stored(token_path) == before
    assert works(client_of(simulator, token_path=token_path, client_id=True))
    other = simulator.tpp.grants.issue("certops", simulator.tpp.client_id, "certificate:manage")
    assert works(client_of(simulator, refresh_token=other.refresh_token, token_path=token_path, client_id=True))
    assert stored(token_path)["seed"] != before["seed"]
    assert stored(token_path)["access_token"] == other.access_token


def test_check_mode_keeps_the_new_pair_as_well(simulator, token_path):
    assert works(client_of(simulator, read_only=True, **login_of("refresh token", token_path)))
    assert works(client_of(simulator, token_path=token_path, client_id=True))
    assert paths(simulator) == [REFRESH]


def test_a_lost_answer_to_a_refresh_is_told_and_not_repeated(simulator, token_path):
    simulator.faults.add("drop_after", match={"path": REFRESH})
    with pytest.raises(AuthenticationError, match="may have been used up"):
        works(client_of(simulator, **login_of("refresh token", token_path)))
    assert paths(simulator) == [REFRESH]


def test_an_answer_without_a_new_refresh_token_keeps_the_old_one(simulator, token_path):
    body = json.dumps({"access_token": simulator.ready["tpp"]["access_token"], "expires": "soon"})
    simulator.faults.add("status", status=200, body=body, match={"path": REFRESH})
    assert works(client_of(simulator, **login_of("refresh token", token_path)))
    assert stored(token_path)["refresh_token"] == simulator.ready["tpp"]["refresh_token"]
    assert stored(token_path)["expires"] is None


def test_a_pair_that_cannot_be_stored_is_told_before_the_token_is_spent(simulator, token_path, monkeypatch):
    def full(*dummy, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tpp_credentials.os, "fsync", full)
    with pytest.raises(InputError, match="token_path.*No space left"):
        works(client_of(simulator, **login_of("refresh token", token_path)))
    assert simulator.journal == []
    assert os.listdir(os.path.dirname(token_path)) == ["tokens.json.lock"]


def test_a_lock_that_is_never_given_back_is_told(token_path):
    os.makedirs(os.path.dirname(token_path), exist_ok=True)
    with TokenStore(token_path, "x").locked():
        with pytest.raises(InputError, match="another process has held"), TokenStore(token_path, "x", patience=0.15).locked():
            pass


def test_a_lock_file_that_cannot_be_opened_is_told(simulator, token_path):
    os.mkdir(f"{token_path}.lock")
    with pytest.raises(InputError, match="token_path.*lock"):
        works(client_of(simulator, **login_of("refresh token", token_path)))
    assert simulator.journal == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_read_is_refused(simulator, token_path, mode):
    works(client_of(simulator, **login_of("refresh token", token_path)))
    os.chmod(token_path, mode)
    with pytest.raises(InputError, match="chmod 600"):
        works(client_of(simulator, token_path=token_path, client_id=True))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b"null",
        b"5",
        b"\xff\xfe",
        b'{"access_token": "c4nary"}',
        b'{"access_token": null, "refresh_token": "c4nary"}',
        b'{"access_token": "c4nary", "refresh_token": 5}',
        b'{"access_token": "c4nary", "refresh_token": "c4nary", "expires": "soon"}',
        b'{"access_token": "c4nary", "refresh_token": "c4nary", "seed": []}',
        b"[" * 100000,
    ],
)
def test_a_file_that_holds_something_else_is_refused(simulator, token_path, content):
    with open(token_path, "wb") as handle:
        handle.write(content)
    os.chmod(token_path, 0o600)
    with pytest.raises(InputError, match="token_path.*not a token file") as caught:
        works(client_of(simulator, token_path=token_path, client_id=True))
    assert "c4nary" not in caught.value.message and simulator.journal == []


def test_a_folder_is_no_token_file(simulator, token_path):
    os.mkdir(token_path)
    with pytest.raises(InputError, match="token_path"):
        works(client_of(simulator, token_path=token_path, client_id=True))


def test_the_tokens_of_the_file_are_masked(simulator, token_path):
    works(client_of(simulator, **login_of("refresh token", token_path)))
    pair = stored(token_path)
    registered = []
    client = connect(params(simulator, token_path=token_path, client_id=True), read_only=False, secrets=Secrets(registered.append), warn=lambda text: None)
    works(client)
    assert {pair["access_token"], pair["refresh_token"]} <= set(registered)


# -- processes -------------------------------------------------------------------------------------------------------------------------

PROCESS = """
import json, os, signal, sys
from ansible_collections.certops.remediation.plugins.module_utils import tpp_credentials
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.tpp import connect
params = json.loads(sys.argv[1])
client = connect(params, read_only=False, secrets=Secrets(), warn=print)
if sys.argv[2] == "kill":
    # Killed between the answer to the refresh and the first use of the new token.
    client.transport.credentials.headers()
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.readline()
client.search([])
print("done")
"""


def start(simulator, mode="run", **login):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROCESS, json.dumps(params(simulator, **login)), mode]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_processes_at_once_refresh_once(simulator, token_path):
    simulator.faults.add("delay", match={"path": REFRESH}, seconds=0.3)
    processes = [start(simulator, **login_of("refresh token", token_path)) for dummy in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=30)[0] for process in processes]
    assert outputs == ["done\n", "done\n"]
    assert paths(simulator) == [REFRESH]


def test_a_kill_after_the_refresh_loses_nothing(simulator, token_path):
    process = start(simulator, "kill", **login_of("refresh token", token_path))
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert paths(simulator, "/vedsdk") == []
    assert works(client_of(simulator, token_path=token_path, client_id=True))
    assert paths(simulator) == [REFRESH]


# -- the record itself -----------------------------------------------------------------------------------------------------------------


def test_a_login_is_checked_without_a_transport():
    TppLogin(access_token="abc").check()
    with pytest.raises(InputError):
        TppLogin().check()


def test_the_lock_is_released_after_an_exception(token_path):
    store = TokenStore(token_path, "x")
    for dummy in range(2):
        with pytest.raises(KeyError), store.locked():
            raise KeyError
