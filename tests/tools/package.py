# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection as it would be released, and look at it as its users will."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from workspace import CACHE, copy_sources, source_files

PACKAGE = CACHE / "package"
DIST = PACKAGE / "dist"
INSTALLED = PACKAGE / "installed"

# Users practise with the simulator, so it has to be in the package.
NEEDED = ("COPYING", "README.md", "meta/runtime.yml", "requirements.txt", "tests/simulator/__main__.py", "tests/requirements/simulator.txt")
PLUGIN_TYPES = {"modules": "module", "action": None, "inventory": "inventory", "lookup": "lookup", "filter": "filter", "test": "test"}


def build() -> int:
    """Build from the tracked files: what lies around untracked must not reach a release."""
    tracked = source_files(tracked_only=True)
    untracked = sorted(set(source_files()) - set(tracked))
    if untracked:
        print(f"Not in the package, because git does not track them: {', '.join(untracked)}")
    if "galaxy.yml" not in tracked:
        print("Nothing to build: galaxy.yml is not tracked by git (git add it first).")
        return 1

    shutil.rmtree(PACKAGE, ignore_errors=True)
    copy_sources(PACKAGE / "source", tracked_only=True)
    run("ansible-galaxy", "collection", "build", "--output-path", DIST, PACKAGE / "source")
    with tarfile.open(tarball()) as archive:
        packed = set(archive.getnames())
    missing = [name for name in NEEDED if name not in packed]
    if missing:
        print(f"Missing from the package: {', '.join(missing)}")
    return 1 if missing else 0


def install() -> int:
    """Install the package where nothing else is, and read the documentation of every plugin there."""
    run("ansible-galaxy", "collection", "install", "--offline", "--collections-path", INSTALLED, tarball())
    plugins = INSTALLED / "ansible_collections" / "certops" / "remediation" / "plugins"
    status = 0
    for directory, kind in PLUGIN_TYPES.items():
        # One file may hold several filters; each has its documentation beside it.
        pattern = "[!_]*.yml" if directory in ("filter", "test") else "[!_]*.py"
        names = {f"certops.remediation.{file.stem}" for file in (plugins / directory).glob(pattern)}
        if not names or kind is None:
            continue
        listed = set(json.loads(run("ansible-doc", "-t", kind, "--list", "--json", "certops.remediation")))
        documented = set(json.loads(run("ansible-doc", "-t", kind, "--json", *sorted(names))))
        for name in sorted(names):
            if name in listed and name in documented:
                print(f"{kind} {name}: documented")
            else:
                print(f"{kind} {name}: ansible-doc does not show it")
                status = 1
    return status


def importer() -> int:
    """What Galaxy and Automation Hub will say of the package."""
    settings = PACKAGE / "galaxy-importer.cfg"
    # The linter has a check of its own, with the same profile.
    settings.write_text("[galaxy-importer]\nCHECK_REQUIRED_TAGS = True\nRUN_ANSIBLE_LINT = False\n", encoding="utf-8")
    command = [sys.executable, "-m", "galaxy_importer.main", tarball()]
    # It leaves its result in the working directory.
    env = {**os.environ, "GALAXY_IMPORTER_CONFIG": str(settings)}
    finished = subprocess.run(command, cwd=PACKAGE, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(finished.stdout)
    return 1 if finished.returncode or "ERROR" in finished.stdout else 0


def tarball() -> Path:
    built = list(DIST.glob("*.tar.gz"))
    if len(built) != 1:
        raise SystemExit("There is no package: the build has failed or was not run.")
    return built[0]


def run(*command: str | Path) -> str:
    """Run an Ansible tool with an empty home, so that nothing of the user's own set-up can help or disturb."""
    home = PACKAGE / "home"
    home.mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    env.update(HOME=str(home), ANSIBLE_COLLECTIONS_PATH=str(INSTALLED), ANSIBLE_FORCE_COLOR="0")
    finished = subprocess.run(command, cwd=PACKAGE, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    sys.stderr.write(finished.stderr)
    if finished.returncode:
        sys.stdout.write(finished.stdout)
        raise SystemExit(finished.returncode)
    return finished.stdout


def main() -> int:
    steps: dict[str, Callable[[], int]] = {"build": build, "install": install, "importer": importer}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=steps)
    return steps[parser.parse_args().step]()


if __name__ == "__main__":
    sys.exit(main())
