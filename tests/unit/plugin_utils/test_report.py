# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in all its formats, with vendor text that would like to be more than text."""

from __future__ import annotations

import csv
import functools
import html.parser
import io
import json
import pathlib
import re
import xml.etree.ElementTree

import jinja2
import pytest

from ansible.plugins.filter.core import FilterModule as CoreFilters

from ansible_collections.certops.remediation.plugins.filter.flow import FilterModule as FlowFilters
from ansible_collections.certops.remediation.plugins.plugin_utils import flow, journal_record, report_parts
from ansible_collections.certops.remediation.tests.unit.support import FLOW_OPTIONS

TEMPLATES = pathlib.Path(__file__).parents[3] / "roles" / "flow" / "templates"
WORDS = {
    "title": "A flow",
    "platform": "Keyfactor Command",
    "fields": {"where": "where", "before": "before", "expires": "ends", "state": "state"},
    "nothing_selected": "Nothing there",
    "plan_notes": [],
    "settings": [{"key": "folder", "label": "Folder"}],
    "sections": [{"key": "kinds", "title": "Kinds", "column": "Kind"}],
    "results": [
        {"key": "failed", "label": "failed again", "tone": "bad", "advice": True},
        {"key": "waiting", "label": "waiting for approval", "tone": "wait", "who": "Approver", "what": "Approve it."},
        {"key": "planned", "label": "in the plan", "tone": "plan"},
        {"key": "revoked", "label": "revoked", "tone": "good", "final": True},
        {"key": "left", "label": "left alone", "tone": "idle"},
    ],
    "advice": [{"pattern": "", "who": "Somebody", "what": "Look."}],
}
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "end of style": "</style><script>alert(1)</script>",
    "attribute": "\" onmouseover=\"alert(1)\" x='",
    "link": "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "mention": "@everyone #1 <!-- --> | cell | `code` ``more``",
    "formula": "=cmd|' /C calc'!A0",
    "formula after a blank": "  =HYPERLINK(\"http://evil.example\")",
    "terminal": "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "lines": "one\r\ntwo\n# three\n\n| four",
    "template": "{{ lookup('pipe', 'id') }} {% raw %} {# #}",
    "right to left": "\u202egpj.exe\u2066",
    "nul": "a\x00b",
    "path": "../../../../etc/passwd",
}
BEFORE_AND_AFTER = {"started": "2026-11-29T21:00:00Z", "ended": "2026-11-29T21:10:00Z", "by": "ada", "job": "AWX job 7"}
DONE = {
    "outcomes": {}, "messages": {}, "kept": {}, "stopped": "",
    "waves": [
        {"name": "the canary", "size": 1, "fine": 1, "pending": 0, "bad": 0, "changed": 1, "ended": "2026-11-29T21:02:00Z"},
        {"name": "wave 1 of 1", "size": 2, "fine": 1, "pending": 1, "bad": 0, "changed": 2, "ended": "2026-11-29T21:08:00Z"},
    ],
}


def row(result="revoked", text="fine", **changes):
    return {
        "name": text, "label": text, "where": text, "before": text, "now": text, "note": text, "why": text, "state": "active", "ends": "2027-01-01",
        "planned": True,
        "result": result, **changes,
    }


def record_of(rows, done=None, **settings):
    options = flow.options({**FLOW_OPTIONS, "reference": settings.pop("reference", "INC-1"), "report_path": "/srv/report"}, "a_flow")
    made = flow.record(
        rows, {"plan_digest": "sha256:1", "url": "https://kf.example.com"}, done or DONE, refused=[],
        sections={"kinds": flow.groups(rows, "before", "label")}, key="label",
        options=options, settings={"folder": "x", **settings}, run=BEFORE_AND_AFTER, words=WORDS, what="revoked", check_mode=False,
    )
    made["run"]["journal_head"] = {"lines": 7, "sha256": "ab" * 32}
    return made


@functools.cache
def environment():
    filters = {f"certops.remediation.{name}": function for name, function in FlowFilters().filters().items()}
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, undefined=jinja2.StrictUndefined)
    made.filters.update(filters, **{name: CoreFilters().filters()[name] for name in ("to_json", "from_json", "dict2items")})
    return made


def render(extension, record, words=None):
    return environment().get_template(f"report.{extension}.j2").render(__flow_record=record, __flow_words=words or WORDS)


