# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role sweep_pending makes of the results of modules."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import flow, platforms, sweep_record
from ansible_collections.certops.remediation.tests.unit.plugin_utils.test_report import render

ROOT = pathlib.Path(__file__).parents[3]
WORDS = yaml.safe_load((ROOT / "roles/sweep_pending/vars/main/words.yml").read_text())["__sweep_pending_words"]
NOW = "2026-11-30T12:00:00Z"
GIVEN = dict.fromkeys(("platforms", "tpp_folder", "tpp_stuck", "zones", "older_than", "fail_if_unreachable"), "")
ALL = {"VENAFI_URL": "https://tpp", "KEYFACTOR_HOSTNAME": "k", "DIGICERT_API_KEY": "d", "CLOUDFLARE_API_TOKEN": "c"}


def own(environment=None, **given):
    return sweep_record.options({**GIVEN, **given}, ALL if environment is None else environment)


def tpp(name="a", asked="approvals", since="2026-11-27T12:00:00Z", **more):
    ticket = {"since": since, "approvers": ["AD+EX:1"]}
    entry = {"dn": f"\\VED\\Policy\\{name}", "guid": "{1}", "name": name, "tickets": [ticket] if since else None, **more}
    return {"platform": "tpp", "asked": asked, "certificates": [entry], "http": {"requests": 3}}


def order(*pending, status="issued"):
    shown = [{"type": kind, "waits_for": waits, "since": since, "who": who, "request_id": number} for kind, waits, since, who, number in pending]
    return {"platform": "digicert", "orders": [{"order_id": 7, "common_name": "d", "pending": shown, "status": status}], "http": {"requests": 4}}


def down(platform, msg="connection refused"):
    return {"platform": platform, "failed": True, "msg": msg}


def record(*answers, **given):
    settings = own(**given)
    options = flow.options(dict.fromkeys(_names(), ""), sweep_record.ROLE)
    run = {"started": NOW, "ended": NOW, "by": "", "job": ""}
    return sweep_record.record(answers, options=options, own=settings, run=run, words=WORDS, check_mode=False)


def _names():
    text = yaml.safe_load((ROOT / "roles/flow/vars/main.yml").read_text())
    return text["__flow_names"]


def test_the_platforms_are_those_that_are_configured():
    assert own({"VCERT_URL": "x", "CLOUDFLARE_API_KEY": "y", "DIGICERT_API_KEY": " "})["platforms"] == ["tpp", "cloudflare"]
    assert own({}, platforms="digicert, TPP\ncloudflare")["platforms"] == ["tpp", "digicert", "cloudflare"]
    assert "none of VENAFI_URL, KEYFACTOR_HOSTNAME, DIGICERT_API_KEY, CLOUDFLARE_API_TOKEN is set" in own({})["complaints"][0]
    assert "sweep_pending_platforms does not know aws. It knows tpp" in own(platforms=["aws", "tpp"])["complaints"][0]
    assert set(platforms.NAMES) == set(platforms.VARIABLES)


@pytest.mark.parametrize(("said", "seconds"), [("90m", 5400), ("36h", 129600), ("3 d", 259200), ("2W", 1209600), ("0", 0), ("", 0)])
def test_an_age_has_a_unit(said, seconds):
    found = own(older_than=said)
    assert (found["older_than_seconds"], found["complaints"]) == (seconds, [])


@pytest.mark.parametrize("said", ["3", "3 days", "-1d", "1.5h", "d"])
def test_an_age_without_a_unit_is_refused(said):
    assert own(older_than=said)["complaints"] == ["sweep_pending_older_than is a number with a unit, such as 36h, 3d or 2w"]


def test_the_oldest_come_first_and_what_has_no_known_age_last():
    made = record(
        {"platform": "cloudflare", "certificates": [{"id": "1", "zone_id": "z", "common_name": "c", "status": "pending_revocation"}]},
        tpp(),
        order(("revoke", "approval", "2026-11-01T12:00:00+00:00", "Robin", 5), ("reissue", "validation_or_issue", None, None, None)),
    )
    assert [(row["name"], row["result"], row["age"]) for row in made["certificates"]] == [
        ("d", "approval", "29 d 0 h"), ("a", "approval", "3 d 0 h"), ("c", "running", "?"), ("d", "validation", "?"),
    ]
    assert made["headline"] == "4 wait on 4 platforms, the oldest for 29 d 0 h" and made["requests"] == 7 and made["tone"] == "wait"
    assert made["certificates"][0]["note"] == "asked for by Robin" and "approvers: AD+EX:1" in made["certificates"][1]["note"]
    whose = {group["text"]: group["who"] for group in made["open"]}
    assert whose["DigiCert CertCentral: a revocation waits for the approval of a request"] == "Administrator of CertCentral"
    assert whose["DigiCert CertCentral: a reissue waits for validation or for the issue"] == "Owner of the domains"
    assert whose["Cloudflare: is pending_revocation"] == "Cloudflare" and whose["Venafi TPP: its renewal waits for the approval of a workflow ticket"] == (
        "Approver of the ticket"
    )


def test_what_is_young_is_counted_and_what_has_no_known_age_is_kept():
    made = record(tpp("young", since="2026-11-30T11:00:00Z"), tpp("old"), tpp("nobody knows", since=None), older_than="1d")
    assert [(row["name"], row["result"]) for row in made["certificates"]] == [("old", "approval"), ("young", "left"), ("nobody knows", "approval")]
    assert made["headline"].startswith("2 wait") and made["left"][0]["text"] == "waits for less than 1d" and made["sources"]["tpp"]["waiting"] == 2


def test_what_waits_for_a_ticket_counts_once_although_it_is_in_process():
    made = record(tpp(), tpp("a", asked="in_process", since=None), tpp("b", asked="in_error", since=None))
    assert [(row["name"], row["result"]) for row in made["certificates"]] == [("a", "approval"), ("b", "stuck")]


def test_a_platform_that_is_down_is_told_and_hides_no_other():
    made = record(down("tpp"), {"platform": "keyfactor", "msg": "died"}, tpp() | {"platform": "tpp"}, platforms="tpp,keyfactor")
    assert made["results"]["unreachable"] == 2 and made["results"]["approval"] == 1 and made["tone"] == "bad"
    assert made["headline"] == "1 waits on 0 platforms, the oldest for 3 d 0 h; not read: Venafi TPP, Keyfactor Command"
    assert [place["text"] for place in made["places"]] == [
        "Venafi TPP: could not be read", "Keyfactor Command: could not be read", "DigiCert CertCentral: not asked", "Cloudflare: not asked",
    ]


def test_nothing_that_waits_is_good_news():
    made = record({"platform": "tpp", "certificates": [], "http": {"requests": 1}}, platforms="tpp")
    assert (made["headline"], made["tone"], made["open"]) == ("Nothing waits on 1 platform", "good", [])


def test_a_clock_that_is_ahead_makes_no_negative_age():
    assert record(tpp(since="2026-12-01T12:00:00Z"))["certificates"][0]["age_seconds"] == 0


@pytest.mark.parametrize("extension", ["html", "md"])
def test_the_report_is_made_of_it(extension):
    assert "d 0 h" in render(extension, record(tpp()), WORDS)
