# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of every module."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
  platform:
    description: Target OS or families that can be operated against.
    platforms: posix
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""

    TPP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/certops.remediation.tpp) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - certops.remediation.tpp
"""

    KEYFACTOR = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/certops.remediation.keyfactor) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - certops.remediation.keyfactor
"""

    DIGICERT = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/certops.remediation.digicert) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - certops.remediation.digicert
"""

    CLOUDFLARE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/certops.remediation.cloudflare) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - certops.remediation.cloudflare
"""
