# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all flows share has the same name, meaning and default in each of them."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from tests.contract.collection import ROLES, ROOT, load_yaml


def tasks_of(role: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "roles" / role / "tasks").glob("*.yml")))


FLOWS = [role for role in ROLES if "tasks_from: start" in tasks_of(role)]
COMMON = load_yaml("roles", "flow", "vars", "main.yml")["__flow_names"]
# They have neither plan nor waves, only those of the common options that mean something without, and what ends them as failed is their own.
READ_ONLY = [role for role in FLOWS if "tasks_from: gate" not in tasks_of(role)]
# Their first sentences are the same in every flow, and what is of one flow alone comes after them.
WITH_DETAILS = {"deny", "canary_size", "wave_size", "order", "fail_if_open", "reference", "plan_digest", "expected_changes"}
# How long to wait, and for what, depends on the vendor; how much to do at a time as well.
OWN_TEXT = {"wait_timeout", "wait_interval", "concurrency", "journal_path"}
# What cannot be undone, a revocation, has a limit when nobody has set one. DigiCert needs fewer requests for an order in waves of 100.
OWN_DEFAULT = {"max_changes": ("", 100), "wave_size": (50, 100), "report_formats": (["html"], ["html", "json"])}


@functools.cache
def options_of(role: str) -> dict[str, Any]:
    options: dict[str, Any] = load_yaml("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
    return options


def common_option(role: str, name: str) -> dict[str, Any]:
    option = options_of(role)[f"{role}_{name}"]
    said = option["description"]
    lines = [" ".join(line.split()).replace(f"{role}_", "x_") for line in ([said] if isinstance(said, str) else said)]
    return {**option, "description": lines}


@pytest.mark.parametrize("role", FLOWS)
@pytest.mark.parametrize("name", COMMON)
def test_common_option_is_the_same_in_every_flow(role: str, name: str) -> None:
    if name in OWN_TEXT or (role in READ_ONLY and (name == "fail_on" or f"{role}_{name}" not in options_of(role))):
        return
    option, first = common_option(role, name), common_option("unstick_certificates", name)
    assert (option["type"], option.get("choices")) == (first["type"], first.get("choices"))
    assert option["default"] in OWN_DEFAULT.get(name, (first["default"],))
    shared = 1 if name in WITH_DETAILS else len(first["description"])
    assert option["description"][:shared] == first["description"][:shared]


@pytest.mark.parametrize("role", [role for role in FLOWS if "tasks_from: after_wave" in tasks_of(role)])
def test_flow_says_what_waits_and_what_is_settled(role: str) -> None:
    """Else fail_on would never find anything pending, and what was replaced would be expiring."""
    words = load_yaml("roles", role, "vars", "main", "words.yml")[f"__{role}_words"]
    assert "expires" in words["fields"]
    assert any(result.get("waits") for result in words["results"])
    assert any(result.get("settled") for result in words["results"])


@pytest.mark.parametrize("role", READ_ONLY)
def test_flow_that_only_reads_says_so(role: str) -> None:
    assert load_yaml("roles", role, "vars", "main", "words.yml")[f"__{role}_words"]["read_only"]
    assert "after_wave" not in tasks_of(role)


@pytest.mark.parametrize("role", [role for role in FLOWS if role not in READ_ONLY])
def test_every_wave_begins_and_ends_with_a_step_of_the_flow(role: str) -> None:
    tasks = tasks_of(role)
    for step in ("start", "gate", "record", "conclude"):
        assert f"tasks_from: {step}" in tasks
    assert tasks.count("tasks_from: before_wave") == tasks.count("tasks_from: after_wave")


@pytest.mark.parametrize("name", COMMON)
def test_guard_is_documented(name: str) -> None:
    if name not in OWN_TEXT and not name.startswith("report_"):
        assert f"`{name}" in (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
