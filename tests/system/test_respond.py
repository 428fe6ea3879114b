# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""respond_to_key_compromise as it is run: killed at its stages, taken over by two engineers at once, and run once more; and respond_to_host_compromise.

The rest is in tests/unit/plugin_utils.
"""

from __future__ import annotations

import json
import threading

import pytest

from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.system.killing import Playbook, Stage

ROLE = "respond_to_key_compromise"
SHOP, TILL = "shop.example.com", "till.example.com"
SCENARIO = {
    "leaks": {"leaked": {"digicert": 21000001}},
    "digicert": {
        "settings": {"approval": "skip"},
        "orders": [
            {"order_id": 21000001, "common_name": SHOP, "days_left": 150, "key": "leaked"},
            {"order_id": 21000002, "common_name": "blog.example.com", "days_left": 150},
        ],
    },
    "keyfactor": {"certificates": [{"id": 100001, "cn": TILL, "key": "leaked"}, {"id": 100002, "cn": "old.example.com", "key": "leaked"}]},
    "endpoints": {
        "settings": {"certificate_urls": True},
        "servers": [{"name": SHOP, "certificates": [{"from": {"digicert": 21000001}}]}, {"name": TILL, "certificates": [{"from": {"keyfactor": 100001}}]}],
    },
}
INSTALL = """
- name: Install it
  ansible.builtin.uri:
    url: "{control_url}endpoints/show"
    method: POST
    ca_path: "{ca_path}"
    body_format: json
    body:
      name: "{{{{ item.server_name }}}}"
      certificates:
        - pem: "{{{{ lookup('ansible.builtin.file', respond_to_key_compromise_certificate.fullchain_path, rstrip=false) }}}}"
          key_pem: "{{{{ lookup('ansible.builtin.file', respond_to_key_compromise_certificate.key_path, rstrip=false) }}}}"
  loop: "{{{{ respond_to_key_compromise_certificate.endpoints }}}}"
