# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipeline templates agree with each other, with their guide and with the flows; tests/system carries them out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.contract.collection import ROLES, ROOT, load_yaml, requirement_lines

FOLDER = ROOT / "extensions" / "ci"
TEMPLATES = sorted(path for path in FOLDER.iterdir() if path.suffix != ".py" and path.is_file())
GUIDE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
# What the script gives to the flow.
OPTIONS = ("fail_on", "plan_digest", "report_formats", "report_path")

templates = pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)


@templates
def test_each_installs_the_same(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    packages = " ".join(re.split("[<>=]", line)[0] for line in requirement_lines("requirements.txt"))
    install = f'python3 -m pip install --quiet --disable-pip-version-check "$CERTOPS_ANSIBLE_CORE" {packages}\n'
    collection = 'ansible-galaxy collection install "$CERTOPS_COLLECTION"\n'
    assert text.count(install) == text.count(collection) == text.count("pip install") >= 1
    assert text.count("python3 .certops/ansible_collections/certops/remediation/extensions/ci/pipeline.py ") >= 1
    assert re.search(r"ANSIBLE_COLLECTIONS_PATH(: | = ')\.certops\b", text)


@templates
def test_nothing_but_results_is_kept(template: Path) -> None:
    kept = re.findall(r"^\s*(?:- )?(?:paths|path|publish|includes|junit|terraform|dotenv|testResultsFiles|targetPath): ?\[?(\S+?)\]?$",
                      template.read_text(encoding="utf-8"), re.MULTILINE)
    kept += re.findall(r"(?:includes|testResults|artifacts): '(.+?)'", template.read_text(encoding="utf-8"))
    assert kept and all(path.startswith("certops-results") for path in kept)


@templates
def test_the_guide_knows_its_variables_and_tells_how_to_protect_it(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert all(f"`{name}`" in GUIDE for name in set(re.findall(r"CERTOPS_\w+", text)) - {"CERTOPS_STAGE"})
    assert f"extensions/ci/{template.name}" in GUIDE


def test_nothing_is_applied_without_a_gate() -> None:
    gitlab = yaml.safe_load((FOLDER / "gitlab-ci.yml").read_text(encoding="utf-8"))["certops-apply"]
    assert [(rule["when"], rule["allow_failure"]) for rule in gitlab["rules"]] == [("manual", False)]
    assert gitlab["environment"] == {"name": "certops-production"} and gitlab["resource_group"] == "certops-production"
    github = yaml.safe_load((FOLDER / "github-workflow.yml").read_text(encoding="utf-8"))
    assert github["jobs"]["apply"]["environment"] == "certops-production" and github["permissions"] == {"contents": "read"}
    assert github["concurrency"] == {"group": "certops", "cancel-in-progress": False}
    azure = yaml.safe_load((FOLDER / "azure-pipelines.yml").read_text(encoding="utf-8"))["stages"][1]
    assert azure["jobs"][0]["environment"] == "certops-production" and "deployment" in azure["jobs"][0] and azure["lockBehavior"] == "sequential"
    jenkins = (FOLDER / "Jenkinsfile").read_text(encoding="utf-8")
    assert jenkins.index("stage('plan')") < jenkins.index("input {") < jenkins.index("submitter 'certops-approvers'") < jenkins.index("stage('apply')")


@pytest.mark.parametrize("role", ROLES)
def test_a_flow_with_a_plan_can_be_run_by_a_pipeline(role: str) -> None:
    options = load_yaml("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
    if f"{role}_plan_digest" in options:
        assert {f"{role}_{name}" for name in OPTIONS} <= set(options)
