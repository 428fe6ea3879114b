#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_entry
short_description: Append events to a journal
version_added: 0.4.0
author:
  - certops.remediation contributors (@certops)
description:
  - Appends lines to a journal of this collection, in the same chain of hashes in which its modules write theirs. It talks to no vendor.
  - The flows use it for what only they know, such as the beginning and the end of a wave. Use it for what your own tasks do in between, such as a
    certificate that was handed over or an endpoint that was proven.
  - The lines are on the disk before the module returns. Several runs may append to one journal at the same time.
options:
  path:
    description:
      - The journal. A new file gets mode 0600; its folder must exist.
      - A relative path starts at the folder of the playbook.
    type: path
    required: true
  entries:
    description:
      - The events, one line each. Each has C(event), a word in lower case, and whatever else is to be kept. Never put a secret into it.
      - C(prev), C(time) and C(run) are set by the module, and the events C(intent) and C(outcome) are those of the modules that act on targets.
    type: list
    elements: dict
    required: true
  run:
    description:
      - An id that all events of one run have in common, such as the RV(run) that an earlier task has returned. By default a new one.
    type: str
extends_documentation_fragment:
  - certops.remediation.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - It appends each time.
notes:
  - With the connection V(ansible.builtin.local), without privilege escalation and without C(environment), Ansible's own process writes the lines and no
    module is started.
seealso:
  - module: certops.remediation.journal_info
"""

EXAMPLES = r"""
- name: Note that the certificate is in use
  certops.remediation.journal_entry:
    path: /srv/incident/journal.jsonl
    entries:
      - event: proof
        target: www.example.com
        message: all three load balancers serve the new certificate
"""

RETURN = r"""
run:
  description: The id that the lines carry.
  type: str
  returned: always
  sample: 0b7c2c6e-4d8f-4a53-9d0c-5b1e5a3f0a11
written:
  description: How many lines were appended.
  type: int
  returned: always
  sample: 1
head:
  description: The end of the journal as it is now. With it, a cut end can be told; see M(certops.remediation.journal_info).
  type: dict
  returned: outside check mode
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
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.certops.remediation.plugins.module_utils.journal_entries import ARGUMENT_SPEC, append
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_local


def work(task: Task) -> dict[str, t.Any]:
    return append(task.params, check_mode=task.check_mode)


def main() -> None:
    """Run the module."""
    run_local(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), ARGUMENT_SPEC, work)


if __name__ == "__main__":
    main()
