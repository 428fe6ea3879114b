# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists as authorities send them and spreadsheets leave them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.plugin_utils.reissue_list import kind_of_heading, read_list

SERIAL = "0A60A8DC5F185C03BE84FE59C12F6E0C"
THUMBPRINT = "20FE21D6B59190C5AA64ADA2417D15F2FB96F0C6"


def found(*arguments):
    """Kinds and values; nothing may be left over."""
    read = read_list(*arguments)
    assert read["unreadable"] == []
    return [(entry["kind"], entry["value"]) for entry in read["entries"]]


def unreadable(*arguments):
    read = read_list(*arguments)
    return [(entry["target"], entry["why"]) for entry in read["unreadable"]]


def file_of(text, encoding="utf-8"):
    return base64.b64encode(text.encode(encoding)).decode("ascii")


@pytest.mark.parametrize(
    "text, entry",
    [
        (SERIAL, ("serial", SERIAL)),
        (SERIAL.lower(), ("serial", SERIAL)),
        ("0a:60:a8:dc:5f:18:5c:03:be:84:fe:59:c1:2f:6e:0c", ("serial", SERIAL)),
        ("0A 60 A8 DC 5F 18 5C 03 BE 84 FE 59 C1 2F 6E 0C", ("serial", SERIAL)),
        ("0x" + SERIAL, ("serial", SERIAL)),
        (f'="{SERIAL}"', ("serial", SERIAL)),
        (f"'{SERIAL}", ("serial", SERIAL)),
        ("01234567890123456789012345678901", ("serial", "01234567890123456789012345678901")),
        (THUMBPRINT, ("thumbprint", THUMBPRINT)),
        ("1000001", ("order_id", "1000001")),
        ("Www.Example.COM.", ("name", "www.example.com")),
        ("*.example.com", ("name", "*.example.com")),
        ("bücher.example.com", ("name", "bücher.example.com")),
        ("_sip.example.com", ("name", "_sip.example.com")),
    ],
)
def test_what_an_entry_is(text, entry):
    assert found(text) == found([text]) == [entry]


@pytest.mark.parametrize(
    "text, why",
    [
        ("Dear customer,", "is no serial number, thumbprint, order id or host name"),
        ("https://www.example.com/", "is no serial number, thumbprint, order id or host name"),
        ("10.20.30.40", "is no serial number, thumbprint, order id or host name"),
        ("1.23E+37", "a spreadsheet has made a number of this serial number"),
        ("1,23E+37", "a spreadsheet has made a number of this serial number"),
        ("1.23E+007", "a spreadsheet has made a number of this serial number"),
        ("13790453893178593112345678901234567890", "seems to be a serial number in decimal"),
        ("ab" * 32, "is no SHA-1 thumbprint"),
        ("ab" * 30, "is no serial number in hexadecimal"),
        ("99999999999999999999x", "is no serial number, thumbprint, order id or host name"),
    ],
)
def test_nonsense_is_named_with_its_line(text, why):
    ((target, said),) = unreadable(f"{SERIAL}\n\n{text}")
    assert said.startswith(why) and target == f"line 3: {text}"[:88]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_with_any_separator_and_encoding(separator, encoding):
    lines = [
        ["Größe", "Order ID", "Serial Number", "Common Name", "Revocation"],
        ["1", "1101", SERIAL.lower(), "www.example.com", "2026-11-23"],
        ["", "1102", "", "", ""],
        ["", "", "", '"shop.example.com"', ""],
        ["", "", "", "", ""],
    ]
    text = "\r\n".join(separator.join(cells) for cells in lines) + "\r\n"
    read = read_list(None, file_of(text, encoding))
    assert read["unreadable"] == []
    assert [(entry["kind"], entry["value"], entry["order_id"]) for entry in read["entries"]] == [
        ("serial", SERIAL, 1101), ("order_id", "1102", 1102), ("name", "shop.example.com", None),
    ]


