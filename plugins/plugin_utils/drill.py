# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A drill: which incidents there are, what of a flow's settings may take part in one, and what its figures say of the real thing. Does no I/O."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils import cloudflare, digicert
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import REPORT_FORMATS, Json, entries, path, report_base, text, truth
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import duration, rate, rate_limits

FORMAT = "certops.remediation/drill/1"
# What the vendors publish. Nothing is published for the others, so the latency is what counts there.
LIMITS: dict[str, tuple[str, list[Json]]] = {
    "tpp": ("Venafi TPP", []),
    "keyfactor": ("Keyfactor Command", []),
    "digicert": ("DigiCert CertCentral", list(digicert.RATE_LIMITS)),
    "cloudflare": ("Cloudflare", list(cloudflare.RATE_LIMITS)),
}
# How a flow goes about its work. Not among them, so that a drill has nothing to do with the world: what names certificates, endpoints and accounts
# there, files and tasks of the user, and what has been approved for a run of the real thing.
HABITS = frozenset(
    ("max_changes", "deny", "continue_on_error", "fail_if_none", "canary_size", "wave_size", "max_failed_percent", "order", "wait", "wait_for_approval",
     "wait_timeout", "wait_interval", "concurrency", "rate_limits", "reference", "fail_on", "fail_if_open")
)


@dataclasses.dataclass(frozen=True)
class Incident:
    """What happens in a drill.

    :param scenario: of the simulator.
    :param size: by what the numbers of the scenario are multiplied unless the user says otherwise.
    :param clock_scale: how much faster the simulator's clock runs, for what takes long on a real platform and teaches nothing.
    :param habits: options of the flow beside ``HABITS`` that are the user's to set.
    :param usual: options of the flow that hold unless the user has set them.
    :param given: options of the flow that the incident sets. ``{folder}`` and ``{role}`` stand for the drill's folder and that of its role.
    :param served: whether the flow is told the endpoints of the scenario.
    :param least_size: below this, the scenario has lost what makes it.
    """

    flow: str
    scenario: str
    story: str
    habits: frozenset[str]
    usual: Json
    given: Json
    size: float = 1.0
    clock_scale: float = 1.0
    served: bool = False
    least_size: float = 0.01


INCIDENTS = {
    "ca_outage": Incident(
        flow="unstick_certificates",
        scenario="ca_outage",
        story="A night without the issuing CA has left a fifth of the certificates in Venafi TPP in error.",
        habits=frozenset(("recursive", "revoked", "in_process", "disabled", "skip_status", "restart", "fail_if_stuck")),
        usual={"restart": True, "wait_interval": 1},
        given={"folder": "\\VED\\Policy\\Certificates"},
        size=0.25,
        clock_scale=5,
    ),
    "key_compromise": Incident(
        flow="respond_to_key_compromise",
        scenario="shared_key",
        story="One private key has leaked that is in certificates on all four platforms, some of them served by endpoints.",
        habits=frozenset(
            ("key_type", "skip_approval", "approve", "share_key", "without_endpoint", "attempts", "endpoint_timeout", "prove_timeout", "revocation_order",
             "reason", "revocation_check", "published_timeout", "platforms")
        ),
        usual={"key_type": "ecdsa-p256", "wait_interval": 1, "attempts": 4, "prove_timeout": 10, "published_timeout": 10, "continue_on_error": True,
               "without_endpoint": "revoke"},
        given={
            "files": ["{folder}/ready.d/leaks/leaked.pem"],
            "folder": "{folder}/incident",
            "search_hosts": False,
            "derive_endpoints": False,
            "allow_loopback": True,
            "deploy_tasks": "{role}/tasks/install.yml",
        },
        served=True,
        least_size=1,
    ),
    "mass_revocation": Incident(
        flow="revoke_certificates",
        scenario="key_compromise",
        story="A leaked key is in a fifth of the certificates that Keyfactor Command knows. They are to be revoked.",
        habits=frozenset(("reason", "comment", "hold_first", "hold_grace", "deployed", "expired", "allow", "pending_approvals", "batch_size")),
        usual={"reason": "keyCompromise", "comment": "Drill", "deployed": "report", "wait_interval": 1, "continue_on_error": True},
        given={"key_files": ["{folder}/ready.d/leaks/leaked.pem"]},
        least_size=0.1,
    ),
    "mass_reissue": Incident(
        flow="reissue_orders",
        scenario="mass_reissue",
        story="DigiCert is going to revoke by tomorrow and has sent a list.",
        habits=frozenset(
            ("key_type", "compromised", "signature_hash", "validity_days", "expires_on", "comments", "skip_approval", "approve", "on_pending",
             "check_client_auth", "deadline", "history_limit")
        ),
        usual={"key_type": "ecdsa-p256", "continue_on_error": True},
        given={"list_path": "{folder}/ready.d/affected.csv", "folder": "{folder}/reissue"},
        size=0.1,
        clock_scale=10,
    ),
    "lost_devices": Incident(
        flow="offboard_client_certificates",
        scenario="lost_devices",
        story="A contractor keeps the devices whose client certificates Cloudflare takes.",
        habits=frozenset(("expired", "fail_if_let_through")),
        usual={"wait_interval": 1, "wait_timeout": 20},
        given={"owners": ["Contractor Blue Harbor"]},
        clock_scale=10,
        least_size=0.1,
    ),
}


