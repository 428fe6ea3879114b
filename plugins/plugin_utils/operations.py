# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A flow with several operations, each a module with its own plan: one plan, one digest and one row of waves over all of them. Does no I/O."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import Json
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import waves as waves_of


def merged_plan(plans: t.Mapping[str, Json]) -> dict[str, t.Any]:
    """The results of modules in check mode as one: their addresses, their counts added up, and one digest over theirs.

    :param plans: by operation; one that was not asked has no targets.
    """
    asked = {name: plan for name, plan in plans.items() if "targets" in plan}
    digests = {name: plan["plan_digest"] for name, plan in asked.items()}
    outcomes = list(dict.fromkeys(outcome for plan in asked.values() for outcome in plan["summary"]))
    return {
        "url": next((plan["url"] for plan in asked.values() if plan.get("url")), ""),
        "plan_digest": "sha256:" + hashlib.sha256(json.dumps(digests, separators=(",", ":"), sort_keys=True).encode()).hexdigest(),
        "summary": {outcome: sum(plan["summary"].get(outcome, 0) for plan in asked.values()) for outcome in outcomes},
    }


def waves(record: Json, options: Json, operations: t.Sequence[Json], *, key: str, kind: str) -> list[dict[str, t.Any]]:
    """What is planned as a canary and waves for each operation, one operation after the other.

    :param operations: each with its ``name``, which the rows have as ``operation``, and with ``handed``: the fields that its module is given.
    """
    found = []
    for operation in operations:
        rows = [row for row in record["certificates"] if row["planned"] and row["operation"] == operation["name"]]
        parts = waves_of({"certificates": rows}, options, key=key, handed=operation["handed"], kind=kind, prefix=f"{operation['name']}, ")
        found += [{**part, "operation": operation["name"]} for part in parts]
    return found
