# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units, sanity and integration on every supported ansible-core, with the Pythons that this machine has."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from checks import Check, run_lanes
from pythons import find_pythons, version_key
from workspace import CACHE, DEV_VENV, ROOT, TREE

# ansible-core -> the Pythons that its controller supports.
CORES = {
    "2.16": ("3.10", "3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
# A core that still supports the oldest Python of the modules on managed nodes.
CORE_FOR_OLDEST_TARGET = "2.21"


def environment(name: str, python: Path, *arguments: str) -> Path:
    """A virtual environment with these pip arguments; made anew when they or the requirements have changed."""
    venv = CACHE / "venvs" / name
    files = [ROOT / "requirements.txt", *sorted((ROOT / "tests" / "requirements").glob("*.txt"))]
    wanted = hashlib.sha256("\n".join([str(python), *arguments, *(file.read_text(encoding="utf-8") for file in files)]).encode()).hexdigest()
    stamp = venv / "stamp"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        print(f"creating the environment {name}", flush=True)
        subprocess.run([python, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", *arguments], cwd=ROOT, check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return venv


def core_environment(core: str, version: str, python: Path) -> Path:
    return environment(f"core{core}-py{version}", python, f"ansible-core=={core}.*", "-r", "tests/requirements/dev.txt")


def units(name: str, venv: Path) -> Check:
    # The integration targets run the playbooks too, so of tests/system only what depends on ansible-core more than these do, and each flow with its defaults.
    tests = ("tests/unit", "tests/contract", "tests/system/test_local_actions.py", "tests/system/test_killed_flows.py")
    return Check(f"units {name}", ("python", "-m", "pytest", "-q", *tests), venv, counts_tests=True, env={"PYTHONPATH": str(TREE)})


def ansible_test(kind: str, lane: str, name: str, venv: Path, *arguments: str) -> Check:
    command = ("python", "tests/tools/ansible_test.py", kind, "--venv", str(venv), "--lane", lane, *arguments)
    return Check(f"{kind} {name}", command, DEV_VENV)


def main() -> int:
    pythons = find_pythons()
    print("Pythons found:", ", ".join(f"{version} ({path})" for version, path in pythons.items()))
    checks: list[Check] = []
    skipped = []

    for core, supported in CORES.items():
        usable = [version for version in supported if version in pythons]
        if not usable:
            skipped.append(f"ansible-core {core}: needs one of Python {', '.join(supported)}")
            continue
        skipped += [f"ansible-core {core} on Python {version}: not found" for version in supported if version not in pythons]
        # The units on the oldest and the newest; sanity and integration take longer, and one Python is enough for them:
        # sanity compiles and imports the modules with all of them anyway.
        for version in sorted({usable[0], usable[-1]}, key=version_key):
            venv = core_environment(core, version, pythons[version])
            checks.append(units(f"core{core} py{version}", venv))
        if core == next(iter(CORES)):
            checks.append(lowest_requests(core, usable[0], pythons[usable[0]]))
        name = f"core{core} py{usable[-1]}"
        checks += [ansible_test("sanity", core, name, venv, "--every-python"), ansible_test("integration", core, name, venv)]
        if core == CORE_FOR_OLDEST_TARGET:
            checks.append(oldest_target(core, venv, pythons))

    # One iterator for both lanes: the one that is free takes the next check.
    queue = iter(checks)
    return run_lanes(queue, queue, notes=[f"not run: {reason}" for reason in skipped])


def lowest_requests(core: str, version: str, python: Path) -> Check:
    """The units with the oldest requests allowed. The simulator, in the same process, needs a newer cryptography than the modules."""
    pins = (ROOT / "tests" / "requirements" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    pin = next(line for line in pins if line.startswith("requests=="))
    venv = environment(f"lowest-core{core}-py{version}", python, f"ansible-core=={core}.*", "-r", "tests/requirements/dev.txt", pin)
    return units(f"core{core} py{version} {pin}", venv)


def oldest_target(core: str, venv: Path, pythons: dict[str, Path]) -> Check:
    """The modules themselves on the oldest Python found, with the lowest versions that requirements.txt allows."""
    version = next(iter(pythons))
    lowest = environment(f"lowest-py{version}", pythons[version], "-r", "requirements.txt", "-c", "tests/requirements/lowest.txt")
    name = f"core{core} modules on py{version} lowest"
    return ansible_test("integration", f"{core}-lowest", name, venv, "--module-python", str(lowest / "bin" / "python"))


if __name__ == "__main__":
    sys.exit(main())
