# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every flow as a job of AWX: the templates that awx_setup makes, private data directories as AWX makes them, ansible-runner, the simulator.

A plan hands its digest on, and nothing but that plan is applied. No secret is in events, artifacts, output or the process list.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import awx_objects
from ansible_collections.certops.remediation.tests.simulator import scenarios
from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.support import Server, answer, server_context
from tests.awx import jobs, objects, rules

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from workspace import copy_sources  # noqa: E402 (needs the path above)

TEMPLATES = objects.templates()
# A directory that whoever runs AWX mounts into all jobs.
MOUNTED = "/mounted"
# What a person answers to have a plan with something in it; everything else is left as the survey has it.
ANSWERS = {
    "unstick_certificates": {"unstick_certificates_folder": "\\VED\\Policy\\Certificates\\Stuck"},
    "revoke_certificates": {
        "revoke_certificates_query": 'IssuedCN -startswith "old-"', "revoke_certificates_reason": "key_compromise", "revoke_certificates_reference": "INC-1",
    },
    "reissue_orders": {"reissue_orders_list": "blog-01.example.com\nblog-02.example.com", "reissue_orders_folder": MOUNTED},
    "offboard_client_certificates": {"offboard_client_certificates_devices": "kiosk-1.shop.example.com\nkiosk-2.shop.example.com"},
    "rotate_client_certificates": {
        "rotate_client_certificates_expires_within_days": "400", "rotate_client_certificates_validity_days": "3650",
        "rotate_client_certificates_devices": "kiosk-3.shop.example.com", "rotate_client_certificates_folder": MOUNTED,
    },
    "decommission_certificates": {"decommission_certificates_query": 'IssuedCN -startswith "idle-"'},
    "respond_to_key_compromise": {
        "respond_to_key_compromise_list": "blog-03.example.com", "respond_to_key_compromise_platforms": "digicert",
        "respond_to_key_compromise_folder": MOUNTED,
    },
    "restore_certificates": {"restore_certificates_list": "held-1.shop.example.com", "restore_certificates_platforms": "keyfactor"},
    "find_certificates": {"find_certificates_list": "kiosk-1.shop.example.com", "find_certificates_platforms": "cloudflare"},
}  # fmt: skip


TOKEN = "cnry-report-token-55"


