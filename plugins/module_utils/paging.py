# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that a vendor hands out in pages, read whole."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.records import Record

READINGS = 3


@dataclasses.dataclass(frozen=True)
class Page:
    """One page: its records, and how many the vendor says there are in all (None where it does not say)."""

    records: t.Sequence[Record]
    total: int | None = None


def read_all(
    read: t.Callable[[int, int], Page],
    key: t.Callable[[Record], t.Hashable],
    *,
    limit: int | None,
    changed: t.Callable[[], None],
    page_size: int | None = None,
) -> tuple[list[Record], int]:
    """The records of all pages, each once, and how many there are at the vendor.

    Pages go on until the vendor's own total is reached or a page brings nothing new, because a server may hand out smaller pages than asked
    for, and one that knows no paging would send the first page for ever. When the total changes between two pages, or is reached by records that
    came twice, something was added or left and records may have slipped from one page to another, so all of it is read again.

    :param read: gives the page of a number (from 1), to which so many records were read before.
    :param key: what makes a record one of its own.
    :param page_size: how many were asked for. When given, the vendor's total alone is no proof of the end: not one that is
        below what was read, and not beside a full page.
    :param changed: called when the list kept changing or ended too early; some may be missing from it.
    """
    records: dict[t.Hashable, Record] = {}
    total: int | None = None
    moved = False
    for dummy in range(READINGS):
        records, total, moved = _read_once(read, key, limit, page_size)
        if not moved:
            break
    if moved or len(records) < _wanted(total, limit):
        changed()
    return list(records.values())[:limit], len(records) if total is None else total


def _read_once(
    read: t.Callable[[int, int], Page], key: t.Callable[[Record], t.Hashable], limit: int | None, page_size: int | None
) -> tuple[dict[t.Hashable, Record], int | None, bool]:
    """The records by their keys, the last total, and whether the list changed meanwhile."""
    records: dict[t.Hashable, Record] = {}
    totals: set[int | None] = set()
    number = offset = 0
    while True:
        number += 1
        page = read(number, offset)
        totals.add(page.total)
        known = len(records)
        records.update((key(record), record) for record in page.records)
        offset += len(page.records)
        complete = page.total is not None and offset >= page.total
        if complete and page_size is not None:
            complete = offset == page.total and len(page.records) < page_size
        if complete or len(records) == known or (limit is not None and len(records) >= limit):
            return records, page.total, len(totals) > 1 or (complete and len(records) < _wanted(page.total, limit))


def _wanted(total: int | None, limit: int | None) -> int:
    """How many records there must be."""
    return 0 if total is None else total if limit is None else min(total, limit)
