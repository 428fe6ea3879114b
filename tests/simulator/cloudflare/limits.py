# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rate limits: so many requests in a window for each user or account token, so many a second for the address, and a block for whoever goes over."""

from __future__ import annotations

import math
from collections import deque

from ..clock import Clock
from .answers import Problem
from .switches import Switches

_ADDRESS = ""


class RateLimits:
    """Counts by the simulator's clock. Everything here comes from one address."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._seen: dict[str, deque[float]] = {}
        self._blocked: dict[str, float] = {}

    def clear(self) -> None:
        self._seen.clear()
        self._blocked.clear()

    def take(self, owner: str) -> None:
        """Count a request of the owner, or refuse it."""
        switches = self._switches
        wait = max(self._wait(_ADDRESS, switches.address_rate_limit, 1.0), self._wait(owner, switches.rate_limit, switches.rate_window_seconds))
        if wait:
            headers = {} if switches.ratelimit_headers == "none" else {"retry-after": str(math.ceil(wait))}
            raise Problem(f"rate_{switches.rate_limit_code}", headers=headers, limit=switches.rate_limit, seconds=int(switches.rate_window_seconds))

    def _wait(self, key: str, limit: int, window: float) -> float:
        if not limit:
            return 0.0
        now = self._clock.now()
        if self._blocked.get(key, 0.0) > now:
            return self._blocked[key] - now
        seen = self._window(key, window)
        if len(seen) < limit:
            seen.append(now)
            return 0.0
        # Without a block the oldest request has to leave the window.
        self._blocked[key] = now + max(self._switches.rate_block_seconds, seen[0] + window - now)
        return self._blocked[key] - now

    def _window(self, key: str, window: float) -> deque[float]:
        seen = self._seen.setdefault(key, deque())
        while seen and seen[0] <= self._clock.now() - window:
            seen.popleft()
        return seen

    def headers(self, owner: str) -> dict[str, str]:
        """What every answer tells of the owner's window; the names of the old family are unconfirmed."""
        switches, now = self._switches, self._clock.now()
        if not switches.rate_limit or not owner:
            return {}
        limit, window = switches.rate_limit, switches.rate_window_seconds
        seen = self._window(owner, window)
        blocked = self._blocked.get(owner, 0.0)
        left = 0 if blocked > now else limit - len(seen)
        reset = math.ceil(blocked - now if blocked > now else seen[0] + window - now if seen else window)
        new = {"Ratelimit": f'"default";r={left};t={reset}', "Ratelimit-Policy": f'"default";q={limit};w={window:.0f}'}
        old = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(reset)}
        return {"new": new, "old": old, "both": {**new, **old}, "none": {}}[switches.ratelimit_headers]
