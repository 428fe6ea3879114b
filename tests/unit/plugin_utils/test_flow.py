# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options, waves, guards and the record as all flows have them."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, freeze
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Wave
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

WORDS = {
    "title": "A flow",
    "nothing_selected": "Nothing there",
    "results": [
        {"key": "failed", "label": "failed again", "tone": "bad", "advice": True, "told_by": "now"},
        {"key": "unknown", "label": "not known", "tone": "bad", "alarm": True, "who": "You", "what": "Look."},
        {"key": "planned", "label": "in the plan", "tone": "plan"},
        {"key": "done", "label": "done", "tone": "good"},
        {"key": "left", "label": "left alone", "tone": "idle"},
    ],
    "advice": [{"pattern": "CONNECT", "who": "Operations", "what": "Bring it up."}, {"pattern": "", "who": "Somebody", "what": "Look into the log."}],
}
NOTHING_DONE = {"outcomes": {}, "messages": {}, "kept": {}, "stopped": "", "waves": []}
SOME_DONE = {**NOTHING_DONE, "waves": [{"name": "the canary", "changed": 1}]}
PLAN = {"plan_digest": "sha256:1", "url": "https://me:secret@tpp.example.com:8443/vedsdk?x"}


def options_of(**given):
    return flow.options({**FLOW_OPTIONS, **given}, "a_flow")


def row(name="a", **changes):
    return {"name": name, "planned": True, "result": "planned", "why": "", "now": "", "kind": "one", **changes}


def rows_of(count, **changes):
    return [row(f"{number:03}", **changes) for number in range(count)]


def record_of(rows, done=None, refused=(), check_mode=False, **options):
    return flow.record(
        rows, PLAN, done or NOTHING_DONE, refused=refused, sections={"kinds": []}, key="name", options=options_of(**options), settings={"folder": "x"},
        run={"by": "me"}, words=WORDS, what="changed", check_mode=check_mode,
    )


def target(name="a", outcome="applied", message="", **more):
    return {"target": name, "outcome": outcome, "message": message, "changed": outcome == "applied", **more}


def wave_of(*targets, **more):
    given = {
        "role": "a_flow", "name": "wave 1 of 2", "members": [entry["target"] for entry in targets], "limit": 10, "is_canary": False,
        "answer": {"targets": targets},
    }
    return Wave(**{**given, **more})


def progress(wave, done=None):
    return flow.progress(done or NOTHING_DONE, wave, total=8, ended="now")


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unset", [None, "", " "])
def test_what_is_not_set_has_its_default(unset):
    assert options_of(**dict.fromkeys(FLOW_OPTIONS, unset)) == options_of()
    assert options_of()["number"] == flow.NUMBERS
    assert options_of()["report_formats"] == ["html"] and options_of()["complaints"] == []


def test_zero_is_set():
    number = options_of(canary_size=0, max_changes="0", max_failed_percent=0)["number"]
    assert (number["canary_size"], number["max_changes"], number["max_failed_percent"]) == ("0", "0", "0")


def test_options_of_a_survey_are_text():
    options = options_of(deny="web\n\n  mail \n", report_formats="html, json", continue_on_error="true", wave_size=" 7 ", order="given")
    assert options["deny"] == ["web", "mail"] and options["report_formats"] == ["html", "json"]
    assert options["continue_on_error"] is True and options["number"]["wave_size"] == "7" and options["in_given_order"] is True
    assert options_of(continue_on_error=False)["continue_on_error"] is False and options_of(continue_on_error="no")["continue_on_error"] is False


def test_paths_begin_where_the_user_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    options = options_of(report_path="sub.d/report.html", journal_path="~/journal.jsonl")
    assert options["report_base"] == str(pathlib.Path(tmp_path, "sub.d/report")) and options["journal"] == "/home/me/journal.jsonl"
    assert options_of()["report_base"] == "" and options_of()["journal"] == ""
    assert options_of(report_path="report.html")["journal"] == str(pathlib.Path(tmp_path, "report.journal.jsonl"))


