#!/usr/bin/python
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: flow_files
short_description: Read and write the files of a flow
version_added: 0.4.0
author:
  - certops.remediation contributors (@certops)
description:
  - Reads lists and what an earlier run has left, and writes reports and what the next run needs. The flows of this collection use it; it talks to no vendor.
  - A file is replaced as a whole or not at all, and is on the disk before the module returns, so that a job that is killed leaves no torn file.
options:
  read:
    description:
      - Files that must be there. A relative path starts at the folder of the playbook.
    type: list
    elements: str
    default: []
  ledger:
    description:
      - A file with a JSON object, in which an earlier run has kept what it knows. It may be missing; a damaged one is an error.
    type: str
  write:
    description:
      - Files to write, after all that is to be read was read.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: The file.
        type: path
        required: true
      content:
        description: What it is to hold, as text. Anything else than text is written as JSON.
        type: raw
        required: true
      mode:
        description: Who may read it.
        type: str
        choices: ["0600", "0640", "0644"]
        default: "0600"
  create_folders:
    description:
      - Make the folders of the files that are missing, with mode 0700.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.remediation.attributes
attributes:
  check_mode:
    support: full
    details:
      - Files are read, and none is written; one that could not be written is an error.
  diff_mode:
    support: none
  idempotent:
    support: full
notes:
  - With the connection V(ansible.builtin.local), without privilege escalation and without C(environment), Ansible's own process does the work and no
    module is started.
seealso:
  - module: certops.remediation.journal_entry
"""

EXAMPLES = r"""
- name: Read the list, and what an earlier run has left
  certops.remediation.flow_files:
    read:
      - /srv/incident/list.csv
    ledger: /srv/incident/orders.json
  register: incident

- name: Keep what the next run needs
  certops.remediation.flow_files:
    write:
      - path: /srv/incident/orders.json
        content:
          www.example.com: 4711
"""

RETURN = r"""
files:
  description: What was read, in the order of O(read).
  type: list
  elements: dict
  returned: always
  contains:
    path:
      description: The file, as it was given.
      type: str
      returned: always
      sample: /srv/incident/list.csv
    content:
      description: What it holds, in base64. Null where it is not there or cannot be read.
      type: str
      returned: always
      sample: d3d3LmV4YW1wbGUuY29tCg==
    msg:
      description: Why it could not be read; else empty.
      type: str
      returned: always
      sample: there is no such file
ledger:
  description: What O(ledger) holds; empty where it is not there.
  type: dict
  returned: when all of O(read) could be read
  sample: {www.example.com: 4711}
ledger_found:
  description: Whether it is there.
  type: bool
  returned: when all of O(read) could be read
  sample: true
written:
  description: The files that were written, or in check mode would have been. A file that holds the content already is none of them.
  type: list
  elements: str
  returned: when all of O(read) could be read
  sample: [/srv/incident/orders.json]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.certops.remediation.plugins.module_utils.flow_files import ARGUMENT_SPEC, handle
from ansible_collections.certops.remediation.plugins.module_utils.task import Task, run_local


def work(task: Task) -> dict[str, t.Any]:
    return handle(task.params, check_mode=task.check_mode)


def main() -> None:
    """Run the module."""
    run_local(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), ARGUMENT_SPEC, work)


if __name__ == "__main__":
    main()
