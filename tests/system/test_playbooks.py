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

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

ROOT = pathlib.Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py"))
# Everything that a client may leave somewhere it should not. The simulator's own are added to these.
SECRETS = {
    "password": "cnry-pass-7Xq2%&=ö",
    "refresh_token": "cnry-refr-90aaaaaaaaaaaaaaaa==",
    "access_token": "cnry-accs-12bbbbbbbbbbbbbbbb==",
    "client_key_passphrase": "cnry-phrase-55",
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
        **{key: value for key, value in os.environ.items() if not key.startswith(("VENAFI_", "VCERT_"))},
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
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=170, check=False)
    return done.returncode, done.stdout


def connection(simulator):
    return {"url": simulator.ready["url"], "ca_path": simulator.ready["ca_path"], "access_token": simulator.ready["tpp"]["access_token"]}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_documentation_run(simulator, tmp_path, name):
    simulator.reset("ca_outage", {"clock_scale": 10})
    module = importlib.import_module(f"ansible_collections.certops.remediation.plugins.modules.{name}")
    tasks = yaml.safe_load(module.EXAMPLES)
    status, output = play(tmp_path, tasks, module_defaults={"group/certops.remediation.tpp": connection(simulator)})
    # The example that restarts all of an outage meets those that fail again, which is what it is there to report.
    failed_again = name == "tpp_certificate_reset" and "failed again" in output
    assert status == 0 or failed_again, output
    assert "deprecat" not in output.lower() and "[WARNING]" not in output, output


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