@pytest.mark.parametrize(
    "given, complaint",
    [
        ({"wave_size": "x", "max_changes": "-1"}, "a_flow_max_changes, a_flow_wave_size must be a whole number"),
        ({"wave_size": "0"}, "a_flow_wave_size must be at least 1"),
        ({"max_failed_percent": "101"}, "a_flow_max_failed_percent must be at most 100"),
        ({"report_formats": ["html", "pdf"]}, "a_flow_report_formats does not know pdf. It knows html, markdown, json, csv"),
        ({"deny": ["fine", "*"]}, "a_flow_deny is a list of regular expressions, and * is none: nothing to repeat at position 0"),
    ],
)
def test_options_that_cannot_work(given, complaint):
    assert options_of(**given)["complaints"] == [complaint]


# -- waves -------------------------------------------------------------------------------------------------------------------------------


def waves_of(rows, **options):
    return flow.waves({"certificates": rows}, options_of(**options), key="name", handed=["name"], kind="kind")


def test_waves_hold_each_planned_certificate_once():
    rows = [*rows_of(9), row("left", planned=False)]
    waves = waves_of(rows, wave_size=4)
    assert [(wave["name"], wave["size"], wave["limit"], wave["stop_after_failures"]) for wave in waves] == [
        ("the canary", 1, 0, 1), ("wave 1 of 2", 4, 10, 1), ("wave 2 of 2", 4, 10, 1),
    ]
    assert sorted(key for wave in waves for key in wave["members"]) == [entry["name"] for entry in rows[:9]]
    assert waves[0]["title"] == "the canary: 1 certificate" and waves[1]["title"] == "wave 1 of 2: 4 certificates"
    assert waves[1]["targets"] == [{"name": key} for key in waves[1]["members"]]


def test_waves_are_mixed_and_always_the_same():
    rows = rows_of(40)
    assert waves_of(rows) == waves_of(rows)
    assert waves_of(rows)[1]["members"] != sorted(waves_of(rows)[1]["members"])
    assert waves_of(rows, order="given", canary_size=0)[0]["members"] == [entry["name"] for entry in rows]


def test_the_canary_is_of_the_most_frequent_kind():
    rows = [*rows_of(3, kind="rare"), row("x", kind="Often"), *[row(f"o{number}", kind="often") for number in range(4)]]
    (canary, rest) = waves_of(rows, canary_size=2, order="given")
    assert canary["members"] == ["x", "o0"] and rest["size"] == 6


def test_no_waves_without_a_plan():
    assert waves_of([]) == []


def test_wave_that_went_well():
    done = progress(wave_of(target("a"), target("b", "unchanged"), target("c", "pending"), limit=0), {**NOTHING_DONE, "outcomes": {"before": "applied"}})
    assert done["stopped"] == ""
    assert list(done["outcomes"].values()) == ["applied", "applied", "unchanged", "pending"]
    assert done["waves"] == [{"name": "wave 1 of 2", "size": 3, "fine": 2, "pending": 1, "bad": 0, "changed": 1, "ended": "now"}]
    assert done["told"] == "3 of 8 done, 0 failed"


def test_a_wave_is_told_in_the_words_of_the_module():
    wave = wave_of(target("a"), answer={"targets": [target("a")], "summary": {"applied": 1, "failed": 0, "not_attempted": 2}})
    assert wave.told == "wave 1 of 2: 1 applied, 2 not attempted"
    assert wave_of(target("a"), answer={"msg": "killed"}).told == "wave 1 of 2: 1 without a result"


def test_results_belong_to_members_by_their_order():
    wave = wave_of(members=["7", "8"], answer={"targets": [target("shown", "failed", "no"), target("shown as well", number=8)]})
    assert wave.outcomes == {"7": "failed", "8": "applied"} and wave.messages == {"7": "no"}
    done = flow.progress(NOTHING_DONE, wave, total=8, ended="now", keep=["number"])
    assert done["kept"] == {"7": {"number": None}, "8": {"number": 8}}


