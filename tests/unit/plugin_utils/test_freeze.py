# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows of time in which nothing may be changed."""

from __future__ import annotations

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import freeze

WEEKEND = "Fri 16:00-Mon 06:00 Europe/Berlin"


@pytest.mark.parametrize(
    "window, now, until",
    [
        ("2026-12-20T00:00Z/2027-01-05T00:00Z", "2026-12-19T23:59:59Z", None),
        ("2026-12-20T00:00Z/2027-01-05T00:00Z", "2026-12-20T00:00:00Z", "2027-01-05 00:00 UTC"),
        ("2026-12-20T00:00Z/2027-01-05T00:00Z", "2027-01-05T00:00:00Z", None),
        ("2026-12-20T00:00+01:00/2027-01-05T00:00+01:00", "2026-12-19T23:30:00Z", "2027-01-04 23:00 UTC"),
        ("2026-12-20 00:00 / 2027-01-05 00:00 Europe/Berlin", "2026-12-19T23:30:00Z", "2027-01-04 23:00 UTC"),
        # A day as the end is part of the window.
        ("2026-12-20/2027-01-05 UTC", "2027-01-05T23:59:00Z", "2027-01-06 00:00 UTC"),
        (WEEKEND, "2026-11-27T14:59:59Z", None),
        (WEEKEND, "2026-11-27T15:00:00Z", "2026-11-30 05:00 UTC"),
        (WEEKEND, "2026-11-29T12:00:00Z", "2026-11-30 05:00 UTC"),
        (WEEKEND, "2026-11-30T05:00:00Z", None),
        # In summer Berlin is two hours ahead; clocks go back on 25 October and forward on 29 March.
        (WEEKEND, "2026-07-03T14:00:00Z", "2026-07-06 04:00 UTC"),
        (WEEKEND, "2026-10-23T14:00:00Z", "2026-10-26 05:00 UTC"),
        (WEEKEND, "2026-03-27T15:00:00Z", "2026-03-30 04:00 UTC"),
        ("friday 16:00 - monday 06:00 Europe/Berlin", "2026-11-29T12:00:00Z", "2026-11-30 05:00 UTC"),
        ("Sun 12:00-Sun 11:00 UTC", "2026-11-29T11:30:00Z", None),
        ("Sun 12:00-Sun 11:00 UTC", "2026-12-06T10:30:00Z", "2026-12-06 11:00 UTC"),
        ("09:00-17:00 UTC", "2026-11-29T09:00:00Z", "2026-11-29 17:00 UTC"),
        ("09:00-17:00 UTC", "2026-11-29T17:00:00Z", None),
        ("22:00-06:00 UTC", "2026-11-29T03:00:00Z", "2026-11-29 06:00 UTC"),
        ("Mon-Fri 09:00-17:00 Europe/Berlin", "2026-11-27T12:00:00Z", "2026-11-27 16:00 UTC"),
        ("Mon-Fri 09:00-17:00 Europe/Berlin", "2026-11-28T12:00:00Z", None),
        ("Sat 00:00-24:00 UTC", "2026-11-28T23:59:00Z", "2026-11-29 00:00 UTC"),
        ("Fri 22:00-02:00 UTC", "2026-11-28T01:00:00Z", "2026-11-28 02:00 UTC"),
    ],
)
def test_windows(window, now, until):
    assert freeze.frozen([window], now) == ({"window": window, "until": until} if until else {})


def test_windows_that_touch_are_one():
    windows = ["2026-12-01T00:00Z/2026-12-02T00:00Z", "2026-12-01T12:00Z/2026-12-03T00:00Z", "2026-12-04T00:00Z/2026-12-05T00:00Z"]
    assert freeze.frozen(windows, "2026-12-01T13:00:00Z") == {"window": windows[0], "until": "2026-12-03 00:00 UTC"}


def test_a_window_without_an_end():
    assert freeze.frozen(["00:00-24:00 UTC"], "2026-11-29T09:00:00Z") == {"window": "00:00-24:00 UTC", "until": ""}


@pytest.mark.parametrize(
    "window, said",
    [
        ("tomorrow", "is not understood. Write it like"),
        ("09:00-17:00", "is not understood"),
        ("25:00-26:00 UTC", "has a time of day that there is not: 25:00"),
        ("09:61-10:00 UTC", "has a time of day that there is not: 09:61"),
        ("09:00-17:00 Mars/Olympus", "names the time zone Mars/Olympus, which this system does not know"),
        ("09:00-17:00 ../../etc/passwd", "names the time zone ../../etc/passwd, which this system does not know"),
        ("2026-12-20T00:00/2027-01-05T00:00", "does not say in which time zone 2026-12-20T00:00 is"),
        ("2026-12-20/2027-01-05", "does not say in which time zone 2026-12-20 is"),
        ("2026-13-20T00:00Z/2027-01-05T00:00Z", "is not understood at 2026-13-20T00:00Z"),
        ("2027-01-05T00:00Z/2026-12-20T00:00Z", "ends before it begins"),
    ],
)
def test_what_is_no_window(window, said):
    (complaint,) = freeze.complaints("a_flow", [window, WEEKEND])
    assert complaint.startswith(f"a_flow_freeze: the window {window!r} {said}")
