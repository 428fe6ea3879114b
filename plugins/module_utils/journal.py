# Private to certops.remediation: may change in any release.
# Copyright (c) 2026, certops.remediation contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An append-only record on disk: the intent before each write, the outcome after it."""

from __future__ import annotations

import datetime
import json
import os
import threading
import typing as t
import uuid

from ansible_collections.certops.remediation.plugins.module_utils.errors import InputError, JournalError


class Journal:
    """JSON Lines, one object a line, flushed to the disk before the call returns. Safe for several threads and several runs.

    A line has ``time`` (UTC), ``run`` (one id for each task run) and what the caller gives. Nothing in it is secret.

    :raises InputError: the file cannot be opened for appending.
    """

    def __init__(self, path: str) -> None:
        self.run = str(uuid.uuid4())
        self._lock = threading.Lock()
        self._flush = threading.Lock()
        self._path = path
        self._torn = False
        self._written = 0
        self._flushed = 0
        try:
            # 0600 for a new file; an existing one keeps the mode that its owner gave it.
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                # A run was killed within a line: end it, so that this run's first line stands alone.
                os.write(self._file, b"\n")
        except OSError as exc:
            raise InputError("journal_path", f"{path!r} cannot be opened for appending ({exc.strerror}); its folder must exist") from None

    def write(self, lines: t.Iterable[t.Mapping[str, t.Any]]) -> None:
        """Append ``lines``, and return when they are on the disk. Threads that arrive together share one flush.

        :raises JournalError: the disk is full or failing.
        """
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        text = "".join(json.dumps({"time": now, "run": self.run, **line}) + "\n" for line in lines)
        try:
            with self._lock:
                # The flag stays up when a write fails half-way; the next line must not continue the unfinished one.
                data = ("\n" + text if self._torn else text).encode("utf-8")
                self._torn = True
                while data:
                    data = data[os.write(self._file, data) :]
                self._torn = False
                self._written += 1
                mine = self._written
            with self._flush:
                if self._flushed < mine:
                    reached = self._written
                    os.fsync(self._file)
                    self._flushed = reached
        except OSError as exc:
            raise JournalError(f"journal_path: cannot write to {self._path!r} ({exc.strerror})") from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
