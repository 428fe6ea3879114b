# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a flow's settings takes part in a drill, and what its figures say of the real thing."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils.drill import HABITS, INCIDENTS, LIMITS, figures, lessons, needed, record, settings
from ansible_collections.certops.remediation.plugins.plugin_utils.pace import SHARE
from ansible_collections.certops.remediation.tests.simulator import scenarios

ROOT = pathlib.Path(__file__).parents[3]
DEFAULTS = yaml.safe_load((ROOT / "roles" / "drill" / "defaults" / "main.yml").read_text())
GIVEN = {name.removeprefix("drill_"): value for name, value in DEFAULTS.items()}


def drill(incident="mass_reissue", flow_options=None, **given):
    return settings({**GIVEN, "incident": incident, **given}, flow_options or {}, folder="/tmp/d", role_path="/c/roles/drill")


def stage(status=0, refused=0, **requests):
    counted = {vendor: {"reads": reads, "changes": changes, "refused": refused} for vendor, (reads, changes) in requests.items()}
    return {"status": status, "seconds": 12.5, "requests": counted}


def spec(flow):
    path = ROOT / "roles" / flow / "meta" / "argument_specs.yml"
    return yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"] if path.exists() else None


# -- settings ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", INCIDENTS)
def test_an_incident_fits_its_flow_and_its_scenario(name):
    incident = INCIDENTS[name]
    assert incident.scenario in scenarios.names()
    options = spec(incident.flow)
    if options is None:
        pytest.skip(f"no role {incident.flow} yet")
    known = {option.removeprefix(f"{incident.flow}_") for option in options}
    assert known >= {*incident.given, *incident.usual, *incident.habits}
    # Nothing that names a file, such as the user's tasks that deploy, is handed on.
    files = {option.removeprefix(f"{incident.flow}_") for option, what in options.items() if what.get("type") == "path"}
    assert not files & (HABITS | incident.habits)


def test_the_habits_of_the_user_apply_and_the_rest_does_not():
    mine = {
        "reissue_orders_wave_size": "20",
        "reissue_orders_continue_on_error": False,
        "reissue_orders_key_type": "rsa-4096",
        "reissue_orders_list_path": "/home/me/real.csv",
        "reissue_orders_deploy_tasks": "/home/me/deploy.yml",
        "reissue_orders_plan_digest": "sha256:1234",
        "reissue_orders_journal_path": "/var/log/real.jsonl",
        "reissue_orders_comments": "",
        "unstick_certificates_wave_size": 5,
    }
    found = drill(flow_options=mine)
    assert found["complaints"] == []
    assert found["flow_options"] == {
        "reissue_orders_key_type": "rsa-4096",
        "reissue_orders_continue_on_error": False,
        "reissue_orders_wave_size": "20",
        "reissue_orders_list_path": "/tmp/d/ready.d/affected.csv",
        "reissue_orders_folder": "/tmp/d/reissue",
    }
    assert found["left_out"] == [
        "reissue_orders_deploy_tasks", "reissue_orders_journal_path", "reissue_orders_list_path", "reissue_orders_plan_digest"
    ]


def test_the_places_of_the_drill_are_filled_in():
    options = drill("key_compromise")["flow_options"]
    assert options["respond_to_key_compromise_deploy_tasks"] == "/c/roles/drill/tasks/install.yml"
    assert options["respond_to_key_compromise_files"] == ["/tmp/d/ready.d/leaks/leaked.pem"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"incident": ""}, f"drill_incident is one of {', '.join(INCIDENTS)}$"),
        ({"incident": "flood"}, "and not flood"),
        ({"size": "many"}, "drill_size must be a number of at least 0.01"),
        ({"incident": "key_compromise", "size": "0.5"}, "drill_size must be a number of at least 1"),
        ({"certificates": "-5"}, "drill_certificates must be a number"),
        ({"timeout": 0}, "drill_timeout must be a number of at least 1"),
        ({"report_formats": "html, pdf"}, "drill_report_formats knows html, markdown, json"),
        ({"flow_options": {"reissue_orders_rate_limits": [{"requests": 0}]}}, "reissue_orders_rate_limits is a list"),
    ],
)
def test_what_cannot_work_is_said(given, words):
    complaints = drill(**given)["complaints"]
    assert len(complaints) == 1 and re.search(words, complaints[0]), complaints


