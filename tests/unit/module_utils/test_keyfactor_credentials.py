# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to log in to Keyfactor Command: Basic, OAuth2 client credentials, a bearer token."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse

import pytest

from ansible_collections.certops.remediation.plugins.module_utils.errors import (
    AnswerLostError,
    AuthenticationError,
    InputError,
    NotSentError,
    RemediationError,
    VendorError,
)
from ansible_collections.certops.remediation.plugins.module_utils.keyfactor import connect
from ansible_collections.certops.remediation.plugins.module_utils.parallel import in_parallel
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, basic_value, keyfactor_options, proxy, server_context

TOKEN_PATH = "/oauth2/token"
BASIC = {"username": True, "password": True, "domain": True}
OAUTH = {"client_id": True, "client_secret": True, "token_url": True}


def connection(simulator, **login):
    """Options with this login only; True stands for the value of the ready file."""
    ready = simulator.ready["keyfactor"]
    http = {"validate_certs": True, "timeout": 5, "retry_timeout": 5, "concurrency": 8, "rate_limits": []}
    whole = {**keyfactor_options(simulator), "username": None, "password": None, "domain": None, **http}
    return {**whole, **{name: ready[name] if value is True and name in ready else value for name, value in login.items()}}


def client_of(simulator, secrets=None, warnings=None, **login):
    told = warnings if warnings is not None else []
    return connect(connection(simulator, **login), read_only=False, secrets=secrets or Secrets(), warn=told.append)


def bearer(simulator, seconds=3600.0):
    """A token that the simulator knows."""
    accounts = simulator.keyfactor.accounts
    return accounts.issue(accounts.known[simulator.ready["keyfactor"]["client_id"]], seconds)


def paths(simulator):
    return [entry["path"] for entry in simulator.journal]


def token_requests(simulator):
    return [entry for entry in simulator.journal if entry["path"] == TOKEN_PATH]


def works(client):
    entries, total = client.search("")
    return total == len(entries)


@pytest.fixture(autouse=True)
def quick(short_backoff):
    """No long waits."""


def authorization(**login):
    """The Authorization header that Command gets, as it comes over the wire."""
    given = {"url": None, "api_path": "KeyfactorAPI", "allow_http": True, "validate_certs": True, "timeout": 5, "retry_timeout": 0, "concurrency": 1}
    with Server(lambda request, number: answer("200 OK", b"[]")) as server:
        client = connect({**given, "rate_limits": [], **login, "url": server.url}, read_only=True, secrets=Secrets(), warn=lambda text: None)
        client.search("")
    assert len(server.requests) == 1
    return server.requests[0].headers["authorization"]


# -- Basic -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "login, sent",
    [
        ({"username": "EXAMPLE\\certops"}, "EXAMPLE\\certops"),
        ({"username": "certops@example.com"}, "certops@example.com"),
        ({"username": "certops", "domain": "EXAMPLE"}, "EXAMPLE\\certops"),
        ({"username": "certops"}, "certops"),
        ({"username": "certops", "domain": ""}, "certops"),
        ({"username": "EXAMPLE\\certops", "domain": "OTHER"}, "EXAMPLE\\certops"),
        ({"username": "certops@example.com", "domain": "OTHER"}, "certops@example.com"),
    ],
)
@pytest.mark.parametrize("password", ["simple", "with:colon", "m\u00fcnchen \u20ac", " blanks ", "a\\b@c"])
def test_basic_sends_the_user_with_its_domain(login, sent, password):
    assert authorization(**login, password=password) == f"Basic {basic_value(sent, password)}"


@pytest.mark.parametrize(
    "login",
    [{"username": "EXAMPLE\\certops"}, {"username": "example\\CERTOPS"}, {"username": "certops@example.com"}, {"username": "certops", "domain": "EXAMPLE"}],
)
def test_every_form_of_the_user_is_let_in(simulator, login):
    client = client_of(simulator, **login, password=True)
    assert in_parallel(lambda number: works(client), range(10), 4) == [True] * 10
    assert set(paths(simulator)) == {"/keyfactorapi/certificates"} and {entry["status"] for entry in simulator.journal} == {200}


