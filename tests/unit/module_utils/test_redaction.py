# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets out of messages, vendor text safe to print."""

from __future__ import annotations

import html
import json
import time
import unicodedata
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.redaction import Secrets, excerpt, printable

MASK = "********"
# Any character a password may have; long enough not to be a part of the mask or of the words around it.
SECRETS = st.text(st.characters(exclude_characters="*"), min_size=6, max_size=40).filter(lambda text: len(text.strip()) > 5)
BAD_CATEGORIES = {"Cc", "Cs"}
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def holding(secret) -> Secrets:
    secrets = Secrets()
    secrets.add(secret)
    return secrets


@given(st.text(st.characters()), st.integers(10, 400))
def test_printable_text_is_one_short_clean_line(text, length):
    shown = printable(text, length)
    assert len(shown) <= length
    assert not any(unicodedata.category(ch) in BAD_CATEGORIES or ch in BIDI for ch in shown)
    assert shown == " ".join(shown.split())
    shown.encode("utf-8")


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=200))
def test_ordinary_text_stays_as_it_is(text):
    assert printable(text) == text


def test_long_text_ends_in_dots():
    assert printable("a" * 301) == "a" * 297 + "..."
    assert printable("a" * 300) == "a" * 300


@given(SECRETS, st.text(max_size=30), st.text(max_size=30))
def test_no_form_of_a_secret_survives(secret, before, after):
    secrets = holding(secret)
    forms = [secret, urllib.parse.quote(secret, safe="", errors="replace"), json.dumps(secret)[1:-1], html.escape(secret)]
    for form in forms:
        assert form not in secrets.redact(f"{before}{form}{after}").replace(MASK, "")


@given(SECRETS)
def test_no_secret_survives_in_an_excerpt(secret):
    folded = printable(secret)
    said = excerpt(f"<html><p>{secret}</p></html>".encode("utf-8", "replace"), holding(secret))
    assert folded not in said or len(folded) < 3 or "\ufffd" in said or any("\ud800" <= ch <= "\udfff" for ch in secret)


def test_the_longest_secret_goes_first():
    secrets = holding("abcdef")
    secrets.add("abcdefghij")
    assert secrets.redact("x abcdefghij y abcdef z") == f"x {MASK} y {MASK} z"


def test_a_secret_that_looks_like_a_tag_is_redacted_before_tags_go():
    assert excerpt(b"echo pa<ss>word end", holding("pa<ss>word")) == f"echo {MASK} end"


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_no_secret_is_no_problem(nothing):
    secrets = holding(nothing)
    assert secrets.redact("abc") == "abc"


def test_a_secret_is_registered_once():
    registered = []
    secrets = Secrets(registered.append)
    for value in ("one", "two", "one", None, ""):
        assert secrets.add(value) == value
    assert registered == ["one", "two"]


def test_secrets_that_cannot_be_encoded_are_no_traceback():
    assert holding("caf\udce9").redact("x caf\udce9 y") == f"x {MASK} y"


@pytest.mark.parametrize(
    "page, text",
    [
        (b"<html><head><title>502</title></head><body>Bad&nbsp;Gateway</body></html>", "502 Bad&nbsp;Gateway"),
        (b"<SCRIPT type='x'>evil()</SCRIPT >after", "after"),
        (b"<style>never closed", ""),
        (b"a < b and c > d", "a d"),
        (b"\xff\xfebinary\x00", "\ufffd\ufffdbinary"),
        (b'{"Error": "cut', '{"Error": "cut'),
        (b"", ""),
    ],
)
def test_pages_become_text(page, text):
    assert excerpt(page, Secrets()) == text


@pytest.mark.parametrize("seed", ["<", "<script", "<script>", "</script ", "<a ", "< ", " ", "\u202e", "<style></style", "&<>"])
def test_a_megabyte_of_bad_will_is_quick(seed):
    hostile = (seed * (1_000_000 // len(seed)))
    begun = time.process_time()
    assert len(excerpt(hostile.encode(), Secrets())) <= 300
    assert len(printable(hostile)) <= 300
    assert time.process_time() - begun < 2
