# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for the role awx_setup, each documented in a file of its own name."""

from __future__ import annotations

import importlib.util
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.awx_objects import job_templates, workflows, written


def installed(collections: t.Iterable[str]) -> list[str]:
    return [name for name in collections if _is_installed(str(name))]


def _is_installed(collection: str) -> bool:
    try:
        return importlib.util.find_spec(f"ansible_collections.{collection}") is not None
    except ModuleNotFoundError:
        # There is not even its namespace.
        return False


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"awx_installed": installed, "awx_job_templates": job_templates, "awx_workflows": workflows, "awx_written": written}
