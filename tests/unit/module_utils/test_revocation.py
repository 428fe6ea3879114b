# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons of RFC 5280, as people write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError
from ansible_collections.certops.remediation.plugins.module_utils.revocation import REASONS, reason_code, reason_name

# RFC 5280, 5.3.1, by hand: the table of the collection must not be its own witness.
RFC_5280 = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}


def snake(name):
    words = {"cACompromise": "ca_compromise", "removeFromCRL": "remove_from_crl", "aACompromise": "aa_compromise"}
    return words.get(name) or re.sub("([A-Z])", lambda match: "_" + match[1].lower(), name)


@pytest.mark.parametrize("name, number", RFC_5280.items())
def test_the_names_and_numbers_are_those_of_the_rfc(name, number):
    assert reason_name(number) == snake(name)
    for form in (name, snake(name), snake(name).upper(), snake(name).replace("_", " ").title(), snake(name).replace("_", "-"), str(number), f" {number} "):
        assert reason_code("reason", form) == number, form


def test_there_are_no_others():
    assert set(REASONS.values()) == set(RFC_5280.values())


@given(st.sampled_from(sorted(REASONS)), st.data())
def test_any_spelling_gives_the_same_code(name, data):
    """Letters in either case, words joined by anything or nothing."""
    written = "".join(
        data.draw(st.sampled_from(["_", "-", " ", ""])) if letter == "_" else data.draw(st.sampled_from([letter, letter.upper()])) for letter in name
    )
    assert reason_code("reason", written) == REASONS[name]


@pytest.mark.parametrize(
    "given", ["7", "11", "-1", "999", "", " ", "_", "1.0", "0x1", "1_0", "9" * 5000, "compromise", "key", "none", "\u0661", "\u00b2", "\uff11", "on_hold"]
)
def test_what_is_no_reason_is_told(given):
    """Seven is unused, -1 and 999 are a vendor's own, and digits of other scripts are no numbers here."""
    with pytest.raises(InputError, match="reason: .* is no reason of RFC 5280"):
        reason_code("reason", given)


@pytest.mark.parametrize(
    "given, meant", [("keycompromised", "key_compromise"), ("superceded", "superseded"), ("Cessation of Operations", "cessation_of_operation")]
)
def test_a_near_miss_is_told_with_what_may_be_meant(given, meant):
    with pytest.raises(InputError, match=f"did you mean {meant}\\?"):
        reason_code("reason", given)


def test_far_from_everything_all_of_them_are_told():
    with pytest.raises(InputError, match="unspecified, key_compromise, .*, aa_compromise"):
        reason_code("reason", "qqqq")


@given(st.text(max_size=60))
@example("0\x1f")
@example("-1")
def test_any_text_is_a_code_or_told_in_one_printable_line(text):
    try:
        assert reason_code("reason", text) in RFC_5280.values()
    except InputError as error:
        assert error.message.isprintable() and len(error.message) < 600


@pytest.mark.parametrize("number, name", [(None, None), (7, "7"), (-1, "-1"), (999, "999"), (6, "certificate_hold")])
def test_a_code_without_a_name_is_shown_as_it_is(number, name):
    assert reason_name(number) == name
