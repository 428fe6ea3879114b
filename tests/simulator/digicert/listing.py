# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: ``filters[...]``, ``sort``, ``offset`` and ``limit``, and the same rows as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

from ..exchange import Answer, Call
from .answers import day, refusal

Item = TypeVar("Item")
Read = Callable[[Item], Any]
_FILTER = re.compile(r"filters\[(\w+)\](?:\[\d*\])?")
# Dates of filters are in Mountain Daylight Time, whatever the season.
MDT = timezone(timedelta(hours=-6))


def filters_of(call: Call) -> dict[str, list[str]]:
    """``filters[name]=a``, ``filters[name][]=a`` and ``filters[name][0]=a``; several values of one name are alternatives."""
    collected: dict[str, list[str]] = {}
    for name, value in call.query:
        match = _FILTER.fullmatch(name)
        if match:
            collected.setdefault(match.group(1), []).append(value)
    return collected


def number(call: Call, name: str, default: int) -> int:
    text = dict(call.query).get(name)
    if text is None or text == "":
        return default
    if not text.isdigit():
        raise refusal(f"invalid_value:{name}")
    return int(text)


def test_for(value: str, now: float) -> Callable[[Any], bool]:
    """A value, ``>value``, ``<value`` or a range ``a...b``; words without regard to case, ``NOW`` is today."""
    value = value.replace("NOW", day(now))
    low, dots, high = value.partition("...")
    if dots:
        return lambda item: _rank(low) <= _rank(item) <= _rank(high)
    if value[:1] in ("<", ">"):
        way, bound = value[0], _rank(value[1:])
        return lambda item: _rank(item) > bound if way == ">" else _rank(item) < bound
    wanted = value.lower()
    return lambda item: wanted in [_key(one).lower() for one in (item if isinstance(item, (list, set)) else [item])]


def _key(value: Any) -> str:
    """Flags are 1 and 0."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _rank(value: Any) -> tuple[int, str]:
    """Numbers by their size, days as they are written."""
    text = _key(value)
    return (len(text) if text.isdigit() else 0), text


def matching(items: Iterable[Item], filters: dict[str, list[str]], known: dict[str, Read[Item]], now: float) -> list[Item]:
    found = list(items)
    for name, values in filters.items():
        if name not in known:
            raise refusal(f"invalid_value:filters[{name}]")
        read, tests = known[name], [test_for(value, now) for value in values]
        found = [item for item in found if any(test(read(item)) for test in tests)]
    return found


def in_order(items: list[Item], call: Call, known: dict[str, Read[Item]]) -> list[Item]:
    """``sort=-date_created,id``: a comma list, descending with a minus sign."""
    for name in reversed([name for name in dict(call.query).get("sort", "").split(",") if name]):
        read = known.get(name.lstrip("-+"))
        if read is None:
            raise refusal("invalid_value:sort")
        items = sorted(items, key=lambda item: _rank(read(item)), reverse=name.startswith("-"))
    return items


def page(call: Call, name: str, items: list[Item], show: Callable[[Item], dict[str, Any]], max_limit: int) -> Answer:
    """One page of a list, as JSON or, when asked for, as CSV."""
    offset = number(call, "offset", 0)
    limit = min(number(call, "limit", max_limit), max_limit) or max_limit
    rows = [show(item) for item in items[offset:offset + limit]]
    if "text/csv" in call.headers.get("Accept", "") or dict(call.query).get("content_type") == "csv":
        return Answer(200, _csv(rows).encode(), content_type="text/csv")
    return Answer.json({name: rows, "page": {"total": len(items), "limit": limit, "offset": offset}})


def _csv(rows: list[dict[str, Any]]) -> str:
    flat = [dict(_flat(row)) for row in rows]
    header = list(dict.fromkeys(name for row in flat for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(flat)
    return stream.getvalue()


def _flat(value: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Members of members get dotted names, lists are joined with commas."""
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{name}.")
        else:
            yield prefix + name, ",".join(map(str, item)) if isinstance(item, list) else item


def day_range(text: str) -> tuple[float, float]:
    """``2026-01-01...2026-01-07`` (or one day): from the first second to the last."""
    first, dots, last = text.partition("...")
    try:
        begin, end = (datetime.strptime(item, "%Y-%m-%d").replace(tzinfo=MDT) for item in (first, last if dots else first))
    except ValueError:
        raise refusal("invalid_value:filters[status_last_updated]") from None
    return begin.timestamp(), (end + timedelta(days=1)).timestamp()