def test_what_has_become_of_a_member_in_a_later_wave_counts():
    first = progress(wave_of(target("a", "failed", "no"), limit=100))
    assert progress(wave_of(target("a")), first)["messages"] == {}


def test_a_wave_may_shrink():
    (wave,) = waves_of(rows_of(4), canary_size=0, max_failed_percent=50, order="given")
    shrunk = flow.sized(wave, ["002", "000"])
    assert (shrunk["members"], shrunk["targets"], shrunk["size"]) == (["000", "002"], [{"name": "000"}, {"name": "002"}], 2)
    assert (shrunk["title"], shrunk["stop_after_failures"]) == ("wave 1 of 1: 2 certificates", 2)
    assert flow.waves({"certificates": rows_of(1)}, options_of(), key="name", handed=[], kind="kind", prefix="hold: ")[0]["name"] == "hold: the canary"


def test_what_is_late_counts_as_failed():
    wave = wave_of(target("a"), target("b", "pending", "at work", timed_out=True))
    assert wave.stop == "1 of the 2 certificates of wave 1 of 2 failed, which is 50 % and more than a_flow_max_failed_percent=10"
    assert (wave.counts()["pending"], wave.counts()["bad"]) == (0, 1)
    assert wave.messages == {"b": "at work"}


def test_canary_stops_the_run():
    assert wave_of(target("a", "failed", "no"), name="the canary", is_canary=True).stop == "the canary did not make it. a: no"


def test_wave_that_was_given_up():
    assert wave_of(target("a", "not_attempted", "no token")).stop == "wave 1 of 2 was given up: no token"
    assert "which is 100 %" in wave_of(target("a", "not_attempted", "stop_after_failures is 1")).stop
    assert wave_of(target("a", "failed", "no"), limit=100).stop == ""


@pytest.mark.parametrize(
    "answer, outcome, cause",
    [
        ({"msg": "no route", "error": {"kind": "network"}}, "not_attempted", "no route"),
        ({"msg": "killed"}, "unknown", "killed"),
        ({}, "unknown", "the task ended without a result"),
    ],
)
def test_wave_without_targets(answer, outcome, cause):
    done = progress(wave_of(members=["a", "b"], answer=answer))
    assert done["outcomes"] == {"a": outcome, "b": outcome}
    assert done["messages"] == {"a": cause, "b": cause}
    assert done["stopped"] == f"wave 1 of 2 could not be carried out: {cause}"
    assert done["waves"][0]["bad"] == 2


# -- guards ------------------------------------------------------------------------------------------------------------------------------


def refused(names=("web",), bad=0, **options):
    return flow.refusals(PLAN, options_of(**options), names={name: [name, f"alias of {name}"] for name in names}, bad=bad, selected=9)


def test_guards_are_all_asked():
    said = refused(bad=2, deny=["OF WEB$", "never"], max_changes="0", expected_changes="2", plan_digest=" sha256:0 ")
    assert [refusal["guard"] for refusal in said] == ["deny", "max_changes", "expected_changes", "plan_digest", "continue_on_error"]
    assert said[0]["message"] == "1 of the 1 certificates to be changed match a_flow_deny, such as web. Select without them, or change the list."
    assert all("a_flow_" in refusal["message"] or refusal["guard"] == "plan_digest" for refusal in said)


def test_guards_that_are_content():
    assert refused(bad=2, continue_on_error=True, deny=["never"], max_changes=1, expected_changes=1, plan_digest="sha256:1") == []


def test_guards_have_nothing_to_refuse_where_nothing_would_be_changed():
    assert refused(names=(), bad=2, expected_changes=7, plan_digest="sha256:0") == []


# -- record ------------------------------------------------------------------------------------------------------------------------------


