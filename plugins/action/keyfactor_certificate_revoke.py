# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name. Only here, on the controller, is it known which play asks for a revocation."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """Names the play in the comment that Command keeps, unless the task has a comment of its own."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        known = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, known)
        arguments = dict(self._task.args)
        if not arguments.get("comment"):
            job = known.get("awx_job_id") or known.get("tower_job_id")
            arguments["comment"] = f"Ansible play {known.get('ansible_play_name') or 'without a name'!r}" + (f", AWX job {job}" if job else "")
        result.update(self._execute_module(module_args=arguments, task_vars=known, wrap_async=self._task.async_val))
        return result
