# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stage of a CI pipeline: run a flow, and leave what the next stage, the approver and the CI system need.

    pipeline.py plan|apply|verify [arguments for ansible-playbook]

``plan`` runs the flow with ``--check --diff``. ``apply`` runs it for good, and only with the digest of the saved plan. ``verify`` plans again, which must
find nothing left to change, and looks whether the journal of ``apply`` is whole. Needs ansible-core and nothing else. docs/pipelines.md describes the
variables, the files and the exit codes.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import typing as t

COLLECTION = "certops.remediation"
# The collection that this file is part of: .../ansible_collections/certops/remediation
HOME = pathlib.Path(__file__).absolute().parents[2]
STAGES = {
    "plan": "with --check --diff, nothing is changed",
    "apply": "exactly the plan with the digest in CERTOPS_PLAN_DIGEST",
    "verify": "with --check again: nothing may be left to change",
}
# What ends each stage as failed, where CERTOPS_<STAGE>_FAIL_ON does not say otherwise. A stop, and a guard that says no, always do.
FAIL_ON = {"plan": "failed,none", "apply": "failed", "verify": "drift,failed"}
DIGEST = re.compile("sha256:[0-9a-f]{64}")


class Refused(Exception):
    """Nothing was run; says what to do."""


class Settings:
    """What the variables of the pipeline say. One that is empty is not set."""

    def __init__(self, environment: t.Mapping[str, str], stage: str) -> None:
        self.environment = environment
        self.stage = stage
        self.flow = environment.get("CERTOPS_FLOW", "").rpartition(".")[2]
        if not re.fullmatch("[a-z][a-z0-9_]*", self.flow):
            raise Refused("CERTOPS_FLOW has to name a flow, such as unstick_certificates")
        self.options = environment.get("CERTOPS_OPTIONS", "")
        if self.options and not os.path.isfile(self.options):
            raise Refused(f"CERTOPS_OPTIONS names the file with the options of the flow, and {self.options} is none")
        self.results = pathlib.Path(environment.get("CERTOPS_RESULTS") or "certops-results").absolute()
        self.folder = self.results / stage
        self.fail_on = environment.get(f"CERTOPS_{stage.upper()}_FAIL_ON") or FAIL_ON[stage]

    def approved_digest(self) -> str:
        """The digest that was approved, which has to be that of the saved plan."""
        digest = self.environment.get("CERTOPS_PLAN_DIGEST", "")
        if not DIGEST.fullmatch(digest):
            raise Refused("CERTOPS_PLAN_DIGEST has to be the digest of the approved plan, sha256: and 64 digits. The plan stage hands it on")
        plan = read_record(self.results / "plan" / "report.json", self.flow)
        if not plan["check_mode"] or plan["plan_digest"] != digest:
            raise Refused(f"CERTOPS_PLAN_DIGEST is {digest}, and the saved plan is {plan['plan_digest']}. Run the plan stage again and have that approved")
        return digest


def read_record(path: pathlib.Path, flow: str) -> dict[str, t.Any]:
    """The record of a run, as its report in JSON has it."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] == f"{COLLECTION}/record/1" and record["flow"] == flow:
            return t.cast("dict[str, t.Any]", record)
        reason = f"it is of {record['flow']}" if record["flow"] != flow else f"it has the format {record['format']}"
    except FileNotFoundError:
        reason = "it is not there"
    except (ValueError, KeyError, TypeError):
        reason = "it is no report in JSON"
    raise Refused(f"{os.path.relpath(path)} has to be the report of {flow}, but {reason}")


def command_of(settings: Settings, arguments: t.Sequence[str]) -> list[str]:
    """The run of the flow. Credentials stay in the environment, so that the process list shows none."""
    program = shutil.which("ansible-playbook", path=settings.environment.get("PATH"))
    if not program:
        raise Refused("ansible-playbook is not on PATH. Install ansible-core before this")
    own = {
        "report_path": str(settings.folder / "report"),
        "report_formats": "html,markdown,json",
        "fail_on": settings.fail_on,
        # Whatever the options say: only the digest that the pipeline hands on counts.
        "plan_digest": settings.approved_digest() if settings.stage == "apply" else "",
    }
    return [
        program,
        f"{COLLECTION}.{settings.flow}",
        *([] if settings.stage == "apply" else ["--check", "--diff"]),
        *(["-e", f"@{settings.options}"] if settings.options else []),
        *arguments,
        "-e", json.dumps({f"{settings.flow}_{name}": value for name, value in own.items()}),
    ]


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment of the run."""
    # Azure Pipelines hands on a variable that is defined nowhere as its own name, and an unset secret must not be taken for one that is set.
    env = {name: value for name, value in settings.environment.items() if value != f"$({name})"}
    if HOME.parts[-3:] == ("ansible_collections", *COLLECTION.split(".")):
        paths = [str(HOME.parents[2]), *filter(None, env.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep))]
        env["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join(dict.fromkeys(paths))
    callbacks = [*filter(None, env.get("ANSIBLE_CALLBACKS_ENABLED", "").split(",")), "ansible.builtin.junit"]
    return {
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        **env,
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(dict.fromkeys(callbacks)),
        "JUNIT_HIDE_TASK_ARGUMENTS": "true",
        "JUNIT_OUTPUT_DIR": str(settings.folder / "junit"),
        "JUNIT_TASK_RELATIVE_PATH": os.getcwd(),
        "PYTHONUNBUFFERED": "1",
    }


def run(command: t.Sequence[str], env: t.Mapping[str, str]) -> int:
    """Run it and show what it prints, which has texts of the vendor in it: none of them is a command to the CI system."""
    print("$ " + " ".join(shlex.quote(word) for word in command), flush=True)
    token = secrets.token_hex(16) if env.get("GITHUB_ACTIONS") else ""
    if token:
        print(f"::stop-commands::{token}", flush=True)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, errors="replace", text=True) as process:
        # A job that is cancelled takes the run with it, which then ends at its own pace.
        signal.signal(signal.SIGTERM, lambda *dummy: process.terminate())
        for line in process.stdout or ():
            print(re.sub(r"##(?=(vso)?\[)", "# #", line, flags=re.IGNORECASE), end="", flush=True)
    if token:
        print(f"::{token}::", flush=True)
    return process.returncode


