# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role awx_setup makes: accepted by AWX, complete, and in step with the modules and the flows."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.remediation.plugins.module_utils.options import unset_empty
from ansible_collections.certops.remediation.plugins.plugin_utils import awx_objects
from tests.awx import objects, rules
from tests.contract.collection import MODULES, NAME, PLAYBOOKS, ROOT, VENDORS, load_yaml

FLOWS = objects.flows()
NAMES = [flow["name"] for flow in FLOWS]
TEMPLATES = objects.templates()
WORKFLOWS = objects.workflows()
# Playbooks that are nothing for a job template, and why.
NOT_FLOWS = {
    "awx_setup": "it sets AWX up",
    "drill": "it needs the simulator",
    "respond_to_host_compromise": "it is respond_to_key_compromise with its hosts set",
    "verify_journal": "the report says it as well",
}
# Options with a variable of the environment that no credential gives, and why.
NOT_INJECTED = {
    ("tpp", "refresh_token"): "it works once, and a job cannot give the next one back to AWX",
    ("tpp", "token_path"): "a job has no file that lives on",
    ("keyfactor", "timeout"): "no matter of who one is",
}


def options(platform: str) -> dict[str, dict[str, Any]]:
    """The options of all modules of a platform that the environment can give."""
    found = {}
    for module in MODULES:
        if module.startswith(f"{platform}_"):
            spec = importlib.import_module(f"ansible_collections.{NAME}.plugins.modules.{module}").ARGUMENT_SPEC
            found.update({name: option for name, option in spec.items() if "fallback" in option})
    return found


def environment(platform: str, **inputs: Any) -> dict[str, str]:
    return rules.injected(objects.credential_types()[platform], inputs, lambda content: f"/runner/env/tmp-{len(content)}")