def test_numbers_come_as_text():
    found = drill(size="0.5", certificates="12000", latency_ms=" 80 ", report_formats="html\njson")
    assert (found["size"], found["certificates"], found["latency_ms"], found["report_formats"]) == (0.5, 12000, 80, ["html", "json"])
    assert found["complaints"] == [] and drill()["size"] == INCIDENTS["mass_reissue"].size


# -- figures -------------------------------------------------------------------------------------------------------------------------------


def test_a_published_limit_sets_the_pace():
    found = needed(10_000, "digicert", drill(latency_ms=100))
    # 1,000 in 180 s is the narrower of the two.
    assert found["seconds"] == pytest.approx(10_000 / (1000 / 180 * SHARE))
    assert found["basis"] == "the rate limit of 1000 in 180 s and 100 in 5 s"
    assert needed(1200, "cloudflare", drill())["seconds"] == pytest.approx(300 / SHARE)


def test_the_user_may_have_a_limit_of_his_own():
    mine = {"reissue_orders_rate_limits": [{"requests": 10, "seconds": 10}]}
    assert needed(100, "digicert", drill(flow_options=mine))["seconds"] == pytest.approx(100 / SHARE)


@pytest.mark.parametrize("vendor", ["tpp", "keyfactor"])
def test_without_a_published_limit_the_latency_does(vendor):
    found = needed(1000, vendor, drill(latency_ms=400, flow_options={"reissue_orders_concurrency": "4"}))
    assert found == {"seconds": 100.0, "basis": "no limit is published; 400 ms for a request, 4 at a time"}


def test_a_slow_platform_does_not_get_as_far_as_its_limit():
    found = needed(1000, "cloudflare", drill(latency_ms=10_000, flow_options={"reissue_orders_concurrency": "1"}))
    assert found == {"seconds": 10_000.0, "basis": "10000 ms for a request, 1 at a time"}


def test_the_drill_is_scaled_to_what_the_user_has():
    stages = {"plan": stage(digicert=(30, 0)), "run": stage(digicert=(150, 20), tpp=(0, 0))}
    found = figures(stages, 20, drill(certificates=2000))
    assert [vendor["vendor"] for vendor in found["vendors"]] == ["digicert"]
    row = found["vendors"][0]
    assert (row["requests"], row["per_certificate"], row["real_requests"]) == (200, 10.0, 20_000)
    assert row["stages"]["plan"] == {"reads": 30, "changes": 0, "refused": 0}
    assert found["seconds"] == round(20_000 / (1000 / 180 * SHARE)) and found["takes"] == "1 h 05 min"
    assert figures(stages, 20, drill())["wanted"] == 20


def test_nothing_done_gives_no_figures():
    made = record({"plan": stage(tpp=(3, 0))}, {}, drill(), started="a", ended="b", check_mode=True)
    assert made["headline"] == "Nothing was there to be done, so there are no figures" and made["tone"] == "bad" and made["seconds"] == 0
    assert "left no record" in made["lessons"][0]


INNER = {
    "counts": {"selected": 25, "planned": 20, "changed": 18},
    "results": {"reissued": 18, "approval": 2},
    "headline": "18 reissued, 2 waiting",
    "open": [{"rank": 1, "result": "approval", "label": "waiting", "tone": "wait", "text": "asked for", "count": 2, "examples": ["a"], "who": "CA manager",
              "what": "Approve them."}],
    "refusals": [{"guard": "deny", "message": "two match."}],
    "stopped": "the canary did not make it",
}


def test_the_record_tells_what_was_left_open_and_what_was_in_the_way():
    stages = {"plan": stage(digicert=(30, 0)), "run": stage(status=2, refused=4, digicert=(150, 20))}
    options = drill(flow_options={"reissue_orders_deploy_tasks": "x.yml"}, certificates=40)
    made = record(stages, INNER, options, started="a", ended="b", check_mode=False)
    assert made["headline"] == "We can deal with 40 certificates in 2 min, from 20 in the drill" and made["tone"] == "wait"
    assert made["open"][0]["who"] == "CA manager" and made["counts"]["changed"] == 18
    told = " ".join(made["lessons"])
    for words in ("ended as failed", "Refused by deny: two match.", "Stopped: the canary", "4 requests were refused", "reissue_orders_deploy_tasks"):
        assert words in told, words


def test_a_stage_that_took_too_long_is_told():
    assert "after drill_timeout=60 seconds" in lessons({"run": stage(status=124)}, INNER, drill(timeout=60))[0]


def test_every_vendor_of_the_simulator_is_known():
    assert set(LIMITS) == {"tpp", "keyfactor", "digicert", "cloudflare"}
