# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extensions/ci/pipeline.py with a program in the place of ansible-playbook; tests/system runs it with the real one."""

from __future__ import annotations

import hashlib
import json
import pathlib
import subprocess
import sys
import typing as t

import pytest

PIPELINE = pathlib.Path(__file__).parents[3] / "extensions" / "ci" / "pipeline.py"
DIGEST = f"sha256:{'a1' * 32}"
# Shows what it was given, prints a text, leaves a record, and ends as it was told.
PROGRAM = """#!{python}
import json, os, pathlib, sys
given = {{}}
for word in sys.argv[1:]:
    if word.startswith("{{"):
        given.update(json.loads(word))
pathlib.Path("given.json").write_text(json.dumps({{"words": sys.argv[1:], "vars": given, "env": dict(os.environ)}}))
print(os.environ.get("TEST_PRINTS", ""))
if os.environ.get("TEST_RECORD"):
    base = given["unstick_certificates_report_path"]
    pathlib.Path(base + ".json").write_text(os.environ["TEST_RECORD"])
    pathlib.Path(base + ".md").write_text("# The plan")
sys.exit(int(os.environ.get("TEST_STATUS", "0")))
"""


def record(planned: int = 2, **changes: t.Any) -> dict[str, t.Any]:
    rows = [{"planned": number < planned, "action": "revoke"} for number in range(3)]
    return {
        "format": "certops.remediation/record/1", "flow": "unstick_certificates", "check_mode": True, "plan_digest": DIGEST,
        "counts": {"selected": 3, "planned": planned}, "certificates": rows, **changes,
    }


