# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons for a revocation (RFC 5280, 5.3.1), by the names that Ansible users know from other collections."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable

REASONS: t.Mapping[str, int] = {
    "unspecified": 0,
    "key_compromise": 1,
    "ca_compromise": 2,
    "affiliation_changed": 3,
    "superseded": 4,
    "cessation_of_operation": 5,
    "certificate_hold": 6,
    "remove_from_crl": 8,
    "privilege_withdrawn": 9,
    "aa_compromise": 10,
}
_BY_FOLDED_NAME = {name.replace("_", ""): name for name in REASONS}
_BY_NUMBER = {number: name for name, number in REASONS.items()}


def reason_name(number: int | None) -> str | None:
    """The name of a reason code; the number as text where RFC 5280 has no name for it."""
    return None if number is None else _BY_NUMBER.get(number, str(number))


def reason_code(option: str, given: str) -> int:
    """The code of a reason given by name (``key_compromise``, ``keyCompromise``, ``Key Compromise``) or by number.

    :raises InputError: there is no such reason.
    """
    folded = re.sub("[ _-]", "", given).lower()
    if folded in _BY_FOLDED_NAME:
        return REASONS[_BY_FOLDED_NAME[folded]]
    # Not of the folded text: -1 is no 1, and some vendors' own word for the release of a hold.
    number = given.strip()
    if re.fullmatch("[0-9]{1,2}", number) and int(number) in _BY_NUMBER:
        return int(number)
    close = difflib.get_close_matches(folded, _BY_FOLDED_NAME, n=1)
    hint = f"did you mean {_BY_FOLDED_NAME[close[0]]}?" if close else f"give one of {', '.join(REASONS)}"
    raise InputError(option, f"{printable(given, 40)!r} is no reason of RFC 5280; {hint}")
