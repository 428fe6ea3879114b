# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every flow is killed at its stages, one after the other: while it plans, at its changes, and when all is done but not yet told. Run again, there is one
effect per target, nothing left to change, and a journal that can be verified.

respond_to_key_compromise is in test_respond.py.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib
import typing as t

import pytest

from ansible_collections.certops.remediation.plugins.module_utils import journal_verify
from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.system.killing import Playbook, Stage


def as_if_later(folder: pathlib.Path) -> None:
    """A run that was killed while it created something gives Cloudflare's list a minute, which nobody has to sit out here."""
    ledger = folder / "keys" / "clients.json"
    kept = json.loads(ledger.read_text())
    for entry in kept.values():
        entry["asked"] = "2026-01-01T00:00:00Z"
    ledger.write_text(json.dumps(kept))


@dataclasses.dataclass(frozen=True)
class Story:
    """A flow, what it runs on, and where it is killed in turn while it changes something.

    :param effects: what has to have happened to how many targets, in this order.
    """

    playbook: str
    scenario: t.Mapping[str, t.Any]
    options: t.Mapping[str, t.Any]
    stages: t.Sequence[Stage]
    effects: t.Mapping[tuple[str, ...], int]
    between: t.Callable[[pathlib.Path], None] = lambda folder: None


REVOKE = "/certificates/revoke$"
CLIENTS = "/client_certificates"
REISSUE = "/order/certificate/[0-9]+/reissue$"
STUCK = {"in_error": True, "stage": 500, "status": "Post CSR failed"}
HELD = {"on_hold": True, "revoked_days_ago": 40, "comment": "decommission_certificates: deployed nowhere"}
STORIES = [
    Story(
        "unstick_certificates",
        {"tpp": {"certificates": [{"name": "web-{n}.example.com", "count": 3, **STUCK}]}},
        {"folder": "\\VED\\Policy\\Certificates", "concurrency": 1},
        [Stage("the canary", "/certificates/reset$"), Stage("the wave", "/certificates/reset$", nth=2)],
        {("reset",): 3},
    ),
    Story(
        "revoke_certificates",
        {"keyfactor": {"certificates": [{"cn": "node-{n}.shop.example.com", "count": 3}]}},
        {"query": 'IssuedCN -contains "shop"', "reason": "key_compromise", "hold_first": True, "hold_grace": 0, "wave_size": 2},
        [Stage("the hold", REVOKE), Stage("the revocation", REVOKE, effects=1, nth=2)],
        {("hold", "revoke"): 3},
    ),
    Story(
        "reissue_orders",
        {"digicert": {"orders": [{"common_name": "www{n}.example.com", "count": 3, "approval": False}]}},
        {
            "list": "www1.example.com\nwww2.example.com\nwww3.example.com", "folder": "keys", "key_type": "ecdsa-p256", "deploy_tasks": "deliver.yml",
            "concurrency": 1,
        },
        [Stage("the canary", REISSUE, "POST"), Stage("the wave", REISSUE, "POST", nth=2)],
        {("reissue",): 3},
    ),
    Story(
        "offboard_client_certificates",
        {"cloudflare": {"settings": {"revoke_seconds": 0}, "zones": [{"name": "example.com", "certificates": [{"cn": "tablet-{n}", "count": 3}]}]}},
        {"devices": "tablet-*", "wait_interval": 1, "concurrency": 1},
        [Stage("the canary", CLIENTS, "DELETE"), Stage("the wave", CLIENTS, "DELETE", nth=2)],
        {("revoke",): 3},
    ),
    Story(
        "rotate_client_certificates",
        {
            "cloudflare": {
                "settings": {"revoke_seconds": 0},
                "zones": [{"name": "example.com", "certificates": [{"cn": "tablet-{n}", "count": 2, "age_days": 350, "organization": "Example"}]}],
            }
        },
        {"expires_within_days": 30, "folder": "keys", "key_type": "ecdsa-p256", "deliver_tasks": "deliver.yml", "overlap": 0, "wait_interval": 1},
        [Stage("the new ones", CLIENTS, "POST"), Stage("the end of the old ones", CLIENTS, "DELETE")],
        {("create",): 2, ("revoke",): 2},
        between=as_if_later,
    ),
    Story(
        "decommission_certificates",
        {"keyfactor": {"certificates": [{"cn": "old-{n}", "count": 2, "age_days": 90}, {"cn": "ripe", "age_days": 90, **HELD}]}},
        {"query": "CertId -gt 0"},
        [Stage("the hold", REVOKE), Stage("the revocation", REVOKE, effects=1)],
        {("hold",): 2, ("revoke",): 1},
    ),
    Story(
        "restore_certificates",
        {
            "keyfactor": {"certificates": [{"cn": "held-{n}.example.com", "count": 2, "on_hold": True}]},
            "cloudflare": {
                "settings": {"reactivate_seconds": 0},
                "zones": [{"name": "example.com", "certificates": [{"cn": "tablet.example.com", "status": "revoked"}]}],
            },
        },
        {"platforms": "keyfactor, cloudflare", "list": "held-1.example.com\nheld-2.example.com\ntablet.example.com", "wait_interval": 1},
        [Stage("the release", REVOKE), Stage("the reactivation", CLIENTS, "PATCH")],
        {("release",): 2, ("reactivate",): 1},
    ),
]


