# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches the collection awx.awx, which the role awx_setup is tested with: out of the package "ansible", of which nothing else is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WANTED = "ansible_collections/awx/awx/"


def main(target: Path, requirements: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        options = ["-qq", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--dest", temporary]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, "--requirement", str(requirements)], check=True)
        (wheel,) = Path(temporary).glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            package.extractall(target, [name for name in package.namelist() if name.startswith(WANTED)])
    if not (target / WANTED / "plugins" / "modules" / "job_template.py").is_file():
        sys.exit(f"There is no awx.awx in {wheel.name}; {requirements} has to name a version that has it.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
