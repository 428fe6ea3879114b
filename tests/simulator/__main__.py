# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the simulator: ``python -m tests.simulator --ready-file ready.json``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from . import scenarios
from .authority import write_private
from .inside import is_alive
from .server import Simulator


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description="One HTTPS server that imitates the vendors' APIs.")
    parser.add_argument("--ready-file", type=Path, required=True, help="written when connections are accepted: addresses and credentials")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--scenario", default="default", help=f"one of {', '.join(scenarios.names())}, or the path of a file")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many objects as the scenario says")
    parser.add_argument("--clock-scale", type=float, default=1.0, help="times as fast as the real clock")
    parser.add_argument("--while", dest="owner", type=int, default=0, metavar="PID", help="stop when this process is gone")
    parser.add_argument("--background", type=Path, metavar="LOG", help="return when it is ready; what it prints goes there")
    parser.add_argument("--state-file", type=Path, help="keep the state here; goes on from it when it exists")
    options = parser.parse_args()
    if options.background is not None:
        options.ready_file.unlink(missing_ok=True)
        child = os.fork()
        if child:
            return _await_ready(child, options.ready_file, options.background)
        _leave_terminal(options.background)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *dummy: stop.set())
    directory = options.ready_file.resolve().with_suffix(".d")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        simulator = Simulator(
            options.scenario, scale=options.scale, host=options.host, port=options.port, directory=directory, state_file=options.state_file
        )
        simulator.on_stop = stop.set
        if options.clock_scale != 1:
            simulator.configure({"clock_scale": options.clock_scale})
        simulator.start()
    except (OSError, ValueError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    write_private(options.ready_file.resolve(), json.dumps(simulator.ready, indent=2).encode())
    while not stop.wait(1.0):
        if options.owner and not is_alive(options.owner):
            break
    simulator.stop()
    return 0


def _await_ready(child: int, ready_file: Path, log: Path) -> int:
    while not ready_file.exists():
        ended, dummy = os.waitpid(child, os.WNOHANG)
        if ended:
            print(log.read_text(encoding="utf-8", errors="replace"), file=sys.stderr)
            return 1
        time.sleep(0.05)
    return 0


def _leave_terminal(log: Path) -> None:
    os.setsid()
    with open(os.devnull, "rb") as nothing, open(log, "wb") as stream:
        os.dup2(nothing.fileno(), 0)
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


if __name__ == "__main__":
    sys.exit(main())
