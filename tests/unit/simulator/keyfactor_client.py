# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain Command client for the tests of the simulator."""

from __future__ import annotations

from typing import Any

import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator


class Command:
    """A requests session with the simulator's CA and Basic authentication; ``as_user`` is somebody else."""

    def __init__(self, simulator: Simulator) -> None:
        self.ready = simulator.ready["keyfactor"]
        self.base = f"{self.ready['url']}/{self.ready['api_path']}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = simulator.ready["ca_path"]
        self.session.headers["x-keyfactor-requested-with"] = "APIClient"
        self.as_user("EXAMPLE\\certops", self.ready["password"])

    def as_user(self, name: str, password: str) -> None:
        self.session.auth = (name, password)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self.base + path, params=query, timeout=10)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.post(self.base + path, json=body, timeout=10, **options)

    def token(self, **form: str) -> requests.Response:
        form = {"grant_type": "client_credentials", "client_id": self.ready["client_id"], "client_secret": self.ready["client_secret"], **form}
        return self.session.post(self.ready["token_url"], data=form, timeout=10, auth=NoAuth())

    def revoke(self, *ids: int, reason: Any = 1, **more: Any) -> requests.Response:
        return self.post("/Certificates/Revoke", {"CertificateIds": list(ids), "Reason": reason, "Comment": "INC-1", **more})

    def listed(self, query: str = "", **more: Any) -> list[int]:
        """The ids that a query finds, whatever their state."""
        everything = {"pq.includeRevoked": "true", "pq.includeExpired": "true", "pq.returnLimit": 1000}
        answer = self.get("/Certificates", **{"pq.queryString": query, **everything, **more})
        assert answer.status_code == 200, answer.text
        return [item["Id"] for item in answer.json()]

    def one(self, certificate_id: int, **query: Any) -> dict[str, Any]:
        return dict(self.get(f"/Certificates/{certificate_id}", **query).json())


class NoAuth(requests.auth.AuthBase):
    """No Authorization header, whatever the session has."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