@pytest.mark.parametrize("body", ["html", "empty"])
def test_a_wrong_password_is_told_after_one_request_and_without_it(simulator, body):
    simulator.configure({"keyfactor": {"unauthorized_body": body}})
    with pytest.raises(AuthenticationError, match="Check username, password and domain") as caught:
        works(client_of(simulator, username=True, domain=True, password="wr0ng"))
    assert caught.value.fatal and caught.value.status == 401 and len(simulator.journal) == 1
    assert "wr0ng" not in caught.value.message and basic_value("EXAMPLE\\certops", "wr0ng") not in caught.value.message


def test_a_user_of_another_domain_is_not_let_in(simulator):
    with pytest.raises(AuthenticationError):
        works(client_of(simulator, username=True, password=True, domain="OTHER"))


def test_what_an_answer_repeats_of_the_header_is_not_told(simulator):
    secrets = Secrets()
    client = client_of(simulator, secrets, **BASIC)
    value = client.transport.credentials.headers()["Authorization"].split()[1]
    simulator.faults.add("html", status=500, body=f"<html>You sent Basic {value}</html>")
    with pytest.raises(VendorError, match=r"You sent Basic \*{8}") as caught:
        works(client)
    assert value not in caught.value.message


# -- OAuth2 ----------------------------------------------------------------------------------------------------------------------------


def test_one_token_serves_all_requests_of_a_task(simulator):
    client = client_of(simulator, **OAUTH)
    assert paths(simulator) == [], "nothing is asked for before it is needed"
    assert in_parallel(lambda number: works(client), range(20), 8) == [True] * 20
    assert len(token_requests(simulator)) == 1 and len(simulator.journal) == 21
    assert client.transport.statistics()["requests"] == 21, "the identity provider counts as well"


@pytest.mark.parametrize(
    "more, sent",
    [
        ({}, {}),
        ({"scopes": []}, {}),
        ({"scopes": ["keyfactor"]}, {"scope": "keyfactor"}),
        ({"scopes": ["openid", "keyfactor/api"]}, {"scope": "openid keyfactor/api"}),
        ({"scopes": ["openid keyfactor"]}, {"scope": "openid keyfactor"}),
        ({"scopes": ["", " "]}, {}),
        ({"audience": "https://keyfactor.example.com/?a=b&c"}, {"audience": "https://keyfactor.example.com/?a=b&c"}),
        ({"audience": ""}, {}),
    ],
)
def test_the_grant_is_asked_for_as_a_form_with_nothing_but_what_was_given(simulator, more, sent):
    ready = simulator.ready["keyfactor"]
    secret = "s+cret &=%\u00e9\"'<"
    token = bearer(simulator)
    body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 60}).encode()
    with Server(lambda request, number: answer("200 OK", body)) as provider:
        login = {"client_id": "id&=", "client_secret": secret, "token_url": f"{provider.url}/realms/kf/token?tenant=a%20b", "allow_http": True}
        assert works(client_of(simulator, **login, **more))
    request = provider.requests[0]
    assert len(provider.requests) == 1 and request.line == "POST /realms/kf/token?tenant=a%20b HTTP/1.1"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert dict(form) == {"grant_type": "client_credentials", "client_id": "id&=", "client_secret": secret, **sent} and len(form) == len(dict(form))
    assert "authorization" not in request.headers and not [name for name in request.headers if "keyfactor" in name]
    assert ready["url"] not in provider.heard


def test_scope_and_audience_decide_at_the_provider(simulator):
    account = simulator.keyfactor.accounts.known[simulator.ready["keyfactor"]["client_id"]]
    account.scope, account.audience = "keyfactor", "command"
    assert works(client_of(simulator, **OAUTH, scopes=["keyfactor"], audience="command"))
    for login, text in (({"audience": "command"}, "invalid_scope"), ({"scopes": ["keyfactor"]}, "invalid_target")):
        with pytest.raises(AuthenticationError, match=f"{text}.*Check client_id, client_secret, scopes and audience"):
            works(client_of(simulator, **OAUTH, **login))


