# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the flows for client certificates read lists, what they ask for, and what they tell of the answers."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.certops.remediation.plugins.plugin_utils import client_list

ROLE = "offboard_client_certificates"
NOT_SET = dict.fromkeys(["zone", "certificates", "list_path", "devices", "owners", "key_files", "key_sha256", "rate_limits"])
UUID = "7bf7f70c-7600-42e1-81c4-e4c0da9aa515"
FINGERPRINT = "256c24690243359fb8cf139a125bd05ebf1d968b71e4caf330718e9f5c8a89ea"
SERIAL = "3bb94ff144ac567b9f75ad664b6c55f8d5e48182"
DECIMAL = "341203469230578123045987123045987123045987123045"


def own_of(**given):
    return client_list.selecting({**NOT_SET, **given}, ROLE)


def certificate(number=1, **changes):
    return {"id": f"id-{number}", "common_name": f"tablet-{number}", "organizational_unit": "Blue Harbor", "public_key_sha256": f"{number:064x}", **changes}


def answer(*certificates, missing=(), **more):
    return {"certificates": list(certificates), "not_found": list(missing), "total": None, "zone_id": "z", **more}


# -- lists -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, certificates, names",
    [
        (UUID.upper(), [UUID], []),
        ("0123456789abcdef0123456789ABCDEF", ["0123456789abcdef0123456789abcdef"], []),
        (f"{UUID}, tablet-7 ;{SERIAL}", [UUID, SERIAL], ["tablet-7"]),
        (":".join(FINGERPRINT[i:i + 2] for i in range(0, 64, 2)).upper(), [FINGERPRINT], []),
        (f"{DECIMAL}\n0x{SERIAL}\n", [DECIMAL, f"0x{SERIAL}"], []),
        # Short digits are as likely a name, and a name costs nothing.
        ("0042\ncafe", [], ["0042", "cafe"]),
        ([UUID, "", "tablet-7", UUID], [UUID], ["tablet-7"]),
        ("# lost in May\n\ntablet-7\ntablet-7\n", [], ["tablet-7"]),
        ([{"id": UUID, "common_name": "tablet-7", "zone_id": "z"}], [UUID], []),
        ({"fingerprint_sha256": FINGERPRINT, "common_name": "tablet-7"}, [FINGERPRINT], []),
        (f'[{{"common_name": "tablet-7"}}, "{UUID}"]', [UUID], ["tablet-7"]),
        (f"Device Name;Serial number\ntablet-7;{SERIAL}\nRobin's tablet;\n;\n", [SERIAL], ["Robin's tablet"]),
        (f"sha256:{FINGERPRINT}", [FINGERPRINT], []),
        (f"SHA256:{FINGERPRINT.upper()}\ntablet-7", [FINGERPRINT], ["tablet-7"]),
        (f"fingerprint\nSHA256 Fingerprint={FINGERPRINT}", [FINGERPRINT], []),
        # What Excel puts in front hides no headings.
        (f"sep=;\ncommon name;serial\n;{SERIAL}\ntablet-7;", [SERIAL], ["tablet-7"]),
        (f"\ufeffcn\tSHA-256 Fingerprint\ntablet-7\t{FINGERPRINT}", [FINGERPRINT], []),
        ('owner,common name\n"Harbor, Blue",tablet-7', [], ["tablet-7"]),
        ("", [], []),
        (None, [], []),
    ],
)
def test_lists(given, certificates, names):
    assert client_list.read_list(given) == {"certificates": certificates, "names": names, "unreadable": []}


@pytest.mark.parametrize(
    "given, told",
    [
        ("3.41E+47", "a spreadsheet has made a number of this"),
        ("name,serial\ntablet-7,3.41E+47", "a spreadsheet has made a number of this"),
        ("name,id\ntablet-7,17", "is no id"),
        ("name,fingerprint\ntablet-7,abcd", "is no SHA-256 fingerprint"),
        ("name,serial\ntablet-7,xyz", "is no serial number"),
        ("tablet-*", "is a pattern; a list names certificates one by one"),
        ([{"owner": "Blue Harbor"}], "holds no id, fingerprint, serial number or common name"),
        ("[1, ", "cannot be read"),
    ],
)
def test_what_is_damaged_is_told_and_nothing_stands_in_for_it(given, told):
    read = client_list.read_list(given)
    assert (read["certificates"], read["names"]) == ([], [])
    assert [told in entry["why"] for entry in read["unreadable"]] == [True]


def test_what_is_damaged_is_told_with_its_line():
    read = client_list.read_list(f"sep=;\nname;serial\ntablet-7;{SERIAL}\n\ntablet-8;3.41E+47\n")
    assert [entry["target"] for entry in read["unreadable"]] == ["line 5: 3.41E+47"]


def test_a_file_comes_in_base64_and_in_any_encoding():
    content = base64.b64encode("common name\ntablet-ü\n".encode("utf-16")).decode()
    assert client_list.read_list(None, content)["names"] == ["tablet-ü"]


# -- options -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, told",
    [
        ({"certificates": UUID, "owners": "Blue"}, f"{ROLE}_certificates cannot be combined with {ROLE}_owners"),
        ({"certificates": UUID, "list_path": "x.csv"}, f"{ROLE}_certificates cannot be combined with {ROLE}_list_path"),
        ({"owners": ["*"]}, "must hold more than *"),
        ({"devices": " ** "}, "must hold more than **"),
        ({"owners": "Blue", "rate_limits": "[{]"}, f"{ROLE}_rate_limits is a list of mappings"),
        ({"owners": "Blue", "rate_limits": [{"requests": 0, "seconds": 1}]}, f"{ROLE}_rate_limits is a list of mappings"),
    ],
)
def test_options_that_cannot_work(given, told):
    (complaint,) = own_of(**given)["complaints"]
    assert told in complaint