def settings(given: Json, flow_options: Json, *, folder: str, role_path: str) -> dict[str, t.Any]:
    """What a drill was told, as its tasks use it.

    :param given: its own options, without the prefix.
    :param flow_options: all variables that begin with the name of a flow.
    :param folder: where the drill keeps its files.
    :returns: with ``flow_options`` for the run inside, ``left_out`` (the user's options that take no part), and ``complaints``.
    """
    name = text(given["incident"])
    complaints = []
    if name not in INCIDENTS:
        complaints.append(f"drill_incident is one of {', '.join(INCIDENTS)}" + (f", and not {name}" if name else ""))
    incident = INCIDENTS.get(name, INCIDENTS["ca_outage"])
    numbers = {}
    for option, default, least in (
        ("size", incident.size, incident.least_size), ("certificates", 0, 0), ("latency_ms", 200, 0), ("timeout", 1800, 1)
    ):
        said = text(given[option])
        number = float(said) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", said) else default
        if said and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", said) or number < least:
            complaints.append(f"drill_{option} must be a number of at least {least:g}")
        numbers[option] = number
    formats = [str(word).strip() for line in entries(given["report_formats"]) for word in str(line).split(",")] or ["html"]
    if not set(REPORT_FORMATS).issuperset(formats):
        complaints.append(f"drill_report_formats knows {', '.join(REPORT_FORMATS)}")
    prefix = f"{incident.flow}_"
    own = {key[len(prefix):]: value for key, value in flow_options.items() if key.startswith(prefix) and text(value) not in ("", "[]", "{}")}
    habits = {key: value for key, value in own.items() if key in HABITS | incident.habits}
    inside = {**incident.usual, **habits, **_filled(incident.given, folder=folder, role=role_path)}
    limits, complaint = rate_limits(own.get("rate_limits"), incident.flow, [])
    return {
        "incident": name,
        "story": incident.story,
        "flow": incident.flow,
        "scenario": incident.scenario,
        "clock_scale": incident.clock_scale,
        "served": incident.served,
        **numbers,
        "python": path(given["python"]),
        "venv": path(given["venv"]),
        "report_base": report_base(given["report_path"]),
        "report_formats": formats,
        "show_output": truth(given["show_output"], True),
        "rate_limits": limits,
        "concurrency": int(text(own.get("concurrency")) or 8) if re.fullmatch("[0-9]*", text(own.get("concurrency"))) else 8,
        "flow_options": {prefix + key: value for key, value in inside.items()},
        "left_out": sorted(prefix + key for key in own if key not in habits),
        "complaints": complaints + ([complaint] if complaint else []),
    }


def _filled(value: t.Any, **places: str) -> t.Any:
    if isinstance(value, str):
        for place, instead in places.items():
            value = value.replace("{" + place + "}", instead)
        return value
    if isinstance(value, list):
        return [_filled(item, **places) for item in value]
    return {key: _filled(item, **places) for key, item in value.items()} if isinstance(value, dict) else value


def owner(dummy: t.Any = None) -> int:
    """The process of the play: a task's arguments are worked out by one of its children."""
    return os.getppid()


def needed(requests: int, vendor: str, settings: Json) -> dict[str, t.Any]:
    """How long so many requests take at a vendor.

    :returns: ``seconds``, and ``basis``: what sets the pace, in words.
    """
    published = settings["rate_limits"] or LIMITS[vendor][1]
    latency = settings["latency_ms"] / 1000
    side_by_side = max(1, settings["concurrency"])
    by_latency = requests * latency / side_by_side
    by_limit = requests / rate(published) if published else 0.0
    if published and by_limit >= by_latency:
        said = " and ".join(f"{limit['requests']:g} in {limit['seconds']:g} s" for limit in published)
        return {"seconds": by_limit, "basis": f"the rate limit of {said}"}
    unpublished = "" if published else "no limit is published; "
    return {"seconds": by_latency, "basis": f"{unpublished}{settings['latency_ms']:g} ms for a request, {side_by_side} at a time"}


