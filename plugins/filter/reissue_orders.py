# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role reissue_orders, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils import reissue_record
from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_list import read_list


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "reissue_options": reissue_record.options,
            "reissue_list": read_list,
            "reissue_pace": reissue_record.reissue_pace,
            "reissue_questions": reissue_record.questions,
            "reissue_selection": reissue_record.selection,
            "reissue_same_key": reissue_record.same_key,
            "reissue_requests": reissue_record.requests_for,
            "reissue_candidates": reissue_record.candidates,
            "reissue_ledger": reissue_record.ledger,
            "reissue_left": reissue_record.left,
            "reissue_entries": reissue_record.entries_of,
            "reissue_new_serials": reissue_record.new_serials,
            "reissue_record": reissue_record.record,
        }
