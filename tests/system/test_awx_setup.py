# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role awx_setup with the modules of awx.awx against a stand-in for AWX: made once, unchanged the second time, set back, taken away."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from tests.awx import objects
from tests.awx.controller import StandIn

ROOT = pathlib.Path(__file__).parents[2]
AWX = ROOT / ".cache" / "awx"
# One flow, for each object is a module of its own. What holds for all flows is in tests/contract/test_awx.py.
FLOW = {"name": "unstick_certificates", "platforms": ["tpp"]}
NAME = f"{objects.PREFIX}Unstick certificates"


def setup(tmp_path, environment, **options):
    """Run the playbook; gives its exit code, how many tasks have changed something, and what was printed."""
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "CONTROLLER_", "TOWER_"))},
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join([str(ROOT / ".cache" / "tree"), str(AWX)]),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "HOME": str(tmp_path),
        **environment,
    }
    arguments = [argument for name, value in options.items() for argument in ("-e", json.dumps({name: value})) if name != "check"]
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "certops.remediation.awx_setup", *arguments]
    command += ["--check"] if options.get("check") else []
    done = subprocess.run(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
    changed = re.search(r"changed=(\d+)", done.stdout)
    return done.returncode, int(changed[1]) if changed else None, done.stdout


@pytest.fixture(scope="module")
def awx():
    with StandIn() as running:
        yield running


@pytest.fixture(scope="module")
def kept(awx):
    """What somebody else has made, and what must stay."""
    controller = awx.controller
    other = controller.create("credential_types", {"name": "Other", "kind": "cloud", "inputs": {}, "injectors": {}})
    controller.create("credentials", {"name": "My TPP", "credential_type": other["id"]})
    return {kind: set(controller.names(kind)) for kind in ("organizations", "credential_types", "credentials")}


ONE = {"__awx_setup_known": [FLOW], "awx_setup_credentials": {"tpp": "My TPP"}, "awx_setup_image": "registry.example.com/certops-ee:1"}


# In this order: each test goes on with what the one before has left.
def test_a_check_of_an_empty_controller_writes_nothing(awx, kept, tmp_path):
    code, changed, output = setup(tmp_path, awx.environment, check=True, **ONE)
    assert code == 0, output
    assert changed
    assert f"{NAME} - apply" in output
    assert not awx.controller.writes()


def test_everything_is_made(awx, kept, tmp_path):
    code, changed, output = setup(tmp_path, awx.environment, **ONE)
    assert code == 0, output
    assert changed
    controller = awx.controller
    assert set(controller.names("credential_types")) == {"Other", *(objects.PREFIX + entry["name"] for entry in objects.credential_types().values())}
    assert sorted(controller.names("job_templates")) == [f"{NAME} - apply", f"{NAME} - plan", f"{NAME} - verify"]
    template = controller.named("job_templates", f"{NAME} - apply")
    assert template["playbook"] == "certops.remediation.unstick_certificates"
    assert template["execution_environment"] == controller.named("execution_environments", f"{objects.PREFIX}Execution environment")["id"]
    assert controller.surveys["job_templates", template["id"]] == objects.templates()["unstick_certificates", "apply"]["survey_spec"]
    assert controller.links["job_templates", template["id"], "credentials"] == [controller.named("credentials", "My TPP")["id"]]
    # Templates of AWX have arrived as such.
    tpp = controller.named("credential_types", f"{objects.PREFIX}Venafi TPP")
    assert tpp["injectors"] == objects.credential_types()["tpp"]["injectors"]
    assert json.loads(controller.named("hosts", "localhost")["variables"])["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"


def test_the_workflow_leads_from_the_plan_to_the_verification(awx, kept):
    controller = awx.controller
    nodes = {node["identifier"]: node for node in controller.objects["workflow_job_template_nodes"].values()}
    numbers = {node["id"]: name for name, node in nodes.items()}
    leads = {name: [numbers[member] for member in controller.links.get(("workflow_job_template_nodes", node["id"], "success_nodes"), [])]
             for name, node in nodes.items()}  # fmt: skip
    assert leads == {"plan": ["approve"], "approve": ["apply"], "apply": ["verify"], "verify": []}
    approval = controller.objects["workflow_approval_templates"][nodes["approve"]["unified_job_template"]]
    assert approval["name"] == f"{objects.PREFIX}Approve: unstick certificates"
    for name in ("plan", "apply", "verify"):
        assert nodes[name]["unified_job_template"] == controller.named("job_templates", f"{NAME} - {name}")["id"]


def test_a_second_run_sets_back_what_was_changed_and_nothing_else(awx, kept, tmp_path):
    controller = awx.controller
    apply = controller.named("job_templates", f"{NAME} - apply")
    controller.change("job_templates", apply["id"], {"extra_vars": "{}", "ask_variables_on_launch": True, "job_slice_count": 5})
    controller.surveys["job_templates", apply["id"]]["spec"].pop()
    nodes = {node["identifier"]: node["id"] for node in controller.objects["workflow_job_template_nodes"].values()}
    # Round the approval.
    controller.links["workflow_job_template_nodes", nodes["plan"], "success_nodes"] = [nodes["apply"]]
    before = len(controller.writes())
    code, changed, output = setup(tmp_path, awx.environment, **ONE)
    assert code == 0, output
    assert changed == 2
    restored = controller.named("job_templates", f"{NAME} - apply")
    assert json.loads(restored["extra_vars"]) == objects.templates()["unstick_certificates", "apply"]["extra_vars"]
    assert (restored["ask_variables_on_launch"], restored["job_slice_count"]) == (False, 1)
    assert controller.surveys["job_templates", apply["id"]] == objects.templates()["unstick_certificates", "apply"]["survey_spec"]
    assert controller.links["workflow_job_template_nodes", nodes["plan"], "success_nodes"] == [nodes["approve"]]
    # All other objects, approvals among them, are not even written again.
    assert {path for dummy, path, dummy in controller.writes()[before:]} == {
        f"/job_templates/{apply['id']}/", f"/job_templates/{apply['id']}/survey_spec/", f"/workflow_job_template_nodes/{nodes['plan']}/success_nodes/",
    }  # fmt: skip
    assert re.findall(r"^changed: .*item=(.*)\)", output, re.MULTILINE) == [f"{NAME} - apply", f"{NAME}: plan"]


def test_it_is_all_taken_away_again(awx, kept, tmp_path):
    code, changed, output = setup(tmp_path, awx.environment, awx_setup_state="absent", **ONE)
    assert code == 0, output
    assert changed
    left = {kind: set(awx.controller.names(kind)) for kind in awx.controller.objects if kind != "workflow_job_template_nodes"}
    assert {kind: names for kind, names in left.items() if names} == kept
    assert not awx.controller.objects["workflow_job_template_nodes"]


def test_the_objects_can_be_written_down_instead(awx, tmp_path):
    before = len(awx.controller.journal)
    code, dummy, output = setup(tmp_path, {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree")}, awx_setup_export_path="objects.yml")
    assert code == 0, output
    assert len(awx.controller.journal) == before
    made = objects.load(tmp_path / "objects.yml")
    types = {entry["name"]: entry for entry in made["controller_credential_types"]}
    assert types[f"{objects.PREFIX}Venafi TPP"]["injectors"] == objects.credential_types()["tpp"]["injectors"]
    assert made["controller_templates"] == list(objects.templates().values())
    assert made["controller_workflows"] == list(objects.workflows().values())


def test_without_the_modules_it_says_how_to_get_them(awx, tmp_path):
    code, dummy, output = setup(tmp_path, {**awx.environment, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree")})
    assert code == 2
    assert "ansible-galaxy collection install awx.awx" in output


def test_a_misspelt_option_is_refused(awx, tmp_path):
    code, dummy, output = setup(tmp_path, {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree")}, awx_setup_export="objects.yml")
    assert code == 2
    assert "awx_setup_export is no option of awx_setup; awx_setup_export_path is one" in " ".join(output.split())