class Page(html.parser.HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.data = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.data.append(data)


@pytest.fixture(scope="module")
def plain():
    return Page(render("html", record_of([row(), row("failed"), row("waiting")], deadline="2026-11-30T21:00:00Z")))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_vendor_text_is_text_in_html(text, plain):
    """The page has the same tags and attributes, whatever the vendor says."""
    record = record_of([row(text=text), row("failed", text), row("waiting", text)], deadline="2026-11-30T21:00:00Z", reference=text, folder=text)
    record["run"].update(by=text, job=text, journal=text)
    record.update(stopped="", notes=[])
    page = Page(render("html", record))
    assert page.tags == plain.tags
    assert [name for name, dummy in page.attributes] == [name for name, dummy in plain.attributes]
    assert not [value for name,
                value in page.attributes if name not in ("content", "name", "class", "style", "title", "aria-label") and value and "alert" in value]
    if "<" in text:
        assert text.split("<")[1] in "".join(page.data)


def test_words_are_text_as_well(plain):
    """Those of a report that is made of a journal come from the journal."""
    words = json.loads(json.dumps(WORDS).replace('"label": "', '"label": "<b>'))
    assert Page(render("html", record_of([row(), row("failed"), row("waiting")], deadline="2026-11-30T21:00:00Z"), words)).tags == plain.tags


def test_page_asks_for_nothing_and_runs_nothing(plain):
    assert not {"script", "img", "link", "iframe", "object", "embed", "form", "base", "a", "video", "audio", "source", "use", "image"} & set(plain.tags)
    assert not [name for name, dummy in plain.attributes if name in ("src", "href", "xlink:href", "action", "srcset", "background") or name.startswith("on")]
    policy = [value for name, value in plain.attributes if name == "content" and "default-src" in value]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not re.search(r"url\(|@import", render("html", record_of([row()])))


def test_page_tells_before_and_after_and_what_cannot_be_undone():
    page = " ".join(" ".join(Page(render("html", record_of([row(), row("failed"), row("waiting"), row("left")]))).data).split())
    assert "Before and after Platform Selected Before Now Cannot be undone Still open Keyfactor Command 4 4 active" in page
    assert "What cannot be undone How many What 1 revoked" in page
    assert "Somebody Look." in page and "7 lines, the last with SHA-256 abab" in page


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_vendor_text_is_text_in_markdown(text):
    clean = render("md", record_of([row(), row("failed"), row("waiting")]))
    told = render("md", record_of([row(text=text), row("failed", text), row("waiting", text)]))
    assert len(told.splitlines()) == len(clean.splitlines()), "it has made lines of its own"
    for line, plain_line in zip(told.splitlines(), clean.splitlines()):
        # Outside of code spans there is nothing of the vendor, and no cell more.
        assert re.sub("`[^`]*`", "", line) == re.sub("`[^`]*`", "", plain_line)
        assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"(?<!\\)\|", plain_line))
    assert not set("\x1b\x07\x9b\x00\u202e\u2066") & set(told)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_vendor_text_is_text_in_a_spreadsheet(text):
    told = render("csv", record_of([row(text=text), row("failed", text)]))
    lines = list(csv.DictReader(io.StringIO(told, newline="")))
    assert len(lines) == 2 and told.count("\n") == 3 and list(lines[0]) == list(report_parts.COLUMNS)
    for line in lines:
        for value in line.values():
            assert not value.lstrip().startswith(report_parts.FORMULA) and value.isprintable()


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", " =", "\n=", "\u00a0@"])
def test_no_cell_is_a_formula(begin):
    assert report_parts.cell(f"{begin}1+1").startswith("'") or not report_parts.cell(f"{begin}1+1").lstrip().startswith(report_parts.FORMULA)


def test_table_says_who_has_to_act():
    failed, waiting = csv.DictReader(io.StringIO(render("csv", record_of([row("failed"), row("waiting")]))))
    assert (failed["who"], failed["what_to_do"], waiting["who"], waiting["label"]) == ("Somebody", "Look.", "Approver", "waiting for approval")
    assert (failed["platform"], failed["ends"], failed["planned"]) == ("Keyfactor Command", "2027-01-01", "yes")


@pytest.mark.parametrize("extension", ["html", "md", "csv"])
def test_report_of_the_barest_journal(extension):
    lines = [{"event": "run_started", "run": "r", "role": "x"}, {"event": "planned", "run": "r", "counts": {"selected": 1}}]
    lines.append({"event": "planned_rows", "run": "r", "rows": [{"key": "a", "name": "a", "where": "", "before": "", "platform": "", "ids": {}}]})
    made = journal_record.record_of("\n".join(map(json.dumps, lines)))
    assert "not attempted" in render(extension, made["record"], made["words"])


def test_role_report_has_the_options_that_the_steps_of_the_flows_ask_for():
    given = dict.fromkeys(["journal_path", "run", "records", "report_path", "report_formats"])
    asked = set()
    for name in ("templates/summary.txt.j2", "templates/report.html.j2", "templates/report.md.j2", "tasks/write_report.yml", "tasks/tell.yml"):
        asked |= set(re.findall(r"__flow_options\.(\w+)", (TEMPLATES.parent / name).read_text(encoding="utf-8")))
    assert asked and asked <= set(journal_record.options(given))


# -- burn-down ---------------------------------------------------------------------------------------------------------------------------


def test_curve_begins_with_all_and_ends_with_what_is_left():
    record = record_of([row(), row(), row("waiting")], deadline="2026-11-30T21:00:00Z")
    assert record["progress"] == [
        ["2026-11-29T21:00:00Z", 3], ["2026-11-29T21:02:00Z", 2], ["2026-11-29T21:08:00Z", 1], ["2026-11-29T21:10:00Z", 1],
    ]
    svg = report_parts.burn_down(record)
    assert xml.etree.ElementTree.fromstring(svg).tag == "svg" and "1 of 3 still to be done" in svg and ">1 left<" in svg and 'class="need"' in svg


@pytest.mark.parametrize(
    "deadline, done, shown",
    [("", DONE, False), ("soon", DONE, False), ("<script>", DONE, False), ("2026-11-29T20:00:00Z", DONE, True), ("2026-11-30", DONE, True),
     ("2026-11-30T21:00:00Z", {**DONE, "waves": []}, False)],
)
def test_curve_needs_a_deadline_and_something_done(deadline, done, shown):
    assert bool(report_parts.burn_down(record_of([row(), row("waiting")], done, deadline=deadline))) is shown


def test_curve_of_one_moment_and_of_nothing_left():
    record = {**record_of([row()], deadline="2026-11-29T21:10:00Z"), "progress": [["2026-11-29T21:10:00Z", 0], ["2026-11-29T21:10:00Z", 0]]}
    svg = report_parts.burn_down(record)
    assert xml.etree.ElementTree.fromstring(svg).tag == "svg" and ">done<" in svg and "nan" not in svg and "inf" not in svg
