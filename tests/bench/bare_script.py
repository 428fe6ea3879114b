# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody in a hurry would write: list, read and reset, with requests and a pool of threads. Checks nothing, tells nothing."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
import requests.adapters

NAMES_IN_A_QUERY = 50


def main(path: str, workers: int) -> None:
    base = os.environ["VENAFI_URL"] + "/vedsdk"
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ["VENAFI_CA_PATH"]
    session.headers["Authorization"] = f"Bearer {os.environ['VENAFI_TOKEN']}"
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=workers))
    with open(path, encoding="utf-8") as file:
        dns = json.load(file)

    def listed(names: list[str]) -> list[str]:
        query = [("ParentDn", names[0].rpartition("\\")[0]), ("InError", "1"), ("Limit", "1000"), *(("Name", name.rpartition("\\")[2]) for name in names)]
        return [entry["Guid"] for entry in session.get(f"{base}/certificates/", params=query).json()["Certificates"]]

    def reset(guid: str) -> None:
        details = session.get(f"{base}/certificates/{guid}").json()
        if details["ProcessingDetails"].get("InError"):
            session.post(f"{base}/Certificates/Reset", json={"CertificateDN": details["DN"], "Restart": False}).raise_for_status()

    with ThreadPoolExecutor(workers) as pool:
        batches = [dns[start : start + NAMES_IN_A_QUERY] for start in range(0, len(dns), NAMES_IN_A_QUERY)]
        list(pool.map(reset, [guid for guids in pool.map(listed, batches) for guid in guids]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
