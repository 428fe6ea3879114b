# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's clock: real time, scaled and shifted. States are computed from it when they are looked at; nothing ticks."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any


class Clock:
    """``now() = origin + (real - started) * scale + skipped``; scale 0 freezes it."""

    def __init__(self, scale: float = 1.0) -> None:
        self._anchor_real = time.time()
        self._anchor = self._anchor_real
        self._scale = scale

    def now(self) -> float:
        return self._anchor + (time.time() - self._anchor_real) * self._scale

    def advance(self, seconds: float) -> float:
        self._anchor += seconds
        return self.now()

    @property
    def scale(self) -> float:
        return self._scale

    @scale.setter
    def scale(self, scale: float) -> None:
        self._anchor, self._anchor_real = self.now(), time.time()
        self._scale = scale

    def dump(self) -> dict[str, Any]:
        return {"ahead": round(self.now() - time.time(), 3), "scale": self._scale}

    def load(self, data: dict[str, Any]) -> None:
        self._anchor_real = time.time()
        self._anchor = self._anchor_real + data["ahead"]
        self._scale = data["scale"]


def utc(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, timezone.utc)


def iso(moment: float) -> str:
    """ISO 8601 with seven fractional digits and Z, as Venafi writes dates (XSOAR)."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%S") + f".{int(moment % 1 * 10_000_000):07d}Z"
