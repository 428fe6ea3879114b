# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For modules that only write and read files of a flow: a flow uses them many times, and a module takes ten times as long to start as its work takes."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.certops.remediation.plugins.module_utils.errors import RemediationError


class LocalAction(ActionBase):  # type: ignore[misc]
    """Runs the module of the same name, or does its work itself where the module would run on this machine as this user."""

    _supports_async = True
    # As AnsibleModule takes it.
    argument_spec: t.ClassVar[dict[str, dict[str, t.Any]]]

    def work(self, params: dict[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
        """What the module does; gives its result.

        :param params: valid and complete, made of types of JSON only.
        :raises RemediationError: the task fails.
        """
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        elsewhere = self._connection.transport != "local" or self._connection.become
        # An environment of its own may mean another path, and a task in the background another process.
        if elsewhere or self._task.async_val or any(self._task.environment or ()):
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
            # What was written need not stand in the output as well.
            result.pop("invocation", None)
            return result
        dummy, params = self.validate_argument_spec(argument_spec=self.argument_spec)
        # As a module would get them: without dates and other types of YAML.
        params = json.loads(json.dumps(params, default=_plain))
        try:
            result.update(self.work(params, check_mode=self._task.check_mode))
        except RemediationError as error:
            result.update(failed=True, msg=error.message, error=error.as_result())
        return result

    def in_playbook_folder(self, path: str) -> str:
        """A module of a local connection works in the folder of the playbook."""
        return os.path.join(self._loader.get_basedir(), path)


def _plain(value: t.Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
