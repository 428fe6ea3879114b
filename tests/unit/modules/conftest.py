# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For the tests of modules."""

from __future__ import annotations

import pytest

from ansible_collections.certops.remediation.plugins.module_utils import transport


@pytest.fixture(autouse=True)
def smaller_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweeps send hundreds of bodies that inflate beyond all limits; with a lower limit that takes a quarter of the time."""
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 8 << 20)
