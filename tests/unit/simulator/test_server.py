# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not a vendor's: faults, journal, clock, control API, scenarios, state file, command line."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from ansible_collections.certops.remediation.tests.simulator import scenarios
from ansible_collections.certops.remediation.tests.simulator.server import Simulator
from ansible_collections.certops.remediation.tests.unit.simulator.plain_client import Client

PACKAGE = "ansible_collections.certops.remediation.tests.simulator"
HOME = "\\VED\\Policy\\Certificates"
DN = f"{HOME}\\a.example.com"
ERROR = {"in_error": True, "stage": 500, "status": "Post CSR failed."}
RESET = {"path": "/certificates/reset$"}


@pytest.fixture
def stuck(simulator: Simulator) -> Simulator:
    simulator.tpp.load([{"name": "a.example.com", **ERROR}, {"name": "b.example.com", **ERROR}])
    return simulator


class Control:
    """The control API over HTTP."""

    def __init__(self, simulator: Simulator) -> None:
        self._url, self._ca = simulator.ready["control_url"], simulator.ready["ca_path"]

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        return requests.request(method, self._url + path, json=body or None, verify=self._ca, timeout=10).json()


@pytest.fixture
def control(simulator: Simulator) -> Control:
    return Control(simulator)


# -- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "effects"), [("drop_before", []), ("drop_after", ["reset"])])
def test_drops(stuck: Simulator, client: Client, action: str, effects: list[str]) -> None:
    stuck.faults.add(action, match=RESET)
    with pytest.raises(requests.ConnectionError):
        client.reset(DN)
    assert stuck.records.effects(DN) == effects
    entry = stuck.journal[-1]
    assert (entry["fault"], entry["status"], entry["mutates"], entry["target"]) == (action, 0, True, DN)
    assert client.reset(DN).status_code == (400 if effects else 200)


@pytest.mark.parametrize(("after", "effects"), [(False, []), (True, ["reset"])])
def test_a_status(stuck: Simulator, client: Client, after: bool, effects: list[str]) -> None:
    body = '{"Error":"Internal error occurred."}'
    stuck.faults.add("status", match=RESET, status=503, reason="Too busy", body=body, headers={"Retry-After": "7"}, after=after)
    answer = client.reset(DN)
    assert (answer.status_code, answer.reason, answer.headers["Retry-After"]) == (503, "Too busy", "7")
    assert answer.json() == {"Error": "Internal error occurred."}
    assert stuck.records.effects(DN) == effects
    assert (stuck.journal[-1]["status"], stuck.journal[-1]["fault"]) == (503, "status")


