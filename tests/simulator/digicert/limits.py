# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling windows of requests, one set per API key."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..clock import Clock
from .answers import refusal
from .switches import Switches


class RateLimits:
    """Counts by the simulator's clock, so that it can be scaled; without windows nothing is counted."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._seen: dict[str, deque[float]] = {}

    def clear(self) -> None:
        self._seen.clear()

    def take(self, key: str) -> None:
        """Count a request of the key, or refuse it."""
        windows = self._switches.rate_limits
        if not windows:
            return
        now = self._clock.now()
        seen = self._seen.setdefault(key, deque())
        longest = max(window["seconds"] for window in windows)
        while seen and seen[0] <= now - longest:
            seen.popleft()
        wait = max(self._wait(seen, window, now) for window in windows)
        if wait <= 0 or self._switches.rejected_requests_count:
            seen.append(now)
        if wait > 0:
            limit = refusal("request_limit_exceeded")
            if self._switches.retry_after:
                limit.answer.headers["Retry-After"] = str(int(wait) + 1)
            raise limit

    @staticmethod
    def _wait(seen: deque[float], window: dict[str, Any], now: float) -> float:
        """Seconds until the window has room; the request that has to leave it first is the n-th last."""
        requests = int(window["requests"])
        if len(seen) < requests:
            return 0.0
        return seen[-requests] + float(window["seconds"]) - now
