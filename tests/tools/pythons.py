# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the Python interpreters of this machine that really start."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

# The oldest that the modules support.
FLOOR = (3, 9)


def path_without_shims() -> list[Path]:
    """PATH without the shim directories of version managers.

    They offer every Python ever installed, also those that end in an error because they are not the chosen one.
    """
    return [Path(entry) for entry in os.environ["PATH"].split(os.pathsep) if entry and Path(entry).name != "shims"]


def find_pythons() -> dict[str, Path]:
    """Version ("3.11") -> interpreter, in ascending order; what is on PATH wins over what a version manager keeps."""
    places = path_without_shims()
    for entry in os.environ["PATH"].split(os.pathsep):
        if Path(entry).name == "shims":
            places += sorted(Path(entry).parent.glob("versions/*/bin"), reverse=True)
    places += sorted((Path.home() / ".local/share/uv/python").glob("*/bin"), reverse=True)

    found: dict[str, Path] = {}
    for place in places:
        for candidate in sorted(place.glob("python3.*")):
            version = candidate.name.removeprefix("python")
            if re.fullmatch(r"3\.\d+", version) and version not in found and version_key(version) >= FLOOR and _starts(candidate):
                found[version] = candidate
    return {version: found[version] for version in sorted(found, key=version_key)}


def version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _starts(python: Path) -> bool:
    # Without ensurepip (Debian without python3-venv) an interpreter is of no use for making environments.
    try:
        return subprocess.run([python, "-c", "import ensurepip, venv"], check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
