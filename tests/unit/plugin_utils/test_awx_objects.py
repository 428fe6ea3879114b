# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job templates, surveys and workflows out of argument specs, and what the stand-in for AWX refuses."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import awx_objects
from ansible_collections.certops.remediation.plugins.plugin_utils.awx_objects import bare, job_templates, plain, question, survey, workflows, written
from tests.awx import objects, rules

SPEC = {
    "short_description": "Paint fences",
    "options": {
        "paint_colour": {"description": "The colour.", "type": "str", "choices": ["", "red", "blue"], "default": "red"},
        "paint_fences": {"description": ["Which ones, see O(paint_colour).", "One in each line."], "type": "raw", "default": []},
        "paint_plan_digest": {"description": "The approved plan.", "type": "str", "default": ""},
        "paint_expected_changes": {"description": "A number.", "type": "raw", "default": ""},
        "paint_require_plan_digest": {"description": "No run without a plan.", "type": "raw", "default": False},
        "paint_fail_on": {"description": "What ends it as failed.", "type": "raw", "default": ["failed"]},
        "paint_wave_size": {"description": "A number.", "type": "raw", "default": 50},
    },
}
FLOWS = [{"name": "paint", "platforms": ["tpp", "digicert"]}]
SETTINGS = {**objects.SETTINGS, "prefix": "P ", "project": "P Project", "inventory": "P Inventory"}


def made(**settings):
    return {template["name"]: template for template in job_templates(FLOWS, {"paint": SPEC}, {**SETTINGS, **settings})}


@pytest.mark.parametrize(
    ("documented", "text"),
    [
        ("Nothing special.", "Nothing special."),
        (["See O(paint_colour=red).", "Or M(a.b.c)."], "See paint_colour=red. Or a.b.c."),
        ("As V(DOMAIN\\\\user) or C(x).", "As DOMAIN\\user or x."),
        ("A (plain) bracket, an URL(x) too.", "A (plain) bracket, an URL(x) too."),
    ],
)
def test_descriptions_lose_their_markup(documented, text):
    assert plain(documented) == text


def test_a_long_description_ends_at_a_word():
    text = plain("word " * 500)
    assert len(text) <= awx_objects.LONGEST_DESCRIPTION
    assert text.endswith("word ...")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"default": False}, {"type": "multiplechoice", "choices": ["true", "false"], "default": "false"}),
        ({"default": True}, {"type": "multiplechoice", "choices": ["true", "false"], "default": "true"}),
        ({"default": 5}, {"type": "integer", "min": 0, "max": 2147483647, "default": 5}),
        ({"default": []}, {"type": "textarea", "default": ""}),
        ({"default": ["a", "b"]}, {"type": "textarea", "default": "a\nb"}),
        ({"default": "x", "choices": ["", "x", "y"]}, {"type": "multiplechoice", "choices": ["x", "y"], "default": "x"}),
        ({"default": "", "choices": ["", "x", "y"]}, {"type": "multiplechoice", "choices": ["x", "y"], "default": ""}),
        ({"default": ""}, {"type": "text", "default": ""}),
        ({}, {"type": "text", "default": ""}),
    ],
)
def test_questions(option, expected):
    asked = question("paint_x", {"description": "Something.", **option}, "paint")
    common = {"question_name": "X", "question_description": "Something.", "variable": "paint_x", "required": False}
    assert asked == {**common, **expected}
    rules.check_survey({"name": "", "description": "", "spec": [asked]})


def test_a_mapping_cannot_be_asked_for():
    assert question("paint_x", {"description": "Something.", "default": {}}, "paint") is None


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("plan", ["paint_colour", "paint_fences", "paint_expected_changes"]),
        ("apply", ["paint_plan_digest", "paint_colour", "paint_fences", "paint_expected_changes"]),
        ("verify", ["paint_colour", "paint_fences"]),
        ("", ["paint_colour", "paint_fences"]),
    ],
)
def test_what_is_asked_depends_on_the_job(kind, asked):
    assert [entry["variable"] for entry in survey("paint", SPEC, kind)["spec"]] == asked


def test_a_role_without_options_has_no_survey():
    assert survey("paint", {"short_description": "x", "options": {}}, "") == {}


def test_a_flow_that_writes_has_three_jobs():
    assert {name: template["job_type"] for name, template in made().items()} == {"P Paint - plan": "check", "P Paint - apply": "run",
                                                                                 "P Paint - verify": "check"}
    assert made()["P Paint - apply"]["extra_vars"] == {"paint_require_plan_digest": True}
    assert made()["P Paint - verify"]["extra_vars"] == {"paint_fail_on": ["drift", "failed"]}


def test_a_flow_that_reads_has_one():
    reading = {**SPEC, "options": {"paint_colour": SPEC["options"]["paint_colour"]}}
    (template,) = job_templates(FLOWS, {"paint": reading}, SETTINGS)
    assert (template["name"], template["job_type"], template["extra_vars"]) == ("P Paint", "run", {})
    assert workflows(FLOWS, {"paint": reading}, SETTINGS) == []


def test_the_owner_sets_what_is_not_asked_for():
    fixed = made(extra_vars={"paint": {"paint_wave_size": 20, "other": 1}})["P Paint - plan"]["extra_vars"]
    assert fixed == {"paint_wave_size": 20}