def test_record_says_who_ran_it_where_and_how():
    made = record_of([row()], deny="never", reference="INC-1", max_changes=5)
    assert made["run"] == {"by": "me", "reference": "INC-1", "journal": "", "journal_head": {}, "control_plane": "tpp.example.com:8443"}
    assert made["settings"] == {
        "folder": "x", "deny": ["never"], "plan_digest": "", "max_changes": "5", "expected_changes": "", "canary_size": "1", "wave_size": "50",
        "max_failed_percent": "10", "freeze": [], "freeze_override": "", "fail_on": ["failed"], "expiring_days": "30",
    }
    assert (made["format"], made["flow"], made["title"]) == ("certops.remediation/record/1", "a_flow", "A flow")


def test_groups_are_told_once_by_the_first_of_them():
    rows = [row("a", why="No right"), row("b", why="NO RIGHT"), row("c", why="gone")]
    assert flow.groups(rows, "why", "name") == [
        {"text": "gone", "count": 1, "examples": ["c"]}, {"text": "No right", "count": 2, "examples": ["a", "b"]},
    ]


def test_open_ones_have_somebody_to_act():
    failed = [row("a", result="failed", now="cannot connect"), row("b", result="failed", now="odd")]
    rows = [*failed, row("c", result="unknown", why="lost"), row("d", result="done")]
    told = [(group["rank"], group["text"], group["who"], group["what"], group["examples"]) for group in record_of(rows)["open"]]
    assert told == [
        (1, "cannot connect", "Operations", "Bring it up.", ["a"]), (1, "odd", "Somebody", "Look into the log.", ["b"]), (2, "lost", "You", "Look.", ["c"]),
    ]


@pytest.mark.parametrize(
    "rows, more, headline, tone",
    [
        ([], {}, "Nothing there", "good"),
        ([row(planned=False, result="done"), row(planned=False, result="left")], {}, "Nothing to change: 1 done, 1 left alone", "idle"),
        ([row(), row(result="done", planned=False)], {"check_mode": True}, "1 of 2 selected certificates would be changed", "plan"),
        ([row(), row(result="left", planned=False)], {}, "1 of 2 selected certificates are to be changed", "plan"),
        ([row()], {"refused": [{"guard": "deny"}, {"guard": "max_changes"}]}, "Refused by deny, max_changes; nothing was changed", "bad"),
        ([row(result="failed"), row(result="done")], {"done": SOME_DONE}, "1 done, 1 failed again", "wait"),
        ([row(result="unknown"), row(result="done")], {"done": SOME_DONE}, "1 done, 1 not known", "bad"),
        ([row(result="done")], {"done": {**SOME_DONE, "stopped": "the canary"}}, "Stopped: 1 done", "bad"),
        ([row(result="done")], {"done": SOME_DONE}, "1 done", "good"),
    ],
)
def test_headline_and_tone(rows, more, headline, tone):
    made = record_of(rows, **more)
    assert (made["headline"], made["tone"]) == (headline, tone)


# -- freeze ------------------------------------------------------------------------------------------------------------------------------

WEEKEND = "Fri 16:00-Mon 06:00 Europe/Berlin"
SATURDAY, TUESDAY = "2026-11-28T12:00:00Z", "2026-12-01T12:00:00Z"


def frozen_options(now=SATURDAY, **given):
    options = options_of(freeze=WEEKEND, **given)
    return {**options, "frozen": freeze.frozen(options["freeze"], now)}


def record_frozen(check_mode=False, **given):
    return flow.record(
        [row()], PLAN, NOTHING_DONE, refused=[], sections={"kinds": []}, key="name", options=frozen_options(**given), settings={}, run={}, words=WORDS,
        what="changed", check_mode=check_mode,
    )


