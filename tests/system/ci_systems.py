# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GitLab CI, GitHub Actions, Azure Pipelines and Jenkins do with the pipeline templates, as far as these use them.

Each job gets a fresh workspace with the project in it, the variables that the system would set, and its commands in the shell that the system would
use. Artifacts and outputs go from job to job as the system hands them on. Whatever a template uses and is not known here is an error.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import glob
import pathlib
import re
import shutil
import subprocess
import threading
import typing as t

import yaml

BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


@dataclasses.dataclass
class Outcome:
    """How a job ended."""

    status: int
    output: str
    workspace: pathlib.Path
    # What the system has kept of it: files that people can load down.
    artifacts: pathlib.Path
    summary: str = ""


class System:
    """A CI system with one template.

    :param machine: the environment of the machine that runs the jobs.
    :param variables: those that the users have set, by environment of the system.
    :param secrets: the same, of what is secret.
    """

    def __init__(
        self, template: pathlib.Path, project: pathlib.Path, folder: pathlib.Path, *,
        machine: t.Mapping[str, str], variables: t.Mapping[str, str], secrets: t.Mapping[str, str], parameters: t.Mapping[str, str],
    ) -> None:
        self.text = template.read_text(encoding="utf-8")
        self.has_summary = False
        self.project, self.folder = project, folder
        self.machine, self.variables, self.secrets, self.parameters = dict(machine), dict(variables), dict(secrets), dict(parameters)
        # Set by a test, over what a job before has handed on.
        self.forced: dict[str, str] = {}
        self.commands: set[str] = set()
        self.runs = 0

    def typed(self, name: str, default: str) -> str:
        """What a person has typed into the form that starts the pipeline; some systems have short names there."""
        return self.parameters.get({"fail_on": "CERTOPS_PLAN_FAIL_ON"}.get(name, f"CERTOPS_{name.upper()}"), default)

    def begin(self, job: str, *, checkout: bool) -> Outcome:
        self.runs += 1
        place = self.folder / f"{self.runs}-{job}"
        outcome = Outcome(0, "", place / "workspace", place / "artifacts")
        outcome.artifacts.mkdir(parents=True)
        if checkout:
            self.check_out(outcome)
        else:
            outcome.workspace.mkdir()
        return outcome

    def check_out(self, outcome: Outcome) -> None:
        shutil.copytree(self.project, outcome.workspace, dirs_exist_ok=True)

    def shell(self, outcome: Outcome, script: str, env: t.Mapping[str, str], *shell: str) -> None:
        """Run it to the end, note what it prints, and every command line on this machine meanwhile."""
        path = outcome.workspace.parent / f"step-{len(outcome.output)}.sh"
        path.write_text(script, encoding="utf-8")
        with self.watching():
            done = subprocess.run(
                [*shell, str(path)], cwd=outcome.workspace, env={**self.machine, **env, **self.forced}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
            )
        outcome.output += done.stdout
        outcome.status = outcome.status or done.returncode

    @contextlib.contextmanager
    def watching(self) -> t.Iterator[None]:
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(0.05):
                for path in glob.glob("/proc/[0-9]*/cmdline"):
                    with contextlib.suppress(OSError):
                        self.commands.add(pathlib.Path(path).read_bytes().replace(b"\0", b" ").decode(errors="replace"))

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def run(self, stage: str) -> Outcome:
        raise NotImplementedError


def collect(outcome: Outcome, patterns: t.Iterable[str], *, below: str = "") -> None:
    """Keep the files of the workspace that match, by their place below a folder of it."""
    for pattern in patterns:
        base = outcome.workspace / below
        for path in [path for path in base.rglob("*") if path.is_file()]:
            name = path.relative_to(base).as_posix()
            if fnmatch.fnmatch(name, pattern) or name.startswith(pattern.rstrip("/") + "/"):
                target = outcome.artifacts / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)


