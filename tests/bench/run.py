# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure tpp_certificate_reset beside the ways in which people do it otherwise, as whole processes, against a simulator with latency.

Machines differ and are noisy: what counts are the ratios within one run. `make bench` runs this; the results are told in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

ROOT = Path(__file__).parents[2]
TREE = ROOT / ".cache" / "tree"
SCRIPT = Path(__file__).with_name("bare_script.py")
RESET = "certops.remediation.tpp_certificate_reset"


@dataclass(frozen=True)
class Measured:
    """One finished process: wall seconds, peak memory of its largest process in MiB, and the requests that the simulator saw."""

    seconds: float
    mebibytes: float
    requests: int


class Bench:
    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        self.folder = folder
        self.latency_ms = latency_ms
        self.workers = workers
        self.ready = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = self.ready["ca_path"]
        self.session.headers["Authorization"] = f"Bearer {self.ready['tpp']['access_token']}"

    def begin(self, count: int) -> list[dict[str, str]]:
        """A server on which ``count`` certificates are stuck; their entries."""
        stuck = {"name": "web-{n:05}.shop.example.com", "folder": "Retail\\Web", "count": count, "in_error": True, "stage": 500, "status": "Post CSR failed"}
        settings = {"latency_ms": 0}
        self.control("reset", {"scenario": {"tpp": {"certificates": [stuck]}}, "settings": settings})
        entries: list[dict[str, str]] = []
        while len(entries) < count:
            url = f"{self.ready['url']}/vedsdk/certificates/?Limit=1000&Offset={len(entries)}"
            entries += self.session.get(url, timeout=60).json()["Certificates"]
        self.control("settings", {"latency_ms": self.latency_ms})
        self.session.delete(f"{self.ready['control_url']}journal", timeout=60).raise_for_status()
        return entries

    def control(self, what: str, body: dict[str, object]) -> None:
        self.session.post(f"{self.ready['control_url']}{what}", json=body, timeout=120).raise_for_status()

    def run(self, command: list[str]) -> Measured:
        """Run one command to its end. Its exit code must be 0 and every certificate must have been reset once."""
        env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(TREE),
            "PYTHONPATH": str(TREE),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "VENAFI_URL": self.ready["url"],
            "VENAFI_TOKEN": self.ready["tpp"]["access_token"],
            "VENAFI_CA_PATH": self.ready["ca_path"],
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

    # -- what is compared ----------------------------------------------------------------------------------------

    def module(self, count: int, by: str = "DN", **options: object) -> Measured:
        targets = [entry[by] for entry in self.begin(count)]
        return self.playbook([{RESET: {"certificates": targets, "concurrency": self.workers, **options}}])

    def module_alone(self, count: int) -> Measured:
        """The module's process without ansible-playbook around it."""
        arguments = {"certificates": [entry["DN"] for entry in self.begin(count)], "concurrency": self.workers}
        path = self.folder / "arguments.json"
        path.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}), encoding="utf-8")
        return self.run([sys.executable, "-m", "ansible_collections.certops.remediation.plugins.modules.tpp_certificate_reset", str(path)])

    def bare_script(self, count: int) -> Measured:
        """The same requests with the same pool, and nothing else: no checks, no results."""
        path = self.folder / "targets.json"
        path.write_text(json.dumps([entry["DN"] for entry in self.begin(count)]), encoding="utf-8")
        return self.run([sys.executable, str(SCRIPT), str(path), str(self.workers)])

    def nothing(self, dummy: int = 0) -> Measured:
        return self.playbook([{"ansible.builtin.debug": {"msg": "nothing"}}])

    def uri_post(self, count: int) -> Measured:
        """A loop that posts blindly."""
        return self.playbook([_uri("Certificates/Reset", [entry["DN"] for entry in self.begin(count)], {"CertificateDN": "{{ item }}"})])

    def uri_check(self, count: int) -> Measured:
        """Loops that look the object up, read it, and reset it if it is in error."""
        dns = [entry["DN"] for entry in self.begin(count)]
        found = _uri("Config/DnToGuid", dns, {"ObjectDN": "{{ item }}"}, register="found")
        read = _uri("certificates/{{ item.json.GUID | urlencode }}", "{{ found.results }}", register="read")
        reset = _uri("Certificates/Reset", "{{ read.results }}", {"CertificateDN": "{{ item.json.DN }}"})
        return self.playbook([found, read, {**reset, "when": "item.json.ProcessingDetails.InError | default(false)"}])


