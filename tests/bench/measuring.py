# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks of all vendors share: a simulator with latency, and whole processes measured against it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

ROOT = Path(__file__).parents[2]
TREE = ROOT / ".cache" / "tree"


@dataclass(frozen=True)
class Measured:
    """One finished process: wall seconds, peak memory of its largest process in MiB, and the requests that the simulator saw."""

    seconds: float
    mebibytes: float
    requests: int


class Bench:
    """A simulator, and processes that run against it. A vendor's bench says what it holds and which variables reach it."""

    environment: Mapping[str, str] = {}

    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        self.folder = folder
        self.latency_ms = latency_ms
        self.workers = workers
        self.ready = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.ready["ca_path"]

    def hold(self, scenario: dict[str, object]) -> None:
        """Put the simulator into a state, without latency until ``ready_to_run``."""
        self.control("reset", {"scenario": scenario, "settings": {"latency_ms": 0}})

    def ready_to_run(self) -> None:
        """Latency from now on, and an empty journal."""
        self.control("settings", {"latency_ms": self.latency_ms})
        self.session.delete(f"{self.ready['control_url']}journal", timeout=60).raise_for_status()

    def control(self, what: str, body: dict[str, object]) -> None:
        self.session.post(f"{self.ready['control_url']}{what}", json=body, timeout=120).raise_for_status()

    def run(self, command: list[str]) -> Measured:
        """Run one command to its end. Its exit code must be 0."""
        env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(TREE),
            "PYTHONPATH": str(TREE),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            **self.environment,
        }
        # Compiled modules are kept, as on any user's machine.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        with open(self.folder / "output.log", "wb") as log:
            started = time.monotonic()
            process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
            dummy, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[0]} failed:\n{(self.folder / 'output.log').read_text(encoding='utf-8')[-3000:]}")
        entries = self.session.get(f"{self.ready['control_url']}journal", timeout=120).json()
        return Measured(seconds, usage.ru_maxrss / 1024, len(entries))

    def playbook(self, tasks: list[dict[str, object]]) -> Measured:
        path = self.folder / "play.yml"
        path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        return self.run([str(Path(sys.executable).with_name("ansible-playbook")), str(path)])

    def module_alone(self, name: str, arguments: dict[str, object]) -> Measured:
        """A module's process without ansible-playbook around it."""
        path = self.folder / "arguments.json"
        path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), encoding="utf-8")
        return self.run([sys.executable, "-m", f"ansible_collections.certops.remediation.plugins.modules.{name}", str(path)])

    def nothing(self, dummy: int = 0) -> Measured:
        return self.playbook([{"ansible.builtin.debug": {"msg": "nothing"}}])


def median(work: Callable[[int], Measured], count: int, rounds: int) -> Measured:
    results = [work(count) for dummy in range(rounds)]
    return Measured(
        statistics.median(result.seconds for result in results),
        statistics.median(result.mebibytes for result in results),
        results[0].requests,
    )