def test_a_freeze_window_refuses_and_says_until_when():
    made = record_frozen()
    assert made["refusals"] == [{"guard": "freeze", "message": (
        f"the freeze window {WEEKEND} holds until 2026-11-30 05:00 UTC. Run it after that, or set a_flow_freeze_override to the reason"
        " why it cannot wait."
    )}]
    assert made["headline"] == "Refused by freeze; nothing was changed" and made["refused_now"] == []
    assert record_frozen(now=TUESDAY)["refusals"] == []


def test_a_plan_may_be_made_in_a_freeze_window():
    made = record_frozen(check_mode=True)
    assert made["refusals"] == [] and made["refused_now"][0]["guard"] == "freeze" and made["tone"] == "plan"


def test_a_reason_overrides_a_freeze_window_and_is_recorded():
    made = record_frozen(freeze_override="P1, the key is public")
    assert made["refusals"] == [] and made["settings"]["freeze_override"] == "P1, the key is public" and made["settings"]["freeze"] == [WEEKEND]


def test_no_wave_begins_in_a_freeze_window():
    assert flow.freeze_stop(options_of(freeze=WEEKEND), SATURDAY) == (
        f"the freeze window {WEEKEND} has begun, so no further wave is. It ends on 2026-11-30 05:00 UTC; run the same command again after it"
    )
    assert flow.freeze_stop(options_of(freeze=WEEKEND), TUESDAY) == ""
    assert flow.freeze_stop(options_of(freeze=WEEKEND, freeze_override="P1"), SATURDAY) == ""


# -- fail_on -----------------------------------------------------------------------------------------------------------------------------

FAILING = ["failed", "unknown"]


def causes_of(rows, words=None, done=None, check_mode=False, **given):
    words = words or WORDS
    options = options_of(**given)
    made = flow.record(rows, PLAN, done or NOTHING_DONE, refused=[], sections={}, key="name", options=options, settings={},
                       run={"started": "2026-11-29T10:00:00Z"}, words=words, what="changed", check_mode=check_mode)
    return flow.causes(made, options, words, FAILING)


def test_what_went_wrong_ends_the_role_as_failed():
    assert causes_of([row(result="failed"), row(result="done")]) == ["a_flow_fail_on has failed: 1 failed again."]
    assert causes_of([row(result="failed")], fail_on="drift") == []
    assert causes_of([row(result="done")]) == []


def test_a_stop_always_ends_it_as_failed():
    assert causes_of([row(result="done")], done={**SOME_DONE, "stopped": "The canary died."}, fail_on="none") == ["The canary died."]


def test_drift_is_what_check_mode_would_change():
    assert causes_of([row()], fail_on="drift, failed", check_mode=True) == ["a_flow_fail_on has drift: 1 would be changed."]
    assert causes_of([row()], fail_on="drift", check_mode=False) == []
    assert causes_of([row(planned=False, result="done")], fail_on="drift", check_mode=True) == []


def test_nothing_selected():
    assert causes_of([]) == []
    assert causes_of([], fail_on=["none"]) == causes_of([], fail_if_none=True) == ["a_flow_fail_on has none: nothing was selected."]


def test_pending_is_what_waits():
    words = {**WORDS, "results": [*WORDS["results"], {"key": "waiting", "label": "waiting for approval", "tone": "wait", "waits": True, "who": "", "what": ""}]}
    rows = [row(result="waiting")]
    assert causes_of(rows, words) == []
    assert causes_of(rows, words, fail_on="pending") == causes_of(rows, words, fail_if_open="yes") == ["a_flow_fail_on has pending: 1 waiting for approval."]


def test_expiring_is_what_ends_soon_and_was_not_replaced():
    words = {**WORDS, "fields": {"expires": "ends"}, "results": [*WORDS["results"], {"key": "new", "label": "replaced", "tone": "good", "settled": True}]}
    ends = {"a": "2026-12-29", "b": "2026-12-30T00:00:00Z", "c": None, "d": "2020-01-01", "e": "2026-12-01"}
    rows = [row(name, result="new" if name == "e" else "done", ends=end) for name, end in ends.items()]
    assert causes_of(rows, words, fail_on="expiring") == ["a_flow_fail_on has expiring: 2 end within 30 days and are not replaced, such as a, d."]
    assert causes_of(rows, words, fail_on="expiring", expiring_days="31")[0].startswith("a_flow_fail_on has expiring: 3 end within 31 days")
    assert causes_of(rows, words) == []


