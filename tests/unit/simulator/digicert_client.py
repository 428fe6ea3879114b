# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain client of the CertCentral part, for the tests of the simulator."""

from __future__ import annotations

from typing import Any

import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator


class DigiCertClient:
    """A requests session with an API key; ``reissue`` asks with the key behind a label."""

    def __init__(self, simulator: Simulator, key: str = "") -> None:
        self.simulator = simulator
        self.url = simulator.ready["url"] + "/services/v2"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = simulator.ready["ca_path"]
        self.session.headers["X-DC-DEVKEY"] = key or simulator.ready["digicert"]["api_key"]

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.url}/{path}", timeout=10, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.post(f"{self.url}/{path}", json=body, timeout=10, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.put(f"{self.url}/{path}", json=body, timeout=10, **options)

    def order(self, order_id: int) -> dict[str, Any]:
        return dict(self.get(f"order/certificate/{order_id}").json())

    def reissues(self, order_id: int, archived: bool = True) -> list[dict[str, Any]]:
        answer = self.get(f"order/certificate/{order_id}/reissue", params={"show_archived": str(archived).lower()})
        return list(answer.json()["certificates"])

    def body(self, order_id: int, label: str, **changes: Any) -> dict[str, Any]:
        """A reissue with the names that the order has; changes of the certificate, ``root`` for the rest of the body."""
        current = self.simulator.digicert[order_id].current
        root = changes.pop("root", {})
        wanted = {
            "common_name": current.common_name, "dns_names": current.dns_names, "signature_hash": "sha256",
            "csr": self.simulator.digicert.csr(label, "ignored.example.com"), **changes,
        }
        return {"certificate": {name: value for name, value in wanted.items() if value is not None}, **root}

    def reissue(self, order_id: int, label: str = "new", **changes: Any) -> requests.Response:
        return self.post(f"order/certificate/{order_id}/reissue", self.body(order_id, label, **changes))


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]
