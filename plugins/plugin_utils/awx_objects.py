# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Job templates, surveys and workflows of AWX for the flows of this collection, made of what their argument specs say.

Lists have the shape that infra.aap_configuration takes, each entry that of a module of awx.awx. Does no I/O.
"""

from __future__ import annotations

import re
import typing as t

import yaml

Json = t.Mapping[str, t.Any]
COLLECTION = "certops.remediation"
# What credentials of the server for reports are named by, beside the platforms.
REPORTS = "reports"

# A flow that writes has these; each job goes on where the one before it has ended.
PLAN, APPLY, VERIFY = "plan", "apply", "verify"
# Who launches a job says what is to be done and what must not be. These are for whoever owns the template, who sets them as its extra variables: how fast
# to go, files and services outside the job, and code to run.
NOT_ASKED = frozenset({
    "batch_size", "canary_size", "concurrency", "deliver_tasks", "deploy_tasks", "fail_on", "formats", "freeze", "journal_path", "max_failed_percent", "order",
    "path", "rate_limits", "records", "report_formats", "report_path", "report_url", "require_plan_digest", "verify_tasks", "wait_interval", "wait_timeout",
    "wave_size",
})  # fmt: skip
# Questions of one kind of job only. In a workflow the answers of whoever starts it would win over what the plan hands on, so none of them may be there.
ONLY_IN = {"plan_digest": (APPLY,), "expected_changes": (PLAN, APPLY)}
LONGEST_DESCRIPTION = 600


def plain(documented: str | t.Sequence[str]) -> str:
    """A description without the markup of Ansible's documentation, not longer than a tooltip may be."""
    text = documented if isinstance(documented, str) else " ".join(documented)
    # O(revoke_certificates_state=revoked): the name alone would not say whose option it is, the value alone not of what.
    bare = re.sub(r"\b[A-Z]{1,2}\(((?:[^()\\]|\\.)*)\)", lambda found: found[1].split(",")[0].replace("\\\\", "\\"), text)
    return bare if len(bare) <= LONGEST_DESCRIPTION else bare[: LONGEST_DESCRIPTION - 4].rsplit(" ", 1)[0] + " ..."


def titled(name: str) -> str:
    return name.replace("_", " ").capitalize()


def question(name: str, option: Json, role: str) -> dict[str, t.Any] | None:
    """One question of a survey, as AWX takes it; None for what no survey can ask.

    Nothing is required: AWX does not fill in the default of a required question when a job is launched by its API. A truth value is a choice between two
    words, for there is no such type; a list is text with one entry in each line, for the default of a multiple selection never reaches the job.
    """
    default = option.get("default", "")
    asked: dict[str, t.Any] = {
        "question_name": titled(name.removeprefix(f"{role}_")),
        "question_description": plain(option["description"]),
        "variable": name,
        "required": False,
    }
    choices = [choice for choice in option.get("choices") or [] if choice != ""]
    if isinstance(default, dict):
        return None
    if isinstance(default, bool):
        return {**asked, "type": "multiplechoice", "choices": ["true", "false"], "default": str(default).lower()}
    if choices:
        return {**asked, "type": "multiplechoice", "choices": choices, "default": str(default)}
    if isinstance(default, int):
        return {**asked, "type": "integer", "min": 0, "max": 2147483647, "default": default}
    if isinstance(default, (list, tuple)):
        return {**asked, "type": "textarea", "default": "\n".join(str(entry) for entry in default)}
    return {**asked, "type": "text", "default": str(default)}


def survey(role: str, spec: Json, kind: str) -> dict[str, t.Any]:
    """What is asked before a job of this kind; empty when the role has no option that can be asked for.

    :param spec: the role's argument spec, of ``main``.
    :param kind: of the job, or empty for a workflow or a role that writes nothing.
    """
    asked = []
    for name, option in (spec.get("options") or {}).items():
        short = name.removeprefix(f"{role}_")
        if short in NOT_ASKED or kind not in ONLY_IN.get(short, (kind,)):
            continue
        asked.append(question(name, option, role))
    questions = [entry for entry in asked if entry]
    # What the plan is bound to comes first: it is what the person has in hand.
    questions.sort(key=lambda entry: entry["variable"] != f"{role}_plan_digest")
    return {"name": "", "description": "", "spec": questions} if questions else {}


def writes(role: str, spec: Json) -> bool:
    return f"{role}_plan_digest" in (spec.get("options") or {})


def kinds(role: str, spec: Json) -> tuple[str, ...]:
    return (PLAN, APPLY, VERIFY) if writes(role, spec) else ("",)


def template_name(role: str, kind: str, prefix: str) -> str:
    return f"{prefix}{titled(role)}" + (f" - {kind}" if kind else "")


