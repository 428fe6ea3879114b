# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role respond_to_key_compromise, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils import respond_record


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "respond_options": respond_record.options,
            "respond_listed": respond_record.listed,
            "respond_begin": respond_record.begin,
            "respond_requests": respond_record.requests,
            "respond_units": respond_record.with_units,
            "respond_questions": respond_record.questions,
            "respond_planned": respond_record.planned,
            "respond_numbers": respond_record.numbers,
            "respond_endpoints": respond_record.endpoints,
            "respond_seen": respond_record.seen,
            "respond_unwanted": respond_record.unwanted,
            "respond_waves": respond_record.waves,
            "respond_each_once": respond_record.first_of_units,
            "respond_handed": respond_record.handed,
            "respond_noted": respond_record.noted,
            "respond_proofs": respond_record.proofs,
            "respond_ledger": respond_record.ledger_of,
            "respond_published": respond_record.published,
            "respond_record": respond_record.record,
        }
