# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the steps that all flows share, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils import journal_record, report_parts
from ansible_collections.certops.remediation.plugins.plugin_utils.flow import (
    Json,
    Wave,
    bad_truths,
    causes,
    deliveries,
    freeze_stop,
    job_complaints,
    options,
    progress,
    sized,
    unknown_options,
    waves,
)
from ansible_collections.certops.remediation.plugins.plugin_utils.freeze import frozen
from ansible_collections.certops.remediation.plugins.plugin_utils.operations import waves as operation_waves


def after_wave(done: Json, answer: Json, wave: Json, *, role: str, total: int, ended: str, keep: t.Sequence[str] = ()) -> dict[str, t.Any]:
    given = {name: wave[name] for name in ("name", "members", "limit", "is_canary")}
    return progress(done, Wave(role=role, answer=answer, interim=wave.get("interim", False), **given), total=int(total), ended=ended, keep=keep)


EVENTS: dict[str, t.Callable[..., list[dict[str, t.Any]]]] = {
    "run_started": journal_record.run_started,
    "planned": journal_record.planned,
    "wave_started": journal_record.wave_started,
    "wave_ended": journal_record.wave_ended,
    "run_ended": journal_record.run_ended,
}


def entries(subject: Json, event: str, *more: Json) -> list[dict[str, t.Any]]:
    return EVENTS[event](subject, *more)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "flow_options": options,
            "flow_unknown_options": unknown_options,
            "flow_bad_truths": bad_truths,
            "flow_job_complaints": job_complaints,
            "flow_frozen": frozen,
            "flow_waves": waves,
            "flow_operation_waves": operation_waves,
            "flow_only": sized,
            "flow_freeze_stop": freeze_stop,
            "flow_after_wave": after_wave,
            "flow_deliveries": deliveries,
            "flow_causes": causes,
            "flow_entries": entries,
            "flow_printable": report_parts.printable,
            "flow_csv": report_parts.as_csv,
            "flow_burn_down": report_parts.burn_down,
        }
