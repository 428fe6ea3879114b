# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verifies a journal: whether each line is still the one that was written, in its place.

Needs Python 3.9 and nothing else, neither Ansible nor this collection, so that an auditor can run a copy of this file:

    python3 journal_verify.py JOURNAL
    python3 journal_verify.py JOURNAL --record report.json
    python3 journal_verify.py JOURNAL --head SHA256 --lines NUMBER

A line carries as ``prev`` the SHA-256 of the raw line before it, so nothing before the last line can be changed, removed, inserted or reordered unseen.
The end is held by what a report or a job keeps of it, the number of lines and the SHA-256 of the last one: with these, a cut end is seen as well.

Exit status: 0 it is whole; 1 it is not; 2 it cannot be read, or the arguments cannot be used.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import typing as t

# What the first line carries instead of the hash of a line before it.
GENESIS = "0" * 64
MOST_PROBLEMS = 20


def line_hash(line: bytes) -> str:
    """The hash that stands for a line, which is given without its line feed."""
    return hashlib.sha256(line).hexdigest()


@dataclasses.dataclass
class Verified:
    """What a journal has turned out to be.

    :param lines: how many there are, with those that were torn.
    :param head: the hash of the last one.
    :param problems: what is wrong, in words, each with the number of the line; only the first of them are kept.
    :param torn: numbers of lines that a killed run has left unfinished. They are part of the chain, and no problem.
    :param unchained: how many lines at the beginning are from a version that made no chain. They can be believed as far as the file can.
    """

    lines: int = 0
    head: str = GENESIS
    problems: list[str] = dataclasses.field(default_factory=list)
    problem_count: int = 0
    torn: list[int] = dataclasses.field(default_factory=list)
    unchained: int = 0
    unfinished: bool = False

    @property
    def intact(self) -> bool:
        return self.problem_count == 0

    def complain(self, text: str) -> None:
        self.problem_count += 1
        if self.problem_count <= MOST_PROBLEMS:
            self.problems.append(text)


