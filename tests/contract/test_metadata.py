# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that describe the collection agree with each other and with what is there."""

from __future__ import annotations

import fnmatch
import importlib
import re
import sys
from pathlib import Path

import pytest

from tests.contract.collection import MODULES, PLUGIN_FILES, ROLES, ROOT, in_readme_table, load_yaml, requirement_lines


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_plugin_file_is_licensed_and_well_named(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:6]
    assert any(line.endswith(" GPL-3.0-or-later") for line in head)
    # pylint reports the issues of the standard module, and Python may load the wrong one.
    assert path.stem not in sys.stdlib_module_names
    if path.parent.name in ("module_utils", "plugin_utils"):
        assert head[0].startswith("# Private to certops.remediation")


@pytest.mark.parametrize("kind, attribute", [("filter", "FilterModule"), ("test", "TestModule")])
def test_every_filter_and_test_is_documented_beside_it(kind: str, attribute: str) -> None:
    folder = ROOT / "plugins" / kind
    loaded = [importlib.import_module(f"ansible_collections.certops.remediation.plugins.{kind}.{path.stem}") for path in folder.glob("[!_]*.py")]
    there = [name for module in loaded for name in getattr(getattr(module, attribute)(), f"{kind}s")()]
    assert sorted(there) == sorted(path.stem for path in folder.glob("*.yml"))
    for name in there:
        described = load_yaml("plugins", kind, f"{name}.yml")
        assert described["DOCUMENTATION"]["name"] == name and described["EXAMPLES"] and described["RETURN"]


def test_no_sanity_error_is_ignored() -> None:
    assert not list((ROOT / "tests" / "sanity").glob("ignore*.txt"))


def test_action_groups_name_existing_modules() -> None:
    groups = load_yaml("meta", "runtime.yml")["action_groups"]
    assert {name for members in groups.values() for name in members} <= set(MODULES)


def test_requirements_are_lower_bounds() -> None:
    bounds = requirement_lines("requirements.txt")
    assert bounds
    for bound in bounds:
        assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", bound)


def test_lowest_versions_are_the_lower_bounds() -> None:
    bounds = [line.replace(">=", "==") for line in requirement_lines("requirements.txt")]
    assert sorted(requirement_lines("tests", "requirements", "lowest.txt")) == sorted(bounds)


def test_execution_environment_installs_the_requirements() -> None:
    assert load_yaml("meta", "execution-environment.yml")["dependencies"] == {"python": "requirements.txt"}


def test_changelog_ends_with_this_version() -> None:
    releases = load_yaml("changelogs", "changelog.yaml")["releases"]
    newest = max(releases, key=lambda version: [int(part) for part in version.split(".")])
    assert newest == load_yaml("galaxy.yml")["version"]


def test_collection_stands_alone() -> None:
    galaxy = load_yaml("galaxy.yml")
    assert not galaxy["dependencies"]
    assert galaxy["license"] == ["GPL-3.0-or-later"]


@pytest.mark.parametrize("path", ["tests/simulator/__main__.py", "tests/requirements/simulator.txt", "requirements.txt", "COPYING"])
def test_package_holds(path: str) -> None:
    for pattern in load_yaml("galaxy.yml")["build_ignore"]:
        for part in [path, *map(str, Path(path).parents)]:
            assert not fnmatch.fnmatch(part, pattern)


@pytest.mark.parametrize("role", ROLES)
class TestRole:
    def test_variables_are_declared(self, role: str) -> None:
        options = load_yaml("roles", role, "meta", "argument_specs.yml")["argument_specs"]["main"]["options"]
        defaults = ROOT / "roles" / role / "defaults" / "main.yml"
        values = load_yaml("roles", role, "defaults", "main.yml") if defaults.exists() else {}
        assert values == {name: option["default"] for name, option in options.items() if "default" in option}
        assert all(name.startswith(f"{role}_") for name in options)

    def test_playbook_of_the_same_name(self, role: str) -> None:
        # What the flows share does nothing by itself.
        assert (ROOT / "playbooks" / f"{role}.yml").exists() is (role != "flow")

    def test_role_is_in_the_readme(self, role: str) -> None:
        assert in_readme_table(role)
