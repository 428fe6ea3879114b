# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of certificates as people and authorities send them and spreadsheets leave them: CSV with any separator, JSON, or text. Does no I/O.

What an entry may be differs from flow to flow, see ``reissue_list``, ``client_list`` and ``find_record``.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
import typing as t

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.redaction import printable
from ansible_collections.certops.remediation.plugins.module_utils.x509 import normalise_hex

SEPARATORS = ",;\t|"
# What a spreadsheet makes of a long number, or of hexadecimal digits that look like one.
SPREADSHEET_NUMBER = re.compile(r"\d+([.,]\d+E[+-]?|E[+-])\d{1,3}", re.IGNORECASE)
DECIMAL_DIGITS = range(35, 40)
NAME = re.compile(r"(\*\.)?(?:[\w](?:[\w-]{0,61}[\w])?\.)+(?!\d+$)[\w-]{2,63}")

Row = t.Tuple[str, t.Any]


# -- rows --------------------------------------------------------------------------------------------------------------------------------


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


def rows(given: t.Any, content: str, known: t.Callable[[str], t.Any]) -> tuple[list[Row], list[dict[str, str]]]:
    """Each row with its place in the list, a mapping where its columns have headings that are known and else its text; and what cannot be read at all.

    :param given: text, or a list of texts, numbers and mappings.
    :param content: a file in base64, instead of ``given``.
    :param known: whether a heading says what its column holds.
    """
    try:
        return list(_rows(decode(content) if content else given, known)), []
    except (ValueError, csv.Error, binascii.Error, RecursionError) as error:
        return [], [{"target": "the list", "why": f"cannot be read: {printable(str(error), 120)}"}]


def _rows(given: t.Any, known: t.Callable[[str], t.Any]) -> t.Iterator[Row]:
    if isinstance(given, str):
        text = given.lstrip("\ufeff")
        if text.lstrip().startswith(("[", "{")):
            yield from _rows(json.loads(text), known)
        else:
            yield from _text_rows(text, known)
    elif isinstance(given, t.Mapping):
        lists = [value for value in given.values() if isinstance(value, list)]
        if len(lists) != 1 and not any(known(str(key)) for key in given):
            raise ValueError("it is a mapping without exactly one list in it")
        # One entry may be given as what it is.
        yield from _rows([given] if any(known(str(key)) for key in given) else lists[0], known)
    else:
        for place, item in enumerate(given or [], 1):
            if item not in (None, ""):
                yield f"entry {place}", {str(key): item[key] for key in item} if isinstance(item, t.Mapping) else item


def _text_rows(text: str, known: t.Callable[[str], t.Any]) -> t.Iterator[Row]:
    lines = text.splitlines()
    skipped = next((place for place, line in enumerate(lines) if clean(line) and not re.fullmatch("#.*|sep=.", line.strip(), re.IGNORECASE)), len(lines))
    separator = max(SEPARATORS, key=lines[skipped].count) if skipped < len(lines) else ","
    reader = csv.reader(io.StringIO("\n".join(lines[skipped:])), delimiter=separator, skipinitialspace=True)
    headings = next(reader, [])
    if not any(known(heading) for heading in headings):
        for place, line in enumerate(lines, 1):
            if place > skipped and clean(line) and not line.lstrip().startswith("#"):
                yield f"line {place}", line
        return
    begins = skipped + reader.line_num + 1
    for cells in reader:
        if any(clean(cell) for cell in cells):
            yield f"line {begins}", dict(zip(headings, cells))
        begins = skipped + reader.line_num + 1


def heading_word(heading: str) -> str:
    """A heading as it is compared; empty for what is an entry already, such as ``sha256:...`` in the first line."""
    return "" if re.search(r"[:=/]\s*\S|[0-9a-f]{16}", heading.lower()) else re.sub("[^a-z0-9]", "", heading.lower())


def shown(place: str, row: t.Any) -> str:
    """A row as it is told."""
    said = "; ".join(f"{key}: {value}" for key, value in row.items() if value not in (None, "")) if isinstance(row, t.Mapping) else str(row).strip()
    return f"{place}: {printable(said, 80)}"


# -- cells -------------------------------------------------------------------------------------------------------------------------------


def clean(cell: t.Any) -> str:
    """A cell without what spreadsheets and mail put around it."""
    text = re.sub("[\u200b\u00a0\ufeff]", " ", "" if cell is None else str(cell)).strip()
    text = text[1:] if text.startswith('="') else text
    return text.strip("'\"\u201c\u201d` ").strip()


def cells_of(line: str) -> list[str]:
    """The cells of a line without headings."""
    return [cell for cell in map(clean, re.split(f"[{SEPARATORS}]", line)) if cell]


def hexadecimal(text: str) -> str:
    """The digits in upper case; empty where it is no hexadecimal number."""
    try:
        return normalise_hex("list", text)
    except InputError:
        return ""


def serial(text: str) -> str:
    """:raises ValueError: it is no serial number in hexadecimal."""
    if SPREADSHEET_NUMBER.fullmatch(text):
        raise ValueError("a spreadsheet has made a number of this serial number; export the list again with the column as text")
    digits = hexadecimal(text)
    if not 0 < len(digits) <= 40:
        raise ValueError("is no serial number in hexadecimal")
    if digits.isdecimal() and len(digits) in DECIMAL_DIGITS:
        raise ValueError("seems to be a serial number in decimal; write it in hexadecimal")
    return digits


def host_name(text: str) -> str:
    """:raises ValueError: it is no host name."""
    name = text.rstrip(".").lower()
    if len(name) > 253 or not NAME.fullmatch(name):
        raise ValueError("is no host name")
    return name
