# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tpp_certificate_reset beside the ways in which people do it otherwise."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from measuring import Bench, Measured, median

SCRIPT = Path(__file__).with_name("bare_script.py")
RESET = "certops.remediation.tpp_certificate_reset"


class TppBench(Bench):
    """A server on which certificates are stuck."""

    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        super().__init__(folder, latency_ms, workers)
        token = self.ready["tpp"]["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.environment = {"VENAFI_URL": self.ready["url"], "VENAFI_TOKEN": token, "VENAFI_CA_PATH": self.ready["ca_path"]}

    def begin(self, count: int) -> list[dict[str, str]]:
        """``count`` stuck certificates; their entries."""
        stuck = {"name": "web-{n:05}.shop.example.com", "folder": "Retail\\Web", "count": count, "in_error": True, "stage": 500, "status": "Post CSR failed"}
        self.hold({"tpp": {"certificates": [stuck]}})
        entries: list[dict[str, str]] = []
        while len(entries) < count:
            url = f"{self.ready['url']}/vedsdk/certificates/?Limit=1000&Offset={len(entries)}"
            entries += self.session.get(url, timeout=60).json()["Certificates"]
        self.ready_to_run()
        return entries

    def module(self, count: int, by: str = "DN", **options: object) -> Measured:
        targets = [entry[by] for entry in self.begin(count)]
        return self.playbook([{RESET: {"certificates": targets, "concurrency": self.workers, **options}}])

    def alone(self, count: int) -> Measured:
        return self.module_alone("tpp_certificate_reset", {"certificates": [entry["DN"] for entry in self.begin(count)], "concurrency": self.workers})

    def bare_script(self, count: int) -> Measured:
        """The same requests with the same pool, and nothing else: no checks, no results."""
        path = self.folder / "targets.json"
        path.write_text(json.dumps([entry["DN"] for entry in self.begin(count)]), encoding="utf-8")
        return self.run([sys.executable, str(SCRIPT), str(path), str(self.workers)])

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


def measure(bench: TppBench, arguments: argparse.Namespace) -> dict[str, float]:
    count, sample, rounds = arguments.certificates, arguments.sample, arguments.rounds
    start = median(bench.nothing, 0, rounds).seconds

    def whole(measured: Measured) -> float:
        """What the sample's loop would take for all certificates."""
        return start + (measured.seconds - start) / sample * count

    rows = {
        "module, by DN": median(bench.module, count, rounds),
        "module, by GUID": median(lambda number: bench.module(number, "Guid"), count, rounds),
        "module, read_details=false": median(lambda number: bench.module(number, read_details=False, revoked="reset"), count, rounds),
        "module's process alone, by DN": median(bench.alone, count, rounds),
        "bare script, same requests": median(bench.bare_script, count, rounds),
    }
    print(f"Venafi TPP: {count} certificates in error, {arguments.latency_ms} ms latency, {arguments.workers} workers, median of {rounds}")
    print(f"{'empty playbook':32} {start:8.1f} s")
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
