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
# By platform and code, what it takes for a reason, in its own words. Others are refused there, or mean something else.
DIALECTS: t.Mapping[str, t.Mapping[int, t.Any]] = {
    # Vendor pages POST Certificates/Revoke, POST Certificates Revoke, "Revoke certificate".
    "tpp": {number: number for number in range(6)},
    "keyfactor": {number: number for number in range(7)},
    "digicert": {0: "unspecified", 1: "keyCompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation"},
    "cloudflare": {},
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


def reason_in(option: str, given: str, platform: str) -> t.Any:
    """A reason in the words of a platform, as its API takes it.

    :raises InputError: there is no such reason, or the platform does not know it.
    """
    if platform not in DIALECTS:
        raise InputError(option, f"{printable(platform, 40)!r} is no platform; give one of {', '.join(DIALECTS)}")
    code, known = reason_code(option, given), DIALECTS[platform]
    if not known:
        raise InputError(option, f"{platform} takes no reason for a revocation; leave it out")
    if code not in known:
        raise InputError(option, f"{platform} cannot revoke for {reason_name(code)}; give one of {', '.join(str(reason_name(number)) for number in known)}")
    return known[code]