def parse_line(raw: bytes) -> dict[str, t.Any] | None:
    """The object in a line; None where there is none."""
    try:
        found = json.loads(raw.decode("utf-8"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def verify(
    raw_lines: t.Iterable[bytes],
    *,
    anchors: t.Iterable[tuple[int, str]] = (),
    see: t.Callable[[int, dict[str, t.Any]], None] | None = None,
) -> Verified:
    """Read a journal once from its beginning to its end.

    :param raw_lines: its lines with their line feeds, as a file that was opened for bytes gives them.
    :param anchors: what somebody has kept of it: after how many lines the last one had which hash.
    :param see: called with the number and the object of each line that holds one.
    """
    found = Verified()
    kept: dict[int, set[str]] = {}
    for place, head in anchors:
        kept.setdefault(int(place), set()).add(head.lower())
    chained = False
    # Of the lines so far, where each hash stood: tells a line that is out of place from one that was changed.
    places = {GENESIS: 0}
    for number, raw in enumerate(raw_lines, 1):
        found.unfinished = not raw.endswith(b"\n")
        line = raw.rstrip(b"\n") if not found.unfinished else raw
        entry = parse_line(line)
        prev = entry.get("prev") if entry else None
        if entry is None:
            found.torn.append(number)
        elif not isinstance(prev, str):
            if chained:
                found.complain(f"line {number} carries no hash of the line before it: it was inserted, or its hash was removed")
            else:
                found.unchained += 1
        else:
            chained = True
            if prev != found.head:
                found.complain(_broken(number, prev, found.head, places))
        if entry is not None and see:
            see(number, entry)
        found.lines, found.head = number, line_hash(line)
        places[found.head] = number
        for head in kept.pop(number, ()):
            if head != found.head:
                found.complain(f"line {number} is not the one that was the last when {number} lines were reported: it, or one before it, was changed")
    for place, heads in sorted(kept.items()):
        if place == 0:
            continue
        found.complain(f"the end was cut: {place} lines were reported, the last with the hash {min(heads)[:16]}, and there are {found.lines}")
    return found


def _broken(number: int, prev: str, expected: str, places: t.Mapping[str, int]) -> str:
    place = places.get(prev)
    if place is None:
        return (
            f"line {number} does not follow line {number - 1}: what stood before it was changed or removed"
            if number > 1
            else "line 1 is not the first: lines before it were removed"
        )
    if place == 0:
        return f"line {number} was written as the first line of a journal: what stands before it was inserted, or it is of another journal"
    return f"line {number} was written after line {place}: what stands between them was inserted, or the lines were reordered"


class Summary:
    """What a journal tells, taken in line by line: its runs, and what was begun and has no outcome. Give :meth:`see` to :func:`verify`."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, t.Any]] = {}
        self._begun: dict[tuple[str, str], dict[str, t.Any]] = {}

    def see(self, number: int, entry: t.Mapping[str, t.Any]) -> None:
        event, moment = str(entry.get("event")), entry.get("time")
        run = self._runs.setdefault(str(entry.get("run")), {
            "run": str(entry.get("run")), "what": None, "reference": None, "by": None, "job": None, "started": moment, "last": moment, "ended": False,
            "headline": None, "events": {},
        })
        run["last"] = moment
        run["events"][event] = run["events"].get(event, 0) + 1
        run["what"] = run["what"] or entry.get("role") or entry.get("module")
        if event == "run_started":
            run.update({name: entry.get(name) for name in ("reference", "by", "job")})
        if event == "run_ended":
            run.update(ended=True, headline=entry.get("headline"))
        if event in ("intent", "outcome"):
            begun = (str(entry.get("module")), str(entry.get("target")))
            # What a later run says of the same target settles what an earlier one has left open.
            self._begun.pop(begun, None)
            if event == "intent" or entry.get("outcome") == "unknown":
                self._begun[begun] = {**{name: entry.get(name) for name in ("module", "target", "action", "run", "time", "message")}, "line": number}

    @property
    def runs(self) -> list[dict[str, t.Any]]:
        """One for each id: a run of a flow, or a task of a module."""
        return list(self._runs.values())

    @property
    def open_targets(self) -> list[dict[str, t.Any]]:
        """Targets of which an intent has no outcome after it, or one that is not known: somebody has to look what became of them."""
        return sorted(self._begun.values(), key=lambda begun: begun["line"])


# -- command -----------------------------------------------------------------------------------------------------------------------------


def anchor_of(record: t.Any) -> tuple[int, str] | None:
    """What a report in JSON keeps of the end of the journal; None where it keeps nothing."""
    run = record.get("run") if isinstance(record, dict) else None
    head = run.get("journal_head") if isinstance(run, dict) else None
    if not isinstance(head, dict) or not isinstance(head.get("lines"), int) or not isinstance(head.get("sha256"), str):
        return None
    return head["lines"], head["sha256"]


def main(arguments: t.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="journal_verify", description="Verifies the hash chain of a journal of certops.remediation.")
    parser.add_argument("journal", help="the journal, a file with a JSON object in each line")
    parser.add_argument("--record", action="append", default=[], help="a report of a run in JSON, which holds the end of the journal; may be repeated")
    parser.add_argument("--lines", type=int, help="how many lines there were when --head was kept")
    parser.add_argument("--head", help="the SHA-256 of the last line at that time, in hexadecimal")
    given = parser.parse_args(arguments)
    if (given.lines is None) != (given.head is None):
        parser.error("--lines and --head go together")
    anchors = [] if given.head is None else [(given.lines, given.head)]
    try:
        for path in given.record:
            with open(path, encoding="utf-8") as file:
                anchor = anchor_of(json.load(file))
            if anchor is None:
                sys.stderr.write(f"{_shown(path)} is no report that holds the end of a journal\n")
                return 2
            anchors.append(anchor)
        summary = Summary()
        with open(given.journal, "rb") as file:
            found = verify(file, anchors=anchors, see=summary.see)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no JSON"
        sys.stderr.write(f"cannot read {_shown(getattr(error, 'filename', None) or 'the record')}: {reason}\n")
        return 2
    for line in report_lines(found, anchored=bool(anchors)):
        sys.stdout.write(f"{_shown(line)}\n")
    for begun in summary.open_targets[:MOST_PROBLEMS]:
        told = _shown(f"look what became of {begun['target']}: {begun['action']}, begun at {begun['time']} (line {begun['line']})")
        sys.stdout.write(f"{told}\n")
    return 0 if found.intact else 1


def report_lines(found: Verified, *, anchored: bool) -> list[str]:
    """What was found, in words."""
    lines = list(found.problems)
    if found.problem_count > len(found.problems):
        lines.append(f"and {found.problem_count - len(found.problems)} more problems")
    if found.unchained:
        lines.append(f"the first {found.unchained} lines are from a version that made no chain; what was done to them cannot be seen, except to the last")
    if found.torn:
        shown = ", ".join(map(str, found.torn[:10])) + (" and more" if len(found.torn) > 10 else "")
        lines.append(f"unfinished, as a killed run leaves them, and part of the chain: line {shown}")
    lines.append(f"lines: {found.lines}")
    lines.append(f"head: {found.head}")
    if found.intact:
        lines.append("whole" if anchored else "whole, as far as it goes: without --record or --head a cut end cannot be seen")
    else:
        lines.append("NOT WHOLE: this journal is not as it was written")
    return lines


def _shown(text: str) -> str:
    """For a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


if __name__ == "__main__":
    raise SystemExit(main())
