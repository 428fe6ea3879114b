# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage on which the flows are shown: the simulator, real ansible-playbook runs against it, and claims that are checked."""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tools")]

from processes import end_families  # noqa: E402 (needs the path above)

from tests.simulator.inside import environment  # noqa: E402 (likewise)

DIRECTORY = ROOT / ".cache" / "demo"
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

    def start_simulator(self, scenario: str) -> None:
        ready = DIRECTORY / "ready.json"
        with open(DIRECTORY / "simulator.log", "wb") as log:
            command = [sys.executable, "-m", "tests.simulator", "--ready-file", str(ready), "--scenario", scenario]
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

    def begin(self, scenario: str, clock_scale: int) -> None:
        """The simulator at the start of a story."""
        if self.ready:
            self.control("reset", {"scenario": scenario})
        else:
            self.start_simulator(scenario)
        self.control("settings", {"clock_scale": clock_scale})

    def control(self, what: str, data: Mapping[str, Any] | None = None, method: str | None = None) -> Any:
        """A call to the simulator's control API: with data a POST, else a GET."""
        return self._open(self.ready["control_url"].rstrip("/") + "/" + what, {}, None if data is None else json.dumps(data).encode(), method)

    def get(self, path: str, headers: Mapping[str, str]) -> Any:
        """What a vendor's API shows."""
        return self._open(self.ready["url"] + path, headers)

    def _open(self, url: str, headers: Mapping[str, str], body: bytes | None = None, method: str | None = None) -> Any:
        context = ssl.create_default_context(cafile=self.ready["ca_path"])
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        with opener.open(urllib.request.Request(url, body, dict(headers), method=method), timeout=30) as answer:
            return json.load(answer)

    def play(self, *command: str, status: int = 0) -> str:
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
        self.expect(process.wait() == status, f"{command[0]} ends with {status}, not {process.returncode}")
        self.running.remove(process)
        return re.sub(r"\x1b\[[0-9;]*m", "", "".join(printed))

    def expect(self, true: bool, claim: str) -> None:
        self.checks += 1
        if not true:
            raise Unexpected(f"this was claimed and is not so: {claim}")

    def end(self) -> None:
        end_families(self.running)


def _environment(ready: Mapping[str, Any]) -> dict[str, str]:
    """Credentials as a user would export them, and settings that keep the output short. Nothing else of the user's own."""
    (DIRECTORY / "ansible.cfg").write_text("", encoding="utf-8")
    return {
        **environment(ready, os.environ),
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


def say(title: str, *text: str) -> None:
    print(f"\n{f'── {title} ':─<{WIDTH}}")
    for line in text:
        print(line)
    print(flush=True)


def changed(printed: str) -> int:
    found = re.search(r"^localhost\s.*\bchanged=(\d+)", printed, re.MULTILINE)
    return int(found.group(1)) if found else -1


def keep(*names: str) -> None:
    print("\nLook at these:")
    for name in names:
        file = DIRECTORY / name
        if not file.is_file():
            raise Unexpected(f"{name} was not written")
        print(f"  {os.path.relpath(file)}")