def test_a_damaged_serial_number_is_not_replaced_by_a_name():
    text = f"sep=;\nSerial;CN\n1.2E+31;www.example.com\n;\nn/a;shop.example.com\n{SERIAL};ok.example.com"
    spoilt = "a spreadsheet has made a number of this serial number; export the list again with the column as text"
    assert unreadable(text) == [
        ("line 3: Serial: 1.2E+31; CN: www.example.com", spoilt),
        ("line 5: Serial: n/a; CN: shop.example.com", "is no serial number in hexadecimal"),
    ]
    assert [entry["value"] for entry in read_list(text)["entries"]] == [SERIAL]


def test_a_row_without_anything_is_named():
    assert unreadable("Serial;Owner\n;Robin\n") == [("line 2: Owner: Robin", "holds no serial number, thumbprint, order id or host name")]


def test_line_numbers_count_lines_in_quotes():
    assert unreadable('Serial,Comment\n0A,"two\nlines"\nzz,\n')[0][0] == "line 4: Serial: zz"


def test_columns_without_headings():
    read = read_list(f"1101;{SERIAL};www.example.com;2026-11-23\na.example.com, b.example.com\n# comment\n1, 2")
    assert [(entry["kind"], entry["value"], entry["order_id"]) for entry in read["entries"]] == [
        ("serial", SERIAL, 1101), ("name", "a.example.com", None), ("name", "b.example.com", None), ("order_id", "1", 1), ("order_id", "2", 2),
    ]


@pytest.mark.parametrize(
    "text",
    [
        f'["{SERIAL}", 1101]',
        f'[{{"serialNumber": "{SERIAL}"}}, {{"order_id": 1101}}]',
        f'{{"incident": "x", "certificates": [{{"serial": "{SERIAL}", "thumbprint": "{THUMBPRINT}"}}, "1101"]}}',
    ],
)
def test_json(text):
    assert found(text) == found(None, file_of("\ufeff" + text)) == [("serial", SERIAL), ("order_id", "1101")]


@pytest.mark.parametrize("text", ["[broken", '{"a": 1}', '{"a": [], "b": []}'])
def test_json_that_cannot_be_read_is_said(text):
    ((target, why),) = unreadable(text)
    assert target == "the list" and why.startswith("cannot be read: ")


def test_each_entry_once():
    read = read_list([SERIAL, SERIAL.lower().lstrip("0"), {"serial": SERIAL, "order_id": "1101"}, "a.example.com", "A.example.com", None, ""])
    assert [(entry["value"], entry["order_id"]) for entry in read["entries"]] == [(SERIAL, 1101), ("a.example.com", None)]


@pytest.mark.parametrize("empty", [None, "", "\n \n", [], "# nothing", "Serial\n"])
def test_nothing(empty):
    assert read_list(empty) == {"entries": [], "unreadable": []}


@pytest.mark.parametrize(
    "heading, kind",
    [
        ("Serial Number", "serial"), ("certificate_serial", "serial"), ("SHA1 Fingerprint", "thumbprint"), ("SHA-256 fingerprint", ""), ("Order #", "order_id"),
        ("orderNumber", "order_id"), ("Order status", ""), ("CN", "name"), ("Common name", "name"), ("Revocation date", ""), ("", ""),
    ],
)
def test_headings(heading, kind):
    assert kind_of_heading(heading) == kind


def test_hostile_text_is_made_safe_to_print():
    ((target, dummy),) = unreadable("\x1b[31m\u202e{{ 7 * 7 }} <script>")
    assert "\x1b" not in target and "\u202e" not in target and "{{ 7 * 7 }} <script>" in target


@given(st.one_of(st.text(), st.lists(st.one_of(st.none(), st.integers(), st.text(), st.dictionaries(st.text(), st.text())))))
def test_nothing_makes_it_fail(anything):
    read = read_list(anything)
    assert all(entry["kind"] in ("serial", "thumbprint", "order_id", "name") and entry["value"] for entry in read["entries"])


@given(st.binary())
def test_no_file_makes_it_fail(data):
    read_list(None, base64.b64encode(data).decode("ascii"))
