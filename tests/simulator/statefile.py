# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the simulator's state in a file, so that a restart (or a kill) goes on where it was."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .authority import write_private

if TYPE_CHECKING:
    from .server import Simulator

INTERVAL = 1.0


class StateFile:
    """``<file>`` is replaced atomically, at most once a second; ``<file>.journal`` only grows, one entry a line."""

    def __init__(self, path: Path, simulator: Simulator) -> None:
        self._path = path
        self._journal_path = path.with_name(path.name + ".journal")
        self._simulator = simulator
        self._saved = -1
        self._written = 0

    def load(self) -> bool:
        """Take up the saved state; False when there is none."""
        if not self._path.is_file():
            return False
        data = json.loads(self._path.read_text(encoding="utf-8"))
        simulator = self._simulator
        simulator.authority.load(data["authority"])
        simulator.authority.keys.load(data["keys"])
        simulator.leaks.load(data["leaks"])
        simulator.clock.load(data["clock"])
        simulator.scenario = data["scenario"]
        for vendor in simulator.vendors:
            vendor.restore(data[vendor.name])
        simulator.configure({"latency_ms": data["latency_ms"]})
        for fault in data["faults"]:
            simulator.faults.add(**{name: value for name, value in fault.items() if name != "id"})
        if self._journal_path.is_file():
            lines = self._journal_path.read_text(encoding="utf-8").splitlines(keepends=True)
            # A kill may have cut the last line short.
            simulator.records.load([json.loads(line) for line in lines if line.endswith("\n")])
        self._written = simulator.records.count
        return True

    async def keep(self) -> None:
        """Save when there has been a request since the last time; the file is written outside the event loop's thread."""
        while True:
            await asyncio.sleep(INTERVAL)
            if self._simulator.revision != self._saved:
                await asyncio.to_thread(write_private, self._path, self._content())

    def save(self) -> None:
        write_private(self._path, self._content())

    def _content(self) -> bytes:
        simulator = self._simulator
        with simulator.lock:
            self._saved = simulator.revision
            self._append_journal()
            data: dict[str, Any] = {
                "scenario": simulator.scenario if isinstance(simulator.scenario, dict) else str(simulator.scenario),
                "authority": simulator.authority.dump(),
                "keys": simulator.authority.keys.dump(),
                "leaks": simulator.leaks.dump(),
                "clock": simulator.clock.dump(),
                "latency_ms": simulator.settings.latency_ms,
                "faults": simulator.faults.dump(),
                **{vendor.name: vendor.dump() for vendor in simulator.vendors},
            }
        return json.dumps(data).encode()

    def _append_journal(self) -> None:
        records = self._simulator.records
        cleared = not records.entries or records.entries[0]["n"] > self._written
        fresh = records.finished(self._written)
        if fresh or cleared:
            with open(self._journal_path, "w" if cleared else "a", encoding="utf-8") as stream:
                stream.writelines(json.dumps(entry) + "\n" for entry in fresh)
        if fresh:
            self._written = fresh[-1]["n"]
