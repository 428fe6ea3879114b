# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A flow as a user runs it, and killed at a chosen request: the machine that runs it goes down with everything on it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import typing as t

from ansible_collections.certops.remediation.tests.simulator import inside
from ansible_collections.certops.remediation.tests.tools.processes import family_of

ROOT = pathlib.Path(__file__).parents[2]
SETTINGS = ROOT / "tests" / "integration" / "integration.cfg"
# A killed run is held at its request for longer than any test lasts.
HELD_SECONDS = 600
MOST_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Stage:
    """Where to kill: when a request with this method and path has been processed, and before its answer arrives.

    :param path: a regular expression on the path in lower case.
    :param effects: only once the run has changed so much.
    :param nth: of these requests.
    """

    name: str
    path: str
    method: str = ""
    effects: int = 0
    nth: int = 1


@dataclasses.dataclass(frozen=True)
class Ended:
    """A run that came to its end."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """Of Ansible's recap."""
        found = re.search(r"^localhost\s.*\bchanged=(\d+)", self.output, re.MULTILINE)
        return int(found.group(1)) if found else -1


class Playbook:
    """A playbook of the collection with its options, run in a folder against a simulator.

    :param options: with the prefix, as extra variables.
    """

    def __init__(self, simulator: t.Any, folder: pathlib.Path, name: str, options: t.Mapping[str, t.Any]) -> None:
        self._simulator = simulator
        self._folder = folder
        self._command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), f"certops.remediation.{name}", "-e", json.dumps(options)]
        self.environment = environment(simulator.ready, folder)

    def run(self, *arguments: str) -> Ended:
        """To its end, whatever that is."""
        process = self._start(arguments)
        try:
            output = process.communicate(timeout=MOST_SECONDS)[0]
        finally:
            _kill(process)
        return Ended(process.returncode, output)

    def kill_at(self, stage: Stage, *arguments: str, after: t.Callable[[], bool] | None = None) -> None:
        """Run it until the stage has come, and kill every process of it.

        :param after: the stage does not come before this is so.
        """
        begun = len(self._simulator.journal)
        process = self._start(arguments)
        deadline = time.monotonic() + MOST_SECONDS

        def came(happened: t.Callable[[], bool]) -> bool:
            while not happened() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            return happened()

        try:
            reached = came(after or (lambda: sum(bool(entry["effect"]) for entry in self._simulator.journal[begun:]) >= stage.effects))
            match = {"method": stage.method, "path": stage.path}
            fault = self._simulator.faults.add("delay", match=match, nth=stage.nth, seconds=HELD_SECONDS, after=True)
            reached = reached and came(lambda: fault.seen >= stage.nth)
            # The request is counted before it is processed; the effect follows at once.
            time.sleep(0.1)
            assert reached, f"{stage.name} never came: {process.communicate()[0][-3000:]}"
        finally:
            _kill(process)
            self._simulator.faults.clear()

    def _start(self, arguments: t.Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._command, *arguments],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def environment(ready: t.Mapping[str, t.Any], folder: pathlib.Path) -> dict[str, str]:
    """What a user would have exported, for all platforms of a simulator; nothing of the user who runs the tests.

    :param ready: the content of the simulator's ready file.
    """
    # Without logins by OAuth2, which would be effects of their own.
    exported = {name: value for name, value in inside.environment(ready, os.environ).items() if not name.startswith("KEYFACTOR_AUTH_")}
    return {
        **exported,
        **{f"KEYFACTOR_{name.upper()}": ready["keyfactor"][name] for name in ("username", "password", "domain")},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
        "ANSIBLE_CONFIG": str(SETTINGS),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "HOME": str(folder),
    }


def _kill(process: subprocess.Popen[str]) -> None:
    """The process and all that it has started, at once: nothing is asked to end and nothing may clean up."""
    for member in family_of(process.pid) if process.poll() is None else ():
        try:
            os.kill(member, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
    if process.stdout:
        process.stdout.close()
