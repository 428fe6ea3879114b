# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command inside the simulator's world sees the simulator and nothing of its caller's; scenarios to scale."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.remediation.tests.simulator import inside, scenarios
from ansible_collections.certops.remediation.tests.simulator.server import Simulator

ROOT = Path(__file__).parents[3]
MODULES = "ansible_collections.certops.remediation.tests.simulator"
HOSTILE = "https://real.example.org"


def names_that_modules_look_for() -> set[str]:
    """Every name in capitals of the code and of the documentation of the modules: among them are all those of the environment."""
    sources = [path for folder in ("modules", "module_utils", "doc_fragments") for path in (ROOT / "plugins" / folder).glob("*.py")]
    return {name for path in sources for name in re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", path.read_text(encoding="utf-8"))}


def test_nothing_of_the_callers_world_gets_in(simulator: Simulator) -> None:
    proxies = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy", "ANSIBLE_CONFIG", "ANSIBLE_INVENTORY", "NETRC", "AWS_SECRET"}
    names = names_that_modules_look_for() | proxies
    assert {"VENAFI_TOKEN_PATH", "KEYFACTOR_PASSWORD", "DIGICERT_API_KEY", "CLOUDFLARE_EMAIL", "REQUESTS_CA_BUNDLE", "VCERT_URL"} <= names
    given = {**dict.fromkeys(names, HOSTILE), "PATH": "/bin", "LC_ALL": "C", "HOME": "/root"}
    found = inside.environment(simulator.ready, given)
    assert HOSTILE not in found.values()
    assert (found["PATH"], found["LC_ALL"], found["HOME"]) == ("/bin", "C", "/root")
    assert found["VENAFI_URL"].startswith("https://127.0.0.1:") and found["NO_PROXY"] == "127.0.0.1"


@pytest.mark.parametrize("place", [("tpp", "url"), ("keyfactor", "url"), ("digicert", "url"), ("cloudflare", "url"), ("keyfactor", "token_url")])
def test_what_is_not_on_this_machine_is_refused(simulator: Simulator, place: tuple[str, str]) -> None:
    ready = json.loads(json.dumps(simulator.ready))
    ready[place[0]][place[1]] = f"{HOSTILE}/x"
    with pytest.raises(ValueError, match="not on this machine"):
        inside.environment(ready, {})


def test_requests_are_counted_by_vendor() -> None:
    def entry(vendor: str, mutates: bool, status: int = 200, method: str = "GET") -> dict[str, Any]:
        return {"vendor": vendor, "mutates": mutates, "status": status, "method": method}

    journal = [entry("tpp", False), entry("tpp", True), entry("digicert", False, 429), entry("endpoints", False), entry("keyfactor", False, method="")]
    assert inside.usage(journal) == {"tpp": {"reads": 1, "changes": 1, "refused": 0}, "digicert": {"reads": 1, "changes": 0, "refused": 1}}


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"{MODULES}.inside", *map(str, words)]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False)


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    ready = folder / "ready.json"
    process = subprocess.Popen([sys.executable, "-m", MODULES, "--ready-file", str(ready), "--scenario", "empty", *words])
    deadline = time.monotonic() + 60
    while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ready.exists()
    return process


ASK = """
import os, ssl, urllib.request
assert os.environ.get("VCERT_URL") is None, os.environ
context = ssl.create_default_context(cafile=os.environ["DIGICERT_CA_PATH"])
request = urllib.request.Request(os.environ["DIGICERT_URL"] + "/services/v2/user/me", headers={"X-DC-DEVKEY": os.environ["DIGICERT_API_KEY"]})
print(os.getcwd(), urllib.request.urlopen(request, context=context).status)
raise SystemExit(3)
"""


def test_a_command_its_usage_and_the_end_of_the_simulator(tmp_path: Path) -> None:
    process = start(tmp_path)
    try:
        ready, used = tmp_path / "ready.json", tmp_path / "used.json"
        ran = run("--ready-file", ready, "--usage", used, "--chdir", tmp_path, "--", sys.executable, "-c", ASK, VCERT_URL=HOSTILE)
        assert (ran.returncode, ran.stdout) == (3, f"{tmp_path} 200\n"), ran.stderr
        found = json.loads(used.read_text(encoding="utf-8"))
        assert found["status"] == 3 and found["requests"] == {"digicert": {"reads": 1, "changes": 0, "refused": 0}}
        late = run("--ready-file", ready, "--timeout", "0.6", "--", "sleep", "60")
        assert late.returncode == 124
        assert run("--ready-file", ready, "--stop").returncode == 0
        assert process.wait(20) == 0
        gone = run("--ready-file", ready, "--usage", used, "--", "true")
        assert gone.returncode == 1 and "cannot reach the simulator" in gone.stderr
    finally:
        process.kill()


def test_both_end_with_their_owner(tmp_path: Path) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    process = start(tmp_path, "--while", str(owner.pid))
    command = [sys.executable, "-m", f"{MODULES}.inside", "--ready-file", str(tmp_path / "ready.json"), "--while", str(owner.pid), "--", "sleep", "600"]
    inner = subprocess.Popen(command)
    try:
        time.sleep(0.5)
        assert process.poll() is None and inner.poll() is None
        owner.kill()
        owner.wait()
        assert inner.wait(30) == 130 and process.wait(30) == 0
    finally:
        for item in (owner, process, inner):
            item.kill()


# -- scale ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scale", "wanted"), [(1, [4, 3, 1]), (10, [40, 30, 1]), (0.5, [2, 2, 1]), (0.1, [0, 1, 1])])
def test_scenarios_to_scale_keep_names_apart(scale: float, wanted: list[int]) -> None:
    data = {"tpp": {"certificates": [{"name": "a-{n}", "count": 4}, {"name": "a-{n}", "start": 5, "count": 3}, {"name": "b"}]}}
    entries = scenarios.load(data, scale)["tpp"]["certificates"]
    names = [item["name"] for entry in entries for item in scenarios.expand(entry)]
    assert len(set(names)) == len(names) == sum(wanted)
    if scale != 1:
        assert data["tpp"]["certificates"][0] == {"name": "a-{n}", "count": 4}


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        scenarios.load("empty", 0)


def test_the_notice_lists_the_orders(tmp_path: Path) -> None:
    with Simulator("mass_reissue", scale=0.1, directory=tmp_path) as simulator:
        lines = (tmp_path / "affected.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "Common Name,Serial Number,Order ID" and len(lines) == 1 + len(list(simulator.digicert.store))
        name, serial, number = lines[1].split(",")
        assert simulator.digicert[number].current.serial_number == serial and simulator.digicert[number].current.common_name == name
        simulator.reset("empty")
        assert not (tmp_path / "affected.csv").exists()


def test_a_certificate_is_replaced_wherever_it_is(simulator: Simulator) -> None:
    old, other = simulator.endpoints.issue(names=["a.example.com"], serial="0abc"), simulator.endpoints.issue(names=["b.example.com"])
    given = [{"pem": item.pem, "key_pem": item.key_pem, "sni": sni} for item, sni in ((old, "a.example.com"), (other, ""))]
    simulator.endpoints.serve("a", certificates=given)
    simulator.endpoints.serve("b", certificates=given[1:])
    assert simulator.endpoints.replace("0ABC", {"names": ["new.example.com"]}) == ["a"]
    shown = simulator.endpoints["a"].material
    assert shown[0].pem != old.pem and shown[0].sni == "a.example.com" and shown[1].pem == other.pem
    assert simulator.endpoints.replace("0ABC", {"names": ["new.example.com"]}) == []
