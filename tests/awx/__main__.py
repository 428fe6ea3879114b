# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.awx`` serves an empty AWX on this machine and says how to reach it, until it is ended. For trying out the role awx_setup."""

from __future__ import annotations

import argparse

from tests.awx.controller import StandIn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; by default any that is free")
    with StandIn(parser.parse_args().port) as awx:
        for name, value in awx.environment.items():
            print(f"export {name}={value}", flush=True)
        try:
            awx.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
