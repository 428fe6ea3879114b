# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between AnsibleModule and the rest: the only place that starts from a module's parameters and ends the module."""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.remediation.plugins.module_utils.engine import Engine, Operation
from ansible_collections.certops.remediation.plugins.module_utils.errors import RemediationError
from ansible_collections.certops.remediation.plugins.module_utils.options import Spec, unset_empty
from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets
from ansible_collections.certops.remediation.plugins.module_utils.transport import REQUESTS_IMPORT_ERROR

try:
    # ansible-core 2.22 and later mask what is registered here in all output; before that, AnsibleModule does it alone.
    from ansible.module_utils.secrets import register_secret
except ImportError:
    register_secret = None

# Every wait is told, but a bad night may have thousands of them.
MAX_WARNINGS = 20


@dataclasses.dataclass(frozen=True)
class Task:
    """What a module is given to work with."""

    params: t.Mapping[str, t.Any]
    check_mode: bool
    secrets: Secrets
    warn: t.Callable[[str], None]


def run_action(module: AnsibleModule, spec: Spec, build: t.Callable[[Task], tuple[Operation[t.Any, t.Any], t.Sequence[t.Any]]]) -> None:
    """Run an action module to its end. ``build`` makes the operation and its targets of the task."""

    def work(task: Task) -> dict[str, t.Any]:
        operation, targets = build(task)
        try:
            return Engine(operation, task.params, check_mode=task.check_mode, warn=task.warn).run(targets)
        finally:
            operation.transport.close()

    _run(module, spec, work)


def run_info(module: AnsibleModule, spec: Spec, read: t.Callable[[Task], dict[str, t.Any]]) -> None:
    """Run a module that only reads. ``read`` makes the result."""
    _run(module, spec, lambda task: {"changed": False, **read(task)})


def run_local(module: AnsibleModule, spec: Spec, work: t.Callable[[Task], dict[str, t.Any]]) -> None:
    """Run a module that talks to no vendor."""
    _run(module, spec, work, online=False)


def _run(module: AnsibleModule, spec: Spec, work: t.Callable[[Task], dict[str, t.Any]], *, online: bool = True) -> None:
    if online and REQUESTS_IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    secrets = Secrets(lambda value: _register(module, value))
    params = unset_empty(module.params, spec)
    for name, option in spec.items():
        if option.get("no_log"):
            secrets.add(params.get(name))
        elif isinstance(params.get(name), str):
            # Nobody should write a password into an address; when it is there all the same, no output may show it.
            secrets.add(_password_in_url(params[name]))
    try:
        result = work(Task(params=params, check_mode=module.check_mode, secrets=secrets, warn=_limited(module.warn, secrets)))
    except RemediationError as error:
        module.fail_json(msg=secrets.redact(error.message), error=error.as_result())
    if not module._diff:
        result.pop("diff", None)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def _password_in_url(text: str) -> str | None:
    try:
        return urllib.parse.urlsplit(text).password if "@" in text else None
    except ValueError:
        return None


def _register(module: AnsibleModule, value: str) -> None:
    module.no_log_values.add(value)
    if register_secret is not None:
        register_secret(value)


def _limited(warn: t.Callable[[str], None], secrets: Secrets) -> t.Callable[[str], None]:
    """``warn`` without secrets, and silent after the first few."""
    told = 0

    def limited(text: str) -> None:
        nonlocal told
        told += 1
        if told <= MAX_WARNINGS:
            warn(secrets.redact(text))
        if told == MAX_WARNINGS:
            warn("further warnings of this task are left out")

    return limited
