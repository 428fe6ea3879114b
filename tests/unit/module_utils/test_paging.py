# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that are read whole: capped pages, servers that know no paging, lists that change meanwhile."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.paging import READINGS, Page, read_all


class Vendor:
    """A list that is handed out in pages of at most ``cap`` records.

    :param before: called with the vendor before each page, to change the list.
    """

    def __init__(self, ids, *, cap, totals=True, before=None):
        self.ids = list(ids)
        self.cap = cap
        self.totals = totals
        self.before = before
        self.pages = []
        self.complaints = 0

    def read(self, number, offset):
        if self.before:
            self.before(self)
        self.pages.append((number, offset))
        assert len(self.pages) < 1000, "no end"
        start = (number - 1) * self.cap
        return Page([{"id": item} for item in self.ids[start : start + self.cap]], len(self.ids) if self.totals else None)

    def complain(self):
        self.complaints += 1

    def all(self, limit=None):
        records, total = read_all(self.read, lambda record: record["id"], limit=limit, changed=self.complain)
        return [record["id"] for record in records], total


@given(st.integers(0, 60), st.integers(1, 20), st.booleans(), st.none() | st.integers(1, 70))
def test_any_list_is_read_once_in_order(count, cap, totals, limit):
    vendor = Vendor(range(count), cap=cap, totals=totals)
    records, total = vendor.all(limit)
    assert records == list(range(count))[:limit]
    assert total == count or (not totals and limit is not None and total >= len(records))
    assert vendor.complaints == 0
    assert [number for number, dummy in vendor.pages] == list(range(1, len(vendor.pages) + 1)), "one reading is enough"
    assert [offset for dummy, offset in vendor.pages] == [min(place * cap, count) for place in range(len(vendor.pages))]
    # A total saves the look behind the last page.
    needed = -(-min(count, limit or count) // cap) or 1
    assert len(vendor.pages) <= needed + (not totals)


def test_a_server_that_knows_no_paging_is_not_asked_for_ever():
    """It hands out everything for every number, and says no total."""
    numbers = []

    def read(number, dummy):
        numbers.append(number)
        return Page([{"id": 1}, {"id": 2}])

    assert read_all(read, lambda record: record["id"], limit=None, changed=pytest.fail) == ([{"id": 1}, {"id": 2}], 2)
    assert numbers == [1, 2]


def test_a_total_that_is_never_reached_is_no_endless_loop_and_no_secret():
    """The same page for every number, and a total that says that there is more: what is missing must not pass for the whole."""
    complaints = []
    records, total = read_all(lambda number, offset: Page([{"id": 1}], 50), lambda record: record["id"], limit=None, changed=lambda: complaints.append(1))
    assert (len(records), total) == (1, 50)
    assert complaints == [1]


def test_a_total_that_counts_less_than_there_is_hides_no_record_of_the_pages_read():
    both = [{"id": 1}, {"id": 2}]
    assert read_all(lambda number, offset: Page(both, 1), lambda record: record["id"], limit=None, changed=pytest.fail)[0] == both


@pytest.mark.parametrize("change", ["left", "came"])
def test_a_list_that_changes_once_is_read_again(change):
    """Whatever leaves in front of the place moves a record to the page that was read already."""
    pages = itertools.count(1)

    def before(vendor):
        if next(pages) == 2:
            vendor.ids = vendor.ids[1:] if change == "left" else [-1, *vendor.ids]

    vendor = Vendor(range(10), cap=4, before=before)
    records, total = vendor.all()
    assert records == ([-1] if change == "came" else []) + list(range(change == "left", 10))
    assert total == len(records) and vendor.complaints == 0
    assert [number for number, dummy in vendor.pages].count(1) == 2


def test_a_record_that_slips_away_while_the_total_stays_is_read_again():
    """One leaves in front and another comes at the end between two pages: the count is right and a record is missing. The double tells."""
    pages = itertools.count(1)

    def before(vendor):
        if next(pages) == 2:
            vendor.ids = [-1, *vendor.ids[:-1]]

    vendor = Vendor(range(10), cap=5, before=before)
    records, total = vendor.all()
    assert records == [-1, *range(9)] and total == 10 and vendor.complaints == 0


def test_a_list_that_changes_all_the_time_is_told_and_not_read_for_ever():
    growing = itertools.count(100)
    vendor = Vendor(range(10), cap=4, before=lambda vendor: vendor.ids.append(next(growing)))
    vendor.all()
    assert vendor.complaints == 1
    assert [number for number, dummy in vendor.pages].count(1) == READINGS == 3


def test_a_limit_ends_the_reading_and_the_total_is_still_the_vendors():
    vendor = Vendor(range(1000), cap=10)
    assert vendor.all(limit=15) == (list(range(15)), 1000)
    assert len(vendor.pages) == 2 and vendor.complaints == 0


def test_an_empty_list_is_one_request():
    for totals in (True, False):
        vendor = Vendor([], cap=5, totals=totals)
        assert vendor.all() == ([], 0) and len(vendor.pages) == 1
