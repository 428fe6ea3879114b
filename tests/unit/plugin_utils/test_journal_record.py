# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a flow writes into its journal, and the report that is made of the journal alone."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest

from ansible_collections.certops.remediation.plugins.module_utils.journal import Journal
from ansible_collections.certops.remediation.plugins.module_utils.journal_verify import verify
from ansible_collections.certops.remediation.plugins.plugin_utils import flow, journal_record
from ansible_collections.certops.remediation.plugins.plugin_utils.journal_record import record_of
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

SCHEMA = json.loads(pathlib.Path(__file__).parents[3].joinpath("docs", "journal.schema.json").read_text(encoding="utf-8"))
WORDS = {
    "title": "Revoke certificates",
    "platform": "Keyfactor Command",
    "fields": {"where": "where", "before": "before"},
    "nothing_selected": "Nothing there",
    "results": [
        {"key": "failed", "label": "could not be revoked", "tone": "bad", "who": "You", "what": "Mend it."},
        {"key": "planned", "label": "in the plan", "tone": "plan"},
        {"key": "revoked", "label": "revoked", "tone": "good", "final": True},
        {"key": "left", "label": "left alone", "tone": "idle"},
    ],
    "advice": [],
}
OPTIONS = {**flow.options({**FLOW_OPTIONS, "reference": "INC-1", "canary_size": 0, "wave_size": 2}, "revoke_certificates")}
RUN = {"started": "2026-11-29T21:00:00Z", "ended": "2026-11-29T21:05:00Z", "by": "ada", "job": "AWX job 7"}
NOTHING_DONE = {"outcomes": {}, "messages": {}, "kept": {}, "waves": [], "stopped": ""}
NAMES = ("a", "b", "c", "d")


def row(name, result="planned", **changes):
    return {
        "name": f"{name}.example.com", "label": f"{name} (1)", "id": ord(name), "thumbprint": name.upper() * 40, "where": "lb01", "before": "active",
        "planned": True,
        "result": result, "why": "", "now": "", "note": "", "kind": "one", **changes,
    }


def made_of(rows, done=None, refused=(), **settings):
    return flow.record(rows, {"plan_digest": "sha256:1", "url": "https://kf.example.com"}, done or NOTHING_DONE, refused=refused, sections={}, key="label",
                       options=OPTIONS, settings=settings, run=RUN, words=WORDS, what="revoked", check_mode=False)


