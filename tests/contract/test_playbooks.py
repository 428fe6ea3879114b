# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook takes is described beside it, and described once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.contract.collection import NAME, PLAYBOOKS, ROLES, ROOT, in_readme_table, load_yaml

pytestmark = pytest.mark.parametrize("playbook", PLAYBOOKS)


def plays(playbook: str) -> list[dict[str, Any]]:
    return load_yaml("playbooks", f"{playbook}.yml")


def test_playbook_names_what_it_runs_in_full(playbook: str) -> None:
    for play in plays(playbook):
        assert "ansible.builtin.import_playbook" in play or all(role["role"].startswith(f"{NAME}.") for role in play.get("roles", []))


def test_playbook_is_in_the_readme(playbook: str) -> None:
    assert in_readme_table(f"{NAME}.{playbook}")


def test_argument_spec_is_beside_it(playbook: str) -> None:
    """A playbook that is for one role takes what the role takes, so the two share one file; another one has its own, and looks at it first."""
    meta = ROOT / "playbooks" / f"{playbook}.meta.yml"
    if playbook in ROLES:
        shared = Path("..", "roles", playbook, "meta", "argument_specs.yml")
        assert meta.is_symlink() and meta.readlink() == shared, f"cd playbooks && ln -s {shared} {meta.name}"
        return
    assert meta.is_file() and not meta.is_symlink(), f"playbooks/{meta.name} has to describe the variables of the playbook, in argument_specs.main.options"
    main = load_yaml("playbooks", meta.name)["argument_specs"]["main"]
    assert main["short_description"]
    assert all(option["description"] and name.startswith(f"{playbook}_") for name, option in main["options"].items())
    if main["options"]:
        play = plays(playbook)[0]
        first = (play.get("pre_tasks") or play["tasks"])[0]
        looked_at = first["ansible.builtin.validate_argument_spec"]["argument_spec"]
        named = re.findall(r"__\w+", looked_at)
        assert meta.name in " ".join([looked_at, *(play["vars"][name] for name in named)])
