# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudflare_client_cert inside the published rate window, which runs ``SCALE`` times as fast as in reality."""

from __future__ import annotations

import argparse
from pathlib import Path

from measuring import Bench, Measured

MODULE = "certops.remediation.cloudflare_client_cert"
SCALE = 20
LIMIT, SECONDS = 1200, 300.0


class CloudflareBench(Bench):
    """A zone whose client certificates all have to be revoked."""

    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        super().__init__(folder, latency_ms, workers)
        ready = self.ready["cloudflare"]
        names = {"CLOUDFLARE_BASE_URL": "url", "CLOUDFLARE_API_TOKEN": "api_token", "CLOUDFLARE_ZONE_ID": "zone_id"}
        self.environment = {**{variable: ready[name] for variable, name in names.items()}, "CLOUDFLARE_CA_PATH": self.ready["ca_path"]}

    def revoke(self, count: int) -> Measured:
        """Revoke ``count`` certificates by their ids in one task."""
        name = "{n:08}-0000-4000-8000-000000000000"
        ids = [name.format(n=number) for number in range(1, count + 1)]
        devices = {"cn": "device-{n}.example.com", "id": name, "key": "shared", "count": count}
        zone = self.ready["cloudflare"]["zone_name"]
        # The seconds in the header of the window are the simulator's, which are shorter than ours here.
        settings = {"quota": count, "address_rate_limit": 0, "ratelimit_headers": "none"}
        self.hold({"cloudflare": {"settings": settings, "zones": [{"name": zone, "certificates": [devices]}]}})
        self.control("settings", {"clock_scale": SCALE})
        self.ready_to_run()
        limits = [{"requests": LIMIT, "seconds": SECONDS / SCALE}]
        return self.playbook([{MODULE: {"certificates": ids, "state": "revoked", "concurrency": self.workers, "rate_limits": limits}}])


def measure(bench: CloudflareBench, arguments: argparse.Namespace) -> dict[str, float]:
    ratios: dict[str, float] = {}
    for count in (arguments.certificates, 3 * arguments.certificates):
        row = bench.revoke(count)
        entries = bench.session.get(f"{bench.ready['control_url']}journal", timeout=120).json()
        pages = sum(entry["method"] == "GET" for entry in entries)
        ratios |= {
            f"Cloudflare: requests per certificate without the {pages} list pages, {count} certificates": (row.requests - pages) / count,
            f"Cloudflare: refused for too many requests, {count} certificates": float(sum(entry["status"] == 429 for entry in entries)),
        }
        print(f"Cloudflare: {count} certificates to revoke, {arguments.workers} workers, rate window {SCALE} times as fast: {row.seconds:.1f} s")
    for name, ratio in ratios.items():
        print(f"{ratio:8.3f} {name}")
    return ratios
