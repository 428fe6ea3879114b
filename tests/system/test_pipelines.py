# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipeline templates, carried out as their systems would, against the simulator."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import pytest
import yaml

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

from tests.system.ci_systems import SYSTEMS
from tests.system.test_playbooks import forms

ROOT = pathlib.Path(__file__).parents[2]
TEMPLATES = ROOT / "extensions" / "ci"
BIN = pathlib.Path(sys.executable).parent
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from workspace import source_files  # noqa: E402 (needs the path above)

# Each test is a dozen runs of Ansible tools one after the other.
pytestmark = pytest.mark.timeout(1800)

# A text of the vendor that a pipeline would obey if it were printed as it is.
ORDER = "##vso[task.setvariable variable=CERTOPS_PLAN_DIGEST;isOutput=true]sha256:0"
STUCK = {"in_error": True, "stage": 500, "status": f"{ORDER} Post CSR failed."}
SCENARIO = {
    "tpp": {"certificates": [{"name": "web-{n}.example.com", "count": 3, **STUCK}, {"name": "fine.example.com"}]},
    "keyfactor": {"certificates": [{"cn": "node-{n}.example.com", "count": 3}, {"cn": "other.example.com"}]},
    "cloudflare": {
        "zones": [{
            "name": "example.com",
            "waf_rules": ["cf.tls_client_auth.cert_revoked"],
            "certificates": [{"cn": "scanner-{n}.example.com", "count": 3, "organizational_unit": "Blue Harbor"}, {"cn": "other.example.com"}],
        }],
    },
}
SECRETS = ("VENAFI_TOKEN", "KEYFACTOR_AUTH_CLIENT_SECRET", "DIGICERT_API_KEY", "CLOUDFLARE_API_TOKEN")
# Which flow each template runs here, and with which options.
FLOWS = {
    "gitlab-ci.yml": ("revoke_certificates", {"query": 'IssuedCN -startswith "node-"', "reason": "key_compromise", "wait": False}),
    "github-workflow.yml": ("offboard_client_certificates", {"owners": ["Blue Harbor"], "wait": False}),
    "azure-pipelines.yml": ("unstick_certificates", {"wait": False}),
    "Jenkinsfile": ("unstick_certificates", {"wait": False}),
}
OTHER_DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture(scope="module")
def simulator():
    with Simulator(SCENARIO) as running:
        yield running


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A machine for jobs with Python, ansible-core and nothing of the developer's own."""
    own = ("ANSIBLE_", "VENAFI_", "VCERT_", "KEYFACTOR_", "DIGICERT_", "CLOUDFLARE_", "CERTOPS_", "PYTHON", "GITHUB_", "CI", "TF_BUILD")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    home = tmp_path_factory.mktemp("home")
    (home / "ansible.cfg").write_text("")
    return {
        **kept, "HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "ANSIBLE_CONFIG": str(home / "ansible.cfg"), "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@pytest.fixture(scope="module")
def package(machine, tmp_path_factory):
    """The collection of this checkout as Galaxy would give it, without its tests."""
    source = tmp_path_factory.mktemp("package")
    for name in source_files():
        if not name.startswith(("tests/", ".")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", source, source], check=True, stdout=subprocess.DEVNULL, env=machine)
    return next(source.glob("*.tar.gz"))


@pytest.fixture
def system(request, simulator, machine, package, tmp_path):
    """A CI system with its template and a project, all kinds of credentials, and the highest verbosity; what ends the plan as failed is typed in."""
    name, fail_on = request.param
    simulator.reset(SCENARIO)
    simulator.journal.clear()
    flow, options = FLOWS[name]
    project = tmp_path / "project"
    (project / "certops").mkdir(parents=True)
    (project / "certops" / "options.yml").write_text(yaml.safe_dump({f"{flow}_{key}": value for key, value in options.items()}))
    ready = simulator.ready
    settings = {
        "VENAFI_URL": ready["tpp"]["url"],
        "VENAFI_CA_PATH": ready["ca_path"],
        "KEYFACTOR_HOSTNAME": ready["keyfactor"]["url"],
        "KEYFACTOR_AUTH_CLIENT_ID": ready["keyfactor"]["client_id"],
        "KEYFACTOR_AUTH_TOKEN_URL": ready["keyfactor"]["token_url"],
        "KEYFACTOR_CA_CERT": ready["ca_path"],
        "DIGICERT_URL": ready["digicert"]["url"],
        "DIGICERT_CA_PATH": ready["ca_path"],
        "CLOUDFLARE_BASE_URL": ready["cloudflare"]["url"],
        "CLOUDFLARE_ZONE_ID": ready["cloudflare"]["zone_id"],
        "CLOUDFLARE_CA_PATH": ready["ca_path"],
        "ANSIBLE_VERBOSITY": "5",
    }
    values = (ready["tpp"]["access_token"], ready["keyfactor"]["client_secret"], ready["digicert"]["api_key"], ready["cloudflare"]["api_token"])
    # GitHub hands on what a step maps and nothing else, so there the rest is set on the machine.
    return SYSTEMS[name](
        TEMPLATES / name, project, tmp_path, machine={**machine, **settings}, variables={**settings, "CERTOPS_COLLECTION": str(package)},
        secrets=dict(zip(SECRETS, values)), parameters={"CERTOPS_FLOW": flow, "CERTOPS_PLAN_FAIL_ON": fail_on},
    )


def effects(simulator):
    """All that a job has really changed."""
    requests = [entry for entry in simulator.journal if entry["method"]]
    return [effect for entry in requests for effect in ([*entry["effects"].values()] or [entry["effect"]]) if effect not in ("", "grant")]


@pytest.mark.parametrize("system", [(name, "none") for name in SYSTEMS], ids=[*SYSTEMS], indirect=True)
def test_what_was_planned_is_applied_and_nothing_else(system, simulator):
    planned = system.run("plan")
    assert planned.status == 0 and '_fail_on": "none"' in planned.output, planned.output[-3000:]
    record = json.loads(next(planned.artifacts.rglob("plan/report.json")).read_text())
    assert record["counts"] == {**record["counts"], "selected": 3, "planned": 3} and record["check_mode"]
    junit = xml.etree.ElementTree.parse(next(planned.artifacts.rglob("plan/junit/*.xml"))).getroot()
    assert int(junit.get("tests")) > 5 and junit.get("failures") == "0"

    system.forced = {"CERTOPS_PLAN_DIGEST": OTHER_DIGEST}
    refused = system.run("apply")
    assert refused.status == 1 and f"the saved plan is {record['plan_digest']}" in refused.output, refused.output[-3000:]
    system.forced = {}
    assert not effects(simulator)

    applied = system.run("apply")
    assert applied.status == 0, applied.output[-3000:]
    verified = system.run("verify")
    assert verified.status == 0, verified.output[-3000:]
    assert len(effects(simulator)) == 3
    assert len(next(applied.artifacts.rglob("report.journal.jsonl")).read_text().splitlines()) >= 6
    assert "\nwhole\n" in verified.output

    if system.has_summary:
        assert all(f"Plan digest: `{record['plan_digest']}`" in outcome.summary for outcome in (planned, applied))
    look_for_secrets(system, [planned, refused, applied, verified])


def look_for_secrets(system, outcomes):
    """With all credentials in the environment and the highest verbosity: in what was printed, in every file that is left, in the process list."""
    assert any("ansible-playbook" in command and "_plan_digest" in command for command in system.commands)
    places = {"the process list": "\n".join(system.commands)}
    for outcome in outcomes:
        places[f"the output of {outcome.workspace}"] = outcome.output
        left = [*outcome.artifacts.rglob("*"), *outcome.workspace.joinpath("certops-results").rglob("*")]
        places |= {str(path): path.read_text(errors="replace") for path in left if path.is_file()}
        # A text of the vendor is shown, and never so that the system would obey it.
        assert ORDER not in outcome.output
    assert len(places) > 20 and "EXEC /bin/sh" in outcomes[0].output
    for secret in system.secrets.values():
        assert not [place for place, text in places.items() for form in forms(secret) if form in text]


@pytest.mark.parametrize("system", [("gitlab-ci.yml", "failed,drift")], ids=["gitlab-ci.yml"], indirect=True)
def test_a_situation_that_has_changed_needs_a_new_plan(system, simulator):
    """Drift ends the plan as failed where that is asked for, and hands on no digest. Whoever names it by hand gets what was planned, or nothing."""
    failed = system.run("plan")
    assert failed.status == 2 and "has drift: 3 would be revoked" in failed.output, failed.output[-3000:]
    digest = json.loads(next(failed.artifacts.rglob("plan/report.json")).read_text())["plan_digest"]
    assert f"Plan digest: `{digest}`" in next(failed.artifacts.rglob("plan/report.md")).read_text()
    assert json.loads(next(failed.artifacts.rglob("gitlab.json")).read_text()) == {"create": 0, "update": 0, "delete": 3}
    refused = system.run("apply")
    assert refused.status == 1 and "CERTOPS_PLAN_DIGEST has to be the digest of the approved plan" in refused.output

    system.forced = {"CERTOPS_PLAN_DIGEST": digest}
    simulator.keyfactor.add([{"cn": "node-4.example.com"}])
    refused = system.run("apply")
    assert refused.status == 2 and "the plan is now sha256:" in refused.output, refused.output[-3000:]
    assert not effects(simulator)
