# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests for an entry of what the action modules return as C(targets), each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.remediation.plugins.module_utils import engine

OUTCOMES = (engine.UNCHANGED, engine.PLANNED, engine.APPLIED, engine.PENDING, engine.REFUSED, engine.UNKNOWN, engine.NOT_ATTEMPTED)


def _entry(value: t.Any) -> t.Mapping[str, t.Any]:
    if not isinstance(value, t.Mapping) or "outcome" not in value:
        raise AnsibleFilterError("this test takes an entry of targets, as the action modules of certops.remediation return it")
    return value


def _is(outcome: str) -> t.Callable[[t.Any], bool]:
    return lambda value: bool(_entry(value)["outcome"] == outcome)


def irreversible(value: t.Any) -> bool:
    """Whether something is planned or done that cannot be undone."""
    entry = _entry(value)
    happened = entry["outcome"] not in (engine.UNCHANGED, engine.REFUSED, engine.NOT_ATTEMPTED)
    return happened and str(entry.get("reversible") or "").startswith("Cannot be undone")


class TestModule:
    def tests(self) -> dict[str, t.Callable[[t.Any], bool]]:
        return {**{outcome: _is(outcome) for outcome in OUTCOMES}, "irreversible": irreversible}