def figures(stages: t.Mapping[str, Json], certificates: int, settings: Json) -> dict[str, t.Any]:
    """What the requests of a drill say of the real thing.

    :param stages: by name, what was sent: ``requests`` with ``reads`` and ``changes`` by vendor, ``seconds``, ``status``.
    :param certificates: how many the drill has acted on.
    """
    wanted = int(settings["certificates"]) or certificates
    factor = wanted / certificates if certificates else 0.0
    vendors: list[dict[str, t.Any]] = []
    for vendor, (title, dummy) in LIMITS.items():
        counts = {
            stage: {kind: stages[stage]["requests"].get(vendor, {}).get(kind, 0) for kind in ("reads", "changes", "refused")} for stage in stages
        }
        total = sum(count["reads"] + count["changes"] for count in counts.values())
        if total:
            real = round(total * factor)
            time = needed(real, vendor, settings)
            vendors.append({
                "vendor": vendor, "title": title, "stages": counts, "requests": total,
                "per_certificate": round(total / certificates, 2) if certificates else None,
                "real_requests": real, **time, "takes": duration(time["seconds"]),
            })
    # One platform after the other, as the flows go about it.
    seconds = sum(row["seconds"] for row in vendors)
    return {"certificates": certificates, "wanted": wanted, "vendors": vendors, "seconds": round(seconds), "takes": duration(seconds)}


def lessons(stages: t.Mapping[str, Json], inner: Json, settings: Json) -> list[str]:
    """What the drill has shown to be in the way."""
    said = []
    for stage, ran in stages.items():
        if ran["status"] == 124:
            said.append(f"The {stage} was ended after drill_timeout={settings['timeout']:g} seconds. Make the drill smaller, or give it more time.")
    run = stages.get("run")
    if run and run["status"] not in (0, 124):
        said.append("The run ended as failed. In an incident somebody would have to look at it before it goes on.")
    if not inner:
        said.append("The flow has left no record, so nothing is known of what it did; its output says why.")
    said += [f"Refused by {refusal['guard']}: {refusal['message']}" for refusal in inner.get("refusals", ())]
    if inner.get("stopped"):
        said.append(f"Stopped: {inner['stopped']}")
    refused = sum(vendor.get("refused", 0) for ran in stages.values() for vendor in ran["requests"].values())
    if refused:
        said.append(f"{refused} requests were refused because there were too many. Something else uses the same limit, or rate_limits is set too high.")
    if settings["left_out"]:
        said.append(f"Not tried out, because it belongs to the real thing: {', '.join(settings['left_out'])}.")
    said.append("Not in these figures: what people take to approve, validate, deploy and decide, and what a CA takes to issue.")
    return said


def record(stages: t.Mapping[str, Json], inner: Json | None, settings: Json, *, started: str, ended: str, check_mode: bool) -> dict[str, t.Any]:
    """The whole record of a drill. The report in each of its formats is made of this and of nothing else.

    :param inner: the record of the flow inside, if it has left one.
    """
    inner = inner or {}
    counts = inner.get("counts", {})
    planned = int(counts.get("planned", 0))
    found = figures(stages, planned, settings)
    left_open = [
        {"count": group["count"], "label": group["label"], "tone": group["tone"], "text": group["text"], "who": group["who"], "what": group["what"]}
        for group in inner.get("open", ())
    ]
    basis = "" if found["wanted"] == planned else f", from {planned} in the drill"
    if not planned:
        headline = "Nothing was there to be done, so there are no figures"
    else:
        headline = f"We can deal with {found['wanted']:,} certificates in {found['takes']}{basis}"
    failed = any(ran["status"] for ran in stages.values())
    return {
        "format": FORMAT,
        "title": f"Drill: {settings['incident'].replace('_', ' ')}",
        "headline": headline,
        "tone": "bad" if not planned or any(ran["status"] == 124 for ran in stages.values()) else "wait" if failed or left_open else "good",
        "incident": settings["incident"],
        "story": settings["story"],
        "flow": settings["flow"],
        "scenario": settings["scenario"],
        "size": settings["size"],
        "check_mode": check_mode,
        "counts": {name: counts.get(name, 0) for name in ("selected", "planned", "changed")},
        "results": inner.get("results", {}),
        "flow_headline": inner.get("headline", ""),
        "stages": [{"name": name, "seconds": ran["seconds"], "status": ran["status"]} for name, ran in stages.items()],
        **found,
        "open": left_open,
        "lessons": lessons(stages, inner, settings),
        "settings": settings["flow_options"],
        "assumed": {"latency_ms": settings["latency_ms"], "concurrency": settings["concurrency"]},
        "run": {"started": started, "ended": ended},
    }
