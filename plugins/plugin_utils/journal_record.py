# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a flow writes into the journal, and the record of a run made of a journal alone: the report of a run that was killed, or is still going on.

Does no I/O. Each event is described in docs/journal.md.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import (
    FORMAT,
    REPORT_FORMATS,
    Json,
    open_groups,
    path,
    platforms,
    progress_points,
    remaining,
    report_base,
    text,
    words_of,
)

# What the report tells of every flow.
COMMON_SETTINGS = (
    "deny",
    "max_changes",
    "expected_changes",
    "freeze",
    "freeze_override",
    "plan_digest",
    "canary_size",
    "wave_size",
    "max_failed_percent",
    "fail_on",
    "expiring_days",
)
TONES = ("good", "plan", "wait", "bad", "idle")

# Lines stay short enough to be read by people and by other programs.
ROWS_IN_A_LINE = 100
# By what a row and a line of a module may be known to be of one certificate, what is most exact first.
IDENTITIES = ("dn", "guid", "thumbprint", "fingerprint_sha256", "certificate_id", "serial", "id", "order_id", "public_key_sha256", "new_key", "unit")
_SAME = {"certificate_dn": "dn", "certificate_guid": "guid"}
# The words of the report. Whoever reads it has only the journal, so what is not known is said with the question to ask.
RESULTS: tuple[dict[str, t.Any], ...] = (
    {"key": "failed", "label": "failed", "tone": "bad", "who": "You", "what": "Mend the cause, then run the same command again. It goes on with these."},
    {
        "key": "unknown", "label": "not known what became of it", "tone": "bad", "alarm": True, "who": "You", "what":
        "The change was begun and nothing says how it ended. Look whether the platform shows it, or run the same command again: it reads first and does "
        "nothing twice.",
    },
    {
        "key": "pending", "label": "accepted, not finished", "tone": "wait", "waits": True, "who": "Whoever has to approve or issue", "what":
        "The platform has accepted it. Run the same command again to see.",
    },
    {
        "key": "not_attempted", "label": "not attempted", "tone": "idle", "who": "You", "what":
        "Nothing was begun for these. Run the same command again. It goes on with these.",
    },
    {
        "key": "partly", "label": "partly done", "tone": "wait", "waits": True, "who": "You", "what":
        "A first step was done, such as a hold or a new certificate, and the last one was not. Run the same command again. It goes on with these.",
    },
    {"key": "planned", "label": "in the plan", "tone": "plan"},
    {"key": "applied", "label": "done", "tone": "good", "settled": True},
    {"key": "unchanged", "label": "nothing to do", "tone": "good", "settled": True},
    {"key": "left", "label": "not in the plan", "tone": "idle"},
)
# Outcomes of the modules that the report does not tell apart.
_AS = {"refused": "failed"}


# -- what a flow writes ------------------------------------------------------------------------------------------------------------------


def run_started(options: Json, run: Json) -> list[dict[str, t.Any]]:
    return [{
        "event": "run_started",
        "role": options["role"],
        **{name: run.get(name) for name in ("by", "job")},
        "reference": options["reference"],
        "settings": {
            **{name: options[name] for name in ("deny", "plan_digest", "freeze", "freeze_override", "fail_on", "continue_on_error")},
            **options["number"],
        },
    }]


def planned(record: Json, words: Json) -> list[dict[str, t.Any]]:
    """The plan with a compact row for each certificate that is to be changed, and what refuses it."""
    fields, key = words["fields"], record["key"]
    rows = [
        {
            "key": str(row[key]),
            "name": row["name"],
            "where": row[fields["where"]],
            "before": row[fields["before"]],
            "platform": row.get("platform") or words.get("platform") or "",
            "ids": {name: str(row[name]) for name in IDENTITIES if row.get(name) not in (None, "")},
        }
        for row in record["certificates"]
        if row["planned"]
    ]
    plan = {
        "event": "planned",
        **{name: record[name] for name in ("flow", "title", "what", "plan_digest", "counts", "settings", "deadline")},
        "control_plane": record["run"]["control_plane"],
    }
    refused = [{"event": "refused", "refusals": record["refusals"]}] if record["refusals"] else []
    return [plan, *_in_lines("planned_rows", rows), *refused]