def test_what_fail_on_does_not_know():
    assert options_of(fail_on="drift, warnings")["complaints"] == ["a_flow_fail_on does not know warnings. It knows drift, failed, pending, expiring, none"]
    assert options_of(freeze=["Fri 16:00-Mon 06:00"])["complaints"][0].startswith("a_flow_freeze: the window 'Fri 16:00-Mon 06:00' is not understood.")


# -- jobs of AWX -------------------------------------------------------------------------------------------------------------------------


def refused_by(**options):
    return [refusal["guard"] for refusal in record_of([row()], **options)["refusals"]]


def test_a_job_that_may_only_apply_what_was_approved():
    assert refused_by(require_plan_digest=True) == ["require_plan_digest"]
    assert refused_by(require_plan_digest="true", plan_digest="sha256:1") == []
    assert refused_by(require_plan_digest=True, check_mode=True) == []
    assert refused_by() == refused_by(require_plan_digest="") == []
    assert record_of([row(planned=False, result="done")], require_plan_digest=True)["refusals"] == []


JOB = {"id": 12, "host": "localhost", "hosts": ["localhost"], "folders": ["", "/runner"]}


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({}, False),
        # Without any host in the inventory there are no slices.
        ({"hosts": []}, False),
        ({"hosts": ["a", "localhost"]}, False),
        ({"hosts": ["a", "b"]}, True),
        ({"hosts": ["a"], "id": ""}, False),
    ],
)
def test_a_slice_without_the_host_is_refused(job, said):
    complaints = flow.job_complaints(options_of(), "", {**JOB, **job})
    assert bool(complaints) is said
    assert not said or "each slice of it would do the same work" in complaints[0]


@pytest.mark.parametrize(
    ("options", "folder", "lost"),
    [
        # Where there is a report there is a journal beside it.
        ({"report_path": "/runner/project/report"}, "", "a_flow_journal_path, a_flow_report_path"),
        ({"journal_path": "/runner/journal.jsonl", "report_path": "/mounted/report"}, "", "a_flow_journal_path"),
        ({"journal_path": "/runners/journal.jsonl"}, "", ""),
        ({"journal_path": "/runner/x", "report_url": "https://reports.example.com"}, "", ""),
        ({"report_url": "https://reports.example.com"}, "/runner/keys", "a_flow_folder"),
        ({}, "/mounted/keys", ""),
        ({}, "", ""),
    ],
)
def test_files_that_end_with_the_job_are_refused(options, folder, lost):
    complaints = flow.job_complaints(options_of(**options), folder, JOB)
    assert [complaint.split(" is in the directory")[0] for complaint in complaints] == ([lost] if lost else [])
    assert flow.job_complaints(options_of(**options), folder, {**JOB, "id": ""}) == []


def test_another_name_of_the_directory_of_the_job_is_the_same(tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "job")
    assert flow.job_complaints(options_of(report_path=str(tmp_path / "other" / "report")), "", {**JOB, "folders": [str(tmp_path / "job")]})


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("", True),
        ("https://reports.example.com/x/", True),
        ("http://reports.example.com", False),
        ("https://me:secret@reports.example.com", False),
        ("https://", False),
        ("reports.example.com", False),
    ],
)
def test_a_report_is_only_sent_where_nobody_else_reads_it(url, good):
    complaints = options_of(report_url=url)["complaints"]
    assert (complaints == []) is good
    assert "secret" not in str(complaints)


