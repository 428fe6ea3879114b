# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module documents is what it does, for every module of the collection."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.contract.collection import MODULES, NAME, ROOT, VENDORS, in_readme_table, load_yaml

# Options of these names hold a secret itself; a path to one or a word about one is no secret.
SECRET = re.compile(r"(password|passphrase|secret|token|api_key|private_key)$")
STATES = {"full", "partial", "none", "N/A"}

pytestmark = pytest.mark.parametrize("name", MODULES)


@pytest.fixture(scope="module")
def documentation() -> dict[str, Any]:
    """What ansible-doc says of every module, documentation fragments included."""
    ansible_doc = Path(sys.executable).with_name("ansible-doc")
    names = [f"{NAME}.{module}" for module in MODULES]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree")}
    shown = subprocess.run([ansible_doc, "-t", "module", "--json", *names], env=env, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(shown.stdout)
    return {module: found[f"{NAME}.{module}"] for module in MODULES}


def load(name: str) -> ModuleType:
    return importlib.import_module(f"ansible_collections.{NAME}.plugins.modules.{name}")


def option_pairs(spec: dict[str, Any], documented: dict[str, Any], parent: str = "") -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every option with its documentation, those inside other options too; the two must have the same names."""
    assert set(spec) == set(documented), f"options of {parent or 'the module'}"
    for option, definition in spec.items():
        path = f"{parent}.{option}" if parent else option
        yield path, definition, documented[option]
        yield from option_pairs(definition.get("options") or {}, documented[option].get("suboptions") or {}, path)


def plain(definition: dict[str, Any]) -> dict[str, Any]:
    """What both descriptions of an option must have in common, with the values that hold when nothing is said."""
    return {
        "type": definition.get("type", "str"),
        "elements": definition.get("elements"),
        "required": definition.get("required", False),
        "default": definition.get("default"),
        "choices": list(definition.get("choices") or []),
        "aliases": sorted(definition.get("aliases") or []),
    }


def text_of(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def test_argument_spec_is_documented(name: str, documentation: dict[str, Any]) -> None:
    for option, definition, documented in option_pairs(load(name).ARGUMENT_SPEC, documentation[name]["doc"]["options"]):
        assert plain(definition) == plain(documented), option
        assert text_of(documented["description"]).strip(), option


def test_environment_fallbacks_are_documented(name: str, documentation: dict[str, Any]) -> None:
    for option, definition, documented in option_pairs(load(name).ARGUMENT_SPEC, documentation[name]["doc"]["options"]):
        described = set(re.findall(r"\bE\((\w+)\)", text_of(documented["description"])))
        variables = set(definition["fallback"][1]) if "fallback" in definition else set()
        assert variables <= described, option
        assert not [variable for variable in variables if variable.startswith(("ANSIBLE_", "EDA_"))], option


def test_secrets_are_never_logged(name: str, documentation: dict[str, Any]) -> None:
    for option, definition, dummy in option_pairs(load(name).ARGUMENT_SPEC, documentation[name]["doc"]["options"]):
        if SECRET.search(option) and definition.get("type", "str") == "str":
            assert definition.get("no_log") is True, option


def test_attributes_are_stated(name: str, documentation: dict[str, Any]) -> None:
    attributes = documentation[name]["doc"]["attributes"]
    for attribute in ("check_mode", "diff_mode"):
        assert attributes[attribute]["support"] in STATES, attribute
        assert text_of(attributes[attribute]["description"]).strip(), attribute
    assert attributes["check_mode"]["support"] == "full"


def test_return_values_are_documented(name: str, documentation: dict[str, Any]) -> None:
    def check(values: dict[str, Any], parent: str) -> None:
        for key, value in values.items():
            assert text_of(value["description"]).strip(), f"{parent}{key}"
            assert value["type"], f"{parent}{key}"
            if not parent:
                assert value["returned"], key
            check(value.get("contains") or {}, f"{parent}{key}.")

    assert documentation[name]["return"]
    check(documentation[name]["return"], "")


def test_examples_are_tasks_that_the_module_accepts(name: str) -> None:
    module = load(name)
    uses = list(calls(yaml.safe_load(module.EXAMPLES), f"{NAME}.{name}"))
    assert uses, "no example calls the module by its full name"
    for arguments in uses:
        assert set(arguments) <= set(module.ARGUMENT_SPEC)


def test_examples_name_modules_in_full(name: str) -> None:
    for module in MODULES:
        assert not list(calls(yaml.safe_load(load(name).EXAMPLES), module))


def calls(node: Any, module: str) -> Iterator[dict[str, Any]]:
    """The arguments of every task, at any depth, that calls the module."""
    if isinstance(node, list):
        for item in node:
            yield from calls(item, module)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == module:
                yield value or {}
            else:
                yield from calls(value, module)


def test_action_group_is_the_vendor(name: str) -> None:
    groups = load_yaml("meta", "runtime.yml")["action_groups"]
    vendor = name.split("_", maxsplit=1)[0]
    expected = [vendor] if vendor in VENDORS else []
    assert [group for group, members in groups.items() if name in members] == expected


def test_group_defaults_fit_every_member(name: str) -> None:
    """What says where a vendor is and who asks can be given to the whole group: a module without one of these options would refuse the task."""
    vendor = name.split("_", maxsplit=1)[0]
    if vendor in VENDORS:
        client = importlib.import_module(f"ansible_collections.{NAME}.plugins.module_utils.{vendor}")
        assert {option: load(name).ARGUMENT_SPEC.get(option) for option in client.CONNECTION_OPTIONS} == client.CONNECTION_OPTIONS


def test_module_is_in_the_readme(name: str) -> None:
    assert in_readme_table(name)


def test_main_is_all_that_runs(name: str) -> None:
    source = (ROOT / "plugins" / "modules" / f"{name}.py").read_text(encoding="utf-8")
    assert callable(load(name).main)
    assert source.startswith("#!/usr/bin/python\n")
    assert source.rstrip().endswith('if __name__ == "__main__":\n    main()')