@pytest.mark.parametrize("platform", VENDORS)
class TestCredentialType:
    def test_awx_accepts_it(self, platform: str) -> None:
        rules.check_credential_type(objects.credential_types()[platform])

    def test_the_modules_read_what_it_gives(self, platform: str) -> None:
        read = {variable for option in options(platform).values() for variable in option["fallback"][1]}
        assert set(objects.credential_types()[platform]["injectors"]["env"]) <= read

    def test_it_gives_what_the_modules_read(self, platform: str) -> None:
        given = set(objects.credential_types()[platform]["injectors"]["env"])
        missing = {name for name, option in options(platform).items() if not given & set(option["fallback"][1]) and (platform, name) not in NOT_INJECTED}
        assert not missing

    def test_it_keeps_what_the_modules_keep(self, platform: str) -> None:
        credential_type = objects.credential_types()[platform]
        secret = {name for name, option in options(platform).items() if option.get("no_log")}
        secret_variables = {variable for name in secret for variable in options(platform)[name]["fallback"][1]}
        fields = {field["id"]: field for field in credential_type["inputs"]["fields"]}
        for variable, template in credential_type["injectors"]["env"].items():
            (field,) = re.findall(r"\{\{ (\w+) \}\}", template) or ["ca_bundle"]
            assert fields[field].get("secret", False) is (variable in secret_variables), variable

    def test_every_input_is_used(self, platform: str) -> None:
        credential_type = objects.credential_types()[platform]
        templates = " ".join([*credential_type["injectors"]["env"].values(), *credential_type["injectors"]["file"].values()])
        assert {field["id"] for field in credential_type["inputs"]["fields"]} == set(re.findall(r"\{\{ (\w+) \}\}", templates))

    def test_only_the_environment_is_used(self, platform: str) -> None:
        # What a job is launched with would win over extra variables.
        assert set(objects.credential_types()[platform]["injectors"]) == {"env", "file"}
        assert all("default" not in field for field in objects.credential_types()[platform]["inputs"]["fields"])

    def test_what_is_left_empty_is_not_set(self, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
        given = environment(platform)
        assert set(given.values()) <= {"", "False"}
        for variable, value in given.items():
            monkeypatch.setenv(variable, value)
        known = options(platform)
        checked = ArgumentSpecValidator({name: {**option, "type": option.get("type", "str")} for name, option in known.items()}).validate({})
        assert not checked.error_messages
        found = unset_empty(checked.validated_parameters, known)
        assert {name: found.get(name) for name in known} == {name: option.get("default") for name, option in known.items()}

    def test_a_file_is_named_only_when_it_holds_something(self, platform: str) -> None:
        (variable,) = [name for name, template in objects.credential_types()[platform]["injectors"]["env"].items() if "filename" in template]
        assert environment(platform)[variable] == ""
        assert environment(platform, ca_bundle="-----BEGIN")[variable] == "/runner/env/tmp-10"


def test_the_report_server_is_what_deliveries_read() -> None:
    credential_type = objects.credential_types()[awx_objects.REPORTS]
    rules.check_credential_type(credential_type)
    read = set(re.findall(r"CERTOPS_REPORT_\w+", (ROOT / "roles" / "flow" / "tasks" / "deliver.yml").read_text(encoding="utf-8")))
    assert set(credential_type["injectors"]["env"]) == read
    assert {field["id"] for field in credential_type["inputs"]["fields"] if field.get("secret")} == {"token", "password"}


@pytest.mark.parametrize(("value", "verified"), [(True, False), (False, True), (None, True)])
@pytest.mark.parametrize("platform", ["tpp", "keyfactor"])
def test_verification_is_only_turned_off_when_asked(platform: str, value: bool | None, verified: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, text in environment(platform, **({} if value is None else {"skip_tls_verify": value})).items():
        monkeypatch.setenv(variable, text)
    checked = ArgumentSpecValidator({"validate_certs": options(platform)["validate_certs"]}).validate({})
    assert checked.validated_parameters["validate_certs"] is verified


def test_no_flow_is_forgotten() -> None:
    assert sorted(NAMES) == sorted(set(PLAYBOOKS) - set(NOT_FLOWS)), "roles/awx_setup/vars/main.yml lists every playbook that a job template can run"


def platforms_of(role: str) -> set[str]:
    """The platforms whose modules the tasks of a role call, those of other roles that it uses included."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "roles" / role / "tasks").glob("*.yml"))
    found = {vendor for vendor in VENDORS if f"{NAME}.{vendor}_" in text}
    others = set(re.findall(rf"name: {re.escape(NAME)}\.(\w+)", text)) - {role, "flow"}
    return found.union(*(platforms_of(other) for other in others))


@pytest.mark.parametrize("flow", FLOWS, ids=NAMES)
def test_credentials_are_those_of_the_modules(flow: dict[str, Any]) -> None:
    if (ROOT / "roles" / flow["name"]).is_dir():
        assert set(flow["platforms"]) == platforms_of(flow["name"])


def surveys() -> list[Any]:
    made = [(f"{flow} {kind}", flow, template["survey_spec"]) for (flow, kind), template in TEMPLATES.items()]
    made += [(f"{flow} workflow", flow, workflow["survey_spec"]) for flow, workflow in WORKFLOWS.items()]
    return [pytest.param(flow, survey, id=name) for name, flow, survey in made if survey]


@pytest.mark.parametrize(("flow", "survey"), surveys())
class TestSurvey:
    def test_awx_accepts_it(self, flow: str, survey: dict[str, Any]) -> None:
        rules.check_survey(survey)

    def test_it_can_be_left_as_it_is(self, flow: str, survey: dict[str, Any]) -> None:
        for question in survey["spec"]:
            assert question["required"] is False
            assert question["type"] in ("text", "textarea", "integer", "multiplechoice")
            # AWX leaves out a default that would not be an answer, which is right where there is none.
            assert question["default"] == "" or not rules.answer_errors(question, {question["variable"]: question["default"]})
            assert question["question_description"]
            assert not re.search(r"\b[A-Z]{1,2}\(", question["question_description"]), question["question_description"]

    def test_the_role_takes_the_answers(self, flow: str, survey: dict[str, Any]) -> None:
        validator = ArgumentSpecValidator(objects.spec(flow)["options"])
        defaults = {question["variable"]: question["default"] for question in survey["spec"]}
        for answers in (defaults, {name: "" for name in defaults}):
            assert not validator.validate(answers).error_messages


@pytest.mark.parametrize("flow", NAMES)
def test_every_option_is_asked_for_or_left_to_the_owner(flow: str) -> None:
    asked = {question["variable"] for (name, dummy), template in TEMPLATES.items() if name == flow for question in template["survey_spec"].get("spec", [])}
    for name, option in (objects.spec(flow).get("options") or {}).items():
        left = name.removeprefix(f"{flow}_") in awx_objects.NOT_ASKED or isinstance(option.get("default"), dict)
        assert (name in asked) is not left, name


@pytest.mark.parametrize("flow", WORKFLOWS)
class TestWorkflow:
    def test_the_run_follows_the_approval_of_the_plan(self, flow: str) -> None:
        nodes = {node["identifier"]: node for node in WORKFLOWS[flow]["simplified_workflow_nodes"]}
        assert [nodes[name]["success_nodes"] for name in ("plan", "approve", "apply", "verify")] == [["approve"], ["apply"], ["verify"], []]
        names = {template["name"]: kind for (name, kind), template in TEMPLATES.items() if name == flow}
        assert {name: names.get(node.get("unified_job_template")) for name, node in nodes.items()} == {
            "plan": "plan", "approve": None, "apply": "apply", "verify": "verify",
        }  # fmt: skip

    def test_nobody_answers_what_the_plan_hands_on(self, flow: str) -> None:
        # The variables of the workflow win over what a job hands on.
        asked = {question["variable"] for question in WORKFLOWS[flow]["survey_spec"]["spec"]}
        digest = f"{flow}_plan_digest"
        assert digest not in asked
        answers = {question["variable"]: question["default"] for question in WORKFLOWS[flow]["survey_spec"]["spec"]}
        variables = rules.job_variables(TEMPLATES[flow, "apply"], answers, {digest: "sha256:approved"}, from_workflow=True)
        assert variables[digest] == "sha256:approved"

    def test_jobs_that_only_look_are_check_jobs(self, flow: str) -> None:
        assert {kind: TEMPLATES[flow, kind]["job_type"] for kind in ("plan", "apply", "verify")} == {"plan": "check", "apply": "run", "verify": "check"}


@pytest.mark.parametrize("key", TEMPLATES, ids="-".join)
def test_a_template_takes_the_survey_only(key: tuple[str, str]) -> None:
    template = TEMPLATES[key]
    assert template["playbook"] == f"{NAME}.{key[0]}"
    assert template["ask_variables_on_launch"] is False
    assert template["job_slice_count"] == 1
    assert set(template["extra_vars"]) <= set(objects.spec(key[0]).get("options") or {})


def test_the_project_installs_the_collection_from_its_own_checkout() -> None:
    assert load_yaml("collections", "requirements.yml") == {"collections": [{"name": "./", "type": "dir"}]}
    assert "collections" in load_yaml("galaxy.yml")["build_ignore"]
    (project,) = objects.load(objects.ROLE / "files" / "objects.yml")["controller_projects"]
    # Without it AWX refuses a playbook that is no file of the project.
    assert project["allow_override"] is True


def test_the_inventory_cannot_be_sliced() -> None:
    made = objects.load(objects.ROLE / "files" / "objects.yml")
    assert [host["name"] for host in made["controller_hosts"]] == ["localhost"]
