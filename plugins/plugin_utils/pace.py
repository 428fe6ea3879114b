# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time in a flow: moments, durations, and the share of the vendor's rate that each task of a run may use."""

from __future__ import annotations

import datetime
import json
import math
import re
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json, text

# Each task begins with an empty window of its own, so it is what all of them send together that has to stay below the limits. What a task may send
# at once is worth no more time than it takes Ansible to start the next one.
SHARE = 0.93
MOST_AT_ONCE = 10


def moment(said: str) -> datetime.datetime | None:
    """A date or a time in ISO 8601; without a zone in UTC, and a date alone is its first moment: to be too early does no harm."""
    try:
        found = datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", said.strip()))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def duration(seconds: float) -> str:
    """In two units at most."""
    minutes = math.ceil(max(0.0, seconds) / 60)
    if minutes < 2:
        return f"{math.ceil(max(0.0, seconds))} s"
    days, hours = minutes // 1440, minutes // 60
    return f"{days} d {hours % 24} h" if days > 1 else f"{hours} h {minutes % 60:02} min" if hours else f"{minutes} min"


def rate_limits(given: t.Any, role: str, published: t.Sequence[Json]) -> tuple[list[dict[str, float]], str]:
    """The option of a role: the limits, those of the vendor where none are given, and what is wrong with it."""
    try:
        value = json.loads(given) if isinstance(given, str) and given.strip() else given
        limits = [{"requests": int(limit["requests"]), "seconds": float(limit["seconds"])} for limit in (value if text(value) else None) or published]
        if all(limit["requests"] > 0 and limit["seconds"] > 0 for limit in limits):
            return limits, ""
    except (TypeError, ValueError, KeyError):
        pass
    return list(map(dict, published)), f"{role}_rate_limits is a list of mappings with requests and seconds, both above 0"


def rate(limits: t.Sequence[Json]) -> float:
    """Requests a second that can be kept up."""
    return SHARE * float(min(limit["requests"] / limit["seconds"] for limit in limits))


def pace(expected: int, limits: t.Sequence[Json]) -> list[dict[str, t.Any]]:
    """The limits for each task of a run, so that all of them together stay within ``limits``.

    What a window holds in any case need not be slowed down for it. Beyond that, the requests are spread evenly.

    :param expected: how many requests there will be, roughly.
    """
    narrow = [limit for limit in limits if expected > SHARE * limit["requests"]]
    if not narrow:
        return list(map(dict, limits))
    at_once = max(1, min(MOST_AT_ONCE, int(min(limit["requests"] for limit in narrow) * 0.05)))
    return [{"requests": at_once, "seconds": at_once / rate(narrow)}]
