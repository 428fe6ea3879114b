# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The guards and the record of every action module."""

    DOCUMENTATION = r"""
notes:
  - A target that another task of the same user on the same machine is at work on is refused, because the vendor might do it twice. Tasks on different
    machines are kept apart only by what the vendor shows.
options:
  max_changes:
    description:
      - Refuse the whole task if it would change more than this number of targets.
    type: int
  plan_digest:
    description:
      - Refuse the whole task if its plan is not the one with this digest. The digest is in the result of a run in check mode, so what was
        looked at and approved is what is applied.
      - A task with nothing left to change is not refused.
    type: str
  continue_on_error:
    description:
      - When some targets cannot be acted on, act on the others all the same. The task fails in the end in either case.
      - Without it, nothing is written unless every target can be acted on.
    type: bool
    default: false
  stop_after_failures:
    description:
      - Once this many targets have failed, leave the rest unattempted.
    type: int
  journal_path:
    description:
      - A file to which a JSON line is appended before each write (what is about to be done) and after it (what became of it). Each is on the
        disk before the module goes on. A new file gets mode 0600. Nothing is written to it in check mode.
      - A relative path starts where the module runs, which in a playbook is the folder of the playbook.
    type: path
"""
