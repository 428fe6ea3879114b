# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real ansible-playbook runs against the simulator: the examples of every module, and no secret in any output."""

from __future__ import annotations

import base64
import importlib
import json
import os
import pathlib
import subprocess
import sys
import urllib.parse

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal
from ansible_collections.certops.remediation.tests.simulator.server import Simulator

ROOT = pathlib.Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# Everything that a client may leave somewhere it should not. The simulator's own are added to these.
SECRETS = {
    "password": "cnry-pass-7Xq2%&=ö",
    "refresh_token": "cnry-refr-90aaaaaaaaaaaaaaaa==",
    "access_token": "cnry-accs-12bbbbbbbbbbbbbbbb==",
    "client_key_passphrase": "cnry-phrase-55",
    "client_secret": "cnry-scrt-31&+ü",
}
# What the examples of a vendor's modules run on; the others need no server.
SCENARIOS = {
    "tpp": "ca_outage",
    "cloudflare": "lost_devices",
    "keyfactor": {
        "keyfactor": {
            "certificates": [
                {"cn": "node-{n:03}.shop.example.com", "count": 2, "on_hold": True},
                {"cn": "node-003.shop.example.com", "locations": [{"machine": "lb01.example.com", "path": "/config/ssl"}]},
                {"cn": "node-{n:03}.shop.example.com", "count": 5, "start": 4, "valid_days": 20},
            ]
        }
    },
    "digicert": {
        "digicert": {
            "orders": [
                {"common_name": "shop-{n:03}.example.com", "count": 3, "days_left": 20},
                {"common_name": "*.example.com"},
                {"common_name": "www.example.com"},
                {"common_name": "busy.example.com", "pending": {"requester": "Robin Colleague"}},
            ]
        }
    },
}


@pytest.fixture(scope="module")
def simulator():
    with Simulator("ca_outage") as running:
        yield running


def play(tmp_path, tasks, *arguments, environment=None, name="play", **keywords):
    """Run tasks on localhost; gives the exit code and everything that was printed."""
    path = tmp_path / f"{name}.yml"
    path.write_text(yaml.safe_dump([{"name": "Test", "hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}], allow_unicode=True))
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("VENAFI_", "VCERT_", "KEYFACTOR_", "DIGICERT_", "CLOUDFLARE_"))},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "HOME": str(tmp_path),
        **(environment or {}),
    }
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), str(path), *arguments]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    return done.returncode, done.stdout


def connections(simulator):
    """What tasks need to reach the simulator, by action group."""
    ready = simulator.ready
    keyfactor = {name: ready["keyfactor"][name] for name in ("url", "api_path", "username", "password", "domain")}
    cloudflare = {name: ready["cloudflare"][name] for name in ("url", "api_token", "zone_id")}
    return {
        "group/certops.remediation.tpp": {"url": ready["url"], "ca_path": ready["ca_path"], "access_token": ready["tpp"]["access_token"]},
        "group/certops.remediation.keyfactor": {**keyfactor, "ca_path": ready["ca_path"]},
        "group/certops.remediation.cloudflare": {**cloudflare, "ca_path": ready["ca_path"]},
        "certops.remediation.tls_endpoint_info": {"ca_path": ready["ca_path"], "allow_loopback": True},
        "group/certops.remediation.digicert": {"url": ready["url"], "ca_path": ready["ca_path"], "api_key": ready["digicert"]["api_key"]},
    }


def simulated_endpoints(simulator, tmp_path, text):
    """Examples about the world's servers, told of the simulator's instead."""
    simulator.endpoints.configure({"certificate_urls": True})
    kinds = {"shop": "none", "mail": "smtp", "db": "postgres"}
    shop, mail, db = (simulator.endpoints.serve(f"{name}.example.com", starttls=kind) for name, kind in kinds.items())
    old = simulator.endpoints.issue(names=["shop.example.com"])
    simulator.endpoints.revoke(x509.load_pem_x509_certificate(old.pem.encode()).serial_number)
    blocks = [block + "-----END CERTIFICATE-----\n" for block in old.pem.split("-----END CERTIFICATE-----") if block.strip()]
    files = {
        "/etc/pki/reissue/shop.example.com.pem": shop.material[0].pem,
        "/etc/pki/old/shop.example.com.pem": old.pem,
        "/etc/pki/old/issuing-ca.pem": blocks[1],
    }
    for number, (name, content) in enumerate(files.items()):
        path = tmp_path / f"{number}.pem"
        path.write_text(content)
        text = text.replace(name, str(path))
    names = {
        "smtp://mail.example.com:587": f"smtp://{mail.endpoint}",
        "[2001:db8::10]:8443": shop.endpoint,
        "shop.example.com": shop.endpoint,
        "192.0.2.10": shop.endpoint,
        "db.example.com": db.endpoint,
        "groups['web']": "['127.0.0.1']",
        "[443, 8443]": f"[{shop.port}, {shop.port}]",
    }
    for name, instead in names.items():
        text = text.replace(name, instead)
    return text