def test_what_is_delivered_has_a_name_of_its_own():
    options = {**options_of(report_url="https://reports.example.com/x/", report_formats="html, markdown"), "report_base": "/t/report", "journal": "/t/j.jsonl"}
    assert flow.deliveries(options, 4711) == [
        {"what": "Report", "file": "/t/report.html", "url": "https://reports.example.com/x/a_flow-4711.html"},
        {"what": "Report", "file": "/t/report.md", "url": "https://reports.example.com/x/a_flow-4711.md"},
        {"what": "Journal", "file": "/t/j.jsonl", "url": "https://reports.example.com/x/a_flow-4711.journal.jsonl"},
    ]
    assert flow.deliveries(options, "2026-11-29T22:00:00Z")[0]["url"].endswith("/a_flow-20261129T220000Z.html")


def test_an_option_that_is_misspelt_is_told_with_the_one_that_was_meant():
    known = {"x_max_changes": {}, "x_deny": {}, "x_query": {}}
    assert flow.unknown_options(["x_max_changes", "x_summary", "x_result"], known, "x") == []
    assert flow.unknown_options(["x_owner_of_all", "x_max_change"], known, "x") == [
        "x_max_change is no option of x; x_max_changes is one",
        "x_owner_of_all is no option of x",
    ]


def test_the_variables_of_a_role_with_a_longer_name_are_its_own():
    names = ["x_prod_query", "x_product", "x_plan_digest"]
    assert flow.unknown_options(names, {"x_deny": {}}, "x", ["certops.remediation.x", "acme.x_prod"]) == ["x_product is no option of x"]


def test_what_is_neither_true_nor_false_is_not_taken_for_false():
    known = {"x_restart": {"default": False}, "x_wait": {"default": True}, "x_deny": {"default": []}, "x_query": {}}
    good = {"x_deny": "maybe", "x_query": "maybe"}
    for value in (True, False, "", None, "Yes", "no", " true ", 0, 1, "OFF"):
        assert flow.bad_truths({**good, "x_restart": value, "x_wait": value}, known) == []
    told = flow.bad_truths({**good, "x_restart": "ture\x1b[2J", "x_wait": "jep"}, known)
    assert told == ["x_restart must be true or false, and is ture [2J", "x_wait must be true or false, and is jep"]


@pytest.mark.parametrize(
    ("given", "base"),
    [("INC.2026-11-30", "INC.2026-11-30"), ("web.example.com", "web.example.com"), ("r.html", "r"), ("r.JSON", "r"), ("a.b.md", "a.b"), (".html", ".html")],
)
def test_only_the_ending_of_a_format_is_taken_from_a_report(tmp_path, given, base):
    assert flow.report_base(str(tmp_path / given)) == str(tmp_path / base)


def test_a_file_of_tasks_has_to_be_there(tmp_path):
    (tmp_path / "deploy.yml").write_text("[]")
    there, missing = str(tmp_path / "deploy.yml"), str(tmp_path / "nix.yml")
    assert options_of(deploy_tasks=there, deliver_tasks="", verify_tasks=None)["complaints"] == []
    assert options_of(deploy_tasks=missing)["complaints"] == [f"a_flow_deploy_tasks: there is no file {missing}"]
    assert options_of(verify_tasks=str(tmp_path))["complaints"] == [f"a_flow_verify_tasks: there is no file {tmp_path}"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"- name: a\n  no_log: true\n  debug: {msg: !vault x}\n", ""),
        (b"$ANSIBLE_VAULT;1.1;AES256\n62\n", ""),
        (b"", ""),
        (b"- name: a\n- name: [\n", " is no YAML, see line 3"),
        (b"\xff\xfe\xfa", " is no YAML"),
    ],
)
def test_a_file_of_tasks_has_to_be_yaml(tmp_path, content, complaint):
    (tmp_path / "deploy.yml").write_bytes(content)
    told = options_of(deploy_tasks=str(tmp_path / "deploy.yml"))["complaints"]
    assert told == ([f"a_flow_deploy_tasks: {tmp_path}/deploy.yml{complaint}"] if complaint else [])