class GitLab(System):
    """One shell for before_script and script; artifacts keep their place; a dotenv report becomes variables of the jobs that need its job."""

    KNOWN = {"extends", "stage", "image", "before_script", "script", "variables", "environment", "artifacts", "needs", "rules", "resource_group"}

    def __init__(self, *arguments: t.Any, **keywords: t.Any) -> None:
        super().__init__(*arguments, **keywords)
        self.template = yaml.safe_load(self.text)
        self.done: dict[str, Outcome] = {}
        self.dotenv: dict[str, dict[str, str]] = {}

    def run(self, stage: str) -> Outcome:
        name = f"certops-{stage}"
        job = {**self.template[self.template[name]["extends"]], **self.template[name]}
        assert set(job) <= self.KNOWN, set(job) - self.KNOWN
        outcome = self.begin(name, checkout=True)
        handed: dict[str, str] = {}
        for need in job.get("needs", []):
            assert need["artifacts"] is True
            shutil.copytree(self.done[need["job"]].artifacts, outcome.workspace, dirs_exist_ok=True)
            handed |= self.dotenv[need["job"]]
        # What people set in the settings of the project or type into a form wins over the file.
        env = {**self.template["variables"], **job["variables"], **self.variables, **self.secrets, **self.parameters, **handed}
        self.shell(outcome, "\n".join([*job["before_script"], *job["script"]]), {"CI": "true", "GITLAB_CI": "true", **env}, *BASH)
        assert job["artifacts"]["when"] == "always"
        collect(outcome, job["artifacts"]["paths"])
        for kind, pattern in job["artifacts"]["reports"].items():
            found = glob.glob(str(outcome.workspace / pattern))
            assert kind in ("junit", "terraform", "dotenv")
            if kind == "dotenv":
                self.dotenv[name] = dict(line.split("=", 1) for path in found for line in pathlib.Path(path).read_text().splitlines())
        self.dotenv.setdefault(name, {})
        self.done[name] = outcome
        return outcome


class GitHub(System):
    """Each step a shell of its own; a job gets from another what that one names as its outputs, and artifacts by name."""

    def __init__(self, *arguments: t.Any, **keywords: t.Any) -> None:
        super().__init__(*arguments, **keywords)
        self.template = yaml.safe_load(self.text)
        self.has_summary = True
        inputs = {name: self.typed(name, given["default"]) for name, given in self.template["on"]["workflow_dispatch"]["inputs"].items()}
        self.contexts: dict[str, t.Any] = {"inputs": inputs, "vars": self.variables, "secrets": self.secrets, "needs": {}}
        self.stored: dict[str, pathlib.Path] = {}

    def value(self, text: t.Any, steps: t.Mapping[str, t.Any]) -> str:
        return re.sub(r"\$\{\{ (.+?) \}\}", lambda found: self.expression(found.group(1), steps), str(text))

    def expression(self, text: str, steps: t.Mapping[str, t.Any]) -> str:
        for part in text.split(" || "):
            node: t.Any = {**self.contexts, "steps": steps}
            if part.startswith("'"):
                return part.strip("'")
            for name in part.split("."):
                node = node.get(name, "") if isinstance(node, dict) else ""
            if node:
                return str(node)
        return ""

    def holds(self, condition: str, steps: t.Mapping[str, t.Any]) -> bool:
        left, different, right = condition.partition(" != ")
        assert different, condition
        return self.expression(left, steps) != right.strip("'")

    def run(self, stage: str) -> Outcome:
        job = self.template["jobs"][stage]
        assert set(job) <= {"needs", "if", "runs-on", "environment", "outputs", "env", "steps"}
        outcome = self.begin(stage, checkout=False)
        steps: dict[str, t.Any] = {}
        if "if" in job:
            assert self.holds(job["if"], steps)
        summary = outcome.workspace.parent / "summary"
        for step in job["steps"]:
            if outcome.status and step.get("if") != "always()":
                continue
            if "uses" in step:
                self.action(outcome, step["uses"].partition("@")[0], step.get("with", {}))
                continue
            assert set(step) <= {"name", "id", "run", "env"}
            outputs = outcome.workspace.parent / "outputs"
            outputs.write_text("")
            env = {**self.template["env"], **job.get("env", {}), **step.get("env", {})}
            env = {name: self.value(value, steps) for name, value in env.items()}
            own = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)}
            self.shell(outcome, step["run"], {**own, **env}, *BASH)
            if "id" in step:
                steps[step["id"]] = {"outputs": dict(line.split("=", 1) for line in outputs.read_text().splitlines())}
        self.contexts["needs"][stage] = {"outputs": {name: self.value(value, steps) for name, value in job.get("outputs", {}).items()}}
        outcome.summary = summary.read_text() if summary.exists() else ""
        return outcome

    def action(self, outcome: Outcome, name: str, options: t.Mapping[str, str]) -> None:
        if name == "actions/checkout":
            self.check_out(outcome)
        elif name == "actions/upload-artifact":
            # One folder: its content is the artifact.
            collect(outcome, ["*"], below=options["path"])
            self.stored[options["name"]] = outcome.artifacts
        elif name == "actions/download-artifact":
            shutil.copytree(self.stored[options["name"]], outcome.workspace / options["path"], dirs_exist_ok=True)
        else:
            assert name == "actions/setup-python", name


