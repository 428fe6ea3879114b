# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: a private data directory with what AWX puts into it, and ansible-runner on it. No container is between."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ansible_runner
import yaml

from tests.awx import rules

# One event that is larger loses its result.
MAX_EVENT_RES = 700_000


class _Unsafe(yaml.SafeDumper):
    """Every key and every text that does not come from the template itself is marked, as AWX does it."""

    def represent_data(self, data: Any) -> Any:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


def extra_variables(variables: Mapping[str, Any], trusted: Mapping[str, Any]) -> str:
    def dump(name: str, value: Any) -> str:
        return yaml.dump({name: value}, Dumper=yaml.SafeDumper if name in trusted and trusted[name] == value else _Unsafe, default_flow_style=False)

    return "".join(dump(name, value) for name, value in variables.items())


@dataclasses.dataclass
class Job:
    """What a job has left.

    :param processes: every command line that was seen while it ran.
    """

    code: int
    directory: Path
    processes: set[str]
    number: int

    @property
    def artifacts(self) -> Path:
        return self.directory / "artifacts" / str(self.number)

    def events(self) -> Iterator[dict[str, Any]]:
        for path in sorted((self.artifacts / "job_events").glob("*.json"), key=lambda path: int(path.name.split("-")[0])):
            yield json.loads(path.read_text(encoding="utf-8"))

    @property
    def handed_on(self) -> dict[str, Any]:
        """What the next job of a workflow gets as variables."""
        stats = [event["event_data"] for event in self.events() if event["event"] == "playbook_on_stats"]
        return dict(stats[0].get("artifact_data", {})) if stats else {}

    @property
    def stdout(self) -> str:
        return (self.artifacts / "stdout").read_text(encoding="utf-8")

    def last_output(self) -> str:
        """What stands last in the job's output, before the recap."""
        shown = [event for event in self.events() if event["event"] in ("runner_on_ok", "runner_on_failed") and event["stdout"]]
        told = [event for event in shown if event["event_data"]["task"] == "Tell what has become of it"]
        assert shown.index(told[-1]) >= len(shown) - 2, "only the failure itself may come after it"
        return str(told[-1]["stdout"])


def run(
    directory: Path,
    collections: Path,
    template: Mapping[str, Any],
    variables: Mapping[str, Any],
    *,
    credentials: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]] = (),
    environment: Mapping[str, str] | None = None,
    hosts: Sequence[str] = ("localhost",),
    verbosity: int = 0,
    number: int = 1,
    watched: bool = False,
) -> Job:
    """Run a job of a template.

    :param collections: where the project update has installed the collections.
    :param variables: the whole of the extra variables; see :func:`rules.job_variables`.
    :param credentials: each a credential type and the inputs of a credential of it.
    :param environment: what whoever runs AWX gives to all jobs.
    :param hosts: of the inventory, or of the slice of it that this job gets.
    :param watched: look at the command lines of all processes meanwhile.
    """
    for name in ("env", "inventory", "project", "artifacts"):
        (directory / name).mkdir(parents=True)
    (directory / "requirements_collections").symlink_to(collections)
    given: dict[str, str] = {}

    def write(content: str) -> str:
        path = directory / "env" / f"tmp{len(list((directory / 'env').iterdir())):04}"
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
        return str(path)

    for credential_type, inputs in credentials:
        given.update(rules.injected(credential_type, inputs, write))
    env = {
        "ANSIBLE_FORCE_COLOR": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_COLLECTIONS_PATH": f"{directory}/requirements_collections:{directory}/home/.ansible/collections:/usr/share/ansible/collections",
        "AWX_PRIVATE_DATA_DIR": str(directory),
        "AWX_HOST": "https://awx.example.com",
        "JOB_ID": str(number),
        "INVENTORY_ID": "1",
        "PROJECT_REVISION": "0" * 40,
        "MAX_EVENT_RES": str(MAX_EVENT_RES),
        "HOME": str(directory / "home"),
        **(environment or {}),
        **given,
    }
    # What this machine has for the tests is not what an execution environment has.
    absent = [name for name in os.environ if name.startswith(("ANSIBLE_", "VENAFI_", "VCERT_", "KEYFACTOR_", "DIGICERT_", "CLOUDFLARE_", "CERTOPS_"))]
    (directory / "env" / "envvars").write_text(json.dumps(env), encoding="utf-8")
    meta = {
        f"{prefix}_{name}": value
        for prefix in ("awx", "tower")
        for name, value in {
            "job_id": number, "job_launch_type": "manual", "job_template_id": 7, "job_template_name": template["name"], "user_id": 1, "user_name": "admin",
            "user_email": "admin@example.com", "inventory_id": 1, "inventory_name": template["inventory"], "project_revision": "0" * 40,
        }.items()
    }  # fmt: skip
    (directory / "env" / "extravars").write_text(extra_variables({**variables, **meta}, template["extra_vars"]), encoding="utf-8")
    options = ["-u", "root", *(["--check"] if template["job_type"] == "check" else []), *(["--diff"] if template["diff_mode"] else [])]
    options += [f"-{'v' * verbosity}"] if verbosity else []
    (directory / "env" / "cmdline").write_text(" ".join(options), encoding="utf-8")
    (directory / "env" / "settings").write_text(json.dumps({"suppress_ansible_output": True}), encoding="utf-8")
    inventory = directory / "inventory" / "hosts"
    variables_of_hosts = {host: {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"} for host in hosts}
    content = json.dumps({"all": {"hosts": list(hosts)}, "_meta": {"hostvars": variables_of_hosts}})
    inventory.write_text(f"#!/bin/sh\ncat <<'EOF'\n{content}\nEOF\n", encoding="utf-8")
    inventory.chmod(0o700)

    kept = {name: os.environ.pop(name) for name in absent}
    seen = _Processes()
    try:
        with seen if watched else contextlib.nullcontext():
            result = ansible_runner.run(
                private_data_dir=str(directory), playbook=template["playbook"], inventory=str(inventory), ident=str(number), quiet=True
            )
    finally:
        os.environ.update(kept)
    return Job(result.rc, directory, seen.commands, number)


class _Processes:
    """Watches the command lines of all processes of this machine, as another user of it could."""

    def __init__(self) -> None:
        self.commands: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *dummy_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            for entry in Path("/proc").glob("[0-9]*"):
                try:
                    self.commands.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue  # It has ended.
            time.sleep(0.2)