DESCRIPTIONS = {
    PLAN: "Check job: sends only requests that read, and tells the digest of its plan.",
    APPLY: "Applies exactly the plan whose digest it is given, and refuses without one.",
    VERIFY: "Check job: fails when anything is left to change.",
    "": "Sends only requests that read.",
}


def job_templates(flows: t.Sequence[Json], specs: Json, settings: Json) -> list[dict[str, t.Any]]:
    """All job templates.

    :param flows: with ``name`` of the role and of its playbook, and ``platforms``.
    :param specs: the argument specs of these roles.
    :param settings: ``prefix``, ``organization``, ``project``, ``inventory``; ``execution_environment``, which may be empty; ``credentials`` by platform, and
        ``extra_vars`` by flow.
    """
    made = []
    for flow in flows:
        role, spec = flow["name"], specs[flow["name"]]
        known = spec.get("options") or {}
        named = [*flow["platforms"], *([REPORTS] if f"{role}_report_url" in known else [])]
        credentials = [settings["credentials"][platform] for platform in named if settings["credentials"].get(platform)]
        for kind in kinds(role, spec):
            fixed = dict(settings["extra_vars"].get(role) or {})
            if kind == APPLY:
                fixed[f"{role}_require_plan_digest"] = True
            if kind == VERIFY:
                fixed[f"{role}_fail_on"] = ["drift", "failed"]
            asked = survey(role, spec, kind)
            made.append({
                "name": template_name(role, kind, settings["prefix"]),
                "description": f"{spec['short_description']}. {DESCRIPTIONS[kind] if flow['platforms'] else ''}".strip(),
                "organization": settings["organization"],
                "project": settings["project"],
                "playbook": f"{COLLECTION}.{role}",
                "inventory": settings["inventory"],
                "job_type": "check" if kind in (PLAN, VERIFY) else "run",
                "diff_mode": kind == PLAN,
                # A flow is one piece of work. Sliced, AWX would start it once for each slice.
                "job_slice_count": 1,
                "allow_simultaneous": False,
                "ask_variables_on_launch": False,
                # Known options only, for an old collection must not be given those of a new one.
                "extra_vars": {name: value for name, value in fixed.items() if name in known},
                "survey_enabled": bool(asked),
                "survey_spec": asked,
                **({"execution_environment": settings["execution_environment"]} if settings["execution_environment"] else {}),
                # Without names here, those that somebody has attached by hand stay.
                **({"credentials": credentials} if credentials else {}),
            })
    return made


def workflows(flows: t.Sequence[Json], specs: Json, settings: Json) -> list[dict[str, t.Any]]:
    """For each flow that writes: plan, approval, the run that is bound to the plan, and a look whether anything is left.

    :param settings: ``prefix``, ``organization``, and ``approval_timeout`` in seconds, 0 for none.
    """
    made = []
    for flow in flows:
        role, spec = flow["name"], specs[flow["name"]]
        if not writes(role, spec):
            continue

        def job(kind: str, *after: str, role: str = role) -> dict[str, t.Any]:
            return {"identifier": kind, "unified_job_template": template_name(role, kind, settings["prefix"]), "success_nodes": list(after)}

        approval = {
            "name": f"{settings['prefix']}Approve: {titled(role).lower()}",
            "description": "The last output of the plan says what would be done, what of it cannot be undone, and the digest that is approved here.",
            "timeout": int(settings["approval_timeout"]),
        }
        asked = survey(role, spec, "")
        made.append({
            "name": template_name(role, "", settings["prefix"]),
            "description": f"{spec['short_description']}: plan, approval, run, and a look whether anything is left.",
            "organization": settings["organization"],
            "allow_simultaneous": False,
            "ask_variables_on_launch": False,
            "survey_enabled": bool(asked),
            "survey_spec": asked,
            "simplified_workflow_nodes": [
                job(PLAN, "approve"),
                {"identifier": "approve", "approval_node": approval, "success_nodes": [APPLY]},
                job(APPLY, VERIFY),
                job(VERIFY),
            ],
        })
    return made


class _Dumper(yaml.SafeDumper):
    """Text with a template in it is marked, for a template of AWX must not be taken for one of the play that reads the file."""

    def ignore_aliases(self, data: t.Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    if "{{" in value or "{%" in value:
        return dumper.represent_scalar("!unsafe", value, style='"')
    return dumper.represent_scalar("tag:yaml.org,2002:str", value)


_Dumper.add_representer(str, _text)


def bare(value: t.Any) -> t.Any:
    """The same without the tags that Ansible puts on values."""
    if isinstance(value, t.Mapping):
        return {bare(key): bare(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [bare(entry) for entry in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return value if kind is bool else kind(value)
    return value


def written(objects: Json) -> str:
    """The lists as YAML, to be read as variables of a play."""
    return yaml.dump(bare(objects), Dumper=_Dumper, sort_keys=False, width=150, allow_unicode=True)