class Azure(System):
    """Variables are in the environment, secret ones only where a step maps them; an output variable is named with its step and job."""

    def __init__(self, *arguments: t.Any, **keywords: t.Any) -> None:
        super().__init__(*arguments, **keywords)
        text = self.text
        for parameter in yaml.safe_load(text)["parameters"]:
            text = text.replace("${{ parameters.%s }}" % parameter["name"], self.typed(parameter["name"], parameter["default"]))
        self.template = yaml.safe_load(text)
        assert "${{" not in text
        self.has_summary = True
        self.outputs: dict[str, str] = {}
        self.stored: dict[str, pathlib.Path] = {}

    def run(self, stage: str) -> Outcome:
        found = next(entry for entry in self.template["stages"] if entry["stage"] == stage)
        job = found["jobs"][0]
        name = job.get("job") or job["deployment"]
        steps = job["steps"] if "job" in job else job["strategy"]["runOnce"]["deploy"]["steps"]
        outcome = self.begin(stage, checkout=False)
        if "condition" in found:
            said = re.fullmatch(r"and\(succeeded\(\), ne\(dependencies\.(\w+)\.outputs\['([\w.]+)'\], '(\w+)'\)\)", found["condition"])
            assert said and self.outputs[f"{said.group(1)}.{said.group(2)}"] != said.group(3)
        known = {**self.template["variables"], **self.variables}
        for entry in found["variables"]:
            if "group" not in entry:
                said = re.fullmatch(r"\$\[ stageDependencies\.(\w+)\.(\w+)\.outputs\['([\w.]+)'\] \]", entry["value"])
                assert said, entry
                known[entry["name"]] = self.outputs.get(".".join(said.groups()), "")
        # What a group does not have is no variable at all.
        macros = {**known, **{name: value for name, value in self.secrets.items() if value}}
        for step in steps:
            if outcome.status and step.get("condition") != "always()":
                continue
            if "bash" in step:
                mapped = step.get("env", {}).items()
                env = {key: re.sub(r"\$\((\w+)\)", lambda found: macros.get(found.group(1), found.group(0)), value) for key, value in mapped}
                before = len(outcome.output)
                # No pipefail and no -e: that is what the system does.
                self.shell(outcome, step["bash"], {"TF_BUILD": "True", **known, **env}, "bash", "--noprofile", "--norc")
                self.obey(outcome, outcome.output[before:], f"{stage}.{name}.{step.get('name')}")
            elif "publish" in step:
                collect(outcome, ["*"], below=step["publish"])
                self.stored[step["artifact"]] = outcome.artifacts
            elif "checkout" in step:
                self.check_out(outcome)
            elif step["task"] == "DownloadPipelineArtifact@2":
                shutil.copytree(self.stored[step["inputs"]["artifactName"]], outcome.workspace / step["inputs"]["targetPath"], dirs_exist_ok=True)
            elif step["task"] == "PublishTestResults@2":
                assert outcome.status or glob.glob(str(outcome.workspace / step["inputs"]["testResultsFiles"]))
            else:
                assert step["task"] == "UsePythonVersion@0", step
        return outcome

    def obey(self, outcome: Outcome, output: str, step: str) -> None:
        """Logging commands count wherever they stand in a line."""
        for command, value in re.findall(r"##vso\[(.+?)\](.*)", output):
            if command == "task.uploadsummary":
                outcome.summary += pathlib.Path(value).read_text()
            else:
                said = re.fullmatch(r"task\.setvariable variable=(\w+);isOutput=true", command)
                assert said, command
                self.outputs[f"{step}.{said.group(1)}"] = value


