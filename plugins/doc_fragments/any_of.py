# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Certificates by whatever an incident names them by."""

    DOCUMENTATION = r"""
options:
  any_of:
    description:
      - Certificates by whatever an incident names them by. One that any of these values fits is returned, unless the other filters leave it out. What
        nothing fits is not told; compare what was found with what was looked for.
      - There may be thousands of values. The module asks for them in batches, or reads the whole list once where that takes fewer requests.
      - Without any value, it matches nothing.
    type: dict
    version_added: 0.4.0
    suboptions:
      serial:
        description:
          - Serial numbers in hexadecimal. Case, colons, blanks and leading zeros do not matter. Two authorities may have given the same one.
        type: list
        elements: str
      thumbprint:
        description:
          - SHA-1 thumbprints.
        type: list
        elements: str
      fingerprint_sha256:
        description:
          - SHA-256 fingerprints of certificates.
        type: list
        elements: str
      public_key_sha256:
        description:
          - The SHA-256 of public keys (SubjectPublicKeyInfo) in hexadecimal. This finds everything that shares a leaked key.
        type: list
        elements: str
      name:
        description:
          - Whole names, as common name or among the DNS names. Case does not matter.
        type: list
        elements: str
"""
