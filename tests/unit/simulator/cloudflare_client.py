# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain client of the Cloudflare part, for the tests of the simulator."""

from __future__ import annotations

from typing import Any

import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator

CERTIFICATES = "client_certificates"


class CloudflareClient:
    """A requests session with a token of the ready file; paths without a leading slash are those of a zone, the main one by default."""

    def __init__(self, simulator: Simulator, token: str = "api_token", zone: str = "") -> None:
        self.simulator = simulator
        self.ready = simulator.ready["cloudflare"]
        self.zone = zone or self.ready["zone_id"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = simulator.ready["ca_path"]
        if token:
            self.session.headers["Authorization"] = f"Bearer {self.ready.get(token, token)}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        path = path if path.startswith("/") else f"/zones/{self.zone}/{path}"
        return self.session.request(method, self.ready["url"] + path, timeout=10, **options)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, params=query)

    def rows(self, **query: Any) -> list[dict[str, Any]]:
        """One page of certificates."""
        return list(self.get(CERTIFICATES, **query).json()["result"])

    def show(self, number: str) -> dict[str, Any]:
        return dict(self.get(f"{CERTIFICATES}/{number}").json()["result"])

    def create(self, csr: Any, days: Any = 365) -> requests.Response:
        return self.call("POST", CERTIFICATES, json={"csr": csr, "validity_days": days})

    def revoke(self, number: str) -> requests.Response:
        return self.call("DELETE", f"{CERTIFICATES}/{number}")

    def reactivate(self, number: str, body: Any = None) -> requests.Response:
        return self.call("PATCH", f"{CERTIFICATES}/{number}", json={"reactivate": True} if body is None else body)

    def load(self, *entries: dict[str, Any], **settings: Any) -> list[str]:
        self.simulator.configure({"cloudflare": settings})
        return self.simulator.cloudflare.load(entries)


def failure(answer: requests.Response) -> tuple[int, int]:
    """Status and first code of a failure in its full envelope."""
    body = answer.json()
    assert (body["success"], body["messages"], body["result"]) == (False, [], None)
    return answer.status_code, body["errors"][0]["code"]