class Jenkins(System):
    """The part of the declarative language that the template uses, each step in the order in which it stands."""

    STEP = re.compile(
        r"\s*(?:sh '''(?P<sh>.*?)'''|(?P<clean>deleteDir\(\))|(?P<checkout>checkout scm)|stash name: '(?P<stash>.*?)', includes: '(?P<includes>.*?)'"
        r"|unstash '(?P<unstash>.*?)'|script \{\s*env\.(?P<set>\w+) = readFile\('(?P<file>.*?)'\)\.trim\(\)\s*\}"
        r"|junit testResults: '(?P<junit>.*?)', allowEmptyResults: true|archiveArtifacts artifacts: '(?P<archive>.*?)', allowEmptyArchive: true)\s*",
        re.DOTALL,
    )

    def __init__(self, *arguments: t.Any, **keywords: t.Any) -> None:
        super().__init__(*arguments, **keywords)
        text = re.sub(r"^\s*//.*$", "", self.text, flags=re.MULTILINE)
        defaults = dict(re.findall(r"string\(name: '(\w+)', defaultValue: '(.*?)'", text))
        own = dict(re.findall(r"(\w+) = '(.*?)'", self.block(text, "environment")))
        self.env = {**own, **defaults, **self.variables, **self.parameters}
        self.stages = dict(re.findall(r"stage\('(\w+)'\) \{(.*?)\n        \}", text, re.DOTALL))
        self.stashed: dict[str, pathlib.Path] = {}

    @staticmethod
    def block(text: str, name: str) -> str:
        """What is between the braces after a name."""
        start = text.index(f"{name} {{") + len(name) + 2
        depth, place = 1, start
        while depth:
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            place += 1
        return text[start : place - 1]

    def run(self, stage: str) -> Outcome:
        body = self.stages[stage]
        outcome = self.begin(stage, checkout=False)
        bound = dict(re.findall(r"(\w+) = credentials\('([\w-]+)'\)", self.block(body, "environment")))
        secrets = {name: self.secrets[name] for name, dummy in bound.items()}
        self.steps(outcome, self.block(body, "steps"), {**self.env, **secrets})
        self.steps(outcome, self.block(self.block(body, "post"), "always"), {}, even_after_failure=True)
        return outcome

    def steps(self, outcome: Outcome, text: str, env: t.Mapping[str, str], *, even_after_failure: bool = False) -> None:
        place = 0
        while place < len(text.rstrip()):
            step = self.STEP.match(text, place)
            assert step, text[place:]
            place = step.end()
            if outcome.status and not even_after_failure:
                return
            if step["sh"]:
                # Jenkins calls sh -xe.
                self.shell(outcome, step["sh"], {"CI": "true", "JENKINS_URL": "http://127.0.0.1/", **env}, "sh", "-xe")
            elif step["checkout"]:
                self.check_out(outcome)
            elif step["stash"]:
                kept = outcome.workspace.parent / "stash"
                self.stashed[step["stash"]] = kept
                for path in [path for path in outcome.workspace.rglob("*") if path.is_file()]:
                    name = path.relative_to(outcome.workspace).as_posix()
                    if fnmatch.fnmatch(name, step["includes"]):
                        (kept / name).parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy2(path, kept / name)
            elif step["unstash"]:
                shutil.copytree(self.stashed[step["unstash"]], outcome.workspace, dirs_exist_ok=True)
            elif step["set"]:
                self.env[step["set"]] = (outcome.workspace / step["file"]).read_text().strip()
            elif step["archive"]:
                collect(outcome, [step["archive"]])
            elif step["junit"]:
                assert outcome.status or glob.glob(str(outcome.workspace / step["junit"]))
            else:
                assert step["clean"]
                shutil.rmtree(outcome.workspace)
                outcome.workspace.mkdir()


SYSTEMS = {"gitlab-ci.yml": GitLab, "github-workflow.yml": GitHub, "azure-pipelines.yml": Azure, "Jenkinsfile": Jenkins}
