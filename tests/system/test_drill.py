# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drill from an installed package: it runs with hostile surroundings, reaches nothing of them, and leaves nothing running behind."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.certops.remediation.tests.tools.processes import family_of
from ansible_collections.certops.remediation.tests.tools.workspace import copy_sources
from ansible_collections.certops.remediation.tests.unit.simulator.test_inside import names_that_modules_look_for

CANARY = "cnry-drill-90aaaaaaaaaaaaaaaa"
MOST_SECONDS = 600


def own_environment():
    """That of these tests without what leads Ansible to this checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_") and name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The collection as its users have it: built, installed by ansible-galaxy, and not to be written to."""
    folder = tmp_path_factory.mktemp("installed")
    copy_sources(folder / "source")
    env = {**own_environment(), "HOME": str(folder)}
    galaxy = str(pathlib.Path(sys.executable).with_name("ansible-galaxy"))
    for command in (
        ["build", "--output-path", str(folder), str(folder / "source")],
        ["install", "--offline", "--collections-path", str(folder / "collections"), str(folder / "certops-remediation.tar.gz")],
    ):
        subprocess.run([galaxy, "collection", *command], env=env, cwd=folder, check=True, capture_output=True)
        for built in folder.glob("certops-remediation-*.tar.gz"):
            built.rename(folder / "certops-remediation.tar.gz")
    shutil.rmtree(folder / "source")
    return folder / "collections"


@pytest.fixture
def trap():
    """What stands for the real world here: a server that notes every connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    caught = []

    def listen():
        while True:
            try:
                connection, dummy = listener.accept()
            except OSError:
                return
            caught.append(connection.recv(1000))
            connection.close()

    threading.Thread(target=listen, daemon=True).start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", caught
    listener.close()


def hostile(address):
    """The environment and the settings of somebody who works on the real platforms, all of which lead into the trap."""
    found = {}
    for name in names_that_modules_look_for():
        if name.startswith(("VENAFI", "VCERT", "KEYFACTOR", "DIGICERT", "CLOUDFLARE")):
            found[name] = f"https://{address}" if re.search("URL|ADDR|HOST", name) else CANARY
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"), f"http://{address}")
    return {**found, **proxies, "KEYFACTOR_PORT": "443", "VENAFI_SKIP_VERIFY": "true"}


@contextlib.contextmanager
def started(installed, folder, *arguments, environment=None):
    """A drill in a folder of its own; nothing of it outlives the test."""
    env = {
        **own_environment(),
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        **(environment or {}),
    }
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "certops.remediation.drill", *arguments]
    process = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    family = set()
    try:
        yield process, family
    finally:
        for one in {*family, *family_of(process.pid), *running(folder)}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


def running(folder):
    """Processes that work in the drill's folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if f"{folder}/certops-drill-".encode() in words:
            found.append(int(path.parent.name))
    return found


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.2)
    return condition()


@pytest.mark.timeout(2 * MOST_SECONDS)
def test_a_drill_from_an_installed_package_reaches_nothing_real(installed, tmp_path, trap):
    address, caught = trap
    mine = {
        "drill_incident": "ca_outage",
        "drill_size": "0.03",
        "drill_certificates": "12000",
        "drill_report_path": "report",
        "drill_report_formats": "html,markdown,json",
        "unstick_certificates_wave_size": "2",
        "unstick_certificates_folder": "\\VED\\Policy\\Real",
        "unstick_certificates_plan_digest": "sha256:approved-for-the-real-thing",
        "unstick_certificates_journal_path": str(tmp_path / "real.jsonl"),
    }
    secrets = set()
    with started(installed, tmp_path, "-vvv", "-e", json.dumps(mine), environment=hostile(address)) as (process, dummy):
        reader = threading.Thread(target=lambda: secrets.update(credentials(tmp_path)), daemon=True)
        reader.start()
        output = process.communicate(timeout=MOST_SECONDS)[0]
        assert wait_until(lambda: running(tmp_path) == [], 20)
    assert process.returncode == 0, output
    assert caught == []
    record = json.loads((tmp_path / "report.json").read_text())
    assert [item["vendor"] for item in record["vendors"]] == ["tpp"]
    vendor, counts = record["vendors"][0], record["counts"]
    assert counts["planned"] == counts["changed"] == 5 and record["results"]["renewed"] == 5
    assert vendor["stages"]["plan"]["changes"] == 0 and vendor["stages"]["run"]["changes"] == 5
    assert record["wanted"] == 12000 and vendor["real_requests"] == vendor["requests"] * 2400
    assert vendor["seconds"] == pytest.approx(vendor["real_requests"] * 0.2 / 8)
    # The user's own settings apply, those that lead out of the drill do not, and it says so.
    assert record["settings"]["unstick_certificates_wave_size"] == "2" and "wave 2 of 2" in output
    assert "unstick_certificates_journal_path, unstick_certificates_plan_digest" in " ".join(record["lessons"])
    assert record["headline"] in (tmp_path / "report.html").read_text() and record["headline"] in (tmp_path / "report.md").read_text()
    assert len(secrets) >= 10
    assert [secret for secret in (CANARY, *secrets) if secret in output] == []
    assert not list(tmp_path.glob("certops-drill-*")) and not (tmp_path / "real.jsonl").exists()


def credentials(folder):
    """All credentials of the simulator that is going to be started there."""
    assert wait_until(lambda: list(folder.glob("certops-drill-*/ready.json")), MOST_SECONDS)
    ready = json.loads(next(folder.glob("certops-drill-*/ready.json")).read_text())
    return {
        value for part in ready.values() if isinstance(part, dict) for name, value in part.items()
        if isinstance(value, str) and re.search("token$|password|secret|key$", name)
    }


@pytest.mark.timeout(2 * MOST_SECONDS)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_nothing_is_left_running(installed, tmp_path, how):
    with started(installed, tmp_path, "-e", "drill_incident=lost_devices", "-e", "drill_size=0.1") as (process, family):
        assert wait_until(lambda: any(b"plan.usage" in pathlib.Path(f"/proc/{one}/cmdline").read_bytes() for one in running(tmp_path)), MOST_SECONDS)
        family.update(family_of(process.pid))
        # The simulator, and what runs the playbook inside.
        assert len(running(tmp_path)) >= 2
        os.kill(process.pid, how)
        process.wait(60)
        assert wait_until(lambda: running(tmp_path) == [], 40), running(tmp_path)


def test_what_the_simulator_lacks_is_told_with_the_remedy(installed, tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\nexec {sys.executable} -S -I \"$@\"\n")
    bare.chmod(0o755)
    with started(installed, tmp_path, "-e", "drill_incident=lost_devices", "-e", f"drill_python={bare}") as (process, dummy):
        output = process.communicate(timeout=MOST_SECONDS)[0]
    assert process.returncode == 2, output
    requirements = installed / "ansible_collections" / "certops" / "remediation" / "tests" / "requirements" / "simulator.txt"
    # Before ansible-core 2.19 a message is shown in the quotation marks of YAML.
    told = " ".join(output.split()).replace("''", "'")
    assert "No module named 'aiohttp'" in told and f"{bare} -m pip install -r {requirements}" in told and requirements.exists(), output
