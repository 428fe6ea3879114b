# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of lists, and the zones' filters by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..exchange import Answer
from .answers import Problem, success
from .switches import Switches

_DEFAULT, _SMALLEST, _LARGEST = 20, 5, 50
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "equal": lambda value, wanted: value == wanted,
    "not_equal": lambda value, wanted: value != wanted,
    "starts_with": lambda value, wanted: value.startswith(wanted),
    "ends_with": lambda value, wanted: value.endswith(wanted),
    "contains": lambda value, wanted: wanted in value,
}
_SENSITIVE = "_case_sensitive"


def integer(query: dict[str, str], name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError as error:
        raise Problem("bad_parameter", name=name) from error


def page(query: dict[str, str], items: list[Any], show: Callable[[Any], dict[str, Any]], switches: Switches) -> Answer:
    """One page. A page past the end is an empty one: every official SDK relies on that."""
    number, size = integer(query, "page", 1), integer(query, "per_page", _DEFAULT)
    clamped = max(number, 1), min(max(size, _SMALLEST), _LARGEST)
    if (number, size) != clamped and switches.per_page_out_of_range == "refuse":
        raise Problem("bad_parameter", name="page" if number < 1 else "per_page")
    number, size = clamped
    begin = (number - 1) * size
    if number > 1 and begin >= len(items) and switches.page_past_the_end == "error":
        raise Problem("bad_parameter", name="page")
    rows = [show(item) for item in items[begin:begin + size]]
    info = {"page": number, "per_page": size, "count": len(rows), "total_count": len(items)}
    if switches.total_pages:
        info["total_pages"] = -(-len(items) // size)
    return success(rows, info if switches.result_info else None)


def matches(filter_text: str, value: str) -> bool:
    """Whether a value is what ``example.com``, ``contains:example`` or the like asks for."""
    operator, colon, wanted = filter_text.partition(":")
    sensitive = operator.endswith(_SENSITIVE)
    test = _OPERATORS.get(operator.removesuffix(_SENSITIVE)) if colon else None
    if test is None:
        test, wanted = _OPERATORS["equal"], filter_text
    return test(value, wanted) if sensitive else test(value.lower(), wanted.lower())