def test_another_host_and_port_gets_no_client_certificate_and_is_verified(simulator, tmp_path):
    """The provider is somebody else: it is checked with the same authorities, and gets nothing that is Command's."""
    body = json.dumps({"access_token": bearer(simulator)}).encode()
    with Server(lambda request, number: answer("200 OK", body), server_context(simulator, tmp_path)) as provider:
        assert works(client_of(simulator, client_id=True, client_secret=True, token_url=f"{provider.url}/token"))
        # Without a scheme it is HTTPS.
        assert works(client_of(simulator, client_id=True, client_secret=True, token_url=f"{provider.address}/token"))
        assert len(provider.requests) == 2
        with pytest.raises(NotSentError, match="Identity provider"):
            works(client_of(simulator, client_id=True, client_secret=True, token_url=f"https://{provider.address.replace('127.0.0.1', 'localhost')}/token"))
    assert token_requests(simulator) == [] and len(provider.requests) == 2


def test_the_proxy_is_for_both(simulator):
    with proxy() as server:
        assert works(client_of(simulator, **OAUTH, proxy=server.url))
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "token_url, text",
    [
        ("http://127.0.0.1/token", "plain HTTP"),
        ("HTTP://127.0.0.1/token", "plain HTTP"),
        ("ftp://127.0.0.1/token", "not an HTTPS address"),
        ("/oauth2/token", "not an"),
        ("https:///oauth2/token", "not an"),
        ("https://[::1/token", "not an address"),
        ("https://127.0.0.1:port/token", "not an address"),
        ("https://127.0.0.1:0/token", "not an"),
        ("https://client:c4nary@127.0.0.1/token", "user name or password"),
        ("https://two words.example.com/token", "not an"),
    ],
)
def test_a_token_url_that_cannot_be_one_is_told_before_anything_is_sent(simulator, token_url, text):
    with pytest.raises(InputError, match=text) as caught:
        client_of(simulator, client_id=True, client_secret=True, token_url=token_url)
    assert caught.value.option == "token_url" and simulator.journal == [] and "c4nary" not in caught.value.message


def test_a_token_that_command_refuses_is_renewed_once_and_the_request_repeated_once(simulator):
    client = client_of(simulator, **OAUTH)
    assert works(client)
    assert simulator.keyfactor.expire_tokens() == 1
    assert works(client)
    assert [entry["status"] for entry in simulator.journal] == [200, 200, 401, 200, 200] and len(token_requests(simulator)) == 2


def test_tokens_that_expire_amid_parallel_requests_are_renewed_by_one_request(simulator):
    client = client_of(simulator, **OAUTH)
    works(client)
    count = threading.Lock()
    done = []

    def work(number):
        with count:
            done.append(number)
            if len(done) == 30:
                simulator.keyfactor.expire_tokens()
        return works(client)

    assert all(in_parallel(work, range(80), 8))
    assert len(token_requests(simulator)) == 2
    assert 1 <= sum(entry["status"] == 401 for entry in simulator.journal) <= 8


def test_a_client_that_command_does_not_know_is_not_renewed_for_ever(simulator):
    simulator.faults.add("status", status=401, match={"path": "keyfactorapi"}, times=0)
    with pytest.raises(AuthenticationError, match="Command does not know this client"):
        works(client_of(simulator, **OAUTH))
    assert len(token_requests(simulator)) == 2 and len(simulator.journal) == 4


@pytest.mark.parametrize("wrong", [{"client_secret": "wr0ng"}, {"client_id": "nobody"}])
def test_a_refused_client_is_told_in_the_providers_words_and_once(simulator, wrong):
    """Also by eight threads at once: a provider counts failed attempts, and locks."""
    client = client_of(simulator, **{**OAUTH, **wrong})
    with pytest.raises(AuthenticationError, match="cannot obtain an access token: invalid_client: The request was refused: invalid_client") as caught:
        in_parallel(lambda number: works(client), range(20), 8)
    assert caught.value.fatal and caught.value.status == 401 and "wr0ng" not in caught.value.message
    assert paths(simulator) == [TOKEN_PATH]