def wave_started(wave: Json) -> list[dict[str, t.Any]]:
    members = [str(member) for member in wave["members"]]
    return [{"event": "wave_started", "wave": wave["name"], "size": wave["size"], "interim": wave.get("interim", False), "members": members}]


def wave_ended(done: Json, wave: Json) -> list[dict[str, t.Any]]:
    counted = done["waves"][-1]
    return [{
        "event": "wave_ended",
        "wave": wave["name"],
        "interim": wave.get("interim", False),
        **{name: counted[name] for name in ("size", "fine", "pending", "bad", "changed")},
        "outcomes": {str(member): done["outcomes"][member] for member in wave["members"] if member in done["outcomes"]},
        "messages": {str(member): done["messages"][member] for member in wave["members"] if member in done["messages"]},
        "stopped": done["stopped"],
    }]


def run_ended(record: Json, words: Json) -> list[dict[str, t.Any]]:
    """How it ended, with what has become of each certificate that was to be changed."""
    rows = [
        {"key": str(row[record["key"]]), "result": row["result"], "now": row.get("now") or "", "note": row.get("note") or ""}
        for row in record["certificates"]
        if row["planned"]
    ]
    shown = [
        {**{name: result[name] for name in ("key", "label", "tone")}, "count": record["results"][result["key"]]}
        for result in words["results"]
        if record["results"][result["key"]]
    ]
    ended = {
        "event": "run_ended",
        **{name: record[name] for name in ("headline", "tone", "counts", "plan_digest", "stopped", "open")},
        "results": shown,
    }
    return [*_in_lines("ended_rows", rows), ended]


def _in_lines(event: str, rows: t.Sequence[Json]) -> list[dict[str, t.Any]]:
    return [{"event": event, "rows": list(rows[start : start + ROWS_IN_A_LINE])} for start in range(0, len(rows), ROWS_IN_A_LINE)]


# -- what is made of it ------------------------------------------------------------------------------------------------------------------


