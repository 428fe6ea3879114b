# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name, or does its work here: a flow writes before and after each wave, and a module takes ten times as long to start."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.certops.remediation.plugins.module_utils.errors import RemediationError
from ansible_collections.certops.remediation.plugins.module_utils.journal_entries import ARGUMENT_SPEC, append


class ActionModule(ActionBase):  # type: ignore[misc]
    """Writes the lines itself where the module would run on this machine as this user."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        elsewhere = self._connection.transport != "local" or self._connection.become
        # An environment of its own may mean another path, and a task in the background another process.
        if elsewhere or self._task.async_val or any(self._task.environment or ()):
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
            return result
        dummy, params = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        # A module of a local connection works in the folder of the playbook.
        params["path"] = os.path.join(self._loader.get_basedir(), params["path"])
        # As a module would get them: without dates and other types of YAML.
        params["entries"] = json.loads(json.dumps(params["entries"], default=_plain))
        try:
            result.update(append(params, check_mode=self._task.check_mode))
        except RemediationError as error:
            result.update(failed=True, msg=error.message, error=error.as_result())
        return result


def _plain(value: t.Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