@pytest.mark.parametrize(
    "reply",
    [
        answer("200 OK", b"<html><title>Sign in</title>c4nary-secret</html>", content_type="text/html"),
        answer("200 OK", b""),
        answer("200 OK", b"[]"),
        answer("200 OK", b"null"),
        answer("200 OK", b"{}"),
        answer("200 OK", b'{"access_token": null}'),
        answer("200 OK", b'{"access_token": ""}'),
        answer("200 OK", b'{"access_token": 5}'),
        answer("200 OK", b'{"access_token": ["a"]}'),
        answer("200 OK", b'{"access_token": "two words"}'),
        answer("200 OK", b'{"access_token": "line\\r\\nX-Evil: 1"}'),
        answer("200 OK", b'{"access_token": "\\u20ac"}'),
        answer("200 OK", b'{"access_token": "ok"'),
        answer("204 No Content", b""),
        answer("202 Accepted", b'{"access_token": "not-yet"}'),
        answer("404 Not Found", b"<html>c4nary-secret</html>", content_type="text/html"),
        answer("500 Oops", b'{"error": {"nested": "c4nary-secret"}}'),
        answer("400 Bad Request", b'{"error": "x\\u001b[31m\\u202e", "error_description": ["c4nary-secret"]}'),
        answer("401 Unauthorized", b'"c4nary-secret"'),
        answer("503 Busy", b"c4nary-secret"),
        answer("302 Found", b"", "Location: https://login.example.com/"),
    ],
    ids=range(21),
)
def test_an_answer_without_a_token_ends_the_task_in_one_clean_sentence(simulator, reply):
    with Server(lambda request, number: reply) as provider:
        login = {"client_id": "c", "client_secret": "c4nary-secret", "token_url": provider.url, "allow_http": True, "retry_timeout": 0}
        secrets = Secrets()
        secrets.add("c4nary-secret")
        with pytest.raises(RemediationError, match="Identity provider of Keyfactor Command") as caught:
            client_of(simulator, secrets, **login).revoke([1], reason=1, comment="x", effective_date=None)
    assert caught.value.fatal and not isinstance(caught.value, AnswerLostError)
    assert "c4nary-secret" not in caught.value.message and caught.value.message.isprintable() and len(caught.value.message) < 700
    assert simulator.journal == [], "Command was not asked for anything"


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "truncate", "gzip_bomb"])
def test_a_token_whose_answer_is_lost_is_no_lost_answer_of_the_revocation_behind_it(simulator, action):
    """The revocation was never sent: nobody may think that it may have been done."""
    simulator.faults.add(action, match={"path": "oauth2"}, times=0, **({"size": 1 << 26} if action == "gzip_bomb" else {}))
    with pytest.raises(RemediationError) as caught:
        client_of(simulator, **OAUTH, retry_timeout=0).revoke([1], reason=1, comment="x", effective_date=None)
    assert caught.value.fatal and not isinstance(caught.value, AnswerLostError)
    assert set(paths(simulator)) == {TOKEN_PATH}


@pytest.mark.parametrize("action, options", [("drop_after", {}), ("status", {"status": 503}), ("status", {"status": 429}), ("empty", {"status": 502})])
def test_a_provider_that_is_busy_for_a_moment_is_asked_again(simulator, action, options):
    simulator.faults.add(action, match={"path": "oauth2"}, **options)
    told = []
    assert works(client_of(simulator, None, told, **OAUTH))
    assert len(token_requests(simulator)) == 2 and "Identity provider" in told[0]


def test_an_unreachable_provider_is_not_taken_for_command(simulator):
    with pytest.raises(NotSentError, match="Identity provider of Keyfactor Command: cannot connect") as caught:
        works(client_of(simulator, client_id=True, client_secret=True, token_url="https://127.0.0.1:9/token"))
    assert caught.value.fatal and simulator.journal == []


def test_tokens_and_secrets_are_known_as_such(simulator):
    known = []
    secrets = Secrets(known.append)
    client = client_of(simulator, secrets, **OAUTH)
    works(client)
    token = client.transport.credentials.headers()["Authorization"].split()[1]
    assert token in known
    works(client_of(simulator, secrets, **BASIC))
    assert basic_value("EXAMPLE\\certops", simulator.ready["keyfactor"]["password"]) in known


