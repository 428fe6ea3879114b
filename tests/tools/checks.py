# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands in lanes, show and keep what they print, count what passed.

A check is one command. The checks of a lane run one after the other, the lanes beside each other. With one lane the
output is shown as it comes; with several, that of a check is shown whole when the check has ended.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from processes import end_families
from workspace import CACHE, ROOT

LOGS = CACHE / "logs"
CLOSING_LINE = LOGS / "closing-line"
INTERRUPTED = 130


@dataclass(frozen=True)
class Check:
    name: str
    # The first word is looked up in the environment's bin directory.
    command: Sequence[str]
    venv: Path
    # pytest's own counts are added up; any other check counts as one.
    counts_tests: bool = False
    env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    check: Check
    passed: int
    failed: int
    seconds: float


class Runner:
    def __init__(self, lanes: Sequence[Iterable[Check]], notes: Sequence[str]) -> None:
        self.lanes = lanes
        self.notes = notes
        self.results: list[Result] = []
        self.running: set[subprocess.Popen[str]] = set()
        self.stopping = False
        # Guards the three above, and keeps the output of two checks apart.
        self.lock = threading.Lock()

    def run(self) -> int:
        """Run everything, print the closing line, return the exit status."""
        LOGS.mkdir(parents=True, exist_ok=True)
        CLOSING_LINE.unlink(missing_ok=True)
        signal.signal(signal.SIGTERM, _raise_interrupt)
        with ThreadPoolExecutor(len(self.lanes)) as pool:
            lanes = [pool.submit(self._run_lane, lane) for lane in self.lanes]
            try:
                for lane in lanes:
                    lane.result()
            except KeyboardInterrupt:
                self._stop()
                print("interrupted", flush=True)
                return INTERRUPTED
        return self._summarise()

    def _run_lane(self, lane: Iterable[Check]) -> None:
        for check in lane:
            if self.stopping:
                return
            self._run_check(check)

    def _run_check(self, check: Check) -> None:
        streaming = len(self.lanes) == 1
        started = time.monotonic()
        self._print(_heading(check.name) if streaming else f"--- started: {check.name}")
        output = []
        with open(LOGS / f"{check.name.replace(' ', '-')}.log", "w", encoding="utf-8", buffering=1) as log:
            process = self._start(check)
            if process is None:
                return
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                output.append(line)
                if streaming:
                    print(line, end="", flush=True)
            status = process.wait()
        with self.lock:
            self.running.discard(process)
            if self.stopping:
                return
            passed, failed = _count(output) if check.counts_tests else (0, 0)
            # A suite that has run no test at all has not passed either.
            if not failed and (status != 0 or (check.counts_tests and not passed)):
                failed = 1
            elif not check.counts_tests:
                passed = 1
            result = Result(check, passed, failed, time.monotonic() - started)
            self.results.append(result)
        shown = "" if streaming else f"{_heading(check.name)}\n{''.join(output)}"
        self._print(f"{shown}--- {_verdict(result)}")

    def _start(self, check: Check) -> subprocess.Popen[str] | None:
        binaries = check.venv / "bin"
        env = {**os.environ, **check.env, "PYTHONUNBUFFERED": "1", "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
        with self.lock:
            if self.stopping:
                return None
            # A session of its own, so that an interrupt can be handed to all that the check has started.
            process = subprocess.Popen(
                [str(binaries / check.command[0]), *check.command[1:]], cwd=ROOT, env=env, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                encoding="utf-8", errors="replace",
            )
            self.running.add(process)
            return process

    def _stop(self) -> None:
        with self.lock:
            self.stopping = True
            running = list(self.running)
        end_families(running)

    def _summarise(self) -> int:
        passed = sum(result.passed for result in self.results)
        failed = sum(result.failed for result in self.results)
        self._print(_heading("summary"))
        for result in self.results:
            print(_verdict(result))
        for note in self.notes:
            print(note)
        closing = f"{passed} passed, {failed} failed"
        CLOSING_LINE.write_text(f"{closing}\n", encoding="utf-8")
        print(closing, flush=True)
        return 1 if failed or not passed else 0

    def _print(self, text: str) -> None:
        with self.lock:
            print(text, flush=True)


def _raise_interrupt(dummy_signal: int, dummy_frame: object) -> None:
    raise KeyboardInterrupt


def _heading(name: str) -> str:
    return f"\n{f' {name} ':=^100}"


def _verdict(result: Result) -> str:
    word = "FAILED" if result.failed else "ok"
    counts = f" ({result.passed} passed, {result.failed} failed)" if result.check.counts_tests else ""
    return f"{word:6} {result.check.name}{counts}, {result.seconds:.0f} s"


def _count(output: Sequence[str]) -> tuple[int, int]:
    """Passed, and failed or broken, of pytest's closing line."""
    for line in reversed(output):
        if re.search(r"\bin \d+\.\d+s", line):
            found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|xfailed)", line)}
            return found.get("passed", 0) + found.get("xfailed", 0), found.get("failed", 0) + found.get("error", 0)
    return 0, 0


def run_lanes(*lanes: Iterable[Check], notes: Sequence[str] = ()) -> int:
    return Runner(lanes, notes).run()
