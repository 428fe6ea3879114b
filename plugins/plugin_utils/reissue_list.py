# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of certificates as authorities send them and spreadsheets leave them: CSV with any separator, JSON, or text. Does no I/O."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable

# What an entry can be, the most exact first: a serial number names a certificate, an order has had several, and a name may be in many orders.
KINDS = ("serial", "thumbprint", "order_id", "name")
NAME_HEADINGS = ("commonname", "cn", "certificatecommonname", "domain", "domainname", "dnsname", "hostname", "host", "fqdn", "name", "names")
ORDER_HEADINGS = re.compile("(digicert|certcentral)?order(id|no|nr|number)?")
SEPARATORS = ",;\t|"
HEXADECIMAL = re.compile("[0-9A-F]+")
NAME = re.compile(r"(\*\.)?(?:[\w](?:[\w-]{0,61}[\w])?\.)+(?!\d+$)[\w-]{2,63}")
# What a spreadsheet makes of a long number, or of hexadecimal digits that look like one.
SPREADSHEET_NUMBER = re.compile(r"\d+([.,]\d+E[+-]?|E[+-])\d{1,3}", re.IGNORECASE)
DECIMAL_DIGITS = range(35, 40)

Entry = t.Dict[str, t.Any]


def decode(content: str) -> str:
    """The text of a file that comes in base64. Spreadsheets write UTF-16 or a byte order mark, and old ones Windows-1252."""
    data = base64.b64decode(content)
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_list(given: t.Any, content: str = "") -> dict[str, t.Any]:
    """The entries of a list, each once, and the lines that cannot be understood.

    :param given: text, or a list of texts, numbers and mappings.
    :param content: a file in base64, instead of ``given``.
    """
    found: dict[tuple[str, str], Entry] = {}
    unreadable: list[dict[str, str]] = []

    def take(place: str, row: t.Any) -> None:
        try:
            for entry in [_of_columns(row)] if isinstance(row, dict) else _of_line(str(row)):
                known = found.setdefault((entry["kind"], entry["value"].lstrip("0").lower()), entry)
                known["order_id"] = known["order_id"] or entry["order_id"]
        except ValueError as error:
            shown = "; ".join(f"{key}: {value}" for key, value in row.items() if value not in (None, "")) if isinstance(row, dict) else str(row).strip()
            unreadable.append({"target": f"{place}: {printable(shown, 80)}", "why": str(error)})

    try:
        rows = list(_rows(decode(content) if content else given))
    except (ValueError, csv.Error, binascii.Error) as error:
        rows = []
        unreadable.append({"target": "the list", "why": f"cannot be read: {printable(str(error), 120)}"})
    for place, row in rows:
        take(place, row)
    return {"entries": list(found.values()), "unreadable": unreadable}


# -- rows --------------------------------------------------------------------------------------------------------------------------------


