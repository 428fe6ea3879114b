# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters that the roles for client certificates of Cloudflare share, each documented in a file of its own name."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.client_list import client_pace, client_questions, client_selection


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"client_questions": client_questions, "client_selection": client_selection, "client_pace": client_pace}
