# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many requests at a time, results in order."""

from __future__ import annotations

import concurrent.futures
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import RemediationError

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


def in_parallel(work: t.Callable[[Item], Result], items: t.Sequence[Item], workers: int) -> list[Result]:
    """``work`` on each of ``items`` by at most ``workers`` threads; the results in the order of the items.

    The first exception ends it: what has not begun is not begun, what has begun is awaited.
    """
    if workers < 2 or len(items) < 2:
        return [work(item) for item in items]
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(workers, len(items))) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def each_in_parallel(work: t.Callable[[Item], Result], items: t.Sequence[Item], workers: int) -> list[Result | RemediationError]:
    """``in_parallel`` with the error of an item in place of its result.

    :raises RemediationError: one that every other item would meet as well.
    """

    def attempt(item: Item) -> Result | RemediationError:
        try:
            return work(item)
        except RemediationError as error:
            if error.fatal:
                raise
            return error

    return in_parallel(attempt, items, workers)