def incident_at_hand(dummy_simulator, tmp_path, text):
    """The list of an incident, its journal, and the report that holds its end, as a flow leaves them."""
    (tmp_path / "list.csv").write_text("www.example.com\n")
    journal = Journal(str(tmp_path / "journal.jsonl"))
    journal.write([{"event": "intent", "module": "keyfactor_certificate_revoke", "target": "id 7", "action": "revoke"}])
    (tmp_path / "report.json").write_text(json.dumps({"run": {"journal_head": journal.head()}}))
    journal.close()
    return text.replace("/srv/incident", str(tmp_path))


# What examples take for granted in the world.
SURROUNDINGS = {"tls_endpoint_info": simulated_endpoints, **dict.fromkeys(("flow_files", "journal_entry", "journal_info"), incident_at_hand)}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_documentation_run(simulator, tmp_path, name):
    simulator.reset(SCENARIOS.get(name.split("_", maxsplit=1)[0], "empty"), {"clock_scale": 10})
    module = importlib.import_module(f"ansible_collections.certops.remediation.plugins.modules.{name}")
    text = SURROUNDINGS[name](simulator, tmp_path, module.EXAMPLES) if name in SURROUNDINGS else module.EXAMPLES
    status, output = play(tmp_path, yaml.safe_load(text), module_defaults=connections(simulator))
    # The example that restarts all of an outage meets those that fail again, which is what it is there to report.
    failed_again = name == "tpp_certificate_reset" and "failed again" in output
    assert status == 0 or failed_again, output
    assert "deprecat" not in output.lower() and "[WARNING]" not in output, output
    if name == "keyfactor_certificate_revoke":
        states = {number: simulator.keyfactor[number].standing[:2] for number in (3, 4, 5)}
        assert states == {3: (2, 1), 4: (2, 4), 5: (1, None)}, "revoked for key_compromise, for superseded, and released"
    if name == "cloudflare_client_cert":
        assert simulator.records.effects(simulator.cloudflare.certificates()[-1].id) == ["revoke", "reactivate", "revoke"]


def forms(secret):
    """The ways in which a secret may show up."""
    return {secret, urllib.parse.quote(secret, safe=""), json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()}


def test_no_secret_is_shown_at_the_highest_verbosity(simulator, tmp_path):
    """Good runs, refused logins, expired tokens, broken answers: each with all kinds of credentials around."""
    simulator.reset("ca_outage")
    ready = simulator.ready["tpp"]
    stuck = [entry.dn for entry in simulator.tpp.store.certificates.values() if entry.in_error][:3]
    store = tmp_path / "tokens.json"
    common = {"url": simulator.ready["url"], "ca_path": simulator.ready["ca_path"], "client_id": ready["client_id"], "retry_timeout": 3}
    logins = {
        "token": {"access_token": ready["access_token"]},
        "password": {"username": ready["username"], "password": ready["password"]},
        "refresh": {"refresh_token": ready["refresh_token"], "token_path": str(store)},
        "wrong password": {"username": ready["username"], "password": SECRETS["password"]},
        "wrong refresh token": {"refresh_token": SECRETS["refresh_token"], "token_path": str(tmp_path / "other.json")},
        "wrong token": {"access_token": SECRETS["access_token"]},
        "token that cannot be renewed": {"access_token": SECRETS["access_token"], "username": ready["username"], "password": SECRETS["password"]},
        "proxy": {"access_token": ready["access_token"], "proxy": "http://user:cnry-proxy-31%40@127.0.0.1:9"},
        "key": {
            "access_token": ready["access_token"],
            "client_cert": simulator.ready["tpp"]["client_cert"],
            "client_key": simulator.ready["tpp"]["client_key"],
            "client_key_passphrase": SECRETS["client_key_passphrase"],
        },
        "secret in the wrong place": {"url": f"https://user:{urllib.parse.quote(SECRETS['password'])}@127.0.0.1", "access_token": ready["access_token"]},
    }
    tasks = [
        {
            "name": f"Log in by {name}",
            "certops.remediation.tpp_certificate_reset": {**common, **login, "certificates": stuck, "journal_path": str(tmp_path / "journal.jsonl")},
            "diff": True,
            "register": "result",
            "ignore_errors": True,
        }
        for name, login in logins.items()
    ]
    # An answer that repeats what it was sent must not bring it back either.
    simulator.faults.add("html", match={"path": "oauth$"}, nth=3, body=f"<html>You sent {ready['password']} and {ready['access_token']}</html>", status=400)
    tasks.append({**tasks[1], "name": "Meet a page that repeats the password"})
    status, output = play(tmp_path, tasks, "-vvvvv", environment={"ANSIBLE_DEBUG": "0"})
    assert status == 0 and output.count("TASK [Log in by") == len(logins), output[-3000:]
    assert output.count("certificates: ") >= 1 and store.exists()
    tokens = json.loads(store.read_text())
    known = [store["access_token"] for store in (ready, tokens)] + [store["refresh_token"] for store in (ready, tokens)]
    everything = [*SECRETS.values(), "cnry-proxy-31", ready["password"], *known]
    elsewhere = output + (tmp_path / "journal.jsonl").read_text() + (tmp_path / "tokens.json.lock").read_text()
    for secret in everything:
        # The playbook itself, which is the user's own file, holds them; the output must not.
        found = [form for form in forms(secret) if form in elsewhere]
        assert not found, f"{secret!r} appears: ...{elsewhere[max(0, elsewhere.index(found[0]) - 300):][:600]}"