def _uri(path: str, loop: object, body: dict[str, str] | None = None, register: str = "answers") -> dict[str, object]:
    options: dict[str, object] = {
        "url": f"{{{{ lookup('ansible.builtin.env', 'VENAFI_URL') }}}}/vedsdk/{path}",
        "ca_path": "{{ lookup('ansible.builtin.env', 'VENAFI_CA_PATH') }}",
        "headers": {"Authorization": "Bearer {{ lookup('ansible.builtin.env', 'VENAFI_TOKEN') }}"},
    }
    if body is not None:
        options |= {"method": "POST", "body_format": "json", "body": body}
    return {"ansible.builtin.uri": options, "loop": loop, "loop_control": {"label": "one"}, "register": register}


def median(work: Callable[[int], Measured], count: int, rounds: int) -> Measured:
    results = [work(count) for dummy in range(rounds)]
    return Measured(
        statistics.median(result.seconds for result in results),
        statistics.median(result.mebibytes for result in results),
        results[0].requests,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificates", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=30, help="certificates in the loops of ansible.builtin.uri, whose time is then multiplied")
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="certops-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "tests.simulator", "--ready-file", str(folder / "ready.json"), "--scenario", "empty"]
        simulator = subprocess.Popen(command, cwd=ROOT)
        try:
            while not (folder / "ready.json").exists():
                if simulator.poll() is not None:
                    raise SystemExit("the simulator did not start")
                time.sleep(0.1)
            figures = measure(Bench(folder, arguments.latency_ms, arguments.workers), arguments)
        finally:
            simulator.terminate()
            simulator.wait()
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measure(bench: Bench, arguments: argparse.Namespace) -> dict[str, float]:
    count, sample, rounds = arguments.certificates, arguments.sample, arguments.rounds
    start = median(bench.nothing, 0, rounds).seconds

    def whole(measured: Measured) -> float:
        """What the sample's loop would take for all certificates."""
        return start + (measured.seconds - start) / sample * count

    rows = {
        "module, by DN": median(bench.module, count, rounds),
        "module, by GUID": median(lambda number: bench.module(number, "Guid"), count, rounds),
        "module, read_details=false": median(lambda number: bench.module(number, read_details=False, revoked="reset"), count, rounds),
        "module's process alone, by DN": median(bench.module_alone, count, rounds),
        "bare script, same requests": median(bench.bare_script, count, rounds),
    }
    print(f"{count} certificates in error, {arguments.latency_ms} ms latency, {arguments.workers} workers, median of {rounds}; empty playbook {start:.1f} s")
    for name, row in rows.items():
        print(f"{name:32} {row.seconds:8.1f} s {row.requests / count:6.2f} requests per certificate {row.mebibytes:6.0f} MiB")
    ours, script = rows["module, by DN"].seconds, rows["bare script, same requests"].seconds
    posts, checks = whole(median(bench.uri_post, sample, rounds)), whole(median(bench.uri_check, sample, rounds))
    print(f"{'uri loop that posts':32} {posts:8.1f} s (from a sample of {sample})")
    print(f"{'uri loops that read and check':32} {checks:8.1f} s (from a sample of {sample})")
    ten = bench.module(count * 10)
    print(f"{'module, ten times as many, by DN':32} {ten.seconds:8.1f} s {ten.requests / count / 10:6.2f} requests per certificate {ten.mebibytes:6.0f} MiB")
    ratios = {
        "times the uri loop that posts": posts / ours,
        "times the uri loops that read and check": checks / ours,
        "of the bare script's speed, with ansible-playbook": script / ours,
        "of the bare script's speed, module's process alone": script / rows["module's process alone, by DN"].seconds,
        "times the time for ten times as many": ten.seconds / ours,
        "times the memory for ten times as many": ten.mebibytes / rows["module, by DN"].mebibytes,
    }
    for name, ratio in ratios.items():
        print(f"{ratio:8.2f} {name}")
    return ratios


if __name__ == "__main__":
    main()
