# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rolling rate windows and back-off, shared by all threads of a task."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import email.utils
import random
import re
import threading
import time
import typing as t

BACKOFF_BASE = 1.0
BACKOFF_CAP = 30.0


@dataclasses.dataclass(frozen=True)
class RateLimit:
    """At most ``requests`` within any ``seconds``."""

    requests: int
    seconds: float


class Pacer:
    """Lets requests through so that no rolling window is ever exceeded at the vendor.

    A request counts from when it is sent until ``seconds`` after its answer came: the vendor counted it somewhere in between.
    """

    def __init__(
        self,
        limits: t.Sequence[RateLimit] = (),
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        # For each limit, when its places become free again. Moments, not ages: those would differ by a rounding error from what is waited for.
        self._windows = [(limit, collections.deque[float]()) for limit in limits]
        self._in_flight = 0
        self._paused_until = 0.0
        self._changed = threading.Condition()
        self._clock = clock
        self._sleep = sleep
        self.seconds_waited = 0.0

    @contextlib.contextmanager
    def slot(self) -> t.Iterator[None]:
        """Wait for a free place in every window, hold it for the length of the request."""
        self._acquire()
        try:
            yield
        finally:
            with self._changed:
                self._in_flight -= 1
                for limit, free_at in self._windows:
                    free_at.append(self._clock() + limit.seconds)
                self._changed.notify_all()

    def pause(self, seconds: float) -> bool:
        """Hold back every thread for ``seconds``: the vendor asked for it. Whether that is longer than before, by more than what time has passed."""
        with self._changed:
            until = self._clock() + seconds
            longer = until > self._paused_until + 1.0
            self._paused_until = max(self._paused_until, until)
            return longer

    def wait(self, seconds: float) -> None:
        """Sleep, and count it."""
        with self._changed:
            self.seconds_waited += seconds
        self._sleep(seconds)

    def _acquire(self) -> None:
        while True:
            with self._changed:
                delay = self._delay()
                if delay == 0:
                    self._in_flight += 1
                    return
                if delay is None:
                    self._changed.wait()
                    continue
            self.wait(delay)

    def _delay(self) -> float | None:
        """Seconds until there may be a place; 0 when there is one now; None when only an answer in flight can free one."""
        now = self._clock()
        delay = max(0.0, self._paused_until - now)
        for limit, free_at in self._windows:
            while free_at and free_at[0] <= now:
                free_at.popleft()
            if len(free_at) + self._in_flight >= limit.requests:
                if not free_at:
                    return None
                delay = max(delay, free_at[0] - now)
        return delay


def backoff(attempt: int) -> float:
    """Seconds to wait before try number ``attempt`` + 1: full jitter, so that many clients do not come back together."""
    return random.uniform(0.1, min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt, 10)))


def retry_after(value: str | None, now: datetime.datetime | None = None) -> float | None:
    """Seconds asked for by a ``Retry-After`` header in either of its forms (RFC 9110, 10.2.3); None when absent or unreadable."""
    if not value:
        return None
    value = value.strip()
    if re.fullmatch("[0-9]{1,12}", value):
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    now = now or datetime.datetime.now(datetime.timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def places_left(value: str | None) -> tuple[int | None, float]:
    """What a ``RateLimit`` header (draft-ietf-httpapi-ratelimit-headers) such as ``"default";r=50;t=30`` says: how many more requests may be sent, and
    in how many seconds the window opens again. Of several windows, the fullest one; None without a header that can be read.
    """
    found = [(int(left), float(opens)) for left, opens in re.findall(r"[^,]*;\s*r=(\d{1,9})\s*;\s*t=(\d{1,5})(?=\s*(?:[,;]|$))", value or "")]
    return min(found, default=(None, 0.0), key=lambda window: (window[0], -window[1]))
