#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_info
short_description: Verify a journal and tell what is in it
version_added: 0.4.0
author:
  - certops.remediation contributors (@certops)
description:
  - Verifies the chain of hashes of a journal, and tells its runs and what was begun in it and has no outcome. It talks to no vendor.
  - It finds lines that were changed, removed, inserted or reordered. That the end was cut is seen against what was kept of it, by O(records) or
    O(heads).
  - A line that a killed run has left unfinished is part of the chain and no problem.
  - The same is done without Ansible by C(python3 journal_verify.py), a file of this collection that needs nothing else; see the guide on the journal.
options:
  path:
    description:
      - The journal.
    type: path
    required: true
  records:
    description:
      - Reports of runs in JSON, which keep the end that the journal had then.
    type: list
    elements: path
  heads:
    description:
      - What else was kept of the end of the journal, such as C(journal_head) of what a flow hands on by M(ansible.builtin.set_stats).
    type: list
    elements: dict
    suboptions:
      lines:
        description: How many lines there were.
        type: int
        required: true
      sha256:
        description: The SHA-256 of the last of them, in hexadecimal.
        type: str
        required: true
  fail_if_broken:
    description:
      - Fail when the journal is not as it was written.
    type: bool
    default: true
extends_documentation_fragment:
  - certops.remediation.attributes
  - certops.remediation.attributes.info
seealso:
  - module: certops.remediation.journal_entry
"""

EXAMPLES = r"""
- name: Verify the journal of an incident against the reports of its runs
  certops.remediation.journal_info:
    path: /srv/incident/journal.jsonl
    records:
      - /srv/incident/report.json
  register: journal

- name: Show what somebody has to look at
  ansible.builtin.debug:
    var: journal.open_targets
"""

RETURN = r"""
intact:
  description: Whether every line is as it was written, in its place.
  type: bool
  returned: always
  sample: true
anchored:
  description: Whether the end was compared with what was kept of it. Where it was not, a cut end cannot be seen.
  type: bool
  returned: always
  sample: true
problems:
  description: What is wrong, in words; the first of them.
  type: list
  elements: str
  returned: always
  sample: []
problem_count:
  description: How many problems there are.
  type: int
  returned: always
  sample: 0
torn:
  description: The numbers of lines that killed runs have left unfinished.
  type: list
  elements: int
  returned: always
  sample: []
unchained:
  description: How many lines at the beginning are from a version that made no chain.
  type: int
  returned: always
  sample: 0
head:
  description: The end of the journal.
  type: dict
  returned: always
  contains:
    lines:
      description: How many lines there are.
      type: int
      returned: always
      sample: 42
    sha256:
      description: The SHA-256 of the last one.
      type: str
      returned: always
      sample: 3f786850e387550fdab836ed7e6dc881de23001b6a4c1d6d8f5b2a7b2f7a3c11
runs:
  description: One for each id, in the order in which they began. A run of a flow has one, and each task of a module that acted has one.
  type: list
  elements: dict
  returned: always
  contains:
    run:
      description: The id.
      type: str
      returned: always
      sample: 0b7c2c6e-4d8f-4a53-9d0c-5b1e5a3f0a11
    what:
      description: The role, or the module.
      type: str
      returned: always
      sample: revoke_certificates
    reference:
      description: The ticket or incident of a run of a flow.
      type: str
      returned: always
      sample: INC-1
    by:
      description: Who ran it.
      type: str
      returned: always
      sample: ada
    job:
      description: The job in which it ran.
      type: str
      returned: always
      sample: AWX job 7
    started:
      description: When its first line was written.
      type: str
      returned: always
      sample: "2026-11-29T21:00:00.000+00:00"
    last:
      description: When its last line was written.
      type: str
      returned: always
      sample: "2026-11-29T21:05:00.000+00:00"
    ended:
      description: Whether a run of a flow says that it has ended.
      type: bool
      returned: always
      sample: true
    headline:
      description: How it ended.
      type: str
      returned: always
      sample: 60 revoked
    events:
      description: How many lines there are of each event.
      type: dict
      returned: always
      sample: {run_started: 1, planned: 1, run_ended: 1}
open_targets:
  description: Targets of which an intent has no outcome after it, or one that is not known. Somebody has to look what became of them.
  type: list
  elements: dict
  returned: always
  contains:
    target:
      description: The target as the module names it.
      type: str
      returned: always
      sample: '\VED\Policy\Certificates\www.example.com'
    module:
      description: The module.
      type: str
      returned: always
      sample: tpp_certificate_reset
    action:
      description: What was to be done.
      type: str
      returned: always
      sample: reset
    run:
      description: The id of the task.
      type: str
      returned: always
      sample: 0b7c2c6e-4d8f-4a53-9d0c-5b1e5a3f0a11
    time:
      description: When.
      type: str
      returned: always
      sample: "2026-11-29T21:00:00.000+00:00"
    message:
      description: What the module said of an outcome that is not known.
      type: str
      returned: always
      sample: null
    line:
      description: The number of the line.
      type: int
      returned: always
      sample: 7
"""

import json
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.journal_verify import Summary, anchor_of, report_lines, verify
from ansible_collections.certops.remediation.plugins.module_utils.options import Spec
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_local

ARGUMENT_SPEC: Spec = {
    "path": {"type": "path", "required": True},
    "records": {"type": "list", "elements": "path"},
    "heads": {
        "type": "list",
        "elements": "dict",
        "options": {"lines": {"type": "int", "required": True}, "sha256": {"type": "str", "required": True}},
    },
    "fail_if_broken": {"type": "bool", "default": True},
}


def anchor_in(path: str) -> tuple[int, str]:
    """What a report keeps of the end of the journal.

    :raises InputError: it is no such report.
    """
    try:
        with open(path, encoding="utf-8") as file:
            anchor = anchor_of(json.load(file))
    except (OSError, ValueError) as exc:
        raise InputError("records", f"{path!r} cannot be read as JSON ({getattr(exc, 'strerror', None) or 'no JSON'})") from None
    if anchor is None:
        raise InputError("records", f"{path!r} is no report that holds the end of a journal; leave it out")
    return anchor


def work(task: Task) -> dict[str, t.Any]:
    anchors = [anchor_in(path) for path in task.params["records"] or []]
    anchors += [(head["lines"], head["sha256"]) for head in task.params["heads"] or []]
    summary = Summary()
    try:
        with open(task.params["path"], "rb") as file:
            found = verify(file, anchors=anchors, see=summary.see)
    except OSError as exc:
        raise InputError("path", f"{task.params['path']!r} cannot be read ({exc.strerror})") from None
    return {
        "failed": task.params["fail_if_broken"] and not found.intact,
        "msg": ". ".join(report_lines(found, anchored=bool(anchors))),
        "intact": found.intact,
        "anchored": bool(anchors),
        "problems": found.problems,
        "problem_count": found.problem_count,
        "torn": found.torn,
        "unchained": found.unchained,
        "head": {"lines": found.lines, "sha256": found.head},
        "runs": summary.runs,
        "open_targets": summary.open_targets,
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    run_local(module, ARGUMENT_SPEC, lambda task: {"changed": False, **work(task)})


if __name__ == "__main__":
    main()