"""


def effects(simulator):
    found = []
    for entry in simulator.journal:
        found += [(effect, target) for target, effect in (entry["effects"] or {entry["target"]: entry["effect"]}).items() if effect]
    return sorted(found)


def options_for(simulator, tmp_path, **more):
    """What a user sets in any case: endpoints on this machine, tasks that install."""
    ready = simulator.ready
    (tmp_path / "install.yml").write_text(INSTALL.format(control_url=ready["control_url"], ca_path=ready["ca_path"]))
    options = {
        "deploy_tasks": "install.yml", "platforms": ["digicert", "keyfactor"], "endpoints": list(simulator.endpoints.state()["servers"].values()),
        "derive_endpoints": False, "key_type": "ecdsa-p256", "skip_approval": True, "continue_on_error": True, "canary_size": 0, "prove_timeout": 0,
        "wait_interval": 1, "allow_loopback": True, "report_path": "report", "journal_path": "journal.jsonl", **more,
    }  # fmt: skip
    return {f"{ROLE}_{name}": value for name, value in options.items()}


@pytest.mark.timeout(900)
def test_killed_at_its_stages_and_taken_over_by_two_engineers_at_once(tmp_path):
    with Simulator(SCENARIO) as simulator:
        key = simulator.leaks.dump()["leaked"]["public_key_sha256"]
        # As it comes from a spreadsheet: a byte order mark, semicolons, the same line twice, and one of nonsense.
        text = f"\ufeffSPKI SHA-256;Remark\r\n{key};leaked\r\n{key.upper()};leaked\r\nn/a;???\r\n"
        (tmp_path / "leaked.csv").write_bytes(text.encode())
        playbook = Playbook(simulator, tmp_path, ROLE, options_for(simulator, tmp_path, list_path="leaked.csv", folder="incident"))
        playbook.kill_at(Stage("the plan", ""))
        assert effects(simulator) == []
        playbook.kill_at(Stage("the reissue", "/reissue$", "POST"))
        assert effects(simulator) == [("reissue", "21000001")]
        simulator.endpoints.show(TILL, {})
        playbook.kill_at(Stage("the revocation", "/certificates/revoke$", "POST"))
        assert ("revoke", "100001") in effects(simulator)

        takers = [threading.Thread(target=playbook.run) for dummy in range(2)]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join()
        # Whom the other one was in the way of has stopped and said so; somebody runs it again.
        ended = playbook.run()
        # There is nothing that proves the replacement of what is deployed nowhere.
        assert effects(simulator) == [("reissue", "21000001"), ("revoke", "100001"), ("revoke", "21000001")], ended.output[-3000:]
        record = json.loads((tmp_path / "report.json").read_text())
        results = {row["name"]: row["result"] for row in record["certificates"]}
        assert results[SHOP] in ("done", "unchanged") and results[TILL] in ("done", "unchanged")
        assert results["old.example.com"] == "no_endpoint" and record["results"]["missing"] == 1
        assert {row["published"] for row in record["certificates"] if row["name"] == SHOP} == {"revoked"}
        lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
        for operation, target in (("digicert_certificate_revoke", SHOP), ("keyfactor_certificate_revoke", TILL)):
            proven = [number for number, line in enumerate(lines) if line["event"] == "proof" and line["proven"] and target in line["target"]]
            revoked = [number for number, line in enumerate(lines) if line["event"] == "intent" and operation in json.dumps(line)]
            assert proven and revoked and min(proven) < min(revoked)
        assert "PRIVATE KEY" not in ended.output + json.dumps(record)
        assert (ended if ended.changed == 0 else playbook.run()).changed == 0 and len(effects(simulator)) == 3


@pytest.mark.timeout(600)
def test_a_host_is_compromised(tmp_path):
    """What the host serves is replaced, proven and revoked, and so is what shares its key."""
    with Simulator(SCENARIO) as simulator:
        server = simulator.endpoints.state()["servers"][SHOP]
        address = {"respond_to_host_compromise_hosts": [server], "respond_to_host_compromise_folder": "incident"}
        playbook = Playbook(simulator, tmp_path, "respond_to_host_compromise", {**options_for(simulator, tmp_path, without_endpoint="revoke"), **address})
        checked = playbook.run("--check")
        assert checked.status == 0 and effects(simulator) == [] and "PLAN: 3 of 3" in checked.output, checked.output[-3000:]
        simulator.endpoints.show(TILL, {})
        ended = playbook.run()
        assert ended.status == 0, ended.output[-3000:]
        assert effects(simulator) == [("reissue", "21000001"), ("revoke", "100001"), ("revoke", "100002"), ("revoke", "21000001")]
        changes = [entry for entry in simulator.journal if entry["mutates"]]
        assert "/reissue" in changes[0]["path"]
        again = playbook.run()
        assert (again.status, again.changed) == (0, 0), again.output[-3000:]
        assert len(effects(simulator)) == 4


@pytest.mark.parametrize(
    ("option", "meant"),
    [(f"{ROLE}_max_change", f"{ROLE}_max_changes is one"), ("respond_to_host_compromise_max_changes", "is no option of respond_to_host_compromise")],
)
def test_a_misspelt_guard_ends_the_run_before_anything_is_asked(tmp_path, option, meant):
    with Simulator(SCENARIO) as simulator:
        server = simulator.endpoints.state()["servers"][SHOP]
        address = {"respond_to_host_compromise_hosts": [server], "respond_to_host_compromise_folder": "incident"}
        before = len(simulator.journal)
        ended = Playbook(simulator, tmp_path, "respond_to_host_compromise", {**options_for(simulator, tmp_path), **address, option: 5}).run()
        assert ended.status == 2 and option in ended.output and meant in " ".join(ended.output.split()), ended.output[-3000:]
        assert len(simulator.journal) == before


@pytest.mark.parametrize(
    ("name", "option", "meant"),
    [
        ("find_certificates", "find_certificates_platform", "find_certificates_platforms"),
        ("verify_journal", "verify_journal_haed", "verify_journal_head"),
    ],
)
def test_what_only_reads_refuses_a_misspelt_option_too(tmp_path, name, option, meant):
    given = {"find_certificates": {"find_certificates_list": "www.example.com"}, "verify_journal": {"verify_journal_path": "journal.jsonl"}}
    with Simulator(SCENARIO) as simulator:
        ended = Playbook(simulator, tmp_path, name, {**given[name], option: "x"}).run()
        assert ended.status == 2 and f"{option} is no option of {name}; {meant} is one" in " ".join(ended.output.split()), ended.output[-3000:]
