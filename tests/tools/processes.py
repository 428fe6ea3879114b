# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End processes together with all that they have started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 10.0


def end_families(processes: Iterable[subprocess.Popen[Any]]) -> None:
    """End the processes, which lead sessions of their own, and every descendant.

    They are interrupted first, so that they can stop what they have started. Signalling their sessions would not be enough:
    ansible-playbook gives each of its workers a session of its own, and a worker does not end with the playbook.
    """
    leaders = [process.pid for process in processes]
    family = {member for leader in leaders for member in family_of(leader)}
    for leader in leaders:
        _signal(-leader, signal.SIGINT)
    _await_end(leaders)
    for how in (signal.SIGTERM, signal.SIGKILL):
        for member in family:
            _signal(member, how)
        _await_end(family)


def family_of(ancestor: int) -> list[int]:
    """A process and every descendant that it has by now."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # "pid (name) state parent ...", and the name may hold anything.
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [ancestor]
    waiting = [ancestor]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _await_end(members: Iterable[int]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(_alive(member) for member in members) and time.monotonic() < deadline:
        time.sleep(0.1)


def _alive(member: int) -> bool:
    try:
        os.kill(member, 0)
        # A zombie waits for its parent to ask for it, and does no more harm.
        return ") Z " not in Path(f"/proc/{member}/stat").read_text(encoding="utf-8", errors="replace")
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        # A system without /proc; or it ended just now, as the next question will show.
        return True


def _signal(member: int, how: signal.Signals) -> None:
    try:
        os.kill(member, how)
    except ProcessLookupError:
        pass
