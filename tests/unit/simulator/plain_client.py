# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain client for the tests of the simulator."""

from __future__ import annotations

from typing import Any

import requests

from ansible_collections.certops.remediation.tests.simulator.server import Simulator


class Client:
    """A plain requests session with the simulator's CA and token."""

    def __init__(self, simulator: Simulator) -> None:
        self.url = simulator.ready["url"]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = simulator.ready["ca_path"]
        self.session.headers["Authorization"] = f"Bearer {simulator.ready['tpp']['access_token']}"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=10, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, json=body, timeout=10, **options)

    def reset(self, dn: str, **more: Any) -> requests.Response:
        return self.post("/vedsdk/Certificates/Reset", {"CertificateDN": dn, **more})

    def details(self, guid: str) -> dict[str, Any]:
        return dict(self.get(f"/vedsdk/certificates/{guid}").json())
