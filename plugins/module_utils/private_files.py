# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that must not be lost, torn or seen by others: keys, tokens, and what stands beside them."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import stat
import tempfile
import typing as t

MAX_SIZE = 1 << 20  # bytes; a key with all its certificates is far smaller


@dataclasses.dataclass(frozen=True)
class Access:
    """Mode, owner and group of a file. None leaves what is there; a new file then has mode 0600 and belongs to the process."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None

    def over(self, there: Access) -> Access:
        """What holds when this is given to a file that has ``there``."""
        return Access(*(given if given is not None else left for given, left in zip(dataclasses.astuple(self), dataclasses.astuple(there))))

    def give(self, file: int | str) -> None:
        """Set them. The owner first: that clears bits of the mode.

        :raises OSError: it is not allowed.
        """
        if self.uid is not None or self.gid is not None:
            os.chown(file, -1 if self.uid is None else self.uid, -1 if self.gid is None else self.gid)
        if self.mode is not None:
            os.chmod(file, self.mode)


def read_file(path: str, max_size: int = MAX_SIZE) -> tuple[bytes, Access] | None:
    """What a file holds and who may use it; None when there is none.

    :param max_size: in bytes.
    :raises OSError: it cannot be read, or is no file.
    """
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size > max_size:
            raise OSError(errno.EINVAL, "not a regular file" if found.st_size <= max_size else "far too large")
        with open(path, "rb") as file:
            return file.read(), Access(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
    except FileNotFoundError:
        return None


def write_file(
    path: str, data: bytes, access: Access = Access(), *, replace: bool, rehearsal: bool = False, make_room: t.Callable[[], None] | None = None
) -> None:
    """Put a file on the disk as a whole or not at all; it is there to stay when this returns.

    :param replace: whether a file of that name may be replaced.
    :param rehearsal: only try whether it can be written; nothing is left behind.
    :param make_room: called when the new file is on the disk, just before it gets its name.
    :raises FileExistsError: a file of that name is there, and ``replace`` is not set.
    :raises OSError: the disk is full or failing, or the access is not allowed.
    """
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            access.give(file.fileno())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if rehearsal:
            return
        if make_room:
            make_room()
        if replace:
            os.replace(temporary, path)
        else:
            move_to_free_name(temporary, path)
        sync_folder(folder)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def write_if_different(path: str, data: bytes, access: Access) -> bool:
    """Write a file whose content is another, or that is not there; whether that was so.

    :raises OSError: it cannot be read or written.
    """
    if (read_file(path) or (b"",))[0] == data:
        return False
    write_file(path, data, access, replace=True)
    return True


def move_to_free_name(source: str, path: str) -> None:
    """Rename, but never over another file, as a plain rename would.

    :raises FileExistsError: there is one.
    """
    try:
        os.link(source, path)
    except OSError as exc:
        if exc.errno not in (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        # A file system without hard links, such as a share: nothing better than to look first.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.rename(source, path)
    else:
        os.unlink(source)


def make_folders(path: str) -> None:
    """Make a folder, and those above it that are missing, with mode 0700.

    :raises OSError: it cannot be made.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_folders(parent)
    # Another thread may have been faster.
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    sync_folder(parent)


def sync_folder(path: str) -> None:
    """Flush a folder: without that a new name in it may be gone after a power failure."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
