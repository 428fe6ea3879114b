# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that the role awx_setup makes, read without Ansible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.certops.remediation.plugins.plugin_utils import awx_objects

ROOT = Path(__file__).resolve().parents[2]
ROLE = ROOT / "roles" / "awx_setup"
PREFIX = "CertOps - "
SETTINGS: dict[str, Any] = {
    "prefix": PREFIX, "organization": "Default", "project": f"{PREFIX}Project", "inventory": f"{PREFIX}Inventory", "execution_environment": "",
    "credentials": {}, "extra_vars": {}, "approval_timeout": 0,
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


def credential_types() -> dict[str, dict[str, Any]]:
    """By platform."""
    made = load(ROLE / "files" / "credential_types.yml")["controller_credential_types"]
    names = {"Venafi TPP": "tpp", "Keyfactor Command": "keyfactor", "DigiCert CertCentral": "digicert", "Cloudflare": "cloudflare",
             "Report server": awx_objects.REPORTS}  # fmt: skip
    return {names[entry["name"].removeprefix("{{ awx_setup_prefix }}")]: {**entry, "name": entry["name"].split("}}")[1]} for entry in made}


def flows() -> list[dict[str, Any]]:
    return list(load(ROLE / "vars" / "main.yml")["__awx_setup_known"])


def spec(flow: str) -> dict[str, Any]:
    return dict(load(ROOT / "playbooks" / f"{flow}.meta.yml")["argument_specs"]["main"])


def specs(chosen: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {flow["name"]: spec(flow["name"]) for flow in chosen}


def templates(**settings: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """The job templates by flow and kind; the kind is empty where there is only one."""
    chosen = flows()
    made = awx_objects.job_templates(chosen, specs(chosen), {**SETTINGS, **settings})
    keys = [(flow["name"], kind) for flow in chosen for kind in awx_objects.kinds(flow["name"], spec(flow["name"]))]
    return dict(zip(keys, made, strict=True))


def workflows(**settings: Any) -> dict[str, dict[str, Any]]:
    """The workflows by flow."""
    chosen = [flow for flow in flows() if awx_objects.writes(flow["name"], spec(flow["name"]))]
    return dict(zip([flow["name"] for flow in chosen], awx_objects.workflows(chosen, specs(chosen), {**SETTINGS, **settings}), strict=True))
