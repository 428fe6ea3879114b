# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: no settings from outside, no long waits, and one simulator for the session, put back to a known state for each test."""

from __future__ import annotations

import os
import sys
import tempfile
import typing as t

import pytest
from hypothesis import HealthCheck, settings

from ansible_collections.certops.remediation.plugins.module_utils import engine, pacing, transport

# What a developer's machine may have set, and what the collection or its libraries would obey.
_FOREIGN = ("_PROXY", "CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "VENAFI_", "VCERT_", "KEYFACTOR_", "DIGICERT_", "CLOUDFLARE_", "NETRC", "SSLKEYLOGFILE")

# In a fresh checkout the first text waits for Hypothesis to make its tables, and that would count as slowness of the test.
settings.register_profile("unit", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing from the environment but what a test sets, and no lock in common with tests that run at the same time."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.getbasetemp()))
    for name in list(os.environ):
        if any(part in name.upper() for part in _FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture
def short_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off without the waiting; ``Retry-After`` still counts."""
    monkeypatch.setattr(transport, "backoff", lambda attempt: 0.01)


@pytest.fixture
def waiting_moves_the_clock(simulator: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait takes no time here, and as long as it says in the simulator."""
    for module in (engine, transport):
        monkeypatch.setattr(module, "backoff", lambda attempt: 1.0)
    monkeypatch.setattr(pacing.Pacer, "wait", lambda pacer, seconds: simulator.clock.advance(seconds))


@pytest.fixture(scope="session")
def shared_simulator() -> t.Iterator[t.Any]:
    """Serves throughout the session. It needs a newer Python than the modules do."""
    if sys.version_info < (3, 10):
        pytest.skip("the simulator needs Python 3.10")
    from ansible_collections.certops.remediation.tests.simulator.server import Simulator  # pylint: disable=import-outside-toplevel

    with Simulator("empty") as running:
        yield running


@pytest.fixture
def simulator(shared_simulator: t.Any) -> t.Any:
    """The simulator without certificates, its clock at a stand."""
    shared_simulator.reset("empty", {"clock_scale": 0})
    return shared_simulator