class Story:
    """A flow at work, up to where the test ends it."""

    def __init__(self, path, run="run-1", rows=None):
        self.path, self.run = path, run
        self.rows = rows or [row(name) for name in NAMES]
        self.done = NOTHING_DONE
        self.note(journal_record.run_started(OPTIONS, RUN))

    def note(self, entries, run=None):
        journal = Journal(str(self.path), run or self.run)
        journal.write(entries)
        journal.close()
        return self

    def plan(self, refused=(), **settings):
        left = row("z", "left", planned=False)
        self.record = made_of([*self.rows, left], refused=refused, **settings)
        return self.note(journal_record.planned(self.record, WORDS))

    @property
    def waves(self):
        return flow.waves(self.record, OPTIONS, key="id", handed=["id", "thumbprint"], kind="kind")

    def begin(self, place, **changes):
        self.wave = {**self.waves[place], **changes}
        return self.note(journal_record.wave_started(self.wave))

    def module(self, event, name, **more):
        line = {"event": event, "module": "keyfactor_certificate_revoke", "target": f"id {ord(name)}", "id": ord(name),
                "thumbprint": name.upper() * 40, "action": "revoke", **more}
        return self.note([line], run="task-1")

    def end(self, **outcomes):
        targets = [{"target": member, "outcome": outcomes.get(chr(int(member)), "applied"), "changed": True,
                    "message": "no right"} for member in self.wave["members"]]
        wave = flow.Wave(role="x", name=self.wave["name"], members=self.wave["members"], limit=100, is_canary=False, answer={"targets": targets})
        self.done = flow.progress(self.done, wave, total=4, ended="2026-11-29T21:01:00Z")
        return self.note(journal_record.wave_ended(self.done, self.wave))

    def conclude(self, results):
        rows = [row(name, result, now=f"now {result}") for name, result in zip(NAMES, results)]
        return self.note(journal_record.run_ended(made_of([*rows, row("z", "left", planned=False)], self.done), WORDS))

    def told(self, run=""):
        found = record_of(self.path.read_text(encoding="utf-8"), run)
        assert found["complaint"] == ""
        return found["record"]

    def results(self, run=""):
        return {entry["key"][0]: entry["result"] for entry in self.told(run)["certificates"]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def wave_members(story, place):
    return [chr(int(member)) for member in story.waves[place]["members"]]


def test_a_run_that_ended_is_told_in_its_own_words(path):
    story = Story(path).plan().begin(0).end().begin(1).end().conclude(["revoked", "revoked", "revoked", "failed"])
    record = story.told()
    assert record["headline"] == "3 revoked, 1 could not be revoked, 1 left alone" and record["notes"] == []
    assert record["results"]["revoked"] == 3 and record["results"]["left"] == 1
    assert [(group["label"], group["who"]) for group in record["open"]] == [("could not be revoked", "You")]
    assert {entry["now"] for entry in record["certificates"]} == {"now revoked", "now failed"}
    assert (record["run"]["by"], record["run"]["job"], record["run"]["reference"], record["run"]["control_plane"]) == ("ada", "AWX job 7", "INC-1",
                                                                                                                       "kf.example.com")
    assert [(wave["name"], wave["size"], wave["fine"]) for wave in record["waves"]] == [("wave 1 of 2", 2, 2), ("wave 2 of 2", 2, 2)]
    assert record["platforms"][0]["platform"] == "Keyfactor Command"


def test_killed_before_there_was_a_plan(path):
    record = Story(path).told()
    assert record["headline"] == "Not ended: it had no plan yet, and nothing was changed" and record["tone"] == "bad"
    assert record["notes"][0]["title"] == "This run has not ended"


def test_killed_before_the_first_wave(path):
    record = Story(path).plan().told()
    assert record["headline"] == "Not ended: 4 not attempted" and record["counts"]["selected"] == 5 and record["results"]["left"] == 1


def test_killed_within_a_wave(path):
    story = Story(path).plan().begin(0).end().begin(1)
    one, other = wave_members(story, 1)
    story.module("intent", one).module("intent", other).module("outcome", one, outcome="applied", message="revoked")
    assert sorted(story.results().values()) == ["applied", "applied", "applied", "unknown"] and story.results()[other] == "unknown"
    (group,) = story.told()["open"]
    assert group["text"] == "revoke was begun, and nothing says how it ended" and "it reads first and does nothing twice" in group["what"]
    assert story.told()["headline"] == "Not ended: 1 not known what became of it, 3 done"


def test_what_the_wave_says_is_stronger_than_what_its_module_said_on_the_way(path):
    story = Story(path).plan().begin(0)
    one, other = wave_members(story, 0)
    story.module("intent", one).module("outcome", one, outcome="pending").module("intent", other).end(**{other: "failed"})
    assert (story.results()[one], story.results()[other]) == ("applied", "failed")
    assert [group["text"] for group in story.told()["open"] if group["result"] == "failed"] == ["no right"]


def test_what_is_settled_after_the_waves_counts(path):
    story = Story(path).plan().begin(0).end(a="pending", b="pending", c="pending", d="pending")
    one, other = wave_members(story, 0)
    story.module("outcome", one, outcome="applied").module("outcome", other, outcome="refused")
    assert (story.results()[one], story.results()[other]) == ("applied", "failed")


def test_a_first_step_is_not_the_whole(path):
    story = Story(path).plan().begin(0, interim=True).end()
    assert sorted(story.results().values()) == ["not_attempted", "not_attempted", "partly", "partly"]
    story.begin(1, interim=True)
    one, dummy = wave_members(story, 1)
    story.module("intent", one).module("outcome", one, outcome="applied")
    assert story.results()[one] == "partly"


def test_a_line_that_fits_none_leaves_those_of_its_wave_unknown(path):
    story = Story(path).plan().begin(0)
    story.note([{"event": "intent", "module": "m", "target": "something else", "action": "create"}], run="task-1")
    assert sorted(story.results().values()) == ["not_attempted", "not_attempted", "unknown", "unknown"]


def test_a_target_may_be_known_by_its_name_and_key_alone(path):
    story = Story(path).plan().begin(0)
    one, other = wave_members(story, 0)
    story.note([{"event": "intent", "module": "m", "target": f"{one}.example.com (0123456789abcdef)", "action": "create"}], run="task-1")
    assert (story.results()[one], story.results()[other]) == ("unknown", "not_attempted")


def test_a_member_may_stand_for_several_certificates_and_carry_the_name_of_its_wave(path):
    story = Story(path, rows=[row("a", unit="digicert 7"), row("b", unit="digicert 7"), row("c", unit="digicert 8")]).plan()
    wave = {"name": "replace, wave 1 of 1", "size": 2, "members": ["replace digicert 7", "replace digicert 8"], "interim": True}
    story.note(journal_record.wave_started(wave))
    story.done = {**NOTHING_DONE, "outcomes": {"replace digicert 7": "applied", "replace digicert 8": "failed"}, "waves": [
        {"name": wave["name"], "size": 2, "fine": 1, "pending": 0, "bad": 1, "changed": 1},
    ]}
    story.note(journal_record.wave_ended(story.done, wave))
    assert story.results() == {"a": "partly", "b": "partly", "c": "failed"}


def test_a_refused_run(path):
    story = Story(path).plan(refused=[{"guard": "deny", "message": "no"}])
    assert story.told()["headline"] == "Not ended: Refused by deny" and set(story.results().values()) == {"planned"}
    story.conclude(["planned"] * 4)
    assert story.told()["refusals"] == [{"guard": "deny", "message": "no"}] and story.told()["notes"] == []


def test_two_runs_in_one_journal(path):
    """Two engineers run the same incident at once; each report tells its own run, and what the modules did to the same certificates."""
    ada = Story(path, "run-ada").plan()
    bob = Story(path, "run-bob").plan()
    ada.begin(0)
    bob.begin(1)
    mine, others = wave_members(ada, 0), wave_members(ada, 1)
    ada.module("intent", mine[0]).module("intent", others[0]).module("outcome", mine[0], outcome="applied")
    ada.end()
    bob.module("outcome", others[0], outcome="failed")
    assert (ada.results("run-ada")[mine[0]], ada.results("run-ada")[mine[1]]) == ("applied", "applied")
    assert (bob.results("run-bob")[others[0]], bob.results("run-bob")[others[1]]) == ("failed", "not_attempted")
    assert record_of(path.read_text(encoding="utf-8"))["runs"] == ["run-ada", "run-bob"] and ada.told("run-a")["run"]["id"] == "run-ada"
    assert verify(path.read_bytes().splitlines(keepends=True)).intact


def test_a_later_run_does_not_change_what_a_killed_one_tells(path):
    killed = Story(path, "run-1").plan().begin(0)
    one, dummy = wave_members(killed, 0)
    killed.module("intent", one)
    again = Story(path, "run-2").plan().begin(0)
    again.module("intent", one).module("outcome", one, outcome="applied").end()
    assert killed.results("run-1")[one] == "unknown" and again.results("run-2")[one] == "applied"
    assert "Another run began at" in killed.told("run-1")["notes"][0]["text"]


def test_the_curve_goes_on_from_the_runs_before(path):
    Story(path, "run-1").plan(deadline="2026-11-30T21:00:00Z").begin(0).end().conclude(["revoked", "revoked", "failed", "failed"])
    second = Story(path, "run-2").plan(deadline="2026-11-30T21:00:00Z").begin(0).end().begin(1).end()
    record = second.told()
    assert record["deadline"] == "2026-11-30T21:00:00Z" and [left for dummy, left in record["progress"]] == [2, 4, 2, 0, 0]


def test_torn_lines_do_no_harm(path):
    story = Story(path).plan().begin(0)
    with path.open("ab") as file:
        file.write(b'{"prev": "0')
    assert story.told()["headline"] == "Not ended: 4 not attempted"


@pytest.mark.parametrize(
    "content, run, said",
    [
        ("", "", "there is no run of a flow in it"),
        ('{"event": "intent", "run": "t"}\n', "", "there is no run of a flow in it"),
        ('{"event": "run_started", "run": "abc"}\n', "x", "there is no run x in it. It has abc"),
        ('{"event": "run_started", "run": "abc"}\n{"event": "planned_rows", "run": "abc", "rows": [5]}\n', "",
         "run abc has lines that are not as this version"),
    ],
)
def test_what_gives_no_report(content, run, said):
    assert record_of(content, run)["complaint"].startswith(said)


def test_a_broken_journal_gives_a_report_that_says_so(path):
    text = Story(path).plan().path.read_text(encoding="utf-8")
    made = record_of(text, verified={"intact": False, "problems": ["line 2 does not follow line 1"], "head": {"lines": 3, "sha256": "0"}}, journal="/j")
    assert made["record"]["notes"][0] == {"tone": "bad", "title": "The journal is not as it was written", "text": "line 2 does not follow line 1"}
    assert made["record"]["run"]["journal_head"]["lines"] == 3 and made["record"]["run"]["journal"] == "/j"


def test_many_certificates_are_many_short_lines(path):
    rows = [row("a", label=f"{number}", id=number, thumbprint=f"{number:040}") for number in range(1000)]
    story = Story(path, rows=rows).plan()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 12 and max(map(len, lines)) < 40000
    assert len(story.told()["certificates"]) == 1000


def test_no_own_tone_becomes_markup(path):
    story = Story(path).plan().conclude(["revoked"] * 4)
    text = path.read_text(encoding="utf-8").replace('"tone": "good"', '"tone": "\\"><script>"')
    assert "<script>" in text and "<script>" not in json.dumps(record_of(text))
    assert story.told()["tone"] == "plan"


def test_every_line_is_as_the_schema_says(path):
    story = Story(path).plan(refused=[{"guard": "deny", "message": "no"}]).begin(0)
    one, dummy = wave_members(story, 0)
    story.module("intent", one, before={"state": "active"}, planned={"state": "revoked"})
    story.module("outcome", one, outcome="applied", changed=True, after={"state": "revoked"}, message="revoked")
    story.end().begin(1).end(a="failed", b="failed", c="failed", d="failed").conclude(["revoked", "revoked", "failed", "failed"])
    story.note([{"event": "proof", "target": "www.example.com", "message": "served"}])
    checker = jsonschema.Draft202012Validator(SCHEMA)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        assert not [error.message for error in checker.iter_errors(line)], line
    told = {line["event"] for line in lines}
    assert told == {"run_started", "planned", "planned_rows", "refused", "wave_started", "wave_ended", "ended_rows", "run_ended", "intent", "outcome", "proof"}
    for line in lines:
        for name in [*SCHEMA["required"], *SCHEMA["$defs"].get(line["event"], {"required": []})["required"]]:
            lacking = {key: value for key, value in line.items() if key != name}
            assert list(checker.iter_errors(lacking)), f"{line['event']} without {name}"
