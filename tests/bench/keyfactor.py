# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keyfactor_certificate_revoke with native batches, beside a loop that revokes one id at a time."""

from __future__ import annotations

import argparse
from pathlib import Path

from measuring import Bench, Measured, median

REVOKE = "certops.remediation.keyfactor_certificate_revoke"


class KeyfactorBench(Bench):
    """A server with certificates that all have to be revoked."""

    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        super().__init__(folder, latency_ms, workers)
        ready = self.ready["keyfactor"]
        self.session.auth = (f"{ready['domain']}\\{ready['username']}", ready["password"])
        self.base = f"{ready['url']}/{ready['api_path']}"
        self.environment = {
            "KEYFACTOR_HOSTNAME": ready["url"],
            "KEYFACTOR_API_PATH": ready["api_path"],
            "KEYFACTOR_USERNAME": ready["username"],
            "KEYFACTOR_PASSWORD": ready["password"],
            "KEYFACTOR_DOMAIN": ready["domain"],
            "KEYFACTOR_CA_CERT": self.ready["ca_path"],
        }

    def begin(self, count: int) -> list[dict[str, object]]:
        """``count`` active certificates; their records."""
        self.hold({"keyfactor": {"certificates": [{"cn": "node-{n:05}.shop.example.com", "count": count, "key": "shared"}]}})
        records: list[dict[str, object]] = []
        while len(records) < count:
            query = f"pq.pageReturned={len(records) // 1000 + 1}&pq.returnLimit=1000"
            records += self.session.get(f"{self.base}/Certificates?{query}", timeout=120).json()
        self.ready_to_run()
        return records

    def module(self, count: int, targets: dict[str, object]) -> Measured:
        return self.playbook([{REVOKE: {"reason": "key_compromise", "concurrency": self.workers, **targets}}])

    def by_thumbprint(self, count: int) -> Measured:
        return self.module(count, {"certificates": [record["Thumbprint"] for record in self.begin(count)]})

    def by_id(self, count: int) -> Measured:
        return self.module(count, {"certificates": [record["Id"] for record in self.begin(count)]})

    def by_query(self, count: int) -> Measured:
        self.begin(count)
        return self.module(count, {"query": 'IssuedCN -contains "shop.example.com"', "query_limit": count})

    def uri_post(self, count: int) -> Measured:
        """A loop that revokes one id at a time and believes the status."""
        task: dict[str, object] = {
            "ansible.builtin.uri": {
                "url": f"{self.base}/Certificates/Revoke",
                "ca_path": self.ready["ca_path"],
                "url_username": f"{self.ready['keyfactor']['domain']}\\{self.ready['keyfactor']['username']}",
                "url_password": "{{ lookup('ansible.builtin.env', 'KEYFACTOR_PASSWORD') }}",
                "force_basic_auth": True,
                "headers": {"x-keyfactor-requested-with": "APIClient"},
                "method": "POST",
                "body_format": "json",
                "body": {"CertificateIds": ["{{ item | int }}"], "Reason": 1, "Comment": "loop"},
            },
            "loop": [record["Id"] for record in self.begin(count)],
            "loop_control": {"label": "one"},
        }
        return self.playbook([task])


def measure(bench: KeyfactorBench, arguments: argparse.Namespace) -> dict[str, float]:
    count, sample, rounds = arguments.certificates * 5, arguments.sample, arguments.rounds
    start = median(bench.nothing, 0, rounds).seconds
    rows = {
        "module, by thumbprint": median(bench.by_thumbprint, count, rounds),
        "module, by query": median(bench.by_query, count, rounds),
        "module, by id": median(bench.by_id, count, rounds),
    }
    print(f"Keyfactor Command: {count} certificates to revoke, {arguments.latency_ms} ms latency, {arguments.workers} workers, median of {rounds}")
    for name, row in rows.items():
        print(f"{name:32} {row.seconds:8.1f} s {row.requests / count:7.3f} requests per certificate {row.mebibytes:6.0f} MiB")
    loop = start + (median(bench.uri_post, sample, rounds).seconds - start) / sample * count
    print(f"{'uri loop that posts':32} {loop:8.1f} s (from a sample of {sample})")
    ratios = {
        "Keyfactor, by thumbprint: requests per certificate": rows["module, by thumbprint"].requests / count,
        "Keyfactor, by query: requests per certificate": rows["module, by query"].requests / count,
        "Keyfactor, by thumbprint: times the uri loop that posts": loop / rows["module, by thumbprint"].seconds,
    }
    for name, ratio in ratios.items():
        print(f"{ratio:8.3f} {name}")
    return ratios