@pytest.mark.skipif(urllib3.__version__.startswith("1."), reason="this client does not notice")
def test_a_truncated_body(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("truncate", match=RESET)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.reset(DN)
    assert stuck.records.effects(DN) == ["reset"]


def test_an_empty_body_and_a_page_of_html(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("empty", match=RESET)
    answer = client.reset(DN)
    assert (answer.status_code, answer.content) == (200, b"")
    stuck.faults.add("html", match=RESET, status=504)
    answer = client.reset(DN)
    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_redirect(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("redirect", location="https://elsewhere.invalid/login")
    answer = client.get("/vedsdk/certificates/", allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://elsewhere.invalid/login")


def test_a_delay_and_a_slow_body(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("delay", match={"method": "GET"}, seconds=0.2)
    begin = time.monotonic()
    assert client.get("/vedsdk/SystemStatus/Version").status_code == 200
    assert time.monotonic() - begin >= 0.2
    stuck.faults.add("slow_body", match={"method": "GET"}, seconds=0.01)
    begin = time.monotonic()
    assert client.get("/vedsdk/SystemStatus/Version").json() == {"Version": "26.1.1.0"}
    assert time.monotonic() - begin >= 0.2


def test_a_gzip_bomb_inflates(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("gzip_bomb", match=RESET, size=5 << 20)
    answer = client.session.post(f"{client.url}/vedsdk/certificates/reset", json={}, stream=True, timeout=10)
    packed = answer.raw.read(decode_content=False)
    assert len(packed) < 20_000
    assert len(gzip.decompress(packed)) == 5 << 20
    assert stuck.records.effects(DN) == []


def test_a_huge_body_ends_when_the_client_hangs_up(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("huge", size=1 << 40)
    with client.session.get(f"{client.url}/vedsdk/certificates/", stream=True, timeout=10) as answer:
        assert len(answer.raw.read(3 << 20)) == 3 << 20
    assert client.get("/vedsdk/SystemStatus/Version").status_code == 200


def test_faults_strike_the_nth_matching_request(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("status", match={"method": "get", "path": "VERSION"}, nth=2, times=2, status=500)
    assert [client.get("/vedsdk/SystemStatus/Version").status_code for dummy in range(5)] == [200, 500, 500, 200, 200]
    stuck.faults.clear()
    stuck.faults.add("status", times=0)
    assert [client.get("/vedsdk/SystemStatus/Version").status_code for dummy in range(3)] == [500] * 3


def test_faults_strike_one_target(stuck: Simulator, client: Client) -> None:
    stuck.faults.add("status", match={"target": DN}, times=0, status=502)
    assert [client.reset(dn).status_code for dn in (f"{HOME}\\b.example.com", DN)] == [200, 502]
    assert client.get(f"/vedsdk/certificates/{stuck.tpp[DN].guid}").status_code == 502


# -- journal, clock, control -------------------------------------------------------------------------------------


def test_the_journal_is_redacted_and_in_order(stuck: Simulator, client: Client) -> None:
    secret = "canary-in-the-password"
    client.post("/vedauth/authorize/oauth", {"client_id": "a", "username": "certops", "password": secret, "scope": "certificate"})
    client.post("/vedauth/authorize/token", {"client_id": "a", "refresh_token": secret})
    client.get("/vedsdk/Certificates/?InError=1&Name=x&Name=y")
    client.reset(DN)
    assert secret not in json.dumps(stuck.journal)
    assert [entry["n"] for entry in stuck.journal] == list(range(stuck.journal[0]["n"], stuck.journal[0]["n"] + 4))
    assert [entry["mutates"] for entry in stuck.journal] == [False, False, False, True]
    assert stuck.journal[2]["query"] == {"InError": "1", "Name": ["x", "y"]}
    assert stuck.journal[2]["path"] == "/vedsdk/certificates"
    assert (stuck.journal[3]["body"], stuck.journal[3]["effect"], stuck.journal[3]["status"]) == ({"CertificateDN": DN}, "reset", 200)


def test_the_control_api(stuck: Simulator, client: Client, control: Control) -> None:
    assert control("GET", "state")["tpp"]["in_error"] == 2
    assert control("POST", "faults", action="drop_before", match=RESET)[0]["action"] == "drop_before"
    assert len(control("GET", "faults")) == 1
    assert control("DELETE", "faults") == []
    client.reset(DN, Restart=True)
    before = stuck.clock.now()
    assert control("POST", "clock", advance=3600)["now"] == before + 3600
    assert stuck.tpp[DN].stage is None
    assert [entry["effect"] for entry in control("GET", "journal")] == ["reset+restart"]
    assert len(control("DELETE", "journal")) == 1
    assert control("GET", "journal") == []
    assert control("POST", "settings", latency_ms=50, tpp={"queued_visible": False})["tpp"]["queued_visible"] is False
    begin = time.monotonic()
    client.get("/vedsdk/SystemStatus/Version")
    assert time.monotonic() - begin >= 0.05
    assert control("POST", "tpp/change", dn=DN, fields={"management_type": "Unassigned"}) == {"ok": True}
    assert stuck.tpp[DN].management_type == "Unassigned"
    control("POST", "tpp/remove", dn=DN)
    control("POST", "tpp/add", certificates=[{"name": "c.example.com"}])
    assert control("GET", "state")["tpp"]["certificates"] == 2
    inline = {"tpp": {"certificates": [{"name": "only"}]}}
    assert control("POST", "reset", scenario=inline, settings={"latency_ms": 1})["tpp"]["certificates"] == 1
    assert control("GET", "settings")["latency_ms"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"action": "nonsense"}),
        ("faults", {"action": "status", "match": {"path": "("}}),
        ("faults", {"nonsense": 1}),
        ("reset", {"scenario": "nonsense"}),
        ("reset", {"scenario": {"tpp": {"certificates": [{"name": "x", "nonsense": 1}]}}}),
        ("clock", {}),
        ("settings", {"nonsense": 1}),
        ("settings", {"tpp": {"nonsense": 1}}),
        ("settings", {"tpp": {"queued_visible": "yes"}}),
        ("settings", {"tpp": {"reset_order": ["lock"]}}),
        ("tpp/nonsense", {}),
        ("tpp/approve", {"dn": "nowhere"}),
        ("nonsense", {}),
    ],
)
def test_mistakes_in_control_calls_are_explained(simulator: Simulator, control: Control, path: str, body: dict[str, Any]) -> None:
    assert control("POST", path, **body)["error"]


def test_control_calls_need_no_content_type(simulator: Simulator) -> None:
    answer = requests.post(
        f"{simulator.ready['control_url']}clock", data='{"advance": 1}', verify=simulator.ready["ca_path"], timeout=10,
        headers={"Content-Type": "application/x-www-form-urlencoded"},  # what curl says
    )
    assert set(answer.json()) == {"now"}


def test_a_bug_is_loud(stuck: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(stuck.tpp.lifecycle, "reset", None)
    answer = client.reset(DN)
    assert (answer.status_code, answer.text) == (500, "simulator error")
    assert "Traceback" in capfd.readouterr().err


def test_the_clock_can_run_faster(simulator: Simulator) -> None:
    simulator.clock.scale = 1000
    begin = simulator.clock.now()
    time.sleep(0.02)
    assert simulator.clock.now() - begin >= 20


# -- scenarios ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", scenarios.names())
def test_every_scenario_loads(simulator: Simulator, client: Client, name: str) -> None:
    simulator.reset(name)
    listed = client.get("/vedsdk/certificates/?limit=2000").json()
    visible = [item for item in simulator.tpp.store.certificates.values() if item.may("certops", "view")]
    assert listed["TotalCount"] == len(visible) == len(listed["Certificates"])


def test_the_outage_has_the_promised_numbers(simulator: Simulator, client: Client) -> None:
    simulator.reset("ca_outage")
    simulator.clock.scale = 0
    stuck = client.get("/vedsdk/certificates/?InError=1&limit=1000").json()["Certificates"]
    assert (simulator.tpp.state()["certificates"], len(stuck)) == (1000, 200)
    texts = [client.reset(item["DN"], Restart=True).json().get("Error", "") for item in stuck]
    assert sum("Failed to lock" in text for text in texts) == 6
    simulator.clock.advance(60)
    state = simulator.tpp.state()
    assert (state["in_error"], state["waiting_for_approval"], state["in_flight"]) == (12 + 6, 8, 8)


# -- command line and state file ---------------------------------------------------------------------------------


class Running:
    """The simulator as a process of its own."""

    def __init__(self, directory: Path) -> None:
        self._ready_file = directory / "ready.json"
        self._ready_file.unlink(missing_ok=True)
        arguments = ["--ready-file", str(self._ready_file), "--scenario", "empty", "--state-file", str(directory / "state.json")]
        # ``python -m`` needs the directory above ansible_collections on the path, wherever this run has it from.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen([sys.executable, "-m", PACKAGE, *arguments], env=environment, stdout=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while not self._ready_file.exists():
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        self.ready: dict[str, Any] = json.loads(self._ready_file.read_text(encoding="utf-8"))

    @property
    def ready_mode(self) -> int:
        return self._ready_file.stat().st_mode & 0o777

    def end(self, number: int) -> bytes:
        self.process.send_signal(number)
        return self.process.communicate(timeout=10)[0]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[list[Running]]:
    started = [Running(tmp_path)]
    yield started
    for process in started:
        process.process.kill()
        process.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_state_survives_a_restart(running: list[Running], tmp_path: Path, number: int) -> None:
    first = running[0]
    assert first.ready_mode == 0o600
    control, client = Control(first), Client(first)
    control("POST", "tpp/add", certificates=[{"name": "a.example.com", **ERROR}, {"name": "b.example.com"}])
    control("POST", "clock", advance=86400)
    control("POST", "settings", tpp={"version": "24.3.0"})
    assert client.reset(DN, Restart=True).status_code == 200
    before = client.get("/vedsdk/certificates/").json()
    now = control("GET", "state")["now"]
    if number == signal.SIGKILL:
        time.sleep(1.6)
    assert first.end(number) == b""
    running.append(Running(tmp_path))
    control, client = Control(running[1]), Client(running[1])
    assert client.get("/vedsdk/certificates/?Name=b.example.com").json()["Certificates"] == before["Certificates"][1:]
    assert control("GET", "state")["now"] >= now
    assert control("GET", "settings")["tpp"]["version"] == "24.3.0"
    assert [entry["effect"] for entry in control("GET", "journal") if entry["mutates"]] == ["reset+restart"]
    control("POST", "clock", advance=60)
    after = client.get("/vedsdk/certificates/?Name=a.example.com").json()["Certificates"][0]
    assert after["X509"]["Thumbprint"] != before["Certificates"][0]["X509"]["Thumbprint"]


def test_what_is_signed_after_a_save_is_saved_as_well(simulator: Simulator) -> None:
    simulator.tpp.load([{"name": "a.example.com"}])
    simulator.tpp.dump()
    thumbprint = simulator.tpp.facts(DN)["Thumbprint"]
    simulator.tpp.restore(json.loads(json.dumps(simulator.tpp.dump())))
    assert simulator.tpp.facts(DN)["Thumbprint"] == thumbprint


def test_an_unknown_scenario_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", PACKAGE, "--ready-file", str(tmp_path / "r.json"), "--scenario", "nonsense"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=10)
    assert done.returncode == 1
    assert b"unknown scenario 'nonsense'; known: ca_outage, default, empty" in done.stderr
