# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, and copies of the sources without what merely lies around beside them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
DEV_VENV = ROOT / ".venv"
LINT_VENV = CACHE / "venvs" / "lint"
CLIENTS_VENV = CACHE / "venvs" / "clients"
TREE = CACHE / "tree"


def source_files(*, tracked_only: bool = False) -> list[str]:
    """The files of the project as git sees them, ignored ones never, relative to the root."""
    command = ["git", "ls-files", "-z", "--cached"]
    if not tracked_only:
        command += ["--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    # A tracked file that was deleted but not yet committed is still listed.
    return sorted({name for name in listing.split("\0") if name and (ROOT / name).is_file()})


def copy_sources(destination: Path, *, tracked_only: bool = False) -> None:
    """Make destination a fresh copy of the sources."""
    if destination.exists():
        shutil.rmtree(destination)
    destination.mkdir(parents=True)
    for name in source_files(tracked_only=tracked_only):
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
