# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the report that a template makes badly: the table for spreadsheets, and the curve of what is left. Does no I/O."""

from __future__ import annotations

import csv
import datetime
import io
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json

# A spreadsheet takes a cell that begins so for a formula, which may call programs and send what the sheet holds elsewhere.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What a user expects of a table is a line for each certificate and the same columns whatever the flow is.
COLUMNS = ("certificate", "where", "platform", "planned", "result", "label", "before", "now", "note", "ends", "who", "what_to_do")
WIDTH, HEIGHT = 1000, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 16, 16, 34


def printable(value: t.Any) -> t.Any:
    """The same with every text in it on one line and without control characters, as it may be shown in a terminal, a ticket or a page."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(character if character.isprintable() else " " for character in value)
    if isinstance(value, t.Mapping):
        return {key: printable(member) for key, member in value.items()}
    return [printable(member) for member in value] if isinstance(value, (list, tuple)) else value


# -- CSV ---------------------------------------------------------------------------------------------------------------------------------


def cell(value: t.Any) -> str:
    """Text for one cell: on one line, without what a terminal would obey, and never a formula."""
    text = "" if value is None else str(value)
    told = str(printable(text))
    # Leading blanks are cut by some programs, and what comes after them would stand first.
    return f"'{told}" if text.startswith(FORMULA) or told.lstrip().startswith(FORMULA) else told


def as_csv(record: Json, words: Json) -> str:
    """One line for each certificate, RFC 4180."""
    fields = words["fields"]
    results = {result["key"]: result for result in words["results"]}
    advice = {(group["result"], str(group["text"]).lower()): group for group in record["open"]}
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in record["certificates"]:
        result = results[row["result"]]
        said = str(row.get(result.get("told_by", "why"), "")).lower()
        whose = advice.get((row["result"], said), result)
        writer.writerow(map(cell, (
            row["name"],
            row[fields["where"]],
            row.get("platform") or words.get("platform"),
            "yes" if row["planned"] else "no",
            row["result"],
            result["label"],
            row[fields["before"]],
            row["now"],
            row["note"],
            row.get(fields.get("expires", "")),
            whose.get("who"),
            whose.get("what"),
        )))
    return output.getvalue()


# -- burn-down ---------------------------------------------------------------------------------------------------------------------------


def _moment(said: str) -> datetime.datetime | None:
    try:
        found = datetime.datetime.fromisoformat(said.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def burn_down(record: Json) -> str:
    """What was still to be done over time, against the deadline, as SVG; empty where there is no deadline or nothing was done yet.

    It holds numbers and times that were made here, and no text of anybody else.
    """
    deadline = _moment(str(record.get("deadline") or ""))
    points = [(moment, int(left)) for moment, left in ((_moment(str(said)), left) for said, left in record.get("progress") or []) if moment]
    if deadline is None or len(points) < 2:
        return ""
    start, now = points[0][0], points[-1][0]
    end = max(deadline, now)
    seconds = max(1.0, (end - start).total_seconds())
    most = max(1, *(left for dummy, left in points))

    def x(moment: datetime.datetime) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (moment - start).total_seconds() / seconds

    def y(left: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - left / most)

    steps: list[str] = []
    for place, (moment, left) in enumerate(points):
        if place:
            steps.append(f"{x(moment):.1f},{y(points[place - 1][1]):.1f}")
        steps.append(f"{x(moment):.1f},{y(left):.1f}")
    line, left = " ".join(steps), points[-1][1]
    base = y(0)
    late = deadline < now
    needed = f'<line class="need" x1="{x(now):.1f}" y1="{y(left):.1f}" x2="{x(deadline):.1f}" y2="{base:.1f}"/>' if left and not late else ""
    marks = "".join(
        f'<line class="grid" x1="{_LEFT}" y1="{y(value):.1f}" x2="{WIDTH - _RIGHT}" y2="{y(value):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>'
        for value in sorted({0, most // 2, most})
    )
    # Beside the point where there is room, and away from the edges.
    near_end = x(now) > WIDTH * 0.7
    told = f"{left} left" if left else "done"
    label_x = x(now) - 10 if near_end else x(now) + 10
    due_left = x(deadline) > WIDTH * 0.5
    return (
        f'<svg class="burn" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{left} of {points[0][1]} still to be done at {now:%Y-%m-%d %H:%M} UTC; '
        f'the deadline is {deadline:%Y-%m-%d %H:%M} UTC">{marks}'
        f'<polygon class="area" points="{x(start):.1f},{base:.1f} {line} {x(now):.1f},{base:.1f}"/><polyline class="done" points="{line}"/>{needed}'
        f'<line class="due" x1="{x(deadline):.1f}" y1="{_TOP}" x2="{x(deadline):.1f}" y2="{base:.1f}"/>'
        f'<text class="due" x="{x(deadline) + (-8 if due_left else 8):.1f}" y="{_TOP + 12}" text-anchor="{"end" if due_left else "start"}">'
        f"deadline {deadline:%Y-%m-%d %H:%M} UTC</text>"
        f'<circle class="now" cx="{x(now):.1f}" cy="{y(left):.1f}" r="5"/>'
        f'<text class="now" x="{label_x:.1f}" y="{max(_TOP + 30, y(left) - 10):.1f}" text-anchor="{"end" if near_end else "start"}">{told}</text>'
        f'<text x="{_LEFT}" y="{HEIGHT - 10}">{start:%Y-%m-%d %H:%M} UTC</text>'
        f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{end:%Y-%m-%d %H:%M} UTC</text></svg>'
    )
