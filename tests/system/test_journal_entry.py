# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""journal_entry writes in Ansible's own process or as a module: which of them it was cannot be told from the journal or from the results."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import subprocess
import sys

import yaml

from ansible_collections.certops.remediation.plugins.module_utils import journal_verify

ROOT = pathlib.Path(__file__).parents[2]
DAY = datetime.date(2026, 12, 1)
CASES = {
    "good": {"entries": [{"event": "proof", "target": "Z\u00fcrich \u2028", "when": {"at": [1, 2.5, None, True], "on": DAY}}, {"event": "two"}]},
    "bad": {"entries": [{"event": "proof", "prev": "0"}]},
}


def test_it_is_the_same_from_both_processes(tmp_path):
    tasks = []
    for name, options in CASES.items():
        # A task in the background is always a module.
        for how, more in {"here": {}, "module": {"async": 60, "poll": 1}, "checked": {"check_mode": True}}.items():
            task = {"certops.remediation.journal_entry": {"path": "journal.jsonl", "run": "five", **options}, "ignore_errors": True, **more}
            tasks.append({**task, "register": f"{name}_{how}"})
    results = "{{ {" + ", ".join(f"'{task['register']}': {task['register']}" for task in tasks) + "} | to_json }}"
    tasks.append({"ansible.builtin.copy": {"dest": "results.json", "content": results, "mode": "0600"}})
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"), "HOME": str(tmp_path), "ANSIBLE_ASYNC_DIR": str(tmp_path / "async")}
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "play.yml")]
    # Not in the folder of the playbook, where the relative path starts.
    done = subprocess.run(command, cwd="/", env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout

    found = json.loads((tmp_path / "results.json").read_text())
    for name, wanted in {"good": {"changed", "run", "written"}, "bad": {"failed", "msg", "error"}}.items():
        here, module, checked = (found[f"{name}_{how}"] for how in ("here", "module", "checked"))
        assert {key: here[key] for key in wanted} == {key: module[key] for key in wanted}
        assert {key: checked[key] for key in wanted - {"written"}} == {key: here[key] for key in wanted - {"written"}}
    assert "prev is set by the module" in found["bad_here"]["msg"]
    assert (found["good_here"]["head"]["lines"], found["good_module"]["head"]["lines"], found["good_checked"]["written"]) == (2, 4, 0)

    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    written = [{key: value for key, value in line.items() if key not in ("prev", "time")} for line in lines]
    assert written == json.loads(json.dumps([{"run": "five", **entry} for entry in CASES["good"]["entries"]] * 2, default=str))
    assert [list(line) for line in lines[:2]] == [list(line) for line in lines[2:]]
    assert journal_verify.main([str(tmp_path / "journal.jsonl")]) == 0