def test_options_of_a_survey():
    found = own_of(zone="0123456789ABCDEF0123456789abcdef", owners="Blue Harbor\n Red * \n", key_sha256=f"{FINGERPRINT},\n", certificates=" ", rate_limits="")
    assert (found["zone_id"], found["zone"]) == ("0123456789abcdef0123456789abcdef", "")
    assert (found["owners"], found["key_sha256"], found["certificates"]) == (["Blue Harbor", "Red *"], [FINGERPRINT], [])
    assert found["rate_limits"] == [{"requests": 1200, "seconds": 300.0}]
    assert found["complaints"] == []
    assert own_of(zone="example.com")["zone"] == "example.com"


def test_larger_runs_are_spread_so_that_all_tasks_stay_within_the_limits():
    own = own_of()
    small = {"certificates": [certificate()], "total": 240}
    assert client_list.client_pace(small, own) == [{"requests": 1200, "seconds": 300.0}]
    for large in ({"certificates": [certificate()] * 300, "total": 0}, {"certificates": [certificate()], "total": 20000}):
        (limit,) = client_list.client_pace(large, own)
        assert limit["requests"] / limit["seconds"] < 1200 / 300


# -- questions and answers ---------------------------------------------------------------------------------------------------------------


def test_a_search_is_one_question():
    own = own_of(owners="Blue *", devices=["tablet-*"], key_sha256=FINGERPRINT.upper())
    asked = client_list.client_questions(own, [])
    assert asked["questions"] == [{"organizational_unit": ["Blue *"], "common_name": ["tablet-*"], "public_keys": [FINGERPRINT]}]
    assert client_list.client_questions({**own, "expires_within_days": "30"}, [], live_only=True)["questions"][0]["expires_within_days"] == 30


def test_a_list_is_asked_for_by_what_it_names():
    file = {"path": own_of(list_path="/x.csv")["list_path"], "content": base64.b64encode(f"{UUID}\ntablet-7\n".encode()).decode()}
    asked = client_list.client_questions(own_of(list_path="/x.csv"), [file])
    assert asked["questions"] == [{"certificates": [UUID]}, {"common_name": ["tablet-7"]}]
    asked = client_list.client_questions(own_of(list_path="/x.csv"), [file], live_only=True)
    # What is named exactly may be revoked; what goes by its name has a past.
    assert asked["questions"] == [{"certificates": [UUID]}, {"common_name": ["tablet-7"], "status": ["active", "pending_reactivation"]}]


def test_nothing_named_and_keys_that_cannot_be_read_are_no_question():
    assert client_list.client_questions(own_of(certificates=""), [])["questions"] == []
    asked = client_list.client_questions(own_of(key_sha256="abcd"), [], live_only=True)
    assert asked["questions"] == []
    assert [entry["target"] for entry in asked["unreadable"]] == ["abcd"]


def test_a_record_is_asked_for_by_its_certificates():
    kept = [{"id": UUID, "zone_id": "z", "common_name": "tablet-7"}]
    assert client_list.client_questions(own_of(), [], kept)["questions"] == [{"certificates": kept}]


def test_what_was_found_is_there_once_and_what_was_not_is_told():
    own = own_of(certificates="x")
    asked = {"questions": [1, 2], "names": ["TABLET-1", "tablet-9"], "keys": [], "unreadable": [{"target": "entry 3: *", "why": "is a pattern"}]}
    answers = [
        answer(certificate(1), missing=[{"target": UUID, "error": {"message": "unknown"}}], firewall={"blocks_revoked": False}, hostnames=["api"]),
        answer(certificate(1), certificate(2), total=240),
    ]
    found = client_list.client_selection(answers, asked, own)
    assert [entry["id"] for entry in found["certificates"]] == ["id-1", "id-2"]
    assert [entry["target"] for entry in found["missing"]] == ["entry 3: *", UUID, "tablet-9"]
    assert (found["zone_id"], found["total"], found["firewall"], found["hostnames"]) == ("z", 240, {"blocks_revoked": False}, ["api"])


def test_a_pattern_or_key_that_found_nothing_is_told():
    own = own_of(owners="blue*\nRed?\nGreen", devices="tablet-*", key_sha256=f"{1:064x}\n{9:064x}")
    asked = client_list.client_questions(own, [])
    found = client_list.client_selection([answer(certificate(1), certificate(2, organizational_unit="Red?"))], asked, own)
    assert [entry["target"] for entry in found["missing"]] == [f"key {9:064x}", "Green"]


def test_who_has_nothing_that_ends_soon_is_not_missing():
    own = {**own_of(owners="blue*\nGreen", devices="tablet-*", key_sha256=f"{9:064x}"), "expires_within_days": "30"}
    found = client_list.client_selection([answer()], client_list.client_questions(own, []), own)
    assert found["missing"] == []


def test_no_answer_at_all():
    asked = client_list.client_questions(own_of(), [])
    assert client_list.client_selection([], asked, own_of()) == {
        "certificates": [], "missing": [], "zone_id": "", "total": 0, "firewall": {}, "hostnames": None,
    }