def test_credentials_and_environment_are_only_set_when_they_are_named():
    assert not {"credentials", "execution_environment"} & set(made()["P Paint - plan"])
    named = made(credentials={"digicert": "My key", "cloudflare": "Other"}, execution_environment="P Environment")["P Paint - plan"]
    assert (named["credentials"], named["execution_environment"]) == (["My key"], "P Environment")


def test_what_is_written_down_is_read_as_it_was():
    lists = {"a": [{"text": "{{ url }}", "other": "{% if x %}é{% endif %}", "yes": True, "number": 5, "none": None, "lines": "a\nb", "word": "true"}]}
    text = written(lists)
    assert text.count("!unsafe") == 2

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    assert yaml.load(text, Loader) == lists


def test_tags_of_ansible_are_not_written():
    class Tagged(str):
        pass

    assert not isinstance(bare([Tagged("x")])[0], Tagged)
    assert bare((True, 1, None)) == [True, 1, None]


FIELDS = {"fields": [{"id": "url", "label": "URL", "type": "string"}, {"id": "skip", "label": "Skip", "type": "boolean"}]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "vault"}, "Must be 'cloud' or 'net', not vault"),
        ({"injectors": {"env": {"ANSIBLE_X": "{{ url }}"}}}, "may affect Ansible configuration"),
        ({"injectors": {"env": {"PATH": "{{ url }}"}}}, "PATH is not allowed"),
        ({"injectors": {"env": {"X": "{{ other }}"}}}, "X uses an undefined field ('other' is undefined)"),
        ({"injectors": {"env": {"X": "{{ url.__class__ }}"}}}, "unsafe"),
        ({"injectors": {"env": {"X": "{{ url"}}}, "Syntax error"),
        ({"injectors": {"env": {"X": "{{ tower.filename }}"}, "file": {"template.ca": "{{ url }}"}}}, "Must define unnamed file injector"),
        ({"injectors": {"file": {"template": "", "template.ca": ""}}}, "Must use multi-file syntax"),
        ({"inputs": {"fields": [{"id": "url", "label": "URL", "pattern": "x"}]}}, "'pattern' was unexpected"),
        ({"inputs": {"fields": [{"id": "skip", "label": "Skip", "type": "boolean", "secret": True}]}}, "secret not allowed for boolean type (skip)"),
        ({"inputs": {"fields": [{"id": "skip", "label": "Skip", "type": "boolean", "default": "yes"}]}}, "yes is not a boolean"),
        ({"inputs": {"fields": [{"id": "tower", "label": "X"}]}}, "reserved"),
        ({"inputs": {"fields": [{"id": "x", "label": "X"}, {"id": "x", "label": "X"}]}}, "unique"),
    ],
)
def test_the_stand_in_refuses_credential_types_as_awx_does(change, said):
    good = {"kind": "cloud", "inputs": FIELDS, "injectors": {"env": {"X": "{{ url }}"}}}
    rules.check_credential_type(good)
    with pytest.raises(rules.Refused, match=re.escape(said)):
        rules.check_credential_type({**good, **change})


GOOD = {"type": "text", "question_name": "X", "variable": "x", "required": False, "default": ""}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "bool"}, "not one of"),
        ({"required": "no"}, "expected to be boolean"),
        ({"default": ["a"]}, "expected to be text"),
        ({"type": "integer", "default": "5"}, "expected to be integer"),
        ({"type": "multiplechoice"}, "must specify choices"),
        ({"type": "multiplechoice", "choices": ["a"], "default": "b"}, "Default choice must be answered"),
        ({"min": "1"}, "expected to be integer"),
    ],
)
def test_the_stand_in_refuses_surveys_as_awx_does(change, said):
    rules.check_survey({"name": "", "description": "", "spec": [GOOD]})
    with pytest.raises(rules.Refused, match=re.escape(said)):
        rules.check_survey({"name": "", "description": "", "spec": [{**GOOD, **change}]})


def test_a_required_question_is_not_answered_by_its_default():
    template = {"survey_enabled": True, "extra_vars": {}, "survey_spec": {"spec": [{**GOOD, "required": True, "default": "d"}]}}
    with pytest.raises(rules.Refused, match="'x' value missing"):
        rules.job_variables(template, {})
    template["survey_spec"]["spec"][0]["required"] = False
    assert rules.job_variables(template, {}) == {"x": "d"}
    assert rules.job_variables(template, {"x": "", "y": "dropped"}) == {"x": ""}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("RRULE:FREQ=DAILY;INTERVAL=1", "DTSTART required"),
        ("DTSTART:20260101T020000Z RRULE:FREQ=DAILY", "INTERVAL required"),
        ("DTSTART:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1", "naive"),
        ("DTSTART:20260101T020000Z RRULE:FREQ=SECONDLY;INTERVAL=1", "SECONDLY"),
    ],
)
def test_the_stand_in_refuses_schedules_as_awx_does(rule, said):
    rules.check_rule(objects.load(objects.ROLE / "defaults" / "main.yml")["awx_setup_schedule"])
    with pytest.raises(rules.Refused, match=said):
        rules.check_rule(rule)
