# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks behind `make unit`, `clients`, `lint`, `sanity`, `integration`, `package`, `test-ee` and `test`."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from checks import Check, run_lanes
from workspace import CACHE, CLIENTS_VENV, DEV_VENV, LINT_VENV, ROOT, TREE


def dev(name: str, *command: str) -> Check:
    return Check(name, command, DEV_VENV)


# The pipeline templates, and the published schema of each.
PIPELINES = {"azure-pipelines.yml": "azure-pipelines", "github-workflow.yml": "github-workflows", "gitlab-ci.yml": "gitlab-ci"}
CLIENT_TESTS = tuple(f"tests/unit/simulator/test_third_party_{name}clients.py" for name in ("", "cloudflare_", "digicert_"))


def lint(name: str, *command: str) -> Check:
    return Check(name, command, LINT_VENV)


def pytest(name: str, venv: Path, *arguments: str) -> Check:
    # PYTHONPATH is for the Pythons that tests start themselves; pytest's own path is in pyproject.toml.
    return Check(name, ("python", "-m", "pytest", *arguments), venv, counts_tests=True, env={"PYTHONPATH": str(TREE)})


def unit() -> list[Check]:
    # loadfile keeps a simulator that a test module has started in one worker.
    return [pytest("unit", DEV_VENV, "-n", "2", "--dist", "loadfile")]


def clients() -> list[Check]:
    # What these clients are warned of is not ours to mend.
    return [pytest("third-party clients", CLIENTS_VENV, "--disable-warnings", *CLIENT_TESTS)]


def ansible_lint() -> Check:
    # It installs the collection below its home and goes on using that copy, however old; so it always gets a new one.
    home = CACHE / "ansible-lint"
    shutil.rmtree(home, ignore_errors=True)
    return Check("ansible-lint", ("ansible-lint", "--offline", "--nocolor"), LINT_VENV, env={"ANSIBLE_HOME": str(home), "HOME": str(home)})


def linters() -> list[Check]:
    return [
        lint("antsibull-changelog", "antsibull-changelog", "lint"),
        lint("reuse", "reuse", "lint", "--lines"),
        lint("yamllint", "yamllint", "--strict", "."),
        lint("mypy", "mypy"),
        lint("antsibull-docs", "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", "."),
        ansible_lint(),
        *[lint(f"schema of {name}", "check-jsonschema", "--builtin-schema", f"vendor.{schema}", f"extensions/ci/{name}") for name, schema in PIPELINES.items()],
    ]


def sanity() -> list[Check]:
    return [dev("ansible-test sanity", "python", "tests/tools/ansible_test.py", "sanity")]


def integration(*targets: str) -> list[Check]:
    return [dev("ansible-test integration", "python", "tests/tools/ansible_test.py", "integration", *targets)]


def integration_in_parts() -> list[list[Check]]:
    """The targets of the roles, which take longer, in two parts, and those of the modules; each with a simulator of its own."""
    names = sorted(path.name for path in (ROOT / "tests" / "integration" / "targets").iterdir() if path.is_dir())
    roles = [name for name in names if name.startswith("role_")]
    parts = {"roles-1": roles[::2], "roles-2": roles[1::2], "modules": [name for name in names if not name.startswith("role_")]}
    return [
        [dev(f"ansible-test integration of {part}", "python", "tests/tools/ansible_test.py", "integration", "--lane", part, *targets)]
        for part, targets in parts.items()
    ]


def package() -> list[Check]:
    return [
        dev("package build", "python", "tests/tools/package.py", "build"),
        dev("package install", "python", "tests/tools/package.py", "install"),
        lint("galaxy-importer", "python", "tests/tools/package.py", "importer"),
        lint("execution environment", "python", "tests/tools/execution_environment.py", "describe"),
    ]


def ee() -> list[Check]:
    return [
        dev("package build", "python", "tests/tools/package.py", "build"),
        dev("execution environment build", "python", "tests/tools/execution_environment.py", "build"),
        dev("execution environment flows", "python", "tests/tools/execution_environment.py", "flows"),
    ]


def main() -> int:
    groups = {"unit": unit, "clients": clients, "lint": linters, "sanity": sanity, "integration": integration, "package": package, "ee": ee}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=[*groups, "all"])
    parser.add_argument("targets", nargs="*", help="integration targets, for the group integration only")
    arguments = parser.parse_args()
    if arguments.group == "integration":
        return run_lanes(integration(*arguments.targets))
    if arguments.group == "all":
        # Two lanes take from one queue, what lasts longest first, so that neither ends long before the other. A group stays in one lane.
        queue = iter([unit(), sanity(), *integration_in_parts(), linters(), clients(), package()])
        lane = (check for group in queue for check in group)
        other = (check for group in queue for check in group)
        return run_lanes(lane, other)
    return run_lanes(groups[arguments.group]())


if __name__ == "__main__":
    sys.exit(main())
