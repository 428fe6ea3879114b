# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of orders to be reissued: what an entry can be, beside what holds for all lists. Does no I/O."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.certops.remediation.plugins.plugin_utils.incident_list import (
    SPREADSHEET_NUMBER,
    cells_of,
    clean,
    heading_word,
    hexadecimal,
    host_name,
    rows,
    serial,
    shown,
)

# What an entry can be, the most exact first: a serial number names a certificate, an order has had several, and a name may be in many orders.
KINDS = ("serial", "thumbprint", "order_id", "name")
NAME_HEADINGS = ("commonname", "cn", "certificatecommonname", "domain", "domainname", "dnsname", "hostname", "host", "fqdn", "name", "names")
ORDER_HEADINGS = re.compile("(digicert|certcentral)?order(id|no|nr|number)?")

Entry = t.Dict[str, t.Any]


def read_list(given: t.Any, content: str = "") -> dict[str, t.Any]:
    """The entries of a list, each once, and the lines that cannot be understood.

    :param given: text, or a list of texts, numbers and mappings.
    :param content: a file in base64, instead of ``given``.
    """
    found: dict[tuple[str, str], Entry] = {}
    listed, unreadable = rows(given, content, kind_of_heading)
    for place, row in listed:
        try:
            for entry in [_of_columns(row)] if isinstance(row, dict) else _of_line(str(row)):
                known = found.setdefault((entry["kind"], entry["value"].lstrip("0").lower()), entry)
                known["order_id"] = known["order_id"] or entry["order_id"]
        except ValueError as error:
            unreadable.append({"target": shown(place, row), "why": str(error)})
    return {"entries": list(found.values()), "unreadable": unreadable}


def kind_of_heading(heading: str) -> str:
    """What a column holds by its heading; empty when that is nothing to find a certificate by."""
    word = heading_word(heading)
    if "serial" in word:
        return "serial"
    if ("thumbprint" in word or "fingerprint" in word or "sha1" in word) and "256" not in word:
        return "thumbprint"
    if ORDER_HEADINGS.fullmatch(word):
        return "order_id"
    return "name" if word in NAME_HEADINGS else ""


# -- entries -----------------------------------------------------------------------------------------------------------------------------


def _thumbprint(text: str) -> str:
    digits = hexadecimal(text)
    if len(digits) != 40:
        raise ValueError("is no SHA-1 thumbprint, which has 40 hexadecimal digits; CertCentral knows no others")
    return digits


def _order_id(text: str) -> str:
    if not re.fullmatch("[0-9]{1,15}", text) or not int(text):
        raise ValueError("is no order id")
    return str(int(text))


READERS: t.Mapping[str, t.Callable[[str], str]] = {"serial": serial, "thumbprint": _thumbprint, "order_id": _order_id, "name": host_name}


def _entry(kind: str, text: str) -> Entry:
    value = READERS[kind](text)
    return {"kind": kind, "value": value, "order_id": int(value) if kind == "order_id" else None}


def guess(text: str) -> Entry:
    """An entry without a heading. Serial numbers of public certificates have far more digits than an order id, and a thumbprint has 40.

    :raises ValueError: it is nothing to find a certificate by.
    """
    digits = hexadecimal(text)
    if re.fullmatch("[0-9]{1,15}", text):
        return _entry("order_id", text)
    if len(digits) > 15 or SPREADSHEET_NUMBER.fullmatch(text):
        return _entry("thumbprint" if len(digits) in (40, 64) else "serial", text)
    try:
        return _entry("name", text)
    except ValueError:
        raise ValueError("is no serial number, thumbprint, order id or host name") from None


def _of_columns(row: t.Mapping[str, t.Any]) -> Entry:
    """The most exact of what a row says. Where that is damaged, what is less exact does not stand in for it."""
    given: dict[str, str] = {}
    for heading, cell in row.items():
        kind = kind_of_heading(heading)
        if kind and clean(cell):
            given.setdefault(kind, clean(cell))
    kind = next((kind for kind in KINDS if kind in given), "")
    if not kind:
        raise ValueError("holds no serial number, thumbprint, order id or host name")
    entry = _entry(kind, given[kind])
    return {**entry, "order_id": int(_order_id(given["order_id"]))} if "order_id" in given else entry


def _of_line(line: str) -> list[Entry]:
    """Cells of the same kind are entries of their own; of different kinds, they say the same of one certificate."""
    entries, failure = [], ValueError("is empty")
    for cell in cells_of(line):
        if SPREADSHEET_NUMBER.fullmatch(cell):
            # What stands beside it may be the rest of it.
            serial(cell)
        try:
            entries.append(guess(cell))
        except ValueError as error:
            failure = error
    if not entries:
        raise failure
    kind = min((entry["kind"] for entry in entries), key=KINDS.index)
    orders = [entry["order_id"] for entry in entries if entry["order_id"]]
    chosen = [entry for entry in entries if entry["kind"] == kind]
    if len(chosen) == 1 and len(orders) == 1:
        chosen[0]["order_id"] = orders[0]
    return chosen