@pytest.fixture
def stage(tmp_path):
    """Run one stage in a workspace; gives the exit code, what was printed, and what the program was given."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    program = binaries / "ansible-playbook"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    def run(name, *arguments, made=None, **variables):
        env = {"PATH": str(binaries), "CERTOPS_FLOW": "unstick_certificates", "TEST_RECORD": json.dumps(made or record()), **variables}
        done = subprocess.run([sys.executable, PIPELINE, name, *arguments], cwd=workspace, env=env, capture_output=True, text=True, check=False)
        given = workspace / "given.json"
        found = json.loads(given.read_text()) if given.exists() else None
        given.unlink(missing_ok=True)
        return done.returncode, done.stdout + done.stderr, found

    run.workspace = workspace
    return run


def saved(workspace, made=None):
    folder = workspace / "certops-results" / "plan"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(made or record()))


def test_the_plan_is_a_check_and_is_handed_on(stage):
    (stage.workspace / "options.yml").write_text("{}")
    status, output, given = stage("plan", "--vault-password-file", "x", CERTOPS_OPTIONS="options.yml")
    assert status == 0
    words = given["words"]
    assert words[:3] == ["certops.remediation.unstick_certificates", "--check", "--diff"] and "@options.yml" in words and "--vault-password-file" in words
    # What the pipeline needs comes last, so that no option of the project can change it.
    assert words.index("@options.yml") < words.index("--vault-password-file") < len(words) - 2
    assert given["vars"]["unstick_certificates_plan_digest"] == "" and given["vars"]["unstick_certificates_fail_on"] == "failed,none"
    folder = stage.workspace / "certops-results" / "plan"
    assert (folder / "plan.env").read_text() == f"CERTOPS_SELECTED=3\nCERTOPS_PLANNED=2\nCERTOPS_PLAN_DIGEST={DIGEST}\n"
    assert (folder / "digest").read_text().strip() == DIGEST
    assert json.loads((folder / "gitlab.json").read_text()) == {"create": 0, "update": 0, "delete": 2}
    assert "::stop-commands::" not in output and "##vso[" not in output


@pytest.mark.parametrize(
    "actions, counts",
    [
        (["reset and restart", None], (0, 2, 0)),
        (["revoke", "put on hold"], (0, 1, 1)),
        (["create a new one, hand it over, revoke the old one", "create a new one"], (2, 0, 1)),
        (["reissue for a new key"], (0, 1, 0)),
    ],
)
def test_changes_in_the_terms_of_gitlab(stage, actions, counts):
    rows = [{"planned": True, **({"action": action} if action else {})} for action in actions]
    assert stage("plan", made=record(certificates=[*rows, {"planned": False, "action": "revoke"}]))[0] == 0
    made = json.loads((stage.workspace / "certops-results" / "plan" / "gitlab.json").read_text())
    assert made == dict(zip(("create", "update", "delete"), counts))


@pytest.mark.parametrize("name, said", [("plan", "failed,none"), ("apply", "failed"), ("verify", "drift,failed")])
def test_what_ends_a_stage_as_failed(stage, name, said):
    saved(stage.workspace)
    for variables, expected in (({}, said), ({f"CERTOPS_{name.upper()}_FAIL_ON": ""}, said), ({f"CERTOPS_{name.upper()}_FAIL_ON": "pending"}, "pending")):
        assert stage(name, CERTOPS_PLAN_DIGEST=DIGEST, **variables)[2]["vars"]["unstick_certificates_fail_on"] == expected


def test_the_exit_code_is_that_of_the_run_and_a_failed_plan_hands_on_no_digest(stage):
    for status in ("2", "4", "99"):
        assert stage("plan", TEST_STATUS=status)[0] == int(status)
        assert "DIGEST" not in (stage.workspace / "certops-results" / "plan" / "plan.env").read_text()
        assert (stage.workspace / "certops-results" / "plan" / "digest").read_text() == "\n"


def test_a_run_without_a_record(stage):
    status, output, dummy = stage("plan", TEST_RECORD="", TEST_STATUS="2")
    assert status == 2 and "certops:" not in output
    status, output, dummy = stage("plan", TEST_RECORD="")
    assert status == 1 and "ended well and left no record" in output
    status, output, dummy = stage("plan", made=record(flow="other"))
    assert status == 1 and "it is of other" in output


def test_apply_is_given_the_digest_of_the_saved_plan(stage):
    saved(stage.workspace)
    status, dummy, given = stage("apply", CERTOPS_PLAN_DIGEST=DIGEST)
    assert status == 0 and "--check" not in given["words"] and given["vars"]["unstick_certificates_plan_digest"] == DIGEST
    # The plan stays beside what became of it.
    assert (stage.workspace / "certops-results" / "plan" / "report.json").exists()


@pytest.mark.parametrize(
    "digest, made, told",
    [
        ("", None, "has to be the digest of the approved plan"),
        ("$(CERTOPS_PLAN_DIGEST)", None, "has to be the digest of the approved plan"),
        (DIGEST + "\nX=1", None, "has to be the digest of the approved plan"),
        (DIGEST, None, "it is not there"),
        (DIGEST, {}, "it is no report in JSON"),
        (DIGEST, record(plan_digest="sha256:other"), "the saved plan is sha256:other"),
        (DIGEST, record(check_mode=False), "the saved plan is"),
        (DIGEST, record(flow="revoke_certificates"), "it is of revoke_certificates"),
        (DIGEST, record(format="certops.remediation/record/9"), "it has the format certops.remediation/record/9"),
    ],
)
def test_apply_without_an_approved_plan_runs_nothing(stage, digest, made, told):
    if made is not None:
        saved(stage.workspace, made or {"a": 1})
    status, output, given = stage("apply", CERTOPS_PLAN_DIGEST=digest)
    assert status == 1 and told in output and given is None
    assert not (stage.workspace / "certops-results" / "apply").exists()


@pytest.mark.parametrize(
    "variables, told",
    [
        ({"CERTOPS_FLOW": ""}, "CERTOPS_FLOW has to name a flow"),
        ({"CERTOPS_FLOW": "../x"}, "CERTOPS_FLOW has to name a flow"),
        ({"CERTOPS_OPTIONS": "no.yml"}, "no.yml is none"),
        ({"PATH": "/nowhere"}, "ansible-playbook is not on PATH"),
    ],
)
def test_settings_that_cannot_work(stage, variables, told):
    status, output, given = stage("plan", **variables)
    assert status == 1 and told in output and given is None


def chained(*lines):
    """A journal: each line carries the hash of the one before."""
    made, before = [], "0" * 64
    for line in lines:
        made.append(json.dumps({"prev": before, **line}).encode())
        before = hashlib.sha256(made[-1]).hexdigest()
    return b"".join(line + b"\n" for line in made), before


def test_verify_looks_at_the_journal_of_apply(stage):
    folder = stage.workspace / "certops-results" / "apply"
    folder.mkdir(parents=True)
    journal, head = chained({"event": "intent", "target": "a"}, {"event": "outcome", "target": "a"}, {"event": "intent", "target": "b"})
    (folder / "report.journal.jsonl").write_bytes(journal)
    made = record(check_mode=False, run={})
    (folder / "report.json").write_text(json.dumps(made))
    status, output, dummy = stage("verify")
    assert status == 0 and "whole" in output
    (folder / "report.journal.jsonl").write_bytes(journal.replace(b'"target": "a"', b'"target": "x"', 1))
    status, output, dummy = stage("verify")
    assert status == 1 and "NOT WHOLE" in output
    # A cut end is only seen by what the report keeps of it.
    (folder / "report.journal.jsonl").write_bytes(journal[: journal.rindex(b"{")])
    assert stage("verify")[0] == 0
    (folder / "report.json").write_text(json.dumps({**made, "run": {"journal_head": {"lines": 3, "sha256": head}}}))
    status, output, dummy = stage("verify")
    assert status == 1 and "the end was cut" in output
    # What the flow says counts more.
    assert stage("verify", TEST_STATUS="2")[0] == 2


def test_what_a_stage_has_left_before_is_gone(stage):
    saved(stage.workspace)
    assert stage("plan", TEST_RECORD="", TEST_STATUS="4")[0] == 4
    assert not (stage.workspace / "certops-results" / "plan" / "report.json").exists()


def test_a_vendor_gives_no_orders_to_github(stage):
    outputs, summary = stage.workspace / "outputs", stage.workspace / "summary"
    outputs.write_text("before=1\n")
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary), "TEST_PRINTS": "::set-output name=x::y"}
    status, output, dummy = stage("plan", **variables)
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("::stop-commands::"))
    token = lines[start].removeprefix("::stop-commands::")
    assert status == 0 and len(token) == 32 and lines.index("::set-output name=x::y") < lines.index(f"::{token}::")
    assert outputs.read_text().splitlines() == ["before=1", "CERTOPS_SELECTED=3", "CERTOPS_PLANNED=2", f"CERTOPS_PLAN_DIGEST={DIGEST}"]
    assert summary.read_text() == "# The plan\n"
    assert stage("plan", **variables)[1].count(token) == 0


def test_a_vendor_gives_no_orders_to_azure(stage):
    printed = "x ##vso[task.setvariable variable=A]1 ##VSO[task.complete] ##[group] ## [fine]"
    status, output, given = stage("plan", TF_BUILD="True", TEST_PRINTS=printed, VENAFI_TOKEN="$(VENAFI_TOKEN)", OTHER="$(VENAFI_TOKEN)")
    assert status == 0 and "x # #vso[task.setvariable variable=A]1 # #VSO[task.complete] # #[group] ## [fine]" in output
    own = [line for line in output.splitlines() if line.startswith("##vso[")]
    assert own == [
        f"##vso[task.uploadsummary]{stage.workspace / 'certops-results' / 'plan' / 'report.md'}",
        "##vso[task.setvariable variable=CERTOPS_SELECTED;isOutput=true]3",
        "##vso[task.setvariable variable=CERTOPS_PLANNED;isOutput=true]2",
        f"##vso[task.setvariable variable=CERTOPS_PLAN_DIGEST;isOutput=true]{DIGEST}",
    ]
    # What is defined nowhere arrives as its own name.
    assert "VENAFI_TOKEN" not in given["env"] and given["env"]["OTHER"] == "$(VENAFI_TOKEN)"


def test_the_environment_of_the_run(stage):
    dummy, output, given = stage("plan", VENAFI_TOKEN="cnry-1", ANSIBLE_CALLBACKS_ENABLED="profile_tasks", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    env = given["env"]
    assert env["ANSIBLE_CALLBACKS_ENABLED"] == "profile_tasks,ansible.builtin.junit" and env["ANSIBLE_CALLBACK_RESULT_FORMAT"] == "json"
    assert env["JUNIT_HIDE_TASK_ARGUMENTS"] == "true" and env["JUNIT_OUTPUT_DIR"] == str(stage.workspace / "certops-results" / "plan" / "junit")
    assert env["VENAFI_TOKEN"] == "cnry-1" and "cnry-1" not in output + json.dumps(given["words"])


def test_it_runs_the_collection_that_it_is_part_of(stage, tmp_path):
    installed = tmp_path / "collections" / "ansible_collections" / "certops" / "remediation" / "extensions" / "ci" / "pipeline.py"
    installed.parent.mkdir(parents=True)
    installed.write_bytes(PIPELINE.read_bytes())
    env = {"PATH": str(tmp_path / "bin"), "CERTOPS_FLOW": "unstick_certificates", "TEST_RECORD": json.dumps(record()), "ANSIBLE_COLLECTIONS_PATH": "/other"}
    assert subprocess.run([sys.executable, installed, "plan"], cwd=stage.workspace, env=env, capture_output=True, check=False).returncode == 0
    given = json.loads((stage.workspace / "given.json").read_text())
    assert given["env"]["ANSIBLE_COLLECTIONS_PATH"] == f"{tmp_path / 'collections'}:/other"
