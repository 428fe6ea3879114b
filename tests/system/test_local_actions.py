# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules whose work Ansible's own process may do: which of them it was cannot be told from the files or from the results."""

from __future__ import annotations

import base64
import datetime
import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

from ansible_collections.certops.remediation.plugins.module_utils import journal_verify

ROOT = pathlib.Path(__file__).parents[2]
DAY = datetime.date(2026, 12, 1)
ENTRIES = [{"event": "proof", "target": "Z\u00fcrich \u2028", "when": {"at": [1, 2.5, None, True], "on": DAY}}, {"event": "two"}]
# A task in the background is always a module.
HOW = {"here": {}, "module": {"async": 60, "poll": 1}, "checked": {"check_mode": True}}


@pytest.fixture
def run(tmp_path):
    """Run each case in each way, in a folder of its own, and give the results by case and way."""

    def run(module, cases):
        tasks = []
        for name, options in cases.items():
            for how, more in HOW.items():
                (tmp_path / how).mkdir(exist_ok=True)
                given = json.loads(json.dumps(options, default=str).replace("HOW", how)) if module == "flow_files" else options
                tasks.append({f"certops.remediation.{module}": given, "ignore_errors": True, **more, "register": f"{name}_{how}"})
        results = "{{ {" + ", ".join(f"'{task['register']}': {task['register']}" for task in tasks) + "} | to_json }}"
        tasks.append({"ansible.builtin.copy": {"dest": "results.json", "content": results, "mode": "0600"}})
        (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"), "HOME": str(tmp_path), "ANSIBLE_ASYNC_DIR": str(tmp_path / "async")}
        command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "play.yml"), "-vvv"]
        # Not in the folder of the playbook, where relative paths start.
        done = subprocess.run(command, cwd="/", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout
        found = json.loads((tmp_path / "results.json").read_text())
        return {name: [found[f"{name}_{how}"] for how in HOW] for name in cases}

    return run


def same(results, *names):
    """Of Ansible's own process, of the module, and of check mode."""
    return all({name: result.get(name) for name in names} == {name: results[0].get(name) for name in names} for result in results[1:])


def test_journal_entry(run, tmp_path):
    cases = {"good": {"entries": ENTRIES}, "bad": {"entries": [{"event": "proof", "prev": "0"}]}}
    found = run("journal_entry", {name: {"path": "journal.jsonl", "run": "five", **case} for name, case in cases.items()})
    assert same(found["good"], "changed", "run")
    assert same(found["bad"], "failed", "msg", "error")
    assert "prev is set by the module" in found["bad"][0]["msg"]
    assert [result["written"] for result in found["good"]] == [2, 2, 0]
    assert [result["head"]["lines"] for result in found["good"][:2]] == [2, 4]

    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    written = [{key: value for key, value in line.items() if key not in ("prev", "time")} for line in lines]
    assert written == json.loads(json.dumps([{"run": "five", **entry} for entry in ENTRIES] * 2, default=str))
    assert [list(line) for line in lines[:2]] == [list(line) for line in lines[2:]]
    assert journal_verify.main([str(tmp_path / "journal.jsonl")]) == 0


def test_flow_files(run, tmp_path):
    text = "Z\u00fcrich \u2028 {{ 'no template' }}\n"
    (tmp_path / "list.csv").write_text(text)
    (tmp_path / "ledger.json").write_text('{"www": 1}')
    (tmp_path / "torn.json").write_text('{"www": ')
    cases = {
        "read": {"read": ["list.csv"], "ledger": "ledger.json"},
        "nothing": {"ledger": "none.json"},
        "missing": {"read": ["list.csv", "none.csv", "."]},
        "torn": {"ledger": "torn.json"},
        "write": {"write": [{"path": "HOW/a.json", "content": {"on": DAY, "b": [True, None]}}, {"path": "HOW/a.txt", "content": "x\n", "mode": "0640"}]},
        "again": {"write": [{"path": "HOW/a.txt", "content": "x\n", "mode": "0640"}]},
        "nowhere": {"write": [{"path": "none/a.txt", "content": "x"}]},
        "folders": {"create_folders": True, "write": [{"path": "HOW/new/one/a.txt", "content": "x"}]},
    }
    found = run("flow_files", cases)
    for name, results in found.items():
        assert same(results, "changed", "failed", "msg", "error", "files", "ledger", "ledger_found") or name == "again", name
    here = {name: results[0] for name, results in found.items()}
    assert base64.b64decode(here["read"]["files"][0]["content"]).decode() == text
    assert (here["read"]["ledger"], here["read"]["ledger_found"], here["nothing"]["ledger"], here["nothing"]["ledger_found"]) == ({"www": 1}, True, {}, False)
    assert here["missing"]["msg"] == "cannot read none.csv: there is no such file; .: not a regular file"
    assert "torn.json is damaged" in here["torn"]["msg"]
    assert here["nowhere"]["msg"] == "write: cannot write none/a.txt (there is no such folder)"
    assert [result["changed"] for result in found["again"]] == [False, False, True]
    assert [path.name for path in (tmp_path / "checked").iterdir()] == []
    for how in ("here", "module"):
        made = tmp_path / how
        assert json.loads((made / "a.json").read_text()) == {"on": str(DAY), "b": [True, None]}
        modes = {name: oct((made / name).stat().st_mode & 0o777) for name in ("a.json", "a.txt", "new", "new/one", "new/one/a.txt")}
        assert modes == {"a.json": "0o600", "a.txt": "0o640", "new": "0o700", "new/one": "0o700", "new/one/a.txt": "0o600"}
        assert sorted(path.name for path in made.iterdir()) == ["a.json", "a.txt", "new"]
