# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Waiting for what completes later."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Wait until everything that is pending has settled. What is still pending when O(wait_timeout) is over fails the task.
    type: bool
    default: false
  wait_timeout:
    description:
      - For how many seconds to wait, at most.
    type: int
    default: 600
  wait_interval:
    description:
      - How many seconds to pause before the second look. The pause grows by half each time, up to 30 seconds.
    type: int
    default: 5
"""
