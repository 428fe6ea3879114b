# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role find_certificates, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils import find_record


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "find_options": find_record.options,
            "find_entries": find_record.read_entries,
            "find_questions": find_record.questions,
            "find_answers": find_record.answers_to,
            "find_result": find_record.result,
            "find_counts": find_record.counts,
            "find_failures": find_record.failures,
            "find_csv": find_record.csv_report,
        }