# -- bearer ----------------------------------------------------------------------------------------------------------------------------


def test_a_token_is_used_as_it_is(simulator):
    assert works(client_of(simulator, access_token=bearer(simulator)))
    assert len(simulator.journal) == 1
    assert authorization(access_token="a.b-c_d~e+f/g==") == "Bearer a.b-c_d~e+f/g=="


def test_a_token_that_is_refused_is_told_after_one_request(simulator):
    with pytest.raises(AuthenticationError, match="Give a new access_token") as caught:
        works(client_of(simulator, access_token="c4nary-token"))
    assert len(simulator.journal) == 1 and "c4nary-token" not in caught.value.message


@pytest.mark.parametrize("token", ["two words", "line\n", "\r\nX-Evil: 1", "nul\x00", "e\u20acuro", "\udcff"])
def test_what_cannot_be_a_token_is_told_without_it(simulator, token):
    with pytest.raises(InputError, match="access_token") as caught:
        client_of(simulator, access_token=token)
    assert token not in caught.value.message and simulator.journal == []


# -- which one -------------------------------------------------------------------------------------------------------------------------


def test_a_token_goes_before_a_client_and_a_client_before_a_user(simulator):
    """What loses is not even looked at: it may be left over in the environment."""
    token = bearer(simulator)
    assert works(client_of(simulator, access_token=token, **{**OAUTH, "client_secret": "wr0ng"}, username="nobody", password="wr0ng"))
    assert paths(simulator) == ["/keyfactorapi/certificates"]
    assert works(client_of(simulator, access_token=token, client_id="half", username="half"))
    simulator.records.clear()
    assert works(client_of(simulator, **OAUTH, username="nobody", password="wr0ng"))
    assert paths(simulator) == [TOKEN_PATH, "/keyfactorapi/certificates"]


@pytest.mark.parametrize(
    "login, option",
    [
        ({}, "access_token"),
        ({"access_token": "", "username": "", "password": "", "client_id": ""}, "access_token"),
        ({"domain": "EXAMPLE"}, "access_token"),
        ({"scopes": ["x"], "audience": "y"}, "access_token"),
        ({"username": "u"}, "username, password"),
        ({"password": "p4ss"}, "username, password"),
        ({"client_id": "c"}, "client_secret, token_url"),
        ({"client_secret": "p4ss"}, "client_id, token_url"),
        ({"token_url": "https://idp.example.com"}, "client_id, client_secret"),
        ({"client_id": "c", "client_secret": "p4ss"}, "token_url"),
        ({"client_id": "c", "token_url": "https://idp.example.com"}, "client_secret"),
        ({"client_id": "c", "username": "u", "password": "p4ss"}, "client_secret, token_url"),
        ({"username": "u:v", "password": "p4ss"}, "username"),
        ({"username": "u", "domain": "D:E", "password": "p4ss"}, "username"),
    ],
)
def test_missing_and_half_credentials_are_told_before_anything_is_sent(simulator, login, option):
    with pytest.raises(InputError) as caught:
        client_of(simulator, **login)
    assert caught.value.option == option and simulator.journal == [] and "p4ss" not in caught.value.message


@pytest.mark.parametrize("name", ["username", "password", "domain", "client_id", "client_secret", "audience", "scopes"])
def test_what_cannot_be_encoded_is_told_and_is_no_traceback(simulator, name):
    """Bytes of the environment that are not UTF-8 arrive as half of a surrogate pair."""
    login = {**BASIC} if name in BASIC else {**OAUTH}
    login[name] = ["x\udcffy"] if name == "scopes" else "x\udcffy"
    with pytest.raises(InputError) as caught:
        works(client_of(simulator, **login))
    assert caught.value.option == name and simulator.journal == []
    assert "x\udcffy" not in caught.value.message and "x?y" not in caught.value.message


def test_the_basic_value_is_what_it_should_be():
    assert base64.b64decode(authorization(username="D\\u", password="p:\u00fc").split()[1]) == "D\\u:p:\u00fc".encode()