def test_no_secret_of_keyfactor_is_shown_at_the_highest_verbosity(simulator, tmp_path):
    """Good runs, refused logins, an identity provider that repeats what it was sent: each with all kinds of credentials around."""
    simulator.reset(SCENARIOS["keyfactor"])
    ready = simulator.ready["keyfactor"]
    client = {name: ready[name] for name in ("client_id", "client_secret", "token_url")}
    user = {name: ready[name] for name in ("username", "password", "domain")}
    common = {"url": ready["url"], "ca_path": simulator.ready["ca_path"], "retry_timeout": 3}
    account = simulator.keyfactor.accounts.known[ready["client_id"]]
    given = simulator.keyfactor.accounts.issue(account, 3600)
    logins = {
        "user": user,
        "client": client,
        "token": {"access_token": given},
        "wrong password": {**user, "password": SECRETS["password"]},
        "wrong secret": {**client, "client_secret": SECRETS["client_secret"]},
        "wrong token": {"access_token": SECRETS["access_token"]},
        "everything": {**user, **client, "access_token": SECRETS["access_token"]},
        "scope": {**client, "scopes": ["keyfactor"], "audience": "command"},
        "secret in the wrong place": {**user, "url": f"https://user:{urllib.parse.quote(SECRETS['password'])}@127.0.0.1"},
        "secret in the address of the provider": {**client, "token_url": f"https://user:{urllib.parse.quote(SECRETS['client_secret'])}@127.0.0.1/token"},
    }
    journal = {"journal_path": str(tmp_path / "journal.jsonl"), "comment": "INC-1", "state": "on_hold", "certificates": [4, 5, 6]}
    tasks = []
    for name, login in logins.items():
        for action, options in (("info", {}), ("revoke", journal)):
            task = {"name": f"Log in by {name}", f"certops.remediation.keyfactor_certificate_{action}": {**common, **login, **options}}
            tasks.append({**task, "diff": True, "register": "result", "ignore_errors": True})
    # An answer that repeats what it was sent must not bring it back either.
    basic = base64.b64encode(f"{ready['domain']}\\{ready['username']}:{ready['password']}".encode()).decode()
    echo = urllib.parse.quote(ready["client_secret"], safe="")
    for name, login, path, page in (
        ("user", user, "certificates$", f"Basic {basic} {ready['password']}"),
        ("client", client, "oauth2/token$", f"client_secret={echo}&client_id=x {ready['client_secret']}"),
        ("token", {"access_token": given}, "certificates$", f"Bearer {given}"),
    ):
        fault = {"action": "html", "status": 400, "body": f"<html>You sent {page}, thank you</html>", "match": {"path": path}}
        uri = {"url": f"{simulator.ready['control_url']}faults", "ca_path": simulator.ready["ca_path"], "method": "POST", "body_format": "json", "body": fault}
        tasks.append({"name": "Prepare a page", "ansible.builtin.uri": uri, "no_log": True})
        task = {"name": f"Meet a page that repeats the {name}", "certops.remediation.keyfactor_certificate_info": {**common, **login}}
        tasks.append({**task, "register": "result", "ignore_errors": True})
    status, output = play(tmp_path, tasks, "-vvvvv", environment={"ANSIBLE_DEBUG": "0"})
    assert status == 0 and output.count("TASK [Log in by") == 2 * len(logins), output[-3000:]
    assert output.count("thank you") >= 3 and "put on hold" in output
    tokens = list(simulator.keyfactor.accounts._tokens)
    assert len(tokens) >= 4
    values = [base64.b64encode(f"{ready['domain']}\\{ready['username']}:{password}".encode()).decode() for password in (ready["password"], SECRETS["password"])]
    elsewhere = output + (tmp_path / "journal.jsonl").read_text()
    for secret in [*SECRETS.values(), ready["password"], ready["client_secret"], *tokens, *values]:
        # The playbook itself, which is the user's own file, holds them; the output must not.
        found = [form for form in forms(secret) if form in elsewhere]
        assert not found, f"{secret!r} appears: ...{elsewhere[max(0, elsewhere.index(found[0]) - 300):][:600]}"


