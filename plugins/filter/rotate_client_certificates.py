# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role rotate_client_certificates, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.rotate_record import (
    candidates,
    ledger_of,
    options,
    record,
    reported,
    requests,
    selection,
    settling,
    unfinished,
)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "rotate_options": options,
            "rotate_reported": reported,
            "rotate_unfinished": unfinished,
            "rotate_selection": selection,
            "rotate_requests": requests,
            "rotate_settling": settling,
            "rotate_candidates": candidates,
            "rotate_ledger": ledger_of,
            "rotate_record": record,
        }
