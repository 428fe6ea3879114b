# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an authority's list to chains on the disk, inside the published rate windows, which run ``SCALE`` times as fast as in reality."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from measuring import Bench, Measured
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

INFO = "certops.remediation.digicert_order_info"
REISSUE = "certops.remediation.digicert_order_reissue"
# Faster, and a busy machine would be what is measured.
SCALE = 5
WINDOWS = [(1000, 180.0), (100, 5.0)]
PAGE = 1000
# The role is bound by the same rate; its requests per order are what matters.
MOST_FOR_ROLE = 300


class DigiCertBench(Bench):
    """An account whose orders all have to be reissued, and are issued at once."""

    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        super().__init__(folder, latency_ms, workers)
        ready = self.ready["digicert"]
        self.environment = {"DIGICERT_URL": ready["url"], "DIGICERT_API_KEY": ready["api_key"], "DIGICERT_CA_PATH": self.ready["ca_path"]}
        self.session.headers["X-DC-DEVKEY"] = ready["api_key"]
        self.incident = folder / "incident"

    def begin(self, count: int) -> list[dict[str, Any]]:
        """The authority's list, as ``affected.csv`` as well."""
        orders = {"common_name": "www{n}.shop.example.com", "count": count, "approval": False}
        self.hold({"digicert": {"settings": {"rate_limits": []}, "orders": [orders]}})
        listed: list[dict[str, Any]] = []
        while len(listed) < count:
            url = f"{self.ready['digicert']['url']}/services/v2/order/certificate?limit={PAGE}&offset={len(listed)}"
            listed += self.session.get(url, timeout=120).json()["orders"]
        with open(self.folder / "affected.csv", "w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(["Common Name", "Serial Number"])
            writer.writerows([order["certificate"]["common_name"], order["certificate"]["serial_number"].lower()] for order in listed)
        shutil.rmtree(self.incident, ignore_errors=True)
        self.control("settings", {"clock_scale": SCALE, "digicert": {"rate_limits": limits()}})
        self.ready_to_run()
        return listed

    def tasks(self, count: int) -> Measured:
        """Two tasks: find the orders of the list, and reissue them for CSRs that are there already."""
        listed = self.begin(count)
        self.incident.mkdir()
        with open(self.folder / "affected.csv", encoding="utf-8-sig", newline="") as file:
            serials = [row["Serial Number"] for row in csv.DictReader(file, delimiter=";")]
        for order in listed:
            (self.incident / f"{order['id']}.csr").write_text(_csr(), encoding="ascii")
        # The second task cannot know what the first has sent: the pages of the order list.
        own = [{**limit, "requests": limit["requests"] - count // PAGE - 1} for limit in limits(SCALE)]
        common = {"concurrency": self.workers}
        orders = (
            "{% for order in found.orders %}{% set base = folder ~ '/' ~ order.order_id %}"
            "{% set entry = {'order_id': order.order_id, 'csr_path': base ~ '.csr', 'fullchain_path': base ~ '.pem'} %}"
            "{{ '[' if loop.first else ',' }}{{ entry | to_json }}{{ ']' if loop.last }}{% endfor %}"
        )
        reissue = {"orders": "{{ entries | from_json }}", "skip_approval": True, "check_client_auth": False, "rate_limits": own, **common}
        done = self.playbook([
            {INFO: {"certificates": serials, "rate_limits": limits(SCALE), **common}, "register": "found"},
            {REISSUE: reissue, "vars": {"entries": orders, "folder": str(self.incident)}},
        ])
        chains = sum(path.read_text(encoding="ascii").count("BEGIN CERTIFICATE") > 1 for path in self.incident.glob("*.pem"))
        if chains != count:
            raise SystemExit(f"{chains} of {count} chains were written")
        return done

    def role(self, *more: str) -> Measured:
        """The whole role, with the keys; what lies in the folder of the incident stays."""
        options = {
            "reissue_orders_list_path": "affected.csv",
            "reissue_orders_folder": str(self.incident),
            "reissue_orders_key_type": "ecdsa-p256",
            "reissue_orders_rate_limits": limits(SCALE),
            "reissue_orders_concurrency": self.workers,
            "reissue_orders_report_path": "report",
            "reissue_orders_report_formats": "json",
        }
        self.ready_to_run()
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        return self.run([program, "certops.remediation.reissue_orders", "-e", json.dumps(options), *more])

    def budget_used(self) -> tuple[float, int]:
        """The part of what the windows let through from the first to the last request for an order, and how many requests were refused.

        The pages of the order list come before, with the start of a task of Ansible in between.
        """
        entries = [entry for entry in self.session.get(f"{self.ready['control_url']}journal", timeout=120).json() if entry.get("method")]
        times = [entry["time"] for entry in entries if entry["target"]]
        budget = min(requests * max(1.0, (times[-1] - times[0]) / window) for requests, window in WINDOWS)
        return min(1.0, len(times) / budget), sum(entry["status"] == 429 for entry in entries)


def limits(scale: float = 1) -> list[dict[str, float]]:
    return [{"requests": requests, "seconds": seconds / scale} for requests, seconds in WINDOWS]


def _csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")


def measure(bench: DigiCertBench, arguments: argparse.Namespace) -> dict[str, float]:
    figures: dict[str, float] = {}

    def take(name: str, count: int, row: Measured) -> None:
        used, refused = bench.budget_used()
        print(f"DigiCert CertCentral: {count} orders, {name}: {row.seconds:.1f} s with rate windows {SCALE} times as fast")
        measured = {"requests per order": row.requests / count, "of the rate budget used": used, "refused for too many requests": float(refused)}
        for what, figure in measured.items():
            # As long as the first window is not used up, there is nothing to be used.
            if what != "of the rate budget used" or row.requests > WINDOWS[0][0]:
                figures[f"DigiCert: {name}: {what}"] = figure
                print(f"{figure:8.3f} {what}")

    take("two tasks, from the list to the chain", arguments.certificates, bench.tasks(arguments.certificates))
    count = min(MOST_FOR_ROLE, arguments.certificates)
    bench.begin(count)
    take("role, check", count, bench.role("--check"))
    plan = json.loads((bench.folder / "report.json").read_text(encoding="utf-8"))
    approved = ("-e", f"reissue_orders_plan_digest={plan['plan_digest']}")
    take("role, run of the approved plan", count, bench.role(*approved))
    take("role, second run", count, bench.role(*approved))
    return figures
