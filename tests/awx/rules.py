# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX accepts: credential types, surveys, answers to surveys, recurrence rules. Rules and texts are those of AWX 24.6.1."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

NAME = re.compile(r"^[a-zA-Z_]+[a-zA-Z0-9_]*$")
FILE = re.compile(r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$")
FIELD_KEYS = {"type", "format", "choices", "id", "label", "help_text", "multiline", "secret", "ask_at_runtime", "default"}
BLOCKED = frozenset(
    "VIRTUAL_ENV PATH PYTHONPATH JOB_ID INVENTORY_ID INVENTORY_SOURCE_ID INVENTORY_UPDATE_ID AD_HOC_COMMAND_ID REST_API_URL REST_API_TOKEN "
    "MAX_EVENT_RES CALLBACK_QUEUE CALLBACK_CONNECTION CACHE JOB_CALLBACK_DEBUG INVENTORY_HOSTVARS AWX_HOST PROJECT_REVISION "
    "SUPERVISOR_CONFIG_PATH".split()
)
SURVEY_TYPES = {"text": str, "textarea": str, "password": str, "integer": int, "float": (float, int), "multiplechoice": str, "multiselect": str}


class Refused(Exception):
    """What AWX answers with 400, as the body of the answer."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        super().__init__(str(body))
        self.body = dict(body)


# -- credential types --------------------------------------------------------------------------------------------------------------------


def _only(value: Mapping[str, Any], allowed: set[str], where: str) -> None:
    for key in value:
        if key not in allowed:
            raise Refused({where: [f"Additional properties are not allowed ({key!r} was unexpected)"]})


def check_inputs(inputs: Mapping[str, Any]) -> None:
    _only(inputs, {"required", "fields"}, "inputs")
    seen = set()
    for field in inputs.get("fields", []):
        _only(field, FIELD_KEYS, "inputs")
        for key in ("id", "label"):
            if not isinstance(field.get(key), str):
                raise Refused({"inputs": [f"{key!r} is a required property"]})
        name, kind = field["id"], field.get("type", "string")
        if not NAME.match(name):
            raise Refused({"inputs": [f"{name} is an invalid variable name"]})
        if name == "tower":
            raise Refused({"inputs": ['"tower" is a reserved field name']})
        if name in seen:
            raise Refused({"inputs": [f"field IDs must be unique ({name})"]})
        seen.add(name)
        if kind not in ("string", "boolean") or field.get("format", "url") not in ("ssh_private_key", "url"):
            raise Refused({"inputs": [f"{kind!r} is not one of ['string', 'boolean']"]})
        if "default" in field and not isinstance(field["default"], {"string": str, "boolean": bool}[kind]):
            raise Refused({"inputs": [f"{field['default']} is not a {kind}"]})
        for key in ("choices", "multiline", "format", "secret"):
            if key in field and kind != "string":
                raise Refused({"inputs": [f"{key} not allowed for {kind} type ({name})"]})
        # Of a type that somebody makes himself nothing can be asked when a job is launched.
        if field.get("ask_at_runtime"):
            raise Refused({"inputs": ["'ask_at_runtime' is not supported for custom credentials."]})


class _Files:
    """``tower.filename``; by itself it may only be used where there is one file without a name."""

    def __str__(self) -> str:
        raise UndefinedError("Must define unnamed file injector in order to reference `tower.filename`.")


def check_injectors(injectors: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
    _only(injectors, {"file", "env", "extra_vars"}, "injectors")
    files = injectors.get("file", {})
    for name in files:
        if not FILE.match(name):
            raise Refused({"injectors": [f"{name!r} does not match any of the regexes: {FILE.pattern!r}"]})
    if "template" in files and len(files) > 1:
        raise Refused({"injectors": ["Must use multi-file syntax when injecting multiple files"]})
    filename: Any = "EXAMPLE_FILENAME" if "template" in files else _Files()
    for name in files:
        if "." in name:
            setattr(filename, name.split(".")[1], "EXAMPLE_FILENAME")
    known = {field["id"]: "EXAMPLE" for field in inputs.get("fields", [])}
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for name, value in injectors.get("env", {}).items():
        if name.startswith("ANSIBLE_"):
            raise Refused({"injectors": [f"Environment variable {name} may affect Ansible configuration so its use is not allowed in credentials."]})
        if name in BLOCKED:
            raise Refused({"injectors": [f"Environment variable {name} is not allowed to be used in credentials."]})
        if not NAME.match(name) or not isinstance(value, str) or not value.isascii():
            raise Refused({"injectors": [f"{name!r} does not match any of the regexes"]})
    for kind, entries in injectors.items():
        for name, template in entries.items():
            try:
                environment.from_string(template).render({**known, "tower": {"filename": filename}})
            except UndefinedError as error:
                raise Refused({"injectors": [f"{name} uses an undefined field ({error})"]}) from None
            except SecurityError as error:
                raise Refused({"injectors": [f"Encountered unsafe code execution: {error}"]}) from None
            except TemplateSyntaxError as error:
                raise Refused({"injectors": [f"Syntax error rendering template for {name} inside of {kind} ({error})"]}) from None


def check_credential_type(given: Mapping[str, Any]) -> None:
    if given.get("kind") not in ("cloud", "net"):
        raise Refused({"kind": [f"Must be 'cloud' or 'net', not {given.get('kind')}"]})
    check_inputs(given.get("inputs") or {})
    check_injectors(given.get("injectors") or {}, given.get("inputs") or {})


# -- surveys -----------------------------------------------------------------------------------------------------------------------------


def check_survey(survey: Mapping[str, Any]) -> None:
    for field, kind, label in (("name", str, "string"), ("description", str, "string"), ("spec", list, "list of items")):
        if field not in survey:
            raise Refused({"error": f"Field '{field}' is missing from survey spec."})
        if not isinstance(survey[field], kind):
            raise Refused({"error": f"Expected {label} for field '{field}', received {type(survey[field]).__name__} type."})
    if not survey["spec"]:
        raise Refused({"error": "'spec' doesn't contain any items."})
    variables: set[str] = set()
    for place, item in enumerate(survey["spec"]):
        for field, allowed, label in (("type", str, "string"), ("question_name", str, "string"), ("variable", str, "string"), ("required", bool, "boolean")):
            if field not in item:
                raise Refused({"error": f"'{field}' missing from survey question {place}"})
            if not isinstance(item[field], allowed):
                raise Refused({"error": f"'{field}' in survey question {place} expected to be {label}."})
        if item["variable"] in variables:
            raise Refused({"error": f"'variable' '{item['variable']}' duplicated in survey question {place}."})
        variables.add(item["variable"])
        kind = item["type"]
        if kind not in SURVEY_TYPES:
            raise Refused({"error": f"'{kind}' in survey question {place} is not one of '{', '.join(SURVEY_TYPES)}' allowed question types."})
        if item.get("default", "") != "" and not isinstance(item["default"], SURVEY_TYPES[kind]):
            raise Refused({"error": f"Default value {item['default']} in survey question {place} expected to be {kind}."})
        for limit in ("min", "max"):
            if item.get(limit) is not None and not isinstance(item[limit], int):
                raise Refused({"error": f"The {limit} limit in survey question {place} expected to be integer."})
        if kind in ("multiselect", "multiplechoice"):
            if "choices" not in item:
                raise Refused({"error": f"Survey question {place} of type {kind} must specify choices."})
            defaults = str(item.get("default", "")).splitlines()
            if kind == "multiplechoice" and len(defaults) > 1:
                raise Refused({"error": "Multiple Choice (Single Select) can only have one default value."})
            if any(default not in item["choices"] for default in defaults):
                raise Refused({"error": "Default choice must be answered from the choices listed."})


def answer_errors(question: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """What AWX says against an answer when a job is launched."""
    variable, kind = question["variable"], question["type"]
    if variable not in answers:
        return [f"'{variable}' value missing"] if question["required"] else []
    value = answers[variable]
    if kind in ("text", "textarea", "password"):
        return [] if isinstance(value, str) else [f"Value {value} for '{variable}' expected to be a string."]
    if kind == "integer":
        if not isinstance(value, int) or isinstance(value, bool):
            return [f"Value {value} for '{variable}' expected to be an integer."]
        if question.get("min") not in ("", None) and value < int(question["min"]):
            return [f"'{variable}' value {value} is too small (must be at least {question['min']})."]
        return []
    if kind == "multiplechoice":
        choices = [choice for choice in question["choices"] if choice.strip()]
        return [] if value in choices else [f"Value {value} for '{variable}' expected to be one of {choices}."]
    raise NotImplementedError(kind)


def job_variables(
    template: Mapping[str, Any], runtime: Mapping[str, Any], handed: Mapping[str, Any] | None = None, *, from_workflow: bool = False
) -> dict[str, Any]:
    """The extra variables of a job: those of the template, then the defaults of its survey, then those of the launch.

    :param runtime: the answers of whoever launches the template, or the variables of the workflow, which are not held against the survey and win over
        what the jobs before have handed on.
    :raises Refused: AWX would not launch it.
    """
    questions = (template.get("survey_spec") or {}).get("spec", []) if template["survey_enabled"] else []
    if not from_workflow:
        errors = [error for question in questions for error in answer_errors(question, runtime)]
        if errors:
            raise Refused({"variables_needed_to_start": errors})
        known = {question["variable"] for question in questions}
        # Others are dropped and only told in ignored_fields.
        runtime = {name: value for name, value in runtime.items() if name in known or template.get("ask_variables_on_launch")}
    defaults = {
        question["variable"]: question["default"]
        for question in questions
        if question.get("default") is not None and not answer_errors(question, {question["variable"]: question["default"]})
    }
    return {**template["extra_vars"], **defaults, **(handed or {}), **runtime}


# -- schedules ---------------------------------------------------------------------------------------------------------------------------


def check_rule(rule: str) -> None:
    errors = []
    starts = re.findall(r".*?(DTSTART(;[^:]+)?\:[0-9]+T[0-9]+Z?)", rule)
    rules = re.findall(r".*?(RULE\:[^\s]*)", rule)
    if not starts:
        errors.append("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if re.findall(r".*?(DTSTART:[0-9]+T[0-9]+) ", rule):
        errors.append("DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ.")
    if len(starts) > 1:
        errors.append("Multiple DTSTART is not supported.")
    if "rrule:" not in rule.lower():
        errors.append("One or more rule required in rrule.")
    for one in rules:
        if "interval" not in one.lower():
            errors.append(f"INTERVAL required in rrule: {one}")
        elif "secondly" in one.lower():
            errors.append(f"SECONDLY is not supported: {one}")
    if errors:
        raise Refused({"rrule": errors})


# -- credentials in a job ----------------------------------------------------------------------------------------------------------------


def injected(credential_type: Mapping[str, Any], inputs: Mapping[str, Any], write: Any) -> dict[str, str]:
    """The environment that a credential gives to a job.

    Only what is in the credential can be used by the templates; a boolean that is not there is False, whatever its default says. Each file is written, an
    empty one as well.

    :param write: takes the content of a file and gives its path.
    """
    fields: Sequence[Mapping[str, Any]] = credential_type["inputs"]["fields"]
    known = {field["id"]: bool(inputs.get(field["id"], False)) if field.get("type") == "boolean" else inputs.get(field["id"]) for field in fields}
    known = {name: value for name, value in known.items() if value is not None}
    environment = ImmutableSandboxedEnvironment()

    def render(template: str, files: Mapping[str, str]) -> str:
        return environment.from_string(template).render({**known, "tower": {"filename": files}})

    files = {name.partition(".")[2]: write(render(template, {})) for name, template in credential_type["injectors"].get("file", {}).items()}
    return {name: render(template, files) for name, template in credential_type["injectors"].get("env", {}).items()}
