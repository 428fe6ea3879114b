# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""digicert_order_reissue inside the published rate windows, which run ``SCALE`` times as fast as in reality."""

from __future__ import annotations

import argparse
from pathlib import Path

from measuring import Bench, Measured
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

REISSUE = "certops.remediation.digicert_order_reissue"
SCALE = 10
WINDOWS = [(1000, 180.0), (100, 5.0)]


class DigiCertBench(Bench):
    """An account whose orders all have to be reissued, and are issued at once."""

    def __init__(self, folder: Path, latency_ms: int, workers: int) -> None:
        super().__init__(folder, latency_ms, workers)
        ready = self.ready["digicert"]
        self.environment = {"DIGICERT_URL": ready["url"], "DIGICERT_API_KEY": ready["api_key"], "DIGICERT_CA_PATH": self.ready["ca_path"]}
        self.session.headers["X-DC-DEVKEY"] = ready["api_key"]

    def begin(self, count: int) -> list[int]:
        windows = [{"requests": requests, "seconds": seconds} for requests, seconds in WINDOWS]
        orders = {"common_name": "www{n}.shop.example.com", "count": count, "approval": False}
        self.hold({"digicert": {"settings": {"rate_limits": []}, "orders": [orders]}})
        ids: list[int] = []
        while len(ids) < count:
            url = f"{self.ready['digicert']['url']}/services/v2/order/certificate?limit=1000&offset={len(ids)}"
            ids += [order["id"] for order in self.session.get(url, timeout=120).json()["orders"]]
        self.control("settings", {"clock_scale": SCALE, "digicert": {"rate_limits": windows}})
        self.ready_to_run()
        return ids

    def reissue(self, count: int) -> Measured:
        csrs = [_csr() for dummy in range(count)]
        orders = [{"order_id": number, "csr": csr} for number, csr in zip(self.begin(count), csrs)]
        limits = [{"requests": requests, "seconds": seconds / SCALE} for requests, seconds in WINDOWS]
        options = {"orders": orders, "skip_approval": True, "check_client_auth": False, "concurrency": self.workers, "rate_limits": limits}
        return self.playbook([{REISSUE: options}])


def _csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")


def measure(bench: DigiCertBench, arguments: argparse.Namespace) -> dict[str, float]:
    count = arguments.certificates
    row = bench.reissue(count)
    entries = bench.session.get(f"{bench.ready['control_url']}journal", timeout=120).json()
    refused = sum(entry["status"] == 429 for entry in entries)
    times = [entry["time"] for entry in entries]
    # Of what the windows would have let through from the first to the last request.
    budget = min(requests * max(1.0, (times[-1] - times[0]) / seconds) for requests, seconds in WINDOWS)
    ratios = {
        "DigiCert: requests per order": row.requests / count,
        "DigiCert: of the rate budget used": min(1.0, row.requests / budget),
        "DigiCert: refused for too many requests": float(refused),
    }
    print(f"DigiCert CertCentral: {count} orders to reissue, {arguments.workers} workers, rate windows {SCALE} times as fast: {row.seconds:.1f} s")
    for name, ratio in ratios.items():
        print(f"{ratio:8.3f} {name}")
    return ratios