def changes(record: t.Mapping[str, t.Any]) -> dict[str, int]:
    """What is planned, in the terms of the report that GitLab shows in a merge request."""
    counts = collections.Counter({"create": 0, "update": 0, "delete": 0})
    for row in record["certificates"]:
        if row["planned"]:
            said = str(row.get("action") or row.get("change") or "")
            kinds = [kind for kind, verb in (("create", "create"), ("delete", "revoke")) if re.search(rf"\b{verb}\b", said)]
            counts.update(kinds or ["update"])
    return dict(counts)


def hand_on(settings: Settings, record: t.Mapping[str, t.Any], *, approvable: bool) -> None:
    """What the next stage and the approver need, in the way of each CI system.

    :param approvable: whether the plan may be applied; without that no digest is handed on.
    """
    values = {"CERTOPS_SELECTED": str(record["counts"]["selected"]), "CERTOPS_PLANNED": str(record["counts"]["planned"])}
    if approvable and DIGEST.fullmatch(record["plan_digest"]):
        values["CERTOPS_PLAN_DIGEST"] = record["plan_digest"]
    summary, env = settings.folder / "report.md", settings.environment
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    if settings.stage == "plan":
        (settings.folder / "plan.env").write_text(lines, encoding="utf-8")
        (settings.folder / "digest").write_text(values.get("CERTOPS_PLAN_DIGEST", "") + "\n", encoding="utf-8")
        (settings.folder / "gitlab.json").write_text(json.dumps(changes(record)), encoding="utf-8")
        if env.get("GITHUB_OUTPUT"):
            append(env["GITHUB_OUTPUT"], lines)
    if env.get("GITHUB_STEP_SUMMARY"):
        append(env["GITHUB_STEP_SUMMARY"], summary.read_text(encoding="utf-8") + "\n")
    if env.get("TF_BUILD"):
        print(f"##vso[task.uploadsummary]{summary}")
        for name, value in values.items():
            print(f"##vso[task.setvariable variable={name};isOutput=true]{value}")


def append(path: str, text: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def run_stage(settings: Settings, arguments: t.Sequence[str]) -> int:
    command = command_of(settings, arguments)
    # What an earlier run has left must not pass for the result of this one.
    shutil.rmtree(settings.folder, ignore_errors=True)
    (settings.folder / "junit").mkdir(parents=True)
    status = run(command, environment_of(settings))
    try:
        record = read_record(settings.folder / "report.json", settings.flow)
    except Refused as error:
        # A run that failed before it had anything to report has said why.
        if status:
            return status
        raise Refused(f"{settings.flow} ended well and left no record: {error}") from error
    hand_on(settings, record, approvable=status == 0)
    return status or (verify_journal(settings) if settings.stage == "verify" else 0)


def verify_journal(settings: Settings) -> int:
    """Whether the journal of the apply stage is still as it was written, where it came along and is not elsewhere by an option."""
    folder = settings.results / "apply"
    journal = folder / "report.journal.jsonl"
    if not journal.is_file():
        return 0
    # A program of its own, which is also what an auditor would run.
    program = HOME / "plugins" / "module_utils" / "journal_verify.py"
    head = read_record(folder / "report.json", settings.flow)["run"].get("journal_head")
    return run([sys.executable, str(program), str(journal), *(["--record", str(folder / "report.json")] if head else [])], settings.environment)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES, help="; ".join(f"{stage}: {meaning}" for stage, meaning in STAGES.items()))
    given, arguments = parser.parse_known_args()
    try:
        return run_stage(Settings(os.environ, given.stage), arguments)
    except Refused as error:
        print(f"certops: {error}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
