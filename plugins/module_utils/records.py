# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields of a vendor's JSON records, which may be missing, null, or of another type than documented."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable

Record = t.Dict[str, t.Any]


def text_of(record: t.Mapping[str, t.Any], key: str, length: int = 400) -> str:
    """A field as text that is safe to print; empty when it is missing or null."""
    return printable(str(record[key]), length) if record.get(key) is not None else ""


def record_in(record: t.Mapping[str, t.Any], key: str) -> Record:
    """A record inside a record; empty when it is missing."""
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def records_in(record: t.Mapping[str, t.Any], key: str) -> list[Record]:
    """A list of records inside a record; empty when it is missing."""
    value = record.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def whole(record: t.Mapping[str, t.Any], key: str) -> int:
    """A number that may come as text; 0 when it is missing."""
    try:
        return int(record.get(key) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0
