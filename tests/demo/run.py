# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection is for, on the simulator: real ansible-playbook runs, one story after the other.

What is claimed is counted in the simulator's journal; the exit code is 1 if any of it is not so.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys

import compromise
import incident
import offboard
import outage
import reissue
from stage import DIRECTORY, Stage, Unexpected

STORIES = {"incident": incident.show, "outage": outage.show, "compromise": compromise.show, "reissue": reissue.show, "offboard": offboard.show}


def _leave(number: int, dummy: object) -> None:
    # Once is enough: a second signal must not keep the processes from being ended.
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stories", nargs="*", metavar="story", help=f"of {', '.join(STORIES)}, or all; by default the incident")
    chosen = parser.parse_args().stories or ["incident"]
    if chosen == ["all"]:
        chosen = list(STORIES)
    if not set(STORIES).issuperset(chosen):
        parser.error(f"the stories are {', '.join(STORIES)}, all")
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, _leave)
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True)
    stage = Stage()
    try:
        for story in chosen:
            STORIES[story](stage)
        print(f"\nAll {stage.checks} claims of this demonstration were checked and hold.", flush=True)
    except Unexpected as problem:
        print(f"\nThe demonstration went wrong: {problem}", file=sys.stderr)
        return 1
    finally:
        stage.end()
        # It holds credentials of the simulator that has just ended.
        (DIRECTORY / "ready.json").unlink(missing_ok=True)
        shutil.rmtree(DIRECTORY / "ready.d", ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
