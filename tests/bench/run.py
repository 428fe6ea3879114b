# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the modules beside the ways in which people do it otherwise, as whole processes, against a simulator with latency.

Machines differ and are noisy: what counts are the ratios within one run. `make bench` runs this; the results are told in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cloudflare
import digicert
import keyfactor
import tpp
from measuring import ROOT

VENDORS = {
    "tpp": (tpp.TppBench, tpp.measure),
    "keyfactor": (keyfactor.KeyfactorBench, keyfactor.measure),
    "digicert": (digicert.DigiCertBench, digicert.measure),
    "cloudflare": (cloudflare.CloudflareBench, cloudflare.measure),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vendor", choices=VENDORS, action="append", help="only this one; may be given several times")
    parser.add_argument("--certificates", type=int, default=1000, help="five times as many where one request carries many")
    parser.add_argument("--sample", type=int, default=30, help="certificates in the loops of ansible.builtin.uri, whose time is then multiplied")
    parser.add_argument("--latency-ms", type=int, default=50)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="certops-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "tests.simulator", "--ready-file", str(folder / "ready.json"), "--scenario", "empty"]
        simulator = subprocess.Popen(command, cwd=ROOT)
        try:
            while not (folder / "ready.json").exists():
                if simulator.poll() is not None:
                    raise SystemExit("the simulator did not start")
                time.sleep(0.1)
            for vendor in arguments.vendor or VENDORS:
                bench, measure = VENDORS[vendor]
                figures |= measure(bench(folder, arguments.latency_ms, arguments.workers), arguments)
        finally:
            simulator.terminate()
            simulator.wait()
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
