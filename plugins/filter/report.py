# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role report and the playbook verify_journal, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.flow import path, words_of
from ansible_collections.certops.remediation.plugins.plugin_utils.journal_record import options, record_of


def user_paths(given: t.Any) -> list[str]:
    return [path(entry) for entry in words_of(given)]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"report_options": options, "journal_record": record_of, "user_paths": user_paths}
