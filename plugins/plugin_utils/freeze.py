# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows of time in which nothing may be changed, as people write them. Does no I/O but for the time zones."""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t
import zoneinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORMS = '"2026-12-20T00:00Z/2027-01-05T00:00Z", "Fri 16:00-Mon 06:00 Europe/Berlin", "Mon-Fri 09:00-17:00 Europe/Berlin" or "09:00-17:00 UTC"'

_DAY = "(mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_TIME = "([0-9]{1,2}:[0-9]{2})"
_SPAN = re.compile(rf"{_DAY} +{_TIME} *- *{_DAY} +{_TIME} +(\S+)", re.IGNORECASE)
_DAILY = re.compile(rf"(?:{_DAY}(?: *- *{_DAY})? +)?{_TIME} *- *{_TIME} +(\S+)", re.IGNORECASE)
_ONCE = re.compile(r"(\S+(?: +[0-9:]+\S*)?) */ *(\S+(?: +[0-9][0-9:]+\S*)?)(?: +([A-Za-z]\S*))?")
# Windows that follow each other without a gap are one. More of them than this in a row have no end that anybody waits for.
_MOST_IN_A_ROW = 1000


class Window(t.Protocol):
    def until(self, now: datetime.datetime) -> datetime.datetime | None:
        """When the window that holds at ``now`` ends; None when it does not hold."""


@dataclasses.dataclass(frozen=True)
class Once:
    start: datetime.datetime
    end: datetime.datetime

    def until(self, now: datetime.datetime) -> datetime.datetime | None:
        return self.end if self.start <= now < self.end else None


@dataclasses.dataclass(frozen=True)
class Weekly:
    """Begins on each of some days of the week.

    :param days: numbers, from 0 for Monday.
    :param start: minutes since midnight.
    :param end: minutes since the midnight in which the day of the beginning begins.
    """

    days: t.Collection[int]
    start: int
    end: int
    zone: datetime.tzinfo

    def until(self, now: datetime.datetime) -> datetime.datetime | None:
        today = now.astimezone(self.zone).date()
        for back in range(9):
            day = today - datetime.timedelta(days=back)
            if day.weekday() in self.days and self._at(day, self.start) <= now < self._at(day, self.end):
                return self._at(day, self.end)
        return None

    def _at(self, day: datetime.date, minutes: int) -> datetime.datetime:
        # What clocks on the wall show, on the days as well on which they are set forward or back.
        shown = datetime.datetime.combine(day, datetime.time()) + datetime.timedelta(minutes=minutes)
        return shown.replace(tzinfo=self.zone).astimezone(datetime.timezone.utc)


def parse(said: str) -> Window:
    """
    :raises ValueError: with what is wrong.
    """
    found = _SPAN.fullmatch(said)
    if found:
        first, last = _day(found[1]), _day(found[3])
        start, end = _minutes(found[2]), _minutes(found[4])
        days = (last - first) % 7 or (0 if end > start else 7)
        return Weekly([first], start, end + days * 1440, _zone(found[5]))
    found = _DAILY.fullmatch(said)
    if found:
        first = _day(found[1]) if found[1] else 0
        last = _day(found[2]) if found[2] else first if found[1] else 6
        start, end = _minutes(found[3]), _minutes(found[4])
        return Weekly([(first + more) % 7 for more in range((last - first) % 7 + 1)], start, end if end > start else end + 1440, _zone(found[5]))
    found = _ONCE.fullmatch(said)
    if not found:
        raise ValueError(f"is not understood. Write it like {FORMS}")
    start_at = _moment(found[1], found[3])
    # Whoever names a day as the end means all of it.
    end_at = _moment(found[2] + "T24:00" if re.fullmatch("[0-9-]{8,10}", found[2]) else found[2], found[3])
    if end_at <= start_at:
        raise ValueError("ends before it begins")
    return Once(start_at, end_at)


def _day(said: str) -> int:
    return DAYS.index(said[:3].lower())


def _minutes(said: str) -> int:
    hours, minutes = map(int, said.split(":"))
    if hours * 60 + minutes > 1440 or minutes > 59:
        raise ValueError(f"has a time of day that there is not: {said}")
    return hours * 60 + minutes


def _zone(name: str) -> datetime.tzinfo:
    if name.upper() in ("UTC", "Z"):
        # Also where the system has no time zones.
        return datetime.timezone.utc
    try:
        return zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"names the time zone {name}, which this system does not know. Use one like Europe/Berlin or UTC, or install tzdata") from None


def _moment(said: str, zone: str | None) -> datetime.datetime:
    midnight = said.endswith("T24:00")
    try:
        found = datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", said.removesuffix("T24:00")))
    except ValueError:
        raise ValueError(f"is not understood at {said}. Write it like {FORMS}") from None
    if not found.tzinfo and not zone:
        raise ValueError(f"does not say in which time zone {said.removesuffix('T24:00')} is. Add Z, an offset or a name such as Europe/Berlin")
    found += datetime.timedelta(days=midnight)
    return (found if found.tzinfo else found.replace(tzinfo=_zone(zone or ""))).astimezone(datetime.timezone.utc)


def complaints(role: str, windows: t.Iterable[str]) -> list[str]:
    """What is wrong with the option of a role."""
    found = []
    for said in windows:
        try:
            parse(said)
        except ValueError as error:
            found.append(f"{role}_freeze: the window {said!r} {error}")
    return found


def frozen(windows: t.Sequence[str], now: str) -> dict[str, str]:
    """The window that holds at ``now`` and when changes are possible again; empty when none holds.

    :param now: ISO 8601 with a zone.
    """
    moment = _moment(now, None)
    parsed = {said: parse(said) for said in windows}
    holding = next((said for said, window in parsed.items() if window.until(moment)), None)
    if holding is None:
        return {}
    for dummy in range(_MOST_IN_A_ROW):
        ends = [end for end in (window.until(moment) for window in parsed.values()) if end]
        if not ends:
            return {"window": holding, "until": moment.strftime("%Y-%m-%d %H:%M UTC")}
        moment = max(ends)
    return {"window": holding, "until": ""}