@pytest.fixture(scope="module")
def simulator() -> t.Iterator[Simulator]:
    with Simulator("empty") as running:
        yield running


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.playbook)
def test_a_flow_that_is_killed_ends_where_it_would_have(simulator, tmp_path, story):
    simulator.reset(story.scenario)
    (tmp_path / "deliver.yml").write_text("- name: Hand it over\n  ansible.builtin.debug:\n    msg: handed over\n")
    options = {**story.options, "journal_path": "journal.jsonl", "report_path": "report"}
    playbook = Playbook(simulator, tmp_path, story.playbook, {f"{story.playbook}_{name}": value for name, value in options.items()})

    def effects():
        targets = {target for entry in list(simulator.journal) if entry["effect"] for target in entry["effects"] or [entry["target"]]}
        return collections.Counter(tuple(simulator.records.effects(target)) for target in targets)

    playbook.kill_at(Stage("the plan", ""))
    assert not effects()
    for stage in story.stages:
        playbook.kill_at(stage)
        story.between(tmp_path)
    playbook.kill_at(Stage("the end", ""), after=lambda: effects() == story.effects)
    story.between(tmp_path)
    ended = playbook.run()
    # Nothing is left to change, but it may still have to hand over.
    again = playbook.run() if ended.status == 0 and ended.changed else ended
    assert (again.status, again.changed) == (0, 0), (ended.output + again.output)[-6000:]
    assert effects() == story.effects
    assert journal_verify.main([str(tmp_path / "journal.jsonl")]) == 0


def test_a_report_that_cannot_be_written_is_told_before_and_after(simulator, tmp_path):
    story = next(story for story in STORIES if story.playbook == "reissue_orders")
    simulator.reset(story.scenario)
    options = {**story.options, "list": "www1.example.com", "journal_path": "journal.jsonl", "report_path": "reports/report"}
    given = {f"{story.playbook}_{name}": str(tmp_path / value) if name == "deploy_tasks" else value for name, value in options.items()}
    playbook = Playbook(simulator, tmp_path, story.playbook, given)

    for arguments in ((), ("--check",)):
        ended = playbook.run(*arguments)
        told = " ".join(ended.output.split())
        assert ended.status == 2 and f"reissue_orders_report_path: cannot write {tmp_path}/reports/report.html (there is no such folder)" in told, ended.output
    assert not [entry for entry in simulator.journal if entry["method"]]

    (tmp_path / "reports").mkdir()
    (tmp_path / "deliver.yml").write_text(f"- name: Lose the folder of the reports\n  ansible.builtin.file: {{path: {tmp_path}/reports, state: absent}}\n")
    ended = playbook.run()
    told = " ".join(ended.output.split())
    assert ended.status == 2 and "1 reissued" in told, ended.output
    assert f"Report: cannot write {tmp_path}/reports/report.html (there is no such folder)" in told, ended.output
    assert journal_verify.main([str(tmp_path / "journal.jsonl")]) == 0


def test_what_cannot_work_is_refused_before_anything_is_asked(simulator, tmp_path):
    simulator.reset("empty")
    wrong = {"folder": "keys", "deliver_tasks": "nix.yml", "require_plan_digest": "ture", "journal_path": "none/journal.jsonl", "expires_within_days": 30}
    given = {f"rotate_client_certificates_{name}": value for name, value in wrong.items()}
    ended = Playbook(simulator, tmp_path, "rotate_client_certificates", given).run("--check")
    told = " ".join(ended.output.split())
    for complaint in (
        f"rotate_client_certificates_deliver_tasks: there is no file {tmp_path}/nix.yml",
        "rotate_client_certificates_require_plan_digest must be true or false, and is ture",
        f"rotate_client_certificates_journal_path: cannot write {tmp_path}/none/journal.jsonl (there is no such folder)",
    ):
        assert complaint in told, ended.output
    given = {"find_certificates_list": "www.example.com", "find_certificates_share_key": "jep", "find_certificates_report_path": "none/report"}
    ended = Playbook(simulator, tmp_path, "find_certificates", given).run()
    told = " ".join(ended.output.split())
    assert "find_certificates_share_key must be true or false, and is jep" in told, ended.output
    assert f"find_certificates_report_path: cannot write {tmp_path}/none/report.json (there is no such folder)" in told, ended.output
    assert not [entry for entry in simulator.journal if entry["method"]]


def test_a_sweep_that_could_read_nothing_is_not_green(simulator, tmp_path):
    simulator.reset("empty")
    playbook = Playbook(simulator, tmp_path, "sweep_pending", {"sweep_pending_platforms": "digicert", "sweep_pending_fail_on": "pending"})
    playbook.environment["DIGICERT_API_KEY"] = "another"
    ended = playbook.run()
    assert ended.status == 2 and "No platform could be read" in " ".join(ended.output.split()), ended.output


def test_a_file_of_tasks_that_is_lost_on_the_way_hides_nothing(simulator, tmp_path):
    story = next(story for story in STORIES if story.playbook == "rotate_client_certificates")
    simulator.reset(story.scenario)
    (tmp_path / "verify.yml").write_text("[]")
    lose = f"- name: Lose the other file\n  ansible.builtin.file: {{path: {tmp_path}/verify.yml, state: absent}}\n"
    (tmp_path / "deliver.yml").write_text(lose)
    options = {**story.options, "verify_tasks": "verify.yml", "journal_path": "journal.jsonl", "report_path": "report", "report_formats": "json"}
    ended = Playbook(simulator, tmp_path, story.playbook, {f"{story.playbook}_{name}": value for name, value in options.items()}).run()
    assert "the task 'the file with the tasks' failed" in " ".join(ended.output.split()), ended.output
    assert json.loads((tmp_path / "report.json").read_text())["counts"]["selected"] == 2
    assert [effect for entry in simulator.journal for effect in [entry["effect"]] if effect] == ["create", "create"], "nothing is revoked unverified"
