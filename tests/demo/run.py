# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The morning after an outage, on the simulator: 200 certificates are stuck, and ansible-playbook gets them going again.

What is claimed at the end is counted in the simulator's journal; the exit code is 1 if any of it is not so.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

from processes import end_families  # noqa: E402 (needs the path above)

DIRECTORY = ROOT / ".cache" / "demo"
FOLDER = r"\VED\Policy\Certificates"
# One second of the demonstration is five of the story.
CLOCK_SCALE = 5
STUCK, REVOKED, FAIL_AGAIN, NEED_APPROVAL = 200, 4, 12, 8
# What nobody has mended by the time of the second run.
NOT_MENDED = ["allowed domains", "invalid_key", "required by the policy", "permission denied"]
START_SECONDS = 60
WIDTH = 100


class Unexpected(Exception):
    """The demonstration did not show what it was to show."""


class Stage:
    """The simulator and the playbooks that run against it."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[Any]] = []
        self.ready: dict[str, Any] = {}
        self.environment: dict[str, str] = {}
        self.checks = 0

    def start_simulator(self) -> None:
        ready = DIRECTORY / "ready.json"
        with open(DIRECTORY / "simulator.log", "wb") as log:
            command = [sys.executable, "-m", "tests.simulator", "--ready-file", str(ready), "--scenario", "ca_outage"]
            # A session of its own: a Ctrl-C comes here first, and what goes down when is decided here.
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.running.append(process)
        deadline = time.monotonic() + START_SECONDS
        while not ready.is_file():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unexpected(f"the simulator did not start; see {log.name}")
            time.sleep(0.1)
        self.ready = json.loads(ready.read_text(encoding="utf-8"))
        self.environment = _environment(self.ready)
        self.control("settings", {"clock_scale": CLOCK_SCALE})

    def control(self, what: str, data: Mapping[str, Any] | None = None) -> Any:
        """A call to the simulator's control API: with data a POST, else a GET."""
        context = ssl.create_default_context(cafile=self.ready["ca_path"])
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        body = None if data is None else json.dumps(data).encode()
        with opener.open(self.ready["control_url"].rstrip("/") + "/" + what, body, timeout=30) as answer:
            return json.load(answer)

    def play(self, *command: str) -> str:
        """Show a command as a user would type it, run it, and return what it printed."""
        print(f"$ {_typed(command)}\n", flush=True)
        program = Path(sys.executable).with_name(command[0])
        process = subprocess.Popen(
            [str(program), *command[1:]],
            cwd=DIRECTORY, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        self.running.append(process)
        printed = []
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            print(line, end="", flush=True)
        self.expect(process.wait() == 0, f"{command[0]} ends with 0, not {process.returncode}")
        self.running.remove(process)
        return re.sub(r"\x1b\[[0-9;]*m", "", "".join(printed))

    def expect(self, true: bool, claim: str) -> None:
        self.checks += 1
        if not true:
            raise Unexpected(f"this was claimed and is not so: {claim}")

    def end(self) -> None:
        end_families(self.running)


def _environment(ready: Mapping[str, Any]) -> dict[str, str]:
    """Credentials as a user would export them, and settings that keep the output short. Nothing of the user's own Ansible settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VENAFI_", "VCERT_", "PYTHON"))}
    (DIRECTORY / "ansible.cfg").write_text("", encoding="utf-8")
    return {
        **kept,
        "VENAFI_URL": ready["tpp"]["url"],
        "VENAFI_TOKEN": ready["tpp"]["access_token"],
        "VENAFI_CA_PATH": ready["ca_path"],
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "ANSIBLE_CONFIG": str(DIRECTORY / "ansible.cfg"),
        "ANSIBLE_HOME": str(DIRECTORY / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOWS": "true",
        "ANSIBLE_FORCE_COLOR": "true" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else "false",
    }


def _typed(command: Sequence[str]) -> str:
    """The command over several lines, each option with its value."""
    lines: list[str] = []
    for word in command:
        if word == "-e" or not lines or (word.startswith("--") and lines[-1].startswith("-e")):
            lines.append(word)
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return " \\\n      ".join(lines)


def _say(title: str, *text: str) -> None:
    print(f"\n{f'── {title} ':─<{WIDTH}}")
    for line in text:
        print(line)
    print(flush=True)


def _flow(*options: str) -> list[str]:
    values = (f"unstick_certificates_folder={FOLDER}", "unstick_certificates_restart=true", *options)
    return ["ansible-playbook", "certops.remediation.unstick_certificates", *(word for value in values for word in ("-e", value))]


def _changed(printed: str) -> int:
    found = re.search(r"^localhost\s.*\bchanged=(\d+)", printed, re.MULTILINE)
    return int(found.group(1)) if found else -1


def show(stage: Stage) -> None:
    begun = time.monotonic()
    _say(
        "The story",
        "An issuing CA was down for a night and is up again. A simulated Venafi TPP holds 1,000 certificates, and the night",
        f"has left {STUCK} of them in error. VENAFI_URL, VENAFI_TOKEN and VENAFI_CA_PATH are exported; all that follows is real",
        f"ansible-playbook over HTTPS. The simulator's clock runs {CLOCK_SCALE} times as fast as yours.",
    )
    stage.start_simulator()

    _say("1 of 4: the situation", "How many are in error? TPP is asked, and one of them is shown.")
    question = json.dumps({"folder": FOLDER, "in_error": True, "limit": 1})
    stage.play("ansible", "localhost", "-m", "certops.remediation.tpp_certificate_info", "-a", question)
    stage.expect(stage.control("state")["tpp"]["in_error"] == STUCK, f"{STUCK} certificates are in error")

    _say("2 of 4: the plan", "The whole flow with --check --diff. It sends only requests that read, and gives the plan a digest to be approved.")
    stage.play(*_flow("unstick_certificates_report_path=plan", "unstick_certificates_report_formats=html,json"), "--check", "--diff")
    plan = json.loads((DIRECTORY / "plan.json").read_text(encoding="utf-8"))
    stage.expect(plan["counts"]["planned"] == STUCK - REVOKED, f"{STUCK - REVOKED} certificates are planned")
    stage.expect(not any(entry["mutates"] for entry in stage.control("journal")), "check mode sends no changing request")

    _say("3 of 4: the run", "Exactly the plan that was approved: a canary first, then waves; then everything is read again.")
    run = _flow(
        f"unstick_certificates_plan_digest={plan['plan_digest']}",
        "unstick_certificates_wait_interval=1",
        "unstick_certificates_journal_path=journal.jsonl",
    )
    stage.play(*run, "-e", "unstick_certificates_report_path=report", "-e", "unstick_certificates_report_formats=html,markdown,json")
    report = json.loads((DIRECTORY / "report.json").read_text(encoding="utf-8"))
    first = stage.control("journal")
    results = report["results"]
    stage.expect(results["renewed"] == STUCK - REVOKED - FAIL_AGAIN - NEED_APPROVAL, "all are renewed that can be")
    stage.expect((results["failed"], results["approval"], results["left"]) == (FAIL_AGAIN, NEED_APPROVAL, REVOKED), "the others are told apart")

    _say(
        "4 of 4: the second run",
        "What failed again is in error again, and a second run would try it again. Nobody has mended its causes yet, so it is",
        "left alone by its texts. Nothing else is left to do: changed=0.",
    )
    skip = json.dumps({"unstick_certificates_skip_status": NOT_MENDED})
    second = stage.play(*run, "-e", skip)
    stage.expect(_changed(second) == 0, "the second run reports changed=0")
    journal = stage.control("journal")
    stage.expect(not any(entry["mutates"] for entry in journal[len(first):]), "the second run sends no changing request")
    _summary(stage, report, journal, time.monotonic() - begun)


def _summary(stage: Stage, report: Mapping[str, Any], journal: Sequence[Mapping[str, Any]], seconds: float) -> None:
    resets = [entry for entry in journal if entry["mutates"]]
    effects = Counter(entry["target"].lower() for entry in resets if entry["effect"])
    stage.expect(set(effects.values()) == {1}, "no certificate is reset twice")
    stage.expect(len(effects) == STUCK - REVOKED, "every planned certificate is reset")
    stage.expect(not any("\\old-" in dn for dn in effects), "no revoked certificate is touched")
    results = report["results"]
    _say("What you have seen", "Counted in the simulator's journal, not taken from the playbook's word:")
    for label, value in (
        ("certificates in error before", STUCK),
        ("renewed", results["renewed"]),
        ("failed again, with the cause and whose turn it is", results["failed"]),
        ("waiting for approval", results["approval"]),
        ("revoked, left alone", results["left"]),
        ("requests sent by both runs, the plan and the question before", len(journal)),
        ("of these, resets", len(resets)),
        ("refused because locked, and sent again", len(resets) - len(effects)),
        ("resets done per certificate", 1),
        ("changing requests in check mode and in the second run", 0),
        ("seconds", round(seconds)),
    ):
        print(f"{value:8,}  {label}")
    _keep("report.html", "report.md", "report.json", "plan.html", "journal.jsonl")
    print(f"\nAll {stage.checks} claims of this demonstration were checked and hold.", flush=True)


def _keep(*names: str) -> None:
    print("\nLook at these:")
    for name in names:
        file = DIRECTORY / name
        if not file.is_file():
            raise Unexpected(f"{name} was not written")
        print(f"  {os.path.relpath(file)}")


def _leave(number: int, dummy: object) -> None:
    # Once is enough: a second signal must not keep the processes from being ended.
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> int:
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, _leave)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    stage = Stage()
    try:
        show(stage)
    except Unexpected as problem:
        print(f"\nThe demonstration went wrong: {problem}", file=sys.stderr)
        return 1
    finally:
        stage.end()
        # It holds credentials of the simulator that has just ended.
        (DIRECTORY / "ready.json").unlink(missing_ok=True)
        shutil.rmtree(DIRECTORY / "ready.d", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