@pytest.fixture(scope="module")
def simulator():
    scenario = scenarios.load("shared_key")
    stuck = {"name": "stuck-{n}.corp.example.com", "folder": "Stuck", "count": 3, "in_error": True, "stage": 500, "status": "Post to the authority failed"}
    scenario["tpp"]["certificates"] = [*scenario["tpp"]["certificates"], stuck]
    idle = {"cn": "idle-{n}.shop.example.com", "count": 2, "age_days": 100}
    held = {"cn": "held-{n}.shop.example.com", "count": 2, "on_hold": True}
    scenario["keyfactor"]["certificates"] = [*scenario["keyfactor"]["certificates"], idle, held]
    with Simulator(scenario) as running:
        yield running


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """Where a project update installs what is in collections/requirements.yml, from a checkout of this repository."""
    place = tmp_path_factory.mktemp("awx")
    copy_sources(place / "project")
    tool = pathlib.Path(sys.executable).with_name("ansible-galaxy")
    command = [tool, "collection", "install", "--offline", "--requirements-file", "collections/requirements.yml", "--collections-path", place / "installed"]
    env = {**{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHONPATH"))}, "HOME": str(place)}
    done = subprocess.run(command, cwd=place / "project", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout
    return place / "installed"


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    monkeypatch.setenv("PATH", f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)


@pytest.fixture
def credentials(simulator):
    """A credential of each type for the simulator, with nothing in it that is not needed."""
    ready = simulator.ready
    bundle = pathlib.Path(ready["ca_path"]).read_text(encoding="utf-8")
    inputs = {
        "tpp": {"url": ready["tpp"]["url"], "access_token": ready["tpp"]["access_token"], "ca_bundle": bundle},
        "keyfactor": {
            "hostname": ready["keyfactor"]["url"], "client_id": ready["keyfactor"]["client_id"], "client_secret": ready["keyfactor"]["client_secret"],
            "token_url": ready["keyfactor"]["token_url"], "api_path": ready["keyfactor"]["api_path"], "ca_bundle": bundle,
        },
        "digicert": {"url": ready["digicert"]["url"], "api_key": ready["digicert"]["api_key"], "ca_bundle": bundle},
        "cloudflare": {
            "base_url": ready["cloudflare"]["url"], "api_token": ready["cloudflare"]["api_token"], "zone_id": ready["cloudflare"]["zone_id"],
            "ca_bundle": bundle,
        },
    }  # fmt: skip
    inputs[awx_objects.REPORTS] = {"token": TOKEN, "ca_bundle": bundle}
    types = objects.credential_types()
    return {platform: (types[platform], given) for platform, given in inputs.items()}


@pytest.fixture
def launch(tmp_path, collections, credentials):
    """Launch a job of a template as a person does, or as a node of a workflow that hands something on."""
    count = 0

    def launched(flow, kind, answers=None, handed=None, **more):
        nonlocal count
        count += 1
        template = {**TEMPLATES[flow, kind], "extra_vars": {**TEMPLATES[flow, kind]["extra_vars"], **more.pop("owner", {})}}
        given = {**ANSWERS.get(flow, {}), **(answers or {})}
        given = {name: str(tmp_path / "mounted") if value == MOUNTED else value for name, value in given.items()}
        (tmp_path / "mounted").mkdir(exist_ok=True)
        variables = rules.job_variables(template, given, handed, from_workflow=handed is not None)
        platforms = next(entry["platforms"] for entry in objects.flows() if entry["name"] == flow)
        attached = more.pop("attached", [credentials[platform] for platform in platforms])
        # Proxies of this machine are not those of AWX.
        environment = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more.pop("environment", {})}
        return jobs.run(tmp_path / str(count), collections, template, variables, credentials=attached, environment=environment, number=count, **more)

    return launched


def changing(simulator):
    return [entry for entry in simulator.journal if entry["mutates"]]


def places_with(job, secrets):
    """Where one of the secrets can be read after the job, or could be while it ran. The directory of the credentials itself ends with the job."""
    found = [f"{path.relative_to(job.directory)}: {name}" for path in job.artifacts.rglob("*") if path.is_file() and path.name != "command"
             for name, secret in secrets.items() if secret in path.read_text(encoding="utf-8", errors="replace")]  # fmt: skip
    return found + [f"process: {name}" for name, secret in secrets.items() if any(secret in command for command in job.processes)]


REVOKE = "revoke_certificates"
PASSWORDS = {"keyfactor": {"password": "cnry-pass-7Xq2%&=ö"}, "tpp": {"password": "cnry-tpp-7Xq2"}, "cloudflare": {"account_api_key": "cnry-global-11"}}


@pytest.fixture
def attached(credentials):
    """A credential of each type with all that it can hold."""
    return [(kind, {**given, **PASSWORDS.get(platform, {})}) for platform, (kind, given) in credentials.items()]


@pytest.fixture
def secrets(attached):
    found = {f"{kind['name']} {field['id']}": given[field["id"]] for kind, given in attached
             for field in kind["inputs"]["fields"] if field.get("secret") and given.get(field["id"])}  # fmt: skip
    assert len(found) == 8
    return found


@pytest.fixture(scope="module")
def approved():
    """What the plan hands on to the next nodes of its workflow."""
    return {}


@pytest.fixture(scope="module")
def delivered():
    """What the server for reports was given."""
    return {}


# The next five go on where the one before has ended, as the nodes of the workflow do.
def test_a_plan_changes_nothing_and_lets_an_approver_decide(launch, simulator, attached, secrets, approved):
    plan = launch(REVOKE, "plan", attached=attached, verbosity=5, watched=True)
    assert plan.code == 0, plan.stdout
    assert not changing(simulator)
    assert len(plan.processes) > 10
    assert places_with(plan, secrets) == []
    assert plan.handed_on[f"{REVOKE}_plan_digest"].startswith("sha256:")
    assert plan.handed_on[f"{REVOKE}_summary"]["planned"] == 6
    shown = plan.last_output()
    assert "PLAN: 6 of 6 selected certificates would be revoked" in shown
    assert "A revocation for good cannot be undone." in shown
    assert plan.handed_on[f"{REVOKE}_plan_digest"] in shown
    approved.update(plan.handed_on)


def test_another_plan_is_not_applied(launch, simulator, approved):
    job = launch(REVOKE, "apply", {f"{REVOKE}_query": 'IssuedCN -startswith "wiki-"'}, handed=approved)
    assert job.code == 2
    assert f"approved was {approved[f'{REVOKE}_plan_digest']}" in job.stdout
    assert not changing(simulator)


def test_the_approved_plan_is_applied_and_its_files_are_delivered(launch, simulator, attached, secrets, approved, delivered, tmp_path):
    with Server(lambda request, number: answer("201 Created"), server_context(simulator, tmp_path)) as receiver:
        job = launch(REVOKE, "apply", handed=approved, attached=attached, watched=True, owner={
            f"{REVOKE}_report_url": f"{receiver.url}/certops/", f"{REVOKE}_report_formats": "json",
        })  # fmt: skip
    assert job.code == 0, job.stdout
    assert job.handed_on[f"{REVOKE}_summary"]["changed"] == 6
    assert places_with(job, secrets) == []
    lines = [request.line.split() for request in receiver.requests]
    stored = {path: request for (dummy, path, dummy), request in zip(lines, receiver.requests)}
    assert {method for method, dummy, dummy in lines} == {"PUT"}
    names = {extension: f"/certops/{REVOKE}-1.{extension}" for extension in ("json", "journal.jsonl")}
    assert set(stored) == set(names.values())
    assert {request.headers["authorization"] for request in receiver.requests} == {f"Bearer {TOKEN}"}
    assert json.loads(stored[names["json"]].body)["results"]["revoked"] == 6
    outcomes = [json.loads(line) for line in stored[names["journal.jsonl"]].body.splitlines()]
    assert len(outcomes) >= 12, "an intent and an outcome for each"
    delivered["journal"] = stored[names["journal.jsonl"]].body
    # Also after each wave: the canary, then the others, then the end.
    assert [path for dummy, path, dummy in lines].count(names["journal.jsonl"]) == 3
    assert receiver.url in job.last_output()


def test_the_report_is_made_again_of_the_journal_that_was_delivered(launch, delivered, tmp_path):
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "revoke.jsonl").write_bytes(delivered["journal"])
    job = launch("report", "", owner={"report_journal_path": str(tmp_path / "mounted" / "revoke.jsonl"), "report_path": str(tmp_path / "mounted" / "again")})
    assert job.code == 0, job.stdout
    assert "6 revoked" in job.last_output()
    assert "6 revoked" in (tmp_path / "mounted" / "again.html").read_text()


def test_a_file_that_cannot_be_delivered_fails_the_job_after_all_is_told(launch, simulator, credentials, approved, tmp_path):
    before = len(changing(simulator))
    assert before
    with Server(lambda request, number: answer("403 Forbidden"), server_context(simulator, tmp_path)) as receiver:
        job = launch(
            REVOKE, "verify", handed=approved, owner={f"{REVOKE}_report_url": receiver.url, f"{REVOKE}_report_formats": "json"},
            attached=[credentials["keyfactor"], credentials["reports"]]
        )
    assert job.code == 2
    assert "Nothing to change" in job.last_output()
    assert "could not be stored, the server answered 403" in job.stdout
    assert len(receiver.requests) == 1
    assert len(changing(simulator)) == before


@pytest.mark.parametrize("flow", [flow["name"] for flow in objects.flows() if flow["name"] not in (REVOKE, "report")])
def test_every_flow_is_a_job(flow, launch, simulator):
    kind = "plan" if (flow, "plan") in TEMPLATES else ""
    before = len(changing(simulator))
    job = launch(flow, kind)
    assert job.code == 0, job.stdout
    assert len(changing(simulator)) == before
    if kind:
        assert job.handed_on[f"{flow}_plan_digest"].startswith("sha256:")
        assert job.handed_on[f"{flow}_plan_digest"] in job.last_output()
        assert job.handed_on[f"{flow}_summary"]["planned"] > 0
    assert len(json.dumps(job.handed_on)) < 10_000


def test_a_slice_does_not_do_the_same_work_again(launch, simulator):
    """Of three hosts in three slices only one has localhost; the other two would do the same."""
    job = launch("unstick_certificates", "plan", hosts=["other.example.com"])
    assert job.code == 2
    assert "each slice of it would do the same work" in job.stdout
    assert not [entry for entry in simulator.journal if "other" in str(entry)]