def _rows(given: t.Any) -> t.Iterator[tuple[str, t.Any]]:
    """Each row with its place in the list: a mapping where its columns have headings that are known, and else its text."""
    if isinstance(given, str):
        text = given.lstrip("\ufeff")
        if text.lstrip().startswith(("[", "{")):
            yield from _rows(json.loads(text))
        else:
            yield from _text_rows(text)
    elif isinstance(given, dict):
        lists = [value for value in given.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise ValueError("it is a mapping without exactly one list in it")
        yield from _rows(lists[0])
    else:
        for place, item in enumerate(given or [], 1):
            if item not in (None, ""):
                yield f"entry {place}", {str(key): item[key] for key in item} if isinstance(item, dict) else item


def _text_rows(text: str) -> t.Iterator[tuple[str, t.Any]]:
    lines = text.splitlines()
    skipped = next((place for place, line in enumerate(lines) if _clean(line) and not re.fullmatch("#.*|sep=.", line.strip(), re.IGNORECASE)), len(lines))
    separator = max(SEPARATORS, key=lines[skipped].count) if skipped < len(lines) else ","
    reader = csv.reader(io.StringIO("\n".join(lines[skipped:])), delimiter=separator, skipinitialspace=True)
    headings = next(reader, [])
    if not any(kind_of_heading(heading) for heading in headings):
        for place, line in enumerate(lines, 1):
            if place > skipped and _clean(line) and not line.lstrip().startswith("#"):
                yield f"line {place}", line
        return
    begins = skipped + reader.line_num + 1
    for cells in reader:
        if any(_clean(cell) for cell in cells):
            yield f"line {begins}", dict(zip(headings, cells))
        begins = skipped + reader.line_num + 1


def kind_of_heading(heading: str) -> str:
    """What a column holds by its heading; empty when that is nothing to find a certificate by."""
    word = re.sub("[^a-z0-9]", "", heading.lower())
    if "serial" in word:
        return "serial"
    if ("thumbprint" in word or "fingerprint" in word or "sha1" in word) and "256" not in word:
        return "thumbprint"
    if ORDER_HEADINGS.fullmatch(word):
        return "order_id"
    return "name" if word in NAME_HEADINGS else ""


# -- entries -----------------------------------------------------------------------------------------------------------------------------


def _clean(cell: t.Any) -> str:
    """A cell without what spreadsheets and mail put around it."""
    text = re.sub("[\u200b\u00a0\ufeff]", " ", "" if cell is None else str(cell)).strip()
    text = text[1:] if text.startswith('="') else text
    return text.strip("'\"\u201c\u201d` ").strip()


def _hexadecimal(text: str) -> str:
    return re.sub(r"^0X|[\s:-]", "", text.upper())


def _serial(text: str) -> str:
    if SPREADSHEET_NUMBER.fullmatch(text):
        raise ValueError("a spreadsheet has made a number of this serial number; export the list again with the column as text")
    digits = _hexadecimal(text)
    if not HEXADECIMAL.fullmatch(digits) or len(digits) > 40:
        raise ValueError("is no serial number in hexadecimal")
    if digits.isdecimal() and len(digits) in DECIMAL_DIGITS:
        raise ValueError("seems to be a serial number in decimal; write it in hexadecimal")
    return digits


def _thumbprint(text: str) -> str:
    digits = _hexadecimal(text)
    if not HEXADECIMAL.fullmatch(digits) or len(digits) != 40:
        raise ValueError("is no SHA-1 thumbprint, which has 40 hexadecimal digits; CertCentral knows no others")
    return digits


def _order_id(text: str) -> str:
    if not re.fullmatch("[0-9]{1,15}", text) or not int(text):
        raise ValueError("is no order id")
    return str(int(text))


def _name(text: str) -> str:
    name = text.rstrip(".").lower()
    if len(name) > 253 or not NAME.fullmatch(name):
        raise ValueError("is no host name")
    return name


READERS: t.Mapping[str, t.Callable[[str], str]] = {"serial": _serial, "thumbprint": _thumbprint, "order_id": _order_id, "name": _name}


def _entry(kind: str, text: str) -> Entry:
    value = READERS[kind](text)
    return {"kind": kind, "value": value, "order_id": int(value) if kind == "order_id" else None}


def guess(text: str) -> Entry:
    """An entry without a heading. Serial numbers of public certificates have far more digits than an order id, and a thumbprint has 40.

    :raises ValueError: it is nothing to find a certificate by.
    """
    digits = _hexadecimal(text)
    if re.fullmatch("[0-9]{1,15}", text):
        return _entry("order_id", text)
    if HEXADECIMAL.fullmatch(digits) and len(digits) > 15 or SPREADSHEET_NUMBER.fullmatch(text):
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
        if kind and _clean(cell):
            given.setdefault(kind, _clean(cell))
    kind = next((kind for kind in KINDS if kind in given), "")
    if not kind:
        raise ValueError("holds no serial number, thumbprint, order id or host name")
    entry = _entry(kind, given[kind])
    return {**entry, "order_id": int(_order_id(given["order_id"]))} if "order_id" in given else entry


def _of_line(line: str) -> list[Entry]:
    """Cells of the same kind are entries of their own; of different kinds, they say the same of one certificate."""
    entries, failure = [], ValueError("is empty")
    for cell in filter(None, map(_clean, re.split(f"[{SEPARATORS}]", line))):
        if SPREADSHEET_NUMBER.fullmatch(cell):
            # What stands beside it may be the rest of it.
            _serial(cell)
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
