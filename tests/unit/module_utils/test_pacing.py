# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rolling windows and back-off, on a clock of their own."""

from __future__ import annotations

import collections
import datetime
import heapq
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.pacing import BACKOFF_CAP, Pacer, RateLimit, backoff, places_left, retry_after

NOW = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.timezone.utc)


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def read(self):
        return self.now

    def sleep(self, seconds):
        self.now += max(seconds, 1e-6)


class Held:
    """One request in flight, of a simulated thread."""

    def __init__(self, pacer):
        self.slot = pacer.slot()
        self.slot.__enter__()

    def end(self):
        self.slot.__exit__(None, None, None)


def exceeded(arrivals, limit) -> bool:
    """Whether some window holds more than it may. A microsecond is the clock's own grain."""
    ordered = sorted(arrivals)
    return any(later - earlier < limit.seconds - 1e-5 for earlier, later in zip(ordered, ordered[limit.requests :]))


LIMITS = st.lists(st.builds(RateLimit, st.integers(1, 6), st.floats(0.1, 20)), min_size=1, max_size=3)


@settings(deadline=None, max_examples=150)
@given(LIMITS, st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1), st.floats(0, 2)), min_size=1, max_size=60), st.integers(1, 8))
def test_no_window_is_exceeded_wherever_the_server_counts(limits, requests, threads):
    """``threads`` at a time; each request takes a while, arrives at some point of it, and is followed by a gap."""
    clock = Clock()
    pacer = Pacer(limits, clock.read, clock.sleep)
    arrivals = []
    flying = []
    # One more than any window lets in would wait for an answer, which nobody here would give.
    threads = min([threads, *(limit.requests for limit in limits)])
    for number, (length, share, gap) in enumerate(requests):
        while len(flying) >= threads:
            ends, dummy, held = heapq.heappop(flying)
            clock.now = max(clock.now, ends)
            held.end()
        held = Held(pacer)
        arrivals.append(clock.now + length * share)
        heapq.heappush(flying, (clock.now + length, number, held))
        clock.now += gap * 0.1
    assert not any(exceeded(arrivals, limit) for limit in limits)


def test_a_rounding_error_lets_nobody_in_early():
    """1012.1 + 12 - 1024.1 is 0 in floating point, while 1024.1 - 12 is less than 1012.1."""
    clock = Clock()
    pacer = Pacer([RateLimit(1, 12.0)], clock.read, clock.sleep)
    arrivals = []
    for length in (0.0, 0.1, 0.0, 0.0):
        with pacer.slot():
            arrivals.append(clock.now)
            clock.now += length
    assert not exceeded(arrivals, RateLimit(1, 12.0))


def test_the_check_itself_can_fail():
    assert exceeded([0, 1, 2], RateLimit(2, 10)) and not exceeded([0, 1, 10], RateLimit(2, 10))


@pytest.mark.parametrize("limit", [RateLimit(100, 10), RateLimit(1000, 300), RateLimit(1, 0.5), RateLimit(20, 1)])
def test_a_saturated_window_is_used(limit):
    clock = Clock()
    pacer = Pacer([limit], clock.read, clock.sleep)
    windows = 20
    for dummy in range(limit.requests * windows):
        with pacer.slot():
            clock.now += limit.seconds / limit.requests / 1000
    # The last window ends with its requests, so one window less of time has passed.
    used = (limit.requests * windows) / ((clock.now - 1000.0) / limit.seconds + 1) / limit.requests
    assert used >= 0.95
    assert pacer.seconds_waited == pytest.approx((windows - 1) * limit.seconds, rel=0.05)


def test_without_limits_nobody_waits():
    pacer = Pacer(sleep=lambda seconds: pytest.fail("slept"))
    for dummy in range(100):
        with pacer.slot():
            pass
    assert pacer.seconds_waited == 0


def test_a_slot_is_given_back_after_an_exception():
    clock = Clock()
    pacer = Pacer([RateLimit(1, 5)], clock.read, clock.sleep)
    for dummy in range(3):
        with pytest.raises(KeyError), pacer.slot():
            raise KeyError
    assert clock.now == pytest.approx(1010, abs=0.01)


def test_a_thread_waits_for_an_answer_in_flight():
    pacer = Pacer([RateLimit(1, 0.05)])
    order = []
    first = Held(pacer)
    thread = threading.Thread(daemon=True, target=lambda: (order.append(Held(pacer)), order.append("second")))
    thread.start()
    time.sleep(0.05)
    order.append("first")
    first.end()
    thread.join(5)
    assert order[0] == "first" and order[-1] == "second"


def test_threads_together_stay_within_the_limit():
    pacer = Pacer([RateLimit(10, 0.2)])
    arrivals = collections.deque()

    def work():
        for dummy in range(5):
            with pacer.slot():
                arrivals.append(time.monotonic())

    threads = [threading.Thread(target=work, daemon=True) for dummy in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(arrivals) == 40 and not exceeded(arrivals, RateLimit(10, 0.2))


def test_a_pause_holds_everyone_back_and_a_shorter_one_does_not_end_it():
    pacer = Pacer()
    pacer.pause(0.3)
    pacer.pause(0.01)
    begun = time.monotonic()
    ended = []

    def work():
        with pacer.slot():
            ended.append(time.monotonic())

    threads = [threading.Thread(target=work, daemon=True) for dummy in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 6 and min(ended) - begun >= 0.25
    assert pacer.seconds_waited >= 6 * 0.25


@given(st.integers(0, 10**6))
def test_backoff_has_bounds(attempt):
    assert 0.1 <= backoff(attempt) <= min(BACKOFF_CAP, 2.0 ** min(attempt, 10))


def test_backoff_grows_and_jitters():
    assert max(backoff(1) for dummy in range(200)) <= 2
    assert max(backoff(6) for dummy in range(200)) > 10
    assert len({backoff(3) for dummy in range(20)}) > 10


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60),
        ("Sunday, 22-Nov-26 12:00:30 GMT", 30),
        ("Sun Nov 22 12:02:00 2026", 120),
        ("Sun, 22 Nov 2026 14:00:10 +0200", 10),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\xb2", None),
        ("\u0661", None),
        ("9" * 400, None),
        ("Sun, 99 Nov 2026 12:00:00 GMT", None),
        ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", None),
    ],
)
def test_retry_after_in_both_forms(value, seconds):
    assert retry_after(value, NOW) == seconds


@given(st.one_of(st.text(), st.from_regex(r"\A\w{3}, \d{1,12} \w{3} \d{1,12} \d{1,3}:\d{1,3}:\d{1,3} ?(GMT|[+-]\d{1,9})?\Z")))
def test_retry_after_never_raises(value):
    seconds = retry_after(value, NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    "value, told",
    [
        (None, (None, 0.0)),
        ("", (None, 0.0)),
        ('"default";r=50;t=30', (50, 30.0)),
        ('"burst";r=5;t=10, "day";r=0;t=7', (0, 7.0)),
        ('"a";r=0;t=7, "b";r=0;t=40', (0, 40.0)),
        ("limit=100, remaining=0, reset=3", (None, 0.0)),
        ("r=0;t=30", (None, 0.0)),
        ('"x";r=-1;t=30', (None, 0.0)),
        ('"x";r=0;t=99999999', (None, 0.0)),
    ],
)
def test_what_a_rate_limit_header_leaves(value, told):
    assert places_left(value) == told
