# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module of the same name, without a process of its own where that makes no difference."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.journal_entries import ARGUMENT_SPEC, append
from ansible_collections.certops.remediation.plugins.plugin_utils.local_action import LocalAction


class ActionModule(LocalAction):
    argument_spec = ARGUMENT_SPEC

    def work(self, params: dict[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
        return append({**params, "path": self.in_playbook_folder(params["path"])}, check_mode=check_mode)