def entries_of(text: str) -> list[dict[str, t.Any]]:
    """The objects in the lines of a journal; what was torn by a kill holds none."""
    found = []
    for line in text.split("\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def flow_runs(entries: t.Iterable[Json]) -> list[str]:
    """The ids of the runs of flows, in the order in which they began."""
    return list(dict.fromkeys(str(entry.get("run")) for entry in entries if entry.get("event") == "run_started"))


class Rows:
    """The planned certificates, found again by a member of a wave or by a line of a module."""

    def __init__(self) -> None:
        self.all: list[dict[str, t.Any]] = []
        self._by: dict[tuple[str, str], list[int]] = {}
        self._by_any: dict[str, list[int]] = {}

    def add(self, row: Json) -> None:
        place = len(self.all)
        self.all.append({**row, "result": "not_attempted", "why": "", "now": "", "note": "", "begun": False})
        for kind, value in (row.get("ids") or {}).items():
            self._by.setdefault((kind, str(value).lower()), []).append(place)
            self._by_any.setdefault(str(value).lower(), []).append(place)
        for value in (row["key"], row["name"]):
            self._by_any.setdefault(str(value).lower(), []).append(place)

    def of_member(self, member: str) -> list[dict[str, t.Any]]:
        """Several where an order or an object of the platform stands for more than one certificate.

        A flow that goes through its waves twice puts a word before the member, as in ``revoke:4711`` or ``revoke 4711``.
        """
        for known in (member, member.partition(":")[2], member.partition(" ")[2]):
            places = self._by_any.get(known.lower()) if known else None
            if places:
                return [self.all[place] for place in dict.fromkeys(places)]
        return []

    def of_line(self, line: Json) -> dict[str, t.Any] | None:
        given = {_SAME.get(name, name): value for name, value in line.items() if not isinstance(value, (dict, list)) and value not in (None, "")}
        for kind in IDENTITIES:
            found = self._only(self._by.get((kind, str(given[kind]).lower()))) if kind in given else None
            if found:
                return found
        target = str(line.get("target") or "")
        # Where there is nothing but a key yet, the module names a target by its common name and the beginning of the key.
        return self._only(self._by_any.get(target.lower())) or self._only(self._by_any.get(target.rpartition(" (")[0].lower()))

    def _only(self, places: t.Collection[int] | None) -> dict[str, t.Any] | None:
        found = set(places or ())
        return self.all[found.pop()] if len(found) == 1 else None


def options(given: Json) -> dict[str, t.Any]:
    """The options of the role report, as its tasks use them."""
    formats = words_of(given["report_formats"]) or ["html"]
    unknown = [name for name in formats if name not in REPORT_FORMATS]
    found = {
        "report_journal_path says which journal; set it": not text(given["journal_path"]),
        f"report_formats does not know {', '.join(unknown)}. It knows {', '.join(REPORT_FORMATS)}": unknown,
    }
    return {
        "role": "report",
        "journal": path(given["journal_path"]),
        "run": text(given["run"]),
        "records": [path(record) for record in words_of(given["records"])],
        "report_base": report_base(given["report_path"]),
        "report_formats": formats,
        # What the steps of the flows ask for as well; it is written where its user is, and delivered nowhere.
        "report_url": "",
        "complaints": [said for said, applies in found.items() if applies],
    }


def record_of(journal_text: str, run: str = "", journal: str = "", verified: Json | None = None) -> dict[str, t.Any]:
    """The record and the words of one run of a flow, made of a journal alone.

    :param journal_text: all of it.
    :param run: the id of the run, or the beginning of it; by default the last one.
    :param journal: its path, for the report.
    :param verified: what the module journal_info says of it.
    :return: ``record`` and ``words`` as the report of a flow takes them, ``runs`` with all ids, and ``complaint`` if there is nothing to report on.
    """
    entries = entries_of(journal_text)
    runs = flow_runs(entries)
    chosen = [known for known in runs if known.startswith(run)][-1:]
    if not chosen:
        named = f"no run {run} in it" if run else "no run of a flow in it"
        return {"record": {}, "words": {}, "runs": runs, "complaint": f"there is {named}{'. It has ' + ', '.join(runs[-5:]) if runs else ''}"}
    try:
        made = _Course(entries, chosen[0]).result()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return {"record": {}, "words": {}, "runs": runs, "complaint": f"run {chosen[0]} has lines that are not as this version writes them ({error!r})"}
    record = made["record"]
    record["run"].update(journal=journal, journal_head=(verified or {}).get("head") or {})
    if verified and not verified["intact"]:
        note = {"tone": "bad", "title": "The journal is not as it was written", "text": ". ".join(verified["problems"])}
        record.update(notes=[note, *record["notes"]], tone="bad")
    return {"record": record, "words": made["words"], "runs": runs, "complaint": ""}


def _tone(said: t.Any) -> str:
    """It becomes part of the markup, so it is one of those that there are."""
    return said if said in TONES else "idle"


class _Course:
    """One run, followed through the journal from its first line to its last."""

    def __init__(self, entries: t.Sequence[Json], run: str) -> None:
        self.rows = Rows()
        self.run = run
        self.begun: dict[str, t.Any] = {}
        self.plan: dict[str, t.Any] = {}
        self.refusals: list[Json] = []
        self.waves: list[dict[str, t.Any]] = []
        self.stopped = ""
        self.ended: dict[str, t.Any] = {}
        self.unplaced = 0
        self.open_wave: list[dict[str, t.Any]] = []
        self.interim = False
        self.last = ""
        self.later = ""
        self.earlier = self._earlier(entries)
        last_own = max(place for place, entry in enumerate(entries) if entry.get("run") == run)
        for place, entry in enumerate(entries):
            if place > last_own and entry.get("event") == "run_started":
                # What a later run has done is told by its own report.
                self.later = str(entry.get("time"))
                break
            if entry.get("run") == run:
                self._own(entry)
                self.last = str(entry.get("time"))
            elif self.plan and not self.ended and entry.get("event") in ("intent", "outcome"):
                self._of_module(entry)
                self.last = str(entry.get("time"))
        if self.unplaced:
            # A line that belongs to one of these and does not say to which.
            for row in self.open_wave:
                if not row["begun"]:
                    row.update(result="unknown", why=f"{self.unplaced} lines of this wave cannot be told apart, and one of them may be about it")

    def _earlier(self, entries: t.Sequence[Json]) -> list[list[t.Any]]:
        """What runs of the same flow for the same incident before this one have left to do, when each of them ended."""
        begun = {str(entry.get("run")): (entry.get("role"), entry.get("reference")) for entry in entries if entry.get("event") == "run_started"}
        order = list(begun)
        same = {run for run in order[: order.index(self.run)] if begun[run] == begun[self.run] and begun[run][1]}
        ends = [entry for entry in entries if entry.get("event") == "run_ended" and str(entry.get("run")) in same]
        return [
            [str(entry.get("time"))[:19] + "Z", remaining({result["key"]: result["count"] for result in entry["results"]}, entry)]
            for entry in ends
        ]

    def _own(self, entry: Json) -> None:
        event = entry.get("event")
        if event == "run_started":
            self.begun = dict(entry)
        elif event == "planned":
            self.plan = dict(entry)
        elif event == "planned_rows":
            for row in entry["rows"]:
                self.rows.add(row)
        elif event == "refused":
            self.refusals = list(entry["refusals"])
        elif event == "wave_started":
            self.open_wave = [row for member in entry["members"] for row in self.rows.of_member(member)]
            for row in self.open_wave:
                row["begun"] = False
            self.unplaced, self.interim = 0, bool(entry.get("interim"))
        elif event == "wave_ended":
            self._wave_ended(entry)
        elif event == "ended_rows":
            for ended in entry["rows"]:
                for row in self.rows.of_member(ended["key"]):
                    row.update(result=ended["result"], why="", now=ended["now"], note=ended["note"])
        elif event == "run_ended":
            self.ended = dict(entry)

    def _wave_ended(self, entry: Json) -> None:
        for member, outcome in entry["outcomes"].items():
            for row in self.rows.of_member(member):
                row.update(result=self._result(outcome), why=entry["messages"].get(member, ""), note="")
        counted = {name: entry[name] for name in ("size", "fine", "pending", "bad", "changed")}
        self.waves.append({"name": entry["wave"], **counted, "ended": str(entry.get("time"))[:19] + "Z"})
        self.stopped = entry["stopped"]
        self.open_wave, self.unplaced, self.interim = [], 0, False

    def _of_module(self, entry: Json) -> None:
        row = self.rows.of_line(entry)
        if row is None:
            self.unplaced += bool(self.open_wave)
        elif entry["event"] == "intent":
            why = f"{entry.get('action')} was begun, and nothing says how it ended"
            row.update(begun=True, result="unknown", why=why, note=f"begun at {entry.get('time')}")
        else:
            row.update(begun=True, result=self._result(str(entry.get("outcome"))), why=str(entry.get("message") or ""), note="")

    def _result(self, outcome: str) -> str:
        if self.interim and outcome in ("applied", "unchanged"):
            return "partly"
        return _AS.get(outcome, outcome)

    # -- record ------------------------------------------------------------------------------------------------------------------------

    def result(self) -> dict[str, t.Any]:
        words = self._words()
        known = {result["key"] for result in words["results"]}
        idle_plan = bool(self.refusals)
        rows = []
        for row in self.rows.all:
            result = "planned" if idle_plan else row["result"] if row["result"] in known else "unknown"
            rows.append({
                **{name: row[name] for name in ("key", "name", "where", "before", "platform", "why", "note")},
                **(row.get("ids") or {}),
                "planned": True,
                "result": result,
                "now": row["now"] or row["why"],
            })
        by_result: dict[str, list[Json]] = {key: [] for key in known}
        for row in rows:
            by_result[row["result"]].append(row)
        selected = int((self.plan.get("counts") or {}).get("selected", len(rows)))
        results = {key: len(members) for key, members in by_result.items()}
        if self.ended:
            results.update({result["key"]: result["count"] for result in self.ended["results"]})
        else:
            results["left"] += max(0, selected - len(rows))
        told = ", ".join(f"{results[result['key']]} {result['label']}" for result in words["results"] if results[result["key"]] and result["key"] != "left")
        changed = sum(wave["changed"] for wave in self.waves)
        record = {
            "format": FORMAT,
            "flow": str(self.begun.get("role")),
            "title": str(self.plan.get("title") or self.begun.get("role")),
            "key": "key",
            "check_mode": False,
            "what": str(self.plan.get("what") or "changed"),
            "deadline": self.plan.get("deadline") or "",
            "irreversible": [],
            "expiring": [],
            "refusals": self.refusals,
            "refused_now": [],
            "stopped": self.stopped,
            "counts": {"selected": selected, "planned": len(rows), "changed": changed, "expiring": 0},
            "results": results,
            "plan_digest": str(self.plan.get("plan_digest") or ""),
            "left": [],
            "open": self.ended.get("open") or open_groups(by_result, words, "name"),
            "waves": self.waves,
            # The report asks for these, and a journal of another version may lack some.
            "settings": {**dict.fromkeys(COMMON_SETTINGS, ""), **(self.begun.get("settings") or {}), **(self.plan.get("settings") or {})},
            "run": {
                "started": str(self.begun.get("time"))[:19] + "Z",
                "ended": self.last[:19] + "Z",
                **{name: self.begun.get(name) or "" for name in ("by", "job", "reference")},
                "control_plane": str(self.plan.get("control_plane") or ""),
                "id": self.run,
            },
            "certificates": rows,
        }
        record["platforms"] = platforms(rows, words) if rows else []
        record["progress"] = [*self.earlier, *progress_points(record, words)]
        return {"record": {**record, **self._headline(told)}, "words": words}

    def _headline(self, told: str) -> dict[str, t.Any]:
        if self.ended:
            return {"headline": self.ended["headline"], "tone": _tone(self.ended["tone"]), "notes": []}
        last = self.last[:19].replace("T", " ")
        later = f" Another run began at {self.later[:19].replace('T', ' ')} UTC; its own report tells what it did." if self.later else ""
        note = {
            "tone": "bad", "title": "This run has not ended",
            "text": f"Its last line was written at {last} UTC. Either it is still at work, or it was killed. What follows is made of the journal alone.{later}",
        }
        if self.refusals:
            said = f"Refused by {', '.join(refusal['guard'] for refusal in self.refusals)}"
        else:
            said = told if self.plan else "it had no plan yet, and nothing was changed"
        return {"headline": f"Not ended: {said}", "tone": "bad", "notes": [note]}

    def _words(self) -> dict[str, t.Any]:
        shown: list[dict[str, t.Any]] = list(map(dict, RESULTS))
        if self.ended:
            # The run has told each in its own words.
            own = [{**{name: result[name] for name in ("key", "label")}, "tone": _tone(result["tone"])} for result in self.ended["results"]]
            shown = own + [result for result in shown if result["key"] not in {entry["key"] for entry in own}]
        return {
            "title": str(self.plan.get("title") or self.begun.get("role")),
            "fields": {"where": "where", "before": "before"},
            "plan_notes": [],
            "sections": [],
            "settings": [
                {"label": name.replace("_", " ").capitalize(), "key": name}
                for name in self.plan.get("settings") or {}
                if name not in COMMON_SETTINGS
            ],
            "results": shown,
            "advice": [],
        }