def test_a_mass_reissue_shows_no_key_and_no_credential(simulator, tmp_path):
    """The role reissue_orders at the highest verbosity, which prints the command of each process too: stopped by an answer that repeats the API
    key, then run to its end, then with a wrong API key."""
    known, wrong, passphrase = "cnry-devkey-7Xq2aaaaaaaaaaaa", "cnry-devkey-3Zk9bbbbbbbbbbbb", "cnry-phrase-88 &ü"
    orders = [{"common_name": "www{n}.example.com", "count": 3, "approval": False}, {"common_name": "bank.example.com", "approval": True}]
    simulator.reset({"digicert": {"keys": [{"key": known}], "orders": orders}})
    listed = [entry.current.serial_number for entry in simulator.digicert.store]
    deploy = tmp_path / "deploy.yml"
    deploy.write_text(yaml.safe_dump([{"name": "Show what is handed over", "ansible.builtin.debug": {"var": "reissue_orders_certificate"}}]))
    options = {
        "list": listed, "folder": str(tmp_path / "incident"), "key_type": "ecdsa-p256", "deploy_tasks": str(deploy), "wait_timeout": 1,
        "journal_path": str(tmp_path / "journal.jsonl"), "report_path": str(tmp_path / "report"), "report_formats": ["html", "markdown", "json"],
    }
    role = {
        "name": "Reissue",
        "ansible.builtin.import_role": {"name": "certops.remediation.reissue_orders"},
        "vars": {f"reissue_orders_{name}": value for name, value in options.items()},
    }
    defaults = {
        "group/certops.remediation.digicert": {"url": simulator.ready["url"], "ca_path": simulator.ready["ca_path"]},
        "certops.remediation.certificate_request": {"passphrase": passphrase},
    }

    def run(api_key):
        return play(tmp_path, [role], "-vvvvv", "--diff", environment={"DIGICERT_API_KEY": api_key}, module_defaults=defaults)

    echo = json.dumps({"errors": [{"code": "invalid", "message": f"You sent {known}"}]})
    simulator.faults.add("status", match={"method": "POST", "path": "/reissue$"}, nth=2, body=echo, status=400)
    outputs = []
    for api_key, status, told in ((known, 2, "1 could not be reissued"), (known, 0, "1 waiting for approval"), (wrong, 2, "credentials")):
        ended, output = run(api_key)
        assert ended == status and told in output, output[-3000:]
        outputs.append(output)
    assert "EXEC /bin/sh" in outputs[0] and "You sent" in outputs[0]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "play.yml"]
    keys = [path for path in files if path.suffix == ".key"]
    assert len(keys) == 4 and {"report.html", "report.md", "report.json", "journal.jsonl", "orders.json"} < {path.name for path in files}
    secrets = [*forms(known), *forms(wrong), *forms(passphrase), "PRIVATE KEY"]
    for path in keys:
        text = path.read_bytes()
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in text
        key = serialization.load_pem_private_key(text, passphrase.encode())
        plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        secrets += [*text.decode().splitlines()[1:-1], *plain.splitlines()[1:-1], str(key.private_numbers().private_value)]
    places = {"the output": "".join(outputs), **{path.name: path.read_text(errors="replace") for path in files if path not in keys}}
    for secret in secrets:
        for place, text in places.items():
            assert secret not in text, f"{secret!r} is in {place}: ...{text[max(0, text.index(secret) - 300):][:600]}"
