# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps two tasks on one machine from acting on the same thing at once, where the vendor would do it twice."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
import types


class HostLock:
    """Names that only one process of a user can hold at a time, on one machine.

    Each is one byte of a file that all tasks share, far behind its end. The system frees them when the process ends, however it ends.
    """

    def __init__(self) -> None:
        self._handle: int | None = _open()

    def take(self, name: str) -> bool:
        """Whether nobody else holds the name; it is ours from now on. Always so on a machine that offers no such locks."""
        if self._handle is None:
            return True
        offset = int(hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:15], 16)
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except (BlockingIOError, PermissionError):
            # POSIX lets a system choose between the two.
            return False
        except OSError:
            # A file system without locks.
            pass
        return True

    def close(self) -> None:
        """Give all names back."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> HostLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None) -> None:
        self.close()


def _open() -> int | None:
    """The shared file; None where it cannot be had, or is not ours: nobody else may hold us up."""
    path = os.path.join(tempfile.gettempdir(), f"certops-remediation-{os.getuid()}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError:
        return None
    found = os.fstat(handle)
    if found.st_uid != os.getuid() or not stat.S_ISREG(found.st_mode):
        os.close(handle)
        return None
    return handle
