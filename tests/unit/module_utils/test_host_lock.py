# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One process at a time, and never stuck."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

from ansible_collections.certops.remediation.plugins.module_utils.host_lock import HostLock

HOLDER = """
import sys, time
from ansible_collections.certops.remediation.plugins.module_utils.host_lock import HostLock
lock = HostLock()
print(*(lock.take(name) for name in sys.argv[1:]), flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def holder(folder, *names):
    """Another process that holds names, and whether it got them."""
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", HOLDER, *names], env=environment, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().split()


def test_a_name_is_held_by_one_process_until_it_is_killed(folder):
    process, got = holder(folder, "order 1", "order 2")
    try:
        assert got == ["True", "True"]
        with HostLock() as lock:
            assert [lock.take(name) for name in ("order 1", "order 2", "order 3")] == [False, False, True]
            other, got = holder(folder, "order 3", "order 4")
            other.kill()
            other.wait()
            other.stdout.close()
            assert got == ["False", "True"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    with HostLock() as lock:
        assert lock.take("order 1") and lock.take("order 1"), "and by one process more than once"


def test_the_file_is_ours_alone_and_stays_empty(folder):
    with HostLock() as lock:
        lock.take("\udcff")
    (path,) = pathlib.Path(folder).iterdir()
    assert path.stat().st_mode & 0o777 == 0o600 and path.stat().st_size == 0


@pytest.mark.parametrize("obstacle", ["symlink", "fifo", "folder", "no folder"])
def test_what_is_no_file_of_ours_holds_nobody_up(folder, obstacle, monkeypatch):
    path = folder / f"certops-remediation-{os.getuid()}.lock"
    if obstacle == "symlink":
        path.symlink_to(folder / "elsewhere")
    elif obstacle == "fifo":
        os.mkfifo(path)
    elif obstacle == "folder":
        path.mkdir()
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(folder / "missing"))
    with HostLock() as lock:
        assert lock.take("order 1")
    assert not (folder / "elsewhere").exists()
