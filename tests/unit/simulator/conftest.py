# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one simulator for the session, put back to a known state for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.plain_client import Client


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[Simulator]:
    with Simulator("empty") as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: Simulator) -> Simulator:
    shared_simulator.reset("empty", {"clock_scale": 0})
    return shared_simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    plain = Client(simulator)
    yield plain
    plain.session.close()
